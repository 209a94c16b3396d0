//! `kliento token`.

use serde_json::json;

use std::fs;

use crate::support::{
    AUDIENCE, LATER, MEMBER, NOON, ORGANISATION, SOON, Scratch, WORKSHOP, fifo, mode, run_in,
    run_without_a_reader,
};

#[test]
fn prints_of_a_valid_token_exactly_what_was_agreed() {
    let run = WORKSHOP.verify("alice.token", "--json").exits(0);
    assert_eq!(
        run.json(),
        json!({
            "status": "valid",
            "subjectId": "alice@example.com",
            "subject": "alice@example.com",
            "claims": {"role": "admin"},
            "organisation": "example.com",
            "organisationUnicode": "example.com",
            "user": "alice",
            "signedBy": "member",
            "dialect": "veraid",
            "keyAlgorithm": "rsa-2048",
            "audience": AUDIENCE,
            "validFrom": NOON,
            "validUntil": "2025-11-21T12:10:00Z",
        })
    );
    assert!(run.stderr.is_empty());
}

#[test]
fn prints_text_for_people() {
    let run = WORKSHOP.verify("alice.token", "").exits(0);
    assert!(run.text().starts_with("valid\n"));
    for fact in [
        "alice@example.com",
        "the member",
        AUDIENCE,
        "role = admin",
        NOON,
    ] {
        assert!(run.text().contains(fact), "{fact}: {}", run.text());
    }
    assert!(
        !run.text().contains('\u{1b}'),
        "no colour where there is no terminal"
    );
    assert!(run.stderr.is_empty());
}

#[test]
fn all_four_kinds_of_signer_issue_tokens() {
    let scratch = Scratch::new();
    for (signer, subject, user, signed_by) in [
        (
            MEMBER.to_owned(),
            "alice@example.com",
            Some("alice"),
            "member",
        ),
        (
            "--member-id-bundle bot.member-id --key alice.key.pem".to_owned(),
            "example.com",
            None,
            "member",
        ),
        (
            format!("{ORGANISATION} --on-behalf-of bob"),
            "bob@example.com",
            Some("bob"),
            "organisation",
        ),
        (
            format!("{ORGANISATION} --bot"),
            "example.com",
            None,
            "organisation",
        ),
    ] {
        let out = scratch.file("token");
        let issued = WORKSHOP
            .issue(&format!("{signer} --json"), &out)
            .exits(0)
            .json();
        assert_eq!(issued["subject"], subject);
        assert_eq!(issued["audience"], AUDIENCE);
        assert_eq!(issued["validUntil"], "2025-11-21T12:10:00Z");
        let verified = WORKSHOP.verify(&out, "--json").exits(0).json();
        assert_eq!(verified["subject"], subject);
        assert_eq!(verified["user"].as_str(), user);
        assert_eq!(verified["signedBy"], signed_by);
    }
    assert_eq!(scratch.names(), ["token"]);
}

#[test]
fn writes_three_formats_and_reads_each_from_a_file_and_from_stdin() {
    for (format, start) in [
        ("der", &b"\x30\x82"[..]),
        ("base64", b"MII"),
        ("header", b"Kliento MII"),
    ] {
        let run = WORKSHOP
            .issue(&format!("{MEMBER} --format {format}"), "-")
            .exits(0);
        assert!(run.stdout.starts_with(start), "{format}");
        assert!(run.stderr.is_empty());
        if format != "der" {
            assert_eq!(run.text().lines().count(), 1);
            assert!(run.text().ends_with('\n'));
        }
        let line =
            format!("token verify --audience {AUDIENCE} --trust-anchors anchors --at {SOON} -");
        WORKSHOP.run_with(&line, &run.stdout).exits(0);
        let scratch = Scratch::new();
        fs::write(scratch.file("token"), &run.stdout).unwrap();
        WORKSHOP.verify(&scratch.file("token"), "").exits(0);
    }
}

