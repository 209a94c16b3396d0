//! What must be refused, and for which reason. Each case is a good bundle with one thing wrong with it.

use crate::cases;
use crate::support::der::*;
use crate::support::*;
use kliento_fixtures::{
    A, CH, CNAME, DNAME, KeyRole, NOERROR, NXDOMAIN, Record, Response, Responses, SERVFAIL, TXT,
    World, chain_der,
};
use veraid::{MemberIdBundle, SignatureBundle, Verification, VerifyError};

#[test]
fn refuses_a_bundle_of_another_structure() {
    refuse(
        Parts::member,
        cases! { p:
            "another version": p.bundle_version = context_primitive(0, &[1]) => "veraid.unsupported_version";
            "a longer version": p.bundle_version = context_primitive(0, &[0, 0]) => "veraid.unsupported_version";
            "no version": p.bundle_version = vec![] => "veraid.malformed_bundle";
            "an explicit version": p.bundle_version = context(0, &integer(&[0])) => "veraid.malformed_bundle";
            "a fifth element": p.bundle_tail = context(4, &[]) => "veraid.malformed_bundle";
            "a NULL at the end": p.bundle_tail = null() => "veraid.malformed_bundle";
        },
    );
}

#[test]
fn says_where_a_malformed_bundle_is_so_and_what_was_expected() {
    let (bundle, _) = Parts::member().build();
    let mut trailing = bundle.clone();
    trailing.push(0);
    let indefinite = concat(&[&[0x30, 0x80], content(&bundle), &[0, 0]]);
    for (der, offset, expected) in [
        (&b"not a bundle"[..], 0, "a SEQUENCE"),
        (b"", 0, "a SEQUENCE"),
        (&trailing, bundle.len(), "the end of the data"),
        (&indefinite, 1, "a definite length"),
        (
            &bundle[..bundle.len() - 1],
            1,
            "a length within the enclosing structure",
        ),
    ] {
        match SignatureBundle::from_der(der).unwrap_err() {
            VerifyError::Malformed {
                offset: found,
                expected: what,
                ..
            } => {
                assert_eq!((found, what), (offset, expected));
            }
            other => panic!("{other}"),
        }
        assert!(MemberIdBundle::from_der(der).unwrap_err().is_malformed());
    }
}

#[test]
fn only_what_is_wrong_with_the_bundle_itself_makes_it_malformed() {
    let malformed = |parts: Parts| parts.verify(|outcome| outcome.unwrap_err().is_malformed());
    let mut version = Parts::member();
    version.bundle_version = context_primitive(0, &[1]);
    assert!(malformed(version));
    let mut certificate = Parts::member();
    certificate.organisation.tail = null();
    assert!(!malformed(certificate));
    let mut signed_data = Parts::member();
    signed_data.signed_data.tail = null();
    assert!(!malformed(signed_data));
}

#[test]
fn refuses_an_organisation_certificate_that_is_not_what_it_should_be() {
    refuse(
        Parts::member,
        cases! { p:
            "no basic constraints": { p.organisation.extensions.remove(BASIC_CONSTRAINTS); } => "x509.organisation_not_ca";
            "no CA": p.organisation.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[]) => "x509.organisation_not_ca";
            "CA explicitly FALSE": p.organisation.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0)]) => "x509.organisation_not_ca";
            "a broken self-signature": p.organisation.corrupt = true => "x509.bad_signature";
            "a stranger's signature": p.organisation.signed_by = stranger_key() => "x509.bad_signature";
            "another issuer": p.organisation.issuer = name("example.org") => "x509.not_self_issued";
            "no key of its own in DNS": p.records = vec![stranger_key().record("3600")] => "veraid.no_matching_record";
            "keyCertSign missing from key usage": p.organisation.extensions.push(key_usage(0x80)) => "x509.key_usage";
            "keyCertSign among the unused bits": p.organisation.extensions.push(key_usage_of(&[7, 0x84])) => "x509.malformed_certificate";
            "no usage at all": p.organisation.extensions.push(extension("2.5.29.15", None, &tlv(0x03, &[0]))) => "x509.key_usage";
            "an empty serial number": p.organisation.serial_number = integer(&[]) => "x509.malformed_certificate";
            "a negative path length": p.organisation.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0xff), integer(&[0xff])]) => "x509.malformed_certificate";
        },
    );
    refuse(
        Parts::organisation,
        cases! { p:
            "digitalSignature missing from key usage": p.organisation.extensions.push(key_usage(0x04)) => "x509.key_usage";
            "a broken self-signature": p.organisation.corrupt = true => "x509.bad_signature";
            "no CA": p.organisation.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[]) => "x509.organisation_not_ca";
        },
    );
}

#[test]
fn refuses_organisations_whose_name_is_no_domain() {
    fn rename(parts: &mut Parts, text: &str) {
        parts.organisation.subject = name(text);
        parts.organisation.issuer = name(text);
        parts.member.issuer = name(text);
    }
    let cases: &[Case] = cases! { p:
        "the root": rename(p, ".") => "x509.invalid_common_name";
        "nothing": rename(p, "") => "x509.invalid_common_name";
        "an empty first label": rename(p, ".a.nl.") => "x509.invalid_common_name";
        "an empty label": rename(p, "a..nl.") => "x509.invalid_common_name";
        "two final dots": rename(p, "example.com..") => "x509.invalid_common_name";
        "a U-label": rename(p, "bücher.example") => "x509.invalid_common_name";
        "an A-label that decodes to nothing": rename(p, "xn--victim-.com") => "x509.invalid_common_name";
        "a space": rename(p, "example.com ") => "x509.invalid_common_name";
        "a NUL": rename(p, "example.com\0.attacker.example") => "x509.invalid_common_name";
        "the record's own name": rename(p, "_veraid.example.com") => "x509.invalid_common_name";
        "too many bytes": rename(p, &"a.".repeat(200)) => "x509.invalid_common_name";
        "a label too long": rename(p, &format!("{}.com", "a".repeat(64))) => "x509.invalid_common_name";
        "a domain that the chain does not answer for": rename(p, "example.org") => "veraid.no_record_response";
        "its parent": rename(p, "com") => "veraid.no_record_response";
        "a domain below": rename(p, "sub.example.com") => "veraid.no_record_response";
        "no room for the record": rename(p, &format!("{0}.{0}.{0}.{1}", "a".repeat(63), "a".repeat(61))) => "veraid.no_room_for_record";
    };
    refuse(Parts::member, cases);
    refuse(Parts::organisation, cases);
}

