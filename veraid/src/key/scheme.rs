//! The signature schemes of keys.

use std::borrow::Cow;
use std::fmt;

use der::Encode as _;
use der::asn1::UintRef;

use super::{KeyAlgorithm, SigningError};
use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{Value, tag};
use crate::crypto::HashAlgorithm;

/// The scheme in which a private key signs, and the form of the signature.
///
/// VeraId and DomainAuth use [`KeyAlgorithm::signature_scheme`] alone. The others are for other
/// protocols that use the same keys, such as HTTP Message Signatures (RFC 9421).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// RSASSA-PSS with the given hash, also in MGF1, and a salt as long as the hash (RFC 8017
    /// §8.1.1). The signature is as long as the modulus.
    RsaPss(HashAlgorithm),
    /// Ed25519, but not Ed25519ph or Ed25519ctx (RFC 8032 §5.1.6); 64 octets.
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5).
    EcdsaP256(EcdsaFormat),
    /// ECDSA on P-384 with SHA-384 (FIPS 186-5).
    EcdsaP384(EcdsaFormat),
    /// ML-DSA-44 with an empty context, but not HashML-DSA (FIPS 204 §5.2); 2420 octets.
    MlDsa44,
    /// ML-DSA-65, otherwise the same; 3309 octets.
    MlDsa65,
    /// ML-DSA-87, otherwise the same; 4627 octets.
    MlDsa87,
}

/// The form of an ECDSA signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EcdsaFormat {
    /// A DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
    Der,
    /// The two numbers r and s concatenated, each as long as the order of the curve (RFC 7518 §3.4,
    /// RFC 9421 §3.3.4).
    Fixed,
}

impl KeyAlgorithm {
    /// The scheme in which keys of this algorithm sign for VeraId and DomainAuth.
    #[must_use]
    pub const fn signature_scheme(self) -> SignatureScheme {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 | Self::OtherRsa(_) => {
                SignatureScheme::RsaPss(HashAlgorithm::Sha256)
            }
            Self::Ed25519 => SignatureScheme::Ed25519,
            Self::EcdsaP256 => SignatureScheme::EcdsaP256(EcdsaFormat::Der),
            Self::EcdsaP384 => SignatureScheme::EcdsaP384(EcdsaFormat::Der),
            Self::MlDsa44 => SignatureScheme::MlDsa44,
            Self::MlDsa65 => SignatureScheme::MlDsa65,
            Self::MlDsa87 => SignatureScheme::MlDsa87,
        }
    }

    /// The hash function for content that is signed by keys of this algorithm.
    #[must_use]
    pub const fn content_hash(self) -> HashAlgorithm {
        SignatureAlgorithm::written_by(self).written_digest()
    }
}

impl SignatureScheme {
    /// The algorithm, independent of the form.
    pub(crate) const fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::RsaPss(hash) => SignatureAlgorithm::RsassaPss(hash),
            Self::Ed25519 => SignatureAlgorithm::Ed25519,
            Self::EcdsaP256(_) => SignatureAlgorithm::EcdsaSha256,
            Self::EcdsaP384(_) => SignatureAlgorithm::EcdsaSha384,
            Self::MlDsa44 => SignatureAlgorithm::MlDsa44,
            Self::MlDsa65 => SignatureAlgorithm::MlDsa65,
            Self::MlDsa87 => SignatureAlgorithm::MlDsa87,
        }
    }

    /// Converts a signature from the form of the scheme to the form that back ends verify, in which
    /// ECDSA is in DER. `None` if the signature does not have the form of the scheme.
    pub(super) fn der_form(self, signature: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self.fixed_number_octets() {
            Some(octets) => der_from_fixed(signature, octets).map(Cow::Owned),
            None => Some(Cow::Borrowed(signature)),
        }
    }

    /// The octets of each of the two numbers in a form of fixed length.
    const fn fixed_number_octets(self) -> Option<usize> {
        match self {
            Self::EcdsaP256(EcdsaFormat::Fixed) => Some(32),
            Self::EcdsaP384(EcdsaFormat::Fixed) => Some(48),
            _ => None,
        }
    }

    /// Converts a signature, with ECDSA in DER, to the form of the scheme.
    pub(super) fn form(self, signature: Vec<u8>) -> Result<Vec<u8>, SigningError> {
        let Some(number_octets) = self.fixed_number_octets() else {
            return Ok(signature);
        };
        fixed_from_der(&signature, number_octets)
            .ok_or_else(|| SigningError::new("the cryptographic back end failed"))
    }
}

