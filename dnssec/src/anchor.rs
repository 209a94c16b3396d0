//! Trust anchors: the keys that are believed without proof.
//!
//! Those of the DNS root are built in. Others are read from DS or DNSKEY lines of a zone file, from
//! the state file of a program that follows RFC 5011 as Unbound does, or from IANA's
//! root-anchors.xml (RFC 9718).

mod error;
mod records;
mod state;
mod text;
#[cfg(feature = "xml")]
mod xml;

use std::fmt;
use std::str::FromStr;

use crate::name::Name;
use crate::presentation::rdata_to_text;
use crate::rdata::{Algorithm, Dnskey, Ds};
use crate::record::RecordType;
use crate::time::Timestamp;
use crate::validity::{Period, Validity};

pub use error::AnchorError;
pub use state::{KeyState, LeftOutKey};

/// One of the root's anchors as IANA publishes them at
/// <https://data.iana.org/root-anchors/root-anchors.xml>. None of those below has a `validUntil`.
struct Published {
    key_tag: u16,
    digest_sha256: [u8; 32],
    valid_from: Timestamp,
}

/// The digest type of DS records with SHA-256 (RFC 4509).
const SHA256_DIGEST: u8 = 2;

/// KSK-2017 and KSK-2024, both of algorithm 8 (RSASHA256).
const IANA_ROOT_ANCHORS: [Published; 2] = [
    Published {
        key_tag: 20326,
        digest_sha256: [
            0xe0, 0x6d, 0x44, 0xb8, 0x0b, 0x8f, 0x1d, 0x39, 0xa9, 0x5c, 0x0b, 0x0d, 0x7c, 0x65,
            0xd0, 0x84, 0x58, 0xe8, 0x80, 0x40, 0x9b, 0xbc, 0x68, 0x34, 0x57, 0x10, 0x42, 0x37,
            0xc7, 0xf8, 0xec, 0x8d,
        ],
        // 2017-02-02T00:00:00Z
        valid_from: Timestamp::from_unix_seconds(1_485_993_600),
    },
    Published {
        key_tag: 38696,
        digest_sha256: [
            0x68, 0x3d, 0x2d, 0x0a, 0xcb, 0x8c, 0x9b, 0x71, 0x2a, 0x19, 0x48, 0xb2, 0x7f, 0x74,
            0x12, 0x19, 0x29, 0x8d, 0x0a, 0x45, 0x0d, 0x61, 0x2c, 0x48, 0x3a, 0xf4, 0x44, 0xa4,
            0xc0, 0xfb, 0x2b, 0x16,
        ],
        valid_from: TrustAnchors::IANA_DATE,
    },
];

/// A key that is believed, given as the key or its digest, with the times at which it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrustAnchor {
    owner: Name,
    form: AnchorForm,
    validity: Validity,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum AnchorForm {
    /// DS RDATA.
    Ds(Box<[u8]>),
    /// DNSKEY RDATA.
    Dnskey(Box<[u8]>),
}

impl TrustAnchor {
    /// Makes an anchor from the RDATA of a DS record. Returns `None` if the RDATA is truncated or
    /// the digest does not have the length for its type.
    pub fn from_ds(owner: Name, rdata: &[u8], validity: Validity) -> Option<Self> {
        let ds = Ds::parse(rdata)?;
        let digest_fits = match ds.digest_type {
            1 => ds.digest.len() == 20,
            2 => ds.digest.len() == 32,
            4 => ds.digest.len() == 48,
            _ => !ds.digest.is_empty(),
        };
        digest_fits.then(|| Self {
            owner,
            form: AnchorForm::Ds(rdata.into()),
            validity,
        })
    }

    /// Makes an anchor from the RDATA of a DNSKEY record. Returns `None` if the RDATA is truncated.
    pub fn from_dnskey(owner: Name, rdata: &[u8], validity: Validity) -> Option<Self> {
        let key = Dnskey::parse(rdata)?;
        (!key.public_key.is_empty()).then(|| Self {
            owner,
            form: AnchorForm::Dnskey(rdata.into()),
            validity,
        })
    }