#[test]
fn refuses_a_member_certificate_that_is_not_what_it_should_be() {
    refuse(
        Parts::member,
        cases! { p:
            "a CA": p.member.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0xff)]) => "x509.member_is_ca";
            "a CA with a path length": p.member.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0xff), integer(&[0])]) => "x509.member_is_ca";
            "a CA by a constraint that is not critical": p.member.extensions[BASIC_CONSTRAINTS] = extension("2.5.29.19", None, &sequence(&[boolean(0xff)])) => "x509.member_is_ca";
            "a broken signature": p.member.corrupt = true => "x509.bad_signature";
            "signed by itself": p.member.signed_by = member_key() => "x509.bad_signature";
            "signed by a stranger": p.member.signed_by = stranger_key() => "x509.bad_signature";
            "another issuer": p.member.issuer = name("example.org") => "x509.other_issuer";
            "the organisation's key": p.member.public_key = organisation_key().spki.clone() => "veraid.organisation_as_member";
            "no digitalSignature in key usage": p.member.extensions.push(key_usage(0x20)) => "x509.key_usage";
            "an empty name": p.member.subject = name("") => "x509.invalid_common_name";
            "an at sign in the name": p.member.subject = name("alice@example.org") => "x509.invalid_common_name";
            "two at signs": p.member.subject = name("@@") => "x509.invalid_common_name";
            "a tab in the name": p.member.subject = name("al\tice") => "x509.invalid_common_name";
            "a no-break space in the name": p.member.subject = name("al\u{a0}ice") => "x509.invalid_common_name";
            "an escape in the name": p.member.subject = name("al\u{1b}[2Jice") => "x509.invalid_common_name";
        },
    );
}

#[test]
fn refuses_member_id_bundles_that_do_not_hold() {
    let cases: &[Case] = cases! { p:
        "another version": p.bundle_version = context_primitive(0, &[1]) => "veraid.unsupported_version";
        "intermediate certificates": p.bundle_tail = context(4, &[]) => "veraid.intermediates_outside_dialect";
        "a broken self-signature": p.organisation.corrupt = true => "x509.bad_signature";
        "a member that the organisation did not sign": p.member.corrupt = true => "x509.bad_signature";
        "a member that a stranger signed": p.member.signed_by = stranger_key() => "x509.bad_signature";
        "the organisation as its member": p.member = p.organisation.clone() => "veraid.organisation_as_member";
        "a record of another key": p.records = vec![stranger_key().record("3600")] => "veraid.no_matching_record";
        "a record for another service": p.records = vec![organisation_key().record("3600 1.2.3")] => "veraid.no_matching_record";
        "an expired chain": p.dnssec_window = (NOON - DAY, NOON - 1) => "dnssec.rrsig_expired";
        "a chain that ran out too early": { p.dnssec_window = (NOON - DAY, NOON); p.required = period(NOON, NOON + 3_601); } => "veraid.ttl_override_exceeded";
    };
    assert_eq!(Parts::member().member_id_reason(), "valid");
    assert_eq!(Parts::member().organisation_reason(), "valid");
    for (name, spoil, reason) in cases {
        let mut parts = Parts::member();
        spoil(&mut parts);
        assert_eq!(parts.member_id_reason(), *reason, "{name}");
    }
}

#[test]
fn without_a_service_any_record_of_the_key_will_do_with_the_longest_override() {
    let mut parts = Parts::member();
    parts.records = ["10 1.2.3", "20 1.2.4"]
        .map(|suffix| organisation_key().record(suffix))
        .to_vec();
    parts.dnssec_window = (NOON - DAY, NOON);
    let (bundle, anchors) = parts.build_member_id();
    let bundle = MemberIdBundle::from_der(&bundle).unwrap();
    assert!(
        bundle
            .verify(&Verification::for_any_service(
                period(NOON, NOON + 20),
                &anchors
            ))
            .is_ok()
    );
    let error = bundle
        .verify(&Verification::for_any_service(
            period(NOON, NOON + 21),
            &anchors,
        ))
        .unwrap_err();
    assert_eq!(error.reason(), "veraid.ttl_override_exceeded");
}

#[test]
fn refuses_the_organisation_as_a_member() {
    fn own_certificate(parts: &mut Parts) {
        parts.signed_data.key = organisation_key();
        parts.member = parts.organisation.clone();
    }
    refuse(
        Parts::member,
        cases! { p:
            "its own certificate": own_certificate(p) => "veraid.organisation_as_member";
            // Another certificate for its own key, with a member's name.
            "its own key under another name": { p.member = Certificate::member(organisation_key(), &p.organisation); p.signed_data.key = organisation_key(); } => "veraid.organisation_as_member";
            // The same key, encoded in another way.
            "its own key with a NULL that is not empty": { p.member = Certificate::member(organisation_key(), &p.organisation); p.member.public_key = spki_with_parameters(&organisation_key().spki, &tlv(0x05, &[0])); p.member.extensions[SUBJECT] = subject_key_identifier(&Hash::Sha256.of(&p.member.public_key)); p.signed_data.key = organisation_key(); } => "x509.unsupported_key";
            "an attribution left out": { p.signed_by_organisation = true; p.signed_data.key = organisation_key(); } => "cms.no_signer_certificate";
        },
    );
}

/// What is wrong with a certificate, whoever's it is.
type Fault = (&'static str, fn(&mut Certificate), &'static str);

