//! DomainAuth under attack, and at its edges: what a member, a delegate, somebody with a domain of his own or whoever wraps
//! public data anew must not get accepted, and what honest issuers may write.

use crate::support::der::*;
use crate::support::*;
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use veraid::{
    Content, Dialect, Fault, IntermediateCertificate, IntermediateName, IntermediateRequest,
    KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, MemberRequest,
    OrganisationCertificate, OrganisationRequest, Period, Policy, PrivateKey, PublicKey,
    SignatureBundle, SignatureRequest, SignedBy, Signer, SignerIdentity, SigningKey as _,
    TrustAnchors, TtlOverride, TxtRecord, Verification, VerifyError,
};

/// The same RSA key, said to be for RSASSA-PSS alone.
fn as_pss_key(spki: &[u8]) -> Vec<u8> {
    let any_use = sequence(&[oid(RSA_ENCRYPTION), null()]);
    let key = content(spki).strip_prefix(&any_use[..]).unwrap();
    sequence(&[&plain(RSASSA_PSS)[..], key])
}

#[test]
fn the_organisations_key_is_no_members_however_it_is_written() {
    let mut parts = Parts::domain_auth();
    parts.member.public_key = as_pss_key(&organisation_key().spki);
    parts.member.extensions.truncate(1);
    parts.signed_data.key = organisation_key();
    assert_eq!(parts.reason(), "veraid.organisation_as_member");
    assert_eq!(parts.member_id_reason(), "veraid.organisation_as_member");
}

#[test]
fn all_must_hold_together_within_the_window_of_the_ttl_override() {
    // The signature ends ten minutes past noon, the verifier asks until a quarter past.
    let with_override = |seconds: &str| {
        let mut parts = Parts::domain_auth();
        parts.required = period(NOON, NOON + 900);
        parts.records = vec![organisation_key().domain_auth_record(1, seconds)];
        parts.reason()
    };
    assert_eq!(with_override("300"), "valid");
    assert_eq!(with_override("299"), "veraid.never_valid_together");
}

#[test]
fn a_certificate_without_extensions_may_be_of_version_1() {
    fn version_1(certificate: &mut Certificate) {
        certificate.version = vec![];
        certificate.extensions.clear();
    }
    let mut parts = Parts::domain_auth();
    version_1(&mut parts.member);
    assert_eq!(parts.reason(), "valid");
    assert_eq!(parts.member_id_reason(), "valid");
    parts.member.version = context(0, &integer(&[0]));
    assert_eq!(parts.reason(), "x509.unsupported_version");
    let mut parts = Parts::domain_auth_organisation();
    version_1(&mut parts.organisation);
    assert_eq!(parts.reason(), "valid");
    // Such a certificate is no CA's.
    let mut parts = Parts::through_intermediate();
    version_1(&mut parts.intermediates[0]);
    assert_eq!(parts.reason(), "x509.intermediate_not_ca");
    // Whatever has more has a version.
    let mut parts = Parts::domain_auth();
    parts.member.version = vec![];
    assert_eq!(parts.reason(), "x509.unsupported_version");
    parts.member.extensions.clear();
    parts.member.unique_identifiers = context_primitive(1, &[0, 1]);
    assert_eq!(parts.reason(), "x509.unsupported_version");
    let mut parts = Parts::delegate();
    version_1(parts.delegate.as_mut().unwrap());
    assert_eq!(parts.reason(), "veraid.attribution_by_member");
}

#[test]
fn names_shared_across_roles_lead_nobody_astray() {
    // An intermediate with the organisation's name: whoever issued the member is found out by the signature.
    let mut parts = Parts::through_intermediate();
    parts.intermediates[0].subject = parts.organisation.subject.clone();
    parts.member.issuer = parts.organisation.subject.clone();
    parts.member.extensions.truncate(1);
    assert_eq!(parts.reason(), "valid");
    parts.intermediates[0].signed_by = stranger_key();
    assert_eq!(parts.reason(), "x509.bad_signature");
    // A member is no issuer, whatever its name.
    let mut parts = Parts::domain_auth();
    let mut member = parts.member.clone();
    member.subject = parts.organisation.subject.clone();
    parts.member = Certificate::member_of(stranger_key(), &member, member_key());
    parts.member.extensions.truncate(1);
    parts.member.serial_number = integer(&[0x23]);
    parts.intermediates = vec![member];
    parts.signed_data.key = stranger_key();
    assert_eq!(parts.reason(), "x509.bad_signature");
}

