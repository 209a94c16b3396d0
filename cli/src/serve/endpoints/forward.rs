//! Forward authentication: a proxy asks about each request before it passes it on.
//!
//! | proxy | endpoint | says what the request is in |
//! |---|---|---|
//! | nginx (`auth_request`) | `/auth/nginx` | `X-Original-Method`, `X-Original-Host`, `X-Original-URI` |
//! | `HAProxy` (Lua) | `/auth/haproxy` | the same |
//! | Caddy (`forward_auth`) | `/auth/caddy` | `X-Forwarded-Method`, `X-Forwarded-Host`, `X-Forwarded-Uri` |
//! | Traefik (`forwardAuth`) | `/auth/traefik` | the same |
//! | Envoy (`ext_authz` over HTTP) | `/auth/envoy` as `path_prefix` | the request itself |
//!
//! Each endpoint reads only the fields that its proxy sets, and so overwrites: any other could be the client's. A field
//! that is missing, or there twice, is a proxy set up wrongly, and lets nobody through.
//!
//! The answer is 200 with the [fields](super::headers) of the identity, 401 or 403. Proxies that know no more than
//! these (nginx) make an error of everything else, and let the request through neither. (Envoy would, after an error, if
//! `failure_mode_allow` were set: a client that keeps the verifier busy could then go where it likes.)
//!
//! The token comes in one `Authorization` field and nowhere else: what stands in a query ends up in logs.

use std::str;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, HOST};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use kliento::VerifiedToken;
use kliento::http::sole_authorization;

use super::gate::{Case, Gate, Presented};
use super::headers;
use super::host::RequestHost;
use super::method::RequestMethod;
use super::path::RequestPath;
use super::refusal::{NO_STORE, RequestRefusal};
use super::rules::{Access, Asked, Rule, Rules};
use super::{Body, full};
use crate::serve::audit::Trace;

/// A proxy that asks over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxy {
    Nginx,
    Haproxy,
    Caddy,
    Traefik,
    Envoy,
}

/// In front of the path of a request that Envoy asks about.
pub(crate) const ENVOY_PREFIX: &str = "/auth/envoy";

/// The fields in which a proxy says what the request is.
struct Told {
    method: &'static str,
    host: &'static str,
    target: &'static str,
}

const BY_OUR_CONFIGURATION: Told = Told {
    method: "x-original-method",
    host: "x-original-host",
    target: "x-original-uri",
};
const BY_THE_PROXY_ITSELF: Told = Told {
    method: "x-forwarded-method",
    host: "x-forwarded-host",
    target: "x-forwarded-uri",
};

/// For the log alone: the address of a client as the configuration of a proxy says it, and as Caddy and Traefik do of
/// themselves.
const CLIENT_BY_OUR_CONFIGURATION: &str = "x-original-client";
const CLIENT_BY_THE_PROXY_ITSELF: &str = "x-forwarded-for";
/// For the log alone: what a proxy calls the request in its own.
pub(crate) const REQUEST_ID: &str = "x-request-id";

impl Proxy {
    /// The endpoint's name, for the record.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::Envoy => "envoy",
        }
    }

    /// The proxy whose endpoint this is.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            "/auth/nginx" => Some(Self::Nginx),
            "/auth/haproxy" => Some(Self::Haproxy),
            "/auth/caddy" => Some(Self::Caddy),
            "/auth/traefik" => Some(Self::Traefik),
            _ => {
                let rest = path.strip_prefix(ENVOY_PREFIX)?;
                (rest.is_empty() || rest.starts_with('/')).then_some(Self::Envoy)
            }
        }
    }

    /// The request that the proxy asks about.
    fn original(self, request: &Parts) -> Result<Original<'_>, RequestRefusal> {
        let told = match self {
            Self::Nginx | Self::Haproxy => BY_OUR_CONFIGURATION,
            Self::Caddy | Self::Traefik => BY_THE_PROXY_ITSELF,
            Self::Envoy => return original_of_envoy(request),
        };
        let method = the_only(&request.headers, told.method)?;
        Ok(Original {
            method: method_name(method).ok_or(RequestRefusal::UnclearRequest(told.method))?,
            host: the_only(&request.headers, told.host)?,
            target: the_only(&request.headers, told.target)?,
        })
    }

    /// The facts that the proxy tells for the log. Traefik has no name for a request, so one would be the client's.
    fn trace(self, request: &Parts) -> Trace<'_> {
        let field = |name| text_of_the_only(&request.headers, name);
        let by_our_configuration = || Trace {
            method: field(BY_OUR_CONFIGURATION.method),
            client: field(CLIENT_BY_OUR_CONFIGURATION),
            request_id: field(REQUEST_ID),
        };
        let by_the_proxy_itself = |request_id| Trace {
            method: field(BY_THE_PROXY_ITSELF.method),
            client: field(CLIENT_BY_THE_PROXY_ITSELF),
            request_id,
        };
        match self {
            Self::Nginx | Self::Haproxy => by_our_configuration(),
            Self::Caddy => by_the_proxy_itself(field(REQUEST_ID)),
            Self::Traefik => by_the_proxy_itself(None),
            Self::Envoy => Trace {
                method: Some(request.method.as_str()),
                ..by_our_configuration()
            },
        }
    }
}

