//! Public keys that are stored, and prepared for repeated signatures.

use super::{PublicKey, PublicKeyRef};
use crate::algorithm::SignatureAlgorithm;
use crate::crypto::{Failure, PreparedKey};

/// A public key that is stored together with the values that a back end computes from it before the
/// first signature.
///
/// It is prepared for one algorithm, with which the key was seen to sign. A signature with another
/// algorithm that the key allows costs as much as with any key.
pub(crate) struct ReadyKey {
    key: PublicKey,
    prepared_for: SignatureAlgorithm,
    /// The prepared form; `None` if no back end prepares keys.
    prepared: Option<Box<dyn PreparedKey>>,
}

impl ReadyKey {
    pub(crate) fn new(key: PublicKey, signs_with: SignatureAlgorithm) -> Self {
        Self {
            prepared: key.borrow().prepare(signs_with).ok(),
            prepared_for: signs_with,
            key,
        }
    }

    pub(crate) fn borrow(&self) -> PublicKeyRef<'_> {
        self.key.borrow()
    }

    /// The octets that it takes, estimated upwards: the prepared form is several times as large as
    /// the key.
    #[cfg(feature = "cache")]
    pub(crate) fn octets(&self) -> usize {
        const PREPARED: usize = 1_024;
        let key = self.key.as_spki_der().len();
        key.saturating_mul(6).saturating_add(PREPARED)
    }

    /// Verifies a signature, like [`PublicKeyRef::verify`].
    pub(crate) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        match &self.prepared {
            Some(prepared) if algorithm == self.prepared_for => prepared.verify(message, signature),
            _ => self.borrow().verify(algorithm, message, signature),
        }
    }
}

/// A public key to verify with: either parsed from a certificate, or stored.
#[derive(Clone, Copy)]
pub(crate) enum VerifyingKey<'k> {
    Read(PublicKeyRef<'k>),
    Ready(&'k ReadyKey),
}

impl<'k> VerifyingKey<'k> {
    pub(crate) fn borrow(&self) -> PublicKeyRef<'k> {
        match self {
            Self::Read(key) => *key,
            Self::Ready(key) => key.borrow(),
        }
    }

    /// Copies the public key, so that it can be stored.
    pub(crate) fn to_public_key(self) -> PublicKey {
        match self {
            Self::Read(key) => PublicKey::from(key),
            Self::Ready(key) => key.key.clone(),
        }
    }

    /// Verifies a signature by an algorithm that belongs to the key.
    pub(crate) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        match self {
            Self::Read(key) => key.verify(algorithm, message, signature),
            Self::Ready(key) => key.verify(algorithm, message, signature),
        }
    }
}
