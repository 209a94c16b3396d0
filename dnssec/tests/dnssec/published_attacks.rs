//! Attacks that were published against DNSSEC validators, each a test by its name. What the attack is and where it was
//! published stands above each, and which rule it is that stops it.
//!
//! The signatures that an attacker can have are genuine in these tests: he owns zones of his own, he replays what
//! others signed, and he writes the rest of each message himself.

use dnssec::{Error, Period};
use kliento_fixtures::hostile::{add_keys, colliding_keys, key_trap};
use kliento_fixtures::{
    A, Algorithm, CH, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, MX, NS, NSEC, NXDOMAIN, Name,
    OPT_OUT, Question, REVOKE, RRSIG, Record, Response, SECURE_ENTRY_POINT, SHA1, SHA256, SOA,
    Signing, TXT, World, WorldBuilder, ZONE_KEY, ZoneKey, ZoneSpec,
};

use crate::support::attempt::{
    Attempt, Judged as _, Nsec3Maker, STYLES, Style, What, complaint, denying_records, is_fact,
    zones,
};
use crate::support::{DAY, HOUR, NOON, OWNER, TEXT, at};

const EVIL: &str = "1 bWluZQ== 60";

/// Asserts what comes out, at the time that is asked for and at any other.
#[track_caller]
fn expect(attempt: &Attempt, expected: &str) {
    assert_eq!(complaint(attempt, expected), None, "{:?}", attempt.style);
}

/// The zones of [`Attempt::new`] and these, which the attacker owns.
fn with_evil(style: Style, evil: &[&str]) -> Attempt {
    let mut world = zones(style).txt(OWNER, TEXT);
    for zone in evil {
        world = world.with_zone(style.zone(zone));
    }
    Attempt::in_world(style, world.build(), OWNER, TXT)
}

/// An answer that the attacker writes: his text, signed by this key.
fn evil_answer(attempt: &mut Attempt, signing: &Signing) {
    let record = Record::txt(attempt.name.as_str(), EVIL);
    let rrsig = signing.rrsig(std::slice::from_ref(&record));
    attempt.clear();
    attempt.answer().answers = vec![record, rrsig];
}

/// The work of which there was too much, and the bound.
#[track_caller]
fn exhausted(attempt: &Attempt) -> (&'static str, u32) {
    let messages = attempt.responses.to_messages();
    match attempt.look_up(&messages, crate::support::attempt::asked(attempt.period)) {
        Err(Error::BudgetExhausted { work, limit, .. }) => (work, limit),
        other => panic!("{other:?}"),
    }
}

// Keys

/// RUSTSEC-2025-0006 (CVE-2025-25188, hickory-proto), first variant: trust in one DNSKEY of the root, by an anchor,
/// became trust in the whole RRset, though that key had not signed it. The DNSKEY RRset must be signed by the key that
/// is trusted (RFC 4035 §5.2).
#[test]
fn rustsec_2025_0006_a_key_beside_that_of_the_anchor() {
    for style in STYLES {
        for anchor in [World::anchors, World::anchors_as_dnskeys] {
            let mut attempt = Attempt::new(style);
            attempt.anchors = anchor(&attempt.world);
            let usurped = attempt.world.usurped(".").with_txt(OWNER, EVIL);
            attempt.responses = usurped.responses(OWNER, TXT);
            expect(&attempt, "dnssec.dnskey_not_committed");
            // A denial stands on the same keys.
            attempt.responses = usurped.responses("gone.", TXT);
            attempt.name = "gone.".to_owned();
            expect(&attempt, "dnssec.dnskey_not_committed");
        }
    }
}

/// RUSTSEC-2025-0006, second variant: the parent's DS commits to one DNSKEY, another one of the same RRset signs. The
/// DNSKEY RRset must be signed by a key that a DS commits to (RFC 4035 §5.2).
#[test]
fn rustsec_2025_0006_a_key_beside_that_of_the_ds() {
    for style in STYLES {
        for zone in ["com.", "example.com."] {
            let mut attempt = Attempt::new(style);
            let usurped = attempt.world.usurped(zone).with_txt(OWNER, EVIL);
            attempt.responses = usurped.responses(OWNER, TXT);
            expect(&attempt, "dnssec.dnskey_not_committed");
        }
    }
}

/// CVE-2026-123593 (Hickory DNS): the keys of the anchors were trusted under any owner, so the root's keys, put in
/// place of a zone's, needed no signature. An anchor is about the keys of its owner, and they sign their own RRset.
#[test]
fn cve_2026_123593_the_anchors_keys_under_another_name() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        attempt.anchors = attempt.world.anchors_as_dnskeys();
        let root = attempt
            .world
            .signing(".", KeyRole::Ksk)
            .signer("example.com.");
        let mut keys = attempt.world.answer(".", DNSKEY);
        keys.questions = vec![Question::new("example.com.", DNSKEY)];
        keys.drop_signatures();
        for key in &mut keys.answers {
            key.owner = "example.com.".into();
        }
        evil_answer(&mut attempt, &root);
        *attempt.responses.of("example.com.", DNSKEY) = keys.clone();
        expect(&attempt, "dnssec.no_rrsig");
        keys.sign(&root);
        *attempt.responses.of("example.com.", DNSKEY) = keys;
        expect(&attempt, "dnssec.dnskey_not_committed");
    }
}

/// A child zone's keys vouch for its parent's: the way of trust is one way, since an RRSIG's signer is an ancestor of
/// the owner (RFC 4035 §5.3.1), and of a DNSKEY RRset the owner itself.
#[test]
fn a_child_signs_its_parents_keys() {
    for style in STYLES {
        let attempt = with_evil(style, &["evil.example.com."]);
        let child = attempt.world.signing("evil.example.com.", KeyRole::Ksk);
        for (signing, reason) in [
            (child.clone(), "dnssec.signer_off_tree"),
            (child.signer("example.com."), "dnssec.dnskey_not_committed"),
        ] {
            let mut attempt = attempt.clone();
            attempt.show_zone("evil.example.com.");
            let keys = attempt.responses.of("example.com.", DNSKEY);
            add_keys(keys, std::slice::from_ref(&signing.key));
            keys.sign(&signing);
            evil_answer(&mut attempt, &signing.clone().signer("example.com."));
            expect(&attempt, reason);
        }
        // The anchor is the child's: nothing follows for what is above.
        let mut attempt = attempt;
        attempt.anchors = attempt.world.anchors_of("evil.example.com.");
        expect(&attempt, "dnssec.no_trust_anchor");
    }
}

/// Sibling zones sign for each other: any signed zone could sign for any name where the signer was not compared with
/// the owner (RFC 4035 §5.3.1). The sylvinus recursive-resolver 0.1 had that hole in 2026, and others before it.
#[test]
fn a_sibling_signs_for_its_sibling() {
    for style in STYLES {
        for evil in ["evil.com.", "xample.com.", "org."] {
            let attempt = with_evil(style, &[evil]);
            let mut answer = attempt.clone();
            answer.show_zone(evil);
            let signing = attempt.world.signing(evil, KeyRole::Zsk);
            evil_answer(&mut answer, &signing);
            expect(&answer, "dnssec.signer_off_tree");
            // In the victim's name, where the key is not.
            evil_answer(&mut answer, &signing.clone().signer("example.com."));
            expect(&answer, "dnssec.no_matching_key");
            // The keys and the delegation of the victim.
            for record_type in [DNSKEY, DS] {
                let mut attempt = attempt.clone();
                attempt.show_zone(evil);
                let signing = attempt.world.signing(evil, KeyRole::Ksk);
                attempt
                    .responses
                    .of("example.com.", record_type)
                    .sign(&signing);
                expect(&attempt, "dnssec.signer_off_tree");
            }
        }
    }
}

