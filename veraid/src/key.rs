//! Keys: RSA of 2048, 3072 and 4096 bits, which sign with RSASSA-PSS (RFC 8017 §8.1).
//!
//! Public keys are `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7, RFC 3279 §2.3.1), private keys PKCS #8 (RFC 5958), both in
//! PEM as in RFC 7468. What else people hand over is told apart by name, with what to do about it.

use std::fmt;
use std::str::FromStr;

use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{Unreadable, Value, tag};
use crate::crypto::{self, HashAlgorithm, KeyPair, Refused};
use crate::oid;
use crate::pem::{self, Block};
use crate::record::{DigestType, KeyId};

/// Label of a PEM public key (RFC 7468 §13).
const PUBLIC_KEY_LABEL: &str = "PUBLIC KEY";
/// Label of a PEM private key (RFC 7468 §10).
const PRIVATE_KEY_LABEL: &str = "PRIVATE KEY";
/// Longest public exponent that AWS-LC computes with, in bits.
const MAX_EXPONENT_BITS: usize = 33;

/// What a key is: its mathematics and size, which decide how it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
}

impl KeyAlgorithm {
    /// All there are.
    pub const ALL: &'static [Self] = &[Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// The algorithm of an RSA key whose modulus has that many bits.
    fn from_modulus_bits(bits: usize) -> Option<Self> {
        match bits {
            2048 => Some(Self::Rsa2048),
            3072 => Some(Self::Rsa3072),
            4096 => Some(Self::Rsa4096),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
        }
    }
}

/// `rsa-2048`, `rsa-3072`, `rsa-4096`.
impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no [`KeyAlgorithm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key algorithm; there are rsa-2048, rsa-3072 and rsa-4096")]
pub struct KeyAlgorithmError;

impl FromStr for KeyAlgorithm {
    type Err = KeyAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.iter().find(|algorithm| algorithm.name() == text);
        named.copied().ok_or(KeyAlgorithmError)
    }
}

/// Why octets or a file are no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM block, or one that is cut off or garbled.
    #[error(
        "not a PEM file: no whole block from `-----BEGIN …` to `-----END …` with Base64 between"
    )]
    NotPem,
    /// A PEM block of some other kind.
    #[error("the PEM file holds a {found}, not a {expected}")]
    OtherPem {
        /// What it is.
        found: &'static str,
        /// What was wanted.
        expected: &'static str,
    },
    /// A private key under a password.
    #[error(
        "the private key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Encrypted,
    /// An RSA private key in the form from before PKCS #8.
    #[error(
        "the private key is in PKCS #1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE`"
    )]
    Pkcs1,
    /// A public key where a private key is needed.
    #[error("this is a public key; the private key that belongs to it is needed")]
    PublicGiven,
    /// A private key where a public key is needed.
    #[error(
        "this is a private key; give its public key, as made by `openssl pkey -in FILE -pubout`, and keep the private one to yourself"
    )]
    PrivateGiven,
    /// An RSA public key without its `SubjectPublicKeyInfo`.
    #[error(
        "the public key is in PKCS #1 form; convert it with `openssl rsa -RSAPublicKey_in -in FILE -pubout`"
    )]
    Pkcs1Public,
    /// A key for some other algorithm.
    #[error("{algorithm} keys cannot be used; RSA keys of 2048, 3072 or 4096 bits can")]
    UnsupportedAlgorithm {
        /// Such as `elliptic-curve (ECDSA)`, or an object identifier.
        algorithm: String,
    },
    /// An RSA key with another modulus.
    #[error("RSA keys of {bits} bits cannot be used; those of 2048, 3072 or 4096 bits can")]
    UnsupportedRsaSize {
        /// The modulus's length in bits.
        bits: usize,
    },
    /// A structure that cannot be read, or numbers that make no key.
    #[error("the key is malformed: expected {expected}")]
    Malformed {
        /// What should have been there.
        expected: &'static str,
    },
    /// The cryptographic library failed to make or write a key.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<Unreadable> for KeyError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Malformed {
            expected: unreadable.expected,
        }
    }
}

impl From<Refused> for KeyError {
    fn from(_: Refused) -> Self {
        Self::Library
    }
}

