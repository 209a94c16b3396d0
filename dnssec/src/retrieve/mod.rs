//! Asks resolvers for a chain. This is the only part of this crate that does I/O.
//!
//! The questions follow from the responses: see `collect`. Each query has DO set, so that
//! signatures are returned (RFC 3225). It also has CD set, so that a validating resolver returns
//! the data even if its own validation fails (RFC 4035 §3.2.2). Only verified data are returned,
//! reduced to what the proof needs.
//!
//! # Problems on the way, and how they are handled
//!
//! | problem | handling |
//! |---|---|
//! | a datagram or its response is lost | the query is sent again after a tenth of its time limit, then after twice as long; at last it is sent over TCP |
//! | an answer does not fit a datagram, or arrives mangled | it is requested over TCP (RFC 7766). The query asks for datagrams of at most 1,232 octets, which no path has to fragment |
//! | somebody else answers | a response counts only if it comes from the server's address and port, goes to the port of the query, which is new each time, and repeats the query's unpredictable ID and its question (RFC 5452 §9); all others are ignored |
//! | nothing listens | ICMP or a TCP reset reports that at once |
//! | a server closes a connection | the query is sent once more over a new one |
//! | the server has no EDNS | FORMERR, NOTIMP and BADVERS are reported as they are: without EDNS there are no signatures, so a second query without it is pointless |
//! | the response is SERVFAIL | everything is asked again, once |
//! | a zone changes its keys between two answers, or a cache has some old and some new records | if verification then fails, everything is asked again, three times at most, after a growing pause |
//! | a resolver strips signatures | this differs from a domain without signatures: zones with an anchor are always signed, and a delegation to an unsigned zone is proven |
//! | a resolver lies | its data do not verify, or prove nothing; the error is that of verification |
//! | a resolver gives no proof, for any reason | the next one is asked; it is also asked after three seconds without a proof, while the first one may still answer |
//!
//! A proof ends the search, even a proof that there is no such record or that the zone is unsigned:
//! no other resolver could prove the contrary.

mod client;
mod collect;
mod encrypted;
mod error;
mod plain;
mod query;
mod resolver;

pub use client::Client;
pub use error::{ResolverFailure, RetrievalError};
pub use resolver::{Resolver, ResolverError};

use std::fmt;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{sleep, timeout};

use crate::anchor::TrustAnchors;
use crate::chain::Chain;
use crate::error::Error;
use crate::fact::{Absence, Fact, Insecure, Insecurity, Proof};
use crate::name::Name;
use crate::record::RecordType;
use crate::time::Timestamp;
use crate::validity::Period;

use client::QUERY_TIMEOUT;
use collect::{Collected, collect};
use error::MAX_REPEATS;

/// The time that a retrieval may take, whatever the resolvers do.
const DEADLINE: Duration = Duration::from_secs(60);
/// The time without a proof after which the next resolver is asked as well.
const HEAD_START: Duration = Duration::from_secs(3);
/// The pause before everything is asked again. Each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const PAUSE_GROWTH: u32 = 2;

/// Retrieves a chain that proves the RRset of `record_type` at `name` for the moment `at`.
///
/// Asks the first resolver, and the next ones in turn as long as none gives a proof; see
/// [`Retriever`] for more settings.
///
/// Needs a Tokio runtime with I/O and time enabled.
///
/// ```no_run
/// use dnssec::{Chain, Period, RecordType, Resolver, Timestamp, TrustAnchors, retrieve};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let name = "_veraid.example.com".parse()?;
/// let anchors = TrustAnchors::iana();
/// let now = Timestamp::from(std::time::SystemTime::now());
/// let resolvers = [Resolver::system(), "https://1.1.1.1/dns-query".parse()?];
///
/// let retrieved = retrieve(&name, RecordType::TXT, &resolvers, &anchors, now).await?;
/// println!("proven for {}", retrieved.proof.validity());
/// // … and later on any machine, with no network:
/// let chain = Chain::from_der(&retrieved.chain)?;
/// let proof = chain.verify(&name, RecordType::TXT, &anchors, Period::at(now))?;
/// assert_eq!(proof, retrieved.proof);
/// # Ok(())
/// # }
/// ```
pub async fn retrieve(
    name: &Name,
    record_type: RecordType,
    resolvers: &[Resolver],
    anchors: &TrustAnchors,
    at: Timestamp,
) -> Result<Retrieved, RetrievalError> {
    Retriever::new(anchors, resolvers)
        .retrieve(name, record_type, at)
        .await
}

