//! `cargo xtask unsafe-count`: `unsafe` in the sources of what is built, as a table for `docs/unsafe-review.md`.
//!
//! It reads the sources as cargo has unpacked them, with all features and for all platforms, and compiles nothing. A
//! small lexer skips comments and literals, so that only keywords count. Code for tests does not count: items behind
//! `#[cfg(test)]` or `#[cfg(all(test, …))]`, files `test.rs` and `tests.rs`, and the folders in [`PASSED_OVER`].
//! Macros are not expanded: what stands in a macro counts once, however often it is called.

use std::collections::BTreeSet;
use std::fs;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::checks;

/// Folders of a package that are not in a program that uses it.
const PASSED_OVER: [&str; 9] = [
    "bench", "benches", "ci", "examples", "fuzz", "target", "test", "tests", "testing",
];

/// The end of the name of a file with Rust; ICU4X includes its tables from files with the second.
const RUST: [&str; 2] = [".rs", ".rs.data"];

/// The end of the name of a file that a C compiler or assembler reads.
const NATIVE: [&str; 7] = [".c", ".cc", ".cpp", ".h", ".s", ".asm", ".inc"];

/// Prints a row for each of the packages, which have a name and a version.
pub(crate) fn print(packages: &BTreeSet<(String, String)>) -> Result<(), String> {
    println!(
        "| crate | version | lines | blocks | fns | impls | other | lint | C, assembly | build script | macro |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|---|--:|--:|---|");
    let Metadata { packages: known } = checks::metadata(&["--all-features"])?;
    let mut sum = Count::default();
    for (name, version) in packages {
        let package = known
            .iter()
            .find(|package| package.name == *name && package.version == *version)
            .ok_or_else(|| format!("cargo does not say where {name} {version} is"))?;
        let survey = package.survey()?;
        println!("| `{name}` | {version} | {survey} |");
        sum += survey.count;
    }
    println!("| all {} | | {sum} | | | | |", packages.len());
    Ok(())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A package in the output of `cargo metadata`.
#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Package {
    fn target(&self, kinds: &[&str]) -> Option<&Path> {
        let is_one = |target: &&Target| {
            target
                .kind
                .iter()
                .any(|kind| kinds.contains(&kind.as_str()))
        };
        let target = self.targets.iter().find(is_one)?;
        Some(&target.src_path)
    }

    fn survey(&self) -> Result<Survey, String> {
        let folder = self.manifest_path.parent().unwrap_or(Path::new("."));
        let build_script = self.target(&["custom-build"]);
        // A build script that has a folder of its own has modules there.
        let of_build_script = |path: &Path| {
            build_script.is_some_and(|script| {
                let its_folder = script.parent().filter(|parent| *parent != folder);
                path == script || its_folder.is_some_and(|its_folder| path.starts_with(its_folder))
            })
        };
        let mut survey = Survey {
            is_macro: self.target(&["proc-macro"]).is_some(),
            ..Survey::default()
        };
        let mut files = Vec::new();
        list(folder, &mut files)?;
        for path in &files {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase();
            let is_of = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
            if is_of(&RUST) {
                let count = Count::of(&read(path)?);
                if of_build_script(path) {
                    survey.build_script += count.lines;
                } else if !matches!(name.as_str(), "test.rs" | "tests.rs") {
                    survey.count += count;
                }
            } else if is_of(&NATIVE) {
                survey.native += read(path)?.lines().count();
            }
        }
        if let Some(library) = self.target(&["lib", "rlib", "proc-macro"]) {
            survey.lint =
                lint(&tokens(&read(library)?)).or(lint_in_manifest(&read(&self.manifest_path)?));
        }
        Ok(survey)
    }
}

