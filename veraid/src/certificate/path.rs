//! What VeraId asks of the organisation's certificate and the member's (VeraId §4.3; RFC 5280 §6.1).
//!
//! There is no choice of paths: the organisation's certificate issues the member's, and nothing comes between. All that
//! is free is checked here; the signatures are left to whoever needs them.

use dnssec::Period;

use super::parse::UnverifiedCertificate;
use crate::crypto::Digest;
use crate::error::{CertificateRole, Error, KeyIdentifier};
use crate::key::PublicKeyRef;
use crate::name::{Member, Organisation};

/// An organisation certificate that is what it should be, but for its signature.
pub(crate) struct OrganisationProfile<'c, 'a> {
    certificate: &'c UnverifiedCertificate<'a>,
    pub(crate) organisation: Organisation,
    pub(crate) key: PublicKeyRef<'a>,
    key_identifier: Digest,
}

impl<'c, 'a> OrganisationProfile<'c, 'a> {
    pub(crate) fn check(certificate: &'c UnverifiedCertificate<'a>) -> Result<Self, Error> {
        let organisation =
            certificate
                .common_name()?
                .parse()
                .map_err(|source| Error::InvalidCommonName {
                    certificate: certificate.role(),
                    source,
                })?;
        let key = certificate.public_key_ref()?;
        let key_identifier = key.key_identifier();
        if certificate.issuer() != certificate.subject() {
            return Err(Error::NotSelfIssued);
        }
        if certificate.extensions().ca() != Some(true) {
            return Err(Error::NotCa);
        }
        check_subject_key_identifier(certificate, &key_identifier)?;
        check_authority_key_identifier(certificate, &key_identifier)?;
        Ok(Self {
            certificate,
            organisation,
            key,
            key_identifier,
        })
    }

    pub(crate) fn certificate(&self) -> &'c UnverifiedCertificate<'a> {
        self.certificate
    }

    /// The organisation's own signature over its certificate (VeraId §7.4 step 3).
    pub(crate) fn verify_signature(&self) -> Result<(), Error> {
        self.certificate.verify_signature(&self.key)
    }

    /// Whether the organisation may sign content itself.
    pub(crate) fn check_may_sign_content(&self) -> Result<(), Error> {
        check_may_sign_content(self.certificate)
    }
}

/// A member certificate that is what it should be, but for its signature.
pub(crate) struct MemberProfile<'c, 'a> {
    certificate: &'c UnverifiedCertificate<'a>,
    pub(crate) member: Member,
    pub(crate) key: PublicKeyRef<'a>,
}

impl<'c, 'a> MemberProfile<'c, 'a> {
    pub(crate) fn check(
        certificate: &'c UnverifiedCertificate<'a>,
        organisation: &OrganisationProfile<'_, '_>,
    ) -> Result<Self, Error> {
        // A signature by the organisation itself must carry an attribution. The domain is no member's name.
        let issuer = organisation.certificate;
        if certificate.content() == issuer.content()
            || certificate.subject_public_key_info() == issuer.subject_public_key_info()
        {
            return Err(Error::OrganisationAsMember);
        }
        let member =
            certificate
                .common_name()?
                .parse()
                .map_err(|source| Error::InvalidCommonName {
                    certificate: certificate.role(),
                    source,
                })?;
        let key = certificate.public_key_ref()?;
        if !certificate.names_as_issuer(issuer) {
            return Err(Error::OtherIssuer);
        }
        if certificate.extensions().ca() == Some(true) {
            return Err(Error::CaMember);
        }
        check_subject_key_identifier(certificate, &key.key_identifier())?;
        check_authority_key_identifier(certificate, &organisation.key_identifier)?;
        check_may_sign_content(certificate)?;
        if !issuer.extensions().may_sign_certificates() {
            return Err(Error::KeyUsage {
                certificate: CertificateRole::Organisation,
                needed: "keyCertSign",
            });
        }
        Ok(Self {
            certificate,
            member,
            key,
        })
    }

    /// The organisation's signature over the member's certificate.
    pub(crate) fn verify_signature(
        &self,
        organisation: &OrganisationProfile<'_, '_>,
    ) -> Result<(), Error> {
        self.certificate.verify_signature(&organisation.key)
    }
}

fn check_may_sign_content(certificate: &UnverifiedCertificate<'_>) -> Result<(), Error> {
    if certificate.extensions().may_sign_content() {
        return Ok(());
    }
    Err(Error::KeyUsage {
        certificate: certificate.role(),
        needed: "digitalSignature",
    })
}

fn check_subject_key_identifier(
    certificate: &UnverifiedCertificate<'_>,
    key_identifier: &Digest,
) -> Result<(), Error> {
    let found = certificate.extensions().subject_key_identifier();
    check_key_identifier(certificate, KeyIdentifier::Subject, found, key_identifier)
}

fn check_authority_key_identifier(
    certificate: &UnverifiedCertificate<'_>,
    key_identifier: &Digest,
) -> Result<(), Error> {
    let found = certificate.extensions().authority_key_identifier();
    check_key_identifier(certificate, KeyIdentifier::Authority, found, key_identifier)
}

fn check_key_identifier(
    certificate: &UnverifiedCertificate<'_>,
    identifier: KeyIdentifier,
    found: Option<&[u8]>,
    expected: &Digest,
) -> Result<(), Error> {
    let certificate = certificate.role();
    match found {
        None => Err(Error::MissingKeyIdentifier {
            certificate,
            identifier,
        }),
        Some(found) if found != expected.as_ref() => Err(Error::KeyIdentifierMismatch {
            certificate,
            identifier,
        }),
        Some(_) => Ok(()),
    }
}

/// Checks that a certificate is valid at some second of `required`.
pub(crate) fn check_time(
    certificate: &UnverifiedCertificate<'_>,
    required: Period,
) -> Result<(), Error> {
    if certificate.period().overlaps(required) {
        return Ok(());
    }
    Err(Error::certificate_time(
        certificate.role(),
        certificate.period(),
        required,
    ))
}
