//! Public keys: `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).

use std::fmt;
use std::sync::Arc;

use der::Encode as _;
use der::asn1::{BitStringRef, ObjectIdentifier};
use dnssec::Work;
use x509_cert::spki::SubjectPublicKeyInfo;

use super::{KeyAlgorithm, KeyError, PUBLIC_KEY_LABEL, SignatureScheme, pem_kind};
use crate::algorithm::{SignatureAlgorithm, key_identifier, read_key_restriction};
use crate::asn1::{Reader, Unreadable, Value, tag};
use crate::crypto::{self, Failure, HashAlgorithm, PreparedKey};
use crate::oid;
use crate::pem::{self, Block};
use crate::record::{DigestType, KeyId};

/// The longest public exponent that AWS-LC supports, in bits.
const MAX_EXPONENT_BITS: usize = 33;
/// The work to verify an ML-DSA signature, measured as [`Work`] describes: 23, 38 and 58 µs.
const ML_DSA_44_WORK: Work = Work::from_units(23);
const ML_DSA_65_WORK: Work = Work::from_units(38);
const ML_DSA_87_WORK: Work = Work::from_units(58);
/// The first octet of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 0x04;

/// The signatures that an RSA key may make (RFC 4055 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RsaUse {
    /// Any: `rsaEncryption`. Here it only makes RSASSA-PSS signatures. All keys other than RSA have
    /// this value too.
    Any,
    /// RSASSA-PSS: `id-RSASSA-PSS` without parameters.
    Pss,
    /// RSASSA-PSS with the given hash: `id-RSASSA-PSS` with parameters.
    PssWith(HashAlgorithm),
}

/// A public key that borrows its octets.
#[derive(Clone, Copy)]
pub(crate) struct PublicKeyRef<'a> {
    pub(crate) algorithm: KeyAlgorithm,
    /// The `SubjectPublicKeyInfo`, as received.
    pub(crate) spki: &'a [u8],
    /// The octets in its BIT STRING.
    key: &'a [u8],
    rsa_use: RsaUse,
}

impl<'a> PublicKeyRef<'a> {
    /// Parses a `SubjectPublicKeyInfo`.
    pub(crate) fn parse(spki: Value<'a>) -> Result<Self, KeyError> {
        let mut fields = spki.reader();
        let kind = Kind::read(fields.read(tag::SEQUENCE, "an AlgorithmIdentifier")?)?;
        let key = fields.read(tag::BIT_STRING, "a BIT STRING")?;
        fields.finish()?;
        let key = key.whole_octets()?;
        let (algorithm, rsa_use) = match kind {
            Kind::Rsa => (check_rsa_public_key(key)?, RsaUse::Any),
            Kind::RsaPss(None) => (check_rsa_public_key(key)?, RsaUse::Pss),
            Kind::RsaPss(Some(parameters)) => {
                let only = read_key_restriction(parameters)?;
                (check_rsa_public_key(key)?, RsaUse::PssWith(only))
            }
            Kind::Other(algorithm) => {
                check_bare_key(algorithm, key)?;
                (algorithm, RsaUse::Any)
            }
        };
        Ok(Self {
            algorithm,
            spki: spki.encoding(),
            key,
            rsa_use,
        })
    }

