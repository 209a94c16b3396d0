//! Faults: how a command ends when it does not end well, with what happened, what would do, and the exit status.
//!
//! Status 1 is a verdict on the material: a bundle, chain or signature that is not valid or can't be read. Status 2 is
//! everything else: usage, files, the network, configuration.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use dnssec::RetrievalError;
use kliento::renewal::ReplacementError;
use kliento::veraid::{self, WithSources};
use serde::Serialize;

use crate::hints::{self, LibraryError};

/// The reason why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: Kind,
    message: String,
    /// Other faults, each by itself.
    others: Vec<String>,
    hint: Option<Cow<'static, str>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Exit status 2.
    Failure { reason: Option<&'static str> },
    /// Exit status 1: it was read and does not hold.
    Invalid { reason: &'static str },
    /// Exit status 1: its outer form can't be read.
    Malformed { reason: &'static str },
    /// Exit status 1: a zone on the way down is proven to be unsigned.
    Insecure { zone: String },
    /// Exit status 1 or 2: a result that was printed like any other, but is not what a caller hopes for.
    Unwelcome { status: u8 },
    /// The reader of our output has gone, which is no fault at all.
    BrokenPipe,
}

/// The end of the process by a fault, and what there is to say.
pub(crate) enum Ending<'a> {
    /// Nothing is said.
    Quiet { status: u8 },
    /// Exit status 2.
    Failure { reason: Option<&'static str> },
    /// Exit status 1: what was given to be judged does not hold.
    Verdict(VerdictDocument<'a>),
}

/// The document that `--json` prints in place of a result.
#[derive(Serialize)]
pub(crate) struct VerdictDocument<'a> {
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
}

impl Fault {
    /// Usage, I/O or configuration.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Failure { reason: None },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// Several of them, each of which stands for itself.
    pub(crate) fn failures(messages: impl IntoIterator<Item = String>) -> Self {
        let mut messages = messages.into_iter();
        let mut fault = Self::failure(messages.next().unwrap_or_default());
        fault.others = messages.collect();
        fault
    }

    /// Gives a failure its stable name.
    pub(crate) fn because(mut self, name: &'static str) -> Self {
        if let Kind::Failure { reason } = &mut self.kind {
            *reason = Some(name);
        }
        self
    }

    /// The same, about a file's content.
    pub(crate) fn in_file(file: impl fmt::Display, error: &dyn Error) -> Self {
        Self::failure(format!("{file}: {}", with_causes(error)))
    }

    /// A request for something that can't be made; nothing that was given to be judged is at fault.
    pub(crate) fn of_request(error: &impl LibraryError) -> Self {
        Self::failure(with_causes(error))
            .because(LibraryError::reason(error))
            .with_hint(LibraryError::hint(error))
    }

    /// A file can't be read or written.
    pub(crate) fn io(action: &str, file: &Path, error: &io::Error) -> Self {
        let name = file.to_string_lossy();
        let fault = Self::failure(format!("cannot {action} {}: {error}", Abridged(&name)));
        match error.kind() {
            io::ErrorKind::NotFound if action == "write" => {
                fault.hint("make the directory first")
            }
            // Which can be too long for a file's name, too.
            _ if looks_like_a_token(&name) => fault.hint(
                "give a file name; to pass a token itself, use `-` and stdin: echo 'Kliento MII…' | kliento token \
                 verify … -",
            ),
            _ => fault,
        }
    }

    /// Material that can't be read at all.
    pub(crate) fn malformed(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Malformed { reason },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// Material that was read and is not valid.
    pub(crate) fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Invalid { reason },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// A delegation on the way is proven unsigned.
    pub(crate) fn insecure(zone: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Insecure { zone: zone.into() },
            message: message.into(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// The result says it all, and it is a verdict.
    pub(crate) fn unwelcome() -> Self {
        Self::with_result(1)
    }

    /// The result says why there is no verdict.
    pub(crate) fn undecided() -> Self {
        Self::with_result(2)
    }

    fn with_result(status: u8) -> Self {
        Self {
            kind: Kind::Unwelcome { status },
            message: String::new(),
            others: Vec::new(),
            hint: None,
        }
    }

    /// The message: what happened, without what would do.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same for each of several failures.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.message.as_str()).chain(self.others.iter().map(String::as_str))
    }

    /// Adds what would do, unless something more particular was said already.
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }

    /// Says what would do to somebody whom the usual hint does not help.
    pub(crate) fn replace_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same for output that was more than a report: that its reader has gone is a failure.
    pub(crate) fn undelivered(mut self) -> Self {
        if self.kind == Kind::BrokenPipe {
            self.kind = Kind::Failure { reason: None };
        }
        self
    }

    /// Says first what it is about.
    pub(crate) fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// A fault that a library found, with its hint.
    fn of_library(error: &impl LibraryError) -> Self {
        let message = with_causes(error);
        let fault = if error.is_about_the_request() {
            Self::failure(message).because(error.reason())
        } else if error.is_malformed() {
            Self::malformed(error.reason(), message)
        } else {
            Self::invalid(error.reason(), message)
        };
        fault.with_hint(error.hint())
    }

    pub(crate) fn with_hint(self, hint: Option<Cow<'static, str>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// The end of the process by this fault.
    pub(crate) fn ending(&self) -> Ending<'_> {
        match &self.kind {
            Kind::BrokenPipe => Ending::Quiet { status: 0 },
            Kind::Unwelcome { status } => Ending::Quiet { status: *status },
            Kind::Failure { reason } => Ending::Failure { reason: *reason },
            Kind::Invalid { reason } => {
                Ending::Verdict(self.document("invalid", None, Some(*reason)))
            }
            Kind::Malformed { reason } => {
                Ending::Verdict(self.document("malformed", None, Some(*reason)))
            }
            Kind::Insecure { zone } => {
                Ending::Verdict(self.document("insecure", Some(zone.as_str()), None))
            }
        }
    }

    fn document<'a>(
        &'a self,
        status: &'static str,
        zone: Option<&'a str>,
        reason: Option<&'static str>,
    ) -> VerdictDocument<'a> {
        VerdictDocument {
            status,
            zone,
            error: &self.message,
            reason,
        }
    }

    /// The hint, if there is one.
    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// True if the reader of our output has gone.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.kind == Kind::BrokenPipe
    }
}

