//! Entry points for the targets in `fuzz/`: the verdicts of both back ends. Nothing else may rest on them.

use super::with_ring;
use crate::rdata::Dnskey;

/// The verdicts of AWS-LC and of ring on a signature over `signed_data`, with a key as a DNSKEY record has it; `None` if
/// `rdata` is not that of a DNSKEY record.
pub fn verdicts(rdata: &[u8], signed_data: &[u8], signature: &[u8]) -> Option<[bool; 2]> {
    let key = Dnskey::parse(rdata)?;
    Some([
        super::signature::verifies(&key, signed_data, signature),
        with_ring::signature::verifies(&key, signed_data, signature),
    ])
}

/// The digests by AWS-LC and by ring that this crate computes: SHA-256, SHA-384, SHA-512, and the hash of NSEC3.
pub fn digests(octets: &[u8], salt: &[u8], iterations: u16) -> [[Vec<u8>; 4]; 2] {
    macro_rules! by {
        ($digest:path) => {{
            use $digest as digest;
            let parts = || [octets, salt];
            [
                digest::sha256(parts()).as_ref().to_vec(),
                digest::sha384(parts()).as_ref().to_vec(),
                digest::sha512(parts()).as_ref().to_vec(),
                digest::nsec3_hash(octets, salt, iterations).to_vec(),
            ]
        }};
    }
    [by!(super::digest), by!(with_ring::digest)]
}