/// The child signs its own DS: a DS RRset is the parent's (RFC 4035 §2.4, §5.2), so its signer is a proper ancestor.
#[test]
fn a_child_signs_its_own_ds() {
    for style in STYLES {
        let mut attempt = with_evil(style, &[]);
        let new = ZoneKey::new(
            Key::generate(Algorithm::Ed25519),
            ZONE_KEY | SECURE_ENTRY_POINT,
        );
        let own = attempt
            .world
            .signing("example.com.", KeyRole::Ksk)
            .zone_key(new.clone());
        let keys = attempt.responses.of("example.com.", DNSKEY);
        add_keys(keys, std::slice::from_ref(&new));
        keys.sign(&own);
        let ds = attempt.responses.of("example.com.", DS);
        let rdata = new.ds_rdata(&"example.com.".into(), SHA256);
        ds.answers = vec![Record::new("example.com.", DS, rdata)];
        ds.sign(&own);
        evil_answer(&mut attempt, &own);
        expect(&attempt, "dnssec.signer_off_tree");
        attempt
            .responses
            .of("example.com.", DS)
            .sign(&own.clone().signer("com."));
        expect(&attempt, "dnssec.no_matching_key");
    }
}

/// An old DNSKEY RRset is replayed whose key has since been revoked (RFC 5011): once its RRSIG has expired it proves
/// nothing, and a key with the REVOKE bit signs nothing. A revoked key has another tag and digest, so that no DS or
/// anchor for the key as it was fits it.
#[test]
fn an_old_dnskey_rrset_with_a_revoked_key() {
    let stolen = Key::generate(Algorithm::Ed25519);
    let [root, tld, fresh] = [(); 3].map(|()| Key::generate(Algorithm::Ed25519));
    let world = |zone: ZoneSpec, window: (i64, i64)| {
        let csk = |name: &str, key: &Key| ZoneSpec::new(name, Algorithm::Ed25519).csk(key.clone());
        World::builder()
            .at(NOON)
            .with_zone(csk(".", &root))
            .with_zone(csk("com.", &tld))
            .with_zone(zone.window(window.0, window.1))
            .txt(OWNER, TEXT)
            .build()
    };
    let zone = || ZoneSpec::new("example.com.", Algorithm::Ed25519);
    let old = world(zone().csk(stolen.clone()), (NOON - 30 * DAY, NOON - DAY));
    let revoked = ZoneKey::new(stolen.clone(), ZONE_KEY | SECURE_ENTRY_POINT | REVOKE);
    let unrevoked = ZoneKey::new(stolen, ZONE_KEY | SECURE_ENTRY_POINT);
    let new = world(
        zone()
            .csk(fresh)
            .extra_signer(revoked.clone(), KeyRole::Ksk),
        (NOON - HOUR, NOON + DAY),
    );
    for parent in [&old, &new] {
        for key in [&unrevoked, &revoked] {
            let style = Style::Nsec;
            let mut attempt = Attempt::in_world(style, new.clone(), OWNER, TXT);
            *attempt.responses.of("example.com.", DS) = parent.answer("example.com.", DS);
            attempt
                .responses
                .0
                .insert(0, old.answer("example.com.", DNSKEY));
            let signing = new
                .signing("example.com.", KeyRole::Zsk)
                .zone_key(key.clone());
            evil_answer(&mut attempt, &signing);
            let verdict = attempt.verdict();
            assert!(verdict.starts_with("dnssec."), "{verdict}");
            // Nor at any time at which the old RRset does not hold.
            if let Ok(found) = attempt.look_up(&attempt.responses.to_messages(), Period::always()) {
                panic!("{found:?}");
            }
        }
    }
    // The anchors may be for the key as it was, or as it is.
    for anchor in [&unrevoked, &revoked] {
        let rdata = anchor.ds_rdata(&"example.com.".into(), SHA256);
        let digest = data_encoding::HEXUPPER.encode(&rdata[4..]);
        let mut attempt = Attempt::in_world(Style::Nsec, new.clone(), OWNER, TXT);
        attempt.anchors = format!("example.com. DS {} 15 2 {digest}", anchor.key_tag());
        let signing = new
            .signing("example.com.", KeyRole::Zsk)
            .zone_key(revoked.clone());
        evil_answer(&mut attempt, &signing);
        let verdict = attempt.verdict();
        assert!(verdict.starts_with("dnssec."), "{verdict}");
    }
}

// Work

/// KeyTrap (CVE-2023-50387; Heftrig, Schulmann, Vogel and Waidner, "The Harder You Try, The Harder You Fail: The
/// KeyTrap Denial-of-Service Algorithmic Complexity Attacks on DNSSEC", 2024), the attack "SigJam": many RRSIGs that
/// one key may have made. Signature checks that fail are counted, and 16 is all that a chain may ask for.
#[test]
fn cve_2023_50387_keytrap_many_signatures() {
    for at_link in [(OWNER, TXT), ("example.com.", DNSKEY), ("com.", DS)] {
        let mut attempt = Attempt::new(Style::Nsec);
        let signing = attempt.world.signing_for(at_link.0, at_link.1);
        let response = attempt.responses.of(at_link.0, at_link.1);
        response
            .drop_signatures()
            .add_forged_signatures(&signing, 300);
        response.add_signature(&signing);
        assert_eq!(exhausted(&attempt), ("signature checks that fail", 16));
    }
}

/// KeyTrap, "LockCram": one RRSIG, many keys with its tag, none of which made it.
#[test]
fn cve_2023_50387_keytrap_many_keys() {
    let zsk = Key::recorded_rsa(Algorithm::RsaSha256, 2_048);
    let zone = ZoneSpec::new("example.com.", Algorithm::RsaSha256).zsk(zsk);
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.build(zones_with(zone).txt(OWNER, TEXT));
    let world = attempt.world.clone();
    key_trap(&world, &mut attempt.responses, "example.com.", 200, 0);
    let forged = world.signing_for(OWNER, TXT);
    attempt
        .answer()
        .drop_signatures()
        .add_forged_signatures(&forged, 1);
    assert_eq!(exhausted(&attempt), ("signature checks that fail", 16));
}

/// KeyTrap, "KeySigTrap": many RRSIGs and many keys, each pair of which fits.
#[test]
fn cve_2023_50387_keytrap_many_signatures_and_keys() {
    let zsk = Key::recorded_rsa(Algorithm::RsaSha256, 2_048);
    let zone = ZoneSpec::new("example.com.", Algorithm::RsaSha256).zsk(zsk);
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.build(zones_with(zone).txt(OWNER, TEXT));
    let world = attempt.world.clone();
    key_trap(&world, &mut attempt.responses, "example.com.", 100, 100);
    assert_eq!(exhausted(&attempt), ("signature checks that fail", 16));
}

