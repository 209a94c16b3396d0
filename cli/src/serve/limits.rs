//! Limits on what one client, and all of them together, can have; and the memory that they come to.

use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep};

use super::BoxError;

const KIB: u64 = 1_024;
const MIB: u64 = 1_024 * KIB;

/// Fields of a request's head, as hyper has it for HTTP/1.
pub(crate) const HEADER_FIELDS: usize = 100;
/// Streams of one HTTP/2 connection at a time: RFC 9113 §6.5.2 recommends no fewer.
pub(crate) const STREAMS: u32 = 100;
/// Octets of bodies that a client may send on an HTTP/2 connection before anybody reads them; RFC 9113 §6.9.2 has no
/// connection with less.
pub(crate) const WINDOW: u32 = 65_535;
/// Octets of an answer that HTTP/2 keeps for a client that takes none.
pub(crate) const SEND_BUFFER: u32 = 32_768;
/// Octets of the body of an endpoint's answer. Those about a token have claims of it, and what they are allowed is refused
/// where it would be more than this.
pub(crate) const MAX_ANSWER: usize = 32_768;

/// Octets of an answer that are handed on at a time. HTTP/2 takes a piece as soon as its client has room for one octet, and
/// holds it until there is room for all; only once it has the last piece, the request makes room for another.
pub(crate) const PIECE: usize = 1_024;

/// The memory of the process before anybody connects: code, trust anchors, threads, the allocator's own.
const PROCESS: u64 = 48 * MIB;
/// A connection's task, its socket's state, buffers of answers.
const CONNECTION: u64 = 16 * KIB;
/// A TLS session with its buffers: a record each way, which has 16 KiB (RFC 8446 §5.1), twice for a handshake message
/// that is spread over several, and the keys.
const TLS_SESSION: u64 = 72 * KIB;
/// A request that is being answered, without its head and its body: its answer, of which a `TokenReview`'s has 32 KiB at
/// most; the table of its fields, which has room for 192 of some 104 bytes each once there are more than 96; and its task,
/// with the path taken apart, which has 256 segments at most and is dropped before anything is waited for.
const REQUEST: u64 = 64 * KIB;
/// A body is held twice at most: in a buffer that doubles while it grows, or as the texts of its JSON and the credentials
/// that are made of them.
const BODY_COPIES: u64 = 2;
/// A verification that waits for its turn, beside its request: a bundle of the largest size, decoded, and its outline.
const WAITING: u64 = 24 * KIB;
/// Under new trust anchors a new cache fills while the last requests that began under the old ones hold the other.
const CACHES: u64 = 2;
/// An HTTP/2 stream whose request is done with, and whose client does not take the end of the answer: its state, and a
/// [`PIECE`].
const STREAM: u64 = 2 * KIB;
/// A verification: its thread's stack, and a bundle of the largest size taken apart.
const VERIFICATION: u64 = 3 * MIB;

/// All of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Octets of a request's body.
    pub(crate) body: u64,
    /// Octets of a request's head.
    pub(crate) header: u32,
    /// Connections at one time.
    pub(crate) connections: usize,
    /// Requests at one time beyond the first of each connection, which HTTP/2 alone has.
    pub(crate) streams: usize,
    /// For a TLS handshake, and for a request's head from its first octet to its last.
    pub(crate) header_timeout: Duration,
    /// For a request's body.
    pub(crate) body_timeout: Duration,
    /// For a connection on which no request is completed.
    pub(crate) idle_timeout: Duration,
    /// Octets of tokens that are remembered.
    pub(crate) cache: usize,
    pub(crate) verification: VerificationLimits,
}

/// The limits on verifications.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VerificationLimits {
    /// Verifications at one time.
    pub(crate) concurrent: usize,
    /// Requests that wait for one; beyond it the answer is 503.
    pub(crate) queue: usize,
}

