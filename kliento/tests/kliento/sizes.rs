//! Token bundles are as large as the documentation says, and those that it promises to fit do.

use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento::{IssueError, MAX_BUNDLE_OCTETS, Timestamp, header};
use kliento_tools::bundle_sizes;
use kliento_tools::realistic::{Domain, Keys, Kind};

const DOCUMENTATION: &str = include_str!("../../src/sizes.md");

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

#[test]
fn the_documentation_has_the_sizes_that_bundles_have() {
    let tables = bundle_sizes::tables().unwrap();
    assert!(
        DOCUMENTATION.ends_with(&tables),
        "put this at the end of src/sizes.md:\n{tables}"
    );
}

#[test]
fn an_ml_dsa_65_organisation_token_fits_and_verifies() {
    let keys = Keys::generate(KeyAlgorithm::MlDsa65).unwrap();
    let domain = Domain::new(Dialect::DomainAuth, &keys, noon()).unwrap();
    let bundle = domain.issue(Kind::Organisation, &keys).unwrap().unwrap();
    assert!(bundle.len() <= MAX_BUNDLE_OCTETS);
    let authorization = header::encode(&bundle);
    assert!(authorization.len() < 16 * 1_024);
    let verified = domain
        .verifier()
        .unwrap()
        .build()
        .verify_header(authorization)
        .unwrap();
    assert_eq!(verified.subject(), "alice@example.com");
}

#[test]
fn a_token_that_does_not_fit_is_not_issued_and_the_error_has_both_numbers() {
    for (algorithm, kind) in [
        (KeyAlgorithm::MlDsa65, Kind::Member),
        (KeyAlgorithm::MlDsa65, Kind::Delegate),
        (KeyAlgorithm::MlDsa87, Kind::Member),
        (KeyAlgorithm::MlDsa44, Kind::MemberThroughIntermediate),
    ] {
        let keys = Keys::generate(algorithm).unwrap();
        let domain = Domain::new(Dialect::DomainAuth, &keys, noon()).unwrap();
        let error = domain.issue(kind, &keys).unwrap().unwrap_err();
        assert_eq!(
            error.reason(),
            "kliento.bundle_too_large",
            "{algorithm}, {kind:?}"
        );
        let message = error.to_string();
        let IssueError::BundleTooLarge { octets } = error else {
            panic!("{message}");
        };
        assert!(octets > MAX_BUNDLE_OCTETS);
        for number in [octets, MAX_BUNDLE_OCTETS] {
            assert!(message.contains(&number.to_string()), "{message}");
        }
    }
}
