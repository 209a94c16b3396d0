//! [VeraId] and [DomainAuth]: signatures in the name of a domain and its members, verified offline.
//!
//! [VeraId]: https://veraid.net/spec/
//! [DomainAuth]: https://docs.veraid.net/domainauth-spec/draft-narea-domainauth.html
//!
//! A domain publishes its organisation's key in a TXT record that DNSSEC protects. With that key,
//! the organisation issues certificates to its members, which are users and bots, or signs itself.
//! A **signature bundle** contains the DNSSEC chain, the organisation's certificate and a CMS
//! signature. Anybody with the bundle and the root's keys can verify it, without a network and at
//! any time.
//!
//! # Two dialects
//!
//! VeraId is in use; DomainAuth version 1, an Internet-Draft, is meant to succeed it.
//! [`domain_auth`](mod@domain_auth) lists its requirements with what this crate does about each.
//! The owner of the TXT records in a bundle's chain determines its dialect, and the result of a
//! verification states it ([`Dialect`]). A chain with the records of both is refused.
//!
//! | | VeraId | DomainAuth |
//! |---|---|---|
//! | TXT records at | `_veraid.<domain>` | `_domainauth.<domain>` |
//! | between organisation and member | nothing | intermediates, which are CAs of the organisation |
//! | signer of organisation signatures | the organisation | the organisation or an intermediate |
//! | issuer of the organisation's certificate | the organisation | anybody: only its key counts |
//! | user names | almost any, without conversion | PRECIS `UsernameCaseMapped` (RFC 8265) |
//! | longest validity of anything | – | 90 days |
//! | keys | RSA of 2048, 3072, 4096 bits | the same; members and intermediates: up to 8192 bits; experimental ones |
//!
//! Ed25519, ECDSA and ML-DSA are **experimental**: the draft does not include them, and requires
//! that all algorithms it does not include are rejected. Their record numbers are this project's
//! own. A verifier accepts them only if its owner names them in a [`Policy`], which may also
//! exclude one of the dialects.
//!
//! # What is refused
//!
//! This crate refuses everything that a careful reading of the RFCs excludes: signatures and keys
//! of algorithms that were not named, RSA other than RSASSA-PSS or below 2048 bits, any hash but
//! SHA-2, members that are CAs in VeraId, intermediates that aren't CAs in DomainAuth, members that
//! attribute content to others, certificates with unknown critical extensions or an invalid
//! signature, `SignedData` with two signers, and trailing octets. It does read everything that
//! VeraId's reference library is known to write, even if that is not DER. It writes only DER.
//!
//! # Time
//!
//! No clock is read: the caller gives a period, which may be a single second; both ends are
//! included. There must be one second within it at which **everything holds together**: every
//! DNSSEC signature, the certificates and the signature itself. The result states the period around
//! that second for which all of it holds.
//!
//! The TXT record's TTL override narrows that: the DNSSEC signatures must hold for at least one
//! second within the last [`TtlOverride`] seconds of the verifier's period. This changes nothing
//! for a verifier's period of one second. A verifier's period of the last ninety days admits
//! signatures that were made offline.
//!
//! The DomainAuth draft defines this window as one "for the DNSSEC chain", but then requires that
//! certificates and signature overlap with "the verification time window" too. In DomainAuth, the
//! second at which everything holds must therefore be within the window. In VeraId, whose
//! specification has the window only for DNSSEC, it may be anywhere in the verifier's period. The
//! window ends with that period. In the reference library of VeraId, it ends with the certificates
//! or the signature if they end earlier, so that the library accepts more.
//!
//! **Only the signer vouches for a signature's period.** DNSSEC signatures of the past can't be
//! made today, so a chain from last March proves what a domain published last March. But anybody
//! who has an old chain and a key that was certified then, or later steals such a key, can sign
//! today and claim last March as the period. A verification for that period succeeds. Verifying
//! "for the period in which it was signed" therefore proves nothing about when it was signed. If
//! that matters, verify for the current time, or get the time from another source, such as a
//! timestamp (RFC 3161) over the bundle from before the key could have been stolen.
//!
//! # Limitations
//!
//! - Of RFC 5892's contextual rules for A-labels, those for the joiners are checked. The other
//!   characters with contextual rules (such as `·` and `・`) are accepted anywhere.
//! - A member's issuer is compared with the organisation's name letter by letter, whatever their
//!   string types. A final dot or another case makes another issuer.
//! - In DomainAuth a signature binds a key and not a name. The owner of another domain can publish
//!   another organisation's key there as well, or certify a member's key under another name, and so
//!   present their signatures as signed in his own name. He could achieve the same by signing the
//!   content himself. But if nobody else must be able to claim a signature, the content has to
//!   include the signer's name. In VeraId, an organisation signs its own certificate and no
//!   certificates are between it and its members, which prevents this.
//!
//! # Features
//!
//! These features are cryptographic back ends. Each task is done by the first of them in the build
//! that supports it. One of the first two is needed. Verification has the same results with each of
//! them, except as described for `oqs`.
//!
//! - `aws-lc-rs` (on by default): everything.
//! - `ring`: no ML-DSA, and no RSA key generation.
//! - `oqs`: only ML-DSA, with liboqs, whose build needs `CMake` and libclang. It neither reads nor
//!   writes ML-DSA keys in the form of a seed, which most files have, and reads no keys without
//!   their public key. On processors with AVX2 it deviates from FIPS 204 on some crafted
//!   signatures: the holder of a key can make signatures that it judges differently from other
//!   implementations. Use it for verification only if `aws-lc-rs` is not available.
//!
//! Two more features are on by default:
//!
//! - `cache`: `Verifier`, which remembers organisations and signers.
//! - `confusables`: `Organisation::confusable_labels`, which warns of domains that may be mistaken
//!   for others.
//!
//! If a build lacks a back end, the error names the feature: [`KeyError::NotBuilt`],
//! [`VerifyError::AlgorithmNotBuilt`].
//!
//! # How to start
//!
//! - Verify a signature: [`SignatureBundle::from_der`], then [`SignatureBundle::verify`]. Only the
//!   result of the latter is trustworthy.
//! - Sign: [`Signer::sign`], as a member with a [`MemberIdBundle`] or as the organisation. For a
//!   key that is held elsewhere, use [`SignerIdentity::prepare`].
//! - Set up an organisation: [`PrivateKey::generate`], [`TxtRecord::new`],
//!   [`OrganisationCertificate::self_issue`], and [`MemberCertificate::issue`] for each member.
//!
//! ```no_run
//! use veraid::{Period, SignatureBundle, TEST_SERVICE, TrustAnchors, Verification};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let der = std::fs::read("signature")?;
//! let anchors = TrustAnchors::iana();
//! let now = Period::at(std::time::SystemTime::now().into());
//! let verified =
//!     SignatureBundle::from_der(&der)?.verify(&Verification::new(TEST_SERVICE, now, &anchors))?;
//! println!("{} says {:?}", verified.member_id(), verified.content());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("veraid needs one of its features `aws-lc-rs` and `ring`");

