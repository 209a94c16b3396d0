//! What a verifier remembers: it spares work and changes no verdict. That refusals are the same with a memory, `refuse` in the
//! support module asserts of all hostile cases in the other files; here is what is accepted, and when.

use crate::support::{
    AUTHORITY, CONTENT, ChainChange, DAY, Hash, MESSAGE_DIGEST, METADATA, NOON, PSS_256, PSS_512,
    Parts, SHA_512, at, der, ed25519_key, hash, key_usage, message_digest, metadata, name, noon,
    period, pss, utc_time,
};
use kliento_fixtures::TXT;
use veraid::dnssec::Work;
use veraid::{
    BundleOutline, KeyAlgorithm, MemoryLimits, Period, Recognition, SignatureBundle, SignedBy,
    Verification, Verifier, VerifierStatistics,
};

const OWNER: &str = "_veraid.example.com.";
/// The service of the test bundles, as text.
const SERVICE: &str = "1.3.6.1.4.1.58708.1.1";

/// A verifier for those parts, with a memory, and a bundle of theirs.
fn remembering(parts: &Parts) -> (Verifier, Vec<u8>) {
    let (bundle, anchors) = parts.build();
    let verifier = Verifier::new(parts.service, anchors, parts.policy);
    (
        verifier.with_memory(MemoryLimits {
            organisation_octets: 1 << 20,
            signer_octets: 1 << 20,
        }),
        bundle,
    )
}

fn reason(verifier: &Verifier, bundle: &[u8], period: Period) -> &'static str {
    BundleOutline::from_der(bundle)
        .and_then(|bundle| verifier.verify(bundle, period).map(drop))
        .map_or_else(|error| error.reason(), |()| "valid")
}

/// Look-ups that found something: of organisations and of signers.
fn hits(verifier: &Verifier) -> (u64, u64) {
    let VerifierStatistics {
        organisations,
        signers,
        ..
    } = verifier.statistics();
    (organisations.hits, signers.hits)
}

/// One of each kind of signature.
const KINDS: [fn() -> Parts; 7] = [
    Parts::member,
    Parts::organisation,
    Parts::domain_auth,
    Parts::domain_auth_organisation,
    Parts::through_intermediate,
    Parts::through_two_intermediates,
    Parts::delegate,
];

#[test]
fn says_the_same_with_and_without_a_memory() {
    for kind in KINDS {
        let parts = kind();
        let (verifier, bundle) = remembering(&parts);
        let (_, anchors) = parts.build();
        let verification = Verification::new(parts.service, noon(), &anchors);
        let signature = SignatureBundle::from_der(&bundle).unwrap();
        let expected = signature.verify(&verification).unwrap();
        for time in 0..3 {
            let outline = BundleOutline::from_der(&bundle).unwrap();
            assert_eq!(verifier.verify(outline, noon()).unwrap(), expected);
            let signers =
                if expected.signed_by() == SignedBy::Organisation && !expected.is_delegated() {
                    0
                } else {
                    time
                };
            assert_eq!(hits(&verifier), (time, signers));
        }
    }
}

#[test]
fn a_new_signature_of_a_known_signer_needs_neither_chain_nor_certificates() {
    for kind in KINDS {
        let parts = kind();
        let (verifier, bundle) = remembering(&parts);
        assert_eq!(reason(&verifier, &bundle, noon()), "valid");
        let mut other = kind();
        other.signed_data.content = Some(der::octet_string(b"something else"));
        other.signed_data.signed_attributes[MESSAGE_DIGEST] =
            message_digest(Hash::Sha256, b"something else");
        let (other, _) = other.build();
        assert_ne!(other, bundle);
        let known = verifier.statistics();
        assert_eq!(reason(&verifier, &other, noon()), "valid");
        let hits = hits(&verifier);
        assert_eq!(hits.0, 1);
        // Nothing new was learnt of it.
        assert_eq!(
            verifier.statistics().organisations.entries,
            known.organisations.entries
        );
        assert_eq!(verifier.statistics().signers.entries, known.signers.entries);
    }
}

