//! The rules for what the published packages hold, and the check of their lists of files.
//!
//! `cargo package --list` says what a package would hold, without building it. A nightly step builds the packages as
//! well, with `cargo publish --dry-run`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::checks::{CARGO, root};

/// The published packages, each behind those that it depends on: the order in which they are published.
pub(crate) const PUBLISHED: [&str; 6] = [
    "dnssec",
    "veraid-cache",
    "veraid",
    "kliento-fixtures",
    "kliento",
    "kliento-cli",
];

/// The files that each package holds beside its sources.
const REQUIRED: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// The licences, which are those of the repository octet by octet.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// The files that cargo adds itself.
const OF_CARGO: [&str; 4] = [
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
];

/// The files that only the command has.
const OF_COMMAND: [&str; 4] = [
    "SERVE.md",
    "packaging/Containerfile",
    "packaging/kliento.service",
    "packaging/kliento.toml",
];

/// The largest source has some 50 KiB. Data of tests has more, and doesn't belong in a package.
const MOST_OCTETS_OF_FILE: u64 = 96 << 10;

/// All files of a package together. A registry takes ten times as much.
const MOST_OCTETS: u64 = 1_280 << 10;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    /// The registries that it may be published to: absent for all, empty for none.
    publish: Option<Vec<String>>,
    description: Option<String>,
    readme: Option<String>,
    license: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    targets: Vec<Target>,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    /// False for the library of `kliento-cli`, which is for fuzz targets.
    doc: bool,
}

impl Package {
    fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|to| !to.is_empty())
    }

    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    /// What a registry shows, or demands.
    fn missing_metadata(&self) -> Option<&'static str> {
        [
            ("description", self.description.is_none()),
            ("license", self.license.is_none()),
            ("readme", self.readme.is_none()),
            ("keywords", self.keywords.is_empty()),
            ("categories", self.categories.is_empty()),
        ]
        .into_iter()
        .find_map(|(name, is_missing)| is_missing.then_some(name))
    }

    /// A documented library that has no list of the types of other crates in its interface. The nightly step `external-types` checks
    /// the packages that have one.
    fn lacks_external_types(&self) -> bool {
        let is_library = self
            .targets
            .iter()
            .any(|target| target.doc && target.kind.iter().any(|kind| kind == "lib"));
        let list = self
            .metadata
            .pointer("/cargo_check_external_types/allowed_external_types");
        is_library && !list.is_some_and(Value::is_array)
    }
}

