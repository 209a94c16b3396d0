//! A whole signature bundle laid open: every field of the certificates, the `SignedData` and the envelope can be made right
//! or wrong, and is then signed as it stands. Nothing here comes from the library under test but names and times.

pub(crate) mod der;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ML_DSA_44_SIGNING,
    ML_DSA_65_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use data_encoding::{BASE64, BASE64_NOPAD};
use kliento_fixtures::{Algorithm, Response, Responses, TXT, World};
use veraid::{
    BundleOutline, KeyAlgorithm, KeyError, MemberIdBundle, MemoryLimits, OrganisationCertificate,
    Period, Policy, PrivateKey, ServiceOid, SignatureBundle, TEST_SERVICE, Timestamp, TrustAnchors,
    Verification, VerifiedSignature, Verifier, VerifyError,
};

use der::{
    bit_string, bmp_string, boolean, concat, context, context_primitive, integer, null,
    octet_string, oid, positive_integer, retag, sequence, set, tlv, utf8_string,
};

/// 2026-11-21T12:00:00Z.
pub(crate) const NOON: i64 = 1_795_262_400;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const CONTENT: &[u8] = b"the content";
pub(crate) const SERVICE: ServiceOid = TEST_SERVICE;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub(crate) fn period(start: i64, end: i64) -> Period {
    Period::new(at(start), at(end)).unwrap()
}

pub(crate) fn noon() -> Period {
    Period::at(at(NOON))
}

/// Whether the library under test is built with ML-DSA.
pub(crate) const HAS_ML_DSA: bool = cfg!(any(feature = "aws-lc-rs", feature = "oqs"));

/// A new private key. RSA keys come from elsewhere if the library under test makes none.
pub(crate) fn private_key(algorithm: KeyAlgorithm) -> PrivateKey {
    try_private_key(algorithm).unwrap()
}

/// The same, or the error that says which feature is lacking.
pub(crate) fn try_private_key(algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError> {
    let bits = match algorithm {
        KeyAlgorithm::Rsa2048 => 2_048,
        KeyAlgorithm::Rsa3072 => 3_072,
        KeyAlgorithm::Rsa4096 => 4_096,
        _ => return PrivateKey::generate(algorithm),
    };
    match PrivateKey::generate(algorithm) {
        Err(KeyError::NotBuilt { .. }) => {
            PrivateKey::from_pkcs8_der(&kliento_fixtures::rsa_pkcs8(bits))
        }
        generated => generated,
    }
}

/// A key that signs in any way that the cryptographic library can.
pub(crate) struct Key {
    pair: Pair,
    pub(crate) spki: Vec<u8>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
    EcdsaP256(EcdsaKeyPair),
    MlDsa(PqdsaKeyPair),
}

fn spki<K: AsDer<PublicKeyX509Der<'static>>>(key: &K) -> Vec<u8> {
    key.as_der().unwrap().as_ref().to_vec()
}

impl Key {
    fn generate(size: KeySize) -> Self {
        let pair = RsaKeyPair::generate(size).unwrap();
        let spki = spki(pair.public_key());
        let pair = Pair::Rsa(pair);
        Self { pair, spki }
    }

    fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let spki = spki(pair.public_key());
        let pair = Pair::Ed25519(pair);
        Self { pair, spki }
    }

    fn ecdsa_p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let spki = spki(pair.public_key());
        let pair = Pair::EcdsaP256(pair);
        Self { pair, spki }
    }

    fn ml_dsa(algorithm: &'static PqdsaSigningAlgorithm) -> Self {
        let pair = PqdsaKeyPair::generate(algorithm).unwrap();
        let spki = spki(pair.public_key());
        let pair = Pair::MlDsa(pair);
        Self { pair, spki }
    }

    /// Signs; `scheme` is for RSA, the others have one way alone. The same once more is the same signature, though most of
    /// them are random: so certificates are the same, octet by octet, wherever nothing about them was changed.
    pub(crate) fn sign(&self, scheme: Scheme, message: &[u8]) -> Vec<u8> {
        type Signed = (Vec<u8>, String, Vec<u8>);
        static SIGNATURES: Mutex<BTreeMap<Signed, Vec<u8>>> = Mutex::new(BTreeMap::new());
        let signed = (self.spki.clone(), format!("{scheme:?}"), message.to_vec());
        let mut signatures = SIGNATURES.lock().unwrap();
        let signature = signatures
            .entry(signed)
            .or_insert_with(|| self.sign_anew(scheme, message));
        signature.clone()
    }

    fn sign_anew(&self, scheme: Scheme, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(scheme, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::EcdsaP256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut signature).unwrap();
                signature
            }
        }
    }

    pub(crate) fn key_identifier(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.spki)
            .as_ref()
            .to_vec()
    }

    /// The TXT record that publishes it.
    pub(crate) fn record(&self, ttl_override: &str) -> String {
        let (number, hash) = match &self.pair {
            Pair::Rsa(pair) => match pair.public_modulus_len() {
                256 => (1, &digest::SHA256),
                384 => (2, &digest::SHA384),
                _ => (3, &digest::SHA512),
            },
            Pair::Ed25519(_) | Pair::EcdsaP256(_) | Pair::MlDsa(_) => (1, &digest::SHA256),
        };
        let id = BASE64.encode(digest::digest(hash, &self.spki).as_ref());
        format!("{number} {id} {ttl_override}")
    }

    /// The record of DomainAuth that publishes it as that algorithm, by its SHA-256 digest.
    pub(crate) fn domain_auth_record(&self, algorithm: u8, tail: &str) -> String {
        let id = BASE64_NOPAD.encode(digest::digest(&digest::SHA256, &self.spki).as_ref());
        format!("0 {algorithm} 1 {id} {tail}")
    }
}

