//! `cargo xtask dist`: what is published beside the crates, in one folder, with digests and their signature.
//!
//! All files are the same octets whenever and in whatever folder they are made from a commit, by the same compilers;
//! `docs/releasing.md` says how that is done, and `packaging/reproduce` checks it.

mod archive;
mod build;
mod chart;
mod crates;
mod deb;
mod image;
mod licences;
mod sbom;
mod tarball;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::checks::root;
use crate::packages::output;

/// The service of signatures over the digests of a release.
const SERVICE: &str = "2.25.100495740388814078742942326120628499792";

const PROGRAM: &str = "kliento";
const SUMS: &str = "SHA256SUMS";
const SIGNATURE: &str = "SHA256SUMS.veraid";

/// Shells that the completions are for.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// What is released, and what it is built with.
struct Release {
    version: String,
    /// The target in the terms of rustc.
    target: String,
    /// The time of all files, in seconds since 1970: that of the commit, or `SOURCE_DATE_EPOCH`.
    epoch: u64,
    commit: Option<String>,
    /// The versions of the compilers and of the C library, for those who want to build it again.
    rustc: String,
    cc: String,
    libc: String,
}

/// What several of the files hold.
struct Material {
    program: Vec<u8>,
    completions: BTreeMap<&'static str, Vec<u8>>,
    pages: BTreeMap<String, Vec<u8>>,
    licences: String,
}

impl Material {
    fn completion(&self, shell: &str) -> Result<&[u8], String> {
        let completion = self.completions.get(shell);
        completion
            .map(Vec::as_slice)
            .ok_or_else(|| format!("there are no completions for {shell}"))
    }
}

/// The arguments of `cargo xtask dist`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arguments {
    out: Option<PathBuf>,
    /// A program that is there already, to try the packaging with.
    program: Option<PathBuf>,
    allow_dirty: bool,
    /// The signer's arguments for `kliento signature create`.
    sign: Option<Vec<String>>,
}

impl Arguments {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let mut arguments = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let value = words.next().map(PathBuf::from);
                value.ok_or_else(|| format!("{word} needs a value"))
            };
            match *word {
                "--out" => arguments.out = Some(value()?),
                "--program" => arguments.program = Some(value()?),
                "--allow-dirty" => arguments.allow_dirty = true,
                "--sign" => {
                    let signer: Vec<String> = words.by_ref().map(ToString::to_string).collect();
                    if signer.is_empty() {
                        return Err("--sign needs the signer's arguments behind it".to_owned());
                    }
                    arguments.sign = Some(signer);
                }
                other => return Err(format!("{other:?} is no argument of dist")),
            }
        }
        if arguments.program.is_some() && arguments.sign.is_some() {
            return Err("a program that is not built here is not signed".to_owned());
        }
        Ok(arguments)
    }
}

/// Makes the files of a release.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let arguments = Arguments::parse(words)?;
    let release = Release::of_this_tree(arguments.allow_dirty)?;
    let out = match &arguments.out {
        // Relative to where the command was typed, which is where cargo runs it.
        Some(out) => std::path::absolute(out)
            .map_err(|error| format!("cannot find {}: {error}", out.display()))?,
        None => root().join("target/releases").join(&release.version),
    };
    let cannot = |error: std::io::Error| format!("cannot write to {}: {error}", out.display());
    fs::create_dir_all(&out).map_err(cannot)?;
    if fs::read_dir(&out).map_err(cannot)?.next().is_some() {
        return Err(format!("{} is not empty", out.display()));
    }
    let program = match &arguments.program {
        Some(path) => {
            fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?
        }
        None => build::build(&release)?,
    };
    let path = out.join(PROGRAM);
    fs::write(&path, &program).map_err(cannot)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(cannot)?;

    let crates = crates::of_program(&release.target)?;
    let material = Material {
        completions: completions(&path)?,
        pages: pages(&path, &out.join("pages"))?,
        licences: licences::text(&crates)?,
        program,
    };
    let program_digest = digest(&material.program);
    let tarball = format!("{}.tar.gz", tarball::folder(&release));
    let files = [
        (deb::name(&release)?, deb::write(&release, &material)?),
        (tarball, tarball::write(&release, &material)?),
        (image::name(&release)?, image::write(&release, &material)?),
        (chart::name(&release), chart::write(&release)?),
        (
            sbom::name(&release),
            sbom::write(&release, &crates, &program_digest)?,
        ),
    ];
    let mut digests = BTreeMap::from([(PROGRAM.to_owned(), program_digest)]);
    for (name, octets) in files {
        fs::write(out.join(&name), &octets).map_err(cannot)?;
        digests.insert(name, digest(&octets));
    }
    let sums = sums(&digests);
    fs::write(out.join(SUMS), &sums).map_err(cannot)?;
    if let Some(signer) = &arguments.sign {
        sign(&out, signer)?;
    }
    println!("\n{}:\n{sums}", out.display());
    if arguments.program.is_some() {
        println!("The program was not built here: these files are for trying the packaging.");
    }
    Ok(())
}

