//! Reduces a chain to what proves the fact.
//!
//! Responses of resolvers hold more than a proof needs: stale or duplicate signatures, keys from
//! before and after a rollover, NSEC records that deny something else, SOA and NS records. The
//! search first proves the whole chain. That gives the fact, and the seconds of a period at which
//! it holds. Then it tries to remove each part: whatever can be removed while the fact stays proven
//! at all of those seconds is removed. So validity takes precedence over size, and the verifier
//! alone decides what is kept, not the appearance of a record.
//!
//! 1. RRsets are gathered from all responses. Different versions are kept apart, and RRSIGs over
//!    the same data are put together.
//! 2. The aliases that lead to the name of the fact, and the records there, are looked up among
//!    them. Their signers determine which DNSKEY and DS RRsets can matter, and the names on the way
//!    which NSEC and NSEC3 records can.
//! 3. RRsets are removed, the largest first: of two with the same effect the lighter one stays.
//! 4. RRSIGs are removed: for each RRset, the lightest sufficient set stays. Up to
//!    [`EXHAUSTIVE_RRSIGS`] of them, all sets are tried; of more, they are tried one by one, the
//!    heaviest first.
//!
//! The result is minimal in the sense that no single RRset and no single RRSIG can be removed. The
//! search does not look for a lighter combination of other RRsets.
//!
//! The same records and signatures give the same octets, whatever their order, letter case and
//! number, and whatever TTLs they arrived with. Names are written in lower case, TTLs as in the
//! zone, and records in canonical order.

mod rrset;
mod selection;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::iter;

use crate::anchor::TrustAnchors;
use crate::authentication_chain::{
    MAX_AUTHENTICATION_CHAIN_OCTETS, messages_from_authentication_chain,
};
use crate::chain::Chain;
use crate::demand::Demand;
use crate::error::Error;
use crate::fact::{Denial, Fact, Insecurity};
use crate::name::Name;
use crate::record::RecordType;
use crate::validity::Validity;

use rrset::{Rrset, collect, is_denial};
use selection::{Member, Role, Selection};

/// The number of verifications in one search. A chain of ten zones from a resolver, with each RRset
/// signed twice, takes about fifty. A chain full of irrelevant records gets no more than this
/// limit, so its result may be larger than necessary.
const MAX_TRIALS: u32 = 512;
/// The number of RRsets that are tried one by one. If there are more, several are tried at once,
/// and then halves of these.
const SINGLE_TRIALS: usize = 64;
/// The number of RRSIGs over one RRset up to which all sets of them are tried.
const EXHAUSTIVE_RRSIGS: usize = 6;
/// The number of names that are examined while aliases are followed.
const MAX_ALIAS_STEPS: usize = 64;

