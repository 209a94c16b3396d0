//! Envoy's external authorisation over gRPC: `envoy.service.auth.v3.Authorization/Check`.
//!
//! The messages are the part of Envoy's that is of use here, by hand; unknown fields are skipped, as in all of Protocol
//! Buffers. Names and numbers are those of `envoy/service/auth/v3/external_auth.proto`, `attribute_context.proto` beside
//! it, `envoy/config/core/v3/base.proto`, `envoy/type/v3/http_status.proto` and `google/rpc/status.proto`.
//!
//! Every answer is a decision: Envoy takes an error of gRPC for a failure of the service, and `failure_mode_allow` would
//! let such requests through. A client can make Envoy's message too large to be read, so that is refused as well.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use tonic::server::{Grpc, UnaryService};
use tonic_prost::ProstCodec;

use super::forward::{Forward, Original, Passage, REQUEST_ID, method_name, text_of_the_only};
use super::gate::Case;
use super::refusal::RequestRefusal;
use super::{Body, full};
use crate::serve::audit::Trace;
use crate::serve::{BoxError, limits};

/// The path of the endpoint.
pub(crate) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";
/// The endpoint's name, for the record.
pub(crate) const NAME: &str = "envoy-grpc";

/// `envoy.service.auth.v3.CheckRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    attributes: Option<AttributeContext>,
}

/// `envoy.service.auth.v3.AttributeContext`
#[derive(Clone, PartialEq, prost::Message)]
struct AttributeContext {
    /// The client's connection to Envoy.
    #[prost(message, optional, tag = "1")]
    source: Option<Peer>,
    #[prost(message, optional, tag = "4")]
    request: Option<AttributedRequest>,
}

/// `envoy.service.auth.v3.AttributeContext.Peer`
#[derive(Clone, PartialEq, prost::Message)]
struct Peer {
    #[prost(message, optional, tag = "1")]
    address: Option<Address>,
}

/// `envoy.config.core.v3.Address`
#[derive(Clone, PartialEq, prost::Message)]
struct Address {
    #[prost(message, optional, tag = "1")]
    socket_address: Option<SocketAddress>,
}

/// `envoy.config.core.v3.SocketAddress`
#[derive(Clone, PartialEq, prost::Message)]
struct SocketAddress {
    #[prost(string, tag = "2")]
    address: String,
}

/// `envoy.service.auth.v3.AttributeContext.Request`
#[derive(Clone, PartialEq, prost::Message)]
struct AttributedRequest {
    #[prost(message, optional, tag = "2")]
    http: Option<HttpRequest>,
}

/// `envoy.service.auth.v3.AttributeContext.HttpRequest`
#[derive(Clone, PartialEq, prost::Message)]
struct HttpRequest {
    #[prost(string, tag = "2")]
    method: String,
    /// With names in lower case; values of fields that are there several times are joined with commas.
    #[prost(map = "string, string", tag = "3")]
    headers: std::collections::HashMap<String, String>,
    #[prost(string, tag = "4")]
    path: String,
    #[prost(string, tag = "5")]
    host: String,
    /// In place of `headers` where `encode_raw_headers` is set, each field by itself.
    #[prost(message, optional, tag = "13")]
    header_map: Option<FieldList>,
}

/// `envoy.config.core.v3.HeaderMap`
#[derive(Clone, PartialEq, prost::Message)]
struct FieldList {
    #[prost(message, repeated, tag = "1")]
    headers: Vec<HeaderField>,
}

/// `envoy.config.core.v3.HeaderValue`
#[derive(Clone, PartialEq, prost::Message)]
struct HeaderField {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(bytes = "vec", tag = "3")]
    raw_value: Vec<u8>,
}

/// `envoy.service.auth.v3.CheckResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<RpcStatus>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    http_response: Option<HttpResponse>,
}

