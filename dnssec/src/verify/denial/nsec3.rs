//! What NSEC3 records prove (RFC 5155 §8).

use std::collections::HashMap;
use std::rc::Rc;

use super::{
    Admitted, Conclusion, Evidence, HashedOwner, Hearing, Located, denial_at, denies_type,
    is_unsigned_delegation, may_speak_of, speaks_for_names_below,
};
use crate::budget::Exhausted;
use crate::error::Insecurity;
use crate::name::Name;
use crate::rdata::{Nsec3Hash, Nsec3Parameters};
use crate::record::RecordType;
use crate::verify::fact::Denial;

type Nsec3Record<'a> = Located<'a, HashedOwner<'a>>;

/// More make a zone count as unsigned (RFC 9276 §3.2 lets validators choose; this is what others chose).
const MAX_ITERATIONS: u16 = 100;
/// How many records are tried that would show that.
const WITNESSES: usize = 8;
/// Octets that a block of SHA-1 takes, and those that padding and length need at least.
const SHA_1_BLOCK_OCTETS: usize = 64;
const SHA_1_PADDING_OCTETS: usize = 9;

/// The records of one zone whose names are hashed alike. Only together do they say anything.
struct HashChain<'r, 'a> {
    zone: &'r Name,
    parameters: Nsec3Parameters<'a>,
    records: Vec<&'r Nsec3Record<'a>>,
}

/// Argues that there is no record of the type at the name, or that the name lies below an unsigned delegation.
pub(super) fn absence<'a>(
    records: &[Nsec3Record<'a>],
    owner: &Name,
    record_type: RecordType,
    hearing: &mut Hearing<'_, 'a>,
) -> Result<(), Exhausted> {
    for chain in hash_chains(records) {
        if may_speak_of(chain.zone, owner, record_type) && chain.can_be_read(hearing)? {
            chain.absence(owner, record_type, hearing)?;
        }
    }
    Ok(())
}

/// Argues that no name exists between `owner` and the wildcard below its last `labels` labels: the next closer name is
/// covered (RFC 5155 §8.8).
pub(super) fn no_closer_name<'a>(
    records: &[Nsec3Record<'a>],
    owner: &Name,
    labels: usize,
    zone: &Name,
    hearing: &mut Hearing<'_, 'a>,
) -> Result<(), Exhausted> {
    let Some(next_closer) = owner.suffix(labels + 1) else {
        return Ok(());
    };
    for chain in hash_chains(records) {
        if chain.zone != zone || !chain.can_be_read(hearing)? {
            continue;
        }
        let hash = chain.hash(&next_closer, hearing)?;
        for record in chain.covering(&hash) {
            let conclusion = if record.data.nsec3.is_opt_out() {
                opt_out(&next_closer)
            } else {
                Conclusion::NoCloserName
            };
            for evidence in chain.admit(record, hearing)? {
                hearing.conclude(conclusion.clone(), [&evidence])?;
            }
        }
    }
    Ok(())
}

/// Sorts the records by zone and parameters.
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

/// In an opt-out span there may be unsigned delegations, so nothing is proven about names in it (RFC 5155 §9.2).
fn opt_out(next_closer: &Name) -> Conclusion {
    Conclusion::Insecure {
        zone: next_closer.clone(),
        cause: Insecurity::OptOut,
    }
}

impl<'r, 'a> HashChain<'r, 'a> {
    /// Whether names can be hashed as this zone does, at a reasonable price. If not, the zone counts as unsigned.
    fn can_be_read(&self, hearing: &mut Hearing<'_, 'a>) -> Result<bool, Exhausted> {
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
        // Any one of them shows it, and the first may be stale.
        for record in self.records.iter().take(WITNESSES) {
            for evidence in self.admit(record, hearing)? {
                hearing.conclude(insecure.clone(), [&evidence])?;
            }
        }
        Ok(false)
    }

    /// Looks at the name, then at the names above it up to the zone's.
    fn absence(
        &self,
        owner: &Name,
        record_type: RecordType,
        hearing: &mut Hearing<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let hash = self.hash(owner, hearing)?;
        for record in self.matching(&hash) {
            self.denial_at(record, owner, record_type, hearing)?;
        }
        let mut next_closer = owner.clone();
        let mut next_closer_hash = hash;
        while next_closer != *self.zone {
            let Some(encloser) = next_closer.parent() else {
                break;
            };
            let encloser_hash = self.hash(&encloser, hearing)?;
            let cover: Vec<_> = self.covering(&next_closer_hash).collect();
            for record in self.matching(&encloser_hash) {
                self.denial_below(
                    (&encloser, record),
                    (&next_closer, &cover),
                    record_type,
                    hearing,
                )?;
            }
            next_closer = encloser;
            next_closer_hash = encloser_hash;
        }
        Ok(())
    }

