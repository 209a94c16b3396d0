//! TXT records of both dialects: which key they are about, and which of several counts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test that is how to fail"
)]

use std::sync::LazyLock;

use veraid::{
    Dialect, DigestType, Error, KeyAlgorithm, ObjectIdentifier, PrivateKey, PublicKey,
    SigningKey as _, TtlOverride, TxtRecord, TxtRecordKeyError,
};

const SERVICE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.58708.3.0");
const OTHER_SERVICE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4");

fn hours(hours: u32) -> TtlOverride {
    TtlOverride::from_seconds(3_600 * hours).unwrap()
}

fn generate() -> PublicKey {
    let key = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    key.public_key().clone()
}

static KEY: LazyLock<PublicKey> = LazyLock::new(generate);
static OTHER_KEY: LazyLock<PublicKey> = LazyLock::new(generate);

/// A record for a key, with that many hours of TTL override to know it by.
fn record(
    key: &PublicKey,
    dialect: Dialect,
    mark: u32,
    service: Option<ObjectIdentifier>,
) -> TxtRecord {
    TxtRecord::new(key, dialect, hours(mark), service).unwrap()
}

/// The TTL override, in hours, of the record that counts for the key and the service.
fn selected(records: &[TxtRecord]) -> Result<u32, Error> {
    let record = TxtRecord::select(records.iter().cloned(), &KEY, SERVICE)?;
    Ok(record.ttl_override().seconds() / 3_600)
}

#[test]
fn a_record_reads_as_it_was_written_in_both_dialects() {
    for &dialect in Dialect::ALL {
        for service in [None, Some(SERVICE)] {
            for &digest_type in DigestType::ALL {
                let record =
                    TxtRecord::with_digest_type(&KEY, dialect, digest_type, hours(1), service);
                if digest_type == DigestType::None {
                    let error = TxtRecordKeyError::DigestType {
                        algorithm: KeyAlgorithm::Rsa2048,
                        dialect,
                    };
                    assert_eq!(record, Err(error));
                    continue;
                }
                let record = record.unwrap();
                let text = record.to_string();
                assert_eq!(TxtRecord::from_text(&text, dialect), Ok(record.clone()));
                assert_eq!(record.key_id(), &KEY.key_id(digest_type));
                assert!(record.is_about(&KEY));
                assert!(!record.is_about(&OTHER_KEY));
                for &other in Dialect::ALL.iter().filter(|&&other| other != dialect) {
                    assert_eq!(TxtRecord::parse(text.as_bytes(), other), None);
                }
            }
        }
    }
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
    let longest = ObjectIdentifier::new(&format!("2.39{arcs}")).unwrap();
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
            assert!(matches!(selected(&records), Err(Error::AmbiguousRecord)));
            let records = [1, 2].map(|mark| record(&KEY, dialect, mark, service));
            assert!(matches!(selected(&records), Err(Error::AmbiguousRecord)));
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
        assert!(matches!(selected(&[other]), Err(Error::NoMatchingRecord)));
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
    }
}
