//! Where clients come in: addresses are bound, connections accepted, made secure, served within their limits, and ended in
//! good order.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error, warn};

use super::BoxError;
use super::connections::{Connections, InFlight, Member, Overdue, Patience, Progress, Watched};
use super::endpoints::refusal::Refusal;
use super::endpoints::{Body, Endpoints};
use super::hosts::Hosts;
use super::limits::{BoundedBody, HEADER_FIELDS, Limits, PIECE, SEND_BUFFER, STREAMS, WINDOW};
use super::metrics::{Connected, End, Metrics};
use super::operations::{self, Operations};
use super::streams::{Stream, Streams};
use super::tls::Tls;
use crate::fault::Fault;

/// Connections to an address that has the operations alone.
const OPERATORS: usize = 64;
/// Before accepting is tried again after it failed for want of something, which only time can bring.
const BACK_OFF: Duration = Duration::from_millis(100);
/// How often the other side of an HTTP/2 connection is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Streams that a client may reset before they were looked at, and that this side may have to reset, before the connection
/// is ended (CVE-2023-44487, CVE-2025-8671): h2's own choice for the first, and far less than its own for the second.
const RESET_STREAMS: usize = 20;
const LOCALLY_RESET_STREAMS: usize = 100;
/// What the kernel keeps of connections that are not accepted yet; it has a limit of its own, too (net.core.somaxconn).
const BACKLOG: u32 = 4_096;

/// Where to listen: `IP:PORT`, or `unix:/PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Whether the system chooses the port, and so another one each time.
    pub(crate) fn has_any_port(&self) -> bool {
        matches!(self, Self::Tcp(address) if address.port() == 0)
    }

    pub(crate) fn is_unix(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Whether none but this machine's own processes can connect.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("unix:") {
            Some(path) if Path::new(path).is_absolute() => Ok(Self::Unix(path.into())),
            Some(_) => Err("write the whole path, as in unix:/run/kliento/kliento.sock"),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                "write an IP address and a port, as in 127.0.0.1:8080 or [::]:8080, or unix:/PATH"
            }),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// What is to be had at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Everything,
    Endpoints,
    Operations,
}

impl Surface {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Everything => "endpoints and operations",
            Self::Endpoints => "endpoints",
            Self::Operations => "operations",
        }
    }
}

/// Where a connection came in.
#[derive(Clone, Copy, Debug)]
struct Entrance {
    surface: Surface,
    is_loopback: bool,
}

