//! Tokens for clients, renewed in time.
//!
//! A [`TokenSource`] keeps a token for one audience and obtains the next one in time. You choose
//! its supply: a [file](TokenFile) that another program keeps up to date, a
//! [command](TokenCommand), a [member's key](MemberSigner), or [a function](Supply::from_fn).
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
//! // The paths of files that `kliento member certify` and `kliento key generate` write.
//! let signer = MemberSigner::from_files(member_id, key).with_claim("role", "admin");
//! let source = TokenSource::new("https://api.example.com".parse()?, signer);
//!
//! // For each request:
//! let authorization = source.token().await?.header_value();
//! # let _ = authorization;
//! # Ok(()) }) }
//! ```
//!
//! # Guarantees of a source
//!
//! - **Its tokens are valid now**, as far as it can tell without trust anchors: a token is for the
//!   source's audience, and the periods of the token, its certificates and its DNSSEC chain include
//!   the present. A token that has expired, is not yet valid, or is for another audience is an
//!   error, and is never sent.
//! - **It renews before the end**: after 70 to 80 % of the time that a token had left. The point in
//!   between is random, so that many clients don't renew at the same time. Meanwhile, the present
//!   token is sent. In the last ten seconds of a token (or the last tenth of its lifetime, if that
//!   is less), callers wait for the next one, since a token must not expire on its way.
//! - **It renews once**, however many callers ask. A renewal is a task of its own: it continues if
//!   the callers stop waiting, and ends after [a time limit](TokenSourceBuilder::time_limit)
//!   whatever the supply does.
//! - **A failed renewal does no harm** while the present token is valid. The renewal is tried again
//!   after a second, and then after twice as long each time, up to half a minute.
//! - **The clock may be set.** The validity of a token is checked each time, and pauses are
//!   measured on a monotonic clock.
//! - **Tokens stay secret.** Neither `Debug` output nor errors contain them. Memory that held one
//!   is wiped, except for copies that HTTP libraries make.
//!
//! A token is renewed when a caller asks for one. To renew it earlier, [keep the source
//! fresh](TokenSource::keep_fresh).
//!
//! # Code that can't wait
//!
//! Code that is not asynchronous, such as an interceptor of gRPC calls, uses [the present
//! token](TokenSource::current).
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
//! source.token().await?; // Fails here if something is wrong.
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
//! which adds tokens to requests to their audience, and to no others. It depends on `reqwest` 0.13
//! without any of its features: enable those that you need, such as TLS, in your own dependency on
//! `reqwest`.

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
