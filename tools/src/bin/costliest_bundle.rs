//! How much more a hostile bundle can cost a server than an ordinary one.
//!
//! `cargo run --release -p kliento-tools --bin costliest_bundle` makes the bundles of [`kliento_tools::hostile`], each
//! as large as a bundle can be, has a server verify them in turns with an ordinary one that it has not seen before, and
//! prints what each took at best and by the median. It ends with status 1 if one took more than six times as long as the
//! ordinary one, both at their best: whatever else the machine does makes nothing quicker. That is with AWS-LC, in whose time
//! [`kliento::MAX_WORK`] counts; with `ring`, which takes 3.5 times as long for P-384, it is 14 times.
//!
//! With the name of an attack and numbers behind it, it makes so much of it and verifies that, for a profiler to look on:
//! `costliest_bundle DeepZones 2 4 8`.
//!
//! `costliest_bundle --write DIRECTORY` writes the costliest of all for servers to be tried with: `costliest`, the value of an
//! `Authorization` field that is good for an hour, and `anchors`, for `--trust-anchors`.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use kliento::{Verifier, header};

use kliento_tools::hostile::{Attack, Attacker, Hostile};

/// How much more the costliest bundle may take than an ordinary one.
const MAX_RATIO: f64 = 6.0;
const RUNS: usize = 101;

/// A bundle as it is sent, and who it is sent to.
struct Case {
    hostile: Hostile,
    authorization: String,
    verifier: Verifier,
    times: Vec<Duration>,
}

impl Case {
    fn new(hostile: Hostile) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            authorization: header::encode(&hostile.bundle),
            verifier: hostile.verifier()?,
            times: Vec::with_capacity(RUNS),
            hostile,
        })
    }

    fn verdict(&self) -> &'static str {
        match self.verifier.verify_header(&self.authorization) {
            Ok(_) => "valid",
            Err(error) => error.reason(),
        }
    }

    fn run(&mut self) {
        let start = Instant::now();
        let _ = black_box(self.verifier.verify_header(black_box(&self.authorization)));
        self.times.push(start.elapsed());
    }

    /// The best time and the median, in microseconds.
    fn microseconds(&self) -> [f64; 2] {
        let mut times = self.times.clone();
        times.sort_unstable();
        [0, times.len() / 2].map(|place| {
            let time = times.get(place).copied().unwrap_or_default();
            time.as_secs_f64() * 1e6
        })
    }
}

/// As told by the best of a few runs.
fn write_costliest(attacker: &Attacker, directory: &Path) -> Result<(), Box<dyn Error>> {
    const FEW: usize = 5;
    let mut costliest: Option<Case> = None;
    for attack in Attack::ALL {
        let mut case = Case::new(attacker.largest(attack)?)?;
        (0..FEW).for_each(|_| case.run());
        if costliest
            .as_ref()
            .is_none_or(|other| other.microseconds()[0] < case.microseconds()[0])
        {
            costliest = Some(case);
        }
    }
    let costliest = costliest.ok_or("there are attacks")?;
    fs::create_dir_all(directory)?;
    fs::write(directory.join("costliest"), &costliest.authorization)?;
    fs::write(directory.join("anchors"), &costliest.hostile.anchors)?;
    let [best, _] = costliest.microseconds();
    println!("{:?} takes {best:.0} µs", costliest.hostile.attack);
    Ok(())
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let attacker = Attacker::new()?;
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if_eq("--write").is_some() {
        let directory = arguments
            .next()
            .ok_or("a directory to write to is needed")?;
        write_costliest(&attacker, Path::new(&directory))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(wanted) = arguments.next() {
        let attack = [Attack::Ordinary]
            .into_iter()
            .chain(Attack::ALL)
            .find(|attack| format!("{attack:?}") == wanted)
            .ok_or("no such attack")?;
        for amount in arguments {
            let hostile = attacker.attempt(attack, amount.parse()?)?;
            let case = Case::new(hostile.ok_or("that is more than fits")?)?;
            let octets = case.hostile.bundle.len();
            println!("{amount:>5} {octets:6} octets {}", case.verdict());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let ordinary = attacker.attempt(Attack::Ordinary, 1)?;
    let mut ordinary = Case::new(ordinary.ok_or("an ordinary bundle fits")?)?;
    let mut cases = Attack::ALL
        .into_iter()
        .map(|attack| Case::new(attacker.largest(attack)?))
        .collect::<Result<Vec<_>, _>>()?;
    for _ in 0..RUNS {
        ordinary.run();
        cases.iter_mut().for_each(Case::run);
    }
    let usual = ordinary.microseconds();
    let mut costliest = 0.0_f64;
    println!(
        "{:38}    best  ratio  median  ratio  verdict",
        "attack, how much of it, octets"
    );
    for case in [&ordinary].into_iter().chain(&cases) {
        let [best, median] = case.microseconds();
        let [ratio, ratio_of_medians] = [best / usual[0], median / usual[1]];
        costliest = costliest.max(ratio);
        println!(
            "{:22} {:5} {:9} {best:8.1} {ratio:5.2} {median:8.1} {ratio_of_medians:5.2}  {}",
            format!("{:?}", case.hostile.attack),
            case.hostile.amount,
            case.hostile.bundle.len(),
            case.verdict(),
        );
    }
    println!("costliest {costliest:.2}, at most {MAX_RATIO}");
    Ok(if costliest <= MAX_RATIO {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
