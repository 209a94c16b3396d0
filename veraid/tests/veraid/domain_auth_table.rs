//! The table of the DomainAuth draft's demands in the documentation names tests that there are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("../../src/domain_auth.md");
/// The crates of the workspace that the table names beside this one.
const OTHER_CRATES: [&str; 3] = ["dnssec", "kliento", "cli"];
/// In place of a test, where people are asked and not software.
const NO_TEST: &str = "—";

/// The cells of the rows that make demands: what the draft says, what is done, and the tests.
fn rows() -> Vec<[&'static str; 3]> {
    let lines = TABLE.lines().filter(|line| line.starts_with('|'));
    let rows =
        lines.filter(|line| !line.starts_with("|---") && *line != "| the draft | here | test |");
    rows.map(|line| {
        let cells = line.trim_matches('|').split(" | ").map(str::trim);
        let cells: Vec<&str> = cells.collect();
        cells
            .try_into()
            .unwrap_or_else(|_| panic!("not three cells: {line}"))
    })
    .collect()
}

/// What a cell names between backticks, if nothing else is in it.
fn tests_in(cell: &str) -> Vec<&str> {
    cell.split(", ")
        .map(|name| {
            let name = name
                .strip_prefix('`')
                .and_then(|name| name.strip_suffix('`'));
            name.unwrap_or_else(|| panic!("not the name of a test: {cell}"))
        })
        .collect()
}

fn source_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The tests of a crate: the file that each is in, and its name.
fn tests_of(crate_directory: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    source_files(&crate_directory.join("src"), &mut files);
    source_files(&crate_directory.join("tests"), &mut files);
    assert!(!files.is_empty(), "{}", crate_directory.display());
    let mut tests = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            if let Some(signature) = line.strip_prefix("fn ") {
                if is_test {
                    let name = signature.split('(').next().unwrap_or_default();
                    tests.push((file.clone(), name.to_owned()));
                }
                is_test = false;
            }
            is_test |= line == "#[test]";
        }
    }
    tests
}

/// Whether a path of modules, such as `name::user` or `records`, is that of a file.
fn leads_to(modules: &[&str], file: &Path) -> bool {
    let path: PathBuf = modules.iter().collect();
    file.ends_with(path.with_extension("rs")) || file.ends_with(path.join("mod.rs"))
}

#[test]
fn every_test_named_in_the_table_exists() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests: BTreeMap<&str, _> = BTreeMap::new();
    let mut missing = Vec::new();
    let mut seen = 0;
    for [_, _, cell] in rows() {
        if cell == NO_TEST {
            continue;
        }
        for name in tests_in(cell) {
            let segments: Vec<&str> = name.split("::").collect();
            let (&function, modules) = segments.split_last().unwrap();
            let (crate_name, modules) = match modules.split_first() {
                Some((first, rest)) if OTHER_CRATES.contains(first) => (*first, rest),
                _ => ("veraid", modules),
            };
            let directory = own.parent().unwrap().join(crate_name);
            let tests = tests
                .entry(crate_name)
                .or_insert_with(|| tests_of(&directory));
            let exists =
                |(file, test): &(PathBuf, String)| test == function && leads_to(modules, file);
            if !tests.iter().any(exists) {
                missing.push(name);
            }
            seen += 1;
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    assert!(seen > 100, "the table was not read: {seen}");
}

#[test]
fn every_demand_in_the_table_says_what_is_done() {
    let rows = rows();
    assert!(rows.len() > 80, "the table was not read: {}", rows.len());
    for [draft, here, _] in rows {
        assert!(!draft.is_empty() && here.ends_with('.'), "{draft}: {here}");
    }
}
