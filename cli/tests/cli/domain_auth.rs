//! DomainAuth by command line: its records, delegates, experimental keys, and what is refused.

use std::fs;

use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use serde_json::Value;

use crate::support::{AUDIENCE, NOON, NOON_SECONDS, Run, SERVICE, SOON, Scratch, WORKSHOP, run_in};

/// Everything is made at midnight and verified at noon.
const MADE: &str = "--not-before 2025-11-21T00:00:00Z";

/// A domain of DomainAuth in files: the organisation's key, certificate and chain.
struct Office {
    scratch: Scratch,
}

impl Office {
    /// An organisation that may have one intermediate between it and its members.
    fn new(algorithm: &str) -> Self {
        Self::of("example.com", algorithm)
    }

    fn of(domain: &str, algorithm: &str) -> Self {
        let office = Self {
            scratch: Scratch::new(),
        };
        office.key("org", algorithm);
        let record = office
            .run(&format!(
                "organisation record --domain {domain} --key org.key.pem --dialect domainauth --json"
            ))
            .exits(0)
            .json();
        let owner = format!("_domainauth.{domain}.");
        assert_eq!(record["name"], owner.as_str());
        let text = record["rdata"].as_str().unwrap().trim_matches('"');
        let world = World::builder()
            .at(NOON_SECONDS)
            .zone(".", Algorithm::EcdsaP256Sha256)
            .zone("com.", Algorithm::Ed25519)
            .zone(format!("{domain}.").as_str(), Algorithm::EcdsaP256Sha256)
            .txt(owner.as_str(), text)
            .build();
        office.write("anchors", world.anchors().as_bytes());
        office.write("chain", &chain_der(&world.chain(owner.as_str(), TXT)));
        office.write("report", b"All is well.\n");
        office
            .run(&format!(
                "organisation certificate --domain {domain} --key org.key.pem --dialect domainauth --path-length 1 \
                 --valid-for 90d {MADE} --out org.pem"
            ))
            .exits(0);
        office
    }

    fn write(&self, name: &str, octets: &[u8]) {
        fs::write(self.scratch.file(name), octets).unwrap();
    }

    fn run(&self, line: &str) -> Run {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        run_in(self.scratch.path(), &arguments, b"")
    }

    /// Makes a pair of keys.
    fn key(&self, name: &str, algorithm: &str) {
        self.run(&format!(
            "key generate --algorithm {algorithm} --out {name}.key.pem"
        ))
        .exits(0);
        self.run(&format!(
            "key public --key {name}.key.pem --out {name}.pub.pem"
        ))
        .exits(0);
    }

    /// Makes a delegate's keys and certificate, issued by the organisation.
    fn delegate(&self, name: &str, algorithm: &str, more: &str) {
        self.key(name, algorithm);
        self.run(&format!(
            "organisation delegate --label {name} --public-key {name}.pub.pem \
             --organisation-certificate org.pem {BY_ORGANISATION} {MADE} {more} --out {name}.pem"
        ))
        .exits(0);
    }

    fn certify(&self, name: &str, issuer: &str, more: &str) -> Run {
        self.run(&format!(
            "member certify --name {name} --public-key {name}.pub.pem --organisation-certificate org.pem {issuer} \
             --dnssec-chain chain --trust-anchors anchors {MADE} --at {NOON} {more} --out {name}.member-id"
        ))
    }

    /// Issues a token at noon for ten minutes.
    fn issue(&self, signer: &str, out: &str) -> Run {
        self.run(&format!(
            "token issue --audience {AUDIENCE} {signer} --trust-anchors anchors --not-before {NOON} --out {out}"
        ))
    }

    fn verify(&self, token: &str, more: &str) -> Run {
        self.run(&format!(
            "token verify --audience {AUDIENCE} --trust-anchors anchors --at {SOON} {more} {token}"
        ))
    }
}

const BY_ORGANISATION: &str = "--organisation-key org.key.pem";
const BY_STAFF: &str = "--intermediate staff.pem --intermediate-key staff.key.pem";
const ALICE: &str = "--member-id-bundle alice.member-id --key alice.key.pem";
const GATEWAY: &str = "--organisation-certificate org.pem --dnssec-chain chain --intermediate gateway.pem \
                       --key gateway.key.pem";

