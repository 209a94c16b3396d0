//! The gate that all endpoints send tokens through: what was verified before costs a look-up; everything else is verified
//! by threads that may block, a bounded number at a time, with a bounded number waiting. And the record of what came of
//! each request.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use kliento::{VerifiedToken, Verifier};
use tokio::sync::Semaphore;

use super::refusal::Refusal;
use crate::serve::audit::{Audit, Decision};
use crate::serve::limits::VerificationLimits;
use crate::serve::metrics::Metrics;
use crate::serve::{Outcome, Tier};

/// A token as a request presents it.
#[derive(Clone, Debug)]
pub(crate) enum Presented {
    /// The value of an `Authorization` field.
    Header(HeaderValue),
    /// The same, as it stands elsewhere.
    Text(Bytes),
    /// The DER octets of a bundle.
    Bundle(Bytes),
}

impl Presented {
    fn recall(&self, verifier: &Verifier) -> Option<Result<VerifiedToken, kliento::Error>> {
        match self {
            Self::Header(value) => verifier.recall_header(value),
            Self::Text(value) => verifier.recall_header(value),
            Self::Bundle(der) => verifier.recall_bundle(der),
        }
    }

    fn verify(&self, verifier: &Verifier) -> Result<VerifiedToken, kliento::Error> {
        match self {
            Self::Header(value) => verifier.verify_header(value),
            Self::Text(value) => verifier.verify_header(value),
            Self::Bundle(der) => verifier.verify_bundle(der),
        }
    }
}

/// One for the whole process.
#[derive(Debug)]
pub(crate) struct Gate {
    /// One permit for each verification that runs or waits.
    places: Arc<Semaphore>,
    /// One permit for each verification that runs.
    processors: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    audit: Audit,
}

impl Gate {
    pub(crate) fn new(limits: VerificationLimits, metrics: Arc<Metrics>, audit: Audit) -> Self {
        let concurrent = limits.concurrent.clamp(1, Semaphore::MAX_PERMITS);
        let places = concurrent.saturating_add(limits.queue);
        Self {
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            processors: Arc::new(Semaphore::new(concurrent)),
            metrics,
            audit,
        }
    }

    /// What `verifier` says of a token, and where that comes from.
    pub(crate) async fn verify(
        &self,
        verifier: &Verifier,
        presented: Presented,
    ) -> (Tier, Result<VerifiedToken, Refusal>) {
        match presented.recall(verifier) {
            Some(known @ Ok(_)) => (Tier::Hit, known.map_err(Refusal::from)),
            // Good and remembered, but not enough here or not for us.
            Some(Err(error)) if is_about_a_good_token(&error) => (Tier::Hit, Err(error.into())),
            Some(Err(error)) => (Tier::None, Err(error.into())),
            None => (Tier::Miss, self.verify_anew(verifier, presented).await),
        }
    }

    async fn verify_anew(
        &self,
        verifier: &Verifier,
        presented: Presented,
    ) -> Result<VerifiedToken, Refusal> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Refusal::TooManyVerifications)?;
        let processor = Arc::clone(&self.processors)
            .acquire_owned()
            .await
            .map_err(|_| Refusal::VerificationFailed)?;
        let verifier = verifier.clone();
        let verification = tokio::task::spawn_blocking(move || {
            // Kept to the end of the verification, even if whoever asked for it has gone by then.
            let _permits = (place, processor);
            presented.verify(&verifier)
        });
        let verdict = verification
            .await
            .map_err(|_| Refusal::VerificationFailed)?;
        Ok(verdict?)
    }

    /// Writes down what came of a request.
    pub(crate) fn record(&self, case: &Case<'_>, conclusion: &Conclusion<'_>) {
        let elapsed = case.started.elapsed();
        let message = conclusion.refusal.map(Refusal::message);
        let (outcome, reason) = match (conclusion.refusal, conclusion.token) {
            (Some(refusal), _) => (refusal.outcome(), refusal.reason()),
            (None, Some(_)) => (Outcome::Allow, "ok"),
            (None, None) => (Outcome::Allow, "public"),
        };
        self.metrics
            .verification(case.endpoint, outcome, reason, case.tier, elapsed);
        self.audit.decision(&Decision {
            endpoint: case.endpoint,
            outcome,
            reason,
            message: message.as_deref(),
            subject: conclusion.token.map(VerifiedToken::subject),
            audience: case.audience,
            host: case.host,
            path: case.path,
            rule: case.rule,
            tier: case.tier,
            elapsed,
        });
    }
}

