//! The errors of the crate, and what they name.

mod issue;
mod verify;

use std::fmt;

pub use issue::IssueError;
pub use verify::VerifyError;
pub(crate) use verify::Within;

/// Displays an error together with its sources, for logs: `the key of the member certificate is not allowed: RSA keys of 1024
/// bits cannot be used; …`.
///
/// No error of these crates repeats its source in its own text, so that whoever prints the whole chain prints nothing
/// twice; and whoever prints the error alone prints less than is known.
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

/// Whose fault an error is, as far as an error can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// That of whoever made or sent the bundle: it is malformed, forged, cut short, or outside the protocol. Nothing that
    /// the verifier does makes it valid.
    Sender,
    /// That of the domain: it is not signed with DNSSEC, or does not publish the organisation's key as it should. Its owner
    /// can mend it, and then a new bundle is needed.
    Domain,
    /// Nobody's: something has ended or has not begun. A renewed bundle would do, or a clock that is right. Times are
    /// compared before signatures are verified, so that it is no proof that the bundle ever was valid.
    Time,
    /// That of the policy: the verifier was told not to accept such bundles.
    Policy,
    /// That of the caller: the arguments don't go together, or this build lacks what is asked of it.
    Caller,
    /// That of whoever holds the private key: it refused to sign, or signed in another way than it was asked to.
    KeyHolder,
}

/// The certificate that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateRole {
    /// The one whose key the TXT record publishes.
    #[doc(alias = "Organization")]
    Organisation,
    /// One between the organisation's and the signer's, or of one to whom the organisation delegates its signatures
    /// (DomainAuth).
    Intermediate,
    /// The one that the organisation, or one of its intermediates, issued to the signer.
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

/// A bundle's structure, as its ASN.1 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Structure {
    /// `MemberIdBundle`.
    MemberIdBundle,
    /// `SignatureBundle`.
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

/// A signed attribute that every signature has (RFC 5652 §11, VeraId §4.4), or every one by an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignedAttribute {
    /// What type of content is signed.
    ContentType,
    /// The digest of the content.
    MessageDigest,
    /// Service and period.
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

/// One of the two extensions that tie certificates together by their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyIdentifier {
    /// That of the issuer's key (RFC 5280 §4.2.1.1).
    Authority,
    /// That of the certificate's own key (RFC 5280 §4.2.1.2).
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
