//! The configuration: a TOML file, the flags of the common case, and what both come to.
//!
//! A flag wins over its key in the file. Paths in the file are relative to the file.

pub(super) mod file;
mod values;

use std::path::{Path, PathBuf};
use std::time::Duration as Time;

use kliento::veraid::{Dialect, Policy, TrustAnchors};
use kliento::{Audience, SharedVerifier, SubjectPattern};

use self::file::ConfigFile;
pub(crate) use self::values::{Several, Text, some};
use super::address::Address;
use super::endpoints::Sections;
use super::hosts::HostName;
use super::limits::Limits;
use super::log::{Format, Level, Log};
use super::tls::TlsFiles;
use crate::arguments::Allowed;
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::Source;

/// A file with every key, explained.
pub(crate) const SAMPLE: &str = include_str!("../../../packaging/kliento.toml");

/// The options of the command line, which add to the file or take the place of its keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) listen: Vec<Address>,
    pub(crate) operations_listen: Vec<Address>,
    pub(crate) audience: Option<Audience>,
    pub(crate) allow: Vec<SubjectPattern>,
    /// Serve the verifier API, with or without its section.
    pub(crate) verifier: bool,
    pub(crate) trust_anchors: Option<Source>,
    pub(crate) clock_skew: Option<Duration>,
    pub(crate) allow_algorithms: Vec<Allowed>,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) log: Option<Format>,
    pub(crate) log_level: Option<Level>,
}

/// All that the process needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Vec<Address>,
    /// Addresses that have the operations, and have them alone; if there are none, they are with all else.
    pub(crate) operations_listen: Vec<Address>,
    /// Names by which it is asked for over loopback, beside those that always do.
    pub(crate) hosts: Vec<HostName>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) limits: Limits,
    pub(crate) sections: Sections,
    pub(crate) log: Log,
    pub(crate) shutdown_timeout: Time,
    /// The time for which requests are still taken on once the process is told to end.
    pub(crate) shutdown_delay: Time,
    pub(crate) trust: Trust,
}

/// The trust that decides whose tokens are valid, and when.
#[derive(Debug)]
pub(crate) struct Trust {
    /// The file of the anchors, if they are not built in.
    pub(crate) source: Option<Source>,
    pub(crate) anchors: TrustAnchors,
    pub(crate) policy: Policy,
    pub(crate) clock_skew: Time,
}

impl Trust {
    /// Tells whether what is valid under one is valid under the other, wherever they come from.
    pub(crate) fn is_that_of(&self, other: &Self) -> bool {
        let Self {
            source: _,
            anchors,
            policy,
            clock_skew,
        } = self;
        *anchors == other.anchors && *policy == other.policy && *clock_skew == other.clock_skew
    }

    /// The verifier that the endpoints derive theirs from, each for its audiences.
    pub(crate) fn verifier(&self, cache: usize) -> SharedVerifier {
        SharedVerifier::builder()
            .trust_anchors(self.anchors.clone())
            .policy(self.policy)
            .clock_skew(self.clock_skew)
            .cache_octets(cache)
            .build()
    }
}

impl Settings {
    /// The keys that can't change while the process runs, and are others here than in `running`.
    pub(crate) fn fixed_keys_that_differ(&self, running: &Self) -> Vec<&'static str> {
        let (ours, theirs) = (&self.limits, &running.limits);
        let keys = [
            ("listen", self.listen != running.listen),
            (
                "operations-listen",
                self.operations_listen != running.operations_listen,
            ),
            ("tls", self.tls.is_some() != running.tls.is_some()),
            ("log.format", self.log.format != running.log.format),
            ("limits.body", ours.body != theirs.body),
            ("limits.header", ours.header != theirs.header),
            ("limits.connections", ours.connections != theirs.connections),
            ("limits.streams", ours.streams != theirs.streams),
            (
                "limits.header-timeout",
                ours.header_timeout != theirs.header_timeout,
            ),
            (
                "limits.body-timeout",
                ours.body_timeout != theirs.body_timeout,
            ),
            (
                "limits.idle-timeout",
                ours.idle_timeout != theirs.idle_timeout,
            ),
            ("limits.cache", ours.cache != theirs.cache),
            (
                "limits.verifications",
                ours.verification.concurrent != theirs.verification.concurrent,
            ),
            (
                "limits.queue",
                ours.verification.queue != theirs.verification.queue,
            ),
        ];
        let differ = keys.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(key, _)| key).collect()
    }

    /// Takes what can't change from `running`.
    pub(crate) fn keep_fixed(&mut self, running: &Self) {
        self.listen.clone_from(&running.listen);
        self.operations_listen
            .clone_from(&running.operations_listen);
        self.limits = running.limits;
        self.log.format = running.log.format;
        if self.tls.is_some() != running.tls.is_some() {
            self.tls.clone_from(&running.tls);
        }
    }
}

/// The origin of the settings: a file and the options of the command line.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) file: Option<Source>,
    pub(crate) flags: Flags,
}

impl Origin {
    /// Reads the file, if there is one, and puts the flags on top.
    pub(crate) fn load(&self) -> Result<Settings, Fault> {
        let (config, base) = match &self.file {
            Some(source) => (file::read(source)?, base(source)),
            None => (ConfigFile::default(), PathBuf::new()),
        };
        config.combine(&base, self.flags.clone())
    }

    /// The same while the process runs.
    pub(crate) fn load_again(&self) -> Result<Settings, Fault> {
        let sources = [self.file.as_ref(), self.flags.trust_anchors.as_ref()];
        for source in sources.into_iter().flatten() {
            can_be_read_again(source)?;
        }
        self.load()
    }
}

/// Refuses anything but a file: a pipe has been emptied, and to try would be to wait for somebody to fill it.
fn can_be_read_again(source: &Source) -> Result<(), Fault> {
    let is_gone = match source {
        Source::Stdin => true,
        // A missing file is reported when it is opened.
        Source::File(path) => std::fs::metadata(path).is_ok_and(|file| !file.is_file()),
    };
    if is_gone {
        return Err(Fault::failure(format!(
            "{source} is not a file, so it can't be read again; changes need a restart"
        )));
    }
    Ok(())
}

/// The directory that paths in a file are relative to.
fn base(source: &Source) -> PathBuf {
    match source {
        Source::Stdin => PathBuf::new(),
        Source::File(path) => path.parent().unwrap_or(Path::new("")).to_owned(),
    }
}

impl Trust {
    fn load(source: Option<Source>, policy: Policy, clock_skew: Time) -> Result<Self, Fault> {
        let anchors = match &source {
            None => TrustAnchors::iana(),
            Some(source) => crate::arguments::read_trust_anchors(source).map_err(|fault| {
                fault.hint("give a file with the root's DS or DNSKEY records, or root-anchors.xml; paths in a configuration are relative to it")
            })?,
        };
        Ok(Self {
            source,
            anchors,
            policy,
            clock_skew,
        })
    }
}
