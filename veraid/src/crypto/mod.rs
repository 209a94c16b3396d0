//! The seam between the protocol and the library that does the mathematics.
//!
//! Everything that VeraId asks of one is here: hashes, RSASSA-PSS (RFC 8017 §8.1) with a salt as long as the hash, RSA
//! key pairs and random octets. Key sizes are checked before anything gets here.

mod aws_lc;

pub(crate) use aws_lc::{Digest, KeyPair, fill_random, verify_rsa_pss};

/// A hash function of SHA-2 (FIPS 180-4), for digests and for RSASSA-PSS alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

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

/// The back end refused; it does not say why, and need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;
