//! What is made here for DomainAuth: that it verifies, in any mixture of keys, and that it is as the draft wants it.

use std::sync::LazyLock;

use crate::support::der::*;
use crate::support::*;
use ::der::Decode as _;
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use veraid::{
    Content, Dialect, DigestType, IntermediateCertificate, IntermediateName, IntermediateRequest,
    IssueError, Issuer, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, MemberRequest,
    NameError, Organisation, OrganisationCertificate, OrganisationRequest, Period, Policy,
    PrivateKey, PublicKey, SignatureBundle, SignatureRequest, SignedBy, Signer, SignerIdentity,
    SigningKey as _, TEST_SERVICE, TrustAnchors, TtlOverride, TxtRecord, Verification, VerifyError,
};
use x509_cert::ext::pkix::BasicConstraints;

const OWNER: &str = "_domainauth.example.com.";
/// The most intermediates in a bundle.
const MAX_INTERMEDIATES: usize = 16;
/// 90 days in seconds, the longest that anything may be valid.
const LIMIT: i64 = 90 * DAY;

/// One algorithm of each kind and size that is quick to make keys of.
const ALGORITHMS: [KeyAlgorithm; if HAS_ML_DSA { 7 } else { 4 }] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    #[cfg(any(feature = "aws-lc-rs", feature = "oqs"))]
    KeyAlgorithm::MlDsa44,
    #[cfg(any(feature = "aws-lc-rs", feature = "oqs"))]
    KeyAlgorithm::MlDsa65,
    #[cfg(any(feature = "aws-lc-rs", feature = "oqs"))]
    KeyAlgorithm::MlDsa87,
];

/// Four keys of each of them: the organisation's, those of two intermediates, a member's.
static KEYS: LazyLock<Vec<[PrivateKey; 4]>> = LazyLock::new(|| {
    let four = |algorithm: &KeyAlgorithm| std::array::from_fn(|_| private_key(*algorithm));
    ALGORITHMS.iter().map(four).collect()
});

/// Whose key is of which algorithm, by its place in the list.
#[derive(Clone, Copy, Debug)]
struct Mixture {
    organisation: usize,
    upper: usize,
    lower: usize,
    member: usize,
}

impl Mixture {
    fn of(algorithm: KeyAlgorithm) -> Self {
        let place = ALGORITHMS.iter().position(|of| *of == algorithm).unwrap();
        Self::rotated(place, 0)
    }

    /// Each of the four another algorithm, unless the step is 0.
    fn rotated(first: usize, step: usize) -> Self {
        let place = |further: usize| (first + further * step) % ALGORITHMS.len();
        Self {
            organisation: place(0),
            upper: place(1),
            lower: place(2),
            member: place(3),
        }
    }
}

/// An organisation that delegates to an upper intermediate, and that to a lower one.
struct Setup {
    organisation_key: &'static PrivateKey,
    upper_key: &'static PrivateKey,
    lower_key: &'static PrivateKey,
    member_key: &'static PrivateKey,
    chain: Vec<u8>,
    anchors: TrustAnchors,
    certificate: OrganisationCertificate,
    upper: IntermediateCertificate,
    lower: IntermediateCertificate,
}

fn days() -> Period {
    period(NOON - DAY, NOON + 7 * DAY)
}

fn minute() -> Period {
    period(NOON, NOON + 60)
}

fn alice() -> Member {
    "alice".parse().unwrap()
}

fn unit(name: &str) -> IntermediateName {
    IntermediateName::Unit(name.to_owned())
}

fn world(record: &TxtRecord) -> World {
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .zone("example.com.", Algorithm::EcdsaP384Sha384)
        .txt(OWNER, record.to_string())
        .build()
}

fn record(key: &PublicKey, digest_type: DigestType) -> TxtRecord {
    let hour = TtlOverride::from_seconds(3_600).unwrap();
    TxtRecord::with_digest_type(key, Dialect::DomainAuth, digest_type, hour, None).unwrap()
}