    /// The octets in the BIT STRING.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn bare(&self) -> &'a [u8] {
        self.key
    }

    /// Returns true if it is an RSA key for RSASSA-PSS only, according to `id-RSASSA-PSS`.
    pub(crate) fn is_pss_only(&self) -> bool {
        self.rsa_use != RsaUse::Any
    }

    /// Checks that VeraId allows the key: RSA of three sizes, with `rsaEncryption`.
    pub(crate) fn check_for_vera_id(&self) -> Result<(), KeyError> {
        let algorithm = match self.algorithm {
            _ if self.is_pss_only() => "id-RSASSA-PSS".to_owned(),
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => return Ok(()),
            other => other.to_string(),
        };
        Err(KeyError::NotInVeraId { algorithm })
    }

    /// Returns true if it is the same key, even if one of the two is restricted to RSASSA-PSS.
    pub(crate) fn is_same_as(&self, other: &PublicKeyRef<'_>) -> bool {
        self.algorithm == other.algorithm && self.key == other.key
    }

    pub(crate) fn digest(&self, hash: HashAlgorithm) -> crypto::Digest {
        hash.digest(self.spki)
    }

    /// The identifier in authority and subject key identifier extensions: SHA-256 of the
    /// `SubjectPublicKeyInfo`.
    pub(crate) fn key_identifier(&self) -> crypto::Digest {
        self.digest(HashAlgorithm::Sha256)
    }

    pub(crate) fn key_id(&self, digest_type: DigestType) -> KeyId {
        KeyId::of(self.spki, digest_type)
    }

    /// Returns true if the key can and may sign with the algorithm: the cheap half of
    /// [`PublicKeyRef::verify`].
    pub(crate) fn makes(&self, algorithm: SignatureAlgorithm) -> bool {
        match (self.algorithm, algorithm) {
            (
                KeyAlgorithm::Rsa2048
                | KeyAlgorithm::Rsa3072
                | KeyAlgorithm::Rsa4096
                | KeyAlgorithm::OtherRsa(_),
                SignatureAlgorithm::RsassaPss(hash),
            ) => match self.rsa_use {
                RsaUse::Any | RsaUse::Pss => true,
                RsaUse::PssWith(only) => hash == only,
            },
            (KeyAlgorithm::Ed25519, SignatureAlgorithm::Ed25519)
            | (KeyAlgorithm::EcdsaP256, SignatureAlgorithm::EcdsaSha256)
            | (KeyAlgorithm::EcdsaP384, SignatureAlgorithm::EcdsaSha384)
            | (KeyAlgorithm::MlDsa44, SignatureAlgorithm::MlDsa44)
            | (KeyAlgorithm::MlDsa65, SignatureAlgorithm::MlDsa65)
            | (KeyAlgorithm::MlDsa87, SignatureAlgorithm::MlDsa87) => true,
            _ => false,
        }
    }

    /// The work to verify a signature with the key.
    pub(crate) fn work(&self) -> Work {
        let bits = match self.algorithm {
            KeyAlgorithm::Rsa2048 => 2_048,
            KeyAlgorithm::Rsa3072 => 3_072,
            KeyAlgorithm::Rsa4096 => 4_096,
            KeyAlgorithm::OtherRsa(size) => size.bits().into(),
            KeyAlgorithm::Ed25519 => return Work::ED25519,
            KeyAlgorithm::EcdsaP256 => return Work::P256,
            KeyAlgorithm::EcdsaP384 => return Work::P384,
            KeyAlgorithm::MlDsa44 => return ML_DSA_44_WORK,
            KeyAlgorithm::MlDsa65 => return ML_DSA_65_WORK,
            KeyAlgorithm::MlDsa87 => return ML_DSA_87_WORK,
        };
        // The key was parsed before.
        let exponent = read_rsa_public_key(self.key).map_or(&[][..], |(_, exponent)| exponent);
        Work::of_rsa(bits, self::bits(exponent))
    }

    /// Verifies a signature. Signatures that the key does not make are refused.
    pub(crate) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        if self.makes(algorithm) {
            crypto::verify(algorithm, self.key, message, signature)
        } else {
            Err(Failure::Refused)
        }
    }

    /// Prepares the key for many signatures of one algorithm.
    pub(super) fn prepare(
        &self,
        algorithm: SignatureAlgorithm,
    ) -> Result<Box<dyn PreparedKey>, Failure> {
        if self.makes(algorithm) {
            crypto::prepare(algorithm, self.key)
        } else {
            Err(Failure::Refused)
        }
    }
}

/// The kind of key in an `AlgorithmIdentifier`. The size of an RSA key is only in the key itself.
pub(super) enum Kind<'a> {
    Rsa,
    /// RSASSA-PSS only, with these parameters if present.
    RsaPss(Option<Value<'a>>),
    Other(KeyAlgorithm),
}

