//! Limits on the number of verifications that run and wait at a time, and the order of those that
//! wait.

use core::fmt;
use core::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use veraid::Recognition;

use super::Refusal;
use crate::{VerifiedToken, Verifier, VerifyError};

/// The default number of waiting places.
const WAITING: usize = 1_024;
/// The divisor of the waiting places that are reserved for known signatories, and for known
/// organisations.
const RESERVED: usize = 4;
/// The divisor of the reserved places that one party can have.
const PARTY_SHARE: usize = 8;
/// The number of counters of parties' places. Parties that share a counter by chance share its
/// limit.
const PARTIES: usize = 64;

/// Verifies tokens on Tokio's blocking threads, a limited number at a time.
///
/// Verification takes a processor, so running more verifications than there are processors makes
/// nothing faster. The others wait. If too many are waiting, requests are
/// [refused](Refusal::TooManyVerifications) at once. Otherwise clients could fill the memory with
/// unverified tokens: each waiting verification keeps its request, with at most about 22 KB for the
/// token.
///
/// # Order
///
/// Anybody can send tokens that need a verification. So tokens that are likely to be valid don't
/// wait behind the others. There are three lanes, depending on the parts of a bundle that the
/// verifier remembers:
///
/// | lane | bundles with | cost at most | waiting places |
/// |---|---|---|---|
/// | known signatories | a chain and certificates that were verified before | one signature check | a quarter, reserved |
/// | known organisations | a chain and an organisation's certificate that were verified before | the signatory's certificates, and one signature check | a quarter, reserved |
/// | others | nothing that was verified before | the most work that a bundle may take | the rest |
///
/// Lanes with waiting verifications take turns. Each lane is first come, first served. The quarters
/// are rounded down, so a queue of fewer than four places reserves none.
///
/// Anybody can copy the bytes by which a party is known, so they prove nothing. But copies take
/// that party's own places: one signatory or organisation can have at most an eighth of a lane's. A
/// verification that finds no reserved place uses the lane of the others. So strangers can't keep a
/// known party from being verified, and known parties can't keep each other from it.
///
/// Clones share the limits. By default, as many verifications run as there are processors, and
/// 1,024 wait.
#[derive(Clone)]
pub struct VerificationQueue(Arc<Lanes>);

struct Lanes {
    /// One permit for each verification that runs.
    processors: Arc<Semaphore>,
    signers: Lane,
    organisations: Lane,
    others: Lane,
    /// The number of waiting verifications in all lanes.
    waiting: AtomicUsize,
}

struct Lane {
    /// One permit for each verification that waits.
    places: Semaphore,
    /// Held by the verification that waits for a processor next in this lane, so that lanes get
    /// processors in turn.
    turn: Semaphore,
    /// The numbers of places that parties have, by their counters.
    parties: [AtomicUsize; PARTIES],
    party_share: usize,
}

/// The result of an attempt to enter the queue.
enum Admission<'q> {
    Runs(OwnedSemaphorePermit),
    Waits(Place<'q>),
}

/// A waiting place.
struct Place<'q> {
    lane: &'q Lane,
    _permit: SemaphorePermit<'q>,
    _of_party: Option<Counted<'q>>,
    _waiting: Counted<'q>,
}

/// Adds one to a counter for its lifetime.
struct Counted<'q>(&'q AtomicUsize);

impl VerificationQueue {
    /// A queue in which `concurrent` verifications run at a time and `waiting` others wait.
    pub fn new(concurrent: NonZeroUsize, waiting: usize) -> Self {
        let waiting = waiting.min(Semaphore::MAX_PERMITS);
        let reserved = waiting / RESERVED;
        let rest = waiting.saturating_sub(2 * reserved);
        Self(Arc::new(Lanes {
            processors: Arc::new(Semaphore::new(concurrent.get().min(Semaphore::MAX_PERMITS))),
            signers: Lane::new(reserved),
            organisations: Lane::new(reserved),
            others: Lane::new(rest),
            waiting: AtomicUsize::new(0),
        }))
    }

