//! The reasons for refusing a request.

use core::fmt;

use ::http::StatusCode;

use crate::error::Excerpt;
use crate::{ClaimsError, VerifyError};

/// The reason why a request was refused.
///
/// Its `Display` is for logs. Clients get [`status`](Self::status) and [`reason`](Self::reason),
/// and nothing else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request has no `Authorization` field: 401.
    #[error("the request has no Authorization field")]
    MissingAuthorization,

    /// The request has more than one `Authorization` field, which RFC 9110 §5.3 forbids: two
    /// readers could each use a different one. 401.
    #[error("the request has more than one Authorization field")]
    SeveralAuthorizations,

    /// The token is malformed or invalid (401), or does not meet the requirements (403).
    #[error(transparent)]
    Token(#[from] VerifyError),

    /// The token is valid, but its claims [don't fit](crate::Claims::deserialise) the server's
    /// type: 403.
    #[error("the token's claims don't fit the expected type")]
    Claims(#[from] ClaimsError),

    /// The application refuses the request by a rule of its own ([`Refusal::forbidden`]): 403.
    #[error(transparent)]
    Forbidden(Forbidden),

    /// As many verifications as [`VerificationQueue`](super::VerificationQueue) allows are waiting:
    /// 503, with `Retry-After`. Either somebody floods the server, or it needs more processors.
    #[error("too many verifications are waiting")]
    TooManyVerifications,

    /// The verification did not finish: it panicked, which is a bug to report, or the runtime is
    /// shutting down, or there is no Tokio runtime. 500, since a request that was not verified must
    /// not pass.
    #[error("the verification did not finish")]
    VerificationFailed,

    /// A handler needs an identity, but there is no [`KlientoLayer`](super::tower::KlientoLayer) in
    /// front of it: a mistake in the server. 500.
    #[error("the handler needs an identity, but there is no KlientoLayer in front of it")]
    MissingLayer,
}

impl Refusal {
    /// A refusal by a rule of the application's own: 403, with `code` as its reason, and the same
    /// body as the library's.
    ///
    /// ```
    /// use kliento::http::Refusal;
    ///
    /// let refusal = Refusal::forbidden("orders.not_your_team");
    /// assert_eq!(refusal.status(), 403);
    /// assert_eq!(refusal.reason(), "orders.not_your_team");
    /// ```
    ///
    /// A code should be stable, since clients may depend on it. It has at most 64 bytes, and
    /// consists of two or more words with dots between them. A word has the characters `a`–`z`,
    /// `0`–`9` and `_`, and starts with a letter. The first word must not be one of the libraries'
    /// own: `client`, `cms`, `dnssec`, `http`, `kliento`, `serve`, `veraid` or `x509`. With an
    /// invalid code the request is still refused, with the reason `http.forbidden`, and the message
    /// names the code.
    pub const fn forbidden(code: &'static str) -> Self {
        Self::Forbidden(Forbidden { code })
    }

    /// A stable reason for logs, metrics and answers to clients: the [`VerifyError`]'s, one that
    /// starts with `http.`, or one of the [application](Self::forbidden).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingAuthorization => "http.missing_authorization",
            Self::SeveralAuthorizations => "http.several_authorizations",
            Self::Token(error) => error.reason(),
            Self::Claims(_) => "http.claims_mismatch",
            Self::Forbidden(rule) => rule.reason(),
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
            Self::Claims(_) | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::TooManyVerifications => StatusCode::SERVICE_UNAVAILABLE,
            Self::VerificationFailed | Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The subject of a valid token that is refused nevertheless, as in [`VerifyError::subject`]:
    /// for logs.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Token(error) => error.subject(),
            _ => None,
        }
    }

    /// Returns whether the request is not meant for Kliento: it has no `Authorization` field, or
    /// one of another scheme. With optional authentication, such a request passes without an
    /// identity.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::MissingAuthorization | Self::Token(VerifyError::WrongScheme)
        )
    }
}

/// A refusal by a rule of the application's own, which [`Refusal::forbidden`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden {
    code: &'static str,
}

impl Forbidden {
    /// The code, or `http.forbidden` in place of one that is invalid.
    pub fn reason(&self) -> &'static str {
        if is_code(self.code) {
            self.code
        } else {
            "http.forbidden"
        }
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = Excerpt(self.code);
        if is_code(self.code) {
            write!(formatter, "the application refuses the request: {code}")
        } else {
            write!(
                formatter,
                "the application refuses the request, and its code {code} is invalid: write one like \"orders.not_your_team\""
            )
        }
    }
}

impl core::error::Error for Forbidden {}

const MAX_CODE_OCTETS: usize = 64;

/// The first words of the libraries' own codes.
const OWN: [&str; 8] = [
    "client", "cms", "dnssec", "http", "kliento", "serve", "veraid", "x509",
];

/// Returns whether an application may use this code.
fn is_code(code: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .bytes()
                .all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let Some((first, _)) = code.split_once('.') else {
        return false;
    };
    code.len() <= MAX_CODE_OCTETS && !OWN.contains(&first) && code.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_applications_code_is_lower_case_words_with_dots_and_none_of_the_libraries() {
        let long = "a.".to_owned() + &"b".repeat(63);
        let long: &'static str = long.leak();
        for code in ["orders.not_your_team", "a.b", "a1.b_2.c", &long[..64]] {
            assert_eq!(Refusal::forbidden(code).reason(), code);
        }
        for code in [
            "",
            "orders",
            ".",
            "orders.",
            ".orders",
            "a..b",
            "Orders.a",
            "orders.a b",
            "orders.1",
            "orders._a",
            "orders.a-b",
            "orders.é",
            "orders.a\r\nx",
            "orders.\"",
            "kliento.claim_required",
            "http.missing_layer",
            "veraid.a",
            "dnssec.a",
            "cms.a",
            "x509.a",
            "serve.a",
            "client.a",
            long,
        ] {
            let refusal = Refusal::forbidden(code);
            assert_eq!(refusal.reason(), "http.forbidden", "{code}");
            assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
            assert!(refusal.to_string().contains("is invalid"), "{refusal}");
        }
        let message = Refusal::forbidden("orders.closed").to_string();
        assert_eq!(
            message,
            "the application refuses the request: \"orders.closed\""
        );
    }
}
