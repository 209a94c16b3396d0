//! Trust anchors: the keys that are believed without proof.
//!
//! Those of the DNS root come built in; others are read from DS or DNSKEY lines as in a zone file, or from IANA's
//! root-anchors.xml (RFC 9718).

mod text;
mod xml;

use std::str::FromStr;
use std::sync::OnceLock;

use crate::name::Name;
use crate::rdata::{Algorithm, Dnskey, Ds};
use crate::validity::Validity;

pub use text::AnchorError;

/// The root's anchors as IANA publishes them at <https://data.iana.org/root-anchors/root-anchors.xml>, as zone-file lines.
///
/// KSK-2017 (tag 20326) is valid from 2017-02-02, KSK-2024 (tag 38696) from 2024-07-18, and neither has an end so far.
const IANA_ROOT_ANCHORS: &str = "\
. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
";

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

    /// When the anchor may be used.
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
/// let own: TrustAnchors = "
///     ; a private root
///     . 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
/// ".parse()?;
/// # assert_eq!(own.iter().count(), 1);
/// # Ok::<(), dnssec::AnchorError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnchors(Vec<TrustAnchor>);

impl TrustAnchors {
    /// The DNS root's: KSK-2017 and KSK-2024. See the source of this module for where they come from.
    pub fn iana() -> Self {
        static IANA: OnceLock<TrustAnchors> = OnceLock::new();
        IANA.get_or_init(|| IANA_ROOT_ANCHORS.parse().unwrap_or(Self(Vec::new())))
            .clone()
    }

    /// These, and no others.
    pub fn new(anchors: impl IntoIterator<Item = TrustAnchor>) -> Self {
        Self(anchors.into_iter().collect())
    }

    /// The anchors, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &TrustAnchor> {
        self.0.iter()
    }

    /// Those for the keys of `zone`.
    pub(crate) fn of<'t>(&'t self, zone: &'t Name) -> impl Iterator<Item = &'t TrustAnchor> {
        self.0.iter().filter(move |anchor| anchor.owner == *zone)
    }

    /// Whether some anchor lies at `name` or above it.
    pub(crate) fn reach(&self, name: &Name) -> bool {
        self.0.iter().any(|anchor| name.is_within(&anchor.owner))
    }
}

/// Reads DS and DNSKEY lines in zone-file form, or root-anchors.xml.
impl FromStr for TrustAnchors {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let anchors = if text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('<')
        {
            xml::parse(text)?
        } else {
            text::parse(text)?
        };
        if anchors.is_empty() {
            return Err(AnchorError::Empty);
        }
        Ok(Self(anchors))
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
}