    /// The zone that the key belongs to: `.` for the root.
    pub fn owner(&self) -> &Name {
        &self.owner
    }

    /// The times at which the anchor may be used: from IANA's `validFrom` until before its
    /// `validUntil` (RFC 9718 §2.2), and always for an anchor without times.
    pub fn validity(&self) -> &Validity {
        &self.validity
    }

    /// The key's tag.
    pub fn key_tag(&self) -> u16 {
        match &self.form {
            AnchorForm::Ds(rdata) => Ds::parse(rdata).map_or(0, |ds| ds.key_tag),
            AnchorForm::Dnskey(rdata) => Dnskey::parse(rdata).map_or(0, |key| key.key_tag()),
        }
    }

    /// The key's algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match &self.form {
            AnchorForm::Ds(rdata) => Ds::parse(rdata).map_or(Algorithm(0), |ds| ds.algorithm),
            AnchorForm::Dnskey(rdata) => {
                Dnskey::parse(rdata).map_or(Algorithm(0), |key| key.algorithm)
            }
        }
    }

    /// The commitment to the key, as a DS or as the key itself.
    pub(crate) fn commitment(&self) -> Option<Commitment<'_>> {
        match &self.form {
            AnchorForm::Ds(rdata) => Ds::parse(rdata).map(Commitment::Ds),
            AnchorForm::Dnskey(rdata) => Dnskey::parse(rdata).map(Commitment::Dnskey),
        }
    }
}

/// Writes a line of a zone file. The times of an anchor that is not always valid are in a comment
/// after it, which [`TrustAnchors`] reads:
/// `. IN DS 20326 8 2 E06D… ;;valid=from 2017-02-02T00:00:00Z on`.
impl fmt::Display for TrustAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (record_type, rdata) = match &self.form {
            AnchorForm::Ds(rdata) => (RecordType::DS, rdata),
            AnchorForm::Dnskey(rdata) => (RecordType::DNSKEY, rdata),
        };
        text::write_owner(&self.owner, f)?;
        write!(f, " IN {record_type} {}", rdata_to_text(record_type, rdata))?;
        if self.validity == Validity::always() {
            return Ok(());
        }
        write!(f, " ;;{}{}", text::VALID, self.validity)
    }
}

/// A commitment to a key, from a DS record or an anchor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Commitment<'a> {
    Ds(Ds<'a>),
    Dnskey(Dnskey<'a>),
}

/// The keys that a verifier believes.
///
/// ```
/// use dnssec::TrustAnchors;
///
/// let root = TrustAnchors::iana();
/// assert_eq!(root.iter().map(|anchor| anchor.key_tag()).collect::<Vec<_>>(), [20326, 38696]);
///
/// let own: TrustAnchors = "\
/// ; a private root
/// . 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
/// ".parse()?;
/// # assert_eq!(own.iter().count(), 1);
/// # Ok::<(), dnssec::AnchorError>(())
/// ```
///
/// # Text forms
///
/// [`FromStr`] reads three forms, distinguished by their content. Anything that it does not
/// understand is an error, which names the line.
///
/// - Lines of a zone file with DS or DNSKEY records (RFC 1035 §5.1, RFC 4034), as written by
///   `unbound-anchor`, `dig` and `dnssec-dsfromkey`: with comments, parentheses, `$ORIGIN`, `$TTL`
///   and `@`. A line that begins with a blank has the owner of the record before it. Names are
///   absolute unless there is an `$ORIGIN`. An owner that can be read as a class, a TTL or one of
///   the two types is refused, because the owner has more likely been omitted.
///   [`Display`](fmt::Display) writes such lines, with the times of an anchor in a comment
///   `;;valid=…` that can be read back.
/// - The state file of Unbound's `auto-trust-anchor-file`. It also holds keys that RFC 5011 does
///   not trust yet, or no longer trusts. Only keys in state VALID or MISSING become anchors (RFC
///   5011 §4); [`TrustAnchors::left_out`] returns the others.
/// - IANA's `root-anchors.xml` (RFC 9718), with its times. Its signature is not checked. This form
///   needs the feature `xml`.
///
/// BIND's configuration (`trust-anchors { … }`) and its `managed-keys.bind` are refused.
///
/// # The root's anchors, and how to renew them
///
/// [`TrustAnchors::iana`] returns the keys that were current when this crate was released, with the
/// times at which each may be used. A key that the root retires stays in later releases with its
/// end, so that a proof that depends on it can still be verified for the times at which it was
/// valid.
///
/// The root's key changes every few years, and is published long before it signs. A program need
/// not wait for a release to use a new key: it can read anchors from a file, as
/// `kliento --trust-anchors FILE` does, and pass them to the verifier. That file may be
///
/// - <https://data.iana.org/root-anchors/root-anchors.xml>, whose signature is published beside it
///   as `root-anchors.p7s` (RFC 9718 §3), or
/// - a file that `unbound-anchor -a FILE` fetches and checks, and that Unbound keeps up to date
///   (RFC 5011).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TrustAnchors {
    anchors: Vec<TrustAnchor>,
    left_out: Vec<LeftOutKey>,
}

