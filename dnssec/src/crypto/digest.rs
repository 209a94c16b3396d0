//! The hash functions of DS, NSEC3, CDS and TLSA records.

use super::back_end::digest::{self, Context, Digest};

pub(crate) fn sha256(parts: [&[u8]; 2]) -> Digest {
    digest(&digest::SHA256, parts)
}

pub(crate) fn sha384(parts: [&[u8]; 2]) -> Digest {
    digest(&digest::SHA384, parts)
}

pub(crate) fn sha512(parts: [&[u8]; 2]) -> Digest {
    digest(&digest::SHA512, parts)
}

/// The length of an NSEC3 hash, which is SHA-1's.
pub(crate) const NSEC3_HASH_OCTETS: usize = 20;

/// Returns the hash of a name in canonical wire form (RFC 5155 §5). Collisions of SHA-1 do not
/// matter here: the names are the zone's own, and the hash only hides them.
pub(crate) fn nsec3_hash(name: &[u8], salt: &[u8], iterations: u16) -> [u8; NSEC3_HASH_OCTETS] {
    let sha_1 = |octets: &[u8]| {
        let mut hash = [0; NSEC3_HASH_OCTETS];
        let digest = digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, [octets, salt]);
        hash.iter_mut()
            .zip(digest.as_ref())
            .for_each(|(to, from)| *to = *from);
        hash
    };
    (0..iterations).fold(sha_1(name), |hash, _| sha_1(&hash))
}

fn digest(algorithm: &'static digest::Algorithm, parts: [&[u8]; 2]) -> Digest {
    let mut context = Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    context.finish()
}
