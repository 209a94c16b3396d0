//! DS records (RFC 4034 §5).

use super::{Algorithm, Dnskey, split_u16};
use crate::crypto::digest;
use crate::name::Name;

/// SHA-256 (RFC 4509).
const SHA_256: u8 = 2;
/// SHA-384 (RFC 6605).
const SHA_384: u8 = 4;

/// The commitment of a parent zone or a trust anchor to a child's key: its tag, algorithm and
/// digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ds<'m> {
    /// The key's tag.
    pub key_tag: u16,
    /// The key's algorithm.
    pub algorithm: Algorithm,
    /// The digest's algorithm: 2 for SHA-256, 4 for SHA-384. Type 1 is SHA-1, which proves nothing
    /// here.
    pub digest_type: u8,
    /// The digest of the key's owner name and RDATA.
    pub digest: &'m [u8],
}

impl<'m> Ds<'m> {
    /// Reads the RDATA of a DS record.
    pub fn parse(rdata: &'m [u8]) -> Option<Self> {
        let (key_tag, rest) = split_u16(rdata)?;
        let (&[algorithm, digest_type], digest) = rest.split_first_chunk()?;
        Some(Self {
            key_tag,
            algorithm: Algorithm(algorithm),
            digest_type,
            digest,
        })
    }

    /// Returns true if both the key's algorithm and the digest type are supported. A DS RRset
    /// without a supported record makes the delegation insecure (RFC 4035 §5.2).
    pub fn is_supported(&self) -> bool {
        self.algorithm.is_supported() && matches!(self.digest_type, SHA_256 | SHA_384)
    }

    /// Returns true if this may be for `key`, without computing a digest.
    pub(crate) fn resembles(&self, key: &Dnskey<'_>, key_tag: u16) -> bool {
        self.is_supported() && self.key_tag == key_tag && self.algorithm == key.algorithm
    }

    /// Returns true if the digest is that of `key` in the zone `owner` (RFC 4034 §5.1.4).
    pub fn commits_to(&self, owner: &Name, key: &Dnskey<'_>) -> bool {
        let parts = [owner.as_wire(), key.rdata()];
        match self.digest_type {
            SHA_256 => digest::sha256(parts).as_ref() == self.digest,
            SHA_384 => digest::sha384(parts).as_ref() == self.digest,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, HEXUPPER};

    /// The example of RFC 4509 §2.3, with its key.
    #[test]
    fn commits_to_the_key_of_rfc_4509() {
        let owner: Name = "dskey.example.com".parse().unwrap();
        let mut rdata = vec![0x01, 0x00, 3, 5];
        rdata.extend(
            BASE64
                .decode(
                    b"AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZ\
                      DRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9Xzc\
                      nOf+EPbtG9DMBmADjFDc2w/rljwvFw==",
                )
                .unwrap(),
        );
        let key = Dnskey::parse(&rdata).unwrap();
        let digest = HEXUPPER
            .decode(b"D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A")
            .unwrap();
        let ds = Ds {
            key_tag: 60485,
            algorithm: Algorithm(5),
            digest_type: SHA_256,
            digest: &digest,
        };
        assert!(ds.commits_to(&owner, &key));
        assert!(!ds.commits_to(&Name::root(), &key));
        assert_eq!(key.sha256_digest(&owner), digest);
        assert_ne!(key.sha256_digest(&Name::root()), digest);
        // The same digest, said to be of another type: SHA-1, GOST, SHA-384 and SM3.
        for digest_type in [1, 3, 4, 6] {
            assert!(!Ds { digest_type, ..ds }.commits_to(&owner, &key));
        }
        // The key's algorithm uses SHA-1.
        assert!(!ds.is_supported());
    }

    #[test]
    fn sha_1_and_unknown_digests_support_nothing() {
        for (digest_type, supported) in [
            (0, false),
            (1, false),
            (2, true),
            (3, false),
            (4, true),
            (5, false),
        ] {
            let ds = Ds {
                key_tag: 1,
                algorithm: Algorithm::ED25519,
                digest_type,
                digest: &[],
            };
            assert_eq!(ds.is_supported(), supported);
        }
    }
}
