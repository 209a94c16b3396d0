//! Every example runs with one command and says what its documentation promises.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// Runs a program to its end and gives what it printed.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(
        !stdout.contains("Kliento MI") && !stderr.contains("Kliento MI"),
        "tokens have no place in what is printed: {stdout}{stderr}"
    );
    assert!(stdout.contains("A real server leaves `.trust_anchors(…)` out"));
    assert!(stdout.contains("All as expected."), "{stdout}");
    stdout
}

fn assert_lines(stdout: &str, lines: &[&str]) {
    for line in lines {
        let (call, outcome) = line.split_once(" -> ").unwrap();
        let is_it = |printed: &str| printed.contains(call) && printed.contains(outcome);
        assert!(
            stdout.lines().any(is_it),
            "no line says {line:?}:\n{stdout}"
        );
    }
}

const ANY_PORT: [&str; 3] = ["--check", "--listen", "127.0.0.1:0"];

#[test]
fn the_server_with_axum_tells_its_callers_apart() {
    let stdout = output_of(env!("CARGO_BIN_EXE_axum_server"), &ANY_PORT);
    assert_lines(
        &stdout,
        &[
            "/open, without a token -> 200 Hello, whoever you are!",
            "/, without a token -> 401 http.missing_authorization",
            "/, with alice's -> 200 Hello, alice@example.com!",
            "/, with bob's -> 200 Hello, bob@example.com!",
            "/, with one that has ended -> 401 veraid.signature_expired",
            "/, with one for somebody else -> 401 kliento.audience_mismatch",
            "/admin, with alice's -> 200 Hello, alice@example.com, of level 7!",
            "/admin, with bob's -> 403 kliento.subject_not_allowed",
        ],
    );
    assert_eq!(stdout.matches("All as expected.").count(), 2);
}

#[test]
fn the_server_with_axum_writes_a_token_for_other_programs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token.txt");
    let mut arguments = ANY_PORT.to_vec();
    arguments.extend(["--token-file", path.to_str().unwrap()]);
    output_of(env!("CARGO_BIN_EXE_axum_server"), &arguments);
    let line = std::fs::read_to_string(&path).unwrap();
    assert!(line.starts_with("Authorization: Kliento MI") && line.ends_with('\n'));
}

#[test]
fn the_server_with_axum_goes_on_serving_what_it_says_to_try() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_axum_server"))
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut next_with = |text: &str| {
        let line = lines.find(|line| line.as_ref().unwrap().contains(text));
        line.unwrap().unwrap()
    };
    let command = next_with("curl --header");
    let admin = next_with("/admin");
    let [_, "--header", file, url] = *command.split_whitespace().collect::<Vec<_>>() else {
        panic!("{command}");
    };
    assert_eq!(admin.trim(), format!("{}admin", command.trim()));

    let field = std::fs::read_to_string(file.strip_prefix('@').unwrap()).unwrap();
    let host = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "GET / HTTP/1.0\r\nHost: {host}\r\n{}\r\n\r\n",
        field.trim_end()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    std::fs::remove_file(file.strip_prefix('@').unwrap()).unwrap();

    assert!(response.starts_with("HTTP/1.0 200 OK"), "{response}");
    assert!(
        response.ends_with("Hello, alice@example.com!\n"),
        "{response}"
    );
}

#[test]
fn the_plain_service_lets_anybody_in_but_takes_no_bad_token() {
    let stdout = output_of(env!("CARGO_BIN_EXE_tower_service"), &ANY_PORT);
    assert_lines(
        &stdout,
        &[
            "without a token -> 200 Hello, whoever you are!",
            "with alice's -> 200 Hello, alice@example.com!",
            "with one that has ended -> 401",
        ],
    );
}

#[test]
fn the_grpc_server_answers_with_statuses_of_grpc() {
    let stdout = output_of(env!("CARGO_BIN_EXE_grpc"), &[]);
    assert_lines(
        &stdout,
        &[
            "without a token -> Unauthenticated: http.missing_authorization",
            "with alice's -> Hello, alice@example.com!",
            "with one that has ended -> Unauthenticated: veraid.signature_expired",
            "with bob's -> PermissionDenied: kliento.member_signature_required",
            "with one that the client makes itself -> Hello, alice@example.com!",
        ],
    );
}

#[test]
fn an_argument_that_nobody_knows_is_an_error_with_the_usage() {
    for program in [
        env!("CARGO_BIN_EXE_axum_server"),
        env!("CARGO_BIN_EXE_tower_service"),
    ] {
        let output = Command::new(program).arg("--lisen").output().unwrap();
        assert!(!output.status.success());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("\n  --listen ADDRESS  "), "{stderr}");
    }
}
