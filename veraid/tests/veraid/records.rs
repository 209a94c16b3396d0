//! TXT records of both dialects: which key they are about, and which of several counts.

use std::sync::LazyLock;

use crate::support::der::*;
use crate::support::*;
use data_encoding::{BASE64, BASE64_NOPAD};
use veraid::{
    Dialect, DigestType, KeyAlgorithm, PublicKey, ServiceOid, TtlOverride, TxtRecord,
    TxtRecordKeyError, VerifyError,
};

const SERVICE: ServiceOid = ServiceOid::from_arcs(&[1, 3, 6, 1, 4, 1, 58708, 3, 0]).unwrap();
const OTHER_SERVICE: ServiceOid = ServiceOid::from_arcs(&[1, 2, 3, 4]).unwrap();

fn hours(hours: u32) -> TtlOverride {
    TtlOverride::from_seconds(3_600 * hours).unwrap()
}

/// A key of a form that records know, whether or not it is of any use.
fn key(spki: &[u8]) -> PublicKey {
    PublicKey::from_spki_der(spki).unwrap()
}

fn bare_key(algorithm: &[Vec<u8>], octets: &[u8]) -> PublicKey {
    key(&sequence(&[sequence(algorithm), bit_string(octets)]))
}

fn rsa(bits: usize) -> PublicKey {
    key(&spki_of(&modulus_of(bits), &[1, 0, 1]))
}

/// An uncompressed point (SEC 1 §2.3.3), on the curve or not.
fn elliptic(curve: &str, octets: usize) -> PublicKey {
    let point = [&[4][..], &vec![7; 2 * octets]].concat();
    bare_key(&[oid("1.2.840.10045.2.1"), oid(curve)], &point)
}

fn ml_dsa(identifier: &str, octets: usize) -> PublicKey {
    bare_key(&[oid(identifier)], &vec![7; octets])
}

static KEY: LazyLock<PublicKey> = LazyLock::new(|| rsa(2_048));
static OTHER_KEY: LazyLock<PublicKey> = LazyLock::new(|| key(&spki_of(&modulus_of(2_048), &[3])));

/// A key of each algorithm that records can be about, and two of one that they cannot.
static KEYS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    let keys = vec![
        rsa(2_048),
        rsa(3_072),
        rsa(4_096),
        bare_key(&[oid("1.3.101.112")], &[7; 32]),
        elliptic("1.2.840.10045.3.1.7", 32),
        elliptic("1.3.132.0.34", 48),
        ml_dsa("2.16.840.1.101.3.4.3.17", 1_312),
        ml_dsa("2.16.840.1.101.3.4.3.18", 1_952),
        ml_dsa("2.16.840.1.101.3.4.3.19", 2_592),
        rsa(2_560),
        rsa(8_192),
    ];
    let algorithms: Vec<KeyAlgorithm> = keys.iter().map(PublicKey::algorithm).collect();
    assert!(algorithms.starts_with(KeyAlgorithm::ALL));
    keys
});

/// The algorithms whose keys are small enough to stand in a record themselves.
const COMPACT: [KeyAlgorithm; 3] = [
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
];

/// A record for a key, with that many hours of TTL override to know it by.
fn record(key: &PublicKey, dialect: Dialect, mark: u32, service: Option<ServiceOid>) -> TxtRecord {
    TxtRecord::new(key, dialect, hours(mark), service).unwrap()
}

/// The TTL override, in hours, of the record that counts for the key and the service.
fn selected(records: &[TxtRecord]) -> Result<u32, VerifyError> {
    let record = TxtRecord::select(records.iter().cloned(), &KEY, SERVICE)?;
    Ok(record.ttl_override().seconds() / 3_600)
}

#[test]
fn a_record_reads_as_it_was_written_for_every_key_dialect_and_digest_type() {
    for key in KEYS.iter() {
        let algorithm = key.algorithm();
        for &dialect in Dialect::ALL {
            for &digest_type in DigestType::ALL {
                for service in [None, Some(SERVICE)] {
                    let record =
                        TxtRecord::with_digest_type(key, dialect, digest_type, hours(1), service);
                    let has_number = algorithm.record_number().is_some()
                        && (dialect == Dialect::DomainAuth || !algorithm.is_experimental());
                    let fits = digest_type != DigestType::None
                        || dialect == Dialect::DomainAuth && COMPACT.contains(&algorithm);
                    assert_eq!(
                        digest_type.may_identify(algorithm, dialect),
                        has_number && fits
                    );
                    if !has_number {
                        assert_eq!(
                            record,
                            Err(TxtRecordKeyError::NoNumber { algorithm, dialect })
                        );
                        continue;
                    }
                    if !fits {
                        assert_eq!(
                            record,
                            Err(TxtRecordKeyError::DigestType { algorithm, dialect })
                        );
                        continue;
                    }
                    let record = record.unwrap();
                    let text = record.to_string();
                    assert_eq!(TxtRecord::from_text(&text, dialect), Ok(record.clone()));
                    assert_eq!(record.key_id(), &key.key_id(digest_type));
                    assert_eq!(record.service(), service);
                    for other in KEYS.iter() {
                        assert_eq!(record.is_about(other), other == key, "{text}");
                    }
                    for &other in Dialect::ALL.iter().filter(|&&other| other != dialect) {
                        assert_eq!(TxtRecord::parse(text.as_bytes(), other), None);
                    }
                }
            }
        }
    }
}

