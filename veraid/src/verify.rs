//! The verifier: joins DNSSEC, X.509, CMS and time (VeraId §7.4; DomainAuth draft, "Verification Procedure").
//!
//! No clock is read and nothing is fetched. Steps come in the order of what they cost: content, service, times, names and
//! the shape of certificates first, then one digest of the content, then the TXT record as it stands in the chain, and
//! only then public-key operations: the DNSSEC chain, the organisation's signature over its own certificate, its signature
//! over the member's, and the signature over the content.
//!
//! Times are compared as the crate's documentation says: all together within the verifier's period, DNSSEC within its TTL
//! override as well.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;
use dnssec::{Chain, Fact, Name, Period, RecordType, TrustAnchors, Validity, txt_content};

use crate::bundle::{MemberIdBundle, SignatureBundle};
use crate::certificate::{
    MemberProfile, OrganisationCertificate, OrganisationProfile, UnverifiedCertificate, check_time,
};
use crate::cms::SignerInfo;
use crate::error::Error;
use crate::key::{KeyAlgorithm, PublicKeyRef};
use crate::name::{Dialect, Member, MemberId, Organisation};
use crate::record::{self, TtlOverride, TxtRecord};

/// The label of DomainAuth's records: a chain with those and VeraId's could be read in two ways.
const DOMAIN_AUTH_LABEL: &[u8] = b"_domainauth";
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
        }
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
    Organisation,
}

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSignature<'v> {
    member_id: MemberId,
    signed_by: SignedBy,
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

    /// Whose key made the signature.
    #[must_use]
    pub fn signed_by(&self) -> SignedBy {
        self.signed_by
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedOrganisation {
    organisation: Organisation,
    period: Period,
    dialect: Dialect,
    key_algorithm: KeyAlgorithm,
}

impl VerifiedOrganisation {
    /// The organisation.
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

pub(crate) fn verify_signature<'v, 'a: 'v>(
    bundle: &SignatureBundle<'a>,
    verification: &Verification<'v>,
) -> Result<VerifiedSignature<'v>, Error> {
    let signer_info = &bundle.signed_data().signer;
    let content = choose_content(bundle, verification)?;
    check_service(signer_info, verification.service)?;
    let organisation_certificate = bundle.unverified_organisation_certificate();
    let member_certificate = bundle.unverified_member_certificate();
    let required = verification.period;
    check_signature_time(signer_info, required)?;
    let certificates = std::iter::once(organisation_certificate).chain(member_certificate);
    let available = common_period(certificates, Some(signer_info.metadata.period), required)?;
    let organisation = OrganisationProfile::check(organisation_certificate)?;
    let signer = VerifiableSigner::check(bundle, &organisation)?;
    signer_info.check_digest(&content)?;

    let proven = ProvenKey::prove(
        bundle.unverified_chain(),
        &organisation,
        Some(verification.service),
        verification.anchors,
        required,
    )?;
    let period = proven.period_with(available, required)?;
    organisation.verify_signature()?;
    if let VerifiableSigner::Member(member) = &signer {
        member.verify_signature(&organisation)?;
    }
    let key = signer.key(&organisation);
    signer_info.verify(&key)?;

    Ok(VerifiedSignature {
        signed_by: signer.signed_by(),
        member_id: MemberId::new(organisation.organisation, signer.into_member()),
        content,
        service: verification.service,
        period,
        signature_period: signer_info.metadata.period,
        dialect: proven.dialect,
        key_algorithm: key.algorithm,
    })
}

pub(crate) fn verify_member(
    bundle: &MemberIdBundle,
    anchors: &TrustAnchors,
    required: Period,
    service: Option<ObjectIdentifier>,
) -> Result<VerifiedMember, Error> {
    let organisation_certificate = bundle.organisation_certificate().parsed()?;
    let member_certificate = bundle.member_certificate().parsed()?;
    let certificates = [&organisation_certificate, &member_certificate];
    let available = common_period(certificates, None, required)?;
    let organisation = OrganisationProfile::check(&organisation_certificate)?;
    let member = MemberProfile::check(&member_certificate, &organisation)?;

    let proven = ProvenKey::prove(&bundle.chain()?, &organisation, service, anchors, required)?;
    let period = proven.period_with(available, required)?;
    organisation.verify_signature()?;
    member.verify_signature(&organisation)?;
    Ok(VerifiedMember {
        key_algorithm: member.key.algorithm,
        member_id: MemberId::new(organisation.organisation, member.member),
        period,
        dialect: proven.dialect,
    })
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
    ) -> Result<VerifiedOrganisation, Error> {
        let certificate = self.parsed()?;
        let available = common_period([&certificate], None, period)?;
        let organisation = OrganisationProfile::check(&certificate)?;
        let chain = Chain::from_der(chain_der)?;
        let proven = ProvenKey::prove(&chain, &organisation, service, anchors, period)?;
        let period = proven.period_with(available, period)?;
        organisation.verify_signature()?;
        Ok(VerifiedOrganisation {
            key_algorithm: organisation.key.algorithm,
            organisation: organisation.organisation,
            period,
            dialect: proven.dialect,
        })
    }
}

/// Who may have signed, but for the signatures.
enum VerifiableSigner<'c, 'a> {
    Member(MemberProfile<'c, 'a>),
    Organisation { attribution: Member },
}

