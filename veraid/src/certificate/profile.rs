//! The rules of each dialect for certificates, by their purpose (VeraId §4.3; DomainAuth draft,
//! "X.509 Certificate Profile").
//!
//! All checks without public-key operations are here; signatures are verified in
//! [`path`](super::path).

use super::parse::UnverifiedCertificate;
use crate::error::{KeyIdentifier, VerifyError};
use crate::key::PublicKeyRef;
use crate::name::{Dialect, Member, Organisation};
use crate::policy::Rules;

/// Returns the organisation that a certificate names, whatever else is wrong with the certificate.
pub(crate) fn named_organisation(
    certificate: &UnverifiedCertificate<'_>,
) -> Result<Organisation, VerifyError> {
    // VeraId accepts the name with and without the final dot.
    read_organisation(certificate, Dialect::VeraId)
}

/// Parses the organisation that a certificate names in the form of the dialect.
fn read_organisation(
    certificate: &UnverifiedCertificate<'_>,
    dialect: Dialect,
) -> Result<Organisation, VerifyError> {
    Organisation::parse_common_name(&certificate.common_name()?, dialect).map_err(|source| {
        VerifyError::InvalidCommonName {
            certificate: certificate.role(),
            source,
        }
    })
}

/// An organisation certificate that has passed all checks except that of its signature.
///
/// In DomainAuth, anybody can make an organisation certificate for the key that the TXT record
/// publishes. Nothing therefore relies on its dates, its CA flag or its path length, except as
/// choices of the key's owner.
pub(crate) struct OrganisationProfile<'c, 'a> {
    certificate: &'c UnverifiedCertificate<'a>,
    pub(crate) organisation: Organisation,
    pub(crate) key: PublicKeyRef<'a>,
}

impl<'c, 'a> OrganisationProfile<'c, 'a> {
    pub(crate) fn check(
        certificate: &'c UnverifiedCertificate<'a>,
        rules: Rules,
    ) -> Result<Self, VerifyError> {
        let organisation = read_organisation(certificate, rules.dialect)?;
        let key = certificate.public_key_ref()?;
        rules.check_key(certificate.role(), &key)?;
        rules.check_certificate_period(certificate)?;
        match rules.dialect {
            Dialect::VeraId => {
                if !is_self_issued(certificate) {
                    return Err(VerifyError::NotSelfIssued);
                }
                if !certificate.is_ca() {
                    return Err(VerifyError::NotCa {
                        certificate: certificate.role(),
                    });
                }
                check_digest_identifier(certificate, KeyIdentifier::Authority, &key)?;
            }
            Dialect::DomainAuth => {
                if is_self_issued(certificate) {
                    check_authority(certificate, certificate)?;
                } else {
                    rules.check_foreign_signature(certificate)?;
                }
            }
        }
        check_subject_key_identifier(certificate, &key, rules)?;
        Ok(Self {
            certificate,
            organisation,
            key,
        })
    }

    pub(crate) fn certificate(&self) -> &'c UnverifiedCertificate<'a> {
        self.certificate
    }

    /// Verifies the organisation's own signature over its certificate (VeraId §7.4 step 3). A
    /// certificate by another issuer, which DomainAuth allows, has no such signature: only its key
    /// counts.
    pub(crate) fn verify_signature(&self) -> Result<(), VerifyError> {
        if is_self_issued(self.certificate) {
            self.certificate.verify_signature(&self.key)
        } else {
            Ok(())
        }
    }

    /// Checks that the organisation may sign content itself.
    pub(crate) fn check_may_sign_content(&self) -> Result<(), VerifyError> {
        check_may_sign_content(self.certificate)
    }
}

/// The certificate of a signer for whom the organisation vouches: a member, or a delegate that
/// signs as a member. It has passed all checks except those of its path to the organisation.
pub(crate) struct MemberProfile<'a> {
    pub(crate) member: Member,
    pub(crate) key: PublicKeyRef<'a>,
}

impl<'a> MemberProfile<'a> {
    pub(crate) fn check(
        certificate: &UnverifiedCertificate<'a>,
        organisation: &OrganisationProfile<'_, '_>,
        rules: Rules,
    ) -> Result<Self, VerifyError> {
        let member = Member::parse_for(&certificate.common_name()?, rules.dialect);
        let member = member.map_err(|source| VerifyError::InvalidCommonName {
            certificate: certificate.role(),
            source,
        });
        // A signature by the organisation itself must have an attribution, because the domain is
        // not a member's name.
        let key = certificate.public_key_ref();
        if key.is_ok_and(|key| key.is_same_as(&organisation.key)) {
            return Err(VerifyError::OrganisationAsMember);
        }
        let member = member?;
        // In DomainAuth an intermediate with a common name may sign as the member that it names.
        if !rules.is_domain_auth() && certificate.is_ca() {
            return Err(VerifyError::CaMember);
        }
        Ok(Self {
            key: check_signer(certificate, rules)?,
            member,
        })
    }
}

/// The certificate of a delegate, which signs in the organisation's name: a CA of the organisation,
/// never a member (DomainAuth draft, "Intermediate Certificate", "Organisation Signatures").
pub(crate) struct DelegateProfile<'a> {
    pub(crate) key: PublicKeyRef<'a>,
}

impl<'a> DelegateProfile<'a> {
    pub(crate) fn check(
        certificate: &UnverifiedCertificate<'a>,
        rules: Rules,
    ) -> Result<Self, VerifyError> {
        // No other signer may speak for another member.
        if !rules.is_domain_auth() || !certificate.is_ca() {
            return Err(VerifyError::AttributionByMember);
        }
        check_critical_ca(certificate)?;
        Ok(Self {
            key: check_signer(certificate, rules)?,
        })
    }
}

