//! Parsing and writing of `AlgorithmIdentifier`s.
//!
//! RSASSA-PSS is as in RFC 4055 §3.1: the same hash in the signature and in MGF1, one of SHA-256,
//! SHA-384 and SHA-512, and a salt as long as the hash. The parameters of a hash may be NULL or
//! absent (RFC 4055 §2.1, RFC 5754 §2). Ed25519, ECDSA and ML-DSA have the same identifiers in
//! certificates (RFC 8410, RFC 5758, RFC 9881) as in CMS (RFC 8419, RFC 5754, RFC 9882).

use der::asn1::{AnyRef, ContextSpecific, ObjectIdentifier};
use der::{Encode, Sequence, TagMode, TagNumber};
use x509_cert::spki::AlgorithmIdentifier;

use crate::asn1::{Reader, Unreadable, Value, tag};
use crate::crypto::HashAlgorithm;
use crate::key::KeyAlgorithm;
use crate::oid;

/// The algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    /// RSASSA-PSS with the given hash, also in MGF1, and a salt of the same length.
    RsassaPss(HashAlgorithm),
    /// Ed25519 of the message itself (RFC 8410, RFC 8419).
    Ed25519,
    /// ECDSA with SHA-256 on P-256 only.
    EcdsaSha256,
    /// ECDSA with SHA-384 on P-384 only.
    EcdsaSha384,
    /// ML-DSA-44 of the message itself, with an empty context (RFC 9881 §3, RFC 9882 §3.2).
    MlDsa44,
    /// ML-DSA-65, otherwise the same.
    MlDsa65,
    /// ML-DSA-87, otherwise the same.
    MlDsa87,
}

impl SignatureAlgorithm {
    /// The algorithm with which this crate signs with a key.
    pub(crate) const fn written_by(key: KeyAlgorithm) -> Self {
        key.signature_scheme().algorithm()
    }

    /// The only algorithm of keys that make such signatures; `None` for RSASSA-PSS, where the key's
    /// size is free.
    pub(crate) const fn key_algorithm(self) -> Option<KeyAlgorithm> {
        match self {
            Self::RsassaPss(_) => None,
            Self::Ed25519 => Some(KeyAlgorithm::Ed25519),
            Self::EcdsaSha256 => Some(KeyAlgorithm::EcdsaP256),
            Self::EcdsaSha384 => Some(KeyAlgorithm::EcdsaP384),
            Self::MlDsa44 => Some(KeyAlgorithm::MlDsa44),
            Self::MlDsa65 => Some(KeyAlgorithm::MlDsa65),
            Self::MlDsa87 => Some(KeyAlgorithm::MlDsa87),
        }
    }

    /// The hash function with which this crate digests the content for the signed attributes.
    pub(crate) const fn written_digest(self) -> HashAlgorithm {
        match self {
            Self::RsassaPss(hash) => hash,
            Self::EcdsaSha256 => HashAlgorithm::Sha256,
            Self::EcdsaSha384 => HashAlgorithm::Sha384,
            Self::Ed25519 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => HashAlgorithm::Sha512,
        }
    }

    /// Returns true if the content's digest in the signed attributes may be made with `digest`.
    ///
    /// For RSASSA-PSS and ECDSA that is the hash of the signature (RFC 8933 §3.1), for Ed25519
    /// SHA-512 (RFC 8419 §3.1), for ML-DSA a hash at least as strong as the key (RFC 9882 §3.3).
    pub(crate) fn goes_with_digest(self, digest: HashAlgorithm) -> bool {
        match self {
            Self::RsassaPss(_) | Self::EcdsaSha256 | Self::EcdsaSha384 | Self::Ed25519 => {
                digest == self.written_digest()
            }
            Self::MlDsa44 => digest >= HashAlgorithm::Sha256,
            Self::MlDsa65 => digest >= HashAlgorithm::Sha384,
            Self::MlDsa87 => digest >= HashAlgorithm::Sha512,
        }
    }

    /// Encodes its `AlgorithmIdentifier` as DER, if it is an algorithm that this crate writes.
    pub(crate) fn to_der(self) -> der::Result<Vec<u8>> {
        match self {
            Self::RsassaPss(HashAlgorithm::Sha256) => pss_with_sha_256(),
            Self::RsassaPss(_) => Err(der::ErrorKind::Failed.into()),
            Self::Ed25519 => bare(oid::ED25519).to_der(),
            Self::EcdsaSha256 => bare(oid::ECDSA_WITH_SHA_256).to_der(),
            Self::EcdsaSha384 => bare(oid::ECDSA_WITH_SHA_384).to_der(),
            Self::MlDsa44 => bare(oid::ML_DSA_44).to_der(),
            Self::MlDsa65 => bare(oid::ML_DSA_65).to_der(),
            Self::MlDsa87 => bare(oid::ML_DSA_87).to_der(),
        }
    }
}

