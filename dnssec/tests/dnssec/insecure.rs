//! Proofs that a name is insecure (RFC 4033 §5): when they hold, that they can be cut down and handed on, and that nobody
//! who needs records takes one for them. And facts that are kept without their chain.

use dnssec::{
    Chain, Error, Fact, Insecure, Insecurity, Name, Period, Proof, RecordType, Timestamp,
    TrustAnchors, messages_from_authentication_chain,
};
use kliento_fixtures::{
    Algorithm, CNAME, DS, KeyRole, Record, Response, Responses, SHA1, Signing, TXT, World,
    WorldBuilder, ZoneSpec,
};

/// 2026-11-21T12:00:00Z.
const NOON: i64 = 1_795_262_400;
const HOUR: i64 = 3_600;
/// The period for which the zone that proves the insecurity signs; all others sign for longer.
const START: i64 = NOON - 2 * HOUR;
const END: i64 = NOON + 3 * HOUR;

fn at(second: i64) -> Period {
    Period::at(Timestamp::from_unix_seconds(second))
}

fn signatures() -> Period {
    let [start, end] = [START, END].map(Timestamp::from_unix_seconds);
    Period::new(start, end).expect("it starts before it ends")
}

/// A root, and `com.`, whose DS, NSEC and NSEC3 records are those that show it.
fn with_com(com: impl FnOnce(ZoneSpec) -> ZoneSpec) -> WorldBuilder {
    let com_spec = ZoneSpec::new("com.", Algorithm::Ed25519).window(START, END);
    World::builder()
        .at(NOON)
        .window(NOON - 50 * HOUR, NOON + 50 * HOUR)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .with_zone(com(com_spec))
}

fn unsigned() -> ZoneSpec {
    ZoneSpec::new("example.com.", Algorithm::Ed25519).unsigned()
}

/// A question in a world, and what is proven.
struct Case {
    world: World,
    name: &'static str,
    zone: &'static str,
    cause: Insecurity,
}

const NAME: &str = "key.example.com.";

fn cases() -> Vec<Case> {
    let case = |world: WorldBuilder, name, zone, cause| Case {
        world: world.build(),
        name,
        zone,
        cause,
    };
    vec![
        case(
            with_com(|com| com).with_zone(unsigned()).txt(NAME, "text"),
            NAME,
            "example.com.",
            Insecurity::NoDs,
        ),
        case(
            with_com(|com| com.nsec3(0, b""))
                .with_zone(unsigned())
                .txt(NAME, "text"),
            NAME,
            "example.com.",
            Insecurity::NoDs,
        ),
        case(
            with_com(|com| com.nsec3(0, b"").opt_out())
                .with_zone(unsigned())
                .txt(NAME, "text"),
            NAME,
            "example.com.",
            Insecurity::OptOut,
        ),
        case(
            with_com(|com| com.nsec3(101, b""))
                .with_zone(unsigned())
                .txt(NAME, "text"),
            NAME,
            "com.",
            Insecurity::Nsec3Iterations,
        ),
        case(
            with_com(|com| com)
                .with_zone(ZoneSpec::new("example.com.", Algorithm::Ed25519).ds_digests(&[SHA1]))
                .txt(NAME, "text"),
            NAME,
            "example.com.",
            Insecurity::Algorithms,
        ),
        // A secure alias into an unsigned zone.
        case(
            with_com(|com| com)
                .with_zone(unsigned())
                .txt(NAME, "text")
                .record(Record::of_name("alias.", CNAME, NAME)),
            "alias.",
            "example.com.",
            Insecurity::NoDs,
        ),
        // Nothing is there, nor is it known that there is nothing.
        case(
            with_com(|com| com).with_zone(unsigned()),
            "nothing.example.com.",
            "example.com.",
            Insecurity::NoDs,
        ),
    ]
}

impl Case {
    fn received(&self) -> Vec<Vec<u8>> {
        self.world.chain(self.name, TXT)
    }

    fn question(&self) -> Name {
        self.name.parse().expect("a name")
    }

    fn anchors(&self) -> TrustAnchors {
        self.world.anchors().parse().expect("anchors")
    }

