//! What is signed here verifies here: member and organisation, user and bot, attached and detached.

use crate::support::{DAY, NOON, at, noon, period, private_key};
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use std::sync::Arc;
use veraid::{
    BundleOutline, Content, ContentDigest, Dialect, EcdsaFormat, Fault, HashAlgorithm, IssueError,
    KeyAlgorithm, Member, MemberCertificate, MemberId, MemberIdBundle, MemberRequest, MemoryLimits,
    Organisation, OrganisationCertificate, OrganisationRequest, Period, Policy, PrivateKey,
    PublicKey, ServiceOid, SignatureBundle, SignatureRequest, SignatureScheme, SignedBy, Signer,
    SignerIdentity, SigningError, SigningKey, TEST_SERVICE, TrustAnchors, TtlOverride, TxtRecord,
    Verification, Verifier, VerifyError,
};

const CONTENT: &[u8] = b"the content";
const WEEK: i64 = 7 * DAY;

/// An organisation with a member, set up with the library alone.
struct Setup {
    organisation_key: PrivateKey,
    member_key: PrivateKey,
    chain: Vec<u8>,
    anchors: TrustAnchors,
    certificate: OrganisationCertificate,
}

impl Setup {
    fn new(algorithm: KeyAlgorithm) -> Self {
        let organisation: Organisation = "example.com".parse().unwrap();
        let organisation_key = private_key(algorithm);
        let ttl_override = TtlOverride::from_seconds(3_600).unwrap();
        let record = TxtRecord::new(
            organisation_key.public_key(),
            Dialect::VeraId,
            ttl_override,
            None,
        )
        .unwrap();
        let world = World::builder()
            .at(NOON)
            .zone(".", Algorithm::Ed25519)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::EcdsaP384Sha384)
            .txt("_veraid.example.com.", record.to_string())
            .build();
        let month = period(NOON - DAY, NOON + 30 * DAY);
        Self {
            member_key: private_key(algorithm),
            chain: chain_der(&world.chain("_veraid.example.com.", TXT)),
            anchors: world.anchors().parse().unwrap(),
            certificate: OrganisationCertificate::self_issue(
                &OrganisationRequest::new(&organisation, Dialect::VeraId, month),
                &organisation_key,
            )
            .unwrap(),
            organisation_key,
        }
    }

    fn member_bundle(&self, member: &Member) -> MemberIdBundle {
        let certificate = MemberCertificate::issue(
            &MemberRequest::new(
                member,
                self.member_key.public_key(),
                &self.certificate,
                Dialect::VeraId,
                period(NOON - 60, NOON + WEEK),
            ),
            &self.organisation_key,
        )
        .unwrap();
        MemberIdBundle::new(
            &self.chain,
            self.certificate.clone(),
            certificate,
            Vec::new(),
        )
        .unwrap()
    }

    fn organisation_signer<'s>(&'s self, attribution: &'s Member) -> Signer<'s> {
        Signer::new(
            SignerIdentity::Organisation {
                chain_der: &self.chain,
                certificate: &self.certificate,
                attribution,
            },
            &self.organisation_key,
        )
    }

    fn check(&self, signer: &Signer<'_>, signed_by: SignedBy, id: &str) {
        let minute = period(NOON, NOON + 60);
        for (content, required) in [
            (Content::Attached(CONTENT), noon()),
            (Content::Detached(CONTENT), noon()),
            (Content::Attached(CONTENT), period(NOON - DAY, NOON + 30)),
            (Content::Detached(CONTENT), period(NOON + 60, NOON + DAY)),
        ] {
            let bundle = signer
                .sign(&SignatureRequest::new(content, TEST_SERVICE, minute))
                .unwrap();
            let bundle = SignatureBundle::from_der(&bundle).unwrap();
            let mut verification = Verification::new(TEST_SERVICE, required, &self.anchors);
            if content == Content::Attached(CONTENT) {
                assert_eq!(bundle.unverified_content(), Some(CONTENT));
            } else {
                assert_eq!(bundle.unverified_content(), None);
                verification = verification.with_detached_content(CONTENT);
            }
            let verified = bundle.verify(&verification).unwrap();
            assert_eq!(verified.member_id().to_string(), id);
            assert_eq!(verified.signed_by(), signed_by);
            assert_eq!(verified.content(), Some(CONTENT));
            assert_eq!(verified.period(), minute);
            assert_eq!(verified.signature_period(), minute);
            assert_eq!(verified.into_content().as_deref(), Some(CONTENT));
        }
    }
}