/// The problem with an `AlgorithmIdentifier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlgorithmFault {
    Unreadable(Unreadable),
    /// It can be parsed, but the protocol does not allow it.
    NotAllowed(&'static str),
}

impl From<Unreadable> for AlgorithmFault {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

/// Parses the identifier of a hash function.
pub(crate) fn read_hash(identifier: Value<'_>) -> Result<HashAlgorithm, AlgorithmFault> {
    let mut fields = identifier.reader();
    let algorithm = fields.read(tag::OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER")?;
    let hash = [
        (oid::SHA_256, HashAlgorithm::Sha256),
        (oid::SHA_384, HashAlgorithm::Sha384),
        (oid::SHA_512, HashAlgorithm::Sha512),
    ]
    .into_iter()
    .find(|(oid, _)| oid.as_bytes() == algorithm.content())
    .map(|(_, hash)| hash)
    .ok_or(AlgorithmFault::NotAllowed(
        "the hash is not SHA-256, SHA-384 or SHA-512",
    ))?;
    if let Some(parameters) = fields.optional(tag::NULL)?
        && !parameters.content().is_empty()
    {
        return Err(parameters.fail("an empty NULL").into());
    }
    fields.finish()?;
    Ok(hash)
}

/// Parses the identifier of a signature algorithm.
pub(crate) fn read_signature_algorithm(
    identifier: Value<'_>,
) -> Result<SignatureAlgorithm, AlgorithmFault> {
    let mut fields = identifier.reader();
    let name = fields.read(tag::OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER")?;
    let algorithm = match ObjectIdentifier::from_bytes(name.content()) {
        Ok(oid::RSASSA_PSS) => {
            let parameters = fields.read(tag::SEQUENCE, "RSASSA-PSS parameters")?;
            fields.finish()?;
            let parameters = PssParameters::read(parameters.reader())?;
            if parameters.salt_octets != Some(parameters.hash.octets()) {
                return Err(OTHER_SALT);
            }
            SignatureAlgorithm::RsassaPss(parameters.hash)
        }
        Ok(oid::ED25519) => SignatureAlgorithm::Ed25519,
        Ok(oid::ECDSA_WITH_SHA_256) => SignatureAlgorithm::EcdsaSha256,
        Ok(oid::ECDSA_WITH_SHA_384) => SignatureAlgorithm::EcdsaSha384,
        Ok(oid::ML_DSA_44) => SignatureAlgorithm::MlDsa44,
        Ok(oid::ML_DSA_65) => SignatureAlgorithm::MlDsa65,
        Ok(oid::ML_DSA_87) => SignatureAlgorithm::MlDsa87,
        other => return Err(AlgorithmFault::NotAllowed(other.map_or(UNKNOWN, refusal))),
    };
    // All algorithms but RSASSA-PSS have absent parameters, not NULL (RFC 5758 §3.2, RFC 8410 §3,
    // RFC 9881 §2).
    if !fields.is_empty() {
        return Err(fields.fail("no parameters").into());
    }
    Ok(algorithm)
}

const UNKNOWN: &str = "it is not known here";

/// Describes a signature algorithm that is not supported.
fn refusal(identifier: ObjectIdentifier) -> &'static str {
    match identifier {
        oid::RSA_ENCRYPTION
        | oid::PKCS1_SHA_1
        | oid::PKCS1_SHA_224
        | oid::PKCS1_SHA_256
        | oid::PKCS1_SHA_384
        | oid::PKCS1_SHA_512 => "it is RSASSA-PKCS1-v1_5, not RSASSA-PSS",
        oid::ECDSA_WITH_SHA_1 => "it is ECDSA with SHA-1",
        oid::ECDSA_WITH_SHA_224 => "it is ECDSA with SHA-224",
        oid::ECDSA_WITH_SHA_512 => {
            "it is ECDSA with SHA-512, which goes with neither P-256 nor P-384"
        }
        oid::ED448 => "it is Ed448",
        oid::HASH_ML_DSA_44 | oid::HASH_ML_DSA_65 | oid::HASH_ML_DSA_87 => {
            "it is HashML-DSA, the pre-hash variant of ML-DSA"
        }
        _ => UNKNOWN,
    }
}

const OTHER_SALT: AlgorithmFault =
    AlgorithmFault::NotAllowed("its salt is not as long as its hash");

/// `RSASSA-PSS-params` (RFC 4055 §3.1), with the hash in MGF1 too.
#[derive(Clone, Copy, Debug)]
struct PssParameters {
    hash: HashAlgorithm,
    /// The length of the salt; `None` if it is longer than any hash.
    salt_octets: Option<u8>,
}

impl PssParameters {
    /// Parses the parameters. The hash must be present, because its default is SHA-1.
    fn read(mut fields: Reader<'_>) -> Result<Self, AlgorithmFault> {
        const SHA_1: AlgorithmFault = AlgorithmFault::NotAllowed("its hash is SHA-1");
        const DEFAULT_SALT_OCTETS: u8 = 20;

        let hash = explicit(&mut fields, 0, tag::SEQUENCE)?.ok_or(SHA_1)?;
        let hash = read_hash(hash)?;
        let mask = explicit(&mut fields, 1, tag::SEQUENCE)?.ok_or(SHA_1)?;
        if read_mgf1(mask)? != hash {
            return Err(AlgorithmFault::NotAllowed("its MGF1 has another hash"));
        }
        let salt_octets = explicit(&mut fields, 2, tag::INTEGER)?
            .map_or(Some(DEFAULT_SALT_OCTETS), |octets| octets.small_integer());
        if let Some(trailer) = explicit(&mut fields, 3, tag::INTEGER)?
            && trailer.small_integer() != Some(1)
        {
            return Err(AlgorithmFault::NotAllowed("its trailer field is not 1"));
        }
        fields.finish()?;
        Ok(Self { hash, salt_octets })
    }
}

/// Parses the parameters that restrict an RSA key to RSASSA-PSS with one hash and a minimum length
/// of the salt (RFC 4055 §3.3). No allowed signature has a salt longer than its hash.
pub(crate) fn read_key_restriction(parameters: Value<'_>) -> Result<HashAlgorithm, AlgorithmFault> {
    let parameters = PssParameters::read(parameters.reader())?;
    match parameters.salt_octets {
        Some(octets) if octets <= parameters.hash.octets() => Ok(parameters.hash),
        _ => Err(AlgorithmFault::NotAllowed(
            "its salt is longer than its hash",
        )),
    }
}

fn read_mgf1(identifier: Value<'_>) -> Result<HashAlgorithm, AlgorithmFault> {
    let mut fields = identifier.reader();
    let function = fields.read(tag::OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER")?;
    if function.content() != oid::MGF1.as_bytes() {
        return Err(AlgorithmFault::NotAllowed("its mask function is not MGF1"));
    }
    let hash = fields.read(tag::SEQUENCE, "the hash of MGF1")?;
    fields.finish()?;
    read_hash(hash)
}

/// Parses `[number] EXPLICIT` with one value of `inner` tag, if present.
fn explicit<'a>(
    fields: &mut Reader<'a>,
    number: u8,
    inner: u8,
) -> Result<Option<Value<'a>>, Unreadable> {
    let Some(outer) = fields.optional(tag::context_constructed(number))? else {
        return Ok(None);
    };
    let mut reader = outer.reader();
    let value = reader.read(inner, "the tagged value")?;
    reader.finish()?;
    Ok(Some(value))
}

/// An `AlgorithmIdentifier` to be written.
pub(crate) type AlgorithmIdentifierRef<'a> = AlgorithmIdentifier<AnyRef<'a>>;

const fn bare(oid: ObjectIdentifier) -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifier {
        oid,
        parameters: None,
    }
}

