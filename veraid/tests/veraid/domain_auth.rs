//! DomainAuth v1: what it allows beyond VeraId, and what must be refused, for which reason. Each case is a good bundle with
//! one thing wrong with it, verified from the chain to the signature and from the signature to the chain.

#![allow(clippy::too_many_lines, reason = "tables of cases are long")]

use crate::cases;
use crate::support::der::*;
use crate::support::*;
use kliento_fixture_cases::tables::domain_auth;
use veraid::dnssec::Work;
use veraid::{Dialect, KeyAlgorithm, Policy, SignedBy};

/// 90 days in seconds, the longest that anything may be valid.
const LIMIT: i64 = 90 * DAY;

/// How to make something good.
type Good = fn() -> Parts;

const KINDS: [(&str, Good); 5] = [
    ("member", Parts::domain_auth),
    ("organisation", Parts::domain_auth_organisation),
    ("intermediate", Parts::through_intermediate),
    ("two intermediates", Parts::through_two_intermediates),
    ("delegate", Parts::delegate),
];

/// A name as `UTF8String`.
fn utf8_name(text: &str) -> Vec<u8> {
    sequence(&[common_name(utf8_string(text))])
}

fn valid_from_to(start: &str, end: &str) -> Vec<u8> {
    sequence(&[utc_time(start), utc_time(end)])
}

#[test]
fn the_result_says_which_dialect_it_was_and_who_signed() {
    for (kind, parts) in KINDS {
        parts().verify(|outcome| {
            let verified = outcome.unwrap();
            assert_eq!(verified.dialect(), Dialect::DomainAuth, "{kind}");
            assert_eq!(verified.member_id().to_string(), "alice@example.com");
            let (signed_by, is_delegated) = match kind {
                "organisation" => (SignedBy::Organisation, false),
                "delegate" => (SignedBy::Organisation, true),
                _ => (SignedBy::Member, false),
            };
            assert_eq!(verified.signed_by(), signed_by, "{kind}");
            assert_eq!(verified.is_delegated(), is_delegated, "{kind}");
        });
    }
    Parts::member().verify(|outcome| assert_eq!(outcome.unwrap().dialect(), Dialect::VeraId));
}

#[test]
fn a_verifier_takes_the_dialects_that_it_was_told_to_take() {
    let policies = [
        (Policy::new(), "valid", "valid"),
        (
            Policy::new().with_only(Dialect::VeraId),
            "valid",
            "veraid.dialect_not_accepted",
        ),
        (
            Policy::new().with_only(Dialect::DomainAuth),
            "veraid.dialect_not_accepted",
            "valid",
        ),
    ];
    for (policy, vera_id, domain_auth) in policies {
        for (mut parts, reason) in [
            (Parts::member(), vera_id),
            (Parts::domain_auth(), domain_auth),
        ] {
            parts.policy = policy;
            assert_eq!(parts.reason(), reason);
            assert_eq!(parts.member_id_reason(), reason);
            assert_eq!(parts.organisation_reason(), reason);
        }
    }
}

#[test]
fn two_policies_together_take_what_both_take() {
    let limit = |units| Policy::new().with_most_work(Work::from_units(units));
    for (one, other, most) in [
        (Policy::new(), Policy::new(), None),
        (limit(10), Policy::new(), Some(10)),
        (Policy::new(), limit(10), Some(10)),
        (limit(10), limit(20), Some(10)),
        (limit(20), limit(10), Some(10)),
    ] {
        assert_eq!(one.and(other).most_work(), most.map(Work::from_units));
    }
    let one = Policy::new()
        .with_only(Dialect::DomainAuth)
        .with_algorithm(KeyAlgorithm::Ed25519)
        .with_algorithm(KeyAlgorithm::EcdsaP256);
    let other = Policy::new()
        .with_algorithm(KeyAlgorithm::EcdsaP256)
        .with_algorithm(KeyAlgorithm::EcdsaP384);
    for both in [one.and(other), other.and(one)] {
        assert!(both.takes(Dialect::DomainAuth) && !both.takes(Dialect::VeraId));
        for &algorithm in KeyAlgorithm::ALL {
            let is_common = !algorithm.is_experimental() || algorithm == KeyAlgorithm::EcdsaP256;
            assert_eq!(both.allows(algorithm), is_common, "{algorithm}");
        }
    }
    let neither = Policy::new().with_only(Dialect::VeraId).and(one);
    assert!(Dialect::ALL.iter().all(|&dialect| !neither.takes(dialect)));
}