#[test]
fn members_and_organisations_sign_for_users_and_bots() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    for (member, id) in [("alice", "alice@example.com"), ("@", "example.com")] {
        let member: Member = member.parse().unwrap();
        let bundle = setup.member_bundle(&member);
        let signer = Signer::member(&bundle, &setup.member_key);
        setup.check(&signer, SignedBy::Member, id);
        setup.check(
            &setup.organisation_signer(&member),
            SignedBy::Organisation,
            id,
        );
    }
}

#[test]
fn keys_of_all_sizes_sign() {
    for &algorithm in KeyAlgorithm::ALL
        .iter()
        .filter(|algorithm| !algorithm.is_experimental())
    {
        let setup = Setup::new(algorithm);
        let alice: Member = "alice".parse().unwrap();
        let bundle = setup.member_bundle(&alice);
        let signer = Signer::member(&bundle, &setup.member_key);
        setup.check(&signer, SignedBy::Member, "alice@example.com");
        let verified = bundle
            .verify(&Verification::for_any_service(noon(), &setup.anchors))
            .unwrap();
        assert_eq!(verified.key_algorithm(), algorithm);
        let organisation = setup
            .certificate
            .verify(
                &setup.chain,
                &Verification::for_any_service(noon(), &setup.anchors),
            )
            .unwrap();
        assert_eq!(organisation.key_algorithm(), algorithm);
    }
}

#[test]
fn a_bundle_is_there_for_inspection_before_it_is_verified() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let minute = period(NOON, NOON + 60);
    let member = Signer::member(&bundle, &setup.member_key);
    let der = member
        .sign(&SignatureRequest::new(
            Content::Attached(CONTENT),
            TEST_SERVICE,
            minute,
        ))
        .unwrap();
    let read = SignatureBundle::from_der(&der).unwrap();
    assert_eq!(read.unverified_service(), Some(TEST_SERVICE));
    assert_eq!(read.unverified_period(), minute);
    assert_eq!(read.unverified_attribution(), None);
    assert_eq!(read.unverified_chain().to_der(), setup.chain);
    let organisation = read.unverified_organisation_certificate();
    assert_eq!(organisation.to_der(), setup.certificate.as_der());
    assert_eq!(organisation.common_name().unwrap(), "example.com");
    assert_eq!(organisation.period(), setup.certificate.period());
    assert!(organisation.is_ca());
    let certificate = read.unverified_member_certificate().unwrap();
    assert_eq!(certificate.to_der(), bundle.member_certificate().as_der());
    assert_eq!(
        &certificate.public_key().unwrap(),
        setup.member_key.public_key()
    );
    assert!(!certificate.is_ca());

    let organisation = setup.organisation_signer(&alice);
    let der = organisation
        .sign(&SignatureRequest::new(
            Content::Attached(CONTENT),
            TEST_SERVICE,
            minute,
        ))
        .unwrap();
    let read = SignatureBundle::from_der(&der).unwrap();
    assert_eq!(read.unverified_attribution(), Some("alice"));
    assert!(read.unverified_member_certificate().is_none());
}