#[track_caller]
fn refused(run: Run, reason: &str) -> Run {
    let run = run.exits(1);
    run.explains(&format!("reason: {reason}")).hints();
    run
}

#[test]
fn an_organisation_delegates_to_one_who_certifies_and_one_who_signs() {
    let office = Office::new("rsa-2048");
    office.delegate("staff", "ecdsa-p256", "");
    office.delegate("gateway", "ed25519", "");
    office.key("alice", "rsa-2048");

    let certified = office
        .certify("alice", BY_STAFF, "--allow-algorithm ecdsa-p256 --json")
        .exits(0)
        .json();
    assert_eq!(certified["member"], "alice@example.com");
    assert_eq!(certified["dialect"], "domainauth");

    let allow = "--allow-algorithm ecdsa-p256 --allow-algorithm ed25519";
    office
        .issue(&format!("{ALICE} {allow}"), "alice.token")
        .exits(0);
    let verified = office.verify("alice.token", &format!("{allow} --json"));
    let verified = verified.exits(0).json();
    assert_eq!(verified["subject"], "alice@example.com");
    assert_eq!(verified["dialect"], "domainauth");
    assert_eq!(verified["keyAlgorithm"], "rsa-2048");
    assert_eq!(verified["signedBy"], "member");
    assert_eq!(verified["delegated"], Value::Null);

    office
        .issue(
            &format!("{GATEWAY} --on-behalf-of carol {allow}"),
            "carol.token",
        )
        .exits(0);
    let verified = office.verify("carol.token", &format!("{allow} --json"));
    let verified = verified.exits(0).json();
    assert_eq!(verified["subject"], "carol@example.com");
    assert_eq!(verified["keyAlgorithm"], "ed25519");
    assert_eq!(verified["signedBy"], "organisation");
    assert_eq!(verified["delegated"], true);
    let run = office.verify("carol.token", allow).exits(0);
    assert!(run.text().contains("a delegate of the organisation"));

    let bot = format!("{GATEWAY} --bot {allow}");
    office.issue(&bot, "bot.token").exits(0);
    let verified = office.verify("bot.token", &format!("{allow} --json"));
    assert_eq!(verified.exits(0).json()["subject"], "example.com");
}

#[test]
fn signatures_for_any_service_go_by_delegates_and_intermediates_too() {
    let office = Office::new("rsa-2048");
    office.delegate("gateway", "rsa-3072", "");
    for (content, given) in [("--attach", ""), ("", "--plaintext report")] {
        office
            .run(&format!(
                "signature create --service {SERVICE} --plaintext report {content} {GATEWAY} --bot --valid-for 1d \
                 --trust-anchors anchors --not-before {NOON} --out report.sig"
            ))
            .exits(0);
        let verified = office
            .run(&format!(
                "signature verify --service {SERVICE} {given} --trust-anchors anchors --at {SOON} --json report.sig"
            ))
            .exits(0)
            .json();
        assert_eq!(verified["delegated"], true);
        assert_eq!(verified["dialect"], "domainauth");
        assert_eq!(verified["keyAlgorithm"], "rsa-3072");
    }
}

#[test]
fn nothing_is_made_for_or_asked_about_more_than_90_days() {
    let office = Office::new("rsa-2048");
    let sign = |length: &str| {
        office.run(&format!(
            "signature create --service {SERVICE} --plaintext report --organisation-certificate org.pem \
             --dnssec-chain chain --key org.key.pem --bot --valid-for {length} --trust-anchors anchors \
             --not-before {NOON} --out report.sig"
        ))
    };
    let run = sign("91d").exits(2);
    run.explains("veraid.signature_valid_too_long").hints();
    sign("89d").exits(0);
    let verify = |from: &str| {
        office.run(&format!(
            "signature verify --service {SERVICE} --plaintext report --trust-anchors anchors \
             --from {from} --until {SOON} report.sig"
        ))
    };
    verify("2025-08-24T00:00:00Z").exits(0);
    let run = verify("2025-08-22T00:00:00Z").exits(2);
    run.explains("veraid.verification_too_long").hints();
}

