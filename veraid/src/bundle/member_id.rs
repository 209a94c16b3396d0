//! Member id bundles, with which a member makes signatures that anybody can verify (VeraId §7.1;
//! DomainAuth draft, "Member Id Bundle").

use der::asn1::{Any, SetOfVec};
use der::{Decode as _, Encode as _};
use dnssec::Chain;

use super::{Elements, read_chain, replacement_chain, write};
use crate::asn1::{Value, tag};
use crate::certificate::{
    IntermediateCertificate, MAX_INTERMEDIATES, MemberCertificate, OrganisationCertificate,
    UnverifiedCertificate, named_organisation,
};
use crate::error::{CertificateRole, IssueError, Structure, VerifyError, Within as _};
use crate::name::Dialect;
use crate::policy::Rules;
use crate::verify::{self, Verification, VerifiedMember, find_dialect};

/// A member's certificate, with the proof that it speaks for the domain. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberIdBundle {
    chain: Box<[u8]>,
    dialect: Dialect,
    organisation_certificate: OrganisationCertificate,
    member_certificate: MemberCertificate,
    intermediates: Vec<IntermediateCertificate>,
}

impl MemberIdBundle {
    /// Creates a bundle from its parts.
    ///
    /// `chain_der` is a DNSSEC chain as DER, `SET OF OCTET STRING`. `intermediates` are the
    /// certificates between the organisation and the member, in any order; VeraId has none.
    /// Duplicates are dropped, and so are copies of the other two certificates.
    ///
    /// The parts must fit each other, as far as that can be checked without public-key operations.
    /// [`MemberIdBundle::verify`] checks the rest.
    pub fn new(
        chain_der: &[u8],
        organisation_certificate: OrganisationCertificate,
        member_certificate: MemberCertificate,
        intermediates: Vec<IntermediateCertificate>,
    ) -> Result<Self, VerifyError> {
        let chain = Chain::from_der(chain_der)?;
        let (dialect, _) = find_dialect(&chain, organisation_certificate.organisation())?;
        if dialect == Dialect::VeraId && !intermediates.is_empty() {
            return Err(VerifyError::IntermediatesOutsideDialect);
        }
        if intermediates.len() > MAX_INTERMEDIATES {
            return Err(VerifyError::TooManyCertificates {
                limit: MAX_INTERMEDIATES,
            });
        }
        let mut distinct: Vec<IntermediateCertificate> = Vec::new();
        for certificate in intermediates {
            let has_its_place = [
                organisation_certificate.as_der(),
                member_certificate.as_der(),
            ];
            if !has_its_place.contains(&certificate.as_der()) && !distinct.contains(&certificate) {
                distinct.push(certificate);
            }
        }
        let bundle = Self {
            chain: chain.to_der().into(),
            dialect,
            organisation_certificate,
            member_certificate,
            intermediates: distinct,
        };
        verify::check_membership(&bundle, Rules::widest(dialect))?;
        Ok(bundle)
    }

    /// Parses the DER of a bundle.
    ///
    /// # Errors
    /// An error for which [`VerifyError::is_malformed`] returns true, if the bundle has another
    /// structure or version; other errors if a certificate or a DNS message in it cannot be parsed,
    /// or the certificates do not fit each other.
    pub fn from_der(der: &[u8]) -> Result<Self, VerifyError> {
        let elements = Elements::read(Structure::MemberIdBundle, der)?;
        let chain = read_chain(elements.chain)?;
        let organisation = UnverifiedCertificate::read(
            CertificateRole::Organisation,
            elements.organisation_certificate,
        )?;
        let member = UnverifiedCertificate::read(CertificateRole::Member, elements.main)?;
        let intermediates = match elements.intermediates {
            Some(set) => {
                let name = named_organisation(&organisation)?;
                if find_dialect(&chain, &name)?.0 == Dialect::VeraId {
                    return Err(VerifyError::IntermediatesOutsideDialect);
                }
                read_intermediates(set)?
            }
            None => Vec::new(),
        };
        Self::new(
            &chain.to_der(),
            OrganisationCertificate::from_parsed(&organisation)?,
            MemberCertificate::from_parsed(&member)?,
            intermediates,
        )
    }