#[test]
fn certificates_and_bundles_read_back_as_they_were_written() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let again = MemberIdBundle::from_der(&bundle.to_der().unwrap()).unwrap();
    assert_eq!(again, bundle);
    assert_eq!(again.chain_der(), setup.chain);
    let organisation = again.organisation_certificate();
    assert_eq!(
        OrganisationCertificate::from_pem(&organisation.to_pem()).unwrap(),
        *organisation
    );
    assert_eq!(organisation.organisation().as_str(), "example.com");
    assert_eq!(
        organisation.public_key(),
        setup.organisation_key.public_key()
    );
    let member = again.member_certificate();
    assert_eq!(
        MemberCertificate::from_pem(&member.to_pem()).unwrap(),
        *member
    );
    assert_eq!(member.member(), &alice);
    assert_eq!(member.period(), period(NOON - 60, NOON + WEEK));
    for (pem, what) in [
        (setup.member_key.public_key().to_spki_pem(), "a public key"),
        (String::new(), "nothing"),
    ] {
        assert!(
            matches!(
                MemberCertificate::from_pem(&pem),
                Err(VerifyError::NotPemCertificate)
            ),
            "{what}"
        );
    }
}

#[test]
fn certificates_are_dated_to_the_year_9999_and_not_before_1970() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let organisation: Organisation = "example.com".parse().unwrap();
    let issue = |period| {
        OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&organisation, Dialect::VeraId, period),
            &setup.organisation_key,
        )
    };
    let last = 253_402_300_799;
    // Through 2049 the short form of times, from 2050 on the long one.
    for (start, end) in [(0, 2_524_607_999), (2_524_608_000, last), (0, 0)] {
        assert_eq!(
            issue(period(start, end)).unwrap().period(),
            period(start, end)
        );
    }
    for unwritable in [period(-1, 0), period(0, last + 1), Period::always()] {
        assert!(
            matches!(issue(unwritable), Err(IssueError::UnwritablePeriod(_))),
            "{unwritable}"
        );
    }
}

#[test]
fn verifies_a_membership_and_an_organisation_by_themselves() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    for verification in [
        Verification::for_any_service(noon(), &setup.anchors),
        Verification::new(TEST_SERVICE, noon(), &setup.anchors),
    ] {
        let member = bundle.verify(&verification).unwrap();
        let id = MemberId::new("example.com".parse().unwrap(), alice.clone());
        assert_eq!(member.member_id(), &id);
        // DNSSEC from an hour ago for six days; the member for a week from a minute ago on.
        assert_eq!(member.period().start(), at(NOON - 60));
        let organisation = setup
            .certificate
            .verify(&setup.chain, &verification)
            .unwrap();
        assert_eq!(organisation.organisation().as_str(), "example.com");
        assert_eq!(organisation.period().start(), at(NOON - 3_600));
    }
    let before = Period::at(at(NOON - 61));
    let error = bundle
        .verify(&Verification::for_any_service(before, &setup.anchors))
        .unwrap_err();
    assert_eq!(error.reason(), "x509.not_yet_valid");
    let other = TrustAnchors::iana();
    let error = bundle
        .verify(&Verification::for_any_service(noon(), &other))
        .unwrap_err();
    assert!(error.reason().starts_with("dnssec."), "{error}");
    let error = setup
        .certificate
        .verify(&setup.chain, &Verification::for_any_service(noon(), &other))
        .unwrap_err();
    assert!(error.reason().starts_with("dnssec."), "{error}");
}

#[test]
fn a_membership_of_another_organisation_does_not_fit() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let other = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let member = setup.member_bundle(&alice).member_certificate().clone();
    // Same name, another key.
    let error = MemberIdBundle::new(&setup.chain, other.certificate.clone(), member, Vec::new())
        .unwrap_err();
    assert_eq!(error.reason(), "x509.key_identifier_mismatch");
    // A chain of another key.
    let bundle = MemberIdBundle::new(
        &other.chain,
        setup.certificate.clone(),
        setup.member_bundle(&alice).member_certificate().clone(),
        Vec::new(),
    )
    .unwrap();
    let error = bundle
        .verify(&Verification::for_any_service(noon(), &other.anchors))
        .unwrap_err();
    assert_eq!(error.reason(), "veraid.no_matching_record");
}