macro_rules! keys {
    ($($name:ident = $make:expr),+) => {
        $(pub(crate) fn $name() -> &'static Key {
            static KEY: OnceLock<Key> = OnceLock::new();
            KEY.get_or_init(|| $make)
        })+
    };
}

keys! {
    organisation_key = Key::generate(KeySize::Rsa2048),
    member_key = Key::generate(KeySize::Rsa2048),
    stranger_key = Key::generate(KeySize::Rsa2048),
    intermediate_key = Key::generate(KeySize::Rsa2048),
    lower_intermediate_key = Key::generate(KeySize::Rsa2048),
    key_of_3072_bits = Key::generate(KeySize::Rsa3072),
    key_of_4096_bits = Key::generate(KeySize::Rsa4096),
    ed25519_key = Key::ed25519(),
    p256_key = Key::ecdsa_p256(),
    ml_dsa_44_key = Key::ml_dsa(&ML_DSA_44_SIGNING),
    ml_dsa_65_key = Key::ml_dsa(&ML_DSA_65_SIGNING)
}

/// What is wrong, how to make it so, and why it is refused.
pub(crate) type Case = (&'static str, fn(&mut Parts), &'static str);

/// One case a line: what is wrong, how to make it so of `p`, the reason.
#[macro_export]
macro_rules! cases {
    ($parts:ident: $($name:literal: $spoil:expr => $reason:literal;)*) => {
        &[$(($name, |$parts| { $spoil; }, $reason)),*]
    };
}

/// Refuses each case, for its own reason, and nothing of what the cases start from; and all the same when chain, organisation
/// and signer of the latter are known.
pub(crate) fn refuse(good: fn() -> Parts, cases: &[Case]) {
    assert_eq!(good().reason(), "valid");
    for (name, spoil, reason) in cases {
        let mut parts = good();
        spoil(&mut parts);
        assert_eq!(parts.reason(), *reason, "{name}");
        if let Some(recalled) = parts.reason_after(&good()) {
            assert_eq!(recalled, *reason, "{name}, with a memory");
        }
    }
}

pub(crate) const SHA_1: &str = "1.3.14.3.2.26";
pub(crate) const SHA_224: &str = "2.16.840.1.101.3.4.2.4";
pub(crate) const SHA_256: &str = "2.16.840.1.101.3.4.2.1";
pub(crate) const SHA_384: &str = "2.16.840.1.101.3.4.2.2";
pub(crate) const SHA_512: &str = "2.16.840.1.101.3.4.2.3";
pub(crate) const MGF1: &str = "1.2.840.113549.1.1.8";
pub(crate) const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
pub(crate) const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
pub(crate) const PKCS1_SHA_256: &str = "1.2.840.113549.1.1.11";
pub(crate) const PKCS1_SHA_1: &str = "1.2.840.113549.1.1.5";

pub(crate) fn hash(name: &str) -> Vec<u8> {
    sequence(&[oid(name), null()])
}

/// RSASSA-PSS with all its parameters open.
pub(crate) fn pss_with(hash_name: &str, mask_hash: &str, salt: u8, trailer: Option<u8>) -> Vec<u8> {
    let mask = sequence(&[oid(MGF1), hash(mask_hash)]);
    let trailer = trailer.map(|trailer| context(3, &integer(&[trailer])));
    pss_with_mask(hash_name, &mask, salt, &trailer.unwrap_or_default())
}

