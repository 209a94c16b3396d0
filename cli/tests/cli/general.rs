//! What holds for all commands.

use std::process::{Command, Stdio};

use crate::support::{AUDIENCE, MEMBER, NOON, SOON, Scratch, WORKSHOP, run_in, run_in_shell};

#[test]
fn help_and_version_are_status_0_and_nonsense_is_status_2() {
    let scratch = Scratch::new();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["help", "token", "issue"],
        &["org", "--help"],
    ] {
        let run = run_in(scratch.path(), arguments, b"").exits(0);
        assert!(!run.stdout.is_empty() && run.stderr.is_empty());
    }
    for arguments in [
        &[][..],
        &["tokn"],
        &["token"],
        &["token", "--verify"],
        &["demo", "now"],
    ] {
        let run = run_in(scratch.path(), arguments, b"").exits(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty());
    }
}

#[test]
fn the_version_names_the_back_end_and_the_trust_anchors_of_the_build() {
    let scratch = Scratch::new();
    let number = format!("kliento {}\n", env!("CARGO_PKG_VERSION"));
    let short = run_in(scratch.path(), &["-V"], b"").exits(0);
    assert_eq!(short.text(), number);
    let long = run_in(scratch.path(), &["--version"], b"").exits(0);
    assert!(long.text().starts_with(&number));
    assert!(long.text().contains("\ncryptography: "), "{}", long.text());
    for anchor in &dnssec::TrustAnchors::iana() {
        let tag = anchor.key_tag().to_string();
        assert!(long.text().contains(&tag), "{}", long.text());
    }
    assert!(long.text().lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn what_is_made_for_a_closed_or_full_standard_output_is_no_success() {
    let issue = format!(
        "\"$0\" token issue --audience {AUDIENCE} --not-before {NOON} --trust-anchors anchors {MEMBER} --format header --out -"
    );
    let credential = format!(
        "\"$0\" kubectl-credential --audience {AUDIENCE} --not-before {NOON} --trust-anchors anchors {MEMBER}"
    );
    for command in [
        "\"$0\" key generate --algorithm ed25519 --out -",
        "\"$0\" key public --key alice.key.pem",
        "\"$0\" key public --key alice.key.pem --json",
        "\"$0\" organisation record --domain example.com --key org.key.pem",
        "\"$0\" organization record --domain example.com --key org.key.pem",
        &issue,
        "\"$0\" completions bash",
        &credential,
        "\"$0\" serve --sample",
        "\"$0\" --help",
        "\"$0\" help token issue",
        "\"$0\" --version",
    ] {
        let good = run_in_shell(&format!("{command} >/dev/null"));
        assert_eq!(good.status, 0, "{command}: {}", good.stderr);
        run_in_shell(&format!("{command} >&-"))
            .exits(2)
            .explains("standard output is closed")
            .hints();
        run_in_shell(&format!("{command} >/dev/full")).exits(2);
    }
}

/// Each command's long help in a terminal of so many columns, by the words that call it.
fn helps(columns: &str) -> Vec<(String, String)> {
    let help = |command: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_kliento"))
            .args(command.split_whitespace())
            .arg("--help")
            .env("COLUMNS", columns)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}");
        (
            command.to_owned(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let commands_in = |text: &str| -> Vec<String> {
        let list = text
            .split_once("\nCommands:\n")
            .map_or("", |(_, list)| list);
        let list = list.split("\n\n").next().unwrap_or_default();
        let lines = list
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = lines.filter_map(|line| line.split_whitespace().next());
        names
            .filter(|name| *name != "help")
            .map(ToOwned::to_owned)
            .collect()
    };
    let mut all = vec![help("")];
    for command in commands_in(&all[0].1) {
        all.push(help(&command));
        for inner in commands_in(&all.last().unwrap().1) {
            all.push(help(&format!("{command} {inner}")));
        }
    }
    all
}

#[test]
fn help_fits_80_columns_and_its_examples_are_not_broken() {
    let narrow = helps("80");
    assert!(narrow.len() > 25, "{}", narrow.len());
    for ((command, narrow), (_, wide)) in narrow.iter().zip(&helps("200")) {
        let lines = narrow.lines().filter(|line| !line.starts_with("Usage: "));
        for line in lines {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
        // What stands behind the options is laid out by hand.
        let end = |text: &str| {
            let (_, end) = text.rsplit_once("Print help").unwrap();
            end.split_once("\n\n")
                .map(|(_, examples)| examples.to_owned())
        };
        assert_eq!(end(narrow), end(wide), "{command}");
    }
}

#[test]
fn writes_completions_for_each_shell() {
    let scratch = Scratch::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = run_in(scratch.path(), &["completions", shell], b"").exits(0);
        for word in ["member-id-bundle", "allow-algorithm", "delegate"] {
            assert!(run.text().contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn writes_a_man_page_for_each_command() {
    let scratch = Scratch::new();
    run_in(scratch.path(), &["man", "man1"], b"").exits(0);
    let pages = std::fs::read_dir(scratch.path().join("man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    for page in [
        "kliento.1",
        "kliento-token.1",
        "kliento-token-verify.1",
        "kliento-organisation-delegate.1",
        "kliento-member-inspect.1",
        "kliento-demo.1",
        "kliento-serve.1",
    ] {
        assert!(pages.iter().any(|name| name == page), "{page}: {pages:?}");
    }
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let run = |variables: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_kliento"))
            .args([
                "token",
                "verify",
                "--audience",
                AUDIENCE,
                "--trust-anchors",
                "anchors",
                "--at",
                SOON,
            ])
            .arg("alice.token")
            .current_dir(WORKSHOP.path(""))
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().contains('\u{1b}')
    };
    assert!(!run(&[]), "this is no terminal");
    assert!(run(&[("CLICOLOR_FORCE", "1")]));
    assert!(!run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kliento"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stderr.is_empty());
}

#[test]
fn file_names_need_not_be_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = Scratch::new();
    let name = OsStr::from_bytes(b"key-\xff.pem");
    let generate = ["key", "generate", "--out"].map(OsStr::new);
    run_in(scratch.path(), &[&generate[..], &[name]].concat(), b"").exits(0);
    let public = ["key", "public", "--key"].map(OsStr::new);
    run_in(scratch.path(), &[&public[..], &[name]].concat(), b"").exits(0);
}

#[test]
fn hints_at_what_was_meant_when_a_token_is_given_for_a_file() {
    let scratch = Scratch::new();
    let arguments = [
        "token",
        "verify",
        "--audience",
        AUDIENCE,
        "Kliento MIISAA==",
    ];
    run_in(scratch.path(), &arguments, b"").exits(2).hints();
}
