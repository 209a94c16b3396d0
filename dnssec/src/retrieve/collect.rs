//! Decides which questions to ask: those that the responses so far raise.
//!
//! 1. **The answer, and the targets of aliases.** A CNAME or DNAME in the answer leads to another
//!    name. That name is asked for separately, unless the response has its records too.
//! 2. **The keys that signed.** Each RRSIG over the answer, or over the NSEC and NSEC3 records that
//!    come with it, names a zone. Its DNSKEY and DS RRsets are asked for; the DS's RRSIG names the
//!    next zone up, and so on until a zone that has an anchor.
//! 3. **The cut to an unsigned zone.** Data without signatures should lie below a delegation that
//!    is proven to be unsigned. To find it, the DS RRset is asked for at every name from the one
//!    below the anchor's down.
//!
//! Independent questions are asked concurrently. Their number never exceeds the number of responses
//! that a chain may have, whatever a resolver says.

use std::collections::{HashSet, VecDeque};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::{Client, RetrievalError};
use crate::anchor::{TrustAnchor, TrustAnchors};
use crate::budget::MAX_RESPONSES;
use crate::error::RrsetId;
use crate::message::{Record, Response};
use crate::name::Name;
use crate::rdata::Rrsig;
use crate::record::RecordType;
use crate::verify::MAX_ALIASES;

/// The number of questions in flight at the same time: enough for one zone and the next without
/// flooding the resolver.
const MAX_IN_FLIGHT: usize = 8;

/// The responses of a resolver to all questions that one fact raises. Nothing is verified.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// The responses with the code NOERROR or NXDOMAIN.
    pub(super) messages: Vec<Vec<u8>>,
    /// The first reason why a question got no such response.
    pub(super) failure: Option<RetrievalError>,
    /// The anchor's zone, if its DNSKEY RRset came without a signature.
    pub(super) stripped: Option<Name>,
    /// The zones that seem to have signed something.
    pub(super) signed_zones: HashSet<Name>,
}

/// A question and its purpose.
#[derive(Clone, Debug)]
struct Question {
    rrset: RrsetId,
    purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// It asks for the fact itself, after this number of aliases.
    Fact { aliases: usize },
    /// It asks about a zone above the fact.
    Delegation,
}

/// Asks all questions about the RRset of `record_type` at `name`. Fails only if the resolver gives
/// no response at all: verification detects anything else that is missing.
pub(super) async fn collect(
    client: &Client,
    name: &Name,
    record_type: RecordType,
    anchors: &TrustAnchors,
) -> Result<Collected, RetrievalError> {
    let mut collector = Collector {
        anchors,
        asked: HashSet::new(),
        waiting: VecDeque::new(),
        collected: Collected::default(),
    };
    collector.want(name, record_type, Purpose::Fact { aliases: 0 });
    // The anchor's DNSKEY RRset is always needed, and shows whether signatures arrive at all.
    if let Some(anchored) = collector.nearest_anchor(name) {
        collector.want(&anchored, RecordType::DNSKEY, Purpose::Delegation);
    }
    let mut in_flight = FuturesUnordered::new();
    loop {
        while in_flight.len() < MAX_IN_FLIGHT
            && let Some(question) = collector.waiting.pop_front()
        {
            in_flight.push(ask(client, question));
        }
        match in_flight.next().await {
            None => return Ok(collector.collected),
            Some((question, Ok(octets))) => collector.take_in(&question, octets),
            Some((_, Err(error))) if error.is_silence() => return Err(error),
            Some((_, Err(error))) => {
                collector.collected.failure.get_or_insert(error);
            }
        }
    }
}

/// Asks one question, and accepts only a response with the code NOERROR or NXDOMAIN.
async fn ask(client: &Client, question: Question) -> (Question, Result<Vec<u8>, RetrievalError>) {
    let RrsetId { owner, record_type } = &question.rrset;
    let outcome = client.query(owner, *record_type).await.and_then(|octets| {
        let response =
            Response::parse(&octets).map_err(|source| RetrievalError::MalformedResponse {
                rrset: question.rrset.clone(),
                source,
            })?;
        if response.is_an_answer() {
            Ok(octets)
        } else {
            Err(RetrievalError::ResponseCode {
                rrset: question.rrset.clone(),
                response_code: response.response_code(),
            })
        }
    });
    (question, outcome)
}

