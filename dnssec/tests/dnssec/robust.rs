//! Whatever octets come in: no panic, no loop, no work without bound, and never a proof of anything but what the zone
//! published.

use dnssec::{Chain, Error, Period, RecordType, TrustAnchors};
use kliento_fixtures::{
    A, Algorithm, DNAME, DNSKEY, DS, Key, KeyRole, NS, Name, Record, Response, TXT, World, ZoneSpec,
};
use proptest::prelude::RngExt;

use crate::support::attempt::{Attempt, Judged as _, STYLES, zones};
use crate::support::{NOON, OWNER, TEXT, WORLD, at, prove, random, verify};

/// What a chain in DER proves about [`OWNER`] at [`NOON`].
fn verify_der(der: &[u8], anchors: &TrustAnchors, period: Period) -> Result<Vec<Vec<u8>>, Error> {
    let chain = Chain::from_der(der)?;
    // What else there is to ask of a chain must not panic either.
    for response in chain.responses() {
        response.question();
        for record in response.answers().iter().chain(response.others()) {
            let _ = (record.owner(), record.canonical_rdata(), record.rrsig());
        }
    }
    chain.to_der();
    let name = OWNER.parse().expect("the name can be read");
    let proof = chain.verify(&name, RecordType::TXT, anchors, period)?;
    Ok(proof.rdata().map(<[u8]>::to_vec).collect())
}

fn anchors() -> TrustAnchors {
    WORLD.anchors().parse().expect("the anchors can be read")
}

fn published() -> Vec<Vec<u8>> {
    vec![Record::txt(OWNER, TEXT).rdata]
}

#[test]
fn no_prefix_of_a_chain_proves_anything() {
    let der = WORLD.responses(OWNER, TXT).to_der();
    let anchors = anchors();
    assert_eq!(verify_der(&der, &anchors, at(NOON)), Ok(published()));
    for length in 0..der.len() {
        let error = verify_der(&der[..length], &anchors, at(NOON)).expect_err("it is cut short");
        assert_eq!(error.reason(), "dnssec.malformed_chain", "{length} bytes");
    }
}

#[test]
fn no_prefix_of_a_message_proves_anything() {
    let messages = WORLD.chain(OWNER, TXT);
    for (index, message) in messages.iter().enumerate() {
        for length in 0..message.len() {
            let mut cut = messages.clone();
            cut[index].truncate(length);
            let outcome = verify(&cut, OWNER, TXT, &WORLD.anchors(), at(NOON));
            let error = outcome.expect_err("a message is cut short");
            assert_eq!(
                error.reason(),
                "dnssec.malformed_response",
                "{index}: {length} bytes"
            );
        }
    }
}

/// TTLs, IDs, flags and the case of names may change and the proof stand, but not what it proves.
#[test]
fn no_change_of_an_octet_makes_a_chain_prove_something_else() {
    let der = WORLD.responses(OWNER, TXT).to_der();
    let anchors = anchors();
    let mut random = random();
    let mut proofs = 0;
    for _ in 0..3_000 {
        let mut changed = der.clone();
        let place = random.random_range(0..der.len());
        changed[place] ^= random.random_range(1..=u8::MAX);
        if let Ok(rdata) = verify_der(&changed, &anchors, Period::always()) {
            assert_eq!(
                rdata,
                published(),
                "byte {place} changed to {}",
                changed[place]
            );
            proofs += 1;
        }
    }
    // Otherwise nothing would have got as far as the signatures.
    assert!(proofs > 100, "{proofs}");
}

