//! The reading of a TXT record's text: a VeraId record, or the reason why it is none.
//!
//! Whether it is one, [`TxtRecord`] says. Here is only guessed what somebody meant, so that they can be told what to
//! change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use kliento::veraid::{Dialect, TtlOverride, TxtRecord};

/// Quotes of word processors, and spaces that only look like one.
pub(super) const TYPOGRAPHIC: [char; 14] = [
    '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}',
    '\u{bb}', '\u{a0}', '\u{2009}', '\u{202f}', '\u{200b}', '\u{feff}',
];
/// Algorithms of VeraId records with the octets of the digests that go with them: SHA-256, SHA-384, SHA-512.
const ALGORITHMS: [(&str, usize); 3] = [("1", 32), ("2", 48), ("3", 64)];
/// The fewest characters of a key id: Base64 of 32 octets without padding.
const MIN_KEY_ID: usize = 43;

/// A text that reads, and what is odd about it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// Several character strings.
    Split,
    /// Spaces at an end or several in a row, or tabs.
    Spaces,
    /// The form with a digest type.
    DigestType,
    /// More than 90 days, which is cut down to them.
    LargeTtlOverride,
}

/// The reason why a text is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is about something else.
    Foreign,
    /// Quotes that belong to a zone file are part of the text.
    Quoted,
    /// Characters of a word processor.
    Typography,
    /// A whole line of a zone file in place of the text.
    ZoneLine,
    /// The key itself, in place of its digest.
    Key,
    /// Commas or semicolons where there should be spaces.
    Separators,
    /// A line break, or another character that can't be seen.
    ControlCharacters,
    /// The form of the dialect to come, which stands elsewhere.
    DomainAuth,
    /// It is a VeraId record, but for a field.
    Field(FieldTrouble),
}

impl Trouble {
    /// Tells whether it names what was done to the text as a whole, rather than where reading it ended.
    pub(super) fn is_exact(&self) -> bool {
        !matches!(
            self,
            Self::Foreign | Self::Field(_) | Self::ControlCharacters
        )
    }
}

/// The fault of the first field that has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldTrouble {
    /// No number of an algorithm.
    Algorithm(String),
    /// Fields are missing.
    Incomplete,
    /// The key id is in hexadecimal digits.
    HexKeyId,
    /// The key id is of the wrong length for the algorithm.
    KeyIdLength,
    /// The key id is no Base64.
    KeyId,
    /// A TTL override of 0.
    ZeroTtlOverride,
    /// A TTL override that is no plain number.
    TtlOverride(String),
    /// A service that is no OID.
    Service(String),
    /// More fields than there are.
    TooManyFields,
}

/// The reading of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Record(TxtRecord, Vec<Oddity>),
    Trouble(Trouble),
}

impl Reading {
    /// Reads the character strings of a record.
    pub(super) fn of(strings: &[&[u8]]) -> Self {
        let text = strings.concat();
        match TxtRecord::parse(&text, Dialect::VeraId) {
            Some(record) => {
                Self::Record(record, oddities(strings, &String::from_utf8_lossy(&text)))
            }
            None => Self::Trouble(trouble(&String::from_utf8_lossy(&text))),
        }
    }

    /// Tells whether somebody meant it as a VeraId record.
    pub(super) fn is_an_attempt(&self) -> bool {
        !matches!(self, Self::Trouble(Trouble::Foreign))
    }
}

fn oddities(strings: &[&[u8]], text: &str) -> Vec<Oddity> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let digest_type = fields.get(1).is_some_and(|field| field.len() == 1);
    let ttl_override = fields.get(if digest_type { 3 } else { 2 });
    let is_large = ttl_override
        .and_then(|field| field.parse().ok())
        .is_none_or(|seconds: u64| seconds > TtlOverride::MAX.seconds().into());
    [
        (strings.len() > 1, Oddity::Split),
        (fields.join(" ") != text, Oddity::Spaces),
        (digest_type, Oddity::DigestType),
        (is_large, Oddity::LargeTtlOverride),
    ]
    .into_iter()
    .filter_map(|(applies, oddity)| applies.then_some(oddity))
    .collect()
}