    /// Encodes the bundle as DER.
    ///
    /// # Errors
    /// [`IssueError::Unwritable`] if it is too large for DER.
    pub fn to_der(&self) -> Result<Vec<u8>, IssueError> {
        let unwritable = |_| IssueError::Unwritable("member id bundle");
        let intermediates = self.intermediates_der().map_err(unwritable)?;
        write(
            &self.chain,
            self.organisation_certificate.as_der(),
            self.member_certificate.as_der(),
            intermediates.as_deref(),
        )
        .map_err(unwritable)
    }

    fn intermediates_der(&self) -> der::Result<Option<Vec<u8>>> {
        if self.intermediates.is_empty() {
            return Ok(None);
        }
        let certificates: Vec<Any> = self
            .intermediates
            .iter()
            .map(|certificate| Any::from_der(certificate.as_der()))
            .collect::<Result<_, _>>()?;
        SetOfVec::try_from(certificates)?.to_der().map(Some)
    }

    /// Verifies that the member belongs to the organisation, and the organisation's key to the
    /// domain, at some second of the verifier's period.
    ///
    /// The TXT record must be for the service of the verification, or for any service. Without a
    /// service ([`Verification::for_any_service`]), any record of the key is accepted.
    ///
    /// # Errors
    /// The errors of [`VerifyError`] that are not about a signature over content.
    pub fn verify(&self, verification: &Verification<'_>) -> Result<VerifiedMember, VerifyError> {
        verify::verify_member(self, verification)
    }

    /// Returns the bundle with another DNSSEC chain, after verifying it as
    /// [`MemberIdBundle::verify`] does.
    ///
    /// A chain is public and holds for some days. So whoever holds a bundle can renew it without
    /// anyone's key, for as long as its certificates are valid.
    ///
    /// `chain_der` is a chain as DER, `SET OF OCTET STRING`. Only those of its records are taken
    /// that prove the organisation's TXT records for as long as possible from the start of the
    /// verifier's period. The new bundle may end sooner than the present one: compare
    /// [`VerifiedMember::period`].
    ///
    /// # Errors
    /// The errors of [`MemberIdBundle::verify`]; [`VerifyError::NoRecordResponse`] if the chain is
    /// of the other dialect.
    pub fn with_chain(
        &self,
        chain_der: &[u8],
        verification: &Verification<'_>,
    ) -> Result<Self, VerifyError> {
        let organisation = self.organisation_certificate.organisation();
        let chain = replacement_chain(chain_der, organisation, self.dialect, verification)?;
        let renewed = Self {
            chain: chain.into(),
            ..self.clone()
        };
        renewed.verify(verification)?;
        Ok(renewed)
    }

    /// The dialect of the bundle, which the owner of the records in its chain determines.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The organisation's certificate.
    #[doc(alias = "organization_certificate")]
    #[must_use]
    pub fn organisation_certificate(&self) -> &OrganisationCertificate {
        &self.organisation_certificate
    }

    /// The member's certificate.
    #[must_use]
    pub fn member_certificate(&self) -> &MemberCertificate {
        &self.member_certificate
    }

    /// The certificates between the organisation's and the member's, in any order.
    #[must_use]
    pub fn intermediate_certificates(&self) -> &[IntermediateCertificate] {
        &self.intermediates
    }

    /// The DNSSEC chain as DER, `SET OF OCTET STRING`.
    #[must_use]
    pub fn chain_der(&self) -> &[u8] {
        &self.chain
    }

    pub(crate) fn chain(&self) -> Result<Chain<'_>, VerifyError> {
        Ok(Chain::from_der(&self.chain)?)
    }
}

fn read_intermediates(set: Value<'_>) -> Result<Vec<IntermediateCertificate>, VerifyError> {
    let mut reader = set.reader();
    let mut intermediates = Vec::new();
    while !reader.is_empty() {
        if intermediates.len() == MAX_INTERMEDIATES {
            return Err(VerifyError::TooManyCertificates {
                limit: MAX_INTERMEDIATES,
            });
        }
        let certificate = reader
            .read(tag::SEQUENCE, "an intermediate certificate")
            .within_bundle(Structure::MemberIdBundle)?;
        let role = CertificateRole::Intermediate;
        let certificate = UnverifiedCertificate::read(role, certificate)?;
        intermediates.push(IntermediateCertificate::from_parsed(&certificate)?);
    }
    Ok(intermediates)
}
