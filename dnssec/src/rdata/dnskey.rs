//! DNSKEY records (RFC 4034 §2).

use super::{Algorithm, split_u16};
use crate::crypto::digest;
use crate::name::Name;

/// The only value of the Protocol field (RFC 4034 §2.1.2).
const PROTOCOL: u8 = 3;
const ZONE_KEY: u16 = 0x0100;
/// The bit for a revoked key (RFC 5011 §3).
const REVOKE: u16 = 0x0080;
const SECURE_ENTRY_POINT: u16 = 0x0001;

/// A zone's public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dnskey<'m> {
    /// The flags: bit 0x0100 zone key, 0x0080 revoked, 0x0001 secure entry point.
    pub flags: u16,
    /// The protocol, which must be 3.
    pub protocol: u8,
    /// The key's algorithm.
    pub algorithm: Algorithm,
    /// The key itself, in the algorithm's DNSSEC form.
    pub public_key: &'m [u8],
    rdata: &'m [u8],
}

impl<'m> Dnskey<'m> {
    /// Reads the RDATA of a DNSKEY record.
    pub fn parse(rdata: &'m [u8]) -> Option<Self> {
        let (flags, rest) = split_u16(rdata)?;
        let (&[protocol, algorithm], public_key) = rest.split_first_chunk()?;
        Some(Self {
            flags,
            protocol,
            algorithm: Algorithm(algorithm),
            public_key,
            rdata,
        })
    }

    /// The RDATA that it was read from.
    pub fn rdata(&self) -> &'m [u8] {
        self.rdata
    }

    /// Returns true if the key may sign a zone's data: the zone bit is set (RFC 4034 §2.1.1), the
    /// protocol is 3, and the key is not revoked (RFC 5011 §2.1: a revoked key signs nothing but
    /// its own revocation).
    pub fn may_sign(&self) -> bool {
        self.flags & ZONE_KEY != 0 && self.flags & REVOKE == 0 && self.protocol == PROTOCOL
    }

    /// Returns true if the key is marked as a key-signing key. This is only a hint, which
    /// verification ignores (RFC 4034 §2.1.1).
    pub fn is_secure_entry_point(&self) -> bool {
        self.flags & SECURE_ENTRY_POINT != 0
    }

    /// Returns the SHA-256 digest of this key in the zone `owner`, as in a DS record of digest type
    /// 2 (RFC 4034 §5.1.4, RFC 4509).
    pub fn sha256_digest(&self, owner: &Name) -> Vec<u8> {
        digest::sha256([owner.as_wire(), self.rdata])
            .as_ref()
            .to_vec()
    }

    /// The key tag (RFC 4034 Appendix B, without the special case of algorithm 1).
    pub fn key_tag(&self) -> u16 {
        let (words, last) = self.rdata.as_chunks();
        // There are at most 32,768 words of 16 bits, so the sum cannot overflow.
        let words: u32 = words
            .iter()
            .map(|&word| u32::from(u16::from_be_bytes(word)))
            .sum();
        let sum = words + last.iter().map(|&high| u32::from(high) << 8).sum::<u32>();
        let [_, _, high, low] = (sum + (sum >> 16)).to_be_bytes();
        u16::from_be_bytes([high, low])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_has_the_zone_bit_protocol_3_and_is_not_revoked() {
        for (flags, protocol, may_sign, is_entry_point) in [
            (0x0100, 3, true, false),
            (0x0101, 3, true, true),
            (0x0001, 3, false, true),
            (0x0180, 3, false, false),
            (0x0181, 3, false, true),
            (0x0100, 2, false, false),
            (0xfffe, 3, false, false),
        ] {
            let [high, low] = u16::to_be_bytes(flags);
            let rdata = [high, low, protocol, 13, 1, 2, 3];
            let key = Dnskey::parse(&rdata).unwrap();
            assert_eq!(key.may_sign(), may_sign, "{flags:04x} {protocol}");
            assert_eq!(key.is_secure_entry_point(), is_entry_point, "{flags:04x}");
        }
    }

    #[test]
    fn is_unreadable_without_all_its_fixed_fields() {
        assert!(Dnskey::parse(&[1, 1, 3]).is_none());
        assert!(Dnskey::parse(&[1, 1, 3, 13]).is_some());
    }

    /// The key of RFC 4034 §5.4, whose tag is 60485.
    #[test]
    fn computes_the_key_tag_of_rfc_4034() {
        let key = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZ\
                   DRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9Xzc\
                   nOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
        let mut rdata = vec![0x01, 0x00, 3, 5];
        rdata.extend(data_encoding::BASE64.decode(key.as_bytes()).unwrap());
        assert_eq!(Dnskey::parse(&rdata).unwrap().key_tag(), 60485);
    }
}
