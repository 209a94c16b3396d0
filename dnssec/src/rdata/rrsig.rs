//! RRSIG records (RFC 4034 §3).

use super::{Algorithm, split_u16, split_u32};
use crate::name::Name;
use crate::record::RecordType;
use crate::time::Timestamp;
use crate::validity::Period;

/// Octets of RRSIG RDATA before the signer's name.
const FIXED_OCTETS: usize = 18;

/// A signature over an RRset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rrsig<'m> {
    /// The type of the RRset that it covers.
    pub type_covered: RecordType,
    /// The algorithm of the key that made it.
    pub algorithm: Algorithm,
    /// The number of labels of the owner that was signed, not counting the root or a leading `*`.
    pub labels: u8,
    /// The TTL of the RRset in its zone, in seconds.
    pub original_ttl: u32,
    /// The last second of its validity, modulo 2^32.
    pub expiration: u32,
    /// The first second of its validity, modulo 2^32.
    pub inception: u32,
    /// The tag of the key that made it.
    pub key_tag: u16,
    /// The zone whose key made it.
    pub signer: Name,
    /// The signature itself, in the algorithm's DNSSEC form.
    pub signature: &'m [u8],
    fixed: &'m [u8],
}

impl<'m> Rrsig<'m> {
    /// Reads the RDATA of an RRSIG record. A compressed signer's name makes it unreadable (RFC 4034
    /// §3.1.7).
    pub fn parse(rdata: &'m [u8]) -> Option<Self> {
        let (fixed, _) = rdata.split_at_checked(FIXED_OCTETS)?;
        let (type_covered, rest) = split_u16(rdata)?;
        let (&[algorithm, labels], rest) = rest.split_first_chunk()?;
        let (original_ttl, rest) = split_u32(rest)?;
        let (expiration, rest) = split_u32(rest)?;
        let (inception, rest) = split_u32(rest)?;
        let (key_tag, rest) = split_u16(rest)?;
        let (signer, signature) = Name::split_wire(rest).ok()?;
        Some(Self {
            type_covered: RecordType(type_covered),
            algorithm: Algorithm(algorithm),
            labels,
            original_ttl,
            expiration,
            inception,
            key_tag,
            signer,
            signature,
            fixed,
        })
    }

    /// Returns the period for which it is valid, or `None` if it expires before its inception.
    ///
    /// The two times count seconds modulo 2^32 and are compared as serial numbers (RFC 4034 §3.1.5,
    /// RFC 1982), so they are ambiguous without an era. The inception is read as a second of 1970
    /// to 2106. The expiration is read as the first matching second from there on, at most 2^31 − 1
    /// seconds (68 years) later.
    pub fn period(&self) -> Option<Period> {
        let length = self.expiration.wrapping_sub(self.inception);
        if length > i32::MAX.unsigned_abs() {
            return None;
        }
        let start = Timestamp::from_unix_seconds(self.inception.into());
        Period::new(start, start.saturating_add(length.into()))
    }

    /// The RDATA without the signature, with the signer's name in canonical form. The signed data
    /// start with this (RFC 4034 §3.1.8.1).
    pub(crate) fn signed_fields(&self) -> impl Iterator<Item = &[u8]> {
        [self.fixed, self.signer.as_wire()].into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rrsig(inception: u32, expiration: u32) -> Vec<u8> {
        let mut rdata = vec![0, 16, 13, 2, 0, 0, 14, 16];
        rdata.extend(expiration.to_be_bytes());
        rdata.extend(inception.to_be_bytes());
        rdata.extend([0x12, 0x34]);
        rdata.extend(b"\x03COM\x00sig");
        rdata
    }

    fn period(inception: u32, expiration: u32) -> Option<(i64, i64)> {
        let rdata = rrsig(inception, expiration);
        let period = Rrsig::parse(&rdata).unwrap().period()?;
        Some((period.start().unix_seconds(), period.end().unix_seconds()))
    }

    #[test]
    fn reads_every_field() {
        let rdata = rrsig(5, 6);
        let read = Rrsig::parse(&rdata).unwrap();
        assert_eq!(read.type_covered, RecordType::TXT);
        assert_eq!(read.algorithm, Algorithm::ECDSAP256SHA256);
        assert_eq!(
            (read.labels, read.original_ttl, read.key_tag),
            (2, 3600, 0x1234)
        );
        assert_eq!(read.signer, "com".parse().unwrap());
        assert_eq!(read.signature, b"sig");
        assert!(read.signed_fields().eq([&rdata[..18], b"\x03com\x00"]));
    }

    #[test]
    fn every_cut_before_the_signature_is_unreadable() {
        let rdata = rrsig(5, 6);
        for length in 0..rdata.len() - 3 {
            assert!(Rrsig::parse(&rdata[..length]).is_none());
        }
    }

    #[test]
    fn times_are_serial_numbers() {
        assert_eq!(period(10, 20), Some((10, 20)));
        assert_eq!(period(10, 10), Some((10, 10)));
        assert_eq!(period(20, 10), None);
        // The period spans 2106-02-07, when 32 bits overflow.
        assert_eq!(
            period(u32::MAX - 1, 3),
            Some((4_294_967_294, 4_294_967_299))
        );
        assert_eq!(period(0, 0x7fff_ffff), Some((0, 0x7fff_ffff)));
        assert_eq!(period(0, 0x8000_0000), None);
    }
}
