//! Open connections: how far each has got, and which of them has to go.
//!
//! A server that waits for slow clients is stopped by as many of them as it has room for, and one that turns new ones
//! away as well. So time runs for each connection until it has completed a request; and when there is no room left, the
//! connection that has gone longest without completing one makes room for the next. Honest clients take milliseconds, so
//! they are never that one while there are any others.
//!
//! | from | until | at most |
//! |---|---|---|
//! | the connection | the end of its first request's head, TLS handshake apart | `header-timeout` |
//! | a later head's first octet (HTTP/1) | its last | `header-timeout` |
//! | the end of an answer, or of the first head | the end of the next answer, whatever is in between | `idle-timeout` |

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Of those that could go, how many are looked up at a time: one in so many of all. Looking takes a while where there are
/// many, and so does not happen for each new connection.
const CANDIDATES: usize = 16;

/// All connections there are.
pub(crate) struct Connections {
    room: Arc<Semaphore>,
    capacity: u32,
    epoch: Instant,
    admitted: Mutex<Vec<Weak<Progress>>>,
    /// The ones that have gone longest without completing a request when they were looked up, the longest first.
    slowest: Mutex<VecDeque<Candidate>>,
}

struct Candidate {
    connection: Weak<Progress>,
    /// The time at which it had completed its last request by then.
    completed: u64,
}

impl Connections {
    /// With room for so many.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        let permits = usize::try_from(capacity).unwrap_or(usize::MAX);
        Self {
            room: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            capacity,
            epoch: Instant::now(),
            admitted: Mutex::default(),
            slowest: Mutex::default(),
        }
    }

    /// Lets one in, in the place of another one if there is no room.
    pub(crate) async fn admit(self: &Arc<Self>) -> Admission {
        let permit = if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
            Some(permit)
        } else {
            self.dismiss_the_slowest();
            // Nobody ever closes it.
            Arc::clone(&self.room).acquire_owned().await.ok()
        };
        let progress = Arc::new(Progress::new(self.epoch));
        let mut admitted = lock(&self.admitted);
        if admitted.len() >= admitted.capacity() {
            admitted.retain(|connection| connection.strong_count() > 0);
        }
        admitted.push(Arc::downgrade(&progress));
        drop(admitted);
        Admission {
            progress,
            _permit: permit,
        }
    }

    /// Has the connection end that has gone longest without completing a request.
    pub(crate) fn dismiss_the_slowest(&self) {
        let mut slowest = lock(&self.slowest);
        if !dismiss_first(&mut slowest) {
            *slowest = self.look_up();
            dismiss_first(&mut slowest);
        }
    }

    fn look_up(&self) -> VecDeque<Candidate> {
        let mut admitted = lock(&self.admitted);
        admitted.retain(|connection| connection.strong_count() > 0);
        let mut found: Vec<(u64, Weak<Progress>)> = admitted
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|connection| !connection.is_dismissed())
            .map(|connection| (connection.completed(), Arc::downgrade(&connection)))
            .collect();
        drop(admitted);
        let wanted = found.len().div_ceil(CANDIDATES);
        if wanted < found.len() {
            found.select_nth_unstable_by_key(wanted, |(completed, _)| *completed);
            found.truncate(wanted);
        }
        found.sort_unstable_by_key(|(completed, _)| *completed);
        found
            .into_iter()
            .map(|(completed, connection)| Candidate {
                connection,
                completed,
            })
            .collect()
    }

    /// The number of connections.
    pub(crate) fn count(&self) -> usize {
        let capacity = usize::try_from(self.capacity).unwrap_or(usize::MAX);
        capacity.saturating_sub(self.room.available_permits())
    }

    /// Until none is left.
    pub(crate) async fn all_gone(&self) {
        // Nobody ever closes it, and nobody is let in any more.
        let _ = self.room.acquire_many(self.capacity).await;
    }
}

