//! Paths from a certificate up to the organisation's (RFC 5280 §6.1, RFC 4158).
//!
//! In VeraId there is one path: the organisation issued the certificate. In DomainAuth there may be
//! intermediates between them. They are given in any order, together with unrelated certificates,
//! some of which may have the same name. The search makes all checks that need no public-key
//! operation. Only the signatures are then left to verify, and all paths together have no more of
//! them than a limit.

use dnssec::{Period, Work};
use smallvec::{SmallVec, smallvec};

use super::parse::UnverifiedCertificate;
use super::profile::{
    OrganisationProfile, check_intermediate, check_issuer_key_identifier, check_issues,
    is_self_issued,
};
use crate::error::VerifyError;
use crate::key::PublicKeyRef;
use crate::policy::Rules;

/// The number of certificates that are considered as intermediates. Honest bundles contain those of
/// one path.
pub(crate) const MAX_INTERMEDIATES: usize = 16;
/// The most intermediates in one path.
const MAX_PATH_INTERMEDIATES: usize = 6;
/// The most signatures over certificates that all paths together may need.
const MAX_SIGNATURES: usize = 8;
/// The most steps from a certificate to a possible issuer, in the search for all paths.
const MAX_STEPS: usize = 128;

/// The issuer of a certificate: an intermediate, by its index, or the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Issuer {
    Intermediate(usize),
    Organisation,
}

/// One signature to verify: that of an issuer over a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    /// The index of the intermediate that was issued; `None` for the certificate at the lower end.
    issued: Option<usize>,
    issuer: Issuer,
}

/// The signatures of all paths together.
type Links = SmallVec<[Link; MAX_SIGNATURES]>;

/// The indexes of intermediates, from the lower end upwards.
type Intermediates = SmallVec<[usize; 2]>;

/// All paths from one certificate to the organisation's that pass all checks except those of their
/// signatures.
pub(crate) struct Paths<'c, 'a> {
    end: &'c UnverifiedCertificate<'a>,
    organisation: &'c OrganisationProfile<'c, 'a>,
    intermediates: &'c [UnverifiedCertificate<'a>],
    found: Vec<Path>,
    /// The signatures of all paths, each once.
    needed: Links,
}

/// A path, and the period in which all of its certificates are valid together.
pub(crate) struct Path {
    intermediates: Intermediates,
    pub(crate) period: Period,
}

impl<'c, 'a> Paths<'c, 'a> {
    /// Finds all paths that are valid together with everything else at some second of `required`.
    /// `available` is the period of everything else. Returns at least one path, or the reason why
    /// there is none.
    pub(crate) fn find(
        end: &'c UnverifiedCertificate<'a>,
        organisation: &'c OrganisationProfile<'c, 'a>,
        intermediates: &'c [UnverifiedCertificate<'a>],
        rules: Rules,
        available: Period,
        required: Period,
    ) -> Result<Self, VerifyError> {
        let search = Search {
            end,
            organisation,
            intermediates,
            rules,
            available,
            required,
            failure: None,
            issuers: vec![None; intermediates.len().saturating_add(1)],
        };
        let (found, needed) = search.run()?;
        Ok(Self {
            end,
            organisation,
            intermediates,
            found,
            needed,
        })
    }

    /// The work to verify the signatures of all paths.
    pub(crate) fn work(&self) -> Result<Work, VerifyError> {
        self.needed.iter().try_fold(Work::NONE, |work, &link| {
            let key = self.key_of(link.issuer)?;
            Ok(work.saturating_add(work_of(self.issued(link), &key)))
        })
    }

    /// The paths, shortest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Path> {
        self.found.iter()
    }

    /// The period in which all certificates of a path are valid together, whatever the verifier's
    /// period.
    pub(crate) fn certificates_period(&self, path: &Path) -> Option<Period> {
        let between = path.intermediates.iter();
        between
            .filter_map(|&place| self.intermediates.get(place))
            .chain([self.end, self.organisation.certificate()])
            .try_fold(Period::always(), |period, certificate| {
                period.intersect(certificate.period())
            })
    }

    /// Starts the verification of paths, which verifies each signature once.
    pub(crate) fn signatures(&self) -> Signatures<'_, 'c, 'a> {
        Signatures {
            paths: self,
            good: SmallVec::new(),
            bad: SmallVec::new(),
        }
    }
}

impl Path {
    fn links(&self) -> impl Iterator<Item = Link> {
        links(&self.intermediates)
    }
}

/// The work to verify the organisation's signature over its own certificate.
pub(crate) fn work_of_organisation(organisation: &OrganisationProfile<'_, '_>) -> Work {
    let certificate = organisation.certificate();
    if is_self_issued(certificate) {
        work_of(certificate, &organisation.key)
    } else {
        Work::NONE
    }
}