#[test]
fn the_signers_identifier_names_one_certificate() {
    // The organisation's and the member's have the same issuer; let them have the same serial number, too.
    let mut parts = Parts::domain_auth();
    parts.member.serial_number = parts.organisation.serial_number.clone();
    parts.signed_data.further_certificates = vec![parts.organisation.to_der()];
    assert_eq!(parts.reason(), "cms.ambiguous_signer_certificate");
    parts.signed_data.further_certificates.clear();
    parts.verify(|outcome| {
        let verified = outcome.unwrap();
        assert_eq!(verified.member_id().to_string(), "alice@example.com");
        assert_eq!(verified.signed_by(), SignedBy::Member);
    });
    // With an attribution, it is the organisation that is named, so its key that must have signed.
    let mut parts = Parts::delegate();
    let serial_number = parts.organisation.serial_number.clone();
    parts.delegate.as_mut().unwrap().serial_number = serial_number;
    assert_eq!(parts.reason(), "cms.bad_signature");
}

#[test]
fn a_name_has_as_many_octets_as_64_characters_may_take() {
    let named = |characters: usize| {
        let mut parts = Parts::domain_auth();
        let name = "\u{20000}".repeat(characters);
        parts.member.subject = sequence(&[common_name(utf8_string(&name))]);
        parts.reason()
    };
    assert_eq!(named(64), "valid");
    assert_eq!(named(65), "x509.invalid_common_name");
}

fn sign_for(signer: &Signer<'_>, wanted: Period) -> Result<Vec<u8>, veraid::IssueError> {
    signer.sign(&SignatureRequest::new(
        Content::Attached(CONTENT),
        SERVICE,
        wanted,
    ))
}

/// An organisation set up with the library alone.
struct Setup {
    key: PrivateKey,
    delegate_key: PrivateKey,
    member_key: PrivateKey,
    alice: Member,
    chain: Vec<u8>,
    anchors: TrustAnchors,
}

impl Setup {
    fn new() -> Self {
        let [key, delegate_key, member_key] =
            [(); 3].map(|()| PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap());
        let day = TtlOverride::from_seconds(86_400).unwrap();
        let record = TxtRecord::new(key.public_key(), Dialect::DomainAuth, day, None).unwrap();
        let world = World::builder()
            .at(NOON)
            .zone(".", Algorithm::Ed25519)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::Ed25519)
            .txt("_domainauth.example.com.", record.to_string())
            .build();
        Self {
            key,
            delegate_key,
            member_key,
            alice: "alice".parse().unwrap(),
            chain: chain_der(&world.chain("_domainauth.example.com.", TXT)),
            anchors: world.anchors().parse().unwrap(),
        }
    }

    fn organisation(&self, dialect: Dialect, path_length: u8) -> OrganisationCertificate {
        let day = period(NOON, NOON + DAY);
        let name = "example.com".parse().unwrap();
        OrganisationCertificate::self_issue(
            &OrganisationRequest::new(&name, dialect, day).with_path_length(path_length),
            &self.key,
        )
        .unwrap()
    }

    fn delegate(
        &self,
        organisation: &OrganisationCertificate,
        period: Period,
    ) -> IntermediateCertificate {
        let name = IntermediateName::Unit("Signer".to_owned());
        let key = self.delegate_key.public_key();
        IntermediateCertificate::issue(
            &IntermediateRequest::new(&name, key, organisation, period),
            &self.key,
        )
        .unwrap()
    }

    fn member(
        &self,
        delegate: &IntermediateCertificate,
        period: Period,
    ) -> Result<MemberCertificate, veraid::IssueError> {
        let key = self.member_key.public_key();
        let issuer_key = &self.delegate_key;
        let dialect = Dialect::DomainAuth;
        MemberCertificate::issue(
            &MemberRequest::new(&self.alice, key, delegate, dialect, period),
            issuer_key,
        )
    }

    fn verify(&self, bundle: &[u8], wanted: Period) -> String {
        let policy = Policy::new().with_algorithm(KeyAlgorithm::Ed25519);
        let verification = Verification::new(SERVICE, wanted, &self.anchors).with_policy(policy);
        let bundle = SignatureBundle::from_der(bundle).unwrap();
        let verified = bundle.verify(&verification).unwrap();
        format!("{} {:?}", verified.member_id(), verified.signed_by())
    }
}