fn reads(text: &str) -> bool {
    TxtRecord::parse(text.as_bytes(), Dialect::VeraId).is_some()
}

pub(super) fn is_number(field: &str) -> bool {
    !field.is_empty() && field.bytes().all(|octet| octet.is_ascii_digit())
}

fn trouble(text: &str) -> Trouble {
    let bare: String = text
        .chars()
        .map(|character| {
            if TYPOGRAPHIC.contains(&character) {
                ' '
            } else {
                character
            }
        })
        .collect();
    if bare != text && looks_like_ours(&bare) {
        return Trouble::Typography;
    }
    let visible = text.replace(char::is_control, " ");
    if visible != text && reads(visible.trim()) {
        return Trouble::ControlCharacters;
    }
    let unquoted = text.replace(['"', '\'', '`', '\\'], " ");
    if text.contains(['"', '\'', '`']) && reads(&unquoted) {
        return Trouble::Quoted;
    }
    let upper = text.to_ascii_uppercase();
    if upper.contains("_VERAID") || upper.contains(" TXT ") && text.contains('"') {
        return Trouble::ZoneLine;
    }
    if text.contains("-----BEGIN") || text.trim_start().starts_with("MI") && text.len() > MIN_KEY_ID
    {
        return Trouble::Key;
    }
    let spaced = text.replace([',', ';', '|'], " ");
    if spaced != text && reads(&spaced) {
        return Trouble::Separators;
    }
    if !looks_like_ours(text) {
        return Trouble::Foreign;
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    // Version, algorithm, digest type, key id, TTL override.
    if matches!(fields.as_slice(), ["0", second, _, _, _, ..] if is_number(second)) {
        return Trouble::DomainAuth;
    }
    Trouble::Field(field_trouble(&fields))
}

/// A number, and either something of a key id's length or as many fields as a record has.
fn looks_like_ours(text: &str) -> bool {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let Some((first, rest)) = fields.split_first() else {
        return false;
    };
    is_number(first)
        && (rest.iter().any(|field| field.len() >= MIN_KEY_ID)
            || rest.len() >= 2 && rest.iter().skip(1).any(|field| is_number(field)))
}

/// The first field that is wrong.
fn field_trouble(fields: &[&str]) -> FieldTrouble {
    let (Some(&algorithm), Some(&second)) = (fields.first(), fields.get(1)) else {
        return FieldTrouble::Incomplete;
    };
    let Some((_, implied)) = ALGORITHMS
        .into_iter()
        .find(|(number, _)| *number == algorithm)
    else {
        return FieldTrouble::Algorithm(algorithm.to_owned());
    };
    let digest = ALGORITHMS.into_iter().find(|(number, _)| *number == second);
    let (octets, rest) = match digest {
        Some((_, octets)) => (octets, fields.get(2..)),
        None => (implied, fields.get(1..)),
    };
    let [key_id, rest @ ..] = rest.unwrap_or_default() else {
        return FieldTrouble::Incomplete;
    };
    if let Some(trouble) = key_id_trouble(key_id, octets) {
        return trouble;
    }
    let [ttl_override, rest @ ..] = rest else {
        return FieldTrouble::Incomplete;
    };
    if is_number(ttl_override) && ttl_override.bytes().all(|digit| digit == b'0') {
        return FieldTrouble::ZeroTtlOverride;
    }
    if !is_number(ttl_override) || ttl_override.starts_with('0') {
        return FieldTrouble::TtlOverride((*ttl_override).to_owned());
    }
    match rest {
        [service] => FieldTrouble::Service((*service).to_owned()),
        _ => FieldTrouble::TooManyFields,
    }
}

fn key_id_trouble(key_id: &str, octets: usize) -> Option<FieldTrouble> {
    let is_hex = key_id
        .bytes()
        .all(|octet| octet.is_ascii_hexdigit() || octet == b':');
    if is_hex
        && ALGORITHMS
            .iter()
            .any(|(_, octets)| key_id.replace(':', "").len() == octets * 2)
    {
        return Some(FieldTrouble::HexKeyId);
    }
    match decode_key_id(key_id) {
        None => Some(FieldTrouble::KeyId),
        Some(digest) if digest.len() != octets => Some(FieldTrouble::KeyIdLength),
        // A digest of the right length in another spelling than the one that reads.
        Some(digest) => (!is_canonical(key_id, &digest)).then_some(FieldTrouble::KeyId),
    }
}

/// The octets that somebody's Base64 stands for, with padding or without.
pub(super) fn decode_key_id(key_id: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    LENIENT.decode(key_id).ok()
}

fn is_canonical(key_id: &str, digest: &[u8]) -> bool {
    STANDARD.encode(digest).trim_end_matches('=') == key_id.trim_end_matches('=')
}

/// Tells whether VeraId's reference library reads a record, whatever it then makes of it: one character string, three
/// fields or more, an algorithm that it knows first, a whole number third (`parseTxtRdata` in `@relaycorp/veraid`
/// 3.1.2). At any other it gives up on all records of the name.
pub(super) fn reference_reads(strings: &[&[u8]]) -> bool {
    let [text] = strings else {
        return false;
    };
    let text = String::from_utf8_lossy(text);
    let fields: Vec<&str> = text.split_whitespace().collect();
    matches!(fields.as_slice(), [algorithm, _, ttl_override, ..]
        if ALGORITHMS.iter().any(|(number, _)| number == algorithm) && is_number(ttl_override))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70ccs=";

    fn reading(text: &str) -> Reading {
        Reading::of(&[text.as_bytes()])
    }

    fn trouble_with(text: &str) -> Trouble {
        match reading(text) {
            Reading::Trouble(trouble) => trouble,
            Reading::Record(..) => panic!("{text} reads"),
        }
    }

    fn oddities_of(text: &str) -> Vec<Oddity> {
        match reading(text) {
            Reading::Record(_, oddities) => oddities,
            Reading::Trouble(trouble) => panic!("{text}: {trouble:?}"),
        }
    }

    #[test]
    fn a_record_that_reads_may_still_be_odd() {
        assert_eq!(oddities_of(&format!("1 {ID} 3600")), []);
        assert_eq!(oddities_of(&format!("1 {ID} 3600 1.2.3")), []);
        for text in [
            format!("1 {ID} 3600 "),
            format!(" 1 {ID} 3600"),
            format!("1  {ID} 3600"),
            format!("1\t{ID} 3600"),
        ] {
            assert_eq!(oddities_of(&text), [Oddity::Spaces], "{text:?}");
        }
        assert_eq!(oddities_of(&format!("1 1 {ID} 3600")), [Oddity::DigestType]);
        for seconds in ["7776001", "99999999999999999999999999"] {
            assert_eq!(
                oddities_of(&format!("1 {ID} {seconds}")),
                [Oddity::LargeTtlOverride]
            );
        }
        assert_eq!(oddities_of(&format!("1 {ID} 7776000")), []);
        let (first, second) = ID.split_at(20);
        let split = Reading::of(&[b"1 ", first.as_bytes(), second.as_bytes(), b" 3600"]);
        assert!(matches!(split, Reading::Record(_, oddities) if oddities == [Oddity::Split]));
    }

    #[test]
    fn says_what_somebody_meant() {
        let hex = "a2c0c590a563f51fa7221db1d527b392526eb8dcda7dfeca56b82c487ef471cb";
        for (text, expected) in [
            (format!("\"1 {ID} 3600\""), Trouble::Quoted),
            (format!("'1 {ID} 3600'"), Trouble::Quoted),
            (format!("\\\"1 {ID} 3600\\\""), Trouble::Quoted),
            (format!("1 {ID} 3600\r\n"), Trouble::ControlCharacters),
            (format!("1 {ID}\u{b} 3600"), Trouble::ControlCharacters),
            (
                format!("1 {ID} 3600\\"),
                Trouble::Field(FieldTrouble::TtlOverride("3600\\".into())),
            ),
            (format!("“1 {ID} 3600”"), Trouble::Typography),
            (format!("1\u{a0}{ID} 3600"), Trouble::Typography),
            (
                format!("_veraid.example.com. 3600 IN TXT \"1 {ID} 3600\""),
                Trouble::ZoneLine,
            ),
            (format!("3600 IN TXT \"1 {ID} 3600\""), Trouble::ZoneLine),
            ("-----BEGIN PUBLIC KEY-----".to_owned(), Trouble::Key),
            (
                format!("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{ID}"),
                Trouble::Key,
            ),
            (format!("1,{ID},3600"), Trouble::Separators),
            (format!("1; {ID}; 3600"), Trouble::Separators),
            (format!("0 1 1 {ID} 3600"), Trouble::DomainAuth),
            (
                format!("4 {ID} 3600"),
                Trouble::Field(FieldTrouble::Algorithm("4".into())),
            ),
            (
                format!("01 {ID} 3600"),
                Trouble::Field(FieldTrouble::Algorithm("01".into())),
            ),
            (format!("1 {ID}"), Trouble::Field(FieldTrouble::Incomplete)),
            (
                format!("1 1 {ID}"),
                Trouble::Field(FieldTrouble::Incomplete),
            ),
            (
                format!("1 {hex} 3600"),
                Trouble::Field(FieldTrouble::HexKeyId),
            ),
            (
                format!("1 {} 3600", &ID[..40]),
                Trouble::Field(FieldTrouble::KeyIdLength),
            ),
            (
                format!("2 {ID} 3600"),
                Trouble::Field(FieldTrouble::KeyIdLength),
            ),
            (
                format!("1 2 {ID} 3600"),
                Trouble::Field(FieldTrouble::KeyIdLength),
            ),
            (
                format!("1 {} 3600", ID.replace('+', "-")),
                Trouble::Field(FieldTrouble::KeyId),
            ),
            (format!("1 {ID}= 3600"), Trouble::Field(FieldTrouble::KeyId)),
            (
                format!("1 {ID} 0"),
                Trouble::Field(FieldTrouble::ZeroTtlOverride),
            ),
            (
                format!("1 {ID} 1h"),
                Trouble::Field(FieldTrouble::TtlOverride("1h".into())),
            ),
            (
                format!("1 {ID} 03600"),
                Trouble::Field(FieldTrouble::TtlOverride("03600".into())),
            ),
            (
                format!("1 {ID} -1"),
                Trouble::Field(FieldTrouble::TtlOverride("-1".into())),
            ),
            (
                format!("1 {ID} 3600 kliento"),
                Trouble::Field(FieldTrouble::Service("kliento".into())),
            ),
            (
                format!("1 {ID} 3600 1.2.3 4"),
                Trouble::Field(FieldTrouble::TooManyFields),
            ),
            ("v=spf1 -all".to_owned(), Trouble::Foreign),
            ("google-site-verification=abc".to_owned(), Trouble::Foreign),
            (String::new(), Trouble::Foreign),
            ("1".to_owned(), Trouble::Foreign),
        ] {
            assert_eq!(trouble_with(&text), expected, "{text}");
        }
    }

    #[test]
    fn knows_what_the_reference_library_gives_up_on() {
        let reads = |text: &str| reference_reads(&[text.as_bytes()]);
        assert!(reads(&format!("1 {ID} 3600")));
        assert!(reads(&format!(" 1 \t {ID} 0 whatever else ")));
        assert!(reads("1 not-base64 3600"));
        for text in [
            "v=spf1 -all".to_owned(),
            format!("1 {ID}"),
            format!("1 1 {ID} 3600"),
            format!("4 {ID} 3600"),
            format!("1 {ID} 1h"),
        ] {
            assert!(!reads(&text), "{text}");
        }
        assert!(!reference_reads(&[b"1 ", ID.as_bytes(), b" 3600"]));
    }
}
