//! [VeraId] and [DomainAuth]: signatures in the name of a domain and its members, verified offline.
//!
//! [VeraId]: https://veraid.net/spec/
//! [DomainAuth]: https://docs.veraid.net/domainauth-spec/draft-narea-domainauth.html
//!
//! A domain publishes its organisation's key in a TXT record that DNSSEC protects. With that key the organisation issues
//! certificates to its members, users and bots, or signs itself. A **signature bundle** carries the DNSSEC chain, the
//! organisation's certificate and a CMS signature: whoever has it and the root's keys can verify it, with no network and
//! at any time.
//!
//! # Two dialects
//!
//! VeraId is in use; DomainAuth version 1, an Internet-Draft, is to succeed it. The name of the TXT records in a bundle's
//! chain says which of them it follows, and what is verified says which it was ([`Dialect`]). A chain with the records of
//! both is refused.
//!
//! | | VeraId | DomainAuth |
//! |---|---|---|
//! | TXT records at | `_veraid.<domain>` | `_domainauth.<domain>` |
//! | between organisation and member | nobody | intermediates, which are CAs of the organisation |
//! | who signs in the organisation's name | itself | itself, or an intermediate |
//! | who issues the organisation's certificate | itself | anybody: its key is what counts |
//! | user names | almost any, as they are | PRECIS `UsernameCaseMapped` (RFC 8265) |
//! | longest validity of anything | – | 90 days |
//! | keys | RSA of 2048, 3072, 4096 bits | the same; members and intermediates: up to 8192 bits; experimental ones |
//!
//! Ed25519, ECDSA and ML-DSA are **experimental**: the draft does not have them, and says that what it does not have must be
//! rejected. Their record numbers are this project's own. A verifier takes them only if its owner names them in a
//! [`Policy`], which may also leave one of the dialects out.
//!
//! # What is refused
//!
//! Everything that a careful reader of the RFCs would refuse: signatures and keys of algorithms that nobody named, RSA other
//! than RSASSA-PSS or below 2048 bits, any hash but SHA-2, members that are CAs in VeraId, intermediates that aren't CAs in
//! DomainAuth, members that attribute to others, certificates with unknown critical extensions or a broken signature,
//! `SignedData` with two signers, octets after the end. What VeraId's reference library is known to write is read all the
//! same, whether or not it is DER; what is written here is DER.
//!
//! # Time
//!
//! No clock is read: the verifier asks about a period, perhaps of a single second, both ends included. There must be one
//! second within it at which **everything holds together**: every DNSSEC signature, the certificates and the signature
//! itself. What comes out says for how long, around that second, all of it holds.
//!
//! The TXT record's TTL override narrows that: the DNSSEC signatures must hold for at least one second within the last
//! [`TtlOverride`] seconds of the verifier's period. So it changes nothing for a verifier that asks about one second, and
//! a verifier that asks about the last ninety days can read what was signed while offline.
//!
//! **A signature's period is its signer's word.** DNSSEC signatures of the past can't be made today, so a chain from last
//! March proves what a domain published last March. But whoever has an old chain and a key that was certified then, or
//! steals such a key later, can sign today and say that it was last March: verified for that period, the signature is good.
//! So "for the period in which it was signed" proves nothing about when it was signed. Where that matters, ask for now, or
//! have the time from somewhere else, such as a timestamp (RFC 3161) over the bundle from before the key could have been
//! stolen.
//!
//! The DomainAuth draft calls this window the one "for the DNSSEC chain" where it defines it, but then demands that
//! certificates and signature overlap with "the verification time window" too. So in DomainAuth the second at which
//! everything holds lies within the window; in VeraId, whose specification has the window for DNSSEC alone, it lies anywhere
//! in the verifier's period. The window ends when that period does; in the reference library of VeraId it ends with the
//! certificates or the signature, if they end earlier, so that it accepts more.
//!
//! # Limitations
//!
//! - Of RFC 5892's contextual rules for A-labels, those for the joiners are checked; the other characters that it ties to a
//!   context (such as `·` and `・`) are taken anywhere.
//! - A member's issuer is compared with the organisation's name letter by letter, whatever string type either is written
//!   in; a final dot or another case makes another issuer.
//!
//! - In DomainAuth a signature binds a key and not a name. Somebody with a domain of his own can publish another
//!   organisation's key there as well, or certify a member's key under another name, and so present what they signed as
//!   signed in his own name: no more than he could have by signing the same content himself, but whoever must know that
//!   nobody else can claim a signature has to put the signer's name into the content. In VeraId an organisation signs its
//!   own certificate and nothing comes between it and its members, which prevents that.
//!
//! # Features
//!
//! Cryptographic back ends; each task falls to the first of them that is built in and can do it. One of the
//! first two is needed. What verifies is the same with each, but for what is said of `oqs`.
//!
//! - `aws-lc-rs` (on by default): everything.
//! - `ring`: no ML-DSA, and no RSA key generation.
//! - `oqs`: ML-DSA alone, by liboqs, whose build takes `CMake` and libclang. It neither reads nor writes ML-DSA keys that are
//!   a seed, as most files are, and reads none without their public key. On processors with AVX2 it deviates from FIPS 204
//!   on some crafted signatures: the holder of a key can make signatures that it judges differently from other
//!   implementations. Use it to verify only where `aws-lc-rs` can't be had.
//!
//! Beside them, both on by default:
//!
//! - `cache`: `Verifier`, which remembers who was verified.
//! - `confusables`: `Organisation::confusable_labels`, which warns of domains that may pass for others.
//!
//! A build that lacks a back end says so with an error that names the feature: [`KeyError::NotBuilt`], [`VerifyError::AlgorithmNotBuilt`].
//!
//! # How to start
//!
//! - Verify a signature: [`SignatureBundle::from_der`], then [`SignatureBundle::verify`]. Only what comes out of the latter
//!   is to be believed.
//! - Sign: [`Signer::sign`], as a member with a [`MemberIdBundle`] or as the organisation; with a key that is not at hand,
//!   [`SignerIdentity::prepare`].
//! - Set up an organisation: [`PrivateKey::generate`], [`TxtRecord::new`], [`OrganisationCertificate::self_issue`], and
//!   [`MemberCertificate::issue`] for each member.
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
//!
#![doc = include_str!("domain_auth.md")]
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
mod error;
mod key;
#[cfg_attr(
    not(feature = "cache"),
    allow(dead_code, reason = "nothing is remembered")
)]
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
pub use dnssec::{self, Period, Timestamp, TrustAnchors, Validity};
pub use error::{
    CertificateRole, Fault, IssueError, KeyIdentifier, SignedAttribute, Structure, VerifyError,
    WithSources,
};
pub use key::{
    EcdsaFormat, KeyAlgorithm, KeyAlgorithmError, KeyError, PrivateKey, PublicKey, RsaSize,
    SignatureError, SignatureScheme, SigningError, SigningKey,
};
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
pub use verifier::{MemoryLimits, Recognition, Verifier, VerifierStatistics};
pub use verify::{SignedBy, Verification, VerifiedMember, VerifiedOrganisation, VerifiedSignature};