/// `envoy.service.auth.v3.CheckResponse.http_response`
#[derive(Clone, PartialEq, prost::Oneof)]
enum HttpResponse {
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// `envoy.service.auth.v3.DeniedHttpResponse`
#[derive(Clone, PartialEq, prost::Message)]
struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    headers: Vec<HeaderValueOption>,
    #[prost(string, tag = "3")]
    body: String,
}

/// `envoy.type.v3.HttpStatus`, whose codes are those of HTTP.
#[derive(Clone, PartialEq, prost::Message)]
struct HttpStatus {
    #[prost(int32, tag = "1")]
    code: i32,
}

/// `envoy.service.auth.v3.OkHttpResponse`
#[derive(Clone, PartialEq, prost::Message)]
struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "5")]
    headers_to_remove: Vec<String>,
}

/// `envoy.config.core.v3.HeaderValueOption`
#[derive(Clone, PartialEq, prost::Message)]
struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    header: Option<HeaderField>,
    /// `google.protobuf.BoolValue`. False replaces what the client sent. Said outright, since Envoy's defaults differ from
    /// message to message, and its newer `append_action` is unknown to older releases.
    #[prost(message, optional, tag = "2")]
    append: Option<bool>,
    /// Without it Envoy drops fields that are empty.
    #[prost(bool, tag = "4")]
    keep_empty_value: bool,
}

/// Of `google.rpc.Code`.
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;

/// The frame of a message without fields in gRPC: not compressed, of no octets.
const NO_MESSAGE: Bytes = Bytes::from_static(&[0; 5]);
/// The field that gRPC has at the head of an answer, and not behind it, where it failed.
const FAILED: &str = "grpc-status";
/// Fields of a request. Envoy takes 100 from a client unless told otherwise, and adds some of its own. Each takes many
/// times its text in memory.
const MAX_FIELDS: usize = 1_024;

/// Answers a call.
pub(crate) async fn answer<B>(forward: Arc<Forward>, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let refusal = match limits::read(body).await {
        Ok(message) => {
            let check = Check {
                forward: Arc::clone(&forward),
                unread: None,
            };
            let response = call(check, Request::from_parts(parts, full(message))).await;
            if !response.headers().contains_key(FAILED) {
                return response;
            }
            RequestRefusal::UnclearRequest("the message")
        }
        Err(fault) => fault.into(),
    };
    let check = Check {
        forward,
        unread: Some(refusal),
    };
    call(check, Request::new(full(NO_MESSAGE))).await
}

async fn call(check: Check, request: Request<Body>) -> Response<Body> {
    let mut grpc = Grpc::new(ProstCodec::<CheckResponse, CheckRequest>::default());
    let response = grpc.unary::<_, Body>(check, request).await;
    response.map(|body| body.map_err(BoxError::from).boxed_unsync())
}

struct Check {
    forward: Arc<Forward>,
    /// The reason why there is no message to decide about, if there is none.
    unread: Option<RequestRefusal>,
}

impl UnaryService<CheckRequest> for Check {
    type Response = CheckResponse;
    type Future = std::pin::Pin<
        Box<dyn Future<Output = Result<tonic::Response<CheckResponse>, tonic::Status>> + Send>,
    >;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let forward = Arc::clone(&self.forward);
        let unread = self.unread.take();
        Box::pin(async move {
            let response = match unread {
                None => check(&forward, request.into_inner()).await,
                Some(refusal) => {
                    decide(&forward, Case::new(NAME), &HeaderMap::new(), Err(refusal)).await
                }
            };
            Ok(tonic::Response::new(response))
        })
    }
}

