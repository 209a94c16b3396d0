//! The file, and what it and the flags come to together.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration as Time;

use kliento::veraid::{Dialect, Policy};
use kliento::{Audience, SubjectPattern};
use serde::Deserialize;
use toml::Spanned;

use super::values::{Text, Whole, some, some_several, value};
use super::{Flags, Settings, Trust};
use crate::arguments::{Allowed, allowing};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::Source;
use crate::serve::address::Address;
use crate::serve::document;
use crate::serve::endpoints::Sections;
use crate::serve::endpoints::kubernetes::KubernetesConfig;
use crate::serve::endpoints::rules::RuleConfig;
use crate::serve::endpoints::verifier_api::VerifierApiConfig;
use crate::serve::hosts::HostName;
use crate::serve::limits::{Limits, VerificationLimits};
use crate::serve::log::{Format, Level, Log};
use crate::serve::tls::TlsFiles;

/// The address to listen on unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// The time that requests in flight have when the process is to end.
const DEFAULT_SHUTDOWN: Duration = Duration::from_seconds(10);

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct ConfigFile {
    #[serde(deserialize_with = "some_several")]
    listen: Option<Vec<Text<Address>>>,
    #[serde(deserialize_with = "some_several")]
    operations_listen: Option<Vec<Text<Address>>>,
    hosts: Vec<Text<HostName>>,
    audience: Option<Text<Audience>>,
    trust_anchors: Option<PathBuf>,
    clock_skew: Option<Text<Duration>>,
    allow_algorithms: Vec<Text<Allowed>>,
    #[serde(deserialize_with = "some")]
    dialects: Vec<Text<Dialect>>,
    shutdown_timeout: Option<Text<Duration>>,
    shutdown_delay: Option<Text<Duration>>,
    log: LogSection,
    tls: Option<TlsSection>,
    limits: LimitsSection,
    verifier: Option<VerifierApiConfig>,
    rules: Vec<Spanned<RuleConfig>>,
    kubernetes: Option<KubernetesConfig>,
}

/// `[log]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct LogSection {
    format: Format,
    level: Level,
    audit: bool,
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            format: Format::default(),
            level: Level::default(),
            audit: true,
        }
    }
}

/// `[tls]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TlsSection {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

/// A bundle as an `Authorization` value has 22 KiB at most, and proxies add fields of their own.
const MIN_HEADER: u64 = 32 * 1024;
const MAX_HEADER: u64 = 1024 * 1024;
/// A bundle as an `Authorization` value can be a body, too.
const MIN_BODY: u64 = 32 * 1024;
const MAX_BODY: u64 = 16 * 1024 * 1024;
const MAX_CONNECTIONS: u64 = 1_000_000;
const MAX_STREAMS: u64 = 1_000_000;
const MAX_VERIFICATIONS: u64 = 1_024;
const MAX_QUEUE: u64 = 1_000_000;
const MAX_CACHE: u64 = 1 << 40;

/// `[limits]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct LimitsSection {
    body: Whole<MIN_BODY, MAX_BODY>,
    header: Whole<MIN_HEADER, MAX_HEADER>,
    connections: Whole<1, MAX_CONNECTIONS>,
    streams: Whole<0, MAX_STREAMS>,
    header_timeout: Text<Duration>,
    body_timeout: Text<Duration>,
    idle_timeout: Text<Duration>,
    cache: Whole<0, MAX_CACHE>,
    verifications: Option<Whole<1, MAX_VERIFICATIONS>>,
    queue: Whole<0, MAX_QUEUE>,
}

impl Default for LimitsSection {
    fn default() -> Self {
        let seconds = |count| Text(Duration::from_seconds(count));
        Self {
            body: Whole(65_536),
            header: Whole(65_536),
            // With all else as it is here, and TLS, what `--check` comes to fits the 2 GiB of the systemd unit.
            connections: Whole(2_048),
            streams: Whole(512),
            header_timeout: seconds(10),
            body_timeout: seconds(10),
            idle_timeout: seconds(60),
            cache: Whole(16 * 1024 * 1024),
            verifications: None,
            queue: Whole(1_024),
        }
    }
}

/// Reads the file.
pub(super) fn read(source: &Source) -> Result<ConfigFile, Fault> {
    parse(&source.read_text()?, source)
}

/// Reads the text of the file that is called `source`.
pub(crate) fn parse(text: &str, source: &Source) -> Result<ConfigFile, Fault> {
    let file: Result<ConfigFile, _> = document::read(text);
    let file = file.map(|mut file| {
        for rule in &mut file.rules {
            let (line, column) = document::position(text, rule.span().start);
            rule.get_mut().origin = Some(format!("{source}:{line}:{column}: "));
        }
        file
    });
    file.map_err(|problems| {
        let problems = problems.iter().map(|problem| format!("{source}:{problem}"));
        Fault::failures(problems)
            .hint("`kliento serve --sample` prints a configuration with every key, explained")
    })
}

