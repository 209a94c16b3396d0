//! Look-ups that demand short-lived signatures.

use dnssec::{Chain, Demand, Error, Fact, RecordType, TrustAnchors};
use kliento_fixtures::{Algorithm, World, ZoneSpec, chain_der};

use crate::support::{DAY, NOON, OWNER, TEXT, at};

const LIMIT: u32 = 7_776_000;

/// A world in which one zone signs for another time than the others.
fn world(zone: &str, inception: i64, expiration: i64) -> World {
    let mut builder = World::builder().at(NOON);
    for name in [".", "com.", "example.com."] {
        let mut spec = ZoneSpec::new(name, Algorithm::Ed25519);
        if name == zone {
            spec = spec.window(inception, expiration);
        }
        builder = builder.with_zone(spec);
    }
    builder.txt(OWNER, TEXT).build()
}

fn look_up(world: &World, owner: &str, demand: impl Into<Demand>) -> Result<(), Error> {
    let der = chain_der(&world.chain(owner, kliento_fixtures::TXT));
    let anchors: TrustAnchors = world.anchors().parse().expect("anchors");
    let name = owner.parse().expect("a name");
    let chain = Chain::from_der(&der).expect("a chain");
    chain
        .look_up(&name, RecordType::TXT, &anchors, demand)
        .and_then(Fact::into_secure)
        .map(|_| ())
}

#[test]
fn passes_over_signatures_that_live_longer_than_was_demanded_anywhere_on_the_path() {
    let demand = Demand::from(at(NOON)).with_longest_signature(LIMIT);
    let start = NOON - DAY;
    for zone in [".", "com.", "example.com."] {
        for owner in [OWNER, "_absent.example.com."] {
            let longest = world(zone, start, start + i64::from(LIMIT));
            assert_eq!(look_up(&longest, owner, demand), Ok(()), "{zone} {owner}");
            let longer = world(zone, start, start + i64::from(LIMIT) + 1);
            assert_eq!(look_up(&longer, owner, at(NOON)), Ok(()), "{zone} {owner}");
            let refusal = look_up(&longer, owner, demand).expect_err("too long");
            assert_eq!(
                refusal.reason(),
                "dnssec.rrsig_too_long",
                "{zone} {owner}: {refusal}"
            );
        }
    }
}
