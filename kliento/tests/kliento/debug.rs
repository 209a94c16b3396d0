//! Debug output of what servers and clients hold: enough to tell it apart, and neither tokens nor claims nor arguments.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::http_support::{AUDIENCE, CHAIN, GOOD, request_with, verifier};
use http::Request;
use kliento::client::{MemberSigner, TokenCommand, TokenFile, TokenSource};
use kliento::http::tonic::TokenInterceptor;
use kliento::http::tower::KlientoLayer;
use kliento::http::{Authenticator, VerificationQueue};
use kliento::veraid::{MemberIdBundle, PrivateKey};
use kliento::{Requirements, SharedVerifier, Verifier};
use tower::{Layer, Service, service_fn};

#[test]
fn verifiers_show_what_they_demand() {
    let audience = AUDIENCE.parse().unwrap();
    let builder = Verifier::builder(audience).clock_skew(Duration::from_secs(5));
    assert_eq!(
        format!("{builder:?}"),
        format!("VerifierBuilder {{ audience: Audience({AUDIENCE:?}), clock_skew: 5s, .. }}")
    );
    let requirements = Requirements::new().with_claim("role", "admin");
    let verifier = builder.requirements(requirements).build();
    let shown = format!("{:?}", verifier.shared());
    let service = "service: ServiceOid(1.3.6.1.4.1.58708.3.0)";
    assert!(
        shown.starts_with("SharedVerifier { requirements: "),
        "{shown}"
    );
    for part in [
        &format!("{:?}", verifier.requirements()),
        service,
        "clock_skew: 5",
        "cache: Some(",
    ] {
        assert!(shown.contains(part), "{part} not in: {shown}");
    }
    assert_eq!(
        format!("{verifier:?}"),
        format!(
            "Verifier {{ audience: Audience({AUDIENCE:?}), other_audiences: [], shared: {shown} }}"
        )
    );
    let [one, other] = ["https://a.example", "https://b.example"].map(|text| text.parse().unwrap());
    let several = SharedVerifier::builder().build().for_any_of(one, [other]);
    let shown = format!("{several:?}");
    assert!(
        shown.contains("[Audience(\"https://b.example\")]"),
        "{shown}"
    );

    let authenticator = Authenticator::from(verifier.clone());
    assert_eq!(authenticator.verifier().audience().as_str(), AUDIENCE);
    let shown = format!("{authenticator:?}");
    assert!(
        shown.starts_with(&format!("Authenticator {{ verifier: {verifier:?}")),
        "{shown}"
    );
    assert!(
        shown.contains("queue: VerificationQueue { waiting: 0, "),
        "{shown}"
    );
    let queue = VerificationQueue::new(NonZeroUsize::new(3).unwrap(), 10);
    assert_eq!(
        format!("{queue:?}"),
        "VerificationQueue { waiting: 0, free_processors: 3 }"
    );
}

#[test]
fn the_future_of_a_layer_does_not_show_its_request() {
    let mut service = KlientoLayer::new(verifier()).layer(service_fn(async |_: Request<_>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    }));
    let future = service.call(request_with(&GOOD));
    assert_eq!(format!("{future:?}"), "ResponseFuture { .. }");
}

#[test]
fn clients_show_neither_tokens_nor_what_gives_them() {
    let secret = "--password=hunter2";
    let command = TokenCommand::new("kliento")
        .arg(secret)
        .env("PASSWORD", secret);
    assert_eq!(
        format!("{command:?}"),
        "TokenCommand { program: \"kliento\", .. }"
    );

    let id = CHAIN.member_id_bundle().to_der().unwrap();
    let key = CHAIN.member_key().to_pkcs8_pem().unwrap();
    let signer = MemberSigner::new(
        MemberIdBundle::from_der(&id).unwrap(),
        PrivateKey::from_pkcs8_pem(&key).unwrap(),
    );
    let signer = signer
        .with_claim("role", secret)
        .with_lifetime(Duration::from_secs(60));
    assert_eq!(format!("{signer:?}"), "MemberSigner { lifetime: 60s, .. }");

    let file = TokenFile::new("/run/alice.token");
    let builder = TokenSource::builder(AUDIENCE.parse().unwrap(), file);
    let shown = format!("{:?}", builder.time_limit(Duration::from_secs(7)));
    let start = format!("TokenSourceBuilder {{ audience: Audience({AUDIENCE:?}), supply: ");
    assert!(
        shown.starts_with(&start) && shown.contains("/run/alice.token"),
        "{shown}"
    );
    assert!(shown.ends_with("time_limit: 7s, .. }"), "{shown}");

    let interceptor = TokenInterceptor::new(|| Ok(GOOD.as_str()));
    assert_eq!(format!("{interceptor:?}"), "TokenInterceptor { .. }");
}
