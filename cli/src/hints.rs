//! Hints: what to do about what a library refuses. Each is told by the error's type, and so is whose fault it is.

use std::borrow::Cow;
use std::error::Error;

use dnssec::{Insecurity, RetrievalError};
use kliento::veraid::{self, KeyError, NameError};

/// An error of one of the libraries, as commands report it.
pub(crate) trait LibraryError: Error + Sized {
    /// Its stable name.
    fn reason(&self) -> &'static str;

    /// True if the outer form of what was given can't be read.
    fn is_malformed(&self) -> bool;

    /// True if it is what was asked for that can't be made or done here, and nothing that was given to be judged.
    fn is_about_the_request(&self) -> bool;

    /// The hint: what would do about it.
    fn hint(&self) -> Option<Cow<'static, str>>;
}

impl LibraryError for kliento::VerifyError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn is_malformed(&self) -> bool {
        self.is_malformed()
    }

    fn is_about_the_request(&self) -> bool {
        matches!(self, Self::VeraId(error) if error.is_about_the_request())
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::VeraId(error) => return error.hint(),
            Self::AudienceMismatch { .. } => {
                "audiences must be equal byte by byte; `kliento token inspect` shows the token's audience"
            }
            Self::DetachedToken => {
                "this signature is detached, so it is not a token; verify it with `kliento signature verify --plaintext FILE`"
            }
            Self::LifetimeTooLong { .. } => LIVES_TOO_LONG,
            Self::BundleTooLarge { .. } => TOO_LARGE,
            Self::WrongScheme => {
                "give the file that `kliento token issue` wrote, or the complete value of an Authorization field"
            }
            _ => return None,
        };
        Some(hint.into())
    }
}

impl LibraryError for kliento::IssueError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn is_malformed(&self) -> bool {
        matches!(self, Self::BundleTooLarge { .. })
    }

    fn is_about_the_request(&self) -> bool {
        matches!(self, Self::VeraId(error) if error.is_about_the_request())
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::VeraId(error) => error.hint(),
            Self::LifetimeTooLong { .. } => Some(LIVES_TOO_LONG.into()),
            Self::BundleTooLarge { .. } => Some(TOO_LARGE.into()),
            _ => None,
        }
    }
}

impl LibraryError for kliento::AudienceError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn is_malformed(&self) -> bool {
        false
    }

    fn is_about_the_request(&self) -> bool {
        true
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        None
    }
}

const LIVES_TOO_LONG: &str = "issue it again with --valid-for 1h or less";
const TOO_LARGE: &str = "most of a bundle is its DNSSEC chain: retrieve it with `kliento dnssec retrieve`, which keeps \
     only the necessary records. ML-DSA keys and signatures take thousands of bytes each: use smaller ones, or ML-DSA \
     only for the organisation's key";

impl LibraryError for veraid::VerifyError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn is_malformed(&self) -> bool {
        self.is_malformed()
    }

    fn is_about_the_request(&self) -> bool {
        matches!(
            self,
            Self::AlgorithmNotBuilt { .. }
                | Self::NotPemCertificate
                | Self::VerificationTooLong { .. }
        )
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Dnssec(error) => return error.hint(),
            // What would do depends on what was refused.
            Self::AlgorithmNotAllowed { algorithm, .. } => {
                return Some(
                    format!("to accept such keys, give --allow-algorithm {algorithm}").into(),
                );
            }
            Self::DialectNotAccepted { dialect } => {
                return Some(
                    format!("give --dialect {dialect}, or omit --dialect to accept both").into(),
                );
            }
            Self::InvalidAttribution(NameError::NotNormalised { normalised }) => {
                return Some(
                    format!("the signer must write the name as --on-behalf-of {normalised}").into(),
                );
            }
            Self::InvalidCommonName {
                source: NameError::NotNormalised { normalised },
                ..
            } => return Some(format!("certify the member as {normalised}").into()),
            // It is the same each time.
            Self::InvalidCommonName {
                source: NameError::NoTrailingDot,
                ..
            } => {
                "the organisation's certificate is for VeraId; make one for DomainAuth with `kliento organisation \
                 certificate --dialect domainauth`"
            }
            Self::CertificateKey {
                source: KeyError::NotInVeraId { .. },
                ..
            } => {
                "use DomainAuth, which supports such keys, as in `kliento organisation record --dialect domainauth`"
            }
            Self::MissingContent => "give the signed content with --plaintext",
            Self::UnexpectedContent => "omit --plaintext to verify the content in the bundle",
            Self::RecordAbsent(_) => {
                "publish the record that `kliento organisation record` prints, then retrieve the chain again"
            }
            Self::NoMatchingRecord => {
                "check that the key's record is published (see `kliento organisation record`), then retrieve the chain \
                 again"
            }
            Self::NoRecordResponse { .. } => IS_IT_THE_CHAIN,
            Self::SignatureExpired { .. } => {
                "sign again, or issue a new token; to verify at another time, use --at"
            }
            Self::SignatureNotYetValid { .. } | Self::CertificateNotYetValid { .. } => {
                IS_THE_CLOCK_RIGHT
            }
            Self::CertificateTooLong { .. } | Self::SignatureTooLong { .. } => {
                "in DomainAuth, certificates and signatures are valid for at most 90 days: use --valid-for 90d or less"
            }
            Self::OtherIssuer { .. } => {
                "to issue, give every certificate between the organisation's and the member's with --intermediate; a bundle that \
                 lacks one must be made again"
            }
            Self::VerificationTooLong { .. } => "choose --from and --until at most 90 days apart",
            Self::PathTooLong { .. } => {
                "make the certificate above with a larger --path-length. An organisation whose delegates certify \
                 members needs 1 (`kliento organisation certificate --path-length 1`)"
            }
            Self::IntermediatesOutsideDialect => {
                "delegation needs DomainAuth: retrieve the chain with `kliento dnssec retrieve --dialect domainauth`, \
                 and make the certificates with --dialect domainauth"
            }
            Self::AmbiguousDialect => {
                "retrieve the chain again with `kliento dnssec retrieve`, which asks for one dialect at a time"
            }
            Self::CertificateExpired { .. } => {
                "renew the certificate: the member's with `kliento member certify`, or the organisation's with \
                 `kliento organisation certificate`"
            }
            _ => return None,
        };
        Some(hint.into())
    }
}

