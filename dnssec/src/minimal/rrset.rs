//! The signed RRsets of a chain, gathered from all responses.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::chain::Chain;
use crate::message::{CLASS_IN, Record};
use crate::name::Name;
use crate::rdata::Rrsig;
use crate::record::RecordType;
use crate::validity::Period;
use crate::writer::NewRecord;

/// Octets of a record between its owner and its data: type, class, TTL and length (RFC 1035 §3.2.1).
const FIXED_OCTETS: usize = 10;

/// An RRset and the RRSIGs over it.
///
/// Two that differ in a record are two versions of an RRset: for example, a key was added between
/// two queries.
#[derive(Clone, Debug)]
pub(super) struct Rrset<'a> {
    owner: Name,
    record_type: RecordType,
    /// The data, in canonical form and order, without duplicates (RFC 4034 §6).
    rdata: Vec<Cow<'a, [u8]>>,
    /// The RRSIGs, in the order of their data, without duplicates.
    rrsigs: Vec<Signature<'a>>,
}

/// An RRSIG.
#[derive(Clone, Debug)]
struct Signature<'a> {
    /// The data, in canonical form.
    rdata: Cow<'a, [u8]>,
    signer: Name,
    original_ttl: u32,
}

/// An RRset by owner, type and data.
type Version<'a> = (Name, RecordType, Vec<Cow<'a, [u8]>>);

/// The parts of an RRset in one response.
#[derive(Default)]
struct Parts<'r, 'a> {
    records: Vec<&'r Record<'a>>,
    rrsigs: Vec<&'r Record<'a>>,
}

/// Returns all RRsets that verification uses, with the RRSIGs that may be valid at some second of
/// `period`, in canonical order.
///
/// These are the RRsets of answer sections, with DNSKEY and DS RRsets only if they were asked for,
/// and the NSEC and NSEC3 records of any section, each as its own RRset.
pub(super) fn collect<'a>(chain: &Chain<'a>, period: Period) -> Vec<Rrset<'a>> {
    let mut versions: BTreeMap<Version<'a>, BTreeSet<Cow<'a, [u8]>>> = BTreeMap::new();
    for response in chain.responses() {
        let asked = response.question().map(|(_, record_type)| record_type);
        let answers = group(response.answers(), |record_type| match record_type {
            RecordType::DNSKEY | RecordType::DS => asked == Some(record_type),
            other => !is_denial(other),
        });
        let denials = group(response.records(), is_denial);
        // A response with an error code has no answers. Its denials still count, because they are
        // facts wherever they are.
        let answers = answers.into_iter().filter(|_| response.is_an_answer());
        for ((owner, record_type), parts) in answers.chain(denials) {
            let data = parts.records.iter().map(|record| record.canonical_rdata());
            let Some(mut rdata) = data.collect::<Option<Vec<_>>>() else {
                continue;
            };
            rdata.sort_unstable();
            rdata.dedup();
            let of_one = if is_denial(record_type) {
                1
            } else {
                rdata.len().max(1)
            };
            for rdata in rdata.chunks(of_one) {
                let rrsigs = parts.rrsigs.iter().filter_map(|it| it.canonical_rdata());
                versions
                    .entry((owner.clone(), record_type, rdata.to_vec()))
                    .or_default()
                    .extend(rrsigs);
            }
        }
    }
    let rrsets = versions
        .into_iter()
        .filter_map(|((owner, record_type, rdata), rrsigs)| {
            let rrsigs: Vec<_> = rrsigs
                .into_iter()
                .filter_map(|rdata| Signature::usable(rdata, &owner, period))
                .collect();
            (!rrsigs.is_empty()).then_some(Rrset {
                owner,
                record_type,
                rdata,
                rrsigs,
            })
        });
    rrsets.collect()
}

/// Groups records into RRsets, each RRSIG with the RRset that it covers.
fn group<'r, 'a>(
    records: &'r [Record<'a>],
    counts: impl Fn(RecordType) -> bool,
) -> BTreeMap<(Name, RecordType), Parts<'r, 'a>> {
    let mut rrsets: BTreeMap<(Name, RecordType), Parts<'r, 'a>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.class() == CLASS_IN) {
        let covered = record.rrsig().map(|rrsig| rrsig.type_covered);
        let record_type = covered.unwrap_or(record.record_type());
        if !counts(record_type) {
            continue;
        }
        let parts = rrsets.entry((record.owner(), record_type)).or_default();
        if covered.is_some() {
            parts.rrsigs.push(record);
        } else {
            parts.records.push(record);
        }
    }
    rrsets
}

