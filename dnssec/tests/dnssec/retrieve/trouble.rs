//! Answers that do not fit together, and resolvers that meddle with them.

use dnssec::RetrievalError;
use kliento_fixtures::{Algorithm, DNSKEY, DS, Key, KeyRole, SERVFAIL, TXT, World, ZoneSpec};

use super::server::{Query, Server, say};
use super::{NOON, OWNER, assert_proven, refusal, retrieve, world};

/// The same domain before and after it changed its zone signing key.
fn rollover() -> (World, World) {
    let key = || Key::generate(Algorithm::EcdsaP256Sha256);
    let zone = |name: &str, ksk: &Key, zsk: &Key| {
        let spec = ZoneSpec::new(name, Algorithm::EcdsaP256Sha256);
        spec.ksk(ksk.clone()).zsk(zsk.clone())
    };
    let keys: Vec<Key> = (0..7).map(|_| key()).collect();
    let world = |zsk: &Key| {
        World::builder()
            .at(NOON)
            .with_zone(zone(".", &keys[0], &keys[1]))
            .with_zone(zone("com.", &keys[2], &keys[3]))
            .with_zone(zone("example.com.", &keys[4], zsk))
            .txt(OWNER, "text")
            .build()
    };
    (world(&keys[5]), world(&keys[6]))
}

/// What another world says to the same query.
fn from(world: &World, query: &Query, id: u16) -> kliento_fixtures::Response {
    let mut response = world.answer(query.name.clone(), query.record_type);
    response.id = id;
    response
}

/// A cache that has the keys from before the change, and an answer from after it; they expire while we look.
#[test]
fn a_rollover_in_mid_collection_is_asked_about_again() {
    let (before, after) = rollover();
    let server = Server::start(&after, move |query, response| {
        if query.is_for("example.com.", DNSKEY) && query.repeats < 2 {
            return say(from(&before, query, response.id));
        }
        say(response)
    });
    let after = server.world().clone();
    assert_proven(&retrieve(&server, &after), &after);
    assert_eq!(server.count(OWNER, TXT), 3, "all is asked again, twice");
    assert_eq!(server.count(".", DNSKEY), 3);
}

#[test]
fn an_answer_from_before_the_change_is_asked_for_again() {
    let (before, after) = rollover();
    let server = Server::start(&after, move |query, response| {
        if query.is_for(OWNER, TXT) && query.repeats == 0 {
            return say(from(&before, query, response.id));
        }
        say(response)
    });
    let after = server.world().clone();
    assert_proven(&retrieve(&server, &after), &after);
    assert_eq!(server.count(OWNER, TXT), 2);
}

#[test]
fn an_expired_signature_is_asked_about_again() {
    let world = world();
    let stale = world.signing_for(OWNER, TXT).expired();
    let server = Server::start(&world, move |query, mut response| {
        if query.is_for(OWNER, TXT) && query.repeats == 0 {
            response.sign(&stale);
        }
        say(response)
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count(OWNER, TXT), 2);
}

#[test]
fn what_never_fits_together_is_given_up_after_three_more_tries() {
    let (before, after) = rollover();
    let server = Server::start(&after, move |query, response| {
        if query.is_for("example.com.", DNSKEY) {
            return say(from(&before, query, response.id));
        }
        say(response)
    });
    let after = server.world().clone();
    let error = refusal(retrieve(&server, &after));
    assert_eq!(error.reason(), "dnssec.no_matching_key");
    assert_eq!(server.count(OWNER, TXT), 4);
}

#[test]
fn one_servfail_is_survived() {
    let world = world();
    let server = Server::start(&world, |query, mut response| {
        if query.before == 0 {
            response.rcode = SERVFAIL;
            response.answers.clear();
        }
        say(response)
    });
    assert_proven(&retrieve(&server, &world), &world);
}

#[test]
fn servfail_for_good_is_told_after_two_tries() {
    let world = world();
    let server = Server::start(&world, |query, mut response| {
        if query.is_for("com.", DS) {
            response.rcode = SERVFAIL;
            response.answers.clear();
        }
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "retrieval.response_code");
    assert!(
        error.to_string().contains("com. DS with SERVFAIL"),
        "{error}"
    );
    assert_eq!(server.count("com.", DS), 2);
}

/// A failure to answer what nobody needs to know is no failure.
#[test]
fn a_question_that_does_not_matter_may_fail() {
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .with_zone(ZoneSpec::new("example.", Algorithm::Ed25519).insecure())
        .txt("_veraid.example.", "text")
        .build();
    let server = Server::start(&world, |query, mut response| {
        if query.is_for("_veraid.example.", DS) {
            response.rcode = SERVFAIL;
        }
        if !query.is_for("example.", DS) && !query.is_for(".", DNSKEY) {
            response.drop_signatures();
            response.authorities.clear();
        }
        say(response)
    });
    let error = refusal(super::retrieve_any(
        &server,
        &world,
        "_veraid.example.",
        TXT,
    ));
    assert_eq!(error.reason(), "retrieval.unsigned");
    assert_eq!(server.count("_veraid.example.", DS), 1);
}

#[test]
fn a_resolver_that_strips_signatures_is_told_from_an_unsigned_domain() {
    let world = world();
    let server = Server::start(&world, |_, mut response| {
        response.drop_signatures();
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert_eq!(
        error,
        RetrievalError::SignaturesStripped(dnssec::Name::root())
    );
    assert_eq!(
        server.count(OWNER, TXT),
        1,
        "asking again would change nothing"
    );
}

/// The signatures of a signed domain alone: it must not pass for an unsigned one.
#[test]
fn a_resolver_that_strips_one_domain_is_found_out() {
    let world = world();
    let server = Server::start(&world, |query, mut response| {
        if query.is_for(OWNER, TXT) {
            response.drop_signatures();
        }
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "dnssec.no_rrsig");
}

/// Nor does the denial of the DS record that goes with it.
#[test]
fn a_resolver_that_hides_a_delegation_signer_is_found_out() {
    let world = world();
    let server = Server::start(&world, |query, mut response| {
        if query.is_for("example.com.", DS) {
            response.answers.clear();
        } else if query.is_for(OWNER, TXT) {
            response.drop_signatures();
        }
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert!(matches!(error, RetrievalError::Unverified(_)), "{error}");
}

#[test]
fn a_lie_is_told_by_the_reason_for_which_it_does_not_verify() {
    let world = world();
    let forged = world.clone();
    let server = Server::start(&world, move |query, mut response| {
        if query.is_for(OWNER, TXT) {
            let signing = forged.signing("com.", KeyRole::Zsk);
            response.sign(&signing.signer("example.com."));
        }
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "dnssec.no_matching_key");

    let usurped = world.usurped("example.com.").with_txt(OWNER, "evil");
    let error = refusal(retrieve(&Server::honest(&usurped), &world));
    assert_eq!(error.reason(), "dnssec.dnskey_not_committed");
}

/// Anchors outlast all that is kept in caches, so that another root is no rollover.
#[test]
fn another_root_is_not_asked_again() {
    let world = world();
    let server = Server::honest(&super::world());
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "dnssec.dnskey_not_committed");
    assert_eq!(server.count(OWNER, TXT), 1);
}
