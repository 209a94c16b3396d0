//! What verifiers demand, and what they are given: verified signatures, members and organisations.

use std::borrow::Cow;

use dnssec::{Period, TrustAnchors, Validity};

use super::PublishedKey;
use crate::content::ContentDigest;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::name::{Dialect, MemberId, Organisation};
use crate::policy::Policy;
use crate::record::TxtRecord;
use crate::service::ServiceOid;

/// What a verifier demands, and at what time.
///
/// The same for all that can be verified: signatures, members and organisations.
#[derive(Clone, Copy, Debug)]
pub struct Verification<'v> {
    pub(super) service: Option<ServiceOid>,
    pub(super) period: Period,
    pub(super) anchors: &'v TrustAnchors,
    pub(super) given: Given<'v>,
    pub(super) policy: Policy,
}

/// Content that is not attached to a signature.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'v> {
    Nothing,
    Content(&'v [u8]),
    Digest(ContentDigest),
}

impl<'v> Verification<'v> {
    /// All must be for `service`, and hold together for at least one second of `period`.
    #[must_use]
    pub fn new(service: ServiceOid, period: Period, anchors: &'v TrustAnchors) -> Self {
        Self {
            service: Some(service),
            ..Self::for_any_service(period, anchors)
        }
    }

    /// As [`Verification::new`], but any TXT record of the organisation's key will do, whatever service it is for.
    ///
    /// That says that a domain answers for a member or a certificate at all, as whoever certifies members wants to know. It
    /// does not do for signatures, which are refused with [`VerifyError::NoService`](crate::VerifyError::NoService).
    #[must_use]
    pub fn for_any_service(period: Period, anchors: &'v TrustAnchors) -> Self {
        Self {
            service: None,
            period,
            anchors,
            given: Given::Nothing,
            policy: Policy::new(),
        }
    }

    /// Sets which dialects and key algorithms are accepted, if not both dialects with RSA alone, and how much work a bundle
    /// may take.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Gives the content of a signature that it is not attached to. An attached one is then refused.
    #[must_use]
    pub fn with_detached_content(mut self, content: &'v [u8]) -> Self {
        self.given = Given::Content(content);
        self
    }

    /// Gives the digest of such content, by the hash function that the signature has
    /// ([`SignatureBundle::unverified_content_hash`](crate::SignatureBundle::unverified_content_hash)), for content that is
    /// too large to be held in memory.
    #[must_use]
    pub fn with_detached_digest(mut self, digest: ContentDigest) -> Self {
        self.given = Given::Digest(digest);
        self
    }

    pub(crate) fn period(&self) -> Period {
        self.period
    }
}

/// Whose key made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignedBy {
    /// The member's own.
    Member,
    /// The organisation's. That the content is the member's is the organisation's word alone.
    #[doc(alias = "Organization")]
    Organisation,
}

/// Adds the accessors that all outcomes have.
macro_rules! accessors_of_outcome {
    ($outcome:ty) => {
        impl $outcome {
            /// When all of it holds without interruption: not cut to the period that was asked for, but with at least one
            /// second of that.
            #[must_use]
            pub fn period(&self) -> Period {
                self.period
            }

            /// The protocol that it follows.
            #[must_use]
            pub fn dialect(&self) -> Dialect {
                self.dialect
            }

            /// The TXT record by which the domain publishes the organisation's key. With [`Verification::for_any_service`],
            /// one of those with the longest TTL override.
            #[must_use]
            pub fn record(&self) -> &TxtRecord {
                self.published.record()
            }

            /// When DNSSEC proves that record, by all signatures in the chain that were looked at.
            #[must_use]
            pub fn record_validity(&self) -> &Validity {
                self.published.validity()
            }
        }
    };
}

accessors_of_outcome!(VerifiedSignature<'_>);
accessors_of_outcome!(VerifiedMember);
accessors_of_outcome!(VerifiedOrganisation);

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSignature<'v> {
    pub(super) member_id: MemberId,
    pub(super) signed_by: SignedBy,
    pub(super) is_delegated: bool,
    pub(super) content: Option<Cow<'v, [u8]>>,
    pub(super) service: ServiceOid,
    pub(super) period: Period,
    pub(super) signature_period: Period,
    pub(super) dialect: Dialect,
    pub(super) key: PublicKey,
    pub(super) serial_number: Cow<'v, [u8]>,
    pub(super) published: PublishedKey,
}

impl<'v> VerifiedSignature<'v> {
    /// The member that signed, or to whom the organisation attributes the content: see
    /// [`VerifiedSignature::signed_by`].
    #[must_use]
    pub fn member_id(&self) -> &MemberId {
        &self.member_id
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_member_id(self) -> MemberId {
        self.member_id
    }

    /// The same with a copy of what it borrows of the bundle, to keep or to hand on.
    #[must_use]
    pub fn into_owned(self) -> VerifiedSignature<'static> {
        VerifiedSignature {
            content: self.content.map(|content| Cow::Owned(content.into_owned())),
            serial_number: Cow::Owned(self.serial_number.into_owned()),
            member_id: self.member_id,
            signed_by: self.signed_by,
            is_delegated: self.is_delegated,
            service: self.service,
            period: self.period,
            signature_period: self.signature_period,
            dialect: self.dialect,
            key: self.key,
            published: self.published,
        }
    }

    /// Whose key made the signature.
    #[must_use]
    pub fn signed_by(&self) -> SignedBy {
        self.signed_by
    }

    /// Whether the organisation's signature was made with the key of somebody to whom it delegates (DomainAuth).
    #[must_use]
    pub fn is_delegated(&self) -> bool {
        self.is_delegated
    }

    /// The content that is signed, whether it was attached or given; `None` if its digest was given alone
    /// ([`Verification::with_detached_digest`]).
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_content(self) -> Option<Cow<'v, [u8]>> {
        self.content
    }

    /// The service that the signature is for.
    #[must_use]
    pub fn service(&self) -> ServiceOid {
        self.service
    }

    /// When the signer says that the signature is valid, which may be longer than it can be verified.
    ///
    /// That is the signer's word: see [Time](crate#time) for what a key that has ended can still sign.
    #[must_use]
    pub fn signature_period(&self) -> Period {
        self.signature_period
    }

    /// What kind of key made the signature.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key.algorithm()
    }

    /// The key that made the signature.
    #[must_use]
    pub fn signer_key(&self) -> &PublicKey {
        &self.key
    }

    /// The serial number of that key's certificate: a big-endian two's complement number in the fewest octets, as in DER.
    #[must_use]
    pub fn signer_serial_number(&self) -> &[u8] {
        &self.serial_number
    }
}

/// A membership that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedMember {
    pub(super) member_id: MemberId,
    pub(super) period: Period,
    pub(super) dialect: Dialect,
    pub(super) key_algorithm: KeyAlgorithm,
    pub(super) published: PublishedKey,
}

impl VerifiedMember {
    /// The member and its organisation.
    #[must_use]
    pub fn member_id(&self) -> &MemberId {
        &self.member_id
    }

    /// What kind of key the member has.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}

/// An organisation whose key its domain publishes.
#[doc(alias = "VerifiedOrganization")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedOrganisation {
    pub(super) organisation: Organisation,
    pub(super) period: Period,
    pub(super) dialect: Dialect,
    pub(super) key_algorithm: KeyAlgorithm,
    pub(super) published: PublishedKey,
}

impl VerifiedOrganisation {
    /// The organisation.
    #[doc(alias = "organization")]
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// What kind of key the organisation has.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}
