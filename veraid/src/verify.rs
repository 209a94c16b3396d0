//! The verifier: joins DNSSEC, X.509, CMS and time (VeraId §7.4; DomainAuth draft, "Verification Procedure").
//!
//! No clock is read and nothing is fetched. Steps come in the order of what they cost: content, service, times, names and
//! the shape of certificates first, then one digest of the content, then the TXT record as it stands in the chain, and
//! only then public-key operations: the DNSSEC chain, the organisation's signature over its own certificate, those that
//! lead from there to the signer's, and the signature over the content; or the other way round ([`Order`]).
//!
//! Times are compared as the crate's documentation says: all together within the verifier's period, DNSSEC within its TTL
//! override as well.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use dnssec::{
    Chain, Demand, Fact, Name, Period, RecordType, Timestamp, TrustAnchors, Validity, Work,
    txt_content,
};
use smallvec::SmallVec;

use crate::algorithm::SignatureAlgorithm;
use crate::bundle::{MemberIdBundle, SignatureBundle, SignatureParts};
use crate::certificate::{
    DelegateProfile, IntermediateCertificate, MemberProfile, OrganisationCertificate,
    OrganisationProfile, Paths, UnverifiedCertificate, check_time, named_organisation,
    work_of_organisation,
};
use crate::cms::{SignedData, SignerInfo};
use crate::error::Error;
use crate::key::{KeyAlgorithm, PublicKeyRef};
use crate::memory::{KnownOrganisation, KnownSigner};
use crate::name::{Dialect, Member, MemberId, Organisation};
use crate::policy::{Policy, Rules};
use crate::record::{self, TtlOverride, TxtRecord};

/// Class IN (RFC 1035 §3.2.4).
const CLASS_IN: u16 = 1;
/// The response codes of a server that had something to say (RFC 1035 §4.1.1).
const NOERROR: u16 = 0;
const NXDOMAIN: u16 = 3;

/// What a verifier demands of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Verification<'v> {
    service: ObjectIdentifier,
    period: Period,
    anchors: &'v TrustAnchors,
    detached_content: Option<&'v [u8]>,
    policy: Policy,
    order: Order,
}

/// In which order the public-key operations come. What holds is the same either way; of a bundle with several things wrong
/// with it, another one may be told first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// From the DNS root down to the signature.
    #[default]
    ChainFirst,
    /// From the signature up to the DNS root.
    SignatureFirst,
}

impl<'v> Verification<'v> {
    /// The signature must be for `service`, and hold for at least one second of `period`.
    #[must_use]
    pub fn new(service: ObjectIdentifier, period: Period, anchors: &'v TrustAnchors) -> Self {
        Self {
            service,
            period,
            anchors,
            detached_content: None,
            policy: Policy::new(),
            order: Order::default(),
        }
    }

    /// Which dialects and key algorithms are taken, if not both dialects with RSA alone.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn period(&self) -> Period {
        self.period
    }

    /// In which order the public-key operations come.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// The content, when it is not attached to the signature.
    #[must_use]
    pub fn with_detached_content(mut self, content: &'v [u8]) -> Self {
        self.detached_content = Some(content);
        self
    }
}

/// Whose key made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignedBy {
    /// The member's own.
    Member,
    /// The organisation's. That the content is the member's is the organisation's word alone.
    #[doc(alias = "Organization")]
    Organisation,
}

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSignature<'v> {
    member_id: MemberId,
    signed_by: SignedBy,
    is_delegated: bool,
    content: Cow<'v, [u8]>,
    service: ObjectIdentifier,
    period: Period,
    signature_period: Period,
    dialect: Dialect,
    key_algorithm: KeyAlgorithm,
}

impl VerifiedSignature<'_> {
    /// The member that signed, or to whom the organisation attributes the content: see
    /// [`VerifiedSignature::signed_by`].
    #[must_use]
    pub fn member_id(&self) -> &MemberId {
        &self.member_id
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_member_id(self) -> MemberId {
        self.member_id
    }

    /// Whose key made the signature.
    #[must_use]
    pub fn signed_by(&self) -> SignedBy {
        self.signed_by
    }

    /// Whether the organisation's signature was made with the key of somebody to whom it delegates (DomainAuth).
    #[must_use]
    pub fn is_delegated(&self) -> bool {
        self.is_delegated
    }

    /// What is signed, whether it was attached or given.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The service that the signature is for.
    #[must_use]
    pub fn service(&self) -> ObjectIdentifier {
        self.service
    }

    /// When all of it holds without interruption: not cut to the period that was asked for, but with at least one second
    /// of that.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// When the signer says that the signature is valid, which may be longer than it can be verified.
    #[must_use]
    pub fn signature_period(&self) -> Period {
        self.signature_period
    }

    /// The protocol that the bundle follows.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What kind of key made the signature.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}

/// A membership that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedMember {
    member_id: MemberId,
    period: Period,
    dialect: Dialect,
    key_algorithm: KeyAlgorithm,
}

