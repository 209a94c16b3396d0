//! Members: users and bots, and their organisation.

use std::fmt;
use std::str::FromStr;

use super::{Dialect, NameError, Organisation, UserName};

/// The name of a bot, in place of a user name.
const BOT: &str = "@";

/// A member of an organisation: one of its users, or a bot that represents the whole organisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The organisation itself, through some automated system.
    Bot,
    /// A user, by name.
    User(UserName),
}

impl Member {
    /// Parses a user name by the rules of a dialect, or `@` for a bot: see [`UserName::parse_for`].
    pub fn parse_for(text: &str, dialect: Dialect) -> Result<Self, NameError> {
        match text {
            BOT => Ok(Self::Bot),
            _ => UserName::parse_for(text, dialect).map(Self::User),
        }
    }

    /// The user's name; `None` for a bot.
    #[must_use]
    pub fn user(&self) -> Option<&UserName> {
        match self {
            Self::Bot => None,
            Self::User(name) => Some(name),
        }
    }

    /// The text in certificates and attributions: the user's name, or `@` for a bot.
    pub fn as_str(&self) -> &str {
        self.user().map_or(BOT, UserName::as_str)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Parses a user name by VeraId's rules, which allow more, or `@` for a bot: see
/// [`Member::parse_for`].
impl FromStr for Member {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse_for(text, Dialect::VeraId)
    }
}

/// A member and its organisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId {
    organisation: Organisation,
    member: Member,
}

impl MemberId {
    /// Creates the id of a member of an organisation.
    #[must_use]
    pub fn new(organisation: Organisation, member: Member) -> Self {
        Self {
            organisation,
            member,
        }
    }

    /// The organisation.
    #[doc(alias = "organization")]
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The member within the organisation.
    #[must_use]
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// The user's name; `None` for a bot.
    #[must_use]
    pub fn user(&self) -> Option<&UserName> {
        self.member.user()
    }
}

/// Writes `alice@example.com`, or `example.com` for a bot.
impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = self.user() {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.organisation)
    }
}

/// Parses `alice@example.com`, or `example.com` for a bot. The user name follows VeraId's rules,
/// which allow more.
impl FromStr for MemberId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (member, organisation) = match text.rsplit_once('@') {
            Some((user, organisation)) => {
                let user = UserName::parse_for(user, Dialect::VeraId)?;
                (Member::User(user), organisation)
            }
            None => (Member::Bot, text),
        };
        Ok(Self::new(organisation.parse()?, member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_id_reads_as_an_address_and_a_bot_as_its_domain() {
        let id =
            |member: &str| MemberId::new("example.com".parse().unwrap(), member.parse().unwrap());
        assert_eq!(id("alice").to_string(), "alice@example.com");
        assert_eq!(id("@").to_string(), "example.com");
        assert_eq!(id("@").user(), None);
        assert_eq!("".parse::<Member>(), Err(NameError::EmptyUserName));
        for member in ["alice", "@"] {
            assert_eq!(id(member).to_string().parse(), Ok(id(member)));
            assert_eq!(id(member).member().to_string(), member);
        }
        for (text, error) in [
            ("@example.com", NameError::EmptyUserName),
            ("alice@@example.com", NameError::AtSign),
            ("alice@", NameError::NoDomain),
            ("", NameError::NoDomain),
        ] {
            assert_eq!(text.parse::<MemberId>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_bot_is_a_bot_in_both_dialects_and_users_follow_the_rules_of_theirs() {
        for &dialect in Dialect::ALL {
            assert_eq!(Member::parse_for("@", dialect), Ok(Member::Bot));
            assert_eq!(
                Member::parse_for("", dialect),
                Err(NameError::EmptyUserName)
            );
            assert_eq!(Member::parse_for("@@", dialect), Err(NameError::AtSign));
        }
        let veraid = Member::parse_for("Alice", Dialect::VeraId).unwrap();
        assert_eq!(veraid.as_str(), "Alice");
        let domain_auth = Member::parse_for("Alice", Dialect::DomainAuth);
        let normalised = "alice".into();
        assert_eq!(domain_auth, Err(NameError::NotNormalised { normalised }));
        // Looks like a bot, but is not a member name.
        let wide = Member::parse_for("\u{ff20}", Dialect::DomainAuth);
        assert_eq!(wide, Err(NameError::AtSign));
    }
}
