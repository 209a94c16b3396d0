//! Findings about the DNSSEC keys of zones. Keys are lists of what sets each apart, as in [`key_name`].
//!
//! [`key_name`]: crate::doctor::words::key_name

use crate::doctor::finding::{Finding, Severity};
use crate::doctor::words::{SeenZone, list};

pub(crate) fn sound(zone: SeenZone<'_>, keys: Vec<String>) -> Finding {
    Finding::good(
        "keys.sound",
        format!("{} signs with {}.", zone.plain(), list(&keys)),
    )
    .with("zone", zone.name.to_string())
    .with("keys", keys)
}

/// All keys are of algorithms that rest on SHA-1, or of unknown ones beside.
pub(crate) fn algorithm_deprecated(zone: SeenZone<'_>, algorithms: Vec<String>) -> Finding {
    let finding = Finding::problem(
        "keys.algorithm_deprecated",
        format!(
            "{} signs with {}, which is based on SHA-1. SHA-1 is broken, so such signatures prove nothing.",
            zone.plain(),
            list(&algorithms)
        ),
    );
    to_be_rolled_over(finding, zone, algorithms)
}

/// All keys are of algorithms that are not supported.
pub(crate) fn algorithm_unknown(zone: SeenZone<'_>, algorithms: Vec<String>) -> Finding {
    let finding = Finding::problem(
        "keys.algorithm_unknown",
        format!(
            "{} signs with {}, which kliento and most verifiers do not support: they treat the domain as unsigned.",
            zone.plain(),
            list(&algorithms)
        ),
    );
    to_be_rolled_over(finding, zone, algorithms)
}

fn to_be_rolled_over(finding: Finding, zone: SeenZone<'_>, algorithms: Vec<String>) -> Finding {
    finding
        .advise(format!(
            "Have {} sign with algorithm 13 (ECDSAP256SHA256), and then change the DS record in the zone above. The \
             new keys have to stand beside the old ones for a few days; DNS software knows that as an algorithm \
             rollover.",
            zone.keeper()
        ))
        .with("zone", zone.name.to_string())
        .with("algorithms", algorithms)
}

/// Keys that nobody needs, and that the reference library may not even be able to pass over.
pub(crate) fn algorithm_beside(
    zone: SeenZone<'_>,
    algorithms: Vec<String>,
    reference_gives_up: bool,
) -> Finding {
    let (severity, consequence) = if reference_gives_up {
        (
            Severity::Warning,
            "kliento passes it over, but VeraId's reference library, which others may use to verify, gives up on the \
             whole zone because of it.",
        )
    } else {
        (Severity::Note, "It is ignored, and does no harm.")
    };
    let finding = Finding::new(
        "keys.algorithm_beside",
        severity,
        format!(
            "Beside its good keys, {} has one of {}. {consequence}",
            zone.plain(),
            list(&algorithms)
        ),
    )
    .with("zone", zone.name.to_string())
    .with("algorithms", algorithms);
    if reference_gives_up {
        finding.advise(
            "If nobody is changing algorithms at the moment, have the DNS host remove that key.",
        )
    } else {
        finding
    }
}

/// An RSA key that is too short to be accepted. Beside better keys it may not be needed.
pub(crate) fn rsa_too_short(
    zone: SeenZone<'_>,
    key: &str,
    bits: usize,
    is_needed: bool,
) -> Finding {
    let severity = if is_needed {
        Severity::Problem
    } else {
        Severity::Warning
    };
    Finding::new(
        "keys.rsa_too_short",
        severity,
        format!(
            "The key {key} of {} has {bits} bits. RSA keys of less than 1,024 bits can be broken by anybody, and are \
             not accepted.",
            zone.plain()
        ),
    )
    .advise(
        "Have the DNS host make new keys: algorithm 13 (ECDSAP256SHA256) is the best choice. If the DS record in the \
         zone above changes by that, the registrar needs the new one.",
    )
    .with("zone", zone.name.to_string())
    .with("bits", bits)
}

pub(crate) fn rsa_short(zone: SeenZone<'_>, key: &str, bits: usize) -> Finding {
    Finding::note(
        "keys.rsa_short",
        format!(
            "The key {key} of {} has {bits} bits. It is accepted, but too short for a key of this importance.",
            zone.plain()
        ),
    )
    .advise(
        "When the DNS host next makes keys, have it use 2,048 bits, or algorithm 13 (ECDSAP256SHA256), which is \
         shorter and stronger.",
    )
    .with("zone", zone.name.to_string())
    .with("bits", bits)
}

pub(crate) fn revoked(zone: SeenZone<'_>, keys: Vec<String>, are_needed: bool) -> Finding {
    unusable(
        "keys.revoked",
        zone,
        keys,
        are_needed,
        "is marked as revoked: its owner has withdrawn it.",
    )
}

/// Keys that are none of the zone's by their flags or protocol.
pub(crate) fn not_a_zone_key(zone: SeenZone<'_>, keys: Vec<String>, are_needed: bool) -> Finding {
    unusable(
        "keys.not_a_zone_key",
        zone,
        keys,
        are_needed,
        "is not marked as a key that signs zones (its flags should be 256 or 257, its protocol 3).",
    )
}

/// Keys that may not sign. They matter if the zone has no other way in.
fn unusable(
    id: &'static str,
    zone: SeenZone<'_>,
    keys: Vec<String>,
    are_needed: bool,
    why: &str,
) -> Finding {
    let (severity, consequence, advice) = if are_needed {
        (
            Severity::Problem,
            "It is the one that the DS record in the zone above is for, so nothing in the zone can be proven.",
            "Have the DNS host make a new key, and give its DS record to the registrar, which is where the domain was \
             bought.",
        )
    } else {
        (
            Severity::Note,
            "The zone's other keys do the work, so it does no harm.",
            "The DNS host may remove it.",
        )
    };
    Finding::new(
        id,
        severity,
        format!(
            "The key {} of {} {why} {consequence}",
            list(&keys),
            zone.plain()
        ),
    )
    .advise(advice)
    .with("zone", zone.name.to_string())
    .with("keys", keys)
}

/// More keys than a zone needs are keys that come or go.
pub(crate) fn rollover(zone: SeenZone<'_>, keys: Vec<String>) -> Finding {
    Finding::note(
        "keys.rollover",
        format!(
            "{} has more keys than it needs: {}. It looks as if they are being changed, which is as it should be from \
             time to time.",
            zone.plain(),
            list(&keys)
        ),
    )
    .advise("Meanwhile chains are larger. Retrieve yours again when it is over.")
    .with("zone", zone.name.to_string())
    .with("keys", keys)
}

/// Names are hashed more often than the `most` that validators take.
pub(crate) fn nsec3_iterations(zone: SeenZone<'_>, iterations: u16, most: u16) -> Finding {
    Finding::warning(
        "keys.nsec3_iterations",
        format!(
            "{} hashes each name {iterations} times over (NSEC3 iterations). Validators refuse to do that more than \
             {most} times: what the zone says about names that do not exist, and about wildcards, counts as unsigned.",
            zone.plain()
        ),
    )
    .advise(format!(
        "{} should set the iterations to 0 (RFC 9276).",
        zone.keeper_first()
    ))
    .with("zone", zone.name.to_string())
    .with("iterations", iterations)
}
