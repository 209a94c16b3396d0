//! Holds this crate's verdicts against those of other people's validators, on worlds made for it.
//!
//! ```text
//! differential [--worlds COUNT] [--seed SEED] [--jobs JOBS] [--fault NAME]... [--world NUMBER]
//! ```
//!
//! A world is a signed DNS tree with up to three faults ([`faults`]), made from the seed and its number ([`worlds`]). It
//! is served on loopback ([`serve`]) to `unbound-host` and `delv` ([`peers`]) and in memory to hickory ([`hickory`]), and
//! this crate is given the very same responses as a chain ([`ours`]). Where the verdicts differ, one of the known
//! differences ([`differences`]) has to say why; if none does, the program says what happened and fails. `--fault` puts
//! these faults into every world, and `--world` shows one world at length.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for developers: a mistake in it should stop it"
)]

mod compare;
mod differences;
mod faults;
mod hickory;
mod nsec;
mod ours;
mod peers;
mod plan;
mod random;
mod scene;
mod serve;
mod target;
mod verdict;
mod wire;
mod worlds;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use compare::{Judges, Report};
use faults::{FAULTS, Fault};

/// What is asked of a run.
struct Options {
    worlds: u64,
    seed: u64,
    world: Option<u64>,
    jobs: usize,
    faults: Option<Vec<Fault>>,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            worlds: 2_000,
            seed: 1,
            world: None,
            jobs: 2 * thread::available_parallelism().map_or(1, usize::from),
            faults: None,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            let number = || {
                let number = value.parse::<u64>();
                number.map_err(|_| format!("{argument} wants a number"))
            };
            match argument.as_str() {
                "--worlds" => options.worlds = number()?,
                "--seed" => options.seed = number()?,
                "--world" => options.world = Some(number()?),
                "--jobs" => options.jobs = usize::try_from(number()?).unwrap_or(1).max(1),
                "--fault" => {
                    let mut known = FAULTS.iter().filter(|(name, _)| *name == value);
                    let fault = known.next().ok_or_else(|| format!("{value} is no fault"))?;
                    options.faults.get_or_insert_default().push(*fault);
                }
                _ => return Err(format!("{argument} is no option")),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    let directory = std::env::temp_dir().join(format!("differential-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let outcome = match options.world {
        Some(number) => show(&options, number, &directory),
        None => run(&options, &directory),
    };
    std::fs::remove_dir_all(&directory)?;
    outcome
}

/// One world, and what everybody says of it.
fn show(options: &Options, number: u64, directory: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut judges = Judges::start(directory)?;
    let scene = Arc::new(worlds::generate(
        options.seed,
        number,
        options.faults.as_deref(),
    ));
    print!("{}", judges.show(&scene)?);
    Ok(ExitCode::SUCCESS)
}

fn run(options: &Options, directory: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let started = Instant::now();
    let next = AtomicU64::new(0);
    let report = Mutex::new(Report::default());
    let work = || -> std::io::Result<()> {
        let mut judges = Judges::start(directory)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= options.worlds {
                return Ok(());
            }
            let scene = Arc::new(worlds::generate(
                options.seed,
                number,
                options.faults.as_deref(),
            ));
            let comparisons = judges.compare(&scene)?;
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            for line in report.enter(&scene, &comparisons) {
                println!("{line}");
            }
        }
    };
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| "a worker panicked")??;
        }
        Ok(())
    })?;
    let report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{report}");
    println!(
        "{} worlds of seed {} in {} s",
        options.worlds,
        options.seed,
        started.elapsed().as_secs()
    );
    let (passed, failed) = report.passed_and_failed();
    println!("\n{passed} passed, {failed} failed");
    Ok(if report.is_explained() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
