//! Verdicts that must not depend on what else a chain holds: on denials that have nothing to do with the failure, on other
//! times, on the order of messages, on how much there is to look at.

use dnssec::{Chain, Error, Fact, Period, RecordType, TrustAnchors};
use kliento_fixtures::{
    A, Algorithm, CNAME, DNSKEY, DS, Key, KeyRole, NSEC, NSEC3, Name, RRSIG, Record, Response,
    SHA1, SOA, TXT, World, WorldBuilder, ZoneSpec,
};

use crate::support::attempt::Nsec3Maker;
use crate::support::{DAY, NOON, OWNER, TEXT, WORLD, at, period};

/// `proven`, the denial, or the reason of the error.
fn verdict(
    messages: &[Vec<u8>],
    name: &str,
    record_type: u16,
    anchors: &str,
    period: Period,
) -> String {
    let anchors: TrustAnchors = anchors.parse().expect("the anchors can be read");
    let name = name.parse().expect("the name can be read");
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("a chain");
    match chain.look_up(&name, RecordType(record_type), &anchors, period) {
        Ok(Fact::Proven(_)) => "proven".to_owned(),
        Ok(Fact::ProvenAbsent(absence)) => absence.denial().to_string(),
        Ok(Fact::ProvenInsecure(insecure)) => Error::from(insecure).reason().to_owned(),
        Err(error) => error.reason().to_owned(),
    }
}

fn ed25519(name: &str) -> ZoneSpec {
    ZoneSpec::new(name, Algorithm::Ed25519)
}

fn world(zones: impl IntoIterator<Item = ZoneSpec>) -> WorldBuilder {
    let root = World::builder().at(NOON).with_zone(ed25519("."));
    zones.into_iter().fold(root, WorldBuilder::with_zone)
}

/// A denial that cannot be read explains nothing about a signature that is wrong (RFC 9276 §3.2 is about denials).
#[test]
fn nsec3_that_costs_too_much_does_not_excuse_a_bad_signature_below() {
    for tld in [
        ed25519("com.").nsec3(101, b""),
        ed25519("com.").nsec3_algorithm(2),
    ] {
        let world = world([tld, ed25519("example.com.")])
            .txt(OWNER, TEXT)
            .build();
        let mut responses = world.responses(OWNER, TXT);
        responses
            .answer()
            .data_mut()
            .for_each(|record| record.rdata[3] ^= 1);
        responses.0.insert(0, world.answer("nonexistent.com.", A));
        let messages = responses.to_messages();
        assert_eq!(
            verdict(&messages, OWNER, TXT, &world.anchors(), at(NOON)),
            "dnssec.bad_signature"
        );
        // Nor that signatures are missing, where a DS says that there are some.
        responses.answer().drop_signatures();
        let messages = responses.to_messages();
        assert_eq!(
            verdict(&messages, OWNER, TXT, &world.anchors(), at(NOON)),
            "dnssec.no_rrsig"
        );
    }
}

/// It does where the delegation may be an unsigned one.
#[test]
fn nsec3_that_costs_too_much_may_hide_an_unsigned_delegation() {
    let world = world([
        ed25519("com.").nsec3(101, b""),
        ed25519("example.com.").unsigned(),
    ])
    .txt(OWNER, TEXT)
    .build();
    let messages = world.chain(OWNER, TXT);
    assert_eq!(
        verdict(&messages, OWNER, TXT, &world.anchors(), at(NOON)),
        "dnssec.insecure_delegation"
    );
}

#[test]
fn a_target_is_insecure_only_while_the_alias_leads_there() {
    let world = |unsigned_from: i64| {
        World::builder()
            .at(NOON)
            .window(NOON, NOON + 10 * DAY)
            .with_zone(ed25519("."))
            .with_zone(ed25519("com.").window(NOON + unsigned_from * DAY, NOON + 8 * DAY))
            .with_zone(ed25519("net.").window(NOON, NOON + 2 * DAY))
            .with_zone(ed25519("u.com.").unsigned())
            .record(Record::of_name("a.net.", CNAME, "x.u.com."))
            .txt("x.u.com.", "text")
            .build()
    };
    let ten_days = period(NOON, NOON + 10 * DAY);
    for (unsigned_from, expected) in [(1, "dnssec.insecure_delegation"), (6, "dnssec.no_rrsig")] {
        let world = world(unsigned_from);
        let messages = world.chain("a.net.", TXT);
        assert_eq!(
            verdict(&messages, "a.net.", TXT, &world.anchors(), ten_days),
            expected
        );
    }
}