/// Wildcards, aliases and denials, by NSEC and by NSEC3: what is changed of them proves what it did, or nothing.
#[test]
fn no_change_of_an_octet_makes_another_fact_of_one() {
    let mut random = random();
    let mut facts = 0;
    for style in STYLES {
        let world = zones(style)
            .txt("a.example.com.", TEXT)
            .txt("*.w.example.com.", TEXT)
            .record(Record::of_name("d.example.com.", DNAME, "w.example.com."))
            .record(Record::of_name("u.example.com.", NS, "elsewhere."))
            .build();
        for (name, record_type) in [
            ("b.example.com.", TXT),
            ("a.example.com.", A),
            ("x.w.example.com.", TXT),
            ("x.d.example.com.", TXT),
            ("x.d.example.com.", A),
            ("u.example.com.", DS),
            ("x.u.example.com.", TXT),
        ] {
            let attempt = Attempt::in_world(style, world.clone(), name, record_type);
            let messages = attempt.responses.to_messages();
            let found = attempt.look_up(&messages, at(NOON));
            for _ in 0..150 {
                let mut changed = messages.clone();
                let message = random.random_range(0..messages.len());
                let place = random.random_range(0..messages[message].len());
                changed[message][place] ^= random.random_range(1..=u8::MAX);
                let after = attempt.look_up(&changed, at(NOON));
                match (&found, &after) {
                    (Ok(before), Ok(after)) => {
                        assert_eq!(
                            before.what, after.what,
                            "{style:?} {name} {message} {place}"
                        );
                        facts += 1;
                    }
                    (Ok(_), Err(error)) => assert_ne!(
                        error.reason(),
                        "dnssec.insecure_delegation",
                        "{style:?} {name} {message} {place}"
                    ),
                    (Err(_), Ok(after)) => panic!("{style:?} {name} {message} {place}: {after:?}"),
                    (Err(_), Err(_)) => {}
                }
            }
        }
    }
    // Otherwise nothing would have got as far as the signatures.
    assert!(facts > 100, "{facts}");
}

#[test]
fn nothing_that_octets_are_moved_or_lost_from_proves_something_else() {
    let messages = WORLD.chain(OWNER, TXT);
    let mut random = random();
    for _ in 0..2_000 {
        let mut changed = messages.clone();
        let message = &mut changed[random.random_range(0..messages.len())];
        let from = random.random_range(0..message.len());
        let until = random.random_range(from..=message.len().min(from + 40));
        let to = random.random_range(0..message.len());
        let piece: Vec<u8> = message.drain(from..until).collect();
        match random.random_range(0..3) {
            0 => {}
            1 => drop(message.splice(to.min(message.len())..to.min(message.len()), piece)),
            _ => {
                let filler = piece.iter().map(|_| random.random()).collect::<Vec<u8>>();
                message.splice(from..from, filler);
            }
        }
        if let Ok(proven) = verify(&changed, OWNER, TXT, &WORLD.anchors(), Period::always()) {
            assert_eq!(proven.rdata, published());
        }
    }
}

#[test]
fn garbage_is_refused() {
    let anchors = anchors();
    let mut random = random();
    for _ in 0..2_000 {
        let octets: Vec<u8> = (0..random.random_range(0..300))
            .map(|_| random.random())
            .collect();
        let der = kliento_fixtures::chain_der(std::slice::from_ref(&octets));
        for der in [octets, der] {
            assert!(verify_der(&der, &anchors, Period::always()).is_err());
        }
    }
}

/// Messages whose counts and types are right and whose names are garbage: labels, pointers anywhere, odd label types.
#[test]
fn garbage_names_are_read_or_refused() {
    let mut random = random();
    for _ in 0..3_000 {
        let mut message = Response::new(OWNER, TXT).to_message();
        message[7] = 3;
        for _ in 0..3 {
            for _ in 0..random.random_range(1..8) {
                let pointer = u8::try_from(random.random_range(0..message.len())).unwrap_or(12);
                match random.random_range(0..5) {
                    0 => message.extend([0xc0, pointer]),
                    1 => message.push(random.random()),
                    _ => message.extend(b"\x01a"),
                }
            }
            message.extend(b"\x00\x00\x02\x00\x01\x00\x00\x0e\x10\x00\x02\xc0");
            message.push(random.random());
        }
        let outcome = verify(&[message], OWNER, TXT, &WORLD.anchors(), at(NOON));
        assert!(outcome.is_err());
    }
}

