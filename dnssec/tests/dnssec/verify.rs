//! Chains that must verify, and for exactly which seconds (RFC 4035 §5, RFC 6840 §5).

use kliento_fixtures::{
    Algorithm, DNSKEY, DS, Key, KeyRole, MX, NS, NXDOMAIN, Name, Question, Record, Response,
    Responses, SERVFAIL, SHA1, SHA256, SHA384, SOA, SRV, Signing, TXT, World, ZONE_KEY, ZoneKey,
    ZoneSpec,
};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use crate::support::{
    DAY, HOUR, NOON, OWNER, Proven, TEXT, WORLD, at, period, prove, random, standard, verify,
};

/// The RDATA of [`TEXT`].
fn text_rdata() -> Vec<u8> {
    Record::txt(OWNER, TEXT).rdata
}

/// Proves [`TEXT`] at [`OWNER`] at [`NOON`] with this world's anchors.
#[track_caller]
fn prove_text(world: &World, responses: &Responses) -> Proven {
    let proven = prove(
        &responses.to_messages(),
        OWNER,
        TXT,
        &world.anchors(),
        at(NOON),
    );
    assert_eq!(proven.rdata, [text_rdata()]);
    proven
}

/// Proves the answer that the world gives to a question, at [`NOON`].
#[track_caller]
fn prove_answer(world: &World, name: &str, record_type: u16) -> Proven {
    let messages = world.chain(name, record_type);
    prove(&messages, name, record_type, &world.anchors(), at(NOON))
}

/// Root, TLD and organisation, the last as given.
fn world_with(organisation: ZoneSpec) -> World {
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("com.", Algorithm::Ed25519)
        .with_zone(organisation)
        .txt(OWNER, TEXT)
        .build()
}

// Keys and delegations

#[test]
fn every_algorithm_verifies_at_every_level() {
    for algorithm in Algorithm::SECURE {
        // RSA keys take long to make; zones may share one.
        let key = Key::generate(algorithm);
        let zone = |name: &str| ZoneSpec::new(name, algorithm).csk(key.clone());
        let world = World::builder()
            .at(NOON)
            .with_zone(zone("."))
            .with_zone(zone("com."))
            .with_zone(zone("example.com."))
            .txt(OWNER, TEXT)
            .build();
        prove_text(&world, &world.responses(OWNER, TXT));
    }
}

#[test]
fn rsa_zone_keys_of_1024_bits_are_legal() {
    for algorithm in [Algorithm::RsaSha256, Algorithm::RsaSha512] {
        let key = Key::recorded_rsa(algorithm, 1_024);
        let world = world_with(ZoneSpec::new("example.com.", algorithm).csk(key));
        prove_text(&world, &world.responses(OWNER, TXT));
    }
}

#[test]
fn a_zone_may_mix_algorithms() {
    let zsk = Key::generate(Algorithm::Ed25519);
    let world = world_with(ZoneSpec::new("example.com.", Algorithm::EcdsaP384Sha384).zsk(zsk));
    prove_text(&world, &world.responses(OWNER, TXT));
}

#[test]
fn a_ds_may_commit_to_any_zone_key() {
    for organisation in [
        ZoneSpec::new("example.com.", Algorithm::Ed25519),
        ZoneSpec::new("example.com.", Algorithm::Ed25519).single_key(),
        ZoneSpec::new("example.com.", Algorithm::Ed25519)
            .single_key()
            .ksk_flags(ZONE_KEY),
        ZoneSpec::new("example.com.", Algorithm::Ed25519).entry(KeyRole::Zsk),
    ] {
        let world = world_with(organisation);
        prove_text(&world, &world.responses(OWNER, TXT));
    }
}

#[test]
fn a_strangers_key_that_signs_nothing_does_no_harm() {
    let stranger = ZoneKey::new(Key::random_junk(13), ZONE_KEY);
    let unknown = ZoneKey::new(Key::random_junk(16), ZONE_KEY);
    let world = world_with(
        ZoneSpec::new("example.com.", Algorithm::Ed25519)
            .extra_key(stranger)
            .extra_key(unknown),
    );
    prove_text(&world, &world.responses(OWNER, TXT));
}

