//! The errors of the crate, and the parts of the protocol that they name.

mod issue;
mod verify;

use std::fmt;

pub use issue::IssueError;
pub use verify::VerifyError;
pub(crate) use verify::Within;

/// A wrapper that displays an error together with its sources, for logs: `the key of the member
/// certificate is not allowed: RSA keys of 1024 bits cannot be used; …`.
///
/// No error of these crates repeats its source in its own text. The whole chain therefore says
/// nothing twice, and the error alone does not say everything.
///
/// ```
/// use veraid::WithSources;
///
/// let error = std::io::Error::other("disk full");
/// assert_eq!(WithSources(&error).to_string(), "disk full");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WithSources<'e>(pub &'e dyn std::error::Error);

impl fmt::Display for WithSources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// The party whose fault an error is, as far as the error can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The one who made or sent the bundle: it is malformed, forged, truncated, or outside the
    /// protocol. Nothing that the verifier does makes it valid.
    Sender,
    /// The domain: it is not signed with DNSSEC, or does not publish the organisation's key
    /// correctly. Its owner can correct that; then a new bundle is needed.
    Domain,
    /// Nobody: something has expired or is not valid yet. A renewed bundle or a correct clock would
    /// help. Times are compared before signatures are verified, so this does not prove that the
    /// bundle was ever valid.
    Time,
    /// The policy: the verifier was told not to accept such bundles.
    Policy,
    /// The caller: the arguments do not fit each other, or this build lacks a feature that they
    /// need.
    Caller,
    /// The holder of the private key: it refused to sign, or signed in another way than it was
    /// asked to.
    KeyHolder,
}

/// The certificate that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateRole {
    /// The certificate whose key the TXT record publishes.
    #[doc(alias = "Organization")]
    Organisation,
    /// A certificate between the organisation's and the signer's, or the certificate of a delegate
    /// (DomainAuth).
    Intermediate,
    /// The certificate that the organisation, or one of its intermediates, issued to the signer.
    Member,
}

impl fmt::Display for CertificateRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organisation => "organisation certificate",
            Self::Intermediate => "intermediate certificate",
            Self::Member => "member certificate",
        })
    }
}

/// The structure of a bundle, with its name in the ASN.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Structure {
    /// The `MemberIdBundle`.
    MemberIdBundle,
    /// The `SignatureBundle`.
    SignatureBundle,
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MemberIdBundle => "member id bundle",
            Self::SignatureBundle => "signature bundle",
        })
    }
}

/// A signed attribute of every signature (RFC 5652 §11, VeraId §4.4), or of every organisation
/// signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignedAttribute {
    /// The type of the signed content.
    ContentType,
    /// The digest of the content.
    MessageDigest,
    /// The service and the period.
    SignatureMetadata,
    /// The member to whom the organisation attributes the content.
    MemberAttribution,
}

impl fmt::Display for SignedAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContentType => "content-type",
            Self::MessageDigest => "message-digest",
            Self::SignatureMetadata => "signature metadata",
            Self::MemberAttribution => "member attribution",
        })
    }
}

/// One of the two extensions that link certificates by their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyIdentifier {
    /// The identifier of the issuer's key (RFC 5280 §4.2.1.1).
    Authority,
    /// The identifier of the certificate's own key (RFC 5280 §4.2.1.2).
    Subject,
}

impl fmt::Display for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authority => "authority key identifier",
            Self::Subject => "subject key identifier",
        })
    }
}
