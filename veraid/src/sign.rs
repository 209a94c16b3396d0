//! Signature bundle production (VeraId §7.2; DomainAuth draft, "Signature Bundle Production").

use std::fmt;

use dnssec::{Chain, Period};

use crate::bundle::MemberIdBundle;
use crate::certificate::{
    DelegateProfile, IntermediateCertificate, OrganisationCertificate, OrganisationProfile, Paths,
    UnverifiedCertificate,
};
use crate::cms::SigningRequest;
use crate::content::Content;
use crate::error::{CertificateRole, IssueError, VerifyError};
use crate::key::{PublicKey, SigningKey};
use crate::name::Member;
use crate::policy::Rules;
use crate::service::ServiceOid;
use crate::unsigned::UnsignedSignature;
use crate::verify::find_dialect;

/// The signatory of a new signature, with the certificates and the chain that prove it. It contains
/// no key: see [`Signer`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SignerIdentity<'s> {
    /// A member, with its own key.
    Member(&'s MemberIdBundle),
    /// The organisation, which attributes the content to one of its members. Only the
    /// organisation's word links the content to the member.
    #[doc(alias = "Organization")]
    Organisation {
        /// The DNSSEC chain as DER, `SET OF OCTET STRING`.
        chain_der: &'s [u8],
        /// The organisation's certificate.
        certificate: &'s OrganisationCertificate,
        /// The member to whom the content is attributed.
        attribution: &'s Member,
    },
    /// A delegate of the organisation, which signs in the organisation's name; only in DomainAuth.
    Delegate {
        /// The DNSSEC chain as DER, `SET OF OCTET STRING`.
        chain_der: &'s [u8],
        /// The organisation's certificate.
        certificate: &'s OrganisationCertificate,
        /// The certificates from the one that the organisation issued down to that of the signing
        /// key, which is the last.
        intermediates: &'s [IntermediateCertificate],
        /// The member to whom the content is attributed.
        attribution: &'s Member,
    },
}

/// The contents of a new signature: the content, the service and the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureRequest<'r> {
    /// The content, either attached or detached.
    pub content: Content<'r>,
    /// The service that the signature is for. A verifier for another service refuses it.
    pub service: ServiceOid,
    /// The period for which the signature will be valid.
    pub period: Period,
}

impl<'r> SignatureRequest<'r> {
    /// Requests a signature for `service` that is valid for all of `period`, as far as the
    /// certificates and the chain are.
    #[must_use]
    pub fn new(content: Content<'r>, service: ServiceOid, period: Period) -> Self {
        Self {
            content,
            service,
            period,
        }
    }
}

/// The signatory of a new signature, with its key.
#[derive(Clone, Copy)]
pub struct Signer<'s> {
    identity: SignerIdentity<'s>,
    key: &'s dyn SigningKey,
}

impl<'s> Signer<'s> {
    /// Combines an identity with the key that belongs to it.
    #[must_use]
    pub fn new(identity: SignerIdentity<'s>, key: &'s dyn SigningKey) -> Self {
        Self { identity, key }
    }

    /// Combines a member with its key.
    #[must_use]
    pub fn member(bundle: &'s MemberIdBundle, key: &'s dyn SigningKey) -> Self {
        Self::new(SignerIdentity::Member(bundle), key)
    }

    /// The identity of the signatory.
    #[must_use]
    pub fn identity(&self) -> SignerIdentity<'s> {
        self.identity
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &'s dyn SigningKey {
        self.key
    }

    /// Signs, and returns the DER of a signature bundle.
    ///
    /// The DNSSEC chain is included without verification. [`MemberIdBundle::verify`] and
    /// [`OrganisationCertificate::verify`] check that it proves the organisation's key.
    ///
    /// # Errors
    /// As [`SignerIdentity::prepare`] and [`UnsignedSignature::sign`].
    ///
    /// ```
    /// # fn example(bundle: &veraid::MemberIdBundle, key: &veraid::PrivateKey) -> Result<(), veraid::IssueError> {
    /// use veraid::{Content, Period, SignatureRequest, Signer, TEST_SERVICE, Timestamp};
    ///
    /// let now: Timestamp = std::time::SystemTime::now().into();
    /// let Some(minute) = Period::new(now, now.saturating_add(60)) else { return Ok(()) };
    /// let request = SignatureRequest::new(Content::Attached(b"hello"), TEST_SERVICE, minute);
    /// let signature = Signer::member(bundle, key).sign(&request)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sign(&self, request: &SignatureRequest<'_>) -> Result<Vec<u8>, IssueError> {
        self.identity.prepare(request)?.sign(self.key)
    }
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// The certificate of the signing key.
pub(crate) struct SignerCertificate<'s> {
    pub(crate) parsed: UnverifiedCertificate<'s>,
    pub(crate) key: &'s PublicKey,
}

