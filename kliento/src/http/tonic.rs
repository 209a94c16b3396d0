//! gRPC with `tonic`: [`KlientoLayer`](super::tower::KlientoLayer) in front of services, and tokens
//! in clients' metadata.
//!
//! A server adds the layer with `Server::builder().layer(…)`, and its methods get the identity from
//! the request:
//!
//! ```
//! use kliento::http::tonic::RequestExt;
//! use tonic::{Request, Response, Status};
//!
//! async fn hello(request: Request<String>) -> Result<Response<String>, Status> {
//!     let caller = request.authenticated()?;
//!     Ok(Response::new(format!("Hello, {}!", caller.subject())))
//! }
//! ```
//!
//! With [`grpc`](super::tower::KlientoLayer::grpc), the layer refuses in the form of gRPC. Raise
//! the limit of HTTP/2 as well, which by default refuses tokens of more than about 12 KB:
//!
//! ```
//! use kliento::Verifier;
//! use kliento::http::HEADER_LIST_OCTETS;
//! use kliento::http::tower::KlientoLayer;
//!
//! let verifier = Verifier::builder("https://api.example.com".parse()?).build();
//! let server = tonic::transport::Server::builder()
//!     .http2_max_header_list_size(HEADER_LIST_OCTETS)
//!     .layer(KlientoLayer::new(verifier).grpc());
//! # Ok::<(), kliento::AudienceError>(())
//! ```
//!
//! A client sends tokens with [`TokenInterceptor`].

use core::fmt;
use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Code, Request, Status};

use super::tower::Passage;
use super::{Refusal, trace};
use crate::VerifiedToken;
#[cfg(feature = "client")]
use crate::client::{BearerToken, TokenSource};

/// The caller, as the [`KlientoLayer`](super::tower::KlientoLayer) in front of the service
/// identified it.
pub trait RequestExt {
    /// The caller, if there is an identity. Behind a layer that is not
    /// [optional](super::tower::KlientoLayer::optional), there always is one.
    fn kliento(&self) -> Option<&VerifiedToken>;

    /// The caller.
    ///
    /// # Errors
    ///
    /// [`Code::Unauthenticated`] if there is no identity or no layer.
    #[allow(
        clippy::result_large_err,
        reason = "tonic's own, which its methods return"
    )]
    fn authenticated(&self) -> Result<&VerifiedToken, Status>;
}

impl<T> RequestExt for Request<T> {
    fn kliento(&self) -> Option<&VerifiedToken> {
        self.extensions().get()
    }

    fn authenticated(&self) -> Result<&VerifiedToken, Status> {
        self.kliento().ok_or_else(|| {
            if self.extensions().get::<Passage>().is_none() {
                trace::missing_layer();
            }
            Refusal::MissingAuthorization.into()
        })
    }
}

/// Converts to a status with the reason as its message. The refusal is its source, which is not
/// sent.
impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.status() {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
            _ => Code::Internal,
        };
        let mut status = Self::new(code, refusal.reason());
        status.set_source(Arc::new(refusal));
        status
    }
}

/// Adds a token to each call of a client.
///
/// ```
/// use kliento::http::tonic::TokenInterceptor;
/// use tonic::service::Interceptor;
/// use tonic::service::interceptor::InterceptedService;
/// use tonic::transport::Channel;
///
/// fn authenticated(channel: Channel, authorization: String) -> InterceptedService<Channel, impl Interceptor> {
///     // The closure runs for each call: it must return a new token before the last one expires.
///     InterceptedService::new(channel, TokenInterceptor::new(move || Ok(authorization.clone())))
/// }
/// ```
///
/// Anybody who reads a token can use it: use channels with TLS, and only to the servers that the
/// token is for. HTTP/2's header compression keeps no copy of it.
#[derive(Clone)]
pub struct TokenInterceptor<F> {
    authorization: F,
}

impl<F, T> TokenInterceptor<F>
where
    F: FnMut() -> Result<T, Status>,
    T: AsRef<str>,
{
    /// An interceptor that sends the result of `authorization`: the value of an `Authorization`
    /// field, as [`header::encode`](crate::header::encode) makes it. The function must not block.
    /// If it returns a status, the call fails with it.
    pub fn new(authorization: F) -> Self {
        Self { authorization }
    }
}

#[cfg(feature = "client")]
impl TokenInterceptor<()> {
    /// An interceptor that sends the current token of `source`. It needs the feature `client`.
    ///
    /// An interceptor can't wait. Get [a first token](TokenSource::token) at the start, and keep
    /// the source [fresh](TokenSource::keep_fresh). Calls fail with [`Code::Unavailable`] if there
    /// is no valid token.
    ///
    /// ```no_run
    /// use kliento::client::{BoxError, TokenFile, TokenSource};
    /// use kliento::http::tonic::TokenInterceptor;
    ///
    /// # async fn start() -> Result<(), BoxError> {
    /// let source = TokenSource::new("https://api.example.com".parse()?, TokenFile::new("/run/alice.token"));
    /// source.token().await?;
    /// let fresh = source.keep_fresh()?; // until this is dropped
    /// let interceptor = TokenInterceptor::from_source(source);
    /// # let _ = (fresh, interceptor);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_source(
        source: TokenSource,
    ) -> TokenInterceptor<impl FnMut() -> Result<BearerToken, Status> + Clone + Send> {
        TokenInterceptor::new(move || {
            let token = source.current();
            token.ok_or_else(|| Status::unavailable("there is no valid token"))
        })
    }
}

impl<F, T> Interceptor for TokenInterceptor<F>
where
    F: FnMut() -> Result<T, Status>,
    T: AsRef<str>,
{
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let authorization = (self.authorization)()?;
        let mut value: MetadataValue<Ascii> = authorization
            .as_ref()
            .parse()
            .map_err(|_| Status::internal("the authorization is not valid in metadata"))?;
        value.set_sensitive(true);
        request.metadata_mut().insert(AUTHORIZATION.as_str(), value);
        Ok(request)
    }
}

impl<F> fmt::Debug for TokenInterceptor<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenInterceptor")
            .finish_non_exhaustive()
    }
}
