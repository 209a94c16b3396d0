//! What delegates make in an organisation's place, and what they cannot.

use std::sync::LazyLock;

use crate::support::{CONTENT, DAY, HAS_ML_DSA, NOON, noon, period, try_private_key};
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use veraid::{
    Content, Dialect, IntermediateCertificate, IntermediateName, IntermediateRequest, KeyAlgorithm,
    Member, Organisation, OrganisationCertificate, OrganisationRequest, Period, Policy, PrivateKey,
    SignatureBundle, SignatureRequest, Signer, SignerIdentity, SigningKey, TEST_SERVICE,
    TrustAnchors, TtlOverride, TxtRecord, Verification, VerifiedSignature,
};

/// A key of each algorithm that a record can name, as far as they are built in.
static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let keys = KeyAlgorithm::ALL.iter().copied().map(try_private_key);
    let keys: Vec<_> = keys.filter_map(Result::ok).collect();
    assert_eq!(keys.len() == KeyAlgorithm::ALL.len(), HAS_ML_DSA);
    keys
});

/// The key so many places further in the circle of all algorithms.
fn key(place: usize) -> &'static PrivateKey {
    &KEYS[place % KEYS.len()]
}

fn month() -> Period {
    period(NOON - DAY, NOON + 30 * DAY)
}

fn unit(name: &str) -> IntermediateName {
    IntermediateName::Unit(name.to_owned())
}

/// An organisation with that key, published as DomainAuth has it.
struct Setup {
    key: &'static PrivateKey,
    certificate: OrganisationCertificate,
    chain: Vec<u8>,
    anchors: TrustAnchors,
}

impl Setup {
    fn new(key: &'static PrivateKey, path_length: u8) -> Self {
        Self::with_dialect(key, path_length, Dialect::DomainAuth)
    }

    fn with_dialect(key: &'static PrivateKey, path_length: u8, dialect: Dialect) -> Self {
        let organisation: Organisation = "example.com".parse().unwrap();
        let hour = TtlOverride::from_seconds(3_600).unwrap();
        let record = TxtRecord::new(key.public_key(), dialect, hour, None).unwrap();
        let owner = organisation.record_owner(dialect).unwrap().to_string();
        let world = World::builder()
            .at(NOON)
            .zone(".", Algorithm::Ed25519)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::EcdsaP384Sha384)
            .txt(owner.as_str(), record.to_string())
            .build();
        let certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&organisation, dialect, month())
                .with_path_length(path_length),
            key,
        );
        Self {
            key,
            certificate: certificate.unwrap(),
            chain: chain_der(&world.chain(owner.as_str(), TXT)),
            anchors: world.anchors().parse().unwrap(),
        }
    }

    fn intermediate(&self, key: &PrivateKey, path_length: u8) -> IntermediateCertificate {
        IntermediateCertificate::issue(
            &IntermediateRequest::new(
                &unit("Help desk"),
                key.public_key(),
                &self.certificate,
                month(),
            )
            .with_path_length(path_length),
            self.key,
        )
        .unwrap()
    }

    fn delegate<'s>(
        &'s self,
        intermediates: &'s [IntermediateCertificate],
        attribution: &'s Member,
        key: &'s PrivateKey,
    ) -> Signer<'s> {
        Signer::new(
            SignerIdentity::Delegate {
                chain_der: &self.chain,
                certificate: &self.certificate,
                intermediates,
                attribution,
            },
            key,
        )
    }

    fn verified<T>(&self, bundle: &[u8], check: impl FnOnce(VerifiedSignature<'_>) -> T) -> T {
        let verification = Verification::new(TEST_SERVICE, noon(), &self.anchors)
            .with_policy(Policy::new().with_all_algorithms());
        let bundle = SignatureBundle::from_der(bundle).unwrap();
        check(bundle.verify(&verification).unwrap())
    }
}

fn signed(signer: &Signer<'_>) -> Vec<u8> {
    let minutes = period(NOON, NOON + 600);
    signer
        .sign(&SignatureRequest::new(
            Content::Attached(CONTENT),
            TEST_SERVICE,
            minutes,
        ))
        .unwrap()
}