/// RSASSA-PSS with another mask function, or with whatever behind the salt.
pub(crate) fn pss_with_mask(hash_name: &str, mask: &[u8], salt: u8, tail: &[u8]) -> Vec<u8> {
    let parameters = [
        context(0, &hash(hash_name)),
        context(1, mask),
        context(2, &integer(&[salt])),
        tail.to_vec(),
    ];
    sequence(&[oid(RSASSA_PSS), sequence(&parameters)])
}

pub(crate) fn pss(hash_name: &str) -> Vec<u8> {
    let octets = match hash_name {
        SHA_1 => 20,
        SHA_224 => 28,
        SHA_256 => 32,
        SHA_384 => 48,
        _ => 64,
    };
    pss_with(hash_name, hash_name, octets, None)
}

/// How a signature is really made, whatever its identifier says.
pub(crate) type Scheme = &'static dyn RsaEncoding;
pub(crate) const PSS_256: Scheme = &RSA_PSS_SHA256;
pub(crate) const PSS_384: Scheme = &RSA_PSS_SHA384;
pub(crate) const PSS_512: Scheme = &RSA_PSS_SHA512;
pub(crate) const PKCS1_256: Scheme = &RSA_PKCS1_SHA256;

pub(crate) fn common_name(value: Vec<u8>) -> Vec<u8> {
    set(&[sequence(&[oid("2.5.4.3"), value])])
}

/// A name that is one common name, in the string type of the reference library.
pub(crate) fn name(text: &str) -> Vec<u8> {
    sequence(&[common_name(bmp_string(text))])
}

/// A name that is one organisational unit.
pub(crate) fn unit_name(text: &str) -> Vec<u8> {
    let unit = sequence(&[oid("2.5.4.11"), utf8_string(text)]);
    sequence(&[set(&[unit])])
}

pub(crate) fn utc_time(text: &str) -> Vec<u8> {
    tlv(0x17, text.as_bytes())
}

/// An extension whose value is given without its OCTET STRING.
pub(crate) fn extension(identifier: &str, critical: Option<u8>, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(identifier)];
    parts.extend(critical.map(boolean));
    parts.push(octet_string(value));
    sequence(&parts)
}

pub(crate) fn basic_constraints(parts: &[Vec<u8>]) -> Vec<u8> {
    extension("2.5.29.19", Some(0xff), &sequence(parts))
}

pub(crate) fn authority_key_identifier(identifier: &[u8]) -> Vec<u8> {
    extension(
        "2.5.29.35",
        None,
        &sequence(&[context_primitive(0, identifier)]),
    )
}

pub(crate) fn subject_key_identifier(identifier: &[u8]) -> Vec<u8> {
    extension("2.5.29.14", None, &octet_string(identifier))
}

/// A key usage with the first octet of its bits.
pub(crate) fn key_usage(bits: u8) -> Vec<u8> {
    key_usage_of(&[0, bits])
}

/// A key usage with that content of its BIT STRING: the number of unused bits, then the bits.
pub(crate) fn key_usage_of(bit_string: &[u8]) -> Vec<u8> {
    extension("2.5.29.15", Some(0xff), &tlv(0x03, bit_string))
}

/// A `SubjectPublicKeyInfo` around an RSA key of numbers that nobody can sign with.
pub(crate) fn spki_of(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = sequence(&[positive_integer(modulus), positive_integer(exponent)]);
    sequence(&[sequence(&[oid(RSA_ENCRYPTION), null()]), bit_string(&key)])
}

/// The `SubjectPublicKeyInfo` of a good key, with other parameters of rsaEncryption.
pub(crate) fn spki_with_parameters(key: &[u8], parameters: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[oid(RSA_ENCRYPTION), null()]);
    let key = der::content(key).strip_prefix(&algorithm[..]).unwrap();
    let algorithm = sequence(&[&oid(RSA_ENCRYPTION)[..], parameters]);
    sequence(&[&algorithm[..], key])
}

/// An odd number of that many bits.
pub(crate) fn modulus_of(bits: usize) -> Vec<u8> {
    let mut octets = vec![0xa5; bits.div_ceil(8)];
    octets[0] = match bits % 8 {
        0 => 0x80,
        spare => 1 << (spare - 1),
    };
    octets
}