    fn look_up(&self, messages: &[Vec<u8>], period: Period) -> Result<Fact<'static>, Error> {
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        chain
            .look_up(&self.question(), RecordType::TXT, &self.anchors(), period)
            .map(Fact::into_owned)
    }

    #[track_caller]
    fn insecure(&self, messages: &[Vec<u8>], period: Period) -> Insecure {
        match self.look_up(messages, period) {
            Ok(Fact::ProvenInsecure(insecure)) => insecure,
            other => panic!("{} {}: {other:?}", self.name, self.cause),
        }
    }

    /// That these messages prove it, at all seconds of the signatures that show it and at no other.
    #[track_caller]
    fn check(&self, messages: &[Vec<u8>]) {
        let insecure = self.insecure(messages, Period::always());
        assert_eq!(insecure.zone().to_string(), self.zone, "{}", self.cause);
        assert_eq!(insecure.cause(), self.cause, "{}", self.name);
        assert_eq!(insecure.name(), &self.question());
        assert_eq!(insecure.record_type(), RecordType::TXT);
        assert!(insecure.canonical_name().is_within(insecure.zone()));
        assert_eq!(
            insecure.validity().periods(),
            [signatures()],
            "{} {}",
            self.name,
            self.cause
        );
        for second in [START, NOON, END] {
            assert_eq!(self.insecure(messages, at(second)), insecure);
        }
        for second in [START - 1, END + 1] {
            let refusal = self.look_up(messages, at(second)).expect_err("not then");
            assert_ne!(refusal.reason(), "dnssec.insecure_delegation");
        }
    }
}

#[test]
fn insecurity_is_proven_at_exactly_the_seconds_of_the_signatures_that_show_it() {
    for case in cases() {
        case.check(&case.received());
        let reversed: Vec<_> = case.received().into_iter().rev().collect();
        case.check(&reversed);
    }
}

#[test]
fn insecurity_can_be_cut_down_and_handed_on() {
    for case in cases() {
        let received = case.received();
        let chain = Chain::from_messages(received.iter().map(Vec::as_slice)).expect("a chain");
        let (name, anchors) = (case.question(), case.anchors());
        let kept = chain
            .minimal(&name, RecordType::TXT, &anchors, Period::always())
            .expect("it is proven");
        case.check(&kept);
        let octets = |messages: &[Vec<u8>]| messages.iter().map(Vec::len).sum::<usize>();
        assert!(octets(&kept) < octets(&received), "{}", case.cause);
        // All messages but the last, which repeats the question, are needed.
        for index in 0..kept.len() - 1 {
            let mut fewer = kept.clone();
            fewer.remove(index);
            let outcome = case.look_up(&fewer, Period::always());
            assert!(outcome.is_err(), "{} {index}: {outcome:?}", case.cause);
        }
        let again = Chain::from_messages(kept.iter().map(Vec::as_slice)).expect("a chain");
        let again = again.minimal(&name, RecordType::TXT, &anchors, Period::always());
        assert_eq!(again.as_ref(), Ok(&kept));

        let records = chain
            .to_authentication_chain(&name, RecordType::TXT, &anchors, Period::always())
            .expect("it is proven");
        case.check(&messages_from_authentication_chain(&records).expect("records"));
    }
}

#[test]
fn each_cause_is_told_in_words() {
    for (cause, words) in [
        (
            Insecurity::NoDs,
            "the parent zone proves that there is no DS record",
        ),
        (
            Insecurity::Algorithms,
            "none of its DS records has both a supported algorithm and a supported digest type",
        ),
        (
            Insecurity::OptOut,
            "an NSEC3 opt-out span covers it, and such spans don't list unsigned zones",
        ),
        (
            Insecurity::Nsec3Iterations,
            "its NSEC3 records have more than 100 iterations",
        ),
        (
            Insecurity::Nsec3Hash,
            "its NSEC3 records have an unknown hash algorithm",
        ),
    ] {
        assert_eq!(cause.to_string(), words);
    }
    for case in cases() {
        let insecure = case.insecure(&case.received(), at(NOON));
        let words = format!("{} is insecure: {}", case.zone, case.cause);
        assert_eq!(insecure.to_string(), words);
    }
}

