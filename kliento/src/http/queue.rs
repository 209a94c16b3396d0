//! How many verifications run at a time, and how many wait for that.

use core::fmt;
use core::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::Refusal;
use crate::{Error, VerifiedToken, Verifier};

/// Verifications that wait unless another number is given.
const WAITING: usize = 1_024;

/// Verifies tokens on Tokio's blocking threads, a bounded number at a time.
///
/// Verifying is work for a processor, so more of it at a time than there are processors makes nothing faster; what
/// comes on top waits. Beyond the bound on those that wait, requests are [refused](Refusal::TooManyVerifications) at
/// once, so that nobody can fill the memory with tokens that nobody has looked at: each that waits keeps its request,
/// some 22 KB at most for the token.
///
/// Clones share the bounds. By default as many run as there are processors, and 1,024 wait.
#[derive(Clone)]
pub struct VerificationQueue {
    /// One permit for each verification that runs or waits.
    places: Arc<Semaphore>,
    /// One permit for each verification that runs.
    processors: Arc<Semaphore>,
}

impl VerificationQueue {
    /// A queue of which `concurrent` verifications run at a time and `waiting` others wait.
    pub fn new(concurrent: NonZeroUsize, waiting: usize) -> Self {
        let concurrent = concurrent.get().min(Semaphore::MAX_PERMITS);
        let places = concurrent
            .saturating_add(waiting)
            .min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
            processors: Arc::new(Semaphore::new(concurrent)),
        }
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
        let verifier = verifier.clone();
        self.run(move || verifier.verify_header(value)).await
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
        let verifier = verifier.clone();
        self.run(move || verifier.verify_bundle(bundle.as_ref()))
            .await
    }

    async fn run(
        &self,
        verification: impl FnOnce() -> Result<VerifiedToken, Error> + Send + 'static,
    ) -> Result<VerifiedToken, Refusal> {
        let runtime = Handle::try_current().map_err(|_| Refusal::VerificationFailed)?;
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Refusal::TooManyVerifications)?;
        let processor = Arc::clone(&self.processors)
            .acquire_owned()
            .await
            .map_err(|_| Refusal::VerificationFailed)?;
        let task = runtime.spawn_blocking(move || {
            // The verification keeps them to its end, even if the client that asked for it has gone by then.
            let _permits = (place, processor);
            verification()
        });
        let outcome = task.await.map_err(|_| Refusal::VerificationFailed)?;
        Ok(outcome?)
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
        formatter
            .debug_struct("VerificationQueue")
            .field("free_places", &self.places.available_permits())
            .field("free_processors", &self.processors.available_permits())
            .finish()
    }
}