mod algorithm;
mod asn1;
mod bundle;
mod certificate;
mod cms;
mod content;
mod crypto;
#[cfg(doc)]
#[doc = include_str!("domain_auth.md")]
pub mod domain_auth {}
mod error;
mod key;
#[cfg(feature = "cache")]
mod memory;
mod name;
mod oid;
mod pem;
mod policy;
mod record;
mod service;
mod sign;
mod unsigned;

#[cfg(feature = "cache")]
mod verifier;
#[cfg_attr(
    not(feature = "cache"),
    allow(dead_code, reason = "nothing is remembered")
)]
mod verify;

pub use bundle::{BundleOutline, MemberIdBundle, SignatureBundle};
pub use certificate::{
    IntermediateCertificate, IntermediateName, IntermediateRequest, Issuer, MemberCertificate,
    MemberRequest, OrganisationCertificate, OrganisationRequest, UnverifiedCertificate,
};
pub use content::{Content, ContentDigest};
pub use crypto::HashAlgorithm;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use crypto::fuzzing;
pub use dnssec::{self, Period, Timestamp, TrustAnchors, Validity};
pub use error::{
    CertificateRole, Fault, IssueError, KeyIdentifier, SignedAttribute, Structure, VerifyError,
    WithSources,
};
pub use key::{
    EcdsaFormat, KeyAlgorithm, KeyAlgorithmError, KeyError, PrivateKey, PublicKey, RsaSize,
    SignatureError, SignatureScheme, SigningError, SigningKey,
};
#[cfg(feature = "cache")]
pub use memory::{Recognition, VerifierStatistics};
#[cfg(feature = "confusables")]
pub use name::ConfusableLabel;
pub use name::{
    Dialect, DialectError, MAX_DOMAIN_OCTETS, Member, MemberId, NameError, Organisation, UserName,
};
pub use policy::Policy;
pub use record::{
    DigestType, DigestTypeError, KeyId, TtlOverride, TxtRecord, TxtRecordError, TxtRecordKeyError,
};
pub use service::{ServiceOid, ServiceOidError, TEST_SERVICE};
pub use sign::{SignatureRequest, Signer, SignerIdentity};
pub use unsigned::{UnsignedCertificate, UnsignedSignature};
#[cfg(feature = "cache")]
pub use veraid_cache::TierStatistics;
#[cfg(feature = "cache")]
pub use verifier::{MemoryLimits, Verifier};
pub use verify::{SignedBy, Verification, VerifiedMember, VerifiedOrganisation, VerifiedSignature};
