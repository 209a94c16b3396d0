//! NSEC3 records (RFC 5155 §3): like NSEC, with the names hashed.

use data_encoding::BASE32_DNSSEC;

use super::TypeBitmap;
use crate::crypto::digest::{self, NSEC3_HASH_OCTETS};
use crate::name::Name;

/// SHA-1, the only hash algorithm that is defined (RFC 5155 §11).
const SHA_1: u8 = 1;
/// The only flag that is defined (RFC 5155 §3.1.2.1).
const OPT_OUT: u8 = 0x01;

/// The hash of a name.
pub type Nsec3Hash = [u8; NSEC3_HASH_OCTETS];

/// The parameters for hashing names. Records with different parameters belong to different chains
/// of hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nsec3Parameters<'m> {
    /// The hash algorithm: 1 for SHA-1.
    pub hash_algorithm: u8,
    /// The number of times that the hash is hashed again.
    pub iterations: u16,
    /// The octets that are appended to the input of each hash.
    pub salt: &'m [u8],
}

/// An NSEC3 record: the types at the name with one hash, and the next hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nsec3<'m> {
    /// The parameters for hashing names.
    pub parameters: Nsec3Parameters<'m>,
    /// The flags: 1 if unsigned delegations between the owner's hash and the next may be omitted.
    pub flags: u8,
    /// The next hash in order. After the last hash comes the first.
    pub next_hashed_owner: &'m [u8],
    /// The types at the owner.
    pub types: TypeBitmap<'m>,
}

impl<'m> Nsec3<'m> {
    /// Reads the RDATA of an NSEC3 record.
    pub fn parse(rdata: &'m [u8]) -> Option<Self> {
        let (&[hash_algorithm, flags, high, low, salt_length], rest) = rdata.split_first_chunk()?;
        let (salt, rest) = rest.split_at_checked(salt_length.into())?;
        let (&hash_length, rest) = rest.split_first()?;
        let (next_hashed_owner, bitmap) = rest.split_at_checked(hash_length.into())?;
        // A hash has at least one octet (RFC 5155 §3.1.6).
        (!next_hashed_owner.is_empty()).then_some(Self {
            parameters: Nsec3Parameters {
                hash_algorithm,
                iterations: u16::from_be_bytes([high, low]),
                salt,
            },
            flags,
            next_hashed_owner,
            types: TypeBitmap::parse(bitmap)?,
        })
    }

    /// Returns true if unsigned delegations may be omitted in its span (RFC 5155 §6).
    pub fn is_opt_out(&self) -> bool {
        self.flags & OPT_OUT != 0
    }

    /// Returns true if it has unknown flags, in which case it must be ignored (RFC 5155 §8.2).
    pub fn has_unknown_flags(&self) -> bool {
        self.flags & !OPT_OUT != 0
    }
}

impl Nsec3Parameters<'_> {
    /// Returns true if the hash algorithm is known.
    pub fn is_supported(&self) -> bool {
        self.hash_algorithm == SHA_1
    }

    /// The hash of `name` (RFC 5155 §5).
    ///
    /// ```
    /// use dnssec::{Nsec3Parameters, nsec3_owner};
    ///
    /// let parameters = Nsec3Parameters { hash_algorithm: 1, iterations: 12, salt: &[0xaa, 0xbb, 0xcc, 0xdd] };
    /// let zone = "example".parse()?;
    /// let owner = nsec3_owner(&parameters.hash(&"a.example".parse()?), &zone)?;
    /// assert_eq!(owner.to_string(), "35mthgpgcu1qg68fab165klnsnk3dpvl.example.");
    /// # Ok::<(), dnssec::NameError>(())
    /// ```
    pub fn hash(&self, name: &Name) -> Nsec3Hash {
        digest::nsec3_hash(name.as_wire(), self.salt, self.iterations)
    }
}

/// The owner of the NSEC3 record for a hash: one label below the zone (RFC 5155 §3).
pub fn nsec3_owner(hash: &Nsec3Hash, zone: &Name) -> Result<Name, crate::NameError> {
    zone.prepend_label(BASE32_DNSSEC.encode(hash).as_bytes())
}

/// Returns the hash in the owner name of an NSEC3 record, or `None` if the name has another form.
pub(crate) fn nsec3_owner_hash(owner: &Name) -> Option<Nsec3Hash> {
    let hash = BASE32_DNSSEC.decode(owner.labels().next()?).ok()?;
    hash.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordType;

    const RDATA: &[u8] = b"\x01\x01\x00\x0c\x04\xaa\xbb\xcc\xdd\x03abc\x00\x01\x40";

    #[test]
    fn reads_every_field() {
        let read = Nsec3::parse(RDATA).unwrap();
        assert_eq!(
            read.parameters,
            Nsec3Parameters {
                hash_algorithm: 1,
                iterations: 12,
                salt: &[0xaa, 0xbb, 0xcc, 0xdd],
            }
        );
        assert!(read.is_opt_out() && !read.has_unknown_flags());
        assert_eq!(read.next_hashed_owner, b"abc");
        assert!(read.types.contains(RecordType::A));
    }

    #[test]
    fn every_cut_before_the_types_is_unreadable() {
        for length in 0..RDATA.len() - 3 {
            assert_eq!(Nsec3::parse(&RDATA[..length]), None, "{length}");
        }
    }

    /// RFC 5155 Appendix A.
    #[test]
    fn hashes_as_in_rfc_5155() {
        let parameters = Nsec3::parse(RDATA).unwrap().parameters;
        let zone: Name = "example".parse().unwrap();
        for (name, hash) in [
            ("example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"),
            ("ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
            ("w.example", "k8udemvp1j2f7eg6jebps17vp3n8i58h"),
            ("*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
            ("x.w.example", "b4um86eghhds6nea196smvmlo4ors995"),
            ("y.w.example", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"),
            ("x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"),
            ("xx.example", "t644ebqk9bibcna874givr6joj62mlhv"),
        ] {
            let computed = parameters.hash(&name.parse().unwrap());
            let owner = nsec3_owner(&computed, &zone).unwrap();
            assert_eq!(owner.to_string(), format!("{hash}.example."), "{name}");
            assert_eq!(nsec3_owner_hash(&owner), Some(computed));
        }
    }

    #[test]
    fn other_owners_hold_no_hash() {
        for owner in [
            ".",
            "example.",
            "35mthgpgcu1qg68fab165klnsnk3dpv.example.",
            "*.example.",
        ] {
            assert_eq!(nsec3_owner_hash(&owner.parse().unwrap()), None);
        }
    }
}
