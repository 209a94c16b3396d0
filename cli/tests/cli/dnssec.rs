//! `kliento dnssec verify` and `inspect`.

use kliento_fixtures::{
    Algorithm, CNAME, DNSKEY, KeyRole, Record, SHA1, TXT, World, ZoneSpec, chain_der,
};
use serde_json::json;

use crate::support::{MIDNIGHT, NOON, NOON_SECONDS, ORGANISATION, RECORD, Scratch, WORKSHOP};

/// The world's signatures hold from an hour before noon to six days after it.
const FROM: &str = "2025-11-21T11:00:00Z";
const UNTIL: &str = "2025-11-27T12:00:00Z";

#[test]
fn prints_of_a_proven_rrset_exactly_what_was_agreed() {
    let record = WORKSHOP
        .run("org record --domain example.com --key org.key.pem --json")
        .json();
    let run = WORKSHOP
        .run(&format!(
            "dnssec verify --name {RECORD} --type TXT --chain chain --trust-anchors anchors --at {NOON} --json"
        ))
        .exits(0);
    assert_eq!(
        run.json(),
        json!({
            "status": "proven",
            "name": "_veraid.example.com.",
            "type": "TXT",
            "records": [record["rdata"]],
            "validity": [{"from": FROM, "until": UNTIL}],
        })
    );
}

#[test]
fn cuts_the_validity_to_a_period_and_not_to_a_moment() {
    let verify = |when: &str| {
        WORKSHOP
            .run(&format!(
                "dnssec verify --name {RECORD}. --type txt --chain chain --trust-anchors anchors {when} --json"
            ))
            .exits(0)
            .json()["validity"]
            .clone()
    };
    assert_eq!(
        verify(&format!("--at {UNTIL}")),
        json!([{"from": FROM, "until": UNTIL}])
    );
    assert_eq!(
        verify(&format!("--from {NOON} --until 2025-12-31T00:00:00Z")),
        json!([{"from": NOON, "until": UNTIL}])
    );
}

#[test]
fn reads_the_records_of_an_rfc_9102_authentication_chain() {
    let mut records = Vec::new();
    for response in WORKSHOP.world.responses(RECORD, TXT).0 {
        for record in response.answers {
            records.extend(record.to_wire());
        }
    }
    let scratch = Scratch::new();
    let verify = |records: &[u8]| {
        std::fs::write(scratch.file("proof"), records).unwrap();
        WORKSHOP.run(&format!(
            "dnssec verify --name {RECORD} --type TXT --chain {} --format rfc9102 --trust-anchors anchors --at {NOON} --json",
            scratch.file("proof")
        ))
    };
    let proven = verify(&records).exits(0).json();
    assert_eq!(proven["validity"], json!([{"from": FROM, "until": UNTIL}]));
    let cut_short = verify(&records[..records.len() - 1]).exits(1).json();
    assert_eq!(cut_short["status"], "malformed");
    assert_eq!(cut_short["reason"], "dnssec.malformed_chain");
}

#[test]
fn text_for_people_shows_records_and_validity() {
    let run = WORKSHOP
        .run(&format!(
            "dnssec verify --name {RECORD} --type TXT --chain chain --trust-anchors anchors --at {NOON}"
        ))
        .exits(0);
    assert!(run.text().starts_with("proven\n"));
    assert!(run.text().contains(FROM) && run.text().contains(UNTIL));
}

#[test]
fn refuses_what_is_not_proven() {
    for (options, status, reason) in [
        (
            format!(
                "--name {RECORD} --type TXT --chain chain --trust-anchors anchors --at 2025-11-27T12:00:01Z"
            ),
            "invalid",
            "dnssec.rrsig_expired",
        ),
        (
            format!(
                "--name {RECORD} --type TXT --chain chain --trust-anchors other-anchors --at {NOON}"
            ),
            "invalid",
            "dnssec.dnskey_not_committed",
        ),
        (
            format!("--name {RECORD} --type A --chain chain --trust-anchors anchors --at {NOON}"),
            "invalid",
            "dnssec.missing_response",
        ),
        (
            format!(
                "--name {RECORD} --type TXT --chain org.pem --trust-anchors anchors --at {NOON}"
            ),
            "malformed",
            "dnssec.malformed_chain",
        ),
    ] {
        let document = WORKSHOP
            .run(&format!("dnssec verify {options} --json"))
            .exits(1)
            .json();
        assert_eq!(document["status"], status, "{document}");
        assert_eq!(document["reason"], reason, "{document}");
        WORKSHOP
            .run(&format!("dnssec verify {options}"))
            .exits(1)
            .explains(reason);
    }
}

