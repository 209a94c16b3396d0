//! The checks that need cargo alone.

use std::path::Path;
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::dependencies;
use crate::msrv;
use crate::packages;

/// A check by its name; an error says in a line what is wrong.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn() -> Result<(), String>,
}

/// In the order of what they cost.
pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "format",
        about: "All code is formatted",
        run: || cargo(&["fmt", "--all", "--check"]),
    },
    Check {
        name: "trees",
        about: "What verifies compiles no runtime, resolver or command line, and `ring` alone no AWS-LC",
        run: trees,
    },
    Check {
        name: "dependencies",
        about: "Builds compile the crates that the dependency budget names, and no others",
        run: dependencies::check,
    },
    Check {
        name: "msrv",
        about: "No dependency needs a newer Rust than ours",
        run: msrv::check,
    },
    Check {
        name: "packages",
        about: "Published packages hold sources, licences and a README, and nothing else",
        run: packages::check,
    },
    Check {
        name: "lints",
        about: "No lint warns",
        run: || {
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ])
        },
    },
    Check {
        name: "features",
        about: "Features of kliento compile by themselves",
        run: features,
    },
    Check {
        name: "docs",
        about: "All links in the documentation lead somewhere",
        run: || {
            run(Command::new(CARGO)
                .args(["doc", "--workspace", "--no-deps", "--locked"])
                .env("RUSTDOCFLAGS", "-D warnings"))
        },
    },
    Check {
        name: "tests",
        about: "All tests pass, as in the README",
        run: || cargo(&["test", "--workspace", "--locked"]),
    },
];

pub(crate) const CARGO: &str = env!("CARGO");

/// Features of `kliento` that servers and clients choose one of.
const FEATURES: [&str; 5] = ["headers", "axum", "tonic", "tracing", "client"];

/// Crates that have no place in a server which only verifies.
const HEAVY: [&str; 10] = [
    "tokio",
    "async-std",
    "smol",
    "hickory-net",
    "hickory-resolver",
    "clap",
    "clap_builder",
    "hyper",
    "axum",
    "rustls",
];

fn features() -> Result<(), String> {
    for feature in FEATURES {
        let features = format!("aws-lc-rs,{feature}");
        check_kliento(&features)?;
    }
    check_kliento("ring")
}

fn check_kliento(features: &str) -> Result<(), String> {
    cargo(&[
        "check",
        "--quiet",
        "--package",
        "kliento",
        "--no-default-features",
        "--features",
        features,
        "--locked",
    ])
}

fn trees() -> Result<(), String> {
    let lean = crates_of("aws-lc-rs")?;
    refuse(&lean, |name| HEAVY.contains(&name))?;
    let ring = crates_of("ring")?;
    refuse(&ring, |name| name.starts_with("aws-lc") || name == "oqs")
}

/// The crates that `kliento` compiles with `features` alone.
fn crates_of(features: &str) -> Result<Vec<String>, String> {
    let tree = tree(&[
        "--package",
        "kliento",
        "--no-default-features",
        "--features",
        features,
        "--edges",
        "normal,build",
    ])?;
    let names: Vec<String> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(ToOwned::to_owned)
        .collect();
    if names.is_empty() {
        return Err("cargo names no crates".to_owned());
    }
    Ok(names)
}

/// What `cargo tree` prints: a crate a line, by name and version.
pub(crate) fn tree(arguments: &[&str]) -> Result<String, String> {
    let output = output_of(
        Command::new(CARGO)
            .args(["tree", "--prefix", "none", "--format", "{p}", "--locked"])
            .args(arguments)
            // Whoever sets it gets the crates of the whole workspace for each of its packages.
            .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION"),
    )?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// What `cargo metadata` says, as far as the caller asks.
pub(crate) fn metadata<T: DeserializeOwned>(arguments: &[&str]) -> Result<T, String> {
    let output = output_of(
        Command::new(CARGO)
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(arguments),
    )?;
    serde_json::from_slice(&output).map_err(|error| format!("cannot read what cargo says: {error}"))
}

fn output_of(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command
        .current_dir(root())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(output.stdout)
}

fn refuse(names: &[String], has_no_place: impl Fn(&str) -> bool) -> Result<(), String> {
    match names.iter().find(|name| has_no_place(name)) {
        Some(name) => Err(format!("{name} has no place in this build of kliento")),
        None => Ok(()),
    }
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    run(Command::new(CARGO).args(arguments))
}

/// Runs a command at the root of the workspace; what it prints is for whoever looks.
fn run(command: &mut Command) -> Result<(), String> {
    let status = command
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{status}"))
    }
}

pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
