//! `kliento serve` as Envoy's external authorisation over gRPC, asked by a real client with messages of its own.

use std::collections::HashMap;
use std::net::SocketAddr;

use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kliento::header;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

use crate::server::Server;
use crate::serving::{ALICE, AUDIENCE, BOT, MALLORY, expired_bundle, start, value};
use crate::support::Scratch;

const RULES: &str = r#"
audience = "https://app.example.com"

[[rules]]
path = "/public/"
public = true

[[rules]]
path = "/api/"
organisations = ["example.com"]
preflights = true

[[rules]]
path = "/orders/"
methods = ["DELETE"]
subjects = ["alice@example.com"]

[[rules]]
organisations = ["example.com"]
claim-headers = { project_id = "Project-Id" }
"#;

/// Messages with all that Envoy sends, numbered as in its published definitions.
mod wire {
    use std::collections::HashMap;

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct CheckRequest {
        #[prost(message, optional, tag = "1")]
        pub(super) attributes: Option<Attributes>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Attributes {
        #[prost(message, optional, tag = "1")]
        pub(super) source: Option<Peer>,
        #[prost(message, optional, tag = "4")]
        pub(super) request: Option<Request>,
        #[prost(map = "string, string", tag = "10")]
        pub(super) context_extensions: HashMap<String, String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Peer {
        #[prost(message, optional, tag = "1")]
        pub(super) address: Option<Address>,
        #[prost(string, tag = "4")]
        pub(super) principal: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Address {
        #[prost(message, optional, tag = "1")]
        pub(super) socket_address: Option<SocketAddress>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct SocketAddress {
        #[prost(int32, tag = "1")]
        pub(super) protocol: i32,
        #[prost(string, tag = "2")]
        pub(super) address: String,
        #[prost(uint32, tag = "3")]
        pub(super) port_value: u32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Request {
        #[prost(message, optional, tag = "2")]
        pub(super) http: Option<Http>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Http {
        #[prost(string, tag = "1")]
        pub(super) id: String,
        #[prost(string, tag = "2")]
        pub(super) method: String,
        #[prost(map = "string, string", tag = "3")]
        pub(super) headers: HashMap<String, String>,
        #[prost(string, tag = "4")]
        pub(super) path: String,
        #[prost(string, tag = "5")]
        pub(super) host: String,
        #[prost(string, tag = "6")]
        pub(super) scheme: String,
        #[prost(int64, tag = "9")]
        pub(super) size: i64,
        #[prost(string, tag = "10")]
        pub(super) protocol: String,
        #[prost(message, optional, tag = "13")]
        pub(super) header_map: Option<HeaderMap>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct HeaderMap {
        #[prost(message, repeated, tag = "1")]
        pub(super) headers: Vec<Header>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Header {
        #[prost(string, tag = "1")]
        pub(super) key: String,
        #[prost(string, tag = "2")]
        pub(super) value: String,
        #[prost(bytes = "vec", tag = "3")]
        pub(super) raw_value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct CheckResponse {
        #[prost(message, optional, tag = "1")]
        pub(super) status: Option<Status>,
        #[prost(message, optional, tag = "2")]
        pub(super) denied: Option<Denied>,
        #[prost(message, optional, tag = "3")]
        pub(super) ok: Option<Ok>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Status {
        #[prost(int32, tag = "1")]
        pub(super) code: i32,
        #[prost(string, tag = "2")]
        pub(super) message: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct HttpStatus {
        #[prost(int32, tag = "1")]
        pub(super) code: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Denied {
        #[prost(message, optional, tag = "1")]
        pub(super) status: Option<HttpStatus>,
        #[prost(message, repeated, tag = "2")]
        pub(super) headers: Vec<HeaderOption>,
        #[prost(string, tag = "3")]
        pub(super) body: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Ok {
        #[prost(message, repeated, tag = "2")]
        pub(super) headers: Vec<HeaderOption>,
        #[prost(string, repeated, tag = "5")]
        pub(super) headers_to_remove: Vec<String>,
        #[prost(message, repeated, tag = "6")]
        pub(super) response_headers_to_add: Vec<HeaderOption>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct HeaderOption {
        #[prost(message, optional, tag = "1")]
        pub(super) header: Option<Header>,
        #[prost(message, optional, tag = "2")]
        pub(super) append: Option<bool>,
        #[prost(int32, tag = "3")]
        pub(super) append_action: i32,
        #[prost(bool, tag = "4")]
        pub(super) keep_empty_value: bool,
    }
}

use wire::{
    Address, Attributes, CheckRequest, CheckResponse, Header, HeaderMap, HeaderOption, Http, Peer,
    Request, SocketAddress,
};

fn http(path: &str, headers: &[(&str, &str)]) -> Http {
    let pseudo = [
        (":path", path),
        (":method", "GET"),
        (":authority", "app.example.com"),
        ("user-agent", "x"),
    ];
    Http {
        id: "1".to_owned(),
        method: "GET".to_owned(),
        headers: pseudo
            .iter()
            .chain(headers)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        path: path.to_owned(),
        host: "app.example.com".to_owned(),
        scheme: "https".to_owned(),
        size: -1,
        protocol: "HTTP/2".to_owned(),
        header_map: None,
    }
}

/// The same with each field by itself, as `encode_raw_headers` has them.
fn raw_http(path: &str, headers: &[(&str, &str)]) -> Http {
    let headers = headers.iter().map(|(name, value)| Header {
        key: (*name).to_owned(),
        value: String::new(),
        raw_value: value.as_bytes().to_vec(),
    });
    Http {
        headers: HashMap::new(),
        header_map: Some(HeaderMap {
            headers: headers.collect(),
        }),
        ..http(path, &[])
    }
}

fn request(http: Http) -> CheckRequest {
    CheckRequest {
        attributes: Some(Attributes {
            source: Some(Peer {
                address: Some(Address {
                    socket_address: Some(SocketAddress {
                        protocol: 0,
                        address: "192.0.2.7".to_owned(),
                        port_value: 50_000,
                    }),
                }),
                principal: "spiffe://x/y".to_owned(),
            }),
            request: Some(Request { http: Some(http) }),
            context_extensions: HashMap::from([("a".to_owned(), "b".to_owned())]),
        }),
    }
}

async fn call(address: SocketAddr, request: CheckRequest) -> Result<CheckResponse, tonic::Status> {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let mut client = tonic::client::Grpc::new(channel.connect().await.unwrap());
    client.ready().await.unwrap();
    let path = "/envoy.service.auth.v3.Authorization/Check"
        .parse()
        .unwrap();
    let codec = ProstCodec::<CheckRequest, CheckResponse>::default();
    let response = client
        .unary(tonic::Request::new(request), path, codec)
        .await?;
    Ok(response.into_inner())
}

fn run<T>(task: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(task)
}

fn check(server: &Server, http: Http) -> CheckResponse {
    run(call(server.address(0), request(http))).unwrap()
}

fn lines(options: &[HeaderOption]) -> Vec<String> {
    let mut lines: Vec<String> = options
        .iter()
        .map(|option| {
            // The client's must not stay beside it.
            assert_eq!(option.append, Some(false));
            assert_eq!(option.append_action, 0, "Envoy refuses both");
            let header = option.header.as_ref().unwrap();
            format!("{}: {}", header.key, header.value)
        })
        .collect();
    lines.sort();
    lines
}

#[track_caller]
fn refuses(response: &CheckResponse, status: i32, reason: &str) {
    assert!(response.ok.is_none());
    let rpc = response.status.as_ref().unwrap();
    assert_eq!((rpc.code, rpc.message.as_str()), (7, reason));
    let denied = response.denied.as_ref().unwrap();
    assert_eq!(denied.status.as_ref().unwrap().code, status);
    let problem: serde_json::Value = serde_json::from_str(&denied.body).unwrap();
    assert_eq!(problem["reason"], reason);
    let mut expected = vec![
        "cache-control: no-store".to_owned(),
        "content-type: application/problem+json".to_owned(),
    ];
    expected.extend((status == 401).then(|| "www-authenticate: Kliento".to_owned()));
    expected.push(format!("x-kliento-reason: {reason}"));
    assert_eq!(lines(&denied.headers), expected);
}

#[test]
fn tells_envoy_who_sent_a_request() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let alice = value(&ALICE, AUDIENCE, &[("role", "Admin"), ("empty", "")]);
    for http in [
        http("/x?y", &[("authorization", &alice)]),
        raw_http("/x?y", &[("authorization", &alice)]),
    ] {
        let response = check(&server, http);
        assert_eq!(response.status.unwrap().code, 0);
        assert!(response.denied.is_none());
        let ok = response.ok.unwrap();
        assert_eq!(
            lines(&ok.headers),
            [
                "x-kliento-claim-empty: ",
                "x-kliento-claim-role: Admin",
                "x-kliento-organisation: example.com",
                "x-kliento-signed-by: member",
                "x-kliento-subject: alice@example.com",
                "x-kliento-user: alice",
            ]
        );
        assert!(ok.headers.iter().all(|option| option.keep_empty_value));
        assert_eq!(ok.headers_to_remove, ["x-kliento-claim-project-id"]);
        assert!(ok.response_headers_to_add.is_empty());
    }
}

#[test]
fn envoy_is_told_to_drop_fields_that_the_identity_lacks() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let bot = value(&BOT, AUDIENCE, &[]);
    let response = check(&server, http("/", &[("authorization", &bot)]));
    let removed = response.ok.unwrap().headers_to_remove;
    assert_eq!(removed, ["x-kliento-user", "x-kliento-claim-project-id"]);
    let ok = check(&server, http("/public/", &[])).ok.unwrap();
    assert!(ok.headers.is_empty());
    assert_eq!(
        ok.headers_to_remove,
        [
            "x-kliento-subject",
            "x-kliento-organisation",
            "x-kliento-user",
            "x-kliento-signed-by",
        ]
    );
}

#[test]
fn refuses_with_the_status_and_reason_that_others_get() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let alice = value(&ALICE, AUDIENCE, &[]);
    let twice = format!("{alice},{alice}");
    let expired = header::encode(&expired_bundle(AUDIENCE));
    let mallory = value(&MALLORY, AUDIENCE, &[]);
    let good = ("authorization", alice.as_str());
    for (http, status, reason) in [
        (http("/", &[]), 401, "http.missing_authorization"),
        (
            http("/", &[("authorization", "Basic YTpi")]),
            401,
            "kliento.wrong_scheme",
        ),
        (
            http("/", &[("authorization", &twice)]),
            401,
            "kliento.malformed_header",
        ),
        (
            raw_http("/", &[good, good]),
            401,
            "http.several_authorizations",
        ),
        (
            raw_http("/", &[("authorization", "Basic YTpi"), good]),
            401,
            "http.several_authorizations",
        ),
        (
            http("/", &[("authorization", &expired)]),
            401,
            "veraid.signature_expired",
        ),
        (
            http("/", &[("authorization", &mallory)]),
            403,
            "kliento.subject_not_allowed",
        ),
        (http("/public/../x", &[good]), 403, "serve.ambiguous_path"),
        (http("/public/#/../x", &[good]), 403, "serve.ambiguous_path"),
        (http("/public/%2e%2e/x", &[]), 403, "serve.ambiguous_path"),
        (http("*", &[good]), 403, "serve.ambiguous_path"),
        (
            http("/", &[good, ("x-kliento-subject", "root")]),
            403,
            "serve.reserved_header",
        ),
        (
            http("/public/", &[("x_kliento_subject", "root")]),
            403,
            "serve.reserved_header",
        ),
        (
            raw_http("/", &[good, ("x-kliento-user", "")]),
            403,
            "serve.reserved_header",
        ),
        (
            http("/public/", &[("upgrade", "h2c"), ("connection", "Upgrade")]),
            403,
            "serve.upgrade",
        ),
        (
            http("/public/", &[("upgrade", "websocket,h2c")]),
            403,
            "serve.upgrade",
        ),
        (
            raw_http("/public/", &[("upgrade", "websocket"), ("upgrade", "h2c")]),
            403,
            "serve.upgrade",
        ),
        (
            http("/public/", &[("a b", "c")]),
            400,
            "serve.unclear_request",
        ),
        (
            http("/public/", &[("a", "b\nc")]),
            400,
            "serve.unclear_request",
        ),
    ] {
        refuses(&check(&server, http), status, reason);
    }
    // A client's fields must not hide among those in the other form.
    let mut both = raw_http("/", &[good]);
    both.headers = HashMap::from([("x-kliento-user".to_owned(), "root".to_owned())]);
    refuses(&check(&server, both), 403, "serve.reserved_header");
    // Nor can a second token, or an upgrade, hide there.
    let mut both = raw_http("/", &[good]);
    both.headers = HashMap::from([("authorization".to_owned(), alice.clone())]);
    refuses(&check(&server, both), 401, "http.several_authorizations");
    let mut both = raw_http("/public/", &[("upgrade", "websocket")]);
    both.headers = HashMap::from([("upgrade".to_owned(), "h2c".to_owned())]);
    refuses(&check(&server, both), 403, "serve.upgrade");
}

#[test]
fn the_method_is_that_of_the_message() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let bot = value(&BOT, AUDIENCE, &[]);
    let with = |method: &str, path: &str, headers: &[(&str, &str)]| Http {
        method: method.to_owned(),
        ..http(path, headers)
    };
    let good = ("authorization", bot.as_str());
    let preflight = [
        ("origin", "https://web.example"),
        ("access-control-request-method", "DELETE"),
    ];
    for http in [
        with("GET", "/orders/1", &[good]),
        with("OPTIONS", "/api/", &preflight),
    ] {
        assert!(check(&server, http).ok.is_some());
    }
    for (http, status, reason) in [
        (
            with("DELETE", "/orders/1", &[good]),
            403,
            "kliento.subject_not_allowed",
        ),
        (
            with("delete", "/orders/1", &[good]),
            403,
            "serve.ambiguous_method",
        ),
        (
            with(
                "POST",
                "/orders/1",
                &[good, ("x-http-method-override", "DELETE")],
            ),
            403,
            "serve.ambiguous_method",
        ),
        (
            with("GET", "/api/", &preflight),
            401,
            "http.missing_authorization",
        ),
        (
            with("OPTIONS", "/", &preflight),
            401,
            "http.missing_authorization",
        ),
        // As Envoy joins two fields.
        (
            with(
                "OPTIONS",
                "/api/",
                &[
                    preflight[0],
                    ("access-control-request-method", "GET,DELETE"),
                ],
            ),
            401,
            "http.missing_authorization",
        ),
    ] {
        refuses(&check(&server, http), status, reason);
    }
}

#[test]
fn a_web_socket_may_be_asked_for() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    for value in ["websocket", "WebSocket"] {
        for http in [
            http("/public/", &[("upgrade", value)]),
            raw_http("/public/", &[("upgrade", value)]),
        ] {
            assert!(check(&server, http).ok.is_some(), "{value}");
        }
    }
}

#[test]
fn refuses_requests_that_do_not_say_what_they_are_about() {
    let scratch = Scratch::new();
    let server = start(&scratch, RULES);
    let whole = http("/public/", &[]);
    assert!(check(&server, whole.clone()).ok.is_some());
    let empty = String::new;
    for http in [
        Http {
            method: empty(),
            ..whole.clone()
        },
        Http {
            host: empty(),
            ..whole.clone()
        },
        Http {
            path: empty(),
            ..whole.clone()
        },
        Http {
            method: "G T".to_owned(),
            ..whole.clone()
        },
        Http::default(),
    ] {
        refuses(&check(&server, http), 400, "serve.unclear_request");
    }
    let nothing = run(call(server.address(0), CheckRequest::default())).unwrap();
    refuses(&nothing, 400, "serve.unclear_request");
    let hosts = Http {
        host: "a.example, b.example".to_owned(),
        ..whole
    };
    refuses(&check(&server, hosts), 403, "serve.malformed_host");
}

#[test]
fn over_http_2_the_authority_is_the_host() {
    let scratch = Scratch::new();
    let configuration = "audience = \"a\"\n[[rules]]\nhost = \"app.example.com\"\npublic = true\n";
    let server = start(&scratch, configuration);
    let status = |authority: &str, host: Option<&str>| {
        let mut request = http::Request::get(format!("http://{authority}/auth/envoy/x"));
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        run(async {
            let stream = tokio::net::TcpStream::connect(server.address(0))
                .await
                .unwrap();
            let (mut client, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .unwrap();
            tokio::spawn(connection);
            client
                .send_request(request)
                .await
                .unwrap()
                .status()
                .as_u16()
        })
    };
    assert_eq!(status("App.example.com:8443", None), 200);
    assert_eq!(status("other.example.com", None), 403);
    assert_eq!(status("app.example.com", Some("app.example.com")), 200);
    assert_eq!(status("app.example.com", Some("other.example.com")), 400);
    assert_eq!(status("other.example.com", Some("app.example.com")), 400);
}

#[test]
fn the_record_has_the_client_and_the_request_as_envoy_knows_them() {
    let scratch = Scratch::new();
    let server = start(&scratch, &format!("log = {{ format = \"json\" }}\n{RULES}"));
    let fields = [
        ("x-request-id", "8f3a"),
        ("x-forwarded-for", "198.51.100.1"),
    ];
    refuses(
        &check(&server, http("/x", &fields)),
        401,
        "http.missing_authorization",
    );
    // What no field of HTTP can have, Envoy's messages can.
    let hostile = "a\u{7f}\u{9b}\u{202e}\u{2028}\u{1b}[2J\n";
    let mut odd = http(&format!("/{hostile}"), &[]);
    odd.host = hostile.to_owned();
    assert!(check(&server, odd).ok.is_none());
    let mut odd = http("/x", &[]);
    odd.method = hostile.to_owned();
    assert!(check(&server, odd).ok.is_none());
    let run = server.stop();
    let is_raw = |character: char| {
        character != '\n' && character.is_control() || matches!(character, '\u{2028}' | '\u{202e}')
    };
    assert!(!run.stderr.contains(is_raw), "{:?}", run.stderr);
    let lines: Vec<serde_json::Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["target"] == "kliento::audit")
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["method"], "GET");
    assert_eq!(lines[0]["client"], "192.0.2.7");
    assert_eq!(lines[0]["request_id"], "8f3a");
    let escaped = "a\\u{7f}\\u{9b}\\u{202e}\\u{2028}\\u{1b}[2J\\u{a}";
    assert_eq!(lines[1]["host"], escaped);
    assert_eq!(lines[1]["path"], format!("/{escaped}"));
    assert_eq!(lines[2]["method"], escaped);
}
