//! As much of HTTP/2 (RFC 9113) as a server of DNS over HTTPS takes, below the framing of DNS over TCP.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Mutex;

/// The octets with which each client begins (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
/// Flags of frames.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200` and `content-type: application/dns-message` (RFC 7541, Appendix A, for the first and for the name of
/// the second).
const RESPONSE_HEADERS: &[u8] = b"\x88\x0f\x10\x17application/dns-message";

/// The header blocks of the requests, as they came.
pub(crate) type Requests = Mutex<Vec<Vec<u8>>>;

/// A connection. It reads the bodies of requests, and writes the bodies of the responses to them in the same order, each
/// after its length in two octets.
pub(crate) struct Http2<S> {
    stream: S,
    requests: &'static Requests,
    has_begun: bool,
    /// Octets that are still to be read.
    body: VecDeque<u8>,
    /// The stream of the request that was read last.
    current: u32,
    /// The part of a response that was written so far.
    response: Vec<u8>,
}

impl<S: Read + Write> Http2<S> {
    pub(crate) fn new(stream: S, requests: &'static Requests) -> Self {
        Self {
            stream,
            requests,
            has_begun: false,
            body: VecDeque::new(),
            current: 0,
            response: Vec::new(),
        }
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.stream.write_all(&[&head, payload].concat())
    }

    /// Reads frames up to the end of a request. The clients here put a body into one frame.
    fn take_request(&mut self) -> io::Result<()> {
        if !self.has_begun {
            let mut preface = [0; PREFACE.len()];
            self.stream.read_exact(&mut preface)?;
            assert_eq!(preface, PREFACE);
            self.send(SETTINGS, 0, 0, b"")?;
            self.has_begun = true;
        }
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head)?;
            let [high, middle, low, kind, flags, stream @ ..] = head;
            let length = u32::from_be_bytes([0, high, middle, low]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload)?;
            match kind {
                SETTINGS | PING if flags & ACK == 0 => {
                    let answer = if kind == PING { &payload[..] } else { b"" };
                    self.send(kind, ACK, 0, answer)?;
                }
                HEADERS => self.requests.lock().unwrap().push(payload),
                DATA => {
                    assert_eq!(flags, END_STREAM);
                    let length = u16::try_from(payload.len()).unwrap();
                    self.body.extend(length.to_be_bytes());
                    self.body.extend(payload);
                    self.current = u32::from_be_bytes(stream);
                    return Ok(());
                }
                GOAWAY => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
    }
}

impl<S: Read + Write> Read for Http2<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.body.is_empty() {
            self.take_request()?;
        }
        self.body.read(buffer)
    }
}

impl<S: Read + Write> Write for Http2<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.response.extend_from_slice(octets);
        if let Some((length, body)) = self.response.split_first_chunk()
            && body.len() == usize::from(u16::from_be_bytes(*length))
        {
            let body = body.to_vec();
            self.response.clear();
            self.send(HEADERS, END_HEADERS, self.current, RESPONSE_HEADERS)?;
            self.send(DATA, END_STREAM, self.current, &body)?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
