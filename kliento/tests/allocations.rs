//! How often a verification asks Rust's allocator for memory. What the cryptographic library asks the C library for is not
//! counted, as that is the same whoever calls it.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "in a test that is how to fail"
)]

use std::sync::LazyLock;

use allocation_counter::measure;
use kliento::Verifier;
use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento_tools::realistic::{Domain, Keys, Kind};

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::generate(KeyAlgorithm::Rsa2048).unwrap());
static DOMAIN: LazyLock<Domain<'static>> = LazyLock::new(|| {
    Domain::new(
        Dialect::VeraId,
        &KEYS,
        "2026-11-22T12:00:00Z".parse().unwrap(),
    )
    .unwrap()
});

/// `Authorization` values of different tokens by the same party.
fn tokens(kind: Kind, count: usize) -> Vec<String> {
    DOMAIN.party(kind, &KEYS).unwrap().tokens(count).unwrap()
}

fn allocations(verifier: &Verifier, authorization: &str) -> u64 {
    measure(|| {
        verifier.verify_header(authorization).unwrap();
    })
    .count_total
}

#[test]
fn a_token_that_comes_again_takes_two_allocations_at_most() {
    for kind in [Kind::Member, Kind::Organisation] {
        let tokens = tokens(kind, 1);
        let verifier = DOMAIN.verifier().unwrap().build();
        verifier.verify_header(&tokens[0]).unwrap();
        let allocations = allocations(&verifier, &tokens[0]);
        assert!(allocations <= 2, "{kind:?}: {allocations}");
    }
}

#[test]
fn a_token_of_strangers_takes_a_hundred_and_fifty_allocations_at_most() {
    for kind in [Kind::Member, Kind::Organisation] {
        let tokens = tokens(kind, 1);
        let verifier = DOMAIN.verifier().unwrap().cache_octets(0).build();
        // What is set up once for all verifications is not this one's.
        verifier.verify_header(&tokens[0]).unwrap();
        let allocations = allocations(&verifier, &tokens[0]);
        assert!(allocations <= 150, "{kind:?}: {allocations}");
    }
}

#[test]
fn a_new_token_of_whom_the_verifier_knows_takes_twenty_allocations_at_most() {
    for kind in [Kind::Member, Kind::Organisation] {
        let tokens = tokens(kind, 3);
        let verifier = DOMAIN.verifier().unwrap().build();
        // The first makes them known, and the second is remembered beside it.
        verifier.verify_header(&tokens[0]).unwrap();
        verifier.verify_header(&tokens[1]).unwrap();
        let allocations = allocations(&verifier, &tokens[2]);
        assert!(allocations <= 20, "{kind:?}: {allocations}");
    }
}
