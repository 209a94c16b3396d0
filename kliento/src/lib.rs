//! Clients prove who they are with a domain name; servers check it offline.
//!
//! # What this is
//!
//! A Kliento token says "I am `alice@example.com`, this is for `https://api.example.com`, for the next
//! ten minutes", and carries its own proof: the DNSSEC records by which `example.com` publishes a key,
//! the certificate by which that key vouches for Alice's, and her signature. A server checks all of it
//! with the DNS root's public keys and a clock. It calls nobody, shares no secret with anybody, and
//! fetches no keys.
//!
//! [`veraid`] does the signatures, [`dnssec`](veraid::dnssec) the DNS; this crate adds the token, its
//! bundle, the `Authorization` field and the [`Verifier`] that a server holds.
//!
//! # A server
//!
//! Build one [`Verifier`] for your audience, and give it each request's `Authorization` value:
//!
//! ```
//! use std::time::Duration;
//! use kliento::Verifier;
//!
//! struct Server {
//!     verifier: Verifier,
//! }
//!
//! impl Server {
//!     fn new() -> Result<Self, kliento::AudienceError> {
//!         let audience = "https://api.example.com".parse()?;
//!         let verifier = Verifier::builder(audience)
//!             .clock_skew(Duration::from_secs(5))
//!             .build();
//!         Ok(Self { verifier })
//!     }
//!
//!     /// Status and body of the answer to a request with this `Authorization` value.
//!     fn answer(&self, authorization: &str) -> (u16, String) {
//!         match self.verifier.verify_header(authorization) {
//!             Ok(token) => (200, format!("Hello, {}!", token.subject())),
//!             Err(error) if error.is_forbidden() => (403, error.reason().to_owned()),
//!             // Send `WWW-Authenticate: Kliento` along.
//!             Err(error) => (401, error.reason().to_owned()),
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), kliento::AudienceError> {
//! let (status, reason) = Server::new()?.answer("Kliento MAA=");
//! assert_eq!(status, 401);
//! # let _ = reason;
//! # Ok(())
//! # }
//! ```
//!
//! # A web server
//!
//! The features `axum`, `tower` and `tonic` provide a layer. It answers refused requests with a status of HTTP or gRPC,
//! and verifies on threads that may block:
//!
//! ```
//! use axum::{Router, routing::get};
//! use kliento::Verifier;
//! use kliento::http::axum::Authenticated;
//! use kliento::http::tower::KlientoLayer;
//!
//! async fn hello(caller: Authenticated) -> String {
//!     format!("Hello, {}!", caller.subject())
//! }
//!
//! let verifier = Verifier::builder("https://api.example.com".parse()?).build();
//! let app: Router = Router::new().route("/", get(hello)).layer(KlientoLayer::new(verifier));
//! # Ok::<(), kliento::AudienceError>(())
//! ```
//!
//! The module `http` has the rest: requirements for parts of a server, optional authentication, claims as types, refusals
//! and answers of your own, logs and traces. Your tests need a domain, members and tokens, which the feature `testing` makes
//! in memory:
//!
//! ```toml
//! [dependencies]
//! kliento = { path = "…", features = ["axum"] }
//!
//! [dev-dependencies]
//! kliento = { path = "…", features = ["testing"] } # the same source; tests have both features
//! ```
//!
//! # A client
//!
//! A member has a private key, which it makes itself (`kliento key generate`), and a member id bundle,
//! which is public and which its organisation's administrator makes (`kliento member certify`).
//!
//! ```no_run
//! use std::{error::Error, fs, time::SystemTime};
//! use kliento::veraid::{MemberIdBundle, Period, PrivateKey, Signer, Timestamp};
//! use kliento::{Token, header};
//!
//! fn authorization() -> Result<String, Box<dyn Error>> {
//!     let bundle = MemberIdBundle::from_der(&fs::read("alice.member-id")?)?;
//!     let key = PrivateKey::from_pkcs8_pem(&fs::read_to_string("alice.key.pem")?)?;
//!
//!     let token = Token::new("https://api.example.com".parse()?).with_claim("role", "admin");
//!     let now = Timestamp::from(SystemTime::now());
//!     let ten_minutes = Period::new(now, now.saturating_add(600)).ok_or("the end of time")?;
//!
//!     let signer = Signer::member(&bundle, &key);
//!     let token_bundle = kliento::issue(&signer, &token, ten_minutes)?;
//!     Ok(header::encode(&token_bundle)) // "Kliento MII…"
//! }
//! # fn main() { let _ = authorization(); }
//! ```
//!
//! The feature `client` renews tokens in time, and `reqwest` puts them on requests.
//!
//! # Dialects and key algorithms
//!
//! Tokens come in two dialects, VeraId and its successor DomainAuth; the records in their DNSSEC chain say which. By
//! default, a [`Verifier`] accepts both, with RSA keys only, as the specifications require. Ed25519, ECDSA and the
//! post-quantum ML-DSA are experimental, and work in DomainAuth only. A verifier accepts them if its policy names them:
//!
//! ```
//! use kliento::Verifier;
//! use kliento::veraid::{KeyAlgorithm, Policy};
//!
//! let verifier = Verifier::builder("https://api.example.com".parse()?)
//!     .policy(Policy::new().with_algorithm(KeyAlgorithm::MlDsa65))
//!     .build();
//! # Ok::<(), kliento::AudienceError>(())
//! ```
//!
//! # What it refuses
//!
//! - Bundles over [`MAX_BUNDLE_OCTETS`], before anything in them is looked at: [how large they are](sizes).
//! - Tokens that live longer than [`MAX_LIFETIME_SECONDS`], when signing and when verifying, whatever the
//!   server's clock says.
//! - Tokens for another audience, by exact comparison.
//! - Detached signatures: the token must be inside the bundle.
//! - JSON that two readers could understand differently (see [`Token::from_json`]), and `Authorization`
//!   values that are not in the one canonical form (see [`header::decode`]).
//! - Dialects and key algorithms that its [policy](VerifierBuilder::policy) does not take.
//! - Subjects, claims, signers and lifetimes that its [requirements](Requirements) do not allow.
//! - Everything that [`veraid`] and [`dnssec`](veraid::dnssec) refuse: parts that are never valid at the
//!   same second, weak algorithms, wrong or borrowed signatures, malformed structures.
//!
//! Every refusal is a [`VerifyError`] with a stable [`reason`](VerifyError::reason).
//!
//! # What a verification costs
//!
//! The first verification takes a few hundred microseconds, nearly all for public-key operations. A [`Verifier`]
//! remembers what it verified, by exact octets and within a [limit](VerifierBuilder::cache_octets), until it ends:
//!
//! - the same bundle costs about a microsecond;
//! - a new bundle of a member whose organisation is known costs the one signature that is new;
//! - a new member of a known organisation costs that and the signature over its certificate.
//!
//! It does not remember refused bundles, those that would take more than 32 KiB of memory, or more than a few encodings
//! of the same token. So strangers can't push out tokens that are in use. An asynchronous server asks
//! [`Verifier::recall_header`] first, and runs the rest where it may block. [`Verifier::cache_statistics`] tells how often
//! each of these happens.
//!
//! # Security notes
//!
//! - **What is trusted**: the DNS root's keys ([`TrustAnchors`]), the zones above an organisation's
//!   domain, the organisation's key, and this machine's clock. Nobody else, neither a certificate
//!   authority nor the resolver that fetched the chain.
//! - **Tokens are bearer tokens.** Anybody who reads one can use it at that audience until it ends: use TLS,
//!   keep lifetimes short, and don't log `Authorization` values. There is no replay protection besides
//!   the lifetime; what must happen only once needs a nonce of your own, in a claim.
//! - **Bundles are malleable.** Anybody who has a valid bundle can write others that say the same and are as valid, since
//!   nobody signs DNS message IDs, TTLs or unsigned records in its chain. So don't detect replays or block tokens by a
//!   hash of the bundle: compare a nonce in the claims.
//! - **Audiences** must name one server, or servers that trust one another: a token for an audience that
//!   two servers share can be passed on from the one to the other.
//! - **There is no revocation** before a certificate or a DNSSEC signature ends, since verification is
//!   offline: give members short certificates. A withdrawn record lives on in chains until its DNSSEC
//!   signatures end, after a few days in most zones.
//! - **Claims are the signer's word.** A member that signs by itself can claim anything. If a claim gives rights, require
//!   the organisation's signature ([`Requirements::with_organisation_signature`]), or name the subjects.
//! - **Organisations speak for their members.** [`VerifiedToken::signed_by`] tells the two apart.
//! - **Authentication is not authorisation.** Anybody with a signed domain can make valid tokens; decide
//!   which subjects may do what.
//! - **Quantum computers** would break DNSSEC's signatures, and every token with them, whatever keys an organisation has.
//!   An ML-DSA key itself can't be broken that way; [this helps](post_quantum) only as long as DNSSEC is not broken.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `aws-lc-rs` | the cryptographic back end, by default; [`veraid`] says more |
//! | `ring` | another back end, where that one can't be built: `default-features = false, features = ["ring"]` |
//! | `oqs` | ML-DSA beside `ring`; not a back end by itself |
//! | `confusables` | `Organisation::confusable_labels` of [`veraid`], for programs that show domains |
//! | `headers` | `http::headers`: `Authorization<Kliento>` for the crate `headers` |
//! | `tower` | `http::tower`: a layer for any HTTP service, on Tokio |
//! | `axum` | `http::axum`: extractors for `axum`, and `tower` |
//! | `tonic` | `http::tonic`: gRPC servers and clients with `tonic`, and `tower` |
//! | `tracing` | a span field with the subject and events for decisions, by the crate `tracing`, and `tower` |
//! | `client` | `client`: a token that is always fresh, on Tokio |
//! | `reqwest` | `client::KlientoMiddleware`: tokens on the requests of `reqwest`, and `client` |
//! | `testing` | `testing::TrustChain`: domains, members and tokens in memory, for tests |
//!
//! All but the first are off by default. Without them, the crate does no I/O and has no async runtime.
//!
//! A module is documented where its feature is on. For all of them:
//!
//! ```sh
//! cargo doc --open -p kliento --features axum,headers,reqwest,testing,tonic,tracing
//! ```

#![forbid(unsafe_code)]

mod bundle;
mod cache;
mod claims;
#[cfg(feature = "client")]
pub mod client;
mod error;
pub mod header;
#[cfg(any(feature = "headers", feature = "tower"))]
pub mod http;
pub mod renewal;
mod requirements;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod verifier;

pub use veraid::{self, Fault, TierStatistics, Timestamp, TrustAnchors, WithSources};

pub use crate::bundle::{
    TokenBundle, TokenVerification, UnsignedToken, VerifiedToken, issue, prepare,
};
pub use crate::cache::CacheStatistics;
pub use crate::claims::ClaimsError;
pub use crate::error::{AudienceError, IssueError, TokenSyntaxError, VerifyError};
pub use crate::requirements::{Requirements, SubjectPattern, SubjectPatternError};
pub use crate::token::{Audience, Claims, Token};
pub use crate::verifier::{AnyAudience, SharedVerifier, Verifier, VerifierBuilder};

/// The VeraId service that tokens are signed for.
#[allow(clippy::unwrap_used, reason = "evaluated when compiled")]
pub const SERVICE: veraid::ServiceOid =
    veraid::ServiceOid::from_arcs(&[1, 3, 6, 1, 4, 1, 58708, 3, 0]).unwrap();

/// The most octets that a token bundle may have, as DER.
pub const MAX_BUNDLE_OCTETS: usize = 16_384;

/// The longest that a token may live, from the first second of its period to the last.
pub const MAX_LIFETIME_SECONDS: u64 = 3_600;

/// The default limit on the work of verifying a bundle, which a verifier's [`Policy`](veraid::Policy) can change.
/// It is less than six times the work of an ordinary bundle. Anybody can make a server do that much for each request. A
/// bundle that needs more is refused with `dnssec.budget_exhausted` or `x509.path_budget_exhausted`.
///
/// In units of about a microsecond:
///
/// | what an honest bundle is made of | units |
/// |---|---|
/// | an ordinary member's: the root's keys and its DS for `com.` by RSA-2048; the keys of `com.`, its DS for `example.com.`, the keys of that and the TXT record by P-256; organisation, member and token by RSA-2048 | 267 |
/// | a top-level domain and three zones below it, of P-256; an organisation, two intermediates and a member with RSA-4096 | 682 |
/// | three zones of P-256, and an alias to another domain with three; RSA-4096 | 750 |
/// | a domain of P-384 that is an alias of another of P-384; RSA-2048 | 932 |
/// | a top-level domain and three zones below it, of P-384; RSA-2048 | 1391 |
/// | a top-level domain of P-256 and three zones below it, of P-384; an organisation, two intermediates and a member with RSA-4096 | 1398 |
/// | a top-level domain and three zones below it, of P-384; RSA-4096 | 1516 |
/// | a domain of P-384 that is an alias of another, both below top-level domains of P-384; RSA-4096 | 1534 |
///
/// Each 32 octets of the token and each 256 of the chain count as one. Keys and algorithms that are being rolled over add
/// next to nothing. It is P-384 that sets the bound: one check takes as long as ten of RSA-2048, and each zone on the way
/// takes two. A fifth zone of P-384 exceeds the limit, and so do four such zones with RSA-4096 intermediates. To accept
/// them, raise the limit for all clients with [`Policy::with_most_work`](veraid::Policy::with_most_work). A server
/// without such clients can lower it: 960 units are enough for two zones of P-384.
///
/// Units are those of the back end AWS-LC ([`Work`](veraid::dnssec::Work)). With `ring`, a check of P-384 takes 3.5 times as
/// long, and so the costliest bundle takes 14 times as long as an ordinary one (measured with `costliest_bundle` in
/// `tools/`; with AWS-LC it is 5.2). Set a lower limit for a server with `ring` that has no clients below zones of P-384.
pub const MAX_WORK: veraid::dnssec::Work = veraid::dnssec::Work::from_units(1_550);

/// The media type of a token bundle in DER.
pub const MEDIA_TYPE: &str = "application/vnd.kliento.token-bundle";

/// The media type of a token bundle as the value of an `Authorization` field.
pub const HEADER_MEDIA_TYPE: &str = "application/vnd.kliento.auth-header";

#[cfg(doc)]
#[doc = include_str!("sizes.md")]
pub mod sizes {}

#[cfg(doc)]
#[doc = include_str!("post_quantum.md")]
pub mod post_quantum {}

/// The samples of the pages in `docs/`, compiled and run with the tests. Those of the README are programs of the package
/// `kliento-examples`.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../docs/client.md")]
    struct Client;

    #[doc = include_str!("../../docs/domainauth.md")]
    struct DomainAuth;

    #[doc = include_str!("../../docs/server.md")]
    struct Server;
}
