//! Tells the demo's story: line by line to people, as one document to programs.

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::attacks::Attack;
use super::http::Answer;
use crate::fault::{self, Fault};
use crate::output::{self, COMMAND, FAINT, GOOD, Output, Printable, STRONG};

/// Says each thing as it happens.
pub(super) struct Narrator<'o> {
    output: &'o Output,
    story: Story,
}

#[derive(Default, Serialize)]
struct Story {
    status: &'static str,
    steps: Vec<Step>,
    attacks: Vec<AttackDocument>,
    milliseconds: u128,
}

#[derive(Default, Serialize)]
struct Step {
    title: String,
    commands: Vec<String>,
    results: Vec<String>,
    exchanges: Vec<Exchange>,
}

#[derive(Serialize)]
struct Exchange {
    request: String,
    status: u16,
    body: Value,
}

#[derive(Serialize)]
struct AttackDocument {
    attack: &'static str,
    refused: bool,
    reason: String,
    command: String,
}

impl<'o> Narrator<'o> {
    pub(super) fn new(output: &'o Output) -> Self {
        Self {
            output,
            story: Story::default(),
        }
    }

    pub(super) fn open(&self) -> Result<(), Fault> {
        self.print(format_args!(
            "{STRONG}Kliento: prove who you are with a domain name; check it with no network.{STRONG:#}\n\
             {FAINT}All of this happens now, in memory and on 127.0.0.1. Nothing is left behind.{FAINT:#}\n"
        ))
    }

    /// A numbered heading.
    pub(super) fn step(&mut self, title: &str) -> Result<(), Fault> {
        self.story.steps.push(Step {
            title: title.to_owned(),
            ..Step::default()
        });
        let number = self.story.steps.len();
        self.print(format_args!("\n{STRONG}{number}. {title}{STRONG:#}\n"))
    }

    /// The command that does the same with files.
    pub(super) fn command(&mut self, command: &str) -> Result<(), Fault> {
        self.print(format_args!(
            "   {FAINT}${FAINT:#} {COMMAND}{}{COMMAND:#}\n",
            command.replace('\n', "\n   ")
        ))?;
        self.note(|step| step.commands.push(unfold(command)));
        Ok(())
    }

    /// What such a command prints.
    pub(super) fn output(&mut self, text: &str) -> Result<(), Fault> {
        self.result("", text)
    }

    /// What came of the step.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Fault> {
        self.result("→ ", text)
    }

    /// One of several of a kind.
    pub(super) fn fact(&mut self, label: &str, text: &str) -> Result<(), Fault> {
        self.result("", &format!("{label:14}{text}"))
    }

    fn result(&mut self, mark: &str, text: &str) -> Result<(), Fault> {
        self.print(format_args!("   {mark}{}\n", Printable(text.trim_end())))?;
        self.note(|step| step.results.push(text.trim_end().to_owned()));
        Ok(())
    }

    /// A request and its answer.
    pub(super) fn exchange(&mut self, request: &str, answer: &Answer) -> Result<(), Fault> {
        let status = answer.status;
        let challenge = answer.challenge.as_ref();
        let outcome = match (answer.text("/subject"), challenge) {
            (Some(subject), _) => format!(
                "{subject}, claims {}",
                answer.body.get("claims").unwrap_or(&Value::Null)
            ),
            (None, Some(scheme)) => format!("WWW-Authenticate: {scheme}"),
            (None, None) => String::new(),
        };
        self.print(format_args!(
            "   GET / {request:25} {GOOD}{status}{GOOD:#}  {}\n",
            Printable(&outcome)
        ))?;
        if let (Some(signer), Some(time)) = (answer.text("/signedBy"), &answer.verified_in) {
            self.print(format_args!(
                "{:40}{FAINT}signed by the {signer}; verified in {time} ms{FAINT:#}\n",
                ""
            ))?;
        }
        let exchange = Exchange {
            request: request.to_owned(),
            status,
            body: answer.body.clone(),
        };
        self.note(|step| step.exchanges.push(exchange));
        Ok(())
    }

    /// An attack that failed.
    pub(super) fn attack(&mut self, attack: &Attack, answer: &Answer) -> Result<(), Fault> {
        let reason = answer.text("/reason").unwrap_or_default();
        let (title, plot) = (attack.title, attack.plot);
        self.print(format_args!(
            "   {GOOD}{}{GOOD:#} {title:25} {STRONG}{reason}{STRONG:#}\n       {FAINT}{plot}{FAINT:#}\n       \
             {FAINT}${FAINT:#} {COMMAND}{}{COMMAND:#}\n",
            answer.status, attack.command
        ))?;
        self.story.attacks.push(AttackDocument {
            attack: title,
            refused: answer.status == 401,
            reason: reason.to_owned(),
            command: attack.command.clone(),
        });
        Ok(())
    }

    pub(super) fn close(mut self, elapsed: Duration) -> Result<(), Fault> {
        self.story.status = "done";
        self.story.milliseconds = elapsed.as_millis();
        if self.output.is_json() {
            return output::json(&self.story);
        }
        self.print(format_args!(
            "\n{GOOD}All went as told{GOOD:#}, in {:.1} s. Your own domain next: kliento --help\n",
            elapsed.as_secs_f64()
        ))
    }

    /// Notes something about the step that is being told.
    fn note(&mut self, note: impl FnOnce(&mut Step)) {
        if let Some(step) = self.story.steps.last_mut() {
            note(step);
        }
    }

    fn print(&self, text: fmt::Arguments<'_>) -> Result<(), Fault> {
        if self.output.is_json() {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        stdout
            .write_fmt(text)
            .and_then(|()| stdout.flush())
            .map_err(|error| fault::error_on_stdout(&error))
    }
}

/// A command of several lines in one.
fn unfold(command: &str) -> String {
    let words: Vec<&str> = command
        .split_whitespace()
        .filter(|word| *word != "\\")
        .collect();
    words.join(" ")
}