async fn check(forward: &Forward, request: CheckRequest) -> CheckResponse {
    let AttributeContext { source, request } = request.attributes.unwrap_or_default();
    let client = source.and_then(Peer::into_address);
    let http = request.and_then(|request| request.http).unwrap_or_default();
    let fields = http.fields();
    let original = fields.as_ref().map(|_| ()).map_err(|name| *name);
    let original = original
        .and_then(|()| http.original())
        .map_err(RequestRefusal::UnclearRequest);
    let fields = fields.unwrap_or_default();
    let trace = Trace {
        method: Some(http.method.as_str()).filter(|method| !method.is_empty()),
        client: client.as_deref(),
        request_id: text_of_the_only(&fields, REQUEST_ID),
    };
    decide(forward, Case::traced(NAME, trace), &fields, original).await
}

async fn decide<'a>(
    forward: &'a Forward,
    case: Case<'a>,
    fields: &HeaderMap,
    original: Result<Original<'a>, RequestRefusal>,
) -> CheckResponse {
    match forward.decide(case, fields, original).await {
        Ok(passage) => passage.into(),
        Err(refusal) => refusal.into(),
    }
}

impl Peer {
    fn into_address(self) -> Option<String> {
        Some(self.address?.socket_address?.address)
    }
}

impl HttpRequest {
    fn original(&self) -> Result<Original<'_>, &'static str> {
        for (value, name) in [(&self.host, "host"), (&self.path, "path")] {
            if value.is_empty() {
                return Err(name);
            }
        }
        Ok(Original {
            method: method_name(self.method.as_bytes()).ok_or("method")?,
            host: self.host.as_bytes(),
            target: self.path.as_bytes(),
        })
    }

    /// The fields in whichever form they came. Pseudo-fields of HTTP/2 are among them, and are no fields.
    fn fields(&self) -> Result<HeaderMap, &'static str> {
        let raw = self.header_map.as_ref().map(|list| list.headers.as_slice());
        let raw = raw.unwrap_or_default();
        if raw.len().saturating_add(self.headers.len()) > MAX_FIELDS {
            return Err("fewer fields");
        }
        let raw = raw.iter().map(HeaderField::pair);
        let joined = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let mut fields = HeaderMap::new();
        for (name, value) in joined.chain(raw) {
            if name.starts_with(':') {
                continue;
            }
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| "the name of a field")?;
            let value = HeaderValue::from_bytes(value).map_err(|_| "the value of a field")?;
            fields.append(name, value);
        }
        Ok(fields)
    }
}

impl HeaderField {
    fn pair(&self) -> (&str, &[u8]) {
        if self.raw_value.is_empty() {
            (&self.key, self.value.as_bytes())
        } else {
            (&self.key, &self.raw_value)
        }
    }
}

impl From<Passage> for CheckResponse {
    fn from(passage: Passage) -> Self {
        let ok = OkHttpResponse {
            headers: options(&passage.identity),
            headers_to_remove: passage.absent.iter().map(ToString::to_string).collect(),
        };
        Self {
            status: Some(RpcStatus {
                code: OK,
                message: String::new(),
            }),
            http_response: Some(HttpResponse::Ok(ok)),
        }
    }
}

impl From<RequestRefusal> for CheckResponse {
    fn from(refusal: RequestRefusal) -> Self {
        let denied = DeniedHttpResponse {
            status: Some(HttpStatus {
                code: refusal.status().as_u16().into(),
            }),
            headers: options(&refusal.fields()),
            body: String::from_utf8_lossy(&refusal.problem()).into_owned(),
        };
        Self {
            status: Some(RpcStatus {
                code: PERMISSION_DENIED,
                message: refusal.reason().to_owned(),
            }),
            http_response: Some(HttpResponse::Denied(denied)),
        }
    }
}

