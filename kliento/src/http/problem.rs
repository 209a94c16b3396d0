//! The answer to a refused request: problem details (RFC 9457) and the fields that belong to the
//! status.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
    TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::Refusal;
use crate::header::SCHEME;

/// RFC 9457 §6.1.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// RFC 9111 §5.2.2.5.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const CHALLENGE: HeaderValue = HeaderValue::from_static(SCHEME);
/// Seconds after which to try again when too many verifications are waiting (RFC 9110 §10.2.3).
/// They take milliseconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// "No more than the status says" (RFC 9457 §4.2.1): what happened is in `reason`.
const TYPE: &str = "about:blank";

/// Members of RFC 9457 §3.1, and one extension member (§3.2).
struct Problem<'r>(&'r Refusal);

impl Serialize for Problem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let status = self.0.status();
        let mut members = serializer.serialize_struct("Problem", 4)?;
        members.serialize_field("type", TYPE)?;
        members.serialize_field("title", status.canonical_reason().unwrap_or_default())?;
        members.serialize_field("status", &status.as_u16())?;
        members.serialize_field("reason", self.0.reason())?;
        members.end()
    }
}

impl Refusal {
    /// The answer to the request: its status, a problem with the reason as its body, and for 401
    /// the challenge of Kliento.
    ///
    /// ```
    /// use kliento::http::Refusal;
    ///
    /// let response = Refusal::MissingAuthorization.to_response();
    /// assert_eq!(response.status(), 401);
    /// assert_eq!(response.headers()["www-authenticate"], "Kliento");
    /// ```
    pub fn to_response(&self) -> Response<Bytes> {
        self.to_response_with(&[])
    }

    /// The same with challenges of other schemes behind that of Kliento, each in a field of its
    /// own.
    pub(super) fn to_response_with(&self, challenges: &[HeaderValue]) -> Response<Bytes> {
        let mut response = Response::new(self.problem());
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
        self.complete(response, challenges)
    }

    /// Turns any answer into a refusal: sets the status, unless it already refuses, and the fields
    /// that belong to it.
    pub(super) fn complete(
        &self,
        mut response: Response<Bytes>,
        challenges: &[HeaderValue],
    ) -> Response<Bytes> {
        let status = response.status();
        let refuses =
            status.is_redirection() || status.is_client_error() || status.is_server_error();
        if !refuses {
            *response.status_mut() = self.status();
        }
        let status = response.status();
        let fields = response.headers_mut();
        fields.insert(CACHE_CONTROL, NO_STORE);
        // The server knows the body's length and its transfer encoding.
        fields.remove(CONTENT_LENGTH);
        fields.remove(TRANSFER_ENCODING);
        match status {
            StatusCode::UNAUTHORIZED => add_challenges(fields, challenges),
            StatusCode::SERVICE_UNAVAILABLE => {
                fields.entry(RETRY_AFTER).or_insert(RETRY_AFTER_SECONDS);
            }
            _ => {}
        }
        response
    }

    fn problem(&self) -> Bytes {
        // Writing strings and a number to memory can't fail, so the default is never used.
        serde_json::to_vec(&Problem(self))
            .unwrap_or_default()
            .into()
    }
}

/// Puts Kliento's challenge and `challenges` before the present ones, each once.
fn add_challenges(fields: &mut HeaderMap, challenges: &[HeaderValue]) {
    let present: Vec<HeaderValue> = fields.get_all(WWW_AUTHENTICATE).iter().cloned().collect();
    fields.insert(WWW_AUTHENTICATE, CHALLENGE);
    for challenge in challenges.iter().chain(&present) {
        let is_there = fields
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .any(|other| other == challenge);
        if !is_there {
            fields.append(WWW_AUTHENTICATE, challenge.clone());
        }
    }
}
