//! The errors of token sources.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use veraid::{Period, Timestamp};

use crate::Audience;
use crate::error::Excerpt;

/// The reason why a [`TokenSource`](super::TokenSource) has no token.
///
/// `supply` describes the supply of the token, such as `the file /run/kliento/token`. No error
/// contains a token, so all of them can be logged. They are cheap to clone, since all callers that
/// wait for a renewal get the same error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenSourceError {
    /// The file can't be read, the command failed, the member's key and bundle can't sign, or a
    /// function returned an error.
    #[error("no token from {supply}")]
    Unobtainable {
        /// The supply of the token.
        supply: Arc<str>,
        /// The cause.
        source: Arc<dyn Error + Send + Sync>,
    },

    /// The supply took longer than the [time limit](super::TokenSourceBuilder::time_limit).
    #[error("no token from {supply} within {} seconds", limit.as_secs_f32())]
    TimedOut {
        /// The supply of the token.
        supply: Arc<str>,
        /// The time limit.
        limit: Duration,
    },

    /// The renewal ended without a result: a function panicked, or its runtime is shutting down.
    #[error("no token from {supply}: the renewal was aborted")]
    BrokenOff {
        /// The supply of the token.
        supply: Arc<str>,
    },

    /// The supply's output is not a token bundle.
    #[error("{supply} did not provide a token")]
    Unreadable {
        /// The supply of the token.
        supply: Arc<str>,
        /// The cause.
        source: Arc<crate::VerifyError>,
    },

    /// The token is for another audience than this source.
    #[error(
        "the token from {supply} is for audience {}, not {}",
        Excerpt(found.as_str()),
        Excerpt(expected.as_str())
    )]
    OtherAudience {
        /// The supply of the token.
        supply: Arc<str>,
        /// The audience that the source is for.
        expected: Audience,
        /// The audience that the token names.
        found: Audience,
    },

    /// The token, one of its certificates or its DNSSEC chain has expired: the supply is out of
    /// date.
    #[error(
        "the token from {supply} has expired: it was valid for {period}, and the time is {now}"
    )]
    Expired {
        /// The supply of the token.
        supply: Arc<str>,
        /// The period in which the token, its certificates and its DNSSEC chain claim to be valid
        /// together.
        period: Period,
        /// The time of the clock.
        now: Timestamp,
    },

    /// The token, one of its certificates or its DNSSEC chain is not yet valid. Perhaps this
    /// machine's clock is behind the signer's.
    #[error(
        "the token from {supply} is not valid yet: it is valid for {period}, and the time is {now}"
    )]
    NotYetValid {
        /// The supply of the token.
        supply: Arc<str>,
        /// The period in which the token, its certificates and its DNSSEC chain claim to be valid
        /// together.
        period: Period,
        /// The time of the clock.
        now: Timestamp,
    },

    /// The token, its certificates and its DNSSEC chain have no common second of validity. Usually
    /// the member id bundle is out of date.
    #[error(
        "the token from {supply} is never valid: the token, its certificates and its DNSSEC chain have no common period"
    )]
    NeverValid {
        /// The supply of the token.
        supply: Arc<str>,
    },

    /// Renewals run as Tokio tasks, and the source was called outside of a runtime.
    #[error("tokens can only be renewed in a Tokio runtime")]
    NoRuntime,
}

impl TokenSourceError {
    /// A stable reason for logs and metrics, such as `client.expired`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unobtainable { .. } => "client.unobtainable",
            Self::TimedOut { .. } => "client.timed_out",
            Self::BrokenOff { .. } => "client.broken_off",
            Self::Unreadable { .. } => "client.unreadable",
            Self::OtherAudience { .. } => "client.other_audience",
            Self::Expired { .. } => "client.expired",
            Self::NotYetValid { .. } => "client.not_yet_valid",
            Self::NeverValid { .. } => "client.never_valid",
            Self::NoRuntime => "client.no_runtime",
        }
    }
}