impl Limits {
    /// The most memory that the process can come to hold, part by part.
    pub(crate) fn memory(&self, with_tls: bool) -> Memory {
        let (connections, streams) = (octets(self.connections), octets(self.streams));
        let body = self.body.saturating_mul(BODY_COPIES);
        let head_and_body = u64::from(self.header).saturating_add(body);
        // What has come of the next request, beside the one that is being answered; and what HTTP/2 has of bodies.
        let arriving = u64::from(self.header).saturating_add(u64::from(WINDOW));
        let session = if with_tls { TLS_SESSION } else { 0 };
        let connection = CONNECTION
            .saturating_add(session)
            .saturating_add(arriving)
            .saturating_add(REQUEST)
            .saturating_add(head_and_body)
            .saturating_add(u64::from(STREAMS).saturating_mul(STREAM));
        let stream = REQUEST.saturating_add(head_and_body);
        Memory {
            process: PROCESS,
            cache: octets(self.cache).saturating_mul(CACHES),
            verifications: octets(self.verification.concurrent)
                .saturating_mul(VERIFICATION)
                .saturating_add(octets(self.verification.queue).saturating_mul(WAITING)),
            connection,
            connections: connections.saturating_mul(connection),
            // As many again wait for those to go in whose place they come.
            streams: streams.saturating_mul(stream).saturating_mul(2),
        }
    }

    /// Files that are open at one time: connections, and what the process itself has.
    pub(crate) fn files(&self) -> u64 {
        octets(self.connections).saturating_add(RESERVED_FILES)
    }
}

/// Listeners, connections of operators, the runtime's own, logs, and files that are read anew.
pub(crate) const RESERVED_FILES: u64 = 128;

fn octets(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// An upper bound of memory, in octets. What a process really has is far below it, as long as clients send what honest
/// ones do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) process: u64,
    pub(crate) cache: u64,
    pub(crate) verifications: u64,
    /// One connection.
    pub(crate) connection: u64,
    pub(crate) connections: u64,
    pub(crate) streams: u64,
}

impl Memory {
    pub(crate) fn total(&self) -> u64 {
        let parts = [
            self.cache,
            self.verifications,
            self.connections,
            self.streams,
        ];
        parts.into_iter().fold(self.process, u64::saturating_add)
    }
}

/// Octets in the largest unit of which there is one, for people.
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(KIB * MIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
        for (unit, name) in UNITS {
            if self.0 >= unit {
                let tenths = self.0.saturating_mul(10).div_ceil(unit);
                return write!(formatter, "{}.{} {name}", tenths / 10, tenths % 10);
            }
        }
        write!(formatter, "{} bytes", self.0)
    }
}

/// The reason why a request's body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// It has more octets than the configuration allows: 413.
    TooLarge,
    /// It did not come in time: 408.
    TooSlow,
    /// The connection broke, or what came is no HTTP: 400.
    Broken,
}

impl fmt::Display for BodyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the body is too large",
            Self::TooSlow => "the body did not come in time",
            Self::Broken => "the body broke off",
        })
    }
}

impl std::error::Error for BodyFault {}

