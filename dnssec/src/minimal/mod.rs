//! Keeping of a chain only what proves the fact.
//!
//! What resolvers say holds more than a proof needs: signatures that are stale or doubled, keys as they were before a
//! rollover and after it, NSEC records that deny what nobody asked for, SOA and NS records. Here the whole is proven
//! first, which says what the fact is and at which seconds of a period it holds. Then everything is tried without: what
//! can go while the fact stays proven at all of those seconds goes. So time wins over size, and nothing is kept or given
//! up because of how it looks; the verifier alone decides.
//!
//! 1. RRsets are gathered from all responses, versions that differ kept apart, RRSIGs over the same data put together.
//! 2. The aliases that lead to where the fact is, and the records there, are looked up among them; the signers of these
//!    say which DNSKEY and DS RRsets can matter, the names on the way which NSEC and NSEC3.
//! 3. RRsets go, the largest first: of two that do the same the lighter stays.
//! 4. RRSIGs go: of each RRset's the lightest set stays that will do. Up to [`EXHAUSTIVE_RRSIGS`] of them all sets are
//!    tried; of more, the heaviest are tried first, one by one.
//!
//! What stays is the least in the sense that nothing more can go, no single RRset and no single RRSIG. That there is no
//! lighter choice of others altogether is not searched for.
//!
//! The same records and signatures give the same octets, in whatever order, letter case and number they come and whatever
//! their TTLs have counted down to: names are written in lower case, TTLs as in the zone, records in canonical order.

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
use crate::error::{Error, Insecurity};
use crate::fact::{Denial, Fact};
use crate::name::Name;
use crate::record::RecordType;
use crate::validity::Validity;

use rrset::{Rrset, collect, is_denial};
use selection::{Member, Role, Selection};

/// Verifications that one search may take. A chain of ten zones as a resolver hands it out, each RRset signed twice, takes
/// about fifty. One that is full of noise has no more than this to spend, and may stay larger than it could be.
const MAX_TRIALS: u32 = 512;
/// RRsets that are tried without one by one. Of more than that several are tried at once, then halves of them.
const SINGLE_TRIALS: usize = 64;
/// Up to so many RRSIGs over one RRset, all sets of them are tried.
const EXHAUSTIVE_RRSIGS: usize = 6;
/// Names that are looked at on the way from a name along its aliases.
const MAX_ALIAS_STEPS: usize = 64;

impl Chain<'_> {
    /// Keeps what proves the same fact about the records of `record_type` at `name` (that these are all, that there are
    /// none, or that the name is insecure) at every second of the demand's period at which the whole chain proves it, and no more. It is written anew, as DNS
    /// messages in a fixed order: the same records and signatures give the same octets.
    ///
    /// There is one message for each question: DS and DNSKEY of each zone from the anchor's down to the signer's; and
    /// last the one that was asked, with aliases and records in the answer section, and what NSEC or NSEC3 records it
    /// takes in the authority section. The SOA record of a denial is left out: it says for how long resolvers may
    /// remember the denial (RFC 2308 §5), and is no part of the proof.
    ///
    /// Of a proof that the name is insecure, unsigned records are left out, too.
    ///
    /// The search takes look-ups, 512 at most. A limit on work ([`Demand::with_most_work`]) is one on each of them.
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

    /// Writes the chain as the `AuthenticationChain` of RFC 9102 §2.3, without the `ExtSupportLifetime` that precedes it
    /// in the TLS extension: a list of uncompressed records, as few as [`Chain::minimal`] keeps. First come the aliases
    /// and records that were asked for and what NSEC or NSEC3 records they take, then the DNSKEY and DS RRsets from there
    /// up to the anchor, each RRset with its RRSIGs behind it and the TTL that it has in its zone.
    ///
    /// Such a list can't hold two versions of one RRset. Where it takes two to prove the fact at all seconds of the period
    /// (a zone's keys from before a rollover and from after it), the one stays that proves it at more of them.
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

/// The chain's own messages, in order, and nothing twice.
fn as_received(chain: &Chain<'_>) -> Vec<Vec<u8>> {
    let messages: BTreeSet<_> = chain.messages().collect();
    messages.into_iter().map(<[u8]>::to_vec).collect()
}

/// A fact without its times.
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
    /// A zone is unsigned, for that cause.
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

/// How what is kept is going to be written, which matters to what it proves.
#[derive(Clone, Copy)]
enum Form {
    Messages,
    Records,
}