impl VerifiedMember {
    /// The member and its organisation.
    #[must_use]
    pub fn member_id(&self) -> &MemberId {
        &self.member_id
    }

    /// When all of it holds without interruption: not cut to the period that was asked for, but with at least one second
    /// of that.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// The protocol that the bundle follows.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What kind of key the member has.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}

/// An organisation whose key its domain publishes.
#[doc(alias = "VerifiedOrganization")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedOrganisation {
    organisation: Organisation,
    period: Period,
    dialect: Dialect,
    key_algorithm: KeyAlgorithm,
}

impl VerifiedOrganisation {
    /// The organisation.
    #[doc(alias = "organization")]
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// When all of it holds without interruption: not cut to the period that was asked for, but with at least one second
    /// of that.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// The protocol that the chain is for.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What kind of key the organisation has.
    #[must_use]
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }
}

/// What vouches for an organisation's key.
pub(crate) enum Ground<'g, 'a> {
    /// A chain, which has yet to be verified.
    Chain(&'g Chain<'a>),
    /// The very chain and certificate were verified before.
    Known(&'g KnownOrganisation),
}

/// What a verification found out that holds for other signatures too.
pub(crate) struct Lesson<'l, 'c, 'a> {
    pub(crate) rules: Rules,
    pub(crate) organisation: &'l OrganisationProfile<'c, 'a>,
    pub(crate) published: &'l PublishedKey,
    /// `None` if the organisation signed with its own key.
    pub(crate) signer: Option<SignerLesson<'l, 'a>>,
    /// What the content is signed with.
    pub(crate) signature_algorithm: SignatureAlgorithm,
}

pub(crate) struct SignerLesson<'l, 'a> {
    /// `None` if it signs in the organisation's name.
    pub(crate) member: Option<&'l Member>,
    pub(crate) key: PublicKeyRef<'a>,
    /// When the certificates are valid together, the organisation's among them.
    pub(crate) period: Period,
}

pub(crate) fn verify_signature<'v, 'a: 'v>(
    bundle: &SignatureBundle<'a>,
    verification: &Verification<'v>,
) -> Result<VerifiedSignature<'v>, Error> {
    let ground = Ground::Chain(bundle.unverified_chain());
    verify_parts(bundle.parts(), &ground, verification, |_| {})
}