/// The limit on work of the tests below.
const LIMIT: u32 = 2_000;

/// A verifier with that limit that knows the signer, and one without a memory.
fn limited(kind: fn() -> Parts) -> (Verifier, Verifier) {
    let mut parts = kind();
    parts.policy = parts.policy.with_most_work(Work::from_units(LIMIT));
    let (verifier, bundle) = remembering(&parts);
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    let (_, anchors) = parts.build();
    let fresh = Verifier::new(parts.service, anchors, parts.policy);
    (verifier, fresh)
}

/// A bundle whose content takes so many units of work, beside all that was known before.
fn with_content(kind: fn() -> Parts, units: u32) -> Vec<u8> {
    let content = vec![b'x'; 32 * units as usize];
    let mut parts = kind();
    parts.signed_data.content = Some(der::octet_string(&content));
    parts.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha256, &content);
    parts.build().0
}

/// What the content and its signature take counts against the limit on work, whoever is known.
#[test]
fn content_that_takes_too_much_work_is_refused_of_known_signers_too() {
    for kind in KINDS {
        let (verifier, fresh) = limited(kind);
        for (units, expected) in [(LIMIT + 1, "x509.path_budget_exhausted"), (10, "valid")] {
            let bundle = with_content(kind, units);
            assert_eq!(reason(&fresh, &bundle, noon()), expected);
            assert_eq!(reason(&verifier, &bundle, noon()), expected);
        }
    }
}

/// The units of work that content may take at most, for a verifier with that limit.
fn most_content(verifier: &Verifier, kind: fn() -> Parts) -> u32 {
    let (mut accepted, mut refused) = (0, LIMIT + 1);
    while refused - accepted > 1 {
        let units = accepted.midpoint(refused);
        match reason(verifier, &with_content(kind, units), noon()) {
            "valid" => accepted = units,
            _ => refused = units,
        }
    }
    accepted
}

/// Neither the chain nor any certificate is verified again, so one signature is all that takes work, whoever signs.
#[test]
fn the_content_of_a_known_signer_may_take_all_work_but_that_of_one_signature() {
    let most = KINDS.map(|kind| {
        let (verifier, fresh) = limited(kind);
        let most = most_content(&verifier, kind);
        assert!(most > most_content(&fresh, kind));
        most
    });
    assert_eq!(most, [most[0]; KINDS.len()]);
}

#[test]
fn another_member_of_a_known_organisation_is_learnt() {
    let (verifier, bundle) = remembering(&Parts::member());
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    let mut other = Parts::member();
    other.member.subject = name("bob");
    let (other, _) = other.build();
    assert_eq!(reason(&verifier, &other, noon()), "valid");
    assert_eq!(hits(&verifier), (1, 0));
    assert_eq!(verifier.statistics().organisations.entries, 1);
    assert_eq!(verifier.statistics().signers.entries, 2);
    assert_eq!(reason(&verifier, &other, noon()), "valid");
    assert_eq!(hits(&verifier), (2, 1));
}

/// Its key was made ready for another hash.
#[test]
fn a_known_signer_may_sign_with_another_hash_and_only_as_it_says() {
    for kind in KINDS {
        let (verifier, bundle) = remembering(&kind());
        assert_eq!(reason(&verifier, &bundle, noon()), "valid");
        let mut other = kind();
        other.signed_data.signature_algorithm = pss(SHA_512);
        other.signed_data.scheme = PSS_512;
        other.signed_data.digest_algorithm = hash(SHA_512);
        other.signed_data.signed_attributes[MESSAGE_DIGEST] = message_digest(Hash::Sha512, CONTENT);
        assert_eq!(reason(&verifier, &other.build().0, noon()), "valid");
        // It says SHA-512, and was made with SHA-256.
        other.signed_data.scheme = PSS_256;
        assert_eq!(
            reason(&verifier, &other.build().0, noon()),
            "cms.bad_signature"
        );
    }
}