/// KeyTrap, "HashTrap": many DS records and many keys with one tag. Digests are counted: 64, and 8 more for each of the
/// two zones that were proven before.
#[test]
fn cve_2023_50387_keytrap_many_digests() {
    let mut attempt = Attempt::new(Style::Nsec);
    let world = attempt.world.clone();
    let key = world.zone("example.com.").committed_key().clone();
    let colliding = colliding_keys(key.key.algorithm(), key.key_tag(), 100);
    let keys = attempt.responses.of("example.com.", DNSKEY);
    add_keys(keys, &colliding);
    world.resign(keys);
    let ds = attempt.responses.of("example.com.", DS);
    let good = ds.of_type(DS).next().expect("there is a DS").clone();
    for number in 1..=100 {
        let mut wrong = good.clone();
        wrong.rdata[4] ^= number;
        ds.answers.insert(0, wrong);
    }
    world.resign(ds);
    assert_eq!(exhausted(&attempt), ("DS digests", 64 + 2 * 8));
}

/// The most work that an honest zone asks for, far from the bounds: two algorithms with two keys each (RFC 6781
/// §4.1.4), all signing; keys whose tags collide by chance; DS records with two digests for each.
#[test]
fn cve_2023_50387_keytrap_leaves_honest_zones_alone() {
    let flags = ZONE_KEY | SECURE_ENTRY_POINT;
    let mut zone = ZoneSpec::new("example.com.", Algorithm::Ed25519).ds_digests(&[2, 4]);
    for _ in 0..3 {
        let ksk = ZoneKey::new(Key::generate(Algorithm::EcdsaP256Sha256), flags);
        let zsk = ZoneKey::new(Key::generate(Algorithm::EcdsaP256Sha256), ZONE_KEY);
        zone = zone
            .extra_signer(ksk.clone(), KeyRole::Ksk)
            .extra_signer(zsk, KeyRole::Zsk)
            .extra_ds(ksk, &[2, 4]);
    }
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.build(zones_with(zone).txt(OWNER, TEXT));
    let world = attempt.world.clone();
    let zsk = world.zone("example.com.").key(KeyRole::Zsk).clone();
    let keys = attempt.responses.of("example.com.", DNSKEY);
    add_keys(keys, &colliding_keys(15, zsk.key_tag(), 2));
    world.resign(keys);
    expect(&attempt, "proven");
    attempt.ask("gone.example.com.", TXT);
    expect(&attempt, "nxdomain");
}

/// Root, `com.` and this zone.
fn zones_with(zone: ZoneSpec) -> WorldBuilder {
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone("com.", Algorithm::Ed25519)
        .with_zone(zone)
}

/// The NSEC3 variant (CVE-2023-50868): a name of many labels and NSEC3 records with many iterations and a long salt
/// make a closest encloser proof expensive (RFC 5155 §8.3). Blocks of SHA-1 are counted: 2,048 before anything is
/// proven.
#[test]
fn cve_2023_50868_closest_encloser_proofs() {
    let name = format!("{}example.com.", "a.".repeat(120));
    for salt in [0_usize, 255] {
        let mut attempt = Attempt::new(Style::Nsec3);
        attempt.ask_in_vain(&name, TXT);
        let nsec3 = Nsec3Maker::of("example.com.")
            .iterations(100)
            .salt(&vec![7; salt]);
        attempt.deny("example.com.", &[nsec3.at("example.com.", &[SOA, NS])]);
        assert_eq!(
            exhausted(&attempt),
            ("blocks of SHA-1 for NSEC3 hashes", 2_048)
        );
    }
}

/// More than 100 iterations are not computed at all (RFC 9276 §3.2): the zone counts as unsigned, if it says so by a
/// good signature. CVE-2026-1519 (BIND) had them computed for insecure delegations, and CVE-2021-40083 (Knot Resolver)
/// stumbled over them in the proof for a wildcard.
#[test]
fn cve_2026_1519_and_cve_2021_40083_too_many_iterations() {
    let name = format!("{}example.com.", "a.".repeat(120));
    for question in [TXT, DS] {
        let mut attempt = Attempt::new(Style::Nsec3);
        attempt.ask_in_vain(&name, question);
        let nsec3 = Nsec3Maker::of("example.com.").iterations(u16::MAX);
        attempt.deny("example.com.", &[nsec3.at("example.com.", &[SOA, NS])]);
        expect(&attempt, "insecure: iterations");
    }
    let mut attempt = Attempt::new(Style::Nsec3);
    attempt.publish(|world| world.txt("*.example.com.", TEXT));
    attempt.answer().authorities.clear();
    let nsec3 = Nsec3Maker::of("example.com.").iterations(u16::MAX);
    attempt.deny("example.com.", &[nsec3.over(OWNER)]);
    expect(&attempt, "insecure: iterations");
}

/// CVE-2026-42923 (Unbound): hashing was not bounded where it was repeated for many NSEC3 records. Records of other
/// parameters are other chains of hashes, all of which draw on one budget.
#[test]
fn cve_2026_42923_many_chains_of_hashes() {
    let mut attempt = Attempt::new(Style::Nsec3);
    attempt.ask_in_vain("a.b.c.example.com.", TXT);
    let mut records = Vec::new();
    for salt in 0..100_u8 {
        let nsec3 = Nsec3Maker::of("example.com.").iterations(100).salt(&[salt]);
        records.push(nsec3.at("example.com.", &[SOA, NS]));
    }
    // They need not even be signed.
    attempt.answer().authorities = records;
    assert_eq!(
        exhausted(&attempt),
        ("blocks of SHA-1 for NSEC3 hashes", 2_048)
    );
}

/// What honest zones ask for stays possible: a hundred iterations for ten labels, and none for as many labels as a name
/// can have.
#[test]
fn cve_2023_50868_leaves_honest_zones_alone() {
    for (labels, iterations) in [(10, 100), (120, 0)] {
        let zone = ZoneSpec::new("example.com.", Algorithm::Ed25519).nsec3(iterations, b"");
        let mut attempt = Attempt::new(Style::Nsec3);
        attempt.build(zones_with(zone));
        attempt.ask(&format!("{}example.com.", "a.".repeat(labels - 2)), TXT);
        expect(&attempt, "nxdomain");
    }
}

/// CVE-2025-8677 (BIND): a zone of malformed DNSKEYs that match the DS by their tag took time without end. A malformed
/// key costs a digest or a failed check as any other does.
#[test]
fn cve_2025_8677_malformed_keys() {
    let key = Key::recorded_rsa(Algorithm::RsaSha256, 2_048);
    let zone = ZoneSpec::new("example.com.", Algorithm::RsaSha256).csk(key);
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.build(zones_with(zone).txt(OWNER, TEXT));
    let world = attempt.world.clone();
    let malformed: Vec<ZoneKey> = (0..200_u8)
        .map(|number| ZoneKey::new(Key::junk(8, vec![0, number, number]), ZONE_KEY))
        .collect();
    let keys = attempt.responses.of("example.com.", DNSKEY);
    add_keys(keys, &malformed);
    world.resign(keys);
    // Those with other tags cost nothing.
    expect(&attempt, "proven");
    let ds = attempt.responses.of("example.com.", DS);
    for key in &malformed {
        let rdata = key.ds_rdata(&"example.com.".into(), SHA256);
        ds.answers.insert(0, Record::new("example.com.", DS, rdata));
    }
    world.resign(ds);
    assert_eq!(exhausted(&attempt), ("DS digests", 64 + 2 * 8));
}