impl<'a> Kind<'a> {
    pub(super) fn read(identifier: Value<'a>) -> Result<Self, KeyError> {
        let mut fields = identifier.reader();
        let name = fields.read(tag::OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER")?;
        let kind = match ObjectIdentifier::from_bytes(name.content()) {
            Ok(oid::RSA_ENCRYPTION) => {
                // RFC 3279 §2.3.1 requires it.
                let parameters = fields.read(tag::NULL, "NULL parameters")?;
                if !parameters.content().is_empty() {
                    return Err(parameters.fail("an empty NULL").into());
                }
                Self::Rsa
            }
            Ok(oid::RSASSA_PSS) => Self::RsaPss(fields.optional(tag::SEQUENCE)?),
            Ok(oid::EC_PUBLIC_KEY) => Self::Other(read_named_curve(&mut fields)?),
            Ok(oid::ED25519) => Self::Other(KeyAlgorithm::Ed25519),
            Ok(oid::ML_DSA_44) => Self::Other(KeyAlgorithm::MlDsa44),
            Ok(oid::ML_DSA_65) => Self::Other(KeyAlgorithm::MlDsa65),
            Ok(oid::ML_DSA_87) => Self::Other(KeyAlgorithm::MlDsa87),
            _ => return Err(KeyError::other_algorithm(name.content())),
        };
        if !fields.is_empty() {
            return Err(fields.fail("no further parameters").into());
        }
        Ok(kind)
    }
}

/// Parses `ECParameters` (RFC 5480 §2.1.1). Only the name of a curve is allowed.
fn read_named_curve(parameters: &mut Reader<'_>) -> Result<KeyAlgorithm, KeyError> {
    let curve = parameters.read(tag::OBJECT_IDENTIFIER, "the name of a curve as parameters")?;
    match ObjectIdentifier::from_bytes(curve.content()) {
        Ok(oid::SECP256R1) => Ok(KeyAlgorithm::EcdsaP256),
        Ok(oid::SECP384R1) => Ok(KeyAlgorithm::EcdsaP384),
        _ => Err(KeyError::other_curve(curve.content())),
    }
}

/// Checks the form of a public key without inner structure: an Ed25519 key (RFC 8410 §4), a point
/// (RFC 5480 §2.2) or an ML-DSA key (RFC 9881 §4).
fn check_bare_key(algorithm: KeyAlgorithm, key: &[u8]) -> Result<(), KeyError> {
    let (octets, expected) = match algorithm {
        KeyAlgorithm::EcdsaP256 => (65, "an uncompressed point of 65 bytes"),
        KeyAlgorithm::EcdsaP384 => (97, "an uncompressed point of 97 bytes"),
        KeyAlgorithm::MlDsa44 => (1312, "an ML-DSA-44 public key of 1312 bytes"),
        KeyAlgorithm::MlDsa65 => (1952, "an ML-DSA-65 public key of 1952 bytes"),
        KeyAlgorithm::MlDsa87 => (2592, "an ML-DSA-87 public key of 2592 bytes"),
        KeyAlgorithm::Ed25519
        | KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::OtherRsa(_) => (32, "an Ed25519 public key of 32 bytes"),
    };
    let is_point = matches!(algorithm, KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384);
    if key.len() != octets || is_point && key.first() != Some(&UNCOMPRESSED) {
        return Err(KeyError::Malformed { expected });
    }
    Ok(())
}

/// Parses `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017
/// §A.1.1).
fn read_rsa_public_key(octets: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let mut fields = Value::whole(octets, tag::SEQUENCE, "an RSAPublicKey")?.reader();
    let modulus = positive_integer(fields.read(tag::INTEGER, "a modulus")?)?;
    let exponent = positive_integer(fields.read(tag::INTEGER, "a public exponent")?)?;
    fields.finish()?;
    Ok((modulus, exponent))
}

/// Parses an `RSAPublicKey` to find its size.
fn check_rsa_public_key(octets: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let (modulus, exponent) = read_rsa_public_key(octets)?;
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if !odd(modulus) || !odd(exponent) || !(2..=MAX_EXPONENT_BITS).contains(&bits(exponent)) {
        return Err(KeyError::Malformed {
            expected: "an odd modulus, and an odd public exponent of 2 to 33 bits",
        });
    }
    rsa_of_size(modulus)
}

/// The algorithm of an RSA key with the given modulus.
pub(super) fn rsa_of_size(modulus: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let bits = bits(modulus);
    u16::try_from(bits)
        .ok()
        .and_then(KeyAlgorithm::rsa)
        .ok_or(KeyError::UnsupportedRsaSize { bits })
}

/// Returns the content of a positive INTEGER in its fewest octets, without the octet that only
/// holds the sign.
pub(super) fn positive_integer(integer: Value<'_>) -> Result<&[u8], Unreadable> {
    match integer.content() {
        [0, magnitude @ ..] if magnitude.first().is_some_and(|first| *first >= 0x80) => {
            Ok(magnitude)
        }
        magnitude @ [0x01..=0x7f, ..] => Ok(magnitude),
        _ => Err(integer.fail("a positive INTEGER in as few bytes as possible")),
    }
}

/// The length of a number in bits.
fn bits(magnitude: &[u8]) -> usize {
    let unused = magnitude.first().map_or(0, |first| first.leading_zeros());
    let unused = usize::try_from(unused).unwrap_or(0);
    magnitude.len().saturating_mul(8).saturating_sub(unused)
}

/// A public key that can be used: its algorithm is a [`KeyAlgorithm`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    spki: Arc<[u8]>,
    /// The number of octets at the end of `spki` that are the key in its BIT STRING.
    key_octets: usize,
    rsa_use: RsaUse,
}

