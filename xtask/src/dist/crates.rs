//! The crates that are linked into the program, as cargo resolves them for its target and features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

use super::build::cargo;
use crate::checks::root;
use crate::packages::output;

/// The package of the program.
pub(crate) const COMMAND: &str = "kliento-cli";

/// A crate by name and version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What cargo and `Cargo.lock` say of a crate.
pub(crate) struct Crate {
    pub(crate) description: Option<String>,
    pub(crate) licence: Option<String>,
    pub(crate) folder: PathBuf,
    /// The SHA-256 digest of the package in its registry, in hexadecimal; none for the crates of this repository.
    pub(crate) checksum: Option<String>,
    pub(crate) needs: BTreeSet<Id>,
}

/// All crates of the program, itself among them.
pub(crate) fn of_program(target: &str) -> Result<BTreeMap<Id, Crate>, String> {
    let tree = output(
        cargo()
            .args(["tree", "--package", COMMAND, "--edges", "normal"])
            .args(["--prefix", "depth", "--format", " {p}"])
            .args(["--target", target, "--locked"]),
    )?;
    let edges = read_tree(&tree)?;
    let metadata = output(cargo().args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform",
        target,
    ]))?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let lock = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&lock)
        .map_err(|error| format!("cannot read {}: {error}", lock.display()))?;
    let lock: Lock = toml::from_str(&lock).map_err(|error| format!("Cargo.lock: {error}"))?;

    let mut crates = BTreeMap::new();
    for (id, needs) in edges {
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name == id.name && package.version == id.version)
            .ok_or_else(|| format!("cargo metadata has no {} {}", id.name, id.version))?;
        let checksum = lock
            .package
            .iter()
            .find(|locked| locked.name == id.name && locked.version == id.version)
            .and_then(|locked| locked.checksum.clone());
        let folder = package.manifest_path.parent().map(ToOwned::to_owned);
        let entry = Crate {
            description: package.description.clone(),
            licence: package.license.clone(),
            folder: folder.unwrap_or_default(),
            checksum,
            needs,
        };
        crates.insert(id, entry);
    }
    Ok(crates)
}

/// Reads lines such as `2 serde v1.0.0 (proc-macro)`: the depth and the crate. What a crate needs stands below it at
/// its first place, and is left out, with `(*)`, at all others.
fn read_tree(text: &str) -> Result<BTreeMap<Id, BTreeSet<Id>>, String> {
    let mut edges: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    let mut above: Vec<Id> = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let mut next = || {
            words
                .next()
                .ok_or_else(|| format!("cargo tree prints {line:?}"))
        };
        let depth: usize = next()?
            .parse()
            .map_err(|error| format!("cargo tree prints {line:?}: {error}"))?;
        let name = next()?.to_owned();
        let version = next()?.trim_start_matches('v').to_owned();
        let id = Id { name, version };
        above.truncate(depth);
        if let Some(parent) = above.last() {
            edges.entry(parent.clone()).or_default().insert(id.clone());
        }
        edges.entry(id.clone()).or_default();
        above.push(id);
    }
    if edges.is_empty() {
        return Err("cargo tree prints nothing".to_owned());
    }
    Ok(edges)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    description: Option<String>,
    license: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, version: &str) -> Id {
        Id {
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_tree_is_read_with_what_stands_only_once() {
        let text = "\
0 kliento-cli v0.1.0 (/kliento/cli)
1 serde v1.0.1
2 serde_core v1.0.1
1 toml v1.0.2+spec-1.1.0
2 serde v1.0.1 (*)
1 serde_derive v1.0.1 (proc-macro)
";
        let edges = read_tree(text).unwrap();
        let needs = |of: Id| edges[&of].iter().cloned().collect::<Vec<_>>();
        assert_eq!(
            needs(id("kliento-cli", "0.1.0")),
            [
                id("serde", "1.0.1"),
                id("serde_derive", "1.0.1"),
                id("toml", "1.0.2+spec-1.1.0")
            ]
        );
        assert_eq!(needs(id("serde", "1.0.1")), [id("serde_core", "1.0.1")]);
        assert_eq!(
            needs(id("toml", "1.0.2+spec-1.1.0")),
            [id("serde", "1.0.1")]
        );
        assert_eq!(edges.len(), 5);
        assert!(read_tree("").is_err());
        assert!(read_tree("serde v1").is_err());
    }
}