struct Collector<'c> {
    anchors: &'c TrustAnchors,
    asked: HashSet<(Name, RecordType)>,
    waiting: VecDeque<Question>,
    collected: Collected,
}

impl Collector<'_> {
    /// Queues a question, unless it was asked already or the limit is reached.
    fn want(&mut self, owner: &Name, record_type: RecordType, purpose: Purpose) {
        if self.asked.len() < MAX_RESPONSES && self.asked.insert((owner.clone(), record_type)) {
            let owner = owner.clone();
            self.waiting.push_back(Question {
                rrset: RrsetId { owner, record_type },
                purpose,
            });
        }
    }

    /// The lowest zone at or above `name` that has an anchor.
    fn nearest_anchor(&self, name: &Name) -> Option<Name> {
        self.anchors
            .iter()
            .map(TrustAnchor::owner)
            .filter(|owner| name.is_within(owner))
            .max_by_key(|owner| owner.label_count())
            .cloned()
    }

    /// Keeps a response, and queues the questions that it raises.
    fn take_in(&mut self, question: &Question, octets: Vec<u8>) {
        if let Ok(response) = Response::parse(&octets) {
            self.note_stripping(&response, &question.rrset);
            match question.purpose {
                Purpose::Fact { aliases } => {
                    self.follow_answer(&response, &question.rrset, aliases);
                }
                Purpose::Delegation => self.follow_delegation(&response, &question.rrset),
            }
        }
        self.collected.messages.push(octets);
    }

    /// Notes an anchored zone whose DNSKEY RRset came without a signature. Such a zone is signed,
    /// so the resolver must have removed the signature.
    fn note_stripping(&mut self, response: &Response<'_>, rrset: &RrsetId) {
        if rrset.record_type == RecordType::DNSKEY
            && self.anchors.of(&rrset.owner).next().is_some()
            && !is_signed(response, rrset)
        {
            self.collected.stripped = Some(rrset.owner.clone());
        }
    }

    fn follow_answer(&mut self, response: &Response<'_>, rrset: &RrsetId, aliases: usize) {
        let RrsetId { owner, record_type } = rrset;
        let path = Path::through(response, owner, *record_type, MAX_ALIASES - aliases);
        for link in &path.links {
            self.follow_signatures(response, &link.owner);
            if !is_signed(response, link) {
                self.look_for_the_cut(&link.owner);
            }
        }
        self.follow_signatures(response, &path.end);
        let end = RrsetId {
            owner: path.end.clone(),
            record_type: *record_type,
        };
        let is_settled = if has_rrset(response, &end) {
            is_signed(response, &end)
        } else if path.end == *owner {
            is_denied_with_signatures(response, owner)
        } else {
            // The target is asked for separately, whatever else this response says about it.
            let aliases = aliases + path.links.len();
            self.want(&path.end, *record_type, Purpose::Fact { aliases });
            true
        };
        if !is_settled {
            self.look_for_the_cut(&path.end);
        }
    }

    fn follow_delegation(&mut self, response: &Response<'_>, rrset: &RrsetId) {
        let zone = &rrset.owner;
        self.follow_signatures(response, zone);
        let is_settled = is_signed(response, rrset) || is_denied_with_signatures(response, zone);
        if !is_settled && rrset.record_type == RecordType::DS {
            self.look_for_the_cut(zone);
        }
    }

    /// Asks for the keys of the zones that signed what a response says about `name`.
    fn follow_signatures(&mut self, response: &Response<'_>, name: &Name) {
        let in_answer = response.answers().iter().filter_map(Record::rrsig);
        for rrsig in in_answer.chain(denial_signatures(response)) {
            if name.is_within(&rrsig.signer) {
                self.want_zone(&rrsig.signer);
            }
        }
    }

    /// Asks for a zone's keys, and for its DS RRset unless the zone has an anchor.
    fn want_zone(&mut self, zone: &Name) {
        if !self.anchors.reach(zone) {
            return;
        }
        self.collected.signed_zones.insert(zone.clone());
        self.want(zone, RecordType::DNSKEY, Purpose::Delegation);
        if self.anchors.of(zone).next().is_none() {
            self.want(zone, RecordType::DS, Purpose::Delegation);
        }
    }

    /// Asks for the DS RRset at each name from the one below the anchor's down to this one: one of
    /// the responses should deny it.
    fn look_for_the_cut(&mut self, name: &Name) {
        let Some(anchored) = self.nearest_anchor(name) else {
            return;
        };
        for labels in anchored.label_count() + 1..=name.label_count() {
            if let Some(owner) = name.suffix(labels) {
                self.want(&owner, RecordType::DS, Purpose::Delegation);
            }
        }
    }
}

