//! An RRset with its signatures: finding it in a response, weighing its RRSIGs, checking them (RFC 4035 §5.3).

use std::borrow::Cow;
use std::iter;

use super::{Zones, delegation::Key};
use crate::budget::Budget;
use crate::crypto;
use crate::error::{Error, RrsetId, RrsigId};
use crate::message::{CLASS_IN, Record, Response};
use crate::name::Name;
use crate::rdata::Rrsig;
use crate::record::RecordType;
use crate::validity::{Period, Validity};

/// An RRset and the RRSIGs that stood beside it.
#[derive(Clone, Debug)]
pub(super) struct SignedRrset<'a> {
    owner: Name,
    record_type: RecordType,
    /// In canonical form and order, none twice.
    rdata: Vec<Cow<'a, [u8]>>,
    rrsigs: Vec<WindowedRrsig<'a>>,
}

/// An RRSIG and the period that it spans.
#[derive(Clone, Debug)]
struct WindowedRrsig<'a> {
    rrsig: Rrsig<'a>,
    window: Period,
}

/// An RRset whose RRSIGs are not weighed yet.
pub(super) struct UnweighedRrset<'a> {
    rrset: SignedRrset<'a>,
    rrsigs: Vec<Rrsig<'a>>,
}

impl<'a> SignedRrset<'a> {
    /// Finds what `response` answers: only the answer section counts, and only class IN.
    pub(super) fn find(
        response: &Response<'a>,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<UnweighedRrset<'a>, Error> {
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
        let records = response
            .answers()
            .iter()
            .filter(|record| record.belongs_to(owner, record_type));
        let mut rdata = records
            .map(Record::canonical_rdata)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::MalformedRecord(id()))?;
        if rdata.is_empty() {
            return Err(match alias_type(response, owner) {
                Some(alias_type) => Error::Alias {
                    rrset: id(),
                    alias_type,
                },
                None => Error::Denial(id()),
            });
        }
        // Canonical order is that of the octets, and duplicates are one (RFC 4034 §6.3).
        rdata.sort_unstable();
        rdata.dedup();
        let mut rrsigs: Vec<Rrsig<'a>> = Vec::new();
        for record in response.answers() {
            let covering = record
                .rrsig()
                .filter(|_| record.belongs_to(owner, RecordType::RRSIG))
                .filter(|rrsig| rrsig.type_covered == record_type);
            rrsigs.extend(covering);
        }
        Ok(UnweighedRrset {
            rrset: Self {
                owner: owner.clone(),
                record_type,
                rdata,
                rrsigs: Vec::with_capacity(rrsigs.len()),
            },
            rrsigs,
        })
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
        self.rdata
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
    pub(super) fn verify(&self, zones: &Zones<'_>, budget: &mut Budget) -> Result<Validity, Error> {
        self.check_signatures(budget, |rrsig| {
            match zones.get(rrsig.signer.label_count()) {
                Some(Some(Ok(zone))) => Ok(zone.keys()),
                Some(Some(Err(failure))) => Err(failure.clone()),
                _ => Err(Error::NoMatchingKey(Box::new(self.rrsig_id(rrsig)))),
            }
        })
    }

    /// Checks it with these keys alone.
    pub(super) fn verify_with(
        &self,
        keys: &[Key<'_>],
        budget: &mut Budget,
    ) -> Result<Validity, Error> {
        self.check_signatures(budget, |_| Ok(keys))
    }

    fn check_signatures<'k, 'm: 'k>(
        &self,
        budget: &mut Budget,
        keys_of: impl Fn(&Rrsig<'a>) -> Result<&'k [Key<'m>], Error>,
    ) -> Result<Validity, Error> {
        let mut validity = Validity::never();
        let mut failure = None;
        for WindowedRrsig { rrsig, window } in &self.rrsigs {
            let outcome =
                keys_of(rrsig).and_then(|keys| self.check_signature(rrsig, *window, keys, budget));
            match outcome {
                Ok(proven) => validity = validity.unite(&proven),
                Err(exhausted @ Error::BudgetExhausted { .. }) => return Err(exhausted),
                Err(other) => failure = further(failure, other),
            }
        }
        match failure {
            Some(failure) if validity.is_never() => Err(failure),
            None if validity.is_never() => Err(Error::NoRrsig(self.id())),
            _ => Ok(validity),
        }
    }

    /// Tries the keys that the RRSIG may be of: the tag and the algorithm are equal, and the key is proven at some second
    /// of the RRSIG's window (RFC 4035 §5.3.1). Tags collide, so there may be several.
    fn check_signature(
        &self,
        rrsig: &Rrsig<'a>,
        window: Period,
        keys: &[Key<'_>],
        budget: &mut Budget,
    ) -> Result<Validity, Error> {
        let mut failure = None;
        let mut signed_data = Vec::new();
        for key in keys {
            if key.tag != rrsig.key_tag || key.dnskey.algorithm != rrsig.algorithm {
                continue;
            }
            budget.spend_candidate()?;
            let together = key.validity.intersect_period(window);
            if together.is_never() {
                failure = failure.or_else(|| {
                    Some(Error::KeyNotValidThen {
                        rrsig: Box::new(self.rrsig_id(rrsig)),
                        window,
                        key_validity: key.validity.clone(),
                    })
                });
                continue;
            }
            if signed_data.is_empty() {
                signed_data = self.signed_data(rrsig);
            }
            budget.spend_signature()?;
            if crypto::verifies(&key.dnskey, &signed_data, rrsig.signature) {
                return Ok(together);
            }
            budget.spend_failed_signature()?;
            let bad = Error::BadSignature(Box::new(self.rrsig_id(rrsig)));
            failure = further(failure, bad);
        }
        Err(failure.unwrap_or_else(|| Error::NoMatchingKey(Box::new(self.rrsig_id(rrsig)))))
    }

    /// What the signature covers: the RRSIG less the signature, then each record in canonical form and order, with the
    /// original TTL (RFC 4034 §3.1.8.1).
    fn signed_data(&self, rrsig: &Rrsig<'_>) -> Vec<u8> {
        let mut signed_data = Vec::with_capacity(512);
        rrsig.append_signed_fields(&mut signed_data);
        for rdata in &self.rdata {
            signed_data.extend_from_slice(self.owner.as_wire());
            signed_data.extend_from_slice(&self.record_type.0.to_be_bytes());
            signed_data.extend_from_slice(&CLASS_IN.to_be_bytes());
            signed_data.extend_from_slice(&rrsig.original_ttl.to_be_bytes());
            // Canonical RDATA is longer than 65,535 octets only when names in it were decompressed beyond that; then no
            // signature can cover it, and what the length says makes no difference.
            let length = u16::try_from(rdata.len()).unwrap_or(u16::MAX);
            signed_data.extend_from_slice(&length.to_be_bytes());
            signed_data.extend_from_slice(rdata);
        }
        signed_data
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

impl<'a> UnweighedRrset<'a> {
    /// Keeps the RRSIGs that may prove something at some second of `period`. If none may, says why the one that came
    /// closest may not.
    pub(super) fn usable(self, period: Period) -> Result<SignedRrset<'a>, Error> {
        let Self { mut rrset, rrsigs } = self;
        let mut failure = None;
        for rrsig in rrsigs {
            match rrset.weigh(&rrsig, period) {
                Ok(window) => rrset.rrsigs.push(WindowedRrsig { rrsig, window }),
                Err(other) => failure = further(failure, other),
            }
        }
        if rrset.rrsigs.is_empty() {
            return Err(failure.unwrap_or_else(|| Error::NoRrsig(rrset.id())));
        }
        Ok(rrset)
    }
}

impl SignedRrset<'_> {
    /// What can be said of an RRSIG without a key (RFC 4035 §5.3.1): gives its window.
    fn weigh(&self, rrsig: &Rrsig<'_>, period: Period) -> Result<Period, Error> {
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
        if labels < self.owner.rrsig_labels() {
            return Err(Error::Wildcard(self.id()));
        }
        if !rrsig.algorithm.is_supported() {
            return Err(Error::UnsupportedAlgorithm(id()));
        }
        let window = rrsig.period().ok_or_else(|| Error::RrsigPeriod(id()))?;
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

/// Whether the answer section says that `owner` is another name's alias: by a CNAME of its own or a DNAME above it.
fn alias_type(response: &Response<'_>, owner: &Name) -> Option<RecordType> {
    response.answers().iter().find_map(|record| {
        if record.belongs_to(owner, RecordType::CNAME) {
            return Some(RecordType::CNAME);
        }
        (record.record_type() == RecordType::DNAME && record.is_above(owner))
            .then_some(RecordType::DNAME)
    })
}

/// Of the failure so far and another one, the one that got furthest.
pub(super) fn further(so_far: Option<Error>, failure: Error) -> Option<Error> {
    so_far
        .into_iter()
        .chain(iter::once(failure))
        .reduce(Error::furthest)
}
