//! The records of DomainAuth, VeraId's successor, which a domain may have beside VeraId's, in their place or not at all.

use dnssec::RecordType;
use kliento::veraid::{
    Dialect, DigestType, KeyAlgorithm, PublicKey, ServiceOid, TtlOverride, TxtRecord,
};

use super::dialect::DialectRecords;
use super::is_from_wildcard;
use super::published::Published;
use super::reading::{Reading, Trouble, decode_key_id, is_number};
use crate::doctor::Examiner;
use crate::doctor::finding::{Finding, Severity};
use crate::doctor::findings::records as found;

pub(super) struct DomainAuth;

impl DialectRecords for DomainAuth {
    fn number_of(&self, algorithm: KeyAlgorithm) -> Option<u8> {
        algorithm.record_number()
    }

    fn first_field(&self, _: &PublicKey) -> String {
        // The version.
        "0".to_owned()
    }

    fn longest_signature(&self) -> Option<u32> {
        Some(TtlOverride::MAX.seconds())
    }

    fn warns_of_aliases(&self) -> bool {
        false
    }

    fn is_meant(&self, published: &Published) -> bool {
        matches!(published.reading(), Reading::Trouble(Trouble::DomainAuth))
    }

    fn is_read_exactly(&self, _: &Published) -> bool {
        false
    }

    fn is_under_another_algorithm(&self, _: &Published, _: &PublicKey) -> bool {
        false
    }

    fn about_one(
        &self,
        published: &Published,
        has_good: bool,
        examiner: &Examiner<'_>,
    ) -> Vec<Finding> {
        let text = published.text();
        let severity = if has_good {
            Severity::Warning
        } else {
            Severity::Problem
        };
        let owner = &examiner.survey.owner;
        let finding =
            trouble(&text).map(|why| found::domainauth_unreadable(owner, &text, why, severity));
        finding.into_iter().collect()
    }

    fn about_all(
        &self,
        _: &[Published],
        _: &[TxtRecord],
        counting: &[TxtRecord],
        _: &Examiner<'_>,
    ) -> Option<Finding> {
        let is_experimental = |record: &TxtRecord| record.key_algorithm().is_experimental();
        counting
            .iter()
            .any(is_experimental)
            .then(found::experimental)
    }
}

impl Examiner<'_> {
    /// Examines DomainAuth's records where VeraId's are what was asked about.
    pub(super) fn examine_domain_auth_beside(&self) -> Vec<Finding> {
        let survey = self.survey;
        let (Some(owner), Some(Ok(reply))) = (&survey.domain_auth_owner, &survey.domain_auth)
        else {
            return Vec::new();
        };
        // A wildcard answers for any name; nobody put that there for this one.
        let is_meant = !is_from_wildcard(reply, owner);
        let published: Vec<Published> = reply
            .rrset(owner, RecordType::TXT)
            .filter(|_| is_meant)
            .map(Published::new)
            .collect();
        if published.is_empty() {
            return vec![found::domainauth_absent(owner)];
        }
        let texts: Vec<String> = published.iter().map(Published::text).collect();
        let mut findings: Vec<Finding> = texts
            .iter()
            .filter_map(|text| Some((text, trouble(text)?)))
            .map(|(text, why)| found::domainauth_unreadable(owner, text, why, Severity::Warning))
            .collect();
        let records: Vec<TxtRecord> = published
            .iter()
            .filter_map(|published| published.record(Dialect::DomainAuth))
            .collect();
        if !records.is_empty() {
            let is_about = |key| records.iter().any(|record| record.is_about(key));
            findings.push(if self.subject.key.as_ref().is_none_or(is_about) {
                found::domainauth_present(owner, &records, texts)
            } else {
                found::domainauth_no_match(owner, texts)
            });
        }
        findings
    }
}

/// The fault of a record, in a few words; `None` if it has none.
///
/// `0 <algorithm> <digest-type> <key-id> <ttl-override> [<service-oid>]`, set apart by spaces alone.
fn trouble(text: &str) -> Option<&'static str> {
    if TxtRecord::parse(text.as_bytes(), Dialect::DomainAuth).is_some() {
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
    let is_service = |field: &&str| field.parse::<ServiceOid>().is_ok();
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
