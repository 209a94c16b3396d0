//! Making signature bundles.

use der::asn1::ObjectIdentifier;
use dnssec::{Chain, Period};

use crate::bundle::{MemberIdBundle, write_signature_bundle};
use crate::certificate::{OrganisationCertificate, OrganisationProfile, check_key};
use crate::cms::SigningRequest;
use crate::error::{CertificateRole, Error};
use crate::key::SigningKey;
use crate::name::Member;
use crate::oid;

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
    let organisation_certificate = signer.organisation_certificate();
    check_period(
        period,
        CertificateRole::Organisation,
        organisation_certificate.period(),
    )?;
    let (chain, signature) = match signer {
        Signer::Member { bundle, key } => {
            let certificate = bundle.member_certificate();
            check_period(period, CertificateRole::Member, certificate.period())?;
            check_key(*key, certificate.public_key(), CertificateRole::Member)?;
            let request = SigningRequest {
                content,
                attached: encapsulation == Encapsulation::Attached,
                service,
                period,
                attribution: None,
                certificate: &certificate.parsed()?,
                certificate_attached: true,
            };
            (bundle.chain()?, request.sign(*key)?)
        }
        Signer::Organisation {
            chain_der,
            certificate,
            attribution,
            key,
        } => {
            check_key(
                *key,
                certificate.public_key(),
                CertificateRole::Organisation,
            )?;
            let parsed = certificate.parsed()?;
            OrganisationProfile::check(&parsed)?.check_may_sign_content()?;
            let request = SigningRequest {
                content,
                attached: encapsulation == Encapsulation::Attached,
                service,
                period,
                attribution: Some(attribution),
                certificate: &parsed,
                certificate_attached: false,
            };
            (Chain::from_der(chain_der)?, request.sign(*key)?)
        }
    };
    write_signature_bundle(&chain, organisation_certificate, &signature)
}

impl<'k> Signer<'k> {
    fn organisation_certificate(&self) -> &'k OrganisationCertificate {
        match self {
            Self::Member { bundle, .. } => bundle.organisation_certificate(),
            Self::Organisation { certificate, .. } => certificate,
        }
    }
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
