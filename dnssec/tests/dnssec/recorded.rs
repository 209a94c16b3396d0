//! Chains of the public DNS, verified with IANA's anchors at the time when they were recorded: see `data/recorded/README.md`.

use dnssec::{
    Chain, Fact, Period, RecordType, TrustAnchors, messages_from_authentication_chain, txt_content,
};

/// All of the recorded signatures hold then.
const RECORDED: &str = "2026-08-10T12:00:00Z";

struct Recording {
    file: &'static str,
    records: &'static [u8],
    name: &'static str,
    record_type: RecordType,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// So many records at this name in the end.
    Proven(&'static str, usize),
    /// The error's reason.
    Refused(&'static str),
}

macro_rules! recording {
    ($file:literal, $name:literal, $record_type:ident, $outcome:expr) => {
        Recording {
            file: $file,
            records: include_bytes!(concat!("../data/recorded/", $file, ".chain")),
            name: $name,
            record_type: RecordType::$record_type,
            outcome: $outcome,
        }
    };
    ($file:literal, $name:literal) => {
        recording!($file, $name, TXT, Outcome::Proven($name, 1))
    };
    ($file:literal, refused $name:literal) => {
        recording!(
            $file,
            $name,
            TXT,
            Outcome::Refused("dnssec.unproven_wildcard")
        )
    };
}

const MATT: &str = "matt.user._bitcoin-payment.mattcorallo.com.";

const RECORDINGS: [Recording; 16] = [
    recording!(
        "txt",
        "matt.user._bitcoin-payment.mattcorallo.com.",
        TXT,
        Outcome::Proven(MATT, 2)
    ),
    recording!(
        "txt-several",
        "txt_sort_order.dnssec_proof_tests.bitcoin.ninja.",
        TXT,
        Outcome::Proven("txt_sort_order.dnssec_proof_tests.bitcoin.ninja.", 8)
    ),
    recording!(
        "txt-below-nsec-zone",
        "a.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    recording!(
        "cname",
        "cname_test.dnssec_proof_tests.bitcoin.ninja.",
        TXT,
        Outcome::Proven("txt_test.dnssec_proof_tests.bitcoin.ninja.", 1)
    ),
    recording!(
        "wildcard-nsec3",
        "asdf.wildcard_test.dnssec_proof_tests.bitcoin.ninja."
    ),
    recording!(
        "wildcard-nsec3",
        "asdf.cname_wildcard_test.dnssec_proof_tests.bitcoin.ninja.",
        CNAME,
        Outcome::Proven(
            "asdf.cname_wildcard_test.dnssec_proof_tests.bitcoin.ninja.",
            1
        )
    ),
    recording!(
        "wildcard-nsec3-own-zone",
        "asdf.wildcard_test.dnssec_proof_tests.bitcoin.ninja."
    ),
    // By the last NSEC3 record of the zone, whose next hash is the first.
    recording!(
        "wildcard-nsec3-last",
        "wildcard.x_domain_cname_wild.dnssec_proof_tests.bitcoin.ninja.",
        TXT,
        Outcome::Proven(MATT, 2)
    ),
    recording!(
        "wildcard-nsec",
        "a.wildcard_test.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    // By the last NSEC record of the zone, whose next name is the apex.
    recording!(
        "wildcard-nsec-last",
        "zz.wildcard_test.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    // The NSEC record is of the right zone, and spans other names.
    recording!(
        "wildcard-nsec-elsewhere",
        refused "a.wildcard_test.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    recording!(
        "wildcard-nsec-last-elsewhere",
        refused "a.wildcard_test.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    // The name exists, and so nothing below it comes from the wildcard.
    recording!(
        "wildcard-overridden",
        refused "override.wildcard_test.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    recording!(
        "wildcard-below-overridden",
        refused "b.override.wildcard_test.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    // The NSEC record spans an empty non-terminal, which exists (RFC 4592 §2.2.2).
    recording!(
        "wildcard-below-empty-non-terminal",
        refused "x.zent_test.wildcard_test.nsec_tests.dnssec_proof_tests.bitcoin.ninja."
    ),
    // The NSEC record is of a zone below, which has no say in the names of the zone above.
    recording!(
        "wildcard-denied-by-zone-below",
        refused "asdf.wildcard_test.dnssec_proof_tests.bitcoin.ninja."
    ),
];

#[track_caller]
fn check(recording: &Recording, messages: &[Vec<u8>]) {
    let Recording { file, outcome, .. } = recording;
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("messages");
    let name = recording.name.parse().expect("a name");
    let at = Period::at(RECORDED.parse().expect("a time"));
    let fact = chain.look_up(&name, recording.record_type, &TrustAnchors::iana(), at);
    match (fact, *outcome) {
        (Ok(Fact::Proven(proof)), Outcome::Proven(canonical_name, count)) => {
            assert_eq!(proof.canonical_name().to_string(), canonical_name, "{file}");
            assert_eq!(proof.rdata().len(), count, "{file}");
            if recording.record_type == RecordType::TXT {
                assert!(proof.rdata().all(|rdata| txt_content(rdata).is_some()));
            }
        }
        (Err(refusal), Outcome::Refused(reason)) => {
            assert_eq!(refusal.reason(), reason, "{file}: {refusal}");
        }
        (fact, _) => panic!("{file} should be {outcome:?}: {fact:?}"),
    }
}

#[test]
fn chains_of_the_public_dns_prove_what_they_should() {
    for recording in &RECORDINGS {
        let messages = messages_from_authentication_chain(recording.records).expect("records");
        check(recording, &messages);
    }
}

#[test]
fn what_is_kept_of_them_proves_the_same() {
    let at = Period::at(RECORDED.parse().expect("a time"));
    let anchors = TrustAnchors::iana();
    for recording in &RECORDINGS {
        let messages = messages_from_authentication_chain(recording.records).expect("records");
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("messages");
        let name = recording.name.parse().expect("a name");
        let list = chain.to_authentication_chain(&name, recording.record_type, &anchors, at);
        let kept = chain.minimal(&name, recording.record_type, &anchors, at);
        if let Outcome::Refused(reason) = recording.outcome {
            assert_eq!(list.expect_err("nothing is proven").reason(), reason);
            assert_eq!(kept.expect_err("nothing is proven").reason(), reason);
            continue;
        }
        let list = list.expect("it can be written");
        assert!(list.len() <= recording.records.len(), "{}", recording.file);
        let listed = messages_from_authentication_chain(&list).expect("and read");
        check(recording, &listed);
        check(recording, &kept.expect("it can be reduced"));
    }
}
