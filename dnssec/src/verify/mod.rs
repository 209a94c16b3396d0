//! The walk: from an RRset up to an anchor to see what there is, then down again to prove it (RFC 4035 §5).
//!
//! Every zone on the way is an ancestor of the owner's name, or the name itself, so a number of labels names it. That
//! makes the walk two loops over label counts, whatever the chain holds:
//!
//! 1. **Up, for free.** The RRSIGs say which zones signed, and so which DNSKEY and DS RRsets are needed. Signatures that
//!    are stale, of unknown algorithms or by the wrong zone are dropped here, before any public-key work.
//! 2. **Down, with keys.** Each zone's DNSKEY RRset is checked with a key that an anchor or the parent's DS commits to,
//!    and with its keys the DS RRsets below, and at last the answer.
//!
//! Each step yields a [`Validity`]: the union over the good signatures of an RRset, each cut to the times at which its
//! key is proven.

mod delegation;
mod rrset;

use std::borrow::Cow;

use crate::anchor::TrustAnchors;
use crate::budget::Budget;
use crate::chain::Chain;
use crate::error::{Error, RrsetId};
use crate::name::Name;
use crate::record::RecordType;
use crate::validity::{Period, Validity};

use delegation::{Plan, Zone};
use rrset::{SignedRrset, UnweighedRrset};

/// A proven RRset, and when it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<'a> {
    name: Name,
    record_type: RecordType,
    rdata: Vec<Cow<'a, [u8]>>,
    validity: Validity,
}

impl<'a> Proof<'a> {
    /// The owner name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The type of the records.
    pub fn record_type(&self) -> RecordType {
        self.record_type
    }

    /// The data of all records of the RRset, in canonical form and order (RFC 4034 §6).
    pub fn rdata(&self) -> &[Cow<'a, [u8]>] {
        &self.rdata
    }

    /// When all signatures on the way from the anchor hold together.
    pub fn validity(&self) -> &Validity {
        &self.validity
    }
}

pub(crate) fn verify<'a>(
    chain: &Chain<'a>,
    name: &Name,
    record_type: RecordType,
    anchors: &TrustAnchors,
    period: Period,
) -> Result<Proof<'a>, Error> {
    let mut walk = Walk {
        chain,
        anchors,
        period,
        budget: Budget::new(),
    };
    walk.prove(name, record_type)
        .map_err(|failure| walk.insecure_or(failure))
}

/// One verification: what it has to go by, and what it may still spend.
struct Walk<'w, 'a> {
    chain: &'w Chain<'a>,
    anchors: &'w TrustAnchors,
    period: Period,
    budget: Budget,
}

impl<'a> Walk<'_, 'a> {
    fn prove(&mut self, name: &Name, record_type: RecordType) -> Result<Proof<'a>, Error> {
        if !self.anchors.reach(name) {
            return Err(Error::NoTrustAnchor(name.clone()));
        }
        let answer = the_answer(self.chain, name, record_type)?.usable(self.period)?;
        let plans = plan_zones(self.chain, &answer, self.anchors, self.period)?;
        let zones = prove_zones(plans, self.anchors, &mut self.budget)?;
        let validity = answer.verify(&zones, &mut self.budget)?;
        if !validity.overlaps(self.period) {
            return Err(Error::NotValidTogether {
                rrset: answer.id(),
                validity,
                period: self.period,
            });
        }
        Ok(Proof {
            name: name.clone(),
            record_type,
            rdata: answer.into_rdata(),
            validity,
        })
    }

    /// Tells a zone that is signed with nothing known from one that is signed wrongly: if its DS RRset is proven, and has
    /// nothing known in it either, then the zone counts as unsigned (RFC 4035 §5.2).
    fn insecure_or(&mut self, failure: Error) -> Error {
        let mut above = failure.clone();
        // The signer of a DS RRset lies above the zone, so this ends.
        while let Error::UnsupportedAlgorithm(rrsig) = above {
            let zone = rrsig.signer;
            above = match self.prove(&zone, RecordType::DS) {
                Ok(proof) if !delegation::is_secure(proof.rdata()) => {
                    return Error::InsecureDelegation { zone };
                }
                Ok(_) => return failure,
                Err(insecure @ Error::InsecureDelegation { .. }) => return insecure,
                Err(other) => other,
            };
        }
        failure
    }
}