#[test]
fn a_delegate_that_may_not_issue_certificates_cannot_by_wrapping_the_organisations_anew() {
    let setup = Setup::new();
    let hour = period(NOON, NOON + 3_600);
    let organisation = setup.organisation(Dialect::DomainAuth, 0);
    let delegate = setup.delegate(&organisation, hour);
    let signer = Signer::new(
        SignerIdentity::Delegate {
            chain_der: &setup.chain,
            certificate: &organisation,
            intermediates: std::slice::from_ref(&delegate),
            attribution: &setup.alice,
        },
        &setup.delegate_key,
    );
    let made = sign_for(&signer, hour).unwrap();
    assert_eq!(setup.verify(&made, hour), "alice@example.com Organisation");
    // The path length of the organisation's certificate, which needs no signature of its, does not stop it: key usage does.
    assert_eq!(
        setup.member(&delegate, hour).unwrap_err().reason(),
        "x509.key_usage"
    );
    // One that may issue does so.
    let organisation = setup.organisation(Dialect::DomainAuth, 1);
    let delegate = setup.delegate(&organisation, hour);
    let member = setup.member(&delegate, hour).unwrap();
    let bundle = MemberIdBundle::new(&setup.chain, organisation, member, vec![delegate]).unwrap();
    let signer = Signer::member(&bundle, &setup.member_key);
    let made = sign_for(&signer, hour).unwrap();
    assert_eq!(setup.verify(&made, hour), "alice@example.com Member");
}

#[test]
fn nobody_signs_for_a_time_at_which_the_certificates_are_not_valid_together() {
    let setup = Setup::new();
    let organisation = setup.organisation(Dialect::DomainAuth, 1);
    let [morning, afternoon] = [(0, 600), (601, 1_200)].map(|(s, e)| period(NOON + s, NOON + e));
    // The intermediate's certificate was renewed, the member's was not.
    let delegate = setup.delegate(&organisation, period(NOON, NOON + 1_200));
    let member = setup.member(&delegate, period(NOON, NOON + 1_200)).unwrap();
    let earlier = setup.delegate(&organisation, morning);
    let bundle = MemberIdBundle::new(
        &setup.chain,
        organisation.clone(),
        member,
        vec![earlier.clone()],
    )
    .unwrap();
    let signer = Signer::member(&bundle, &setup.member_key);
    assert!(sign_for(&signer, morning).is_ok());
    let error = sign_for(&signer, afternoon).unwrap_err();
    assert_eq!(error.reason(), "x509.expired");
    // Each certificate is valid at some time of the signature, but no time is one of both.
    let organisation = OrganisationCertificate::self_issue(
        &OrganisationRequest::new(
            &"example.com".parse().unwrap(),
            Dialect::DomainAuth,
            afternoon,
        )
        .with_path_length(1),
        &setup.key,
    )
    .unwrap();
    let signer = Signer::new(
        SignerIdentity::Delegate {
            chain_der: &setup.chain,
            certificate: &organisation,
            intermediates: std::slice::from_ref(&earlier),
            attribution: &setup.alice,
        },
        &setup.delegate_key,
    );
    let error = sign_for(&signer, period(NOON, NOON + 1_200)).unwrap_err();
    assert_eq!(error.reason(), "veraid.never_verifiable");
}

