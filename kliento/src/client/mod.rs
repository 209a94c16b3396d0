//! For clients: a token that is always fresh.
//!
//! A [`TokenSource`] has a token for one audience at hand and gets the next one in time. Where from is for its owner to
//! say: a [file](TokenFile) that somebody else keeps up to date, a [command](TokenCommand), a
//! [member's key](MemberSigner), or [a function](Supply::from_fn).
//!
//! ```
//! use kliento::client::{MemberSigner, TokenSource};
//! # use kliento::client::BoxError;
//! # use kliento::{Verifier, testing::TrustChain};
//! # fn main() -> Result<(), BoxError> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let chain = TrustChain::new("example.com", "alice");
//! # let directory = tempfile::tempdir()?;
//! # let file = |name: &str| directory.path().join(name);
//! # std::fs::write(file("alice.member-id"), chain.member_id_bundle().to_der()?)?;
//! # std::fs::write(file("alice.key.pem"), chain.member_key().to_pkcs8_pem()?)?;
//! # let (member_id, key) = (file("alice.member-id"), file("alice.key.pem"));
//!
//! // The paths of what `kliento member certify` and `kliento key generate` write.
//! let signer = MemberSigner::from_files(member_id, key).with_claim("role", "admin");
//! let source = TokenSource::new("https://api.example.com".parse()?, signer);
//!
//! // For each request:
//! let authorization = source.token().await?.header_value();
//! # let _ = authorization;
//! # Ok(()) }) }
//! ```
//!
//! # What a source promises
//!
//! - **What it gives is valid now**, as far as can be told without trust anchors: the token is for the source's audience,
//!   and it, its certificates and its DNSSEC chain say that they hold. What is stale, not yet valid, or for somebody else is
//!   an error and never sent.
//! - **It renews ahead of the end**: when seven to eight tenths of the time that a token had left are over, each time at
//!   another point in between, so that many clients don't ask all at once. The token at hand is sent in the meantime. In
//!   the last ten seconds of a token (or tenth of its life, if that is less) the next one is waited for, since a token
//!   should not end on its way.
//! - **It renews once**, however many ask. A renewal is a task of its own: it goes on when those who wait for it give up,
//!   and it ends after [a time limit](TokenSourceBuilder::time_limit) whatever the supply does.
//! - **A renewal that fails does no harm** while the token at hand holds. It is tried again after a second, and after twice
//!   as long each time up to half a minute.
//! - **Clocks may be set.** Whether a token holds is asked anew each time, and pauses are measured on a clock that nobody
//!   sets.
//! - **Nothing shows a token** but the methods that give it: not `Debug`, not an error. Memory that held one is wiped,
//!   but for what HTTP libraries copy.
//!
//! Tokens are renewed when somebody asks for one. To have it done ahead of that, [keep the source
//! fresh](TokenSource::keep_fresh).
//!
//! # Where it can't wait
//!
//! Code that is not asynchronous, such as an interceptor of gRPC calls, takes [what is at hand](TokenSource::current).
//!
//! ```
//! use kliento::client::{BoxError, MemberSigner, TokenSource};
//! # use kliento::{testing::TrustChain, veraid::{MemberIdBundle, PrivateKey}};
//! # fn signer() -> Result<MemberSigner, BoxError> {
//! # let chain = TrustChain::new("example.com", "alice");
//! # let bundle = MemberIdBundle::from_der(&chain.member_id_bundle().to_der()?)?;
//! # Ok(MemberSigner::new(bundle, PrivateKey::from_pkcs8_pem(&chain.member_key().to_pkcs8_pem()?)?))
//! # }
//! # fn main() -> Result<(), BoxError> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//!
//! let source = TokenSource::new("https://api.example.com".parse()?, signer()?);
//! source.token().await?; // What can't work is found out here.
//! let kept = source.keep_fresh()?; // Until this is dropped.
//!
//! let authorization = source.current().ok_or("no valid token")?.header_value();
//! # drop((kept, authorization));
//! # Ok(()) }) }
//! ```
//!
//! # With `reqwest`
//!
//! The feature `reqwest` adds
#![cfg_attr(feature = "reqwest", doc = "[`KlientoMiddleware`],")]
#![cfg_attr(not(feature = "reqwest"), doc = "`KlientoMiddleware`,")]
//! which puts tokens on requests to their audience and on no others. It is for `reqwest` 0.13, which it takes without any
//! of its features: name those that you want, TLS among them, where your program depends on `reqwest`.

mod bearer;
#[cfg(feature = "reqwest")]
mod challenge;
mod command;
mod error;
mod file;
mod form;
#[cfg(feature = "reqwest")]
mod middleware;
#[cfg(feature = "reqwest")]
mod origin;
mod period;
mod schedule;
mod signer;
mod source;
mod supply;

pub use bearer::BearerToken;
pub use command::TokenCommand;
pub use error::TokenSourceError;
pub use file::TokenFile;
#[cfg(feature = "reqwest")]
pub use middleware::KlientoMiddleware;
#[cfg(feature = "reqwest")]
pub use origin::{Origin, OriginError};
pub use signer::MemberSigner;
pub use source::{KeptFresh, TokenSource, TokenSourceBuilder};
pub use supply::{BoxError, Supply};