fn signed(signer: &Signer<'_>) -> Vec<u8> {
    signer
        .sign(&SignatureRequest::new(
            Content::Attached(CONTENT),
            TEST_SERVICE,
            minute(),
        ))
        .unwrap()
}

impl Setup {
    fn new(mixture: Mixture) -> Self {
        Self::published_with(mixture, DigestType::Sha256)
    }

    fn published_with(mixture: Mixture, digest_type: DigestType) -> Self {
        let organisation_key = &KEYS[mixture.organisation][0];
        let upper_key = &KEYS[mixture.upper][1];
        let lower_key = &KEYS[mixture.lower][2];
        let member_key = &KEYS[mixture.member][3];
        let world = world(&record(organisation_key.public_key(), digest_type));
        let organisation: Organisation = "example.com".parse().unwrap();
        let certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&organisation, Dialect::DomainAuth, days())
                .with_path_length(2),
            organisation_key,
        )
        .unwrap();
        let upper = IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &unit("Help desk"),
                upper_key.public_key(),
                &certificate,
                days(),
            )
            .with_path_length(1),
            organisation_key,
        )
        .unwrap();
        let lower = IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &unit("Help desk, night shift"),
                lower_key.public_key(),
                &upper,
                days(),
            ),
            upper_key,
        )
        .unwrap();
        Self {
            organisation_key,
            upper_key,
            lower_key,
            member_key,
            chain: chain_der(&world.chain(OWNER, TXT)),
            anchors: world.anchors().parse().unwrap(),
            certificate,
            upper,
            lower,
        }
    }

    /// Alice's bundle, with so many intermediates between her and the organisation.
    fn member_bundle(&self, intermediates: usize) -> MemberIdBundle {
        let (issuer, issuer_key, between): (Issuer<'_>, _, _) = match intermediates {
            0 => ((&self.certificate).into(), self.organisation_key, vec![]),
            1 => (
                (&self.upper).into(),
                self.upper_key,
                vec![self.upper.clone()],
            ),
            _ => (
                (&self.lower).into(),
                self.lower_key,
                vec![self.upper.clone(), self.lower.clone()],
            ),
        };
        let certificate = MemberCertificate::issue(
            &MemberRequest::new(
                &alice(),
                self.member_key.public_key(),
                issuer,
                Dialect::DomainAuth,
                days(),
            ),
            issuer_key,
        );
        MemberIdBundle::new(
            &self.chain,
            self.certificate.clone(),
            certificate.unwrap(),
            between,
        )
        .unwrap()
    }

    /// Checks that a signature holds, and is by whom it should be.
    fn check(&self, bundle: &[u8], signed_by: SignedBy, is_delegated: bool, key: &PrivateKey) {
        let bundle = SignatureBundle::from_der(bundle).unwrap();
        let verification = Verification::new(TEST_SERVICE, noon(), &self.anchors)
            .with_policy(Policy::new().with_all_algorithms());
        let verified = bundle.verify(&verification).unwrap();
        assert_eq!(verified.member_id().to_string(), "alice@example.com");
        assert_eq!(verified.signed_by(), signed_by);
        assert_eq!(verified.is_delegated(), is_delegated);
        assert_eq!(verified.key_algorithm(), key.public_key().algorithm());
        assert_eq!(verified.dialect(), Dialect::DomainAuth);
        assert_eq!(verified.content(), Some(CONTENT));
        assert_eq!(verified.period(), minute());
    }

    /// Has everybody sign who can.
    fn check_all(&self) {
        let attribution = &alice();
        for intermediates in 0..3 {
            let bundle = self.member_bundle(intermediates);
            let policy = Policy::new().with_all_algorithms();
            let verified = bundle.verify(
                &Verification::new(TEST_SERVICE, noon(), &self.anchors).with_policy(policy),
            );
            assert_eq!(
                verified.unwrap().member_id().to_string(),
                "alice@example.com"
            );
            let key = self.member_key;
            let signature = signed(&Signer::member(&bundle, key));
            self.check(&signature, SignedBy::Member, false, key);
        }
        let (chain_der, certificate) = (&self.chain[..], &self.certificate);
        let key = self.organisation_key;
        let signature = signed(&Signer::new(
            SignerIdentity::Organisation {
                chain_der,
                certificate,
                attribution,
            },
            key,
        ));
        self.check(&signature, SignedBy::Organisation, false, key);
        let both = [self.upper.clone(), self.lower.clone()];
        for (intermediates, key) in [(&both[..1], self.upper_key), (&both, self.lower_key)] {
            let signature = signed(&Signer::new(
                SignerIdentity::Delegate {
                    chain_der,
                    certificate,
                    intermediates,
                    attribution,
                },
                key,
            ));
            self.check(&signature, SignedBy::Organisation, true, key);
        }
    }
}

