//! Bundles whose DNSSEC chain is replaced by a newer one, with nobody's key.

use crate::support::{DAY, NOON, period, private_key};
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use veraid::{
    BundleOutline, Content, Dialect, IntermediateCertificate, IntermediateName,
    IntermediateRequest, IssueError, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle,
    MemberRequest, Organisation, OrganisationCertificate, OrganisationRequest, Period, Policy,
    PrivateKey, SignatureBundle, SignatureRequest, Signer, SigningKey as _, TEST_SERVICE,
    Timestamp, TrustAnchors, TtlOverride, TxtRecord, Verification, VerifyError,
};

const WEEK: i64 = 7 * DAY;
/// A second at which the first chain is over and the second holds.
const LATER: i64 = NOON + 8 * DAY;

/// A world in which the owner has that text, and signatures hold for a week from `start` on.
fn world(owner: &str, text: &str, start: i64) -> World {
    World::builder()
        .at(start)
        .window(start, start + WEEK)
        .zone(".", Algorithm::Ed25519)
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .zone("example.com.", Algorithm::EcdsaP256Sha256)
        .txt(owner, text)
        .build()
}

/// An organisation of a dialect with a member whose certificates hold for a month.
struct Setup {
    dialect: Dialect,
    organisation_key: PrivateKey,
    member_key: PrivateKey,
    bundle: MemberIdBundle,
    anchors: String,
}

impl Setup {
    fn new(dialect: Dialect) -> Self {
        let organisation: Organisation = "example.com".parse().unwrap();
        let organisation_key = private_key(KeyAlgorithm::Rsa2048);
        let member_key = private_key(KeyAlgorithm::Rsa2048);
        let month = period(NOON - DAY, NOON + 30 * DAY);
        let request = OrganisationRequest::new(&organisation, dialect, month);
        let is_delegating = dialect == Dialect::DomainAuth;
        let request = request.with_path_length(u8::from(is_delegating));
        let certificate = OrganisationCertificate::self_issue(&request, &organisation_key).unwrap();
        let member: Member = "alice".parse().unwrap();
        let mut intermediates = Vec::new();
        let delegate_key = private_key(KeyAlgorithm::Rsa2048);
        let member_certificate = if is_delegating {
            let name = IntermediateName::Unit("staff".to_owned());
            let request =
                IntermediateRequest::new(&name, delegate_key.public_key(), &certificate, month);
            let delegate = IntermediateCertificate::issue(&request, &organisation_key).unwrap();
            let request =
                MemberRequest::new(&member, member_key.public_key(), &delegate, dialect, month);
            let issued = MemberCertificate::issue(&request, &delegate_key).unwrap();
            intermediates.push(delegate);
            issued
        } else {
            let public_key = member_key.public_key();
            let request = MemberRequest::new(&member, public_key, &certificate, dialect, month);
            MemberCertificate::issue(&request, &organisation_key).unwrap()
        };
        let first = Self::publish(&organisation_key, dialect, NOON);
        let chain = chain_of(&first, dialect);
        let bundle =
            MemberIdBundle::new(&chain, certificate, member_certificate, intermediates).unwrap();
        Self {
            dialect,
            organisation_key,
            member_key,
            bundle,
            anchors: first.anchors(),
        }
    }

    fn publish(key: &PrivateKey, dialect: Dialect, start: i64) -> World {
        let hour = TtlOverride::from_seconds(3_600).unwrap();
        let record = TxtRecord::new(key.public_key(), dialect, hour, None).unwrap();
        world(owner(dialect), &record.to_string(), start)
    }

    /// A world a week later, whose root is trusted from now on, too.
    fn a_week_later(&mut self) -> World {
        let later = Self::publish(&self.organisation_key, self.dialect, NOON + WEEK);
        self.trust(&later);
        later
    }

    fn trust(&mut self, world: &World) {
        self.anchors += &world.anchors();
    }

    fn anchors(&self) -> TrustAnchors {
        self.anchors.parse().unwrap()
    }
}

fn owner(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::DomainAuth => "_domainauth.example.com.",
        _ => "_veraid.example.com.",
    }
}

fn chain_of(world: &World, dialect: Dialect) -> Vec<u8> {
    chain_der(&world.chain(owner(dialect), TXT))
}