/// A chain that proves what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retrieved {
    /// The chain as a DER `SET OF OCTET STRING`, reduced to what the proof needs.
    pub chain: Vec<u8>,
    /// The proof, verified for the moment that was asked for. It need not be verified again.
    pub proof: Proof<'static>,
    /// The resolver that returned the chain.
    pub resolver: String,
}

/// A chain that proves that there is no such record.
///
/// [`Display`](fmt::Display) writes a sentence about the zone: "example.com. is signed, but has no
/// _veraid TXT record".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetrievedAbsence {
    /// The chain as a DER `SET OF OCTET STRING`, reduced to what the proof needs.
    pub chain: Vec<u8>,
    /// The absence, with its validity.
    pub absence: Absence,
    /// The zone that proves it.
    pub zone: Name,
    /// The resolver that returned the chain.
    pub resolver: String,
}

/// A chain that proves that the name is insecure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetrievedInsecurity {
    /// The chain as a DER `SET OF OCTET STRING`, reduced to what the proof needs.
    pub chain: Vec<u8>,
    /// The fact that the name is insecure, with its validity.
    pub insecure: Insecure,
    /// The resolver that returned the chain.
    pub resolver: String,
}

impl fmt::Display for RetrievedAbsence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { absence, zone, .. } = self;
        let (name, end) = (absence.name(), absence.canonical_name());
        let record_type = absence.record_type();
        if name != end {
            write!(f, "{name} is an alias of {end}; ")?;
        }
        if end == zone {
            return write!(f, "{zone} is signed, but has no {record_type} record");
        }
        let below = end.label_count().saturating_sub(zone.label_count());
        let below = Name::from_labels(end.labels().take(below)).unwrap_or_else(|_| end.clone());
        let below = below.to_string();
        let below = below.trim_end_matches('.');
        write!(
            f,
            "{zone} is signed, but has no {below} {record_type} record"
        )
    }
}

/// Retrieves chains, from one resolver or several.
///
/// ```no_run
/// use dnssec::{RecordType, Resolver, RetrievalError, Retriever, Timestamp, TrustAnchors};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let anchors = TrustAnchors::iana();
/// let resolvers = [Resolver::system()];
/// let retriever = Retriever::new(&anchors, &resolvers);
/// let now = Timestamp::from(std::time::SystemTime::now());
/// match retriever.retrieve(&"_443._tcp.example.com".parse()?, RecordType::TLSA, now).await {
///     Ok(retrieved) => println!("{} octets from {}", retrieved.chain.len(), retrieved.resolver),
///     // That there is none can be proven as well, and the proof be kept.
///     Err(RetrievalError::Absent(absence)) => println!("{absence}, until {}", absence.absence.validity()),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Retriever<'r> {
    anchors: &'r TrustAnchors,
    resolvers: &'r [Resolver],
    query_timeout: Duration,
    head_start: Duration,
    deadline: Duration,
}

/// The fact to prove, and the moment for which to prove it.
#[derive(Clone, Copy)]
struct Goal<'g> {
    name: &'g Name,
    record_type: RecordType,
    anchors: &'g TrustAnchors,
    at: Timestamp,
}

impl<'r> Retriever<'r> {
    /// Creates a retriever that asks these resolvers in order. Each server that `system` stands for
    /// counts as a resolver.
    pub fn new(anchors: &'r TrustAnchors, resolvers: &'r [Resolver]) -> Self {
        Self {
            anchors,
            resolvers,
            query_timeout: QUERY_TIMEOUT,
            head_start: HEAD_START,
            deadline: DEADLINE,
        }
    }

    /// Sets the time that a resolver may take for one question, retries included. The default is
    /// ten seconds.
    #[must_use]
    pub fn with_query_timeout(mut self, limit: Duration) -> Self {
        self.query_timeout = limit;
        self
    }

