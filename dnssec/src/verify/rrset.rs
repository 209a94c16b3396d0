//! An RRset with its signatures: finding it in a response, checking its RRSIGs without keys and then with them (RFC 4035
//! §5.3).
//!
//! What is free is checked first, so that no key is tried on a signature that can't prove anything. The conditions of RFC
//! 4035 §5.3.1 on an RRSIG are therefore not all in one place:
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
use super::delegation::Key;
use super::zones::Zones;
use crate::budget::Budget;
use crate::chain::keep_each_once;
use crate::crypto;
use crate::demand::Demand;
use crate::error::{Error, RrsetId, RrsigId};
use crate::message::{CLASS_IN, Record, Response};
use crate::name::Name;
use crate::rdata::Rrsig;
use crate::record::RecordType;
use crate::validity::{Period, Validity};
use crate::work::Work;

/// The data of an RRset's records: one TXT or DS record, or a key-signing and a zone-signing key, mostly.
type Rdata<'a> = SmallVec<[Cow<'a, [u8]>; 2]>;

/// An RRset and the RRSIGs that stood beside it.
#[derive(Clone, Debug)]
pub(super) struct SignedRrset<'a> {
    owner: Name,
    record_type: RecordType,
    /// In canonical form and order, none twice.
    rdata: Rdata<'a>,
    rrsigs: SmallVec<[WindowedRrsig<'a>; 1]>,
}

/// An RRSIG and the period that it spans.
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

/// Whether an RRset may have been expanded from a wildcard. Those that delegate or deny may not: what a wildcard says of a
/// name holds only where there is no closer name, and they are what says whether there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expansion {
    Allowed,
    Refused,
}

/// What a signature covers. That of most RRsets is not worth a heap block: a TXT record and a DS take a hundred octets or
/// two, three RSA keys of 2,048 bits less than 900.
type SignedData = SmallVec<[u8; 1024]>;

/// An RRSIG that verified.
#[derive(Clone, Debug)]
pub(super) struct GoodSignature<'s> {
    pub(super) signer: &'s Name,
    /// Of the owner's labels, how many the name that was signed had (RFC 4034 §3.1.3).
    pub(super) labels: usize,
    pub(super) validity: Validity,
}

type GoodSignatures<'s> = SmallVec<[GoodSignature<'s>; 1]>;

impl GoodSignature<'_> {
    /// Whether both are of one zone, and over one wildcard if they are over any.
    pub(super) fn is_of_same_wildcard(&self, other: &Self) -> bool {
        self.signer == other.signer && self.labels == other.labels
    }
}

impl<'a> SignedRrset<'a> {
    /// Finds what `response` answers: only the answer section counts, and only class IN.
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

    /// Finds the RRset among the records of a section; `None` if it is not there.
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
        // Canonical order is that of the octets, and duplicates are one (RFC 4034 §6.3).
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

    /// A record that is an RRset by itself, as NSEC and NSEC3 records are; its RRSIGs are looked for in all `sections`.
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

    /// The same RRset with the RRSIGs of one zone alone.
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

    /// The data of a type without names in it, which canonical form leaves as it was received.
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

    /// The zones that made its usable RRSIGs.
    pub(super) fn signers(&self) -> impl Iterator<Item = &Name> {
        self.rrsigs.iter().map(|windowed| &windowed.rrsig.signer)
    }

    /// Checks it with the keys of the zones that signed it. Holds whenever one of its RRSIGs and that one's key do.
    pub(super) fn verify(&self, zones: &Zones<'_>, budget: &mut Budget) -> Attempt<Validity> {
        Ok(self
            .good_signatures(zones, budget)?
            .map(|good| union(&good)))
    }

