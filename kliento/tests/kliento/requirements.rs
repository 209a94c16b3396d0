//! The requirements that a server has beyond a valid token.

use std::sync::LazyLock;
use std::time::Duration;

use kliento::testing::TrustChain;
use kliento::veraid::{Dialect, KeyAlgorithm, Member, Period, Policy};
use kliento::{Requirements, Timestamp, Token, VerifiedToken, Verifier, VerifyError};

const AUDIENCE: &str = "https://api.example.com";

static NOON: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-21T12:00:00Z".parse().unwrap());
static CHAIN: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::at(*NOON, "example.com", &"alice".parse().unwrap()));

fn token() -> Token {
    Token::new(AUDIENCE.parse().unwrap())
        .with_claim("role", "admin")
        .with_claim("team", "")
}

fn verify(bundle: &[u8], requirements: Requirements) -> Result<VerifiedToken, VerifyError> {
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
    assert!(Requirements::new().allows_anybody());
    assert!(verify(&CHAIN.token(&token()), Requirements::new()).is_ok());
}

#[test]
fn takes_only_subjects_and_organisations_that_are_allowed() {
    let alice = CHAIN.token(&token());
    let bot = CHAIN.organisation_token(&token(), &Member::Bot);
    let organisation = |name: &str| Requirements::new().with_organisation(name.parse().unwrap());
    let subject = |pattern: &str| Requirements::new().with_subject(pattern.parse().unwrap());

    for allowed in [
        organisation("example.com"),
        organisation("example.net").with_organisation("example.com".parse().unwrap()),
        subject("alice@example.com"),
        subject("*@example.com"),
        organisation("example.net").with_subject("alice@example.com".parse().unwrap()),
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
        organisation("example.net").with_subject("bob@example.com".parse().unwrap()),
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
        requirements().with_claim("role", "admin"),
        requirements()
            .with_claim("role", "owner")
            .with_claim("role", "admin"),
        requirements()
            .with_claim_present("role")
            .with_claim_present("team"),
        requirements()
            .with_claim_present("role")
            .with_claim("role", "admin"),
        requirements().with_claim("team", ""),
    ] {
        verify(&bundle, met).unwrap();
    }
    for unmet in [
        requirements().with_claim("role", "Admin"),
        requirements()
            .with_claim("role", "admin")
            .with_claim("team", "x"),
        requirements().with_claim_present("Role"),
        requirements().with_claim_present("group"),
        requirements()
            .with_claim("role", "owner")
            .with_claim_present("role"),
    ] {
        assert_forbidden(&bundle, unmet, "kliento.claim_required");
    }
}

#[test]
fn an_organisations_word_for_its_member_can_be_refused() {
    let requirements = || Requirements::new().with_member_signature();
    verify(&CHAIN.token(&token()), requirements()).unwrap();
    let bundle = CHAIN.organisation_token(&token(), &"alice".parse().unwrap());
    verify(&bundle, Requirements::new()).unwrap();
    assert_forbidden(&bundle, requirements(), "kliento.member_signature_required");
}

#[test]
fn a_members_word_for_itself_can_be_refused() {
    let requirements = || Requirements::new().with_organisation_signature();
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
    let requirements = |algorithm| Requirements::new().with_key_algorithm(algorithm);
    verify(&bundle, requirements(KeyAlgorithm::Rsa2048)).unwrap();
    let two = requirements(KeyAlgorithm::Rsa4096).with_key_algorithm(KeyAlgorithm::Rsa2048);
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
    let at_most = |seconds| Requirements::new().with_max_lifetime(Duration::from_secs(seconds));
    verify(&bundle(60), at_most(60)).unwrap();
    assert_forbidden(&bundle(61), at_most(60), "kliento.lifetime_not_allowed");
    verify(&bundle(3_600), at_most(86_400)).unwrap();
    // Counted from the token's own start and end, whatever else ends earlier.
    let verified = verify(&bundle(60), Requirements::new()).unwrap();
    assert_eq!(verified.token_period().seconds(), 60);
}

/// `first` and `second`, put together in every way that there is.
fn combinations(first: &Requirements, second: &Requirements) -> [Requirements; 2] {
    let verifier = CHAIN.verifier(AUDIENCE).with_requirements(first.clone());
    let verifier = verifier.with_requirements(second.clone());
    [
        first.clone().and(second.clone()),
        verifier.requirements().clone(),
    ]
}

