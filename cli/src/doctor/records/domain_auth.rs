//! The records of DomainAuth, VeraId's successor, which a domain may have beside VeraId's, in their place or not at all.

use dnssec::RecordType;
use kliento::veraid::{Dialect, DigestType, KeyAlgorithm, TtlOverride, TxtRecord};

use super::explanation::shortened;
use super::reading::{decode_key_id, is_number};
use super::{
    Examination, Published, alterations_of, altered, described, from_wildcard, of_the_key,
    without_key,
};
use crate::doctor::Subject;
use crate::doctor::finding::{Finding, Severity};
use crate::doctor::survey::Survey;
use crate::doctor::words::{count, plain};

/// What there is to say of them when VeraId's records are what was asked about.
pub(super) fn examine_beside(survey: &Survey, subject: &Subject) -> Vec<Finding> {
    let (Some(owner), Some(Ok(reply))) = (&survey.domain_auth_owner, &survey.domain_auth) else {
        return Vec::new();
    };
    // A wildcard answers for any name; nobody put that there for this one.
    let is_meant = from_wildcard(reply, owner).is_none();
    let texts: Vec<String> = reply
        .rrset(owner, RecordType::TXT)
        .filter(|_| is_meant)
        .map(|rdata| Published::new(rdata).text())
        .collect();
    let name = plain(owner);
    if texts.is_empty() {
        return vec![
            Finding::note(
                "records.domainauth_absent",
                format!(
                    "There is no record at {name}. None is needed for VeraId: it is for DomainAuth, VeraId's successor, \
                     and `kliento organisation record --dialect domainauth` prints it."
                ),
            )
            .with("name", owner.to_string()),
        ];
    }
    let mut findings: Vec<Finding> = texts
        .iter()
        .filter_map(|text| Some(unreadable(text, trouble(text)?, &name, Severity::Warning)))
        .collect();
    let records: Vec<TxtRecord> = texts.iter().filter_map(|text| read(text)).collect();
    if !records.is_empty() {
        let finding = match &subject.key {
            Some(key) if !records.iter().any(|record| record.is_about(key)) => Finding::warning(
                "records.domainauth_no_match",
                format!("None of DomainAuth's records at {name} is about your key."),
            )
            .advise(
                "If the key is meant for DomainAuth as well, publish what `kliento organisation record --dialect \
                 domainauth` prints beside them.",
            ),
            _ => present(&records, &name),
        };
        findings.push(finding.with("records", texts));
    }
    findings
}

/// What there is to say of them when they are what was asked about.
pub(super) fn examine_records(
    published: &[Published],
    survey: &Survey,
    subject: &Subject,
    examination: &mut Examination,
) {
    let texts: Vec<String> = published.iter().map(Published::text).collect();
    let records: Vec<TxtRecord> = texts.iter().filter_map(|text| read(text)).collect();
    let findings = &mut examination.findings;
    let severity = if records.is_empty() {
        Severity::Problem
    } else {
        Severity::Warning
    };
    let name = plain(&survey.owner);
    let counting = match &subject.key {
        Some(key) => of_the_key(key, &records, published, survey, subject, findings),
        None => without_key(&records, survey, subject, findings),
    };
    for (published, text) in published.iter().zip(&texts) {
        let key = subject.key.as_ref();
        let alterations = key.and_then(|key| alterations_of(published, key, subject.dialect));
        if let Some(alterations) = alterations {
            let has_match = !counting.is_empty();
            findings.push(altered(published, &alterations, has_match, survey, subject));
        } else if let Some(what) = trouble(text) {
            findings.push(unreadable(text, what, &name, severity));
        }
    }
    if counting.iter().any(is_experimental) {
        findings.push(Finding::note("records.experimental", EXPERIMENTAL));
    }
    examination.overrides = counting.iter().map(TxtRecord::ttl_override).collect();
    examination.key_algorithm = counting.iter().map(TxtRecord::key_algorithm).max();
}

const EXPERIMENTAL: &str =
    "Verifiers take experimental keys only if they were told to, with --allow-algorithm.";

fn is_experimental(record: &TxtRecord) -> bool {
    record.key_algorithm().is_experimental()
}

fn present(records: &[TxtRecord], name: &str) -> Finding {
    let shown: Vec<String> = records.iter().map(described).collect();
    let caution = if records.iter().any(is_experimental) {
        EXPERIMENTAL
    } else {
        ""
    };
    Finding::note(
        "records.domainauth_present",
        format!(
            "{name} has {} for DomainAuth, VeraId's successor: {}. {caution}",
            count(records.len(), "record", "records"),
            shown.join("; ")
        )
        .trim_end(),
    )
}

