//! The layer for `tower`: what it lets through, what the service behind it sees, and the exact answers to all else.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::http_support::{
    BOBS, CHAIN, GOOD, NOON, Threads, add_authorization, largest, request, request_with, tampered,
    text, token, values, verifier, verifier_with_clock, verifier_with_clock_elsewhere,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::Full;
use kliento::http::tower::{KlientoLayer, KlientoService, ResponseBody};
use kliento::http::{Authenticator, Refusal, VerificationQueue};
use kliento::testing::TrustChain;
use kliento::veraid::Period;
use kliento::{Requirements, VerifiedToken, header};
use tower::{Layer, Service, ServiceExt, service_fn};

/// Long enough for any machine: what is waited for so long has failed.
const NEVER: Duration = Duration::from_secs(60);

type Plain = Full<Bytes>;
type Answer = Response<ResponseBody<Plain>>;

/// Answers with whom the layer says it is, and what is left of the `Authorization` field.
async fn who(request: Request<Plain>) -> Result<Response<Plain>, Infallible> {
    let identity = request.extensions().get::<VerifiedToken>();
    let subject = identity.map_or("nobody", VerifiedToken::subject);
    let authorization = match request.headers().get("authorization") {
        None => "no field",
        Some(value) if value.as_bytes().starts_with(b"Kliento ") => "a token",
        Some(_) => "other credentials",
    };
    let text = format!("{subject}, {authorization}");
    Ok(Response::new(Full::from(text)))
}

async fn ask(layer: &KlientoLayer, request: Request<Plain>) -> Answer {
    let service = layer.layer(service_fn(who));
    service.oneshot(request).await.unwrap()
}