/// CVE-2022-38177 and CVE-2022-38178 (BIND): signatures of ECDSA and Ed25519 of other lengths than theirs leaked
/// memory. They are wrong signatures.
#[test]
fn cve_2022_38177_signatures_of_odd_lengths() {
    for algorithm in [
        Algorithm::EcdsaP256Sha256,
        Algorithm::EcdsaP384Sha384,
        Algorithm::Ed25519,
    ] {
        let mut attempt = Attempt::new(Style::Nsec);
        attempt.build(zones_with(ZoneSpec::new("example.com.", algorithm)).txt(OWNER, TEXT));
        let whole = attempt.answer().answers.clone();
        for length in [0, 1, 63, 65, 95, 97, 300] {
            let mut answers = whole.clone();
            for record in &mut answers {
                if record.record_type == RRSIG {
                    let start = 18 + Name::from("example.com.").wire().len();
                    record.rdata.resize(start + length, 0x30);
                }
            }
            attempt.answer().answers = answers;
            expect(&attempt, "dnssec.bad_signature");
        }
    }
}

/// CVE-2026-42959 (Unbound): a row of DNAMEs with their unsigned CNAMEs, doubled, beside unsigned records in the other
/// sections, crashed it. Each step looks its records up anew, and what is unsigned is made again or ignored.
#[test]
fn cve_2026_42959_doubled_dnames() {
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.publish(|world| {
        world
            .record(Record::of_name("d.example.com.", DNAME, "e.example.com."))
            .record(Record::of_name("e.example.com.", DNAME, "f.example.com."))
            .txt("x.f.example.com.", TEXT)
    });
    attempt.ask("x.d.example.com.", TXT);
    let doubled = attempt.answer().answers.clone();
    let answer = attempt.answer();
    answer.answers.extend(doubled.clone());
    answer
        .authorities
        .push(Record::txt("x.d.example.com.", EVIL));
    answer
        .authorities
        .push(Record::of_name("d.example.com.", DNAME, "evil."));
    answer.additionals = doubled;
    expect(&attempt, "proven");
    let found = attempt.find();
    assert_eq!(found.canonical_name, "x.f.example.com.");
}

/// CVE-2026-81642 (Unbound): a DNSKEY whose owner is a compression pointer into its own RDATA overflowed a buffer. A
/// pointer leads backwards, or the message is none (RFC 1035 §4.1.4).
#[test]
fn cve_2026_81642_an_owner_in_its_own_rdata() {
    let attempt = Attempt::new(Style::Nsec);
    let mut messages = attempt.responses.to_messages();
    let mut message = Response::new("example.com.", DNSKEY).to_message();
    // One answer, whose owner points to behind the ten octets of fixed fields: its own RDATA.
    message[7] = 1;
    let here = u8::try_from(message.len()).expect("it is a short message");
    message.extend([0xc0, here + 12]);
    message.extend(b"\x00\x30\x00\x01\x00\x00\x0e\x10\x00\x06\x01\x01\x03\x0f\x00\x00");
    messages.push(message);
    let error = attempt
        .look_up(&messages, at(NOON))
        .expect_err("it is no message");
    assert_eq!(error.reason(), "dnssec.malformed_response");
}

/// CVE-2026-81634 and CVE-2026-56416 (Unbound): RRsets in canonical form were longer than their buffers, with an owner
/// of 255 octets, or with names in their RDATA.
#[test]
fn cve_2026_81634_large_rrsets_of_long_names() {
    let long = format!("{0}.{0}.{0}.{1}.", "l".repeat(63), "m".repeat(61));
    let world = World::builder().at(NOON).zone(".", Algorithm::Ed25519);
    let texts = (0..60).fold(world.clone(), |world, number| {
        let string = [number; 255];
        world.record(Record::txt_strings(
            long.as_str(),
            &[&string, &string, &string],
        ))
    });
    let exchanges = (0..100).fold(world, |world, number| {
        world.record(Record::mx(long.as_str(), number, long.as_str()))
    });
    for (world, record_type, count) in [(texts, TXT, 60), (exchanges, MX, 100)] {
        let attempt = Attempt::in_world(Style::Nsec, world.build(), &long, record_type);
        let What::Records(rdata) = attempt.find().what else {
            panic!("there are records");
        };
        assert_eq!(rdata.len(), count);
    }
}

/// CVE-2026-123607 (Hickory DNS): the search for the closest encloser never ended where the SOA in the response was
/// that of a zone which the name is not in. Here it goes from the name up to the zone of the NSEC3 record, and only if
/// the name is within that.
#[test]
fn cve_2026_123607_a_soa_of_another_zone() {
    let mut attempt = with_evil(Style::Nsec3, &["evil.com."]);
    attempt.ask("gone.example.com.", TXT);
    attempt.show_zone("evil.com.");
    let evil = attempt.world.answer("gone.evil.com.", TXT);
    attempt.answer().authorities = evil.authorities;
    expect(&attempt, "dnssec.unproven_denial");
}

// Wildcards

/// A signed wildcard reused without a proof: the records of `*.example.com.` for a name that exists. Without a signed
/// denial of the name an expansion proves nothing (RFC 4035 §5.3.4). In CVE-2026-13204 (BIND) the denial was found
/// without its signature being asked for.
#[test]
fn cve_2026_13204_a_wildcard_with_an_unsigned_denial() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        attempt.publish(|world| world.txt("*.example.com.", EVIL).txt(OWNER, TEXT));
        attempt.clear();
        attempt.expand("*.example.com.");
        expect(&attempt, "dnssec.unproven_wildcard");
        // What would deny the name if it were signed.
        let forged = match style {
            Style::Nsec => Record::nsec("a.example.com.", "b.example.com.", &[TXT, NSEC]),
            Style::Nsec3 => Nsec3Maker::of("example.com.").over(OWNER),
        };
        attempt.answer().authorities = vec![forged];
        assert!(!is_fact(&attempt.verdict()), "{style:?}");
        // And that, beside the genuine denials of other names.
        attempt.borrow_denials(&[("a.example.com.", TXT), ("z.example.com.", TXT)]);
        assert!(!is_fact(&attempt.verdict()), "{style:?}");
    }
}

/// CVE-2026-123579 (Hickory DNS): for a name that exists without the type, the NSEC3 record that matches it passed for
/// the proof that a wildcard may answer. It is the next closer name that must be covered (RFC 5155 §8.8).
#[test]
fn cve_2026_123579_a_wildcard_in_place_of_no_data() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        attempt.publish(|world| {
            world
                .txt("*.example.com.", EVIL)
                .record(Record::mx(OWNER, 10, OWNER))
        });
        assert_eq!(attempt.verdict(), "nodata");
        attempt.expand("*.example.com.");
        expect(&attempt, "dnssec.unproven_wildcard");
    }
}

/// A wildcard further up than the closest encloser answers, or its absence denies (RFC 4592 §3.3.1; the sylvinus
/// recursive-resolver 0.1, 2026): a closer wildcard, a name without one, a denial of the wrong wildcard.
#[test]
fn a_wildcard_above_the_closest_encloser() {
    for style in STYLES {
        let world = zones(style)
            .txt("*.example.com.", EVIL)
            .txt("*.sub.example.com.", TEXT)
            .txt("x.other.example.com.", TEXT)
            .build();
        for name in ["y.sub.example.com.", "y.other.example.com."] {
            let mut attempt = Attempt::in_world(style, world.clone(), name, TXT);
            attempt.expand("*.example.com.");
            expect(&attempt, "dnssec.unproven_wildcard");
        }
        let mut attempt = Attempt::in_world(style, world, "y.sub.example.com.", TXT);
        attempt.clear();
        attempt.borrow_denials(&[
            ("y.sub.example.com.", TXT),
            ("y.other.example.com.", TXT),
            ("a.example.com.", MX),
        ]);
        expect(&attempt, "dnssec.unproven_denial");
    }
}