impl Chain<'_> {
    /// Removes everything that is not needed to prove the same fact about the records of
    /// `record_type` at `name` (that the proof has all of them, that there are none, or that the
    /// name is insecure). The result proves the fact at every second of the demand's period at
    /// which the whole chain does. It consists of new DNS messages in a fixed order: the same
    /// records and signatures give the same octets.
    ///
    /// There is one message for each question: DS and DNSKEY of each zone from the anchor's down to
    /// the signer's, and last the one that was asked. The last message has aliases and records in
    /// the answer section, and the NSEC or NSEC3 records that are needed in the authority section.
    /// The SOA record of a denial is removed: it only tells resolvers for how long they may cache
    /// the denial (RFC 2308 §5).
    ///
    /// From a proof that the name is insecure, unsigned records are removed as well.
    ///
    /// The search makes 512 look-ups at most. A limit on work ([`Demand::with_most_work`]) applies
    /// to each of them.
    ///
    /// Fails as [`Chain::look_up`] does.
    ///
    /// ```
    /// use dnssec::{Chain, Period, RecordType, Timestamp, TrustAnchors};
    /// # use kliento_fixtures::{Algorithm, TXT, World, KeyRole};
    /// # let world = World::builder()
    /// #     .at(1_795_262_400)
    /// #     .zone(".", Algorithm::Ed25519)
    /// #     .zone("example.", Algorithm::EcdsaP256Sha256)
    /// #     .txt("key.example.", "1")
    /// #     .build();
    /// # let mut responses = world.responses("key.example.", TXT);
    /// # responses.answer().add_signature(&world.signing_for("key.example.", TXT).expired());
    /// # let (received, anchors) = (responses.to_messages(), world.anchors());
    ///
    /// // As resolvers sent them.
    /// let chain = Chain::from_messages(&received)?;
    /// let anchors: TrustAnchors = anchors.parse()?;
    /// let now: Timestamp = "2026-11-21T12:00:00Z".parse()?;
    /// let from_now_on = Period::new(now, Timestamp::MAX).unwrap();
    ///
    /// let kept = chain.minimal(&"key.example.".parse()?, RecordType::TXT, &anchors, from_now_on)?;
    /// # let octets = |messages: &[Vec<u8>]| messages.iter().map(Vec::len).sum::<usize>();
    /// assert!(octets(&kept) < octets(&received));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn minimal(
        &self,
        name: &Name,
        record_type: RecordType,
        anchors: &TrustAnchors,
        demand: impl Into<Demand>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let mut search = Search::new(self, name, record_type, anchors, demand.into())?;
        let least = search.assemble(self).map(|whole| search.shrink(whole));
        Ok(least
            .and_then(|selection| selection.to_messages())
            .unwrap_or_else(|| as_received(self)))
    }

    /// Writes the chain as the `AuthenticationChain` of RFC 9102 §2.3, without the
    /// `ExtSupportLifetime` that precedes it in the TLS extension: a list of uncompressed records,
    /// as few as [`Chain::minimal`] keeps. First come the aliases and records that were asked for
    /// and the NSEC or NSEC3 records that are needed, then the DNSKEY and DS RRsets from there up
    /// to the anchor. Each RRset is followed by its RRSIGs, and has the TTL from its zone.
    ///
    /// Such a list cannot hold two versions of one RRset. If two are needed to prove the fact at
    /// all seconds of the period (a zone's keys from before and after a rollover), the one that
    /// proves it at more of them is kept.
    ///
    /// Fails as [`Chain::look_up`] does, and with [`Error::ChainTooLarge`] if it would have more than 65,535 octets.
    pub fn to_authentication_chain(
        &self,
        name: &Name,
        record_type: RecordType,
        anchors: &TrustAnchors,
        demand: impl Into<Demand>,
    ) -> Result<Vec<u8>, Error> {
        let mut search = Search::new(self, name, record_type, anchors, demand.into())?;
        let whole = search.assemble(self).ok_or(TOO_LARGE)?;
        let least = search.shrink(whole);
        search
            .as_record_list(least)?
            .to_records()
            .filter(|records| records.len() <= MAX_AUTHENTICATION_CHAIN_OCTETS)
            .ok_or(TOO_LARGE)
    }
}

const TOO_LARGE: Error = Error::ChainTooLarge {
    what: "bytes in an AuthenticationChain",
    limit: MAX_AUTHENTICATION_CHAIN_OCTETS,
};

/// The chain's own messages, sorted, without duplicates.
fn as_received(chain: &Chain<'_>) -> Vec<Vec<u8>> {
    let messages: BTreeSet<_> = chain.messages().collect();
    messages.into_iter().map(<[u8]>::to_vec).collect()
}

/// A fact without its validity.
#[derive(Debug, PartialEq, Eq)]
struct Claim {
    canonical_name: Name,
    conclusion: Conclusion,
}

#[derive(Debug, PartialEq, Eq)]
enum Conclusion {
    /// The records' data.
    Records(Vec<Vec<u8>>),
    Absent(Denial),
    /// A zone is unsigned, for this cause.
    Insecure(Name, Insecurity),
}