/// The algorithm identifier of a public or private key (RFC 3279 §2.3.1, RFC 8410 §3, RFC 5480
/// §2.1.1, RFC 9881 §2).
pub(crate) fn key_identifier(key: KeyAlgorithm) -> AlgorithmIdentifierRef<'static> {
    let on_curve = |curve: &'static ObjectIdentifier| AlgorithmIdentifier {
        oid: oid::EC_PUBLIC_KEY,
        parameters: Some(curve.into()),
    };
    match key {
        KeyAlgorithm::Rsa2048
        | KeyAlgorithm::Rsa3072
        | KeyAlgorithm::Rsa4096
        | KeyAlgorithm::OtherRsa(_) => AlgorithmIdentifier {
            oid: oid::RSA_ENCRYPTION,
            parameters: Some(AnyRef::NULL),
        },
        KeyAlgorithm::Ed25519 => bare(oid::ED25519),
        KeyAlgorithm::EcdsaP256 => on_curve(&oid::SECP256R1),
        KeyAlgorithm::EcdsaP384 => on_curve(&oid::SECP384R1),
        KeyAlgorithm::MlDsa44 => bare(oid::ML_DSA_44),
        KeyAlgorithm::MlDsa65 => bare(oid::ML_DSA_65),
        KeyAlgorithm::MlDsa87 => bare(oid::ML_DSA_87),
    }
}

