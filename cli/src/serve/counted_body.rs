//! The body of an answer, as far as its connection is concerned.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::BoxError;
use super::connections::InFlight;
use super::endpoints::Body;
use super::limits::PIECE;
use super::streams::Stream;

/// The body of an answer, which is complete when this is dropped. Its data come in pieces that hold nothing but themselves.
pub(crate) struct CountedBody {
    body: Body,
    /// Octets that came from `body` and were not handed on yet.
    rest: Bytes,
    _in_flight: InFlight,
    _stream: Option<Arc<Stream>>,
}

impl CountedBody {
    pub(crate) fn new(body: Body, in_flight: InFlight, stream: Option<Arc<Stream>>) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            _in_flight: in_flight,
            _stream: stream,
        }
    }
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
    use http::Version;
    use http_body_util::{BodyExt as _, Full};

    use super::*;
    use crate::serve::connections::Connections;

    #[tokio::test]
    async fn an_answer_comes_in_pieces_that_hold_nothing_but_themselves() {
        let connections = Arc::new(Connections::new(1));
        let progress = connections.admit().await.progress;
        let content: Vec<u8> = (0..=255).cycle().take(PIECE * 3 + 5).collect();
        let whole = Bytes::from(content.clone());
        let body = Full::new(whole.clone()).map_err(|never| match never {});
        let in_flight = progress.begin(Version::HTTP_2);
        let mut body = CountedBody::new(Body::new(body), in_flight, None);
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
}
