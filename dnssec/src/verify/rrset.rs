//! An RRset with its signatures: finds it in a response, and checks its RRSIGs, first without keys
//! and then with them (RFC 4035 §5.3).
//!
//! Inexpensive checks come first, so that no key is tried on a signature that cannot prove
//! anything. So the conditions of RFC 4035 §5.3.1 on an RRSIG are enforced in several places:
//!
//! | RFC 4035 §5.3.1 | enforced by |
//! |---|---|
//! | The RRSIG and the RRset have the same owner name and class. | `rrsigs_over`, `belongs_to` |
//! | The Signer's Name is the zone that contains the RRset. | `may_be_signed_by`, `good_signatures` |
//! | The Type Covered is the RRset's type. | `rrsigs_over` |
//! | The owner name has at least as many labels as the Labels field says. | `check_without_key` |
//! | The current time is not after the Expiration field. Here: some second of the period demanded is not. | `check_without_key` |
//! | The current time is not before the Inception field. Here: that second is not, either. | `check_without_key` |
//! | The Signer's Name, Algorithm and Key Tag match a DNSKEY at the apex of the zone. | `good_signatures`, `check_signature` |
//! | That DNSKEY is in the zone's apex DNSKEY RRset and has the Zone Flag bit set. | `prove_keys`, `signing_keys`, `may_sign` |
//! | Of several DNSKEYs that match, each is tried until one verifies the signature. | `check_signature` |

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use super::attempt::{Attempt, Failures};
use super::delegation::{Key, Zone};
use super::zones::Zones;
use crate::budget::Budget;
use crate::chain::keep_each_once;
use crate::crypto::signature;
use crate::demand::Demand;
use crate::error::{Error, RrsetId, RrsigId};
use crate::message::{CLASS_IN, Record, Response};
use crate::name::Name;
use crate::rdata::Rrsig;
use crate::record::RecordType;
use crate::validity::{Period, Validity};
use crate::work::Work;

/// The data of an RRset's records: usually one TXT or DS record, or a key-signing key and a
/// zone-signing key.
type Rdata<'a> = SmallVec<[Cow<'a, [u8]>; 2]>;

/// An RRset and the RRSIGs over it.
#[derive(Clone, Debug)]
pub(super) struct SignedRrset<'a> {
    owner: Name,
    record_type: RecordType,
    /// The data, in canonical form and order, without duplicates.
    rdata: Rdata<'a>,
    rrsigs: SmallVec<[WindowedRrsig<'a>; 1]>,
}

/// An RRSIG and the period for which it is valid.
#[derive(Clone, Debug)]
struct WindowedRrsig<'a> {
    rrsig: Rrsig<'a>,
    window: Period,
}

/// An RRset whose RRSIGs are not checked yet.
#[derive(Clone, Debug)]
pub(super) struct UncheckedRrset<'a> {
    rrset: SignedRrset<'a>,
    rrsigs: Rrsigs<'a>,
}

type Rrsigs<'a> = SmallVec<[Rrsig<'a>; 1]>;

/// The permission for an RRset to be expanded from a wildcard. RRsets that delegate or deny do not
/// have it. What a wildcard says about a name holds only if there is no closer name, and these
/// RRsets are what proves that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expansion {
    Allowed,
    Refused,
}

/// The data that a signature covers. Those of most RRsets need no heap allocation: a TXT record and
/// a DS take one or two hundred octets, three RSA keys of 2,048 bits less than 900.
type SignedData = SmallVec<[u8; 1024]>;

/// An RRSIG that verified.
#[derive(Clone, Debug)]
pub(super) struct GoodSignature<'s> {
    pub(super) signer: &'s Name,
    /// The number of the owner's labels that were signed (RFC 4034 §3.1.3).
    pub(super) labels: usize,
    pub(super) validity: Validity,
}

type GoodSignatures<'s> = SmallVec<[GoodSignature<'s>; 1]>;

impl GoodSignature<'_> {
    /// Returns true if both are by the same zone and, if over a wildcard, over the same one.
    pub(super) fn is_of_same_wildcard(&self, other: &Self) -> bool {
        self.signer == other.signer && self.labels == other.labels
    }
}

