//! What NSEC records prove (RFC 4035 §5.4).

use std::rc::Rc;

use super::{
    Conclusion, Evidence, Hearing, Located, denial_at, denies_type, is_unsigned_delegation,
    may_speak_of, speaks_for_names_below,
};
use crate::budget::Exhausted;
use crate::error::Insecurity;
use crate::name::Name;
use crate::rdata::Nsec;
use crate::record::RecordType;
use crate::verify::fact::Denial;

type NsecRecord<'a> = Located<'a, Nsec<'a>>;

/// Argues that there is no record of the type at the name, or that the name lies below an unsigned delegation.
pub(super) fn absence<'a>(
    records: &[NsecRecord<'a>],
    owner: &Name,
    record_type: RecordType,
    hearing: &mut Hearing<'_, 'a>,
) -> Result<(), Exhausted> {
    for record in records {
        let is_at = record.owner == *owner;
        // What such a record says of its own name does not hang on which name comes next.
        let is_cut = is_unsigned_delegation(record.data.types) && owner.is_within(&record.owner);
        if !is_at && !is_cut && !may_cover(record, owner) {
            continue;
        }
        for evidence in hearing.admit(record)? {
            if !may_speak_of(&evidence.zone, owner, record_type) {
                continue;
            }
            if is_cut && !(is_at && record_type == RecordType::DS) {
                let insecure = Conclusion::Insecure {
                    zone: record.owner.clone(),
                    cause: Insecurity::NoDs,
                };
                hearing.conclude(insecure, [&evidence])?;
            }
            if is_at {
                if let Some(denial) = denial_at(record.data.types, record_type) {
                    hearing.conclude(Conclusion::Absent(denial), [&evidence])?;
                }
            } else if covers(record, owner, &evidence.zone) {
                absence_of_covered(records, owner, record_type, (record, &evidence), hearing)?;
            }
        }
    }
    Ok(())
}

/// Argues from an NSEC record that covers the name, and from what there is about the wildcard that could have made it.
fn absence_of_covered<'a>(
    records: &[NsecRecord<'a>],
    owner: &Name,
    record_type: RecordType,
    (covering, evidence): (&NsecRecord<'a>, &Rc<Evidence<'a>>),
    hearing: &mut Hearing<'_, 'a>,
) -> Result<(), Exhausted> {
    if covering.data.next.is_below(owner) {
        // An empty non-terminal: it exists, by names below it alone.
        return hearing.conclude(Conclusion::Absent(Denial::NoData), [evidence]);
    }
    let encloser = owner.suffix(closest_encloser_labels(covering, owner));
    let Some(wildcard) = encloser.and_then(|encloser| encloser.wildcard()) else {
        return Ok(());
    };
    hearing.witnesses.budget.spend_denial()?;
    hearing.witnesses.budget.spend_comparisons(records.len())?;
    for record in records {
        let is_at = record.owner == wildcard;
        if !is_at && !may_cover(record, &wildcard) {
            continue;
        }
        for about_wildcard in hearing.admit(record)? {
            let zone = &about_wildcard.zone;
            if *zone != evidence.zone {
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
                hearing.conclude(Conclusion::Absent(denial), [evidence, &about_wildcard])?;
            }
        }
    }
    Ok(())
}

/// Argues that no name exists between `owner` and the wildcard below its last `labels` labels: the closest encloser that
/// an NSEC record shows is the one that the wildcard stands below.
pub(super) fn no_closer_name<'a>(
    records: &[NsecRecord<'a>],
    owner: &Name,
    labels: usize,
    zone: &Name,
    hearing: &mut Hearing<'_, 'a>,
) -> Result<(), Exhausted> {
    for record in records {
        if !covers(record, owner, zone) || closest_encloser_labels(record, owner) != labels {
            continue;
        }
        for evidence in hearing.admit(record)? {
            if evidence.zone == *zone {
                hearing.conclude(Conclusion::NoCloserName, [&evidence])?;
            }
        }
    }
    Ok(())
}

/// Whether it may cover the name in some zone.
fn may_cover(record: &NsecRecord<'_>, name: &Name) -> bool {
    let next = &record.data.next;
    let is_last = *next <= record.owner;
    record.owner < *name && (name < next || (is_last && name.is_within(next)))
}

/// Whether there is no record at the name: it stands between the owner and the next name in canonical order, or behind the
/// last one. What is below a delegation or a DNAME stands there, too, and is another matter.
fn covers(record: &NsecRecord<'_>, name: &Name, zone: &Name) -> bool {
    let Located { owner, data, .. } = record;
    // The zone's own name comes before all others in it.
    let is_last = data.next == *zone;
    name.is_within(zone)
        && owner.is_within(zone)
        && owner < name
        && (*name < data.next || is_last)
        && (speaks_for_names_below(data.types) || !name.is_below(owner))
}

/// How many labels the closest encloser has of a name that the record covers: of its ancestors that exist the longest, and
/// those of the owner and of the next name are all that do (RFC 4592 §3.3.1).
fn closest_encloser_labels(covering: &NsecRecord<'_>, name: &Name) -> usize {
    let with_owner = name.common_labels(&covering.owner);
    with_owner.max(name.common_labels(&covering.data.next))
}
