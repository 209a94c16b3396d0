//! `kliento demo`.

use std::process::Command;

use crate::support::{Run, Scratch};

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
        "_veraid.example.com. 3600 IN TXT \"1 ",
        "$ kliento dnssec retrieve",
        "$ kliento member certify",
        "$ kliento token issue",
        "200  alice@example.com",
        "200  example.com",
        "$ kliento token verify",
        "All went as told",
    ] {
        assert!(run.text().contains(part), "{part}: {}", run.text());
    }
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
