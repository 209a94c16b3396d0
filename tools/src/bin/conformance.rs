//! The runner of the conformance cases for this project: reads one input a line, as JSON, and prints one verdict a line.
//! `conformance/README.md` describes both.

use std::io::{self, BufRead as _, Write as _};

use kliento_conformance::judge;
use serde_json::json;

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let verdict = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|input| judge(&input))
            .unwrap_or_else(|error| json!({"verdict": "error", "error": error.to_string()}));
        writeln!(output, "{verdict}")?;
        output.flush()?;
    }
    Ok(())
}
