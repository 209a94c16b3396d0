//! The TXT record with which a domain publishes its organisation's key.
//!
//! Two forms are read at `_veraid.<domain>`, the one that implementations write and the one of VeraId's specification
//! (§3.2):
//!
//! ```text
//! <algorithm> <key-id> <ttl-override> [<service-oid>]
//! <algorithm> <digest-type> <key-id> <ttl-override> [<service-oid>]
//! ```
//!
//! A second field of `1`, `2` or `3` is a digest type, anything else a key id. The first form is written.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, BASE64_NOPAD};
use der::asn1::ObjectIdentifier;

use crate::crypto::HashAlgorithm;
use crate::error::Error;
use crate::key::{KeyAlgorithm, PublicKey, PublicKeyRef};
use crate::name::{Dialect, NameError, Organisation};

/// Longest digest there is, in octets.
const MAX_DIGEST_OCTETS: usize = 64;
/// The TTL of the records that [`TxtRecord::to_zone_line`] writes, in seconds. It has no part in verification.
const ZONE_LINE_TTL: u32 = 3_600;

/// The hash function that a key id is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestType {
    /// SHA-256, number 1.
    Sha256,
    /// SHA-384, number 2.
    Sha384,
    /// SHA-512, number 3.
    Sha512,
}

impl DigestType {
    /// What is meant where a record does not say: the larger the key, the longer the digest.
    #[must_use]
    pub fn implied_by(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Rsa2048 => Self::Sha256,
            KeyAlgorithm::Rsa3072 => Self::Sha384,
            KeyAlgorithm::Rsa4096 => Self::Sha512,
        }
    }

    pub(crate) fn hash(self) -> HashAlgorithm {
        match self {
            Self::Sha256 => HashAlgorithm::Sha256,
            Self::Sha384 => HashAlgorithm::Sha384,
            Self::Sha512 => HashAlgorithm::Sha512,
        }
    }

    fn from_number(field: &[u8]) -> Option<Self> {
        match field {
            b"1" => Some(Self::Sha256),
            b"2" => Some(Self::Sha384),
            b"3" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha384 => 2,
            Self::Sha512 => 3,
        }
    }
}

fn algorithm_from_number(field: &[u8]) -> Option<KeyAlgorithm> {
    match field {
        b"1" => Some(KeyAlgorithm::Rsa2048),
        b"2" => Some(KeyAlgorithm::Rsa3072),
        b"3" => Some(KeyAlgorithm::Rsa4096),
        _ => None,
    }
}

fn algorithm_number(algorithm: KeyAlgorithm) -> u8 {
    match algorithm {
        KeyAlgorithm::Rsa2048 => 1,
        KeyAlgorithm::Rsa3072 => 2,
        KeyAlgorithm::Rsa4096 => 3,
    }
}

/// What identifies a key in a record: a digest of its DER `SubjectPublicKeyInfo`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId {
    digest_type: DigestType,
    /// The digest, then zeros.
    octets: [u8; MAX_DIGEST_OCTETS],
}

impl KeyId {
    /// `digest` must be as long as `digest_type` makes them; what is too much is cut off.
    pub(crate) fn new(digest_type: DigestType, digest: &[u8]) -> Self {
        let mut octets = [0; MAX_DIGEST_OCTETS];
        octets
            .iter_mut()
            .zip(digest)
            .for_each(|(octet, &given)| *octet = given);
        Self {
            digest_type,
            octets,
        }
    }

    /// Reads Base64 of a digest of the right length: padded in full or not at all, so that there are no other spellings
    /// (RFC 4648 §3.2, §3.5). Padding within, as of pieces put together, is none.
    fn parse(digest_type: DigestType, text: &[u8]) -> Option<Self> {
        let octets = usize::from(digest_type.hash().octets());
        if ![BASE64.encode_len(octets), BASE64_NOPAD.encode_len(octets)].contains(&text.len()) {
            return None;
        }
        let unpadded = text
            .strip_suffix(b"==")
            .or_else(|| text.strip_suffix(b"="))
            .unwrap_or(text);
        let digest = BASE64_NOPAD.decode(unpadded).ok()?;
        (digest.len() == octets).then(|| Self::new(digest_type, &digest))
    }

    /// How the digest was made.
    #[must_use]
    pub fn digest_type(&self) -> DigestType {
        self.digest_type
    }

    /// The digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let length = usize::from(self.digest_type.hash().octets());
        self.octets.get(..length).unwrap_or_default()
    }
}

