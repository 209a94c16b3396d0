//! Domain labels that may be mistaken for others (UTS 39 §4, §5; UTR 36 §2.11.2).
//!
//! Nothing is refused here, because registries decide which labels a domain may have. A user agent
//! that shows a domain in Unicode should warn of these labels, or show their A-labels.

use std::fmt;

use unicode_script::{Script, UnicodeScript as _};
use unicode_security::GeneralSecurityProfile as _;
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

/// The joiners, which are invisible and have their own rules in IDNA (RFC 5892 §A.1, §A.2).
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// A label of a domain name that may be mistaken for another, and the reason: it mixes scripts, or
/// looks like an ASCII label, or both.
///
/// `Display` writes a warning for people, with the label in Unicode and as its A-label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusableLabel {
    a_label: Box<str>,
    u_label: Box<str>,
    scripts: Box<[Script]>,
    is_mixed: bool,
    looks_like: Option<Box<str>>,
}

impl ConfusableLabel {
    /// Finds the reason why a label is confusable, if it is. The top-level domain is in Unicode,
    /// like the label.
    pub(super) fn find(a_label: &str, u_label: &str, top_level: &str) -> Option<Self> {
        let scripts = scripts_of(u_label);
        let is_mixed = !is_highly_restrictive(u_label);
        let looks_like = match scripts.as_slice() {
            // `kapı` and `æble` are ordinary Turkish and Danish; `pɑypal` has a phonetic letter.
            [] | [Script::Latin] if !has_unusual_characters(u_label) => None,
            // No domain in ASCII is under a top-level domain in Cyrillic.
            [script] if *script != Script::Latin && scripts_of(top_level).contains(script) => None,
            _ => look_like_ascii(u_label),
        };
        if !is_mixed && looks_like.is_none() {
            return None;
        }
        Some(Self {
            a_label: a_label.into(),
            u_label: u_label.into(),
            scripts: scripts.into(),
            is_mixed,
            looks_like: looks_like.map(Into::into),
        })
    }

    /// The label in ASCII.
    #[must_use]
    pub fn a_label(&self) -> &str {
        &self.a_label
    }

    /// The label in Unicode.
    #[must_use]
    pub fn u_label(&self) -> &str {
        &self.u_label
    }

    /// Returns true if it mixes scripts that are not written together.
    #[must_use]
    pub fn mixes_scripts(&self) -> bool {
        self.is_mixed
    }

    /// The names of its letters' scripts, such as `Cyrillic`, in order of occurrence.
    pub fn scripts(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.scripts.iter().map(|script| script.full_name())
    }

    /// The ASCII label that it looks like; `None` if any part of it has no ASCII lookalike.
    #[must_use]
    pub fn looks_like(&self) -> Option<&str> {
        self.looks_like.as_deref()
    }
}

impl fmt::Display for ConfusableLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.u_label, self.a_label)?;
        let scripts: Vec<&str> = self.scripts().collect();
        match (self.is_mixed, self.looks_like()) {
            (true, Some(ascii)) => {
                write!(
                    f,
                    " mixes {} letters and looks like `{ascii}`",
                    scripts.join(" and ")
                )
            }
            (true, None) => write!(f, " mixes {} letters", scripts.join(" and ")),
            (false, Some(ascii)) => {
                write!(
                    f,
                    " looks like `{ascii}`, in {} letters",
                    scripts.join(" and ")
                )
            }
            (false, None) => Ok(()),
        }
    }
}

/// The scripts of the letters, in order of occurrence.
fn scripts_of(label: &str) -> Vec<Script> {
    let mut scripts = Vec::new();
    for script in label.chars().map(|character| character.script()) {
        let is_shared = matches!(script, Script::Common | Script::Inherited);
        if !is_shared && !scripts.contains(&script) {
            scripts.push(script);
        }
    }
    scripts
}