#[test]
fn requirements_that_are_added_leave_those_before_in_force() {
    let alice = CHAIN.token(&token());
    let organisation = |name: &str| Requirements::new().with_organisation(name.parse().unwrap());
    let subject = |pattern: &str| Requirements::new().with_subject(pattern.parse().unwrap());
    let claim = |value: &str| Requirements::new().with_claim("role", value);
    let seconds = |most| Requirements::new().with_max_lifetime(Duration::from_secs(most));
    let key = |algorithm| Requirements::new().with_key_algorithm(algorithm);

    for (met, unmet, reason) in [
        (
            claim("admin"),
            organisation("example.net"),
            "kliento.subject_not_allowed",
        ),
        (
            organisation("example.com"),
            organisation("example.net"),
            "kliento.subject_not_allowed",
        ),
        (
            organisation("example.com"),
            subject("bob@example.com"),
            "kliento.subject_not_allowed",
        ),
        (claim("admin"), claim("owner"), "kliento.claim_required"),
        (
            Requirements::new().with_member_signature(),
            Requirements::new().with_organisation_signature(),
            "kliento.organisation_signature_required",
        ),
        (
            key(KeyAlgorithm::Rsa2048),
            key(KeyAlgorithm::Rsa4096),
            "kliento.key_algorithm_not_allowed",
        ),
        (seconds(3_600), seconds(60), "kliento.lifetime_not_allowed"),
    ] {
        for combination in combinations(&met, &met) {
            verify(&alice, combination).unwrap();
        }
        for (first, second) in [(&met, &unmet), (&unmet, &met)] {
            for combination in combinations(first, second) {
                assert_forbidden(&alice, combination, reason);
            }
        }
    }
}

#[test]
fn a_builder_and_its_verifier_keep_all_requirements() {
    let organisation = Requirements::new().with_organisation("example.net".parse().unwrap());
    let verifier = Verifier::builder(AUDIENCE.parse().unwrap())
        .trust_anchors(CHAIN.trust_anchors().clone())
        .requirements(organisation)
        .requirements(Requirements::new().with_claim("role", "admin"))
        .build();
    for verifier in [
        verifier.clone(),
        verifier.with_requirements(Requirements::new()),
        verifier.for_audience(AUDIENCE.parse().unwrap()),
    ] {
        let refusal = verifier.verify_bundle_at(&CHAIN.token(&token()), *NOON);
        assert_eq!(refusal.unwrap_err().reason(), "kliento.subject_not_allowed");
    }
}

#[test]
fn policies_that_are_given_one_after_the_other_restrict_one_another() {
    let domain_auth = Policy::new().with_only(Dialect::DomainAuth);
    let ed25519 = Policy::new().with_algorithm(KeyAlgorithm::Ed25519);
    for [first, second] in [[domain_auth, ed25519], [ed25519, domain_auth]] {
        let verifier = Verifier::builder(AUDIENCE.parse().unwrap())
            .trust_anchors(CHAIN.trust_anchors().clone())
            .policy(first)
            .policy(second)
            .build();
        let refusal = verifier.verify_bundle_at(&CHAIN.token(&token()), *NOON);
        assert_eq!(refusal.unwrap_err().reason(), "veraid.dialect_not_accepted");
    }
}

#[test]
fn what_is_called_after_and_is_no_alternative_to_what_came_before() {
    let alice = CHAIN.token(&token());
    let both = || {
        let organisation = Requirements::new().with_organisation("example.net".parse().unwrap());
        organisation.and(Requirements::new().with_claim("role", "owner"))
    };
    let widened = both().with_organisation("example.com".parse().unwrap());
    assert_forbidden(&alice, widened, "kliento.subject_not_allowed");
    let claims = Requirements::new().and(Requirements::new().with_claim("role", "owner"));
    assert_forbidden(
        &alice,
        claims.with_claim("role", "admin"),
        "kliento.claim_required",
    );
}

#[test]
fn no_later_call_loosens_an_earlier_one() {
    let member = CHAIN.token(&token());
    let organisation = CHAIN.organisation_token(&token(), &"alice".parse().unwrap());
    for signers in [
        Requirements::new()
            .with_member_signature()
            .with_organisation_signature(),
        Requirements::new()
            .with_organisation_signature()
            .with_member_signature(),
    ] {
        let reason = "kliento.organisation_signature_required";
        assert_forbidden(&member, signers.clone(), reason);
        let reason = "kliento.member_signature_required";
        assert_forbidden(&organisation, signers, reason);
    }
    for (first, second) in [(60, 3_600), (3_600, 60)] {
        let limits = Requirements::new()
            .with_max_lifetime(Duration::from_secs(first))
            .with_max_lifetime(Duration::from_secs(second));
        assert_forbidden(&member, limits, "kliento.lifetime_not_allowed");
    }
}

