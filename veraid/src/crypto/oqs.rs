//! The back end with liboqs, which supports ML-DSA only, and does not store seeds.
//!
//! The newest release of the crate contains liboqs 0.13, whose verification has two errors where it
//! uses AVX2 (<https://github.com/pq-crystals/dilithium/issues/113>). This module compensates for
//! one ([`Scheme::has_short_response`]). The other affects only signatures that were crafted for
//! it: hints on coefficients whose low part is 0.

use oqs::Error;
use oqs::sig::{Algorithm, Sig};
use zeroize::Zeroizing;

use super::{BackEnd, Failure, KeyMaterial, KeyPair, NewKey};
use crate::algorithm::SignatureAlgorithm;
use crate::key::KeyAlgorithm;

/// The message that is signed to check that the halves of a key belong together.
const TRIAL: &[u8] = b"do they belong together?";

impl From<Error> for Failure {
    fn from(_: Error) -> Self {
        Self::Refused
    }
}

pub(super) struct Oqs;

/// Pure ML-DSA of one parameter set, with an empty context unless one is given.
struct Scheme {
    sig: Sig,
    /// The octets of the commitment's hash, with which a signature begins.
    hash_octets: usize,
    /// The octets of the response `z`, which comes next.
    response_octets: usize,
    /// The bits of each coefficient in it: they encode `γ1 - z`, and `γ1` is half of their range.
    coefficient_bits: u32,
    /// The margin `β`: each coefficient of `z` must be smaller than `γ1 - β`.
    margin: u32,
}

impl Scheme {
    /// Creates the scheme with the numbers of FIPS 204 §4, tables 1 and 2.
    fn new(algorithm: Algorithm) -> Result<Self, Failure> {
        oqs::init();
        let sig = Sig::new(algorithm)?;
        let (hash_octets, polynomials, coefficient_bits, margin) = match algorithm {
            Algorithm::MlDsa44 => (32, 4, 18, 78),
            Algorithm::MlDsa65 => (48, 5, 20, 196),
            Algorithm::MlDsa87 => (64, 7, 20, 120),
            _ => return Err(Failure::Lacking),
        };
        // A polynomial has 256 coefficients, so each bit of a coefficient makes 32 octets.
        let polynomial_octets: usize = if coefficient_bits == 18 { 576 } else { 640 };
        Ok(Self {
            sig,
            hash_octets,
            response_octets: polynomial_octets.saturating_mul(polynomials),
            coefficient_bits,
            margin,
        })
    }

    fn of(key: KeyAlgorithm) -> Result<Self, Failure> {
        match key {
            KeyAlgorithm::MlDsa44 => Self::new(Algorithm::MlDsa44),
            KeyAlgorithm::MlDsa65 => Self::new(Algorithm::MlDsa65),
            KeyAlgorithm::MlDsa87 => Self::new(Algorithm::MlDsa87),
            _ => Err(Failure::Lacking),
        }
    }

    fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failure> {
        // All ML-DSA signatures have one length. The library refuses longer ones, but not always
        // shorter ones.
        if signature.len() != self.sig.length_signature() || !self.has_short_response(signature) {
            return Err(Failure::Refused);
        }
        let key = self.sig.public_key_from_bytes(key);
        let signature = self.sig.signature_from_bytes(signature);
        let (key, signature) = key.zip(signature).ok_or(Failure::Refused)?;
        Ok(self.sig.verify(message, signature, key)?)
    }

    /// Returns true if each coefficient of the response is within `γ1 - β` of zero (FIPS 204 §6.3,
    /// algorithm 8, step 13). The AVX2 code in liboqs 0.13 does not check this.
    fn has_short_response(&self, signature: &[u8]) -> bool {
        let end = self.hash_octets.saturating_add(self.response_octets);
        let Some(response) = signature.get(self.hash_octets..end) else {
            return false;
        };
        let size = 1u32 << self.coefficient_bits;
        let allowed = self.margin.saturating_add(1)..size.saturating_sub(self.margin);
        let (mut pending, mut pending_bits) = (0u32, 0u32);
        for &octet in response {
            pending |= u32::from(octet) << pending_bits;
            pending_bits = pending_bits.saturating_add(8);
            if pending_bits >= self.coefficient_bits {
                if !allowed.contains(&(pending & size.saturating_sub(1))) {
                    return false;
                }
                pending >>= self.coefficient_bits;
                pending_bits = pending_bits.saturating_sub(self.coefficient_bits);
            }
        }
        true
    }
}

impl BackEnd for Oqs {
    #[cfg(any(test, feature = "fuzzing"))]
    fn feature(&self) -> &'static str {
        "oqs"
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        let algorithm = match algorithm {
            SignatureAlgorithm::MlDsa44 => Algorithm::MlDsa44,
            SignatureAlgorithm::MlDsa65 => Algorithm::MlDsa65,
            SignatureAlgorithm::MlDsa87 => Algorithm::MlDsa87,
            _ => return Err(Failure::Lacking),
        };
        Scheme::new(algorithm)?.verify(key, message, signature)
    }

    fn generate(&self, algorithm: KeyAlgorithm) -> Result<NewKey, Failure> {
        let (public, private) = Scheme::of(algorithm)?.sig.keypair()?;
        Ok(NewKey::Expanded {
            private: Zeroizing::new(private.into_vec()),
            public: public.into_vec(),
        })
    }

    /// Loads a private key. The back end computes neither the expanded key of a seed nor the public
    /// key of an expanded one.
    fn load(
        &self,
        algorithm: KeyAlgorithm,
        material: KeyMaterial<'_>,
    ) -> Result<Box<dyn KeyPair>, Failure> {
        let scheme = Scheme::of(algorithm)?;
        let KeyMaterial::MlDsa {
            seed: None,
            expanded: Some(expanded),
            public: Some(public),
        } = material
        else {
            return Err(Failure::Lacking);
        };
        let pair = Pair {
            scheme,
            private: Zeroizing::new(expanded.to_vec()),
            public: public.into(),
        };
        pair.scheme.verify(public, TRIAL, &pair.signature(TRIAL)?)?;
        Ok(Box::new(pair))
    }
}

struct Pair {
    scheme: Scheme,
    private: Zeroizing<Vec<u8>>,
    public: Box<[u8]>,
}

impl Pair {
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let sig = &self.scheme.sig;
        let key = sig.secret_key_from_bytes(&self.private);
        Ok(sig.sign(message, key.ok_or(Failure::Refused)?)?.into_vec())
    }
}

impl KeyPair for Pair {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn sign(&self, message: &[u8], _: SignatureAlgorithm) -> Result<Vec<u8>, Failure> {
        self.signature(message)
    }
}
