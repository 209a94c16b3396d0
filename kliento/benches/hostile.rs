//! How long the costliest bundle that is known keeps a server busy, until it is refused or proves to be good.
//!
//! `cargo bench -p kliento --bench hostile`. All kinds of attack are made as large as a bundle may be and timed once over;
//! the one that takes longest is measured, and right before it an ordinary one: machines that others use too change their
//! speed from one minute to the next.

#![allow(
    clippy::expect_used,
    reason = "what is measured works, or the measurement is not worth having"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use kliento::{Verifier, header};

use kliento_tools::hostile::{Attack, Attacker, Hostile};

/// Verifications of each, of which the quickest counts: nothing makes one quicker than it is.
const TRIALS: usize = 5;

/// A bundle as it is sent, and a server that has seen nothing before.
struct Case {
    attack: Attack,
    authorization: String,
    verifier: Verifier,
}

impl Case {
    fn new(hostile: &Hostile) -> Self {
        Self {
            attack: hostile.attack,
            authorization: header::encode(&hostile.bundle),
            verifier: hostile.verifier().expect("the audience is one"),
        }
    }

    fn run(&self) {
        // Some of it is valid, and costly for that.
        let _ = black_box(self.verifier.verify_header(black_box(&self.authorization)));
    }

    fn quickest(&self) -> Duration {
        let time = |_| {
            let start = Instant::now();
            self.run();
            start.elapsed()
        };
        (0..TRIALS).map(time).min().unwrap_or_default()
    }
}

fn main() {
    let attacker = Attacker::new().expect("keys can be made");
    let worst = Attack::ALL
        .into_iter()
        .map(|attack| Case::new(&attacker.largest(attack).expect("some of it fits")))
        .max_by_key(Case::quickest)
        .expect("there are attacks");
    eprintln!("the costliest bundle: {:?}", worst.attack);

    let ordinary = attacker
        .attempt(Attack::Ordinary, 1)
        .expect("keys can be made")
        .expect("an ordinary bundle fits");
    let ordinary = Case::new(&ordinary);

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("verify");
    group.bench_function("hostile_ordinary", |bencher| {
        bencher.iter(|| ordinary.run());
    });
    group.bench_function("hostile_worst", |bencher| bencher.iter(|| worst.run()));
    group.finish();
    criterion.final_summary();
}
