//! The alert rules and the dashboard of `examples/monitoring` against the metrics that there are.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::server::{Server, eventually};
use crate::serving::{ALICE, AUDIENCE, value};
use crate::support::Scratch;

const ALERTS: &str = include_str!("../../../examples/monitoring/alerts.yml");
const DASHBOARD: &str = include_str!("../../../examples/monitoring/dashboard.json");

/// The names in a query or a rule that are those of metrics of ours, or of a process.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(|character| !is_part(character))
        .filter(|word| word.starts_with("kliento_") || word.starts_with("process_"))
        .collect()
}

/// The names of all samples that a server has, once everything has happened that has a metric.
fn metrics_of_a_server() -> BTreeSet<String> {
    let scratch = Scratch::new();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(scratch.file("server.pem"), key.cert.pem()).unwrap();
    std::fs::write(scratch.file("server.key"), key.signing_key.serialize_pem()).unwrap();
    std::fs::write(scratch.file("anchors"), ALICE.trust_anchor_lines()).unwrap();
    let configuration = format!(
        "operations-listen = \"127.0.0.1:0\"\naudience = {AUDIENCE:?}\n[tls]\ncertificate = \"server.pem\"\n\
         key = \"server.key\"\n[[rules]]\nanybody = true\n"
    );
    let server = Server::configured(&scratch, &configuration);
    // Something that is no TLS handshake.
    server.get("/auth/nginx", "");
    server.signal("HUP");
    eventually("the configuration is read again", || {
        server.metric("kliento_configuration_reloads_total{result=\"ok\"} ") > 0.0
    });
    let renewed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(scratch.file("server.key"), "no key").unwrap();
    std::fs::write(scratch.file("server.pem"), renewed.cert.pem()).unwrap();
    eventually("the files of TLS are looked at", || {
        server.metric("kliento_tls_reloads_total{result=\"error\"} ") > 0.0
    });
    let built_in = names_of(&server);

    let plain = Scratch::new();
    std::fs::write(plain.file("root.xml"), ENDING_ANCHOR).unwrap();
    std::fs::write(plain.file("anchors"), ALICE.trust_anchor_lines()).unwrap();
    let configuration = format!(
        "trust-anchors = \"root.xml\"\naudience = {AUDIENCE:?}\n[[rules]]\nanybody = true\n"
    );
    let server = Server::configured(&plain, &configuration);
    let fields = format!(
        "X-Original-Method: GET\r\nX-Original-Host: a\r\nX-Original-URI: /\r\nAuthorization: {}\r\n",
        value(&ALICE, AUDIENCE, &[])
    );
    server.get("/auth/nginx", &fields);
    built_in.union(&names_of(&server)).cloned().collect()
}

/// The root's key of 2010, which has an end.
const ENDING_ANCHOR: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<TrustAnchor id="380DC50D-484E-40D0-A3AE-68F2B18F61C7" source="http://data.iana.org/root-anchors/root-anchors.xml">
<Zone>.</Zone>
<KeyDigest id="Klajeyz" validFrom="2017-02-02T00:00:00+00:00" validUntil="2099-01-11T00:00:00+00:00">
<KeyTag>20326</KeyTag>
<Algorithm>8</Algorithm>
<DigestType>2</DigestType>
<Digest>E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D</Digest>
</KeyDigest>
</TrustAnchor>
"#;

fn names_of(server: &Server) -> BTreeSet<String> {
    let index = server.addresses().len() - 1;
    let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = crate::server::exchange(crate::server::connect(server.address(index)), request);
    assert_eq!(answer.status, 200);
    let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn alerts_and_dashboard_name_only_metrics_that_there_are() {
    let there_are = metrics_of_a_server();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries: Vec<&str> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .chain([dashboard["templating"]["list"][1]["query"]
            .as_str()
            .unwrap()])
        .collect();
    assert!(queries.len() > 10);
    for query in queries.iter().chain([&ALERTS]) {
        let named = metrics_in(query);
        assert!(!named.is_empty(), "{query}");
        for name in named {
            assert!(there_are.contains(name), "{name} of {query}: {there_are:?}");
        }
    }
    let rules = ALERTS.matches("- alert: ").count();
    assert_eq!(rules, ALERTS.matches("expr: ").count());
    assert!(rules >= 8);
}

#[test]
fn trust_anchors_tell_when_they_end_and_of_when_the_built_in_ones_are() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("root.xml"), ENDING_ANCHOR).unwrap();
    let built_in = Server::start(scratch.path(), &["--verifier", "--listen", "127.0.0.1:0"]);
    let reviewed = "kliento_trust_anchors_reviewed_timestamp_seconds ";
    assert!(built_in.metric(reviewed) > 1.7e9);
    assert!(built_in.metric("kliento_trust_anchors ") >= 2.0);
    let own = Server::configured(&scratch, "trust-anchors = \"root.xml\"\n[verifier]\n");
    assert!(own.metric(reviewed) < 1.0, "nothing is known of it");
    assert!((0.9..1.1).contains(&own.metric("kliento_trust_anchors ")));
    let answer = own.get("/metrics", "");
    let line = answer
        .body
        .lines()
        .find(|line| line.starts_with("kliento_trust_anchor_expiry_timestamp_seconds{"))
        .unwrap();
    assert!(
        line.contains("owner=\".\"") && line.contains("key_tag=\"20326\""),
        "{line}"
    );
    assert!(line.ends_with(" 4071772799"), "{line}");
}
