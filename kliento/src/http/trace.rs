//! Events and a span field for the crate `tracing`. Without the feature of that name, the functions
//! do nothing.
//!
//! Tokens and claims are never recorded, and neither are the messages of refusals, which may quote
//! them.

#![cfg_attr(
    not(feature = "tracing"),
    allow(
        unused_variables,
        reason = "without the feature there is nothing to record"
    )
)]

use super::Refusal;
use crate::VerifiedToken;

/// Records the subject on the current span, and as an event.
pub(super) fn accepted(token: &VerifiedToken) {
    #[cfg(feature = "tracing")]
    {
        tracing::Span::current().record("kliento.subject", token.subject());
        tracing::debug!(
            target: "kliento",
            outcome = "accepted",
            reason = "ok",
            subject = token.subject(),
            "request accepted"
        );
    }
}

/// Records that an optional layer or extractor lets a request through without an identity.
pub(super) fn anonymous(refusal: &Refusal) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "kliento",
        outcome = "anonymous",
        reason = refusal.reason(),
        "request without identity"
    );
}

/// Records a refusal, with the subject if the token was verified.
pub(super) fn refused(refusal: &Refusal) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "kliento",
        outcome = "refused",
        reason = refusal.reason(),
        status = refusal.status().as_u16(),
        subject = refusal.subject(),
        "request refused"
    );
}

/// Records a missing layer, which is a mistake in the server. No hook reports it, since hooks
/// belong to layers.
#[cfg_attr(
    not(any(feature = "axum", feature = "tonic")),
    allow(dead_code, reason = "for extractors")
)]
pub(super) fn missing_layer() {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: "kliento",
        reason = Refusal::MissingLayer.reason(),
        "the handler needs an identity, but there is no KlientoLayer in front of it"
    );
}
