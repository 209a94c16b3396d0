//! The output of commands: text or one JSON document on stdout, the rest on stderr.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;

use crate::fault::{self, Ending, Fault};
use crate::terminal::{BAD, GOOD, Printable, progress, write_json};

/// The form in which results are printed.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// The result, in the one form or the other.
    pub(crate) fn result(
        &self,
        document: &impl Serialize,
        text: &impl fmt::Display,
    ) -> Result<(), Fault> {
        if self.json {
            return json(document);
        }
        let mut stdout = anstream::stdout().lock();
        write!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .map_err(|error| fault::error_on_stdout(&error))
    }

    /// A result that is what the command is for, and no report on it: somebody must be there to take it.
    pub(crate) fn product(
        &self,
        document: &impl Serialize,
        text: &impl fmt::Display,
    ) -> Result<(), Fault> {
        check_stdout()?;
        self.result(document, text).map_err(Fault::undelivered)
    }

    /// Prints a fault where it belongs, and gives the exit status.
    pub(crate) fn report(&self, fault: &Fault) -> ExitCode {
        match fault.ending() {
            Ending::Quiet { status } => ExitCode::from(status),
            Ending::Failure { reason } => {
                explain(fault, "error", reason);
                ExitCode::from(2)
            }
            Ending::Verdict(verdict) if self.json => match json(&verdict) {
                Err(unwritten) if !unwritten.is_broken_pipe() => {
                    explain(&unwritten, "error", None);
                    ExitCode::from(2)
                }
                _ => ExitCode::from(1),
            },
            Ending::Verdict(verdict) => {
                explain(fault, verdict.status, verdict.reason);
                ExitCode::from(1)
            }
        }
    }
}

/// `invalid: what is wrong (reason)` and `hint: what would do`, on stderr.
fn explain(fault: &Fault, label: &str, reason: Option<&str>) {
    for message in fault.messages() {
        let message = Printable(message);
        progress(format_args!("{BAD}{label}:{BAD:#} {message}"));
    }
    if let Some(reason) = reason {
        progress(format_args!("reason: {reason}"));
    }
    if let Some(hint) = fault.hint_text() {
        let hint = Printable(hint);
        progress(format_args!("{GOOD}hint:{GOOD:#} {hint}"));
    }
}

/// Refuses a standard output that was closed when the process was started: what is made for it would be lost.
///
/// Rust's runtime puts /dev/null in the place of a descriptor that is closed, open for reading and writing, so that no
/// other file gets its number. A shell opens it for writing alone for `>/dev/null`.
#[cfg(unix)]
pub(crate) fn check_stdout() -> Result<(), Fault> {
    use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, stat};
    let stdout = io::stdout();
    let is_closed = || -> rustix::io::Result<bool> {
        let present = fstat(&stdout)?;
        if FileType::from_raw_mode(present.st_mode) != FileType::CharacterDevice {
            return Ok(false);
        }
        let is_null = present.st_rdev == stat("/dev/null")?.st_rdev;
        Ok(is_null && fcntl_getfl(&stdout)? & OFlags::RWMODE == OFlags::RDWR)
    };
    // Where it can't even be looked at, it can't be written to.
    if is_closed().unwrap_or(true) {
        return Err(Fault::failure(
            "standard output is closed, or is /dev/null opened for reading as well as writing",
        )
        .hint("redirect it to a file, or give a file with --out; to discard it, use >/dev/null"));
    }
    Ok(())
}

/// Elsewhere writing fails by itself.
#[cfg(not(unix))]
pub(crate) fn check_stdout() -> Result<(), Fault> {
    Ok(())
}

/// One JSON document and a line feed, on stdout.
pub(crate) fn json(document: &impl Serialize) -> Result<(), Fault> {
    let mut stdout = io::stdout().lock();
    write_json(&mut stdout, document)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush())
        .map_err(|error| fault::error_on_stdout(&error))
}
