//! `kliento organisation check`, of domains in memory. `interop/doctor/run` does the same with real servers, and at length.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;

use kliento_fixtures::{
    Algorithm, CNAME, DS, Key, Record, SERVFAIL, SHA1, TXT, World, WorldBuilder, ZONE_KEY, ZoneKey,
    ZoneSpec,
};
use serde_json::Value;

use crate::resolver::resolver;
use crate::support::{Run, Scratch, WORKSHOP, run_in};

const DAY: i64 = 86_400;
/// A digest that is no key's.
const KEY_ID: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";

/// What is said of every domain here: nobody has a record of the dialect to come, and the resolver does not validate.
const USUAL: [&str; 2] = [
    "note:records.domainauth_absent",
    "note:resolver.not_validating",
];

/// What is said of a record that is there, and that DNSSEC doesn't prove.
const UNPROVEN: &str = "note:records.found";

fn record() -> String {
    format!("1 {KEY_ID} 3600")
}

/// The root and an ending.
fn top() -> WorldBuilder {
    World::builder()
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("example.", Algorithm::EcdsaP256Sha256)
}

fn zone(name: &str) -> ZoneSpec {
    ZoneSpec::new(name, Algorithm::EcdsaP256Sha256)
}

/// Examines a domain of `world` by way of `address`.
fn check(world: &World, address: impl std::fmt::Display, domain: &str, more: &[&str]) -> Run {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("anchors"), world.anchors()).unwrap();
    let address = address.to_string();
    let arguments = [
        &[
            "organisation",
            "check",
            "--domain",
            domain,
            "--resolver",
            &address,
        ],
        &["--trust-anchors", "anchors"][..],
        more,
    ]
    .concat();
    run_in(scratch.path(), &arguments, b"")
}

/// The names of what was found with their severities, the usual left out.
fn found(run: &Run) -> BTreeSet<String> {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            assert!(
                text("id").starts_with(&format!("{}.", text("area"))),
                "{finding}"
            );
            assert!(!text("message").is_empty());
            assert!(
                text("severity") != "problem" || !text("advice").is_empty(),
                "{finding}"
            );
            format!("{}:{}", text("severity"), text("id"))
        })
        .filter(|found| !USUAL.contains(&found.as_str()))
        .collect()
}

/// The same without what is good.
fn wrong(run: &Run) -> Vec<String> {
    let found = found(run).into_iter();
    found.filter(|found| !found.starts_with("good:")).collect()
}

fn finding(run: &Run, id: &str) -> Value {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["id"] == id);
    found
        .unwrap_or_else(|| panic!("no {id} in {document}"))
        .clone()
}

#[test]
fn nothing_is_wrong_with_a_sound_domain() {
    let world = top()
        .zone("good.example.", Algorithm::EcdsaP256Sha256)
        .txt("_veraid.good.example.", record())
        .build();
    let address = resolver(world.clone(), |_| {});
    let run = check(&world, address, "good.example", &["--json"]).exits(0);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    let good = [
        "good:delegation.sound",
        "good:keys.sound",
        "good:records.found",
        "good:resolver.answers",
        "good:signatures.proven",
        "good:size.measured",
    ];
    assert_eq!(found(&run), good.map(ToOwned::to_owned).into());
    let document = run.json();
    assert_eq!(document["status"], "good");
    assert_eq!(document["domain"], "good.example");
    let octets = |pointer: &str| document.pointer(pointer).unwrap().as_u64().unwrap();
    assert!(octets("/bundle/organisationOctets") > octets("/chain/octets"));
    assert!(octets("/bundle/memberOctets") > octets("/bundle/organisationOctets"));
    assert!(octets("/bundle/memberHeaderOctets") > octets("/bundle/memberOctets"));
    assert_eq!(octets("/bundle/maxOctets"), 16_384);
    assert_eq!(
        document["next"],
        format!(
            "kliento dnssec retrieve --domain good.example --resolver {address} --trust-anchors anchors \
             --out good.example.chain"
        )
    );
}