#[test]
fn zones_may_be_cut_at_any_labels() {
    const CUTS: [&str; 4] = [
        "com.",
        "example.com.",
        "dept.example.com.",
        "_veraid.dept.example.com.",
    ];
    for cut in 0..1 << CUTS.len() {
        let mut builder = World::builder().at(NOON).zone(".", Algorithm::Ed25519);
        for (index, zone) in CUTS.iter().enumerate() {
            if cut & 1 << index != 0 {
                builder = builder.zone(*zone, Algorithm::EcdsaP256Sha256);
            }
        }
        let world = builder.txt(CUTS[3], TEXT).build();
        let proven = prove_answer(&world, CUTS[3], TXT);
        assert_eq!(proven.rdata, [text_rdata()], "cut {cut:04b}");
    }
}

#[test]
fn one_known_ds_digest_is_enough() {
    /// A digest type that IANA has not assigned.
    const UNKNOWN: u8 = 200;
    for digests in [
        &[SHA256][..],
        &[SHA384],
        &[SHA256, SHA384],
        &[SHA1, SHA384],
        &[UNKNOWN, SHA1, SHA256],
    ] {
        let world =
            world_with(ZoneSpec::new("example.com.", Algorithm::Ed25519).ds_digests(digests));
        prove_text(&world, &world.responses(OWNER, TXT));
    }
}

/// RFC 6840 §5.11: a validator must not insist that all algorithms of the DS RRset work.
#[test]
fn a_good_ds_is_enough_beside_those_of_other_keys() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let ds = responses.of("example.com.", DS);
    for algorithm in [5, 8, 13, 16] {
        let other = ZoneKey::new(Key::random_junk(algorithm), ZONE_KEY);
        let rdata = other.ds_rdata(&Name::from("example.com."), SHA256);
        ds.answers.insert(0, Record::new("example.com.", DS, rdata));
    }
    // One whose tag and algorithm are the right key's, and its digest not.
    let mut wrong = ds.of_type(DS).last().expect("there is a DS").clone();
    *wrong.rdata.last_mut().expect("it has a digest") ^= 1;
    ds.answers.insert(0, wrong);
    WORLD.resign(ds);
    prove_text(&WORLD, &responses);
}

// Anchors

#[test]
fn anchors_are_ds_or_dnskey_lines_and_one_of_several_is_enough() {
    let other = standard().build();
    let messages = WORLD.chain(OWNER, TXT);
    let below = format!("example.org. {}", other.anchors().trim_start_matches(". "));
    for anchors in [
        WORLD.anchors_as_dnskeys(),
        other.anchors() + &WORLD.anchors(),
        WORLD.anchors() + &other.anchors(),
        other.anchors_as_dnskeys() + &below + &WORLD.anchors(),
    ] {
        prove(&messages, OWNER, TXT, &anchors, at(NOON));
    }
}

/// The key of a zone of [`WORLD`] as an anchor.
fn anchor_of(zone: &str) -> String {
    let zone = WORLD.zone(zone);
    let rdata = zone.committed_key().ds_rdata(zone.name(), SHA384);
    let digest = data_encoding::HEXLOWER.encode(&rdata[4..]);
    let key_tag = zone.committed_key().key_tag();
    format!("{} IN DS {key_tag} {} 4 {digest}\n", zone.name(), rdata[2])
}

#[test]
fn an_anchor_below_the_root_needs_nothing_from_above() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let whole = responses.to_messages();
    for zone in [".", "com."] {
        responses.remove(zone, DNSKEY);
    }
    responses.remove("com.", DS);
    prove(
        &responses.to_messages(),
        OWNER,
        TXT,
        &anchor_of("example.com."),
        at(NOON),
    );
    responses.remove("example.com.", DS);
    prove(
        &responses.to_messages(),
        OWNER,
        TXT,
        &anchor_of("example.com."),
        at(NOON),
    );
    // What lies above may be there all the same, and may be believed or not.
    prove(&whole, OWNER, TXT, &anchor_of("com."), at(NOON));
    let stranger = standard().build().anchors();
    prove(
        &whole,
        OWNER,
        TXT,
        &(stranger + &anchor_of("example.com.")),
        at(NOON),
    );
}

/// Accept Any Success (RFC 6840 §5.10 and appendix C.2): a stale anchor does not cut off a zone that its parent vouches
/// for.
#[test]
fn an_anchor_that_does_not_fit_leaves_the_way_from_above_open() {
    let stale = standard().zone("example.org.", Algorithm::Ed25519).build();
    let stale = stale.zone("example.org.").committed_key();
    let digest = stale.ds_rdata(&Name::from("example.com."), SHA256);
    let digest = data_encoding::HEXLOWER.encode(&digest[4..]);
    let anchors = format!("example.com. DS {} 15 2 {digest}\n", stale.key_tag());
    let messages = WORLD.chain(OWNER, TXT);
    prove(
        &messages,
        OWNER,
        TXT,
        &(anchors + &WORLD.anchors()),
        at(NOON),
    );
}

