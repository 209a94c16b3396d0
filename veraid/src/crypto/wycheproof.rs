//! The vectors of Project Wycheproof (`tests/vectors/wycheproof`), with each back end.
//!
//! All results are as expected, with these exceptions. No vector here is merely "acceptable".
//!
//! - Valid ML-DSA signatures with a context are refused, because ours have none (RFC 9881 §3, RFC
//!   9882 §3.2): two in each file.
//! - [`REFUSED_BY_OQS`]: one in each file of ML-DSA, by liboqs on processors with AVX2.

use std::io::Read as _;

use serde_json::Value as Json;

use super::tests::verifies;
use super::*;
use crate::asn1::{Value, tag};
use crate::key::PublicKeyRef;

/// Valid signatures that liboqs 0.13 refuses where it uses AVX2. Their signer crafted them so that
/// a hint is on a coefficient whose low part is 0, which that code rounds the wrong way (FIPS 204
/// §7.4, algorithm 40). Honest signers do not make such signatures, and only the holder of the key
/// can. See <https://github.com/pq-crystals/dilithium/issues/113>.
const REFUSED_BY_OQS: [(KeyAlgorithm, u64); 3] = [
    (KeyAlgorithm::MlDsa44, 147),
    (KeyAlgorithm::MlDsa65, 161),
    (KeyAlgorithm::MlDsa87, 174),
];

/// Returns true if this processor has AVX2.
fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// A file, and its contents.
struct File {
    name: &'static str,
    key: KeyAlgorithm,
    signature: SignatureAlgorithm,
    tests: usize,
    /// The number of valid signatures.
    valid: usize,
    /// The number of valid signatures with a context, which must be refused.
    in_context: usize,
}

const fn file(
    name: &'static str,
    key: KeyAlgorithm,
    [tests, valid, in_context]: [usize; 3],
) -> File {
    File {
        name,
        key,
        signature: SignatureAlgorithm::written_by(key),
        tests,
        valid,
        in_context,
    }
}

const fn rsa_pss(
    name: &'static str,
    key: KeyAlgorithm,
    hash: HashAlgorithm,
    [tests, valid]: [usize; 2],
) -> File {
    File {
        signature: SignatureAlgorithm::RsassaPss(hash),
        ..file(name, key, [tests, valid, 0])
    }
}

const FILES: [File; 12] = [
    rsa_pss(
        "rsa_pss_2048_sha256_mgf1_32",
        KeyAlgorithm::Rsa2048,
        HashAlgorithm::Sha256,
        [108, 63],
    ),
    rsa_pss(
        "rsa_pss_2048_sha384_mgf1_48",
        KeyAlgorithm::Rsa2048,
        HashAlgorithm::Sha384,
        [141, 95],
    ),
    rsa_pss(
        "rsa_pss_3072_sha256_mgf1_32",
        KeyAlgorithm::Rsa3072,
        HashAlgorithm::Sha256,
        [108, 63],
    ),
    rsa_pss(
        "rsa_pss_4096_sha256_mgf1_32",
        KeyAlgorithm::Rsa4096,
        HashAlgorithm::Sha256,
        [108, 63],
    ),
    rsa_pss(
        "rsa_pss_4096_sha384_mgf1_48",
        KeyAlgorithm::Rsa4096,
        HashAlgorithm::Sha384,
        [141, 95],
    ),
    rsa_pss(
        "rsa_pss_4096_sha512_mgf1_64",
        KeyAlgorithm::Rsa4096,
        HashAlgorithm::Sha512,
        [179, 132],
    ),
    file(
        "ecdsa_secp256r1_sha256",
        KeyAlgorithm::EcdsaP256,
        [484, 174, 0],
    ),
    file(
        "ecdsa_secp384r1_sha384",
        KeyAlgorithm::EcdsaP384,
        [504, 194, 0],
    ),
    file("ed25519", KeyAlgorithm::Ed25519, [151, 88, 0]),
    file("mldsa_44_verify", KeyAlgorithm::MlDsa44, [180, 77, 2]),
    file("mldsa_65_verify", KeyAlgorithm::MlDsa65, [210, 79, 2]),
    file("mldsa_87_verify", KeyAlgorithm::MlDsa87, [241, 71, 2]),
];

