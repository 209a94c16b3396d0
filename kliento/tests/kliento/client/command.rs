//! Tokens from commands, real ones.

use std::fs;
use std::path::Path;
use std::time::Duration;

use kliento::client::{TokenCommand, TokenSourceError};
use kliento::header;
use tempfile::TempDir;
use tokio::time::{advance, pause};

use super::support::{AUDIENCE, Clock, LIFETIME, bundle, period};

fn shell(script: &str) -> TokenCommand {
    TokenCommand::new("sh").args(["-c", script])
}

async fn failure(command: TokenCommand) -> (TokenSourceError, String) {
    let error = Clock::at_noon().source(command).token().await.unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    (error, cause.unwrap_or_default())
}

#[tokio::test]
async fn takes_each_form_and_passes_arguments_and_variables_as_they_are() {
    let directory = TempDir::new().unwrap();
    let der = bundle(AUDIENCE, period(0, LIFETIME), 1);
    let value = header::encode(&der);
    let base64 = value.strip_prefix("Kliento ").unwrap();
    let path = directory.path().join("a $HOME; `token` \"of\" 'mine'");
    for form in [
        der.clone(),
        format!("{base64}\n").into(),
        format!("{value}\n").into(),
    ] {
        fs::write(&path, form).unwrap();
        let cat = TokenCommand::new("cat").arg("--").arg(&path);
        assert_eq!(
            Clock::at_noon().source(cat).token().await.unwrap().as_str(),
            value
        );
    }
    let variable = shell("cat \"$TOKEN_FILE\"").env("TOKEN_FILE", &path);
    assert_eq!(
        Clock::at_noon()
            .source(variable)
            .token()
            .await
            .unwrap()
            .as_str(),
        value
    );
}

#[tokio::test]
async fn a_failure_says_what_the_command_complained_about() {
    let (error, cause) = failure(shell("echo MII; echo 'no key for\talice' >&2; exit 3")).await;
    assert_eq!(error.to_string(), "no token from the command sh");
    assert_eq!(cause, "it failed with exit status: 3: no key for alice");
    let (_, cause) = failure(shell("exit 1")).await;
    assert_eq!(cause, "it failed with exit status: 1");
    let (_, cause) = failure(TokenCommand::new("/no/such/program")).await;
    assert_eq!(cause, "it could not be started");
}

#[tokio::test]
async fn a_token_beside_a_failure_is_not_taken() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("token");
    fs::write(&path, bundle(AUDIENCE, period(0, LIFETIME), 1)).unwrap();
    let command = shell("cat \"$TOKEN_FILE\"; exit 1").env("TOKEN_FILE", &path);
    assert_eq!(failure(command).await.0.reason(), "client.unobtainable");
}

#[tokio::test]
async fn long_complaints_hold_nothing_up() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("token");
    fs::write(&path, bundle(AUDIENCE, period(0, LIFETIME), 1)).unwrap();
    // By the shell itself, which would not survive it if nobody read on.
    let complaints =
        "i=0; while [ $i -lt 9999 ]; do echo 'no, no, no, no, no, no' >&2; i=$((i+1)); done";
    let command = shell(&format!("{complaints}; cat \"$TOKEN_FILE\"")).env("TOKEN_FILE", &path);
    Clock::at_noon().source(command).token().await.unwrap();
    let (_, cause) = failure(shell(&format!("{complaints}; exit 1"))).await;
    assert!(cause.len() < 2_200, "{}", cause.len());
}

#[tokio::test]
async fn a_command_that_prints_without_end_is_stopped() {
    let (_, cause) = failure(TokenCommand::new("yes")).await;
    assert!(cause.contains("more than 65536 bytes"), "{cause}");
}

#[tokio::test]
async fn there_is_nothing_on_its_standard_input() {
    let (error, _) = failure(TokenCommand::new("cat")).await;
    assert_eq!(error.reason(), "client.unreadable");
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed() {
    let directory = TempDir::new().unwrap();
    let written = directory.path().join("pid");
    let command =
        shell("echo $$ > \"$WRITTEN.new\"; mv \"$WRITTEN.new\" \"$WRITTEN\"; exec sleep 100000")
            .env("WRITTEN", &written);
    let source = Clock::at_noon().source(command);
    let waiting = tokio::spawn(async move { source.token().await });
    let pid = until(|| fs::read_to_string(&written).ok()).await;
    let process = Path::new("/proc").join(pid.trim()).join("stat");
    assert!(is_running(&process));
    pause();
    advance(Duration::from_secs(31)).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.reason(), "client.timed_out");
    until(|| (!is_running(&process)).then_some(())).await;
}

/// Whether it is neither gone nor waiting to be.
fn is_running(stat: &Path) -> bool {
    let state = fs::read_to_string(stat).unwrap_or_default();
    state.contains("(sleep)") && !state.contains(") Z ") || state.contains("(sh)")
}

/// What comes to be, sooner or later.
async fn until<T>(condition: impl Fn() -> Option<T>) -> T {
    loop {
        if let Some(found) = condition() {
            return found;
        }
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}
