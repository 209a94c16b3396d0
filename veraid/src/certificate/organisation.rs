//! The organisation's own certificate.

use std::fmt;

use dnssec::Period;

use super::issue;
use super::issued::{IssuedCertificate, common_of_certificates};
use super::parse::UnverifiedCertificate;
use super::profile::named_organisation;
use crate::algorithm::SignatureAlgorithm;
use crate::error::{CertificateRole, IssueError, VerifyError};
use crate::key::{PublicKey, SigningKey};
use crate::name::{Dialect, Organisation};
use crate::policy::Rules;
use crate::unsigned::UnsignedCertificate;

/// The certificate of an organisation, for its domain and the key that the domain publishes.
///
/// It has been parsed, and has a domain as its name and a usable key. The rules of its dialect and
/// its signature are checked when something is issued, signed or verified with it.
#[doc(alias = "OrganizationCertificate")]
#[derive(Clone, PartialEq, Eq)]
pub struct OrganisationCertificate {
    issued: IssuedCertificate,
    organisation: Organisation,
}

common_of_certificates!(OrganisationCertificate, CertificateRole::Organisation);

/// The contents of a new organisation certificate.
#[doc(alias = "OrganizationRequest")]
#[derive(Clone, Copy, Debug)]
pub struct OrganisationRequest<'r> {
    organisation: &'r Organisation,
    dialect: Dialect,
    period: Period,
    path_length: u8,
}

impl<'r> OrganisationRequest<'r> {
    /// Requests a certificate for `organisation` that is valid for `period` and allows no
    /// intermediates.
    #[must_use]
    pub fn new(organisation: &'r Organisation, dialect: Dialect, period: Period) -> Self {
        Self {
            organisation,
            dialect,
            period,
            path_length: 0,
        }
    }

    /// Sets how many intermediates a path to a member may contain. It is 0 unless the organisation
    /// delegates the issuing of certificates to members, and always 0 in VeraId. Choose the
    /// smallest possible value (DomainAuth draft, "Organisation Certificate").
    #[must_use]
    pub fn with_path_length(mut self, path_length: u8) -> Self {
        self.path_length = path_length;
        self
    }
}

impl OrganisationCertificate {
    /// Issues a certificate to the organisation, for and with the given private key.
    ///
    /// # Errors
    /// As [`OrganisationCertificate::prepare`] and [`UnsignedCertificate::sign`].
    pub fn self_issue(
        request: &OrganisationRequest<'_>,
        key: &dyn SigningKey,
    ) -> Result<Self, IssueError> {
        Self::prepare(request, key.public_key())?.sign(key)
    }

    /// Prepares everything in a certificate for an organisation's key except the signature by that
    /// key.
    ///
    /// # Errors
    /// [`VerifyError::CertificateTooLong`] for more than 90 days in DomainAuth;
    /// [`VerifyError::CertificateKey`] for a key that cannot have a record in the dialect;
    /// [`VerifyError::IntermediatesOutsideDialect`] for a path length in VeraId;
    /// [`IssueError::UnwritablePeriod`] for times that certificates can't have.
    pub fn prepare(
        request: &OrganisationRequest<'_>,
        key: &PublicKey,
    ) -> Result<UnsignedCertificate<Self>, IssueError> {
        let OrganisationRequest {
            dialect,
            period,
            path_length,
            ..
        } = *request;
        let rules = Rules::widest(dialect);
        let role = CertificateRole::Organisation;
        if !rules.is_domain_auth() && path_length > 0 {
            return Err(VerifyError::IntermediatesOutsideDialect.into());
        }
        rules.check_key(role, &key.borrow())?;
        rules.check_validity(role, period)?;
        let name = issue::common_name(&request.organisation.common_name(dialect))?;
        let request = issue::Request {
            issuer: &name,
            subject: &name,
            subject_key: key,
            period,
            authority: issue::Authority::Issue(path_length),
            authority_key_identifier: None,
            dialect,
        };
        issue::prepare(&request, key, role, Self::finish)
    }

    pub(crate) fn from_parsed(
        certificate: &UnverifiedCertificate<'_>,
    ) -> Result<Self, VerifyError> {
        Ok(Self {
            organisation: named_organisation(certificate)?,
            issued: IssuedCertificate::new(certificate)?,
        })
    }

    /// The organisation that the certificate names.
    #[doc(alias = "organization")]
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }
}

impl fmt::Debug for OrganisationCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrganisationCertificate")
            .field("organisation", &self.organisation)
            .field("public_key", self.public_key())
            .field("period", &self.period())
            .finish_non_exhaustive()
    }
}
