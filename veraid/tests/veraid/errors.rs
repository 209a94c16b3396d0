//! What errors say, to people and to machines, and whose fault they are.

use std::collections::BTreeSet;
use std::error::Error as _;

use crate::support::*;
use kliento_fixtures::{A, Algorithm, Response, TXT, World, ZoneSpec, chain_der};
use veraid::dnssec::{self, Name, RecordType, RrsetId};
use veraid::{
    CertificateRole, Dialect, Fault, HashAlgorithm, IssueError, KeyAlgorithm, KeyError,
    KeyIdentifier, NameError, OrganisationCertificate, Period, SignedAttribute, SigningError,
    Structure, Verification, VerifyError,
};

#[test]
fn the_parts_of_the_protocol_have_the_names_of_their_specifications() {
    for (name, text) in [
        (
            CertificateRole::Organisation.to_string(),
            "organisation certificate",
        ),
        (
            CertificateRole::Intermediate.to_string(),
            "intermediate certificate",
        ),
        (CertificateRole::Member.to_string(), "member certificate"),
        (Structure::MemberIdBundle.to_string(), "member id bundle"),
        (Structure::SignatureBundle.to_string(), "signature bundle"),
        (SignedAttribute::ContentType.to_string(), "content-type"),
        (SignedAttribute::MessageDigest.to_string(), "message-digest"),
        (
            SignedAttribute::SignatureMetadata.to_string(),
            "signature metadata",
        ),
        (
            SignedAttribute::MemberAttribution.to_string(),
            "member attribution",
        ),
        (
            KeyIdentifier::Authority.to_string(),
            "authority key identifier",
        ),
        (KeyIdentifier::Subject.to_string(), "subject key identifier"),
    ] {
        assert_eq!(name, text);
    }
}

/// One of each kind, with its reason and its fault.
fn issue_errors() -> Vec<(IssueError, &'static str, Fault)> {
    let certificate = CertificateRole::Member;
    let key = KeyAlgorithm::Ed25519;
    let service = "1.3.6.1.4.1.58708.1.0".parse().unwrap();
    vec![
        (
            VerifyError::NoMatchingRecord.into(),
            "veraid.no_matching_record",
            Fault::Domain,
        ),
        // What a sender would have done, or a policy refused, is the caller's own.
        (
            VerifyError::CaMember.into(),
            "x509.member_is_ca",
            Fault::Caller,
        ),
        (
            VerifyError::DialectNotAccepted {
                dialect: Dialect::VeraId,
            }
            .into(),
            "veraid.dialect_not_accepted",
            Fault::Caller,
        ),
        (KeyError::NotPem.into(), "veraid.key", Fault::Caller),
        (
            IssueError::MemberName(NameError::AtSign),
            "veraid.member_name",
            Fault::Caller,
        ),
        (IssueError::UnitName, "veraid.unit_name", Fault::Caller),
        (
            IssueError::KeyMismatch { certificate },
            "veraid.key_mismatch",
            Fault::Caller,
        ),
        (
            IssueError::MemberHasOrganisationKey,
            "veraid.member_has_organisation_key",
            Fault::Caller,
        ),
        (
            IssueError::OutsideIssuerPeriod {
                wanted: noon(),
                issuer: noon(),
            },
            "veraid.outside_issuer_period",
            Fault::Caller,
        ),
        (
            IssueError::NeverVerifiable {
                wanted: noon(),
                certificate,
                available: noon(),
            },
            "veraid.never_verifiable",
            Fault::Caller,
        ),
        (
            IssueError::UnwritablePeriod(Period::always()),
            "veraid.unwritable_period",
            Fault::Caller,
        ),
        (
            IssueError::RestrictedKey {
                certificate,
                scheme: key.signature_scheme(),
            },
            "veraid.restricted_key",
            Fault::Caller,
        ),
        (
            IssueError::ContentHash {
                key,
                expected: HashAlgorithm::Sha512,
            },
            "veraid.content_hash",
            Fault::Caller,
        ),
        (
            IssueError::NotAService(service),
            "veraid.not_a_service",
            Fault::Caller,
        ),
        (
            SigningError::new("no").into(),
            "veraid.signing_failed",
            Fault::KeyHolder,
        ),
        (
            IssueError::SignedWrongly { key },
            "veraid.signed_wrongly",
            Fault::KeyHolder,
        ),
        (
            IssueError::Unwritable("certificate"),
            "veraid.unwritable",
            Fault::Caller,
        ),
    ]
}

