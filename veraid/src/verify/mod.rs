//! The verification procedure, which combines DNSSEC, X.509, CMS and time (VeraId §7.4; DomainAuth
//! draft, "Verification Procedure").
//!
//! This procedure reads no clock and fetches nothing. Cheap steps come first: content, service,
//! times, names and the form of certificates; then one digest of the content; then the TXT record
//! in the chain, before it is proven. Public-key operations come last: the DNSSEC chain, the
//! organisation's signature over its own certificate, the signatures on the path from there to the
//! signatory, and the signature over the content.
//!
//! There is one procedure, [`verify`]. Memory of an organisation or a signatory replaces only the
//! facts that certificates and chain would prove. The checks of the signature itself are the same
//! either way.
//!
//! The crate's documentation says how times are compared: all of them together within the
//! verifier's period, and DNSSEC within its TTL override as well.

mod certification;
mod content;
mod known;
mod membership;
mod organisation;
mod outcome;
mod signatory;

use std::borrow::Cow;

use dnssec::{Chain, Demand, Period, Work};

pub(crate) use self::known::KnownOrganisation;
#[cfg(feature = "cache")]
pub(crate) use self::known::{KnownSigner, OwnedIdentifier};
pub(crate) use self::membership::{check_membership, verify_member};
pub(crate) use self::organisation::{PublishedKey, find_dialect};
pub use self::outcome::{
    SignedBy, Verification, VerifiedMember, VerifiedOrganisation, VerifiedSignature,
};
pub(crate) use self::signatory::{Capacity, Remembered};

use self::certification::{Certification, Certified};
use self::content::{check_service, check_signature_time, choose_content, demanded_service};
use self::organisation::Publication;
use self::signatory::Signatory;
use crate::algorithm::SignatureAlgorithm;
use crate::bundle::SignatureParts;
use crate::certificate::{OrganisationProfile, Paths, UnverifiedCertificate, named_organisation};
use crate::cms::SignedData;
use crate::error::VerifyError;
use crate::key::PublicKey;
use crate::name::{Member, MemberId, Organisation};
use crate::policy::{Policy, Rules};