/// A body that ends in a [`BodyFault`] where it goes beyond the limits. All requests have one before any endpoint sees
/// them.
pub(crate) struct BoundedBody<B> {
    inner: B,
    remaining: u64,
    timeout: Duration,
    /// Set when somebody begins to read: most requests have no body, and need no timer.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<B> BoundedBody<B> {
    pub(crate) fn new(inner: B, octets: u64, timeout: Duration) -> Self {
        Self {
            inner,
            remaining: octets,
            timeout,
            deadline: None,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for BoundedBody<B> {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = &mut *self;
        if this.inner.size_hint().lower() > this.remaining {
            return Poll::Ready(Some(Err(BodyFault::TooLarge)));
        }
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) else {
            let timeout = this.timeout;
            let deadline = this.deadline.get_or_insert_with(|| {
                Box::pin(tokio::time::sleep_until(Instant::now() + timeout))
            });
            ready!(deadline.as_mut().poll(context));
            return Poll::Ready(Some(Err(BodyFault::TooSlow)));
        };
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|_| BodyFault::Broken)?;
            if let Some(data) = frame.data_ref() {
                let octets = u64::try_from(data.len()).unwrap_or(u64::MAX);
                let remaining = this.remaining.checked_sub(octets);
                this.remaining = remaining.ok_or(BodyFault::TooLarge)?;
            }
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The whole of a body.
///
/// What has come is copied: a client that sends one octet at a time would have each of them kept with all that there is
/// around it, which is many times what the body may have.
pub(crate) async fn read<B>(body: B) -> Result<Bytes, BodyFault>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut octets = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let error: BoxError = error.into();
            let fault = error.downcast_ref::<BodyFault>().copied();
            fault.unwrap_or(BodyFault::Broken)
        })?;
        if let Ok(data) = frame.into_data() {
            octets.extend_from_slice(&data);
        }
    }
    Ok(octets.freeze())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::{Full, StreamBody};

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    fn in_pieces(pieces: &[&'static [u8]]) -> impl Body<Data = Bytes, Error = BoxError> + Unpin {
        let frames: Vec<Result<Frame<Bytes>, BoxError>> = pieces
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from_static(piece))))
            .collect();
        StreamBody::new(futures_util::stream::iter(frames))
    }

    #[tokio::test]
    async fn a_body_has_as_many_octets_as_are_allowed_and_not_one_more() {
        let body = BoundedBody::new(in_pieces(&[b"ab", b"c"]), 3, LONG);
        assert_eq!(read(body).await.unwrap(), "abc");
        let body = BoundedBody::new(in_pieces(&[b"ab", b"cd"]), 3, LONG);
        assert_eq!(read(body).await, Err(BodyFault::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_says_how_large_it_is_is_refused_before_it_is_read() {
        let body = BoundedBody::new(Full::new(Bytes::from_static(b"abcd")), 3, LONG);
        assert_eq!(read(body).await, Err(BodyFault::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_ends_in_time() {
        let never = StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, BoxError>,
        >());
        let body = BoundedBody::new(Box::pin(never), 3, LONG);
        assert_eq!(read(body).await, Err(BodyFault::TooSlow));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_short_body() {
        let broken: Result<Frame<Bytes>, BoxError> = Err("gone".into());
        let body = StreamBody::new(futures_util::stream::iter([broken]));
        let body = BoundedBody::new(body, 3, LONG);
        assert_eq!(read(body).await, Err(BodyFault::Broken));
    }

    #[tokio::test]
    async fn nothing_is_kept_around_the_octets_of_a_body() {
        struct Piece(#[expect(dead_code, reason = "it is counted")] Arc<()>);
        impl AsRef<[u8]> for Piece {
            fn as_ref(&self) -> &[u8] {
                b"a"
            }
        }
        let kept = Arc::new(());
        let pieces = (0..100).map(|_| {
            assert!(Arc::strong_count(&kept) <= 3, "pieces are kept");
            let piece = Bytes::from_owner(Piece(Arc::clone(&kept)));
            Ok::<_, BoxError>(Frame::data(piece))
        });
        let body = StreamBody::new(futures_util::stream::iter(pieces));
        assert_eq!(read(body).await.unwrap(), "a".repeat(100));
    }

    #[test]
    fn more_of_anything_takes_more_memory() {
        let limits = Limits {
            body: 65_536,
            header: 65_536,
            connections: 1_000,
            streams: 100,
            header_timeout: LONG,
            body_timeout: LONG,
            idle_timeout: LONG,
            cache: 1 << 20,
            verification: VerificationLimits {
                concurrent: 2,
                queue: 10,
            },
        };
        let total = |limits: Limits| limits.memory(false).total();
        for larger in [
            Limits {
                body: 65_537,
                ..limits
            },
            Limits {
                header: 65_537,
                ..limits
            },
            Limits {
                connections: 1_001,
                ..limits
            },
            Limits {
                streams: 101,
                ..limits
            },
            Limits {
                cache: 2 << 20,
                ..limits
            },
            Limits {
                verification: VerificationLimits {
                    queue: 11,
                    ..limits.verification
                },
                ..limits
            },
            Limits {
                verification: VerificationLimits {
                    concurrent: 3,
                    ..limits.verification
                },
                ..limits
            },
        ] {
            assert!(total(larger) > total(limits), "{larger:?}");
        }
        assert!(limits.memory(true).total() > total(limits));
    }

    #[test]
    fn sizes_are_rounded_up() {
        for (octets, text) in [
            (1_023, "1023 bytes"),
            (1_024, "1.0 KiB"),
            (16 << 20, "16.0 MiB"),
            ((16 << 20) + 1, "16.1 MiB"),
            (3 << 30, "3.0 GiB"),
        ] {
            assert_eq!(Size(octets).to_string(), text);
        }
    }
}
