//! NSEC and NSEC3 records that can be edited (RFC 4034 §4, RFC 5155 §3).

use std::collections::{BTreeMap, BTreeSet};

use kliento_fixtures::Name;

use crate::wire::split_name;

/// The RDATA of an NSEC record.
#[derive(Clone, Debug)]
pub(crate) struct Nsec {
    pub(crate) next: Name,
    pub(crate) types: BTreeSet<u16>,
}

impl Nsec {
    /// Reads RDATA; `None` if it is no NSEC's.
    pub(crate) fn read(rdata: &[u8]) -> Option<Self> {
        let (next, bitmaps) = split_name(rdata)?;
        Some(Self {
            next,
            types: read_bitmaps(bitmaps)?,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut rdata = self.next.wire().to_vec();
        rdata.extend(write_bitmaps(&self.types));
        rdata
    }
}

/// The RDATA of an NSEC3 record.
#[derive(Clone, Debug)]
pub(crate) struct Nsec3 {
    pub(crate) hash_algorithm: u8,
    pub(crate) flags: u8,
    pub(crate) iterations: u16,
    pub(crate) salt: Vec<u8>,
    pub(crate) next: Vec<u8>,
    pub(crate) types: BTreeSet<u16>,
}

impl Nsec3 {
    /// Reads RDATA; `None` if it is no NSEC3's.
    pub(crate) fn read(rdata: &[u8]) -> Option<Self> {
        let (&[hash_algorithm, flags, high, low, salt_length], rest) = rdata.split_first_chunk()?;
        let (salt, rest) = rest.split_at_checked(usize::from(salt_length))?;
        let (&hash_length, rest) = rest.split_first()?;
        let (next, bitmaps) = rest.split_at_checked(usize::from(hash_length))?;
        Some(Self {
            hash_algorithm,
            flags,
            iterations: u16::from_be_bytes([high, low]),
            salt: salt.to_vec(),
            next: next.to_vec(),
            types: read_bitmaps(bitmaps)?,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let length = |octets: &[u8]| u8::try_from(octets.len()).expect("a length is an octet");
        let mut rdata = vec![self.hash_algorithm, self.flags];
        rdata.extend(self.iterations.to_be_bytes());
        rdata.push(length(&self.salt));
        rdata.extend_from_slice(&self.salt);
        rdata.push(length(&self.next));
        rdata.extend_from_slice(&self.next);
        rdata.extend(write_bitmaps(&self.types));
        rdata
    }
}

/// Adds to a hash as to a number.
pub(crate) fn hash_after(hash: &[u8]) -> Vec<u8> {
    let mut after = hash.to_vec();
    for octet in after.iter_mut().rev() {
        *octet = octet.wrapping_add(1);
        if *octet != 0 {
            break;
        }
    }
    after
}

/// Takes from a hash as from a number.
pub(crate) fn hash_before(hash: &[u8]) -> Vec<u8> {
    let mut before = hash.to_vec();
    for octet in before.iter_mut().rev() {
        *octet = octet.wrapping_sub(1);
        if *octet != 0xff {
            break;
        }
    }
    before
}

/// Reads the type bit maps field (RFC 4034 §4.1.2).
pub(crate) fn read_bitmaps(field: &[u8]) -> Option<BTreeSet<u16>> {
    let mut types = BTreeSet::new();
    let mut rest = field;
    while let [window, length, after @ ..] = rest {
        let (bitmap, after) = after.split_at_checked(usize::from(*length))?;
        for (index, octet) in bitmap.iter().enumerate() {
            for bit in 0..8_u8 {
                if octet & (0x80 >> bit) != 0 {
                    let low = u8::try_from(index * 8).ok()? + bit;
                    types.insert(u16::from_be_bytes([*window, low]));
                }
            }
        }
        rest = after;
    }
    rest.is_empty().then_some(types)
}

/// Writes it.
pub(crate) fn write_bitmaps(types: &BTreeSet<u16>) -> Vec<u8> {
    let mut windows: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for record_type in types {
        let [window, low] = record_type.to_be_bytes();
        let bitmap = windows.entry(window).or_default();
        let octet = usize::from(low / 8);
        if bitmap.len() <= octet {
            bitmap.resize(octet + 1, 0);
        }
        bitmap[octet] |= 0x80 >> (low % 8);
    }
    let mut field = Vec::new();
    for (window, bitmap) in windows {
        field.push(window);
        field.push(u8::try_from(bitmap.len()).expect("a bitmap has at most 32 octets"));
        field.extend(bitmap);
    }
    field
}

/// The name that comes right after `name` in canonical order (RFC 4034 §6.1), as white lies have it (RFC 4470).
pub(crate) fn after(name: &Name) -> Name {
    name.child(b"\0")
}
