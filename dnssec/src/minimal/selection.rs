//! The part of a chain that is kept, and its two forms: DNS messages, or a list of records.

use std::collections::BTreeSet;
use std::iter;

use super::rrset::Rrset;
use crate::message::{MAX_MESSAGE_OCTETS, NOERROR, NXDOMAIN};
use crate::name::{MAX_NAME_OCTETS, Name};
use crate::record::RecordType;
use crate::writer::{NewRecord, NewResponse};

/// The purpose of an RRset in a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// An alias that is followed, or the answer itself.
    Answer,
    /// NSEC or NSEC3, which prove a wildcard's answer or an absence.
    Denial,
    /// A zone's DNSKEY or DS.
    Zone,
}

/// An RRset of a [`Selection`].
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    pub(super) role: Role,
    pub(super) rrset: Rrset<'a>,
}

/// The RRsets that answer one question.
#[derive(Clone, Debug)]
pub(super) struct Selection<'a> {
    pub(super) name: Name,
    pub(super) record_type: RecordType,
    /// True if the name at the end of the aliases does not exist.
    pub(super) is_name_denied: bool,
    /// The zone that is unsigned because of its DS RRset, if that is the fact.
    pub(super) zone_without_algorithms: Option<Name>,
    /// The aliases in sequence, then the answer, then the others in canonical order.
    pub(super) members: Vec<Member<'a>>,
}

impl<'a> Selection<'a> {
    /// Returns the selection without the members for whose indices `drops` returns true.
    pub(super) fn without(&self, drops: impl Fn(usize) -> bool) -> Self {
        let members = self.members.iter().enumerate();
        self.with_members(
            members
                .filter(|(index, _)| !drops(*index))
                .map(|(_, member)| member.clone())
                .collect(),
        )
    }

    /// Returns the selection with another RRset at `index`.
    pub(super) fn with_rrset(&self, index: usize, rrset: Rrset<'a>) -> Self {
        let mut members = self.members.clone();
        if let Some(member) = members.get_mut(index) {
            member.rrset = rrset;
        }
        self.with_members(members)
    }

    fn with_members(&self, members: Vec<Member<'a>>) -> Self {
        Self {
            name: self.name.clone(),
            record_type: self.record_type,
            is_name_denied: self.is_name_denied,
            zone_without_algorithms: self.zone_without_algorithms.clone(),
            members,
        }
    }

    fn of_role(&self, role: Role) -> impl Iterator<Item = &Rrset<'a>> {
        self.members
            .iter()
            .filter(move |member| member.role == role)
            .map(|member| &member.rrset)
    }

    /// Writes one message for each question, from the anchor down, with the one that was asked for
    /// last. Returns `None` if something does not fit a message.
    pub(super) fn to_messages(&self) -> Option<Vec<Vec<u8>>> {
        let answers: Load<'_, 'a> = self.of_role(Role::Answer).collect();
        // Denials that do not fit beside the answers go into separate messages.
        let mut denials = vec![Load {
            rrsets: Vec::new(),
            weight: answers.weight,
        }];
        for rrset in self.of_role(Role::Denial) {
            match denials.iter_mut().find(|load| load.has_room_for(rrset)) {
                Some(load) => load.add(rrset),
                None => denials.push(iter::once(rrset).collect()),
            }
        }
        let mut denials = denials.into_iter();
        let beside_answers = denials.next().unwrap_or_default();
        let answer = NewResponse {
            name: &self.name,
            record_type: self.record_type,
            response_code: if self.is_name_denied {
                NXDOMAIN
            } else {
                NOERROR
            },
            answers: answers.records(),
            authorities: beside_answers.records(),
        };
        let zones = self
            .of_role(Role::Zone)
            .map(|rrset| iter::once(rrset).collect());
        zones
            .chain(denials)
            .filter_map(|load: Load<'_, 'a>| load.to_response())
            .chain([answer])
            .map(|response| response.to_message())
            .collect()
    }

    /// Writes uncompressed records: first the answers, then the denials, then the zones from each
    /// of these up to the anchor. Returns `None` if something does not fit a record.
    pub(super) fn to_records(&self) -> Option<Vec<u8>> {
        let mut list = RecordList::default();
        let mut pending: Vec<&Name> = Vec::new();
        for role in [Role::Answer, Role::Denial] {
            for rrset in self.of_role(role) {
                list.append(rrset)?;
                pending.extend(rrset.signers());
            }
        }
        pending.extend(&self.zone_without_algorithms);
        // The zone of the first RRset comes first, and all zones above it before the zone of the
        // next RRset.
        pending.reverse();
        let mut written = BTreeSet::new();
        while let Some(zone) = pending.pop() {
            if !written.insert(zone) {
                continue;
            }
            for record_type in [RecordType::DNSKEY, RecordType::DS] {
                let of_the_zone = self
                    .of_role(Role::Zone)
                    .filter(|rrset| rrset.owner() == zone && rrset.record_type() == record_type);
                for rrset in of_the_zone {
                    list.append(rrset)?;
                    if record_type == RecordType::DS {
                        pending.extend(rrset.signers());
                    }
                }
            }
        }
        Some(list.octets)
    }
}

