//! `axum`: the layer on a router, extractors behind it and without it, over real connections where that matters.

use std::sync::{Arc, LazyLock, Mutex};

use crate::http_support::{
    AUDIENCE, BOBS, CHAIN, GOOD, add_authorization, largest, tampered, text, token, values,
    verifier, verifier_with_clock_elsewhere,
};
use axum::body::Body;
use axum::extract::FromRef;
use axum::routing::get;
use axum::{Router, extract::State};
use http::{HeaderValue, Request, Response, StatusCode};
use kliento::http::axum::{Authenticated, Rejection, TypedClaims, Verified};
use kliento::http::tower::KlientoLayer;
use kliento::http::{Authenticator, Refusal};
use kliento::{Requirements, Token, WithSources};
use serde::Deserialize;
use tower::ServiceExt;

#[derive(Deserialize)]
struct Badge {
    role: Role,
    level: u8,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Admin,
}

async fn hello(caller: Authenticated) -> String {
    caller.subject().to_owned()
}

async fn hello_anybody(caller: Option<Authenticated>) -> String {
    caller.map_or("nobody".to_owned(), |caller| caller.subject().to_owned())
}

async fn badge(TypedClaims(badge): TypedClaims<Badge>) -> String {
    format!("{:?} {}", badge.role, badge.level)
}

async fn verified(Verified(token): Verified) -> String {
    token.subject().to_owned()
}

async fn perhaps_verified(caller: Option<Verified>) -> String {
    caller.map_or("nobody".to_owned(), |caller| caller.subject().to_owned())
}

async fn verified_badge(caller: Verified) -> Result<String, Rejection> {
    let badge: Badge = caller.claims().deserialise()?;
    Requirements::new()
        .with_claim("level", "9")
        .check(&caller)
        .map_err(Rejection::from)?;
    Ok(format!("{:?} {}", badge.role, badge.level))
}

fn router() -> Router {
    Router::new()
        .route("/", get(hello))
        .route("/anybody", get(hello_anybody))
        .route("/badge", get(badge))
}

fn get_with(path: &str, authorization: Option<&str>) -> Request<Body> {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    if let Some(authorization) = authorization {
        add_authorization(&mut request, authorization);
    }
    request
}

async fn ask(router: &Router, path: &str, authorization: Option<&str>) -> Response<Body> {
    let request = get_with(path, authorization);
    router.clone().oneshot(request).await.unwrap()
}

async fn ask_for_text(router: &Router, path: &str, authorization: Option<&str>) -> String {
    let response = ask(router, path, authorization).await;
    assert_eq!(response.status(), StatusCode::OK);
    text(response).await
}

async fn refusal(router: &Router, path: &str, authorization: Option<&str>) -> (u16, String) {
    let response = ask(router, path, authorization).await;
    assert_eq!(
        values(&response, "content-type"),
        ["application/problem+json"]
    );
    assert_eq!(values(&response, "cache-control"), ["no-store"]);
    let status = response.status().as_u16();
    let challenges = values(&response, "www-authenticate");
    assert_eq!(challenges.first(), (status == 401).then_some(&"Kliento"));
    let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["status"], status);
    (status, problem["reason"].as_str().unwrap().to_owned())
}

fn refused(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

fn header_with_level(level: &str) -> String {
    CHAIN.header(&token().with_claim("level", level))
}

#[tokio::test]
async fn the_layer_stands_in_front_of_a_router_and_handlers_know_who_calls() {
    let router = router().layer(KlientoLayer::new(verifier()));
    for path in ["/", "/anybody"] {
        assert_eq!(
            ask_for_text(&router, path, Some(&GOOD)).await,
            "alice@example.com"
        );
        assert_eq!(
            refusal(&router, path, None).await,
            refused(401, "http.missing_authorization")
        );
        assert_eq!(
            refusal(&router, path, Some(&tampered())).await,
            refused(401, "cms.bad_signature")
        );
    }
}

#[test]
fn typed_claims_give_access_to_what_they_hold() {
    let claims = TypedClaims(Badge {
        role: Role::Admin,
        level: 7,
    });
    assert_eq!(claims.level, 7);
}

/// Middleware of the application may have identified the caller.
#[tokio::test]
async fn without_a_layer_claims_that_do_not_fit_are_refused_with_a_problem() {
    let ask = async |level: &str| {
        let verified = verifier().verify_header(header_with_level(level)).unwrap();
        let mut request = get_with("/badge", None);
        request.extensions_mut().insert(verified);
        router().oneshot(request).await.unwrap()
    };
    assert_eq!(text(ask("7").await).await, "Admin 7");
    let response = ask("high").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["reason"], "http.claims_mismatch");
}

