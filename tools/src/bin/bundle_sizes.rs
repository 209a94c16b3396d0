//! Prints the tables of `kliento/src/sizes.md`, for which it makes real bundles.
//!
//! `cargo run --release -p kliento-tools --bin bundle_sizes`; with `-- --check kliento/src/sizes.md` it fails if those are
//! not what it would print.

use std::error::Error;
use std::{env, fs};

use kliento_tools::bundle_sizes::tables;

fn main() -> Result<(), Box<dyn Error>> {
    let tables = tables()?;
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => print!("{tables}"),
        ["--check", path] => {
            if !fs::read_to_string(path)?.ends_with(&tables) {
                print!("{tables}");
                return Err(format!("{path} does not end with what stands above").into());
            }
        }
        _ => return Err("nothing, or --check and a file, is what may be given".into()),
    }
    Ok(())
}
