//! The certificates of members.

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

/// The certificate of a member, issued by the organisation or, in DomainAuth, by one of its
/// intermediates.
///
/// It has been parsed and has a member's name and a key. Its path to the organisation is checked
/// only when something is verified with it.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberCertificate {
    issued: IssuedCertificate,
    member: Member,
}

common_of_certificates!(MemberCertificate, CertificateRole::Member);

/// The contents of a new member certificate, and its issuer.
#[derive(Clone, Copy, Debug)]
pub struct MemberRequest<'r> {
    member: &'r Member,
    key: &'r PublicKey,
    issuer: Issuer<'r>,
    dialect: Dialect,
    period: Period,
}

impl<'r> MemberRequest<'r> {
    /// Requests a certificate by `issuer` for `member` and its key, in the dialect of the issuer's
    /// own certificate. It is valid for `period`.
    #[must_use]
    pub fn new<'i: 'r>(
        member: &'r Member,
        key: &'r PublicKey,
        issuer: impl Into<Issuer<'i>>,
        dialect: Dialect,
        period: Period,
    ) -> Self {
        Self {
            member,
            key,
            issuer: issuer.into(),
            dialect,
            period,
        }
    }
}

impl MemberCertificate {
    /// Issues a certificate to a member.
    ///
    /// # Errors
    /// As [`MemberCertificate::prepare`] and [`UnsignedCertificate::sign`].
    pub fn issue(
        request: &MemberRequest<'_>,
        issuer_key: &dyn SigningKey,
    ) -> Result<Self, IssueError> {
        Self::prepare(request)?.sign(issuer_key)
    }

    /// Prepares everything in a member certificate except the signature by the issuer's key.
    ///
    /// Nothing is adjusted: a period that extends beyond that of the issuer's certificate is an
    /// error (VeraId §4.3), and so is a name that is not in the normal form of DomainAuth.
    ///
    /// # Errors
    /// [`IssueError::MemberHasOrganisationKey`] if the member's key is the issuer's;
    /// [`IssueError::MemberName`] if the dialect does not allow the name;
    /// [`IssueError::OutsideIssuerPeriod`]; [`VerifyError::CertificateTooLong`];
    /// [`VerifyError::IntermediatesOutsideDialect`] for an intermediate in VeraId;
    /// [`VerifyError::CertificateKey`] for a key that the dialect does not allow;
    /// [`IssueError::UnwritablePeriod`].
    pub fn prepare(request: &MemberRequest<'_>) -> Result<UnsignedCertificate<Self>, IssueError> {
        let MemberRequest {
            member,
            key,
            issuer,
            dialect,
            period,
        } = *request;
        let rules = Rules::widest(dialect);
        if matches!(issuer, Issuer::Intermediate(_)) && !rules.is_domain_auth() {
            return Err(VerifyError::IntermediatesOutsideDialect.into());
        }
        Member::parse_for(member.as_str(), dialect).map_err(IssueError::MemberName)?;
        let certificate = issuer.check(key, period, CertificateRole::Member, rules)?;
        let request = issue::Request {
            issuer: certificate.subject(),
            subject: &issue::common_name(member.as_str())?,
            subject_key: key,
            period,
            authority: issue::Authority::None,
            authority_key_identifier: certificate.extensions().subject_key_identifier(),
            dialect,
        };
        issue::prepare(&request, issuer.public_key(), issuer.role(), Self::finish)
    }

    pub(crate) fn from_parsed(
        certificate: &UnverifiedCertificate<'_>,
    ) -> Result<Self, VerifyError> {
        let member = certificate.common_name()?.parse();
        Ok(Self {
            member: member.map_err(|source| VerifyError::InvalidCommonName {
                certificate: CertificateRole::Member,
                source,
            })?,
            issued: IssuedCertificate::new(certificate)?,
        })
    }

    /// The member that the certificate names, within the organisation.
    #[must_use]
    pub fn member(&self) -> &Member {
        &self.member
    }
}

impl fmt::Debug for MemberCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberCertificate")
            .field("member", &self.member)
            .field("public_key", self.public_key())
            .field("period", &self.period())
            .finish_non_exhaustive()
    }
}
