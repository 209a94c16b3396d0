//! Authenticated denial of existence: evaluates the NSEC and NSEC3 records of a chain (RFC 4035
//! §5.4, RFC 5155 §8, RFC 6840 §4).
//!
//! A signed denial is a fact wherever it is, so the records are taken from all sections of all
//! responses. First [`CandidateProof`]s are made from names and hashes alone; each has a conclusion
//! and the records that it depends on. Only then are the signatures of those records verified. A
//! proof holds when all of its records do.

mod nsec;
mod nsec3;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use smallvec::SmallVec;

use super::attempt::Failures;
use super::rrset::{Expansion, SignedRrset};
use crate::budget::{Budget, Exhausted};
use crate::chain::Chain;
use crate::demand::Demand;
use crate::error::Error;
use crate::fact::{Denial, Insecurity};
use crate::message::{CLASS_IN, Record, Response};
use crate::name::Name;
use crate::rdata::{Nsec, Nsec3, Nsec3Hash, TypeBitmap, nsec3_owner_hash};
use crate::record::RecordType;
use crate::validity::Validity;

/// The conclusion of a proof by NSEC or NSEC3 records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Conclusion {
    /// There is no such record.
    Absent(Denial),
    /// No name exists that is closer to the owner than the wildcard that it was expanded from.
    NoCloserName,
    /// The name lies in an unsigned zone, or may do so.
    Insecure { zone: Name, cause: Insecurity },
}

/// A conclusion, and the records that it depends on.
#[derive(Clone, Debug)]
pub(super) struct CandidateProof<'a> {
    pub(super) conclusion: Conclusion,
    pub(super) records: SmallVec<[Rc<SignedDenial<'a>>; 3]>,
}

/// The NSEC and NSEC3 records of a chain that can be read.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    nsec: Vec<Located<'a, Nsec<'a>>>,
    nsec3: Vec<Located<'a, HashedOwner<'a>>>,
}

/// A record and its place in the chain.
#[derive(Clone, Debug)]
struct Located<'a, D> {
    owner: Name,
    data: D,
    record: Record<'a>,
    /// The indices of the chain's responses that have the record and perhaps RRSIGs over it.
    responses: SmallVec<[usize; 1]>,
}

/// An NSEC3 record and the data in its owner name.
#[derive(Clone, Debug)]
struct HashedOwner<'a> {
    nsec3: Nsec3<'a>,
    /// The hashes; `None` if the hash algorithm is unknown. The length of a hash is then unknown
    /// too, and no name can be compared.
    hashes: Option<HashInterval>,
    zone: Name,
}

/// The hash in the owner name of an NSEC3 record, and the next one in its zone.
#[derive(Clone, Copy, Debug)]
struct HashInterval {
    owner: Nsec3Hash,
    next: Nsec3Hash,
}

/// An NSEC or NSEC3 record about the name, with the usable RRSIGs of one zone.
#[derive(Clone, Debug)]
pub(super) struct SignedDenial<'a> {
    pub(super) zone: Name,
    pub(super) rrset: SignedRrset<'a>,
    /// The times at which it is proven, stored once they are known: several proofs may depend on
    /// one record.
    pub(super) outcome: OnceCell<Result<Validity, Error>>,
}

/// The candidate proofs about a name and type.
pub(super) struct DenialProofs<'a> {
    pub(super) candidates: Vec<CandidateProof<'a>>,
    /// The reasons why records about the name are unusable.
    pub(super) failures: Failures,
}

impl<'a> Records<'a> {
    /// Reads all of them. Ignores records that cannot be read, and NSEC3 records with unknown
    /// flags. Equal records in several responses become one: the record of a zone's apex comes with
    /// each of the zone's denials.
    ///
    /// Fails if there are more different records than the limit.
    pub(super) fn read(chain: &Chain<'a>) -> Result<Self, Exhausted> {
        let mut records = Self {
            nsec: Vec::new(),
            nsec3: Vec::new(),
        };
        let (mut nsec, mut nsec3) = (Places::new(), Places::new());
        let responses = chain.responses().iter().enumerate();
        for (response, message) in responses.filter(|(_, message)| message.is_an_answer()) {
            for record in message.records() {
                if record.class() != CLASS_IN {
                    continue;
                }
                match record.record_type() {
                    RecordType::NSEC => {
                        locate(&mut records.nsec, &mut nsec, record, response, |_| {
                            Nsec::parse(record.rdata())
                        });
                    }
                    RecordType::NSEC3 => {
                        locate(&mut records.nsec3, &mut nsec3, record, response, |owner| {
                            HashedOwner::read(owner, record)
                        });
                    }
                    _ => {}
                }
                Budget::check_denial_count(records.nsec.len() + records.nsec3.len())?;
            }
        }
        Ok(records)
    }

