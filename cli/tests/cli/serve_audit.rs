//! The record of decisions that `kliento serve` keeps: who was refused, as what the proxy knows the request, and nothing
//! that a stranger could deceive its reader with.

use serde_json::Value;

use crate::server::{Server, exchange};
use crate::serving::{
    ALICE, AUDIENCE, MALLORY, bundle, expired_bundle, forged_bundle, send, start, value,
};
use crate::support::Scratch;

const RULES: &str = r#"
audience = "https://app.example.com"
log = { format = "json" }

[[rules]]
path = "/admin/"
organisations = ["example.com"]
claims = { role = ["admin"] }

[[rules]]
path = "/organisation/"
organisations = ["example.com"]
signed-by = "organisation"

[[rules]]
path = "/brief/"
organisations = ["example.com"]
max-lifetime = "1s"

[[rules]]
path = "/modern/"
organisations = ["example.com"]
key-algorithms = ["ed25519"]

[[rules]]
path = "/public/"
public = true

[[rules]]
organisations = ["example.com"]

[kubernetes]
audiences = ["https://app.example.com", "https://other.example.com"]
organisations = ["example.com"]
"#;

/// The lines of decisions, once the server has ended. All others have one target as well.
fn decisions(server: Server) -> Vec<Value> {
    let run = server.stop();
    run.stderr
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .inspect(|line| {
            let target = &line["target"];
            assert!(
                target == "kliento::serve" || target == "kliento::audit",
                "{line}"
            );
        })
        .filter(|line| line["target"] == "kliento::audit")
        .collect()
}

fn ask(server: &Server, path: &str, authorization: Option<&str>) -> u16 {
    let authorization =
        authorization.map_or(String::new(), |value| format!("Authorization: {value}\r\n"));
    let fields = format!(
        "X-Original-Method: PUT\r\nX-Original-Host: app.example.com\r\nX-Original-URI: {path}\r\n\
         X-Original-Client: 192.0.2.7\r\nX-Request-Id: 8f3a\r\n{authorization}"
    );
    server.get("/auth/nginx", &fields).status
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn a_denial_says_whose_token_it_was_if_that_was_verified_and_only_then() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let alice = value(&ALICE, AUDIENCE, &[("role", "user")]);
    let elsewhere = value(&ALICE, "https://elsewhere.example", &[]);
    let large = value(&ALICE, AUDIENCE, &[("note", &"x".repeat(4_000))]);
    let mallory = value(&MALLORY, AUDIENCE, &[]);
    let encoded = |bundle: &[u8]| kliento::header::encode(bundle);
    let cases = [
        (
            "/x",
            Some(alice.clone()),
            200,
            "ok",
            Some("alice@example.com"),
        ),
        ("/public/x", None, 200, "public", None),
        (
            "/admin/x",
            Some(alice.clone()),
            403,
            "kliento.claim_required",
            Some("alice@example.com"),
        ),
        (
            "/organisation/x",
            Some(alice.clone()),
            403,
            "kliento.organisation_signature_required",
            Some("alice@example.com"),
        ),
        (
            "/brief/x",
            Some(alice.clone()),
            403,
            "kliento.lifetime_not_allowed",
            Some("alice@example.com"),
        ),
        (
            "/modern/x",
            Some(alice.clone()),
            403,
            "kliento.key_algorithm_not_allowed",
            Some("alice@example.com"),
        ),
        (
            "/x",
            Some(mallory),
            403,
            "kliento.subject_not_allowed",
            Some("mallory@evil.example"),
        ),
        (
            "/x",
            Some(elsewhere),
            401,
            "kliento.audience_mismatch",
            Some("alice@example.com"),
        ),
        (
            "/x",
            Some(large),
            403,
            "serve.identity_too_large",
            Some("alice@example.com"),
        ),
        // These say that they are Alice's, and nobody knows.
        (
            "/x",
            Some(encoded(&forged_bundle(AUDIENCE))),
            401,
            "dnssec.dnskey_not_committed",
            None,
        ),
        (
            "/x",
            Some(encoded(&expired_bundle(AUDIENCE))),
            401,
            "veraid.signature_expired",
            None,
        ),
        (
            "/x",
            Some(alice[..alice.len() - 8].to_owned()),
            401,
            "veraid.malformed_bundle",
            None,
        ),
        ("/x", None, 401, "http.missing_authorization", None),
        // The token is not looked at.
        ("/ad//min", Some(alice), 403, "serve.ambiguous_path", None),
    ];
    let expected: Vec<_> = cases
        .iter()
        // Verified, and then remembered where it is taken.
        .flat_map(|case| [case, case])
        .map(|(path, authorization, status, reason, subject)| {
            let got = ask(&server, path, authorization.as_deref());
            assert_eq!(got, *status, "{path} {reason}");
            (*path, *reason, *subject)
        })
        .collect();
    let lines = decisions(server);
    assert_eq!(lines.len(), expected.len());
    for (line, (path, reason, subject)) in lines.iter().zip(expected) {
        assert_eq!(line["reason"], reason, "{line}");
        assert_eq!(line["subject"].as_str(), subject, "{line}");
        assert_eq!(line["path"], path, "{line}");
        assert_eq!(line["method"], "PUT", "{line}");
        assert_eq!(line["client"], "192.0.2.7", "{line}");
        assert_eq!(line["request_id"], "8f3a", "{line}");
    }
}

