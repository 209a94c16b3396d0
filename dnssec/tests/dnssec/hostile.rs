//! Chains that must not verify, and the reason that each is refused for.
//!
//! A new case is a line or a few in one of the tables of `kliento_fixture_cases::tables::dnssec::attacks`.

use dnssec::{Chain, Error, Period};
use kliento_fixture_cases::chain::organisation;
use kliento_fixture_cases::tables::dnssec::attacks::*;
use kliento_fixtures::hostile::key_trap;
use kliento_fixtures::{Algorithm, DNSKEY, DS, Key, Name, TXT, World, ZoneSpec};

use crate::support::attempt::{Attempt, Judged as _, asked};
use crate::support::{NOON, OWNER, TEXT, WORLD, verify};

/// Tries an attack, and says what came out if it is not what it should be.
fn refusal(attempt: &Attempt, expected: &str) -> Result<(), String> {
    match attempt.outcome(asked(attempt.period)) {
        Ok(proven) => return Err(format!("proven for {:?}", proven.validity)),
        Err(error) if error.reason() != expected => {
            return Err(format!("{} ({error}), not {expected}", error.reason()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // What does not hinge on the time asked for must not hold at any.
    let hinges_on_time =
        expected.starts_with("dnssec.rrsig_") || expected == "dnssec.not_valid_together";
    match attempt.outcome(Period::always()) {
        Ok(proven) if !hinges_on_time => Err(format!("proven for {:?} if asked", proven.validity)),
        Ok(proven)
            if proven
                .validity
                .iter()
                .any(|&(from, until)| from <= NOON && NOON <= until) =>
        {
            Err("proven for that very time if asked for all".into())
        }
        _ => Ok(()),
    }
}

#[track_caller]
fn assert_none(failures: &[String]) {
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[test]
fn what_the_attacks_start_from_is_good() {
    let honest = Attempt::honest();
    assert!(honest.outcome(asked(honest.period)).is_ok());
    let honest = Attempt::within(organisation(p256()));
    assert!(honest.outcome(asked(honest.period)).is_ok());
}

#[test]
fn refuses_every_attack_for_its_reason() {
    let mut failures = Vec::new();
    for (attack, make, reason) in ATTACKS {
        let mut attempt = Attempt::honest();
        make(&mut attempt);
        if let Err(failure) = refusal(&attempt, reason) {
            failures.push(format!("{attack}: {failure}"));
        }
    }
    assert_none(&failures);
}

#[test]
fn refuses_damage_to_any_link() {
    let mut failures = Vec::new();
    for (damage, make, reason) in AT_EVERY_LINK {
        for (owner, record_type) in LINKS {
            let mut attempt = Attempt::honest();
            let signing = attempt.world.signing_for(owner, record_type);
            make(attempt.of(owner, record_type), signing);
            if let Err(failure) = refusal(&attempt, reason) {
                failures.push(format!("{owner} type {record_type}: {damage}: {failure}"));
            }
        }
    }
    assert_none(&failures);
}

/// What delegates never comes from a wildcard, and what else says it does proves nothing without the proof that there is
/// no closer name (RFC 4035 §5.3.4).
#[test]
fn refuses_an_rrset_that_was_expanded_from_a_wildcard() {
    for (owner, record_type) in LINKS {
        for labels in 0..Name::from(owner).label_count() {
            let mut attempt = Attempt::honest();
            attempt.sign(owner, record_type, |signing| signing.labels(labels));
            let reason = match record_type {
                DS | DNSKEY => "dnssec.wildcard",
                _ if labels < 2 => "dnssec.too_few_labels",
                _ => "dnssec.unproven_wildcard",
            };
            assert_eq!(
                refusal(&attempt, reason),
                Ok(()),
                "{owner} {record_type} {labels}"
            );
        }
    }
}

/// However much there is to try, no more is tried than a bound that grows with the zones that were proven, and not with
/// what the sender makes longer at no cost: keys, signatures, the name.
#[test]
fn a_key_trap_costs_little_more_than_an_honest_chain() {
    let deep_owner = format!("{}example.com.", "a.".repeat(115));
    let zone = p256().zsk(Key::recorded_rsa(Algorithm::RsaSha256, 2_048));
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .with_zone(zone)
        .txt(OWNER, TEXT)
        .txt(deep_owner.as_str(), TEXT)
        .build();
    for owner in [OWNER, &deep_owner] {
        let mut responses = world.responses(owner, TXT);
        key_trap(&world, &mut responses, "example.com.", 150, 150);
        let messages = responses.to_messages();
        let outcome = verify(&messages, owner, TXT, &world.anchors(), Period::always());
        let Err(Error::BudgetExhausted { limit, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(limit <= 28, "{limit} checks for three zones");
    }
}

/// Zones cost their owner nothing, so what they allow for must not be spent on signatures that fail.
#[test]
fn many_proven_zones_buy_no_failed_signature_checks() {
    let mut world = World::builder().at(NOON).zone(".", Algorithm::Ed25519);
    let mut zone = String::new();
    for _ in 0..20 {
        zone.insert_str(0, "z.");
        let spec = ZoneSpec::new(zone.as_str(), Algorithm::Ed25519);
        world = world.with_zone(spec.zsk(Key::recorded_rsa(Algorithm::RsaSha256, 2_048)));
    }
    let owner = format!("_veraid.{zone}");
    let world = world.txt(owner.as_str(), TEXT).build();
    let mut responses = world.responses(owner.as_str(), TXT);
    key_trap(&world, &mut responses, zone.as_str(), 60, 60);
    let messages = responses.to_messages();
    let outcome = verify(&messages, &owner, TXT, &world.anchors(), Period::always());
    let Err(Error::BudgetExhausted { limit, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(limit <= 16, "{limit} failed checks");
}

/// A DER chain is a SET of OCTET STRINGs with definite lengths, and nothing after it.
#[test]
fn refuses_what_is_no_der_chain() {
    let der = WORLD.responses(OWNER, TXT).to_der();
    let with = |index: usize, octet: u8| {
        let mut changed = der.clone();
        changed[index] = octet;
        changed
    };
    for (case, octets) in [
        ("nothing", Vec::new()),
        ("a SEQUENCE", with(0, 0x30)),
        ("an indefinite length", with(1, 0x80)),
        ("a byte after it", [&der[..], &[0]].concat()),
        ("an INTEGER among the OCTET STRINGs", with(4, 0x02)),
        ("a constructed OCTET STRING", with(4, 0x24)),
        (
            "a length that is not the shortest",
            b"\x31\x81\x00".to_vec(),
        ),
        (
            "an element that reaches past the end",
            b"\x31\x02\x04\x01".to_vec(),
        ),
    ] {
        let error = Chain::from_der(&octets)
            .map(|_| case)
            .expect_err("it is no chain");
        assert_eq!(error.reason(), "dnssec.malformed_chain", "{case}");
        assert!(error.is_malformed());
    }
}
