//! Verdicts on random bundles beside those of another implementation, for `interop/reference/run`.
//!
//! usage: `bundle_differential COUNT SEED REPORT RUNNER [ARGUMENT…]`
//!
//! RUNNER is a runner of the conformance cases: `conformance/README.md` describes it. A bundle is a good one of VeraId with
//! random changes, signed after them unless a change is one of octets. Where the verdicts differ, the difference must be of
//! a known class: either the rule that the refusal rests on says who is right, or [`classes`] does. REPORT is written as
//! Markdown. The exit status is 1 if a difference is of no known class.

mod classes;
mod mutate;
mod random;

use std::collections::{BTreeMap, btree_map};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::{env, fs, thread};

use classes::Class;
use kliento_conformance::judge;
use random::Sample;
use serde_json::Value;

/// The samples that are ahead of the runner's verdicts.
const AHEAD: usize = 256;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The number of differences that are of no known class.
fn run() -> Result<usize, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [count, seed, report, runner, runner_arguments @ ..] = arguments.as_slice() else {
        return Err("usage: bundle_differential COUNT SEED REPORT RUNNER [ARGUMENT…]".into());
    };
    let (count, seed): (usize, u64) = (count.parse()?, seed.parse()?);
    let mut child = Command::new(runner)
        .args(runner_arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let output = child.stdout.take().ok_or("no standard output")?;

    let (sender, samples) = mpsc::sync_channel(AHEAD);
    let writer = thread::spawn(move || -> Result<(), String> {
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..count {
            let sample = random::sample(&mut rng);
            let ours = judge(&sample.input).map_err(|error| error.to_string())?;
            writeln!(input, "{}", sample.input).map_err(|error| error.to_string())?;
            if sender.send((sample, ours)).is_err() {
                break;
            }
        }
        Ok(())
    });
    let mut tally = Tally::default();
    for line in BufReader::new(output).lines() {
        let theirs: Value = serde_json::from_str(&line?)?;
        let (sample, ours) = samples.recv()?;
        tally.add(&sample, &ours, &theirs);
    }
    writer.join().map_err(|_| "the maker of samples failed")??;
    if !child.wait()?.success() || tally.samples != count {
        return Err(format!("the runner gave {} of {count} verdicts", tally.samples).into());
    }
    fs::write(report, tally.report(seed))?;
    println!("{}", tally.summary());
    Ok(tally.unknown())
}

/// What a class came to.
struct Differences {
    class: Class,
    count: usize,
    first: String,
}

#[derive(Default)]
struct Tally {
    samples: usize,
    valid_for_both: usize,
    invalid_for_both: usize,
    classes: BTreeMap<String, Differences>,
}

impl Tally {
    fn add(&mut self, sample: &Sample, ours: &Value, theirs: &Value) {
        self.samples += 1;
        let Some(class) = classes::of(ours, theirs) else {
            if classes::is_valid(ours) {
                self.valid_for_both += 1;
            } else {
                self.invalid_for_both += 1;
            }
            return;
        };
        let entry = match self.classes.entry(class.name.clone()) {
            btree_map::Entry::Occupied(entry) => entry.into_mut(),
            btree_map::Entry::Vacant(entry) => {
                if !class.is_known() {
                    println!("FAILED {}: ours {ours}, theirs {theirs}", sample.changes);
                    println!("{}", sample.input);
                }
                entry.insert(Differences {
                    class,
                    count: 0,
                    first: sample.changes.clone(),
                })
            }
        };
        entry.count += 1;
    }

    fn unknown(&self) -> usize {
        let unknown = self
            .classes
            .values()
            .filter(|entry| !entry.class.is_known());
        unknown.map(|entry| entry.count).sum()
    }

    fn summary(&self) -> String {
        let different: usize = self.classes.values().map(|entry| entry.count).sum();
        format!(
            "{} bundles: {} valid for both, {} refused by both, {different} different in {} classes, {} of no known class",
            self.samples,
            self.valid_for_both,
            self.invalid_for_both,
            self.classes.len(),
            self.unknown(),
        )
    }

    fn report(&self, seed: u64) -> String {
        let mut report = format!(
            "# Random bundles, beside the reference implementation\n\n\
             Seed {seed}, {}.\n\n\
             Each difference is of one of these classes. The rule says who is right: it has the specification and section \
             that refuses the bundle, or \"Kliento for Rust\" where the sources leave a choice.\n\n\
             | ours | reference | bundles | rule | why | changes of the first |\n|---|---|--:|---|---|---|\n",
            self.summary()
        );
        for Differences {
            class,
            count,
            first,
        } in self.classes.values()
        {
            let (rule, why) = class.rule.clone().unwrap_or_default();
            let first = first.replace('|', "\\|");
            // Writing to a string does not fail.
            let _ = writeln!(
                report,
                "| {} | {} | {count} | {rule} | {why} | {first} |",
                class.ours, class.theirs
            );
        }
        report
    }
}
