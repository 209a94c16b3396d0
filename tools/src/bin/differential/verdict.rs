//! What a validator makes of a question.

use std::fmt;

/// The four security states of RFC 4033 §5, "secure" told apart by what it is that is secure. ("Indeterminate" does not
/// arise: there is an anchor for the root.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// The records are proven.
    Secure,
    /// It is proven that the name does not exist.
    NxDomain,
    /// It is proven that the name has no such records.
    NoData,
    /// It is proven that nothing can be proven.
    Insecure,
    /// Anything else: nothing of it is to be believed.
    Bogus,
}

impl Verdict {
    pub(crate) const ALL: [Self; 5] = [
        Self::Secure,
        Self::NxDomain,
        Self::NoData,
        Self::Insecure,
        Self::Bogus,
    ];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Secure => "secure",
            Self::NxDomain => "nxdomain",
            Self::NoData => "nodata",
            Self::Insecure => "insecure",
            Self::Bogus => "bogus",
        })
    }
}

/// A verdict and the validator's own words for it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) words: String,
}

impl Outcome {
    pub(crate) fn new(verdict: Verdict, words: impl Into<String>) -> Self {
        Self {
            verdict,
            words: words.into(),
        }
    }
}
