//! `cargo xtask`: the project's checks by name, for whoever changes something.
//!
//! `cargo xtask check` needs cargo and nothing else: no root, no network, no servers. All checks run, and a summary tells
//! which failed. What needs foreign programs or takes long is in `.ci/run`.

#![forbid(unsafe_code)]

mod checks;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use checks::{CHECKS, Check};

const HELP: &str = "\
Usage: cargo xtask check [NAME]...
       cargo xtask list

Runs the checks of those names, or all of them, and sums up. Run it before you
push: it needs no root, no network and no servers.

Examples:
  cargo xtask check
  cargo xtask check format lints

Exit status: 0 all passed, 1 some failed, 2 wrong usage.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check", names @ ..] if !names.iter().any(|name| name.starts_with('-')) => check(names),
        ["list"] => {
            list();
            ExitCode::SUCCESS
        }
        ["--help" | "-h" | "help"] => {
            println!("{HELP}\n");
            list();
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{HELP}");
            ExitCode::from(2)
        }
    }
}

fn list() {
    println!("Checks:");
    for check in CHECKS {
        println!("  {:<10} {}", check.name, check.about);
    }
}

fn check(names: &[&str]) -> ExitCode {
    let unknown = names
        .iter()
        .find(|name| CHECKS.iter().all(|check| check.name != **name));
    if let Some(unknown) = unknown {
        eprintln!("error: there is no check {unknown:?}\nhint: `cargo xtask list` shows them all");
        return ExitCode::from(2);
    }
    let wanted = |check: &&Check| names.is_empty() || names.contains(&check.name);
    let outcomes: Vec<Outcome> = CHECKS.iter().filter(wanted).map(run).collect();
    println!();
    for outcome in &outcomes {
        println!("{outcome}");
    }
    if outcomes.iter().all(|outcome| outcome.problem.is_none()) {
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// What a check came to.
struct Outcome {
    name: &'static str,
    time: Duration,
    problem: Option<String>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            name,
            time,
            problem,
        } = self;
        let seconds = time.as_secs();
        match problem {
            None => write!(formatter, "ok      {name:<10} {seconds:>4} s"),
            Some(problem) => write!(formatter, "FAILED  {name:<10} {seconds:>4} s  {problem}"),
        }
    }
}

fn run(check: &Check) -> Outcome {
    println!("\n== {}", check.about);
    let start = Instant::now();
    let problem = (check.run)().err();
    if let Some(problem) = &problem {
        eprintln!("{problem}");
    }
    Outcome {
        name: check.name,
        time: start.elapsed(),
        problem,
    }
}
