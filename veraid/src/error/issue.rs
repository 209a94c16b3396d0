//! The reasons why a certificate or a signature cannot be made.

use dnssec::Period;

use super::{CertificateRole, Fault, VerifyError};
use crate::crypto::HashAlgorithm;
use crate::key::{KeyAlgorithm, KeyError, SignatureScheme, SigningError};
use crate::name::NameError;
use crate::service::ServiceOid;

/// The reason why a certificate, a signature or a bundle cannot be made.
///
/// [`IssueError::reason`] is for machines and stays as it is; the text is for people and may
/// change. A text does not repeat the text of its [`source`](std::error::Error::source).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A chain or certificate to issue with could not be read, or violates the dialect, so that
    /// nobody could verify the result.
    #[error(transparent)]
    Invalid(#[from] VerifyError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The dialect does not allow the member's name.
    #[error("the dialect does not allow this member name")]
    MemberName(#[source] NameError),
    /// The name of an intermediate is empty or too long.
    #[error("an intermediate's name must have 1 to 64 characters")]
    UnitName,
    /// The private key does not belong to the certificate.
    #[error("the private key does not belong to the {certificate}")]
    KeyMismatch {
        /// The certificate that the error is about.
        certificate: CertificateRole,
    },
    /// The member would have the same key as the organisation.
    #[error("this is the organisation's key; a member needs its own key")]
    #[doc(alias = "MemberHasOrganizationKey")]
    MemberHasOrganisationKey,
    /// The member certificate would be valid at times at which the organisation certificate is not.
    #[error(
        "the member certificate would be valid for {wanted}, but the organisation certificate is valid only for {issuer}"
    )]
    OutsideIssuerPeriod {
        /// The period that was requested for the member certificate.
        wanted: Period,
        /// The period for which the organisation certificate is valid.
        issuer: Period,
    },
    /// At no second would the signature and the certificates be valid together.
    #[error(
        "the signature would be valid for {wanted}, but the {certificate} is valid only for {available}"
    )]
    NeverVerifiable {
        /// The period that was requested for the signature.
        wanted: Period,
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The period for which that certificate is valid.
        available: Period,
    },
    /// The times cannot be encoded: they are before 1970 or after 9999.
    #[error(
        "the time {0} is out of range: certificates and signatures can have dates from 1970 to 9999"
    )]
    UnwritablePeriod(Period),
    /// The content was given as a digest by a hash function that does not match the signer's key.
    #[error("the digest algorithm of the content must be {expected} for a key of {key}")]
    ContentHash {
        /// The algorithm of the signer's key.
        key: KeyAlgorithm,
        /// The hash function that matches the key.
        expected: HashAlgorithm,
    },
    /// The certificate restricts the key to signatures of another scheme (RFC 4055 §1.2).
    #[error("the key of the {certificate} is restricted, and does not sign {scheme}")]
    RestrictedKey {
        /// The certificate that the error is about.
        certificate: CertificateRole,
        /// The scheme that the signature would need.
        scheme: SignatureScheme,
    },
    /// The object identifier belongs to a part of the protocol.
    #[error("{0} is reserved by the protocol, and cannot name a service")]
    NotAService(ServiceOid),
    /// The holder of the private key refused to sign.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The signature from the holder of the private key does not verify with the public key.
    #[error(
        "the private key made a signature that does not verify; {key} keys must sign {}", .key.signature_scheme()
    )]
    SignedWrongly {
        /// The algorithm of the key.
        key: KeyAlgorithm,
    },
    /// A structure could not be encoded, or no random octets were available.
    #[error("failed to make the {0}")]
    Unwritable(&'static str),
}

impl IssueError {
    /// Returns a stable name for the reason, for machines: `veraid.…`, or the name that
    /// [`VerifyError::reason`] returns.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.reason(),
            Self::Key(_) => "veraid.key",
            Self::MemberName(_) => "veraid.member_name",
            Self::UnitName => "veraid.unit_name",
            Self::KeyMismatch { .. } => "veraid.key_mismatch",
            Self::MemberHasOrganisationKey => "veraid.member_has_organisation_key",
            Self::OutsideIssuerPeriod { .. } => "veraid.outside_issuer_period",
            Self::NeverVerifiable { .. } => "veraid.never_verifiable",
            Self::UnwritablePeriod(_) => "veraid.unwritable_period",
            Self::RestrictedKey { .. } => "veraid.restricted_key",
            Self::ContentHash { .. } => "veraid.content_hash",
            Self::NotAService(_) => "veraid.not_a_service",
            Self::Signing(_) => "veraid.signing_failed",
            Self::SignedWrongly { .. } => "veraid.signed_wrongly",
            Self::Unwritable(_) => "veraid.unwritable",
        }
    }

    /// Returns the party whose fault the error is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Invalid(error) => match error.fault() {
                // The caller supplied the data or made the request.
                Fault::Sender | Fault::Policy => Fault::Caller,
                fault => fault,
            },
            Self::Signing(_) | Self::SignedWrongly { .. } => Fault::KeyHolder,
            _ => Fault::Caller,
        }
    }
}
