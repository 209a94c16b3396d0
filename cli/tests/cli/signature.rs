//! `kliento signature`.

use serde_json::json;

use crate::support::{LATER, MEMBER, NOON, ORGANISATION, Run, SERVICE, SOON, Scratch, WORKSHOP};

fn create(options: &str, out: &str) -> Run {
    WORKSHOP.run(&format!(
        "signature create --service {SERVICE} --plaintext report --trust-anchors anchors --not-before {NOON} \
         {options} --out {out}"
    ))
}

fn verify(options: &str, bundle: &str) -> Run {
    WORKSHOP.run(&format!(
        "signature verify --trust-anchors anchors {options} {bundle}"
    ))
}

#[test]
fn signs_a_file_and_says_who_did() {
    let scratch = Scratch::new();
    let out = scratch.file("sig");
    create(MEMBER, &out).exits(0);
    let document = verify(
        &format!("--service {SERVICE} --plaintext report --at {SOON} --json"),
        &out,
    )
    .exits(0)
    .json();
    assert_eq!(
        document,
        json!({
            "status": "valid",
            "subjectId": "alice@example.com",
            "subject": "alice@example.com",
            "service": SERVICE,
            "organisation": "example.com",
            "organisationUnicode": "example.com",
            "user": "alice",
            "signedBy": "member",
            "dialect": "veraid",
            "keyAlgorithm": "rsa-2048",
            "validFrom": NOON,
            "validUntil": "2025-11-21T12:10:00Z",
        })
    );
    let text = verify(
        &format!("--service {SERVICE} --plaintext report --at {SOON}"),
        &out,
    )
    .exits(0);
    assert!(text.text().starts_with("valid\n"));
    assert_eq!(scratch.names(), ["sig"]);
}

#[test]
fn puts_the_content_in_if_told_so() {
    let scratch = Scratch::new();
    let out = scratch.file("sig");
    let document = create(&format!("{ORGANISATION} --bot --attach --json"), &out)
        .exits(0)
        .json();
    assert_eq!(document["attached"], true);
    let document = verify(&format!("--service {SERVICE} --at {SOON} --json"), &out)
        .exits(0)
        .json();
    assert_eq!(document["user"], serde_json::Value::Null);
    assert_eq!(document["signedBy"], "organisation");
}

#[test]
fn verifies_over_a_period() {
    let scratch = Scratch::new();
    let out = scratch.file("sig");
    create(&format!("{MEMBER} --attach"), &out).exits(0);
    let period = |from: &str, until: &str| {
        verify(
            &format!("--service {SERVICE} --from {from} --until {until}"),
            &out,
        )
    };
    period("2025-11-21T12:10:00Z", "2025-11-21T12:30:00Z").exits(0);
    period(LATER, "2025-11-21T12:30:00Z")
        .exits(1)
        .explains("veraid.signature_expired");
    period(LATER, NOON).exits(2).explains("before");
    verify(&format!("--service {SERVICE} --from {NOON}"), &out).exits(2);
    verify(
        &format!("--service {SERVICE} --at {NOON} --from {NOON} --until {SOON}"),
        &out,
    )
    .exits(2);
}

#[test]
fn refuses_other_content_and_other_services() {
    let scratch = Scratch::new();
    let out = scratch.file("sig");
    create(MEMBER, &out).exits(0);
    for (options, reason) in [
        (
            format!("--service {SERVICE} --plaintext org.pem"),
            "cms.digest_mismatch",
        ),
        (
            "--service kliento --plaintext report".to_owned(),
            "veraid.service_mismatch",
        ),
    ] {
        let document = verify(&format!("{options} --at {SOON} --json"), &out)
            .exits(1)
            .json();
        assert_eq!(document["status"], "invalid");
        assert_eq!(document["reason"], reason);
    }
    let bundle = std::fs::read(&out).unwrap();
    std::fs::write(&out, &bundle[..100]).unwrap();
    let document = verify(
        &format!("--service {SERVICE} --plaintext report --json"),
        &out,
    )
    .exits(1)
    .json();
    assert_eq!(document["status"], "malformed");
}

#[test]
fn content_goes_with_a_detached_signature_and_no_other() {
    let scratch = Scratch::new();
    let (detached, attached) = (scratch.file("detached"), scratch.file("attached"));
    create(MEMBER, &detached).exits(0);
    create(&format!("{MEMBER} --attach"), &attached).exits(0);
    for (options, bundle, reason) in [
        ("", &detached, "cms.missing_content"),
        ("--plaintext report", &attached, "cms.unexpected_content"),
    ] {
        let options = format!("--service {SERVICE} --at {SOON} {options}");
        let run = verify(&options, bundle).exits(1);
        run.explains("invalid: ")
            .explains(reason)
            .explains("--plaintext")
            .hints();
        let document = verify(&format!("{options} --json"), bundle).exits(1).json();
        assert_eq!(document["status"], "invalid");
        assert_eq!(document["reason"], reason);
    }
}
