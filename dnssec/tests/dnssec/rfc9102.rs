//! The test vectors of RFC 9102, Appendix A: see `data/rfc9102/README.md`.

use data_encoding::HEXLOWER;
use dnssec::{
    Chain, Denial, Fact, Insecurity, Period, RecordType, Timestamp, TrustAnchors,
    messages_from_authentication_chain,
};

/// The data of the one TLSA record that all positive vectors are about.
const TLSA: &str = "0301018bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";

/// The appendix's signatures hold from its first second to its last.
fn signatures() -> Period {
    Period::new(
        "2018-11-28T00:00:00Z".parse().expect("a time"),
        "2020-12-02T00:00:00Z".parse().expect("a time"),
    )
    .expect("a period")
}

fn anchors() -> TrustAnchors {
    include_str!("../data/rfc9102/anchor.txt")
        .parse()
        .expect("the anchor can be read")
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_ascii_whitespace().collect();
    HEXLOWER.decode(digits.as_bytes()).expect("hexadecimal")
}

/// What a vector proves.
#[derive(Clone, Copy, Debug)]
enum Proves {
    /// The TLSA record, at this name in the end.
    Tlsa(&'static str),
    Absent(Denial),
    /// That this zone is not signed.
    Unsigned(&'static str),
}

struct Vector {
    file: &'static str,
    hex: &'static str,
    name: &'static str,
    proves: Proves,
}

macro_rules! vector {
    ($file:literal, $name:literal, $proves:expr) => {
        Vector {
            file: $file,
            hex: include_str!(concat!("../data/rfc9102/", $file, ".hex")),
            name: $name,
            proves: $proves,
        }
    };
}

const VECTORS: [Vector; 9] = [
    vector!(
        "tlsa",
        "_443._tcp.www.example.com.",
        Proves::Tlsa("_443._tcp.www.example.com.")
    ),
    vector!(
        "tlsa-hex-dump",
        "_443._tcp.www.example.com.",
        Proves::Tlsa("_443._tcp.www.example.com.")
    ),
    vector!(
        "wildcard-nsec",
        "_25._tcp.example.com.",
        Proves::Tlsa("_25._tcp.example.com.")
    ),
    vector!(
        "wildcard-nsec3",
        "_25._tcp.example.org.",
        Proves::Tlsa("_25._tcp.example.org.")
    ),
    vector!(
        "cname",
        "_443._tcp.www.example.org.",
        Proves::Tlsa("dane311.example.org.")
    ),
    vector!(
        "dname",
        "_443._tcp.www.example.net.",
        Proves::Tlsa("_443._tcp.www.example.com.")
    ),
    vector!(
        "denial-nsec",
        "_25._tcp.smtp.example.com.",
        Proves::Absent(Denial::NxDomain)
    ),
    vector!(
        "denial-nsec3",
        "_25._tcp.smtp.example.org.",
        Proves::Absent(Denial::NxDomain)
    ),
    vector!(
        "insecure-nsec3-opt-out",
        "_443._tcp.www.insecure.example.",
        Proves::Unsigned("insecure.example.")
    ),
];

/// Checks what messages prove for a vector's name, and that they prove it as long as all signatures hold.
#[track_caller]
fn check(vector: &Vector, messages: &[Vec<u8>]) {
    let Vector { file, proves, .. } = vector;
    let name = vector.name.parse().expect("a name");
    let chain =
        Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("the messages can be read");
    let outcome = chain.look_up(&name, RecordType::TLSA, &anchors(), Period::always());
    match (outcome, *proves) {
        (Ok(Fact::Proven(proof)), Proves::Tlsa(canonical_name)) => {
            assert_eq!(proof.canonical_name().to_string(), canonical_name, "{file}");
            assert!(proof.rdata().eq([octets(TLSA)]), "{file}");
            assert_eq!(proof.validity().periods(), [signatures()], "{file}");
        }
        (Ok(Fact::ProvenAbsent(absence)), Proves::Absent(denial)) => {
            assert_eq!(absence.denial(), denial, "{file}");
            assert_eq!(absence.validity().periods(), [signatures()], "{file}");
        }
        (Ok(Fact::ProvenInsecure(insecure)), Proves::Unsigned(unsigned)) => {
            assert_eq!(insecure.zone().to_string(), unsigned, "{file}");
            assert_eq!(insecure.cause(), Insecurity::OptOut, "{file}");
            assert_eq!(insecure.validity().periods(), [signatures()], "{file}");
        }
        (outcome, _) => panic!("{file} should prove {proves:?}: {outcome:?}"),
    }
}

#[test]
fn every_vector_proves_what_the_appendix_says() {
    for vector in &VECTORS {
        let messages = messages_from_authentication_chain(&octets(vector.hex)).expect("records");
        check(vector, &messages);
    }
}

#[test]
fn no_vector_holds_before_or_after_its_signatures() {
    let (start, end) = (
        signatures().start().unix_seconds(),
        signatures().end().unix_seconds(),
    );
    for vector in &VECTORS {
        let messages = messages_from_authentication_chain(&octets(vector.hex)).expect("records");
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("messages");
        let name = vector.name.parse().expect("a name");
        for (second, holds) in [
            (start - 1, false),
            (start, true),
            (end, true),
            (end + 1, false),
        ] {
            let at = Period::at(Timestamp::from_unix_seconds(second));
            let outcome = chain.look_up(&name, RecordType::TLSA, &anchors(), at);
            assert_eq!(
                outcome.is_ok(),
                holds,
                "{} at {second}: {outcome:?}",
                vector.file
            );
        }
    }
}

/// The order of the records means nothing (RFC 9102 §2.3).
#[test]
fn the_order_of_records_makes_no_difference() {
    for vector in &VECTORS {
        let mut records = records(&octets(vector.hex));
        records.reverse();
        let messages = messages_from_authentication_chain(&records.concat()).expect("records");
        check(vector, &messages);
    }
}

/// Signatures cover every octet but the TTLs' and the letter case of owners.
#[test]
fn no_vector_proves_anything_else_with_a_bit_turned() {
    /// A prime, so that all octets of a record have their turn in some vector.
    const STEP: usize = 31;
    for vector in &VECTORS {
        let name = vector.name.parse().expect("a name");
        let whole = octets(vector.hex);
        for position in (0..whole.len()).step_by(STEP) {
            let mut turned = whole.clone();
            turned[position] ^= 1;
            let Ok(messages) = messages_from_authentication_chain(&turned) else {
                continue;
            };
            let Ok(chain) = Chain::from_messages(messages.iter().map(Vec::as_slice)) else {
                continue;
            };
            if chain
                .look_up(&name, RecordType::TLSA, &anchors(), Period::always())
                .is_ok()
            {
                check(vector, &messages);
            }
        }
    }
}

/// Each record that we write is one of the vector's, and the proof fails without it. (Of the RRSIGs over a DNSKEY RRset
/// that two of its keys made, one is enough.)
#[test]
fn what_we_write_of_a_vector_proves_the_same_and_is_no_larger() {
    for vector in &VECTORS {
        let received = octets(vector.hex);
        let messages = messages_from_authentication_chain(&received).expect("records");
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("messages");
        let name = vector.name.parse().expect("a name");
        let written =
            chain.to_authentication_chain(&name, RecordType::TLSA, &anchors(), Period::always());
        let kept = chain.minimal(&name, RecordType::TLSA, &anchors(), Period::always());
        let (written, kept) = (written.expect(vector.file), kept.expect(vector.file));
        check(vector, &kept);
        check(
            vector,
            &messages_from_authentication_chain(&written).expect("records"),
        );
        assert!(written.len() <= received.len(), "{}", vector.file);

        let (ours, theirs) = (records(&written), records(&received));
        assert!(ours.iter().all(|it| theirs.contains(it)), "{}", vector.file);
        for index in 0..ours.len() {
            let mut fewer = ours.clone();
            fewer.remove(index);
            let messages = messages_from_authentication_chain(&fewer.concat());
            let messages = messages.expect("records");
            let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("messages");
            let outcome = chain.look_up(&name, RecordType::TLSA, &anchors(), Period::always());
            assert!(
                outcome.is_err(),
                "{}, without {index}: {outcome:?}",
                vector.file
            );
        }
    }
}

/// Cuts a list into its records (RFC 1035 §3.2.1).
fn records(list: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let mut length = 0;
        while rest[length] != 0 {
            length += 1 + usize::from(rest[length]);
        }
        // The root's octet, type, class and TTL; then the length of the data.
        length += 1 + 2 + 2 + 4;
        length += 2 + usize::from(u16::from_be_bytes([rest[length], rest[length + 1]]));
        let (record, after) = rest.split_at(length);
        records.push(record.to_vec());
        rest = after;
    }
    records
}