/// An address that is bound.
pub(crate) struct Listener {
    socket: Socket,
    pub(crate) address: Address,
    pub(crate) surface: Surface,
    pub(crate) tls: Option<Arc<Tls>>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection, whatever it is made of.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Listener {
    /// Binds `address`. TLS is for what leaves the machine, so Unix sockets go without.
    pub(crate) fn bind(
        address: &Address,
        surface: Surface,
        tls: Option<Arc<Tls>>,
    ) -> Result<Self, Fault> {
        let fail = |error: &io::Error| cannot_listen(address, error);
        let (socket, address, tls) = match address {
            Address::Tcp(wanted) => {
                let listener = bind_tcp(*wanted).map_err(|error| fail(&error))?;
                let bound = listener.local_addr().map_err(|error| fail(&error))?;
                (Socket::Tcp(listener), Address::Tcp(bound), tls)
            }
            Address::Unix(path) => {
                remove_abandoned(path).map_err(|error| fail(&error))?;
                let listener = UnixListener::bind(path).map_err(|error| fail(&error))?;
                (Socket::Unix(listener), address.clone(), None)
            }
        };
        Ok(Self {
            socket,
            address,
            surface,
            tls,
        })
    }

    /// A connection, and whether it came over loopback, as those of browsers on this machine do.
    async fn accept(&self) -> io::Result<(Box<dyn Io>, bool)> {
        Ok(match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Answers are small, and to wait for more of them would only delay them.
                stream.set_nodelay(true)?;
                let is_loopback = stream.local_addr()?.ip().to_canonical().is_loopback();
                (Box::new(stream), is_loopback)
            }
            Socket::Unix(listener) => (Box::new(listener.accept().await?.0), false),
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address {
            let _ = fs::remove_file(path);
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        tokio::net::TcpSocket::new_v6()
    } else {
        tokio::net::TcpSocket::new_v4()
    }?;
    // Or a restart would wait for the last connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Removes the socket of a process that is no more.
fn remove_abandoned(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Ok(()),
    }
}

fn cannot_listen(address: &Address, error: &io::Error) -> Fault {
    let fault = Fault::failure(format!("cannot listen on {address}: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => fault.hint("another process has it; choose another with --listen"),
        io::ErrorKind::AddrNotAvailable => {
            fault.hint("this machine has no such address; listen on 0.0.0.0 or [::] for all that it has")
        }
        io::ErrorKind::PermissionDenied => fault.hint(
            "ports below 1024 take CAP_NET_BIND_SERVICE: in systemd AmbientCapabilities=CAP_NET_BIND_SERVICE, \
             in a container a higher port that is published as a low one",
        ),
        _ => fault,
    }
}

/// What can be replaced as a whole while others use it: they keep what they have, and get the new one when they ask again.
#[derive(Debug)]
pub(crate) struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    pub(crate) fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

/// All that connections share.
pub(crate) struct Server {
    /// A request is answered to its end by those that it began with.
    pub(crate) endpoints: Current<Endpoints>,
    pub(crate) operations: Operations,
    pub(crate) metrics: Arc<Metrics>,
    connections: Arc<Connections>,
    /// Those who look after the process have room of their own, and are served to the end.
    operators: Arc<Connections>,
    limits: Limits,
    pub(crate) hosts: Current<Hosts>,
    http: auto::Builder<TokioExecutor>,
    streams: Streams,
    shutdown: watch::Receiver<bool>,
}

impl Server {
    pub(crate) fn new(
        endpoints: Endpoints,
        metrics: Arc<Metrics>,
        limits: Limits,
        hosts: Hosts,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        Self {
            endpoints: Current::new(endpoints),
            operations: Operations::new(Arc::clone(&metrics)),
            metrics,
            connections: Arc::new(Connections::new(limits.connections)),
            operators: Arc::new(Connections::new(OPERATORS)),
            limits,
            hosts: Current::new(hosts),
            http: http(&limits),
            streams: Streams::new(limits.streams),
            shutdown,
        }
    }

    /// Accepts connections until the process is to end.
    pub(crate) async fn accept_from(self: Arc<Self>, listener: Listener) {
        let connections = match listener.surface {
            Surface::Operations => &self.operators,
            Surface::Endpoints | Surface::Everything => &self.connections,
        };
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.ending(listener.surface) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, is_loopback)) => {
                    let member = connections.admit().await;
                    let server = Arc::clone(&self);
                    let entrance = Entrance {
                        surface: listener.surface,
                        is_loopback,
                    };
                    tokio::spawn(server.serve(stream, member, entrance, listener.tls.clone()));
                }
                Err(error) => self.after_failing_to_accept(&error).await,
            }
        }
    }

    /// Until connections to `surface` are to end.
    async fn ending(&self, surface: Surface) {
        if surface == Surface::Operations {
            return std::future::pending().await;
        }
        // If nobody is there to say so any more, the process is ending, too.
        let _ = self.shutdown.clone().wait_for(|ends| *ends).await;
    }

    async fn after_failing_to_accept(&self, error: &io::Error) {
        if is_about_one_connection(error) {
            debug!(%error, "a connection was gone before it was accepted");
            return;
        }
        // Of files or memory there may be none left, and others hold them.
        warn!(%error, "cannot accept connections for now");
        self.connections.dismiss_the_slowest();
        sleep(BACK_OFF).await;
    }

    /// One connection from its first octet to its last.
    async fn serve(
        self: Arc<Self>,
        stream: Box<dyn Io>,
        member: Member,
        entrance: Entrance,
        tls: Option<Arc<Tls>>,
    ) {
        let _connected: Connected = self.metrics.connection();
        let progress = Arc::clone(&member.progress);
        let end = match tls {
            None => self.serve_http(stream, &progress, entrance).await,
            Some(tls) => match self.secure(stream, &progress, &tls, entrance).await {
                Ok(stream) => self.serve_http(stream, &progress, entrance).await,
                Err(end) => Some(end),
            },
        };
        if let Some(end) = end {
            debug!(cause = end.name(), "a connection was ended");
            self.metrics.ended(end);
        }
    }

    async fn secure(
        &self,
        stream: Box<dyn Io>,
        progress: &Progress,
        tls: &Tls,
        entrance: Entrance,
    ) -> Result<Box<dyn Io>, End> {
        let handshake = TlsAcceptor::from(tls.current()).accept(stream);
        tokio::select! {
            handshake = timeout(self.limits.header_timeout, handshake) => match handshake {
                Ok(Ok(stream)) => {
                    progress.start();
                    Ok(Box::new(stream))
                }
                Ok(Err(error)) => {
                    debug!(%error, "a TLS handshake failed");
                    Err(End::Handshake)
                }
                Err(_) => Err(End::HeaderTimeout),
            },
            () = progress.dismissed() => Err(End::Dismissed),
            () = self.ending(entrance.surface) => Err(End::Shutdown),
        }
    }

    /// Gives the reason where this side ended it.
    async fn serve_http(
        self: &Arc<Self>,
        stream: Box<dyn Io>,
        progress: &Arc<Progress>,
        entrance: Entrance,
    ) -> Option<End> {
        let service = service_fn(|request: Request<Incoming>| {
            let in_flight = progress.begin(request.version());
            let answer = self.take(request, progress, entrance);
            async move {
                let (answer, stream) = answer.await;
                Ok::<_, Infallible>(answer.map(|body| CountedBody {
                    body,
                    rest: Bytes::new(),
                    _in_flight: in_flight,
                    _stream: stream,
                }))
            }
        });
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(progress)));
        let mut connection = pin!(self.http.serve_connection(stream, service));
        let mut patience = Patience {
            head: self.limits.header_timeout,
            idle: self.limits.idle_timeout,
        };
        let mut alarm = pin!(sleep(patience.head));
        let (mut is_ending, mut end) = (false, None);
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(%error, "a connection broke");
                    }
                    return end;
                }
                overdue = overdue(progress, patience, alarm.as_mut()) => {
                    end = Some(match overdue {
                        Overdue::Head => End::HeaderTimeout,
                        Overdue::Idle => End::IdleTimeout,
                    });
                    if is_ending || !progress.is_http2_at_rest() {
                        return end;
                    }
                    // HTTP/2 has a way to go in which no request is lost that is on its way (RFC 9113 §6.8).
                    is_ending = true;
                    patience.idle = patience.idle.saturating_add(patience.head);
                    connection.as_mut().graceful_shutdown();
                }
                () = progress.dismissed() => return Some(End::Dismissed),
                () = self.ending(entrance.surface), if !is_ending => {
                    is_ending = true;
                    if progress.is_untouched() {
                        return Some(End::Shutdown);
                    }
                    // Before that hyper would cut off the head that has begun to come; see `answer`.
                    if progress.has_begun() {
                        connection.as_mut().graceful_shutdown();
                    }
                }
            }
        }
    }

    /// Takes a request on, if there is room for one more.
    fn take(
        self: &Arc<Self>,
        request: Request<Incoming>,
        progress: &Arc<Progress>,
        entrance: Entrance,
    ) -> impl Future<Output = (Response<Body>, Option<Arc<Stream>>)> + use<> {
        let (server, progress) = (Arc::clone(self), Arc::clone(progress));
        let is_first = progress.in_flight() == 1;
        async move {
            if is_first {
                return (server.answer(request, entrance).await, None);
            }
            let Some(stream) = server.streams.admit(&progress).await else {
                return (server.too_many(), None);
            };
            let answer = tokio::select! {
                biased;
                answer = server.answer(request, entrance) => answer,
                () = stream.dismissed() => return (server.too_many(), None),
            };
            stream.answered();
            (answer, Some(stream))
        }
    }

    fn too_many(&self) -> Response<Body> {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        self.metrics.request("none", status);
        refusal(status, "too many requests at a time\n")
    }

    async fn answer(&self, request: Request<Incoming>, entrance: Entrance) -> Response<Body> {
        let (version, path) = (request.version(), request.uri().path());
        let is_misdirected = entrance.is_loopback
            && (is_for_operations(entrance.surface, path) || Endpoints::is_for_programs(path))
            && !self.hosts.get().admit(request.uri(), request.headers());
        let (endpoint, mut response) = if is_misdirected {
            ("none", Refusal::Misdirected.response())
        } else if request.headers().len() > HEADER_FIELDS {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            ("none", refusal(status, "too many header fields\n"))
        } else if is_for_operations(entrance.surface, path) {
            let response = self.operations.answer(request.method(), path);
            (operations::NAME, response)
        } else {
            let endpoint = Endpoints::name_of(path);
            let (octets, time) = (self.limits.body, self.limits.body_timeout);
            let request = request.map(|body| BoundedBody::new(body, octets, time));
            (endpoint, self.endpoints.get().answer(request).await)
        };
        self.metrics.request(endpoint, response.status());
        if version < Version::HTTP_2 && *self.shutdown.borrow() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }

    /// Waits until nobody accepts connections any more and nothing is in flight on those that there are, but no longer than
    /// that.
    pub(crate) async fn drain(&self, mut accepting: JoinSet<()>, time: Duration) {
        let all_gone = async {
            while accepting.join_next().await.is_some() {}
            self.connections.all_gone().await;
        };
        if timeout(time, all_gone).await.is_err() {
            let left = self.connections.count();
            error!(
                connections = left,
                "some requests took too long, and were cut off"
            );
        }
    }
}