#[test]
fn takes_what_the_draft_leaves_open() {
    try_group(domain_auth::add, "allowed");
}

#[test]
fn refuses_certificates_that_are_not_what_they_should_be() {
    try_group(domain_auth::add, "certificates");
    refuse(
        Parts::domain_auth,
        cases! { p:
            "an issuer with an algorithm that is not allowed": { p.organisation.issuer = utf8_name("Some other CA"); p.organisation.signed_by = p256_key(); p.organisation.algorithm(&plain(ECDSA_WITH_SHA_256)); } => "x509.unsupported_signature_algorithm";
        },
    );
}

#[test]
fn refuses_intermediates_that_may_not_be_between() {
    try_group(domain_auth::add, "intermediates");
}

#[test]
fn names_are_compared_as_text_up_to_a_bound_and_octet_by_octet_beyond() {
    // In two octets for each character, and in one.
    for (characters, reason) in [(500, "valid"), (600, "x509.other_issuer")] {
        let text = "x".repeat(characters);
        let mut parts = Parts::through_intermediate();
        parts.intermediates[0].subject = name(&text);
        parts.member.issuer = utf8_name(&text);
        assert_eq!(parts.reason(), reason, "{characters} characters");
        parts.member.issuer = name(&text);
        assert_eq!(parts.reason(), "valid", "{characters} characters");
    }
    // 17 octets are around the text, which makes 1,024.
    for (characters, reason) in [(1_007, "valid"), (1_008, "x509.other_issuer")] {
        let text = "x".repeat(characters);
        let mut parts = Parts::through_intermediate();
        parts.intermediates[0].subject = utf8_name(&text);
        let printable_string = tlv(0x13, text.as_bytes());
        parts.member.issuer = sequence(&[common_name(printable_string)]);
        assert_eq!(parts.reason(), reason, "{characters} characters");
    }
}

/// They are larger than a number of intermediates, so they limit nothing.
#[test]
fn path_lengths_may_have_several_octets() {
    for path_length in [&[1][..], &[0x7f], &[0, 0x80], &[1, 0], &[0x7f; 9]] {
        let constraints = basic_constraints(&[boolean(0xff), integer(path_length)]);
        let mut parts = Parts::through_intermediate();
        parts.organisation.extensions[BASIC_CONSTRAINTS] = constraints.clone();
        parts.intermediates[0].extensions[BASIC_CONSTRAINTS] = constraints;
        assert_eq!(parts.reason(), "valid", "{path_length:?}");
    }
}

/// Certificates that lead nowhere: as many as `counts` says with each name, issued by all with the next one.
fn dead_ends(counts: [u8; 3]) -> Parts {
    let mut parts = Parts::through_intermediate();
    let model = parts.intermediates.remove(0);
    let level = |number: usize| name(&format!("level {number}"));
    let mut serial_number = 0;
    for (number, count) in counts.into_iter().enumerate() {
        for _ in 0..count {
            serial_number += 1;
            let mut certificate = model.clone();
            certificate.serial_number = integer(&[serial_number]);
            certificate.subject = level(number);
            certificate.issuer = level(number + 1);
            certificate.extensions = vec![basic_constraints(&[boolean(0xff)])];
            parts.intermediates.push(certificate);
        }
    }
    parts.member.issuer = level(0);
    parts.member.extensions.truncate(1);
    parts
}

#[test]
fn a_search_for_paths_takes_at_most_128_steps() {
    // 8 + 8 × 3 + 8 × 3 × 4, and 3 + 3 × 6 + 3 × 6 × 6.
    assert_eq!(dead_ends([8, 3, 4]).reason(), "x509.other_issuer");
    assert_eq!(dead_ends([3, 6, 6]).reason(), "x509.path_budget_exhausted");
}

#[test]
fn a_search_for_paths_ends() {
    let mut parts = Parts::through_intermediate();
    // Each issued each: sixteen of one name, all self-issued.
    let model = parts.intermediates[0].clone();
    parts.intermediates = (0..15)
        .map(|number| {
            let mut one = model.clone();
            one.issuer = one.subject.clone();
            one.serial_number = integer(&[number + 1]);
            one.extensions.truncate(1);
            one
        })
        .collect();
    parts.member.extensions.truncate(1);
    assert_eq!(parts.reason(), "x509.path_budget_exhausted");
}

