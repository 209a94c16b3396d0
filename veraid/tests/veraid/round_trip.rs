//! What is signed here verifies here: member and organisation, user and bot, attached and detached.

use crate::support::{DAY, NOON, at, noon, period, private_key};
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use veraid::{
    Dialect, Encapsulation, Error, KeyAlgorithm, Member, MemberCertificate, MemberId,
    MemberIdBundle, ObjectIdentifier, Organisation, OrganisationCertificate, Period, Policy,
    PrivateKey, PublicKey, SignatureBundle, SignedBy, Signer, SigningError, SigningKey,
    TEST_SERVICE, TrustAnchors, TtlOverride, TxtRecord, Verification, sign,
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
                &organisation,
                Dialect::VeraId,
                &organisation_key,
                month,
                0,
            )
            .unwrap(),
            organisation_key,
        }
    }

    fn member_bundle(&self, member: &Member) -> MemberIdBundle {
        let certificate = MemberCertificate::issue(
            member,
            self.member_key.public_key(),
            &self.certificate,
            &self.organisation_key,
            period(NOON - 60, NOON + WEEK),
            Dialect::VeraId,
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
        Signer::Organisation {
            chain_der: &self.chain,
            certificate: &self.certificate,
            attribution,
            key: &self.organisation_key,
        }
    }

    fn check(&self, signer: &Signer<'_>, signed_by: SignedBy, id: &str) {
        let minute = period(NOON, NOON + 60);
        for (encapsulation, required) in [
            (Encapsulation::Attached, noon()),
            (Encapsulation::Detached, noon()),
            (Encapsulation::Attached, period(NOON - DAY, NOON + 30)),
            (Encapsulation::Detached, period(NOON + 60, NOON + DAY)),
        ] {
            let bundle = sign(signer, CONTENT, TEST_SERVICE, minute, encapsulation).unwrap();
            let bundle = SignatureBundle::from_der(&bundle).unwrap();
            let mut verification = Verification::new(TEST_SERVICE, required, &self.anchors);
            match encapsulation {
                Encapsulation::Attached => assert_eq!(bundle.unverified_content(), Some(CONTENT)),
                Encapsulation::Detached => {
                    assert_eq!(bundle.unverified_content(), None);
                    verification = verification.with_detached_content(CONTENT);
                }
            }
            let verified = bundle.verify(&verification).unwrap();
            assert_eq!(verified.member_id().to_string(), id);
            assert_eq!(verified.signed_by(), signed_by);
            assert_eq!(verified.content(), CONTENT);
            assert_eq!(verified.period(), minute);
            assert_eq!(verified.signature_period(), minute);
        }
    }
}

#[test]
fn members_and_organisations_sign_for_users_and_bots() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    for (member, id) in [("alice", "alice@example.com"), ("@", "example.com")] {
        let member: Member = member.parse().unwrap();
        let bundle = setup.member_bundle(&member);
        let signer = Signer::Member {
            bundle: &bundle,
            key: &setup.member_key,
        };
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
        let signer = Signer::Member {
            bundle: &bundle,
            key: &setup.member_key,
        };
        setup.check(&signer, SignedBy::Member, "alice@example.com");
        let verified = bundle
            .verify(&setup.anchors, noon(), None, Policy::new())
            .unwrap();
        assert_eq!(verified.key_algorithm(), algorithm);
    }
}

#[test]
fn a_bundle_is_there_for_inspection_before_it_is_verified() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let minute = period(NOON, NOON + 60);
    let member = Signer::Member {
        bundle: &bundle,
        key: &setup.member_key,
    };
    let der = sign(
        &member,
        CONTENT,
        TEST_SERVICE,
        minute,
        Encapsulation::Attached,
    )
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
    let der = sign(
        &organisation,
        CONTENT,
        TEST_SERVICE,
        minute,
        Encapsulation::Attached,
    )
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
                Err(Error::NotPemCertificate)
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
            &organisation,
            Dialect::VeraId,
            &setup.organisation_key,
            period,
            0,
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
            matches!(issue(unwritable), Err(Error::UnwritablePeriod(_))),
            "{unwritable}"
        );
    }
}

#[test]
fn verifies_a_membership_and_an_organisation_by_themselves() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    for service in [None, Some(TEST_SERVICE)] {
        let member = bundle
            .verify(&setup.anchors, noon(), service, Policy::new())
            .unwrap();
        let id = MemberId::new("example.com".parse().unwrap(), alice.clone());
        assert_eq!(member.member_id(), &id);
        // DNSSEC from an hour ago for six days; the member for a week from a minute ago on.
        assert_eq!(member.period().start(), at(NOON - 60));
        let organisation = setup
            .certificate
            .verify(&setup.chain, &setup.anchors, noon(), service, Policy::new())
            .unwrap();
        assert_eq!(organisation.organisation().as_str(), "example.com");
        assert_eq!(organisation.period().start(), at(NOON - 3_600));
    }
    let before = Period::at(at(NOON - 61));
    let error = bundle
        .verify(&setup.anchors, before, None, Policy::new())
        .unwrap_err();
    assert_eq!(error.reason(), "x509.not_yet_valid");
    let other = TrustAnchors::iana();
    let error = bundle
        .verify(&other, noon(), None, Policy::new())
        .unwrap_err();
    assert!(error.reason().starts_with("dnssec."), "{error}");
    let error = setup
        .certificate
        .verify(&setup.chain, &other, noon(), None, Policy::new())
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
        .verify(&other.anchors, noon(), None, Policy::new())
        .unwrap_err();
    assert_eq!(error.reason(), "veraid.no_matching_record");
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

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        (self.signature)(message)
    }
}

#[test]
fn finds_out_keys_that_do_not_sign_as_they_should() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let sign_with = |key: &dyn SigningKey| {
        let signer = Signer::Member {
            bundle: &bundle,
            key,
        };
        sign(
            &signer,
            CONTENT,
            TEST_SERVICE,
            noon(),
            Encapsulation::Attached,
        )
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
    let error =
        OrganisationCertificate::self_issue(&organisation, Dialect::VeraId, &liar, noon(), 0)
            .unwrap_err();
    assert_eq!(error.reason(), "veraid.signed_wrongly");
}

#[test]
fn refuses_to_sign_what_nobody_could_verify() {
    const TEST: &str = "1.3.6.1.4.1.58708.1.1";
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let bundle = setup.member_bundle(&alice);
    let member = Signer::Member {
        bundle: &bundle,
        key: &setup.member_key,
    };
    let organisation = setup.organisation_signer(&alice);
    let reason = |signer: &Signer<'_>, service: &str, period| {
        let service: ObjectIdentifier = service.parse().unwrap();
        sign(signer, CONTENT, service, period, Encapsulation::Attached)
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
    let strangers = Signer::Organisation {
        chain_der: &setup.chain,
        certificate: &setup.certificate,
        attribution: &alice,
        key: &setup.member_key,
    };
    assert_eq!(reason(&strangers, TEST, noon()), "veraid.key_mismatch");
}

#[test]
fn issues_no_certificate_that_would_not_hold() {
    let setup = Setup::new(KeyAlgorithm::Rsa2048);
    let alice: Member = "alice".parse().unwrap();
    let issue = |member_key: &PublicKey, key: &dyn SigningKey, period| {
        MemberCertificate::issue(
            &alice,
            member_key,
            &setup.certificate,
            key,
            period,
            Dialect::VeraId,
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
        assert!(error.to_string().contains("shorten"), "{error}");
    }
}
