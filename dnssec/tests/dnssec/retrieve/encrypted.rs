//! A resolver with TLS. The certificates in `tls/` were made with OpenSSL for 127.0.0.1; they are good for nothing else.

use std::net::TcpStream;
use std::sync::{Arc, LazyLock};

use dnssec::{Client, Resolver, RetrievalError};
use kliento_fixtures::{Question, TXT, World};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::http2::{Http2, Requests};
use super::server::{Query, Say, Server, say};
use super::{OWNER, assert_proven, block_on, refusal, retrieve_from, world};

const AUTHORITY: &[u8] = include_bytes!("tls/authority.der");
const CERTIFICATE: &[u8] = include_bytes!("tls/resolver.der");
const KEY: &[u8] = include_bytes!("tls/resolver.key.der");

static CONFIG: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivatePkcs8KeyDer::from(KEY).into(),
        );
    Arc::new(config.unwrap())
});

fn accept(stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let connection = ServerConnection::new(Arc::clone(&CONFIG)).unwrap();
    StreamOwned::new(connection, stream)
}

fn start(
    world: &World,
    script: impl Fn(&Query, kliento_fixtures::Response) -> Vec<Say> + Send + Sync + 'static,
) -> (Server, Resolver) {
    let server = Server::over_wrapped_tcp(world, accept, script);
    let resolver = format!("tls://{}", server.address).parse().unwrap();
    (server, resolver)
}

#[test]
fn all_questions_go_over_one_connection() {
    let world = world();
    let (server, resolver) = start(&world, |_, response| say(response));
    let resolver = resolver.with_authorities([AUTHORITY.to_vec()]);
    let retrieved = retrieve_from(&[resolver], &world, OWNER, TXT, |retriever| retriever);
    assert_proven(&retrieved, &world);
    let clients: std::collections::HashSet<_> =
        server.seen().iter().map(|query| query.client).collect();
    assert_eq!(clients.len(), 1);
}

#[test]
fn a_connection_that_the_server_has_closed_is_made_again() {
    let world = world();
    let (server, resolver) = start(&world, |_, response| vec![Say::This(response), Say::Close]);
    let resolver = resolver.with_authorities([AUTHORITY.to_vec()]);
    let retrieved = retrieve_from(&[resolver], &world, OWNER, TXT, |retriever| retriever);
    assert_proven(&retrieved, &world);
    assert!(server.seen().len() > 1);
}

/// `:method: POST`, and `:path` with the octets of `/a` in the code of Huffman (RFC 7541, Appendices A and B).
const POST: u8 = 0x83;
const PATH: &[u8] = b"\x04\x82\x60\x7f";

#[test]
fn all_questions_are_posted_to_the_path_over_one_connection() {
    let requests: &'static Requests = Box::leak(Box::default());
    let world = world();
    let accept = move |stream| Http2::new(accept(stream), requests);
    let server = Server::over_wrapped_tcp(&world, accept, |_, response| say(response));
    let resolver: Resolver = format!("https://{}/a", server.address).parse().unwrap();
    let resolver = resolver.with_authorities([AUTHORITY.to_vec()]);
    let retrieved = retrieve_from(&[resolver], &world, OWNER, TXT, |retriever| retriever);
    assert_proven(&retrieved, &world);
    let clients: std::collections::HashSet<_> =
        server.seen().iter().map(|query| query.client).collect();
    assert_eq!(clients.len(), 1);
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), server.seen().len());
    // Later ones refer to the first.
    let first = &requests[0];
    assert!(first.contains(&POST), "{first:x?}");
    assert!(
        first.windows(PATH.len()).any(|octets| octets == PATH),
        "{first:x?}"
    );
}

/// Holds for any server: TLS shows who it is.
#[test]
fn a_response_to_another_question_is_no_response() {
    let world = world();
    let (server, resolver) = start(&world, |_, mut response| {
        response.questions = vec![Question::new("elsewhere.example.com.", TXT)];
        say(response)
    });
    let resolver = resolver.with_authorities([AUTHORITY.to_vec()]);
    let error = refusal(retrieve_from(
        std::slice::from_ref(&resolver),
        &world,
        OWNER,
        TXT,
        |retriever| retriever,
    ));
    assert_eq!(
        error.to_string(),
        format!("the resolver {resolver} does not answer: the response is to another question")
    );
    assert!(!server.seen().is_empty());
}

#[test]
fn a_host_that_no_certificate_can_name_is_refused() {
    for text in ["tls://dns..example", "https://dns..example/dns-query"] {
        let resolver: Resolver = text.parse().unwrap();
        let error = block_on(Client::connect(&resolver)).unwrap_err();
        assert_eq!(error.reason(), "retrieval.resolver");
        let start = "the resolver's host \"dns..example\" can't be used: ";
        assert!(error.to_string().starts_with(start), "{error}");
    }
}

#[test]
fn an_authority_that_is_no_certificate_is_refused() {
    for text in ["tls://127.0.0.1", "https://127.0.0.1"] {
        let resolver: Resolver = text.parse().unwrap();
        let resolver = resolver.with_authorities([AUTHORITY.to_vec(), b"another".to_vec()]);
        let error = block_on(Client::connect(&resolver)).unwrap_err();
        assert!(matches!(error, RetrievalError::Resolver(_)), "{error:?}");
        let start = "the CA certificate for the resolver can't be used: ";
        assert!(error.to_string().starts_with(start), "{error}");
    }
}

#[test]
fn a_stranger_is_not_taken_for_the_resolver() {
    let world = world();
    let (server, resolver) = start(&world, |_, response| say(response));
    let error = refusal(retrieve_from(
        &[resolver],
        &world,
        OWNER,
        TXT,
        |retriever| retriever,
    ));
    assert_eq!(error.reason(), "retrieval.untrusted_resolver");
    assert!(server.seen().is_empty(), "and is told nothing");
}