/// One signature to verify.
struct Vector {
    number: u64,
    name: String,
    /// The DER `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
    message: Vec<u8>,
    context: Vec<u8>,
    signature: Vec<u8>,
    valid: bool,
}

fn octets(json: &Json, field: &str) -> Vec<u8> {
    let text = json.get(field).and_then(Json::as_str).unwrap_or_default();
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .unwrap()
}

fn list<'j>(json: &'j Json, field: &str) -> impl Iterator<Item = &'j Json> {
    json.get(field).and_then(Json::as_array).unwrap().iter()
}

impl File {
    fn read(&self) -> Json {
        let path = format!(
            "{}/tests/vectors/wycheproof/{}.json.gz",
            env!("CARGO_MANIFEST_DIR"),
            self.name
        );
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn vectors(&self) -> Vec<Vector> {
        let json = self.read();
        let groups = list(&json, "testGroups");
        let vectors = groups.flat_map(|group| {
            list(group, "tests").map(|test| Vector {
                number: test.get("tcId").and_then(Json::as_u64).unwrap(),
                name: format!(
                    "{} {}: {}",
                    self.name,
                    test.get("tcId").unwrap(),
                    test.get("comment").unwrap()
                ),
                spki: octets(group, "publicKeyDer"),
                message: octets(test, "msg"),
                context: octets(test, "ctx"),
                signature: octets(test, "sig"),
                valid: match test.get("result").and_then(Json::as_str) {
                    Some("valid") => true,
                    Some("invalid") => false,
                    other => panic!("{other:?} is no verdict"),
                },
            })
        });
        vectors.collect()
    }

    /// The result of a back end for a vector. It is not asked about a key that cannot be parsed.
    fn verify(&self, back_end: &dyn BackEnd, vector: &Vector) -> Result<(), Failure> {
        let spki = Value::whole(&vector.spki, tag::SEQUENCE, "a SubjectPublicKeyInfo");
        let key = PublicKeyRef::parse(spki.map_err(|_| Failure::Refused)?);
        let key = key.map_err(|_| Failure::Refused)?;
        assert_eq!(key.algorithm, self.key, "{}", vector.name);
        assert!(key.makes(self.signature), "{}", vector.name);
        let verdict = back_end.verify(
            self.signature,
            key.bare(),
            &vector.message,
            &vector.signature,
        );
        let prepared = back_end
            .prepare(self.signature, key.bare())
            .and_then(|key| key.verify(&vector.message, &vector.signature));
        if prepared != Err(Failure::Lacking) {
            assert_eq!(prepared, verdict, "{}: with a prepared key", vector.name);
        }
        verdict
    }
}

#[test]
fn every_verdict_is_met() {
    for file in &FILES {
        let vectors = file.vectors();
        assert_eq!(vectors.len(), file.tests, "{}", file.name);
        let count = |wanted: &dyn Fn(&Vector) -> bool| {
            let found = vectors.iter().filter(|vector| wanted(vector));
            found.count()
        };
        let valid_in_context = |vector: &Vector| vector.valid && !vector.context.is_empty();
        assert_eq!(count(&|vector| vector.valid), file.valid, "{}", file.name);
        assert_eq!(count(&valid_in_context), file.in_context, "{}", file.name);
        for back_end in BACK_ENDS {
            let name = back_end.feature();
            if !verifies(name, file.key) {
                continue;
            }
            let wrong: Vec<_> = vectors
                .iter()
                .filter(|vector| {
                    let excepted = name == "oqs"
                        && has_avx2()
                        && REFUSED_BY_OQS.contains(&(file.key, vector.number));
                    let good = vector.valid && !valid_in_context(vector) && !excepted;
                    let verdict = if good { Ok(()) } else { Err(Failure::Refused) };
                    file.verify(*back_end, vector) != verdict
                })
                .map(|vector| (&vector.name, vector.valid))
                .collect();
            assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        }
    }
}
