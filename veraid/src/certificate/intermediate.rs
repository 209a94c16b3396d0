//! The certificates of those to whom an organisation delegates (DomainAuth draft, "Intermediate Certificate").

use std::fmt;

use dnssec::Period;

use super::issued::{IssuedCertificate, common_of_certificates};
use super::parse::UnverifiedCertificate;
use super::{Issuer, issue};
use crate::algorithm::SignatureAlgorithm;
use crate::error::{CertificateRole, IssueError, VerifyError};
use crate::key::{PublicKey, SigningKey};
use crate::name::{Dialect, Member};
use crate::policy::Rules;
use crate::unsigned::UnsignedCertificate;

/// Longest name of a unit, in characters (RFC 5280 §A.1, `ub-organizational-unit-name`).
const MAX_UNIT_CHARACTERS: usize = 64;

/// The name of an intermediate in its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IntermediateName {
    /// By what it does, as an organisational unit: 1 to 64 characters. It signs nothing in a member's name.
    Unit(String),
    /// By the name of a member: whoever holds the key may also sign as that member.
    Member(Member),
}

impl IntermediateName {
    /// The DER of the distinguished name.
    fn to_distinguished_name(&self) -> Result<Vec<u8>, IssueError> {
        match self {
            Self::Unit(unit) => match unit.chars().count() {
                1..=MAX_UNIT_CHARACTERS => issue::organisational_unit(unit),
                _ => Err(IssueError::UnitName),
            },
            Self::Member(member) => {
                Member::parse_for(member.as_str(), Dialect::DomainAuth)
                    .map_err(IssueError::MemberName)?;
                issue::common_name(member.as_str())
            }
        }
    }
}

/// The certificate of somebody to whom the organisation delegates: to issue certificates to members, and to sign in the
/// organisation's name. There is none in VeraId.
///
/// It has been read, is marked as a CA's and has a key; whether the organisation answers for it is checked only when
/// something is verified with it.
#[derive(Clone, PartialEq, Eq)]
pub struct IntermediateCertificate {
    issued: IssuedCertificate,
}

common_of_certificates!(IntermediateCertificate, CertificateRole::Intermediate);

/// What an intermediate's certificate is to say, and who issues it.
#[derive(Clone, Copy, Debug)]
pub struct IntermediateRequest<'r> {
    name: &'r IntermediateName,
    key: &'r PublicKey,
    issuer: Issuer<'r>,
    period: Period,
    path_length: u8,
}

impl<'r> IntermediateRequest<'r> {
    /// A certificate for an intermediate and its key by `issuer` that is valid for `period`, with no further intermediates
    /// below it.
    #[must_use]
    pub fn new<'i: 'r>(
        name: &'r IntermediateName,
        key: &'r PublicKey,
        issuer: impl Into<Issuer<'i>>,
        period: Period,
    ) -> Self {
        Self {
            name,
            key,
            issuer: issuer.into(),
            period,
            path_length: 0,
        }
    }

    /// Sets how many further intermediates it may have below it: 0 if it issues certificates to members only, or just signs.
    /// The issuer's own must be larger, since that one counts this intermediate too.
    #[must_use]
    pub fn with_path_length(mut self, path_length: u8) -> Self {
        self.path_length = path_length;
        self
    }
}

impl IntermediateCertificate {
    /// Issues a certificate to an intermediate.
    ///
    /// # Errors
    /// As [`IntermediateCertificate::prepare`] and [`UnsignedCertificate::sign`].
    pub fn issue(
        request: &IntermediateRequest<'_>,
        issuer_key: &dyn SigningKey,
    ) -> Result<Self, IssueError> {
        Self::prepare(request)?.sign(issuer_key)
    }

    /// Prepares all of an intermediate's certificate but its signature by the issuer's key.
    ///
    /// An issuer that allows no further intermediates can issue one all the same if that is to sign and not to issue, as its
    /// certificate then ends the path (RFC 5280 §4.2.1.9): such a certificate has no `keyCertSign` among its key usages.
    ///
    /// # Errors
    /// As [`MemberCertificate::prepare`](super::MemberCertificate::prepare); [`IssueError::UnitName`] for a name that is
    /// empty or too long; [`VerifyError::PathTooLong`] if the issuer allows fewer intermediates than that would make.
    pub fn prepare(
        request: &IntermediateRequest<'_>,
    ) -> Result<UnsignedCertificate<Self>, IssueError> {
        let IntermediateRequest {
            name,
            key,
            issuer,
            period,
            path_length,
        } = *request;
        let rules = Rules::widest(Dialect::DomainAuth);
        let certificate = issuer.check(key, period, CertificateRole::Intermediate, rules)?;
        let limit = certificate.extensions().path_length();
        if let Some(limit) = limit
            && path_length > limit.saturating_sub(1)
        {
            return Err(VerifyError::PathTooLong {
                certificate: issuer.role(),
                limit,
            }
            .into());
        }
        // Whoever is below an issuer with no intermediates left only signs, and its own certificate must say so: that of the
        // organisation anybody can wrap anew, with a longer path.
        let authority = match limit {
            Some(0) => issue::Authority::Sign,
            _ => issue::Authority::Issue(path_length),
        };
        let request = issue::Request {
            issuer: certificate.subject(),
            subject: &name.to_distinguished_name()?,
            subject_key: key,
            period,
            authority,
            authority_key_identifier: certificate.extensions().subject_key_identifier(),
            dialect: Dialect::DomainAuth,
        };
        issue::prepare(&request, issuer.public_key(), issuer.role(), Self::finish)
    }

    pub(crate) fn from_parsed(
        certificate: &UnverifiedCertificate<'_>,
    ) -> Result<Self, VerifyError> {
        if !certificate.is_ca() {
            return Err(VerifyError::NotCa {
                certificate: CertificateRole::Intermediate,
            });
        }
        Ok(Self {
            issued: IssuedCertificate::new(certificate)?,
        })
    }
}

impl fmt::Debug for IntermediateCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntermediateCertificate")
            .field("public_key", self.public_key())
            .field("period", &self.period())
            .finish_non_exhaustive()
    }
}