async fn ask_for_text(layer: &KlientoLayer, request: Request<Plain>) -> String {
    let response = ask(layer, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    text(response).await
}

async fn reason(layer: &KlientoLayer, request: Request<Plain>) -> (u16, String) {
    let response = ask(layer, request).await;
    let status = response.status().as_u16();
    let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    (status, problem["reason"].as_str().unwrap().to_owned())
}

/// A request that claims to be somebody before the layer has seen it.
fn spoofed(mut request: Request<Plain>) -> Request<Plain> {
    let mallory = TrustChain::at(NOON, "example.net", &"mallory".parse().unwrap());
    let verified = mallory
        .verifier(crate::http_support::AUDIENCE)
        .verify_bundle(&mallory.token(&token()))
        .unwrap();
    request.extensions_mut().insert(verified);
    request
}

#[tokio::test]
async fn lets_a_good_token_through_and_says_whose_it_is() {
    let layer = KlientoLayer::new(verifier());
    for cached in [false, true] {
        let answer = ask_for_text(&layer, request_with(&GOOD)).await;
        assert_eq!(answer, "alice@example.com, a token", "cached: {cached}");
    }
    assert_eq!(
        ask_for_text(&layer, request_with(&BOBS)).await,
        "bob@example.com, a token"
    );
}

#[tokio::test]
async fn refuses_what_is_missing_malformed_or_does_not_hold_with_the_same_answer_but_the_reason() {
    let layer = KlientoLayer::new(verifier());
    let mut two = request_with(&GOOD);
    add_authorization(&mut two, &GOOD);
    let mut another_scheme_first = request_with("Bearer abc");
    add_authorization(&mut another_scheme_first, &GOOD);
    let stranger = TrustChain::at(NOON, "example.net", &"eve".parse().unwrap());
    let elsewhere = kliento::Token::new("https://another.example.com".parse().unwrap());
    let past = Period::new(NOON.saturating_sub(600), NOON.saturating_sub(1)).unwrap();
    let expired = kliento::issue(&CHAIN.member_signer(), &token(), past).unwrap();

    for (request, reason) in [
        (request(), "http.missing_authorization"),
        (two, "http.several_authorizations"),
        (another_scheme_first, "http.several_authorizations"),
        (request_with(""), "kliento.wrong_scheme"),
        (request_with("Bearer abc"), "kliento.wrong_scheme"),
        (request_with("Kliento"), "kliento.malformed_header"),
        (request_with("Kliento !"), "kliento.malformed_header"),
        (
            request_with(&format!("Kliento {}", "A".repeat(22_000))),
            "kliento.bundle_too_large",
        ),
        (request_with("Kliento MAA="), "veraid.malformed_bundle"),
        (
            request_with(&CHAIN.header(&elsewhere)),
            "kliento.audience_mismatch",
        ),
        (request_with(&tampered()), "cms.bad_signature"),
        (
            request_with(&header::encode(&expired)),
            "veraid.signature_expired",
        ),
        (
            request_with(&stranger.header(&token())),
            "dnssec.dnskey_not_committed",
        ),
    ] {
        let response = ask(&layer, request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{reason}");
        assert_eq!(values(&response, "www-authenticate"), ["Kliento"]);
        assert_eq!(
            values(&response, "content-type"),
            ["application/problem+json"]
        );
        assert_eq!(values(&response, "cache-control"), ["no-store"]);
        assert_eq!(response.headers().len(), 3, "{reason}");
        assert_eq!(
            text(response).await,
            format!(
                r#"{{"type":"about:blank","title":"Unauthorized","status":401,"reason":"{reason}"}}"#
            ),
        );
    }
}

#[tokio::test]
async fn forbids_a_good_token_that_is_not_enough_whether_it_is_remembered_or_not() {
    let requirements = Requirements::new().with_subject("alice@example.com".parse().unwrap());
    let own = KlientoLayer::new(verifier()).requirements(requirements.clone());
    let verifiers = KlientoLayer::new(verifier().with_requirements(requirements));
    for layer in [own, verifiers] {
        for _ in 0..2 {
            assert_eq!(ask(&layer, request_with(&GOOD)).await.status(), 200);
            let response = ask(&layer, request_with(&BOBS)).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN);
            assert_eq!(values(&response, "www-authenticate"), [""; 0]);
            assert_eq!(values(&response, "cache-control"), ["no-store"]);
            assert_eq!(
                text(response).await,
                r#"{"type":"about:blank","title":"Forbidden","status":403,"reason":"kliento.subject_not_allowed"}"#,
            );
        }
    }
}

#[tokio::test]
async fn requirements_of_a_layer_come_on_top_of_its_verifiers() {
    let verifier = verifier().with_requirements(Requirements::new().with_claim("role", "admin"));
    let layer = KlientoLayer::new(verifier)
        .requirements(Requirements::new().with_subject("*@example.com".parse().unwrap()));
    for _ in 0..2 {
        let (status, reason) = reason(&layer, request_with(&BOBS)).await;
        assert_eq!((status, &*reason), (403, "kliento.claim_required"));
    }
}

#[tokio::test]
async fn names_the_other_schemes_that_the_server_takes() {
    let layer = KlientoLayer::new(verifier())
        .challenge(HeaderValue::from_static("Bearer realm=\"api\""))
        .challenge(HeaderValue::from_static("Basic realm=\"api\""));
    let response = ask(&layer, request()).await;
    assert_eq!(
        values(&response, "www-authenticate"),
        ["Kliento", "Bearer realm=\"api\"", "Basic realm=\"api\""]
    );
}

/// The answer of a server that answers everything by `answer`, to a request without a token.
async fn answered_with<B: Into<Bytes>>(
    answer: impl Fn(&Refusal) -> Response<B> + Send + Sync + 'static,
) -> Response<impl http_body::Body<Data = Bytes, Error: std::fmt::Debug>> {
    let layer = KlientoLayer::new(verifier())
        .challenge(HeaderValue::from_static("Bearer"))
        .answer_with(move |refusal, _| answer(refusal));
    let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("let in")))
    }));
    service.oneshot(request()).await.unwrap()
}

#[tokio::test]
async fn no_answer_of_ones_own_looks_as_if_the_request_may_pass() {
    for status in [200, 204, 206, 299] {
        let response = answered_with(move |_| {
            let mut response = Response::new("come in");
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        })
        .await;
        assert_eq!(response.status(), 401, "{status}");
        assert_eq!(values(&response, "www-authenticate"), ["Kliento", "Bearer"]);
        assert_eq!(text(response).await, "come in");
    }
    for status in [302, 400, 404, 418, 500] {
        let response = answered_with(move |_| {
            let mut response = Response::new("");
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        })
        .await;
        assert_eq!(response.status(), status);
        assert_eq!(values(&response, "cache-control"), ["no-store"]);
        assert!(values(&response, "www-authenticate").is_empty());
    }
}

