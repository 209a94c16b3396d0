//! DNS over TLS (RFC 7858) and over HTTPS (RFC 8484), with connections that are kept open.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use hickory_net::NetError;
use hickory_net::h2::HttpsClientStream;
use hickory_net::proto::op::{DnsRequest, DnsRequestOptions, Message};
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::tls::tls_exchange;
use hickory_net::xfer::{DnsExchange, DnsHandle as _};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use super::query::Query;
use super::resolver::{Host, Resolver, ResolverError};

/// The number of a host's addresses that are tried. They share the time limit.
const MAX_ADDRESSES: usize = 4;
type Exchange = DnsExchange<TokioRuntimeProvider>;

/// A server with TLS, and the connection to it.
pub(super) struct Encrypted {
    target: Target,
    /// The connection that was made last.
    kept: Mutex<Exchange>,
}

/// The parameters of the connections to a server.
struct Target {
    host: Host,
    server_name: ServerName<'static>,
    /// The path, for HTTPS.
    path: Option<String>,
    config: ClientConfig,
    limit: Duration,
    /// The owner of the tasks that drive the connections. They end with its last clone.
    provider: TokioRuntimeProvider,
}

impl Target {
    async fn connect(&self) -> Result<Exchange, Failure> {
        let addresses = self.host.addresses().await?;
        let count = u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let share = self.limit / count;
        let mut failure = NetError::NoConnections;
        for address in addresses {
            match within(share, self.connect_to(address, share)).await {
                Ok(exchange) => return Ok(exchange),
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }

    async fn connect_to(&self, address: SocketAddr, limit: Duration) -> Result<Exchange, NetError> {
        let Some(path) = &self.path else {
            let name = self.server_name.clone();
            let config = self.config.clone();
            return tls_exchange(address, name, config, limit, None, self.provider.clone()).await;
        };
        let config = Arc::new(self.config.clone());
        let mut builder = HttpsClientStream::builder(config, self.provider.clone());
        builder.request_timeout(self.limit);
        let (name, path) = (self.host.name.as_str().into(), path.as_str().into());
        builder.exchange(address, name, path).await
    }
}

impl Encrypted {
    /// Opens the connection that queries use.
    pub(super) async fn connect(
        resolver: &Resolver,
        host: &Host,
        path: Option<&str>,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let server_name =
            ServerName::try_from(host.name.clone()).map_err(|error| host.unusable(&error))?;
        let target = Target {
            host: host.clone(),
            server_name,
            path: path.map(Into::into),
            config: tls_config(resolver)?,
            limit,
            provider: TokioRuntimeProvider::default(),
        };
        let kept = Mutex::new(target.connect().await?);
        Ok(Self { target, kept })
    }

    fn kept(&self) -> MutexGuard<'_, Exchange> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks over the connection that is kept. Servers may close a connection at any time, so if it
    /// has ended, the query goes over a new one. The new connection is then kept instead.
    pub(super) async fn exchange(&self, query: &Query) -> Result<Vec<u8>, Failure> {
        let kept = self.kept().clone();
        match send(&kept, query).await {
            Ok(octets) => return Ok(octets),
            Err(NetError::Timeout) => return Err(NetError::Timeout.into()),
            Err(_) => {}
        }
        let exchange = self.target.connect().await?;
        let octets = send(&exchange, query).await?;
        *self.kept() = exchange;
        Ok(octets)
    }
}

async fn send(exchange: &Exchange, query: &Query) -> Result<Vec<u8>, NetError> {
    let message = Message::from_vec(query.octets())?;
    let request = DnsRequest::new(message, DnsRequestOptions::default());
    // A stream without a response belongs to a connection that has ended.
    let closed = || NetError::from("the connection was closed");
    let response = exchange
        .send(request)
        .next()
        .await
        .ok_or_else(closed)??
        .into_buffer();
    if query.is_about_the_same(&response) {
        Ok(response)
    } else {
        Err(NetError::from("the response is to another question"))
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, NetError>>,
) -> Result<T, NetError> {
    timeout(limit, work).await.unwrap_or(Err(NetError::Timeout))
}

/// The reason why there is no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server cannot be contacted at all.
    Resolver(ResolverError),
    /// The server's certificate is not trusted.
    Untrusted(String),
    /// The network or the server failed.
    Network(String),
}

impl From<ResolverError> for Failure {
    fn from(error: ResolverError) -> Self {
        Self::Resolver(error)
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        let untrusted = match &error {
            NetError::Io(error) => error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                .filter(|error| matches!(error, rustls::Error::InvalidCertificate(_))),
            _ => None,
        };
        match untrusted {
            Some(error) => Self::Untrusted(error.to_string()),
            None => Self::Network(error.to_string()),
        }
    }
}

impl Host {
    /// Returns the host's addresses; resolves a name with the operating system.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, ResolverError> {
        let addresses = tokio::net::lookup_host((self.name.as_str(), self.port)).await;
        let addresses = addresses.map_err(|error| self.unusable(&error))?;
        Ok(addresses.take(MAX_ADDRESSES).collect())
    }

    fn unusable(&self, problem: &dyn ToString) -> ResolverError {
        ResolverError::Host {
            host: self.name.clone(),
            problem: problem.to_string(),
        }
    }
}

fn tls_config(resolver: &Resolver) -> Result<ClientConfig, ResolverError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in &resolver.extra_roots {
        roots
            .add(certificate.clone())
            .map_err(|error| ResolverError::Certificate(error.to_string()))?;
    }
    #[cfg(feature = "aws-lc-rs")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    let provider = rustls::crypto::ring::default_provider();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ResolverError::Certificate(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