impl PublicKey {
    /// Parses a DER `SubjectPublicKeyInfo`.
    ///
    /// RSA keys may be restricted to RSASSA-PSS (RFC 4055 §1.2). Elliptic-curve keys must have a
    /// named curve and an uncompressed point (RFC 5480 §2).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = Value::whole(der, tag::SEQUENCE, "a SubjectPublicKeyInfo")?;
        PublicKeyRef::parse(spki).map(Self::from)
    }

    /// Parses a PEM file with a `PUBLIC KEY`.
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        let block = Block::find(pem).ok_or(KeyError::NotPem)?;
        match block.label {
            PUBLIC_KEY_LABEL => Self::from_spki_der(&block.decode().ok_or(KeyError::NotPem)?),
            "RSA PUBLIC KEY" => Err(KeyError::Pkcs1Public),
            label if label.ends_with("PRIVATE KEY") => Err(KeyError::PrivateGiven),
            label => Err(KeyError::OtherPem {
                found: pem_kind(label),
                expected: "public key",
            }),
        }
    }

    /// Encodes the `SubjectPublicKeyInfo` of a bare key.
    pub(super) fn from_bare(algorithm: KeyAlgorithm, key: &[u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfo {
            algorithm: key_identifier(algorithm),
            subject_public_key: BitStringRef::from_bytes(key).map_err(KeyError::unwritable)?,
        };
        Self::from_spki_der(&spki.to_der().map_err(KeyError::unwritable)?)
    }

    /// The DER of the `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn as_spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Encodes the key as a PEM file with a `PUBLIC KEY`.
    #[must_use]
    pub fn to_spki_pem(&self) -> String {
        pem::encode(PUBLIC_KEY_LABEL, &self.spki).unwrap_or_default()
    }

    /// Verifies a signature over `message`, which is the message itself and not its digest.
    ///
    /// # Errors
    /// [`SignatureError`] if the signature does not verify or does not have the form of the scheme,
    /// if the key does not sign in the scheme, or if no cryptographic back end in this build can
    /// verify it.
    pub fn verify(
        &self,
        message: &[u8],
        signature: &[u8],
        scheme: SignatureScheme,
    ) -> Result<(), SignatureError> {
        let signature = scheme.der_form(signature).ok_or(SignatureError)?;
        self.borrow()
            .verify(scheme.algorithm(), message, &signature)
            .map_err(|_| SignatureError)
    }

    /// The algorithm of the key.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Computes the identifier of the key in a TXT record.
    #[must_use]
    pub fn key_id(&self, digest_type: DigestType) -> KeyId {
        self.borrow().key_id(digest_type)
    }

    pub(crate) fn borrow(&self) -> PublicKeyRef<'_> {
        let start = self.spki.len().saturating_sub(self.key_octets);
        PublicKeyRef {
            algorithm: self.algorithm,
            spki: &self.spki,
            key: self.spki.get(start..).unwrap_or_default(),
            rsa_use: self.rsa_use,
        }
    }
}

/// A signature that does not verify with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureError;