#[test]
fn an_anchor_holds_for_the_times_that_its_xml_says() {
    let zone = WORLD.zone(".");
    let rdata = zone.committed_key().ds_rdata(zone.name(), SHA256);
    let xml = format!(
        r#"<TrustAnchor><Zone>.</Zone>
        <KeyDigest validFrom="2026-11-21T11:30:00Z" validUntil="2026-11-21T12:30:00Z">
        <KeyTag>{}</KeyTag><Algorithm>{}</Algorithm><DigestType>2</DigestType><Digest>{}</Digest>
        </KeyDigest></TrustAnchor>"#,
        zone.committed_key().key_tag(),
        rdata[2],
        data_encoding::HEXUPPER.encode(&rdata[4..]),
    );
    let proven = prove(&WORLD.chain(OWNER, TXT), OWNER, TXT, &xml, at(NOON));
    assert_eq!(proven.validity, [(NOON - HOUR / 2, NOON + HOUR / 2 - 1)]);
}

#[test]
fn a_ds_of_the_root_counts_for_nothing() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let stranger = ZoneKey::new(Key::random_junk(13), ZONE_KEY);
    let mut response = Response::new(".", DS);
    let rdata = stranger.ds_rdata(&Name::root(), SHA256);
    response.answers.push(Record::new(".", DS, rdata));
    response.sign(&WORLD.signing("com.", KeyRole::Zsk));
    responses.0.insert(0, response);
    prove_text(&WORLD, &responses);
}

// Messages

#[test]
fn names_compare_without_case_wherever_they_stand() {
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone("CoM.", Algorithm::EcdsaP256Sha256)
        .zone("eXample.cOM.", Algorithm::EcdsaP256Sha256)
        .txt("_VeraID.Example.com.", TEXT)
        .build();
    let mut responses = world.responses("_veraid.EXAMPLE.com.", TXT);
    responses.of("com.", DS).questions[0].name = Name::from("COM.");
    responses
        .of("example.com.", DNSKEY)
        .data_mut()
        .next()
        .expect("a key")
        .owner = Name::from("EXAMPLE.COM.");
    for name in ["_veraid.example.com", "_VERAID.EXAMPLE.COM."] {
        let anchors = world.anchors();
        prove(&responses.to_messages(), name, TXT, &anchors, at(NOON));
    }
    let below = World::builder()
        .at(NOON)
        .zone("eXample.cOM.", Algorithm::Ed25519)
        .txt(OWNER, TEXT)
        .build();
    prove_answer(&below, OWNER, TXT);
}

#[test]
fn messages_may_be_compressed_or_not() {
    let world = standard().uncompressed().txt(OWNER, TEXT).build();
    let uncompressed = world.responses(OWNER, TXT);
    prove_text(&world, &uncompressed);
    let mut compressed = uncompressed.clone();
    for response in &mut compressed.0 {
        response.compress = true;
    }
    assert!(compressed.to_der().len() < uncompressed.to_der().len());
    prove_text(&world, &compressed);
}

#[test]
fn id_and_flags_prove_nothing_either_way() {
    let mut responses = WORLD.responses(OWNER, TXT);
    for flags in [0x0000, 0xffff, 0x7800] {
        for (id, response) in (0..).zip(&mut responses.0) {
            (response.id, response.flags) = (id, flags);
        }
        prove_text(&WORLD, &responses);
    }
}

#[test]
fn nxdomain_says_nothing_against_signed_records() {
    let mut responses = WORLD.responses(OWNER, TXT);
    for response in &mut responses.0 {
        response.rcode = NXDOMAIN;
    }
    prove_text(&WORLD, &responses);
}

