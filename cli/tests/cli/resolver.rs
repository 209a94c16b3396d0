//! `kliento dnssec retrieve`, from a resolver on loopback that answers out of a world in memory.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;

use kliento_fixtures::{Algorithm, Name, Response, SERVFAIL, World, ZoneSpec};

use crate::support::{Run, Scratch, run_in};

/// Octets of a DNS header (RFC 1035 §4.1.1).
const HEADER: usize = 12;
const RECORD: &str = "1 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY= 3600";

/// Reads the question of a query (RFC 1035 §4.1.2).
fn question(query: &[u8]) -> (Name, u16) {
    let mut labels = Vec::new();
    let mut position = HEADER;
    while query[position] != 0 {
        let length = usize::from(query[position]);
        labels.push(query[position + 1..=position + length].to_vec());
        position += 1 + length;
    }
    let record_type = u16::from_be_bytes([query[position + 1], query[position + 2]]);
    (Name::from_labels(labels), record_type)
}

/// Starts a resolver that says what is true in `world`, but for what `meddle` does to it.
pub(crate) fn resolver(
    world: World,
    meddle: impl Fn(&mut Response) + Send + 'static,
) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut query = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            let (name, record_type) = question(&query[..length]);
            let mut response = world.answer(name, record_type);
            response.id = u16::from_be_bytes([query[0], query[1]]);
            meddle(&mut response);
            let _ = socket.send_to(&response.to_message(), client);
        }
    });
    address
}

/// The present, with domains that are signed, one of them without a DS record.
fn world() -> World {
    World::builder()
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("example.", Algorithm::EcdsaP256Sha256)
        .with_zone(ZoneSpec::new("island.example.", Algorithm::EcdsaP256Sha256).insecure())
        .with_zone(ZoneSpec::new("unsigned.example.", Algorithm::EcdsaP256Sha256).unsigned())
        .txt("_veraid.one.example.", RECORD)
        .txt("_domainauth.one.example.", format!("0 1 {RECORD}"))
        .txt("_veraid.two.example.", RECORD)
        .txt("_veraid.two.example.", "v=spf1 -all")
        .txt("_veraid.island.example.", RECORD)
        .txt("_veraid.unsigned.example.", RECORD)
        .build()
}

fn retrieve(
    scratch: &Scratch,
    world: &World,
    resolver: impl std::fmt::Display,
    domain: &str,
    more: &[&str],
) -> Run {
    let resolvers = [resolver.to_string()];
    retrieve_any(scratch, world, &resolvers, &["--domain", domain], more)
}

fn retrieve_any(
    scratch: &Scratch,
    world: &World,
    resolvers: &[String],
    what: &[&str],
    more: &[&str],
) -> Run {
    std::fs::write(scratch.file("anchors"), world.anchors()).unwrap();
    let mut arguments = vec!["dnssec", "retrieve"];
    for resolver in resolvers {
        arguments.extend(["--resolver", resolver]);
    }
    arguments.extend(what);
    arguments.extend(["--trust-anchors", "anchors", "--out", "chain"]);
    arguments.extend(more);
    run_in(scratch.path(), &arguments, b"")
}

#[test]
fn retrieves_a_chain_that_verifies() {
    let (scratch, world) = (Scratch::new(), world());
    let address = resolver(world.clone(), |_| {});
    let run = retrieve(&scratch, &world, address, "one.example", &["--json"]).exits(0);
    let document = run.json();
    assert_eq!(document["name"], "_veraid.one.example.");
    assert_eq!(document["records"][0], format!("\"{RECORD}\""));
    assert_eq!(document["responses"], 4);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    assert_eq!(scratch.names(), ["anchors", "chain"]);
    let arguments = [
        &[
            "dnssec",
            "verify",
            "--name",
            "_veraid.one.example",
            "--type",
            "TXT",
        ],
        &["--chain", "chain", "--trust-anchors", "anchors"][..],
    ]
    .concat();
    run_in(scratch.path(), &arguments, b"").exits(0);
}

#[test]
fn retrieves_the_chain_of_either_dialect() {
    let (scratch, world) = (Scratch::new(), world());
    let address = resolver(world.clone(), |_| {});
    for (dialect, name) in [
        ("veraid", "_veraid.one.example."),
        ("domainauth", "_domainauth.one.example."),
    ] {
        let more = ["--dialect", dialect, "--json"];
        let run = retrieve(&scratch, &world, address, "one.example", &more).exits(0);
        assert_eq!(run.json()["name"], name);
        assert!(run.stderr.is_empty(), "{}", run.stderr);
    }
    let name = ["--name", "one.example", "--type", "TXT"];
    let dialect = ["--dialect", "domainauth"];
    let resolvers = [address.to_string()];
    retrieve_any(&scratch, &world, &resolvers, &name, &dialect).exits(2);
}

