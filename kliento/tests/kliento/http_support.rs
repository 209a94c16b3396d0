//! What the tests of the web's parts share: one chain of trust, its tokens and requests with them.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use kliento::testing::TrustChain;
use kliento::veraid::Member;
use kliento::{MAX_BUNDLE_OCTETS, Timestamp, Token, Verifier, VerifierBuilder, header};

pub(crate) const AUDIENCE: &str = "https://api.example.com";
/// 2026-11-21T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp::from_unix_seconds(1_795_262_400);

pub(crate) static CHAIN: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::at(NOON, "example.com", &"alice".parse().unwrap()));

/// The value of an `Authorization` field that every verifier here takes.
pub(crate) static GOOD: LazyLock<String> = LazyLock::new(|| CHAIN.header(&token()));

/// One that the organisation signed in Bob's name, with no claims.
pub(crate) static BOBS: LazyLock<String> = LazyLock::new(|| {
    let bob = Member::User("bob".parse().unwrap());
    let token = Token::new(AUDIENCE.parse().unwrap());
    header::encode(&CHAIN.organisation_token(&token, &bob))
});

pub(crate) fn token() -> Token {
    Token::new(AUDIENCE.parse().unwrap()).with_claim("role", "admin")
}

/// A good token with an octet changed in its signature, which only verifying finds out.
pub(crate) fn tampered() -> String {
    let mut bundle = header::decode(&*GOOD).unwrap();
    *bundle.last_mut().unwrap() ^= 1;
    header::encode(&bundle)
}

/// A good token that takes as many octets as a bundle may have.
pub(crate) fn largest() -> String {
    let bundle_of =
        |padding: usize| CHAIN.token(&token().with_claim("padding", "x".repeat(padding)));
    // Lengths of this size all take the same number of octets to write down.
    let estimate = MAX_BUNDLE_OCTETS - bundle_of(0).len() - 100;
    let missing = MAX_BUNDLE_OCTETS - bundle_of(estimate).len();
    let bundle = bundle_of(estimate + missing);
    assert_eq!(bundle.len(), MAX_BUNDLE_OCTETS);
    header::encode(&bundle)
}

pub(crate) fn verifier() -> Verifier {
    CHAIN.verifier(AUDIENCE)
}

fn builder() -> VerifierBuilder {
    Verifier::builder(AUDIENCE.parse().unwrap()).trust_anchors(CHAIN.trust_anchors().clone())
}

/// A verifier whose clock `tick`s each time that it is read: when a token is looked up, and when it is verified.
pub(crate) fn verifier_with_clock(tick: impl Fn() + Send + Sync + 'static) -> Verifier {
    let clock = move || {
        tick();
        NOON
    };
    builder().clock(clock).build()
}

/// A verifier whose clock calls `tick` on all threads but this one, where nothing but looking up should happen.
pub(crate) fn verifier_with_clock_elsewhere(tick: impl Fn() + Send + Sync + 'static) -> Verifier {
    let here = thread::current().id();
    verifier_with_clock(move || {
        if thread::current().id() != here {
            tick();
        }
    })
}

/// The threads on which something happened.
#[derive(Clone, Default)]
pub(crate) struct Threads(Arc<Mutex<Vec<ThreadId>>>);

impl Threads {
    pub(crate) fn note_this(&self) {
        self.list().push(thread::current().id());
    }

    pub(crate) fn take(&self) -> Vec<ThreadId> {
        std::mem::take(&mut self.list())
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<ThreadId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn request() -> Request<Full<Bytes>> {
    Request::new(Full::default())
}

pub(crate) fn request_with(authorization: &str) -> Request<Full<Bytes>> {
    let mut request = request();
    add_authorization(&mut request, authorization);
    request
}

pub(crate) fn add_authorization<B>(request: &mut Request<B>, authorization: &str) {
    let value = HeaderValue::from_str(authorization).unwrap();
    request.headers_mut().append("authorization", value);
}

pub(crate) async fn text<B>(response: Response<B>) -> String
where
    B: Body,
    B::Error: std::fmt::Debug,
{
    let octets = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(octets.to_vec()).unwrap()
}

/// The values of a field, in their order.
pub(crate) fn values<'r, B>(response: &'r Response<B>, name: &str) -> Vec<&'r str> {
    let values = response.headers().get_all(name).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}
