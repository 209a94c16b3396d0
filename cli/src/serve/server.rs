//! Connections: accepted, made secure, served within their limits, and ended in good order.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error, warn};

use super::connections::{Admission, Connections, Overdue, Patience, Progress, Watched};
use super::counted_body::CountedBody;
use super::current::Current;
use super::endpoints::refusal::RequestRefusal;
use super::endpoints::{Body, Endpoints};
use super::hosts::Hosts;
use super::limits::{BoundedBody, HEADER_FIELDS, Limits, SEND_BUFFER, STREAMS, WINDOW};
use super::listener::{Io, Listener, Surface};
use super::log;
use super::metrics::{Connected, End, Metrics};
use super::operations::{self, Operations};
use super::streams::{Stream, Streams};
use super::tls::Tls;

/// Connections to an address that has the operations alone.
const OPERATORS: usize = 64;
/// Before accepting is tried again after it failed for want of something, which only time can bring.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The interval at which the other side of an HTTP/2 connection is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Streams that a client may reset before they were looked at, and that this side may have to reset, before the connection
/// is ended (CVE-2023-44487, CVE-2025-8671): h2's own choice for the first, and far less than its own for the second.
const RESET_STREAMS: usize = 20;
const LOCALLY_RESET_STREAMS: usize = 100;

/// The address by which a connection came in, as far as it matters.
#[derive(Clone, Copy, Debug)]
struct Entrance {
    surface: Surface,
    is_loopback: bool,
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
                    let admission = connections.admit().await;
                    let server = Arc::clone(&self);
                    let entrance = Entrance {
                        surface: listener.surface,
                        is_loopback,
                    };
                    tokio::spawn(server.serve(stream, admission, entrance, listener.tls.clone()));
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
            debug!(target: log::TARGET, %error, "a connection was closed before it was accepted");
            return;
        }
        // Of files or memory there may be none left, and others hold them.
        warn!(target: log::TARGET, %error, "cannot accept connections for now");
        self.connections.dismiss_the_slowest();
        sleep(BACK_OFF).await;
    }

    /// One connection from its first octet to its last.
    async fn serve(
        self: Arc<Self>,
        stream: Box<dyn Io>,
        admission: Admission,
        entrance: Entrance,
        tls: Option<Arc<Tls>>,
    ) {
        let _connected: Connected = self.metrics.connection();
        let progress = Arc::clone(&admission.progress);
        let end = match tls {
            None => self.serve_http(stream, &progress, entrance).await,
            Some(tls) => match self.secure(stream, &progress, &tls, entrance).await {
                Ok(stream) => self.serve_http(stream, &progress, entrance).await,
                Err(end) => Some(end),
            },
        };
        if let Some(end) = end {
            debug!(target: log::TARGET, cause = end.name(), "closed a connection");
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
                    debug!(target: log::TARGET, %error, "a TLS handshake failed");
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
                Ok::<_, Infallible>(answer.map(|body| CountedBody::new(body, in_flight, stream)))
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
                        debug!(target: log::TARGET, %error, "a connection failed");
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
            ("none", RequestRefusal::Misdirected.response())
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
                target: log::TARGET,
                connections = left,
                "some requests took too long and were cancelled"
            );
        }
    }
}

/// Tells whether a path is one of the operations' where somebody came in.
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

/// Tells whether the next one may well be accepted at once (accept(2)).
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
