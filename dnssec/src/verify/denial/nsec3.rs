//! Proofs by NSEC3 records (RFC 5155 §8).

use std::collections::HashMap;
use std::rc::Rc;

use super::{
    Conclusion, DenialSearch, HashedOwner, Located, SignedDenial, SignedDenials, denial_at,
    denies_type, is_unsigned_delegation, may_speak_of, speaks_for_names_below,
};
use crate::budget::Exhausted;
use crate::fact::{Denial, Insecurity};
use crate::name::Name;
use crate::rdata::{Nsec3Hash, Nsec3Parameters};
use crate::record::RecordType;

type Nsec3Record<'a> = Located<'a, HashedOwner<'a>>;

/// The limit above which a zone counts as unsigned (RFC 9276 §3.2 lets validators choose; others
/// chose the same).
const MAX_ITERATIONS: u16 = 100;
/// The number of records that are tried to prove that.
const MAX_TRIED: usize = 8;
/// The octets in a block of SHA-1, and below them the minimum for padding and length.
const SHA_1_BLOCK_OCTETS: usize = 64;
const SHA_1_PADDING_OCTETS: usize = 9;

/// The records of one zone with the same hash parameters. Only records of one such chain can be
/// combined in a proof.
struct HashChain<'r, 'a> {
    zone: &'r Name,
    parameters: Nsec3Parameters<'a>,
    records: Vec<&'r Nsec3Record<'a>>,
}

/// Finds proofs that there is no record of the type at the name, or that the name lies below an unsigned delegation.
pub(super) fn absence<'a>(
    records: &[Nsec3Record<'a>],
    owner: &Name,
    record_type: RecordType,
    search: &mut DenialSearch<'_, 'a>,
) -> Result<(), Exhausted> {
    for chain in hash_chains(records) {
        if may_speak_of(chain.zone, owner, record_type) && chain.can_be_read(search)? {
            chain.absence(owner, record_type, search)?;
        }
    }
    Ok(())
}

/// Finds proofs that no name exists between `owner` and the wildcard below its last `labels`
/// labels: the next closer name is covered (RFC 5155 §8.8).
pub(super) fn no_closer_name<'a>(
    records: &[Nsec3Record<'a>],
    owner: &Name,
    labels: usize,
    zone: &Name,
    search: &mut DenialSearch<'_, 'a>,
) -> Result<(), Exhausted> {
    let Some(next_closer) = owner.suffix(labels + 1) else {
        return Ok(());
    };
    for chain in hash_chains(records) {
        if chain.zone != zone || !chain.can_be_read(search)? {
            continue;
        }
        let hash = chain.hash(&next_closer, search)?;
        for record in chain.covering(&hash) {
            let conclusion = if record.data.nsec3.is_opt_out() {
                opt_out(&next_closer)
            } else {
                Conclusion::NoCloserName
            };
            for signed in chain.signed_denials(record, search)? {
                search.conclude(conclusion.clone(), [&signed])?;
            }
        }
    }
    Ok(())
}

/// Groups the records by zone and parameters.
fn hash_chains<'r, 'a>(records: &'r [Nsec3Record<'a>]) -> Vec<HashChain<'r, 'a>> {
    let mut chains: Vec<HashChain<'r, 'a>> = Vec::new();
    let mut places = HashMap::new();
    for record in records {
        let HashedOwner { nsec3, zone, .. } = &record.data;
        let place = *places
            .entry((zone, nsec3.parameters))
            .or_insert(chains.len());
        match chains.get_mut(place) {
            Some(chain) => chain.records.push(record),
            None => chains.push(HashChain {
                zone,
                parameters: nsec3.parameters,
                records: vec![record],
            }),
        }
    }
    chains
}

/// The conclusion from an opt-out span: there may be unsigned delegations in it, so nothing is
/// proven about its names (RFC 5155 §9.2).
fn opt_out(next_closer: &Name) -> Conclusion {
    Conclusion::Insecure {
        zone: next_closer.clone(),
        cause: Insecurity::OptOut,
    }
}