/// Returns true if the scripts are used together: a single one, or Latin with those of Chinese,
/// Japanese or Korean (UTS 39 §5.2).
///
/// That restriction level also limits the characters of identifiers; for domains, IDNA does this.
fn is_highly_restrictive(label: &str) -> bool {
    let mut all = AugmentedScriptSet::default();
    let mut without_latin = AugmentedScriptSet::default();
    for character in label.chars() {
        let scripts = AugmentedScriptSet::from(character);
        all.intersect_with(scripts);
        if !scripts.base.contains_script(Script::Latin) {
            without_latin.intersect_with(scripts);
        }
    }
    !all.is_empty() || without_latin.hanb || without_latin.jpan || without_latin.kore
}

/// Returns true if there are characters that are not recommended in identifiers (UTS 39 §3.1):
/// phonetic letters, obsolete ones.
fn has_unusual_characters(label: &str) -> bool {
    let is_unusual =
        |character: char| !character.identifier_allowed() && !JOINERS.contains(&character);
    label.chars().any(is_unusual)
}

/// The label of letters, digits and hyphens that this one looks like, if each of its characters
/// looks like one.
fn look_like_ascii(label: &str) -> Option<String> {
    let parts: Option<Vec<String>> = label.chars().map(character_like_ascii).collect();
    parts.map(|parts| parts.concat())
}

fn character_like_ascii(character: char) -> Option<String> {
    if character.is_ascii() {
        return Some(character.into());
    }
    let prototype = skeleton_of(character);
    // Prototypes are not always lower-case letters: that of `m` is `rn`, and that of 0 is `O`.
    ('a'..='z')
        .chain('0'..='9')
        .find(|&ascii| skeleton_of(ascii) == prototype)
        .map(String::from)
        .or_else(|| {
            let is_label = prototype
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
            is_label.then(|| prototype.to_ascii_lowercase())
        })
}

fn skeleton_of(character: char) -> String {
    skeleton(character.encode_utf8(&mut [0; 4])).collect()
}

#[cfg(test)]
mod tests {
    use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
    use proptest::prelude::*;

    use super::ConfusableLabel;
    use crate::name::Organisation;

    fn organisation(unicode: &str) -> Organisation {
        let ascii = Uts46::new().to_ascii(
            unicode.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        );
        ascii.unwrap().parse().unwrap()
    }

