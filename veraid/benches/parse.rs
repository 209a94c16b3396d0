//! How long it takes to read bundles and what is in them. Nothing is verified.
//!
//! `cargo bench -p veraid --bench parse`. They are of `example.com`, a member of it and RSA-2048 keys; the root's zone is
//! signed with RSA-2048 as well, the two below with P-256.

#![allow(
    clippy::expect_used,
    reason = "what is measured works, or the measurement is not worth having"
)]

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use dnssec::{Chain, RecordType};
use kliento_fixtures::{Algorithm, Key, TXT, World, ZoneSpec, chain_der};
use veraid::{
    Content, Dialect, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, MemberRequest,
    Organisation, OrganisationCertificate, OrganisationRequest, Period, PrivateKey,
    SignatureBundle, SignatureRequest, Signer, SigningKey as _, TEST_SERVICE, Timestamp,
    TrustAnchors, TtlOverride, TxtRecord,
};

const TIME: &str = "2026-11-22T12:00:00Z";
const HOUR: i64 = 3_600;
const DAY: u32 = 86_400;
const DIALECT: Dialect = Dialect::VeraId;
/// As long as a token.
const CONTENT: [u8; 128] = [b'x'; 128];

/// What is read.
struct Inputs {
    signature_bundle: Vec<u8>,
    member_id_bundle: Vec<u8>,
    certificate: Vec<u8>,
    record: String,
}

impl Inputs {
    fn new() -> Result<Self, Box<dyn Error>> {
        let organisation: Organisation = "example.com".parse()?;
        let member = Member::parse_for("alice", DIALECT)?;
        let owner = organisation.record_owner(DIALECT)?;
        let [key, member_key] = [
            PrivateKey::generate(KeyAlgorithm::Rsa2048)?,
            PrivateKey::generate(KeyAlgorithm::Rsa2048)?,
        ];
        let day = TtlOverride::from_seconds(DAY).ok_or("a day is within bounds")?;
        let record = TxtRecord::new(key.public_key(), DIALECT, day, Some(TEST_SERVICE))?;

        let time: Timestamp = TIME.parse()?;
        let period = Period::new(time, time.saturating_add(HOUR)).ok_or("time ends")?;
        let root_key = Key::recorded_rsa(Algorithm::RsaSha256, 2_048);
        let world = World::builder()
            .at(time.unix_seconds())
            .with_zone(
                ZoneSpec::new(".", Algorithm::RsaSha256)
                    .ksk(root_key.clone())
                    .zsk(root_key),
            )
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::EcdsaP256Sha256)
            .txt(owner.to_string().as_str(), record.to_string())
            .build();
        let anchors: TrustAnchors = world.anchors().parse()?;
        let received = world.chain(owner.to_string().as_str(), TXT);
        let kept = Chain::from_messages(received.iter().map(Vec::as_slice))?.minimal(
            &owner,
            RecordType::TXT,
            &anchors,
            period,
        )?;

        let organisation_certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&organisation, DIALECT, period),
            &key,
        )?;
        let member_certificate = MemberCertificate::issue(
            &MemberRequest::new(
                &member,
                member_key.public_key(),
                &organisation_certificate,
                DIALECT,
                period,
            ),
            &key,
        )?;
        let certificate = member_certificate.as_der().to_vec();
        let bundle = MemberIdBundle::new(
            &chain_der(&kept),
            organisation_certificate,
            member_certificate,
            Vec::new(),
        )?;
        let signer = Signer::member(&bundle, &member_key);
        Ok(Self {
            signature_bundle: signer.sign(&SignatureRequest::new(
                Content::Attached(&CONTENT),
                TEST_SERVICE,
                period,
            ))?,
            member_id_bundle: bundle.to_der()?,
            certificate,
            record: record.to_string(),
        })
    }
}

fn main() {
    let inputs = Inputs::new().expect("it can be made");
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("parse");
    group.bench_function("signature_bundle", |bencher| {
        bencher.iter(|| {
            let bundle = SignatureBundle::from_der(black_box(&inputs.signature_bundle));
            black_box(bundle.expect("it is one"));
        });
    });
    group.bench_function("member_id_bundle", |bencher| {
        bencher.iter(|| {
            MemberIdBundle::from_der(black_box(&inputs.member_id_bundle)).expect("it is one")
        });
    });
    group.bench_function("certificate", |bencher| {
        bencher.iter(|| {
            MemberCertificate::from_der(black_box(&inputs.certificate)).expect("it is one")
        });
    });
    group.bench_function("record", |bencher| {
        bencher.iter(|| {
            TxtRecord::parse(black_box(inputs.record.as_bytes()), DIALECT).expect("it is one")
        });
    });
    group.finish();
    criterion.final_summary();
}
