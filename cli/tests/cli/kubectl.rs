//! `kliento kubectl-credential`, run as `kubectl` runs it.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{
    AUDIENCE, MEMBER, NOON, ORGANISATION, Run, SOON, WORKSHOP, run_without_a_reader,
};

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// Runs it among the workshop's files, with `KUBERNETES_EXEC_INFO` as given or without.
fn run_as(information: Option<&str>, line: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kliento"));
    command
        .arg("kubectl-credential")
        .args(line.split_whitespace())
        .current_dir(WORKSHOP.path(""))
        .env_remove("KUBERNETES_EXEC_INFO")
        .stdin(Stdio::null());
    if let Some(information) = information {
        command.env("KUBERNETES_EXEC_INFO", information);
    }
    command.output().unwrap().into()
}

/// What a client of that version says that knows the cluster's configuration.
fn information(version: &str, configuration: &Value) -> String {
    json!({
        "kind": "ExecCredential",
        "apiVersion": version,
        "spec": {
            "cluster": {
                "server": "https://203.0.113.1:6443",
                "certificate-authority-data": "LS0t",
                "config": configuration,
            },
            "interactive": false,
        },
    })
    .to_string()
}

/// The same with the configuration of the cluster's own origin, and something else in its entry.
fn information_with(name: &str, value: &Value) -> String {
    let own = json!({"audience": "https://203.0.113.1:6443"});
    let mut asked: Value = serde_json::from_str(&information(V1, &own)).unwrap();
    asked["spec"]["cluster"][name] = value.clone();
    asked.to_string()
}

/// Alice's options, at noon.
fn alice() -> String {
    format!("{MEMBER} --trust-anchors anchors --not-before {NOON}")
}

fn alice_for_the_audience() -> String {
    format!("--audience {AUDIENCE} {}", alice())
}

/// What is verified of the token by the other command.
fn verified(credential: &Value, audience: &str) -> Value {
    let token = credential["status"]["token"].as_str().unwrap();
    let line =
        format!("token verify --audience {audience} --trust-anchors anchors --at {SOON} --json -");
    WORKSHOP.run_with(&line, token.as_bytes()).exits(0).json()
}

#[test]
fn answers_in_the_version_that_it_is_asked_for() {
    for version in [V1, V1BETA1] {
        let asked = information(version, &Value::Null);
        let run = run_as(Some(&asked), &alice_for_the_audience()).exits(0);
        let credential = run.json();
        assert_eq!(credential["apiVersion"], version);
        assert_eq!(credential["kind"], "ExecCredential");
        assert!(run.stderr.is_empty());
    }
}

/// Clients of Kubernetes before 1.20 say nothing, and have v1beta1.
#[test]
fn answers_in_v1beta1_if_it_is_not_told() {
    for information in [None, Some("")] {
        let run = run_as(information, &alice_for_the_audience()).exits(0);
        assert_eq!(run.json()["apiVersion"], V1BETA1);
    }
}

#[test]
fn gives_a_token_without_a_scheme_and_the_time_of_its_end_and_nothing_else() {
    let line = format!(
        "--claim role=admin --claim team=a {}",
        alice_for_the_audience()
    );
    let run = run_as(None, &line).exits(0);
    let credential = run.json();
    let token = credential["status"]["token"].as_str().unwrap();
    assert_eq!(
        credential,
        json!({
            "apiVersion": V1BETA1,
            "kind": "ExecCredential",
            "status": {"token": token, "expirationTimestamp": "2025-11-21T12:10:00Z"},
        })
    );
    assert!(token.starts_with("MII") && !token.contains(char::is_whitespace));
    let verified = verified(&credential, AUDIENCE);
    assert_eq!(verified["subject"], "alice@example.com");
    assert_eq!(verified["claims"], json!({"role": "admin", "team": "a"}));
    assert!(!run.stderr.contains("MII"));
}

#[test]
fn organisations_sign_too() {
    let line = format!(
        "--audience {AUDIENCE} {ORGANISATION} --on-behalf-of bob --trust-anchors anchors --not-before {NOON}"
    );
    let credential = run_as(None, &line).exits(0).json();
    assert_eq!(
        verified(&credential, AUDIENCE)["subject"],
        "bob@example.com"
    );
}

#[test]
fn lifetimes_are_for_the_caller_to_choose_up_to_an_hour() {
    let line = format!("--valid-for 1h {}", alice_for_the_audience());
    let credential = run_as(None, &line).exits(0).json();
    assert_eq!(
        credential["status"]["expirationTimestamp"],
        "2025-11-21T13:00:00Z"
    );
    let line = format!("--valid-for 61m {}", alice_for_the_audience());
    run_as(None, &line).exits(2).hints();
}

