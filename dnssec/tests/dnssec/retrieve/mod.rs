//! Retrieval from resolvers on loopback that do what resolvers and networks do.
//!
//! Nothing here asserts a time: what was done shows in the queries that the servers saw.

mod collecting;
mod encrypted;
mod http2;
mod server;
mod several;
mod transport;
mod trouble;

use std::time::Duration;

use dnssec::{
    Chain, Fact, Period, RecordType, Resolver, RetrievalError, Retrieved, Retriever, Timestamp,
    TrustAnchors,
};
use kliento_fixtures::{Algorithm, TXT, World, WorldBuilder};

use server::Server;

/// 2026-11-21T12:00:00Z.
pub(crate) const NOON: i64 = 1_795_262_400;
/// The name of which most tests ask.
pub(crate) const OWNER: &str = "_veraid.example.com.";

/// A root, a TLD and an organisation's zone, with nothing in them yet.
pub(crate) fn zones() -> WorldBuilder {
    World::builder()
        .at(NOON)
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("com.", Algorithm::Ed25519)
        .zone("example.com.", Algorithm::EcdsaP256Sha256)
}

/// The same with a TXT record at [`OWNER`].
pub(crate) fn world() -> World {
    zones().txt(OWNER, "text").build()
}

pub(crate) fn block_on<T>(task: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(task)
}

pub(crate) fn resolvers<'s>(servers: impl IntoIterator<Item = &'s Server>) -> Vec<Resolver> {
    let resolver = |server: &Server| server.address.to_string().parse().unwrap();
    servers.into_iter().map(resolver).collect()
}

/// Asks for [`OWNER`]'s TXT records.
pub(crate) fn retrieve(server: &Server, world: &World) -> Result<Retrieved, RetrievalError> {
    retrieve_any(server, world, OWNER, TXT)
}

pub(crate) fn retrieve_any(
    server: &Server,
    world: &World,
    name: &str,
    record_type: u16,
) -> Result<Retrieved, RetrievalError> {
    retrieve_from(
        &resolvers([server]),
        world,
        name,
        record_type,
        |retriever| {
            retriever
                .with_query_timeout(PATIENT)
                .with_deadline(10 * PATIENT)
        },
    )
}

pub(crate) fn retrieve_from(
    resolvers: &[Resolver],
    world: &World,
    name: &str,
    record_type: u16,
    configure: impl FnOnce(Retriever<'_>) -> Retriever<'_>,
) -> Result<Retrieved, RetrievalError> {
    let anchors: TrustAnchors = world.anchors().parse().unwrap();
    let patient = Retriever::new(&anchors, resolvers)
        .with_query_timeout(PATIENT)
        .with_head_start(PATIENT)
        .with_deadline(10 * PATIENT);
    let retriever = configure(patient);
    let name = name.parse().unwrap();
    let at = Timestamp::from_unix_seconds(NOON);
    block_on(retriever.retrieve(&name, RecordType(record_type), at))
}

/// Verifies what was retrieved as others would, and gives the data.
#[track_caller]
pub(crate) fn proven(
    retrieved: &Result<Retrieved, RetrievalError>,
    world: &World,
    name: &str,
    record_type: u16,
) -> Vec<Vec<u8>> {
    let retrieved = retrieved
        .as_ref()
        .unwrap_or_else(|error| panic!("{}: {error}", error.reason()));
    match look_up(&retrieved.chain, world, name, record_type) {
        Fact::Proven(proof) => {
            assert_eq!(retrieved.proof, proof, "the chain proves what came with it");
            proof.rdata().map(<[u8]>::to_vec).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn look_up<'c>(
    chain: &'c [u8],
    world: &World,
    name: &str,
    record_type: u16,
) -> Fact<'c> {
    let anchors: TrustAnchors = world.anchors().parse().unwrap();
    let chain = Chain::from_der(chain).unwrap();
    let name = name.parse().unwrap();
    let at = Period::at(Timestamp::from_unix_seconds(NOON));
    chain
        .look_up(&name, RecordType(record_type), &anchors, at)
        .unwrap()
}

/// That [`OWNER`]'s record came through.
#[track_caller]
pub(crate) fn assert_proven(retrieved: &Result<Retrieved, RetrievalError>, world: &World) {
    assert_eq!(proven(retrieved, world, OWNER, TXT), [b"\x04text"]);
}

#[track_caller]
pub(crate) fn refusal(retrieved: Result<Retrieved, RetrievalError>) -> RetrievalError {
    retrieved.expect_err("no proof")
}

/// More than the usual times: where no packet is lost, none is to be sent twice on a busy machine either.
pub(crate) const PATIENT: Duration = Duration::from_secs(100);
/// Less than the usual ten seconds for a query, where a test has to wait for the end of it.
pub(crate) const IMPATIENT: Duration = Duration::from_secs(5);
