//! The reasons why a token was not made, read or accepted.

use core::fmt;

use veraid::{Fault, KeyAlgorithm, Period};

use crate::{Audience, MAX_BUNDLE_OCTETS, MAX_LIFETIME_SECONDS};

/// The reason why an `Authorization` value, a bundle or a token could not be read or was not accepted.
///
/// Messages say which value failed against which and quote at most a few dozen characters of a token.
/// They hold no secrets, but name the signer and the audience: log them, and answer a client that was
/// refused with no more than [`reason`](VerifyError::reason). A message does not repeat that of its
/// [`source`](std::error::Error::source).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The `Authorization` value is for another scheme, or none: the client's request isn't meant for
    /// Kliento, and a server that takes several schemes may try the next.
    #[error("the authorization scheme is not \"Kliento\"")]
    WrongScheme,

    /// The scheme is `Kliento`, but no canonical Base64 follows it: the client's fault.
    #[error("malformed Kliento authorization: {detail}")]
    MalformedHeader {
        /// The fault.
        detail: &'static str,
    },

    /// The bundle exceeds [`MAX_BUNDLE_OCTETS`], and was not looked into.
    #[error("the token bundle has {octets} bytes; at most {MAX_BUNDLE_OCTETS} are allowed")]
    BundleTooLarge {
        /// The number of octets that it has, or would have once decoded from Base64.
        octets: usize,
    },

    /// The signature's content stands elsewhere; a token is always inside its bundle.
    #[error("the token is not in the bundle: the signature's content is detached")]
    DetachedToken,

    /// The token's period exceeds [`MAX_LIFETIME_SECONDS`].
    #[error(
        "the token's lifetime is {} seconds ({period}); the limit is {MAX_LIFETIME_SECONDS}",
        period.seconds()
    )]
    LifetimeTooLong {
        /// From the token's start to its end.
        period: Period,
    },

    /// The content is signed for the Kliento service, but is no token.
    #[error("malformed token")]
    MalformedToken(#[from] TokenSyntaxError),

    /// The token is for another server: a client mixed up its tokens, a server is configured with
    /// another audience than its clients use, or somebody tries a token that was sent to them elsewhere.
    #[error("the token is for audience {}, not {}", Excerpt(found.as_str()), Excerpt(expected.as_str()))]
    AudienceMismatch {
        /// The subject that the token speaks for.
        subject: String,
        /// The audience of the verifier, the first if it has several.
        expected: Audience,
        /// The audience that the token names.
        found: Audience,
    },

    /// The token is valid, but its subject is none of those that the verifier's [`Requirements`](crate::Requirements) allow.
    #[error("the subject {} is not allowed", Excerpt(subject))]
    SubjectNotAllowed {
        /// The subject that the token speaks for.
        subject: String,
    },

    /// The token is valid, but signed by the organisation in its member's place, or by its delegate.
    #[error("the organisation signed the token, but the member must sign it itself")]
    MemberSignatureRequired {
        /// The subject that the token speaks for.
        subject: String,
    },

    /// The token is valid, but signed by the member itself, whose word is not enough.
    #[doc(alias = "OrganizationSignatureRequired")]
    #[error("the member signed the token, but the organisation must sign it")]
    OrganisationSignatureRequired {
        /// The subject that the token speaks for.
        subject: String,
    },

    /// The token is valid, but signed with a kind of key that is not among those required.
    #[error("the token is signed with a {algorithm} key, which is not allowed here")]
    KeyAlgorithmNotAllowed {
        /// The subject that the token speaks for.
        subject: String,
        /// That of the key that signed the token.
        algorithm: KeyAlgorithm,
    },

    /// The token is valid, but lives longer than this verifier takes.
    #[error("the token's lifetime is {} seconds ({period}); the limit here is {most}", period.seconds())]
    LifetimeNotAllowed {
        /// The subject that the token speaks for.
        subject: String,
        /// From the token's start to its end.
        period: Period,
        /// The longest lifetime that is allowed, in seconds.
        most: u64,
    },

    /// The token is valid, but lacks a claim that is required, or claims another value.
    #[error(
        "the claim {} is missing, or does not have a required value",
        Excerpt(name)
    )]
    ClaimRequired {
        /// The subject that the token speaks for.
        subject: String,
        /// The name of the claim.
        name: String,
    },

    /// The signature bundle around the token can't be read or does not hold.
    #[error(transparent)]
    VeraId(#[from] veraid::VerifyError),
}

