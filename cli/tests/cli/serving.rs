//! What the tests of the server's endpoints share: people with tokens for the present, and ways to ask.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::SystemTime;

use kliento::testing::TrustChain;
use kliento::veraid::{Member, Period, Signer, Timestamp};
use kliento::{Token, header};

use crate::server::{self, Answer, Server};
use crate::support::Scratch;

pub(crate) const AUDIENCE: &str = "https://app.example.com";

/// Alice of example.com; its bot; and Mallory of evil.example. Each below a root of its own, all of them trusted.
pub(crate) static ALICE: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::new("example.com", "alice"));
pub(crate) static BOT: LazyLock<TrustChain> = LazyLock::new(|| TrustChain::for_bot("example.com"));
pub(crate) static MALLORY: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::new("evil.example", "mallory"));

/// Starts a server that trusts all of them.
pub(crate) fn start(scratch: &Scratch, configuration: &str) -> Server {
    let anchors = [&ALICE, &BOT, &MALLORY].map(|chain| chain.trust_anchor_lines());
    std::fs::write(scratch.file("anchors"), anchors.join("\n")).unwrap();
    Server::configured(
        scratch,
        &format!("trust-anchors = \"anchors\"\n{configuration}"),
    )
}

/// A token bundle (DER) for `audience`.
pub(crate) fn bundle(chain: &TrustChain, audience: &str, claims: &[(&str, &str)]) -> Vec<u8> {
    chain.token(&token(audience, claims))
}

/// The same as an `Authorization` value.
pub(crate) fn value(chain: &TrustChain, audience: &str, claims: &[(&str, &str)]) -> String {
    header::encode(&bundle(chain, audience, claims))
}

/// Signed by the organisation in the name of `user`.
pub(crate) fn organisation_value(
    chain: &TrustChain,
    audience: &str,
    claims: &[(&str, &str)],
    user: &str,
) -> String {
    let member = Member::User(user.parse().unwrap());
    header::encode(&chain.organisation_token(&token(audience, claims), &member))
}

/// One of Alice's that ended a minute ago.
pub(crate) fn expired_bundle(audience: &str) -> Vec<u8> {
    let now = Timestamp::from(SystemTime::now());
    let period = Period::new(now.saturating_sub(600), now.saturating_sub(60)).unwrap();
    let signer: Signer<'_> = ALICE.member_signer();
    kliento::issue(&signer, &token(audience, &[]), period).unwrap()
}

/// One that says it is Alice's, below a root that nobody trusts.
pub(crate) fn forged_bundle(audience: &str) -> Vec<u8> {
    bundle(&TrustChain::new("example.com", "alice"), audience, &[])
}

fn token(audience: &str, claims: &[(&str, &str)]) -> Token {
    Token::new(audience.parse().unwrap()).with_claims(claims.iter().copied().collect())
}

/// Sends a request with a body, on a connection of its own.
pub(crate) fn send(server: &Server, start: &str, fields: &str, body: &[u8]) -> Answer {
    let mut stream: TcpStream = server.connect();
    let head = format!(
        "{start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    server::rest(stream)
}

impl Answer {
    /// The value of a field of the head, all of which is in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Asserts that it says no more than a status and a reason.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, reason: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["reason"], reason, "{self:?}");
        let members: Vec<&String> = problem.as_object().unwrap().keys().collect();
        assert_eq!(members, ["reason", "status", "title", "type"]);
        assert_eq!(self.field("content-type"), Some("application/problem+json"));
        assert_eq!(self.field("cache-control"), Some("no-store"));
        let challenge = (status == 401).then_some("kliento");
        assert_eq!(self.field("www-authenticate"), challenge);
        assert_eq!(self.field("x-kliento-reason"), Some(reason), "{self:?}");
        assert_eq!(self.head.matches("x-kliento-").count(), 1, "{}", self.head);
    }
}
