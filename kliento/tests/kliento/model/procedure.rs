//! The model: the procedure of verification as the specifications put it, decided second by second.
//!
//! It knows no octets, no cryptography, no sets of periods and no memory. Everything that has to be true is a [`Rule`], and
//! each rule is asked for in one place here, with [`Procedure::must`]. To learn which rules a verdict rests on, the whole
//! procedure is run again without one of them.
//!
//! "VeraId" is the VeraId v1 specification, "DomainAuth" the Internet-Draft, "ours" a choice of this project where they leave
//! one, which ARCHITECTURE.md lists.

use std::collections::BTreeSet;

use super::world::*;

/// The longest life of a token, in seconds.
const ONE_HOUR: i64 = 3_600;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Rule { $($(#[$doc])* $name,)+ }

        impl Rule {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

rules! {
    // DNSSEC

    /// RFC 4035 §5.3.1: the second is within inception and expiration, both included.
    RrsigTime,
    /// RFC 4035 §5.3.3: the signature verifies.
    RrsigIntact,
    /// RFC 4035 §5.3.1: the signer is the zone that the RRset is in.
    RrsigSigner,
    /// RFC 4035 §5.3.1: the key tag is that of the key.
    RrsigKeyTag,
    /// RFC 4035 §5.3.1: the labels are not more than the owner's.
    RrsigLabels,
    /// RFC 4035 §5.3.1: the key is in the zone's DNSKEY RRset.
    RrsigKeyPublished,
    /// RFC 4034 §2.1, RFC 5011 §2.1: a key that signs has the zone bit and protocol 3, and is not revoked.
    ZoneKeyMaySign,
    /// RFC 4035 §5.2: a DNSKEY RRset is signed by a key to which a DS record, or the trust anchor, commits.
    KeysCommittedTo,
    /// Ours: SHA-1 proves nothing.
    DsDigest,
    /// DomainAuth, Maximum Validity Period.
    RrsigNinetyDays,

    // Dialects and TXT records

    /// Ours: the verifier accepts the dialect.
    DialectAccepted,
    /// Ours: a chain is of one dialect.
    OneDialect,
    /// VeraId §3.2; DomainAuth, TXT Record: the fields, and nothing else.
    RecordForm,
    /// VeraId §3.2; DomainAuth, Verification Procedure 2.4: the algorithm is that of the organisation's key.
    RecordAlgorithm,
    /// The same: the key id is that of the organisation's key.
    RecordKeyId,
    /// The same: the service is the verifier's, or absent.
    RecordService,
    /// VeraId §3.2; DomainAuth, TXT Record: a TTL override is from one second to 90 days.
    RecordTtlOverride,
    /// DomainAuth, Verification Procedure 2.4: of several specific or several general records none is chosen.
    RecordUnique,
    /// VeraId §3.4, §7.4; DomainAuth, Verification Procedure 2.6: the end of the period minus the TTL override.
    TtlOverride,
    /// DomainAuth, Maximum Validity Period: of the period that is asked about.
    PeriodNinetyDays,

    // Certificates

    /// VeraId §4.3; DomainAuth, Organisation Certificate: the common name is the domain whose TXT records count.
    OrganisationDomain,
    /// DomainAuth, Organisation Certificate: with a trailing dot.
    OrganisationTrailingDot,
    /// Ours: organisations and members have one common name.
    OneCommonName,
    /// VeraId §4.3: the issuer is the subject.
    OrganisationSelfIssued,
    /// VeraId §7.4; ours in DomainAuth: a self-issued certificate verifies with its own key.
    OrganisationSelfSigned,
    /// VeraId §4.3: the CA flag is set, whether the organisation signs or issues.
    OrganisationIsCa,
    /// VeraId §4.3; DomainAuth, Signature Algorithm Registry: 2,048, 3,072 or 4,096 bits.
    OrganisationKeySize,
    /// RFC 5280 §4.1.2.5: the second is within the period, both ends included.
    OrganisationTime,
    /// VeraId §4.3; DomainAuth, Digital Signature Algorithms: the same sizes in VeraId, 2,048 bits and more in DomainAuth.
    KeySize,
    /// RFC 5280 §4.1.2.5.
    MemberTime,
    /// RFC 5280 §4.1.2.5.
    IntermediateTime,
    /// DomainAuth, Maximum Validity Period.
    CertificateNinetyDays,
    /// RFC 5280 §4.2: unknown critical extensions are refused.
    CriticalExtensions,
    /// VeraId §4.3; RFC 5280 §6.1.3: the issuer's name is the subject of the certificate above.
    IssuerName,
    /// RFC 5280 §6.1.3: the signature verifies with the key of the certificate above.
    IssuerSignature,
    /// VeraId §4.1; DomainAuth, Cryptographic Algorithms: RSA-PSS with SHA-256, SHA-384 or SHA-512.
    CertificateScheme,
    /// DomainAuth, Organisation Certificate, Intermediate Certificate: whoever issues has the CA flag.
    IssuerIsCa,
    /// DomainAuth, the same: in critical basic constraints.
    IssuerConstraintsCritical,
    /// RFC 5280 §4.2.1.3: the key usage of an issuer, if there is one, allows to sign certificates.
    IssuerKeyUsage,
    /// RFC 5280 §4.2.1.9: the intermediates below, but for self-issued ones and the last certificate.
    PathLength,
    /// VeraId §4.3: both key identifiers are there; ours: as the SHA-256 digests of the keys.
    KeyIdentifiersThere,
    /// RFC 5280 §4.2.1.1: the authority key identifier is the subject key identifier above, where both are there.
    KeyIdentifiersMatch,
    /// Ours: VeraId has no intermediates.
    NoIntermediates,
    /// VeraId §4.3: a member is no CA.
    MemberIsNoCa,
    /// VeraId §5.3; DomainAuth, Phishing Attacks: a member certificate has a member's name.
    MemberName,
    /// Ours: a member's key is not the organisation's.
    MemberKeyIsItsOwn,

    // The signature

    /// VeraId §7.4; DomainAuth, Member Signatures: the signer's certificate is attached, once.
    SignerAttached,
    /// VeraId §7.4: a member's certificate is not the organisation's.
    MemberIsNotOrganisation,
    /// DomainAuth, Organisation Signatures: an attribution is the organisation's or a delegate's, and no member's.
    AttributedByDelegate,
    /// The same: in VeraId, the organisation's alone.
    AttributedInDomainAuth,
    /// VeraId §7.5; DomainAuth, Organisation Signatures: an attribution is a member's name.
    AttributionName,
    /// RFC 5280 §4.2.1.3: the key usage of a signer, if there is one, allows to sign content.
    SignerKeyUsage,
    /// RFC 5652 §5.6: the signature verifies with the key of the signer's certificate.
    SignatureVerifies,
    /// VeraId §4.4; DomainAuth, Cryptographic Algorithms.
    SignatureScheme,
    /// RFC 8933 §3.1: the digest is that of the signature algorithm. Not asked for in VeraId (ours).
    SignatureDigest,
    /// RFC 5652 §5.6: the message digest is that of the content.
    ContentDigest,
    /// RFC 5652 §11.1: the content type is id-data.
    ContentType,
    /// DomainAuth, CMS `SignedData` Structure; ours in VeraId.
    OneSigner,
    /// VeraId §7.3; DomainAuth, Verification Procedure 5: the service is the verifier's.
    SignatureService,
    /// VeraId §7.3; DomainAuth, Signature Metadata: both ends included.
    SignatureTime,
    /// DomainAuth, Maximum Validity Period.
    SignatureNinetyDays,
    /// DomainAuth, Verification Procedure 1: content is attached or given, and never both.
    ContentOnce,
    /// VeraId §6.3; DomainAuth, Verification Procedure: everything holds at one and the same second.
    Together,

    // The token

    /// Kliento: attached.
    TokenAttached,
    /// Kliento: at most 16,384 octets.
    TokenSize,
    /// Kliento: at most 60 minutes.
    TokenLifetime,
    /// Kliento; ours: JSON that no two readers understand differently.
    TokenJson,
    /// Kliento: exactly the server's.
    Audience,
    /// The server's requirements.
    RequiredOrganisation,
    /// The same.
    RequiredSubject,
    /// The same.
    RequiredClaim,
    /// The same.
    RequiredSigner,
    /// The same.
    RequiredLifetime,
}

/// What a verifier says of a bundle that is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) dialect: Dialect,
    /// `None` for the bot.
    pub(super) member: Option<String>,
    pub(super) signed_by: SignedBy,
    pub(super) is_delegated: bool,
}

/// One run of the procedure.
#[derive(Clone, Copy)]
pub(super) struct Procedure<'w> {
    pub(super) world: &'w World,
    pub(super) question: &'w Question,
    /// A rule that this run leaves out.
    pub(super) without: Option<Rule>,
}

/// The signer's certificate, if it is not the organisation's own, and the certificates from the organisation's to it. Both
/// end with the signer's.
type Path<'w> = Vec<&'w Certificate>;

/// Something that holds at some seconds and not at others.
type Component<'p> = Box<dyn Fn(i64) -> bool + 'p>;

impl<'w> Procedure<'w> {
    pub(super) fn new(world: &'w World, question: &'w Question) -> Self {
        Self {
            world,
            question,
            without: None,
        }
    }

    /// The verdict: who is it, if all is true at one second?
    pub(super) fn verdict(&self) -> Option<Identity> {
        let identity = self.identity()?;
        let is_valid = self.valid_paths().iter().any(|path| self.holds(path));
        is_valid.then_some(identity)
    }

    /// The rules without which the verdict would be another: each of them decides alone.
    pub(super) fn deciding_rules(&self) -> Vec<Rule> {
        let decides = |rule: &&Rule| {
            let without = Self {
                without: Some(**rule),
                ..*self
            };
            without.verdict().is_some()
        };
        Rule::ALL.iter().filter(decides).copied().collect()
    }

    /// Tells whether a valid bundle may be said to hold in `result`: everything holds at each of its seconds, one of them was
    /// asked about, and it starts and ends where something else does. A verifier need not look at all paths and all RRSIGs, so
    /// it may find a shorter period than there is. Where it has no choice, it finds the whole.
    pub(super) fn permits(&self, result: Span) -> bool {
        let Some(window) = self.window() else {
            return false;
        };
        let asked = match self.world.dialect {
            Dialect::DomainAuth => window,
            Dialect::VeraId => self.question.period(),
        };
        let paths = self.valid_paths();
        let has_choice = paths.len() > 1 || self.rrsigs().iter().any(|rrsigs| rrsigs.len() > 1);
        let is_bound = self.spans().iter().any(|span| span.start == result.start)
            && self.spans().iter().any(|span| span.end == result.end);
        paths.iter().any(|path| {
            let components = self.components(path);
            let all = |second| components.iter().all(|component| component(second));
            let seconds = self.seconds(result);
            is_bound
                && seconds.iter().all(|second| all(*second))
                && seconds.iter().any(|second| asked.has(*second))
                && (has_choice || !all(result.start - 1) && !all(result.end + 1))
        })
    }

    /// True if `condition` is, or if this run leaves the rule out.
    fn must(&self, rule: Rule, condition: bool) -> bool {
        condition || self.without == Some(rule)
    }

    fn is(&self, dialect: Dialect) -> bool {
        self.world.dialect == dialect
    }

    // Time

    /// The signatures over the RRsets of the chain.
    fn rrsigs(&self) -> Vec<&'w Vec<Rrsig>> {
        let world = self.world;
        let mut rrsigs: Vec<_> = world.zones.iter().map(|zone| &zone.rrsigs).collect();
        rrsigs.extend(
            world
                .delegations
                .iter()
                .map(|delegation| &delegation.rrsigs),
        );
        rrsigs.push(&world.records_rrsigs);
        rrsigs
    }

    /// The periods of everything that has one.
    fn spans(&self) -> Vec<Span> {
        let world = self.world;
        let mut spans = vec![
            world.organisation.span,
            world.member.span,
            world.signature.span,
        ];
        spans.extend(
            world
                .intermediates
                .iter()
                .map(|certificate| certificate.span),
        );
        spans.extend(self.rrsigs().into_iter().flatten().map(|rrsig| rrsig.span));
        spans
    }

    /// The seconds of a period at which anything can change: on both sides of each start and each end.
    fn seconds(&self, period: Span) -> BTreeSet<i64> {
        let mut spans = self.spans();
        spans.extend([period, self.question.period()]);
        spans.extend(self.window());
        let around = |instant: i64| instant - 1..=instant + 1;
        let instants = spans
            .iter()
            .flat_map(|span| around(span.start).chain(around(span.end)));
        instants.filter(|second| period.has(*second)).collect()
    }

    /// Tells whether everything holds at one second: of the verifier's period in VeraId, of the window of the TTL override in
    /// DomainAuth. In VeraId, only the DNSSEC chain has to hold at a second of that window.
    fn holds(&self, path: &Path<'w>) -> bool {
        let Some(window) = self.window() else {
            return false;
        };
        let everything = self.components(path);
        match self.world.dialect {
            Dialect::DomainAuth => self.hold_within(window, &everything),
            Dialect::VeraId => {
                self.hold_within(self.question.period(), &everything)
                    && self.hold_within(window, &self.chain_components())
            }
        }
    }

    fn hold_within(&self, period: Span, components: &[Component<'_>]) -> bool {
        let seconds = self.seconds(period);
        if self.without == Some(Rule::Together) {
            let sometimes = |it: &Component<'_>| seconds.iter().any(|second| it(*second));
            return components.iter().all(sometimes);
        }
        seconds
            .iter()
            .any(|second| components.iter().all(|it| it(*second)))
    }

    /// Everything whose truth depends on the time.
    fn components<'p>(&'p self, path: &'p Path<'w>) -> Vec<Component<'p>> {
        let mut components = self.chain_components();
        components.push(Box::new(|second| {
            self.must(
                Rule::OrganisationTime,
                self.world.organisation.span.has(second),
            )
        }));
        for certificate in path {
            components.push(Box::new(move |second| {
                let is_member = std::ptr::eq(*certificate, &raw const self.world.member);
                let rule = if is_member {
                    Rule::MemberTime
                } else {
                    Rule::IntermediateTime
                };
                self.must(rule, certificate.span.has(second))
            }));
        }
        components.push(Box::new(|second| {
            self.must(Rule::SignatureTime, self.world.signature.span.has(second))
        }));
        components
    }

    /// The part of the verifier's period in which DNSSEC has to hold: none, if there is no TXT record to tell it.
    fn window(&self) -> Option<Span> {
        let ttl_override = self.record()?.ttl_override.min(NINETY_DAYS);
        let period = self.question.period();
        if self.without == Some(Rule::TtlOverride) {
            return Some(period);
        }
        let start = period.start.max(period.end - ttl_override);
        Some(Span { start, ..period })
    }

    // DNSSEC

    /// The RRsets of the chain: the keys of three zones, two delegations and the TXT records.
    fn chain_components(&self) -> Vec<Component<'_>> {
        let mut components: Vec<Component<'_>> = Vec::new();
        for zone in 0..3 {
            components.push(Box::new(move |second| self.has_keys(zone, second)));
        }
        for (parent, delegation) in self.world.delegations.iter().enumerate() {
            components.push(Box::new(move |second| {
                let rrsigs = &delegation.rrsigs;
                rrsigs
                    .iter()
                    .any(|rrsig| self.proves(rrsig, parent, second))
            }));
        }
        components.push(Box::new(|second| {
            let rrsigs = &self.world.records_rrsigs;
            rrsigs.iter().any(|rrsig| self.proves(rrsig, 2, second))
        }));
        components
    }

    /// Tells whether the DNSKEY RRset of a zone is proven by one of its RRSIGs.
    fn has_keys(&self, zone: usize, second: i64) -> bool {
        self.world.zones[zone].rrsigs.iter().any(|rrsig| {
            self.proves(rrsig, zone, second)
                && self.must(Rule::KeysCommittedTo, self.is_committed_to(zone, rrsig.key))
        })
    }

    fn is_committed_to(&self, zone: usize, key: ZoneKey) -> bool {
        match zone.checked_sub(1) {
            // The trust anchor is the root's KSK.
            None => key == ZoneKey::Ksk,
            Some(parent) => {
                let mut ds = self.world.delegations[parent].ds.iter();
                ds.any(|ds| ds.key == key && self.must(Rule::DsDigest, ds.digest != DsDigest::Sha1))
            }
        }
    }

    /// Tells whether one RRSIG proves an RRset of a zone at a second. Any other may do in its place.
    fn proves(&self, rrsig: &Rrsig, zone: usize, second: i64) -> bool {
        let Zone { ksk, zsk, .. } = self.world.zones[zone];
        let state = match rrsig.key {
            ZoneKey::Ksk => ksk,
            ZoneKey::Zsk => zsk,
            ZoneKey::Stranger => KeyState::Good,
        };
        let fault = rrsig.fault;
        let long = rrsig.span.length() > NINETY_DAYS && self.is(Dialect::DomainAuth);
        self.must(Rule::RrsigTime, rrsig.span.has(second))
            && self.must(Rule::RrsigIntact, fault != Some(RrsigFault::Corrupt))
            && self.must(Rule::RrsigSigner, fault != Some(RrsigFault::OtherSigner))
            && self.must(Rule::RrsigKeyTag, fault != Some(RrsigFault::OtherTag))
            && self.must(Rule::RrsigLabels, fault != Some(RrsigFault::TooManyLabels))
            && self.must(Rule::RrsigKeyPublished, rrsig.key != ZoneKey::Stranger)
            && self.must(Rule::ZoneKeyMaySign, state == KeyState::Good)
            && self.must(Rule::RrsigNinetyDays, !long)
    }

    // TXT records

    /// The record of the organisation's key for the verifier's service. A specific one comes before a general one.
    fn record(&self) -> Option<&'w KeyRecord> {
        // The same text twice is one record of the RRset (RFC 2181 §5).
        let mut records: Vec<&TxtRecord> = Vec::new();
        for record in &self.world.records {
            if !records.contains(&record) {
                records.push(record);
            }
        }
        let matching = records
            .into_iter()
            .filter_map(|record| self.matching(record));
        let (specific, general): (Vec<_>, Vec<_>) =
            matching.partition(|record| record.service.is_some());
        let chosen = if specific.is_empty() {
            general
        } else {
            specific
        };
        let first = *chosen.first()?;
        self.must(Rule::RecordUnique, chosen.len() == 1)
            .then_some(first)
    }

    fn matching(&self, record: &'w TxtRecord) -> Option<&'w KeyRecord> {
        let TxtRecord::Key(record) = record else {
            return None;
        };
        let key = self.world.organisation.key;
        let by_size = match key.bits() {
            3_072 => Hash::Sha384,
            4_096 => Hash::Sha512,
            _ => Hash::Sha256,
        };
        let algorithm = match key.bits() {
            3_072 => 2,
            4_096 => 3,
            _ => 1,
        };
        let (has_form, most) = match self.world.dialect {
            // A larger TTL override is read as 90 days.
            Dialect::VeraId => (true, i64::MAX),
            Dialect::DomainAuth => (
                record.version == 0 && record.digest_type.is_some(),
                NINETY_DAYS,
            ),
        };
        let has_id = record.key == key && record.digest == record.digest_type.unwrap_or(by_size);
        let is_for = record
            .service
            .is_none_or(|service| service == self.question.service());
        let is_match = self.must(Rule::RecordForm, has_form && !record.further_field)
            && self.must(Rule::RecordAlgorithm, record.algorithm == algorithm)
            && self.must(Rule::RecordKeyId, has_id)
            && self.must(Rule::RecordService, is_for)
            && self.must(
                Rule::RecordTtlOverride,
                (1..=most).contains(&record.ttl_override),
            );
        is_match.then_some(record)
    }

    // Identity

    /// Who it is, by everything that has nothing to do with time, with certificates below the organisation's, or with paths.
    fn identity(&self) -> Option<Identity> {
        let identity = Identity {
            dialect: self.world.dialect,
            member: Some(self.member()?)
                .filter(|name| *name != "@")
                .map(str::to_owned),
            signed_by: match self.world.signature.attribution {
                Some(_) => SignedBy::Organisation,
                None => SignedBy::Member,
            },
            is_delegated: self.world.signature.attribution.is_some()
                && self.world.signature.signer != Signer::Organisation,
        };
        let is_good = self.is_question_good()
            && self.record().is_some()
            && self.is_organisation_good()
            && self.is_signature_good()
            && self.is_token_good(&identity);
        is_good.then_some(identity)
    }

    fn is_question_good(&self) -> bool {
        let World {
            dialect,
            answers_both_dialects,
            ..
        } = self.world;
        let is_accepted = self.question.only.is_none_or(|only| only == *dialect);
        let long = self.question.period().length() > NINETY_DAYS && self.is(Dialect::DomainAuth);
        self.must(Rule::DialectAccepted, is_accepted)
            && self.must(Rule::OneDialect, !answers_both_dialects)
            && self.must(Rule::PeriodNinetyDays, !long)
    }

    /// The name that the signature is in, an attribution's or that of the signer's certificate: `@` for the bot.
    fn member(&self) -> Option<&'static str> {
        let (name, rule) = match (self.world.signature.attribution, self.signer_certificate()) {
            (Some(name), _) => (name, Rule::AttributionName),
            (None, certificate) => {
                let subject = certificate.unwrap_or(&self.world.organisation).subject;
                let name = self.common_name(subject).unwrap_or_default();
                (name, Rule::MemberName)
            }
        };
        let is_name = is_member_name(self.world.dialect, name);
        self.must(rule, is_name).then_some(name)
    }

    fn common_name(&self, name: Name) -> Option<&'static str> {
        match name {
            Name::Common(name) => Some(name),
            Name::TwoCommon(first, _) => self.must(Rule::OneCommonName, false).then_some(first),
            Name::Unit(_) => None,
        }
    }

    /// The certificate that the signature names, unless it is the organisation's.
    fn signer_certificate(&self) -> Option<&'w Certificate> {
        match self.world.signature.signer {
            Signer::Organisation => None,
            Signer::Member => Some(&self.world.member),
            Signer::Intermediate(index) => Some(&self.world.intermediates[index]),
        }
    }

    // Certificates

    fn is_organisation_good(&self) -> bool {
        let organisation = &self.world.organisation;
        let Some(name) = self.common_name(organisation.subject) else {
            return false;
        };
        let domain = name.strip_suffix('.').unwrap_or(name);
        let has_dot = name.ends_with('.') || self.is(Dialect::VeraId);
        let is_self_issued = organisation.issuer == organisation.subject;
        let verifies = organisation.signed_by == organisation.key && !organisation.corrupt;
        let is_ca = organisation.basic_constraints.is_some_and(|it| it.is_ca);
        self.must(
            Rule::OrganisationDomain,
            domain.eq_ignore_ascii_case(DOMAIN),
        ) && self.must(Rule::OrganisationTrailingDot, has_dot)
            && self.must(
                Rule::OrganisationSelfIssued,
                is_self_issued || self.is(Dialect::DomainAuth),
            )
            && self.must(
                Rule::OrganisationIsCa,
                is_ca || self.is(Dialect::DomainAuth),
            )
            && self.must(
                Rule::OrganisationKeySize,
                matches!(organisation.key.bits(), 2_048 | 3_072 | 4_096),
            )
            && self.is_certificate_good(organisation)
            && (!is_self_issued
                || self.must(Rule::OrganisationSelfSigned, verifies)
                    && self.has_good_scheme(organisation)
                    && self.has_good_identifiers(organisation, organisation))
    }

    /// What all certificates must be.
    fn is_certificate_good(&self, certificate: &Certificate) -> bool {
        let long = certificate.span.length() > NINETY_DAYS && self.is(Dialect::DomainAuth);
        self.must(Rule::CertificateNinetyDays, !long)
            && self.must(Rule::CriticalExtensions, !certificate.unknown_critical)
    }

    fn has_good_scheme(&self, certificate: &Certificate) -> bool {
        self.must(
            Rule::CertificateScheme,
            matches!(certificate.scheme, Scheme::Pss(_)),
        )
    }

    fn has_good_identifiers(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let authority = certificate.authority_key_identifier;
        let subject = certificate.subject_key_identifier;
        match self.world.dialect {
            Dialect::VeraId => self.must(
                Rule::KeyIdentifiersThere,
                subject == Some(certificate.key) && authority == Some(issuer.key),
            ),
            Dialect::DomainAuth => {
                let differ = authority
                    .zip(issuer.subject_key_identifier)
                    .is_some_and(|(authority, above)| authority != above);
                self.must(Rule::KeyIdentifiersMatch, !differ)
            }
        }
    }

    /// The paths from the organisation to the signer of which everything is true but for the time. The organisation's
    /// certificate is in none of them: if the organisation signs, there is one, and it is empty.
    fn valid_paths(&self) -> Vec<Path<'w>> {
        let Some(last) = self.signer_certificate() else {
            return vec![Vec::new()];
        };
        let mut paths = vec![vec![last]];
        // Each round puts each intermediate above each path that it is not in.
        for length in 1..=self.world.intermediates.len() {
            let longest: Vec<_> = paths
                .iter()
                .filter(|path| path.len() == length)
                .cloned()
                .collect();
            for path in longest {
                for intermediate in &self.world.intermediates {
                    if !path.iter().any(|it| std::ptr::eq(*it, intermediate)) {
                        let mut longer = vec![intermediate];
                        longer.extend(&path);
                        paths.push(longer);
                    }
                }
            }
        }
        paths.retain(|path| self.is_path_good(path));
        paths
    }

    fn is_path_good(&self, path: &Path<'w>) -> bool {
        let [intermediates @ .., last] = &path[..] else {
            return true;
        };
        let without_intermediates = intermediates.is_empty() || self.is(Dialect::DomainAuth);
        let mut issuers = vec![&self.world.organisation];
        issuers.extend(intermediates);
        let is_signer = self.is_signer_good(last);
        self.must(Rule::NoIntermediates, without_intermediates)
            && is_signer
            && std::iter::zip(&issuers, path).all(|(issuer, certificate)| {
                self.is_issued_by(certificate, issuer)
                    && self.is_certificate_good(certificate)
                    && self.has_good_key(certificate)
            })
            && issuers.iter().enumerate().all(|(position, issuer)| {
                self.may_issue(issuer) && self.may_be_so_long(issuer, &intermediates[position..])
            })
    }

    fn is_issued_by(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let verifies = certificate.signed_by == issuer.key && !certificate.corrupt;
        self.must(Rule::IssuerName, certificate.issuer == issuer.subject)
            && self.must(Rule::IssuerSignature, verifies)
            && self.has_good_scheme(certificate)
            && self.has_good_identifiers(certificate, issuer)
    }

    fn has_good_key(&self, certificate: &Certificate) -> bool {
        let bits = certificate.key.bits();
        let is_good = match self.world.dialect {
            Dialect::VeraId => matches!(bits, 2_048 | 3_072 | 4_096),
            Dialect::DomainAuth => bits >= 2_048,
        };
        self.must(Rule::KeySize, is_good)
    }

    /// Tells whether certificates may stand below this one. (VeraId's organisations are CAs in any case.)
    fn may_issue(&self, issuer: &Certificate) -> bool {
        let may_sign = issuer
            .key_usage
            .is_none_or(|usage| usage.signs_certificates);
        let is_ca = issuer.basic_constraints.is_some_and(|it| it.is_ca);
        let is_critical = issuer.basic_constraints.is_none_or(|it| it.is_critical);
        self.must(Rule::IssuerIsCa, is_ca)
            && self.must(
                Rule::IssuerConstraintsCritical,
                is_critical || self.is(Dialect::VeraId),
            )
            && self.must(Rule::IssuerKeyUsage, may_sign)
    }

    fn may_be_so_long(&self, issuer: &Certificate, below: &[&Certificate]) -> bool {
        let counted = below.iter().filter(|it| it.issuer != it.subject).count();
        let most = issuer.basic_constraints.and_then(|it| it.path_length);
        self.must(
            Rule::PathLength,
            most.is_none_or(|most| counted <= usize::from(most)),
        )
    }

    /// The last certificate of a path: a member's or, if the signature has an attribution, a delegate's.
    fn is_signer_good(&self, signer: &Certificate) -> bool {
        let is_ca = signer.basic_constraints.is_some_and(|it| it.is_ca);
        let is_critical = signer.basic_constraints.is_none_or(|it| it.is_critical);
        if self.world.signature.attribution.is_some() {
            return self.must(Rule::AttributedByDelegate, is_ca)
                && self.must(Rule::AttributedInDomainAuth, self.is(Dialect::DomainAuth))
                && self.must(Rule::IssuerConstraintsCritical, is_critical);
        }
        self.must(Rule::MemberIsNoCa, !is_ca || self.is(Dialect::DomainAuth))
            && self.must(
                Rule::MemberKeyIsItsOwn,
                signer.key != self.world.organisation.key,
            )
    }

    // The signature

    fn is_signature_good(&self) -> bool {
        let signature = &self.world.signature;
        let signer = self.signer_certificate();
        let is_member = signature.attribution.is_none();
        let attached = match signature.signer {
            Signer::Organisation => !is_member || signature.organisation_attached,
            Signer::Member => signature.member_attached && !signature.twin_attached,
            Signer::Intermediate(_) => true,
        };
        let certificate = signer.unwrap_or(&self.world.organisation);
        let usage = certificate.key_usage;
        let verifies = signature.key == certificate.key && !signature.corrupt;
        let long = signature.span.length() > NINETY_DAYS && self.is(Dialect::DomainAuth);
        let has_digest = match signature.scheme {
            Scheme::Pss(hash) => hash == signature.digest || self.is(Dialect::VeraId),
            Scheme::PssSha1 | Scheme::Pkcs1 => true,
        };
        let given = match self.question.asked {
            Asked::Signature { content_given, .. } => content_given,
            Asked::Token { .. } => false,
        };
        self.must(Rule::SignerAttached, attached)
            && self.must(
                Rule::MemberIsNotOrganisation,
                !is_member || signer.is_some(),
            )
            && self.must(
                Rule::SignerKeyUsage,
                usage.is_none_or(|usage| usage.signs_content),
            )
            && self.must(Rule::SignatureVerifies, verifies)
            && self.must(
                Rule::SignatureScheme,
                matches!(signature.scheme, Scheme::Pss(_)),
            )
            && self.must(Rule::SignatureDigest, has_digest)
            && self.must(Rule::ContentDigest, !signature.other_content)
            && self.must(Rule::ContentType, !signature.other_content_type)
            && self.must(Rule::OneSigner, !signature.signed_twice)
            && self.must(
                Rule::SignatureService,
                signature.service == self.question.service(),
            )
            && self.must(Rule::SignatureNinetyDays, !long)
            && (self.is_token_question()
                || self.must(Rule::ContentOnce, given != self.world.token.attached))
    }

    // The token

    fn is_token_question(&self) -> bool {
        matches!(self.question.asked, Asked::Token { .. })
    }

    fn is_token_good(&self, identity: &Identity) -> bool {
        let Asked::Token {
            audience,
            requirements,
            ..
        } = &self.question.asked
        else {
            return true;
        };
        let token = &self.world.token;
        let lifetime = self.world.signature.span.length();
        self.must(Rule::TokenAttached, token.attached)
            && self.must(Rule::TokenSize, !token.oversized)
            && self.must(Rule::TokenLifetime, lifetime <= ONE_HOUR)
            && self.must(Rule::TokenJson, token.fault.is_none())
            && self.must(Rule::Audience, token.audience == *audience)
            && self.meets(requirements, identity, lifetime)
    }

    fn meets(&self, requirements: &Requirements, identity: &Identity, lifetime: i64) -> bool {
        let is_organisation = requirements.organisation.is_none_or(|it| it == DOMAIN);
        let is_subject = match (requirements.subject, identity.member.as_deref()) {
            (None, _) | (Some(Subject::AllUsers), Some(_)) | (Some(Subject::Bot), None) => true,
            (Some(Subject::Alice), Some(name)) => name == "alice",
            (Some(_), _) => false,
        };
        // Organisations and subjects are one kind of requirement: any alternative will do.
        let (is_organisation, is_subject) = match (requirements.organisation, requirements.subject)
        {
            (Some(_), Some(_)) => (is_organisation || is_subject, is_organisation || is_subject),
            _ => (is_organisation, is_subject),
        };
        let claims = &self.world.token.claims;
        let is_claimed = requirements.claim.is_none_or(|(name, value)| {
            let mut values = claims.iter().filter(|claim| claim.0 == name);
            values.any(|claim| value.is_none_or(|value| value == claim.1))
        });
        let is_signer = requirements
            .signed_by
            .is_none_or(|it| it == identity.signed_by);
        let is_short = requirements
            .max_lifetime
            .is_none_or(|most| lifetime <= most);
        self.must(Rule::RequiredOrganisation, is_organisation)
            && self.must(Rule::RequiredSubject, is_subject)
            && self.must(Rule::RequiredClaim, is_claimed)
            && self.must(Rule::RequiredSigner, is_signer)
            && self.must(Rule::RequiredLifetime, is_short)
    }
}

/// VeraId §5.3: no `@`, no white space but spaces, no control characters. DomainAuth, Phishing Attacks: in the form of RFC 8265
/// `UsernameCaseMapped`, of which the names of these worlds need no more than that there are no spaces and no capitals.
fn is_member_name(dialect: Dialect, name: &str) -> bool {
    let allowed = |letter: char| match dialect {
        Dialect::VeraId => letter == ' ' || !letter.is_whitespace(),
        Dialect::DomainAuth => !letter.is_whitespace() && !letter.is_uppercase(),
    };
    let is_user = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter != '@' && !letter.is_control() && allowed(letter));
    name == "@" || is_user
}
