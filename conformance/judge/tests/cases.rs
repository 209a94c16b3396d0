//! The conformance cases: our verdict, our reason, and all else that a case expects.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how tests fail"
)]

use std::path::Path;

use kliento_conformance::judge;
use serde_json::Value;

/// Tries all cases of a level, of which there are `least` at least: no file is cut short unnoticed.
fn try_level(level: &str, least: usize) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../cases")
        .join(format!("{level}.json"));
    let document: Value = serde_json::from_slice(&std::fs::read(cases).unwrap()).unwrap();
    assert_eq!(document["format"], 1);
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() >= least, "{} cases", cases.len());
    let differences: Vec<String> = cases.iter().filter_map(difference).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn difference(case: &Value) -> Option<String> {
    let id = &case["id"];
    let verdict = judge(&case["input"]).unwrap_or_else(|error| panic!("{id}: {error}"));
    let mut expected = case["expected"].clone();
    if let Some(reason) = case.get("reason") {
        expected["reason"] = reason.clone();
    }
    // Neither more nor less than is expected: a proof of no records or of others is a difference.
    (verdict != expected).then(|| format!("{id}: expected {expected}, got {verdict}"))
}

#[test]
#[cfg(feature = "dnssec")]
fn dnssec() {
    try_level("dnssec", 1_100);
}

#[test]
#[cfg(feature = "veraid")]
fn veraid() {
    try_level("veraid", 500);
}

#[test]
#[cfg(feature = "veraid")]
fn domainauth() {
    try_level("domainauth", 300);
}

#[test]
#[cfg(feature = "kliento")]
fn kliento() {
    try_level("kliento", 150);
}
