//! The zone's keys: whether validators can use them, and for how much longer.

use dnssec::{Algorithm, Dnskey, Name};

use super::delegation::matching_key;
use super::finding::{Finding, Severity};
use super::survey::{Survey, Zone};
use super::words::{algorithm_name, keeper, keeper_first, key_name, list, plain};

/// DNSKEY flags (RFC 4034 §2.1.1, RFC 5011 §3) and the protocol (RFC 4034 §2.1.2).
const ZONE_KEY: u16 = 0x0100;
const REVOKE: u16 = 0x0080;
const PROTOCOL: u8 = 3;
/// RSA with SHA-1, in both spellings (RFC 3110, RFC 5155).
const SHA_1_ALGORITHMS: [u8; 2] = [5, 7];
/// What the reference library can read; at any other key it gives up on the whole zone.
const READ_BY_REFERENCE: [u8; 7] = [5, 8, 10, 13, 14, 15, 16];
const RSA_ALGORITHMS: [u8; 4] = [5, 7, 8, 10];
/// The shortest RSA keys that are legal (RFC 5702 §2), and that are counted safe today (NIST SP 800-57).
const MIN_RSA_BITS: usize = 1_024;
const SAFE_RSA_BITS: usize = 2_048;
/// How often names may be hashed before denials stop counting (RFC 9276 §3.2).
const MAX_NSEC3_ITERATIONS: u16 = 100;

pub(super) fn examine(survey: &Survey) -> Vec<Finding> {
    let own = survey.own_zone().map(|zone| &zone.name);
    let mut findings = Vec::new();
    for zone in &survey.zones {
        let is_own = own == Some(&zone.name);
        if zone.dnskeys().is_empty() {
            continue;
        }
        let unusable = unusable_algorithms(zone, own);
        let is_usable = unusable.is_none();
        findings.extend(unusable);
        if is_own {
            findings.extend(too_short(zone, survey));
            if is_usable {
                findings.extend(unknown_beside(zone));
            }
            findings.extend(short(zone));
            findings.extend(revoked(zone));
            findings.extend(no_zone_keys(zone));
            findings.extend(rollover(zone));
            findings.extend(iterations(zone));
            if !findings.iter().any(Finding::is_problem) {
                findings.insert(0, sound(zone));
            }
        }
    }
    findings
}

fn sound(zone: &Zone) -> Finding {
    let keys: Vec<String> = zone
        .dnskeys()
        .iter()
        .filter(|key| key.may_sign() && key.algorithm.is_supported())
        .map(key_name)
        .collect();
    Finding::good(
        "keys.sound",
        format!("{} signs with {}.", plain(&zone.name), list(&keys)),
    )
    .with("zone", zone.name.to_string())
    .with("keys", keys)
}

/// No key is of an algorithm that proves anything.
fn unusable_algorithms(zone: &Zone, own: Option<&Name>) -> Option<Finding> {
    let keys = zone.dnskeys();
    if keys.iter().any(|key| key.algorithm.is_supported()) {
        return None;
    }
    let algorithms = algorithms_of(&keys);
    let names = list(&algorithms);
    let zone_name = plain(&zone.name);
    let finding = if keys
        .iter()
        .any(|key| SHA_1_ALGORITHMS.contains(&key.algorithm.0))
    {
        Finding::problem(
            "keys.algorithm_deprecated",
            format!(
                "{zone_name} signs with {names}. It rests on SHA-1, which is broken: such signatures prove nothing \
                 any more."
            ),
        )
    } else {
        Finding::problem(
            "keys.algorithm_unknown",
            format!(
                "{zone_name} signs with {names}, which few can verify, and kliento can't: to them the domain counts \
                 as unsigned."
            ),
        )
    };
    Some(
        finding
            .advise(format!(
                "Have {} sign with algorithm 13 (ECDSAP256SHA256), and then change the DS record in the zone above. \
                 The new keys have to stand beside the old ones for some days; DNS software knows that as an \
                 algorithm rollover.",
                keeper(&zone.name, own)
            ))
            .with("zone", zone.name.to_string())
            .with("algorithms", algorithms),
    )
}