fn read(path: &Path) -> Result<String, String> {
    let octets =
        fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Adds all files below a folder, but for those in folders that are passed over.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let cannot = |error| format!("cannot list {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let kind = entry.file_type().map_err(cannot)?;
        if kind.is_dir() {
            if !PASSED_OVER.iter().any(|name| entry.file_name() == *name) {
                list(&entry.path(), files)?;
            }
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What there is to say about one package.
#[derive(Default)]
struct Survey {
    count: Count,
    /// What the package says of itself.
    lint: Option<&'static str>,
    /// Lines of C and assembly, comments included.
    native: usize,
    /// Lines of Rust that run when the package is built.
    build_script: usize,
    is_macro: bool,
}

impl std::fmt::Display for Survey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or_empty = |number| {
            if number == 0 {
                String::new()
            } else {
                format!("{number}")
            }
        };
        write!(
            formatter,
            "{} | {} | {} | {} | {}",
            self.count,
            self.lint.unwrap_or_default(),
            or_empty(self.native),
            or_empty(self.build_script),
            if self.is_macro { "yes" } else { "" },
        )
    }
}

/// Numbers of what is `unsafe` in some source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    /// Lines with anything but comments.
    lines: usize,
    blocks: usize,
    functions: usize,
    implementations: usize,
    /// Traits, blocks of foreign functions, attributes, and what macros take apart.
    other: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, more: Self) {
        self.lines += more.lines;
        self.blocks += more.blocks;
        self.functions += more.functions;
        self.implementations += more.implementations;
        self.other += more.other;
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            lines,
            blocks,
            functions,
            implementations,
            other,
        } = self;
        write!(
            formatter,
            "{lines} | {blocks} | {functions} | {implementations} | {other}"
        )
    }
}

impl Count {
    fn of(source: &str) -> Self {
        let tokens = without_tests(&tokens(source));
        let mut count = Self::default();
        let mut last_line = 0;
        let mut rest = tokens.as_slice();
        let mut behind_unsafe = false;
        while let [(line, token), behind @ ..] = rest {
            if *line != last_line {
                count.lines += 1;
                last_line = *line;
            }
            match *token {
                Token::Word("unsafe") => count.add(behind),
                // Before the edition of 2024, foreign functions came without the word.
                Token::Word("extern") if !behind_unsafe && is_foreign_block(behind) => {
                    count.other += 1;
                }
                _ => {}
            }
            behind_unsafe = *token == Token::Word("unsafe");
            rest = behind;
        }
        count
    }

    /// Counts one `unsafe` by what stands behind it.
    fn add(&mut self, behind: &[(usize, Token<'_>)]) {
        let behind: Vec<Token<'_>> = behind.iter().take(4).map(|(_, token)| *token).collect();
        match behind.as_slice() {
            [Token::Mark('{'), ..] => self.blocks += 1,
            // Types of pointers to functions: what they call is counted where it is called.
            [Token::Word("fn"), Token::Mark('('), ..]
            | [
                Token::Word("extern"),
                Token::Word("fn"),
                Token::Mark('('),
                ..,
            ]
            | [
                Token::Word("extern"),
                Token::Literal,
                Token::Word("fn"),
                Token::Mark('('),
                ..,
            ] => {}
            [Token::Word("fn"), ..]
            | [Token::Word("extern"), Token::Word("fn"), ..]
            | [Token::Word("extern"), Token::Literal, Token::Word("fn"), ..] => self.functions += 1,
            [Token::Word("impl"), ..] => self.implementations += 1,
            _ => self.other += 1,
        }
    }
}

fn is_foreign_block(behind: &[(usize, Token<'_>)]) -> bool {
    matches!(
        behind,
        [(_, Token::Mark('{')), ..] | [(_, Token::Literal), (_, Token::Mark('{')), ..]
    )
}

/// As much of a token as this has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'s> {
    /// A keyword, a name or a number.
    Word(&'s str),
    /// A string or a character.
    Literal,
    Mark(char),
}

/// The tokens of a source with their lines, without comments.
fn tokens(source: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (length, token) = next(rest, first);
        if let Some(token) = token {
            tokens.push((line, token));
        }
        let (read, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        line += read.matches('\n').count();
        rest = behind;
    }
    tokens
}

/// The length of what comes first in a text, and its token unless it is space or a comment.
fn next(text: &str, first: char) -> (usize, Option<Token<'_>>) {
    let is_of_word = |character: char| character.is_alphanumeric() || character == '_';
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), None);
    }
    if text.starts_with("/*") {
        return (length_of_comment(text), None);
    }
    if first.is_whitespace() {
        return (first.len_utf8(), None);
    }
    if first == '"' {
        return (length_of_quoted(text, '"'), Some(Token::Literal));
    }
    if first == '\'' {
        let mut behind = text.chars().skip(1);
        let is_character = match behind.next() {
            Some('\\') => true,
            Some(_) => behind.next() == Some('\''),
            None => false,
        };
        // Otherwise a lifetime or a label.
        return if is_character {
            (length_of_quoted(text, '\''), Some(Token::Literal))
        } else {
            (1, Some(Token::Mark('\'')))
        };
    }
    if is_of_word(first) {
        let length = text
            .find(|character| !is_of_word(character))
            .unwrap_or(text.len());
        let (word, behind) = text.split_at_checked(length).unwrap_or((text, ""));
        if matches!(word, "r" | "br" | "cr") {
            let without_hashes = behind.trim_start_matches('#');
            if without_hashes.starts_with('"') {
                let hashes = behind.len() - without_hashes.len();
                let end = format!("\"{}", "#".repeat(hashes));
                let begin = length + hashes + 1;
                let inside = text.get(begin..).unwrap_or_default();
                let length = inside
                    .find(&end)
                    .map_or(text.len(), |found| begin + found + end.len());
                return (length, Some(Token::Literal));
            }
        }
        return (length, Some(Token::Word(word)));
    }
    (first.len_utf8(), Some(Token::Mark(first)))
}

/// The length of a comment between `/*` and `*/`, which may have others in it.
fn length_of_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a literal up to the quote that ends it.
fn length_of_quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Leaves out items that are compiled for tests alone.
fn without_tests<'s>(tokens: &[(usize, Token<'s>)]) -> Vec<(usize, Token<'s>)> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let [first, behind @ ..] = rest {
        let length = length_of_test(rest);
        if length == 0 {
            kept.push(*first);
            rest = behind;
        } else {
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    kept
}

/// The number of tokens of an item for tests, or 0 if there is none here.
fn length_of_test(tokens: &[(usize, Token<'_>)]) -> usize {
    const ALONE: [Token<'_>; 5] = [
        Token::Mark('#'),
        Token::Mark('['),
        Token::Word("cfg"),
        Token::Mark('('),
        Token::Word("test"),
    ];
    const AMONG_OTHERS: [Token<'_>; 7] = [
        Token::Mark('#'),
        Token::Mark('['),
        Token::Word("cfg"),
        Token::Mark('('),
        Token::Word("all"),
        Token::Mark('('),
        Token::Word("test"),
    ];
    let starts_with = |wanted: &[Token<'_>]| {
        tokens.len() >= wanted.len()
            && tokens
                .iter()
                .zip(wanted)
                .all(|((_, token), wanted)| token == wanted)
    };
    if !starts_with(&ALONE) && !starts_with(&AMONG_OTHERS) {
        return 0;
    }
    let mut depth = 0_usize;
    for (length, (_, token)) in (1..).zip(tokens) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(end @ (')' | ']' | '}')) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && *end == '}' {
                    return length;
                }
            }
            Token::Mark(';' | ',') if depth == 0 => return length,
            _ => {}
        }
    }
    tokens.len()
}