/// Numbers 240 to 246 are this project's own, until a registry assigns some.
#[test]
fn veraid_records_are_never_about_experimental_keys() {
    for key in KEYS.iter().filter(|key| key.algorithm().is_experimental()) {
        let record = TxtRecord::new(key, Dialect::DomainAuth, hours(1), None).unwrap();
        let number = key.algorithm().record_number().unwrap();
        let text = record.to_string();
        assert!(text.starts_with(&format!("0 {number} 1 ")), "{text}");
        for text in [
            text.trim_start_matches("0 "),
            &text.replacen("0 ", "", 1).replacen(" 1 ", " ", 1),
        ] {
            assert_eq!(
                TxtRecord::parse(text.as_bytes(), Dialect::VeraId),
                None,
                "{text}"
            );
        }
    }
}

#[test]
fn a_key_in_a_record_is_one_of_the_algorithm_that_is_named() {
    for key in KEYS.iter().filter(|key| COMPACT.contains(&key.algorithm())) {
        let record =
            TxtRecord::with_digest_type(key, Dialect::DomainAuth, DigestType::None, hours(1), None);
        let record = record.unwrap();
        assert_eq!(record.key_id().as_bytes(), key.as_spki_der());
        assert_eq!(record.key_id().digest_type(), DigestType::None);
        assert!(record.to_rdata().len() <= 255, "one character string");
        let text = record.to_string();
        let number = key.algorithm().record_number().unwrap();
        for other in KeyAlgorithm::ALL
            .iter()
            .filter(|&&other| other != key.algorithm())
        {
            let named = format!("0 {} 0 ", other.record_number().unwrap());
            let swapped = text.replacen(&format!("0 {number} 0 "), &named, 1);
            assert_ne!(swapped, text);
            assert_eq!(
                TxtRecord::parse(swapped.as_bytes(), Dialect::DomainAuth),
                None
            );
        }
    }
}

#[test]
fn digest_types_cannot_be_swapped() {
    for key in KEYS.iter().filter(|key| COMPACT.contains(&key.algorithm())) {
        let text = |digest_type| {
            let record =
                TxtRecord::with_digest_type(key, Dialect::DomainAuth, digest_type, hours(1), None);
            record.unwrap().to_string()
        };
        let number = key.algorithm().record_number().unwrap();
        for (&is, is_number) in DigestType::ALL.iter().zip(0..) {
            for (&said, said_number) in DigestType::ALL.iter().zip(0..) {
                let begin = |digest_type: u8| format!("0 {number} {digest_type} ");
                let swapped = text(is).replacen(&begin(is_number), &begin(said_number), 1);
                let record = TxtRecord::parse(swapped.as_bytes(), Dialect::DomainAuth);
                assert_eq!(record.is_some(), is == said, "{swapped}");
            }
        }
    }
}

#[test]
fn a_key_in_a_record_is_refused_with_octets_behind_it_or_missing() {
    let key = KEYS
        .iter()
        .find(|key| key.algorithm() == KeyAlgorithm::Ed25519)
        .unwrap();
    let spki = key.as_spki_der();
    let parse = |octets: &[u8]| {
        let text = format!("0 240 0 {} 3600", BASE64_NOPAD.encode(octets));
        TxtRecord::parse(text.as_bytes(), Dialect::DomainAuth)
    };
    assert!(parse(spki).unwrap().is_about(key));
    assert_eq!(parse(&[spki, &[0]].concat()), None);
    assert_eq!(parse(&spki[..spki.len() - 1]), None);
    // The 32 octets of the key without what says that it is one.
    assert_eq!(parse(&spki[12..]), None);
    assert_eq!(parse(&[]), None);
}

#[test]
fn a_zone_line_has_the_owner_and_the_form_of_its_dialect() {
    let domain = "example.com".parse().unwrap();
    let line = |dialect| {
        let record = record(&KEY, dialect, 1, Some(SERVICE));
        (record.to_zone_line(&domain).unwrap(), record)
    };
    let (veraid, record) = line(Dialect::VeraId);
    assert_eq!(
        veraid,
        format!("_veraid.example.com. 3600 IN TXT \"{record}\"")
    );
    let (domain_auth, record) = line(Dialect::DomainAuth);
    assert_eq!(
        domain_auth,
        format!("_domainauth.example.com. 3600 IN TXT \"{record}\"")
    );
    assert!(record.to_string().starts_with("0 1 1 "), "{record}");
    assert!(!record.to_string().contains('='), "{record}");
}