const FAULTS: &[Fault] = cases! { c:
    "version 1": c.version = vec![] => "x509.unsupported_version";
    "version 2": c.version = context(0, &integer(&[1])) => "x509.unsupported_version";
    "version 4": c.version = context(0, &integer(&[3])) => "x509.unsupported_version";
    "PKCS #1 v1.5": { c.algorithm(&sequence(&[oid(PKCS1_SHA_256), null()])); c.scheme = PKCS1_256; } => "x509.unsupported_signature_algorithm";
    "PKCS #1 v1.5 under the name of PSS": c.scheme = PKCS1_256 => "x509.bad_signature";
    "PSS with another hash than it says": c.scheme = PSS_384 => "x509.bad_signature";
    "SHA-1 with PKCS #1": c.algorithm(&sequence(&[oid(PKCS1_SHA_1), null()])) => "x509.unsupported_signature_algorithm";
    "PSS with SHA-1": c.algorithm(&pss(SHA_1)) => "x509.unsupported_signature_algorithm";
    "PSS with SHA-1 by default": c.algorithm(&sequence(&[oid(RSASSA_PSS), sequence::<Vec<u8>>(&[])])) => "x509.unsupported_signature_algorithm";
    "PSS without parameters": c.algorithm(&sequence(&[oid(RSASSA_PSS)])) => "x509.malformed_certificate";
    "PSS with SHA-224": c.algorithm(&pss(SHA_224)) => "x509.unsupported_signature_algorithm";
    "PSS with SHA-1 in MGF1": c.algorithm(&pss_with(SHA_256, SHA_1, 32, None)) => "x509.unsupported_signature_algorithm";
    "PSS with another hash in MGF1": c.algorithm(&pss_with(SHA_256, SHA_384, 32, None)) => "x509.unsupported_signature_algorithm";
    "PSS with a short salt": c.algorithm(&pss_with(SHA_256, SHA_256, 20, None)) => "x509.unsupported_signature_algorithm";
    "PSS with a long salt": c.algorithm(&pss_with(SHA_256, SHA_256, 64, None)) => "x509.unsupported_signature_algorithm";
    "PSS with another mask function": c.algorithm(&pss_with_mask(SHA_256, &sequence(&[oid("1.2.840.113549.1.1.9"), hash(SHA_256)]), 32, &[])) => "x509.unsupported_signature_algorithm";
    "PSS with a field behind its parameters": c.algorithm(&sequence(&[content(&pss(SHA_256)), &null()])) => "x509.malformed_certificate";
    "PSS with another trailer": c.algorithm(&pss_with(SHA_256, SHA_256, 32, Some(2))) => "x509.unsupported_signature_algorithm";
    "two algorithms": c.outer_algorithm = pss(SHA_384) => "x509.signature_algorithm_mismatch";
    "two algorithms, the other way": c.inner_algorithm = pss(SHA_384) => "x509.signature_algorithm_mismatch";
    "an end before the start": c.validity = sequence(&[utc_time("261122000000Z"), utc_time("261121000000Z")]) => "x509.ends_before_start";
    "a time with an offset": c.validity = sequence(&[utc_time("261120000000+0100"), utc_time("261130000000Z")]) => "x509.malformed_certificate";
    "a time without seconds": c.validity = sequence(&[utc_time("2611200000Z"), utc_time("261130000000Z")]) => "x509.malformed_certificate";
    "a time with a fraction": c.validity = sequence(&[tlv(0x18, b"20261120000000.5Z"), utc_time("261130000000Z")]) => "x509.malformed_certificate";
    "three times": c.validity = sequence(&[utc_time("261120000000Z"), utc_time("261130000000Z"), utc_time("261130000000Z")]) => "x509.malformed_certificate";
    "expired": c.validity = sequence(&[utc_time("261120000000Z"), utc_time("261121115959Z")]) => "x509.expired";
    "not yet valid": c.validity = sequence(&[utc_time("261121120001Z"), utc_time("261130000000Z")]) => "x509.not_yet_valid";
    "RSA-1024": c.public_key = spki_of(&modulus_of(1024), &[1, 0, 1]) => "x509.unsupported_key";
    "RSA-2047": c.public_key = spki_of(&modulus_of(2047), &[1, 0, 1]) => "x509.unsupported_key";
    "RSA-2049": c.public_key = spki_of(&modulus_of(2049), &[1, 0, 1]) => "x509.unsupported_key";
    "RSA-8192": c.public_key = spki_of(&modulus_of(8192), &[1, 0, 1]) => "x509.unsupported_key";
    "a public exponent of 1": c.public_key = spki_of(&modulus_of(2048), &[1]) => "x509.unsupported_key";
    "an even public exponent": c.public_key = spki_of(&modulus_of(2048), &[2]) => "x509.unsupported_key";
    "an endless public exponent": c.public_key = spki_of(&modulus_of(2048), &modulus_of(2047)) => "x509.unsupported_key";
    "an even modulus": { let mut modulus = modulus_of(2048); modulus[255] ^= 1; c.public_key = spki_of(&modulus, &[1, 0, 1]); } => "x509.unsupported_key";
    "a NULL that is not empty": c.public_key = spki_with_parameters(&c.public_key, &tlv(0x05, &[0])) => "x509.unsupported_key";
    "a field behind the NULL": c.public_key = spki_with_parameters(&c.public_key, &concat(&[null(), null()])) => "x509.unsupported_key";
    "an id-RSASSA-PSS key": c.public_key = sequence(&[sequence(&[oid(RSASSA_PSS)]), bit_string(&[0; 270])]) => "x509.unsupported_key";
    "an id-RSASSA-PSS key that is good but for that": c.public_key = sequence(&[sequence(&[oid(RSASSA_PSS), null()]), bit_string(&sequence(&[positive_integer(&modulus_of(2048)), integer(&[1, 0, 1])]))]) => "x509.unsupported_key";
    "an elliptic-curve key": { c.public_key = sequence(&[sequence(&[oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")]), bit_string(&[4; 65])]) } => "x509.unsupported_key";
    "an Ed25519 key": c.public_key = sequence(&[sequence(&[oid("1.3.101.112")]), bit_string(&[4; 32])]) => "x509.unsupported_key";
    "a key without NULL": c.public_key = sequence(&[sequence(&[oid(RSA_ENCRYPTION)]), bit_string(&sequence(&[positive_integer(&modulus_of(2048)), integer(&[1, 0, 1])]))]) => "x509.unsupported_key";
    "a third field in the common name": c.subject = sequence(&[common_name(concat(&[utf8_string("example.com"), null()]))]) => "x509.malformed_certificate";
    "two common names": c.subject = sequence(&[content(&c.subject), &common_name(utf8_string("mallory"))]) => "x509.several_common_names";
    "two common names in one set": c.subject = sequence(&[set(&[content(content(&c.subject)), content(&common_name(utf8_string("mallory")))])]) => "x509.several_common_names";
    "no common name": c.subject = sequence(&[set(&[sequence(&[oid("2.5.4.10"), utf8_string("example.com")])])]) => "x509.no_common_name";
    "an empty subject": c.subject = sequence::<Vec<u8>>(&[]) => "x509.no_common_name";
    "a TeletexString": c.subject = sequence(&[common_name(tlv(0x14, b"alice"))]) => "x509.common_name_encoding";
    "an IA5String": c.subject = sequence(&[common_name(tlv(0x16, b"alice"))]) => "x509.common_name_encoding";
    "invalid UTF-8": c.subject = sequence(&[common_name(tlv(0x0c, b"alic\xc3"))]) => "x509.common_name_encoding";
    "overlong UTF-8": c.subject = sequence(&[common_name(tlv(0x0c, b"\xc1\xa1lice"))]) => "x509.common_name_encoding";
    "an at sign as PrintableString": c.subject = sequence(&[common_name(tlv(0x13, b"al@ice"))]) => "x509.common_name_encoding";
    "half a character of BMPString": c.subject = sequence(&[common_name(tlv(0x1e, b"\0a\0"))]) => "x509.common_name_encoding";
    "a lone surrogate": c.subject = sequence(&[common_name(tlv(0x1e, b"\xd8\x00\0a"))]) => "x509.common_name_encoding";
    "an unknown critical extension": c.extensions.push(extension("1.2.3.4", Some(0xff), &null())) => "x509.unhandled_critical_extension";
    "critical name constraints": c.extensions.push(extension("2.5.29.30", Some(0xff), &sequence::<Vec<u8>>(&[]))) => "x509.unhandled_critical_extension";
    "a critical extended key usage": c.extensions.push(extension("2.5.29.37", Some(0xff), &sequence(&[oid("1.3.6.1.5.5.7.3.1")]))) => "x509.unhandled_critical_extension";
    "basic constraints twice": c.extensions.push(c.extensions[BASIC_CONSTRAINTS].clone()) => "x509.duplicate_extension";
    "an unknown extension twice": c.extensions.extend([extension("1.2.3.4", None, &null()), extension("1.2.3.4", None, &null())]) => "x509.duplicate_extension";
    "too many extensions": c.extensions.extend((0..33).map(|n| extension(&format!("1.2.3.{n}"), None, &null()))) => "x509.too_many_extensions";
    "no authority key identifier": { c.extensions.remove(AUTHORITY); } => "x509.missing_key_identifier";
    "an authority key identifier without key": c.extensions[AUTHORITY] = extension("2.5.29.35", None, &sequence::<Vec<u8>>(&[])) => "x509.missing_key_identifier";
    "no subject key identifier": { c.extensions.remove(SUBJECT); } => "x509.missing_key_identifier";
    "a stranger's authority key identifier": c.extensions[AUTHORITY] = authority_key_identifier(&stranger_key().key_identifier()) => "x509.key_identifier_mismatch";
    "a stranger's subject key identifier": c.extensions[SUBJECT] = subject_key_identifier(&stranger_key().key_identifier()) => "x509.key_identifier_mismatch";
    "a key identifier cut short": { let id = c.signed_by.key_identifier(); c.extensions[AUTHORITY] = authority_key_identifier(&id[..20]); } => "x509.key_identifier_mismatch";
    "a field behind an authority key identifier": c.extensions[AUTHORITY] = extension("2.5.29.35", None, &sequence(&[context_primitive(0, &c.signed_by.key_identifier()), null()])) => "x509.malformed_certificate";
    "a field behind an extension's value": c.extensions[SUBJECT] = sequence(&[content(&c.extensions[SUBJECT]), &null()]) => "x509.malformed_certificate";
    "unused bits of key usage that are set": c.extensions.push(key_usage_of(&[7, 0x84])) => "x509.malformed_certificate";
    "unused bits of a second byte of key usage that are set": c.extensions.push(key_usage_of(&[7, 0x84, 0x01])) => "x509.malformed_certificate";
    "unused bits of no byte of key usage": c.extensions.push(key_usage_of(&[1])) => "x509.malformed_certificate";
    "eight unused bits of key usage": c.extensions.push(key_usage_of(&[8, 0])) => "x509.malformed_certificate";
    "a BOOLEAN of BER": c.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(1)]) => "x509.malformed_certificate";
    "bytes after the basic constraints": c.extensions[BASIC_CONSTRAINTS] = extension("2.5.29.19", None, &concat(&[sequence(&[boolean(0xff)]), null()])) => "x509.malformed_certificate";
    "a third basic constraint": c.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0xff), integer(&[0]), integer(&[0])]) => "x509.malformed_certificate";
    "a fourth field": c.tail = null() => "x509.malformed_certificate";
    "a field after the extensions": c.signed_tail = null() => "x509.malformed_certificate";
    "an indefinite length": c.validity = concat(&[&[0x30, 0x80][..], content(&c.validity), &[0, 0]]) => "x509.malformed_certificate";
    "a length in too many bytes": c.validity = concat(&[&[0x30, 0x81, 0x1e][..], content(&c.validity)]) => "x509.malformed_certificate";
};

