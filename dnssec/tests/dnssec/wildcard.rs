//! Answers that a wildcard made: which are proven, and which are not since the name, or one closer to it than the
//! wildcard, exists or is not shown not to (RFC 4592, RFC 4035 §5.3.4, RFC 5155 §8.8).

use kliento_fixtures::{KeyRole, Question, RRSIG, Record, SRV, Signing, TXT, World};

use crate::support::NOON;
use crate::support::attempt::{
    Attempt, Judged as _, STYLES, Style, What, check, denying_records, zones,
};
use kliento_fixture_cases::tables::dnssec::wildcard::*;

#[test]
fn a_wildcard_answers_for_names_that_are_proven_not_to_exist() {
    check(&STYLES, start, CASES);
}

#[test]
fn the_next_closer_name_is_covered() {
    check(&[Style::Nsec3], start, NSEC3_CASES);
}

#[test]
fn an_nsec_record_shows_the_closest_encloser() {
    check(&[Style::Nsec], start, NSEC_CASES);
}

/// A response with the records of a wildcard answers the question that it is for, and holds while answer and denial do.
#[test]
fn a_proof_from_a_wildcard_holds_while_the_denial_does() {
    for style in STYLES {
        let mut attempt = start(style);
        let records = denying_records(attempt.answer());
        attempt.answer().authorities.clear();
        let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
        for (from, until) in [(-50, -10), (-5, 20), (40, 60)] {
            let signing = signing.clone().window(NOON + from, NOON + until);
            attempt.deny_signed(&signing, &records);
        }
        attempt.period = (NOON - 30, NOON + 50);
        let found = attempt.find();
        assert_eq!(found.canonical_name, NAME);
        assert_eq!(
            found.what,
            What::Records(vec![Record::txt(NAME, TEXT).rdata])
        );
        let windows = [(-50, -10), (-5, 20), (40, 60)];
        let windows = windows.map(|(from, until)| (NOON + from, NOON + until));
        assert_eq!(found.validity, windows, "{style:?}");
        attempt.period = (NOON + 30, NOON + 30);
        assert_eq!(attempt.verdict(), "dnssec.rrsig_expired", "{style:?}");
    }
}

/// Two zones make a name, by a wildcard each: whichever signed it has to show that there is no closer one.
#[test]
fn each_signer_needs_a_denial_of_its_own() {
    for style in STYLES {
        let world = World::builder()
            .at(NOON)
            .with_zone(style.zone("."))
            .with_zone(style.zone("com."))
            .txt("*.com.", TEXT)
            .build();
        let mut attempt = Attempt::in_world(style, world, "x.name.com.", TXT);
        let by_root = attempt.world.signing(".", KeyRole::Zsk).labels(0);
        let mut answers = attempt.answer().answers.clone();
        let good = answers.clone();
        answers.retain(|record| record.record_type != RRSIG);
        answers.push(by_root.rrsig(&answers));
        attempt.answer().answers = answers;
        assert_eq!(attempt.verdict(), "dnssec.unproven_wildcard", "{style:?}");
        attempt.answer().answers.extend(good);
        assert_eq!(attempt.verdict(), "proven", "{style:?}");
    }
}

/// Gives the answer two RRSIGs, in this order, and returns when it is proven to hold.
fn proven_with(attempt: &Attempt, signings: [Signing; 2]) -> Vec<(i64, i64)> {
    let mut attempt = attempt.clone();
    let answers = &mut attempt.answer().answers;
    answers.retain(|record| record.record_type != RRSIG);
    let rrsigs = signings.map(|signing| signing.rrsig(answers));
    answers.extend(rrsigs);
    attempt.period = (NOON - 30, NOON + 50);
    attempt.find().validity
}

/// Two wildcards of a zone make a name: that there is none closer than the one says nothing of the other.
#[test]
fn each_wildcard_needs_a_denial_of_its_own() {
    for style in STYLES {
        let world = zones(style).txt("*.b.example.com.", TEXT).build();
        let attempt = Attempt::in_world(style, world, "a.b.example.com.", TXT);
        let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
        let earlier = signing.clone().labels(3).window(NOON - 50, NOON - 10);
        let later = signing.labels(2).window(NOON, NOON + 60);
        for signings in [[earlier.clone(), later.clone()], [later, earlier]] {
            let proven = proven_with(&attempt, signings);
            assert_eq!(proven, [(NOON - 50, NOON - 10)], "{style:?}");
        }
    }
}

/// The same with the same wildcard of two zones.
#[test]
fn each_zone_with_the_wildcard_needs_a_denial_of_its_own() {
    for style in STYLES {
        let world = World::builder()
            .at(NOON)
            .with_zone(style.zone("."))
            .with_zone(style.zone("com."))
            .txt("*.com.", TEXT)
            .build();
        let attempt = Attempt::in_world(style, world, "name.com.", TXT);
        let by = |zone| attempt.world.signing(zone, KeyRole::Zsk).labels(1);
        let earlier = by("com.").window(NOON - 50, NOON - 10);
        let later = by(".").window(NOON, NOON + 60);
        for signings in [[earlier.clone(), later.clone()], [later, earlier]] {
            let proven = proven_with(&attempt, signings);
            assert_eq!(proven, [(NOON - 50, NOON - 10)], "{style:?}");
        }
    }
}

/// An SRV owner has labels that start with underscores, which wildcards treat like any other (RFC 4592 §2.1.1).
#[test]
fn the_question_decides_which_name_was_made() {
    let srv = Record::new(
        WILDCARD,
        SRV,
        &b"\x00\x01\x00\x02\x13\xc4\x03sip\x03com\x00"[..],
    );
    for style in STYLES {
        let world = zones(style).record(srv.clone()).build();
        let attempt = Attempt::in_world(style, world, "_sip._tcp.Name.example.com.", SRV);
        assert_eq!(attempt.verdict(), "proven", "{style:?}");
        let mut other = attempt.clone();
        other.answer().questions = vec![Question::new("_sip._udp.name.example.com.", SRV)];
        assert_eq!(other.verdict(), "dnssec.missing_response", "{style:?}");
        other.answer().questions = vec![Question::new("_sip._tcp.name.example.com.", SRV)];
        assert_eq!(other.verdict(), "proven", "{style:?}");
    }
}