/// The client must ask again then, and not send what no server takes.
#[test]
fn a_credential_ends_with_the_dnssec_chain() {
    let line = format!(
        "--audience {AUDIENCE} {MEMBER} --trust-anchors anchors --not-before 2025-11-27T11:55:00Z"
    );
    let run = run_as(None, &line).exits(0);
    assert_eq!(
        run.json()["status"]["expirationTimestamp"],
        "2025-11-27T12:00:00Z"
    );
    run.explains("expire at 2025-11-27T12:00:00Z");
}

#[test]
fn the_audience_may_come_from_the_cluster_that_it_is_the_origin_of() {
    let own = json!({"audience": "https://203.0.113.1:6443", "other": [1]});
    let asked = information(V1, &own);
    let credential = run_as(Some(&asked), &alice()).exits(0).json();
    assert_eq!(
        verified(&credential, "https://203.0.113.1:6443")["audience"],
        "https://203.0.113.1:6443"
    );
    let credential = run_as(Some(&asked), &alice_for_the_audience())
        .exits(0)
        .json();
    assert_eq!(
        verified(&credential, AUDIENCE)["audience"],
        AUDIENCE,
        "the option goes first"
    );
}

/// Whoever adds a cluster to a kubeconfig would get tokens for any server.
#[test]
fn a_cluster_gets_no_token_for_another_server() {
    for audience in ["https://k.example", "https://203.0.113.1", "urn:x"] {
        let asked = information(V1, &json!({"audience": audience}));
        let run = run_as(Some(&asked), &alice()).exits(2);
        assert!(run.stdout.is_empty());
        run.explains("not the origin of its server").hints();

        let line = format!("--audience-from-cluster {}", alice());
        let credential = run_as(Some(&asked), &line).exits(0).json();
        assert_eq!(verified(&credential, audience)["audience"], audience);
    }
}

#[test]
fn an_entry_that_leads_elsewhere_is_no_word_for_its_server() {
    for (name, value) in [
        ("proxy-url", json!("http://attacker.example:8080")),
        ("tls-server-name", json!("attacker.example")),
        ("insecure-skip-tls-verify", json!(true)),
    ] {
        let run = run_as(Some(&information_with(name, &value)), &alice()).exits(2);
        assert!(run.stdout.is_empty(), "{name}");
        run.explains("not the origin of its server").hints();
    }
    for (name, value) in [
        ("proxy-url", json!("")),
        ("insecure-skip-tls-verify", json!(false)),
    ] {
        run_as(Some(&information_with(name, &value)), &alice()).exits(0);
    }
}

#[test]
fn without_an_audience_there_is_no_token() {
    for configuration in [
        Value::Null,
        json!({}),
        json!({"audience": null}),
        json!({"audience": ""}),
    ] {
        let asked = information(V1, &configuration);
        let run = run_as(Some(&asked), &alice()).exits(2);
        assert!(run.stdout.is_empty());
        run.explains("audience");
    }
    run_as(None, &alice()).exits(2).hints();
}

#[test]
fn refuses_versions_that_it_does_not_speak() {
    for version in [
        "client.authentication.k8s.io/v1alpha1",
        "client.authentication.k8s.io/v2",
        "client.authentication.k8s.io/V1",
        "authentication.k8s.io/v1",
        "v1",
        "",
    ] {
        let asked = information(version, &Value::Null);
        let run = run_as(Some(&asked), &alice_for_the_audience()).exits(2);
        assert!(run.stdout.is_empty());
        run.explains(&format!("{version:?}")).explains(V1).hints();
    }
}

#[test]
fn refuses_what_is_no_request_for_a_credential() {
    for information in [
        "yes",
        "{}",
        "[]",
        r#"{"kind":"ExecCredential"}"#,
        r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#,
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"TokenReview"}"#,
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"cluster":{"config":{"audience":1}}}}"#,
    ] {
        let run = run_as(Some(information), &alice_for_the_audience()).exits(2);
        assert!(run.stdout.is_empty());
        run.explains("KUBERNETES_EXEC_INFO");
    }
}

#[test]
fn builds_on_nothing_that_does_not_verify() {
    let line =
        format!("--audience {AUDIENCE} {MEMBER} --trust-anchors other-anchors --not-before {NOON}");
    let run = run_as(None, &line).exits(1);
    assert!(run.stdout.is_empty());
    run.explains("dnssec.");
}

#[test]
fn a_reader_that_goes_away_gets_no_success() {
    let line = format!("kubectl-credential {}", alice_for_the_audience());
    run_without_a_reader(&line).exits(2);
}
