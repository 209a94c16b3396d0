//! The static program, built so that its octets don't depend on the folders, the user and the settings of the machine.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Release;
use crate::checks::{CARGO, root};
use crate::packages::output;

/// Builds the command with the profile `dist`, linked statically; returns the program's octets.
///
/// With glibc, the program resolves host names by files and by the DNS alone. The command looks names up only for
/// resolvers that are given by name; all else takes addresses.
pub(crate) fn build(release: &Release) -> Result<Vec<u8>, String> {
    let target = &release.target;
    let folders = Folders::of_this_machine(target)?;
    // The unit separator keeps paths with spaces whole.
    let rust_flags = folders
        .remapped()
        .map(|(from, to)| format!("--remap-path-prefix={from}={to}"))
        .chain(["-Ctarget-feature=+crt-static".to_owned()])
        .collect::<Vec<_>>()
        .join("\u{1f}");
    let c_flags = folders
        .remapped()
        .map(|(from, to)| format!("-ffile-prefix-map={from}={to}"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut cargo = cargo();
    cargo
        .args(["build", "--locked", "--profile", "dist"])
        .args(["--package", "kliento-cli", "--bin", "kliento"])
        // With a named target, the flags are for the program alone, and not for what runs during the build.
        .args(["--target", target, "--target-dir"])
        .arg(&folders.target)
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags)
        .env(format!("CFLAGS_{}", target.replace('-', "_")), c_flags)
        .env("SOURCE_DATE_EPOCH", release.epoch.to_string())
        // The AWS-LC of the crate, whatever is installed.
        .env("AWS_LC_SYS_USE_SYSTEM", "0")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .current_dir(root());
    if let Some(commit) = &release.commit {
        cargo.env("KLIENTO_COMMIT", commit);
    }
    println!("== The program, linked statically");
    let status = cargo
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err(format!("cargo build: {status}"));
    }
    let path = folders.target.join(target).join("dist/kliento");
    let program =
        fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if let Some(interpreter) = interpreter(&program)? {
        return Err(format!(
            "the program is not static: it asks for {interpreter}"
        ));
    }
    for (folder, _) in folders.remapped() {
        if contains(&program, folder.as_bytes()) {
            return Err(format!(
                "the program holds the path {folder} of this machine"
            ));
        }
    }
    Ok(program)
}

/// The folders whose paths compilers could write into a program.
struct Folders {
    root: PathBuf,
    target: PathBuf,
    /// The sources of each registry: the folder's name has a hash of the registry's address.
    registries: Vec<PathBuf>,
}

