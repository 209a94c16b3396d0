//! The delegation: whether each zone from the trust anchor down says the right thing about the keys of the next.

use dnssec::{Dnskey, Ds, Name, RecordType, RetrievalError};
use serde_json::Value;

use super::finding::Finding;
use super::survey::{End, Lookup, Reply, Survey, Zone, response_code_name};
use super::words::{algorithm_name, dnskey_line, ds_line, keeper, keeper_first, list, plain};

/// DS digests by number (RFC 4034 §A.2, RFC 4509, RFC 6605).
const SHA_1: u8 = 1;
const SHA_256: u8 = 2;
const SHA_384: u8 = 4;
/// The algorithm with which a CDS record asks the parent to remove the DS records (RFC 8078 §4).
const DELETE: u8 = 0;

/// There is no trust anchor for any zone above the domain.
pub(super) fn without_anchor(domain: &str) -> Finding {
    Finding::problem(
        "delegation.no_anchor",
        format!("The trust anchors that were given are all for other names: nothing of {domain} can be proven from \
                 them."),
    )
    .advise(
        "Give keys of a zone above the domain with --trust-anchors, those of the root as a rule; or leave the option \
         out for a domain of the public DNS.",
    )
    .with("domain", domain)
}

pub(super) fn examine(survey: &Survey) -> Vec<Finding> {
    let own = survey.own_zone().map(|zone| &zone.name);
    let mut findings = Vec::new();
    for zone in survey.zones.iter().skip(1) {
        findings.extend(delegation_of(zone, own));
        // What is wrong further down can't be told before this is mended.
        if findings.iter().any(Finding::is_problem) {
            break;
        }
    }
    let is_sound = !findings.iter().any(Finding::is_problem);
    match &survey.end {
        Some(end) if is_sound => findings.push(ended(end, survey)),
        None if is_sound => findings.insert(0, sound(survey)),
        _ => {}
    }
    if let Some(own) = own {
        findings.extend(without_cuts(survey, own));
    }
    findings
}

fn sound(survey: &Survey) -> Finding {
    let zones: Vec<String> = survey.zones.iter().map(|zone| plain(&zone.name)).collect();
    Finding::good(
        "delegation.sound",
        format!(
            "Each zone vouches for the keys of the next: {}.",
            zones.join(" > ")
        ),
    )
    .with("zones", zones)
}

/// The way to the domain ended before it got there.
fn ended(end: &End, survey: &Survey) -> Finding {
    match end {
        End::NoSuchName(name) => Finding::problem(
            "delegation.no_such_domain",
            format!("There is no domain {} in the DNS.", plain(name)),
        )
        .advise(
            "Check its spelling. If it was registered a short while ago, wait some hours; if it was not, register it. \
             A domain that has expired, or has no name servers, is not there either: ask its registrar.",
        )
        .with("name", name.to_string()),
        End::Failure { name, lookup } => {
            let zone = survey.zones.last().map(|zone| &zone.name);
            servers_fail(name, lookup, zone)
        }
    }
}

/// Nobody answers for a name.
fn servers_fail(name: &Name, lookup: &Lookup, zone: Option<&Name>) -> Finding {
    let (what, detail) = match lookup {
        Ok(reply) => (
            response_code_name(reply.response_code),
            reply.extended_error(),
        ),
        Err(RetrievalError::MalformedResponse { source, .. }) => {
            ("a broken message".to_owned(), Some(source.to_string()))
        }
        Err(error) => ("no response".to_owned(), Some(error.to_string())),
    };
    let detail = detail
        .map(|text| format!(" It says: {text}."))
        .unwrap_or_default();
    let finding = Finding::problem(
        "delegation.servers_fail",
        format!(
            "The resolver got no answer for {} from its name servers ({what}).{detail}",
            plain(name)
        ),
    )
    .advise(
        "Have the domain's DNS host check that the name servers which the registrar has on file are those that really \
         serve the domain. If they do, the resolver may be hiding what it thinks is badly signed: ask another one, \
         with --resolver https://1.1.1.1/dns-query for example.",
    )
    .with("name", name.to_string())
    .with("response", what);
    match zone {
        Some(zone) => finding.with("zone", zone.to_string()),
        None => finding,
    }
}