/// The source of the facts about a signatory.
pub(crate) enum Backing<'b, 'a> {
    /// Memory of the signatory and the organisation: neither chain nor certificates are read.
    Memory(Remembered<'b>),
    /// Certificates, below a key that memory or a chain vouches for.
    Certificates {
        parts: &'b SignatureParts<'a>,
        root: Root<'b, 'a>,
    },
}

/// The source of the facts about an organisation's key.
#[derive(Clone, Copy)]
pub(crate) enum Root<'b, 'a> {
    /// Memory of the same chain and certificate.
    Memory(&'b KnownOrganisation),
    /// A chain that has yet to be verified.
    Chain(&'b Chain<'a>),
}

/// The facts from one verification that hold for other signatures too.
pub(crate) struct Learnt<'b, 'a> {
    pub(crate) organisation: OrganisationProfile<'b, 'a>,
    pub(crate) rules: Rules,
    /// The published key; `None` if it was remembered.
    pub(crate) published: Option<PublishedKey>,
    pub(crate) capacity: Capacity,
    /// The member, if it signed as itself.
    pub(crate) member: Option<Member>,
    pub(crate) key: PublicKey,
    /// The algorithm with which the content is signed.
    pub(crate) signature_algorithm: SignatureAlgorithm,
    /// The period in which the certificates are valid together, the organisation's included.
    pub(crate) certificates: Period,
}

/// Verifies a signature. Also returns the facts to remember, unless all of them were remembered
/// already.
pub(crate) fn verify<'v, 'b, 'a: 'v + 'b>(
    signed_data: &SignedData<'a>,
    backing: Backing<'b, 'a>,
    verification: &Verification<'v>,
) -> Result<(VerifiedSignature<'v>, Option<Learnt<'b, 'a>>), VerifyError> {
    let signer = &signed_data.signer;
    let required = verification.period;

    // Steps without public-key operations.
    let content = choose_content(signed_data, verification)?;
    let service = demanded_service(verification)?;
    check_service(signer, service)?;
    let (rules, publication) = backing.publication(verification.policy)?;
    rules.check_required_period(required)?;
    signer.check_form(rules)?;
    check_signature_time(signer, required)?;
    let (signatory, evidence) = backing.signatory(rules, required)?;
    let key = signatory.key.borrow();
    signer.check_algorithms(&key, rules)?;
    let intermediates = evidence.intermediates()?;
    let paths = evidence.find_paths(&intermediates)?;
    let work = key.work().saturating_add(content.work());
    let demand = evidence.demand(paths.as_ref(), work, rules, required)?;
    signer.check_digest(&content)?;

    // Public-key operations.
    let proof = evidence.prove(&publication, paths.as_ref(), verification, demand)?;
    signer.verify(&signatory.key)?;

    let organisation = evidence.organisation().clone();
    let (period, published) = (proof.period(), proof.published().clone());
    let public_key = signatory.key.to_public_key();
    let learnt = evidence.learnt(proof, &signatory, &public_key, signer.signature_algorithm());
    let verified = VerifiedSignature {
        member_id: MemberId::new(organisation, signatory.member),
        signed_by: signatory.capacity.signed_by(),
        is_delegated: signatory.capacity == Capacity::Delegate,
        content: content.into_octets(),
        service,
        period,
        signature_period: signer.metadata.period,
        dialect: rules.dialect,
        key: public_key,
        serial_number: Cow::Borrowed(signer.identifier.serial_number),
        published,
    };
    Ok((verified, learnt))
}

impl<'b, 'a> Backing<'b, 'a> {
    /// The rules of the bundle's dialect, and the publication of the organisation's key.
    fn publication(&self, policy: Policy) -> Result<(Rules, Publication<'b, 'a>), VerifyError> {
        let known = match *self {
            Self::Memory(ref remembered) => remembered.organisation,
            Self::Certificates {
                root: Root::Memory(known),
                ..
            } => known,
            Self::Certificates {
                root: Root::Chain(chain),
                parts,
            } => {
                let named = named_organisation(&parts.organisation_certificate)?;
                return Publication::of_chain(chain, &named, policy);
            }
        };
        Ok((known.rules, Publication::Remembered(&known.published)))
    }

    /// The signatory, and the evidence that it may sign.
    fn signatory(
        self,
        rules: Rules,
        required: Period,
    ) -> Result<(Signatory<'b>, Evidence<'b, 'a>), VerifyError>
    where
        'a: 'b,
    {
        match self {
            Self::Memory(remembered) => Ok((
                remembered.signatory()?,
                Evidence::Memory {
                    organisation: remembered.organisation,
                    period: remembered.period,
                },
            )),
            Self::Certificates { parts, .. } => {
                let certification = Certification::check(
                    &parts.organisation_certificate,
                    parts.signer_certificate.as_ref(),
                    Some(parts.signed_data.signer.metadata.period),
                    rules,
                    required,
                )?;
                let (signatory, end) = Signatory::certified(parts, &certification)?;
                let evidence = Evidence::Certificates {
                    certification,
                    end,
                    parts,
                };
                Ok((signatory, evidence))
            }
        }
    }
}

/// The evidence that a signatory may sign.
enum Evidence<'b, 'a> {
    Memory {
        organisation: &'b KnownOrganisation,
        /// The period for which the signature and everything that it depends on hold.
        period: Period,
    },
    Certificates {
        certification: Certification<'b, 'a>,
        /// The signatory's certificate, unless it is the organisation's own.
        end: Option<&'b UnverifiedCertificate<'a>>,
        parts: &'b SignatureParts<'a>,
    },
}

/// Evidence that was verified.
enum Proof<'b> {
    Memory {
        published: &'b PublishedKey,
        period: Period,
    },
    Certificates(Certified<'b>),
}

impl<'b, 'a> Evidence<'b, 'a> {
    fn organisation(&self) -> &Organisation {
        match self {
            Self::Memory { organisation, .. } => &organisation.organisation,
            Self::Certificates { certification, .. } => &certification.organisation.organisation,
        }
    }