#[tokio::test]
async fn a_rejection_says_what_its_refusal_says() {
    let rejection = Rejection::forbidden("orders.not_yours");
    assert_eq!(rejection.refusal().reason(), "orders.not_yours");
    assert_eq!(rejection.to_string(), rejection.refusal().to_string());
    let error = verifier().verify_header(tampered()).unwrap_err();
    let rejection = Rejection::from(error.clone());
    let refusal = Refusal::from(error);
    assert_eq!(
        WithSources(&rejection).to_string(),
        WithSources(&refusal).to_string()
    );
    assert!(rejection.refusal().reason() == "cms.bad_signature");
}

#[tokio::test]
async fn the_layer_stands_in_front_of_a_route_of_its_own() {
    let authenticator = Authenticator::new(verifier());
    let admins = Requirements::new().with_claim("role", "admin");
    let router = Router::new()
        .route("/admin", get(hello))
        .route_layer(KlientoLayer::new(authenticator.clone()).requirements(admins))
        .route("/", get(hello).layer(KlientoLayer::new(authenticator)))
        .route("/open", get(|| async { "open" }));
    assert_eq!(ask_for_text(&router, "/open", None).await, "open");
    assert_eq!(
        ask_for_text(&router, "/", Some(&BOBS)).await,
        "bob@example.com"
    );
    assert_eq!(
        ask_for_text(&router, "/admin", Some(&GOOD)).await,
        "alice@example.com"
    );
    assert_eq!(
        refusal(&router, "/admin", Some(&BOBS)).await,
        refused(403, "kliento.claim_required")
    );
}

/// The value of an `Authorization` field of somebody with a domain of his own, who claims to be an administrator.
static STRANGERS: LazyLock<String> = LazyLock::new(|| {
    let mallory = CHAIN.another_organisation("evil.example", "mallory");
    mallory.header(&token())
});

#[tokio::test]
async fn a_route_that_asks_for_more_still_asks_for_what_the_whole_server_does() {
    let everywhere = Requirements::new().with_organisation("example.com".parse().unwrap());
    let admins = || Requirements::new().with_claim("role", "admin");
    let by_authenticator = Authenticator::new(verifier()).requirements(everywhere.clone());
    let by_verifier = Authenticator::new(verifier().with_requirements(everywhere.clone()));
    let in_steps = Authenticator::new(verifier())
        .requirements(everywhere)
        .requirements(Requirements::new());
    for authenticator in [by_authenticator, by_verifier, in_steps] {
        let state = authenticator.clone().requirements(admins());
        let router = Router::new()
            .route("/admin", get(hello))
            .route_layer(KlientoLayer::new(authenticator.clone()).requirements(admins()))
            .route("/", get(hello).layer(KlientoLayer::new(authenticator)))
            .merge(
                Router::new()
                    .route("/verified", get(verified))
                    .with_state(state),
            );
        for path in ["/", "/admin", "/verified"] {
            // Twice, since the verifier remembers the token.
            for _ in 0..2 {
                assert_eq!(
                    refusal(&router, path, Some(&STRANGERS)).await,
                    refused(403, "kliento.subject_not_allowed"),
                    "{path}"
                );
            }
            assert_eq!(
                ask_for_text(&router, path, Some(&GOOD)).await,
                "alice@example.com"
            );
        }
        assert_eq!(
            refusal(&router, "/admin", Some(&BOBS)).await,
            refused(403, "kliento.claim_required")
        );
    }
}

#[tokio::test]
async fn an_application_refuses_by_rules_of_its_own() {
    async fn orders(_: Authenticated) -> Result<String, Rejection> {
        Err(Rejection::forbidden("orders.not_your_team"))
    }
    async fn mistaken(_: Authenticated) -> Result<String, Refusal> {
        Err(Refusal::forbidden("kliento.made_up"))
    }
    let router = Router::new()
        .route("/orders", get(orders))
        .route("/mistaken", get(mistaken))
        .layer(KlientoLayer::new(verifier()));
    assert_eq!(
        refusal(&router, "/orders", Some(&GOOD)).await,
        refused(403, "orders.not_your_team")
    );
    assert_eq!(
        refusal(&router, "/mistaken", Some(&GOOD)).await,
        refused(403, "http.forbidden")
    );
}

