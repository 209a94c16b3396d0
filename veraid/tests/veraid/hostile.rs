//! What must be refused, and for which reason. Each case is a good bundle with one thing wrong with it.

use crate::support::der::*;
use crate::support::*;
use kliento_fixture_cases::tables::veraid::{
    self as vera_id, FAULTS, VERA_ID, domain_auth_record, domain_auth_response,
};
use kliento_fixtures::{A, CH, NOERROR, NXDOMAIN, Record, Response, TXT, chain_der};
use veraid::{MemberIdBundle, SignatureBundle, Verification, VerifyError};

#[test]
fn refuses_a_bundle_of_another_structure() {
    try_group(vera_id::add, "envelope");
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
    try_group(vera_id::add, "organisation-certificate");
}

#[test]
fn refuses_organisations_whose_name_is_no_domain() {
    try_group(vera_id::add, "organisation-name");
}

#[test]
fn refuses_a_member_certificate_that_is_not_what_it_should_be() {
    try_group(vera_id::add, "member-certificate");
}

#[test]
fn refuses_member_id_bundles_that_do_not_hold() {
    try_group(vera_id::add, "member-id-bundle");
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
    try_group(vera_id::add, "organisation-as-member");
}

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
    try_group(vera_id::add, "signed-data");
}

#[test]
fn refuses_a_member_signature_whose_certificate_is_not_there() {
    try_group(vera_id::add, "signer-certificate");
}

#[test]
fn refuses_what_is_no_choice_of_a_certificate_among_the_certificates() {
    try_group(vera_id::add, "certificate-choices");
}

#[test]
fn refuses_a_member_of_another_issuer_in_whatever_string_type() {
    try_group(vera_id::add, "member-issuer");
}

#[test]
fn a_member_cannot_attribute_anything_to_anybody() {
    try_group(vera_id::add, "member-attribution");
}

#[test]
fn refuses_attributions_that_are_no_names() {
    try_group(vera_id::add, "attribution-of-organisation");
}

#[test]
fn refuses_chains_without_a_record_for_key_and_service() {
    try_group(vera_id::add, "txt-record");
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
    try_group(vera_id::add, "dnssec-chain");
}

type MakeResponse = fn() -> Response;

#[test]
fn refuses_a_chain_that_holds_records_of_both_dialects() {
    try_group(vera_id::add, "both-dialects");
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
        let mut parts = Parts::from(vera_id::with_final_dot());
        parts.further_responses.push(response());
        assert_eq!(parts.reason(), "valid", "{name}");
        // Alone it is no answer for VeraId.
        parts.spoil_chain = |_, r| drop(r.remove(VERA_ID, TXT));
        let verdict = parts.reason();
        assert!(alone.contains(&verdict), "{name}: {verdict}");
    }
}

#[test]
fn says_why_veraids_question_has_no_answer() {
    try_group(vera_id::add, "no-answer");
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

/// Signatures of DNSSEC are the dearest part of a bundle. A forged chain whose records do not even fit costs none.
#[test]
fn a_record_that_does_not_fit_is_refused_before_the_chain_is_proven() {
    for (records, reason) in [
        ("3600", "dnssec.bad_signature"),
        ("3600 1.3.6.1.4.1.58708.1.1", "dnssec.bad_signature"),
        ("3600 1.2.3", "veraid.no_matching_record"),
    ] {
        let mut parts = Parts::member();
        parts.records = vec![organisation_key().record(records)];
        parts.spoil_chain = |world, responses| {
            let signing = world.signing_for("_veraid.example.com.", TXT);
            responses.answer().sign(&signing.corrupt());
        };
        assert_eq!(parts.reason(), reason);
    }
}