impl Release {
    fn of_this_tree(allow_dirty: bool) -> Result<Self, String> {
        let git = |arguments: &[&str]| output(Command::new("git").args(arguments));
        let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
        if !changed.is_empty() && !allow_dirty {
            return Err(format!(
                "files differ from the commit (--allow-dirty takes them as they are):\n{changed}"
            ));
        }
        let commit = git(&["rev-parse", "HEAD"])?.trim().to_owned();
        let epoch = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(set) => set,
            Err(_) => git(&["log", "-1", "--format=%ct"])?,
        };
        let epoch = epoch
            .trim()
            .parse()
            .map_err(|error| format!("the time {epoch:?} is no number of seconds: {error}"))?;
        let rustc = output(Command::new("rustc").arg("-vV"))?;
        let field = |name: &str| {
            let value = rustc.lines().find_map(|line| line.strip_prefix(name));
            value.map(|value| value.trim().to_owned())
        };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            target: field("host: ").ok_or("rustc does not say what machine it is for")?,
            epoch,
            commit: changed.is_empty().then_some(commit),
            rustc: rustc.lines().next().unwrap_or_default().to_owned(),
            cc: first_line("cc", "--version"),
            libc: first_line("ldd", "--version"),
        })
    }
}

/// The first line that a program prints; machines without it still build.
fn first_line(program: &str, argument: &str) -> String {
    let text = output(Command::new(program).arg(argument)).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn completions(program: &Path) -> Result<BTreeMap<&'static str, Vec<u8>>, String> {
    let one = |shell| {
        let text = output(Command::new(program).args(["completions", shell]))?;
        Ok((shell, text.into_bytes()))
    };
    SHELLS.into_iter().map(one).collect()
}

/// The manual pages, by way of a folder that is gone again afterwards.
fn pages(program: &Path, folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    output(Command::new(program).arg("man").arg(folder))?;
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        pages.insert(name, fs::read(entry.path()).map_err(cannot)?);
    }
    fs::remove_dir_all(folder).map_err(cannot)?;
    Ok(pages)
}

/// The form that `sha256sum --check` reads.
fn sums(digests: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, digest) in digests {
        // Writing to memory never fails.
        let _ = writeln!(text, "{digest}  {name}");
    }
    text
}

/// Signs the digests with the program that was just built, and verifies the signature as users do.
fn sign(out: &Path, signer: &[String]) -> Result<(), String> {
    let signature = |subcommand: &str| {
        let mut command = Command::new(out.join(PROGRAM));
        command
            .args(["signature", subcommand, "--service", SERVICE, "--plaintext"])
            .arg(out.join(SUMS));
        // The signer's files are named from where the command was typed.
        if let Ok(here) = std::env::current_dir() {
            command.current_dir(here);
        }
        command
    };
    output(
        signature("create")
            .args(signer)
            .arg("--out")
            .arg(out.join(SIGNATURE)),
    )?;
    let anchors = signer
        .iter()
        .position(|word| word == "--trust-anchors")
        .and_then(|index| signer.get(index..index + 2));
    let verified = output(
        signature("verify")
            .args(anchors.unwrap_or_default())
            .arg(out.join(SIGNATURE)),
    )?;
    println!("{SIGNATURE}: {}", verified.trim_end());
    Ok(())
}

