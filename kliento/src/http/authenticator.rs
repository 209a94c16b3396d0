//! The steps that are the same for all servers: find a request's one token, recall or verify it, and check that it is
//! enough.

use core::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, Entry, HeaderMap, HeaderValue};
use http::request::Parts;

use super::{Refusal, VerificationQueue};
use crate::{Requirements, VerifiedToken, Verifier};

/// Authenticates requests: a [`Verifier`], what is required beyond a valid token, and where verifications run.
///
/// Build one and clone it, for layers, for a server's state or for code of your own; clones share the verifier's memory
/// and the queue.
///
/// ```
/// use http::HeaderMap;
/// use kliento::Verifier;
/// use kliento::http::Authenticator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), kliento::Error> {
/// let authenticator = Authenticator::new(Verifier::builder("https://api.example.com".parse()?).build());
///
/// let refusal = authenticator.authenticate(&HeaderMap::new()).await.unwrap_err();
/// assert_eq!(refusal.status(), 401);
/// assert_eq!(refusal.reason(), "http.missing_authorization");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Authenticator {
    verifier: Verifier,
    requirements: Arc<Requirements>,
    queue: VerificationQueue,
    challenges: Arc<[HeaderValue]>,
    on_refusal: Option<Hook>,
}

type Hook = Arc<dyn Fn(&Refusal, &Parts) + Send + Sync>;

/// What is known of a request before anything is verified.
pub(super) enum FirstLook {
    /// The verifier remembers the token, or there is none to verify.
    Known(Result<VerifiedToken, Refusal>),
    /// This field's value has to be verified.
    Unknown(HeaderValue),
}

impl Authenticator {
    /// An authenticator that asks for nothing beyond what `verifier` does, with a queue of its own.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            requirements: Arc::default(),
            queue: VerificationQueue::default(),
            challenges: Arc::default(),
            on_refusal: None,
        }
    }

    /// Refuses tokens that do not meet `requirements`. They add to those of the verifier and to those that were given here
    /// before: all must be met.
    #[must_use]
    pub fn requirements(mut self, requirements: Requirements) -> Self {
        let present = Requirements::clone(&self.requirements);
        self.requirements = Arc::new(present.and(requirements));
        self
    }

    /// Verifies in `queue`, so that several authenticators share its bounds.
    #[must_use]
    pub fn queue(mut self, queue: VerificationQueue) -> Self {
        self.queue = queue;
        self
    }

    /// Names another scheme that the server takes, in a `WWW-Authenticate` field of its own behind `Kliento`: as
    /// `Bearer realm="api"`, say. It is for others to check such credentials.
    #[must_use]
    pub fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenges = self.challenges.iter().cloned().chain([challenge]).collect();
        self
    }

    /// Calls `hook` with each refusal and the request that it is about, to log the message, which clients are not told,
    /// or to count. The `Authorization` field is marked as sensitive, so that printing the request does not show it.
    ///
    /// Middleware and extractors call it; [`authenticate`](Self::authenticate) leaves that to its caller.
    #[must_use]
    pub fn on_refusal(mut self, hook: impl Fn(&Refusal, &Parts) + Send + Sync + 'static) -> Self {
        self.on_refusal = Some(Arc::new(hook));
        self
    }

    /// The verifier.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Finds out who sent a request with these fields. For frameworks and servers that the other modules do not cover.
    ///
    /// The result does not borrow the fields, so they need not be kept while it is waited for.
    ///
    /// # Errors
    ///
    /// All of [`Refusal`] that is not about claims or layers; [`Refusal::to_response`] makes the answer.
    pub fn authenticate(
        &self,
        fields: &HeaderMap,
    ) -> impl Future<Output = Result<VerifiedToken, Refusal>> + Send + use<> {
        let first_look = self.first_look(fields);
        let authenticator = self.clone();
        async move {
            match first_look {
                FirstLook::Known(outcome) => outcome,
                FirstLook::Unknown(value) => authenticator.verify(value).await,
            }
        }
    }

    /// Does all that can be done without verifying.
    pub(super) fn first_look(&self, fields: &HeaderMap) -> FirstLook {
        let value = match the_authorization(fields) {
            Ok(value) => value,
            Err(refusal) => return FirstLook::Known(Err(refusal)),
        };
        match self.verifier.recall_header(value) {
            Some(outcome) => {
                let outcome = outcome.map_err(Refusal::from);
                FirstLook::Known(outcome.and_then(|token| self.check(token)))
            }
            None => FirstLook::Unknown(value.clone()),
        }
    }

    /// Verifies a value that [`first_look`](Self::first_look) does not know.
    pub(super) async fn verify(self, value: HeaderValue) -> Result<VerifiedToken, Refusal> {
        let token = self.queue.verify_header(&self.verifier, value).await?;
        self.check(token)
    }

    fn check(&self, token: VerifiedToken) -> Result<VerifiedToken, Refusal> {
        self.requirements.check(&token)?;
        Ok(token)
    }

    /// Tells the hook of a refusal.
    pub(super) fn report(&self, refusal: &Refusal, request: &Parts) {
        if let Some(hook) = &self.on_refusal {
            hook(refusal, request);
        }
    }

    pub(super) fn challenges(&self) -> &Arc<[HeaderValue]> {
        &self.challenges
    }
}

/// The value of the only `Authorization` field.
fn the_authorization(fields: &HeaderMap) -> Result<&HeaderValue, Refusal> {
    let mut values = fields.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::MissingAuthorization)?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Refusal::SeveralAuthorizations),
    }
}

/// Keeps tokens out of what is printed of a request, and out of the compression tables of HTTP/2 if it is passed on
/// (RFC 7541 §7.1.3).
pub(super) fn mark_sensitive(fields: &mut HeaderMap) {
    if let Entry::Occupied(mut values) = fields.entry(AUTHORIZATION) {
        values
            .iter_mut()
            .for_each(|value| value.set_sensitive(true));
    }
}

impl From<Verifier> for Authenticator {
    fn from(verifier: Verifier) -> Self {
        Self::new(verifier)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Authenticator")
            .field("verifier", &self.verifier)
            .field("requirements", &self.requirements)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