impl TrustAnchors {
    /// The date of the edition of IANA's root-anchors.xml that [`TrustAnchors::iana`] is taken
    /// from: 2024-07-18, when KSK-2024 was added to it.
    pub const IANA_DATE: Timestamp = Timestamp::from_unix_seconds(1_721_260_800);

    /// Returns the anchors of the DNS root, with the times at which they may be used: KSK-2017
    /// (tag 20326) from 2017-02-02, and KSK-2024 (tag 38696) from 2024-07-18. Neither has an end so
    /// far.
    ///
    /// ```
    /// use dnssec::TrustAnchors;
    ///
    /// for anchor in TrustAnchors::iana().iter() {
    ///     println!("{} {} {}", anchor.key_tag(), anchor.algorithm(), anchor.validity().periods()[0].start());
    /// }
    /// assert_eq!(TrustAnchors::IANA_DATE.to_string(), "2024-07-18T00:00:00Z");
    /// ```
    pub fn iana() -> Self {
        Self::new(IANA_ROOT_ANCHORS.iter().filter_map(Published::anchor))
    }

    /// Makes a set of exactly these anchors.
    pub fn new(anchors: impl IntoIterator<Item = TrustAnchor>) -> Self {
        Self {
            anchors: anchors.into_iter().collect(),
            left_out: Vec::new(),
        }
    }

    /// The anchors, in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, TrustAnchor> {
        self.anchors.iter()
    }

    /// The keys in the text from which these anchors were read that are not anchors, in the order
    /// of the text. RFC 5011 does not trust them yet, or no longer trusts them. Empty for anchors
    /// that were not read from a text.
    pub fn left_out(&self) -> &[LeftOutKey] {
        &self.left_out
    }

    /// The anchors for the keys of `zone`.
    pub(crate) fn of<'t>(&'t self, zone: &'t Name) -> impl Iterator<Item = &'t TrustAnchor> {
        self.anchors
            .iter()
            .filter(move |anchor| anchor.owner == *zone)
    }

    /// Returns true if an anchor lies at or above `name`.
    pub(crate) fn reach(&self, name: &Name) -> bool {
        self.anchors
            .iter()
            .any(|anchor| name.is_within(&anchor.owner))
    }
}

impl FromIterator<TrustAnchor> for TrustAnchors {
    fn from_iter<I: IntoIterator<Item = TrustAnchor>>(anchors: I) -> Self {
        Self::new(anchors)
    }
}

/// ```
/// use dnssec::TrustAnchors;
///
/// let own: TrustAnchors = "corp.example. IN DS 6512 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
///     .parse()?;
/// let mut anchors = TrustAnchors::iana();
/// anchors.extend(own);
/// assert_eq!(anchors.iter().len(), 3);
/// assert_eq!(anchors.to_string().parse(), Ok(anchors));
/// # Ok::<(), dnssec::AnchorError>(())
/// ```
impl Extend<TrustAnchor> for TrustAnchors {
    fn extend<I: IntoIterator<Item = TrustAnchor>>(&mut self, anchors: I) {
        self.anchors.extend(anchors);
    }
}

