//! gRPC: a real client and a real server of `tonic` on loopback.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::http_support::{
    AUDIENCE, BOBS, GOOD, NOON, largest, tampered, verifier, verifier_with_clock_elsewhere,
};
use kliento::Requirements;
use kliento::client::{BoxError, Supply, TokenSource};
use kliento::http::tonic::{RequestExt, TokenInterceptor};
use kliento::http::tower::KlientoLayer;
use kliento::http::{HEADER_LIST_OCTETS, Refusal};
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Context, Poll, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

const PATH: &str = "/test.Greeter/Hello";

#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// What `tonic-prost-build` would write for `service Greeter { rpc Hello(Text) returns (Text); }`.
#[derive(Clone)]
struct Greeter {
    needs_identity: bool,
}

impl UnaryService<Text> for Greeter {
    type Response = Text;
    type Future = BoxFuture<Response<Text>, Status>;

    fn call(&mut self, request: Request<Text>) -> Self::Future {
        let answer = self.greet(&request);
        Box::pin(async move { answer })
    }
}

impl Greeter {
    #[allow(clippy::result_large_err, reason = "tonic's own")]
    fn greet(&self, request: &Request<Text>) -> Result<Response<Text>, Status> {
        let subject = if self.needs_identity {
            request.authenticated()?.subject()
        } else {
            request
                .kliento()
                .map_or("nobody", |caller| caller.subject())
        };
        let text = format!("{}, {subject}", request.get_ref().text);
        Ok(Response::new(Text { text }))
    }
}

impl Service<http::Request<Body>> for Greeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let greeter = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Text, Text>::default());
            Ok(grpc.unary(greeter, request).await)
        })
    }
}

impl NamedService for Greeter {
    const NAME: &'static str = "test.Greeter";
}

fn serve(layer: KlientoLayer, needs_identity: bool) -> SocketAddr {
    serve_with_room(layer, needs_identity, Some(HEADER_LIST_OCTETS))
}

fn serve_with_room(
    layer: KlientoLayer,
    needs_identity: bool,
    header_list: Option<u32>,
) -> SocketAddr {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let server = Server::builder()
        .http2_max_header_list_size(header_list)
        .layer(layer)
        .add_service(Greeter { needs_identity });
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    endpoint.connect().await.unwrap()
}

/// Calls once, with a token if there is one.
async fn hello(address: SocketAddr, authorization: Option<&str>) -> Result<String, Status> {
    let channel = connect(address).await;
    match authorization {
        None => call(tonic::client::Grpc::new(channel)).await,
        Some(authorization) => {
            let authorization = authorization.to_owned();
            let interceptor = TokenInterceptor::new(move || Ok(authorization.clone()));
            let channel = InterceptedService::new(channel, interceptor);
            call(tonic::client::Grpc::new(channel)).await
        }
    }
}

async fn call<S>(mut client: tonic::client::Grpc<S>) -> Result<String, Status>
where
    S: tonic::client::GrpcService<Body>,
    S::Error: Into<tonic::codegen::StdError>,
    S::ResponseBody: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    <S::ResponseBody as http_body::Body>::Error: Into<tonic::codegen::StdError>,
{
    client
        .ready()
        .await
        .map_err(|error| Status::unknown(format!("not ready: {}", error.into())))?;
    let text = "Hello".to_owned();
    let codec = ProstCodec::<Text, Text>::default();
    let path = PathAndQuery::from_static(PATH);
    let response = client
        .unary(Request::new(Text { text }), path, codec)
        .await?;
    Ok(response.into_inner().text)
}

async fn refusal(address: SocketAddr, authorization: Option<&str>) -> (Code, String) {
    let status = hello(address, authorization).await.unwrap_err();
    (status.code(), status.message().to_owned())
}

#[tokio::test]
async fn a_method_knows_who_calls() {
    let address = serve(KlientoLayer::new(verifier()).grpc(), true);
    for cached in [false, true] {
        let answer = hello(address, Some(&GOOD)).await.unwrap();
        assert_eq!(answer, "Hello, alice@example.com", "cached: {cached}");
    }
}

#[tokio::test]
async fn refusals_come_as_statuses_of_grpc_with_the_reason_and_no_more() {
    let layer = KlientoLayer::new(verifier())
        .grpc()
        .requirements(Requirements::new().with_subject("alice@example.com".parse().unwrap()));
    let address = serve(layer, true);
    for (authorization, code, reason) in [
        (None, Code::Unauthenticated, "http.missing_authorization"),
        (
            Some("Bearer abc"),
            Code::Unauthenticated,
            "kliento.wrong_scheme",
        ),
        (
            Some(&*tampered()),
            Code::Unauthenticated,
            "cms.bad_signature",
        ),
        (
            Some(&**BOBS),
            Code::PermissionDenied,
            "kliento.subject_not_allowed",
        ),
    ] {
        assert_eq!(
            refusal(address, authorization).await,
            (code, reason.to_owned())
        );
    }
    // The server's tasks run on this thread, since the runtime has no other.
    let broken = verifier_with_clock_elsewhere(|| panic!("a bug in the clock"));
    let broken = serve(KlientoLayer::new(broken).grpc(), true);
    assert_eq!(
        refusal(broken, Some(&GOOD)).await,
        (Code::Internal, "http.verification_failed".to_owned())
    );
}

