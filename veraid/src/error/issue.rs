//! The reasons why a certificate or a signature cannot be made.

use dnssec::Period;

use super::{CertificateRole, Fault, VerifyError};
use crate::crypto::HashAlgorithm;
use crate::key::{KeyAlgorithm, KeyError, SignatureScheme, SigningError};
use crate::name::NameError;
use crate::service::ServiceOid;

/// The reason why a certificate, a signature or a bundle cannot be made.
///
/// [`IssueError::reason`] is for machines and stays as it is; the text is for people and may change. A text does not
/// repeat that of its [`source`](std::error::Error::source).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A chain or certificate to issue with could not be read, or is not what the dialect demands, so that nobody could
    /// verify what would be made.
    #[error(transparent)]
    Invalid(#[from] VerifyError),
    /// A key that cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The dialect has no such name for a member.
    #[error("the dialect does not allow this member name")]
    MemberName(#[source] NameError),
    /// The name of an intermediate is empty or too long.
    #[error("an intermediate's name must have 1 to 64 characters")]
    UnitName,
    /// The key is not the certificate's.
    #[error("the private key does not belong to the {certificate}")]
    KeyMismatch {
        /// Which certificate.
        certificate: CertificateRole,
    },
    /// The member would have the organisation's own key.
    #[error("this is the organisation's key; a member needs its own key")]
    #[doc(alias = "MemberHasOrganizationKey")]
    MemberHasOrganisationKey,
    /// The member certificate would be valid when the organisation's is not.
    #[error(
        "the member certificate would be valid for {wanted}, but the organisation certificate is valid only for {issuer}"
    )]
    OutsideIssuerPeriod {
        /// What was asked for.
        wanted: Period,
        /// When the organisation certificate is valid.
        issuer: Period,
    },
    /// The signature would at no second be valid together with the certificates.
    #[error(
        "the signature would be valid for {wanted}, but the {certificate} is valid only for {available}"
    )]
    NeverVerifiable {
        /// What was asked for.
        wanted: Period,
        /// Which certificate.
        certificate: CertificateRole,
        /// When that is valid.
        available: Period,
    },
    /// The times cannot be written: before 1970 or after 9999.
    #[error(
        "the time {0} is out of range: certificates and signatures can have dates from 1970 to 9999"
    )]
    UnwritablePeriod(Period),
    /// The content was given as a digest by another function than the one that goes with the signer's key.
    #[error("the digest algorithm of the content must be {expected} for a key of {key}")]
    ContentHash {
        /// What the key is.
        key: KeyAlgorithm,
        /// The function that goes with it.
        expected: HashAlgorithm,
    },
    /// The key is restricted to signatures of another kind (RFC 4055 §1.2), so that it could not be asked.
    #[error("the key of the {certificate} is restricted, and does not sign {scheme}")]
    RestrictedKey {
        /// Which certificate.
        certificate: CertificateRole,
        /// What it would be asked for.
        scheme: SignatureScheme,
    },
    /// The identifier means something in the protocol itself.
    #[error("{0} is reserved by the protocol, and cannot name a service")]
    NotAService(ServiceOid),
    /// The private key's holder refused.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// What came back from the private key's holder does not verify with its public key.
    #[error(
        "the private key made a signature that does not verify; {key} keys must sign {}", .key.signature_scheme()
    )]
    SignedWrongly {
        /// What the key is.
        key: KeyAlgorithm,
    },
    /// A structure could not be written, or no random octets could be had.
    #[error("failed to make the {0}")]
    Unwritable(&'static str),
}

impl IssueError {
    /// A stable name for the reason, for machines: `veraid.…`, or that of [`VerifyError::reason`].
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

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Invalid(error) => match error.fault() {
                // It is the caller who gave it, or asked for it.
                Fault::Sender | Fault::Policy => Fault::Caller,
                fault => fault,
            },
            Self::Signing(_) | Self::SignedWrongly { .. } => Fault::KeyHolder,
            _ => Fault::Caller,
        }
    }
}
