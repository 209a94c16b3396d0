//! Prove DNS records offline, at any time, from DNS messages and a trust anchor.
//!
//! DNSSEC signs the answers of the DNS, not the connections they come over. So a handful of responses, kept in a file or
//! sent along with a message, is a proof that anybody can check later, on a machine with no network: that the owner of a
//! domain published these records, and when that was vouched for. This crate makes such proofs and checks them.
//!
//! ```
//! use dnssec::{Chain, Period, RecordType, Timestamp, TrustAnchors, txt_content};
//! # let world = kliento_fixtures::World::builder()
//! #     .at(1_795_262_400)
//! #     .zone(".", kliento_fixtures::Algorithm::Ed25519)
//! #     .zone("com.", kliento_fixtures::Algorithm::EcdsaP256Sha256)
//! #     .zone("example.com.", kliento_fixtures::Algorithm::EcdsaP256Sha256)
//! #     .txt("_service.example.com.", "key=1")
//! #     .build();
//! # let der = kliento_fixtures::chain_der(&world.chain("_service.example.com.", kliento_fixtures::TXT));
//! # let anchors = world.anchors();
//!
//! // In real life: `TrustAnchors::iana()`, and the octets that somebody sent.
//! let anchors: TrustAnchors = anchors.parse()?;
//! let chain = Chain::from_der(&der)?;
//!
//! let noon: Timestamp = "2026-11-21T12:00:00Z".parse()?;
//! let name = "_service.example.com".parse()?;
//! let proof = chain.verify(&name, RecordType::TXT, &anchors, Period::at(noon))?;
//!
//! assert_eq!(txt_content(&proof.rdata()[0]).as_deref(), Some(&b"key=1"[..]));
//! assert_eq!(proof.validity().to_string(), "2026-11-21T11:00:00Z to 2026-11-27T12:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it rests on, and what it refuses
//!
//! A [`Chain`] is a set of whole DNS messages. [`Chain::verify`] walks from the RRset that was asked for up to an anchor
//! and down again, by RFC 4033 to 4035 with the clarifications of RFC 6840. It takes algorithms 8 (RSA with SHA-256), 10
//! (RSA with SHA-512), 13 (ECDSA P-256), 14 (ECDSA P-384) and 15 (Ed25519), and DS digests 2 (SHA-256) and 4 (SHA-384).
//! Of SHA-1 nothing is believed, nor of RSA keys below 1,024 bits, nor of revoked keys (RFC 5011).
//!
//! A zone's keys count only if they are signed by a key that the parent's DS RRset, or a trust anchor, commits to. What
//! stands beside a good signature (stale, corrupt, unknown) does no harm, within a bound on the work that one chain may
//! cause.
//!
//! The `AuthenticationChain` of RFC 9102, which holds the same records without the messages, can be read
//! ([`messages_from_authentication_chain`]), not written.
//!
//! Limits of this version: a proof is of a positive answer at the very name. An answer that was expanded from a wildcard,
//! that leads through a CNAME or DNAME, or that denies is refused with an error that says so; NSEC and NSEC3 are not
//! looked at, so an unsigned delegation is told from a missing one only by its DS RRset's algorithms.
//!
//! # Time
//!
//! Nothing here reads a clock. Verifying is asking whether the chain proves the RRset at some second of a [`Period`]; the
//! [`Proof`] then says for which seconds it does, as a [`Validity`]: the union over an RRset's good signatures, the
//! intersection along the chain. A proof can be kept, and asked again whether it holds now.
//!
//! # Features
//!
//! - `retrieve` (off by default): [`retrieve()`] asks a resolver for a chain, over UDP, TCP, TLS or HTTPS. The only part
//!   that does I/O or needs an async runtime.
//!
//! # No panics
//!
//! Input of any kind makes no function of this crate panic, recurse or allocate beyond a small multiple of its size. There
//! is no `unsafe` code in it.
#![cfg_attr(
    not(feature = "retrieve"),
    allow(rustdoc::broken_intra_doc_links, reason = "`retrieve` is a feature")
)]

mod anchor;
mod authentication_chain;
mod budget;
mod chain;
mod crypto;
mod error;
mod message;
mod name;
mod presentation;
mod rdata;
mod record;
#[cfg(feature = "retrieve")]
mod retrieve;
mod time;
mod validity;
mod verify;

pub use anchor::{AnchorError, TrustAnchor, TrustAnchors};
pub use authentication_chain::messages_from_authentication_chain;
pub use chain::Chain;
pub use error::{Committer, Error, Insecurity, RrsetId, RrsigId};
pub use message::{MessageError, Record, Response};
pub use name::{Labels, MAX_LABEL_OCTETS, MAX_NAME_OCTETS, Name, NameError};
pub use presentation::rdata_to_text;
pub use rdata::{
    Algorithm, Dnskey, Ds, Nsec, Nsec3, Nsec3Hash, Nsec3Parameters, Rrsig, TypeBitmap, nsec3_owner,
};
pub use record::{RecordType, RecordTypeError, txt_content};
#[cfg(feature = "retrieve")]
pub use retrieve::{Resolver, ResolverError, RetrievalError, retrieve};
pub use time::{Timestamp, TimestampError};
pub use validity::{Period, Validity};
pub use verify::{Absence, Denial, Fact, Proof};