/// Returns true if records of this type deny names or types.
pub(super) fn is_denial(record_type: RecordType) -> bool {
    matches!(record_type, RecordType::NSEC | RecordType::NSEC3)
}

impl Rrset<'_> {
    pub(super) fn owner(&self) -> &Name {
        &self.owner
    }

    pub(super) fn record_type(&self) -> RecordType {
        self.record_type
    }

    pub(super) fn is_version_of(&self, other: &Rrset<'_>) -> bool {
        self.owner == other.owner && self.record_type == other.record_type
    }

    /// Returns true if these are the data of its records, in canonical order.
    pub(super) fn has_rdata(&self, rdata: &[Vec<u8>]) -> bool {
        self.rdata
            .iter()
            .map(AsRef::as_ref)
            .eq(rdata.iter().map(Vec::as_slice))
    }

    pub(super) fn has_rdata_of(&self, other: &Rrset<'_>) -> bool {
        self.rdata == other.rdata
    }

    /// The zones that signed it.
    pub(super) fn signers(&self) -> impl Iterator<Item = &Name> {
        self.rrsigs.iter().map(|rrsig| &rrsig.signer)
    }

    pub(super) fn rrsig_count(&self) -> usize {
        self.rrsigs.len()
    }

    /// The length of the data of one of its RRSIGs.
    pub(super) fn rrsig_weight(&self, index: usize) -> usize {
        self.rrsigs.get(index).map_or(0, |it| it.rdata.len())
    }

    /// The octets of its records and RRSIGs, written without compression.
    pub(super) fn weight(&self) -> usize {
        let rrsigs = self.rrsigs.iter().map(|rrsig| rrsig.rdata.len());
        let rdata = self.rdata.iter().map(|rdata| rdata.len()).chain(rrsigs);
        let fixed = self.owner.as_wire().len() + FIXED_OCTETS;
        rdata.map(|octets| octets + fixed).sum()
    }

    /// Returns the RRset with only the RRSIGs for whose indices `keeps` returns true.
    pub(super) fn with_rrsigs(&self, keeps: impl Fn(usize) -> bool) -> Self {
        let rrsigs = self.rrsigs.iter().enumerate();
        Self {
            rrsigs: rrsigs
                .filter(|(index, _)| keeps(*index))
                .map(|(_, rrsig)| rrsig.clone())
                .collect(),
            ..self.clone()
        }
    }

    /// Returns the target of this alias for `name`. Returns `None` if this is not an alias for
    /// `name` (RFC 1034 §3.6.2, RFC 6672 §2.2).
    pub(super) fn target_of(&self, name: &Name) -> Option<Name> {
        let [rdata] = &self.rdata[..] else {
            return None;
        };
        let target = Name::from_wire(rdata).ok()?;
        match self.record_type {
            RecordType::CNAME => (self.owner == *name).then_some(target),
            RecordType::DNAME if name.is_below(&self.owner) => name.moved(&self.owner, &target),
            _ => None,
        }
    }

    /// Its records, followed by its RRSIGs. All have the TTL from the zone, or the smallest one if
    /// the RRSIGs differ.
    pub(super) fn records(&self) -> impl Iterator<Item = NewRecord<'_>> {
        let ttl = self.rrsigs.iter().map(|rrsig| rrsig.original_ttl).min();
        let record = move |record_type, rdata| NewRecord {
            owner: &self.owner,
            record_type,
            ttl: ttl.unwrap_or_default(),
            rdata,
        };
        let data = self
            .rdata
            .iter()
            .map(move |rdata| record(self.record_type, rdata));
        let rrsigs = self
            .rrsigs
            .iter()
            .map(move |rrsig| record(RecordType::RRSIG, &rrsig.rdata));
        data.chain(rrsigs)
    }
}

impl<'a> Signature<'a> {
    /// Reads an RRSIG and makes the checks that need no key (RFC 4035 §5.3.1). Returns `None` if it
    /// can prove nothing.
    fn usable(rdata: Cow<'a, [u8]>, owner: &Name, period: Period) -> Option<Self> {
        let rrsig = Rrsig::parse(&rdata)?;
        let is_usable = owner.is_within(&rrsig.signer)
            && usize::from(rrsig.labels) <= owner.rrsig_labels()
            && rrsig.algorithm.is_supported()
            && rrsig.period()?.overlaps(period);
        let (signer, original_ttl) = (rrsig.signer, rrsig.original_ttl);
        is_usable.then_some(Self {
            rdata,
            signer,
            original_ttl,
        })
    }
}