#[test]
fn each_reason_to_issue_nothing_has_a_name_of_its_own() {
    let errors = issue_errors();
    for (error, reason, fault) in &errors {
        assert_eq!(error.reason(), *reason, "{error}");
        assert_eq!(error.fault(), *fault, "{error}");
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
    let reasons: BTreeSet<_> = errors.iter().map(|(_, reason, _)| reason).collect();
    assert_eq!(reasons.len(), errors.len());
}

/// A key store's error becomes a refusal to sign with `?`, and stays its source.
#[test]
fn a_refusal_to_sign_keeps_what_the_key_store_said() {
    let by_file = || -> Result<(), SigningError> { Err(std::io::Error::other("disk full"))? };
    let by_anything = || -> Result<(), SigningError> {
        let error: Box<dyn std::error::Error + Send + Sync> = "token removed".into();
        Err(error)?
    };
    for (refusal, said) in [(by_file(), "disk full"), (by_anything(), "token removed")] {
        let error = refusal.unwrap_err();
        assert_eq!(error.to_string(), "the private key could not sign");
        assert_eq!(error.source().unwrap().to_string(), said);
    }
}

#[test]
fn errors_of_this_build_and_of_files_are_the_callers() {
    for (error, reason) in [
        (
            VerifyError::AlgorithmNotBuilt {
                algorithm: KeyAlgorithm::MlDsa44,
                features: "`oqs`",
            },
            "veraid.algorithm_not_built",
        ),
        (VerifyError::NotPemCertificate, "veraid.not_pem_certificate"),
    ] {
        assert_eq!(error.reason(), reason);
        assert_eq!(error.fault(), Fault::Caller);
        assert!(!error.is_malformed());
    }
}

/// The reason and the fault for which a bundle is refused.
fn refusal(parts: &Parts) -> (&'static str, Fault) {
    parts.verify(|outcome| {
        let error = outcome.unwrap_err();
        (error.reason(), error.fault())
    })
}

#[test]
fn says_whose_fault_it_is_that_a_chain_does_not_hold() {
    let mut expired = Parts::member();
    expired.dnssec_window = (NOON - 2 * DAY, NOON - DAY);
    assert_eq!(refusal(&expired), ("dnssec.rrsig_expired", Fault::Time));

    // The zone signs for longer than the dialect allows.
    let mut too_long = Parts::domain_auth();
    too_long.dnssec_window = (NOON - DAY, NOON + 90 * DAY);
    assert_eq!(refusal(&too_long), ("dnssec.rrsig_too_long", Fault::Domain));

    // The verifier might have allowed more work; nobody allows more responses.
    let mut laborious = Parts::member();
    laborious.spoil_chain = |world, responses| {
        let signing = world.signing_for("_veraid.example.com.", TXT);
        let records = responses.of("_veraid.example.com.", TXT);
        records
            .drop_signatures()
            .add_forged_signatures(&signing, 40);
    };
    assert_eq!(
        refusal(&laborious),
        ("dnssec.budget_exhausted", Fault::Policy)
    );
    let mut large = Parts::member();
    let other = |number| Response::new(format!("{number}.example.").as_str(), A);
    large.further_responses = (0..513).map(other).collect();
    assert_eq!(refusal(&large), ("dnssec.chain_too_large", Fault::Sender));

    let question = VerifyError::from(dnssec::Error::MetaType(RecordType::ANY));
    assert_eq!(question.fault(), Fault::Caller);
    let incomplete = RrsetId::new(Name::root(), RecordType::TXT);
    let incomplete = VerifyError::from(dnssec::Error::MissingResponse(incomplete));
    assert_eq!(incomplete.fault(), Fault::Sender);
}

#[test]
fn a_domain_without_dnssec_is_at_fault_itself() {
    let parts = Parts::member();
    let world = World::builder()
        .at(NOON)
        .zone(".", Algorithm::Ed25519)
        .with_zone(ZoneSpec::new("example.com.", Algorithm::Ed25519).insecure())
        .txt("_veraid.example.com.", parts.records[0].as_str())
        .build();
    let chain = chain_der(&world.chain("_veraid.example.com.", TXT));
    let anchors = world.anchors().parse().unwrap();
    let certificate = OrganisationCertificate::from_der(&parts.organisation.to_der()).unwrap();
    let verification = Verification::new(SERVICE, noon(), &anchors);
    let error = certificate.verify(&chain, &verification).unwrap_err();
    assert_eq!(error.reason(), "dnssec.insecure_delegation");
    assert_eq!(error.fault(), Fault::Domain);
}
