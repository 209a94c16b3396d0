//! How many verifications run at a time, how many wait for that, and in which order.

use core::fmt;
use core::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use veraid::Recognition;

use super::Refusal;
use crate::{Error, VerifiedToken, Verifier};

/// Verifications that wait unless another number is given.
const WAITING: usize = 1_024;
/// One of so many waiting places is reserved for known signers, and as many for known organisations.
const RESERVED: usize = 4;
/// One of so many reserved places can be had by one party.
const PARTY_SHARE: usize = 8;
/// Counts of what parties have. Those that fall on one by chance share it.
const PARTIES: usize = 64;

/// Verifies tokens on Tokio's blocking threads, a bounded number at a time.
///
/// Verifying is work for a processor, so more of it at a time than there are processors makes nothing faster; what
/// comes on top waits. Beyond the bound on those that wait, requests are [refused](Refusal::TooManyVerifications) at
/// once, so that nobody can fill the memory with tokens that nobody has looked at: each that waits keeps its request,
/// some 22 KB at most for the token.
///
/// # Whose turn it is
///
/// Anybody can send tokens that have to be looked at, so those that are most likely worth it do not wait behind the rest.
/// There are three lanes, by what the verifier remembers of a bundle's octets:
///
/// | lane | has | costs at most | waiting places |
/// |---|---|---|---|
/// | known signers | chain and certificates that were verified before | one signature | a quarter, reserved |
/// | known organisations | a chain and an organisation's certificate that were verified before | the signer's certificates, and a signature | a quarter, reserved |
/// | all others | what nobody has verified | all the work that a bundle may take | the rest |
///
/// Lanes take turns where all have somebody waiting; within a lane it is first come, first served. The quarters are rounded
/// down: a queue of less than four places has none to reserve.
///
/// Everybody can copy the octets by which a party is known, so these prove nothing; but what is sent in a party's name takes
/// its own places: an eighth of a lane's at most for one signer or organisation. Whoever finds no reserved place is treated
/// like all others. So strangers keep no party that is known from being verified, and neither do parties that are known keep
/// each other.
///
/// Clones share the bounds. By default as many run as there are processors, and 1,024 wait.
#[derive(Clone)]
pub struct VerificationQueue(Arc<Lanes>);

struct Lanes {
    /// One permit for each verification that runs.
    processors: Arc<Semaphore>,
    signers: Lane,
    organisations: Lane,
    others: Lane,
    /// Verifications that wait, of all lanes.
    waiting: AtomicUsize,
}

struct Lane {
    /// One permit for each verification that waits.
    places: Semaphore,
    /// Held by the one that waits for a processor on behalf of the lane: processors are given to lanes in turn.
    turn: Semaphore,
    /// Places that parties have, by their numbers.
    parties: [AtomicUsize; PARTIES],
    party_share: usize,
}

/// What a verification is told when it comes.
enum Admission<'q> {
    Runs(OwnedSemaphorePermit),
    Waits(Place<'q>),
}

/// A place to wait at.
struct Place<'q> {
    lane: &'q Lane,
    _permit: SemaphorePermit<'q>,
    _of_party: Option<Counted<'q>>,
    _waiting: Counted<'q>,
}

/// Is counted for as long as it lives.
struct Counted<'q>(&'q AtomicUsize);

impl VerificationQueue {
    /// A queue of which `concurrent` verifications run at a time and `waiting` others wait.
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
    /// Ask [`Verifier::recall_header`] first, which knows tokens that it has seen and needs no thread.
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

    /// Verifies a token bundle's DER octets. Ask [`Verifier::recall_bundle`] first.
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
        verification: impl FnOnce() -> Result<VerifiedToken, Error> + Send + 'static,
    ) -> Result<VerifiedToken, Refusal> {
        let runtime = Handle::try_current().map_err(|_| Refusal::VerificationFailed)?;
        let processor = match admission {
            Admission::Runs(processor) => processor,
            Admission::Waits(place) => self.0.processor_for(&place).await?,
        };
        let task = runtime.spawn_blocking(move || {
            // The verification keeps it to its end, even if the client that asked for it has gone by then.
            let _processor = processor;
            verification()
        });
        let outcome = task.await.map_err(|_| Refusal::VerificationFailed)?;
        Ok(outcome?)
    }
}

impl Lanes {
    /// A processor at once if nobody waits for one, and a place to wait at otherwise.
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

    /// Waits until it is the turn of that place's lane, and of that place within it.
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

    /// A reserved place for the party of that number, unless it has its share.
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
