//! What it takes to prove a TXT RRset from a chain: as it is, against the public-key operations in it alone, and against
//! the crate `dnssec-prover`.
//!
//! That crate believes in the DNS root alone, so it gets a chain of the public DNS, from `tests/data/recorded`; in the form
//! of RFC 9102, which is the only one that it reads. Ours is timed with the same records as a chain of messages.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a mistake in a benchmark should stop it, and Criterion's macros write no documentation"
)]

mod world;

use std::hint::black_box;

#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as back_end;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as back_end;

use back_end::signature::{
    ECDSA_P256_SHA256_ASN1, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use criterion::{Criterion, criterion_group, criterion_main};
use der::Encode as _;
use der::asn1::UintRef;
use dnssec::{
    Algorithm, Chain, Dnskey, Name, Period, Record, RecordType, Response, Timestamp, TrustAnchors,
    messages_from_authentication_chain,
};
use dnssec_prover::ser::parse_rr_stream;
use dnssec_prover::validation::verify_rr_stream;
use kliento_fixtures::{TXT, chain_der};

use world::{NOON, anchors, owner, world};

/// Two TXT records below the root (RSA-2048, algorithm 8), `com.` and `mattcorallo.com.` (both 13), as served in August
/// 2026; from the tests of `dnssec-prover` 0.6.10. See `tests/data/recorded/README.md`.
const RECORDED: &[u8] = include_bytes!("../tests/data/recorded/txt.chain");
const RECORDED_OWNER: &str = "matt.user._bitcoin-payment.mattcorallo.com.";
const RECORDED_AT: &str = "2026-08-10T12:00:00Z";

criterion_group!(benches, chain, peer);
criterion_main!(benches);

fn chain(criterion: &mut Criterion) {
    let world = world();
    let (owner, anchors) = (owner(), anchors(&world));
    let received = world.chain(owner.to_string().as_str(), TXT);
    let chain = Chain::from_messages(received.iter().map(Vec::as_slice)).expect("messages");
    let kept = chain
        .minimal(&owner, RecordType::TXT, &anchors, Period::at(NOON))
        .expect("a proof");
    let der = chain_der(&kept);

    criterion
        .benchmark_group("parse")
        .bench_function("chain", |bencher| {
            bencher.iter(|| Chain::from_der(black_box(&der)));
        });

    let operations = operations(&Chain::from_der(&der).expect("a chain"));
    assert_eq!(operations.len(), 6, "two RRsets of each zone");
    let mut verify = criterion.benchmark_group("verify");
    verify.bench_function("chain", |bencher| {
        bencher.iter(|| prove(black_box(&der), &owner, &anchors, NOON));
    });
    verify.bench_function("chain_floor", |bencher| {
        bencher.iter(|| assert!(black_box(&operations).iter().all(Operation::is_good)));
    });
    verify.finish();
}

fn peer(criterion: &mut Criterion) {
    let owner: Name = RECORDED_OWNER.parse().expect("a name");
    let at: Timestamp = RECORDED_AT.parse().expect("a time");
    let anchors = TrustAnchors::iana();
    let messages = messages_from_authentication_chain(RECORDED).expect("records");
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("messages");
    // What the proof takes and no more, in either form.
    let list = chain
        .to_authentication_chain(&owner, RecordType::TXT, &anchors, Period::at(at))
        .expect("a proof");
    let kept = chain
        .minimal(&owner, RecordType::TXT, &anchors, Period::at(at))
        .expect("a proof");
    let der = chain_der(&kept);
    assert_eq!(prove(&der, &owner, &anchors, at), 2);
    assert_eq!(prove_as_peer(&list, at), 2);

    let mut peer = criterion.benchmark_group("peer");
    peer.bench_function("dnssec_prover", |bencher| {
        bencher.iter(|| prove_as_peer(black_box(&list), at));
    });
    peer.bench_function("dnssec_prover_ours", |bencher| {
        bencher.iter(|| prove(black_box(&der), &owner, &anchors, at));
    });
    peer.finish();
}

/// From octets to a proof that holds at that time; gives the number of records.
fn prove(der: &[u8], owner: &Name, anchors: &TrustAnchors, at: Timestamp) -> usize {
    let chain = Chain::from_der(der).expect("a chain");
    let proof = chain
        .verify(owner, RecordType::TXT, anchors, Period::at(at))
        .expect("a proof");
    proof.rdata().len()
}

/// The same with `dnssec-prover`.
fn prove_as_peer(list: &[u8], at: Timestamp) -> usize {
    let records = parse_rr_stream(list).expect("records");
    let verified = verify_rr_stream(&records).expect("a proof");
    let seconds = u64::try_from(at.unix_seconds()).expect("a time after 1970");
    assert!((verified.valid_from..=verified.expires).contains(&seconds));
    let owner = RECORDED_OWNER.try_into().expect("a name");
    verified.resolve_name(&owner).len()
}

/// A signature check, with all that it takes laid out for the back end.
enum Operation {
    Rsa {
        exponent: Vec<u8>,
        modulus: Vec<u8>,
        signed_data: Vec<u8>,
        signature: Vec<u8>,
    },
    EcdsaP256 {
        point: Vec<u8>,
        signed_data: Vec<u8>,
        signature: Vec<u8>,
    },
}

impl Operation {
    fn is_good(&self) -> bool {
        match self {
            Self::Rsa {
                exponent,
                modulus,
                signed_data,
                signature,
            } => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(
                &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                signed_data,
                signature,
            )
            .is_ok(),
            Self::EcdsaP256 {
                point,
                signed_data,
                signature,
            } => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                .verify(signed_data, signature)
                .is_ok(),
        }
    }
}

/// The check of each RRSIG in a chain that has no more of them than its proof takes.
fn operations(chain: &Chain<'_>) -> Vec<Operation> {
    let records: Vec<&Record<'_>> = chain
        .responses()
        .iter()
        .flat_map(Response::answers)
        .collect();
    let rrsigs = records.iter().filter_map(|record| {
        let rrsig = record.rrsig()?;
        let rrset = rdata(&records, &record.owner(), rrsig.type_covered);
        let signed_data = signed_data(record, &rrset);
        let keys = rdata(&records, &rrsig.signer, RecordType::DNSKEY);
        let key = keys
            .iter()
            .filter_map(|rdata| Dnskey::parse(rdata))
            .find(|key| key.key_tag() == rrsig.key_tag)
            .expect("the chain has the key");
        Some(match key.algorithm {
            Algorithm::RSASHA256 => {
                // RFC 3110 §2: exponents of this size have one octet of length.
                let (&length, rest) = key.public_key.split_first().expect("a key");
                let (exponent, modulus) = rest.split_at(length.into());
                Operation::Rsa {
                    exponent: exponent.to_vec(),
                    modulus: modulus.to_vec(),
                    signed_data,
                    signature: rrsig.signature.to_vec(),
                }
            }
            Algorithm::ECDSAP256SHA256 => {
                let (r, s) = rrsig.signature.split_at(rrsig.signature.len() / 2);
                let integers = [r, s].map(|octets| UintRef::new(octets).expect("an integer"));
                Operation::EcdsaP256 {
                    // Uncompressed (RFC 6605 §4).
                    point: [&[0x04], key.public_key].concat(),
                    signed_data,
                    signature: integers.to_der().expect("two integers"),
                }
            }
            other => panic!("no zone has keys of algorithm {other}"),
        })
    });
    rrsigs.collect()
}

/// The data of an RRset in canonical order.
fn rdata<'m>(records: &[&Record<'m>], owner: &Name, record_type: RecordType) -> Vec<&'m [u8]> {
    let mut rdata: Vec<_> = records
        .iter()
        .filter(|record| record.record_type() == record_type && record.owner() == *owner)
        .map(|record| record.rdata())
        .collect();
    rdata.sort_unstable();
    rdata
}

/// What an RRSIG over types without names in their data covers (RFC 4034 §3.1.8.1).
fn signed_data(record: &Record<'_>, rrset: &[&[u8]]) -> Vec<u8> {
    let rrsig = record.rrsig().expect("an RRSIG");
    let fixed = &record.rdata()[..18];
    let mut signed_data = [fixed, rrsig.signer.as_wire()].concat();
    for rdata in rrset {
        signed_data.extend(record.owner().as_wire());
        signed_data.extend(rrsig.type_covered.0.to_be_bytes());
        signed_data.extend(record.class().to_be_bytes());
        signed_data.extend(rrsig.original_ttl.to_be_bytes());
        let length = u16::try_from(rdata.len()).expect("a record");
        signed_data.extend(length.to_be_bytes());
        signed_data.extend(*rdata);
    }
    signed_data
}
