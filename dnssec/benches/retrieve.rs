//! What it takes to retrieve a chain from a resolver on loopback, verify it, and keep what the proof needs.
//!
//! The resolver knows all its answers, so it is the client that is measured: its rounds of queries, the sockets, and the
//! verification, which alone is `verify/chain`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a mistake in a benchmark should stop it, and Criterion's macros write no documentation"
)]

mod world;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use criterion::{Criterion, criterion_group, criterion_main};
use dnssec::{RecordType, Resolver, Retriever};
use kliento_fixtures::{Name, World};

use world::{NOON, anchors, owner, world};

/// Octets of a DNS header (RFC 1035 §4.1.1), and of the ID that it starts with.
const HEADER: usize = 12;
const ID: usize = 2;
/// In the third octet of a header: that a response is only a part of what there is.
const TRUNCATED: u8 = 0x02;
/// In the fourth and on: the counts of answer, authority and additional records.
const COUNTS: std::ops::Range<usize> = 6..HEADER;

criterion_group!(benches, retrieve);
criterion_main!(benches);

fn retrieve(criterion: &mut Criterion) {
    let world = world();
    let (owner, anchors) = (owner(), anchors(&world));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut group = criterion.benchmark_group("retrieve");
    for (id, udp_answers) in [("udp", UdpAnswers::Whole), ("tcp", UdpAnswers::Truncated)] {
        let address = serve(&world, udp_answers);
        let resolvers: [Resolver; 1] = [address.to_string().parse().expect("an address")];
        let retriever = Retriever::new(&anchors, &resolvers);
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                runtime
                    .block_on(retriever.retrieve(&owner, RecordType::TXT, NOON))
                    .expect("a chain")
            });
        });
    }
    group.finish();
}

/// What a resolver says over UDP.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UdpAnswers {
    Whole,
    /// That the answer is to be had over TCP.
    Truncated,
}

/// The answers of a resolver, by the query less its ID.
struct Answers {
    world: World,
    known: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Answers {
    fn to(&self, query: &[u8]) -> Vec<u8> {
        let (id, question) = query.split_at(ID);
        let mut known = self.known.lock().expect("no thread panics");
        let mut answer = known
            .entry(question.to_vec())
            .or_insert_with(|| self.make(query))
            .clone();
        answer[..ID].copy_from_slice(id);
        answer
    }

    fn make(&self, query: &[u8]) -> Vec<u8> {
        let mut labels = Vec::new();
        let mut position = HEADER;
        while query[position] != 0 {
            let end = position + 1 + usize::from(query[position]);
            labels.push(&query[position + 1..end]);
            position = end;
        }
        let record_type = u16::from_be_bytes([query[position + 1], query[position + 2]]);
        let answer = self.world.answer(Name::from_labels(labels), record_type);
        answer.to_message()
    }

    /// The question alone, marked as truncated.
    fn truncated_to(&self, query: &[u8]) -> Vec<u8> {
        let mut answer = self.to(query);
        let end = HEADER
            + answer[HEADER..]
                .iter()
                .position(|&octet| octet == 0)
                .expect("a name");
        // Behind the name come type and class.
        answer.truncate(end + 1 + 2 + 2);
        answer[2] |= TRUNCATED;
        answer[COUNTS].fill(0);
        answer
    }
}

/// Starts a resolver that runs as long as the benchmark does.
fn serve(world: &World, udp_answers: UdpAnswers) -> SocketAddr {
    let answers = Arc::new(Answers {
        world: world.clone(),
        known: Mutex::default(),
    });
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = tcp.local_addr().expect("an address");
    let udp = UdpSocket::bind(address).expect("the same port, which nothing else has");
    let over_tcp = Arc::clone(&answers);
    thread::spawn(move || {
        while let Ok((stream, _)) = tcp.accept() {
            let answers = Arc::clone(&over_tcp);
            thread::spawn(move || answer_over_tcp(&answers, stream));
        }
    });
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = udp.recv_from(&mut buffer) {
            let answer = match udp_answers {
                UdpAnswers::Whole => answers.to(&buffer[..length]),
                UdpAnswers::Truncated => answers.truncated_to(&buffer[..length]),
            };
            let _ = udp.send_to(&answer, client);
        }
    });
    address
}

/// Answers the queries of one connection, one after the other (RFC 1035 §4.2.2).
fn answer_over_tcp(answers: &Answers, mut stream: TcpStream) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut query).is_err() {
            return;
        }
        let answer = answers.to(&query);
        let length = u16::try_from(answer.len())
            .expect("a message")
            .to_be_bytes();
        if stream.write_all(&[&length[..], &answer].concat()).is_err() {
            return;
        }
    }
}