/// Whether a path is one of the operations' where somebody came in.
fn is_for_operations(surface: Surface, path: &str) -> bool {
    surface == Surface::Operations || surface == Surface::Everything && Operations::has(path)
}

fn refusal(status: StatusCode, why: &'static str) -> Response<Body> {
    operations::text(status, "text/plain; charset=utf-8", why)
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Ours, which tells a head that does not come from a connection at rest.
        .header_read_timeout(None)
        .max_buf_size(usize::try_from(limits.header).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(usize::try_from(SEND_BUFFER).unwrap_or(usize::MAX))
        .max_pending_accept_reset_streams(RESET_STREAMS)
        .max_local_error_reset_streams(LOCALLY_RESET_STREAMS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(limits.header_timeout);
    builder
}

/// Whether the next one may well be accepted at once (accept(2)).
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Interrupted
    )
}

/// Until the connection's time is up for something.
async fn overdue(progress: &Progress, patience: Patience, mut alarm: Pin<&mut Sleep>) -> Overdue {
    // Asked each time that anything happens on the connection, since a head that begins has less time than a rest.
    std::future::poll_fn(|context: &mut Context<'_>| {
        loop {
            let due = match progress.due(patience) {
                Ok(due) => due,
                Err(overdue) => return Poll::Ready(overdue),
            };
            if due < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(due);
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// The body of an answer, which is complete when this is dropped. Its data come in pieces that hold nothing but themselves.
struct CountedBody {
    body: Body,
    /// What came from `body` and was not handed on yet.
    rest: Bytes,
    _in_flight: InFlight,
    _stream: Option<Arc<Stream>>,
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) if data.len() > PIECE => self.rest = data,
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let piece = self.rest.len().min(PIECE);
        // A slice would keep the whole.
        let piece = Bytes::copy_from_slice(&self.rest.split_to(piece));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(inner.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    #[tokio::test]
    async fn an_answer_comes_in_pieces_that_hold_nothing_but_themselves() {
        let connections = Arc::new(Connections::new(1));
        let progress = connections.admit().await.progress;
        let content: Vec<u8> = (0..=255).cycle().take(PIECE * 3 + 5).collect();
        let whole = Bytes::from(content.clone());
        let body = Full::new(whole.clone()).map_err(|never| match never {});
        let mut body = CountedBody {
            body: Body::new(body),
            rest: Bytes::new(),
            _in_flight: progress.begin(Version::HTTP_2),
            _stream: None,
        };
        let mut taken = Vec::new();
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(!whole.as_ptr_range().contains(&piece.as_ptr()));
            assert!(piece.len() <= PIECE);
            taken.extend_from_slice(&piece);
            let left = u64::try_from(content.len() - taken.len()).unwrap();
            assert_eq!(http_body::Body::size_hint(&body).exact(), Some(left));
            assert_eq!(http_body::Body::is_end_stream(&body), left == 0);
        }
        assert_eq!(taken, content);
    }

    #[test]
    fn an_address_is_an_ip_address_with_a_port_or_the_whole_path_of_a_socket() {
        for (text, local) in [
            ("127.0.0.1:8080", true),
            ("[::1]:0", true),
            ("0.0.0.0:443", false),
            ("[::]:443", false),
            ("unix:/run/kliento.sock", true),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.is_local(), address.to_string().as_str()),
                (local, text)
            );
        }
        for text in [
            "",
            "8080",
            ":8080",
            "localhost:8080",
            "127.0.0.1",
            "unix:kliento.sock",
            "unix:",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
