//! The RRsets on the way to an answer, any of which may be tampered with.

use std::fmt;

use kliento_fixtures::{
    DNSKEY, DS, KeyRole, NSEC, NSEC3, Name, RRSIG, Record, Response, SOA, Signing,
};

use crate::plan::Asked;
use crate::scene::Base;
use crate::wire::split_name;

/// Which RRsets a fault may befall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Any of those below.
    Any,
    /// A DNSKEY RRset.
    Keys,
    /// A DS RRset.
    Delegation,
    /// An NSEC or NSEC3 RRset.
    Denial,
    /// The SOA RRset of a negative answer.
    Authority,
    /// What the question is about: data or an alias.
    Answer,
}

/// A signed RRset of a world, and how it is signed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) owner: Name,
    pub(crate) record_type: u16,
    pub(crate) signer: Name,
    labels: u8,
    original_ttl: u32,
    pub(crate) which: Which,
    /// Its records, without RRSIGs.
    pub(crate) data: Vec<Record>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.owner, self.record_type)
    }
}

impl Target {
    /// The signed RRsets of all responses that the answer rests on.
    pub(crate) fn all(base: &Base, asked: &Asked, which: Which) -> Vec<Self> {
        let mut targets: Vec<Self> = Vec::new();
        for response in base.chain(asked) {
            let of_keys = response.is_for(&response.questions[0].name, DNSKEY);
            for (section, is_answer) in [(&response.answers, true), (&response.authorities, false)]
            {
                for rrsig in section.iter().filter(|record| record.record_type == RRSIG) {
                    let Some(target) = Self::of(section, rrsig, is_answer, of_keys) else {
                        continue;
                    };
                    let wanted = match which {
                        Which::Any => target.which != Which::Authority,
                        _ => target.which == which,
                    };
                    if wanted && !target.data.is_empty() && !targets.contains(&target) {
                        targets.push(target);
                    }
                }
            }
        }
        targets
    }

    fn of(section: &[Record], rrsig: &Record, is_answer: bool, of_keys: bool) -> Option<Self> {
        let fields = RrsigFields::read(&rrsig.rdata)?;
        let is_covered = |record: &&Record| {
            record.owner == rrsig.owner && record.record_type == fields.type_covered
        };
        Some(Self {
            data: section.iter().filter(is_covered).cloned().collect(),
            owner: rrsig.owner.clone(),
            record_type: fields.type_covered,
            which: match fields.type_covered {
                DNSKEY if of_keys => Which::Keys,
                DS => Which::Delegation,
                NSEC | NSEC3 => Which::Denial,
                SOA if !is_answer => Which::Authority,
                _ => Which::Answer,
            },
            signer: fields.signer,
            labels: fields.labels,
            original_ttl: fields.original_ttl,
        })
    }

    /// How the world signs it.
    pub(crate) fn signing(&self, base: &Base) -> Signing {
        let signing = match self.record_type {
            DNSKEY => base.world.signing_for(&self.owner, DNSKEY),
            _ => base.world.signing(&self.signer, KeyRole::Zsk),
        };
        signing.labels(self.labels).original_ttl(self.original_ttl)
    }

    /// Changes the RRset's records and RRSIGs wherever they stand in a response.
    pub(crate) fn edit(
        &self,
        response: &mut Response,
        change: impl Fn(&mut Vec<Record>, &mut Vec<Record>),
    ) {
        for section in [&mut response.answers, &mut response.authorities] {
            let Some(position) = section.iter().position(|record| self.is_data(record)) else {
                continue;
            };
            let is_another_zones = section.iter().any(|record| {
                self.is_rrsig(record)
                    && signer_of(record).is_some_and(|signer| signer != self.signer)
            });
            if is_another_zones && self.record_type != DNSKEY {
                continue;
            }
            let (mut data, mut rrsigs) = (Vec::new(), Vec::new());
            let mut others = Vec::new();
            for record in section.drain(..) {
                if self.is_data(&record) {
                    data.push(record);
                } else if self.is_rrsig(&record) {
                    rrsigs.push(record);
                } else {
                    others.push(record);
                }
            }
            change(&mut data, &mut rrsigs);
            let position = position.min(others.len());
            others.splice(position..position, data.into_iter().chain(rrsigs));
            *section = others;
        }
    }

    fn is_data(&self, record: &Record) -> bool {
        record.owner == self.owner && record.record_type == self.record_type
    }

    fn is_rrsig(&self, record: &Record) -> bool {
        record.owner == self.owner
            && record.record_type == RRSIG
            && record.rdata.starts_with(&self.record_type.to_be_bytes())
    }
}

/// Fields of an RRSIG that the world made (RFC 4034 §3.1).
struct RrsigFields {
    type_covered: u16,
    labels: u8,
    original_ttl: u32,
    signer: Name,
}

impl RrsigFields {
    /// `None` if it was tampered with beyond reading.
    fn read(rdata: &[u8]) -> Option<Self> {
        let (signer, _) = split_name(rdata.get(SIGNER_AT..)?)?;
        Some(Self {
            type_covered: u16::from_be_bytes([rdata[0], rdata[1]]),
            labels: rdata[3],
            original_ttl: u32::from_be_bytes([rdata[4], rdata[5], rdata[6], rdata[7]]),
            signer,
        })
    }
}

/// Who made an RRSIG, if that can be read.
pub(crate) fn signer_of(rrsig: &Record) -> Option<Name> {
    RrsigFields::read(&rrsig.rdata).map(|fields| fields.signer)
}

/// The signature in an RRSIG; empty if there is none.
pub(crate) fn signature_of(rrsig: &Record) -> &[u8] {
    let after_fields = rrsig.rdata.get(SIGNER_AT..).unwrap_or_default();
    split_name(after_fields).map_or(&[], |(_, signature)| signature)
}

/// Where the signer's name starts in the RDATA of an RRSIG.
pub(crate) const SIGNER_AT: usize = 18;