/// In DomainAuth, anybody may have issued the organisation's certificate, with a key of any algorithm.
#[test]
fn a_known_organisation_signs_with_its_own_key_whoever_issued_its_certificate() {
    let by_a_stranger = |mut parts: Parts| {
        let certificate = &mut parts.organisation;
        certificate.issuer = name("Some other CA");
        certificate.signed_by = ed25519_key();
        certificate.algorithm(&der::sequence(&[der::oid("1.3.101.112")]));
        certificate.extensions.remove(AUTHORITY);
        parts.policy = parts.policy.with_algorithm(KeyAlgorithm::Ed25519);
        parts
    };
    let (verifier, bundle) = remembering(&by_a_stranger(Parts::domain_auth()));
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    // It is known by a member alone: its key was seen to sign nothing.
    let mut parts = by_a_stranger(Parts::domain_auth_organisation());
    let (bundle, _) = parts.build();
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    assert_eq!(hits(&verifier).0, 1);
    parts.signed_data.corrupt = true;
    assert_eq!(
        reason(&verifier, &parts.build().0, noon()),
        "cms.bad_signature"
    );
    assert_eq!(hits(&verifier).0, 2);
}

/// RFC 5280 §4.2.1.3: a key for certificates alone signs no content, though what it certifies is known to be good.
#[test]
fn a_known_organisation_signs_nothing_that_its_certificate_does_not_allow() {
    let for_certificates = |mut parts: Parts| {
        parts.organisation.extensions.push(key_usage(0x04));
        parts
    };
    let (verifier, bundle) = remembering(&for_certificates(Parts::member()));
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    let (bundle, _) = for_certificates(Parts::organisation()).build();
    assert_eq!(reason(&verifier, &bundle, noon()), "x509.key_usage");
    assert_eq!(hits(&verifier).0, 1);
}

/// All the seconds at which something about a bundle begins or ends, and those beside them.
#[test]
fn time_is_asked_about_whatever_is_known() {
    for kind in KINDS {
        let mut parts = kind();
        parts.dnssec_window = (NOON - 2 * DAY, NOON + DAY);
        let (verifier, bundle) = remembering(&parts);
        let (_, anchors) = parts.build();
        let forgetful = Verifier::new(parts.service, anchors, parts.policy);
        let edges = [
            -40 * DAY,
            -2 * DAY,
            -DAY,
            -3_600,
            -60,
            0,
            60,
            600,
            3_600,
            DAY,
            2 * DAY,
            40 * DAY,
        ];
        for edge in edges.iter().flat_map(|edge| [edge - 1, *edge, edge + 1]) {
            for length in [0, 1, 7_200, 3 * DAY] {
                let asked = period(NOON + edge, NOON + edge + length);
                let expected = reason(&forgetful, &bundle, asked);
                assert_eq!(reason(&verifier, &bundle, asked), expected, "{asked:?}");
                assert_eq!(reason(&verifier, &bundle, noon()), "valid");
            }
        }
        assert!(hits(&verifier).0 > 0);
    }
}

#[test]
fn what_is_refused_is_not_learnt() {
    for kind in KINDS {
        let (verifier, mut bundle) = remembering(&kind());
        *bundle.last_mut().unwrap() ^= 1;
        assert_eq!(reason(&verifier, &bundle, noon()), "cms.bad_signature");
        let statistics = verifier.statistics();
        assert_eq!(statistics.organisations.entries, 0);
        assert_eq!(statistics.signers.entries, 0);
    }
}