impl<'s> SignerIdentity<'s> {
    /// Prepares everything in a signature bundle except the signature, for keys that sign elsewhere
    /// or later.
    ///
    /// # Errors
    /// [`IssueError::NotAService`]; [`IssueError::NeverVerifiable`] if a certificate is valid at no
    /// second of the period; [`IssueError::UnwritablePeriod`]; [`IssueError::ContentHash`];
    /// [`IssueError::RestrictedKey`]; [`IssueError::Invalid`] if the chain, a certificate, the
    /// attribution or the period violates the dialect, such as with [`VerifyError::KeyUsage`] or
    /// [`VerifyError::SignatureTooLong`].
    ///
    /// ```
    /// # async fn ask_the_hsm(_: &[u8], _: veraid::SignatureScheme) -> Vec<u8> { vec![] }
    /// # async fn example(alice: veraid::SignerIdentity<'_>, request: veraid::SignatureRequest<'_>) -> Result<(), veraid::IssueError> {
    /// let unsigned = alice.prepare(&request)?;
    /// let signature = ask_the_hsm(unsigned.to_be_signed(), unsigned.scheme()).await;
    /// let bundle = unsigned.finish(&signature)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn prepare(&self, request: &SignatureRequest<'_>) -> Result<UnsignedSignature, IssueError> {
        let (service, period) = (request.service, request.period);
        if service.is_part_of_the_protocol() {
            return Err(IssueError::NotAService(service));
        }
        let organisation = self.organisation_certificate();
        let chain = Chain::from_der(self.chain_der()).map_err(VerifyError::from)?;
        let (dialect, _) = find_dialect(&chain, organisation.organisation())?;
        let rules = Rules::widest(dialect);
        rules.check_signature_period(period)?;
        if let Some(attribution) = self.attribution() {
            Member::parse_for(attribution.as_str(), dialect)
                .map_err(VerifyError::InvalidAttribution)?;
        }
        let certificate = self.certificate(period, rules)?;
        let signed_data = SigningRequest {
            content: request.content,
            service: &service,
            period,
            attribution: self.attribution(),
            certificate: &certificate.parsed,
            key: certificate.key.algorithm(),
            attached_certificates: self.attached_certificates(),
        }
        .prepare()?;
        UnsignedSignature::new(signed_data, &certificate, chain.to_der(), organisation)
    }

    /// Checks the certificate of the signing key and those above it, and returns the former.
    fn certificate(
        &self,
        period: Period,
        rules: Rules,
    ) -> Result<SignerCertificate<'s>, IssueError> {
        let organisation = self.organisation_certificate();
        check_period(period, CertificateRole::Organisation, organisation.period())?;
        let parsed = organisation.parsed()?;
        let profile = OrganisationProfile::check(&parsed, rules)?;
        match *self {
            Self::Member(bundle) => {
                let member = bundle.member_certificate();
                check_period(period, CertificateRole::Member, member.period())?;
                let parsed = member.parsed()?;
                let intermediates = bundle.intermediate_certificates();
                check_paths(&parsed, &profile, intermediates, period, rules)?;
                let key = member.public_key();
                Ok(SignerCertificate { parsed, key })
            }
            Self::Organisation { certificate, .. } => {
                profile.check_may_sign_content()?;
                let (key, parsed) = (certificate.public_key(), parsed.clone());
                Ok(SignerCertificate { parsed, key })
            }
            Self::Delegate { intermediates, .. } => {
                let (delegate, above) = intermediates
                    .split_last()
                    .ok_or(VerifyError::NoSignerCertificate)?;
                check_period(period, CertificateRole::Intermediate, delegate.period())?;
                let parsed = delegate.parsed()?;
                DelegateProfile::check(&parsed, rules)?;
                check_paths(&parsed, &profile, above, period, rules)?;
                let key = delegate.public_key();
                Ok(SignerCertificate { parsed, key })
            }
        }
    }

    fn chain_der(&self) -> &'s [u8] {
        match self {
            Self::Member(bundle) => bundle.chain_der(),
            Self::Organisation { chain_der, .. } | Self::Delegate { chain_der, .. } => chain_der,
        }
    }

    fn organisation_certificate(&self) -> &'s OrganisationCertificate {
        match self {
            Self::Member(bundle) => bundle.organisation_certificate(),
            Self::Organisation { certificate, .. } | Self::Delegate { certificate, .. } => {
                certificate
            }
        }
    }

    fn attribution(&self) -> Option<&'s Member> {
        match self {
            Self::Member(_) => None,
            Self::Organisation { attribution, .. } | Self::Delegate { attribution, .. } => {
                Some(attribution)
            }
        }
    }

    /// The certificates, besides the organisation's, that the verifier needs.
    fn attached_certificates(&self) -> Vec<&'s [u8]> {
        let (member, intermediates) = match *self {
            Self::Member(bundle) => (
                Some(bundle.member_certificate().as_der()),
                bundle.intermediate_certificates(),
            ),
            Self::Organisation { .. } => (None, &[][..]),
            Self::Delegate { intermediates, .. } => (None, intermediates),
        };
        let intermediates = intermediates.iter().map(IntermediateCertificate::as_der);
        member.into_iter().chain(intermediates).collect()
    }
}

/// Checks that some path is valid together with the organisation's certificate and the signature:
/// see [`check_period`].
fn check_paths(
    certificate: &UnverifiedCertificate<'_>,
    organisation: &OrganisationProfile<'_, '_>,
    intermediates: &[IntermediateCertificate],
    wanted: Period,
    rules: Rules,
) -> Result<(), IssueError> {
    let intermediates = intermediates
        .iter()
        .map(IntermediateCertificate::parsed)
        .collect::<Result<Vec<_>, _>>()?;
    let available = organisation
        .certificate()
        .period()
        .intersect(certificate.period())
        .and_then(|both| both.intersect(wanted))
        .ok_or(IssueError::NeverVerifiable {
            wanted,
            certificate: certificate.role(),
            available: certificate.period(),
        })?;
    Paths::find(
        certificate,
        organisation,
        &intermediates,
        rules,
        available,
        wanted,
    )?;
    Ok(())
}

/// Checks that the signature can be verified at some second: anything else is a mistake.
fn check_period(
    wanted: Period,
    certificate: CertificateRole,
    available: Period,
) -> Result<(), IssueError> {
    if wanted.overlaps(available) {
        return Ok(());
    }
    Err(IssueError::NeverVerifiable {
        wanted,
        certificate,
        available,
    })
}
