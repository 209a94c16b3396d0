//! A world with faults, as a resolver would show it: every question has one answer, whoever asks.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use kliento_fixtures::{
    CNAME, DNAME, DNSKEY, DS, Name, Question, Record, Response, Responses, World,
};

use crate::plan::{Asked, Plan};
use crate::target::signature_of;
use crate::wire::name_in;

/// A change to whatever response it applies to.
pub(crate) type Edit = Box<dyn Fn(&Base, &mut Response) + Send + Sync>;

/// What is true in a world before anybody tampers with its messages.
pub(crate) struct Base {
    pub(crate) world: World,
    pub(crate) plan: Plan,
}

impl Base {
    /// The responses of a resolver, as [`Scene::chain`] but before any edit.
    pub(crate) fn chain(&self, asked: &Asked) -> Vec<Response> {
        collect(&self.plan, asked, |question| {
            self.world.answer(&question.name, question.record_type)
        })
    }
}

/// The responses given so far, by the question's name, its case kept, and type.
type Given = HashMap<(Vec<u8>, u16), Arc<Response>>;

/// One world of the run.
pub(crate) struct Scene {
    pub(crate) number: u64,
    pub(crate) base: Base,
    pub(crate) faults: Vec<Wrong>,
    edits: Vec<Edit>,
    pub(crate) anchors: String,
    pub(crate) asked: Vec<Asked>,
    given: Mutex<Given>,
    signed: Mutex<Signatures>,
}

/// RRSIGs by what they cover: servers sign an RRset once and not for each response.
#[derive(Default)]
struct Signatures {
    known: HashMap<Vec<u8>, Record>,
}

impl Signatures {
    /// Puts the RRSIGs that are known in the place of others over the same.
    fn unify(&mut self, section: &mut [Record]) {
        for index in 0..section.len() {
            let rrsig = section[index].clone();
            let Some(type_covered) = rrsig.type_covered() else {
                continue;
            };
            // All that the RRSIG says, and what it says it of.
            let mut fields = rrsig.clone();
            let signer_end = fields.rdata.len() - signature_of(&rrsig).len();
            fields.rdata.truncate(signer_end);
            let covered = section
                .iter()
                .filter(|record| record.owner == rrsig.owner && record.record_type == type_covered);
            let key = [&fields]
                .into_iter()
                .chain(covered)
                .flat_map(Record::to_wire)
                .collect();
            section[index] = self.known.entry(key).or_insert(rrsig).clone();
        }
    }
}

/// A fault that a world has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) fault: &'static str,
    /// Where.
    pub(crate) at: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.fault, self.at)
    }
}

impl Scene {
    pub(crate) fn new(
        number: u64,
        base: Base,
        faults: Vec<Wrong>,
        edits: Vec<Edit>,
        anchors: String,
        asked: Vec<Asked>,
    ) -> Self {
        Self {
            number,
            base,
            faults,
            edits,
            anchors,
            asked,
            given: Mutex::default(),
            signed: Mutex::default(),
        }
    }

    pub(crate) fn has(&self, fault: &str) -> bool {
        self.faults.iter().any(|wrong| wrong.fault == fault)
    }

    /// The response to a question, the same each time.
    pub(crate) fn answer(&self, name: &Name, record_type: u16) -> Arc<Response> {
        let key = (name.wire().to_vec(), record_type);
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let response = given.entry(key).or_insert_with(|| {
            let mut response = self.base.world.answer(name, record_type);
            let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
            signed.unify(&mut response.answers);
            signed.unify(&mut response.authorities);
            for edit in &self.edits {
                edit(&self.base, &mut response);
            }
            Arc::new(response)
        });
        Arc::clone(response)
    }

    /// What somebody who wants to prove the answer and knows the zones would collect.
    pub(crate) fn chain(&self, asked: &Asked) -> Responses {
        Responses(collect(&self.base.plan, asked, |question| {
            Response::clone(&self.answer(&question.name, question.record_type))
        }))
    }

    /// The same with the responses to all questions for a DS that validators ask who look for zones as they go, label by
    /// label.
    pub(crate) fn thorough_chain(&self, asked: &Asked) -> Responses {
        let mut responses = self.chain(asked);
        let mut names: Vec<Name> = Vec::new();
        for response in &responses.0 {
            let mut name = Some(response.questions[0].name.clone());
            while let Some(ancestor) = name.filter(|name| *name != Name::root()) {
                name = ancestor.parent();
                names.push(ancestor);
            }
        }
        for name in names {
            let is_known = responses
                .0
                .iter()
                .any(|response| response.is_for(&name, DS));
            if !is_known {
                let response = Response::clone(&self.answer(&name, DS));
                responses.0.insert(0, response);
            }
        }
        responses
    }
}

/// Asks what a proof can need: the question itself, the same of every name that aliases lead to, and DS and DNSKEY of
/// all zones at or above those names.
fn collect(plan: &Plan, asked: &Asked, answer: impl Fn(&Question) -> Response) -> Vec<Response> {
    /// Names that are followed: more than any validator does.
    const MAX_NAMES: usize = 20;
    let mut names = vec![asked.name.clone()];
    let mut responses = Vec::new();
    let mut done = 0;
    while let Some(name) = names.get(done).filter(|_| done < MAX_NAMES).cloned() {
        done += 1;
        let response = answer(&Question::new(&name, asked.record_type));
        for target in aliases(&response, &name) {
            if !names.contains(&target) {
                names.push(target);
            }
        }
        responses.push(response);
    }
    let main = responses.remove(0);
    for zone in &plan.zones {
        if !names.iter().any(|name| name.is_within(&zone.name)) {
            continue;
        }
        let types: &[u16] = if zone.name == Name::root() {
            &[DNSKEY]
        } else {
            &[DS, DNSKEY]
        };
        for &record_type in types {
            let question = Question::new(&zone.name, record_type);
            let is_there = |response: &Response| response.is_for(&question.name, record_type);
            if !is_there(&main) && !responses.iter().any(is_there) {
                responses.push(answer(&question));
            }
        }
    }
    responses.push(main);
    responses
}

/// Where the aliases in a response may lead from `name`.
fn aliases(response: &Response, name: &Name) -> Vec<Name> {
    let mut targets = Vec::new();
    for record in &response.answers {
        match record.record_type {
            CNAME => targets.extend(name_in(&record.rdata)),
            DNAME => {
                let mut labels = name.labels();
                if name.is_within(&record.owner)
                    && let Some(target) = name_in(&record.rdata)
                {
                    labels.truncate(labels.len() - usize::from(record.owner.label_count()));
                    labels.extend(target.labels());
                    let octets: usize = labels.iter().map(|label| label.len() + 1).sum();
                    if octets < 255 {
                        targets.push(Name::from_labels(labels));
                    }
                }
            }
            _ => {}
        }
    }
    targets
}
