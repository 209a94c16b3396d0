//! `kliento demo`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Run, Scratch, mode};

const FILES: [&str; 11] = [
    "alice.key.pem",
    "alice.member-id",
    "anchors",
    "example.com.chain",
    "expired.token",
    "good.token",
    "kliento.toml",
    "org.key.pem",
    "org.pem",
    "other-audience.token",
    "tampered.token",
];

fn demo(scratch: &Scratch, arguments: &[&str]) -> Run {
    Command::new(env!("CARGO_BIN_EXE_kliento"))
        .arg("demo")
        .args(arguments)
        .current_dir(scratch.path())
        .env("HOME", scratch.path())
        .env("TMPDIR", scratch.path())
        .output()
        .unwrap()
        .into()
}

#[test]
fn tells_the_story_and_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let run = demo(&scratch, &[]).exits(0);
    for part in [
        "$ kliento organisation record",
        "_veraid.example.com. 3600 IN TXT (\n       \"1 ",
        "$ kliento dnssec retrieve",
        "$ kliento member certify",
        "$ kliento token issue",
        "200  alice@example.com",
        "200  example.com",
        "$ kliento token verify",
        "Everything went as described, in ",
        "kliento organisation check --domain …",
    ] {
        assert!(run.text().contains(part), "{part}: {}", run.text());
    }
    assert_fits_a_terminal(&run);
    assert!(scratch.names().is_empty(), "{:?}", scratch.names());
}