#[test]
fn several_paths_may_lead_to_the_organisation() {
    // The same intermediate, certified twice: one of the certificates has expired.
    let mut parts = Parts::through_intermediate();
    let mut expired = parts.intermediates[0].clone();
    expired.serial_number = integer(&[0x44]);
    expired.validity = valid_from_to("261120000000Z", "261121000000Z");
    parts.intermediates.insert(0, expired);
    assert_eq!(parts.reason(), "valid");
    // The other has a broken signature.
    parts.intermediates[1].corrupt = true;
    assert_eq!(parts.reason(), "x509.bad_signature");
}

#[test]
fn paths_that_share_a_certificate_share_what_was_found_of_its_signature() {
    // The lower intermediate, certified twice by the upper one: two paths, with one certificate above both.
    let certified_twice = || {
        let mut parts = Parts::through_two_intermediates();
        let mut other = parts.intermediates[1].clone();
        other.serial_number = integer(&[0x44]);
        parts.intermediates.insert(1, other);
        parts
    };
    assert_eq!(certified_twice().reason(), "valid");
    // Whichever of the two holds is enough.
    for broken in [1, 2] {
        let mut parts = certified_twice();
        parts.intermediates[broken].corrupt = true;
        assert_eq!(parts.reason(), "valid");
    }
    let mut parts = certified_twice();
    parts.intermediates[1].corrupt = true;
    parts.intermediates[2].corrupt = true;
    assert_eq!(parts.reason(), "x509.bad_signature");
    // Nothing below the shared certificate makes up for its own signature.
    let mut parts = certified_twice();
    parts.intermediates[0].corrupt = true;
    assert_eq!(parts.reason(), "x509.bad_signature");
}

#[test]
fn refuses_organisation_signatures_by_whoever_the_organisation_does_not_delegate_to() {
    try_group(domain_auth::add, "delegates");
    // In VeraId nobody signs in the organisation's place.
    let mut parts = Parts::organisation();
    parts.signed_data.key = intermediate_key();
    parts.delegate = Some(Certificate::intermediate(
        intermediate_key(),
        "Signer",
        &parts.organisation,
        organisation_key(),
        0,
    ));
    assert_eq!(parts.reason(), "veraid.attribution_by_member");
}

#[test]
fn vera_id_has_no_intermediates() {
    let mut parts = Parts::member();
    parts.organisation.extensions[BASIC_CONSTRAINTS] =
        basic_constraints(&[boolean(0xff), integer(&[1])]);
    let intermediate = Certificate::intermediate(
        intermediate_key(),
        "Help desk",
        &parts.organisation,
        organisation_key(),
        0,
    );
    parts.member = Certificate::member_of(member_key(), &intermediate, intermediate_key());
    parts.intermediates = vec![intermediate];
    assert_eq!(parts.reason(), "x509.other_issuer");
    assert_eq!(
        parts.member_id_reason(),
        "veraid.intermediates_outside_dialect"
    );
}

#[test]
fn member_id_bundles_hold_the_intermediates() {
    for parts in [
        Parts::through_intermediate,
        Parts::through_two_intermediates,
    ] {
        assert_eq!(parts().member_id_reason(), "valid");
        let mut reversed = parts();
        reversed.intermediates.reverse();
        assert_eq!(reversed.member_id_reason(), "valid");
    }
    try_group(domain_auth::add, "member-id-bundles");
}

#[test]
fn refuses_signatures_that_are_not_what_they_should_be() {
    const SERVICE: &str = "1.3.6.1.4.1.58708.1.1";
    try_group(domain_auth::add, "signatures");
    let mut parts = Parts::domain_auth();
    parts.required = period(NOON, NOON + LIMIT + 1);
    assert_eq!(parts.member_id_reason(), "veraid.verification_too_long");
    assert_eq!(parts.organisation_reason(), "veraid.verification_too_long");
    // VeraId knows no such limits.
    let mut parts = Parts::member();
    parts.organisation.validity = valid_from_to("261120000000Z", "360218000001Z");
    parts.member.validity = parts.organisation.validity.clone();
    parts.signed_data.signed_attributes[METADATA] =
        metadata(SERVICE, "20261120000000.5Z", "20360218000001Z");
    parts.dnssec_window = (NOON - DAY, NOON - DAY + LIMIT + 1);
    parts.required = period(NOON, NOON + LIMIT + 1);
    parts.records = vec![organisation_key().record("7776000")];
    assert_eq!(parts.reason(), "valid");
}

#[test]
fn no_dialect_passes_for_the_other() {
    fn domain_auth_record() -> String {
        organisation_key().domain_auth_record(1, "3600")
    }
    try_group(domain_auth::add, "records");
    refuse(
        Parts::member,
        cases! { p:
            "a DomainAuth record read as VeraId's": p.records = vec![domain_auth_record()] => "veraid.no_matching_record";
        },
    );
}

