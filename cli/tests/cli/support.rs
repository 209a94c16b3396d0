//! A domain in files, made with the binary itself under a fixed clock, and a way to run more of it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const SERVICE: &str = "1.3.6.1.4.1.58708.1.1";
pub(crate) const RECORD: &str = "_veraid.example.com";
pub(crate) const MIDNIGHT: &str = "2025-11-21T00:00:00Z";
/// Long ago, so that the present has no part in any test.
pub(crate) const NOON: &str = "2025-11-21T12:00:00Z";
/// Within the ten minutes of a token of noon.
pub(crate) const SOON: &str = "2025-11-21T12:05:00Z";
/// Just after them.
pub(crate) const LATER: &str = "2025-11-21T12:10:01Z";
pub(crate) const NOON_SECONDS: i64 = 1_763_726_400;

/// What a run of the binary came to.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self {
            status: output.status.code().expect("it was not killed"),
            stdout: output.stdout,
            stderr,
        }
    }
}

impl Run {
    /// Asserts the exit status.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        let stdout = String::from_utf8_lossy(&self.stdout);
        assert_eq!(
            self.status, status,
            "stdout: {stdout}\nstderr: {}",
            self.stderr
        );
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Asserts that stdout is one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.stdout)))
    }

    /// Asserts that stderr says what is wrong and what would do.
    #[track_caller]
    pub(crate) fn explains(&self, what: &str) -> &Self {
        assert!(
            self.stderr.contains(what),
            "no {what:?} in: {}",
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn hints(&self) -> &Self {
        assert!(
            self.stderr.contains("\nhint: "),
            "no hint in: {}",
            self.stderr
        );
        self
    }
}

/// Runs `kliento` in `directory`.
pub(crate) fn run_in<A: AsRef<OsStr>>(directory: &Path, arguments: &[A], stdin: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kliento"))
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may well end without reading all of it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap().into()
}

/// Runs `kliento` among the workshop's files, with a stdout that nobody reads.
pub(crate) fn run_without_a_reader(line: &str) -> Run {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Command::new(env!("CARGO_BIN_EXE_kliento"))
        .args(line.split_whitespace())
        .current_dir(WORKSHOP.path(""))
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap()
        .into()
}

/// Runs a command line of the shell among the workshop's files; `kliento` in it is `$0`.
pub(crate) fn run_in_shell(line: &str) -> Run {
    Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_kliento")])
        .current_dir(WORKSHOP.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

/// A directory with a domain's and a member's files.
pub(crate) struct Workshop {
    directory: TempDir,
    pub(crate) world: World,
}

/// One for all tests, which write elsewhere.
pub(crate) static WORKSHOP: LazyLock<Workshop> = LazyLock::new(Workshop::new);

impl Workshop {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let run = |line: &str| {
            let arguments: Vec<&str> = line.split_whitespace().collect();
            run_in(directory.path(), &arguments, b"").exits(0)
        };
        run("key generate --algorithm rsa-2048 --out org.key.pem");
        run("key generate --out alice.key.pem");
        run("key public --key alice.key.pem --out alice.pub.pem");
        run(&format!(
            "organisation certificate --domain example.com --key org.key.pem --not-before {MIDNIGHT} --out org.pem"
        ));
        let record =
            run("organisation record --domain example.com --key org.key.pem --json").json();
        let text = record["rdata"]
            .as_str()
            .unwrap()
            .trim_matches('"')
            .to_owned();
        let world = Self::build_world(&text);
        let write =
            |name: &str, octets: &[u8]| fs::write(directory.path().join(name), octets).unwrap();
        write("anchors", world.anchors().as_bytes());
        write(
            "chain",
            &chain_der(&world.chain("_veraid.example.com.", TXT)),
        );
        write(
            "other-anchors",
            Self::build_world(&text).anchors().as_bytes(),
        );
        write("report", b"All is well.\n");
        for (who, name) in [
            ("--name alice", "alice.member-id"),
            ("--bot", "bot.member-id"),
        ] {
            run(&format!(
                "member certify {who} --public-key alice.pub.pem --organisation-certificate org.pem \
                 --organisation-key org.key.pem --dnssec-chain chain --trust-anchors anchors \
                 --not-before {MIDNIGHT} --at {NOON} --out {name}"
            ));
        }
        let workshop = Self { directory, world };
        workshop.issue(MEMBER, "alice.token").exits(0);
        workshop
    }

    fn build_world(text: &str) -> World {
        World::builder()
            .at(NOON_SECONDS)
            .zone(".", Algorithm::EcdsaP256Sha256)
            .zone("com.", Algorithm::Ed25519)
            .zone("example.com.", Algorithm::EcdsaP256Sha256)
            .txt("_veraid.example.com.", text)
            .build()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs a command line among the workshop's files. Words are parted by white space.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_with(line, b"")
    }

    pub(crate) fn run_with(&self, line: &str, stdin: &[u8]) -> Run {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        run_in(self.directory.path(), &arguments, stdin)
    }

    /// Issues a token at noon for ten minutes.
    pub(crate) fn issue(&self, signer: &str, out: &str) -> Run {
        self.run(&format!(
            "token issue --audience {AUDIENCE} --claim role=admin {signer} --trust-anchors anchors \
             --not-before {NOON} --out {out}"
        ))
    }

    pub(crate) fn verify(&self, file: &str, more: &str) -> Run {
        self.run(&format!(
            "token verify --audience {AUDIENCE} --trust-anchors anchors --at {SOON} {more} {file}"
        ))
    }
}

/// Signer options of Alice.
pub(crate) const MEMBER: &str = "--member-id-bundle alice.member-id --key alice.key.pem";
/// Those of the organisation, to which a name is still to be added.
pub(crate) const ORGANISATION: &str =
    "--organisation-certificate org.pem --dnssec-chain chain --key org.key.pem";

/// A place for what a test writes, and a look at what is there.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path in it, as text.
    pub(crate) fn file(&self, name: &str) -> String {
        self.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Permission bits.
pub(crate) fn mode(path: impl AsRef<Path>) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A named pipe in `scratch`, open at both ends.
pub(crate) fn fifo(scratch: &Scratch, name: &str) -> fs::File {
    let path = scratch.file(name);
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}