/// A key management service: all that it gets is octets and a scheme.
fn ask_elsewhere(key: &PrivateKey, octets: &[u8], scheme: SignatureScheme) -> Vec<u8> {
    key.sign(octets, scheme).unwrap()
}

#[test]
fn signs_and_issues_in_two_steps() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();

    let request = OrganisationRequest::new(
        setup.certificate.organisation(),
        Dialect::VeraId,
        setup.certificate.period(),
    );
    let organisation_key = &setup.organisation_key;
    let unsigned =
        OrganisationCertificate::prepare(&request, organisation_key.public_key()).unwrap();
    let signature = ask_elsewhere(organisation_key, unsigned.to_be_signed(), unsigned.scheme());
    let organisation = unsigned.finish(&signature).unwrap();

    let member_key = setup.member_key.public_key();
    let period = organisation.period();
    let request = MemberRequest::new(&alice, member_key, &organisation, Dialect::VeraId, period);
    let unsigned = MemberCertificate::prepare(&request).unwrap();
    assert_eq!(unsigned.public_key(), organisation_key.public_key());
    let signature = ask_elsewhere(organisation_key, unsigned.to_be_signed(), unsigned.scheme());
    let certificate = unsigned.finish(&signature).unwrap();
    let bundle = MemberIdBundle::new(&setup.chain, organisation, certificate, vec![]).unwrap();

    let request = SignatureRequest::new(Content::Attached(CONTENT), TEST_SERVICE, noon());
    let unsigned = SignerIdentity::Member(&bundle).prepare(&request).unwrap();
    assert_eq!(unsigned.public_key(), member_key);
    let signature = ask_elsewhere(
        &setup.member_key,
        unsigned.to_be_signed(),
        unsigned.scheme(),
    );
    let der = unsigned.finish(&signature).unwrap();
    let verification = Verification::new(TEST_SERVICE, noon(), &setup.anchors);
    let bundle = SignatureBundle::from_der(&der).unwrap();
    let verified = bundle.verify(&verification).unwrap();
    assert_eq!(verified.member_id().to_string(), "alice@example.com");
}

/// What is finished must be what would verify.
#[test]
fn finishes_nothing_with_another_signature() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let request = SignatureRequest::new(Content::Attached(CONTENT), TEST_SERVICE, noon());
    let prepare = || SignerIdentity::Member(&bundle).prepare(&request).unwrap();
    let unsigned = prepare();
    let by_another = ask_elsewhere(
        &setup.organisation_key,
        unsigned.to_be_signed(),
        unsigned.scheme(),
    );
    assert!(matches!(
        unsigned.finish(&by_another),
        Err(IssueError::SignedWrongly { .. })
    ));
    let unsigned = prepare();
    let mut changed = ask_elsewhere(
        &setup.member_key,
        unsigned.to_be_signed(),
        unsigned.scheme(),
    );
    *changed.first_mut().unwrap() ^= 1;
    assert!(matches!(
        unsigned.finish(&changed),
        Err(IssueError::SignedWrongly { .. })
    ));
    let request = MemberRequest::new(
        &alice,
        setup.member_key.public_key(),
        &setup.certificate,
        Dialect::VeraId,
        noon(),
    );
    let unsigned = MemberCertificate::prepare(&request).unwrap();
    assert!(matches!(
        unsigned.finish(&changed),
        Err(IssueError::SignedWrongly { .. })
    ));
    let unsigned = MemberCertificate::prepare(&request).unwrap();
    let error = unsigned.sign(&setup.member_key).unwrap_err();
    assert_eq!(error.reason(), "veraid.key_mismatch");
    assert_eq!(error.fault(), Fault::Caller);
}

