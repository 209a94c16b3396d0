//! Writes the conformance cases into `../cases`, the same octets each time, from fixtures that share
//! no code with the verifiers.
//!
//! ```text
//! cargo run --locked              writes the cases
//! cargo run --locked -- --check   fails if the committed cases are not what it would write
//! cargo run --locked -- --without-ed25519 FOLDER
//!                                 writes the level `dnssec` into a folder, with keys on P-256 in place of Ed25519, for
//!                                 implementations that have no Ed25519
//! ```

mod case;
mod records;
mod seeded;
mod suite;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use kliento_fixture_cases::tables::{self, Cases};
use kliento_fixtures::keep_ledger;

use crate::suite::Suite;

/// Adds the cases of a level.
type Add = fn(&mut dyn Cases);

/// The levels, from the lowest layer to the highest.
const LEVELS: [(&str, Add); 4] = [
    ("dnssec", tables::dnssec::add),
    ("veraid", tables::veraid::add),
    ("domainauth", tables::domain_auth::add),
    ("kliento", tables::kliento::add),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut is_check = false;
    let mut levels = &LEVELS[..];
    let mut folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {}
        ["--check"] => is_check = true,
        ["--without-ed25519", other] => {
            seeded::WITHOUT_ED25519.store(true, Ordering::Relaxed);
            levels = &LEVELS[..1];
            folder = PathBuf::from(other);
        }
        _ => {
            eprintln!("usage: conformance-generator [--check | --without-ed25519 FOLDER]");
            return ExitCode::from(2);
        }
    }
    // From it comes what a chain proves.
    keep_ledger();
    let mut status = ExitCode::SUCCESS;
    for (level, add) in levels {
        let mut suite = Suite::new(level);
        add(&mut suite);
        let path = folder.join(format!("{level}.json"));
        let text = suite.to_json();
        if is_check {
            if std::fs::read_to_string(&path).is_ok_and(|committed| committed == text) {
                println!("ok      {level}: {} cases", suite.len());
            } else {
                println!(
                    "FAILED  {level}: {} is not what is generated",
                    path.display()
                );
                status = ExitCode::FAILURE;
            }
        } else {
            std::fs::write(&path, &text).expect("the folder of the cases can be written");
            println!("{level}: {} cases, {} octets", suite.len(), text.len());
        }
    }
    status
}
