//! Denials: which NSEC and NSEC3 records prove that a name or a type does not exist or that a zone is unsigned, which
//! prove nothing, and for which seconds (RFC 4035 §5.4, RFC 5155 §8, RFC 6840 §4, RFC 9824).

use dnssec::{Error, RecordType};
use kliento_fixtures::{
    A, CH, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, MX, NS, NSEC, NXDOMAIN, OPT_OUT, RRSIG, Record,
    Response, SERVFAIL, SHA1, SOA, TXT, World, ZoneSpec,
};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use crate::support::attempt::{
    Attempt, Case, Nsec3Maker, STYLES, Style, What, check, denying_records, moved, zones,
};
use crate::support::{HOUR, NOON, at, period, random};

/// A name that does not exist, between two that do.
const NAME: &str = "g.example.com.";
/// The type with which compact answers mark a name that does not exist (RFC 9824 §3.1).
const NXNAME: u16 = 128;

/// `a.example.com.`, `m.example.com.` and `x.sub.example.com.`, and a question for what is not there.
fn start(style: Style) -> Attempt {
    Attempt::in_world(style, content(zones(style)).build(), NAME, TXT)
}

fn content(world: kliento_fixtures::WorldBuilder) -> kliento_fixtures::WorldBuilder {
    world
        .txt("a.example.com.", "a")
        .txt("m.example.com.", "m")
        .txt("x.sub.example.com.", "x")
}

/// Another world with a delegation to an unsigned zone, a signed one, and one that nobody knows.
fn delegating(attempt: &mut Attempt) {
    let style = attempt.style;
    let world = content(zones(style))
        .with_zone(style.zone("signed.example.com."))
        .with_zone(
            ZoneSpec::new(
                "unsigned.example.com.",
                kliento_fixtures::Algorithm::Ed25519,
            )
            .unsigned(),
        )
        .record(Record::of_name("unknown.example.com.", NS, "elsewhere."))
        .txt("signed.example.com.", "signed")
        .txt("unsigned.example.com.", "unsigned")
        .txt("x.unsigned.example.com.", "unsigned");
    attempt.build(world);
}

fn corrupt(response: &mut Response) {
    for record in &mut response.authorities {
        if record.record_type == RRSIG {
            *record.rdata.last_mut().expect("it has a signature") ^= 1;
        }
    }
}

