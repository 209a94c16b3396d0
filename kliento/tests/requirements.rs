//! What a server asks of tokens beyond their being valid.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;
use std::time::Duration;

use kliento::testing::TrustChain;
use kliento::veraid::{KeyAlgorithm, Member, Period};
use kliento::{Error, Requirements, Timestamp, Token, VerifiedToken};

const AUDIENCE: &str = "https://api.example.com";

static NOON: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-21T12:00:00Z".parse().unwrap());
static CHAIN: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::at(*NOON, "example.com", &"alice".parse().unwrap()));

fn token() -> Token {
    Token::new(AUDIENCE.parse().unwrap())
        .with_claim("role", "admin")
        .with_claim("team", "")
}

fn verify(bundle: &[u8], requirements: Requirements) -> Result<VerifiedToken, Error> {
    let verifier = CHAIN.verifier(AUDIENCE).with_requirements(requirements);
    verifier.verify_bundle_at(bundle, *NOON)
}

#[track_caller]
fn assert_forbidden(bundle: &[u8], requirements: Requirements, reason: &str) {
    let refusal = verify(bundle, requirements).unwrap_err();
    assert_eq!(refusal.reason(), reason);
    assert!(refusal.is_forbidden());
    assert!(!refusal.is_malformed());
}

#[test]
fn without_requirements_every_valid_token_is_taken() {
    assert!(Requirements::new().is_empty());
    assert!(verify(&CHAIN.token(&token()), Requirements::new()).is_ok());
}

#[test]
fn takes_only_subjects_and_organisations_that_are_allowed() {
    let alice = CHAIN.token(&token());
    let bot = CHAIN.organisation_token(&token(), &Member::Bot);
    let organisation = |name: &str| Requirements::new().organisation(name.parse().unwrap());
    let subject = |pattern: &str| Requirements::new().subject(pattern.parse().unwrap());

    for allowed in [
        organisation("example.com"),
        organisation("example.net").organisation("example.com".parse().unwrap()),
        subject("alice@example.com"),
        subject("*@example.com"),
        organisation("example.net").subject("alice@example.com".parse().unwrap()),
    ] {
        assert!(!allowed.allows_anybody());
        verify(&alice, allowed).unwrap();
    }
    for refused in [
        organisation("example.net"),
        organisation("com"),
        organisation("a.example.com"),
        subject("bob@example.com"),
        subject("example.com"),
        organisation("example.net").subject("bob@example.com".parse().unwrap()),
    ] {
        assert_forbidden(&alice, refused, "kliento.subject_not_allowed");
    }
    verify(&bot, organisation("example.com")).unwrap();
    verify(&bot, subject("example.com")).unwrap();
    assert_forbidden(
        &bot,
        subject("*@example.com"),
        "kliento.subject_not_allowed",
    );
}

#[test]
fn takes_only_claims_that_are_required() {
    let bundle = CHAIN.token(&token());
    let requirements = Requirements::new;
    for met in [
        requirements().claim("role", "admin"),
        requirements().claim("role", "owner").claim("role", "admin"),
        requirements().claim_present("role").claim_present("team"),
        requirements().claim_present("role").claim("role", "admin"),
        requirements().claim("team", ""),
    ] {
        verify(&bundle, met).unwrap();
    }
    for unmet in [
        requirements().claim("role", "Admin"),
        requirements().claim("role", "admin").claim("team", "x"),
        requirements().claim_present("Role"),
        requirements().claim_present("group"),
        requirements().claim("role", "owner").claim_present("role"),
    ] {
        assert_forbidden(&bundle, unmet, "kliento.claim_required");
    }
}

#[test]
fn an_organisations_word_for_its_member_can_be_refused() {
    let requirements = || Requirements::new().signed_by_member();
    verify(&CHAIN.token(&token()), requirements()).unwrap();
    let bundle = CHAIN.organisation_token(&token(), &"alice".parse().unwrap());
    verify(&bundle, Requirements::new()).unwrap();
    assert_forbidden(&bundle, requirements(), "kliento.member_signature_required");
}

#[test]
fn a_members_word_for_itself_can_be_refused() {
    let requirements = || Requirements::new().signed_by_organisation();
    let bundle = CHAIN.organisation_token(&token(), &"alice".parse().unwrap());
    verify(&bundle, requirements()).unwrap();
    assert_forbidden(
        &CHAIN.token(&token()),
        requirements(),
        "kliento.organisation_signature_required",
    );
}

#[test]
fn takes_only_key_algorithms_that_are_required() {
    let bundle = CHAIN.token(&token());
    let requirements = |algorithm| Requirements::new().key_algorithm(algorithm);
    verify(&bundle, requirements(KeyAlgorithm::Rsa2048)).unwrap();
    let two = requirements(KeyAlgorithm::Rsa4096).key_algorithm(KeyAlgorithm::Rsa2048);
    verify(&bundle, two).unwrap();
    let other = requirements(KeyAlgorithm::Rsa4096);
    assert_forbidden(&bundle, other, "kliento.key_algorithm_not_allowed");
}

#[test]
fn lifetimes_can_be_limited_further_but_not_stretched() {
    let bundle = |seconds| {
        let period = Period::new(*NOON, NOON.saturating_add(seconds)).unwrap();
        kliento::issue(&CHAIN.member_signer(), &token(), period).unwrap()
    };
    let at_most = |seconds| Requirements::new().max_lifetime(Duration::from_secs(seconds));
    verify(&bundle(60), at_most(60)).unwrap();
    assert_forbidden(&bundle(61), at_most(60), "kliento.lifetime_not_allowed");
    verify(&bundle(3_600), at_most(86_400)).unwrap();
    // Counted from the token's own start and end, whatever else ends earlier.
    let verified = verify(&bundle(60), Requirements::new()).unwrap();
    assert_eq!(verified.token_period().seconds(), 60);
}

#[test]
fn a_token_that_is_not_valid_is_never_merely_forbidden() {
    let mut bundle = CHAIN.token(&token());
    *bundle.last_mut().unwrap() ^= 1;
    let requirements = Requirements::new().subject("bob@example.com".parse().unwrap());
    assert!(!verify(&bundle, requirements).unwrap_err().is_forbidden());
}
