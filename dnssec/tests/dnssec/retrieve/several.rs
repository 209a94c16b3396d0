//! Several resolvers.

use dnssec::RetrievalError;
use kliento_fixtures::{RESPONSE_FLAGS, TXT};

use super::server::{Server, say};
use super::{IMPATIENT, OWNER, assert_proven, refusal, resolvers, retrieve_from, world};

/// REFUSED (RFC 1035 §4.1.1).
const REFUSED: u8 = 5;
const FORMERR: u8 = 1;

#[test]
fn the_first_that_gives_a_proof_is_enough() {
    let world = world();
    let (first, second) = (Server::honest(&world), Server::honest(&world));
    let both = resolvers([&first, &second]);
    let retrieved = retrieve_from(&both, &world, OWNER, TXT, |retriever| retriever);
    assert_proven(&retrieved, &world);
    assert_eq!(retrieved.unwrap().resolver, first.address.to_string());
    assert!(second.seen().is_empty());
}

/// Makes a resolver that is no good, and shows that the next one is asked.
#[track_caller]
fn assert_passed_over(make: impl FnOnce(&kliento_fixtures::World) -> Server) {
    let world = world();
    let (bad, good) = (make(&world), Server::honest(&world));
    let both = resolvers([&bad, &good]);
    let retrieved = retrieve_from(&both, &world, OWNER, TXT, |retriever| {
        retriever.with_query_timeout(IMPATIENT)
    });
    assert_proven(&retrieved, &world);
    assert_eq!(retrieved.unwrap().resolver, good.address.to_string());
    assert!(!bad.seen().is_empty(), "it was asked first");
}

#[test]
fn the_next_is_asked_when_one_is_silent() {
    assert_passed_over(|world| Server::start(world, |_, _| vec![]));
}

#[test]
fn the_next_is_asked_when_one_falls_silent() {
    assert_passed_over(|world| {
        Server::start(world, |query, response| match query.before {
            0..3 => say(response),
            _ => vec![],
        })
    });
}

#[test]
fn the_next_is_asked_when_one_takes_its_time() {
    let world = world();
    let (silent, good) = (Server::start(&world, |_, _| vec![]), Server::honest(&world));
    let both = resolvers([&silent, &good]);
    // The first one is not even given up.
    let retrieved = retrieve_from(&both, &world, OWNER, TXT, |retriever| {
        retriever.with_head_start(IMPATIENT / 10)
    });
    assert_proven(&retrieved, &world);
}

#[test]
fn the_next_is_asked_when_one_refuses() {
    assert_passed_over(|world| {
        Server::start(world, |_, mut response| {
            response.rcode = REFUSED;
            response.answers.clear();
            say(response)
        })
    });
}

#[test]
fn the_next_is_asked_when_one_does_not_know_edns() {
    assert_passed_over(|world| {
        Server::start(world, |_, mut response| {
            response.rcode = FORMERR;
            response.flags = RESPONSE_FLAGS;
            response.questions.clear();
            response.answers.clear();
            say(response)
        })
    });
}

#[test]
fn the_next_is_asked_when_one_strips_signatures() {
    assert_passed_over(|world| {
        Server::start(world, |_, mut response| {
            response.drop_signatures();
            say(response)
        })
    });
}

#[test]
fn the_next_is_asked_when_one_lies() {
    assert_passed_over(|world| {
        let usurped = world.usurped("example.com.").with_txt(OWNER, "evil");
        Server::honest(&usurped)
    });
}

#[test]
fn the_next_is_asked_when_one_denies_without_proof() {
    assert_passed_over(|world| {
        Server::start(world, |query, mut response| {
            if query.is_for(OWNER, TXT) {
                response.answers.clear();
            }
            say(response)
        })
    });
}

/// What is proven is so, whoever said it: nobody else needs to be asked.
#[test]
fn a_proof_of_absence_ends_the_search() {
    let world = super::zones().build();
    let (first, second) = (Server::honest(&world), Server::honest(&world));
    let both = resolvers([&first, &second]);
    let error = refusal(retrieve_from(&both, &world, OWNER, TXT, |retriever| {
        retriever
    }));
    assert_eq!(error.reason(), "dnssec.absent");
    assert!(second.seen().is_empty());
}

#[test]
fn each_failure_is_told_the_most_telling_first() {
    let world = world();
    let silent = Server::start(&world, |_, _| vec![]);
    let refusing = Server::start(&world, |_, mut response| {
        response.rcode = REFUSED;
        say(response)
    });
    let stripping = Server::start(&world, |_, mut response| {
        response.drop_signatures();
        say(response)
    });
    let lying = Server::honest(&super::world());
    let all = resolvers([&silent, &refusing, &stripping, &lying]);
    let error = refusal(retrieve_from(&all, &world, OWNER, TXT, |retriever| {
        retriever.with_query_timeout(IMPATIENT)
    }));
    assert_eq!(error.reason(), "dnssec.dnskey_not_committed");
    assert!(error.is_about_the_domain());
    let text = error.to_string();
    let position = |part: String| {
        text.find(&part)
            .unwrap_or_else(|| panic!("{part} in: {text}"))
    };
    assert!(text.starts_with("none of 4 resolvers returned a proof: "));
    let told = [
        position(format!(
            "{}: the resolver's responses do not prove the answer",
            lying.address
        )),
        position(format!(
            "{}: the resolver removes DNSSEC signatures",
            stripping.address
        )),
        position(format!("{}: the resolver answers", refusing.address)),
        position(format!("the resolver {} does not answer", silent.address)),
    ];
    assert!(told.is_sorted(), "{text}");
    let RetrievalError::NoProof(failures) = error else {
        panic!("{error}");
    };
    assert_eq!(failures.len(), 4);
}

#[test]
fn of_many_failures_a_few_are_told() {
    let world = world();
    let refusing: Vec<_> = (0..6)
        .map(|_| {
            Server::start(&world, |_, mut response| {
                response.rcode = REFUSED;
                say(response)
            })
        })
        .collect();
    let all = resolvers(&refusing);
    let error = refusal(retrieve_from(&all, &world, OWNER, TXT, |retriever| {
        retriever
    }));
    let text = error.to_string();
    assert_eq!(text.matches("REFUSED").count(), 4, "{text}");
    assert!(text.ends_with("; and 2 more"), "{text}");
}

#[test]
fn a_resolver_without_edns_is_told_as_such() {
    let world = world();
    let server = Server::start(&world, |_, mut response| {
        response.rcode = FORMERR;
        response.questions.clear();
        response.answers.clear();
        say(response)
    });
    let error = refusal(super::retrieve(&server, &world));
    assert!(
        error.to_string().contains("it seems not to support EDNS"),
        "{error}"
    );
}
