//! A web server with `axum`, and a client for it with `reqwest`.
//!
//! ```sh
//! cargo run -p kliento-examples --bin axum_server
//! ```
//!
//! The server asks for Kliento tokens at `/`, for an administrator's at `/admin`, and for nothing at `/open`. The
//! program calls itself to show what comes of good and of bad tokens, and then serves until it is interrupted, with
//! commands to try.
//!
//! What makes the server is [`router`]. All else is there to have clients to talk to.

use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::routing::get;
use kliento::client::{KlientoMiddleware, MemberSigner, Origin, TokenSource};
use kliento::http::Authenticator;
use kliento::http::axum::{Authenticated, TypedClaims};
use kliento::http::tower::KlientoLayer;
use kliento::{Requirements, Verifier, WithSources};
use kliento_examples::{Arguments, Expectation, Fault, NOT_IN_EARNEST, Report, World};
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use tempfile::TempPath;
use tokio::net::TcpListener;

/// What clients name as the audience of their tokens.
const AUDIENCE: &str = "https://api.example.com";

/// Who may do what.
fn router(verifier: Verifier) -> Result<Router, Fault> {
    // One for all routes, which then share what it remembers and the bound on verifications.
    let authenticator = Authenticator::new(verifier).on_refusal(|refusal, request| {
        // Clients are told the reason; the message, which may name subjects and audiences, is for the log.
        eprintln!(
            "refused: {} {}: {}",
            request.method,
            request.uri.path(),
            WithSources(refusal)
        );
    });
    let administrators = Requirements::new()
        // By name: a claim such as `role` is the word of whoever signed, and a member can claim anything.
        .with_subject("alice@example.com".parse()?)
        .with_member_signature();

    let everybody = KlientoLayer::new(authenticator.clone());
    let administrators = KlientoLayer::new(authenticator).requirements(administrators);
    Ok(Router::new()
        .route("/", get(hello).layer(everybody))
        .route("/admin", get(admin).layer(administrators))
        .route("/open", get(open)))
}

async fn hello(caller: Authenticated) -> String {
    format!("Hello, {}!\n", caller.subject())
}

/// Claims are strings; here they become what the server works with, or the request is refused.
#[derive(Deserialize)]
struct Badge {
    level: u8,
}

async fn admin(caller: Authenticated, TypedClaims(badge): TypedClaims<Badge>) -> String {
    format!("Hello, {}, of level {}!\n", caller.subject(), badge.level)
}

async fn open() -> &'static str {
    "Hello, whoever you are!\n"
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments = Arguments::read()?;
    let world = World::new(AUDIENCE);
    let token_file = TokenFile::write(&world, arguments.token_file)?;

    let listener = TcpListener::bind(arguments.listen).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server =
        axum::serve(listener, router(world.verifier()?)?).with_graceful_shutdown(interrupted());
    let server = tokio::spawn(server.into_future());

    println!("{NOT_IN_EARNEST}\n\nWhat comes of calls:");
    call_with_tokens(&url, &world).await?;
    call_as_a_program_would(&url, &world).await?;
    if arguments.check {
        return Ok(());
    }

    println!(
        "\nServing on {url} until interrupted. Try, within the hour for which the token is good:"
    );
    println!("  curl {url}/open");
    println!("  curl --include {url}/");
    println!("  curl --header @{} {url}/", token_file.path.display());
    println!("  curl --header @{} {url}/admin", token_file.path.display());
    Ok(server.await??)
}