fn at(second: i64) -> Period {
    Period::at(Timestamp::from_unix_seconds(second))
}

#[test]
fn a_member_id_bundle_lives_on_with_a_new_chain() {
    for &dialect in Dialect::ALL {
        let mut setup = Setup::new(dialect);
        let later = setup.a_week_later();
        let anchors = setup.anchors();
        let verification = Verification::new(TEST_SERVICE, at(LATER), &anchors);
        let ended = setup.bundle.verify(&verification).unwrap_err();
        assert_eq!(ended.reason(), "dnssec.rrsig_expired");
        let renewed = setup
            .bundle
            .with_chain(&chain_of(&later, dialect), &verification)
            .unwrap();
        let verified = renewed.verify(&verification).unwrap();
        assert_eq!(verified.member_id().to_string(), "alice@example.com");
        let end = verified.period().end().unix_seconds();
        assert_eq!(end, NOON + 2 * WEEK);
        // Everything else is as it was, also once it was written and read.
        let read = MemberIdBundle::from_der(&renewed.to_der().unwrap()).unwrap();
        assert_eq!(read, renewed);
        assert_eq!(read.dialect(), dialect);
        let certificates = |bundle: &MemberIdBundle| {
            (
                bundle.organisation_certificate().clone(),
                bundle.member_certificate().clone(),
                bundle.intermediate_certificates().to_vec(),
            )
        };
        assert_eq!(certificates(&read), certificates(&setup.bundle));
    }
}

#[test]
fn a_signature_is_verified_later_with_a_new_chain() {
    for &dialect in Dialect::ALL {
        let mut setup = Setup::new(dialect);
        let week = period(NOON, NOON + 2 * WEEK);
        for content in [Content::Attached(b"text"), Content::Detached(b"text")] {
            let signature = Signer::member(&setup.bundle, &setup.member_key)
                .sign(&SignatureRequest::new(content, TEST_SERVICE, week))
                .unwrap();
            let later = setup.a_week_later();
            let anchors = setup.anchors();
            let mut verification = Verification::new(TEST_SERVICE, at(LATER), &anchors);
            if matches!(content, Content::Detached(_)) {
                verification = verification.with_detached_content(b"text");
            }
            let bundle = SignatureBundle::from_der(&signature).unwrap();
            let ended = bundle.verify(&verification).unwrap_err();
            assert_eq!(ended.reason(), "dnssec.rrsig_expired");
            let chain = chain_of(&later, dialect);
            let renewed = bundle.with_chain(&chain, &verification).unwrap();
            let of = |der: &[u8]| {
                let outline = BundleOutline::from_der(der).unwrap();
                outline.unverified_signature().to_vec()
            };
            assert_eq!(of(&renewed), of(&signature));
            let renewed = SignatureBundle::from_der(&renewed).unwrap();
            let verified = renewed.verify(&verification).unwrap();
            assert_eq!(verified.member_id().to_string(), "alice@example.com");

            let other = verification.with_policy(Policy::new().with_only(match dialect {
                Dialect::VeraId => Dialect::DomainAuth,
                _ => Dialect::VeraId,
            }));
            let refusal = bundle.with_chain(&chain, &other).unwrap_err();
            assert!(matches!(refusal, IssueError::Invalid(_)), "{refusal}");
        }
    }
}

/// A resolver's answers, with what nobody needs among them.
#[test]
fn a_new_chain_is_cut_to_what_is_needed() {
    let mut setup = Setup::new(Dialect::VeraId);
    let later = setup.a_week_later();
    let mut responses = later.responses(owner(Dialect::VeraId), TXT);
    let chain = chain_der(&responses.to_messages());
    let unneeded = later.responses("a.name.that.is.not.there.example.com.", TXT);
    responses.0.extend(unneeded.0);
    let larger = chain_der(&responses.to_messages());
    let anchors = setup.anchors();
    let verification = Verification::new(TEST_SERVICE, at(LATER), &anchors);
    let with = |chain| setup.bundle.with_chain(chain, &verification).unwrap();
    assert_eq!(
        with(&larger).chain_der().len(),
        with(&chain).chain_der().len()
    );
    assert!(with(&larger).chain_der().len() < larger.len());
}