#[test]
fn what_is_known_of_one_verifier_is_not_known_to_another() {
    let (verifier, bundle) = remembering(&Parts::member());
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    let mut elsewhere = Parts::member();
    elsewhere.tree = "another";
    let (_, other_anchors) = elsewhere.build();
    let other = Verifier::new(elsewhere.service, other_anchors, elsewhere.policy).with_memory(
        MemoryLimits {
            organisation_octets: 1 << 20,
            signer_octets: 1 << 20,
        },
    );
    assert_ne!(reason(&other, &bundle, noon()), "valid");
}

#[test]
fn what_has_ended_is_forgotten() {
    let (verifier, bundle) = remembering(&Parts::member());
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    verifier.remove_expired(at(NOON));
    assert_eq!(verifier.statistics().signers.entries, 1);
    assert_eq!(verifier.statistics().organisations.entries, 1);
    verifier.remove_expired(at(NOON + 400 * DAY));
    assert_eq!(verifier.statistics().signers.entries, 0);
    assert_eq!(verifier.statistics().organisations.entries, 0);

    // The chain ends before the certificates.
    let mut parts = Parts::member();
    parts.dnssec_window = (NOON - 100, NOON + 100);
    let (verifier, bundle) = remembering(&parts);
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    for (seconds, organisations) in [(100, 1), (101, 0)] {
        verifier.remove_expired(at(NOON + seconds));
        let statistics = verifier.statistics();
        assert_eq!(statistics.organisations.entries, organisations);
        assert_eq!(statistics.signers.entries, 1);
    }
}

#[test]
fn a_memory_of_nothing_is_none() {
    for (organisations, signers) in [(0, 0), (1 << 20, 0), (0, 1 << 20)] {
        let (bundle, anchors) = Parts::member().build();
        let parts = Parts::member();
        let verifier =
            Verifier::new(parts.service, anchors, parts.policy).with_memory(MemoryLimits {
                organisation_octets: organisations,
                signer_octets: signers,
            });
        assert_eq!(reason(&verifier, &bundle, noon()), "valid");
        assert_eq!(verifier.statistics(), VerifierStatistics::default());
    }
}

#[test]
fn the_memory_stays_within_its_bounds() {
    const BOUND: usize = 64 << 10;
    let (_, anchors) = Parts::member().build();
    let parts = Parts::member();
    let verifier = Verifier::new(parts.service, anchors, parts.policy).with_memory(MemoryLimits {
        organisation_octets: BOUND,
        signer_octets: BOUND,
    });
    for number in 0..40 {
        let mut parts = Parts::member();
        parts.member.subject = name(&format!("user{number}"));
        let (bundle, _) = parts.build();
        assert_eq!(reason(&verifier, &bundle, noon()), "valid");
        let statistics = verifier.statistics();
        for tier in [statistics.organisations, statistics.signers] {
            assert!(tier.octets <= tier.capacity_octets, "{tier:?}");
            assert_eq!(tier.capacity_octets, u64::try_from(BOUND).unwrap());
        }
    }
    let signers = verifier.statistics().signers.entries;
    assert!(signers > 0 && signers < 40, "{signers}");
}

