//! The signatory, found in memory or by its certificates: the key that must have signed the
//! content, and the name in which it signs.

use dnssec::Period;

use super::certification::Certification;
use super::known::{KnownOrganisation, KnownSigner};
use super::outcome::SignedBy;
use crate::bundle::SignatureParts;
use crate::certificate::{DelegateProfile, MemberProfile, UnverifiedCertificate};
use crate::cms::SignedData;
use crate::error::VerifyError;
use crate::key::{ReadyKey, VerifyingKey};
use crate::name::{Dialect, Member};

/// The capacity in which somebody signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capacity {
    /// The member itself.
    Member,
    /// The organisation, with its own key.
    Organisation,
    /// A delegate, in the organisation's name (DomainAuth).
    Delegate,
}

impl Capacity {
    pub(super) fn signed_by(self) -> SignedBy {
        match self {
            Self::Member => SignedBy::Member,
            Self::Organisation | Self::Delegate => SignedBy::Organisation,
        }
    }
}

/// The key that must have signed the content, and its capacity.
pub(super) struct Signatory<'s> {
    pub(super) capacity: Capacity,
    /// The member that signs, or to whom the organisation attributes the content.
    pub(super) member: Member,
    pub(super) key: VerifyingKey<'s>,
}

impl<'s> Signatory<'s> {
    /// Determines the kind of signature by the attribution, and checks what each kind requires
    /// (VeraId §7.4 steps 4 and 5; DomainAuth draft, "Signature Types").
    ///
    /// Also returns the signatory's certificate, unless it is the organisation's own.
    pub(super) fn certified<'a: 's>(
        parts: &'s SignatureParts<'a>,
        certification: &Certification<'s, 'a>,
    ) -> Result<(Self, Option<&'s UnverifiedCertificate<'a>>), VerifyError> {
        let signer = &parts.signed_data.signer;
        let (organisation, rules) = (&certification.organisation, certification.rules);
        let certificate = parts.signer_certificate.as_ref();
        let Some(attribution) = signer.attribution else {
            let certificate = certificate.ok_or(VerifyError::NoSignerCertificate)?;
            let profile = MemberProfile::check(certificate, organisation, rules)?;
            let signatory = Self {
                capacity: Capacity::Member,
                member: profile.member,
                key: VerifyingKey::Read(profile.key),
            };
            return Ok((signatory, Some(certificate)));
        };
        let member = || read_attribution(attribution, rules.dialect);
        if signer.is_by(organisation.certificate())? {
            organisation.check_may_sign_content()?;
            let signatory = Self {
                capacity: Capacity::Organisation,
                member: member()?,
                key: VerifyingKey::Read(organisation.key),
            };
            return Ok((signatory, None));
        }
        let certificate = certificate.ok_or(VerifyError::AttributionByMember)?;
        let profile = DelegateProfile::check(certificate, rules)?;
        let signatory = Self {
            capacity: Capacity::Delegate,
            member: member()?,
            key: VerifyingKey::Read(profile.key),
        };
        Ok((signatory, Some(certificate)))
    }
}

/// A remembered signatory with its organisation. Only the signature over the content is left to
/// verify.
pub(crate) struct Remembered<'m> {
    pub(super) organisation: &'m KnownOrganisation,
    capacity: Capacity,
    name: Name<'m>,
    key: &'m ReadyKey,
    /// The period in which the organisation's key is proven, and the certificates and the signature
    /// are valid.
    pub(super) period: Period,
}

/// The source of the member's name.
#[derive(Clone, Copy)]
enum Name<'m> {
    Certificate(&'m Member),
    Attribution(&'m str),
}

impl<'m> Remembered<'m> {
    /// Finds the signatory in memory.
    ///
    /// `signer` is the memory of the key that signed, unless that is the organisation's own key.
    ///
    /// Returns `None` if nothing in memory fits the signature, or if memory and the signature hold
    /// together at no second of `required`: then the chain or other certificates may prove more.
    pub(crate) fn find<'a: 'm>(
        signed_data: &SignedData<'a>,
        organisation: &'m KnownOrganisation,
        signer: Option<&'m KnownSigner>,
        required: Period,
    ) -> Option<Self> {
        let attribution = signed_data.signer.attribution;
        let (capacity, name, key, certificates) = match signer {
            Some(signer) => {
                let (capacity, name) = match (&signer.member, attribution) {
                    (Some(member), None) => (Capacity::Member, Name::Certificate(member)),
                    (None, Some(name)) => (Capacity::Delegate, Name::Attribution(name)),
                    _ => return None,
                };
                (capacity, name, &signer.key, signer.period)
            }
            None if organisation.may_sign_content
                && organisation.signs(signed_data.signer_octets()) =>
            {
                (
                    Capacity::Organisation,
                    Name::Attribution(attribution?),
                    &organisation.key,
                    organisation.certificate_period,
                )
            }
            None => return None,
        };
        let available = certificates.intersect(signed_data.signer.metadata.period)?;
        let published = organisation.published.within(required, organisation.rules);
        Some(Self {
            organisation,
            capacity,
            name,
            key,
            period: published.ok()?.period_with(available).ok()?,
        })
    }

    /// Returns the signatory that [`Signatory::certified`] found when the certificates were
    /// verified.
    pub(super) fn signatory(&self) -> Result<Signatory<'m>, VerifyError> {
        let dialect = self.organisation.rules.dialect;
        Ok(Signatory {
            capacity: self.capacity,
            member: match self.name {
                Name::Certificate(member) => member.clone(),
                Name::Attribution(name) => read_attribution(name, dialect)?,
            },
            key: VerifyingKey::Ready(self.key),
        })
    }
}

/// Parses the member to whom the organisation attributes content.
fn read_attribution(attribution: &str, dialect: Dialect) -> Result<Member, VerifyError> {
    Member::parse_for(attribution, dialect).map_err(VerifyError::InvalidAttribution)
}
