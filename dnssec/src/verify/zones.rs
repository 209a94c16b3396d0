//! Proves the zones above a name as they are needed.
//!
//! Every zone above a zone is an ancestor of its name, so a number of labels identifies it. That
//! makes the walk two loops over label counts, whatever the chain holds:
//!
//! 1. **Up, without keys.** The RRSIGs over a zone's DS RRset name the zone above, and so the
//!    DNSKEY and DS RRsets that are needed next. Signatures that are stale, have unsupported
//!    algorithms or are by the wrong zone are dropped here, before any public-key operation.
//! 2. **Down, with keys.** Each zone's DNSKEY RRset is verified with a key that an anchor or the
//!    parent's DS commits to. The zone's keys then verify the DS RRset of the zone below.

use super::delegation::{Plan, Zone};
use super::rrset::SignedRrset;
use crate::anchor::TrustAnchors;
use crate::budget::{Budget, Exhausted};
use crate::chain::Chain;
use crate::demand::Demand;
use crate::error::Error;
use crate::name::Name;

/// The sources from which zones are proven.
#[derive(Clone, Copy)]
pub(super) struct Sources<'w, 'a> {
    pub(super) chain: &'w Chain<'a>,
    pub(super) anchors: &'w TrustAnchors,
    pub(super) demand: Demand,
}

/// The zones examined so far: each proven, or the reason why not.
#[derive(Default)]
pub(super) struct Zones<'a>(Vec<(Name, Result<Zone<'a>, Error>)>);

/// The plans for the zones that signatures lead to, by label count.
type Plans<'a> = Vec<Option<Result<Plan<'a>, Error>>>;

impl<'a> Zones<'a> {
    /// Returns the outcome for the zone, if it was examined.
    pub(super) fn get(&self, name: &Name) -> Option<&Result<Zone<'a>, Error>> {
        let known = self.0.iter().find(|(zone, _)| zone == name);
        known.map(|(_, outcome)| outcome)
    }

    /// Proves the zones that signed `rrset`, or notes why a zone cannot be proven.
    pub(super) fn establish_signers(
        &mut self,
        rrset: &SignedRrset<'a>,
        sources: Sources<'_, 'a>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        for signer in rrset.signers() {
            if self.get(signer).is_none() {
                self.establish(signer, sources, budget)?;
            }
        }
        Ok(())
    }

    fn establish(
        &mut self,
        zone: &Name,
        sources: Sources<'_, 'a>,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let plans = self.plan(zone, sources);
        if let Some(failure) = self.dead_end(zone, &plans) {
            self.0.push((zone.clone(), Err(failure)));
            return Ok(());
        }
        // From the anchor down: the keys of each zone are proven with those of the zones above it.
        for (labels, plan) in plans.into_iter().enumerate() {
            let (Some(plan), Some(name)) = (plan, zone.suffix(labels)) else {
                continue;
            };
            let outcome = match plan {
                Ok(plan) => plan.prove(sources, self, budget)?,
                Err(failure) => Err(failure),
            };
            if outcome.is_ok() {
                budget.grow();
            }
            self.0.push((name, outcome));
        }
        Ok(())
    }

    /// Follows signers upwards and gathers candidates. Does no expensive checks.
    fn plan(&self, zone: &Name, sources: Sources<'_, 'a>) -> Plans<'a> {
        let mut plans: Plans<'a> = (0..=zone.label_count()).map(|_| None).collect();
        let mut needed = vec![false; plans.len()];
        if let Some(last) = needed.last_mut() {
            *last = true;
        }
        for labels in (0..plans.len()).rev() {
            if !needed.get(labels).copied().unwrap_or_default() {
                continue;
            }
            let Some(name) = zone.suffix(labels).filter(|name| self.get(name).is_none()) else {
                continue;
            };
            let plan = Plan::gather(name, sources);
            for signer in plan.iter().flat_map(Plan::signers) {
                if let Some(slot) = needed.get_mut(signer.label_count()) {
                    *slot = true;
                }
            }
            if let Some(slot) = plans.get_mut(labels) {
                *slot = Some(plan);
            }
        }
        plans
    }

    /// Returns the reason why no signer's zone can lead to an anchor, even if all signatures
    /// verify.
    fn dead_end(&self, zone: &Name, plans: &Plans<'a>) -> Option<Error> {
        let mut failures: Vec<Option<Error>> = Vec::with_capacity(plans.len());
        for (labels, plan) in plans.iter().enumerate() {
            let failure = match plan {
                None => zone
                    .suffix(labels)
                    .and_then(|name| self.get(&name)?.as_ref().err().cloned()),
                Some(Err(failure)) => Some(failure.clone()),
                Some(Ok(plan)) if plan.is_anchored() => None,
                Some(Ok(plan)) => furthest_of_all(plan.signers(), &failures),
            };
            failures.push(failure);
        }
        failures.pop().flatten()
    }
}

/// Returns the failure that got furthest, if all of these zones failed.
fn furthest_of_all<'n>(
    mut signers: impl Iterator<Item = &'n Name>,
    failures: &[Option<Error>],
) -> Option<Error> {
    signers
        .try_fold(None::<Error>, |worst, signer| {
            let failure = failures.get(signer.label_count())?.clone()?;
            Some(Some(match worst {
                Some(worst) => worst.furthest(failure),
                None => failure,
            }))
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordType;
    use kliento_fixtures::{Algorithm, DNSKEY, DS, KeyRole, TXT, World};

    /// A stale signature must not cause public-key operations for all zones above it.
    #[test]
    fn refuses_a_dead_end_anywhere_on_the_way_before_any_public_key_work() {
        let world = World::builder()
            .at(1_795_262_400)
            .zone(".", Algorithm::Ed25519)
            .zone("com.", Algorithm::Ed25519)
            .zone("example.com.", Algorithm::Ed25519)
            .txt("_veraid.example.com.", "text")
            .build();
        let anchors: TrustAnchors = world.anchors().parse().unwrap();
        let noon = crate::Timestamp::from_unix_seconds(1_795_262_400);
        for (zone, record_type, signed_as) in [
            (".", DNSKEY, world.signing(".", KeyRole::Ksk)),
            ("com.", DNSKEY, world.signing("com.", KeyRole::Ksk)),
            (
                "example.com.",
                DNSKEY,
                world.signing("example.com.", KeyRole::Ksk),
            ),
            ("com.", DS, world.signing_for("com.", DS)),
            ("example.com.", DS, world.signing_for("example.com.", DS)),
        ] {
            let mut responses = world.responses("_veraid.example.com.", TXT);
            responses.of(zone, record_type).sign(&signed_as.expired());
            let messages = responses.to_messages();
            let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).unwrap();
            let sources = Sources {
                chain: &chain,
                anchors: &anchors,
                demand: crate::Period::at(noon).into(),
            };
            let zones = Zones::default();
            let name: Name = "example.com".parse().unwrap();
            let refusal = zones.dead_end(&name, &zones.plan(&name, sources)).unwrap();
            let record_type = RecordType(record_type);
            assert_eq!(
                refusal.reason(),
                "dnssec.rrsig_expired",
                "{zone} {record_type}"
            );
        }
    }
}
