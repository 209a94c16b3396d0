//! How much of anything one client, and all of them together, can have.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep};

use super::BoxError;

/// What verifying may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VerificationLimits {
    /// Verifications at one time.
    pub(crate) concurrent: usize,
    /// Requests that wait for one; beyond it the answer is 503.
    pub(crate) queue: usize,
}

/// Why a request's body was not read.
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
    deadline: Pin<Box<Sleep>>,
}

impl<B: Body<Data = Bytes> + Unpin> BoundedBody<B> {
    pub(crate) fn new(inner: B, octets: u64, timeout: Duration) -> Self {
        let deadline = tokio::time::sleep_until(Instant::now() + timeout);
        Self {
            inner,
            remaining: octets,
            deadline: Box::pin(deadline),
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
            ready!(this.deadline.as_mut().poll(context));
            return Poll::Ready(Some(Err(BodyFault::TooSlow)));
        };
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|_| BodyFault::Broken)?;
            if let Some(data) = frame.data_ref() {
                let octets = u64::try_from(data.len()).unwrap_or(u64::MAX);
                this.remaining = this
                    .remaining
                    .checked_sub(octets)
                    .ok_or(BodyFault::TooLarge)?;
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
pub(crate) async fn read<B>(body: B) -> Result<Bytes, BodyFault>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let collected = body.collect().await.map_err(|error| {
        let error: BoxError = error.into();
        error
            .downcast_ref::<BodyFault>()
            .copied()
            .unwrap_or(BodyFault::Broken)
    })?;
    Ok(collected.to_bytes())
}