#[test]
fn an_unsigned_delegation_is_a_verdict_of_its_own() {
    let scratch = Scratch::new();
    let world = World::builder()
        .at(NOON_SECONDS)
        .zone(".", Algorithm::Ed25519)
        .with_zone(ZoneSpec::new("example.", Algorithm::Ed25519).ds_digests(&[SHA1]))
        .txt("_veraid.example.", "hello")
        .build();
    std::fs::write(scratch.file("anchors"), world.anchors()).unwrap();
    std::fs::write(
        scratch.file("chain"),
        chain_der(&world.chain("_veraid.example.", TXT)),
    )
    .unwrap();
    let line = format!(
        "dnssec verify --name _veraid.example --type TXT --chain {} --trust-anchors {} --at {NOON}",
        scratch.file("chain"),
        scratch.file("anchors")
    );
    let document = WORKSHOP.run(&format!("{line} --json")).exits(1).json();
    assert_eq!(document["status"], "insecure");
    assert_eq!(document["zone"], "example.");
    assert!(document["error"].is_string());
    WORKSHOP.run(&line).exits(1).explains("insecure: ").hints();
}

#[test]
fn usage_errors_are_status_2() {
    for (options, about) in [
        (
            "--name example..com --type TXT --chain chain",
            "example..com",
        ),
        ("--name example.com --type BOGUS --chain chain", "mnemonic"),
        ("--name example.com --type TXT", "--chain"),
        (
            "--name example.com --type TXT --chain missing",
            "cannot read missing",
        ),
        (
            "--name example.com --type TXT --chain chain --at noon",
            "RFC 3339",
        ),
        (
            "--name example.com --type TXT --chain chain --trust-anchors report",
            "report: ",
        ),
    ] {
        WORKSHOP
            .run(&format!("dnssec verify {options}"))
            .exits(2)
            .explains(about);
    }
}

/// The lines of a public report, one key of which Unbound does not trust yet.
#[test]
fn takes_no_key_from_a_state_file_that_rfc_5011_does_not_trust() {
    let scratch = Scratch::new();
    let verify = || {
        WORKSHOP.run(&format!(
            "dnssec verify --name {RECORD} --type TXT --chain chain --trust-anchors {} --at {NOON}",
            scratch.file("root.key")
        ))
    };
    let dnskeys = WORKSHOP.world.anchors_as_dnskeys();
    let write = |state: &str| {
        let key = dnskeys.lines().next().unwrap();
        let other = ". 86400 IN DNSKEY 257 3 8 AwEAAQ==";
        let text = format!(
            "; autotrust trust anchor file\n;;id: . 1\n;;last_queried: 1764460800 ;;Sun Nov 30 00:00:00 2025\n\
             {key} ;{{id = 1 (ksk), size = 256b}} ;;state={state} ;;count=2 ;;lastchange=1764460800\n\
             {other} ;{{id = 2 (ksk), size = 24b}} ;;state=2 [  VALID  ] ;;count=0 ;;lastchange=1764460800\n"
        );
        std::fs::write(scratch.file("root.key"), text).unwrap();
    };
    for state in ["2 [  VALID  ]", "3 [ MISSING ]"] {
        write(state);
        let run = verify().exits(0);
        assert!(run.stderr.is_empty(), "{}", run.stderr);
    }
    for (state, why) in [
        (
            "1 [ ADDPEND ]",
            "not trusted yet (RFC 5011 state ADDPEND), and was left out",
        ),
        ("4 [ REVOKED ]", "revoked"),
        ("5 [ REMOVED ]", "removed (RFC 5011 state REMOVED)"),
    ] {
        write(state);
        let run = verify().exits(1);
        run.explains("dnssec.dnskey_not_committed")
            .explains("warning: ")
            .explains("line 4) is ")
            .explains(why);
    }
    let text =
        "; autotrust trust anchor file\n. 86400 IN DNSKEY 257 3 8 AwEAAQ== ;;state=1 [ ADDPEND ]\n";
    std::fs::write(scratch.file("root.key"), text).unwrap();
    verify()
        .exits(2)
        .explains("root.key: it contains no trusted key: the key of . ")
        .hints();
}

