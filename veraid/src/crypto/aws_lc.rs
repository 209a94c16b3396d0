//! The back end with AWS-LC, which supports every algorithm.

use aws_lc_rs::encoding::{AsDer, AsRawBytes as _, Pkcs8V1Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as KeyPairOf, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87,
    ML_DSA_87_SIGNING, ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use aws_lc_rs::{constant_time, digest};
use der::asn1::OctetStringRef;
use der::{Encode as _, Sequence};
use zeroize::Zeroizing;

use super::{BackEnd, Digest, Failure, HashAlgorithm, KeyMaterial, KeyPair, NewKey, PreparedKey};
use crate::algorithm::SignatureAlgorithm;
use crate::key::KeyAlgorithm;

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

pub(super) struct AwsLc;

pub(super) fn digest(algorithm: HashAlgorithm, octets: &[u8]) -> Digest {
    Digest::new(
        algorithm,
        digest::digest(function(algorithm), octets).as_ref(),
    )
}

/// A digest under computation.
pub(crate) struct Hasher {
    context: digest::Context,
    algorithm: HashAlgorithm,
}

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

fn function(algorithm: HashAlgorithm) -> &'static digest::Algorithm {
    match algorithm {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    }
}

pub(super) fn fill_random(octets: &mut [u8]) -> Result<(), Failure> {
    Ok(rand::fill(octets)?)
}

impl BackEnd for AwsLc {
    #[cfg(any(test, feature = "fuzzing"))]
    fn feature(&self) -> &'static str {
        "aws-lc-rs"
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        Ok(UnparsedPublicKey::new(verifier_of(algorithm), key).verify(message, signature)?)
    }

    fn prepare(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn PreparedKey>, Failure> {
        Ok(Box::new(ParsedPublicKey::new(verifier_of(algorithm), key)?))
    }

    fn generate(&self, algorithm: KeyAlgorithm) -> Result<NewKey, Failure> {
        match algorithm {
            KeyAlgorithm::Rsa2048 => generate_rsa(KeySize::Rsa2048),
            KeyAlgorithm::Rsa3072 => generate_rsa(KeySize::Rsa3072),
            KeyAlgorithm::Rsa4096 => generate_rsa(KeySize::Rsa4096),
            KeyAlgorithm::OtherRsa(_) => Err(Failure::Lacking),
            KeyAlgorithm::EcdsaP256 => generate_ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyAlgorithm::EcdsaP384 => generate_ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            KeyAlgorithm::Ed25519
            | KeyAlgorithm::MlDsa44
            | KeyAlgorithm::MlDsa65
            | KeyAlgorithm::MlDsa87 => NewKey::random_seed(),
        }
    }

    fn load(
        &self,
        algorithm: KeyAlgorithm,
        material: KeyMaterial<'_>,
    ) -> Result<Box<dyn KeyPair>, Failure> {
        match material {
            KeyMaterial::Rsa(key) => Ok(Box::new(RsaKeyPair::from_der(key)?)),
            KeyMaterial::Ed25519(seed) => Ok(Box::new(Ed25519KeyPair::from_seed_unchecked(seed)?)),
            KeyMaterial::Ecdsa { scalar, point } => {
                let curve = match algorithm {
                    KeyAlgorithm::EcdsaP256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
                    KeyAlgorithm::EcdsaP384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
                    _ => return Err(Failure::Refused),
                };
                load_ecdsa(curve, scalar, point)
            }
            // The parser of the file checks that the public key belongs to the private one.
            KeyMaterial::MlDsa { seed, expanded, .. } => {
                let set = match algorithm {
                    KeyAlgorithm::MlDsa44 => &ML_DSA_44_SIGNING,
                    KeyAlgorithm::MlDsa65 => &ML_DSA_65_SIGNING,
                    KeyAlgorithm::MlDsa87 => &ML_DSA_87_SIGNING,
                    _ => return Err(Failure::Refused),
                };
                load_ml_dsa(set, seed, expanded)
            }
        }
    }
}

