//! The certificates of those to whom an organisation delegates (DomainAuth draft, "Intermediate Certificate").

use std::fmt;

use dnssec::Period;

use super::parse::UnverifiedCertificate;
use super::{Issuer, issue, read_pem, to_pem};
use crate::error::{CertificateRole, Error};
use crate::key::{PublicKey, SigningKey};
use crate::name::{Dialect, Member};
use crate::policy::Rules;

/// Longest name of a unit, in characters (RFC 5280 §A.1, `ub-organizational-unit-name`).
const MAX_UNIT_CHARACTERS: usize = 64;

/// What an intermediate is called in its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IntermediateName {
    /// By what it does, as an organisational unit: 1 to 64 characters. It signs nothing in a member's name.
    Unit(String),
    /// By the name of a member: whoever holds the key may also sign as that member.
    Member(Member),
}

impl IntermediateName {
    /// The DER of the distinguished name.
    fn to_distinguished_name(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Unit(unit) => match unit.chars().count() {
                1..=MAX_UNIT_CHARACTERS => issue::organisational_unit(unit),
                _ => Err(Error::UnitName),
            },
            Self::Member(member) => {
                Member::parse_for(member.as_str(), Dialect::DomainAuth)
                    .map_err(Error::MemberName)?;
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
    der: Box<[u8]>,
    public_key: PublicKey,
    period: Period,
}

impl IntermediateCertificate {
    /// Issues a certificate to an intermediate.
    ///
    /// `path_length` is how many further intermediates it may have below it: 0 if it issues certificates to members only,
    /// or just signs. The issuer's own must be larger, since that one counts this intermediate too; an issuer with none
    /// left can issue it all the same if it is to sign and not to issue, as its certificate then ends the path (RFC 5280
    /// §4.2.1.9): such a certificate has no `keyCertSign` among its key usages.
    ///
    /// # Errors
    /// As [`MemberCertificate::issue`](super::MemberCertificate::issue); [`Error::UnitName`] for a name that is empty or
    /// too long; [`Error::PathTooLong`] if the issuer allows fewer intermediates than that would make.
    pub fn issue<'c>(
        name: &IntermediateName,
        public_key: &PublicKey,
        issuer: impl Into<Issuer<'c>>,
        issuer_key: &dyn SigningKey,
        period: Period,
        path_length: u8,
    ) -> Result<Self, Error> {
        let rules = Rules::widest(Dialect::DomainAuth);
        let role = CertificateRole::Intermediate;
        let issuer = issuer
            .into()
            .check(issuer_key, public_key, period, role, rules)?;
        if let Some(limit) = issuer.extensions().path_length()
            && path_length > limit.saturating_sub(1)
        {
            return Err(Error::PathTooLong {
                certificate: issuer.role(),
                limit,
            });
        }
        // Whoever is below an issuer with no intermediates left only signs, and its own certificate must say so: that of the
        // organisation anybody can wrap anew, with a longer path.
        let authority = match issuer.extensions().path_length() {
            Some(0) => issue::Authority::Sign,
            _ => issue::Authority::Issue(path_length),
        };
        let request = issue::Request {
            issuer: issuer.subject(),
            subject: &name.to_distinguished_name()?,
            subject_key: public_key,
            period,
            authority,
            authority_key_identifier: issuer.extensions().subject_key_identifier(),
            dialect: Dialect::DomainAuth,
        };
        Self::from_der(&issue::issue(&request, issuer_key)?)
    }

    /// Reads a DER certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let role = CertificateRole::Intermediate;
        Self::from_parsed(&UnverifiedCertificate::from_der(role, der)?)
    }

    /// Reads a PEM file with a `CERTIFICATE`.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        Self::from_der(&read_pem(pem)?)
    }

    pub(crate) fn from_parsed(certificate: &UnverifiedCertificate<'_>) -> Result<Self, Error> {
        if !certificate.is_ca() {
            return Err(Error::NotCa {
                certificate: CertificateRole::Intermediate,
            });
        }
        Ok(Self {
            der: certificate.to_der().into(),
            public_key: certificate.public_key()?,
            period: certificate.period(),
        })
    }

    /// The certificate laid open, to look into.
    pub fn parsed(&self) -> Result<UnverifiedCertificate<'_>, Error> {
        UnverifiedCertificate::from_der(CertificateRole::Intermediate, &self.der)
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

    /// The intermediate's public key.
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

impl fmt::Debug for IntermediateCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntermediateCertificate")
            .field("public_key", &self.public_key)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
