//! The endpoints: the [API](verifier_api) of Kliento Verifier, [forward authentication](forward) for proxies, also in
//! [Envoy's gRPC](envoy), and the [webhook](kubernetes) of Kubernetes. All of them send tokens through one
//! [gate](gate).

pub(crate) mod envoy;
pub(crate) mod forward;
pub(crate) mod gate;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod kubernetes;
pub(crate) mod method;
pub(crate) mod path;
pub(crate) mod refusal;
pub(crate) mod rules;
pub(crate) mod verifier_api;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use kliento::{Audience, SharedVerifier};

use self::forward::{Forward, Proxy};
use self::gate::Gate;
use self::kubernetes::{Kubernetes, KubernetesConfig};
use self::refusal::RequestRefusal;
use self::rules::{RuleConfig, Rules};
use self::verifier_api::{VerifierApi, VerifierApiConfig};
use super::BoxError;
use super::limits;
use crate::fault::Fault;

/// The body of an answer; gRPC has trailers.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is there as a whole.
fn full(octets: Bytes) -> Body {
    Full::new(octets)
        .map_err(|never| match never {})
        .boxed_unsync()
}

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
pub(crate) struct Endpoints {
    verifier_api: Option<VerifierApi>,
    forward: Arc<Forward>,
    kubernetes: Option<Kubernetes>,
}

impl Endpoints {
    /// Checks the sections, and prepares what they ask for. The audience of `verifier` means nothing: each endpoint has
    /// its own. The `gate` is one for the whole process, whatever it serves.
    pub(crate) fn new(
        sections: Sections,
        verifier: SharedVerifier,
        gate: &Arc<Gate>,
    ) -> Result<Self, Fault> {
        let rules = Rules::new(sections.rules, sections.audience.as_ref(), &verifier)?;
        let kubernetes = sections
            .kubernetes
            .map(|config| Kubernetes::new(config, &verifier, Arc::clone(gate)));
        Ok(Self {
            forward: Arc::new(Forward::new(rules, Arc::clone(gate))),
            kubernetes,
            verifier_api: sections
                .verifier
                .enabled
                .then(|| VerifierApi::new(verifier, Arc::clone(gate))),
        })
    }

    /// The endpoints that will be served, a line each, for people.
    pub(crate) fn summary(&self) -> Vec<String> {
        let verifier_api = self
            .verifier_api
            .iter()
            .map(|_| "/: the API of Kliento Verifier, for any audience".to_owned());
        let rules = self
            .forward
            .rules()
            .summary()
            .map(|rule| format!("/auth/…: {rule}"));
        let kubernetes = self.kubernetes.iter().map(Kubernetes::summary);
        verifier_api.chain(rules).chain(kubernetes).collect()
    }

    /// Warnings about what deserves a second look in the configuration.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.forward.rules().warnings()
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn forward(&self) -> &Forward {
        &self.forward
    }

    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Some(endpoint) = Endpoint::at(request.uri().path()) else {
            return RequestRefusal::NotFound.response();
        };
        if endpoint == Endpoint::EnvoyGrpc {
            return envoy::answer(Arc::clone(&self.forward), request).await;
        }
        let (parts, body) = request.into_parts();
        match (endpoint, &self.verifier_api, &self.kubernetes) {
            (Endpoint::Proxy(proxy), ..) => self.forward.answer(proxy, &parts).await,
            (Endpoint::VerifierApi, Some(api), _) => api.answer(&parts, limits::read(body)).await,
            (Endpoint::Kubernetes, _, Some(webhook)) => {
                webhook.answer(&parts, limits::read(body)).await
            }
            _ => RequestRefusal::NotFound.response(),
        }
    }

    /// Tells whether programs ask there for themselves, and no proxy or API server does for others.
    pub(crate) fn is_for_programs(path: &str) -> bool {
        Endpoint::at(path) == Some(Endpoint::VerifierApi)
    }

    /// The bounded name of the endpoint at `path`, for metrics and logs.
    pub(crate) fn name_of(path: &str) -> &'static str {
        match Endpoint::at(path) {
            Some(Endpoint::VerifierApi) => verifier_api::NAME,
            Some(Endpoint::Proxy(proxy)) => proxy.name(),
            Some(Endpoint::EnvoyGrpc) => envoy::NAME,
            Some(Endpoint::Kubernetes) => kubernetes::NAME,
            None => "none",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    VerifierApi,
    Proxy(Proxy),
    EnvoyGrpc,
    Kubernetes,
}

impl Endpoint {
    fn at(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::VerifierApi),
            envoy::PATH => Some(Self::EnvoyGrpc),
            kubernetes::PATH => Some(Self::Kubernetes),
            _ => Proxy::at(path).map(Self::Proxy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_client_can_add_to_the_names_of_endpoints() {
        for (path, name) in [
            ("/", "verifier"),
            ("/auth/nginx", "nginx"),
            ("/auth/haproxy", "haproxy"),
            ("/auth/caddy", "caddy"),
            ("/auth/traefik", "traefik"),
            ("/auth/envoy", "envoy"),
            ("/auth/envoy/", "envoy"),
            ("/auth/envoy/kubernetes/token-review", "envoy"),
            ("/envoy.service.auth.v3.Authorization/Check", "envoy-grpc"),
            ("/kubernetes/token-review", "kubernetes"),
            ("/auth/envoyx", "none"),
            ("/auth/nginx/", "none"),
            ("/anything", "none"),
            ("", "none"),
        ] {
            assert_eq!(Endpoints::name_of(path), name, "{path}");
        }
    }
}
