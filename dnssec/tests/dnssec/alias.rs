//! Answers behind aliases: CNAME (RFC 1034 §3.6.2) and DNAME (RFC 6672), whose every link is proven; where they end in
//! nothing, in an unsigned zone, in a circle, or never.

use dnssec::{Chain, Denial, Fact, RecordType};
use kliento_fixtures::{
    A, Algorithm, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, MX, NSEC, Name, RRSIG, Record, Response,
    SERVFAIL, Signing, TXT, World, WorldBuilder, YXDOMAIN, ZONE_KEY, ZoneKey, ZoneSpec,
};

use crate::support::attempt::{Attempt, Case, STYLES, Style, What, check, complaint, zones};
use crate::support::{DAY, HOUR, NOON, at, period};

const NAME: &str = "alias.example.com.";
const TARGET: &str = "target.example.net.";
const TEXT: &str = "at the target";

fn alias(owner: &str, target: &str) -> Record {
    Record::of_name(owner, CNAME, target)
}

fn dname(owner: &str, target: &str) -> Record {
    Record::of_name(owner, DNAME, target)
}

/// Two organisations, and one that is not signed.
fn organisations(style: Style) -> WorldBuilder {
    zones(style)
        .with_zone(style.zone("net."))
        .with_zone(style.zone("example.net."))
        .with_zone(ZoneSpec::new("unsigned.net.", Algorithm::Ed25519).unsigned())
        .txt(TARGET, TEXT)
        .txt("unsigned.net.", TEXT)
}

/// [`NAME`] is an alias of [`TARGET`].
fn start(style: Style) -> Attempt {
    let world = organisations(style).record(alias(NAME, TARGET)).build();
    Attempt::in_world(style, world, NAME, TXT)
}

/// Puts these records in place of the alias; each alias comes with its target, or in a response of its own.
fn publish(attempt: &mut Attempt, records: &[Record], name: &str) {
    let mut world = organisations(attempt.style);
    for record in records {
        world = world.record(record.clone());
    }
    name.clone_into(&mut attempt.name);
    attempt.build(world);
}

fn targets_apart(attempt: &mut Attempt) {
    let world = attempt.world.with_targets_apart();
    attempt.world = world;
    let (name, record_type) = (attempt.name.clone(), attempt.record_type);
    attempt.ask(&name, record_type);
}

/// So many aliases in a row, from `0.example.com.` on.
fn row(length: usize) -> Vec<Record> {
    let name = |number: usize| format!("{number}.example.com.");
    let mut row: Vec<Record> = (1..length)
        .map(|number| alias(&name(number - 1), &name(number)))
        .collect();
    row.push(alias(&name(length - 1), TARGET));
    row
}

/// Signs an RRset of the answer anew, and leaves the others as they are.
fn resign(attempt: &mut Attempt, record_type: u16, change: fn(Signing) -> Signing) {
    let answers = std::mem::take(&mut attempt.answer().answers);
    let (own, mut others): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|record| record.type_covered().unwrap_or(record.record_type) == record_type);
    let data: Vec<Record> = own
        .into_iter()
        .filter(|record| record.record_type != RRSIG)
        .collect();
    let signing = change(
        attempt
            .world
            .signing_for(data[0].owner.clone(), record_type),
    );
    others.push(signing.rrsig(&data));
    others.extend(data);
    attempt.answer().answers = others;
}

