//! Making signature bundles (VeraId §7.2; DomainAuth draft, "Signature Bundle Production").

use der::asn1::ObjectIdentifier;
use dnssec::{Chain, Period};

use crate::bundle::{MemberIdBundle, write_signature_bundle};
use crate::certificate::{
    DelegateProfile, IntermediateCertificate, OrganisationCertificate, OrganisationProfile, Paths,
    UnverifiedCertificate, check_key,
};
use crate::cms::SigningRequest;
use crate::error::{CertificateRole, Error};
use crate::key::SigningKey;
use crate::name::Member;
use crate::oid;
use crate::policy::Rules;
use crate::verify::find_dialect;

/// Who signs, and what proves it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Signer<'k> {
    /// A member, with a key of its own.
    Member {
        /// What the organisation gave the member.
        bundle: &'k MemberIdBundle,
        /// The member's key.
        key: &'k dyn SigningKey,
    },
    /// The organisation, which attributes the content to one of its members: its word, not the member's.
    #[doc(alias = "Organization")]
    Organisation {
        /// The DNSSEC chain as DER, `SET OF OCTET STRING`.
        chain_der: &'k [u8],
        /// The organisation's certificate.
        certificate: &'k OrganisationCertificate,
        /// To whom the content is attributed.
        attribution: &'k Member,
        /// The organisation's key.
        key: &'k dyn SigningKey,
    },
    /// Somebody to whom the organisation delegates, in its place; in DomainAuth alone.
    Delegate {
        /// The DNSSEC chain as DER, `SET OF OCTET STRING`.
        chain_der: &'k [u8],
        /// The organisation's certificate.
        certificate: &'k OrganisationCertificate,
        /// The certificates from the one that the organisation issued down to that of the key that signs, the last.
        intermediates: &'k [IntermediateCertificate],
        /// To whom the content is attributed.
        attribution: &'k Member,
        /// The key of the last intermediate.
        key: &'k dyn SigningKey,
    },
}

/// Whether the content goes into the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encapsulation {
    /// It does, so the bundle is all there is to send.
    Attached,
    /// It does not, and must be at hand to verify the signature.
    Detached,
}

/// Signs `content` for a service and a period; gives the DER of a signature bundle.
///
/// The DNSSEC chain is packed as it is: whether it proves the organisation's key,
/// [`MemberIdBundle::verify`] and [`OrganisationCertificate::verify`] say.
///
/// # Errors
/// [`Error::KeyMismatch`] if the key is not that of the signer's certificate; [`Error::NotAService`];
/// [`Error::NeverVerifiable`] if a certificate is valid at no second of `period`; [`Error::UnwritablePeriod`];
/// [`Error::KeyUsage`] if the certificate forbids to sign; [`Error::Signing`] and [`Error::SignedWrongly`] if the key does
/// not sign as it should.
///
/// ```
/// # fn example(bundle: &veraid::MemberIdBundle, key: &veraid::PrivateKey) -> Result<(), veraid::Error> {
/// use veraid::{Encapsulation, Period, Signer, TEST_SERVICE, Timestamp, sign};
///
/// let now: Timestamp = std::time::SystemTime::now().into();
/// let Some(minute) = Period::new(now, now.saturating_add(60)) else { return Ok(()) };
/// let signer = Signer::Member { bundle, key };
/// let signature = sign(&signer, b"hello", TEST_SERVICE, minute, Encapsulation::Attached)?;
/// # Ok(())
/// # }
/// ```
pub fn sign(
    signer: &Signer<'_>,
    content: &[u8],
    service: ObjectIdentifier,
    period: Period,
    encapsulation: Encapsulation,
) -> Result<Vec<u8>, Error> {
    if [oid::SIGNATURE_METADATA, oid::MEMBER_ATTRIBUTION].contains(&service) {
        return Err(Error::NotAService(service));
    }
    let organisation = signer.organisation_certificate();
    let chain = Chain::from_der(signer.chain_der())?;
    let (dialect, _) = find_dialect(&chain, organisation.organisation())?;
    let rules = Rules::widest(dialect);
    rules.check_signature_period(period)?;
    check_period(period, CertificateRole::Organisation, organisation.period())?;
    let organisation_certificate = organisation.parsed()?;
    let profile = OrganisationProfile::check(&organisation_certificate, rules)?;
    if let Some(attribution) = signer.attribution() {
        Member::parse_for(attribution.as_str(), dialect).map_err(Error::InvalidAttribution)?;
    }
    let request = |certificate| SigningRequest {
        content,
        attached: encapsulation == Encapsulation::Attached,
        service,
        period,
        attribution: signer.attribution(),
        certificate,
        attached_certificates: signer.attached_certificates(),
    };
    let signature = match *signer {
        Signer::Member { bundle, key } => {
            let certificate = bundle.member_certificate();
            check_period(period, CertificateRole::Member, certificate.period())?;
            check_key(key, certificate.public_key(), CertificateRole::Member)?;
            let certificate = certificate.parsed()?;
            let intermediates = bundle.intermediate_certificates();
            check_paths(&certificate, &profile, intermediates, period, rules)?;
            request(&certificate).sign(key)?
        }
        Signer::Organisation { key, .. } => {
            check_key(
                key,
                organisation.public_key(),
                CertificateRole::Organisation,
            )?;
            profile.check_may_sign_content()?;
            request(&organisation_certificate).sign(key)?
        }
        Signer::Delegate {
            intermediates, key, ..
        } => {
            let (certificate, above) = intermediates
                .split_last()
                .ok_or(Error::NoSignerCertificate)?;
            check_period(period, CertificateRole::Intermediate, certificate.period())?;
            check_key(key, certificate.public_key(), CertificateRole::Intermediate)?;
            let certificate = certificate.parsed()?;
            DelegateProfile::check(&certificate, rules)?;
            check_paths(&certificate, &profile, above, period, rules)?;
            request(&certificate).sign(key)?
        }
    };
    write_signature_bundle(&chain, organisation, &signature)
}

