//! The `kliento` command: everything that an organisation, a member and a server need, on files.
//!
//! Each command is a module of [`commands`]; what they share is beside it. Reading arguments is clap's work, and what
//! the arguments mean is said in their types, so that a command starts with values that make sense.

#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod destination;
mod doctor;
mod document;
mod duration;
mod fault;
mod hints;
mod input;
mod inspection;
mod json;
mod output;
mod private_key;
mod runtime;
#[cfg(unix)]
mod serve;
mod terminal;
mod timeline;
mod version;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue};

fn main() -> ExitCode {
    let arguments = match commands::Kliento::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return tell(&abridged(error)),
    };
    let output = output::Output::new(arguments.json);
    match arguments.command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => output.report(&fault),
    }
}

/// Prints help, the version, or what is wrong with the arguments.
fn tell(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        error.exit();
    }
    let printed = output::check_stdout().and_then(|()| {
        error
            .print()
            .and_then(|()| io::stdout().flush())
            .map_err(|error| fault::error_on_stdout(&error))
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => output::Output::new(false).report(&fault),
    }
}

/// The error without the tokens in it, which land there when the space in `Kliento MII…` is not quoted, and safe for a
/// terminal.
fn abridged(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(argument)) = error.get(kind) {
            let shown = fault::Abridged(argument).to_string();
            let shown = terminal::Printable(&shown).to_string();
            error.insert(kind, ContextValue::String(shown));
        }
    }
    error
}
