//! Tokens through the public API alone: what a verifier takes, and what it must not.

use std::sync::LazyLock;
use std::time::Duration;

use kliento::testing::TrustChain;
use kliento::veraid::{
    self, Content, Dialect, KeyAlgorithm, Member, Period, Policy, ServiceOid, SignatureRequest,
    SignedBy, Timestamp, TrustAnchors,
};
use kliento::{IssueError, MAX_BUNDLE_OCTETS, SERVICE, Token, TokenBundle, Verifier, header};
use kliento_tools::realistic::{Domain, Keys, Kind};

const AUDIENCE: &str = "https://api.example.com";
/// 2026-11-21T12:00:00Z.
const NOON: Timestamp = Timestamp::from_unix_seconds(1_795_262_400);
const LIFETIME: i64 = 600;

static CHAIN: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::at(NOON, "example.com", &"alice".parse().unwrap()));
static BOT_CHAIN: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::at(NOON, "example.com", &Member::Bot));

fn token() -> Token {
    Token::new(AUDIENCE.parse().unwrap()).with_claim("role", "admin")
}

fn period(start: i64, seconds: i64) -> Period {
    let start = NOON.saturating_add(start);
    Period::new(start, start.saturating_add(seconds)).unwrap()
}

/// A signature of Alice's that the library would not make as a token.
fn signature(content: Content<'_>, service: ServiceOid, period: Period) -> Vec<u8> {
    let request = SignatureRequest::new(content, service, period);
    CHAIN.member_signer().sign(&request).unwrap()
}

fn attached(content: &[u8]) -> Vec<u8> {
    signature(Content::Attached(content), SERVICE, period(0, LIFETIME))
}

#[test]
fn verifies_tokens_of_members_and_organisations() {
    let alice = Member::User("alice".parse().unwrap());
    let cases = [
        (CHAIN.token(&token()), "alice@example.com", SignedBy::Member),
        (BOT_CHAIN.token(&token()), "example.com", SignedBy::Member),
        (
            CHAIN.organisation_token(&token(), &alice),
            "alice@example.com",
            SignedBy::Organisation,
        ),
        (
            CHAIN.organisation_token(&token(), &Member::Bot),
            "example.com",
            SignedBy::Organisation,
        ),
    ];
    for (index, (bundle, subject, signed_by)) in cases.into_iter().enumerate() {
        let chain = if index == 1 { &*BOT_CHAIN } else { &*CHAIN };
        let verified = chain.verifier(AUDIENCE).verify_bundle(&bundle).unwrap();
        assert_eq!(verified.subject(), subject);
        assert_eq!(verified.member_id().to_string(), subject);
        assert_eq!(verified.signed_by(), signed_by);
        assert_eq!(verified.audience().as_str(), AUDIENCE);
        assert_eq!(verified.claims().get("role"), Some("admin"));
        assert_eq!(verified.validity(), period(0, LIFETIME));
        assert_eq!(verified.dialect().to_string(), "veraid");
        assert_eq!(verified.key_algorithm().to_string(), "rsa-2048");
    }
}

#[test]
fn says_whether_a_delegate_signed_in_the_organisations_place() {
    let keys = Keys::generate(KeyAlgorithm::Ed25519).unwrap();
    let domain = Domain::new(Dialect::DomainAuth, &keys, NOON).unwrap();
    let verifier = domain.verifier().unwrap().build();
    for (kind, signed_by, is_delegated) in [
        (Kind::Organisation, SignedBy::Organisation, false),
        (Kind::Delegate, SignedBy::Organisation, true),
        (Kind::Member, SignedBy::Member, false),
        (Kind::MemberThroughIntermediate, SignedBy::Member, false),
    ] {
        let bundle = domain.issue(kind, &keys).unwrap().unwrap();
        // Verified, and remembered.
        for _ in 0..2 {
            let token = verifier.verify_bundle(&bundle).unwrap();
            assert_eq!(token.signed_by(), signed_by, "{kind:?}");
            assert_eq!(token.is_delegated(), is_delegated, "{kind:?}");
            assert_eq!(token.subject(), "alice@example.com");
        }
    }
}

#[test]
fn verifies_the_value_of_an_authorization_field() {
    let verifier = CHAIN.verifier(AUDIENCE);
    let value = CHAIN.header(&token());
    for value in [
        value.clone(),
        value.replacen("Kliento ", "kLIENTO   ", 1),
        value.trim_end_matches('=').to_owned(),
    ] {
        assert!(verifier.verify_header(&value).is_ok());
        assert!(verifier.verify_header(value.as_bytes()).is_ok());
    }
}

