//! What [`Chain::minimal`] and [`Chain::to_authentication_chain`] keep of a chain: enough, no more, and always the same.

use dnssec::{
    Chain, Denial, Error, Fact, Period, RecordType, TrustAnchors, Validity,
    messages_from_authentication_chain,
};
use kliento_fixtures::{
    Algorithm, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, MX, NS, NSEC, NSEC3, NXDOMAIN, Name, RRSIG,
    Record, Response, Responses, SOA, TXT, World, WorldBuilder, ZONE_KEY, ZoneKey, ZoneSpec,
};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

use crate::support::{DAY, HOUR, NOON, OWNER, TEXT, WORLD, at, period, random};

// What is asked, and what is proven

/// A question to a world.
#[derive(Clone, Copy, Debug)]
struct Question {
    name: &'static str,
    record_type: u16,
}

const fn question(name: &'static str, record_type: u16) -> Question {
    Question { name, record_type }
}

/// A fact and the seconds of a period at which it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Proven {
    canonical_name: String,
    rdata: Vec<Vec<u8>>,
    denial: Option<Denial>,
    validity: Validity,
}

impl Proven {
    /// Whether this is the same fact, proven at all of those seconds at least.
    fn is_no_less_than(&self, other: &Self) -> bool {
        let same_times = Self {
            validity: other.validity.clone(),
            ..self.clone()
        };
        same_times == *other && self.validity.intersect(&other.validity) == other.validity
    }
}

/// A question with all that goes with it.
struct Case {
    name: dnssec::Name,
    record_type: RecordType,
    anchors: TrustAnchors,
    period: Period,
}

impl Case {
    fn new(world: &World, question: Question, period: Period) -> Self {
        Self {
            name: question.name.parse().expect("a name"),
            record_type: RecordType(question.record_type),
            anchors: world.anchors().parse().expect("anchors"),
            period,
        }
    }

    fn prove(&self, messages: &[Vec<u8>]) -> Result<Proven, Error> {
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        let fact = chain
            .look_up(&self.name, self.record_type, &self.anchors, self.period)?
            .into_secure()?;
        let (rdata, denial) = match &fact {
            Fact::Proven(proof) => (proof.rdata().map(<[u8]>::to_vec).collect(), None),
            Fact::ProvenAbsent(absence) => (Vec::new(), Some(absence.denial())),
            Fact::ProvenInsecure(insecure) => panic!("{insecure}"),
        };
        Ok(Proven {
            canonical_name: fact.canonical_name().to_string(),
            rdata,
            denial,
            validity: fact.validity().intersect_period(self.period),
        })
    }

    fn minimal(&self, messages: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        chain.minimal(&self.name, self.record_type, &self.anchors, self.period)
    }

    fn authentication_chain(&self, messages: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        chain.to_authentication_chain(&self.name, self.record_type, &self.anchors, self.period)
    }
}

// Messages, taken apart

/// Reads messages for change. All that is not in the answer section goes into the authority section.
fn read(messages: &[Vec<u8>]) -> Vec<Response> {
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).expect("messages");
    let record = |record: &dnssec::Record<'_>| {
        let rdata = record.canonical_rdata().expect("RDATA").to_vec();
        Record::new(name_of(&record.owner()), record.record_type().0, rdata)
            .with_ttl(record.ttl())
            .with_class(record.class())
    };
    let responses = chain.responses().iter().map(|read| {
        let (name, record_type) = read.question().expect("a question");
        let mut response = Response::new(name_of(&name), record_type.0);
        response.rcode = u8::try_from(read.response_code()).expect("an RCODE");
        response.answers = read.answers().iter().map(record).collect();
        response.authorities = read.others().iter().map(record).collect();
        response
    });
    responses.collect()
}

fn name_of(name: &dnssec::Name) -> Name {
    Name::from_labels(name.labels())
}

fn write(responses: &[Response]) -> Vec<Vec<u8>> {
    responses.iter().map(Response::to_message).collect()
}

fn sections(response: &mut Response) -> [&mut Vec<Record>; 2] {
    [&mut response.answers, &mut response.authorities]
}

/// The type of the RRset that a record belongs to or, if it is an RRSIG, covers.
fn rrset_type(record: &Record) -> u16 {
    record.type_covered().unwrap_or(record.record_type)
}