    /// Verifies the value of an `Authorization` field.
    ///
    /// Call [`Verifier::recall_header`] first, which finds tokens that the verifier remembers, and
    /// needs no thread.
    ///
    /// # Errors
    ///
    /// [`Refusal::Token`], [`Refusal::TooManyVerifications`] and [`Refusal::VerificationFailed`].
    pub async fn verify_header(
        &self,
        verifier: &Verifier,
        value: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<VerifiedToken, Refusal> {
        let admission = self.0.admit(|| verifier.recognise_header(value.as_ref()))?;
        let verifier = verifier.clone();
        self.run(admission, move || verifier.verify_header(value))
            .await
    }

    /// Verifies a token bundle in DER. Call [`Verifier::recall_bundle`] first.
    ///
    /// # Errors
    ///
    /// As for [`verify_header`](Self::verify_header).
    pub async fn verify_bundle(
        &self,
        verifier: &Verifier,
        bundle: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<VerifiedToken, Refusal> {
        let admission = self
            .0
            .admit(|| verifier.recognise_bundle(bundle.as_ref()))?;
        let verifier = verifier.clone();
        self.run(admission, move || verifier.verify_bundle(bundle.as_ref()))
            .await
    }

    async fn run(
        &self,
        admission: Admission<'_>,
        verification: impl FnOnce() -> Result<VerifiedToken, VerifyError> + Send + 'static,
    ) -> Result<VerifiedToken, Refusal> {
        let runtime = Handle::try_current().map_err(|_| Refusal::VerificationFailed)?;
        let processor = match admission {
            Admission::Runs(processor) => processor,
            Admission::Waits(place) => self.0.processor_for(&place).await?,
        };
        let task = runtime.spawn_blocking(move || {
            // The verification keeps its permit to its end, even if the client has disconnected by
            // then.
            let _processor = processor;
            verification()
        });
        let outcome = task.await.map_err(|_| Refusal::VerificationFailed)?;
        Ok(outcome?)
    }
}

impl Lanes {
    /// Gives a processor at once if no verification is waiting for one, and a waiting place
    /// otherwise.
    fn admit(&self, recognise: impl FnOnce() -> Recognition) -> Result<Admission<'_>, Refusal> {
        if self.waiting.load(Ordering::Relaxed) == 0
            && let Ok(processor) = Arc::clone(&self.processors).try_acquire_owned()
        {
            return Ok(Admission::Runs(processor));
        }
        let all = [&self.signers, &self.organisations, &self.others];
        if all.iter().all(|lane| lane.places.available_permits() == 0) {
            return Err(Refusal::TooManyVerifications);
        }
        self.place(recognise())
            .map(Admission::Waits)
            .ok_or(Refusal::TooManyVerifications)
    }

    fn place(&self, recognised: Recognition) -> Option<Place<'_>> {
        let reserved = match recognised {
            Recognition::Signer(number) => self.signers.place_of(number),
            Recognition::Organisation(number) => self.organisations.place_of(number),
            _ => None,
        };
        let (lane, permit, of_party) = match reserved {
            Some((permit, of_party)) if matches!(recognised, Recognition::Signer(_)) => {
                (&self.signers, permit, Some(of_party))
            }
            Some((permit, of_party)) => (&self.organisations, permit, Some(of_party)),
            None => (&self.others, self.others.places.try_acquire().ok()?, None),
        };
        Some(Place {
            lane,
            _permit: permit,
            _of_party: of_party,
            _waiting: Counted::one_more(&self.waiting),
        })
    }

    /// Waits for the turn of the place's lane, and of the place in that lane.
    async fn processor_for(&self, place: &Place<'_>) -> Result<OwnedSemaphorePermit, Refusal> {
        let failed = |_| Refusal::VerificationFailed;
        let _turn = place.lane.turn.acquire().await.map_err(failed)?;
        let processors = Arc::clone(&self.processors);
        processors.acquire_owned().await.map_err(failed)
    }
}

impl Lane {
    fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            turn: Semaphore::new(1),
            parties: [const { AtomicUsize::new(0) }; PARTIES],
            party_share: places.div_ceil(PARTY_SHARE),
        }
    }

    /// A reserved place for the party of that number, unless it has its share already.
    fn place_of(&self, number: u64) -> Option<(SemaphorePermit<'_>, Counted<'_>)> {
        let index = usize::try_from(number % u64::try_from(PARTIES).ok()?).ok()?;
        let of_party = Counted::one_more(self.parties.get(index)?);
        if of_party.count() > self.party_share {
            return None;
        }
        Some((self.places.try_acquire().ok()?, of_party))
    }
}

impl<'q> Counted<'q> {
    fn one_more(count: &'q AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for VerificationQueue {
    fn default() -> Self {
        let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::new(processors, WAITING)
    }
}

impl fmt::Debug for VerificationQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lanes {
            processors,
            waiting,
            ..
        } = &*self.0;
        formatter
            .debug_struct("VerificationQueue")
            .field("waiting", &waiting.load(Ordering::Relaxed))
            .field("free_processors", &processors.available_permits())
            .finish()
    }
}
