//! How long it takes to read what arrives, layer by layer: Base64, the bundle where it lies, the token's JSON. Nothing is
//! verified.
//!
//! `cargo bench -p kliento --bench parse`. What is within a bundle is measured in the crates below.

#![allow(
    clippy::expect_used,
    reason = "what is measured works, or the measurement is not worth having"
)]

use std::hint::black_box;
use std::time::SystemTime;

use criterion::Criterion;
use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento::{Timestamp, Token, TokenBundle, header};

use kliento_tools::realistic::{Domain, Keys, Kind, token};

fn main() {
    let now = Timestamp::from(SystemTime::now());
    let keys = Keys::generate(KeyAlgorithm::Rsa2048).expect("keys can be made");
    let domain = Domain::new(Dialect::VeraId, &keys, now).expect("it can be made");
    let bundle = domain
        .issue(Kind::Member, &keys)
        .expect("it can sign")
        .expect("it fits");
    let authorization = header::encode(&bundle);
    let json = token(0).expect("it is one").to_json();

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("parse");
    group.bench_function("header", |bencher| {
        bencher.iter(|| header::decode(black_box(&authorization)).expect("it is one"));
    });
    group.bench_function("bundle", |bencher| {
        bencher.iter(|| {
            black_box(TokenBundle::from_der(black_box(&bundle)).expect("it is one"));
        });
    });
    group.bench_function("token", |bencher| {
        bencher.iter(|| Token::from_json(black_box(&json)).expect("it is one"));
    });
    group.finish();
    criterion.final_summary();
}
