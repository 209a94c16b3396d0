//! How long a server takes to verify a token bundle, from the `Authorization` value to the identity: cold, warm and again;
//! beside it what can't be faster, and other people's tokens.
//!
//! `cargo bench -p kliento --bench verify`. Figures that are compared with each other are taken one after the other, so
//! that whatever else the machine is busy with slows both. BENCHMARKS.md says what each of them is.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what is measured is good, or the measurement is not worth having"
)]

mod floor;
mod peers;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use criterion::Criterion;
use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento::{Timestamp, Verifier, VerifierBuilder, header};

use floor::Floor;
use kliento_tools::realistic::{Domain, Keys, Kind, Party};
use peers::JsonWebToken;

/// Tokens that one warm verifier is asked about, until another takes its place.
const WARM_TOKENS: usize = 128;
/// Tokens that come again in turn: more than fit into any fast corner of a verifier, or of a processor.
const MANY_TOKENS: usize = 512;

/// What a verification asks of the back end, at the least: for each of the three zones, its keys (the root's are RSA-2048
/// keys, the others P-256), and the delegations to two of them, and the TXT record; the organisation's signature over its
/// own certificate; its signature over the member's, if there is one; the signature over the content.
const MEMBER_OPERATIONS: usize = 9;
const ORGANISATION_OPERATIONS: usize = 8;

fn main() {
    let now = Timestamp::from(SystemTime::now());
    let keys = Keys::generate(KeyAlgorithm::Rsa2048).expect("keys can be made");
    let domain = Domain::new(Dialect::VeraId, &keys, now).expect("it can be made");
    let party = |kind| domain.party(kind, &keys).expect("it can sign");
    let member = Subject::new(&domain, &party(Kind::Member));
    let organisation = Subject::new(&domain, &party(Kind::Organisation));
    assert_eq!(member.floor.len(), MEMBER_OPERATIONS);
    assert_eq!(organisation.floor.len(), ORGANISATION_OPERATIONS);

    let mut criterion = Criterion::default().configure_from_args();
    cold(&mut criterion, &member, ["cold_member", "floor_member"]);
    cold(&mut criterion, &organisation, ["cold_org", "floor_org"]);
    warm(&mut criterion, &member, &organisation);
    repeat(&mut criterion, &member);
    other_peers(&mut criterion);
    criterion.final_summary();
}

/// Somebody's tokens, and who takes them.
struct Subject<'d> {
    domain: &'d Domain<'d>,
    /// Its tokens, as `Authorization` values: all different.
    tokens: Vec<String>,
    /// What verifying the first of them takes.
    floor: Floor,
}

impl<'d> Subject<'d> {
    fn new(domain: &'d Domain<'d>, party: &Party<'_>) -> Self {
        let tokens = party.tokens(MANY_TOKENS).expect("it can sign");
        let bundle = header::decode(&tokens[0]).expect("it was just encoded");
        Self {
            floor: Floor::of(&bundle, &forgetful(domain)),
            tokens,
            domain,
        }
    }

    /// One that has seen none of the tokens.
    fn verifier(&self) -> Verifier {
        builder(self.domain).build()
    }
}

/// The clock is the system's, as a server's is: reading it is part of a verification.
fn builder(domain: &Domain<'_>) -> VerifierBuilder {
    let builder = domain.verifier().expect("the audience is one");
    builder.clock(|| Timestamp::from(SystemTime::now()))
}

fn forgetful(domain: &Domain<'_>) -> Verifier {
    builder(domain).cache_octets(0).build()
}

fn verify(verifier: &Verifier, token: &str) {
    let outcome = verifier.verify_header(black_box(token));
    black_box(outcome.expect("the token is good"));
}

/// With nothing remembered.
fn cold(criterion: &mut Criterion, subject: &Subject<'_>, [name, floor_name]: [&str; 2]) {
    let verifier = forgetful(subject.domain);
    let mut group = criterion.benchmark_group("verify");
    group.bench_function(name, |bencher| {
        bencher.iter(|| verify(&verifier, &subject.tokens[0]));
    });
    group.bench_function(floor_name, |bencher| {
        bencher.iter(|| assert!(black_box(&subject.floor).run()));
    });
    group.finish();
}

