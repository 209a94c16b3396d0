//! Writes tokens for other verifiers to be timed with, and tells how long ours takes for them.
//!
//! `cargo run --release -p kliento-tools --bin timed_bundles -- DIRECTORY` writes `anchors`, DS lines of
//! the root, and `member` and `org`, an `Authorization` value each, by a member and by its organisation. They are good
//! from now on, for an hour. Prints a JSON object with the medians in nanoseconds, of verifications from the value to the
//! identity, with nothing remembered, that took turns.

use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};
use std::{env, fs};

use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento::{Timestamp, header};

use kliento_tools::realistic::{Domain, Keys, Kind};

const RUNS: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let directory: PathBuf = env::args_os()
        .nth(1)
        .ok_or("a directory to write to is needed")?
        .into();
    let keys = Keys::generate(KeyAlgorithm::Rsa2048)?;
    let now = Timestamp::from(SystemTime::now());
    let domain = Domain::new(Dialect::VeraId, &keys, now)?;
    let verifier = domain.verifier()?.cache_octets(0).build();

    fs::write(directory.join("anchors"), &domain.anchors)?;
    let mut cases = Vec::new();
    for (name, kind) in [("member", Kind::Member), ("org", Kind::Organisation)] {
        let value = header::encode(&domain.issue(kind, &keys)??);
        fs::write(directory.join(name), &value)?;
        cases.push((name, value, Vec::with_capacity(RUNS)));
    }
    for _ in 0..RUNS {
        for (_, value, times) in &mut cases {
            let start = Instant::now();
            black_box(verifier.verify_header(black_box(value.as_str()))?);
            times.push(start.elapsed().as_nanos());
        }
    }
    let medians = cases.into_iter().map(|(name, _, mut times)| {
        times.sort_unstable();
        let median = times.get(RUNS / 2).copied().unwrap_or_default();
        format!("\"{name}\":{median}")
    });
    println!("{{{}}}", medians.collect::<Vec<_>>().join(","));
    Ok(())
}
