//! Answers that a wildcard made: which are proven, and which are not since the name, or one closer to it than the
//! wildcard, exists or is not shown not to (RFC 4592, RFC 4035 §5.3.4, RFC 5155 §8.8).

use kliento_fixtures::{
    A, CNAME, DNAME, DNSKEY, DS, KeyRole, MX, NS, NSEC, NSEC3, OPT_OUT, Question, RRSIG, Record,
    Response, SRV, TXT, World,
};

use crate::support::attempt::{
    Attempt, Case, Nsec3Maker, STYLES, Style, What, check, denying_records, zones,
};
use crate::support::{DAY, HOUR, NOON, at};

const WILDCARD: &str = "*.example.com.";
const NAME: &str = "name.example.com.";
const TEXT: &str = "from the wildcard";

/// `*.example.com.` alone, and a name that it makes.
fn start(style: Style) -> Attempt {
    let world = zones(style).txt(WILDCARD, TEXT).build();
    Attempt::in_world(style, world, NAME, TXT)
}

/// Answers with a record of the name that is asked for as if `*.example.com.` had made it, and denies that name.
fn expanded(attempt: &mut Attempt, record: Record) {
    let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
    let rrsig = signing.labels(2).rrsig(std::slice::from_ref(&record));
    attempt.answer().answers = vec![record, rrsig];
    attempt.borrow_denials(&[(NAME, TXT)]);
}