fn digest(octets: &[u8]) -> String {
    hex(&Sha256::digest(octets))
}

fn hex(octets: &[u8]) -> String {
    let mut text = String::new();
    for octet in octets {
        // Writing to memory never fails.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// RFC 3339, in UTC.
fn timestamp(epoch: u64) -> Result<String, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("cannot write the time {epoch}: {error}");
    let seconds = i64::try_from(epoch).map_err(|error| cannot(&error))?;
    let time = OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| cannot(&error))?;
    time.format(&Rfc3339).map_err(|error| cannot(&error))
}

/// Reads a file of the repository.
fn read(path: &str) -> Result<Vec<u8>, String> {
    let path = root().join(path);
    fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn release() -> Release {
        Release {
            version: "1.2.3".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            epoch: 1_700_000_000,
            commit: Some("0123abcd".to_owned()),
            rustc: "rustc 1.95.0".to_owned(),
            cc: "cc 12".to_owned(),
            libc: "ldd 2.36".to_owned(),
        }
    }

    pub(super) fn material() -> Material {
        Material {
            program: b"program".to_vec(),
            completions: SHELLS.map(|shell| (shell, shell.into())).into(),
            pages: BTreeMap::from([("kliento.1".to_owned(), b".TH kliento 1".to_vec())]),
            licences: "licences".to_owned(),
        }
    }

    #[test]
    fn all_words_behind_sign_are_the_signers() {
        let parsed = Arguments::parse(&["--out", "o", "--sign", "--key", "k", "--out", "x"]);
        assert_eq!(
            parsed,
            Ok(Arguments {
                out: Some("o".into()),
                sign: Some(["--key", "k", "--out", "x"].map(str::to_owned).to_vec()),
                ..Arguments::default()
            })
        );
        for wrong in [
            &["--out"][..],
            &["--sign"],
            &["release"],
            &["--program", "p", "--sign", "--key", "k"],
        ] {
            assert!(Arguments::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn sums_are_of_the_form_of_sha256sum() {
        let digests = BTreeMap::from([
            ("b".to_owned(), digest(b"")),
            ("a".to_owned(), digest(b"abc")),
        ]);
        // FIPS 180-4's example, and the digest of nothing.
        assert_eq!(
            sums(&digests),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
        );
    }

    #[test]
    fn users_are_told_of_the_files_of_this_version() {
        let release = Release {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..release()
        };
        let page = String::from_utf8(read("docs/install.md").unwrap()).unwrap();
        for name in [
            deb::name(&release).unwrap(),
            format!("{}.tar.gz", tarball::folder(&release)),
            image::name(&release).unwrap(),
            chart::name(&release),
            sbom::name(&release),
        ] {
            assert!(page.contains(&name), "{name}");
        }
        let readme = String::from_utf8(read("packaging/tarball/README.md").unwrap()).unwrap();
        let command = format!(
            "kliento signature verify --service {SERVICE} \\\n    --plaintext {SUMS} {SIGNATURE}\n"
        );
        assert!(
            page.contains(&command) && readme.contains(&command),
            "{command}"
        );
    }

    #[test]
    fn files_depend_on_the_release_and_its_material_alone() {
        let all = || {
            [
                deb::write(&release(), &material()),
                tarball::write(&release(), &material()),
                image::write(&release(), &material()),
            ]
        };
        assert_eq!(all(), all());
        let mut later = release();
        later.epoch += 1;
        assert_ne!(
            deb::write(&later, &material()),
            deb::write(&release(), &material())
        );
    }
}
