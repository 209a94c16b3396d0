//! Authenticated denial of existence: what the NSEC and NSEC3 records of a chain prove (RFC 4035 §5.4, RFC 5155 §8,
//! RFC 6840 §4).
//!
//! A signed denial is a fact wherever it stands, so the records are taken from all sections of all responses. From them
//! [`CandidateProof`]s are made, each a conclusion and the records that it rests on, by names and hashes alone; only then
//! are the signatures of those records verified. A proof holds when all of its records do.

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
use crate::error::{Error, Insecurity};
use crate::fact::Denial;
use crate::message::{CLASS_IN, Record, Response};
use crate::name::Name;
use crate::rdata::{Nsec, Nsec3, Nsec3Hash, TypeBitmap, nsec3_owner_hash};
use crate::record::RecordType;
use crate::validity::Validity;

/// What follows from NSEC or NSEC3 records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Conclusion {
    /// There is no such record.
    Absent(Denial),
    /// No name exists that is closer to the owner than the wildcard that it was expanded from.
    NoCloserName,
    /// The name lies in an unsigned zone, or may do so.
    Insecure { zone: Name, cause: Insecurity },
}

/// A conclusion, and the records that it rests on.
#[derive(Clone, Debug)]
pub(super) struct CandidateProof<'a> {
    pub(super) conclusion: Conclusion,
    pub(super) records: SmallVec<[Rc<SignedDenial<'a>>; 3]>,
}

/// The denying records of a chain that can be read.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    nsec: Vec<Located<'a, Nsec<'a>>>,
    nsec3: Vec<Located<'a, HashedOwner<'a>>>,
}

/// A record and where it stands.
#[derive(Clone, Debug)]
struct Located<'a, D> {
    owner: Name,
    data: D,
    record: Record<'a>,
    /// Which responses of the chain have it, and RRSIGs over it.
    responses: SmallVec<[usize; 1]>,
}

/// An NSEC3 record and what its owner name says.
#[derive(Clone, Debug)]
struct HashedOwner<'a> {
    nsec3: Nsec3<'a>,
    /// `None` if the hash algorithm is unknown: then the length of a hash is unknown, too, and no name can be compared.
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
    /// When it is proven, once that was looked at: several proofs may rest on one record.
    pub(super) outcome: OnceCell<Result<Validity, Error>>,
}

/// The candidate proofs about a name and type.
pub(super) struct DenialProofs<'a> {
    pub(super) candidates: Vec<CandidateProof<'a>>,
    /// Why records about the name are of no use.
    pub(super) failures: Failures,
}

impl<'a> Records<'a> {
    /// Reads them all. What cannot be read, and NSEC3 records with flags of unknown meaning, count for nothing. The same
    /// record in several responses is one: those of a zone's apex come with each of its denials.
    ///
    /// Fails if there are more different ones than any honest chain has.
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

    /// Finds candidate proofs about records of `record_type` at `owner`: that there are none, or that the name lies below an
    /// unsigned delegation.
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

/// Where the records stand that are known already, by their owners and data.
type Places<'a> = HashMap<(Name, &'a [u8]), usize>;

/// Takes a record in, if it can be read; or only notes that another response has it, too.
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

    /// Whether this is the record of the name with that hash (RFC 5155 §8.3: it matches the name).
    fn matches(&self, hash: &Nsec3Hash) -> bool {
        self.hashes.is_some_and(|hashes| hashes.owner == *hash)
    }

    /// Whether the hash lies between those of the record (RFC 5155 §8.3: it covers the name). The last record leads back to
    /// the first.
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

/// What a search looks signatures up in, and what it may cost.
pub(super) struct SearchContext<'w, 'a> {
    pub(super) chain: &'w Chain<'a>,
    pub(super) demand: Demand,
    pub(super) budget: &'w mut Budget,
}

/// A search for candidate proofs.
struct DenialSearch<'w, 'a> {
    context: SearchContext<'w, 'a>,
    proofs: DenialProofs<'a>,
    /// The records whose RRSIGs were looked up so far, by where their data stand.
    looked_up: Vec<(*const u8, SignedDenials<'a>)>,
}

/// A record, once for each zone that signed it.
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

    /// Looks the record's RRSIGs up, once. Returns it with those of each zone that made a usable one.
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
                    // Anybody can put another zone's name into an RRSIG.
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

/// What the record at the very name denies.
fn denial_at(types: TypeBitmap<'_>, record_type: RecordType) -> Option<Denial> {
    if types.contains(RecordType::NXNAME) {
        // A server that signs as it answers makes such a record for a name that is not there (RFC 9824 §3.1).
        return Some(Denial::NxDomain);
    }
    denies_type(types, record_type).then_some(Denial::NoData)
}

/// What the record at the very name, or at the wildcard that would have made it, says of a type.
///
/// It denies the type if neither that nor a CNAME is there (RFC 6840 §4.3), and if it is of the right side of a zone cut:
/// of the parent's for a DS, of the child's for all else (RFC 6840 §4.1).
fn denies_type(types: TypeBitmap<'_>, record_type: RecordType) -> bool {
    let wrong_side = if record_type == RecordType::DS {
        types.contains(RecordType::SOA)
    } else {
        types.is_delegation()
    };
    !wrong_side && !types.contains(record_type) && !types.contains(RecordType::CNAME)
}

/// Whether the record at a name above another says anything of what lies below it: not where another zone begins, nor
/// where a DNAME leads elsewhere (RFC 6840 §4.1, RFC 6672 §5.3.4.1).
fn speaks_for_names_below(types: TypeBitmap<'_>) -> bool {
    !types.is_delegation() && !types.contains(RecordType::DNAME)
}

/// Whether the record at a name shows an unsigned delegation there (RFC 4035 §5.2).
fn is_unsigned_delegation(types: TypeBitmap<'_>) -> bool {
    types.is_delegation() && !types.contains(RecordType::DS)
}

/// Whether the zone that signed may say anything of records of that type at that name: a DS is the zone's above.
fn may_speak_of(zone: &Name, owner: &Name, record_type: RecordType) -> bool {
    owner.is_within(zone) && (record_type != RecordType::DS || owner != zone)
}
