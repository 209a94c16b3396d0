//! Private keys: PKCS #8 (RFC 5958), and the trait for keys that are held anywhere.

use std::fmt;
use std::sync::Arc;

use der::asn1::OctetStringRef;
#[cfg(feature = "oqs")]
use der::asn1::{BitStringRef, ContextSpecific};
use der::{Encode as _, Sequence};
#[cfg(feature = "oqs")]
use der::{TagMode, TagNumber};
use zeroize::Zeroizing;

use super::public::{Kind, positive_integer, rsa_of_size};
use super::{
    KeyAlgorithm, KeyError, PRIVATE_KEY_LABEL, PUBLIC_KEY_LABEL, PublicKey, SEC1_LABEL,
    SignatureScheme, pem_kind,
};
use crate::algorithm::{AlgorithmIdentifierRef, key_identifier};
use crate::asn1::{Reader, Value, tag};
use crate::crypto::{self, Failure, KeyMaterial, KeyPair, NewKey, SEED_OCTETS};
use crate::oid;
use crate::pem::{self, Block};

/// The length octet of an Ed25519 or ML-DSA seed.
const SEED_LENGTH: u8 = 0x20;
/// The octets of such a seed with its tag and length.
const TAGGED_SEED_OCTETS: usize = SEED_OCTETS + 2;

/// The refusal of a private key, or of its holder, to sign.
///
/// The `?` operator converts the errors of a key store into it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the private key could not sign")]
pub struct SigningError(#[source] Arc<dyn std::error::Error + Send + Sync>);

impl SigningError {
    /// Creates the refusal from the error of a key store.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }
}

impl From<std::io::Error> for SigningError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for SigningError {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::new(error)
    }
}

/// A private key that is held anywhere: in memory, in an HSM or by an agent.
///
/// Each signature is verified with the public key before it is used, so that a store which signs in
/// another scheme is detected at once. Where signing can't block, such as with a key management
/// service or in a browser, sign in two steps: prepare the octets to be signed
/// ([`SignerIdentity::prepare`](crate::SignerIdentity::prepare),
/// [`MemberCertificate::prepare`](crate::MemberCertificate::prepare)), and finish when the
/// signature is available.
pub trait SigningKey {
    /// The public key that belongs to this key.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` in the given scheme. `message` is the message itself and not its digest.
    ///
    /// Certificates and signatures of this crate use the [`KeyAlgorithm::signature_scheme`] of the
    /// public key.
    ///
    /// # Errors
    /// [`SigningError`], also if the key or its holder does not support the scheme.
    fn sign(&self, message: &[u8], scheme: SignatureScheme) -> Result<Vec<u8>, SigningError>;
}

/// Implements `SigningKey` for references and pointers to keys.
macro_rules! signing_key_behind {
    ($($pointer:ty),*) => {$(
        impl<K: SigningKey + ?Sized> SigningKey for $pointer {
            fn public_key(&self) -> &PublicKey {
                (**self).public_key()
            }

            fn sign(&self, message: &[u8], scheme: SignatureScheme) -> Result<Vec<u8>, SigningError> {
                (**self).sign(message, scheme)
            }
        }
    )*};
}

signing_key_behind!(&K, Box<K>, Arc<K>);

/// A private key in memory. It is wiped when it is dropped.
///
// Not every back end generates RSA keys.
#[cfg_attr(feature = "aws-lc-rs", doc = "```")]
#[cfg_attr(not(feature = "aws-lc-rs"), doc = "```no_run")]
/// use veraid::{KeyAlgorithm, PrivateKey, SigningKey};
///
/// let key = PrivateKey::generate(KeyAlgorithm::Rsa2048)?;
/// let file = key.to_pkcs8_pem()?;
/// let again = PrivateKey::from_pkcs8_pem(&file)?;
/// assert_eq!(again.public_key(), key.public_key());
/// # Ok::<(), veraid::KeyError>(())
/// ```
pub struct PrivateKey {
    key_pair: Box<dyn KeyPair>,
    pkcs8: Zeroizing<Vec<u8>>,
    public_key: PublicKey,
}