/// The identifiers of algorithms without parameters.
pub(crate) const ED25519: &str = "1.3.101.112";
pub(crate) const ECDSA_WITH_SHA_256: &str = "1.2.840.10045.4.3.2";
pub(crate) const ECDSA_WITH_SHA_384: &str = "1.2.840.10045.4.3.3";
pub(crate) const ML_DSA_44: &str = "2.16.840.1.101.3.4.3.17";
pub(crate) const ML_DSA_65: &str = "2.16.840.1.101.3.4.3.18";
pub(crate) const HASH_ML_DSA_65_WITH_SHA_512: &str = "2.16.840.1.101.3.4.3.33";

pub(crate) fn plain(identifier: &str) -> Vec<u8> {
    sequence(&[oid(identifier)])
}

/// Indexes of the extensions that all certificates start with.
pub(crate) const BASIC_CONSTRAINTS: usize = 0;
pub(crate) const AUTHORITY: usize = 1;
pub(crate) const SUBJECT: usize = 2;

/// A certificate laid open. Every field is encoded, so that it can be anything.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(crate) version: Vec<u8>,
    pub(crate) serial_number: Vec<u8>,
    pub(crate) inner_algorithm: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) validity: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    pub(crate) unique_identifiers: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
    /// Behind the extensions, within the signed part.
    pub(crate) signed_tail: Vec<u8>,
    pub(crate) outer_algorithm: Vec<u8>,
    /// Behind the signature.
    pub(crate) tail: Vec<u8>,
    pub(crate) signed_by: &'static Key,
    pub(crate) scheme: Scheme,
    pub(crate) corrupt: bool,
}

impl Certificate {
    pub(crate) fn organisation(key: &'static Key) -> Self {
        Self {
            version: context(0, &integer(&[2])),
            serial_number: integer(&[0x11]),
            inner_algorithm: pss(SHA_256),
            issuer: name("example.com"),
            validity: sequence(&[utc_time("261120000000Z"), utc_time("261130000000Z")]),
            subject: name("example.com"),
            public_key: key.spki.clone(),
            unique_identifiers: Vec::new(),
            extensions: vec![
                basic_constraints(&[boolean(0xff), integer(&[0])]),
                authority_key_identifier(&key.key_identifier()),
                subject_key_identifier(&key.key_identifier()),
            ],
            signed_tail: Vec::new(),
            outer_algorithm: pss(SHA_256),
            tail: Vec::new(),
            signed_by: key,
            scheme: PSS_256,
            corrupt: false,
        }
    }

    pub(crate) fn member(key: &'static Key, issuer: &Self) -> Self {
        Self {
            serial_number: integer(&[0x22]),
            issuer: issuer.subject.clone(),
            subject: name("alice"),
            public_key: key.spki.clone(),
            extensions: vec![
                basic_constraints(&[integer(&[0])]),
                authority_key_identifier(&issuer.signed_by.key_identifier()),
                subject_key_identifier(&key.key_identifier()),
            ],
            ..issuer.clone()
        }
    }

    /// One that `issuer` delegates to, called a unit, with a path length.
    pub(crate) fn intermediate(
        key: &'static Key,
        unit: &str,
        issuer: &Self,
        issuer_key: &'static Key,
        path_length: u8,
    ) -> Self {
        Self {
            serial_number: integer(&[0x33]),
            subject: unit_name(unit),
            public_key: key.spki.clone(),
            extensions: vec![
                basic_constraints(&[boolean(0xff), integer(&[path_length])]),
                authority_key_identifier(&issuer_key.key_identifier()),
                subject_key_identifier(&key.key_identifier()),
            ],
            ..Self::member_of(key, issuer, issuer_key)
        }
    }

    /// A member's, signed with the issuer's key, which need not be what signed the issuer's own.
    pub(crate) fn member_of(key: &'static Key, issuer: &Self, issuer_key: &'static Key) -> Self {
        Self {
            signed_by: issuer_key,
            extensions: vec![
                basic_constraints(&[]),
                authority_key_identifier(&issuer_key.key_identifier()),
                subject_key_identifier(&key.key_identifier()),
            ],
            ..Self::member(key, issuer)
        }
    }

    /// Signs with both identifiers naming that algorithm.
    pub(crate) fn algorithm(&mut self, identifier: &[u8]) {
        self.inner_algorithm = identifier.to_vec();
        self.outer_algorithm = identifier.to_vec();
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        let extensions = match self.extensions[..] {
            [] => Vec::new(),
            _ => context(3, &sequence(&self.extensions)),
        };
        let signed = sequence(&[
            &self.version,
            &self.serial_number,
            &self.inner_algorithm,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.public_key,
            &self.unique_identifiers,
            &extensions,
            &self.signed_tail,
        ]);
        let mut signature = self.signed_by.sign(self.scheme, &signed);
        if self.corrupt {
            signature[100] ^= 1;
        }
        sequence(&[
            &signed,
            &self.outer_algorithm,
            &bit_string(&signature),
            &self.tail,
        ])
    }
}

