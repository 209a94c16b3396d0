//! Certificates from the organisation's down to the signatory's: all that is free about them first, their signatures once
//! the organisation's key is proven.

use std::borrow::Cow;

use dnssec::{Demand, Period, Work};

use super::organisation::{ProvenKey, Publication, PublishedKey};
use super::outcome::Verification;
use crate::certificate::{
    OrganisationProfile, Paths, UnverifiedCertificate, check_time, work_of_organisation,
};
use crate::error::VerifyError;
use crate::policy::Rules;

/// The certificates at both ends of a path, valid at a time that will do; the organisation's is what it should be, but for
/// its signature.
pub(super) struct Certification<'c, 'a> {
    pub(super) organisation: OrganisationProfile<'c, 'a>,
    pub(super) rules: Rules,
    required: Period,
    /// When both certificates and the signature over the content, if there is one, are valid.
    available: Period,
}

/// Certificates whose signatures are good, below a key that the domain publishes.
pub(super) struct Certified<'p> {
    pub(super) published: Cow<'p, PublishedKey>,
    /// When all of it holds: the key is proven, the certificates and the signature over the content are valid.
    pub(super) period: Period,
    /// When the certificates are valid together, by themselves.
    pub(super) certificates: Period,
}

impl<'c, 'a> Certification<'c, 'a> {
    /// `end` is the signatory's certificate, unless the organisation's own is all there is; `signature` is the period of a
    /// signature over content.
    pub(super) fn check(
        organisation: &'c UnverifiedCertificate<'a>,
        end: Option<&UnverifiedCertificate<'a>>,
        signature: Option<Period>,
        rules: Rules,
        required: Period,
    ) -> Result<Self, VerifyError> {
        let certificates = std::iter::once(organisation).chain(end);
        let available = common_period(certificates, signature, required)?;
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

    /// What the chain must be like and may take, beside what all signatures over certificates take, and `others`.
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

    /// Checks the signatures of the first path that holds when the key is proven: when all holds, and when the path's
    /// certificates are valid.
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

    /// Checks the organisation's signature over its own certificate, unless that was done when the chain was verified.
    fn verify_organisation(&self, is_known: bool) -> Result<(), VerifyError> {
        if is_known {
            return Ok(());
        }
        self.organisation.verify_signature()
    }
}

/// When the certificates and the signature, if there is one, are valid together; that must be so at some second of
/// `required`.
fn common_period<'c, 'a: 'c>(
    certificates: impl IntoIterator<Item = &'c UnverifiedCertificate<'a>>,
    signature: Option<Period>,
    required: Period,
) -> Result<Period, VerifyError> {
    let mut common = signature.unwrap_or(Period::always());
    for certificate in certificates {
        check_time(certificate, required)?;
        common = common
            .intersect(certificate.period())
            .ok_or(VerifyError::NeverValidTogether { required })?;
    }
    if common.overlaps(required) {
        Ok(common)
    } else {
        Err(VerifyError::NeverValidTogether { required })
    }
}
