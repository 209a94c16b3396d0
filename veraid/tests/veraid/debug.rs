//! Debug output: the names and the public halves of things, and no octets of keys, chains or signatures.

use crate::support::{DAY, NOON, noon, period, private_key};
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use veraid::{
    Content, ContentDigest, Dialect, DigestType, HashAlgorithm, IntermediateCertificate,
    IntermediateName, IntermediateRequest, KeyAlgorithm, Member, MemberCertificate, MemoryLimits,
    OrganisationCertificate, OrganisationRequest, Policy, PrivateKey, ServiceOid, SignatureRequest,
    Signer, SignerIdentity, SigningKey as _, TEST_SERVICE, TtlOverride, TxtRecord, Verifier,
};

#[test]
fn debug_output_names_what_it_is_about() {
    let [key, delegate_key] =
        [(); 2].map(|()| PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap());
    let [shown, delegate_shown] = [&key, &delegate_key].map(|key| {
        let id = key.public_key().key_id(DigestType::Sha256);
        format!("PublicKey(ed25519, SHA-256 {id})")
    });
    let week = period(NOON, NOON + 7 * DAY);
    let name = "example.com".parse().unwrap();
    let request = OrganisationRequest::new(&name, Dialect::DomainAuth, week);
    let request = request.with_path_length(1);
    let organisation = OrganisationCertificate::self_issue(&request, &key).unwrap();
    assert_eq!(
        format!("{organisation:?}"),
        format!(
            "OrganisationCertificate {{ organisation: {name:?}, public_key: {shown}, period: {week:?}, .. }}"
        )
    );
    let alice: Member = "alice".parse().unwrap();
    let delegate_name = IntermediateName::Member(alice.clone());
    let public_key = delegate_key.public_key();
    let request = IntermediateRequest::new(&delegate_name, public_key, &organisation, week);
    let unsigned = IntermediateCertificate::prepare(&request).unwrap();
    // The key that is to sign, not the one that is certified.
    assert_eq!(
        format!("{unsigned:?}"),
        format!("UnsignedCertificate {{ public_key: {shown}, .. }}")
    );
    let intermediate = unsigned.sign(&key).unwrap();
    assert_eq!(
        format!("{intermediate:?}"),
        format!("IntermediateCertificate {{ public_key: {delegate_shown}, period: {week:?}, .. }}")
    );
    let member = MemberCertificate::from_der(intermediate.as_der()).unwrap();
    assert_eq!(
        format!("{member:?}"),
        format!(
            "MemberCertificate {{ member: {alice:?}, public_key: {delegate_shown}, period: {week:?}, .. }}"
        )
    );

    let hour = TtlOverride::from_seconds(3_600).unwrap();
    let record = TxtRecord::new(key.public_key(), Dialect::DomainAuth, hour, None).unwrap();
    let owner = "_domainauth.example.com.";
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .zone("example.com.", Algorithm::Ed25519)
        .txt(owner, record.to_string())
        .build();
    let identity = SignerIdentity::Organisation {
        chain_der: &chain_der(&world.chain(owner, TXT)),
        certificate: &organisation,
        attribution: &alice,
    };
    assert_eq!(
        format!("{:?}", Signer::new(identity, &key)),
        format!("Signer {{ identity: {identity:?}, .. }}")
    );
    let request = SignatureRequest::new(Content::Attached(b"content"), TEST_SERVICE, noon());
    assert_eq!(
        format!("{:?}", identity.prepare(&request).unwrap()),
        format!("UnsignedSignature {{ public_key: {shown}, .. }}")
    );

    let verifier = Verifier::new(
        TEST_SERVICE,
        world.anchors().parse().unwrap(),
        Policy::new(),
    );
    let policy = Policy::new();
    assert_eq!(
        format!("{verifier:?}"),
        format!(
            "Verifier {{ service: ServiceOid(1.3.6.1.4.1.58708.1.1), policy: {policy:?}, memory: None, .. }}"
        )
    );
    let remembering = verifier.with_memory(MemoryLimits {
        organisation_octets: 1 << 20,
        signer_octets: 1 << 20,
    });
    let statistics = remembering.statistics();
    assert!(format!("{remembering:?}").contains(&format!("memory: Some({statistics:?})")));
}

#[test]
fn debug_output_of_identifiers_and_digests_is_as_short_as_they_are() {
    let service: ServiceOid = "2.25.1".parse().unwrap();
    assert_eq!(format!("{service:?}"), "ServiceOid(2.25.1)");
    let digest = ContentDigest::of(HashAlgorithm::Sha256, b"");
    assert_eq!(
        format!("{digest:?}"),
        "SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let key = private_key(KeyAlgorithm::Rsa2048);
    for (digest_type, name) in [
        (DigestType::Sha256, "Sha256"),
        (DigestType::Sha384, "Sha384"),
        (DigestType::Sha512, "Sha512"),
    ] {
        let id = key.public_key().key_id(digest_type);
        assert_eq!(format!("{id:?}"), format!("KeyId({name} {id})"));
    }
}