pub(crate) fn attribute(identifier: &str, values: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[oid(identifier), set(values)])
}

pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const CONTENT_TYPE_ATTRIBUTE: &str = "1.2.840.113549.1.9.3";
pub(crate) const MESSAGE_DIGEST_ATTRIBUTE: &str = "1.2.840.113549.1.9.4";
pub(crate) const SIGNING_TIME_ATTRIBUTE: &str = "1.2.840.113549.1.9.5";
pub(crate) const METADATA_ATTRIBUTE: &str = "1.3.6.1.4.1.58708.1.0";
pub(crate) const ATTRIBUTION_ATTRIBUTE: &str = "1.3.6.1.4.1.58708.1.2";

pub(crate) fn content_type(of: &str) -> Vec<u8> {
    attribute(CONTENT_TYPE_ATTRIBUTE, &[oid(of)])
}

pub(crate) fn message_digest(algorithm: &'static digest::Algorithm, content: &[u8]) -> Vec<u8> {
    let digest = digest::digest(algorithm, content);
    attribute(MESSAGE_DIGEST_ATTRIBUTE, &[octet_string(digest.as_ref())])
}

pub(crate) fn metadata_value(service: &str, start: &str, end: &str) -> Vec<u8> {
    let times = [
        context_primitive(0, start.as_bytes()),
        context_primitive(1, end.as_bytes()),
    ];
    let service = retag(0x80, &oid(service));
    sequence(&[service, context(1, &concat(&times))])
}

pub(crate) fn metadata(service: &str, start: &str, end: &str) -> Vec<u8> {
    attribute(METADATA_ATTRIBUTE, &[metadata_value(service, start, end)])
}

/// Metadata for the service that is verified, from noon on for ten minutes.
pub(crate) fn good_metadata() -> Vec<u8> {
    metadata(
        "1.3.6.1.4.1.58708.1.1",
        "20261121120000Z",
        "20261121121000Z",
    )
}

pub(crate) fn attribution(value: Vec<u8>) -> Vec<u8> {
    attribute(ATTRIBUTION_ATTRIBUTE, &[value])
}

/// Indexes of the signed attributes that every signature starts with.
pub(crate) const CONTENT_TYPE: usize = 0;
pub(crate) const MESSAGE_DIGEST: usize = 1;
pub(crate) const METADATA: usize = 2;
/// And the one that only signatures by organisations have.
pub(crate) const ATTRIBUTION: usize = 3;

/// `SignedData` laid open, as the reference library writes it.
#[derive(Clone)]
pub(crate) struct SignedData {
    pub(crate) content_info_type: Vec<u8>,
    pub(crate) version: Vec<u8>,
    pub(crate) digest_algorithms: Vec<u8>,
    pub(crate) content_type: Vec<u8>,
    /// Within `[0]`; `None` if detached.
    pub(crate) content: Option<Vec<u8>>,
    /// The whole `[0]` field; `None` for the signer's certificate, or none of an organisation's.
    pub(crate) certificates: Option<Vec<u8>>,
    /// Beside the signer's.
    pub(crate) further_certificates: Vec<Vec<u8>>,
    pub(crate) revocations: Vec<u8>,
    pub(crate) signer_version: Vec<u8>,
    /// `None` for issuer and serial number of the signer's certificate.
    pub(crate) signer_identifier: Option<Vec<u8>>,
    pub(crate) digest_algorithm: Vec<u8>,
    pub(crate) signed_attributes: Vec<Vec<u8>>,
    pub(crate) attributes_absent: bool,
    pub(crate) signature_algorithm: Vec<u8>,
    pub(crate) unsigned_attributes: Vec<u8>,
    pub(crate) signers: usize,
    /// Behind the `SignerInfos`.
    pub(crate) tail: Vec<u8>,
    pub(crate) key: &'static Key,
    pub(crate) scheme: Scheme,
    pub(crate) corrupt: bool,
}

