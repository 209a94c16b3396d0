//! Kliento in web servers: middleware and extractors for the crates that Rust's servers are built from.
//!
//! All of them do the same with a request, and answer it alike:
//!
//! | the request | status | reason |
//! |---|---|---|
//! | has no `Authorization` field | 401 | `http.missing_authorization` |
//! | has more than one | 401 | `http.several_authorizations` |
//! | has one of another scheme | 401 | `kliento.wrong_scheme` |
//! | has a token that is malformed or does not hold | 401 | the [`reason`](crate::Error::reason) of the error |
//! | has a good token that is [not enough](crate::Error::is_forbidden) | 403 | likewise |
//! | has claims that [do not fit](crate::Claims::deserialise) | 403 | `http.claims_mismatch` |
//! | breaks [a rule of the application's own](Refusal::forbidden) | 403 | the application's, or `http.forbidden` if that is invalid |
//! | finds too many verifications waiting | 503 | `http.too_many_verifications` |
//! | could not be looked at, since the verification panicked | 500 | `http.verification_failed` |
//! | reaches an extractor that no layer stands in front of | 500 | `http.missing_layer` |
//!
//! The answer is a problem (RFC 9457) that says no more than that: messages are for your logs, and reach them by
//! [`Authenticator::on_refusal`]. [`Authenticator::answer_with`] makes it look as your other errors do. A 401 names the scheme (`WWW-Authenticate: Kliento`, RFC 9110 §11.6.1), and no
//! refusal is to be cached (`Cache-Control: no-store`).
//!
//! ```http
//! HTTP/1.1 401 Unauthorized
//! WWW-Authenticate: Kliento
//! Content-Type: application/problem+json
//! Cache-Control: no-store
//!
//! {"type":"about:blank","title":"Unauthorized","status":401,"reason":"dnssec.rrsig_expired"}
//! ```
//!
//! Where a layer is [told to](tower::KlientoLayer::grpc), a request of gRPC is refused in gRPC's way, with the reason
//! as its message: `UNAUTHENTICATED` (16) for 401, `PERMISSION_DENIED` (7) for 403, `UNAVAILABLE` (14) for 503 and
//! `INTERNAL` (13) for 500.
//!
//! | module | feature | has |
//! |---|---|---|
//! | [`headers`] | `headers` | `Authorization<Kliento>` for the crate `headers` |
//! | [`tower`] | `tower` | [`KlientoLayer`](tower::KlientoLayer), for any HTTP service |
//! | [`axum`] | `axum` | extractors: [`Authenticated`](axum::Authenticated), [`Verified`](axum::Verified), [`TypedClaims`](axum::TypedClaims) |
//! | [`tonic`] | `tonic` | the identity in `tonic`'s requests, and tokens in clients' metadata |
//!
//! # Traces
//!
//! With the feature `tracing`, the subject is recorded on the span that is current, as the field `kliento.subject`. The
//! span has to declare it: `tracing` drops fields that are recorded and were not declared. With `tower-http`, put the
//! `TraceLayer` outside of the `KlientoLayer`:
//!
//! ```
//! let make_span = |request: &http::Request<()>| {
//!     tracing::info_span!("request", method = %request.method(), kliento.subject = tracing::field::Empty)
//! };
//! # let _ = make_span(&http::Request::new(()));
//! ```
//!
//! Each decision of a layer or an extractor is an event of level `DEBUG` with the target `kliento` and the fields `outcome`
//! (`accepted`, `refused`, or `anonymous` where authentication is optional), `reason` and, if the token was verified,
//! `subject`. A handler that asks for an identity behind no layer (`http.missing_layer`) is an event of level `ERROR`.
//! Tokens, claims and the messages of refusals are never recorded.
//!
//! # What runs where
//!
//! A token that the verifier remembers costs less than a microsecond, and is looked up on the thread that has the request.
//! So is whatever needs no verifying to be refused. Everything else is verified by Tokio's blocking threads, so that
//! public-key operations stop nobody else's requests; [`VerificationQueue`] bounds how many of them run, and how many
//! wait, and keeps places for those whom the verifier knows.
//!
//! # What it does not do
//!
//! - A request is looked at once, when it comes. What lives on after that (a WebSocket, a stream) is not asked again:
//!   [`VerifiedToken::validity`](crate::VerifiedToken::validity) says until when its caller could ask anew.
//! - It hides nothing by taking equally long for all, since there is nothing to hide: a server has no secrets of
//!   Kliento's, and a refusal says by its reason what its time and size could tell.
//! - Who may do what is for the server to say: with [`Requirements`](crate::Requirements), or in its handlers.
//!
//! # Room for the field
//!
//! A bundle of [`MAX_BUNDLE_OCTETS`](crate::MAX_BUNDLE_OCTETS) makes a field of some 22 KB. Servers of `hyper` with
//! HTTP/1 take that as they are. With HTTP/2, and so with gRPC, they take 16 KiB for all fields of a request unless
//! they are told otherwise: give `max_header_list_size` (`tonic`: `http2_max_header_list_size`) as
//! [`HEADER_LIST_OCTETS`]. What stands in front of a server has limits of its own, of 8 KB as a rule.

#[cfg(feature = "tower")]
mod authenticator;
#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "tower")]
mod grpc;
#[cfg(feature = "headers")]
pub mod headers;
#[cfg(feature = "tower")]
mod problem;
#[cfg(feature = "tower")]
mod queue;
#[cfg(feature = "tower")]
mod refusal;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower")]
pub mod tower;

#[cfg(feature = "tower")]
mod trace;

#[cfg(feature = "tower")]
pub use self::authenticator::Authenticator;
#[cfg(feature = "tower")]
pub use self::queue::VerificationQueue;
#[cfg(feature = "tower")]
pub use self::refusal::{Forbidden, Refusal};

/// Octets that an HTTP/2 server should allow for all fields of a request, as RFC 9113 §6.5.2 counts them: the largest
/// bundle in Base64 and 10 KiB for everything else.
pub const HEADER_LIST_OCTETS: u32 = 32 * 1_024;
