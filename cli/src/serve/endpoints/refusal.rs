//! Refusals of requests, and what the client is told: a status and a reason code, and no more.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use kliento::Audience;
use serde::Serialize;

use super::headers::REASON;
use super::path::AmbiguousPath;
use super::{Body, full};
use crate::fault::with_causes;
use crate::serve::Outcome;
use crate::serve::limits::BodyFault;

/// The reason why a request is refused. Those that start with `serve.` are this process's own; those of the libraries
/// start with `http.`, `kliento.`, `veraid.` and so on.
#[derive(Debug)]
pub(crate) enum RequestRefusal {
    /// There is no token, or more than one, or it is invalid (401); it is not enough for what is asked (403); it could not
    /// be verified (500), or not now (503).
    Authentication(kliento::http::Refusal),
    /// The token was verified, and is for an audience that is not in question: 401.
    OtherAudience { audience: Audience, subject: String },
    /// A field by which the client could pass for somebody: 403.
    ReservedField,
    /// A field that asks the backend to change to a protocol other than WebSocket: 403.
    Upgrade,
    /// No rule is for this host, path and method: 403.
    NoRule,
    /// Servers read the path in several ways: 403.
    AmbiguousPath(AmbiguousPath),
    /// Two rules apply, depending on how the backend reads the path: 403.
    AmbiguousRule,
    /// Two rules apply, depending on which method the backend takes the request's for: 403.
    AmbiguousMethod,
    /// The text in the place of the host is no host: 403.
    MalformedHost,
    /// The organisation puts the member in more groups than Kubernetes is told of: 403.
    TooManyGroups { most: usize, subject: String },
    /// The identity can't be told: 403.
    IdentityTooLarge { fault: String, subject: String },
    /// The proxy does not say, or says twice, what the request was that it asks about: 400.
    UnclearRequest(&'static str),
    /// The body was not read: 400, 408 or 413.
    Body(BodyFault),
    /// The body is no review of a token: 400.
    MalformedReview(String),
    /// The body is of another type than the endpoint reads: 415.
    MediaType,
    /// The body is compressed, or otherwise not sent as it is: 415.
    ContentEncoding,
    /// The request is for a host that is not this one, as after DNS rebinding: 421.
    Misdirected,
    /// The endpoint takes POST alone: 405.
    Method,
    /// Nothing is served there: 404.
    NotFound,
}

impl RequestRefusal {
    /// A stable name, one of a fixed set.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Authentication(refusal) => refusal.reason(),
            Self::OtherAudience { .. } => "kliento.audience_mismatch",
            Self::ReservedField => "serve.reserved_header",
            Self::Upgrade => "serve.upgrade",
            Self::NoRule => "serve.no_rule",
            Self::AmbiguousPath(_) | Self::AmbiguousRule => "serve.ambiguous_path",
            Self::AmbiguousMethod => "serve.ambiguous_method",
            Self::MalformedHost => "serve.malformed_host",
            Self::TooManyGroups { .. } => "kubernetes.too_many_groups",
            Self::IdentityTooLarge { .. } => "serve.identity_too_large",
            Self::UnclearRequest(_) => "serve.unclear_request",
            Self::Body(BodyFault::TooLarge) => "serve.body_too_large",
            Self::Body(BodyFault::TooSlow) => "serve.body_too_slow",
            Self::Body(BodyFault::Broken) => "serve.body_broken",
            Self::MalformedReview(_) => "serve.malformed_review",
            Self::MediaType => "serve.media_type",
            Self::ContentEncoding => "serve.content_encoding",
            Self::Misdirected => "serve.misdirected",
            Self::Method => "serve.method",
            Self::NotFound => "serve.not_found",
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Authentication(refusal) => refusal.status(),
            Self::OtherAudience { .. } => StatusCode::UNAUTHORIZED,
            Self::ReservedField
            | Self::Upgrade
            | Self::NoRule
            | Self::AmbiguousPath(_)
            | Self::AmbiguousRule
            | Self::AmbiguousMethod
            | Self::MalformedHost
            | Self::TooManyGroups { .. }
            | Self::IdentityTooLarge { .. } => StatusCode::FORBIDDEN,
            Self::UnclearRequest(_) | Self::MalformedReview(_) | Self::Body(BodyFault::Broken) => {
                StatusCode::BAD_REQUEST
            }
            Self::Body(BodyFault::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyFault::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType | Self::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    /// The subject of the token that is refused, if it was verified.
    pub(crate) fn subject(&self) -> Option<&str> {
        match self {
            Self::Authentication(kliento::http::Refusal::Token(error)) => error.subject(),
            Self::OtherAudience { subject, .. }
            | Self::TooManyGroups { subject, .. }
            | Self::IdentityTooLarge { subject, .. } => Some(subject),
            _ => None,
        }
    }

    /// The outcome to write down.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Outcome::Deny,
            _ => Outcome::Error,
        }
    }

