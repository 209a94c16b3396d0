//! Organisations, which are domain names.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

#[cfg(feature = "confusables")]
use super::ConfusableLabel;
use super::{Dialect, NameError};

/// The longest domain name as text, without the final dot, in octets (RFC 1035 §2.3.4 less the
/// octets that only the wire form has).
pub const MAX_DOMAIN_OCTETS: usize = 253;
/// The longest label of a domain name, in octets (RFC 1035 §2.3.4).
const MAX_LABEL_OCTETS: usize = 63;
/// The prefix of every A-label (RFC 5890 §2.3.2.1).
const ACE_PREFIX: &str = "xn--";

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
#[doc(alias = "Organization")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Organisation(Box<str>);

impl Organisation {
    /// The domain name in ASCII and lower case, without the final dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain name with its A-labels converted to Unicode, for people to read.
    #[must_use]
    pub fn unicode(&self) -> Cow<'_, str> {
        let (unicode, _) = to_unicode(&self.0, Hyphens::Allow);
        unicode
    }

    /// Labels that may be mistaken for others, each with the reason. Use them for warnings, not to
    /// refuse domains: honest names may have such labels too.
    ///
    /// A domain may have been registered because its Unicode form ([`Organisation::unicode`]) looks
    /// like another. A label is in the list if it mixes scripts that are not written together (UTS
    /// 39, below "Highly Restrictive"), or if each of its letters looks like an ASCII letter. The
    /// latter does not include Latin letters in everyday use, such as the Turkish `ı`, or labels
    /// under a top-level domain of the same script. Domains in ASCII have no such labels, and cost
    /// nothing.
    ///
    /// ```
    /// use veraid::Organisation;
    ///
    /// let organisation: Organisation = "xn--80ak6aa92e.com".parse()?;
    /// let warnings = organisation.confusable_labels();
    /// assert_eq!(warnings[0].to_string(), "`аррӏе` (xn--80ak6aa92e) looks like `apple`, in Cyrillic letters");
    /// # Ok::<(), veraid::NameError>(())
    /// ```
    #[cfg(feature = "confusables")]
    #[must_use]
    pub fn confusable_labels(&self) -> Vec<ConfusableLabel> {
        let mut a_labels = self
            .0
            .split('.')
            .filter(|label| label.starts_with(ACE_PREFIX))
            .peekable();
        if a_labels.peek().is_none() {
            return Vec::new();
        }
        let unicode = self.unicode();
        let top_level = unicode.rsplit('.').next().unwrap_or_default();
        a_labels
            .filter_map(|label| {
                let (unicode, _) = to_unicode(label, Hyphens::Check);
                ConfusableLabel::find(label, &unicode, top_level)
            })
            .collect()
    }

    /// Parses the common name of an organisation certificate: in VeraId with or without the final
    /// dot, in DomainAuth with it (draft, "Organisation Certificate").
    ///
    /// # Errors
    /// [`NameError::NoTrailingDot`] for a domain without the final dot, and the other errors of
    /// domains.
    pub fn parse_common_name(common_name: &str, dialect: Dialect) -> Result<Self, NameError> {
        let organisation = common_name.parse()?;
        if dialect == Dialect::DomainAuth && !common_name.ends_with('.') {
            return Err(NameError::NoTrailingDot);
        }
        Ok(organisation)
    }

    /// The common name for the organisation's certificate: without the final dot in VeraId, as
    /// implementations write it, and with the final dot in DomainAuth.
    #[must_use]
    pub fn common_name(&self, dialect: Dialect) -> Cow<'_, str> {
        match dialect {
            Dialect::VeraId => Cow::Borrowed(&self.0),
            Dialect::DomainAuth => Cow::Owned(format!("{}.", self.0)),
        }
    }

    /// The owner of the organisation's TXT records, such as `_veraid.example.com.`.
    ///
    /// # Errors
    /// [`NameError::NoRoomForRecord`] if the name would be too long for DNS.
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

/// Parses a domain name in ASCII, in upper or lower case, with or without the final dot.
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

/// Checks that a label has only letters, digits and inner hyphens (RFC 1123 §2.1).
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

/// Checks that each A-label decodes to a valid U-label that encodes to the same A-label (RFC 5891
/// §5.4), and that the labels are allowed together (RFC 5893).
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

