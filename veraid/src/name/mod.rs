//! Organisations, members and member ids.
//!
//! Each name is checked when it is created, so every value is valid. Domains are host names in
//! A-label form (RFC 1123 §2.1, RFC 5890 §2.3.2.1), of characters that IDNA 2008 allows (RFC 5892).
//! User names follow the rules of the [`Dialect`] in which they are used. Every DomainAuth name is
//! also a VeraId name.

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

/// The protocol that a bundle follows. The owner of the TXT RRset in its chain determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// VeraId version 1: records at `_veraid.<domain>`.
    VeraId,
    /// DomainAuth version 1: records at `_domainauth.<domain>`.
    DomainAuth,
}

impl Dialect {
    /// Both dialects.
    pub const ALL: &'static [Self] = &[Self::VeraId, Self::DomainAuth];

    /// The label of the records, which precedes the organisation's domain.
    #[must_use]
    pub const fn record_label(self) -> &'static str {
        match self {
            Self::VeraId => "_veraid",
            Self::DomainAuth => "_domainauth",
        }
    }
}

/// Writes `veraid` or `domainauth`.
impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::VeraId => "veraid",
            Self::DomainAuth => "domainauth",
        })
    }
}

/// A text that is not a [`Dialect`].
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_reads_as_it_is_written_and_in_no_other_way() {
        for (text, dialect) in [
            ("veraid", Dialect::VeraId),
            ("domainauth", Dialect::DomainAuth),
        ] {
            assert_eq!(dialect.to_string(), text);
            assert_eq!(text.parse(), Ok(dialect));
            assert_eq!(dialect.record_label(), format!("_{text}"));
        }
        for text in ["", "VeraId", "_veraid", "domain-auth"] {
            assert_eq!(text.parse::<Dialect>(), Err(DialectError), "{text}");
        }
        let text = "not a dialect; write `veraid` or `domainauth`";
        assert_eq!(DialectError.to_string(), text);
    }
}