const CASES: &[Case] = &[
    ("across zones, in one response", |_| {}, "proven"),
    ("across zones, in two responses", targets_apart, "proven"),
    (
        "within a zone",
        |attempt| {
            let records = [
                alias(NAME, "b.example.com."),
                Record::txt("b.example.com.", TEXT),
            ];
            publish(attempt, &records, NAME);
        },
        "proven",
    ),
    (
        "the target's records in both responses",
        |attempt| {
            let target = attempt.world.answer(TARGET, TXT);
            attempt.responses.0.push(target);
        },
        "proven",
    ),
    (
        "other records of the target in the response to the question for it",
        |attempt| {
            let other = attempt
                .world
                .with_txt(TARGET, "another")
                .answer(TARGET, TXT);
            attempt.responses.0.insert(0, other);
        },
        "dnssec.ambiguous_answer",
    ),
    (
        "another alias in the response to the question for it",
        |attempt| {
            let mut own = Response::new(NAME, CNAME);
            let other = alias(NAME, "other.example.net.");
            let signing = attempt.world.signing_for(NAME, CNAME);
            own.answers = vec![other.clone(), signing.rrsig(&[other])];
            attempt.responses.0.insert(0, own);
        },
        "proven",
    ),
    (
        "the alias in the response to a question for it",
        |attempt| {
            let question = attempt.world.answer(NAME, CNAME);
            *attempt.answer() = attempt.world.answer(TARGET, TXT);
            attempt.responses.0.insert(0, question);
        },
        "proven",
    ),
    (
        "the alias in the response to a question for another type",
        |attempt| {
            attempt.answer().questions[0].record_type = MX;
            let target = attempt.world.answer(TARGET, TXT);
            attempt.responses.0.push(target);
        },
        "dnssec.missing_response",
    ),
    (
        "the alias in the authority section",
        |attempt| {
            let answer = attempt.answer();
            answer.authorities = std::mem::take(&mut answer.answers);
        },
        "dnssec.unproven_denial",
    ),
    (
        "the target's records in a response to another question",
        |attempt| {
            targets_apart(attempt);
            attempt.responses.of(TARGET, TXT).questions[0].name = "other.".into();
        },
        "dnssec.missing_response",
    ),
    (
        "the target's response says SERVFAIL",
        |attempt| {
            targets_apart(attempt);
            attempt.responses.of(TARGET, TXT).rcode = SERVFAIL;
        },
        "dnssec.response_code",
    ),
    (
        "the target in another case",
        |attempt| publish(attempt, &[alias(NAME, "TARGET.Example.NET.")], NAME),
        "proven",
    ),
    (
        "the alias itself asked for",
        |attempt| attempt.ask(NAME, CNAME),
        "proven",
    ),
    (
        "a type that the target lacks",
        |attempt| attempt.ask(NAME, MX),
        "nodata",
    ),
    (
        "a type that the target lacks, in two responses",
        |attempt| {
            targets_apart(attempt);
            attempt.ask(NAME, MX);
        },
        "nodata",
    ),
    (
        "a target that does not exist",
        |attempt| publish(attempt, &[alias(NAME, "gone.example.net.")], NAME),
        "nxdomain",
    ),
    (
        "a target in a TLD that does not exist",
        |attempt| publish(attempt, &[alias(NAME, "gone.org.")], NAME),
        "nxdomain",
    ),
    (
        "a target that is not shown not to exist",
        |attempt| {
            publish(attempt, &[alias(NAME, "gone.example.net.")], NAME);
            attempt.answer().authorities.clear();
        },
        "dnssec.missing_response",
    ),
    (
        "the alias is shown not to exist, and not the target",
        |attempt| {
            publish(attempt, &[alias(NAME, "gone.example.net.")], NAME);
            attempt.answer().authorities.clear();
            attempt.borrow_denials(&[("a.example.com.", TXT), ("z.example.com.", TXT)]);
        },
        "dnssec.missing_response",
    ),
    (
        "a name with an alias and with records of the type, which win",
        |attempt| {
            let records = [alias(NAME, "gone.example.net."), Record::txt(NAME, TEXT)];
            publish(attempt, &records, NAME);
            let cname = attempt.world.answer(NAME, CNAME).answers;
            attempt.answer().answers.splice(..0, cname);
        },
        "proven",
    ),
    (
        "a DS behind an alias",
        |attempt| {
            publish(attempt, &[alias(NAME, "example.net.")], NAME);
            attempt.ask(NAME, DS);
        },
        "proven",
    ),
    (
        "keys behind an alias",
        |attempt| {
            publish(attempt, &[alias(NAME, "example.net.")], NAME);
            attempt.ask(NAME, DNSKEY);
        },
        "proven",
    ),
    // Signatures
    (
        "an alias without signature",
        |attempt| {
            let answers = &mut attempt.answer().answers;
            answers.retain(|record| record.type_covered() != Some(CNAME));
        },
        "dnssec.no_rrsig",
    ),
    (
        "a target without signature",
        |attempt| {
            let answers = &mut attempt.answer().answers;
            answers.retain(|record| record.type_covered() != Some(TXT));
        },
        "dnssec.no_rrsig",
    ),
    (
        "an alias with a wrong signature",
        |attempt| resign(attempt, CNAME, Signing::corrupt),
        "dnssec.bad_signature",
    ),
    (
        "a target with a wrong signature",
        |attempt| resign(attempt, TXT, Signing::corrupt),
        "dnssec.bad_signature",
    ),
    (
        "an alias that has expired",
        |attempt| resign(attempt, CNAME, Signing::expired),
        "dnssec.rrsig_expired",
    ),
    (
        "a target that is not valid yet",
        |attempt| resign(attempt, TXT, Signing::not_yet_valid),
        "dnssec.rrsig_not_yet_valid",
    ),
    (
        "an alias and a target that are never valid together",
        |attempt| {
            resign(attempt, CNAME, |signing| signing.window(NOON, NOON + HOUR));
            resign(attempt, TXT, |signing| {
                signing.window(NOON + HOUR + 1, NOON + DAY)
            });
            attempt.period = period(NOON, NOON + DAY);
        },
        "dnssec.not_valid_together",
    ),
    (
        "an alias that the target's zone signed",
        |attempt| {
            let signing = attempt.world.signing("example.net.", KeyRole::Zsk);
            let cname = alias(NAME, TARGET);
            let answers = &mut attempt.responses.answer().answers;
            answers.retain(|record| record.type_covered() != Some(CNAME));
            answers.push(signing.rrsig(&[cname]));
        },
        "dnssec.signer_off_tree",
    ),
    (
        "a target that the alias's zone signed",
        |attempt| {
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            let records = [Record::txt(TARGET, TEXT)];
            let answers = &mut attempt.responses.answer().answers;
            answers.retain(|record| record.type_covered() != Some(TXT));
            answers.push(signing.rrsig(&records));
        },
        "dnssec.signer_off_tree",
    ),
    (
        "two aliases of one name",
        |attempt| {
            let records = [alias(NAME, TARGET), alias(NAME, "other.example.net.")];
            publish(attempt, &records, NAME);
        },
        "dnssec.malformed_record",
    ),
    (
        "the same alias twice",
        |attempt| {
            let again = alias(NAME, TARGET);
            attempt.answer().answers.push(again);
        },
        "proven",
    ),
    (
        "an alias that is no name",
        |attempt| {
            let record = Record::new(NAME, CNAME, &b"\x06target"[..]);
            let signing = attempt.world.signing_for(NAME, CNAME);
            let rrsig = signing.rrsig(&[alias(NAME, TARGET)]);
            attempt.answer().compress = false;
            attempt.answer().answers = vec![record, rrsig];
        },
        "dnssec.malformed_record",
    ),
    // Where it ends
    (
        "eight aliases in a row",
        |attempt| publish(attempt, &row(8), "0.example.com."),
        "proven",
    ),
    (
        "eight aliases in a row, each in a response of its own",
        |attempt| {
            publish(attempt, &row(8), "0.example.com.");
            targets_apart(attempt);
        },
        "proven",
    ),
    (
        "nine aliases in a row",
        |attempt| publish(attempt, &row(9), "0.example.com."),
        "dnssec.too_many_aliases",
    ),
    (
        "nine aliases in a row, each in a response of its own",
        |attempt| {
            publish(attempt, &row(9), "0.example.com.");
            targets_apart(attempt);
        },
        "dnssec.too_many_aliases",
    ),
    (
        "an alias of itself",
        |attempt| publish(attempt, &[alias(NAME, NAME)], NAME),
        "dnssec.alias_loop",
    ),
    (
        "an alias of itself in another case",
        |attempt| publish(attempt, &[alias(NAME, "ALIAS.Example.com.")], NAME),
        "dnssec.alias_loop",
    ),
    (
        "two aliases of each other",
        |attempt| {
            let records = [alias(NAME, "b.example.net."), alias("b.example.net.", NAME)];
            publish(attempt, &records, NAME);
        },
        "dnssec.alias_loop",
    ),
    (
        "a circle of three",
        |attempt| {
            let records = [
                alias(NAME, "b.example.net."),
                alias("b.example.net.", "c.example.com."),
                alias("c.example.com.", NAME),
            ];
            publish(attempt, &records, NAME);
        },
        "dnssec.alias_loop",
    ),
    (
        "a circle that does not lead back to the beginning",
        |attempt| {
            let records = [
                alias(NAME, "b.example.net."),
                alias("b.example.net.", "c.example.com."),
                alias("c.example.com.", "b.example.net."),
            ];
            publish(attempt, &records, NAME);
        },
        "dnssec.alias_loop",
    ),
    (
        "a circle in responses of their own",
        |attempt| {
            let records = [alias(NAME, "b.example.net."), alias("b.example.net.", NAME)];
            publish(attempt, &records, NAME);
            targets_apart(attempt);
        },
        "dnssec.alias_loop",
    ),
    (
        "a circle that nobody signed",
        |attempt| {
            let records = [alias(NAME, "b.example.net."), alias("b.example.net.", NAME)];
            publish(attempt, &records, NAME);
            attempt.answer().drop_signatures();
        },
        "dnssec.no_rrsig",
    ),
    (
        "an unsigned zone",
        |attempt| publish(attempt, &[alias(NAME, "unsigned.net.")], NAME),
        "insecure: no DS",
    ),
    (
        "a name below an unsigned zone, in two responses",
        |attempt| {
            publish(attempt, &[alias(NAME, "gone.unsigned.net.")], NAME);
            targets_apart(attempt);
        },
        "insecure: no DS",
    ),
    (
        "from an unsigned zone into a signed one",
        |attempt| {
            publish(
                attempt,
                &[alias("x.unsigned.net.", TARGET)],
                "x.unsigned.net.",
            );
        },
        "insecure: no DS",
    ),
    (
        "a zone with nothing but SHA-1",
        |attempt| {
            let zone = ZoneSpec::new("sha1.net.", Algorithm::RsaSha1);
            let world = organisations(attempt.style).with_zone(zone);
            attempt.build(
                world
                    .txt("sha1.net.", TEXT)
                    .record(alias(NAME, "sha1.net.")),
            );
        },
        "insecure: algorithms",
    ),
    (
        "a zone beyond the anchors",
        |attempt| attempt.anchors = attempt.world.anchors_of("example.com."),
        "dnssec.no_trust_anchor",
    ),
    (
        "a zone with an anchor of its own",
        |attempt| {
            let world = &attempt.world;
            attempt.anchors = world.anchors_of("example.com.") + &world.anchors_of("example.net.");
        },
        "proven",
    ),
    (
        "a zone whose keys are not there",
        |attempt| _ = attempt.responses.remove("example.net.", DNSKEY),
        "dnssec.missing_response",
    ),
    // Wildcards
    (
        "an alias that a wildcard made",
        |attempt| publish(attempt, &[alias("*.example.com.", TARGET)], NAME),
        "proven",
    ),
    (
        "an alias that a wildcard made, of a name that a wildcard made",
        |attempt| {
            let records = [
                alias("*.example.com.", "x.y.w.example.net."),
                Record::txt("*.w.example.net.", TEXT),
            ];
            publish(attempt, &records, NAME);
        },
        "proven",
    ),
    (
        "an alias that a wildcard made, without the denial",
        |attempt| {
            publish(attempt, &[alias("*.example.com.", TARGET)], NAME);
            attempt.answer().authorities.clear();
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "an alias that a wildcard did not make",
        |attempt| {
            let records = [alias("*.example.com.", TARGET), Record::mx(NAME, 1, NAME)];
            publish(attempt, &records, "x.example.com.");
            let expanded = attempt.answer().clone();
            attempt.ask(NAME, TXT);
            attempt.answer().answers = expanded.answers;
            attempt.rename_answers("x.example.com.");
            attempt.answer().authorities.extend(expanded.authorities);
        },
        "dnssec.unproven_wildcard",
    ),
    (
        "a wildcard that makes aliases of each other",
        |attempt| {
            let records = [
                alias("*.example.com.", "*.example.net."),
                alias("*.example.net.", NAME),
            ];
            publish(attempt, &records, NAME);
        },
        "dnssec.alias_loop",
    ),
    // DNAME
    (
        "a DNAME across zones",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
        },
        "proven",
    ),
    (
        "a DNAME across zones, in two responses",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            targets_apart(attempt);
        },
        "proven",
    ),
    (
        "a DNAME without the CNAME that it makes",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            let answers = &mut attempt.answer().answers;
            answers.retain(|record| record.record_type != CNAME);
        },
        "proven",
    ),
    (
        "a DNAME with another CNAME than it makes, which nobody signed",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            for record in attempt.answer().of_type_mut(CNAME) {
                record.rdata = Name::from("evil.example.net.").wire().to_vec();
            }
        },
        "proven",
    ),
    (
        "a DNAME in the response to a question for it",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            let own = attempt.world.answer("d.example.com.", DNAME);
            attempt.clear();
            attempt.responses.0.insert(0, own);
            let target = attempt.world.answer(TARGET, TXT);
            attempt.responses.0.insert(0, target);
        },
        "proven",
    ),
    (
        "a DNAME at the zone's apex",
        |attempt| {
            publish(
                attempt,
                &[dname("example.com.", "example.net.")],
                "target.example.com.",
            );
        },
        "proven",
    ),
    (
        "a DNAME at a TLD",
        |attempt| {
            publish(
                attempt,
                &[dname("museum.", "net.")],
                "target.example.museum.",
            );
        },
        "proven",
    ),
    (
        "a DNAME of several labels above",
        |attempt| {
            let records = [
                dname("d.example.com.", "example.net."),
                Record::txt("a.b.c.example.net.", TEXT),
            ];
            publish(attempt, &records, "a.b.c.d.example.com.");
        },
        "proven",
    ),
    (
        "a DNAME of a DNAME",
        |attempt| {
            let records = [
                dname("d.example.com.", "e.example.com."),
                dname("e.example.com.", "example.net."),
            ];
            publish(attempt, &records, "target.d.example.com.");
        },
        "proven",
    ),
    (
        "a DNAME of an alias",
        |attempt| {
            let records = [
                dname("d.example.com.", "example.net."),
                alias("a.example.net.", TARGET),
            ];
            publish(attempt, &records, "a.d.example.com.");
        },
        "proven",
    ),
    (
        "a DNAME leads into nothing",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "gone.d.example.com.",
            );
        },
        "nxdomain",
    ),
    (
        "a DNAME leads into an unsigned zone",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "unsigned.net.")],
                "x.d.example.com.",
            );
        },
        "insecure: no DS",
    ),
    (
        "the DNAME's own name is not moved",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "d.example.com.",
            );
        },
        "nodata",
    ),
    (
        "a DNAME beside the name, and not above it",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            attempt.ask_in_vain("targetd.example.com.", TXT);
            attempt.expand("d.example.com.");
            let own = attempt.world.answer("d.example.com.", DNAME);
            attempt.responses.0.insert(0, own);
        },
        "dnssec.unproven_denial",
    ),
    (
        "a DNAME asked for",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "d.example.com.",
            );
            attempt.ask("d.example.com.", DNAME);
        },
        "proven",
    ),
    (
        "a CNAME asked for that a DNAME makes",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "d.example.com.",
            );
            attempt.ask("target.d.example.com.", CNAME);
        },
        "proven",
    ),
    (
        "a DNAME without signature",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            let answers = &mut attempt.answer().answers;
            answers.retain(|record| record.type_covered() != Some(DNAME));
        },
        "dnssec.no_rrsig",
    ),
    (
        "a DNAME with a wrong signature",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            resign(attempt, DNAME, Signing::corrupt);
        },
        "dnssec.bad_signature",
    ),
    (
        "the CNAME that a DNAME makes, without the DNAME",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            let answers = &mut attempt.answer().answers;
            answers.retain(|record| record.type_covered().unwrap_or(record.record_type) != DNAME);
        },
        "dnssec.no_rrsig",
    ),
    (
        "two DNAME records at one name",
        |attempt| {
            let records = [
                dname("d.example.com.", "example.net."),
                dname("d.example.com.", "other.net."),
            ];
            publish(attempt, &records, "target.d.example.com.");
        },
        "dnssec.malformed_record",
    ),
    (
        "a DNAME that makes a name too long",
        |attempt| {
            let long = format!("{}example.net.", "l.".repeat(100));
            let name = format!("{}d.example.com.", "x.".repeat(60));
            publish(attempt, &[dname("d.example.com.", &long)], &name);
            assert_eq!(attempt.answer().rcode, YXDOMAIN);
        },
        "dnssec.response_code",
    ),
    (
        "a DNAME that makes a name too long, with another code",
        |attempt| {
            let long = format!("{}example.net.", "l.".repeat(100));
            let name = format!("{}d.example.com.", "x.".repeat(60));
            publish(attempt, &[dname("d.example.com.", &long)], &name);
            attempt.answer().rcode = 0;
        },
        "dnssec.alias_too_long",
    ),
    (
        "a DNAME that leads below itself",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "e.d.example.com.")],
                "x.d.example.com.",
            );
        },
        "dnssec.too_many_aliases",
    ),
    (
        "a DNAME that leads below itself until names are too long",
        |attempt| {
            let below = format!("{}.d.example.com.", "l".repeat(60));
            publish(
                attempt,
                &[dname("d.example.com.", &below)],
                "x.d.example.com.",
            );
            for response in &mut attempt.responses.0 {
                response.rcode = 0;
            }
        },
        "dnssec.alias_too_long",
    ),
    (
        "two DNAMEs that lead into each other",
        |attempt| {
            let records = [
                dname("d.example.com.", "e.example.com."),
                dname("e.example.com.", "d.example.com."),
            ];
            publish(attempt, &records, "x.d.example.com.");
        },
        "dnssec.alias_loop",
    ),
    (
        "a DNAME above another",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            // What was there before the zone got its DNAME: replayed, it does not decide.
            let below = dname("c.d.example.com.", "evil.example.net.");
            let signing = attempt.world.signing("example.com.", KeyRole::Zsk);
            attempt.ask("c.target.d.example.com.", TXT);
            let rrsig = signing.rrsig(std::slice::from_ref(&below));
            attempt.answer().answers.extend([below, rrsig]);
        },
        "nxdomain",
    ),
    (
        "a name below a DNAME is not denied by the zone that has it",
        |attempt| {
            publish(
                attempt,
                &[dname("d.example.com.", "example.net.")],
                "target.d.example.com.",
            );
            attempt.clear();
            attempt.borrow_denials(&[("d.example.com.", TXT), ("c.example.com.", TXT)]);
        },
        "dnssec.unproven_denial",
    ),
];

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
            attempt.period = period(NOON - 60, NOON + 60);
            let windows = [(NOON - 5, NOON + 10), (NOON + 20, NOON + 25)];
            assert_eq!(attempt.find().validity, windows, "{style:?} {name}");
            attempt.period = at(NOON + 15);
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
