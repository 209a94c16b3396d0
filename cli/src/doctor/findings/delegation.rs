//! Findings about the delegations from the trust anchor down to the domain.

use dnssec::{Ds, Name};
use serde_json::Value;

use super::it_says;
use crate::doctor::finding::Finding;
use crate::doctor::words::{SeenZone, algorithm_name, list, plain};

/// Advice on lines of DS and DNSKEY records.
const THE_KEY_ITSELF: &str =
    "Registrars that ask for the key and not for its digest want what is in the line with DNSKEY.";

/// There is no trust anchor for any zone above the domain.
pub(crate) fn no_anchor(domain: &str) -> Finding {
    Finding::problem(
        "delegation.no_anchor",
        format!(
            "All given trust anchors are for other names, so nothing about {domain} can be proven with them."
        ),
    )
    .advise(
        "With --trust-anchors, give the keys of a zone above the domain, usually the root. For a domain in the public \
         DNS, omit the option.",
    )
    .with("domain", domain)
}

pub(crate) fn sound(zones: Vec<String>) -> Finding {
    Finding::good(
        "delegation.sound",
        format!(
            "Each zone vouches for the keys of the next: {}.",
            zones.join(" > ")
        ),
    )
    .with("zones", zones)
}

pub(crate) fn no_such_domain(name: &Name) -> Finding {
    Finding::problem(
        "delegation.no_such_domain",
        format!("The domain {} does not exist in the DNS.", plain(name)),
    )
    .advise(
        "Check its spelling. If it was registered a short while ago, wait some hours; if it was not, register it. A \
         domain that has expired, or has no name servers, is not there either: ask its registrar.",
    )
    .with("name", name.to_string())
}

/// Nobody answers for a name. `zone` is the one below which it is, if any is known.
pub(crate) fn servers_fail(
    name: &Name,
    response: String,
    explanation: Option<String>,
    zone: Option<&Name>,
) -> Finding {
    let finding = Finding::problem(
        "delegation.servers_fail",
        format!(
            "The resolver got no answer for {} from its name servers ({response}).{}",
            plain(name),
            it_says(explanation)
        ),
    )
    .advise(
        "Have the domain's DNS host check that the name servers which the registrar has on file are those that really \
         serve the domain. If they do, the resolver may be hiding what it thinks is badly signed: ask another one, \
         with --resolver https://1.1.1.1/dns-query for example.",
    )
    .with("name", name.to_string())
    .with("response", response);
    match zone {
        Some(zone) => finding.with("zone", zone.to_string()),
        None => finding,
    }
}

/// The most common of all: DNSSEC was switched on at the DNS host, and the registrar never heard of it. `lines` are the
/// records to hand on, if the zone has keys that anybody can use.
pub(crate) fn no_ds(zone: SeenZone<'_>, lines: Vec<String>) -> Finding {
    let name = zone.plain();
    let parent = zone.name.parent();
    let finding = Finding::problem(
        "delegation.no_ds",
        format!(
            "{name} is signed, but nobody can verify that: the zone above it ({}) has no DS record for it. A DS record \
             connects a domain's keys with the rest of the DNS.",
            parent.as_ref().map_or_else(|| plain(&Name::root()), plain)
        ),
    )
    .with("zone", zone.name.to_string());
    if lines.is_empty() {
        return finding.advise(format!(
            "First have the DNS host of {name} sign it with a key of an algorithm in common use (13, ECDSAP256SHA256, \
             is the best choice). Then give the DS record for that key to the registrar, which is where the domain \
             was bought."
        ));
    }
    finding
        .advise(format!(
            "Give this DS record to the registrar, which is where the domain was bought: look for \"DNSSEC\" or \"DS \
             records\" in the domain's settings there. The numbers are, in this order: key tag, algorithm, digest \
             type (2 is SHA-256), digest. {THE_KEY_ITSELF} It takes effect within a day. (If {name} is part of \
             another domain of yours, the DS record goes into that domain's zone.)"
        ))
        .publish(lines)
}

/// The domain's own zone is not signed.
pub(crate) fn unsigned(zone: SeenZone<'_>) -> Finding {
    let name = zone.plain();
    Finding::problem(
        "delegation.unsigned",
        format!("{name} is not signed with DNSSEC, so none of its records can be proven."),
    )
    .advise(format!(
        "Turn DNSSEC on at the DNS host, which is the company that runs the name servers of {name}: often it is a \
         single switch. Then give the DS record that it shows you to the registrar, which is where the domain was \
         bought; where both are one company, that happens by itself. Then check again. A host that has no DNSSEC can \
         be changed for one that has, with the domain staying at its registrar."
    ))
    .with("zone", zone.name.to_string())
}