impl PrivateKey {
    /// Generates a key with the operating system's randomness.
    ///
    /// # Errors
    /// [`KeyError::NotMade`] for RSA of sizes that have no number in TXT records,
    /// [`KeyError::NotBuilt`] if no cryptographic back end in this build can generate such keys.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        if let KeyAlgorithm::OtherRsa(_) = algorithm {
            return Err(KeyError::NotMade { algorithm });
        }
        let key = crypto::generate(algorithm).map_err(|failure| match failure {
            Failure::Refused => KeyError::Library,
            Failure::Lacking => KeyError::NotBuilt {
                algorithm,
                task: "generate such keys",
                features: crypto::features_for(algorithm),
            },
        })?;
        Self::from_pkcs8_der(&write_new_key(algorithm, key)?)
    }

    /// Parses a PEM file with an unencrypted PKCS #8 `PRIVATE KEY`.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let block = Block::find(pem).ok_or(KeyError::NotPem)?;
        if block.has_encryption_header() {
            return Err(KeyError::Encrypted);
        }
        match block.label {
            PRIVATE_KEY_LABEL => Self::from_pkcs8_der(&block.decode().ok_or(KeyError::NotPem)?),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            "RSA PRIVATE KEY" => Err(KeyError::Pkcs1),
            SEC1_LABEL => Err(KeyError::Sec1),
            // OpenSSL writes these before the key.
            "EC PARAMETERS" if pem.contains(SEC1_LABEL) => Err(KeyError::Sec1),
            "OPENSSH PRIVATE KEY" => Err(KeyError::OpenSsh),
            PUBLIC_KEY_LABEL | "RSA PUBLIC KEY" => Err(KeyError::PublicGiven),
            label => Err(KeyError::OtherPem {
                found: pem_kind(label),
                expected: "private key",
            }),
        }
    }

    /// Parses an unencrypted PKCS #8 `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5958 §2).
    ///
    /// An ML-DSA key may be a seed, the key expanded from it, or both (RFC 9881 §6).
    ///
    /// # Errors
    /// [`KeyError::NotBuilt`], among others, if no cryptographic back end in this build can use the
    /// key or read its form.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfo::read(der)?;
        let inconsistent = KeyError::Malformed {
            expected: match info.material {
                KeyMaterial::Rsa(_) => "a consistent RSA private key",
                KeyMaterial::Ed25519(_) => "a consistent Ed25519 key pair",
                KeyMaterial::Ecdsa { .. } => {
                    "a private key valid for its curve, with the matching public key"
                }
                KeyMaterial::MlDsa { .. } => {
                    "an ML-DSA private key with a consistent seed, expanded key and public key"
                }
            },
        };
        let key_pair = match crypto::load(info.algorithm, info.material) {
            Ok(key_pair) => key_pair,
            Err(Failure::Refused) => return Err(inconsistent),
            Err(Failure::Lacking) => {
                let (task, features) = info.material.lack();
                return Err(KeyError::NotBuilt {
                    algorithm: info.algorithm,
                    task,
                    features,
                });
            }
        };
        if info
            .public_key
            .is_some_and(|key| key != key_pair.public_key())
        {
            return Err(inconsistent);
        }
        Ok(Self {
            public_key: PublicKey::from_bare(info.algorithm, key_pair.public_key())?,
            pkcs8: Zeroizing::new(der.to_vec()),
            key_pair,
        })
    }

    /// The DER of an unencrypted PKCS #8 file.
    ///
    /// It has the same contents as the file that the key was parsed from. A new ML-DSA key is
    /// written as its seed.
    #[must_use]
    pub fn as_pkcs8_der(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Encodes the key as a PEM file with an unencrypted PKCS #8 `PRIVATE KEY`, which is wiped when
    /// dropped.
    ///
    /// It has the same contents as the file that the key was parsed from. A new ML-DSA key is
    /// written as its seed.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let pem = pem::encode(PRIVATE_KEY_LABEL, &self.pkcs8).ok_or(KeyError::Library)?;
        Ok(Zeroizing::new(pem))
    }
}

impl SigningKey for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: &[u8], scheme: SignatureScheme) -> Result<Vec<u8>, SigningError> {
        let algorithm = scheme.algorithm();
        if !self.public_key.borrow().makes(algorithm) {
            let key = self.public_key.algorithm();
            return Err(SigningError::new(format!(
                "{key} keys cannot sign {scheme}"
            )));
        }
        let signature = self
            .key_pair
            .sign(message, algorithm)
            .map_err(|_| SigningError::new("the cryptographic back end failed"))?;
        scheme.form(signature)
    }
}

/// Shows the public key only.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// The contents of a PKCS #8 file. It is parsed here first, because the back end would not say what
/// is wrong with it.
pub(crate) struct PrivateKeyInfo<'a> {
    algorithm: KeyAlgorithm,
    pub(crate) material: KeyMaterial<'a>,
    /// The bare public key, if the file contains it too.
    public_key: Option<&'a [u8]>,
}

