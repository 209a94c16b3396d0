//! A `tower` layer that passes requests with a valid token on to any HTTP service, and refuses the
//! others.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use kliento::http::tower::KlientoLayer;
//! use kliento::testing::TrustChain;
//! use kliento::{Token, VerifiedToken};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! async fn hello(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, &'static str> {
//!     let caller: &VerifiedToken = request.extensions().get().ok_or("no layer")?;
//!     Ok(Response::new(format!("Hello, {}!", caller.subject()).into()))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let chain = TrustChain::new("example.com", "alice");
//! let verifier = chain.verifier("https://api.example.com"); // a real server's: `Verifier::builder`
//! let service = ServiceBuilder::new().layer(KlientoLayer::new(verifier)).service_fn(hello);
//!
//! let anonymous = Request::new(Full::default());
//! assert_eq!(service.clone().oneshot(anonymous).await?.status(), 401);
//!
//! let token = Token::new("https://api.example.com".parse()?);
//! let mut request = Request::new(Full::default());
//! request.headers_mut().insert("authorization", chain.header(&token).parse()?);
//! assert_eq!(service.oneshot(request).await?.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! The service finds a [`VerifiedToken`] in the request's extensions. Only the layer puts one
//! there: it first removes any that is present.
//!
//! # Position of the layer
//!
//! - Behind middleware that answers requests without credentials: health checks, redirects, and
//!   CORS, since browsers send preflight requests without credentials.
//! - In front of expensive steps: decompression, reading bodies, rate limits by user.
//! - If parts of a server have stricter requirements, use a layer for each part. Make them from one
//!   [`Authenticator`], whose verifier and limits they share. The
//!   [requirements](KlientoLayer::requirements) of a part add to the authenticator's. A layer
//!   within another checks the token again, which the verifier then remembers. The outer layer must
//!   not [remove](KlientoLayer::remove_authorization) the token.
//! - Layers that are made from a [`Verifier`](crate::Verifier) have separate limits.

use core::fmt;
use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::authenticator::{FirstLook, mark_sensitive};
use super::{Authenticator, Refusal, VerificationQueue, grpc, trace};
use crate::{Requirements, VerifiedToken};

/// Authenticates requests in front of a service: [the module](self) has an example.
///
/// Every request needs a valid token unless the layer is [`optional`](Self::optional). Refusals are
/// [the same](super) for all servers. The layer needs a Tokio runtime to verify tokens.
#[derive(Clone, Debug)]
pub struct KlientoLayer {
    authenticator: Authenticator,
    is_optional: bool,
    removes_authorization: bool,
    speaks_grpc: bool,
}

impl KlientoLayer {
    /// A layer from a [`Verifier`](crate::Verifier), or from an [`Authenticator`] that is also used
    /// elsewhere.
    pub fn new(authenticator: impl Into<Authenticator>) -> Self {
        Self {
            authenticator: authenticator.into(),
            is_optional: false,
            removes_authorization: false,
            speaks_grpc: false,
        }
    }

    /// Also passes on requests that are not meant for Kliento: those without an `Authorization`
    /// field and those with one of another scheme. They reach the service without an identity.
    ///
    /// A Kliento token must still be valid, and a request must not have more than one field.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Removes the `Authorization` field with a Kliento token from requests, so that the service
    /// can't log it or pass it on: anybody who has a token can use it. The service still gets the
    /// [`VerifiedToken`]. Credentials of other schemes stay.
    #[must_use]
    pub fn remove_authorization(mut self) -> Self {
        self.removes_authorization = true;
        self
    }

    /// Refuses gRPC requests, which it recognises by their `Content-Type`, in the form of gRPC:
    /// with the HTTP status 200, and the error in `grpc-status`. For servers of gRPC, alone or
    /// beside other protocols.
    ///
    /// This is off by default. Otherwise any client could get an answer with status 200 by sending
    /// such a `Content-Type`, and a proxy that asks whether a request may pass depends on the
    /// status alone. Without it, gRPC clients still understand refusals by the HTTP status, but
    /// don't see the reason.
    #[must_use]
    pub fn grpc(mut self) -> Self {
        self.speaks_grpc = true;
        self
    }

    /// As [`Authenticator::requirements`]. They add to the authenticator's requirements.
    #[must_use]
    pub fn requirements(mut self, requirements: Requirements) -> Self {
        self.authenticator = self.authenticator.requirements(requirements);
        self
    }

    /// As [`Authenticator::queue`].
    #[must_use]
    pub fn queue(mut self, queue: VerificationQueue) -> Self {
        self.authenticator = self.authenticator.queue(queue);
        self
    }

    /// As [`Authenticator::challenge`].
    #[must_use]
    pub fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.authenticator = self.authenticator.challenge(challenge);
        self
    }

    /// As [`Authenticator::on_refusal`].
    #[must_use]
    pub fn on_refusal(mut self, hook: impl Fn(&Refusal, &Parts) + Send + Sync + 'static) -> Self {
        self.authenticator = self.authenticator.on_refusal(hook);
        self
    }

    /// As [`Authenticator::answer_with`].
    #[must_use]
    pub fn answer_with<B: Into<Bytes>>(
        mut self,
        answer: impl Fn(&Refusal, &Parts) -> Response<B> + Send + Sync + 'static,
    ) -> Self {
        self.authenticator = self.authenticator.answer_with(answer);
        self
    }

    /// Prepares the request for the service, or makes the answer that refuses it.
    fn settle(
        self: &Arc<Self>,
        outcome: Result<VerifiedToken, Refusal>,
        request: &mut Parts,
    ) -> ControlFlow<Response<Bytes>> {
        match outcome {
            Ok(token) => {
                trace::accepted(&token);
                if self.removes_authorization {
                    request.headers.remove(AUTHORIZATION);
                }
                request.extensions.insert(token);
            }
            Err(refusal) if self.is_optional && refusal.is_absence() => trace::anonymous(&refusal),
            Err(refusal) => {
                self.authenticator.report(&refusal, request);
                return ControlFlow::Break(self.answer(&refusal, request));
            }
        }
        request.extensions.insert(Passage(Arc::clone(self)));
        ControlFlow::Continue(())
    }

    fn answer(&self, refusal: &Refusal, request: &Parts) -> Response<Bytes> {
        let media_type = grpc::media_type(&request.headers);
        match media_type.filter(|_| self.speaks_grpc) {
            Some(media_type) => refusal.to_grpc_response(media_type),
            None => self.authenticator.answer(refusal, request),
        }
    }
}