#[test]
fn refuses_invalid_tokens_with_status_1_and_a_reason() {
    let verify = |options: &str| {
        let line = format!("token verify {options} alice.token");
        let text = WORKSHOP.run(&line).exits(1);
        assert!(text.stdout.is_empty(), "errors go to stderr");
        let document = WORKSHOP.run(&format!("{line} --json")).exits(1);
        assert!(document.stderr.is_empty(), "{}", document.stderr);
        let document = document.json();
        let reason = document["reason"].as_str().unwrap().to_owned();
        let members: Vec<&String> = document.as_object().unwrap().keys().collect();
        assert_eq!(members, ["error", "reason", "status"]);
        assert_eq!(document["status"], "invalid");
        text.explains("invalid: ").explains(&reason).hints();
        reason
    };
    for (options, reason) in [
        (
            format!("--audience https://shop.example --trust-anchors anchors --at {SOON}"),
            "kliento.audience_mismatch",
        ),
        (
            format!("--audience {AUDIENCE} --trust-anchors anchors --at {LATER}"),
            "veraid.signature_expired",
        ),
        (
            format!("--audience {AUDIENCE} --trust-anchors anchors --at 2025-11-21T11:59:59Z"),
            "veraid.signature_not_yet_valid",
        ),
        (
            format!("--audience {AUDIENCE} --at {SOON}"),
            "dnssec.dnskey_not_committed",
        ),
        (
            format!("--audience {AUDIENCE} --trust-anchors other-anchors --at {SOON}"),
            "dnssec.dnskey_not_committed",
        ),
    ] {
        assert_eq!(verify(&options), reason);
    }
}

#[test]
fn refuses_malformed_tokens_with_status_1_and_a_reason() {
    let der = WORKSHOP.read("alice.token");
    let cut = der[..der.len() - 1].to_vec();
    let long = vec![0x30; 20_000];
    for (octets, reason) in [
        (&b""[..], "input.empty"),
        (b"hello, world", "input.malformed_base64"),
        (b"Kliento", "kliento.malformed_header"),
        (b"Kliento !!!!", "kliento.malformed_header"),
        (b"AA=", "input.malformed_base64"),
        (b"MAMCAQ=", "input.malformed_base64"),
        (b"AAAA", "veraid.malformed_bundle"),
        (b"\x31\x00", "veraid.malformed_bundle"),
        (&cut, "veraid.malformed_bundle"),
        (&long, "kliento.bundle_too_large"),
    ] {
        let line = format!("token verify --audience {AUDIENCE} --json -");
        let document = WORKSHOP.run_with(&line, octets).exits(1).json();
        assert_eq!(document["status"], "malformed", "{reason}");
        assert_eq!(document["reason"], reason);
        assert!(document["error"].is_string());
    }
}

#[test]
fn usage_errors_are_status_2() {
    let scratch = Scratch::new();
    let out = scratch.file("token");
    let issue = |options: &str| {
        WORKSHOP.run(&format!(
            "token issue --trust-anchors anchors --not-before {NOON} {options}"
        ))
    };
    for (options, about) in [
        (
            format!("--audience {AUDIENCE} --out {out}"),
            "--member-id-bundle",
        ),
        (
            format!("--audience {AUDIENCE} --key alice.key.pem --out {out}"),
            "--organisation-certificate",
        ),
        (format!("{MEMBER} --out {out}"), "--audience"),
        (format!("--audience {AUDIENCE} {MEMBER}"), "--out"),
        (
            format!("--audience {AUDIENCE} {MEMBER} {ORGANISATION} --bot --out {out}"),
            "cannot be used",
        ),
        (
            format!("--audience {AUDIENCE} {MEMBER} --bot --out {out}"),
            "--bot",
        ),
        (
            format!("--audience {AUDIENCE} {ORGANISATION} --out {out}"),
            "--on-behalf-of",
        ),
        (
            format!("--audience {AUDIENCE} {ORGANISATION} --bot --on-behalf-of bob --out {out}"),
            "cannot be used",
        ),
        (
            format!(
                "--audience {AUDIENCE} --organisation-certificate org.pem --key org.key.pem --bot --out {out}"
            ),
            "--dnssec-chain",
        ),
        (
            format!("--audience {AUDIENCE} {MEMBER} --valid-for 61m --out {out}"),
            "at most 1h",
        ),
        (
            format!("--audience {AUDIENCE} {MEMBER} --claim admin --out {out}"),
            "NAME=VALUE",
        ),
        (
            format!("--audience {AUDIENCE} {MEMBER} --claim a=1 --claim a=2 --out {out}"),
            "given twice",
        ),
        (
            format!("--audience {AUDIENCE} {MEMBER} --format jwt --out {out}"),
            "header",
        ),
        (
            format!("--audience {AUDIENCE} {MEMBER} --json --out -"),
            "both write to stdout",
        ),
        (
            format!(
                "--audience {AUDIENCE} --member-id-bundle alice.member-id --key org.key.pem --out {out}"
            ),
            "does not belong",
        ),
    ] {
        issue(&options).exits(2).explains(about);
    }
    assert!(scratch.names().is_empty());
    WORKSHOP
        .run("token verify alice.token")
        .exits(2)
        .explains("--audience");
    WORKSHOP.run_with("token issue --audience", b"").exits(2);
    let run = WORKSHOP
        .run(&format!("token verify --audience {AUDIENCE} missing"))
        .exits(2);
    run.explains("cannot read missing");
}

