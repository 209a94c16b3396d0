//! The certificates from the organisation's down to the signatory's. All checks without public-key
//! operations come first; signatures are verified once the organisation's key is proven.

use std::borrow::Cow;

use dnssec::{Demand, Period, Work};

use super::organisation::{ProvenKey, Publication, PublishedKey};
use super::outcome::Verification;
use crate::certificate::{
    OrganisationProfile, Paths, UnverifiedCertificate, check_time, work_of_organisation,
};
use crate::error::VerifyError;
use crate::policy::Rules;

/// The certificates at both ends of a path, valid within the verifier's period.
///
/// The organisation certificate has passed all checks except that of its signature.
pub(super) struct Certification<'c, 'a> {
    pub(super) organisation: OrganisationProfile<'c, 'a>,
    pub(super) rules: Rules,
    required: Period,
    /// The period in which both certificates and the signature over the content, if any, are valid.
    available: Period,
}

/// Certificates with verified signatures, below a key that the domain publishes.
pub(super) struct Certified<'p> {
    pub(super) published: Cow<'p, PublishedKey>,
    /// The period in which the key is proven, and the certificates and the signature over the
    /// content are valid.
    pub(super) period: Period,
    /// The period in which the certificates are valid together, whatever the rest.
    pub(super) certificates: Period,
}

impl<'c, 'a> Certification<'c, 'a> {
    /// Checks the certificates at both ends of a path.
    ///
    /// `end` is the signatory's certificate; it is `None` if the organisation's certificate is the
    /// only one. `signature` is the period of a signature over content.
    pub(super) fn check(
        organisation: &'c UnverifiedCertificate<'a>,
        end: Option<&UnverifiedCertificate<'a>>,
        signature: Option<Period>,
        rules: Rules,
        required: Period,
    ) -> Result<Self, VerifyError> {
        let available = common_period(organisation, end, signature, required)?;
        Ok(Self {
            organisation: OrganisationProfile::check(organisation, rules)?,
            rules,
            required,
            available,
        })
    }

    /// The paths from the signatory's certificate to the organisation's.
    pub(super) fn find_paths<'s>(
        &'s self,
        end: &'s UnverifiedCertificate<'a>,
        intermediates: &'s [UnverifiedCertificate<'a>],
    ) -> Result<Paths<'s, 'a>, VerifyError> {
        Paths::find(
            end,
            &self.organisation,
            intermediates,
            self.rules,
            self.available,
            self.required,
        )
    }

    /// The demand on the chain. Its limit on work is the policy's, less the work for all signatures
    /// over certificates and less `others`.
    pub(super) fn demand(
        &self,
        paths: Option<&Paths<'_, '_>>,
        others: Work,
    ) -> Result<Demand, VerifyError> {
        let below = paths.map_or(Ok(Work::NONE), Paths::work)?;
        let work = work_of_organisation(&self.organisation)
            .saturating_add(below)
            .saturating_add(others);
        self.rules.demand(self.required, work)
    }

    /// Proves the organisation's key, and checks all signatures below it.
    pub(super) fn prove<'p>(
        &self,
        publication: &Publication<'p, '_>,
        paths: Option<&Paths<'_, '_>>,
        verification: &Verification<'_>,
        demand: Demand,
    ) -> Result<Certified<'p>, VerifyError> {
        let key = &self.organisation.key;
        let published = publication.prove(key, verification, demand, self.rules)?;
        let proven = published.within(self.required, self.rules)?;
        let is_known = publication.is_remembered();
        let (period, certificates) = if let Some(paths) = paths {
            self.verify_paths(paths, &proven, is_known)?
        } else {
            let period = proven.period_with(self.available)?;
            self.verify_organisation(is_known)?;
            (period, self.organisation.certificate().period())
        };
        Ok(Certified {
            published,
            period,
            certificates,
        })
    }

    /// Checks the signatures of the paths that are valid while the key is proven, until those of
    /// one path verify.
    ///
    /// Returns the period for which everything holds, and the period for which the certificates of
    /// that path are valid.
    fn verify_paths(
        &self,
        paths: &Paths<'_, '_>,
        proven: &ProvenKey<'_>,
        is_known: bool,
    ) -> Result<(Period, Period), VerifyError> {
        let mut in_time = paths
            .iter()
            .filter_map(|path| Some((path, proven.period_with(path.period).ok()?)))
            .peekable();
        if in_time.peek().is_none() {
            return Err(proven.never_together());
        }
        self.verify_organisation(is_known)?;
        let mut signatures = paths.signatures();
        let mut failure = None;
        for (path, period) in in_time {
            match signatures.verify(path) {
                Ok(()) => {
                    let certificates = paths.certificates_period(path).unwrap_or(period);
                    return Ok((period, certificates));
                }
                Err(other) => failure = failure.or(Some(other)),
            }
        }
        Err(failure.unwrap_or_else(|| proven.never_together()))
    }

    /// Checks the organisation's signature over its own certificate, unless the chain is
    /// remembered: then it was checked with the chain.
    fn verify_organisation(&self, is_known: bool) -> Result<(), VerifyError> {
        if is_known {
            return Ok(());
        }
        self.organisation.verify_signature()
    }
}

/// The period in which the certificates and the signature, if any, are valid together. It must
/// include a second of `required`.
fn common_period(
    organisation: &UnverifiedCertificate<'_>,
    end: Option<&UnverifiedCertificate<'_>>,
    signature: Option<Period>,
    required: Period,
) -> Result<Period, VerifyError> {
    let mut common = signature.unwrap_or(Period::always());
    for certificate in std::iter::once(organisation).chain(end) {
        check_time(certificate, required)?;
        common = common
            .intersect(certificate.period())
            .filter(|common| common.overlaps(required))
            .ok_or(VerifyError::NeverValidTogether { required })?;
    }
    Ok(common)
}
