//! hickory's validator (`hickory-net`), as a library: its handle asks a scene in place of a resolver.

use std::sync::Arc;

use futures_util::future::{Ready, ready};
use futures_util::stream::{Once, StreamExt, once};
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::xfer::DnsHandle;
use hickory_net::{DnsError, NetError, dnssec::DnssecDnsHandle};
use hickory_proto::dnssec::{Algorithm, Proof, PublicKeyBuf, TrustAnchors};
use hickory_proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::runtime::{Builder, Runtime};

use crate::plan::Asked;
use crate::scene::Scene;
use crate::verdict::{Outcome, Verdict};

/// A validator that has validated nothing yet.
pub(crate) struct Hickory {
    runtime: Runtime,
}

impl Hickory {
    pub(crate) fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        Ok(Self { runtime })
    }

    /// Asks for the name, and again for what its aliases lead to, as hickory's resolver does.
    pub(crate) fn ask(&self, scene: &Arc<Scene>, asked: &Asked) -> Outcome {
        /// As in hickory's resolver.
        const MAX_ALIASES: usize = 8;
        let Some(mut query) = query(asked) else {
            return Outcome::new(Verdict::Bogus, "the name is none to hickory");
        };
        let handle = DnssecDnsHandle::with_trust_anchor(
            SceneHandle(Arc::clone(scene)),
            Arc::new(anchors(scene)),
        );
        let mut is_insecure = false;
        for _ in 0..=MAX_ALIASES {
            let mut responses = handle.lookup(query.clone(), DnsRequestOptions::default());
            let response = match self.runtime.block_on(responses.next()) {
                Some(Ok(response)) => response,
                Some(Err(error)) => return refusal(error),
                None => return Outcome::new(Verdict::Bogus, "no response"),
            };
            let mut outcome = judge(&response, &query);
            if is_insecure && outcome.verdict != Verdict::Bogus {
                outcome.verdict = Verdict::Insecure;
            }
            match target(&response, &query) {
                Some(target) if outcome.verdict != Verdict::Bogus => {
                    is_insecure |= outcome.verdict == Verdict::Insecure;
                    query = Query::query(target, query.query_type());
                }
                _ => return outcome,
            }
        }
        Outcome::new(Verdict::Bogus, "too many aliases")
    }
}

/// Answers from a scene.
#[derive(Clone)]
struct SceneHandle(Arc<Scene>);

impl DnsHandle for SceneHandle {
    type Response = Once<Ready<Result<DnsResponse, NetError>>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let response = match request.queries.first() {
            None => Err(NetError::from("a request without a question")),
            Some(query) => {
                let name = kliento_fixtures::Name::from_labels(query.name().iter());
                let response = self.0.answer(&name, query.query_type().into());
                DnsResponse::from_buffer(response.to_message()).map_err(NetError::from)
            }
        };
        once(ready(response))
    }
}

/// The root's committed key: hickory takes keys, not digests of them.
fn anchors(scene: &Scene) -> TrustAnchors {
    let key = &scene.base.world.zone(".").committed_key().key;
    let mut anchors = TrustAnchors::empty();
    anchors.insert(&PublicKeyBuf::new(
        key.public_key().to_vec(),
        Algorithm::from_u8(key.algorithm()),
    ));
    anchors
}

fn query(asked: &Asked) -> Option<Query> {
    let mut name = Name::from_labels(asked.name.labels()).ok()?;
    name.set_fqdn(true);
    Some(Query::query(name, RecordType::from(asked.record_type)))
}

/// What a refusal comes to.
fn refusal(error: NetError) -> Outcome {
    match error {
        NetError::Dns(DnsError::Nsec { proof, .. }) => {
            let verdict = match proof {
                Proof::Insecure => Verdict::Insecure,
                _ => Verdict::Bogus,
            };
            Outcome::new(verdict, format!("the denial is {proof}"))
        }
        other => Outcome::new(Verdict::Bogus, other.to_string()),
    }
}

/// Sums up what hickory says of each record: the worst of an answer's, or of a denial's.
fn judge(response: &DnsResponse, query: &Query) -> Outcome {
    let section = if response.answers.is_empty() {
        &response.authorities
    } else {
        &response.answers
    };
    let proofs: Vec<Proof> = section
        .iter()
        .filter(|record| record.record_type() != RecordType::RRSIG)
        .map(|record| record.proof)
        .collect();
    let words = format!("{}, {proofs:?}", response.response_code);
    let is_there = response
        .answers
        .iter()
        .any(|record| record.record_type() == query.query_type());
    let code = response.response_code;
    let is_bad = |proof: &Proof| matches!(proof, Proof::Bogus | Proof::Indeterminate);
    let verdict = if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
        || proofs.iter().any(is_bad)
    {
        Verdict::Bogus
    } else if proofs.contains(&Proof::Insecure) || proofs.is_empty() {
        Verdict::Insecure
    } else if is_there {
        Verdict::Secure
    } else if code == ResponseCode::NXDomain {
        Verdict::NxDomain
    } else {
        Verdict::NoData
    };
    Outcome::new(verdict, words)
}

/// Where the aliases of a response lead to, if it does not say what is there.
fn target(response: &DnsResponse, query: &Query) -> Option<Name> {
    let mut name = query.name().clone();
    for _ in &response.answers {
        let alias = response
            .answers
            .iter()
            .find_map(|record| match &record.data {
                RData::CNAME(alias) if record.name == name => Some(alias.0.clone()),
                _ => None,
            });
        match alias {
            Some(alias) if query.query_type() != RecordType::CNAME => name = alias,
            _ => break,
        }
    }
    let is_said = !response.authorities.is_empty()
        || response
            .answers
            .iter()
            .any(|record| record.name == name && record.record_type() == query.query_type());
    (name != *query.name() && !is_said).then_some(name)
}
