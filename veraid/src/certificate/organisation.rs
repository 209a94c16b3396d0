//! The organisation's own certificate.

use std::fmt;

use dnssec::Period;

use super::parse::UnverifiedCertificate;
use super::profile::named_organisation;
use super::{issue, read_pem, to_pem};
use crate::error::{CertificateRole, Error};
use crate::key::{PublicKey, SigningKey};
use crate::name::{Dialect, Organisation};
use crate::policy::Rules;

/// The certificate of an organisation: for its domain, with the key that the domain publishes.
///
/// It has been read, and has a domain for a name and a key that can be used. What its dialect asks of it, and its
/// signature, are checked when something is made or verified with it.
#[doc(alias = "OrganizationCertificate")]
#[derive(Clone, PartialEq, Eq)]
pub struct OrganisationCertificate {
    der: Box<[u8]>,
    organisation: Organisation,
    public_key: PublicKey,
    period: Period,
}

impl OrganisationCertificate {
    /// Issues a certificate to the organisation whose private key is given, with that very key.
    ///
    /// `path_length` is how many intermediates may stand between it and a member: 0 unless the organisation delegates to
    /// somebody who issues certificates to members, and always in VeraId. Make it no larger than is needed (DomainAuth
    /// draft, "Organisation Certificate").
    ///
    /// # Errors
    /// [`Error::CertificateTooLong`] for more than 90 days in DomainAuth; [`Error::CertificateKey`] for a key of which the
    /// dialect has no records; [`Error::IntermediatesOutsideDialect`] for a path length in VeraId; [`Error::UnwritablePeriod`] for times that certificates cannot have; [`Error::Signing`]
    /// and [`Error::SignedWrongly`] if the key does not sign as it should.
    pub fn self_issue(
        organisation: &Organisation,
        dialect: Dialect,
        key: &dyn SigningKey,
        period: Period,
        path_length: u8,
    ) -> Result<Self, Error> {
        let rules = Rules::widest(dialect);
        if !rules.is_domain_auth() && path_length > 0 {
            return Err(Error::IntermediatesOutsideDialect);
        }
        rules.check_key(CertificateRole::Organisation, &key.public_key().borrow())?;
        rules.check_validity(CertificateRole::Organisation, period)?;
        let name = issue::common_name(&organisation.common_name(dialect))?;
        let request = issue::Request {
            issuer: &name,
            subject: &name,
            subject_key: key.public_key(),
            period,
            authority: issue::Authority::Issue(path_length),
            authority_key_identifier: None,
            dialect,
        };
        Self::from_der(&issue::issue(&request, key)?)
    }

    /// Reads a DER certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_parsed(&UnverifiedCertificate::from_der(
            CertificateRole::Organisation,
            der,
        )?)
    }

    /// Reads a PEM file with a `CERTIFICATE`.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        Self::from_der(&read_pem(pem)?)
    }

    pub(crate) fn from_parsed(certificate: &UnverifiedCertificate<'_>) -> Result<Self, Error> {
        Ok(Self {
            der: certificate.to_der().into(),
            organisation: named_organisation(certificate)?,
            public_key: certificate.public_key()?,
            period: certificate.period(),
        })
    }

    /// The certificate laid open, to look into.
    pub fn parsed(&self) -> Result<UnverifiedCertificate<'_>, Error> {
        UnverifiedCertificate::from_der(CertificateRole::Organisation, &self.der)
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

    /// Whose certificate it is.
    #[doc(alias = "organization")]
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The organisation's public key.
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

impl fmt::Debug for OrganisationCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrganisationCertificate")
            .field("organisation", &self.organisation)
            .field("public_key", &self.public_key)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