/// The value of a field that is there once, if it is text.
pub(crate) fn text_of_the_only<'h>(fields: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    the_only(fields, name)
        .ok()
        .and_then(|value| str::from_utf8(value).ok())
}

/// A request that somebody asks about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Original<'a> {
    /// A token (RFC 9110 §9.1), in the client's own case.
    pub(crate) method: &'a str,
    /// With or without a port.
    pub(crate) host: &'a [u8],
    /// In origin form (RFC 9112 §3.2.1).
    pub(crate) target: &'a [u8],
}

impl<'a> Original<'a> {
    fn host_text(&self) -> Option<&'a str> {
        str::from_utf8(self.host).ok()
    }

    /// For the record: queries can hold secrets.
    fn path_text(&self) -> Option<&'a str> {
        let path = self.target.split(|&octet| octet == b'?').next()?;
        str::from_utf8(path).ok()
    }
}

/// `None` if this is no method.
pub(crate) fn method_name(octets: &[u8]) -> Option<&str> {
    Method::from_bytes(octets).ok()?;
    str::from_utf8(octets).ok()
}

/// The value of a field that must be there once.
fn the_only<'h>(fields: &'h HeaderMap, name: &'static str) -> Result<&'h [u8], RequestRefusal> {
    let mut values = fields.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        _ => Err(RequestRefusal::UnclearRequest(name)),
    }
}

/// Envoy sends the request as it is, without its body and with a prefix to its path.
///
/// A fragment is not seen here: `http::Uri` drops `#` and what follows when hyper reads the request line, and hyper
/// hands on no raw target. So `/health/#/../../admin/` is judged as `/health/`. Envoy must refuse fragments, which it does
/// unless its runtime says otherwise (`envoy.reloadable_features.http_reject_path_with_fragment`); over gRPC the target
/// arrives whole, and is refused here.
fn original_of_envoy(request: &Parts) -> Result<Original<'_>, RequestRefusal> {
    let target = request.uri.path_and_query().map(PathAndQuery::as_str);
    let target = target
        .and_then(|target| target.strip_prefix(ENVOY_PREFIX))
        .ok_or(RequestRefusal::UnclearRequest("the path"))?;
    // HTTP/2 has `:authority`, which hyper gives as the URI's; HTTP/1.1 has the one field.
    let authority = request.uri.authority().map(Authority::as_str);
    let host = match (authority, request.headers.contains_key(HOST)) {
        (None, _) => the_only(&request.headers, HOST.as_str())?,
        (Some(authority), false) => authority.as_bytes(),
        (Some(authority), true) => {
            let host = the_only(&request.headers, HOST.as_str())?;
            if !host.eq_ignore_ascii_case(authority.as_bytes()) {
                return Err(RequestRefusal::UnclearRequest("Host and :authority"));
            }
            host
        }
    };
    Ok(Original {
        method: request.method.as_str(),
        host,
        target: target.as_bytes(),
    })
}

/// A request that gets through.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    /// The fields that say who sent it; none if that makes no difference.
    pub(crate) identity: HeaderMap,
    /// The fields that would say so, and of which a client's must not be passed on.
    pub(crate) absent: Vec<HeaderName>,
}

/// Envoy removes these fields from a request before it passes it on.
const ENVOY_REMOVES: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