/// Verifies a signature on what is known or has yet to be; what else there is to know comes out by `learn`.
pub(crate) fn verify_parts<'v, 'a: 'v>(
    parts: &SignatureParts<'a>,
    ground: &Ground<'_, 'a>,
    verification: &Verification<'v>,
    learn: impl FnOnce(Lesson<'_, '_, 'a>),
) -> Result<VerifiedSignature<'v>, Error> {
    let signer_info = &parts.signed_data.signer;
    let content = choose_content(&parts.signed_data, verification)?;
    check_service(signer_info, verification.service)?;
    let organisation_certificate = &parts.organisation_certificate;
    let (rules, owner) = match ground {
        Ground::Chain(chain) => {
            let named = named_organisation(organisation_certificate)?;
            let (rules, owner) = rules_of(chain, &named, verification.policy)?;
            (rules, Some(owner))
        }
        Ground::Known(known) => (known.rules, None),
    };
    let required = verification.period;
    rules.check_required_period(required)?;
    signer_info.check_form(rules)?;
    check_signature_time(signer_info, required)?;
    let certificates = std::iter::once(organisation_certificate).chain(&parts.signer_certificate);
    let available = common_period(certificates, Some(signer_info.metadata.period), required)?;
    let organisation = OrganisationProfile::check(organisation_certificate, rules)?;
    let signer = VerifiableSigner::check(parts, &organisation, rules)?;
    let key = signer.key(&organisation);
    signer_info.check_algorithms(&key, rules)?;
    let intermediates = intermediates_of(parts, rules)?;
    let paths = signer
        .certificate()
        .map(|certificate| {
            Paths::find(
                certificate,
                &organisation,
                &intermediates,
                rules,
                available,
                required,
            )
        })
        .transpose()?;
    let work = work_of_certificates(&organisation, paths.as_ref())?
        .plus(key.work())
        .plus(work_of_content(&content));
    let demand = rules.demand(required, work)?;
    signer_info.check_digest(&content)?;

    let certification = Certification {
        organisation: &organisation,
        is_known: matches!(ground, Ground::Known(_)),
        paths: paths.as_ref(),
        available,
    };
    let prove = || match (ground, &owner) {
        (Ground::Chain(chain), Some(owner)) => PublishedKey::prove(
            chain,
            owner,
            &organisation,
            Some(verification.service),
            verification.anchors,
            demand,
            rules,
        ),
        (Ground::Chain(_), None) => Err(Error::AmbiguousDialect),
        (Ground::Known(known), _) => Ok(known.published.clone()),
    };
    let (published, held) = match verification.order {
        Order::ChainFirst => {
            let published = prove()?;
            let held = certification.verify(&published.within(required, rules)?)?;
            signer_info.verify(&key)?;
            (published, held)
        }
        Order::SignatureFirst => {
            signer_info.verify(&key)?;
            let good = certification.verify_all()?;
            let published = prove()?;
            let held = published.within(required, rules)?.first_of(good)?;
            (published, held)
        }
    };
    learn(Lesson {
        rules,
        organisation: &organisation,
        published: &published,
        signer: signer.lesson(held.certificates),
        signature_algorithm: signer_info.signature_algorithm(),
    });

    Ok(VerifiedSignature {
        signed_by: signer.signed_by(),
        is_delegated: matches!(signer, VerifiableSigner::Delegate { .. }),
        member_id: MemberId::new(organisation.organisation, signer.into_member()),
        content,
        service: verification.service,
        period: held.period,
        signature_period: signer_info.metadata.period,
        dialect: rules.dialect,
        key_algorithm: key.algorithm,
    })
}

/// Verifies a signature by an organisation that is known, on its own or by a signer who is known too: all that is left to do
/// is to check the signature.
///
/// `None` if something about it is not as it should be, or has to be looked at more closely: then [`verify_parts`] tells.
pub(crate) fn verify_recognised<'a>(
    signed_data: &SignedData<'a>,
    organisation: &KnownOrganisation,
    signer: Option<&KnownSigner>,
    verification: &Verification<'_>,
) -> Option<Result<VerifiedSignature<'a>, Error>> {
    let signer_info = &signed_data.signer;
    let rules = organisation.rules;
    let required = verification.period;
    let content = signed_data.content.clone()?;
    let attribution = signer_info
        .attribution
        .map(|attribution| Member::parse_for(attribution, rules.dialect))
        .transpose()
        .ok()?;
    let (key, certificates, member, signed_by) = match (signer, attribution) {
        (Some(signer), None) => {
            let member = signer.member.clone()?;
            (&signer.key, signer.period, member, SignedBy::Member)
        }
        (Some(signer), Some(attributed)) if signer.member.is_none() => {
            let period = signer.period;
            (&signer.key, period, attributed, SignedBy::Organisation)
        }
        (None, Some(attributed))
            if organisation.may_sign_content && organisation.signs(signed_data.signer_octets()) =>
        {
            let period = organisation.certificate_period;
            (
                &organisation.key,
                period,
                attributed,
                SignedBy::Organisation,
            )
        }
        _ => return None,
    };
    check_service(signer_info, verification.service).ok()?;
    rules.check_required_period(required).ok()?;
    signer_info.check_form(rules).ok()?;
    let available = certificates.intersect(signer_info.metadata.period)?;
    let published = organisation.published.within(required, rules).ok()?;
    let period = published.period_with(available).ok()?;
    signer_info.check_algorithms(&key.borrow(), rules).ok()?;
    signer_info.check_digest(&content).ok()?;
    Some(signer_info.verify_with(key).map(|()| VerifiedSignature {
        signed_by,
        is_delegated: signer.is_some_and(|signer| signer.member.is_none()),
        member_id: MemberId::new(organisation.organisation.clone(), member),
        content,
        service: verification.service,
        period,
        signature_period: signer_info.metadata.period,
        dialect: rules.dialect,
        key_algorithm: key.algorithm(),
    }))
}

