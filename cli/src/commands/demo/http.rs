//! A server that requires Kliento, and a client for it: as small as they come, and real.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use kliento::Verifier;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::document::Signed;

/// The time that the server took to verify, for the client to show (W3C Server Timing).
const SERVER_TIMING: &str = "server-timing";

/// A server on loopback, for as long as this lives.
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(verifier: Verifier) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, Arc::new(verifier)));
        Ok(Self { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, verifier: Arc<Verifier>) {
    while let Ok((connection, _)) = listener.accept().await {
        let verifier = Arc::clone(&verifier);
        let service = service_fn(move |request| {
            let answer = answer(&verifier, &request);
            async move { Ok::<_, Infallible>(answer) }
        });
        // A client that goes away early is its own affair.
        let _ = hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(connection), service)
            .await;
    }
}

/// All that Kliento asks of a server.
fn answer(verifier: &Verifier, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let authorization = request
        .headers()
        .get(AUTHORIZATION)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let started = Instant::now();
    let verdict = verifier.verify_header(authorization);
    let milliseconds = started.elapsed().as_secs_f64() * 1_000.0;

    let (status, body) = match verdict {
        Ok(token) => (StatusCode::OK, json!(Signed::token(&token))),
        Err(error) => (StatusCode::UNAUTHORIZED, json!({"reason": error.reason()})),
    };
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Kliento"));
    }
    if let Ok(timing) = HeaderValue::from_str(&format!("verify;dur={milliseconds:.2}")) {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}

/// The answer of a server.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    /// The scheme that it demands, if it does.
    pub(super) challenge: Option<String>,
    /// Milliseconds that verification took, as the server has it.
    pub(super) verified_in: Option<String>,
}

impl Answer {
    /// The string at a JSON pointer into the body.
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }
}

/// Asks for `/`, with `authorization` if there is one.
pub(super) async fn get(
    server: SocketAddr,
    authorization: Option<String>,
) -> Result<Answer, Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get("/").header(HOST, server.to_string());
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let response = sender
        .send_request(request.body(Empty::<Bytes>::new())?)
        .await?;
    let status = response.status().as_u16();
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(ToOwned::to_owned)
    };
    let challenge = header(WWW_AUTHENTICATE.as_str());
    let verified_in = header(SERVER_TIMING)
        .and_then(|timing| Some(timing.strip_prefix("verify;dur=")?.to_owned()));
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok(Answer {
        status,
        body: serde_json::from_slice(&body)?,
        challenge,
        verified_in,
    })
}
