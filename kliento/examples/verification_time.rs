//! How long a server takes to verify a token bundle that it has not seen before.
//!
//! `cargo run --release -p kliento --features testing --example verification_time` prints medians of a thousand
//! verifications each, from the `Authorization` value to the identity, on one core. The organisation's and the member's
//! keys are RSA-2048, the DNSSEC chain is ECDSA P-256 from the root to `example.com.`.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use kliento::testing::TrustChain;
use kliento::{Token, header};

const AUDIENCE: &str = "https://api.example.com";
const RUNS: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let chain = TrustChain::new("example.com", "alice");
    let verifier = chain.verifier(AUDIENCE);
    let token = Token::new(AUDIENCE.parse()?).with_claim("role", "admin");

    for (signer, bundle) in [
        ("member", chain.token(&token)),
        (
            "organisation",
            chain.organisation_token(&token, &"alice".parse()?),
        ),
    ] {
        let authorization = header::encode(&bundle);
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = Instant::now();
            black_box(verifier.verify_header(black_box(&authorization))?);
            times.push(start.elapsed());
        }
        println!(
            "signed by the {signer:12} {:5} octets, median {:7.1} µs",
            bundle.len(),
            median(times).as_secs_f64() * 1e6
        );
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
