//! Metrics for Prometheus. Labels come from sets that no client can make larger.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kliento::{SharedVerifier, TierStatistics, Timestamp};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::config::Trust;
use super::current::Current;
use super::tls::Tls;
use super::{CacheUse, Outcome};
use crate::version::BACK_END;

/// The media type of the text (`OpenMetrics` 1.0), which Prometheus and its relatives take.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds: a lookup takes a few microseconds, a verification a few hundred, and what waits for its turn takes longer.
const BUCKETS: [f64; 11] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerificationLabels {
    endpoint: &'static str,
    result: &'static str,
    reason: &'static str,
    cache: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    cause: &'static str,
}

/// The reason why a connection was ended by this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A TLS handshake failed.
    Handshake,
    /// A TLS handshake or a request's head took too long.
    HeaderTimeout,
    /// It completed no request for too long.
    IdleTimeout,
    /// It made room for another.
    Dismissed,
    /// It was still there when the time for a shutdown was over.
    Shutdown,
}

impl End {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::HeaderTimeout => "header_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::Dismissed => "dismissed",
            Self::Shutdown => "shutdown",
        }
    }
}

/// The counters of the process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    verifications: Family<VerificationLabels, Counter>,
    verification_time: Family<CacheLabels, Histogram, fn() -> Histogram>,
    requests: Family<RequestLabels, Counter>,
    connections: Gauge,
    accepted: Counter,
    ended: Family<EndLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    configuration_reloads: Family<ReloadLabels, Counter>,
    configured: Gauge<f64, AtomicU64>,
    anchors: Arc<Current<Anchors>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl Metrics {
    /// With what `verifier` remembers and how long the certificate of `tls` is valid among them.
    pub(crate) fn new(
        verifier: Option<Arc<Current<SharedVerifier>>>,
        tls: Option<Arc<Tls>>,
    ) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            verifications: Family::default(),
            verification_time: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            requests: Family::default(),
            connections: Gauge::default(),
            accepted: Counter::default(),
            ended: Family::default(),
            reloads: Family::default(),
            configuration_reloads: Family::default(),
            configured: Gauge::default(),
            anchors: Arc::new(Current::new(Anchors::default())),
        };
        metrics.configured.set(now());
        metrics.register(verifier, tls);
        metrics
    }

    fn register(&mut self, verifier: Option<Arc<Current<SharedVerifier>>>, tls: Option<Arc<Tls>>) {
        let ours = self.registry.sub_registry_with_prefix("kliento");
        ours.register(
            "verifications",
            "Decisions on tokens, by endpoint, result, reason and cache",
            self.verifications.clone(),
        );
        ours.register_with_unit(
            "verification",
            "Time from a request's head to the decision, by cache",
            Unit::Seconds,
            self.verification_time.clone(),
        );
        ours.register(
            "requests",
            "Answers, by endpoint and status",
            self.requests.clone(),
        );
        ours.register("connections", "Open connections", self.connections.clone());
        ours.register(
            "connections_accepted",
            "Accepted connections",
            self.accepted.clone(),
        );
        ours.register(
            "connections_ended",
            "Connections that the server closed early, by cause",
            self.ended.clone(),
        );
        ours.register(
            "tls_reloads",
            "Reloads of changed TLS files, by whether they were usable",
            self.reloads.clone(),
        );
        ours.register(
            "configuration_reloads",
            "Reloads of the configuration, by whether it was usable",
            self.configuration_reloads.clone(),
        );
        ours.register_with_unit(
            "configuration_last_success_timestamp",
            "When the current configuration was loaded, in seconds since 1970",
            Unit::Seconds,
            self.configured.clone(),
        );
        let version = Info::new([
            ("version", env!("CARGO_PKG_VERSION")),
            ("backend", BACK_END),
        ]);
        ours.register("build", "Version and back end of the software", version);
        ours.register_collector(Box::new(TrustAnchors(Arc::clone(&self.anchors))));
        if let Some(verifier) = verifier {
            ours.register_collector(Box::new(Cache(verifier)));
        }
        if let Some(tls) = tls {
            ours.register_collector(Box::new(Certificate(tls)));
        }
        let started = Gauge::<f64, AtomicU64>::default();
        started.set(now());
        self.registry.register_with_unit(
            "process_start_time",
            "When the process started, since 1970",
            Unit::Seconds,
            started,
        );
        self.registry.register_collector(Box::new(Process));
    }

    /// A request was decided upon: `reason` is one of a fixed set.
    pub(crate) fn verification(
        &self,
        endpoint: &'static str,
        result: Outcome,
        reason: &'static str,
        cache: CacheUse,
        elapsed: Duration,
    ) {
        let labels = VerificationLabels {
            endpoint,
            result: result.name(),
            reason,
            cache: cache.name(),
        };
        self.verifications.get_or_create(&labels).inc();
        let labels = CacheLabels {
            cache: cache.name(),
        };
        let time = self.verification_time.get_or_create(&labels);
        time.observe(elapsed.as_secs_f64());
    }

    /// A request was answered.
    pub(crate) fn request(&self, endpoint: &'static str, status: http::StatusCode) {
        let labels = RequestLabels {
            endpoint,
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// Somebody connected; the count of connections goes down when the result is dropped.
    pub(crate) fn connection(&self) -> Connected {
        self.accepted.inc();
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// A connection was ended by this side.
    pub(crate) fn ended(&self, end: End) {
        let labels = EndLabels { cause: end.name() };
        self.ended.get_or_create(&labels).inc();
    }

    /// TLS files had changed.
    pub(crate) fn reloaded(&self, successfully: bool) {
        let result = if successfully { "ok" } else { "error" };
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
    }

    /// The configuration was read again.
    pub(crate) fn configured(&self, successfully: bool) {
        let result = if successfully { "ok" } else { "error" };
        self.configuration_reloads
            .get_or_create(&ReloadLabels { result })
            .inc();
        if successfully {
            self.configured.set(now());
        }
    }

    /// The verifiers trust these from now on.
    pub(crate) fn trusts(&self, trust: &Trust) {
        self.anchors.replace(Anchors::of(trust));
    }

    /// All of it, in the format of [`OPEN_METRICS`].
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail, and what is ours to encode does not either.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs_f64()
}

/// A connection that is open.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The size of what a verifier remembers, found out when it is asked for.
struct Cache(Arc<Current<SharedVerifier>>);

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cache")
    }
}