    /// The certificates that may be between the organisation's and the signatory's.
    fn intermediates(&self) -> Result<Vec<UnverifiedCertificate<'a>>, VerifyError> {
        let Self::Certificates {
            certification,
            end: Some(end),
            parts,
        } = self
        else {
            return Ok(Vec::new());
        };
        if !certification.rules.is_domain_auth() {
            return Ok(Vec::new());
        }
        let mut intermediates = parts.signed_data.intermediate_certificates()?;
        let has_its_place = |certificate: &UnverifiedCertificate<'_>| {
            [&parts.organisation_certificate, end]
                .iter()
                .any(|known| known.content() == certificate.content())
        };
        intermediates.retain(|certificate| !has_its_place(certificate));
        Ok(intermediates)
    }

    /// Finds the paths from the signatory's certificate to the organisation's, if certificates are
    /// to be verified.
    fn find_paths<'s>(
        &'s self,
        intermediates: &'s [UnverifiedCertificate<'a>],
    ) -> Result<Option<Paths<'s, 'a>>, VerifyError> {
        match self {
            Self::Certificates {
                certification,
                end: Some(end),
                ..
            } => certification.find_paths(end, intermediates).map(Some),
            _ => Ok(None),
        }
    }

    /// The demand on the chain. Its limit on work is the policy's, less the work for certificates and
    /// less `work`.
    fn demand(
        &self,
        paths: Option<&Paths<'_, '_>>,
        work: Work,
        rules: Rules,
        required: Period,
    ) -> Result<Demand, VerifyError> {
        match self {
            Self::Memory { .. } => rules.demand(required, work),
            Self::Certificates { certification, .. } => certification.demand(paths, work),
        }
    }

    fn prove(
        &self,
        publication: &Publication<'b, '_>,
        paths: Option<&Paths<'_, '_>>,
        verification: &Verification<'_>,
        demand: Demand,
    ) -> Result<Proof<'b>, VerifyError> {
        match *self {
            Self::Memory {
                organisation,
                period,
            } => Ok(Proof::Memory {
                published: &organisation.published,
                period,
            }),
            Self::Certificates {
                ref certification, ..
            } => certification
                .prove(publication, paths, verification, demand)
                .map(Proof::Certificates),
        }
    }

    /// The facts that were proven, if they were not remembered.
    fn learnt(
        self,
        proof: Proof<'b>,
        signatory: &Signatory<'b>,
        key: &PublicKey,
        signature_algorithm: SignatureAlgorithm,
    ) -> Option<Learnt<'b, 'a>> {
        let (Self::Certificates { certification, .. }, Proof::Certificates(certified)) =
            (self, proof)
        else {
            return None;
        };
        Some(Learnt {
            organisation: certification.organisation,
            rules: certification.rules,
            published: match certified.published {
                Cow::Owned(published) => Some(published),
                Cow::Borrowed(_) => None,
            },
            capacity: signatory.capacity,
            member: (signatory.capacity == Capacity::Member).then(|| signatory.member.clone()),
            key: key.clone(),
            signature_algorithm,
            certificates: certified.certificates,
        })
    }
}

impl Proof<'_> {
    /// The period for which everything holds.
    fn period(&self) -> Period {
        match self {
            Self::Memory { period, .. } => *period,
            Self::Certificates(certified) => certified.period,
        }
    }

    /// The proof that the organisation's key is published.
    fn published(&self) -> &PublishedKey {
        match self {
            Self::Memory { published, .. } => published,
            Self::Certificates(certified) => &certified.published,
        }
    }
}
