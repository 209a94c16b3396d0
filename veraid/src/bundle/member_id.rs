//! Member id bundles: what a member needs to make signatures that anybody can verify (VeraId §7.1).

use der::asn1::ObjectIdentifier;
use dnssec::{Chain, Period, TrustAnchors};

use super::{Elements, write};
use crate::certificate::{
    MemberCertificate, MemberProfile, OrganisationCertificate, OrganisationProfile,
    UnverifiedCertificate,
};
use crate::error::{CertificateRole, Error, Structure};
use crate::verify::{self, VerifiedMember};

/// A member's certificate, with what proves that it speaks for the domain. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberIdBundle {
    chain: Box<[u8]>,
    organisation_certificate: OrganisationCertificate,
    member_certificate: MemberCertificate,
}

impl MemberIdBundle {
    /// Puts the parts together. `chain_der` is a DNSSEC chain as DER, `SET OF OCTET STRING`.
    ///
    /// The parts must fit each other as far as can be told without public-key operations: [`MemberIdBundle::verify`] says
    /// whether they hold.
    pub fn new(
        chain_der: &[u8],
        organisation_certificate: OrganisationCertificate,
        member_certificate: MemberCertificate,
    ) -> Result<Self, Error> {
        let chain = Chain::from_der(chain_der)?.to_der();
        let organisation = organisation_certificate.parsed()?;
        let member = member_certificate.parsed()?;
        MemberProfile::check(&member, &OrganisationProfile::check(&organisation)?)?;
        Ok(Self {
            chain: chain.into(),
            organisation_certificate,
            member_certificate,
        })
    }

    /// Reads the DER of a bundle.
    ///
    /// # Errors
    /// Those for which [`Error::is_malformed`] holds if the bundle has another structure or version; others if a
    /// certificate or a DNS message within cannot be read, or the certificates do not fit each other.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let elements = Elements::read(Structure::MemberIdBundle, der)?;
        let organisation = UnverifiedCertificate::read(
            CertificateRole::Organisation,
            elements.organisation_certificate,
        )?;
        let member = UnverifiedCertificate::read(CertificateRole::Member, elements.last)?;
        MemberProfile::check(&member, &OrganisationProfile::check(&organisation)?)?;
        Ok(Self {
            chain: elements.chain.to_der().into(),
            organisation_certificate: OrganisationCertificate::from_parsed(&organisation)?,
            member_certificate: MemberCertificate::from_parsed(&member)?,
        })
    }

    /// The bundle as DER.
    pub fn to_der(&self) -> Result<Vec<u8>, Error> {
        write(
            &self.chain()?,
            self.organisation_certificate.as_der(),
            self.member_certificate.as_der(),
        )
        .map_err(|_| Error::Unwritable("member id bundle"))
    }

    /// Checks that the member belongs to the organisation and the organisation's key to the domain, at some second of
    /// `period`.
    ///
    /// With a `service`, the TXT record must be for that service or for any; without one, any record of the key will do.
    pub fn verify(
        &self,
        anchors: &TrustAnchors,
        period: Period,
        service: Option<ObjectIdentifier>,
    ) -> Result<VerifiedMember, Error> {
        verify::verify_member(self, anchors, period, service)
    }

    /// The organisation's certificate.
    #[must_use]
    pub fn organisation_certificate(&self) -> &OrganisationCertificate {
        &self.organisation_certificate
    }

    /// The member's certificate.
    #[must_use]
    pub fn member_certificate(&self) -> &MemberCertificate {
        &self.member_certificate
    }

    /// The DNSSEC chain as DER, `SET OF OCTET STRING`.
    #[must_use]
    pub fn chain_der(&self) -> &[u8] {
        &self.chain
    }

    pub(crate) fn chain(&self) -> Result<Chain<'_>, Error> {
        Ok(Chain::from_der(&self.chain)?)
    }
}
