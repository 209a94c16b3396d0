//! Denials: which NSEC and NSEC3 records prove that a name or a type does not exist or that a zone is unsigned, which
//! prove nothing, and for which seconds (RFC 4035 §5.4, RFC 5155 §8, RFC 6840 §4, RFC 9824).

use dnssec::{Error, RecordType};
use kliento_fixtures::{
    CNAME, DNSKEY, DS, KeyRole, MX, NS, NSEC, Question, RRSIG, Record, SOA, TXT, World, ZoneSpec,
};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use crate::support::attempt::{
    Attempt, Judged as _, Nsec3Maker, STYLES, Style, What, check, denying_records, moved, zones,
};
use crate::support::{HOUR, NOON, at, period, random};
use kliento_fixture_cases::tables::dnssec::denial::*;

#[test]
fn what_is_denied_is_proven_not_to_exist() {
    check(&STYLES, start, CASES);
}

#[test]
fn an_nsec_record_denies_what_it_covers_and_no_more() {
    check(&[Style::Nsec], start_in_vain, NSEC_CASES);
}

#[test]
fn nsec3_records_deny_what_they_cover_together_and_no_more() {
    check(&[Style::Nsec3], start_in_vain, NSEC3_CASES);
}

/// A whole zone that opts out, and what there is in it.
#[test]
fn a_zone_that_opts_out_denies_no_name() {
    let style = Style::Nsec3;
    let zone = style.zone("opt.example.com.").opt_out();
    let unsigned = ZoneSpec::new("u.opt.example.com.", kliento_fixtures::Algorithm::Ed25519);
    let world = zones(style)
        .with_zone(zone)
        .with_zone(unsigned.unsigned())
        .with_zone(style.zone("s.opt.example.com."))
        .record(Record::of_name("d.e.opt.example.com.", NS, "elsewhere."))
        .txt("a.opt.example.com.", "a")
        .txt("u.opt.example.com.", "u")
        .txt("s.opt.example.com.", "s")
        .build();
    for (name, record_type, expected) in [
        ("a.opt.example.com.", TXT, "proven"),
        ("a.opt.example.com.", MX, "nodata"),
        ("opt.example.com.", MX, "nodata"),
        ("b.opt.example.com.", TXT, "insecure: opt-out"),
        ("b.opt.example.com.", DS, "insecure: opt-out"),
        ("x.a.opt.example.com.", TXT, "insecure: opt-out"),
        ("u.opt.example.com.", TXT, "insecure: opt-out"),
        ("u.opt.example.com.", DS, "insecure: opt-out"),
        ("x.u.opt.example.com.", TXT, "insecure: opt-out"),
        ("e.opt.example.com.", TXT, "insecure: opt-out"),
        ("d.e.opt.example.com.", DS, "insecure: opt-out"),
        ("s.opt.example.com.", TXT, "proven"),
        ("s.opt.example.com.", DS, "proven"),
        ("x.s.opt.example.com.", TXT, "nxdomain"),
    ] {
        let attempt = Attempt::in_world(style, world.clone(), name, record_type);
        assert_eq!(attempt.verdict(), expected, "{name} {record_type}");
    }
}

/// No part of a denial can be spared: what a server sends is what is needed.
#[test]
fn no_denial_holds_without_one_of_its_records() {
    let questions = [
        (NAME, TXT),
        ("x.y.g.example.com.", TXT),
        ("m.example.com.", MX),
        ("sub.example.com.", TXT),
        ("y.sub.example.com.", TXT),
        ("name.w.example.com.", MX),
        ("unknown.example.com.", DS),
    ];
    for style in STYLES {
        let world = content(zones(style))
            .txt("*.w.example.com.", "w")
            .record(Record::of_name("unknown.example.com.", NS, "elsewhere."))
            .build();
        for (name, record_type) in questions {
            let attempt = Attempt::in_world(style, world.clone(), name, record_type);
            let whole = attempt.clone().answer().clone();
            let records = denying_records(&whole);
            assert!(["nxdomain", "nodata"].contains(&attempt.verdict().as_str()));
            for missing in &records {
                let mut attempt = attempt.clone();
                let authorities = &mut attempt.answer().authorities;
                authorities.retain(|record| record != missing);
                let verdict = attempt.verdict();
                assert_eq!(
                    verdict, "dnssec.unproven_denial",
                    "{style:?}: {name} {record_type} without {}",
                    missing.owner
                );
            }
        }
    }
}