/// CVE-2017-15105 (Unbound; CVE-2017-15107 dnsmasq, CVE-2018-1000002 Knot Resolver, CVE-2018-1000003 PowerDNS): the
/// NSEC record of a wildcard, given another owner, denied what lies between that and its next name. An NSEC that was
/// expanded denies nothing: it is the owner which was signed that counts.
#[test]
fn cve_2017_15105_an_nsec_record_expanded_from_a_wildcard() {
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.publish(|world| {
        world
            .txt("*.example.com.", TEXT)
            .txt("z.example.com.", TEXT)
    });
    let wildcard = attempt.world.answer("*.example.com.", MX);
    let expanded = |owner: &str| {
        let mut records = crate::support::attempt::denials(&wildcard);
        for record in &mut records {
            record.owner = owner.into();
        }
        records
    };
    for (name, owner, record_type) in [
        // As NODATA for a name that the wildcard makes, and as NXDOMAIN for it.
        ("name.example.com.", "name.example.com.", TXT),
        ("name.example.com.", "name.example.com.", MX),
        ("name.example.com.", "!.example.com.", TXT),
        ("*.example.com.", "!.example.com.", TXT),
    ] {
        attempt.ask_in_vain(name, record_type);
        attempt.answer().authorities = expanded(owner);
        let verdict = attempt.verdict();
        assert!(!is_fact(&verdict), "{name} by {owner}: {verdict}");
    }
}

/// CVE-2026-44690 (Unbound): a lower Labels field made the wildcard of a zone above out of a name, across the cut. An
/// RRSIG counts at least its signer's labels (RFC 4034 §3.1.3), and its own owner is what is signed.
#[test]
fn cve_2026_44690_a_labels_field_across_a_cut() {
    for style in STYLES {
        let mut attempt = with_evil(style, &["sub.example.com."]);
        attempt.ask("sub.example.com.", SOA);
        for labels in 0..=2 {
            let signing = attempt.world.signing("sub.example.com.", KeyRole::Zsk);
            let answer = attempt.answer();
            answer.sign(&signing.labels(labels));
            expect(&attempt, "dnssec.too_few_labels");
        }
        // The field is under the signature.
        let mut attempt = with_evil(style, &[]);
        attempt.publish(|world| world.txt("a.b.example.com.", TEXT));
        attempt.ask("a.b.example.com.", TXT);
        for record in &mut attempt.answer().answers {
            if record.record_type == RRSIG {
                record.rdata[3] = 2;
            }
        }
        attempt.borrow_denials(&[("c.example.com.", TXT)]);
        assert!(!is_fact(&attempt.verdict()), "{style:?}");
    }
}

// Denials

/// NSEC from the wrong side of a cut (RFC 6840 §4.1, "ancestor delegation NSEC"; CVE-2026-123596, Hickory DNS): the
/// parent's record at the cut, genuinely signed, denies names of the child. Nothing is denied below a delegation by the
/// zone above it, nor anything at it but the DS.
#[test]
fn cve_2026_123596_the_parent_denies_the_childs_names() {
    for style in STYLES {
        let attempt = with_evil(style, &["child.example.com."]);
        let at_cut = match style {
            Style::Nsec => Record::nsec(
                "child.example.com.",
                "z.example.com.",
                &[NS, DS, RRSIG, NSEC],
            ),
            Style::Nsec3 => Nsec3Maker::of("example.com.").at("child.example.com.", &[NS, DS]),
        };
        for (name, record_type) in [
            ("child.example.com.", TXT),
            ("child.example.com.", SOA),
            ("x.child.example.com.", TXT),
            ("y.x.child.example.com.", DS),
        ] {
            let mut attempt = attempt.clone();
            attempt.ask_in_vain(name, record_type);
            attempt.deny("example.com.", std::slice::from_ref(&at_cut));
            let nsec3 = Nsec3Maker::of("example.com.");
            if style == Style::Nsec3 {
                let records = [
                    nsec3.at("example.com.", &[SOA, NS]),
                    nsec3.over("x.child.example.com."),
                    nsec3.over("*.child.example.com."),
                    nsec3.over("*.example.com."),
                ];
                attempt.deny("example.com.", &records);
            } else {
                attempt.borrow_denials(&[("b.example.com.", TXT)]);
            }
            expect(&attempt, "dnssec.unproven_denial");
        }
    }
}

/// NSEC from the wrong side of a cut, the other way round: the child's apex has no DS, which is the parent's. In
/// CVE-2026-123591 (Hickory DNS) such a record made a signed zone look unsigned: a proof of that has the NS bit and not
/// the SOA bit (RFC 6840 §4.4).
#[test]
fn cve_2026_123591_the_child_denies_its_ds() {
    for style in STYLES {
        let attempt = with_evil(style, &["child.example.com."]);
        let mut ds = attempt.clone();
        ds.ask_in_vain("child.example.com.", DS);
        ds.show_zone("child.example.com.");
        ds.borrow_denials(&[("child.example.com.", MX), ("a.child.example.com.", TXT)]);
        expect(&ds, "dnssec.unproven_denial");
        // The same where the parent's DS is kept back, and the child's data are forged.
        for questions in [
            &[("child.example.com.", MX)][..],
            // An ordinary name of the parent, which has no DS either, and no NS.
            &[(OWNER, DS), (OWNER, MX)],
        ] {
            let mut attempt = attempt.clone();
            attempt.ask("child.example.com.", SOA);
            attempt.responses.remove("child.example.com.", DS);
            attempt.answer().drop_signatures();
            attempt.borrow_denials(questions);
            let verdict = attempt.verdict();
            assert!(verdict.starts_with("dnssec."), "{style:?}: {verdict}");
        }
    }
}

/// CVE-2026-123594 (Hickory DNS): the code NXDOMAIN, which nobody signs, made a name that does not exist of an empty
/// non-terminal. A next name below the name shows that it exists (RFC 4035 §3.1.3.2, RFC 8020 §2).
#[test]
fn cve_2026_123594_an_empty_non_terminal_with_another_code() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        attempt.publish(|world| world.txt("x.ent.example.com.", TEXT));
        attempt.ask("ent.example.com.", TXT);
        attempt.answer().rcode = NXDOMAIN;
        expect(&attempt, "nodata");
    }
}

/// CVE-2026-123580 (RUSTSEC-2026-0505, Hickory DNS): an NSEC3 record counted by its first label, the hash, whatever
/// zone it was of. It denies names of the zone that its owner lies in and that signed it (RFC 5155 §3, §8.2).
#[test]
fn cve_2026_123580_hashes_in_another_zone() {
    let mut attempt = with_evil(Style::Nsec3, &["evil.com.", "evil.example.com."]);
    for evil in ["evil.com.", "evil.example.com."] {
        let nsec3 = Nsec3Maker::of(evil);
        let records = [
            nsec3.at(OWNER, &[MX]),
            nsec3.at("example.com.", &[SOA, NS]),
            nsec3.over("*.example.com."),
            nsec3.over(OWNER),
        ];
        attempt.ask_in_vain(OWNER, TXT);
        attempt.show_zone(evil);
        attempt.deny(evil, &records);
        expect(&attempt, "dnssec.unproven_denial");
    }
}