/// Checks the rules for every certificate whose key signs content, except the organisation's.
fn check_signer<'a>(
    certificate: &UnverifiedCertificate<'a>,
    rules: Rules,
) -> Result<PublicKeyRef<'a>, VerifyError> {
    let key = certificate.public_key_ref()?;
    rules.check_key(certificate.role(), &key)?;
    rules.check_certificate_period(certificate)?;
    check_subject_key_identifier(certificate, &key, rules)?;
    check_may_sign_content(certificate)?;
    Ok(key)
}

/// Checks the rules for a certificate between the organisation's and the signer's, and returns its
/// key (RFC 5280 §6.1.4 (k), (n); DomainAuth draft, "Intermediate Certificate").
pub(super) fn check_intermediate<'a>(
    certificate: &UnverifiedCertificate<'a>,
    rules: Rules,
) -> Result<PublicKeyRef<'a>, VerifyError> {
    check_critical_ca(certificate)?;
    check_may_sign_certificates(certificate)?;
    certificate.check_subject()?;
    let key = certificate.public_key_ref()?;
    rules.check_key(certificate.role(), &key)?;
    rules.check_certificate_period(certificate)?;
    Ok(key)
}

/// Checks the rules for an organisation certificate that issues others (DomainAuth draft,
/// "Organisation Certificate"). VeraId's reference library writes constraints that are not
/// critical.
pub(super) fn check_issues(
    certificate: &UnverifiedCertificate<'_>,
    rules: Rules,
) -> Result<(), VerifyError> {
    if rules.is_domain_auth() {
        check_critical_ca(certificate)?;
    }
    check_may_sign_certificates(certificate)
}

fn check_critical_ca(certificate: &UnverifiedCertificate<'_>) -> Result<(), VerifyError> {
    let role = certificate.role();
    if !certificate.is_ca() {
        return Err(VerifyError::NotCa { certificate: role });
    }
    if certificate.extensions().basic_constraints_critical() {
        Ok(())
    } else {
        Err(VerifyError::UncriticalConstraints { certificate: role })
    }
}

pub(super) fn is_self_issued(certificate: &UnverifiedCertificate<'_>) -> bool {
    certificate.issuer() == certificate.subject()
}

fn check_may_sign_content(certificate: &UnverifiedCertificate<'_>) -> Result<(), VerifyError> {
    if certificate.extensions().may_sign_content() {
        return Ok(());
    }
    Err(VerifyError::KeyUsage {
        certificate: certificate.role(),
        needed: "digitalSignature",
    })
}

fn check_may_sign_certificates(certificate: &UnverifiedCertificate<'_>) -> Result<(), VerifyError> {
    if certificate.extensions().may_sign_certificates() {
        return Ok(());
    }
    Err(VerifyError::KeyUsage {
        certificate: certificate.role(),
        needed: "keyCertSign",
    })
}

/// Checks the subject key identifier. VeraId has one way to compute it; DomainAuth, like RFC 5280
/// §4.2.1.2, allows any.
fn check_subject_key_identifier(
    certificate: &UnverifiedCertificate<'_>,
    key: &PublicKeyRef<'_>,
    rules: Rules,
) -> Result<(), VerifyError> {
    match rules.dialect {
        Dialect::VeraId => check_digest_identifier(certificate, KeyIdentifier::Subject, key),
        Dialect::DomainAuth => Ok(()),
    }
}

/// Checks that a certificate's authority key identifier is that of its issuer's key.
pub(super) fn check_issuer_key_identifier(
    certificate: &UnverifiedCertificate<'_>,
    issuer: &UnverifiedCertificate<'_>,
    issuer_key: &PublicKeyRef<'_>,
    rules: Rules,
) -> Result<(), VerifyError> {
    match rules.dialect {
        Dialect::VeraId => {
            check_digest_identifier(certificate, KeyIdentifier::Authority, issuer_key)
        }
        Dialect::DomainAuth => check_authority(certificate, issuer),
    }
}

/// Checks that the identifier is present, and is the SHA-256 digest of the `SubjectPublicKeyInfo`
/// (VeraId §4.3).
fn check_digest_identifier(
    certificate: &UnverifiedCertificate<'_>,
    identifier: KeyIdentifier,
    key: &PublicKeyRef<'_>,
) -> Result<(), VerifyError> {
    let extensions = certificate.extensions();
    let found = match identifier {
        KeyIdentifier::Authority => extensions.authority_key_identifier(),
        KeyIdentifier::Subject => extensions.subject_key_identifier(),
    };
    let certificate = certificate.role();
    match found {
        None => Err(VerifyError::MissingKeyIdentifier {
            certificate,
            identifier,
        }),
        Some(found) if found != key.key_identifier().as_ref() => {
            Err(VerifyError::KeyIdentifierMismatch {
                certificate,
                identifier,
            })
        }
        Some(_) => Ok(()),
    }
}

/// Checks that the identifiers of certificate and issuer are equal if both are present (RFC 5280
/// §4.2.1.1).
fn check_authority(
    certificate: &UnverifiedCertificate<'_>,
    issuer: &UnverifiedCertificate<'_>,
) -> Result<(), VerifyError> {
    let named = certificate.extensions().authority_key_identifier();
    let own = issuer.extensions().subject_key_identifier();
    match named.zip(own) {
        Some((named, own)) if named != own => Err(VerifyError::KeyIdentifierMismatch {
            certificate: certificate.role(),
            identifier: KeyIdentifier::Authority,
        }),
        _ => Ok(()),
    }
}
