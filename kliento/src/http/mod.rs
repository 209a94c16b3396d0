//! Kliento in web servers: middleware and extractors for Rust's most common server crates.
//!
//! All of them handle a request in the same way, and give the same answers:
//!
//! | the request | status | reason |
//! |---|---|---|
//! | has no `Authorization` field | 401 | `http.missing_authorization` |
//! | has more than one | 401 | `http.several_authorizations` |
//! | has one of another scheme | 401 | `kliento.wrong_scheme` |
//! | has a token that is malformed or invalid | 401 | the [`reason`](crate::VerifyError::reason) of the error |
//! | has a valid token that [does not meet the requirements](crate::VerifyError::is_forbidden) | 403 | likewise |
//! | has claims that [don't fit the server's type](crate::Claims::deserialise) | 403 | `http.claims_mismatch` |
//! | breaks [a rule of the application](Refusal::forbidden) | 403 | the application's, or `http.forbidden` if that is invalid |
//! | comes while too many verifications are waiting | 503 | `http.too_many_verifications` |
//! | could not be verified, since the verification panicked | 500 | `http.verification_failed` |
//! | reaches an extractor without a layer in front of it | 500 | `http.missing_layer` |
//!
//! The answer is a problem (RFC 9457) that discloses the status and the reason alone. Error
//! messages are for your logs: use [`Authenticator::on_refusal`]. [`Authenticator::answer_with`]
//! replaces the answer by one of your own. A 401 names the scheme (`WWW-Authenticate: Kliento`, RFC
//! 9110 §11.6.1), and refusals must not be cached (`Cache-Control: no-store`).
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
//! A layer for [gRPC](tower::KlientoLayer::grpc) refuses gRPC requests with a gRPC status, and the
//! reason as its message: `UNAUTHENTICATED` (16) for 401, `PERMISSION_DENIED` (7) for 403,
//! `UNAVAILABLE` (14) for 503 and `INTERNAL` (13) for 500.
//!
//! | module | feature | contents |
//! |---|---|---|
//! | [`headers`] | `headers` | `Authorization<Kliento>` for the crate `headers` |
//! | [`tower`] | `tower` | [`KlientoLayer`](tower::KlientoLayer), for any HTTP service |
//! | [`axum`] | `axum` | extractors: [`Authenticated`](axum::Authenticated), [`Verified`](axum::Verified), [`TypedClaims`](axum::TypedClaims) |
//! | [`tonic`] | `tonic` | the identity in `tonic`'s requests, and tokens in clients' metadata |
//!
//! # Traces
//!
//! With the feature `tracing`, the subject is recorded on the current span, as the field
//! `kliento.subject`. The span must declare the field: `tracing` ignores fields that were not
//! declared. With `tower-http`, put the `TraceLayer` outside of the `KlientoLayer`:
//!
//! ```
//! let make_span = |request: &http::Request<()>| {
//!     tracing::info_span!("request", method = %request.method(), kliento.subject = tracing::field::Empty)
//! };
//! # let _ = make_span(&http::Request::new(()));
//! ```
//!
//! Each decision of a layer or an extractor is an event of level `DEBUG` with the target `kliento`
//! and the fields `outcome` (`accepted`, `refused`, or `anonymous` where authentication is
//! optional), `reason` and, if the token was verified, `subject`. If a handler needs an identity
//! and there is no layer (`http.missing_layer`), that is an event of level `ERROR`. Tokens, claims
//! and the messages of refusals are never recorded.
//!
//! # Threads
//!
//! A token that the verifier remembers costs less than a microsecond. It is looked up on the thread
//! of the request. Requests that can be refused without a verification are refused there, too.
//! Everything else is verified by Tokio's blocking threads, so that public-key operations don't
//! delay other requests. [`VerificationQueue`] limits how many verifications run and how many wait,
//! and reserves places for signatories and organisations that the verifier knows.
//!
//! # Limitations
//!
//! - A request is authenticated once, when it arrives. Longer exchanges (a WebSocket, a stream) are
//!   not checked again. [`VerifiedToken::validity`](crate::VerifiedToken::validity) says when the
//!   token expires.
//! - Answers don't take constant time. They need not: a server has no Kliento secrets, and the
//!   reason of a refusal discloses as much as its time and size.
//! - The server decides who may do what: with [`Requirements`](crate::Requirements), or in its
//!   handlers.
//!
//! # Room for the field
//!
//! A bundle of [`MAX_BUNDLE_OCTETS`](crate::MAX_BUNDLE_OCTETS) takes about 22 KB in the field. By
//! default, servers that use `hyper` allow that with HTTP/1. With HTTP/2, and so with gRPC, they
//! allow 16 KiB for all fields of a request by default: set `max_header_list_size` (`tonic`:
//! `http2_max_header_list_size`) to [`HEADER_LIST_OCTETS`]. Proxies have limits of their own,
//! usually 8 KB.

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
pub use self::authenticator::{Authenticator, sole_authorization};
#[cfg(feature = "tower")]
pub use self::queue::VerificationQueue;
#[cfg(feature = "tower")]
pub use self::refusal::{Forbidden, Refusal};

/// The number of bytes that an HTTP/2 server should allow for all fields of a request, as RFC 9113
/// §6.5.2 counts them: the largest bundle in Base64 and 10 KiB for everything else.
pub const HEADER_LIST_OCTETS: u32 = 32 * 1_024;