#[test]
fn an_anchor_that_has_retired_proves_no_insecurity() {
    let world = world([ed25519("com.").ds_digests(&[SHA1])])
        .txt("x.com.", "text")
        .build();
    let messages = world.chain("x.com.", TXT);
    for (until, expected) in [
        (NOON + DAY, "dnssec.insecure_delegation"),
        (NOON - 60, "dnssec.not_valid_together"),
    ] {
        let anchors = world.root_anchors_xml(0, Some(until));
        assert_eq!(
            verdict(&messages, "x.com.", TXT, &anchors, at(NOON)),
            expected
        );
    }
}

/// The DS of a zone is that of the zone above, and so would be a CNAME in its place (RFC 4035 §2.4).
#[test]
fn a_cname_of_the_child_is_no_answer_about_its_ds() {
    let world = world([
        ed25519("com."),
        ed25519("example.com."),
        ed25519("other.com."),
    ])
    .build();
    let mut responses = world.responses("example.com.", SOA);
    responses.merge(world.responses("other.com.", DS));
    responses.remove("example.com.", DS);
    let cname = Record::of_name("example.com.", CNAME, "other.com.");
    let rrsig = world
        .signing("example.com.", KeyRole::Zsk)
        .rrsig(std::slice::from_ref(&cname));
    let mut response = Response::new("example.com.", DS);
    response.answers = vec![cname, rrsig];
    responses.0.push(response);
    let anchors = format!("{}{}", world.anchors(), world.anchors_of("example.com."));
    assert_eq!(
        verdict(
            &responses.to_messages(),
            "example.com.",
            DS,
            &anchors,
            at(NOON)
        ),
        "dnssec.no_rrsig"
    );
}

/// Two denials at two times, of which the one that holds longer is told.
#[test]
fn the_order_of_messages_does_not_decide_between_denials() {
    let keys: Vec<Key> = (0..3).map(|_| Key::generate(Algorithm::Ed25519)).collect();
    let make = |from: i64, until: i64, exists: bool| {
        let zone = |name: &str, key: &Key, from: i64, until: i64| {
            let window = (NOON + from * DAY, NOON + until * DAY);
            ed25519(name).csk(key.clone()).window(window.0, window.1)
        };
        let mut builder = World::builder()
            .at(NOON)
            .with_zone(zone(".", &keys[0], 0, 20))
            .with_zone(zone("com.", &keys[1], 0, 20))
            .with_zone(zone("example.com.", &keys[2], from, until))
            .txt("www.example.com.", "text");
        if exists {
            builder = builder
                .record(Record::mx("v.example.com.", 1, "m.example.com."))
                .record(Record::of_name(
                    "alias.example.com.",
                    CNAME,
                    "v.example.com.",
                ));
        }
        builder.build()
    };
    let early = make(0, 4, false);
    let late = make(3, 20, true);
    let twenty_days = period(NOON, NOON + 20 * DAY);
    for name in ["v.example.com.", "alias.example.com."] {
        let mut responses = late.responses(name, TXT);
        responses.0.push(early.answer("example.com.", DNSKEY));
        responses.0.push(early.answer("v.example.com.", A));
        let mut messages = responses.to_messages();
        for _ in 0..messages.len() {
            messages.rotate_left(1);
            let judged = verdict(&messages, name, TXT, &late.anchors(), twenty_days);
            assert_eq!(judged, "nodata", "{name}");
        }
    }
}

/// An RRSIG over records of a type in the name of `signer`, with no signature in it.
fn empty_rrsig(owner: &Name, type_covered: u16, signer: &str) -> Record {
    let seconds = |time: i64| u32::try_from(time).expect("before 2106").to_be_bytes();
    let mut rdata = type_covered.to_be_bytes().to_vec();
    rdata.extend([15, owner.rrsig_labels(), 0, 0, 1, 0]);
    rdata.extend(seconds(NOON + DAY));
    rdata.extend(seconds(NOON - DAY));
    rdata.extend([0, 1]);
    rdata.extend(Name::from(signer).wire());
    Record::new(owner.clone(), RRSIG, rdata)
}