/// All that can be had by leaving one thing out: a response, an RRset with its RRSIGs, an RRSIG.
fn with_one_thing_less(messages: &[Vec<u8>]) -> Vec<(String, Vec<Vec<u8>>)> {
    let responses = read(messages);
    let mut smaller = Vec::new();
    for index in 0..responses.len() {
        let mut fewer = responses.clone();
        let gone = fewer.remove(index);
        smaller.push((format!("response to {:?}", gone.questions), write(&fewer)));
        for section in 0..2 {
            let mut here = responses[index].clone();
            let records = sections(&mut here)[section].clone();
            let mut rrsets: Vec<(Name, u16)> = Vec::new();
            for (position, record) in records.iter().enumerate() {
                let rrset = (record.owner.clone(), rrset_type(record));
                if !rrsets.contains(&rrset) {
                    rrsets.push(rrset);
                }
                if record.record_type == RRSIG {
                    let mut changed = responses.clone();
                    sections(&mut changed[index])[section].remove(position);
                    let what = format!(
                        "RRSIG {position} over {} {}",
                        record.owner,
                        rrset_type(record)
                    );
                    smaller.push((what, write(&changed)));
                }
            }
            for (owner, record_type) in rrsets {
                let mut changed = responses.clone();
                sections(&mut changed[index])[section]
                    .retain(|record| record.owner != owner || rrset_type(record) != record_type);
                smaller.push((format!("{owner} {record_type}"), write(&changed)));
            }
        }
    }
    smaller
}

fn octets(messages: &[Vec<u8>]) -> usize {
    messages.iter().map(Vec::len).sum()
}

/// Reduces, and checks all that has to hold of what is kept, in both forms.
#[track_caller]
fn check(case: &Case, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let whole = case.prove(messages).expect("the whole proves it");
    let kept = case.minimal(messages).expect("so it can be reduced");
    let proven = case.prove(&kept).expect("what is kept proves it");
    assert!(
        proven.is_no_less_than(&whole),
        "{proven:?}, the whole {whole:?}"
    );
    for (what, fewer) in with_one_thing_less(&kept) {
        let enough = case
            .prove(&fewer)
            .is_ok_and(|proven| proven.is_no_less_than(&whole));
        assert!(!enough, "the {what} is not needed");
    }
    let again = case.minimal(&kept).expect("it can be reduced again");
    assert_eq!(again, kept, "reduced twice");

    let list = case
        .authentication_chain(messages)
        .expect("it can be written");
    let listed = messages_from_authentication_chain(&list).expect("and read");
    let proven = case.prove(&listed).expect("and proves the fact");
    let of_several_versions = of_several_versions(&kept);
    if of_several_versions {
        assert!(
            whole.is_no_less_than(&proven),
            "{proven:?}, the whole {whole:?}"
        );
    } else {
        assert!(
            proven.is_no_less_than(&whole),
            "{proven:?}, the whole {whole:?}"
        );
    }
    let again = case
        .authentication_chain(&listed)
        .expect("it can be written again");
    assert_eq!(again, list, "written twice");
    kept
}

/// Whether two responses hold different versions of an RRset.
fn of_several_versions(messages: &[Vec<u8>]) -> bool {
    let mut seen = Vec::new();
    read(messages).iter().any(|response| {
        let mut rrsets: Vec<(Name, u16)> = Vec::new();
        for record in response.answers.iter().chain(&response.authorities) {
            let rrset = (record.owner.clone(), record.record_type);
            if record.record_type != RRSIG && !rrsets.contains(&rrset) {
                rrsets.push(rrset);
            }
        }
        rrsets.into_iter().any(|rrset| {
            let known = seen.contains(&rrset);
            seen.push(rrset);
            known
        })
    })
}

// Worlds, and what else a resolver might have said of them

const ALIAS: &str = "alias.example.com.";
const APEX_ALIAS: &str = "apex.example.com.";
const FAR: &str = "far.example.com.";
const ELSEWHERE: &str = "data.other.org.";

