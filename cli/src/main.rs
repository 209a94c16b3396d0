//! The `kliento` command, all of which is in the library of this package.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    kliento_cli::run()
}
