//! A plain service of `tower` on a plain server of `hyper`, with HTTP/1 and HTTP/2, and no framework.
//!
//! ```sh
//! cargo run -p kliento-examples --bin tower_service
//! ```
//!
//! Anybody may call; whoever sends a token must send a good one, and is called by name. The program calls itself to
//! show what comes of that, and then serves until it is interrupted.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use kliento::http::HEADER_LIST_OCTETS;
use kliento::http::tower::KlientoLayer;
use kliento::{VerifiedToken, Verifier};
use kliento_examples::{Arguments, Expectation, Fault, NOT_IN_EARNEST, Report, World};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

/// What clients name as the audience of their tokens.
const AUDIENCE: &str = "https://api.example.com";

/// The service. Behind an optional layer there may be an identity among the request's extensions, or none.
async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let caller = request.extensions().get::<VerifiedToken>();
    let name = caller.map_or("whoever you are", VerifiedToken::subject);
    Ok(Response::new(Full::from(format!("Hello, {name}!\n"))))
}

async fn serve(listener: TcpListener, verifier: Verifier) -> Result<(), Fault> {
    let layer = KlientoLayer::new(verifier)
        .optional()
        .remove_authorization();
    let service = ServiceBuilder::new().layer(layer).service_fn(hello);

    let mut server = auto::Builder::new(TokioExecutor::new());
    // Without a timer, connections that send nothing would stay for ever.
    server.http1().timer(TokioTimer::new());
    // HTTP/2 has no room for the largest tokens unless it is told to; HTTP/1 has.
    server.http2().max_header_list_size(HEADER_LIST_OCTETS);
    let server = Arc::new(server);

    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("a connection ended early: {error}");
            }
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments = Arguments::read()?;
    let world = World::new(AUDIENCE);
    let listener = TcpListener::bind(arguments.listen).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = tokio::spawn(serve(listener, world.verifier()?));

    println!("{NOT_IN_EARNEST}\n\nWhat comes of calls:");
    let alices = world.alices()?;
    let expired = world.expired()?;
    let mut report = Report::default();
    for (call, token, outcome) in [
        ("without a token", None, "200 Hello, whoever you are!"),
        (
            "with another scheme's",
            Some("Bearer abc"),
            "200 Hello, whoever you are!",
        ),
        (
            "with alice's",
            Some(&*alices),
            "200 Hello, alice@example.com!",
        ),
        (
            "with one that has ended",
            Some(&*expired),
            "401 {\"type\":\"about:blank\"",
        ),
    ] {
        let mut request = reqwest::Client::new().get(&url);
        if let Some(token) = token {
            request = request.header(reqwest::header::AUTHORIZATION, token);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body = response.text().await?;
        let found = format!("{status} {}", body.trim_end());
        report.line(&Expectation { call, outcome }, found);
    }
    report.conclude()?;
    if arguments.check {
        return Ok(());
    }

    if let Some(path) = arguments.token_file {
        std::fs::write(&path, format!("Authorization: {alices}\n"))?;
        println!("\nTry: curl --header @{} {url}", path.display());
    }
    println!("\nServing on {url} until interrupted. Try: curl {url}");
    tokio::select! {
        ended = server => ended?,
        signal = tokio::signal::ctrl_c() => Ok(signal?),
    }
}
