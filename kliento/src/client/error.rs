//! Why there is no token to send.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use veraid::{Period, Timestamp};

use crate::Audience;
use crate::error::Excerpt;

/// Why a [`TokenSource`](super::TokenSource) has no token to give.
///
/// Each says in `supply` where the token was to come from, such as `the file /run/kliento/token`. None quotes a token:
/// they can be logged. They are cheap to clone, since all who wait for one renewal get the same.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenSourceError {
    /// The file can't be read, the command failed, the member's parts can't sign, or a function of yours gave an error.
    #[error("no token from {supply}")]
    Unobtainable {
        /// Where the token was to come from.
        supply: Arc<str>,
        /// What went wrong there.
        source: Arc<dyn Error + Send + Sync>,
    },

    /// It took longer than [the source waits](super::TokenSourceBuilder::time_limit).
    #[error("no token from {supply} within {} seconds", limit.as_secs_f32())]
    TimedOut {
        /// Where the token was to come from.
        supply: Arc<str>,
        /// How long the source waited.
        limit: Duration,
    },

    /// The renewal ended without a result: a function of yours panicked, or the runtime that it ran in is shutting down.
    #[error("no token from {supply}: the renewal was broken off")]
    BrokenOff {
        /// Where the token was to come from.
        supply: Arc<str>,
    },

    /// What came is no token bundle.
    #[error("what came from {supply} is no token")]
    Unreadable {
        /// Where it came from.
        supply: Arc<str>,
        /// What is wrong with it.
        source: Arc<crate::Error>,
    },

    /// The token is for another server than this source is for.
    #[error(
        "the token from {supply} is for audience {}, not {}",
        Excerpt(found.as_str()),
        Excerpt(expected.as_str())
    )]
    OtherAudience {
        /// Where it came from.
        supply: Arc<str>,
        /// The audience that the source is for.
        expected: Audience,
        /// The audience that the token names.
        found: Audience,
    },

    /// The token, or what it rests on, has ended already: the supply gives stale ones.
    #[error("the token from {supply} has ended: it holds for {period}, and it is {now}")]
    Expired {
        /// Where it came from.
        supply: Arc<str>,
        /// When the token, its certificates and its DNSSEC chain say that they hold together.
        period: Period,
        /// What the clock said.
        now: Timestamp,
    },

    /// The token, or what it rests on, holds only later on: this machine's clock is behind that of the signer, perhaps.
    #[error("the token from {supply} does not hold yet: it holds for {period}, and it is {now}")]
    NotYetValid {
        /// Where it came from.
        supply: Arc<str>,
        /// When the token, its certificates and its DNSSEC chain say that they hold together.
        period: Period,
        /// What the clock said.
        now: Timestamp,
    },

    /// There is no second at which the token, its certificates and its DNSSEC chain say that they hold: a stale member
    /// id bundle, most often.
    #[error(
        "the token from {supply} never holds: it, its certificates and its DNSSEC chain never do at one time"
    )]
    NeverValid {
        /// Where it came from.
        supply: Arc<str>,
    },

    /// Renewals run as tasks of Tokio's, and the source was asked from outside a runtime.
    #[error("a token can be renewed in a Tokio runtime only")]
    NoRuntime,
}

impl TokenSourceError {
    /// A stable name for what happened, for logs and metrics, such as `client.expired`.
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
