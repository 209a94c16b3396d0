//! Members and organisations by themselves, before anything is signed.

use der::asn1::ObjectIdentifier;
use dnssec::{Chain, Period, TrustAnchors, Work};

use super::certification::Certification;
use super::organisation::Publication;
use super::outcome::{VerifiedMember, VerifiedOrganisation};
use crate::bundle::MemberIdBundle;
use crate::certificate::{IntermediateCertificate, MemberProfile, OrganisationCertificate, Paths};
use crate::error::Error;
use crate::name::MemberId;
use crate::policy::{Policy, Rules};

pub(crate) fn verify_member(
    bundle: &MemberIdBundle,
    anchors: &TrustAnchors,
    required: Period,
    service: Option<ObjectIdentifier>,
    policy: Policy,
) -> Result<VerifiedMember, Error> {
    let chain = bundle.chain()?;
    let named = bundle.organisation_certificate().organisation();
    let (rules, publication) = Publication::of_chain(&chain, named, policy)?;
    rules.check_required_period(required)?;
    with_membership(bundle, rules, required, |certification, member, paths| {
        let demand = certification.demand(Some(paths), Work::NONE)?;
        let certified = certification.prove(&publication, Some(paths), service, anchors, demand)?;
        let organisation = certification.organisation.organisation.clone();
        Ok(VerifiedMember {
            member_id: MemberId::new(organisation, member.member.clone()),
            period: certified.period,
            dialect: rules.dialect,
            key_algorithm: member.key.algorithm,
        })
    })
}

/// Checks that the parts of a bundle fit each other, as far as can be told without public-key operations and without a time
/// to ask about.
pub(crate) fn check_membership(bundle: &MemberIdBundle, rules: Rules) -> Result<(), Error> {
    with_membership(bundle, rules, Period::always(), |_, _, _| Ok(()))
}

/// Checks what is free, and hands on what it found.
fn with_membership<T>(
    bundle: &MemberIdBundle,
    rules: Rules,
    required: Period,
    then: impl FnOnce(&Certification<'_, '_>, &MemberProfile<'_>, &Paths<'_, '_>) -> Result<T, Error>,
) -> Result<T, Error> {
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
    /// Checks that the domain publishes the certificate's key, by a DNSSEC chain as DER, at some second of `period`.
    ///
    /// With a `service`, the TXT record must be for that service or for any; without one, any record of the key will do.
    /// Whoever issues certificates to members or signs in the organisation's name should ask first.
    pub fn verify(
        &self,
        chain_der: &[u8],
        anchors: &TrustAnchors,
        period: Period,
        service: Option<ObjectIdentifier>,
        policy: Policy,
    ) -> Result<VerifiedOrganisation, Error> {
        let certificate = self.parsed()?;
        let chain = Chain::from_der(chain_der)?;
        let (rules, publication) = Publication::of_chain(&chain, self.organisation(), policy)?;
        rules.check_required_period(period)?;
        let certification = Certification::check(&certificate, None, None, rules, period)?;
        let demand = certification.demand(None, Work::NONE)?;
        let certified = certification.prove(&publication, None, service, anchors, demand)?;
        Ok(VerifiedOrganisation {
            period: certified.period,
            dialect: rules.dialect,
            key_algorithm: certification.organisation.key.algorithm,
            organisation: certification.organisation.organisation,
        })
    }
}
