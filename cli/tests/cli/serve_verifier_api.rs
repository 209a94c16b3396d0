//! `kliento serve` as Kliento Verifier: what the original's tests check, and what its answers leave open.

use kliento::header;
use serde_json::{Value, json};

use crate::server::{Answer, Server};
use crate::serving::{ALICE, AUDIENCE, MALLORY, bundle, expired_bundle, send, start, value};
use crate::support::Scratch;

const QUERY: &str = "/?audience=https%3A%2F%2Fapp.example.com";
const BUNDLE: &str = "Content-Type: application/vnd.kliento.token-bundle\r\n";
const HEADER: &str = "Content-Type: application/vnd.kliento.auth-header\r\n";

fn post(server: &Server, target: &str, fields: &str, body: &[u8]) -> Answer {
    send(server, &format!("POST {target}"), fields, body)
}

#[track_caller]
fn document(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.field("content-type"), Some("application/json"));
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn refuses_requests_without_an_audience_in_the_query_before_all_else() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    let good = bundle(&ALICE, AUDIENCE, &[]);
    for target in [
        "/",
        "/?",
        "/?audience",
        "/?audience=",
        "/?audience=&audience=x",
        "/?other=x",
    ] {
        for fields in ["", BUNDLE, "Content-Type: text/plain\r\n"] {
            let answer = post(&server, target, fields, &good);
            assert_eq!(
                document(&answer, 400),
                json!({"error": "Audience is missing from the query string"})
            );
        }
    }
}

#[test]
fn refuses_bodies_of_unrecognised_content_types() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    let good = bundle(&ALICE, AUDIENCE, &[]);
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json",
        "application/octet-stream",
    ] {
        let fields = format!("Content-Type: {media_type}\r\n");
        let answer = post(&server, QUERY, &fields, &good);
        assert_eq!(
            document(&answer, 415),
            json!({"error": "Unrecognised content type"})
        );
    }
    let answer = post(&server, QUERY, &format!("{BUNDLE}{HEADER}"), &good);
    document(&answer, 415);
}

#[test]
fn an_answer_has_room_for_all_that_a_token_says() {
    const MOST: usize = 32_768;
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    let mut largest = 0;
    for character in ["x", "\"", "\\", "\u{1}", "\u{7f}", "\u{85}", "\u{202e}"] {
        let written = serde_json::to_string(character).unwrap().len() - 2;
        let claim = character.repeat(11_000 / written);
        let token = bundle(&ALICE, AUDIENCE, &[("claim", &claim)]);
        let answer = post(&server, QUERY, BUNDLE, &token);
        let document = document(&answer, 200);
        assert_eq!(document["status"], "valid", "{character:?}");
        assert_eq!(document["claims"]["claim"].as_str(), Some(&*claim));
        assert!(answer.body.len() <= MOST, "{character:?}");
        largest = largest.max(answer.body.len());
    }
    assert!(largest > 11_000, "{largest}");
}

#[test]
fn a_compressed_body_is_refused_as_such() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]\n");
    let good = bundle(&ALICE, AUDIENCE, &[]);
    for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "identity, gzip"] {
        let fields = format!("{BUNDLE}Content-Encoding: {encoding}\r\n");
        let answer = post(&server, QUERY, &fields, &good);
        let document = document(&answer, 415);
        assert_eq!(document["reason"], "serve.content_encoding");
        let error = document["error"].as_str().unwrap();
        assert!(error.contains("Content-Encoding"), "{error}");
        assert_eq!(answer.field("accept-encoding"), Some("identity"));
    }
    let fields = format!("{BUNDLE}Content-Encoding: identity\r\n");
    let answer = post(&server, QUERY, &fields, &good);
    assert_eq!(document(&answer, 200)["status"], "valid");
}

#[test]
fn verifies_bundles_and_headers() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    let good = bundle(&ALICE, AUDIENCE, &[("foo", "bar")]);
    let text = header::encode(&good);
    let lines = format!("{text}\r\n");
    for (fields, body) in [
        ("", good.as_slice()),
        (BUNDLE, &good),
        (
            "content-type: Application/Vnd.Kliento.Token-Bundle; a=b\r\n",
            &good,
        ),
        (HEADER, text.as_bytes()),
        (HEADER, lines.as_bytes()),
    ] {
        let answer = post(&server, QUERY, fields, body);
        let document = document(&answer, 200);
        for (member, expected) in [
            ("status", json!("valid")),
            ("subject", json!("alice@example.com")),
            ("subjectId", json!("alice@example.com")),
            ("claims", json!({"foo": "bar"})),
            ("organisation", json!("example.com")),
            ("user", json!("alice")),
            ("signedBy", json!("member")),
            ("audience", json!(AUDIENCE)),
        ] {
            assert_eq!(document[member], expected, "{member}");
        }
    }
    let answer = post(&server, QUERY, "", &bundle(&MALLORY, AUDIENCE, &[]));
    assert_eq!(
        document(&answer, 200)["claims"],
        json!({}),
        "no claims are an empty object"
    );
}