/// The DS RRset of `example.com.` in two versions, of which neither has a digest type that is supported. Each is signed
/// by one of `signings`, which gets the correct parameters.
fn two_unknown_ds(
    answer_is_signed: bool,
    signings: [fn(&mut Response, &Signing); 2],
) -> (Case, Responses) {
    let zone = ZoneSpec::new("example.com.", Algorithm::Ed25519).ds_digests(&[SHA1]);
    let world = with_com(|com| com)
        .with_zone(zone)
        .txt(NAME, "text")
        .build();
    let mut responses = world.responses(NAME, TXT);
    if !answer_is_signed {
        responses.answer().drop_signatures();
    }
    let signing = world.signing_for("example.com.", DS);
    let mut other = responses.of("example.com.", DS).clone();
    for ds in other.data_mut() {
        ds.rdata[4] ^= 1;
    }
    let first = responses.of("example.com.", DS);
    for (response, sign) in [first, &mut other].into_iter().zip(signings) {
        response.drop_signatures();
        sign(response, &signing);
    }
    let place = responses.0.len() - 1;
    responses.0.insert(place, other);
    let case = Case {
        world,
        name: NAME,
        zone: "example.com.",
        cause: Insecurity::Algorithms,
    };
    (case, responses)
}

fn sign_early(response: &mut Response, signing: &Signing) {
    response.sign(&signing.clone().window(START, START + HOUR));
}

fn sign_late(response: &mut Response, signing: &Signing) {
    response.sign(&signing.clone().window(END - HOUR, END));
}

fn sign_badly(response: &mut Response, signing: &Signing) {
    response.sign(&signing.clone().corrupt());
}

/// More signatures than may fail.
fn sign_badly_and_often(response: &mut Response, signing: &Signing) {
    response.add_forged_signatures(signing, 20);
}

/// Both when the zone's signature is there, and so its keys are looked for, and when there is nothing to verify.
#[test]
fn two_versions_of_a_ds_that_show_insecurity_add_up() {
    for answer_is_signed in [true, false] {
        for signings in [[sign_early, sign_late], [sign_late, sign_early]] {
            let (case, responses) = two_unknown_ds(answer_is_signed, signings);
            let insecure = case.insecure(&responses.to_messages(), Period::always());
            let seconds = |period: &Period| {
                let ends = [period.start(), period.end()];
                ends.map(Timestamp::unix_seconds)
            };
            let periods: Vec<_> = insecure.validity().periods().iter().map(seconds).collect();
            assert_eq!(periods, [[START, START + HOUR], [END - HOUR, END]]);
        }
        for signings in [[sign_early, sign_badly], [sign_badly, sign_early]] {
            let (case, responses) = two_unknown_ds(answer_is_signed, signings);
            let insecure = case.insecure(&responses.to_messages(), Period::always());
            let [period] = insecure.validity().periods() else {
                panic!("{}", insecure.validity());
            };
            assert_eq!(period.end().unix_seconds(), START + HOUR);
        }
    }
}

/// The search for an unsigned zone ends with the budget. What it has proven by then counts, and the failure that it
/// should explain stands otherwise.
#[test]
fn a_search_for_insecurity_that_costs_too_much_gives_what_it_has_found() {
    let (case, responses) = two_unknown_ds(false, [sign_early, sign_badly_and_often]);
    let insecure = case.insecure(&responses.to_messages(), Period::always());
    let [period] = insecure.validity().periods() else {
        panic!("{}", insecure.validity());
    };
    assert_eq!(period.start().unix_seconds(), START);

    for second in [sign_early, sign_badly_and_often] {
        let (case, responses) = two_unknown_ds(false, [sign_badly_and_often, second]);
        let refusal = case.look_up(&responses.to_messages(), Period::always());
        let refusal = refusal.expect_err("nothing was proven before");
        assert_eq!(refusal.reason(), "dnssec.no_rrsig");
    }
}

/// The zone is unsigned, and the chain proves it. But a forged DS RRset, which is looked at before, takes the budget.
#[test]
fn a_search_for_insecurity_that_costs_too_much_goes_on_nowhere_else() {
    let [case, ..] = &cases()[..] else {
        panic!("there are cases")
    };
    let signing = case.world.signing("com.", KeyRole::Zsk);
    for (forgeries, reason) in [(10, None), (20, Some("dnssec.no_rrsig"))] {
        let mut responses = case.world.responses(NAME, TXT);
        let mut forged = Response::new("example.com.", DS);
        let rdata = [[0, 1, 8, SHA1].as_slice(), &[7; 20]].concat();
        forged.answers = vec![Record::new("example.com.", DS, rdata)];
        forged.add_forged_signatures(&signing, forgeries);
        responses.0.push(forged);
        let outcome = case.look_up(&responses.to_messages(), at(NOON));
        let refusal = outcome.as_ref().err().map(Error::reason);
        assert_eq!(refusal, reason, "{outcome:?}");
    }
}