/// CVE-2026-123601 (Hickory DNS): the last NSEC3 record covered all hashes but its own. It covers what comes after its
/// owner's or before the first (RFC 5155 §8.3).
#[test]
fn cve_2026_123601_the_last_nsec3_record() {
    let nsec3 = Nsec3Maker::of("example.com.");
    let hash = nsec3.hash(OWNER);
    let [before, after] = [false, true].map(|up| crate::support::attempt::moved(hash, up));
    for (owner, next, expected) in [
        (before, [0; 20], "nxdomain"),
        ([0xff; 20], after, "nxdomain"),
        (after, before, "dnssec.unproven_denial"),
        (hash, [0; 20], "dnssec.unproven_denial"),
        ([0xff; 20], hash, "dnssec.unproven_denial"),
    ] {
        let mut attempt = Attempt::new(Style::Nsec3);
        attempt.ask_in_vain(OWNER, TXT);
        let records = [
            nsec3.at("example.com.", &[SOA, NS]),
            nsec3.over("*.example.com."),
            nsec3.record(owner, &next, &[TXT]),
        ];
        attempt.deny("example.com.", &records);
        expect(&attempt, expected);
    }
}

/// CVE-2026-123600 (Hickory DNS): at a zone's apex any NSEC3 record passed for the denial of a type. It takes the one
/// that matches the name (RFC 5155 §8.5).
#[test]
fn cve_2026_123600_no_data_at_the_apex() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        attempt.ask_in_vain("example.com.", SOA);
        attempt.borrow_denials(&[
            (OWNER, MX),
            ("gone.example.com.", TXT),
            ("example.com.", TXT),
        ]);
        expect(&attempt, "dnssec.unproven_denial");
    }
}

/// CVE-2026-123587 (Hickory DNS): the last NSEC was known by a SOA record in the response, which anybody could write.
/// It is known by the name of the zone that signed it.
#[test]
fn cve_2026_123587_a_forged_soa_beside_an_nsec() {
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.publish(|world| world.txt("a.example.com.", "a").txt("m.example.com.", TEXT));
    attempt.ask_in_vain("m.example.com.", TXT);
    // From the apex to `a`, and a SOA of `a`, as if the zone ended there.
    attempt.borrow_denials(&[("example.com.", MX)]);
    let mut soa = attempt.world.answer("example.com.", SOA).answers.remove(0);
    soa.owner = "a.example.com.".into();
    attempt.answer().authorities.push(soa);
    expect(&attempt, "dnssec.unproven_denial");
}

/// CVE-2026-123590 (Hickory DNS): NSEC and NSEC3 records counted as signed if any other record of their owner was. Each
/// RRset needs a signature of its own.
#[test]
fn cve_2026_123590_a_denial_beside_a_signed_record() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        attempt.publish(|world| world.txt(OWNER, TEXT).record(Record::mx(OWNER, 1, OWNER)));
        attempt.clear();
        let forged = match style {
            Style::Nsec => Record::nsec(OWNER, "a.example.com.", &[MX, RRSIG, NSEC]),
            Style::Nsec3 => Nsec3Maker::of("example.com.").at(OWNER, &[MX, RRSIG]),
        };
        let mut signed = attempt.world.answer(OWNER, MX).answers;
        for record in &mut signed {
            record.owner = forged.owner.clone();
        }
        attempt.answer().authorities = signed;
        attempt.answer().authorities.push(forged);
        expect(&attempt, "dnssec.no_rrsig");
    }
}

/// White lies of a zone that opts out (RFC 5155 §6; Bau and Mitchell, "A Security Evaluation of DNSSEC with NSEC3",
/// 2010): records made for a question cover nothing but that name, and each says that there may be an unsigned zone
/// there. Such denials prove no absence, and show no signed delegation to be unsigned.
#[test]
fn nsec3_white_lies_with_opt_out() {
    let style = Style::Nsec3;
    let opting = style.zone("opt.example.com.").opt_out().minimal_denial();
    let world = zones(style)
        .with_zone(opting)
        .with_zone(style.zone("signed.opt.example.com."))
        .txt("signed.opt.example.com.", TEXT)
        .txt("*.w.opt.example.com.", TEXT)
        .build();
    for (name, record_type) in [
        ("gone.opt.example.com.", TXT),
        ("gone.opt.example.com.", DS),
        ("x.gone.opt.example.com.", TXT),
        ("name.w.opt.example.com.", TXT),
        ("name.w.opt.example.com.", MX),
    ] {
        let attempt = Attempt::in_world(style, world.clone(), name, record_type);
        expect(&attempt, "insecure: opt-out");
    }
    // An attacker inserts what he likes where the zone opts out: it is not proven.
    let mut inserted = Attempt::in_world(style, world.clone(), "gone.opt.example.com.", TXT);
    inserted.answer().answers = vec![Record::txt("gone.opt.example.com.", EVIL)];
    expect(&inserted, "insecure: opt-out");
    // The lies about other names, and one forged about this one, do not make the signed zone an unsigned one.
    let mut attempt = Attempt::in_world(style, world, "signed.opt.example.com.", TXT);
    attempt.responses.remove("signed.opt.example.com.", DS);
    let answers = &mut attempt.answer().answers;
    answers[0] = Record::txt("signed.opt.example.com.", EVIL);
    attempt.borrow_denials(&[
        ("signee.opt.example.com.", DS),
        ("gone.opt.example.com.", DS),
        ("opt.example.com.", MX),
    ]);
    let forged = Nsec3Maker::of("opt.example.com.").flags(OPT_OUT);
    let forged = forged.over("signed.opt.example.com.");
    attempt.answer().authorities.push(forged);
    let verdict = attempt.verdict();
    assert!(verdict.starts_with("dnssec."), "{verdict}");
}

/// CVE-2019-10190 (Knot Resolver): NXDOMAIN passed though its denial failed to validate; CVE-2020-12244 (`PowerDNS`
/// Recursor): records in the answer section of an NXDOMAIN without SOA were not validated. The code decides nothing.
#[test]
fn cve_2020_12244_records_under_nxdomain() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        attempt.answer().rcode = NXDOMAIN;
        attempt.answer().answers = vec![Record::txt(OWNER, EVIL)];
        expect(&attempt, "dnssec.no_rrsig");
        attempt.clear();
        expect(&attempt, "dnssec.unproven_denial");
        attempt.borrow_denials(&[("gone.example.com.", TXT)]);
        attempt.answer().drop_signatures();
        assert!(!is_fact(&attempt.verdict()));
    }
}

/// CVE-2019-10191 (Knot Resolver): a signed zone was downgraded to an unsigned one. That takes a signed proof by the
/// zone above that there is no DS; a response without DS is none, nor is a failure.
#[test]
fn cve_2019_10191_a_downgrade_without_proof() {
    for style in STYLES {
        let attempt = Attempt::new(style);
        for rcode in [0, 2, NXDOMAIN] {
            let mut attempt = attempt.clone();
            let ds = attempt.responses.of("example.com.", DS);
            ds.answers.clear();
            ds.rcode = rcode;
            attempt.responses.remove("example.com.", DNSKEY);
            attempt.answer().answers = vec![Record::txt(OWNER, EVIL)];
            let verdict = attempt.verdict();
            assert!(verdict.starts_with("dnssec."), "{style:?}: {verdict}");
        }
    }
}

