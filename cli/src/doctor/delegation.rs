//! The delegation: whether each zone from the trust anchor down says the right thing about the keys of the next.

use dnssec::{Dnskey, Ds, Name, RecordType, RetrievalError};

use super::Examiner;
use super::finding::Finding;
use super::findings::delegation as found;
use super::survey::{End, Lookup, Reply, Zone, response_code_name};
use super::words::{dnskey_line, ds_line, plain};

/// DS digests by number (RFC 4034 §A.2, RFC 4509, RFC 6605).
const SHA_1: u8 = 1;
const SHA_256: u8 = 2;
const SHA_384: u8 = 4;
/// The algorithm with which a CDS record asks the parent to remove the DS records (RFC 8078 §4).
const DELETE: u8 = 0;

impl Examiner<'_> {
    pub(super) fn examine_delegation(&self) -> Vec<Finding> {
        let survey = self.survey;
        let mut findings = Vec::new();
        for zone in survey.zones.iter().skip(1) {
            findings.extend(self.delegation_of(zone));
            // What is wrong further down can't be told before this is mended.
            if findings.iter().any(Finding::is_problem) {
                break;
            }
        }
        let is_sound = !findings.iter().any(Finding::is_problem);
        match &survey.end {
            Some(end) if is_sound => findings.push(self.ended(end)),
            None if is_sound => {
                let zones = survey.zones.iter().map(|zone| plain(&zone.name)).collect();
                findings.insert(0, found::sound(zones));
            }
            _ => {}
        }
        findings.extend(self.without_cuts());
        findings
    }

    /// The way to the domain ended before it got there.
    fn ended(&self, end: &End) -> Finding {
        match end {
            End::NoSuchName(name) => found::no_such_domain(name),
            End::Failure { name, lookup } => {
                let zone = self.survey.zones.last().map(|zone| &zone.name);
                servers_fail(name, lookup, zone)
            }
        }
    }

    /// Examines what the parent says of one zone's keys.
    fn delegation_of(&self, zone: &Zone) -> Vec<Finding> {
        let failed = |lookup: &Lookup| !lookup.as_ref().is_ok_and(Reply::is_answer);
        for lookup in zone.ds.iter().chain([&zone.keys]) {
            if failed(lookup) {
                return vec![servers_fail(&zone.name, lookup, Some(&zone.name))];
            }
        }
        let seen = self.seen(&zone.name);
        let signers = zone.delegation_signers();
        if signers.is_empty() {
            let mut findings = vec![match (seen.is_own(), zone.is_signed()) {
                (true, true) => found::no_ds(seen, ds_lines(zone)),
                (true, false) => found::unsigned(seen),
                (false, _) => found::parent_unsigned(seen),
            }];
            if seen.is_own() && cds_records(zone).any(|ds| ds.algorithm.0 != DELETE) {
                findings.push(found::cds(seen));
            }
            return findings;
        }
        if !zone.is_signed() {
            return vec![found::ds_of_unsigned_zone(seen, &signers)];
        }
        if signers.iter().all(|ds| !ds.is_supported()) {
            return self.weak_ds(zone, &signers).into_iter().collect();
        }
        let keys = zone.dnskeys();
        let supported = || signers.iter().filter(|ds| ds.is_supported());
        if !supported().any(|ds| matching_key(zone, ds, &keys).is_some()) {
            return vec![self.mismatch(zone, &signers, &keys)];
        }
        let mut findings = Vec::new();
        if seen.is_own() {
            let stale: Vec<String> = supported()
                .filter(|ds| matching_key(zone, ds, &keys).is_none())
                .map(|ds| ds.key_tag.to_string())
                .collect();
            if !stale.is_empty() {
                findings.push(found::ds_without_key(seen, stale));
            }
            if signers.iter().any(|ds| ds.digest_type == SHA_1) {
                findings.push(found::ds_sha1_beside(seen));
            }
            if cds_records(zone).any(|ds| ds.algorithm.0 == DELETE) {
                findings.push(found::cds_delete(seen));
            }
        }
        let unknown = signers
            .iter()
            .map(|ds| ds.digest_type)
            .find(|digest| !matches!(*digest, SHA_1 | SHA_256 | SHA_384));
        findings.extend(unknown.map(|digest| found::ds_unknown_digest_beside(seen, digest)));
        findings
    }

    /// All DS records are such that validators pass them over.
    fn weak_ds(&self, zone: &Zone, signers: &[Ds<'_>]) -> Option<Finding> {
        let of_known_algorithms = || signers.iter().filter(|ds| ds.algorithm.is_supported());
        // If there is none, it is the keys that are at fault, of which that part of the examination speaks.
        of_known_algorithms().next()?;
        let only_sha_1 = of_known_algorithms().all(|ds| ds.digest_type == SHA_1);
        let (seen, lines) = (self.seen(&zone.name), ds_lines(zone));
        Some(if only_sha_1 {
            found::ds_sha1(seen, signers, lines)
        } else {
            found::ds_unknown_digest(seen, signers, lines)
        })
    }

    /// No DS record is of a key that the zone has.
    fn mismatch(&self, zone: &Zone, signers: &[Ds<'_>], keys: &[Dnskey<'_>]) -> Finding {
        let (seen, lines) = (self.seen(&zone.name), ds_lines(zone));
        if let Some(wrong) = mistyped(zone, signers, keys) {
            return found::ds_mistyped(seen, signers, wrong, lines);
        }
        let key_tags = keys.iter().map(|key| key.key_tag().to_string()).collect();
        found::ds_mismatch(seen, signers, key_tags, lines)
    }

    /// Names between the domain's zone and those above at which no zone starts.
    fn without_cuts(&self) -> Option<Finding> {
        let own = self.own()?;
        let names: Vec<String> = self
            .survey
            .uncut
            .iter()
            .filter(|name| own.is_within(name))
            .map(plain)
            .collect();
        (!names.is_empty()).then(|| found::no_cut(&self.survey.owner, own, names))
    }
}

/// Nobody answers for a name.
fn servers_fail(name: &Name, lookup: &Lookup, zone: Option<&Name>) -> Finding {
    let (response, explanation) = match lookup {
        Ok(reply) => (
            response_code_name(reply.response_code),
            reply.extended_error(),
        ),
        Err(RetrievalError::MalformedResponse { source, .. }) => {
            ("a broken message".to_owned(), Some(source.to_string()))
        }
        Err(error) => ("no response".to_owned(), Some(error.to_string())),
    };
    found::servers_fail(name, response, explanation, zone)
}

/// The DS records that the zone asks its parent for.
fn cds_records(zone: &Zone) -> impl Iterator<Item = Ds<'_>> {
    zone.cds.iter().filter_map(|rdata| Ds::parse(rdata))
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

/// The part of a DS record that was copied wrongly: the others are those of a key of the zone.
fn mistyped(zone: &Zone, signers: &[Ds<'_>], keys: &[Dnskey<'_>]) -> Option<&'static str> {
    signers.iter().find_map(|ds| {
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
    })
}

/// The records that the parent should have: the DS records for the keys that sign the zone's keys, those marked for it
/// before others; and then those keys themselves, for registrars that ask for them.
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
