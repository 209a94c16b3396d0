//! Failures that an unsigned zone explains (RFC 4035 §4.3 and §5.2).
//!
//! If a zone above a name is proven to be unsigned, or to be signed only with unknown algorithms,
//! the name is insecure: no proof about it can be expected. Without such a proof the failure
//! stands, and the name is bogus.

use super::denial::Conclusion;
use super::{DenialOutcome, InsecureZone, Step, Walk, delegation};
use crate::budget::Exhausted;
use crate::error::{Committer, Error};
use crate::fact::Insecurity;
use crate::name::Name;
use crate::record::RecordType;
use crate::validity::Validity;

impl<'a> Walk<'_, 'a> {
    /// Distinguishes an insecure name from a bogus one. If a zone above the name is proven to be
    /// unsigned, or to be signed only with unknown algorithms (RFC 4035 §5.2), returns the step
    /// that proves this, and its validity. Otherwise returns the failure.
    pub(super) fn insecure_or(
        &mut self,
        failure: Error,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<(Step<'a>, Validity), Error> {
        let Error::InsecureDelegation {
            zone,
            cause,
            validity,
        } = failure
        else {
            return match self.insecurity(&failure, owner, record_type) {
                Ok(Some(insecure)) => Ok(insecure.into_step()),
                // If exhaustion stopped the search, verification ends in any case. The failure was
                // found before, and is more useful to report.
                Ok(None) | Err(Exhausted { .. }) => Err(failure),
            };
        };
        if self.is_anchored_below(&zone, cause, owner, record_type) {
            return Err(Error::DnskeyNotCommitted {
                zone,
                committed_by: Committer::Parent,
            });
        }
        Ok((Step::Insecure(zone, cause), validity))
    }

    /// Looks for a proof that a zone above the name is unsigned, which explains the failure.
    fn insecurity(
        &mut self,
        failure: &Error,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<Option<InsecureZone>, Exhausted> {
        // From the top down: below an unsigned delegation nothing is proven.
        let labels = owner.label_count();
        let lowest = if record_type == RecordType::DS {
            labels.saturating_sub(1)
        } else {
            labels
        };
        for zone in (1..=lowest).filter_map(|labels| owner.suffix(labels)) {
            if self.is_anchored_below(&zone, Insecurity::Algorithms, owner, record_type) {
                continue;
            }
            self.budget
                .spend_search(self.sources.chain.responses().len())?;
            let delegations = delegation::candidates(self.sources, &zone, RecordType::DS);
            // Each response may hold a version of the DS RRset. The zone is insecure at the times
            // of any version that shows it.
            let mut validity = Validity::never();
            for ds_rrset in delegations.unwrap_or_default() {
                if delegation::is_secure(ds_rrset.rdata()) {
                    continue;
                }
                let proven = match self.prove(&ds_rrset) {
                    Ok(Ok(proven)) => proven,
                    Ok(Err(_)) => continue,
                    Err(exhausted) if validity.is_never() => return Err(exhausted),
                    // What was proven before still counts, and nothing else is tried.
                    Err(_) => break,
                };
                let in_time = self.so_far.intersect(&proven);
                if in_time.overlaps(self.sources.demand.period()) {
                    validity = validity.union(&proven);
                }
            }
            if !validity.is_never() {
                return Ok(Some(InsecureZone {
                    zone,
                    cause: Insecurity::Algorithms,
                    validity,
                }));
            }
        }
        let (records, context) = self.denials()?;
        let mut proofs = records.about(owner, record_type, context)?;
        proofs
            .candidates
            .retain(|candidate| match &candidate.conclusion {
                Conclusion::Insecure { zone, cause } => match cause {
                    Insecurity::Nsec3Iterations | Insecurity::Nsec3Hash => {
                        self.may_hide_a_delegation(zone, failure, owner)
                    }
                    _ => true,
                },
                _ => false,
            });
        Ok(match self.best_proof(proofs, owner, record_type)? {
            DenialOutcome::Insecure(insecure) => Some(insecure),
            _ => None,
        })
    }

    /// Returns true if an anchor between the name and the unsigned zone makes the name secure all
    /// the same. Such a zone is an island of security (RFC 4033 §2).
    pub(super) fn is_anchored_below(
        &self,
        zone: &Name,
        cause: Insecurity,
        owner: &Name,
        record_type: RecordType,
    ) -> bool {
        self.sources.anchors.iter().any(|anchor| {
            let anchored = anchor.owner();
            let is_below = match cause {
                // With these causes, the zone's own denials prove nothing, but the delegation to
                // the zone is secure.
                Insecurity::Nsec3Iterations | Insecurity::Nsec3Hash => anchored.is_below(zone),
                Insecurity::NoDs | Insecurity::Algorithms | Insecurity::OptOut => {
                    anchored.is_within(zone)
                }
            };
            // The DS RRset of the anchored zone belongs to its parent.
            let vouches = match record_type {
                RecordType::DS => owner.is_below(anchored),
                _ => owner.is_within(anchored),
            };
            is_below && vouches
        })
    }

    /// Returns true if a zone whose denials can't be evaluated may have an unsigned delegation that
    /// explains the failure.
    ///
    /// Returns false if the failure is anything but a missing RRSIG, response or denial, or if a DS
    /// RRset shows that the delegation is signed: an unsigned delegation cannot explain such a
    /// failure.
    fn may_hide_a_delegation(&self, zone: &Name, failure: &Error, owner: &Name) -> bool {
        let lacks_something = matches!(
            failure,
            Error::NoRrsig(_) | Error::MissingResponse(_) | Error::UnprovenDenial(_)
        );
        let above = zone.label_count();
        let is_delegated = |labels: usize| {
            let child = owner.suffix(labels);
            child.is_some_and(|child| {
                delegation::candidates(self.sources, &child, RecordType::DS)
                    .unwrap_or_default()
                    .iter()
                    .any(|ds_rrset| delegation::is_secure(ds_rrset.rdata()))
            })
        };
        lacks_something && !(above + 1..=owner.label_count()).any(is_delegated)
    }
}
