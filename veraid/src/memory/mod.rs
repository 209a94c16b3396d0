//! What a verifier remembers: organisations whose key their domain publishes, and signers for whom they answer.
//!
//! Both are found again by the exact octets that were verified. What was true of them stays true; whether it holds now is
//! asked each time, of the periods that come with it.

#[cfg(feature = "cache")]
mod store;

use dnssec::Period;

use crate::certificate::IssuerAndSerialNumber;
use crate::cms::SignerOctets;
use crate::crypto::Digest;
use crate::key::ReadyKey;
use crate::name::{Member, Organisation};
use crate::policy::Rules;
use crate::verify::{Capacity, Learnt, PublishedKey};

#[cfg(feature = "cache")]
pub(crate) use store::{Memory, OrganisationOctets};

/// An organisation whose certificate and chain were verified.
pub(crate) struct KnownOrganisation {
    pub(crate) rules: Rules,
    pub(crate) organisation: Organisation,
    pub(crate) key: ReadyKey,
    pub(crate) published: PublishedKey,
    pub(crate) certificate_period: Period,
    pub(crate) may_sign_content: bool,
    pub(crate) identifier: OwnedIdentifier,
    /// SHA-256 of the certificate: it stands for the certificate where a signer's are looked up.
    pub(crate) certificate_digest: Digest,
}

/// A member, or one to whom an organisation delegates its signatures, whose certificates were verified up to the
/// organisation's.
pub(crate) struct KnownSigner {
    /// Nobody if it signs in the organisation's name for whomever it says.
    pub(crate) member: Option<Member>,
    pub(crate) key: ReadyKey,
    /// When the certificates are valid together, the organisation's among them.
    pub(crate) period: Period,
}

impl KnownOrganisation {
    fn of(
        learnt: &Learnt<'_, '_>,
        published: PublishedKey,
        certificate_digest: Digest,
    ) -> Option<Self> {
        let organisation = &learnt.organisation;
        let certificate = organisation.certificate();
        // If it is not its signature that was seen, it most likely signs content as it signs its certificate.
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

    /// Whether the key is proven for all of a verifier's period. If it is so for a part of it alone, the chain has to be
    /// verified anew: it may prove more than it did when it was verified last.
    pub(crate) fn holds(&self, required: Period) -> bool {
        self.published.holds_throughout(required)
    }

    /// Whether it is the organisation's own key that made such a signature.
    pub(crate) fn signs(&self, octets: SignerOctets<'_>) -> bool {
        octets.is_attributed && self.identifier.borrow() == octets.identifier
    }
}

impl KnownSigner {
    pub(crate) fn holds(&self, required: Period) -> bool {
        self.period.overlaps(required)
    }
}

/// [`IssuerAndSerialNumber`] to be kept.
#[derive(PartialEq, Eq)]
pub(crate) struct OwnedIdentifier {
    issuer: Box<[u8]>,
    serial_number: Box<[u8]>,
}

impl OwnedIdentifier {
    fn borrow(&self) -> IssuerAndSerialNumber<'_> {
        IssuerAndSerialNumber {
            issuer: &self.issuer,
            serial_number: &self.serial_number,
        }
    }

    fn octets(&self) -> usize {
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