#[test]
fn a_record_too_long_for_a_character_string_is_written_as_two() {
    let arcs = [".127"; 38].concat();
    let longest: ServiceOid = format!("2.39{arcs}").parse().unwrap();
    let rdata = |digest_type| {
        let record = TxtRecord::with_digest_type(
            &KEY,
            Dialect::VeraId,
            digest_type,
            TtlOverride::MAX,
            Some(longest),
        );
        let record = record.unwrap();
        (record.to_rdata(), record.to_string())
    };
    let (one, text) = rdata(DigestType::Sha256);
    assert_eq!(one, format!("\"{text}\""));
    let (two, text) = rdata(DigestType::Sha512);
    assert!(text.len() > 255);
    let strings: Vec<&str> = two
        .split('"')
        .filter(|part| !part.trim().is_empty())
        .collect();
    assert_eq!(strings.iter().map(|part| part.len()).max(), Some(255));
    assert_eq!(strings.concat(), text);
}

#[test]
fn a_specific_record_wins_over_a_general_one() {
    for &dialect in Dialect::ALL {
        let general = record(&KEY, dialect, 1, None);
        let specific = record(&KEY, dialect, 2, Some(SERVICE));
        let other_service = record(&KEY, dialect, 3, Some(OTHER_SERVICE));
        let other_key = record(&OTHER_KEY, dialect, 4, Some(SERVICE));
        let hours = |records: &[&TxtRecord]| {
            let records: Vec<TxtRecord> = records.iter().copied().cloned().collect();
            selected(&records).ok()
        };
        assert_eq!(hours(&[&general, &specific]), Some(2));
        assert_eq!(hours(&[&specific, &general]), Some(2));
        assert_eq!(hours(&[&other_service, &other_key, &general]), Some(1));
        assert_eq!(hours(&[&general, &general, &specific]), Some(2));
        assert_eq!(hours(&[&other_service, &other_key]), None);
        assert_eq!(hours(&[]), None);
    }
}

#[test]
fn several_records_of_the_kind_that_counts_are_ambiguous() {
    for &dialect in Dialect::ALL {
        for service in [None, Some(SERVICE)] {
            let digests = [DigestType::Sha256, DigestType::Sha512];
            // Another digest type, or another TTL override, is another record for the same key.
            let records = digests.map(|digest_type| {
                TxtRecord::with_digest_type(&KEY, dialect, digest_type, hours(1), service).unwrap()
            });
            assert!(matches!(
                selected(&records),
                Err(VerifyError::AmbiguousRecord)
            ));
            let records = [1, 2].map(|mark| record(&KEY, dialect, mark, service));
            assert!(matches!(
                selected(&records),
                Err(VerifyError::AmbiguousRecord)
            ));
        }
    }
}

#[test]
fn a_record_is_never_about_a_key_of_another_algorithm() {
    for &dialect in Dialect::ALL {
        let text = TxtRecord::with_digest_type(&KEY, dialect, DigestType::Sha512, hours(1), None);
        let text = text.unwrap().to_string();
        let (listed, other) = match dialect {
            Dialect::VeraId => ("1 3 ", "2 3 "),
            _ => ("0 1 3 ", "0 2 3 "),
        };
        let other = TxtRecord::from_text(&text.replacen(listed, other, 1), dialect).unwrap();
        assert_eq!(other.key_algorithm(), KeyAlgorithm::Rsa3072);
        assert_eq!(other.key_id(), &KEY.key_id(DigestType::Sha512));
        assert!(!other.is_about(&KEY));
        assert!(matches!(
            selected(&[other]),
            Err(VerifyError::NoMatchingRecord)
        ));
    }
}

#[test]
fn the_default_digest_follows_the_key_size_in_veraid_and_is_sha_256_in_domain_auth() {
    for (algorithm, veraid) in [
        (KeyAlgorithm::Rsa2048, DigestType::Sha256),
        (KeyAlgorithm::Rsa3072, DigestType::Sha384),
        (KeyAlgorithm::Rsa4096, DigestType::Sha512),
    ] {
        assert_eq!(DigestType::default_for(algorithm, Dialect::VeraId), veraid);
    }
    for &algorithm in KeyAlgorithm::ALL {
        let digest_type = DigestType::default_for(algorithm, Dialect::DomainAuth);
        assert_eq!(digest_type, DigestType::Sha256);
        let key = KEYS
            .iter()
            .find(|key| key.algorithm() == algorithm)
            .unwrap();
        let record = TxtRecord::new(key, Dialect::DomainAuth, hours(1), None).unwrap();
        assert_eq!(record.key_id().digest_type(), DigestType::Sha256);
    }
}

#[test]
fn a_key_id_is_shown_in_base64() {
    for &dialect in Dialect::ALL {
        let record = TxtRecord::new(&KEY, dialect, hours(1), None).unwrap();
        let key_id = record.key_id();
        assert_eq!(key_id.to_string(), BASE64.encode(key_id.as_bytes()));
        assert_eq!(format!("{key_id:.4}").len(), 4);
    }
}
