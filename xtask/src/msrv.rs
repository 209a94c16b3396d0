//! The oldest supported Rust: no crate of the lock file may need a newer one.
//!
//! Clippy's `incompatible_msrv`, which warns by default, finds what our own code takes of newer standard libraries.

use serde::Deserialize;

use crate::checks;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    /// The oldest Rust that it says it builds with; crates may be silent about it.
    rust_version: Option<String>,
}

/// The package whose `rust-version` is the workspace's.
const OURS: &str = "dnssec";

pub(crate) fn check() -> Result<(), String> {
    let Metadata { packages } = checks::metadata(&["--all-features"])?;
    let newer = newer(&packages)?;
    if newer.is_empty() {
        return Ok(());
    }
    Err(format!("newer than our rust-version: {}", newer.join(", ")))
}

/// The packages that need a newer Rust than ours.
fn newer(packages: &[Package]) -> Result<Vec<String>, String> {
    let ours = packages.iter().find(|package| package.name == OURS);
    let ours = ours.and_then(|package| package.rust_version.as_deref());
    let ours = version(ours.ok_or("the workspace has no rust-version")?)?;
    let mut found = Vec::new();
    for package in packages {
        if let Some(needed) = &package.rust_version
            && version(needed)? > ours
        {
            found.push(format!("{} {} ({needed})", package.name, package.version));
        }
    }
    Ok(found)
}

/// Major, minor and patch; what is left out is 0.
fn version(text: &str) -> Result<[u64; 3], String> {
    let mut numbers = [0; 3];
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > numbers.len() {
        return Err(format!("no version of Rust: {text}"));
    }
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part
            .parse()
            .map_err(|_| format!("no version of Rust: {text}"))?;
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "that is how tests fail")]

    use super::*;

    fn packages(versions: &[(&str, Option<&str>)]) -> Vec<Package> {
        let package = |(name, rust_version): &(&str, Option<&str>)| Package {
            name: (*name).to_owned(),
            version: "1.0.0".to_owned(),
            rust_version: rust_version.map(str::to_owned),
        };
        versions.iter().map(package).collect()
    }

    #[test]
    fn names_what_needs_a_newer_rust() {
        let all = packages(&[
            (OURS, Some("1.88")),
            ("silent", None),
            ("older", Some("1.9")),
            ("same", Some("1.88.0")),
            ("patch", Some("1.88.1")),
            ("newer", Some("1.100")),
        ]);
        assert_eq!(
            newer(&all).unwrap(),
            ["patch 1.0.0 (1.88.1)", "newer 1.0.0 (1.100)"]
        );
    }

    #[test]
    fn refuses_to_compare_with_nothing() {
        for all in [
            packages(&[("other", Some("1.88"))]),
            packages(&[(OURS, None)]),
            packages(&[(OURS, Some("1.88")), ("strange", Some("1.x"))]),
            packages(&[(OURS, Some("1.88.0.0"))]),
        ] {
            assert!(newer(&all).is_err());
        }
    }
}
