//! The organisation's records: whether they are where they should be, can be read, and are about the key.

mod alias;
mod altered;
mod dialect;
mod domain_auth;
mod published;
mod publishing;
pub(super) mod reading;
mod veraid;

use dnssec::{Name, RecordType};
use kliento::veraid::{Dialect, DigestType, KeyAlgorithm, PublicKey, TtlOverride, TxtRecord};

use self::alias::AliasPath;
use self::altered::{Alteration, alterations};
pub(super) use self::dialect::{DialectRecords, records_of};
use self::published::Published;
use super::Examiner;
use super::finding::Finding;
use super::findings::records as found;
use super::survey::{Elsewhere, Lookup, Reply, response_code_name};
use crate::fault::with_causes;

/// The octets that UDP carries without fragments (DNS flag day 2020); larger answers take TCP.
const UDP_OCTETS: usize = 1_232;

/// The result of examining the records.
#[derive(Default)]
pub(super) struct Examination {
    pub(super) findings: Vec<Finding>,
    /// The TTL overrides of the records that count.
    pub(super) overrides: Vec<TtlOverride>,
    /// The kind of key that they are for.
    pub(super) key_algorithm: Option<KeyAlgorithm>,
}

impl Examiner<'_> {
    pub(super) fn examine_records(&self) -> Examination {
        let mut examination = Examination::default();
        let reply = match &self.survey.records {
            None => return examination,
            Some(Ok(reply)) if reply.is_answer() => reply,
            Some(failure) => {
                let response = failed_response(failure);
                let finding = found::lookup_failed(&self.survey.owner, &response);
                examination.findings.push(finding);
                return examination;
            }
        };
        let path = AliasPath::of(reply, &self.survey.owner);
        let is_from_wildcard = is_from_wildcard(reply, &path.end);
        let mut published: Vec<Published> = reply
            .rrset(&path.end, RecordType::TXT)
            .map(Published::new)
            .collect();
        if is_from_wildcard && !published.iter().any(|one| self.records().is_meant(one)) {
            // Such as one that says of every name that it sends no mail.
            published.clear();
        }
        let findings = &mut examination.findings;
        if path.is_alias && self.records().warns_of_aliases() {
            findings.push(found::alias(&self.survey.owner, &path.end, path.by));
        }
        if published.is_empty() {
            findings.extend(self.nowhere(&path));
        } else {
            findings.extend(is_from_wildcard.then(|| found::wildcard(&path.end)));
            self.examine_published(&published, &mut examination);
            let octets = reply.octets.len();
            let is_large = octets > UDP_OCTETS;
            let finding = is_large.then(|| found::large_answer(octets, UDP_OCTETS));
            examination.findings.extend(finding);
        }
        let beside = self.examine_domain_auth_beside();
        examination.findings.extend(beside);
        examination
    }

    /// The rules of the dialect's records.
    pub(super) fn records(&self) -> &'static dyn DialectRecords {
        records_of(self.subject.dialect)
    }

    fn examine_published(&self, published: &[Published], examination: &mut Examination) {
        let dialect = self.subject.dialect;
        let good: Vec<TxtRecord> = published
            .iter()
            .filter_map(|published| published.record(dialect))
            .collect();
        let (counting, remarks) = match &self.subject.key {
            Some(key) => self.of_the_key(key, &good, published),
            None => self.without_key(&good),
        };
        let findings = &mut examination.findings;
        findings.extend(remarks);
        for one in published {
            findings.extend(self.about_one(one, !good.is_empty(), !counting.is_empty()));
        }
        findings.extend(self.records().about_all(published, &good, &counting, self));
        examination.overrides = counting.iter().map(TxtRecord::ttl_override).collect();
        examination.key_algorithm = counting.iter().map(TxtRecord::key_algorithm).max();
    }

    /// Findings about one record.
    fn about_one(&self, published: &Published, has_good: bool, has_match: bool) -> Vec<Finding> {
        if let Some(key) = &self.subject.key {
            // The better word for it was said.
            if self.records().is_under_another_algorithm(published, key) {
                return Vec::new();
            }
            if let Some(alterations) = self.alterations_of(published, key) {
                let changes = alterations.iter().map(ToString::to_string).collect();
                let publishing = self.publishing();
                let finding = found::altered(published.text(), changes, has_match, &publishing);
                return vec![finding];
            }
        }
        self.records().about_one(published, has_good, self)
    }

    /// The record that counts for the key, if one does, and what is to be said of that.
    fn of_the_key(
        &self,
        key: &PublicKey,
        good: &[TxtRecord],
        published: &[Published],
    ) -> (Vec<TxtRecord>, Vec<Finding>) {
        let owner = &self.survey.owner;
        match TxtRecord::select(good.iter().cloned(), key, self.subject.service) {
            Ok(record) => {
                let finding = found::matches(owner, &record, self.has_chain());
                (vec![record], vec![finding])
            }
            Err(kliento::veraid::VerifyError::AmbiguousRecord) => {
                (Vec::new(), vec![found::ambiguous(owner)])
            }
            Err(_) => {
                let finding = self.without_match(published, good, key);
                (Vec::new(), finding.into_iter().collect())
            }
        }
    }

    /// The records that count when no key was given to compare them with, and what is to be said of them.
    fn without_key(&self, good: &[TxtRecord]) -> (Vec<TxtRecord>, Vec<Finding>) {
        let owner = &self.survey.owner;
        if good.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let is_same = |one: &TxtRecord, other: &TxtRecord| {
            one.key_algorithm() == other.key_algorithm()
                && one.key_id() == other.key_id()
                && one.service() == other.service()
        };
        let mut indexed = good.iter().enumerate();
        if indexed.any(|(index, record)| good.iter().take(index).any(|one| is_same(one, record))) {
            return (Vec::new(), vec![found::ambiguous(owner)]);
        }
        let mut counting = good.to_vec();
        let service = self.subject.service;
        counting.retain(|record| record.service().is_none_or(|allowed| allowed == service));
        let finding = if counting.is_empty() {
            found::other_service(owner, good, service, &self.publishing())
        } else {
            found::found(owner, &counting, self.has_chain())
        };
        (counting, vec![finding])
    }

    /// No record is about the key: why? `None` if that is said with what is wrong about the only records there.
    fn without_match(
        &self,
        published: &[Published],
        good: &[TxtRecord],
        key: &PublicKey,
    ) -> Option<Finding> {
        let (owner, publishing) = (&self.survey.owner, self.publishing());
        let about_the_key: Vec<TxtRecord> = good
            .iter()
            .filter(|record| record.is_about(key))
            .cloned()
            .collect();
        if !about_the_key.is_empty() {
            let service = self.subject.service;
            let finding = found::other_service(owner, &about_the_key, service, &publishing);
            return Some(finding);
        }
        let algorithm = key.algorithm();
        let records = self.records();
        let mut all = published.iter();
        if let Some(one) = all.find(|one| records.is_under_another_algorithm(one, key)) {
            let number = records.first_field(key);
            let finding =
                found::other_algorithm(owner, one.text(), algorithm, &number, &publishing);
            return Some(finding);
        }
        let is_altered = |one| self.alterations_of(one, key).is_some();
        if good.is_empty() || published.iter().any(is_altered) {
            return None;
        }
        let digest_type = DigestType::default_for(algorithm, self.subject.dialect);
        let key_id = key.key_id(digest_type);
        Some(found::no_match(
            owner,
            good,
            algorithm,
            &key_id,
            &publishing,
        ))
    }

    /// The alterations of a record of the key that verifiers don't recognise as one any more; `None` for all others,
    /// and where the reading alone says exactly what is wrong.
    fn alterations_of(&self, published: &Published, key: &PublicKey) -> Option<Vec<Alteration>> {
        let is_about_key = |dialect| {
            let record = published.record(dialect);
            record.is_some_and(|record| record.is_about(key))
        };
        // A record of the other dialect is whole, and in the wrong place.
        let is_explained = Dialect::ALL.iter().copied().any(is_about_key)
            || self.records().is_read_exactly(published);
        if is_explained {
            return None;
        }
        let may_identify = |digest_type: &&DigestType| {
            digest_type.may_identify(key.algorithm(), self.subject.dialect)
        };
        let ids: Vec<String> = DigestType::ALL
            .iter()
            .filter(may_identify)
            .map(|digest_type| key.key_id(*digest_type).to_string())
            .collect();
        alterations(&published.text(), &ids, &self.records().first_field(key))
            // Then the reading alone says more.
            .filter(|changes| !changes.is_empty())
    }

    /// There is no TXT record where the organisation's should be.
    fn nowhere(&self, path: &AliasPath) -> Vec<Finding> {
        let (owner, publishing) = (&self.survey.owner, self.publishing());
        let misplaced: Vec<Finding> = self
            .survey
            .elsewhere
            .iter()
            .filter(|found| self.is_meant_for_here(found))
            .map(|found| found::misplaced(&found.name, owner, &publishing))
            .collect();
        if !misplaced.is_empty() {
            return misplaced;
        }
        if path.is_alias {
            return vec![found::alias_to_nothing(owner, &path.end, &publishing)];
        }
        let is_proven = matches!(
            &self.survey.chain,
            Some(Err(dnssec::RetrievalError::Absent(_)))
        );
        let missing = self.survey.missing.as_ref();
        vec![found::absent(owner, missing, is_proven, &publishing)]
    }

    /// Tells whether records that stand elsewhere were meant to stand here. Those of the zone's own name may well be there
    /// for an organisation of that name, unless they are about the key at hand.
    fn is_meant_for_here(&self, found: &Elsewhere) -> bool {
        let mut published = found.records.iter().map(|rdata| Published::new(rdata));
        let is_in_zone = |own| found.name.parent().as_ref() == Some(own);
        let is_the_zones_own = self.own().is_some_and(is_in_zone)
            && found.name.labels().next() == self.survey.owner.labels().next();
        if !is_the_zones_own {
            return published.any(|published| self.records().is_meant(&published));
        }
        self.subject.key.as_ref().is_some_and(|key| {
            let mut records = published.filter_map(|one| one.record(self.subject.dialect));
            records.any(|record| record.is_about(key))
        })
    }
}

/// A description of the response that came in place of an answer.
fn failed_response(lookup: &Lookup) -> String {
    match lookup {
        Ok(reply) => {
            let code = response_code_name(reply.response_code);
            match reply.extended_error() {
                Some(text) => format!("{code}, {text}"),
                None => code,
            }
        }
        Err(error) => with_causes(error),
    }
}

/// An answer that was made from a wildcard counts fewer labels than its name has (RFC 4034 §3.1.3).
fn is_from_wildcard(reply: &Reply, owner: &Name) -> bool {
    reply
        .rrsigs(owner, RecordType::TXT)
        .any(|rrsig| usize::from(rrsig.labels) < owner.rrsig_labels())
}
