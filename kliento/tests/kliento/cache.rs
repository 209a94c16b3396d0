//! What a verifier remembers changes no verdict.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kliento::testing::TrustChain;
use kliento::veraid::{Dialect, KeyAlgorithm, Period};
use kliento::{
    CacheStatistics, Claims, Requirements, Timestamp, Token, Verifier, VerifierBuilder, header,
};
use proptest::prelude::*;

const AUDIENCE: &str = "https://api.example.com";
/// How long tokens of a `TrustChain` live, in seconds.
const LIFETIME: i64 = 600;

static NOON: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-21T12:00:00Z".parse().unwrap());
static CHAIN: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::at(*NOON, "example.com", &"alice".parse().unwrap()));
static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| CHAIN.token(&token()));

fn token() -> Token {
    Token::new(AUDIENCE.parse().unwrap()).with_claim("role", "admin")
}

/// A verifier whose clock the test sets, in seconds from noon.
fn verifier() -> (VerifierBuilder, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&clock);
    let builder = Verifier::builder(AUDIENCE.parse().unwrap())
        .trust_anchors(CHAIN.trust_anchors().clone())
        .clock(move || after_noon(read.load(Ordering::Relaxed)));
    (builder, clock)
}

fn after_noon(seconds: i64) -> Timestamp {
    NOON.saturating_add(seconds)
}

#[test]
fn a_bundle_that_was_verified_is_known_in_the_form_in_which_it_came() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    let value = header::encode(&BUNDLE);
    assert!(verifier.recall_header(&value).is_none());
    let token = verifier.verify_header(&value).unwrap();
    assert_eq!(verifier.recall_header(&value).unwrap().unwrap(), token);
    // The scheme and the spaces behind it are no part of the bundle.
    let respelt = value.replace("Kliento ", "KLIENTO   ");
    assert_eq!(verifier.recall_header(respelt).unwrap().unwrap(), token);

    assert!(verifier.recall_bundle(&BUNDLE).is_none());
    assert_eq!(verifier.verify_bundle(&BUNDLE).unwrap(), token);
    assert_eq!(verifier.recall_bundle(&BUNDLE).unwrap().unwrap(), token);
    assert_eq!(verifier.cache_statistics().bundles.entries, 2);
}

#[test]
fn the_text_of_a_bundle_does_not_pass_for_its_octets() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    let value = header::encode(&BUNDLE);
    verifier.verify_header(&value).unwrap();
    let text = value.strip_prefix("Kliento ").unwrap();
    assert!(verifier.recall_bundle(text.as_bytes()).is_none());
    assert!(verifier.verify_bundle(text.as_bytes()).is_err());
}

#[test]
fn a_bundle_with_any_octet_changed_is_not_known() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    let mut changed = BUNDLE.clone();
    for index in 0..changed.len() {
        changed[index] ^= 1;
        assert!(verifier.recall_bundle(&changed).is_none(), "byte {index}");
        changed[index] ^= 1;
    }
    assert!(
        verifier
            .recall_bundle(&BUNDLE[..BUNDLE.len() - 1])
            .is_none()
    );
    changed.push(0);
    assert!(verifier.recall_bundle(&changed).is_none());
}

#[test]
fn what_is_known_ends_when_the_token_does_and_leaves() {
    let (builder, clock) = verifier();
    let verifier = builder.build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    clock.store(LIFETIME, Ordering::Relaxed);
    assert!(verifier.recall_bundle(&BUNDLE).unwrap().is_ok());
    assert_eq!(verifier.cache_statistics().bundles.entries, 1);
    clock.store(LIFETIME + 1, Ordering::Relaxed);
    let refusal = verifier.verify_bundle(&BUNDLE).unwrap_err();
    assert_eq!(refusal.reason(), "veraid.signature_expired");
    assert_eq!(verifier.cache_statistics().bundles.entries, 0);
}

#[test]
fn what_has_ended_can_be_forgotten_without_being_asked_for() {
    let (builder, clock) = verifier();
    let verifier = builder.build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    clock.store(LIFETIME, Ordering::Relaxed);
    verifier.remove_expired();
    assert_eq!(verifier.cache_statistics().bundles.entries, 1);
    clock.store(LIFETIME + 1, Ordering::Relaxed);
    verifier.remove_expired();
    assert_eq!(verifier.cache_statistics().bundles.entries, 0);
}