#[test]
fn issues_nothing_under_a_certificate_that_would_not_hold_itself() {
    let setup = Setup::new();
    let hour = period(NOON, NOON + 3_600);
    // A certificate of VeraId has no final dot.
    let key = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    let name = "example.com".parse().unwrap();
    let organisation = OrganisationCertificate::self_issue(
        &OrganisationRequest::new(&name, Dialect::VeraId, hour),
        &key,
    )
    .unwrap();
    let error = MemberCertificate::issue(
        &MemberRequest::new(
            &setup.alice,
            setup.member_key.public_key(),
            &organisation,
            Dialect::DomainAuth,
            hour,
        ),
        &key,
    )
    .unwrap_err();
    assert_eq!(error.reason(), "x509.invalid_common_name");
    // A certificate without the CA flag, in either dialect.
    for (parts, dialect) in [
        (Parts::member(), Dialect::VeraId),
        (Parts::domain_auth(), Dialect::DomainAuth),
    ] {
        let mut certificate = parts.bundle.organisation;
        certificate.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[]);
        let organisation = OrganisationCertificate::from_der(&certificate.to_der()).unwrap();
        let alice = &setup.alice;
        let key = PublicKey::from_spki_der(&member_key().spki).unwrap();
        let error = MemberCertificate::prepare(&MemberRequest::new(
            alice,
            &key,
            &organisation,
            dialect,
            hour,
        ))
        .unwrap_err();
        assert_eq!(error.reason(), "x509.organisation_not_ca");
    }
}

#[test]
fn veraid_has_no_intermediates() {
    let setup = Setup::new();
    let hour = period(NOON, NOON + 3_600);
    let name = "example.com".parse().unwrap();
    let key = private_key(KeyAlgorithm::Rsa2048);
    let request = OrganisationRequest::new(&name, Dialect::VeraId, hour);
    let vera_id = OrganisationCertificate::self_issue(&request, &key).unwrap();
    let refused = |outcome: Result<(), veraid::IssueError>| {
        let error = outcome.unwrap_err();
        assert_eq!(error.reason(), "veraid.intermediates_outside_dialect");
        // Whoever asked for them is at fault, not a sender.
        assert_eq!(error.fault(), Fault::Caller);
    };
    let request = request.with_path_length(1);
    refused(OrganisationCertificate::self_issue(&request, &key).map(drop));

    let organisation = setup.organisation(Dialect::DomainAuth, 1);
    let delegate = setup.delegate(&organisation, hour);
    let member_key = setup.member_key.public_key();
    let member = |dialect| MemberRequest::new(&setup.alice, member_key, &delegate, dialect, hour);
    assert!(MemberCertificate::issue(&member(Dialect::DomainAuth), &setup.delegate_key).is_ok());
    let issued = MemberCertificate::issue(&member(Dialect::VeraId), &setup.delegate_key);
    refused(issued.map(drop));

    let (chain, _) = Parts::member().chain();
    let other_key = private_key(KeyAlgorithm::Rsa2048);
    let request = MemberRequest::new(
        &setup.alice,
        other_key.public_key(),
        &vera_id,
        Dialect::VeraId,
        hour,
    );
    let member = MemberCertificate::issue(&request, &key).unwrap();
    let bundle =
        |intermediates| MemberIdBundle::new(&chain, vera_id.clone(), member.clone(), intermediates);
    assert_eq!(bundle(vec![]).unwrap().dialect(), Dialect::VeraId);
    let error = bundle(vec![delegate]).unwrap_err();
    assert_eq!(error, VerifyError::IntermediatesOutsideDialect);
}

#[test]
fn a_member_id_bundle_keeps_each_certificate_once() {
    let setup = Setup::new();
    let hour = period(NOON, NOON + 3_600);
    let organisation = setup.organisation(Dialect::DomainAuth, 1);
    let delegate = setup.delegate(&organisation, hour);
    let member = setup.member(&delegate, hour).unwrap();
    let mut intermediates = vec![delegate.clone(); 9];
    intermediates.push(IntermediateCertificate::from_der(organisation.as_der()).unwrap());
    let bundle = MemberIdBundle::new(&setup.chain, organisation, member, intermediates).unwrap();
    assert_eq!(bundle.intermediate_certificates(), [delegate]);
    let read = MemberIdBundle::from_der(&bundle.to_der().unwrap()).unwrap();
    assert_eq!(read, bundle);
    let signer = Signer::member(&bundle, &setup.member_key);
    let made = sign_for(&signer, hour).unwrap();
    assert_eq!(setup.verify(&made, hour), "alice@example.com Member");
}

