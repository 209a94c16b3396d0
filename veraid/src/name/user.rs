//! User names, by the rules of each dialect.
//!
//! VeraId allows almost anything: names without `@`, white space other than U+0020, and control
//! characters. They are compared without conversion. DomainAuth requires the `UsernameCaseMapped`
//! profile of PRECIS (RFC 8265 §3.3), without spaces and `@` (draft, "Phishing Attacks"): letters
//! and digits of Unicode 6.3, the version of IANA's tables for PRECIS, and ASCII punctuation. Names
//! must already be in the normalised form; none are converted.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::precis_core::{CodepointInfo, Error as PrecisError, UnexpectedError};

use super::{Dialect, NameError};

/// The longest user name in DomainAuth, in octets. It limits the work for a name, because rules
/// about digits examine all characters for each digit. RFC 5280 §A.1 allows common names of 64
/// characters, which are at most as long.
const MAX_DOMAIN_AUTH_OCTETS: usize = 256;

/// The name of a user within an organisation, compared octet by octet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Box<str>);

impl UserName {
    /// Parses a name by the rules of a dialect. Every DomainAuth name is also a VeraId name.
    ///
    /// ```
    /// use veraid::{Dialect, NameError, UserName};
    ///
    /// assert!(UserName::parse_for("Alice Smith", Dialect::VeraId).is_ok());
    /// assert_eq!(
    ///     UserName::parse_for("Alice", Dialect::DomainAuth),
    ///     Err(NameError::NotNormalised { normalised: "alice".into() })
    /// );
    /// ```
    ///
    /// # Errors
    /// [`NameError::NotNormalised`] in DomainAuth if only the normalised form is a name; other
    /// errors if that is not a name either.
    pub fn parse_for(text: &str, dialect: Dialect) -> Result<Self, NameError> {
        match dialect {
            Dialect::VeraId => check_for_veraid(text)?,
            Dialect::DomainAuth => check_for_domain_auth(text)?,
        }
        Ok(Self(text.into()))
    }

    /// The name as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Parses a name by VeraId's rules, which allow more: see [`UserName::parse_for`].
impl FromStr for UserName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse_for(text, Dialect::VeraId)
    }
}

fn check_for_veraid(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::EmptyUserName);
    }
    for character in text.chars() {
        match character {
            '@' => return Err(NameError::AtSign),
            ' ' => {}
            _ if character.is_whitespace() => return Err(NameError::WhiteSpace),
            _ if character.is_control() => return Err(NameError::ControlCharacter),
            _ => {}
        }
    }
    Ok(())
}

fn check_for_domain_auth(text: &str) -> Result<(), NameError> {
    let form = domain_auth_form(text)?;
    if form == text {
        return Ok(());
    }
    // Width mapping may produce an `@`, and case mapping a character that Unicode 6.3 does not
    // have. The error should not suggest a form that is not a name either.
    let normalised = domain_auth_form(&form)?;
    Err(NameError::NotNormalised {
        normalised: normalised.into(),
    })
}