#[test]
fn what_is_known_does_not_hold_before_the_token_starts() {
    let (builder, clock) = verifier();
    let verifier = builder.build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    clock.store(-7_200, Ordering::Relaxed);
    assert!(verifier.recall_bundle(&BUNDLE).is_none());
    assert!(verifier.verify_bundle(&BUNDLE).is_err());
    clock.store(0, Ordering::Relaxed);
    assert!(verifier.verify_bundle(&BUNDLE).is_ok());
}

#[test]
fn each_audience_is_asked_for_though_the_cache_is_shared() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    let other = verifier.for_audience("https://api.example.net".parse().unwrap());
    let refusal = other.recall_bundle(&BUNDLE).unwrap().unwrap_err();
    assert_eq!(refusal.reason(), "kliento.audience_mismatch");
    assert_eq!(
        other.verify_bundle(&BUNDLE).unwrap_err().reason(),
        "kliento.audience_mismatch"
    );
    assert_eq!(verifier.cache_statistics(), other.cache_statistics());
}

#[test]
fn requirements_are_asked_for_though_the_bundle_is_known() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    let strict = verifier.with_requirements(Requirements::new().with_claim("role", "owner"));
    let refusal = strict.recall_bundle(&BUNDLE).unwrap().unwrap_err();
    assert_eq!(refusal.reason(), "kliento.claim_required");
    assert!(strict.verify_bundle(&BUNDLE).unwrap_err().is_forbidden());
}

#[test]
fn what_is_refused_is_not_remembered() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    let mut tampered = BUNDLE.clone();
    *tampered.last_mut().unwrap() ^= 1;
    let elsewhere = CHAIN.token(&Token::new("https://api.example.net".parse().unwrap()));
    let forbidden = verifier.with_requirements(Requirements::new().with_claim("role", "owner"));

    assert!(verifier.verify_bundle(&tampered).is_err());
    assert!(verifier.verify_bundle(&elsewhere).is_err());
    assert!(verifier.verify_header("Kliento AAAA").is_err());
    assert!(forbidden.verify_bundle(&BUNDLE).is_err());
    assert_eq!(verifier.cache_statistics().bundles.entries, 0);
}

#[test]
fn what_is_refused_pushes_out_nothing() {
    let (builder, _) = verifier();
    let verifier = builder.cache_octets(64 * 1_024).build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    for number in 0..200_u8 {
        let mut tampered = BUNDLE.clone();
        *tampered.last_mut().unwrap() ^= number.saturating_add(1);
        assert!(verifier.verify_bundle(&tampered).is_err());
    }
    assert!(verifier.recall_bundle(&BUNDLE).unwrap().is_ok());
}

#[test]
fn the_cache_stays_within_its_bound() {
    const BOUND: u32 = 128 * 1_024;
    let (builder, _) = verifier();
    let verifier = builder
        .cache_octets(usize::try_from(BOUND).unwrap())
        .build();
    for number in 0..200 {
        let bundle = CHAIN.token(&token().with_claim("number", number.to_string()));
        verifier.verify_bundle(&bundle).unwrap();
        let statistics = verifier.cache_statistics();
        assert!(statistics.octets() <= u64::from(BOUND), "{statistics:?}");
        assert_eq!(statistics.capacity_octets(), u64::from(BOUND));
    }
    let statistics = verifier.cache_statistics().bundles;
    assert!(statistics.entries > 0);
    assert!(statistics.entries < 200);
}

#[test]
fn the_cache_can_be_switched_off() {
    let (builder, _) = verifier();
    let verifier = builder.cache_octets(0).build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    assert!(verifier.recall_bundle(&BUNDLE).is_none());
    verifier.verify_bundle(&BUNDLE).unwrap();
    assert_eq!(verifier.cache_statistics().capacity_octets(), 0);
    verifier.remove_expired();
}

#[test]
fn what_can_be_refused_at_once_needs_no_verification() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    for (value, reason) in [
        ("Bearer abc".to_owned(), "kliento.wrong_scheme"),
        ("Kliento ".to_owned(), "kliento.malformed_header"),
        (
            format!("Kliento {}", "A".repeat(30_000)),
            "kliento.bundle_too_large",
        ),
    ] {
        let refusal = verifier.recall_header(&value).unwrap().unwrap_err();
        assert_eq!(refusal.reason(), reason);
    }
}