/// CVE-2026-35501 and CVE-2026-50106 (Unbound): where an anchor is for a zone below an unsigned one, what the unsigned
/// zone says, or an NSEC without the SOA bit at the anchored zone's apex, made its names count as unsigned. An anchor
/// is as good as a DS (RFC 4035 §5).
#[test]
fn cve_2026_35501_and_cve_2026_50106_an_island_below_an_unsigned_zone() {
    for style in STYLES {
        let island = sea_around(style.zone("island.sea."), style);
        for (make, expected) in ISLAND {
            let mut attempt = Attempt::in_world(style, island.clone(), "a.island.sea.", TXT);
            attempt.anchors = island.anchors() + &island.anchors_of("island.sea.");
            // That the sea is unsigned is proven, and shown.
            let sea = island.answer("sea.", DS);
            attempt.responses.0.insert(0, sea);
            make(&mut attempt);
            expect(&attempt, expected);
        }
    }
}

/// A world in which the root and this zone are signed, and `sea.` between them is not.
fn sea_around(island: ZoneSpec, style: Style) -> World {
    World::builder()
        .at(NOON)
        .with_zone(style.zone("."))
        .with_zone(ZoneSpec::new("sea.", Algorithm::Ed25519).unsigned())
        .with_zone(island)
        .txt("a.island.sea.", TEXT)
        .txt("a.sea.", TEXT)
        .build()
}

