//! Requests of `reqwest` to servers on loopback: which get a token, and what happens to refused ones.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kliento::client::{KlientoMiddleware, Origin, TokenSource, TokenSourceError};
use reqwest::redirect::Policy;
use reqwest_middleware::{ClientWithMiddleware, Error};
use tokio::net::TcpListener;

use super::support::{AUDIENCE, Behaviour, CHAIN, Clock, Mint};

/// What a server got.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    authorization: Option<String>,
    body: Bytes,
}

type Answer = Response<Full<Bytes>>;

/// A server that remembers each request.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                let service = service_fn(move |request| {
                    let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                    async move {
                        let seen = see(request).await;
                        log.lock().unwrap().push(seen.clone());
                        Ok::<_, Infallible>(answer(&seen))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, seen }
    }

    /// One that is content with anything.
    async fn content() -> Self {
        Self::start(|_| Answer::default()).await
    }

    /// One that redirects to somewhere else each time.
    async fn redirecting(to: impl Into<String>) -> Self {
        let to = to.into();
        Self::start(move |_| redirect(&to)).await
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The values of `Authorization` that it got.
    fn authorizations(&self) -> Vec<Option<String>> {
        let seen = self.seen();
        seen.into_iter().map(|seen| seen.authorization).collect()
    }

    fn origin(&self) -> Origin {
        self.url.parse().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

async fn see(request: Request<Incoming>) -> Seen {
    let values: Vec<_> = request.headers().get_all(AUTHORIZATION).iter().collect();
    assert!(values.len() <= 1, "one field at most");
    let authorization = values
        .first()
        .map(|value| value.to_str().unwrap().to_owned());
    Seen {
        path: request.uri().path().to_owned(),
        authorization,
        body: request.into_body().collect().await.unwrap().to_bytes(),
    }
}

fn answer(status: StatusCode) -> http::response::Builder {
    Response::builder().status(status)
}

fn redirect(to: &str) -> Answer {
    let answer = answer(StatusCode::TEMPORARY_REDIRECT).header(LOCATION, to);
    answer.body(Full::default()).unwrap()
}

fn challenge(scheme: &str) -> Answer {
    let answer = answer(StatusCode::UNAUTHORIZED).header(WWW_AUTHENTICATE, scheme);
    answer.body(Full::default()).unwrap()
}

fn client(source: TokenSource, origin: Origin) -> ClientWithMiddleware {
    KlientoMiddleware::new(source, origin)
        .client(reqwest::Client::builder().no_proxy())
        .unwrap()
}

/// A client of that server with a mint of its own.
fn client_of(server: &Server) -> (ClientWithMiddleware, Mint) {
    let mint = Mint::new();
    let source = Clock::at_noon().source(mint.supply());
    (client(source, server.origin()), mint)
}

fn is_token(authorization: Option<&String>) -> bool {
    let verifier = CHAIN.verifier(AUDIENCE);
    authorization.is_some_and(|value| verifier.verify_header(value).is_ok())
}

#[tokio::test]
async fn requests_to_the_origin_carry_a_token_that_verifies() {
    let server = Server::content().await;
    let (client, mint) = client_of(&server);
    for path in ["/", "/orders?all", "/a/b"] {
        client.get(server.url(path)).send().await.unwrap();
    }
    let authorizations = server.authorizations();
    assert_eq!(authorizations.len(), 3);
    assert!(authorizations.iter().all(|value| is_token(value.as_ref())));
    assert_eq!(mint.attempts(), 1, "the same one while it is fresh");
}

#[tokio::test]
async fn requests_elsewhere_carry_none() {
    let (server, other) = (Server::content().await, Server::content().await);
    let (client, mint) = client_of(&server);
    client.get(&other.url).send().await.unwrap();
    // The same server by another name.
    let alias = server.url("/").replace("127.0.0.1", "localhost");
    client.get(alias).send().await.unwrap();
    assert_eq!(other.authorizations(), [None]);
    assert_eq!(server.authorizations(), [None]);
    assert_eq!(mint.attempts(), 0);
}

#[tokio::test]
async fn an_origin_with_a_path_is_that_path_alone() {
    let server = Server::content().await;
    let source = Clock::at_noon().source(Mint::new().supply());
    let client = client(source, server.url("/v1").parse().unwrap());
    for path in [
        "/v1",
        "/v1/orders",
        "/v10",
        "/",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
    ] {
        client.get(server.url(path)).send().await.unwrap();
    }
    let with_token: Vec<String> = server
        .seen()
        .into_iter()
        .filter(|seen| seen.authorization.is_some())
        .map(|seen| seen.path)
        .collect();
    assert_eq!(with_token, ["/v1", "/v1/orders"]);
}

#[tokio::test]
async fn an_audience_that_is_a_url_is_the_origin() {
    let server = Server::content().await;
    let source = |audience: &str| {
        let supply = Mint::new().supply();
        TokenSource::new(audience.parse().unwrap(), supply)
    };
    assert!(KlientoMiddleware::for_audience(source(&server.url("/v1"))).is_ok());
    for audience in [
        "my-service",
        "http://api.example.com",
        "https://a.example/?x",
    ] {
        assert!(
            KlientoMiddleware::for_audience(source(audience)).is_err(),
            "{audience}"
        );
    }
}

#[tokio::test]
async fn what_the_caller_chose_to_send_stays() {
    let server = Server::content().await;
    let (client, mint) = client_of(&server);
    client
        .get(&server.url)
        .bearer_auth("mine")
        .send()
        .await
        .unwrap();
    let with_user = server.url("/").replace("http://", "http://me:secret@");
    client.get(with_user).send().await.unwrap();
    assert_eq!(
        server.authorizations(),
        [
            Some("Bearer mine".to_owned()),
            Some("Basic bWU6c2VjcmV0".to_owned())
        ]
    );
    assert_eq!(mint.attempts(), 0);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_error_says_why() {
    let server = Server::content().await;
    let (client, mint) = client_of(&server);
    mint.will(Behaviour::Fail);
    let Error::Middleware(error) = client.get(&server.url).send().await.unwrap_err() else {
        panic!("not an error of the network");
    };
    let error: &TokenSourceError = error.downcast_ref().unwrap();
    assert_eq!(error.reason(), "client.unobtainable");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_request_sent_once_more() {
    let refused = Mutex::new(None);
    let server = Server::start(move |seen| {
        let mut refused = refused.lock().unwrap();
        let first = refused.get_or_insert(seen.authorization.clone());
        if *first == seen.authorization {
            return challenge("Basic realm=\"a, b\", Kliento");
        }
        Answer::default()
    })
    .await;
    let (client, mint) = client_of(&server);
    let response = client
        .post(&server.url)
        .body("an order")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.body == "an order"));
    assert!(
        seen.iter()
            .all(|seen| is_token(seen.authorization.as_ref()))
    );
    assert_ne!(seen[0].authorization, seen[1].authorization);
    assert_eq!(mint.attempts(), 2);
}

#[tokio::test]
async fn a_server_that_refuses_all_tokens_is_asked_twice_and_then_once_for_a_while() {
    let server = Server::start(|_| challenge("Kliento")).await;
    let (client, mint) = client_of(&server);
    for requests in [2, 3, 4] {
        let response = client.get(&server.url).send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(server.seen().len(), requests);
    }
    assert_eq!(mint.attempts(), 2);
}

#[tokio::test]
async fn only_a_challenge_for_kliento_is_a_refusal_of_the_token() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/forbidden" => {
            let answer = answer(StatusCode::FORBIDDEN).header(WWW_AUTHENTICATE, "Kliento");
            answer.body(Full::default()).unwrap()
        }
        "/silent" => answer(StatusCode::UNAUTHORIZED)
            .body(Full::default())
            .unwrap(),
        _ => challenge("Bearer realm=\"Kliento\""),
    })
    .await;
    let (client, mint) = client_of(&server);
    for path in ["/forbidden", "/silent", "/bearer"] {
        client.get(server.url(path)).send().await.unwrap();
    }
    assert_eq!(server.seen().len(), 3);
    assert_eq!(mint.attempts(), 1);
}

