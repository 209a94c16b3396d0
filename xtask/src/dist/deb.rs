//! The Debian package: the program with its unit, configuration, completions and pages.
//!
//! It is written here rather than by `dpkg-deb` so that its octets depend on `Cargo.lock` alone, and not on the
//! compressor of the machine. `packaging/deb/check` has `dpkg` and `lintian` read it.

use std::fmt::Write as _;
use std::fs;

use md5::{Digest as _, Md5};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::archive::{DATA, PROGRAM, Tree, ar, gzip};
use super::hex;
use super::{Material, Release, read};

/// Version of the packaging itself, behind the program's.
const REVISION: &str = "1";

/// The name of the package's file, as `dpkg-name` would have it.
pub(crate) fn name(release: &Release) -> Result<String, String> {
    let architecture = architecture(&release.target)?;
    Ok(format!("kliento_{}_{architecture}.deb", version(release)))
}

fn version(release: &Release) -> String {
    format!("{}-{REVISION}", release.version)
}

/// Debian's name for a target.
fn architecture(target: &str) -> Result<&'static str, String> {
    match target.split('-').next() {
        Some("x86_64") => Ok("amd64"),
        Some("aarch64") => Ok("arm64"),
        _ => Err(format!("no Debian architecture is known for {target}")),
    }
}

pub(crate) fn write(release: &Release, material: &Material) -> Result<Vec<u8>, String> {
    let data = data(release, material)?;
    let control = control(release, &data)?;
    let cannot = |error: std::io::Error| format!("cannot write the package: {error}");
    let control = gzip(&control.tar("./", release.epoch).map_err(cannot)?).map_err(cannot)?;
    let data = gzip(&data.tar("./", release.epoch).map_err(cannot)?).map_err(cannot)?;
    Ok(ar(
        &[
            ("debian-binary", b"2.0\n"),
            ("control.tar.gz", &control),
            ("data.tar.gz", &data),
        ],
        release.epoch,
    ))
}

/// What is installed.
fn data(release: &Release, material: &Material) -> Result<Tree, String> {
    const DOCUMENTS: &str = "usr/share/doc/kliento";
    let compressed = |octets: &[u8]| gzip(octets).map_err(|error| error.to_string());
    let mut tree = Tree::default();
    tree.add("usr/bin/kliento", PROGRAM, material.program.clone());
    tree.add(
        "etc/kliento/kliento.toml",
        DATA,
        read("packaging/deb/kliento.toml")?,
    );
    let unit = unit(&read_text("cli/packaging/kliento.service")?)?;
    tree.add("usr/lib/systemd/system/kliento.service", DATA, unit);
    for (path, shell) in [
        ("usr/share/bash-completion/completions/kliento", "bash"),
        ("usr/share/zsh/vendor-completions/_kliento", "zsh"),
        ("usr/share/fish/vendor_completions.d/kliento.fish", "fish"),
    ] {
        tree.add(path, DATA, material.completion(shell)?);
    }
    for (page, octets) in &material.pages {
        tree.add(
            &format!("usr/share/man/man1/{page}.gz"),
            DATA,
            compressed(octets)?,
        );
    }
    let mut document = |name: &str, octets: Vec<u8>| {
        tree.add(&format!("{DOCUMENTS}/{name}"), DATA, octets);
    };
    document("copyright", read("packaging/deb/copyright")?);
    document(
        "changelog.Debian.gz",
        compressed(changelog(release)?.as_bytes())?,
    );
    document("changelog.gz", compressed(&read("CHANGELOG.md")?)?);
    document("README.md", read("packaging/deb/README.md")?);
    document("SERVE.md.gz", compressed(&read("cli/SERVE.md")?)?);
    document("LICENSE-MIT", read("LICENSE-MIT")?);
    document(
        "THIRD-PARTY-LICENCES.gz",
        compressed(material.licences.as_bytes())?,
    );
    document("examples/kliento.toml", read("cli/packaging/kliento.toml")?);
    let overrides = read("packaging/deb/lintian-overrides")?;
    tree.add("usr/share/lintian/overrides/kliento", DATA, overrides);
    Ok(tree)
}

/// The unit of the repository, with the program where the package has it and without the words on how to install it.
fn unit(text: &str) -> Result<String, String> {
    const HEAD: &str = "\
# Runs `kliento serve` with minimal privileges: a temporary user, no capabilities, and no writable files.
#
#   systemctl enable --now kliento        (first edit /etc/kliento/kliento.toml)
#   systemctl edit kliento                changes what is below: for TLS, see LoadCredential=
#
# `systemd-analyze security kliento` shows what it may still do: use the network.

";
    let start = text
        .find("[Unit]")
        .ok_or("the unit has no section [Unit]")?;
    let body = text.get(start..).unwrap_or_default();
    let moved = body.replace("/usr/local/bin/kliento", "/usr/bin/kliento");
    if moved == body || moved.contains("/usr/local") {
        return Err("the unit does not start /usr/local/bin/kliento".to_owned());
    }
    Ok(format!("{HEAD}{moved}"))
}