/// The aliases that a response leads through.
#[derive(Debug)]
struct Path {
    /// The aliases' RRsets, in order.
    links: Vec<RrsetId>,
    /// The target of the last alias.
    end: Name,
}

impl Path {
    fn through(
        response: &Response<'_>,
        name: &Name,
        record_type: RecordType,
        limit: usize,
    ) -> Self {
        let mut path = Self {
            links: Vec::new(),
            end: name.clone(),
        };
        while path.links.len() < limit
            && let Some((link, target)) = next_link(response, &path.end, record_type)
        {
            path.links.push(link);
            path.end = target;
        }
        path
    }
}

/// The alias at or above `name`, and its target. A CNAME that was synthesised from a DNAME (RFC
/// 6672 §3.1) is ignored, because it is never signed.
fn next_link(
    response: &Response<'_>,
    name: &Name,
    record_type: RecordType,
) -> Option<(RrsetId, Name)> {
    let link = |record: &Record<'_>| RrsetId {
        owner: record.owner(),
        record_type: record.record_type(),
    };
    for record in response.answers() {
        if record.record_type() == RecordType::DNAME && name.is_below(&record.owner()) {
            let target = name.moved(&record.owner(), &target(record)?)?;
            return Some((link(record), target));
        }
    }
    let cname = response
        .answers()
        .iter()
        .find(|record| record.belongs_to(name, RecordType::CNAME))?;
    (record_type != RecordType::CNAME).then_some((link(cname), target(cname)?))
}

/// The name in a CNAME or DNAME record.
fn target(record: &Record<'_>) -> Option<Name> {
    Name::from_wire(&record.canonical_rdata()?).ok()
}

fn has_rrset(response: &Response<'_>, rrset: &RrsetId) -> bool {
    let mut answers = response.answers().iter();
    answers.any(|record| record.belongs_to(&rrset.owner, rrset.record_type))
}

/// Returns true if the answer section has an RRSIG over this RRset.
fn is_signed(response: &Response<'_>, rrset: &RrsetId) -> bool {
    let mut rrsigs = response
        .answers()
        .iter()
        .filter(|record| record.belongs_to(&rrset.owner, RecordType::RRSIG))
        .filter_map(Record::rrsig);
    rrsigs.any(|rrsig| rrsig.type_covered == rrset.record_type)
}

/// The RRSIGs over NSEC and NSEC3 records in the authority and additional sections.
fn denial_signatures<'m>(response: &Response<'m>) -> impl Iterator<Item = Rrsig<'m>> {
    let rrsigs = response.others().iter().filter_map(Record::rrsig);
    rrsigs.filter(|rrsig| matches!(rrsig.type_covered, RecordType::NSEC | RecordType::NSEC3))
}

/// Returns true if the response has an RRSIG over a denial by a zone at or above `name`.
fn is_denied_with_signatures(response: &Response<'_>, name: &Name) -> bool {
    denial_signatures(response).any(|rrsig| name.is_within(&rrsig.signer))
}
