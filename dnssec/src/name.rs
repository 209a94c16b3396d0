//! Domain names, in the form that DNSSEC compares, orders and signs.
//!
//! A [`Name`] is absolute and canonical: uncompressed wire form with ASCII letters in lower case
//! (RFC 4034 §6.2). Its text form is that of zone files (RFC 1035 §5.1).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use smallvec::SmallVec;

/// The maximum length of a name on the wire, including its final zero octet (RFC 1035 §2.3.4).
pub const MAX_NAME_OCTETS: usize = 255;
/// The maximum length of a label (RFC 1035 §2.3.4).
pub const MAX_LABEL_OCTETS: usize = 63;

/// An absolute domain name in canonical form.
///
/// Names consist of octets. Internationalised names are not converted: `münchen.de` becomes a name
/// with the octets of its UTF-8, `m\195\188nchen.de.`. That is not `xn--mnchen-3ya.de.`, the name
/// that its owner registered. Convert user input to A-labels first (RFC 5890), for example with the
/// crate `idna`.
///
/// ```
/// use dnssec::Name;
///
/// let name: Name = "_VeraID.Example.COM".parse()?;
/// assert_eq!(name.to_string(), "_veraid.example.com.");
/// assert!(name.is_within(&"example.com.".parse()?));
/// # Ok::<(), dnssec::NameError>(())
/// ```
#[derive(PartialEq, Eq, Hash)]
pub struct Name {
    /// Length-prefixed labels and the root's zero octet, in lower case. Names of common length need
    /// no heap allocation.
    wire: SmallVec<[u8; 36]>,
}

/// The reason why octets or a text are not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A label has more than 63 octets.
    #[error("a label has more than 63 bytes")]
    LabelTooLong,
    /// The name has more than 255 octets on the wire.
    #[error("the name has more than 255 bytes")]
    NameTooLong,
    /// There are two adjacent dots, or there is a dot at the start.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A backslash is followed neither by a character nor by three digits up to 255.
    #[error(
        "the name has an invalid escape; write \\. for a dot within a label, or \\DDD for a byte"
    )]
    BadEscape,
    /// The wire form is truncated, compressed or followed by other octets, or has a label type that
    /// is not in RFC 1035.
    #[error("the bytes are not exactly one uncompressed domain name")]
    BadWireForm,
}

/// Copies the octets as one block; the derived implementation would copy them one by one.
impl Clone for Name {
    fn clone(&self) -> Self {
        Self {
            wire: SmallVec::from_slice(&self.wire),
        }
    }
}

impl Name {
    /// The root, `.`.
    pub fn root() -> Self {
        Self {
            wire: SmallVec::from_slice(&[0]),
        }
    }

    /// Reads exactly one uncompressed name in wire form, in any case.
    pub fn from_wire(octets: &[u8]) -> Result<Self, NameError> {
        match Self::split_wire(octets)? {
            (name, []) => Ok(name),
            _ => Err(NameError::BadWireForm),
        }
    }

    /// Reads one uncompressed name at the start of `octets`, and returns the rest as well.
    pub(crate) fn split_wire(octets: &[u8]) -> Result<(Self, &[u8]), NameError> {
        let mut rest = octets;
        loop {
            let (&length, after) = rest.split_first().ok_or(NameError::BadWireForm)?;
            let length = usize::from(length);
            if length > MAX_LABEL_OCTETS {
                return Err(NameError::BadWireForm);
            }
            rest = after.get(length..).ok_or(NameError::BadWireForm)?;
            if length == 0 {
                break;
            }
        }
        let used = octets.len() - rest.len();
        if used > MAX_NAME_OCTETS {
            return Err(NameError::NameTooLong);
        }
        let mut wire = SmallVec::from_slice(octets.get(..used).unwrap_or_default());
        wire.make_ascii_lowercase();
        Ok((Self { wire }, rest))
    }