/// Debian's own changelog has the versions of the package; the changelog of the program is beside it.
fn changelog(release: &Release) -> Result<String, String> {
    let cannot =
        |error: &dyn std::fmt::Display| format!("cannot write the time of the release: {error}");
    let seconds = i64::try_from(release.epoch).map_err(|error| cannot(&error))?;
    let time = OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| cannot(&error))?;
    let time = time.format(&Rfc2822).map_err(|error| cannot(&error))?;
    let version = version(release);
    let maintainer = maintainer()?;
    Ok(format!(
        "kliento ({version}) unstable; urgency=medium\n\n  * Version {} of the program: changelog.gz has the changes.\n\n \
         -- {maintainer}  {time}\n",
        release.version
    ))
}

fn maintainer() -> Result<String, String> {
    read_text("packaging/deb/control")?
        .lines()
        .find_map(|line| line.strip_prefix("Maintainer: "))
        .map(ToOwned::to_owned)
        .ok_or_else(|| "packaging/deb/control names no maintainer".to_owned())
}

/// What `dpkg` reads: the description of the package, its scripts, configuration files and digests.
fn control(release: &Release, data: &Tree) -> Result<Tree, String> {
    let mut tree = Tree::default();
    // Policy §5.6.20: in KiB, each file rounded up.
    let size: usize = data
        .files()
        .map(|(_, octets)| octets.len().div_ceil(1024))
        .sum();
    let control = read_text("packaging/deb/control")?
        .replace("@VERSION@", &version(release))
        .replace("@ARCHITECTURE@", architecture(&release.target)?)
        .replace("@INSTALLED_SIZE@", &size.to_string());
    if control.contains('@') && control.lines().any(|line| line.contains(": @")) {
        return Err("packaging/deb/control has a field that is not filled in".to_owned());
    }
    tree.add("control", DATA, control);
    let is_configuration = |path: &&str| path.starts_with("etc/");
    let mut conffiles = String::new();
    let mut digests = String::new();
    for (path, octets) in data.files() {
        let digest = hex(&Md5::digest(octets));
        // Writing to memory never fails.
        let _ = writeln!(digests, "{digest}  {path}");
        if is_configuration(&path) {
            let _ = writeln!(conffiles, "/{path}");
        }
    }
    tree.add("conffiles", DATA, conffiles);
    tree.add("md5sums", DATA, digests);
    for script in ["postinst", "prerm", "postrm"] {
        tree.add(script, PROGRAM, read(&format!("packaging/deb/{script}"))?);
    }
    Ok(tree)
}

fn read_text(path: &str) -> Result<String, String> {
    let path = crate::checks::root().join(path);
    fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::tests::{material, release};

    #[test]
    fn the_unit_starts_the_program_of_the_package() {
        let unit = unit(&read_text("cli/packaging/kliento.service").unwrap()).unwrap();
        let started: Vec<_> = unit
            .lines()
            .filter_map(|line| line.strip_prefix("ExecStart="))
            .collect();
        assert_eq!(
            started,
            ["/usr/bin/kliento serve --config /etc/kliento/kliento.toml"]
        );
        assert!(!unit.contains("/usr/local"));
        assert!(super::unit("[Unit]\nExecStart=/opt/kliento\n").is_err());
    }

    #[test]
    fn control_has_digests_and_configuration_of_what_is_installed() {
        let data = data(&release(), &material()).unwrap();
        let control = control(&release(), &data).unwrap();
        let text = |name: &str| {
            let (_, octets) = control.files().find(|(path, _)| *path == name).unwrap();
            String::from_utf8(octets.to_vec()).unwrap()
        };
        assert_eq!(text("conffiles"), "/etc/kliento/kliento.toml\n");
        // The digest of "program", as md5sum has it.
        let digests = text("md5sums");
        assert!(
            digests.contains("a9c449d4fa44e9e5a41c574ae55ce4d9  usr/bin/kliento\n"),
            "{digests}"
        );
        assert_eq!(digests.lines().count(), data.files().count());
        let control = text("control");
        assert!(
            control.contains("\nVersion: 1.2.3-1\nArchitecture: amd64\n"),
            "{control}"
        );
        assert!(!control.contains('@') || !control.contains(": @"));
    }

    #[test]
    fn the_changelog_has_the_time_of_the_release() {
        let text = changelog(&release()).unwrap();
        assert!(text.starts_with("kliento (1.2.3-1) unstable; urgency=medium\n"));
        assert!(
            text.ends_with("  Tue, 14 Nov 2023 22:13:20 +0000\n"),
            "{text}"
        );
    }
}