impl KeyError {
    fn unsupported(algorithm: &str) -> Self {
        Self::UnsupportedAlgorithm {
            algorithm: algorithm.to_owned(),
        }
    }

    /// Says what a key with an algorithm other than `rsaEncryption` is.
    fn other_algorithm(identifier: &[u8]) -> Self {
        let known = ObjectIdentifier::from_bytes(identifier).map(|identifier| match identifier {
            oid::RSASSA_PSS => "RSA keys restricted to RSASSA-PSS (id-RSASSA-PSS)".to_owned(),
            oid::EC_PUBLIC_KEY => "elliptic-curve (ECDSA)".to_owned(),
            oid::ED25519 => "Ed25519".to_owned(),
            oid::ED448 => "Ed448".to_owned(),
            other => other.to_string(),
        });
        Self::UnsupportedAlgorithm {
            algorithm: known.unwrap_or_else(|_| "unknown".to_owned()),
        }
    }
}

/// A public key that borrows its octets.
#[derive(Clone, Copy)]
pub(crate) struct PublicKeyRef<'a> {
    pub(crate) algorithm: KeyAlgorithm,
    /// The `SubjectPublicKeyInfo`, as received.
    pub(crate) spki: &'a [u8],
    /// The `RSAPublicKey` in it.
    rsa_public_key: &'a [u8],
}

impl<'a> PublicKeyRef<'a> {
    /// Reads a `SubjectPublicKeyInfo` of `rsaEncryption`, with the NULL that RFC 3279 §2.3.1 demands.
    pub(crate) fn parse(spki: Value<'a>) -> Result<Self, KeyError> {
        let mut fields = spki.reader();
        let mut algorithm = fields
            .read(tag::SEQUENCE, "an AlgorithmIdentifier")?
            .reader();
        let identifier = algorithm.read(tag::OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER")?;
        if identifier.content() != oid::RSA_ENCRYPTION.as_bytes() {
            return Err(KeyError::other_algorithm(identifier.content()));
        }
        let parameters = algorithm.read(tag::NULL, "NULL parameters")?;
        if !parameters.content().is_empty() {
            return Err(parameters.fail("an empty NULL").into());
        }
        algorithm.finish()?;
        let key = fields.read(tag::BIT_STRING, "a BIT STRING")?;
        fields.finish()?;
        let rsa_public_key = key.whole_octets()?;
        Ok(Self {
            algorithm: check_rsa_public_key(rsa_public_key)?,
            spki: spki.encoding(),
            rsa_public_key,
        })
    }

    pub(crate) fn digest(&self, hash: HashAlgorithm) -> crypto::Digest {
        hash.digest(self.spki)
    }

    /// The identifier that authority and subject key identifiers carry: SHA-256 of the `SubjectPublicKeyInfo`.
    pub(crate) fn key_identifier(&self) -> crypto::Digest {
        self.digest(HashAlgorithm::Sha256)
    }

    pub(crate) fn key_id(&self, digest_type: DigestType) -> KeyId {
        KeyId::of(self.spki, digest_type)
    }

    /// Whether the key could have signed so: the cheap half of [`PublicKeyRef::verify`].
    pub(crate) fn makes(&self, algorithm: SignatureAlgorithm) -> bool {
        match (self.algorithm, algorithm) {
            (
                KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096,
                SignatureAlgorithm::RsassaPss(_),
            ) => true,
        }
    }

    pub(crate) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refused> {
        match algorithm {
            SignatureAlgorithm::RsassaPss(hash) => {
                crypto::verify_rsa_pss(hash, self.rsa_public_key, message, signature)
            }
        }
    }
}

/// Reads `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 §A.1.1) for its size.
fn check_rsa_public_key(octets: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let mut fields = Value::whole(octets, tag::SEQUENCE, "an RSAPublicKey")?.reader();
    let modulus = positive_integer(fields.read(tag::INTEGER, "a modulus")?)?;
    let exponent = positive_integer(fields.read(tag::INTEGER, "a public exponent")?)?;
    fields.finish()?;
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if !odd(modulus) || !odd(exponent) || !(2..=MAX_EXPONENT_BITS).contains(&bits(exponent)) {
        return Err(KeyError::Malformed {
            expected: "an odd modulus, and an odd public exponent of 2 to 33 bits",
        });
    }
    let size = bits(modulus);
    KeyAlgorithm::from_modulus_bits(size).ok_or(KeyError::UnsupportedRsaSize { bits: size })
}

/// An INTEGER above zero in its fewest octets, without the octet that only carries the sign.
fn positive_integer(integer: Value<'_>) -> Result<&[u8], Unreadable> {
    match integer.content() {
        [0, magnitude @ ..] if magnitude.first().is_some_and(|first| *first >= 0x80) => {
            Ok(magnitude)
        }
        magnitude @ [0x01..=0x7f, ..] => Ok(magnitude),
        _ => Err(integer.fail("a positive INTEGER in the fewest octets")),
    }
}

/// The length of a number in bits.
fn bits(magnitude: &[u8]) -> usize {
    let unused = magnitude.first().map_or(0, |first| first.leading_zeros());
    let unused = usize::try_from(unused).unwrap_or(0);
    magnitude.len().saturating_mul(8).saturating_sub(unused)
}

/// A public key that can be used: RSA of a size in [`KeyAlgorithm`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    spki: Box<[u8]>,
    /// How many of the last octets of `spki` are the `RSAPublicKey`.
    rsa_public_key_octets: usize,
}

