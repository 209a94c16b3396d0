//! The verification of members and organisations on their own, without a signature over content.

use dnssec::{Chain, Period, Work};

use super::certification::Certification;
use super::organisation::Publication;
use super::outcome::{Verification, VerifiedMember, VerifiedOrganisation};
use crate::bundle::MemberIdBundle;
use crate::certificate::{IntermediateCertificate, MemberProfile, OrganisationCertificate, Paths};
use crate::error::VerifyError;
use crate::name::MemberId;
use crate::policy::Rules;

pub(crate) fn verify_member(
    bundle: &MemberIdBundle,
    verification: &Verification<'_>,
) -> Result<VerifiedMember, VerifyError> {
    let required = verification.period;
    let chain = bundle.chain()?;
    let named = bundle.organisation_certificate().organisation();
    let (rules, publication) = Publication::of_chain(&chain, named, verification.policy)?;
    rules.check_required_period(required)?;
    with_membership(bundle, rules, required, |certification, member, paths| {
        let demand = certification.demand(Some(paths), Work::NONE)?;
        let certified = certification.prove(&publication, Some(paths), verification, demand)?;
        let organisation = certification.organisation.organisation.clone();
        Ok(VerifiedMember {
            member_id: MemberId::new(organisation, member.member.clone()),
            period: certified.period,
            dialect: rules.dialect,
            key_algorithm: member.key.algorithm,
            published: certified.published.into_owned(),
        })
    })
}

/// Checks that the parts of a bundle fit each other, as far as possible without public-key
/// operations and without a period to verify.
pub(crate) fn check_membership(bundle: &MemberIdBundle, rules: Rules) -> Result<(), VerifyError> {
    with_membership(bundle, rules, Period::always(), |_, _, _| Ok(()))
}

/// Checks everything that needs no public-key operation, and passes the results to `then`.
fn with_membership<T>(
    bundle: &MemberIdBundle,
    rules: Rules,
    required: Period,
    then: impl FnOnce(
        &Certification<'_, '_>,
        &MemberProfile<'_>,
        &Paths<'_, '_>,
    ) -> Result<T, VerifyError>,
) -> Result<T, VerifyError> {
    let organisation_certificate = bundle.organisation_certificate().parsed()?;
    let member_certificate = bundle.member_certificate().parsed()?;
    let intermediates = bundle
        .intermediate_certificates()
        .iter()
        .map(IntermediateCertificate::parsed)
        .collect::<Result<Vec<_>, _>>()?;
    let certification = Certification::check(
        &organisation_certificate,
        Some(&member_certificate),
        None,
        rules,
        required,
    )?;
    let member = MemberProfile::check(&member_certificate, &certification.organisation, rules)?;
    let paths = certification.find_paths(&member_certificate, &intermediates)?;
    then(&certification, &member, &paths)
}

impl OrganisationCertificate {
    /// Verifies that the domain publishes the certificate's key at some second of the verifier's
    /// period, from a DNSSEC chain as DER.
    ///
    /// The TXT record must be for the service of the verification, or for any service. Without a
    /// service ([`Verification::for_any_service`]), any record of the key is accepted. Call this
    /// before you issue certificates to members or sign in the organisation's name.
    ///
    /// # Errors
    /// The errors of [`VerifyError`] that are about the chain or the organisation certificate.
    pub fn verify(
        &self,
        chain_der: &[u8],
        verification: &Verification<'_>,
    ) -> Result<VerifiedOrganisation, VerifyError> {
        let required = verification.period;
        let certificate = self.parsed()?;
        let chain = Chain::from_der(chain_der)?;
        let named = self.organisation();
        let (rules, publication) = Publication::of_chain(&chain, named, verification.policy)?;
        rules.check_required_period(required)?;
        let certification = Certification::check(&certificate, None, None, rules, required)?;
        let demand = certification.demand(None, Work::NONE)?;
        let certified = certification.prove(&publication, None, verification, demand)?;
        Ok(VerifiedOrganisation {
            period: certified.period,
            dialect: rules.dialect,
            key_algorithm: certification.organisation.key.algorithm,
            organisation: certification.organisation.organisation,
            published: certified.published.into_owned(),
        })
    }
}