/// Writing to stdout failed: nothing to say if its reader has gone.
pub(crate) fn error_on_stdout(error: &io::Error) -> Fault {
    Fault {
        kind: if error.kind() == io::ErrorKind::BrokenPipe {
            Kind::BrokenPipe
        } else {
            Kind::Failure { reason: None }
        },
        message: format!("cannot write to stdout: {error}"),
        others: Vec::new(),
        hint: None,
    }
}

/// Each error of a library says by itself whether it is a verdict.
macro_rules! faults_of_libraries {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::of_library(&error)
            }
        }
    )*};
}

faults_of_libraries!(
    dnssec::Error,
    kliento::AudienceError,
    kliento::IssueError,
    kliento::VerifyError,
    veraid::IssueError,
    veraid::VerifyError
);

impl From<ReplacementError> for Fault {
    fn from(error: ReplacementError) -> Self {
        match error {
            ReplacementError::Unverified(error) => error.into(),
            ReplacementError::Unwritable(error) => Self::of_request(&error),
            other => Self::invalid(other.reason(), other.to_string()),
        }
    }
}

impl From<RetrievalError> for Fault {
    fn from(error: RetrievalError) -> Self {
        let message = with_causes(&error);
        let fault = if error.is_about_the_domain() {
            Self::invalid(error.reason(), message)
        } else {
            Self::failure(message).because(error.reason())
        };
        fault.with_hint(hints::of_retrieval(&error).map(Cow::Borrowed))
    }
}

/// An error and what caused it.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    WithSources(error).to_string()
}

/// An argument as it is shown: a token is as good as a password while it is valid, and what is on stderr is often kept.
pub(crate) struct Abridged<'a>(pub(crate) &'a str);

impl fmt::Display for Abridged<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Enough to see what it was meant for.
        const SHOWN: usize = 12;
        if !looks_like_a_token(self.0) {
            return formatter.write_str(self.0);
        }
        let start: String = self.0.chars().take(SHOWN).collect();
        let more = if start.len() < self.0.len() {
            "…"
        } else {
            ""
        };
        write!(formatter, "{start}{more}")
    }
}

/// Tells whether it is an Authorization field, its value or the Base64 in that.
fn looks_like_a_token(argument: &str) -> bool {
    let text = argument.trim_start();
    let text = without_prefix(text, "authorization:").map_or(text, str::trim_start);
    without_prefix(text, "kliento ").is_some() || text.starts_with("MII")
}

/// The text that follows `prefix`, which is written in any case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
