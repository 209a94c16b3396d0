//! The common parts of stored certificates: their octets, and the fields that were parsed.

use dnssec::Period;

use super::{UnverifiedCertificate, to_pem};
use crate::error::VerifyError;
use crate::key::PublicKey;

/// A certificate that was parsed and has a usable key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct IssuedCertificate {
    der: Box<[u8]>,
    public_key: PublicKey,
    period: Period,
}

impl IssuedCertificate {
    pub(super) fn new(certificate: &UnverifiedCertificate<'_>) -> Result<Self, VerifyError> {
        Ok(Self {
            der: certificate.to_der().into(),
            public_key: certificate.public_key()?,
            period: certificate.period(),
        })
    }

    pub(super) fn as_der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn to_pem(&self) -> String {
        to_pem(&self.der)
    }

    pub(super) fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    pub(super) fn period(&self) -> Period {
        self.period
    }
}

/// Adds the common methods to a type of certificate with the given role.
macro_rules! common_of_certificates {
    ($certificate:ident, $role:expr) => {
        impl $certificate {
            /// Parses a DER certificate.
            ///
            /// # Errors
            /// The errors of [`VerifyError`] that are about a single certificate.
            pub fn from_der(der: &[u8]) -> Result<Self, VerifyError> {
                Self::from_parsed(&UnverifiedCertificate::from_der($role, der)?)
            }

            /// Parses a PEM file with a `CERTIFICATE`.
            ///
            /// # Errors
            /// [`VerifyError::NotPemCertificate`], and the errors of `from_der`.
            pub fn from_pem(pem: &str) -> Result<Self, VerifyError> {
                Self::from_der(&super::read_pem(pem)?)
            }

            /// Parses all fields of the certificate, for inspection.
            ///
            /// # Errors
            /// None that did not occur when the certificate was first parsed.
            pub fn parsed(&self) -> Result<UnverifiedCertificate<'_>, VerifyError> {
                UnverifiedCertificate::from_der($role, self.as_der())
            }

            /// The certificate as DER.
            #[must_use]
            pub fn as_der(&self) -> &[u8] {
                self.issued.as_der()
            }

            /// Encodes the certificate as a PEM file with a `CERTIFICATE`.
            #[must_use]
            pub fn to_pem(&self) -> String {
                self.issued.to_pem()
            }

            /// The public key that it certifies.
            #[must_use]
            pub fn public_key(&self) -> &PublicKey {
                self.issued.public_key()
            }

            /// The period for which it says that it is valid.
            #[must_use]
            pub fn period(&self) -> Period {
                self.issued.period()
            }

            fn finish(
                signed: &[u8],
                algorithm: SignatureAlgorithm,
                signature: &[u8],
            ) -> Result<Self, IssueError> {
                let der = super::issue::put_together(signed, algorithm, signature)?;
                Ok(Self::from_der(&der)?)
            }
        }
    };
}

pub(super) use common_of_certificates;