/// The sender chooses how many octets the parts of an entry take.
#[test]
fn the_octets_of_an_entry_grow_with_its_parts() {
    let octets = |parts: &Parts| {
        let (verifier, bundle) = remembering(parts);
        let asked = period(NOON, NOON + 600);
        assert_eq!(reason(&verifier, &bundle, asked), "valid");
        let statistics = verifier.statistics();
        let in_bundle = u64::try_from(bundle.len()).unwrap();
        (
            in_bundle,
            statistics.organisations.octets,
            statistics.signers.octets,
        )
    };
    let issued_by = |issuer: &str| {
        let mut parts = Parts::domain_auth();
        parts.organisation.issuer = name(issuer);
        parts.organisation.signed_by = ed25519_key();
        let ed25519 = der::sequence(&[der::oid("1.3.101.112")]);
        parts.organisation.algorithm(&ed25519);
        parts.organisation.extensions.remove(AUTHORITY);
        parts.policy = parts.policy.with_algorithm(KeyAlgorithm::Ed25519);
        parts
    };
    // A name is in the certificate, and in what tells it from others.
    let (short, long) = (
        octets(&issued_by("x")),
        octets(&issued_by(&"x".repeat(200))),
    );
    assert!(
        long.1 - short.1 >= 2 * (long.0 - short.0 - 8),
        "{short:?} {long:?}"
    );

    // Each signature holds for a period of its own.
    let periods = |often: ChainChange| {
        let mut parts = Parts::member();
        parts.spoil_chain = often;
        octets(&parts)
    };
    let once = periods(|_, _| {});
    let often = periods(|world, responses| {
        let signing = world.signing_for(OWNER, TXT);
        let records = responses.of(OWNER, TXT);
        records.sign(&signing.clone().window(NOON - 10, NOON + 10));
        for number in 1..6 {
            let start = NOON + 100 * number;
            let later = signing.clone().window(start, start + 10);
            records.add_signature(&later);
        }
    });
    let periods = 5 * 16;
    assert!(
        often.1 - once.1 >= often.0 - once.0 + periods,
        "{once:?} {often:?}"
    );
}

/// Nobody signs which certificates come along.
#[test]
fn a_signature_with_ever_other_certificates_beside_it_pushes_out_no_signer() {
    const VARIANTS: usize = 500;
    let honest = Parts::member();
    let (verifier, honest_bundle) = remembering(&honest);
    assert_eq!(reason(&verifier, &honest_bundle, noon()), "valid");
    for number in 0..VARIANTS {
        let mut parts = Parts::member();
        parts.member.subject = name("mallory");
        parts.member.serial_number = der::integer(&[0x44]);
        // A certificate of a kind that is passed over.
        let other = der::context(1, &der::integer(&number.to_be_bytes()));
        parts.signed_data.further_certificates = vec![other];
        let (bundle, _) = parts.build();
        assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    }
    // Alice, four sets, and one of 64 beyond.
    let entries = verifier.statistics().signers.entries;
    assert!(entries > 4 && entries <= 1 + 4 + VARIANTS / 64, "{entries}");
    let (_, before) = hits(&verifier);
    assert_eq!(reason(&verifier, &honest_bundle, noon()), "valid");
    assert_eq!(hits(&verifier).1, before + 1);
}

#[test]
fn tells_whom_it_knows_of_a_bundle_without_counting_that() {
    let (verifier, bundle) = remembering(&Parts::member());
    let recognise = |bundle: &[u8], period| {
        let outline = BundleOutline::from_der(bundle).unwrap();
        verifier.recognise(&outline, period)
    };
    assert_eq!(recognise(&bundle, noon()), Recognition::Nobody);
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    let statistics = verifier.statistics();
    let alice = recognise(&bundle, noon());
    assert!(matches!(alice, Recognition::Signer(_)));
    let mut of_bob = Parts::member();
    of_bob.member.subject = name("bob");
    of_bob.member.serial_number = der::integer(&[0x44]);
    let (of_bob, _) = of_bob.build();
    let organisation = recognise(&of_bob, noon());
    assert!(matches!(organisation, Recognition::Organisation(_)));
    // The memory of the member has ended, and then that of the organisation.
    let validity = [utc_time("261121000000Z"), utc_time("261121120500Z")];
    let mut brief = Parts::member();
    brief.member.validity = der::sequence(&validity);
    let (brief_verifier, brief_bundle) = remembering(&brief);
    assert_eq!(reason(&brief_verifier, &brief_bundle, noon()), "valid");
    let outline = BundleOutline::from_der(&brief_bundle).unwrap();
    for (second, is_known) in [(0, true), (300, true), (301, false)] {
        let recognition = brief_verifier.recognise(&outline, Period::at(at(NOON + second)));
        let is_signer = matches!(recognition, Recognition::Signer(_));
        assert_eq!(is_signer, is_known, "{second} {recognition:?}");
        assert_ne!(recognition, Recognition::Nobody, "{second}");
    }
    let later = at(NOON + 400 * DAY);
    assert_eq!(recognise(&bundle, Period::at(later)), Recognition::Nobody);
    assert_eq!(verifier.statistics(), statistics);

    assert_eq!(reason(&verifier, &of_bob, noon()), "valid");
    let bob = recognise(&of_bob, noon());
    assert!(matches!(bob, Recognition::Signer(_)) && bob != alice);
    // Another signature of hers, whatever it says and whatever comes with it.
    let mut other = Parts::member();
    other.signed_data.corrupt = true;
    assert_eq!(recognise(&other.build().0, noon()), alice);

    let (verifier, bundle) = remembering(&Parts::organisation());
    assert_eq!(reason(&verifier, &bundle, noon()), "valid");
    let outline = BundleOutline::from_der(&bundle).unwrap();
    let organisation = verifier.recognise(&outline, noon());
    assert!(matches!(organisation, Recognition::Signer(_)));
}