impl<'a> PrivateKeyInfo<'a> {
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, KeyError> {
        let mut fields = Value::whole(der, tag::SEQUENCE, "a PrivateKeyInfo")?.reader();
        if fields.peek() == Some(tag::SEQUENCE) {
            // EncryptedPrivateKeyInfo and SubjectPublicKeyInfo both begin with an
            // AlgorithmIdentifier.
            fields.any("an AlgorithmIdentifier")?;
            return Err(match fields.peek() {
                Some(tag::OCTET_STRING) => KeyError::Encrypted,
                _ => KeyError::PublicGiven,
            });
        }
        let version = fields.read(tag::INTEGER, "a version")?;
        match fields.peek() {
            Some(tag::INTEGER) => return Err(KeyError::Pkcs1),
            Some(tag::OCTET_STRING) => return Err(KeyError::Sec1),
            _ => {}
        }
        if !matches!(version.small_integer(), Some(0 | 1)) {
            return Err(version.fail("version 0 or 1").into());
        }
        let kind = Kind::read(fields.read(tag::SEQUENCE, "an AlgorithmIdentifier")?)?;
        let key = fields.read(tag::OCTET_STRING, "an OCTET STRING")?.content();
        // Attributes do not matter here.
        if let Some(attributes) = fields.optional(tag::context_constructed(0))? {
            attributes.reader().skip_values("an attribute")?;
        }
        let public_key = fields
            .optional(tag::context(1))?
            .map(|key| key.whole_octets())
            .transpose()?;
        fields.finish()?;
        let (algorithm, material) = match kind {
            Kind::Rsa => read_rsa(key)?,
            Kind::RsaPss(_) => return Err(KeyError::other_algorithm(oid::RSASSA_PSS.as_bytes())),
            Kind::Other(KeyAlgorithm::Ed25519) => (KeyAlgorithm::Ed25519, read_ed25519(key)?),
            Kind::Other(algorithm @ KeyAlgorithm::EcdsaP256) => (
                algorithm,
                read_ec(key, public_key, oid::SECP256R1.as_bytes(), 32)?,
            ),
            Kind::Other(algorithm @ KeyAlgorithm::EcdsaP384) => (
                algorithm,
                read_ec(key, public_key, oid::SECP384R1.as_bytes(), 48)?,
            ),
            Kind::Other(algorithm) => (algorithm, read_ml_dsa(algorithm, key, public_key)?),
        };
        Ok(Self {
            algorithm,
            material,
            public_key,
        })
    }
}

/// Parses `RSAPrivateKey` (RFC 8017 §A.1.2) to find its size.
fn read_rsa(octets: &[u8]) -> Result<(KeyAlgorithm, KeyMaterial<'_>), KeyError> {
    let mut key = Value::whole(octets, tag::SEQUENCE, "an RSAPrivateKey")?.reader();
    key.read(tag::INTEGER, "a version")?;
    let modulus = positive_integer(key.read(tag::INTEGER, "a modulus")?)?;
    Ok((rsa_of_size(modulus)?, KeyMaterial::Rsa(octets)))
}

/// Parses `CurvePrivateKey` (RFC 8410 §7).
fn read_ed25519(octets: &[u8]) -> Result<KeyMaterial<'_>, KeyError> {
    const EXPECTED: &str = "an Ed25519 private key of 32 bytes";
    let key = Value::whole(octets, tag::OCTET_STRING, EXPECTED)?;
    Ok(KeyMaterial::Ed25519(key_of(key, SEED_OCTETS, EXPECTED)?))
}

/// Parses `ECPrivateKey` (RFC 5915 §3). It may repeat the curve, and the public key may be in it or
/// beside it.
fn read_ec<'a>(
    octets: &'a [u8],
    public: Option<&'a [u8]>,
    curve: &[u8],
    scalar_octets: usize,
) -> Result<KeyMaterial<'a>, KeyError> {
    const EXPECTED: &str = "an elliptic-curve private key with the length of its curve's order";
    let mut fields = Value::whole(octets, tag::SEQUENCE, "an ECPrivateKey")?.reader();
    let version = fields.read(tag::INTEGER, "a version")?;
    if version.small_integer() != Some(1) {
        return Err(version.fail("version 1").into());
    }
    let scalar = key_of(
        fields.read(tag::OCTET_STRING, EXPECTED)?,
        scalar_octets,
        EXPECTED,
    )?;
    if let Some(parameters) = fields.optional(tag::context_constructed(0))? {
        let mut reader = parameters.reader();
        let name = reader.read(tag::OBJECT_IDENTIFIER, "the name of a curve")?;
        reader.finish()?;
        if name.content() != curve {
            return Err(name
                .fail("the same curve as in the AlgorithmIdentifier")
                .into());
        }
    }
    let point = match fields.optional(tag::context_constructed(1))? {
        Some(public_key) => {
            let mut reader = public_key.reader();
            let bits = reader.read(tag::BIT_STRING, "a BIT STRING")?;
            reader.finish()?;
            Some(bits.whole_octets()?)
        }
        None => None,
    };
    fields.finish()?;
    Ok(KeyMaterial::Ecdsa {
        scalar,
        point: point.or(public),
    })
}