impl LibraryError for veraid::IssueError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn is_malformed(&self) -> bool {
        matches!(self, Self::Invalid(error) if error.is_malformed())
    }

    /// All but a chain or a certificate that was given to issue with.
    fn is_about_the_request(&self) -> bool {
        match self {
            Self::Invalid(error) => error.is_about_the_request(),
            _ => true,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Invalid(error) => return error.hint(),
            Self::MemberName(NameError::NotNormalised { normalised }) => {
                return Some(format!("give --name {normalised}").into());
            }
            Self::KeyMismatch { .. } => {
                "this key does not match that certificate; use the one it was made for"
            }
            Self::MemberHasOrganisationKey => {
                "generate a key for the member with `kliento key generate`"
            }
            Self::OutsideIssuerPeriod { .. } => {
                "choose a shorter --valid-for, or renew the organisation's certificate with `kliento organisation \
                 certificate`"
            }
            _ => return None,
        };
        Some(hint.into())
    }
}

const IS_IT_THE_CHAIN: &str =
    "check that this is the domain's chain: `kliento dnssec inspect` shows its content";
const IS_THE_CLOCK_RIGHT: &str = "check this machine's clock; to verify at another time, use --at";

impl LibraryError for dnssec::Error {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn is_malformed(&self) -> bool {
        self.is_malformed()
    }

    /// A chain is always given to be judged.
    fn is_about_the_request(&self) -> bool {
        false
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::RrsigExpired { .. } => {
                "retrieve the chain again with `kliento dnssec retrieve`, then make the bundle again; --at verifies \
                 at another time"
            }
            Self::RrsigNotYetValid { .. } => IS_THE_CLOCK_RIGHT,
            Self::RrsigTooLong { .. } => {
                "DomainAuth allows DNSSEC signatures of at most 90 days; ask the operator of the zone to shorten them"
            }
            Self::MissingResponse(_) => IS_IT_THE_CHAIN,
            Self::InsecureDelegation { cause, .. } => return of_insecurity(*cause).map(Cow::from),
            Self::NoTrustAnchor(_) | Self::DnskeyNotCommitted { .. } => {
                "if this domain is below a private root, give its keys with --trust-anchors"
            }
            _ => return None,
        };
        Some(hint.into())
    }
}

/// The hint on a zone that is proven to be insecure: what its operator would have to change.
fn of_insecurity(cause: Insecurity) -> Option<&'static str> {
    match cause {
        Insecurity::NoDs | Insecurity::OptOut => {
            Some("ask the zone's operator to sign it, and to give its DS record to the parent zone")
        }
        Insecurity::Algorithms => Some(
            "ask the zone's operator to sign it with ECDSA P-256 (algorithm 13), and to give a DS record with SHA-256 \
             to the parent zone",
        ),
        Insecurity::Nsec3Iterations | Insecurity::Nsec3Hash => Some(
            "ask the zone's operator to use NSEC3 with SHA-1 and 0 iterations (RFC 9276), or NSEC",
        ),
        _ => None,
    }
}

/// The hint on a retrieval that failed. Where several resolvers failed, the first one's failure counts.
pub(crate) fn of_retrieval(error: &RetrievalError) -> Option<&'static str> {
    match error {
        RetrievalError::UntrustedResolver { .. } => {
            Some("for your own resolver, give the certificate of its authority with --resolver-ca")
        }
        RetrievalError::NoProof(failures) => match failures.first() {
            Some(failure) => of_retrieval(&failure.error),
            None => error.hint(),
        },
        other => other.hint(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_zone_without_a_known_ds_record_is_told_to_give_one_to_its_parent() {
        for (cause, remedy, lacks_ds) in [
            (Insecurity::NoDs, "sign it", true),
            (Insecurity::OptOut, "sign it", true),
            (Insecurity::Algorithms, "ECDSA P-256", true),
            (Insecurity::Nsec3Iterations, "0 iterations", false),
            (Insecurity::Nsec3Hash, "SHA-1", false),
        ] {
            let hint = of_insecurity(cause).unwrap();
            assert!(hint.contains(remedy), "{cause:?}: {hint}");
            assert_eq!(hint.contains("DS record"), lacks_ds, "{cause:?}: {hint}");
        }
    }
}