#[test]
fn a_delegate_is_called_by_a_label_or_by_a_members_name() {
    let office = Office::new("rsa-2048");
    office.key("staff", "rsa-2048");
    let long = "x".repeat(65);
    for (name, about) in [
        (String::new(), "--label"),
        (
            "--label staff --name alice".to_owned(),
            "cannot be used with",
        ),
        (format!("--label {long}"), "1 to 64 characters"),
        ("--name Alice".to_owned(), "give --name alice"),
        ("--name a@b".to_owned(), "'a@b'"),
    ] {
        office
            .run(&format!(
                "organisation delegate {name} --public-key staff.pub.pem --organisation-certificate org.pem \
                 {BY_ORGANISATION} {MADE} --out staff.pem"
            ))
            .exits(2)
            .explains(about);
    }
}

#[test]
fn experimental_keys_are_taken_by_those_who_opt_in_by_name() {
    let office = Office::new("rsa-2048");
    office.key("alice", "ed25519");
    let reason = "veraid.algorithm_not_allowed";
    let hint = "--allow-algorithm ed25519";
    refused(office.certify("alice", BY_ORGANISATION, ""), reason).explains(hint);
    office.certify("alice", BY_ORGANISATION, hint).exits(0);
    refused(office.issue(ALICE, "alice.token"), reason).explains(hint);
    office
        .issue(&format!("{ALICE} {hint}"), "alice.token")
        .exits(0);

    refused(office.verify("alice.token", ""), reason).explains(hint);
    let others =
        "--allow-algorithm ml-dsa-65 --allow-algorithm ecdsa-p256 --allow-algorithm rsa-2048";
    refused(office.verify("alice.token", others), reason);
    for allow in [hint, "--allow-algorithm all"] {
        office.verify("alice.token", allow).exits(0);
        office
            .verify("alice.token", &format!("{others} {allow}"))
            .exits(0);
    }
    let document = office.verify("alice.token", "--json").exits(1).json();
    assert_eq!(document["status"], "invalid");
    assert_eq!(document["reason"], reason);
    office
        .verify("alice.token", "--allow-algorithm ed448")
        .exits(2)
        .explains("ml-dsa-65");
}

#[test]
fn keys_of_all_algorithms_go_together() {
    for (organisation, member) in [
        ("rsa-2048", "ml-dsa-44"),
        ("ed25519", "rsa-2048"),
        ("ecdsa-p256", "ecdsa-p384"),
        ("ecdsa-p384", "ml-dsa-65"),
        ("ml-dsa-44", "ecdsa-p256"),
        ("ml-dsa-65", "ed25519"),
        ("ml-dsa-87", "ml-dsa-87"),
    ] {
        let office = Office::new(organisation);
        office.key("alice", member);
        let allow = format!("--allow-algorithm {organisation} --allow-algorithm {member}");
        office.certify("alice", BY_ORGANISATION, &allow).exits(0);
        // ML-DSA-87 is too large for a token, and not for a signature.
        office
            .run(&format!(
                "signature create --service {SERVICE} --plaintext report {ALICE} {allow} \
                 --trust-anchors anchors --not-before {NOON} --out report.sig"
            ))
            .exits(0);
        let verified = office
            .run(&format!(
                "signature verify --service {SERVICE} --plaintext report {allow} --trust-anchors anchors \
                 --at {SOON} --json report.sig"
            ))
            .exits(0)
            .json();
        assert_eq!(verified["keyAlgorithm"], member, "{organisation}");
        refused(
            office.run(&format!(
                "signature verify --service {SERVICE} --plaintext report --trust-anchors anchors --at {SOON} report.sig"
            )),
            "veraid.algorithm_not_allowed",
        );
    }
}

#[test]
fn an_ml_dsa_65_organisation_token_fits() {
    let office = Office::new("ml-dsa-65");
    let allow = "--allow-algorithm ml-dsa-65";
    let signer = "--organisation-certificate org.pem --dnssec-chain chain --key org.key.pem --bot";
    office
        .issue(&format!("{signer} {allow}"), "org.token")
        .exits(0);
    office.verify("org.token", allow).exits(0);
}