type Change = (fn(&mut Attempt), &'static str);

const ISLAND: &[Change] = &[
    (|_| {}, "proven"),
    (
        |attempt| ask_island(attempt, "gone.island.sea.", TXT),
        "nxdomain",
    ),
    (
        |attempt| ask_island(attempt, "a.sea.", TXT),
        "insecure: no DS",
    ),
    (
        |attempt| ask_island(attempt, "island.sea.", DS),
        "insecure: no DS",
    ),
    (
        |attempt| {
            let signing = attempt.world.signing("island.sea.", KeyRole::Zsk);
            attempt.answer().sign(&signing.corrupt());
        },
        "dnssec.bad_signature",
    ),
    (
        |attempt| _ = attempt.answer().drop_signatures(),
        "dnssec.no_rrsig",
    ),
    (Attempt::clear, "dnssec.unproven_denial"),
    (
        // An NSEC or NSEC3 record at the apex without the SOA bit, which nobody signed.
        |attempt| {
            attempt.answer().drop_signatures();
            let forged = match attempt.style {
                Style::Nsec => Record::nsec("island.sea.", "a.island.sea.", &[NS, NSEC]),
                Style::Nsec3 => Nsec3Maker::of("island.sea.").at("island.sea.", &[NS]),
            };
            attempt.answer().authorities.push(forged);
        },
        "dnssec.no_rrsig",
    ),
    (
        // A denial in the name of the unsigned zone.
        |attempt| {
            attempt.clear();
            let signing = attempt.world.signing("sea.", KeyRole::Zsk);
            let forged = match attempt.style {
                Style::Nsec => Record::nsec("sea.", "z.sea.", &[NS, SOA, NSEC]),
                Style::Nsec3 => Nsec3Maker::of("sea.").at("a.island.sea.", &[]),
            };
            attempt.deny_signed(&signing, &[forged]);
        },
        "dnssec.missing_response",
    ),
];

/// Asks another question, and shows that the sea is unsigned.
fn ask_island(attempt: &mut Attempt, name: &str, record_type: u16) {
    attempt.ask(name, record_type);
    let sea = attempt.world.answer("sea.", DS);
    attempt.responses.0.insert(0, sea);
}

/// The same where the delegation above the island is signed with nothing known (RFC 4035 §5.2), where it lies in a span
/// that opts out, and where it is the delegation to the island itself that is unsigned.
#[test]
fn an_island_below_what_counts_as_unsigned() {
    let style = Style::Nsec3;
    let ed25519 = |name: &str| style.denying(ZoneSpec::new(name, Algorithm::Ed25519));
    let sea_of = |sea: ZoneSpec| vec![style.zone("."), sea, style.zone("island.sea.")];
    let cases = [
        (
            sea_of(ed25519("sea.").ds_digests(&[SHA1])),
            "insecure: algorithms",
            "dnssec.dnskey_not_committed",
        ),
        (
            vec![
                style.zone(".").opt_out(),
                ed25519("sea.").insecure(),
                style.zone("island.sea."),
            ],
            "insecure: opt-out",
            "dnssec.unproven_denial",
        ),
        (
            vec![
                style.zone("."),
                ed25519("sea."),
                ed25519("island.sea.").insecure(),
            ],
            "insecure: no DS",
            "proven",
        ),
        (
            vec![
                style.zone("."),
                ed25519("sea.").opt_out(),
                ed25519("island.sea.").insecure(),
            ],
            "insecure: opt-out",
            "proven",
        ),
        (
            vec![
                style.zone("."),
                ed25519("sea."),
                ed25519("island.sea.").ds_digests(&[SHA1]),
            ],
            "insecure: algorithms",
            "proven",
        ),
    ];
    for (zones, cause, of_the_sea) in cases {
        let world = zones
            .into_iter()
            .fold(World::builder().at(NOON), WorldBuilder::with_zone)
            .txt("a.island.sea.", TEXT)
            .build();
        let mut attempt = Attempt::in_world(style, world.clone(), "a.island.sea.", TXT);
        expect(&attempt, cause);
        attempt.anchors += &world.anchors_of("island.sea.");
        expect(&attempt, "proven");
        attempt.answer().drop_signatures();
        expect(&attempt, "dnssec.no_rrsig");
        attempt.clear();
        expect(&attempt, "dnssec.unproven_denial");
        // Signed by the zone above in its own name: as good as its keys are, and no reason to call the island unsigned.
        evil_answer(&mut attempt, &world.signing("sea.", KeyRole::Zsk));
        expect(&attempt, of_the_sea);
    }
}

// Messages and names

/// CVE-2026-123581 (Hickory DNS): any signed RRset in the answer section made a response a positive answer. Only the
/// RRset that was asked for answers, or an alias of its name.
#[test]
fn cve_2026_123581_a_signed_rrset_that_nobody_asked_for() {
    for style in STYLES {
        let attempt = Attempt::new(style);
        for (owner, record_type) in [("example.com.", SOA), ("com.", DS), (".", NS)] {
            let mut attempt = attempt.clone();
            attempt.answer().answers = attempt.world.answer(owner, record_type).answers;
            expect(&attempt, "dnssec.unproven_denial");
        }
    }
}

/// CVE-2026-123599 (Hickory DNS): records of other classes than IN went unverified, and were believed with those of IN.
/// No other class counts (RFC 4034 §3.1.8.1: it is under the signature).
#[test]
fn cve_2026_123599_records_of_another_class() {
    for style in STYLES {
        let mut attempt = Attempt::new(style);
        let evil = Record::txt(OWNER, EVIL).with_class(CH);
        attempt.answer().answers.insert(0, evil);
        let found = attempt.find();
        assert_eq!(
            found.what,
            What::Records(vec![Record::txt(OWNER, TEXT).rdata])
        );
        // A DS of another class for the attacker's key.
        let new = ZoneKey::new(Key::generate(Algorithm::Ed25519), ZONE_KEY);
        let rdata = new.ds_rdata(&"example.com.".into(), SHA256);
        let ds = Record::new("example.com.", DS, rdata).with_class(CH);
        attempt
            .responses
            .of("example.com.", DS)
            .answers
            .insert(0, ds);
        let signing = attempt
            .world
            .signing("example.com.", KeyRole::Ksk)
            .zone_key(new.clone());
        let keys = attempt.responses.of("example.com.", DNSKEY);
        add_keys(keys, &[new]);
        keys.sign(&signing);
        evil_answer(&mut attempt, &signing);
        expect(&attempt, "dnssec.dnskey_not_committed");
    }
}

/// CVE-2026-123592 (Hickory DNS): names that differ in the places of their dots alone were one. Names are compared
/// label by label, here as octets with their lengths.
#[test]
fn cve_2026_123592_dots_in_other_places() {
    let style = Style::Nsec;
    let attempt = with_evil(style, &["ve.raidexample.com.", "raidexample.com."]);
    for (name, twin) in [
        ("ab.c.example.com.", "a.bc.example.com."),
        (r"ab\.c.example.com.", "ab.c.example.com."),
    ] {
        let world = zones(style).txt(twin, EVIL).build();
        let mut attempt = Attempt {
            world,
            ..attempt.clone()
        };
        attempt.ask(twin, TXT);
        name.clone_into(&mut attempt.name);
        attempt.anchors = attempt.world.anchors();
        expect(&attempt, "dnssec.missing_response");
        attempt.answer().questions = vec![Question::new(name, TXT)];
        assert!(!is_fact(&attempt.verdict()), "{name}");
    }
}

// Times

/// RRSIG times wrap around in 2106 (RFC 4034 §3.1.5, RFC 1982): compared as plain numbers, a signature that is valid
/// across the end of 32 bits would never be, and one that expires before its inception would be for 68 years. An RRSIG
/// holds from its inception on for as long as it says, less than 2^31 seconds, and is anchored in the era of its
/// inception.
#[test]
fn rrsig_times_that_wrap_around_2106() {
    const WRAP: i64 = 1 << 32;
    let answer = |inception: i64, expiration: i64| {
        let mut attempt = Attempt::new(Style::Nsec);
        let signing = attempt.world.signing_for(OWNER, TXT);
        attempt
            .answer()
            .sign(&signing.window(inception, expiration));
        attempt
    };
    for (inception, expiration, reason) in [
        // Past the wrap from this side: in the year 2106.
        (WRAP - DAY, WRAP + NOON, "dnssec.rrsig_not_yet_valid"),
        // The same numbers the other way round: it expires before it begins.
        (WRAP + NOON, WRAP - DAY, "dnssec.rrsig_period"),
        // From 1970 on; 2^31 seconds later is the year 2038.
        (0, (1 << 31) - 1, "proven"),
        (0, 1 << 31, "dnssec.rrsig_period"),
        // The same era's numbers, expired.
        (1, HOUR, "dnssec.rrsig_expired"),
        // Inception after the present by more than half of the numbers, expiration after that.
        (
            NOON + (1 << 31) + HOUR,
            NOON + (1 << 31) + DAY,
            "dnssec.rrsig_not_yet_valid",
        ),
        // By serial numbers and the present alone this holds now, since 1958.
        (
            NOON + (1 << 31) + HOUR,
            NOON + (1 << 32),
            "dnssec.rrsig_not_yet_valid",
        ),
    ] {
        let attempt = answer(inception, expiration);
        assert_eq!(attempt.verdict(), reason, "{inception} to {expiration}");
    }
    // Proofs reach across, and a signature of 1970 is not one of 2106.
    let world = World::builder()
        .at(WRAP)
        .window(WRAP - DAY, WRAP + DAY)
        .zone(".", Algorithm::Ed25519)
        .txt(OWNER, TEXT)
        .build();
    let mut attempt = Attempt::in_world(Style::Nsec, world, OWNER, TXT);
    for (time, expected) in [
        (WRAP - DAY - 1, "dnssec.rrsig_not_yet_valid"),
        (WRAP - DAY, "proven"),
        (WRAP, "proven"),
        (WRAP + DAY, "proven"),
        (WRAP + DAY + 1, "dnssec.rrsig_expired"),
        (0, "dnssec.rrsig_not_yet_valid"),
        (DAY, "dnssec.rrsig_not_yet_valid"),
    ] {
        attempt.period = (time, time);
        assert_eq!(attempt.verdict(), expected, "{time}");
    }
    let signing = attempt.world.signing_for(OWNER, TXT);
    attempt.answer().sign(&signing.window(0, DAY));
    attempt.period = (WRAP + HOUR, WRAP + HOUR);
    assert_eq!(attempt.verdict(), "dnssec.rrsig_expired");
    attempt.period = (0, WRAP + DAY);
    assert_eq!(attempt.verdict(), "dnssec.not_valid_together");
}

/// Aliases without end ask for work without end (Bushart and Rossow, "DNS Unchained: Amplified Application-Layer `DoS`
/// Attacks Against DNS Authoritatives", 2018): no more than eight are followed, and each has to be proven first.
#[test]
fn aliases_without_end() {
    let mut attempt = Attempt::new(Style::Nsec);
    attempt.publish(|world| {
        (0..100).fold(world, |world, number| {
            let [from, to] = [number, number + 1].map(|number| format!("{number}.example.com."));
            world.record(Record::of_name(from.as_str(), CNAME, to.as_str()))
        })
    });
    attempt.world = attempt.world.with_targets_apart();
    attempt.ask("0.example.com.", TXT);
    assert!(attempt.responses.0.len() > 50);
    expect(&attempt, "dnssec.too_many_aliases");
}

/// A response may hold the attacker's records for other names, which no question asked for ("Kaminsky's attack", 2008;
/// CVE-2025-40778, BIND): they are not looked at.
#[test]
fn cve_2025_40778_records_that_nobody_asked_for() {
    let mut attempt = Attempt::new(Style::Nsec);
    let mut other = attempt.world.answer("example.com.", A);
    other.answers = vec![
        Record::txt(OWNER, EVIL),
        Record::of_name("example.com.", DNAME, "evil.com."),
    ];
    other.additionals = other.answers.clone();
    attempt.responses.0.insert(0, other);
    let found = attempt.find();
    assert_eq!(
        found.what,
        What::Records(vec![Record::txt(OWNER, TEXT).rdata])
    );
    attempt.responses.remove(OWNER, TXT);
    expect(&attempt, "dnssec.missing_response");
}

/// What denies in one zone is of no use in another, whose names sort alike (RFC 8198 §4: aggressive use is within the
/// zone of the signer).
#[test]
fn a_denial_of_a_sibling_with_the_same_names() {
    for style in STYLES {
        let mut attempt = with_evil(style, &["evil.com."]);
        let denial = denying_records(&attempt.world.answer("_veraid.evil.com.", TXT));
        attempt.ask_in_vain(OWNER, TXT);
        attempt.show_zone("evil.com.");
        attempt.deny("evil.com.", &denial);
        expect(&attempt, "dnssec.unproven_denial");
    }
}