/// A member with an Ed25519 key, in an organisation with an RSA key.
fn ed25519_member() -> Parts {
    let mut parts = Parts::domain_auth();
    parts.member = Certificate::member_of(ed25519_key(), &parts.organisation, organisation_key());
    parts.signed_data.key = ed25519_key();
    parts.signed_data.signature_algorithm = plain(ED25519);
    parts.signed_data.digest_algorithm = hash(SHA_512);
    parts.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha512, CONTENT);
    parts.policy = Policy::new().with_algorithm(KeyAlgorithm::Ed25519);
    parts
}

/// An organisation with such a key that signs itself.
fn organisation_with(key: &'static Key, algorithm: &str, number: u8) -> Parts {
    let mut parts = Parts::domain_auth_organisation();
    parts.organisation.public_key.clone_from(&key.spki);
    parts.organisation.signed_by = key;
    parts.organisation.algorithm(&plain(algorithm));
    parts.organisation.extensions.truncate(1);
    parts.records = vec![key.domain_auth_record(number, "3600")];
    parts.signed_data.key = key;
    parts.signed_data.signature_algorithm = plain(algorithm);
    parts.policy = Policy::new().with_all_algorithms();
    if algorithm != ECDSA_WITH_SHA_256 {
        parts.signed_data.digest_algorithm = hash(SHA_512);
        parts.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha512, CONTENT);
    }
    parts
}

fn ed25519_organisation() -> Parts {
    organisation_with(ed25519_key(), ED25519, 240)
}

fn p256_organisation() -> Parts {
    organisation_with(p256_key(), ECDSA_WITH_SHA_256, 241)
}

fn ml_dsa_65_organisation() -> Parts {
    organisation_with(ml_dsa_65_key(), ML_DSA_65, 245)
}

#[test]
fn experimental_algorithms_are_taken_by_name_only() {
    let cases: [(Good, KeyAlgorithm); 4] = [
        (ed25519_member, KeyAlgorithm::Ed25519),
        (ed25519_organisation, KeyAlgorithm::Ed25519),
        (p256_organisation, KeyAlgorithm::EcdsaP256),
        (ml_dsa_65_organisation, KeyAlgorithm::MlDsa65),
    ];
    for (parts, algorithm) in cases {
        if algorithm == KeyAlgorithm::MlDsa65 && !HAS_ML_DSA {
            // Never mistaken for a bad signature.
            assert_eq!(parts().reason(), "veraid.algorithm_not_built");
            continue;
        }
        for policy in [
            Policy::new().with_algorithm(algorithm),
            Policy::new().with_all_algorithms(),
        ] {
            let mut parts = parts();
            parts.policy = policy;
            parts.verify(|outcome| assert_eq!(outcome.unwrap().key_algorithm(), algorithm));
        }
        let others = KeyAlgorithm::ALL.iter().copied();
        let others = others.filter(|other| *other != algorithm);
        for policy in [
            Policy::new(),
            others.fold(Policy::new(), Policy::with_algorithm),
        ] {
            let mut parts = parts();
            parts.policy = policy;
            assert_eq!(
                parts.reason(),
                "veraid.algorithm_not_allowed",
                "{algorithm}"
            );
        }
    }
    // One for an intermediate counts as one for a member.
    let mut parts = Parts::through_intermediate();
    let organisation = parts.organisation.clone();
    parts.intermediates[0] = Certificate::intermediate(
        ed25519_key(),
        "Help desk",
        &organisation,
        organisation_key(),
        0,
    );
    parts.member = Certificate::member_of(member_key(), &parts.intermediates[0], ed25519_key());
    parts.member.algorithm(&plain(ED25519));
    assert_eq!(parts.reason(), "veraid.algorithm_not_allowed");
    parts.policy = Policy::new().with_algorithm(KeyAlgorithm::Ed25519);
    assert_eq!(parts.reason(), "valid");
}

#[test]
fn vera_id_has_rsa_alone_whatever_is_allowed() {
    let mut parts = Parts::member();
    parts.policy = Policy::new().with_all_algorithms();
    parts.member = Certificate::member_of(ed25519_key(), &parts.organisation, organisation_key());
    parts.signed_data.key = ed25519_key();
    parts.signed_data.signature_algorithm = plain(ED25519);
    assert_eq!(parts.reason(), "x509.unsupported_key");
    let mut parts = ed25519_organisation();
    parts.owner = "_veraid.example.com.";
    assert_eq!(parts.reason(), "x509.unsupported_key");
}