impl Claim {
    fn of(fact: &Fact<'_>) -> Self {
        let conclusion = match fact {
            Fact::Proven(proof) => Conclusion::Records(proof.rdata().map(<[u8]>::to_vec).collect()),
            Fact::ProvenAbsent(absence) => Conclusion::Absent(absence.denial()),
            Fact::ProvenInsecure(insecure) => {
                Conclusion::Insecure(insecure.zone().clone(), insecure.cause())
            }
        };
        Self {
            canonical_name: fact.canonical_name().clone(),
            conclusion,
        }
    }

    /// The zone that is unsigned because of its DS RRset.
    fn zone_without_algorithms(&self) -> Option<&Name> {
        match &self.conclusion {
            Conclusion::Insecure(zone, Insecurity::Algorithms) => Some(zone),
            _ => None,
        }
    }
}

/// The form in which the selection is written, because the form affects what it proves.
#[derive(Clone, Copy)]
enum Form {
    Messages,
    Records,
}

/// The claim to prove, and the remaining trials.
struct Search<'s> {
    name: &'s Name,
    record_type: RecordType,
    anchors: &'s TrustAnchors,
    demand: Demand,
    claim: Claim,
    /// The times at which the claim must stay proven.
    goal: Validity,
    form: Form,
    trials_left: u32,
}

impl<'s> Search<'s> {
    /// Proves the claim with the whole chain, which sets the goal.
    fn new(
        chain: &Chain<'_>,
        name: &'s Name,
        record_type: RecordType,
        anchors: &'s TrustAnchors,
        demand: Demand,
    ) -> Result<Self, Error> {
        let fact = chain.look_up(name, record_type, anchors, demand)?;
        Ok(Self {
            name,
            record_type,
            anchors,
            demand,
            claim: Claim::of(&fact),
            goal: fact.validity().intersect_period(demand.period()),
            form: Form::Messages,
            trials_left: MAX_TRIALS,
        })
    }

    /// Returns the seconds of the period at which a selection, written and read back, proves the
    /// claim. Returns `None` if it does not prove the claim, or if no trials are left.
    fn try_out(&mut self, selection: &Selection<'_>) -> Option<Validity> {
        self.trials_left = self.trials_left.checked_sub(1)?;
        let messages = match self.form {
            Form::Messages => selection.to_messages()?,
            Form::Records => messages_from_authentication_chain(&selection.to_records()?).ok()?,
        };
        let chain = Chain::from_messages(&messages).ok()?;
        let fact = chain
            .look_up(self.name, self.record_type, self.anchors, self.demand)
            .ok()?;
        (Claim::of(&fact) == self.claim)
            .then(|| fact.validity().intersect_period(self.demand.period()))
    }

    /// Returns true if a selection proves the claim at all times of the goal.
    fn is_enough(&mut self, selection: &Selection<'_>) -> bool {
        self.try_out(selection)
            .is_some_and(|validity| validity.intersect(&self.goal) == self.goal)
    }