/// The certificates that may stand between the organisation's and the signer's.
fn intermediates_of<'a>(
    parts: &SignatureParts<'a>,
    rules: Rules,
) -> Result<Vec<UnverifiedCertificate<'a>>, Error> {
    let Some(signer) = &parts.signer_certificate else {
        return Ok(Vec::new());
    };
    if !rules.is_domain_auth() {
        return Ok(Vec::new());
    }
    let mut intermediates = parts.signed_data.intermediate_certificates()?;
    let has_its_place = |certificate: &UnverifiedCertificate<'_>| {
        [&parts.organisation_certificate, signer]
            .iter()
            .any(|known| known.content() == certificate.content())
    };
    intermediates.retain(|certificate| !has_its_place(certificate));
    Ok(intermediates)
}

/// What checking all signatures over certificates takes.
fn work_of_certificates(
    organisation: &OrganisationProfile<'_, '_>,
    paths: Option<&Paths<'_, '_>>,
) -> Result<Work, Error> {
    let below = paths.map_or(Ok(Work::NONE), Paths::work)?;
    Ok(work_of_organisation(organisation).plus(below))
}

/// What reading content takes whoever it is for: a unit for so many octets, if it is JSON of many small members.
const CONTENT_OCTETS_PER_UNIT: usize = 32;

fn work_of_content(content: &[u8]) -> Work {
    let units = content.len() / CONTENT_OCTETS_PER_UNIT;
    Work::from_units(u32::try_from(units).unwrap_or(u32::MAX))
}

/// The certificates between which the signatures have yet to be checked.
struct Certification<'p, 'c, 'a> {
    organisation: &'p OrganisationProfile<'c, 'a>,
    /// Whether the organisation's signature over its own certificate was checked before.
    is_known: bool,
    /// From the signer to the organisation, unless that signed itself.
    paths: Option<&'p Paths<'c, 'a>>,
    /// When the certificates at both ends and the signature over the content, if there is one, are valid together.
    available: Period,
}

/// When what was verified holds.
#[derive(Clone, Copy)]
struct Held {
    /// All of it, or all but the chain.
    period: Period,
    /// The certificates, by themselves.
    certificates: Period,
}

impl Certification<'_, '_, '_> {
    /// Checks the signatures over certificates; gives when all but the signature over the content holds. Of several paths,
    /// the first that holds when the key is proven counts.
    fn verify(&self, proven: &ProvenKey<'_>) -> Result<Held, Error> {
        let Some(paths) = self.paths else {
            let period = proven.period_with(self.available)?;
            self.verify_organisation()?;
            return Ok(self.held(period));
        };
        let mut in_time = paths
            .iter()
            .filter_map(|path| Some((path, proven.period_with(path.period).ok()?)))
            .peekable();
        if in_time.peek().is_none() {
            return Err(proven.never_together());
        }
        self.verify_organisation()?;
        let mut signatures = paths.signatures();
        let mut failure = None;
        for (path, period) in in_time {
            match signatures.verify(path) {
                Ok(()) => {
                    return Ok(Held {
                        period,
                        certificates: paths.certificates_period(path).unwrap_or(period),
                    });
                }
                Err(other) => failure = failure.or(Some(other)),
            }
        }
        Err(failure.unwrap_or_else(|| proven.never_together()))
    }

    /// Checks the signatures over certificates, of all paths; gives when each path whose signatures are good is valid.
    fn verify_all(&self) -> Result<Vec<Held>, Error> {
        self.verify_organisation()?;
        let Some(paths) = self.paths else {
            return Ok(vec![self.held(self.available)]);
        };
        let mut signatures = paths.signatures();
        let mut failure = None;
        let mut good = Vec::new();
        for path in paths.iter() {
            match signatures.verify(path) {
                Ok(()) => good.push(Held {
                    period: path.period,
                    certificates: paths.certificates_period(path).unwrap_or(path.period),
                }),
                Err(other) => failure = failure.or(Some(other)),
            }
        }
        match failure {
            Some(failure) if good.is_empty() => Err(failure),
            _ => Ok(good),
        }
    }

    fn verify_organisation(&self) -> Result<(), Error> {
        if self.is_known {
            return Ok(());
        }
        self.organisation.verify_signature()
    }

    /// For an organisation that signs with its own key.
    fn held(&self, period: Period) -> Held {
        Held {
            period,
            certificates: self.organisation.certificate().period(),
        }
    }
}