/// A zone above the domain's own is not signed.
pub(crate) fn parent_unsigned(zone: SeenZone<'_>) -> Finding {
    let name = zone.plain();
    let advice = if zone.name.label_count() == 1 {
        format!(
            "Neither you nor your registrar can change that: .{name} does not support DNSSEC. Use a domain with \
             another ending; almost all of them support it."
        )
    } else {
        format!(
            "The operator of {name} has to sign it, and to get its DS record added in the zone above. Until then, use \
             another domain."
        )
    };
    Finding::problem(
        "delegation.parent_unsigned",
        format!("{name}, the zone above the domain, is not signed with DNSSEC: the chain of trust ends there."),
    )
    .advise(advice)
    .with("zone", zone.name.to_string())
}

/// Signed nowhere, while the parent says that it is: after a move to another DNS host, as a rule.
pub(crate) fn ds_of_unsigned_zone(zone: SeenZone<'_>, signers: &[Ds<'_>]) -> Finding {
    let name = zone.plain();
    Finding::problem(
        "delegation.ds_of_unsigned_zone",
        format!(
            "The zone above {name} has a DS record for it, which says that it is signed; but it is not. Everybody who \
             verifies DNSSEC treats the domain as forged, so many people can't reach its web site and mail."
        ),
    )
    .advise(format!(
        "This happens when a domain moves to a DNS host that does not sign it. Have {} switch DNSSEC on, and give the \
         new DS record to the registrar in place of the old. If that can't be done today, have the registrar remove \
         the old DS record today: the domain will work again for others, though not for kliento.",
        zone.keeper()
    ))
    .with("zone", zone.name.to_string())
    .with("found", as_found(zone, signers))
}

/// All DS records are of SHA-1.
pub(crate) fn ds_sha1(zone: SeenZone<'_>, signers: &[Ds<'_>], lines: Vec<String>) -> Finding {
    let finding = Finding::problem(
        "delegation.ds_sha1",
        format!(
            "The only DS record for {} is one with SHA-1 (digest type 1), which is broken: it proves nothing any more.",
            zone.plain()
        ),
    );
    to_be_replaced(finding, zone, signers, lines)
}