#[tokio::test]
async fn a_body_that_can_be_read_once_is_sent_once() {
    let server = Server::start(|_| challenge("Kliento")).await;
    let (client, mint) = client_of(&server);
    let stream = reqwest::Body::wrap(Full::new(Bytes::from("an order")));
    let response = client.post(&server.url).body(stream).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(server.seen().len(), 1);
    assert_eq!(mint.attempts(), 2, "the next request gets another token");
}

#[tokio::test]
async fn the_answer_stays_if_there_is_no_other_token() {
    let server = Server::start(|_| challenge("Kliento")).await;
    let (client, mint) = client_of(&server);
    client.get(&server.url).send().await.unwrap();
    let other = Server::start(|_| challenge("Kliento")).await;
    let source = Clock::at_noon().source(mint.supply());
    source.token().await.unwrap();
    mint.will(Behaviour::Fail);
    let client = self::client(source, other.origin());
    let response = client.get(&other.url).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(other.seen().len(), 1);
}

#[tokio::test]
async fn redirects_within_the_origin_carry_the_token() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/old" => redirect("/new"),
        _ => Answer::default(),
    })
    .await;
    let (client, _) = client_of(&server);
    client.get(server.url("/old")).send().await.unwrap();
    let authorizations = server.authorizations();
    assert_eq!(authorizations.len(), 2);
    assert!(authorizations.iter().all(|value| is_token(value.as_ref())));
}

