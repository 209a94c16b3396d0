//! Requests beyond the first of each connection, which HTTP/2 has many of at a time.
//!
//! Each connection has room for one request; the others share what there is. When none is left, the one that has been under
//! way longest makes room: honest ones take milliseconds, and what lingers waits for a body that does not come, or for a
//! client that does not take its answer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::connections::{Progress, lock};

/// The room that they share.
pub(crate) struct Streams {
    room: Arc<Semaphore>,
    capacity: usize,
    /// The oldest first, with some among them that have ended.
    under_way: Mutex<VecDeque<Weak<Stream>>>,
}

/// One of them, until this is dropped.
pub(crate) struct Stream {
    connection: Arc<Progress>,
    is_dismissed: AtomicBool,
    /// True if there is nothing left to do but for the client to take the answer.
    is_answered: AtomicBool,
    dismissal: Notify,
    _permit: OwnedSemaphorePermit,
}

impl Streams {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(capacity.min(Semaphore::MAX_PERMITS))),
            capacity,
            under_way: Mutex::default(),
        }
    }

    /// Lets one of `connection` in, in the place of another one if there is no room; `None` if all of them make room for
    /// others already.
    pub(crate) async fn admit(&self, connection: &Arc<Progress>) -> Option<Arc<Stream>> {
        let permit = if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
            permit
        } else {
            if !self.dismiss_the_oldest() {
                return None;
            }
            // Nobody ever closes it.
            Arc::clone(&self.room).acquire_owned().await.ok()?
        };
        let stream = Arc::new(Stream {
            connection: Arc::clone(connection),
            is_dismissed: AtomicBool::new(false),
            is_answered: AtomicBool::new(false),
            dismissal: Notify::new(),
            _permit: permit,
        });
        let mut under_way = lock(&self.under_way);
        // All that are under way are half of it at most, so this is seldom.
        if under_way.len() >= self.capacity.saturating_mul(2) {
            under_way.retain(|stream| stream.strong_count() > 0);
        }
        under_way.push_back(Arc::downgrade(&stream));
        drop(under_way);
        Some(stream)
    }

    /// Tells whether there was one that had not been dismissed yet.
    fn dismiss_the_oldest(&self) -> bool {
        let mut under_way = lock(&self.under_way);
        while let Some(stream) = under_way.pop_front() {
            if let Some(stream) = stream.upgrade() {
                stream.dismiss();
                return true;
            }
        }
        false
    }
}

impl Stream {
    fn dismiss(&self) {
        self.is_dismissed.store(true, Ordering::SeqCst);
        self.dismissal.notify_one();
        self.end_if_stuck();
    }

    /// Until this request has to make room for another.
    pub(crate) async fn dismissed(&self) {
        self.dismissal.notified().await;
    }

    /// There is an answer, and it is for the client to take it.
    pub(crate) fn answered(&self) {
        self.is_answered.store(true, Ordering::SeqCst);
        self.end_if_stuck();
    }

    /// An answer that nobody takes ends with its connection alone.
    fn end_if_stuck(&self) {
        if self.is_dismissed.load(Ordering::SeqCst) && self.is_answered.load(Ordering::SeqCst) {
            self.connection.dismiss();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::connections::Connections;
    use super::*;

    async fn connection() -> Arc<Progress> {
        let connections = Arc::new(Connections::new(1));
        connections.admit().await.progress
    }

    #[tokio::test]
    async fn the_request_that_is_under_way_for_longest_makes_room() {
        let (streams, connection) = (Arc::new(Streams::new(2)), connection().await);
        let old = streams.admit(&connection).await.unwrap();
        let young = streams.admit(&connection).await.unwrap();
        let newcomer = tokio::spawn({
            let (streams, connection) = (Arc::clone(&streams), Arc::clone(&connection));
            async move { streams.admit(&connection).await }
        });
        old.dismissed().await;
        drop(old);
        let newcomer = newcomer.await.unwrap().unwrap();
        assert!(!young.is_dismissed.load(Ordering::SeqCst));
        assert!(!newcomer.is_dismissed.load(Ordering::SeqCst));
        assert!(!connection.is_dismissed());
    }

    #[tokio::test]
    async fn an_answer_that_is_not_taken_ends_its_connection() {
        let (streams, connection) = (Streams::new(1), connection().await);
        let stuck = streams.admit(&connection).await.unwrap();
        stuck.answered();
        assert!(!connection.is_dismissed());
        assert!(streams.dismiss_the_oldest());
        assert!(connection.is_dismissed());
    }

    #[tokio::test]
    async fn a_request_is_refused_if_no_other_can_make_room() {
        let (streams, connection) = (Streams::new(1), connection().await);
        let _dismissed = streams.admit(&connection).await.unwrap();
        assert!(streams.dismiss_the_oldest());
        assert!(streams.admit(&connection).await.is_none());
        assert!(Streams::new(0).admit(&connection).await.is_none());
    }

    #[tokio::test]
    async fn those_that_have_ended_are_forgotten() {
        let (streams, connection) = (Streams::new(2), connection().await);
        for _ in 0..100 {
            streams.admit(&connection).await.unwrap();
        }
        assert!(lock(&streams.under_way).len() <= 4);
    }
}