#[test]
fn people_are_told_what_to_do_and_with_which_lines() {
    let world = top()
        .with_zone(zone("island.example.").insecure())
        .txt("_veraid.island.example.", record())
        .build();
    let address = resolver(world.clone(), |_| {});
    let run = check(&world, address, "island.example", &[]).exits(1);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    let text = run.text();
    let key_tag = world.zone("island.example.").committed_key().key_tag();
    for part in [
        "\nThe way from the DNS root to the domain\n  ✗ island.example is signed, but nobody can verify that",
        "\n    → Give this DS record to the registrar",
        &format!("\n      island.example. IN DS {key_tag} 13 2 "),
        "\nisland.example has 1 problem. Fix it, then run this again:\n  kliento organisation check",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    for line in text.lines().filter(|line| !line.contains(" IN D")) {
        assert!(
            line.chars().count() <= 80 || line.contains("kliento"),
            "{line}"
        );
    }
    // Programs read the same lines.
    let run = check(&world, address, "island.example", &["--json"]).exits(1);
    assert_eq!(run.json()["status"], "problems");
    let no_ds = finding(&run, "delegation.no_ds");
    let line = no_ds["publish"][0].as_str().unwrap();
    assert!(text.contains(line), "{line}");
    assert_eq!(no_ds["data"]["zone"], "island.example.");
}

#[test]
fn the_ds_record_that_is_shown_is_the_one_that_makes_the_domain_work() {
    let world = top().with_zone(zone("island.example.").insecure()).build();
    let address = resolver(world.clone(), |_| {});
    let run = check(&world, address, "island.example", &["--json"]).exits(1);
    let line = finding(&run, "delegation.no_ds")["publish"][0].clone();
    let line = line.as_str().unwrap();
    // As a trust anchor, it proves the zone.
    let scratch = Scratch::new();
    std::fs::write(scratch.file("anchors"), line).unwrap();
    let address = address.to_string();
    let arguments = [
        "organisation",
        "check",
        "--domain",
        "island.example",
        "--trust-anchors",
        "anchors",
    ];
    let arguments = [&arguments[..], &["--resolver", &address, "--json"]].concat();
    let run = run_in(scratch.path(), &arguments, b"").exits(1);
    assert_eq!(wrong(&run), ["problem:records.absent"]);
}

/// A world in which every domain is set up in another way.
fn troubled_world() -> World {
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap();
    let spare = |flags| ZoneKey::new(Key::generate(Algorithm::EcdsaP256Sha256), flags);
    let names = [
        "good", "plain", "island", "stranger", "sha1", "unknown", "beside", "expired", "early",
        "short", "ending", "nozone", "revoked", "rollover", "nsec3",
    ];
    let mut world = top()
        .zone("good.example.", Algorithm::EcdsaP256Sha256)
        .with_zone(zone("plain.example.").unsigned())
        .with_zone(zone("island.example.").insecure())
        .with_zone(
            zone("stranger.example.")
                .ds_digests(&[])
                .extra_ds(spare(ZONE_KEY | 1), &[2]),
        )
        .with_zone(zone("sha1.example.").ds_digests(&[SHA1]))
        .with_zone(zone("unknown.example.").ds_digests(&[200]))
        .with_zone(zone("beside.example.").ds_digests(&[SHA1, 2, 200]))
        .with_zone(zone("expired.example.").window(now - 9 * DAY, now - DAY))
        .with_zone(zone("early.example.").window(now + DAY, now + 9 * DAY))
        .with_zone(zone("short.example.").window(now - DAY, now + DAY))
        .with_zone(zone("ending.example.").window(now - 9 * DAY, now + DAY / 2))
        .with_zone(zone("nozone.example.").extra_key(spare(1)))
        .with_zone(zone("revoked.example.").extra_key(spare(ZONE_KEY | 0x80)))
        .with_zone(zone("rollover.example.").extra_key(spare(ZONE_KEY | 1)))
        .with_zone(zone("nsec3.example.").nsec3(150, b""));
    for name in names {
        world = world.txt(format!("_veraid.{name}.example."), record());
    }
    for (name, text) in [
        ("two", "v=spf1 -all".to_owned()),
        ("two", record()),
        ("quoted", format!("\"{}\"", record())),
        ("service", format!("{} 1.2.3", record())),
        ("twice", record()),
        ("twice", format!("1 {KEY_ID} 60")),
        ("override", format!("1 {KEY_ID} 7776000")),
    ] {
        world = world.txt(format!("_veraid.{name}.good.example."), text);
    }
    world
        .txt("_veraid.doubled.good.example.good.example.", record())
        .txt("doubled.good.example.", "hello")
        .txt(
            "_domainauth.future.good.example.",
            format!("0 1 1 {KEY_ID} 3600"),
        )
        .txt("_veraid.future.good.example.", record())
        .record(Record::of_name(
            "_veraid.dangling.good.example.",
            CNAME,
            "nowhere.good.example.",
        ))
        .build()
}

#[test]
fn every_way_to_go_wrong_has_a_name() {
    let world = troubled_world();
    let address = resolver(world.clone(), |_| {});
    for (domain, status, expected) in [
        ("good.example", 0, &[][..]),
        ("nowhere.example", 1, &["problem:delegation.no_such_domain"]),
        (
            "plain.example",
            1,
            &[UNPROVEN, "problem:delegation.unsigned"],
        ),
        ("island.example", 1, &[UNPROVEN, "problem:delegation.no_ds"]),
        (
            "stranger.example",
            1,
            &[UNPROVEN, "problem:delegation.ds_mismatch"],
        ),
        ("sha1.example", 1, &[UNPROVEN, "problem:delegation.ds_sha1"]),
        (
            "unknown.example",
            1,
            &[UNPROVEN, "problem:delegation.ds_unknown_digest"],
        ),
        (
            "beside.example",
            0,
            &[
                "note:delegation.ds_sha1_beside",
                "warning:delegation.ds_unknown_digest_beside",
            ],
        ),
        (
            "expired.example",
            1,
            &[UNPROVEN, "problem:signatures.expired"],
        ),
        (
            "early.example",
            1,
            &[UNPROVEN, "problem:signatures.not_yet_valid"],
        ),
        ("short.example", 0, &["warning:signatures.short_lived"]),
        ("ending.example", 0, &["warning:signatures.end_soon"]),
        ("nozone.example", 0, &["note:keys.not_a_zone_key"]),
        ("revoked.example", 0, &["note:keys.revoked"]),
        ("rollover.example", 0, &["note:keys.rollover"]),
        ("nsec3.example", 0, &["warning:keys.nsec3_iterations"]),
        (
            "two.good.example",
            0,
            &["note:records.foreign", "warning:records.reference_refuses"],
        ),
        ("quoted.good.example", 1, &["problem:records.quoted"]),
        (
            "service.good.example",
            1,
            &["problem:records.other_service"],
        ),
        ("twice.good.example", 1, &["problem:records.ambiguous"]),
        (
            "override.good.example",
            0,
            &["note:signatures.shorter_than_ttl_override"],
        ),
        ("doubled.good.example", 1, &["problem:records.misplaced"]),
        (
            "future.good.example",
            0,
            &["note:records.domainauth_present"],
        ),
        (
            "dangling.good.example",
            1,
            &["problem:records.alias_to_nothing", "warning:records.alias"],
        ),
    ] {
        let run = check(&world, address, domain, &["--json"]);
        assert_eq!(wrong(&run), expected, "{domain}");
        assert_eq!(run.status, status, "{domain}");
    }
}

#[test]
fn a_key_is_compared_with_the_records() {
    let line = WORKSHOP
        .run("organisation record --domain good.example --key org.key.pem --json")
        .json();
    let text = line["rdata"].as_str().unwrap().trim_matches('"').to_owned();
    let id = text.split(' ').nth(1).unwrap();
    let world = top()
        .zone("good.example.", Algorithm::EcdsaP256Sha256)
        .txt("_veraid.good.example.", text.clone())
        .txt("_veraid.other.good.example.", record())
        .txt("_veraid.numbered.good.example.", format!("2 {id} 3600"))
        .txt("_veraid.bound.good.example.", format!("{text} 1.2.3"))
        .build();
    let address = resolver(world.clone(), |_| {});
    let path = |name: &str| WORKSHOP.path(name).to_str().unwrap().to_owned();
    let (key, stranger) = (path("org.key.pem"), path("alice.pub.pem"));
    for (domain, key, more, status, expected) in [
        ("good.example", &key, &[][..], 0, "good:records.matches"),
        (
            "good.example",
            &stranger,
            &[],
            1,
            "problem:records.no_match",
        ),
        (
            "other.good.example",
            &key,
            &[],
            1,
            "problem:records.no_match",
        ),
        (
            "numbered.good.example",
            &key,
            &[],
            1,
            "problem:records.other_algorithm",
        ),
        (
            "bound.good.example",
            &key,
            &[],
            1,
            "problem:records.other_service",
        ),
        (
            "bound.good.example",
            &key,
            &["--service", "1.2.3"],
            0,
            "good:records.matches",
        ),
    ] {
        let options = [&["--json", "--key", key][..], more].concat();
        let run = check(&world, address, domain, &options).exits(status);
        assert!(
            found(&run).contains(expected),
            "{domain}: {:?}",
            found(&run)
        );
    }
    // What to publish is the record of that key.
    let run = check(
        &world,
        address,
        "other.good.example",
        &["--json", "--key", &key],
    );
    let publish = finding(&run, "records.no_match")["publish"][0].clone();
    assert_eq!(
        publish,
        format!("_veraid.other.good.example. 3600 IN TXT \"{text} 1.3.6.1.4.1.58708.3.0\"")
    );
}

#[test]
fn the_keys_own_record_is_recognised_whatever_a_dns_host_did_to_it() {
    let line = WORKSHOP
        .run("organisation record --domain good.example --key org.key.pem --json")
        .json();
    let text = line["rdata"].as_str().unwrap().trim_matches('"').to_owned();
    let altered = [
        ("type", format!("TXT {text}"), "record type"),
        ("version", text.replacen('1', "v=1", 1), "first field"),
        ("parentheses", format!("({text})"), "parentheses"),
        ("escapes", text.replace(' ', "\\032"), "escapes"),
        ("case", text.to_ascii_lowercase(), "lower-case"),
        ("backslash", format!("{text}\\"), "backslash"),
        ("line-end", format!("{text}\r\n"), "line break"),
    ];
    let mut world = top().zone("good.example.", Algorithm::EcdsaP256Sha256);
    for (label, text, _) in &altered {
        world = world.txt(format!("_veraid.{label}.good.example."), text.clone());
    }
    world = world
        .txt("_veraid.beside.good.example.", text.clone())
        .txt("_veraid.beside.good.example.", format!("TXT {text}"));
    let world = world.build();
    let address = resolver(world.clone(), |_| {});
    let key = WORKSHOP.path("org.key.pem");
    let options = ["--json", "--key", key.to_str().unwrap()];
    for (label, _, what) in &altered {
        let domain = format!("{label}.good.example");
        let run = check(&world, address, &domain, &options).exits(1);
        let finding = finding(&run, "records.altered");
        assert_eq!(finding["severity"], "problem", "{label}");
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains("is the record of your key"), "{message}");
        assert!(message.contains(what), "{message}");
        let publish = finding["publish"][0].as_str().unwrap();
        assert!(publish.contains(&format!("\"{text} ")), "{publish}");
        let others = wrong(&run);
        assert!(
            !others.iter().any(|other| other.contains("no_match")),
            "{others:?}"
        );
    }
    let run = check(&world, address, "beside.good.example", &options).exits(0);
    assert!(found(&run).contains("good:records.matches"));
    assert_eq!(finding(&run, "records.altered")["severity"], "warning");
}

