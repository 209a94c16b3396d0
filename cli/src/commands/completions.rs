//! `kliento completions`: from the same definitions as the help.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::fault::{self, Fault};
use crate::output;

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  kliento completions bash > ~/.local/share/bash-completion/completions/kliento")]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<(), Fault> {
        output::check_stdout()?;
        let mut script = Vec::new();
        let mut command = super::Kliento::command();
        clap_complete::generate(self.shell, &mut command, "kliento", &mut script);
        io::stdout()
            .write_all(&script)
            .map_err(|error| fault::error_on_stdout(&error))
    }
}