/// The one response that answers the question.
///
/// Of several that differ, nobody could say which one was meant: whoever reads records off the chain might read others
/// than those that were proven.
fn the_answer<'a>(
    chain: &Chain<'a>,
    name: &Name,
    record_type: RecordType,
) -> Result<UnweighedRrset<'a>, Error> {
    let id = || RrsetId {
        owner: name.clone(),
        record_type,
    };
    let mut failed = None;
    let mut answers = Vec::new();
    for response in chain.responses_to(name, record_type) {
        if response.is_an_answer() {
            answers.push(response);
        } else {
            failed = Some(response);
        }
    }
    match (&answers[..], failed) {
        ([answer], _) => SignedRrset::find(answer, name, record_type),
        ([], Some(failed)) => SignedRrset::find(failed, name, record_type),
        ([], None) => Err(Error::MissingResponse(id())),
        (several, _) => Err(Error::AmbiguousAnswer {
            rrset: id(),
            count: several.len(),
        }),
    }
}

/// By label count, what there is to prove each zone with, for all zones whose signatures lead to the answer.
type Plans<'a> = Vec<Option<Result<Plan<'a>, Error>>>;

/// By label count, the proven zones, or why one is not.
type Zones<'a> = Vec<Option<Result<Zone<'a>, Error>>>;

/// Follows signers upwards from the answer, gathering candidates and checking nothing that costs.
fn plan_zones<'a>(
    chain: &Chain<'a>,
    answer: &SignedRrset<'a>,
    anchors: &TrustAnchors,
    period: Period,
) -> Result<Plans<'a>, Error> {
    let owner = answer.owner();
    let mut plans: Plans<'a> = (0..=owner.label_count()).map(|_| None).collect();
    let mut needed = vec![false; plans.len()];
    mark(&mut needed, answer);
    for labels in (0..plans.len()).rev() {
        if !needed.get(labels).copied().unwrap_or_default() {
            continue;
        }
        let Some(zone) = owner.suffix(labels) else {
            continue;
        };
        let plan = Plan::gather(chain, zone, anchors, period);
        if let Ok(plan) = &plan {
            plan.delegations()
                .iter()
                .for_each(|ds| mark(&mut needed, ds));
        }
        if let Some(slot) = plans.get_mut(labels) {
            *slot = Some(plan);
        }
    }
    refuse_dead_ends(answer, &plans)?;
    Ok(plans)
}

/// Notes the zones that signed `rrset`.
fn mark(needed: &mut [bool], rrset: &SignedRrset<'_>) {
    for signer in rrset.signers() {
        if let Some(slot) = needed.get_mut(signer.label_count()) {
            *slot = true;
        }
    }
}

/// Fails when no signer's zone can lead to an anchor, whatever the signatures are worth.
fn refuse_dead_ends(answer: &SignedRrset<'_>, plans: &Plans<'_>) -> Result<(), Error> {
    let mut failures: Vec<Option<Error>> = Vec::with_capacity(plans.len());
    for plan in plans {
        let failure = match plan {
            None => None,
            Some(Err(failure)) => Some(failure.clone()),
            Some(Ok(plan)) if plan.is_anchored() => None,
            Some(Ok(plan)) => dead_end(
                plan.delegations().iter().flat_map(SignedRrset::signers),
                &failures,
            ),
        };
        failures.push(failure);
    }
    dead_end(answer.signers(), &failures).map_or(Ok(()), Err)
}

/// The failure that got furthest, if all of these zones failed.
fn dead_end<'n>(
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

/// From the anchors down: each zone's keys, proven with those of the zones above it.
fn prove_zones<'a>(
    plans: Plans<'a>,
    anchors: &TrustAnchors,
    budget: &mut Budget,
) -> Result<Zones<'a>, Error> {
    let mut zones: Zones<'a> = Vec::with_capacity(plans.len());
    for plan in plans {
        let zone = match plan {
            None => None,
            Some(Err(failure)) => Some(Err(failure)),
            Some(Ok(plan)) => match plan.prove(anchors, &zones, budget) {
                Err(exhausted @ Error::BudgetExhausted { .. }) => return Err(exhausted),
                Err(failure) => Some(Err(failure)),
                Ok(zone) => {
                    budget.zone_is_proven();
                    Some(Ok(zone))
                }
            },
        };
        zones.push(zone);
    }
    Ok(zones)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kliento_fixtures::{Algorithm, DNSKEY, DS, KeyRole, TXT, World};

    /// The price of a stale signature must not be the public-key work for all zones above it.
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
        let owner: Name = "_veraid.example.com".parse().unwrap();
        let period = Period::at(crate::Timestamp::from_unix_seconds(1_795_262_400));
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
            let answer = the_answer(&chain, &owner, RecordType::TXT)
                .and_then(|answer| answer.usable(period))
                .unwrap();
            let refusal = plan_zones(&chain, &answer, &anchors, period).unwrap_err();
            assert_eq!(
                refusal.reason(),
                "dnssec.rrsig_expired",
                "{zone} {record_type}"
            );
        }
    }
}