#[test]
fn domain_auths_records_are_examined_beside_veraids_and_by_themselves() {
    let record_of = |more: &str| {
        let line =
            format!("organisation record --domain good.example --key org.key.pem {more} --json");
        let document = WORKSHOP.run(&line).exits(0).json();
        document["rdata"]
            .as_str()
            .unwrap()
            .trim_matches('"')
            .to_owned()
    };
    let veraid = record_of("");
    let stranger = "0 245 1 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY 3600";
    let mut world = top().zone("good.example.", Algorithm::EcdsaP256Sha256);
    for (label, text) in [
        ("both", record_of("--dialect domainauth")),
        ("other", stranger.to_owned()),
        (
            "odd",
            "0 1 0 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY 3600".to_owned(),
        ),
    ] {
        world = world
            .txt(
                format!("_veraid.{label}.good.example.").as_str(),
                veraid.clone(),
            )
            .txt(format!("_domainauth.{label}.good.example.").as_str(), text);
    }
    let world = world.build();
    let address = resolver(world.clone(), |_| {});
    let key = WORKSHOP.path("org.key.pem").to_str().unwrap().to_owned();
    for (label, id, about) in [
        ("both", "records.domainauth_present", "rsa-2048"),
        ("other", "records.domainauth_no_match", "about your key"),
        ("odd", "records.domainauth_unreadable", "need a digest"),
    ] {
        let domain = format!("{label}.good.example");
        let run = check(&world, address, &domain, &["--json", "--key", &key]).exits(0);
        let message = finding(&run, id)["message"].clone();
        assert!(message.as_str().unwrap().contains(about), "{message}");
    }
    // The same records by themselves.
    let domain_auth = ["--json", "--dialect", "domainauth", "--key", &key];
    let run = check(&world, address, "both.good.example", &domain_auth).exits(0);
    assert_eq!(wrong(&run), [] as [&str; 0]);
    finding(&run, "records.matches");
    let next = run.json()["next"].as_str().unwrap().to_owned();
    assert!(
        next.starts_with("kliento dnssec retrieve --domain both.good.example --dialect domainauth")
    );
    for (label, id) in [
        ("other", "records.no_match"),
        ("odd", "records.domainauth_unreadable"),
        ("no", "records.absent"),
    ] {
        let domain = format!("{label}.good.example");
        let run = check(&world, address, &domain, &domain_auth).exits(1);
        assert_eq!(wrong(&run), [format!("problem:{id}")], "{label}");
    }
    let line = finding(
        &check(&world, address, "other.good.example", &domain_auth),
        "records.no_match",
    );
    let line = line["publish"][0].as_str().unwrap().to_owned();
    assert!(
        line.starts_with("_domainauth.other.good.example. 3600 IN TXT \"0 1 1 "),
        "{line}"
    );
    let run = check(&world, address, "other.good.example", &domain_auth[..3]).exits(0);
    assert_eq!(
        wrong(&run),
        ["note:records.experimental", "note:size.header_large"]
    );
    let run = check(&world, address, "other.good.example", &["--json"]).exits(0);
    let message = finding(&run, "records.domainauth_present")["message"].clone();
    assert!(
        message.as_str().unwrap().contains("--allow-algorithm"),
        "{message}"
    );
}