impl<'k> Signer<'k> {
    fn chain_der(&self) -> &'k [u8] {
        match self {
            Self::Member { bundle, .. } => bundle.chain_der(),
            Self::Organisation { chain_der, .. } | Self::Delegate { chain_der, .. } => chain_der,
        }
    }

    fn organisation_certificate(&self) -> &'k OrganisationCertificate {
        match self {
            Self::Member { bundle, .. } => bundle.organisation_certificate(),
            Self::Organisation { certificate, .. } | Self::Delegate { certificate, .. } => {
                certificate
            }
        }
    }

    fn attribution(&self) -> Option<&'k Member> {
        match self {
            Self::Member { .. } => None,
            Self::Organisation { attribution, .. } | Self::Delegate { attribution, .. } => {
                Some(attribution)
            }
        }
    }

    /// The certificates that the verifier needs besides the organisation's.
    fn attached_certificates(&self) -> Vec<&'k [u8]> {
        let intermediates = match self {
            Self::Member { bundle, .. } => bundle.intermediate_certificates(),
            Self::Organisation { .. } => &[],
            Self::Delegate { intermediates, .. } => *intermediates,
        };
        let member = match self {
            Self::Member { bundle, .. } => Some(bundle.member_certificate().as_der()),
            _ => None,
        };
        let intermediates = intermediates.iter().map(IntermediateCertificate::as_der);
        member.into_iter().chain(intermediates).collect()
    }
}

/// Some path must be valid together with the organisation's certificate and the signature: see [`check_period`].
fn check_paths(
    certificate: &UnverifiedCertificate<'_>,
    organisation: &OrganisationProfile<'_, '_>,
    intermediates: &[IntermediateCertificate],
    wanted: Period,
    rules: Rules,
) -> Result<(), Error> {
    let intermediates = intermediates
        .iter()
        .map(IntermediateCertificate::parsed)
        .collect::<Result<Vec<_>, _>>()?;
    let available = organisation
        .certificate()
        .period()
        .intersect(certificate.period())
        .and_then(|both| both.intersect(wanted))
        .ok_or(Error::NeverVerifiable {
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
    )
    .map(drop)
}

/// A signature that nobody could ever verify is a mistake.
fn check_period(
    wanted: Period,
    certificate: CertificateRole,
    available: Period,
) -> Result<(), Error> {
    if wanted.overlaps(available) {
        return Ok(());
    }
    Err(Error::NeverVerifiable {
        wanted,
        certificate,
        available,
    })
}
