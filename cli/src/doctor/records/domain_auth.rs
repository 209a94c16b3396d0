//! The records of DomainAuth, VeraId's successor, of which there is not much to say yet.

use dnssec::RecordType;

use super::explanation::shortened;
use super::reading::{decode_key_id, is_number};
use super::{Published, from_wildcard};
use crate::doctor::finding::Finding;
use crate::doctor::survey::Survey;
use crate::doctor::words::{count, plain};

pub(super) fn examine(survey: &Survey) -> Vec<Finding> {
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
                    "There is no record at {name}. None is needed: it is for DomainAuth, VeraId's successor, which \
                     this version of kliento does not speak yet."
                ),
            )
            .with("name", owner.to_string()),
        ];
    }
    let mut findings = Vec::new();
    for text in &texts {
        if let Some(what) = trouble(text) {
            findings.push(
                Finding::warning(
                    "records.domainauth_unreadable",
                    format!(
                        "The record \"{}\" at {name} is no DomainAuth record: {what}.",
                        shortened(text)
                    ),
                )
                .advise(
                    "Its form is: 0, the algorithm, the digest type, the key id, the TTL override and perhaps a \
                     service. If it was meant for VeraId, it belongs at _veraid.",
                )
                .with("record", text.clone()),
            );
        }
    }
    if findings.is_empty() {
        findings.push(
            Finding::note(
                "records.domainauth_present",
                format!(
                    "{name} has {} for DomainAuth, VeraId's successor, which this version of kliento does not speak \
                     yet.",
                    count(texts.len(), "record", "records")
                ),
            )
            .with("records", texts),
        );
    }
    findings
}

/// What is wrong with a record of the dialect to come, in a word; `None` if it reads.
///
/// `0 <algorithm> <digest-type> <key-id> <ttl-override> [<service-oid>]`, set apart by spaces alone.
fn trouble(text: &str) -> Option<&'static str> {
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
    if !algorithm
        .parse::<u8>()
        .is_ok_and(|number| number.to_string() == algorithm)
    {
        return Some("its second field should be the number of a key algorithm");
    }
    let digest = decode_key_id(key_id);
    let fits = match digest_type {
        "0" => digest.is_some(),
        "1" => digest.is_some_and(|digest| digest.len() == 32),
        "2" => digest.is_some_and(|digest| digest.len() == 48),
        "3" => digest.is_some_and(|digest| digest.len() == 64),
        _ => return Some("its third field should be a digest type, 0 to 3"),
    };
    if !fits {
        return Some("its fourth field should be a key id in Base64, of the digest type's length");
    }
    let is_count = is_number(ttl_override) && !ttl_override.starts_with('0');
    if !is_count {
        return Some("its fifth field should be the TTL override, in seconds");
    }
    let service = fields.get(5)?;
    service
        .parse::<crate::arguments::Service>()
        .is_err()
        .then_some("its sixth field should be the OID of a service")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "osDFkKVj9R+nIh2x1SezklJuuNzaff7KVrgsSH70ccs=";

    #[test]
    fn reads_the_records_of_the_dialect_to_come() {
        for text in [
            format!("0 1 1 {ID} 3600"),
            format!("0 240 0 {ID} 3600 1.2.3"),
            format!("0 1 1 {} 3600", ID.trim_end_matches('=')),
        ] {
            assert_eq!(trouble(&text), None, "{text}");
        }
        for text in [
            format!("1 {ID} 3600"),
            format!("1 1 1 {ID} 3600"),
            format!("0 x 1 {ID} 3600"),
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