/// Checks that exactly the packages of [`PUBLISHED`] can be published, and that each follows the rules.
pub(crate) fn check() -> Result<(), String> {
    let metadata = output(Command::new(CARGO).args([
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let published: BTreeSet<&str> = metadata
        .packages
        .iter()
        .filter(|package| package.is_published())
        .map(|package| package.name.as_str())
        .collect();
    if published != BTreeSet::from(PUBLISHED) {
        return Err(format!(
            "{published:?} can be published, and {PUBLISHED:?} are meant to be: set `publish = false`, or extend the list"
        ));
    }
    for name in PUBLISHED {
        let package = metadata.packages.iter().find(|other| other.name == name);
        let package = package.ok_or("cargo metadata names no such package")?;
        check_package(package).map_err(|problem| format!("package {name}: {problem}"))?;
    }
    Ok(())
}

fn check_package(package: &Package) -> Result<(), String> {
    if let Some(missing) = package.missing_metadata() {
        return Err(format!("the manifest has no {missing}"));
    }
    if package.lacks_external_types() {
        return Err("the manifest has no list `allowed_external_types`".into());
    }
    let name = package.name.as_str();
    let list = output(Command::new(CARGO).args([
        "package",
        "--list",
        "--allow-dirty",
        "--locked",
        "--package",
        name,
    ]))?;
    let folder = package.folder();
    let mut files = Vec::new();
    for path in list.lines() {
        let size = match fs::metadata(folder.join(path)) {
            Ok(metadata) => metadata.len(),
            // Cargo makes these when it packs.
            Err(_) if OF_CARGO.contains(&path) => 0,
            Err(error) => return Err(format!("cannot read {path}: {error}")),
        };
        files.push((path, size));
    }
    let octets = check_files(name, &files)?;
    for licence in LICENCES {
        if fs::read(folder.join(licence)).ok() != fs::read(root().join(licence)).ok() {
            return Err(format!("{licence} is not that of the repository"));
        }
    }
    let tracked = output(
        Command::new("git")
            .args(["ls-files", "src"])
            .current_dir(folder),
    )?;
    check_complete(tracked.lines(), &files)?;
    println!(
        "{name:<18} {:>4} files {:>6} KiB",
        files.len(),
        octets >> 10
    );
    Ok(())
}

/// Applies the rules to a package's list of files with their sizes; returns the sum of the sizes.
fn check_files(name: &str, files: &[(&str, u64)]) -> Result<u64, String> {
    let has = |wanted: &str| files.iter().any(|(path, _)| *path == wanted);
    if let Some(missing) = REQUIRED.iter().find(|wanted| !has(wanted)) {
        return Err(format!("it has no {missing}"));
    }
    let of_command: &[&str] = if name == "kliento-cli" {
        &OF_COMMAND
    } else {
        &[]
    };
    let mut octets = 0;
    for &(path, size) in files {
        let is_listed = [&REQUIRED[..], &OF_CARGO, of_command]
            .iter()
            .any(|list| list.contains(&path));
        if !is_listed && !is_source(path) {
            return Err(format!("it holds {path}, which users don't need"));
        }
        if size > MOST_OCTETS_OF_FILE {
            return Err(format!("{path} has {size} bytes"));
        }
        octets += size;
    }
    if octets > MOST_OCTETS {
        return Err(format!("it has {octets} bytes"));
    }
    Ok(octets)
}

/// A module, or the text of its documentation; no hidden file.
fn is_source(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|name| name.to_str());
    path.starts_with("src/")
        && path.split('/').all(|part| !part.starts_with('.'))
        && matches!(extension, Some("rs" | "md"))
}

/// All sources that git has are in the package.
fn check_complete<'p>(
    mut sources: impl Iterator<Item = &'p str>,
    files: &[(&str, u64)],
) -> Result<(), String> {
    match sources.find(|source| files.iter().all(|(path, _)| path != source)) {
        Some(left_out) => Err(format!("it leaves {left_out} out")),
        None => Ok(()),
    }
}

/// Runs a command at the root of the workspace, unless it has a folder of its own; returns what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    let output = command
        .output()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}\n{said}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{command:?} does not print UTF-8"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: [(&str, u64); 6] = [
        (".cargo_vcs_info.json", 0),
        ("Cargo.toml", 2_000),
        ("LICENSE-APACHE", 10_000),
        ("LICENSE-MIT", 1_000),
        ("README.md", 3_000),
        ("src/lib.rs", 4_000),
    ];

    fn with(more: (&'static str, u64)) -> Result<u64, String> {
        check_files("dnssec", &[&GOOD[..], &[more]].concat())
    }

    #[test]
    fn a_package_holds_sources_licences_and_readme_and_nothing_else() {
        assert_eq!(check_files("dnssec", &GOOD), Ok(20_000));
        assert_eq!(with(("src/rdata/mod.rs", 1)), Ok(20_001));
        for path in [
            ".gitignore",
            "src/.hidden.rs",
            "src/vectors.json",
            "tests/dnssec/main.rs",
            "benches/chain.rs",
            "packaging/kliento.toml",
            "notes.md",
        ] {
            let problem = with((path, 1)).unwrap_err();
            assert!(problem.contains(path), "{problem}");
        }
        for missing in REQUIRED {
            let files: Vec<_> = GOOD
                .into_iter()
                .filter(|(path, _)| *path != missing)
                .collect();
            let problem = check_files("dnssec", &files).unwrap_err();
            assert!(problem.contains(missing), "{problem}");
        }
    }

    #[test]
    fn a_library_lists_the_types_of_other_crates_in_its_interface() {
        let package = |kind: &str, doc: bool, metadata: Value| -> Package {
            let package = json!({
                "name": "dnssec",
                "manifest_path": "dnssec/Cargo.toml",
                "targets": [{ "kind": ["test"], "doc": false }, { "kind": [kind], "doc": doc }],
                "metadata": metadata,
            });
            serde_json::from_value(package).unwrap()
        };
        let list = json!({ "cargo_check_external_types": { "allowed_external_types": [] } });
        assert!(!package("lib", true, list).lacks_external_types());
        assert!(!package("bin", true, Value::Null).lacks_external_types());
        assert!(!package("lib", false, Value::Null).lacks_external_types());
        for metadata in [
            Value::Null,
            json!({ "docs": {} }),
            json!({ "cargo_check_external_types": {} }),
        ] {
            assert!(package("lib", true, metadata).lacks_external_types());
        }
    }

    #[test]
    fn only_the_command_has_a_unit_and_a_configuration() {
        let files = [&GOOD[..], &[("packaging/kliento.toml", 1)]].concat();
        assert!(check_files("kliento-cli", &files).is_ok());
        assert!(check_files("kliento", &files).is_err());
    }

    #[test]
    fn files_and_packages_have_bounds() {
        assert!(with(("src/a.rs", MOST_OCTETS_OF_FILE)).is_ok());
        assert!(with(("src/a.rs", MOST_OCTETS_OF_FILE + 1)).is_err());
        let names: Vec<String> = (0..14).map(|number| format!("src/{number}.rs")).collect();
        let many: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), MOST_OCTETS_OF_FILE))
            .collect();
        assert!(check_files("dnssec", &[&GOOD[..], &many].concat()).is_err());
    }

    #[test]
    fn the_order_of_publication_is_as_documented() {
        let text = fs::read_to_string(root().join("docs/releasing.md")).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        let order = format!("`{}`", PUBLISHED.join("`, `"));
        assert!(words.join(" ").contains(&order), "{order}");
    }

    #[test]
    fn no_source_is_left_out() {
        assert!(check_complete(["src/lib.rs"].into_iter(), &GOOD).is_ok());
        assert!(check_complete(["src/lib.rs", "src/chain.rs"].into_iter(), &GOOD).is_err());
    }
}
