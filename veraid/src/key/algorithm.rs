//! The key algorithms, by name and by number.

use std::fmt;
use std::str::FromStr;

/// The algorithm and size of a key, which determine how it signs.
///
/// All algorithms except RSA are experimental: no specification of VeraId or DomainAuth includes
/// them yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// RSA with a modulus of another size, which has no number in TXT records.
    OtherRsa(RsaSize),
    /// Ed25519 (RFC 8032). Experimental.
    Ed25519,
    /// ECDSA on the curve P-256, with SHA-256 (FIPS 186-5). Experimental.
    EcdsaP256,
    /// ECDSA on the curve P-384, with SHA-384 (FIPS 186-5). Experimental.
    EcdsaP384,
    /// ML-DSA-44 (FIPS 204). Experimental.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204). Experimental.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204). Experimental.
    MlDsa87,
}

/// The size of an RSA modulus from 2048 to 8192 bits, other than the three with their own
/// algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RsaSize(u16);

impl RsaSize {
    /// The size in bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }
}

/// Writes the bits as a bare number.
impl fmt::Display for RsaSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The minimum of FIPS 186-5 §5.1.
const MIN_RSA_BITS: u16 = 2048;
/// The largest modulus that the cryptographic back ends support.
const MAX_RSA_BITS: u16 = 8192;
/// The prefix of an RSA algorithm's name; the bits of its modulus follow.
const RSA: &str = "rsa-";

impl KeyAlgorithm {
    /// All algorithms with a number in TXT records.
    pub const ALL: &'static [Self] = &[
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::Ed25519,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The algorithm of an RSA key whose modulus has this many bits; `None` for anything but 2048
    /// to 8192.
    #[must_use]
    pub const fn rsa(bits: u16) -> Option<Self> {
        if bits < MIN_RSA_BITS || bits > MAX_RSA_BITS {
            return None;
        }
        Some(match bits {
            2048 => Self::Rsa2048,
            3072 => Self::Rsa3072,
            4096 => Self::Rsa4096,
            _ => Self::OtherRsa(RsaSize(bits)),
        })
    }

    /// The number of the algorithm in TXT records, if it has one.
    #[must_use]
    pub const fn record_number(self) -> Option<u8> {
        match self {
            Self::Rsa2048 => Some(1),
            Self::Rsa3072 => Some(2),
            Self::Rsa4096 => Some(3),
            Self::OtherRsa(_) => None,
            Self::Ed25519 => Some(240),
            Self::EcdsaP256 => Some(241),
            Self::EcdsaP384 => Some(242),
            Self::MlDsa44 => Some(244),
            Self::MlDsa65 => Some(245),
            Self::MlDsa87 => Some(246),
        }
    }

    /// The algorithm with the given number in TXT records, if any.
    #[must_use]
    pub fn from_record_number(number: u8) -> Option<Self> {
        let all = Self::ALL.iter().copied();
        all.into_iter()
            .find(|algorithm| algorithm.record_number() == Some(number))
    }

    /// Returns true if it is one of this project's own experiments, which no specification allows:
    /// all but RSA.
    #[must_use]
    pub const fn is_experimental(self) -> bool {
        !self.is_rsa()
    }

    pub(crate) const fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 | Self::OtherRsa(_)
        )
    }
}

/// Writes `rsa-2048` and so on for RSA, or `ed25519`, `ecdsa-p256`, `ecdsa-p384`, `ml-dsa-44`,
/// `ml-dsa-65`, `ml-dsa-87`.
impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::OtherRsa(size) => return f.pad(&format!("{RSA}{size}")),
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::MlDsa44 => "ml-dsa-44",
            Self::MlDsa65 => "ml-dsa-65",
            Self::MlDsa87 => "ml-dsa-87",
        })
    }
}

/// A text that is not a [`KeyAlgorithm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a key algorithm; write rsa-2048, rsa-3072, rsa-4096, ed25519, ecdsa-p256, ecdsa-p384, ml-dsa-44, \
     ml-dsa-65 or ml-dsa-87"
)]
pub struct KeyAlgorithmError;

impl FromStr for KeyAlgorithm {
    type Err = KeyAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = match text.strip_prefix(RSA) {
            Some(bits) => bits.parse().ok().and_then(Self::rsa),
            None => Self::ALL
                .iter()
                .copied()
                .find(|algorithm| algorithm.to_string() == text),
        };
        // Each algorithm has one spelling: no leading zeros or signs.
        named
            .filter(|algorithm| algorithm.to_string() == text)
            .ok_or(KeyAlgorithmError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back() {
        for &algorithm in KeyAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            let number = algorithm.record_number().unwrap();
            assert_eq!(KeyAlgorithm::from_record_number(number), Some(algorithm));
        }
        let named = (0..=u8::MAX).filter_map(KeyAlgorithm::from_record_number);
        assert_eq!(named.count(), KeyAlgorithm::ALL.len());
    }

    #[test]
    fn rsa_of_other_sizes_has_a_name_but_no_number() {
        for bits in [2049, 2560, 4095, 8192] {
            let algorithm = KeyAlgorithm::rsa(bits).unwrap();
            assert_eq!(algorithm.record_number(), None);
            assert_eq!(algorithm.to_string(), format!("rsa-{bits}"));
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            assert!(!algorithm.is_experimental());
        }
        for text in [
            "rsa-2047",
            "rsa-8193",
            "rsa-02048",
            "rsa-+2048",
            "rsa-",
            "rsa",
            "RSA-2048",
            "ed448",
            "",
        ] {
            assert_eq!(
                text.parse::<KeyAlgorithm>(),
                Err(KeyAlgorithmError),
                "{text}"
            );
        }
    }
}