impl<'a> SignedRrset<'a> {
    /// Finds the RRset that `response` answers with. Only the answer section and class IN count.
    pub(super) fn find(
        response: &Response<'a>,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<UncheckedRrset<'a>, Error> {
        let id = || RrsetId {
            owner: owner.clone(),
            record_type,
        };
        if !response.is_an_answer() {
            return Err(Error::ResponseCode {
                rrset: id(),
                response_code: response.response_code(),
            });
        }
        Self::find_among(response.answers(), owner, record_type)?
            .ok_or_else(|| Error::UnprovenDenial(id()))
    }

    /// Finds the RRset among the records of a section. Returns `None` if it is not there.
    pub(super) fn find_among(
        section: &[Record<'a>],
        owner: &Name,
        record_type: RecordType,
    ) -> Result<Option<UncheckedRrset<'a>>, Error> {
        let data = section
            .iter()
            .filter(|record| record.belongs_to(owner, record_type));
        let mut rdata = data
            .map(Record::canonical_rdata)
            .collect::<Option<Rdata<'_>>>()
            .ok_or_else(|| {
                Error::MalformedRecord(RrsetId {
                    owner: owner.clone(),
                    record_type,
                })
            })?;
        if rdata.is_empty() {
            return Ok(None);
        }
        // Canonical order is the order of the octets, and duplicates count once (RFC 4034 §6.3).
        rdata.sort_unstable();
        rdata.dedup();
        Ok(Some(UncheckedRrset {
            rrset: Self {
                owner: owner.clone(),
                record_type,
                rdata,
                rrsigs: SmallVec::new(),
            },
            rrsigs: rrsigs_over(section, owner, record_type),
        }))
    }

    /// Makes an RRset of one record, as NSEC and NSEC3 records are. Its RRSIGs are taken from all
    /// `sections`.
    pub(super) fn of_one<'s>(
        record: &Record<'a>,
        owner: &Name,
        sections: impl Iterator<Item = &'s [Record<'a>]>,
    ) -> UncheckedRrset<'a>
    where
        'a: 's,
    {
        let record_type = record.record_type();
        UncheckedRrset {
            rrset: Self {
                owner: owner.clone(),
                record_type,
                rdata: smallvec![Cow::Borrowed(record.rdata())],
                rrsigs: SmallVec::new(),
            },
            rrsigs: sections
                .flat_map(|records| rrsigs_over(records, owner, record_type))
                .collect(),
        }
    }

    /// Returns the same RRset with only the RRSIGs of one zone.
    pub(super) fn signed_by(&self, zone: &Name) -> Self {
        let own = |windowed: &&WindowedRrsig<'a>| windowed.rrsig.signer == *zone;
        Self {
            owner: self.owner.clone(),
            record_type: self.record_type,
            rdata: self.rdata.clone(),
            rrsigs: self.rrsigs.iter().filter(own).cloned().collect(),
        }
    }

    pub(super) fn owner(&self) -> &Name {
        &self.owner
    }

    pub(super) fn rdata(&self) -> &[Cow<'a, [u8]>] {
        &self.rdata
    }

    /// The data of a type without names. Canonical form leaves such data as they were received.
    pub(super) fn borrowed_rdata(&self) -> impl Iterator<Item = &'a [u8]> {
        self.rdata.iter().filter_map(|rdata| match rdata {
            Cow::Borrowed(received) => Some(*received),
            Cow::Owned(_) => None,
        })
    }

    pub(super) fn into_rdata(self) -> Vec<Cow<'a, [u8]>> {
        self.rdata.into_vec()
    }

    pub(super) fn id(&self) -> RrsetId {
        RrsetId {
            owner: self.owner.clone(),
            record_type: self.record_type,
        }
    }

    /// The zones that made the usable RRSIGs.
    pub(super) fn signers(&self) -> impl Iterator<Item = &Name> {
        self.rrsigs.iter().map(|windowed| &windowed.rrsig.signer)
    }

    /// Verifies the RRset with the keys of the zones that signed it. It is valid at the times of
    /// any of its RRSIGs together with that RRSIG's key.
    pub(super) fn verify(&self, zones: &Zones<'_>, budget: &mut Budget) -> Attempt<Validity> {
        Ok(self
            .good_signatures(zones, budget)?
            .map(|good| union(&good)))
    }

    /// Verifies the RRset with only these keys.
    pub(super) fn verify_with(&self, keys: &[Key<'_>], budget: &mut Budget) -> Attempt<Validity> {
        let good = self.check_signatures(budget, |_| Ok(keys))?;
        Ok(good.map(|good| union(&good)))
    }

    /// Returns the RRSIGs that verify with the keys of the zones that made them. If there are none,
    /// returns the reason.
    pub(super) fn good_signatures(
        &self,
        zones: &Zones<'_>,
        budget: &mut Budget,
    ) -> Attempt<GoodSignatures<'_>> {
        self.check_signatures(budget, |rrsig| {
            // A zone that was not examined has no keys.
            let unknown = || Error::NoMatchingKey(Box::new(self.rrsig_id(rrsig)));
            let zone = zones.get(&rrsig.signer).ok_or_else(unknown)?;
            zone.as_ref().map(Zone::keys).map_err(Error::clone)
        })
    }

    fn check_signatures<'k, 'm: 'k>(
        &self,
        budget: &mut Budget,
        keys_of: impl Fn(&Rrsig<'a>) -> Result<&'k [Key<'m>], Error>,
    ) -> Attempt<GoodSignatures<'_>> {
        let mut good = GoodSignatures::new();
        let mut failures = Failures::default();
        let mut rrsigs: SmallVec<[&WindowedRrsig<'a>; 4]> = self.rrsigs.iter().collect();
        if budget.is_tight() {
            rrsigs.sort_by_key(|windowed| Work::of_least_check(windowed.rrsig.algorithm));
        }
        for WindowedRrsig { rrsig, window } in rrsigs {
            let outcome = match keys_of(rrsig) {
                Ok(keys) => self.check_signature(rrsig, *window, keys, budget)?,
                Err(failure) => Err(failure),
            };
            let Some(validity) = failures.success_of(outcome) else {
                continue;
            };
            let labels = rrsig.labels.into();
            // An expansion from a wildcard also needs the proof that there is no closer name, which
            // may fail.
            let is_enough = labels == self.owner.rrsig_labels() && budget.is_enough(&validity);
            good.push(GoodSignature {
                signer: &rrsig.signer,
                labels,
                validity,
            });
            if is_enough {
                break;
            }
        }
        Ok(if good.is_empty() {
            Err(failures.furthest_or(|| Error::NoRrsig(self.id())))
        } else {
            Ok(good)
        })
    }

    /// Tries the keys that may have made the RRSIG: the tag and the algorithm are equal, and the
    /// key is proven at some second of the RRSIG's window (RFC 4035 §5.3.1). Tags can collide, so
    /// there may be several such keys.
    fn check_signature(
        &self,
        rrsig: &Rrsig<'a>,
        window: Period,
        keys: &[Key<'_>],
        budget: &mut Budget,
    ) -> Attempt<Validity> {
        let mut failures = Failures::default();
        let mut signed_data = SignedData::new();
        for key in keys {
            if key.tag != rrsig.key_tag || key.dnskey.algorithm != rrsig.algorithm {
                continue;
            }
            budget.spend_candidate()?;
            let together = key.validity.intersect_period(window);
            if together.is_never() {
                // The failure of another key with that tag and algorithm may be more informative.
                if failures.is_empty() {
                    failures.add(Error::KeyNotValidThen {
                        rrsig: Box::new(self.rrsig_id(rrsig)),
                        window,
                        key_validity: key.validity.clone(),
                    });
                }
                continue;
            }
            if signed_data.is_empty() {
                self.append_signed_data(rrsig, &mut signed_data);
            }
            budget.spend_signature(&key.dnskey, signed_data.len())?;
            if signature::verifies(&key.dnskey, &signed_data, rrsig.signature) {
                return Ok(Ok(together));
            }
            budget.spend_failed_signature()?;
            failures.add(Error::BadSignature(Box::new(self.rrsig_id(rrsig))));
        }
        let none_matches = || Error::NoMatchingKey(Box::new(self.rrsig_id(rrsig)));
        Ok(Err(failures.furthest_or(none_matches)))
    }

    /// Appends the data that the signature covers: the RRSIG without the signature, then each
    /// record in canonical form and order, with the original TTL (RFC 4034 §3.1.8.1).
    fn append_signed_data(&self, rrsig: &Rrsig<'_>, signed_data: &mut SignedData) {
        rrsig
            .signed_fields()
            .for_each(|field| signed_data.extend_from_slice(field));
        let expanded_from = self.wildcard_signed_by(rrsig);
        let owner = expanded_from.as_ref().unwrap_or(&self.owner);
        for rdata in &self.rdata {
            signed_data.extend_from_slice(owner.as_wire());
            signed_data.extend_from_slice(&self.record_type.0.to_be_bytes());
            signed_data.extend_from_slice(&CLASS_IN.to_be_bytes());
            signed_data.extend_from_slice(&rrsig.original_ttl.to_be_bytes());
            // Canonical RDATA are longer than 65,535 octets only if names in them were decompressed
            // beyond that. Then no signature can cover them, and the value of the length makes no
            // difference.
            let length = u16::try_from(rdata.len()).unwrap_or(u16::MAX);
            signed_data.extend_from_slice(&length.to_be_bytes());
            signed_data.extend_from_slice(rdata);
        }
    }

    /// The wildcard from which the owner was expanded, if it was expanded according to the RRSIG
    /// (RFC 4035 §5.3.2).
    fn wildcard_signed_by(&self, rrsig: &Rrsig<'_>) -> Option<Name> {
        let labels = usize::from(rrsig.labels);
        if labels >= self.owner.rrsig_labels() {
            return None;
        }
        self.owner.suffix(labels)?.wildcard()
    }

    fn rrsig_id(&self, rrsig: &Rrsig<'_>) -> RrsigId {
        RrsigId {
            rrset: self.id(),
            signer: rrsig.signer.clone(),
            key_tag: rrsig.key_tag,
            algorithm: rrsig.algorithm,
        }
    }
}

impl<'a> UncheckedRrset<'a> {
    pub(super) fn record_type(&self) -> RecordType {
        self.rrset.record_type
    }

    /// Returns true if there is an RRSIG over it.
    pub(super) fn is_signed(&self) -> bool {
        !self.rrsigs.is_empty()
    }

    /// Removes the RRSIGs of that zone.
    pub(super) fn not_signed_by(mut self, zone: &Name) -> Self {
        self.rrsigs.retain(|rrsig| rrsig.signer != *zone);
        self
    }

    /// Returns true if both have the same records, whatever their signatures.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.rrset.rdata == other.rrset.rdata
    }

    /// Adds the other's RRSIGs over the same records.
    pub(super) fn add_signatures(&mut self, other: Self) {
        self.rrsigs.extend(other.rrsigs);
    }

    /// Keeps the RRSIGs that may prove something at some second of the demanded period, without
    /// duplicates. If there are none, returns the failure of the one that got furthest.
    pub(super) fn usable(
        self,
        demand: Demand,
        expansion: Expansion,
    ) -> Result<SignedRrset<'a>, Error> {
        let Self {
            mut rrset,
            mut rrsigs,
        } = self;
        keep_each_once(&mut rrsigs, Rrsig::clone);
        let mut failures = Failures::default();
        for rrsig in rrsigs {
            if let Some(window) =
                failures.success_of(rrset.check_without_key(&rrsig, demand, expansion))
            {
                rrset.rrsigs.push(WindowedRrsig { rrsig, window });
            }
        }
        if rrset.rrsigs.is_empty() {
            return Err(failures.furthest_or(|| Error::NoRrsig(rrset.id())));
        }
        Ok(rrset)
    }
}