impl ConfigFile {
    /// The same without the names of files that would be opened.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn without_files(mut self) -> Self {
        self.trust_anchors = None;
        self
    }

    /// Puts the flags on top. Paths in the file are relative to `base`.
    pub(crate) fn combine(self, base: &Path, flags: Flags) -> Result<Settings, Fault> {
        let audience = flags.audience.or(self.audience.map(value));
        if !flags.allow.is_empty() && audience.is_none() {
            return Err(
                Fault::failure("--allow needs an audience that tokens must name")
                    .hint("give --audience, as in --audience https://app.example.com"),
            );
        }
        let rules = self.rules.into_iter().map(Spanned::into_inner).collect();
        let rules = combine_rules(rules, flags.allow)?;
        let verifier = if flags.verifier {
            VerifierApiConfig { enabled: true }
        } else {
            self.verifier
                .unwrap_or(VerifierApiConfig { enabled: false })
        };
        if rules.is_empty() && self.kubernetes.is_none() && !verifier.enabled {
            return Err(nothing_to_serve());
        }
        let operations_listen = or_else(flags.operations_listen, self.operations_listen);
        let listen = combine_listen(or_else(flags.listen, self.listen), &operations_listen)?;
        let anchors = self.trust_anchors.map(|path| Source::File(base.join(path)));
        let allowed = or_else(flags.allow_algorithms, Some(self.allow_algorithms));
        let dialects = or_else(Vec::from_iter(flags.dialect), Some(self.dialects));
        let clock_skew = flags.clock_skew.or(self.clock_skew.map(value));
        let trust = Trust::load(
            flags.trust_anchors.or(anchors),
            policy(&allowed, &dialects),
            clock_skew.map_or(Time::ZERO, time),
        )?;
        let shutdown_timeout = self.shutdown_timeout.map_or(DEFAULT_SHUTDOWN, value);
        Ok(Settings {
            listen,
            operations_listen,
            hosts: self.hosts.into_iter().map(value).collect(),
            tls: combine_tls(flags.tls, self.tls, base),
            limits: self.limits.resolve()?,
            sections: Sections {
                audience,
                verifier,
                rules,
                kubernetes: self.kubernetes,
            },
            log: Log {
                format: flags.log.unwrap_or(self.log.format),
                level: flags.log_level.unwrap_or(self.log.level),
                audit: self.log.audit,
            },
            shutdown_timeout: time(shutdown_timeout),
            shutdown_delay: self
                .shutdown_delay
                .map_or(Time::ZERO, |delay| time(delay.0)),
            trust,
        })
    }
}

/// A server that refuses everybody looks like one that works.
fn nothing_to_serve() -> Fault {
    Fault::failure("there is nothing to serve: no rules, no [kubernetes] and no [verifier]").hint(
        "behind a proxy, give --audience and --allow, as in --audience https://app.example.com --allow '*@example.com', \
         or write [[rules]] into the file of --config; give --verifier for the API of Kliento Verifier",
    )
}

fn combine_listen(
    listen: Vec<Address>,
    operations_listen: &[Address],
) -> Result<Vec<Address>, Fault> {
    if listen.is_empty() {
        return Ok(vec![DEFAULT_LISTEN.parse().map_err(Fault::failure)?]);
    }
    let is_both =
        |address: &&Address| !address.has_any_port() && operations_listen.contains(address);
    if let Some(twice) = listen.iter().find(is_both) {
        let fault = Fault::failure(format!(
            "{twice} is both in listen and in operations-listen"
        ));
        return Err(
            fault.hint("remove operations-listen to serve /healthz, /readyz and /metrics on the addresses of listen")
        );
    }
    Ok(listen)
}

fn combine_tls(
    flags: Option<(PathBuf, PathBuf)>,
    file: Option<TlsSection>,
    base: &Path,
) -> Option<TlsFiles> {
    let client_ca = file.as_ref().and_then(|file| file.client_ca.as_ref());
    let client_ca = client_ca.map(|path| base.join(path));
    let from_file = || file.map(|file| (base.join(file.certificate), base.join(file.key)));
    let (certificate, key) = flags.or_else(from_file)?;
    Some(TlsFiles {
        certificate,
        key,
        client_ca,
    })
}

/// `--allow` is a rule by itself, and which of several rules applies must not depend on where they are written.
fn combine_rules(
    rules: Vec<RuleConfig>,
    allow: Vec<SubjectPattern>,
) -> Result<Vec<RuleConfig>, Fault> {
    if allow.is_empty() {
        return Ok(rules);
    }
    if !rules.is_empty() {
        return Err(
            Fault::failure("--allow can't be combined with rules in the configuration")
                .hint("write `subjects = [\"…\"]` in a rule in place of --allow"),
        );
    }
    Ok(vec![RuleConfig::allowing(allow)])
}

/// The flags, or the file if there are none.
fn or_else<T>(flags: Vec<T>, file: Option<Vec<Text<T>>>) -> Vec<T> {
    if flags.is_empty() {
        let file = file.unwrap_or_default();
        return file.into_iter().map(value).collect();
    }
    flags
}

/// No dialect named is both of them.
fn policy(allowed: &[Allowed], dialects: &[Dialect]) -> Policy {
    let policy = allowing(allowed);
    match dialects {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => policy.with_only(*first),
        _ => policy,
    }
}

fn time(duration: Duration) -> Time {
    Time::from_secs(duration.seconds())
}

impl LimitsSection {
    fn resolve(self) -> Result<Limits, Fault> {
        let (Text(header), Text(body), Text(idle)) =
            (self.header_timeout, self.body_timeout, self.idle_timeout);
        if idle < body || idle < header {
            return Err(Fault::failure(format!(
                "idle-timeout ({idle}) is shorter than header-timeout ({header}) or body-timeout ({body})"
            ))
            .hint("make idle-timeout the longest of the three"));
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let concurrent = self.verifications.map_or(cores, Whole::count);
        Ok(Limits {
            body: self.body.0,
            header: u32::try_from(self.header.0).unwrap_or(u32::MAX),
            connections: self.connections.count(),
            streams: self.streams.count(),
            header_timeout: time(header),
            body_timeout: time(body),
            idle_timeout: time(idle),
            cache: self.cache.count(),
            verification: VerificationLimits {
                concurrent,
                queue: self.queue.count(),
            },
        })
    }
}
