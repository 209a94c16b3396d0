//! The API of [Kliento Verifier](https://www.npmjs.com/package/@veraid/kliento-verifier), for backends that have no
//! library: `POST /?audience=…` with a token in the body.
//!
//! | the request | status | JSON |
//! |---|---|---|
//! | names no audience, or an empty one | 400 | `{"error":"Audience is missing from the query string"}` |
//! | has a body of another media type | 415 | `{"error":"Unrecognised content type"}` |
//! | has a body with a `Content-Encoding` | 415 | `error`, `reason` (`serve.content_encoding`) |
//! | has a token that holds | 200 | `status` `valid`, `subject`, `claims` and what `kliento token verify --json` says |
//! | has one that does not | 200 | `status` `invalid`, `error`, `reason` |
//! | has what can't be read | 200 | `status` `malformed`, `error`, `reason` |
//!
//! The body is a token bundle (`application/vnd.kliento.token-bundle`, or no media type at all) or the value of an
//! `Authorization` field (`application/vnd.kliento.auth-header`), of which line ends behind it are not read. Media types
//! are compared without regard to case and parameters, where the original takes nothing but the very same text; like it,
//! this refuses the `application/x-www-form-urlencoded` that `curl --data` sends unless told otherwise.
//!
//! `subject` is what the original's code answers, `subjectId` what its documentation says; both are there. `error` is the
//! message of the error, since a backend asks, and not the client: hand on `reason` at most.

use std::sync::Arc;

use bytes::Bytes;
use form_urlencoded as form;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use kliento::{Audience, SharedVerifier, VerifiedToken};
use serde::{Deserialize, Serialize};

use super::gate::{Case, Gate, Presented};
use super::refusal::{NO_STORE, RequestRefusal, check_encoding};
use super::{Body, full};
use crate::document::Signed;
use crate::serve::limits::{BodyFault, MAX_ANSWER};

/// `[verifier]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct VerifierApiConfig {
    /// True if it is served.
    pub(crate) enabled: bool,
}

impl Default for VerifierApiConfig {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// The endpoint's name, for the record.
pub(crate) const NAME: &str = "verifier";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The answer to a request that has no verdict.
#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
    /// Not there where the original says no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// The answer about a token that does not hold.
#[derive(Serialize)]
struct InvalidToken<'a> {
    status: &'static str,
    error: &'a str,
    reason: &'static str,
}

#[derive(Debug)]
pub(crate) struct VerifierApi {
    verifier: SharedVerifier,
    gate: Arc<Gate>,
}

impl VerifierApi {
    pub(crate) fn new(verifier: SharedVerifier, gate: Arc<Gate>) -> Self {
        Self { verifier, gate }
    }

    /// Answers a request, whose body is read when it is worth it.
    pub(crate) async fn answer(
        &self,
        request: &Parts,
        body: impl Future<Output = Result<Bytes, BodyFault>>,
    ) -> Response<Body> {
        if request.method != Method::POST {
            return RequestRefusal::Method.response();
        }
        let Some(audience) = audience(request.uri.query().unwrap_or_default()) else {
            return problem(
                StatusCode::BAD_REQUEST,
                "Audience is missing from the query string",
            );
        };
        let Some(form) = BodyForm::of(&request.headers) else {
            return problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unrecognised content type",
            );
        };
        if let Err(refusal) = check_encoding(&request.headers) {
            return self.conclude(&Case::new(NAME), &Err(refusal));
        }
        match body.await {
            Ok(body) => self.verify(audience, form.present(body)).await,
            Err(fault) => self.conclude(&Case::new(NAME), &Err(fault.into())),
        }
    }

    async fn verify(&self, audience: Audience, presented: Presented) -> Response<Body> {
        let verifier = self.verifier.for_audience(audience);
        let mut case = Case::new(NAME);
        case.audience = Some(verifier.audience().as_str());
        let (cache, verdict) = self.gate.verify(&verifier, presented).await;
        case.cache = cache;
        self.conclude(&case, &verdict)
    }

    fn conclude(
        &self,
        case: &Case<'_>,
        verdict: &Result<VerifiedToken, RequestRefusal>,
    ) -> Response<Body> {
        self.gate.record(case, verdict.as_ref().map(Some));
        match verdict {
            Ok(token) => json(StatusCode::OK, &Signed::token(token)),
            Err(refusal @ RequestRefusal::Authentication(kliento::http::Refusal::Token(error))) => {
                let verdict = InvalidToken {
                    status: if error.is_malformed() {
                        "malformed"
                    } else {
                        "invalid"
                    },
                    error: &refusal.message(),
                    reason: error.reason(),
                };
                json(StatusCode::OK, &verdict)
            }
            Err(refusal) => {
                let error = refusal.message();
                let problem = Problem {
                    error: &error,
                    reason: Some(refusal.reason()),
                };
                let mut response = json(refusal.status(), &problem);
                if matches!(refusal, RequestRefusal::ContentEncoding) {
                    let identity = HeaderValue::from_static("identity");
                    response.headers_mut().insert(ACCEPT_ENCODING, identity);
                }
                response
            }
        }
    }
}