#[test]
fn everybody_who_may_sign_does_so_with_keys_of_one_algorithm() {
    for algorithm in ALGORITHMS {
        Setup::new(Mixture::of(algorithm)).check_all();
    }
}

#[test]
fn keys_of_any_algorithms_go_together() {
    for first in 0..ALGORITHMS.len() {
        for step in 1..ALGORITHMS.len() {
            Setup::new(Mixture::rotated(first, step)).check_all();
        }
    }
}

#[test]
fn keys_that_stand_in_the_record_themselves_verify_as_those_with_a_digest_do() {
    for algorithm in ALGORITHMS {
        for &digest_type in DigestType::ALL {
            if digest_type.may_identify(algorithm, Dialect::DomainAuth) {
                Setup::published_with(Mixture::of(algorithm), digest_type).check_all();
            }
        }
    }
}

/// What another reader of X.509 finds in a certificate: the subject, whether its basic constraints are critical, and those.
fn read(der: &[u8]) -> (String, bool, BasicConstraints) {
    let certificate = x509_cert::Certificate::from_der(der).unwrap();
    let certificate = certificate.tbs_certificate();
    let (critical, constraints) = certificate.get_extension().unwrap().unwrap();
    (certificate.subject().to_string(), critical, constraints)
}

#[test]
fn certificates_are_written_as_the_draft_wants_them() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let ca = |path_length| BasicConstraints {
        ca: true,
        path_len_constraint: Some(path_length),
    };
    let (subject, critical, constraints) = read(setup.certificate.as_der());
    assert_eq!(subject, "CN=example.com.");
    assert!(critical);
    assert_eq!(constraints, ca(2));
    for (certificate, path_length) in [(&setup.upper, 1), (&setup.lower, 0)] {
        let (subject, critical, constraints) = read(certificate.as_der());
        assert!(!subject.contains("CN="), "{subject}");
        assert!(critical);
        assert_eq!(constraints, ca(path_length));
    }
    let bundle = setup.member_bundle(2);
    let (subject, _, constraints) = read(bundle.member_certificate().as_der());
    assert_eq!(subject, "CN=alice");
    assert!(!constraints.ca);
    assert_eq!(constraints.path_len_constraint, None);
}

/// How often a certificate stands somewhere, but for its tag, which bundles replace.
fn count(haystack: &[u8], certificate: &[u8]) -> usize {
    let needle = &certificate[1..];
    haystack
        .windows(needle.len())
        .filter(|window| window == &needle)
        .count()
}

