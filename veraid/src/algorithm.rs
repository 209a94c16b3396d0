//! `AlgorithmIdentifier`s: which are read, and the ones that are written.
//!
//! RSASSA-PSS as in RFC 4055 §3.1: hash and MGF1's hash alike, one of SHA-256, SHA-384 and SHA-512, a salt as long as the
//! hash. A hash's parameters may be NULL or absent (RFC 4055 §2.1, RFC 5754 §2).

use der::asn1::{AnyRef, ContextSpecific, ObjectIdentifier};
use der::{Encode, Sequence, TagMode, TagNumber};
use x509_cert::spki::AlgorithmIdentifier;

use crate::asn1::{Reader, Unreadable, Value, tag};
use crate::crypto::HashAlgorithm;
use crate::key::KeyAlgorithm;
use crate::oid;

/// How a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    /// RSASSA-PSS with that hash, in MGF1 too, and a salt of its length.
    RsassaPss(HashAlgorithm),
}

impl SignatureAlgorithm {
    /// The one with which keys of ours sign.
    pub(crate) const fn written_by(key: KeyAlgorithm) -> Self {
        match key {
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                Self::RsassaPss(HashAlgorithm::Sha256)
            }
        }
    }

    /// The hash of the content that goes into the signed attributes beside it when we write them.
    pub(crate) const fn written_digest(self) -> HashAlgorithm {
        match self {
            Self::RsassaPss(hash) => hash,
        }
    }

    /// The DER of its `AlgorithmIdentifier`, if it is one that is written here.
    pub(crate) fn to_der(self) -> der::Result<Vec<u8>> {
        match self {
            Self::RsassaPss(HashAlgorithm::Sha256) => pss_with_sha_256(),
            Self::RsassaPss(_) => Err(der::ErrorKind::Failed.into()),
        }
    }
}

/// Why an `AlgorithmIdentifier` is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlgorithmFault {
    Unreadable(Unreadable),
    /// It can be read, but the protocol does not allow it.
    NotAllowed(&'static str),
}

impl From<Unreadable> for AlgorithmFault {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

/// Reads the identifier of a hash function.
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

/// Reads the identifier of a signature algorithm.
pub(crate) fn read_signature_algorithm(
    identifier: Value<'_>,
) -> Result<SignatureAlgorithm, AlgorithmFault> {
    let mut fields = identifier.reader();
    let algorithm = fields.read(tag::OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER")?;
    if algorithm.content() != oid::RSASSA_PSS.as_bytes() {
        return Err(AlgorithmFault::NotAllowed("it is not RSASSA-PSS"));
    }
    let parameters = fields.read(tag::SEQUENCE, "RSASSA-PSS parameters")?;
    fields.finish()?;
    read_pss_parameters(parameters.reader()).map(SignatureAlgorithm::RsassaPss)
}

/// Reads `RSASSA-PSS-params` (RFC 4055 §3.1). What is left out means SHA-1 or a salt of 20 octets, so it cannot be.
fn read_pss_parameters(mut fields: Reader<'_>) -> Result<HashAlgorithm, AlgorithmFault> {
    const SHA_1: AlgorithmFault = AlgorithmFault::NotAllowed("its hash is SHA-1");
    const OTHER_SALT: AlgorithmFault =
        AlgorithmFault::NotAllowed("its salt is not as long as its hash");

    let hash = explicit(&mut fields, 0, tag::SEQUENCE)?.ok_or(SHA_1)?;
    let hash = read_hash(hash)?;
    let mask = explicit(&mut fields, 1, tag::SEQUENCE)?.ok_or(SHA_1)?;
    if read_mgf1(mask)? != hash {
        return Err(AlgorithmFault::NotAllowed("its MGF1 has another hash"));
    }
    let salt = explicit(&mut fields, 2, tag::INTEGER)?.ok_or(OTHER_SALT)?;
    if salt.small_integer() != Some(hash.octets()) {
        return Err(OTHER_SALT);
    }
    if let Some(trailer) = explicit(&mut fields, 3, tag::INTEGER)?
        && trailer.small_integer() != Some(1)
    {
        return Err(AlgorithmFault::NotAllowed("its trailer field is not 1"));
    }
    fields.finish()?;
    Ok(hash)
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

/// Reads `[number] EXPLICIT` with one value of `inner` tag, if it is there.
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

/// `AlgorithmIdentifier` as it is written.
pub(crate) type AlgorithmIdentifierRef<'a> = AlgorithmIdentifier<AnyRef<'a>>;

/// A hash function without parameters, as RFC 5754 §2 would have it written in CMS.
pub(crate) const fn hash_identifier(hash: HashAlgorithm) -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifier {
        oid: match hash {
            HashAlgorithm::Sha256 => oid::SHA_256,
            HashAlgorithm::Sha384 => oid::SHA_384,
            HashAlgorithm::Sha512 => oid::SHA_512,
        },
        parameters: None,
    }
}

/// SHA-256 with NULL parameters, as RFC 4055 §2.1 has it within RSASSA-PSS.
const SHA_256_NULL: AlgorithmIdentifierRef<'static> = AlgorithmIdentifier {
    oid: oid::SHA_256,
    parameters: Some(AnyRef::NULL),
};

#[derive(Sequence)]
struct SignatureAlgorithmIdentifier<'a> {
    algorithm: ObjectIdentifier,
    parameters: PssParameters<'a>,
}

#[derive(Sequence)]
struct PssParameters<'a> {
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
        parameters: PssParameters {
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

    #[test]
    fn writes_what_it_reads() {
        let der = pss_with_sha_256().unwrap();
        assert_eq!(
            read(&der),
            Ok(SignatureAlgorithm::RsassaPss(HashAlgorithm::Sha256))
        );
        // As OpenSSL writes it: 65 octets of content.
        assert_eq!(der.len(), 67);
    }
}
