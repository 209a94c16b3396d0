//! `cargo xtask`: the project's checks by name, for whoever changes something.
//!
//! `cargo xtask check` needs cargo and nothing else: no root, no network, no servers. `cargo xtask ci` and `cargo xtask
//! nightly` run the steps of `ci.toml`, which take foreign programs or long. All that is asked for runs, and a summary tells
//! what failed.

#![forbid(unsafe_code)]

mod checks;
mod ci;
mod dependencies;
mod dist;
mod msrv;
mod packages;
mod report;
mod table;
mod unsafe_count;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use checks::{CHECKS, Check};
use table::{Gate, Table};

const HELP: &str = "\
Usage: cargo xtask check [NAME]...
       cargo xtask ci [NAME]...
       cargo xtask nightly [NAME]...
       cargo xtask dist [--out DIR] [--program FILE] [--allow-dirty] [--sign ARGUMENT...]
       cargo xtask list
       cargo xtask unsafe-count SET...

check    runs the checks of those names, or all of them, and sums up. Run it
         before you push: it needs no root, no network and no servers.
ci       runs the steps of each push, of those names or all of them, and what
         they need. Some install software on Debian, as root.
nightly  does the same with the nightly steps, and writes what they came to
         into nightly/REPORT.md.
dist     makes what is released: a static program, a Debian package, an
         archive, a container image, a Helm chart, a bill of materials and
         SHA256SUMS, in DIR or target/releases/VERSION. What stands behind
         --sign is for `kliento signature create`. With --program it packs
         that program, to try the packaging with.
list     shows all names.
unsafe-count
         prints a table of `unsafe` code in the sources of what is built for
         those sets of xtask/dependency-budget.toml. docs/unsafe-review.md says
         what counts.

A step that fails stops those that need it and no others.

Examples:
  cargo xtask check
  cargo xtask check format lints
  cargo xtask ci openssl
  cargo xtask unsafe-count kliento kliento-ring
  cargo xtask dist --sign --key release.pem --member-id-bundle release.member-id

Exit status: 0 all passed, 1 some failed, 2 wrong usage.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let are_names = |names: &[&str]| !names.iter().any(|name| name.starts_with('-'));
    match words.as_slice() {
        ["check", names @ ..] if are_names(names) => check(names),
        ["ci", names @ ..] if are_names(names) => {
            with_table(|table| steps(table, Gate::Push, names))
        }
        ["nightly", names @ ..] if are_names(names) => {
            with_table(|table| steps(table, Gate::Nightly, names))
        }
        ["dist", arguments @ ..] => match dist::run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                eprintln!("error: {problem}");
                ExitCode::FAILURE
            }
        },
        ["list"] => with_table(list),
        ["unsafe-count", sets @ ..] if !sets.is_empty() && are_names(sets) => unsafe_count(sets),
        ["--help" | "-h" | "help"] => {
            println!("{HELP}\n");
            with_table(list)
        }
        _ => {
            eprintln!("{HELP}");
            ExitCode::from(2)
        }
    }
}

fn with_table(run: impl FnOnce(&Table) -> ExitCode) -> ExitCode {
    match Table::parse(ci::TABLE) {
        Ok(table) => run(&table),
        Err(problem) => {
            eprintln!("error: xtask/ci.toml: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn list(table: &Table) -> ExitCode {
    println!("Checks:");
    for check in CHECKS {
        println!("  {:<20} {}", check.name, check.about);
    }
    for (gate, heading) in [
        (Gate::Push, "Steps of each push:"),
        (Gate::Nightly, "Nightly steps:"),
    ] {
        println!("\n{heading}");
        for step in table.of_gate(gate) {
            println!("  {:<20} {}", step.name, step.about);
            for (what, text) in [("takes", &step.takes), ("nightly:", &step.why)] {
                if let Some(text) = text {
                    println!("  {:<20} {what} {text}", "");
                }
            }
        }
    }
    ExitCode::SUCCESS
}

fn unsafe_count(sets: &[&str]) -> ExitCode {
    let packages = dependencies::packages_of(sets);
    match packages.and_then(|packages| unsafe_count::print(&packages)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn steps(table: &Table, gate: Gate, names: &[&str]) -> ExitCode {
    let outcomes = match ci::run(table, gate, names) {
        Ok(outcomes) => outcomes,
        Err(problem) => {
            eprintln!("error: {problem}\nhint: `cargo xtask list` says what they are");
            return ExitCode::from(2);
        }
    };
    let mut all_well = ci::all_passed(&outcomes);
    if gate == Gate::Nightly {
        match report::write(table, &outcomes) {
            Ok(()) => println!("\nwrote {}", report::PATH),
            Err(problem) => {
                eprintln!("error: {problem}");
                all_well = false;
            }
        }
    }
    if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
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
            None => write!(formatter, "ok      {name:<12} {seconds:>4} s"),
            Some(problem) => write!(formatter, "FAILED  {name:<12} {seconds:>4} s  {problem}"),
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