    /// Finds candidate proofs that there are no records of `record_type` at `owner`, or that the
    /// name lies below an unsigned delegation.
    pub(super) fn about(
        &self,
        owner: &Name,
        record_type: RecordType,
        context: SearchContext<'_, 'a>,
    ) -> Result<DenialProofs<'a>, Exhausted> {
        let mut search = DenialSearch::new(context);
        nsec::absence(&self.nsec, owner, record_type, &mut search)?;
        nsec3::absence(&self.nsec3, owner, record_type, &mut search)?;
        Ok(search.proofs)
    }

    /// Finds candidate proofs that there is no name in `zone` closer to `owner` than the wildcard below its last `labels`
    /// labels.
    pub(super) fn about_wildcard(
        &self,
        owner: &Name,
        labels: usize,
        zone: &Name,
        context: SearchContext<'_, 'a>,
    ) -> Result<DenialProofs<'a>, Exhausted> {
        let mut search = DenialSearch::new(context);
        nsec::no_closer_name(&self.nsec, owner, labels, zone, &mut search)?;
        nsec3::no_closer_name(&self.nsec3, owner, labels, zone, &mut search)?;
        Ok(search.proofs)
    }
}

/// The indices of the records that are already known, by owner and data.
type Places<'a> = HashMap<(Name, &'a [u8]), usize>;

/// Adds a record, if it can be read. If it is already known, only notes that another response has
/// it too.
fn locate<'a, D>(
    located: &mut Vec<Located<'a, D>>,
    places: &mut Places<'a>,
    record: &Record<'a>,
    response: usize,
    read: impl FnOnce(&Name) -> Option<D>,
) {
    let owner = record.owner();
    let place = (owner.clone(), record.rdata());
    if let Some(known) = places.get(&place).and_then(|place| located.get_mut(*place)) {
        if known.responses.last() != Some(&response) {
            known.responses.push(response);
        }
    } else if let Some(data) = read(&owner) {
        places.insert(place, located.len());
        located.push(Located {
            owner,
            data,
            record: *record,
            responses: SmallVec::from_elem(response, 1),
        });
    }
}

impl<'a> HashedOwner<'a> {
    fn read(owner: &Name, record: &Record<'a>) -> Option<Self> {
        let nsec3 = Nsec3::parse(record.rdata())?;
        if nsec3.has_unknown_flags() {
            return None;
        }
        let hashes = if nsec3.parameters.is_supported() {
            Some(HashInterval {
                owner: nsec3_owner_hash(owner)?,
                next: nsec3.next_hashed_owner.try_into().ok()?,
            })
        } else {
            None
        };
        Some(Self {
            nsec3,
            hashes,
            zone: owner.parent()?,
        })
    }

    /// Returns true if this is the record of the name with that hash (RFC 5155 §8.3: it matches the
    /// name).
    fn matches(&self, hash: &Nsec3Hash) -> bool {
        self.hashes.is_some_and(|hashes| hashes.owner == *hash)
    }

    /// Returns true if the hash lies between those of the record (RFC 5155 §8.3: it covers the
    /// name). The last record leads back to the first.
    fn covers(&self, hash: &Nsec3Hash) -> bool {
        self.hashes.is_some_and(|HashInterval { owner, next }| {
            if owner < next {
                owner < *hash && *hash < next
            } else {
                owner != *hash && (owner < *hash || *hash < next)
            }
        })
    }
}

/// The chain in which a search looks up signatures, and its demand and budget.
pub(super) struct SearchContext<'w, 'a> {
    pub(super) chain: &'w Chain<'a>,
    pub(super) demand: Demand,
    pub(super) budget: &'w mut Budget,
}

/// A search for candidate proofs.
struct DenialSearch<'w, 'a> {
    context: SearchContext<'w, 'a>,
    proofs: DenialProofs<'a>,
    /// The records whose RRSIGs were looked up so far, by the addresses of their data.
    looked_up: Vec<(*const u8, SignedDenials<'a>)>,
}

/// A record, repeated for each zone that signed it.
type SignedDenials<'a> = SmallVec<[Rc<SignedDenial<'a>>; 1]>;