/// What the parent says of one zone's keys.
fn delegation_of(zone: &Zone, own: Option<&Name>) -> Vec<Finding> {
    let failed = |lookup: &Lookup| !lookup.as_ref().is_ok_and(Reply::is_answer);
    for lookup in zone.ds.iter().chain([&zone.keys]) {
        if failed(lookup) {
            return vec![servers_fail(&zone.name, lookup, Some(&zone.name))];
        }
    }
    let signers = zone.delegation_signers();
    let is_own = own == Some(&zone.name);
    if signers.is_empty() {
        let mut findings = vec![match (is_own, zone.is_signed()) {
            (true, true) => without_ds(zone),
            (true, false) => unsigned(zone),
            (false, _) => parent_unsigned(zone),
        }];
        findings.extend(pending_cds(zone).filter(|_| is_own));
        return findings;
    }
    if !zone.is_signed() {
        return vec![ds_of_unsigned_zone(zone, &signers, own)];
    }
    if signers.iter().all(|ds| !ds.is_supported()) {
        return weak_ds(zone, &signers, own).into_iter().collect();
    }
    let keys = zone.dnskeys();
    let supported = || signers.iter().filter(|ds| ds.is_supported());
    if !supported().any(|ds| matching_key(zone, ds, &keys).is_some()) {
        return vec![mismatch(zone, &signers, &keys, own)];
    }
    let mut findings = Vec::new();
    let stale: Vec<&Ds<'_>> = supported()
        .filter(|ds| matching_key(zone, ds, &keys).is_none())
        .collect();
    if is_own {
        findings.extend(stale_ds(zone, &stale));
        findings.extend(sha_1_beside(zone, &signers));
        findings.extend(deletion(zone));
    }
    findings.extend(unknown_digest_beside(zone, &signers, own));
    findings
}

/// The key that a DS record commits to.
pub(super) fn matching_key<'k>(
    zone: &Zone,
    ds: &Ds<'_>,
    keys: &[Dnskey<'k>],
) -> Option<Dnskey<'k>> {
    keys.iter()
        .copied()
        .filter(|key| key.key_tag() == ds.key_tag && key.algorithm == ds.algorithm)
        .find(|key| ds.commits_to(&zone.name, key))
}

/// What the parent should have: the DS records for the keys that sign the zone's keys, those marked for it before
/// others; and then those keys themselves, for registrars that ask for them.
fn ds_lines(zone: &Zone) -> Vec<String> {
    let keys = zone.dnskeys();
    let signs = |key: &&Dnskey<'_>| {
        key.may_sign()
            && key.algorithm.is_supported()
            && zone.keys.as_ref().is_ok_and(|reply| {
                reply
                    .rrsigs(&zone.name, RecordType::DNSKEY)
                    .any(|rrsig| rrsig.key_tag == key.key_tag() && rrsig.algorithm == key.algorithm)
            })
    };
    let signing: Vec<&Dnskey<'_>> = keys.iter().filter(signs).collect();
    let has_marked = signing.iter().any(|key| key.is_secure_entry_point());
    let meant = || {
        signing
            .iter()
            .filter(move |key| key.is_secure_entry_point() || !has_marked)
    };
    let ds = meant().map(|key| ds_line(&zone.name, key));
    ds.chain(meant().map(|key| dnskey_line(&zone.name, key)))
        .collect()
}

/// What to do with such lines.
const THE_KEY_ITSELF: &str =
    "Registrars that ask for the key and not for its digest want what is in the line with DNSKEY.";