#[test]
fn a_bundle_holds_each_certificate_of_its_path_once_and_no_other() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::EcdsaP256));
    let [organisation, upper, lower] = [
        setup.certificate.as_der(),
        setup.upper.as_der(),
        setup.lower.as_der(),
    ];
    let holds = |bundle: &[u8]| {
        let counts = [organisation, upper, lower].map(|der| count(bundle, der));
        assert_eq!(counts[0], 1, "the organisation's is in the bundle itself");
        (counts[1], counts[2])
    };
    for (intermediates, expected) in [(0, (0, 0)), (1, (1, 0)), (2, (1, 1))] {
        let bundle = setup.member_bundle(intermediates);
        assert_eq!(holds(&bundle.to_der().unwrap()), expected);
        let key = setup.member_key;
        let signature = signed(&Signer::member(&bundle, key));
        assert_eq!(holds(&signature), expected);
        let member = bundle.member_certificate().as_der();
        assert_eq!(count(&signature, member), 1);
        let again = MemberIdBundle::from_der(&bundle.to_der().unwrap()).unwrap();
        assert_eq!(again.to_der().unwrap(), bundle.to_der().unwrap());
    }
    let attribution = &alice();
    let (chain_der, certificate) = (&setup.chain[..], &setup.certificate);
    let signature = signed(&Signer::new(
        SignerIdentity::Organisation {
            chain_der,
            certificate,
            attribution,
        },
        setup.organisation_key,
    ));
    assert_eq!(holds(&signature), (0, 0));
    let signature = signed(&Signer::new(
        SignerIdentity::Delegate {
            chain_der,
            certificate,
            intermediates: &[setup.upper.clone(), setup.lower.clone()],
            attribution,
        },
        setup.lower_key,
    ));
    assert_eq!(holds(&signature), (1, 1));
}

#[test]
fn certificates_that_have_nothing_to_do_with_a_member_do_its_bundle_no_harm() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let bundle = setup.member_bundle(1);
    let further = MemberIdBundle::new(
        &setup.chain,
        setup.certificate.clone(),
        bundle.member_certificate().clone(),
        vec![setup.lower.clone(), setup.upper.clone()],
    )
    .unwrap();
    let policy = Policy::new().with_all_algorithms();
    let again = MemberIdBundle::from_der(&further.to_der().unwrap()).unwrap();
    for bundle in [further, again] {
        assert_eq!(bundle.intermediate_certificates().len(), 2);
        assert!(
            bundle
                .verify(&Verification::for_any_service(noon(), &setup.anchors).with_policy(policy))
                .is_ok()
        );
    }
}

#[test]
fn nothing_is_made_that_would_be_valid_for_more_than_90_days() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let (longest, longer) = (period(NOON, NOON + LIMIT), period(NOON, NOON + LIMIT + 1));
    let organisation: Organisation = "example.com".parse().unwrap();
    let self_issue = |dialect, period| {
        let key = setup.organisation_key;
        match dialect {
            Dialect::VeraId => {
                let key = &KEYS[0][0];
                OrganisationCertificate::self_issue(
                    &OrganisationRequest::new(&organisation, dialect, period),
                    key,
                )
            }
            _ => OrganisationCertificate::self_issue(
                &OrganisationRequest::new(&organisation, dialect, period).with_path_length(1),
                key,
            ),
        }
    };
    let certificate = self_issue(Dialect::DomainAuth, longest).unwrap();
    assert!(self_issue(Dialect::VeraId, longer).is_ok());
    let too_long = |outcome: Result<(), IssueError>| {
        assert!(
            matches!(
                outcome,
                Err(IssueError::Invalid(
                    VerifyError::CertificateTooLong { .. } | VerifyError::SignatureTooLong { .. }
                ))
            ),
            "{outcome:?}"
        );
    };
    too_long(self_issue(Dialect::DomainAuth, longer).map(drop));
    let intermediate = |period| {
        IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &unit("Help desk"),
                setup.upper_key.public_key(),
                &certificate,
                period,
            ),
            setup.organisation_key,
        )
    };
    assert!(intermediate(longest).is_ok());
    too_long(intermediate(longer).map(drop));
    let member = |period| {
        MemberCertificate::issue(
            &MemberRequest::new(
                &alice(),
                setup.member_key.public_key(),
                &certificate,
                Dialect::DomainAuth,
                period,
            ),
            setup.organisation_key,
        )
    };
    assert!(member(longest).is_ok());
    too_long(member(longer).map(drop));
    let attribution = alice();
    let signature = |period| {
        let signer = Signer::new(
            SignerIdentity::Organisation {
                chain_der: &setup.chain,
                certificate: &certificate,
                attribution: &attribution,
            },
            setup.organisation_key,
        );
        signer.sign(&SignatureRequest::new(
            Content::Detached(CONTENT),
            TEST_SERVICE,
            period,
        ))
    };
    assert!(signature(longest).is_ok());
    too_long(signature(longer).map(drop));
}