fn algorithms_of(keys: &[Dnskey<'_>]) -> Vec<String> {
    let mut algorithms: Vec<Algorithm> = keys.iter().map(|key| key.algorithm).collect();
    algorithms.sort_by_key(|algorithm| algorithm.0);
    algorithms.dedup();
    algorithms.into_iter().map(algorithm_name).collect()
}

/// Keys that nobody needs, and that the reference library may not even be able to pass over.
fn unknown_beside(zone: &Zone) -> Option<Finding> {
    let keys: Vec<Dnskey<'_>> = zone
        .dnskeys()
        .into_iter()
        .filter(|key| !key.algorithm.is_supported())
        .collect();
    if keys.is_empty() {
        return None;
    }
    let chokes = keys
        .iter()
        .any(|key| !READ_BY_REFERENCE.contains(&key.algorithm.0));
    let (severity, consequence) = if chokes {
        (
            Severity::Warning,
            "kliento passes it over, but VeraId's reference library, which others may use to verify, gives up on the \
             whole zone because of it.",
        )
    } else {
        (Severity::Note, "It is passed over, and does no harm.")
    };
    let algorithms = algorithms_of(&keys);
    let finding = Finding::new(
        "keys.algorithm_beside",
        severity,
        format!(
            "Beside its good keys, {} has one of {}. {consequence}",
            plain(&zone.name),
            list(&algorithms)
        ),
    )
    .with("zone", zone.name.to_string())
    .with("algorithms", algorithms);
    Some(if chokes {
        finding.advise(
            "If nobody is changing algorithms at the moment, have the DNS host remove that key.",
        )
    } else {
        finding
    })
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

fn too_short(zone: &Zone, survey: &Survey) -> Option<Finding> {
    let keys = rsa_keys_of(zone, |bits| bits < MIN_RSA_BITS);
    let (key, bits) = keys.first()?;
    // Beside better keys it may not be needed.
    let is_needed = zone.proof.is_err() || matches!(survey.soa_proof, Some(Err(_)));
    let severity = if is_needed {
        Severity::Problem
    } else {
        Severity::Warning
    };
    Some(
        Finding::new(
            "keys.rsa_too_short",
            severity,
            format!(
                "The key {key} of {} has {bits} bits. RSA keys of less than 1,024 bits can be broken by anybody, and \
                 are not accepted.",
                plain(&zone.name)
            ),
        )
        .advise(
            "Have the DNS host make new keys: algorithm 13 (ECDSAP256SHA256) is the best choice. If the DS record in \
             the zone above changes by that, the registrar needs the new one.",
        )
        .with("zone", zone.name.to_string())
        .with("bits", *bits),
    )
}

fn short(zone: &Zone) -> Option<Finding> {
    let keys = rsa_keys_of(zone, |bits| (MIN_RSA_BITS..SAFE_RSA_BITS).contains(&bits));
    let (key, bits) = keys.first()?;
    Some(
        Finding::note(
            "keys.rsa_short",
            format!(
                "The key {key} of {} has {bits} bits. It is accepted, but it is short for what hangs on it.",
                plain(&zone.name)
            ),
        )
        .advise(
            "When the DNS host next makes keys, have it use 2,048 bits, or algorithm 13 (ECDSAP256SHA256), which is \
             shorter and stronger.",
        )
        .with("zone", zone.name.to_string())
        .with("bits", *bits),
    )
}

/// Whether the zone stands or falls with a key: it is the only one that the parent commits to.
fn is_the_only_way_in(zone: &Zone, is_meant: impl Fn(&Dnskey<'_>) -> bool) -> bool {
    let keys = zone.dnskeys();
    let committed: Vec<Dnskey<'_>> = zone
        .delegation_signers()
        .iter()
        .filter_map(|ds| matching_key(zone, ds, &keys))
        .collect();
    !committed.is_empty() && committed.iter().all(is_meant)
}

/// Severity and consequence of keys that may not sign.
fn weight(zone: &Zone, is_meant: impl Fn(&Dnskey<'_>) -> bool) -> (Severity, String) {
    if is_the_only_way_in(zone, is_meant) {
        (
            Severity::Problem,
            "It is the one that the DS record in the zone above is for, so nothing in the zone can be proven."
                .to_owned(),
        )
    } else {
        (
            Severity::Note,
            "The zone's other keys do the work, so it does no harm.".to_owned(),
        )
    }
}

fn revoked(zone: &Zone) -> Option<Finding> {
    let is_revoked = |key: &Dnskey<'_>| key.flags & REVOKE != 0;
    let keys: Vec<String> = zone
        .dnskeys()
        .iter()
        .filter(|key| is_revoked(key))
        .map(key_name)
        .collect();
    if keys.is_empty() {
        return None;
    }
    let (severity, consequence) = weight(zone, is_revoked);
    Some(
        unusable_key(
            "keys.revoked",
            severity,
            zone,
            &format!(
                "{} of {} is marked as revoked: its owner has taken it back. {consequence}",
                key_or_keys(&keys),
                plain(&zone.name)
            ),
        )
        .with("keys", keys),
    )
}

/// Keys that are none of the zone's by their flags or protocol.
fn no_zone_keys(zone: &Zone) -> Option<Finding> {
    let is_none = |key: &Dnskey<'_>| key.flags & ZONE_KEY == 0 || key.protocol != PROTOCOL;
    let keys: Vec<String> = zone
        .dnskeys()
        .iter()
        .filter(|key| is_none(key))
        .map(key_name)
        .collect();
    if keys.is_empty() {
        return None;
    }
    let (severity, consequence) = weight(zone, is_none);
    Some(
        unusable_key("keys.not_a_zone_key", severity, zone, &format!(
            "{} of {} is not marked as a key that signs zones (its flags should be 256 or 257, its protocol 3). \
             {consequence}",
            key_or_keys(&keys),
            plain(&zone.name)
        ))
        .with("keys", keys),
    )
}

fn unusable_key(id: &'static str, severity: Severity, zone: &Zone, message: &str) -> Finding {
    let advice = if severity == Severity::Problem {
        "Have the DNS host make a new key, and give its DS record to the registrar, which is where the domain was \
         bought."
    } else {
        "The DNS host may remove it."
    };
    Finding::new(id, severity, message)
        .advise(advice)
        .with("zone", zone.name.to_string())
}

fn key_or_keys(keys: &[String]) -> String {
    format!("The key {}", list(keys))
}

/// More keys than a zone needs are keys that come or go.
fn rollover(zone: &Zone) -> Option<Finding> {
    let usable = |is_entry: bool| -> Vec<String> {
        zone.dnskeys()
            .iter()
            .filter(|key| key.may_sign() && key.algorithm.is_supported())
            .filter(|key| key.is_secure_entry_point() == is_entry)
            .map(key_name)
            .collect()
    };
    let (entries, others) = (usable(true), usable(false));
    if entries.len() < 2 && others.len() < 2 {
        return None;
    }
    let keys = [entries, others].concat();
    Some(
        Finding::note(
            "keys.rollover",
            format!(
                "{} has more keys than it needs: {}. It looks as if they are being changed, which is as it should be \
                 from time to time.",
                plain(&zone.name),
                list(&keys)
            ),
        )
        .advise("Meanwhile chains are larger. Retrieve yours again when it is over.")
        .with("zone", zone.name.to_string())
        .with("keys", keys),
    )
}

fn iterations(zone: &Zone) -> Option<Finding> {
    let iterations = zone
        .nsec3_iterations
        .filter(|iterations| *iterations > MAX_NSEC3_ITERATIONS)?;
    Some(
        Finding::warning(
            "keys.nsec3_iterations",
            format!(
                "{} hashes each name {iterations} times over (NSEC3 iterations). Validators refuse to do that more \
                 than {MAX_NSEC3_ITERATIONS} times: what the zone says about names that do not exist, and about \
                 wildcards, counts as unsigned.",
                plain(&zone.name)
            ),
        )
        .advise(format!(
            "{} should set the iterations to 0 (RFC 9276).",
            keeper_first(&zone.name, Some(&zone.name))
        ))
        .with("zone", zone.name.to_string())
        .with("iterations", iterations),
    )
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