pub(crate) fn verify_member(
    bundle: &MemberIdBundle,
    anchors: &TrustAnchors,
    required: Period,
    service: Option<ObjectIdentifier>,
    policy: Policy,
) -> Result<VerifiedMember, Error> {
    let chain = bundle.chain()?;
    let organisation_name = bundle.organisation_certificate().organisation();
    let (rules, owner) = rules_of(&chain, organisation_name, policy)?;
    rules.check_required_period(required)?;
    with_membership(
        bundle,
        rules,
        required,
        |organisation, member, paths, available| {
            let work = work_of_certificates(organisation, Some(paths))?;
            let demand = rules.demand(required, work)?;
            let published = PublishedKey::prove(
                &chain,
                &owner,
                organisation,
                service,
                anchors,
                demand,
                rules,
            )?;
            let certification = Certification {
                organisation,
                is_known: false,
                paths: Some(paths),
                available,
            };
            let held = certification.verify(&published.within(required, rules)?)?;
            Ok(VerifiedMember {
                key_algorithm: member.key.algorithm,
                member_id: MemberId::new(organisation.organisation.clone(), member.member.clone()),
                period: held.period,
                dialect: rules.dialect,
            })
        },
    )
}

/// Checks that the parts of a bundle fit each other, as far as can be told without public-key operations and without a time
/// to ask about.
pub(crate) fn check_membership(bundle: &MemberIdBundle, rules: Rules) -> Result<(), Error> {
    with_membership(bundle, rules, Period::ALWAYS, |_, _, _, _| Ok(()))
}

/// Checks what is free, and hands on what it found: the organisation, the member, the paths between them, and when both
/// certificates are valid.
fn with_membership<T>(
    bundle: &MemberIdBundle,
    rules: Rules,
    required: Period,
    then: impl FnOnce(
        &OrganisationProfile<'_, '_>,
        &MemberProfile<'_, '_>,
        &Paths<'_, '_>,
        Period,
    ) -> Result<T, Error>,
) -> Result<T, Error> {
    let organisation_certificate = bundle.organisation_certificate().parsed()?;
    let member_certificate = bundle.member_certificate().parsed()?;
    let intermediates = bundle
        .intermediate_certificates()
        .iter()
        .map(IntermediateCertificate::parsed)
        .collect::<Result<Vec<_>, _>>()?;
    let certificates = [&organisation_certificate, &member_certificate];
    let available = common_period(certificates, None, required)?;
    let organisation = OrganisationProfile::check(&organisation_certificate, rules)?;
    let member = MemberProfile::check(&member_certificate, &organisation, rules)?;
    let paths = Paths::find(
        &member_certificate,
        &organisation,
        &intermediates,
        rules,
        available,
        required,
    )?;
    then(&organisation, &member, &paths, available)
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
        let (rules, owner) = rules_of(&chain, self.organisation(), policy)?;
        rules.check_required_period(period)?;
        let available = common_period([&certificate], None, period)?;
        let organisation = OrganisationProfile::check(&certificate, rules)?;
        let demand = rules.demand(period, work_of_certificates(&organisation, None)?)?;
        let published = PublishedKey::prove(
            &chain,
            &owner,
            &organisation,
            service,
            anchors,
            demand,
            rules,
        )?;
        let certification = Certification {
            organisation: &organisation,
            is_known: false,
            paths: None,
            available,
        };
        let held = certification.verify(&published.within(period, rules)?)?;
        Ok(VerifiedOrganisation {
            key_algorithm: organisation.key.algorithm,
            organisation: organisation.organisation,
            period: held.period,
            dialect: rules.dialect,
        })
    }
}

/// Who may have signed, but for the signatures.
enum VerifiableSigner<'c, 'a> {
    Member(MemberProfile<'c, 'a>),
    Organisation {
        attribution: Member,
    },
    /// Somebody to whom the organisation delegates.
    Delegate {
        profile: DelegateProfile<'c, 'a>,
        attribution: Member,
    },
}