impl From<PublicKeyRef<'_>> for PublicKey {
    fn from(key: PublicKeyRef<'_>) -> Self {
        Self {
            algorithm: key.algorithm,
            spki: key.spki.into(),
            key_octets: key.key.len(),
            rsa_use: key.rsa_use,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.key_id(DigestType::Sha256);
        write!(f, "PublicKey({}, SHA-256 {id})", self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{PrivateKey, SigningKey as _};

    /// A key of an algorithm with which every build can sign.
    fn rsa_key() -> PrivateKey {
        PrivateKey::from_pkcs8_der(&kliento_fixtures::rsa_pkcs8(2_048)).unwrap()
    }

    /// A key of each algorithm for which this build can generate keys, and always an RSA key.
    fn keys() -> impl Iterator<Item = PrivateKey> {
        let generated = KeyAlgorithm::ALL
            .iter()
            .filter_map(|&algorithm| PrivateKey::generate(algorithm).ok());
        generated.chain([rsa_key()])
    }

    /// All signature algorithms that can be parsed.
    const SIGNATURES: [SignatureAlgorithm; 9] = [
        SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha256),
        SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha384),
        SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha512),
        SignatureAlgorithm::Ed25519,
        SignatureAlgorithm::EcdsaSha256,
        SignatureAlgorithm::EcdsaSha384,
        SignatureAlgorithm::MlDsa44,
        SignatureAlgorithm::MlDsa65,
        SignatureAlgorithm::MlDsa87,
    ];

    #[test]
    fn a_key_verifies_what_it_made_and_nothing_said_to_be_made_otherwise() {
        for private_key in keys() {
            let key = private_key.public_key().borrow();
            let algorithm = key.algorithm;
            let signature = private_key
                .sign(b"message", algorithm.signature_scheme())
                .unwrap();
            let written = SignatureAlgorithm::written_by(algorithm);
            assert_eq!(key.verify(written, b"message", &signature), Ok(()));
            for other in SIGNATURES {
                let makes = match other {
                    SignatureAlgorithm::RsassaPss(_) => algorithm.is_rsa(),
                    other => other == written,
                };
                assert_eq!(key.makes(other), makes, "{algorithm} {other:?}");
                let verified = key.verify(other, b"message", &signature);
                assert_eq!(verified.is_ok(), other == written, "{algorithm} {other:?}");
            }
            assert!(key.verify(written, b"massage", &signature).is_err());
            for position in [0, signature.len() / 2, signature.len() - 1] {
                let mut changed = signature.clone();
                *changed.get_mut(position).unwrap() ^= 1;
                assert!(key.verify(written, b"message", &changed).is_err());
            }
            let longer = [&signature[..], &[0]].concat();
            assert!(key.verify(written, b"message", &longer).is_err());
            let shorter = signature.get(1..).unwrap();
            assert!(key.verify(written, b"message", shorter).is_err());
            assert!(key.verify(written, b"message", &[]).is_err());
        }
    }

    /// RFC 4055 §3.3: the parameters of a key restrict its signatures.
    #[test]
    fn a_key_restricted_to_one_hash_makes_no_signatures_with_another() {
        let private_key = rsa_key();
        let signature = private_key
            .sign(b"message", KeyAlgorithm::Rsa2048.signature_scheme())
            .unwrap();
        let signed = SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha256);
        for (rsa_use, allowed, pss_only) in [
            (RsaUse::Any, true, false),
            (RsaUse::Pss, true, true),
            (RsaUse::PssWith(HashAlgorithm::Sha256), true, true),
            (RsaUse::PssWith(HashAlgorithm::Sha384), false, true),
        ] {
            let key = PublicKeyRef {
                rsa_use,
                ..private_key.public_key().borrow()
            };
            assert_eq!(key.makes(signed), allowed);
            assert_eq!(key.verify(signed, b"message", &signature).is_ok(), allowed);
            assert_eq!(key.is_pss_only(), pss_only);
            assert_eq!(key.check_for_vera_id().is_ok(), !pss_only);
        }
    }

    #[test]
    fn vera_id_has_rsa_keys_of_three_sizes_only() {
        let private_key = rsa_key();
        let others = KeyAlgorithm::rsa(2560).into_iter();
        for algorithm in KeyAlgorithm::ALL.iter().copied().chain(others) {
            let key = PublicKeyRef {
                algorithm,
                ..private_key.public_key().borrow()
            };
            let number = algorithm.record_number();
            assert_eq!(
                key.check_for_vera_id().is_ok(),
                matches!(number, Some(1..=3)),
                "{algorithm}"
            );
        }
    }
}
