//! Keeping of a verified chain only what its proof needs.

use crate::anchor::TrustAnchors;
use crate::chain::Chain;
use crate::message::{Record, Response, message};
use crate::name::Name;
use crate::rdata::Rrsig;
use crate::record::RecordType;
use crate::time::Timestamp;
use crate::validity::Period;

/// A response that is to be written anew: one RRset, and some of its RRSIGs.
#[derive(Clone)]
struct Kept<'a> {
    name: Name,
    record_type: RecordType,
    records: Vec<Record<'a>>,
    rrsigs: Vec<(Record<'a>, Rrsig<'a>)>,
}

/// Writes the chain's responses anew, each with its RRset and the one RRSIG that lets the proof hold longest from `at` on.
///
/// Whatever does not come out of that verified is given back as it came.
pub(super) fn shrink(
    chain: &Chain<'_>,
    name: &Name,
    record_type: RecordType,
    anchors: &TrustAnchors,
    at: Timestamp,
) -> Vec<Vec<u8>> {
    // When the proof that these responses give ends, counted from `at`.
    let proven_until = |kept: &[Kept<'_>]| {
        let messages: Vec<_> = kept.iter().filter_map(Kept::to_message).collect();
        let chain = Chain::from_messages(messages.iter().map(Vec::as_slice)).ok()?;
        let proof = chain
            .verify(name, record_type, anchors, Period::at(at))
            .ok()?;
        let period = proof.validity().first_overlapping(Period::at(at))?;
        Some(period.end())
    };

    let mut kept: Vec<_> = chain.responses().iter().filter_map(Kept::of).collect();
    for index in 0..kept.len() {
        let rrsigs = kept.get(index).map_or(0, |kept| kept.rrsigs.len());
        let alternatives = (0..rrsigs).filter_map(|rrsig| {
            let mut alternative = kept.clone();
            let response = alternative.get_mut(index)?;
            response.rrsigs = vec![response.rrsigs.get(rrsig)?.clone()];
            Some((
                proven_until(&alternative)?,
                std::cmp::Reverse(rrsig),
                alternative,
            ))
        });
        let best = alternatives.max_by_key(|(until, position, _)| (*until, *position));
        if let Some((_, _, best)) = best {
            kept = best;
        }
    }
    if proven_until(&kept).is_none() {
        return chain.messages().map(<[u8]>::to_vec).collect();
    }
    kept.iter().filter_map(Kept::to_message).collect()
}

impl<'a> Kept<'a> {
    /// What of a response can serve a proof; `None` if nothing can.
    fn of(response: &Response<'a>) -> Option<Self> {
        let (name, record_type) = response.question()?;
        let mut records: Vec<Record<'a>> = Vec::new();
        let mut rrsigs = Vec::new();
        for record in response.answers() {
            if record.belongs_to(&name, record_type) {
                records.push(*record);
            } else if record.belongs_to(&name, RecordType::RRSIG) {
                let covering = record
                    .rrsig()
                    .filter(|rrsig| rrsig.type_covered == record_type);
                rrsigs.extend(covering.map(|rrsig| (*record, rrsig)));
            }
        }
        // The same question gives the same octets, whatever order the server chose today.
        records.sort_by(|a, b| a.canonical_rdata().cmp(&b.canonical_rdata()));
        rrsigs.sort_by(|(a, _), (b, _)| a.rdata().cmp(b.rdata()));
        (!records.is_empty() && !rrsigs.is_empty()).then_some(Self {
            name,
            record_type,
            records,
            rrsigs,
        })
    }

    /// A DNS message with these records, their TTLs as in the zone.
    fn to_message(&self) -> Option<Vec<u8>> {
        let ttl = self.rrsigs.first()?.1.original_ttl;
        let mut records = Vec::with_capacity(self.records.len() + self.rrsigs.len());
        for record in &self.records {
            records.push((record.record_type(), record.canonical_rdata()?));
        }
        for (record, _) in &self.rrsigs {
            records.push((record.record_type(), record.rdata().into()));
        }
        let records = records
            .iter()
            .map(|(record_type, rdata)| (*record_type, ttl, &rdata[..]));
        message(&self.name, self.record_type, records)
    }
}