/// No DS record is of a digest type in use.
pub(crate) fn ds_unknown_digest(
    zone: SeenZone<'_>,
    signers: &[Ds<'_>],
    lines: Vec<String>,
) -> Finding {
    let finding = Finding::problem(
        "delegation.ds_unknown_digest",
        format!(
            "The DS records for {} have digests of a type that is not in use (digest types 2 and 4 are), so they \
             prove nothing.",
            zone.plain()
        ),
    );
    to_be_replaced(finding, zone, signers, lines)
}

fn to_be_replaced(
    finding: Finding,
    zone: SeenZone<'_>,
    signers: &[Ds<'_>],
    lines: Vec<String>,
) -> Finding {
    finding
        .advise(if zone.is_own() {
            format!("Give this DS record to the registrar, in place of the ones it has. {THE_KEY_ITSELF}")
        } else {
            format!("{} has to add one like this.", zone.keeper_first())
        })
        .publish(lines)
        .with("zone", zone.name.to_string())
        .with("found", as_found(zone, signers))
}

/// The DS records are for keys that the zone does not have.
pub(crate) fn ds_mismatch(
    zone: SeenZone<'_>,
    signers: &[Ds<'_>],
    key_tags: Vec<String>,
    lines: Vec<String>,
) -> Finding {
    let name = zone.plain();
    let ds_tags: Vec<String> = signers.iter().map(|ds| ds.key_tag.to_string()).collect();
    let finding = Finding::problem(
        "delegation.ds_mismatch",
        format!(
            "The DS record at the zone above is for a key that {name} does not have: it says {}, and {name} has {}. \
             Everybody who verifies DNSSEC treats the domain as forged, so many people can't reach its web site and \
             mail.",
            list(&ds_tags),
            list(&key_tags)
        ),
    )
    .with("zone", zone.name.to_string())
    .with("found", as_found(zone, signers))
    .with("keyTags", key_tags);
    if zone.is_own() {
        finding
            .advise(format!(
                "This happens when a domain moves to another DNS host, or its keys were made anew: the registrar, \
                 which is where the domain was bought, still has the old DS record. Give it this one, and have the \
                 old one removed. {THE_KEY_ITSELF}"
            ))
            .publish(lines)
    } else {
        finding.advise(for_its_keeper(zone))
    }
}

/// A DS record was meant for a key of the zone, but for the part that is `wrong`.
pub(crate) fn ds_mistyped(
    zone: SeenZone<'_>,
    signers: &[Ds<'_>],
    wrong: &'static str,
    lines: Vec<String>,
) -> Finding {
    let finding = Finding::problem(
        "delegation.ds_mistyped",
        format!(
            "The DS record at the zone above was meant for a key of {}, but its {wrong} is not that key's: something \
             went wrong in copying it. Everybody who verifies DNSSEC treats the domain as forged, so many people can't \
             reach its web site and mail.",
            zone.plain()
        ),
    )
    .with("zone", zone.name.to_string())
    .with("found", as_found(zone, signers))
    .with("wrong", wrong);
    if zone.is_own() {
        finding
            .advise(format!(
                "Give this DS record to the registrar, which is where the domain was bought, in place of the one it \
                 has. {THE_KEY_ITSELF}"
            ))
            .publish(lines)
    } else {
        finding.advise(for_its_keeper(zone))
    }
}

fn for_its_keeper(zone: SeenZone<'_>) -> String {
    format!("That is for {} to fix.", zone.keeper())
}

/// The zone asks its parent to take its DS over; the parent has not done so yet.
pub(crate) fn cds(zone: SeenZone<'_>) -> Finding {
    Finding::note(
        "delegation.cds",
        format!(
            "The DNS host of {} publishes CDS records, with which it asks the zone above to take the DS record over \
             by itself.",
            zone.plain()
        ),
    )
    .advise(
        "If the registry looks for them, there is nothing to do but wait a few days. If not, give the DS record to the \
         registrar by hand.",
    )
    .with("zone", zone.name.to_string())
}

/// The zone asks its parent to remove the DS records.
pub(crate) fn cds_delete(zone: SeenZone<'_>) -> Finding {
    Finding::warning(
        "delegation.cds_delete",
        format!(
            "The DNS host of {} asks the zone above, by a CDS record, to remove the DS records: DNSSEC is about to be \
             switched off.",
            zone.plain()
        ),
    )
    .advise("If nobody meant that, have the DNS host take the CDS record out today, and keep DNSSEC on.")
    .with("zone", zone.name.to_string())
}

pub(crate) fn ds_without_key(zone: SeenZone<'_>, key_tags: Vec<String>) -> Finding {
    Finding::note(
        "delegation.ds_without_key",
        format!(
            "Beside the good DS record, the zone above has one for a key that {} does not have: {}.",
            zone.plain(),
            list(&key_tags)
        ),
    )
    .advise(
        "While the keys are being changed, that is as it should be. If nobody is changing them, have the registrar \
         remove it.",
    )
    .with("zone", zone.name.to_string())
    .with("keyTags", key_tags)
}

pub(crate) fn ds_sha1_beside(zone: SeenZone<'_>) -> Finding {
    Finding::note(
        "delegation.ds_sha1_beside",
        format!(
            "Beside the good DS record for {} there is one with SHA-1 (digest type 1), which is no longer needed.",
            zone.plain()
        ),
    )
    .advise("Have the registrar remove it when you are there anyway.")
    .with("zone", zone.name.to_string())
}

/// The reference library gives up at a digest type that it does not know.
pub(crate) fn ds_unknown_digest_beside(zone: SeenZone<'_>, digest_type: u8) -> Finding {
    let advice = if zone.is_own() {
        "Have the registrar remove it.".to_owned()
    } else {
        format!("{} would have to remove it.", zone.keeper_first())
    };
    Finding::warning(
        "delegation.ds_unknown_digest_beside",
        format!(
            "Beside the good DS record for {} stands one with a digest of type {digest_type}, which is not in use. \
             kliento passes it over, but VeraId's reference library, which others may use to verify, can give up on \
             it.",
            zone.plain()
        ),
    )
    .advise(advice)
    .with("zone", zone.name.to_string())
    .with("digestType", digest_type)
}

/// The reference library takes each label above the signer for a zone of its own.
pub(crate) fn no_cut(owner: &Name, own: &Name, names: Vec<String>) -> Finding {
    Finding::warning(
        "delegation.no_cut",
        format!(
            "{} lies in the zone {}, but between it and the zones above there is no zone {}. That is as legal as it \
             is common, and kliento verifies it; VeraId's reference library, which others may use to verify, does \
             not: it expects a zone at every dot.",
            plain(owner),
            plain(own),
            list(&names)
        ),
    )
    .advise("If those who will verify use that library, choose a domain right below its ending, such as example.com.")
    .with("names", names)
}

/// DS records as they are, for programs and for those who compare by eye.
fn as_found(zone: SeenZone<'_>, signers: &[Ds<'_>]) -> Vec<Value> {
    signers
        .iter()
        .map(|ds| {
            serde_json::json!({
                "zone": zone.name.to_string(),
                "keyTag": ds.key_tag,
                "algorithm": algorithm_name(ds.algorithm),
                "digestType": ds.digest_type,
            })
        })
        .collect()
}
