//! Runs steps of the table, one after the other, and sums up.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::checks::root;
use crate::table::{Gate, Step, Table};

pub(crate) const TABLE: &str = include_str!("../ci.toml");

/// What a step came to.
#[derive(Debug)]
pub(crate) struct Outcome<'t> {
    pub(crate) step: &'t Step,
    pub(crate) verdict: Verdict,
    pub(crate) time: Duration,
    /// The last line that it printed, without the line feed.
    pub(crate) last_line: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// With the exit status.
    Failed(String),
    /// The step that it needs and that did not pass.
    NotRun(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => formatter.write_str("ok"),
            Self::Failed(status) => write!(formatter, "FAILED: {status}"),
            Self::NotRun(need) => write!(formatter, "not run: needs {need}"),
        }
    }
}

impl Outcome<'_> {
    fn is_over_budget(&self) -> bool {
        self.time.as_secs_f64() > self.step.minutes * 60.0
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            verdict,
            time,
            ..
        } = self;
        write!(
            formatter,
            "{:<20} {:>5.0} s {:>5.0} s  {verdict}",
            step.name,
            time.as_secs_f64(),
            step.minutes * 60.0,
        )?;
        if self.is_over_budget() {
            formatter.write_str(" (over budget)")?;
        }
        Ok(())
    }
}

/// Runs the steps of those names, or all of the gate; an error is about what was asked for.
pub(crate) fn run<'t>(
    table: &'t Table,
    gate: Gate,
    names: &[&str],
) -> Result<Vec<Outcome<'t>>, String> {
    let plan = table.plan(gate, names)?;
    let mut environment = table.env.clone();
    let release = target().join("release");
    environment.insert("RELEASE".into(), release.to_string_lossy().into_owned());
    environment.insert("CARGO_TERM_COLOR".into(), "never".into());
    let outcomes = run_all(&plan, |step| execute(step, &environment));
    println!("\n{:<20} {:>7} {:>7}", "step", "took", "budget");
    for outcome in &outcomes {
        println!("{outcome}");
    }
    Ok(outcomes)
}

pub(crate) fn all_passed(outcomes: &[Outcome<'_>]) -> bool {
    outcomes
        .iter()
        .all(|outcome| outcome.verdict == Verdict::Passed)
}

/// A step that fails stops none but those that need it.
fn run_all<'t>(
    plan: &[&'t Step],
    mut execute: impl FnMut(&Step) -> (Result<(), String>, String),
) -> Vec<Outcome<'t>> {
    let mut outcomes: Vec<Outcome<'t>> = Vec::new();
    for &step in plan {
        let missing = step.needs.iter().find(|need| {
            !outcomes
                .iter()
                .any(|outcome| outcome.step.name == **need && outcome.verdict == Verdict::Passed)
        });
        let start = Instant::now();
        let (verdict, last_line) = match missing {
            Some(need) => (Verdict::NotRun(need.clone()), String::new()),
            None => match execute(step) {
                (Ok(()), last_line) => (Verdict::Passed, last_line),
                (Err(status), last_line) => (Verdict::Failed(status), last_line),
            },
        };
        outcomes.push(Outcome {
            step,
            verdict,
            time: start.elapsed(),
            last_line,
        });
    }
    outcomes
}

/// Runs a step under its name and the time; returns how it ended and the last line that it printed.
fn execute(step: &Step, environment: &BTreeMap<String, String>) -> (Result<(), String>, String) {
    println!("\n== {} ({}): {}", step.name, clock(), step.about);
    let mut last_line = LastLine::default();
    let result = stream(&step.command, environment, &mut last_line);
    if let Err(problem) = &result {
        println!("{}: {problem}", step.name);
    }
    (result, last_line.text())
}