    /// Selects all RRsets of a chain that can matter, in order. Returns `None` if they do not prove
    /// the claim, for example because they do not fit into their messages.
    fn assemble<'a>(&mut self, chain: &Chain<'a>) -> Option<Selection<'a>> {
        let rrsets = collect(chain, self.demand.period());
        for way in ways_to(&rrsets, self.name, self.record_type, &self.claim) {
            // Most answers need no denial, even if a resolver sends some.
            for denials in [&[][..], &rrsets] {
                let selection = self.gather(&rrsets, denials, &way);
                if self.is_enough(&selection) {
                    return Some(selection);
                }
            }
        }
        None
    }

    /// Selects the RRsets of `way`, those of `denials` that can be about it, and the zones of all
    /// of these.
    fn gather<'a>(
        &self,
        rrsets: &[Rrset<'a>],
        denials: &[Rrset<'a>],
        way: &Way<'_, 'a>,
    ) -> Selection<'a> {
        let member = |role, rrset: &Rrset<'a>| Member {
            role,
            rrset: rrset.clone(),
        };
        let answers = way.rrsets.iter().map(|rrset| member(Role::Answer, rrset));
        let denials = denials
            .iter()
            .filter(|rrset| is_denial(rrset.record_type()))
            .filter(|rrset| {
                rrset
                    .signers()
                    .any(|zone| way.names.iter().any(|name| name.is_within(zone)))
            })
            .filter(|rrset| !self.is_asked_for(rrset));
        let denials = denials.map(|rrset| member(Role::Denial, rrset));
        let mut members: Vec<_> = answers.chain(denials).collect();
        let signers = members.iter().flat_map(|member| member.rrset.signers());
        let zones = signers.chain(self.claim.zone_without_algorithms());
        let zones = self.zones_from(rrsets, zones.cloned().collect());
        // If aliases lead to keys that are also needed for a zone, one copy is enough.
        members.retain(|member| !zones.iter().any(|zone| zone.is_version_of(&member.rrset)));
        members.extend(zones.into_iter().map(|rrset| member(Role::Zone, rrset)));
        Selection {
            name: self.name.clone(),
            record_type: self.record_type,
            is_name_denied: self.claim.conclusion == Conclusion::Absent(Denial::NxDomain),
            zone_without_algorithms: self.claim.zone_without_algorithms().cloned(),
            members,
        }
    }

    /// Returns the DNSKEY and DS RRsets of these zones and of all zones above that signed them, in
    /// canonical order.
    fn zones_from<'r, 'a>(
        &self,
        rrsets: &'r [Rrset<'a>],
        signers: Vec<Name>,
    ) -> Vec<&'r Rrset<'a>> {
        let mut pending = signers;
        let mut zones = BTreeSet::new();
        while let Some(zone) = pending.pop() {
            if zones.contains(&zone) {
                continue;
            }
            let delegations = rrsets
                .iter()
                .filter(|rrset| rrset.record_type() == RecordType::DS && *rrset.owner() == zone);
            // The signer of a DS lies above the zone, so the loop ends.
            pending.extend(delegations.flat_map(Rrset::signers).cloned());
            zones.insert(zone);
        }
        let is_of_a_zone = |rrset: &&Rrset<'_>| {
            matches!(rrset.record_type(), RecordType::DNSKEY | RecordType::DS)
                && zones.contains(rrset.owner())
        };
        rrsets
            .iter()
            .filter(is_of_a_zone)
            .filter(|rrset| !self.is_asked_for(rrset))
            .collect()
    }

    /// Returns true if this is exactly the RRset that was asked for: it belongs to the answer, and
    /// nowhere else.
    fn is_asked_for(&self, rrset: &Rrset<'_>) -> bool {
        rrset.owner() == self.name && rrset.record_type() == self.record_type
    }

    /// Removes everything that the goal does not need.
    fn shrink<'a>(&mut self, whole: Selection<'a>) -> Selection<'a> {
        let least = self.drop_rrsets(whole);
        self.drop_rrsigs(least)
    }

    /// Tries to remove each RRset, the largest first. Those of the same size are tried in canonical
    /// order.
    fn drop_rrsets<'a>(&mut self, whole: Selection<'a>) -> Selection<'a> {
        let selection = whole;
        let mut order: Vec<usize> = (0..selection.members.len())
            .filter(|index| role_of(&selection, *index) != Some(Role::Answer))
            .collect();
        // The sort is stable, and members are in canonical order.
        order.sort_by_key(|index| {
            Reverse(
                selection
                    .members
                    .get(*index)
                    .map_or(0, |it| it.rrset.weight()),
            )
        });
        let at_once = order.len().div_ceil(SINGLE_TRIALS).max(1);
        let mut pending: Vec<&[usize]> = order.chunks(at_once).rev().collect();
        let mut dropped: BTreeSet<usize> = BTreeSet::new();
        while let Some(batch) = pending.pop() {
            let without = selection.without(|it| dropped.contains(&it) || batch.contains(&it));
            if self.is_enough(&without) {
                dropped.extend(batch);
            } else if batch.len() > 1 {
                let (first, second) = batch.split_at(batch.len() / 2);
                pending.extend([second, first]);
            }
        }
        selection.without(|index| dropped.contains(&index))
    }

    /// Keeps the lightest sufficient set of each RRset's RRSIGs.
    fn drop_rrsigs<'a>(&mut self, selection: Selection<'a>) -> Selection<'a> {
        let rrsets = selection.members.iter().map(|it| it.rrset.clone());
        let rrsets: Vec<Rrset<'a>> = rrsets.collect();
        let mut selection = selection;
        for (index, rrset) in rrsets.into_iter().enumerate() {
            let count = rrset.rrsig_count();
            if count > EXHAUSTIVE_RRSIGS {
                selection = self.drop_rrsigs_one_by_one(selection, index, &rrset);
                continue;
            }
            let lighter = proper_subsets(count, |rrsig| rrset.rrsig_weight(rrsig))
                .into_iter()
                .map(|subset| {
                    selection.with_rrset(index, rrset.with_rrsigs(|it| subset >> it & 1 == 1))
                })
                .find(|lighter| self.is_enough(lighter));
            selection = lighter.unwrap_or(selection);
        }
        selection
    }

    /// Does the same by trying to remove one RRSIG after another, the heaviest first.
    fn drop_rrsigs_one_by_one<'a>(
        &mut self,
        selection: Selection<'a>,
        index: usize,
        rrset: &Rrset<'a>,
    ) -> Selection<'a> {
        let mut order: Vec<usize> = (0..rrset.rrsig_count()).collect();
        order.sort_by_key(|rrsig| Reverse(rrset.rrsig_weight(*rrsig)));
        let mut dropped = BTreeSet::new();
        let mut least = selection;
        for rrsig in order {
            let kept = rrset.with_rrsigs(|it| it != rrsig && !dropped.contains(&it));
            let lighter = least.with_rrset(index, kept);
            if self.is_enough(&lighter) {
                dropped.insert(rrsig);
                least = lighter;
            }
        }
        least
    }

    /// Reduces the selection to one version of each RRset, as a list of records needs, and lowers
    /// the goal to the times at which the rest proves the claim. Fails with the error of the
    /// look-up in that list, if the list proves nothing.
    fn as_record_list<'a>(&mut self, selection: Selection<'a>) -> Result<Selection<'a>, Error> {
        self.trials_left = MAX_TRIALS;
        let mut single = selection;
        let mut is_whole = true;
        while let Some(versions) = several_versions(&single) {
            is_whole = false;
            let mut best = None;
            for version in &versions {
                let alternative =
                    single.without(|index| index != *version && versions.contains(&index));
                let seconds = self.try_out(&alternative).map(|it| seconds_of(&it));
                // Of equal ones the first is kept, which is the lightest.
                if best.as_ref().is_none_or(|(most, _)| seconds > *most) {
                    best = Some((seconds, alternative));
                }
            }
            let Some((_, best)) = best else { break };
            single = best;
        }
        let records = single.to_records().ok_or(TOO_LARGE)?;
        let messages = messages_from_authentication_chain(&records)?;
        let chain = Chain::from_messages(&messages)?;
        let fact = chain.look_up(self.name, self.record_type, self.anchors, self.demand)?;
        let validity = fact.validity().intersect_period(self.demand.period());
        if is_whole && validity.intersect(&self.goal) == self.goal {
            return Ok(single);
        }
        self.form = Form::Records;
        self.goal = validity;
        Ok(self.shrink(single))
    }
}

