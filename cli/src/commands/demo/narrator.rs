//! Tells the demo's story: line by line to people, as one document to programs.

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::attacks::Attack;
use super::http::Answer;
use super::unexpected;
use crate::fault::{self, Fault};
use crate::output::{self, Output};
use crate::terminal::{COMMAND, FAINT, GOOD, Printable, STRONG};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
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

/// The files that are left behind.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kept {
    pub(super) directory: String,
    pub(super) valid_until: String,
    pub(super) tokens_valid_until: String,
    pub(super) files: Vec<KeptFile>,
}

#[derive(Serialize)]
pub(super) struct KeptFile {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

impl<'o> Narrator<'o> {
    pub(super) fn new(output: &'o Output) -> Self {
        Self {
            output,
            story: Story::default(),
        }
    }

    pub(super) fn open(&self, is_kept: bool) -> Result<(), Fault> {
        let end = if is_kept {
            "The files come last."
        } else {
            "Nothing is left behind."
        };
        self.print(format_args!(
            "{STRONG}Kliento: prove who you are with a domain name; check it with no network.{STRONG:#}\n\
             {FAINT}All of this happens now, in memory and on 127.0.0.1. {end}{FAINT:#}\n"
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
            fold(command, 5)
        ))?;
        self.note(|step| step.commands.push(command.to_owned()));
        Ok(())
    }

    /// The output of such a command.
    pub(super) fn output(&mut self, text: &str) -> Result<(), Fault> {
        self.result("", text)
    }

    /// A DNS record, in two lines as zone files may have it: it is too long for one.
    pub(super) fn record(&mut self, line: &str) -> Result<(), Fault> {
        let line = line.trim_end();
        let (owner, text) = line
            .split_once(" \"")
            .ok_or_else(|| unexpected("the record holds no text"))?;
        self.print(format_args!("   {owner} (\n       \"{text} )\n"))?;
        self.note(|step| step.results.push(line.to_owned()));
        Ok(())
    }

    /// The result of the step.
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
            "   GET / {request:23} {GOOD}{status}{GOOD:#}  {}\n",
            Printable(&outcome)
        ))?;
        if let (Some(signer), Some(time)) = (answer.text("/signedBy"), &answer.verified_in) {
            self.print(format_args!(
                "       {FAINT}signed by the {signer}; verified in {time} ms{FAINT:#}\n"
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
            answer.status,
            fold(&attack.command, 9)
        ))?;
        self.story.attacks.push(AttackDocument {
            attack: title,
            refused: answer.status == 401,
            reason: reason.to_owned(),
            command: attack.command.clone(),
        });
        Ok(())
    }

    /// The files that were written.
    pub(super) fn keep(&mut self, kept: Kept) -> Result<(), Fault> {
        for KeptFile { name, description } in &kept.files {
            self.result("", &format!("{name:22}{description}"))?;
        }
        let (tokens, rest) = (&kept.tokens_valid_until, &kept.valid_until);
        self.say(&format!(
            "in {}; the keys are for trying only",
            kept.directory
        ))?;
        self.say(&format!(
            "tokens hold until {tokens}, all else until {rest}"
        ))?;
        self.story.kept = Some(kept);
        Ok(())
    }

    pub(super) fn close(mut self, elapsed: Duration) -> Result<(), Fault> {
        self.story.status = "done";
        self.story.milliseconds = elapsed.as_millis();
        if self.output.is_json() {
            return output::json(&self.story);
        }
        self.print(format_args!(
            "\n{GOOD}Everything went as described{GOOD:#}, in {:.1} s. Next, your own domain:\n   \
             {COMMAND}kliento organisation check --domain …{COMMAND:#}\n",
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

/// A command as lines of a shell that fit a terminal, after `indent` columns.
fn fold(command: &str, indent: usize) -> String {
    const COLUMNS: usize = 80;
    const CONTINUATION: &str = " \\";
    let mut folded = String::new();
    let mut column = indent;
    for part in parts(command) {
        let width = part.chars().count();
        if folded.is_empty() {
            column += width;
        } else if column + 1 + width + CONTINUATION.len() <= COLUMNS {
            folded.push(' ');
            column += 1 + width;
        } else {
            folded.push_str(CONTINUATION);
            folded.push('\n');
            folded.push_str(&" ".repeat(indent + 2));
            column = indent + 2 + width;
        }
        folded.push_str(&part);
    }
    folded
}

/// The words of a command, each option with its value. Quotes hold words together; nothing else does.
fn parts(command: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut quote = None;
    let words = command.split(|character| {
        match quote {
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ => {}
        }
        character == ' ' && quote.is_none()
    });
    for word in words {
        match parts.last_mut() {
            Some(option)
                if option.starts_with('-') && !option.contains(' ') && !word.starts_with('-') =>
            {
                option.push(' ');
                option.push_str(word);
            }
            _ => parts.push(word.to_owned()),
        }
    }
    parts
}
