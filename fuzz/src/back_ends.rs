//! The agreement of the cryptographic back ends.

use veraid::HashAlgorithm;

/// The first octets of an input, as many as its first two say, but no more than there are; and the rest.
fn split(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    Some(rest.split_at(length.min(rest.len())))
}

/// The hash of RSASSA-PSS, a `SubjectPublicKeyInfo`, a message and a signature, the lengths of key and message in front of
/// them. All back ends that support the key say the same, with a prepared key as well.
///
/// One difference is known, and documented in `veraid/src/crypto/wycheproof.rs`: liboqs refuses some ML-DSA signatures that
/// their signers crafted for it. It accepts none that AWS-LC refuses.
pub fn signatures(octets: &[u8]) {
    let Some((hash, rest)) = octets.split_first() else {
        return;
    };
    let Some((spki, rest)) = split(rest) else {
        return;
    };
    let Some((message, signature)) = split(rest) else {
        return;
    };
    let hash = match hash % 3 {
        0 => HashAlgorithm::Sha256,
        1 => HashAlgorithm::Sha384,
        _ => HashAlgorithm::Sha512,
    };
    let verdicts = veraid::fuzzing::verdicts(spki, hash, message, signature);
    for verdict in &verdicts {
        assert!(
            verdict.prepared.is_none_or(|valid| valid == verdict.valid),
            "{verdict:?}"
        );
    }
    if let [first, others @ ..] = &verdicts[..] {
        assert_eq!(first.back_end, "aws-lc-rs");
        for other in others {
            let is_known = other.back_end == "oqs" && first.valid;
            assert!(
                other.valid == first.valid || is_known,
                "{first:?} {other:?}"
            );
        }
    }
}

/// The RDATA of a DNSKEY, signed data and a signature, the lengths of the first two in front of them. Both back ends say the
/// same, and compute the same digests.
pub fn zone_signatures(octets: &[u8]) {
    let Some((rdata, rest)) = split(octets) else {
        return;
    };
    let Some((signed_data, signature)) = split(rest) else {
        return;
    };
    if let Some([aws_lc, ring]) = dnssec::fuzzing::verdicts(rdata, signed_data, signature) {
        assert_eq!(aws_lc, ring);
    }
    let iterations = u16::from(rdata.first().copied().unwrap_or_default());
    let [aws_lc, ring] = dnssec::fuzzing::digests(signed_data, signature, iterations);
    assert_eq!(aws_lc, ring);
}
