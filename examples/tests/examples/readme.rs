//! The samples in the README are the files of this package, which are compiled, and they name versions that are in use.

use std::fs;
use std::path::Path;

/// What stands between two fences: its language, and its text with the last line feed.
struct Block {
    language: String,
    text: String,
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                open = Some(Block {
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "the last block has no end");
    blocks
}

/// The text of all blocks in a language, in their order.
fn in_language<'a>(blocks: &'a [Block], language: &str) -> Vec<&'a str> {
    let blocks = blocks.iter().filter(|block| block.language == language);
    blocks.map(|block| block.text.as_str()).collect()
}

#[test]
fn the_samples_of_the_readme_are_the_examples() {
    let readme = blocks(&read("README.md"));
    for (language, files) in [
        (
            "rust",
            &["examples/src/bin/server.rs", "examples/src/bin/client.rs"][..],
        ),
        ("nginx", &["examples/forward-auth/nginx/site.conf"][..]),
    ] {
        let samples = in_language(&readme, language);
        assert_eq!(samples.len(), files.len(), "blocks of {language}");
        for (sample, file) in samples.into_iter().zip(files) {
            assert!(
                sample == read(file),
                "the README's sample differs from {file}"
            );
        }
    }
    // A block such as `rust,no_run` would have escaped.
    let known = ["text", "sh", "toml", "rust", "nginx"];
    for block in &readme {
        assert!(known.contains(&block.language.as_str()), "{}", block.text);
    }
}

#[test]
fn the_versions_in_the_readme_are_those_of_the_lock_file() {
    let readme = blocks(&read("README.md"));
    let manifests = in_language(&readme, "toml");
    let [manifest] = *manifests.as_slice() else {
        panic!("{} manifests", manifests.len());
    };
    let lock = read("Cargo.lock");
    let mut dependencies = 0;
    for line in manifest.lines().skip(1) {
        let (name, value) = line.split_once(" = ").unwrap();
        if value.contains("path = ") {
            continue;
        }
        let start = if value.starts_with('{') {
            "{ version = \""
        } else {
            "\""
        };
        let value = value.strip_prefix(start).unwrap();
        let (version, _) = value.split_once('"').unwrap();
        let locked = format!("name = \"{name}\"\nversion = \"{version}");
        let end = |rest: &str| rest.starts_with('.') || rest.starts_with('"');
        let mut places = lock.match_indices(&locked);
        assert!(
            places.any(|(at, found)| lock.get(at + found.len()..).is_some_and(end)),
            "{name} {version} is not in Cargo.lock"
        );
        dependencies += 1;
    }
    assert_eq!(dependencies, 3);
}

#[test]
fn the_readme_takes_two_minutes() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 150);
    for command in [
        "cargo run --release -p kliento-cli -- demo ",
        "cargo test --workspace ",
    ] {
        assert!(readme.lines().any(|line| line.starts_with(command)));
    }
}