    /// For the operator's log.
    pub(crate) fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Authentication(refusal) => with_causes(refusal).into(),
            Self::OtherAudience { audience, .. } => {
                format!("the token is for the audience {:?}, and the request needs another", audience.as_str()).into()
            }
            Self::ReservedField => {
                "the client sent a field whose name starts with X-Kliento-, or could be read as such a name".into()
            }
            Self::Upgrade => {
                "the client asks to upgrade to a protocol other than WebSocket (Upgrade); after an upgrade to h2c, the \
                 proxy would pass on requests that were not checked"
                    .into()
            }
            Self::NoRule => "no rule covers this host, path and method".into(),
            Self::AmbiguousPath(fault) => fault.to_string().into(),
            Self::AmbiguousRule => {
                "another rule applies to the path as some servers read it: without regard to case, without the part \
                 after a semicolon or a colon, up to an encoded ? or #, without dots and blanks at the end of a \
                 segment, or as an 8.3 name"
                    .into()
            }
            Self::AmbiguousMethod => {
                "another rule applies to the method as some servers read it: without regard to case, or from a field \
                 such as X-HTTP-Method-Override"
                    .into()
            }
            Self::MalformedHost => "the host is not a valid host name or address".into(),
            Self::TooManyGroups { most, .. } => {
                format!("the token has more than {most} groups; claim fewer").into()
            }
            Self::IdentityTooLarge { fault, .. } => fault.clone().into(),
            Self::UnclearRequest(what) => {
                format!("the proxy does not describe the request that it asks about: {what}").into()
            }
            Self::Body(fault) => fault.to_string().into(),
            Self::MalformedReview(fault) => format!("not a TokenReview: {fault}").into(),
            Self::MediaType => "the media type of the body is not supported here".into(),
            Self::ContentEncoding => {
                "the body has a Content-Encoding, which is not supported; send it without one".into()
            }
            Self::Misdirected => {
                "the request came over loopback for a host that is not this one; hosts in the configuration names more"
                    .into()
            }
            Self::Method => "only POST is allowed here".into(),
            Self::NotFound => "there is nothing at this path".into(),
        }
    }

    /// The answer over HTTP: problem details (RFC 9457) with the reason, which proxies that pass it on show the client. For
    /// those that see the fields alone (nginx's `auth_request_set`), the reason is in `X-Kliento-Reason` too.
    pub(crate) fn response(&self) -> Response<Body> {
        let mut response = Response::new(full(self.problem()));
        *response.status_mut() = self.status();
        *response.headers_mut() = self.fields();
        response
    }

    /// The fields of the answer.
    pub(crate) fn fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        fields.insert(CONTENT_TYPE, PROBLEM);
        fields.insert(CACHE_CONTROL, NO_STORE);
        fields.insert(REASON, HeaderValue::from_static(self.reason()));
        match self.status() {
            StatusCode::UNAUTHORIZED => fields.insert(WWW_AUTHENTICATE, CHALLENGE),
            StatusCode::SERVICE_UNAVAILABLE => fields.insert(RETRY_AFTER, A_SECOND),
            StatusCode::METHOD_NOT_ALLOWED => fields.insert(ALLOW, POST),
            StatusCode::UNSUPPORTED_MEDIA_TYPE if matches!(self, Self::ContentEncoding) => {
                fields.insert(ACCEPT_ENCODING, IDENTITY)
            }
            _ => None,
        };
        fields
    }

    /// The body of the answer.
    pub(crate) fn problem(&self) -> Bytes {
        let status = self.status();
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            reason: self.reason(),
        };
        // Strings and a number can always be written to memory.
        serde_json::to_vec(&problem).unwrap_or_default().into()
    }
}

