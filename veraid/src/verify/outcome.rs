//! The questions of verifiers, and the results: verified signatures, members and organisations.

use std::borrow::Cow;

use dnssec::{Period, TrustAnchors, Validity};

use super::PublishedKey;
use crate::content::ContentDigest;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::name::{Dialect, MemberId, Organisation};
use crate::policy::Policy;
use crate::record::TxtRecord;
use crate::service::ServiceOid;

/// The question of a verifier: a service, a period, trust anchors and a policy.
///
/// They are the same for everything that can be verified: signatures, members and organisations.
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
    /// Demands that everything is for `service`, and holds together for at least one second of
    /// `period`.
    #[must_use]
    pub fn new(service: ServiceOid, period: Period, anchors: &'v TrustAnchors) -> Self {
        Self {
            service: Some(service),
            ..Self::for_any_service(period, anchors)
        }
    }

    /// Demands the same as [`Verification::new`], but accepts a TXT record of the organisation's
    /// key for any service.
    ///
    /// This shows that a domain vouches for a member or a certificate at all, which is enough
    /// before certificates are issued to members. Signatures need a service and are refused with
    /// [`VerifyError::NoService`](crate::VerifyError::NoService).
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

    /// Sets the accepted dialects and key algorithms and the most work for a bundle. The default
    /// accepts both dialects with RSA alone.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Gives the content of a signature without attached content. A signature with attached content
    /// is then refused.
    #[must_use]
    pub fn with_detached_content(mut self, content: &'v [u8]) -> Self {
        self.given = Given::Content(content);
        self
    }

    /// Gives the digest of detached content that is too large to be held in memory.
    ///
    /// The hash function must be that of the signature
    /// ([`SignatureBundle::unverified_content_hash`](crate::SignatureBundle::unverified_content_hash)).
    #[must_use]
    pub fn with_detached_digest(mut self, digest: ContentDigest) -> Self {
        self.given = Given::Digest(digest);
        self
    }

    pub(crate) fn period(&self) -> Period {
        self.period
    }

    pub(crate) fn anchors(&self) -> &'v TrustAnchors {
        self.anchors
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }
}

/// The owner of the key that made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignedBy {
    /// The member.
    Member,
    /// The organisation. Only the organisation's word links the content to the member.
    #[doc(alias = "Organization")]
    Organisation,
}

/// Adds the accessors that all results have.
macro_rules! accessors_of_outcome {
    ($outcome:ty) => {
        impl $outcome {
            /// The period for which everything holds without interruption. It is not limited to the
            /// period that was asked for, but includes at least one second of that.
            #[must_use]
            pub fn period(&self) -> Period {
                self.period
            }

            /// The dialect.
            #[must_use]
            pub fn dialect(&self) -> Dialect {
                self.dialect
            }

            /// The TXT record by which the domain publishes the organisation's key. With
            /// [`Verification::for_any_service`], it is a record with the longest TTL override.
            #[must_use]
            pub fn record(&self) -> &TxtRecord {
                self.published.record()
            }

            /// The validity of that record's DNSSEC proof, by all signatures in the chain that were
            /// considered.
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

/// A verified signature.
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

    /// Converts the signature into the member that signed, or to whom the content is attributed.
    #[must_use]
    pub fn into_member_id(self) -> MemberId {
        self.member_id
    }

    /// Copies the octets that are borrowed from the bundle, so that the result can outlive it.
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

    /// The owner of the key that made the signature.
    #[must_use]
    pub fn signed_by(&self) -> SignedBy {
        self.signed_by
    }

    /// Returns true if the organisation's signature was made with the key of a delegate
    /// (DomainAuth).
    #[must_use]
    pub fn is_delegated(&self) -> bool {
        self.is_delegated
    }

    /// The signed content, whether attached or given; `None` if only its digest was given
    /// ([`Verification::with_detached_digest`]).
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// Converts the signature into its content; `None` as in [`VerifiedSignature::content`].
    #[must_use]
    pub fn into_content(self) -> Option<Cow<'v, [u8]>> {
        self.content
    }

    /// The service that the signature is for.
    #[must_use]
    pub fn service(&self) -> ServiceOid {
        self.service
    }

    /// The period for which the signer says that the signature is valid. It may be longer than the
    /// period for which it can be verified.
    ///
    /// Only the signer vouches for it: see [Time](crate#time) for what an expired key can still
    /// sign.
    #[must_use]
    pub fn signature_period(&self) -> Period {
        self.signature_period
    }

    /// The algorithm of the key that made the signature.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key.algorithm()
    }

    /// The key that made the signature.
    #[must_use]
    pub fn signer_key(&self) -> &PublicKey {
        &self.key
    }

    /// The serial number of that key's certificate: a big-endian two's complement number in the
    /// fewest octets, as in DER.
    #[must_use]
    pub fn signer_serial_number(&self) -> &[u8] {
        &self.serial_number
    }
}

/// A verified membership.
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

    /// The algorithm of the member's key.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}

/// A verified organisation, whose key its domain publishes.
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

    /// The algorithm of the organisation's key.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}