    /// Joins labels. The one nearest the root comes last.
    pub fn from_labels<'l>(labels: impl IntoIterator<Item = &'l [u8]>) -> Result<Self, NameError> {
        let mut wire = SmallVec::new();
        for label in labels {
            push_label(&mut wire, label)?;
        }
        wire.push(0);
        if wire.len() > MAX_NAME_OCTETS {
            return Err(NameError::NameTooLong);
        }
        Ok(Self { wire })
    }

    /// Returns the name one label below, such as `_veraid.example.com.` for `_veraid` and
    /// `example.com.`.
    pub fn prepend_label(&self, label: &[u8]) -> Result<Self, NameError> {
        Self::from_labels(std::iter::once(label).chain(self.labels()))
    }

    /// The uncompressed wire form in lower case, including the root's zero octet.
    pub fn as_wire(&self) -> &[u8] {
        &self.wire
    }

    /// The labels without the root's, starting with the leftmost.
    pub fn labels(&self) -> Labels<'_> {
        Labels { wire: &self.wire }
    }

    /// The number of labels, not counting the root.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// The value of the Labels field in an RRSIG over this owner if no wildcard was expanded. A
    /// leading `*` is not counted (RFC 4034 §3.1.3).
    pub fn rrsig_labels(&self) -> usize {
        let wildcard = self.labels().next() == Some(b"*");
        self.label_count() - usize::from(wildcard)
    }

    /// Returns true if this is `.`.
    pub fn is_root(&self) -> bool {
        self.wire.len() == 1
    }

    /// The name without its leftmost label; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let mut labels = self.labels();
        labels.next()?;
        Some(Self {
            wire: SmallVec::from_slice(labels.wire),
        })
    }

    /// The name made of the rightmost `count` labels; `None` if there are fewer.
    pub(crate) fn suffix(&self, count: usize) -> Option<Self> {
        let surplus = self.label_count().checked_sub(count)?;
        let mut labels = self.labels();
        for _ in 0..surplus {
            labels.next();
        }
        Some(Self {
            wire: SmallVec::from_slice(labels.wire),
        })
    }

    /// Returns true if this name is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.wire_of_at_most(ancestor.wire.len()) == ancestor.as_wire()
    }

    /// The wire form of the longest name of at most so many octets at or above this one.
    #[inline]
    pub(crate) fn wire_of_at_most(&self, octets: usize) -> &[u8] {
        // The loop skips whole labels, because the octets alone could match from the middle of a
        // label.
        let mut labels = self.labels();
        while labels.wire.len() > octets && labels.next().is_some() {}
        labels.wire
    }

    /// Returns true if this name lies below `ancestor`.
    pub(crate) fn is_below(&self, ancestor: &Self) -> bool {
        self.is_within(ancestor) && self != ancestor
    }

    /// The number of labels, counted from the root, that this name and another have in common.
    pub(crate) fn common_labels(&self, other: &Self) -> usize {
        let (ours, theirs) = (self.labels_from_root(), other.labels_from_root());
        ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count()
    }

    /// The wildcard directly below this name; `None` if that name would be too long.
    pub(crate) fn wildcard(&self) -> Option<Self> {
        self.prepend_label(b"*").ok()
    }

    /// Replaces `from`, at or above this name, by `to` (RFC 6672 §2.2). Returns `None` if the
    /// result would be too long.
    pub(crate) fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        let kept = self.label_count().checked_sub(from.label_count())?;
        Self::from_labels(self.labels().take(kept).chain(to.labels())).ok()
    }

    fn labels_from_root(&self) -> SmallVec<[&[u8]; 16]> {
        let mut labels: SmallVec<[&[u8]; 16]> = self.labels().collect();
        labels.reverse();
        labels
    }
}

fn push_label(wire: &mut SmallVec<[u8; 36]>, label: &[u8]) -> Result<(), NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    let length = u8::try_from(label.len()).map_err(|_| NameError::LabelTooLong)?;
    if label.len() > MAX_LABEL_OCTETS {
        return Err(NameError::LabelTooLong);
    }
    wire.push(length);
    let start = wire.len();
    wire.extend_from_slice(label);
    if let Some(label) = wire.get_mut(start..) {
        label.make_ascii_lowercase();
    }
    Ok(())
}

/// The labels of a [`Name`], starting with the leftmost.
#[derive(Clone, Debug)]
pub struct Labels<'n> {
    wire: &'n [u8],
}

impl<'n> Iterator for Labels<'n> {
    type Item = &'n [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let (&length, rest) = self.wire.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        if label.is_empty() {
            return None;
        }
        self.wire = rest;
        Some(label)
    }
}

/// Canonical order: compares names label by label from the root, as octets (RFC 4034 §6.1).
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.labels_from_root(), other.labels_from_root());
        ours.cmp(&theirs)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Zone-file form with the final dot. Octets that would not read back are written as `\DDD`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &octet in label {
                match octet {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(octet))?;
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// The uncompressed wire form that [`Name::as_wire`] returns.
impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        self.as_wire()
    }
}

/// Reads the same form as [`FromStr`].
impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Reads zone-file form. Every name is absolute, so the final dot may be omitted.
impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "." {
            return Ok(Self::root());
        }
        let mut wire = SmallVec::new();
        let mut label: SmallVec<[u8; 64]> = SmallVec::new();
        let mut octets = text.bytes();
        let mut ended_by_dot = false;
        while let Some(octet) = octets.next() {
            ended_by_dot = octet == b'.';
            match octet {
                b'.' => {
                    push_label(&mut wire, &label)?;
                    label.clear();
                }
                b'\\' => label.push(read_escape(&mut octets)?),
                _ => label.push(octet),
            }
            // Reading stops here, so that a long text costs no more than the longest name.
            if wire.len() + label.len() > MAX_NAME_OCTETS {
                return Err(NameError::NameTooLong);
            }
        }
        if !ended_by_dot {
            push_label(&mut wire, &label)?;
        }
        wire.push(0);
        if wire.len() > MAX_NAME_OCTETS {
            return Err(NameError::NameTooLong);
        }
        Ok(Self { wire })
    }
}

