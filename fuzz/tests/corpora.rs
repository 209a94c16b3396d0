//! Each target takes each input of its corpus.

use std::fs;
use std::path::Path;

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            take(stringify!($name), kliento_fuzz::$name);
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

targets!(
    dns_message,
    chain,
    authentication_chain,
    bundle,
    certificate,
    txt_record,
    token,
    header,
    trust_anchors,
    keys,
    names,
    verified_bundle,
    resigned_bundle,
    texts,
    configuration,
    paths,
    hosts,
    rules,
    token_review,
    check_request,
    forward,
    signatures,
    zone_signatures,
);

fn take(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut inputs = names_in(&folder);
    inputs.sort();
    assert!(!inputs.is_empty(), "there is no corpus");
    for input in inputs {
        // Shown if the test fails.
        println!("{input}");
        target(&fs::read(folder.join(input)).expect("the input can be read"));
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be read").file_name())
        .map(|name| name.into_string().expect("a name in UTF-8"))
        .collect()
}

/// A target that is added is replayed too.
#[test]
fn every_target_is_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut programs = names_in(&folder);
    programs.sort();
    let mut expected: Vec<String> = NAMES.iter().map(|name| format!("{name}.rs")).collect();
    expected.sort();
    assert_eq!(programs, expected);
}
