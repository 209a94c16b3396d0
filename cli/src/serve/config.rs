//! The configuration: a TOML file, the flags of the common case, and what both come to.
//!
//! A flag wins over its key in the file. Paths in the file are relative to the file.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration as Time;

use kliento::veraid::{Dialect, Policy, TrustAnchors};
use kliento::{Audience, SubjectPattern, Verifier, VerifierBuilder};
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::document;
use super::endpoints::Sections;
use super::endpoints::kubernetes::KubernetesConfig;
use super::endpoints::rules::RuleConfig;
use super::endpoints::verifier_api::VerifierApiConfig;
use super::hosts::HostName;
use super::limits::{Limits, VerificationLimits};
use super::listener::Address;
use super::log::{Format, Level, Log};
use super::tls::TlsFiles;
use crate::arguments::{Allowed, allowing};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::Source;

/// A file with every key, explained.
pub(crate) const SAMPLE: &str = include_str!("../../packaging/kliento.toml");

/// Where it listens unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// The audience of the verifier that all endpoints derive theirs from, which none of them leaves as it is.
const NO_AUDIENCE: &str = "urn:kliento:none";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct ConfigFile {
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

/// How long requests in flight have when the process is to end.
const DEFAULT_SHUTDOWN: Duration = Duration::from_seconds(10);

/// A value that is written as text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text<T>(pub(crate) T);

impl<'de, T> Deserialize<'de> for Text<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

fn value<T>(Text(value): Text<T>) -> T {
    value
}

/// A whole number within bounds.
#[derive(Clone, Copy, Debug)]
struct Whole<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What is negative is as far out of bounds as what is too large.
        let number = i64::deserialize(deserializer)?;
        u64::try_from(number)
            .ok()
            .filter(|number| (MIN..=MAX).contains(number))
            .map(Self)
            .ok_or_else(|| {
                de::Error::custom(format!(
                    "{number} is out of bounds: at least {MIN}, and at most {MAX}"
                ))
            })
    }
}

/// One value, or an array of any number of them.
#[derive(Clone, Debug)]
pub(crate) struct Several<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for OneOrMore<T> {
            type Value = Vec<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, or an array of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
                T::deserialize(de::value::StrDeserializer::new(text)).map(|value| vec![value])
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = sequence.next_element()? {
                    values.push(value);
                }
                Ok(values)
            }
        }

        deserializer
            .deserialize_any(OneOrMore(PhantomData))
            .map(Self)
    }
}

/// One or more. To name none would ask for nothing, where whoever wrote the list meant to ask for something.
pub(crate) fn some<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let Several(values) = Several::deserialize(deserializer)?;
    if values.is_empty() {
        return Err(de::Error::custom(
            "an empty list would ask for nothing: leave it out if that is what is meant",
        ));
    }
    Ok(values)
}

/// The same for a key that has a default.
fn some_several<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let Several(values) = Several::deserialize(deserializer)?;
    if values.is_empty() {
        return Err(de::Error::custom(
            "an empty list: give at least one, or leave it out",
        ));
    }
    Ok(Some(values))
}

/// What the command line adds to the file, or has in its place.
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
    /// How long requests are still taken on once the process is told to end.
    pub(crate) shutdown_delay: Time,
    pub(crate) trust: Trust,
}

/// Whose tokens are valid, and when.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Where the anchors come from, if they are not built in.
    pub(crate) source: Option<Source>,
    pub(crate) anchors: TrustAnchors,
    pub(crate) policy: Policy,
    pub(crate) clock_skew: Time,
}

impl Trust {
    /// Whether what is valid under one is valid under the other, wherever they come from.
    pub(crate) fn is_that_of(&self, other: &Self) -> bool {
        let Self {
            source: _,
            anchors,
            policy,
            clock_skew,
        } = self;
        *anchors == other.anchors && *policy == other.policy && *clock_skew == other.clock_skew
    }

    /// The verifier that the endpoints derive theirs from.
    pub(crate) fn verifier(&self, cache: usize) -> Result<Verifier, Fault> {
        let builder: VerifierBuilder = Verifier::builder(NO_AUDIENCE.parse()?);
        Ok(builder
            .trust_anchors(self.anchors.clone())
            .policy(self.policy)
            .clock_skew(self.clock_skew)
            .cache_octets(cache)
            .build())
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

/// Where settings come from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) file: Option<Source>,
    pub(crate) flags: Flags,
}

impl Origin {
    /// Reads the file, if there is one, and puts the flags on top.
    pub(crate) fn load(&self) -> Result<Settings, Fault> {
        let (config, base) = match &self.file {
            Some(source) => (read(source)?, base(source)),
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

/// What is not a file can't be: a pipe has been emptied, and to try would be to wait for whoever fills it.
fn can_be_read_again(source: &Source) -> Result<(), Fault> {
    let is_gone = match source {
        Source::Stdin => true,
        // What is missing is reported by whoever opens it.
        Source::File(path) => std::fs::metadata(path).is_ok_and(|file| !file.is_file()),
    };
    if is_gone {
        return Err(Fault::failure(format!(
            "{source} is not a file and cannot be read again; changes take a restart"
        )));
    }
    Ok(())
}

/// What paths in a file are relative to.
fn base(source: &Source) -> PathBuf {
    match source {
        Source::Stdin => PathBuf::new(),
        Source::File(path) => path.parent().unwrap_or(Path::new("")).to_owned(),
    }
}

fn read(source: &Source) -> Result<ConfigFile, Fault> {
    let text = source.read_text()?;
    let file: Result<ConfigFile, _> = document::read(&text);
    let file = file.map(|mut file| {
        for rule in &mut file.rules {
            let (line, column) = document::position(&text, rule.span().start);
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
    fn combine(self, base: &Path, flags: Flags) -> Result<Settings, Fault> {
        let audience = flags.audience.or(self.audience.map(value));
        if !flags.allow.is_empty() && audience.is_none() {
            return Err(
                Fault::failure("--allow, and no audience that tokens must name")
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
        let fault = Fault::failure(format!("{twice} is in listen and in operations-listen"));
        return Err(
            fault.hint("leave operations-listen out, and the operations are served with all else")
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
            Fault::failure("there is --allow, and there are rules in the configuration")
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
        [first, rest @ ..] if rest.iter().all(|other| other == first) => policy.only(*first),
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
                "idle-timeout is {idle}, and a request may take longer than that: header-timeout is {header} and \
                 body-timeout {body}"
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