/// Records and their RRSIGs may be in different responses, in any order.
#[test]
fn a_denial_may_be_signed_in_another_response() {
    for style in STYLES {
        let signed = start(style);
        let mut unsigned = signed.clone();
        let authorities = &mut unsigned.answer().authorities;
        authorities.retain(|record| record.record_type != RRSIG);
        let mut other = signed.clone().answer().clone();
        other.questions = vec![Question::new("other.example.com.", MX)];
        assert_ne!(unsigned.verdict(), "nxdomain", "{style:?}");
        for place in [0, unsigned.responses.0.len()] {
            let mut attempt = unsigned.clone();
            attempt.responses.0.insert(place, other.clone());
            assert_eq!(attempt.verdict(), "nxdomain", "{style:?} {place}");
        }
    }
}

/// The API tells what is proven not to be there from what is not proven.
#[test]
fn a_proven_absence_is_told_from_a_failure() {
    for style in STYLES {
        let attempt = start(style);
        let messages = attempt.responses.to_messages();
        let chain = dnssec::Chain::from_messages(messages.iter().map(Vec::as_slice))
            .expect("the messages can be read");
        let anchors = attempt.anchors.parse().expect("the anchors can be read");
        let name = NAME.parse().expect("the name can be read");
        let failure = chain
            .verify(&name, RecordType::TXT, &anchors, at(NOON))
            .expect_err("there is no such name");
        let Error::Absent(absence) = failure else {
            panic!("{failure}");
        };
        assert_eq!(absence.to_string(), "g.example.com. does not exist");
        assert_eq!(absence.canonical_name(), absence.name());
        let window = (NOON - HOUR, NOON + 6 * 24 * HOUR);
        assert_eq!(attempt.find().validity, [window]);
    }
}

/// A name above the zone of an anchor below the root is beyond what is trusted.
#[test]
fn nothing_is_denied_beyond_the_anchors() {
    for style in STYLES {
        let mut attempt = start(style);
        attempt.anchors = attempt.world.anchors_of("example.com.");
        assert_eq!(attempt.verdict(), "nxdomain");
        attempt.ask("g.com.", TXT);
        assert_eq!(attempt.verdict(), "dnssec.no_trust_anchor");
        attempt.ask("example.com.", DS);
        attempt.clear();
        attempt.borrow_denials(&[("example.com.", MX), ("g.com.", TXT)]);
        assert!(!crate::support::attempt::is_fact(&attempt.verdict()));
    }
}

// Times

/// Seconds of a short stretch of time that starts at [`NOON`], one bit each.
type Seconds = u32;
const STRETCH: i64 = 24;

type Window = (i64, i64);

/// The seconds of those windows that have one in common with `asked`: others are not looked at.
fn seconds_of(windows: &[Window], asked: Window) -> Seconds {
    let looked_at = windows
        .iter()
        .filter(|(from, until)| *from <= asked.1 && asked.0 <= *until);
    looked_at.fold(0, |set, (from, until)| {
        (*from..=*until).fold(set, |set, second| set | 1 << second)
    })
}

/// A denial behind an alias whose signatures hold at odd times. Two records cover the name; any of them will do.
struct OddTimes {
    attempt: Attempt,
    root_keys: Vec<Window>,
    alias: Vec<Window>,
    ds: Vec<Window>,
    keys: Vec<Window>,
    /// Of the records that are needed whatever covers the name.
    needed: Vec<Vec<Window>>,
    covering: [Vec<Window>; 2],
}

fn windows(random: &mut TestRng) -> Vec<Window> {
    (0..random.random_range(1..=3))
        .map(|_| {
            let from = random.random_range(0..STRETCH);
            (from, random.random_range(from..STRETCH))
        })
        .collect()
}

