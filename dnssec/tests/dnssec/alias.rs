//! Answers behind aliases: CNAME (RFC 1034 §3.6.2) and DNAME (RFC 6672), whose every link is proven; where they end in
//! nothing, in an unsigned zone, in a circle, or never.

use dnssec::{Chain, Denial, Fact, RecordType};
use kliento_fixtures::{
    A, Algorithm, CNAME, Key, KeyRole, MX, NSEC, Name, Record, TXT, World, ZONE_KEY, ZoneKey,
};

use crate::support::attempt::{Attempt, Judged as _, STYLES, Style, What, check, complaint};
use crate::support::{NOON, at};
use kliento_fixture_cases::tables::dnssec::alias::*;

#[test]
fn every_link_of_a_row_of_aliases_is_proven() {
    check(&STYLES, start, CASES);
}

/// The name that has the records is a part of what is proven.
#[test]
fn a_proof_names_where_aliases_led() {
    let style = Style::Nsec;
    let world = organisations(style)
        .record(alias("a.example.com.", "x.d.example.com."))
        .record(dname("d.example.com.", "E.example.net."))
        .record(alias("x.e.example.net.", TARGET))
        .record(alias("gone.example.com.", "x.gone.example.net."))
        .build();
    for (name, record_type, canonical_name, denial) in [
        (TARGET, TXT, TARGET, None),
        ("a.example.com.", TXT, TARGET, None),
        ("x.d.example.com.", TXT, TARGET, None),
        ("a.example.com.", MX, TARGET, Some(Denial::NoData)),
        (
            "y.d.example.com.",
            TXT,
            "y.e.example.net.",
            Some(Denial::NxDomain),
        ),
        (
            "gone.example.com.",
            TXT,
            "x.gone.example.net.",
            Some(Denial::NxDomain),
        ),
        ("a.example.com.", CNAME, "a.example.com.", None),
    ] {
        for world in [world.clone(), world.with_targets_apart()] {
            let found = Attempt::in_world(style, world, name, record_type).find();
            assert_eq!(found.canonical_name, canonical_name, "{name} {record_type}");
            match (found.what, denial) {
                (What::Records(rdata), None) if record_type == TXT => {
                    assert_eq!(rdata, [Record::txt(TARGET, TEXT).rdata]);
                }
                (What::Records(_), None) => {}
                (What::Absent(found), Some(expected)) => assert_eq!(found, expected),
                (what, _) => panic!("{name}: {what:?}"),
            }
        }
    }
}

/// Such a CNAME is made of the proven DNAME, not read from the response, where nobody signed it.
#[test]
fn the_cname_that_a_dname_makes_is_made_here() {
    let style = Style::Nsec;
    let world = organisations(style)
        .record(dname("d.example.com.", "Example.NET."))
        .build();
    let mut attempt = Attempt::in_world(style, world, "x.d.example.com.", CNAME);
    for record in attempt.answer().of_type_mut(CNAME) {
        record.rdata = Name::from("evil.example.net.").wire().to_vec();
    }
    let found = attempt.find();
    let made = Name::from("x.example.net.").wire().to_vec();
    assert_eq!(found.what, What::Records(vec![made]));
    assert_eq!(found.canonical_name, "x.d.example.com.");
}

/// Servers put the rest of the row into each response; two keys sign all of it. That is not too much work.
#[test]
fn a_row_may_stand_in_every_response_and_be_signed_twice() {
    let style = Style::Nsec;
    let second = ZoneKey::new(Key::generate(Algorithm::Ed25519), ZONE_KEY);
    let zone = style
        .zone("example.com.")
        .extra_signer(second, KeyRole::Zsk);
    let mut world = World::builder()
        .at(NOON)
        .with_zone(style.zone("."))
        .with_zone(style.zone("com."))
        .with_zone(zone)
        .with_zone(style.zone("net."))
        .with_zone(style.zone("example.net."))
        .txt(TARGET, TEXT);
    for record in row(8) {
        world = world.record(record);
    }
    let world = world.build();
    let mut attempt = Attempt::in_world(style, world, "0.example.com.", TXT);
    for number in 1..8 {
        let name = format!("{number}.example.com.");
        let response = attempt.world.answer(name.as_str(), TXT);
        attempt.responses.0.push(response);
    }
    let target = attempt.world.answer(TARGET, TXT);
    attempt.responses.0.push(target);
    assert_eq!(attempt.verdict(), "proven");
}

/// Each alias may come from a wildcard, and so with a denial, and all of that be signed twice: what may be spent grows with
/// each alias that is proven.
#[test]
fn a_row_may_come_from_wildcards() {
    for style in STYLES {
        let second = ZoneKey::new(Key::generate(Algorithm::Ed25519), ZONE_KEY);
        let zone = style
            .zone("example.com.")
            .extra_signer(second, KeyRole::Zsk);
        let mut world = World::builder()
            .at(NOON)
            .with_zone(style.zone("."))
            .with_zone(style.zone("com."))
            .with_zone(zone)
            .txt("x.8.example.com.", TEXT);
        for number in 0..8 {
            let wildcard = format!("*.{number}.example.com.");
            let target = format!("x.{}.example.com.", number + 1);
            world = world.record(alias(&wildcard, &target));
        }
        let attempt = Attempt::in_world(style, world.build(), "x.0.example.com.", TXT);
        assert_eq!(attempt.verdict(), "proven", "{style:?}");
    }
}