fn parent_of(zone: &Zone) -> String {
    zone.name
        .parent()
        .map_or_else(|| "the DNS root".to_owned(), |parent| plain(&parent))
}

/// The most common of all: DNSSEC was switched on at the DNS host, and the registrar never heard of it.
fn without_ds(zone: &Zone) -> Finding {
    let (name, lines) = (plain(&zone.name), ds_lines(zone));
    let finding = Finding::problem(
        "delegation.no_ds",
        format!(
            "{name} is signed, but nobody can tell: the zone above it ({}) has no DS record for it. A DS record is \
             what ties a domain's keys to the rest of the DNS.",
            parent_of(zone)
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

fn unsigned(zone: &Zone) -> Finding {
    let name = plain(&zone.name);
    Finding::problem(
        "delegation.unsigned",
        format!("{name} is not signed with DNSSEC, so nothing that it says can be proven."),
    )
    .advise(format!(
        "Switch DNSSEC on at the DNS host, which is whoever runs the name servers of {name}: often it is one switch. \
         Then give the DS record that it shows you to the registrar, which is where the domain was bought; where both \
         are one company, that happens by itself. Then check again. A host that has no DNSSEC can be changed for one \
         that has, with the domain staying at its registrar."
    ))
    .with("zone", zone.name.to_string())
}

fn parent_unsigned(zone: &Zone) -> Finding {
    let name = plain(&zone.name);
    let advice = if zone.name.label_count() == 1 {
        format!(
            "Neither you nor your registrar can change that: .{name} does not take part in DNSSEC. Use a domain under \
             another ending; almost all of them do."
        )
    } else {
        format!(
            "Whoever runs {name} has to sign it, and to have its DS record added in the zone above. Until then, use \
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
fn ds_of_unsigned_zone(zone: &Zone, signers: &[Ds<'_>], own: Option<&Name>) -> Finding {
    let name = plain(&zone.name);
    Finding::problem(
        "delegation.ds_of_unsigned_zone",
        format!(
            "The zone above {name} has a DS record for it, which says that it is signed; but it is not. Everybody who \
             verifies DNSSEC takes the domain for a forgery, so its web site and mail are out of reach for many."
        ),
    )
    .advise(format!(
        "This happens when a domain moves to a DNS host that does not sign it. Have {} switch DNSSEC on, and give the \
         new DS record to the registrar in place of the old. If that can't be done today, have the registrar remove \
         the old DS record today: the domain will work again for others, though not for kliento.",
        keeper(&zone.name, own)
    ))
    .with("zone", zone.name.to_string())
    .with("found", found(zone, signers))
}

/// All DS records are such that validators pass them over.
fn weak_ds(zone: &Zone, signers: &[Ds<'_>], own: Option<&Name>) -> Option<Finding> {
    let name = plain(&zone.name);
    let of_known_algorithms = || signers.iter().filter(|ds| ds.algorithm.is_supported());
    // If there is none, it is the keys that are at fault, of which that part of the examination speaks.
    of_known_algorithms().next()?;
    let only_sha_1 = of_known_algorithms().all(|ds| ds.digest_type == SHA_1);
    let finding = if only_sha_1 {
        Finding::problem(
            "delegation.ds_sha1",
            format!(
                "The only DS record for {name} is one with SHA-1 (digest type 1), which is broken: it proves nothing \
                 any more."
            ),
        )
    } else {
        Finding::problem(
            "delegation.ds_unknown_digest",
            format!(
                "The DS records for {name} have digests of a type that is not in use (digest types 2 and 4 are), so \
                 they prove nothing."
            ),
        )
    };
    Some(
        finding
            .advise(if own == Some(&zone.name) {
                format!("Give this DS record to the registrar, in place of the ones it has. {THE_KEY_ITSELF}")
            } else {
                format!(
                    "{} has to add one like this.",
                    keeper_first(&zone.name, own)
                )
            })
            .publish(ds_lines(zone))
            .with("zone", zone.name.to_string())
            .with("found", found(zone, signers)),
    )
}

fn mismatch(zone: &Zone, signers: &[Ds<'_>], keys: &[Dnskey<'_>], own: Option<&Name>) -> Finding {
    let name = plain(&zone.name);
    if let Some(finding) = mistyped(zone, signers, keys, own) {
        return finding;
    }
    let keys: Vec<String> = keys.iter().map(|key| key.key_tag().to_string()).collect();
    let tags: Vec<String> = signers.iter().map(|ds| ds.key_tag.to_string()).collect();
    let finding = Finding::problem(
        "delegation.ds_mismatch",
        format!(
            "The DS record at the zone above is for a key that {name} does not have: it says {}, and {name} has {}. \
             Everybody who verifies DNSSEC takes the domain for a forgery, so its web site and mail are out of reach \
             for many.",
            list(&tags),
            list(&keys)
        ),
    )
    .with("zone", zone.name.to_string())
    .with("found", found(zone, signers))
    .with("keyTags", keys);
    if own == Some(&zone.name) {
        finding
            .advise(format!(
                "This happens when a domain moves to another DNS host, or its keys were made anew: the registrar, \
                 which is where the domain was bought, still has the old DS record. Give it this one, and have the \
                 old one removed. {THE_KEY_ITSELF}"
            ))
            .publish(ds_lines(zone))
    } else {
        finding.advise(format!("That is for {} to fix.", keeper(&zone.name, own)))
    }
}

/// A DS record that is right in some of its fields was meant for a key of the zone, and copied wrongly.
fn mistyped(
    zone: &Zone,
    signers: &[Ds<'_>],
    keys: &[Dnskey<'_>],
    own: Option<&Name>,
) -> Option<Finding> {
    let wrong = signers.iter().find_map(|ds| {
        keys.iter().find_map(|key| {
            let (tag, algorithm) = (key.key_tag() == ds.key_tag, key.algorithm == ds.algorithm);
            match (tag, algorithm, ds.commits_to(&zone.name, key)) {
                (true, true, false) => Some("digest"),
                (false, true, true) => Some("key tag"),
                (true, false, true) => Some("algorithm"),
                (false, false, true) => Some("key tag and algorithm"),
                _ => None,
            }
        })
    })?;
    let finding = Finding::problem(
        "delegation.ds_mistyped",
        format!(
            "The DS record at the zone above was meant for a key of {}, but its {wrong} is not that key's: something \
             went wrong in copying it. Everybody who verifies DNSSEC takes the domain for a forgery, so its web site \
             and mail are out of reach for many.",
            plain(&zone.name)
        ),
    )
    .with("zone", zone.name.to_string())
    .with("found", found(zone, signers))
    .with("wrong", wrong);
    Some(if own == Some(&zone.name) {
        finding
            .advise(format!(
                "Give this DS record to the registrar, which is where the domain was bought, in place of the one it \
                 has. {THE_KEY_ITSELF}"
            ))
            .publish(ds_lines(zone))
    } else {
        finding.advise(format!("That is for {} to fix.", keeper(&zone.name, own)))
    })
}

/// The zone asks its parent to take its DS over; the parent has not done so yet.
fn pending_cds(zone: &Zone) -> Option<Finding> {
    let wanted = zone
        .cds
        .iter()
        .filter_map(|rdata| Ds::parse(rdata))
        .any(|ds| ds.algorithm.0 != DELETE);
    wanted.then(|| {
        Finding::note(
            "delegation.cds",
            format!(
                "The DNS host of {} publishes CDS records, with which it asks the zone above to take the DS record \
                 over by itself.",
                plain(&zone.name)
            ),
        )
        .advise(
            "If the registry looks for them, there is nothing to do but wait some days. If not, give the DS record to \
             the registrar by hand.",
        )
        .with("zone", zone.name.to_string())
    })
}

/// The zone asks its parent to remove the DS records.
fn deletion(zone: &Zone) -> Option<Finding> {
    let unwanted = zone
        .cds
        .iter()
        .filter_map(|rdata| Ds::parse(rdata))
        .any(|ds| ds.algorithm.0 == DELETE);
    unwanted.then(|| {
        Finding::warning(
            "delegation.cds_delete",
            format!(
                "The DNS host of {} asks the zone above, by a CDS record, to remove the DS records: DNSSEC is about \
                 to be switched off.",
                plain(&zone.name)
            ),
        )
        .advise("If nobody meant that, have the DNS host take the CDS record out today, and keep DNSSEC on.")
        .with("zone", zone.name.to_string())
    })
}

fn stale_ds(zone: &Zone, stale: &[&Ds<'_>]) -> Option<Finding> {
    let tags: Vec<String> = stale.iter().map(|ds| ds.key_tag.to_string()).collect();
    (!stale.is_empty()).then(|| {
        Finding::note(
            "delegation.ds_without_key",
            format!(
                "Beside the good DS record, the zone above has one for a key that {} does not have: {}.",
                plain(&zone.name),
                list(&tags)
            ),
        )
        .advise(
            "While the keys are being changed, that is as it should be. If nobody is changing them, have the \
             registrar remove it.",
        )
        .with("zone", zone.name.to_string())
        .with("keyTags", tags)
    })
}

fn sha_1_beside(zone: &Zone, signers: &[Ds<'_>]) -> Option<Finding> {
    signers.iter().any(|ds| ds.digest_type == SHA_1).then(|| {
        Finding::note(
            "delegation.ds_sha1_beside",
            format!(
                "Beside the good DS record for {} stands one with SHA-1 (digest type 1), which nobody needs any more.",
                plain(&zone.name)
            ),
        )
        .advise("Have the registrar remove it when you are there anyway.")
        .with("zone", zone.name.to_string())
    })
}

/// The reference library gives up at a digest type that it does not know.
fn unknown_digest_beside(zone: &Zone, signers: &[Ds<'_>], own: Option<&Name>) -> Option<Finding> {
    let unknown = signers
        .iter()
        .map(|ds| ds.digest_type)
        .find(|digest| !matches!(*digest, SHA_1 | SHA_256 | SHA_384))?;
    let advice = if own == Some(&zone.name) {
        "Have the registrar remove it.".to_owned()
    } else {
        format!("{} would have to remove it.", keeper_first(&zone.name, own))
    };
    Some(
        Finding::warning(
            "delegation.ds_unknown_digest_beside",
            format!(
                "Beside the good DS record for {} stands one with a digest of type {unknown}, which is not in use. \
                 kliento passes it over, but VeraId's reference library, which others may use to verify, can give up \
                 on it.",
                plain(&zone.name)
            ),
        )
        .advise(advice)
        .with("zone", zone.name.to_string())
        .with("digestType", unknown),
    )
}

/// The DS records as they are, for programs and for those who compare by eye.
fn found(zone: &Zone, signers: &[Ds<'_>]) -> Vec<Value> {
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

/// The reference library takes each label above the signer for a zone of its own.
fn without_cuts(survey: &Survey, own: &Name) -> Option<Finding> {
    let names: Vec<String> = survey
        .uncut
        .iter()
        .filter(|name| own.is_within(name))
        .map(plain)
        .collect();
    (!names.is_empty()).then(|| {
        Finding::warning(
            "delegation.no_cut",
            format!(
                "{} lies in the zone {}, but between it and the zones above there is no zone {}. That is as legal as \
                 it is common, and kliento verifies it; VeraId's reference library, which others may use to verify, \
                 does not: it expects a zone at every dot.",
                plain(&survey.owner),
                plain(own),
                list(&names)
            ),
        )
        .advise(
            "If those who will verify use that library, choose a domain right below its ending, such as example.com.",
        )
        .with("names", names)
    })
}