#[test]
fn what_else_is_in_the_chain_and_its_messages_is_passed_over() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let other = standard().txt(OWNER, "2 another 60").build();
    // Other types and names, denials of both kinds, and what a resolver says of unsigned cuts.
    responses.0.insert(0, WORLD.answer(OWNER, MX));
    responses.0.insert(0, WORLD.answer(OWNER, DS));
    responses.0.insert(0, WORLD.answer(OWNER, DNSKEY));
    responses.0.push(WORLD.answer("nowhere.example.com.", TXT));
    responses.0.push(other.answer("example.com.", SOA));
    // Questions that are none, or of another class.
    let mut unasked = other.answer(OWNER, TXT);
    unasked.questions.clear();
    responses.0.push(unasked.clone());
    unasked.questions = vec![Question::new(OWNER, TXT); 2];
    responses.0.push(unasked.clone());
    unasked.questions.truncate(1);
    unasked.questions[0].class = kliento_fixtures::CH;
    responses.0.push(unasked);
    // Records of other owners, classes and types before and behind the answer; anything in the other sections.
    let answer = responses.of(OWNER, TXT);
    let foreign = other.answer(OWNER, TXT).answers;
    answer
        .answers
        .insert(0, Record::txt("example.com.", "other owner"));
    answer
        .answers
        .insert(0, foreign[0].clone().with_class(kliento_fixtures::CH));
    answer
        .answers
        .push(Record::txt("x._veraid.example.com.", "other owner"));
    answer.answers.push(Record::mx(OWNER, 10, "example.com."));
    answer.authorities.clone_from(&foreign);
    answer.additionals = foreign;
    answer.additionals.push(Record::opt());
    prove_text(&WORLD, &responses);
}

#[test]
fn the_same_response_twice_is_one() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let mut again = responses.clone();
    for response in &mut again.0 {
        (response.id, response.flags) = (4_711, 0);
    }
    responses.0.extend(again.0);
    prove_text(&WORLD, &responses);
}

#[test]
fn a_response_that_says_servfail_counts_for_nothing_beside_a_good_one() {
    for (name, record_type) in SIGNED {
        let mut responses = WORLD.responses(OWNER, TXT);
        // The same as the good one but for the code, and one with nothing in it.
        let mut failed = responses.of(name, record_type).clone();
        failed.rcode = SERVFAIL;
        responses.0.insert(0, failed.clone());
        prove_text(&WORLD, &responses);
        failed.answers.clear();
        responses.0[0] = failed;
        prove_text(&WORLD, &responses);
    }
}

// RRsets and their signatures

/// RRSIGs that prove nothing, each for another reason.
fn useless(signing: &Signing) -> Vec<Signing> {
    let signing = || signing.clone();
    let stranger = Key::generate(Algorithm::Ed25519);
    vec![
        signing().expired(),
        signing().not_yet_valid(),
        signing().window(NOON + HOUR, NOON - HOUR),
        signing().corrupt(),
        signing().algorithm(5),
        signing().algorithm(16),
        signing().key(stranger),
        signing().key_tag(signing().key.key_tag() ^ 1),
        signing().signer("org."),
        signing().labels(9),
        signing().type_covered(SRV),
    ]
}

const SIGNED: [(&str, u16); 4] = [
    (".", DNSKEY),
    ("com.", DS),
    ("example.com.", DNSKEY),
    (OWNER, TXT),
];

/// RFC 6840 §5.4: one good RRSIG is enough.
#[test]
fn one_good_rrsig_is_enough_whatever_stands_before_or_behind_it() {
    for (owner, record_type) in SIGNED {
        let good = WORLD.signing_for(owner, record_type);
        for bad in useless(&good) {
            let mut responses = WORLD.responses(OWNER, TXT);
            responses.of(owner, record_type).put_signature_first(&bad);
            prove_text(&WORLD, &responses);
            responses
                .of(owner, record_type)
                .sign(&good)
                .add_signature(&bad);
            prove_text(&WORLD, &responses);
        }
        let mut signings = useless(&good);
        signings.push(good);
        for _ in 0..signings.len() {
            signings.rotate_left(1);
            let mut responses = WORLD.responses(OWNER, TXT);
            let response = responses.of(owner, record_type).drop_signatures();
            for signing in &signings {
                response.add_signature(signing);
            }
            prove_text(&WORLD, &responses);
        }
    }
}

#[test]
fn an_rrsig_may_come_before_its_rrset() {
    let mut responses = WORLD.responses(OWNER, TXT);
    for response in &mut responses.0 {
        response.answers.reverse();
    }
    prove_text(&WORLD, &responses);
}

