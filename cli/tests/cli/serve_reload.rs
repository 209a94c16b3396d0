//! What changes while `kliento serve` runs, and how it ends.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::server::{Server, eventually, rest};
use crate::serving::{ALICE, AUDIENCE, MALLORY, start, value};
use crate::support::Scratch;

const HEAD: &str = "trust-anchors = \"anchors\"\naudience = \"https://app.example.com\"\n";
const RELOADS: &str = "kliento_configuration_reloads_total";

fn rule(organisation: &str) -> String {
    format!("{HEAD}[[rules]]\norganisations = [\"{organisation}\"]\n")
}

fn ask(server: &Server, token: &str) -> u16 {
    let fields = format!(
        "X-Original-Method: GET\r\nX-Original-Host: app.example.com\r\nX-Original-URI: /\r\n\
         Authorization: {token}\r\n"
    );
    server.get("/auth/nginx", &fields).status
}

/// Replaces the configuration, and waits until the server has done with it.
#[track_caller]
fn reload(server: &Server, scratch: &Scratch, configuration: &str, result: &str) {
    std::fs::write(scratch.file("kliento.toml"), configuration).unwrap();
    let name = format!("{RELOADS}{{result=\"{result}\"}}");
    let before = server.metric(&name);
    server.signal("HUP");
    eventually("the reload", || server.metric(&name) > before);
}

#[test]
fn new_rules_hold_after_a_signal_and_faulty_ones_change_nothing() {
    let scratch = Scratch::new();
    let server = start(
        &scratch,
        "audience = \"https://app.example.com\"\n[[rules]]\norganisations = [\"example.com\"]\n",
    );
    let (alice, mallory) = (value(&ALICE, AUDIENCE, &[]), value(&MALLORY, AUDIENCE, &[]));
    let who = || (ask(&server, &alice), ask(&server, &mallory));
    assert_eq!(who(), (200, 403));

    reload(&server, &scratch, &rule("evil.example"), "ok");
    assert_eq!(who(), (403, 200));
    let loaded = server.metric("kliento_configuration_last_success_timestamp_seconds ");
    assert!(loaded > 0.0);

    // Each kind of fault, with a rule beside it that must not come into force.
    let faulty = [
        format!("{}nonsense = 1\n", rule("example.com")),
        format!("{}[[rules]]\n", rule("example.com")),
        rule("example.com").replace("\"anchors\"", "\"none\""),
        format!("{}[kubernetes]\naudiences = [\"a\"]\n", rule("example.com")),
        "syntax".to_owned(),
    ];
    for configuration in &faulty {
        reload(&server, &scratch, configuration, "error");
        assert_eq!(who(), (403, 200), "{configuration}");
    }
    let same = server.metric("kliento_configuration_last_success_timestamp_seconds ");
    assert!((same - loaded).abs() < f64::EPSILON);

    reload(&server, &scratch, &rule("example.com"), "ok");
    assert_eq!(who(), (200, 403));
    let run = server.stop().exits(0);
    run.explains("keeping the previous one")
        .explains("kliento.toml:5:1: there is no key")
        .explains("rule 2");
}

#[test]
fn a_request_in_flight_is_answered_under_the_rules_that_it_began_with() {
    let scratch = Scratch::new();
    let before = "[verifier]\n[[rules]]\npublic = true\n";
    let server = Server::configured(&scratch, before);
    let post = "POST /?audience=a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: \
                application/vnd.kliento.token-bundle\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    let mut in_flight = server.connect();
    in_flight.write_all(post.as_bytes()).unwrap();
    // Which it says when it waits for the body.
    let mut interim = [0; 25];
    in_flight.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    reload(&server, &scratch, "[[rules]]\npublic = true\n", "ok");
    let mut new = server.connect();
    new.write_all(post.as_bytes()).unwrap();
    assert_eq!(rest(new).status, 404);
    in_flight.write_all(b"abc").unwrap();
    assert_eq!(rest(in_flight).status, 200);
}

#[test]
fn what_was_remembered_does_not_outlive_its_trust() {
    let scratch = Scratch::new();
    let server = start(
        &scratch,
        "audience = \"https://app.example.com\"\n[[rules]]\nanybody = true\n",
    );
    let mallory = value(&MALLORY, AUDIENCE, &[]);
    assert_eq!((ask(&server, &mallory), ask(&server, &mallory)), (200, 200));
    let hits = || server.metric("kliento_cache_hits_total{tier=\"bundles\"}");
    assert!(hits() > 0.0);

    // The same trust: it is still remembered.
    let anybody = format!("{HEAD}[[rules]]\nanybody = true\n");
    reload(&server, &scratch, &anybody, "ok");
    let before = hits();
    assert_eq!(ask(&server, &mallory), 200);
    assert!(hits() > before);

    // Under another dialect, and below other anchors, it is valid no more.
    let other = format!("dialects = \"domainauth\"\n{anybody}");
    reload(&server, &scratch, &other, "ok");
    assert_eq!(ask(&server, &mallory), 401);
    reload(&server, &scratch, &anybody, "ok");
    assert_eq!(ask(&server, &mallory), 200);
    std::fs::write(scratch.file("anchors"), ALICE.trust_anchor_lines()).unwrap();
    reload(&server, &scratch, &anybody, "ok");
    assert_eq!(ask(&server, &mallory), 401);
    assert_eq!(ask(&server, &value(&ALICE, AUDIENCE, &[])), 200);
}