    /// Checks it with these keys alone.
    pub(super) fn verify_with(&self, keys: &[Key<'_>], budget: &mut Budget) -> Attempt<Validity> {
        let good = self.check_signatures(budget, |_| Ok(keys))?;
        Ok(good.map(|good| union(&good)))
    }

    /// Those of its RRSIGs that verify with the keys of the zones that made them: at least one, or why there is none.
    pub(super) fn good_signatures(
        &self,
        zones: &Zones<'_>,
        budget: &mut Budget,
    ) -> Attempt<GoodSignatures<'_>> {
        self.check_signatures(budget, |rrsig| match zones.get(&rrsig.signer) {
            Some(Ok(zone)) => Ok(zone.keys()),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(Error::NoMatchingKey(Box::new(self.rrsig_id(rrsig)))),
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
            // What was expanded from a wildcard has to be shown to be so, and that may fail.
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

    /// Tries the keys that the RRSIG may be of: the tag and the algorithm are equal, and the key is proven at some second
    /// of the RRSIG's window (RFC 4035 §5.3.1). Tags collide, so there may be several.
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
                // Of another key of that tag and algorithm there may be more to say.
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
            if crypto::verifies(&key.dnskey, &signed_data, rrsig.signature) {
                return Ok(Ok(together));
            }
            budget.spend_failed_signature()?;
            failures.add(Error::BadSignature(Box::new(self.rrsig_id(rrsig))));
        }
        let none_matches = || Error::NoMatchingKey(Box::new(self.rrsig_id(rrsig)));
        Ok(Err(failures.furthest_or(none_matches)))
    }

    /// What the signature covers: the RRSIG less the signature, then each record in canonical form and order, with the
    /// original TTL (RFC 4034 §3.1.8.1).
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
            // Canonical RDATA is longer than 65,535 octets only when names in it were decompressed beyond that; then no
            // signature can cover it, and what the length says makes no difference.
            let length = u16::try_from(rdata.len()).unwrap_or(u16::MAX);
            signed_data.extend_from_slice(&length.to_be_bytes());
            signed_data.extend_from_slice(rdata);
        }
    }

    /// The wildcard that the owner was expanded from, if the RRSIG says that it was (RFC 4035 §5.3.2).
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

    /// Whether there is any RRSIG over it.
    pub(super) fn is_signed(&self) -> bool {
        !self.rrsigs.is_empty()
    }

    /// Leaves the RRSIGs of that zone out.
    pub(super) fn not_signed_by(mut self, zone: &Name) -> Self {
        self.rrsigs.retain(|rrsig| rrsig.signer != *zone);
        self
    }

    /// Whether this and another are the same records, whatever their signatures.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.rrset.rdata == other.rrset.rdata
    }

    /// Takes another's RRSIGs over the same records as well.
    pub(super) fn add_signatures(&mut self, other: Self) {
        self.rrsigs.extend(other.rrsigs);
    }

    /// Keeps the RRSIGs that may prove something at some second of the period demanded, each once. If none may, says why
    /// the one that came closest may not.
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
    /// Checks all that can be checked of an RRSIG without a key (RFC 4035 §5.3.1). Returns its validity period.
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

    /// Whether the RRset can belong to the zone `signer`: its owner lies within; a DNSKEY RRset is its own zone's, a DS
    /// RRset that of a zone above (RFC 4035 §2.4: it is the parent that signs).
    fn may_be_signed_by(&self, signer: &Name) -> bool {
        match self.record_type {
            RecordType::DNSKEY => self.owner == *signer,
            RecordType::DS => self.owner != *signer && self.owner.is_within(signer),
            _ => self.owner.is_within(signer),
        }
    }
}

/// The RRSIGs over an RRset that stand among these records.
fn rrsigs_over<'a>(records: &[Record<'a>], owner: &Name, record_type: RecordType) -> Rrsigs<'a> {
    records
        .iter()
        .filter(|record| record.belongs_to(owner, RecordType::RRSIG))
        .filter_map(Record::rrsig)
        .filter(|rrsig| rrsig.type_covered == record_type)
        .collect()
}

/// When some of the signatures are good.
fn union(signatures: &[GoodSignature<'_>]) -> Validity {
    signatures.iter().fold(Validity::never(), |validity, good| {
        validity.union(&good.validity)
    })
}
