//! The gate that all endpoints send tokens through: what was verified before costs a look-up; everything else is verified
//! in one queue for all, a bounded number at a time, with a bounded number waiting. And the record of what came of each
//! request.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use kliento::http::VerificationQueue;
use kliento::{VerifiedToken, Verifier};

use super::refusal::RequestRefusal;
use crate::serve::audit::{Decision, Trace};
use crate::serve::limits::VerificationLimits;
use crate::serve::metrics::Metrics;
use crate::serve::{CacheUse, Outcome};

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
    fn recall(&self, verifier: &Verifier) -> Option<Result<VerifiedToken, kliento::VerifyError>> {
        match self {
            Self::Header(value) => verifier.recall_header(value),
            Self::Text(value) => verifier.recall_header(value),
            Self::Bundle(der) => verifier.recall_bundle(der),
        }
    }

    async fn verify(
        self,
        verifier: &Verifier,
        queue: &VerificationQueue,
    ) -> Result<VerifiedToken, kliento::http::Refusal> {
        match self {
            Self::Header(value) => queue.verify_header(verifier, value).await,
            Self::Text(value) => queue.verify_header(verifier, value).await,
            Self::Bundle(der) => queue.verify_bundle(verifier, der).await,
        }
    }
}

/// One for the whole process.
#[derive(Debug)]
pub(crate) struct Gate {
    queue: VerificationQueue,
    metrics: Arc<Metrics>,
}

impl Gate {
    pub(crate) fn new(limits: VerificationLimits, metrics: Arc<Metrics>) -> Self {
        let concurrent = NonZeroUsize::new(limits.concurrent).unwrap_or(NonZeroUsize::MIN);
        Self {
            queue: VerificationQueue::new(concurrent, limits.queue),
            metrics,
        }
    }

    /// Verifies a token with `verifier`, unless the cache knows it.
    pub(crate) async fn verify(
        &self,
        verifier: &Verifier,
        presented: Presented,
    ) -> (CacheUse, Result<VerifiedToken, RequestRefusal>) {
        match presented.recall(verifier) {
            Some(known @ Ok(_)) => (CacheUse::Hit, known.map_err(RequestRefusal::from)),
            // Good and remembered, but not enough here or not for us.
            Some(Err(error)) if error.subject().is_some() => (CacheUse::Hit, Err(error.into())),
            Some(Err(error)) => (CacheUse::None, Err(error.into())),
            None => {
                let verdict = presented.verify(verifier, &self.queue).await;
                (CacheUse::Miss, verdict.map_err(RequestRefusal::from))
            }
        }
    }

    /// Writes down what came of a request: the token that it was allowed with, if any was asked for, or the refusal.
    pub(crate) fn record(
        &self,
        case: &Case<'_>,
        conclusion: Result<Option<&VerifiedToken>, &RequestRefusal>,
    ) {
        let elapsed = case.started.elapsed();
        let message = conclusion.err().map(RequestRefusal::message);
        let (outcome, reason, subject) = match conclusion {
            Ok(Some(token)) => (Outcome::Allow, "ok", Some(token.subject())),
            Ok(None) => (Outcome::Allow, case.unasked, None),
            Err(refusal) => (refusal.outcome(), refusal.reason(), refusal.subject()),
        };
        self.metrics
            .verification(case.endpoint, outcome, reason, case.cache, elapsed);
        let decision = Decision {
            endpoint: case.endpoint,
            outcome,
            reason,
            message: message.as_deref(),
            subject,
            audience: case.audience,
            trace: case.trace,
            host: case.host,
            path: case.path,
            rule: case.rule,
            cache: case.cache,
            elapsed,
        };
        decision.write();
    }
}

/// Facts about a request, for the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) endpoint: &'static str,
    pub(crate) started: Instant,
    pub(crate) trace: Trace<'a>,
    pub(crate) host: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) rule: Option<&'a str>,
    pub(crate) audience: Option<&'a str>,
    pub(crate) cache: CacheUse,
    /// The reason why no token is asked for, if none is.
    pub(crate) unasked: &'static str,
}

impl<'a> Case<'a> {
    /// A request that a proxy asks about.
    pub(crate) fn traced(endpoint: &'static str, trace: Trace<'a>) -> Self {
        Self {
            trace,
            ..Self::new(endpoint)
        }
    }

    pub(crate) fn new(endpoint: &'static str) -> Self {
        Self {
            endpoint,
            started: Instant::now(),
            trace: Trace::default(),
            host: None,
            path: None,
            rule: None,
            audience: None,
            cache: CacheUse::None,
            unasked: "public",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kliento::Token;
    use kliento::testing::TrustChain;
    use std::sync::{Mutex, mpsc};
    use std::thread;

    const AUDIENCE: &str = "https://api.example.com";

    fn gate(concurrent: usize, queue: usize) -> Gate {
        let limits = VerificationLimits { concurrent, queue };
        Gate::new(limits, Arc::default())
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
            for expected in [CacheUse::Miss, CacheUse::Hit, CacheUse::Hit] {
                let (cache, verdict) = gate.verify(&verifier, token.clone()).await;
                assert_eq!(verdict.unwrap().subject(), "alice@example.com");
                assert_eq!(cache, expected);
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
            let (cache, verdict) = gate.verify(&other, token).await;
            assert_eq!(verdict.unwrap_err().reason(), "kliento.audience_mismatch");
            assert_eq!(cache, CacheUse::Hit);
        });
    }

    #[test]
    fn what_is_remembered_does_not_wait_behind_what_is_not() {
        let (known, verifier) = token_and_verifier();
        // The clock stands still for the verifying thread, until it is told to go on.
        let (go_on, stop) = mpsc::channel();
        let stop = Mutex::new(stop);
        let asked_by = thread::current().id();
        let chain = TrustChain::new("example.org", "bob");
        let time = chain.time();
        let slow = Verifier::builder(AUDIENCE.parse().unwrap())
            .clock(move || {
                if thread::current().id() != asked_by {
                    stop.lock().unwrap().recv().unwrap();
                }
                time
            })
            .build();
        let gate = gate(1, 0);
        let junk = Presented::Bundle(Bytes::from_static(b"junk"));
        run(async {
            gate.verify(&verifier, known.clone()).await.1.unwrap();
            let mut busy = std::pin::pin!(gate.verify(&slow, junk.clone()));
            tokio::select! {
                biased;
                _ = busy.as_mut() => panic!("it does not wait"),
                () = std::future::ready(()) => {}
            }

            let (cache, verdict) = tokio::select! {
                biased;
                refused = gate.verify(&verifier, junk) => refused,
                () = std::future::ready(()) => panic!("it waits"),
            };
            assert_eq!(verdict.unwrap_err().reason(), "http.too_many_verifications");
            assert_eq!(cache, CacheUse::Miss);
            let (cache, verdict) = gate.verify(&verifier, known).await;
            assert_eq!((cache, verdict.is_ok()), (CacheUse::Hit, true));

            go_on.send(()).unwrap();
            drop(go_on);
            assert!(busy.await.1.is_err());
        });
    }
}