#[tokio::test]
async fn layers_and_extractors_answer_as_the_server_has_it() {
    let authenticator = Authenticator::new(verifier())
        .challenge(HeaderValue::from_static("Bearer"))
        .answer_with(|refusal, request| {
            assert!(request.headers.values().all(HeaderValue::is_sensitive));
            let mut response =
                Response::new(format!("{} {}", request.uri.path(), refusal.reason()));
            *response.status_mut() = refusal.status();
            response
        });
    let layered = router().layer(KlientoLayer::new(authenticator.clone()).optional());
    let kept = authenticator.clone();
    let by_itself = Router::new().route(
        "/orders",
        get(move |request: Request<Body>| async move {
            let refusal = Refusal::forbidden("orders.closed");
            let response = kept.answer(&refusal, &request.into_parts().0);
            response.map(Body::from)
        }),
    );
    let router = layered
        .merge(
            Router::new()
                .route("/verified", get(verified))
                .with_state(authenticator),
        )
        .merge(by_itself);
    let tampered = tampered();
    for (path, authorization, status, text_of_it) in [
        ("/", Some(&*tampered), 401, "/ cms.bad_signature"),
        ("/", None, 401, "/ http.missing_authorization"),
        ("/badge", Some(&**GOOD), 403, "/badge http.claims_mismatch"),
        (
            "/verified",
            None,
            401,
            "/verified http.missing_authorization",
        ),
        ("/orders", None, 403, "/orders orders.closed"),
    ] {
        let response = ask(&router, path, authorization).await;
        assert_eq!(response.status(), status, "{path}");
        let challenges = values(&response, "www-authenticate");
        let expected: &[&str] = if status == 401 {
            &["Kliento", "Bearer"]
        } else {
            &[]
        };
        assert_eq!(challenges, expected, "{path}");
        assert_eq!(values(&response, "cache-control"), ["no-store"]);
        assert_eq!(text(response).await, text_of_it);
    }
}

#[tokio::test]
async fn behind_an_optional_layer_handlers_choose_whom_they_take() {
    let layer = KlientoLayer::new(verifier())
        .optional()
        .challenge(HeaderValue::from_static("Bearer"));
    let router = router().layer(layer);
    for absence in [None, Some("Bearer abc")] {
        assert_eq!(ask_for_text(&router, "/anybody", absence).await, "nobody");
        let reason = match absence {
            None => "http.missing_authorization",
            Some(_) => "kliento.wrong_scheme",
        };
        for path in ["/", "/badge"] {
            assert_eq!(refusal(&router, path, absence).await, refused(401, reason));
        }
    }
    let response = ask(&router, "/", None).await;
    assert_eq!(values(&response, "www-authenticate"), ["Kliento", "Bearer"]);
    assert_eq!(
        refusal(&router, "/anybody", Some(&tampered())).await,
        refused(401, "cms.bad_signature")
    );
    assert_eq!(
        ask_for_text(&router, "/anybody", Some(&GOOD)).await,
        "alice@example.com"
    );
}

#[tokio::test]
async fn without_a_layer_nobody_gets_through() {
    for path in ["/", "/anybody", "/badge"] {
        for authorization in [None, Some(&**GOOD)] {
            assert_eq!(
                refusal(&router(), path, authorization).await,
                refused(500, "http.missing_layer")
            );
        }
    }
}

#[tokio::test]
async fn claims_come_as_a_type_of_the_handlers_own_or_are_forbidden() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    let layer = KlientoLayer::new(verifier())
        .on_refusal(move |refusal, _| lines.lock().unwrap().push(WithSources(refusal).to_string()));
    let router = router().layer(layer);
    assert_eq!(
        ask_for_text(&router, "/badge", Some(&header_with_level("9"))).await,
        "Admin 9"
    );
    let guest = CHAIN.header(&Token::new(AUDIENCE.parse().unwrap()).with_claim("role", "guest"));
    for misfit in [&*GOOD, &header_with_level("900"), &guest] {
        assert_eq!(
            refusal(&router, "/badge", Some(misfit)).await,
            refused(403, "http.claims_mismatch")
        );
    }
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 3);
    assert!(log[0].ends_with("missing field `level`"), "{}", log[0]);
    assert!(
        log[1].contains("claim \"level\": number too large"),
        "{}",
        log[1]
    );
    assert!(
        log[2].contains("claim \"role\": unknown variant `guest`"),
        "{}",
        log[2]
    );
}

