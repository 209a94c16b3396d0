//! What goes out: text or one JSON document on stdout, the rest on stderr, and files that appear whole or not at all.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use serde::Serialize;

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

    /// The result of a command that wrote a file, which goes unsaid where the file itself went to stdout.
    pub(crate) fn written(
        &self,
        destination: &Destination,
        document: &impl Serialize,
        text: &impl fmt::Display,
    ) -> Result<(), Fault> {
        match destination {
            Destination::Stdout => Ok(()),
            Destination::File(_) => self.result(document, text),
        }
    }
}

/// One JSON document and a line feed, on stdout.
pub(crate) fn json(document: &impl Serialize) -> Result<(), Fault> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, document)
        .map_err(io::Error::from)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush())
        .map_err(|error| fault::error_on_stdout(&error))
}

/// A line on stderr: progress, warnings, errors. Nobody is there to be told if that fails.
pub(crate) fn progress(line: impl fmt::Display) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Something to know that is no error.
pub(crate) fn warn(line: impl fmt::Display) {
    progress(format_args!("{ODD}warning:{ODD:#} {line}"));
}

/// Where `--out` leads.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// `-`.
    Stdout,
    /// A path.
    File(PathBuf),
}

impl TryFrom<OsString> for Destination {
    type Error = &'static str;

    fn try_from(argument: OsString) -> Result<Self, Self::Error> {
        match argument.to_str() {
            Some("") => Err("give a file, or - for stdout"),
            Some("-") => Ok(Self::Stdout),
            _ => Ok(Self::File(argument.into())),
        }
    }
}

/// File names need not be UTF-8.
impl ValueParserFactory for Destination {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        OsStringValueParser::new().try_map(Self::try_from).into()
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => formatter.write_str("stdout"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// What kind of file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Readable by all; replaces what was there.
    PublicText,
    /// The same, but not fit for a terminal.
    PublicBinary,
    /// Mode 0600; replaces what was there only if told so.
    Secret {
        /// Whether `--force` was given.
        replace: bool,
    },
}

impl Destination {
    /// Refuses, before any work is done, what [`write`](Self::write) would refuse after it.
    pub(crate) fn check(&self, content: Content, output: &Output) -> Result<(), Fault> {
        match self {
            Self::Stdout if output.is_json() => Err(Fault::failure(
                "`--out -` and `--json` would both write to stdout",
            )
            .hint("give `--out` a file")),
            Self::Stdout if content == Content::PublicBinary && io::stdout().is_terminal() => Err(
                Fault::failure("this is binary data, which a terminal can't show")
                    .hint("give `--out` a file, or redirect stdout"),
            ),
            Self::File(path)
                if content == (Content::Secret { replace: false })
                    && is_regular_or_missing(path)
                    && path.symlink_metadata().is_ok() =>
            {
                Err(already_there(path))
            }
            _ => Ok(()),
        }
    }

    /// Writes all of `octets`, or changes nothing.
    pub(crate) fn write(&self, octets: &[u8], content: Content) -> Result<(), Fault> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout
                    .write_all(octets)
                    .and_then(|()| stdout.flush())
                    .map_err(|error| fault::error_on_stdout(&error))
            }
            Self::File(path) => write_file(path, octets, content).map_err(|error| {
                if error.kind() == io::ErrorKind::AlreadyExists {
                    already_there(path)
                } else {
                    Fault::io("write", path, &error)
                }
            }),
        }
    }
}

fn already_there(path: &Path) -> Fault {
    Fault::failure(format!(
        "{} exists already, and keys are not overwritten",
        path.display()
    ))
    .hint("choose another file, or give --force if the key in it is not needed any more")
}

fn write_file(path: &Path, octets: &[u8], content: Content) -> io::Result<()> {
    if !is_regular_or_missing(path) {
        // A device or a pipe: it stays what it is.
        let mut file = File::options().write(true).open(path)?;
        return file.write_all(octets);
    }
    match content {
        Content::PublicText | Content::PublicBinary => {
            // Through a symbolic link, so that the link stays one.
            let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            prepare(&target, octets, 0o666)?.persist(&target)?;
            persist_directory(&target);
        }
        Content::Secret { replace } => {
            let file = prepare(path, octets, 0o600)?;
            if replace {
                file.persist(path)?;
            } else {
                file.persist_noclobber(path)?;
            }
            persist_directory(path);
        }
    }
    Ok(())
}

fn is_regular_or_missing(path: &Path) -> bool {
    path.metadata().map_or(true, |metadata| metadata.is_file())
}

/// The whole content in a file with another name in the same directory, on the disk.
fn prepare(path: &Path, octets: &[u8], mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kliento-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(directory_of(path))?;
    file.write_all(octets)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the new name durable where the system has such a thing; the file itself is there in any case.
fn persist_directory(path: &Path) {
    if cfg!(unix) {
        let _ = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
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
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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
    fn a_value_can_not_forge_another_line() {
        let mut fields = Fields::new();
        fields.add("claim", Printable("x\n  subject  root"));
        assert_eq!(fields.to_string().lines().count(), 1);
    }

    #[test]
    fn replaces_the_target_of_a_link_and_not_the_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_file(&link, b"new", Content::PublicText).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }

    // With a socket and not with a device of the system's, which a bug here would do away with.
    #[test]
    fn leaves_what_is_no_regular_file_what_it_is() {
        use std::os::unix::fs::FileTypeExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(write_file(&path, b"x", Content::PublicText).is_err());
        assert!(path.metadata().unwrap().file_type().is_socket());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn leaves_nothing_behind_when_it_can_not_finish() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, "old").unwrap();
        let secret = Content::Secret { replace: false };
        let error = write_file(&path, b"new", secret).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