#[test]
fn nobody_is_called_what_domain_auth_would_write_in_another_way() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let names = ["Alice", "alice smith", "ａlice", "♚"];
    for member in names.map(|name| Member::parse_for(name, Dialect::VeraId).unwrap()) {
        let certificate = MemberCertificate::issue(
            &MemberRequest::new(
                &member,
                setup.member_key.public_key(),
                &setup.certificate,
                Dialect::DomainAuth,
                days(),
            ),
            setup.organisation_key,
        );
        assert!(
            matches!(certificate, Err(IssueError::MemberName(_))),
            "{member}"
        );
        let intermediate = IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &IntermediateName::Member(member.clone()),
                setup.upper_key.public_key(),
                &setup.certificate,
                days(),
            ),
            setup.organisation_key,
        );
        assert!(
            matches!(intermediate, Err(IssueError::MemberName(_))),
            "{member}"
        );
        let signer = Signer::new(
            SignerIdentity::Organisation {
                chain_der: &setup.chain,
                certificate: &setup.certificate,
                attribution: &member,
            },
            setup.organisation_key,
        );
        let signature = signer.sign(&SignatureRequest::new(
            Content::Attached(CONTENT),
            TEST_SERVICE,
            minute(),
        ));
        let Err(IssueError::Invalid(VerifyError::InvalidAttribution(error))) = signature else {
            panic!("{member}");
        };
        if member.as_str() == "Alice" {
            let normalised = "alice".into();
            assert_eq!(error, NameError::NotNormalised { normalised });
        }
    }
}

#[test]
fn a_units_name_has_1_to_64_characters_and_stands_in_its_certificate() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let issue = |name: &str| {
        let name = unit(name);
        let key = setup.upper_key.public_key();
        IntermediateCertificate::issue(
            &IntermediateRequest::new(&name, key, &setup.certificate, days()),
            setup.organisation_key,
        )
    };
    // Characters count, not octets.
    for name in ["x", "Help desk", &"é".repeat(64)] {
        let certificate = issue(name).unwrap();
        let parsed = certificate.parsed().unwrap();
        assert_eq!(parsed.unit().as_deref(), Some(name));
        assert_eq!(
            parsed.common_name().unwrap_err().reason(),
            "x509.no_common_name"
        );
    }
    for name in ["", &"x".repeat(65)] {
        let error = issue(name).unwrap_err();
        assert_eq!(error.reason(), "veraid.unit_name");
        let text = "an intermediate's name must have 1 to 64 characters";
        assert_eq!(error.to_string(), text);
    }
    let organisation = setup.certificate.parsed().unwrap();
    assert_eq!(organisation.unit(), None);
    assert_eq!(organisation.common_name().unwrap(), "example.com.");
}

#[test]
fn a_bundle_has_16_intermediates_at_most() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let member = setup.member_bundle(1).member_certificate().clone();
    let bundle = |intermediates| {
        let organisation = setup.certificate.clone();
        MemberIdBundle::new(&setup.chain, organisation, member.clone(), intermediates)
    };
    let most = bundle(vec![setup.upper.clone(); MAX_INTERMEDIATES]).unwrap();
    assert_eq!(
        most.intermediate_certificates(),
        std::slice::from_ref(&setup.upper)
    );
    assert_eq!(most.dialect(), Dialect::DomainAuth);
    let error = bundle(vec![setup.upper.clone(); MAX_INTERMEDIATES + 1]).unwrap_err();
    assert_eq!(
        error,
        VerifyError::TooManyCertificates {
            limit: MAX_INTERMEDIATES
        }
    );
}

