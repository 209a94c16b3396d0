//! What honest peers write that is not all DER, or more than it takes: it must be read.

use crate::support::der::*;
use crate::support::*;
use veraid::{
    Content, KeyAlgorithm, MemberCertificate, MemberIdBundle, OrganisationCertificate,
    SignatureBundle, SignatureRequest, SignedBy, Signer, SigningKey as _, Verification,
};

type Case = (&'static str, fn(&mut Parts));

/// One case a line: what is odd, how to make it so of `p`.
macro_rules! cases {
    ($parts:ident: $($name:literal: $change:expr;)*) => {
        &[$(($name, |$parts| { $change; })),*]
    };
}

fn accept(good: fn() -> Parts, cases: &[Case]) {
    for (name, change) in cases {
        let mut parts = good();
        change(&mut parts);
        parts.verify(|outcome| match outcome {
            Ok(verified) => {
                assert_eq!(verified.content(), Some(CONTENT), "{name}");
                assert_eq!(
                    verified.member_id().to_string(),
                    "alice@example.com",
                    "{name}"
                );
            }
            Err(error) => panic!("{name}: {error}"),
        });
    }
}

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
    let cases: &[Case] = cases! { p:
        "content as DER": p.signed_data.content = Some(octet_string(CONTENT));
        "content in two pieces": p.signed_data.content = Some(tlv(0x24, &concat(&[octet_string(b"the "), octet_string(b"content")])));
        "content in many pieces, empty ones among them": p.signed_data.content = Some(tlv(0x24, &concat(&CONTENT.iter().flat_map(|&octet| [octet_string(&[octet]), octet_string(&[])]).collect::<Vec<_>>())));
        "signed attributes the other way round": p.signed_data.signed_attributes.reverse();
        "signing-time and another signed attribute": p.signed_data.signed_attributes.extend([attribute(SIGNING_TIME_ATTRIBUTE, &[utc_time("261121120000Z")]), attribute("1.2.3.4", &[null(), null()])]);
        "an unknown attribute twice": p.signed_data.signed_attributes.extend([attribute("1.2.3.4", &[]), attribute("1.2.3.4", &[null()])]);
        "unsigned attributes": p.signed_data.unsigned_attributes = context(1, &attribute("1.2.3.4", &[null()]));
        "an unsigned attribution": p.signed_data.unsigned_attributes = context(1, &attribution(utf8_string("bob")));
        "SignedData of version 3": p.signed_data.version = integer(&[3]);
        "no digest algorithms": p.signed_data.digest_algorithms = set::<Vec<u8>>(&[]);
        "other digest algorithms beside": p.signed_data.digest_algorithms = set(&[hash(SHA_512), hash(SHA_1), hash(SHA_256)]);
        "hashes without parameters": { p.signed_data.digest_algorithm = sequence(&[oid(SHA_256)]); p.signed_data.digest_algorithms = set(&[sequence(&[oid(SHA_256)])]); };
        "an explicit trailer field": p.signed_data.signature_algorithm = pss_with(SHA_256, SHA_256, 32, Some(1));
        "another hash for the digest": { p.signed_data.digest_algorithm = hash(SHA_512); p.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha512, CONTENT); };
        "another hash for the signature": { p.signed_data.signature_algorithm = pss(SHA_384); p.signed_data.scheme = PSS_384; };
        "SHA-512 for the signature": { p.signed_data.signature_algorithm = pss(SHA_512); p.signed_data.scheme = PSS_512; };
        "times with fractions": p.signed_data.signed_attributes[METADATA] = metadata("1.3.6.1.4.1.58708.1.1", "20261121120000.768Z", "20261121121000.5Z");
        "the organisation's certificate as well": p.signed_data.further_certificates = vec![p.organisation.to_der()];
        "irrelevant certificates and other kinds of them": { let mut other = p.member.clone(); other.serial_number = integer(&[0x77]); p.signed_data.further_certificates = vec![other.to_der(), context(1, &[]), context(3, &null())]; };
        "revocation lists": p.signed_data.revocations = context(1, &sequence(&[null()]));
        "the signer's certificate twice": { let certificate = p.member.to_der(); p.signed_data.certificates = Some(context(0, &concat(&[&certificate, &certificate]))); };
    };
    accept(Parts::member, cases);
    // The certificates of an organisation signature do not matter, whatever they are.
    accept(Parts::organisation, &cases[..16]);
    accept(
        Parts::organisation,
        cases! { p:
            "an empty set of certificates": p.signed_data.certificates = Some(context(0, &[]));
            "no certificates": p.signed_data.certificates = Some(vec![]);
            "its own certificate": p.signed_data.certificates = Some(context(0, &p.organisation.to_der()));
            "a member's certificate": p.signed_data.certificates = Some(context(0, &p.member.to_der()));
        },
    );
}