#[test]
fn content_can_be_given_as_its_digest() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let signer = Signer::member(&bundle, &setup.member_key);
    let hash = KeyAlgorithm::Rsa2048.content_hash();
    let digest = ContentDigest::of_reader(hash, CONTENT).unwrap();
    let sign = |content| signer.sign(&SignatureRequest::new(content, TEST_SERVICE, noon()));
    let der = sign(Content::DetachedDigest(digest)).unwrap();
    let signature = SignatureBundle::from_der(&der).unwrap();
    assert_eq!(signature.unverified_content(), None);
    assert_eq!(signature.unverified_content_hash(), hash);

    let verification = Verification::new(TEST_SERVICE, noon(), &setup.anchors);
    let verified = signature
        .verify(&verification.with_detached_digest(digest))
        .unwrap();
    assert_eq!(verified.content(), None);
    assert_eq!(verified.into_content(), None);
    let verified = signature
        .verify(&verification.with_detached_content(CONTENT))
        .unwrap();
    assert_eq!(verified.content(), Some(CONTENT));

    let forgetful = || Verifier::new(TEST_SERVICE, setup.anchors.clone(), Policy::new());
    let limits = MemoryLimits {
        organisation_octets: 1 << 20,
        signer_octets: 1 << 20,
    };
    for asked in [None, Some(limits)] {
        let asked = asked.map_or_else(forgetful, |limits| forgetful().with_memory(limits));
        for _ in 0..2 {
            let outline = || BundleOutline::from_der(&der).unwrap();
            assert!(asked.verify_detached(outline(), CONTENT, noon()).is_ok());
            assert!(asked.verify_digest(outline(), digest, noon()).is_ok());
            let missing = asked.verify(outline(), noon()).unwrap_err();
            assert_eq!(missing.reason(), "cms.missing_content");
            let other = asked
                .verify_detached(outline(), b"other", noon())
                .unwrap_err();
            assert_eq!(other.reason(), "cms.digest_mismatch");
        }
    }

    let refused = |digest| {
        let error = signature
            .verify(&verification.with_detached_digest(digest))
            .unwrap_err();
        error.reason()
    };
    assert_eq!(
        refused(ContentDigest::of(hash, b"other")),
        "cms.digest_mismatch"
    );
    let by_another = ContentDigest::of(HashAlgorithm::Sha512, CONTENT);
    assert_eq!(refused(by_another), "cms.other_digest");
    let error = sign(Content::DetachedDigest(by_another)).unwrap_err();
    assert_eq!(error.reason(), "veraid.content_hash");
    let attached = sign(Content::Attached(CONTENT)).unwrap();
    let attached = SignatureBundle::from_der(&attached).unwrap();
    let error = attached
        .verify(&verification.with_detached_digest(digest))
        .unwrap_err();
    assert_eq!(error.reason(), "cms.unexpected_content");

    assert_eq!(
        ContentDigest::from_octets(hash, digest.as_octets()),
        Some(digest)
    );
    assert_eq!(ContentDigest::from_octets(hash, &[0; 31]), None);
}

/// A signature is for one service; that a domain answers for somebody at all can be asked of members.
#[test]
fn no_signature_is_verified_for_any_service() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let request = SignatureRequest::new(Content::Attached(CONTENT), TEST_SERVICE, noon());
    let der = Signer::member(&bundle, &setup.member_key)
        .sign(&request)
        .unwrap();
    let signature = SignatureBundle::from_der(&der).unwrap();
    let any = Verification::for_any_service(noon(), &setup.anchors);
    let error = signature.verify(&any).unwrap_err();
    assert_eq!(error.reason(), "veraid.no_service");
    assert_eq!(error.fault(), Fault::Caller);
}

