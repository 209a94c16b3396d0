//! A server and a client of gRPC with `tonic`.
//!
//! ```sh
//! cargo run -p kliento-examples --bin grpc
//! ```
//!
//! The server takes calls of members of `example.com` and knows who they are; the client puts tokens into the metadata
//! of its calls. The program calls itself and ends.
//!
//! The service is what `tonic-prost-build` would make of this, written by hand so that nobody needs `protoc`:
//!
//! ```proto
//! package kliento.example;
//! message Text { string text = 1; }
//! service Greeter { rpc Hello(Text) returns (Text); }
//! ```

use kliento::client::{MemberSigner, TokenSource};
use kliento::http::HEADER_LIST_OCTETS;
use kliento::http::tonic::{RequestExt, TokenInterceptor};
use kliento::http::tower::KlientoLayer;
use kliento::{Requirements, WithSources};
use kliento_examples::{Expectation, Fault, NOT_IN_EARNEST, Report, World};
use tonic::service::Interceptor;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use self::greeter::{Greeter, GreeterClient, GreeterServer, Text};

/// What clients name as the audience of their tokens.
const AUDIENCE: &str = "https://greeter.example.com";

struct Polite;

impl Greeter for Polite {
    fn hello(&self, request: &Request<Text>) -> Result<Response<Text>, Status> {
        let caller = request.authenticated()?;
        let text = format!("{}, {}!", request.get_ref().text, caller.subject());
        Ok(Response::new(Text { text }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let world = World::new(AUDIENCE);
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
    let address = incoming.local_addr()?;

    let layer = KlientoLayer::new(world.verifier()?)
        .grpc()
        .requirements(
            Requirements::new()
                .with_organisation("example.com".parse()?)
                .with_member_signature(),
        )
        .on_refusal(|refusal, request| {
            eprintln!("refused: {}: {}", request.uri.path(), WithSources(refusal));
        });
    let server = Server::builder()
        // Without this, HTTP/2 has no room for the largest tokens.
        .http2_max_header_list_size(HEADER_LIST_OCTETS)
        .layer(layer)
        .add_service(GreeterServer::new(Polite));
    let server = tokio::spawn(server.serve_with_incoming(incoming));

    println!("{NOT_IN_EARNEST}\n\nWhat comes of calls:");
    let channel = Channel::from_shared(format!("http://{address}"))?
        .connect()
        .await?;
    let mut report = Report::default();
    for (call, token, outcome) in [
        (
            "without a token",
            None,
            "Unauthenticated: http.missing_authorization",
        ),
        (
            "with alice's",
            Some(world.alices()?),
            "Hello, alice@example.com!",
        ),
        (
            "with one that has ended",
            Some(world.expired()?),
            "Unauthenticated: veraid.signature_expired",
        ),
        (
            "with bob's",
            Some(world.bobs()?),
            "PermissionDenied: kliento.member_signature_required",
        ),
    ] {
        let found = match token {
            None => hello(channel.clone(), Ok).await,
            Some(token) => {
                hello(
                    channel.clone(),
                    TokenInterceptor::new(move || Ok(token.clone())),
                )
                .await
            }
        };
        report.line(&Expectation { call, outcome }, found);
    }

    // A client that has Alice's key makes tokens in time by itself.
    let (bundle, key) = world.alices_credentials()?;
    let source = TokenSource::new(AUDIENCE.parse()?, MemberSigner::new(bundle, key));
    source.token().await?;
    let fresh = source.keep_fresh()?;
    let found = hello(channel, TokenInterceptor::from_source(source)).await;
    let expectation = Expectation {
        call: "with one that the client makes itself",
        outcome: "Hello, alice@example.com!",
    };
    report.line(&expectation, found);
    drop(fresh);

    server.abort();
    report.conclude()
}

/// What the server says, or the status.
async fn hello(channel: Channel, interceptor: impl Interceptor) -> String {
    let mut client = GreeterClient::with_interceptor(channel, interceptor);
    let text = "Hello".to_owned();
    match client.hello(Text { text }).await {
        Ok(response) => response.into_inner().text,
        Err(status) => format!("{:?}: {}", status.code(), status.message()),
    }
}

/// In place of generated code.
mod greeter {
    use std::convert::Infallible;
    use std::sync::Arc;

    use tonic::body::Body;
    use tonic::client::{Grpc as Client, GrpcService};
    use tonic::codegen::http::uri::PathAndQuery;
    use tonic::codegen::{
        Body as HttpBody, BoxFuture, Bytes, Context, Poll, Service, StdError, http,
    };
    use tonic::server::{Grpc, NamedService, UnaryService};
    use tonic::service::Interceptor;
    use tonic::service::interceptor::InterceptedService;
    use tonic::transport::Channel;
    use tonic::{Request, Response, Status};
    use tonic_prost::ProstCodec;

    const HELLO: &str = "/kliento.example.Greeter/Hello";

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Text {
        #[prost(string, tag = "1")]
        pub(crate) text: String,
    }

    /// The service's methods.
    pub(crate) trait Greeter: Send + Sync + 'static {
        fn hello(&self, request: &Request<Text>) -> Result<Response<Text>, Status>;
    }

    pub(crate) struct GreeterServer<G>(Arc<G>);

    impl<G> GreeterServer<G> {
        pub(crate) fn new(greeter: G) -> Self {
            Self(Arc::new(greeter))
        }
    }

    impl<G> Clone for GreeterServer<G> {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0))
        }
    }

    impl<G> NamedService for GreeterServer<G> {
        const NAME: &'static str = "kliento.example.Greeter";
    }

    impl<G: Greeter> Service<http::Request<Body>> for GreeterServer<G> {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = BoxFuture<Self::Response, Infallible>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Body>) -> Self::Future {
            let greeter = self.clone();
            Box::pin(async move {
                if request.uri().path() != HELLO {
                    return Ok(Status::unimplemented("").into_http());
                }
                let mut grpc = Grpc::new(ProstCodec::<Text, Text>::default());
                Ok(grpc.unary(Hello(greeter), request).await)
            })
        }
    }

    struct Hello<G>(GreeterServer<G>);

    impl<G: Greeter> UnaryService<Text> for Hello<G> {
        type Response = Text;
        type Future = BoxFuture<Response<Text>, Status>;

        fn call(&mut self, request: Request<Text>) -> Self::Future {
            let greeter = Arc::clone(&self.0.0);
            Box::pin(async move { greeter.hello(&request) })
        }
    }

    pub(crate) struct GreeterClient<S>(Client<S>);

    impl<I: Interceptor> GreeterClient<InterceptedService<Channel, I>> {
        pub(crate) fn with_interceptor(channel: Channel, interceptor: I) -> Self {
            Self(Client::new(InterceptedService::new(channel, interceptor)))
        }
    }

    impl<S> GreeterClient<S>
    where
        S: GrpcService<Body>,
        S::Error: Into<StdError>,
        S::ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError>> + Send + 'static,
    {
        pub(crate) async fn hello(&mut self, text: Text) -> Result<Response<Text>, Status> {
            let unready = |error: S::Error| Status::unknown(error.into().to_string());
            self.0.ready().await.map_err(unready)?;
            let path = PathAndQuery::from_static(HELLO);
            self.0
                .unary(
                    Request::new(text),
                    path,
                    ProstCodec::<Text, Text>::default(),
                )
                .await
        }
    }
}