/// The identifier of a hash function without parameters, as RFC 5754 §2 recommends for CMS.
pub(crate) const fn hash_identifier(hash: HashAlgorithm) -> AlgorithmIdentifierRef<'static> {
    bare(match hash {
        HashAlgorithm::Sha256 => oid::SHA_256,
        HashAlgorithm::Sha384 => oid::SHA_384,
        HashAlgorithm::Sha512 => oid::SHA_512,
    })
}

/// The identifier of SHA-256 with NULL parameters, as RFC 4055 §2.1 requires within RSASSA-PSS.
const SHA_256_NULL: AlgorithmIdentifierRef<'static> = AlgorithmIdentifier {
    oid: oid::SHA_256,
    parameters: Some(AnyRef::NULL),
};

#[derive(Sequence)]
struct SignatureAlgorithmIdentifier<'a> {
    algorithm: ObjectIdentifier,
    parameters: PssParametersRef<'a>,
}

#[derive(Sequence)]
struct PssParametersRef<'a> {
    hash: ContextSpecific<AlgorithmIdentifierRef<'a>>,
    mask: ContextSpecific<AlgorithmIdentifier<AlgorithmIdentifierRef<'a>>>,
    salt_octets: ContextSpecific<u8>,
}

fn explicitly<T>(number: u8, value: T) -> ContextSpecific<T> {
    ContextSpecific {
        tag_number: TagNumber(number.into()),
        tag_mode: TagMode::Explicit,
        value,
    }
}

