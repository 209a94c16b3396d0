//! Organisations, members, and what they are called together.
//!
//! Each name is checked when it is made, so holding one means that it is valid. Domains are host names in A-label form
//! (RFC 1123 §2.1, RFC 5890 §2.3.2.1), of characters that IDNA 2008 knows (RFC 5892). Users' names follow the rules of the
//! [`Dialect`] that they are used in, and what is a name in DomainAuth is one in VeraId, too.

#[cfg(feature = "confusables")]
mod confusable;
mod error;
mod member;
mod organisation;
mod user;

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "confusables")]
pub use confusable::ConfusableLabel;
pub use error::NameError;
pub use member::{Member, MemberId};
pub use organisation::{MAX_DOMAIN_OCTETS, Organisation};
pub use user::UserName;

/// The protocol that a bundle follows. The name of the TXT RRset in its chain decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// VeraId version 1: records at `_veraid.<domain>`.
    VeraId,
    /// DomainAuth version 1: records at `_domainauth.<domain>`.
    DomainAuth,
}

impl Dialect {
    /// Both there are.
    pub const ALL: &'static [Self] = &[Self::VeraId, Self::DomainAuth];

    /// The label above the organisation's domain under which its records stand.
    #[must_use]
    pub const fn record_label(self) -> &'static str {
        match self {
            Self::VeraId => "_veraid",
            Self::DomainAuth => "_domainauth",
        }
    }
}

/// `veraid`, `domainauth`.
impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::VeraId => "veraid",
            Self::DomainAuth => "domainauth",
        })
    }
}

/// A text that names no [`Dialect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a dialect; write `veraid` or `domainauth`")]
pub struct DialectError;

impl FromStr for Dialect {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "veraid" => Ok(Self::VeraId),
            "domainauth" => Ok(Self::DomainAuth),
            _ => Err(DialectError),
        }
    }
}