/// Whether the token was verified, though it is refused.
fn is_about_a_good_token(error: &kliento::Error) -> bool {
    error.is_forbidden() || matches!(error, kliento::Error::AudienceMismatch { .. })
}

/// What is known about a request, for the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) endpoint: &'static str,
    pub(crate) started: Instant,
    pub(crate) host: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) rule: Option<&'a str>,
    pub(crate) audience: Option<&'a str>,
    pub(crate) tier: Tier,
}

impl Case<'_> {
    pub(crate) fn new(endpoint: &'static str) -> Self {
        Self {
            endpoint,
            started: Instant::now(),
            host: None,
            path: None,
            rule: None,
            audience: None,
            tier: Tier::None,
        }
    }
}

/// What came of a request: a token or none, and a refusal or none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conclusion<'a> {
    pub(crate) token: Option<&'a VerifiedToken>,
    pub(crate) refusal: Option<&'a Refusal>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use kliento::Token;
    use kliento::testing::TrustChain;

    const AUDIENCE: &str = "https://api.example.com";

    fn gate(concurrent: usize, queue: usize) -> Gate {
        let limits = VerificationLimits { concurrent, queue };
        Gate::new(limits, Arc::default(), Audit::default())
    }

    fn token_and_verifier() -> (Presented, Verifier) {
        let chain = TrustChain::new("example.com", "alice");
        let token = chain.token(&Token::new(AUDIENCE.parse().unwrap()));
        (Presented::Bundle(token.into()), chain.verifier(AUDIENCE))
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_token_is_verified_once_and_recalled_from_then_on() {
        let (token, verifier) = token_and_verifier();
        let gate = gate(1, 0);
        run(async {
            for expected in [Tier::Miss, Tier::Hit, Tier::Hit] {
                let (tier, verdict) = gate.verify(&verifier, token.clone()).await;
                assert_eq!(verdict.unwrap().subject(), "alice@example.com");
                assert_eq!(tier, expected);
            }
        });
    }

    #[test]
    fn verifiers_for_other_audiences_share_what_is_remembered_and_not_the_verdict() {
        let (token, verifier) = token_and_verifier();
        let gate = gate(1, 0);
        run(async {
            gate.verify(&verifier, token.clone()).await.1.unwrap();
            let other = verifier.for_audience("https://other.example.com".parse().unwrap());
            let (tier, verdict) = gate.verify(&other, token).await;
            assert_eq!(verdict.unwrap_err().reason(), "kliento.audience_mismatch");
            assert_eq!(tier, Tier::Hit);
        });
    }

    #[test]
    fn beyond_the_queue_verifications_are_refused_and_recalled_tokens_are_not() {
        let (token, verifier) = token_and_verifier();
        let gate = gate(1, 1);
        run(async {
            gate.verify(&verifier, token.clone()).await.1.unwrap();
            let running = Arc::clone(&gate.processors).acquire_owned().await.unwrap();
            let _place = Arc::clone(&gate.places).try_acquire_owned().unwrap();
            let junk = Presented::Bundle(Bytes::from_static(b"junk"));
            let mut waiting = std::pin::pin!(gate.verify(&verifier, junk.clone()));
            assert!(futures_poll_once(waiting.as_mut()).await.is_none());
            let (_, verdict) = gate.verify(&verifier, junk).await;
            assert_eq!(verdict.unwrap_err().reason(), "http.too_many_verifications");
            assert!(gate.verify(&verifier, token).await.1.is_ok());
            drop(running);
            assert!(waiting.await.1.is_err());
        });
    }

    #[test]
    fn whoever_stops_waiting_gives_up_the_place() {
        let (token, verifier) = token_and_verifier();
        let gate = gate(1, 1);
        run(async {
            let running = Arc::clone(&gate.processors).acquire_owned().await.unwrap();
            {
                let mut waiting = std::pin::pin!(gate.verify(&verifier, token.clone()));
                assert!(futures_poll_once(waiting.as_mut()).await.is_none());
            }
            assert_eq!(gate.places.available_permits(), 2);
            drop(running);
            assert!(gate.verify(&verifier, token).await.1.is_ok());
        });
    }

    /// What the future gives without waiting.
    async fn futures_poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        let mut future = Some(future);
        std::future::poll_fn(move |context| {
            let polled = future.take().map(|future| future.poll(context));
            std::task::Poll::Ready(match polled {
                Some(std::task::Poll::Ready(output)) => Some(output),
                _ => None,
            })
        })
        .await
    }
}