fn options(fields: &HeaderMap) -> Vec<HeaderValueOption> {
    let option = |(name, value): (&HeaderName, &HeaderValue)| HeaderValueOption {
        header: Some(HeaderField {
            key: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            raw_value: Vec::new(),
        }),
        append: Some(false),
        keep_empty_value: true,
    };
    fields.iter().map(option).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use kliento::{Audience, Verifier};
    use prost::Message as _;

    use super::super::gate::Gate;
    use super::super::rules::{RuleConfig, Rules};
    use super::*;
    use crate::serve::limits::{BoundedBody, VerificationLimits};

    const ROOM: u64 = 65_536;

    fn forward() -> Arc<Forward> {
        let audience: Audience = "https://api.example.com".parse().unwrap();
        let verifier = Verifier::builder(audience.clone()).build();
        let rule = RuleConfig::allowing(vec!["alice@example.com".parse().unwrap()]);
        let rules = Rules::new(vec![rule], Some(&audience), verifier.shared());
        let limits = VerificationLimits {
            concurrent: 1,
            queue: 1,
        };
        let gate = Gate::new(limits, Arc::default());
        Arc::new(Forward::new(rules.unwrap(), Arc::new(gate)))
    }

    async fn answer_to<B>(body: B) -> CheckResponse
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let response = answer(forward(), Request::new(body)).await;
        assert!(!response.headers().contains_key(FAILED));
        let octets = response.into_body().collect().await.unwrap().to_bytes();
        CheckResponse::decode(&octets[NO_MESSAGE.len()..]).unwrap()
    }

    /// The reason of a refusal.
    fn reason(response: CheckResponse) -> String {
        let status = response.status.unwrap();
        assert_eq!(status.code, PERMISSION_DENIED);
        assert!(matches!(
            response.http_response,
            Some(HttpResponse::Denied(_))
        ));
        status.message
    }

    #[tokio::test]
    async fn what_is_no_message_is_refused_and_not_left_undecided() {
        for message in [
            &b""[..],
            b"\0",
            b"\0\0\0\0\x01",
            b"\0\0\0\0\x01\xff",
            b"\x01\0\0\0\0",
            b"\0\xff\xff\xff\xff",
            b"<html>",
        ] {
            let response = answer_to(Full::new(Bytes::from_static(message))).await;
            assert_eq!(reason(response), "serve.unclear_request", "{message:?}");
        }
    }

    #[tokio::test]
    async fn a_message_that_can_not_be_read_is_refused_and_not_left_undecided() {
        let large = Full::new(Bytes::from(vec![0; 100]));
        let large = BoundedBody::new(large, 99, Duration::from_secs(1));
        assert_eq!(reason(answer_to(large).await), "serve.body_too_large");

        let broken: Result<Frame<Bytes>, BoxError> = Err("gone".into());
        let broken = StreamBody::new(futures_util::stream::iter([broken]));
        let broken = BoundedBody::new(broken, ROOM, Duration::from_secs(1));
        assert_eq!(reason(answer_to(broken).await), "serve.body_broken");
    }

    #[tokio::test]
    async fn no_more_fields_are_read_than_a_request_can_have() {
        let message = |fields: usize| {
            let field = |number: usize| HeaderField {
                key: format!("a{number}"),
                value: String::new(),
                raw_value: Vec::new(),
            };
            let request = AttributedRequest {
                http: Some(HttpRequest {
                    method: "GET".to_owned(),
                    path: "/".to_owned(),
                    host: "api.example.com".to_owned(),
                    header_map: Some(FieldList {
                        headers: (0..fields).map(field).collect(),
                    }),
                    ..HttpRequest::default()
                }),
            };
            let attributes = Some(AttributeContext {
                source: None,
                request: Some(request),
            });
            let message = CheckRequest { attributes }.encode_to_vec();
            let length = u32::try_from(message.len()).unwrap().to_be_bytes();
            let framed = [&[0][..], &length, &message].concat();
            Full::new(Bytes::from(framed))
        };
        let most = answer_to(message(MAX_FIELDS)).await;
        assert_eq!(reason(most), "http.missing_authorization");
        // A map of fields has an end, too, beyond which it panics.
        for fields in [MAX_FIELDS + 1, 40_000] {
            let more = answer_to(message(fields)).await;
            assert_eq!(reason(more), "serve.unclear_request");
        }
    }
}
