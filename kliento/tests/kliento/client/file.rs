//! Tokens from files that are replaced in all the ways in which files are.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kliento::client::{TokenFile, TokenSource};
use kliento::header;
use tempfile::TempDir;
use tokio::time::{advance, sleep};

use super::support::{AUDIENCE, Clock, LIFETIME, bundle, number, period};

const SECOND: Duration = Duration::from_secs(1);

struct Place {
    directory: TempDir,
    clock: Clock,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            clock: Clock::at_noon(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn source(&self) -> TokenSource {
        self.clock.source(TokenFile::new(self.path("token")))
    }
}

fn write(path: &Path, number: usize) {
    fs::write(path, bundle(AUDIENCE, period(0, LIFETIME), number)).unwrap();
}

/// What a source gives after it had the time to look.
async fn number_later(source: &TokenSource) -> usize {
    advance(SECOND).await;
    let _ = source.token().await;
    // Time goes on by itself when nothing else is to be done, reading files included.
    sleep(Duration::from_millis(1)).await;
    number(&source.token().await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn reads_each_form_that_the_command_writes() {
    let place = Place::new();
    let der = bundle(AUDIENCE, period(0, LIFETIME), 1);
    let value = header::encode(&der);
    let base64 = value.strip_prefix("Kliento ").unwrap();
    for form in [
        der.clone(),
        format!("{base64}\n").into(),
        format!("{value}\n").into(),
    ] {
        fs::write(place.path("token"), form).unwrap();
        assert_eq!(place.source().token().await.unwrap().as_str(), value);
    }
}

/// For callers that never wait: the file is looked at each second.
#[tokio::test(start_paused = true)]
async fn sees_a_file_that_is_written_anew_while_nobody_waits() {
    let place = Place::new();
    write(&place.path("token"), 1);
    let source = place.source();
    let _fresh = source.keep_fresh().unwrap();
    for expected in [1, 2] {
        write(&place.path("token"), expected);
        sleep(2 * SECOND).await;
        // Reading a file takes real time.
        for _ in 0..1_000 {
            if source
                .current()
                .is_some_and(|token| number(&token) == expected)
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(number(&source.current().unwrap()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn sees_a_file_that_is_written_anew() {
    let place = Place::new();
    write(&place.path("token"), 1);
    let source = place.source();
    assert_eq!(number(&source.token().await.unwrap()), 1);
    write(&place.path("token"), 2);
    assert_eq!(
        number(&source.token().await.unwrap()),
        1,
        "within the second"
    );
    assert_eq!(number_later(&source).await, 2);
}

#[tokio::test(start_paused = true)]
async fn sees_a_file_that_another_is_renamed_over() {
    let place = Place::new();
    write(&place.path("token"), 1);
    let source = place.source();
    source.token().await.unwrap();
    write(&place.path("new"), 2);
    fs::rename(place.path("new"), place.path("token")).unwrap();
    assert_eq!(number_later(&source).await, 2);
}

/// As a volume of Kubernetes: `token` leads to `..data/token`, and `..data` to a directory that is replaced by another.
#[tokio::test(start_paused = true)]
async fn sees_another_target_of_a_symbolic_link_on_the_way() {
    let place = Place::new();
    for (directory, number) in [("..1", 1), ("..2", 2)] {
        fs::create_dir(place.path(directory)).unwrap();
        write(&place.path(directory).join("token"), number);
    }
    symlink("..1", place.path("..data")).unwrap();
    symlink("..data/token", place.path("token")).unwrap();
    let source = place.source();
    assert_eq!(number(&source.token().await.unwrap()), 1);
    symlink("..2", place.path("..new")).unwrap();
    fs::rename(place.path("..new"), place.path("..data")).unwrap();
    assert_eq!(number_later(&source).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_missing_or_broken_for_a_while_does_no_harm() {
    let place = Place::new();
    write(&place.path("token"), 1);
    let source = place.source();
    source.token().await.unwrap();
    let stale = bundle(AUDIENCE, period(-LIFETIME, -1), 2);
    for broken in [&b""[..], b"half a token", &stale, &stale[..100]] {
        fs::write(place.path("token"), broken).unwrap();
        assert_eq!(number_later(&source).await, 1);
    }
    fs::remove_file(place.path("token")).unwrap();
    assert_eq!(number_later(&source).await, 1);
    place.clock.set(LIFETIME + 1);
    source.token().await.unwrap_err();
    fs::write(
        place.path("token"),
        bundle(AUDIENCE, period(0, 2 * LIFETIME), 3),
    )
    .unwrap();
    advance(30 * SECOND).await;
    assert_eq!(number(&source.token().await.unwrap()), 3);
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_for_its_owner_to_choose() {
    let place = Place::new();
    write(&place.path("token"), 1);
    let file = TokenFile::new(place.path("token")).with_interval(60 * SECOND);
    let source = place.clock.source(file);
    source.token().await.unwrap();
    write(&place.path("token"), 2);
    advance(58 * SECOND).await;
    assert_eq!(number_later(&source).await, 1);
    assert_eq!(number_later(&source).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_about_to_end_is_looked_at_first() {
    let place = Place::new();
    write(&place.path("token"), 1);
    let file = TokenFile::new(place.path("token")).with_interval(3_600 * SECOND);
    let source = place.clock.source(file);
    source.token().await.unwrap();
    fs::write(place.path("token"), bundle(AUDIENCE, period(300, 900), 2)).unwrap();
    advance(SECOND).await;
    place.clock.set(LIFETIME - 5);
    assert_eq!(number(&source.token().await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn says_which_file_and_what_is_wrong_with_it() {
    let place = Place::new();
    let fifo = place.path("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    fs::create_dir(place.path("directory")).unwrap();
    fs::write(place.path("large"), vec![b'M'; 100_000]).unwrap();
    fs::write(place.path("empty"), b"").unwrap();
    for (name, expected) in [
        ("missing", "No such file"),
        ("fifo", "not a regular file"),
        ("directory", "not a regular file"),
        ("large", "more than 65536 bytes"),
        ("empty", "nothing in it"),
    ] {
        let source = place.clock.source(TokenFile::new(place.path(name)));
        let error = source.token().await.unwrap_err();
        assert_eq!(error.reason(), "client.unobtainable");
        assert!(error.to_string().contains(name), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(expected), "{name}: {cause}");
    }
}
