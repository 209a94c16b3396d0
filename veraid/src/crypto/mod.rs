//! The interface between the protocol and the cryptographic back ends.
//!
//! It has everything that VeraId needs from them: hashes, random octets, signatures and private
//! keys. Keys are the bare octets inside their structures; their sizes are checked before they are
//! passed here. Each task is done by the first back end in the build that supports it.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(feature = "oqs")]
mod oqs;
#[cfg(feature = "ring")]
mod ring;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof;

use std::fmt;

use zeroize::Zeroizing;

use crate::algorithm::SignatureAlgorithm;
use crate::key::KeyAlgorithm;

// Both support hashes and random octets, so that no choice per task is needed.
#[cfg(feature = "aws-lc-rs")]
use aws_lc as general;
pub(crate) use general::Hasher;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as general;

/// The back ends in the build, those with more algorithms first.
const BACK_ENDS: &[&dyn BackEnd] = &[
    #[cfg(feature = "aws-lc-rs")]
    &aws_lc::AwsLc,
    #[cfg(feature = "ring")]
    &ring::Ring,
    #[cfg(feature = "oqs")]
    &oqs::Oqs,
];

/// A cryptographic back end.
trait BackEnd: Sync {
    /// The feature that enables it.
    #[cfg(any(test, feature = "fuzzing"))]
    fn feature(&self) -> &'static str;

    /// Verifies a signature with a key of the right kind and size for it.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure>;

    /// Prepares a key for many signatures of one algorithm, if that saves the library any work.
    fn prepare(
        &self,
        _algorithm: SignatureAlgorithm,
        _key: &[u8],
    ) -> Result<Box<dyn PreparedKey>, Failure> {
        Err(Failure::Lacking)
    }

    /// Generates a key of an algorithm that has a number in TXT records.
    fn generate(&self, algorithm: KeyAlgorithm) -> Result<NewKey, Failure>;

    /// Loads a private key, and checks that its parts belong together.
    fn load(
        &self,
        algorithm: KeyAlgorithm,
        material: KeyMaterial<'_>,
    ) -> Result<Box<dyn KeyPair>, Failure>;
}

/// The reason why a back end does not do a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It refused, without giving a reason.
    Refused,
    /// It does not support the task; another back end may.
    Lacking,
}

/// Tries one back end after another, until one supports the task.
fn ask<T>(question: impl Fn(&dyn BackEnd) -> Result<T, Failure>) -> Result<T, Failure> {
    BACK_ENDS
        .iter()
        .map(|back_end| question(*back_end))
        .find(|answer| !matches!(answer, Err(Failure::Lacking)))
        .unwrap_or(Err(Failure::Lacking))
}

/// Verifies a signature with a key of the right kind and size for it.
pub(crate) fn verify(
    algorithm: SignatureAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Failure> {
    ask(|back_end| back_end.verify(algorithm, key, message, signature))
}

/// Prepares a key for many signatures of one algorithm. [`Failure::Lacking`] if no back end
/// prepares such keys.
pub(crate) fn prepare(
    algorithm: SignatureAlgorithm,
    key: &[u8],
) -> Result<Box<dyn PreparedKey>, Failure> {
    ask(|back_end| back_end.prepare(algorithm, key))
}

/// Generates a key of an algorithm that has a number in TXT records.
pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<NewKey, Failure> {
    ask(|back_end| back_end.generate(algorithm))
}

/// Loads a private key, and checks that its parts belong together.
pub(crate) fn load(
    algorithm: KeyAlgorithm,
    material: KeyMaterial<'_>,
) -> Result<Box<dyn KeyPair>, Failure> {
    ask(|back_end| back_end.load(algorithm, material))
}

/// Fills `octets` with unpredictable values.
pub(crate) fn fill_random(octets: &mut [u8]) -> Result<(), Failure> {
    general::fill_random(octets)
}

/// The features, in prose, of which one is needed to verify signatures and to generate keys of the
/// algorithm.
pub(crate) const fn features_for(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
            "`aws-lc-rs` or `oqs`"
        }
        KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::OtherRsa(_)
        | KeyAlgorithm::Ed25519
        | KeyAlgorithm::EcdsaP256
        | KeyAlgorithm::EcdsaP384 => "`aws-lc-rs`",
    }
}