/// Who calls what, with which token, and what should come of it.
async fn call_with_tokens(url: &str, world: &World) -> Result<(), Fault> {
    let (alices, bobs, mallorys) = (world.alices()?, world.bobs()?, world.mallorys()?);
    let (expired, misdirected) = (world.expired()?, world.for_somebody_else()?);
    let mut report = Report::default();
    for (call, path, token, outcome) in [
        (
            "/open, without a token",
            "/open",
            None,
            "200 Hello, whoever you are!",
        ),
        (
            "/, without a token",
            "/",
            None,
            "401 http.missing_authorization",
        ),
        (
            "/, with alice's",
            "/",
            Some(&alices),
            "200 Hello, alice@example.com!",
        ),
        (
            "/, with the same again, which is remembered",
            "/",
            Some(&alices),
            "200 Hello, alice@example.com!",
        ),
        (
            "/, with bob's",
            "/",
            Some(&bobs),
            "200 Hello, bob@example.com!",
        ),
        (
            "/, with one that has ended",
            "/",
            Some(&expired),
            "401 veraid.signature_expired",
        ),
        (
            "/, with one for somebody else",
            "/",
            Some(&misdirected),
            "401 kliento.audience_mismatch",
        ),
        (
            "/, with another scheme",
            "/",
            Some(&"Bearer abc".to_owned()),
            "401 kliento.wrong_scheme",
        ),
        (
            "/admin, with alice's",
            "/admin",
            Some(&alices),
            "200 Hello, alice@example.com, of level 7!",
        ),
        (
            "/admin, with bob's",
            "/admin",
            Some(&bobs),
            "403 kliento.subject_not_allowed",
        ),
        (
            "/admin, with that of a stranger",
            "/admin",
            Some(&mallorys),
            "403 kliento.subject_not_allowed",
        ),
    ] {
        let mut request = reqwest::Client::new().get(format!("{url}{path}"));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        let found = outcome_of(request.send().await?).await?;
        report.line(&Expectation { call, outcome }, found);
    }
    report.conclude()
}

/// The status, and what stands in the body: for a refusal, the reason.
async fn outcome_of(response: reqwest::Response) -> Result<String, Fault> {
    /// The body of a refusal (RFC 9457).
    #[derive(Deserialize)]
    struct Problem {
        reason: String,
    }
    let status = response.status();
    let body = response.text().await?;
    let said = match serde_json::from_str::<Problem>(&body) {
        Ok(problem) => problem.reason,
        Err(_) => body.trim_end().to_owned(),
    };
    Ok(format!("{} {said}", status.as_u16()))
}

/// A client that has Alice's key, makes tokens with it in time, and sends them only to this server.
async fn call_as_a_program_would(url: &str, world: &World) -> Result<(), Fault> {
    let (bundle, key) = world.alices_credentials()?;
    let source = TokenSource::new(AUDIENCE.parse()?, MemberSigner::new(bundle, key));
    // The server is not where its name says, and has no TLS: `KlientoMiddleware::for_audience(source)` otherwise.
    let origin = Origin::allowing_plain_http(url)?;
    let client = KlientoMiddleware::new(source, origin).client(reqwest::Client::builder())?;

    println!("\nAnd of a client that makes its own tokens with alice's key:");
    let mut report = Report::default();
    let expectation = Expectation {
        call: "/",
        outcome: "200 Hello, alice@example.com!",
    };
    let response = client.get(format!("{url}/")).send().await?;
    report.line(&expectation, outcome_of(response).await?);
    report.conclude()
}

/// Where Alice's token stands for `curl` to read, which is better than among its arguments, where other users of the
/// machine can see it.
struct TokenFile {
    path: PathBuf,
    /// Removes the file in the end, unless the user said where it should be.
    _temporary: Option<TempPath>,
}

impl TokenFile {
    fn write(world: &World, path: Option<PathBuf>) -> Result<Self, Fault> {
        let temporary = match path {
            Some(_) => None,
            None => Some(tempfile::NamedTempFile::new()?.into_temp_path()),
        };
        let path = path.or_else(|| temporary.as_deref().map(Path::to_owned));
        let path = path.ok_or("one of them is there")?;
        fs::write(&path, format!("Authorization: {}\n", world.alices()?))?;
        Ok(Self {
            path,
            _temporary: temporary,
        })
    }
}

/// When the user has had enough.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Then there is no such signal, and the server runs until it is killed.
        std::future::pending::<()>().await;
    }
}
