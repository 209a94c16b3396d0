//! Which questions are asked, and what is made of the answers.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex};

use dnssec::{
    Denial, Fact, RecordType, RetrievalError, Retrieved, Timestamp, TrustAnchor, TrustAnchors,
    Validity,
};
use kliento_fixtures::{
    A, Algorithm, CNAME, DNAME, DNSKEY, DS, KeyRole, NXDOMAIN, Name, Record, SHA1, SHA256, TXT,
    World, ZoneSpec,
};

use super::server::{Server, say};
use super::{
    NOON, OWNER, assert_proven, block_on, look_up, proven, refusal, resolvers, retrieve,
    retrieve_any,
};
use super::{world, zones};

/// That of a world in which `name` is an alias of `target`.
fn aliased(name: &str, target: &str) -> World {
    zones()
        .zone("net.", Algorithm::EcdsaP256Sha256)
        .zone("example.net.", Algorithm::Ed25519)
        .record(Record::of_name(name, CNAME, target))
        .txt("records.example.net.", "text")
        .build()
}

/// What is in the chain besides is up to the minimal chain's tests.
#[test]
fn asks_each_question_once_and_none_that_is_not_needed() {
    let world = world();
    let server = Server::honest(&world);
    assert_proven(&retrieve(&server, &world), &world);
    let asked: Vec<(String, u16)> = server
        .seen()
        .iter()
        .map(|query| (query.name.to_string(), query.record_type))
        .collect();
    let expected = [
        (OWNER, TXT),
        (".", DNSKEY),
        ("com.", DNSKEY),
        ("com.", DS),
        ("example.com.", DNSKEY),
        ("example.com.", DS),
    ]
    .map(|(name, record_type)| (name.to_owned(), record_type));
    assert_eq!(asked.len(), expected.len(), "{asked:?}");
    assert_eq!(HashSet::from_iter(asked), HashSet::from(expected));
}

/// The server gives a zone's keys only once it has been asked for the DS RRset, and the other way round.
#[test]
fn asks_side_by_side() {
    let world = world();
    let asked = Arc::new((Mutex::new(HashSet::new()), Condvar::new()));
    let server = Server::start(&world, move |query, response| {
        let (both, changed) = &*asked;
        let mut both = both.lock().unwrap();
        both.insert((query.name.to_string(), query.record_type));
        changed.notify_all();
        let other = match query.record_type {
            DS => DNSKEY,
            DNSKEY if query.name != Name::root() => DS,
            _ => return say(response),
        };
        let other = (query.name.to_string(), other);
        let _both = changed
            .wait_while(both, |both| !both.contains(&other))
            .unwrap();
        say(response)
    });
    assert_proven(&retrieve(&server, &world), &world);
}

#[test]
fn follows_an_alias_into_another_zone_and_proves_both() {
    let world = aliased(OWNER, "records.example.net.");
    let server = Server::honest(&world);
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count("example.net.", DS), 1);
    assert_eq!(
        server.count("records.example.net.", TXT),
        0,
        "it came along"
    );
}

/// As a resolver may that has the alias in its cache and the target not.
#[test]
fn asks_for_the_target_of_an_alias_that_came_alone() {
    let world = aliased(OWNER, "records.example.net.").with_targets_apart();
    let server = Server::honest(&world);
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count("records.example.net.", TXT), 1);
}

#[test]
fn follows_the_alias_of_a_whole_subtree() {
    let world = zones()
        .zone("net.", Algorithm::EcdsaP256Sha256)
        .zone("example.net.", Algorithm::Ed25519)
        .record(Record::of_name("dept.example.com.", DNAME, "example.net."))
        .txt("_veraid.example.net.", "text")
        .build();
    let name = "_veraid.dept.example.com.";
    for world in [world.clone(), world.with_targets_apart()] {
        let server = Server::honest(&world);
        let retrieved = retrieve_any(&server, &world, name, TXT);
        assert_eq!(proven(&retrieved, &world, name, TXT), [b"\x04text"]);
        assert_eq!(server.count("example.net.", DS), 1);
    }
}

#[test]
fn an_alias_itself_can_be_asked_for() {
    let world = aliased(OWNER, "records.example.net.");
    let server = Server::honest(&world);
    let retrieved = retrieve_any(&server, &world, OWNER, CNAME);
    assert_eq!(
        proven(&retrieved, &world, OWNER, CNAME),
        [Name::from("records.example.net.").wire()]
    );
}

#[test]
fn aliases_that_lead_in_a_circle_are_refused() {
    let world = aliased(OWNER, OWNER);
    let server = Server::honest(&world);
    let error = refusal(retrieve(&server, &world));
    assert!(matches!(error, RetrievalError::Unverified(_)), "{error}");
}