#[test]
fn looking_up_is_counted() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    verifier.verify_bundle(&BUNDLE).unwrap();
    verifier.verify_bundle(&BUNDLE).unwrap();
    verifier.verify_bundle(&BUNDLE).unwrap();
    let statistics = verifier.cache_statistics().bundles;
    assert_eq!((statistics.hits, statistics.misses), (2, 1));
}

/// Repetitions after which each thread has a copy of its own.
const OFTEN: u64 = 200;

#[test]
fn what_is_asked_for_often_is_known_no_longer_than_it_holds() {
    let (builder, clock) = verifier();
    let verifier = builder.build();
    let other = verifier.for_audience("https://api.example.net".parse().unwrap());
    let strict = verifier.with_requirements(Requirements::new().with_claim("role", "owner"));
    let expected = verifier.verify_bundle(&BUNDLE).unwrap();
    for _ in 0..OFTEN {
        assert_eq!(verifier.verify_bundle(&BUNDLE).unwrap(), expected);
    }
    assert_eq!(
        other.verify_bundle(&BUNDLE).unwrap_err().reason(),
        "kliento.audience_mismatch"
    );
    assert!(strict.verify_bundle(&BUNDLE).unwrap_err().is_forbidden());
    let statistics = verifier.cache_statistics().bundles;
    assert_eq!((statistics.hits, statistics.misses), (OFTEN + 2, 1));

    clock.store(LIFETIME + 1, Ordering::Relaxed);
    assert!(verifier.recall_bundle(&BUNDLE).is_none());
    clock.store(-1, Ordering::Relaxed);
    assert!(verifier.recall_bundle(&BUNDLE).is_none());
}

#[test]
fn what_is_asked_for_often_is_forgotten_too() {
    let (builder, clock) = verifier();
    let verifier = builder.build();
    for _ in 0..OFTEN {
        verifier.verify_bundle(&BUNDLE).unwrap();
    }
    clock.store(LIFETIME + 1, Ordering::Relaxed);
    verifier.remove_expired();
    // It would hold again if it were still there.
    clock.store(0, Ordering::Relaxed);
    assert!(verifier.recall_bundle(&BUNDLE).is_none());
}

/// A token of many claims with short names and nothing to say.
fn crowded(number: usize, claims: usize) -> Vec<u8> {
    let claims: Claims = (0..claims)
        .map(|claim| (format!("{claim:03x}"), String::new()))
        .chain([("number".to_owned(), number.to_string())])
        .collect();
    CHAIN.token(&token().with_claims(claims))
}

/// The copies that threads keep count as well.
#[test]
fn the_cache_takes_no_more_octets_than_it_was_given() {
    const BOUND: usize = 1 << 20;
    let bundles: Vec<Vec<u8>> = (0..64).map(|number| crowded(number, 300)).collect();
    let verifier = verifier().0.cache_octets(BOUND).build();
    let ask = || {
        for bundle in &bundles {
            for _ in 0..20 {
                verifier.verify_bundle(bundle).unwrap();
            }
        }
    };
    // Each thread counts what it takes and gives back.
    let taken: i64 = (0..8)
        .map(|_| {
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| allocation_counter::measure(ask).bytes_current);
                thread.join().unwrap()
            })
        })
        .sum();
    let told = verifier.cache_statistics().octets();
    assert!(told <= u64::try_from(BOUND).unwrap());
    assert!(
        taken <= i64::try_from(BOUND).unwrap(),
        "{taken} bytes are taken, {told} are told"
    );
}

/// As it does if it was not asked for often.
#[test]
fn what_was_asked_for_often_leaves_when_it_has_ended() {
    for times in [1, OFTEN] {
        let (builder, clock) = verifier();
        let verifier = builder.build();
        let bundle = CHAIN.token(&token());
        for _ in 0..times {
            verifier.verify_bundle(&bundle).unwrap();
        }
        clock.store(LIFETIME + 1, Ordering::Relaxed);
        assert!(verifier.verify_bundle(&bundle).is_err());
        assert_eq!(verifier.cache_statistics().bundles.entries, 0);
        // It would hold again if it were still there.
        clock.store(0, Ordering::Relaxed);
        assert!(verifier.recall_bundle(&bundle).is_none(), "{times} times");
    }
}

#[test]
fn the_largest_bound_is_as_good_as_none() {
    let verifier = verifier().0.cache_octets(usize::MAX).build();
    assert!(verifier.cache_statistics().capacity_octets() > 1 << 56);
    verifier.verify_bundle(&BUNDLE).unwrap();
    assert!(verifier.recall_bundle(&BUNDLE).unwrap().is_ok());
}