    /// Argues from the record at the very name (RFC 5155 §8.5 and §8.6).
    fn denial_at(
        &self,
        record: &Nsec3Record<'a>,
        owner: &Name,
        record_type: RecordType,
        hearing: &mut Hearing<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let types = record.data.nsec3.types;
        for evidence in self.admit(record, hearing)? {
            if is_unsigned_delegation(types) && record_type != RecordType::DS {
                hearing.conclude(no_ds(owner), [&evidence])?;
            }
            if let Some(denial) = denial_at(types, record_type) {
                hearing.conclude(Conclusion::Absent(denial), [&evidence])?;
            }
        }
        Ok(())
    }

    /// Argues from the record at a name above: that it delegates without a DS; or that it is the closest encloser, since
    /// the next closer name is covered (RFC 5155 §8.3), and what there is about the wildcard below it.
    fn denial_below(
        &self,
        (encloser, at_encloser): (&Name, &Nsec3Record<'a>),
        (next_closer, cover): (&Name, &[&'r Nsec3Record<'a>]),
        record_type: RecordType,
        hearing: &mut Hearing<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let types = at_encloser.data.nsec3.types;
        for of_encloser in self.admit(at_encloser, hearing)? {
            if is_unsigned_delegation(types) {
                hearing.conclude(no_ds(encloser), [&of_encloser])?;
            }
            if !speaks_for_names_below(types) {
                continue;
            }
            for covering in cover {
                for of_next_closer in self.admit(covering, hearing)? {
                    let premises = [&of_encloser, &of_next_closer];
                    if covering.data.nsec3.is_opt_out() {
                        hearing.conclude(opt_out(next_closer), premises)?;
                    } else {
                        self.denial_by_wildcard(encloser, premises, record_type, hearing)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Argues that the wildcard below the closest encloser does not exist (RFC 5155 §8.4), or lacks the type (§8.7).
    fn denial_by_wildcard(
        &self,
        encloser: &Name,
        [of_encloser, of_next_closer]: [&Rc<Evidence<'a>>; 2],
        record_type: RecordType,
        hearing: &mut Hearing<'_, 'a>,
    ) -> Result<(), Exhausted> {
        let Some(wildcard) = encloser.wildcard() else {
            return Ok(());
        };
        let hash = self.hash(&wildcard, hearing)?;
        let lacking = self
            .matching(&hash)
            .filter(|record| denies_type(record.data.nsec3.types, record_type))
            .map(|record| (record, Conclusion::Absent(Denial::NoData)));
        // That this one may span unsigned delegations does not matter: a wildcard is none (RFC 5155 §9.2 speaks of the
        // next closer name alone).
        let covering = self
            .covering(&hash)
            .map(|record| (record, Conclusion::Absent(Denial::NxDomain)));
        for (record, conclusion) in lacking.chain(covering) {
            for of_wildcard in self.admit(record, hearing)? {
                let premises = [of_encloser, of_next_closer, &of_wildcard];
                hearing.conclude(conclusion.clone(), premises)?;
            }
        }
        Ok(())
    }

    /// Evidence of the zone that the record's owner name names, and of no other.
    fn admit(
        &self,
        record: &Nsec3Record<'a>,
        hearing: &mut Hearing<'_, 'a>,
    ) -> Result<Admitted<'a>, Exhausted> {
        let mut admitted = hearing.admit(record)?;
        admitted.retain(|evidence| evidence.zone == *self.zone);
        Ok(admitted)
    }

    fn hash(&self, name: &Name, hearing: &mut Hearing<'_, 'a>) -> Result<Nsec3Hash, Exhausted> {
        let salt = self.parameters.salt.len();
        let blocks =
            |octets: usize| (octets + salt + SHA_1_PADDING_OCTETS).div_ceil(SHA_1_BLOCK_OCTETS);
        let again = usize::from(self.parameters.iterations) * blocks(size_of::<Nsec3Hash>());
        let all = blocks(name.as_wire().len()) + again;
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        hearing.witnesses.budget.spend_hash_blocks(all)?;
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

/// The name is delegated, and its DS does not exist.
fn no_ds(zone: &Name) -> Conclusion {
    Conclusion::Insecure {
        zone: zone.clone(),
        cause: Insecurity::NoDs,
    }
}
