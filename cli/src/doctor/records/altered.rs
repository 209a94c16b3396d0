//! A key's own record, recognised in spite of what a DNS host's form, a word processor or a script did to it.
//!
//! The key's id is a digest, so a text that holds it is about the key, whatever else was done to the text. The search
//! undoes what is known to happen to records on their way: HTML entities, percent-encoding, zone-file escapes, lost
//! plus signs, blanks, case and the URL-safe alphabet. An alteration is named if undoing it makes a difference.

use std::fmt;

use super::reading::TYPOGRAPHIC;
use crate::doctor::words::shortened;

/// Something that was done to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Alteration {
    /// Characters stand as HTML entities, such as `&#43;`.
    Entities,
    /// Characters are percent-encoded, such as `%2B`.
    PercentEncoding,
    /// Characters stand as a zone file's escapes, such as `\032`.
    Escapes,
    /// Characters of a word processor, or ones that can't be seen.
    Typography,
    /// The key id's plus signs are spaces now.
    PlusAsSpace,
    /// The key id lacks its plus signs.
    PlusLost,
    /// There is white space within the key id.
    Spaces,
    /// The key id's letters are of the other case.
    Case,
    /// The key id has `-` and `_` for `+` and `/`.
    UrlAlphabet,
    /// Quotes are part of the value.
    Quotes,
    /// The parentheses of a zone file are part of the value.
    Parentheses,
    /// A backslash stands at the end.
    Backslash,
    /// There is a line break, or another control character.
    ControlCharacters,
    /// The record's type is part of the value.
    RecordType,
    /// Commas or semicolons separate the fields.
    Separators,
    /// The first field is this and not the number of the key's algorithm.
    FirstField { is: String, expected: String },
}

impl fmt::Display for Alteration {
    /// A clause whose subject is the record.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Entities => "characters were replaced by HTML entities, such as &#43; for +",
            Self::PercentEncoding => "characters were percent-encoded, such as %2B for +",
            Self::Escapes => "a zone file's escapes, such as \\032 for a space, became part of it",
            Self::Typography => {
                "a word processor's quotes or spaces, or invisible characters, got into it"
            }
            Self::PlusAsSpace => "each + in its key id became a space",
            Self::PlusLost => "each + in its key id was dropped",
            Self::Spaces => "spaces or line breaks got into its key id",
            Self::Case => "upper-case and lower-case letters of its key id were changed",
            Self::UrlAlphabet => "- and _ stand in its key id where it has + and /",
            Self::Quotes => "quotes became part of the value",
            Self::Parentheses => "a zone file's parentheses became part of the value",
            Self::Backslash => "a backslash was added at the end",
            Self::ControlCharacters => "a line break or another control character got into it",
            Self::RecordType => "the record type TXT became part of the value",
            Self::Separators => "commas or semicolons stand between its fields",
            Self::FirstField { is, expected } => {
                return write!(
                    formatter,
                    "its first field is {:?}, which should be {expected}",
                    shortened(is)
                );
            }
        })
    }
}

/// One step of undoing, applied to a text before the key id is looked for in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Entities,
    Percent,
    Escapes,
    Invisible,
    Alphabet,
    Case,
    Blanks,
    Plus,
}

impl Step {
    /// In the order in which they are undone: what encodes characters comes before what changes them.
    const ALL: [Self; 8] = [
        Self::Entities,
        Self::Percent,
        Self::Escapes,
        Self::Invisible,
        Self::Alphabet,
        Self::Case,
        Self::Blanks,
        Self::Plus,
    ];
    /// Those that decode, and change nothing about an honest record.
    const DECODING: [Self; 4] = [
        Self::Entities,
        Self::Percent,
        Self::Escapes,
        Self::Invisible,
    ];

    fn undo(self, text: &str) -> String {
        match self {
            Self::Entities => without_entities(text),
            Self::Percent => percent_decoded(text),
            Self::Escapes => without_escapes(text),
            Self::Invisible => text
                .chars()
                .map(|character| {
                    if is_invisible(character) {
                        ' '
                    } else {
                        character
                    }
                })
                .collect(),
            Self::Alphabet => text.replace('-', "+").replace('_', "/"),
            Self::Case => text.to_ascii_lowercase(),
            Self::Blanks => text.split_whitespace().collect(),
            Self::Plus => text.replace('+', ""),
        }
    }
}

fn is_invisible(character: char) -> bool {
    TYPOGRAPHIC.contains(&character) || character.is_control()
}

/// Undoes all steps but one.
fn undone(text: &str, but: Option<Step>) -> String {
    Step::ALL
        .into_iter()
        .filter(|step| Some(*step) != but)
        .fold(text.to_owned(), |text, step| step.undo(&text))
}