/// One of each kind of answer.
const QUESTIONS: [Question; 15] = [
    question(OWNER, TXT),
    question("a.wild.example.com.", TXT),
    question(ALIAS, TXT),
    question(ALIAS, CNAME),
    question(FAR, TXT),
    question("b.aliases.example.com.", TXT),
    question("data.moved.example.com.", TXT),
    question("c.d.moved.example.com.", TXT),
    question("example.com.", DNSKEY),
    // The same keys as an answer and as what it is proven with.
    question(APEX_ALIAS, DNSKEY),
    question("example.com.", DS),
    question("nothing.example.com.", TXT),
    question(OWNER, MX),
    question("e.wild.example.com.", MX),
    question("gone.example.com.", TXT),
];

fn world_of_all_kinds(organisation: ZoneSpec) -> World {
    let in_org = |builder: WorldBuilder| {
        builder
            .zone("org.", Algorithm::EcdsaP256Sha256)
            .zone("other.org.", Algorithm::Ed25519)
    };
    in_org(
        World::builder()
            .at(NOON)
            .zone(".", Algorithm::EcdsaP256Sha256)
            .zone("com.", Algorithm::Ed25519)
            .with_zone(organisation),
    )
    .txt(OWNER, TEXT)
    .txt(OWNER, "another")
    .txt("*.wild.example.com.", "made of a wildcard")
    .record(Record::of_name(ALIAS, CNAME, OWNER))
    .record(Record::of_name(APEX_ALIAS, CNAME, "example.com."))
    .record(Record::of_name(FAR, CNAME, ELSEWHERE))
    .record(Record::of_name("*.aliases.example.com.", CNAME, ELSEWHERE))
    .record(Record::of_name("moved.example.com.", DNAME, "other.org."))
    .record(Record::of_name(
        "gone.example.com.",
        CNAME,
        "nothing.other.org.",
    ))
    .txt(ELSEWHERE, "at the end")
    .txt("*.d.other.org.", "a wildcard again")
    .build()
}

/// Each of the questions to worlds with NSEC and with NSEC3, and to one whose servers say no more than where aliases lead.
fn cases() -> Vec<(World, Question)> {
    let [nsec, nsec3, apart] = worlds();
    let mut cases = Vec::new();
    for question in QUESTIONS {
        cases.extend([(nsec.clone(), question), (nsec3.clone(), question)]);
        // There the keys are asked for twice, and signed anew each time: two answers, neither of which is the one.
        if question.name != APEX_ALIAS {
            cases.push((apart.clone(), question));
        }
    }
    cases
}

fn worlds() -> [World; 3] {
    let organisation = || ZoneSpec::new("example.com.", Algorithm::EcdsaP256Sha256);
    [
        world_of_all_kinds(organisation()),
        world_of_all_kinds(organisation().nsec3(0, b"")),
        world_of_all_kinds(organisation().nsec3(2, b"salt")).with_targets_apart(),
    ]
}

/// Periods around [`NOON`], which all signatures of a world hold at.
fn some_period(random: &mut TestRng) -> Period {
    match random.random_range(0..4) {
        0 => at(NOON),
        1 => period(NOON, NOON + random.random_range(1..10) * DAY),
        2 => period(NOON - DAY, NOON + DAY),
        _ => Period::always(),
    }
}

/// How a world signs the RRset that an RRSIG of its covers.
fn signing_like(world: &World, rrsig: &Record) -> kliento_fixtures::Signing {
    /// Octets before the signer's name (RFC 4034 §3.1).
    const FIXED: usize = 18;
    let covered = rrsig.type_covered().expect("an RRSIG");
    if [NSEC, NSEC3, SOA].contains(&covered) {
        let mut labels = Vec::new();
        let mut rest = &rrsig.rdata[FIXED..];
        while let Some((&length, after)) = rest.split_first().filter(|(length, _)| **length > 0) {
            let (label, after) = after.split_at(usize::from(length));
            labels.push(label);
            rest = after;
        }
        return world.signing(Name::from_labels(labels), KeyRole::Zsk);
    }
    world.signing_for(&rrsig.owner, covered)
}