impl<'c, 'a> VerifiableSigner<'c, 'a> {
    /// Tells the kinds of signature apart by the attribution, and checks what each must have (VeraId §7.4 steps 4 and 5;
    /// DomainAuth draft, "Signature Types").
    fn check(
        parts: &'c SignatureParts<'a>,
        organisation: &OrganisationProfile<'c, 'a>,
        rules: Rules,
    ) -> Result<Self, Error> {
        let signer = &parts.signed_data.signer;
        let Some(attribution) = signer.attribution else {
            let certificate = parts.signer_certificate.as_ref();
            let certificate = certificate.ok_or(Error::NoSignerCertificate)?;
            return MemberProfile::check(certificate, organisation, rules).map(Self::Member);
        };
        let attribution =
            || Member::parse_for(attribution, rules.dialect).map_err(Error::InvalidAttribution);
        if signer.is_by(organisation.certificate())? {
            organisation.check_may_sign_content()?;
            return Ok(Self::Organisation {
                attribution: attribution()?,
            });
        }
        let certificate = parts.signer_certificate.as_ref();
        let certificate = certificate.ok_or(Error::AttributionByMember)?;
        Ok(Self::Delegate {
            profile: DelegateProfile::check(certificate, rules)?,
            attribution: attribution()?,
        })
    }

    fn signed_by(&self) -> SignedBy {
        match self {
            Self::Member(_) => SignedBy::Member,
            Self::Organisation { .. } | Self::Delegate { .. } => SignedBy::Organisation,
        }
    }

    /// The certificate of the key that signed, unless that is the organisation's own.
    fn certificate(&self) -> Option<&'c UnverifiedCertificate<'a>> {
        match self {
            Self::Member(member) => Some(member.certificate),
            Self::Organisation { .. } => None,
            Self::Delegate { profile, .. } => Some(profile.certificate),
        }
    }

    fn key(&self, organisation: &OrganisationProfile<'_, 'a>) -> PublicKeyRef<'a> {
        match self {
            Self::Member(member) => member.key,
            Self::Organisation { .. } => organisation.key,
            Self::Delegate { profile, .. } => profile.key,
        }
    }

    /// What there is to know of it for other signatures, if the certificates are valid together in `period`.
    fn lesson(&self, period: Period) -> Option<SignerLesson<'_, 'a>> {
        let (member, key) = match self {
            Self::Member(profile) => (Some(&profile.member), profile.key),
            Self::Organisation { .. } => return None,
            Self::Delegate { profile, .. } => (None, profile.key),
        };
        Some(SignerLesson {
            member,
            key,
            period,
        })
    }

    fn into_member(self) -> Member {
        match self {
            Self::Member(member) => member.member,
            Self::Organisation { attribution } | Self::Delegate { attribution, .. } => attribution,
        }
    }
}

/// The content: attached or given, never both.
fn choose_content<'v, 'a: 'v>(
    signed_data: &SignedData<'a>,
    verification: &Verification<'v>,
) -> Result<Cow<'v, [u8]>, Error> {
    match (&signed_data.content, verification.detached_content) {
        (Some(content), None) => Ok(content.clone()),
        (None, Some(content)) => Ok(Cow::Borrowed(content)),
        (None, None) => Err(Error::MissingContent),
        (Some(_), Some(_)) => Err(Error::UnexpectedContent),
    }
}

fn check_service(signer: &SignerInfo<'_>, expected: ObjectIdentifier) -> Result<(), Error> {
    if signer.metadata.service == expected.as_bytes() {
        Ok(())
    } else {
        Err(Error::ServiceMismatch { expected })
    }
}

fn check_signature_time(signer: &SignerInfo<'_>, required: Period) -> Result<(), Error> {
    let validity = signer.metadata.period;
    if validity.overlaps(required) {
        Ok(())
    } else {
        Err(Error::signature_time(validity, required))
    }
}

/// When the certificates and the signature, if there is one, are valid together; that must be so at some second of
/// `required`.
fn common_period<'c, 'a: 'c>(
    certificates: impl IntoIterator<Item = &'c UnverifiedCertificate<'a>>,
    signature: Option<Period>,
    required: Period,
) -> Result<Period, Error> {
    let mut common = signature.unwrap_or(Period::ALWAYS);
    for certificate in certificates {
        check_time(certificate, required)?;
        common = common
            .intersect(certificate.period())
            .ok_or(Error::NeverValidTogether { required })?;
    }
    if common.overlaps(required) {
        Ok(common)
    } else {
        Err(Error::NeverValidTogether { required })
    }
}