    /// Sets the time without a proof after which the next resolver is asked as well, even though
    /// the one before has not failed yet. The default is three seconds.
    #[must_use]
    pub fn with_head_start(mut self, time: Duration) -> Self {
        self.head_start = time;
        self
    }

    /// Sets the time that a retrieval may take as a whole. The default is sixty seconds.
    #[must_use]
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Retrieves a chain that proves the RRset of `record_type` at `name` for the moment `at`.
    ///
    /// A proof that there is no such RRset is an error as well: [`RetrievalError::Absent`], with
    /// the chain that proves it.
    pub async fn retrieve(
        &self,
        name: &Name,
        record_type: RecordType,
        at: Timestamp,
    ) -> Result<Retrieved, RetrievalError> {
        if !self.anchors.reach(name) {
            return Err(Error::NoTrustAnchor(name.clone()).into());
        }
        let goal = Goal {
            name,
            record_type,
            anchors: self.anchors,
            at,
        };
        let mut candidates = self.candidates();
        let search = ask_all(&mut candidates, goal, self.head_start);
        let in_time = timeout(self.deadline, search).await;
        if let Ok(Some(proven)) = in_time {
            return proven;
        }
        let too_late = || format!("no proof within {:?}", self.deadline);
        let failures = candidates.into_iter().map(|candidate| {
            let failure = candidate.failure;
            let resolver = candidate.shown;
            let error = failure.unwrap_or_else(|| RetrievalError::NoResponse {
                resolver: resolver.clone(),
                problem: too_late(),
            });
            ResolverFailure { resolver, error }
        });
        Err(RetrievalError::of_all(failures.collect()))
    }

    fn candidates(&self) -> Vec<Candidate> {
        let servers = self.resolvers.iter().flat_map(Resolver::servers);
        servers
            .map(|server| Candidate::new(server, self.query_timeout))
            .collect()
    }
}

/// Asks all candidates in turn, and repeats this for those that may be asked again. Returns the
/// proof, if there is one.
async fn ask_all(
    candidates: &mut [Candidate],
    goal: Goal<'_>,
    head_start: Duration,
) -> Option<Result<Retrieved, RetrievalError>> {
    let mut pause = FIRST_PAUSE;
    loop {
        let proven = ask_each(candidates, goal, head_start).await;
        let is_over = candidates.iter().all(|candidate| candidate.tries_left == 0);
        if proven.is_some() || is_over {
            return proven;
        }
        sleep(pause).await;
        pause = pause.saturating_mul(PAUSE_GROWTH);
    }
}

/// Asks each candidate that may be asked. Goes on to the next one when one has failed or when its
/// head start has passed.
async fn ask_each(
    candidates: &mut [Candidate],
    goal: Goal<'_>,
    head_start: Duration,
) -> Option<Result<Retrieved, RetrievalError>> {
    let mut waiting = candidates
        .iter_mut()
        .filter(|candidate| candidate.tries_left > 0);
    let mut in_flight = FuturesUnordered::new();
    loop {
        let next = waiting.next();
        let was_last = next.is_none();
        in_flight.extend(next.map(|candidate| candidate.try_to_prove(goal)));
        let outcome = if was_last {
            Ok(in_flight.next().await)
        } else {
            timeout(head_start, in_flight.next()).await
        };
        match outcome {
            Ok(Some(Some(proven))) => return Some(proven),
            Ok(None) if was_last => return None,
            _ => {}
        }
    }
}

/// A resolver, and the state of asking it.
struct Candidate {
    resolver: Resolver,
    shown: String,
    query_timeout: Duration,
    client: Option<Client>,
    tries: u32,
    tries_left: u32,
    failure: Option<RetrievalError>,
}

impl Candidate {
    fn new(resolver: Resolver, query_timeout: Duration) -> Self {
        Self {
            shown: resolver.to_string(),
            resolver,
            query_timeout,
            client: None,
            tries: 0,
            tries_left: 1 + MAX_REPEATS,
            failure: None,
        }
    }