#[tokio::test]
async fn behind_an_optional_layer_methods_choose_whom_they_take() {
    let layer = KlientoLayer::new(verifier()).grpc().optional();
    let open = serve(layer.clone(), false);
    assert_eq!(hello(open, None).await.unwrap(), "Hello, nobody");
    assert_eq!(
        hello(open, Some(&GOOD)).await.unwrap(),
        "Hello, alice@example.com"
    );
    assert_eq!(
        refusal(open, Some(&tampered())).await.0,
        Code::Unauthenticated
    );

    let closed = serve(layer, true);
    assert_eq!(
        refusal(closed, None).await,
        (
            Code::Unauthenticated,
            "http.missing_authorization".to_owned()
        )
    );
}

#[tokio::test]
async fn grpc_has_room_for_the_largest_bundle_when_told_to() {
    let layer = KlientoLayer::new(verifier()).grpc();
    let address = serve(layer.clone(), true);
    let answer = hello(address, Some(&largest())).await.unwrap();
    assert_eq!(answer, "Hello, alice@example.com");

    // What the documentation warns of. If this ever passes, it can stop to.
    let cramped = serve_with_room(layer, true, None);
    assert!(hello(cramped, Some(&largest())).await.is_err());
    assert!(hello(cramped, Some(&GOOD)).await.is_ok());
}

#[tokio::test]
async fn a_client_asks_for_a_token_at_each_call_and_sends_it_as_sensitive() {
    let address = serve(KlientoLayer::new(verifier()).grpc(), true);
    let calls = Arc::new(Mutex::new(0));
    let count = Arc::clone(&calls);
    let interceptor = TokenInterceptor::new(move || {
        *count.lock().unwrap() += 1;
        Ok(&**GOOD)
    });
    let mut probe = interceptor.clone();
    let request = tonic::service::Interceptor::call(&mut probe, Request::new(())).unwrap();
    assert!(
        request
            .metadata()
            .get("authorization")
            .unwrap()
            .is_sensitive()
    );

    let channel = InterceptedService::new(connect(address).await, interceptor);
    for _ in 0..2 {
        call(tonic::client::Grpc::new(channel.clone()))
            .await
            .unwrap();
    }
    assert_eq!(*calls.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_client_sends_what_its_source_has_at_hand() {
    let address = serve(KlientoLayer::new(verifier()).grpc(), true);
    let supplied = Supply::from_fn(|_| async { Ok::<_, BoxError>(GOOD.clone().into_bytes()) });
    let source = TokenSource::builder(AUDIENCE.parse().unwrap(), supplied)
        .clock(|| NOON)
        .build();
    let channel = connect(address).await;
    let interceptor = TokenInterceptor::from_source(source.clone());
    let channel = InterceptedService::new(channel, interceptor);

    let status = call(tonic::client::Grpc::new(channel.clone())).await;
    assert_eq!(status.unwrap_err().code(), Code::Unavailable, "none yet");
    source.token().await.unwrap();
    let answer = call(tonic::client::Grpc::new(channel)).await.unwrap();
    assert_eq!(answer, "Hello, alice@example.com");
}

#[tokio::test]
async fn a_token_takes_the_place_of_what_the_call_had() {
    let mut request = Request::new(());
    request
        .metadata_mut()
        .append("authorization", "Bearer abc".parse().unwrap());
    let mut interceptor = TokenInterceptor::new(|| Ok("Kliento MAA="));
    let request = tonic::service::Interceptor::call(&mut interceptor, request).unwrap();
    let values: Vec<_> = request.metadata().get_all("authorization").iter().collect();
    assert_eq!(values, ["Kliento MAA="]);
}

#[tokio::test]
async fn a_client_without_a_token_sends_nothing() {
    let address = serve(KlientoLayer::new(verifier()).grpc(), true);
    let channel = connect(address).await;
    for (given, code) in [
        (Err(Status::unavailable("no token now")), Code::Unavailable),
        (Ok("Kliento \n"), Code::Internal),
    ] {
        let interceptor = TokenInterceptor::new(move || given.clone());
        let channel = InterceptedService::new(channel.clone(), interceptor);
        let status = call(tonic::client::Grpc::new(channel)).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
    }
}

#[test]
fn a_status_keeps_what_happened_for_the_server_alone() {
    let error = verifier().verify_header(tampered()).unwrap_err();
    let message = error.to_string();
    let status = Status::from(Refusal::from(error));
    assert_eq!(status.message(), "cms.bad_signature");
    let source = std::error::Error::source(&status).unwrap();
    assert_eq!(source.to_string(), message);
    assert!(status.details().is_empty());
}

#[test]
fn each_refusal_has_its_status() {
    let verifier = verifier().with_requirements(Requirements::new().with_claim_present("badge"));
    let forbidden = verifier.verify_header(&*GOOD).unwrap_err();
    for (refusal, code) in [
        (Refusal::MissingAuthorization, Code::Unauthenticated),
        (Refusal::SeveralAuthorizations, Code::Unauthenticated),
        (forbidden.into(), Code::PermissionDenied),
        (Refusal::TooManyVerifications, Code::Unavailable),
        (Refusal::VerificationFailed, Code::Internal),
    ] {
        let reason = refusal.reason();
        let status = Status::from(refusal);
        assert_eq!((status.code(), status.message()), (code, reason));
    }
}