/// Signs some RRsets once more: for other times, wrongly, or with something unknown.
fn sign_again(world: &World, response: &mut Response, random: &mut TestRng) {
    // Each costs verification an allowance of failures.
    const LIKELIHOOD_OF_NOISE: f64 = 0.15;
    let is_asked_to_chance = |random: &mut TestRng, likelihood| random.random_bool(likelihood);
    for section in sections(response) {
        let rrsigs: Vec<Record> = section
            .iter()
            .filter(|record| record.record_type == RRSIG)
            .cloned()
            .collect();
        for rrsig in rrsigs {
            let covered = rrsig.type_covered().expect("an RRSIG");
            let rrset: Vec<Record> = section
                .iter()
                .filter(|it| it.owner == rrsig.owner && it.record_type == covered)
                .cloned()
                .collect();
            let signing = signing_like(world, &rrsig).original_ttl(rrset[0].ttl);
            let mut further = Vec::new();
            if is_asked_to_chance(random, 0.5) {
                let start = NOON - random.random_range(0..3) * DAY;
                let end = NOON + random.random_range(0..12) * DAY;
                further.push(signing.clone().window(start, end));
            }
            if is_asked_to_chance(random, LIKELIHOOD_OF_NOISE) {
                further.push(signing.clone().expired());
            }
            if is_asked_to_chance(random, LIKELIHOOD_OF_NOISE) {
                further.push(signing.clone().not_yet_valid());
            }
            if is_asked_to_chance(random, LIKELIHOOD_OF_NOISE) {
                further.push(signing.clone().corrupt());
            }
            if is_asked_to_chance(random, LIKELIHOOD_OF_NOISE) {
                further.push(signing.clone().key(Key::random_junk(16)));
            }
            if is_asked_to_chance(random, LIKELIHOOD_OF_NOISE) {
                further.push(signing.clone().key_tag(random.random_range(0..u16::MAX)));
            }
            if is_asked_to_chance(random, LIKELIHOOD_OF_NOISE) {
                further.push(world.signing("org.", KeyRole::Zsk));
            }
            for signing in further {
                let position = random.random_range(0..=section.len());
                section.insert(position, signing.rrsig(&rrset));
            }
        }
    }
}

/// A second version of some DNSKEY RRsets, as after a key was taken in, signed for other times.
fn add_versions(world: &World, responses: &mut Responses, random: &mut TestRng) {
    let of_zones: Vec<Response> = responses
        .0
        .iter()
        .filter(|response| response.questions[0].record_type == DNSKEY)
        .cloned()
        .collect();
    for mut response in of_zones {
        if !random.random_bool(0.4) {
            continue;
        }
        let zone = response.questions[0].name.clone();
        let newcomer = ZoneKey::new(Key::random_junk(13), ZONE_KEY);
        response
            .answers
            .push(Record::new(&zone, DNSKEY, newcomer.dnskey_rdata()));
        let start = NOON - random.random_range(0..3) * DAY;
        let end = NOON + random.random_range(0..12) * DAY;
        response.sign(&world.signing_for(&zone, DNSKEY).window(start, end));
        responses.0.insert(0, response);
    }
}

/// What else a resolver says when it is asked more than is needed, and says without being asked.
fn add_chatter(world: &World, responses: &mut Responses, random: &mut TestRng) {
    for (name, record_type) in [
        ("example.com.", SOA),
        ("com.", NS),
        ("other.org.", DNSKEY),
        ("other.org.", DS),
        ("strange.example.com.", MX),
        ("nobody.org.", TXT),
        ("com.", MX),
    ] {
        let name = Name::from(name);
        let is_new = !responses
            .0
            .iter()
            .any(|known| known.is_for(&name, record_type));
        if is_new && random.random_bool(0.4) {
            let position = random.random_range(0..=responses.0.len());
            responses
                .0
                .insert(position, world.answer(&name, record_type));
        }
    }
    for zone in ["example.com.", "org."] {
        let further = world.answer(zone, NS).answers;
        let index = random.random_range(0..responses.0.len());
        responses.0[index].authorities.extend(further);
    }
}

/// The same facts in other words: order, number, letter case, TTLs, compression, header.
fn say_otherwise(responses: &Responses, random: &mut TestRng) -> Vec<Vec<u8>> {
    let mut responses = responses.clone();
    for response in &mut responses.0 {
        response.id = random.random_range(0..u16::MAX);
        response.compress = random.random_bool(0.5);
        let ttl = random.random_range(0..3_600);
        for section in sections(response) {
            for record in section.iter_mut() {
                record.ttl = ttl;
                record.owner = in_some_case(&record.owner, random);
            }
            shuffle(section, random);
            let twice = section.first().cloned().filter(|_| random.random_bool(0.3));
            section.extend(twice);
        }
        let asked = &mut response.questions[0];
        asked.name = in_some_case(&asked.name, random);
    }
    shuffle(&mut responses.0, random);
    let mut messages = responses.to_messages();
    let twice = messages[0].clone();
    messages.push(twice);
    messages
}

