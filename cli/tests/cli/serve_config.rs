//! `kliento serve`: what people write into its configuration, and what they are told of it.

use crate::server::serve;
use crate::support::{Run, Scratch};

const AUDIENCE: &str = "audience = \"https://app.example.com\"\n";
const SAMPLE: &str = include_str!("../../packaging/kliento.toml");
const KUBERNETES: &str = include_str!("../../../examples/kubernetes/kliento.toml");
const MANIFESTS: &str = include_str!("../../../examples/kubernetes/manifests.yaml");
const UNIT: &str = include_str!("../../packaging/kliento.service");

fn check(configuration: &str, more: &[&str]) -> Run {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("kliento.toml"), configuration).unwrap();
    let arguments = [&["--config", "kliento.toml", "--check"], more].concat();
    serve(scratch.path(), &arguments)
}

#[test]
fn a_server_that_would_serve_nothing_is_not_started() {
    for configuration in ["", AUDIENCE, "[verifier]\nenabled = false\n"] {
        check(configuration, &[])
            .exits(2)
            .explains("nothing to serve")
            .hints();
    }
    let scratch = Scratch::new();
    serve(scratch.path(), &[])
        .exits(2)
        .explains("nothing to serve");
    check("", &["--verifier"]).exits(0);
    check("[verifier]\n", &[]).exits(0);
    check(&format!("{AUDIENCE}[[rules]]\nanybody = true\n"), &[]).exits(0);
}

#[test]
fn the_unit_allows_as_much_memory_as_the_shipped_limits_can_take() {
    let allowed = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("MemoryMax="))
        .and_then(|size| size.strip_suffix('G'))
        .unwrap();
    let allowed = allowed.parse::<u64>().unwrap() << 30;
    let tls = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let scratch = Scratch::new();
    std::fs::write(scratch.file("server.pem"), tls.cert.pem()).unwrap();
    std::fs::write(scratch.file("server.key"), tls.signing_key.serialize_pem()).unwrap();
    let with_tls = "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n";
    // As on a machine with many processors.
    let verifications = "[limits]\nverifications = 64\n";
    for configuration in [
        SAMPLE.to_owned(),
        format!("{SAMPLE}\n{with_tls}"),
        String::new(),
        format!("{verifications}{with_tls}"),
    ] {
        std::fs::write(scratch.file("kliento.toml"), &configuration).unwrap();
        let arguments = [
            "--config",
            "kliento.toml",
            "--verifier",
            "--check",
            "--json",
        ];
        let plan = serve(scratch.path(), &arguments).exits(0).json();
        let total = plan["memory"]["total"].as_u64().unwrap();
        assert!(total <= allowed, "{total}: {configuration}");
    }
}

#[test]
fn all_faults_of_a_file_are_told_at_once_with_their_places() {
    let run = check(
        "audiense = \"https://app.example.com\"\nclock_skew = \"5s\"\n[[rule]]\npublic = true\n[limits]\nheader = 1\n",
        &[],
    )
    .exits(2);
    run.explains("kliento.toml:1:1: there is no key \"audiense\" here; did you mean \"audience\"?")
        .explains(
            "kliento.toml:2:1: there is no key \"clock_skew\" here; did you mean \"clock-skew\"?",
        )
        .explains("kliento.toml:3:3: there is no key \"rule\" here; did you mean \"rules\"?")
        .explains("kliento.toml:6:10: 1 is out of range")
        .hints();

    let rules = "[[rules]]\npath = \"/a/\"\n[[rules]]\npublic = true\nanybody = true\n";
    check(&format!("{AUDIENCE}{rules}"), &[])
        .exits(2)
        .explains("kliento.toml:2:1: rule 1 (*/a/): it does not say who may pass")
        .explains("kliento.toml:4:1: rule 2 (*/): a public rule ignores tokens");
}

#[test]
fn faults_of_kubernetes_have_their_place_and_come_with_all_others() {
    let run = check(
        "audiense = \"https://app.example.com\"\n[kubernetes]\naudiences = [\"https://k.example.com\"]\n",
        &[],
    )
    .exits(2);
    run.explains("kliento.toml:1:1: there is no key \"audiense\" here")
        .explains("kliento.toml:2:1: [kubernetes] names neither organisations nor subjects")
        .explains("as in: organisations = [\"example.com\"]");
}

#[test]
fn a_star_alone_is_told_what_it_may_mean() {
    for list in ["\"*\"", "[\"a@example.com\", \"*\"]"] {
        check(&format!("{AUDIENCE}[[rules]]\nsubjects = {list}\n"), &[])
            .exits(2)
            .explains("kliento.toml:3:12: \"*\" is not a subject pattern; write *@example.com, or anybody = true");
    }
}

#[test]
fn one_value_needs_no_array() {
    let rule = "[[rules]]\norganisations = \"example.com\"\nclaims = { role = \"admin\" }\nrequired-claims = \"team\"\n";
    let run = check(&format!("{AUDIENCE}{rule}"), &["--json"]).exits(0);
    let serves = run.json()["serves"].to_string();
    assert!(
        serves.contains("role") && serves.contains("admin"),
        "{serves}"
    );
    // Where nothing would be asked for, somebody meant something.
    for list in ["claims = { role = [] }", "organisations = []"] {
        check(
            &format!("{AUDIENCE}[[rules]]\nsubjects = \"*@example.com\"\n{list}\n"),
            &[],
        )
        .exits(2);
    }
}

#[test]
fn the_plan_shows_each_trust_anchor_and_what_was_left_out() {
    let plan = check("", &["--verifier", "--json"]).exits(0).json();
    let tags: Vec<u64> = plan["anchors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|anchor| anchor["keyTag"].as_u64().unwrap())
        .collect();
    assert_eq!(tags, [20_326, 38_696]);
    let text = check("", &["--verifier"]).exits(0);
    assert!(
        text.text().contains(". key 38696, RSASHA256"),
        "{}",
        text.text()
    );
}

#[test]
fn the_example_of_kubernetes_fits_into_its_pod_and_ends_in_its_time() {
    let lines = KUBERNETES.lines();
    let without_tls: Vec<&str> = lines
        .filter(|line| !line.contains("/etc/kliento-tls/") && *line != "[tls]")
        .collect();
    let plan = check(&without_tls.join("\n"), &["--json"]).exits(0).json();
    let memory = plan["memory"]["total"].as_u64().unwrap();
    // A TLS session on each connection comes on top.
    let memory = memory + 256 * 72 * 1_024;
    let limit = MANIFESTS.split("limits: { memory: ").nth(1).unwrap();
    let (limit, _) = limit.split_once("Mi").unwrap();
    assert!(memory <= limit.parse::<u64>().unwrap() << 20, "{memory}");

    // The ConfigMap is the file, without its comments.
    for line in KUBERNETES.lines() {
        if !line.is_empty() && !line.starts_with('#') {
            assert!(
                MANIFESTS.lines().any(|other| other.trim() == line),
                "{line}"
            );
        }
    }
    let grace = MANIFESTS.split("terminationGracePeriodSeconds: ").nth(1);
    let grace = grace.unwrap().lines().next().unwrap();
    // The delay of the file, and the default of shutdown-timeout.
    assert!(KUBERNETES.contains("shutdown-delay = \"5s\""));
    assert!(grace.parse::<u64>().unwrap() > 5 + 10);
}
