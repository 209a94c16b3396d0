//! Extractors for `axum`: who calls, and what they claim.
//!
//! With a [`KlientoLayer`](super::tower::KlientoLayer) in front of routes, handlers take [`Authenticated`] and
//! [`TypedClaims`]:
//!
//! ```
//! use axum::{Router, routing::get};
//! use kliento::Verifier;
//! use kliento::http::axum::{Authenticated, TypedClaims};
//! use kliento::http::tower::KlientoLayer;
//!
//! #[derive(serde::Deserialize)]
//! struct Badge {
//!     level: u8,
//! }
//!
//! async fn hello(caller: Authenticated, TypedClaims(badge): TypedClaims<Badge>) -> String {
//!     format!("Hello, {} of level {}!", caller.subject(), badge.level)
//! }
//!
//! let verifier = Verifier::builder("https://api.example.com".parse()?).build();
//! let app: Router = Router::new().route("/", get(hello)).layer(KlientoLayer::new(verifier));
//! # Ok::<(), kliento::Error>(())
//! ```
//!
//! Without a layer, an [`Authenticator`] in the state does it, for those handlers that take [`Verified`]:
//!
//! ```
//! use axum::{Router, routing::get};
//! use kliento::Verifier;
//! use kliento::http::Authenticator;
//! use kliento::http::axum::Verified;
//!
//! async fn hello(caller: Option<Verified>) -> String {
//!     match caller {
//!         Some(caller) => format!("Hello, {}!", caller.subject()),
//!         None => "Hello, whoever you are!".to_owned(),
//!     }
//! }
//!
//! let verifier = Verifier::builder("https://api.example.com".parse()?).build();
//! let app: Router = Router::new().route("/", get(hello)).with_state(Authenticator::new(verifier));
//! # Ok::<(), kliento::Error>(())
//! ```
//!
//! A handler that forgets its extractor takes requests from anybody, and a layer forgets none: prefer the layer.
//!
//! Refusals are [the same](super) everywhere. `axum::serve` takes fields of any size that a token can have with HTTP/1;
//! it can't be told to do so with HTTP/2, which takes `hyper-util` and
//! [`HEADER_LIST_OCTETS`](super::HEADER_LIST_OCTETS).

use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum_core::response::IntoResponse;
use bytes::Bytes;
use core::fmt;
use core::ops::Deref;
use http::Response;
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::authenticator::mark_sensitive;
use super::tower::Passage;
use super::{Authenticator, Refusal, trace};
use crate::{ClaimsError, Error, VerifiedToken};

/// The caller, as the [`KlientoLayer`](super::tower::KlientoLayer) in front of the handler identified it.
///
/// Behind an [optional](super::tower::KlientoLayer::optional) layer it refuses those without an identity, with status
/// 401, and `Option<Authenticated>` takes them. Where there is no layer at all, both refuse everybody, with status 500.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated(pub VerifiedToken);

/// The caller, as the [`Authenticator`] in the state identifies it, with no layer.
///
/// `Option<Verified>` is `None` for requests without an `Authorization` field or with one of another scheme, and
/// refuses what else `Verified` refuses.
///
/// Behind a layer, use [`Authenticated`]: this looks at the request's token again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified(pub VerifiedToken);

/// The caller's claims as a type of yours, by [`Claims::deserialise`](crate::Claims::deserialise).
///
/// It asks the layer as [`Authenticated`] does; claims that don't fit are refused with status 403. With [`Verified`],
/// or where another answer is wanted, call `deserialise` in the handler: a [`Rejection`] can be made from its error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypedClaims<T>(pub T);

impl Deref for Authenticated {
    type Target = VerifiedToken;

    fn deref(&self) -> &VerifiedToken {
        &self.0
    }
}

impl Deref for Verified {
    type Target = VerifiedToken;

    fn deref(&self) -> &VerifiedToken {
        &self.0
    }
}

impl<T> Deref for TypedClaims<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Rejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, Rejection> {
        match identity(request)? {
            Some(token) => Ok(Self(token.clone())),
            None => Err(reject_by_layer(absence(request), request)),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Authenticated {
    type Rejection = Rejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        Ok(identity(request)?.cloned().map(Self))
    }
}

impl<S> FromRequestParts<S> for Verified
where
    S: Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(request: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let authenticator = Authenticator::from_ref(state);
        mark_sensitive(&mut request.headers);
        match authenticator.authenticate(&request.headers).await {
            Ok(token) => {
                trace::accepted(&token);
                Ok(Self(token))
            }
            Err(refusal) => Err(Rejection::by(&authenticator, refusal, request)),
        }
    }
}