#[tokio::test]
async fn an_answer_of_ones_own_keeps_the_fields_that_a_refusal_needs() {
    let response = answered_with(|refusal| {
        let mut response = refusal.to_response().map(|_| String::from("sign in first"));
        let fields = response.headers_mut();
        for (name, value) in [
            ("cache-control", "public, max-age=3600"),
            ("content-length", "1"),
            ("transfer-encoding", "chunked"),
            ("www-authenticate", "Basic"),
            ("content-type", "text/plain"),
        ] {
            fields.insert(name, HeaderValue::from_static(value));
        }
        response
    })
    .await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        values(&response, "www-authenticate"),
        ["Kliento", "Bearer", "Basic"]
    );
    assert_eq!(values(&response, "cache-control"), ["no-store"]);
    assert_eq!(values(&response, "content-type"), ["text/plain"]);
    assert!(values(&response, "content-length").is_empty());
    assert!(values(&response, "transfer-encoding").is_empty());
    assert_eq!(text(response).await, "sign in first");
}

#[tokio::test]
async fn optional_lets_nothing_but_absence_through() {
    let layer = KlientoLayer::new(verifier()).optional();
    for (request, answer) in [
        (request(), "nobody, no field"),
        (request_with("Bearer abc"), "nobody, other credentials"),
        (request_with(&GOOD), "alice@example.com, a token"),
    ] {
        assert_eq!(ask_for_text(&layer, request).await, answer);
    }
    let mut two = request_with("Bearer abc");
    add_authorization(&mut two, "Bearer abc");
    for (request, expected) in [
        (two, "http.several_authorizations"),
        (request_with("Kliento"), "kliento.malformed_header"),
        (request_with(&tampered()), "cms.bad_signature"),
    ] {
        let (status, reason) = reason(&layer, request).await;
        assert_eq!((status, &*reason), (401, expected));
    }
    let strict = layer.requirements(Requirements::new().with_claim_present("badge"));
    assert_eq!(ask(&strict, request_with(&GOOD)).await.status(), 403);
}

#[tokio::test]
async fn an_identity_that_was_there_before_is_taken_out() {
    let optional = KlientoLayer::new(verifier()).optional();
    let required = KlientoLayer::new(verifier());
    assert_eq!(
        ask_for_text(&optional, spoofed(request())).await,
        "nobody, no field"
    );
    assert_eq!(
        ask_for_text(&optional, spoofed(request_with("Bearer abc"))).await,
        "nobody, other credentials"
    );
    for cached in [false, true] {
        let answer = ask_for_text(&required, spoofed(request_with(&GOOD))).await;
        assert_eq!(answer, "alice@example.com, a token", "cached: {cached}");
    }
    assert_eq!(ask(&required, spoofed(request())).await.status(), 401);
}

#[tokio::test]
async fn takes_the_token_out_of_the_request_when_asked_to_and_leaves_other_credentials() {
    let layer = KlientoLayer::new(verifier())
        .optional()
        .remove_authorization();
    for cached in [false, true] {
        let answer = ask_for_text(&layer, request_with(&GOOD)).await;
        assert_eq!(answer, "alice@example.com, no field", "cached: {cached}");
    }
    assert_eq!(
        ask_for_text(&layer, request_with("Bearer abc")).await,
        "nobody, other credentials"
    );
}

#[tokio::test]
async fn a_layer_within_another_asks_for_more() {
    let authenticator = Authenticator::new(verifier());
    let admins = KlientoLayer::new(authenticator.clone())
        .requirements(Requirements::new().with_claim("role", "admin"));
    let service = KlientoLayer::new(authenticator).layer(admins.layer(service_fn(who)));
    let good = service.clone().oneshot(request_with(&GOOD)).await.unwrap();
    assert_eq!(good.status(), 200);
    let bobs = service.oneshot(request_with(&BOBS)).await.unwrap();
    assert_eq!(bobs.status(), 403);
}