#[test]
fn an_empty_audience_is_a_usage_error() {
    let run = run_in(
        &WORKSHOP.path(""),
        &["token", "verify", "--audience", "", "alice.token"],
        b"",
    );
    run.exits(2).explains("empty");
}

#[test]
fn stdin_is_read_once() {
    let line = format!("token verify --audience {AUDIENCE} --trust-anchors - -");
    let anchors = WORKSHOP.read("anchors");
    WORKSHOP
        .run_with(&line, &anchors)
        .exits(2)
        .explains("only once")
        .hints();
}

#[test]
fn refuses_to_issue_on_a_chain_that_does_not_verify() {
    let scratch = Scratch::new();
    let out = scratch.file("token");
    for signer in [MEMBER.to_owned(), format!("{ORGANISATION} --bot")] {
        for (options, reason) in [
            (
                format!("--not-before {NOON}"),
                "dnssec.dnskey_not_committed",
            ),
            (
                "--trust-anchors anchors --not-before 2025-11-27T12:00:01Z".to_owned(),
                "dnssec.rrsig_expired",
            ),
        ] {
            let run = WORKSHOP
                .run(&format!(
                    "token issue --audience {AUDIENCE} {signer} {options} --out {out}"
                ))
                .exits(1);
            run.explains(reason).hints();
        }
    }
    assert!(scratch.names().is_empty());
}

#[test]
fn a_member_hears_who_can_renew_a_bundle() {
    let scratch = Scratch::new();
    let short = scratch.file("short.member-id");
    let certify = format!(
        "member certify --name alice --public-key alice.pub.pem --organisation-certificate org.pem \
         --organisation-key org.key.pem --dnssec-chain chain --trust-anchors anchors \
         --not-before {NOON} --at {NOON} --valid-for 1h --out {short}"
    );
    WORKSHOP.run(&certify).exits(0);
    for (bundle, at, reason, hint) in [
        (
            &*short,
            "2025-11-21T13:00:01Z",
            "x509.expired",
            "hint: get a new member id bundle from your organisation's administrator",
        ),
        (
            "alice.member-id",
            "2025-11-27T12:00:01Z",
            "dnssec.rrsig_expired",
            "hint: get a fresh chain with `kliento member renew --member-id-bundle FILE`",
        ),
    ] {
        let signer =
            format!("--member-id-bundle {bundle} --key alice.key.pem --trust-anchors anchors");
        let issue = format!("token issue --audience {AUDIENCE} {signer} --not-before {at}");
        let run = WORKSHOP.run(&format!("{issue} --out {}", scratch.file("token")));
        let run = run.exits(1);
        run.explains("the member id bundle has expired: ")
            .explains(reason)
            .explains(hint);
        assert!(!run.stderr.contains("member certify"), "{}", run.stderr);
    }
}