#[test]
fn what_takes_a_restart_is_named() {
    let scratch = Scratch::new();
    let server = start(
        &scratch,
        "audience = \"https://app.example.com\"\n[[rules]]\norganisations = [\"example.com\"]\n",
    );
    let changed = format!(
        "operations-listen = \"127.0.0.1:1\"\nlimits = {{ connections = 7, queue = 3 }}\n{}",
        rule("example.com")
    );
    reload(&server, &scratch, &changed, "ok");
    // The level is in force at once.
    let quiet = format!("log.level = \"error\"\n{}", rule("example.com"));
    reload(&server, &scratch, &quiet, "ok");
    let before = server.stderr().len();
    reload(&server, &scratch, "syntax", "error");
    eventually("an error", || server.stderr()[before..].contains("ERROR"));
    let run = server.stop().exits(0);
    assert!(run.stderr[..before].contains("INFO kliento::serve"));
    assert!(
        !run.stderr[before..].contains("INFO kliento::serve"),
        "{}",
        run.stderr
    );
    for key in ["operations-listen", "limits.connections", "limits.queue"] {
        assert!(
            run.stderr
                .lines()
                .any(|line| line.contains("restart") && line.contains(key)),
            "{key}: {}",
            run.stderr
        );
    }
    assert!(!run.stderr.contains("limits.streams"));
}

#[test]
fn a_configuration_that_came_through_a_pipe_can_not_be_read_again() {
    let scratch = Scratch::new();
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "printf '[verifier]\\n' | \"$0\" serve --config - --listen 127.0.0.1:0 \"$@\"",
    ]);
    command.arg(env!("CARGO_BIN_EXE_kliento"));
    // The shell's own process is not the server's.
    let server = Server::spawn(scratch.path(), command);
    let pid = child_of(server.id());
    assert!(
        Command::new("kill")
            .args(["-HUP", &pid])
            .status()
            .unwrap()
            .success()
    );
    eventually("the line", || {
        server
            .stderr()
            .contains("stdin is not a file, so it can't be read again")
    });
    assert_eq!(server.get("/readyz", "").status, 200);
    Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    server.wait().exits(0);
}

/// The one child of a process that was started last.
fn child_of(parent: u32) -> String {
    let mut found = None;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else {
            continue;
        };
        let is_child = status
            .lines()
            .any(|line| line == format!("PPid:\t{parent}"));
        if is_child && status.starts_with("Name:\tkliento\n") {
            found = entry.file_name().into_string().ok();
        }
    }
    found.unwrap()
}

#[test]
fn the_service_manager_is_told_of_a_reload() {
    let scratch = Scratch::new();
    let path = scratch.file("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kliento"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--verifier"])
        .env("NOTIFY_SOCKET", &path);
    let server = Server::spawn(scratch.path(), command);
    let received = || {
        let mut state = [0; 256];
        let length = socket.recv(&mut state).unwrap();
        String::from_utf8(state[..length].to_vec()).unwrap()
    };
    assert_eq!(received(), "READY=1");
    server.signal("HUP");
    let reloading = received();
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    assert!(time.unwrap().parse::<u64>().unwrap() > 0);
    assert!(received().starts_with("READY=1\nSTATUS="));
    server.stop().exits(0);
    assert_eq!(received(), "STOPPING=1");
}

#[test]
fn during_the_delay_it_is_not_ready_and_still_takes_requests_on() {
    let scratch = Scratch::new();
    let server = Server::configured(&scratch, "shutdown-delay = \"1h\"\n[verifier]\n");
    server.signal("TERM");
    eventually("not ready", || server.get("/readyz", "").status == 503);
    // On new connections.
    assert_eq!(server.get("/healthz", "").status, 200);
    assert_eq!(server.get("/auth/nginx", "").status, 400);
    server.signal("TERM");
    server.wait().exits(2).explains("second signal");
}

#[test]
fn after_the_delay_it_ends_as_without() {
    let scratch = Scratch::new();
    let server = Server::configured(&scratch, "shutdown-delay = \"1s\"\n[verifier]\n");
    let mut stream = server.connect();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        .unwrap();
    server.signal("TERM");
    eventually("not ready", || server.get("/readyz", "").status == 503);
    stream.write_all(b"Connection: close\r\n\r\n").unwrap();
    assert_eq!(rest(stream).status, 200);
    server.wait().exits(0);
}
