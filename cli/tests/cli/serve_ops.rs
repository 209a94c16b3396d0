//! The process of `kliento serve`: its configuration, its limits, TLS, what it tells, and how it ends.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kliento_fixtures::{Algorithm, TXT, World, chain_der};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::server::{Server, connect, eventually, exchange, rest, serve};
use crate::support::{AUDIENCE, Run, Scratch, run_in};

/// What `kliento serve --sample` prints.
const SAMPLE: &str = include_str!("../../packaging/kliento.toml");

/// A port that the system chooses, and something to serve there.
const LOOPBACK: [&str; 3] = ["--verifier", "--listen", "127.0.0.1:0"];

/// Starts a server with a configuration, and something to serve.
fn configured(scratch: &Scratch, configuration: &str) -> Server {
    Server::configured(scratch, &format!("{configuration}\n[verifier]\n"))
}

fn check(scratch: &Scratch, configuration: &str) -> Run {
    std::fs::write(scratch.file("kliento.toml"), configuration).unwrap();
    serve(
        scratch.path(),
        &[
            "--verifier",
            "--config",
            "kliento.toml",
            "--check",
            "--json",
        ],
    )
}

// ---------------------------------------------------------------------------------------------- configuration

#[test]
fn what_is_wrong_with_a_configuration_is_told_with_its_line_and_column() {
    let scratch = Scratch::new();
    for (configuration, place, what) in [
        (
            "lisen = \"127.0.0.1:1\"",
            "1:1",
            "there is no key \"lisen\" here",
        ),
        (
            "\n\n[limits]\nbodies = 1",
            "4:1",
            "there is no key \"bodies\" here",
        ),
        (
            "[log]\ncolour = true",
            "2:1",
            "there is no key \"colour\" here",
        ),
        (
            "[[rules]]\nhots = \"a\"",
            "2:1",
            "there is no key \"hots\" here",
        ),
        (
            "[verifier]\nenable = true",
            "2:1",
            "there is no key \"enable\" here",
        ),
        ("[tls]\nkey = \"k\"", "1:1", "missing field `certificate`"),
        ("listen = \"localhost:80\"", "1:10", "127.0.0.1:8080"),
        ("listen = [\"[::1]:1\", \"unix:a\"]", "1:10", "whole path"),
        ("listen = []", "1:10", "the list is empty"),
        ("listen = 8080", "1:10", "string"),
        ("listen =", "1:", ""),
        ("audience = \"\"", "1:12", "audience"),
        ("clock-skew = \"5\"", "1:14", "90s"),
        ("clock-skew = 5", "1:14", "string"),
        (
            "allow-algorithms = [\"rsa-1024\"]",
            "1:20",
            "not a key algorithm",
        ),
        ("dialects = [\"veraid\", \"jwt\"]", "1:12", "not a dialect"),
        ("log = { level = \"loud\" }", "1:17", "`error`"),
        (
            "limits.header = 1024",
            "1:17",
            "1024 is out of range: write 32768 to 1048576",
        ),
        ("limits.body = -1", "1:15", "-1 is out of range"),
        ("limits.connections = 0", "1:22", "0 is out of range"),
        ("limits.idle-timeout = \"0s\"", "1:23", "one second"),
        ("[limits]\nqueue = 1\nqueue = 2", "3:1", "duplicate"),
    ] {
        let run = check(&scratch, configuration).exits(2);
        run.explains(&format!("kliento.toml:{place}"))
            .explains(what)
            .hints();
        assert!(run.stdout.is_empty(), "{configuration}");
    }
}

#[test]
fn what_can_not_be_served_is_told_before_anything_is() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("junk"), "junk").unwrap();
    for (configuration, what) in [
        ("trust-anchors = \"none\"", "none"),
        ("trust-anchors = \"junk\"", "junk"),
        ("tls = { certificate = \"none\", key = \"none\" }", "none"),
        (
            "tls = { certificate = \"junk\", key = \"junk\" }",
            "no certificate",
        ),
        (
            "listen = \"127.0.0.1:1\"\noperations-listen = \"127.0.0.1:1\"",
            "127.0.0.1:1",
        ),
        ("limits = { idle-timeout = \"5s\" }", "idle-timeout (5s)"),
    ] {
        check(&scratch, configuration)
            .exits(2)
            .explains(what)
            .hints();
    }
    // A rule without an audience: neither its own nor by default.
    check(&scratch, "[[rules]]\nsubjects = [\"a@example.com\"]")
        .exits(2)
        .explains("audience");
    serve(scratch.path(), &["--config", "nowhere.toml"])
        .exits(2)
        .explains("nowhere.toml");
}