impl KeyMaterial<'_> {
    /// Returns the task for the error of a build without a back end for it, and the features that
    /// provide one.
    pub(crate) const fn lack(self) -> (&'static str, &'static str) {
        const AWS_LC: &str = "`aws-lc-rs`";
        match self {
            Self::Rsa(_) => ("sign with RSA keys of that size", AWS_LC),
            Self::Ed25519(_) => ("sign with such keys", AWS_LC),
            Self::Ecdsa { .. } => ("read a private key without its public key", AWS_LC),
            Self::MlDsa { seed: Some(_), .. } => ("expand an ML-DSA seed", AWS_LC),
            Self::MlDsa { public: None, .. } => {
                ("read an expanded ML-DSA key without its public key", AWS_LC)
            }
            Self::MlDsa { .. } => ("sign with such keys", "`aws-lc-rs` or `oqs`"),
        }
    }
}

/// A hash function of SHA-2 (FIPS 180-4), for digests and for RSASSA-PSS. Longer ones compare as
/// greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Writes `SHA-256`, `SHA-384` or `SHA-512`.
impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// The octets of the longest digest.
const MAX_DIGEST_OCTETS: usize = 64;

impl HashAlgorithm {
    /// The length of the digest in octets, which is also the length of the salt.
    pub(crate) const fn octets(self) -> u8 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    pub(crate) fn digest(self, octets: &[u8]) -> Digest {
        general::digest(self, octets)
    }
}

/// The octets of a digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest {
    /// The digest, padded with zeros.
    octets: [u8; MAX_DIGEST_OCTETS],
    algorithm: HashAlgorithm,
}

impl Digest {
    pub(crate) const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    pub(crate) fn new(algorithm: HashAlgorithm, digest: &[u8]) -> Self {
        let mut octets = [0; MAX_DIGEST_OCTETS];
        octets
            .iter_mut()
            .zip(digest)
            .for_each(|(octet, &given)| *octet = given);
        Self { octets, algorithm }
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        let length = usize::from(self.algorithm.octets());
        self.octets.get(..length).unwrap_or_default()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.as_ref())
    }
}

/// The contents of a private key file, parsed but not yet loaded.
#[derive(Clone, Copy)]
pub(crate) enum KeyMaterial<'a> {
    /// An `RSAPrivateKey` (RFC 8017 §A.1.2).
    Rsa(&'a [u8]),
    /// An Ed25519 private key of 32 octets (RFC 8032 §5.1.5).
    Ed25519(&'a [u8]),
    /// The private key of an elliptic curve, as long as the curve's order, and the uncompressed
    /// point, if known.
    Ecdsa {
        scalar: &'a [u8],
        point: Option<&'a [u8]>,
    },
    /// An ML-DSA seed of 32 octets, the key expanded from it (FIPS 204 §7.2, `skEncode`), or both;
    /// and the public key, if known.
    MlDsa {
        seed: Option<&'a [u8]>,
        #[cfg_attr(
            not(any(feature = "aws-lc-rs", feature = "oqs")),
            allow(dead_code, reason = "nobody has ML-DSA")
        )]
        expanded: Option<&'a [u8]>,
        public: Option<&'a [u8]>,
    },
}

/// The form in which a back end returns a new key.
pub(crate) enum NewKey {
    /// A whole PKCS #8 file.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// The seed of an Ed25519 or ML-DSA key.
    Seed(Zeroizing<[u8; SEED_OCTETS]>),
    /// An ML-DSA key whose seed is not available.
    #[cfg(feature = "oqs")]
    Expanded {
        private: Zeroizing<Vec<u8>>,
        public: Vec<u8>,
    },
}

impl NewKey {
    fn random_seed() -> Result<Self, Failure> {
        let mut seed = Zeroizing::new([0; SEED_OCTETS]);
        fill_random(seed.as_mut())?;
        Ok(Self::Seed(seed))
    }
}

/// The octets of an Ed25519 private key (RFC 8032 §5.1.5) and of an ML-DSA seed (FIPS 204 §3.6.1).
pub(crate) const SEED_OCTETS: usize = 32;

/// A public key that a back end has prepared for signatures of one algorithm.
pub(crate) trait PreparedKey: Send + Sync {
    /// Verifies a signature, with the same result as [`verify`].
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Failure>;
}

/// A private key in a back end, which wipes it when it is dropped.
pub(crate) trait KeyPair: Send + Sync {
    /// The octets in the BIT STRING of its `SubjectPublicKeyInfo`.
    fn public_key(&self) -> &[u8];

    /// Signs with an algorithm that belongs to the key; ECDSA signatures are in DER.
    fn sign(&self, message: &[u8], algorithm: SignatureAlgorithm) -> Result<Vec<u8>, Failure>;
}