/// Each record in the name of each zone above, and each such pair with each record again: that is counted, not done.
#[test]
fn denials_in_the_names_of_many_zones_are_bounded() {
    const LABELS: usize = 60;
    let domain = "a.".repeat(LABELS);
    let name = format!("_veraid.{domain}");
    let owner = Name::from(format!("+.{domain}").as_str());
    let mut response = Response::new(name.as_str(), TXT);
    for labels in 1..=LABELS {
        let signer = "a.".repeat(labels);
        let rrsig = empty_rrsig(&owner, NSEC, &signer);
        response.additionals.push(rrsig);
    }
    for types in 1..=62 {
        let covering = vec![1, b'z', 0, 0, 1, types];
        response
            .additionals
            .push(Record::new(owner.clone(), NSEC, covering));
    }
    assert_arguing_is_bounded(&response, &name);
}

/// The record at the closest encloser and the one that covers the next closer name, each in the name of each zone above.
#[test]
fn nsec3_records_in_the_names_of_many_zones_are_bounded() {
    const LABELS: usize = 60;
    let domain = "a.".repeat(LABELS);
    let name = format!("_veraid.{domain}");
    let maker = Nsec3Maker::of(&domain);
    let mut response = Response::new(name.as_str(), TXT);
    for record in [maker.at(&domain, &[TXT, RRSIG]), maker.over(&name)] {
        for labels in 1..=LABELS {
            let rrsig = empty_rrsig(&record.owner, NSEC3, &"a.".repeat(labels));
            response.additionals.push(rrsig);
        }
        response.additionals.push(record);
    }
    assert_arguing_is_bounded(&response, &name);
}

#[track_caller]
fn assert_arguing_is_bounded(response: &Response, name: &str) {
    let outcome = look_up_in_the_standard_world(std::slice::from_ref(response), name);
    let Err(Error::BudgetExhausted { work, limit, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(work.contains("arguing") && limit <= 64, "{limit} {work}");
}

#[test]
fn a_chain_may_have_512_denials_to_search() {
    let denials = |count: u16| {
        let mut response = Response::new(OWNER, TXT);
        for salt in 0..count {
            let mut rdata = vec![1, 0, 0, 0, 2];
            rdata.extend(salt.to_be_bytes());
            rdata.push(20);
            rdata.extend([0; 20]);
            let owner = "00000000000000000000000000000000.elsewhere.";
            response.additionals.push(Record::new(owner, NSEC3, rdata));
        }
        look_up_in_the_standard_world(&[response], OWNER)
    };
    let reason = |outcome: Result<(), Error>| outcome.map_err(|error| error.reason());
    assert_eq!(reason(denials(512)), Err("dnssec.unproven_denial"));
    assert_eq!(reason(denials(513)), Err("dnssec.budget_exhausted"));
}

fn look_up_in_the_standard_world(responses: &[Response], name: &str) -> Result<(), Error> {
    let messages: Vec<_> = responses.iter().map(Response::to_message).collect();
    let anchors = WORLD.anchors().parse().expect("the anchors can be read");
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
    let name = name.parse().expect("the name can be read");
    chain
        .look_up(&name, RecordType::TXT, &anchors, at(NOON))
        .map(|_| ())
}

/// What did not come as an answer counts for nothing, signed as it may be.
#[test]
fn a_denial_in_a_failure_denies_nothing() {
    let world = world([ed25519("com."), ed25519("example.com.")]).build();
    let mut responses = world.responses(OWNER, TXT);
    let anchors = world.anchors();
    let messages = responses.to_messages();
    assert_eq!(
        verdict(&messages, OWNER, TXT, &anchors, at(NOON)),
        "nxdomain"
    );
    responses.answer().rcode = kliento_fixtures::SERVFAIL;
    assert_eq!(
        verdict(&responses.to_messages(), OWNER, TXT, &anchors, at(NOON)),
        "dnssec.response_code"
    );
}