#[test]
fn what_is_too_large_for_a_token_says_so() {
    let office = Office::new("ml-dsa-87");
    office.key("alice", "ml-dsa-87");
    let allow = "--allow-algorithm ml-dsa-87";
    office.certify("alice", BY_ORGANISATION, allow).exits(0);
    let run = office.issue(&format!("{ALICE} {allow}"), "alice.token");
    refused(run, "kliento.bundle_too_large").explains("ML-DSA");
}

#[test]
fn a_verifier_can_take_one_dialect_alone() {
    let office = Office::new("rsa-2048");
    office.key("alice", "rsa-2048");
    office.certify("alice", BY_ORGANISATION, "").exits(0);
    office.issue(ALICE, "alice.token").exits(0);
    office.verify("alice.token", "").exits(0);
    office
        .verify("alice.token", "--dialect domainauth")
        .exits(0);
    let reason = "veraid.dialect_not_accepted";
    refused(office.verify("alice.token", "--dialect veraid"), reason)
        .explains("--dialect domainauth");
    WORKSHOP.verify("alice.token", "--dialect veraid").exits(0);
    refused(
        WORKSHOP.verify("alice.token", "--dialect domainauth"),
        reason,
    )
    .explains("--dialect veraid");
    office.verify("alice.token", "--dialect both").exits(2);
}

#[test]
fn an_intermediate_certifies_members_as_far_as_path_lengths_go() {
    let office = Office::new("rsa-2048");
    office.delegate("staff", "rsa-2048", "");
    office.key("alice", "rsa-2048");
    office.certify("alice", BY_STAFF, "").exits(0);
    // An organisation that foresaw no intermediates: there may be those who sign, and none who certify.
    office
        .run(&format!(
            "organisation certificate --domain example.com --key org.key.pem --dialect domainauth --valid-for 90d \
             {MADE} --out org.pem"
        ))
        .exits(0);
    office.delegate("gateway", "rsa-2048", "");
    office
        .issue(&format!("{GATEWAY} --bot"), "bot.token")
        .exits(0);
    office.verify("bot.token", "").exits(0);
    let reason = "x509.path_length_exceeded";
    refused(office.certify("alice", BY_STAFF, ""), reason).explains("--path-length");
    office.key("third", "rsa-2048");
    let run = office
        .run(&format!(
            "organisation delegate --label third --public-key third.pub.pem --organisation-certificate org.pem \
             {BY_ORGANISATION} --path-length 1 {MADE} --out third.pem"
        ))
        .exits(2);
    run.explains(reason).hints();
}

#[test]
fn intermediates_delegate_in_turn() {
    let office = Office::new("rsa-2048");
    office
        .run(&format!(
            "organisation certificate --domain example.com --key org.key.pem --dialect domainauth --valid-for 60d \
             --path-length 2 {MADE} --out org.pem"
        ))
        .exits(0);
    office.delegate("staff", "rsa-2048", "--path-length 1");
    for name in ["paris", "alice"] {
        office.key(name, "rsa-2048");
    }
    let document = office
        .run(&format!(
            "organisation delegate --name paris --public-key paris.pub.pem --organisation-certificate org.pem \
             {BY_STAFF} --valid-for 1d {MADE} --out paris.pem --json"
        ))
        .exits(0)
        .json();
    assert_eq!(document["organisation"], "example.com");
    assert_eq!(document["user"], "paris");
    assert_eq!(document["label"], Value::Null);
    assert_eq!(document["pathLength"], 0);
    assert_eq!(document["validUntil"], "2025-11-22T00:00:00Z");
    let by_paris =
        "--intermediate staff.pem --intermediate paris.pem --intermediate-key paris.key.pem";
    office
        .certify("alice", by_paris, "--valid-for 18h")
        .exits(0);
    office.issue(ALICE, "alice.token").exits(0);
    let inspected = office
        .run(&format!("token inspect --at {SOON} --json alice.token"))
        .exits(0)
        .json();
    assert_eq!(inspected["dialect"], "domainauth");
    let intermediates = inspected["intermediateCertificates"].as_array().unwrap();
    assert_eq!(intermediates.len(), 2);
    let inspected = office
        .run(&format!(
            "member inspect --at {NOON} --json alice.member-id"
        ))
        .exits(0)
        .json();
    assert_eq!(inspected["member"], "alice@example.com");
    let intermediates = inspected["intermediateCertificates"].as_array().unwrap();
    assert_eq!(intermediates.len(), 2);
    assert!(intermediates.iter().any(|part| part["unit"] == "staff"));
    assert!(
        intermediates
            .iter()
            .any(|part| part["commonName"] == "paris")
    );
    office.verify("alice.token", "").exits(0);
    // Not whole without the one in between.
    let by_paris = "--intermediate paris.pem --intermediate-key paris.key.pem";
    office
        .certify("alice", by_paris, "--valid-for 18h")
        .exits(1)
        .explains("x509.other_issuer");
}