/// An organisation's key that its domain publishes, and when.
#[derive(Clone, Hash)]
pub(crate) struct PublishedKey {
    validity: Validity,
    ttl_override: TtlOverride,
}

impl PublishedKey {
    fn prove(
        chain: &Chain<'_>,
        owner: &Name,
        organisation: &OrganisationProfile<'_, '_>,
        service: Option<ObjectIdentifier>,
        anchors: &TrustAnchors,
        demand: Demand,
        rules: Rules,
    ) -> Result<Self, Error> {
        check_unverified_records(chain, &organisation.key, service, rules.dialect)?;
        let proof = match chain.look_up(owner, RecordType::TXT, anchors, demand)? {
            Fact::Proven(proof) => proof,
            Fact::ProvenAbsent(absence) => return Err(Error::RecordAbsent(Box::new(absence))),
        };
        let rdata = proof.rdata().iter().map(AsRef::as_ref);
        let records = parse_records(rdata, rules.dialect);
        Ok(Self {
            ttl_override: select_ttl_override(records, &organisation.key, service)?,
            validity: proof.validity().clone(),
        })
    }

    /// What that is worth to a verifier who asks about `required`.
    pub(crate) fn within(&self, required: Period, rules: Rules) -> Result<ProvenKey<'_>, Error> {
        let dnssec_window = dnssec_window(required, self.ttl_override);
        if !self.validity.overlaps(dnssec_window) {
            return Err(Error::TtlOverrideExceeded {
                validity: self.validity.clone(),
                ttl_override: self.ttl_override,
                required,
            });
        }
        Ok(ProvenKey {
            validity: &self.validity,
            window: match rules.dialect {
                Dialect::VeraId => required,
                Dialect::DomainAuth => dnssec_window,
            },
        })
    }

    pub(crate) fn holds_throughout(&self, required: Period) -> bool {
        let held = self.validity.first_overlapping(required);
        held.is_some_and(|held| held.contains(required.start()) && held.contains(required.end()))
    }

    /// Whether it is proven for no second from `time` on.
    pub(crate) fn has_ended_before(&self, time: Timestamp) -> bool {
        let last = self.validity.periods().last();
        last.is_none_or(|last| last.end() < time)
    }

    /// Octets that it takes.
    pub(crate) fn octets(&self) -> usize {
        size_of_val(self).saturating_add(size_of_val(self.validity.periods()))
    }
}

/// An organisation's key that its domain publishes at some second that will do.
pub(crate) struct ProvenKey<'p> {
    validity: &'p Validity,
    /// Where the second must lie at which all holds together: in the verifier's period or, in DomainAuth, in what of it the
    /// TTL override leaves ("Verification Procedure", steps 4 and 5).
    window: Period,
}

impl ProvenKey<'_> {
    /// The first of those periods that has a second of the window in it for which the key is proven too.
    fn first_of(&self, available: impl IntoIterator<Item = Held>) -> Result<Held, Error> {
        available
            .into_iter()
            .find_map(|held| {
                Some(Held {
                    period: self.period_with(held.period).ok()?,
                    ..held
                })
            })
            .ok_or_else(|| self.never_together())
    }

    /// The whole period, with a second of the window in it, for which the key is proven and all else available.
    fn period_with(&self, available: Period) -> Result<Period, Error> {
        self.validity
            .intersect_period(available)
            .first_overlapping(self.window)
            .ok_or_else(|| self.never_together())
    }

    fn never_together(&self) -> Error {
        Error::NeverValidTogether {
            required: self.window,
        }
    }
}

/// The rules for a chain, and the owner of the records in it.
fn rules_of(
    chain: &Chain<'_>,
    organisation: &Organisation,
    policy: Policy,
) -> Result<(Rules, Name), Error> {
    let (dialect, owner) = find_dialect(chain, organisation)?;
    Ok((Rules::new(dialect, policy)?, owner))
}

