//! Proves DNS records offline, at any time, from DNS messages and a trust anchor.
//!
//! DNSSEC signs the data of the DNS, not the connections that carry them. So a few responses, kept
//! in a file or sent with a message, are a proof. Anyone can verify it later, on a machine without
//! a network. It shows that the owner of a domain published these records, and at which times the
//! signatures over them are valid. This crate makes such proofs and verifies them.
//!
//! ```
//! use dnssec::{Chain, Name, RecordType, Timestamp, Tlsa, TrustAnchors};
//! # let (certificate, public_key) = (&b"DER"[..], &b"SubjectPublicKeyInfo"[..]);
//! # let tlsa = kliento_fixtures::Record::new(
//! #     "_443._tcp.www.example.com.",
//! #     RecordType::TLSA.0,
//! #     [&[Tlsa::DANE_EE, Tlsa::SPKI, Tlsa::FULL][..], public_key].concat(),
//! # );
//! # let world = kliento_fixtures::World::builder()
//! #     .at(1_795_262_400)
//! #     .zone(".", kliento_fixtures::Algorithm::Ed25519)
//! #     .zone("com.", kliento_fixtures::Algorithm::EcdsaP256Sha256)
//! #     .zone("example.com.", kliento_fixtures::Algorithm::EcdsaP256Sha256)
//! #     .record(tlsa)
//! #     .build();
//! # let der = kliento_fixtures::chain_der(&world.chain("_443._tcp.www.example.com.", RecordType::TLSA.0));
//! # let anchors = world.anchors();
//!
//! // In real life: `TrustAnchors::iana()`, and the octets that somebody sent.
//! let anchors: TrustAnchors = anchors.parse()?;
//! let chain = Chain::from_der(&der)?;
//!
//! let noon: Timestamp = "2026-11-21T12:00:00Z".parse()?;
//! let host: Name = "www.example.com".parse()?;
//! let name = Tlsa::owner(&host, 443, "tcp")?;
//! let proof = chain.verify(&name, RecordType::TLSA, &anchors, noon)?;
//!
//! // Compare the records with the certificate and the key that the server presents in TLS.
//! let mut records = proof.rdata().filter_map(Tlsa::parse);
//! assert!(records.any(|tlsa| tlsa.usage == Tlsa::DANE_EE && tlsa.matches(certificate, public_key)));
//! assert_eq!(proof.validity().to_string(), "2026-11-21T11:00:00Z to 2026-11-27T12:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it proves, and what it refuses
//!
//! A [`Chain`] is a set of whole DNS messages. [`Chain::look_up`] looks a name and a type up in it
//! as a resolver would, and returns a [`Fact`] that is proven from a trust anchor down:
//!
//! - [`Fact::Proven`]: there are such records, and the proof has all of them. The name has them
//!   itself, or by a wildcard (then the chain also proves that there is no closer name), or is an
//!   alias by CNAME or DNAME of a name that has them.
//! - [`Fact::ProvenAbsent`]: there are no such records, or there is no such name, by NSEC or NSEC3.
//! - [`Fact::ProvenInsecure`]: a zone at or above the name is proven to be unsigned, or counts as
//!   unsigned, for example because this crate supports none of its algorithms ([`Insecurity`]).
//!   Nothing is proven about the name, and nothing is wrong.
//!
//! These correspond to "secure" and "insecure" of RFC 4033 §5. A bogus or indeterminate result is
//! an [`Error`] with a stable [`reason`](Error::reason). [`Chain::verify`] is for callers that need
//! records: it returns an error for the other two facts as well.
//!
//! A zone's keys count only if they are signed by a key that the parent's DS RRset or a trust
//! anchor commits to. Stale, corrupt or unknown signatures beside a valid one do no harm. The work
//! that one chain may cause is bounded: signatures, digests, NSEC3 hashes and records are counted,
//! and the bounds grow only with what has been proven. A server that takes chains from strangers
//! should also set its own bound on the total cost ([`Demand::with_most_work`]).
//!
//! [`Chain::minimal`] removes what a proof does not need: the rest proves the fact for as long as
//! the whole chain does. The `AuthenticationChain` of RFC 9102 holds the same records without the
//! messages. It can be read ([`Chain::from_authentication_chain`]) and written
//! ([`Chain::to_authentication_chain`]).
//!
//! ## RFC by RFC
//!
//! | RFC | implementation |
//! |---|---|
//! | 1035, 2181, 3597 | Messages are read in place, all sections; only class IN. Unknown types are proven like others. |
//! | 4033 to 4035 | Everything that is needed to prove an RRset or its absence. Not: the CD and AD bits, TTLs and caching, which belong to a resolver; NSEC and NSEC3 records that share an owner with another of their kind. |
//! | 4509, 5702, 6605, 8080 | DS digests 2 and 4; algorithms 8, 10, 13, 14, 15. RSA keys from 1,024 to 4,096 bits. |
//! | 4592 | Wildcards, including empty non-terminals among the closest enclosers. Not for DS, DNSKEY, NSEC, NSEC3 and DNAME: expanded from a wildcard, these prove nothing. |
//! | 5011 | A revoked key proves nothing. Anchors are not updated automatically: the caller provides them. In the file that Unbound keeps up to date, only keys in state VALID or MISSING are anchors. |
//! | 5155, 9276 | NSEC3 with SHA-1 and up to 100 iterations. More iterations or another hash make a zone insecure; a record with unknown flags is ignored. A denial or a wildcard that depends on an opt-out span is insecure. |
//! | 6672 | DNAME. The CNAME is synthesised again; an unsigned one beside it is ignored. Not: DNAME at a wildcard. |
//! | 6698, 7671 | TLSA records are read, and compared with certificates and keys ([`Tlsa`]). The caller does TLS and PKIX. |
//! | 6840 | All parts of §4 and §5 that apply to a validator; any one valid signature is enough (§5.4), and so is any supported DS (§5.11). |
//! | 6895 | Types that are not data types (ANY, OPT, RRSIG, 128 to 255) are refused. |
//! | 7958, 9718 | `root-anchors.xml`, with `validFrom` and `validUntil`, which the built-in anchors have too. Its signature is not checked: fetch it over a trusted channel. |
//! | 8624, 9904 | SHA-1 proves nothing: algorithms 5 and 7 and DS digest 1 count as unknown, and so does 12 (GOST). Ed448 (16) is unknown too: no maintained back end supports it. |
//! | 9102 | `AuthenticationChain` is read and written, as records only; the TLS extension is not implemented. |
//! | 9824 | Compact denial: an NSEC record with NXNAME proves that the name does not exist. |
//!
//! At most eight aliases in a row are followed. A name has at most 255 octets and 127 labels. A
//! chain has at most 512 responses with 8,192 records. The labels and compression pointers in their
//! names are counted: there may be as many as the chain has octets, and 16,384 more. If denials are
//! needed, a chain has at most 512 different NSEC and NSEC3 records.
#![doc = include_str!("differences.md")]
//!
//! # Time
//!
//! Nothing here reads a clock. Verification asks whether the chain proves the RRset at some second
//! of a [`Period`]. The [`Proof`] then has the exact times as a [`Validity`]: the union over the
//! valid signatures of an RRset, and the intersection along the chain. A proof can be kept
//! ([`Proof::into_owned`]), and checked again later against the current time.
//!
//! Signatures that are not valid in the period are refused because of their dates alone, before any
//! public-key operation. So an error of [`ErrorKind::Time`], such as [`Error::RrsigExpired`], does
//! not mean "this was true until then": a forgery with old dates is refused with the same error. If
//! that matters, ask about all of time, and compare afterwards:
//!
//! ```
//! use dnssec::{Chain, Error, Name, Period, RecordType, Timestamp, TrustAnchors};
//! # use kliento_fixtures::{Algorithm, TXT, World};
//!
//! /// Returns true if the records were valid once, and are not any longer.
//! fn has_expired(
//!     chain: &Chain<'_>,
//!     name: &Name,
//!     anchors: &TrustAnchors,
//!     now: Timestamp,
//! ) -> Result<bool, Error> {
//!     let proof = chain.verify(name, RecordType::TXT, anchors, Period::always())?;
//!     Ok(!proof.validity().contains(now))
//! }
//! # let world = World::builder()
//! #     .at(1_795_262_400)
//! #     .zone(".", Algorithm::Ed25519)
//! #     .txt("key.example.", "1")
//! #     .build();
//! # let (name, anchors): (Name, TrustAnchors) = ("key.example".parse()?, world.anchors().parse()?);
//! # let genuine = world.chain("key.example.", TXT);
//! # let mut responses = world.responses("key.example.", TXT);
//! # responses.answer().sign(&world.signing_for("key.example.", TXT).corrupt());
//! # let forged = responses.to_messages();
//! # let genuine = Chain::from_messages(&genuine)?;
//! # let forged = Chain::from_messages(&forged)?;
//!
//! let a_year_later: Timestamp = "2027-11-21T12:00:00Z".parse()?;
//! for chain in [&genuine, &forged] {
//!     let refusal = chain.verify(&name, RecordType::TXT, &anchors, a_year_later).unwrap_err();
//!     assert_eq!(refusal.reason(), "dnssec.rrsig_expired");
//! }
//! assert_eq!(has_expired(&genuine, &name, &anchors, a_year_later), Ok(true));
//! let refusal = has_expired(&forged, &name, &anchors, a_year_later).unwrap_err();
//! assert_eq!(refusal.reason(), "dnssec.bad_signature");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `aws-lc-rs` (on by default), `ring`: the cryptographic back end. One of them is needed; with
//!   both, the first is used. Both verify the same signatures.
//! - `xml` (on by default): [`TrustAnchors`] can also be read from IANA's `root-anchors.xml`.
//! - `time` (off by default): converts a [`Timestamp`] from and to the crate `time`'s
//!   `OffsetDateTime`.
//! - `retrieve` (off by default): [`retrieve()`] asks resolvers for a chain, over UDP, TCP, TLS or
//!   HTTPS, and [`Client`] asks them single questions. This is the only part that does I/O or needs
//!   an async runtime.
//!
//! # No panics
//!
//! No input makes a function of this crate panic, recurse, or allocate more than a small multiple of
//! the input's size. There is no `unsafe` code in it.
#![cfg_attr(
    not(feature = "retrieve"),
    allow(rustdoc::broken_intra_doc_links, reason = "`retrieve` is a feature")
)]

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("dnssec needs one of its features `aws-lc-rs` and `ring`");