#[test]
fn no_algorithm_passes_for_another() {
    refuse(
        ed25519_organisation,
        cases! { p:
            "a key listed as another algorithm's": p.records = vec![ed25519_key().domain_auth_record(241, "3600")] => "veraid.no_matching_record";
            "a key listed as RSA": p.records = vec![ed25519_key().domain_auth_record(1, "3600")] => "veraid.no_matching_record";
            "a signature said to be ECDSA": p.signed_data.signature_algorithm = plain(ECDSA_WITH_SHA_256) => "cms.signer_key_algorithm";
            "a signature said to be RSASSA-PSS": { p.signed_data.signature_algorithm = pss(SHA_512); } => "cms.signer_key_algorithm";
            "a digest other than SHA-512": { p.signed_data.digest_algorithm = hash(SHA_256); p.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha256, CONTENT); } => "cms.digest_algorithm_mismatch";
            "parameters where none belong": p.signed_data.signature_algorithm = sequence(&[oid(ED25519), null()]) => "cms.malformed_signed_data";
            "an RSA key's signature": { p.signed_data.key = organisation_key(); p.signed_data.signature_algorithm = pss(SHA_256); p.signed_data.digest_algorithm = hash(SHA_256); p.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha256, CONTENT); } => "cms.signer_key_algorithm";
            "a self-signature said to be another's": p.organisation.algorithm(&plain(ECDSA_WITH_SHA_256)) => "x509.issuer_key_algorithm";
        },
    );
    refuse(
        p256_organisation,
        cases! { p:
            "a P-256 key with an Ed25519 signature": { p.signed_data.key = ed25519_key(); p.signed_data.signature_algorithm = plain(ED25519); p.signed_data.digest_algorithm = hash(SHA_512); p.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha512, CONTENT); } => "cms.signer_key_algorithm";
            "P-256 with SHA-384": { p.signed_data.signature_algorithm = plain(ECDSA_WITH_SHA_384); p.signed_data.digest_algorithm = hash(SHA_384); p.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha384, CONTENT); } => "cms.signer_key_algorithm";
            "a certificate said to be signed with Ed25519": p.organisation.algorithm(&plain(ED25519)) => "x509.issuer_key_algorithm";
        },
    );
    refuse(
        ed25519_member,
        cases! { p:
            "the member's certificate said to be signed with Ed25519": p.member.algorithm(&plain(ED25519)) => "x509.issuer_key_algorithm";
            "the organisation's signature with the member's key": { p.signed_data.signature_algorithm = pss(SHA_512); p.signed_data.key = organisation_key(); p.signed_data.scheme = PSS_512; } => "cms.signer_key_algorithm";
        },
    );
    if !HAS_ML_DSA {
        return;
    }
    refuse(
        ml_dsa_65_organisation,
        cases! { p:
            "listed as ML-DSA-44": p.records = vec![ml_dsa_65_key().domain_auth_record(244, "3600")] => "veraid.no_matching_record";
            "a signature of ML-DSA-44": { p.signed_data.key = ml_dsa_44_key(); p.signed_data.signature_algorithm = plain(ML_DSA_44); } => "cms.signer_key_algorithm";
            "a signature of ML-DSA-44 said to be of 65": p.signed_data.key = ml_dsa_44_key() => "cms.bad_signature";
            "a certificate signed with ML-DSA-44": { p.organisation.signed_by = ml_dsa_44_key(); p.organisation.algorithm(&plain(ML_DSA_44)); } => "x509.issuer_key_algorithm";
            "a pre-hash variant": p.signed_data.signature_algorithm = plain(HASH_ML_DSA_65_WITH_SHA_512) => "cms.unsupported_signature_algorithm";
            "a pre-hash variant in the certificate": p.organisation.algorithm(&plain(HASH_ML_DSA_65_WITH_SHA_512)) => "x509.unsupported_signature_algorithm";
            "a digest that is too short": { p.signed_data.digest_algorithm = hash(SHA_256); p.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha256, CONTENT); } => "cms.digest_algorithm_mismatch";
            "a broken signature": p.signed_data.corrupt = true => "cms.bad_signature";
        },
    );
}

#[test]
fn refuses_faulty_certificates_and_signed_data_as_veraid_does() {
    for group in [
        "member-certificate",
        "intermediate-certificate",
        "signed-data",
        "algorithms",
        "times",
    ] {
        try_group(domain_auth::add, group);
    }
}