#[test]
fn tells_what_an_archive_would_keep() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let request = SignatureRequest::new(Content::Attached(CONTENT), TEST_SERVICE, noon());
    let kept = {
        let der = Signer::member(&bundle, &setup.member_key)
            .sign(&request)
            .unwrap();
        let signature = SignatureBundle::from_der(&der).unwrap();
        let verification = Verification::new(TEST_SERVICE, noon(), &setup.anchors);
        let verified = signature.verify(&verification).unwrap();
        let certificate = signature.unverified_member_certificate().unwrap();
        assert_eq!(verified.signer_serial_number(), certificate.serial_number());
        verified.into_owned()
    };
    assert_eq!(kept.content(), Some(CONTENT));
    assert_eq!(kept.signer_key(), setup.member_key.public_key());
    assert!(kept.record().is_about(setup.organisation_key.public_key()));
    assert!(kept.record_validity().contains(at(NOON)));
    let by_organisation = setup.organisation_signer(&alice).sign(&request).unwrap();
    let by_organisation = SignatureBundle::from_der(&by_organisation).unwrap();
    let verification = Verification::new(TEST_SERVICE, noon(), &setup.anchors);
    let verified = by_organisation.verify(&verification).unwrap();
    assert_eq!(verified.signer_key(), setup.organisation_key.public_key());
}

/// Protocols beside this one ask the same keys in other schemes; none signs in a scheme that is not its own.
#[test]
fn keys_sign_in_all_their_schemes_and_in_no_others() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let rsa = [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ]
    .map(SignatureScheme::RsaPss);
    let [sha_256, others @ ..] =
        rsa.map(|scheme| setup.member_key.sign(b"message", scheme).unwrap());
    for other in others {
        assert_eq!(other.len(), sha_256.len());
        assert_ne!(other, sha_256);
    }
    let p256 = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let fixed = SignatureScheme::EcdsaP256(EcdsaFormat::Fixed);
    let shared: Arc<dyn SigningKey> = Arc::new(p256);
    let fixed = shared.sign(b"message", fixed).unwrap();
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED,
        shared.public_key().as_spki_der().get(26..).unwrap(),
    );
    assert!(key.verify(b"message", &fixed).is_ok());
    let public_key = shared.public_key();
    let scheme = SignatureScheme::EcdsaP256(EcdsaFormat::Fixed);
    assert_eq!(public_key.verify(b"message", &fixed, scheme), Ok(()));
    assert!(public_key.verify(b"massage", &fixed, scheme).is_err());
    let der = public_key.algorithm().signature_scheme();
    assert!(public_key.verify(b"message", &fixed, der).is_err());
    assert!(
        public_key
            .verify(b"message", &fixed, SignatureScheme::Ed25519)
            .is_err()
    );
    let signature = shared.sign(b"message", der).unwrap();
    assert_eq!(public_key.verify(b"message", &signature, der), Ok(()));
    assert!(public_key.verify(b"message", &signature, scheme).is_err());
    let p384 = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let scheme = SignatureScheme::EcdsaP384(EcdsaFormat::Fixed);
    let fixed = p384.sign(b"message", scheme).unwrap();
    assert_eq!(fixed.len(), 96);
    assert_eq!(p384.public_key().verify(b"message", &fixed, scheme), Ok(()));
    for wrong in [
        SignatureScheme::Ed25519,
        SignatureScheme::EcdsaP384(EcdsaFormat::Der),
        SignatureScheme::MlDsa44,
        SignatureScheme::RsaPss(HashAlgorithm::Sha256),
    ] {
        assert!(shared.sign(b"message", wrong).is_err(), "{wrong}");
    }
}

/// A key that says one thing and does another.
struct Liar<'k> {
    claimed: &'k PublicKey,
    signature: fn(&[u8]) -> Result<Vec<u8>, SigningError>,
}

impl SigningKey for Liar<'_> {
    fn public_key(&self) -> &PublicKey {
        self.claimed
    }

    fn sign(&self, message: &[u8], _: SignatureScheme) -> Result<Vec<u8>, SigningError> {
        (self.signature)(message)
    }
}

