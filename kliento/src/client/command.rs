//! Tokens that a command prints.

use core::fmt;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use super::form;
use super::supply::Bundle;

/// The most bytes of a command's standard error that are kept.
const MAX_COMPLAINT: usize = 2_048;

/// The length from which a word that begins like a token is treated as one.
const TOKEN_LIKE: usize = 40;

/// A command that prints a token: `kliento token issue … --out -`, or a program that gets one from
/// a service. It runs when a token is needed.
///
/// It runs without a shell and with empty standard input. It must print a bundle in any form that
/// `kliento token issue` writes (DER, Base64, or the value of an `Authorization` field) and exit
/// with status 0. If it exceeds the [time limit](super::TokenSourceBuilder::time_limit) or prints
/// too much, it is killed, but not the processes that it has started. Its standard error becomes
/// part of the source's error.
///
/// ```no_run
/// use kliento::client::{TokenCommand, TokenSource};
///
/// let audience = "https://api.example.com".parse()?;
/// let command = TokenCommand::new("kliento")
///     .args(["token", "issue", "--audience", "https://api.example.com"])
///     .args(["--member-id-bundle", "alice.member-id", "--key", "alice.key.pem"])
///     .args(["--format", "header", "--out", "-"]);
/// let source = TokenSource::new(audience, command);
/// # Ok::<(), kliento::AudienceError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenCommand {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl TokenCommand {
    /// A command that runs the program of this name or path, without arguments.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to its environment, which includes that of this process.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(super) fn program(&self) -> &OsStr {
        &self.program
    }

    pub(super) async fn run(&self) -> Result<Bundle, CommandFault> {
        let mut child = self.start().map_err(CommandFault::NotStarted)?;
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        // All at the same time: a command that waits for its reader would never exit.
        let (printed, complaint, status) = tokio::try_join!(
            async { read_output(stdout).await },
            async { read_complaint(stderr).await },
            async { child.wait().await.map_err(CommandFault::Lost) },
        )?;
        if !status.success() {
            return Err(CommandFault::Failed { status, complaint });
        }
        Ok(printed)
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

/// The whole output, unless it is longer than any token.
async fn read_output(pipe: Option<impl AsyncRead + Unpin>) -> Result<Bundle, CommandFault> {
    let mut octets = Zeroizing::new(Vec::with_capacity(form::MAX_OCTETS + 1));
    read_up_to(pipe, form::MAX_OCTETS + 1, &mut octets).await?;
    if octets.len() > form::MAX_OCTETS {
        return Err(CommandFault::TooMuch);
    }
    Ok(octets)
}

/// The beginning of its standard error. The rest is read and discarded.
async fn read_complaint(pipe: Option<impl AsyncRead + Unpin>) -> Result<Complaint, CommandFault> {
    let Some(mut pipe) = pipe else {
        return Ok(Complaint::default());
    };
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_COMPLAINT));
    read_up_to(Some(&mut pipe), MAX_COMPLAINT, &mut octets).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink())
        .await
        .map_err(CommandFault::Lost)?;
    Ok(Complaint::new(&String::from_utf8_lossy(&octets)))
}

async fn read_up_to(
    pipe: Option<impl AsyncRead + Unpin>,
    limit: usize,
    into: &mut Vec<u8>,
) -> Result<(), CommandFault> {
    let Some(pipe) = pipe else {
        return Ok(());
    };
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    pipe.take(limit)
        .read_to_end(into)
        .await
        .map_err(CommandFault::Lost)?;
    Ok(())
}

/// The reason why a command gave no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandFault {
    #[error("it could not be started")]
    NotStarted(#[source] io::Error),
    #[error("its output or exit status could not be read")]
    Lost(#[source] io::Error),
    #[error(
        "it printed more than {} bytes, which is more than any token has",
        form::MAX_OCTETS
    )]
    TooMuch,
    #[error("it failed with {status}{complaint}")]
    Failed {
        status: ExitStatus,
        complaint: Complaint,
    },
}

/// A command's standard error in one line, without control characters and without text that could
/// be a token.
#[derive(Debug, Default)]
pub(super) struct Complaint(String);

impl Complaint {
    fn new(text: &str) -> Self {
        let mut is_in_token = false;
        let words = text.split_whitespace().map(|word| {
            // A wrapped token continues as long as its lines look like Base64.
            is_in_token = begins_token(word) || is_in_token && is_long_base64(word);
            if is_in_token {
                "…".to_owned()
            } else {
                harmless(word)
            }
        });
        Self(words.collect::<Vec<_>>().join(" "))
    }
}

fn begins_token(word: &str) -> bool {
    word.len() >= TOKEN_LIKE && word.contains("MII")
}

fn is_long_base64(word: &str) -> bool {
    let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
    word.len() >= TOKEN_LIKE && word.bytes().all(is_digit)
}

fn harmless(word: &str) -> String {
    word.chars()
        .map(|character| {
            if character.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        })
        .collect()
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(formatter, ": {}", self.0)
    }
}

/// Does not show arguments and variables, which may contain secrets.
impl fmt::Debug for TokenCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenCommand")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_one_line_without_tokens_and_controls() {
        let token = format!("MII{}", "A".repeat(60));
        let complaint = Complaint::new(&format!(
            "error: no\n\u{1b}[31m key for\r\n{token} \"{token}\"\n"
        ));
        assert_eq!(
            complaint.to_string(),
            ": error: no \u{fffd}[31m key for … …"
        );
        assert_eq!(Complaint::new("\n").to_string(), "");
    }

    #[test]
    fn no_line_of_a_token_that_is_wrapped_is_repeated() {
        let line = "Zm9vYmFyLCBmb28rYmFyL2Zvb2Jhcg/+".repeat(2);
        let complaint = Complaint::new(&format!("got\nMII{line}\n{line}\n{line}\nnot wanted"));
        assert_eq!(complaint.to_string(), ": got … … … not wanted");
    }
}
