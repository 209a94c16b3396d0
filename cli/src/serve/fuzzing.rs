//! Entry points for the targets in `fuzz/`: all that `kliento serve` reads from strangers, without sockets and files.
//!
//! They say what the program makes of some octets; the targets say what must be so. Nothing else may rest on them.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use kliento::SharedVerifier;
use tokio::runtime::{Builder, Runtime};

use super::config::{Flags, Settings, file};
use super::endpoints::Endpoints;
use super::endpoints::forward::Original;
use super::endpoints::gate::Gate;
use super::endpoints::host::{HostPattern, RequestHost};
use super::endpoints::path::{Certainty, PathPrefix, RequestPath};
use super::hosts::{HostName, Hosts};
use super::limits::BoundedBody;
use super::metrics::Metrics;
use super::plan::Plan;
use crate::fault::Fault;
use crate::input::Source;

/// One for all targets of a process.
static RUNTIME: LazyLock<Option<Runtime>> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().ok());
static METRICS: LazyLock<Arc<Metrics>> = LazyLock::new(Arc::default);

/// The reason why a configuration is refused, with a message for each fault.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no configuration. Each message starts with a place.
    Text(Vec<String>),
    /// Its parts make no sense together.
    Whole(Vec<String>),
}

impl Refused {
    fn whole(fault: &Fault) -> Self {
        Self::Whole(fault.messages().map(str::to_owned).collect())
    }
}

/// A server without listeners.
#[derive(Debug)]
pub struct Server {
    endpoints: Endpoints,
    settings: Settings,
    plan: String,
}

impl Server {
    /// Reads a configuration from standard input, as it were, but leaves out the trust anchors and TLS files that it
    /// names. Tokens are verified by `verifier` if it is given.
    pub fn new(configuration: &str, verifier: Option<&SharedVerifier>) -> Result<Self, Refused> {
        let file = file::parse(configuration, &Source::Stdin)
            .map_err(|fault| Refused::Text(fault.messages().map(str::to_owned).collect()))?;
        let mut settings = file
            .without_files()
            .combine(Path::new(""), Flags::default())
            .map_err(|fault| Refused::whole(&fault))?;
        let sections = std::mem::take(&mut settings.sections);
        let verifier = verifier.cloned();
        let verifier = verifier.unwrap_or_else(|| settings.trust.verifier(settings.limits.cache));
        let gate = Gate::new(settings.limits.verification, Arc::clone(&METRICS));
        let mut plan = Plan::new(&settings, &sections, None);
        let endpoints = Endpoints::new(sections, verifier, &Arc::new(gate))
            .map_err(|fault| Refused::whole(&fault))?;
        plan.add(endpoints.summary(), endpoints.warnings());
        Ok(Self {
            endpoints,
            settings,
            plan: plan.to_string(),
        })
    }

    /// The text that `--check` prints.
    pub fn plan(&self) -> &str {
        &self.plan
    }

    /// Answers a request, with the trailers behind the answer's body. `None` if there is no runtime, or if the body of the
    /// answer breaks off.
    pub fn answer(&self, request: Request<Vec<u8>>) -> Option<(Response<Bytes>, HeaderMap)> {
        let limits = &self.settings.limits;
        let request = request
            .map(|body| BoundedBody::new(Full::new(body.into()), limits.body, limits.body_timeout));
        RUNTIME.as_ref()?.block_on(async {
            let (parts, body) = self.endpoints.answer(request).await.into_parts();
            let body = body.collect().await.ok()?;
            let trailers = body.trailers().cloned().unwrap_or_default();
            Some((Response::from_parts(parts, body.to_bytes()), trailers))
        })
    }

    /// The name of the rule for a request without fields, or the reason why there is none.
    pub fn rule(&self, method: &str, host: &[u8], target: &[u8]) -> Result<&str, &'static str> {
        let original = Original {
            method,
            host,
            target,
        };
        let rule = self
            .endpoints
            .forward()
            .rule_for(&HeaderMap::new(), original);
        rule.map(|rule| rule.name.as_str())
            .map_err(|refusal| refusal.reason())
    }
}

/// The path of a request target, decoded.
pub fn path(target: &[u8]) -> Result<String, String> {
    let path = RequestPath::parse(target).map_err(|fault| fault.to_string())?;
    Ok(path.decoded().to_owned())
}

/// The path of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(PathPrefix);

impl Prefix {
    /// Reads it.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }

    /// The path, decoded, without slashes at its ends.
    pub fn decoded(&self) -> String {
        self.0.to_string().trim_matches('/').to_owned()
    }

    /// Tells whether it covers a target's path in every reading, and in some reading.
    pub fn covers(&self, target: &[u8]) -> Option<(bool, bool)> {
        let path = RequestPath::parse(target).ok()?;
        let covers = |certainty| self.0.covers(&path, certainty);
        Some((
            covers(Certainty::InEveryReading),
            covers(Certainty::InSomeReading),
        ))
    }

    /// Tells whether it covers all that another covers.
    pub fn covers_all_of(&self, other: &Self) -> bool {
        self.0.covers_all_of(&other.0)
    }
}

/// The host of an authority, in the one form that it has.
pub fn host(authority: &str) -> Option<String> {
    RequestHost::parse(authority).map(|host| HostPattern::Exact(host).to_string())
}

/// The host of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(HostPattern);

impl Pattern {
    /// Reads it.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }

    /// The text that reads as this pattern.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Tells whether it covers the host of an authority; `None` if that is no host.
    pub fn covers(&self, authority: &str) -> Option<bool> {
        RequestHost::parse(authority).map(|host| self.0.covers(&host))
    }

    /// Tells whether it covers all that another covers.
    pub fn covers_all_of(&self, other: &Self) -> bool {
        self.0.covers_all_of(&other.0)
    }
}

/// A name of the server in the configuration, in the one form that it has.
pub fn host_name(text: &str) -> Result<String, String> {
    text.parse().map(|name: HostName| name.to_string())
}

/// Tells whether a server of this name takes a request over loopback.
pub fn admits(name: &str, target: &Uri, fields: &HeaderMap) -> Result<bool, String> {
    Ok(Hosts::new(vec![name.parse()?]).admit(target, fields))
}
