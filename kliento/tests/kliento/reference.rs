//! Tokens that the reference implementation made, verified under a fixed clock.
//!
//! `fixtures/reference/index.json` says what must come of each.

use std::fs;
use std::path::{Path, PathBuf};

use kliento::veraid::SignedBy;
use kliento::{Timestamp, Verifier};
use serde_json::Value;

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/reference")
        .join(path)
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

#[test]
fn verdicts_on_the_references_tokens_are_those_of_the_index() {
    let index: Value = serde_json::from_slice(&fs::read(data("index.json")).unwrap()).unwrap();
    let mut count = 0;
    for case in index["cases"].as_array().unwrap() {
        // An audience is what only tokens have.
        let Some(audience) = case["audience"].as_str() else {
            continue;
        };
        let name = text(case, "name");
        let anchors: Vec<&str> = case["trustAnchors"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let verifier = Verifier::builder(audience.parse().unwrap())
            .trust_anchors(anchors.join("\n").parse().unwrap())
            .build();
        let bundle = fs::read(data(text(case, "file"))).unwrap();
        for verification in case["verifications"].as_array().unwrap() {
            let Some(at) = verification["at"].as_str() else {
                continue;
            };
            check(
                name,
                case,
                verification,
                &verifier,
                &bundle,
                at.parse().unwrap(),
            );
            count += 1;
        }
    }
    assert!(count > 40, "only {count} verifications are there");
}

fn check(
    name: &str,
    case: &Value,
    verification: &Value,
    verifier: &Verifier,
    bundle: &[u8],
    at: Timestamp,
) {
    let verdict = verifier.verify_bundle_at(bundle, at);
    if text(verification, "status") == "invalid" {
        let error = verdict.expect_err(name);
        let reason = text(verification, "reason");
        assert!(
            error.reason().starts_with(reason),
            "{name} at {at}: {error}"
        );
        return;
    }
    let token = verdict.unwrap_or_else(|error| panic!("{name} at {at}: {error}"));
    let expected = &case["expected"];
    assert_eq!(token.subject(), text(expected, "subject"), "{name}");
    let signed_by = match token.signed_by() {
        SignedBy::Member => "member",
        _ => "organisation",
    };
    assert_eq!(signed_by, text(expected, "signedBy"), "{name}");
    let content: Value =
        serde_json::from_slice(&fs::read(data(text(expected, "contentFile"))).unwrap()).unwrap();
    assert_eq!(
        token.audience().as_str(),
        text(&content, "audience"),
        "{name}"
    );
    for (claim, value) in content["claims"].as_object().into_iter().flatten() {
        assert_eq!(token.claims().get(claim), value.as_str(), "{name}");
    }
}