/// The resolver makes up an alias for each name that it is asked for.
#[test]
fn aliases_without_an_end_are_followed_no_further_than_verification_does() {
    let world = world();
    let made_up = world.clone();
    let server = Server::start(&world, move |query, mut response| {
        if query.record_type == TXT {
            let target = query.name.child(b"a");
            let alias = Record::of_name(&query.name, CNAME, target);
            response.answers = vec![alias];
            made_up.resign(&mut response);
        }
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert!(matches!(error, RetrievalError::Unverified(_)), "{error}");
    let questions = server.seen();
    let names = questions.iter().filter(|query| query.record_type == TXT);
    assert_eq!(names.count(), 1 + 8);
}

#[test]
fn proves_what_a_wildcard_makes() {
    let world = zones().txt("*.example.com.", "text").build();
    let server = Server::honest(&world);
    assert_proven(&retrieve(&server, &world), &world);
}

#[test]
fn proves_that_there_is_no_such_record() {
    let world = zones().txt("_other.example.com.", "text").build();
    assert_absence_is_proven(&world);
}

#[test]
fn proves_that_there_is_no_such_record_by_hashes() {
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .with_zone(ZoneSpec::new("com.", Algorithm::Ed25519).opt_out())
        .with_zone(ZoneSpec::new("example.com.", Algorithm::Ed25519).nsec3(5, b"salt"))
        .build();
    assert_absence_is_proven(&world);
}

fn assert_absence_is_proven(world: &World) {
    let server = Server::honest(world);
    let error = refusal(retrieve(&server, world));
    assert_eq!(error.reason(), "dnssec.absent");
    assert_eq!(
        error.to_string(),
        "example.com. is signed, but has no _veraid TXT record"
    );
    let RetrievalError::Absent(absence) = error else {
        panic!("{error}");
    };
    assert_eq!(absence.absence.denial(), Denial::NxDomain);
    // The proof can be kept.
    let fact = look_up(&absence.chain, world, OWNER, TXT);
    assert_eq!(fact, Fact::ProvenAbsent(absence.absence));
}

#[test]
fn proves_that_there_is_no_record_of_the_type() {
    let world = world();
    let server = Server::honest(&world);
    for (name, message) in [
        (OWNER, "example.com. is signed, but has no _veraid A record"),
        (
            "example.com.",
            "example.com. is signed, but has no A record",
        ),
    ] {
        let error = refusal(retrieve_any(&server, &world, name, A));
        assert_eq!(error.to_string(), message);
        let RetrievalError::Absent(absence) = error else {
            panic!("{error}");
        };
        assert_eq!(absence.absence.denial(), Denial::NoData);
    }
}

#[test]
fn proves_that_an_alias_leads_to_nothing() {
    let world = aliased(OWNER, "nothing.example.net.");
    let server = Server::honest(&world);
    let error = refusal(retrieve(&server, &world));
    assert_eq!(
        error.to_string(),
        "_veraid.example.com. is an alias of nothing.example.net.; \
         example.net. is signed, but has no nothing TXT record"
    );
}

/// It takes no more than a resolver's word to make a name disappear, unless its absence has to be proven.
#[test]
fn a_denial_without_proof_denies_nothing() {
    let world = world();
    let server = Server::start(&world, |query, mut response| {
        if query.is_for(OWNER, TXT) {
            response.rcode = NXDOMAIN;
            response.answers.clear();
        }
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert!(matches!(error, RetrievalError::Unverified(_)), "{error}");
}

#[test]
fn tells_a_zone_that_lacks_its_ds_record() {
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("com.", Algorithm::Ed25519)
        .with_zone(ZoneSpec::new("example.com.", Algorithm::EcdsaP256Sha256).insecure())
        .txt(OWNER, "text")
        .build();
    let server = Server::honest(&world);
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "retrieval.no_delegation_signer");
    assert!(
        error.to_string().contains("example.com. is signed"),
        "{error}"
    );
}

/// A root and a TLD made by `tld`, with an unsigned zone below it and another below that.
fn unsigned(tld: impl FnOnce(ZoneSpec) -> ZoneSpec) -> World {
    let unsigned = |name: &str| ZoneSpec::new(name, Algorithm::EcdsaP256Sha256).unsigned();
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .with_zone(tld(ZoneSpec::new("com.", Algorithm::Ed25519)))
        .with_zone(unsigned("example.com."))
        .with_zone(unsigned("dept.example.com."))
        .txt(OWNER, "text")
        .txt("_veraid.dept.example.com.", "text")
        .build()
}

#[test]
fn proves_that_a_zone_is_not_signed() {
    for world in [
        unsigned(|tld| tld),
        unsigned(|tld| tld.nsec3(0, b"")),
        unsigned(ZoneSpec::opt_out),
    ] {
        let server = Server::honest(&world);
        for name in [
            OWNER,
            "_veraid.dept.example.com.",
            "nothing.example.com.",
            "example.com.",
        ] {
            let error = refusal(retrieve_any(&server, &world, name, TXT));
            assert_eq!(error.reason(), "retrieval.unsigned", "{name}: {error}");
            let message = "the zone example.com. is not signed with DNSSEC";
            assert!(error.to_string().contains(message), "{name}: {error}");
            assert!(error.is_about_the_domain());
        }
    }
}

#[test]
fn an_alias_into_an_unsigned_zone_proves_nothing() {
    let world = zones()
        .with_zone(ZoneSpec::new("net.", Algorithm::Ed25519).unsigned())
        .record(Record::of_name(OWNER, CNAME, "records.net."))
        .txt("records.net.", "text")
        .build();
    for world in [world.clone(), world.with_targets_apart()] {
        let server = Server::honest(&world);
        let error = refusal(retrieve(&server, &world));
        let RetrievalError::Unsigned(insecurity) = error else {
            panic!("{error}");
        };
        assert_eq!(insecurity.insecure.zone().to_string(), "net.");
        // The proof can be kept.
        let fact = look_up(&insecurity.chain, &world, OWNER, TXT);
        assert_eq!(fact, Fact::ProvenInsecure(insecurity.insecure));
    }
}

/// The alias is in an unsigned zone, and its target in a zone with an anchor of its own.
fn alias_out_of_an_unsigned_zone() -> (World, TrustAnchors) {
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .with_zone(ZoneSpec::new("com.", Algorithm::Ed25519).unsigned())
        .zone("net.", Algorithm::Ed25519)
        .zone("example.net.", Algorithm::Ed25519)
        .record(Record::of_name("alias.com.", CNAME, "records.example.net."))
        .txt("records.example.net.", "text")
        .build();
    let mut anchors: TrustAnchors = world.anchors().parse().unwrap();
    let below: TrustAnchors = world.anchors_of("example.net.").parse().unwrap();
    anchors.extend(below);
    (world, anchors)
}

#[test]
fn an_alias_in_an_unsigned_zone_is_proven_to_prove_nothing() {
    let (world, anchors) = alias_out_of_an_unsigned_zone();
    let server = Server::honest(&world);
    let error = refusal(retrieve_under(&anchors, &server, "alias.com."));
    let RetrievalError::Unsigned(insecurity) = error else {
        panic!("{error}");
    };
    assert_eq!(insecurity.insecure.zone().to_string(), "com.");
    assert_eq!(server.count("com.", DS), 1);
}

/// Whatever such a resolver proves, another may say more.
#[test]
fn a_resolver_that_strips_an_anchored_zone_is_not_believed_that_a_name_is_insecure() {
    let (world, anchors) = alias_out_of_an_unsigned_zone();
    let server = Server::start(&world, |query, mut response| {
        if query.is_for("example.net.", DNSKEY) {
            response.drop_signatures();
        }
        say(response)
    });
    let error = refusal(retrieve_under(&anchors, &server, "alias.com."));
    let zone = "example.net.".parse().unwrap();
    assert_eq!(error, RetrievalError::SignaturesStripped(zone));
}

#[test]
fn a_zone_signed_with_what_nobody_knows_is_told_as_such() {
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("com.", Algorithm::Ed25519)
        .with_zone(ZoneSpec::new("example.com.", Algorithm::EcdsaP256Sha256).ds_digests(&[SHA1]))
        .txt(OWNER, "text")
        .build();
    let server = Server::honest(&world);
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "dnssec.insecure_delegation");
    let RetrievalError::Insecure(insecurity) = &error else {
        panic!("{error}");
    };
    assert_eq!(error.insecurity(), Some(&**insecurity));
    let fact = look_up(&insecurity.chain, &world, OWNER, TXT);
    assert_eq!(fact, Fact::ProvenInsecure(insecurity.insecure.clone()));
    assert_eq!(
        error.to_string(),
        "the resolver's responses do not prove the answer: example.com. is insecure: none of its DS records has \
         both a supported algorithm and a supported digest type"
    );
}

#[test]
fn asks_for_nothing_above_an_anchor() {
    let world = world();
    // A signature by a zone above is of no use either.
    let signing = world.signing("com.", KeyRole::Zsk);
    for is_signed_twice in [false, true] {
        let signing = signing.clone();
        let server = Server::start(&world, move |query, mut response| {
            if is_signed_twice && query.is_for(OWNER, TXT) {
                response.add_signature(&signing);
            }
            say(response)
        });
        let anchors = anchor_of_the_organisation(&world);
        assert!(retrieve_under(&anchors, &server, OWNER).is_ok());
        assert_eq!(server.seen().len(), 2);
    }
}

fn anchor_of_the_organisation(world: &World) -> TrustAnchors {
    let zone = world.zone("example.com.");
    let ds = zone.committed_key().ds_rdata(zone.name(), SHA256);
    let owner = "example.com".parse().unwrap();
    TrustAnchors::new(TrustAnchor::from_ds(owner, &ds, Validity::always()))
}

/// No zone there can be proven to be unsigned either, so none is asked about.
#[test]
fn an_alias_to_where_no_anchor_reaches_is_refused() {
    let world = zones()
        .with_zone(ZoneSpec::new("net.", Algorithm::Ed25519).unsigned())
        .record(Record::of_name(OWNER, CNAME, "records.net."))
        .txt("records.net.", "text")
        .build();
    let server = Server::honest(&world);
    let anchors = anchor_of_the_organisation(&world);
    let error = refusal(retrieve_under(&anchors, &server, OWNER));
    assert_eq!(error.reason(), "dnssec.no_trust_anchor");
    let asked: Vec<_> = server.seen().iter().map(|it| it.record_type).collect();
    assert!(!asked.contains(&DS), "{asked:?}");
}

#[test]
fn asks_nobody_for_what_no_anchor_reaches() {
    let world = world();
    let server = Server::honest(&world);
    let anchors = world.anchors().replacen('.', "com.", 1).parse().unwrap();
    let error = refusal(retrieve_under(&anchors, &server, "example.net."));
    assert_eq!(error.reason(), "dnssec.no_trust_anchor");
    assert!(server.seen().is_empty());
}

fn retrieve_under(
    anchors: &TrustAnchors,
    server: &Server,
    name: &str,
) -> Result<Retrieved, RetrievalError> {
    let at = Timestamp::from_unix_seconds(NOON);
    let name = name.parse().unwrap();
    let resolvers = resolvers([server]);
    block_on(dnssec::retrieve(
        &name,
        RecordType::TXT,
        &resolvers,
        anchors,
        at,
    ))
}

/// The resolver says of each name that all zones above it have signed it, and leads on to another as long.
#[test]
fn a_resolver_can_cause_no_more_questions_than_a_chain_may_have_responses() {
    let long = |start: &[u8]| {
        let mut name = Name::root().child(start);
        for _ in 0..120 {
            name = name.child(b"a");
        }
        name
    };
    let world = world();
    let signing = world.signing(".", KeyRole::Zsk);
    let server = Server::start(&world, move |query, mut response| {
        if query.record_type == TXT {
            let target = long(&[b'a' + u8::try_from(query.before % 26).unwrap()]);
            let alias = [Record::of_name(&query.name, CNAME, target)];
            let mut signer = Some(query.name.clone());
            while let Some(zone) = signer {
                let rrsig = signing.clone().signer(&zone).rrsig(&alias);
                response.answers.push(rrsig);
                signer = zone.parent();
            }
            response.answers.extend(alias);
        }
        say(response)
    });
    let error = refusal(retrieve_any(&server, &world, &long(b"0").to_string(), TXT));
    assert!(matches!(error, RetrievalError::Unverified(_)), "{error}");
    assert_eq!(server.seen().len(), 512);
}

/// Nor do signatures of zones that have nothing to do with the name cause any.
#[test]
fn signatures_from_elsewhere_are_not_followed() {
    let world = world();
    let signing = world.signing_for(OWNER, TXT).signer("elsewhere.");
    let server = Server::start(&world, move |query, mut response| {
        if query.is_for(OWNER, TXT) {
            response.add_signature(&signing);
        }
        say(response)
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count("elsewhere.", DNSKEY), 0);
}

/// A cut at every label, so 2 questions for each of 40 zones.
#[test]
fn a_long_way_up_is_gone() {
    let mut builder = World::builder().at(NOON).zone(".", Algorithm::Ed25519);
    let mut zone = Name::root();
    for _ in 0..40 {
        zone = zone.child(b"a");
        builder = builder.with_zone(ZoneSpec::new(&zone, Algorithm::Ed25519).single_key());
    }
    let name = zone.child(b"txt");
    let world = builder.txt(&name, "text").build();
    let server = Server::honest(&world);
    let name = name.to_string();
    let retrieved = retrieve_any(&server, &world, &name, TXT);
    assert_eq!(proven(&retrieved, &world, &name, TXT), [b"\x04text"]);
}