#[tokio::test]
async fn tells_the_log_what_it_does_not_tell_the_client_and_never_the_token() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    let layer = KlientoLayer::new(verifier())
        .requirements(Requirements::new().with_subject("alice@example.com".parse().unwrap()))
        .on_refusal(move |refusal, request| {
            let line = format!(
                "{refusal} [{}] {} {request:?}",
                refusal.reason(),
                request.uri
            );
            lines.lock().unwrap().push(line);
        });
    let response = ask(&layer, request_with(&BOBS)).await;
    assert!(!text(response).await.contains("bob"));
    let tampered = tampered();
    ask(&layer, request_with(&tampered)).await;
    ask(&layer, request()).await;
    ask(&layer, request_with(&GOOD)).await;

    let log = log.lock().unwrap();
    assert_eq!(log.len(), 3, "a request that got through is no refusal");
    assert!(log[0].starts_with("the subject \"bob@example.com\" is not allowed"));
    assert!(log[1].contains("[cms.bad_signature] /"));
    assert!(log[2].contains("[http.missing_authorization] /"));
    for token in [&*BOBS, &tampered] {
        let base64 = token.strip_prefix("Kliento ").unwrap();
        assert!(log.iter().all(|line| !line.contains(&base64[..100])));
    }
}

/// A request that is one of gRPC, or of its kin for browsers.
fn grpc(mut request: Request<Plain>, content_type: &'static str) -> Request<Plain> {
    let value = HeaderValue::from_static(content_type);
    request.headers_mut().insert("content-type", value);
    request
}

