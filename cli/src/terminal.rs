//! Output on a terminal: styles, lines on stderr, and text from outside made safe; and JSON in which the same
//! characters are escaped.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// A heading.
pub(crate) const STRONG: Style = Style::new().bold();
/// Things that are well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Things that are not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Things that deserve a second look.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// Things that matter less.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// Commands to type.
pub(crate) const COMMAND: Style = AnsiColor::Cyan.on_default();

/// Writes a JSON document in which [deceptive](is_deceptive) characters are escaped (RFC 8259 §7): it has the same values,
/// and can be shown.
pub(crate) fn write_json(writer: impl io::Write, document: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(writer, Unambiguous);
    document.serialize(&mut serializer).map_err(io::Error::from)
}

struct Unambiguous;

impl serde_json::ser::Formatter for Unambiguous {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_json_text(writer, fragment)
    }
}

/// Writes JSON, or a part of it, with deceptive characters escaped, all of which are in its strings.
pub(crate) fn write_json_text(
    writer: &mut (impl io::Write + ?Sized),
    json: &str,
) -> io::Result<()> {
    if !json.chars().any(is_deceptive) {
        return writer.write_all(json.as_bytes());
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_deceptive(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    writer.write_all(escaped.as_bytes())
}

/// A line on stderr: progress, warnings, errors. Nobody is there to be told if that fails.
pub(crate) fn progress(line: impl fmt::Display) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Something to know that is no error.
pub(crate) fn warn(line: impl fmt::Display) {
    let line = line.to_string();
    progress(format_args!("{ODD}warning:{ODD:#} {}", Printable(&line)));
}

/// Text from outside, made safe for a terminal: [deceptive](is_deceptive) characters are escaped, and so are combining
/// marks that would change a character that is not part of the text.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut safe = String::with_capacity(self.0.len());
        let mut has_base = false;
        for character in self.0.chars() {
            has_base &= !is_deceptive(character);
            let is_plain = if is_mark(character) {
                has_base
            } else {
                !is_deceptive(character)
            };
            if is_plain {
                safe.push(character);
                has_base = true;
            } else {
                safe.extend(character.escape_unicode());
            }
        }
        formatter.pad(&safe)
    }
}

/// Tells whether a character could take over a terminal, change the order of what people see (UAX #9), or not be seen
/// at all, so that two texts look the same.
///
/// By general category: controls, format characters, separators of lines and paragraphs, private use, and code points
/// without a meaning in the version of Unicode that is compiled in. Besides these, default-ignorable code points
/// (UAX #44), and symbols that are drawn as blanks.
pub(crate) fn is_deceptive(character: char) -> bool {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    ) || is_invisible(character)
}

/// The default-ignorable code points of other categories (`DerivedCoreProperties.txt`), BRAILLE PATTERN BLANK and MUSICAL
/// SYMBOL NULL NOTEHEAD.
const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{1d159}' | '\u{e0000}'..='\u{e0fff}')
}

/// Tells whether a character is drawn onto the one before it.
fn is_mark(character: char) -> bool {
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};
    !character.is_ascii()
        && !is_deceptive(character)
        && character.general_category_group() == GeneralCategoryGroup::Mark
}

/// Labels and values, one pair a line, values in a column of their own.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a line. A value of several lines stays in its column; control characters in it are escaped.
    pub(crate) fn add(&mut self, label: impl Into<String>, value: impl fmt::Display) -> &mut Self {
        self.0.push((label.into(), value.to_string()));
        self
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .0
            .iter()
            .map(|(label, _)| label.chars().count())
            .max()
            .unwrap_or_default();
        for (label, value) in &self.0 {
            let label = Printable(label);
            let mut lines = value.split('\n');
            let first = Printable(lines.next().unwrap_or_default());
            writeln!(formatter, "  {FAINT}{label:width$}{FAINT:#}  {first}")?;
            for line in lines {
                writeln!(formatter, "  {:width$}  {}", "", Printable(line))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_could_take_over_a_terminal_or_deceive_its_reader() {
        assert_eq!(
            Printable("a\u{1b}[31m\r\n\u{202e}b é 語\u{200b}").to_string(),
            "a\\u{1b}[31m\\u{d}\\u{a}\\u{202e}b é 語\\u{200b}"
        );
    }

    #[test]
    fn json_escapes_the_same_and_keeps_its_values() {
        let text = "a\u{9b}\u{7f}\"\u{1b}\u{202e}\\ é 語\u{2028}\u{e0001}";
        let mut json = Vec::new();
        write_json(&mut json, &[(text, 1)]).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(
            json,
            "[[\"a\\u009b\\u007f\\\"\\u001b\\u202e\\\\ é 語\\u2028\\udb40\\udc01\",1]]"
        );
        let back: Vec<(String, u8)> = serde_json::from_str(&json).unwrap();
        assert_eq!(back[0].0, text);
    }

    #[test]
    fn escapes_all_that_is_not_seen() {
        for range in [
            '\u{0}'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{ad}'..='\u{ad}',
            '\u{34f}'..='\u{34f}',
            '\u{600}'..='\u{605}',
            '\u{61c}'..='\u{61c}',
            '\u{6dd}'..='\u{6dd}',
            '\u{70f}'..='\u{70f}',
            '\u{8e2}'..='\u{8e2}',
            '\u{115f}'..='\u{1160}',
            '\u{17b4}'..='\u{17b5}',
            '\u{180b}'..='\u{180f}',
            '\u{200b}'..='\u{200f}',
            '\u{2028}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{2800}'..='\u{2800}',
            '\u{3164}'..='\u{3164}',
            '\u{e000}'..='\u{f8ff}',
            '\u{fdd0}'..='\u{fdef}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{feff}'..='\u{feff}',
            '\u{ffa0}'..='\u{ffa0}',
            '\u{fff0}'..='\u{fffb}',
            '\u{110bd}'..='\u{110bd}',
            '\u{13430}'..='\u{1343f}',
            '\u{1bca0}'..='\u{1bca3}',
            '\u{1d159}'..='\u{1d159}',
            '\u{1d173}'..='\u{1d17a}',
            '\u{e0000}'..='\u{e0fff}',
            '\u{10fffe}'..='\u{10ffff}',
        ] {
            for character in range {
                let escaped = format!("alice{}@x", character.escape_unicode());
                let text = format!("alice{character}@x");
                assert_eq!(Printable(&text).to_string(), escaped);
            }
        }
    }

    #[test]
    fn leaves_what_is_seen_alone() {
        for text in [
            "alice",
            "Zoë",
            "Ωμέγα",
            "語",
            "नमस्ते",
            "שלום",
            "ไทย",
            "a\u{301}",
            "🦀",
            "€ – „x“",
        ] {
            assert_eq!(Printable(text).to_string(), text);
        }
    }

    #[test]
    fn a_combining_mark_can_not_change_what_is_not_part_of_the_text() {
        assert_eq!(Printable("\u{338}=x").to_string(), "\\u{338}=x");
        assert_eq!(
            Printable("a\u{200b}\u{338}").to_string(),
            "a\\u{200b}\\u{338}"
        );
    }

    #[test]
    fn a_value_can_not_forge_another_line() {
        let mut fields = Fields::new();
        fields.add("claim", Printable("x\n  subject  root"));
        assert_eq!(fields.to_string().lines().count(), 1);
    }
}
