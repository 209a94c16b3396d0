//! The seam between the protocol and the cryptographic back ends.
//!
//! Everything that VeraId asks of one is here: hashes, random octets, signatures and private keys. Keys come as the bare
//! octets that stand inside their structures; their sizes are checked before anything gets here. Each task falls to the
//! first back end that is built in and can do it.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
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

// Both have hashes and random octets, so no choice is needed for each task.
#[cfg(feature = "aws-lc-rs")]
use aws_lc as general;
pub(crate) use general::Hasher;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as general;

/// The libraries that are built in, those that can do more first.
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
    /// The feature that builds it in.
    #[cfg(test)]
    fn feature(&self) -> &'static str;

    /// Checks a signature with a key that is of the right kind and size for it.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure>;

    /// Makes a key ready for many signatures of one algorithm, if that spares the library anything.
    fn prepare(
        &self,
        _algorithm: SignatureAlgorithm,
        _key: &[u8],
    ) -> Result<Box<dyn PreparedKey>, Failure> {
        Err(Failure::Lacking)
    }

    /// Makes a key of one of the algorithms that a TXT record can name.
    fn generate(&self, algorithm: KeyAlgorithm) -> Result<NewKey, Failure>;

    /// Takes a private key, and checks that all that is said of it belongs together.
    fn load(
        &self,
        algorithm: KeyAlgorithm,
        material: KeyMaterial<'_>,
    ) -> Result<Box<dyn KeyPair>, Failure>;
}

/// Why a back end does not do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It refused; it does not say why, and need not.
    Refused,
    /// It cannot: another one may.
    Lacking,
}

/// Asks one back end after another, until one can.
fn ask<T>(question: impl Fn(&dyn BackEnd) -> Result<T, Failure>) -> Result<T, Failure> {
    BACK_ENDS
        .iter()
        .map(|back_end| question(*back_end))
        .find(|answer| !matches!(answer, Err(Failure::Lacking)))
        .unwrap_or(Err(Failure::Lacking))
}

/// Checks a signature with a key that is of the right kind and size for it.
pub(crate) fn verify(
    algorithm: SignatureAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Failure> {
    ask(|back_end| back_end.verify(algorithm, key, message, signature))
}

/// Makes a key ready for many signatures of one algorithm. [`Failure::Lacking`] if no back end has anything to make ready.
pub(crate) fn prepare(
    algorithm: SignatureAlgorithm,
    key: &[u8],
) -> Result<Box<dyn PreparedKey>, Failure> {
    ask(|back_end| back_end.prepare(algorithm, key))
}

/// Makes a key of one of the algorithms that a TXT record can name.
pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<NewKey, Failure> {
    ask(|back_end| back_end.generate(algorithm))
}

/// Takes a private key, and checks that all that is said of it belongs together.
pub(crate) fn load(
    algorithm: KeyAlgorithm,
    material: KeyMaterial<'_>,
) -> Result<Box<dyn KeyPair>, Failure> {
    ask(|back_end| back_end.load(algorithm, material))
}

/// Fills `octets` with what nobody can foresee.
pub(crate) fn fill_random(octets: &mut [u8]) -> Result<(), Failure> {
    general::fill_random(octets)
}

/// The features of which one must be on to verify such signatures and to make such keys.
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
    /// The error of a build that has no back end for something, with the features that would help.
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

/// A hash function of SHA-2 (FIPS 180-4), for digests and for RSASSA-PSS alike; the longer, the greater.
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

/// `SHA-256`, `SHA-384`, `SHA-512`.
impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// Octets of the longest digest.
const MAX_DIGEST_OCTETS: usize = 64;

impl HashAlgorithm {
    /// The digest's length in octets, which is the salt's as well.
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

/// A digest's octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest {
    /// The digest, then zeros.
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

/// What a file says of a private key, read but not computed with.
#[derive(Clone, Copy)]
pub(crate) enum KeyMaterial<'a> {
    /// An `RSAPrivateKey` (RFC 8017 §A.1.2).
    Rsa(&'a [u8]),
    /// An Ed25519 private key of 32 octets (RFC 8032 §5.1.5).
    Ed25519(&'a [u8]),
    /// An elliptic curve's private key, as long as the curve's order, and the uncompressed point, if it is known.
    Ecdsa {
        scalar: &'a [u8],
        point: Option<&'a [u8]>,
    },
    /// An ML-DSA seed of 32 octets, the key that comes of it (FIPS 204 §7.2, `skEncode`), or both; and the public key, if
    /// it is known.
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

/// What a back end makes a new key of.
pub(crate) enum NewKey {
    /// A whole PKCS #8 file.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// The octets that an Ed25519 or ML-DSA key comes of.
    Seed(Zeroizing<[u8; SEED_OCTETS]>),
    /// An ML-DSA key whose seed is not to be had.
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

/// Octets of an Ed25519 private key (RFC 8032 §5.1.5) and of an ML-DSA seed (FIPS 204 §3.6.1).
pub(crate) const SEED_OCTETS: usize = 32;

/// A public key that a back end has made ready for signatures of one algorithm.
pub(crate) trait PreparedKey: Send + Sync {
    /// Checks a signature, with the same result as [`verify`].
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Failure>;
}

/// A private key that a back end holds, and wipes when it goes.
pub(crate) trait KeyPair: Send + Sync {
    /// What stands in the BIT STRING of its `SubjectPublicKeyInfo`.
    fn public_key(&self) -> &[u8];

    /// Signs by an algorithm that the key is one for, ECDSA in DER.
    fn sign(&self, message: &[u8], algorithm: SignatureAlgorithm) -> Result<Vec<u8>, Failure>;
}