/// What is to be proven, and how much of the search is left.
struct Search<'s> {
    name: &'s Name,
    record_type: RecordType,
    anchors: &'s TrustAnchors,
    demand: Demand,
    claim: Claim,
    /// When the claim has to stay proven.
    goal: Validity,
    form: Form,
    trials_left: u32,
}

impl<'s> Search<'s> {
    /// Proves the whole, which sets the goal.
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

    /// At which seconds of the period a selection proves the claim, written and read again; `None` if at none, or if all
    /// trials are spent.
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

    /// Whether a selection proves the claim whenever the whole does.
    fn is_enough(&mut self, selection: &Selection<'_>) -> bool {
        self.try_out(selection)
            .is_some_and(|validity| validity.intersect(&self.goal) == self.goal)
    }

    /// All of a chain that can matter, put in order. `None` if that does not prove the claim: the whole of it does not
    /// fit into the messages that it belongs to, say.
    fn assemble<'a>(&mut self, chain: &Chain<'a>) -> Option<Selection<'a>> {
        let rrsets = collect(chain, self.demand.period());
        for way in ways_to(&rrsets, self.name, self.record_type, &self.claim) {
            // Most answers need no denial, however many a resolver sends along.
            for denials in [&[][..], &rrsets] {
                let selection = self.gather(&rrsets, denials, &way);
                if self.is_enough(&selection) {
                    return Some(selection);
                }
            }
        }
        None
    }

    /// Of all RRsets those that answer by `way`, those of `denials` that can bear on it, and the zones of them all.
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
        // Where aliases lead to keys, which are asked for by themselves as well, once is enough.
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

    /// The DNSKEY and DS RRsets of these zones and of all that lead to them, in canonical order.
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
            // The signer of a DS lies above the zone, so this ends.
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

    /// Whether this is the very RRset that was asked for: it stands in the answer, and nowhere else.
    fn is_asked_for(&self, rrset: &Rrset<'_>) -> bool {
        rrset.owner() == self.name && rrset.record_type() == self.record_type
    }

    /// Drops all that the goal does not need.
    fn shrink<'a>(&mut self, whole: Selection<'a>) -> Selection<'a> {
        let least = self.drop_rrsets(whole);
        self.drop_rrsigs(least)
    }

    /// Tries without each RRset, the largest first; those of the same size in canonical order.
    fn drop_rrsets<'a>(&mut self, whole: Selection<'a>) -> Selection<'a> {
        let selection = whole;
        let mut order: Vec<usize> = (0..selection.members.len())
            .filter(|index| role_of(&selection, *index) != Some(Role::Answer))
            .collect();
        // A stable sort: members are in canonical order.
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

    /// Keeps of each RRset's RRSIGs the lightest set that will do.
    fn drop_rrsigs<'a>(&mut self, selection: Selection<'a>) -> Selection<'a> {
        let mut selection = selection;
        for index in 0..selection.members.len() {
            let Some(rrset) = selection.members.get(index).map(|it| it.rrset.clone()) else {
                continue;
            };
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

    /// The same with one RRSIG after the other, the heaviest first.
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

    /// Makes of it what a list of records can hold, of each RRset one version, with the goal lowered to what can be had
    /// with that. Fails as the list would, if it proves nothing.
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
                // Of equals the first, which is the lightest.
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

/// Aliases and an answer that lead from a name to where a claim is.
#[derive(Clone)]
struct Way<'r, 'a> {
    /// The name that was asked for, and those that aliases led to.
    names: Vec<Name>,
    /// The aliases in their sequence, and the answer if there is one.
    rrsets: Vec<&'r Rrset<'a>>,
}

/// The ways that there are. An honest chain has one; of a dishonest one that many are tried until one holds.
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
    // Insecurity is proven by what denies a secure delegation, and where opt-out is the cause, perhaps together with records
    // that were expanded from a wildcard.
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

/// The indices of the members that are versions of one RRset, the lightest first, for the first RRset that has several.
/// If one is the answer it stands alone for all: no other could be right.
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

/// For how many seconds something holds.
fn seconds_of(validity: &Validity) -> u64 {
    let seconds = validity
        .periods()
        .iter()
        .map(|it| it.seconds().saturating_add(1));
    seconds.fold(0, u64::saturating_add)
}

/// All sets of so many things that lack at least one and have at least one, as bits, the lightest set first; those of the
/// same weight in a fixed order.
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