#[test]
fn domain_auth_takes_no_dnssec_signature_of_more_than_90_days() {
    const DAY: i64 = 86_400;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    let zone = ZoneSpec::new("good.example.", Algorithm::EcdsaP256Sha256);
    let world = top()
        .with_zone(zone.window(now - DAY, now + 90 * DAY))
        .txt("_veraid.good.example.", record())
        .txt("_domainauth.good.example.", format!("0 1 1 {KEY_ID} 3600"))
        .build();
    let address = resolver(world.clone(), |_| {});
    check(&world, address, "good.example", &[]).exits(0);
    let more = ["--json", "--dialect", "domainauth"];
    let run = check(&world, address, "good.example", &more).exits(1);
    assert_eq!(wrong(&run), ["problem:signatures.too_long"]);
}

#[test]
fn what_a_resolver_does_wrong_is_not_put_down_to_the_domain() {
    let world = top().txt("_veraid.good.example.", record()).build();
    let failing = resolver(world.clone(), |response| {
        response.rcode = SERVFAIL;
        response.answers.clear();
    });
    let stripping = resolver(world.clone(), |response| {
        response.drop_signatures();
    });
    let deaf_to_txt = resolver(world.clone(), |response| {
        if response.questions[0].record_type == TXT {
            response.rcode = SERVFAIL;
            response.answers.clear();
        }
    });
    let deaf_to_ds = resolver(world.clone(), |response| {
        if response.questions[0].record_type == DS {
            response.rcode = SERVFAIL;
            response.answers.clear();
        }
    });
    // A root of its own.
    let other = resolver(top().txt("_veraid.good.example.", record()).build(), |_| {});
    for (address, expected) in [
        (failing, &["problem:resolver.fails"][..]),
        (stripping, &["problem:resolver.strips_signatures"]),
        (other, &[UNPROVEN, "problem:resolver.other_root"]),
        (deaf_to_txt, &["problem:records.lookup_failed"]),
        (deaf_to_ds, &[UNPROVEN, "problem:delegation.servers_fail"]),
    ] {
        let run = check(&world, address, "good.example", &["--json"]).exits(1);
        assert_eq!(wrong(&run), expected);
    }
}

