//! The plan that a configuration comes to, for people to look over before it is served.

use std::fmt;

use dnssec::TrustAnchor;
use kliento::Timestamp;
use kliento::veraid::{Dialect, KeyAlgorithm};
use serde::Serialize;

use super::address::Address;
use super::config::Settings;
use super::endpoints::Sections;
use super::limits::{Memory, Size};
use super::listener::Surface;
use super::tls::Tls;
use crate::arguments;
use crate::terminal::{Fields, ODD, Printable};

/// More than clocks are apart that are kept at all.
const SUSPICIOUS_SKEW_SECONDS: u64 = 300;

/// All that `--check` shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    status: &'static str,
    listen: Vec<Listen>,
    certificate_valid_until: Option<String>,
    audience: Option<String>,
    trust_anchors: String,
    /// Each of them.
    anchors: Vec<Anchor>,
    clock_skew_seconds: u64,
    key_algorithms: Vec<String>,
    dialects: Vec<String>,
    serves: Vec<String>,
    memory: Budget,
    warnings: Vec<String>,
}

/// A key that is believed without proof.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Anchor {
    owner: String,
    key_tag: u16,
    algorithm: String,
}

#[derive(Serialize)]
struct Listen {
    address: String,
    tls: bool,
    serves: &'static str,
}

/// Upper bounds, in octets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Budget {
    total: u64,
    process: u64,
    cache: u64,
    verifications: u64,
    connections: u64,
    each_connection: u64,
    connection_count: usize,
    streams: u64,
}

impl Plan {
    pub(crate) fn new(settings: &Settings, sections: &Sections, tls: Option<&Tls>) -> Self {
        let expiry = tls.and_then(Tls::expiry);
        let trust = &settings.trust;
        let memory = settings.limits.memory(settings.tls.is_some());
        Self {
            status: "ok",
            listen: listen(settings),
            certificate_valid_until: expiry.map(|expiry| expiry.to_string()),
            audience: sections.audience.as_ref().map(ToString::to_string),
            trust_anchors: trust
                .source
                .as_ref()
                .map_or_else(|| "IANA's, built in".to_owned(), ToString::to_string),
            anchors: trust.anchors.iter().map(Anchor::of).collect(),
            clock_skew_seconds: trust.clock_skew.as_secs(),
            key_algorithms: KeyAlgorithm::ALL
                .iter()
                .filter(|algorithm| trust.policy.allows(**algorithm))
                .map(ToString::to_string)
                .collect(),
            dialects: Dialect::ALL
                .iter()
                .filter(|dialect| trust.policy.takes(**dialect))
                .map(ToString::to_string)
                .collect(),
            serves: Vec::new(),
            memory: Budget::new(&memory, settings.limits.connections),
            warnings: warnings(settings, expiry),
        }
    }

    /// Adds what the endpoints have to say.
    pub(crate) fn add(&mut self, serves: Vec<String>, warnings: Vec<String>) {
        self.serves.extend(serves);
        self.warnings.extend(warnings);
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Anchor {
    fn of(anchor: &TrustAnchor) -> Self {
        Self {
            owner: anchor.owner().to_string(),
            key_tag: anchor.key_tag(),
            algorithm: anchor.algorithm().to_string(),
        }
    }
}

impl Budget {
    fn new(memory: &Memory, connection_count: usize) -> Self {
        Self {
            total: memory.total(),
            process: memory.process,
            cache: memory.cache,
            verifications: memory.verifications,
            connections: memory.connections,
            each_connection: memory.connection,
            connection_count,
            streams: memory.streams,
        }
    }
}

fn listen(settings: &Settings) -> Vec<Listen> {
    let surface = if settings.operations_listen.is_empty() {
        Surface::Everything
    } else {
        Surface::Endpoints
    };
    let endpoints = settings.listen.iter().map(|address| Listen {
        address: address.to_string(),
        tls: settings.tls.is_some() && !address.is_unix(),
        serves: surface.name(),
    });
    let operations = settings.operations_listen.iter().map(|address| Listen {
        address: address.to_string(),
        tls: false,
        serves: Surface::Operations.name(),
    });
    endpoints.chain(operations).collect()
}

/// Warnings about what is allowed, and seldom meant.
fn warnings(settings: &Settings, expiry: Option<Timestamp>) -> Vec<String> {
    let mut warnings = Vec::new();
    let left_out = settings.trust.anchors.left_out().iter();
    warnings.extend(left_out.map(|key| format!("{key}, and was left out of the trust anchors")));
    let outside = settings.listen.iter().find(|address| !address.is_local());
    if let Some(address) = outside
        && settings.tls.is_none()
    {
        warnings.push(format!(
            "{address} can be reached from other machines without TLS, and anybody who reads a token can use it; give \
             --tls-certificate and --tls-key, or make sure that only the proxy can connect"
        ));
    }
    if let Some(address) = outside
        && settings.operations_listen.is_empty()
    {
        warnings.push(format!(
            "/metrics is on {address} for everybody who can connect; --operations-listen moves it"
        ));
    }
    if let Some(expiry) = expiry
        && expiry < arguments::now()
    {
        warnings.push(format!(
            "the TLS certificate expired at {expiry}; clients will refuse it"
        ));
    }
    if settings.tls.is_some() && settings.listen.iter().all(Address::is_unix) {
        warnings.push("there is a TLS certificate, but Unix sockets don't use TLS".to_owned());
    }
    let skew = settings.trust.clock_skew.as_secs();
    if skew > SUSPICIOUS_SKEW_SECONDS {
        warnings.push(format!(
            "tokens are accepted up to {skew} seconds after they have expired; a few seconds are enough for \
             synchronised clocks"
        ));
    }
    warnings
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Fields::new();
        for listen in &self.listen {
            let tls = if listen.tls { "TLS" } else { "no TLS" };
            fields.add(
                "listens",
                format!("{}, {tls}: {}", listen.address, listen.serves),
            );
        }
        if let Some(expiry) = &self.certificate_valid_until {
            fields.add("certificate", format!("valid until {expiry}"));
        }
        fields.add(
            "audience",
            self.audience.as_deref().unwrap_or("none by default"),
        );
        fields.add("trusts", format!("anchors: {}", self.trust_anchors));
        for anchor in &self.anchors {
            let Anchor {
                owner,
                key_tag,
                algorithm,
            } = anchor;
            fields.add("", format!("{owner} key {key_tag}, {algorithm}"));
        }
        fields.add("takes", self.key_algorithms.join(", "));
        fields.add("", self.dialects.join(", "));
        if self.clock_skew_seconds > 0 {
            fields.add("clock skew", format!("{} s", self.clock_skew_seconds));
        }
        for serves in &self.serves {
            fields.add("serves", serves);
        }
        let memory = &self.memory;
        fields.add(
            "memory",
            format!("{} at most, of which", Size(memory.total)),
        );
        let connections = format!(
            "{} for {} connections ({} each)",
            Size(memory.connections),
            memory.connection_count,
            Size(memory.each_connection)
        );
        fields.add("", connections);
        fields.add(
            "",
            format!("{} for further HTTP/2 streams", Size(memory.streams)),
        );
        fields.add("", format!("{} for the cache", Size(memory.cache)));
        fields.add(
            "",
            format!("{} for verifications", Size(memory.verifications)),
        );
        fields.add("", format!("{} for the process", Size(memory.process)));
        fields.fmt(formatter)?;
        for warning in &self.warnings {
            writeln!(formatter, "  {ODD}warning:{ODD:#} {}", Printable(warning))?;
        }
        Ok(())
    }
}