/// Parses `ML-DSA-44-PrivateKey` and the like (RFC 9881 §6): a seed, the key expanded from it, or
/// both.
fn read_ml_dsa<'a>(
    algorithm: KeyAlgorithm,
    octets: &'a [u8],
    public: Option<&'a [u8]>,
) -> Result<KeyMaterial<'a>, KeyError> {
    const EXPECTED: &str = "an ML-DSA seed of 32 bytes, an expanded private key, or both";
    let expanded_octets = match algorithm {
        KeyAlgorithm::MlDsa44 => 2560,
        KeyAlgorithm::MlDsa65 => 4032,
        _ => 4896,
    };
    let mut fields = Reader::new(octets);
    let choice = fields.any(EXPECTED)?;
    if !fields.is_empty() {
        return Err(choice.fail(EXPECTED).into());
    }
    let (seed, expanded) = match choice.tag() {
        SEED_TAG => (Some(choice), None),
        tag::OCTET_STRING => (None, Some(choice)),
        tag::SEQUENCE => {
            let mut both = choice.reader();
            let seed = both.read(tag::OCTET_STRING, EXPECTED)?;
            let expanded = both.read(tag::OCTET_STRING, EXPECTED)?;
            both.finish()?;
            (Some(seed), Some(expanded))
        }
        _ => return Err(choice.fail(EXPECTED).into()),
    };
    Ok(KeyMaterial::MlDsa {
        seed: seed
            .map(|seed| key_of(seed, SEED_OCTETS, EXPECTED))
            .transpose()?,
        expanded: expanded
            .map(|expanded| key_of(expanded, expanded_octets, EXPECTED))
            .transpose()?,
        public,
    })
}

/// Returns the content of a value, which must have the given number of octets.
fn key_of<'a>(
    value: Value<'a>,
    octets: usize,
    expected: &'static str,
) -> Result<&'a [u8], KeyError> {
    if value.content().len() == octets {
        Ok(value.content())
    } else {
        Err(value.fail(expected).into())
    }
}

/// The tag of a seed within an ML-DSA private key.
const SEED_TAG: u8 = tag::context(0);

/// Encodes the PKCS #8 file of a new key.
pub(crate) fn write_new_key(
    algorithm: KeyAlgorithm,
    key: NewKey,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match key {
        NewKey::Pkcs8(file) => Ok(file),
        NewKey::Seed(seed) => write_seed(algorithm, &seed).map_err(KeyError::unwritable),
        #[cfg(feature = "oqs")]
        NewKey::Expanded { private, public } => {
            write_expanded(algorithm, &private, &public).map_err(KeyError::unwritable)
        }
    }
}

#[derive(Sequence)]
struct PrivateKeyInfoRef<'a> {
    version: u8,
    algorithm: AlgorithmIdentifierRef<'a>,
    private_key: &'a OctetStringRef,
}

/// Encodes a new Ed25519 key (RFC 8410 §7) or ML-DSA key, in the seed form that RFC 9881 §6
/// recommends.
fn write_seed(
    algorithm: KeyAlgorithm,
    seed: &[u8; SEED_OCTETS],
) -> der::Result<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new([0; TAGGED_SEED_OCTETS]);
    let tag = match algorithm {
        KeyAlgorithm::Ed25519 => tag::OCTET_STRING,
        _ => SEED_TAG,
    };
    let octets = [tag, SEED_LENGTH].into_iter().chain(seed.iter().copied());
    key.iter_mut().zip(octets).for_each(|(to, from)| *to = from);
    let info = PrivateKeyInfoRef {
        version: 0,
        algorithm: key_identifier(algorithm),
        private_key: OctetStringRef::new(key.as_slice())?,
    };
    Ok(Zeroizing::new(info.to_der()?))
}

/// A `OneAsymmetricKey` of version 2, which its version field calls 1 (RFC 5958 §2).
#[cfg(feature = "oqs")]
#[derive(Sequence)]
struct OneAsymmetricKeyRef<'a> {
    version: u8,
    algorithm: AlgorithmIdentifierRef<'a>,
    private_key: &'a OctetStringRef,
    public_key: ContextSpecific<BitStringRef<'a>>,
}

/// Encodes a new ML-DSA key without its seed. The file also contains the public key, because not
/// every implementation can compute it.
#[cfg(feature = "oqs")]
fn write_expanded(
    algorithm: KeyAlgorithm,
    private_key: &[u8],
    public_key: &[u8],
) -> der::Result<Zeroizing<Vec<u8>>> {
    let private_key = Zeroizing::new(OctetStringRef::new(private_key)?.to_der()?);
    let info = OneAsymmetricKeyRef {
        version: 1,
        algorithm: key_identifier(algorithm),
        private_key: OctetStringRef::new(&private_key)?,
        public_key: ContextSpecific {
            tag_number: TagNumber(1),
            tag_mode: TagMode::Implicit,
            value: BitStringRef::from_bytes(public_key)?,
        },
    };
    Ok(Zeroizing::new(info.to_der()?))
}