#[test]
fn intermediates_below_one_another_sign_and_certify() {
    let setup = Setup::new(key(3), 2);
    let (upper_key, lower_key) = (key(4), key(5));
    let upper = setup.intermediate(upper_key, 1);
    let lower = IntermediateCertificate::issue(
        &IntermediateRequest::new(
            &unit("Night shift"),
            lower_key.public_key(),
            &upper,
            month(),
        ),
        upper_key,
    )
    .unwrap();
    let path = [upper.clone(), lower.clone()];
    let bundle = signed(&setup.delegate(&path, &Member::Bot, lower_key));
    setup.verified(&bundle, |verified| assert!(verified.is_delegated()));
    // The lower one alone leads nowhere.
    let alone = std::slice::from_ref(&lower);
    let signer = setup.delegate(alone, &Member::Bot, lower_key);
    let minutes = period(NOON, NOON + 600);
    let error = signer.sign(&SignatureRequest::new(
        Content::Attached(CONTENT),
        TEST_SERVICE,
        minutes,
    ));
    assert_eq!(error.unwrap_err().reason(), "x509.other_issuer");

    // What the upper one was not allowed to hand on.
    let error = IntermediateCertificate::issue(
        &IntermediateRequest::new(&unit("Too deep"), key(6).public_key(), &lower, month())
            .with_path_length(1),
        lower_key,
    )
    .unwrap_err();
    assert_eq!(error.reason(), "x509.path_length_exceeded");
}

#[test]
fn makes_no_signature_that_nobody_would_take() {
    let setup = Setup::new(key(0), 1);
    let long = period(NOON, NOON + 90 * DAY + 1);
    let minutes = period(NOON, NOON + 600);
    let refusal = |signer: &Signer<'_>, period| {
        signer
            .sign(&SignatureRequest::new(
                Content::Attached(CONTENT),
                TEST_SERVICE,
                period,
            ))
            .unwrap_err()
            .reason()
    };
    let intermediates = [setup.intermediate(key(4), 0)];
    let bot = Member::Bot;
    let capital: Member = "Alice".parse().unwrap();
    let delegate = setup.delegate(&intermediates, &bot, key(4));
    assert_eq!(refusal(&delegate, long), "veraid.signature_valid_too_long");
    let misnamed = setup.delegate(&intermediates, &capital, key(4));
    assert_eq!(refusal(&misnamed, minutes), "veraid.invalid_attribution");
    let other_key = setup.delegate(&intermediates, &bot, key(5));
    assert_eq!(refusal(&other_key, minutes), "veraid.key_mismatch");
    let nobody = setup.delegate(&[], &bot, key(4));
    assert_eq!(refusal(&nobody, minutes), "cms.no_signer_certificate");
    let vera_id = Setup::with_dialect(key(0), 0, Dialect::VeraId);
    let signer = vera_id.delegate(&intermediates, &bot, key(4));
    assert_eq!(refusal(&signer, minutes), "veraid.attribution_by_member");
}

#[test]
fn bundles_say_what_they_hold_before_they_are_verified() {
    let setup = Setup::new(key(0), 2);
    let upper = setup.intermediate(key(3), 1);
    let lower = IntermediateCertificate::issue(
        &IntermediateRequest::new(&unit("Night shift"), key(4).public_key(), &upper, month()),
        key(3),
    )
    .unwrap();
    let path = [upper, lower];
    let bundle = signed(&setup.delegate(&path, &Member::Bot, key(4)));
    let bundle = SignatureBundle::from_der(&bundle).unwrap();
    assert_eq!(bundle.unverified_attribution(), Some("@"));
    assert!(bundle.unverified_member_certificate().is_none());
    let delegate = bundle.unverified_delegate_certificate().unwrap();
    assert_eq!(delegate.to_der(), path[1].as_der());
    let others = bundle.unverified_intermediate_certificates();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].to_der(), path[0].as_der());
}
