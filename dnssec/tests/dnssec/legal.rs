//! Unusual but legal: zones cut at every label and at none, names as long as they can be and of any octets, anchors
//! anywhere and for a time; with answers and denials, by NSEC and by NSEC3.

use std::fmt::Write as _;

use kliento_fixtures::{
    Algorithm, CNAME, DNSKEY, DS, Key, KeyRole, MX, Name, RRSIG, Record, Responses, SHA256, SOA,
    TXT, World, ZoneSpec,
};

use crate::support::attempt::{Attempt, Judged as _, STYLES, Style, What};
use crate::support::{DAY, HOUR, NOON, OWNER, TEXT, period};

/// Labels that a name can have (RFC 1035 §2.3.4): two octets each, and one for the root.
const MAX_LABELS: usize = 127;

/// A zone as NSEC3 ought to be used: no iterations and no salt (RFC 9276 §3.1).
fn zone(style: Style, name: &str) -> ZoneSpec {
    let zone = ZoneSpec::new(name, Algorithm::Ed25519);
    match style {
        Style::Nsec => zone,
        Style::Nsec3 => zone.nsec3(0, b""),
    }
}

/// A name of so many labels of one octet.
fn labels(count: usize) -> String {
    match count {
        0 => ".".to_owned(),
        _ => "a.".repeat(count),
    }
}

/// Asserts what each of these questions comes to.
#[track_caller]
fn expect(style: Style, world: &World, questions: &[(&str, u16, &str)]) {
    for (name, record_type, expected) in questions {
        let attempt = Attempt::in_world(style, world.clone(), name, *record_type);
        assert_eq!(
            attempt.verdict(),
            *expected,
            "{style:?} {name} {record_type}"
        );
    }
}

#[test]
fn names_may_have_127_labels_in_one_zone() {
    let deepest = labels(MAX_LABELS);
    let missing = format!("b.{}", labels(MAX_LABELS - 1));
    let far = format!("{}b.", labels(MAX_LABELS - 1));
    for style in STYLES {
        let world = World::builder()
            .at(NOON)
            .with_zone(zone(style, "."))
            .txt(deepest.as_str(), TEXT)
            .txt("*.w.", TEXT)
            .build();
        let made = format!("{}w.", labels(MAX_LABELS - 1));
        expect(
            style,
            &world,
            &[
                (&deepest, TXT, "proven"),
                (&deepest, MX, "nodata"),
                (&deepest, DS, "nodata"),
                (&missing, TXT, "nxdomain"),
                (&far, TXT, "nxdomain"),
                (&labels(MAX_LABELS - 1), TXT, "nodata"),
                (&labels(1), TXT, "nodata"),
                (&made, TXT, "proven"),
                (&made, MX, "nodata"),
            ],
        );
    }
}

/// As far as a zone's name leaves room for those of its SOA, or for hashes.
#[test]
fn zones_may_be_cut_at_each_of_120_labels() {
    for (style, deepest_zone) in [(Style::Nsec, 120), (Style::Nsec3, 110)] {
        let keys: Vec<Key> = (0..=deepest_zone)
            .map(|_| Key::generate(Algorithm::Ed25519))
            .collect();
        let csk = |count: usize| zone(style, &labels(count)).csk(keys[count].clone());
        // Each cut is a world of two zones: one with all of them would take long to ask.
        let cut = |count: usize| {
            World::builder()
                .at(NOON)
                .with_zone(csk(count - 1))
                .with_zone(csk(count))
        };
        let top = cut(1).build();
        let mut way = vec![top.answer(".", DNSKEY)];
        for count in 1..=deepest_zone {
            let (world, name) = (cut(count).build(), labels(count));
            way.push(world.answer(name.as_str(), DS));
            way.push(world.answer(name.as_str(), DNSKEY));
        }
        let deepest = labels(MAX_LABELS);
        let missing = format!("b.{}", labels(MAX_LABELS - 1));
        let bottom = cut(deepest_zone).txt(deepest.as_str(), TEXT).build();
        for (name, record_type, expected) in [
            (&deepest, TXT, "proven"),
            (&deepest, MX, "nodata"),
            (&missing, TXT, "nxdomain"),
            (&labels(deepest_zone), DS, "proven"),
            (&labels(deepest_zone), MX, "nodata"),
        ] {
            let mut attempt = Attempt::in_world(style, bottom.clone(), name, record_type);
            attempt.anchors = top.anchors();
            let answer = attempt.answer().clone();
            let mut responses = way.clone();
            responses.retain(|response| !response.is_for(&name.as_str().into(), record_type));
            responses.push(answer);
            attempt.responses = Responses(responses);
            assert_eq!(
                attempt.verdict(),
                expected,
                "{style:?} {name} {record_type}"
            );
        }
    }
}