fn verifier_of(algorithm: SignatureAlgorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha256) => &RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha384) => &RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha512) => &RSA_PSS_2048_8192_SHA512,
        SignatureAlgorithm::Ed25519 => &ED25519,
        SignatureAlgorithm::EcdsaSha256 => &ECDSA_P256_SHA256_ASN1,
        SignatureAlgorithm::EcdsaSha384 => &ECDSA_P384_SHA384_ASN1,
        SignatureAlgorithm::MlDsa44 => &ML_DSA_44,
        SignatureAlgorithm::MlDsa65 => &ML_DSA_65,
        SignatureAlgorithm::MlDsa87 => &ML_DSA_87,
    }
}

impl PreparedKey for ParsedPublicKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
        Ok(self.verify_sig(message, signature)?)
    }
}

fn generate_rsa(size: KeySize) -> Result<NewKey, Failure> {
    let pair = RsaKeyPair::generate(size)?;
    let der = AsDer::<Pkcs8V1Der<'static>>::as_der(&pair)?;
    Ok(NewKey::Pkcs8(Zeroizing::new(der.as_ref().to_vec())))
}

fn generate_ecdsa(curve: &'static EcdsaSigningAlgorithm) -> Result<NewKey, Failure> {
    let der = EcdsaKeyPair::generate(curve)?.to_pkcs8v1()?;
    Ok(NewKey::Pkcs8(Zeroizing::new(der.as_ref().to_vec())))
}

/// An `ECPrivateKey` (RFC 5915 §3) without the public key, so that the library computes it.
#[derive(Sequence)]
struct EcPrivateKey<'a> {
    version: u8,
    private_key: &'a OctetStringRef,
}

fn load_ecdsa(
    curve: &'static EcdsaSigningAlgorithm,
    scalar: &[u8],
    point: Option<&[u8]>,
) -> Result<Box<dyn KeyPair>, Failure> {
    let file = EcPrivateKey {
        version: 1,
        private_key: OctetStringRef::new(scalar).map_err(|_| Failure::Refused)?,
    };
    let file = Zeroizing::new(file.to_der().map_err(|_| Failure::Refused)?);
    let pair = EcdsaKeyPair::from_private_key_der(curve, &file)?;
    match point {
        Some(point) if point != KeyPair::public_key(&pair) => Err(Failure::Refused),
        _ => Ok(Box::new(pair)),
    }
}

fn load_ml_dsa(
    set: &'static PqdsaSigningAlgorithm,
    seed: Option<&[u8]>,
    expanded: Option<&[u8]>,
) -> Result<Box<dyn KeyPair>, Failure> {
    let pair = match (seed, expanded) {
        (None, None) => return Err(Failure::Refused),
        (None, Some(expanded)) => PqdsaKeyPair::from_raw_private_key(set, expanded)?,
        (Some(seed), None) => PqdsaKeyPair::from_seed(set, seed)?,
        (Some(seed), Some(expanded)) => {
            let pair = PqdsaKeyPair::from_seed(set, seed)?;
            let computed = pair.private_key().as_raw_bytes()?;
            constant_time::verify_slices_are_equal(computed.as_ref(), expanded)?;
            pair
        }
    };
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
        let mut signature = vec![0; self.public_modulus_len()];
        self.sign(encoding, &SystemRandom::new(), message, &mut signature)?;
        Ok(signature)
    }
}

impl KeyPair for Ed25519KeyPair {
    fn public_key(&self) -> &[u8] {
        KeyPairOf::public_key(self).as_ref()
    }

    fn sign(&self, message: &[u8], _: SignatureAlgorithm) -> Result<Vec<u8>, Failure> {
        Ok(self.try_sign(message)?.as_ref().to_vec())
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

impl KeyPair for PqdsaKeyPair {
    fn public_key(&self) -> &[u8] {
        KeyPairOf::public_key(self).as_ref()
    }

    fn sign(&self, message: &[u8], _: SignatureAlgorithm) -> Result<Vec<u8>, Failure> {
        let mut signature = vec![0; self.algorithm().signature_len()];
        let length = self.sign(message, &mut signature)?;
        signature.truncate(length);
        Ok(signature)
    }
}
