//! Intermediate certificates, with which an organisation delegates (DomainAuth draft, "Intermediate
//! Certificate").

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

/// The most characters in the name of a unit (RFC 5280 §A.1, `ub-organizational-unit-name`).
const MAX_UNIT_CHARACTERS: usize = 64;

/// The name of an intermediate in its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IntermediateName {
    /// The name of its function, as an organisational unit: 1 to 64 characters. It signs nothing in
    /// a member's name.
    Unit(String),
    /// The name of a member: the holder of the key may also sign as that member.
    Member(Member),
}

impl IntermediateName {
    /// Encodes the distinguished name as DER.
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

/// The certificate of a delegate, which may issue certificates to members and sign in the
/// organisation's name. VeraId does not have it.
///
/// It has been parsed, is marked as a CA certificate and has a key. Its path to the organisation is
/// checked only when something is verified with it.
#[derive(Clone, PartialEq, Eq)]
pub struct IntermediateCertificate {
    issued: IssuedCertificate,
}

common_of_certificates!(IntermediateCertificate, CertificateRole::Intermediate);

/// The contents of a new intermediate certificate, and its issuer.
#[derive(Clone, Copy, Debug)]
pub struct IntermediateRequest<'r> {
    name: &'r IntermediateName,
    key: &'r PublicKey,
    issuer: Issuer<'r>,
    period: Period,
    path_length: u8,
}

impl<'r> IntermediateRequest<'r> {
    /// Requests a certificate by `issuer` for an intermediate and its key. It is valid for `period`
    /// and allows no further intermediates below it.
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

    /// Sets how many further intermediates may follow below it: 0 if it only signs or only issues
    /// certificates to members. The issuer's own path length must be larger, because it counts this
    /// intermediate too.
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

    /// Prepares everything in an intermediate certificate except the signature by the issuer's key.
    ///
    /// An issuer that allows no further intermediates can still issue one that only signs, because
    /// that certificate ends the path (RFC 5280 §4.2.1.9). Such a certificate has no `keyCertSign`
    /// among its key usages.
    ///
    /// # Errors
    /// As [`MemberCertificate::prepare`](super::MemberCertificate::prepare);
    /// [`IssueError::UnitName`] for a name that is empty or too long; [`VerifyError::PathTooLong`]
    /// if the issuer allows fewer intermediates than the request needs.
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
        // A delegate below an issuer that allows no further intermediates may only sign, and its
        // own certificate must say so: anybody can put the organisation's key in a certificate with
        // a longer path length.
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
