//! A resolver with TLS. The certificates in `tls/` were made with OpenSSL for 127.0.0.1; they are good for nothing else.

use std::net::TcpStream;
use std::sync::{Arc, LazyLock};

use dnssec::Resolver;
use kliento_fixtures::{TXT, World};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::server::{Query, Say, Server, say};
use super::{OWNER, assert_proven, refusal, retrieve_from, world};

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
