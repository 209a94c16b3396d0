//! The back end on AWS-LC.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RSA_PSS_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use zeroize::Zeroizing;

use super::{HashAlgorithm, Refused};
use crate::key::KeyAlgorithm;

/// A digest's octets.
pub(crate) type Digest = digest::Digest;

pub(super) fn digest(algorithm: HashAlgorithm, octets: &[u8]) -> Digest {
    let algorithm = match algorithm {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, octets)
}

pub(crate) fn fill_random(octets: &mut [u8]) -> Result<(), Refused> {
    rand::fill(octets).map_err(|_| Refused)
}

/// Checks an RSASSA-PSS signature whose MGF1 hash and salt length follow `hash`. `key` is an `RSAPublicKey`.
pub(crate) fn verify_rsa_pss(
    hash: HashAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Refused> {
    let parameters = match hash {
        HashAlgorithm::Sha256 => &RSA_PSS_2048_8192_SHA256,
        HashAlgorithm::Sha384 => &RSA_PSS_2048_8192_SHA384,
        HashAlgorithm::Sha512 => &RSA_PSS_2048_8192_SHA512,
    };
    UnparsedPublicKey::new(parameters, key)
        .verify(message, signature)
        .map_err(|_| Refused)
}

/// An RSA key pair. AWS-LC wipes its memory when it goes.
pub(crate) struct KeyPair(RsaKeyPair);

impl KeyPair {
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, Refused> {
        let size = match algorithm {
            KeyAlgorithm::Rsa2048 => KeySize::Rsa2048,
            KeyAlgorithm::Rsa3072 => KeySize::Rsa3072,
            KeyAlgorithm::Rsa4096 => KeySize::Rsa4096,
        };
        RsaKeyPair::generate(size).map(Self).map_err(|_| Refused)
    }

    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Refused> {
        RsaKeyPair::from_pkcs8(der).map(Self).map_err(|_| Refused)
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let der = AsDer::<Pkcs8V1Der<'static>>::as_der(&self.0).map_err(|_| Refused)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The `SubjectPublicKeyInfo`.
    pub(crate) fn public_key(&self) -> Result<Vec<u8>, Refused> {
        let der =
            AsDer::<PublicKeyX509Der<'static>>::as_der(self.0.public_key()).map_err(|_| Refused)?;
        Ok(der.as_ref().to_vec())
    }

    /// RSASSA-PSS with SHA-256 and a salt of 32 octets.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| Refused)?;
        Ok(signature)
    }
}
