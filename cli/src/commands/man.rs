//! `kliento man`: one page for each command, from the same definitions as the help.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use serde::Serialize;

use crate::destination::{Content, Destination};
use crate::fault::Fault;
use crate::output::Output;
use crate::terminal::Printable;

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  kliento man ~/.local/share/man/man1")]
pub(crate) struct Arguments {
    /// The directory to write to; it is made if it isn't there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

#[derive(Serialize)]
struct Written {
    files: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Fault> {
        fs::create_dir_all(&self.directory)
            .map_err(|error| Fault::io("write", &self.directory, &error))?;
        let mut root = super::Kliento::command();
        root.build();
        let mut written = Written { files: Vec::new() };
        self.write_pages(&root, &mut written)?;
        let text = format!(
            "{} pages in {}\n",
            written.files.len(),
            Printable(&self.directory.to_string_lossy())
        );
        output.result(&written, &text)
    }

    /// The page of `command` and those of the commands below it.
    fn write_pages(&self, command: &clap::Command, written: &mut Written) -> Result<(), Fault> {
        let page = clap_mangen::Man::new(command.clone());
        let path = self.directory.join(page.get_filename());
        let mut roff = Vec::new();
        page.render(&mut roff)
            .map_err(|error| Fault::io("write", &path, &error))?;
        written.files.push(path.display().to_string());
        Destination::File(path).write(&roff, Content::PublicText)?;
        command
            .get_subcommands()
            .filter(|subcommand| !subcommand.is_hide_set() && subcommand.get_name() != "help")
            .try_for_each(|subcommand| self.write_pages(subcommand, written))
    }
}