/// A fault in the organisation's name spoils what it is the issuer of, which is not the point.
fn keep_issuers_in_step(parts: &mut Parts) {
    let subject = parts.organisation.subject.clone();
    parts.organisation.issuer.clone_from(&subject);
    parts.member.issuer = subject;
}

#[test]
fn refuses_faulty_certificates_of_members() {
    for (name, fault, reason) in FAULTS {
        let mut parts = Parts::member();
        fault(&mut parts.member);
        assert_eq!(parts.reason(), *reason, "{name}");
        assert_eq!(parts.member_id_reason(), *reason, "{name}");
    }
}

#[test]
fn refuses_faulty_certificates_of_organisations() {
    for (name, fault, reason) in FAULTS {
        for good in [Parts::member, Parts::organisation] {
            let mut parts = good();
            fault(&mut parts.organisation);
            keep_issuers_in_step(&mut parts);
            assert_eq!(parts.reason(), *reason, "{name}");
            assert_eq!(parts.member_id_reason(), *reason, "{name}");
            assert_eq!(parts.organisation_reason(), *reason, "{name}");
        }
    }
}

#[test]
fn refuses_faulty_signed_data() {
    fn identifier_with_a_third_field(parts: &Parts) -> Vec<u8> {
        let signer = if parts.signed_by_organisation {
            &parts.organisation
        } else {
            &parts.member
        };
        sequence(&[content(&identifier_of(signer)), &null()])
    }
    fn metadata_of(parts: &mut Parts, value: Vec<u8>) {
        parts.signed_data.signed_attributes[METADATA] = attribute(METADATA_ATTRIBUTE, &[value]);
    }
    fn times(parts: &mut Parts, start: &str, end: &str) {
        parts.signed_data.signed_attributes[METADATA] =
            metadata("1.3.6.1.4.1.58708.1.1", start, end);
    }
    const TEST: &str = "1.3.6.1.4.1.58708.1.1";
    let cases: &[Case] = cases! { p:
        "another ContentInfo": p.signed_data.content_info_type = oid("1.2.840.113549.1.7.3") => "cms.not_signed_data";
        "version 0": p.signed_data.version = integer(&[0]) => "cms.unsupported_version";
        "version 6": p.signed_data.version = integer(&[6]) => "cms.unsupported_version";
        "a SignerInfo of version 3": p.signed_data.signer_version = integer(&[3]) => "cms.unsupported_version";
        "no signer": p.signed_data.signers = 0 => "cms.signer_count";
        "two signers": p.signed_data.signers = 2 => "cms.signer_count";
        "a subject key identifier": p.signed_data.signer_identifier = Some(context_primitive(0, &[1; 32])) => "cms.signer_identifier";
        "a third field in the signer's identifier": p.signed_data.signer_identifier = Some(identifier_with_a_third_field(p)) => "cms.malformed_signed_data";
        "a third field beside the content": { let attached = context(0, &octet_string(CONTENT)); p.signed_data.content = None; p.signed_data.content_type = concat(&[oid(DATA), attached, null()]); } => "cms.malformed_signed_data";
        "content of another type": p.signed_data.content_type = oid("1.2.840.113549.1.9.16.1.4") => "cms.content_type";
        "a content-type attribute of another type": p.signed_data.signed_attributes[CONTENT_TYPE] = content_type("1.2.840.113549.1.9.16.1.4") => "cms.content_type";
        "no content-type attribute": { p.signed_data.signed_attributes.remove(CONTENT_TYPE); } => "cms.missing_attribute";
        "two content types": p.signed_data.signed_attributes.push(content_type(DATA)) => "cms.attribute_count";
        "a content type of two values": p.signed_data.signed_attributes[CONTENT_TYPE] = attribute(CONTENT_TYPE_ATTRIBUTE, &[oid(DATA), oid(DATA)]) => "cms.attribute_count";
        "a content type of no value": p.signed_data.signed_attributes[CONTENT_TYPE] = attribute(CONTENT_TYPE_ATTRIBUTE, &[]) => "cms.attribute_count";
        "no message digest": { p.signed_data.signed_attributes.remove(MESSAGE_DIGEST); } => "cms.missing_attribute";
        "two message digests": p.signed_data.signed_attributes.push(message_digest(Hash::Sha256, b"other")) => "cms.attribute_count";
        "a message digest of two values": { p.signed_data.signed_attributes[MESSAGE_DIGEST] = attribute(MESSAGE_DIGEST_ATTRIBUTE, &[octet_string(&[0; 32]), octet_string(&[1; 32])]) } => "cms.attribute_count";
        "a message digest of another type": p.signed_data.signed_attributes[MESSAGE_DIGEST] = attribute(MESSAGE_DIGEST_ATTRIBUTE, &[utf8_string("x")]) => "cms.malformed_signed_data";
        "the digest of other content": p.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha256, b"other") => "cms.digest_mismatch";
        "a digest cut short": p.signed_data.signed_attributes[MESSAGE_DIGEST] = attribute(MESSAGE_DIGEST_ATTRIBUTE, &[octet_string(&Hash::Sha256.of(CONTENT)[..31])]) => "cms.digest_mismatch";
        "other content": p.signed_data.content = Some(octet_string(b"other")) => "cms.digest_mismatch";
        "no metadata": { p.signed_data.signed_attributes.remove(METADATA); } => "cms.missing_attribute";
        "two metadata": p.signed_data.signed_attributes.push(good_metadata()) => "cms.attribute_count";
        "metadata of two values": { p.signed_data.signed_attributes[METADATA] = attribute(METADATA_ATTRIBUTE, &vec![metadata_value(TEST, "20261121120000Z", "20261121121000Z"); 2]) } => "cms.attribute_count";
        "metadata unsigned only": { let metadata = p.signed_data.signed_attributes.remove(METADATA); p.signed_data.unsigned_attributes = context(1, &metadata); } => "cms.missing_attribute";
        "a third field in the metadata": metadata_of(p, sequence(&[content(&metadata_value(TEST, "20261121120000Z", "20261121121000Z")), &null()])) => "cms.malformed_signed_data";
        "a third time in the metadata": metadata_of(p, sequence(&[retag(0x80, &oid(TEST)), context(1, &concat(&[context_primitive(0, b"20261121120000Z"), context_primitive(1, b"20261121121000Z"), null()]))])) => "cms.malformed_signed_data";
        "metadata of another type": metadata_of(p, null()) => "cms.malformed_signed_data";
        "an end before the start": times(p, "20261121121000Z", "20261121120000Z") => "veraid.signature_ends_before_start";
        "a time with an offset": times(p, "20261121120000+0000", "20261121121000Z") => "cms.malformed_signed_data";
        "a fractional time with an offset": times(p, "20261121120000.5-0100", "20261121121000Z") => "cms.malformed_signed_data";
        "a local time": times(p, "20261121120000", "20261121121000Z") => "cms.malformed_signed_data";
        "a time without seconds": times(p, "202611211200Z", "20261121121000Z") => "cms.malformed_signed_data";
        "a time that is none": times(p, "20261121120000Z", "20261321121000Z") => "cms.malformed_signed_data";
        "an expired signature": times(p, "20261121110000Z", "20261121115959Z") => "veraid.signature_expired";
        "a signature of tomorrow": times(p, "20261121120001Z", "20261121121000Z") => "veraid.signature_not_yet_valid";
        "another service": p.signed_data.signed_attributes[METADATA] = metadata("1.3.6.1.4.1.58708.3.0", "20261121120000Z", "20261121121000Z") => "veraid.service_mismatch";
        "a service below": p.signed_data.signed_attributes[METADATA] = metadata("1.3.6.1.4.1.58708.1.1.1", "20261121120000Z", "20261121121000Z") => "veraid.service_mismatch";
        "no signed attributes": p.signed_data.attributes_absent = true => "cms.missing_attribute";
        "SHA-1 as the digest": p.signed_data.digest_algorithm = hash(SHA_1) => "cms.unsupported_digest_algorithm";
        "SHA-224 as the digest": p.signed_data.digest_algorithm = hash(SHA_224) => "cms.unsupported_digest_algorithm";
        "a digest of another algorithm than it says": p.signed_data.digest_algorithm = hash(SHA_384) => "cms.digest_mismatch";
        "PKCS #1 v1.5": { p.signed_data.signature_algorithm = sequence(&[oid(RSA_ENCRYPTION), null()]); p.signed_data.scheme = PKCS1_256; } => "cms.unsupported_signature_algorithm";
        "PKCS #1 v1.5 with SHA-256": { p.signed_data.signature_algorithm = sequence(&[oid(PKCS1_SHA_256), null()]); p.signed_data.scheme = PKCS1_256; } => "cms.unsupported_signature_algorithm";
        "PKCS #1 v1.5 under the name of PSS": p.signed_data.scheme = PKCS1_256 => "cms.bad_signature";
        "PSS with SHA-1": p.signed_data.signature_algorithm = pss(SHA_1) => "cms.unsupported_signature_algorithm";
        "PSS with SHA-1 by default": p.signed_data.signature_algorithm = sequence(&[oid(RSASSA_PSS), sequence::<Vec<u8>>(&[])]) => "cms.unsupported_signature_algorithm";
        "PSS with SHA-1 in MGF1": p.signed_data.signature_algorithm = pss_with(SHA_256, SHA_1, 32, None) => "cms.unsupported_signature_algorithm";
        "PSS with another mask function": p.signed_data.signature_algorithm = pss_with_mask(SHA_256, &sequence(&[oid("1.2.840.113549.1.1.9"), hash(SHA_256)]), 32, &[]) => "cms.unsupported_signature_algorithm";
        "PSS with a field behind its parameters": p.signed_data.signature_algorithm = sequence(&[content(&pss(SHA_256)), &null()]) => "cms.malformed_signed_data";
        "PSS with a short salt": p.signed_data.signature_algorithm = pss_with(SHA_256, SHA_256, 20, None) => "cms.unsupported_signature_algorithm";
        "PSS with another hash than it says": p.signed_data.scheme = PSS_512 => "cms.bad_signature";
        "a broken signature": p.signed_data.corrupt = true => "cms.bad_signature";
        "a stranger's signature": p.signed_data.key = stranger_key() => "cms.bad_signature";
        "junk for digest algorithms": p.signed_data.digest_algorithms = tlv(0x31, &[0x30]) => "cms.malformed_signed_data";
        "junk behind a digest algorithm": p.signed_data.digest_algorithms = tlv(0x31, &concat(&[&hash(SHA_256)[..], b"\x30\x05junk"])) => "cms.malformed_signed_data";
        "junk for revocation lists": p.signed_data.revocations = context(1, b"\x30\x7fjunk") => "cms.malformed_signed_data";
        "junk behind a revocation list": p.signed_data.revocations = context(1, &concat(&[&sequence(&[null()])[..], &[0xff]])) => "cms.malformed_signed_data";
        "junk for unsigned attributes": p.signed_data.unsigned_attributes = context(1, b"\x30\x80") => "cms.malformed_signed_data";
        "junk behind an unsigned attribute": p.signed_data.unsigned_attributes = context(1, &concat(&[&attribute("1.2.3.4", &[null()])[..], &[0x30]])) => "cms.malformed_signed_data";
        "a field after the SignerInfos": p.signed_data.tail = null() => "cms.malformed_signed_data";
        "content of no OCTET STRING": p.signed_data.content = Some(utf8_string("the content")) => "cms.malformed_signed_data";
        "content of two OCTET STRINGs": p.signed_data.content = Some(concat(&[octet_string(b"the "), octet_string(b"content")])) => "cms.malformed_signed_data";
        "constructed within constructed content": p.signed_data.content = Some(tlv(0x24, &tlv(0x24, &octet_string(CONTENT)))) => "cms.malformed_signed_data";
        "content of indefinite length": p.signed_data.content = Some(concat(&[&[0x24, 0x80], &octet_string(CONTENT)[..], &[0, 0]])) => "cms.malformed_signed_data";
        "no content": p.signed_data.content = None => "cms.missing_content";
        "content given though attached": p.detached_content = Some(CONTENT.to_vec()) => "cms.unexpected_content";
        "other content given": { p.signed_data.content = None; p.detached_content = Some(b"other".to_vec()); } => "cms.digest_mismatch";
    };
    refuse(Parts::member, cases);
    refuse(Parts::organisation, cases);
}