/// The work to verify the signature over a certificate.
fn work_of(certificate: &UnverifiedCertificate<'_>, issuer: &PublicKeyRef<'_>) -> Work {
    let octets = certificate.content().len();
    issuer.work().saturating_add(Work::of_digest(octets))
}

/// The signatures of a path, from the lower end upwards.
fn links(intermediates: &[usize]) -> impl Iterator<Item = Link> {
    let issued = std::iter::once(None).chain(intermediates.iter().copied().map(Some));
    let issuers = intermediates
        .iter()
        .copied()
        .map(Issuer::Intermediate)
        .chain(std::iter::once(Issuer::Organisation));
    issued
        .zip(issuers)
        .map(|(issued, issuer)| Link { issued, issuer })
}

/// The results of the signatures that were verified so far.
pub(crate) struct Signatures<'p, 'c, 'a> {
    paths: &'p Paths<'c, 'a>,
    good: SmallVec<[Link; 2]>,
    bad: SmallVec<[Link; 2]>,
}

impl Signatures<'_, '_, '_> {
    /// Verifies the signatures of one path.
    pub(crate) fn verify(&mut self, path: &Path) -> Result<(), VerifyError> {
        // From the organisation downwards, so that an intermediate's key is used only after the
        // organisation's signature over it is verified.
        let links: SmallVec<[Link; 3]> = path.links().collect();
        links
            .into_iter()
            .rev()
            .try_for_each(|link| self.check(link))
    }

    fn check(&mut self, link: Link) -> Result<(), VerifyError> {
        if self.good.contains(&link) {
            return Ok(());
        }
        let certificate = self.paths.issued(link);
        if self.bad.contains(&link) {
            return Err(VerifyError::CertificateSignature {
                certificate: certificate.role(),
            });
        }
        let outcome = certificate.verify_signature(&self.paths.key_of(link.issuer)?);
        let known = if outcome.is_ok() {
            &mut self.good
        } else {
            &mut self.bad
        };
        known.push(link);
        outcome
    }
}

impl<'c, 'a> Paths<'c, 'a> {
    fn issued(&self, link: Link) -> &'c UnverifiedCertificate<'a> {
        link.issued
            .and_then(|issued| self.intermediates.get(issued))
            .unwrap_or(self.end)
    }

    fn key_of(&self, issuer: Issuer) -> Result<PublicKeyRef<'a>, VerifyError> {
        match issuer {
            Issuer::Organisation => Ok(self.organisation.key),
            Issuer::Intermediate(place) => self
                .intermediates
                .get(place)
                .ok_or(VerifyError::PathBudgetExhausted)?
                .public_key_ref(),
        }
    }
}

/// The search. It goes upwards and breadth first from the lower end, so that short paths come
/// first.
struct Search<'c, 'a> {
    end: &'c UnverifiedCertificate<'a>,
    organisation: &'c OrganisationProfile<'c, 'a>,
    intermediates: &'c [UnverifiedCertificate<'a>],
    rules: Rules,
    available: Period,
    required: Period,
    /// The reason why the shortest path fails.
    failure: Option<VerifyError>,
    /// The possible issuers of each certificate, once determined: of the intermediates by index,
    /// then of the end certificate. Names may be long, and paths visit the same certificates
    /// repeatedly.
    issuers: Vec<Option<Issuers>>,
}

/// The possible issuers of a certificate, by name alone.
#[derive(Clone, Debug)]
struct Issuers {
    organisation: bool,
    intermediates: Intermediates,
}

impl<'c, 'a> Search<'c, 'a> {
    fn run(mut self) -> Result<(Vec<Path>, Links), VerifyError> {
        let mut found = Vec::new();
        let mut needed: Links = smallvec![];
        let mut open: Vec<(Intermediates, Period)> = vec![(Intermediates::new(), self.available)];
        let mut steps = 0usize;
        let mut next = 0;
        while let Some((below, period)) = open.get(next).cloned() {
            next = next.saturating_add(1);
            let issuers = self.issuers_of(below.last().copied());
            if issuers.organisation {
                match self.complete(&below) {
                    Ok(()) => {
                        for link in links(&below) {
                            if !needed.contains(&link) {
                                needed.push(link);
                            }
                        }
                        found.push(Path {
                            intermediates: below.clone(),
                            period,
                        });
                    }
                    Err(failure) => self.note(failure),
                }
            }
            for place in issuers.intermediates {
                let Some(candidate) = self.intermediates.get(place) else {
                    continue;
                };
                if below.contains(&place) {
                    continue;
                }
                steps = steps.saturating_add(1);
                if steps > MAX_STEPS || needed.len() > MAX_SIGNATURES {
                    return Err(VerifyError::PathBudgetExhausted);
                }
                match self.extend(&below, candidate, period) {
                    Ok(period) => {
                        let mut above = below.clone();
                        above.push(place);
                        open.push((above, period));
                    }
                    Err(failure) => self.note(failure),
                }
            }
        }
        if needed.len() > MAX_SIGNATURES {
            return Err(VerifyError::PathBudgetExhausted);
        }
        if found.is_empty() {
            return Err(self.failure.unwrap_or(VerifyError::OtherIssuer {
                certificate: self.end.role(),
            }));
        }
        Ok((found, needed))
    }