impl SignedData {
    fn by(key: &'static Key) -> Self {
        Self {
            content_info_type: oid("1.2.840.113549.1.7.2"),
            version: integer(&[1]),
            digest_algorithms: set(&[hash(SHA_256)]),
            content_type: oid(DATA),
            content: Some(tlv(0x24, &octet_string(CONTENT))),
            certificates: None,
            further_certificates: Vec::new(),
            revocations: Vec::new(),
            signer_version: integer(&[1]),
            signer_identifier: None,
            digest_algorithm: hash(SHA_256),
            signed_attributes: vec![
                content_type(DATA),
                message_digest(&digest::SHA256, CONTENT),
                good_metadata(),
            ],
            attributes_absent: false,
            signature_algorithm: pss(SHA_256),
            unsigned_attributes: Vec::new(),
            signers: 1,
            tail: Vec::new(),
            key,
            scheme: PSS_256,
            corrupt: false,
        }
    }

    /// `ContentInfo` for a signer with that certificate.
    fn to_der(&self, signer: &Certificate, certificate: Option<Vec<u8>>) -> Vec<u8> {
        let content = self.content.as_ref().map(|content| context(0, content));
        let certificates = self.certificates.clone().unwrap_or_else(|| {
            let attached: Vec<Vec<u8>> = certificate
                .into_iter()
                .chain(self.further_certificates.clone())
                .collect();
            context(0, &concat(&attached))
        });
        let signer = self.signer_info(signer);
        let signers = vec![signer; self.signers];
        let signed_data = sequence(&[
            self.version.clone(),
            self.digest_algorithms.clone(),
            sequence(&[self.content_type.clone(), content.unwrap_or_default()]),
            certificates,
            self.revocations.clone(),
            set(&signers),
            self.tail.clone(),
        ]);
        sequence(&[self.content_info_type.clone(), context(0, &signed_data)])
    }

    fn signer_info(&self, signer: &Certificate) -> Vec<u8> {
        let identifier = self.signer_identifier.clone();
        let identifier = identifier.unwrap_or_else(|| identifier_of(signer));
        let attributes = concat(&self.signed_attributes);
        let mut signature = self.key.sign(self.scheme, &tlv(0x31, &attributes));
        if self.corrupt {
            signature[100] ^= 1;
        }
        let attributes = if self.attributes_absent {
            Vec::new()
        } else {
            context(0, &attributes)
        };
        sequence(&[
            &self.signer_version,
            &identifier,
            &self.digest_algorithm,
            &attributes,
            &self.signature_algorithm,
            &octet_string(&signature),
            &self.unsigned_attributes,
        ])
    }
}

/// `IssuerAndSerialNumber`, copied from a certificate.
pub(crate) fn identifier_of(certificate: &Certificate) -> Vec<u8> {
    sequence(&[&certificate.issuer, &certificate.serial_number])
}

/// Everything that a signature bundle is made of, and what it is verified against.
pub(crate) struct Parts {
    /// Where the records are.
    pub(crate) owner: &'static str,
    pub(crate) records: Vec<String>,
    /// What is to be done to the chain before it is encoded.
    pub(crate) spoil_chain: fn(&World, &mut Responses),
    /// What the chain holds as well.
    pub(crate) further_responses: Vec<Response>,
    /// Validity of all DNSSEC signatures.
    pub(crate) dnssec_window: (i64, i64),
    pub(crate) organisation: Certificate,
    pub(crate) member: Certificate,
    /// Whether the organisation's certificate is among those attached to the signature, too.
    pub(crate) organisation_attached: bool,
    /// Between the organisation and the signer.
    pub(crate) intermediates: Vec<Certificate>,
    /// Who signs in the organisation's place.
    pub(crate) delegate: Option<Certificate>,
    pub(crate) signed_data: SignedData,
    pub(crate) signed_by_organisation: bool,
    pub(crate) bundle_version: Vec<u8>,
    /// Behind the last element.
    pub(crate) bundle_tail: Vec<u8>,
    pub(crate) required: Period,
    pub(crate) policy: Policy,
    pub(crate) service: ServiceOid,
    pub(crate) detached_content: Option<Vec<u8>>,
}

impl Parts {
    /// A signature by alice of example.com, good at noon.
    pub(crate) fn member() -> Self {
        let organisation = Certificate::organisation(organisation_key());
        Self {
            owner: "_veraid.example.com.",
            records: vec![organisation_key().record("3600")],
            spoil_chain: |_, _| {},
            further_responses: Vec::new(),
            dnssec_window: (NOON - DAY, NOON + DAY),
            member: Certificate::member(member_key(), &organisation),
            organisation,
            organisation_attached: false,
            intermediates: Vec::new(),
            delegate: None,
            signed_data: SignedData::by(member_key()),
            signed_by_organisation: false,
            bundle_version: context_primitive(0, &[0]),
            bundle_tail: Vec::new(),
            required: noon(),
            policy: Policy::new(),
            service: SERVICE,
            detached_content: None,
        }
    }

