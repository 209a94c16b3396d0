//! `kliento serve` as the webhook that a Kubernetes API server asks about tokens.

use serde_json::{Value, json};

use crate::server::{Answer, Server, serve};
use crate::serving::{
    ALICE, BOT, MALLORY, expired_bundle, forged_bundle, organisation_value, send, start, value,
};
use crate::support::Scratch;

const CLUSTER: &str = "https://kubernetes.example.com";
const OTHER: &str = "https://other.example.com";
const CONFIGURATION: &str = r#"
[kubernetes]
audiences = ["https://kubernetes.example.com", "https://other.example.com"]
organisations = ["example.com"]
groups-claim = "groups"
extra-claims = ["team"]
"#;
const V1: &str = "authentication.k8s.io/v1";
const V1BETA1: &str = "authentication.k8s.io/v1beta1";

fn post(server: &Server, body: &[u8]) -> Answer {
    let start = "POST /kubernetes/token-review?timeout=10s";
    send(server, start, "Content-Type: application/json\r\n", body)
}

fn review(version: &str, authorization: &str, audiences: &[&str]) -> Value {
    let token = authorization.trim_start_matches("Kliento ");
    json!({
        "apiVersion": version,
        "kind": "TokenReview",
        "metadata": {"creationTimestamp": null},
        "spec": {"token": token, "audiences": audiences},
        "status": {"user": {}},
    })
}

#[track_caller]
fn ask(server: &Server, review: &Value) -> Value {
    let answer = post(server, review.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.field("content-type"), Some("application/json"));
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(document["apiVersion"], review["apiVersion"]);
    assert_eq!(document["kind"], "TokenReview");
    assert!(document.get("spec").is_none(), "the token is not repeated");
    document["status"].clone()
}

#[track_caller]
fn refuses(server: &Server, review: &Value, reason: &str) {
    assert_eq!(
        ask(server, review),
        json!({"authenticated": false, "error": reason})
    );
}

#[test]
fn tells_who_it_is_in_the_version_that_was_asked_in() {
    let scratch = Scratch::new();
    let server = start(&scratch, CONFIGURATION);
    let claims = [("groups", "admins"), ("team", "a")];
    let alice = value(&ALICE, CLUSTER, &claims);
    for version in [V1, V1BETA1] {
        assert_eq!(
            ask(&server, &review(version, &alice, &[])),
            json!({
                "authenticated": true,
                "audiences": [CLUSTER],
                "user": {
                    "username": "kliento:alice@example.com",
                    "uid": "alice@example.com",
                    "groups": ["kliento:authenticated", "kliento:organisation:example.com"],
                    "extra": {
                        "kliento.veraid.net/claim-team": ["a"],
                        "kliento.veraid.net/organisation": ["example.com"],
                        "kliento.veraid.net/signed-by": ["member"],
                        "kliento.veraid.net/user": ["alice"],
                    },
                },
            })
        );
    }
    let bot = ask(&server, &review(V1, &value(&BOT, CLUSTER, &[]), &[]));
    assert_eq!(bot["user"]["username"], "kliento:example.com");
    assert!(
        bot["user"]["extra"]
            .get("kliento.veraid.net/user")
            .is_none()
    );
}

#[test]
fn groups_are_the_organisations_to_give() {
    let scratch = Scratch::new();
    let server = start(&scratch, CONFIGURATION);
    let claims = [("groups", "admins, system:masters")];
    let token = organisation_value(&ALICE, CLUSTER, &claims, "alice");
    assert_eq!(
        ask(&server, &review(V1, &token, &[]))["user"]["groups"],
        json!([
            "kliento:authenticated",
            "kliento:organisation:example.com",
            "kliento:group:example.com:admins",
            "kliento:group:example.com:system:masters",
        ])
    );
}

#[test]
fn honours_the_audiences_of_the_api_server_and_its_own() {
    let scratch = Scratch::new();
    let server = start(&scratch, CONFIGURATION);
    for (token, asked, expected) in [
        (CLUSTER, &[][..], Some(CLUSTER)),
        (OTHER, &[], Some(OTHER)),
        (OTHER, &[OTHER], Some(OTHER)),
        (OTHER, &["https://x.example", OTHER], Some(OTHER)),
        (OTHER, &[CLUSTER], None),
        (CLUSTER, &["https://x.example"], None),
        ("https://x.example", &[], None),
        ("https://x.example", &["https://x.example"], None),
        (CLUSTER, &["https://Kubernetes.example.com"], None),
    ] {
        let review = review(V1, &value(&ALICE, token, &[]), asked);
        for _ in 0..2 {
            match expected {
                Some(audience) => assert_eq!(ask(&server, &review)["audiences"], json!([audience])),
                None => refuses(&server, &review, "kliento.audience_mismatch"),
            }
        }
    }
}