impl VerifyError {
    /// A stable name for what happened, for logs, metrics and answers to clients, such as
    /// `kliento.audience_mismatch` or `dnssec.rrsig_expired`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::WrongScheme => "kliento.wrong_scheme",
            Self::MalformedHeader { .. } => "kliento.malformed_header",
            Self::BundleTooLarge { .. } => "kliento.bundle_too_large",
            Self::DetachedToken => "kliento.detached_token",
            Self::LifetimeTooLong { .. } => "kliento.lifetime_too_long",
            Self::MalformedToken(_) => "kliento.malformed_token",
            Self::AudienceMismatch { .. } => "kliento.audience_mismatch",
            Self::SubjectNotAllowed { .. } => "kliento.subject_not_allowed",
            Self::MemberSignatureRequired { .. } => "kliento.member_signature_required",
            Self::OrganisationSignatureRequired { .. } => "kliento.organisation_signature_required",
            Self::KeyAlgorithmNotAllowed { .. } => "kliento.key_algorithm_not_allowed",
            Self::LifetimeNotAllowed { .. } => "kliento.lifetime_not_allowed",
            Self::ClaimRequired { .. } => "kliento.claim_required",
            Self::VeraId(error) => error.reason(),
        }
    }

    /// Returns whether the outer form could not be read at all (text, size, DER structure or version), as against
    /// a bundle that was read and does not hold.
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::WrongScheme | Self::MalformedHeader { .. } | Self::BundleTooLarge { .. } => true,
            Self::VeraId(error) => error.is_malformed(),
            Self::DetachedToken
            | Self::LifetimeTooLong { .. }
            | Self::MalformedToken(_)
            | Self::AudienceMismatch { .. }
            | Self::SubjectNotAllowed { .. }
            | Self::MemberSignatureRequired { .. }
            | Self::OrganisationSignatureRequired { .. }
            | Self::KeyAlgorithmNotAllowed { .. }
            | Self::LifetimeNotAllowed { .. }
            | Self::ClaimRequired { .. } => false,
        }
    }

    /// The party at fault. A token that is valid and [not enough](Self::is_forbidden) is refused by the server's policy.
    pub fn fault(&self) -> Fault {
        match self {
            Self::VeraId(error) => error.fault(),
            error if error.is_forbidden() => Fault::Policy,
            _ => Fault::Sender,
        }
    }

    /// Returns whether the token is valid, and only not enough for this server's [`Requirements`](crate::Requirements): status 403,
    /// while all else is status 401 (RFC 9110 §15.5.2 and §15.5.4).
    pub fn is_forbidden(&self) -> bool {
        matches!(
            self,
            Self::SubjectNotAllowed { .. }
                | Self::MemberSignatureRequired { .. }
                | Self::OrganisationSignatureRequired { .. }
                | Self::KeyAlgorithmNotAllowed { .. }
                | Self::LifetimeNotAllowed { .. }
                | Self::ClaimRequired { .. }
        )
    }

    /// The subject of a token that was verified and is refused all the same: because it is for another audience, or
    /// [not enough](Self::is_forbidden). `None` for every other error, since nobody vouches for what those tokens say.
    ///
    /// For logs: a client is told no more than the [`reason`](Self::reason).
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::AudienceMismatch { subject, .. }
            | Self::SubjectNotAllowed { subject }
            | Self::MemberSignatureRequired { subject }
            | Self::OrganisationSignatureRequired { subject }
            | Self::KeyAlgorithmNotAllowed { subject, .. }
            | Self::LifetimeNotAllowed { subject, .. }
            | Self::ClaimRequired { subject, .. } => Some(subject),
            Self::WrongScheme
            | Self::MalformedHeader { .. }
            | Self::BundleTooLarge { .. }
            | Self::DetachedToken
            | Self::LifetimeTooLong { .. }
            | Self::MalformedToken(_)
            | Self::VeraId(_) => None,
        }
    }
}

