//! Messages that two readers of HTTP/1.1 could part in different ways (RFC 9112 §6.3, §11.2): each has one answer at most,
//! and what is hidden in it is never a request.

use std::io::Write as _;

use crate::server::{Server, rest};
use crate::support::Scratch;

/// Hidden where a body may be; whoever takes it for a request answers 404 and counts it.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn no_message_hides_a_second_request() {
    let scratch = Scratch::new();
    let server = Server::configured(
        &scratch,
        "audience = \"a\"\n[verifier]\n[[rules]]\nanybody = true\n",
    );
    let length = HIDDEN.len();
    let chunked = format!("0\r\n\r\n{HIDDEN}");
    let chunk_of = |text: &str| format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let whole_chunk = chunk_of(HIDDEN);
    let in_an_extension = format!("1;a\n{HIDDEN}\r\nx\r\n0\r\n\r\n");
    let cases: Vec<(&str, String, &str)> = vec![
        (
            "a length with GET",
            format!("Content-Length: {length}\r\n"),
            HIDDEN,
        ),
        (
            "a length and chunks",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
            &chunked,
        ),
        (
            "chunks and a length",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
            &chunked,
        ),
        (
            "an encoding that is none",
            format!("Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n"),
            HIDDEN,
        ),
        (
            "a space before the colon",
            format!("Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n"),
            &chunked,
        ),
        (
            "a tab before the colon",
            format!("Transfer-Encoding\t: chunked\r\nContent-Length: {length}\r\n"),
            &chunked,
        ),
        (
            "two encodings",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(),
            &chunked,
        ),
        (
            "chunked and not last",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
            &chunked,
        ),
        (
            "a list of lengths",
            format!("Content-Length: {length}, {length}\r\n"),
            HIDDEN,
        ),
        (
            "a list of two lengths",
            format!("Content-Length: 0, {length}\r\n"),
            HIDDEN,
        ),
        (
            "a length with a sign",
            format!("Content-Length: +{length}\r\n"),
            HIDDEN,
        ),
        (
            "a negative length",
            "Content-Length: -1\r\n".to_owned(),
            HIDDEN,
        ),
        (
            "a length in hexadecimal",
            format!("Content-Length: 0x{length:x}\r\n"),
            HIDDEN,
        ),
        (
            "a length beyond all numbers",
            "Content-Length: 18446744073709551616\r\n".to_owned(),
            HIDDEN,
        ),
        (
            "two lengths",
            format!("Content-Length: 0\r\nContent-Length: {length}\r\n"),
            HIDDEN,
        ),
        (
            "two lengths the other way",
            format!("Content-Length: {length}\r\nContent-Length: 0\r\n"),
            HIDDEN,
        ),
        (
            "a folded line",
            format!("X: a\r\n Content-Length: {length}\r\n"),
            "",
        ),
        (
            "a line that ends with LF",
            format!("X: a\nContent-Length: {length}\r\n"),
            HIDDEN,
        ),
        (
            "a line that ends with CR",
            format!("X: a\rContent-Length: {length}\r\n"),
            "",
        ),
        (
            "a chunk",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            &whole_chunk,
        ),
        (
            "an extension of a chunk with LF",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            &in_an_extension,
        ),
        (
            "an expectation",
            format!("Expect: 100-continue\r\nContent-Length: {length}\r\n"),
            HIDDEN,
        ),
        ("a NUL", "X: a\0b\r\n".to_owned(), ""),
    ];
    let starts = [
        "POST /?audience=a",
        "GET /auth/nginx",
        "POST /auth/envoy/",
        "GET /metrics",
        "POST /kubernetes/token-review",
        "POST /nothing",
    ];
    for start in starts {
        for (what, fields, body) in &cases {
            for version in ["1.1", "1.0"] {
                let mut stream = server.connect();
                let request = format!(
                    "{start} HTTP/{version}\r\nHost: x\r\nConnection: close\r\n{fields}\r\n{body}"
                );
                // It may be refused before it is there as a whole.
                let _ = stream.write_all(request.as_bytes());
                let answer = rest(stream);
                let answers = format!("{}\r\n\r\n{}", answer.head, answer.body);
                let (first, further) = answers
                    .strip_prefix("http/1.1 100 continue\r\n\r\n")
                    .map_or((answers.as_str(), ""), |rest| (rest, ""));
                let count = first.to_ascii_lowercase().matches("http/1.").count();
                assert!(
                    count <= 1 && further.is_empty(),
                    "{start} {what}: {answers}"
                );
                // What nobody can read is an error and no decision that lets anybody through.
                assert_ne!(answer.status, 0, "{start} {what}: no answer");
            }
        }
    }
    // As many 404 as were asked for in the open, and none for what was hidden.
    let hidden = server.metric("kliento_requests_total{endpoint=\"none\",status=\"404\"} ");
    let in_the_open = f64::from(u32::try_from(cases.len() * 2).unwrap());
    assert!(hidden <= in_the_open, "{hidden} of {in_the_open}");
}