#[test]
fn zones_may_be_cut_at_no_label_or_at_every_other() {
    let cuts: [&[usize]; 4] = [&[], &[3], &[1, 3, 5], &[4, 5]];
    for style in STYLES {
        for cuts in cuts {
            let mut builder = World::builder().at(NOON).with_zone(zone(style, "."));
            for count in cuts {
                builder = builder.with_zone(zone(style, &labels(*count)));
            }
            let world = builder
                .txt(labels(6).as_str(), TEXT)
                .record(Record::of_name(
                    format!("c.{}", labels(2)).as_str(),
                    CNAME,
                    labels(6).as_str(),
                ))
                .build();
            let questions = [
                (labels(6), "proven"),
                (format!("b.{}", labels(5)), "nxdomain"),
                (format!("b.{}", labels(1)), "nxdomain"),
                (labels(3), "nodata"),
                (format!("c.{}", labels(2)), "proven"),
            ];
            for (name, expected) in &questions {
                expect(style, &world, &[(name, TXT, expected)]);
            }
        }
    }
}

/// 255 octets are the most (RFC 1035 §2.3.4), in labels of 63 or of any number.
#[test]
fn names_may_have_255_octets() {
    let label = |octet: &str, length: usize| octet.repeat(length) + ".";
    let long = format!("{0}{0}{0}{1}", label("l", 63), label("m", 61));
    assert_eq!(Name::from(long.as_str()).wire().len(), 255);
    let missing = format!("{}{}{1}{2}", label("k", 63), label("l", 63), label("m", 61));
    let made = format!(
        "{}{}{}w.",
        label("x", 63),
        label("y", 63),
        label("z", 121 - 63)
    );
    for style in STYLES {
        for cut in [
            None,
            Some(label("m", 61)),
            Some(format!("{}{}", label("l", 63), label("m", 61))),
        ] {
            let mut builder = World::builder().at(NOON).with_zone(zone(style, "."));
            if let Some(cut) = &cut {
                builder = builder.with_zone(zone(style, cut));
            }
            let world = builder.txt(long.as_str(), TEXT).txt("*.w.", TEXT).build();
            expect(
                style,
                &world,
                &[
                    (&long, TXT, "proven"),
                    (&long, MX, "nodata"),
                    (&missing, TXT, "nxdomain"),
                    (&made, TXT, "proven"),
                    (&label("m", 61), TXT, "nodata"),
                ],
            );
        }
    }
}

/// Labels are octets (RFC 2181 §11): none of them is special but by its length, and letters compare without case.
#[test]
fn names_may_hold_any_octets() {
    let owners = [
        r"\000.example.com.",
        r"\255.example.com.",
        r"a\.b.example.com.",
        r"\\.example.com.",
        r"\032.example.com.",
        r"\(\).example.com.",
        r"\042\042.example.com.",
        "@.example.com.",
        "_veraid._TCP.Example.COM.",
        "xn--bcher-kva.example.com.",
    ];
    for style in STYLES {
        for owner in owners {
            let builder = World::builder()
                .at(NOON)
                .with_zone(zone(style, "."))
                .with_zone(zone(style, "COM."))
                .with_zone(zone(style, "eXample.com."));
            let world = builder.txt(owner, TEXT).build();
            let below = format!("x.{owner}");
            let beside = owner.replacen(".example", "b.example", 1);
            expect(
                style,
                &world,
                &[
                    (owner, TXT, "proven"),
                    (owner, MX, "nodata"),
                    (&below, TXT, "nxdomain"),
                ],
            );
            if beside != owner {
                expect(style, &world, &[(&beside, TXT, "nxdomain")]);
            }
            let mut shouted = Attempt::in_world(style, world, owner, TXT);
            shouted.name = owner.to_ascii_uppercase();
            assert_eq!(shouted.verdict(), "proven", "{style:?} {owner}");
        }
        // Each octet once, in labels as long as they can be.
        for first in (0..=192_u8).step_by(63) {
            let label: Vec<u8> = (first..=first.saturating_add(62)).rev().collect();
            let owner = Name::from("example.com.").child(&label).to_string();
            let world = World::builder().at(NOON).with_zone(zone(style, "."));
            let world = world.txt(owner.as_str(), TEXT).build();
            expect(
                style,
                &world,
                &[(&owner, TXT, "proven"), (&owner, MX, "nodata")],
            );
        }
    }
}

