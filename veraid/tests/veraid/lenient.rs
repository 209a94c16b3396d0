//! What honest peers write that is not all DER, or more than it takes: it must be read.

use crate::support::der::*;
use crate::support::*;
use kliento_fixture_cases::tables::veraid as vera_id;
use veraid::{
    Content, KeyAlgorithm, MemberCertificate, MemberIdBundle, OrganisationCertificate,
    SignatureBundle, SignatureRequest, SignedBy, Signer, SigningKey as _, Verification,
};

#[test]
fn reads_what_the_reference_library_writes() {
    Parts::member().verify(|outcome| {
        let verified = outcome.unwrap();
        assert_eq!(verified.signed_by(), SignedBy::Member);
        assert_eq!(verified.key_algorithm(), KeyAlgorithm::Rsa2048);
        assert_eq!(verified.service(), SERVICE);
        assert_eq!(verified.period(), period(NOON, NOON + 600));
        assert_eq!(verified.signature_period(), period(NOON, NOON + 600));
    });
    Parts::organisation().verify(|outcome| {
        assert_eq!(outcome.unwrap().signed_by(), SignedBy::Organisation);
    });
}

#[test]
fn reads_signed_data_that_is_not_der_or_holds_more() {
    try_group(vera_id::add, "lenient-signed-data");
}

#[test]
fn reads_certificates_that_are_not_der_or_hold_more() {
    try_group(vera_id::add, "lenient-certificates");
}

/// An organisation may renew its certificate with other software than it issued its members' with.
#[test]
fn takes_members_whose_issuers_name_is_written_in_another_string_type() {
    fn in_types() -> [Vec<u8>; 3] {
        [
            bmp_string("example.com"),
            utf8_string("example.com"),
            tlv(0x13, b"example.com"),
        ]
        .map(|value| sequence(&[common_name(value)]))
    }
    for subject in in_types() {
        for issuer in in_types() {
            let mut parts = Parts::member();
            parts.organisation.subject.clone_from(&subject);
            parts.organisation.issuer.clone_from(&subject);
            parts.member.issuer = issuer;
            assert_eq!(parts.reason(), "valid");
            assert_eq!(parts.member_id_reason(), "valid");
        }
    }
}

#[test]
fn reads_names_beyond_the_basic_multilingual_plane_as_utf_16() {
    let mut parts = Parts::member();
    parts.member.subject = name("👩 alice");
    parts.verify(|outcome| {
        assert_eq!(
            outcome.unwrap().member_id().to_string(),
            "👩 alice@example.com"
        );
    });
}

#[test]
fn reads_bots() {
    let mut member = Parts::member();
    member.member.subject = name("@");
    let mut organisation = Parts::organisation();
    organisation.signed_data.signed_attributes[ATTRIBUTION] = attribution(utf8_string("@"));
    for parts in [member, organisation] {
        parts.verify(|outcome| {
            let verified = outcome.unwrap();
            assert_eq!(verified.member_id().to_string(), "example.com");
            assert_eq!(verified.member_id().user(), None);
        });
    }
}

#[test]
fn reads_empty_content_in_every_form() {
    for content in [
        octet_string(b""),
        tlv(0x24, b""),
        tlv(0x24, &octet_string(b"")),
    ] {
        let mut parts = Parts::member();
        parts.signed_data.content = Some(content);
        parts.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha256, b"");
        parts.verify(|outcome| assert_eq!(outcome.unwrap().content(), Some(&b""[..])));
    }
}

#[test]
fn reads_keys_of_all_sizes_with_any_of_the_hashes() {
    for (key, algorithm) in [
        (key_of_3072_bits(), KeyAlgorithm::Rsa3072),
        (key_of_4096_bits(), KeyAlgorithm::Rsa4096),
    ] {
        for (hash, scheme) in [(SHA_256, PSS_256), (SHA_384, PSS_384), (SHA_512, PSS_512)] {
            let mut parts = Parts::organisation_with(key);
            parts.organisation.algorithm(&pss(hash));
            parts.organisation.scheme = scheme;
            parts.signed_data.signature_algorithm = pss(hash);
            parts.signed_data.scheme = scheme;
            parts.verify(|outcome| assert_eq!(outcome.unwrap().key_algorithm(), algorithm));
        }
    }
}

#[test]
fn reads_the_record_of_the_specification() {
    let mut parts = Parts::member();
    let record = organisation_key().record("3600");
    let id = record.split(' ').nth(1).unwrap().trim_end_matches('=');
    parts.records = vec![format!("1 1 {id} 3600 1.3.6.1.4.1.58708.1.1")];
    assert_eq!(parts.reason(), "valid");
}

/// A member whose organisation uses the reference library signs with ours: certificates that are not DER are passed on
/// octet by octet, serial numbers too.
#[test]
fn signs_with_certificates_that_are_not_der() {
    let mut parts = Parts::member();
    let key = private_key(KeyAlgorithm::Rsa2048);
    let public_key = key.public_key().as_spki_der().to_vec();
    parts.member.extensions[SUBJECT] = subject_key_identifier(&Hash::Sha256.of(&public_key));
    parts.member.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0)]);
    parts.member.public_key = public_key;
    parts.member.serial_number = integer(&[0, 0x22]);
    let (bundle, anchors) = parts.build();
    let certificate = MemberCertificate::from_der(&parts.member.to_der()).unwrap();
    let organisation = OrganisationCertificate::from_der(&parts.organisation.to_der()).unwrap();
    let chain = SignatureBundle::from_der(&bundle)
        .unwrap()
        .unverified_chain()
        .to_der();
    let bundle = MemberIdBundle::new(&chain, organisation, certificate, Vec::new()).unwrap();
    let signer = Signer::member(&bundle, &key);
    let written = signer
        .sign(&SignatureRequest::new(
            Content::Attached(CONTENT),
            SERVICE,
            noon(),
        ))
        .unwrap();
    assert!(
        written
            .windows(4)
            .filter(|octets| *octets == [2, 2, 0, 0x22])
            .count()
            == 2
    );
    let verification = Verification::new(SERVICE, noon(), &anchors);
    let verified = SignatureBundle::from_der(&written)
        .unwrap()
        .verify(&verification)
        .unwrap();
    assert_eq!(verified.content(), Some(CONTENT));
}