mod anchor;
mod authentication_chain;
mod budget;
mod chain;
mod crypto;
mod demand;
mod error;
mod fact;
mod message;
mod minimal;
mod name;
mod owned_chain;
mod presentation;
mod rdata;
mod record;
#[cfg(feature = "retrieve")]
mod retrieve;
mod time;
mod validity;
mod verify;
mod wire_name;
mod work;
mod writer;

pub use anchor::{AnchorError, KeyState, LeftOutKey, TrustAnchor, TrustAnchors};
pub use authentication_chain::messages_from_authentication_chain;
pub use chain::Chain;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use crypto::fuzzing;
pub use demand::Demand;
pub use error::{Committer, Error, ErrorKind, MessageError, RrsetId, RrsigId};
pub use fact::{Absence, Denial, Fact, Insecure, Insecurity, Proof};
pub use message::{Record, Response};
pub use name::{Labels, MAX_LABEL_OCTETS, MAX_NAME_OCTETS, Name, NameError};
pub use owned_chain::OwnedChain;
pub use presentation::rdata_to_text;
pub use rdata::{
    Algorithm, Dnskey, Ds, Nsec, Nsec3, Nsec3Hash, Nsec3Parameters, Rrsig, Tlsa, TypeBitmap,
    nsec3_owner,
};
pub use record::{RecordType, RecordTypeError, txt_content};
#[cfg(feature = "retrieve")]
pub use retrieve::{
    Client, Resolver, ResolverError, ResolverFailure, RetrievalError, Retrieved, RetrievedAbsence,
    RetrievedInsecurity, Retriever, retrieve,
};
pub use time::{OutOfRange, Timestamp, TimestampError};
pub use validity::{Period, PeriodError, Validity};
pub use verify::MAX_ALIASES;
pub use work::Work;

/// The sample of this crate's README, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
