//! Exchanges proofs with `dnssec-prover`: see `interop/dnssec-prover/run`.
//!
//! It takes its root from the environment, and has one for as long as it runs. So what it is to accept is given to another
//! process of this program, with a world's anchors in `ROOT_HINTS`: `dnssec-prover-exchange NAME` reads a proof from
//! standard input and prints what it finds proven about the name.
//!
//! `dnssec-prover-exchange --conformance` is its runner of the conformance cases.

mod conformance;

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use dnssec::{Chain, Fact, Period, RecordType, TrustAnchors, messages_from_authentication_chain};
use dnssec_prover::query::{ProofBuilder, QueryBuf};
use dnssec_prover::rr::{RR, Record as _};
use dnssec_prover::ser::{parse_rr_stream, write_rr};
use dnssec_prover::validation::{set_root_hints, verify_rr_stream};
use kliento_fixtures::{
    Algorithm, CNAME, DNAME, Key, KeyRole, Name, Record, SECURE_ENTRY_POINT, SHA256, SHA384, TXT,
    World, ZONE_KEY, ZoneKey, ZoneSpec, chain_der,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ROOT_HINTS: &str = "ROOT_HINTS";
/// TLSA, which dnssec-prover reads beside TXT and addresses (RFC 6698 §2.1).
const TLSA: u16 = 52;
/// When the worlds are.
const NOON: i64 = 1_795_262_400;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1) {
        Some(argument) if argument == "--conformance" => conformance::run().map(|()| true),
        Some(name) => print_what_they_find(&name).map(|()| true),
        None => exchange(),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// What is proven

/// Records and when they are proven, as text.
#[derive(Clone, PartialEq, Eq)]
struct Proven {
    /// The name that has them, and their type and data in hexadecimal.
    records: BTreeSet<String>,
    /// The first second and the last, of the Unix epoch.
    valid: (i64, i64),
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.valid.0, self.valid.1)?;
        self.records
            .iter()
            .try_for_each(|record| writeln!(f, "{record}"))
    }
}

fn record_line(name: &str, record_type: u16, rdata: &[u8]) -> String {
    let name = name.to_ascii_lowercase();
    format!("{name} {record_type} {}", HEXLOWER.encode(rdata))
}

/// What our verifier finds.
fn ours(question: &Question, anchors: &TrustAnchors, messages: &[Vec<u8>]) -> Outcome<Proven> {
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
    let record_type = RecordType(question.record_type);
    let fact = chain.look_up(
        &question.name.parse()?,
        record_type,
        anchors,
        Period::always(),
    )?;
    let Fact::Proven(proof) = fact else {
        return Err("proven absent or insecure".into());
    };
    let canonical_name = proof.canonical_name().to_string();
    let lines = proof
        .rdata()
        .map(|rdata| record_line(&canonical_name, question.record_type, rdata));
    let [period] = proof.validity().periods() else {
        return Err("proven for several periods".into());
    };
    Ok(Proven {
        records: lines.collect(),
        valid: (period.start().unix_seconds(), period.end().unix_seconds()),
    })
}