/// A metric's name, what it tells, and where that is in the statistics of a tier.
type Figure = (&'static str, &'static str, fn(&TierStatistics) -> u64);

impl Collector for Cache {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let statistics = self.0.get().cache_statistics();
        let tiers = [
            ("bundles", statistics.bundles),
            ("organisations", statistics.organisations),
            ("members", statistics.members),
        ];
        let gauges: [Figure; 3] = [
            ("cache_octets", "Bytes in the cache", |tier| tier.octets),
            (
                "cache_capacity_octets",
                "Capacity of the cache in bytes",
                |tier| tier.capacity_octets,
            ),
            (
                "cache_entries",
                "Bundles, organisations and members in the cache",
                |tier| u64::try_from(tier.entries).unwrap_or(u64::MAX),
            ),
        ];
        for (name, help, figure) in gauges {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (tier, statistics) in &tiers {
                let value = i64::try_from(figure(statistics)).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(metric.encode_family(&[("tier", *tier)])?)?;
            }
        }
        let counters: [Figure; 2] = [
            ("cache_hits", "Look-ups that found a valid entry", |tier| {
                tier.hits
            }),
            ("cache_misses", "Look-ups that found none", |tier| {
                tier.misses
            }),
        ];
        for (name, help, figure) in counters {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (tier, statistics) in &tiers {
                let value = figure(statistics);
                ConstCounter::new(value).encode(metric.encode_family(&[("tier", *tier)])?)?;
            }
        }
        Ok(())
    }
}

