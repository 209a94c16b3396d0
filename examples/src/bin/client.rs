//! A client that signs tokens with a member's key, and sends them only to one server.

use std::error::Error;

use kliento::client::{KlientoMiddleware, MemberSigner, Origin, TokenSource};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let signer = MemberSigner::from_files("world/alice.member-id", "world/alice.key.pem");
    let source = TokenSource::new("https://api.example.org".parse()?, signer);

    // The demo's server has no TLS. For a real one: `KlientoMiddleware::for_audience(source)?`.
    let origin = Origin::allowing_plain_http("http://127.0.0.1:3000")?;
    let client = KlientoMiddleware::new(source, origin).client(reqwest::Client::builder())?;

    let response = client.get("http://127.0.0.1:3000/").send().await?;
    print!("{}", response.error_for_status()?.text().await?);
    Ok(())
}
