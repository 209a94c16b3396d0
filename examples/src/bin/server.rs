//! A server that greets users of example.com by name, and refuses everybody else.

use std::error::Error;
use std::fs;

use axum::{Router, routing::get};
use kliento::http::{axum::Authenticated, tower::KlientoLayer};
use kliento::{Requirements, Verifier};

async fn hello(caller: Authenticated) -> String {
    format!("Hello, {}!\n", caller.subject())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The audience is the name by which clients know this server.
    let verifier = Verifier::builder("https://api.example.org".parse()?)
        .requirements(Requirements::new().with_subject("*@example.com".parse()?))
        // Trusts the demo's DNS root. Remove this line to trust the real one.
        .trust_anchors(fs::read_to_string("world/anchors")?.parse()?)
        .build();
    let app = Router::new()
        .route("/", get(hello))
        .layer(KlientoLayer::new(verifier));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}