    /// A signature by example.com, attributed to alice, good at noon.
    pub(crate) fn organisation() -> Self {
        let mut parts = Self::member();
        parts.signed_by_organisation = true;
        parts.signed_data.key = organisation_key();
        parts
            .signed_data
            .signed_attributes
            .push(attribution(utf8_string("alice")));
        parts
    }

    /// The same as [`Parts::member`], in DomainAuth.
    pub(crate) fn domain_auth() -> Self {
        Self::member().into_domain_auth()
    }

    /// The same as [`Parts::organisation`], in DomainAuth.
    pub(crate) fn domain_auth_organisation() -> Self {
        Self::organisation().into_domain_auth()
    }

    fn into_domain_auth(mut self) -> Self {
        self.owner = "_domainauth.example.com.";
        self.records = vec![organisation_key().domain_auth_record(1, "3600")];
        self.organisation.subject = name("example.com.");
        self.organisation.issuer = name("example.com.");
        self.member.issuer = name("example.com.");
        self
    }

    /// A signature by alice, whose certificate an intermediate issued.
    pub(crate) fn through_intermediate() -> Self {
        let mut parts = Self::domain_auth();
        let organisation = &mut parts.organisation;
        organisation.extensions[BASIC_CONSTRAINTS] =
            basic_constraints(&[boolean(0xff), integer(&[1])]);
        let intermediate = Certificate::intermediate(
            intermediate_key(),
            "Help desk",
            organisation,
            organisation_key(),
            0,
        );
        parts.member = Certificate::member_of(member_key(), &intermediate, intermediate_key());
        parts.intermediates = vec![intermediate];
        parts
    }

