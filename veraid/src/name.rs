//! Organisations, members, and what they are called together.
//!
//! Each name is checked when it is made, so holding one means that it is valid. Domains are host names in A-label form
//! (RFC 1123 §2.1, RFC 5890 §2.3.2.1), of characters that IDNA 2008 knows (RFC 5892); user names follow VeraId's rules:
//! no `@`, no white space but U+0020, no control characters, compared as they are.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Longest domain name in text form, without the final dot (RFC 1035 §2.3.4 less the octets that only the wire has).
pub const MAX_DOMAIN_OCTETS: usize = 253;
/// Longest label of a domain name (RFC 1035 §2.3.4).
const MAX_LABEL_OCTETS: usize = 63;
/// How every A-label begins (RFC 5890 §2.3.2.1).
const ACE_PREFIX: &str = "xn--";
/// What stands for a bot where a user's name would stand.
const BOT: &str = "@";

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
#[error("not a dialect; there are `veraid` and `domainauth`")]
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

/// Why a text is no name of an organisation or a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No domain at all, or the root, which cannot take part.
    #[error("a domain name needs at least one label; the root cannot be an organisation")]
    NoDomain,
    /// More than [`MAX_DOMAIN_OCTETS`].
    #[error("the domain name has more than 253 octets")]
    DomainTooLong,
    /// The domain is valid, but with the record's label in front it has more octets than DNS allows.
    #[error("the domain name leaves no room for the label of its TXT record")]
    NoRoomForRecord,
    /// Two dots side by side, or one at the start.
    #[error("the domain name has an empty label")]
    EmptyLabel,
    /// A label of more than 63 octets.
    #[error("a label of the domain name has more than 63 octets")]
    LabelTooLong,
    /// A character that host names do not have.
    #[error("a domain name has letters, digits, hyphens and dots only")]
    BadCharacter,
    /// A hyphen at a label's start or end.
    #[error("a label of the domain name starts or ends with a hyphen")]
    BadHyphen,
    /// A label in its native script.
    #[error("write the domain name in its ASCII form, with labels such as `xn--bcher-kva`")]
    NotAscii,
    /// A label with the prefix `xn--` that is not what any valid Unicode label is encoded as.
    #[error("the label `{label}` of the domain name encodes no valid Unicode label")]
    BadALabel {
        /// The label, in ASCII.
        label: Box<str>,
    },
    /// A label with the prefix `xn--` that encodes a character which domain names do not have (RFC 5892), such as a
    /// symbol that looks like a slash.
    #[error(
        "the label `{label}` of the domain name encodes U+{:04X}, a character that domain names do not have",
        u32::from(*.character)
    )]
    DisallowedCharacter {
        /// The label, in ASCII.
        label: Box<str>,
        /// The first such character in it.
        character: char,
    },
    /// Labels that are valid by themselves, but not side by side, since one is written from right to left (RFC 5893
    /// §2).
    #[error("the labels of the domain name are written in directions that do not go together")]
    MixedDirections,
    /// An empty user name.
    #[error("a user name has at least one character")]
    EmptyUserName,
    /// `@` in a user name.
    #[error("a user name has no `@`; give the domain separately")]
    AtSign,
    /// White space other than U+0020 in a user name.
    #[error("a user name has no white space but the simple space")]
    WhiteSpace,
    /// A control character in a user name.
    #[error("a user name has no control characters")]
    ControlCharacter,
}

/// An organisation: a domain name, in A-labels and lower case, without the final dot.
///
/// ```
/// use veraid::Organisation;
///
/// let organisation: Organisation = "XN--BCHER-KVA.Example.".parse()?;
/// assert_eq!(organisation.as_str(), "xn--bcher-kva.example");
/// assert_eq!(organisation.unicode(), "bücher.example");
/// # Ok::<(), veraid::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Organisation(Box<str>);

impl Organisation {
    /// The domain name in ASCII and lower case, without the final dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain name with its A-labels turned into Unicode, for people to read.
    #[must_use]
    pub fn unicode(&self) -> Cow<'_, str> {
        let (unicode, _) = to_unicode(&self.0, Hyphens::Allow);
        unicode
    }

    /// The owner of the organisation's TXT records, such as `_veraid.example.com.`.
    ///
    /// # Errors
    /// [`NameError::NoRoomForRecord`] if the domain is so long that DNS has no such name.
    pub fn record_owner(&self, dialect: Dialect) -> Result<dnssec::Name, NameError> {
        let labels = std::iter::once(dialect.record_label()).chain(self.0.split('.'));
        dnssec::Name::from_labels(labels.map(str::as_bytes)).map_err(|_| NameError::NoRoomForRecord)
    }
}

