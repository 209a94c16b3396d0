//! `kliento member`.

use crate::support::{MIDNIGHT, NOON, Run, Scratch, WORKSHOP};

fn certify(arguments: &str, out: &str) -> Run {
    WORKSHOP.run(&format!(
        "member certify --organisation-certificate org.pem --organisation-key org.key.pem \
         --dnssec-chain chain {arguments} --out {out}"
    ))
}

#[test]
fn makes_member_id_bundles_of_users_and_bots() {
    let scratch = Scratch::new();
    for (who, member, user) in [
        ("--name alice", "alice@example.com", Some("alice")),
        ("--bot", "example.com", None),
    ] {
        let out = scratch.file("bundle");
        let document = certify(
            &format!(
                "{who} --public-key alice.pub.pem --trust-anchors anchors --valid-for 1d --not-before {MIDNIGHT} --at {NOON} --json"
            ),
            &out,
        )
        .exits(0)
        .json();
        assert_eq!(document["member"], member);
        assert_eq!(document["user"].as_str(), user);
        assert_eq!(document["organisation"], "example.com");
        let der = std::fs::read(&out).unwrap();
        assert_eq!(document["octets"], der.len());
        assert_eq!(der[0], 0x30);
        assert_eq!(scratch.names(), ["bundle"]);
    }
}

#[test]
fn refuses_to_build_on_a_chain_that_does_not_verify() {
    let scratch = Scratch::new();
    let out = scratch.file("bundle");
    for (arguments, reason) in [
        // Whose root is nobody's.
        (
            format!("--not-before {MIDNIGHT} --at {NOON}"),
            "dnssec.dnskey_not_committed",
        ),
        (
            format!("--trust-anchors other-anchors --not-before {MIDNIGHT} --at {NOON}"),
            "dnssec.dnskey_not_committed",
        ),
        (
            "--trust-anchors anchors --not-before 2025-12-10T00:00:00Z".to_owned(),
            "dnssec.rrsig_expired",
        ),
    ] {
        let line = format!("--name alice --public-key alice.pub.pem {arguments}");
        let run = certify(&line, &out).exits(1);
        run.explains(reason).hints();
        let document = certify(&format!("{line} --json"), &out).exits(1).json();
        assert_eq!(document["status"], "invalid");
        assert_eq!(document["reason"], reason);
    }
    assert!(scratch.names().is_empty());
}

#[test]
fn refuses_what_can_not_go_together() {
    let scratch = Scratch::new();
    let out = scratch.file("bundle");
    let fixed = format!("--trust-anchors anchors --not-before {MIDNIGHT} --at {NOON}");
    for (arguments, about) in [
        ("--public-key alice.pub.pem", "--name"),
        (
            "--name alice --bot --public-key alice.pub.pem",
            "cannot be used with",
        ),
        ("--name a@b --public-key alice.pub.pem", "'a@b'"),
        ("--name alice --public-key alice.key.pem", "alice.key.pem: "),
        ("--name alice --public-key org.pem", "org.pem: "),
        ("--name alice --public-key missing", "cannot read missing"),
        (
            "--name alice --public-key alice.pub.pem --valid-for 31d",
            "hint: choose a shorter --valid-for",
        ),
    ] {
        certify(&format!("{fixed} {arguments}"), &out)
            .exits(2)
            .explains(about);
    }
    assert!(scratch.names().is_empty());
}

#[test]
fn refuses_a_key_that_is_not_the_certificates() {
    let scratch = Scratch::new();
    let run = WORKSHOP
        .run(&format!(
            "member certify --name alice --public-key alice.pub.pem --organisation-certificate org.pem \
             --organisation-key alice.key.pem --dnssec-chain chain --trust-anchors anchors \
             --not-before {MIDNIGHT} --at {NOON} --out {}",
            scratch.file("bundle")
        ))
        .exits(2);
    run.explains("does not belong").hints();
    assert!(scratch.names().is_empty());
}

#[test]
fn inspection_shows_all_that_a_member_id_bundle_holds_and_calls_it_unverified() {
    let line = format!("member inspect --at {NOON} --trust-anchors anchors alice.member-id");
    let document = WORKSHOP.run(&format!("{line} --json")).exits(0).json();
    assert_eq!(document["verified"], false);
    assert_eq!(document["member"], "alice@example.com");
    assert_eq!(document["dialect"], "veraid");
    assert_eq!(document["octets"], WORKSHOP.read("alice.member-id").len());
    assert_eq!(document["memberCertificate"]["commonName"], "alice");
    assert_eq!(document["memberCertificate"]["certificateAuthority"], false);
    assert_eq!(
        document["organisationCertificate"]["certificateAuthority"],
        true
    );
    assert!(document["intermediateCertificates"].is_null());
    assert!(
        !document["chain"]["responses"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let run = WORKSHOP.run(&line).exits(0);
    for fact in [
        "unverified",
        "alice@example.com",
        "Member certificate",
        "member certificate",
    ] {
        assert!(run.text().contains(fact), "{fact}: {}", run.text());
    }
    WORKSHOP
        .run("member inspect alice.token")
        .exits(1)
        .explains("x509.malformed_certificate");
    WORKSHOP
        .run("token inspect alice.member-id")
        .exits(1)
        .explains("kliento member inspect");
}
