//! X.509 certificates: the organisation's, which it issues to itself, and those that it issues to members (VeraId §4.3).

mod issue;
mod parse;
mod path;

use std::fmt;

use dnssec::Period;

pub use parse::UnverifiedCertificate;

pub(crate) use issue::{date_time, sign_checked};
pub(crate) use parse::{IssuerAndSerialNumber, identify};
pub(crate) use path::{MemberProfile, OrganisationProfile, check_time};

use crate::error::{CertificateRole, Error};
use crate::key::{PublicKey, SigningKey};
use crate::name::{Member, Organisation};
use crate::pem::{self, Block};

/// Label of a PEM certificate (RFC 7468 §5).
const CERTIFICATE_LABEL: &str = "CERTIFICATE";

/// The certificate of an organisation: for its domain, by its own key, marked as a CA's.
///
/// It has been read and has the right form; its signature is checked only when something is verified with it.
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
    /// # Errors
    /// [`Error::UnwritablePeriod`] for times that certificates cannot have; [`Error::Signing`] and
    /// [`Error::SignedWrongly`] if the key does not sign as it should.
    pub fn self_issue(
        organisation: &Organisation,
        key: &dyn SigningKey,
        period: Period,
    ) -> Result<Self, Error> {
        let name = issue::distinguished_name(organisation.as_str())?;
        let request = issue::Request {
            issuer: &name,
            subject: &name,
            subject_key: key.public_key(),
            period,
            is_ca: true,
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
        let profile = OrganisationProfile::check(certificate)?;
        Ok(Self {
            der: certificate.to_der().into(),
            public_key: profile.key.into(),
            organisation: profile.organisation,
            period: certificate.period(),
        })
    }

    pub(crate) fn parsed(&self) -> Result<UnverifiedCertificate<'_>, Error> {
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
        pem::encode(CERTIFICATE_LABEL, &self.der).unwrap_or_default()
    }

    /// Whose certificate it is.
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

/// The certificate of a member, by the organisation.
///
/// It has been read and has a member's name and a key; whether the organisation issued it is checked only when something
/// is verified with it.
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
    /// Nothing is adjusted: a period that reaches beyond that of the organisation's certificate is an error (VeraId
    /// §4.3).
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] if `organisation_key` is not that of `organisation`; [`Error::MemberHasOrganisationKey`]
    /// if `member_key` is; [`Error::OutsideIssuerPeriod`]; [`Error::UnwritablePeriod`]; [`Error::Signing`] and
    /// [`Error::SignedWrongly`] if the key does not sign as it should.
    pub fn issue(
        member: &Member,
        member_key: &PublicKey,
        organisation: &OrganisationCertificate,
        organisation_key: &dyn SigningKey,
        period: Period,
    ) -> Result<Self, Error> {
        check_key(
            organisation_key,
            organisation.public_key(),
            CertificateRole::Organisation,
        )?;
        if member_key == organisation.public_key() {
            return Err(Error::MemberHasOrganisationKey);
        }
        if organisation.period.intersect(period) != Some(period) {
            return Err(Error::OutsideIssuerPeriod {
                wanted: period,
                issuer: organisation.period,
            });
        }
        let request = issue::Request {
            issuer: organisation.parsed()?.subject(),
            subject: &issue::distinguished_name(member.as_str())?,
            subject_key: member_key,
            period,
            is_ca: false,
        };
        Self::from_der(&issue::issue(&request, organisation_key)?)
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

    pub(crate) fn parsed(&self) -> Result<UnverifiedCertificate<'_>, Error> {
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
        pem::encode(CERTIFICATE_LABEL, &self.der).unwrap_or_default()
    }

    /// Whose certificate it is, within the organisation that issued it.
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

/// Checks that a private key is the one that a certificate is about.
pub(crate) fn check_key(
    key: &dyn SigningKey,
    certified: &PublicKey,
    certificate: CertificateRole,
) -> Result<(), Error> {
    if key.public_key() == certified {
        Ok(())
    } else {
        Err(Error::KeyMismatch { certificate })
    }
}

fn read_pem(pem: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    Block::find(pem)
        .filter(|block| block.label == CERTIFICATE_LABEL)
        .and_then(|block| block.decode())
        .ok_or(Error::NotPemCertificate)
}