/// Reads an escape after its backslash: `DDD`, or one character that stands for itself.
pub(crate) fn read_escape(octets: &mut impl Iterator<Item = u8>) -> Result<u8, NameError> {
    let first = octets.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = octets
            .next()
            .filter(u8::is_ascii_digit)
            .ok_or(NameError::BadEscape)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn does_not_convert_u_labels() {
        let name = name("münchen.de");
        assert_eq!(name.to_string(), r"m\195\188nchen.de.");
        assert_eq!(Name::try_from("MÜNCHEN.DE").unwrap().labels().count(), 2);
        assert_ne!(Name::try_from("MÜNCHEN.DE").unwrap(), name);
    }

    #[test]
    fn compares_without_case() {
        assert_eq!(name("Example.COM"), name("example.com."));
        assert_eq!(name("Example.COM").as_wire(), b"\x07example\x03com\x00");
    }

    #[test]
    fn knows_what_lies_within_what() {
        assert!(name("a.b.c").is_within(&name("b.c")));
        assert!(name("b.c").is_within(&name("b.c")));
        assert!(name("b.c").is_within(&Name::root()));
        assert!(!name("b.c").is_within(&name("a.b.c")));
        // The octets have the same end, but the labels do not.
        assert!(!name("ab.c").is_within(&name("b.c")));
        assert!(!name(r"x\001b.c").is_within(&name("b.c")));
    }

    #[test]
    fn counts_labels_as_rrsigs_do() {
        assert_eq!(Name::root().rrsig_labels(), 0);
        assert_eq!(name("*.example.com").rrsig_labels(), 2);
        assert_eq!(name("a.*.com").rrsig_labels(), 3);
    }

    #[test]
    fn orders_as_rfc_4034_section_6_1() {
        let ordered = [
            "example",
            "a.example",
            "yljkjljk.a.example",
            "Z.a.example",
            "zABC.a.EXAMPLE",
            "z.example",
            r"\001.z.example",
            "*.z.example",
            r"\200.z.example",
        ];
        assert!(ordered.map(name).is_sorted());
    }

    #[test]
    fn refuses_what_is_no_name() {
        for (text, error) in [
            ("", NameError::EmptyLabel),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            ("a\\", NameError::BadEscape),
            ("a\\25", NameError::BadEscape),
            ("a\\256", NameError::BadEscape),
            (&"a".repeat(64), NameError::LabelTooLong),
            (&"a.".repeat(128), NameError::NameTooLong),
            (&"a".repeat(100_000), NameError::NameTooLong),
        ] {
            assert_eq!(text.parse::<Name>(), Err(error), "{text}");
        }
        for wire in [
            &b""[..],
            b"\x01",
            b"\x01a",
            b"\x01a\x00\x00",
            b"\xc0\x00",
            b"\x40a\x00",
        ] {
            assert_eq!(Name::from_wire(wire), Err(NameError::BadWireForm));
        }
    }

    #[test]
    fn shows_its_text_and_its_octets() {
        let name = name("Example.COM");
        assert_eq!(format!("{name:?}"), "Name(example.com.)");
        assert_eq!(AsRef::<[u8]>::as_ref(&name), b"\x07example\x03com\x00");
    }

    #[test]
    fn holds_127_labels_and_255_octets_and_no_more() {
        let longest = name(&"a.".repeat(127));
        assert_eq!(longest.as_wire().len(), MAX_NAME_OCTETS);
        assert_eq!(longest.label_count(), 127);
        assert!(longest.prepend_label(b"a").is_err());
        // Three labels of 63 octets, and one that fills the rest.
        let long = |last: usize| {
            format!(
                "{}{}",
                format!("{}.", "a".repeat(63)).repeat(3),
                "b".repeat(last)
            )
        };
        for dot in ["", "."] {
            let longest = name(&(long(61) + dot));
            assert_eq!(longest.as_wire().len(), MAX_NAME_OCTETS);
            assert_eq!(Name::from_wire(longest.as_wire()), Ok(longest));
            let too_long = (long(62) + dot).parse::<Name>();
            assert_eq!(too_long, Err(NameError::NameTooLong), "{dot:?}");
        }
        let too_long = [&[&[63][..], &[b'a'; 63]].concat().repeat(4)[..], &[0]].concat();
        assert_eq!(Name::from_wire(&too_long), Err(NameError::NameTooLong));
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..8)) {
            let name = Name::from_labels(labels.iter().map(Vec::as_slice)).unwrap();
            prop_assert_eq!(name.to_string().parse::<Name>().unwrap(), name.clone());
            prop_assert_eq!(Name::from_wire(name.as_wire()).unwrap(), name);
        }

        #[test]
        fn never_panics(text in ".*", octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = text.parse::<Name>();
            let _ = Name::from_wire(&octets);
        }
    }
}
