//! One connection to a resolver: UDP with TCP behind it, TLS, or HTTPS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use hickory_net::NetError;
use hickory_net::h2::HttpsClientStream;
use hickory_net::proto::op::{DnsRequest, DnsRequestOptions, Query};
use hickory_net::proto::rr::{Name as HickoryName, RecordType as HickoryType};
use hickory_net::proto::serialize::binary::{BinDecodable, BinDecoder};
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::tcp::TcpClientStream;
use hickory_net::tls::tls_exchange;
use hickory_net::udp::UdpClientStream;
use hickory_net::xfer::{DnsExchange, DnsHandle};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};

use super::resolver::{Endpoint, Host};
use super::{Resolver, ResolverError, RetrievalError};
use crate::name::Name;
use crate::record::RecordType;

/// How long a query may take, retries included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for a UDP response before asking again.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// What fits any path unfragmented (RFC 9715 §3.1 has 1,400; DNS flag day 2020 settled on this).
const UDP_PAYLOAD_OCTETS: u16 = 1232;

type Exchange = DnsExchange<TokioRuntimeProvider>;

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
    /// Owns the tasks that drive the connections: they end with its last clone.
    provider: TokioRuntimeProvider,
}

enum Server {
    /// UDP; and TCP when an answer is truncated.
    Plain(SocketAddr),
    /// A connection that is kept: TLS or HTTPS.
    Stream(Exchange),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.shown).finish()
    }
}

impl Client {
    /// Prepares to ask `resolver`: reads the operating system's configuration for `system`, makes the connection for TLS
    /// and HTTPS, and does nothing for UDP.
    ///
    /// Needs a Tokio runtime with I/O and time enabled, as long as the client is in use.
    pub async fn connect(resolver: &Resolver) -> Result<Self, RetrievalError> {
        let shown = resolver.to_string();
        let provider = TokioRuntimeProvider::default();
        let servers = match &resolver.endpoint {
            Endpoint::System => system_servers()?.into_iter().map(Server::Plain).collect(),
            Endpoint::Plain(address) => vec![Server::Plain(*address)],
            Endpoint::Tls(host) => {
                let exchange = within_timeout(tls_exchange(
                    host.address().await?,
                    host.server_name()?,
                    tls_config(resolver)?,
                    TIMEOUT,
                    None,
                    provider.clone(),
                ));
                vec![Server::Stream(
                    exchange.await.map_err(|error| failed(&shown, &error))?,
                )]
            }
            Endpoint::Https { host, path } => {
                host.server_name()?;
                let mut builder =
                    HttpsClientStream::builder(Arc::new(tls_config(resolver)?), provider.clone());
                builder.request_timeout(TIMEOUT);
                let exchange = within_timeout(builder.exchange(
                    host.address().await?,
                    host.name.as_str().into(),
                    path.as_str().into(),
                ));
                vec![Server::Stream(
                    exchange.await.map_err(|error| failed(&shown, &error))?,
                )]
            }
        };
        Ok(Self {
            shown,
            servers,
            provider,
        })
    }

