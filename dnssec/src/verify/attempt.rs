//! Attempts to prove one thing, where one success is enough.
//!
//! A chain may hold several signatures, keys or denials that could prove the same thing. They are
//! tried in turn, and if all of them fail, the failure that got furthest is reported. Exhaustion of
//! the budget must not count as such a failure: a loop that continued with the next signature would
//! do unbounded work (KeyTrap, CVE-2023-50387). So exhaustion has its own type, [`Exhausted`],
//! which is not an [`Error`] and which `?` does not convert into one:
//!
//! - A function that spends and cannot fail otherwise returns `Result<T, Exhausted>`.
//! - A function that spends and can fail returns an [`Attempt`]. Its caller must pass exhaustion on
//!   with `?` to get at the outcome.
//! - Where no alternative is left, both end the look-up: `??` turns them into a [`Stop`].

use crate::budget::Exhausted;
use crate::error::Error;

/// The outcome of an attempt, or exhaustion, after which nothing else may be tried.
pub(super) type Attempt<T> = Result<Result<T, Error>, Exhausted>;

/// The reason why a look-up ends without a fact.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The budget is exhausted.
    Exhausted(Exhausted),
    /// All attempts failed.
    Failed(Error),
}

impl Stop {
    /// The error to report to the caller of the verifier.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Exhausted(exhausted) => exhausted.into_error(),
            Self::Failed(failure) => failure,
        }
    }
}

impl From<Exhausted> for Stop {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

impl From<Error> for Stop {
    fn from(failure: Error) -> Self {
        Self::Failed(failure)
    }
}

/// The failures of several attempts to prove one thing. Keeps the one that got furthest, and of
/// equal ones the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures(Option<Error>);

impl Failures {
    /// Adds a failure.
    pub(super) fn add(&mut self, failure: Error) {
        self.0 = Some(match self.0.take() {
            Some(so_far) => so_far.furthest(failure),
            None => failure,
        });
    }

    /// Returns the result of a successful attempt; adds the failure of an unsuccessful one.
    pub(super) fn success_of<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        outcome.map_err(|failure| self.add(failure)).ok()
    }

    /// Returns true if nothing has failed so far.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The failure that got furthest, if there was any.
    pub(super) fn furthest(self) -> Option<Error> {
        self.0
    }

    /// The failure that got furthest, or `otherwise` if there was none.
    pub(super) fn furthest_or(self, otherwise: impl FnOnce() -> Error) -> Error {
        self.0.unwrap_or_else(otherwise)
    }
}

impl From<Option<Error>> for Failures {
    fn from(failure: Option<Error>) -> Self {
        Self(failure)
    }
}
