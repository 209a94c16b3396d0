//! Extractors for `axum`: the caller's identity and claims.
//!
//! With a [`KlientoLayer`](super::tower::KlientoLayer) in front of routes, handlers use
//! [`Authenticated`] and [`TypedClaims`]:
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
//! # Ok::<(), kliento::AudienceError>(())
//! ```
//!
//! Without a layer, handlers use [`Verified`], which needs an [`Authenticator`] in the state:
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
//! # Ok::<(), kliento::AudienceError>(())
//! ```
//!
//! Prefer the layer: it covers every handler, while a handler without an extractor accepts requests
//! from anybody.
//!
//! Refusals are [the same](super) everywhere. With HTTP/1, `axum::serve` accepts fields for the
//! largest tokens. With HTTP/2, it can't be configured to do so: use `hyper-util` and
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
use crate::{ClaimsError, VerifiedToken, VerifyError};

/// The caller, as the [`KlientoLayer`](super::tower::KlientoLayer) in front of the handler
/// identified it.
///
/// Behind an [optional](super::tower::KlientoLayer::optional) layer it refuses requests without an
/// identity, with status 401. `Option<Authenticated>` accepts them. Without a layer, both refuse
/// all requests, with status 500.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated(pub VerifiedToken);

/// The caller, as the [`Authenticator`] in the state identifies it, without a layer.
///
/// `Option<Verified>` is `None` for requests without an `Authorization` field or with one of
/// another scheme. It refuses all other requests that `Verified` refuses.
///
/// Behind a layer, use [`Authenticated`]: `Verified` would check the request's token again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified(pub VerifiedToken);

/// The caller's claims as a type of yours, made by
/// [`Claims::deserialise`](crate::Claims::deserialise).
///
/// It needs a layer, like [`Authenticated`]. Claims that don't fit are refused with status 403.
/// With [`Verified`], or for another answer, call `deserialise` in the handler: its error converts
/// to a [`Rejection`].
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
        Refusal::Token(VerifyError::WrongScheme)
    } else {
        Refusal::MissingAuthorization
    }
}

/// Refuses with the layer's hook and answer.
fn reject_by_layer(refusal: Refusal, request: &Parts) -> Rejection {
    match request.extensions.get::<Passage>() {
        Some(layer) => Rejection::by(layer.authenticator(), refusal, request),
        None => refusal.into(),
    }
}

/// The refusal of an extractor, or of a handler by [`Rejection::forbidden`] or `?`.
///
/// An extractor's refusal is answered as configured in the layer or the [`Authenticator`]. A
/// handler's own refusal is answered with a problem (RFC 9457). If the server has [its own
/// answers](Authenticator::answer_with), the handler gets one from [`Authenticator::answer`].
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

    /// A refusal by a rule of the application: 403, with the reason `code`. [`Refusal::forbidden`]
    /// has the rules for codes.
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

/// Lets a handler refuse by `token.claims().deserialise()?`.
impl From<ClaimsError> for Rejection {
    fn from(error: ClaimsError) -> Self {
        Refusal::from(error).into()
    }
}

/// Lets a handler refuse by `requirements.check(&token)?`.
impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
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