#[test]
fn a_refusal_names_the_subject_if_the_token_was_verified_and_only_then() {
    let alice = CHAIN.token(&token());
    for unmet in [
        Requirements::new().with_subject("bob@example.com".parse().unwrap()),
        Requirements::new().with_organisation_signature(),
        Requirements::new().with_key_algorithm(KeyAlgorithm::Rsa4096),
        Requirements::new().with_max_lifetime(Duration::from_secs(60)),
        Requirements::new().with_claim("role", "owner"),
    ] {
        let refusal = verify(&alice, unmet).unwrap_err();
        assert_eq!(refusal.subject(), Some("alice@example.com"), "{refusal}");
    }
    let by_the_organisation = CHAIN.organisation_token(&token(), &Member::Bot);
    let refusal = verify(
        &by_the_organisation,
        Requirements::new().with_member_signature(),
    );
    assert_eq!(refusal.unwrap_err().subject(), Some("example.com"));

    // The first time, and of a token that the verifier remembers.
    let verifier = CHAIN.verifier(AUDIENCE);
    let elsewhere = verifier.for_audience("https://elsewhere.example".parse().unwrap());
    for _ in 0..2 {
        let refusal = elsewhere.verify_bundle(&alice).unwrap_err();
        assert_eq!(refusal.reason(), "kliento.audience_mismatch");
        assert_eq!(refusal.subject(), Some("alice@example.com"));
        verifier.verify_bundle(&alice).unwrap();
    }

    let mut tampered = alice.clone();
    *tampered.last_mut().unwrap() ^= 1;
    let now = Verifier::builder(AUDIENCE.parse().unwrap()).build();
    for refusal in [
        verifier.verify_bundle(&tampered),
        elsewhere.verify_bundle(&tampered),
        verifier.verify_bundle_at(&alice, NOON.saturating_add(3_600)),
        now.verify_bundle_at(&alice, *NOON),
        verifier.verify_bundle(b"no bundle"),
        verifier.verify_header("Bearer abc"),
    ] {
        assert_eq!(refusal.unwrap_err().subject(), None);
    }
}

#[test]
fn a_token_that_is_not_valid_is_never_merely_forbidden() {
    let mut bundle = CHAIN.token(&token());
    *bundle.last_mut().unwrap() ^= 1;
    let requirements = Requirements::new().with_subject("bob@example.com".parse().unwrap());
    assert!(!verify(&bundle, requirements).unwrap_err().is_forbidden());
}

#[test]
fn a_verifier_with_several_audiences_takes_tokens_for_each_and_for_no_other() {
    let token_for = |audience: &str| CHAIN.token(&Token::new(audience.parse().unwrap()));
    let strict = Requirements::new().with_organisation("example.net".parse().unwrap());
    let audiences = [
        "https://a.example",
        "https://b.example",
        "https://c.example",
    ];
    let verifier = CHAIN.verifier("https://z.example");
    let verifier = verifier.shared().for_any_of(
        audiences[0].parse().unwrap(),
        audiences[1..]
            .iter()
            .map(|audience| audience.parse().unwrap()),
    );
    assert_eq!(verifier.audience().as_str(), "https://a.example");
    for audience in audiences {
        let bundle = token_for(audience);
        for _ in 0..2 {
            let token = verifier.verify_bundle_at(&bundle, *NOON).unwrap();
            assert_eq!(token.audience().as_str(), audience);
        }
        let refusal = verifier.with_requirements(strict.clone());
        let refusal = refusal.verify_bundle_at(&bundle, *NOON).unwrap_err();
        assert!(refusal.is_forbidden());
        let other = verifier.for_audience("https://d.example".parse().unwrap());
        let refusal = other.verify_bundle_at(&bundle, *NOON).unwrap_err();
        assert_eq!(refusal.reason(), "kliento.audience_mismatch");
    }
    for audience in [
        "https://d.example",
        "https://A.example",
        "https://a.example/",
        // What the verifier that shares its cache is for.
        "https://z.example",
    ] {
        let refusal = verifier
            .verify_bundle_at(&token_for(audience), *NOON)
            .unwrap_err();
        assert_eq!(refusal.reason(), "kliento.audience_mismatch");
    }
}