impl Folders {
    fn of_this_machine(target: &str) -> Result<Self, String> {
        let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let folder = root().join(folder.as_deref().unwrap_or(Path::new("target")));
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home
            .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
            .ok_or("neither CARGO_HOME nor HOME is set")?;
        // What is there to compile has to be there before the flags can name it.
        output(cargo().args(["fetch", "--locked", "--quiet", "--target", target]))?;
        let sources = home.join("registry/src");
        let registries = fs::read_dir(&sources)
            .map_err(|error| format!("cannot read {}: {error}", sources.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        Ok(Self {
            root: root().to_owned(),
            target: folder,
            registries,
        })
    }

    /// Each folder and what stands in its place; of several that fit, compilers take the last.
    fn remapped(&self) -> impl Iterator<Item = (String, &'static str)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let registries = self
            .registries
            .iter()
            .map(move |path| (text(path), "/crates"));
        [
            (text(&self.root), "/kliento"),
            (text(&self.target), "/target"),
        ]
        .into_iter()
        .chain(registries)
    }
}

/// Cargo without the settings that somebody may have made for builds of their own.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(CARGO);
    for (name, _) in std::env::vars_os() {
        if influences(&name) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Returns true for variables that change what cargo, rustc and C compilers make.
fn influences(name: &OsStr) -> bool {
    const PREFIXES: [&str; 17] = [
        "AR",
        "AWS_LC_",
        "CARGO_BUILD_",
        "CARGO_ENCODED_",
        "CARGO_INCREMENTAL",
        "CARGO_PROFILE_",
        "CARGO_RESOLVER_",
        "CARGO_TARGET_",
        "CARGO_UNSTABLE_",
        "CC",
        "CFLAGS",
        "CPPFLAGS",
        "CXX",
        "LDFLAGS",
        "RUSTC",
        "RUSTFLAGS",
        "__CARGO",
    ];
    const OTHERS: [&str; 7] = [
        "CPATH",
        "C_INCLUDE_PATH",
        "HOST_CC",
        "ICU4X_DATA_DIR",
        "LIBRARY_PATH",
        "TARGET_CC",
        "TARGET_CFLAGS",
    ];
    // A name that is not UTF-8 is none of theirs.
    name.to_str().is_some_and(|name| {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || OTHERS.contains(&name)
    })
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

/// The dynamic loader that an ELF program of 64 bits, little-endian, asks for (`PT_INTERP`); a static one asks for
/// none.
pub(crate) fn interpreter(program: &[u8]) -> Result<Option<String>, String> {
    const MAGIC: &[u8] = b"\x7fELF\x02\x01";
    const PT_INTERP: u64 = 3;
    let number = |offset: usize, length: usize| -> Option<u64> {
        let octets = program.get(offset..offset.checked_add(length)?)?;
        Some(
            octets
                .iter()
                .rev()
                .fold(0, |sum, octet| sum << 8 | u64::from(*octet)),
        )
    };
    let index = |offset: usize, length: usize| usize::try_from(number(offset, length)?).ok();
    if !program.starts_with(MAGIC) {
        return Err("the program is not of the format ELF64 LSB".to_owned());
    }
    // e_phoff, e_phentsize and e_phnum of the ELF header; p_type, p_offset and p_filesz of each program header.
    let read = || -> Option<Option<String>> {
        let (start, size, count) = (index(0x20, 8)?, index(0x36, 2)?, index(0x38, 2)?);
        for entry in 0..count {
            let header = start.checked_add(entry.checked_mul(size)?)?;
            if number(header, 4)? == PT_INTERP {
                let start = index(header.checked_add(0x08)?, 8)?;
                let length = index(header.checked_add(0x20)?, 8)?;
                let path = program.get(start..start.checked_add(length)?)?;
                let path = String::from_utf8_lossy(path);
                return Some(Some(path.trim_end_matches('\0').to_owned()));
            }
        }
        Some(None)
    };
    read().ok_or_else(|| "the program headers of the program cannot be read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_compilers_are_left_out_and_others_are_not() {
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_PROFILE_DIST_LTO",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "CFLAGS",
            "CFLAGS_x86_64_unknown_linux_gnu",
            "AWS_LC_SYS_CMAKE_BUILDER",
            "RUSTC_WRAPPER",
        ] {
            assert!(influences(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTUP_TOOLCHAIN",
            "CARGO_NET_OFFLINE",
        ] {
            assert!(!influences(OsStr::new(name)), "{name}");
        }
    }

    /// An ELF header with one program header of that type behind it, and a path behind that.
    fn program(kind: u8) -> Vec<u8> {
        let path = b"/lib/ld.so\0";
        let mut octets = vec![0; 0x40 + 0x38];
        octets[..6].copy_from_slice(b"\x7fELF\x02\x01");
        octets[0x20] = 0x40;
        octets[0x36] = 0x38;
        octets[0x38] = 1;
        octets[0x40] = kind;
        octets[0x48] = 0x78;
        octets[0x60] = 11;
        octets.extend_from_slice(path);
        octets
    }

    #[test]
    fn a_program_that_asks_for_a_loader_is_told_from_one_that_does_not() {
        assert_eq!(interpreter(&program(3)), Ok(Some("/lib/ld.so".to_owned())));
        assert_eq!(interpreter(&program(1)), Ok(None));
        let cut = program(3);
        assert!(interpreter(&cut[..0x60]).is_err());
        assert!(interpreter(b"#!/bin/sh").is_err());
        // The test itself is linked as the machine does it, which no path of a loader can tell: it only has to be read.
        let myself = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(cfg!(not(target_os = "linux")) || interpreter(&myself).is_ok());
    }
}