/// Base64 with padding.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&BASE64.encode(self.as_bytes()))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({:?} {self})", self.digest_type)
    }
}

/// For how long before the end of a verifier's period the DNSSEC signatures may have run out: 1 second to 90 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TtlOverride(u32);

impl TtlOverride {
    /// 90 days.
    pub const MAX: Self = Self(7_776_000);

    /// That many seconds, if it is at least 1 and no more than 90 days.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        match seconds {
            1..=7_776_000 => Some(Self(seconds)),
            _ => None,
        }
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// Reads decimal digits without leading zeros. What exceeds 90 days is cut down to them.
    fn parse(text: &[u8]) -> Option<Self> {
        let [b'1'..=b'9', ..] = text else {
            return None;
        };
        let mut seconds = 0u32;
        for digit in text {
            let digit = digit.is_ascii_digit().then_some(digit & 0x0f)?;
            seconds = seconds.saturating_mul(10).saturating_add(digit.into());
        }
        Some(Self(seconds.min(Self::MAX.0)))
    }
}

/// Seconds, as a bare number.
impl fmt::Display for TtlOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no VeraId record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a VeraId record: expected `<algorithm> <key-id> <ttl-override> [<service-oid>]`, such as `1 qqq…= 3600`"
)]
pub struct TxtRecordError;

/// A record that binds a key to a domain.
///
/// ```
/// use veraid::{KeyAlgorithm, PrivateKey, SigningKey, TtlOverride, TxtRecord};
///
/// let key = PrivateKey::generate(KeyAlgorithm::Rsa2048)?;
/// let hour = TtlOverride::from_seconds(3_600).unwrap();
/// let record = TxtRecord::new(key.public_key(), hour, None);
/// println!("{}", record.to_zone_line(&"example.com".parse()?)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TxtRecord {
    /// What kind of key it is.
    pub key_algorithm: KeyAlgorithm,
    /// Which key it is.
    pub key_id: KeyId,
    /// How long the DNSSEC signatures count.
    pub ttl_override: TtlOverride,
    /// The one service that the key is for; `None` for any.
    pub service: Option<ObjectIdentifier>,
}

impl TxtRecord {
    /// The record for `key`, with the digest that the key's size implies.
    #[must_use]
    pub fn new(
        key: &PublicKey,
        ttl_override: TtlOverride,
        service: Option<ObjectIdentifier>,
    ) -> Self {
        let key_algorithm = key.algorithm();
        Self {
            key_algorithm,
            key_id: key.key_id(DigestType::implied_by(key_algorithm)),
            ttl_override,
            service,
        }
    }

    /// Reads the joined character strings of a TXT record in either VeraId form; `None` if it is something else.
    ///
    /// Fields are set apart by any number of spaces or, as the reference library has it, tabs. Numbers have no leading
    /// zeros, Base64 no stray bits, and nothing may follow.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = text
            .split(|octet| matches!(octet, b' ' | b'\t'))
            .filter(|field| !field.is_empty());
        let key_algorithm = algorithm_from_number(fields.next()?)?;
        let second = fields.next()?;
        let key_id = match DigestType::from_number(second) {
            Some(digest_type) => KeyId::parse(digest_type, fields.next()?),
            None => KeyId::parse(DigestType::implied_by(key_algorithm), second),
        }?;
        let ttl_override = TtlOverride::parse(fields.next()?)?;
        let service = match fields.next() {
            Some(field) => Some(parse_service(field)?),
            None => None,
        };
        fields.next().is_none().then_some(Self {
            key_algorithm,
            key_id,
            ttl_override,
            service,
        })
    }

    /// The whole record as a line for a zone file.
    ///
    /// # Errors
    /// [`NameError::NoRoomForRecord`] for a domain that is too long to have one.
    pub fn to_zone_line(&self, organisation: &Organisation) -> Result<String, NameError> {
        let owner = organisation.record_owner(Dialect::VeraId)?;
        Ok(format!("{owner} {ZONE_LINE_TTL} IN TXT \"{self}\""))
    }

    /// Whether it is about `key`.
    pub(crate) fn identifies(&self, key: &PublicKeyRef<'_>) -> bool {
        self.key_algorithm == key.algorithm && self.key_id == key.key_id(self.key_id.digest_type())
    }

    /// Selects the record for a key and a service: one for that very service, or else one for any.
    ///
    /// # Errors
    /// [`Error::NoMatchingRecord`] if there is neither, [`Error::AmbiguousRecord`] if there are several of the kind
    /// that counts.
    pub fn select(
        records: impl IntoIterator<Item = Self>,
        key: &PublicKey,
        service: ObjectIdentifier,
    ) -> Result<Self, Error> {
        select(records, &key.borrow(), service)
    }
}