/// The aliases and the answer that lead from a name to the name of a claim.
#[derive(Clone)]
struct Way<'r, 'a> {
    /// The name that was asked for, and the targets of the aliases.
    names: Vec<Name>,
    /// The aliases in sequence, and the answer if there is one.
    rrsets: Vec<&'r Rrset<'a>>,
}

/// Returns all ways to the claim. An honest chain has one; of a dishonest one, up to
/// [`MAX_ALIAS_STEPS`] names are followed, and the ways are tried until one holds.
fn ways_to<'r, 'a>(
    rrsets: &'r [Rrset<'a>],
    name: &Name,
    record_type: RecordType,
    claim: &Claim,
) -> Vec<Way<'r, 'a>> {
    let at_the_end = |rrset: &&Rrset<'_>| {
        *rrset.owner() == claim.canonical_name && rrset.record_type() == record_type
    };
    let records = rrsets.iter().filter(at_the_end);
    // Insecurity is proven by the denial of a secure delegation. If the cause is opt-out, it may
    // also need records that were expanded from a wildcard.
    let answers: Vec<Option<&Rrset<'_>>> = match &claim.conclusion {
        Conclusion::Records(rdata) => vec![records.clone().find(|rrset| rrset.has_rdata(rdata))],
        Conclusion::Absent(_) => vec![None],
        Conclusion::Insecure(..) => iter::once(None).chain(records.map(Some)).collect(),
    };
    let mut ways = Vec::new();
    let mut pending = vec![Way {
        names: vec![name.clone()],
        rrsets: Vec::new(),
    }];
    for _ in 0..MAX_ALIAS_STEPS {
        let Some(way) = pending.pop() else { break };
        let Some(here) = way.names.last() else { break };
        if *here == claim.canonical_name {
            ways.extend(answers.iter().map(|answer| {
                let mut way = way.clone();
                way.rrsets.extend(answer);
                way
            }));
            continue;
        }
        let further = rrsets.iter().rev().filter_map(|alias| {
            let target = alias.target_of(here)?;
            let mut further = way.clone();
            further.names.push(target);
            further.rrsets.push(alias);
            Some(further)
        });
        pending.extend(further);
    }
    ways
}