#[test]
fn an_intermediate_that_is_named_after_a_member_signs_as_that_member() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let certificate = IntermediateCertificate::issue(
        &IntermediateRequest::new(
            &IntermediateName::Member(alice()),
            setup.upper_key.public_key(),
            &setup.certificate,
            days(),
        ),
        setup.organisation_key,
    )
    .unwrap();
    let bundle = MemberIdBundle::new(
        &setup.chain,
        setup.certificate.clone(),
        MemberCertificate::from_der(certificate.as_der()).unwrap(),
        Vec::new(),
    )
    .unwrap();
    let key = setup.upper_key;
    let signature = signed(&Signer::member(&bundle, key));
    setup.check(&signature, SignedBy::Member, false, key);
}

#[test]
fn nobody_issues_more_intermediates_than_they_may() {
    let setup = Setup::new(Mixture::of(KeyAlgorithm::Ed25519));
    let below = |issuer: Issuer<'_>, key: &PrivateKey, path_length| {
        IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &unit("Another desk"),
                setup.member_key.public_key(),
                issuer,
                days(),
            )
            .with_path_length(path_length),
            key,
        )
    };
    let of_organisation = |path_length| {
        below(
            (&setup.certificate).into(),
            setup.organisation_key,
            path_length,
        )
    };
    assert!(of_organisation(1).is_ok());
    assert!(matches!(
        of_organisation(2),
        Err(IssueError::Invalid(VerifyError::PathTooLong {
            limit: 2,
            ..
        }))
    ));
    assert!(matches!(
        below((&setup.upper).into(), setup.upper_key, 1),
        Err(IssueError::Invalid(VerifyError::PathTooLong {
            limit: 1,
            ..
        }))
    ));
}

/// Anybody can make a certificate for the organisation's key: for longer, and with any number of intermediates.
#[test]
fn a_strangers_certificate_for_the_organisations_key_widens_nothing() {
    fn by_a_stranger(parts: &mut Parts) {
        let certificate = &mut parts.organisation;
        certificate.issuer = sequence(&[common_name(utf8_string("Some other CA"))]);
        certificate.signed_by = stranger_key();
        certificate.validity = sequence(&[utc_time("261001000000Z"), utc_time("261230000000Z")]);
        certificate.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0xff)]);
        certificate.extensions.remove(AUTHORITY);
    }
    fn membership(parts: &Parts) -> Period {
        let (bundle, anchors) = parts.build_member_id();
        let bundle = MemberIdBundle::from_der(&bundle).unwrap();
        let verified = bundle.verify(&Verification::for_any_service(noon(), &anchors));
        verified.unwrap().period()
    }
    for parts in [
        Parts::domain_auth,
        Parts::through_intermediate,
        Parts::through_two_intermediates,
    ] {
        let for_two_months = || {
            let mut parts = parts();
            parts.dnssec_window = (NOON - 30 * DAY, NOON + 30 * DAY);
            parts
        };
        let honest = for_two_months();
        let mut wider = for_two_months();
        by_a_stranger(&mut wider);
        assert_eq!(membership(&wider), membership(&honest));
        // Nor does it help somebody whose certificate the key has not signed.
        let bundle = &mut wider.bundle;
        let top = bundle
            .intermediates
            .first_mut()
            .unwrap_or(&mut bundle.member);
        top.signed_by = stranger_key();
        assert_eq!(wider.reason(), "x509.bad_signature");
        assert_eq!(wider.member_id_reason(), "x509.bad_signature");
    }
}