#[test]
fn a_delegates_certificate_ends_with_its_issuers() {
    let office = Office::new("rsa-2048");
    office.key("gateway", "rsa-2048");
    let delegate = |more: &str| {
        office.run(&format!(
            "organisation delegate --label gateway --public-key gateway.pub.pem --organisation-certificate org.pem \
             {BY_ORGANISATION} {more} --out gateway.pem --json"
        ))
    };
    let until = |more: &str| delegate(more).exits(0).json()["validUntil"].clone();
    assert_eq!(until(MADE), "2025-12-21T00:00:00Z");
    // The organisation's certificate ends then.
    assert_eq!(
        until("--not-before 2026-02-10T00:00:00Z"),
        "2026-02-19T00:00:00Z"
    );
    for (more, about) in [
        (
            "--not-before 2026-02-10T00:00:00Z --valid-for 30d",
            "veraid.outside_issuer_period",
        ),
        (
            "--not-before 2026-03-01T00:00:00Z",
            "veraid.outside_issuer_period",
        ),
        (
            "--not-before 2025-11-21T00:00:00Z --valid-for 91d",
            "at most 90d",
        ),
    ] {
        delegate(more).exits(2).explains(about).hints();
    }
}

#[test]
fn the_issuers_key_is_the_organisations_or_the_last_intermediates() {
    let office = Office::new("rsa-2048");
    office.delegate("staff", "rsa-2048", "");
    office.key("alice", "rsa-2048");
    for (issuer, about) in [
        ("", "--organisation-key"),
        ("--intermediate staff.pem", "--intermediate-key"),
        ("--intermediate-key staff.key.pem", "--intermediate"),
        (
            "--organisation-key org.key.pem --intermediate staff.pem --intermediate-key staff.key.pem",
            "cannot be used with",
        ),
        (
            "--intermediate staff.pem --intermediate-key org.key.pem",
            "veraid.key_mismatch",
        ),
        (
            "--intermediate report --intermediate-key staff.key.pem",
            "report: ",
        ),
    ] {
        office.certify("alice", issuer, "").exits(2).explains(about);
    }
}

#[test]
fn names_are_written_in_their_one_form() {
    let office = Office::new("rsa-2048");
    office.delegate("gateway", "rsa-2048", "");
    office.key("Alice", "rsa-2048");
    let run = office.certify("Alice", BY_ORGANISATION, "").exits(2);
    run.explains("veraid.member_name");
    run.explains("hint: give --name alice");
    let run = office
        .issue(&format!("{GATEWAY} --on-behalf-of CAROL"), "token")
        .exits(2);
    run.explains("veraid.invalid_attribution");
    run.explains("--on-behalf-of carol");
}

#[test]
fn certificates_are_for_one_dialect() {
    let office = Office::new("rsa-2048");
    office.key("alice", "rsa-2048");
    office
        .run(&format!(
            "organisation certificate --domain example.com --key org.key.pem {MADE} --out org.pem"
        ))
        .exits(0);
    refused(
        office.certify("alice", BY_ORGANISATION, ""),
        "x509.invalid_common_name",
    )
    .explains("--dialect domainauth");
}