impl<'r, 'a> HashChain<'r, 'a> {
    /// Returns true if names can be hashed with these parameters at a reasonable cost. Otherwise
    /// the zone counts as unsigned.
    fn can_be_read(&self, search: &mut DenialSearch<'_, 'a>) -> Result<bool, Exhausted> {
        let cause = if !self.parameters.is_supported() {
            Insecurity::Nsec3Hash
        } else if self.parameters.iterations > MAX_ITERATIONS {
            Insecurity::Nsec3Iterations
        } else {
            return Ok(true);
        };
        let insecure = Conclusion::Insecure {
            zone: self.zone.clone(),
            cause,
        };
        // Any record proves it, but the first one may be stale.
        for record in self.records.iter().take(MAX_TRIED) {
            for signed in self.signed_denials(record, search)? {
                search.conclude(insecure.clone(), [&signed])?;
            }
        }
        Ok(false)
    }

    /// Examines the name, then the names above it up to the zone's.
    fn absence(
        &self,
        owner: &Name,
        record_type: RecordType,
        search: &mut DenialSearch<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let hash = self.hash(owner, search)?;
        for record in self.matching(&hash) {
            self.denial_at(record, owner, record_type, search)?;
        }
        let mut next_closer = owner.clone();
        let mut next_closer_hash = hash;
        while next_closer != *self.zone
            && let Some(encloser) = next_closer.parent()
        {
            let encloser_hash = self.hash(&encloser, search)?;
            let cover: Vec<_> = self.covering(&next_closer_hash).collect();
            let covered = (&next_closer, &cover[..]);
            for record in self.matching(&encloser_hash) {
                self.denial_below((&encloser, record), covered, record_type, search)?;
            }
            next_closer = encloser;
            next_closer_hash = encloser_hash;
        }
        Ok(())
    }

    /// Finds proofs in the record that matches the name (RFC 5155 §8.5 and §8.6).
    fn denial_at(
        &self,
        record: &Nsec3Record<'a>,
        owner: &Name,
        record_type: RecordType,
        search: &mut DenialSearch<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let types = record.data.nsec3.types;
        for signed in self.signed_denials(record, search)? {
            if is_unsigned_delegation(types) && record_type != RecordType::DS {
                search.conclude(no_ds(owner), [&signed])?;
            }
            if let Some(denial) = denial_at(types, record_type) {
                search.conclude(Conclusion::Absent(denial), [&signed])?;
            }
        }
        Ok(())
    }

