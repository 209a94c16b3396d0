//! The steps that all servers share: find a request's only token, look it up or verify it, and
//! check the requirements.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{AUTHORIZATION, Entry, HeaderMap, HeaderValue};
use http::request::Parts;

use super::{Refusal, VerificationQueue, trace};
use crate::{Requirements, VerifiedToken, Verifier};

/// Authenticates requests: a [`Verifier`], requirements beyond a valid token, and a queue for
/// verifications.
///
/// Build one and clone it for layers, a server's state or your own code. Clones share the
/// verifier's memory and the queue.
///
/// ```
/// use http::HeaderMap;
/// use kliento::Verifier;
/// use kliento::http::Authenticator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), kliento::AudienceError> {
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

/// The result of the steps that need no verification.
pub(super) enum FirstLook {
    /// The verifier remembers the token, or there is none to verify.
    Known(Result<VerifiedToken, Refusal>),
    /// This field's value has to be verified.
    Unknown(HeaderValue),
}

impl Authenticator {
    /// An authenticator with no requirements beyond those of `verifier`, and with its own queue.
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

    /// Refuses tokens that do not meet `requirements`. They add to the verifier's requirements and
    /// to those of earlier calls: a token must meet all of them.
    #[must_use]
    pub fn requirements(mut self, requirements: Requirements) -> Self {
        let present = Requirements::clone(&self.requirements);
        self.requirements = Arc::new(present.and(requirements));
        self
    }

    /// Verifies in `queue`, so that several authenticators share its limits.
    #[must_use]
    pub fn queue(mut self, queue: VerificationQueue) -> Self {
        self.queue = queue;
        self
    }

    /// Announces another scheme that the server accepts, such as `Bearer realm="api"`, in another
    /// `WWW-Authenticate` field after that of `Kliento`. Your own code must check such credentials.
    #[must_use]
    pub fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenges = self.challenges.iter().cloned().chain([challenge]).collect();
        self
    }

    /// Calls `hook` with each refusal and its request, for logs and metrics. Clients don't see the
    /// error message. The `Authorization` field is marked as sensitive, so that `Debug` output of
    /// the request does not show it.
    ///
    /// Middleware and extractors call it. [`authenticate`](Self::authenticate) does not.
    #[must_use]
    pub fn on_refusal(mut self, hook: impl Fn(&Refusal, &Parts) + Send + Sync + 'static) -> Self {
        self.on_refusal = Some(Arc::new(hook));
        self
    }

    /// Answers refused requests with the result of `answer`, in place of problems (RFC 9457). Its
    /// arguments are the refusal and the request, whose `Authorization` field is marked as
    /// sensitive.
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
    /// # Ok::<(), kliento::AudienceError>(())
    /// ```
    ///
    /// To add to the default answer, begin with [`Refusal::to_response`]. These rules apply to the
    /// result:
    ///
    /// - The status may differ from the refusal's, such as 404 to hide a resource, or a redirect to
    ///   a form. A status of 1xx or 2xx would tell a proxy that the request may pass, so it is
    ///   replaced by the refusal's.
    /// - The answer must not be cached: `Cache-Control` is `no-store`. The server sets
    ///   `Content-Length` and `Transfer-Encoding`.
    /// - A 401 has `WWW-Authenticate` fields for Kliento and those of
    ///   [`challenge`](Self::challenge), before the answer's own. A 503 has `Retry-After`.
    ///
    /// Tell clients as little as possible: the refusal's `Display` is for logs.
    ///
    /// Middleware and extractors use it. For a handler's own refusals, call
    /// [`answer`](Self::answer). Layers for [gRPC](super::tower::KlientoLayer::grpc) don't use it
    /// for gRPC requests.
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

    /// The answer to a refused request: the default one, with the challenges of this server, or
    /// that of [`answer_with`](Self::answer_with).
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

    /// Authenticates a request by its header fields. For frameworks and servers that the other
    /// modules do not cover.
    ///
    /// The future does not borrow the fields.
    ///
    /// # Errors
    ///
    /// Any [`Refusal`] that is not about claims or layers. [`Refusal::to_response`] makes the
    /// answer.
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

    /// Performs the steps that need no verification.
    pub(super) fn first_look(&self, fields: &HeaderMap) -> FirstLook {
        let value = match sole_authorization(fields) {
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

    /// Reports a refusal to the hook and to `tracing`.
    pub(super) fn report(&self, refusal: &Refusal, request: &Parts) {
        trace::refused(refusal);
        if let Some(hook) = &self.on_refusal {
            hook(refusal, request);
        }
    }
}

/// The value of the only `Authorization` field of a request, for servers that read fields themselves.
///
/// # Errors
///
/// [`Refusal::MissingAuthorization`], and [`Refusal::SeveralAuthorizations`] where two readers could each take another one
/// (RFC 9110 §5.3).
pub fn sole_authorization(fields: &HeaderMap) -> Result<&HeaderValue, Refusal> {
    let mut values = fields.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::MissingAuthorization)?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Refusal::SeveralAuthorizations),
    }
}

/// Keeps tokens out of `Debug` output, and out of HTTP/2's compression tables if the request is
/// passed on (RFC 7541 §7.1.3).
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
