//! Refusals in the form of gRPC: status 200, and everything else in the fields that would otherwise
//! be trailers ("Trailers-Only" in gRPC's `PROTOCOL-HTTP2.md`).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::Refusal;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The time after which a client may try again, in milliseconds (gRPC proposal A6).
const RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
const RETRY_PUSHBACK_MILLISECONDS: HeaderValue = HeaderValue::from_static("1000");

// gRPC's `statuscodes.md`.
const PERMISSION_DENIED: HeaderValue = HeaderValue::from_static("7");
const INTERNAL: HeaderValue = HeaderValue::from_static("13");
const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");

/// The media types of gRPC's variants. Longer names come first, since they begin with the shorter
/// ones.
const MEDIA_TYPES: [&str; 3] = [
    "application/grpc-web-text",
    "application/grpc-web",
    "application/grpc",
];

/// The media type of the answer to a gRPC request; `None` for other requests.
pub(super) fn media_type(fields: &HeaderMap) -> Option<&'static str> {
    let content_type = fields.get(CONTENT_TYPE)?.as_bytes();
    MEDIA_TYPES
        .into_iter()
        .find(|media_type| is_of(content_type, media_type))
}

/// Returns whether `content_type` is `media_type`, with or without a suffix (`+proto`) or
/// parameters.
fn is_of(content_type: &[u8], media_type: &str) -> bool {
    let Some((start, rest)) = content_type.split_at_checked(media_type.len()) else {
        return false;
    };
    let ends = matches!(rest.first(), None | Some(b'+' | b';' | b' ' | b'\t'));
    ends && start.eq_ignore_ascii_case(media_type.as_bytes())
}

impl Refusal {
    /// The answer to a gRPC request, with the reason as its message.
    pub(super) fn to_grpc_response(&self, media_type: &'static str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        // Reasons have no characters that gRPC would percent-encode.
        fields.insert(GRPC_MESSAGE, HeaderValue::from_static(self.reason()));
        fields.insert(GRPC_STATUS, self.grpc_status());
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            fields.insert(RETRY_PUSHBACK, RETRY_PUSHBACK_MILLISECONDS);
        }
        response
    }

    fn grpc_status(&self) -> HeaderValue {
        match self.status() {
            StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
            StatusCode::FORBIDDEN => PERMISSION_DENIED,
            StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
            _ => INTERNAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_requests_of_grpc_by_their_content_type() {
        for (content_type, expected) in [
            ("application/grpc", Some("application/grpc")),
            ("Application/GRPC+proto", Some("application/grpc")),
            ("application/grpc;charset=utf-8", Some("application/grpc")),
            ("application/grpc-web", Some("application/grpc-web")),
            ("application/grpc-web+json", Some("application/grpc-web")),
            (
                "application/grpc-web-text+proto",
                Some("application/grpc-web-text"),
            ),
            ("application/grpcx", None),
            ("application/grp", None),
            ("application/json", None),
            ("text/plain; a=application/grpc", None),
        ] {
            let fields =
                HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(media_type(&fields), expected, "{content_type}");
        }
        assert_eq!(media_type(&HeaderMap::new()), None);
    }
}