#[test]
fn reads_tokens_and_anchors_in_the_forms_that_they_are_kept_in() {
    let scratch = Scratch::new();
    WORKSHOP
        .issue(
            &format!("{MEMBER} --format header"),
            &scratch.file("header"),
        )
        .exits(0);
    let header = fs::read_to_string(scratch.file("header")).unwrap();
    let utf_16 = |text: &str| -> Vec<u8> {
        let text = format!("\u{feff}{text}").replace('\n', "\r\n");
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let field = format!("Authorization: {header}");
    let base64 = header.trim_start_matches("Kliento ").to_owned();
    let anchors = String::from_utf8(WORKSHOP.read("anchors")).unwrap();
    fs::write(scratch.file("anchors"), utf_16(&anchors)).unwrap();
    let anchors = scratch.file("anchors");
    for text in [&header, &field, &base64] {
        let marked = format!("\u{feff}{text}").into_bytes();
        for octets in [text.clone().into_bytes(), marked, utf_16(text)] {
            let verify = format!(
                "token verify --audience {AUDIENCE} --trust-anchors {anchors} --at {SOON} -"
            );
            WORKSHOP.run_with(&verify, &octets).exits(0);
        }
    }
    // Binary output that went through PowerShell's `>`: each byte became a character.
    let token = WORKSHOP.read("alice.token");
    let spoilt: String = token.iter().copied().map(char::from).collect();
    let verify = format!("token verify --audience {AUDIENCE} --trust-anchors anchors -");
    let run = WORKSHOP.run_with(&verify, &utf_16(&spoilt)).exits(1);
    run.explains("UTF-16").explains("PowerShell");
}

#[test]
fn warns_when_the_chain_ends_before_the_token() {
    let scratch = Scratch::new();
    let run = WORKSHOP
        .run(&format!(
            "token issue --audience {AUDIENCE} {MEMBER} --trust-anchors anchors \
             --not-before 2025-11-27T11:59:00Z --out {}",
            scratch.file("token")
        ))
        .exits(0);
    run.explains("warning: ").explains("2025-11-27T12:00:00Z");
}

#[test]
fn replaces_an_older_token_whole() {
    let scratch = Scratch::new();
    let out = scratch.file("token");
    fs::write(&out, vec![b'x'; 100_000]).unwrap();
    WORKSHOP.issue(MEMBER, &out).exits(0);
    WORKSHOP.verify(&out, "").exits(0);
    assert_eq!(scratch.names(), ["token"]);
}

#[test]
fn inspects_a_token_without_vouching_for_it() {
    let document = WORKSHOP
        .run(&format!(
            "token inspect --json --at {SOON} --trust-anchors anchors alice.token"
        ))
        .exits(0)
        .json();
    assert_eq!(document["verified"], false);
    assert_eq!(document["octets"], WORKSHOP.read("alice.token").len());
    assert_eq!(document["token"]["audience"], AUDIENCE);
    assert_eq!(document["token"]["claims"]["role"], "admin");
    assert_eq!(document["service"], "1.3.6.1.4.1.58708.3.0");
    assert_eq!(document["signature"]["signedBy"], "member");
    assert_eq!(
        document["organisationCertificate"]["commonName"],
        "example.com"
    );
    assert_eq!(
        document["organisationCertificate"]["certificateAuthority"],
        true
    );
    assert_eq!(document["memberCertificate"]["commonName"], "alice");
    assert_eq!(document["memberCertificate"]["keyAlgorithm"], "rsa-2048");
    assert_eq!(document["chain"]["responses"].as_array().unwrap().len(), 6);
    let timeline = &document["timeline"];
    let parts: Vec<&str> = timeline["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["part"].as_str().unwrap())
        .collect();
    assert_eq!(
        parts,
        [
            ". DNSKEY",
            "com. DS",
            "com. DNSKEY",
            "example.com. DS",
            "example.com. DNSKEY",
            "_veraid.example.com. TXT",
            "organisation certificate",
            "member certificate",
            "token",
        ]
    );
    assert_eq!(timeline["at"], SOON);
    assert_eq!(timeline["holdsAt"], true);
    assert_eq!(
        timeline["together"],
        json!([{"from": NOON, "until": "2025-11-21T12:10:00Z"}])
    );
}

#[test]
fn draws_a_timeline_that_fits_and_says_what_has_ended() {
    let at = |time: &str| {
        WORKSHOP
            .run(&format!(
                "token inspect --at {time} --trust-anchors anchors alice.token"
            ))
            .exits(0)
    };
    let run = at(SOON);
    assert!(run.text().contains("unverified"));
    for line in run.text().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let row = |run: &str, part: &str| {
        let mut rows = run
            .lines()
            .filter(|line| line.starts_with(&format!("  {part} ")));
        rows.next_back().unwrap().to_owned()
    };
    assert!(row(run.text(), "all together").contains('●'));
    let run = at(LATER);
    assert!(row(run.text(), "member certificate").contains('●'));
    assert!(!row(run.text(), "token").contains('●'));
    assert!(!row(run.text(), "all together").contains('●'));
    assert!(run.text().contains("which ended 1s before"));
}

#[test]
fn inspects_what_a_verifier_would_refuse_at_first_sight() {
    let scratch = Scratch::new();
    let out = scratch.file("long");
    let line = format!(
        "signature create --service kliento --plaintext report {MEMBER} --trust-anchors anchors \
         --not-before {NOON} --valid-for 2h --out {out}"
    );
    WORKSHOP.run(&line).exits(0);
    let run = WORKSHOP
        .run(&format!("token inspect --at {SOON} {out}"))
        .exits(0);
    for note in ["its lifetime is 2h", "not in the bundle", "detached"] {
        assert!(run.text().contains(note), "{note}: {}", run.text());
    }
}

#[test]
fn what_a_token_claims_can_not_take_over_the_terminal() {
    let scratch = Scratch::new();
    let out = scratch.file("token");
    let line = format!(
        "token issue --audience {AUDIENCE} {MEMBER} --trust-anchors anchors --not-before {NOON} --out {out}"
    );
    let mut arguments: Vec<&str> = line.split_whitespace().collect();
    arguments.extend([
        "--claim",
        "name=\u{1b}[2J\u{202e}\nsubject  root@example.com",
        "--claim",
        "invisible=\u{34f}\u{115f}\u{1160}\u{3164}\u{ffa0}\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}",
    ]);
    run_in(&WORKSHOP.path(""), &arguments, b"").exits(0);
    for run in [
        WORKSHOP.verify(&out, "").exits(0),
        WORKSHOP
            .run(&format!("token inspect --at {SOON} {out}"))
            .exits(0),
    ] {
        assert!(!run.text().contains('\u{1b}') && !run.text().contains('\u{202e}'));
        let invisible = "\u{34f}\u{115f}\u{1160}\u{3164}\u{ffa0}\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}";
        assert!(!run.text().contains(|shown| invisible.contains(shown)));
        let forged = |line: &&str| line.trim_start().starts_with("subject  root");
        assert_eq!(
            run.text().lines().filter(forged).count(),
            0,
            "{}",
            run.text()
        );
    }
}

#[test]
fn a_token_is_for_the_eyes_of_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    for format in ["der", "base64", "header"] {
        let out = scratch.file(format);
        let issue = || {
            WORKSHOP
                .issue(&format!("{MEMBER} --format {format}"), &out)
                .exits(0)
        };
        issue();
        assert_eq!(mode(&out), 0o600, "{format}");
        // The owner may think otherwise.
        fs::set_permissions(&out, fs::Permissions::from_mode(0o640)).unwrap();
        issue();
        assert_eq!(mode(&out), 0o640, "{format}");
    }
    let out = scratch.file("signature");
    let sign = format!(
        "signature create --service kliento --plaintext report {MEMBER} --trust-anchors anchors \
         --not-before {NOON} --attach --out {out}"
    );
    WORKSHOP.run(&sign).exits(0);
    assert_eq!(mode(&out), 0o600);
}

#[test]
fn never_writes_a_token_into_a_pipe_that_somebody_else_may_have_made() {
    let scratch = Scratch::new();
    let _pipe = fifo(&scratch, "token");
    let run = WORKSHOP.issue(MEMBER, &scratch.file("token")).exits(2);
    run.explains("is not a regular file").hints();
    assert_eq!(scratch.names(), ["token"]);
}

#[test]
fn a_token_that_nobody_takes_is_a_failure() {
    let issue = format!(
        "token issue --audience {AUDIENCE} {MEMBER} --trust-anchors anchors --not-before {NOON} --out -"
    );
    run_without_a_reader(&issue).exits(2);
}

#[test]
fn a_bundle_or_chain_that_is_too_large_to_read_is_malformed() {
    let scratch = Scratch::new();
    let make = |name: &str, octets: u64| {
        let path = scratch.file(name);
        fs::File::create(&path).unwrap().set_len(octets).unwrap();
        path
    };
    // Both of holes alone.
    let large = make("large", 4 * 1024 * 1024 + 1);
    let huge = make("huge", 1024 * 1024 * 1024 + 1);
    for line in [
        format!("token verify --audience {AUDIENCE} {large}"),
        format!("token inspect {large}"),
        format!("signature verify --service kliento {huge}"),
        format!("dnssec verify --name example.com --type TXT --chain {large}"),
        format!("dnssec inspect {large}"),
        format!(
            "token issue --audience {AUDIENCE} --member-id-bundle {large} --key alice.key.pem --out {}",
            scratch.file("token")
        ),
        format!(
            "token issue --audience {AUDIENCE} --organisation-certificate org.pem --dnssec-chain {large} \
             --key org.key.pem --bot --out {}",
            scratch.file("token")
        ),
        format!(
            "member certify --bot --public-key alice.pub.pem --organisation-certificate org.pem \
             --organisation-key org.key.pem --dnssec-chain {large} --out {}",
            scratch.file("token")
        ),
    ] {
        WORKSHOP.run(&line).exits(1).explains("input.too_large");
        let document = WORKSHOP.run(&format!("{line} --json")).exits(1).json();
        assert_eq!(document["status"], "malformed", "{line}");
        assert_eq!(document["reason"], "input.too_large", "{line}");
        assert!(document["error"].is_string());
    }
    let piped = vec![b'A'; 4 * 1024 * 1024 + 1];
    let document = WORKSHOP
        .run_with("token inspect --json -", &piped)
        .exits(1)
        .json();
    assert_eq!(document["reason"], "input.too_large");
    for line in [
        format!("token verify --audience {AUDIENCE} --trust-anchors {large} alice.token"),
        format!("key public --key {large}"),
        format!(
            "member certify --bot --public-key alice.pub.pem --organisation-certificate {large} \
             --organisation-key org.key.pem --dnssec-chain chain --out {}",
            scratch.file("token")
        ),
    ] {
        WORKSHOP.run(&line).exits(2).explains("has more than");
    }
    assert_eq!(scratch.names(), ["huge", "large"]);
}

#[test]
fn names_can_not_take_over_the_terminal_of_who_signs() {
    let scratch = Scratch::new();
    let out = scratch.file("\u{202e}nekot\n\u{1b}[2J");
    for line in [
        format!("token issue --audience {AUDIENCE} {MEMBER} --not-before {NOON}"),
        format!(
            "token issue --audience {AUDIENCE} {ORGANISATION} --on-behalf-of a\u{e0101}\u{3164}b --not-before {NOON}"
        ),
        format!(
            "signature create --service kliento --plaintext report {MEMBER} --not-before {NOON}"
        ),
        format!(
            "member certify --name a\u{202d}b\u{ffa0} --public-key alice.pub.pem --organisation-certificate org.pem \
             --organisation-key org.key.pem --dnssec-chain chain --not-before {NOON}"
        ),
    ] {
        let mut arguments: Vec<&str> = line.split_ascii_whitespace().collect();
        arguments.extend(["--trust-anchors", "anchors", "--at", NOON, "--out", &out]);
        let run = run_in(&WORKSHOP.path(""), &arguments, b"").exits(0);
        assert!(run.text().starts_with("Wrote "), "{}", run.text());
        assert!(run.text().ends_with(".\n"), "{}", run.text());
        assert_eq!(run.text().lines().count(), 1, "{}", run.text());
        assert!(
            run.text()
                .trim_end()
                .bytes()
                .all(|octet| (b' '..=b'~').contains(&octet)),
            "{}",
            run.text()
        );
    }
}

#[test]
fn a_token_in_the_place_of_a_file_is_not_shown_whole() {
    let header = WORKSHOP
        .issue(&format!("{MEMBER} --format header"), "-")
        .exits(0);
    let header = header.text().trim();
    let base64 = header.strip_prefix("Kliento ").unwrap();
    let secret = base64.get(16..40).unwrap();
    let field = format!("Authorization: {header}");
    for arguments in [
        &["token", "verify", "--audience", AUDIENCE, header][..],
        &["token", "verify", "--audience", AUDIENCE, base64],
        &["token", "inspect", &field],
        &["token", "inspect", &header.to_lowercase()],
        &[
            "signature",
            "verify",
            "--service",
            "kliento",
            &base64[..100],
        ],
        // Without quotes.
        &["token", "inspect", "Kliento", base64],
        &["token", "inspect", "--at", base64],
    ] {
        let run = run_in(&WORKSHOP.path(""), arguments, b"").exits(2);
        assert!(run.stderr.len() < 600, "{}", run.stderr);
        assert!(
            !run.stderr.to_lowercase().contains(&secret.to_lowercase()),
            "{}",
            run.stderr
        );
        run.explains("…");
    }
}