#[test]
fn veraid_has_no_delegates() {
    let scratch = Scratch::new();
    let (organisation, staff) = (scratch.file("org.pem"), scratch.file("staff.pem"));
    let delegate = |organisation: &str| {
        WORKSHOP.run(&format!(
            "organisation delegate --label staff --public-key alice.pub.pem --organisation-certificate {organisation} \
             {BY_ORGANISATION} {MADE} --valid-for 1d --out {staff}"
        ))
    };
    let run = delegate("org.pem").exits(2);
    run.explains("x509.invalid_common_name");
    run.explains("--dialect domainauth");
    assert!(scratch.names().is_empty());

    // A certificate for DomainAuth beside a chain for VeraId.
    WORKSHOP
        .run(&format!(
            "organisation certificate --domain example.com --key org.key.pem --dialect domainauth --path-length 1 \
             {MADE} --out {organisation}"
        ))
        .exits(0);
    delegate(&organisation).exits(0);
    let run = WORKSHOP
        .run(&format!(
            "token issue --audience {AUDIENCE} --organisation-certificate {organisation} --dnssec-chain chain \
             --intermediate {staff} --key alice.key.pem --bot --trust-anchors anchors --not-before {NOON} --out {}",
            scratch.file("token")
        ))
        .exits(2);
    run.explains("veraid.intermediates_outside_dialect").hints();
    assert_eq!(scratch.names(), ["org.pem", "staff.pem"]);
}

#[test]
fn inspection_shows_delegates_and_what_is_experimental() {
    let office = Office::new("rsa-2048");
    office.delegate("gateway", "ml-dsa-44", "");
    office
        .issue(
            &format!("{GATEWAY} --on-behalf-of carol --allow-algorithm ml-dsa-44"),
            "carol.token",
        )
        .exits(0);
    let line = format!("token inspect --at {SOON} carol.token --trust-anchors anchors");
    let document = office.run(&format!("{line} --json")).exits(0).json();
    assert_eq!(document["dialect"], "domainauth");
    assert_eq!(document["signature"]["attribution"], "carol");
    assert_eq!(document["memberCertificate"], Value::Null);
    assert_eq!(
        document["organisationCertificate"]["commonName"],
        "example.com."
    );
    assert_eq!(
        document["organisationCertificate"]["experimental"],
        Value::Null
    );
    let delegate = &document["delegateCertificate"];
    assert_eq!(delegate["unit"], "gateway");
    assert_eq!(delegate["errors"], Value::Null);
    assert_eq!(delegate["keyAlgorithm"], "ml-dsa-44");
    assert_eq!(delegate["experimental"], true);
    assert_eq!(delegate["certificateAuthority"], true);
    let run = office.run(&line).exits(0);
    for fact in [
        "domainauth",
        "a delegate of the organisation, for carol",
        "Delegate's certificate",
        "experimental",
        "delegate certificate",
        "gateway, a certificate authority",
    ] {
        assert!(run.text().contains(fact), "{fact}: {}", run.text());
    }
}

#[test]
fn warns_of_a_domain_that_may_pass_for_another() {
    let office = Office::of("xn--80ak6aa92e.com", "rsa-2048");
    let signer = "--organisation-certificate org.pem --dnssec-chain chain --key org.key.pem --bot";
    office.issue(signer, "org.token").exits(0);
    let run = office.verify("org.token", "--json").exits(0);
    run.explains("looks like `apple`");
    let document = run.json();
    assert_eq!(document["organisation"], "xn--80ak6aa92e.com");
    assert_eq!(document["organisationUnicode"], "аррӏе.com");
    let warnings = document["warnings"].as_array().unwrap();
    assert!(warnings[0].as_str().unwrap().contains("looks like `apple`"));
}