#[test]
fn refuses_a_member_signature_whose_certificate_is_not_there() {
    refuse(
        Parts::member,
        cases! { p:
            "no certificates": p.signed_data.certificates = Some(vec![]) => "cms.no_signer_certificate";
            "an empty set": p.signed_data.certificates = Some(context(0, &[])) => "cms.no_signer_certificate";
            "another serial number": p.signed_data.signer_identifier = Some(sequence(&[p.member.issuer.clone(), integer(&[0x23])])) => "cms.no_signer_certificate";
            "its issuer in another string type": p.signed_data.signer_identifier = Some(sequence(&[sequence(&[common_name(utf8_string("example.com"))]), p.member.serial_number.clone()])) => "cms.no_signer_certificate";
            "another issuer": p.signed_data.signer_identifier = Some(sequence(&[name("example.org"), integer(&[0x22])])) => "cms.no_signer_certificate";
            "only the organisation's": p.signed_data.certificates = Some(context(0, &p.organisation.to_der())) => "cms.no_signer_certificate";
            "another certificate of that issuer and serial number beside it": { let mut other = p.member.clone(); other.subject = name("mallory"); p.signed_data.further_certificates = vec![other.to_der()]; } => "cms.ambiguous_signer_certificate";
            "an unreadable certificate beside it": p.signed_data.further_certificates = vec![sequence(&[null()])] => "x509.malformed_certificate";
        },
    );
}