pub(crate) fn select(
    records: impl IntoIterator<Item = TxtRecord>,
    key: &PublicKeyRef<'_>,
    service: ObjectIdentifier,
) -> Result<TxtRecord, Error> {
    let (mut specific, mut general) = (Selection::default(), Selection::default());
    for record in records {
        if !record.identifies(key) {
            continue;
        }
        match record.service {
            Some(of) if of == service => specific.add(record),
            Some(_) => {}
            None => general.add(record),
        }
    }
    let selection = if specific.first.is_some() {
        specific
    } else {
        general
    };
    match selection {
        Selection {
            first: Some(_),
            several: true,
        } => Err(Error::AmbiguousRecord),
        Selection { first, .. } => first.ok_or(Error::NoMatchingRecord),
    }
}

/// The records of one kind, as far as they matter.
#[derive(Default)]
struct Selection {
    first: Option<TxtRecord>,
    several: bool,
}

impl Selection {
    fn add(&mut self, record: TxtRecord) {
        if self.first.is_some() {
            self.several = true;
        } else {
            self.first = Some(record);
        }
    }
}

/// Reads an object identifier in dotted decimals without leading zeros.
fn parse_service(field: &[u8]) -> Option<ObjectIdentifier> {
    let text = std::str::from_utf8(field).ok()?;
    let canonical = |arc: &str| arc == "0" || arc.starts_with(|first| matches!(first, '1'..='9'));
    if !text.split('.').all(canonical) {
        return None;
    }
    ObjectIdentifier::new(text).ok()
}

/// The text of the record: in the form that implementations write, unless its digest type can only be said in the other.
impl fmt::Display for TxtRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", algorithm_number(self.key_algorithm))?;
        let digest_type = self.key_id.digest_type();
        if digest_type != DigestType::implied_by(self.key_algorithm) {
            write!(f, "{} ", digest_type.number())?;
        }
        write!(f, "{} {}", self.key_id, self.ttl_override)?;
        match self.service {
            Some(service) => write!(f, " {service}"),
            None => Ok(()),
        }
    }
}

