//! Tokens on the requests of `reqwest`, for [`reqwest_middleware`].

use async_trait::async_trait;
use http::Extensions;
use http::header::AUTHORIZATION;
use reqwest::{ClientBuilder, Request, Response, StatusCode, redirect};
use reqwest_middleware::{ClientWithMiddleware, Error, Middleware, Next, Result};

use super::bearer::BearerToken;
use super::challenge::asks_for_kliento;
use super::origin::{Origin, OriginError};
use super::source::TokenSource;

/// Adds tokens of a [`TokenSource`] to requests to one [`Origin`], and to no others.
///
/// ```
/// use kliento::client::{KlientoMiddleware, MemberSigner, TokenSource};
/// # use kliento::{client::BoxError, testing::TrustChain, veraid::{MemberIdBundle, PrivateKey}};
/// # use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
/// # fn main() -> Result<(), BoxError> {
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let chain = TrustChain::new("example.com", "alice");
/// # let bundle = MemberIdBundle::from_der(&chain.member_id_bundle().to_der()?)?;
/// # let key = PrivateKey::from_pkcs8_pem(&chain.member_key().to_pkcs8_pem()?)?;
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let api = format!("http://{}", listener.local_addr()?);
/// # let server = tokio::spawn(async move {
/// #     let (mut stream, _) = listener.accept().await?;
/// #     let (mut request, mut octet) = (Vec::new(), [0]);
/// #     while !request.ends_with(b"\r\n\r\n") {
/// #         stream.read_exact(&mut octet).await?;
/// #         request.extend(octet);
/// #     }
/// #     stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
/// #     std::io::Result::Ok(String::from_utf8_lossy(&request).to_lowercase())
/// # });
///
/// let source = TokenSource::new(api.parse()?, MemberSigner::new(bundle, key));
/// let client = KlientoMiddleware::for_audience(source)?.client(reqwest::Client::builder())?;
///
/// let response = client.get(format!("{api}/orders")).send().await?;
/// # assert_eq!(response.status(), 204);
/// # assert!(server.await??.contains("authorization: kliento mii"));
/// # Ok(()) }) }
/// ```
///
/// # Behaviour
///
/// - A request to the origin gets an `Authorization` field with a token that is valid now. The
///   field is marked as sensitive, so that it is not in `Debug` output and not compressed in
///   HTTP/2. If there is no token, the request is not sent, and the error is a
///   [`TokenSourceError`](super::TokenSourceError) in [`Error::Middleware`].
/// - A request to another origin is sent unchanged. So is a request that already has an
///   `Authorization` field, or a user in its URL, from which `reqwest` makes that field: the caller
///   has chosen it.
/// - If the origin answers 401 with a challenge for Kliento, the token is
///   [replaced](TokenSource::replacement_for) and the request is sent once more, and its outcome is
///   the result. This needs a request that can be cloned, which one with a stream as its body can't
///   be.
/// - Redirects within the origin are followed with the token. Redirects out of it are not followed:
///   see [`client`](Self::client).
///
/// Put it behind middleware that retries, so that each attempt gets a valid token. Note that a
/// proxy for plain HTTP can read requests to `http` origins.
#[derive(Clone, Debug)]
#[must_use]
pub struct KlientoMiddleware {
    source: TokenSource,
    origin: Origin,
}

impl KlientoMiddleware {
    /// Adds tokens of `source` to requests to `origin`, which need not resemble the audience.
    pub fn new(source: TokenSource, origin: Origin) -> Self {
        Self { source, origin }
    }

    /// Adds tokens of `source` to requests to its audience, which must be the server's URL. If the
    /// URL has a path, only requests to that path and below get tokens.
    ///
    /// # Errors
    ///
    /// [`OriginError`] if the audience is not such a URL.
    pub fn for_audience(source: TokenSource) -> std::result::Result<Self, OriginError> {
        let origin = source.audience().as_str().parse()?;
        Ok(Self::new(source, origin))
    }

    /// Makes a client with this middleware. It does not follow redirects from the origin to
    /// another: then the redirect is the response. It follows up to ten redirects within the
    /// origin, and of requests without tokens.
    ///
    /// If you add this middleware to another client, restrict its redirects with
    /// [`Origin::redirect_policy`], which explains why.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn client(self, builder: ClientBuilder) -> reqwest::Result<ClientWithMiddleware> {
        let policy = self.origin.redirect_policy(redirect::Policy::default());
        let client = builder.redirect(policy).build()?;
        Ok(reqwest_middleware::ClientBuilder::new(client)
            .with(self)
            .build())
    }

    /// Returns whether this request gets a token.
    fn concerns(&self, request: &Request) -> bool {
        self.origin.covers(request.url()) && !request.headers().contains_key(AUTHORIZATION)
    }

    /// Returns whether the origin refused the token.
    fn is_refusal(&self, response: &Response) -> bool {
        response.status() == StatusCode::UNAUTHORIZED
            && self.origin.covers(response.url())
            && asks_for_kliento(response.headers())
    }
}

#[async_trait]
impl Middleware for KlientoMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        if !self.concerns(&request) {
            return next.run(request, extensions).await;
        }
        let token = self.source.token().await.map_err(Error::middleware)?;
        let again = request.try_clone();
        authorise(&mut request, &token);
        let response = next.clone().run(request, extensions).await?;
        if !self.is_refusal(&response) {
            return Ok(response);
        }
        let replacement = self.source.replacement_for(&token).await;
        match (again, replacement) {
            (Some(mut request), Ok(Some(token))) => {
                authorise(&mut request, &token);
                next.run(request, extensions).await
            }
            // The server's answer is more useful than the error that there is no other token.
            _ => Ok(response),
        }
    }
}

fn authorise(request: &mut Request, token: &BearerToken) {
    request
        .headers_mut()
        .insert(AUTHORIZATION, token.header_value());
}