/// Tokens that nobody has seen, of a member or organisation that is known.
fn warm(criterion: &mut Criterion, member: &Subject<'_>, organisation: &Subject<'_>) {
    let rs256 = JsonWebToken::rs256();
    let mut group = criterion.benchmark_group("verify");
    group.bench_function("warm_member", |bencher| {
        bencher.iter_custom(|iterations| time_warm(member, iterations));
    });
    let last_operation = member.floor.last_with_its_key_read();
    assert!(last_operation());
    group.bench_function("floor_warm", |bencher| {
        bencher.iter(|| assert!(black_box(&last_operation)()));
    });
    group.finish();
    let mut group = criterion.benchmark_group("peer");
    group.bench_function("jwt_rs256", |bencher| {
        bencher.iter(|| black_box(&rs256).verify());
    });
    group.bench_function("jwt_rs256_jwks", |bencher| {
        bencher.iter(|| black_box(&rs256).verify_by_key_id());
    });
    group.finish();
    let mut group = criterion.benchmark_group("verify");
    group.bench_function("warm_org", |bencher| {
        bencher.iter_custom(|iterations| time_warm(organisation, iterations));
    });
    group.finish();
}

/// The first token makes the verifier warm, and each of the others comes once. Then another verifier takes over, since this
/// one knows them all; making it warm is not in the time.
fn time_warm(subject: &Subject<'_>, iterations: u64) -> Duration {
    let (first, others) = subject.tokens.split_first().expect("there are tokens");
    let mut left = usize::try_from(iterations).expect("nobody has that much time");
    let mut time = Duration::ZERO;
    while left > 0 {
        let verifier = subject.verifier();
        verify(&verifier, first);
        let count = left.min(WARM_TOKENS);
        let start = Instant::now();
        for token in &others[..count] {
            verify(&verifier, token);
        }
        time += start.elapsed();
        left -= count;
    }
    time
}

/// The same token again, or one of many that all come again.
///
/// On two threads, the time is that of N verifications on each of them, divided by N. So two threads get twice
/// `repeat / repeat_threads_2` as much done as one. `repeat_threads_2_floor` is the same with two verifiers that have
/// nothing in common: what falls short of twofold there is the machine's doing, whose cores may share much.
fn repeat(criterion: &mut Criterion, subject: &Subject<'_>) {
    let one = &subject.tokens[..1];
    let many = &subject.tokens[..];
    let remembering = || {
        let verifier = subject.verifier();
        for token in many {
            verify(&verifier, token);
        }
        verifier
    };
    let [verifier, other] = [remembering(), remembering()];
    let clone = verifier.clone();
    let mut group = criterion.benchmark_group("verify");
    let mut on_two_threads = |name: &str, verifiers: [&Verifier; 2], tokens: &[String]| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| time_both(verifiers, tokens, iterations));
        });
    };
    on_two_threads("repeat_threads_2", [&verifier, &clone], one);
    on_two_threads("repeat_threads_2_floor", [&verifier, &other], one);
    on_two_threads("repeat_many_threads_2", [&verifier, &clone], many);
    group.bench_function("repeat", |bencher| {
        bencher.iter(|| verify(&verifier, &one[0]));
    });
    group.bench_function("repeat_many", |bencher| {
        let mut tokens = many.iter().cycle();
        bencher.iter(|| verify(&verifier, tokens.next().expect("they go round")));
    });
    group.finish();
}

/// From when both threads run until both are done. Each has seen the tokens before, as servers' threads have.
fn time_both(verifiers: [&Verifier; 2], tokens: &[String], iterations: u64) -> Duration {
    let running = &AtomicUsize::new(0);
    let run = |verifier: &Verifier, first: usize| {
        for token in tokens {
            verify(verifier, token);
        }
        running.fetch_add(1, Ordering::SeqCst);
        // A thread that slept would wake up late.
        while running.load(Ordering::SeqCst) < verifiers.len() {
            thread::yield_now();
        }
        let start = Instant::now();
        let mut tokens = tokens.iter().cycle().skip(first);
        for _ in 0..iterations {
            verify(verifier, tokens.next().expect("they go round"));
        }
        (start, Instant::now())
    };
    // They don't go hand in hand.
    let firsts = [0, tokens.len() / 2];
    let [(start, end), (other_start, other_end)] = thread::scope(|scope| {
        let run = &run;
        [0, 1]
            .map(|thread| scope.spawn(move || run(verifiers[thread], firsts[thread])))
            .map(|thread| thread.join().expect("all tokens are good"))
    });
    end.max(other_end).duration_since(start.min(other_start))
}

fn other_peers(criterion: &mut Criterion) {
    let es256 = JsonWebToken::es256();
    let mut group = criterion.benchmark_group("peer");
    group.bench_function("jwt_es256", |bencher| {
        bencher.iter(|| black_box(&es256).verify());
    });
    group.finish();
}