#[test]
fn a_chain_that_does_not_prove_the_key_is_refused() {
    let mut setup = Setup::new(Dialect::VeraId);
    let later = setup.a_week_later();
    let good = chain_of(&later, Dialect::VeraId);
    let unknown = Setup::publish(&setup.organisation_key, Dialect::VeraId, NOON + WEEK);
    let other_dialect = Setup::publish(&setup.organisation_key, Dialect::DomainAuth, NOON + WEEK);
    let other_key = private_key(KeyAlgorithm::Rsa2048);
    let other_key = Setup::publish(&other_key, Dialect::VeraId, NOON + WEEK);
    let no_record = world("other.example.com.", "text", NOON + WEEK);
    for world in [&other_dialect, &other_key, &no_record] {
        setup.trust(world);
    }
    let anchors = setup.anchors();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (chain, second, reason) in [
        (good.clone(), LATER, "valid"),
        // It has not begun, or is over; so are the certificates in the end.
        (good.clone(), NOON + DAY, "dnssec.rrsig_not_yet_valid"),
        (good.clone(), NOON + 15 * DAY, "dnssec.rrsig_expired"),
        (
            setup.bundle.chain_der().to_vec(),
            LATER,
            "dnssec.rrsig_expired",
        ),
        (
            chain_of(&unknown, Dialect::VeraId),
            LATER,
            "dnssec.dnskey_not_committed",
        ),
        (
            chain_of(&other_dialect, Dialect::DomainAuth),
            LATER,
            "veraid.no_record_response",
        ),
        (
            chain_of(&other_key, Dialect::VeraId),
            LATER,
            "veraid.no_matching_record",
        ),
        (
            chain_of(&no_record, Dialect::VeraId),
            LATER,
            "veraid.record_absent",
        ),
        (
            chain_der(&no_record.chain("other.example.com.", TXT)),
            LATER,
            "veraid.no_record_response",
        ),
        (damaged, LATER, "dnssec.bad_signature"),
        (b"0".to_vec(), LATER, "dnssec.malformed_chain"),
        (Vec::new(), LATER, "dnssec.malformed_chain"),
    ] {
        let verification = Verification::new(TEST_SERVICE, at(second), &anchors);
        let outcome = setup.bundle.with_chain(&chain, &verification);
        let found = outcome
            .as_ref()
            .map_or_else(VerifyError::reason, |_| "valid");
        assert_eq!(found, reason, "{outcome:?}");
    }
}

/// A chain renews no certificate.
#[test]
fn certificates_end_when_they_end() {
    let mut setup = Setup::new(Dialect::VeraId);
    let start = NOON + 29 * DAY;
    let last = Setup::publish(&setup.organisation_key, Dialect::VeraId, start);
    setup.trust(&last);
    let anchors = setup.anchors();
    let chain = chain_of(&last, Dialect::VeraId);
    for (second, reason) in [(start, "valid"), (start + 2 * DAY, "x509.expired")] {
        let verification = Verification::new(TEST_SERVICE, at(second), &anchors);
        let outcome = setup.bundle.with_chain(&chain, &verification);
        let found = outcome
            .as_ref()
            .map_or_else(VerifyError::reason, |_| "valid");
        assert_eq!(found, reason, "{outcome:?}");
    }
}

/// The octets of the signature alone distinguish one signature from another.
#[test]
fn a_signature_is_told_by_its_own_octets() {
    let setup = Setup::new(Dialect::VeraId);
    let signer = Signer::member(&setup.bundle, &setup.member_key);
    let day = period(NOON, NOON + DAY);
    let request = SignatureRequest::new(Content::Attached(b"text"), TEST_SERVICE, day);
    let bundles = [(); 2].map(|()| signer.sign(&request).unwrap());
    let [one, other] = [0, 1].map(|place| {
        let outline = BundleOutline::from_der(&bundles[place]).unwrap();
        outline.unverified_signature()
    });
    // RSASSA-PSS has a salt.
    assert_ne!(one, other);
    // It is the last element of a bundle without further attributes.
    assert_eq!(one.len(), 256);
    assert!(bundles[0].ends_with(one));
}