impl Passage {
    fn response(self, proxy: Proxy) -> Response<Body> {
        let mut response = Response::new(full(bytes::Bytes::new()));
        let names: Vec<&str> = self.absent.iter().map(HeaderName::as_str).collect();
        let removed = HeaderValue::from_str(&names.join(","));
        let fields = response.headers_mut();
        *fields = self.identity;
        fields.insert(CACHE_CONTROL, NO_STORE);
        if let (Proxy::Envoy, false, Ok(removed)) = (proxy, names.is_empty(), removed) {
            fields.insert(ENVOY_REMOVES, removed);
        }
        response
    }
}

/// Decides about requests by rules.
#[derive(Debug)]
pub(crate) struct Forward {
    rules: Rules,
    gate: Arc<Gate>,
}

impl Forward {
    pub(crate) fn new(rules: Rules, gate: Arc<Gate>) -> Self {
        Self { rules, gate }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Answers a proxy's request about another.
    pub(crate) async fn answer(&self, proxy: Proxy, request: &Parts) -> Response<Body> {
        let case = Case::traced(proxy.name(), proxy.trace(request));
        let original = proxy.original(request);
        match self.decide(case, &request.headers, original).await {
            Ok(passage) => passage.response(proxy),
            Err(refusal) => refusal.response(),
        }
    }

    /// Decides, and writes down what and why. `fields` are all that the client sent, as far as the proxy shows them.
    pub(crate) async fn decide<'a>(
        &'a self,
        mut case: Case<'a>,
        fields: &HeaderMap,
        original: Result<Original<'a>, RequestRefusal>,
    ) -> Result<Passage, RequestRefusal> {
        let verdict = match original {
            Ok(original) => self.judge(&mut case, fields, original).await,
            Err(refusal) => Err(refusal),
        };
        let conclusion = verdict.as_ref().map(|(token, _)| token.as_ref());
        self.gate.record(&case, conclusion);
        verdict.map(|(_, passage)| passage)
    }

    async fn judge<'a>(
        &'a self,
        case: &mut Case<'a>,
        fields: &HeaderMap,
        original: Original<'a>,
    ) -> Result<(Option<VerifiedToken>, Passage), RequestRefusal> {
        case.host = original.host_text();
        case.path = original.path_text();
        let rule = self.rule_for(fields, original)?;
        case.rule = Some(&rule.name);

        let (token, identity) = match &rule.access {
            Access::Public => (None, HeaderMap::new()),
            Access::Token(_) if passes_as_preflight(rule, fields, original) => {
                case.unasked = "preflight";
                (None, HeaderMap::new())
            }
            Access::Token(verifier) => {
                case.audience = Some(verifier.audience().as_str());
                let presented = Presented::Header(sole_authorization(fields)?.clone());
                let (cache, verdict) = self.gate.verify(verifier, presented).await;
                case.cache = cache;
                let token = verdict?;
                match headers::identity(&token, &rule.claims) {
                    Ok(identity) => (Some(token), identity),
                    Err(fault) => {
                        let (fault, subject) = (fault.to_string(), token.subject().to_owned());
                        return Err(RequestRefusal::IdentityTooLarge { fault, subject });
                    }
                }
            }
        };
        let absent = headers::absent(&identity, &rule.claims);
        Ok((token, Passage { identity, absent }))
    }

    /// The rule that decides about a request. Whatever is read of the request to find it is dropped here, and not kept
    /// while a token waits to be verified.
    pub(crate) fn rule_for(
        &self,
        fields: &HeaderMap,
        original: Original<'_>,
    ) -> Result<&Rule, RequestRefusal> {
        if fields
            .keys()
            .any(|name| headers::is_reserved(name.as_str()))
        {
            return Err(RequestRefusal::ReservedField);
        }
        if !headers::keeps_its_protocol(fields) {
            return Err(RequestRefusal::Upgrade);
        }
        let host = original.host_text().and_then(RequestHost::parse);
        let host = host.ok_or(RequestRefusal::MalformedHost)?;
        let path = RequestPath::parse(original.target).map_err(RequestRefusal::AmbiguousPath)?;
        self.rules.find(&Asked {
            host: &host,
            path: &path,
            method: RequestMethod::new(original.method, fields),
        })
    }
}

/// Tells whether a rule takes a request without a token, as a CORS preflight.
fn passes_as_preflight(rule: &Rule, fields: &HeaderMap, original: Original<'_>) -> bool {
    rule.preflights && RequestMethod::new(original.method, fields).is_preflight(fields)
}