/// Runs a script and hands on what it prints as it comes.
fn stream(
    script: &str,
    environment: &BTreeMap<String, String>,
    last_line: &mut LastLine,
) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot run bash: {error}");
    let mut child = Command::new("bash")
        // Both in one pipe, in the order in which they are written.
        .args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{script}")])
        .envs(environment)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    let shown = child
        .stdout
        .take()
        .map_or(Ok(()), |output| show(output, last_line));
    let status = child.wait().map_err(cannot)?;
    shown.map_err(|error| format!("cannot hand on what it prints: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(status.to_string())
}

/// Hands on octets to the terminal.
fn show(mut output: impl io::Read, last_line: &mut LastLine) -> io::Result<()> {
    let mut terminal = io::stdout().lock();
    let mut buffer = [0; 8_192];
    loop {
        let octets = match output.read(&mut buffer) {
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if octets.is_empty() {
            return Ok(());
        }
        last_line.read(octets);
        terminal.write_all(octets)?;
        terminal.flush()?;
    }
}

/// The last line with anything in it, of octets that come in pieces.
#[derive(Default)]
struct LastLine {
    complete: Vec<u8>,
    begun: Vec<u8>,
}

impl LastLine {
    fn read(&mut self, octets: &[u8]) {
        for &octet in octets {
            if octet != b'\n' {
                self.begun.push(octet);
            } else if !self.begun.trim_ascii().is_empty() {
                self.complete = std::mem::take(&mut self.begun);
            } else {
                self.begun.clear();
            }
        }
    }

    fn text(&self) -> String {
        let line = match self.begun.trim_ascii() {
            [] => self.complete.trim_ascii(),
            begun => begun,
        };
        String::from_utf8_lossy(line).into_owned()
    }
}

/// The time of the day, in UTC.
fn clock() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |now| now.as_secs()) % 86_400;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root().join(set.as_deref().unwrap_or(Path::new("target")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "that is how tests fail")]

    use super::*;

    fn table() -> Table {
        let step = |name: &str, needs: &str| {
            format!(
                "[[step]]\nname = '{name}'\nabout = ''\ngate = 'push'\nminutes = 1\n\
                 command = 'echo {name}'\nneeds = [{needs}]\n"
            )
        };
        let steps = [
            step("a", ""),
            step("b", "'a'"),
            step("c", "'b'"),
            step("d", ""),
        ];
        Table::parse(&steps.concat()).unwrap()
    }

    fn verdicts(failing: &str) -> Vec<String> {
        let table = table();
        let plan = table.plan(Gate::Push, &[]).unwrap();
        let outcomes = run_all(&plan, |step| {
            let result = if step.name == failing {
                Err("status".to_owned())
            } else {
                Ok(())
            };
            (result, String::new())
        });
        assert_eq!(all_passed(&outcomes), failing.is_empty());
        outcomes
            .iter()
            .map(|outcome| outcome.verdict.to_string())
            .collect()
    }

    #[test]
    fn a_step_that_fails_stops_those_that_need_it_and_no_others() {
        assert_eq!(verdicts(""), ["ok", "ok", "ok", "ok"]);
        assert_eq!(
            verdicts("a"),
            [
                "FAILED: status",
                "not run: needs a",
                "not run: needs b",
                "ok"
            ]
        );
        assert_eq!(
            verdicts("b"),
            ["ok", "FAILED: status", "not run: needs b", "ok"]
        );
        assert_eq!(verdicts("d"), ["ok", "ok", "ok", "FAILED: status"]);
    }

    fn last_line_of(script: &str) -> (bool, String) {
        let mut last_line = LastLine::default();
        let environment = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
        let result = stream(script, &environment, &mut last_line);
        (result.is_ok(), last_line.text())
    }

    #[test]
    fn a_script_ends_as_its_status_says_and_its_last_line_is_kept() {
        for (script, passes, last_line) in [
            ("echo one; echo two", true, "two"),
            ("echo one; printf '\\n \\n'", true, "one"),
            ("printf 'one\\ntwo'", true, "two"),
            ("echo $GREETING >&2", true, "hello"),
            ("echo one; exit 3", false, "one"),
            // As `-e`, `-u` and `pipefail` have it.
            ("echo one; false; echo two", false, "one"),
            ("echo one; false | true; echo two", false, "one"),
            ("true", true, ""),
        ] {
            assert_eq!(
                last_line_of(script),
                (passes, last_line.to_owned()),
                "{script}"
            );
        }
        let (passes, last_line) = last_line_of("echo one; echo $NOT_SET");
        assert!(!passes && last_line.contains("NOT_SET"), "{last_line}");
    }
}
