//! X.509 certificates: the organisation's, those of its members, and in DomainAuth those of
//! intermediates, to which it delegates (VeraId §4.3; DomainAuth draft, "X.509 Certificate
//! Profile").

mod intermediate;
mod issue;
mod issued;
mod member;
mod organisation;
mod parse;
mod path;
mod profile;

pub use intermediate::{IntermediateCertificate, IntermediateName, IntermediateRequest};
pub use member::{MemberCertificate, MemberRequest};
pub use organisation::{OrganisationCertificate, OrganisationRequest};
pub use parse::UnverifiedCertificate;

pub(crate) use issue::date_time;
pub(crate) use parse::{IssuerAndSerialNumber, identify};
pub(crate) use path::{MAX_INTERMEDIATES, Paths, check_time, work_of_organisation};
pub(crate) use profile::{DelegateProfile, MemberProfile, OrganisationProfile, named_organisation};

use dnssec::Period;

use crate::error::{CertificateRole, IssueError, VerifyError};
use crate::key::PublicKey;
use crate::pem::{self, Block};
use crate::policy::Rules;

/// The label of a PEM certificate (RFC 7468 §5).
const CERTIFICATE_LABEL: &str = "CERTIFICATE";

/// The issuer of a new certificate, whose key signs it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Issuer<'c> {
    /// The organisation.
    #[doc(alias = "Organization")]
    Organisation(&'c OrganisationCertificate),
    /// An intermediate of the organisation; only in DomainAuth.
    Intermediate(&'c IntermediateCertificate),
}

impl<'c> Issuer<'c> {
    fn role(self) -> CertificateRole {
        match self {
            Self::Organisation(_) => CertificateRole::Organisation,
            Self::Intermediate(_) => CertificateRole::Intermediate,
        }
    }

    fn public_key(self) -> &'c PublicKey {
        match self {
            Self::Organisation(certificate) => certificate.public_key(),
            Self::Intermediate(certificate) => certificate.public_key(),
        }
    }

    fn period(self) -> Period {
        match self {
            Self::Organisation(certificate) => certificate.period(),
            Self::Intermediate(certificate) => certificate.period(),
        }
    }

    fn parsed(self) -> Result<UnverifiedCertificate<'c>, VerifyError> {
        match self {
            Self::Organisation(certificate) => certificate.parsed(),
            Self::Intermediate(certificate) => certificate.parsed(),
        }
    }

    /// Checks that the issuer may certify this key for this period. Nothing is adjusted: a period
    /// that extends beyond that of the issuer's certificate is an error (VeraId §4.3).
    fn check(
        self,
        subject_key: &PublicKey,
        period: Period,
        subject: CertificateRole,
        rules: Rules,
    ) -> Result<UnverifiedCertificate<'c>, IssueError> {
        let issuer_key = self.public_key().borrow();
        if subject_key.borrow().is_same_as(&issuer_key) {
            return Err(IssueError::MemberHasOrganisationKey);
        }
        rules.check_key(subject, &subject_key.borrow())?;
        rules.check_validity(subject, period)?;
        if self.period().intersect(period) != Some(period) {
            return Err(IssueError::OutsideIssuerPeriod {
                wanted: period,
                issuer: self.period(),
            });
        }
        let certificate = self.parsed()?;
        profile::check_issues(&certificate, rules)?;
        // If the issuer's own certificate is invalid, the new certificate would be too.
        match self {
            Self::Organisation(_) => drop(OrganisationProfile::check(&certificate, rules)?),
            Self::Intermediate(_) => drop(profile::check_intermediate(&certificate, rules)?),
        }
        Ok(certificate)
    }
}

impl<'c> From<&'c OrganisationCertificate> for Issuer<'c> {
    fn from(certificate: &'c OrganisationCertificate) -> Self {
        Self::Organisation(certificate)
    }
}

impl<'c> From<&'c IntermediateCertificate> for Issuer<'c> {
    fn from(certificate: &'c IntermediateCertificate) -> Self {
        Self::Intermediate(certificate)
    }
}

fn to_pem(der: &[u8]) -> String {
    pem::encode(CERTIFICATE_LABEL, der).unwrap_or_default()
}

fn read_pem(pem: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, VerifyError> {
    Block::find(pem)
        .filter(|block| block.label == CERTIFICATE_LABEL)
        .and_then(|block| block.decode())
        .ok_or(VerifyError::NotPemCertificate)
}