fn in_some_case(name: &Name, random: &mut TestRng) -> Name {
    let labels = name.labels().into_iter().map(|label| {
        let mut octets = label.to_vec();
        for octet in &mut octets {
            if random.random_bool(0.5) {
                octet.make_ascii_uppercase();
            }
        }
        octets
    });
    let labels: Vec<Vec<u8>> = labels.collect();
    Name::from_labels(labels)
}

fn shuffle<T>(items: &mut [T], random: &mut TestRng) {
    for index in (1..items.len()).rev() {
        items.swap(index, random.random_range(0..=index));
    }
}

// Properties

#[test]
fn keeps_enough_and_no_more_of_what_a_resolver_says() {
    for (world, question) in cases() {
        let mut responses = world.responses(question.name, question.record_type);
        let messages = responses.to_messages();
        let case = Case::new(&world, question, at(NOON));
        let kept = check(&case, &messages);
        // Names in RDATA are not compressed, as servers do with some.
        for response in &mut responses.0 {
            response.compress = false;
        }
        assert!(
            octets(&kept) < octets(&responses.to_messages()),
            "{question:?}"
        );
    }
}

#[test]
fn keeps_enough_and_no_more_of_noise() {
    let mut random = random();
    for (world, question) in cases() {
        let mut responses = world.responses(question.name, question.record_type);
        for response in &mut responses.0 {
            sign_again(&world, response, &mut random);
        }
        // Two versions of what was asked for are two answers.
        if question.name != "example.com." {
            add_versions(&world, &mut responses, &mut random);
        }
        add_chatter(&world, &mut responses, &mut random);
        let case = Case::new(&world, question, some_period(&mut random));
        check(&case, &responses.to_messages());
    }
}

#[test]
fn the_same_facts_in_other_words_give_the_same_octets() {
    let mut random = random();
    for (world, question) in cases() {
        let mut responses = world.responses(question.name, question.record_type);
        for response in &mut responses.0 {
            sign_again(&world, response, &mut random);
        }
        add_chatter(&world, &mut responses, &mut random);
        let case = Case::new(&world, question, some_period(&mut random));
        let messages = responses.to_messages();
        let kept = case.minimal(&messages).expect("it can be reduced");
        let list = case.authentication_chain(&messages).expect("and written");
        for _ in 0..2 {
            let others = say_otherwise(&responses, &mut random);
            assert_eq!(case.minimal(&others).as_ref(), Ok(&kept), "{question:?}");
            assert_eq!(
                case.authentication_chain(&others).as_ref(),
                Ok(&list),
                "{question:?}"
            );
        }
    }
}

// Time before size

/// The standard world's answer with RRSIGs for these windows.
fn signed_for(windows: &[(i64, i64)]) -> Responses {
    let mut responses = WORLD.responses(OWNER, TXT);
    let answer = responses.answer();
    answer.drop_signatures();
    for (start, end) in windows {
        answer.add_signature(&WORLD.signing_for(OWNER, TXT).window(*start, *end));
    }
    responses
}

/// How many RRSIGs there are over the RRset that was asked for.
fn rrsigs_over_the_answer(messages: &[Vec<u8>]) -> usize {
    let responses = read(messages);
    let answer = responses.last().expect("the answer comes last");
    answer.of_type(RRSIG).count()
}

#[test]
fn keeps_as_many_rrsigs_as_the_period_takes() {
    let windows = [
        (NOON - HOUR, NOON + DAY),
        (NOON - HOUR, NOON + HOUR),
        (NOON + DAY, NOON + 3 * DAY),
        (NOON + 2 * HOUR, NOON + 2 * DAY),
    ];
    let messages = signed_for(&windows).to_messages();
    for (period, count) in [
        (at(NOON), 1),
        (period(NOON, NOON + DAY), 1),
        (period(NOON, NOON + DAY + HOUR), 2),
        (period(NOON, NOON + 3 * DAY), 2),
        (Period::always(), 2),
        (at(NOON + 3 * DAY), 1),
    ] {
        let case = Case::new(&WORLD, question(OWNER, TXT), period);
        let kept = check(&case, &messages);
        assert_eq!(rrsigs_over_the_answer(&kept), count, "{period}");
    }
}