impl<S> Layer<S> for KlientoLayer {
    type Service = KlientoService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        KlientoService {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// Marks a request that passed a layer, with an identity or, if that is optional, without one. It
/// is in the request's extensions.
#[derive(Clone)]
#[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "for extractors"))]
pub(super) struct Passage(Arc<KlientoLayer>);

#[cfg(feature = "axum")]
impl Passage {
    pub(super) fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }
}

/// A service behind a [`KlientoLayer`].
#[derive(Clone, Debug)]
pub struct KlientoService<S> {
    inner: S,
    layer: Arc<KlientoLayer>,
}

impl<S, B, R> Service<Request<B>> for KlientoService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        // Only this layer may set the identity.
        parts.extensions.remove::<VerifiedToken>();
        mark_sensitive(&mut parts.headers);
        let state = match self.layer.authenticator.first_look(&parts.headers) {
            FirstLook::Known(outcome) => match self.layer.settle(outcome, &mut parts) {
                ControlFlow::Continue(()) => State::Passed {
                    future: self.inner.call(Request::from_parts(parts, body)),
                },
                ControlFlow::Break(response) => State::Refused {
                    response: Some(response),
                },
            },
            FirstLook::Unknown(value) => State::Verifying {
                verification: Box::pin(self.layer.authenticator.clone().verify(value)),
                waiting: Some(Waiting {
                    service: self.take_ready_service(),
                    layer: Arc::clone(&self.layer),
                    parts,
                    body,
                }),
            },
        };
        ResponseFuture { state }
    }
}

impl<S: Clone> KlientoService<S> {
    /// The service that reported to be ready. Its clone has not done so yet.
    fn take_ready_service(&mut self) -> S {
        let clone = self.inner.clone();
        mem::replace(&mut self.inner, clone)
    }
}

type Verification = Pin<Box<dyn Future<Output = Result<VerifiedToken, Refusal>> + Send>>;

/// The request and the service, while the token is verified.
struct Waiting<S, B> {
    service: S,
    layer: Arc<KlientoLayer>,
    parts: Parts,
    body: B,
}

pin_project! {
    /// The future answer of a [`KlientoService`].
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Verifying {
            verification: Verification,
            waiting: Option<Waiting<S, B>>,
        },
        Passed {
            #[pin]
            future: S::Future,
        },
        Refused {
            response: Option<Response<Bytes>>,
        },
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Verifying {
                    verification,
                    waiting,
                } => {
                    let outcome = ready!(verification.as_mut().poll(context));
                    match waiting.take() {
                        Some(waiting) => waiting.go_on(outcome),
                        // Polled again after completion, for which `Future` defines no behaviour:
                        // it stays pending.
                        None => return Poll::Pending,
                    }
                }
                StateProjection::Passed { future } => {
                    let response = ready!(future.poll(context))?;
                    return Poll::Ready(Ok(response.map(ResponseBody::passed)));
                }
                StateProjection::Refused { response } => {
                    return match response.take() {
                        Some(response) => Poll::Ready(Ok(response.map(ResponseBody::refused))),
                        None => Poll::Pending,
                    };
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<B>>, B> Waiting<S, B> {
    fn go_on(mut self, outcome: Result<VerifiedToken, Refusal>) -> State<S, B> {
        match self.layer.settle(outcome, &mut self.parts) {
            ControlFlow::Continue(()) => State::Passed {
                future: self
                    .service
                    .call(Request::from_parts(self.parts, self.body)),
            },
            ControlFlow::Break(response) => State::Refused {
                response: Some(response),
            },
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseFuture")
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The body of an answer: the service's or a refusal's.
    #[derive(Debug)]
    pub struct ResponseBody<R> {
        #[pin]
        origin: Origin<R>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = OriginProjection]
    enum Origin<R> {
        Service {
            #[pin]
            body: R,
        },
        Refusal {
            problem: Bytes,
        },
    }
}

impl<R> ResponseBody<R> {
    fn passed(body: R) -> Self {
        Self {
            origin: Origin::Service { body },
        }
    }

    fn refused(problem: Bytes) -> Self {
        Self {
            origin: Origin::Refusal { problem },
        }
    }
}

impl<R: Default> Default for ResponseBody<R> {
    fn default() -> Self {
        Self::passed(R::default())
    }
}

impl<R> Body for ResponseBody<R>
where
    R: Body,
    R::Data: From<Bytes>,
{
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().origin.project() {
            OriginProjection::Service { body } => body.poll_frame(context),
            OriginProjection::Refusal { problem } if problem.is_empty() => Poll::Ready(None),
            OriginProjection::Refusal { problem } => {
                let frame = Frame::data(mem::take(problem).into());
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.origin {
            Origin::Service { body } => body.is_end_stream(),
            Origin::Refusal { problem } => problem.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.origin {
            Origin::Service { body } => body.size_hint(),
            Origin::Refusal { problem } => {
                SizeHint::with_exact(u64::try_from(problem.len()).unwrap_or(u64::MAX))
            }
        }
    }
}