#[test]
fn refuses_six_attacks_for_the_right_reasons() {
    let scratch = Scratch::new();
    let story = demo(&scratch, &["--json"]).exits(0).json();
    assert_eq!(story["status"], "done");
    let attacks: Vec<(&str, &str)> = story["attacks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attack| {
            assert_eq!(attack["refused"], true);
            (
                attack["attack"].as_str().unwrap(),
                attack["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        attacks,
        [
            ("another audience", "kliento.audience_mismatch"),
            ("an altered claim", "cms.digest_mismatch"),
            ("an expired token", "veraid.signature_expired"),
            ("a stranger's DNSKEY", "dnssec.dnskey_not_committed"),
            ("attribution by a member", "veraid.attribution_by_member"),
            ("another root", "dnssec.dnskey_not_committed"),
        ]
    );
}

#[track_caller]
fn assert_fits_a_terminal(run: &Run) {
    for line in run.text().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs a line of the shell in `scratch`, where `kliento` is the binary that is tested.
fn paste(scratch: &Scratch, line: &str) -> Run {
    let binaries = Path::new(env!("CARGO_BIN_EXE_kliento")).parent().unwrap();
    let path = format!(
        "{}:{}",
        binaries.to_str().unwrap(),
        std::env::var("PATH").unwrap()
    );
    Command::new("sh")
        .args(["-c", line])
        .current_dir(scratch.path())
        .env("PATH", path)
        .output()
        .unwrap()
        .into()
}

/// The commands of the last step, as they would be copied from the terminal.
fn last_commands(text: &str) -> Vec<String> {
    let (_, step) = text.split_once("\n8. ").expect("an eighth step");
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in step.lines() {
        if let Some(start) = line.strip_prefix("   $ ") {
            commands.push(start.to_owned());
        } else if goes_on {
            let command = commands.last_mut().unwrap();
            command.push('\n');
            command.push_str(line);
        }
        goes_on = line.ends_with(" \\");
    }
    commands
}

#[test]
fn keeps_its_world_and_prints_commands_that_work_when_pasted() {
    for directory in ["world", "it's a \"$HOME\" \\ world"] {
        let scratch = Scratch::new();
        let run = demo(&scratch, &["--keep", directory]).exits(0);
        assert_fits_a_terminal(&run);
        assert!(
            run.text().contains("the keys are for trying only"),
            "{}",
            run.text()
        );
        assert_eq!(names(&scratch.path().join(directory)), FILES);

        let commands = last_commands(run.text());
        let (kliento, others): (Vec<_>, Vec<_>) = commands
            .iter()
            .partition(|command| command.starts_with("kliento "));
        for start in [
            "token verify",
            "token inspect",
            "token issue",
            "dnssec verify",
            "serve --config",
        ] {
            let count = kliento
                .iter()
                .filter(|command| command.starts_with(&format!("kliento {start} ")))
                .count();
            assert_eq!(count, 1, "{start}: {commands:?}");
        }
        assert_eq!(kliento.len(), 5, "{commands:?}");
        for command in kliento {
            let end = if command.starts_with("kliento serve") {
                " --check"
            } else {
                ""
            };
            paste(&scratch, &format!("{command}{end}")).exits(0);
        }
        let [request] = others[..] else {
            panic!("not one request: {others:?}")
        };
        // The request itself needs the server: here it is only shown to a curl that prints what it is given.
        let shown = paste(
            &scratch,
            &format!("curl() {{ cat; printf ' %s' \"$@\"; }}\n{request}"),
        )
        .exits(0);
        assert!(shown.text().starts_with("Authorization: Kliento MII"));
        assert!(shown.text().ends_with(" http://127.0.0.1:8080/auth/caddy"));
    }
}

#[test]
fn keeps_tokens_that_are_what_they_are_called() {
    let scratch = Scratch::new();
    demo(&scratch, &["--keep", "world"]).exits(0);
    for (token, status, reason) in [
        ("good", 0, None),
        ("other-audience", 1, Some("kliento.audience_mismatch")),
        ("expired", 1, Some("veraid.signature_expired")),
        ("tampered", 1, Some("cms.digest_mismatch")),
    ] {
        let path = scratch.file(&format!("world/{token}.token"));
        assert!(fs::read_to_string(&path).unwrap().starts_with("Kliento "));
        assert_eq!(mode(&path), 0o600, "{token}");
        let verdict = paste(
            &scratch,
            &format!(
                "kliento token verify --json --trust-anchors world/anchors \
                 --audience https://api.example.org world/{token}.token"
            ),
        )
        .exits(status)
        .json();
        assert_eq!(verdict["reason"].as_str(), reason, "{token}");
    }
    for key in ["org.key.pem", "alice.key.pem"] {
        assert_eq!(mode(scratch.file(&format!("world/{key}"))), 0o600, "{key}");
    }
    assert_eq!(mode(scratch.file("world")), 0o700);
}

#[test]
fn tells_programs_what_it_kept() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.file("empty")).unwrap();
    let story = demo(&scratch, &["--keep", "empty", "--json"])
        .exits(0)
        .json();
    let kept = &story["kept"];
    assert_eq!(kept["directory"], "empty");
    let mut files: Vec<&str> = kept["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["name"].as_str().unwrap())
        .collect();
    files.sort_unstable();
    assert_eq!(files, FILES);
    assert!(kept["tokensValidUntil"].as_str() < kept["validUntil"].as_str());
    assert_eq!(story["steps"][7]["commands"].as_array().unwrap().len(), 6);

    let story = demo(&scratch, &["--json"]).exits(0).json();
    assert!(story.get("kept").is_none());
}

#[test]
fn keeps_nothing_where_something_is_already() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.file("full")).unwrap();
    fs::write(scratch.file("full/mine"), "mine").unwrap();
    for (path, fault) in [
        ("full", "the directory full is not empty"),
        ("full/mine", "full/mine is not a directory"),
        ("two\nlines", "cannot be shown in a command"),
    ] {
        let run = demo(&scratch, &["--keep", path]).exits(2);
        run.explains(fault).hints();
        assert!(run.stdout.is_empty());
    }
    demo(&scratch, &["--keep", "missing/world"])
        .exits(2)
        .explains("missing/world");
    assert_eq!(names(&scratch.path().join("full")), ["mine"]);
    assert_eq!(scratch.names(), ["full"]);
}