    /// The possible issuers of the intermediate at that index, or of the certificate at the lower
    /// end.
    fn issuers_of(&mut self, place: Option<usize>) -> Issuers {
        let slot = place.unwrap_or(self.intermediates.len());
        if let Some(Some(known)) = self.issuers.get(slot) {
            return known.clone();
        }
        let issued = place
            .and_then(|place| self.intermediates.get(place))
            .unwrap_or(self.end);
        let named = self.intermediates.iter().enumerate();
        let issuers = Issuers {
            organisation: issued.names_as_issuer(self.organisation.certificate()),
            intermediates: named
                .filter(|(_, candidate)| issued.names_as_issuer(candidate))
                .map(|(place, _)| place)
                .collect(),
        };
        if let Some(slot) = self.issuers.get_mut(slot) {
            *slot = Some(issuers.clone());
        }
        issuers
    }

    /// The certificate whose issuer is searched.
    fn last(&self, below: &[usize]) -> &'c UnverifiedCertificate<'a> {
        below
            .last()
            .and_then(|&place| self.intermediates.get(place))
            .unwrap_or(self.end)
    }

    /// Checks that the organisation's certificate may end the path above `below`.
    fn complete(&self, below: &[usize]) -> Result<(), VerifyError> {
        let organisation = self.organisation.certificate();
        check_issues(organisation, self.rules)?;
        self.check_path_length(organisation, below)?;
        self.check_link(self.last(below), organisation, &self.organisation.key)
    }

    /// Checks that `candidate` may follow above `below`, and returns the period in which all are
    /// valid together.
    fn extend(
        &self,
        below: &[usize],
        candidate: &UnverifiedCertificate<'a>,
        period: Period,
    ) -> Result<Period, VerifyError> {
        let key = check_intermediate(candidate, self.rules)?;
        self.check_path_length(candidate, below)?;
        self.check_link(self.last(below), candidate, &key)?;
        check_time(candidate, self.required)?;
        if below.len() >= MAX_PATH_INTERMEDIATES {
            return Err(VerifyError::PathBudgetExhausted);
        }
        period
            .intersect(candidate.period())
            .filter(|period| period.overlaps(self.required))
            .ok_or(VerifyError::NeverValidTogether {
                required: self.required,
            })
    }

    /// Checks a signature as far as possible without public-key operations.
    fn check_link(
        &self,
        certificate: &UnverifiedCertificate<'_>,
        issuer: &UnverifiedCertificate<'_>,
        issuer_key: &PublicKeyRef<'_>,
    ) -> Result<(), VerifyError> {
        check_issuer_key_identifier(certificate, issuer, issuer_key, self.rules)?;
        certificate.check_signature_algorithm(issuer_key)
    }

    /// Checks that the path length allows this many intermediates (RFC 5280 §4.2.1.9); those that a
    /// CA issued to itself do not count.
    fn check_path_length(
        &self,
        issuer: &UnverifiedCertificate<'_>,
        below: &[usize],
    ) -> Result<(), VerifyError> {
        let Some(limit) = issuer.extensions().path_length() else {
            return Ok(());
        };
        let following = below
            .iter()
            .filter_map(|&place| self.intermediates.get(place))
            .filter(|intermediate| !is_self_issued(intermediate))
            .count();
        if following > usize::from(limit) {
            return Err(VerifyError::PathTooLong {
                certificate: issuer.role(),
                limit,
            });
        }
        Ok(())
    }

    /// Keeps the first failure, which is that of the shortest path.
    fn note(&mut self, failure: VerifyError) {
        self.failure.get_or_insert(failure);
    }
}

/// Checks that a certificate is valid at some second of `required`.
pub(crate) fn check_time(
    certificate: &UnverifiedCertificate<'_>,
    required: Period,
) -> Result<(), VerifyError> {
    if certificate.period().overlaps(required) {
        return Ok(());
    }
    Err(VerifyError::certificate_time(
        certificate.role(),
        certificate.period(),
        required,
    ))
}