#[test]
fn records_are_printed_for_either_dialect_or_for_both() {
    let line = "organisation record --domain example.com --key org.key.pem";
    let one = |dialect: &str| {
        WORKSHOP
            .run(&format!("{line} --dialect {dialect}"))
            .exits(0)
    };
    let both = one("both");
    assert_eq!(
        both.text(),
        format!("{}{}", one("veraid").text(), one("domainauth").text())
    );
    let lines: Vec<&str> = both.text().lines().collect();
    assert!(lines[0].starts_with("_veraid.example.com. 3600 IN TXT \"1 "));
    assert!(lines[1].starts_with("_domainauth.example.com. 3600 IN TXT \"0 1 1 "));
    let document = WORKSHOP
        .run(&format!("{line} --dialect both --json"))
        .exits(0)
        .json();
    let records = document["records"].as_array().unwrap();
    let names: Vec<&str> = records
        .iter()
        .map(|record| record["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["_veraid.example.com.", "_domainauth.example.com."]);
}

#[test]
fn a_digest_type_is_chosen_where_there_is_a_choice() {
    let office = Office::new("ed25519");
    office.key("large", "ml-dsa-65");
    let record = |key: &str, more: &str| {
        office.run(&format!(
            "org record --domain example.com --key {key}.key.pem --dialect domainauth {more}"
        ))
    };
    for (more, start) in [
        ("", "0 240 1 "),
        ("--digest-type sha-256", "0 240 1 "),
        ("--digest-type sha-384", "0 240 2 "),
        ("--digest-type sha-512", "0 240 3 "),
        // The key itself: the start of an Ed25519 SubjectPublicKeyInfo.
        ("--digest-type none", "0 240 0 MCowBQYDK2VwAyEA"),
    ] {
        let run = record("org", more).exits(0);
        let rdata = run.text().split('"').nth(1).unwrap();
        assert!(rdata.starts_with(start), "{rdata}");
    }
    assert!(record("large", "").exits(0).text().contains("\"0 245 1 "));
    record("large", "--digest-type none").exits(2).hints();
    WORKSHOP
        .run("org record --domain example.com --key org.key.pem --digest-type sha-512")
        .exits(2)
        .hints();
}

#[test]
fn experimental_keys_are_for_domain_auth_alone() {
    let office = Office::new("ml-dsa-44");
    for (line, about) in [
        (
            "organisation record --domain example.com --key org.key.pem",
            "--dialect domainauth",
        ),
        (
            "organisation record --domain example.com --key org.key.pem --dialect both",
            "--dialect domainauth",
        ),
        (
            "organisation certificate --domain example.com --key org.key.pem --out other.pem",
            "--dialect domainauth",
        ),
        (
            "organisation certificate --domain example.com --key org.key.pem --dialect domainauth --valid-for 91d \
             --out other.pem",
            "at most 90d",
        ),
        (
            "organisation certificate --domain example.com --key org.key.pem --path-length 1 --out other.pem",
            "--dialect domainauth",
        ),
    ] {
        let run = office.run(line).exits(2);
        run.explains(about).hints();
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn key_generation_makes_all_kinds_and_says_which_are_experimental() {
    let scratch = Scratch::new();
    let help = run_in(scratch.path(), &["key", "generate", "--help"], b"").exits(0);
    for name in [
        "rsa-2048",
        "rsa-3072",
        "rsa-4096",
        "ed25519",
        "ecdsa-p256",
        "ecdsa-p384",
        "ml-dsa-44",
        "ml-dsa-65",
        "ml-dsa-87",
    ] {
        let line = help
            .text()
            .lines()
            .find(|line| line.contains(&format!("- {name}")));
        let line = line.unwrap_or_else(|| panic!("no {name}: {}", help.text()));
        let is_experimental = !name.starts_with("rsa");
        assert_eq!(line.contains("experimental"), is_experimental, "{line}");
    }
    for name in [
        "ed25519",
        "ecdsa-p256",
        "ecdsa-p384",
        "ml-dsa-44",
        "ml-dsa-65",
        "ml-dsa-87",
    ] {
        let arguments = [
            "key",
            "generate",
            "--algorithm",
            name,
            "--force",
            "--out",
            "key.pem",
            "--json",
        ];
        let document = run_in(scratch.path(), &arguments, b"").exits(0).json();
        assert_eq!(document["algorithm"], name);
        let arguments = ["key", "public", "--key", "key.pem", "--json"];
        let public = run_in(scratch.path(), &arguments, b"").exits(0).json();
        assert_eq!(public["algorithm"], name);
        assert_eq!(public["keyId"], document["keyId"]);
    }
}