/// Dismisses the first in the queue that has completed nothing since; false if there is none.
fn dismiss_first(queue: &mut VecDeque<Candidate>) -> bool {
    while let Some(candidate) = queue.pop_front() {
        if let Some(connection) = candidate.connection.upgrade()
            && connection.completed() == candidate.completed
            && connection.dismiss()
        {
            return true;
        }
    }
    false
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of one connection, for as long as it lasts.
pub(crate) struct Admission {
    pub(crate) progress: Arc<Progress>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// The progress of one connection. Times are milliseconds since the server's start.
pub(crate) struct Progress {
    epoch: Instant,
    /// The time at which the last answer was complete, or the connection began.
    completed: AtomicU64,
    /// The time at which the first octet came of the head that is not complete yet; [`NONE`] if there is none of it.
    head_begun: AtomicU64,
    /// Requests whose answers are not complete.
    in_flight: AtomicU32,
    /// True if anything has come at all.
    has_octets: AtomicBool,
    /// True if a request's head was complete.
    has_begun: AtomicBool,
    is_http2: AtomicBool,
    dismissed: AtomicBool,
    dismissal: Notify,
}

const NONE: u64 = u64::MAX;

/// The limit of time that a connection has exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// A head did not come in time.
    Head,
    /// No request was completed in time.
    Idle,
}

/// The times that connections have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
}

impl Progress {
    fn new(epoch: Instant) -> Self {
        let progress = Self {
            epoch,
            completed: AtomicU64::new(0),
            head_begun: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            has_octets: AtomicBool::new(false),
            has_begun: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            dismissed: AtomicBool::new(false),
            dismissal: Notify::new(),
        };
        progress.start();
        progress
    }