/// Returns the normalised form of a name, if it is a name.
fn domain_auth_form(text: &str) -> Result<Cow<'_, str>, NameError> {
    if text.len() > MAX_DOMAIN_AUTH_OCTETS {
        return Err(NameError::UserNameTooLong);
    }
    if text.contains(' ') {
        return Err(NameError::Space);
    }
    match check_for_veraid(text) {
        Err(NameError::WhiteSpace) => return Err(NameError::Space),
        checked => checked?,
    }
    UsernameCaseMapped::enforce(text).map_err(|error| match error {
        PrecisError::BadCodepoint(CodepointInfo { cp, .. }) => match char::from_u32(cp) {
            Some(character) => NameError::UserNameCharacter { character },
            None => NameError::UserNameContext,
        },
        // The name is not empty, so only the directionality rule is left.
        PrecisError::Invalid => NameError::UserNameDirections,
        PrecisError::Unexpected(
            UnexpectedError::Undefined
            | UnexpectedError::ContextRuleNotApplicable(_)
            | UnexpectedError::MissingContextRule(_)
            | UnexpectedError::ProfileRuleNotApplicable,
        ) => NameError::UserNameContext,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_user_name_is_kept_as_it_is() {
        for text in [
            "alice",
            "Alice",
            "alice smith",
            " ",
            "ålice",
            "爱丽丝",
            "a\u{200d}b",
            "👩",
        ] {
            assert_eq!(text.parse::<UserName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_user_names_with_at_signs_white_space_or_controls() {
        for (text, error) in [
            ("", NameError::EmptyUserName),
            ("@", NameError::AtSign),
            ("a@b", NameError::AtSign),
            ("a\tb", NameError::WhiteSpace),
            ("a\nb", NameError::WhiteSpace),
            ("a\rb", NameError::WhiteSpace),
            ("a\u{a0}b", NameError::WhiteSpace),
            ("a\u{2028}b", NameError::WhiteSpace),
            ("a\u{3000}b", NameError::WhiteSpace),
            ("a\0b", NameError::ControlCharacter),
            ("a\u{7f}b", NameError::ControlCharacter),
            ("a\u{9f}b", NameError::ControlCharacter),
            ("a\u{1b}b", NameError::ControlCharacter),
        ] {
            assert_eq!(text.parse::<UserName>(), Err(error), "{text:?}");
        }
    }

    fn domain_auth(text: &str) -> Result<UserName, NameError> {
        UserName::parse_for(text, Dialect::DomainAuth)
    }

    fn not_normalised(normalised: &str) -> NameError {
        NameError::NotNormalised {
            normalised: normalised.into(),
        }
    }

    fn character(character: char) -> NameError {
        NameError::UserNameCharacter { character }
    }

    /// RFC 8265 §3.5, tables 1 and 2, except examples with `@`, which DomainAuth excludes, and
    /// those for which VeraId's rules have a better error.
    #[test]
    fn meets_the_examples_of_rfc_8265() {
        for text in ["fussball", "fu\u{df}ball", "\u{3c0}", "\u{3c3}", "\u{3c2}"] {
            assert_eq!(domain_auth(text).unwrap().as_str(), text);
        }
        for (text, error) in [
            ("juliet@example.com", NameError::AtSign),
            ("\u{3a3}", not_normalised("\u{3c3}")),
            ("foo bar", NameError::Space),
            ("", NameError::EmptyUserName),
            ("henry\u{2163}", character('\u{2163}')),
            ("\u{265a}", character('\u{265a}')),
        ] {
            assert_eq!(domain_auth(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn takes_domain_auth_names_of_many_scripts_as_they_are() {
        for text in [
            "alice",
            "alice.smith-1_2+tag",
            "o'brien",
            "ålice",
            "爱丽丝",
            "アリス",
            "앨리스",
            "алиса",
            "علي",
            "أليس٢",
            "דוד",
            // A middle dot between two `l`, and a joiner after a virama.
            "col·lecció",
            "क्\u{200d}ष",
        ] {
            assert_eq!(domain_auth(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn says_how_to_write_a_name_that_is_not_normalised() {
        for (text, normalised) in [
            ("Alice", "alice"),
            ("ÅLICE", "ålice"),
            ("a\u{30a}lice", "ålice"),
            ("ａｌｉｃｅ", "alice"),
            ("ｱﾘｽ", "アリス"),
            ("ẞ", "ß"),
        ] {
            let error = domain_auth(text).unwrap_err();
            assert_eq!(error, not_normalised(normalised), "{text}");
            assert!(
                error
                    .to_string()
                    .contains(&format!("write the user name as `{normalised}`"))
            );
            assert!(domain_auth(normalised).is_ok());
            // VeraId compares names without conversion.
            assert_eq!(text.parse::<UserName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_domain_auth_names_with_spaces_at_signs_or_what_passes_for_them() {
        for (text, error) in [
            (" ", NameError::Space),
            ("alice smith", NameError::Space),
            ("alice\u{a0}smith", NameError::Space),
            ("alice\u{3000}smith", NameError::Space),
            ("alice\t", NameError::Space),
            ("a@b", NameError::AtSign),
            // Width mapping would produce an `@`.
            ("a＠b", NameError::AtSign),
            ("ａ＠b", NameError::AtSign),
            ("a\0b", NameError::ControlCharacter),
            // Invisible characters.
            ("a\u{200b}b", character('\u{200b}')),
            ("a\u{ad}b", character('\u{ad}')),
            ("a\u{202e}b", character('\u{202e}')),
            ("a\u{feff}b", character('\u{feff}')),
        ] {
            assert_eq!(domain_auth(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn refuses_domain_auth_names_by_the_rules_of_precis() {
        for (text, error) in [
            // Symbols, punctuation, compatibility characters, emoji.
            ("€", character('€')),
            ("a–b", character('–')),
            ("ﬁsh", character('ﬁ')),
            ("👩", character('👩')),
            // Joiners and dots where they have no meaning.
            ("a\u{200d}b", character('\u{200d}')),
            ("a·b", character('·')),
            ("·", NameError::UserNameContext),
            ("l·", NameError::UserNameContext),
            // Right-to-left and left-to-right letters, digits of two kinds.
            ("aא", NameError::UserNameDirections),
            ("אa", NameError::UserNameDirections),
            ("٢1ا", NameError::UserNameDirections),
            ("ا٢1", NameError::UserNameDirections),
            ("ا٢۲", character('٢')),
            // Letters of later versions of Unicode, also by case mapping.
            ("\u{1c90}", character('\u{1c90}')),
            ("\u{13a0}", character('\u{ab70}')),
        ] {
            assert_eq!(domain_auth(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_domain_auth_name_has_at_most_256_octets() {
        assert!(domain_auth(&"a".repeat(256)).is_ok());
        for text in ["a".repeat(257), "é".repeat(129), "\u{661}".repeat(1 << 20)] {
            assert_eq!(domain_auth(&text), Err(NameError::UserNameTooLong));
        }
    }

    /// Properties that must hold for any text, in each dialect.
    fn check(text: &str) {
        let veraid = UserName::parse_for(text, Dialect::VeraId);
        match domain_auth(text) {
            Ok(name) => {
                assert_eq!(name.as_str(), text);
                assert_eq!(veraid, Ok(name), "{text:?}");
                assert!(!text.contains([' ', '@']), "{text:?}");
            }
            Err(NameError::NotNormalised { normalised }) => {
                assert_ne!(&*normalised, text);
                assert!(domain_auth(&normalised).is_ok(), "{text:?}: {normalised:?}");
            }
            Err(_) => {}
        }
    }

    #[test]
    fn a_domain_auth_name_is_one_in_veraid_whatever_its_characters() {
        for character in char::MIN..=char::MAX {
            check(character.encode_utf8(&mut [0; 4]));
        }
        // Beside letters of either direction, marks, digits, and the characters that the contextual
        // rules look for.
        let contexts = [
            "a", "l", "A", "ا", "א", "\u{94d}", "\u{301}", "٢", "ア", "\u{375}",
        ];
        for character in char::MIN..=char::MAX {
            // Above U+3000, tests only every sixteenth character.
            if u32::from(character) > 0x3000 && u32::from(character) % 16 != 0 {
                continue;
            }
            for context in contexts {
                check(&format!("{context}{character}"));
                check(&format!("{character}{context}"));
            }
        }
    }

    proptest! {
        #[test]
        fn a_domain_auth_name_is_one_in_veraid(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn a_domain_auth_name_is_one_in_veraid_in_scripts_with_rules(
            text in "[a-cLlA-C\u{b7}\u{375}\u{3b1}-\u{3c9}\u{5d0}-\u{5f4}\u{620}-\u{669}\u{6f0}-\u{6f9}\u{915}-\u{94d}\u{200c}\u{200d}\u{30a1}-\u{30fb}\u{ff01}-\u{ff9f}\u{301}]{0,12}"
        ) {
            check(&text);
        }
    }
}
