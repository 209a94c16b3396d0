//! The table of RFC 4035 §5.3.1 at the head of `verify/rrset.rs` names functions that exist.

use std::fs;
use std::path::Path;

const TABLE: &str = include_str!("../../src/verify/rrset.rs");
const HEAD: &str = "//! | RFC 4035 §5.3.1 | enforced by |";
/// The conditions of the RFC's list, and what it says of several keys.
const CONDITIONS: usize = 9;

/// The functions that each row names.
fn rows() -> Vec<Vec<&'static str>> {
    let after_head = TABLE.lines().skip_while(|line| *line != HEAD).skip(2);
    after_head
        .map_while(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"))
        .map(|row| {
            let (_, functions) = row.rsplit_once(" | ").unwrap();
            let names = functions.split(", ").map(|name| {
                name.strip_prefix('`')
                    .and_then(|name| name.strip_suffix('`'))
                    .unwrap_or_else(|| panic!("not the name of a function: {name}"))
            });
            names.collect()
        })
        .collect()
}

/// The source of all files below a directory.
fn source_below(directory: &Path, source: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_below(&path, source);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            source.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_function_that_enforces_a_condition_exists() {
    let mut source = String::new();
    source_below(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut source,
    );
    let is_defined = |name: &str| {
        [format!("fn {name}("), format!("fn {name}<")]
            .iter()
            .any(|definition| source.contains(definition))
    };
    let rows = rows();
    assert_eq!(rows.len(), CONDITIONS, "the table was not read");
    let missing: Vec<&str> = rows
        .into_iter()
        .flatten()
        .filter(|name| !is_defined(name))
        .collect();
    assert!(missing.is_empty(), "no such functions: {missing:?}");
}
