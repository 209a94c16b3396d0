//! The steps that are the same for all servers: find a request's one token, recall or verify it, and check that it is
//! enough.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{AUTHORIZATION, Entry, HeaderMap, HeaderValue};
use http::request::Parts;

use super::{Refusal, VerificationQueue, trace};
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
    answer: Option<Answer>,
}

type Hook = Arc<dyn Fn(&Refusal, &Parts) + Send + Sync>;
type Answer = Arc<dyn Fn(&Refusal, &Parts) -> Response<Bytes> + Send + Sync>;

/// The facts about a request that are known before anything is verified.
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
            answer: None,
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

    /// Has `answer` make the answers to requests that are refused, in place of problems (RFC 9457). It is given the refusal
    /// and the request, whose `Authorization` field is marked as sensitive.
    ///
    /// ```
    /// use http::Response;
    /// use kliento::http::Authenticator;
    /// use kliento::Verifier;
    ///
    /// let verifier = Verifier::builder("https://api.example.com".parse()?).build();
    /// let authenticator = Authenticator::new(verifier).answer_with(|refusal, request| {
    ///     let body = format!("<p>{} is not for you: {}</p>", request.method, refusal.reason());
    ///     let mut response = Response::new(body);
    ///     *response.status_mut() = refusal.status();
    ///     let html = http::HeaderValue::from_static("text/html; charset=utf-8");
    ///     response.headers_mut().insert("content-type", html);
    ///     response
    /// });
    /// # Ok::<(), kliento::Error>(())
    /// ```
    ///
    /// Begin with [`Refusal::to_response`] to add to the usual answer. Whatever comes of it:
    ///
    /// - The status may be another one, such as 404 to hide what is there or a redirect to a form. A status of success or of
    ///   information would tell a proxy that the request may pass, so the refusal's own takes its place.
    /// - The answer is not to be cached: `Cache-Control` is `no-store`. `Content-Length` and `Transfer-Encoding` are left to
    ///   the server.
    /// - A 401 names the scheme of Kliento and those of [`challenge`](Self::challenge) in `WWW-Authenticate`, before the
    ///   answer's own, and a 503 has `Retry-After`.
    ///
    /// Clients are told as little as they need: the refusal's `Display` is for logs.
    ///
    /// Middleware and extractors answer by it; for what a handler refuses by itself there is [`answer`](Self::answer).
    /// Where a layer [refuses in gRPC's way](super::tower::KlientoLayer::grpc), it is not asked about gRPC's requests.
    #[must_use]
    pub fn answer_with<B: Into<Bytes>>(
        mut self,
        answer: impl Fn(&Refusal, &Parts) -> Response<B> + Send + Sync + 'static,
    ) -> Self {
        self.answer = Some(Arc::new(move |refusal, request| {
            answer(refusal, request).map(Into::into)
        }));
        self
    }

    /// The answer to a request that is refused: the usual one, with the challenges of this server, or that of
    /// [`answer_with`](Self::answer_with).
    pub fn answer(&self, refusal: &Refusal, request: &Parts) -> Response<Bytes> {
        match &self.answer {
            None => refusal.to_response_with(&self.challenges),
            Some(answer) => refusal.complete(answer(refusal, request), &self.challenges),
        }
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

    /// Tells the hook and `tracing` of a refusal.
    pub(super) fn report(&self, refusal: &Refusal, request: &Parts) {
        trace::refused(refusal);
        if let Some(hook) = &self.on_refusal {
            hook(refusal, request);
        }
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