#[test]
fn warns_of_dnssec_signatures_that_are_too_long_for_domain_auth() {
    const DAY: i64 = 86_400;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    let slow = ZoneSpec::new("slow.example.", Algorithm::EcdsaP256Sha256)
        .window(now - DAY, now + 90 * DAY);
    let world = World::builder()
        .zone(".", Algorithm::EcdsaP256Sha256)
        .zone("example.", Algorithm::EcdsaP256Sha256)
        .with_zone(slow)
        .txt("_domainauth.slow.example.", format!("0 1 {RECORD}"))
        .txt("_veraid.slow.example.", RECORD)
        .build();
    let address = resolver(world.clone(), |_| {});
    let scratch = Scratch::new();
    let domain_auth = ["--dialect", "domainauth"];
    retrieve(&scratch, &world, address, "slow.example", &domain_auth)
        .exits(0)
        .explains("warning: DomainAuth allows DNSSEC signatures of at most 90 days");
    let run = retrieve(&scratch, &world, address, "slow.example", &[]).exits(0);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
}

#[test]
fn warns_of_records_that_other_implementations_stumble_over() {
    let (scratch, world) = (Scratch::new(), world());
    let address = resolver(world.clone(), |_| {});
    let run = retrieve(&scratch, &world, address, "two.example", &[]).exits(0);
    run.explains("warning: some of the TXT records");
}

#[test]
fn each_kind_of_failure_is_an_error_of_its_own_with_what_to_do_next() {
    let world = world();
    // Where nothing listens; over TCP that is known at once.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let scratch = Scratch::new();
    let run = retrieve(
        &scratch,
        &world,
        format_args!("tls://{closed}"),
        "one.example",
        &[],
    )
    .exits(2);
    run.explains("does not answer")
        .explains("retrieval.no_response")
        .hints();
    let failing = resolver(world.clone(), |response| {
        response.rcode = SERVFAIL;
        response.answers.clear();
    });
    let stripping = resolver(world.clone(), |response| {
        response.drop_signatures();
    });
    let honest = resolver(world.clone(), |_| {});
    for (address, domain, status, reason, about) in [
        (
            failing,
            "one.example",
            2,
            "retrieval.response_code",
            "SERVFAIL",
        ),
        (
            stripping,
            "one.example",
            2,
            "retrieval.signatures_stripped",
            "removes DNSSEC signatures",
        ),
        (
            honest,
            "island.example",
            1,
            "retrieval.no_delegation_signer",
            "no DS record",
        ),
        (
            honest,
            "unsigned.example",
            1,
            "retrieval.unsigned",
            "not signed",
        ),
        (
            honest,
            "three.example",
            1,
            "dnssec.absent",
            "example. is signed, but has no _veraid.three TXT record",
        ),
    ] {
        let scratch = Scratch::new();
        let run = retrieve(&scratch, &world, address, domain, &[]).exits(status);
        run.explains(about).explains(reason).hints();
        assert_eq!(scratch.names(), ["anchors"], "nothing was written");
    }
}

#[test]
fn retrieves_records_of_any_name_and_type() {
    let (scratch, world) = (Scratch::new(), world());
    let address = resolver(world.clone(), |_| {});
    let what = ["--name", "example", "--type", "DNSKEY"];
    let document = retrieve_any(&scratch, &world, &[address.to_string()], &what, &["--json"])
        .exits(0)
        .json();
    assert_eq!(document["name"], "example.");
    assert_eq!(document["type"], "DNSKEY");
    assert_eq!(document["records"].as_array().unwrap().len(), 2);
    assert!(document["denial"].is_null());
    assert_eq!(document["resolver"], address.to_string());
}