    /// Asks everything once. Returns the proof; if there is none, keeps the failure.
    async fn try_to_prove(&mut self, goal: Goal<'_>) -> Option<Result<Retrieved, RetrievalError>> {
        self.tries += 1;
        match self.prove(goal).await {
            Err(failure) if !failure.is_proven() => {
                self.tries_left = (1 + failure.repeats()).saturating_sub(self.tries);
                self.failure = Some(failure);
                None
            }
            proven => Some(proven),
        }
    }

    async fn prove(&mut self, goal: Goal<'_>) -> Result<Retrieved, RetrievalError> {
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(Client::connect_within(&self.resolver, self.query_timeout).await?),
        };
        let collected = collect(client, goal.name, goal.record_type, goal.anchors).await?;
        goal.judge(collected, &self.shown)
    }
}

impl Goal<'_> {
    /// Verifies what was collected.
    fn judge(self, collected: Collected, resolver: &str) -> Result<Retrieved, RetrievalError> {
        let Self {
            name,
            record_type,
            anchors,
            at,
        } = self;
        let received = Chain::from_messages(&collected.messages)?;
        let now = Period::at(at);
        let fact = match received.look_up(name, record_type, anchors, now) {
            Ok(fact) => fact,
            Err(error) => return Err(collected.why(error)),
        };
        if let (Fact::ProvenInsecure(_), Some(zone)) = (fact, &collected.stripped) {
            return Err(RetrievalError::SignaturesStripped(zone.clone()));
        }
        let from_now_on = Period::new(at, Timestamp::MAX).unwrap_or(now);
        let minimal = received.minimal(name, record_type, anchors, from_now_on)?;
        // The fact that is reported is the one that the returned chain proves.
        let kept = Chain::from_messages(&minimal)?;
        let fact = kept.look_up(name, record_type, anchors, now)?.into_owned();
        let chain = kept.to_der();
        let resolver = resolver.to_owned();
        match fact {
            Fact::Proven(proof) => Ok(Retrieved {
                chain,
                proof,
                resolver,
            }),
            Fact::ProvenAbsent(absence) => {
                let zone = self.zone_of(&absence, &received, &collected);
                Err(RetrievalError::Absent(Box::new(RetrievedAbsence {
                    chain,
                    absence,
                    zone,
                    resolver,
                })))
            }
            Fact::ProvenInsecure(insecure) => {
                let is_signed = collected.signed_zones.contains(insecure.zone());
                let cause = insecure.cause();
                let insecurity = Box::new(RetrievedInsecurity {
                    chain,
                    insecure,
                    resolver,
                });
                Err(match cause {
                    Insecurity::NoDs | Insecurity::OptOut if is_signed => {
                        RetrievalError::NoDelegationSigner(insecurity)
                    }
                    Insecurity::NoDs | Insecurity::OptOut => RetrievalError::Unsigned(insecurity),
                    _ => RetrievalError::Insecure(insecurity),
                })
            }
        }
    }

    /// The lowest zone at or above the absent name that is proven to be a zone.
    fn zone_of(self, absence: &Absence, chain: &Chain<'_>, collected: &Collected) -> Name {
        let end = absence.canonical_name();
        let is_parents = absence.record_type() == RecordType::DS;
        let mut zones: Vec<_> = collected
            .signed_zones
            .iter()
            .filter(|zone| end.is_within(zone) && !(is_parents && end == *zone))
            .collect();
        zones.sort_by_key(|zone| std::cmp::Reverse(zone.label_count()));
        let is_proven = |zone: &&Name| {
            let period = Period::at(self.at);
            let keys = chain.verify(zone, RecordType::DNSKEY, self.anchors, period);
            keys.is_ok()
        };
        zones
            .into_iter()
            .find(is_proven)
            .cloned()
            .unwrap_or_else(Name::root)
    }
}

impl Collected {
    /// The error to report for a chain that proves nothing.
    fn why(self, error: Error) -> RetrievalError {
        if let Some(zone) = self.stripped {
            return RetrievalError::SignaturesStripped(zone);
        }
        match error {
            // The missing data may be those of the question that failed.
            other if other.progress() == 0 => self.failure.unwrap_or_else(|| other.into()),
            other => other.into(),
        }
    }
}