/// Each name is a label and a pointer to the one before, until names have 127 labels; then no message is read.
#[test]
fn names_may_be_pointers_to_pointers_up_to_127_labels() {
    let message = |links: u16| {
        let mut message = Response::new(".", A).to_message();
        message[6..8].copy_from_slice(&links.to_be_bytes());
        // The question's name, the root.
        let mut last = 12;
        for _ in 0..links {
            let here = u16::try_from(message.len()).expect("the message is short");
            message.extend(b"\x01a");
            message.extend((0xc000_u16 | last).to_be_bytes());
            message.extend(b"\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x00");
            last = here;
        }
        message
    };
    let longest = message(127);
    let chain = Chain::from_messages([&longest[..]]).expect("127 labels are a name");
    let labels = chain.responses()[0]
        .answers()
        .last()
        .expect("a record")
        .owner()
        .label_count();
    assert_eq!(labels, 127);
    let longer = message(128);
    let error = Chain::from_messages([&longer[..]]).expect_err("128 labels are none");
    assert_eq!(error.reason(), "dnssec.malformed_response");
}

/// A name of few labels may take as many jumps as one of 127 labels may, and not one more.
#[test]
fn names_take_127_pointers_at_most() {
    let message = |pointers: usize| {
        let mut message = Response::new(".", A).to_message();
        message[7] = 2;
        // All but the last pointer stand in the data of the first record, the first of them to the question's name.
        message.extend(b"\x00\xff\x00\x00\x01\x00\x00\x00\x00");
        let octets = u16::try_from(2 * (pointers - 1)).expect("there are few");
        message.extend(octets.to_be_bytes());
        let mut last = 12;
        for _ in 1..pointers {
            let here = u16::try_from(message.len()).expect("the message is short");
            message.extend((0xc000_u16 | last).to_be_bytes());
            last = here;
        }
        message.extend((0xc000_u16 | last).to_be_bytes());
        message.extend(b"\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x00");
        message
    };
    assert!(Chain::from_messages([&message(127)[..]]).is_ok());
    let too_many = message(128);
    let error = Chain::from_messages([&too_many[..]]).expect_err("128 jumps are too many");
    assert_eq!(error.reason(), "dnssec.malformed_response");
}

#[test]
fn a_chain_may_have_512_responses_and_8192_records() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let in_chain: usize = responses
        .0
        .iter()
        .map(|response| response.answers.len())
        .sum();
    let mut padding = Response::new("org.", A);
    padding.answers = vec![Record::new("org.", A, [127, 0, 0, 1]); 16];
    while responses.0.len() < 512 {
        padding.id += 1;
        responses.0.insert(0, padding.clone());
    }
    let padded = in_chain + 16 * 506;
    responses.of("org.", A).additionals = vec![Record::new(".", A, [127, 0, 0, 1]); 8_192 - padded];
    prove(
        &responses.to_messages(),
        OWNER,
        TXT,
        &WORLD.anchors(),
        at(NOON),
    );
    responses.of("org.", A).additionals.push(Record::opt());
    let outcome = verify(
        &responses.to_messages(),
        OWNER,
        TXT,
        &WORLD.anchors(),
        at(NOON),
    );
    assert_eq!(
        outcome.expect_err("one too many").reason(),
        "dnssec.chain_too_large"
    );
}

/// They are counted before any of them is read.
#[test]
fn a_chain_of_513_strings_is_refused_whatever_they_are() {
    let refusal = |count: usize| {
        let strings = [4, 0].repeat(count);
        let error = Chain::from_der_value(&strings).expect_err("empty strings are no messages");
        (error.reason(), error.to_string())
    };
    assert_eq!(refusal(512).0, "dnssec.malformed_response");
    let (reason, message) = refusal(513);
    assert_eq!(reason, "dnssec.chain_too_large");
    assert!(message.contains("512"), "{message}");
}