    /// The time for the first head begins, which is when the connection is there or, with TLS, secure.
    pub(crate) fn start(&self) {
        let now = self.now();
        self.completed.store(now, Ordering::Relaxed);
        self.head_begun.store(now, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(NONE - 1)
    }

    fn completed(&self) -> u64 {
        self.completed.load(Ordering::Relaxed)
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Tells whether not one octet has come yet.
    pub(crate) fn is_untouched(&self) -> bool {
        !self.has_octets.load(Ordering::Relaxed)
    }

    /// Tells whether a request has come as far as the end of its head.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Tells whether it is HTTP/2 with nothing to do, which can be told to go without a request being lost.
    pub(crate) fn is_http2_at_rest(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed) && self.in_flight() == 0
    }

    /// Octets have come, and they begin a head if nothing else is going on. (In HTTP/2 they can be anything.)
    fn received(&self) {
        if self.is_untouched() {
            self.has_octets.store(true, Ordering::Relaxed);
        }
        let is_quiet = self.head_begun.load(Ordering::Relaxed) == NONE
            && self.in_flight() == 0
            && !self.is_http2.load(Ordering::Relaxed);
        if is_quiet {
            self.head_begun.store(self.now(), Ordering::Relaxed);
        }
    }

    /// A head is complete.
    pub(crate) fn begin(self: &Arc<Self>, version: http::Version) -> InFlight {
        let is_http2 = version == http::Version::HTTP_2;
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.has_begun.store(true, Ordering::Relaxed);
        self.head_begun.store(NONE, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Until when this connection may go on as it is, or what for it may not.
    pub(crate) fn due(&self, patience: Patience) -> Result<Instant, Overdue> {
        let after = |milliseconds: u64, time: Duration| {
            self.epoch + Duration::from_millis(milliseconds).saturating_add(time)
        };
        let idle = (after(self.completed(), patience.idle), Overdue::Idle);
        let due = match self.head_begun.load(Ordering::Relaxed) {
            NONE => idle,
            begun => {
                let head = (after(begun, patience.head), Overdue::Head);
                if head.0 <= idle.0 { head } else { idle }
            }
        };
        if due.0 <= Instant::now() {
            return Err(due.1);
        }
        Ok(due.0)
    }

    /// Has this connection end; whether it is the first time that somebody says so.
    pub(crate) fn dismiss(&self) -> bool {
        let is_first = !self.dismissed.swap(true, Ordering::Relaxed);
        if is_first {
            self.dismissal.notify_one();
        }
        is_first
    }

    pub(crate) fn is_dismissed(&self) -> bool {
        self.dismissed.load(Ordering::Relaxed)
    }

    /// Until this connection has to make room for another.
    pub(crate) async fn dismissed(&self) {
        self.dismissal.notified().await;
    }
}

/// A request from the end of its head to the end of its answer.
pub(crate) struct InFlight(Arc<Progress>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let now = self.0.now();
        self.0.completed.store(now, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream whose octets are noticed.
pub(crate) struct Watched<S> {
    inner: S,
    progress: Arc<Progress>,
}

impl<S> Watched<S> {
    pub(crate) fn new(inner: S, progress: Arc<Progress>) -> Self {
        Self { inner, progress }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, into))?;
        if into.filled().len() > before {
            self.progress.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(60),
    };

    async fn seconds(count: u64) {
        tokio::time::advance(Duration::from_secs(count)).await;
    }

    fn complete_a_request(admission: &Admission, version: http::Version) {
        drop(admission.progress.begin(version));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_the_first_octet_whatever_trickles_in() {
        let connections = Arc::new(Connections::new(1));
        let admission = connections.admit().await;
        for _ in 0..9 {
            seconds(1).await;
            admission.progress.received();
            assert!(admission.progress.due(PATIENCE).is_ok());
        }
        seconds(1).await;
        admission.progress.received();
        assert_eq!(admission.progress.due(PATIENCE), Err(Overdue::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_a_connection_may_rest_and_then_a_head_has_its_time_again() {
        let connections = Arc::new(Connections::new(1));
        let admission = connections.admit().await;
        complete_a_request(&admission, http::Version::HTTP_11);
        seconds(45).await;
        assert!(admission.progress.due(PATIENCE).is_ok());
        admission.progress.received();
        seconds(10).await;
        assert_eq!(admission.progress.due(PATIENCE), Err(Overdue::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn octets_on_an_http2_connection_at_rest_are_no_head_but_do_not_prolong_it_either() {
        let connections = Arc::new(Connections::new(1));
        let admission = connections.admit().await;
        complete_a_request(&admission, http::Version::HTTP_2);
        for _ in 0..59 {
            seconds(1).await;
            admission.progress.received();
            assert!(admission.progress.due(PATIENCE).is_ok());
        }
        seconds(1).await;
        assert_eq!(admission.progress.due(PATIENCE), Err(Overdue::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_ends_its_connection() {
        let connections = Arc::new(Connections::new(1));
        let admission = connections.admit().await;
        let _stuck = admission.progress.begin(http::Version::HTTP_2);
        seconds(60).await;
        assert_eq!(admission.progress.due(PATIENCE), Err(Overdue::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_has_completed_nothing_for_longest_makes_room() {
        let connections = Arc::new(Connections::new(3));
        let (old, slow, busy) = (
            connections.admit().await,
            connections.admit().await,
            connections.admit().await,
        );
        seconds(1).await;
        complete_a_request(&slow, http::Version::HTTP_11);
        seconds(1).await;
        complete_a_request(&old, http::Version::HTTP_11);
        complete_a_request(&busy, http::Version::HTTP_11);

        let newcomer = tokio::spawn({
            let connections = Arc::clone(&connections);
            async move { connections.admit().await }
        });
        slow.progress.dismissed().await;
        assert_eq!(connections.count(), 3);
        drop(slow);
        let newcomer = newcomer.await.unwrap();
        assert_eq!(connections.count(), 3);
        drop((old, busy, newcomer));
        connections.all_gone().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_completed_a_request_since_it_was_looked_up_is_spared() {
        let connections = Arc::new(Connections::new(64));
        let mut admitted = Vec::new();
        for _ in 0..64 {
            admitted.push(connections.admit().await);
            seconds(1).await;
        }
        connections.dismiss_the_slowest();
        admitted[0].progress.dismissed().await;
        // The next two were looked up along with the first.
        complete_a_request(&admitted[1], http::Version::HTTP_11);
        connections.dismiss_the_slowest();
        admitted[2].progress.dismissed().await;
        assert!(!admitted[1].progress.is_dismissed());
    }
}