/// An answer has room for whatever a bundle can say: of a token's text, JSON escapes at most each character once more.
const _: () = assert!(2 * kliento::MAX_BUNDLE_OCTETS <= MAX_ANSWER);

/// The first audience of the query, decoded as forms are.
fn audience(query: &str) -> Option<Audience> {
    let mut parameters = form::parse(query.as_bytes());
    let (_, audience) = parameters.find(|(name, _)| name == "audience")?;
    Audience::try_from(audience.into_owned()).ok()
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyForm {
    TokenBundle,
    AuthHeader,
}

impl BodyForm {
    /// `None` if it is neither, or said twice.
    fn of(fields: &HeaderMap) -> Option<Self> {
        let mut values = fields.get_all(CONTENT_TYPE).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Some(Self::TokenBundle),
            (Some(value), None) => value.to_str().ok()?,
            (Some(_), Some(_)) => return None,
        };
        let media_type = value.split(';').next().unwrap_or_default().trim();
        if value.is_empty() || media_type.eq_ignore_ascii_case(kliento::MEDIA_TYPE) {
            return Some(Self::TokenBundle);
        }
        media_type
            .eq_ignore_ascii_case(kliento::HEADER_MEDIA_TYPE)
            .then_some(Self::AuthHeader)
    }

    fn present(self, mut body: Bytes) -> Presented {
        match self {
            Self::TokenBundle => Presented::Bundle(body),
            Self::AuthHeader => {
                let is_line_end = |octet: &&u8| matches!(octet, b'\r' | b'\n');
                let line_ends = body.iter().rev().take_while(is_line_end).count();
                body.truncate(body.len().saturating_sub(line_ends));
                Presented::Text(body)
            }
        }
    }
}

fn problem(status: StatusCode, error: &str) -> Response<Body> {
    json(
        status,
        &Problem {
            error,
            reason: None,
        },
    )
}

fn json(status: StatusCode, document: &impl Serialize) -> Response<Body> {
    // Text, numbers and maps with text for keys can always be written to memory.
    let document = serde_json::to_vec(document).unwrap_or_default();
    let mut response = Response::new(full(document.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Option<String> {
        audience(query).map(|audience| audience.to_string())
    }

    #[test]
    fn takes_the_first_audience_and_decodes_it_as_forms_are() {
        for (query, expected) in [
            ("audience=x", Some("x")),
            (
                "audience=https%3A%2F%2Fapi.example.com",
                Some("https://api.example.com"),
            ),
            (
                "audience=https://api.example.com",
                Some("https://api.example.com"),
            ),
            ("audience=a+b%2Bc", Some("a b+c")),
            ("audience=%C3%A9", Some("é")),
            ("other=1&audience=x", Some("x")),
            ("audience=x&audience=y", Some("x")),
            ("", None),
            ("audience", None),
            ("audience=", None),
            ("audience=&audience=x", None),
            ("Audience=x", None),
            ("audiences=x", None),
        ] {
            assert_eq!(found(query).as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn tells_the_forms_of_a_body_by_its_media_type() {
        for (value, expected) in [
            (None, Some(BodyForm::TokenBundle)),
            (Some(""), Some(BodyForm::TokenBundle)),
            (
                Some("application/vnd.kliento.token-bundle"),
                Some(BodyForm::TokenBundle),
            ),
            (
                Some("Application/VND.kliento.token-bundle; x=y"),
                Some(BodyForm::TokenBundle),
            ),
            (
                Some("application/vnd.kliento.auth-header"),
                Some(BodyForm::AuthHeader),
            ),
            (
                Some("application/vnd.kliento.auth-header ;charset=utf-8"),
                Some(BodyForm::AuthHeader),
            ),
            (Some("text/plain"), None),
            (Some("application/x-www-form-urlencoded"), None),
            (Some("application/vnd.kliento.token-bundle2"), None),
            (Some(";"), None),
        ] {
            let mut fields = HeaderMap::new();
            if let Some(value) = value {
                fields.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            assert_eq!(BodyForm::of(&fields), expected, "{value:?}");
        }
        let mut twice = HeaderMap::new();
        twice.append(CONTENT_TYPE, HeaderValue::from_static(kliento::MEDIA_TYPE));
        twice.append(
            CONTENT_TYPE,
            HeaderValue::from_static(kliento::HEADER_MEDIA_TYPE),
        );
        assert_eq!(BodyForm::of(&twice), None);
    }

    #[test]
    fn line_ends_behind_a_header_are_not_read_and_those_in_a_bundle_are() {
        let octets = Bytes::from_static(b"Kliento AAEC\r\n\n");
        let Presented::Text(text) = BodyForm::AuthHeader.present(octets.clone()) else {
            panic!("another form");
        };
        assert_eq!(text, "Kliento AAEC");
        let Presented::Bundle(bundle) = BodyForm::TokenBundle.present(octets.clone()) else {
            panic!("another form");
        };
        assert_eq!(bundle, octets);
    }
}