#[test]
fn a_verifier_can_be_shared_by_threads_and_cloned() {
    fn shareable<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    shareable(&CHAIN.verifier(AUDIENCE));
}

/// Each is refused for one reason alone: all else about it is in order.
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn refuses_what_is_no_token_for_this_server_at_this_time() {
    let json = token().to_json();
    let mut altered = CHAIN.token(&token());
    let at = altered
        .windows(5)
        .position(|window| window == b"admin")
        .unwrap();
    altered[at..at + 5].copy_from_slice(b"owner");
    let mut trailing = CHAIN.token(&token());
    trailing.push(0);

    let cases: Vec<(&str, Vec<u8>, &str, bool)> =
        vec![
        ("no DER", b"no DER".to_vec(), "veraid.malformed_bundle", true),
        ("nothing", vec![], "veraid.malformed_bundle", true),
        ("a trailing byte", trailing, "veraid.malformed_bundle", true),
        (
            "more than 16,384 bytes, whatever they are",
            vec![0; MAX_BUNDLE_OCTETS + 1],
            "kliento.bundle_too_large",
            true,
        ),
        (
            "more than 16,384 bytes, and a good signature",
            attached(
                &Token::new(AUDIENCE.parse().unwrap())
                    .with_claim("big", "x".repeat(MAX_BUNDLE_OCTETS))
                    .to_json(),
            ),
            "kliento.bundle_too_large",
            true,
        ),
        (
            "a detached token",
            signature(Content::Detached(&json), SERVICE, period(0, LIFETIME)),
            "kliento.detached_token",
            false,
        ),
        (
            "a lifetime of a second more than an hour",
            signature(Content::Attached(&json), SERVICE, period(0, 3_601)),
            "kliento.lifetime_too_long",
            false,
        ),
        (
            "a lifetime of days around now",
            signature(Content::Attached(&json), SERVICE, period(-80_000, 160_000)),
            "kliento.lifetime_too_long",
            false,
        ),
        (
            "another service",
            signature(Content::Attached(&json), veraid::TEST_SERVICE, period(0, LIFETIME)),
            "veraid.service_mismatch",
            false,
        ),
        (
            "another audience",
            attached(br#"{"audience":"https://shop.example.net"}"#),
            "kliento.audience_mismatch",
            false,
        ),
        (
            "an audience that differs in a slash",
            attached(br#"{"audience":"https://api.example.com/"}"#),
            "kliento.audience_mismatch",
            false,
        ),
        (
            "an audience that differs in case",
            attached(br#"{"audience":"https://API.example.com"}"#),
            "kliento.audience_mismatch",
            false,
        ),
        (
            "an audience that ends earlier",
            attached(br#"{"audience":"https://api.example"}"#),
            "kliento.audience_mismatch",
            false,
        ),
        ("content that is no token", attached(b"{}"), "kliento.malformed_token", false),
        (
            "a token with two audiences",
            attached(
                br#"{"audience":"https://shop.example.net","audience":"https://api.example.com"}"#,
            ),
            "kliento.malformed_token",
            false,
        ),
        ("an altered claim", altered, "cms.digest_mismatch", false),
        (
            "a token that expired a second ago",
            signature(Content::Attached(&json), SERVICE, period(-LIFETIME - 1, LIFETIME)),
            "veraid.signature_expired",
            false,
        ),
        (
            "a token that starts in a second",
            signature(Content::Attached(&json), SERVICE, period(1, LIFETIME)),
            "veraid.signature_not_yet_valid",
            false,
        ),
    ];
    let verifier = CHAIN.verifier(AUDIENCE);
    for (fault, bundle, reason, malformed) in cases {
        let error = verifier.verify_bundle(&bundle).expect_err(fault);
        assert_eq!(error.reason(), reason, "{fault}: {error}");
        assert_eq!(error.is_malformed(), malformed, "{fault}: {error}");
        assert!(error.to_string().len() < 400, "{fault}: {error}");
    }
}

#[test]
fn takes_a_token_from_its_first_second_to_its_last() {
    let bundle = CHAIN.token(&token());
    let verifier = CHAIN.verifier(AUDIENCE);
    for (offset, accepted) in [
        (-1, false),
        (0, true),
        (LIFETIME, true),
        (LIFETIME + 1, false),
    ] {
        let verdict = verifier.verify_bundle_at(&bundle, NOON.saturating_add(offset));
        assert_eq!(verdict.is_ok(), accepted, "{offset}");
    }
}

#[test]
fn takes_a_token_of_exactly_an_hour() {
    let bundle = kliento::issue(&CHAIN.member_signer(), &token(), period(0, 3_600)).unwrap();
    assert!(CHAIN.verifier(AUDIENCE).verify_bundle(&bundle).is_ok());
}

#[test]
fn clock_skew_stretches_a_token_at_both_ends_and_no_further() {
    let bundle = CHAIN.token(&token());
    let verifier = |skew| {
        Verifier::builder(AUDIENCE.parse().unwrap())
            .trust_anchors(CHAIN.trust_anchors().clone())
            .clock_skew(skew)
            .build()
    };
    let ten_seconds = verifier(Duration::from_millis(10_999));
    for (offset, accepted) in [
        (-11, false),
        (-10, true),
        (LIFETIME + 10, true),
        (LIFETIME + 11, false),
    ] {
        let verdict = ten_seconds.verify_bundle_at(&bundle, NOON.saturating_add(offset));
        assert_eq!(verdict.is_ok(), accepted, "{offset}");
    }
    // The TTL override counts from the end of the tolerance.
    let forever = verifier(Duration::MAX);
    let error = forever.verify_bundle_at(&bundle, NOON).unwrap_err();
    assert_eq!(error.reason(), "veraid.ttl_override_exceeded");
    // No tolerance lets a token live longer than an hour.
    let long = signature(
        Content::Attached(&token().to_json()),
        SERVICE,
        period(0, 3_601),
    );
    let error = forever.verify_bundle_at(&long, NOON).unwrap_err();
    assert_eq!(error.reason(), "kliento.lifetime_too_long");
}

#[test]
fn reads_the_clock_that_it_was_given() {
    let bundle = CHAIN.token(&token());
    let at = |offset| {
        Verifier::builder(AUDIENCE.parse().unwrap())
            .trust_anchors(CHAIN.trust_anchors().clone())
            .clock(move || NOON.saturating_add(offset))
            .build()
    };
    assert!(at(LIFETIME).verify_bundle(&bundle).is_ok());
    let error = at(LIFETIME + 1)
        .verify_header(header::encode(&bundle))
        .unwrap_err();
    assert_eq!(error.reason(), "veraid.signature_expired");
}

#[test]
fn trusts_only_the_anchors_that_it_was_given() {
    let bundle = CHAIN.token(&token());
    for anchors in [TrustAnchors::iana(), BOT_CHAIN.trust_anchors().clone()] {
        let verifier = Verifier::builder(AUDIENCE.parse().unwrap())
            .trust_anchors(anchors)
            .build();
        let error = verifier.verify_bundle_at(&bundle, NOON).unwrap_err();
        assert_eq!(error.reason(), "dnssec.dnskey_not_committed");
    }
    // IANA's are the ones that it has unless given others.
    let verifier = Verifier::builder(AUDIENCE.parse().unwrap()).build();
    let error = verifier.verify_bundle_at(&bundle, NOON).unwrap_err();
    assert_eq!(error.reason(), "dnssec.dnskey_not_committed");
}

#[test]
fn issues_no_token_that_every_verifier_would_refuse() {
    let signer = CHAIN.member_signer();
    let error = kliento::issue(&signer, &token(), period(0, 3_601)).unwrap_err();
    assert!(
        matches!(error, IssueError::LifetimeTooLong { .. }),
        "{error}"
    );
    let large = token().with_claim("big", "x".repeat(MAX_BUNDLE_OCTETS));
    let error = kliento::issue(&signer, &large, period(0, LIFETIME)).unwrap_err();
    assert!(
        matches!(error, IssueError::BundleTooLarge { .. }),
        "{error}"
    );
}

#[test]
fn tells_what_a_bundle_says_of_itself_without_verifying_it() {
    let bundle = CHAIN.token(&token());
    let read = TokenBundle::from_der(&bundle).unwrap();
    assert_eq!(read.unverified_token().unwrap(), token());
    let detached = signature(
        Content::Detached(&token().to_json()),
        SERVICE,
        period(0, LIFETIME),
    );
    let error = TokenBundle::from_der(&detached)
        .unwrap()
        .unverified_token()
        .unwrap_err();
    assert_eq!(error.reason(), "kliento.detached_token");
}

#[test]
fn every_prefix_of_a_token_is_malformed() {
    let verifier = CHAIN.verifier(AUDIENCE);
    let bundle = CHAIN.token(&token());
    for length in 0..bundle.len() {
        let error = verifier.verify_bundle(&bundle[..length]).unwrap_err();
        assert!(error.is_malformed(), "{length}: {error}");
    }
}

/// Changes in what no signature covers, such as the ID of a DNS message, are harmless.
#[test]
fn no_change_of_an_octet_makes_another_token() {
    let verifier = CHAIN.verifier(AUDIENCE);
    let bundle = CHAIN.token(&token());
    let genuine = verifier.verify_bundle(&bundle).unwrap();
    // A fixed sequence, so that a failure can be had again (Knuth's MMIX generator).
    let mut state = 20_261_121_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 40).unwrap()
    };
    for _ in 0..1_500 {
        let position = random() % bundle.len();
        let mask = u8::try_from(random() % 255 + 1).unwrap();
        let mut changed = bundle.clone();
        changed[position] ^= mask;
        if let Ok(token) = verifier.verify_bundle(&changed) {
            assert_eq!(token.subject(), genuine.subject());
            assert_eq!(token.claims(), genuine.claims(), "{position} ^ {mask}");
        }
    }
}

/// The specifications have RSA alone: whoever takes more has said so.
#[test]
fn a_verifier_takes_what_its_policy_says() {
    let chain = TrustChain::builder("example.com", "alice")
        .at(NOON)
        .dialect(Dialect::DomainAuth)
        .algorithms(KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519)
        .build();
    let bundle = chain.token(&token());
    let token = chain.verifier(AUDIENCE).verify_bundle(&bundle).unwrap();
    assert_eq!(token.dialect(), Dialect::DomainAuth);
    assert_eq!(token.key_algorithm(), KeyAlgorithm::Ed25519);

    let both = Policy::new()
        .with_algorithm(KeyAlgorithm::EcdsaP256)
        .with_algorithm(KeyAlgorithm::Ed25519);
    let verdict = |policy: Option<Policy>| {
        let verifier = Verifier::builder(AUDIENCE.parse().unwrap())
            .trust_anchors(chain.trust_anchors().clone())
            .clock(|| NOON);
        let verifier = match policy {
            Some(policy) => verifier.policy(policy),
            None => verifier,
        };
        verifier.build().verify_bundle(&bundle)
    };
    for policy in [
        both,
        both.with_only(Dialect::DomainAuth),
        Policy::new().with_all_algorithms(),
        chain.policy(),
    ] {
        assert!(verdict(Some(policy)).is_ok(), "{policy:?}");
    }
    for (policy, reason) in [
        (None, "veraid.algorithm_not_allowed"),
        (
            Some(Policy::new().with_algorithm(KeyAlgorithm::Ed25519)),
            "veraid.algorithm_not_allowed",
        ),
        (
            Some(Policy::new().with_algorithm(KeyAlgorithm::EcdsaP256)),
            "veraid.algorithm_not_allowed",
        ),
        (
            Some(both.with_only(Dialect::VeraId)),
            "veraid.dialect_not_accepted",
        ),
    ] {
        assert_eq!(verdict(policy).unwrap_err().reason(), reason, "{policy:?}");
    }
}

/// A key that no function can wait for signs in two steps, within the same bounds.
#[test]
fn a_token_is_issued_in_two_steps() {
    let signer = CHAIN.member_signer();
    let identity = signer.identity();
    let prepare = |token: &Token| kliento::prepare(&identity, token, period(0, LIFETIME)).unwrap();
    let unsigned = prepare(&token());
    assert_eq!(unsigned.public_key(), signer.key().public_key());
    let signature = signer
        .key()
        .sign(unsigned.to_be_signed(), unsigned.scheme())
        .unwrap();
    let bundle = unsigned.finish(&signature).unwrap();
    let verified = CHAIN.verifier(AUDIENCE).verify_bundle(&bundle).unwrap();
    assert_eq!(verified.subject(), "alice@example.com");

    let error = prepare(&token()).finish(b"no signature").unwrap_err();
    assert_eq!(error.reason(), "veraid.signed_wrongly");
    let error = kliento::prepare(&identity, &token(), period(0, 3_601)).unwrap_err();
    assert_eq!(error.reason(), "kliento.lifetime_too_long");
    let large = prepare(&token().with_claim("filling", "x".repeat(MAX_BUNDLE_OCTETS)));
    let signature = signer
        .key()
        .sign(large.to_be_signed(), large.scheme())
        .unwrap();
    let error = large.finish(&signature).unwrap_err();
    assert_eq!(error.reason(), "kliento.bundle_too_large");
}