impl FromStr for TxtRecord {
    type Err = TxtRecordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes()).ok_or(TxtRecordError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA_256: &str = "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70ccs=";

    fn record(text: &str) -> Option<TxtRecord> {
        text.parse().ok()
    }

    #[test]
    fn reads_and_writes_the_form_that_implementations_use() {
        for service in ["", " 1.3.6.1.4.1.58708.3.0"] {
            let text = format!("1 {SHA_256} 3600{service}");
            assert_eq!(record(&text).unwrap().to_string(), text);
        }
        let sha_384 = BASE64.encode(&[7; 48]);
        let sha_512 = BASE64.encode(&[7; 64]);
        assert!(record(&format!("2 {sha_384} 1")).is_some());
        assert!(record(&format!("3 {sha_512} 1")).is_some());
        // The digest that the key's size implies, and no other.
        assert!(record(&format!("2 {SHA_256} 1")).is_none());
        assert!(record(&format!("1 {sha_384} 1")).is_none());
        assert!(record(&format!("1 {sha_512} 1")).is_none());
    }

    #[test]
    fn reads_the_form_of_the_specification_with_any_digest() {
        for (number, octets) in [("1", 32), ("2", 48), ("3", 64)] {
            let id = BASE64_NOPAD.encode(&vec![7; octets]);
            for algorithm in ["1", "2", "3"] {
                for service in ["", " 1.2.3"] {
                    let text = format!("{algorithm} {number} {id} 86400{service}");
                    assert_eq!(
                        record(&text).unwrap().key_id.as_bytes(),
                        vec![7; octets],
                        "{text}"
                    );
                }
            }
        }
        // The second field says how long the third is.
        assert!(record(&format!("1 2 {SHA_256} 3600")).is_none());
        let other_digest = format!("1 3 {} 60", BASE64.encode(&[7; 64]));
        assert_eq!(record(&other_digest).unwrap().to_string(), other_digest);
    }

    #[test]
    fn reads_padded_and_unpadded_key_ids_but_no_stray_bits() {
        let padded = record(&format!("1 {SHA_256} 3600"));
        assert_eq!(
            record(&format!("1 {} 3600", SHA_256.trim_end_matches('='))),
            padded
        );
        for id in [
            "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70cct=",
            "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70cct",
            "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70ccs==",
            "osDFkKVj9R-nIh2x1SezklJuuNzaff7KVrgsSH70ccs=",
            "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70cc",
            "=",
            "A",
        ] {
            assert_eq!(record(&format!("1 {id} 3600")), None, "{id}");
        }
    }

    #[test]
    fn refuses_key_ids_of_padded_pieces() {
        let octets = BASE64.decode(SHA_256.as_bytes()).unwrap();
        for split in 1..octets.len() {
            let (first, second) = octets.split_at(split);
            let pieces = BASE64.encode(first) + &BASE64.encode(second);
            assert_eq!(BASE64.decode(pieces.as_bytes()).unwrap(), octets);
            let expected = (pieces == SHA_256).then(|| octets.clone());
            for id in [pieces.as_str(), pieces.trim_end_matches('=')] {
                let parsed = record(&format!("1 {id} 3600"));
                let found = parsed.map(|record| record.key_id.as_bytes().to_vec());
                assert_eq!(found, expected, "{id}");
            }
        }
        // Pieces of the right length in all, but with a digest that is too short.
        let short = format!("{}AA==AA==", "A".repeat(36));
        assert_eq!(record(&format!("1 {short} 3600")), None);
        // Padding in part.
        let sha_512 = BASE64.encode(&[7; 64]);
        assert!(record(&format!("3 {sha_512} 60")).is_some());
        let half_padded = &sha_512[..sha_512.len() - 1];
        assert_eq!(record(&format!("3 {half_padded} 60")), None);
    }

    #[test]
    fn takes_runs_of_spaces_and_tabs_for_one() {
        let plain = record(&format!("1 {SHA_256} 3600 1.2.3")).unwrap();
        assert_eq!(
            record(&format!("  1  {SHA_256}   3600 1.2.3 ")),
            Some(plain.clone())
        );
        assert_eq!(record(&format!("1\t{SHA_256} \t3600\t1.2.3")), Some(plain));
    }

    #[test]
    fn skips_what_does_not_parse() {
        for text in [
            String::new(),
            " ".into(),
            "v=spf1 -all".into(),
            format!("1 {SHA_256}"),
            format!("0 {SHA_256} 3600"),
            format!("4 {SHA_256} 3600"),
            format!("01 {SHA_256} 3600"),
            format!("1 01 {SHA_256} 3600"),
            format!("1 0 {SHA_256} 3600"),
            format!("1 4 {SHA_256} 3600"),
            format!("1 {SHA_256} 0"),
            format!("1 {SHA_256} 03600"),
            format!("1 {SHA_256} +3600"),
            format!("1 {SHA_256} -1"),
            format!("1 {SHA_256} 1e3"),
            format!("1 {SHA_256} 3600s"),
            format!("1 {SHA_256} 3600 1.2.3 more"),
            format!("1 1 {SHA_256} 3600 1.2.3 more"),
            format!("1 {SHA_256} 3600 1.02.3"),
            format!("1 {SHA_256} 3600 1.2.3."),
            format!("1 {SHA_256} 3600 1"),
            format!("1 {SHA_256} 3600 9.9.9"),
            format!("1 {SHA_256} 3600 kliento"),
            format!("1,{SHA_256},3600"),
            format!("1\n{SHA_256}\n3600"),
            format!("1\u{a0}{SHA_256}\u{a0}3600"),
            format!("0 1 1 {SHA_256} 3600"),
        ] {
            assert_eq!(record(&text), None, "{text:?}");
        }
        assert_eq!(TxtRecord::parse(b"\xff\xfe"), None);
    }

    #[test]
    fn cuts_a_ttl_override_down_to_90_days() {
        for (text, seconds) in [
            ("1", 1),
            ("7776000", 7_776_000),
            ("7776001", 7_776_000),
            ("4294967296", 7_776_000),
            ("99999999999999999999999999999999999999999999", 7_776_000),
        ] {
            let record = record(&format!("1 {SHA_256} {text}")).unwrap();
            assert_eq!(record.ttl_override.seconds(), seconds);
        }
        assert_eq!(TtlOverride::from_seconds(0), None);
        assert_eq!(TtlOverride::from_seconds(7_776_001), None);
    }
}