fn role_of(selection: &Selection<'_>, index: usize) -> Option<Role> {
    selection.members.get(index).map(|member| member.role)
}

/// Returns the indices of the versions of one RRset, for the first RRset that has several. The
/// answer comes first if it is one of them, then the lightest.
fn several_versions(selection: &Selection<'_>) -> Option<Vec<usize>> {
    let members = &selection.members;
    members.iter().find_map(|member| {
        let versions = members
            .iter()
            .enumerate()
            .filter(|(_, other)| other.rrset.is_version_of(&member.rrset));
        let mut versions: Vec<_> = versions.collect();
        let differ = versions
            .iter()
            .any(|(_, other)| !other.rrset.has_rdata_of(&member.rrset));
        versions.sort_by_key(|(_, other)| (other.role != Role::Answer, other.rrset.weight()));
        differ.then(|| versions.into_iter().map(|(index, _)| index).collect())
    })
}

/// The number of seconds at which something holds.
fn seconds_of(validity: &Validity) -> u64 {
    let seconds = validity
        .periods()
        .iter()
        .map(|it| it.seconds().saturating_add(1));
    seconds.fold(0, u64::saturating_add)
}

/// Returns all proper non-empty subsets of so many items as bits, the lightest first. Those of the
/// same weight are in a fixed order.
fn proper_subsets(count: usize, weight: impl Fn(usize) -> usize) -> Vec<u32> {
    let mut subsets: Vec<u32> = (1..(1_u32 << count) - 1).collect();
    let weight_of = |subset: u32| -> usize {
        (0..count)
            .filter(|index| subset >> index & 1 == 1)
            .map(&weight)
            .sum()
    };
    subsets.sort_by_key(|subset| (weight_of(*subset), *subset));
    subsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validity::Period;

    #[test]
    fn tries_the_lightest_of_all_sets_first() {
        assert_eq!(proper_subsets(0, |_| 1), []);
        assert_eq!(proper_subsets(1, |_| 1), []);
        assert_eq!(proper_subsets(2, |it| [7, 5][it]), [0b10, 0b01]);
        assert_eq!(
            proper_subsets(3, |it| [1, 1, 3][it]),
            [0b001, 0b010, 0b011, 0b100, 0b101, 0b110]
        );
    }

    #[test]
    fn counts_seconds_with_both_ends() {
        let at = |seconds| crate::Timestamp::from_unix_seconds(seconds);
        let period = |from, to| Period::new(at(from), at(to)).unwrap();
        assert_eq!(seconds_of(&Validity::never()), 0);
        let two: Validity = [period(0, 0), period(5, 9)].into_iter().collect();
        assert_eq!(seconds_of(&two), 6);
    }
}
