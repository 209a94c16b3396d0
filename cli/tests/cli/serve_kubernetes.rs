//! `kliento serve` as the webhook that a Kubernetes API server asks about tokens.

use kliento::testing::TrustChain;
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

/// The token without its scheme.
fn bare(authorization: &str) -> &str {
    authorization.trim_start_matches("Kliento ")
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

/// `system:masters` may do anything, and API servers take a webhook at its word.
#[test]
fn nobody_becomes_one_of_kubernetes_own() {
    let scratch = Scratch::new();
    let everything = CONFIGURATION.replace("[\"team\"]", "[\"groups\", \"username\", \"uid\"]");
    let server = start(&scratch, &everything);
    let claims = [
        ("groups", "system:masters"),
        ("username", "system:admin"),
        ("uid", "system:masters"),
        ("system:masters", "system:masters"),
    ];
    let alice = value(&ALICE, CLUSTER, &claims);
    let bot = value(&BOT, CLUSTER, &claims);
    let by_the_organisation = organisation_value(&ALICE, CLUSTER, &claims, "alice");
    let masters = organisation_value(&ALICE, CLUSTER, &claims, "system:masters");
    for token in [alice, bot, by_the_organisation, masters] {
        let status = ask(&server, &review(V1, &token, &[]));
        assert_eq!(status["authenticated"], true);
        let user = &status["user"];
        assert!(
            user["username"].as_str().unwrap().starts_with("kliento:"),
            "{user}"
        );
        // The uid is the subject, which ends in a domain.
        assert!(
            user["uid"].as_str().unwrap().ends_with("example.com"),
            "{user}"
        );
        for group in user["groups"].as_array().unwrap() {
            assert!(group.as_str().unwrap().starts_with("kliento:"), "{group}");
        }
        for key in user["extra"].as_object().unwrap().keys() {
            assert!(key.starts_with("kliento.veraid.net/"), "{key}");
        }
    }
}

#[test]
fn somebody_with_too_many_groups_is_refused() {
    let scratch = Scratch::new();
    let server = start(&scratch, CONFIGURATION);
    let token = |groups: usize| {
        let groups: Vec<String> = (0..groups).map(|number| format!("g{number}")).collect();
        organisation_value(&ALICE, CLUSTER, &[("groups", &groups.join(","))], "alice")
    };
    let status = ask(&server, &review(V1, &token(64), &[]));
    assert_eq!(status["user"]["groups"].as_array().unwrap().len(), 66);
    for _ in 0..2 {
        refuses(
            &server,
            &review(V1, &token(65), &[]),
            "kubernetes.too_many_groups",
        );
    }
    let repeated = "a,a,".repeat(1_400);
    let token = organisation_value(&ALICE, CLUSTER, &[("groups", &repeated)], "alice");
    let status = ask(&server, &review(V1, &token, &[]));
    assert_eq!(status["user"]["groups"].as_array().unwrap().len(), 3);
}

/// What a server that keeps answers for clients that take none has to have room for.
#[test]
fn no_answer_is_larger_than_32_kib() {
    const MOST: usize = 32_768;
    // A domain with room for `_veraid.` in front of it.
    let domain = format!(
        "{}.{}.{}.{}.example",
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(43)
    );
    let chain = TrustChain::new(&domain, "alice");
    let scratch = Scratch::new();
    let configuration = format!(
        "trust-anchors = \"large\"\n[kubernetes]\naudiences = [{CLUSTER:?}]\norganisations = [{domain:?}]\n\
         groups-claim = \"groups\"\nextra-claims = [\"groups\", \"team\"]\n"
    );
    std::fs::write(scratch.file("large"), chain.trust_anchor_lines()).unwrap();
    let server = Server::configured(&scratch, &configuration);
    let (mut told, mut refused) = (0, 0);
    // As many groups as there may be, longer and longer, with what JSON writes longer than it is; up to all that fits into
    // a bundle.
    for length in [1, 20, 40, 50, 56, 60, 62] {
        for filling in ["x", "\""] {
            let groups: Vec<String> = (0..64)
                .map(|number| format!("{number:03}{}", filling.repeat(length)))
                .collect();
            let claims = [("groups", groups.join(",")), ("team", "y".to_owned())];
            let claims: Vec<(&str, &str)> = claims
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let token = organisation_value(&chain, CLUSTER, &claims, "alice");
            let answer = post(&server, review(V1, &token, &[]).to_string().as_bytes());
            assert_eq!(answer.status, 200);
            assert!(answer.body.len() <= MOST, "{}", answer.body.len());
            let document: Value = serde_json::from_str(&answer.body).unwrap();
            if document["status"]["authenticated"] == true {
                told += 1;
            } else {
                assert_eq!(document["status"]["error"], "serve.identity_too_large");
                refused += 1;
            }
        }
    }
    assert!(told > 0 && refused > 0, "{told} {refused}");
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
        (CLUSTER, &[""], None),
        (CLUSTER, &["", "*"], None),
        (CLUSTER, &["https://kubernetes.example.com/"], None),
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
fn an_invalid_token_is_a_verdict_with_a_reason() {
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
        (format!("{good}\n"), "kliento.malformed_header"),
        (format!(" {good}"), "kliento.malformed_header"),
        (format!("    {}", bare(&good)), "kliento.malformed_header"),
        (format!("\t{}", bare(&good)), "kliento.malformed_header"),
        (format!("{} ", bare(&good)), "kliento.malformed_header"),
        (format!("{}\n", bare(&good)), "kliento.malformed_header"),
        (format!("\n{}", bare(&good)), "kliento.malformed_header"),
        (format!("\u{a0}{}", bare(&good)), "kliento.malformed_header"),
        (
            bare(&good).replacen('M', "M\n", 1),
            "kliento.malformed_header",
        ),
        (
            format!("kliento {}", bare(&good)),
            "kliento.malformed_header",
        ),
        (
            format!("{},{}", bare(&good), bare(&good)),
            "kliento.malformed_header",
        ),
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
    let token = bare(&good);
    for body in [
        json!([V1, "TokenReview", [token, null]]),
        json!([V1, "TokenReview", {"token": token}]),
        json!({"apiVersion": V1, "kind": "TokenReview", "spec": [token, null]}),
    ] {
        post(&server, body.to_string().as_bytes()).refuses(400, "serve.malformed_review");
    }
    let body = review(V1, &good, &[]).to_string();
    let path = "/kubernetes/token-review";
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "application/json, text/plain",
    ] {
        let fields = format!("Content-Type: {media_type}\r\n");
        send(&server, &format!("POST {path}"), &fields, body.as_bytes())
            .refuses(415, "serve.media_type");
    }
    for encoding in ["gzip", "GZIP", "deflate", "br", "identity, gzip", ""] {
        let fields = format!("Content-Type: application/json\r\nContent-Encoding: {encoding}\r\n");
        let answer = send(&server, &format!("POST {path}"), &fields, body.as_bytes());
        answer.refuses(415, "serve.content_encoding");
        assert_eq!(answer.field("accept-encoding"), Some("identity"));
    }
    let fields = "Content-Type: application/json\r\nContent-Encoding: identity\r\n";
    assert_eq!(
        send(&server, &format!("POST {path}"), fields, body.as_bytes()).status,
        200
    );
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
            .explains(complaint)
            .explains("bad.toml:");
    }
}
