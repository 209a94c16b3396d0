//! The signatures: whether they prove what they cover, and for how long.

use dnssec::{
    Chain, Committer, Demand, Error, Fact, Name, Period, RecordType, RetrievalError, Rrsig,
    Timestamp,
};
use kliento::veraid::TtlOverride;

use super::Examiner;
use super::finding::Finding;
use super::findings::signatures as found;
use super::findings::signatures::FirstToEnd;
use super::survey::Survey;
use crate::fault::with_causes;

const DAY: u64 = 86_400;
/// Signatures that are made for less than this end before people get round to anything.
const SHORT_LIFETIME: u64 = 3 * DAY;
/// Longer ones should have been renewed when this much is left of them.
const LAST_MOMENT: u64 = DAY;

impl Examiner<'_> {
    /// Examines the signatures, given whether what ails them was said already, and the TTL overrides in the records.
    pub(super) fn examine_signatures(
        &self,
        is_explained: bool,
        overrides: &[TtlOverride],
    ) -> Vec<Finding> {
        let failure = self.failure().filter(|_| !is_explained);
        if let Some(finding) = failure {
            return vec![finding];
        }
        let signed = signatures(self.survey);
        let mut findings = Vec::new();
        findings.extend(self.proven());
        findings.extend(self.own_lifetime(&signed));
        findings.extend(self.lifetime_above(&signed));
        findings.extend(self.against_override(&signed, overrides));
        findings
    }

    /// The first thing, from the top down, that does not hold. What is below it hangs on it.
    fn failure(&self) -> Option<Finding> {
        let survey = self.survey;
        let of_zones = survey
            .zones
            .iter()
            .find_map(|zone| zone.proof.as_ref().err());
        let of_soa = || survey.soa_proof.as_ref()?.as_ref().err();
        if let Some(error) = of_zones.or_else(of_soa) {
            return Some(self.diagnosis(error));
        }
        let answered = matches!(&survey.records, Some(Ok(reply)) if reply.is_answer());
        match principal(survey.chain.as_ref()?.as_ref().err()?) {
            RetrievalError::Unverified(error) => Some(self.diagnosis(error)),
            RetrievalError::Insecure(proven) => {
                Some(self.diagnosis(&proven.insecure.clone().into()))
            }
            // Of that speaks what is said of the records.
            RetrievalError::Absent(_) => None,
            error => answered.then(|| unproven_by_retrieval(error)),
        }
    }

    fn diagnosis(&self, error: &Error) -> Finding {
        let now = self.subject.now;
        let top = self.survey.zones.first().map(|zone| &zone.name);
        let finding = match error {
            Error::RrsigExpired {
                rrsig,
                expired: bound,
                ..
            }
            | Error::RrsigNotYetValid {
                rrsig,
                valid_from: bound,
                ..
            } if Some(&rrsig.signer) == top => found::clock(&rrsig.signer, *bound, now),
            Error::RrsigExpired { rrsig, expired, .. } => {
                found::expired(rrsig, self.seen(&rrsig.signer), *expired, now)
            }
            Error::RrsigNotYetValid {
                rrsig, valid_from, ..
            } => found::not_yet_valid(rrsig, self.seen(&rrsig.signer), *valid_from, now),
            Error::NoRrsig(rrset) => found::missing(
                &rrset.owner,
                rrset.record_type,
                self.own().map(|own| self.seen(own)),
            ),
            Error::BadSignature(rrsig) => found::bad(rrsig, self.seen(&rrsig.signer)),
            Error::NoMatchingKey(rrsig) => found::key_gone(rrsig, self.seen(&rrsig.signer)),
            Error::DnskeyNotCommitted {
                zone,
                committed_by: Committer::Parent,
                ..
            } => found::key_not_signing(self.seen(zone)),
            other => found::unproven_by_zone(&with_causes(other), other.reason()),
        };
        finding.with("reason", error.reason())
    }

    /// Looks for signatures in the retrieved chain that are valid for longer than the dialect allows, whatever DNSSEC says
    /// of them.
    pub(super) fn examine_longest_signature(&self, chain_der: &[u8]) -> Option<Finding> {
        let longest = self.records().longest_signature()?;
        let demand = Demand::from(Period::at(self.subject.now)).with_longest_signature(longest);
        let proven = Chain::from_der(chain_der).and_then(|chain| {
            let anchors = &self.subject.anchors;
            let owner = &self.survey.owner;
            chain
                .look_up(owner, RecordType::TXT, anchors, demand)
                .and_then(Fact::into_secure)
                .map(|_| ())
        });
        proven.err().map(found::too_long)
    }

    /// No chain was retrieved, and nothing that was found says why.
    pub(super) fn without_chain(&self) -> Finding {
        match &self.survey.chain {
            Some(Err(error)) => unproven_by_retrieval(principal(error)),
            _ => found::no_chain(),
        }
    }

    fn proven(&self) -> Option<Finding> {
        let now = self.subject.now;
        let chain = self.survey.chain.as_ref()?.as_ref().ok()?;
        Some(found::proven(chain_end(chain, now)?, now))
    }

    /// Examines whether the domain's own signatures last long enough to be of use.
    fn own_lifetime(&self, signed: &[Signed]) -> Option<Finding> {
        let first = self.first_to_end(signed, |is_own| is_own)?;
        if first.period.seconds() < SHORT_LIFETIME {
            Some(found::short_lived(&first))
        } else if first.left < LAST_MOMENT {
            Some(found::end_soon(&first))
        } else {
            None
        }
    }

    /// The same of the zones above, about which there is nothing to be done.
    fn lifetime_above(&self, signed: &[Signed]) -> Option<Finding> {
        let first = self.first_to_end(signed, |is_own| !is_own)?;
        (first.left < LAST_MOMENT).then(|| found::above_end_soon(&first))
    }

    /// Examines whether a record counts for longer than the signatures over it.
    fn against_override(&self, signed: &[Signed], overrides: &[TtlOverride]) -> Option<Finding> {
        let longest = overrides.iter().max()?;
        let shortest = self
            .valid_now(signed, |is_own| is_own)
            .map(|signed| signed.period.seconds())
            .min()?;
        (u64::from(longest.seconds()) > shortest)
            .then(|| found::shorter_than_ttl_override(*longest, shortest))
    }

    fn first_to_end<'s>(
        &'s self,
        signed: &'s [Signed],
        is_meant: fn(bool) -> bool,
    ) -> Option<FirstToEnd<'s>> {
        let first = self
            .valid_now(signed, is_meant)
            .min_by_key(|signed| signed.period.end())?;
        Some(FirstToEnd {
            owner: &first.owner,
            record_type: first.record_type,
            signer: self.seen(&first.signer),
            period: first.period,
            left: first.left(self.subject.now),
        })
    }

    /// The signatures that hold now, of the domain's own zone or of those above.
    fn valid_now<'s>(
        &'s self,
        signed: &'s [Signed],
        is_meant: fn(bool) -> bool,
    ) -> impl Iterator<Item = &'s Signed> {
        signed.iter().filter(move |signed| {
            is_meant(self.seen(&signed.signer).is_own()) && signed.period.contains(self.subject.now)
        })
    }
}

