//! The questions that verifiers ask, and what they learn: signatures, members and organisations that hold.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use dnssec::{Period, TrustAnchors};

use crate::key::KeyAlgorithm;
use crate::name::{Dialect, MemberId, Organisation};
use crate::policy::Policy;

/// What a verifier demands of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Verification<'v> {
    pub(super) service: ObjectIdentifier,
    pub(super) period: Period,
    pub(super) anchors: &'v TrustAnchors,
    pub(super) detached_content: Option<&'v [u8]>,
    pub(super) policy: Policy,
}

impl<'v> Verification<'v> {
    /// The signature must be for `service`, and hold for at least one second of `period`.
    #[must_use]
    pub fn new(service: ObjectIdentifier, period: Period, anchors: &'v TrustAnchors) -> Self {
        Self {
            service,
            period,
            anchors,
            detached_content: None,
            policy: Policy::new(),
        }
    }

    /// Which dialects and key algorithms are taken, if not both dialects with RSA alone.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn period(&self) -> Period {
        self.period
    }

    /// The content, when it is not attached to the signature.
    #[must_use]
    pub fn with_detached_content(mut self, content: &'v [u8]) -> Self {
        self.detached_content = Some(content);
        self
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
    pub(super) content: Cow<'v, [u8]>,
    pub(super) service: ObjectIdentifier,
    pub(super) period: Period,
    pub(super) signature_period: Period,
    pub(super) dialect: Dialect,
    pub(super) key_algorithm: KeyAlgorithm,
}

impl VerifiedSignature<'_> {
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

    /// What is signed, whether it was attached or given.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The service that the signature is for.
    #[must_use]
    pub fn service(&self) -> ObjectIdentifier {
        self.service
    }

    /// When the signer says that the signature is valid, which may be longer than it can be verified.
    #[must_use]
    pub fn signature_period(&self) -> Period {
        self.signature_period
    }

    /// What kind of key made the signature.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}

/// A membership that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedMember {
    pub(super) member_id: MemberId,
    pub(super) period: Period,
    pub(super) dialect: Dialect,
    pub(super) key_algorithm: KeyAlgorithm,
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
