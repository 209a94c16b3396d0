//! Sends single questions to a resolver.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use super::encrypted::{Encrypted, Failure};
use super::plain;
use super::query::Query;
use super::resolver::{Endpoint, system_servers};
use super::{Resolver, RetrievalError};
use crate::name::Name;
use crate::record::RecordType;

/// The time that one server may take for one question, retries included.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a resolver, for single questions.
///
/// [`retrieve()`](super::retrieve()) collects and verifies a chain. This client is for callers that
/// want to inspect a resolver's raw responses. It verifies nothing.
///
/// ```no_run
/// use dnssec::{Client, RecordType, Resolver, Response};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::connect(&Resolver::system()).await?;
/// let octets = client.query(&"example.com".parse()?, RecordType::DNSKEY).await?;
/// println!("{} records", Response::parse(&octets)?.answers().len());
/// # Ok(())
/// # }
/// ```
pub struct Client {
    shown: String,
    servers: Vec<Server>,
    /// The index of the server that answered last.
    preferred: AtomicUsize,
    limit: Duration,
}

enum Server {
    /// UDP, with TCP as the fallback.
    Plain(SocketAddr),
    /// TLS or HTTPS.
    Encrypted(Box<Encrypted>),
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.shown).finish()
    }
}

impl Client {
    /// Prepares to ask `resolver`. Reads the operating system's configuration for `system`, and
    /// opens the connection for TLS and HTTPS. Sends nothing for UDP.
    ///
    /// Needs a Tokio runtime with I/O and time enabled for as long as the client is in use.
    pub async fn connect(resolver: &Resolver) -> Result<Self, RetrievalError> {
        Self::connect_within(resolver, QUERY_TIMEOUT).await
    }

    /// Does the same as [`Self::connect`] with another limit for each question.
    pub(super) async fn connect_within(
        resolver: &Resolver,
        limit: Duration,
    ) -> Result<Self, RetrievalError> {
        let shown = resolver.to_string();
        let encrypted = match &resolver.endpoint {
            Endpoint::System => {
                let servers = system_servers()?.into_iter().map(Server::Plain);
                return Ok(Self::of(shown, servers.collect(), limit));
            }
            Endpoint::Plain(address) => {
                return Ok(Self::of(shown, vec![Server::Plain(*address)], limit));
            }
            Endpoint::Tls(host) => Encrypted::connect(resolver, host, None, limit).await,
            Endpoint::Https { host, path } => {
                Encrypted::connect(resolver, host, Some(path), limit).await
            }
        };
        let server = encrypted.map_err(|failure| failure.of(&shown))?;
        let servers = vec![Server::Encrypted(Box::new(server))];
        Ok(Self::of(shown, servers, limit))
    }

    fn of(shown: String, servers: Vec<Server>, limit: Duration) -> Self {
        Self {
            shown,
            servers,
            preferred: AtomicUsize::new(0),
            limit,
        }
    }

    /// Asks for the RRset of `record_type` at `name` once, and returns the response's octets,
    /// whatever its response code is.
    ///
    /// The query has three bits set: RD, so that the resolver recurses; DO, so that it returns
    /// signatures (RFC 3225); and CD, so that a validating resolver returns the data even if its
    /// own validation fails (RFC 4035 §3.2.2).
    ///
    /// Over UDP a query is sent again if no response arrives, anything but a response to this query
    /// is ignored, and a truncated response is requested again over TCP. If the system is
    /// configured with several servers, each gets ten seconds at most, and the one that answered
    /// last is asked first. The response's ID is meaningless.
    pub async fn query(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Vec<u8>, RetrievalError> {
        self.ask(|| Query::new(name, record_type)).await
    }

    /// Does the same with CD clear. A validating resolver then returns SERVFAIL if its own
    /// validation fails, and sets AD if it succeeds (RFC 4035 §3.2.3). Neither proves anything;
    /// they help to distinguish resolvers.
    pub async fn query_with_checking(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Vec<u8>, RetrievalError> {
        self.ask(|| Query::new(name, record_type).with_checking())
            .await
    }

    /// Asks the servers in turn, each with a new query.
    async fn ask(&self, new_query: impl Fn() -> Query) -> Result<Vec<u8>, RetrievalError> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let servers = self.servers.iter().enumerate();
        let order = servers.clone().skip(preferred);
        let mut failure = Failure::Network("it has no server".into());
        for (index, server) in order.chain(servers.take(preferred)) {
            let query = new_query();
            let outcome = server.exchange(&query, self.limit);
            let outcome = timeout(self.limit, outcome).await.unwrap_or_else(|_| {
                let problem = format!("no response within {:?}", self.limit);
                Err(Failure::Network(problem))
            });
            match outcome {
                Ok(octets) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(octets);
                }
                Err(other) => failure = other,
            }
        }
        Err(failure.of(&self.shown))
    }
}

