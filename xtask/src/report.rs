//! The committed page that says what nightly steps came to, and of which commit.

use std::collections::BTreeMap;
use std::process::Command;

use crate::checks::root;
use crate::ci::Outcome;
use crate::table::{Gate, Table};

/// Relative to the root of the repository.
pub(crate) const PATH: &str = "nightly/REPORT.md";

const HEAD: &str = "\
# What nightly steps came to

`cargo xtask nightly` writes this page; `xtask/ci.toml` has the steps, and why they do not run at each push. Each row is of
the commit and the day that it names, in UTC: a run of some steps leaves the other rows as they were.

| step | result | seconds | commit | day | last line |
|---|---|--:|---|---|---|
";

/// Writes the page anew, with the rows of these outcomes in place of what it had of their steps.
pub(crate) fn write(table: &Table, outcomes: &[Outcome<'_>]) -> Result<(), String> {
    let path = root().join(PATH);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let commit = first_line_of("git", &["describe", "--always", "--dirty", "--abbrev=12"])?;
    let day = first_line_of("date", &["--utc", "+%F"])?;
    let page = page(table, &old, outcomes, &commit, &day);
    let cannot = |error| format!("cannot write {PATH}: {error}");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    std::fs::write(&path, page).map_err(cannot)
}

fn page(table: &Table, old: &str, outcomes: &[Outcome<'_>], commit: &str, day: &str) -> String {
    let mut rows: BTreeMap<&str, String> = old
        .lines()
        .filter_map(|line| Some((step_of(line)?, format!("{line}\n"))))
        .collect();
    for outcome in outcomes {
        let name = outcome.step.name.as_str();
        let row = format!(
            "| `{name}` | {} | {:.0} | {commit} | {day} | {} |\n",
            outcome.verdict,
            outcome.time.as_secs_f64(),
            cell(&outcome.last_line),
        );
        rows.insert(name, row);
    }
    let rows = table
        .of_gate(Gate::Nightly)
        .filter_map(|step| rows.remove(step.name.as_str()));
    std::iter::once(HEAD.to_owned()).chain(rows).collect()
}

/// The step that a row is about.
fn step_of(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("| `")?.split_once('`')?;
    Some(name)
}

/// A text that neither ends its cell nor means anything in Markdown.
fn cell(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text: String = text
        .chars()
        .map(|character| match character {
            '`' => '\'',
            character if character.is_control() => ' ',
            character => character,
        })
        .collect();
    format!("`{}`", text.replace('|', "\\|"))
}

fn first_line_of(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        reason = "that is how tests fail"
    )]

    use std::time::Duration;

    use super::*;
    use crate::ci::Verdict;

    #[test]
    fn rows_are_replaced_by_steps_that_ran_and_no_others() {
        let step = |name: &str, gate: &str| {
            format!(
                "[[step]]\nname = '{name}'\nabout = ''\n{gate}\nminutes = 1\ncommand = 'true'\n"
            )
        };
        let text = [
            step("built", "gate = 'push'"),
            step("a", "gate = 'nightly'\nwhy = 'slow'"),
            step("b", "gate = 'nightly'\nwhy = 'slow'"),
        ]
        .concat();
        let table = Table::parse(&text).unwrap();
        let outcome = |index: usize, verdict, last_line: &str| Outcome {
            step: &table.steps[index],
            verdict,
            time: Duration::from_millis(61_400),
            last_line: last_line.to_owned(),
        };
        let first = page(
            &table,
            "",
            &[
                outcome(0, Verdict::Passed, ""),
                outcome(1, Verdict::Passed, "3 passed | 0 `failed`"),
                outcome(2, Verdict::Failed("status".into()), ""),
            ],
            "c1",
            "2026-11-30",
        );
        let rows = "| `a` | ok | 61 | c1 | 2026-11-30 | `3 passed \\| 0 'failed'` |\n\
                    | `b` | FAILED: status | 61 | c1 | 2026-11-30 |  |\n";
        assert_eq!(first, format!("{HEAD}{rows}"));

        // What is no step any more leaves.
        let old = first + "| `gone` | ok | 1 | c0 | 2026-11-29 |  |\n";
        let second = page(
            &table,
            &old,
            &[outcome(2, Verdict::Passed, "done")],
            "c2",
            "2026-12-01",
        );
        let rows = "| `a` | ok | 61 | c1 | 2026-11-30 | `3 passed \\| 0 'failed'` |\n\
                    | `b` | ok | 61 | c2 | 2026-12-01 | `done` |\n";
        assert_eq!(second, format!("{HEAD}{rows}"));
    }
}