impl<'c, 'a> VerifiableSigner<'c, 'a> {
    /// Tells the two kinds of signature apart by the attribution, and checks what each must have (VeraId §7.4 steps 4
    /// and 5).
    fn check(
        bundle: &'c SignatureBundle<'a>,
        organisation: &OrganisationProfile<'c, 'a>,
    ) -> Result<Self, Error> {
        let signer = &bundle.signed_data().signer;
        match (signer.attribution, bundle.unverified_member_certificate()) {
            (None, Some(certificate)) => {
                MemberProfile::check(certificate, organisation).map(Self::Member)
            }
            (None, None) => Err(Error::NoSignerCertificate),
            (Some(attribution), _) => {
                // Whoever else has signed may not speak for another member.
                if !signer.is_by(organisation.certificate())? {
                    return Err(Error::AttributionByMember);
                }
                organisation.check_may_sign_content()?;
                let attribution = attribution.parse().map_err(Error::InvalidAttribution)?;
                Ok(Self::Organisation { attribution })
            }
        }
    }

    fn signed_by(&self) -> SignedBy {
        match self {
            Self::Member(_) => SignedBy::Member,
            Self::Organisation { .. } => SignedBy::Organisation,
        }
    }

    fn key(&self, organisation: &OrganisationProfile<'_, 'a>) -> PublicKeyRef<'a> {
        match self {
            Self::Member(member) => member.key,
            Self::Organisation { .. } => organisation.key,
        }
    }

    fn into_member(self) -> Member {
        match self {
            Self::Member(member) => member.member,
            Self::Organisation { attribution } => attribution,
        }
    }
}

/// The content: attached or given, never both.
fn choose_content<'v, 'a: 'v>(
    bundle: &SignatureBundle<'a>,
    verification: &Verification<'v>,
) -> Result<Cow<'v, [u8]>, Error> {
    match (&bundle.signed_data().content, verification.detached_content) {
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

/// That the domain publishes the organisation's key, and when.
struct ProvenKey {
    dialect: Dialect,
    validity: Validity,
}

impl ProvenKey {
    fn prove(
        chain: &Chain<'_>,
        organisation: &OrganisationProfile<'_, '_>,
        service: Option<ObjectIdentifier>,
        anchors: &TrustAnchors,
        required: Period,
    ) -> Result<Self, Error> {
        let (dialect, owner) = find_dialect(chain, &organisation.organisation)?;
        check_unverified_records(chain, &organisation.key, service)?;
        let proof = match chain.look_up(&owner, RecordType::TXT, anchors, required)? {
            Fact::Proven(proof) => proof,
            Fact::ProvenAbsent(absence) => return Err(Error::RecordAbsent(Box::new(absence))),
        };
        let records = parse_records(proof.rdata().iter().map(AsRef::as_ref));
        let ttl_override = select_ttl_override(records, &organisation.key, service)?;
        let validity = proof.validity();
        if !validity.overlaps(dnssec_window(required, ttl_override)) {
            return Err(Error::TtlOverrideExceeded {
                validity: validity.clone(),
                ttl_override,
                required,
            });
        }
        Ok(Self {
            dialect,
            validity: validity.clone(),
        })
    }

    /// The whole period, with a second of `required` in it, for which the key is proven and all else available.
    fn period_with(&self, available: Period, required: Period) -> Result<Period, Error> {
        self.validity
            .intersect_period(available)
            .first_overlapping(required)
            .ok_or(Error::NeverValidTogether { required })
    }
}

/// The dialect whose TXT RRset the chain holds, and that RRset's owner.
///
/// Responses that hold nothing do not decide: whoever asks for both names gets a denial for one of them. A chain with
/// nothing but such responses to VeraId's question is left to DNSSEC, which says better what is wrong.
fn find_dialect(chain: &Chain<'_>, organisation: &Organisation) -> Result<(Dialect, Name), Error> {
    let owner = organisation
        .record_owner(Dialect::VeraId)
        .map_err(Error::RecordOwner)?;
    let domain_auth = owner
        .parent()
        .and_then(|domain| domain.prepend_label(DOMAIN_AUTH_LABEL).ok())
        .is_some_and(|owner| holds_records(chain, &owner));
    match (holds_records(chain, &owner), domain_auth) {
        (true, true) => Err(Error::AmbiguousDialect),
        (true, false) => Ok((Dialect::VeraId, owner)),
        (false, true) => Err(Error::UnsupportedDialect),
        (false, false) if has_response(chain, &owner) => Ok((Dialect::VeraId, owner)),
        (false, false) => Err(Error::NoRecordResponse {
            owner: Box::new(owner),
        }),
    }
}

/// Whether some response to the question for TXT records at `owner`, proven or not, has any or an alias there.
fn holds_records(chain: &Chain<'_>, owner: &Name) -> bool {
    let is_answer = |record: &dnssec::Record<'_>| {
        matches!(record.record_type(), RecordType::TXT | RecordType::CNAME)
            && record.class() == CLASS_IN
            && record.owner() == *owner
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
    chain.responses().iter().filter(move |response| {
        response
            .question()
            .is_some_and(|(name, record_type)| record_type == RecordType::TXT && name == *owner)
    })
}

/// Refuses a chain early if no TXT record in it, proven or not, is for the key and the service.
///
/// A chain without any TXT record is left to DNSSEC, which says better what is wrong.
fn check_unverified_records(
    chain: &Chain<'_>,
    key: &PublicKeyRef<'_>,
    service: Option<ObjectIdentifier>,
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
        || parse_records(rdata).any(|record| serves(&record) && record.identifies(key))
    {
        Ok(())
    } else {
        Err(Error::NoMatchingRecord)
    }
}

/// Those records that parse; others may stand beside them.
fn parse_records<'r>(rdata: impl Iterator<Item = &'r [u8]>) -> impl Iterator<Item = TxtRecord> {
    rdata.filter_map(|rdata| TxtRecord::parse(&txt_content(rdata)?, Dialect::VeraId))
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