#[test]
fn keys_with_one_tag_are_tried_in_turn() {
    for (zone, role) in [(".", KeyRole::Ksk), ("example.com.", KeyRole::Zsk)] {
        let mut responses = WORLD.responses(OWNER, TXT);
        let key = WORLD.zone(zone).key(role).clone();
        // Of this algorithm few octets are a key at all, so most of these cost next to nothing to refuse.
        let colliding =
            kliento_fixtures::hostile::colliding_keys(key.key.algorithm(), key.key_tag(), 3);
        let response = responses.of(zone, DNSKEY);
        kliento_fixtures::hostile::add_keys(response, &colliding);
        WORLD.resign(response);
        response.answers.reverse();
        prove_text(&WORLD, &responses);
    }
}

/// The worlds before and after `example.com.` took new keys; the zones above are the same.
fn rollover() -> (World, World) {
    let [root, tld, old, new] = [(); 4].map(|()| Key::generate(Algorithm::Ed25519));
    let world = |key: Key| {
        let zone = |name: &str, key: &Key| ZoneSpec::new(name, Algorithm::Ed25519).csk(key.clone());
        World::builder()
            .at(NOON)
            .with_zone(zone(".", &root))
            .with_zone(zone("com.", &tld))
            .with_zone(zone("example.com.", &key))
            .txt(OWNER, TEXT)
            .build()
    };
    (world(old), world(new))
}

#[test]
fn each_of_several_dnskey_and_ds_responses_for_one_name_is_tried() {
    let (old, new) = rollover();
    for (stale, current) in [(&old, &new), (&new, &old)] {
        let mut responses = current.responses(OWNER, TXT);
        responses.0.insert(0, stale.answer("example.com.", DNSKEY));
        prove_text(current, &responses);
        responses.0.insert(0, stale.answer("example.com.", DS));
        prove_text(current, &responses);
        // An unsigned one and a denial, too.
        let mut unsigned = stale.answer("example.com.", DNSKEY);
        unsigned.drop_signatures();
        responses.0.insert(0, unsigned);
        let mut denial = current.answer("nowhere.com.", DS);
        denial.questions[0].name = Name::from("example.com.");
        responses.0.insert(0, denial);
        prove_text(current, &responses);
    }
}

#[test]
fn an_answer_may_be_signed_by_old_and_new_keys_at_once() {
    let (old, new) = rollover();
    for (first, second) in [(&old, &new), (&new, &old)] {
        let mut responses = new.responses(OWNER, TXT);
        responses
            .answer()
            .sign(&first.signing_for(OWNER, TXT))
            .add_signature(&second.signing_for(OWNER, TXT));
        prove_text(&new, &responses);
        prove_text(&old, &{
            let mut responses = responses;
            *responses.of("example.com.", DNSKEY) = old.answer("example.com.", DNSKEY);
            *responses.of("example.com.", DS) = old.answer("example.com.", DS);
            responses
        });
    }
}

#[test]
fn rrsets_come_out_in_canonical_order_and_without_duplicates() {
    let mut records: Vec<Record> = ["b", "aa", "", "a", "ab", "A"]
        .map(|text| Record::txt(OWNER, text))
        .to_vec();
    let mut builder = standard();
    for record in &records {
        builder = builder.record(record.clone());
    }
    let world = builder.build();
    let mut expected: Vec<Vec<u8>> = records.drain(..).map(|record| record.rdata).collect();
    expected.sort();
    assert_eq!(
        expected,
        [
            &b"\x00"[..],
            b"\x01A",
            b"\x01a",
            b"\x01b",
            b"\x02aa",
            b"\x02ab"
        ]
    );

    let mut responses = world.responses(OWNER, TXT);
    let answers = &mut responses.answer().answers;
    let doubled = answers.clone();
    answers.extend(doubled);
    for _ in 0..answers.len() {
        responses.answer().answers.rotate_left(1);
        let proven = prove(
            &responses.to_messages(),
            OWNER,
            TXT,
            &world.anchors(),
            at(NOON),
        );
        assert_eq!(proven.rdata, expected);
    }
}

#[test]
fn ttls_may_be_counted_down_and_mixed() {
    let world = standard()
        .ttl(86_400)
        .record(Record::txt(OWNER, "a").with_ttl(86_400))
        .record(Record::txt(OWNER, "b").with_ttl(86_400))
        .build();
    let mut responses = world.responses(OWNER, TXT);
    for response in &mut responses.0 {
        for (ttl, record) in (0..).zip(&mut response.answers) {
            record.ttl = ttl;
        }
    }
    prove(
        &responses.to_messages(),
        OWNER,
        TXT,
        &world.anchors(),
        at(NOON),
    );
}

