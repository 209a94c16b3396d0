//! The forms in which chains come: messages, DER, and the `AuthenticationChain` of RFC 9102. And what a demand limits.

use dnssec::{
    Chain, Demand, Error, ErrorKind, Name, OwnedChain, Period, RecordType, Timestamp, TrustAnchors,
    Work,
};
use kliento_fixtures::{
    Algorithm, CNAME, DNAME, NSEC, Record, Responses, TXT, World, WorldBuilder, chain_der,
};

/// 2026-11-21T12:00:00Z.
const NOON: i64 = 1_795_262_400;
const OWNER: &str = "key.example.";

fn builder() -> WorldBuilder {
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("example.", Algorithm::Ed25519)
}

fn world() -> World {
    builder().txt(OWNER, "text").build()
}

/// All records of a world's answer sections, one after another.
fn records(responses: &Responses) -> Vec<u8> {
    let answers = responses.0.iter().flat_map(|response| &response.answers);
    answers.flat_map(Record::to_wire).collect()
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn noon() -> Timestamp {
    Timestamp::from_unix_seconds(NOON)
}

fn anchors(world: &World) -> TrustAnchors {
    world.anchors().parse().expect("anchors")
}

#[test]
fn an_authentication_chain_is_read_in_one_call_and_kept() {
    let world = world();
    let list = records(&world.responses(OWNER, TXT));
    let chain: OwnedChain = Chain::from_authentication_chain(&list).expect("a list");
    drop(list);
    let proof = chain
        .verify(&name(OWNER), RecordType::TXT, &anchors(&world), noon())
        .expect("it is proven");
    assert!(proof.rdata().eq([&b"\x04text"[..]]));
    let messages = world.chain(OWNER, TXT);
    let by_messages = Chain::from_messages(&messages)
        .expect("messages")
        .verify(&name(OWNER), RecordType::TXT, &anchors(&world), noon())
        .expect("it is proven");
    assert_eq!(proof, by_messages);
}

#[test]
fn an_owned_chain_is_the_chain_that_it_was_made_of() {
    let world = world();
    let der = chain_der(&world.chain(OWNER, TXT));
    let owned = Chain::from_der(&der).expect("a chain").to_owned_chain();
    assert_eq!(owned.as_chain().to_der(), der);
    let fact = owned.look_up(&name(OWNER), RecordType::TXT, &anchors(&world), noon());
    assert!(fact.is_ok());
    let refusal = OwnedChain::new(vec![vec![0; 5]]).expect_err("no message");
    assert_eq!(refusal.reason(), "dnssec.malformed_response");
}

/// As DER it is a SET, and not nothing.
#[test]
fn a_chain_may_have_no_responses_and_proves_nothing_then() {
    let empty: &[u8] = b"\x31\x00";
    let world = world();
    for chain in [Chain::from_der(empty), Chain::from_der_value(b"")] {
        let chain = chain.expect("an empty SET");
        assert_eq!(chain.responses().len(), 0);
        assert_eq!(chain.to_der(), empty);
        let refusal = chain
            .verify(&name(OWNER), RecordType::TXT, &anchors(&world), noon())
            .expect_err("there is nothing in it");
        assert_eq!(refusal.reason(), "dnssec.missing_response");
    }
    assert!(Chain::from_der(b"").is_err());
}

/// One form given for another is the commonest mistake, and its octets look like noise.
#[test]
fn an_error_says_which_form_the_octets_seem_to_have() {
    let world = world();
    let list = records(&world.responses(OWNER, TXT));
    let der = chain_der(&world.chain(OWNER, TXT));
    let in_extension = [&[0, 24], &list[..]].concat();
    let of_list = |octets: &[u8]| Chain::from_authentication_chain(octets).err();
    let of_der = |octets: &[u8]| Chain::from_der(octets).err();
    for (error, hint) in [
        (of_list(&der), "it looks like a DER SET OF OCTET STRING"),
        (of_list(&in_extension), "leave these two bytes out"),
        (of_der(&list), "it looks like an AuthenticationChain"),
    ] {
        let error = error.expect("another form");
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert_eq!(error.reason(), "dnssec.malformed_chain");
        assert!(error.to_string().contains(hint), "{error}");
    }
    for octets in [&b"\x05noise"[..], b"\x30\x03\x02\x01\x05", b""] {
        for error in [of_list(octets), of_der(octets)].into_iter().flatten() {
            assert!(!error.to_string().contains("looks like"), "{error}");
        }
    }
}

/// Every function that takes a period also takes a limit on work.
#[test]
fn a_limit_on_work_reaches_all_that_verifies() {
    let world = world();
    let messages = world.chain(OWNER, TXT);
    let chain = Chain::from_messages(&messages).expect("a chain");
    let (name, anchors) = (name(OWNER), anchors(&world));
    let outcomes = |demand: Demand| -> [Option<Error>; 4] {
        let of = (&name, RecordType::TXT, &anchors);
        [
            chain.look_up(of.0, of.1, of.2, demand).err(),
            chain.verify(of.0, of.1, of.2, demand).err(),
            chain.minimal(of.0, of.1, of.2, demand).err(),
            chain
                .to_authentication_chain(of.0, of.1, of.2, demand)
                .err(),
        ]
    };
    let demand = Demand::from(noon());
    assert_eq!(demand.period(), Period::at(noon()));
    assert_eq!(outcomes(demand), [None, None, None, None]);
    for error in outcomes(demand.with_most_work(Work::from_units(1))) {
        let error = error.expect("that is not enough");
        assert_eq!(error.reason(), "dnssec.budget_exhausted");
    }
    for error in outcomes(demand.with_longest_signature(1)) {
        let error = error.expect("all signatures are valid for longer");
        assert_eq!(error.reason(), "dnssec.rrsig_too_long");
    }
}

#[test]
fn an_answer_is_told_from_a_response_without_one() {
    let has = |world: &World, owner: &str, asked: u16| {
        let messages = world.chain(owner, asked);
        let chain = Chain::from_messages(&messages).expect("a chain");
        let (owner, asked) = (name(owner), RecordType(asked));
        (
            chain.has_response_to(&owner, asked),
            chain.has_answer_to(&owner, asked),
        )
    };
    let world = builder()
        .txt(OWNER, "text")
        .record(Record::of_name("alias.example.", CNAME, OWNER))
        .record(Record::of_name("old.example.", DNAME, "example."))
        .build();
    for owner in [OWNER, "alias.example.", "key.old.example."] {
        assert_eq!(has(&world, owner, TXT), (true, true), "{owner}");
    }
    // A denial, and a type that is not there.
    assert_eq!(has(&world, "nothing.example.", TXT), (true, false));
    assert_eq!(has(&world, OWNER, NSEC), (true, true));
    let messages = world.chain(OWNER, TXT);
    let chain = Chain::from_messages(&messages).expect("a chain");
    assert!(!chain.has_response_to(&name("nothing.example."), RecordType::TXT));
    assert!(!chain.has_answer_to(&name(OWNER), RecordType::A));
    // The question alone is no answer, whatever other records there are at the name.
    let mut other = world.responses(OWNER, TXT);
    let of_type_a = Record::address(OWNER, [192, 0, 2, 1]);
    other.answer().answers = vec![of_type_a];
    let messages = other.to_messages();
    let chain = Chain::from_messages(&messages).expect("a chain");
    assert!(chain.has_response_to(&name(OWNER), RecordType::TXT));
    assert!(!chain.has_answer_to(&name(OWNER), RecordType::TXT));

    let mut failed = world.responses(OWNER, TXT);
    failed.answer().rcode = 2;
    let messages = failed.to_messages();
    let chain = Chain::from_messages(&messages).expect("a chain");
    assert!(chain.has_response_to(&name(OWNER), RecordType::TXT));
    assert!(!chain.has_answer_to(&name(OWNER), RecordType::TXT));
}
