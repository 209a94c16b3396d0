//! The back end with ring, which has no ML-DSA and does not generate RSA keys.

use ring::digest;
use ring::error::{KeyRejected, Unspecified};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as KeyPairOf, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair,
    UnparsedPublicKey, VerificationAlgorithm,
};
use zeroize::Zeroizing;

use super::{BackEnd, Digest, Failure, HashAlgorithm, KeyMaterial, KeyPair, NewKey};
use crate::algorithm::SignatureAlgorithm;
use crate::key::KeyAlgorithm;

/// The largest RSA keys that it signs with, and the unit of their sizes, in bits.
const MAX_RSA_BITS: u16 = 4096;
const RSA_BITS_STEP: u16 = 1024;

impl From<Unspecified> for Failure {
    fn from(_: Unspecified) -> Self {
        Self::Refused
    }
}

impl From<KeyRejected> for Failure {
    fn from(_: KeyRejected) -> Self {
        Self::Refused
    }
}

pub(super) struct Ring;

#[cfg_attr(
    feature = "aws-lc-rs",
    allow(dead_code, reason = "the other one comes first")
)]
pub(super) fn digest(algorithm: HashAlgorithm, octets: &[u8]) -> Digest {
    Digest::new(
        algorithm,
        digest::digest(function(algorithm), octets).as_ref(),
    )
}

/// A digest under computation.
#[cfg_attr(
    feature = "aws-lc-rs",
    allow(dead_code, reason = "the other one comes first")
)]
pub(crate) struct Hasher {
    context: digest::Context,
    algorithm: HashAlgorithm,
}

#[cfg_attr(
    feature = "aws-lc-rs",
    allow(dead_code, reason = "the other one comes first")
)]
impl Hasher {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        let context = digest::Context::new(function(algorithm));
        Self { context, algorithm }
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.context.update(octets);
    }

    pub(crate) fn finish(self) -> Digest {
        Digest::new(self.algorithm, self.context.finish().as_ref())
    }
}

#[cfg_attr(
    feature = "aws-lc-rs",
    allow(dead_code, reason = "the other one comes first")
)]
fn function(algorithm: HashAlgorithm) -> &'static digest::Algorithm {
    match algorithm {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    }
}

#[cfg_attr(
    feature = "aws-lc-rs",
    allow(dead_code, reason = "the other one comes first")
)]
pub(super) fn fill_random(octets: &mut [u8]) -> Result<(), Failure> {
    Ok(SystemRandom::new().fill(octets)?)
}

impl BackEnd for Ring {
    #[cfg(any(test, feature = "fuzzing"))]
    fn feature(&self) -> &'static str {
        "ring"
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
            SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha256) => &RSA_PSS_2048_8192_SHA256,
            SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha384) => &RSA_PSS_2048_8192_SHA384,
            SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha512) => &RSA_PSS_2048_8192_SHA512,
            SignatureAlgorithm::Ed25519 => &ED25519,
            SignatureAlgorithm::EcdsaSha256 => &ECDSA_P256_SHA256_ASN1,
            SignatureAlgorithm::EcdsaSha384 => &ECDSA_P384_SHA384_ASN1,
            SignatureAlgorithm::MlDsa44
            | SignatureAlgorithm::MlDsa65
            | SignatureAlgorithm::MlDsa87 => return Err(Failure::Lacking),
        };
        Ok(UnparsedPublicKey::new(algorithm, key).verify(message, signature)?)
    }

    fn generate(&self, algorithm: KeyAlgorithm) -> Result<NewKey, Failure> {
        match algorithm {
            KeyAlgorithm::Ed25519 => NewKey::random_seed(),
            KeyAlgorithm::EcdsaP256 => generate_ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyAlgorithm::EcdsaP384 => generate_ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            _ => Err(Failure::Lacking),
        }
    }

    fn load(
        &self,
        algorithm: KeyAlgorithm,
        material: KeyMaterial<'_>,
    ) -> Result<Box<dyn KeyPair>, Failure> {
        match (material, algorithm) {
            (KeyMaterial::Rsa(_), KeyAlgorithm::OtherRsa(size))
                if size.bits() > MAX_RSA_BITS || size.bits() % RSA_BITS_STEP != 0 =>
            {
                Err(Failure::Lacking)
            }
            (KeyMaterial::Rsa(key), _) => Ok(Box::new(RsaKeyPair::from_der(key)?)),
            (KeyMaterial::Ed25519(seed), _) => {
                Ok(Box::new(Ed25519KeyPair::from_seed_unchecked(seed)?))
            }
            (KeyMaterial::Ecdsa { point: None, .. } | KeyMaterial::MlDsa { .. }, _) => {
                Err(Failure::Lacking)
            }
            (
                KeyMaterial::Ecdsa {
                    scalar,
                    point: Some(point),
                },
                KeyAlgorithm::EcdsaP256,
            ) => load_ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, scalar, point),
            (
                KeyMaterial::Ecdsa {
                    scalar,
                    point: Some(point),
                },
                _,
            ) => load_ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING, scalar, point),
        }
    }
}

fn generate_ecdsa(curve: &'static EcdsaSigningAlgorithm) -> Result<NewKey, Failure> {
    let der = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new())?;
    Ok(NewKey::Pkcs8(Zeroizing::new(der.as_ref().to_vec())))
}

fn load_ecdsa(
    curve: &'static EcdsaSigningAlgorithm,
    scalar: &[u8],
    point: &[u8],
) -> Result<Box<dyn KeyPair>, Failure> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, scalar, point, &random)?;
    Ok(Box::new(pair))
}

impl KeyPair for RsaKeyPair {
    fn public_key(&self) -> &[u8] {
        KeyPairOf::public_key(self).as_ref()
    }

    fn sign(&self, message: &[u8], algorithm: SignatureAlgorithm) -> Result<Vec<u8>, Failure> {
        let encoding = match algorithm {
            SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha256) => &RSA_PSS_SHA256,
            SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha384) => &RSA_PSS_SHA384,
            SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha512) => &RSA_PSS_SHA512,
            _ => return Err(Failure::Refused),
        };
        let mut signature = vec![0; self.public().modulus_len()];
        self.sign(encoding, &SystemRandom::new(), message, &mut signature)?;
        Ok(signature)
    }
}

impl KeyPair for Ed25519KeyPair {
    fn public_key(&self) -> &[u8] {
        KeyPairOf::public_key(self).as_ref()
    }

    fn sign(&self, message: &[u8], _: SignatureAlgorithm) -> Result<Vec<u8>, Failure> {
        Ok(self.sign(message).as_ref().to_vec())
    }
}

impl KeyPair for EcdsaKeyPair {
    fn public_key(&self) -> &[u8] {
        KeyPairOf::public_key(self).as_ref()
    }

    fn sign(&self, message: &[u8], _: SignatureAlgorithm) -> Result<Vec<u8>, Failure> {
        Ok(self.sign(&SystemRandom::new(), message)?.as_ref().to_vec())
    }
}