fn unreadable(text: &str, what: &str, name: &str, severity: Severity) -> Finding {
    Finding::new(
        "records.domainauth_unreadable",
        severity,
        format!(
            "The record \"{}\" at {name} is no DomainAuth record: {what}.",
            shortened(text)
        ),
    )
    .advise(
        "Its form is: 0, the algorithm, the digest type, the key id, the TTL override and perhaps a service. If it was \
         meant for VeraId, it belongs at _veraid.",
    )
    .with("record", text.to_owned())
}

fn read(text: &str) -> Option<TxtRecord> {
    TxtRecord::parse(text.as_bytes(), Dialect::DomainAuth)
}

/// What is wrong with a record, in a word; `None` if it reads.
///
/// `0 <algorithm> <digest-type> <key-id> <ttl-override> [<service-oid>]`, set apart by spaces alone.
fn trouble(text: &str) -> Option<&'static str> {
    if read(text).is_some() {
        return None;
    }
    let fields: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
    let (version, algorithm, digest_type, key_id, ttl_override) = match fields.as_slice() {
        [version, algorithm, digest_type, key_id, ttl_override]
        | [version, algorithm, digest_type, key_id, ttl_override, _] => {
            (*version, *algorithm, *digest_type, *key_id, *ttl_override)
        }
        _ => return Some("it should have five fields, or six with a service"),
    };
    if version != "0" {
        return Some("its first field should be the version, 0");
    }
    let algorithm = algorithm
        .parse()
        .ok()
        .filter(|number: &u8| number.to_string() == algorithm)
        .and_then(KeyAlgorithm::from_record_number);
    let Some(algorithm) = algorithm else {
        return Some("its second field should be the number of a key algorithm");
    };
    let key_id_octets = match digest_type {
        "0" if !DigestType::None.may_identify(algorithm, Dialect::DomainAuth) => {
            return Some("such keys need a digest, so its third field should be 1, 2 or 3");
        }
        "0" => None,
        "1" => Some(32),
        "2" => Some(48),
        "3" => Some(64),
        _ => return Some("its third field should be a digest type, 0 to 3"),
    };
    let identifies = |id: Vec<u8>| key_id_octets.is_none_or(|octets| id.len() == octets);
    if !decode_key_id(key_id).is_some_and(identifies) {
        return Some("its fourth field should be a key id in Base64, of the digest type's length");
    }
    let is_count = is_number(ttl_override) && !ttl_override.starts_with('0');
    let seconds = ttl_override
        .parse()
        .ok()
        .and_then(TtlOverride::from_seconds);
    if !is_count || seconds.is_none() {
        return Some("its fifth field should be the TTL override, in seconds, 90 days at most");
    }
    let is_service = |field: &&str| field.parse::<crate::arguments::Service>().is_ok();
    if fields.get(5).is_some_and(|field| !is_service(field)) {
        return Some("its sixth field should be the OID of a service");
    }
    Some("its key id is not that of such a key")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70ccs=";
    /// The public key of RFC 8410 §10.1.
    const ED25519: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

    #[test]
    fn says_of_each_record_what_is_wrong_with_it() {
        for text in [
            format!("0 1 1 {ID} 3600"),
            format!("0 245 1 {ID} 3600 1.2.3"),
            format!("0 1 1 {} 3600", ID.trim_end_matches('=')),
            format!("0 240 0 {ED25519} 3600"),
        ] {
            assert_eq!(trouble(&text), None, "{text}");
        }
        for text in [
            format!("1 {ID} 3600"),
            format!("1 1 1 {ID} 3600"),
            format!("0 x 1 {ID} 3600"),
            format!("0 99 1 {ID} 3600"),
            format!("0 1 0 {ID} 3600"),
            format!("0 240 0 {ID} 3600"),
            format!("0 1 1 {ID} 7776001"),
            format!("0 1 4 {ID} 3600"),
            format!("0 1 2 {ID} 3600"),
            format!("0 1 1 {ID} 0"),
            format!("0 1 1 {ID} 3600 x"),
            format!("0\t1 1 {ID} 3600"),
        ] {
            assert!(trouble(&text).is_some(), "{text}");
        }
    }
}