impl fmt::Display for Organisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Reads a domain name in ASCII, in any case, with or without the final dot.
impl FromStr for Organisation {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_ascii() {
            return Err(NameError::NotAscii);
        }
        let domain = text.strip_suffix('.').unwrap_or(text);
        if domain.is_empty() {
            return Err(NameError::NoDomain);
        }
        if domain.len() > MAX_DOMAIN_OCTETS {
            return Err(NameError::DomainTooLong);
        }
        domain.split('.').try_for_each(check_label)?;
        let domain = domain.to_ascii_lowercase();
        check_a_labels(&domain)?;
        Ok(Self(domain.into()))
    }
}

/// Letters, digits and inner hyphens (RFC 1123 §2.1).
fn check_label(label: &str) -> Result<(), NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    if label.len() > MAX_LABEL_OCTETS {
        return Err(NameError::LabelTooLong);
    }
    if !label
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    {
        return Err(NameError::BadCharacter);
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(NameError::BadHyphen);
    }
    Ok(())
}

/// Each A-label decodes to a valid U-label and that encodes to the same A-label (RFC 5891 §5.4), and the labels may
/// stand side by side (RFC 5893).
fn check_a_labels(domain: &str) -> Result<(), NameError> {
    let mut a_labels = domain
        .split('.')
        .filter(|label| label.starts_with(ACE_PREFIX))
        .peekable();
    if a_labels.peek().is_none() {
        return Ok(());
    }
    a_labels.try_for_each(check_a_label)?;
    if survives_decoding(domain, Hyphens::Allow) {
        Ok(())
    } else {
        Err(NameError::MixedDirections)
    }
}

fn check_a_label(label: &str) -> Result<(), NameError> {
    if !survives_decoding(label, Hyphens::Check) {
        return Err(NameError::BadALabel {
            label: label.into(),
        });
    }
    let (unicode, _) = to_unicode(label, Hyphens::Check);
    match unicode.chars().find(|&character| !is_allowed(character)) {
        Some(character) => Err(NameError::DisallowedCharacter {
            label: label.into(),
            character,
        }),
        None => Ok(()),
    }
}

/// Whether RFC 5892 §3 lets a U-label have this character, perhaps in certain contexts only, given that it survives
/// decoding: what is unstable, ignorable or unassigned (§2.2, §2.3, §2.10) does not.
///
/// UTS 46 allows more: symbols and emoji, which may pass for the punctuation that ends a domain in a URL or an address.
fn is_allowed(character: char) -> bool {
    match character {
        // Hyphen, and the exceptions and join controls that are valid or depend on their context (§2.5, §2.6, §2.8).
        '-' | '\u{00b7}' | '\u{00df}' | '\u{0375}' | '\u{03c2}' | '\u{05f3}' | '\u{05f4}'
        | '\u{06fd}' | '\u{06fe}' | '\u{0f0b}' | '\u{200c}' | '\u{200d}' | '\u{3007}'
        | '\u{30fb}' => true,
        // Exceptions that are disallowed (§2.6); combining marks for symbols and musical notation (§2.4); conjoining
        // Hangul Jamo (§2.9).
        '\u{0640}'
        | '\u{07fa}'
        | '\u{302e}'
        | '\u{302f}'
        | '\u{3031}'..='\u{3035}'
        | '\u{303b}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{1d100}'..='\u{1d24f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{d7b0}'..='\u{d7ff}' => false,
        _ => is_letter_or_digit(character),
    }
}

/// RFC 5892 §2.1.
fn is_letter_or_digit(character: char) -> bool {
    matches!(
        character.general_category(),
        GeneralCategory::LowercaseLetter
            | GeneralCategory::UppercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::DecimalNumber
    )
}

fn survives_decoding(ascii: &str, hyphens: Hyphens) -> bool {
    let (unicode, decoded) = to_unicode(ascii, hyphens);
    decoded.is_ok()
        && Uts46::new()
            .to_ascii(
                unicode.as_bytes(),
                AsciiDenyList::STD3,
                hyphens,
                DnsLength::Verify,
            )
            .is_ok_and(|again| again == ascii)
}

fn to_unicode(ascii: &str, hyphens: Hyphens) -> (Cow<'_, str>, Result<(), idna::Errors>) {
    Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, hyphens)
}

/// The name of a user within an organisation, compared octet by octet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Box<str>);

impl UserName {
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

impl FromStr for UserName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
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
        Ok(Self(text.into()))
    }
}

/// Who acts for an organisation: one of its users, or a bot that stands for the whole of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The organisation itself, through some automaton.
    Bot,
    /// A user, by name.
    User(UserName),
}