    /// Finds proofs in the record that matches a name above the one that was asked for: that this
    /// name above is delegated without a DS, or that it is the closest encloser, because the next
    /// closer name is covered (RFC 5155 §8.3). The latter is combined with the records about the
    /// wildcard below it.
    fn denial_below(
        &self,
        (encloser, at_encloser): (&Name, &Nsec3Record<'a>),
        (next_closer, cover): (&Name, &[&'r Nsec3Record<'a>]),
        record_type: RecordType,
        search: &mut DenialSearch<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let types = at_encloser.data.nsec3.types;
        for of_encloser in self.signed_denials(at_encloser, search)? {
            if is_unsigned_delegation(types) {
                search.conclude(no_ds(encloser), [&of_encloser])?;
            }
            if !speaks_for_names_below(types) {
                continue;
            }
            for covering in cover {
                for of_next_closer in self.signed_denials(covering, search)? {
                    let records = [&of_encloser, &of_next_closer];
                    if covering.data.nsec3.is_opt_out() {
                        search.conclude(opt_out(next_closer), records)?;
                    } else {
                        self.denial_by_wildcard(encloser, records, record_type, search)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Finds proofs that the wildcard below the closest encloser does not exist (RFC 5155 §8.4) or
    /// lacks the type (§8.7).
    fn denial_by_wildcard(
        &self,
        encloser: &Name,
        [of_encloser, of_next_closer]: [&Rc<SignedDenial<'a>>; 2],
        record_type: RecordType,
        search: &mut DenialSearch<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let Some(wildcard) = encloser.wildcard() else {
            return Ok(());
        };
        let hash = self.hash(&wildcard, search)?;
        let lacking = self
            .matching(&hash)
            .filter(|record| denies_type(record.data.nsec3.types, record_type))
            .map(|record| (record, Conclusion::Absent(Denial::NoData)));
        // The opt-out flag of this record does not matter, because a wildcard is not a delegation
        // (RFC 5155 §9.2 is only about the next closer name).
        let covering = self
            .covering(&hash)
            .map(|record| (record, Conclusion::Absent(Denial::NxDomain)));
        for (record, conclusion) in lacking.chain(covering) {
            for of_wildcard in self.signed_denials(record, search)? {
                let records = [of_encloser, of_next_closer, &of_wildcard];
                search.conclude(conclusion.clone(), records)?;
            }
        }
        Ok(())
    }

    /// The record as signed by the zone in its owner name, not by any other.
    fn signed_denials(
        &self,
        record: &Nsec3Record<'a>,
        search: &mut DenialSearch<'_, 'a>,
    ) -> Result<SignedDenials<'a>, Exhausted> {
        let mut looked_up = search.signed_denials(record)?;
        looked_up.retain(|signed| signed.zone == *self.zone);
        Ok(looked_up)
    }

    fn hash(&self, name: &Name, search: &mut DenialSearch<'_, 'a>) -> Result<Nsec3Hash, Exhausted> {
        let blocks = hash_blocks(name.as_wire().len(), &self.parameters);
        search.context.budget.spend_hash_blocks(blocks)?;
        Ok(self.parameters.hash(name))
    }

    fn matching(&self, hash: &Nsec3Hash) -> impl Iterator<Item = &'r Nsec3Record<'a>> {
        let hash = *hash;
        let records = self.records.iter().copied();
        records.filter(move |record| record.data.matches(&hash))
    }

    fn covering(&self, hash: &Nsec3Hash) -> impl Iterator<Item = &'r Nsec3Record<'a>> {
        let hash = *hash;
        let records = self.records.iter().copied();
        records.filter(move |record| record.data.covers(&hash))
    }
}

/// Returns the number of SHA-1 blocks that the hash of a name of so many octets takes (RFC 5155 §5,
/// RFC 3174 §4).
fn hash_blocks(name_octets: usize, parameters: &Nsec3Parameters<'_>) -> u32 {
    let blocks = |octets: usize| {
        (octets + parameters.salt.len() + SHA_1_PADDING_OCTETS).div_ceil(SHA_1_BLOCK_OCTETS)
    };
    let first = blocks(name_octets);
    let each_again = blocks(size_of::<Nsec3Hash>());
    let all = first + usize::from(parameters.iterations) * each_again;
    u32::try_from(all).unwrap_or(u32::MAX)
}

/// The conclusion that the name is delegated and that its DS does not exist.
fn no_ds(zone: &Name) -> Conclusion {
    Conclusion::Insecure {
        zone: zone.clone(),
        cause: Insecurity::NoDs,
    }
}

#[cfg(test)]
mod tests {
    use super::hash_blocks;
    use crate::rdata::Nsec3Parameters;

    /// A block has 64 octets, nine of which are padding and length, and a hash has 20.
    #[test]
    fn counts_the_blocks_of_a_hash() {
        let salt = [0; 255];
        for (name_octets, salt_octets, iterations, blocks) in [
            (1, 0, 0, 1),
            (55, 0, 0, 1),
            (56, 0, 0, 2),
            (55, 1, 0, 2),
            (255, 0, 0, 5),
            (255, 255, 0, 9),
            (1, 0, 1, 2),
            (1, 35, 10, 11),
            (1, 36, 10, 21),
            (56, 35, 10, 12),
            (255, 255, 65_535, 9 + 5 * 65_535),
        ] {
            let parameters = Nsec3Parameters {
                hash_algorithm: 1,
                iterations,
                salt: &salt[..salt_octets],
            };
            let counted = hash_blocks(name_octets, &parameters);
            assert_eq!(counted, blocks, "{name_octets} {salt_octets} {iterations}");
        }
    }
}