#[test]
fn the_organisations_key_is_one_that_a_record_can_name() {
    let mut parts = Parts::domain_auth();
    parts.organisation.public_key = spki_of(&modulus_of(2_560), &[1, 0, 1]);
    parts.organisation.issuer = name("Some other CA");
    assert_eq!(parts.reason(), "x509.unsupported_key");
    // Those of members and intermediates may be of other sizes, so here it is the signature that fails.
    let mut parts = Parts::domain_auth();
    parts.member.public_key = spki_of(&modulus_of(2_560), &[1, 0, 1]);
    parts.member.extensions.truncate(1);
    assert_eq!(parts.reason(), "cms.bad_signature");
}

/// A signature by alice, with that many intermediates between the organisation and her.
fn through(intermediates: u8) -> Parts {
    let keys = [intermediate_key(), lower_intermediate_key()];
    let mut parts = Parts::domain_auth();
    parts.organisation.extensions[BASIC_CONSTRAINTS] = basic_constraints(&[boolean(0xff)]);
    let mut issuer = parts.organisation.clone();
    let mut issuer_key = organisation_key();
    for number in 0..intermediates {
        let key = keys[usize::from(number) % keys.len()];
        let path_length = intermediates - 1 - number;
        let unit = format!("Unit {number}");
        issuer = Certificate::intermediate(key, &unit, &issuer, issuer_key, path_length);
        issuer_key = key;
        parts.intermediates.push(issuer.clone());
    }
    parts.member = Certificate::member_of(member_key(), &issuer, issuer_key);
    parts
}

#[test]
fn a_path_has_six_intermediates_at_most() {
    assert_eq!(through(6).reason(), "valid");
    assert_eq!(through(7).reason(), "x509.path_budget_exhausted");
}

#[test]
fn all_paths_together_have_eight_signatures_at_most() {
    let with_certificates = |number: u8| {
        let mut parts = Parts::through_intermediate();
        let model = parts.intermediates[0].clone();
        parts.intermediates = (0..number)
            .map(|number| {
                let mut again = model.clone();
                again.serial_number = integer(&[0x40 + number]);
                again
            })
            .collect();
        parts.reason()
    };
    assert_eq!(with_certificates(4), "valid");
    assert_eq!(with_certificates(5), "x509.path_budget_exhausted");

    // The search goes on after eight, and finds no more.
    let mut parts = Parts::through_intermediate();
    let model = parts.intermediates[0].clone();
    let numbered = |number: u8, subject: &[u8], issuer: &[u8]| {
        let mut certificate = model.clone();
        certificate.serial_number = integer(&[0x40 + number]);
        certificate.subject = subject.to_vec();
        certificate.issuer = issuer.to_vec();
        certificate.extensions.truncate(1);
        certificate
    };
    let mut intermediates: Vec<_> = (0..4)
        .map(|number| numbered(number, &model.subject, &model.issuer))
        .collect();
    intermediates.push(numbered(4, &model.subject, &name("a dead end")));
    intermediates.push(numbered(5, &name("a dead end"), &name("nobody")));
    parts.intermediates = intermediates;
    assert_eq!(parts.reason(), "valid");
}

#[test]
fn a_certificate_that_is_there_several_times_counts_once() {
    let with_copies = |copies| {
        let mut parts = Parts::through_intermediate();
        let certificate = parts.intermediates[0].to_der();
        parts.intermediates.clear();
        parts.signed_data.further_certificates = vec![certificate; copies];
        parts.reason()
    };
    assert_eq!(with_copies(9), "valid");
    // But each takes the place of one of the sixteen that are considered.
    assert_eq!(with_copies(16), "valid");
    assert_eq!(with_copies(17), "x509.too_many_certificates");
}

#[test]
fn nothing_holds_for_longer_than_the_intermediates_certificate() {
    let until_a_minute_past = || {
        let mut parts = Parts::through_intermediate();
        parts.intermediates[0].validity =
            sequence(&[utc_time("261121120000Z"), utc_time("261121120100Z")]);
        parts.required = period(NOON, NOON + 300);
        parts
    };
    until_a_minute_past().verify(|outcome| {
        assert_eq!(outcome.unwrap().period(), period(NOON, NOON + 60));
    });
    // The chain holds from a second later.
    let mut parts = until_a_minute_past();
    parts.dnssec_window = (NOON + 61, NOON + DAY);
    assert_eq!(parts.reason(), "veraid.never_valid_together");
}