/// The lint that a library's first file sets for `unsafe` code.
fn lint(tokens: &[(usize, Token<'_>)]) -> Option<&'static str> {
    let tokens: Vec<Token<'_>> = tokens.iter().map(|(_, token)| *token).collect();
    let start = [Token::Mark('#'), Token::Mark('!'), Token::Mark('[')];
    tokens
        .split(|token| *token == Token::Mark(']'))
        .filter_map(|attribute| {
            let begin = attribute.windows(3).rposition(|window| window == start)?;
            attribute.get(begin + 3..)
        })
        .filter(|attribute| attribute.contains(&Token::Word("unsafe_code")))
        .find_map(|attribute| match attribute.first()? {
            Token::Word("forbid") => Some("forbids"),
            Token::Word("deny") => Some("denies"),
            Token::Word("cfg_attr") => Some("depends on features"),
            _ => None,
        })
}

fn lint_in_manifest(manifest: &str) -> Option<&'static str> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let lint = manifest.get("lints")?.get("rust")?.get("unsafe_code")?;
    match lint.as_str().or_else(|| lint.get("level")?.as_str())? {
        "forbid" => Some("forbids"),
        "deny" => Some("denies"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "that is how tests fail")]

    use super::*;

    fn numbers(source: &str) -> [usize; 4] {
        let count = Count::of(source);
        [
            count.blocks,
            count.functions,
            count.implementations,
            count.other,
        ]
    }

    #[test]
    fn each_kind_of_unsafe_code_is_counted() {
        for (source, expected) in [
            ("fn f() { unsafe { g() } }", [1, 0, 0, 0]),
            ("pub const unsafe fn f() {}", [0, 1, 0, 0]),
            ("pub unsafe extern \"C\" fn f() {}", [0, 1, 0, 0]),
            ("unsafe extern fn f() {}", [0, 1, 0, 0]),
            ("unsafe impl<T> Send for A<T> {}", [0, 0, 1, 0]),
            ("unsafe trait A {}", [0, 0, 0, 1]),
            ("unsafe extern \"C\" { fn f(); }", [0, 0, 0, 1]),
            ("extern \"C\" { fn f(); }", [0, 0, 0, 1]),
            ("extern { fn f(); }", [0, 0, 0, 1]),
            ("#[unsafe(no_mangle)] fn f() {}", [0, 0, 0, 1]),
            (
                "macro_rules! m { () => { unsafe { unsafe fn $name() {} } } }",
                [1, 1, 0, 0],
            ),
        ] {
            assert_eq!(numbers(source), expected, "{source}");
        }
    }

    #[test]
    fn what_is_no_unsafe_code_is_not_counted() {
        for source in [
            "// unsafe {",
            "/* unsafe { /* unsafe { */ unsafe { */",
            "/// unsafe {\n//! unsafe {",
            "let a = \"unsafe { \\\" unsafe {\";",
            "let a = b\"unsafe { \\\\\";",
            "let a = r#\"unsafe { \" unsafe {\"#;",
            "let a = br\"unsafe { \\\";",
            "let a: unsafe fn(u8) = b; let c: unsafe extern \"C\" fn(u8) = d;",
            "#![forbid(unsafe_code)]",
            "extern \"C\" fn f() {} extern crate alloc;",
            "fn not_unsafe() { r#unsafe_not() }",
        ] {
            assert_eq!(numbers(source), [0; 4], "{source}");
        }
    }

    #[test]
    fn what_stands_behind_a_literal_or_a_comment_is_counted() {
        for source in [
            "let a = '\"'; unsafe { b }",
            "let a = '\\''; unsafe { b }",
            "let a = b'\\\\'; unsafe { b }",
            "fn f<'a>(b: &'a str) { unsafe { b } }",
            "let a = \"\\\\\"; unsafe { b }",
            "let a = r\"\\\"; unsafe { b }",
            "let a = r##\"\"#\"##; unsafe { b }",
            "/* /* */ */ unsafe { b }",
            "// a\nunsafe { b }",
            "let a = 'é'; unsafe { b }",
            "'outer: loop { unsafe { b } }",
        ] {
            assert_eq!(numbers(source), [1, 0, 0, 0], "{source}");
        }
    }

    #[test]
    fn code_for_tests_is_passed_over_and_no_other() {
        for (source, expected) in [
            ("#[cfg(test)] mod tests { fn f() { unsafe { g() } } }", 0),
            ("#[cfg(test)] #[allow(a)] mod tests { unsafe { g() } }", 0),
            (
                "#[cfg(all(test, feature = \"a\"))] fn f(a: [u8; 4]) { unsafe { g() } }",
                0,
            ),
            ("#[cfg(test)] mod tests; unsafe { g() }", 1),
            ("#[cfg(test)] mod tests { a } unsafe { g() }", 1),
            ("#[cfg(not(test))] fn f() { unsafe { g() } }", 1),
            ("#[cfg(testing)] fn f() { unsafe { g() } }", 1),
        ] {
            assert_eq!(numbers(source), [expected, 0, 0, 0], "{source}");
        }
    }

    #[test]
    fn lines_are_those_with_code() {
        let source =
            "// a\n\nfn f() {\n    /* b */\n    g(\"c\nd\");\n}\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(Count::of(source).lines, 4);
    }

    #[test]
    fn a_library_says_whether_it_has_unsafe_code() {
        for (source, expected) in [
            ("#![no_std]\n#![forbid(unsafe_code)]", Some("forbids")),
            ("#![deny(missing_docs, unsafe_code)]", Some("denies")),
            (
                "#![cfg_attr(not(feature = \"a\"), forbid(unsafe_code))]",
                Some("depends on features"),
            ),
            ("#![forbid(missing_docs)]", None),
            ("// #![forbid(unsafe_code)]", None),
            ("#![allow(unsafe_code)]", None),
            ("#[forbid(unsafe_code)] mod a {}", None),
        ] {
            assert_eq!(lint(&tokens(source)), expected, "{source}");
        }
        for (manifest, expected) in [
            ("[lints.rust]\nunsafe_code = 'forbid'", Some("forbids")),
            (
                "[lints.rust.unsafe_code]\nlevel = 'deny'\npriority = 0",
                Some("denies"),
            ),
            ("[lints.rust]\nunsafe_code = 'warn'", None),
            ("[package]\nname = 'a'", None),
        ] {
            assert_eq!(lint_in_manifest(manifest), expected, "{manifest}");
        }
    }
}
