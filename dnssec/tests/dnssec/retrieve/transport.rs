//! Packets, connections, and responses that are none.

use std::net::{Ipv6Addr, UdpSocket};

use dnssec::{Client, RecordType, Resolver, RetrievalError};
use kliento_fixtures::{DNSKEY, DS, Question, SERVFAIL, TXT};
use tokio::net::TcpSocket;

use super::server::{Over, Say, Server, say};
use super::{IMPATIENT, OWNER, assert_proven, block_on, refusal, resolvers, retrieve};
use super::{retrieve_from, world};

/// TC, that a response is only a part of what there is (RFC 1035 §4.1.1).
const TRUNCATED: u16 = 0x0200;

/// RD and CD in the header; one question; EDNS with 1,232 octets and DO.
#[test]
fn every_query_asks_for_signatures_and_for_no_verdict() {
    let world = world();
    let server = Server::honest(&world);
    assert_proven(&retrieve(&server, &world), &world);
    for query in server.seen() {
        let octets = &query.octets;
        assert_eq!(octets[2..12], *b"\x01\x10\0\x01\0\0\0\0\0\x01");
        assert!(octets.ends_with(b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"));
    }
    let ids: std::collections::HashSet<_> = server
        .seen()
        .iter()
        .map(|query| query.octets[..2].to_vec())
        .collect();
    assert!(ids.len() > 1, "queries have IDs of their own");
}

#[test]
fn a_lost_packet_is_sent_again() {
    let world = world();
    let server = Server::without_tcp(&world, |query, response| match query.repeats {
        0 => vec![],
        _ => say(response),
    });
    let retrieved = retrieve_from(&resolvers([&server]), &world, OWNER, TXT, |retriever| {
        retriever.with_query_timeout(2 * IMPATIENT)
    });
    assert_proven(&retrieved, &world);
    for (name, record_type) in [(OWNER, TXT), ("com.", DS), (".", DNSKEY)] {
        assert!(server.count(name, record_type) >= 2, "{name} {record_type}");
    }
}

#[test]
fn a_network_that_swallows_udp_is_crossed_by_tcp() {
    let world = world();
    let server = Server::start(&world, |query, response| match query.over {
        Over::Udp => vec![],
        Over::Tcp => say(response),
    });
    let retrieved = retrieve_from(&resolvers([&server]), &world, OWNER, TXT, |retriever| {
        retriever.with_query_timeout(IMPATIENT)
    });
    assert_proven(&retrieved, &world);
    assert_eq!(server.count_over(Over::Udp, OWNER, TXT), 3);
    assert_eq!(server.count_over(Over::Tcp, OWNER, TXT), 1);
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    let world = world();
    let server = Server::start(&world, |query, mut response| {
        if query.over == Over::Udp {
            response.flags |= TRUNCATED;
            response.answers.clear();
        }
        say(response)
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert!(server.seen().iter().any(|query| query.over == Over::Tcp));
    for (name, record_type) in [(OWNER, TXT), ("com.", DS), (".", DNSKEY)] {
        assert_eq!(server.count_over(Over::Tcp, name, record_type), 1);
    }
}

/// Whatever a truncated response does have in it, the rest of the RRset may be missing (RFC 2181 §9).
#[test]
fn nothing_of_a_truncated_answer_is_used() {
    let world = world();
    let server = Server::without_tcp(&world, |_, mut response| {
        response.flags |= TRUNCATED;
        say(response)
    });
    let error = refusal(retrieve(&server, &world));
    assert!(matches!(error, RetrievalError::NoResponse { .. }));
    assert!(error.to_string().contains("does not fit into a datagram"));
}

#[test]
fn a_mangled_datagram_is_asked_for_over_tcp() {
    let world = world();
    let server = Server::start(&world, |query, response| {
        let mut octets = response.to_message();
        if query.over == Over::Udp {
            octets.truncate(octets.len() - 1);
        }
        vec![Say::Octets(octets)]
    });
    assert_proven(&retrieve(&server, &world), &world);
}

#[test]
fn what_is_mangled_over_tcp_too_is_an_error_of_its_own() {
    let world = world();
    let server = Server::start(&world, |_, response| {
        let mut octets = response.to_message();
        octets.truncate(octets.len() - 1);
        vec![Say::Octets(octets)]
    });
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "retrieval.malformed_response");
}

/// As a forger sends who does not see the queries.
#[test]
fn a_response_with_another_id_is_passed_over() {
    let world = world();
    let server = Server::start(&world, |query, response| {
        let mut forged = response.clone();
        forged.id ^= 1;
        forged.rcode = SERVFAIL;
        if query.before == 0 {
            // Without the question, too.
            let mut short = forged.clone();
            short.questions.clear();
            return vec![Say::This(short), Say::This(forged), Say::This(response)];
        }
        vec![Say::This(forged), Say::This(response)]
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count(OWNER, TXT), 1, "without asking again");
}

#[test]
fn a_response_with_another_id_is_passed_over_on_a_connection_too() {
    let world = world();
    let server = Server::start(&world, |query, mut response| match query.over {
        Over::Udp => {
            response.flags |= TRUNCATED;
            say(response)
        }
        Over::Tcp => {
            let mut other = response.clone();
            other.id ^= 1;
            other.rcode = SERVFAIL;
            vec![Say::This(other), Say::This(response)]
        }
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count_over(Over::Tcp, OWNER, TXT), 1);
}

#[test]
fn a_resolver_may_have_an_ipv6_address() {
    let address = Ipv6Addr::LOCALHOST.into();
    if UdpSocket::bind((address, 0)).is_err() {
        // This machine has no IPv6.
        return;
    }
    let world = world();
    // Over UDP, and over TCP for one question.
    let server = Server::start_at(address, &world, |query, mut response| {
        if query.over == Over::Udp && query.is_for(".", DNSKEY) {
            response.flags |= TRUNCATED;
        }
        say(response)
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert!(server.seen().iter().all(|query| query.client.is_ipv6()));
    assert_eq!(server.count_over(Over::Tcp, ".", DNSKEY), 1);
}

#[test]
fn a_response_to_another_question_is_passed_over() {
    let world = world();
    let server = Server::start(&world, |_, response| {
        let mut other = response.clone();
        other.questions = vec![Question::new("elsewhere.example.com.", TXT)];
        let mut query = response.clone();
        query.flags = 0x0110;
        let mut both = response.clone();
        both.questions.push(Question::new(OWNER, TXT));
        [other, query, both, response]
            .map(Say::This)
            .into_iter()
            .collect()
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count(OWNER, TXT), 1, "without asking again");
}

#[test]
fn a_response_from_another_port_is_passed_over() {
    let (world, other) = (world(), world());
    let server = Server::start(&world, move |query, response| {
        let mut forged = other.answer(query.name.clone(), query.record_type);
        forged.id = response.id;
        vec![Say::FromElsewhere(forged), Say::This(response)]
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count(OWNER, TXT), 1, "without asking again");
}

#[test]
fn each_query_comes_from_a_port_of_its_own() {
    let world = world();
    let server = Server::honest(&world);
    assert_proven(&retrieve(&server, &world), &world);
    let ports: std::collections::HashSet<_> = server
        .seen()
        .iter()
        .map(|query| query.client.port())
        .collect();
    assert!(ports.len() > 1, "a forger has to guess it each time");
}

#[test]
fn a_response_that_comes_twice_does_no_harm() {
    let world = world();
    let server = Server::start(&world, |_, response| {
        vec![Say::This(response.clone()), Say::This(response)]
    });
    assert_proven(&retrieve(&server, &world), &world);
}

#[test]
fn a_connection_that_is_closed_is_made_again() {
    let world = world();
    let server = Server::start(&world, |query, mut response| match query.over {
        Over::Udp => {
            response.flags |= TRUNCATED;
            say(response)
        }
        Over::Tcp if query.repeats == 1 => vec![Say::Close],
        Over::Tcp => say(response),
    });
    assert_proven(&retrieve(&server, &world), &world);
    assert_eq!(server.count_over(Over::Tcp, OWNER, TXT), 2);
}

#[test]
fn a_server_that_always_closes_is_given_up() {
    let world = world();
    let server = Server::start(&world, |query, mut response| match query.over {
        Over::Udp => {
            response.flags |= TRUNCATED;
            say(response)
        }
        Over::Tcp => vec![Say::Close],
    });
    let error = refusal(retrieve(&server, &world));
    assert_eq!(error.reason(), "retrieval.no_response");
    let counts = [(OWNER, TXT), (".", DNSKEY)]
        .map(|(name, record_type)| server.count_over(Over::Tcp, name, record_type));
    assert_eq!(counts.iter().max(), Some(&2));
}

/// With a time for queries that nobody would wait for: it is told at once.
#[test]
fn that_nothing_listens_is_known_from_the_refusal() {
    // Bound, so that no other test gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let resolver: Resolver = socket.local_addr().unwrap().to_string().parse().unwrap();
    let error = refusal(retrieve_from(
        &[resolver],
        &world(),
        OWNER,
        TXT,
        |retriever| retriever,
    ));
    assert_eq!(error.reason(), "retrieval.no_response");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn a_silent_server_is_given_up() {
    let world = world();
    let server = Server::start(&world, |_, _| vec![]);
    let error = refusal(retrieve_from(
        &resolvers([&server]),
        &world,
        OWNER,
        TXT,
        |retriever| retriever.with_query_timeout(IMPATIENT),
    ));
    assert_eq!(error.reason(), "retrieval.no_response");
    assert_eq!(server.count_over(Over::Udp, OWNER, TXT), 3);
    assert_eq!(server.count("com.", DS), 0, "nothing more is asked of it");
}

/// UDP and TCP fail in different ways, and both are told.
#[test]
fn a_server_that_is_silent_over_udp_and_refuses_tcp_is_told_as_such() {
    let world = world();
    let server = Server::without_tcp(&world, |_, _| vec![]);
    let error = refusal(retrieve_from(
        &resolvers([&server]),
        &world,
        OWNER,
        TXT,
        |retriever| retriever.with_query_timeout(IMPATIENT),
    ));
    let RetrievalError::NoResponse {
        resolver, problem, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(resolver, server.address.to_string());
    let over_tcp = problem.strip_prefix("over UDP: no response; over TCP: ");
    assert!(
        over_tcp.is_some_and(|tcp| tcp.contains("refused")),
        "{problem}"
    );
}

#[test]
fn a_retrieval_ends_at_its_deadline() {
    let world = world();
    let server = Server::start(&world, |_, _| vec![]);
    let error = refusal(retrieve_from(
        &resolvers([&server]),
        &world,
        OWNER,
        TXT,
        |retriever| retriever.with_deadline(IMPATIENT),
    ));
    assert_eq!(error.reason(), "retrieval.no_response");
    assert!(error.to_string().contains("no proof within 5s"), "{error}");
}

#[test]
fn a_client_hands_over_what_the_server_says_whatever_it_is() {
    let world = world();
    let server = Server::start(&world, |_, mut response| {
        response.rcode = SERVFAIL;
        response.answers.clear();
        say(response)
    });
    let response = ask(&server);
    assert_eq!(response[3] & 0xf, SERVFAIL);
    let honest = Server::honest(&world);
    let response = ask(&honest);
    let response = dnssec::Response::parse(&response).unwrap();
    assert_eq!(response.answers()[0].rdata(), b"\x04text");
}

/// Only CD differs: RD and DO are set.
#[test]
fn a_client_can_ask_for_the_resolvers_verdict() {
    let world = world();
    let server = Server::honest(&world);
    let resolver = resolvers([&server]).remove(0);
    let name = OWNER.parse().unwrap();
    let response = block_on(async {
        let client = Client::connect(&resolver).await.unwrap();
        client.query_with_checking(&name, RecordType::TXT).await
    });
    let response = response.unwrap();
    let response = dnssec::Response::parse(&response).unwrap();
    assert!(response.answers_question(&name, RecordType::TXT));
    let [query] = &server.seen()[..] else {
        panic!("{:?}", server.seen());
    };
    assert_eq!(query.octets[2..12], *b"\x01\0\0\x01\0\0\0\0\0\x01");
    assert!(query.octets.ends_with(b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"));
}

#[test]
fn a_client_shows_which_resolver_it_asks() {
    for text in ["192.0.2.1", "[2001:db8::1]:5300"] {
        let resolver: Resolver = text.parse().unwrap();
        let client = block_on(Client::connect(&resolver)).unwrap();
        assert_eq!(format!("{client:?}"), format!("Client(\"{resolver}\")"));
    }
}

fn ask(server: &Server) -> Vec<u8> {
    let resolver = resolvers([server]).remove(0);
    block_on(async {
        let client = Client::connect(&resolver).await.unwrap();
        let name = OWNER.parse().unwrap();
        client.query(&name, RecordType::TXT).await.unwrap()
    })
}