/// What both NSEC and NSEC3 have to get right.
const CASES: &[Case] = &[
    ("a name that is not there", |_| {}, "nxdomain"),
    (
        "a name three labels below",
        |attempt| attempt.ask("x.y.g.example.com.", TXT),
        "nxdomain",
    ),
    (
        "a name before the first",
        |attempt| attempt.ask("\\000.example.com.", TXT),
        "nxdomain",
    ),
    (
        "a name behind the last",
        |attempt| attempt.ask("z.example.com.", TXT),
        "nxdomain",
    ),
    (
        "a TLD that is not there",
        |attempt| attempt.ask("org.", TXT),
        "nxdomain",
    ),
    (
        "a name below a TLD that is not there",
        |attempt| attempt.ask("example.org.", TXT),
        "nxdomain",
    ),
    (
        "a type that the name lacks",
        |attempt| attempt.ask("m.example.com.", MX),
        "nodata",
    ),
    (
        "a type with a high number that the name lacks",
        |attempt| attempt.ask("m.example.com.", 65_280),
        "nodata",
    ),
    (
        "a type that the apex lacks",
        |attempt| attempt.ask("example.com.", TXT),
        "nodata",
    ),
    (
        "a type that the root lacks",
        |attempt| attempt.ask(".", TXT),
        "nodata",
    ),
    (
        "an empty non-terminal",
        |attempt| attempt.ask("sub.example.com.", TXT),
        "nodata",
    ),
    (
        "a name beside the one below an empty non-terminal",
        |attempt| attempt.ask("y.sub.example.com.", TXT),
        "nxdomain",
    ),
    (
        "a DS of a name that is no zone",
        |attempt| attempt.ask("m.example.com.", DS),
        "nodata",
    ),
    (
        "a DS of a name that is not there",
        |attempt| attempt.ask(NAME, DS),
        "nxdomain",
    ),
    (
        "a DS of an empty non-terminal",
        |attempt| attempt.ask("sub.example.com.", DS),
        "nodata",
    ),
    (
        "a CNAME of a name that has none",
        |attempt| attempt.ask("m.example.com.", CNAME),
        "nodata",
    ),
    (
        "keys of a name that is no zone",
        |attempt| attempt.ask("m.example.com.", DNSKEY),
        "nodata",
    ),
    (
        "a name in mixed case",
        |attempt| attempt.ask("G.eXample.COM.", TXT),
        "nxdomain",
    ),
    (
        "an owner of a DNAME has no other data",
        |attempt| {
            attempt.publish(|world| world.record(Record::of_name("d.example.com.", DNAME, "e.")));
            attempt.ask("d.example.com.", TXT);
        },
        "nodata",
    ),
    // Messages: it is the signed records that decide
    (
        "NXDOMAIN as the code, where a type is denied",
        |attempt| {
            attempt.ask("m.example.com.", MX);
            attempt.answer().rcode = NXDOMAIN;
        },
        "nodata",
    ),
    (
        "NXDOMAIN as the code, where an empty non-terminal is",
        |attempt| {
            attempt.ask("sub.example.com.", TXT);
            attempt.answer().rcode = NXDOMAIN;
        },
        "nodata",
    ),
    (
        "NOERROR as the code, where a name is denied",
        |attempt| attempt.answer().rcode = 0,
        "nxdomain",
    ),
    (
        "each record in a response of its own",
        |attempt| {
            let authorities = std::mem::take(&mut attempt.answer().authorities);
            for pair in authorities.chunks(2) {
                let mut response = Response::new(pair[0].owner.clone(), pair[0].record_type);
                response.answers = pair.to_vec();
                attempt.responses.0.insert(0, response);
            }
        },
        "nxdomain",
    ),
    (
        "no response to the question itself",
        |attempt| attempt.answer().questions[0].name = "other.example.com.".into(),
        "nxdomain",
    ),
    (
        "the same denial several times",
        |attempt| {
            for _ in 0..5 {
                let again = attempt.answer().authorities.clone();
                let mut other = Response::new("other.", A);
                other.authorities = again;
                attempt.responses.0.insert(0, other);
            }
        },
        "nxdomain",
    ),
    (
        "a denial of another world in front of it",
        |attempt| {
            let other = start(attempt.style).answer().authorities.clone();
            attempt.answer().authorities.splice(..0, other);
        },
        "nxdomain",
    ),
    (
        "stale and corrupt signatures in front of the good ones",
        |attempt| {
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            for signing in [signing.clone().expired(), signing.corrupt()] {
                attempt.answer().put_signature_first(&signing);
            }
        },
        "nxdomain",
    ),
    (
        "more records than are needed",
        |attempt| {
            let names = [
                "sub.example.com.",
                "z.example.com.",
                "a.example.com.",
                "n.example.com.",
            ];
            for name in names {
                attempt.borrow_denials(&[(name, MX)]);
            }
            attempt.borrow_denials(&[("com.", TXT), ("org.", TXT)]);
        },
        "nxdomain",
    ),
    // Unsigned zones (RFC 4035 §5.2)
    (
        "a DS that the parent proves not to be there",
        |attempt| {
            delegating(attempt);
            attempt.ask("unsigned.example.com.", DS);
        },
        "nodata",
    ),
    (
        "data of an unsigned zone",
        |attempt| {
            delegating(attempt);
            attempt.ask("unsigned.example.com.", TXT);
        },
        "insecure: no DS",
    ),
    (
        "data below the apex of an unsigned zone",
        |attempt| {
            delegating(attempt);
            attempt.ask("x.unsigned.example.com.", TXT);
        },
        "insecure: no DS",
    ),
    (
        "what an unsigned zone lacks",
        |attempt| {
            delegating(attempt);
            attempt.ask("y.unsigned.example.com.", TXT);
        },
        "insecure: no DS",
    ),
    (
        "a DS below an unsigned zone",
        |attempt| {
            delegating(attempt);
            attempt.ask("x.unsigned.example.com.", DS);
        },
        "insecure: no DS",
    ),
    (
        "the keys of an unsigned zone",
        |attempt| {
            delegating(attempt);
            attempt.ask("unsigned.example.com.", DNSKEY);
        },
        "insecure: no DS",
    ),
    (
        "the delegation to an unsigned zone",
        |attempt| {
            delegating(attempt);
            attempt.ask("unsigned.example.com.", NS);
        },
        "insecure: no DS",
    ),
    (
        "an island of security without an anchor",
        |attempt| {
            let island = attempt.style.zone("island.example.com.").insecure();
            attempt.build(
                zones(attempt.style)
                    .with_zone(island)
                    .txt("island.example.com.", "x"),
            );
            attempt.ask("island.example.com.", TXT);
        },
        "insecure: no DS",
    ),
    (
        "a denial in an island of security without an anchor",
        |attempt| {
            let island = attempt.style.zone("island.example.com.").insecure();
            attempt.build(zones(attempt.style).with_zone(island));
            attempt.ask("x.island.example.com.", TXT);
        },
        "insecure: no DS",
    ),
    (
        "a zone whose DS records are all unknown",
        |attempt| {
            let zone = attempt.style.zone("sha1.example.com.").ds_digests(&[SHA1]);
            attempt.build(zones(attempt.style).with_zone(zone));
            attempt.ask("x.sha1.example.com.", TXT);
        },
        "insecure: algorithms",
    ),
    (
        "the DS of a zone whose DS records are all unknown",
        |attempt| {
            let zone = attempt.style.zone("sha1.example.com.").ds_digests(&[SHA1]);
            attempt.build(zones(attempt.style).with_zone(zone));
            attempt.ask("sha1.example.com.", DS);
        },
        "proven",
    ),
    (
        "two DS RRsets of a zone, both all unknown, where there may be one",
        |attempt| {
            let zone = attempt.style.zone("sha1.example.com.").ds_digests(&[SHA1]);
            attempt.build(zones(attempt.style).with_zone(zone));
            attempt.ask("sha1.example.com.", DS);
            let mut other = attempt.answer().clone();
            for ds in other.data_mut() {
                ds.rdata[3] = 200;
            }
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            other.sign(&signing);
            attempt.responses.0.insert(0, other);
        },
        "dnssec.ambiguous_answer",
    ),
    (
        "an unsigned zone whose parent's denial is gone",
        |attempt| {
            delegating(attempt);
            attempt.ask("x.unsigned.example.com.", TXT);
            for response in &mut attempt.responses.0 {
                response.authorities.clear();
            }
        },
        "dnssec.no_rrsig",
    ),
    (
        "an unsigned zone whose parent's denial has expired",
        |attempt| {
            delegating(attempt);
            attempt.ask("x.unsigned.example.com.", TXT);
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let ds = attempt.responses.of("unsigned.example.com.", DS);
            ds.sign(&signing.expired());
        },
        "dnssec.no_rrsig",
    ),
    (
        "an unsigned zone whose parent's denial is forged",
        |attempt| {
            delegating(attempt);
            attempt.ask("x.unsigned.example.com.", TXT);
            corrupt(attempt.responses.of("unsigned.example.com.", DS));
        },
        "dnssec.no_rrsig",
    ),
    // No proof at all
    ("nothing", Attempt::clear, "dnssec.unproven_denial"),
    (
        "no signatures",
        |attempt| _ = attempt.answer().drop_signatures(),
        "dnssec.no_rrsig",
    ),
    (
        "wrong signatures",
        |attempt| corrupt(attempt.answer()),
        "dnssec.bad_signature",
    ),
    (
        "signatures of the past",
        |attempt| {
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.answer().sign(&signing.expired());
        },
        "dnssec.rrsig_expired",
    ),
    (
        "signatures of the future",
        |attempt| {
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.answer().sign(&signing.not_yet_valid());
        },
        "dnssec.rrsig_not_yet_valid",
    ),
    (
        "records that are never valid together",
        |attempt| {
            // With the wildcard denied by another record than the name.
            attempt.publish(|world| content(world).txt("+.example.com.", "+"));
            let records = denying_records(attempt.answer());
            let (first, others) = records.split_first().expect("there is a record");
            assert!(!others.is_empty());
            attempt.clear();
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let before = signing.clone().window(NOON - HOUR, NOON);
            attempt.deny_signed(&before, std::slice::from_ref(first));
            attempt.deny_signed(&signing.window(NOON + 1, NOON + HOUR), others);
            attempt.period = period(NOON - HOUR, NOON + HOUR);
        },
        "dnssec.not_valid_together",
    ),
    (
        "signatures of a stranger's key",
        |attempt| {
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let stranger = Key::generate(kliento_fixtures::Algorithm::Ed25519);
            attempt.answer().sign(&signing.key(stranger));
        },
        "dnssec.no_matching_key",
    ),
    (
        "signatures over another type",
        |attempt| {
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.answer().sign(&signing.type_covered(SOA));
        },
        "dnssec.no_rrsig",
    ),
    (
        "records of another class",
        |attempt| {
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            for record in &mut attempt.answer().authorities {
                record.class = CH;
            }
            attempt.answer().sign(&signing);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the SOA alone",
        |attempt| {
            let authorities = &mut attempt.answer().authorities;
            authorities.retain(|record| record.type_covered().unwrap_or(record.record_type) == SOA);
        },
        "dnssec.unproven_denial",
    ),
    (
        "SERVFAIL, and nothing else",
        |attempt| {
            attempt.clear();
            attempt.answer().rcode = SERVFAIL;
        },
        "dnssec.response_code",
    ),
    (
        "no chain at all",
        |attempt| attempt.responses.0.clear(),
        "dnssec.missing_response",
    ),
    (
        "the denial without the keys of its zone",
        |attempt| _ = attempt.responses.remove("example.com.", DNSKEY),
        "dnssec.missing_response",
    ),
    // What is denied is another thing
    (
        "a type that the name has",
        |attempt| {
            attempt.ask_in_vain("m.example.com.", TXT);
            attempt.borrow_denials(&[("m.example.com.", MX), ("m.example.com.", DS)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a name that there is",
        |attempt| {
            attempt.ask_in_vain("m.example.com.", TXT);
            attempt.borrow_denials(&[("l.example.com.", TXT), ("n.example.com.", TXT)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a name with a CNAME",
        |attempt| {
            attempt.publish(|world| world.record(Record::of_name("c.example.com.", CNAME, "d.")));
            attempt.ask_in_vain("c.example.com.", TXT);
            attempt.borrow_denials(&[("c.example.com.", DS), ("b.example.com.", TXT)]);
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let types = [CNAME, RRSIG, NSEC];
            let record = match attempt.style {
                Style::Nsec => Record::nsec("c.example.com.", "d.example.com.", &types),
                Style::Nsec3 => Nsec3Maker::of("example.com.").at("c.example.com.", &types),
            };
            attempt.deny_signed(&signing, &[record]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a name below a DNAME",
        |attempt| {
            attempt.publish(|world| world.record(Record::of_name("d.example.com.", DNAME, "e.")));
            attempt.ask_in_vain("x.d.example.com.", TXT);
            let around = [
                ("d.example.com.", TXT),
                ("c.example.com.", TXT),
                ("e.example.com.", TXT),
            ];
            attempt.borrow_denials(&around);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a name that a wildcard makes",
        |attempt| {
            attempt.publish(|world| content(world).txt("*.example.com.", "*"));
            attempt.ask_in_vain(NAME, TXT);
            attempt.borrow_denials(&[(NAME, MX), (NAME, TXT), ("*.example.com.", DS)]);
        },
        "dnssec.unproven_denial",
    ),
    // The other side of a cut (RFC 6840 §4.1, §4.4)
    (
        "the parent at a signed cut denies the child's data",
        |attempt| {
            delegating(attempt);
            attempt.ask_in_vain("signed.example.com.", MX);
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let types = [NS, DS, RRSIG, NSEC];
            let record = match attempt.style {
                Style::Nsec => Record::nsec("signed.example.com.", "sub.example.com.", &types),
                Style::Nsec3 => Nsec3Maker::of("example.com.").at("signed.example.com.", &types),
            };
            attempt.deny_signed(&signing, &[record]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the parent at a signed cut denies a name below it",
        |attempt| {
            delegating(attempt);
            attempt.ask_in_vain("x.signed.example.com.", TXT);
            attempt.borrow_denials(&[("signee.example.com.", TXT)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the parent denies names on both sides of a signed cut",
        |attempt| {
            delegating(attempt);
            attempt.ask_in_vain("x.signed.example.com.", TXT);
            attempt.borrow_denials(&[
                ("signec.example.com.", TXT),
                ("signee.example.com.", TXT),
                ("b.example.com.", TXT),
            ]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the child's apex denies its DS",
        |attempt| {
            delegating(attempt);
            attempt.ask_in_vain("signed.example.com.", DS);
            attempt.show_zone("signed.example.com.");
            attempt.borrow_denials(&[("signed.example.com.", MX)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the child's apex denies its DS, in the parent's name",
        |attempt| {
            delegating(attempt);
            attempt.ask_in_vain("signed.example.com.", DS);
            let child = denying_records(&attempt.world.answer("signed.example.com.", MX));
            attempt.deny("example.com.", &child);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the child denies its own apex",
        |attempt| {
            delegating(attempt);
            attempt.ask_in_vain("signed.example.com.", TXT);
            attempt.borrow_denials(&[("a.signed.example.com.", TXT)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a child denies names of its parent",
        |attempt| {
            delegating(attempt);
            attempt.ask_in_vain("z.example.com.", TXT);
            attempt.show_zone("signed.example.com.");
            attempt.borrow_denials(&[
                ("z.signed.example.com.", TXT),
                ("a.signed.example.com.", MX),
            ]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a zone's denial signed by its sibling",
        |attempt| {
            let sibling = attempt.style.zone("example.net.");
            attempt.build(content(zones(attempt.style)).with_zone(sibling));
            let records = denying_records(attempt.answer());
            attempt.clear();
            attempt.show_zone("example.net.");
            attempt.deny("example.net.", &records);
        },
        "dnssec.signer_off_tree",
    ),
    (
        "a zone's denial signed by its child",
        |attempt| {
            delegating(attempt);
            let records = denying_records(attempt.answer());
            attempt.clear();
            attempt.show_zone("signed.example.com.");
            attempt.deny("signed.example.com.", &records);
        },
        "dnssec.signer_off_tree",
    ),
    // What would make a signed zone look unsigned
    (
        "a name without DS that is no delegation",
        |attempt| {
            attempt.ask("m.example.com.", TXT);
            corrupt_answer(attempt);
            attempt.borrow_denials(&[("m.example.com.", DS)]);
        },
        "dnssec.bad_signature",
    ),
    (
        "a child's apex, which has NS and no DS",
        |attempt| {
            delegating(attempt);
            attempt.ask("signed.example.com.", TXT);
            corrupt_answer(attempt);
            attempt.borrow_denials(&[("signed.example.com.", MX)]);
        },
        "dnssec.bad_signature",
    ),
    (
        "a signed delegation",
        |attempt| {
            delegating(attempt);
            attempt.ask("signed.example.com.", TXT);
            corrupt_answer(attempt);
            attempt.borrow_denials(&[("signee.example.com.", TXT), ("signec.example.com.", TXT)]);
        },
        "dnssec.bad_signature",
    ),
    (
        "a sibling that is not signed",
        |attempt| {
            delegating(attempt);
            attempt.ask("signed.example.com.", TXT);
            corrupt_answer(attempt);
            attempt.borrow_denials(&[("unsigned.example.com.", DS), ("unknown.example.com.", DS)]);
        },
        "dnssec.bad_signature",
    ),
    (
        "an unsigned delegation that nobody signed",
        |attempt| {
            attempt.ask("m.example.com.", TXT);
            corrupt_answer(attempt);
            let forged = match attempt.style {
                Style::Nsec => Record::nsec("m.example.com.", "n.example.com.", &[NS, RRSIG]),
                Style::Nsec3 => Nsec3Maker::of("example.com.").at("m.example.com.", &[NS]),
            };
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let rrsig = signing.forged_rrsig(std::slice::from_ref(&forged));
            attempt.answer().authorities.extend([forged, rrsig]);
        },
        "dnssec.bad_signature",
    ),
    (
        "an unsigned delegation that another zone signed",
        |attempt| {
            attempt
                .build(content(zones(attempt.style)).with_zone(attempt.style.zone("example.net.")));
            attempt.ask("m.example.com.", TXT);
            corrupt_answer(attempt);
            attempt.show_zone("example.net.");
            let forged = match attempt.style {
                Style::Nsec => Record::nsec("m.example.com.", "n.example.com.", &[NS, RRSIG]),
                Style::Nsec3 => Nsec3Maker::of("example.com.").at("m.example.com.", &[NS]),
            };
            attempt.deny("example.net.", &[forged]);
        },
        "dnssec.bad_signature",
    ),
    (
        "an unsigned delegation of another time",
        |attempt| {
            attempt.ask("m.example.com.", TXT);
            corrupt_answer(attempt);
            let stale = match attempt.style {
                Style::Nsec => Record::nsec("m.example.com.", "n.example.com.", &[NS, RRSIG]),
                Style::Nsec3 => Nsec3Maker::of("example.com.").at("m.example.com.", &[NS]),
            };
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.deny_signed(&signing.expired(), &[stale]);
        },
        "dnssec.bad_signature",
    ),
];

fn corrupt_answer(attempt: &mut Attempt) {
    for record in &mut attempt.answer().answers {
        if record.record_type == RRSIG {
            *record.rdata.last_mut().expect("it has a signature") ^= 1;
        }
    }
}

#[test]
fn what_is_denied_is_proven_not_to_exist() {
    check(&STYLES, start, CASES);
}

/// Puts one NSEC record of `example.com.` into an empty answer.
fn nsec(attempt: &mut Attempt, owner: &str, next: &str, types: &[u16]) {
    attempt.deny("example.com.", &[Record::nsec(owner, next, types)]);
}

/// What the canonical order of names gets wrong, or right. Nothing is there but what a case says.
const NSEC_CASES: &[Case] = &[
    (
        "one NSEC over the name and the wildcard",
        |attempt| nsec(attempt, "example.com.", "m.example.com.", &[SOA, NS, NSEC]),
        "nxdomain",
    ),
    (
        "one NSEC each, and hardly more",
        |attempt| {
            nsec(
                attempt,
                "f\\255.example.com.",
                "g\\000.example.com.",
                &[NSEC],
            );
            nsec(attempt, ")\\255.example.com.", "+.example.com.", &[NSEC]);
        },
        "nxdomain",
    ),
    (
        "the name without the wildcard",
        |attempt| {
            nsec(
                attempt,
                "f\\255.example.com.",
                "g\\000.example.com.",
                &[NSEC],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard without the name",
        |attempt| nsec(attempt, ")\\255.example.com.", "+.example.com.", &[NSEC]),
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard of the zone where a closer encloser exists",
        |attempt| {
            attempt.ask_in_vain("x.m.example.com.", TXT);
            nsec(attempt, "m.example.com.", "n.example.com.", &[TXT, NSEC]);
            nsec(attempt, ")\\255.example.com.", "+.example.com.", &[NSEC]);
        },
        "nxdomain",
    ),
    (
        "the wildcard of the zone, where one below the closer encloser may exist",
        |attempt| {
            attempt.ask_in_vain("x.m.example.com.", TXT);
            nsec(
                attempt,
                "w.m.example.com.",
                "y.m.example.com.",
                &[TXT, NSEC],
            );
            nsec(attempt, ")\\255.example.com.", "+.example.com.", &[NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard below a name that does not exist",
        |attempt| {
            attempt.ask_in_vain("x.y.example.com.", TXT);
            nsec(attempt, "x.example.com.", "z.example.com.", &[TXT, NSEC]);
            nsec(attempt, "y.example.com.", "+.y.example.com.", &[NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the last NSEC",
        |attempt| {
            nsec(attempt, "f.example.com.", "example.com.", &[NSEC]);
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
        },
        "nxdomain",
    ),
    (
        "the only NSEC of the zone",
        |attempt| nsec(attempt, "example.com.", "example.com.", &[SOA, NS, NSEC]),
        "nxdomain",
    ),
    (
        "the only NSEC of the zone, at its apex",
        |attempt| {
            attempt.ask_in_vain("example.com.", TXT);
            nsec(attempt, "example.com.", "example.com.", &[SOA, NS, NSEC]);
        },
        "nodata",
    ),
    (
        "the only NSEC of the zone does not deny its apex",
        |attempt| {
            attempt.ask_in_vain("example.com.", SOA);
            nsec(attempt, "example.com.", "example.com.", &[SOA, NS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a last NSEC with another apex than the zone's",
        |attempt| {
            nsec(attempt, "f.example.com.", "com.", &[NSEC]);
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a last NSEC with the apex of a zone that is not there",
        |attempt| {
            attempt.ask_in_vain("z.b.example.com.", TXT);
            nsec(attempt, "a.b.example.com.", "b.example.com.", &[NSEC]);
            nsec(
                attempt,
                "b.example.com.",
                "a.b.example.com.",
                &[SOA, NS, NSEC],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC that leads backwards",
        |attempt| {
            nsec(attempt, "f.example.com.", "b.example.com.", &[NSEC]);
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC that ends at the name",
        |attempt| nsec(attempt, "example.com.", NAME, &[SOA, NS, NSEC]),
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC that ends at the wildcard",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NSEC]);
            nsec(attempt, "example.com.", "*.example.com.", &[SOA, NS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC that starts at the wildcard, which has the type",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NSEC]);
            nsec(attempt, "*.example.com.", "a.example.com.", &[TXT, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC that starts at the wildcard, which lacks the type",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NSEC]);
            nsec(attempt, "*.example.com.", "a.example.com.", &[MX, NSEC]);
        },
        "nodata",
    ),
    (
        "an NSEC that starts at the wildcard, which is an alias",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NSEC]);
            nsec(attempt, "*.example.com.", "a.example.com.", &[CNAME, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC that starts at the wildcard, which is delegated",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NSEC]);
            nsec(attempt, "*.example.com.", "a.example.com.", &[NS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC that ends below the wildcard, which so exists",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NSEC]);
            nsec(
                attempt,
                "example.com.",
                "x.*.example.com.",
                &[SOA, NS, NSEC],
            );
        },
        "nodata",
    ),
    (
        "an NSEC over the name that was expanded from a wildcard",
        |attempt| {
            let signing = attempt
                .world
                .signing("example.com.", KeyRole::Zsk)
                .labels(2);
            let record = Record::nsec("!.example.com.", "z.example.com.", &[TXT, NSEC]);
            attempt.deny_signed(&signing, &[record]);
        },
        "dnssec.wildcard",
    ),
    (
        "an NSEC at the name that was expanded from a wildcard",
        |attempt| {
            let signing = attempt
                .world
                .signing("example.com.", KeyRole::Zsk)
                .labels(2);
            attempt.deny_signed(
                &signing,
                &[Record::nsec(NAME, "z.example.com.", &[MX, NSEC])],
            );
        },
        "dnssec.wildcard",
    ),
    (
        "name and wildcard denied by two zones",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NSEC]);
            let wildcard = Record::nsec("example.com.", "a.example.com.", &[NSEC]);
            attempt.deny("com.", &[wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "name and wildcard denied by two zones, the other way round",
        |attempt| {
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
            let name = Record::nsec("f.example.com.", "h.example.com.", &[NSEC]);
            attempt.deny("com.", &[name]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an empty list of types at the name",
        |attempt| nsec(attempt, NAME, "h.example.com.", &[]),
        "nodata",
    ),
    (
        "a list of types that is not well formed",
        |attempt| {
            let mut record = Record::nsec(NAME, "h.example.com.", &[]);
            record.rdata.extend(b"\x00\x00");
            attempt.deny("example.com.", &[record]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a compressed next name",
        |attempt| {
            let mut record = Record::nsec(NAME, "h.example.com.", &[MX, NSEC]);
            record.rdata.splice(..15, [0xc0, 12]);
            attempt.deny("example.com.", &[record]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "two NSEC records at the name, of which one denies",
        |attempt| {
            let records = [
                Record::nsec(NAME, "h.example.com.", &[TXT, NSEC]),
                Record::nsec(NAME, "h.example.com.", &[MX, NSEC]),
            ];
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let rrsig = signing.rrsig(&records);
            attempt.answer().authorities.extend(records);
            attempt.answer().authorities.push(rrsig);
        },
        "dnssec.bad_signature",
    ),
    (
        "a name in mixed case in the NSEC",
        |attempt| nsec(attempt, "EXAMPLE.com.", "M.Example.Com.", &[SOA, NS, NSEC]),
        "nxdomain",
    ),
    (
        "an empty non-terminal by the next name",
        |attempt| nsec(attempt, "f.example.com.", "x.y.g.example.com.", &[NSEC]),
        "nodata",
    ),
    (
        "an empty non-terminal is no NXDOMAIN where the wildcard is denied, too",
        |attempt| {
            nsec(attempt, "f.example.com.", "x.g.example.com.", &[NSEC]);
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
        },
        "nodata",
    ),
    (
        "an empty non-terminal below a delegation",
        |attempt| {
            attempt.ask_in_vain("y.g.example.com.", TXT);
            nsec(attempt, NAME, "x.y.g.example.com.", &[NS, DS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an empty non-terminal below a DNAME",
        |attempt| {
            attempt.ask_in_vain("y.g.example.com.", TXT);
            nsec(attempt, NAME, "x.y.g.example.com.", &[DNAME, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a delegation before the name, and not above it",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[NS, NSEC]);
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
        },
        "nxdomain",
    ),
    (
        "a DNAME before the name, and not above it",
        |attempt| {
            nsec(attempt, "f.example.com.", "h.example.com.", &[DNAME, NSEC]);
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
        },
        "nxdomain",
    ),
    (
        "a signed delegation above the name denies it",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec(attempt, NAME, "h.example.com.", &[NS, DS, NSEC]);
            nsec(attempt, "example.com.", "a.example.com.", &[SOA, NS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a signed delegation at the name denies its wildcard",
        |attempt| {
            attempt.ask_in_vain("b.f.example.com.", TXT);
            nsec(
                attempt,
                "a.f.example.com.",
                "c.f.example.com.",
                &[TXT, NSEC],
            );
            nsec(
                attempt,
                "f.example.com.",
                "a.f.example.com.",
                &[NS, DS, NSEC],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "an unsigned delegation above the name",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec(attempt, NAME, "h.example.com.", &[NS, NSEC]);
        },
        "insecure: no DS",
    ),
    (
        "an unsigned delegation far above the name",
        |attempt| {
            attempt.ask_in_vain("x.y.z.g.example.com.", TXT);
            nsec(attempt, NAME, "h.example.com.", &[NS, NSEC]);
        },
        "insecure: no DS",
    ),
    (
        "an unsigned delegation before the name, and not above it",
        |attempt| nsec(attempt, "f.example.com.", "h.example.com.", &[NS, NSEC]),
        "dnssec.unproven_denial",
    ),
    (
        "an unsigned delegation in the grandparent's name",
        |attempt| {
            let record = Record::nsec(NAME, "h.example.com.", &[NS, NSEC]);
            attempt.deny("com.", &[record]);
        },
        "insecure: no DS",
    ),
    (
        "an unsigned delegation of the zone itself, which signs that",
        |attempt| {
            attempt.ask_in_vain("example.com.", DS);
            attempt.show_zone("example.com.");
            nsec(attempt, "example.com.", "a.example.com.", &[NS, NSEC]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a name that is marked as not there",
        |attempt| {
            nsec(
                attempt,
                NAME,
                "\\000.g.example.com.",
                &[RRSIG, NSEC, NXNAME],
            );
        },
        "nxdomain",
    ),
    (
        "a name that is marked as not there, asked for its DS",
        |attempt| {
            attempt.ask_in_vain(NAME, DS);
            nsec(
                attempt,
                NAME,
                "\\000.g.example.com.",
                &[RRSIG, NSEC, NXNAME],
            );
        },
        "nxdomain",
    ),
    (
        "a name above that is marked as not there",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec(
                attempt,
                NAME,
                "\\000.g.example.com.",
                &[RRSIG, NSEC, NXNAME],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "a name that is marked as not there by the zone below",
        |attempt| {
            attempt.build(content(zones(attempt.style)).with_zone(attempt.style.zone(NAME)));
            attempt.ask_in_vain(NAME, DS);
            attempt.show_zone(NAME);
            let record = Record::nsec(NAME, "\\000.g.example.com.", &[RRSIG, NSEC, NXNAME]);
            attempt.deny(NAME, &[record]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a compact denial of a type",
        |attempt| nsec(attempt, NAME, "\\000.g.example.com.", &[RRSIG, NSEC]),
        "nodata",
    ),
    (
        "a compact denial of another name's type",
        |attempt| {
            nsec(
                attempt,
                "h.example.com.",
                "\\000.h.example.com.",
                &[RRSIG, NSEC],
            );
        },
        "dnssec.unproven_denial",
    ),
];

fn start_in_vain(style: Style) -> Attempt {
    let mut attempt = start(style);
    attempt.clear();
    attempt
}

#[test]
fn an_nsec_record_denies_what_it_covers_and_no_more() {
    check(&[Style::Nsec], start_in_vain, NSEC_CASES);
}

/// The three parts of a proof that the name is not there, as `nsec3` has them.
fn nsec3_parts(nsec3: &Nsec3Maker) -> [Record; 3] {
    [
        nsec3.at("example.com.", &[SOA, NS, DNSKEY]),
        nsec3.over(NAME),
        nsec3.over("*.example.com."),
    ]
}

/// Puts NSEC3 records of `example.com.` into the answer.
fn nsec3(attempt: &mut Attempt, records: &[Record]) {
    attempt.deny("example.com.", records);
}

fn example() -> Nsec3Maker {
    Nsec3Maker::of("example.com.")
}

/// What hashed names alone get wrong, or right. Nothing is there but what a case says.
const NSEC3_CASES: &[Case] = &[
    (
        "closest encloser, next closer name and wildcard, and hardly more",
        |attempt| nsec3(attempt, &nsec3_parts(&example())),
        "nxdomain",
    ),
    (
        "without the closest encloser",
        |attempt| nsec3(attempt, &nsec3_parts(&example())[1..]),
        "dnssec.unproven_denial",
    ),
    (
        "without the next closer name",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            nsec3(attempt, &[encloser, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "without the wildcard",
        |attempt| nsec3(attempt, &nsec3_parts(&example())[..2]),
        "dnssec.unproven_denial",
    ),
    (
        "the closest encloser covered, and not matched",
        |attempt| {
            let [_, next_closer, wildcard] = nsec3_parts(&example());
            nsec3(
                attempt,
                &[example().over("example.com."), next_closer, wildcard],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "the next closer name matched, and not covered",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            nsec3(attempt, &[encloser, example().at(NAME, &[TXT]), wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard matched, and not covered",
        |attempt| {
            let [encloser, next_closer, _] = nsec3_parts(&example());
            let wildcard = example().at("*.example.com.", &[TXT]);
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard matched, which lacks the type",
        |attempt| {
            let [encloser, next_closer, _] = nsec3_parts(&example());
            let wildcard = example().at("*.example.com.", &[MX]);
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "nodata",
    ),
    (
        "the wildcard matched, which is an alias",
        |attempt| {
            let [encloser, next_closer, _] = nsec3_parts(&example());
            let wildcard = example().at("*.example.com.", &[CNAME]);
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard matched, which is delegated",
        |attempt| {
            let [encloser, next_closer, _] = nsec3_parts(&example());
            let wildcard = example().at("*.example.com.", &[NS]);
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard matched, which lacks the type, without the closest encloser",
        |attempt| {
            let wildcard = example().at("*.example.com.", &[MX]);
            nsec3(attempt, &[example().over(NAME), wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard matched, which lacks the type, without the next closer name",
        |attempt| {
            let encloser = example().at("example.com.", &[SOA, NS]);
            nsec3(attempt, &[encloser, example().at("*.example.com.", &[MX])]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an empty non-terminal as the wildcard",
        |attempt| {
            let [encloser, next_closer, _] = nsec3_parts(&example());
            nsec3(
                attempt,
                &[encloser, next_closer, example().at("*.example.com.", &[])],
            );
        },
        "nodata",
    ),
    (
        "the wildcard of a closer name than the closest encloser",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            let [encloser, next_closer, _] = nsec3_parts(&example());
            nsec3(
                attempt,
                &[encloser, next_closer, example().over("*.g.example.com.")],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "the name covered in place of the next closer name",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            let [encloser, _, wildcard] = nsec3_parts(&example());
            nsec3(
                attempt,
                &[encloser, example().over("x.g.example.com."), wildcard],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "a closer encloser than the apex",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec3(
                attempt,
                &[
                    example().at(NAME, &[TXT]),
                    example().over("x.g.example.com."),
                    example().over("*.g.example.com."),
                ],
            );
        },
        "nxdomain",
    ),
    (
        "an encloser at a signed delegation",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec3(
                attempt,
                &[
                    example().at(NAME, &[NS, DS]),
                    example().over("x.g.example.com."),
                    example().over("*.g.example.com."),
                ],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "an encloser with a DNAME",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec3(
                attempt,
                &[
                    example().at(NAME, &[DNAME]),
                    example().over("x.g.example.com."),
                    example().over("*.g.example.com."),
                ],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "an encloser with a DNAME, and the wildcard lacks the type",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec3(
                attempt,
                &[
                    example().at(NAME, &[DNAME]),
                    example().over("x.g.example.com."),
                    example().at("*.g.example.com.", &[MX]),
                ],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "an encloser at an unsigned delegation",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            nsec3(attempt, &[example().at(NAME, &[NS])]);
        },
        "insecure: no DS",
    ),
    (
        "an unsigned delegation at the name",
        |attempt| nsec3(attempt, &[example().at(NAME, &[NS])]),
        "insecure: no DS",
    ),
    (
        "an unsigned delegation at the name, asked for its DS",
        |attempt| {
            attempt.ask_in_vain(NAME, DS);
            nsec3(attempt, &[example().at(NAME, &[NS])]);
        },
        "nodata",
    ),
    (
        "an apex of a zone, as if it were no DS",
        |attempt| {
            attempt.ask_in_vain(NAME, DS);
            nsec3(attempt, &[example().at(NAME, &[NS, SOA])]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the name matched, without the type",
        |attempt| nsec3(attempt, &[example().at(NAME, &[MX])]),
        "nodata",
    ),
    (
        "the name matched, with no types: an empty non-terminal",
        |attempt| nsec3(attempt, &[example().at(NAME, &[])]),
        "nodata",
    ),
    (
        "the name matched, with the type",
        |attempt| nsec3(attempt, &[example().at(NAME, &[TXT])]),
        "dnssec.unproven_denial",
    ),
    (
        "the name matched, with a CNAME",
        |attempt| nsec3(attempt, &[example().at(NAME, &[CNAME])]),
        "dnssec.unproven_denial",
    ),
    (
        "the name matched by its hash in another zone",
        |attempt| {
            let mut record = example().at(NAME, &[MX]);
            record.owner = Nsec3Maker::of("com.").at(NAME, &[]).owner;
            let hash = crate::support::attempt::base32(&example().hash(NAME));
            record.owner = format!("{hash}.com.").as_str().into();
            attempt.deny("com.", &[record]);
        },
        "nodata",
    ),
    (
        "the name matched, in the name of a zone that is none",
        |attempt| {
            let record = Nsec3Maker::of("a.example.com.").at(NAME, &[MX]);
            nsec3(attempt, &[record]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the name matched, signed by the zone above",
        |attempt| attempt.deny("com.", &[example().at(NAME, &[MX])]),
        "dnssec.unproven_denial",
    ),
    (
        "the parts signed by two zones",
        |attempt| {
            let [encloser, next_closer, wildcard] = nsec3_parts(&example());
            nsec3(attempt, &[encloser, wildcard]);
            attempt.deny("com.", &[next_closer]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the parts in the hashes of two zones",
        |attempt| {
            attempt.ask_in_vain("g.com.", TXT);
            attempt.show_zone("example.com.");
            let com = Nsec3Maker::of("com.");
            attempt.deny("com.", &[com.at("com.", &[SOA, NS]), com.over("*.com.")]);
            nsec3(attempt, &[example().over("g.com.")]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an empty non-terminal, which so is not covered",
        |attempt| {
            attempt.ask_in_vain("sub.example.com.", TXT);
            attempt.borrow_denials(&[("sua.example.com.", TXT), ("suc.example.com.", TXT)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "ten records that cover the next closer name, each looked at once",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            nsec3(attempt, &[encloser, wildcard]);
            let hash = example().hash(NAME);
            let mut before = hash;
            for _ in 0..10 {
                before = moved(before, false);
                nsec3(
                    attempt,
                    &[example().record(before, &moved(hash, true), &[])],
                );
            }
        },
        "nxdomain",
    ),
    // Chains of hashes (RFC 5155 §8.2)
    (
        "the parts of two salts",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let [_, next_closer, _] = nsec3_parts(&example().salt(b"other"));
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the parts of two numbers of iterations",
        |attempt| {
            let [encloser, next_closer, _] = nsec3_parts(&example());
            let [_, _, wildcard] = nsec3_parts(&example().iterations(3));
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "two whole chains of two salts",
        |attempt| {
            nsec3(attempt, &nsec3_parts(&example()));
            nsec3(attempt, &nsec3_parts(&example().salt(b"")));
        },
        "nxdomain",
    ),
    (
        "two chains of two salts, one of them whole",
        |attempt| {
            nsec3(attempt, &nsec3_parts(&example())[..2]);
            nsec3(attempt, &nsec3_parts(&example().salt(b"")));
        },
        "nxdomain",
    ),
    (
        "a salt of 255 bytes",
        |attempt| nsec3(attempt, &nsec3_parts(&example().salt(&[7; 255]))),
        "nxdomain",
    ),
    (
        "no salt and no iterations",
        |attempt| nsec3(attempt, &nsec3_parts(&example().salt(b"").iterations(0))),
        "nxdomain",
    ),
    (
        "a hundred iterations",
        |attempt| nsec3(attempt, &nsec3_parts(&example().iterations(100))),
        "nxdomain",
    ),
    (
        "a hundred and one",
        |attempt| nsec3(attempt, &nsec3_parts(&example().iterations(101))),
        "insecure: iterations",
    ),
    (
        "all iterations that there can be",
        |attempt| nsec3(attempt, &nsec3_parts(&example().iterations(u16::MAX))),
        "insecure: iterations",
    ),
    (
        "a hundred iterations for a name of many labels, all expired",
        |attempt| {
            attempt.ask_in_vain("a.b.c.d.e.f.g.h.i.j.example.com.", TXT);
            let nsec3 = example().iterations(100);
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let records = [
                nsec3.at("example.com.", &[SOA, NS]),
                nsec3.over("j.example.com."),
                nsec3.over("*.example.com."),
            ];
            attempt.deny_signed(&signing.expired(), &records);
        },
        "dnssec.rrsig_expired",
    ),
    (
        "a hundred and one, the first of the records stale",
        |attempt| {
            let [first, second, _] = nsec3_parts(&example().iterations(101));
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.deny_signed(&signing.expired(), &[first]);
            nsec3(attempt, &[second]);
        },
        "insecure: iterations",
    ),
    (
        "a hundred and one, the question itself unanswered",
        |attempt| {
            nsec3(attempt, &nsec3_parts(&example().iterations(101)));
            let mut failed = attempt.answer().clone();
            attempt.answer().questions[0].name = "other.".into();
            failed.authorities.clear();
            failed.rcode = SERVFAIL;
            attempt.responses.0.insert(0, failed);
        },
        "insecure: iterations",
    ),
    (
        "a hundred and one, signed by the zone above",
        |attempt| attempt.deny("com.", &nsec3_parts(&example().iterations(101))),
        "dnssec.unproven_denial",
    ),
    (
        "a hundred and one in a zone with an anchor of its own",
        |attempt| {
            attempt.anchors += &attempt.world.anchors_of("example.com.");
            nsec3(attempt, &nsec3_parts(&example().iterations(101)));
        },
        "insecure: iterations",
    ),
    (
        "a hundred and one, and a good chain beside",
        |attempt| {
            nsec3(attempt, &nsec3_parts(&example().iterations(101)));
            nsec3(attempt, &nsec3_parts(&example()));
        },
        "nxdomain",
    ),
    (
        "a hundred and one in a zone that does not have the name",
        |attempt| {
            attempt.build(content(zones(attempt.style)).with_zone(attempt.style.zone("x.com.")));
            attempt.clear();
            attempt.show_zone("x.com.");
            attempt.deny(
                "x.com.",
                &[Nsec3Maker::of("x.com.").iterations(101).over(NAME)],
            );
        },
        "dnssec.unproven_denial",
    ),
    (
        "a hundred and one at the child, asked for its DS",
        |attempt| {
            attempt.ask_in_vain("example.com.", DS);
            attempt.show_zone("example.com.");
            nsec3(attempt, &[example().iterations(101).over("example.com.")]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a hundred and one that nobody signed",
        |attempt| {
            nsec3(attempt, &nsec3_parts(&example().iterations(101)));
            corrupt(attempt.answer());
        },
        "dnssec.bad_signature",
    ),
    (
        "an unknown hash algorithm",
        |attempt| nsec3(attempt, &nsec3_parts(&example().algorithm(2))),
        "insecure: hash",
    ),
    (
        "an unknown hash algorithm with hashes of another length",
        |attempt| {
            let record = Record::new(
                "abcd.example.com.",
                kliento_fixtures::NSEC3,
                &b"\x06\x00\x00\x00\x00\x04abcd"[..],
            );
            nsec3(attempt, &[record]);
        },
        "insecure: hash",
    ),
    (
        "an unknown hash algorithm, and a good chain beside",
        |attempt| {
            nsec3(attempt, &nsec3_parts(&example().algorithm(2)));
            nsec3(attempt, &nsec3_parts(&example()));
        },
        "nxdomain",
    ),
    (
        "a flag of unknown meaning",
        |attempt| nsec3(attempt, &nsec3_parts(&example().flags(2))),
        "dnssec.unproven_denial",
    ),
    (
        "a flag of unknown meaning beside the one that opts out",
        |attempt| nsec3(attempt, &nsec3_parts(&example().flags(0x81))),
        "dnssec.unproven_denial",
    ),
    (
        "a flag of unknown meaning and a hundred and one iterations",
        |attempt| nsec3(attempt, &nsec3_parts(&example().flags(4).iterations(101))),
        "dnssec.unproven_denial",
    ),
    (
        "hashes in upper case",
        |attempt| {
            let mut records = nsec3_parts(&example());
            for record in &mut records {
                let hash = record.owner.labels()[0].to_ascii_uppercase();
                record.owner = kliento_fixtures::Name::from("example.com.").child(&hash);
            }
            nsec3(attempt, &records);
        },
        "nxdomain",
    ),
    (
        "an owner that is no hash",
        |attempt| {
            let [encloser, mut next_closer, wildcard] = nsec3_parts(&example());
            next_closer.owner = "f.example.com.".into();
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a next hash that is too short",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let hash = moved(example().hash(NAME), false);
            let short = example().record(hash, &[0xff; 19], &[]);
            nsec3(attempt, &[encloser, short, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC3 record that was expanded from a wildcard",
        |attempt| {
            let signing = attempt
                .world
                .signing("example.com.", KeyRole::Zsk)
                .labels(2);
            attempt.deny_signed(&signing, &[example().at(NAME, &[MX])]);
        },
        "dnssec.wildcard",
    ),
    // Order of hashes (RFC 5155 §8.3)
    (
        "the only NSEC3 record of the zone",
        |attempt| {
            let hash = example().hash("example.com.");
            nsec3(attempt, &[example().record(hash, &hash, &[SOA, NS])]);
        },
        "nxdomain",
    ),
    (
        "the only NSEC3 record of the zone does not deny its owner",
        |attempt| {
            attempt.ask_in_vain("example.com.", SOA);
            let hash = example().hash("example.com.");
            nsec3(attempt, &[example().record(hash, &hash, &[SOA, NS])]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the last NSEC3 record, before the name's hash",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let last = example().record(moved(example().hash(NAME), false), &[0; 20], &[]);
            nsec3(attempt, &[encloser, last, wildcard]);
        },
        "nxdomain",
    ),
    (
        "the last NSEC3 record, the name's hash before the first",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let next = moved(example().hash(NAME), true);
            nsec3(
                attempt,
                &[encloser, example().record([0xff; 20], &next, &[]), wildcard],
            );
        },
        "nxdomain",
    ),
    (
        "the last NSEC3 record, which covers neither the name's hash",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let hash = example().hash(NAME);
            let last = example().record(moved(hash, true), &moved(hash, false), &[]);
            nsec3(attempt, &[encloser, last, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "an NSEC3 record that ends at the name's hash",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let hash = example().hash(NAME);
            let before = example().record(moved(hash, false), &hash, &[]);
            nsec3(attempt, &[encloser, before, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a last NSEC3 record that ends at the name's hash",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let hash = example().hash(NAME);
            nsec3(
                attempt,
                &[encloser, example().record([0xff; 20], &hash, &[]), wildcard],
            );
        },
        "dnssec.unproven_denial",
    ),
    // Opt-out (RFC 5155 §6, §8.6, §9.2)
    (
        "a span that opts out over the next closer name",
        |attempt| {
            let [encloser, _, wildcard] = nsec3_parts(&example());
            let [_, next_closer, _] = nsec3_parts(&example().flags(OPT_OUT));
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "insecure: opt-out",
    ),
    (
        "a span that opts out over the next closer name, asked for a DS",
        |attempt| {
            attempt.ask_in_vain(NAME, DS);
            let [encloser, _, _] = nsec3_parts(&example());
            let [_, next_closer, _] = nsec3_parts(&example().flags(OPT_OUT));
            nsec3(attempt, &[encloser, next_closer]);
        },
        "insecure: opt-out",
    ),
    (
        "a span that opts out over the next closer name of a name far below",
        |attempt| {
            attempt.ask_in_vain("x.y.g.example.com.", TXT);
            let [encloser, _, _] = nsec3_parts(&example());
            let [_, next_closer, _] = nsec3_parts(&example().flags(OPT_OUT));
            nsec3(attempt, &[encloser, next_closer]);
        },
        "insecure: opt-out",
    ),
    (
        "a span that opts out, without the closest encloser",
        |attempt| {
            let [_, next_closer, wildcard] = nsec3_parts(&example().flags(OPT_OUT));
            nsec3(attempt, &[next_closer, wildcard]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a span that opts out, whose closest encloser is a signed delegation",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            let opting = example().flags(OPT_OUT);
            let records = [opting.at(NAME, &[NS, DS]), opting.over("x.g.example.com.")];
            nsec3(attempt, &records);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a span that opts out, whose closest encloser has a DNAME",
        |attempt| {
            attempt.ask_in_vain("x.g.example.com.", TXT);
            let opting = example().flags(OPT_OUT);
            let records = [opting.at(NAME, &[DNAME]), opting.over("x.g.example.com.")];
            nsec3(attempt, &records);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a span that opts out over the wildcard alone, which is no delegation",
        |attempt| {
            let [encloser, next_closer, _] = nsec3_parts(&example());
            let [_, _, wildcard] = nsec3_parts(&example().flags(OPT_OUT));
            nsec3(attempt, &[encloser, next_closer, wildcard]);
        },
        "nxdomain",
    ),
    (
        "a record that opts out and matches denies the type all the same",
        |attempt| nsec3(attempt, &[example().flags(OPT_OUT).at(NAME, &[MX])]),
        "nodata",
    ),
    (
        "a record that opts out and matches an unsigned delegation denies its DS",
        |attempt| {
            attempt.ask_in_vain(NAME, DS);
            nsec3(attempt, &[example().flags(OPT_OUT).at(NAME, &[NS])]);
        },
        "nodata",
    ),
    (
        "one chain opts out, another does not",
        |attempt| {
            nsec3(attempt, &nsec3_parts(&example().flags(OPT_OUT)));
            nsec3(attempt, &nsec3_parts(&example().salt(b"other")));
        },
        "nxdomain",
    ),
    (
        "an opt-out span that nobody signed, under a bad answer",
        |attempt| {
            attempt.ask("m.example.com.", TXT);
            corrupt_answer(attempt);
            let opting = example().flags(OPT_OUT);
            let records = [
                opting.at("example.com.", &[SOA, NS]),
                opting.over("m.example.com."),
            ];
            nsec3(attempt, &records);
            corrupt(attempt.answer());
        },
        "dnssec.bad_signature",
    ),
];

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
                odd.attempt.period = period(NOON + asked.0, NOON + asked.1);
                let messages = odd.attempt.responses.to_messages();
                let found = odd.attempt.look_up(&messages, odd.attempt.period);
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