/// RFC 4034 §6.2, step 3: SOA, NS, MX, SRV and NAPTR with names in mixed case, and as they are signed.
#[test]
fn names_in_the_rdata_of_old_types_are_lowered() {
    const NAPTR: u16 = 35;
    let soa = |names: &[u8]| [names, &[0xab; 20]].concat();
    for (record, canonical) in [
        (
            Record::mx("example.com.", 10, "Mail.EXAMPLE.com."),
            &b"\x00\x0a\x04mail\x07example\x03com\x00"[..],
        ),
        (
            Record::of_name("example.com.", NS, "NS1.Example.com."),
            b"\x03ns1\x07example\x03com\x00",
        ),
        (
            Record::new("example.com.", SOA, soa(b"\x02NS\x00\x02Hm\x03COM\x00")),
            &soa(b"\x02ns\x00\x02hm\x03com\x00"),
        ),
        (
            Record::new(
                "_sip._tcp.example.com.",
                SRV,
                &b"\x00\x01\x00\x02\x13\xc4\x03SIP\x03COM\x00"[..],
            ),
            b"\x00\x01\x00\x02\x13\xc4\x03sip\x03com\x00",
        ),
        (
            Record::new(
                "example.com.",
                NAPTR,
                &b"\x00\x01\x00\x02\x01U\x07E2U+SIP\x02!A\x03COM\x00"[..],
            ),
            b"\x00\x01\x00\x02\x01U\x07E2U+SIP\x02!A\x03com\x00",
        ),
    ] {
        let (owner, record_type) = (record.owner.to_string(), record.record_type);
        for uncompressed in [false, true] {
            let mut builder = standard().record(record.clone());
            if uncompressed {
                builder = builder.uncompressed();
            }
            let proven = prove_answer(&builder.build(), &owner, record_type);
            assert_eq!(proven.rdata, [canonical], "type {record_type}");
        }
    }
}

#[test]
fn rdata_of_newer_types_stays_as_it_is() {
    for record_type in [65_280, 257, 64] {
        for rdata in [&b"\x03WWW\x03COM\x00"[..], b"", b"\xc0\x0c", &[0xff; 4_000]] {
            let world = standard()
                .record(Record::new(OWNER, record_type, rdata))
                .build();
            let proven = prove_answer(&world, OWNER, record_type);
            assert_eq!(proven.rdata, [rdata]);
        }
    }
}

#[test]
fn a_txt_record_may_have_several_strings() {
    let record = Record::txt_strings(OWNER, &[b"1 key", b"", &[b' '; 255], b"3600"]);
    let world = standard().record(record.clone()).build();
    let proven = prove_answer(&world, OWNER, TXT);
    assert_eq!(proven.rdata, [&record.rdata[..]]);
    let content = dnssec::txt_content(&proven.rdata[0]).expect("it is TXT RDATA");
    assert_eq!(content.len(), 5 + 255 + 4);
}

#[test]
fn zones_own_records_can_be_proven_too() {
    for (name, record_type) in [
        (".", DNSKEY),
        ("com.", DNSKEY),
        ("com.", DS),
        ("example.com.", DS),
        (".", SOA),
        ("example.com.", NS),
    ] {
        let proven = prove_answer(&WORLD, name, record_type);
        assert!(!proven.rdata.is_empty());
    }
}

/// `*.example.com.` asked for by that name is no expansion: its RRSIG counts two labels (RFC 4034 §3.1.3).
#[test]
fn a_wildcard_owner_asked_for_literally_is_a_name_like_any_other() {
    let world = standard().txt("*.example.com.", TEXT).build();
    prove_answer(&world, "*.example.com.", TXT);
}

/// An offline verifier cannot see a cut that the chain does not show, and a parent that wanted to could delegate to
/// itself: zones are cut where the signers say.
#[test]
fn a_parent_may_answer_for_names_below_where_another_chain_shows_a_cut() {
    for zone in [".", "com."] {
        let mut responses = WORLD.responses(OWNER, TXT);
        responses.answer().sign(&WORLD.signing(zone, KeyRole::Zsk));
        prove_text(&WORLD, &responses);
    }
}

// Times

