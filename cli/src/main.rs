//! The `kliento` command: everything that an organisation, a member and a server need, on files.
//!
//! Each command is a module of [`commands`]; what they share is beside it. Reading arguments is clap's work, and what
//! the arguments mean is said in their types, so that a command starts with values that make sense.

#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod duration;
mod fault;
mod input;
mod inspection;
mod output;
mod runtime;
mod timeline;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = commands::Kliento::parse();
    let output = output::Output::new(arguments.json);
    match arguments.command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => fault.report(&output),
    }
}