#[tokio::test]
async fn refuses_grpc_in_its_own_way() {
    let strict = KlientoLayer::new(verifier())
        .grpc()
        .requirements(Requirements::new().with_claim_present("x"));
    let broken = KlientoLayer::new(verifier_with_clock_elsewhere(|| panic!("a bug"))).grpc();
    for (layer, authorization, content_type, answered, status, message) in [
        (
            &strict,
            &tampered(),
            "application/grpc+proto",
            "application/grpc",
            "16",
            "cms.bad_signature",
        ),
        (
            &strict,
            &*GOOD,
            "application/grpc",
            "application/grpc",
            "7",
            "kliento.claim_required",
        ),
        (
            &broken,
            &*GOOD,
            "application/grpc-web+proto",
            "application/grpc-web",
            "13",
            "http.verification_failed",
        ),
    ] {
        let response = ask(layer, grpc(request_with(authorization), content_type)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(values(&response, "content-type"), [answered]);
        assert_eq!(values(&response, "grpc-status"), [status]);
        assert_eq!(values(&response, "grpc-message"), [message]);
        assert!(response.body().is_end_stream(), "trailers only");
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn no_content_type_makes_a_success_of_a_refusal_where_grpc_is_not_spoken() {
    let layer = KlientoLayer::new(verifier());
    for content_type in ["application/grpc", "application/grpc-web"] {
        let response = ask(&layer, grpc(request_with(&tampered()), content_type)).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(values(&response, "www-authenticate"), ["Kliento"]);
        assert!(values(&response, "grpc-status").is_empty());
    }
}

#[tokio::test]
async fn other_requests_to_a_server_of_grpc_are_refused_as_everywhere() {
    let layer = KlientoLayer::new(verifier()).grpc();
    let response = ask(&layer, request_with(&tampered())).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_verification_that_panics_lets_nobody_through() {
    let layer = KlientoLayer::new(verifier_with_clock_elsewhere(|| {
        panic!("a bug in the clock")
    }))
    .optional();
    let response = ask(&layer, request_with(&GOOD)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(values(&response, "www-authenticate"), [""; 0]);
    assert_eq!(
        text(response).await,
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"reason":"http.verification_failed"}"#,
    );
}

/// What a future that needs no runtime comes to.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn without_a_runtime_nobody_gets_through() {
    let layer = KlientoLayer::new(verifier());
    let response = at_once(ask(&layer, request_with(&GOOD))).unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn answers_at_once_what_is_remembered_or_costs_nothing_to_refuse() {
    let verifier = verifier();
    verifier.verify_header(&*GOOD).unwrap();
    let layer = KlientoLayer::new(verifier);
    // There is no runtime here, so nothing can be verified.
    let too_large = format!("Kliento {}", "A".repeat(22_000));
    for (request, status) in [
        (request_with(&GOOD), 200),
        (request(), 401),
        (request_with("Bearer abc"), 401),
        (request_with(&too_large), 401),
    ] {
        let response = at_once(ask(&layer, request)).expect("an answer at once");
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn verifies_on_another_thread_and_recalls_on_this_one() {
    let threads = Threads::default();
    let noted = threads.clone();
    let layer = KlientoLayer::new(verifier_with_clock(move || noted.note_this()));
    let here = thread::current().id();

    ask_for_text(&layer, request_with(&GOOD)).await;
    let first = threads.take();
    assert_eq!(first.first(), Some(&here), "it is looked up first");
    assert!(first.len() > 1 && first[1..].iter().all(|thread| *thread != here));

    ask_for_text(&layer, request_with(&GOOD)).await;
    assert_eq!(threads.take(), [here]);
}

/// A verifier that stays at its work until it is let go, and says when it has begun.
struct Stuck {
    begun: tokio::sync::mpsc::UnboundedReceiver<()>,
    let_go: Arc<(Mutex<bool>, Condvar)>,
    layer: KlientoLayer,
}

impl Stuck {
    fn new(concurrent: usize, waiting: usize) -> Self {
        let (sender, begun) = tokio::sync::mpsc::unbounded_channel();
        let let_go = Arc::new((Mutex::new(false), Condvar::new()));
        let signal = Arc::clone(&let_go);
        let verifier = verifier_with_clock_elsewhere(move || {
            let (is_free, changed) = &*signal;
            let free = is_free.lock().unwrap();
            if !*free {
                sender.send(()).unwrap();
            }
            let (free, _) = changed
                .wait_timeout_while(free, NEVER, |free| !*free)
                .unwrap();
            assert!(*free, "nobody let the verification go");
        });
        let queue = VerificationQueue::new(NonZeroUsize::new(concurrent).unwrap(), waiting);
        Self {
            begun,
            let_go,
            layer: KlientoLayer::new(verifier).queue(queue),
        }
    }

    /// Waits until a verification is at its work.
    async fn begins(&mut self) {
        let begun = tokio::time::timeout(NEVER, self.begun.recv()).await;
        begun
            .expect("a verification runs beside this task")
            .unwrap();
    }

    fn ask(&self) -> tokio::task::JoinHandle<Answer> {
        let layer = self.layer.clone();
        tokio::spawn(async move { ask(&layer, request_with(&GOOD)).await })
    }

    fn let_go(&self) {
        let (is_free, changed) = &*self.let_go;
        *is_free.lock().unwrap() = true;
        changed.notify_all();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn other_tasks_run_while_a_token_is_verified() {
    let mut stuck = Stuck::new(1, 0);
    let verifying = stuck.ask();
    // The runtime has one thread, and this task has it while the verification is under way.
    stuck.begins().await;
    assert!(!verifying.is_finished());
    stuck.let_go();
    assert_eq!(verifying.await.unwrap().status(), StatusCode::OK);
}

/// A test that fails does not wait for what it holds up.
impl Drop for Stuck {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Lets all tasks run until they wait for something.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn beyond_the_queue_requests_are_told_to_come_back() {
    let mut stuck = Stuck::new(2, 1);
    let admitted = [stuck.ask(), stuck.ask(), stuck.ask()];
    stuck.begins().await;
    stuck.begins().await;
    settle().await;
    assert!(
        stuck.begun.try_recv().is_err(),
        "no third verification runs beside the two"
    );

    let refused = stuck.ask().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(values(&refused, "retry-after"), ["1"]);
    assert_eq!(values(&refused, "cache-control"), ["no-store"]);
    assert_eq!(
        text(refused).await,
        r#"{"type":"about:blank","title":"Service Unavailable","status":503,"reason":"http.too_many_verifications"}"#,
    );
    let layer = stuck.layer.clone().grpc();
    let refused = ask(&layer, grpc(request_with(&GOOD), "application/grpc")).await;
    assert_eq!(values(&refused, "grpc-status"), ["14"]);
    assert_eq!(values(&refused, "grpc-retry-pushback-ms"), ["1000"]);

    stuck.let_go();
    for task in admitted {
        assert_eq!(task.await.unwrap().status(), StatusCode::OK);
    }
    // The places are free again.
    assert_eq!(stuck.ask().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_goes_away_frees_its_place_only_when_its_verification_ends() {
    let mut stuck = Stuck::new(1, 0);
    let gone = stuck.ask();
    stuck.begins().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    settle().await;
    let refused = stuck.ask().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    stuck.let_go();
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_goes_away_while_it_waits_is_not_verified_for() {
    let mut stuck = Stuck::new(1, 1);
    let running = stuck.ask();
    stuck.begins().await;
    let waiting = stuck.ask();
    settle().await;
    assert_eq!(stuck.ask().await.unwrap().status(), 503);
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    // Its place is free at once.
    let next = stuck.ask();
    settle().await;
    assert!(!next.is_finished());
    stuck.let_go();
    assert_eq!(running.await.unwrap().status(), StatusCode::OK);
    assert_eq!(next.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "current_thread")]
async fn layers_with_one_queue_share_its_bounds() {
    let mut stuck = Stuck::new(1, 0);
    let running = stuck.ask();
    stuck.begins().await;
    let more = stuck
        .layer
        .clone()
        .requirements(Requirements::new().with_claim("role", "admin"));
    let refused = ask(&more, request_with(&GOOD)).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    stuck.let_go();
    assert_eq!(running.await.unwrap().status(), StatusCode::OK);
}

/// A service that may be called only once it said that it is ready, as `tower` has it.
struct Particular {
    is_ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Particular {
    fn clone(&self) -> Self {
        Self {
            is_ready: false,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<Plain>> for Particular {
    type Response = Response<Plain>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Plain>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(if std::mem::take(&mut self.is_ready) {
            Ok(Response::new(Full::default()))
        } else {
            Err("called before it was ready")
        })
    }
}

#[tokio::test]
async fn calls_the_very_service_that_was_ready() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut service: KlientoService<_> = KlientoLayer::new(verifier()).layer(Particular {
        is_ready: false,
        calls: Arc::clone(&calls),
    });
    // Verified, remembered, and one that never reaches the service.
    for (authorization, status) in [
        (&*GOOD, 200),
        (&*GOOD, 200),
        (&tampered(), 401),
        (&*GOOD, 200),
    ] {
        let response = service
            .ready()
            .await
            .unwrap()
            .call(request_with(authorization));
        assert_eq!(response.await.unwrap().status(), status);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[test]
fn is_as_ready_as_the_service_behind_it() {
    #[derive(Clone)]
    struct Busy;
    impl Service<Request<Plain>> for Busy {
        type Response = Response<Plain>;
        type Error = Infallible;
        type Future = std::future::Pending<Result<Self::Response, Infallible>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Pending
        }
        fn call(&mut self, _: Request<Plain>) -> Self::Future {
            std::future::pending()
        }
    }
    let mut service = KlientoLayer::new(verifier()).layer(Busy);
    assert!(at_once(service.ready()).is_none());
}

/// `Future` leaves open what then happens, but it must not be a panic.
#[test]
fn a_future_that_is_asked_again_after_it_refused_stays_pending() {
    let mut service = KlientoLayer::new(verifier()).layer(service_fn(who));
    let mut future = pin!(service.call(request()));
    let mut context = Context::from_waker(Waker::noop());
    let outcome = future.as_mut().poll(&mut context);
    assert!(
        matches!(outcome, Poll::Ready(Ok(response)) if response.status() == StatusCode::UNAUTHORIZED)
    );
    assert!(future.as_mut().poll(&mut context).is_pending());
}

/// Layers such as `tower-http`'s answer with the default of the body in some cases.
#[test]
fn the_default_body_is_the_services() {
    let body = ResponseBody::<Plain>::default();
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
}

#[tokio::test]
async fn takes_the_largest_bundle_that_there_can_be() {
    let layer = KlientoLayer::new(verifier());
    assert_eq!(ask(&layer, request_with(&largest())).await.status(), 200);
}

#[tokio::test]
async fn frameworks_of_any_kind_get_the_same_answers_from_the_authenticator() {
    let authenticator = Authenticator::new(verifier());
    for _ in 0..2 {
        let request = request_with(&GOOD);
        let verified = authenticator.authenticate(request.headers()).await.unwrap();
        assert_eq!(verified.subject(), "alice@example.com");
    }
    let refusal = authenticator
        .authenticate(request_with(&tampered()).headers())
        .await
        .unwrap_err();
    assert!(matches!(refusal, Refusal::Token(_)));
    assert!(!refusal.is_absence());
    let response = refusal.to_response();
    assert_eq!(values(&response, "www-authenticate"), ["Kliento"]);
    assert!(response.body().starts_with(b"{\"type\""));
    let refusal = authenticator
        .authenticate(request().headers())
        .await
        .unwrap_err();
    assert!(refusal.is_absence());
}

#[tokio::test]
async fn bundles_that_come_without_a_field_are_verified_in_the_same_queue() {
    let queue = VerificationQueue::default();
    let bundle = header::decode(&*GOOD).unwrap();
    let verified = queue.verify_bundle(&verifier(), bundle).await.unwrap();
    assert_eq!(verified.subject(), "alice@example.com");
}