impl Member {
    /// The user's name; `None` for a bot.
    #[must_use]
    pub fn user(&self) -> Option<&UserName> {
        match self {
            Self::Bot => None,
            Self::User(name) => Some(name),
        }
    }

    /// As it stands in certificates and attributions: the user's name, or `@` for a bot.
    pub fn as_str(&self) -> &str {
        self.user().map_or(BOT, UserName::as_str)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Reads a user name, or `@` for a bot.
impl FromStr for Member {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            BOT => Ok(Self::Bot),
            _ => text.parse().map(Self::User),
        }
    }
}

/// A member and the organisation it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId {
    organisation: Organisation,
    member: Member,
}

impl MemberId {
    /// That member of that organisation.
    #[must_use]
    pub fn new(organisation: Organisation, member: Member) -> Self {
        Self {
            organisation,
            member,
        }
    }

    /// The organisation.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The member within it.
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

/// `alice@example.com`, or `example.com` for a bot.
impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = self.user() {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.organisation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation(text: &str) -> Result<Organisation, NameError> {
        text.parse()
    }

    #[test]
    fn an_organisation_is_a_host_name_in_lower_case_without_the_final_dot() {
        for text in ["example.com", "example.com.", "EXAMPLE.Com", "eXample.com."] {
            assert_eq!(organisation(text).unwrap().as_str(), "example.com");
        }
        for text in ["com", "a.nl", "r3---sn.example", "1.example", "x-y.example"] {
            assert_eq!(organisation(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_domains_that_are_no_host_names() {
        for (text, error) in [
            ("", NameError::NoDomain),
            (".", NameError::NoDomain),
            ("..", NameError::EmptyLabel),
            (".a.nl.", NameError::EmptyLabel),
            ("a..nl", NameError::EmptyLabel),
            ("a..nl.", NameError::EmptyLabel),
            ("a.nl..", NameError::EmptyLabel),
            ("_veraid.example.com", NameError::BadCharacter),
            ("example.com ", NameError::BadCharacter),
            ("exam ple.com", NameError::BadCharacter),
            ("example.com\0", NameError::BadCharacter),
            (r"exam\.ple.com", NameError::BadCharacter),
            ("alice@example.com", NameError::BadCharacter),
            ("-a.com", NameError::BadHyphen),
            ("a-.com", NameError::BadHyphen),
            ("bücher.example", NameError::NotAscii),
            ("example。com", NameError::NotAscii),
        ] {
            assert_eq!(organisation(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_domain_has_at_most_253_octets_and_labels_of_63() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(longest.len(), MAX_DOMAIN_OCTETS);
        assert!(organisation(&longest).is_ok());
        assert!(organisation(&format!("{longest}.")).is_ok());
        assert_eq!(
            organisation(&format!("{longest}a")),
            Err(NameError::DomainTooLong)
        );
        assert_eq!(
            organisation(&format!("{label}a.com")),
            Err(NameError::LabelTooLong)
        );
        assert_eq!(
            organisation(&"a".repeat(1 << 20)),
            Err(NameError::DomainTooLong)
        );
    }

    #[test]
    fn refuses_an_a_label_that_does_not_survive_decoding() {
        // It would print as victim.com.
        assert_eq!(organisation("xn--victim-.com"), Err(NameError::BadHyphen));
        for text in [
            // No punycode, or that of nothing but ASCII.
            "xn--victim.com",
            "xn--0.com",
            "xn--example.xn--com",
            // U-labels that start and end with a hyphen.
            "xn----bga.com",
            "xn----9fa.com",
            // One that starts with a combining mark.
            "xn--a-wbb.com",
            // Those that mapping would change: É, ﬀ, ª.
            "xn--dca.com",
            "xn--im6c.com",
            "xn--hba.com",
            // A full stop within a label.
            "xn--ab-r13a.com",
            // Right-to-left and left-to-right letters in one label.
            "xn--a-poc.com",
            // Hyphens in third and fourth place.
            "xn--ab---epa.com",
        ] {
            let Err(NameError::BadALabel { label }) = organisation(text) else {
                panic!("{text}");
            };
            assert!(text.split('.').any(|part| part == &*label), "{text}");
        }
        assert_eq!(
            organisation("xn--bcher-kva.example").unwrap().unicode(),
            "bücher.example"
        );
        assert_eq!(
            organisation("example.com").unwrap().unicode(),
            "example.com"
        );
    }

    /// The domain under `example` with a label in Unicode, encoded whether it may be or not.
    fn encoded(label: &str) -> String {
        let ascii = Uts46::new().to_ascii(
            label.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::Allow,
            DnsLength::Ignore,
        );
        let ascii = ascii.unwrap_or_else(|_| panic!("{label:?}"));
        format!("{ascii}.example")
    }

    #[test]
    fn refuses_an_a_label_with_characters_that_domain_names_do_not_have() {
        assert_eq!(encoded("a\u{2044}b"), "xn--ab-c6t.example");
        for (label, character) in [
            // Like a slash, a question mark, a colon, a number sign.
            ("a⁄b", '\u{2044}'),
            ("a∕b", '\u{2215}'),
            ("a⧸b", '\u{29f8}'),
            ("a╱b", '\u{2571}'),
            ("aʔb՞", '\u{055e}'),
            ("a꞉b", '\u{a789}'),
            ("a♯b", '\u{266f}'),
            // Emoji, and other symbols, punctuation and numbers.
            ("👩", '\u{1f469}'),
            ("i❤b", '\u{2764}'),
            ("☃", '\u{2603}'),
            ("€", '\u{20ac}'),
            ("a–b", '\u{2013}'),
            ("aↀb", '\u{2180}'),
            ("।", '\u{0964}'),
            // Letters and marks by exception.
            ("سـس", '\u{0640}'),
            ("ߊߺߊ", '\u{07fa}'),
            ("가\u{302e}", '\u{302e}'),
            ("가\u{302f}", '\u{302f}'),
            ("あ〱", '\u{3031}'),
            ("あ〵", '\u{3035}'),
            ("あ〻", '\u{303b}'),
            // Marks for symbols and for notes, Jamo.
            ("a\u{20d2}", '\u{20d2}'),
            ("a\u{1d242}", '\u{1d242}'),
            ("ᄀ", '\u{1100}'),
            ("ꥠ", '\u{a960}'),
            ("ힰ", '\u{d7b0}'),
        ] {
            let domain = encoded(label);
            let a_label = domain.strip_suffix(".example").unwrap();
            let error = organisation(&domain);
            let expected = NameError::DisallowedCharacter {
                label: a_label.into(),
                character,
            };
            assert_eq!(error, Err(expected), "{label}");
        }
        let error = organisation("good.xn--ab-c6t.example").unwrap_err();
        assert!(error.to_string().contains("xn--ab-c6t"), "{error}");
        assert!(error.to_string().contains("U+2044"), "{error}");
    }

    #[test]
    fn takes_a_labels_of_letters_digits_and_marks_of_any_script() {
        assert_eq!(
            organisation("xn--mnchen-3ya.de").unwrap().unicode(),
            "münchen.de"
        );
        for label in [
            "例え",
            "中国",
            "한국",
            "東京・大阪",
            "〇一二三",
            "straße",
            "βόλος",
            "россия",
            "भारत",
            // Virama and a zero-width non-joiner behind it.
            "क्\u{200c}ष",
            "இந்தியா",
            // A combining mark without a precomposed form.
            "x\u{0301}y",
            "ไทย",
            "ישראל",
            "السعودية",
            "col·lecció",
            "१२३क",
            "a-ü-b",
        ] {
            let domain = encoded(label);
            assert!(domain.starts_with(ACE_PREFIX), "{domain}");
            assert_eq!(
                organisation(&domain).map(|domain| domain.unicode().into_owned()),
                Ok(format!("{label}.example"))
            );
        }
    }

    #[test]
    fn refuses_labels_whose_directions_do_not_go_together() {
        let domain = format!("1a.{}", encoded("ישראל"));
        assert_eq!(organisation(&domain), Err(NameError::MixedDirections));
    }

    #[test]
    fn names_the_owner_of_its_records() {
        let owner = organisation("example.com")
            .unwrap()
            .record_owner(Dialect::VeraId);
        assert_eq!(owner.unwrap().to_string(), "_veraid.example.com.");
        let label = "a".repeat(63);
        let longest: Organisation = format!("{label}.{label}.{label}.{}", "a".repeat(61))
            .parse()
            .unwrap();
        assert_eq!(
            longest.record_owner(Dialect::VeraId),
            Err(NameError::NoRoomForRecord)
        );
    }

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

    #[test]
    fn a_member_id_reads_as_an_address_and_a_bot_as_its_domain() {
        let id = |member: &str| {
            MemberId::new(
                organisation("example.com").unwrap(),
                member.parse().unwrap(),
            )
        };
        assert_eq!(id("alice").to_string(), "alice@example.com");
        assert_eq!(id("@").to_string(), "example.com");
        assert_eq!(id("@").user(), None);
        assert_eq!("".parse::<Member>(), Err(NameError::EmptyUserName));
    }
}
