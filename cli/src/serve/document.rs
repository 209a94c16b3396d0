//! A TOML document read as a whole: either what it says, or everything that is wrong with it, each with its place.
//!
//! Serde stops at the first fault. So what is at fault is told, taken out, and the rest is read again.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// The most faults that are told of one document; the others show when these are fixed.
const MAX_PROBLEMS: usize = 20;
/// Bytes of a key that may be a misspelling of a shorter one; the distance takes time by the product of both lengths.
const MAX_KEY: usize = 64;
/// Typing errors that leave a key recognisable.
const MAX_DISTANCE: usize = 2;

/// One thing that is wrong, after the line and the column (both from 1) where it is.
type Problem = String;

/// Reads a document.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Problem>> {
    let (mut table, faults) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = faults
        .iter()
        .take(MAX_PROBLEMS)
        .map(|fault| described(text, fault.span(), fault.message()))
        .collect();
    // Of a document whose syntax is broken, what is where is a guess.
    if !problems.is_empty() {
        return Err(problems);
    }
    loop {
        let error = match T::deserialize(Deserializer::from(table.clone())) {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => return Err(problems),
            Err(error) => error,
        };
        let message = error.message();
        // What was taken out may be what is missing.
        if problems.is_empty() || !message.starts_with("missing field") {
            problems.push(described(text, error.span(), message));
        }
        let is_removed = error
            .span()
            .is_some_and(|span| remove(table.get_mut(), &span));
        if !is_removed || problems.len() >= MAX_PROBLEMS {
            return Err(problems);
        }
    }
}

/// Takes out the key that an error at `span` is about, or the one whose value is.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let is_within = value.span().start <= span.start && span.end <= value.span().end;
        if key.span() == *span {
            found = Some(key.clone());
            break;
        }
        if remove_within(value, span) {
            return true;
        }
        if is_within {
            found = Some(key.clone());
            break;
        }
    }
    found.is_some_and(|key| table.remove(&key).is_some())
}

/// The same within the tables of a value.
fn remove_within(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    match value.get_mut() {
        DeValue::Table(table) => remove(table, span),
        DeValue::Array(values) => values.iter_mut().any(|value| remove_within(value, span)),
        _ => false,
    }
}

/// A problem with its place.
fn described(text: &str, span: Option<Range<usize>>, message: &str) -> Problem {
    let message = match unknown_key(message) {
        Some((key, known)) => about_unknown_key(key, &known),
        None => message.replace('\n', "; "),
    };
    match span {
        Some(span) => {
            let (line, column) = position(text, span.start);
            format!("{line}:{column}: {message}")
        }
        None => message,
    }
}

/// Takes apart serde's message about a key that a table doesn't have: the key, and those that it has.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once("`, expected ")?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((key, known))
}

fn about_unknown_key(key: &str, known: &[&str]) -> String {
    let close = (key.len() <= MAX_KEY)
        .then(|| known.iter().min_by_key(|other| distance(key, other)))
        .flatten()
        .filter(|other| distance(key, other) <= MAX_DISTANCE);
    match close {
        Some(other) => format!("there is no key {key:?} here; did you mean {other:?}?"),
        None => format!("there is no key {key:?} here, but {}", known.join(", ")),
    }
}

/// Typing errors between two keys; an underscore is as good as a hyphen.
fn distance(key: &str, other: &str) -> usize {
    strsim::osa_distance(&key.to_lowercase().replace('_', "-"), other)
}

/// Line and column, both from 1, of a byte of `text`.
pub(super) fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
    struct Document {
        trust_anchors: String,
        number: u8,
        inner: Option<Inner>,
        rules: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        name: String,
        #[serde(default)]
        list: Vec<u8>,
    }

    fn problems(text: &str) -> Vec<String> {
        read::<Document>(text).unwrap_err()
    }

    #[test]
    fn reads_what_is_in_order() {
        let text = "trust-anchors = 'x'\nnumber = 7\n[[rules]]\nname = 'a'\nlist = [1]\n";
        let document: Document = read(text).unwrap();
        assert_eq!((document.trust_anchors.as_str(), document.number), ("x", 7));
        assert_eq!(
            (document.rules[0].name.as_str(), &document.rules[0].list[..]),
            ("a", &[1][..])
        );
        assert!(document.inner.is_none());
    }

    #[test]
    fn tells_all_faults_of_a_document_at_once() {
        let text = "\
number = 300
trust_anchors = 'x'
colour = 'blue'
[inner]
name = 7
[[rule]]
name = 'a'
[[rules]]
name = 'a'
lists = [1]
[[rules]]
name = 'b'
list = [1, 'x']
";
        let mut found = problems(text);
        found.sort_unstable();
        for (expected, found) in [
            "10:1: there is no key \"lists\" here; did you mean \"list\"?",
            "13:12: invalid type: string \"x\", expected u8",
            "1:10: invalid value: integer `300`, expected u8",
            "2:1: there is no key \"trust_anchors\" here; did you mean \"trust-anchors\"?",
            "3:1: there is no key \"colour\" here, but trust-anchors, number, inner, rules",
            "5:8: invalid type: integer `7`, expected a string",
            "6:3: there is no key \"rule\" here; did you mean \"rules\"?",
        ]
        .iter()
        .zip(&found)
        {
            assert_eq!(expected, found, "{found:#?}");
        }
        assert_eq!(found.len(), 7, "{found:#?}");
    }

    #[test]
    fn a_fault_does_not_bring_others_with_it() {
        assert_eq!(problems("[inner]\nname = 1\n").len(), 1);
        let missing = problems("[inner]\nlist = []\n");
        assert_eq!(missing.len(), 1);
        assert!(missing[0].contains("missing field `name`"), "{missing:?}");
    }

    #[test]
    fn broken_syntax_is_told_alone() {
        let found = problems("number = \ncolour = 1\n");
        assert!(found[0].starts_with("1:"), "{found:?}");
        assert!(found.iter().all(|problem| !problem.contains("no key")));
    }

    #[test]
    fn the_number_of_faults_is_bounded() {
        let lines: Vec<String> = (0..1_000)
            .map(|number| format!("key{number} = 1"))
            .collect();
        let text = lines.join("\n");
        assert_eq!(problems(&text).len(), MAX_PROBLEMS);
        let long = format!("{} = 1\n", "a".repeat(100_000));
        assert_eq!(problems(&long).len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z\\[\\]=\"'0-9 .\\n{},#]{0,60}") {
            let _ = read::<Document>(&text);
        }
    }
}