/// RSASSA-PSS with SHA-256 and a salt of 32 octets.
fn pss_with_sha_256() -> der::Result<Vec<u8>> {
    SignatureAlgorithmIdentifier {
        algorithm: oid::RSASSA_PSS,
        parameters: PssParametersRef {
            hash: explicitly(0, SHA_256_NULL),
            mask: explicitly(
                1,
                AlgorithmIdentifier {
                    oid: oid::MGF1,
                    parameters: Some(SHA_256_NULL),
                },
            ),
            salt_octets: explicitly(2, HashAlgorithm::Sha256.octets()),
        },
    }
    .to_der()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(der: &[u8]) -> Result<SignatureAlgorithm, AlgorithmFault> {
        read_signature_algorithm(Value::whole(der, tag::SEQUENCE, "a SEQUENCE").unwrap())
    }

    /// All signature algorithms that this crate writes.
    fn written() -> impl Iterator<Item = SignatureAlgorithm> {
        KeyAlgorithm::ALL
            .iter()
            .map(|&key| SignatureAlgorithm::written_by(key))
    }

    #[test]
    fn writes_what_it_reads() {
        for algorithm in written() {
            assert_eq!(read(&algorithm.to_der().unwrap()), Ok(algorithm));
        }
        // The same as OpenSSL's: 65 octets of content.
        assert_eq!(pss_with_sha_256().unwrap().len(), 67);
        // Others may sign with these.
        for hash in [HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            assert!(SignatureAlgorithm::RsassaPss(hash).to_der().is_err());
        }
    }

    #[test]
    fn only_rsa_keys_of_several_sizes_make_signatures_of_one_algorithm() {
        for &key in KeyAlgorithm::ALL {
            let algorithm = SignatureAlgorithm::written_by(key);
            let is_rsa = matches!(algorithm, SignatureAlgorithm::RsassaPss(_));
            assert_eq!(algorithm.key_algorithm(), (!is_rsa).then_some(key), "{key}");
        }
    }

    /// RFC 4055 §2.1: NULL or absent, and NULL has no content.
    #[test]
    fn the_parameters_of_a_hash_are_null_or_absent() {
        let sha_256 = oid::SHA_256.as_bytes();
        let identifier = |parameters: &[u8]| {
            let length = u8::try_from(sha_256.len()).unwrap();
            let content = [&[tag::OBJECT_IDENTIFIER, length], sha_256, parameters].concat();
            let length = u8::try_from(content.len()).unwrap();
            [&[tag::SEQUENCE, length], &content[..]].concat()
        };
        let read = |parameters: &[u8]| {
            let der = identifier(parameters);
            read_hash(Value::whole(&der, tag::SEQUENCE, "a SEQUENCE").unwrap())
        };
        for parameters in [&[][..], &[tag::NULL, 0]] {
            assert_eq!(read(parameters), Ok(HashAlgorithm::Sha256));
        }
        for (parameters, expected) in [
            (&[tag::NULL, 1, 0][..], "an empty NULL"),
            (&[tag::NULL, 0, tag::NULL, 0], "the end of the data"),
            (&[tag::INTEGER, 1, 0], "the end of the data"),
        ] {
            let outcome = read(parameters);
            assert!(
                matches!(outcome, Err(AlgorithmFault::Unreadable(found)) if found.expected == expected),
                "{parameters:?}: {outcome:?}"
            );
        }
    }

    /// RFC 5758 §3.2, RFC 8410 §3, RFC 9881 §2: parameters are absent, and not NULL.
    #[test]
    fn refuses_parameters_where_there_are_none() {
        let others = written().filter(|other| !matches!(other, SignatureAlgorithm::RsassaPss(_)));
        for algorithm in others {
            let der = algorithm.to_der().unwrap();
            let (content, null) = (der.get(2..).unwrap(), [0x05, 0x00]);
            let length = u8::try_from(content.len() + null.len()).unwrap();
            let with_null = [&[tag::SEQUENCE, length], content, &null].concat();
            let fault = read(&with_null).unwrap_err();
            assert!(
                matches!(fault, AlgorithmFault::Unreadable(unreadable) if unreadable.expected == "no parameters"),
                "{algorithm:?}: {fault:?}"
            );
        }
    }

    #[test]
    fn says_which_algorithm_it_refuses() {
        for (identifier, problem) in [
            (oid::RSA_ENCRYPTION, "PKCS1"),
            (oid::PKCS1_SHA_1, "PKCS1"),
            (oid::PKCS1_SHA_224, "PKCS1"),
            (oid::PKCS1_SHA_256, "PKCS1"),
            (oid::PKCS1_SHA_384, "PKCS1"),
            (oid::PKCS1_SHA_512, "PKCS1"),
            (oid::ECDSA_WITH_SHA_1, "ECDSA with SHA-1"),
            (oid::ECDSA_WITH_SHA_224, "ECDSA with SHA-224"),
            (oid::ECDSA_WITH_SHA_512, "ECDSA with SHA-512"),
            (oid::ED448, "Ed448"),
            (oid::HASH_ML_DSA_44, "HashML-DSA"),
            (oid::HASH_ML_DSA_65, "HashML-DSA"),
            (oid::HASH_ML_DSA_87, "HashML-DSA"),
            (oid::SHA_256, UNKNOWN),
        ] {
            let fault = read(&bare(identifier).to_der().unwrap()).unwrap_err();
            assert!(
                matches!(fault, AlgorithmFault::NotAllowed(found) if found.contains(problem)),
                "{identifier}: {fault:?}"
            );
        }
    }

    /// RFC 8933 §3.1, RFC 8419 §3.1, RFC 9882 §3.3.
    #[test]
    fn a_digest_is_as_strong_as_its_signature() {
        use HashAlgorithm::{Sha256, Sha384, Sha512};
        for (algorithm, digests) in [
            (SignatureAlgorithm::RsassaPss(Sha256), &[Sha256][..]),
            (SignatureAlgorithm::RsassaPss(Sha384), &[Sha384]),
            (SignatureAlgorithm::RsassaPss(Sha512), &[Sha512]),
            (SignatureAlgorithm::EcdsaSha256, &[Sha256]),
            (SignatureAlgorithm::EcdsaSha384, &[Sha384]),
            (SignatureAlgorithm::Ed25519, &[Sha512]),
            (SignatureAlgorithm::MlDsa44, &[Sha256, Sha384, Sha512]),
            (SignatureAlgorithm::MlDsa65, &[Sha384, Sha512]),
            (SignatureAlgorithm::MlDsa87, &[Sha512]),
        ] {
            for digest in [Sha256, Sha384, Sha512] {
                assert_eq!(
                    algorithm.goes_with_digest(digest),
                    digests.contains(&digest),
                    "{algorithm:?} {digest:?}"
                );
            }
            assert!(algorithm.goes_with_digest(algorithm.written_digest()));
        }
    }
}
