//! What earlier verifications have proven, and a verifier remembers: organisations whose key their
//! domain publishes, and signers for whom they vouch.
//!
//! Both are looked up by the exact octets that were verified. The stored facts stay true; each
//! look-up checks whether their periods fit the verifier's period.

use dnssec::Period;

use super::{Capacity, Learnt, PublishedKey};
use crate::certificate::IssuerAndSerialNumber;
use crate::cms::SignerOctets;
use crate::crypto::Digest;
use crate::key::ReadyKey;
use crate::name::{Member, Organisation};
use crate::policy::Rules;

/// An organisation whose certificate and chain were verified.
pub(crate) struct KnownOrganisation {
    pub(crate) rules: Rules,
    pub(crate) organisation: Organisation,
    pub(crate) key: ReadyKey,
    pub(crate) published: PublishedKey,
    pub(crate) certificate_period: Period,
    pub(crate) may_sign_content: bool,
    pub(crate) identifier: OwnedIdentifier,
    /// The SHA-256 digest of the certificate, which represents it when signers are looked up.
    pub(crate) certificate_digest: Digest,
}

/// A member or a delegate whose certificates were verified up to the organisation's.
pub(crate) struct KnownSigner {
    /// The member; `None` for a delegate, which signs in the organisation's name for any member.
    pub(crate) member: Option<Member>,
    pub(crate) key: ReadyKey,
    /// The period in which the certificates are valid together, the organisation's included.
    pub(crate) period: Period,
}

impl KnownOrganisation {
    pub(crate) fn of(
        learnt: &Learnt<'_, '_>,
        published: PublishedKey,
        certificate_digest: Digest,
    ) -> Option<Self> {
        let organisation = &learnt.organisation;
        let certificate = organisation.certificate();
        // If no signature of the organisation over content was seen, it most likely uses the
        // algorithm of its certificate.
        let signs_with = match learnt.capacity {
            Capacity::Organisation => learnt.signature_algorithm,
            Capacity::Member | Capacity::Delegate => certificate.signature_algorithm(),
        };
        Some(Self {
            rules: learnt.rules,
            organisation: organisation.organisation.clone(),
            key: ReadyKey::new(organisation.key.into(), signs_with),
            published,
            certificate_period: certificate.period(),
            may_sign_content: organisation.check_may_sign_content().is_ok(),
            identifier: certificate.issuer_and_serial_number().ok()?.into(),
            certificate_digest,
        })
    }

    /// Returns true if the key is proven for all of a verifier's period. If it is only proven for a
    /// part of it, the chain must be verified again: it may now prove more than at the last
    /// verification.
    pub(crate) fn holds(&self, required: Period) -> bool {
        self.published.holds_throughout(required)
    }

    /// Returns true if the organisation's own key made the signature.
    pub(crate) fn signs(&self, octets: SignerOctets<'_>) -> bool {
        octets.is_attributed && self.identifier.borrow() == octets.identifier
    }
}

impl KnownSigner {
    pub(crate) fn holds(&self, required: Period) -> bool {
        self.period.overlaps(required)
    }
}

/// An [`IssuerAndSerialNumber`] that owns its octets.
#[derive(PartialEq, Eq)]
pub(crate) struct OwnedIdentifier {
    issuer: Box<[u8]>,
    serial_number: Box<[u8]>,
}

impl OwnedIdentifier {
    pub(crate) fn borrow(&self) -> IssuerAndSerialNumber<'_> {
        IssuerAndSerialNumber {
            issuer: &self.issuer,
            serial_number: &self.serial_number,
        }
    }

    pub(crate) fn octets(&self) -> usize {
        self.issuer.len().saturating_add(self.serial_number.len())
    }
}

impl From<IssuerAndSerialNumber<'_>> for OwnedIdentifier {
    fn from(identifier: IssuerAndSerialNumber<'_>) -> Self {
        Self {
            issuer: identifier.issuer.into(),
            serial_number: identifier.serial_number.into(),
        }
    }
}
