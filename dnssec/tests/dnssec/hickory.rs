//! Messages read by this crate and by `hickory-proto`: both must see the same.

use dnssec::{Chain, Name, RecordType};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name as HickoryName, Record as HickoryRecord};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
use kliento_fixtures::{
    A, AAAA, Algorithm, CNAME, DNSKEY, DS, NS, PTR, Record, SOA, SRV, TXT, World,
};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use crate::support::{NOON, random};

/// A record as both readers can say it: owner, type, class, TTL, and canonical RDATA.
type Plain = (Name, u16, u16, u32, Vec<u8>);

fn name_of(name: &HickoryName) -> Name {
    let labels: Vec<&[u8]> = name.iter().collect();
    Name::from_labels(labels).expect("hickory-proto's names are names")
}

/// hickory-proto's RDATA written out again, names uncompressed and, where RFC 4034 §6.2 has it, in lower case.
fn plain_of_hickory(record: &HickoryRecord) -> Plain {
    let mut rdata = Vec::new();
    let mut encoder = BinEncoder::new(&mut rdata);
    encoder.set_canonical_form(true);
    encoder.set_name_encoding(NameEncoding::UncompressedLowercase);
    record
        .data
        .emit(&mut encoder)
        .expect("what was read can be written");
    (
        name_of(&record.name),
        u16::from(record.record_type()),
        u16::from(record.dns_class),
        record.ttl,
        rdata,
    )
}

fn plain_of_ours(record: &dnssec::Record<'_>) -> Plain {
    let rdata = record.canonical_rdata().expect("the RDATA fits its type");
    (
        record.owner(),
        record.record_type().0,
        record.class(),
        record.ttl(),
        rdata.into_owned(),
    )
}

/// A label of letters of either case, digits, and now and then any octet.
fn label(random: &mut TestRng) -> Vec<u8> {
    (0..random.random_range(1..12))
        .map(|_| match random.random_range(0..20) {
            0 => random.random(),
            1..8 => random.random_range(b'A'..=b'Z'),
            8..10 => random.random_range(b'0'..=b'9'),
            _ => random.random_range(b'a'..=b'z'),
        })
        .collect()
}

fn below(random: &mut TestRng, zone: &kliento_fixtures::Name) -> kliento_fixtures::Name {
    let mut name = zone.clone();
    for _ in 0..random.random_range(0..3) {
        name = name.child(&label(random));
    }
    name
}

/// A record of a type that both know, at a name within `zone`.
fn record(random: &mut TestRng, zone: &kliento_fixtures::Name) -> Record {
    let owner = below(random, zone);
    let target = below(random, zone);
    match random.random_range(0..9) {
        0 => Record::new(owner, A, random.random::<[u8; 4]>()),
        1 => Record::new(owner, AAAA, random.random::<[u8; 16]>()),
        2 => Record::mx(owner, random.random(), target),
        3 => Record::of_name(owner, NS, target),
        4 => Record::of_name(owner, PTR, target),
        5 => {
            let numbers = random.random::<[u8; 6]>();
            Record::new(owner, SRV, [&numbers, target.wire()].concat())
        }
        6 => Record::new(owner, 65_280, label(random)),
        _ => Record::txt_strings(owner, &[&label(random), &label(random)]),
    }
    .with_ttl(random.random_range(0..86_400))
}

fn world(random: &mut TestRng) -> (World, Vec<(kliento_fixtures::Name, u16)>) {
    let top = kliento_fixtures::Name::root().child(&label(random));
    let zone = top.child(&label(random));
    let mut builder = World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone(&top, Algorithm::EcdsaP256Sha256)
        .zone(&zone, Algorithm::EcdsaP384Sha384);
    let alias = zone.child(b"alias");
    let mut questions = vec![
        (alias.clone(), TXT),
        (alias.clone(), CNAME),
        (zone.child(b"nowhere"), TXT),
        (zone.clone(), SOA),
        (zone.clone(), DNSKEY),
        (zone.clone(), DS),
    ];
    for _ in 0..6 {
        let record = record(random, &zone);
        questions.push((record.owner.clone(), record.record_type));
        builder = builder.record(record);
    }
    let target = below(random, &zone.child(b"target"));
    let world = builder
        .record(Record::of_name(&alias, CNAME, target))
        .build();
    (world, questions)
}

#[test]
fn reads_messages_as_hickory_proto_does() {
    let mut random = random();
    let mut records = 0;
    for round in 0..60 {
        let (world, questions) = world(&mut random);
        for (name, record_type) in questions {
            let mut response = world.answer(&name, record_type);
            response.compress = round % 2 == 0;
            let octets = response.to_message();
            let theirs = Message::from_vec(&octets).expect("hickory-proto reads the message");
            let chain = Chain::from_messages([&octets[..]]).expect("this crate reads it");
            let ours = &chain.responses()[0];

            let asked = &theirs.queries[0];
            let question = (name_of(asked.name()), RecordType(asked.query_type().into()));
            assert_eq!(ours.question(), Some(question));
            assert_eq!(
                ours.response_code(),
                u16::from(theirs.metadata.response_code)
            );

            let answers: Vec<Plain> = theirs.answers.iter().map(plain_of_hickory).collect();
            let ours_answers: Vec<Plain> = ours.answers().iter().map(plain_of_ours).collect();
            assert_eq!(ours_answers, answers);
            let others: Vec<Plain> = theirs
                .authorities
                .iter()
                .chain(&theirs.additionals)
                .map(plain_of_hickory)
                .collect();
            let ours_others: Vec<Plain> = ours.others().iter().map(plain_of_ours).collect();
            assert_eq!(ours_others, others);
            records += answers.len() + others.len();
        }
    }
    assert!(records > 2_000, "{records}");
}