impl PublicKey {
    /// Reads a DER `SubjectPublicKeyInfo`.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = Value::whole(der, tag::SEQUENCE, "a SubjectPublicKeyInfo")?;
        PublicKeyRef::parse(spki).map(Self::from)
    }

    /// Reads a PEM file with a `PUBLIC KEY`.
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

    /// The DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn to_spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// A PEM file with a `PUBLIC KEY`.
    #[must_use]
    pub fn to_spki_pem(&self) -> String {
        pem::encode(PUBLIC_KEY_LABEL, &self.spki).unwrap_or_default()
    }

    /// What kind of key it is.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// What identifies it in a TXT record.
    #[must_use]
    pub fn key_id(&self, digest_type: DigestType) -> KeyId {
        self.borrow().key_id(digest_type)
    }

    pub(crate) fn borrow(&self) -> PublicKeyRef<'_> {
        let start = self.spki.len().saturating_sub(self.rsa_public_key_octets);
        PublicKeyRef {
            algorithm: self.algorithm,
            spki: &self.spki,
            rsa_public_key: self.spki.get(start..).unwrap_or_default(),
        }
    }
}

impl From<PublicKeyRef<'_>> for PublicKey {
    fn from(key: PublicKeyRef<'_>) -> Self {
        Self {
            algorithm: key.algorithm,
            spki: key.spki.into(),
            rsa_public_key_octets: key.rsa_public_key.len(),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.key_id(DigestType::Sha256);
        write!(f, "PublicKey({}, SHA-256 {id})", self.algorithm)
    }
}

/// What a PEM block of no use here is, to people.
fn pem_kind(label: &str) -> &'static str {
    match label {
        PUBLIC_KEY_LABEL | "RSA PUBLIC KEY" => "public key",
        label if label.ends_with("PRIVATE KEY") => "private key",
        "CERTIFICATE" => "certificate",
        "CERTIFICATE REQUEST" => "certificate request",
        "EC PARAMETERS" => "set of elliptic-curve parameters",
        _ => "block of another kind",
    }
}

/// The private key would not sign.
#[derive(Debug, thiserror::Error)]
#[error("the private key would not sign: {0}")]
pub struct SigningError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SigningError {
    /// For what a key store said.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// A private key, wherever it is held: in memory, in an HSM, in a key management service.
///
/// What it signs is checked against its public key before it is used, so a store that is set up for another signature
/// scheme is found out at once.
pub trait SigningKey {
    /// The public key that belongs to it.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` with RSASSA-PSS: SHA-256, MGF1 with SHA-256, a salt of 32 octets (RFC 8017 §8.1.1).
    ///
    /// `message` is what is to be hashed, not its digest. The signature is as long as the modulus.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

/// A private key in memory, wiped when it goes.
///
/// ```
/// use veraid::{KeyAlgorithm, PrivateKey, SigningKey};
///
/// let key = PrivateKey::generate(KeyAlgorithm::Rsa2048)?;
/// let file = key.to_pkcs8_pem()?;
/// let again = PrivateKey::from_pkcs8_pem(&file)?;
/// assert_eq!(again.public_key(), key.public_key());
/// # Ok::<(), veraid::KeyError>(())
/// ```
pub struct PrivateKey {
    key_pair: KeyPair,
    public_key: PublicKey,
}

impl PrivateKey {
    /// Makes a new key from the operating system's randomness.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        Self::from_key_pair(KeyPair::generate(algorithm)?)
    }