fn holds(text: &str, id: &str, but: Option<Step>) -> bool {
    undone(text, but).contains(&undone(id.trim_end_matches('='), but))
}

/// The alterations of the record of a key that has one of these ids (Base64), if `text` is such a record; nothing of it
/// may be known.
///
/// `algorithm` is the number that the key's records start with.
pub(super) fn alterations(text: &str, ids: &[String], algorithm: &str) -> Option<Vec<Alteration>> {
    let id = ids.iter().find(|id| holds(text, id, None))?;
    let matters = |step: Step| !holds(text, id, Some(step));
    let changes = |step: Step| step.undo(text) != text;
    let decoded = Step::DECODING
        .into_iter()
        .fold(text.to_owned(), |text, step| step.undo(&text));
    let has_control = text.contains(char::is_control);
    let has_typography = text.contains(TYPOGRAPHIC);
    let about_plus = match (matters(Step::Plus), matters(Step::Blanks)) {
        (true, true) => Some(Alteration::PlusAsSpace),
        (true, false) => Some(Alteration::PlusLost),
        (false, true) => Some(Alteration::Spaces),
        (false, false) => None,
    };
    let found = [
        (changes(Step::Entities), Alteration::Entities),
        (changes(Step::Percent), Alteration::PercentEncoding),
        (changes(Step::Escapes), Alteration::Escapes),
        (has_typography, Alteration::Typography),
        (has_control, Alteration::ControlCharacters),
        (matters(Step::Alphabet), Alteration::UrlAlphabet),
        (matters(Step::Case), Alteration::Case),
    ];
    let found = found
        .into_iter()
        .filter_map(|(applies, alteration)| applies.then_some(alteration));
    Some(
        found
            .chain(about_plus)
            .chain(around(&decoded, algorithm))
            .collect(),
    )
}

/// The alterations of a decoded text outside the key id.
fn around(decoded: &str, algorithm: &str) -> Vec<Alteration> {
    let text = decoded.trim();
    let is_quoted = text.contains(['"', '\'', '`']);
    let is_parenthesised = text.contains(['(', ')']);
    let is_separated = text.contains([',', ';', '|']);
    let ends_with_backslash = text.ends_with('\\');
    let bare: String = text
        .chars()
        .map(|character| match character {
            '"' | '\'' | '`' | '(' | ')' | ',' | ';' | '|' => ' ',
            other => other,
        })
        .collect();
    let mut fields = bare.split_whitespace();
    let mut first = fields.next().unwrap_or_default();
    let has_type = first.eq_ignore_ascii_case("TXT");
    if has_type {
        first = fields.next().unwrap_or_default();
    }
    let found = [
        (is_quoted, Alteration::Quotes),
        (is_parenthesised, Alteration::Parentheses),
        (has_type, Alteration::RecordType),
        (is_separated, Alteration::Separators),
        (ends_with_backslash, Alteration::Backslash),
        (
            first != algorithm,
            Alteration::FirstField {
                is: first.to_owned(),
                expected: algorithm.to_owned(),
            },
        ),
    ];
    found
        .into_iter()
        .filter_map(|(applies, alteration)| applies.then_some(alteration))
        .collect()
}

/// Replaces the entities that stand for characters of a record (HTML, §13.5).
fn without_entities(text: &str) -> String {
    decoded_after('&', text, |rest| {
        let (name, after) = rest.split_once(';')?;
        Some((entity(name)?, after))
    })
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32)
    };
    if let Some(digits) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        return number(digits, 16);
    }
    if let Some(digits) = name.strip_prefix('#') {
        return number(digits, 10);
    }
    Some(match name {
        "plus" => '+',
        "sol" => '/',
        "equals" => '=',
        "quot" => '"',
        "apos" => '\'',
        "amp" => '&',
        "nbsp" => ' ',
        _ => return None,
    })
}

/// Percent-decoding (RFC 3986 §2.1) of printable ASCII; all else stays.
fn percent_decoded(text: &str) -> String {
    decoded_after('%', text, |rest| {
        let (digits, after) = rest.split_at_checked(2)?;
        if !is_all(digits, char::is_ascii_hexdigit) {
            return None;
        }
        Some((printable(u8::from_str_radix(digits, 16).ok()?)?, after))
    })
}