impl OddTimes {
    fn new(style: Style, random: &mut TestRng) -> Self {
        let world = World::builder()
            .at(NOON)
            .with_zone(style.zone("."))
            .with_zone(style.zone("example."))
            .record(Record::of_name("alias.", CNAME, "g.example."))
            .targets_apart()
            .build();
        let mut attempt = Attempt::in_world(style, world, "alias.", TXT);
        let mut sign = |attempt: &mut Attempt, name: &str, record_type: u16| {
            let signing = attempt.world.signing_for(name, record_type);
            let windows = windows(random);
            let response = attempt.responses.of(name, record_type).drop_signatures();
            for (from, until) in &windows {
                response.add_signature(&signing.clone().window(NOON + from, NOON + until));
            }
            windows
        };
        let root_keys = sign(&mut attempt, ".", DNSKEY);
        let ds = sign(&mut attempt, "example.", DS);
        let keys = sign(&mut attempt, "example.", DNSKEY);
        let alias = sign(&mut attempt, "alias.", TXT);

        let target = attempt.responses.of("g.example.", TXT);
        target.authorities.clear();
        let (needed, covering) = match style {
            Style::Nsec => (
                vec![Record::nsec("example.", "a.example.", &[SOA, NS, NSEC])],
                [
                    Record::nsec("f.example.", "h.example.", &[TXT, NSEC]),
                    Record::nsec("e.example.", "i.example.", &[TXT, NSEC]),
                ],
            ),
            Style::Nsec3 => {
                let nsec3 = Nsec3Maker::of("example.");
                let hash = nsec3.hash("g.example.");
                let wider = nsec3.record(moved(moved(hash, false), false), &moved(hash, true), &[]);
                (
                    vec![nsec3.at("example.", &[SOA, NS]), nsec3.over("*.example.")],
                    [nsec3.over("g.example."), wider],
                )
            }
        };
        let mut sign = |record: &Record| {
            let windows = windows(random);
            let signing = attempt.world.signing("example.", KeyRole::Zsk);
            let authorities = &mut attempt.responses.of("g.example.", TXT).authorities;
            authorities.push(record.clone());
            for (from, until) in &windows {
                let signing = signing.clone().window(NOON + from, NOON + until);
                authorities.push(signing.rrsig(std::slice::from_ref(record)));
            }
            windows
        };
        let needed = needed.iter().map(&mut sign).collect();
        let covering = covering.each_ref().map(&mut sign);
        Self {
            attempt,
            root_keys,
            alias,
            ds,
            keys,
            needed,
            covering,
        }
    }

    /// The seconds at which all holds that has to.
    fn proven(&self, asked: Window) -> Seconds {
        let seconds = |windows: &Vec<Window>| seconds_of(windows, asked);
        let root = seconds(&self.root_keys);
        let zone = root & seconds(&self.ds) & seconds(&self.keys);
        let needed = self
            .needed
            .iter()
            .fold(zone, |set, windows| set & seconds(windows));
        // What holds at no second that is asked for is left out.
        let within = seconds_of(&[asked], asked);
        let covered = self
            .covering
            .each_ref()
            .map(|windows| needed & seconds(windows));
        let covered = covered.iter().filter(|set| *set & within != 0);
        let absent = covered.fold(0, |set, argument| set | argument);
        let all = root & seconds(&self.alias) & absent;
        if all & within == 0 { 0 } else { all }
    }
}

/// The intersection over alias, keys and denials, and the union over what denies in several ways.
#[test]
fn a_denial_holds_at_exactly_the_seconds_at_which_all_its_parts_do() {
    let mut random = random();
    let mut proofs = 0;
    for _ in 0..150 {
        for style in STYLES {
            let mut odd = OddTimes::new(style, &mut random);
            for asked in [(0, STRETCH - 1), (7, 7), (12, 12), (5, 9), (9, 17)] {
                odd.attempt.period = (NOON + asked.0, NOON + asked.1);
                let messages = odd.attempt.responses.to_messages();
                let found = odd
                    .attempt
                    .look_up(&messages, period(NOON + asked.0, NOON + asked.1));
                let verified = found.map_or(0, |found| {
                    assert!(matches!(found.what, What::Absent(_)));
                    assert_eq!(found.canonical_name, "g.example.");
                    let windows = found.validity.into_iter();
                    let windows: Vec<Window> = windows
                        .map(|(from, until)| (from - NOON, until - NOON))
                        .collect();
                    seconds_of(&windows, (0, STRETCH))
                });
                assert_eq!(verified, odd.proven(asked), "{style:?} {asked:?}");
                proofs += usize::from(verified != 0);
            }
        }
    }
    assert!(proofs > 100, "{proofs} are too few to say much");
}