/// What an authoritative server that has both parent and child says of the DS: sometimes the child's denial. Beside the
/// parent's answer it does no harm, and alone it proves nothing.
#[test]
fn a_server_of_parent_and_child_may_answer_from_the_wrong_side() {
    for style in STYLES {
        let good = Attempt::new(style);
        let mut child = good.world.answer("example.com.", MX);
        child.questions[0].record_type = DS;
        let mut beside = good.clone();
        beside.responses.0.insert(0, child.clone());
        assert_eq!(beside.verdict(), "proven");
        let mut alone = good.clone();
        *alone.responses.of("example.com.", DS) = child;
        assert!(alone.verdict().starts_with("dnssec."));
        // The parent's NS RRset, which is not signed, and the child's, which is, in one response.
        let mut both = good;
        let ns = both.world.answer("example.com.", kliento_fixtures::NS);
        let ds = both.responses.of("example.com.", DS);
        ds.authorities.extend(ns.answers);
        assert_eq!(both.verdict(), "proven");
    }
}

/// What is no type of records, but a question for others or a part of the protocol, can be neither proven nor denied
/// (RFC 6895 §3.1); nor can RRSIGs, which nothing signs (RFC 4034 §3).
#[test]
fn no_meta_type_can_be_proven() {
    const ANY: u16 = 255;
    const AXFR: u16 = 252;
    const NXNAME: u16 = 128;
    for style in STYLES {
        for record_type in [0, 41, RRSIG, NXNAME, 249, AXFR, ANY] {
            let mut attempt = Attempt::new(style);
            attempt.record_type = record_type;
            attempt.answer().questions[0].record_type = record_type;
            for answer in &mut attempt.answer().answers {
                if answer.record_type == TXT {
                    answer.record_type = record_type;
                }
            }
            assert_eq!(attempt.verdict(), "dnssec.meta_type", "{record_type}");
            attempt.clear();
            attempt.borrow_denials(&[(OWNER, MX)]);
            assert_eq!(attempt.verdict(), "dnssec.meta_type", "{record_type}");
        }
    }
}

// Anchors

/// IANA's XML for keys of a zone of a world, each valid from one second to before another.
fn xml(world: &World, zone: &str, times: &[(&str, Option<&str>)]) -> String {
    let key = world.zone(zone).committed_key();
    let rdata = key.ds_rdata(&zone.into(), SHA256);
    let digest = data_encoding::HEXUPPER.encode(&rdata[4..]);
    let mut xml = format!("<TrustAnchor><Zone>{zone}</Zone>");
    for (from, until) in times {
        let until = until.map_or(String::new(), |until| format!(" validUntil=\"{until}\""));
        write!(
            xml,
            "<KeyDigest validFrom=\"{from}\"{until}><KeyTag>{}</KeyTag><Algorithm>{}</Algorithm>\
             <DigestType>2</DigestType><Digest>{digest}</Digest></KeyDigest>",
            key.key_tag(),
            rdata[2]
        )
        .expect("a string can be written to");
    }
    xml + "</TrustAnchor>"
}

/// From `validFrom` on, and before `validUntil`.
type Times = (&'static str, Option<&'static str>);
type Window = (i64, i64);