/// `reqwest` alone follows, without the field at first; but where that redirects again it sends it.
#[tokio::test]
async fn redirects_out_of_the_origin_are_not_followed() {
    let attacker = Server::start(|seen| match seen.path.as_str() {
        "/1" => redirect("/2"),
        _ => Answer::default(),
    })
    .await;
    let server = Server::redirecting(attacker.url("/1")).await;
    let (client, _) = client_of(&server);
    let response = client.get(&server.url).send().await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()[LOCATION], attacker.url("/1"));
    assert!(is_token(server.authorizations()[0].as_ref()));
    assert!(attacker.seen().is_empty());
}

#[tokio::test]
async fn redirects_out_of_the_origins_path_are_not_followed() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/v1/a" => redirect("/v1/b"),
        "/v1/b" => redirect("/other"),
        _ => Answer::default(),
    })
    .await;
    let source = Clock::at_noon().source(Mint::new().supply());
    let client = client(source, server.url("/v1").parse().unwrap());
    let response = client.get(server.url("/v1/a")).send().await.unwrap();
    assert_eq!(response.status(), 307);
    let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/v1/a", "/v1/b"]);
}

#[tokio::test]
async fn redirects_elsewhere_are_the_business_of_the_client() {
    let last = Server::content().await;
    let first = Server::redirecting(last.url("/")).await;
    let origin = Server::content().await;
    let (client, _) = client_of(&origin);
    let response = client.get(&first.url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(last.authorizations(), [None]);
}

#[tokio::test]
async fn redirects_within_the_origin_come_to_an_end() {
    let server = Server::redirecting("/").await;
    let (client, _) = client_of(&server);
    assert!(client.get(&server.url).send().await.is_err());
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test]
async fn a_clients_own_policy_holds_within_the_origin() {
    let server = Server::redirecting("/").await;
    let mint = Mint::new();
    let source = Clock::at_noon().source(mint.supply());
    let origin = server.origin();
    let client = reqwest::Client::builder()
        .redirect(origin.redirect_policy(Policy::none()))
        .build()
        .unwrap();
    let client = reqwest_middleware::ClientBuilder::new(client)
        .with(KlientoMiddleware::new(source, origin))
        .build();
    assert_eq!(client.get(&server.url).send().await.unwrap().status(), 307);
    assert_eq!(server.seen().len(), 1);
}

/// Somebody who gets at a request can't read the token in what is logged of it.
#[tokio::test]
async fn a_token_on_a_request_is_not_shown() {
    let server = Server::content().await;
    let mint = Mint::new();
    let source = Clock::at_noon().source(mint.supply());
    let shown = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&shown);
    let middleware = KlientoMiddleware::new(source, server.origin());
    let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(middleware)
        .with(Logger(log))
        .build();
    client.get(&server.url).send().await.unwrap();
    let shown = shown.lock().unwrap();
    assert!(
        shown.contains("authorization") && !shown.contains("MII"),
        "{shown}"
    );
}

struct Logger(Arc<Mutex<String>>);

#[async_trait::async_trait]
impl reqwest_middleware::Middleware for Logger {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: reqwest_middleware::Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        *self.0.lock().unwrap() = format!("{request:?}");
        next.run(request, extensions).await
    }
}