    /// Reads a PEM file with an unencrypted PKCS #8 `PRIVATE KEY`.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let block = Block::find(pem).ok_or(KeyError::NotPem)?;
        if block.has_encryption_header() {
            return Err(KeyError::Encrypted);
        }
        match block.label {
            PRIVATE_KEY_LABEL => Self::from_pkcs8_der(&block.decode().ok_or(KeyError::NotPem)?),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            "RSA PRIVATE KEY" => Err(KeyError::Pkcs1),
            "EC PRIVATE KEY" | "EC PARAMETERS" => {
                Err(KeyError::unsupported("elliptic-curve (ECDSA)"))
            }
            "OPENSSH PRIVATE KEY" => Err(KeyError::unsupported("OpenSSH")),
            PUBLIC_KEY_LABEL | "RSA PUBLIC KEY" => Err(KeyError::PublicGiven),
            label => Err(KeyError::OtherPem {
                found: pem_kind(label),
                expected: "private key",
            }),
        }
    }

    /// Reads an unencrypted PKCS #8 `PrivateKeyInfo` (RFC 5958 §2).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        check_private_key_info(der)?;
        let key_pair = KeyPair::from_pkcs8(der).map_err(|_| KeyError::Malformed {
            expected: "an RSA private key whose numbers belong together",
        })?;
        Self::from_key_pair(key_pair)
    }

    /// A PEM file with a PKCS #8 `PRIVATE KEY`, not encrypted; wiped when dropped.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der = self.key_pair.to_pkcs8()?;
        let pem = pem::encode(PRIVATE_KEY_LABEL, &der).ok_or(KeyError::Library)?;
        Ok(Zeroizing::new(pem))
    }

    fn from_key_pair(key_pair: KeyPair) -> Result<Self, KeyError> {
        let public_key = PublicKey::from_spki_der(&key_pair.public_key()?)?;
        Ok(Self {
            key_pair,
            public_key,
        })
    }
}

impl SigningKey for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.key_pair
            .sign(message)
            .map_err(|_| SigningError::new("the cryptographic library failed"))
    }
}

/// The public half only.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// Says what is wrong with a PKCS #8 file before the library, which would not say, gets it.
fn check_private_key_info(der: &[u8]) -> Result<(), KeyError> {
    let mut fields = Value::whole(der, tag::SEQUENCE, "a PrivateKeyInfo")?.reader();
    if fields.peek() == Some(tag::SEQUENCE) {
        // EncryptedPrivateKeyInfo and SubjectPublicKeyInfo both begin with an AlgorithmIdentifier.
        fields.any("an AlgorithmIdentifier")?;
        return Err(match fields.peek() {
            Some(tag::OCTET_STRING) => KeyError::Encrypted,
            _ => KeyError::PublicGiven,
        });
    }
    fields.read(tag::INTEGER, "a version")?;
    if fields.peek() == Some(tag::INTEGER) {
        return Err(KeyError::Pkcs1);
    }
    let mut algorithm = fields
        .read(tag::SEQUENCE, "an AlgorithmIdentifier")?
        .reader();
    let identifier = algorithm.read(tag::OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER")?;
    if identifier.content() != oid::RSA_ENCRYPTION.as_bytes() {
        return Err(KeyError::other_algorithm(identifier.content()));
    }
    let key = fields.read(tag::OCTET_STRING, "an OCTET STRING")?;
    let mut key = Value::whole(key.content(), tag::SEQUENCE, "an RSAPrivateKey")?.reader();
    key.read(tag::INTEGER, "a version")?;
    let size = bits(positive_integer(key.read(tag::INTEGER, "a modulus")?)?);
    match KeyAlgorithm::from_modulus_bits(size) {
        Some(_) => Ok(()),
        None => Err(KeyError::UnsupportedRsaSize { bits: size }),
    }
}