#[test]
fn refuses_anchors_that_say_something_else_than_they_seem_to() {
    let scratch = Scratch::new();
    let (lines, bind, xml) = (
        "as in a zone file, such as",
        "dnssec-dsfromkey",
        "the XML file",
    );
    for (text, about, hint) in [
        (
            "  IN DS 6512 13 2 AB\n",
            "line 1 is not a trust anchor: it begins with a blank",
            lines,
        ),
        (
            "IN DS 1 13 2 AB\n",
            "expected the owner, found \"IN\"",
            lines,
        ),
        (
            "86400 IN DS 1 13 2 AB\n",
            "expected the owner, found \"86400\"",
            lines,
        ),
        (
            "trust-anchors { . static-ds 1 8 2 \"AB\"; };\n",
            "line 1 is BIND's configuration",
            bind,
        ),
        ("<TrustAnchor>\n", "not a root-anchors.xml", xml),
    ] {
        std::fs::write(scratch.file("anchors"), text).unwrap();
        WORKSHOP
            .run(&format!(
                "dnssec verify --name {RECORD} --type TXT --chain chain --trust-anchors {} --at {NOON}",
                scratch.file("anchors")
            ))
            .exits(2)
            .explains(about)
            .explains(hint)
            .hints();
    }
}

#[test]
fn takes_types_by_number_and_names_that_begin_with_a_hyphen() {
    for record_type in ["16", "TYPE16", "txt"] {
        WORKSHOP
            .run(&format!(
                "dnssec verify --name {RECORD} --type {record_type} --chain chain --trust-anchors anchors --at {NOON}"
            ))
            .exits(0);
    }
    for name in ["-a.example.com", "--a.example.com", "-h.example.com"] {
        let document = WORKSHOP
            .run(&format!(
                "dnssec verify --name {name} --type TXT --chain chain --trust-anchors anchors --at {NOON} --json"
            ))
            .exits(1)
            .json();
        assert_eq!(document["status"], "invalid", "{document}");
        assert!(
            document["error"].as_str().unwrap().contains(name),
            "{document}"
        );
    }
    for (line, about) in [
        (
            "dnssec verify --type TXT --chain chain --name --json",
            "'--name <NAME>', and '--json' is another option",
        ),
        (
            "dnssec verify --name --type=TXT --chain chain",
            "'--type=TXT' is another option",
        ),
        (
            "dnssec verify --name bücher.example --type TXT --chain chain",
            "xn--bcher-kva",
        ),
        (
            "dnssec retrieve --name bücher.example --type TXT --out -",
            "xn--bcher-kva",
        ),
        ("member certify --name --bot", "'--bot' is another option"),
        (
            "token issue --audience --claim=a=b",
            "'--claim=a=b' is another option",
        ),
        (
            "token issue --audience a --claim --bot",
            "'--bot' is another option",
        ),
        (
            "token issue --audience a --on-behalf-of --json",
            "'--json' is another option",
        ),
        (
            "organisation delegate --label --name=x",
            "'--name=x' is another option",
        ),
    ] {
        WORKSHOP.run(line).exits(2).explains(about);
    }
}

/// Each kind of name, where it is used.
#[test]
fn members_claims_and_audiences_may_begin_with_a_hyphen() {
    let scratch = Scratch::new();
    let (id, token) = (scratch.file("id"), scratch.file("token"));
    WORKSHOP
        .run(&format!(
            "member certify --name -bob --public-key alice.pub.pem --organisation-certificate org.pem \
             --organisation-key org.key.pem --dnssec-chain chain --trust-anchors anchors \
             --not-before {MIDNIGHT} --at {NOON} --out {id}"
        ))
        .exits(0);
    WORKSHOP
        .run(&format!(
            "token issue --audience -audience --claim -c=-d --member-id-bundle {id} --key alice.key.pem \
             --trust-anchors anchors --not-before {NOON} --out {token}"
        ))
        .exits(0);
    let document = WORKSHOP
        .run(&format!(
            "token verify --audience -audience --trust-anchors anchors --at {NOON} --json {token}"
        ))
        .exits(0)
        .json();
    assert_eq!(document["user"], "-bob");
    assert_eq!(document["claims"], json!({"-c": "-d"}));
    assert_eq!(document["audience"], "-audience");
    WORKSHOP
        .run(&format!(
            "token issue --audience a {ORGANISATION} --on-behalf-of -bob --trust-anchors anchors --not-before {NOON} --out {token}"
        ))
        .exits(0);
}

