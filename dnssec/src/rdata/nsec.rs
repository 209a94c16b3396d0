//! NSEC records (RFC 4034 §4), and the type bitmaps that NSEC3 records have as well.

use crate::name::Name;
use crate::record::RecordType;

/// The maximum length of a window's bitmap (RFC 4034 §4.1.2).
const MAX_BITMAP_OCTETS: usize = 32;

/// An NSEC record: the types at one name of a zone, and the next name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nsec<'m> {
    /// The next name of the zone in canonical order. After the last name comes the zone's own.
    pub next: Name,
    /// The types at the owner.
    pub types: TypeBitmap<'m>,
}

impl<'m> Nsec<'m> {
    /// Reads the RDATA of an NSEC record. A compressed name makes it unreadable (RFC 4034 §4.1.1).
    pub fn parse(rdata: &'m [u8]) -> Option<Self> {
        let (next, bitmap) = Name::split_wire(rdata).ok()?;
        Some(Self {
            next,
            types: TypeBitmap::parse(bitmap)?,
        })
    }
}

/// The types that a name has, as NSEC and NSEC3 records list them (RFC 4034 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeBitmap<'m>(&'m [u8]);

impl<'m> TypeBitmap<'m> {
    /// Reads the field: windows in ascending order, each of 1 to 32 octets.
    pub fn parse(field: &'m [u8]) -> Option<Self> {
        let mut rest = field;
        let mut last = None;
        while !rest.is_empty() {
            let (window, bitmap, after) = split_window(rest)?;
            if last >= Some(window) || bitmap.is_empty() || bitmap.len() > MAX_BITMAP_OCTETS {
                return None;
            }
            last = Some(window);
            rest = after;
        }
        Some(Self(field))
    }

    /// Returns true if the name has records of this type.
    pub fn contains(self, record_type: RecordType) -> bool {
        let [wanted, low] = record_type.0.to_be_bytes();
        self.windows()
            .find(|(window, _)| *window == wanted)
            .and_then(|(_, bitmap)| bitmap.get(usize::from(low >> 3)))
            .is_some_and(|octet| octet & (0x80 >> (low & 7)) != 0)
    }

    /// The types, in ascending order.
    pub fn iter(self) -> impl Iterator<Item = RecordType> + use<'m> {
        self.windows().flat_map(|(window, bitmap)| {
            (0..=u8::MAX)
                .zip(
                    bitmap
                        .iter()
                        .flat_map(|octet| (0..8).map(move |bit| octet & (0x80 >> bit) != 0)),
                )
                .filter(|(_, is_set)| *is_set)
                .map(move |(low, _)| RecordType(u16::from_be_bytes([window, low])))
        })
    }

    /// Returns true if this is the parent's side of a zone cut: the owner has NS records, and not
    /// the SOA record that the child zone has there. Such a record says nothing about names below,
    /// and little about the name itself (RFC 6840 §4.1).
    pub(crate) fn is_delegation(self) -> bool {
        self.contains(RecordType::NS) && !self.contains(RecordType::SOA)
    }

    fn windows(self) -> impl Iterator<Item = (u8, &'m [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (window, bitmap, after) = split_window(rest)?;
            rest = after;
            Some((window, bitmap))
        })
    }
}

fn split_window(field: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[window, length], rest) = field.split_first_chunk()?;
    let (bitmap, rest) = rest.split_at_checked(length.into())?;
    Some((window, bitmap, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 4034 §4.3.
    #[test]
    fn reads_the_example_of_rfc_4034() {
        let mut rdata =
            b"\x04host\x07EXAMPLE\x03com\x00\x00\x06\x40\x01\x00\x00\x00\x03\x04\x1b".to_vec();
        rdata.extend([0; 26]);
        rdata.push(0x20);
        let nsec = Nsec::parse(&rdata).unwrap();
        assert_eq!(nsec.next, "host.example.com".parse().unwrap());
        let types: Vec<_> = nsec.types.iter().map(|read| read.to_string()).collect();
        assert_eq!(types, ["A", "MX", "RRSIG", "NSEC", "TYPE1234"]);
        for number in 0..=u16::MAX {
            let listed = [1, 15, 46, 47, 1234].contains(&number);
            assert_eq!(nsec.types.contains(RecordType(number)), listed, "{number}");
        }
    }

    #[test]
    fn refuses_bitmaps_that_are_not_well_formed() {
        for (case, field) in [
            ("half a window", &b"\x00"[..]),
            ("a bit map cut short", b"\x00\x02\x40"),
            ("an empty bit map", b"\x00\x00"),
            ("33 bytes", &[&b"\x00\x21"[..], &[1; 33]].concat()),
            ("a window twice", b"\x00\x01\x40\x00\x01\x40"),
            ("windows out of order", b"\x01\x01\x40\x00\x01\x40"),
        ] {
            assert_eq!(TypeBitmap::parse(field), None, "{case}");
        }
        assert!(TypeBitmap::parse(b"").unwrap().iter().next().is_none());
    }

    #[test]
    fn refuses_a_compressed_next_name() {
        assert_eq!(Nsec::parse(b"\xc0\x0c\x00\x01\x40"), None);
    }
}