/// The dialect whose TXT RRset the chain holds, and that RRset's owner.
///
/// Responses that hold nothing do not decide: whoever asks for both names gets a denial for one of them. A chain with
/// nothing but such responses is left to DNSSEC, which says better what is wrong.
pub(crate) fn find_dialect(
    chain: &Chain<'_>,
    organisation: &Organisation,
) -> Result<(Dialect, Name), Error> {
    // A domain may have room for the shorter label alone.
    let candidates: SmallVec<[(Dialect, Name); 2]> = Dialect::ALL
        .iter()
        .filter_map(|&dialect| Some((dialect, organisation.record_owner(dialect).ok()?)))
        .collect();
    let shortest = organisation.record_owner(Dialect::VeraId);
    let (_, expected) = candidates.first().ok_or(match shortest {
        Err(error) => Error::RecordOwner(error),
        Ok(_) => Error::AmbiguousDialect,
    })?;
    let mut holding = candidates
        .iter()
        .filter(|(_, owner)| holds_records(chain, owner));
    match (holding.next(), holding.next()) {
        (Some(_), Some(_)) => Err(Error::AmbiguousDialect),
        (Some(only), None) => Ok(only.clone()),
        (None, _) => candidates
            .iter()
            .find(|(_, owner)| has_response(chain, owner))
            .cloned()
            .ok_or(Error::NoRecordResponse {
                owner: Box::new(expected.clone()),
            }),
    }
}

/// Whether some response to the question for TXT records at `owner`, proven or not, has any or an alias there: a CNAME, or
/// a DNAME above (RFC 6672).
fn holds_records(chain: &Chain<'_>, owner: &Name) -> bool {
    let is_answer = |record: &dnssec::Record<'_>| {
        record.class() == CLASS_IN
            && match record.record_type() {
                RecordType::TXT | RecordType::CNAME => record.is_at(owner),
                RecordType::DNAME => record.is_above(owner),
                _ => false,
            }
    };
    responses_to(chain, owner)
        .filter(|response| matches!(response.response_code(), NOERROR | NXDOMAIN))
        .any(|response| response.answers().iter().any(is_answer))
}

/// Whether some response, of whatever content, is to the question for TXT records at `owner`.
fn has_response(chain: &Chain<'_>, owner: &Name) -> bool {
    responses_to(chain, owner).next().is_some()
}

fn responses_to<'c, 'a>(
    chain: &'c Chain<'a>,
    owner: &'c Name,
) -> impl Iterator<Item = &'c dnssec::Response<'a>> {
    let responses = chain.responses().iter();
    responses.filter(|response| response.answers_question(owner, RecordType::TXT))
}

/// Refuses a chain early if no TXT record in it, proven or not, is for the key and the service.
///
/// A chain without any TXT record is left to DNSSEC, which says better what is wrong.
fn check_unverified_records(
    chain: &Chain<'_>,
    key: &PublicKeyRef<'_>,
    service: Option<ObjectIdentifier>,
    dialect: Dialect,
) -> Result<(), Error> {
    let mut rdata = chain
        .responses()
        .iter()
        .flat_map(dnssec::Response::answers)
        .filter(|record| record.record_type() == RecordType::TXT)
        .map(dnssec::Record::rdata)
        .peekable();
    let serves = |record: &TxtRecord| match (record.service, service) {
        (Some(of), Some(service)) => of == service,
        _ => true,
    };
    if rdata.peek().is_none()
        || parse_records(rdata, dialect).any(|record| serves(&record) && record.identifies(key))
    {
        Ok(())
    } else {
        Err(Error::NoMatchingRecord)
    }
}

/// Those records that parse; others may stand beside them.
fn parse_records<'r>(
    rdata: impl Iterator<Item = &'r [u8]>,
    dialect: Dialect,
) -> impl Iterator<Item = TxtRecord> {
    rdata.filter_map(move |rdata| TxtRecord::parse(&txt_content(rdata)?, dialect))
}

/// The TTL override that counts. Without a service, that is the longest of those for the key.
fn select_ttl_override(
    records: impl Iterator<Item = TxtRecord>,
    key: &PublicKeyRef<'_>,
    service: Option<ObjectIdentifier>,
) -> Result<TtlOverride, Error> {
    match service {
        Some(service) => record::select(records, key, service).map(|record| record.ttl_override),
        None => records
            .filter(|record| record.identifies(key))
            .map(|record| record.ttl_override)
            .max()
            .ok_or(Error::NoMatchingRecord),
    }
}

/// The last seconds of the verifier's period, as many as the TTL override says.
fn dnssec_window(required: Period, ttl_override: TtlOverride) -> Period {
    let earliest = required.end().saturating_sub(ttl_override.seconds().into());
    Period::new(earliest, required.end())
        .and_then(|window| window.intersect(required))
        .unwrap_or(required)
}
