//! The archive for every Linux: the program, and what is installed beside it.

use super::archive::{DATA, PROGRAM, Tree, gzip};
use super::{Material, Release, read};

/// The folder that the archive unpacks to; its file's name has `.tar.gz` behind it.
pub(crate) fn folder(release: &Release) -> String {
    format!("kliento-{}-{}", release.version, release.target)
}

pub(crate) fn write(release: &Release, material: &Material) -> Result<Vec<u8>, String> {
    let mut tree = Tree::default();
    tree.add("bin/kliento", PROGRAM, material.program.clone());
    for (shell, name) in [
        ("bash", "kliento.bash"),
        ("zsh", "_kliento"),
        ("fish", "kliento.fish"),
    ] {
        tree.add(
            &format!("completions/{name}"),
            DATA,
            material.completion(shell)?,
        );
    }
    for (page, octets) in &material.pages {
        tree.add(&format!("man/man1/{page}"), DATA, octets.as_slice());
    }
    for (name, source) in [
        ("CHANGELOG.md", "CHANGELOG.md"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("LICENSE-MIT", "LICENSE-MIT"),
        ("README.md", "packaging/tarball/README.md"),
        ("SERVE.md", "cli/SERVE.md"),
        ("kliento.service", "cli/packaging/kliento.service"),
        ("kliento.toml", "cli/packaging/kliento.toml"),
    ] {
        tree.add(name, DATA, read(source)?);
    }
    tree.add("THIRD-PARTY-LICENCES", DATA, material.licences.as_bytes());
    let prefix = format!("{}/", folder(release));
    tree.tar(&prefix, release.epoch)
        .and_then(|tar| gzip(&tar))
        .map_err(|error| format!("cannot write the archive: {error}"))
}
