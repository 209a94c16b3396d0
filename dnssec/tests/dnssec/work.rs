//! What a look-up may cost ([`Demand::with_most_work`]): how it is counted, and that a limit changes no verdict but by being
//! reached.

use dnssec::{Chain, Demand, Error, Period, RecordType, TrustAnchors, Work};
use kliento_fixtures::{
    Algorithm, DNSKEY, Key, KeyRole, Responses, SECURE_ENTRY_POINT, TXT, World, ZONE_KEY, ZoneKey,
    ZoneSpec,
};

use crate::support::{HOUR, NOON, at, period};

const NAME: &str = "www.example.com.";

fn world() -> World {
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .zone("example.com.", Algorithm::EcdsaP384Sha384)
        .txt(NAME, "text")
        .build()
}

fn look_up(world: &World, responses: &Responses, demand: impl Into<Demand>) -> Result<(), Error> {
    let anchors: TrustAnchors = world.anchors().parse().unwrap();
    let messages = responses.to_messages();
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).unwrap();
    chain
        .look_up(&NAME.parse().unwrap(), RecordType::TXT, &anchors, demand)
        .map(|_| ())
}

/// The least work that proves it.
fn work(world: &World, responses: &Responses, period: Period) -> u32 {
    let limited = |units| Demand::from(period).with_most_work(Work::from_units(units));
    (0..2_000)
        .find(|units| look_up(world, responses, limited(*units)).is_ok())
        .expect("there is work enough")
}

#[test]
fn counts_each_check_by_its_algorithm() {
    let world = world();
    let responses = world.responses(NAME, TXT);
    // The keys of the root and of `com.` and both DS by P-256, the rest by P-384.
    let checks = 4 * Work::P256.units() + 2 * Work::P384.units();
    let units = work(&world, &responses, at(NOON));
    // Reading, and a digest for the anchor and each DS.
    assert!((checks + 4..checks + 16).contains(&units), "{units}");
    let limit = Work::from_units(units - 1);
    let refusal = look_up(
        &world,
        &responses,
        Demand::from(at(NOON)).with_most_work(limit),
    );
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.reason(), "dnssec.budget_exhausted");
    assert!(refusal.to_string().contains("units of work"), "{refusal}");
}

/// In double-signature rollovers every RRset has two, of which one is enough; of two algorithms the cheaper one.
#[test]
fn a_second_signature_over_an_rrset_takes_nothing() {
    let plain = world();
    let plain = work(&plain, &plain.responses(NAME, TXT), at(NOON));
    let mut worlds = Vec::new();
    for algorithm in [Algorithm::EcdsaP384Sha384, Algorithm::EcdsaP256Sha256] {
        let next = ZoneKey::new(Key::generate(algorithm), ZONE_KEY | SECURE_ENTRY_POINT);
        let zone = ZoneSpec::new("example.com.", Algorithm::EcdsaP384Sha384)
            .extra_signer(next.clone(), KeyRole::Ksk)
            .extra_signer(next.clone(), KeyRole::Zsk)
            .extra_ds(next, &[2]);
        let world = World::builder()
            .at(NOON)
            .zone(".", Algorithm::EcdsaP256Sha256)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .with_zone(zone)
            .txt(NAME, "text")
            .build();
        worlds.push(work(&world, &world.responses(NAME, TXT), at(NOON)));
    }
    let saved = 2 * (Work::P384.units() - Work::P256.units());
    let [same, cheaper]: [u32; 2] = worlds.try_into().unwrap();
    // Two more digests at most, and some octets to read.
    assert!((plain..plain + 6).contains(&same), "{same} {plain}");
    assert!(
        (plain - saved..plain - saved + 6).contains(&cheaper),
        "{cheaper} {plain}"
    );
}

/// Signatures that hold for parts of the period are all looked at: which part counts, others decide.
#[test]
fn a_signature_that_holds_for_a_part_of_the_period_is_not_enough() {
    let world = world();
    let mut responses = world.responses(NAME, TXT);
    let signing = world.signing("example.com.", KeyRole::Zsk);
    let first = signing.clone().window(NOON - HOUR, NOON);
    let second = signing.window(NOON + 1, NOON + HOUR);
    responses.answer().sign(&first).add_signature(&second);
    let keys = world.signing_for("example.com.", DNSKEY);
    for (window, together) in [(NOON - HOUR, true), (NOON + 1, true), (NOON + 2, false)] {
        responses
            .of("example.com.", DNSKEY)
            .sign(&keys.clone().window(window, NOON + HOUR));
        let period = period(NOON, NOON + 1);
        let limited = Demand::from(period).with_most_work(Work::UNLIMITED);
        assert_eq!(look_up(&world, &responses, period).is_ok(), together);
        assert_eq!(look_up(&world, &responses, limited).is_ok(), together);
    }
}

/// Whether a signature over a wildcard is worth anything, denials say; one over the name itself needs none.
#[test]
fn a_signature_over_a_wildcard_is_not_enough() {
    let world = world();
    let mut responses = world.responses(NAME, TXT);
    let signing = world.signing("example.com.", KeyRole::Zsk);
    responses
        .answer()
        .sign(&signing.clone().labels(2))
        .add_signature(&signing);
    let limited = Demand::from(at(NOON)).with_most_work(Work::UNLIMITED);
    assert!(look_up(&world, &responses, at(NOON)).is_ok());
    assert!(look_up(&world, &responses, limited).is_ok());
}

/// Each key with that tag is tried with each signature until the work is done, whatever comes of it.
#[test]
fn what_fails_counts_too() {
    let world = world();
    let mut responses = world.responses(NAME, TXT);
    let signing = world.signing("example.com.", KeyRole::Zsk);
    responses
        .answer()
        .drop_signatures()
        .add_forged_signatures(&signing, 3)
        .add_signature(&signing);
    let units = work(&world, &responses, at(NOON));
    let honest = work(&world, &world.responses(NAME, TXT), at(NOON));
    let three = 3 * Work::P384.units();
    assert!(
        (honest + three..honest + three + 4).contains(&units),
        "{units}"
    );
}