#[test]
fn a_proof_holds_from_its_first_to_its_last_second_and_not_one_more() {
    let (from, until) = (NOON - 100, NOON + 100);
    for (owner, record_type) in SIGNED {
        let mut responses = WORLD.responses(OWNER, TXT);
        let signing = WORLD.signing_for(owner, record_type).window(from, until);
        responses.of(owner, record_type).sign(&signing);
        let messages = responses.to_messages();
        let ask = |period| verify(&messages, OWNER, TXT, &WORLD.anchors(), period);
        for period in [
            at(from),
            at(until),
            period(0, from),
            period(until, until + DAY),
            period(from - DAY, until + DAY),
            dnssec::Period::always(),
        ] {
            assert_eq!(
                ask(period).expect("it holds then").validity,
                [(from, until)]
            );
        }
        let early = ask(period(0, from - 1)).expect_err("it holds no earlier");
        assert_eq!(early.reason(), "dnssec.rrsig_not_yet_valid");
        let late = ask(period(until + 1, until + DAY)).expect_err("it holds no longer");
        assert_eq!(late.reason(), "dnssec.rrsig_expired");
    }
}

#[test]
fn a_signature_may_hold_for_one_second() {
    let mut responses = WORLD.responses(OWNER, TXT);
    for (owner, record_type) in SIGNED {
        let signing = WORLD.signing_for(owner, record_type).window(NOON, NOON);
        responses.of(owner, record_type).sign(&signing);
    }
    assert_eq!(prove_text(&WORLD, &responses).validity, [(NOON, NOON)]);
}

/// RFC 1982, RFC 4034 §3.1.5: times wrap at 2^32 seconds, in 2106.
#[test]
fn signatures_may_reach_past_the_year_2106() {
    const WRAP: i64 = 1 << 32;
    let world = World::builder()
        .at(WRAP)
        .window(WRAP - DAY, WRAP + DAY)
        .zone(".", Algorithm::Ed25519)
        .txt(OWNER, TEXT)
        .build();
    let messages = world.chain(OWNER, TXT);
    let proven = prove(&messages, OWNER, TXT, &world.anchors(), at(WRAP));
    assert_eq!(proven.validity, [(WRAP - DAY, WRAP + DAY)]);
}

/// Signatures outside of the period asked for are not looked at, so what they would add is not in the proof.
#[test]
fn a_proof_for_a_period_leaves_out_what_lies_apart_from_it() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let signing = WORLD.signing_for(OWNER, TXT);
    responses
        .answer()
        .sign(&signing.clone().window(NOON - 100, NOON + 100))
        .add_signature(&signing.clone().window(NOON + 101, NOON + 200))
        .add_signature(&signing.window(NOON + 300, NOON + 400));
    let messages = responses.to_messages();
    let ask = |period| prove(&messages, OWNER, TXT, &WORLD.anchors(), period).validity;
    assert_eq!(ask(at(NOON)), [(NOON - 100, NOON + 100)]);
    assert_eq!(
        ask(period(NOON + 100, NOON + 101)),
        [(NOON - 100, NOON + 200)]
    );
    assert_eq!(
        ask(dnssec::Period::always()),
        [(NOON - 100, NOON + 200), (NOON + 300, NOON + 400)]
    );
    let between = verify(&messages, OWNER, TXT, &WORLD.anchors(), at(NOON + 250));
    assert!(between.is_err());
}

/// Seconds of a short stretch of time that starts at [`NOON`], one bit each.
type Seconds = u32;
const STRETCH: i64 = 24;

/// First and last seconds from [`NOON`] on.
type Window = (i64, i64);

fn seconds_of(windows: &[Window]) -> Seconds {
    let within = |second| {
        windows
            .iter()
            .any(|(from, until)| (from..=until).contains(&&second))
    };
    (0..STRETCH)
        .filter(|&second| within(second))
        .fold(0, |set, second| set | 1 << second)
}

/// A chain whose signatures hold at odd times. `example.com.` has a KSK and two ZSKs, each ZSK in a DNSKEY RRset of its
/// own; all three sign the answer. Two DS RRsets commit to the KSK, by another digest each.
struct OddTimes {
    world: World,
    responses: Responses,
    /// When the RRSIGs over the root's DNSKEY RRset, the two DS RRsets and the two DNSKEY RRsets of the zone hold, and
    /// those over the answer by the first and second ZSK and by the KSK.
    windows: [Vec<Window>; 8],
}