/// Of more RRSIGs than all sets can be tried of, none is kept for nothing either.
#[test]
fn keeps_no_needless_rrsig_of_many() {
    let days = (0..8).map(|day| (NOON + (day - 1) * DAY, NOON + (day + 1) * DAY));
    let messages = signed_for(&days.collect::<Vec<_>>()).to_messages();
    for (period, count) in [(at(NOON), 1), (period(NOON, NOON + 5 * DAY), 3)] {
        let case = Case::new(&WORLD, question(OWNER, TXT), period);
        let kept = check(&case, &messages);
        assert_eq!(rrsigs_over_the_answer(&kept), count, "{period}");
    }
}

#[test]
fn of_what_does_the_same_the_lighter_is_kept() {
    let rsa = ZoneKey::new(Key::recorded_rsa(Algorithm::RsaSha256, 2_048), ZONE_KEY);
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .with_zone(ZoneSpec::new("com.", Algorithm::Ed25519).extra_signer(rsa, KeyRole::Zsk))
        .txt("key.com.", TEXT)
        .build();
    let messages = world.chain("key.com.", TXT);
    assert_eq!(rrsigs_over_the_answer(&messages), 2);
    let case = Case::new(&world, question("key.com.", TXT), Period::always());
    let kept = check(&case, &messages);
    let answer = read(&kept).pop().expect("an answer");
    let rrsig = answer.of_type(RRSIG).next().expect("an RRSIG");
    assert_eq!(rrsig.rdata[2], 15, "Ed25519");
}

#[test]
fn keeps_two_versions_of_keys_where_one_does_not_reach() {
    // A resolver's cache has the keys as they were, and a signature that ends tomorrow; its neighbour has the new ones.
    let mut responses = WORLD.responses(OWNER, TXT);
    let signing = WORLD.signing_for("com.", DNSKEY);
    let mut new = responses.of("com.", DNSKEY).clone();
    let joined = ZoneKey::new(Key::random_junk(15), ZONE_KEY);
    new.answers
        .push(Record::new("com.", DNSKEY, joined.dnskey_rdata()));
    new.sign(&signing.clone().window(NOON + HOUR, NOON + 5 * DAY));
    responses
        .of("com.", DNSKEY)
        .sign(&signing.window(NOON - HOUR, NOON + DAY));
    responses.0.insert(0, new);
    let messages = responses.to_messages();

    let case = Case::new(&WORLD, question(OWNER, TXT), period(NOON, NOON + 3 * DAY));
    let kept = check(&case, &messages);
    assert!(of_several_versions(&kept));
    // A list of records has room for one: that of the longer time.
    let list = case
        .authentication_chain(&messages)
        .expect("it can be written");
    let listed = messages_from_authentication_chain(&list).expect("and read");
    let proven = case.prove(&listed).expect("it proves the fact");
    assert_eq!(
        proven.validity.periods(),
        [period(NOON + HOUR, NOON + 3 * DAY)]
    );

    for moment in [NOON, NOON + 2 * HOUR, NOON + 2 * DAY] {
        let case = Case::new(&WORLD, question(OWNER, TXT), at(moment));
        assert!(!of_several_versions(&check(&case, &messages)));
    }
}

/// One message can't hold both: they would become one RRset, which nobody signed.
#[test]
fn keeps_two_versions_of_a_denial_in_two_messages() {
    let name = "a.wild.example.com.";
    let world = crate::support::standard()
        .txt("*.wild.example.com.", TEXT)
        .build();
    let mut responses = world.responses(name, TXT);
    let signing = world.signing("example.com.", KeyRole::Zsk);
    let authorities = &mut responses.answer().authorities;
    let before = authorities
        .iter()
        .find(|record| record.record_type == NSEC)
        .expect("no closer name is proven")
        .clone();
    // Later there is an MX record at the same name.
    let owner = before.owner.clone();
    let after = Record::nsec(owner, "example.com.", &[TXT, MX, RRSIG, NSEC]);
    assert_ne!(before.rdata, after.rdata);
    let signed = |record: &Record, start, end| {
        let rrsig = signing.clone().window(start, end);
        [record.clone(), rrsig.rrsig(std::slice::from_ref(record))]
    };
    *authorities = signed(&before, NOON - HOUR, NOON + HOUR).to_vec();
    let mut later = Response::new("b.wild.example.com.", MX);
    later.authorities = signed(&after, NOON + HOUR, NOON + DAY).to_vec();
    responses.0.insert(0, later);
    let messages = responses.to_messages();

    let both = Case::new(&world, question(name, TXT), period(NOON, NOON + DAY));
    let kept = check(&both, &messages);
    assert!(of_several_versions(&kept));
    let proven = both.prove(&kept).expect("it is proven");
    assert_eq!(proven.validity.periods(), [period(NOON, NOON + DAY)]);
    for moment in [NOON, NOON + 2 * HOUR] {
        let one = Case::new(&world, question(name, TXT), at(moment));
        assert!(!of_several_versions(&check(&one, &messages)));
    }
}

