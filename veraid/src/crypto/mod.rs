//! The seam between the protocol and the library that does the mathematics.
//!
//! Everything that VeraId asks of one is here: hashes, random octets, signatures and private keys. Keys come as the bare
//! octets that stand inside their structures; their sizes are checked before anything gets here.

mod aws_lc;

use std::fmt;

use zeroize::Zeroizing;

pub(crate) use aws_lc::{fill_random, generate, load, verify};

/// A hash function of SHA-2 (FIPS 180-4), for digests and for RSASSA-PSS alike; the longer, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum HashAlgorithm {
    Sha256,
    Sha384,
    Sha512,
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
        aws_lc::digest(self, octets)
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
    fn new(algorithm: HashAlgorithm, digest: &[u8]) -> Self {
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

/// The back end refused; it does not say why, and need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

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
    /// An ML-DSA seed of 32 octets, the key that comes of it (FIPS 204 §4, `skEncode`), or both.
    MlDsa {
        seed: Option<&'a [u8]>,
        expanded: Option<&'a [u8]>,
    },
}

/// What a back end makes a new key of.
pub(crate) enum NewKey {
    /// A whole PKCS #8 file.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// The octets that an Ed25519 or ML-DSA key comes of.
    Seed(Zeroizing<[u8; SEED_OCTETS]>),
}

/// Octets of an Ed25519 private key (RFC 8032 §5.1.5) and of an ML-DSA seed (FIPS 204 §3.6.1).
pub(crate) const SEED_OCTETS: usize = 32;

/// A private key that a back end holds, and wipes when it goes.
pub(crate) trait KeyPair: Send + Sync {
    /// What stands in the BIT STRING of its `SubjectPublicKeyInfo`.
    fn public_key(&self) -> &[u8];

    /// Signs in the one way that is written here ([`crate::algorithm::SignatureAlgorithm::written_by`]).
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Refused>;
}
