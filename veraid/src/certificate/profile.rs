//! What each dialect asks of a certificate, by what it is for (VeraId §4.3; DomainAuth draft, "X.509 Certificate
//! Profile").
//!
//! All that is free is checked here; signatures are left to [`path`](super::path).

use super::parse::UnverifiedCertificate;
use crate::error::{KeyIdentifier, VerifyError};
use crate::key::PublicKeyRef;
use crate::name::{Dialect, Member, Organisation};
use crate::policy::Rules;

/// The organisation that a certificate names, whatever else may be wrong with it.
pub(crate) fn named_organisation(
    certificate: &UnverifiedCertificate<'_>,
) -> Result<Organisation, VerifyError> {
    // VeraId takes it with and without the final dot.
    read_organisation(certificate, Dialect::VeraId)
}

/// The organisation that a certificate names as that dialect writes it.
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

/// An organisation certificate that is what it should be, but for its signature.
///
/// In DomainAuth it may be anybody's work around the key that the TXT record publishes, so nothing rests on its dates, its
/// CA mark or its path length but what the key's owner chose to put there.
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

    /// The organisation's own signature over its certificate (VeraId §7.4 step 3). A certificate by another issuer, which
    /// DomainAuth allows, has none: its key is what counts.
    pub(crate) fn verify_signature(&self) -> Result<(), VerifyError> {
        if is_self_issued(self.certificate) {
            self.certificate.verify_signature(&self.key)
        } else {
            Ok(())
        }
    }

    /// Whether the organisation may sign content itself.
    pub(crate) fn check_may_sign_content(&self) -> Result<(), VerifyError> {
        check_may_sign_content(self.certificate)
    }
}

/// A certificate of somebody for whom the organisation answers: a member, or one to whom it delegates. It is what it
/// should be, but for its path to the organisation.
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
        // A signature by the organisation itself must carry an attribution. The domain is no member's name.
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

/// One to whom the organisation delegates its own signatures: a CA of its, never a member (DomainAuth draft, "Intermediate
/// Certificate", "Organisation Signatures").
pub(crate) struct DelegateProfile<'a> {
    pub(crate) key: PublicKeyRef<'a>,
}

impl<'a> DelegateProfile<'a> {
    pub(crate) fn check(
        certificate: &UnverifiedCertificate<'a>,
        rules: Rules,
    ) -> Result<Self, VerifyError> {
        // Whoever else has signed may not speak for another member.
        if !rules.is_domain_auth() || !certificate.is_ca() {
            return Err(VerifyError::AttributionByMember);
        }
        check_critical_ca(certificate)?;
        Ok(Self {
            key: check_signer(certificate, rules)?,
        })
    }
}

/// What is asked of every certificate whose key signs content, but the organisation's.
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

/// What is asked of a certificate that stands between the organisation's and the signer's (RFC 5280 §6.1.4 (k), (n);
/// DomainAuth draft, "Intermediate Certificate"). Gives its key.
pub(super) fn check_intermediate<'a>(
    certificate: &UnverifiedCertificate<'a>,
    rules: Rules,
) -> Result<PublicKeyRef<'a>, VerifyError> {
    check_critical_ca(certificate)?;
    check_may_sign_certificates(certificate)?;
    let key = certificate.public_key_ref()?;
    rules.check_key(certificate.role(), &key)?;
    rules.check_certificate_period(certificate)?;
    Ok(key)
}

/// What is asked of the organisation's certificate when it issues others (DomainAuth draft, "Organisation Certificate").
/// VeraId's reference library writes constraints that are not critical.
pub(super) fn check_issues(
    certificate: &UnverifiedCertificate<'_>,
    rules: Rules,
) -> Result<(), VerifyError> {
    if rules.is_domain_auth() {
        check_critical_ca(certificate)?;
    }
    check_may_sign_certificates(certificate)
}

/// Whether the certificate may issue another, before that is done.
pub(super) fn check_may_issue(
    certificate: &UnverifiedCertificate<'_>,
    rules: Rules,
) -> Result<(), VerifyError> {
    if !certificate.is_ca() {
        return Err(VerifyError::NotCa {
            certificate: certificate.role(),
        });
    }
    check_issues(certificate, rules)
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

/// VeraId has one way to make the identifier of a key. In DomainAuth, as in RFC 5280 §4.2.1.2, it may be made in any way.
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

/// Whether a certificate's authority key identifier is that of its issuer's key.
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

/// Whether the identifier is there, and SHA-256 of the `SubjectPublicKeyInfo` (VeraId §4.3).
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

/// Whether the identifiers of certificate and issuer, where both are there, are the same (RFC 5280 §4.2.1.1).
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
