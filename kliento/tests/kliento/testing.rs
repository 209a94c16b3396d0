//! The chains of trust that users test their servers with.

use std::sync::LazyLock;

use kliento::testing::TrustChain;
use kliento::veraid::{Dialect, KeyAlgorithm, PrivateKey, SignedBy, SigningKey as _};
use kliento::{Requirements, Token, Verifier};

const AUDIENCE: &str = "https://api.example.com";

static ALICE: LazyLock<TrustChain> = LazyLock::new(|| TrustChain::new("example.com", "alice"));

fn token() -> Token {
    Token::new(AUDIENCE.parse().unwrap())
}

/// The subject whom a verifier of `verifying` finds in a token of `signing`.
#[track_caller]
fn subject(verifying: &TrustChain, signing: &TrustChain) -> String {
    let verifier = verifying.verifier(AUDIENCE);
    let outcome = verifier.verify_header(signing.header(&token()));
    outcome.unwrap().subject().to_owned()
}

#[test]
fn members_of_one_organisation_have_keys_of_their_own_and_one_chain() {
    let bob = ALICE.another_member("bob");
    let bot = bob.another_member("@");
    assert_eq!(subject(&ALICE, &bob), "bob@example.com");
    assert_eq!(subject(&bob, &ALICE), "alice@example.com");
    assert_eq!(subject(&ALICE, &bot), "example.com");
    assert_ne!(
        bob.member_key().public_key(),
        ALICE.member_key().public_key()
    );
    assert_eq!(bob.dnssec_chain(), ALICE.dnssec_chain());
    assert_eq!(
        bob.organisation_certificate(),
        ALICE.organisation_certificate()
    );
}

#[test]
fn a_chain_can_be_a_bots() {
    let bot = TrustChain::for_bot("example.com");
    assert_eq!(subject(&bot, &bot), "example.com");
}

/// A server that is configured by files reads the same anchors from them.
#[test]
fn trust_anchors_are_there_as_lines_of_a_zone_file() {
    let lines = ALICE.trust_anchor_lines();
    assert!(lines.lines().all(|line| line.starts_with(". ")), "{lines}");
    let time = ALICE.time();
    let verifier = Verifier::builder(AUDIENCE.parse().unwrap())
        .trust_anchors(lines.parse().unwrap())
        .clock(move || time)
        .build();
    let outcome = verifier.verify_header(ALICE.header(&token()));
    assert_eq!(outcome.unwrap().subject(), "alice@example.com");
}

#[test]
fn keys_are_of_the_sizes_that_were_asked_for() {
    let (organisation, member) = (KeyAlgorithm::Rsa3072, KeyAlgorithm::Rsa4096);
    let chain = TrustChain::builder("example.com", "alice")
        .algorithms(organisation, member)
        .build();
    assert_eq!(
        chain.organisation_key().public_key().algorithm(),
        organisation
    );
    assert_eq!(chain.member_key().public_key().algorithm(), member);
    assert_eq!(subject(&chain, &chain), "alice@example.com");
}

#[test]
fn organisations_below_one_root_are_believed_and_told_apart() {
    let only = Requirements::new().with_organisation("example.com".parse().unwrap());
    let verifier = ALICE.verifier(AUDIENCE).with_requirements(only);
    // Another top-level domain, the same one, a domain below, and one beside a stranger's.
    let mallory = ALICE.another_organisation("evil.example", "mallory");
    for stranger in [
        &mallory,
        &ALICE.another_organisation("example.net", "alice"),
        &ALICE.another_organisation("evil.com", "mallory"),
        &ALICE.another_organisation("a.example.com", "alice"),
        &mallory.another_organisation("worse.example", "mallory"),
    ] {
        let refusal = verifier
            .verify_header(stranger.header(&token()))
            .unwrap_err();
        assert_eq!(refusal.reason(), "kliento.subject_not_allowed");
        assert!(refusal.is_forbidden());
        subject(stranger, &ALICE);
        subject(&ALICE, stranger);
    }
}

#[test]
fn chains_that_are_made_by_themselves_do_not_believe_one_another() {
    // At the same second, or it is the time that is refused.
    let other = TrustChain::builder("example.com", "alice")
        .at(ALICE.time())
        .build();
    let refusal = ALICE
        .verifier(AUDIENCE)
        .verify_header(other.header(&token()))
        .unwrap_err();
    assert!(!refusal.is_forbidden());
    assert!(refusal.reason().starts_with("dnssec."), "{refusal}");
}

#[test]
fn keys_of_ones_own_and_other_algorithms_stand_below_the_same_root() {
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let public_key = key.public_key().clone();
    let organisation_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let carol = TrustChain::builder("example.com", "carol")
        .dialect(Dialect::DomainAuth)
        .beside(&ALICE)
        .organisation_key(organisation_key)
        .member_key(key)
        .build();
    assert_eq!(*carol.member_key().public_key(), public_key);
    assert_eq!(subject(&carol, &carol), "carol@example.com");
    // Its verifier takes what those beside it need, too.
    assert_eq!(subject(&carol, &ALICE), "alice@example.com");
    let refusal = ALICE
        .verifier(AUDIENCE)
        .verify_header(carol.header(&token()));
    assert!(!refusal.unwrap_err().is_forbidden());
}

#[test]
fn an_organisation_signs_for_its_members() {
    let bob = "bob".parse().unwrap();
    let header = ALICE.organisation_header(&token(), &bob);
    let verified = ALICE.verifier(AUDIENCE).verify_header(header).unwrap();
    assert_eq!(verified.subject(), "bob@example.com");
    assert_eq!(verified.signed_by(), SignedBy::Organisation);
}

#[test]
#[should_panic(expected = "another_member")]
fn the_same_organisation_is_not_another() {
    let _ = ALICE.another_organisation("Example.COM", "bob");
}