impl<'w, 'a> DenialSearch<'w, 'a> {
    fn new(context: SearchContext<'w, 'a>) -> Self {
        Self {
            context,
            proofs: DenialProofs {
                candidates: Vec::new(),
                failures: Failures::default(),
            },
            looked_up: Vec::new(),
        }
    }

    /// Looks the record's RRSIGs up, once. Returns the record with the usable RRSIGs of each zone.
    fn signed_denials<D>(
        &mut self,
        located: &Located<'a, D>,
    ) -> Result<SignedDenials<'a>, Exhausted> {
        let place = located.record.rdata().as_ptr();
        if let Some((_, known)) = self.looked_up.iter().find(|(other, _)| *other == place) {
            return Ok(known.clone());
        }
        self.context.budget.spend_denial()?;
        let signed = self.look_up_signatures(located)?;
        self.looked_up.push((place, signed.clone()));
        Ok(signed)
    }

    fn look_up_signatures<D>(
        &mut self,
        located: &Located<'a, D>,
    ) -> Result<SignedDenials<'a>, Exhausted> {
        let responses = self.context.chain.responses();
        let places = located.responses.iter();
        let sections = places.filter_map(|place| responses.get(*place));
        let records = sections.clone().map(|response| response.records().len());
        self.context.budget.spend_search(records.sum())?;
        let unchecked = SignedRrset::of_one(
            &located.record,
            &located.owner,
            sections.map(Response::records),
        );
        let usable = unchecked.usable(self.context.demand, Expansion::Refused);
        let Some(rrset) = self.proofs.failures.success_of(usable) else {
            return Ok(SignedDenials::new());
        };
        let mut zones: SmallVec<[&Name; 1]> = SmallVec::new();
        for signer in rrset.signers() {
            if !zones.contains(&signer) {
                if !zones.is_empty() {
                    // Anyone can put another zone's name into an RRSIG.
                    self.context.budget.spend_denial()?;
                }
                zones.push(signer);
            }
        }
        let signed = zones.into_iter().map(|zone| {
            Rc::new(SignedDenial {
                zone: zone.clone(),
                rrset: rrset.signed_by(zone),
                outcome: OnceCell::new(),
            })
        });
        Ok(signed.collect())
    }

    fn conclude<const N: usize>(
        &mut self,
        conclusion: Conclusion,
        records: [&Rc<SignedDenial<'a>>; N],
    ) -> Result<(), Exhausted> {
        const { assert!(N > 0, "a proof rests on some record") };
        self.context.budget.spend_denial()?;
        self.proofs.candidates.push(CandidateProof {
            conclusion,
            records: records.into_iter().cloned().collect(),
        });
        Ok(())
    }
}

/// Returns the denial of a type by the record at the name itself.
fn denial_at(types: TypeBitmap<'_>, record_type: RecordType) -> Option<Denial> {
    if types.contains(RecordType::NXNAME) {
        // A server that signs on demand makes such a record for a name that does not exist (RFC
        // 9824 §3.1).
        return Some(Denial::NxDomain);
    }
    denies_type(types, record_type).then_some(Denial::NoData)
}

/// Returns true if the record at the name itself, or at the wildcard that would match it, denies a
/// type.
///
/// The record denies the type if neither that type nor a CNAME is there (RFC 6840 §4.3). It must
/// also be from the correct side of a zone cut: from the parent's for a DS, from the child's for
/// any other type (RFC 6840 §4.1).
fn denies_type(types: TypeBitmap<'_>, record_type: RecordType) -> bool {
    let wrong_side = if record_type == RecordType::DS {
        types.contains(RecordType::SOA)
    } else {
        types.is_delegation()
    };
    !wrong_side && !types.contains(record_type) && !types.contains(RecordType::CNAME)
}

/// Returns true if a record can deny names below its owner. It cannot where another zone begins or
/// a DNAME leads elsewhere (RFC 6840 §4.1, RFC 6672 §5.3.4.1).
fn speaks_for_names_below(types: TypeBitmap<'_>) -> bool {
    !types.is_delegation() && !types.contains(RecordType::DNAME)
}

/// Returns true if the record at a name shows an unsigned delegation there (RFC 4035 §5.2).
fn is_unsigned_delegation(types: TypeBitmap<'_>) -> bool {
    types.is_delegation() && !types.contains(RecordType::DS)
}

/// Returns true if the signing zone can hold records of that type at that name: a DS belongs to the
/// zone above.
fn may_speak_of(zone: &Name, owner: &Name, record_type: RecordType) -> bool {
    owner.is_within(zone) && (record_type != RecordType::DS || owner != zone)
}