#[test]
fn leaves_out_what_cannot_be_read() {
    let mut responses = WORLD.responses(OWNER, TXT);
    let case = Case::new(&WORLD, question(OWNER, TXT), at(NOON));
    let kept = check(&case, &responses.to_messages());
    // The target reaches past the end of its record.
    let dname = Record::new("moved.example.com.", DNAME, b"\x05a");
    let signing = WORLD.signing("example.com.", KeyRole::Zsk);
    let rrsig = signing.rrsig(std::slice::from_ref(&dname));
    responses.answer().answers.extend([dname, rrsig]);
    assert_eq!(case.minimal(&responses.to_messages()), Ok(kept));
}

// Form

#[test]
fn messages_look_as_a_resolvers_do() {
    for (world, question) in cases() {
        let case = Case::new(&world, question, at(NOON));
        let kept = case
            .minimal(&world.chain(question.name, question.record_type))
            .expect("it can be reduced");
        let mut asked: Vec<_> = Vec::new();
        for (message, response) in kept.iter().zip(read(&kept)) {
            // ID 0; QR, RD and RA.
            assert_eq!(message[..3], [0, 0, 0x81]);
            assert_eq!(message[3] & 0xf0, 0x80);
            asked.push(response.questions[0].clone());
            let is_the_answer = response.is_for(&Name::from(question.name), question.record_type);
            assert!(is_the_answer || response.authorities.is_empty());
            for record in response.answers.iter().chain(&response.authorities) {
                if record.record_type == RRSIG {
                    let original_ttl = record.rdata[4..8].try_into().expect("four bytes");
                    assert_eq!(record.ttl, u32::from_be_bytes(original_ttl));
                }
            }
            // Neither what resolvers add to denials nor what follows from a DNAME is part of a proof.
            let is_needless = |record: &Record| {
                let is_unsigned = !response.answers.iter().any(|rrsig| {
                    rrsig.type_covered() == Some(record.record_type) && rrsig.owner == record.owner
                });
                record.record_type == CNAME && is_unsigned || record.record_type == SOA
            };
            assert!(!response.answers.iter().any(is_needless));
            assert!(!response.authorities.iter().any(is_needless));
        }
        let last = read(&kept).pop().expect("an answer");
        assert!(last.is_for(&Name::from(question.name), question.record_type));
        let denies_the_name =
            case.prove(&kept).expect("it proves the fact").denial == Some(Denial::NxDomain);
        assert_eq!(last.rcode == NXDOMAIN, denies_the_name, "{question:?}");
        let all = asked.len();
        asked.sort_by_key(|it| (it.name.clone(), it.record_type));
        asked.dedup();
        assert_eq!(asked.len(), all, "one message for each question");
    }
}