/// Two verifiers that ask the same; the second has a memory.
fn verifiers(parts: &Parts) -> (Verifier, Verifier) {
    let (_, anchors) = parts.build();
    let forgetful = Verifier::new(parts.service, anchors.clone(), parts.policy);
    let knowing = Verifier::new(parts.service, anchors, parts.policy).with_memory(MemoryLimits {
        organisation_octets: 1 << 20,
        signer_octets: 1 << 20,
    });
    (forgetful, knowing)
}

/// The zone has signed its TXT records again before the old signature ends, and the chain holds both signatures.
fn signed_twice() -> Parts {
    let mut parts = Parts::member();
    parts.spoil_chain = |world, responses| {
        let signing = world.signing_for(OWNER, TXT);
        let records = responses.of(OWNER, TXT);
        records.sign(&signing.clone().window(NOON - DAY, NOON + 100));
        records.add_signature(&signing.window(NOON + 50, NOON + DAY));
    };
    parts
}

/// At noon the second signature is not yet good, so what is remembered of the chain ends at noon + 100. A token that starts
/// a second later, and a verifier that allows for five seconds of clock skew: the second signature makes it good. What is
/// remembered holds in the first of those seconds alone, so that the chain has to be verified anew.
#[test]
fn an_honest_signature_is_not_refused_for_what_is_remembered_of_its_chain() {
    let first = signed_twice();
    let mut second = signed_twice();
    second.signed_data.signed_attributes[METADATA] =
        metadata(SERVICE, "20261121120141Z", "20261121121000Z");
    let (first, second_bundle) = (first.build().0, second.build().0);
    let (forgetful, knowing) = verifiers(&second);
    let asked = period(NOON + 95, NOON + 105);
    assert_eq!(reason(&forgetful, &second_bundle, asked), "valid");
    assert_eq!(reason(&knowing, &first, noon()), "valid");
    assert_eq!(reason(&knowing, &second_bundle, asked), "valid");
}

/// Signatures that are not looked at before their time cost nothing at noon, and more than the budget afterwards. What was
/// proven without them stays so.
#[test]
fn what_was_proven_stays_proven_when_a_look_at_all_that_is_beside_it_would_be_too_much() {
    let mut parts = Parts::member();
    parts.spoil_chain = |world, responses| {
        let signing = world.signing_for(OWNER, TXT);
        let later = signing.window(NOON + 100, NOON + DAY);
        responses.of(OWNER, TXT).add_forged_signatures(&later, 40);
    };
    let (bundle, _) = parts.build();
    let (forgetful, knowing) = verifiers(&parts);
    let asked = period(NOON + 200, NOON + 200);
    assert_eq!(
        reason(&forgetful, &bundle, asked),
        "dnssec.budget_exhausted"
    );
    assert_eq!(reason(&knowing, &bundle, noon()), "valid");
    assert_eq!(reason(&knowing, &bundle, asked), "valid");
}
