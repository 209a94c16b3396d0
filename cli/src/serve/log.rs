//! Lines on stderr, as text or JSON, about what this process does. What libraries have to say is left out: some of them
//! would write what is in requests.
//!
//! Each line is written before anything else happens, so none is lost; whoever reads them and stops stops the server, too.

use std::io;

use clap::ValueEnum;
use serde::Deserialize;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use super::audit;
use crate::fault::Fault;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// An object on each line, for programs.
    Json,
}

/// From which importance on lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// What does not work.
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

/// What is written, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(crate) format: Format,
    pub(crate) level: Level,
    /// Whether decisions are, at any level.
    pub(crate) audit: bool,
}

impl Log {
    /// Begins to write.
    pub(crate) fn begin(self) -> Result<(), Fault> {
        let decisions = if self.audit {
            LevelFilter::INFO
        } else {
            LevelFilter::OFF
        };
        let filter = Targets::new()
            .with_target("kliento", LevelFilter::from(self.level))
            .with_target(audit::TARGET, decisions);
        let lines = fmt::layer().with_writer(io::stderr);
        let lines = match self.format {
            Format::Text => lines.boxed(),
            Format::Json => lines
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .boxed(),
        };
        let subscriber = Registry::default().with(lines.with_filter(filter));
        tracing::subscriber::set_global_default(subscriber)
            .map_err(|error| Fault::failure(format!("cannot write logs: {error}")))
    }
}