#[test]
fn refuses_what_is_no_choice_of_a_certificate_among_the_certificates() {
    fn beside(parts: &mut Parts, choice: Vec<u8>) {
        let certificate = parts.member.to_der();
        parts.signed_data.certificates = Some(context(0, &concat(&[certificate, choice])));
    }
    let cases: &[Case] = cases! { p:
        "a NULL": beside(p, null()) => "cms.malformed_signed_data";
        "a SET": beside(p, set(&[null()])) => "cms.malformed_signed_data";
        "an OCTET STRING": beside(p, octet_string(b"certificate")) => "cms.malformed_signed_data";
        "a primitive [0]": beside(p, context_primitive(0, &[])) => "cms.malformed_signed_data";
        "a primitive [3]": beside(p, context_primitive(3, &[])) => "cms.malformed_signed_data";
        "[4]": beside(p, context(4, &[])) => "cms.malformed_signed_data";
        "an application's tag": beside(p, tlv(0x60, &[])) => "cms.malformed_signed_data";
        "junk": beside(p, vec![0x30]) => "cms.malformed_signed_data";
    };
    refuse(Parts::member, cases);
    refuse(Parts::organisation, cases);
}

#[test]
fn refuses_a_member_of_another_issuer_in_whatever_string_type() {
    fn issuer(parts: &mut Parts, relative_names: &[Vec<u8>]) {
        parts.member.issuer = sequence(relative_names);
    }
    let cases: &[Case] = cases! { p:
        "another name as UTF8String": issuer(p, &[common_name(utf8_string("example.org"))]) => "x509.other_issuer";
        "another name as PrintableString": issuer(p, &[common_name(tlv(0x13, b"example.net"))]) => "x509.other_issuer";
        "the name in upper case": issuer(p, &[common_name(utf8_string("EXAMPLE.com"))]) => "x509.other_issuer";
        "the same bytes in another type": issuer(p, &[common_name(retag(0x0c, &bmp_string("example.com")))]) => "x509.other_issuer";
        "a type that is not read": issuer(p, &[common_name(tlv(0x16, b"example.com"))]) => "x509.other_issuer";
        "half a character of BMPString": issuer(p, &[common_name(tlv(0x1e, &bmp_string("example.com")[2..23]))]) => "x509.other_issuer";
        "the name beside another": issuer(p, &[common_name(utf8_string("example.com")), common_name(utf8_string("example.com"))]) => "x509.other_issuer";
        "the name beside another in one set": issuer(p, &[set(&[content(&common_name(utf8_string("example.com"))), content(&common_name(utf8_string("example.com")))])]) => "x509.other_issuer";
        "the name as another attribute": issuer(p, &[set(&[sequence(&[oid("2.5.4.10"), utf8_string("example.com")])])]) => "x509.other_issuer";
        "the name with a third field": issuer(p, &[common_name(concat(&[utf8_string("example.com"), null()]))]) => "x509.other_issuer";
        "an empty set": issuer(p, &[set::<Vec<u8>>(&[])]) => "x509.other_issuer";
        "no name": issuer(p, &[]) => "x509.other_issuer";
        // Names of more than a common name are compared octet by octet.
        "a longer name in another type": { let more = |name| sequence(&[set(&[sequence(&[oid("2.5.4.10"), utf8_string("Example")])]), common_name(name)]); p.organisation.subject = more(bmp_string("example.com")); p.organisation.issuer = p.organisation.subject.clone(); p.member.issuer = more(utf8_string("example.com")); } => "x509.other_issuer";
    };
    refuse(Parts::member, cases);
    for (name, spoil, reason) in cases {
        let mut parts = Parts::member();
        spoil(&mut parts);
        assert_eq!(parts.member_id_reason(), *reason, "{name}");
    }
}