#[test]
fn a_check_tells_what_would_be_served_and_what_that_takes() {
    let scratch = Scratch::new();
    let configuration = "listen = [\"127.0.0.1:1\", \"unix:/nowhere/at.all\"]\noperations-listen = \"[::1]:2\"\n\
                         audience = \"https://api.example.com\"\nallow-algorithms = [\"ml-dsa-65\"]\n\
                         dialects = [\"domainauth\"]\n[[rules]]\nsubjects = [\"*@example.com\"]\n";
    let plan = check(&scratch, configuration).exits(0).json();
    assert_eq!(plan["status"], "ok");
    assert_eq!(plan["audience"], AUDIENCE);
    let served: Vec<_> = plan["listen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|listen| {
            (
                listen["address"].as_str().unwrap(),
                listen["serves"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        served,
        [
            ("127.0.0.1:1", "endpoints"),
            ("unix:/nowhere/at.all", "endpoints"),
            ("[::1]:2", "operations"),
        ]
    );
    assert_eq!(plan["dialects"], serde_json::json!(["domainauth"]));
    assert!(
        plan["keyAlgorithms"]
            .as_array()
            .unwrap()
            .contains(&"ml-dsa-65".into())
    );
    assert_eq!(plan["warnings"], serde_json::json!([]));
    let parts = [
        "process",
        "cache",
        "verifications",
        "connections",
        "streams",
    ];
    let sum: u64 = parts
        .iter()
        .map(|part| plan["memory"][part].as_u64().unwrap())
        .sum();
    assert_eq!(plan["memory"]["total"], sum);

    let text = serve(
        scratch.path(),
        &["--verifier", "--config", "kliento.toml", "--check"],
    )
    .exits(0);
    assert!(
        text.text().contains("memory") && text.text().contains("at most"),
        "{}",
        text.text()
    );
    assert!(text.stderr.is_empty());
}

#[test]
fn fewer_connections_take_less_memory() {
    let scratch = Scratch::new();
    let total = |configuration: &str| {
        check(&scratch, configuration).exits(0).json()["memory"]["total"]
            .as_u64()
            .unwrap()
    };
    assert!(total("limits.connections = 100") < total(""));
    assert!(total("limits.cache = 0") < total(""));
}

#[test]
fn warns_of_what_is_seldom_meant() {
    let scratch = Scratch::new();
    for (configuration, warning) in [
        ("listen = \"0.0.0.0:8080\"", "without TLS"),
        ("listen = \"[::]:8080\"", "/metrics is on [::]:8080"),
        ("clock-skew = \"1h\"", "3600 seconds"),
    ] {
        let plan = check(&scratch, configuration).exits(0).json();
        let warnings = plan["warnings"].to_string();
        assert!(warnings.contains(warning), "{warning}: {warnings}");
    }
}

#[test]
fn flags_win_over_the_file_and_paths_in_it_are_relative_to_it() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.file("etc")).unwrap();
    std::fs::write(scratch.file("etc/root.ds"), world_in(&scratch).anchors()).unwrap();
    std::fs::write(
        scratch.file("etc/kliento.toml"),
        "listen = \"127.0.0.1:1\"\naudience = \"https://file.example\"\ntrust-anchors = \"root.ds\"\n\
         dialects = [\"veraid\"]\n",
    )
    .unwrap();
    let plan = |flags: &[&str]| {
        let arguments = [
            &[
                "--verifier",
                "--config",
                "etc/kliento.toml",
                "--check",
                "--json",
            ],
            flags,
        ]
        .concat();
        serve(scratch.path(), &arguments).exits(0).json()
    };
    let file = plan(&[]);
    assert_eq!(file["audience"], "https://file.example");
    assert!(
        file["trustAnchors"]
            .as_str()
            .unwrap()
            .ends_with("etc/root.ds")
    );
    let both = plan(&[
        "--listen",
        "127.0.0.1:2",
        "--listen",
        "[::1]:3",
        "--audience",
        AUDIENCE,
        "--dialect",
        "domainauth",
    ]);
    assert_eq!(both["listen"].as_array().unwrap().len(), 2);
    assert_eq!(both["listen"][0]["address"], "127.0.0.1:2");
    assert_eq!(both["audience"], AUDIENCE);
    assert_eq!(both["dialects"], serde_json::json!(["domainauth"]));
    assert_eq!(both["trustAnchors"], file["trustAnchors"]);
}

#[test]
fn allow_needs_an_audience_and_does_not_mix_with_rules() {
    let scratch = Scratch::new();
    serve(scratch.path(), &["--allow", "*@example.com", "--check"])
        .exits(2)
        .explains("--allow")
        .hints();
    std::fs::write(
        scratch.file("kliento.toml"),
        "audience = \"https://api.example.com\"\n[[rules]]\nsubjects = [\"a@example.com\"]\n",
    )
    .unwrap();
    let arguments = [
        "--config",
        "kliento.toml",
        "--allow",
        "*@example.com",
        "--check",
    ];
    serve(scratch.path(), &arguments)
        .exits(2)
        .explains("--allow")
        .hints();
}

#[test]
fn the_sample_is_in_order_as_it_is_and_with_every_key_set() {
    let scratch = Scratch::new();
    let sample = serve(scratch.path(), &["--sample"]).exits(0);
    assert_eq!(sample.text(), SAMPLE);
    let document = serve(scratch.path(), &["--sample", "--json"])
        .exits(0)
        .json();
    assert_eq!(document["configuration"], SAMPLE);
    check(&scratch, SAMPLE).exits(0);

    let authority = Authority::new();
    authority.write(&scratch, "server", "localhost");
    std::fs::write(scratch.file("clients.pem"), authority.0.pem()).unwrap();
    std::fs::write(scratch.file("root.ds"), world_in(&scratch).anchors()).unwrap();
    // A rule that lets everybody pass asks nothing, so the two kinds stand apart already.
    check(&scratch, &every_key_set()).exits(0);
}

#[test]
fn the_sample_has_every_key_that_there_is() {
    let scratch = Scratch::new();
    for (section, example) in [
        ("", ""),
        ("[log]", "[log]"),
        ("[tls]", "[tls]"),
        ("[limits]", "[limits]"),
        ("[verifier]", "[verifier]"),
        ("[[rules]]", "[[rules]]"),
        ("[kubernetes]", "[kubernetes]"),
    ] {
        let run = check(&scratch, &format!("{section}\nno-such-key = 1\n")).exits(2);
        let (_, known) = run.stderr.split_once(" here, but ").unwrap();
        let (known, _) = known.split_once('\n').unwrap();
        let known: Vec<&str> = known.split(", ").collect();
        assert!(!known.is_empty());
        let sample = every_key_set();
        for key in known {
            let is_there = sample.lines().any(|line| {
                line.starts_with(&format!("{key} = "))
                    || line == format!("[{key}]")
                    || line == format!("[[{key}]]")
            });
            assert!(is_there, "{example} {key}");
        }
    }
}

