//! Proofs by NSEC records (RFC 4035 §5.4).

use std::rc::Rc;

use super::{
    Conclusion, DenialSearch, Located, SignedDenial, denial_at, denies_type,
    is_unsigned_delegation, may_speak_of, speaks_for_names_below,
};
use crate::budget::Exhausted;
use crate::fact::{Denial, Insecurity};
use crate::name::Name;
use crate::rdata::Nsec;
use crate::record::RecordType;

type NsecRecord<'a> = Located<'a, Nsec<'a>>;

/// Finds proofs that there is no record of the type at the name, or that the name lies below an unsigned delegation.
pub(super) fn absence<'a>(
    records: &[NsecRecord<'a>],
    owner: &Name,
    record_type: RecordType,
    search: &mut DenialSearch<'_, 'a>,
) -> Result<(), Exhausted> {
    for record in records {
        let is_at = record.owner == *owner;
        // A record that shows a delegation at its own name does so whatever the next name is.
        let is_cut = is_unsigned_delegation(record.data.types) && owner.is_within(&record.owner);
        if !is_at && !is_cut && !may_cover(record, owner) {
            continue;
        }
        for signed in search.signed_denials(record)? {
            if !may_speak_of(&signed.zone, owner, record_type) {
                continue;
            }
            if is_cut && !(is_at && record_type == RecordType::DS) {
                let insecure = Conclusion::Insecure {
                    zone: record.owner.clone(),
                    cause: Insecurity::NoDs,
                };
                search.conclude(insecure, [&signed])?;
            }
            if is_at {
                if let Some(denial) = denial_at(record.data.types, record_type) {
                    search.conclude(Conclusion::Absent(denial), [&signed])?;
                }
            } else if covers(record, owner, &signed.zone) {
                absence_of_covered(records, owner, record_type, (record, &signed), search)?;
            }
        }
    }
    Ok(())
}

/// Finds proofs in an NSEC record that covers the name and in the records about the wildcard that could have produced it.
fn absence_of_covered<'a>(
    records: &[NsecRecord<'a>],
    owner: &Name,
    record_type: RecordType,
    (covering, signed): (&NsecRecord<'a>, &Rc<SignedDenial<'a>>),
    search: &mut DenialSearch<'_, 'a>,
) -> Result<(), Exhausted> {
    if covering.data.next.is_below(owner) {
        // An empty non-terminal: it exists only because there are names below it.
        return search.conclude(Conclusion::Absent(Denial::NoData), [signed]);
    }
    let encloser = owner.suffix(closest_encloser_labels(covering, owner));
    let Some(wildcard) = encloser.and_then(|encloser| encloser.wildcard()) else {
        return Ok(());
    };
    search.context.budget.spend_denial()?;
    search.context.budget.spend_comparisons(records.len())?;
    for record in records {
        let is_at = record.owner == wildcard;
        if !is_at && !may_cover(record, &wildcard) {
            continue;
        }
        for about_wildcard in search.signed_denials(record)? {
            let zone = &about_wildcard.zone;
            if *zone != signed.zone {
                continue;
            }
            let denial = if is_at {
                denies_type(record.data.types, record_type).then_some(Denial::NoData)
            } else if !covers(record, &wildcard, zone) {
                None
            } else if record.data.next.is_below(&wildcard) {
                Some(Denial::NoData)
            } else {
                Some(Denial::NxDomain)
            };
            if let Some(denial) = denial {
                search.conclude(Conclusion::Absent(denial), [signed, &about_wildcard])?;
            }
        }
    }
    Ok(())
}

/// Finds proofs that no name exists between `owner` and the wildcard below its last `labels`
/// labels: the closest encloser according to an NSEC record is the parent of the wildcard.
pub(super) fn no_closer_name<'a>(
    records: &[NsecRecord<'a>],
    owner: &Name,
    labels: usize,
    zone: &Name,
    search: &mut DenialSearch<'_, 'a>,
) -> Result<(), Exhausted> {
    for record in records {
        if !covers(record, owner, zone) || closest_encloser_labels(record, owner) != labels {
            continue;
        }
        for signed in search.signed_denials(record)? {
            if signed.zone == *zone {
                search.conclude(Conclusion::NoCloserName, [&signed])?;
            }
        }
    }
    Ok(())
}

/// Returns true if the record may cover the name in some zone.
fn may_cover(record: &NsecRecord<'_>, name: &Name) -> bool {
    let next = &record.data.next;
    let is_last = *next <= record.owner;
    record.owner < *name && (name < next || (is_last && name.is_within(next)))
}

/// Returns true if the record covers the name: the name lies between the owner and the next name in
/// canonical order, or after the last name of the zone.
///
/// Names below a delegation or a DNAME lie there too, but its record does not cover them.
fn covers(record: &NsecRecord<'_>, name: &Name, zone: &Name) -> bool {
    let Located { owner, data, .. } = record;
    // The apex comes before all other names of the zone.
    let is_last = data.next == *zone;
    name.is_within(zone)
        && owner.is_within(zone)
        && owner < name
        && (*name < data.next || is_last)
        && (speaks_for_names_below(data.types) || !name.is_below(owner))
}

/// Returns the number of labels of the closest encloser of a name that the record covers. That is
/// the longest ancestor of the name that exists. The only ancestors that exist are those that it
/// shares with the owner and with the next name (RFC 4592 §3.3.1).
fn closest_encloser_labels(covering: &NsecRecord<'_>, name: &Name) -> usize {
    let with_owner = name.common_labels(&covering.owner);
    with_owner.max(name.common_labels(&covering.data.next))
}
