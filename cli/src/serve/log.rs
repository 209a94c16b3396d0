//! Lines on stderr, as text or JSON, about what this process does. Lines of libraries are left out: some of them would
//! write what is in requests. No line has [deceptive](terminal::is_deceptive) characters: [`Lines`] escapes them.
//!
//! Each line is written before anything else happens, so none is lost; a reader that stops reading stops the server, too.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Deserialize;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt, reload};

use super::audit;
use crate::fault::Fault;
use crate::terminal::{self, Printable};

/// The target of all lines but decisions. It is said outright, since the crate's name would take the place of the
/// program's.
pub(crate) const TARGET: &str = "kliento::serve";

/// The format of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// An object on each line, for programs.
    Json,
}

/// The lowest level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// Faults.
    Error,
    /// Errors, and what deserves a second look.
    Warn,
    /// Those, and what happens.
    #[default]
    Info,
    /// Those, and what happens to connections.
    Debug,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
        }
    }
}

/// The lines that are written, and their format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(crate) format: Format,
    pub(crate) level: Level,
    /// True if decisions are, at any level.
    pub(crate) audit: bool,
}

impl Log {
    /// Begins to write.
    pub(crate) fn begin(self) -> Result<Writing, Fault> {
        let (subscriber, writing) = self.subscriber(io::stderr);
        tracing::subscriber::set_global_default(subscriber)
            .map_err(|error| Fault::failure(format!("cannot write logs: {error}")))?;
        Ok(writing)
    }

    /// Takes events, and writes lines.
    fn subscriber<W>(self, destination: W) -> (impl Subscriber + Send + Sync, Writing)
    where
        W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
    {
        let (filter, writing) = reload::Layer::new(self.filter());
        let format = self.format;
        let lines = fmt::layer().with_ansi(false).with_writer(Lines {
            destination,
            format,
        });
        let lines = match format {
            Format::Text => lines.boxed(),
            Format::Json => lines
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .boxed(),
        };
        (
            Registry::default().with(lines.with_filter(filter)),
            Writing(writing),
        )
    }

    fn filter(self) -> Targets {
        let decisions = if self.audit {
            LevelFilter::INFO
        } else {
            LevelFilter::OFF
        };
        Targets::new()
            .with_target("kliento", LevelFilter::from(self.level))
            .with_target(audit::TARGET, decisions)
    }
}

/// A log that is being written, and what of it can be changed.
pub(crate) struct Writing(reload::Handle<Targets, Registry>);

impl Writing {
    /// Has the level of another, and its decisions or none; the format stays.
    pub(crate) fn follow(&self, log: Log) {
        // It fails for those alone who have no subscriber any more, and would have nowhere to say so.
        let _ = self.0.reload(log.filter());
    }
}

/// The writer of lines, which escapes deceptive characters. Text from outside is escaped before, in [`audit`]; this is
/// for messages of the system and of libraries, which may quote something.
struct Lines<W> {
    destination: W,
    format: Format,
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Lines<W> {
    type Writer = Lines<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Lines {
            destination: self.destination.make_writer(),
            format: self.format,
        }
    }
}

impl<W: Write> Write for Lines<W> {
    /// Takes whole lines, and writes them at once, so that those of several threads don't mix.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut written = Vec::with_capacity(lines.len());
        for line in String::from_utf8_lossy(lines).split_inclusive('\n') {
            let text = line.strip_suffix('\n').unwrap_or(line);
            match self.format {
                Format::Json => terminal::write_json_text(&mut written, text)?,
                Format::Text => write!(written, "{}", Printable(text))?,
            }
            if text.len() < line.len() {
                written.push(b'\n');
            }
        }
        self.destination.write_all(&written)?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.destination.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tracing::{error, subscriber};

    use super::super::audit::{Decision, Trace};
    use super::super::{CacheUse, Outcome};
    use super::*;

    /// Text of strangers: controls of both kinds, characters that reorder, part lines or take no room.
    const HOSTILE: &str =
        "\u{9b}31m \u{202e} \u{2028} \u{7f} \u{1b}[2J \u{85} \u{200b} \u{feff} \u{e0041} \n\r\" é";

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(format: Format, write: impl FnOnce()) -> Vec<String> {
        let memory = Memory::default();
        let destination = memory.clone();
        let log = Log {
            format,
            level: Level::Debug,
            audit: true,
        };
        let (subscriber, _writing) = log.subscriber(move || destination.clone());
        subscriber::with_default(subscriber, write);
        let octets = memory.0.lock().unwrap().clone();
        let text = String::from_utf8(octets).unwrap();
        assert!(text.ends_with('\n'), "{text:?}");
        text.split_terminator('\n').map(str::to_owned).collect()
    }

    #[track_caller]
    fn assert_harmless(line: &str) {
        let found = line.chars().find(|&c| terminal::is_deceptive(c));
        assert_eq!(found, None, "{line:?}");
    }

    #[test]
    fn no_field_of_a_decision_deceives_whoever_reads_it() {
        let decision = Decision {
            endpoint: "nginx",
            outcome: Outcome::Deny,
            reason: "serve.no_rule",
            message: Some(HOSTILE),
            subject: Some(HOSTILE),
            audience: Some(HOSTILE),
            trace: Trace {
                method: Some(HOSTILE),
                client: Some(HOSTILE),
                request_id: Some(HOSTILE),
            },
            host: Some(HOSTILE),
            path: Some(HOSTILE),
            rule: Some(HOSTILE),
            cache: CacheUse::None,
            elapsed: Duration::ZERO,
        };
        for format in [Format::Text, Format::Json] {
            let lines = lines(format, || decision.write());
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert_harmless(&lines[0]);
            assert!(lines[0].contains('é'), "{}", lines[0]);
            if format == Format::Json {
                let document: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
                for field in [
                    "error",
                    "subject",
                    "audience",
                    "method",
                    "client",
                    "request_id",
                    "host",
                    "path",
                    "rule",
                ] {
                    // Nor when the JSON is read and its values are shown.
                    assert_harmless(document[field].as_str().unwrap());
                }
            }
        }
    }

    #[test]
    fn no_other_line_deceives_its_reader() {
        for format in [Format::Text, Format::Json] {
            let lines = lines(format, || {
                error!(target: "kliento", error = %HOSTILE, other = HOSTILE, "{HOSTILE}");
            });
            for line in &lines {
                assert_harmless(line);
            }
        }
    }

    #[test]
    fn json_that_is_escaped_has_the_same_values() {
        let lines = lines(Format::Json, || error!(target: "kliento", other = HOSTILE));
        let document: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(document["other"], HOSTILE);
    }
}