#[test]
fn a_member_cannot_attribute_anything_to_anybody() {
    fn attribute_to(parts: &mut Parts, name: &str) {
        parts
            .signed_data
            .signed_attributes
            .push(attribution(utf8_string(name)));
    }
    refuse(
        Parts::member,
        cases! { p:
            "to another": attribute_to(p, "bob") => "veraid.attribution_by_member";
            "to itself": attribute_to(p, "alice") => "veraid.attribution_by_member";
            "to the bot": attribute_to(p, "@") => "veraid.attribution_by_member";
            "in the organisation's name": { attribute_to(p, "bob"); p.signed_data.signer_identifier = Some(identifier_of(&p.organisation)); } => "cms.bad_signature";
            "in the organisation's name in another string type": { attribute_to(p, "bob"); p.signed_data.signer_identifier = Some(sequence(&[sequence(&[common_name(utf8_string("example.com"))]), p.organisation.serial_number.clone()])); } => "veraid.attribution_by_member";
            "in the organisation's name, with a certificate of the same issuer and serial number": { attribute_to(p, "bob"); p.member.serial_number = p.organisation.serial_number.clone(); } => "cms.bad_signature";
        },
    );
}

#[test]
fn refuses_attributions_that_are_no_names() {
    fn attribute_to(parts: &mut Parts, value: Vec<u8>) {
        parts.signed_data.signed_attributes[ATTRIBUTION] = attribution(value);
    }
    refuse(
        Parts::organisation,
        cases! { p:
            "nobody": attribute_to(p, utf8_string("")) => "veraid.invalid_attribution";
            "an at sign": attribute_to(p, utf8_string("alice@example.org")) => "veraid.invalid_attribution";
            "a line feed": attribute_to(p, utf8_string("al\nice")) => "veraid.invalid_attribution";
            "a no-break space": attribute_to(p, utf8_string("al\u{a0}ice")) => "veraid.invalid_attribution";
            "a control character": attribute_to(p, utf8_string("al\u{7}ice")) => "veraid.invalid_attribution";
            "invalid UTF-8": attribute_to(p, tlv(0x0c, b"alic\xe9")) => "cms.malformed_signed_data";
            "a BMPString": attribute_to(p, bmp_string("alice")) => "cms.malformed_signed_data";
            "two members": p.signed_data.signed_attributes[ATTRIBUTION] = attribute(ATTRIBUTION_ATTRIBUTE, &[utf8_string("alice"), utf8_string("bob")]) => "cms.attribute_count";
            "twice": p.signed_data.signed_attributes.push(attribution(utf8_string("bob"))) => "cms.attribute_count";
            "unsigned only": { let attribution = p.signed_data.signed_attributes.remove(ATTRIBUTION); p.signed_data.unsigned_attributes = context(1, &attribution); } => "cms.no_signer_certificate";
            "by its own name in another string type": p.signed_data.signer_identifier = Some(sequence(&[sequence(&[common_name(utf8_string("example.com"))]), p.organisation.serial_number.clone()])) => "veraid.attribution_by_member";
            "by another serial number": p.signed_data.signer_identifier = Some(sequence(&[p.organisation.issuer.clone(), integer(&[0x12])])) => "veraid.attribution_by_member";
            "by another issuer": p.signed_data.signer_identifier = Some(sequence(&[name("example.org"), integer(&[0x11])])) => "veraid.attribution_by_member";
        },
    );
}

#[test]
fn refuses_chains_without_a_record_for_key_and_service() {
    fn records(parts: &mut Parts, suffixes: &[&str]) {
        parts.records = suffixes
            .iter()
            .map(|suffix| organisation_key().record(suffix))
            .collect();
    }
    refuse(
        Parts::member,
        cases! { p:
            "for another service": records(p, &["3600 1.2.3"]) => "veraid.no_matching_record";
            "of another algorithm": p.records = vec![p.records[0].replacen('1', "2", 1)] => "veraid.no_matching_record";
            "with no time at all": records(p, &["0"]) => "veraid.no_matching_record";
            "with a further field": records(p, &["3600 1.3.6.1.4.1.58708.1.1 more"]) => "veraid.no_matching_record";
            "two for any service": records(p, &["3600", "7200"]) => "veraid.ambiguous_record";
            "two for the service": records(p, &["3600 1.3.6.1.4.1.58708.1.1", "7200 1.3.6.1.4.1.58708.1.1", "1"]) => "veraid.ambiguous_record";
            "a DomainAuth record at VeraId's name": p.records = vec![format!("0 1 1 {}", &organisation_key().record("3600")[2..])] => "veraid.no_matching_record";
        },
    );
}

#[test]
fn a_record_for_the_service_wins_over_one_for_any() {
    let mut parts = Parts::member();
    parts.records.push(stranger_key().record("3600"));
    parts.records.push(organisation_key().record("3600 1.2.3"));
    parts.records.push("v=spf1 -all".into());
    assert_eq!(parts.reason(), "valid");
    // DNSSEC ran out ten seconds before the end of the period: enough for the general record, not for the specific one.
    parts.dnssec_window = (NOON - DAY, NOON + 90);
    parts.required = period(NOON, NOON + 100);
    assert_eq!(parts.reason(), "valid");
    parts
        .records
        .push(organisation_key().record("9 1.3.6.1.4.1.58708.1.1"));
    assert_eq!(parts.reason(), "veraid.ttl_override_exceeded");
}

#[test]
fn refuses_chains_that_dnssec_does_not_bear_out() {
    refuse(
        Parts::member,
        cases! { p:
            "expired": p.dnssec_window = (NOON - DAY, NOON - 1) => "dnssec.rrsig_expired";
            "not yet valid": p.dnssec_window = (NOON + 1, NOON + DAY) => "dnssec.rrsig_not_yet_valid";
            "a corrupt signature of a record that would be of no use": { p.records = vec![stranger_key().record("3600")]; p.spoil_chain = |w, r| { r.answer().sign(&w.signing("example.com.", KeyRole::Zsk).corrupt()); } } => "veraid.no_matching_record";
            "a corrupt signature": { p.spoil_chain = |w, r| { r.answer().sign(&w.signing("example.com.", KeyRole::Zsk).corrupt()); } } => "dnssec.bad_signature";
            "a zone's keys missing": { p.spoil_chain = |_, r| { r.remove("com.", kliento_fixtures::DNSKEY); } } => "dnssec.missing_response";
            "no answer": { p.spoil_chain = |_, r| { r.remove("_veraid.example.com.", TXT); } } => "veraid.no_record_response";
        },
    );
}

type MakeResponse = fn() -> Response;

/// A response to DomainAuth's question.
fn domain_auth_response(answers: Vec<Record>, rcode: u8) -> Response {
    let mut response = Response::new(DOMAIN_AUTH, TXT);
    response.answers = answers;
    response.rcode = rcode;
    response
}

fn domain_auth_record() -> Record {
    Record::txt(DOMAIN_AUTH, "0 1 1 qqq 3600")
}

const DOMAIN_AUTH: &str = "_domainauth.example.com.";
const VERA_ID: &str = "_veraid.example.com.";