/// A zone file's escapes (RFC 1035 §5.1): three decimal digits, or the character itself.
fn without_escapes(text: &str) -> String {
    decoded_after('\\', text, |rest| {
        let number = rest
            .split_at_checked(3)
            .filter(|(digits, _)| is_all(digits, char::is_ascii_digit));
        if let Some((digits, after)) = number {
            return Some((printable(digits.parse().ok()?)?, after));
        }
        let (character, after) = rest.split_at_checked(1)?;
        let character = character.chars().next()?;
        (character.is_ascii_punctuation() || character == ' ').then_some((character, after))
    })
}

fn printable(octet: u8) -> Option<char> {
    matches!(octet, b' '..=b'~').then_some(char::from(octet))
}

fn is_all(text: &str, property: fn(&char) -> bool) -> bool {
    text.chars().all(|character| property(&character))
}

/// Replaces each `mark` with what follows it by the character that `decode` reads there, if it reads one; it gives back the
/// rest.
fn decoded_after(
    mark: char,
    text: &str,
    decode: impl for<'t> Fn(&'t str) -> Option<(char, &'t str)>,
) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        decoded.push_str(before);
        let (character, after) = decode(after).unwrap_or((mark, after));
        decoded.push(character);
        rest = after;
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrg/SH70ccs=";

    fn of(text: &str) -> Option<Vec<Alteration>> {
        alterations(text, &[ID.to_owned()], "1")
    }

    fn first_field(is: &str) -> Alteration {
        Alteration::FirstField {
            is: is.to_owned(),
            expected: "1".to_owned(),
        }
    }

    #[test]
    fn says_what_was_done_to_a_record_that_is_recognised() {
        let lower = ID.to_ascii_lowercase();
        for (text, expected) in [
            (format!("TXT 1 {ID} 3600"), vec![Alteration::RecordType]),
            (format!("v=1 {ID} 3600"), vec![first_field("v=1")]),
            (format!("rsa-2048 {ID} 3600"), vec![first_field("rsa-2048")]),
            (format!("(1 {ID} 3600)"), vec![Alteration::Parentheses]),
            (format!("( 1 {ID} 3600 )"), vec![Alteration::Parentheses]),
            (format!("1\\032{ID}\\0323600"), vec![Alteration::Escapes]),
            (
                format!("\\\"1 {ID} 3600\\\""),
                vec![Alteration::Escapes, Alteration::Quotes],
            ),
            (
                format!("1 {} 3600", ID.replace('+', " ")),
                vec![Alteration::PlusAsSpace],
            ),
            (
                format!("1 {} 3600", ID.replace('+', "")),
                vec![Alteration::PlusLost],
            ),
            (
                format!("1 {} 3600", ID.replace('k', "k ")),
                vec![Alteration::Spaces],
            ),
            (format!("1 {lower} 3600"), vec![Alteration::Case]),
            (
                format!("1 {} 3600", ID.to_ascii_uppercase()),
                vec![Alteration::Case],
            ),
            (
                format!("1 {} 3600", lower.replace('+', " ")),
                vec![Alteration::Case, Alteration::PlusAsSpace],
            ),
            (format!("1 {ID} 3600\\"), vec![Alteration::Backslash]),
            (
                format!("1 {ID} 3600\r\n"),
                vec![Alteration::ControlCharacters],
            ),
            (
                format!("1%20{}%203600", ID.replace('+', "%2B").replace('=', "%3d")),
                vec![Alteration::PercentEncoding],
            ),
            (
                format!("1 {} 3600", ID.replace('+', "&#43;").replace('/', "&#x2F;")),
                vec![Alteration::Entities],
            ),
            (
                format!("&quot;1 {ID} 3600&quot;"),
                vec![Alteration::Entities, Alteration::Quotes],
            ),
            (
                format!("1 {} 3600", ID.replace('+', "-").replace('/', "_")),
                vec![Alteration::UrlAlphabet],
            ),
            (format!("1;{ID};3600"), vec![Alteration::Separators]),
            (
                format!("1\u{a0}{ID}\u{200b} 3600"),
                vec![Alteration::Typography],
            ),
            (format!("1 {ID} 3600"), vec![]),
            (format!("1 {} 3600", ID.trim_end_matches('=')), vec![]),
        ] {
            assert_eq!(of(&text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn does_not_take_another_records_text_for_it() {
        let other = ID.replacen('o', "p", 1);
        for text in [
            String::new(),
            "v=spf1 -all".to_owned(),
            format!("1 {other} 3600"),
            format!("1 {} 3600", &ID[..40]),
            "&&&%%%\\\\\\".to_owned(),
        ] {
            assert_eq!(of(&text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_any_text(text in any::<String>(), tail in "[&#x%\\\\0-9a-f;]{0,12}") {
            let _ = of(&text);
            let _ = of(&format!("1 {ID} {tail}{text}"));
        }
    }
}