/// Of several servers' failures the one that says most.
fn principal(error: &RetrievalError) -> &RetrievalError {
    match error {
        RetrievalError::NoProof(failures) => {
            failures.first().map_or(error, |failure| &failure.error)
        }
        error => error,
    }
}

/// No chain could be retrieved.
fn unproven_by_retrieval(error: &RetrievalError) -> Finding {
    found::unproven_by_retrieval(&with_causes(error), error.reason(), error.hint())
}

/// The period of a signature that a proof needs.
struct Signed {
    owner: Name,
    record_type: RecordType,
    signer: Name,
    period: Period,
}

impl Signed {
    fn new(owner: &Name, rrsig: &Rrsig<'_>) -> Option<Self> {
        Some(Self {
            owner: owner.clone(),
            record_type: rrsig.type_covered,
            signer: rrsig.signer.clone(),
            period: rrsig.period()?,
        })
    }

    fn left(&self, now: Timestamp) -> u64 {
        self.period
            .end()
            .unix_seconds()
            .saturating_sub(now.unix_seconds())
            .try_into()
            .unwrap_or(0)
    }
}

/// The signatures of the chain that anybody would make; or of what was seen, where none could be made.
fn signatures(survey: &Survey) -> Vec<Signed> {
    if let Some(Ok(der)) = &survey.chain
        && let Ok(chain) = Chain::from_der(der)
    {
        let answers = chain.responses().iter().flat_map(dnssec::Response::answers);
        return answers
            .filter_map(|record| Signed::new(&record.owner(), &record.rrsig()?))
            .collect();
    }
    survey
        .signed_rrsets()
        .filter_map(|(reply, owner, record_type)| {
            reply
                .rrsigs(owner, record_type)
                .filter_map(|rrsig| Signed::new(owner, &rrsig))
                .max_by_key(|signed| signed.period.end())
        })
        .collect()
}

/// For how long a chain that is retrieved now holds.
pub(super) fn chain_end(chain_der: &[u8], now: Timestamp) -> Option<Timestamp> {
    let chain = Chain::from_der(chain_der).ok()?;
    let answers = chain.responses().iter().flat_map(dnssec::Response::answers);
    answers
        .filter_map(|record| record.rrsig()?.period())
        .filter(|period| period.contains(now))
        .map(Period::end)
        .min()
}
