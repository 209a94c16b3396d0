//! What all certificates have that are kept: their octets, and what was read of them.

use dnssec::Period;

use super::{UnverifiedCertificate, to_pem};
use crate::error::VerifyError;
use crate::key::PublicKey;

/// A certificate that was read, and whose key can be used.
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

/// Adds to a certificate, whose role that is, what all of them have.
macro_rules! common_of_certificates {
    ($certificate:ident, $role:expr) => {
        impl $certificate {
            /// Reads a DER certificate.
            ///
            /// # Errors
            /// Those of [`VerifyError`] that are about a certificate by itself.
            pub fn from_der(der: &[u8]) -> Result<Self, VerifyError> {
                Self::from_parsed(&UnverifiedCertificate::from_der($role, der)?)
            }

            /// Reads a PEM file with a `CERTIFICATE`.
            ///
            /// # Errors
            /// [`VerifyError::NotPemCertificate`], and those of `from_der`.
            pub fn from_pem(pem: &str) -> Result<Self, VerifyError> {
                Self::from_der(&super::read_pem(pem)?)
            }

            /// The certificate laid open, to look into.
            ///
            /// # Errors
            /// None that reading it did not give.
            pub fn parsed(&self) -> Result<UnverifiedCertificate<'_>, VerifyError> {
                UnverifiedCertificate::from_der($role, self.as_der())
            }

            /// The certificate as DER.
            #[must_use]
            pub fn as_der(&self) -> &[u8] {
                self.issued.as_der()
            }

            /// A PEM file with a `CERTIFICATE`.
            #[must_use]
            pub fn to_pem(&self) -> String {
                self.issued.to_pem()
            }

            /// The public key that it certifies.
            #[must_use]
            pub fn public_key(&self) -> &PublicKey {
                self.issued.public_key()
            }

            /// The period in which it says that it is valid.
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