/// What both NSEC and NSEC3 have to get right.
const CASES: &[Case] = &[
    ("one label below the wildcard's parent", |_| {}, "proven"),
    (
        "three labels below",
        |attempt| attempt.ask("x.y.name.example.com.", TXT),
        "proven",
    ),
    (
        "as many labels below as a name can have",
        |attempt| attempt.ask(&format!("{}example.com.", "a.".repeat(120)), TXT),
        "proven",
    ),
    (
        "a wildcard several labels below the zone",
        |attempt| {
            attempt.publish(|world| world.txt("*.b.a.example.com.", TEXT));
            attempt.ask("x.y.b.a.example.com.", TXT);
        },
        "proven",
    ),
    (
        "the closer of two wildcards",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, "far").txt("*.near.example.com.", TEXT));
            attempt.ask("x.near.example.com.", TXT);
        },
        "proven",
    ),
    (
        "a name that sorts before all others",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).txt("b.example.com.", "b"));
            attempt.ask("\\000.example.com.", TXT);
        },
        "proven",
    ),
    (
        "a name that sorts behind all others",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).txt("b.example.com.", "b"));
            attempt.ask("\\255.example.com.", TXT);
        },
        "proven",
    ),
    (
        "a wildcard at a TLD",
        |attempt| {
            attempt.build(
                World::builder()
                    .at(NOON)
                    .with_zone(attempt.style.zone("."))
                    .txt("*.com.", TEXT),
            );
        },
        "proven",
    ),
    (
        "the root's wildcard",
        |attempt| {
            attempt.build(
                World::builder()
                    .at(NOON)
                    .with_zone(attempt.style.zone("."))
                    .txt("*.", TEXT),
            );
        },
        "proven",
    ),
    (
        "a label that is an asterisk, below the wildcard's own name",
        |attempt| attempt.ask("*.name.example.com.", TXT),
        "proven",
    ),
    (
        "the wildcard asked for literally",
        |attempt| {
            attempt.ask(WILDCARD, TXT);
            attempt.answer().authorities.clear();
        },
        "proven",
    ),
    (
        "an asterisk within a label makes no wildcard",
        |attempt| {
            attempt.publish(|world| world.txt("a*.example.com.", TEXT));
            attempt.ask_in_vain("ab.example.com.", TXT);
            attempt.expand("a*.example.com.");
        },
        "dnssec.bad_signature",
    ),
    (
        "the denial in a response to another question",
        |attempt| {
            let authorities = std::mem::take(&mut attempt.answer().authorities);
            let mut other = Response::new("other.", A);
            other.additionals = authorities;
            attempt.responses.0.insert(0, other);
        },
        "proven",
    ),
    (
        "the denial in the answer section",
        |attempt| {
            let authorities = std::mem::take(&mut attempt.answer().authorities);
            attempt.answer().answers.extend(authorities);
        },
        "proven",
    ),
    (
        "a denial of another world's key in front of the good one",
        |attempt| {
            let other = start(attempt.style).answer().authorities.clone();
            attempt.answer().authorities.splice(..0, other);
        },
        "proven",
    ),
    (
        "an RRSIG over the name itself beside that of the wildcard, good both",
        |attempt| {
            attempt.answer().authorities.clear();
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.answer().add_signature(&signing);
        },
        "proven",
    ),
    (
        "CNAME at the wildcard",
        |attempt| {
            attempt.publish(|world| {
                world
                    .record(Record::of_name(WILDCARD, CNAME, "b.example.com."))
                    .txt("b.example.com.", TEXT)
            });
        },
        "proven",
    ),
    // What is not shown
    (
        "no denial",
        |attempt| attempt.answer().authorities.clear(),
        "dnssec.unproven_wildcard",
    ),
    (
        "the denial is not signed",
        |attempt| {
            let authorities = &mut attempt.answer().authorities;
            authorities.retain(|record| record.record_type != RRSIG);
        },
        "dnssec.no_rrsig",
    ),
    (
        "the denial's signature is wrong",
        |attempt| {
            for record in &mut attempt.answer().authorities {
                if record.record_type == RRSIG {
                    *record.rdata.last_mut().expect("it has a signature") ^= 1;
                }
            }
        },
        "dnssec.bad_signature",
    ),
    (
        "the denial has expired",
        |attempt| {
            let records = denying_records(attempt.answer());
            attempt.answer().authorities.clear();
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.deny_signed(&signing.expired(), &records);
        },
        "dnssec.rrsig_expired",
    ),
    (
        "answer and denial are never valid together",
        |attempt| {
            let records = denying_records(attempt.answer());
            attempt.answer().authorities.clear();
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let denial = signing.clone().window(NOON - HOUR, NOON - 1);
            attempt.deny_signed(&denial, &records);
            let signing = signing.labels(2).window(NOON, NOON + HOUR);
            let mut answers = attempt.answer().answers.clone();
            answers.retain(|record| record.record_type != RRSIG);
            answers.push(signing.rrsig(&answers));
            attempt.answer().answers = answers;
            attempt.period = crate::support::period(NOON - DAY, NOON + DAY);
        },
        "dnssec.not_valid_together",
    ),
    (
        "the denial of another name",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).txt("n.example.com.", "n"));
            attempt.ask("name.n.example.com.", TXT);
            attempt.clear();
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[("m.example.com.", TXT), ("o.example.com.", TXT)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "the denial of another zone",
        |attempt| {
            let records = denying_records(attempt.answer());
            attempt.answer().authorities.clear();
            attempt.deny("com.", &records);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "the denial of a sibling zone",
        |attempt| {
            attempt.build(
                zones(attempt.style)
                    .with_zone(attempt.style.zone("example.net."))
                    .txt(WILDCARD, TEXT)
                    .txt("*.example.net.", TEXT),
            );
            let denial = attempt.world.answer("name.example.net.", TXT);
            attempt.answer().authorities = denial.authorities;
            attempt.show_zone("example.net.");
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "the denial of a zone below",
        |attempt| {
            attempt.build(
                zones(attempt.style)
                    .with_zone(attempt.style.zone("sub.example.com."))
                    .txt(WILDCARD, TEXT),
            );
            attempt.ask_in_vain("x.sub.example.com.", TXT);
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[("x.sub.example.com.", TXT), ("y.example.com.", TXT)]);
        },
        "dnssec.unproven_wildcard",
    ),
    // What exists
    (
        "the name exists, with another type",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).record(Record::mx(NAME, 1, NAME)));
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[("nama.example.com.", TXT), ("namf.example.com.", TXT)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "the name exists as an empty non-terminal",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).txt("x.name.example.com.", "x"));
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[(NAME, TXT), ("nama.example.com.", TXT)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a closer encloser exists",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).txt(NAME, "closer"));
            attempt.ask("x.name.example.com.", TXT);
            attempt.expand(WILDCARD);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a closer encloser exists as an empty non-terminal",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).txt("y.name.example.com.", "y"));
            attempt.ask("x.name.example.com.", TXT);
            attempt.expand(WILDCARD);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a closer wildcard exists",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).txt("*.name.example.com.", "near"));
            attempt.ask("x.name.example.com.", TXT);
            attempt.expand(WILDCARD);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a closer wildcard exists, without that type",
        |attempt| {
            attempt.publish(|world| {
                world.txt(WILDCARD, TEXT).record(Record::new(
                    "*.name.example.com.",
                    A,
                    [127, 0, 0, 1],
                ))
            });
            attempt.ask("x.name.example.com.", TXT);
            attempt.expand(WILDCARD);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a name below the wildcard's own name, which so exists",
        |attempt| {
            attempt.ask_in_vain("x.*.example.com.", TXT);
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[("x.*.example.com.", TXT)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "the name is delegated",
        |attempt| {
            attempt.publish(|world| {
                world
                    .txt(WILDCARD, TEXT)
                    .record(Record::of_name("x.example.com.", NS, "ns."))
            });
            attempt.ask_in_vain("y.x.example.com.", TXT);
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[("y.x.example.com.", TXT)]);
        },
        "insecure: no DS",
    ),
    (
        "a DNAME above the name",
        |attempt| {
            attempt.publish(|world| {
                world.txt(WILDCARD, TEXT).record(Record::of_name(
                    "x.example.com.",
                    DNAME,
                    "elsewhere.",
                ))
            });
            attempt.ask_in_vain("y.x.example.com.", TXT);
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[("x.example.com.", TXT), ("w.example.com.", TXT)]);
        },
        "dnssec.unproven_wildcard",
    ),
    // What is signed
    (
        "the wildcard's records in a zone below that of the wildcard",
        |attempt| {
            let below = attempt.style.zone("name.example.com.");
            attempt.build(zones(attempt.style).with_zone(below).txt(WILDCARD, TEXT));
            attempt.ask_in_vain("x.name.example.com.", TXT);
            attempt.expand(WILDCARD);
            attempt.borrow_denials(&[("x.name.example.com.", TXT), ("x.example.com.", TXT)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a wildcard above the signer's zone",
        |attempt| {
            let signing = attempt
                .world
                .signing("example.com.", KeyRole::Zsk)
                .labels(1);
            let mut answers = attempt.answer().answers.clone();
            answers.retain(|record| record.record_type != RRSIG);
            answers.push(signing.rrsig(&answers));
            attempt.answer().answers = answers;
        },
        "dnssec.too_few_labels",
    ),
    (
        "fewer labels than were signed",
        |attempt| {
            attempt.publish(|world| world.txt("*.a.example.com.", TEXT));
            attempt.ask("x.a.example.com.", TXT);
            for record in &mut attempt.answer().answers {
                if record.record_type == RRSIG {
                    record.rdata[3] = 2;
                }
            }
            attempt.borrow_denials(&[("b.example.com.", TXT)]);
        },
        "dnssec.bad_signature",
    ),
    (
        "a DS that a wildcard made",
        |attempt| {
            attempt.ask_in_vain(NAME, DS);
            let key = attempt.world.zone("example.com.").key(KeyRole::Ksk).clone();
            let ds = Record::new(NAME, DS, key.ds_rdata(&NAME.into(), 2));
            let signing = attempt
                .world
                .signing("example.com.", KeyRole::Zsk)
                .labels(2);
            attempt.answer().answers = vec![ds.clone(), signing.rrsig(&[ds])];
            attempt.borrow_denials(&[(NAME, TXT)]);
        },
        "dnssec.wildcard",
    ),
    (
        "an NSEC that a wildcard made, asked for",
        |attempt| {
            attempt.ask_in_vain(NAME, NSEC);
            let nsec = Record::nsec(NAME, "z.example.com.", &[TXT, NSEC]);
            expanded(attempt, nsec);
        },
        "dnssec.wildcard",
    ),
    (
        "an NSEC3 that a wildcard made, asked for",
        |attempt| {
            attempt.ask_in_vain(NAME, NSEC3);
            let mut nsec3 = Nsec3Maker::of("example.com.").over(NAME);
            nsec3.owner = NAME.into();
            expanded(attempt, nsec3);
        },
        "dnssec.wildcard",
    ),
    (
        "keys that a wildcard above the zone made, asked for",
        |attempt| {
            attempt.ask("example.com.", DNSKEY);
            let signing = attempt.world.signing("example.com.", KeyRole::Ksk);
            attempt.answer().sign(&signing.labels(1));
        },
        "dnssec.wildcard",
    ),
    (
        "a DNAME that a wildcard made",
        |attempt| {
            attempt.ask_in_vain("x.name.example.com.", TXT);
            let dname = Record::of_name(NAME, DNAME, "example.com.");
            let signing = attempt
                .world
                .signing("example.com.", KeyRole::Zsk)
                .labels(2);
            attempt.answer().answers = vec![dname.clone(), signing.rrsig(&[dname])];
            attempt.borrow_denials(&[(NAME, TXT)]);
        },
        "dnssec.wildcard",
    ),
    // What is not there
    (
        "the wildcard lacks the type",
        |attempt| attempt.ask(NAME, MX),
        "nodata",
    ),
    (
        "the wildcard lacks the type, and has a CNAME",
        |attempt| {
            attempt.publish(|world| world.record(Record::of_name(WILDCARD, CNAME, "b.")));
            attempt.ask_in_vain(NAME, TXT);
            attempt.borrow_denials(&[(NAME, TXT)]);
            let style = attempt.style;
            let at_wildcard = attempt.world.answer(WILDCARD, CNAME);
            assert!(denying_records(&at_wildcard).is_empty(), "{style:?}");
            attempt.borrow_denials(&[(WILDCARD, DS), (NAME, DS)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the wildcard exists by a name below it alone",
        |attempt| {
            attempt.publish(|world| world.txt("x.*.example.com.", TEXT));
            attempt.ask(NAME, TXT);
        },
        "nodata",
    ),
    (
        "only the name below a wildcard is asked for",
        |attempt| {
            attempt.publish(|world| world.txt("x.*.example.com.", TEXT));
            attempt.ask("x.*.example.com.", TXT);
        },
        "proven",
    ),
    (
        "another wildcard lacks the type",
        |attempt| {
            attempt.publish(|world| {
                world.txt(WILDCARD, TEXT).record(Record::new(
                    "*.near.example.com.",
                    A,
                    [127, 0, 0, 1],
                ))
            });
            attempt.ask_in_vain(NAME, TXT);
            attempt.borrow_denials(&[(NAME, TXT), ("x.near.example.com.", TXT)]);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a type that the name has and the wildcard lacks",
        |attempt| {
            attempt.publish(|world| world.txt(WILDCARD, TEXT).record(Record::mx(NAME, 1, NAME)));
            attempt.ask_in_vain(NAME, MX);
            attempt.borrow_denials(&[("namd.example.com.", MX), ("namf.example.com.", MX)]);
        },
        "dnssec.unproven_denial",
    ),
];

#[test]
fn a_wildcard_answers_for_names_that_are_proven_not_to_exist() {
    check(&STYLES, start, CASES);
}

/// What hashed names alone get wrong, or right.
const NSEC3_CASES: &[Case] = &[
    (
        "the next closer name covered, and hardly more",
        |attempt| {
            attempt.ask("x.y.name.example.com.", TXT);
            attempt.answer().authorities.clear();
            attempt.deny("example.com.", &[Nsec3Maker::of("example.com.").over(NAME)]);
        },
        "proven",
    ),
    (
        "the name covered, and not the next closer name",
        |attempt| {
            let name = "x.y.name.example.com.";
            attempt.ask(name, TXT);
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.");
            let between = nsec3.over("y.name.example.com.");
            attempt.deny("example.com.", &[nsec3.over(name), between]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "the next closer name covered in another chain of hashes",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.").salt(b"other");
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
        },
        "proven",
    ),
    (
        "the next closer name covered by what other parameters make of it",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.");
            let mut record = nsec3.clone().iterations(3).over(NAME);
            // The hash is that of three iterations; the record says two.
            record.rdata[3] = 2;
            attempt.deny("example.com.", &[record]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "hashed names of a zone above, signed by it",
        |attempt| {
            attempt.answer().authorities.clear();
            attempt.deny("com.", &[Nsec3Maker::of("com.").over(NAME)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "hashed names of this zone, signed by the one above",
        |attempt| {
            attempt.answer().authorities.clear();
            attempt.deny("com.", &[Nsec3Maker::of("example.com.").over(NAME)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "hashed names below a name of this zone that is no zone",
        |attempt| {
            attempt.answer().authorities.clear();
            attempt.deny(
                "example.com.",
                &[Nsec3Maker::of("a.example.com.").over(NAME)],
            );
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC3 record at the next closer name",
        |attempt| {
            attempt.answer().authorities.clear();
            attempt.deny(
                "example.com.",
                &[Nsec3Maker::of("example.com.").at(NAME, &[A])],
            );
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a span that opts out",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.").flags(OPT_OUT);
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
        },
        "insecure: opt-out",
    ),
    (
        "a zone that opts out",
        |attempt| {
            let zone = attempt.style.zone("sub.example.com.").opt_out();
            attempt.build(
                zones(attempt.style)
                    .with_zone(zone)
                    .txt("*.sub.example.com.", TEXT),
            );
            attempt.ask("x.sub.example.com.", TXT);
        },
        "insecure: opt-out",
    ),
    (
        "a zone that opts out, and the wildcard lacks the type",
        |attempt| {
            let zone = attempt.style.zone("sub.example.com.").opt_out();
            attempt.build(
                zones(attempt.style)
                    .with_zone(zone)
                    .txt("*.sub.example.com.", TEXT),
            );
            attempt.ask("x.sub.example.com.", MX);
        },
        "insecure: opt-out",
    ),
    (
        "a span that opts out, and one that does not over the same name",
        |attempt| {
            let nsec3 = Nsec3Maker::of("example.com.").flags(OPT_OUT);
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
        },
        "proven",
    ),
    (
        "a flag of unknown meaning",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.").flags(2);
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a hundred iterations",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.").iterations(100);
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
        },
        "proven",
    ),
    (
        "a hundred and one",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.").iterations(101);
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
        },
        "insecure: iterations",
    ),
    (
        "more iterations than an attacker can have signed",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.").iterations(101);
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
            attempt
                .answer()
                .authorities
                .retain(|record| record.record_type != RRSIG);
        },
        "dnssec.no_rrsig",
    ),
    (
        "an unknown hash algorithm",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.").algorithm(2);
            attempt.deny("example.com.", &[nsec3.over(NAME)]);
        },
        "insecure: hash",
    ),
    (
        "the only NSEC3 record of a zone",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.");
            let hash = nsec3.hash("example.com.");
            attempt.deny("example.com.", &[nsec3.record(hash, &hash, &[TXT])]);
        },
        "proven",
    ),
    (
        "the only NSEC3 record of a zone is at the name itself",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec3 = Nsec3Maker::of("example.com.");
            let hash = nsec3.hash(NAME);
            attempt.deny("example.com.", &[nsec3.record(hash, &hash, &[A])]);
        },
        "dnssec.unproven_wildcard",
    ),
];

#[test]
fn the_next_closer_name_is_covered() {
    check(&[Style::Nsec3], start, NSEC3_CASES);
}

/// What the canonical order of names gets wrong, or right.
const NSEC_CASES: &[Case] = &[
    (
        "an NSEC that covers the name, and hardly more",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("namd\\255.example.com.", "name\\000.example.com.", &[NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "proven",
    ),
    (
        "the last NSEC of the zone",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("a.example.com.", "example.com.", &[NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "proven",
    ),
    (
        "an NSEC that ends at the name",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("a.example.com.", NAME, &[NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC that starts at the name",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec = Record::nsec(NAME, "z.example.com.", &[NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC whose end shows a closer encloser",
        |attempt| {
            attempt.ask("b.name.example.com.", TXT);
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("a.example.com.", "c.name.example.com.", &[NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC whose start shows a closer encloser",
        |attempt| {
            attempt.ask("b.name.example.com.", TXT);
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("a.name.example.com.", "z.example.com.", &[NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC that was expanded from the wildcard itself",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("a.example.com.", "z.example.com.", &[TXT, RRSIG, NSEC]);
            let signing = attempt
                .world
                .signing("example.com.", KeyRole::Zsk)
                .labels(2);
            attempt.deny_signed(&signing, &[nsec]);
        },
        "dnssec.wildcard",
    ),
    (
        "an NSEC of the zone above over the name",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("a.example.com.", "z.example.com.", &[NSEC]);
            attempt.deny("com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC that leads out of the zone",
        |attempt| {
            attempt.answer().authorities.clear();
            let nsec = Record::nsec("a.example.com.", "com.", &[NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC at a delegation above the name",
        |attempt| {
            attempt.ask("x.name.example.com.", TXT);
            attempt.answer().authorities.clear();
            let nsec = Record::nsec(NAME, "z.example.com.", &[NS, DS, RRSIG, NSEC]);
            attempt.deny("example.com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an NSEC whose type bit map is out of order",
        |attempt| {
            attempt.answer().authorities.clear();
            let mut nsec = Record::nsec("a.example.com.", "z.example.com.", &[]);
            nsec.rdata.extend(b"\x01\x01\x40\x00\x01\x40");
            attempt.deny("example.com.", &[nsec]);
        },
        "dnssec.unproven_wildcard",
    ),
];

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
        attempt.period = crate::support::period(NOON - 30, NOON + 50);
        let found = attempt.find();
        assert_eq!(found.canonical_name, NAME);
        assert_eq!(
            found.what,
            What::Records(vec![Record::txt(NAME, TEXT).rdata])
        );
        let windows = [(-50, -10), (-5, 20), (40, 60)];
        let windows = windows.map(|(from, until)| (NOON + from, NOON + until));
        assert_eq!(found.validity, windows, "{style:?}");
        attempt.period = at(NOON + 30);
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
