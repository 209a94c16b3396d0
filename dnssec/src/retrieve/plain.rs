//! DNS over UDP, with TCP as the fallback (RFC 1035 §4.2, RFC 7766).
//!
//! Each query has its own connected socket. So the system chooses a new source port each time,
//! drops datagrams from any other address or port, and reports at once if nothing listens there
//! (ICMP).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::query::{Query, is_truncated};
use crate::message::Response;

/// The number of times that a query is sent over UDP.
const UDP_TRIES: u32 = 3;
/// The divisor of the time limit that gives the wait for a response to the first datagram. Each
/// wait is twice the one before. Three tenths of the limit are left for TCP, for networks that let
/// only TCP through.
const FIRST_WAIT_DIVISOR: u32 = 10;
const BACKOFF: u32 = 2;
/// The number of times that a query is sent over TCP: servers may close a connection at any time
/// (RFC 7766 §6.2.4).
const TCP_TRIES: u32 = 2;
/// The longest message (RFC 1035 §4.2.2).
const MAX_MESSAGE_OCTETS: usize = 65_535;

/// Asks `server`. The waits of the tries over UDP are fractions of `limit`, the time that the
/// caller waits.
pub(super) async fn exchange(
    server: SocketAddr,
    query: &Query,
    limit: Duration,
) -> Result<Vec<u8>, String> {
    let first_wait = limit / FIRST_WAIT_DIVISOR;
    match over_udp(server, query, first_wait).await {
        Ok(octets) if is_truncated(&octets) => over_tcp(server, query).await.map_err(|error| {
            format!("its answer does not fit into a datagram, and TCP failed: {error}")
        }),
        // Something on the path may have truncated the response without setting TC.
        Ok(octets) if Response::parse(&octets).is_err() => {
            Ok(over_tcp(server, query).await.unwrap_or(octets))
        }
        Ok(octets) => Ok(octets),
        Err(udp) => over_tcp(server, query).await.map_err(|tcp| {
            let (udp, tcp) = (udp.to_string(), tcp.to_string());
            if udp == tcp {
                udp
            } else {
                format!("over UDP: {udp}; over TCP: {tcp}")
            }
        }),
    }
}

async fn over_udp(server: SocketAddr, query: &Query, first_wait: Duration) -> io::Result<Vec<u8>> {
    let any_port = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any_port).await?;
    socket.connect(server).await?;
    let mut wait = first_wait;
    for _ in 0..UDP_TRIES {
        socket.send(query.octets()).await?;
        // The response may be to an earlier datagram: they are all the same.
        if let Ok(received) = timeout(wait, receive(&socket, query)).await {
            return received;
        }
        wait = wait.saturating_mul(BACKOFF);
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "no response"))
}

/// Waits for a response to this query, and ignores everything else.
async fn receive(socket: &UdpSocket, query: &Query) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; MAX_MESSAGE_OCTETS];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let octets = buffer.get(..length).unwrap_or_default();
        if query.is_answered_by(octets) {
            return Ok(octets.to_vec());
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &Query) -> io::Result<Vec<u8>> {
    let mut tries = 1;
    loop {
        match over_one_connection(server, query).await {
            Err(error) if tries < TCP_TRIES && was_closed(&error) => tries += 1,
            outcome => return outcome,
        }
    }
}

/// Returns true if there was a connection and the server closed it.
fn was_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
    )
}

async fn over_one_connection(server: SocketAddr, query: &Query) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.octets().len()).unwrap_or(u16::MAX);
    // One segment holds both: some servers read only the first one (RFC 7766 §8).
    let framed = [&length.to_be_bytes(), query.octets()].concat();
    stream.write_all(&framed).await?;
    loop {
        let length = stream.read_u16().await?;
        let mut octets = vec![0; usize::from(length)];
        stream.read_exact(&mut octets).await?;
        if query.is_answered_by(&octets) {
            return Ok(octets);
        }
    }
}
