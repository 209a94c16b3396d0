//! The tables of rules in `ARCHITECTURE.md`, and the claims of `docs/threat-model.md`, name files, functions and tests that
//! exist.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test that is how to fail"
)]

use std::fs;
use std::path::{Path, PathBuf};

const HEADINGS: [&str; 4] = ["rule", "source", "enforced by", "test"];
/// The section with the tables, and the one after it.
const SECTION: &str = "## Rules";
const NEXT_SECTION: &str = "## ";
/// Fewer rows than there are; more than a table that was read in part would have.
const FEWEST_RULES: usize = 95;

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().to_owned()
}

/// The cells of each row: the rule, its source, the functions and the tests.
fn rules(document: &str) -> Vec<[String; 4]> {
    let section = document
        .lines()
        .skip_while(|line| *line != SECTION)
        .skip(1)
        .take_while(|line| !line.starts_with(NEXT_SECTION));
    section
        .filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
            cells
                .try_into()
                .unwrap_or_else(|_| panic!("not four cells: {line}"))
        })
        .filter(|cells: &[String; 4]| *cells != HEADINGS)
        .collect()
}

/// The functions that a cell names, each with its file: in `file.rs` stand the names that follow, up to the next file.
fn functions(cell: &str) -> Vec<(&str, &str)> {
    let mut file = None;
    let mut functions = Vec::new();
    // Every other part stands between backticks.
    for (number, part) in cell.split('`').enumerate() {
        if number.is_multiple_of(2) {
            let between = part.trim();
            assert!(
                matches!(between, "" | "," | ";"),
                "neither file nor function, `{between}`: {cell}"
            );
        } else if Path::new(part).extension().is_some() {
            file = Some(part);
        } else {
            let file = file.unwrap_or_else(|| panic!("a function without a file: {cell}"));
            functions.push((file, part));
        }
    }
    functions
}

/// The name of the function that a line of source begins to define.
fn defined(line: &str) -> Option<&str> {
    const QUALIFIERS: [&str; 4] = ["async", "const", "pub", "unsafe"];
    let (before, after) = line.split_once("fn ")?;
    let is_definition = before
        .split_whitespace()
        .all(|word| QUALIFIERS.contains(&word) || word.starts_with("pub("));
    let end = after.find(['(', '<'])?;
    is_definition.then(|| after.get(..end)).flatten()
}

/// The functions that are tests, or all of them.
fn defined_in(source: &str, tests_only: bool) -> Vec<&str> {
    let mut is_test = false;
    let mut names = Vec::new();
    for line in source.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some(name) = defined(line) {
            if is_test || !tests_only {
                names.push(name);
            }
            is_test = false;
        }
    }
    names
}

/// The functions named in a cell that its files do not define.
fn missing(cell: &str, tests_only: bool) -> Vec<String> {
    let workspace = workspace();
    functions(cell)
        .into_iter()
        .filter(|(file, function)| {
            let source = fs::read_to_string(workspace.join(file)).unwrap_or_default();
            !defined_in(&source, tests_only).contains(function)
        })
        .map(|(file, function)| format!("{function} in {file}"))
        .collect()
}

#[test]
fn every_rule_names_functions_and_tests_that_exist() {
    let document = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let rules = rules(&document);
    assert!(
        rules.len() >= FEWEST_RULES,
        "the tables were not read: {} rules",
        rules.len()
    );
    let mut lost = Vec::new();
    for [rule, source, enforced_by, tests] in &rules {
        assert!(!rule.is_empty() && !source.is_empty(), "{rule}: {source}");
        for (cell, tests_only) in [(enforced_by, false), (tests, true)] {
            assert!(!functions(cell).is_empty(), "nothing named: {rule}");
            lost.extend(missing(cell, tests_only));
        }
    }
    assert!(lost.is_empty(), "no such functions or tests: {lost:#?}");
}

/// The actors of the threat model, each with what holds against it.
const ACTORS: [&str; 12] = [
    "A network attacker",
    "A malicious client",
    "A malicious member",
    "A malicious organisation",
    "A malicious delegate (DomainAuth)",
    "A malicious resolver",
    "A parent zone, a registry, or the root",
    "Whoever has stolen a key",
    "A wrong clock",
    "Whoever replays",
    "Whoever exhausts resources",
    "A malicious peer of the proxy",
];

#[test]
fn every_claim_of_the_threat_model_names_tests_that_exist() {
    let document = fs::read_to_string(workspace().join("docs/threat-model.md")).unwrap();
    let sections: Vec<&str> = document.split("\n### ").skip(1).collect();
    let mut lost = Vec::new();
    for actor in ACTORS {
        let section = sections.iter().find(|text| text.starts_with(actor));
        let section = section.unwrap_or_else(|| panic!("no section: {actor}"));
        let claims = section
            .split("| holds | test |\n|---|---|\n")
            .nth(1)
            .unwrap_or_else(|| panic!("nothing holds: {actor}"));
        for claim in claims.lines().take_while(|line| line.starts_with('|')) {
            let (_, tests) = claim.trim_matches('|').rsplit_once(" | ").unwrap();
            let tests = tests.trim();
            assert!(!functions(tests).is_empty(), "no test: {claim}");
            lost.extend(missing(tests, true));
        }
        assert!(section.contains("**Not protected against:**") || actor == "A malicious client");
    }
    // The answers to the audit, of which some concern what there is not.
    let audit = document.split("\n## The audit of 2025").nth(1).unwrap();
    for row in audit
        .lines()
        .filter(|line| line.starts_with("| CLN") || line.starts_with("| NF"))
    {
        let (_, tests) = row.trim_end_matches('|').rsplit_once(" | ").unwrap();
        lost.extend(missing(tests.trim(), true));
    }
    assert!(lost.is_empty(), "no such tests: {lost:#?}");
}

#[test]
fn a_function_that_is_not_there_is_missed() {
    let here = "`kliento/tests/architecture.rs`";
    let function = |name| missing(&format!("{here} `{name}`"), false);
    let test = |name| missing(&format!("{here} `{name}`"), true);
    assert!(function("defined_in").is_empty());
    assert!(test("a_function_that_is_not_there_is_missed").is_empty());
    assert_eq!(function("defined_elsewhere").len(), 1);
    assert_eq!(test("defined_in").len(), 1);
    assert_eq!(missing("`no/such/file.rs` `defined`", false).len(), 1);
}