/// Returns true if RFC 5892 §3 allows this character in a U-label, at least in some contexts.
///
/// The character must have survived decoding: unstable, ignorable and unassigned characters (§2.2,
/// §2.3, §2.10) do not.
///
/// UTS 46 allows more: symbols and emoji, which may be mistaken for the punctuation after a domain
/// in a URL or an address.
fn is_allowed(character: char) -> bool {
    match character {
        // The hyphen, and the exceptions and join controls that are valid or depend on their
        // context (§2.5, §2.6, §2.8).
        '-' | '\u{00b7}' | '\u{00df}' | '\u{0375}' | '\u{03c2}' | '\u{05f3}' | '\u{05f4}'
        | '\u{06fd}' | '\u{06fe}' | '\u{0f0b}' | '\u{200c}' | '\u{200d}' | '\u{3007}'
        | '\u{30fb}' => true,
        // Exceptions that are disallowed (§2.6); combining marks for symbols and musical notation
        // (§2.4); conjoining Hangul Jamo (§2.9).
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

/// The letters and digits of RFC 5892 §2.1.
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
        // It would be displayed as victim.com.
        assert_eq!(organisation("xn--victim-.com"), Err(NameError::BadHyphen));
        for text in [
            // Not Punycode, or the Punycode of an ASCII label.
            "xn--victim.com",
            "xn--0.com",
            "xn--example.xn--com",
            // U-labels that start and end with a hyphen.
            "xn----bga.com",
            "xn----9fa.com",
            // A U-label that starts with a combining mark.
            "xn--a-wbb.com",
            // Characters that mapping would change: É, ﬀ, ª.
            "xn--dca.com",
            "xn--im6c.com",
            "xn--hba.com",
            // A full stop within a label.
            "xn--ab-r13a.com",
            // Right-to-left and left-to-right letters in one label.
            "xn--a-poc.com",
            // Hyphens in the third and fourth place.
            "xn--ab---epa.com",
        ] {
            let error = organisation(text).unwrap_err();
            let is_named = |label: &str| {
                error
                    == NameError::BadALabel {
                        label: label.into(),
                    }
            };
            assert!(text.split('.').any(is_named), "{text}: {error}");
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

    /// The domain under `example` with a Unicode label, encoded whether it is allowed or not.
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
            // Exceptions among letters and marks.
            ("سـس", '\u{0640}'),
            ("ߊߺߊ", '\u{07fa}'),
            ("가\u{302e}", '\u{302e}'),
            ("가\u{302f}", '\u{302f}'),
            ("あ〱", '\u{3031}'),
            ("あ〵", '\u{3035}'),
            ("あ〻", '\u{303b}'),
            // Combining marks for symbols and musical notation, Jamo.
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
            // A virama followed by a zero-width non-joiner.
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
    fn a_domain_auth_common_name_has_a_final_dot_and_a_veraid_one_may() {
        for text in ["example.com", "EXAMPLE.com"] {
            assert_eq!(
                Organisation::parse_common_name(text, Dialect::DomainAuth),
                Err(NameError::NoTrailingDot)
            );
        }
        for (text, dialect) in [
            ("example.com.", Dialect::DomainAuth),
            ("Example.com.", Dialect::DomainAuth),
            ("example.com.", Dialect::VeraId),
            ("example.com", Dialect::VeraId),
        ] {
            let organisation = Organisation::parse_common_name(text, dialect).unwrap();
            assert_eq!(organisation.as_str(), "example.com");
        }
        // Errors of the domain itself come first.
        for &dialect in Dialect::ALL {
            for (text, error) in [
                ("", NameError::NoDomain),
                (".", NameError::NoDomain),
                ("..", NameError::EmptyLabel),
                ("example.com..", NameError::EmptyLabel),
                ("a..nl.", NameError::EmptyLabel),
                ("bücher.example.", NameError::NotAscii),
            ] {
                assert_eq!(
                    Organisation::parse_common_name(text, dialect),
                    Err(error),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_common_name_reads_as_it_was_written() {
        let domain = organisation("example.com").unwrap();
        assert_eq!(domain.common_name(Dialect::VeraId), "example.com");
        assert_eq!(domain.common_name(Dialect::DomainAuth), "example.com.");
        for &dialect in Dialect::ALL {
            let common_name = domain.common_name(dialect);
            let again = Organisation::parse_common_name(&common_name, dialect);
            assert_eq!(again.as_ref(), Ok(&domain));
        }
    }
}