impl SignedRrset<'_> {
    /// Makes all checks of an RRSIG that need no key (RFC 4035 §5.3.1). Returns its validity
    /// period.
    fn check_without_key(
        &self,
        rrsig: &Rrsig<'_>,
        demand: Demand,
        expansion: Expansion,
    ) -> Result<Period, Error> {
        let id = || Box::new(self.rrsig_id(rrsig));
        if !self.may_be_signed_by(&rrsig.signer) {
            return Err(Error::SignerOffTree(id()));
        }
        let labels = usize::from(rrsig.labels);
        if labels > self.owner.rrsig_labels() {
            return Err(Error::TooManyLabels {
                rrsig: id(),
                labels: rrsig.labels,
            });
        }
        if labels < self.owner.rrsig_labels() && expansion == Expansion::Refused {
            return Err(Error::Wildcard(self.id()));
        }
        if labels < rrsig.signer.rrsig_labels() {
            return Err(Error::TooFewLabels {
                rrsig: id(),
                labels: rrsig.labels,
            });
        }
        if !rrsig.algorithm.is_supported() {
            return Err(Error::UnsupportedAlgorithm(id()));
        }
        let window = rrsig.period().ok_or_else(|| Error::RrsigPeriod(id()))?;
        if let Some(limit) = demand.limit_exceeded_by(window) {
            return Err(Error::RrsigTooLong {
                rrsig: id(),
                window,
                limit,
            });
        }
        let period = demand.period();
        if window.overlaps(period) {
            Ok(window)
        } else if window.end() < period.start() {
            Err(Error::RrsigExpired {
                rrsig: id(),
                expired: window.end(),
                period,
            })
        } else {
            Err(Error::RrsigNotYetValid {
                rrsig: id(),
                valid_from: window.start(),
                period,
            })
        }
    }

    /// Returns true if the RRset can belong to the zone `signer`. Its owner lies within that zone.
    /// A DNSKEY RRset belongs to its own zone, and a DS RRset to a zone above (RFC 4035 §2.4: the
    /// parent signs it).
    fn may_be_signed_by(&self, signer: &Name) -> bool {
        match self.record_type {
            RecordType::DNSKEY => self.owner == *signer,
            RecordType::DS => self.owner != *signer && self.owner.is_within(signer),
            _ => self.owner.is_within(signer),
        }
    }
}

/// The RRSIGs over an RRset among these records.
fn rrsigs_over<'a>(records: &[Record<'a>], owner: &Name, record_type: RecordType) -> Rrsigs<'a> {
    records
        .iter()
        .filter(|record| record.belongs_to(owner, RecordType::RRSIG))
        .filter_map(Record::rrsig)
        .filter(|rrsig| rrsig.type_covered == record_type)
        .collect()
}

/// The times at which at least one of the signatures is valid.
fn union(signatures: &[GoodSignature<'_>]) -> Validity {
    signatures.iter().fold(Validity::never(), |validity, good| {
        validity.union(&good.validity)
    })
}