#[test]
fn reads_certificates_that_are_not_der_or_hold_more() {
    fn rename(parts: &mut Parts, value: Vec<u8>) {
        let name = sequence(&[common_name(value)]);
        parts.organisation.subject = name.clone();
        parts.organisation.issuer = name.clone();
        parts.member.issuer = name;
    }
    let cases: &[Case] = cases! { p:
        "a serial number that is not minimal": p.member.serial_number = integer(&[0, 0x22]);
        "one that only the signer's identifier writes so": p.signed_data.signer_identifier = Some(sequence(&[p.member.issuer.clone(), integer(&[0, 0, 0x22])]));
        "one that only the certificate writes so": { p.member.serial_number = integer(&[0, 0x22]); p.signed_data.signer_identifier = Some(sequence(&[p.member.issuer.clone(), integer(&[0x22])])); };
        "an organisation's serial number that is not minimal": p.organisation.serial_number = integer(&[0, 1, 2, 3, 4, 5, 6, 7]);
        "a negative serial number": p.member.serial_number = integer(&[0xff]);
        "CA explicitly FALSE": p.member.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0)]);
        "CA explicitly FALSE, with a path length": p.member.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0), integer(&[0])]);
        "no basic constraints": { p.member.extensions.remove(BASIC_CONSTRAINTS); };
        "critical explicitly FALSE": p.member.extensions[SUBJECT] = extension("2.5.29.14", Some(0), &octet_string(&member_key().key_identifier()));
        "an unknown extension": p.member.extensions.push(extension("1.2.3.4", None, b"anything"));
        "an authority key identifier with issuer and serial number": p.member.extensions[AUTHORITY] = extension("2.5.29.35", None, &sequence(&[context_primitive(0, &organisation_key().key_identifier()), context(1, &[]), context_primitive(2, &[0x11])]));
        "key usages": { p.member.extensions.push(key_usage(0x80)); p.organisation.extensions.push(key_usage(0x84)); };
        "unique identifiers": p.member.unique_identifiers = concat(&[context_primitive(1, &[0, 1]), context_primitive(2, &[0, 2])]);
        "a name in UTF8String": p.member.subject = sequence(&[common_name(utf8_string("alice"))]);
        "a name in PrintableString": p.member.subject = sequence(&[common_name(tlv(0x13, b"alice"))]);
        "other attributes in the name": p.member.subject = sequence(&[set(&[sequence(&[oid("2.5.4.10"), tlv(0x14, b"\xff")])]), common_name(utf8_string("alice"))]);
        "a domain in UTF8String": rename(p, utf8_string("example.com"));
        "key usages of few bits": { p.member.extensions.push(key_usage_of(&[7, 0x80])); p.organisation.extensions.push(key_usage_of(&[2, 0x84])); };
        "key usages of two bytes": p.member.extensions.push(key_usage_of(&[7, 0x80, 0x80]));
        "a domain with the final dot": rename(p, utf8_string("example.com."));
        "a domain in upper case": rename(p, bmp_string("EXAMPLE.com"));
        "a GeneralizedTime before 2050": p.member.validity = sequence(&[tlv(0x18, b"20261120000000Z"), tlv(0x18, b"20261130000000Z")]);
        "no well-defined end": p.organisation.validity = sequence(&[utc_time("500101000000Z"), tlv(0x18, b"99991231235959Z")]);
        "hashes without parameters": { let sha_256 = sequence(&[oid(SHA_256)]); let parameters = [context(0, &sha_256), context(1, &sequence(&[oid(MGF1), sha_256.clone()])), context(2, &integer(&[32]))]; p.member.algorithm(&sequence(&[oid(RSASSA_PSS), sequence(&parameters)])); };
        "SHA-384": { p.member.algorithm(&pss(SHA_384)); p.member.scheme = PSS_384; };
        "SHA-512": { p.organisation.algorithm(&pss(SHA_512)); p.organisation.scheme = PSS_512; };
    };
    accept(Parts::member, cases);
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