#[test]
fn writes_the_proof_of_absence_only_when_told_to() {
    let (scratch, world) = (Scratch::new(), world());
    let address = [resolver(world.clone(), |_| {}).to_string()];
    let what = ["--domain", "three.example"];
    let run = retrieve_any(&scratch, &world, &address, &what, &["--json"]).exits(1);
    assert_eq!(run.json()["reason"], "dnssec.absent");
    assert_eq!(scratch.names(), ["anchors"]);

    let more = ["--json", "--absent"];
    let document = retrieve_any(&scratch, &world, &address, &what, &more)
        .exits(0)
        .json();
    assert_eq!(document["denial"], "nxdomain");
    assert_eq!(document["records"], serde_json::json!([]));
    assert_eq!(scratch.names(), ["anchors", "chain"]);

    std::fs::remove_file(scratch.file("chain")).unwrap();
    let run = retrieve_any(&scratch, &world, &address, &what, &["--absent"]).exits(0);
    assert!(
        run.text()
            .contains("which prove that _veraid.three.example.")
    );
}

#[test]
fn asks_the_next_resolver_when_one_gives_no_proof() {
    let (scratch, world) = (Scratch::new(), world());
    let stripping = resolver(world.clone(), |response| {
        response.drop_signatures();
    });
    let honest = resolver(world.clone(), |_| {});
    let what = ["--domain", "one.example"];
    let both = [stripping.to_string(), honest.to_string()];
    let document = retrieve_any(&scratch, &world, &both, &what, &["--json"])
        .exits(0)
        .json();
    assert_eq!(document["resolver"], honest.to_string());

    let both = [stripping.to_string(), stripping.to_string()];
    let run = retrieve_any(&scratch, &world, &both, &what, &[]).exits(2);
    run.explains("none of 2 resolvers returned a proof")
        .explains("retrieval.signatures_stripped")
        .hints();
}

#[test]
fn refuses_what_a_resolver_says_under_another_root() {
    let (scratch, other) = (Scratch::new(), world());
    let address = resolver(world(), |_| {});
    let run = retrieve(&scratch, &other, address, "one.example", &[]).exits(1);
    run.explains("dnssec.dnskey_not_committed").hints();
    assert_eq!(scratch.names(), ["anchors"]);
}

#[test]
fn refuses_resolvers_and_authorities_that_are_none() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file("empty"), "").unwrap();
    for options in [
        &["--resolver", "nonsense"][..],
        &["--resolver", "ftp://127.0.0.1"],
        &["--resolver", "fe80::1%nosuch0"],
        &["--resolver", "https://127.0.0.1/dns-query{?ct}"],
        &["--resolver", "tls://127.0.0.1", "--resolver-ca", "empty"],
        &["--resolver", "tls://127.0.0.1", "--resolver-ca", "missing"],
    ] {
        let arguments = [
            &[
                "dnssec",
                "retrieve",
                "--domain",
                "one.example",
                "--out",
                "chain",
            ],
            options,
        ]
        .concat();
        run_in(scratch.path(), &arguments, b"").exits(2);
    }
    assert_eq!(scratch.names(), ["empty"]);
}

#[test]
fn asks_for_a_domain_or_for_a_name_and_a_type() {
    let scratch = Scratch::new();
    for options in [
        &[][..],
        &["--name", "one.example"],
        &["--type", "TXT"],
        &["--domain", "one.example", "--type", "TXT"],
        &[
            "--domain",
            "one.example",
            "--name",
            "one.example",
            "--type",
            "TXT",
        ],
    ] {
        let arguments = [&["dnssec", "retrieve", "--out", "chain"], options].concat();
        run_in(scratch.path(), &arguments, b"").exits(2);
    }
    assert!(scratch.names().is_empty());
}

#[test]
fn writes_the_records_of_rfc_9102_if_asked_to() {
    let scratch = Scratch::new();
    let world = world();
    let address = [resolver(world.clone(), |_| {}).to_string()];
    let what = ["--name", "_veraid.one.example", "--type", "TXT"];
    let more = ["--format", "rfc9102", "--json"];
    let run = retrieve_any(&scratch, &world, &address, &what, &more).exits(0);
    let document = run.json();
    let written = std::fs::read(scratch.file("chain")).unwrap();
    assert_eq!(document["octets"], written.len());
    assert!(written.starts_with(b"\x07_veraid\x03one\x07example\x00\x00\x10\x00\x01"));

    let anchors = scratch.file("anchors");
    let out = scratch.file("chain");
    let verify = [
        "dnssec",
        "verify",
        "--format",
        "rfc9102",
        "--json",
        "--chain",
        &out,
        "--trust-anchors",
        &anchors,
    ];
    let proven = run_in(scratch.path(), &[&verify[..], &what].concat(), b"").exits(0);
    assert_eq!(proven.json()["records"], document["records"]);
}
