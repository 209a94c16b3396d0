//! What is served.

pub(crate) mod kubernetes;
pub(crate) mod rules;
pub(crate) mod verifier_api;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty};
use kliento::{Audience, Verifier};

use self::kubernetes::KubernetesConfig;
use self::rules::RuleConfig;
use self::verifier_api::VerifierApiConfig;
use super::BoxError;
use super::audit::Audit;
use super::limits::VerificationLimits;
use super::metrics::Metrics;
use crate::fault::Fault;

/// What is answered with; gRPC has trailers.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The parts of the configuration that say what is served.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    /// The audience of rules that name none.
    pub(crate) audience: Option<Audience>,
    pub(crate) verifier: VerifierApiConfig,
    pub(crate) rules: Vec<RuleConfig>,
    pub(crate) kubernetes: Option<KubernetesConfig>,
}

/// Everything that is served but the operations.
#[derive(Debug)]
pub(crate) struct Endpoints {}

impl Endpoints {
    /// Checks the sections, and prepares what they ask for. The audience of `verifier` means nothing: each endpoint has
    /// its own.
    pub(crate) fn new(
        _sections: Sections,
        _verifier: Verifier,
        _limits: VerificationLimits,
        _metrics: Arc<Metrics>,
        _audit: Audit,
    ) -> Result<Self, Fault> {
        Ok(Self {})
    }

    /// What will be served, a line each, for people.
    pub(crate) fn summary(&self) -> Vec<String> {
        Vec::new()
    }

    /// What deserves a second look in what was configured.
    pub(crate) fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    pub(crate) async fn answer<B>(&self, _request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let body = Empty::new().map_err(|never| match never {});
        let mut response = Response::new(Body::new(body));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    }

    /// The bounded name of the endpoint at `path`, for metrics and logs.
    pub(crate) fn name_of(_path: &str) -> &'static str {
        "none"
    }
}