    fn warnings(unicode: &str) -> Vec<String> {
        let labels = organisation(unicode).confusable_labels();
        labels.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn warns_of_a_whole_label_that_looks_like_ascii() {
        let apple: Organisation = "xn--80ak6aa92e.com".parse().unwrap();
        let [label] = apple.confusable_labels().try_into().unwrap();
        assert_eq!(label.a_label(), "xn--80ak6aa92e");
        assert_eq!(label.u_label(), "аррӏе");
        assert_eq!(label.looks_like(), Some("apple"));
        assert_eq!(label.scripts().collect::<Vec<_>>(), ["Cyrillic"]);
        assert!(!label.mixes_scripts());
        assert_eq!(
            label.to_string(),
            "`аррӏе` (xn--80ak6aa92e) looks like `apple`, in Cyrillic letters"
        );
        for (label, ascii) in [
            ("раураӏ", "paypal"),
            ("еxаmрӏе", "example"),
            ("ԁеӏӏ", "dell"),
            ("օոօ", "ono"),
            ("ебау", "e6ay"),
            // Latin letters that no language uses.
            ("pɑypal", "paypal"),
            ("ɡoogle", "google"),
            // In everyday use in Russian, but with the same shapes as `caxap`.
            ("сахар", "caxap"),
        ] {
            let labels = organisation(&format!("{label}.example")).confusable_labels();
            assert_eq!(labels.len(), 1, "{label}");
            assert_eq!(labels[0].looks_like(), Some(ascii), "{label}");
        }
    }

    #[test]
    fn warns_of_scripts_that_nobody_writes_together() {
        let [label] = organisation("pаypal.com")
            .confusable_labels()
            .try_into()
            .unwrap();
        assert!(label.mixes_scripts());
        assert_eq!(label.scripts().collect::<Vec<_>>(), ["Latin", "Cyrillic"]);
        assert_eq!(
            label.to_string(),
            "`pаypal` (xn--pypal-4ve) mixes Latin and Cyrillic letters and looks like `paypal`"
        );
        for label in [
            "gοοgle",
            "facebооk",
            "ωмега",
            "россияbank",
            "日本россия",
            "한국ひらがな",
        ] {
            let labels = organisation(&format!("{label}.example")).confusable_labels();
            assert_eq!(labels.len(), 1, "{label}");
            assert!(labels[0].mixes_scripts(), "{label}");
        }
        assert_eq!(
            warnings("ωмега.example"),
            ["`ωмега` (xn--bya0siah8a) mixes Greek and Cyrillic letters"]
        );
    }

    #[test]
    fn names_each_label_that_is_confusable_and_no_other() {
        let labels = organisation("www.pаypal.bücher.аррӏе.example").confusable_labels();
        let labels: Vec<&str> = labels.iter().map(ConfusableLabel::u_label).collect();
        assert_eq!(labels, ["pаypal", "аррӏе"]);
    }

    #[test]
    fn does_not_warn_of_honest_names_of_any_script() {
        for domain in [
            "example.com",
            "rnicrosoft.com",
            "goog1e.com",
            // German, French, Danish, Polish, Czech, Turkish, Vietnamese, Catalan.
            "münchen.de",
            "straße.de",
            "café.example",
            "ærøskøbing.example",
            "łódź.example",
            "čeština.example",
            "kapı.example",
            "việtnam.example",
            "col·lecció.cat",
            // Japanese in four scripts, Chinese and Korean with Latin letters, Bopomofo.
            "東京.example",
            "日本語ひらがなカタカナ.example",
            "tシャツ屋さんabc.example",
            "東京・大阪.example",
            "〇一二三.example",
            "中文abc.example",
            "한국어.example",
            "한국abc漢.example",
            "ㄅㄆㄇ中文.example",
            // Greek, Cyrillic, Armenian, Georgian.
            "ελλάδα.example",
            "россия.example",
            "україна.example",
            "հայաստան.example",
            "საქართველო.example",
            // Thai, Arabic with its digits, Persian and Hindi with joiners, Hebrew, Tamil, Bengali, Inuktitut.
            "ไทย.example",
            "السعودية.example",
            "مصر٢٠.example",
            "می\u{200c}خواهم.example",
            "क्\u{200d}ष.example",
            "भारत१२.example",
            "ישראל.example",
            "இந்தியா.example",
            "বাংলা.example",
            "ᐃᓄᒃᑎᑐᑦ.example",
        ] {
            assert_eq!(warnings(domain), [""; 0], "{domain}");
        }
    }

    #[test]
    fn does_not_warn_of_look_alikes_under_a_top_level_domain_of_their_script() {
        assert_eq!(warnings("сахар.рф"), [""; 0]);
        assert_eq!(warnings("сахар.ελ").len(), 1);
        // Mixing is still reported.
        assert_eq!(warnings("pаypal.рф").len(), 1);
    }

    proptest! {
        /// Letters of many scripts, at random: every domain can be checked, and every warning has a
        /// reason.
        #[test]
        fn any_domain_can_be_looked_at(
            label in "[a-zа-яα-ωա-ֆא-תا-ي一-龥ぁ-んァ-ヶ가-힣ก-ฮɐ-ʯ0-9\u{301}\u{200d}-]{1,12}"
        ) {
            let domain = format!("{label}.example");
            let ascii = Uts46::new().to_ascii(
                domain.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::Check,
                DnsLength::Verify,
            );
            let organisation = ascii.ok().and_then(|ascii| ascii.parse::<Organisation>().ok());
            for warning in organisation.iter().flat_map(Organisation::confusable_labels) {
                prop_assert!(warning.mixes_scripts() || warning.looks_like().is_some());
                prop_assert!(warning.looks_like().is_none_or(str::is_ascii));
                prop_assert!(warning.scripts().next().is_some());
                prop_assert!(!organisation.as_ref().unwrap().as_str().starts_with(warning.u_label()));
            }
        }
    }
}