/// Records of an unsigned zone prove nothing, so they are not kept.
#[test]
fn a_proof_of_insecurity_holds_none_of_the_records_that_are_not_proven() {
    let case = &cases()[0];
    let received = case.received();
    let chain = Chain::from_messages(received.iter().map(Vec::as_slice)).expect("a chain");
    let kept = chain
        .minimal(
            &case.question(),
            RecordType::TXT,
            &case.anchors(),
            Period::always(),
        )
        .expect("it is proven");
    let holds_text = |messages: &[Vec<u8>]| {
        let mut messages = messages.iter();
        messages.any(|message| message.windows(5).any(|octets| octets == b"\x04text"))
    };
    assert!(holds_text(&received) && !holds_text(&kept));
}

#[test]
fn whoever_needs_records_or_a_secure_fact_gets_an_error() {
    for case in cases() {
        let received = case.received();
        let chain = Chain::from_messages(received.iter().map(Vec::as_slice)).expect("a chain");
        let refusal = chain
            .verify(&case.question(), RecordType::TXT, &case.anchors(), at(NOON))
            .expect_err("nothing is proven");
        assert_eq!(refusal.reason(), "dnssec.insecure_delegation");
        let fact = case.look_up(&received, at(NOON)).expect("a fact");
        assert_eq!(fact.clone().into_secure(), Err(refusal.clone()));
        assert_eq!(fact.into_proof(), Err(refusal.clone()));
        let Error::InsecureDelegation {
            zone,
            cause,
            validity,
            ..
        } = refusal
        else {
            panic!("{refusal}");
        };
        assert_eq!((zone.to_string().as_str(), cause), (case.zone, case.cause));
        assert_eq!(validity.periods(), [signatures()]);
    }
}

/// An alias that holds at one time and an unsigned delegation that is shown at another prove nothing together.
#[test]
fn insecurity_behind_an_alias_holds_only_while_the_alias_does() {
    let alias_zone = |start, end| {
        with_com(|com| com)
            .with_zone(unsigned())
            .txt(NAME, "text")
            .with_zone(ZoneSpec::new("org.", Algorithm::Ed25519).window(start, end))
            .record(Record::of_name("alias.org.", CNAME, NAME))
            .build()
    };
    let case = |world| Case {
        world,
        name: "alias.org.",
        zone: "example.com.",
        cause: Insecurity::NoDs,
    };
    let overlapping = case(alias_zone(NOON, END + HOUR));
    let insecure = overlapping.insecure(&overlapping.received(), Period::always());
    let [together] = insecure.validity().periods() else {
        panic!("{}", insecure.validity());
    };
    assert_eq!(
        [together.start(), together.end()].map(Timestamp::unix_seconds),
        [NOON, END]
    );

    let apart = case(alias_zone(END + 1, END + HOUR));
    assert!(apart.look_up(&apart.received(), Period::always()).is_err());
}

#[test]
fn a_fact_can_be_kept_without_its_chain() {
    let world = with_com(|com| com).txt("key.com.", "text").build();
    let anchors: TrustAnchors = world.anchors().parse().expect("anchors");
    let prove = |name: &str| -> Result<Proof<'static>, Error> {
        let messages = world.chain(name, TXT);
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
        let name = name.parse().expect("a name");
        let borrowed = chain.verify(&name, RecordType::TXT, &anchors, at(NOON))?;
        let owned = borrowed.clone().into_owned();
        assert_eq!(borrowed, owned);
        Ok(owned)
    };
    let proof = prove("key.com.").expect("it is proven");
    assert_eq!(proof.rdata().len(), 1);
    assert!(proof.rdata().eq([&b"\x04text"[..]]));
    let Err(Error::Absent(absence)) = prove("nothing.com.") else {
        panic!("it is not there");
    };
    assert_eq!(absence.validity().periods(), [signatures()]);
}