/// A state such as servers have, with more in it than the authenticator.
#[derive(Clone)]
struct App {
    authenticator: Authenticator,
    greeting: &'static str,
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.authenticator.clone()
    }
}

fn app(authenticator: Authenticator) -> Router {
    async fn greeted(State(app): State<App>, caller: Verified) -> String {
        format!("{}, {}", app.greeting, caller.subject())
    }
    Router::new()
        .route("/", get(verified))
        .route("/anybody", get(perhaps_verified))
        .route("/badge", get(verified_badge))
        .route("/greeting", get(greeted))
        .with_state(App {
            authenticator,
            greeting: "Welcome",
        })
}

#[tokio::test]
async fn an_authenticator_in_the_state_does_without_a_layer() {
    let refusals = Arc::new(Mutex::new(0));
    let count = Arc::clone(&refusals);
    let authenticator = Authenticator::new(verifier())
        .challenge(HeaderValue::from_static("Bearer"))
        .on_refusal(move |_, request| {
            assert!(request.headers.values().all(HeaderValue::is_sensitive));
            *count.lock().unwrap() += 1;
        });
    let router = app(authenticator);
    for _ in 0..2 {
        assert_eq!(
            ask_for_text(&router, "/greeting", Some(&GOOD)).await,
            "Welcome, alice@example.com"
        );
    }
    assert_eq!(
        ask_for_text(&router, "/anybody", Some(&GOOD)).await,
        "alice@example.com"
    );
    assert_eq!(ask_for_text(&router, "/anybody", None).await, "nobody");
    assert_eq!(
        ask_for_text(&router, "/anybody", Some("Bearer abc")).await,
        "nobody"
    );
    assert_eq!(*refusals.lock().unwrap(), 0);

    assert_eq!(
        refusal(&router, "/", None).await,
        refused(401, "http.missing_authorization")
    );
    for path in ["/", "/anybody", "/badge", "/greeting"] {
        assert_eq!(
            refusal(&router, path, Some(&tampered())).await,
            refused(401, "cms.bad_signature")
        );
    }
    assert_eq!(*refusals.lock().unwrap(), 5);
    let response = ask(&router, "/", None).await;
    assert_eq!(values(&response, "www-authenticate"), ["Kliento", "Bearer"]);
}

#[tokio::test]
async fn a_handler_refuses_in_the_same_way() {
    let router = app(Authenticator::new(verifier()));
    assert_eq!(
        ask_for_text(&router, "/badge", Some(&header_with_level("9"))).await,
        "Admin 9"
    );
    assert_eq!(
        refusal(&router, "/badge", Some(&GOOD)).await,
        refused(403, "http.claims_mismatch")
    );
    assert_eq!(
        refusal(&router, "/badge", Some(&header_with_level("8"))).await,
        refused(403, "kliento.claim_required")
    );
}

#[tokio::test]
async fn an_extractor_verifies_within_the_bounds_and_lets_nobody_through_after_a_panic() {
    let verifier = verifier_with_clock_elsewhere(|| panic!("a bug in the clock"));
    let router = app(Authenticator::new(verifier));
    for path in ["/", "/anybody"] {
        assert_eq!(
            refusal(&router, path, Some(&GOOD)).await,
            refused(500, "http.verification_failed")
        );
    }
}

#[tokio::test]
async fn several_fields_are_refused_by_layers_and_extractors_alike() {
    let layered = router().layer(KlientoLayer::new(verifier()).optional());
    for router in [layered, app(Authenticator::new(verifier()))] {
        let mut request = get_with("/anybody", Some(&GOOD));
        add_authorization(&mut request, &GOOD);
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(text(response).await.contains("http.several_authorizations"));
    }
}

/// Sends a request over TCP as a client of `hyper` does, and gives status and body.
async fn over_http_1(router: Router, request: Request<Body>) -> (StatusCode, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let stream = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    let client = tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    let text = text(response).await;
    drop(sender);
    client.await.unwrap().unwrap();
    server.abort();
    (status, text)
}

#[tokio::test]
async fn http_1_has_room_for_the_largest_bundle() {
    let router = router().layer(KlientoLayer::new(verifier()));
    let mut request = get_with("/", Some(&largest()));
    request
        .headers_mut()
        .insert("host", HeaderValue::from_static("api.example.com"));
    let (status, text) = over_http_1(router, request).await;
    assert_eq!((status, &*text), (StatusCode::OK, "alice@example.com"));
}
