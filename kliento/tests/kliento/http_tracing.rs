//! The feature `tracing`: the subject on the span of the request, and an event for each decision.

use std::io;
use std::sync::{Arc, Mutex};

use crate::http_support::{BOBS, CHAIN, GOOD, add_authorization, tampered, token, verifier};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use kliento::Requirements;
use kliento::http::axum::{Authenticated, TypedClaims};
use kliento::http::tonic::RequestExt;
use kliento::http::tower::KlientoLayer;
use serde::Deserialize;
use tower::ServiceExt;
use tracing::Instrument;
use tracing::field::Empty;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Deserialize)]
struct Badge {
    #[allow(dead_code, reason = "that it is there is what is asked for")]
    level: u8,
}

fn router(layer: KlientoLayer) -> Router {
    async fn hello(caller: Option<Authenticated>) -> String {
        caller.map_or("nobody".to_owned(), |caller| caller.subject().to_owned())
    }
    async fn badge(_: TypedClaims<Badge>) {}
    Router::new()
        .route("/", get(hello))
        .route("/badge", get(badge))
        .layer(layer)
        .route("/bare", get(hello))
}

/// All that is logged while a request is answered, whose span has a field for the subject.
async fn logged(router: Router, path: &str, authorization: Option<&str>) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);

    let mut request = Request::get(path).body(Body::empty()).unwrap();
    if let Some(authorization) = authorization {
        add_authorization(&mut request, authorization);
    }
    let span = tracing::info_span!("request", kliento.subject = Empty);
    async {
        router.oneshot(request).await.unwrap();
        tracing::info!("done");
    }
    .instrument(span)
    .await;
    let log = log.0.lock().unwrap().clone();
    String::from_utf8(log).unwrap()
}

#[track_caller]
fn assert_has(log: &str, parts: &[&str]) {
    for part in parts {
        assert!(log.contains(part), "{part} is not in:\n{log}");
    }
}

#[tokio::test]
async fn the_subject_is_on_the_span_and_in_the_event_of_a_request_that_is_let_through() {
    // The first time by verifying, then by memory.
    let layer = KlientoLayer::new(verifier());
    for _ in 0..2 {
        let log = logged(router(layer.clone()), "/", Some(&GOOD)).await;
        assert_has(
            &log,
            &[
                "DEBUG request{kliento.subject=\"alice@example.com\"}: kliento: request accepted \
                 outcome=\"accepted\" reason=\"ok\" subject=\"alice@example.com\"",
                "INFO request{kliento.subject=\"alice@example.com\"}: kliento::http_tracing: done",
            ],
        );
    }
}

#[tokio::test]
async fn a_refusal_is_an_event_with_its_reason_and_a_subject_if_the_token_was_verified() {
    let layer = KlientoLayer::new(verifier());
    let log = logged(router(layer.clone()), "/", Some(&tampered())).await;
    assert_has(
        &log,
        &["request refused outcome=\"refused\" reason=\"cms.bad_signature\" status=401\n"],
    );
    assert!(!log.contains("subject="), "{log}");

    let admins = layer.requirements(Requirements::new().with_claim("role", "admin"));
    let log = logged(router(admins), "/", Some(&BOBS)).await;
    assert_has(
        &log,
        &[
            "outcome=\"refused\" reason=\"kliento.claim_required\" status=403 subject=\"bob@example.com\"",
        ],
    );
}

#[tokio::test]
async fn an_extractors_refusal_and_the_lack_of_an_identity_are_events() {
    let layer = KlientoLayer::new(verifier()).optional();
    let log = logged(router(layer.clone()), "/", None).await;
    assert_has(
        &log,
        &["outcome=\"anonymous\" reason=\"http.missing_authorization\""],
    );
    let log = logged(router(layer), "/badge", Some(&GOOD)).await;
    assert_has(
        &log,
        &["outcome=\"refused\" reason=\"http.claims_mismatch\" status=403"],
    );
}

#[tokio::test]
async fn a_forgotten_layer_is_an_error_in_the_log() {
    let log = logged(router(KlientoLayer::new(verifier())), "/bare", Some(&GOOD)).await;
    assert_has(&log, &["ERROR", "reason=\"http.missing_layer\""]);

    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        let status = tonic::Request::new(()).authenticated().unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unauthenticated);
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_has(&log, &["http.missing_layer"]);
}

#[tokio::test]
async fn neither_tokens_nor_claims_are_logged() {
    let secret = CHAIN.header(&token().with_claim("level", "s3cret"));
    for path in ["/", "/badge"] {
        let log = logged(router(KlientoLayer::new(verifier())), path, Some(&secret)).await;
        assert!(log.contains("kliento"), "{log}");
        assert!(!log.contains("s3cret"), "{log}");
        assert!(!log.contains(&secret[secret.len() - 40..]), "{log}");
    }
}