/// Whatever is behind it, an alias holds while its own signatures do.
#[test]
fn a_proof_holds_while_alias_and_target_do() {
    for style in STYLES {
        for name in [NAME, "target.d.example.com.", "gone.d.example.com."] {
            let world = organisations(style)
                .record(alias(NAME, TARGET))
                .record(dname("d.example.com.", "example.net."))
                .targets_apart()
                .build();
            let mut attempt = Attempt::in_world(style, world, name, TXT);
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let answer = attempt.responses.of(name, TXT);
            answer.sign(&signing.clone().window(NOON - 60, NOON + 10));
            answer.add_signature(&signing.window(NOON + 20, NOON + 30));
            let target = attempt.responses.0.iter_mut().find(|response| {
                let question = &response.questions[0];
                question.record_type == TXT && question.name.is_within(&"net.".into())
            });
            let signing = attempt.world.signing("example.net.", KeyRole::Zsk);
            let target = target.expect("there is a response for the target");
            target.sign(&signing.window(NOON - 5, NOON + 25));
            attempt.period = (NOON - 60, NOON + 60);
            let windows = [(NOON - 5, NOON + 10), (NOON + 20, NOON + 25)];
            assert_eq!(attempt.find().validity, windows, "{style:?} {name}");
            attempt.period = (NOON + 15, NOON + 15);
            assert_eq!(complaint(&attempt, "dnssec.rrsig_expired"), None);
        }
    }
}

/// `verify` is for those who need there to be records; the absence that it reports names the alias's target.
#[test]
fn an_absence_behind_an_alias_says_so() {
    let attempt = {
        let mut attempt = start(Style::Nsec);
        attempt.ask(NAME, MX);
        attempt
    };
    let messages = attempt.responses.to_messages();
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("it can be read");
    let anchors = attempt.anchors.parse().expect("the anchors can be read");
    let name = NAME.parse().expect("the name can be read");
    let fact = chain.look_up(&name, RecordType::MX, &anchors, at(NOON));
    let Ok(Fact::ProvenAbsent(absence)) = &fact else {
        panic!("{fact:?}");
    };
    assert_eq!(absence.name(), &name);
    assert_eq!(
        absence.to_string(),
        "target.example.net. has no MX record (alias.example.com. is an alias of it)"
    );
    let failure = fact.expect("it is a fact").into_proof();
    assert_eq!(
        failure.expect_err("there is none").reason(),
        "dnssec.absent"
    );
}

/// What a name's servers must not have beside a CNAME (RFC 1034 §3.6.2), but for what DNSSEC adds (RFC 4034 §2.5).
#[test]
fn an_alias_does_not_hide_what_dnssec_has_at_its_name() {
    let style = Style::Nsec;
    let attempt = start(style);
    let nsec = Attempt::in_world(style, attempt.world, NAME, NSEC);
    assert_eq!(nsec.verdict(), "proven");
    let apex = organisations(style).record(Record::new(NAME, A, [127, 0, 0, 1]));
    let attempt = Attempt::in_world(style, apex.build(), NAME, A);
    assert_eq!(attempt.verdict(), "proven");
}

/// The response behind an alias and one to the question for its target may have the same records, and all RRSIGs count.
#[test]
fn a_target_may_be_signed_in_another_response() {
    for style in STYLES {
        let world = organisations(style)
            .record(alias("a.example.com.", TARGET))
            .build();
        let mut attempt = Attempt::in_world(style, world, "a.example.com.", TXT);
        let direct = attempt.world.answer(TARGET, TXT);
        let mut unsigned = direct.clone();
        unsigned.drop_signatures();
        for place in [0, attempt.responses.0.len()] {
            let mut attempt = attempt.clone();
            attempt.responses.0.insert(place, unsigned.clone());
            assert_eq!(attempt.verdict(), "proven", "{style:?} {place}");
        }
        let answers = &mut attempt.answer().answers;
        answers.retain(|record| record.type_covered() != Some(TXT));
        assert_eq!(attempt.verdict(), "dnssec.no_rrsig", "{style:?}");
        for place in [0, attempt.responses.0.len()] {
            let mut attempt = attempt.clone();
            attempt.responses.0.insert(place, direct.clone());
            assert_eq!(attempt.verdict(), "proven", "{style:?} {place}");
        }
    }
}

/// An unsigned DNAME that is added above a signed CNAME changes nothing.
#[test]
fn a_signed_alias_comes_before_an_unsigned_dname() {
    for style in STYLES {
        let world = organisations(style)
            .record(alias("a.d.example.com.", TARGET))
            .build();
        let mut attempt = Attempt::in_world(style, world, "a.d.example.com.", TXT);
        let injected = dname("d.example.com.", "elsewhere.example.net.");
        attempt.answer().answers.insert(0, injected);
        assert_eq!(attempt.verdict(), "proven", "{style:?}");
    }
}
