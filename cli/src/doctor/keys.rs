//! The zone's keys: whether validators can use them, and for how much longer.

use dnssec::{Algorithm, Dnskey};

use super::Examiner;
use super::delegation::matching_key;
use super::finding::Finding;
use super::findings::keys as found;
use super::survey::Zone;
use super::words::{SeenZone, algorithm_name, key_name};

/// DNSKEY flags (RFC 4034 §2.1.1, RFC 5011 §3) and the protocol (RFC 4034 §2.1.2).
const ZONE_KEY: u16 = 0x0100;
const REVOKE: u16 = 0x0080;
const PROTOCOL: u8 = 3;
/// RSA with SHA-1, in both spellings (RFC 3110, RFC 5155).
const SHA_1_ALGORITHMS: [u8; 2] = [5, 7];
/// The algorithms that the reference library can read; at any other key it gives up on the whole zone.
const READ_BY_REFERENCE: [u8; 7] = [5, 8, 10, 13, 14, 15, 16];
const RSA_ALGORITHMS: [u8; 4] = [5, 7, 8, 10];
/// The shortest RSA keys that are legal (RFC 5702 §2), and that are counted safe today (NIST SP 800-57).
const MIN_RSA_BITS: usize = 1_024;
const SAFE_RSA_BITS: usize = 2_048;
/// The most iterations of NSEC3 with which denials still count (RFC 9276 §3.2).
const MAX_NSEC3_ITERATIONS: u16 = 100;

impl Examiner<'_> {
    pub(super) fn examine_keys(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for zone in &self.survey.zones {
            let seen = self.seen(&zone.name);
            if zone.dnskeys().is_empty() {
                continue;
            }
            let unusable = unusable_algorithms(zone, seen);
            let is_usable = unusable.is_none();
            findings.extend(unusable);
            if seen.is_own() {
                findings.extend(self.too_short(zone));
                if is_usable {
                    findings.extend(unknown_beside(zone, seen));
                }
                findings.extend(short(zone, seen));
                findings.extend(revoked(zone, seen));
                findings.extend(no_zone_keys(zone, seen));
                findings.extend(rollover(zone, seen));
                findings.extend(iterations(zone, seen));
                if !findings.iter().any(Finding::is_problem) {
                    let keys = keys_that(zone, is_usable_key);
                    findings.insert(0, found::sound(seen, keys));
                }
            }
        }
        findings
    }

    fn too_short(&self, zone: &Zone) -> Option<Finding> {
        let keys = rsa_keys_of(zone, |bits| bits < MIN_RSA_BITS);
        let (key, bits) = keys.first()?;
        let is_needed = zone.proof.is_err() || matches!(self.survey.soa_proof, Some(Err(_)));
        let seen = self.seen(&zone.name);
        Some(found::rsa_too_short(seen, key, *bits, is_needed))
    }
}

fn is_usable_key(key: &Dnskey<'_>) -> bool {
    key.may_sign() && key.algorithm.is_supported()
}

