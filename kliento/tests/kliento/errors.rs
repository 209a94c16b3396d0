//! What errors say to machines, and whose fault they are.

use std::collections::BTreeSet;

use kliento::veraid::{self, CertificateRole, Fault, KeyAlgorithm, Period, Timestamp};
use kliento::{IssueError, Token, VerifyError};

const NOON: Period = Period::at(Timestamp::from_unix_seconds(1_795_262_400));

/// One of each kind, with its reason and its fault.
fn verify_errors() -> Vec<(VerifyError, &'static str, Fault)> {
    let subject = || "alice@example.com".to_owned();
    let detail = "no Base64";
    let octets = 20_000;
    vec![
        (
            VerifyError::WrongScheme,
            "kliento.wrong_scheme",
            Fault::Sender,
        ),
        (
            VerifyError::MalformedHeader { detail },
            "kliento.malformed_header",
            Fault::Sender,
        ),
        (
            VerifyError::BundleTooLarge { octets },
            "kliento.bundle_too_large",
            Fault::Sender,
        ),
        (
            VerifyError::DetachedToken,
            "kliento.detached_token",
            Fault::Sender,
        ),
        (
            VerifyError::LifetimeTooLong { period: NOON },
            "kliento.lifetime_too_long",
            Fault::Sender,
        ),
        (
            Token::from_json(b"{}").unwrap_err(),
            "kliento.malformed_token",
            Fault::Sender,
        ),
        (
            VerifyError::AudienceMismatch {
                subject: subject(),
                expected: "https://a.example".parse().unwrap(),
                found: "https://b.example".parse().unwrap(),
            },
            "kliento.audience_mismatch",
            Fault::Sender,
        ),
        (
            VerifyError::SubjectNotAllowed { subject: subject() },
            "kliento.subject_not_allowed",
            Fault::Policy,
        ),
        (
            VerifyError::MemberSignatureRequired { subject: subject() },
            "kliento.member_signature_required",
            Fault::Policy,
        ),
        (
            VerifyError::OrganisationSignatureRequired { subject: subject() },
            "kliento.organisation_signature_required",
            Fault::Policy,
        ),
        (
            VerifyError::KeyAlgorithmNotAllowed {
                subject: subject(),
                algorithm: KeyAlgorithm::Ed25519,
            },
            "kliento.key_algorithm_not_allowed",
            Fault::Policy,
        ),
        (
            VerifyError::LifetimeNotAllowed {
                subject: subject(),
                period: NOON,
                most: 60,
            },
            "kliento.lifetime_not_allowed",
            Fault::Policy,
        ),
        (
            VerifyError::ClaimRequired {
                subject: subject(),
                name: "role".to_owned(),
            },
            "kliento.claim_required",
            Fault::Policy,
        ),
        (
            veraid::VerifyError::NoMatchingRecord.into(),
            "veraid.no_matching_record",
            Fault::Domain,
        ),
    ]
}

#[test]
fn each_refusal_has_a_name_of_its_own_and_says_whose_fault_it_is() {
    let errors = verify_errors();
    for (error, reason, fault) in &errors {
        assert_eq!(error.reason(), *reason, "{error}");
        assert_eq!(error.fault(), *fault, "{error}");
        // What is valid and not enough is refused by a policy, and nothing else of these is.
        assert_eq!(error.is_forbidden(), *fault == Fault::Policy, "{error}");
        let is_verified = error.is_forbidden() || *reason == "kliento.audience_mismatch";
        let subject = is_verified.then_some("alice@example.com");
        assert_eq!(error.subject(), subject, "{error}");
    }
    let reasons: BTreeSet<_> = errors.iter().map(|(_, reason, _)| reason).collect();
    assert_eq!(reasons.len(), errors.len());
}

#[test]
fn a_token_that_is_not_issued_is_its_callers_fault_or_that_of_the_key() {
    for (error, reason, fault) in [
        (
            IssueError::LifetimeTooLong { period: NOON },
            "kliento.lifetime_too_long",
            Fault::Caller,
        ),
        (
            IssueError::BundleTooLarge { octets: 20_000 },
            "kliento.bundle_too_large",
            Fault::Caller,
        ),
        (
            veraid::IssueError::KeyMismatch {
                certificate: CertificateRole::Member,
            }
            .into(),
            "veraid.key_mismatch",
            Fault::Caller,
        ),
        (
            veraid::IssueError::SignedWrongly {
                key: KeyAlgorithm::Ed25519,
            }
            .into(),
            "veraid.signed_wrongly",
            Fault::KeyHolder,
        ),
    ] {
        assert_eq!(error.reason(), reason, "{error}");
        assert_eq!(error.fault(), fault, "{error}");
    }
}
