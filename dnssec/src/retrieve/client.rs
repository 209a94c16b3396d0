//! Asking a resolver one question.

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

/// How long one server may take for one question, retries included.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a resolver, for single questions.
///
/// [`retrieve()`](super::retrieve()) is what collects and verifies a chain. This is for those who want to look at what a
/// resolver says, word by word: nothing of it is verified.
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
    /// Which of the servers answered last.
    preferred: AtomicUsize,
    limit: Duration,
}

enum Server {
    /// UDP, and TCP behind it.
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
    /// Prepares to ask `resolver`: reads the operating system's configuration for `system`, makes the connection for TLS
    /// and HTTPS, and does nothing for UDP.
    ///
    /// Needs a Tokio runtime with I/O and time enabled, as long as the client is in use.
    pub async fn connect(resolver: &Resolver) -> Result<Self, RetrievalError> {
        Self::connect_within(resolver, QUERY_TIMEOUT).await
    }

    /// The same with another time for each question.
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

    /// Asks for the RRset of `record_type` at `name` once, and gives the response's octets, whatever its response code is.
    ///
    /// The query has RD set, to be answered by recursion; DO, so that signatures come along (RFC 3225); and CD, so that a
    /// validating resolver hands over what it has rather than its own verdict (RFC 4035 §3.2.2). Over UDP a lost packet is
    /// sent again, what is not a response to this very query is passed over, and a truncated response is asked for again
    /// over TCP. Each server that the system is configured with gets ten seconds at most, the one that answered last being
    /// the first to be asked. The response's ID means nothing.
    pub async fn query(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Vec<u8>, RetrievalError> {
        self.ask(|| Query::new(name, record_type)).await
    }

    /// The same with CD clear: a validating resolver gives its own verdict, SERVFAIL for what it finds wrong, and AD set
    /// in what it has verified (RFC 4035 §3.2.3). Neither proves anything; they tell one resolver from another.
    pub async fn query_with_checking(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Vec<u8>, RetrievalError> {
        self.ask(|| Query::new(name, record_type).with_checking())
            .await
    }

    /// Asks one server after the other, each with a query of its own.
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