#[test]
fn verifies_for_the_audience_that_was_asked_for() {
    let scratch = Scratch::new();
    let server = start(
        &scratch,
        "audience = \"https://app.example.com\"\n[verifier]",
    );
    let spaced = bundle(&ALICE, "a b+c", &[]);
    for (target, status) in [
        ("/?audience=a+b%2Bc", "valid"),
        ("/?audience=a%20b%2bc&audience=x", "valid"),
        ("/?audience=x&audience=a%20b%2bc", "invalid"),
        ("/?audience=a+b+c", "invalid"),
        (QUERY, "invalid"),
    ] {
        // From memory as well.
        for _ in 0..2 {
            let answer = document(&post(&server, target, "", &spaced), 200);
            assert_eq!(answer["status"], status, "{target}");
            if status == "invalid" {
                assert_eq!(answer["reason"], "kliento.audience_mismatch");
                assert!(
                    answer["error"]
                        .as_str()
                        .unwrap()
                        .contains("the token is for audience")
                );
            }
        }
    }
}

#[test]
fn tells_malformed_from_invalid() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    let good = bundle(&ALICE, AUDIENCE, &[]);
    let text = value(&ALICE, AUDIENCE, &[]);
    let cut = &good[..good.len() - 1];
    let broken_lines = format!("{}\n{}", &text[..40], &text[40..]);
    let too_large = vec![0x30; kliento::MAX_BUNDLE_OCTETS + 1];
    for (fields, body, status, reason) in [
        (
            BUNDLE,
            &b"The token bundle"[..],
            "malformed",
            "veraid.malformed_bundle",
        ),
        (BUNDLE, b"", "malformed", "veraid.malformed_bundle"),
        (BUNDLE, cut, "malformed", "veraid.malformed_bundle"),
        (
            BUNDLE,
            text.as_bytes(),
            "malformed",
            "veraid.malformed_bundle",
        ),
        (BUNDLE, &too_large, "malformed", "kliento.bundle_too_large"),
        (HEADER, b"Bearer x", "malformed", "kliento.wrong_scheme"),
        (HEADER, b"", "malformed", "kliento.wrong_scheme"),
        (HEADER, &good, "malformed", "kliento.wrong_scheme"),
        (
            HEADER,
            b"Kliento !",
            "malformed",
            "kliento.malformed_header",
        ),
        (
            HEADER,
            broken_lines.as_bytes(),
            "malformed",
            "kliento.malformed_header",
        ),
        (
            HEADER,
            b"Kliento \xff",
            "malformed",
            "kliento.malformed_header",
        ),
        (
            BUNDLE,
            &expired_bundle(AUDIENCE),
            "invalid",
            "veraid.signature_expired",
        ),
    ] {
        let answer = post(&server, QUERY, fields, body);
        let document = document(&answer, 200);
        assert_eq!(document["status"], status, "{document}");
        assert_eq!(document["reason"], reason, "{document}");
        assert!(!document["error"].as_str().unwrap().is_empty());
        assert_eq!(document.as_object().unwrap().len(), 3);
    }
}

#[test]
fn takes_nothing_but_posts_and_no_more_than_its_limit() {
    let scratch = Scratch::new();
    let server = start(&scratch, "[verifier]");
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let answer = send(&server, &format!("{method} {QUERY}"), "", b"");
        assert_eq!(answer.status, 405);
        assert_eq!(answer.field("allow"), Some("post"));
    }
    let answer = post(&server, QUERY, "", &vec![0; 70_000]);
    assert_eq!(answer.status, 413, "{answer:?}");
    send(&server, "POST /verify?audience=x", "", b"").refuses(404, "serve.not_found");
}

#[test]
fn is_not_there_unless_it_is_asked_for() {
    let rule =
        "audience = \"https://app.example.com\"\n[[rules]]\norganisations = [\"example.com\"]\n";
    for section in ["", "[verifier]\nenabled = false\n"] {
        let scratch = Scratch::new();
        let server = start(&scratch, &format!("{rule}{section}"));
        let answer = post(&server, QUERY, "", &bundle(&ALICE, AUDIENCE, &[]));
        answer.refuses(404, "serve.not_found");
    }
}