/// The reason why a token could not be issued.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The token's period exceeds [`MAX_LIFETIME_SECONDS`].
    #[error(
        "the token's lifetime is {} seconds ({period}); the limit is {MAX_LIFETIME_SECONDS}",
        period.seconds()
    )]
    LifetimeTooLong {
        /// From the token's start to its end.
        period: Period,
    },

    /// The bundle would exceed [`MAX_BUNDLE_OCTETS`]: the DNSSEC chain, the claims, or the keys and signatures are too
    /// large. As a rule that is so for members with ML-DSA keys below an organisation with such a key.
    #[error("the token bundle would have {octets} bytes; at most {MAX_BUNDLE_OCTETS} are allowed")]
    BundleTooLarge {
        /// The number of octets that it would have.
        octets: usize,
    },

    /// The signature bundle around the token could not be made.
    #[error(transparent)]
    VeraId(#[from] veraid::IssueError),
}

impl IssueError {
    /// A stable name for what happened, for logs, such as `kliento.lifetime_too_long` or `veraid.key_mismatch`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::LifetimeTooLong { .. } => "kliento.lifetime_too_long",
            Self::BundleTooLarge { .. } => "kliento.bundle_too_large",
            Self::VeraId(error) => error.reason(),
        }
    }

    /// The party at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Self::VeraId(error) => error.fault(),
            Self::LifetimeTooLong { .. } | Self::BundleTooLarge { .. } => Fault::Caller,
        }
    }
}

/// A text that is no audience: one has at least one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audience is empty")]
pub struct AudienceError;

impl AudienceError {
    /// A stable name for what happened: `kliento.empty_audience`.
    pub fn reason(&self) -> &'static str {
        "kliento.empty_audience"
    }
}

/// The place and the manner in which a token's JSON departs from what [`Token::from_json`](crate::Token::from_json) reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct TokenSyntaxError(SyntaxFault);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SyntaxFault {
    #[error("not UTF-8: invalid at byte {0}")]
    Encoding(usize),
    #[error("there is a byte order mark before the JSON (RFC 8259 §8.1)")]
    ByteOrderMark,
    #[error("{problem} at line {line} column {column}")]
    Json {
        problem: String,
        line: usize,
        column: usize,
    },
}

impl TokenSyntaxError {
    pub(crate) fn encoding(error: core::str::Utf8Error) -> Self {
        Self(SyntaxFault::Encoding(error.valid_up_to()))
    }

    pub(crate) fn byte_order_mark() -> Self {
        Self(SyntaxFault::ByteOrderMark)
    }

    /// Keeps of the parser's message, which may quote the token at any length, no more than fits in a message.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let position = format!(" at line {line} column {column}");
        let problem = shortened(said.strip_suffix(&position).unwrap_or(&said));
        Self(SyntaxFault::Json {
            problem,
            line,
            column,
        })
    }
}

/// A message without its middle, if it is long: what it quotes stands there, and what it means at its ends.
pub(crate) fn shortened(message: &str) -> String {
    const MAX_CHARACTERS: usize = 160;
    let characters = message.chars().count();
    if characters <= MAX_CHARACTERS {
        return message.to_owned();
    }
    let start = message.chars().take(MAX_CHARACTERS / 2);
    let end = message.chars().skip(characters - MAX_CHARACTERS / 2);
    start.chain(['…']).chain(end).collect()
}

/// A quotation from a token, escaped and cut to a length that fits in a message.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARACTERS: usize = 80;
        match self.0.char_indices().nth(MAX_CHARACTERS) {
            None => write!(formatter, "{:?}", self.0),
            Some((end, _)) => {
                let start = self.0.get(..end).unwrap_or_default();
                write!(formatter, "{start:?}…")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_no_more_of_a_token_than_fits_in_a_message() {
        assert_eq!(Excerpt("a\nb").to_string(), r#""a\nb""#);
        let long = Excerpt(&"é".repeat(1_000)).to_string();
        assert_eq!(long, format!("\"{}\"…", "é".repeat(80)));
    }
}