impl IntoIterator for TrustAnchors {
    type Item = TrustAnchor;
    type IntoIter = std::vec::IntoIter<TrustAnchor>;

    fn into_iter(self) -> Self::IntoIter {
        self.anchors.into_iter()
    }
}

impl<'t> IntoIterator for &'t TrustAnchors {
    type Item = &'t TrustAnchor;
    type IntoIter = std::slice::Iter<'t, TrustAnchor>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Writes the anchors, one on each line. The text can be read back, unless there are no anchors.
impl fmt::Display for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|anchor| writeln!(f, "{anchor}"))
    }
}

impl Published {
    fn anchor(&self) -> Option<TrustAnchor> {
        let rdata = [
            &self.key_tag.to_be_bytes()[..],
            &[Algorithm::RSASHA256.0, SHA256_DIGEST],
            &self.digest_sha256,
        ]
        .concat();
        let period = Period::new(self.valid_from, Timestamp::MAX)?;
        TrustAnchor::from_ds(Name::root(), &rdata, period.into())
    }
}

/// Reads DS and DNSKEY lines in zone-file form, a state file of RFC 5011, or root-anchors.xml.
impl FromStr for TrustAnchors {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_start_matches('\u{feff}');
        let (anchors, left_out) = if text.trim_start().starts_with('<') {
            (read_xml(text)?, Vec::new())
        } else {
            text::parse(text)?
        };
        if !anchors.is_empty() {
            return Ok(Self { anchors, left_out });
        }
        Err(if left_out.is_empty() {
            AnchorError::Empty
        } else {
            AnchorError::NoneTrusted(left_out)
        })
    }
}

#[cfg(feature = "xml")]
fn read_xml(text: &str) -> Result<Vec<TrustAnchor>, AnchorError> {
    xml::parse(text)
}