/// The RRsets for a section of a message.
struct Load<'r, 'a> {
    rrsets: Vec<&'r Rrset<'a>>,
    /// An upper bound on the octets of the message.
    weight: usize,
}

impl Default for Load<'_, '_> {
    fn default() -> Self {
        /// The octets of a header, and of a question's type and class (RFC 1035 §4.1).
        const FIXED_OCTETS: usize = 12 + 4;
        Self {
            rrsets: Vec::new(),
            weight: FIXED_OCTETS + MAX_NAME_OCTETS,
        }
    }
}

impl<'r, 'a> Load<'r, 'a> {
    /// Returns true if the message can take another RRset: it must not become too large, and must
    /// not get two versions of an RRset, because they would become one RRset that nobody signed.
    fn has_room_for(&self, rrset: &Rrset<'_>) -> bool {
        self.weight + rrset.weight() <= MAX_MESSAGE_OCTETS
            && !self.rrsets.iter().any(|other| other.is_version_of(rrset))
    }

    fn add(&mut self, rrset: &'r Rrset<'a>) {
        self.weight += rrset.weight();
        self.rrsets.push(rrset);
    }

    fn records(&self) -> Vec<NewRecord<'r>> {
        self.rrsets
            .iter()
            .flat_map(|rrset| rrset.records())
            .collect()
    }

    /// The response to the question for the first RRset.
    fn to_response(&self) -> Option<NewResponse<'r>> {
        let first = self.rrsets.first()?;
        Some(NewResponse {
            name: first.owner(),
            record_type: first.record_type(),
            response_code: NOERROR,
            answers: self.records(),
            authorities: Vec::new(),
        })
    }
}

impl<'r, 'a> FromIterator<&'r Rrset<'a>> for Load<'r, 'a> {
    fn from_iter<I: IntoIterator<Item = &'r Rrset<'a>>>(rrsets: I) -> Self {
        let mut load = Self::default();
        rrsets.into_iter().for_each(|rrset| load.add(rrset));
        load
    }
}

/// Concatenated records without duplicates: an RRset that is both the answer and a zone's keys is
/// written once.
#[derive(Default)]
struct RecordList {
    octets: Vec<u8>,
    written: BTreeSet<Vec<u8>>,
}

impl RecordList {
    fn append(&mut self, rrset: &Rrset<'_>) -> Option<()> {
        for record in rrset.records().map(NewRecord::to_wire) {
            let record = record?;
            if !self.written.contains(&record) {
                self.octets.extend_from_slice(&record);
                self.written.insert(record);
            }
        }
        Some(())
    }
}