/// RFC 9718 §2: an anchor is valid from `validFrom` on and before `validUntil`; what is proven by it holds then, be it
/// an answer, an alias or a denial.
#[test]
fn what_is_proven_by_an_anchor_holds_while_that_is_valid() {
    const ELEVEN: &str = "2026-11-21T11:30:00Z";
    const HALF_PAST: &str = "2026-11-21T12:30:00Z";
    let signed = (NOON - HOUR, NOON + 6 * DAY);
    let cases: &[(&[Times], &[Window])] = &[
        (&[("2010-07-15T00:00:00+00:00", None)], &[signed]),
        (&[(ELEVEN, None)], &[(NOON - HOUR / 2, signed.1)]),
        (
            &[("2010-07-15T00:00:00Z", Some(HALF_PAST))],
            &[(signed.0, NOON + HOUR / 2 - 1)],
        ),
        (
            &[(ELEVEN, Some(HALF_PAST))],
            &[(NOON - HOUR / 2, NOON + HOUR / 2 - 1)],
        ),
        // Two that follow on each other, and two with a gap.
        (
            &[(ELEVEN, Some(HALF_PAST)), (HALF_PAST, None)],
            &[(NOON - HOUR / 2, signed.1)],
        ),
        (
            &[(ELEVEN, Some("2026-11-21T12:10:00Z")), (HALF_PAST, None)],
            &[(NOON - HOUR / 2, NOON + 599), (NOON + HOUR / 2, signed.1)],
        ),
    ];
    for style in STYLES {
        for zone in [".", "com."] {
            let world = crate::support::attempt::zones(style)
                .txt(OWNER, TEXT)
                .record(Record::of_name("alias.example.com.", CNAME, OWNER))
                .build();
            for (times, validity) in cases {
                for name in [OWNER, "alias.example.com.", "gone.example.com."] {
                    let mut attempt = Attempt::in_world(style, world.clone(), name, TXT);
                    attempt.anchors = xml(&world, zone, times);
                    attempt.period = (NOON - DAY, NOON + 30 * DAY);
                    assert_eq!(
                        attempt.find().validity,
                        *validity,
                        "{zone} {times:?} {name}"
                    );
                    for (from, until) in *validity {
                        for (time, holds) in [
                            (from - 1, false),
                            (*from, true),
                            (*until, true),
                            (until + 1, false),
                        ] {
                            attempt.period = (time, time);
                            let verdict = attempt.verdict();
                            let is_fact = crate::support::attempt::is_fact(&verdict);
                            assert_eq!(is_fact, holds, "{zone} {times:?} {name} {time}: {verdict}");
                        }
                    }
                }
            }
        }
    }
}

/// Several anchors: each zone's own, and the way from above beside it. Any way will do, and the times of all count.
#[test]
fn several_anchors_are_as_good_as_all_their_ways() {
    for style in STYLES {
        let world = crate::support::attempt::zones(style)
            .txt(OWNER, TEXT)
            .build();
        let other = crate::support::attempt::zones(style).build();
        let everywhere = ["example.com.", "com.", "."];
        for anchors in [
            everywhere.map(|zone| world.anchors_of(zone)).concat(),
            everywhere.map(|zone| other.anchors_of(zone)).concat() + &world.anchors_of("com."),
            other.anchors_of("example.com.") + &world.anchors(),
            world.anchors_of("example.com.") + &other.anchors(),
            world.anchors_as_dnskeys() + &other.anchors_as_dnskeys(),
        ] {
            for (name, expected) in [(OWNER, "proven"), ("gone.example.com.", "nxdomain")] {
                let mut attempt = Attempt::in_world(style, world.clone(), name, TXT);
                attempt.anchors.clone_from(&anchors);
                assert_eq!(attempt.verdict(), expected, "{anchors}");
            }
        }
        for anchors in [
            everywhere.map(|zone| other.anchors_of(zone)).concat(),
            other.anchors(),
            other.anchors_of("example.com."),
        ] {
            for name in [OWNER, "gone.example.com."] {
                let mut attempt = Attempt::in_world(style, world.clone(), name, TXT);
                attempt.anchors.clone_from(&anchors);
                assert!(attempt.verdict().starts_with("dnssec."), "{anchors}");
            }
        }
    }
}