/// The zone's keys for which `is_meant` holds, each by tag and algorithm.
fn keys_that(zone: &Zone, is_meant: impl Fn(&Dnskey<'_>) -> bool) -> Vec<String> {
    let keys = zone.dnskeys();
    let meant = keys.iter().filter(|key| is_meant(key));
    meant.map(key_name).collect()
}

/// No key is of an algorithm that proves anything.
fn unusable_algorithms(zone: &Zone, seen: SeenZone<'_>) -> Option<Finding> {
    let keys = zone.dnskeys();
    if keys.iter().any(|key| key.algorithm.is_supported()) {
        return None;
    }
    let algorithms = algorithms_of(&keys);
    let is_deprecated = |key: &Dnskey<'_>| SHA_1_ALGORITHMS.contains(&key.algorithm.0);
    Some(if keys.iter().any(is_deprecated) {
        found::algorithm_deprecated(seen, algorithms)
    } else {
        found::algorithm_unknown(seen, algorithms)
    })
}

fn algorithms_of(keys: &[Dnskey<'_>]) -> Vec<String> {
    let mut algorithms: Vec<Algorithm> = keys.iter().map(|key| key.algorithm).collect();
    algorithms.sort_by_key(|algorithm| algorithm.0);
    algorithms.dedup();
    algorithms.into_iter().map(algorithm_name).collect()
}

/// Keys of unknown algorithms beside better ones.
fn unknown_beside(zone: &Zone, seen: SeenZone<'_>) -> Option<Finding> {
    let mut keys = zone.dnskeys();
    keys.retain(|key| !key.algorithm.is_supported());
    let reference_gives_up = keys
        .iter()
        .any(|key| !READ_BY_REFERENCE.contains(&key.algorithm.0));
    (!keys.is_empty())
        .then(|| found::algorithm_beside(seen, algorithms_of(&keys), reference_gives_up))
}

/// The length of an RSA key's modulus (RFC 3110 §2).
fn rsa_bits(key: &Dnskey<'_>) -> Option<usize> {
    if !RSA_ALGORITHMS.contains(&key.algorithm.0) {
        return None;
    }
    let (exponent_octets, rest) = match key.public_key {
        [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length, rest @ ..] => (usize::from(*length), rest),
        [] => return None,
    };
    let modulus = rest.get(exponent_octets..)?;
    let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
    let significant = modulus.get(zeros..)?;
    let first = significant.first()?;
    let bits = significant.len().checked_mul(8)?;
    bits.checked_sub(usize::try_from(first.leading_zeros()).ok()?)
}

/// The RSA keys whose length fits.
fn rsa_keys_of(zone: &Zone, fits: impl Fn(usize) -> bool) -> Vec<(String, usize)> {
    zone.dnskeys()
        .iter()
        .filter(|key| key.algorithm.is_supported())
        .filter_map(|key| Some((key_name(key), rsa_bits(key)?)))
        .filter(|(_, bits)| fits(*bits))
        .collect()
}

fn short(zone: &Zone, seen: SeenZone<'_>) -> Option<Finding> {
    let keys = rsa_keys_of(zone, |bits| (MIN_RSA_BITS..SAFE_RSA_BITS).contains(&bits));
    let (key, bits) = keys.first()?;
    Some(found::rsa_short(seen, key, *bits))
}

/// Tells whether the zone stands or falls with a key: it is the only one that the parent commits to.
fn is_the_only_way_in(zone: &Zone, is_meant: impl Fn(&Dnskey<'_>) -> bool) -> bool {
    let keys = zone.dnskeys();
    let committed: Vec<Dnskey<'_>> = zone
        .delegation_signers()
        .iter()
        .filter_map(|ds| matching_key(zone, ds, &keys))
        .collect();
    !committed.is_empty() && committed.iter().all(is_meant)
}

fn revoked(zone: &Zone, seen: SeenZone<'_>) -> Option<Finding> {
    let is_revoked = |key: &Dnskey<'_>| key.flags & REVOKE != 0;
    let keys = keys_that(zone, is_revoked);
    (!keys.is_empty()).then(|| found::revoked(seen, keys, is_the_only_way_in(zone, is_revoked)))
}

/// Keys that are none of the zone's by their flags or protocol.
fn no_zone_keys(zone: &Zone, seen: SeenZone<'_>) -> Option<Finding> {
    let is_none = |key: &Dnskey<'_>| key.flags & ZONE_KEY == 0 || key.protocol != PROTOCOL;
    let keys = keys_that(zone, is_none);
    (!keys.is_empty()).then(|| found::not_a_zone_key(seen, keys, is_the_only_way_in(zone, is_none)))
}

/// More keys than a zone needs are keys that come or go.
fn rollover(zone: &Zone, seen: SeenZone<'_>) -> Option<Finding> {
    let usable = |is_entry: bool| {
        keys_that(zone, |key| {
            is_usable_key(key) && key.is_secure_entry_point() == is_entry
        })
    };
    let (entries, others) = (usable(true), usable(false));
    (entries.len() > 1 || others.len() > 1)
        .then(|| found::rollover(seen, [entries, others].concat()))
}

fn iterations(zone: &Zone, seen: SeenZone<'_>) -> Option<Finding> {
    let iterations = zone.nsec3_iterations?;
    (iterations > MAX_NSEC3_ITERATIONS)
        .then(|| found::nsec3_iterations(seen, iterations, MAX_NSEC3_ITERATIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DNSKEY of algorithm 8 with an exponent of so many octets and this modulus.
    fn rsa(exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
        let mut rdata = vec![1, 0, 3, 8];
        if exponent.len() < 256 {
            rdata.push(u8::try_from(exponent.len()).unwrap());
        } else {
            rdata.push(0);
            rdata.extend(u16::try_from(exponent.len()).unwrap().to_be_bytes());
        }
        rdata.extend(exponent);
        rdata.extend(modulus);
        rdata
    }

    fn bits(rdata: &[u8]) -> Option<usize> {
        rsa_bits(&Dnskey::parse(rdata).unwrap())
    }

    #[test]
    fn an_rsa_key_is_as_long_as_its_modulus() {
        assert_eq!(bits(&rsa(&[1, 0, 1], &[0x80; 256])), Some(2_048));
        assert_eq!(bits(&rsa(&[1, 0, 1], &[0x7f; 256])), Some(2_047));
        assert_eq!(bits(&rsa(&[1; 300], &[0xff; 64])), Some(512));
        assert_eq!(bits(&rsa(&[3], &[0, 0, 1])), Some(1));
        assert_eq!(bits(&rsa(&[3], &[])), None);
        assert_eq!(bits(&[1, 0, 3, 8]), None);
        assert_eq!(bits(&[1, 0, 3, 8, 9, 1]), None);
        // No RSA at all.
        assert_eq!(bits(&[1, 0, 3, 13, 1, 1, 1]), None);
    }
}
