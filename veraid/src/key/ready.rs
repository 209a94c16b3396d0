//! Public keys that are kept, ready for one signature after another.

use std::fmt;

use super::{PublicKey, PublicKeyRef};
use crate::algorithm::SignatureAlgorithm;
use crate::crypto::{Failure, PreparedKey};

/// A public key that is kept with what a back end computes from it before the first signature.
///
/// That is so for signatures of one algorithm, the one that the key was seen to sign with. Another one that the key may
/// sign with costs what it costs with any key.
pub(crate) struct ReadyKey {
    key: PublicKey,
    prepared_for: SignatureAlgorithm,
    /// Nothing if no back end makes keys ready.
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

    /// Octets that it takes, estimated upwards: what a library makes of a key is several times its size.
    #[cfg(feature = "cache")]
    pub(crate) fn octets(&self) -> usize {
        const PREPARED: usize = 1_024;
        let key = self.key.as_spki_der().len();
        key.saturating_mul(6).saturating_add(PREPARED)
    }

    /// Checks a signature, as [`PublicKeyRef::verify`] does.
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

/// A public key to verify with: as it was read, or kept.
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

    /// The same, to keep.
    pub(crate) fn to_public_key(self) -> PublicKey {
        match self {
            Self::Read(key) => PublicKey::from(key),
            Self::Ready(key) => key.key.clone(),
        }
    }

    /// Checks a signature by an algorithm that the key is one for.
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

impl fmt::Debug for ReadyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}
