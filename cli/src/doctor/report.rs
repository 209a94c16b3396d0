//! The report of an examination, for people and for programs.

use std::fmt;

use anstyle::Style;
use serde::Serialize;

use super::Subject;
use super::finding::{Area, Finding, Severity};
use super::size::{BundleSizes, ChainSize};
use super::words::count;
use crate::terminal::{BAD, COMMAND, FAINT, GOOD, ODD, Printable, STRONG};

/// Columns of a terminal that is as narrow as they come.
const COLUMNS: usize = 80;
const MARK_COLUMNS: usize = 4;
const ADVICE_COLUMNS: usize = 6;

/// The outcome of an examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Nothing is wrong. There may be notes and warnings.
    Good,
    /// Something is.
    Problems,
    /// Nobody answered, so nothing is known.
    Unknown,
}

/// Everything that was found, in the order of the areas.
#[derive(Serialize)]
pub(crate) struct Report {
    status: Status,
    domain: String,
    resolver: String,
    /// The time of the examination.
    at: String,
    findings: Vec<Finding>,
    chain: Option<ChainSize>,
    bundle: Option<BundleSizes>,
    /// The command to run next.
    next: String,
    #[serde(skip)]
    retrieve: String,
    #[serde(skip)]
    check: String,
}

impl Report {
    pub(super) fn new(subject: &Subject, findings: Vec<Finding>) -> Self {
        let report = Self {
            status: Status::Good,
            domain: subject.domain.to_string(),
            resolver: subject.resolver.to_string(),
            at: subject.now.to_string(),
            findings: Vec::new(),
            chain: None,
            bundle: None,
            next: String::new(),
            retrieve: subject.commands.retrieve.clone(),
            check: subject.commands.check.clone(),
        };
        report.with(findings)
    }

    /// The same with more findings.
    pub(super) fn with(mut self, findings: Vec<Finding>) -> Self {
        self.findings.extend(findings);
        self.findings.sort_by_key(Finding::area);
        if self.findings.iter().any(Finding::is_problem) {
            self.status = Status::Problems;
        }
        self.next = self.next_command();
        self
    }

    /// The same for a domain that could not be examined.
    pub(super) fn unexamined(mut self) -> Self {
        self.status = Status::Unknown;
        self.next = self.next_command();
        self
    }

    pub(super) fn sized(mut self, chain: ChainSize, bundle: BundleSizes) -> Self {
        self.chain = Some(chain);
        self.bundle = Some(bundle);
        self
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    pub(super) fn has_problems(&self) -> bool {
        self.status != Status::Good
    }

    fn next_command(&self) -> String {
        match self.status {
            Status::Good => self.retrieve.clone(),
            Status::Problems | Status::Unknown => self.check.clone(),
        }
    }

    fn number_of(&self, severity: Severity) -> usize {
        let found = self.findings.iter();
        found.filter(|finding| finding.severity == severity).count()
    }

    /// The outcome in a line.
    fn verdict(&self) -> String {
        let problems = count(self.number_of(Severity::Problem), "problem", "problems");
        let warnings = match self.number_of(Severity::Warning) {
            0 => String::new(),
            number => format!(" and {}", count(number, "warning", "warnings")),
        };
        let domain = &self.domain;
        match self.status {
            Status::Good if warnings.is_empty() => {
                format!("Nothing is wrong with {domain}.")
            }
            Status::Good => format!("{domain} works, with{}.", &warnings[" and".len()..]),
            Status::Problems => format!("{domain} has {problems}{warnings}."),
            Status::Unknown => format!("Could not examine {domain}."),
        }
    }
}

/// A mark by which the eye finds what matters.
fn mark(severity: Severity) -> (char, Style) {
    match severity {
        Severity::Good => ('✓', GOOD),
        Severity::Note => ('·', FAINT),
        Severity::Warning => ('!', ODD),
        Severity::Problem => ('✗', BAD),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{STRONG}{}{STRONG:#}", Printable(&self.domain))?;
        for area in Area::ALL {
            let mut findings = self
                .findings
                .iter()
                .filter(|finding| finding.area() == area)
                .peekable();
            if findings.peek().is_some() {
                writeln!(formatter, "\n{STRONG}{area}{STRONG:#}")?;
            }
            for finding in findings {
                write_finding(formatter, finding)?;
            }
        }
        let style = match self.status {
            Status::Good => GOOD,
            _ => BAD,
        };
        writeln!(
            formatter,
            "\n{style}{}{style:#} {}",
            Printable(&self.verdict()),
            match self.status {
                Status::Good => "Next:",
                Status::Problems if self.number_of(Severity::Problem) == 1 => {
                    "Fix it, then run this again:"
                }
                Status::Problems => "Fix them from the top down, then run this again:",
                Status::Unknown => "Once a resolver answers, run this again:",
            }
        )?;
        writeln!(formatter, "  {COMMAND}{}{COMMAND:#}", Printable(&self.next))
    }
}

fn write_finding(formatter: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let (mark, style) = mark(finding.severity);
    let mut lines = wrapped(&finding.message, COLUMNS - MARK_COLUMNS).into_iter();
    let first = lines.next().unwrap_or_default();
    writeln!(formatter, "  {style}{mark}{style:#} {first}")?;
    for line in lines {
        writeln!(formatter, "{:MARK_COLUMNS$}{line}", "")?;
    }
    if let Some(advice) = &finding.advice {
        let arrow = "→ ";
        let mut lines = wrapped(advice, COLUMNS - ADVICE_COLUMNS).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(formatter, "{:MARK_COLUMNS$}{arrow}{first}", "")?;
        for line in lines {
            writeln!(formatter, "{:ADVICE_COLUMNS$}{line}", "")?;
        }
    }
    for line in &finding.publish {
        writeln!(
            formatter,
            "{:ADVICE_COLUMNS$}{STRONG}{}{STRONG:#}",
            "",
            Printable(line)
        )?;
    }
    Ok(())
}

/// A text in lines of so many columns at most, broken at spaces, and safe for a terminal. A word that is longer has a
/// line of its own.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let safe = Printable(text).to_string();
    let mut lines: Vec<String> = Vec::new();
    for word in safe.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_hold_no_control_characters() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrapped("a\nb \u{1b}[2J", 80), ["a\\u{a}b \\u{1b}[2J"]);
        assert_eq!(wrapped("", 80), [""]);
    }

    #[test]
    fn every_severity_has_a_mark_of_its_own() {
        let marks = [
            Severity::Good,
            Severity::Note,
            Severity::Warning,
            Severity::Problem,
        ]
        .map(|severity| mark(severity).0);
        for (index, one) in marks.iter().enumerate() {
            assert!(!marks[..index].contains(one));
        }
    }
}