impl<S> OptionalFromRequestParts<S> for Verified
where
    S: Sync,
    Authenticator: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(request: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let authenticator = Authenticator::from_ref(state);
        mark_sensitive(&mut request.headers);
        match authenticator.authenticate(&request.headers).await {
            Ok(token) => {
                trace::accepted(&token);
                Ok(Some(Self(token)))
            }
            Err(refusal) if refusal.is_absence() => {
                trace::anonymous(&refusal);
                Ok(None)
            }
            Err(refusal) => Err(Rejection::by(&authenticator, refusal, request)),
        }
    }
}

impl<S, T> FromRequestParts<S> for TypedClaims<T>
where
    S: Sync,
    T: DeserializeOwned,
{
    type Rejection = Rejection;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(token) = identity(request)? else {
            return Err(reject_by_layer(absence(request), request));
        };
        match token.claims().deserialise() {
            Ok(claims) => Ok(Self(claims)),
            Err(error) => Err(reject_by_layer(error.into(), request)),
        }
    }
}

/// The identity that the layer found, or an error if there is no layer.
fn identity(request: &Parts) -> Result<Option<&VerifiedToken>, Rejection> {
    let identity = request.extensions.get::<VerifiedToken>();
    if identity.is_none() && request.extensions.get::<Passage>().is_none() {
        trace::missing_layer();
        return Err(Refusal::MissingLayer.into());
    }
    Ok(identity)
}

/// The reason why there is no identity in a request that an optional layer let through.
fn absence(request: &Parts) -> Refusal {
    if request.headers.contains_key(AUTHORIZATION) {
        Refusal::Token(Error::WrongScheme)
    } else {
        Refusal::MissingAuthorization
    }
}

/// In the layer's name: with its hook and its answer.
fn reject_by_layer(refusal: Refusal, request: &Parts) -> Rejection {
    match request.extensions.get::<Passage>() {
        Some(layer) => Rejection::by(layer.authenticator(), refusal, request),
        None => refusal.into(),
    }
}

/// The answer of an extractor to a request that it refuses, and of a handler that refuses by [`Rejection::forbidden`] or
/// by `?`.
///
/// What extractors refuse is answered as the layer or the [`Authenticator`] has it. A handler's own refusal is answered with
/// a problem (RFC 9457); where the server has [answers of its own](Authenticator::answer_with), the handler asks for one by
/// [`Authenticator::answer`].
#[derive(Debug)]
pub struct Rejection {
    refusal: Refusal,
    answer: Option<Box<Response<Bytes>>>,
}

impl Rejection {
    fn by(authenticator: &Authenticator, refusal: Refusal, request: &Parts) -> Self {
        authenticator.report(&refusal, request);
        let answer = authenticator.answer(&refusal, request);
        Self {
            refusal,
            answer: Some(Box::new(answer)),
        }
    }

    /// A refusal by a rule of the application's own: 403, with the reason `code`. [`Refusal::forbidden`] says which codes
    /// there can be.
    ///
    /// ```
    /// use axum::extract::Path;
    /// use kliento::http::axum::{Authenticated, Rejection};
    ///
    /// async fn orders(caller: Authenticated, Path(team): Path<String>) -> Result<String, Rejection> {
    ///     if caller.claims().get("team") != Some(&*team) {
    ///         return Err(Rejection::forbidden("orders.not_your_team"));
    ///     }
    ///     Ok(format!("orders of {team}"))
    /// }
    /// # let _: axum::Router = axum::Router::new().route("/{team}", axum::routing::get(orders));
    /// ```
    pub const fn forbidden(code: &'static str) -> Self {
        Self {
            refusal: Refusal::forbidden(code),
            answer: None,
        }
    }

    /// The reason.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            answer: None,
        }
    }
}

/// So that a handler can refuse by `token.claims().deserialise()?`.
impl From<ClaimsError> for Rejection {
    fn from(error: ClaimsError) -> Self {
        Refusal::from(error).into()
    }
}

/// So that a handler can refuse by `requirements.check(&token)?`.
impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Refusal::from(error).into()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(formatter)
    }
}

impl core::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.refusal.source()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response<Body> {
        match self.answer {
            Some(answer) => answer.map(Body::from),
            None => self.refusal.into_response(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        self.to_response().map(Body::from)
    }
}
