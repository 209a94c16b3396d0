//! Members that sign for themselves.

use std::fs;
use std::time::Duration;

use kliento::client::{MemberSigner, TokenSource};
use kliento::testing::TrustChain;
use kliento::veraid::{Dialect, KeyAlgorithm, MemberIdBundle, PrivateKey};
use tempfile::TempDir;
use tokio::time::advance;

use super::support::{AUDIENCE, CHAIN, Clock, LIFETIME, NOON, period};

fn signer(chain: &TrustChain) -> MemberSigner {
    let id = chain.member_id_bundle().to_der().unwrap();
    let key = chain.member_key().to_pkcs8_pem().unwrap();
    MemberSigner::new(
        MemberIdBundle::from_der(&id).unwrap(),
        PrivateKey::from_pkcs8_pem(&key).unwrap(),
    )
}

fn source(signer: MemberSigner) -> TokenSource {
    Clock::at_noon().source(signer)
}

#[tokio::test(start_paused = true)]
async fn signs_tokens_with_claims_for_ten_minutes() {
    let signer = signer(&CHAIN)
        .with_claim("role", "admin")
        .with_claim("team", "a");
    let token = source(signer).token().await.unwrap();
    let verified = CHAIN
        .verifier(AUDIENCE)
        .verify_header(token.as_str())
        .unwrap();
    assert_eq!(verified.subject(), "alice@example.com");
    assert_eq!(verified.claims().get("role"), Some("admin"));
    assert_eq!(verified.claims().get("team"), Some("a"));
    assert_eq!(token.period(), period(-30, LIFETIME));
}

#[tokio::test(start_paused = true)]
async fn claims_are_set_in_place_of_those_before_or_added() {
    let claims = [("team", "a"), ("level", "7")].into_iter().collect();
    let signer = signer(&CHAIN)
        .with_claim("role", "admin")
        .with_claims(claims)
        .with_claim("level", "8");
    let token = source(signer).token().await.unwrap();
    let verified = CHAIN.verifier(AUDIENCE).verify_header(token.as_str());
    let verified = verified.unwrap();
    assert!(verified.claims().iter().eq([("level", "8"), ("team", "a")]));
}

#[tokio::test(start_paused = true)]
async fn lifetimes_are_for_their_owner_to_choose_up_to_an_hour() {
    for (seconds, expected) in [(60, period(-30, 60)), (3_600, period(0, 3_600))] {
        let signer = signer(&CHAIN).with_lifetime(Duration::from_secs(seconds));
        assert_eq!(source(signer).token().await.unwrap().period(), expected);
    }
    let signer = signer(&CHAIN).with_lifetime(Duration::from_secs(3_601));
    let error = source(signer).token().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "cannot sign a token");
    let cause = cause.source().unwrap().to_string();
    assert!(cause.contains("the limit is 3600"), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn reads_new_files_for_each_token() {
    let directory = TempDir::new().unwrap();
    let (id, key) = (directory.path().join("id"), directory.path().join("key"));
    let write = |chain: &TrustChain| {
        fs::write(&id, chain.member_id_bundle().to_der().unwrap()).unwrap();
        fs::write(&key, chain.member_key().to_pkcs8_pem().unwrap()).unwrap();
    };
    write(&CHAIN);
    let clock = Clock::at_noon();
    let source = clock.source(MemberSigner::from_files(&id, &key));
    let token = source.token().await.unwrap();
    assert!(
        CHAIN
            .verifier(AUDIENCE)
            .verify_header(token.as_str())
            .is_ok()
    );

    let other = TrustChain::builder("example.com", "bob")
        .dialect(Dialect::DomainAuth)
        .algorithms(KeyAlgorithm::Ed25519, KeyAlgorithm::Ed25519)
        .at(NOON)
        .build();
    write(&other);
    clock.set(LIFETIME + 1);
    advance(Duration::from_secs(1)).await;
    let token = source.token().await.unwrap();
    let der = kliento::header::decode(token.as_str()).unwrap();
    let verified = other
        .verifier(AUDIENCE)
        .verify_bundle_at(&der, clock.now())
        .unwrap();
    assert_eq!(verified.subject(), "bob@example.com");
}

#[tokio::test(start_paused = true)]
async fn says_which_file_is_wrong() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("id"), CHAIN.member_id_bundle().to_der().unwrap()).unwrap();
    fs::write(path("key"), &*CHAIN.member_key().to_pkcs8_pem().unwrap()).unwrap();
    fs::write(path("other"), b"hello").unwrap();
    for (id, key, expected) in [
        ("missing", "key", "cannot read "),
        ("id", "missing", "cannot read "),
        ("other", "key", "other is not a member id bundle"),
        ("id", "other", "other is not a private key"),
    ] {
        let error = source(MemberSigner::from_files(path(id), path(key)))
            .token()
            .await
            .unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(expected), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_id_bundle_that_has_ended_is_named_as_the_reason() {
    let clock = Clock::at_noon();
    clock.set(7 * 86_400 - 3_600);
    let source = clock.source(signer(&CHAIN));
    let error = source.token().await.unwrap_err();
    assert_eq!(
        error.reason(),
        "client.never_valid",
        "DNSSEC ended a day before"
    );
}
