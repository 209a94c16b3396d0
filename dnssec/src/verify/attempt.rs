//! Attempts at one thing, of which one success is enough.
//!
//! A chain may hold several signatures, keys or denials that could prove the same thing. They are tried one after the
//! other, and if all of them fail, the failure that got furthest is reported. Exhaustion of the budget is no such failure:
//! a loop that took it for one and tried the next signature would do unbounded work (KeyTrap, CVE-2023-50387). So it has a
//! type of its own, [`Exhausted`], which is not an [`Error`] and does not become one by `?`:
//!
//! - What spends and cannot fail otherwise returns `Result<T, Exhausted>`.
//! - What spends and can fail returns an [`Attempt`]. Its caller gets at the outcome only after passing exhaustion on,
//!   with `?`.
//! - Where there is nothing else to try, both end the look-up: `??` turns them into a [`Stop`].

use crate::budget::Exhausted;
use crate::error::Error;

/// The outcome of an attempt; or exhaustion, after which nothing else may be tried.
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

/// The failures of several attempts at one thing, of which it keeps the one that got furthest; the first, if several got
/// as far.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures(Option<Error>);

impl Failures {
    /// Notes another failure.
    pub(super) fn add(&mut self, failure: Error) {
        self.0 = Some(match self.0.take() {
            Some(so_far) => so_far.furthest(failure),
            None => failure,
        });
    }

    /// The result of an attempt that succeeded; notes the failure of one that did not.
    pub(super) fn success_of<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        outcome.map_err(|failure| self.add(failure)).ok()
    }

    /// Whether nothing has failed so far.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The failure that got furthest, if there was any.
    pub(super) fn furthest(self) -> Option<Error> {
        self.0
    }

    /// The failure that got furthest; `otherwise`, if nothing was tried.
    pub(super) fn furthest_or(self, otherwise: impl FnOnce() -> Error) -> Error {
        self.0.unwrap_or_else(otherwise)
    }
}

impl From<Option<Error>> for Failures {
    fn from(failure: Option<Error>) -> Self {
        Self(failure)
    }
}
