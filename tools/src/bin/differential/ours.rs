//! This crate's verdict, from the messages that the others are served.

use crate::plan::Asked;
use crate::scene::Scene;
use crate::verdict::{Outcome, Verdict};
use dnssec::{Chain, Denial, Error, Fact, Period, RecordType, Timestamp, TrustAnchors};

/// Verifies what was collected from the scene, for the time that it was made for, which is the present.
///
/// Where that proves nothing, the responses are looked at that validators get who look for zones label by label: one of
/// them may prove that nothing can be proven. And some things must make no difference: the order of the responses; in a
/// world with nothing wrong, responses that a proof does not need. Where they do, the words say so.
pub(crate) fn judge(scene: &Scene, asked: &Asked) -> Outcome {
    let mut messages = scene.chain(asked).to_messages();
    let outcome = judge_messages(&messages, scene, asked);
    messages.reverse();
    let reversed = judge_messages(&messages, scene, asked);
    if reversed.verdict != outcome.verdict {
        let words = format!("{INCONSISTENT} in reverse order: {}", reversed.words);
        return Outcome::new(outcome.verdict, words);
    }
    let is_honest = scene.faults.is_empty();
    if !is_honest && outcome.verdict != Verdict::Bogus {
        return outcome;
    }
    let thorough = judge_messages(&scene.thorough_chain(asked).to_messages(), scene, asked);
    if is_honest && thorough.verdict != outcome.verdict {
        let words = format!("{INCONSISTENT} with more responses: {}", thorough.words);
        return Outcome::new(outcome.verdict, words);
    }
    match thorough.verdict {
        Verdict::Insecure => thorough,
        _ => outcome,
    }
}

/// How the words begin of an outcome that is not the same for the same facts.
pub(crate) const INCONSISTENT: &str = "INCONSISTENT";

fn judge_messages(messages: &[Vec<u8>], scene: &Scene, asked: &Asked) -> Outcome {
    match verify(messages, asked, &scene.anchors, scene.base.world.at()) {
        Ok(outcome) => outcome,
        Err(insecure @ Error::InsecureDelegation { .. }) => {
            Outcome::new(Verdict::Insecure, insecure.to_string())
        }
        Err(error) => Outcome::new(Verdict::Bogus, format!("{}: {error}", error.reason())),
    }
}

fn verify(messages: &[Vec<u8>], asked: &Asked, anchors: &str, now: i64) -> Result<Outcome, Error> {
    let anchors: TrustAnchors = anchors.parse().expect("the world's anchors can be read");
    let name = dnssec::Name::from_labels(asked.name.labels()).expect("the name is one");
    let chain = Chain::from_messages(messages.iter().map(Vec::as_slice))?;
    let now = Period::at(Timestamp::from_unix_seconds(now));
    let fact = chain
        .look_up(&name, RecordType(asked.record_type), &anchors, now)?
        .into_secure()?;
    Ok(match fact {
        Fact::Proven(proof) => {
            Outcome::new(Verdict::Secure, format!("{} records", proof.rdata().len()))
        }
        Fact::ProvenAbsent(absence) => {
            let verdict = match absence.denial() {
                Denial::NxDomain => Verdict::NxDomain,
                Denial::NoData => Verdict::NoData,
                other => return Ok(Outcome::new(Verdict::Bogus, other.to_string())),
            };
            Outcome::new(verdict, format!("no {}", absence.canonical_name()))
        }
        Fact::ProvenInsecure(insecure) => return Err(insecure.into()),
    })
}