#[test]
fn threads_find_the_same() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    let bundles: Vec<_> = (0..40)
        .map(|number| CHAIN.token(&token().with_claim("number", number.to_string())))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..OFTEN {
                    for (number, bundle) in bundles.iter().enumerate() {
                        let token = verifier.verify_bundle(bundle).unwrap();
                        let claimed = token.claims().get("number");
                        assert_eq!(claimed, Some(&*number.to_string()), "round {round}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_new_token_of_a_known_member_finds_its_member_known() {
    let (builder, _) = verifier();
    let verifier = builder.build();
    for number in 0..4 {
        let bundle = CHAIN.token(&token().with_claim("number", number.to_string()));
        verifier.verify_bundle(&bundle).unwrap();
        let CacheStatistics {
            bundles,
            organisations,
            members,
            ..
        } = verifier.cache_statistics();
        assert_eq!((bundles.hits, bundles.misses), (0, number + 1));
        assert_eq!((organisations.hits, organisations.misses), (number, 1));
        assert_eq!((members.hits, members.misses), (number, 0));
        assert_eq!((organisations.entries, members.entries), (1, 1));
    }
}

/// Each octet of a new token of a known member, changed: the same verdict as from a verifier that knows nothing.
#[test]
fn what_is_known_takes_in_no_altered_token() {
    let (builder, _) = verifier();
    let knowing = builder.build();
    let (builder, _) = verifier();
    let forgetful = builder.cache_octets(0).build();
    knowing.verify_bundle(&BUNDLE).unwrap();
    let mut altered = CHAIN.token(&token().with_claim("role", "owner"));
    let verdict = |verifier: &Verifier, bundle: &[u8]| {
        verifier
            .verify_bundle(bundle)
            .map_or_else(|error| error.reason(), |_| "valid")
    };
    for index in (0..altered.len()).step_by(3) {
        altered[index] ^= 1 << (index % 8);
        let expected = verdict(&forgetful, &altered);
        assert_eq!(verdict(&knowing, &altered), expected, "byte {index}");
        altered[index] ^= 1 << (index % 8);
    }
    assert!(knowing.cache_statistics().members.hits > 0);
}

/// Where the first DNS message of a bundle starts: with its ID, which nobody signs.
fn first_message(bundle: &[u8]) -> usize {
    let content = |start: usize| match bundle[start + 1] {
        0x82 => start + 4,
        0x81 => start + 3,
        _ => start + 2,
    };
    let version = content(0);
    let chain = content(version) + 1;
    assert_eq!((bundle[version], bundle[chain]), (0x80, 0xa1));
    content(content(chain))
}

/// Whoever has a key has any number of tokens.
#[test]
fn a_token_that_comes_again_is_remembered_though_many_others_come_once() {
    let verifier = verifier().0.cache_octets(4 << 20).build();
    let mut numbers = 0_u32..;
    let mut others = |count| {
        for number in numbers.by_ref().take(count) {
            let other = token().with_claim("number", number.to_string());
            verifier.verify_bundle(&CHAIN.token(&other)).unwrap();
        }
    };
    others(600);
    let bundle = CHAIN.token(&token());
    let known = (0..8).filter(|_| {
        let is_known = verifier.recall_bundle(&bundle).is_some();
        verifier.verify_bundle(&bundle).unwrap();
        others(100);
        is_known
    });
    assert!(known.count() > 4);
}

/// Variants of the attacker's one token.
const VARIANTS: u16 = 10_000;

/// Bundles that say the same as `bundle`, and are as valid: the ID of a DNS message is nobody's.
fn variants(mut bundle: Vec<u8>, mut use_variant: impl FnMut(u16, &[u8])) {
    let id = first_message(&bundle);
    for number in 0..VARIANTS {
        bundle[id..id + 2].copy_from_slice(&number.to_be_bytes());
        use_variant(number, &bundle);
    }
}

#[test]
fn a_heavy_token_and_its_variants_push_out_no_token_that_is_in_use() {
    const HONEST: usize = 300;
    /// All honest clients ask once while the attacker sends so many.
    const ROUND: u16 = 1_000;
    let verifier = verifier().0.build();
    let honest: Vec<_> = (0..HONEST)
        .map(|number| CHAIN.token(&token().with_claim("number", number.to_string())))
        .collect();
    for bundle in &honest {
        verifier.verify_bundle(bundle).unwrap();
    }
    let mut round = 0;
    variants(crowded(0, 300), |number, bundle| {
        verifier.verify_bundle(bundle).unwrap();
        if number % ROUND == ROUND - 1 {
            let before = verifier.cache_statistics().bundles;
            for bundle in &honest {
                assert!(verifier.recall_bundle(bundle).unwrap().is_ok());
            }
            let after = verifier.cache_statistics().bundles;
            round += 1;
            assert_eq!(after.hits - before.hits, 300, "round {round}");
            assert_eq!(after.misses, before.misses, "round {round}");
        }
    });
    assert_eq!(round, VARIANTS / ROUND);
    assert_eq!(verifier.cache_statistics().bundles.entries, HONEST);
}

/// Variants that are kept at most, of whatever tier: a few, and one of 64 beyond, each time that one is verified.
fn kept_of_variants() -> usize {
    const SHARE: usize = 16;
    let verified = usize::from(VARIANTS) * 5 / 4;
    SHARE + verified / 64 + 1
}

#[test]
fn variants_of_a_token_push_out_no_organisation_and_no_member_that_is_in_use() {
    const HONEST: u64 = 100;
    const ROUND: u16 = 1_000;
    let mallory = TrustChain::builder("example.com", "mallory")
        .at(*NOON)
        .dialect(Dialect::DomainAuth)
        .algorithms(KeyAlgorithm::Ed25519, KeyAlgorithm::Ed25519)
        .build();
    let honest: Vec<_> = (0..HONEST)
        .map(|number| mallory.another_organisation(&format!("o{number}.example.net"), "alice"))
        .collect();
    let verifier = mallory.verifier(AUDIENCE);
    let ask = |number: u16| {
        for chain in &honest {
            let token = token().with_claim("number", number.to_string());
            verifier.verify_bundle(&chain.token(&token)).unwrap();
        }
    };
    ask(0);
    variants(mallory.token(&token()), |number, bundle| {
        verifier.verify_bundle(bundle).unwrap();
        // Some come again, as what is in use does.
        if number % 4 == 0 {
            verifier.verify_bundle(bundle).unwrap();
        }
        if number % ROUND == ROUND - 1 {
            let before = verifier.cache_statistics();
            ask(number);
            let after = verifier.cache_statistics();
            let organisations = after.organisations.hits - before.organisations.hits;
            let members = after.members.hits - before.members.hits;
            assert_eq!((organisations, members), (HONEST, HONEST), "{number}");
        }
    });
    let CacheStatistics {
        bundles,
        organisations,
        members,
        ..
    } = verifier.cache_statistics();
    let (rounds, honest) = (usize::from(VARIANTS / ROUND), honest.len());
    assert!(bundles.entries <= honest * (rounds + 1) + kept_of_variants());
    assert!(organisations.entries <= honest + kept_of_variants());
    assert_eq!(members.entries, honest + 1);
}

/// Bundles of several periods.
fn bundles() -> &'static [Vec<u8>; 4] {
    static BUNDLES: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
        [(0, 30), (10, 10), (-20, -10), (5, 400)].map(|(start, end)| {
            let period = Period::new(after_noon(start), after_noon(end)).unwrap();
            kliento::issue(&CHAIN.member_signer(), &token(), period).unwrap()
        })
    });
    &BUNDLES
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_verdict_is_the_same_with_a_cache_and_without(
        skew in 0_u64..20,
        questions in prop::collection::vec((0_usize..4, -60_i64..460), 1..12),
    ) {
        let build = |octets| {
            let (builder, _) = verifier();
            builder
                .clock_skew(Duration::from_secs(skew))
                .cache_octets(octets)
                .build()
        };
        let (cached, uncached) = (build(1 << 20), build(0));
        for (index, seconds) in questions {
            let bundle = &bundles()[index];
            let time = after_noon(seconds);
            let (known, fresh) = (cached.verify_bundle_at(bundle, time), uncached.verify_bundle_at(bundle, time));
            match (known, fresh) {
                (Ok(known), Ok(fresh)) => prop_assert_eq!(known, fresh),
                (Err(known), Err(fresh)) => prop_assert_eq!(known.reason(), fresh.reason()),
                (known, fresh) => prop_assert!(false, "{:?} {:?}", known, fresh),
            }
        }
    }
}