/// What theirs finds, in a process of its own.
fn theirs(question: &Question, anchors: &str, proof: &[u8]) -> Outcome<String> {
    let mut process = Command::new(std::env::current_exe()?)
        .arg(question.name)
        .env(ROOT_HINTS, anchors)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = process.stdin.take().ok_or("no standard input")?;
    stdin.write_all(proof)?;
    drop(stdin);
    let output = process.wait_with_output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn print_what_they_find(name: &str) -> Outcome<()> {
    let mut proof = Vec::new();
    std::io::stdin().read_to_end(&mut proof)?;
    set_root_hints(&std::env::var(ROOT_HINTS)?);
    let records = parse_rr_stream(&proof).map_err(|()| "it can't be read")?;
    let verified = verify_rr_stream(&records).map_err(|error| format!("{error:?}"))?;
    let name = name.try_into().map_err(|()| "no name")?;
    let lines = (verified.resolve_name(&name).into_iter())
        .map(|record| record_line(record.name(), record.ty(), &rdata_of(record)));
    let proven = Proven {
        records: lines.collect(),
        valid: (
            verified.valid_from.try_into()?,
            verified.expires.try_into()?,
        ),
    };
    print!("{proven}");
    Ok(())
}

/// The data of a record of theirs. It does not show them as octets, but writes whole records.
fn rdata_of(record: &RR) -> Vec<u8> {
    let mut wire = Vec::new();
    write_rr(record, 0, &mut wire);
    // Behind the owner come type, class, TTL and length (RFC 1035 §3.2.1).
    let name = match record.name().as_str() {
        "." => 1,
        name => name.len() + 1,
    };
    wire.split_off(name + 2 + 2 + 4 + 2)
}

/// The proof that theirs makes of what a world's servers say.
fn build_theirs(world: &World, question: &Question) -> Outcome<Vec<u8>> {
    /// QR, RD, RA, and AD: it wants its resolver to have validated (RFC 4035 §3.2.3).
    const VALIDATED: u16 = 0x81a0;
    let name = question.name.try_into().map_err(|()| "no name")?;
    let (mut builder, query) = ProofBuilder::new(&name, question.record_type);
    let mut queries = vec![query];
    while builder.awaiting_responses() {
        let query = queries.pop().ok_or("it waits for what it did not ask")?;
        let (name, record_type) = asked(&query).ok_or("a query can't be read")?;
        let mut response = world.answer(name, record_type);
        response.flags = VALIDATED;
        let message = response.to_message();
        let mut buffer = QueryBuf::new_zeroed(0);
        buffer.extend_from_slice(&message);
        queries.extend(builder.process_response(&buffer)?);
    }
    let (proof, _) = builder.finish_proof().map_err(|()| "no proof")?;
    Ok(proof)
}

/// The question of a query (RFC 1035 §4.1.2).
fn asked(query: &[u8]) -> Option<(Name, u16)> {
    const HEADER_OCTETS: usize = 12;
    let mut rest = query.get(HEADER_OCTETS..)?;
    let mut labels = Vec::new();
    loop {
        let (&length, after) = rest.split_first()?;
        let (label, after) = after.split_at_checked(length.into())?;
        rest = after;
        if label.is_empty() {
            break;
        }
        labels.push(label);
    }
    let record_type = u16::from_be_bytes(*rest.first_chunk()?);
    Some((Name::from_labels(labels), record_type))
}

// ---------------------------------------------------------------------------------------------------------------------
// Worlds

struct Question {
    kind: &'static str,
    name: &'static str,
    record_type: u16,
}

const QUESTIONS: [Question; 10] = [
    question("a record", "one.example.com.", TXT),
    question("several records", "three.example.com.", TXT),
    question("TLSA", "_443._tcp.www.example.com.", TLSA),
    question("a wildcard's", "a.wild.example.com.", TXT),
    question("CNAME", "alias.example.com.", TXT),
    question("CNAME to another TLD", "far.example.com.", TXT),
    question("a wildcard's CNAME", "a.aliases.example.com.", TXT),
    question("DNAME", "one.moved.example.com.", TXT),
    question("DNAME to a wildcard's", "a.wild.moved.example.com.", TXT),
    question("a record of a TLD's", "data.org.", TXT),
];

const fn question(kind: &'static str, name: &'static str, record_type: u16) -> Question {
    Question {
        kind,
        name,
        record_type,
    }
}

/// A zone in the middle of a rollover: two keys of each role sign, and the DS RRset has two digests of each of them.
fn rolling(name: &str) -> ZoneSpec {
    let key = |flags| ZoneKey::new(Key::generate(Algorithm::EcdsaP256Sha256), flags);
    let ksk = key(ZONE_KEY | SECURE_ENTRY_POINT);
    ZoneSpec::new(name, Algorithm::EcdsaP256Sha256)
        .extra_signer(ksk.clone(), KeyRole::Ksk)
        .extra_signer(key(ZONE_KEY), KeyRole::Zsk)
        .ds_digests(&[SHA256, SHA384])
        .extra_ds(ksk, &[SHA256, SHA384])
}

/// Worlds of the algorithms that both know: dnssec-prover has no Ed25519.
fn worlds() -> Vec<(&'static str, World)> {
    let rsa = |bits| Key::recorded_rsa(Algorithm::RsaSha256, bits);
    let p256 = |name: &str| ZoneSpec::new(name, Algorithm::EcdsaP256Sha256);
    let p384 = |name: &str| ZoneSpec::new(name, Algorithm::EcdsaP384Sha384);
    let rsa_sha256 = |name: &str| {
        let zone = ZoneSpec::new(name, Algorithm::RsaSha256);
        zone.ksk(rsa(2_048)).zsk(rsa(1_024))
    };
    let rsa_sha512 = |name: &str| ZoneSpec::new(name, Algorithm::RsaSha512);
    vec![
        (
            "NSEC, ECDSA P-256",
            world([".", "com.", "example.com."].map(p256), p256),
        ),
        (
            "NSEC3, ECDSA P-384",
            world(
                [".", "com.", "example.com."].map(|name| p384(name).nsec3(0, b"")),
                p384,
            ),
        ),
        (
            "NSEC3 with salt, RSA",
            world(
                [
                    rsa_sha256("."),
                    rsa_sha512("com."),
                    rsa_sha256("example.com.").nsec3(5, b"salt"),
                ],
                rsa_sha512,
            ),
        ),
        (
            "NSEC, all zones in the middle of a rollover",
            world([".", "com.", "example.com."].map(rolling), rolling),
        ),
        (
            "NSEC, a root of RSA",
            world(
                [
                    rsa_sha256("."),
                    p256("com."),
                    p256("example.com.").single_key(),
                ],
                p384,
            ),
        ),
    ]
}

fn world(zones: [ZoneSpec; 3], organisations: impl Fn(&str) -> ZoneSpec) -> World {
    let mut builder = World::builder().at(NOON);
    for zone in zones {
        builder = builder.with_zone(zone);
    }
    let tlsa = [&[3, 1, 1][..], &[0xa5; 32]].concat();
    builder
        .with_zone(organisations("org."))
        .with_zone(organisations("other.org."))
        .txt("one.example.com.", "text")
        .txt("three.example.com.", "the first text of three")
        .txt("three.example.com.", "b")
        .txt("three.example.com.", "another")
        .record(Record::new("_443._tcp.www.example.com.", TLSA, tlsa))
        .txt("*.wild.example.com.", "made of a wildcard")
        .record(Record::of_name(
            "alias.example.com.",
            CNAME,
            "one.example.com.",
        ))
        .record(Record::of_name(
            "far.example.com.",
            CNAME,
            "data.other.org.",
        ))
        .record(Record::of_name(
            "*.aliases.example.com.",
            CNAME,
            "one.example.com.",
        ))
        .record(Record::of_name("moved.example.com.", DNAME, "other.org."))
        .txt("data.other.org.", "elsewhere")
        .txt("one.other.org.", "moved")
        .txt("*.wild.other.org.", "a wildcard again")
        .txt("data.org.", "in a TLD")
        .build()
}

// ---------------------------------------------------------------------------------------------------------------------
// The exchange

/// What was tried, and how it went.
#[derive(Default)]
struct Results {
    passed: u32,
    failed: u32,
}

impl Results {
    fn record(&mut self, what: &str, outcome: Outcome<()>) {
        match outcome {
            Ok(()) => {
                println!("ok {what}");
                self.passed += 1;
            }
            Err(error) => {
                println!("FAILED {what}: {error}");
                self.failed += 1;
            }
        }
    }
}

fn same(found: &str, expected: &str) -> Outcome<()> {
    if found == expected {
        return Ok(());
    }
    Err(format!("found {found:?}, expected {expected:?}").into())
}

fn refused<T>(outcome: &Outcome<T>) -> Outcome<()> {
    match outcome {
        Ok(_) => Err("it was accepted".into()),
        Err(_) => Ok(()),
    }
}

/// The proof with a bit turned in the data of its first record, an alias or what was asked for: in the first letter of
/// whatever stands there.
fn altered(proof: &[u8]) -> Vec<u8> {
    /// Type, class, TTL and length before the data, and then a length octet (RFC 1035 §3.2.1, §3.3).
    const FROM_OWNER_TO_LETTER: usize = 2 + 2 + 4 + 2 + 1;
    let mut end_of_owner = 0;
    while let Some(length @ 1..) = proof.get(end_of_owner) {
        end_of_owner += 1 + usize::from(*length);
    }
    let mut altered = proof.to_vec();
    if let Some(letter) = altered.get_mut(end_of_owner + 1 + FROM_OWNER_TO_LETTER) {
        *letter ^= 1;
    }
    altered
}

/// Octets of one fact in each form.
struct Sizes {
    kind: &'static str,
    received: usize,
    our_messages: usize,
    our_records: usize,
    their_records: usize,
}

fn exchange() -> Outcome<bool> {
    let mut results = Results::default();
    for (title, world) in worlds() {
        println!("\n== {title}");
        let mut sizes = Vec::new();
        for question in &QUESTIONS {
            match exchange_one(&world, question, &mut results) {
                Ok(row) => sizes.push(row),
                Err(error) => results.record(question.kind, Err(error)),
            }
        }
        print_sizes(&sizes);
    }
    println!("\n== The test vectors of RFC 9102");
    for vector in &VECTORS {
        results.record(
            &format!("dnssec-prover accepts what we write of {}", vector.kind),
            exchange_vector(vector),
        );
    }
    println!("\n{} passed, {} failed", results.passed, results.failed);
    Ok(results.failed == 0 && results.passed > 0)
}

fn exchange_one(world: &World, question: &Question, results: &mut Results) -> Outcome<Sizes> {
    let kind = question.kind;
    let anchors = world.anchors();
    let our_anchors: TrustAnchors = anchors.parse()?;
    let (name, record_type) = (question.name.parse()?, RecordType(question.record_type));

    let received = world.chain(question.name, question.record_type);
    let expected = ours(question, &our_anchors, &received)?.to_string();
    let chain = Chain::from_messages(received.iter().map(Vec::as_slice))?;
    let list = chain.to_authentication_chain(&name, record_type, &our_anchors, Period::always())?;
    let found = theirs(question, &anchors, &list);
    results.record(
        &format!("dnssec-prover accepts ours: {kind}"),
        found.and_then(|found| same(&found, &expected)),
    );
    results.record(
        &format!("dnssec-prover refuses ours with a bit turned: {kind}"),
        refused(&theirs(question, &anchors, &altered(&list))),
    );

    let proof = build_theirs(world, question)?;
    let read = |proof: &[u8]| -> Outcome<String> {
        let messages = messages_from_authentication_chain(proof)?;
        Ok(ours(question, &our_anchors, &messages)?.to_string())
    };
    results.record(
        &format!("we accept dnssec-prover’s: {kind}"),
        read(&proof).and_then(|found| same(&found, &expected)),
    );
    results.record(
        &format!("we refuse dnssec-prover’s with a bit turned: {kind}"),
        refused(&read(&altered(&proof))),
    );

    // And its proof goes back to it, as small as we make it.
    let messages = messages_from_authentication_chain(&proof)?;
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
    let back = chain.to_authentication_chain(&name, record_type, &our_anchors, Period::always())?;
    results.record(
        &format!("dnssec-prover accepts its own as we reduce it: {kind}"),
        theirs(question, &anchors, &back).and_then(|found| same(&found, &expected)),
    );
    let kept = chain.minimal(&name, record_type, &our_anchors, Period::always())?;
    Ok(Sizes {
        kind,
        received: chain_der(&received).len(),
        our_messages: chain_der(&kept).len(),
        our_records: back.len(),
        their_records: proof.len(),
    })
}

/// How large proofs of the same facts are: what servers say, as DNS messages in DER; what we keep of it, in that form and
/// in that of RFC 9102; and what dnssec-prover makes of it.
fn print_sizes(rows: &[Sizes]) {
    println!(
        "\n{:24}{:>14}{:>14}{:>14}{:>15}",
        "octets", "DER, received", "DER, ours", "9102, ours", "dnssec-prover"
    );
    for row in rows {
        println!(
            "{:24}{:>14}{:>14}{:>14}{:>15}",
            row.kind, row.received, row.our_messages, row.our_records, row.their_records
        );
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// RFC 9102's vectors

const VECTOR_ANCHOR: &str = include_str!("../../../dnssec/tests/data/rfc9102/anchor.txt");

/// Those that prove records; of denials dnssec-prover has no notion.
const VECTORS: [Vector; 6] = [
    vector(
        "A.1",
        "_443._tcp.www.example.com.",
        include_str!("../../../dnssec/tests/data/rfc9102/tlsa.hex"),
    ),
    vector(
        "A.1’s hex dump",
        "_443._tcp.www.example.com.",
        include_str!("../../../dnssec/tests/data/rfc9102/tlsa-hex-dump.hex"),
    ),
    vector(
        "A.2",
        "_25._tcp.example.com.",
        include_str!("../../../dnssec/tests/data/rfc9102/wildcard-nsec.hex"),
    ),
    vector(
        "A.3",
        "_25._tcp.example.org.",
        include_str!("../../../dnssec/tests/data/rfc9102/wildcard-nsec3.hex"),
    ),
    vector(
        "A.4",
        "_443._tcp.www.example.org.",
        include_str!("../../../dnssec/tests/data/rfc9102/cname.hex"),
    ),
    vector(
        "A.5",
        "_443._tcp.www.example.net.",
        include_str!("../../../dnssec/tests/data/rfc9102/dname.hex"),
    ),
];

struct Vector {
    kind: &'static str,
    question: Question,
    hex: &'static str,
}

const fn vector(kind: &'static str, name: &'static str, hex: &'static str) -> Vector {
    Vector {
        kind,
        question: question(kind, name, TLSA),
        hex,
    }
}

fn exchange_vector(vector: &Vector) -> Outcome<()> {
    let digits: String = vector.hex.split_ascii_whitespace().collect();
    let records = HEXLOWER_PERMISSIVE.decode(digits.as_bytes())?;
    let anchors: TrustAnchors = VECTOR_ANCHOR.parse()?;
    let messages = messages_from_authentication_chain(&records)?;
    let expected = ours(&vector.question, &anchors, &messages)?.to_string();
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
    let list = chain.to_authentication_chain(
        &vector.question.name.parse()?,
        RecordType(TLSA),
        &anchors,
        Period::always(),
    )?;
    same(&theirs(&vector.question, VECTOR_ANCHOR, &list)?, &expected)
}