#[test]
fn reads_anchors_as_dnskey_lines_too() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("anchors"), WORKSHOP.world.anchors_as_dnskeys()).unwrap();
    WORKSHOP
        .run(&format!(
            "dnssec verify --name {RECORD} --type TXT --chain chain --trust-anchors {} --at {NOON}",
            scratch.file("anchors")
        ))
        .exits(0);
}

#[test]
fn inspects_a_chain_response_by_response() {
    let document = WORKSHOP
        .run(&format!(
            "dnssec inspect chain --at {NOON} --trust-anchors anchors --json"
        ))
        .exits(0)
        .json();
    assert_eq!(document["verified"], false);
    let octets = WORKSHOP.read("chain").len();
    assert_eq!(document["octets"], octets, "the size of the file");
    let responses = document["responses"].as_array().unwrap();
    assert_eq!(responses.len(), 6);
    assert_eq!(
        responses[0]["question"],
        json!({"name": ".", "type": "DNSKEY"})
    );
    assert_eq!(
        responses[5]["question"],
        json!({"name": "_veraid.example.com.", "type": "TXT"})
    );
    for response in responses {
        assert_eq!(response["responseCode"], "NOERROR");
        assert!(response["octets"].as_u64().unwrap() > 0);
        assert_eq!(
            response["signatures"][0]["valid"],
            json!({"from": FROM, "until": UNTIL})
        );
    }
    let text = WORKSHOP
        .run(&format!(
            "dnssec inspect chain --at {NOON} --trust-anchors anchors"
        ))
        .exits(0);
    assert!(text.text().contains("unverified") && text.text().contains("trust anchor"));
    let size = format!("DNSSEC chain, {octets} bytes in 6 responses");
    assert!(text.text().contains(&size), "{size}: {}", text.text());
    for line in text.text().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn draws_the_path_from_the_anchor_with_what_each_key_signs() {
    let inspect = "dnssec inspect chain --trust-anchors anchors";
    let document = WORKSHOP.run(&format!("{inspect} --json")).exits(0).json();
    let path = document["path"].as_array().unwrap();
    let zones: Vec<&str> = path
        .iter()
        .map(|zone| zone["zone"].as_str().unwrap())
        .collect();
    assert_eq!(zones, [".", "com.", "example.com."]);
    for (zone, committer, signed) in [
        (&path[0], "trust-anchor", "com."),
        (&path[1], "ds", "example.com."),
        (&path[2], "ds", "_veraid.example.com."),
    ] {
        let [entry, other] = &zone["keys"].as_array().unwrap()[..] else {
            panic!("{zone}")
        };
        assert_eq!(entry["committedBy"], committer);
        assert_eq!(other["committedBy"], json!(null));
        let [own, below] = &zone["signatures"].as_array().unwrap()[..] else {
            panic!("{zone}")
        };
        assert_eq!(
            (&own["keyTag"], &own["covers"]),
            (&entry["keyTag"], &json!("DNSKEY"))
        );
        assert_eq!(
            (&below["keyTag"], &below["owner"]),
            (&other["keyTag"], &json!(signed))
        );
        assert_eq!(below["valid"], json!({"from": FROM, "until": UNTIL}));
    }
    let text = WORKSHOP.run(inspect).exits(0);
    let drawn = text.text();
    assert!(drawn.contains("└▶ example.com."), "{drawn}");
    assert_eq!(drawn.matches("◀ DS").count(), 2);
    assert_eq!(drawn.matches("◀ trust anchor").count(), 1);
    assert!(
        drawn.contains("2025-11-21 11:00 – 2025-11-27 12:00"),
        "{drawn}"
    );
}

#[test]
fn says_when_the_keys_of_a_zone_are_not_in_the_chain() {
    let scratch = Scratch::new();
    let mut responses = WORKSHOP.world.responses("_veraid.example.com.", TXT);
    responses.remove("com.", DNSKEY);
    std::fs::write(scratch.file("chain"), responses.to_der()).unwrap();
    let run = WORKSHOP
        .run(&format!("dnssec inspect {}", scratch.file("chain")))
        .exits(0);
    assert!(
        run.text().contains("its keys are not in the chain"),
        "{}",
        run.text()
    );
}

/// Statuses, names and values as others' scripts read them.
#[test]
fn tells_what_is_absent_and_where_aliases_lead() {
    let scratch = Scratch::new();
    let world = World::builder()
        .at(NOON_SECONDS)
        .zone(".", Algorithm::Ed25519)
        .zone("example.", Algorithm::Ed25519)
        .with_zone(ZoneSpec::new("unsigned.", Algorithm::Ed25519).insecure())
        .txt("target.example.", "hello")
        .txt("*.wild.example.", "hello")
        .record(Record::of_name("alias.example.", CNAME, "target.example."))
        .record(Record::of_name("dead.example.", CNAME, "nowhere.example."))
        .txt("x.unsigned.", "hello")
        .build();
    std::fs::write(scratch.file("anchors"), world.anchors()).unwrap();
    let validity = json!([{"from": FROM, "until": UNTIL}]);
    for (name, record_type, status, document) in [
        (
            "alias.example.",
            "TXT",
            0,
            json!({"status": "proven", "name": "alias.example.", "type": "TXT", "canonicalName": "target.example.",
                "records": ["\"hello\""], "validity": validity}),
        ),
        (
            "a.wild.example.",
            "TXT",
            0,
            json!({"status": "proven", "name": "a.wild.example.", "type": "TXT", "records": ["\"hello\""],
                "validity": validity}),
        ),
        (
            "nowhere.example.",
            "TXT",
            1,
            json!({"status": "absent", "denial": "nxdomain", "validity": validity}),
        ),
        (
            "target.example.",
            "A",
            1,
            json!({"status": "absent", "denial": "nodata", "validity": validity}),
        ),
        (
            "dead.example.",
            "TXT",
            1,
            json!({"status": "absent", "denial": "nxdomain", "canonicalName": "nowhere.example.",
                "validity": validity}),
        ),
        (
            "unsigned.",
            "DS",
            1,
            json!({"status": "absent", "denial": "nodata", "validity": validity}),
        ),
        (
            "x.unsigned.",
            "TXT",
            1,
            json!({"status": "insecure", "zone": "unsigned.",
                "error": "unsigned. is insecure: the parent zone proves that there is no DS record"}),
        ),
    ] {
        let number = record_type.parse::<dnssec::RecordType>().unwrap().0;
        std::fs::write(scratch.file("chain"), chain_der(&world.chain(name, number))).unwrap();
        let line = format!(
            "dnssec verify --name {name} --type {record_type} --chain {} --trust-anchors {} --at {NOON}",
            scratch.file("chain"),
            scratch.file("anchors")
        );
        let run = WORKSHOP.run(&format!("{line} --json")).exits(status);
        assert_eq!(run.json(), document, "{name} {record_type}");
        let text = WORKSHOP.run(&line).exits(status);
        if document["status"] == "insecure" {
            text.explains("insecure: ");
        } else {
            let first = format!("{}\n", document["status"].as_str().unwrap());
            assert!(text.text().starts_with(&first), "{}", text.text());
        }
    }
}

#[test]
fn shows_the_signature_that_has_expired() {
    let scratch = Scratch::new();
    let mut responses = WORKSHOP.world.responses("_veraid.example.com.", TXT);
    let expired = WORKSHOP.world.signing("com.", KeyRole::Ksk).expired();
    responses.of("com.", DNSKEY).sign(&expired);
    std::fs::write(scratch.file("chain"), responses.to_der()).unwrap();
    let document = WORKSHOP
        .run(&format!(
            "dnssec inspect --at {NOON} --json {}",
            scratch.file("chain")
        ))
        .exits(0)
        .json();
    let parts = document["timeline"]["parts"].as_array().unwrap();
    let missed: Vec<&str> = parts
        .iter()
        .filter(|part| part["holdsAt"] == false)
        .map(|part| part["part"].as_str().unwrap())
        .collect();
    assert_eq!(missed, ["com. DNSKEY"]);
    WORKSHOP
        .run("dnssec inspect report")
        .exits(1)
        .explains("malformed: ");
}