/// RFC 9457 §6.1.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// RFC 9111 §5.2.2.5: a decision is for one request.
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// RFC 9110 §11.6.1.
const CHALLENGE: HeaderValue = HeaderValue::from_static(kliento::header::SCHEME);
/// After which to try again (RFC 9110 §10.2.3): verifications take milliseconds.
const A_SECOND: HeaderValue = HeaderValue::from_static("1");

/// As RFC 9110 §12.5.3 has a server say which encodings of bodies it takes.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Refuses bodies that would have to be decoded before they are read (RFC 9110 §8.4).
pub(crate) fn check_encoding(fields: &HeaderMap) -> Result<(), RequestRefusal> {
    let is_as_it_is = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if fields.get_all(CONTENT_ENCODING).iter().all(is_as_it_is) {
        return Ok(());
    }
    Err(RequestRefusal::ContentEncoding)
}

/// RFC 9110 §10.2.1.
const POST: HeaderValue = HeaderValue::from_static("POST");

/// RFC 9457 §3.1, and a member of our own (§3.2).
#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    reason: &'static str,
}

impl From<BodyFault> for RequestRefusal {
    fn from(fault: BodyFault) -> Self {
        Self::Body(fault)
    }
}

impl From<kliento::http::Refusal> for RequestRefusal {
    fn from(refusal: kliento::http::Refusal) -> Self {
        Self::Authentication(refusal)
    }
}

impl From<kliento::VerifyError> for RequestRefusal {
    fn from(error: kliento::VerifyError) -> Self {
        Self::Authentication(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind whose reason is this process's own.
    fn one_of_each() -> Vec<RequestRefusal> {
        let subject = || "example.com".to_owned();
        vec![
            RequestRefusal::ReservedField,
            RequestRefusal::Upgrade,
            RequestRefusal::NoRule,
            RequestRefusal::AmbiguousRule,
            RequestRefusal::AmbiguousMethod,
            RequestRefusal::MalformedHost,
            RequestRefusal::TooManyGroups {
                most: 64,
                subject: subject(),
            },
            RequestRefusal::IdentityTooLarge {
                fault: String::new(),
                subject: subject(),
            },
            RequestRefusal::UnclearRequest(""),
            RequestRefusal::Body(BodyFault::TooLarge),
            RequestRefusal::Body(BodyFault::TooSlow),
            RequestRefusal::Body(BodyFault::Broken),
            RequestRefusal::MalformedReview(String::new()),
            RequestRefusal::MediaType,
            RequestRefusal::ContentEncoding,
            RequestRefusal::Misdirected,
            RequestRefusal::Method,
            RequestRefusal::NotFound,
        ]
    }

    /// The first two columns of the table of reasons.
    fn documented() -> Vec<(&'static str, u16)> {
        let page = include_str!("../../../SERVE.md");
        let table = page.split("\n## Reason codes\n").nth(1).unwrap();
        let rows = table
            .lines()
            .skip_while(|line| !line.starts_with("|---"))
            .skip(1)
            .take_while(|line| line.starts_with('|'));
        rows.map(|row| {
            let mut cells = row.split(" | ");
            let reason = cells.next().unwrap().trim_matches(['|', ' ', '`']);
            (reason, cells.next().unwrap().parse().unwrap())
        })
        .collect()
    }

    #[test]
    fn the_page_of_the_interfaces_lists_every_reason_with_its_status() {
        let mut known: Vec<_> = one_of_each()
            .iter()
            .map(|refusal| (refusal.reason(), refusal.status().as_u16()))
            .collect();
        let mut documented = documented();
        known.sort_unstable();
        documented.sort_unstable();
        assert_eq!(documented, known);
    }
}
