//! The certificates of members.

use std::fmt;

use dnssec::Period;

use super::parse::UnverifiedCertificate;
use super::{Issuer, issue, read_pem, to_pem};
use crate::error::{CertificateRole, Error};
use crate::key::{PublicKey, SigningKey};
use crate::name::{Dialect, Member};
use crate::policy::Rules;

/// The certificate of a member, by the organisation or, in DomainAuth, by an intermediate of its.
///
/// It has been read and has a member's name and a key; whether the organisation answers for it is checked only when
/// something is verified with it.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberCertificate {
    der: Box<[u8]>,
    member: Member,
    public_key: PublicKey,
    period: Period,
}

impl MemberCertificate {
    /// Issues a certificate to a member.
    ///
    /// Nothing is adjusted: a period that reaches beyond that of the issuer's certificate is an error (VeraId §4.3), and
    /// so is a name that DomainAuth would write in another way.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] if `issuer_key` is not that of `issuer`; [`Error::MemberHasOrganisationKey`] if
    /// `member_key` is; [`Error::MemberName`] if the dialect has no such name; [`Error::OutsideIssuerPeriod`];
    /// [`Error::CertificateTooLong`]; [`Error::IntermediatesOutsideDialect`] for an intermediate in VeraId;
    /// [`Error::CertificateKey`] for a key that the dialect does not have;
    /// [`Error::UnwritablePeriod`]; [`Error::Signing`] and [`Error::SignedWrongly`] if the key does not sign as it
    /// should.
    pub fn issue<'c>(
        member: &Member,
        member_key: &PublicKey,
        issuer: impl Into<Issuer<'c>>,
        issuer_key: &dyn SigningKey,
        period: Period,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        let rules = Rules::widest(dialect);
        let issuer = issuer.into();
        if matches!(issuer, Issuer::Intermediate(_)) && !rules.is_domain_auth() {
            return Err(Error::IntermediatesOutsideDialect);
        }
        Member::parse_for(member.as_str(), dialect).map_err(Error::MemberName)?;
        let role = CertificateRole::Member;
        let issuer = issuer.check(issuer_key, member_key, period, role, rules)?;
        let request = issue::Request {
            issuer: issuer.subject(),
            subject: &issue::common_name(member.as_str())?,
            subject_key: member_key,
            period,
            authority: issue::Authority::None,
            authority_key_identifier: issuer.extensions().subject_key_identifier(),
            dialect,
        };
        Self::from_der(&issue::issue(&request, issuer_key)?)
    }

    /// Reads a DER certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_parsed(&UnverifiedCertificate::from_der(
            CertificateRole::Member,
            der,
        )?)
    }

    /// Reads a PEM file with a `CERTIFICATE`.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        Self::from_der(&read_pem(pem)?)
    }

    pub(crate) fn from_parsed(certificate: &UnverifiedCertificate<'_>) -> Result<Self, Error> {
        let member = certificate.common_name()?.parse();
        Ok(Self {
            der: certificate.to_der().into(),
            member: member.map_err(|source| Error::InvalidCommonName {
                certificate: CertificateRole::Member,
                source,
            })?,
            public_key: certificate.public_key()?,
            period: certificate.period(),
        })
    }

    /// The certificate laid open, to look into.
    pub fn parsed(&self) -> Result<UnverifiedCertificate<'_>, Error> {
        UnverifiedCertificate::from_der(CertificateRole::Member, &self.der)
    }

    /// The certificate as DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// A PEM file with a `CERTIFICATE`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        to_pem(&self.der)
    }

    /// Whose certificate it is, within the organisation.
    #[must_use]
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// The member's public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// When it says that it is valid.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }
}

impl fmt::Debug for MemberCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberCertificate")
            .field("member", &self.member)
            .field("public_key", &self.public_key)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