impl Failure {
    /// The error that names the resolver.
    fn of(self, resolver: &str) -> RetrievalError {
        let resolver = resolver.to_owned();
        match self {
            Self::Resolver(error) => error.into(),
            Self::Untrusted(problem) => RetrievalError::UntrustedResolver { resolver, problem },
            Self::Network(problem) => RetrievalError::NoResponse { resolver, problem },
        }
    }
}

impl Server {
    async fn exchange(&self, query: &Query, limit: Duration) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Plain(address) => plain::exchange(*address, query, limit)
                .await
                .map_err(Failure::Network),
            Self::Encrypted(server) => server.exchange(query).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieve::ResolverError;
    use std::net::UdpSocket;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    /// Long enough for any answer on this machine.
    const LIMIT: Duration = Duration::from_secs(100);

    fn block_on<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(task)
    }

    /// A server that answers REFUSED. If it does not work, it says that its answer is longer, and
    /// refuses TCP.
    struct Peer {
        address: SocketAddr,
        works: Arc<AtomicBool>,
        queries: Arc<AtomicUsize>,
    }

    impl Peer {
        fn start(works: bool) -> Self {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let peer = Self {
                address: socket.local_addr().unwrap(),
                works: Arc::new(works.into()),
                queries: Arc::default(),
            };
            let (works, queries) = (Arc::clone(&peer.works), Arc::clone(&peer.queries));
            std::thread::spawn(move || {
                let mut buffer = [0; 512];
                while let Ok((length, client)) = socket.recv_from(&mut buffer) {
                    queries.fetch_add(1, Ordering::SeqCst);
                    let (qr, tc) = (0x80, u8::from(!works.load(Ordering::SeqCst)) << 1);
                    buffer[2] |= qr | tc;
                    buffer[3] = 5;
                    socket.send_to(&buffer[..length], client).unwrap();
                }
            });
            peer
        }

        fn queries(&self) -> usize {
            self.queries.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn the_server_that_answered_last_is_asked_first() {
        let peers = [false, true, true].map(Peer::start);
        let servers = peers.iter().map(|peer| Server::Plain(peer.address));
        let client = Client::of("system".into(), servers.collect(), LIMIT);
        let ask = || block_on(client.query(&Name::root(), RecordType::NS));
        let counts = || [0, 1, 2].map(|index: usize| peers[index].queries());
        assert!(ask().is_ok());
        assert_eq!(counts(), [1, 1, 0]);
        assert!(ask().is_ok());
        assert_eq!(counts(), [1, 2, 0], "the first one is not tried again");
        // After the last one comes the first.
        peers[1].works.store(false, Ordering::SeqCst);
        assert!(ask().is_ok());
        assert_eq!(counts(), [1, 3, 1]);
        peers[0].works.store(true, Ordering::SeqCst);
        peers[2].works.store(false, Ordering::SeqCst);
        assert!(ask().is_ok());
        assert_eq!(counts(), [2, 3, 2]);
        // If none answers, each was asked once.
        peers[0].works.store(false, Ordering::SeqCst);
        assert_eq!(ask().unwrap_err().reason(), "retrieval.no_response");
        assert_eq!(counts(), [3, 4, 3]);
    }

    #[test]
    fn the_systems_resolver_is_the_servers_of_its_configuration() {
        let client = block_on(Client::connect(&Resolver::system()));
        let configured = system_servers().map_err(RetrievalError::from);
        assert_eq!(client.as_ref().err(), configured.as_ref().err());
        let servers = client.map_or(Vec::new(), |client| client.servers);
        let addresses = configured.unwrap_or_default();
        assert_eq!(servers.len(), addresses.len());
        for (server, address) in servers.iter().zip(&addresses) {
            assert!(matches!(server, Server::Plain(own) if own == address));
        }
    }

    #[test]
    fn a_failure_is_told_by_its_cause() {
        let host = || ResolverError::Host {
            host: "dns.example".into(),
            problem: "it has no address".into(),
        };
        let of = |failure: Failure| failure.of("tls://dns.example:853");
        assert_eq!(of(host().into()), RetrievalError::Resolver(host()));
        assert_eq!(
            of(Failure::Untrusted("expired".into())).to_string(),
            "the identity of the resolver tls://dns.example:853 could not be verified: expired"
        );
        assert_eq!(
            of(Failure::Network("timed out".into())).to_string(),
            "the resolver tls://dns.example:853 does not answer: timed out"
        );
    }
}