/// The certificate of TLS, as it is when somebody wants to know.
struct Certificate(Arc<Tls>);

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Certificate")
    }
}

impl Collector for Certificate {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(expiry) = self.0.expiry() else {
            return Ok(());
        };
        let name = "tls_certificate_expiry_timestamp";
        let help = "The last second of the certificate, since 1970";
        let seconds = Some(&Unit::Seconds);
        let metric = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        ConstGauge::new(expiry.unix_seconds()).encode(metric)
    }
}

/// The trust anchors in use.
#[derive(Debug, Default)]
struct Anchors {
    count: u64,
    /// The last second of those that have one, by owner, key tag and algorithm. Keys with the same of all three are one here,
    /// with the earlier end.
    ends: BTreeMap<(String, String, String), i64>,
    /// The date of IANA's file that the built-in ones are from; nothing is known of others.
    reviewed: Option<i64>,
}

impl Anchors {
    fn of(trust: &Trust) -> Self {
        let mut anchors = Self {
            reviewed: trust
                .source
                .is_none()
                .then(|| kliento::TrustAnchors::IANA_DATE.unix_seconds()),
            ..Self::default()
        };
        for anchor in &trust.anchors {
            anchors.count = anchors.count.saturating_add(1);
            let last = anchor
                .validity()
                .periods()
                .last()
                .map(|period| period.end());
            let Some(end) = last.filter(|end| *end < Timestamp::MAX) else {
                continue;
            };
            let key = (
                anchor.owner().to_string(),
                anchor.key_tag().to_string(),
                anchor.algorithm().to_string(),
            );
            let end = end.unix_seconds();
            let earliest = anchors.ends.entry(key).or_insert(end);
            *earliest = end.min(*earliest);
        }
        anchors
    }
}

struct TrustAnchors(Arc<Current<Anchors>>);

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TrustAnchors")
    }
}

impl Collector for TrustAnchors {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let anchors = self.0.get();
        let help = "Trust anchors in use";
        gauge(&mut encoder, "trust_anchors", help, anchors.count)?;
        let seconds = Some(&Unit::Seconds);
        if let Some(reviewed) = anchors.reviewed {
            let name = "trust_anchors_reviewed_timestamp";
            let help =
                "When IANA published the file that the built-in trust anchors are from, since 1970";
            let metric = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
            ConstGauge::new(reviewed).encode(metric)?;
        }
        if anchors.ends.is_empty() {
            return Ok(());
        }
        let name = "trust_anchor_expiry_timestamp";
        let help = "The last second at which a trust anchor is valid, in seconds since 1970";
        let mut metric = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        for ((owner, key_tag, algorithm), end) in &anchors.ends {
            let labels = [
                ("owner", owner.as_str()),
                ("key_tag", key_tag.as_str()),
                ("algorithm", algorithm.as_str()),
            ];
            ConstGauge::new(*end).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// Facts that the operating system knows of this process, under the names that Prometheus has for it. Nothing where
/// there is no `/proc`, as on other systems than Linux (proc(5)).
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(octets) = resident_octets() {
            let help = "Memory that the process has in bytes";
            gauge(&mut encoder, "process_resident_memory_bytes", help, octets)?;
        }
        if let Some(files) = open_files() {
            gauge(&mut encoder, "process_open_fds", "Open files", files)?;
            if let Ok((most, _)) = rlimit::getrlimit(rlimit::Resource::NOFILE) {
                let help = "Limit of open files";
                gauge(&mut encoder, "process_max_fds", help, most)?;
            }
        }
        if let Some(seconds) = processor_seconds() {
            let help = "Time that processors have spent on the process";
            let unit = Some(&Unit::Seconds);
            let metric =
                encoder.encode_descriptor("process_cpu", help, unit, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(metric)?;
        }
        Ok(())
    }
}

/// Without the directory itself, which is open while it is read.
fn open_files() -> Option<u64> {
    let files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(files).ok()?.checked_sub(1)
}

/// In user mode and in the kernel.
fn processor_seconds() -> Option<f64> {
    /// `USER_HZ`, which is the same on all architectures that Rust has (time(7)).
    const TICKS_A_SECOND: f64 = 100.0;
    /// Fields 14 and 15, counted from the third, which comes after the name in brackets.
    const USER: usize = 11;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_ascii_whitespace().skip(USER);
    let user: u32 = ticks.next()?.parse().ok()?;
    let kernel: u32 = ticks.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(kernel)) / TICKS_A_SECOND)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(metric)
}