#[test]
fn finds_out_keys_that_do_not_sign_as_they_should() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let sign_with = |key: &dyn SigningKey| {
        let signer = Signer::member(&bundle, key);
        signer
            .sign(&SignatureRequest::new(
                Content::Attached(CONTENT),
                TEST_SERVICE,
                noon(),
            ))
            .unwrap_err()
            .reason()
    };
    let claimed = setup.member_key.public_key();
    let refusing = |_: &[u8]| Err(SigningError::new("the HSM is out for lunch"));
    assert_eq!(
        sign_with(&Liar {
            claimed,
            signature: refusing
        }),
        "veraid.signing_failed"
    );
    assert_eq!(
        sign_with(&Liar {
            claimed,
            signature: |_| Ok(vec![7; 256])
        }),
        "veraid.signed_wrongly"
    );
    assert_eq!(sign_with(&setup.organisation_key), "veraid.key_mismatch");
    let organisation: Organisation = "example.com".parse().unwrap();
    let liar = Liar {
        claimed,
        signature: |_| Ok(Vec::new()),
    };
    let error = OrganisationCertificate::self_issue(
        &OrganisationRequest::new(&organisation, Dialect::VeraId, noon()),
        &liar,
    )
    .unwrap_err();
    assert_eq!(error.reason(), "veraid.signed_wrongly");
}

#[test]
fn refuses_to_sign_what_nobody_could_verify() {
    const TEST: &str = "1.3.6.1.4.1.58708.1.1";
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let member = Signer::member(&bundle, &setup.member_key);
    let organisation = setup.organisation_signer(&alice);
    let reason = |signer: &Signer<'_>, service: &str, period| {
        let service: ServiceOid = service.parse().unwrap();
        signer
            .sign(&SignatureRequest::new(
                Content::Attached(CONTENT),
                service,
                period,
            ))
            .unwrap_err()
            .reason()
    };
    let after_member = period(NOON + WEEK + 1, NOON + WEEK + 2);
    let after_all = period(NOON + 31 * DAY, NOON + 32 * DAY);
    assert_eq!(
        reason(&member, TEST, after_member),
        "veraid.never_verifiable"
    );
    assert_eq!(
        reason(&organisation, TEST, after_all),
        "veraid.never_verifiable"
    );
    assert_eq!(
        reason(&organisation, TEST, Period::always()),
        "veraid.unwritable_period"
    );
    for attribute in ["1.3.6.1.4.1.58708.1.0", "1.3.6.1.4.1.58708.1.2"] {
        assert_eq!(reason(&member, attribute, noon()), "veraid.not_a_service");
    }
    let strangers = Signer::new(
        SignerIdentity::Organisation {
            chain_der: &setup.chain,
            certificate: &setup.certificate,
            attribution: &alice,
        },
        &setup.member_key,
    );
    assert_eq!(reason(&strangers, TEST, noon()), "veraid.key_mismatch");
}

#[test]
fn issues_no_certificate_that_would_not_hold() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let issue = |member_key: &PublicKey, key: &dyn SigningKey, period| {
        MemberCertificate::issue(
            &MemberRequest::new(
                &alice,
                member_key,
                &setup.certificate,
                Dialect::VeraId,
                period,
            ),
            key,
        )
        .unwrap_err()
    };
    let (member_key, key) = (setup.member_key.public_key(), &setup.organisation_key);
    assert_eq!(
        issue(member_key, &setup.member_key, noon()).reason(),
        "veraid.key_mismatch"
    );
    let own = key.public_key();
    assert_eq!(
        issue(own, key, noon()).reason(),
        "veraid.member_has_organisation_key"
    );
    for outside in [
        period(NOON - DAY - 1, NOON),
        period(NOON, NOON + 30 * DAY + 1),
        period(NOON + 31 * DAY, NOON + 32 * DAY),
    ] {
        let error = issue(member_key, key, outside);
        assert_eq!(error.reason(), "veraid.outside_issuer_period");
        let both =
            format!("valid for {outside}, but the organisation certificate is valid only for ");
        assert!(error.to_string().contains(&both), "{error}");
    }
}