/// The zone's own anchor ends, and the parent's word for it begins later: the proof holds in both times, and not
/// between.
#[test]
fn an_anchor_and_a_ds_for_one_zone_add_up() {
    let style = Style::Nsec;
    let world = crate::support::attempt::zones(style)
        .txt(OWNER, TEXT)
        .build();
    let mut attempt = Attempt::in_world(style, world.clone(), OWNER, TXT);
    let later = world
        .signing_for("example.com.", DS)
        .window(NOON + HOUR, NOON + 2 * HOUR);
    attempt.responses.of("example.com.", DS).sign(&later);
    let own = xml(
        &world,
        "example.com.",
        &[("2026-11-21T11:00:00Z", Some("2026-11-21T12:30:00Z"))],
    );
    // Lines and XML are not mixed in one text, so the root's key comes as XML as well, and after the zone's.
    let root = xml(&world, ".", &[("2010-07-15T00:00:00Z", None)]);
    let [own, root] = [own, root].map(|text| {
        text.parse::<dnssec::TrustAnchors>()
            .expect("the anchors can be read")
    });
    let both = dnssec::TrustAnchors::new(own.iter().chain(root.iter()).cloned());
    let messages = attempt.responses.to_messages();
    let chain = dnssec::Chain::from_messages(messages.iter().map(Vec::as_slice))
        .expect("the messages can be read");
    let name = OWNER.parse().expect("the name can be read");
    let validity = |anchors: &dnssec::TrustAnchors| {
        let asked = period(NOON - DAY, NOON + DAY);
        let proof = chain.verify(&name, dnssec::RecordType::TXT, anchors, asked);
        let proof = proof.expect("it is proven");
        let periods = proof.validity().periods().iter();
        periods
            .map(|period| (period.start().unix_seconds(), period.end().unix_seconds()))
            .collect::<Vec<_>>()
    };
    let by_own = (NOON - HOUR, NOON + HOUR / 2 - 1);
    let by_ds = (NOON + HOUR, NOON + 2 * HOUR);
    assert_eq!(validity(&own), [by_own]);
    assert_eq!(validity(&root), [by_ds]);
    assert_eq!(validity(&both), [by_own, by_ds]);
}

/// An anchor says nothing of the zones above it: their names are beyond what is trusted, their keys for nothing.
#[test]
fn an_anchor_below_the_root_reaches_down_and_not_up() {
    for style in STYLES {
        let world = crate::support::attempt::zones(style)
            .with_zone(style.zone("example.net."))
            .txt(OWNER, TEXT)
            .txt("example.net.", TEXT)
            .build();
        for (name, record_type, expected) in [
            (OWNER, TXT, "proven"),
            ("gone.example.com.", TXT, "nxdomain"),
            ("example.com.", DNSKEY, "proven"),
            ("example.net.", TXT, "dnssec.no_trust_anchor"),
            ("com.", DNSKEY, "dnssec.no_trust_anchor"),
            ("gone.com.", TXT, "dnssec.no_trust_anchor"),
            (".", SOA, "dnssec.no_trust_anchor"),
        ] {
            let mut attempt = Attempt::in_world(style, world.clone(), name, record_type);
            attempt.anchors = world.anchors_of("example.com.");
            assert_eq!(attempt.verdict(), expected, "{name} {record_type}");
            // The keys from above may be there or not.
            for zone in [".", "com."] {
                let zone = Name::from(zone);
                attempt
                    .responses
                    .0
                    .retain(|response| !response.is_for(&zone, DNSKEY));
            }
            let verdict = attempt.verdict();
            assert_eq!(verdict, expected, "{name} {record_type}");
        }
        // A parent's key that signs below the anchor is no key of the anchor's zone.
        let mut attempt = Attempt::in_world(style, world.clone(), OWNER, TXT);
        attempt.anchors = world.anchors_of("example.com.");
        let parent = world.signing("com.", KeyRole::Zsk);
        attempt.answer().sign(&parent);
        assert_eq!(attempt.verdict(), "dnssec.no_trust_anchor");
    }
}

/// A DNSKEY as an anchor is that very key: other flags make another one.
#[test]
fn a_dnskey_anchor_is_one_key_with_its_flags() {
    let style = Style::Nsec;
    let attempt = Attempt::new(style);
    let good = attempt.world.anchors_as_dnskeys();
    for (from, to, expected) in [
        (" 257 ", " 257 ", "proven"),
        (" 257 ", " 256 ", "dnssec.dnskey_not_committed"),
        (" 257 ", " 385 ", "dnssec.dnskey_not_committed"),
        (" 3 15 ", " 3 13 ", "dnssec.dnskey_not_committed"),
        (" 3 15 ", " 2 15 ", "dnssec.dnskey_not_committed"),
    ] {
        let mut attempt = attempt.clone();
        attempt.anchors = good.replacen(from, to, 1);
        assert_eq!(attempt.verdict(), expected, "{to}");
    }
    let found = attempt.find();
    assert_eq!(
        found.what,
        What::Records(vec![Record::txt(OWNER, TEXT).rdata])
    );
}
