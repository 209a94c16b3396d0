//! What people and programs read: text or one JSON document on stdout, the rest on stderr.

use std::fmt;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::destination::Destination;
use crate::fault::{self, Fault};

/// A heading.
pub(crate) const STRONG: Style = Style::new().bold();
/// What is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What deserves a second look.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// What could be typed.
pub(crate) const COMMAND: Style = AnsiColor::Cyan.on_default();

/// How a command's result is printed.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// The result, in the one form or the other.
    pub(crate) fn result(
        &self,
        document: &impl Serialize,
        text: &impl fmt::Display,
    ) -> Result<(), Fault> {
        if self.json {
            return json(document);
        }
        let mut stdout = anstream::stdout().lock();
        write!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .map_err(|error| fault::error_on_stdout(&error))
    }

    /// A result that is what the command is for, and no report on it: somebody must be there to take it.
    pub(crate) fn product(
        &self,
        document: &impl Serialize,
        text: &impl fmt::Display,
    ) -> Result<(), Fault> {
        self.result(document, text).map_err(Fault::undelivered)
    }

    /// The result of a command that wrote a file, which goes unsaid where the file itself went to stdout. `text` is one
    /// line, and names in it can't make it two.
    pub(crate) fn written(
        &self,
        destination: &Destination,
        document: &impl Serialize,
        text: &impl fmt::Display,
    ) -> Result<(), Fault> {
        match destination {
            Destination::Stdout => Ok(()),
            Destination::File(_) => {
                let line = text.to_string();
                self.result(document, &format_args!("{}\n", Printable(&line)))
            }
        }
    }
}

/// One JSON document and a line feed, on stdout.
pub(crate) fn json(document: &impl Serialize) -> Result<(), Fault> {
    let mut stdout = io::stdout().lock();
    write_json(&mut stdout, document)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush())
        .map_err(|error| fault::error_on_stdout(&error))
}

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
                escaped.push_str(&format!("\\u{unit:04x}"));
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
    progress(format_args!("{ODD}warning:{ODD:#} {line}"));
}

/// Text from outside, made safe for a terminal: control characters, and those that reorder what people see, are
/// escaped.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let safe: String = self
            .0
            .chars()
            .flat_map(|character| {
                let escaped = is_deceptive(character).then(|| character.escape_unicode());
                let plain = escaped.is_none().then_some(character);
                escaped.into_iter().flatten().chain(plain)
            })
            .collect();
        formatter.pad(&safe)
    }
}

/// Controls, separators of lines, and what changes the direction of text (UAX #9) or takes no room.
pub(crate) fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
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
    fn a_value_can_not_forge_another_line() {
        let mut fields = Fields::new();
        fields.add("claim", Printable("x\n  subject  root"));
        assert_eq!(fields.to_string().lines().count(), 1);
    }
}