impl OddTimes {
    fn new(random: &mut TestRng) -> Self {
        const ROOT_KEYS: usize = 0;
        const DELEGATION: usize = 1;
        const KEYS: usize = 2;
        const ANSWER: usize = 3;
        const OTHER_DELEGATION: usize = 4;
        const OTHER_KEYS: usize = 5;
        let [root, ksk, first, second] = [(); 4].map(|()| Key::generate(Algorithm::Ed25519));
        let world = |zsk: &Key, digest_type: u8| {
            let zone = ZoneSpec::new("example.com.", Algorithm::Ed25519).ds_digests(&[digest_type]);
            World::builder()
                .at(NOON)
                .with_zone(ZoneSpec::new(".", Algorithm::Ed25519).csk(root.clone()))
                .with_zone(zone.ksk(ksk.clone()).zsk(zsk.clone()))
                .txt(OWNER, TEXT)
                .build()
        };
        let [world, other] = [world(&first, SHA256), world(&second, SHA384)];
        let mut responses = world.responses(OWNER, TXT);
        responses.0.push(other.answer("example.com.", DS));
        responses.0.push(other.answer("example.com.", DNSKEY));
        responses.of(OWNER, TXT).drop_signatures();
        let zsk = |world: &World| world.signing("example.com.", KeyRole::Zsk);
        let windows = [
            (ROOT_KEYS, world.signing_for(".", DNSKEY)),
            (DELEGATION, world.signing_for("example.com.", DS)),
            (OTHER_DELEGATION, other.signing_for("example.com.", DS)),
            (KEYS, world.signing_for("example.com.", DNSKEY)),
            (OTHER_KEYS, other.signing_for("example.com.", DNSKEY)),
            (ANSWER, zsk(&world)),
            (ANSWER, zsk(&other)),
            (ANSWER, world.signing("example.com.", KeyRole::Ksk)),
        ]
        .map(|(index, signing)| {
            let response = &mut responses.0[index];
            if index != ANSWER {
                response.drop_signatures();
            }
            let windows: Vec<Window> = (0..random.random_range(1..=3))
                .map(|_| {
                    let from = random.random_range(0..STRETCH);
                    (from, random.random_range(from..STRETCH))
                })
                .collect();
            for (from, until) in &windows {
                response.add_signature(&signing.clone().window(NOON + from, NOON + until));
            }
            windows
        });
        Self {
            world,
            responses,
            windows,
        }
    }

    /// The seconds at which RFC 4035 §5 has the answer proven, by the signatures that hold at some second of `asked`.
    fn proven(&self, asked: Window) -> Seconds {
        let [
            root,
            sha256,
            sha384,
            first_keys,
            second_keys,
            by_first,
            by_second,
            by_ksk,
        ] = self.windows.each_ref().map(|windows| {
            let overlapping = windows
                .iter()
                .filter(|(from, until)| *from <= asked.1 && asked.0 <= *until)
                .copied();
            seconds_of(&overlapping.collect::<Vec<_>>())
        });
        let delegated = root & (sha256 | sha384);
        let (first, second) = (delegated & first_keys, delegated & second_keys);
        first & by_first | second & by_second | (first | second) & by_ksk
    }

    fn verify(&self, asked: Window) -> Seconds {
        let period = period(NOON + asked.0, NOON + asked.1);
        let messages = self.responses.to_messages();
        match verify(&messages, OWNER, TXT, &self.world.anchors(), period) {
            Ok(proven) => {
                let from_noon = |(from, until)| (from - NOON, until - NOON);
                let windows: Vec<Window> = proven.validity.into_iter().map(from_noon).collect();
                seconds_of(&windows)
            }
            Err(_) => 0,
        }
    }
}

/// The union over the RRSIGs of an RRset, the intersection along the chain, and never a key at another time than it is
/// proven for.
#[test]
fn a_proof_holds_at_exactly_the_seconds_at_which_a_chain_of_signatures_does() {
    let mut random = random();
    let mut proofs = 0;
    for _ in 0..150 {
        let odd = OddTimes::new(&mut random);
        for asked in [(0, STRETCH - 1), (3, 3), (12, 12), (5, 9), (9, 17)] {
            let expected = odd.proven(asked);
            assert_eq!(
                odd.verify(asked),
                expected,
                "{asked:?} of {:?}",
                odd.windows
            );
            proofs += usize::from(expected != 0);
        }
    }
    assert!(proofs > 100, "{proofs} are too few to say much");
}