#[test]
fn the_other_endpoints_say_who_was_refused_too() {
    let scratch = Scratch::new();
    let server = start(&scratch, &format!("{RULES}\n[verifier]\n"));
    let review = |authorization: &str, audiences: &[&str]| {
        let token = authorization.trim_start_matches("Kliento ");
        let review = serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": audiences},
        });
        let start = "POST /kubernetes/token-review";
        let body = review.to_string();
        let answer = send(
            &server,
            start,
            "Content-Type: application/json\r\n",
            body.as_bytes(),
        );
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    review(&value(&MALLORY, AUDIENCE, &[]), &[]);
    let alice = value(&ALICE, "https://other.example.com", &[]);
    review(&alice, &[AUDIENCE]);
    review(&alice, &[]);
    let verify = "POST /?audience=https%3A%2F%2Felsewhere.example";
    let answer = send(&server, verify, "", &bundle(&ALICE, AUDIENCE, &[]));
    assert_eq!(answer.status, 200, "{answer:?}");

    let lines = decisions(server);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap_or("-").to_owned();
            [text("endpoint"), text("reason"), text("subject")].join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "kubernetes kliento.subject_not_allowed mallory@evil.example",
            "kubernetes kliento.audience_mismatch alice@example.com",
            "kubernetes ok alice@example.com",
            "verifier kliento.audience_mismatch alice@example.com",
        ]
    );
}

/// What each endpoint takes from which field, and takes from no other: those could be the client's.
#[test]
fn what_is_for_the_log_alone_is_read_where_the_proxy_writes_it() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let all = "X-Original-Method: ORIGINAL\r\nX-Original-Host: app.example.com\r\nX-Original-URI: /x\r\n\
               X-Original-Client: original\r\nX-Forwarded-Method: FORWARDED\r\n\
               X-Forwarded-Host: app.example.com\r\nX-Forwarded-Uri: /x\r\nX-Forwarded-For: forwarded\r\n\
               X-Request-Id: id\r\nX-Real-IP: real\r\nForwarded: for=forwarded\r\nTrue-Client-IP: true\r\n";
    let (original, forwarded) = (Some("original"), Some("forwarded"));
    let cases = [
        ("/auth/nginx", "ORIGINAL", original, Some("id")),
        ("/auth/haproxy", "ORIGINAL", original, Some("id")),
        ("/auth/caddy", "FORWARDED", forwarded, Some("id")),
        ("/auth/traefik", "FORWARDED", forwarded, None),
        ("/auth/envoy/x", "GET", original, Some("id")),
    ];
    for (path, ..) in cases {
        assert_eq!(server.get(path, all).status, 401, "{path}");
    }
    // Two are none, and so is what is no text.
    let twice = "X-Original-Method: GET\r\nX-Original-Host: app.example.com\r\nX-Original-URI: /x\r\n\
                 X-Original-Client: a\r\nX-Original-Client: b\r\nX-Request-Id: a\r\nX-Request-Id: a\r\n";
    assert_eq!(server.get("/auth/nginx", twice).status, 401);

    let lines = decisions(server);
    assert_eq!(lines.len(), cases.len() + 1);
    for (line, (path, method, client, id)) in lines.iter().zip(cases) {
        assert_eq!(line["method"], method, "{path}");
        assert_eq!(line["client"].as_str(), client, "{path}");
        assert_eq!(line["request_id"].as_str(), id, "{path}");
    }
    let last = &lines[cases.len()];
    assert_eq!(
        (&last["client"], &last["request_id"]),
        (&Value::Null, &Value::Null)
    );
}

/// Controls of the second kind, what reorders text, and what parts lines, in all that a client can write into.
#[test]
fn no_line_has_a_character_that_deceives_its_reader() {
    // DEL can't be in a field of HTTP; `serve::log` tests it, and Envoy's message can have it.
    for (character, escaped) in [
        ('\u{9b}', "9b"),
        ('\u{202e}', "202e"),
        ('\u{2028}', "2028"),
        ('\u{200b}', "200b"),
    ] {
        for format in ["text", "json"] {
            let scratch = Scratch::new();
            let server = start(&scratch, &RULES.replace("\"json\"", &format!("{format:?}")));
            let fields = format!(
                "X-Original-Method: GET\r\nX-Original-Host: app{character}.example.com\r\n\
                 X-Original-URI: /x{character}\r\nX-Original-Client: a{character}\r\nX-Request-Id: b{character}\r\n"
            );
            server.get("/auth/nginx", &fields);
            let run = server.stop();
            assert!(
                !run.stderr.contains(character),
                "{format} {}",
                run.stderr.escape_unicode()
            );
            let escapes = run.stderr.matches(&format!("u{{{escaped}}}")).count();
            assert_eq!(escapes, 4, "{format} {}", run.stderr);
        }
    }
}

#[test]
fn a_field_with_del_is_no_field() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    for field in [
        "X-Original-URI: /x",
        "X-Original-Host: x",
        "X-Request-Id: x",
    ] {
        let request = format!(
            "GET /auth/nginx HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{field}\u{7f}\r\n\r\n"
        );
        assert_eq!(exchange(server.connect(), &request).status, 400, "{field}");
    }
}
