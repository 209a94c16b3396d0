//! A DNS server on loopback that answers from a [`Scene`], by UDP and TCP, as a recursive resolver would.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use kliento_fixtures::{IN, Name, OPT, Record, Response};

use crate::scene::Scene;

/// Flags of every response: QR and RA (RFC 1035 §4.1.1).
const RESPONSE: u16 = 0x8080;
/// The flag that tells a response from a query.
const QR: u16 = 0x8000;
/// Flags that are copied from the query: RD and CD.
const COPIED: u16 = 0x0110;
/// The flag of a response that was cut.
const TRUNCATED: u16 = 0x0200;
const REFUSED: u8 = 5;
/// What may be sent by UDP to who did not say otherwise (RFC 1035 §2.3.4).
const CLASSIC_UDP_OCTETS: usize = 512;

/// How long a client may take to send its question by TCP.
const PATIENCE: Duration = Duration::from_secs(2);

/// A port of its own, on which one scene after another is served.
pub(crate) struct Server {
    pub(crate) port: u16,
    stage: Arc<Stage>,
}

/// What is served, and what was asked.
#[derive(Default)]
struct Stage {
    scene: Mutex<Option<Arc<Scene>>>,
    asked: Mutex<Vec<String>>,
}

impl Server {
    /// Listens for as long as the process lives.
    pub(crate) fn start() -> io::Result<Self> {
        let stage = Arc::new(Stage::default());
        let (udp, tcp) = bind()?;
        let port = udp.local_addr()?.port();
        let for_udp = Arc::clone(&stage);
        thread::spawn(move || serve_udp(&udp, &for_udp));
        let for_tcp = Arc::clone(&stage);
        thread::spawn(move || serve_tcp(&tcp, &for_tcp));
        Ok(Self { port, stage })
    }

    /// Serves this scene from now on.
    pub(crate) fn show(&self, scene: &Arc<Scene>) {
        *lock(&self.stage.scene) = Some(Arc::clone(scene));
        lock(&self.stage.asked).clear();
    }

    /// The questions since this was last called.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.stage.asked))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One port for both transports.
fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    /// Ports to try: somebody else may have the one that UDP was given.
    const ATTEMPTS: usize = 16;
    let mut failure = None;
    for _ in 0..ATTEMPTS {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

fn serve_udp(socket: &UdpSocket, stage: &Stage) {
    let mut buffer = [0; 4_096];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        answer_udp(socket, client, &buffer[..length], stage);
    }
}

fn answer_udp(socket: &UdpSocket, client: SocketAddr, octets: &[u8], stage: &Stage) {
    let Some(query) = Query::parse(octets) else {
        return;
    };
    let Some(reply) = reply(stage, &query) else {
        return;
    };
    let mut message = reply.to_message();
    if message.len() > query.udp_octets {
        let mut cut = Response::new(&query.name, query.record_type);
        cut.id = query.id;
        cut.flags = reply.flags | TRUNCATED;
        if query.has_opt {
            cut.additionals.push(Record::opt());
        }
        message = cut.to_message();
    }
    // A client that has gone away is not our concern.
    let _ = socket.send_to(&message, client);
}

fn serve_tcp(listener: &TcpListener, stage: &Arc<Stage>) {
    for stream in listener.incoming().flatten() {
        let stage = Arc::clone(stage);
        thread::spawn(move || {
            let _ = answer_tcp(stream, &stage);
        });
    }
}

fn answer_tcp(mut stream: TcpStream, stage: &Stage) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut octets)?;
        let Some(reply) = Query::parse(&octets).and_then(|query| reply(stage, &query)) else {
            return Ok(());
        };
        let message = reply.to_message();
        let length = u16::try_from(message.len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes()[..], &message].concat())?;
    }
}

/// What matters of a query.
struct Query {
    id: u16,
    flags: u16,
    name: Name,
    record_type: u16,
    class: u16,
    has_opt: bool,
    udp_octets: usize,
}

impl Query {
    /// Reads a query with one question and, if there is one, its OPT record right after it.
    fn parse(octets: &[u8]) -> Option<Self> {
        /// Octets of the header.
        const HEADER: usize = 12;
        let u16_at = |at: usize| {
            let pair = octets.get(at..at + 2)?;
            Some(u16::from_be_bytes([*pair.first()?, *pair.get(1)?]))
        };
        let (id, flags) = (u16_at(0)?, u16_at(2)?);
        if flags & QR != 0 || u16_at(4)? != 1 {
            return None;
        }
        let mut labels = Vec::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*octets.get(at)?);
            at += 1;
            match length {
                0 => break,
                1..=63 => labels.push(octets.get(at..at + length)?),
                _ => return None,
            }
            at += length;
        }
        let record_type = u16_at(at)?;
        let class = u16_at(at + 2)?;
        let opt = at + 4;
        let has_opt = octets.get(opt) == Some(&0) && u16_at(opt + 1) == Some(OPT);
        let udp_octets = if has_opt {
            usize::from(u16_at(opt + 3)?)
        } else {
            0
        };
        Some(Self {
            id,
            flags,
            name: Name::from_labels(labels),
            record_type,
            class,
            has_opt,
            udp_octets: udp_octets.max(CLASSIC_UDP_OCTETS),
        })
    }
}

fn reply(stage: &Stage, query: &Query) -> Option<Response> {
    let scene = lock(&stage.scene).clone()?;
    lock(&stage.asked).push(format!("{} {}", query.name, query.record_type));
    let mut response = if query.class == IN {
        Response::clone(&scene.answer(&query.name, query.record_type))
    } else {
        let mut refusal = Response::new(&query.name, query.record_type);
        refusal
            .questions
            .iter_mut()
            .for_each(|question| question.class = query.class);
        refusal.rcode = REFUSED;
        refusal
    };
    response.id = query.id;
    response.flags = RESPONSE | (query.flags & COPIED);
    if query.has_opt {
        response.additionals.push(Record::opt());
    }
    Some(response)
}