    /// A signature by alice, with two intermediates between the organisation and her.
    pub(crate) fn through_two_intermediates() -> Self {
        let mut parts = Self::through_intermediate();
        parts.organisation.extensions[BASIC_CONSTRAINTS] =
            basic_constraints(&[boolean(0xff), integer(&[2])]);
        let upper = &mut parts.intermediates[0];
        upper.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0xff), integer(&[1])]);
        let lower = Certificate::intermediate(
            lower_intermediate_key(),
            "Night shift",
            upper,
            intermediate_key(),
            0,
        );
        parts.member = Certificate::member_of(member_key(), &lower, lower_intermediate_key());
        parts.intermediates.push(lower);
        parts
    }

    /// A signature in the organisation's name, attributed to alice, by one to whom it delegates.
    pub(crate) fn delegate() -> Self {
        let mut parts = Self::domain_auth_organisation();
        parts.signed_data.key = intermediate_key();
        parts.delegate = Some(Certificate::intermediate(
            intermediate_key(),
            "Signer",
            &parts.organisation,
            organisation_key(),
            0,
        ));
        parts
    }

    /// Makes another key the organisation's, everywhere.
    pub(crate) fn organisation_with(key: &'static Key) -> Self {
        let mut parts = Self::organisation();
        parts.organisation = Certificate::organisation(key);
        parts.records = vec![key.record("3600")];
        parts.signed_data.key = key;
        parts
    }

    /// The zones, and what they answer. The same for the same records: what is remembered of one bundle can then be mistaken
    /// for another's, if that is possible at all.
    fn world(&self) -> (World, Responses) {
        type Records = (&'static str, Vec<String>, (i64, i64));
        static WORLDS: Mutex<Vec<(Records, World, Responses)>> = Mutex::new(Vec::new());
        let records = (self.owner, self.records.clone(), self.dnssec_window);
        let mut worlds = WORLDS.lock().unwrap();
        if let Some((_, world, responses)) = worlds.iter().find(|(known, ..)| *known == records) {
            return (world.clone(), responses.clone());
        }
        let world = self.make_world();
        let responses = world.responses(self.owner, TXT);
        worlds.push((records, world.clone(), responses.clone()));
        (world, responses)
    }

    fn make_world(&self) -> World {
        let (inception, expiration) = self.dnssec_window;
        let mut world = World::builder()
            .at(NOON)
            .window(inception, expiration)
            .zone(".", Algorithm::Ed25519)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::Ed25519);
        for record in &self.records {
            world = world.txt(self.owner, record);
        }
        world.build()
    }

    /// The chain as DER, and the anchors to verify it with.
    pub(crate) fn chain(&self) -> (Vec<u8>, TrustAnchors) {
        let (world, mut responses) = self.world();
        (self.spoil_chain)(&world, &mut responses);
        responses.0.extend(self.further_responses.clone());
        (responses.to_der(), world.anchors().parse().unwrap())
    }

    fn envelope(&self, organisation: &[u8], last: &[u8]) -> (Vec<u8>, TrustAnchors) {
        let (chain, anchors) = self.chain();
        let bundle = sequence(&[
            self.bundle_version.clone(),
            retag(0xa1, &chain),
            retag(0xa2, organisation),
            retag(0xa3, last),
            self.bundle_tail.clone(),
        ]);
        (bundle, anchors)
    }

    /// The bundle that the member would sign with, and the anchors to verify it with.
    pub(crate) fn build_member_id(&self) -> (Vec<u8>, TrustAnchors) {
        let (mut bundle, anchors) =
            self.envelope(&self.organisation.to_der(), &self.member.to_der());
        if !self.intermediates.is_empty() {
            let intermediates: Vec<_> =
                self.intermediates.iter().map(Certificate::to_der).collect();
            bundle = sequence(&[
                der::content(&bundle),
                &context(4, &concat(&intermediates))[..],
            ]);
        }
        (bundle, anchors)
    }

    /// The reason for which that bundle is refused.
    pub(crate) fn member_id_reason(&self) -> &'static str {
        let (bundle, anchors) = self.build_member_id();
        MemberIdBundle::from_der(&bundle)
            .and_then(|bundle| {
                bundle.verify(
                    &Verification::new(self.service, self.required, &anchors)
                        .with_policy(self.policy),
                )
            })
            .map_or_else(|error| error.reason(), |_| "valid")
    }

    /// The reason for which the organisation's certificate by itself is refused.
    pub(crate) fn organisation_reason(&self) -> &'static str {
        let (chain, anchors) = self.chain();
        let verification = Verification::new(self.service, self.required, &anchors);
        OrganisationCertificate::from_der(&self.organisation.to_der())
            .and_then(|certificate| {
                certificate.verify(&chain, &verification.with_policy(self.policy))
            })
            .map_or_else(|error| error.reason(), |_| "valid")
    }

    /// The bundle and the anchors to verify it with.
    pub(crate) fn build(&self) -> (Vec<u8>, TrustAnchors) {
        // Each encoding has a signature of its own.
        let organisation = self.organisation.to_der();
        let mut signed_data = self.signed_data.clone();
        if self.organisation_attached {
            signed_data.further_certificates.push(organisation.clone());
        }
        let intermediates = self.intermediates.iter().map(Certificate::to_der);
        signed_data.further_certificates.extend(intermediates);
        let signature = if let Some(delegate) = &self.delegate {
            signed_data.to_der(delegate, Some(delegate.to_der()))
        } else if self.signed_by_organisation {
            signed_data.to_der(&self.organisation, None)
        } else {
            signed_data.to_der(&self.member, Some(self.member.to_der()))
        };
        self.envelope(&organisation, &signature)
    }

    /// Builds and verifies; gives what `check` makes of the outcome.
    pub(crate) fn verify<T>(
        &self,
        check: impl FnOnce(Result<VerifiedSignature<'_>, VerifyError>) -> T,
    ) -> T {
        let (bundle, anchors) = self.build();
        let mut verification =
            Verification::new(self.service, self.required, &anchors).with_policy(self.policy);
        if let Some(content) = &self.detached_content {
            verification = verification.with_detached_content(content);
        }
        check(SignatureBundle::from_der(&bundle).and_then(|bundle| bundle.verify(&verification)))
    }

    /// The reason for which it is refused by a verifier that asks the same, and has verified `other` before. `None` if there
    /// is none: such a verifier takes attached content alone.
    pub(crate) fn reason_after(&self, other: &Self) -> Option<&'static str> {
        if self.detached_content.is_some() {
            return None;
        }
        let (bundle, anchors) = self.build();
        let verifier =
            Verifier::new(self.service, anchors, self.policy).with_memory(MemoryLimits {
                organisation_octets: 1 << 20,
                signer_octets: 1 << 20,
            });
        let verify = |bundle: &[u8]| {
            BundleOutline::from_der(bundle)
                .and_then(|bundle| verifier.verify(bundle, self.required).map(drop))
                .map_or_else(|error| error.reason(), |()| "valid")
        };
        verify(&other.build().0);
        let reason = verify(&bundle);
        // What is refused once is refused again.
        assert_eq!(verify(&bundle), reason);
        Some(reason)
    }

    /// The reason for which it is refused.
    pub(crate) fn reason(&self) -> &'static str {
        self.verify(|outcome| outcome.map_or_else(|error| error.reason(), |_| "valid"))
    }
}
