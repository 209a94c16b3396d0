//! Endpoints for those who run the process: does it live, is it ready, and what has it done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};

use super::endpoints::Body;
use super::metrics::{Metrics, OPEN_METRICS};

/// The endpoints' name in metrics.
pub(crate) const NAME: &str = "operations";

const TEXT: &str = "text/plain; charset=utf-8";

/// `/healthz`, `/readyz` and `/metrics`.
pub(crate) struct Operations {
    metrics: Arc<Metrics>,
    ready: AtomicBool,
}

impl Operations {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            ready: AtomicBool::new(false),
        }
    }

    /// Says from now on whether new requests are welcome.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Tells whether there is something at `path`.
    pub(crate) fn has(path: &str) -> bool {
        matches!(path, "/healthz" | "/readyz" | "/metrics")
    }

    pub(crate) fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        if method != Method::GET && method != Method::HEAD {
            let refusal = text(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n");
            return with(refusal, ALLOW, "GET, HEAD");
        }
        match path {
            "/healthz" => text(StatusCode::OK, TEXT, "alive\n"),
            "/readyz" if self.ready.load(Ordering::Relaxed) => {
                text(StatusCode::OK, TEXT, "ready\n")
            }
            "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, TEXT, "shutting down\n"),
            "/metrics" => text(StatusCode::OK, OPEN_METRICS, self.metrics.to_text()),
            _ => text(StatusCode::NOT_FOUND, TEXT, "there is nothing here\n"),
        }
    }
}

/// An answer of a few words.
pub(crate) fn text(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {});
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    let response = with(response, CONTENT_TYPE, media_type);
    with(response, CACHE_CONTROL, "no-store")
}

fn with(mut response: Response<Body>, name: HeaderName, value: &'static str) -> Response<Body> {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
    response
}
