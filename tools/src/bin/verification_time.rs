//! How long a server takes to verify a token bundle that it has not seen before, by key algorithm, and one that it has.
//!
//! `cargo run --release -p kliento-tools --bin verification_time` prints medians of five hundred
//! verifications each, from the `Authorization` value to the identity, on one core. They take turns, so that whatever
//! else the machine is busy with slows all alike. Each ratio is to the same kind of token with RSA-2048 keys. The DNSSEC
//! chain is the same but for the record. What comes again is looked up in memory.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento::{Timestamp, Verifier, header};

use kliento_tools::realistic::{Domain, Keys, Kind};

const RUNS: usize = 500;
const TIME: &str = "2026-11-22T12:00:00Z";
/// What the others are compared with.
const BASELINE: KeyAlgorithm = KeyAlgorithm::Rsa2048;

/// A token, who takes it, and how long that took each time.
struct Case {
    dialect: Dialect,
    kind: Kind,
    algorithm: KeyAlgorithm,
    octets: usize,
    authorization: String,
    /// One that forgets.
    verifier: Verifier,
    times: Vec<Duration>,
    /// One that remembers.
    remembering: Verifier,
    times_again: Vec<Duration>,
}

impl Case {
    /// `None` if the token is larger than Kliento allows.
    fn new(
        dialect: Dialect,
        kind: Kind,
        algorithm: KeyAlgorithm,
        keys: &Keys,
        time: Timestamp,
    ) -> Result<Option<Self>, Box<dyn Error>> {
        let domain = Domain::new(dialect, keys, time)?;
        let bundle = match domain.issue(kind, keys)? {
            Ok(bundle) => bundle,
            Err(kliento::IssueError::BundleTooLarge { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(Self {
            dialect,
            kind,
            algorithm,
            octets: bundle.len(),
            authorization: header::encode(&bundle),
            verifier: domain.verifier()?.cache_octets(0).build(),
            times: Vec::with_capacity(RUNS),
            remembering: domain.verifier()?.build(),
            times_again: Vec::with_capacity(RUNS),
        }))
    }

    fn run(&mut self) -> Result<(), kliento::VerifyError> {
        self.times
            .push(time_of(&self.verifier, &self.authorization)?);
        self.times_again
            .push(time_of(&self.remembering, &self.authorization)?);
        Ok(())
    }
}

fn time_of(verifier: &Verifier, authorization: &str) -> Result<Duration, kliento::VerifyError> {
    let start = Instant::now();
    black_box(verifier.verify_header(black_box(authorization))?);
    Ok(start.elapsed())
}

fn median_microseconds(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    median.as_secs_f64() * 1e6
}

fn main() -> Result<(), Box<dyn Error>> {
    let time: Timestamp = TIME.parse()?;
    let mut cases = Vec::new();
    for &algorithm in KeyAlgorithm::ALL {
        let keys = Keys::generate(algorithm)?;
        for (dialect, kind) in groups() {
            if dialect == Dialect::DomainAuth || !algorithm.is_experimental() {
                cases.extend(Case::new(dialect, kind, algorithm, &keys, time)?);
            }
        }
    }
    for _ in 0..RUNS {
        for case in &mut cases {
            case.run()?;
        }
    }

    for (dialect, kind) in groups() {
        let group = || {
            cases
                .iter()
                .filter(move |case| case.dialect == dialect && case.kind == kind)
        };
        let baseline = group()
            .find(|case| case.algorithm == BASELINE)
            .ok_or("RSA-2048 is among the cases")?;
        let baseline = median_microseconds(&baseline.times);
        println!("{dialect}, signed by {}:", signer(kind));
        for case in group() {
            let median = median_microseconds(&case.times);
            println!(
                "  {:10} {:6} octets, median {median:7.1} µs, {:4.2} of {BASELINE}; again {:4.1} µs",
                case.algorithm,
                case.octets,
                median / baseline,
                median_microseconds(&case.times_again),
            );
        }
    }
    Ok(())
}

/// What is compared among itself: all that there is of each dialect.
fn groups() -> impl Iterator<Item = (Dialect, Kind)> {
    [Dialect::VeraId, Dialect::DomainAuth]
        .into_iter()
        .flat_map(|dialect| Kind::ALL.map(|kind| (dialect, kind)))
        .filter(|(dialect, kind)| kind.is_in(*dialect))
}

fn signer(kind: Kind) -> &'static str {
    match kind {
        Kind::Organisation => "the organisation",
        Kind::Delegate => "a delegate",
        Kind::Member => "a member",
        Kind::MemberThroughIntermediate => "a member below an intermediate",
    }
}
