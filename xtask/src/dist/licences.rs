//! The licences of all that is linked into the program, which have to go with it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::crates::{Crate, Id};

const HEAD: &str = "\
The program `kliento` is linked with the software below. Its own licence is MIT OR Apache-2.0.

Each crate is followed by its licence in the terms of SPDX and by the number of each text that comes with it. The texts
stand behind the list.

Besides, it holds
- Rust's standard library: MIT OR Apache-2.0, Copyright The Rust Project Contributors;
- the GNU C Library: LGPL-2.1-or-later, Copyright Free Software Foundation, Inc.; and parts of GCC's libgcc:
  GPL-3.0-or-later WITH GCC-exception-3.1. The texts are at https://www.gnu.org/licenses/. To link the program with
  another version of them, build it from the source of the commit that `kliento --version` names: `cargo xtask dist`.

";

/// The text with all licences.
pub(crate) fn text(crates: &BTreeMap<Id, Crate>) -> Result<String, String> {
    let mut found = BTreeMap::new();
    for (id, of) in crates {
        found.insert(id, (of.licence.as_deref(), texts(&of.folder)?));
    }
    Ok(compose(&found))
}

fn compose(found: &BTreeMap<&Id, (Option<&str>, Vec<String>)>) -> String {
    let mut text = HEAD.to_owned();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut in_order = Vec::new();
    for (id, (licence, texts)) in found {
        let mut refers = Vec::new();
        for one in texts {
            let number = *numbers.entry(one).or_insert_with(|| {
                in_order.push(one);
                in_order.len()
            });
            refers.push(format!("[{number}]"));
        }
        let licence = licence.unwrap_or("see its text");
        // Writing to memory never fails.
        let _ = writeln!(
            text,
            "{} {}: {licence} {}",
            id.name,
            id.version,
            refers.join(" ")
        );
    }
    for (index, one) in in_order.iter().enumerate() {
        let line = "-".repeat(80);
        let _ = write!(text, "\n{line}\n[{}]\n\n{one}\n", index + 1);
    }
    text
}

/// The texts of licences and notices in a crate's folder, in the order of their files' names.
fn texts(folder: &Path) -> Result<Vec<String>, String> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_licence(&name) && entry.path().is_file() {
            files.push((name, entry.path()));
        }
    }
    files.sort();
    let mut texts = Vec::new();
    for (_, path) in files {
        let text = fs::read(&path).map_err(cannot)?;
        // Line ends and blanks at line ends tell no licences apart.
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
        texts.push(lines.join("\n"));
    }
    Ok(texts)
}

fn is_licence(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_code = [".RS", ".TOML", ".JSON", ".PY", ".SH"]
        .iter()
        .any(|extension| name.ends_with(extension));
    !is_code
        && [
            "LICENSE",
            "LICENCE",
            "COPYING",
            "COPYRIGHT",
            "NOTICE",
            "UNLICENSE",
        ]
        .iter()
        .any(|word| name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_crates_stands_there_once() {
        let id = |name: &str| Id {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
        };
        let (a, b, c) = (id("a"), id("b"), id("c"));
        let mit = "Permission is granted".to_owned();
        let text = compose(&BTreeMap::from([
            (&a, (Some("MIT"), vec![mit.clone()])),
            (
                &b,
                (Some("MIT OR ISC"), vec!["ISC".to_owned(), mit.clone()]),
            ),
            (&c, (None, vec![])),
        ]));
        for line in [
            "a 1.0.0: MIT [1]",
            "b 1.0.0: MIT OR ISC [2] [1]",
            "c 1.0.0: see its text ",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
        assert_eq!(text.matches(&mit).count(), 1);
    }

    #[test]
    fn licences_are_told_from_code() {
        for name in [
            "LICENSE",
            "LICENSE-MIT",
            "license-apache",
            "COPYING",
            "LICENSE.txt",
            "NOTICE.md",
            "UNLICENSE",
        ] {
            assert!(is_licence(name), "{name}");
        }
        for name in ["README.md", "license.rs", "Cargo.toml", "licenses.json"] {
            assert!(!is_licence(name), "{name}");
        }
    }
}