/// Answers every query with a header that promises a record, and no record.
fn broken_resolver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut query = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            // QR, one answer, and no additional record.
            query[2] |= 0x80;
            query[7] = 1;
            query[11] = 0;
            // EDNS's record, which is gone from the count, has eleven octets.
            let _ = socket.send_to(&query[..length - 11], client);
        }
    });
    address
}

#[test]
fn without_an_answer_nothing_is_known() {
    let world = top().build();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (address, expected) in [
        (format!("tls://{closed}"), "problem:resolver.no_response"),
        (broken_resolver().to_string(), "problem:resolver.malformed"),
    ] {
        let run = check(&world, &address, "good.example", &["--json"]).exits(2);
        assert_eq!(wrong(&run), [expected]);
        assert_eq!(run.json()["status"], "unknown");
    }
}

#[test]
fn a_domain_outside_of_all_trust_anchors_is_told_from_a_bad_one() {
    let world = World::builder()
        .zone("example.", Algorithm::EcdsaP256Sha256)
        .build();
    let address = resolver(world.clone(), |_| {});
    let run = check(&world, address, "good.test", &["--json"]).exits(1);
    assert_eq!(wrong(&run), ["problem:delegation.no_anchor"]);
}

#[test]
fn a_record_can_not_take_over_the_terminal_of_who_looks_at_it() {
    let world = top()
        .txt(
            "_veraid.good.example.",
            "1 \u{1b}[2J\u{1b}]0;owned\u{7}\nAll is well. 3600",
        )
        .build();
    let address = resolver(world.clone(), |_| {});
    let run = check(&world, address, "good.example", &[]).exits(1);
    assert!(run.text().contains("\\u{1b}[2J"), "{}", run.text());
    let control = |character: char| character.is_control() && character != '\n';
    assert!(!run.text().contains(control));
    assert!(
        !run.text()
            .lines()
            .any(|line| line.starts_with("All is well"))
    );
}

#[test]
fn what_can_not_be_asked_is_a_fault_of_the_command_line() {
    for arguments in [
        "--domain bücher.example",
        "--domain good.example --service kliento2",
        "--domain good.example --key missing.pem",
        "--domain good.example --resolver nonsense",
        "--domain good.example --trust-anchors missing",
        "",
    ] {
        let run = WORKSHOP
            .run(&format!("organisation check {arguments}"))
            .exits(2);
        assert!(run.stdout.is_empty(), "{arguments}");
    }
    // So long that no record fits below it.
    let label = "a".repeat(62);
    let domain = [&label[..]; 4].join(".");
    let run = WORKSHOP
        .run(&format!("organisation check --domain {domain}"))
        .exits(2);
    run.explains("no room");
}