fn resident_octets() -> Option<u64> {
    const KIB: u64 = 1_024;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes.saturating_mul(KIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_decisions_by_what_can_be_counted() {
        let metrics = Metrics::default();
        let time = Duration::from_micros(70);
        for _ in 0..2 {
            metrics.verification(
                "nginx",
                Outcome::Deny,
                "kliento.audience_mismatch",
                CacheUse::Miss,
                time,
            );
        }
        metrics.request("nginx", http::StatusCode::UNAUTHORIZED);
        let text = metrics.to_text();
        for line in [
            "kliento_verifications_total{endpoint=\"nginx\",result=\"deny\",reason=\"kliento.audience_mismatch\",cache=\"miss\"} 2",
            "kliento_verification_seconds_bucket{le=\"0.00005\",cache=\"miss\"} 0",
            "kliento_verification_seconds_bucket{le=\"0.0001\",cache=\"miss\"} 2",
            "kliento_requests_total{endpoint=\"nginx\",status=\"401\"} 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}: {text}");
        }
    }

    #[test]
    fn knows_what_the_verifier_remembers() {
        let verifier = SharedVerifier::builder().cache_octets(1 << 20).build();
        let text = Metrics::new(Some(Arc::new(Current::new(verifier))), None).to_text();
        for part in [
            "kliento_cache_octets{tier=\"bundles\"} 0",
            "kliento_cache_capacity_octets{tier=\"bundles\"} 524288",
            "kliento_cache_capacity_octets{tier=\"organisations\"} 262144",
            "kliento_cache_capacity_octets{tier=\"members\"} 262144",
            "kliento_cache_entries{tier=\"members\"} 0",
            "kliento_cache_hits_total{tier=\"organisations\"} 0",
            "kliento_cache_misses_total{tier=\"bundles\"} 0",
        ] {
            assert!(text.lines().any(|line| line == part), "{part}: {text}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn tells_what_prometheus_asks_of_every_process() {
        let text = Metrics::default().to_text();
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name}: {text}"))
                .trim()
                .parse()
                .unwrap()
        };
        assert!(value("process_cpu_seconds_total ") >= 0.0);
        assert!(value("process_open_fds ") >= 3.0);
        assert!(value("process_max_fds ") >= value("process_open_fds "));
        assert!(value("process_resident_memory_bytes ") > 1e6);
        assert!(value("process_start_time_seconds ") > 1.7e9);
        let build = format!(
            "kliento_build_info{{version=\"{}\",backend=",
            env!("CARGO_PKG_VERSION")
        );
        assert!(text.contains(&build), "{text}");
        assert!(
            text.contains("# TYPE process_cpu_seconds counter\n"),
            "{text}"
        );
    }

    #[test]
    fn a_connection_counts_for_as_long_as_it_is_open() {
        let metrics = Metrics::default();
        let connected = metrics.connection();
        assert!(metrics.to_text().contains("kliento_connections 1\n"));
        drop(connected);
        let text = metrics.to_text();
        assert!(text.contains("kliento_connections 0\n"));
        assert!(text.contains("kliento_connections_accepted_total 1\n"));
    }
}