#[cfg(not(feature = "xml"))]
fn read_xml(_: &str) -> Result<Vec<TrustAnchor>, AnchorError> {
    Err(AnchorError::XmlNotBuilt)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with octets that have a meaning in zone files, and all forms of times.
    #[test]
    fn anchors_read_back_as_they_are_written() {
        let at = Timestamp::from_unix_seconds;
        let period = |from, to| Period::new(at(from), at(to)).unwrap();
        let owners = [
            Name::root(),
            "corp.example.".parse().unwrap(),
            "in.".parse().unwrap(),
            Name::from_labels([&b"a;b(c)d\"@$. \x00\xff"[..], b"*"]).unwrap(),
        ];
        let validities = [
            Validity::always(),
            Validity::never(),
            period(0, 9).into(),
            [period(0, 9), period(20, 20)].into_iter().collect(),
            Period::new(at(5), Timestamp::MAX).unwrap().into(),
            Period::new(Timestamp::MIN, at(5)).unwrap().into(),
        ];
        let mut anchors = TrustAnchors::iana();
        for owner in owners {
            for validity in &validities {
                let ds = [&[0x19, 0x70, 13, 2][..], &[0xab; 32]].concat();
                let dnskey = [1, 1, 3, 15, 7, 8, 9];
                anchors.extend([
                    TrustAnchor::from_ds(owner.clone(), &ds, validity.clone()).unwrap(),
                    TrustAnchor::from_dnskey(owner.clone(), &dnskey, validity.clone()).unwrap(),
                ]);
            }
        }
        assert_eq!(anchors.to_string().parse(), Ok(anchors.clone()));
        for anchor in &anchors {
            let alone: TrustAnchors = anchor.to_string().parse().unwrap();
            assert_eq!(alone, TrustAnchors::from_iter([anchor.clone()]));
        }
    }

    /// Types of digests that this crate does not know commit to nothing, but can be written down.
    #[test]
    fn a_digest_has_the_length_for_its_type() {
        for (digest_type, octets, fits) in [
            (1, 20, true),
            (1, 32, false),
            (2, 32, true),
            (2, 31, false),
            (4, 48, true),
            (4, 32, false),
            (3, 1, true),
            (3, 0, false),
            (255, 99, true),
        ] {
            let rdata = [&[0x4f, 0x66, 8, digest_type][..], &vec![0xab; octets]].concat();
            let anchor = TrustAnchor::from_ds(Name::root(), &rdata, Validity::always());
            assert_eq!(anchor.is_some(), fits, "{digest_type} {octets}");
        }
    }

    #[test]
    fn a_set_gives_its_anchors_in_their_order() {
        let anchors = TrustAnchors::iana();
        let given: Vec<TrustAnchor> = anchors.clone().into_iter().collect();
        assert!(anchors.iter().eq(&given));
        let mut turned = given.clone();
        turned.reverse();
        assert_eq!(TrustAnchors::new(given), anchors);
        assert_ne!(TrustAnchors::new(turned), anchors);
    }

    /// An anchor must not become valid for ever because its times cannot be read.
    #[test]
    fn times_that_cannot_be_read_are_refused() {
        let first = TrustAnchors::iana().anchors.remove(0);
        let line = first.to_string();
        assert!(
            line.ends_with(" ;;valid=from 2017-02-02T00:00:00Z on"),
            "{line}"
        );
        for text in [
            line.replace(" on", ""),
            line.replace("2017", "17"),
            format!("{line} ;;valid=always"),
            line.replace("from 2017-02-02T00:00:00Z on", ""),
            line.replace(";;valid=", ";;VALID="),
            line.replace(";;valid=", ";;valid ="),
            line.replace(";;valid=", ";;valid: "),
        ] {
            let error = text.parse::<TrustAnchors>().unwrap_err();
            assert!(matches!(error, AnchorError::Line { line: 1, .. }), "{text}");
        }
        // Blanks around it, one semicolon, and a separate line within parentheses make no
        // difference.
        let same = TrustAnchors::from_iter([first.clone()]);
        let (record, times) = line.split_once(" ;;").unwrap();
        for text in [
            format!("{record} ; {times}"),
            format!("{record} ;{times}"),
            format!("{record} ; a comment ;; {times} ; another"),
            format!("{record} ( ; a comment\n ;{times}\n )"),
        ] {
            assert_eq!(text.parse::<TrustAnchors>().as_ref(), Ok(&same), "{text}");
        }
        // A comment that happens to begin with the same letters.
        assert!(
            format!("{line} ; validated by hand")
                .parse::<TrustAnchors>()
                .is_ok()
        );
    }

    #[test]
    fn the_root_comes_built_in() {
        let anchors = TrustAnchors::iana();
        let tags: Vec<_> = anchors.iter().map(TrustAnchor::key_tag).collect();
        assert_eq!(tags, [20326, 38696]);
        for anchor in &anchors {
            assert!(anchor.owner().is_root());
            assert_eq!(anchor.algorithm(), Algorithm::RSASHA256);
        }
    }

    /// Compares with the text forms that IANA publishes.
    #[cfg(feature = "xml")]
    #[test]
    fn the_built_in_anchors_are_those_of_ianas_file_with_their_times() {
        let published: TrustAnchors = r#"<TrustAnchor id="x" source="x"><Zone>.</Zone>
            <KeyDigest id="Klajeyz" validFrom="2017-02-02T00:00:00+00:00">
            <KeyTag>20326</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>
            <Digest>E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D</Digest></KeyDigest>
            <KeyDigest id="Kmyv6jo" validFrom="2024-07-18T00:00:00+00:00">
            <KeyTag>38696</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>
            <Digest>683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16</Digest></KeyDigest>
            </TrustAnchor>"#
            .parse()
            .unwrap();
        assert_eq!(TrustAnchors::iana(), published);
        let newest = TrustAnchors::iana()
            .iter()
            .filter_map(|anchor| {
                anchor
                    .validity()
                    .periods()
                    .first()
                    .map(|period| period.start())
            })
            .max();
        assert_eq!(newest, Some(TrustAnchors::IANA_DATE));
    }
}