/// The sample with the keys that are commented out.
fn every_key_set() -> String {
    SAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest,
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn an_address_that_is_taken_is_told() {
    let scratch = Scratch::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    serve(scratch.path(), &["--verifier", "--listen", &address])
        .exits(2)
        .explains(&address)
        .hints();
}

// ------------------------------------------------------------------------------------------------- operations

#[test]
fn tells_that_it_lives_and_is_ready_and_what_it_has_done() {
    let scratch = Scratch::new();
    let server = Server::start(scratch.path(), &LOOPBACK);
    assert_eq!(server.get("/healthz", "").status, 200);
    assert_eq!(server.get("/nothing", "").status, 404);
    // It says where it listens a moment before it is ready.
    let mut tries = 0;
    eventually("ready", || {
        tries += 1;
        server.get("/readyz", "").status == 200
    });
    let post =
        "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let refused = exchange(server.connect(), post);
    assert_eq!(refused.status, 405);
    assert!(refused.head.contains("allow: get, head"));

    let metrics = server.get("/metrics", "");
    assert!(metrics.head.contains("application/openmetrics-text"));
    let accepted = format!("kliento_connections_accepted_total {}", 4 + tries);
    for line in [
        accepted.as_str(),
        "kliento_requests_total{endpoint=\"operations\",status=\"200\"} 2",
        "kliento_requests_total{endpoint=\"operations\",status=\"405\"} 1",
        "kliento_requests_total{endpoint=\"none\",status=\"404\"} 1",
        "kliento_cache_capacity_octets{tier=\"bundles\"} 8388608",
        "# EOF",
    ] {
        assert!(
            metrics.body.lines().any(|other| other == line),
            "{line}: {}",
            metrics.body
        );
    }
    eventually("one connection", || {
        let connections = server.metric("kliento_connections ");
        (1.0..2.0).contains(&connections)
    });
    server.stop().exits(0);
}

#[test]
fn labels_are_those_of_the_server_whatever_clients_send() {
    let scratch = Scratch::new();
    let server = Server::start(scratch.path(), &LOOPBACK);
    let families = |server: &Server| {
        let body = server.get("/metrics", "").body;
        body.lines()
            .filter(|line| line.starts_with("kliento_requests_total"))
            .count()
    };
    assert_eq!(server.get("/a", "").status, 404);
    let _ = families(&server);
    let before = families(&server);
    for path in ["/b", "/c?d", "/%00", "/auth", "/auth/other", "/e\"f"] {
        server.get(path, "X-Kliento-Subject: x\r\n");
        exchange(
            server.connect(),
            &format!("SPECIAL {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        );
    }
    // Nothing but refusals of what is no endpoint, or no request.
    assert!(families(&server) <= before + 1);
}

/// A page of a stranger's whose name leads to this machine can send anything but a `Host` of ours.
#[test]
fn what_dns_rebinding_sends_to_loopback_is_refused() {
    let scratch = Scratch::new();
    let configuration = "hosts = [\"kliento.example.com\"]\naudience = \"a\"\n[verifier]\n[[rules]]\npublic = true\n";
    let server = Server::configured(&scratch, configuration);
    let ask = |start: &str, host: &str| {
        let request =
            format!("{start} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: 0\r\n\r\n");
        exchange(server.connect(), &request)
    };
    for start in [
        "GET /metrics",
        "GET /healthz",
        "GET /readyz",
        "POST /?audience=a",
    ] {
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
        ] {
            let host = format!("Host: {host}\r\n");
            ask(start, &host).refuses(421, "serve.misdirected");
        }
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost:1",
            "[::1]:8080",
            "kliento",
            "Kliento.example.com:8080",
        ] {
            let answer = ask(start, &format!("Host: {host}\r\n"));
            assert_ne!(answer.status, 421, "{start} {host}");
        }
    }
    assert_eq!(
        ask("GET http://evil.example/metrics", "Host: localhost\r\n").status,
        421
    );
    // Proxies send the client's host along, and it is no secret what they are told.
    let fields = "X-Original-Method: GET\r\nX-Original-Host: a.example\r\nX-Original-URI: /\r\n";
    for (start, host) in [
        ("GET /auth/nginx", "evil.example"),
        ("GET /auth/envoy/", "app.example.com"),
    ] {
        let answer = ask(start, &format!("Host: {host}\r\n{fields}"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn names_of_the_server_are_read_again_with_the_configuration() {
    let scratch = Scratch::new();
    let server = Server::configured(&scratch, "[verifier]\n");
    let status = || {
        let request =
            "GET /healthz HTTP/1.1\r\nHost: kliento.example.com\r\nConnection: close\r\n\r\n";
        exchange(server.connect(), request).status
    };
    assert_eq!(status(), 421);
    std::fs::write(
        scratch.file("kliento.toml"),
        "hosts = [\"kliento.example.com\"]\n[verifier]\n",
    )
    .unwrap();
    server.signal("HUP");
    eventually("the new name", || status() == 200);
}

#[test]
fn operations_have_an_address_of_their_own_if_they_are_given_one() {
    let scratch = Scratch::new();
    let arguments = [&LOOPBACK[..], &["--operations-listen", "127.0.0.1:0"]].concat();
    let server = Server::start(scratch.path(), &arguments);
    assert_eq!(server.addresses()[0]["serves"], "endpoints");
    assert_eq!(server.addresses()[1]["serves"], "operations");
    let ask = |index: usize, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        exchange(connect(server.address(index)), &request).status
    };
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!((ask(0, path), ask(1, path)), (404, 200), "{path}");
    }
    assert_eq!(ask(1, "/auth/nginx"), 404);
    assert_ne!(ask(0, "/auth/nginx"), 404);
}

#[test]
fn a_unix_socket_is_taken_over_from_the_dead_and_removed_in_the_end() {
    let scratch = Scratch::new();
    let path = scratch.file("kliento.sock");
    drop(UnixListener::bind(&path).unwrap());
    let address = format!("unix:{path}");
    let server = Server::start(scratch.path(), &["--verifier", "--listen", &address]);
    assert_eq!(server.addresses()[0]["address"], address);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // That of a process which lives is not.
    serve(scratch.path(), &["--verifier", "--listen", &address])
        .exits(2)
        .explains("in use");
    server.stop().exits(0);
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn the_service_manager_is_told_when_it_is_ready_and_when_it_ends() {
    let scratch = Scratch::new();
    let path = scratch.file("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kliento"));
    command
        .arg("serve")
        .args(LOOPBACK)
        .env("NOTIFY_SOCKET", &path);
    let server = Server::spawn(scratch.path(), command);
    let mut state = [0; 64];
    let length = socket.recv(&mut state).unwrap();
    assert_eq!(&state[..length], b"READY=1");
    server.stop().exits(0);
    let length = socket.recv(&mut state).unwrap();
    assert_eq!(&state[..length], b"STOPPING=1");
}

// ----------------------------------------------------------------------------------------------------- limits

#[test]
fn a_head_has_room_for_the_largest_token_and_not_for_everything() {
    let scratch = Scratch::new();
    let server = Server::start(scratch.path(), &LOOPBACK);
    let field = |octets: usize| format!("Authorization: Kliento {}\r\n", "A".repeat(octets));
    let largest = server.get("/nothing", &field(22 * 1024));
    assert_eq!(largest.status, 404);
    assert_eq!(server.get("/nothing", &field(65_536)).status, 431);
    let many = (0..150).fold(String::new(), |text, number| {
        text + &format!("x{number}: y\r\n")
    });
    assert_eq!(server.get("/nothing", &many).status, 431);
}

#[test]
fn http_2_has_the_same_limits() {
    let scratch = Scratch::new();
    let server = Server::start(scratch.path(), &LOOPBACK);
    block_on(async {
        let mut sender = http_2(tcp(&server).await).await;
        let mut ask = async |octets: usize, fields: usize| {
            let mut request =
                http::Request::get("http://x/nothing").header("authorization", "A".repeat(octets));
            for number in 0..fields {
                request = request.header(format!("x{number}"), "y");
            }
            let request = request.body(empty()).unwrap();
            sender
                .send_request(request)
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        assert_eq!(ask(22 * 1024, 0).await, 404);
        assert_eq!(ask(1, 150).await, 431);
        assert_eq!(ask(66_000, 0).await, 431);
        assert_eq!(ask(1, 0).await, 404);
    });
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let scratch = Scratch::new();
    let server = configured(&scratch, "limits.body = 32768");
    let post = |octets: usize| {
        let body = "A".repeat(octets);
        let request = format!(
            "POST /?audience=a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: \
             application/vnd.kliento.auth-header\r\nContent-Length: {octets}\r\n\r\n{body}"
        );
        exchange(server.connect(), &request).status
    };
    assert_ne!(post(32_768), 413);
    assert_eq!(post(32_769), 413);
}

#[test]
fn clients_that_are_too_slow_are_let_go() {
    let scratch = Scratch::new();
    let configuration =
        "limits = { header-timeout = \"1s\", body-timeout = \"1s\", idle-timeout = \"2s\" }";
    let server = configured(&scratch, configuration);

    // Nothing at all, a head that breaks off, and one that does after a whole request.
    for sent in [
        "",
        "GET / HT",
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = server.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let answer = read_all(stream);
        assert_eq!(
            answer.contains("200 OK"),
            sent.starts_with("GET /healthz"),
            "{sent:?}"
        );
    }
    assert!(server.metric("kliento_connections_ended_total{cause=\"header_timeout\"}") >= 3.0);

    // A body that breaks off is answered.
    let mut stream = server.connect();
    let head = "POST /?audience=a HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.kliento.token-bundle\r\n\
                Content-Length: 5\r\n\r\nab";
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(rest(stream).status, 408);

    // And so is whoever rests for too long.
    let mut stream = server.connect();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    assert!(read_all(stream).contains("200 OK"));
    assert!(server.metric("kliento_connections_ended_total{cause=\"idle_timeout\"}") >= 1.0);
}

#[test]
fn http_2_is_told_before_a_connection_that_rests_for_too_long_is_closed() {
    let scratch = Scratch::new();
    let configuration =
        "limits = { header-timeout = \"1s\", body-timeout = \"1s\", idle-timeout = \"1s\" }";
    let server = configured(&scratch, configuration);
    block_on(async {
        let io = TokioIo::new(tcp(&server).await);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (mut sender, connection) = handshake.await.unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::get("http://x/healthz");
        let request = request.body(empty()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
        // Without being told it would be an error.
        connection.await.unwrap().unwrap();
    });
    let ended = "kliento_connections_ended_total{cause=\"idle_timeout\"}";
    eventually("the count", || server.metric(ended) >= 1.0);
}

#[test]
fn a_flood_of_streams_that_are_given_up_at_once_stops_nobody_else() {
    let scratch = Scratch::new();
    let server = Server::start(scratch.path(), &LOOPBACK);
    block_on(async {
        for _ in 0..5 {
            let sender = http_2(tcp(&server).await).await;
            for _ in 0..500 {
                let mut sender = sender.clone();
                // What is not waited for is reset.
                if sender.ready().await.is_ok() {
                    let request = tokio::spawn(sender.send_request(never_ending()));
                    tokio::task::yield_now().await;
                    request.abort();
                }
            }
        }
    });
    assert_eq!(server.get("/healthz", "").status, 200);
    server.stop().exits(0);
}

#[test]
fn a_rest_between_requests_may_be_longer_than_a_head() {
    let scratch = Scratch::new();
    let configuration =
        "limits = { header-timeout = \"1s\", body-timeout = \"1s\", idle-timeout = \"1h\" }";
    let server = configured(&scratch, configuration);
    let mut stream = server.connect();
    let mut answer = [0; 15];
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    stream.read_exact(&mut answer).unwrap();
    // Until another connection, which began later, has used up the time for its head.
    assert_eq!(read_all(server.connect()), "");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    assert!(read_all(stream).contains("HTTP/1.1 200 OK"));
}

#[test]
fn slow_connections_make_room_for_honest_ones() {
    const ROOM: usize = 50;
    const SLOW: usize = 300;
    let scratch = Scratch::new();
    // Time does not help here: nobody is let go for being slow.
    let configuration = format!(
        "limits = {{ connections = {ROOM}, header-timeout = \"1h\", idle-timeout = \"1h\" }}\n\
         operations-listen = \"127.0.0.1:0\""
    );
    let server = configured(&scratch, &configuration);
    let mut faithful = server.connect();
    let mut slow = Vec::new();
    for number in 0..SLOW {
        let mut stream = server.connect();
        stream.write_all(b"G").unwrap();
        slow.push(stream);
        // One who stays and asks now and then is never let go, and newcomers are let in.
        if number % 10 == 0 {
            faithful
                .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                .unwrap();
            let mut answer = [0; 9];
            faithful.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 ");
            drain(&mut faithful);
            assert_ne!(server.get("/auth/nginx", "").status, 0);
        }
        for stream in &mut slow {
            // Some of them are gone.
            let _ = stream.write_all(b"E");
        }
    }
    assert!(server.metric("kliento_connections ") <= 60.0);
    let dismissed = server.metric("kliento_connections_ended_total{cause=\"dismissed\"}");
    assert!(dismissed >= 250.0, "{dismissed}");
    server.stop().exits(0);
}

#[test]
fn streams_that_linger_make_room_for_those_that_do_not() {
    const LINGERING: usize = 40;
    const ROOM: usize = 8;
    let scratch = Scratch::new();
    // Time does not help here either.
    let configuration =
        format!("limits = {{ streams = {ROOM}, body-timeout = \"1h\", idle-timeout = \"1h\" }}");
    let server = configured(&scratch, &configuration);
    block_on(async {
        let hoarder = http_2(tcp(&server).await).await;
        let mut lingering: JoinSet<u16> = (0..LINGERING)
            .map(|_| {
                let mut sender = hoarder.clone();
                async move {
                    let answer = sender.send_request(never_ending()).await;
                    answer.unwrap().status().as_u16()
                }
            })
            .collect();
        // The first has the room of its connection, and the last ones what there is beside.
        for _ in 0..LINGERING - 1 - ROOM {
            assert_eq!(lingering.join_next().await.unwrap().unwrap(), 503);
        }
        let honest = http_2(tcp(&server).await).await;
        let requests = (0..=ROOM).map(|_| {
            let mut sender = honest.clone();
            let request = http::Request::get("http://x/healthz");
            let request = request.body(empty()).unwrap();
            async move { sender.send_request(request).await.unwrap().status() }
        });
        for status in futures_util::future::join_all(requests).await {
            assert_eq!(status, 200);
        }
    });
    server.stop().exits(0);
}

#[test]
fn with_fewer_files_than_connections_there_are_fewer_connections() {
    let scratch = Scratch::new();
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -n 200 && exec \"$0\" serve --verifier --listen 127.0.0.1:0 \"$@\"",
    ]);
    command.arg(env!("CARGO_BIN_EXE_kliento"));
    let server = Server::spawn(scratch.path(), command);
    eventually("the warning", || server.stderr().contains("LimitNOFILE"));
    let crowd: Vec<TcpStream> = (0..300).map(|_| server.connect()).collect();
    assert_eq!(server.get("/healthz", "").status, 200);
    drop(crowd);
    assert!(
        !server.stderr().contains("cannot accept"),
        "{}",
        server.stderr()
    );
}

// -------------------------------------------------------------------------------------------------------- TLS

#[test]
fn tls_speaks_both_versions_and_both_protocols() {
    let scratch = Scratch::new();
    let authority = Authority::new();
    authority.write(&scratch, "server", "localhost");
    let server = configured(&scratch, TLS);
    assert_eq!(server.addresses()[0]["tls"], true);
    for (version, expected) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        for protocol in ["h2", "http/1.1"] {
            let client = authority.client(&[version], &[protocol], None);
            block_on(async {
                let stream = tls(&server, client).await.unwrap();
                let (_, session) = stream.get_ref();
                assert_eq!(session.protocol_version(), Some(expected));
                assert_eq!(session.alpn_protocol(), Some(protocol.as_bytes()));
                let request = http::Request::get("https://localhost/healthz")
                    .body(empty())
                    .unwrap();
                let status = if protocol == "h2" {
                    http_2(stream)
                        .await
                        .send_request(request)
                        .await
                        .unwrap()
                        .status()
                } else {
                    http_1(stream, request).await.status()
                };
                assert_eq!(status, 200);
            });
        }
    }
    // Without TLS there is nothing to be had.
    assert_eq!(server.get("/healthz", "").status, 0);
    server.stop().exits(0);
}

#[test]
fn a_certificate_is_replaced_when_its_file_is_and_a_bad_one_is_not_taken() {
    let scratch = Scratch::new();
    let (old, new) = (Authority::new(), Authority::new());
    old.write(&scratch, "server", "localhost");
    let server = configured(
        &scratch,
        &format!("operations-listen = \"127.0.0.1:0\"\n{TLS}"),
    );
    let is_trusted_by = |authority: &Authority| {
        let client = authority.client(rustls::ALL_VERSIONS, &[], None);
        block_on(async { tls(&server, client).await.is_ok() })
    };
    assert!(is_trusted_by(&old) && !is_trusted_by(&new));
    let reloads =
        |result: &str| server.metric(&format!("kliento_tls_reloads_total{{result=\"{result}\"}}"));

    // By itself, with time.
    new.write(&scratch, "server", "localhost");
    eventually("the new certificate", || is_trusted_by(&new));
    assert!(!is_trusted_by(&old));

    // A certificate whose key is another's, and one that is none. A signal has it looked at at once.
    let failed = reloads("error");
    let (certificate, _) = old.issue("localhost");
    std::fs::write(scratch.file("server.pem"), certificate).unwrap();
    server.signal("HUP");
    eventually("the error", || reloads("error") > failed);
    assert!(is_trusted_by(&new));
    let failed = reloads("error");
    std::fs::remove_file(scratch.file("server.pem")).unwrap();
    server.signal("HUP");
    eventually("the other error", || reloads("error") > failed);
    assert!(is_trusted_by(&new));
    eventually("a line about it", || {
        server.stderr().contains("keeping the previous certificate")
    });

    old.write(&scratch, "server", "localhost");
    server.signal("HUP");
    eventually("the old certificate", || is_trusted_by(&old));
    server.stop().exits(0);
}

#[test]
fn a_reload_takes_other_files_of_tls_and_nothing_if_they_are_unusable() {
    let scratch = Scratch::new();
    let (old, new) = (Authority::new(), Authority::new());
    old.write(&scratch, "server", "localhost");
    new.write(&scratch, "other", "localhost");
    let common = "operations-listen = \"127.0.0.1:0\"\n[verifier]\n";
    let server = Server::configured(&scratch, &format!("{common}{TLS}"));
    let is_trusted_by = |authority: &Authority| {
        let client = authority.client(rustls::ALL_VERSIONS, &[], None);
        block_on(async { tls(&server, client).await.is_ok() })
    };
    let reload = |files: &str, result: &str| {
        std::fs::write(scratch.file("kliento.toml"), format!("{common}{files}")).unwrap();
        let name = format!("kliento_configuration_reloads_total{{result=\"{result}\"}}");
        let before = server.metric(&name);
        server.signal("HUP");
        eventually("the reload", || server.metric(&name) > before);
    };
    reload(&TLS.replace("server", "none"), "error");
    reload(&TLS.replace("server.pem", "other.pem"), "error");
    assert!(is_trusted_by(&old));
    reload(&TLS.replace("server", "other"), "ok");
    assert!(is_trusted_by(&new) && !is_trusted_by(&old));
    // From then on those are followed.
    old.write(&scratch, "other", "localhost");
    eventually("the certificate", || is_trusted_by(&old));
    server.stop().exits(0);
}

#[test]
fn with_a_client_ca_nobody_connects_without_its_certificate() {
    let scratch = Scratch::new();
    let (authority, clients) = (Authority::new(), Authority::new());
    authority.write(&scratch, "server", "localhost");
    std::fs::write(scratch.file("clients.pem"), clients.0.pem()).unwrap();
    let server = configured(&scratch, &format!("{TLS}client-ca = \"clients.pem\"\n"));
    let status = |certificate: Option<(String, String)>| {
        let client = authority.client(rustls::ALL_VERSIONS, &["h2"], certificate);
        block_on(async {
            // In TLS 1.3 a client learns that it was refused from what comes after the handshake.
            let stream = tls(&server, client).await.ok()?;
            let request = http::Request::get("https://localhost/healthz")
                .body(empty())
                .unwrap();
            let io = TokioIo::new(stream);
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                    .await
                    .ok()?;
            tokio::spawn(connection);
            Some(sender.send_request(request).await.ok()?.status().as_u16())
        })
    };
    assert_eq!(status(None), None);
    assert_eq!(status(Some(authority.issue("client"))), None);
    assert_eq!(status(Some(clients.issue("client"))), Some(200));
}

#[test]
fn a_certificate_that_has_expired_is_told() {
    let scratch = Scratch::new();
    let authority = Authority::new();
    authority.write_until(&scratch, "server", "localhost", 2020);
    let plan = check(&scratch, TLS).exits(0).json();
    assert_eq!(plan["certificateValidUntil"], "2020-01-01T00:00:00Z");
    assert!(
        plan["warnings"]
            .to_string()
            .contains("certificate expired at")
    );

    authority.write_until(&scratch, "server", "localhost", 2100);
    let server = configured(
        &scratch,
        &format!("operations-listen = \"127.0.0.1:0\"\n{TLS}"),
    );
    let expiry = server.metric("kliento_tls_certificate_expiry_timestamp_seconds ");
    assert!((expiry - 4_102_444_800.0).abs() < 1.0, "{expiry}");
}

#[test]
fn a_handshake_has_its_time_too() {
    let scratch = Scratch::new();
    Authority::new().write(&scratch, "server", "localhost");
    let configuration =
        format!("operations-listen = \"127.0.0.1:0\"\nlimits.header-timeout = \"1s\"\n{TLS}");
    let server = configured(&scratch, &configuration);
    // The first octets of a record with a handshake message, as RFC 8446 §5.1 has it, and then no more.
    let mut stream = server.connect();
    stream.write_all(&[22, 3, 1, 2]).unwrap();
    assert_eq!(read_all(stream), "");
    let ended = "kliento_connections_ended_total{cause=\"header_timeout\"}";
    eventually("the count", || server.metric(ended) >= 1.0);
}

#[test]
fn a_key_of_another_certificate_is_refused_at_the_start() {
    let scratch = Scratch::new();
    let authority = Authority::new();
    authority.write(&scratch, "server", "localhost");
    let (_, key) = authority.issue("localhost");
    std::fs::write(scratch.file("server.key"), key).unwrap();
    check(&scratch, TLS).exits(2).explains("server.pem").hints();
}

// ------------------------------------------------------------------------------------------------- shutting down

/// A request to the API of Kliento Verifier whose body lacks an octet.
const ALMOST: &str = "POST /?audience=a HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.kliento.token-bundle\r\n\
                      Content-Length: 3\r\n\r\nab";

#[test]
fn what_is_in_flight_is_finished_and_nothing_new_is_begun() {
    let scratch = Scratch::new();
    let arguments = [&LOOPBACK[..], &["--operations-listen", "127.0.0.1:0"]].concat();
    let server = Server::start(scratch.path(), &arguments);
    let mut in_flight = server.connect();
    in_flight.write_all(ALMOST.as_bytes()).unwrap();
    let mut at_rest = server.connect();
    at_rest
        .write_all(b"GET /auth/nginx HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut octet = [0];
    at_rest.read_exact(&mut octet).unwrap();
    let untouched = server.connect();
    eventually("all three", || server.metric("kliento_connections ") >= 4.0);

    server.signal("TERM");
    // Both have nothing to wait for.
    assert!(read_all(at_rest).ends_with("\r\n\r\n") || !server.stderr().is_empty());
    assert_eq!(read_all(untouched), "");
    eventually("no new connections", || {
        TcpStream::connect(server.address(0)).is_err()
    });
    let readiness = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(connect(server.address(1)), readiness).status, 503);

    in_flight.write_all(b"c").unwrap();
    let answer = rest(in_flight);
    assert_ne!(answer.status, 0);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    server.wait().exits(0);
}

#[test]
fn what_is_never_finished_is_cut_off_in_the_end() {
    let scratch = Scratch::new();
    let server = configured(&scratch, "shutdown-timeout = \"1s\"");
    let mut in_flight = server.connect();
    in_flight.write_all(ALMOST.as_bytes()).unwrap();
    eventually("the request", || {
        server.metric("kliento_connections ") >= 2.0
    });
    let run = server.stop().exits(0);
    run.explains("took too long and were cancelled");
    assert_eq!(rest(in_flight).status, 0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let scratch = Scratch::new();
    let server = configured(
        &scratch,
        "shutdown-timeout = \"1h\"\nlimits = { body-timeout = \"1h\", idle-timeout = \"1h\" }",
    );
    let mut in_flight = server.connect();
    in_flight.write_all(ALMOST.as_bytes()).unwrap();
    eventually("the request", || {
        server.metric("kliento_connections ") >= 2.0
    });
    server.signal("TERM");
    eventually("the first signal", || {
        server.stderr().contains("shutting down")
    });
    server.signal("INT");
    server.wait().exits(2).explains("second signal");
}

#[test]
fn streams_in_flight_are_finished_too() {
    let scratch = Scratch::new();
    let server = Server::start(scratch.path(), &LOOPBACK);
    block_on(async {
        let mut sender = http_2(tcp(&server).await).await;
        let (mut body, received) = tokio::io::duplex(64);
        let frames = futures_util::stream::unfold(received, |mut received| async move {
            let mut octets = [0; 1];
            let read = tokio::io::AsyncReadExt::read(&mut received, &mut octets)
                .await
                .ok()?;
            (read > 0).then(|| {
                (
                    Ok::<_, std::io::Error>(Frame::data(Bytes::copy_from_slice(&octets))),
                    received,
                )
            })
        });
        let request = http::Request::post("http://x/?audience=a")
            .header("content-type", "application/vnd.kliento.token-bundle")
            .body(StreamBody::new(frames).boxed_unsync())
            .unwrap();
        body.write_all(b"a").await.unwrap();
        let answer = tokio::spawn(sender.send_request(request));
        eventually("the request", || {
            server.metric("kliento_connections ") >= 2.0
        });
        server.signal("TERM");
        eventually("the signal", || server.stderr().contains("shutting down"));
        body.write_all(b"b").await.unwrap();
        drop(body);
        assert!(answer.await.unwrap().is_ok());
    });
    server.wait().exits(0);
}

// ------------------------------------------------------------------------------------------------------- logs

/// A domain of the present and a token of its bot, made with the binary.
struct Present {
    scratch: Scratch,
    authorization: String,
}

static PRESENT: LazyLock<Present> = LazyLock::new(|| {
    let scratch = Scratch::new();
    let world = world_in(&scratch);
    std::fs::write(scratch.file("anchors"), world.anchors()).unwrap();
    let chain = chain_der(&world.chain("_veraid.example.com.", TXT));
    std::fs::write(scratch.file("chain"), chain).unwrap();
    run(
        &scratch,
        "organisation certificate --domain example.com --key org.key.pem --out org.pem",
    );
    run(
        &scratch,
        &format!(
            "token issue --audience {AUDIENCE} --bot --organisation-certificate org.pem --dnssec-chain chain \
         --key org.key.pem --trust-anchors anchors --format header --out token"
        ),
    );
    let authorization = std::fs::read_to_string(scratch.file("token"))
        .unwrap()
        .trim()
        .to_owned();
    Present {
        scratch,
        authorization,
    }
});

fn run(scratch: &Scratch, line: &str) -> Run {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    run_in(scratch.path(), &arguments, b"").exits(0)
}

/// The DNS of the present, with the record of a new key in `org.key.pem`.
fn world_in(scratch: &Scratch) -> World {
    run(
        scratch,
        "key generate --algorithm rsa-2048 --out org.key.pem",
    );
    let record = run(
        scratch,
        "organisation record --domain example.com --key org.key.pem --json",
    )
    .json();
    World::builder()
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("com.", Algorithm::Ed25519)
        .zone("example.com.", Algorithm::EcdsaP256Sha256)
        .txt(
            "_veraid.example.com.",
            record["rdata"].as_str().unwrap().trim_matches('"'),
        )
        .build()
}

fn ask_as_nginx(server: &Server, uri: &str, authorization: Option<&str>) -> u16 {
    let authorization =
        authorization.map_or(String::new(), |value| format!("Authorization: {value}\r\n"));
    let fields = format!(
        "X-Original-Method: GET\r\nX-Original-Host: app.example.com\r\nX-Original-URI: {uri}\r\n{authorization}"
    );
    server.get("/auth/nginx", &fields).status
}

const POLICY: [&str; 8] = [
    "--listen",
    "127.0.0.1:0",
    "--audience",
    AUDIENCE,
    "--allow",
    "example.com",
    "--trust-anchors",
    "anchors",
];

#[test]
fn each_decision_is_a_line_and_no_line_has_the_token() {
    let present = &*PRESENT;
    let arguments = [&POLICY[..], &["--log", "json", "--log-level", "error"]].concat();
    let server = Server::start(present.scratch.path(), &arguments);
    let token = present.authorization.as_str();
    let forged = "/x\",\"decision\":\"allow\",\"subject\":\"root@example.com";
    assert_eq!(ask_as_nginx(&server, "/a?secret=1", Some(token)), 200);
    assert_eq!(ask_as_nginx(&server, "/a", Some(token)), 200);
    assert_eq!(ask_as_nginx(&server, "/a", None), 401);
    assert_eq!(
        ask_as_nginx(&server, "/a", Some(&token[..token.len() - 8])),
        401
    );
    assert_ne!(ask_as_nginx(&server, forged, None), 200);
    let run = server.stop().exits(0);

    let lines: Vec<Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 5, "{}", run.stderr);
    let (miss, hit) = (&lines[0], &lines[1]);
    for line in &lines {
        assert_eq!(line["message"], "decision");
        assert_eq!(line["target"], "kliento::audit");
        assert!(line["timestamp"].is_string() && line["microseconds"].is_u64());
    }
    assert_eq!(
        (&miss["decision"], &miss["cache"]),
        (&"allow".into(), &"miss".into())
    );
    assert_eq!(
        (&hit["decision"], &hit["cache"]),
        (&"allow".into(), &"hit".into())
    );
    assert_eq!(miss["subject"], "example.com");
    assert_eq!(miss["audience"], AUDIENCE);
    assert_eq!(miss["host"], "app.example.com");
    assert_eq!(miss["path"], "/a");
    for refused in &lines[2..] {
        assert_eq!(refused["decision"], "deny");
        assert_eq!(refused["subject"], Value::Null);
    }
    // Neither whole nor in large part, and queries can have secrets as well.
    let middle = &token[token.len() / 2..][..40];
    assert!(!run.stderr.contains(middle) && !run.stderr.contains("secret"));
}

#[test]
fn lines_of_text_can_not_be_forged_either() {
    let present = &*PRESENT;
    let server = Server::start(present.scratch.path(), &POLICY);
    let forged = "/x\"\u{a0}decision=\"allow\"\u{2028}\u{85}\u{9b}31m subject=\"root@example.com\"";
    ask_as_nginx(&server, forged, None);
    assert_eq!(
        ask_as_nginx(&server, "/", Some(&present.authorization)),
        200
    );
    let run = server.stop().exits(0);
    let decisions: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains("kliento::audit"))
        .collect();
    assert_eq!(decisions.len(), 2, "{}", run.stderr);
    assert_eq!(
        decisions
            .iter()
            .filter(|line| line.contains(" decision=\"allow\""))
            .count(),
        1
    );
    assert!(
        decisions[1].contains("subject=\"example.com\""),
        "{}",
        decisions[1]
    );
    assert!(
        run.stderr
            .chars()
            .all(|character| character == '\n' || !character.is_control())
    );
}

#[test]
fn verifications_are_counted_by_result_and_by_where_they_come_from() {
    let present = &*PRESENT;
    let server = Server::start(present.scratch.path(), &POLICY);
    for _ in 0..3 {
        ask_as_nginx(&server, "/", Some(&present.authorization));
    }
    ask_as_nginx(&server, "/", None);
    let metrics = server.get("/metrics", "").body;
    for line in [
        "kliento_verifications_total{endpoint=\"nginx\",result=\"allow\",reason=\"ok\",cache=\"miss\"} 1",
        "kliento_verifications_total{endpoint=\"nginx\",result=\"allow\",reason=\"ok\",cache=\"hit\"} 2",
        "kliento_verification_seconds_count{cache=\"hit\"} 2",
        "kliento_requests_total{endpoint=\"nginx\",status=\"200\"} 3",
        "kliento_requests_total{endpoint=\"nginx\",status=\"401\"} 1",
        "kliento_cache_hits_total{tier=\"bundles\"} 2",
    ] {
        assert!(
            metrics.lines().any(|other| other == line),
            "{line}: {metrics}"
        );
    }
    assert!(server.metric("kliento_cache_octets{tier=\"bundles\"} ") > 0.0);
}

// ----------------------------------------------------------------------------------------------------- helpers

const TLS: &str = "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n";

/// A certificate authority of a test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    /// A certificate and its key, as PEM.
    fn issue(&self, name: &str) -> (String, String) {
        self.issue_until(name, 2100)
    }

    /// The same up to the beginning of a year.
    fn issue_until(&self, name: &str, year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let issuer: &Issuer<'_, KeyPair> = &self.0;
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = parameters.signed_by(&key, issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Issues a certificate into `NAME.pem` and `NAME.key`, each replaced as a whole.
    fn write(&self, scratch: &Scratch, file: &str, name: &str) {
        self.write_until(scratch, file, name, 2100);
    }

    fn write_until(&self, scratch: &Scratch, file: &str, name: &str, year: i32) {
        let (certificate, key) = self.issue_until(name, year);
        for (suffix, content) in [("pem", certificate), ("key", key)] {
            let temporary = scratch.file("temporary");
            std::fs::write(&temporary, content).unwrap();
            std::fs::rename(temporary, scratch.file(&format!("{file}.{suffix}"))).unwrap();
        }
    }

    /// A client that trusts this authority alone.
    fn client(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
        protocols: &[&str],
        certificate: Option<(String, String)>,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut client = match certificate {
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        client.alpn_protocols = protocols
            .iter()
            .map(|protocol| protocol.as_bytes().to_vec())
            .collect();
        client
    }
}

type RequestBody = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

fn empty() -> RequestBody {
    Full::default()
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A request whose body does not come.
fn never_ending() -> http::Request<RequestBody> {
    let body = StreamBody::new(futures_util::stream::pending::<
        Result<Frame<Bytes>, std::io::Error>,
    >());
    http::Request::post("http://x/?audience=a")
        .header("content-type", "application/vnd.kliento.token-bundle")
        .body(body.boxed_unsync())
        .unwrap()
}

fn block_on<T>(task: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(task)
}

async fn tcp(server: &Server) -> tokio::net::TcpStream {
    tokio::net::TcpStream::connect(server.address(0))
        .await
        .unwrap()
}

async fn tls(
    server: &Server,
    client: ClientConfig,
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client))
        .connect(name, tcp(server).await)
        .await
}

async fn http_2<S>(stream: S) -> SendRequest<RequestBody>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

async fn http_1<S>(
    stream: S,
    request: http::Request<RequestBody>,
) -> http::Response<hyper::body::Incoming>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}

/// All that comes until the other side closes the connection.
fn read_all(mut stream: TcpStream) -> String {
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

/// What is left of an answer without a body of interest, which has come by now or comes at once.
fn drain(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet).unwrap();
        head.push(octet[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
}