    /// Asks for the RRset of `record_type` at `name` once, and gives the response's octets, whatever its response code is.
    ///
    /// The query has RD set, to be answered by recursion; DO, so that signatures come along (RFC 3225); and CD, so that a
    /// validating resolver hands over what it has rather than its own verdict (RFC 4035 §3.2.2). A truncated UDP response
    /// is asked for again over TCP. The response's ID means nothing.
    pub async fn query(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Vec<u8>, RetrievalError> {
        let request = request(name, record_type);
        let mut failure = NetError::NoConnections;
        for server in &self.servers {
            let exchange = server.exchange(request.clone(), &self.provider);
            match within_timeout(exchange).await {
                Ok(octets) => return Ok(octets),
                Err(error) => failure = error,
            }
        }
        Err(failed(&self.shown, &failure))
    }
}

/// What a failure to get any response means.
fn failed(resolver: &str, error: &NetError) -> RetrievalError {
    let untrusted = match error {
        NetError::Io(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .filter(|error| matches!(error, rustls::Error::InvalidCertificate(_))),
        _ => None,
    };
    let resolver = resolver.to_owned();
    match untrusted {
        Some(error) => RetrievalError::UntrustedResolver {
            resolver,
            problem: error.to_string(),
        },
        None => RetrievalError::NoResponse {
            resolver,
            problem: error.to_string(),
        },
    }
}

impl Server {
    async fn exchange(
        &self,
        request: DnsRequest,
        provider: &TokioRuntimeProvider,
    ) -> Result<Vec<u8>, NetError> {
        let address = match self {
            Self::Stream(exchange) => return Ok(send(exchange, request).await?.0),
            Self::Plain(address) => *address,
        };
        let udp = UdpClientStream::builder(address, provider.clone())
            .with_timeout(Some(TIMEOUT))
            .exchange();
        let (octets, truncated) = send(&udp, request.clone()).await?;
        if !truncated {
            return Ok(octets);
        }
        let tcp = TcpClientStream::exchange(address, None, TIMEOUT, None, provider.clone()).await?;
        Ok(send(&tcp, request).await?.0)
    }
}

/// Sends a request; gives the response's octets, and whether they are only a part of it.
async fn send(exchange: &Exchange, request: DnsRequest) -> Result<(Vec<u8>, bool), NetError> {
    // A stream that ends without a response is one whose last retry got none.
    let response = exchange
        .send(request)
        .next()
        .await
        .unwrap_or(Err(NetError::Timeout))?;
    let truncated = response.metadata.truncation;
    Ok((response.into_buffer(), truncated))
}

async fn within_timeout<T>(work: impl Future<Output = Result<T, NetError>>) -> Result<T, NetError> {
    tokio::time::timeout(TIMEOUT, work)
        .await
        .unwrap_or(Err(NetError::Timeout))
}

fn request(name: &Name, record_type: RecordType) -> DnsRequest {
    let mut options = DnsRequestOptions::default();
    options.use_edns = true;
    options.edns_set_dnssec_ok = true;
    options.edns_payload_len = UDP_PAYLOAD_OCTETS;
    options.recursion_desired = true;
    options.retry_interval = RETRY_INTERVAL;
    // A `Name` is a valid uncompressed name by construction.
    let name = HickoryName::read(&mut BinDecoder::new(name.as_wire())).unwrap_or_default();
    let query = Query::query(name, HickoryType::from(record_type.0));
    let (mut message, options) = DnsRequest::from_query(query, options).into_parts();
    message.metadata.checking_disabled = true;
    DnsRequest::new(message, options)
}

/// The servers of the operating system's configuration, in its order.
fn system_servers() -> Result<Vec<SocketAddr>, ResolverError> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| ResolverError::System(error.to_string()))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for server in &config.name_servers {
        for connection in &server.connections {
            let address = SocketAddr::new(server.ip, connection.port);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    if addresses.is_empty() {
        return Err(ResolverError::System("it names no server".into()));
    }
    Ok(addresses)
}

impl Host {
    /// Looks the host up with the operating system, if it is a name.
    async fn address(&self) -> Result<SocketAddr, ResolverError> {
        let problem = |problem: String| ResolverError::Host {
            host: self.name.clone(),
            problem,
        };
        let mut addresses = tokio::net::lookup_host((self.name.as_str(), self.port))
            .await
            .map_err(|error| problem(error.to_string()))?;
        addresses
            .next()
            .ok_or_else(|| problem("it has no address".into()))
    }

    fn server_name(&self) -> Result<ServerName<'static>, ResolverError> {
        ServerName::try_from(self.name.clone()).map_err(|error| ResolverError::Host {
            host: self.name.clone(),
            problem: error.to_string(),
        })
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
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ResolverError::Certificate(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