/// Writes the scheme for people, such as `ECDSA with SHA-256, as DER`.
impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPss(hash) => {
                write!(
                    f,
                    "RSASSA-PSS with {hash} and a salt of {} bytes",
                    hash.octets()
                )
            }
            Self::Ed25519 => f.write_str("Ed25519, not pre-hashed"),
            Self::EcdsaP256(format) => write!(f, "ECDSA with SHA-256, {format}"),
            Self::EcdsaP384(format) => write!(f, "ECDSA with SHA-384, {format}"),
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => {
                f.write_str("ML-DSA with an empty context, not pre-hashed")
            }
        }
    }
}

impl fmt::Display for EcdsaFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Der => "as DER",
            Self::Fixed => "as r and s of fixed length",
        })
    }
}

/// Converts DER to r and s, each with leading zeros up to its length.
fn fixed_from_der(signature: &[u8], number_octets: usize) -> Option<Vec<u8>> {
    let whole = Value::whole(signature, tag::SEQUENCE, "an Ecdsa-Sig-Value").ok()?;
    let mut numbers = whole.reader();
    let mut fixed = Vec::with_capacity(number_octets.saturating_mul(2));
    for _ in 0..2 {
        let number = numbers.read(tag::INTEGER, "an INTEGER").ok()?;
        let number = super::public::positive_integer(number).ok()?;
        let zeros = number_octets.checked_sub(number.len())?;
        fixed.resize(fixed.len().saturating_add(zeros), 0);
        fixed.extend_from_slice(number);
    }
    numbers.finish().ok()?;
    Some(fixed)
}

/// Converts r and s to an `Ecdsa-Sig-Value`.
fn der_from_fixed(fixed: &[u8], number_octets: usize) -> Option<Vec<u8>> {
    if fixed.len() != number_octets.saturating_mul(2) {
        return None;
    }
    let numbers: Vec<UintRef<'_>> = fixed
        .chunks_exact(number_octets)
        .map(UintRef::new)
        .collect::<Result<_, _>>()
        .ok()?;
    numbers.to_der().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_says_its_hash_and_its_form() {
        for (scheme, text) in [
            (
                SignatureScheme::RsaPss(HashAlgorithm::Sha384),
                "RSASSA-PSS with SHA-384 and a salt of 48 bytes",
            ),
            (SignatureScheme::Ed25519, "Ed25519, not pre-hashed"),
            (
                SignatureScheme::EcdsaP256(EcdsaFormat::Fixed),
                "ECDSA with SHA-256, as r and s of fixed length",
            ),
            (
                SignatureScheme::EcdsaP384(EcdsaFormat::Der),
                "ECDSA with SHA-384, as DER",
            ),
            (
                SignatureScheme::MlDsa44,
                "ML-DSA with an empty context, not pre-hashed",
            ),
        ] {
            assert_eq!(scheme.to_string(), text);
        }
    }

    #[test]
    fn r_and_s_have_the_length_of_the_curves_order() {
        // r = 1, s = 0x80.
        let der = [0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x02, 0x00, 0x80];
        let fixed = fixed_from_der(&der, 32).unwrap();
        let expected = [
            [&[0; 31][..], &[0x01]].concat(),
            [&[0; 31][..], &[0x80]].concat(),
        ]
        .concat();
        assert_eq!(fixed, expected);
        assert_eq!(der_from_fixed(&fixed, 32).unwrap(), der);
        assert_eq!(der_from_fixed(&fixed, 48), None);
        assert_eq!(der_from_fixed(&[], 32), None);
        // Longer than the order, and trailing octets.
        assert_eq!(
            fixed_from_der(&[0x30, 0x07, 0x02, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01], 1),
            None
        );
        let behind = [0x30, 0x08, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x05, 0x00];
        assert_eq!(fixed_from_der(&behind, 32), None);
    }
}
