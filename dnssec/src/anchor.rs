//! Trust anchors: the keys that are believed without proof.
//!
//! Those of the DNS root are built in. Others are read from DS or DNSKEY lines as in a zone file, from the state file of
//! a program that follows RFC 5011 as Unbound does, or from IANA's root-anchors.xml (RFC 9718).

mod error;
mod records;
mod state;
mod text;
mod xml;

use std::str::FromStr;

use crate::name::Name;
use crate::rdata::{Algorithm, Dnskey, Ds};
use crate::time::Timestamp;
use crate::validity::{Period, Validity};

pub use error::AnchorError;
pub use state::{KeyState, LeftOutKey};

/// One of the root's anchors as IANA publishes them at <https://data.iana.org/root-anchors/root-anchors.xml>. Neither has
/// a `validUntil`.
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

/// One key that is believed, by itself or by its digest, for the times given with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnchor {
    owner: Name,
    form: AnchorForm,
    validity: Validity,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AnchorForm {
    /// DS RDATA.
    Ds(Box<[u8]>),
    /// DNSKEY RDATA.
    Dnskey(Box<[u8]>),
}

impl TrustAnchor {
    /// An anchor from the RDATA of a DS record; `None` if that is cut short or its digest has not the length of its type.
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

    /// An anchor from the RDATA of a DNSKEY record; `None` if that is cut short.
    pub fn from_dnskey(owner: Name, rdata: &[u8], validity: Validity) -> Option<Self> {
        let key = Dnskey::parse(rdata)?;
        (!key.public_key.is_empty()).then(|| Self {
            owner,
            form: AnchorForm::Dnskey(rdata.into()),
            validity,
        })
    }

    /// The zone whose key this is: `.` for the root's.
    pub fn owner(&self) -> &Name {
        &self.owner
    }

    /// When the anchor may be used: from IANA's `validFrom` to before its `validUntil` (RFC 9718 §2.2), and at any time
    /// where the anchor comes without times.
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

    /// What it says, as a DS or as the key itself.
    pub(crate) fn commitment(&self) -> Option<Commitment<'_>> {
        match &self.form {
            AnchorForm::Ds(rdata) => Ds::parse(rdata).map(Commitment::Ds),
            AnchorForm::Dnskey(rdata) => Dnskey::parse(rdata).map(Commitment::Dnskey),
        }
    }
}

/// Somebody's word for a key.
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
/// [`FromStr`] reads three forms, told apart by content. Whatever it does not understand is an error, which names the line.
///
/// - Lines of a zone file with DS or DNSKEY records (RFC 1035 §5.1, RFC 4034), such as `unbound-anchor`, `dig` and
///   `dnssec-dsfromkey` write: with comments, parentheses, `$ORIGIN`, `$TTL` and `@`. A line that begins with a blank
///   belongs to the owner of the record before it. Names are absolute unless there is an `$ORIGIN`. An owner that reads
///   as a class, a TTL or one of the two types is refused, as it is more likely that the owner is missing.
/// - The state file of Unbound's `auto-trust-anchor-file`, which holds keys that RFC 5011 does not trust yet, or not any
///   more. Only keys in state VALID or MISSING become anchors (RFC 5011 §4); [`TrustAnchors::left_out`] has the others.
/// - IANA's `root-anchors.xml` (RFC 9718), with its times. Its signature is not checked.
///
/// BIND's configuration (`trust-anchors { … }`) and its `managed-keys.bind` are refused.
///
/// # The root's anchors, and how to renew them
///
/// [`TrustAnchors::iana`] has the keys that were current when this crate was released. The root's key changes every few
/// years, and is published long before it signs. A program need not wait for a release to take over a new one: it reads
/// anchors from a file, as `kliento --trust-anchors FILE` does, and hands them to the verifier. That file may be
///
/// - <https://data.iana.org/root-anchors/root-anchors.xml>, whose signature `root-anchors.p7s` stands beside it
///   (RFC 9718 §3), or
/// - a file that `unbound-anchor -a FILE` fetches and checks, and that Unbound keeps up to date (RFC 5011).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnchors {
    anchors: Vec<TrustAnchor>,
    left_out: Vec<LeftOutKey>,
}

impl TrustAnchors {
    /// The date of the edition of IANA's root-anchors.xml whose anchors [`TrustAnchors::iana`] gives: 2024-07-18, when
    /// KSK-2024 was added to it.
    pub const IANA_DATE: Timestamp = Timestamp::from_unix_seconds(1_721_260_800);

    /// The anchors of the DNS root, with the times at which they may be used: KSK-2017 (tag 20326) from 2017-02-02, and
    /// KSK-2024 (tag 38696) from 2024-07-18. Neither has an end so far.
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

    /// These, and no others.
    pub fn new(anchors: impl IntoIterator<Item = TrustAnchor>) -> Self {
        Self {
            anchors: anchors.into_iter().collect(),
            left_out: Vec::new(),
        }
    }

    /// The anchors, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &TrustAnchor> {
        self.anchors.iter()
    }

    /// The keys of the text that these anchors were read from that are no anchors, in the order of the text: RFC 5011 does
    /// not trust them yet, or not any more. Empty for anchors that were not read from a text.
    pub fn left_out(&self) -> &[LeftOutKey] {
        &self.left_out
    }

    /// Those for the keys of `zone`.
    pub(crate) fn of<'t>(&'t self, zone: &'t Name) -> impl Iterator<Item = &'t TrustAnchor> {
        self.anchors
            .iter()
            .filter(move |anchor| anchor.owner == *zone)
    }

    /// Whether some anchor lies at `name` or above it.
    pub(crate) fn reach(&self, name: &Name) -> bool {
        self.anchors
            .iter()
            .any(|anchor| name.is_within(&anchor.owner))
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
            (xml::parse(text)?, Vec::new())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_comes_built_in() {
        let anchors = TrustAnchors::iana();
        let tags: Vec<_> = anchors.iter().map(TrustAnchor::key_tag).collect();
        assert_eq!(tags, [20326, 38696]);
        for anchor in anchors.iter() {
            assert!(anchor.owner().is_root());
            assert_eq!(anchor.algorithm(), Algorithm::RSASHA256);
        }
    }

    /// Against the text forms that IANA publishes.
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
