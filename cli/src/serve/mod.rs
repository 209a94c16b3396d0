//! `kliento serve`: one process that verifies for others, over HTTP.
//!
//! The [configuration](config) says what is served and within which [`limits`]; connections, in TLS or without, give each
//! request to the [`endpoints`] or to the operations; [`metrics`] and [`audit`] keep the record.

pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod endpoints;
pub(crate) mod limits;
pub(crate) mod metrics;

use std::error::Error;

/// Any error, as bodies and services of HTTP have them.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// The token is good, and does.
    Allow,
    /// It is missing, no good, or not enough.
    Deny,
    /// There is no verdict: the request can't be understood, or the server is busy.
    Error,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }
}

/// Where the verdict on a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tier {
    /// The same token was verified before.
    Hit,
    /// It was verified for this request.
    Miss,
    /// No token was verified.
    None,
}

impl Tier {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::None => "none",
        }
    }
}