#[test]
fn a_token_that_is_no_good_is_a_verdict_with_a_reason() {
    let scratch = Scratch::new();
    let server = start(&scratch, CONFIGURATION);
    let good = value(&ALICE, CLUSTER, &[]);
    let encoded = |bundle: &[u8]| kliento::header::encode(bundle);
    for (token, reason) in [
        (String::new(), "kliento.malformed_header"),
        ("x".to_owned(), "kliento.malformed_header"),
        (
            "eyJhbGciOiJSUzI1NiJ9.e30.AA".to_owned(),
            "kliento.malformed_header",
        ),
        ("MAA=".to_owned(), "veraid.malformed_bundle"),
        (format!("{good} "), "kliento.malformed_header"),
        (format!("Bearer {good}"), "kliento.malformed_header"),
        (
            encoded(&expired_bundle(CLUSTER)),
            "veraid.signature_expired",
        ),
        (
            encoded(&forged_bundle(CLUSTER)),
            "dnssec.dnskey_not_committed",
        ),
        (value(&MALLORY, CLUSTER, &[]), "kliento.subject_not_allowed"),
    ] {
        refuses(&server, &review(V1, &token, &[]), reason);
    }
}

#[test]
fn refuses_what_is_no_review() {
    let scratch = Scratch::new();
    let server = start(&scratch, CONFIGURATION);
    let good = value(&ALICE, CLUSTER, &[]);
    let mut other_kind = review(V1, &good, &[]);
    other_kind["kind"] = json!("SubjectAccessReview");
    for body in [
        String::new(),
        "{}".to_owned(),
        "[".to_owned(),
        review("authentication.k8s.io/v2", &good, &[]).to_string(),
        review("", &good, &[]).to_string(),
        other_kind.to_string(),
        json!({"apiVersion": V1, "kind": "TokenReview"}).to_string(),
    ] {
        post(&server, body.as_bytes()).refuses(400, "serve.malformed_review");
    }
    let body = review(V1, &good, &[]).to_string();
    let path = "/kubernetes/token-review";
    let fields = "Content-Type: application/vnd.kubernetes.protobuf\r\n";
    send(&server, &format!("POST {path}"), fields, body.as_bytes())
        .refuses(415, "serve.media_type");
    send(&server, &format!("GET {path}"), "", b"").refuses(405, "serve.method");
    let answer = post(&server, &vec![b' '; 70_000]);
    answer.refuses(413, "serve.body_too_large");
    // The parser would quote what it found.
    let secret = "xSECRETx";
    post(
        &server,
        format!("{{\"apiVersion\":1,\"{secret}\"").as_bytes(),
    );
    let run = server.stop();
    assert!(!run.stderr.contains(secret), "{}", run.stderr);
    assert!(!run.stderr.contains(&good[10..50]), "{}", run.stderr);
}

#[test]
fn is_not_there_unless_it_is_configured() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    let review = review(V1, &value(&ALICE, CLUSTER, &[]), &[]);
    post(&server, review.to_string().as_bytes()).refuses(404, "serve.not_found");
}

#[test]
fn a_configuration_that_would_let_anybody_be_anybody_is_refused() {
    let scratch = Scratch::new();
    let whole = "audiences = [\"a\"]\norganisations = [\"example.com\"]\n";
    for (section, complaint) in [
        (
            "audiences = [\"a\"]\n",
            "neither organisations nor subjects",
        ),
        (
            "audiences = []\norganisations = [\"example.com\"]\n",
            "no audiences",
        ),
        ("organisations = [\"example.com\"]\n", "audiences"),
        (&format!("{whole}username-prefix = \"\"\n"), "prefix"),
        (&format!("{whole}group-prefix = \"\"\n"), "prefix"),
        (&format!("{whole}group-prefix = \"system:\"\n"), "prefix"),
        (&format!("{whole}group-prefix = \"sys\"\n"), "prefix"),
        (
            &format!("{whole}username-prefix = \"system:node:\"\n"),
            "prefix",
        ),
        (
            &format!("{whole}extra-claims = [\"Team/x\"]\n"),
            "extra-claims",
        ),
        (&format!("{whole}groups = \"x\"\n"), "groups"),
    ] {
        let file = scratch.file("bad.toml");
        std::fs::write(&file, format!("[kubernetes]\n{section}")).unwrap();
        serve(scratch.path(), &["--config", &file, "--check"])
            .exits(2)
            .explains(complaint);
    }
}
