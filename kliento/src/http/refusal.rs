//! Why a request does not get through.

use ::http::StatusCode;

use crate::{ClaimsError, Error};

/// Why a request was refused.
///
/// Its `Display` is for logs. Clients are told [`status`](Self::status) and [`reason`](Self::reason), and no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request has no `Authorization` field: 401.
    #[error("the request has no Authorization field")]
    MissingAuthorization,

    /// The request has more than one `Authorization` field, which RFC 9110 §5.3 forbids: two readers could each take
    /// another one. 401.
    #[error("the request has more than one Authorization field")]
    SeveralAuthorizations,

    /// The token is malformed or does not hold (401), or is not enough for what is asked (403).
    #[error(transparent)]
    Token(#[from] Error),

    /// The token is good, but its claims [don't fit](crate::Claims::deserialise) the type that the server has for them:
    /// 403.
    #[error("the token's claims do not fit: {0}")]
    Claims(#[from] ClaimsError),

    /// As many verifications as [`VerificationQueue`](super::VerificationQueue) allows are waiting: 503, with
    /// `Retry-After`. Either somebody floods the server, or it needs more processors.
    #[error("too many verifications are waiting")]
    TooManyVerifications,

    /// The verification did not come to an end: it panicked, which is a bug to report, the runtime is shutting down, or
    /// this is no runtime of Tokio's. 500, since a request that was not looked at is not let through.
    #[error("the verification did not come to an end")]
    VerificationFailed,

    /// A handler asks for an identity, but no [`KlientoLayer`](super::tower::KlientoLayer) stands in front of it: a
    /// mistake in the server. 500.
    #[error("no KlientoLayer stands in front of the handler that asks for an identity")]
    MissingLayer,
}

impl Refusal {
    /// A stable name for what happened, for logs, metrics and answers to clients: that of the [`Error`], or one that
    /// starts with `http.`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingAuthorization => "http.missing_authorization",
            Self::SeveralAuthorizations => "http.several_authorizations",
            Self::Token(error) => error.reason(),
            Self::Claims(_) => "http.claims_mismatch",
            Self::TooManyVerifications => "http.too_many_verifications",
            Self::VerificationFailed => "http.verification_failed",
            Self::MissingLayer => "http.missing_layer",
        }
    }

    /// The status of the answer: 401, 403, 500 or 503.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Token(error) if error.is_forbidden() => StatusCode::FORBIDDEN,
            Self::MissingAuthorization | Self::SeveralAuthorizations | Self::Token(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Claims(_) => StatusCode::FORBIDDEN,
            Self::TooManyVerifications => StatusCode::SERVICE_UNAVAILABLE,
            Self::VerificationFailed | Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the request is not meant for Kliento: it has no `Authorization` field, or one of another scheme. Where
    /// authentication is optional, such a request goes on without an identity.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::MissingAuthorization | Self::Token(Error::WrongScheme)
        )
    }
}