/// Each message has fewer than it may have alone, but not than all may have together.
#[test]
fn the_labels_in_all_names_of_a_chain_are_counted() {
    let deep = |records: u16| {
        let mut message = b"\0\0\x81\x80\0\x01".to_vec();
        message.extend(records.to_be_bytes());
        message.extend(b"\0\0\0\0");
        message.extend(b"\x01a".repeat(127));
        message.extend(b"\0\0\x10\0\x01");
        // The name of the question, which a pointer repeats: 127 labels and the pointer.
        message.extend(b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0\x02\x01a".repeat(records.into()));
        message
    };
    let message = deep(100);
    let in_one = 127 + 100 * 128;
    let allowed = |count: usize| 16_384 + count * message.len();
    assert!(in_one <= allowed(1) && 2 * in_one > allowed(2));
    assert!(Chain::from_messages([&message[..]]).is_ok());
    let refusal = Chain::from_messages([&message[..], &message]).expect_err("too many labels");
    let Error::ChainTooLarge { what, limit, .. } = refusal else {
        panic!("{refusal}");
    };
    assert_eq!((what, limit), ("labels in names", allowed(2)));
}

/// RFC 1035 §4.2.2: the length of a message has 16 bits.
#[test]
fn refuses_a_message_longer_than_dns_has() {
    let of_octets = |octets: usize| {
        let mut response = Response::new("org.", A);
        let record = |octets| Record::new(".", 65_280, vec![0; octets]);
        response.answers = vec![record(60_000), record(0)];
        let rest = octets - response.to_message().len();
        response.answers[1] = record(rest);
        response.to_message()
    };
    for (octets, is_read) in [(65_535, true), (65_536, false)] {
        let message = of_octets(octets);
        assert_eq!(message.len(), octets);
        assert_eq!(
            Chain::from_messages([&message[..]]).is_ok(),
            is_read,
            "{octets} bytes"
        );
    }
}

#[test]
fn a_txt_rrset_may_fill_a_message() {
    let mut builder = crate::support::standard();
    for number in 0..240_u8 {
        builder = builder.record(Record::txt_strings(OWNER, &[&[number; 255]]));
    }
    let world = builder.build();
    let proven = prove(
        &world.chain(OWNER, TXT),
        OWNER,
        TXT,
        &world.anchors(),
        at(NOON),
    );
    assert_eq!(proven.rdata.len(), 240);
}

/// The deepest name there is, 127 labels of one octet, with a zone cut at each: 255 signatures.
#[test]
fn a_zone_may_be_cut_at_each_of_127_labels() {
    let deepest = "a.".repeat(127);
    let key = Key::generate(Algorithm::EcdsaP256Sha256);
    let zone = |name: &str| ZoneSpec::new(name, Algorithm::EcdsaP256Sha256).csk(key.clone());
    let mut builder = World::builder().at(NOON).with_zone(zone("."));
    for labels in 1..=127 {
        builder = builder.with_zone(zone(&"a.".repeat(labels)));
    }
    let world = builder.txt(deepest.as_str(), TEXT).build();

    // Signed here: the world would look through all of its zones for each response.
    let mut messages = Vec::new();
    let mut sign = |name: &str, record_type: u16, signer: &str| {
        let mut response = Response::new(name, record_type);
        response.answers = world.rrset(&Name::from(name), record_type);
        response.add_signature(&world.signing(signer, KeyRole::Ksk));
        messages.push(response.to_message());
    };
    sign(".", DNSKEY, ".");
    let mut parent = String::from(".");
    for labels in 1..=127 {
        let zone = "a.".repeat(labels);
        sign(&zone, DS, &parent);
        sign(&zone, DNSKEY, &zone);
        parent = zone;
    }
    sign(&deepest, TXT, &deepest);
    assert_eq!(messages.len(), 256);
    let proven = prove(&messages, &deepest, TXT, &world.anchors(), at(NOON));
    assert_eq!(proven.rdata, published());

    messages.remove(100);
    let outcome = verify(&messages, &deepest, TXT, &world.anchors(), at(NOON));
    assert_eq!(
        outcome.expect_err("a link is gone").reason(),
        "dnssec.missing_response"
    );
}