#[test]
fn refuses_a_chain_that_holds_records_of_both_dialects() {
    fn also(parts: &mut Parts, spoil: fn(&World, &mut Responses)) {
        parts.spoil_chain = spoil;
    }
    refuse(
        with_final_dot,
        cases! { p:
            "both": also(p, |w, r| { let mut other = domain_auth_response(vec![domain_auth_record()], NOERROR); w.resign(&mut other); r.0.insert(0, other); }) => "veraid.ambiguous_dialect";
            "both, without signatures": also(p, |_, r| r.0.push(domain_auth_response(vec![domain_auth_record()], NOERROR))) => "veraid.ambiguous_dialect";
            "both, though one says that it does not exist": also(p, |_, r| r.0.push(domain_auth_response(vec![domain_auth_record()], NXDOMAIN))) => "veraid.ambiguous_dialect";
            "an alias for DomainAuth": also(p, |_, r| r.0.push(domain_auth_response(vec![Record::of_name(DOMAIN_AUTH, CNAME, "elsewhere.example.com.")], NOERROR))) => "veraid.ambiguous_dialect";
            "an alias for VeraId beside DomainAuth": also(p, |_, r| { r.answer().answers = vec![Record::of_name(VERA_ID, CNAME, "elsewhere.example.com.")]; r.0.push(domain_auth_response(vec![domain_auth_record()], NOERROR)); }) => "veraid.ambiguous_dialect";
            "a DNAME that covers DomainAuth's": also(p, |_, r| { let mut other = domain_auth_response(vec![], NOERROR); other.answers.push(Record::of_name("example.com.", DNAME, "example.net.")); r.0.push(other); }) => "veraid.ambiguous_dialect";
            "DomainAuth alone": also(p, |_, r| { r.remove(VERA_ID, TXT); r.0.push(domain_auth_response(vec![domain_auth_record()], NOERROR)); }) => "veraid.no_matching_record";
            "an alias for DomainAuth alone": also(p, |_, r| { r.remove(VERA_ID, TXT); r.0.push(domain_auth_response(vec![Record::of_name(DOMAIN_AUTH, CNAME, "elsewhere.example.com.")], NOERROR)); }) => "dnssec.no_rrsig";
            "DomainAuth beside an empty answer for VeraId": also(p, |_, r| { r.answer().answers.clear(); r.0.push(domain_auth_response(vec![domain_auth_record()], NOERROR)); }) => "veraid.no_matching_record";
            "DomainAuth beside a failure for VeraId": also(p, |_, r| { r.answer().rcode = SERVFAIL; r.0.push(domain_auth_response(vec![domain_auth_record()], NOERROR)); }) => "veraid.no_matching_record";
        },
    );
}

#[test]
fn a_response_that_holds_nothing_does_not_decide_the_dialect() {
    const REFUSED: u8 = 5;
    let silent: [(&str, MakeResponse); 8] = [
        ("REFUSED", || domain_auth_response(vec![], REFUSED)),
        ("REFUSED, with a record all the same", || {
            domain_auth_response(vec![domain_auth_record()], REFUSED)
        }),
        ("no such name", || domain_auth_response(vec![], NXDOMAIN)),
        ("no data", || domain_auth_response(vec![], NOERROR)),
        ("a record in the authority section", || {
            let mut response = domain_auth_response(vec![], NOERROR);
            response.authorities.push(domain_auth_record());
            response
        }),
        ("a record of another class", || {
            domain_auth_response(vec![domain_auth_record().with_class(CH)], NOERROR)
        }),
        ("a record of another owner", || {
            let other = Record::txt("example.com.", "0 1 1 qqq 3600");
            domain_auth_response(vec![other], NOERROR)
        }),
        ("another question", || {
            let mut response = domain_auth_response(vec![domain_auth_record()], NOERROR);
            response.questions[0].record_type = A;
            response
        }),
    ];
    let alone = [
        "veraid.no_record_response",
        "dnssec.response_code",
        "dnssec.unproven_denial",
        "veraid.no_matching_record",
    ];
    for (name, response) in silent {
        let mut parts = with_final_dot();
        parts.further_responses.push(response());
        assert_eq!(parts.reason(), "valid", "{name}");
        // Alone it is no answer for VeraId.
        parts.spoil_chain = |_, r| drop(r.remove(VERA_ID, TXT));
        let verdict = parts.reason();
        assert!(alone.contains(&verdict), "{name}: {verdict}");
    }
}

/// A signature of an organisation whose name is good in both dialects.
fn with_final_dot() -> Parts {
    let mut parts = Parts::member();
    parts.organisation.subject = name("example.com.");
    parts.organisation.issuer = name("example.com.");
    parts.member.issuer = name("example.com.");
    parts
}

#[test]
fn says_why_veraids_question_has_no_answer() {
    refuse(
        Parts::member,
        cases! { p:
            "a failure": p.spoil_chain = |_, r| r.answer().rcode = SERVFAIL => "dnssec.response_code";
            "a failure beside DomainAuth's": { p.spoil_chain = |_, r| r.answer().rcode = SERVFAIL; p.further_responses.push(domain_auth_response(vec![], SERVFAIL)); } => "dnssec.response_code";
            "a proven absence": { p.records.clear(); } => "veraid.record_absent";
            "an answer without records": p.spoil_chain = |_, r| r.answer().answers.clear() => "dnssec.unproven_denial";
        },
    );
}

#[test]
fn refuses_another_root() {
    let (bundle, _) = Parts::member().build();
    let mut elsewhere = Parts::member();
    elsewhere.tree = "another";
    let (_, other) = elsewhere.build();
    let verification = Verification::new(SERVICE, noon(), &other);
    let error = SignatureBundle::from_der(&bundle)
        .unwrap()
        .verify(&verification)
        .unwrap_err();
    assert!(error.reason().starts_with("dnssec."), "{error}");
}

#[test]
fn refuses_a_chain_that_is_no_der_as_malformed() {
    let (bundle, _) = Parts::member().build();
    let elements = content(&bundle);
    let chain_at = elements.iter().position(|&octet| octet == 0xa1).unwrap();
    // The first OCTET STRING becomes an INTEGER.
    let mut spoiled = bundle.clone();
    let first_message = bundle.len() - elements.len() + chain_at + 4;
    assert_eq!(spoiled[first_message], 0x04);
    spoiled[first_message] = 0x02;
    let error = SignatureBundle::from_der(&spoiled).unwrap_err();
    assert_eq!(error.reason(), "dnssec.malformed_chain");
    assert!(error.is_malformed());
    assert!(
        error.to_string().contains(&first_message.to_string()),
        "{error}"
    );
    // A message that is none is another matter.
    let not_dns = retag(0xa1, &chain_der(&[b"no message".to_vec()]));
    let length = [elements[chain_at + 2], elements[chain_at + 3]];
    let behind_chain = chain_at + 4 + usize::from(u16::from_be_bytes(length));
    let bundle = sequence(&[&elements[..chain_at], &not_dns, &elements[behind_chain..]]);
    let error = SignatureBundle::from_der(&bundle).unwrap_err();
    assert_eq!(error.reason(), "dnssec.malformed_response");
    assert!(!error.is_malformed());
}
