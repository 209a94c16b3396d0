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
        let servers = match &resolver.endpoint {
            Endpoint::System => system_servers()?.into_iter().map(Server::Plain).collect(),
            Endpoint::Plain(address) => vec![Server::Plain(*address)],
            Endpoint::Tls(host) => {
                vec![Server::encrypted(Encrypted::new(
                    resolver, host, None, limit,
                )?)]
            }
            Endpoint::Https { host, path } => {
                let path = Some(path.as_str());
                vec![Server::encrypted(Encrypted::new(
                    resolver, host, path, limit,
                )?)]
            }
        };
        let client = Self {
            shown: resolver.to_string(),
            servers,
            preferred: AtomicUsize::new(0),
            limit,
        };
        for server in &client.servers {
            if let Server::Encrypted(server) = server {
                let connected = server.connect().await;
                connected.map_err(|failure| client.no_response(failure))?;
            }
        }
        Ok(client)
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
        let order = (preferred..self.servers.len()).chain(0..preferred);
        let mut failure = Failure::Network("it has no server".into());
        for index in order {
            let Some(server) = self.servers.get(index) else {
                continue;
            };
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
        Err(self.no_response(failure))
    }

    fn no_response(&self, failure: Failure) -> RetrievalError {
        let resolver = self.shown.clone();
        match failure {
            Failure::Resolver(error) => error.into(),
            Failure::Untrusted(problem) => RetrievalError::UntrustedResolver { resolver, problem },
            Failure::Network(problem) => RetrievalError::NoResponse { resolver, problem },
        }
    }
}

impl Server {
    fn encrypted(server: Encrypted) -> Self {
        Self::Encrypted(Box::new(server))
    }

    async fn exchange(&self, query: &Query, limit: Duration) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Plain(address) => plain::exchange(*address, query, limit)
                .await
                .map_err(Failure::Network),
            Self::Encrypted(server) => server.exchange(query).await,
        }
    }
}