/// RFC 9102 §2.3 leaves the order open; ours is that of its examples.
#[test]
fn record_lists_lead_from_the_answer_up_to_the_anchor() {
    let [world, ..] = worlds();
    let order = |question| {
        let case = Case::new(&world, question, at(NOON));
        let messages = world.chain(question.name, question.record_type);
        let list = case
            .authentication_chain(&messages)
            .expect("it can be written");
        let listed = messages_from_authentication_chain(&list).expect("and read");
        let mut rrsets: Vec<String> = Vec::new();
        for response in read(&listed) {
            for record in response.answers {
                let is_rrsig = record.record_type == RRSIG;
                let kind = if is_rrsig { "RRSIG " } else { "" };
                let record_type = RecordType(rrset_type(&record));
                rrsets.push(format!("{kind}{record_type} {}", record.owner));
            }
        }
        rrsets.dedup();
        rrsets.retain(|it| !it.starts_with("RRSIG"));
        rrsets
    };
    assert_eq!(
        order(question("a.wild.example.com.", TXT)),
        [
            "TXT a.wild.example.com.",
            "NSEC *.wild.example.com.",
            "DNSKEY example.com.",
            "DS example.com.",
            "DNSKEY com.",
            "DS com.",
            "DNSKEY .",
        ]
    );
    assert_eq!(
        order(question(FAR, TXT)),
        [
            "CNAME far.example.com.",
            "TXT data.other.org.",
            "DNSKEY example.com.",
            "DS example.com.",
            "DNSKEY com.",
            "DS com.",
            "DNSKEY .",
            "DNSKEY other.org.",
            "DS other.org.",
            "DNSKEY org.",
            "DS org.",
        ]
    );
}

// What can't be reduced

#[test]
fn what_proves_nothing_cannot_be_reduced() {
    let mut responses = WORLD.responses(OWNER, TXT);
    responses.remove("com.", DNSKEY);
    let messages = responses.to_messages();
    let case = Case::new(&WORLD, question(OWNER, TXT), at(NOON));
    let refusal = case
        .prove(&messages)
        .expect_err("a zone's keys are missing");
    assert_eq!(case.minimal(&messages), Err(refusal.clone()));
    assert_eq!(case.authentication_chain(&messages), Err(refusal));
}

/// Names in the data of old types may be compressed. They are written out here, and then an RRset may not fit a message.
#[test]
fn what_has_no_room_without_compression_stays_as_it_was_received() {
    let long = format!("{0}.{0}.{0}.example.com.", "a".repeat(60));
    let mut builder = crate::support::standard();
    for number in 0..400 {
        let exchange = format!("m{number}.{long}");
        builder = builder.record(Record::mx(OWNER, 10, exchange.as_str()));
    }
    let world = builder.build();
    let mut received = world.chain(OWNER, MX);
    received.push(received[0].clone());
    let case = Case::new(&world, question(OWNER, MX), at(NOON));
    let kept = case.minimal(&received).expect("it is proven");
    received.sort();
    received.dedup();
    assert_eq!(kept, received);
    assert_eq!(case.prove(&kept).expect("it is proven").rdata.len(), 400);

    let refusal = case.authentication_chain(&received);
    let refusal = refusal.expect_err("it has less room");
    assert_eq!(refusal.reason(), "dnssec.chain_too_large");
    assert!(refusal.to_string().contains("65535"), "{refusal}");
}

#[test]
fn a_chain_as_large_as_can_be_read_is_reduced_within_bounds() {
    // Denials that bear on the name are bounded in number, so there must not be too many of them.
    for (question, others) in [
        (question(OWNER, TXT), 490),
        (question("nothing.example.com.", TXT), 0),
    ] {
        let mut responses = WORLD.responses(question.name, TXT);
        let without = responses.to_messages();
        let answer = responses.answer();
        // As many denials as a message holds, all of them well signed, and none of use.
        for number in 0..300 {
            let owner = format!("n{number}.example.com.");
            let next = Name::from(format!("n{number}x.example.com.").as_str());
            let nsec = Record::new(owner.as_str(), NSEC, [next.wire(), &[0, 1, 0x40]].concat());
            let signing = WORLD.signing("example.com.", KeyRole::Zsk);
            let rrsig = signing.rrsig(std::slice::from_ref(&nsec));
            answer.authorities.extend([nsec, rrsig]);
        }
        for number in 0..others {
            let other = format!("o{number}.example.com.");
            responses.0.insert(0, WORLD.answer(other.as_str(), SOA));
        }
        let case = Case::new(&WORLD, question, at(NOON));
        let kept = case
            .minimal(&responses.to_messages())
            .expect("it can be reduced");
        assert_eq!(
            rrset_count(&kept),
            rrset_count(&case.minimal(&without).expect("this too"))
        );
        check(&case, &kept);
    }
}

fn rrset_count(messages: &[Vec<u8>]) -> usize {
    let responses = read(messages);
    let records = responses
        .iter()
        .flat_map(|response| response.answers.iter().chain(&response.authorities));
    records.filter(|record| record.record_type == RRSIG).count()
}
