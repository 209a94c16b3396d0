//! `kliento key`.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{AUDIENCE, NOON, Scratch, WORKSHOP, fifo, mode, run_in, run_without_a_reader};

#[test]
fn makes_a_pkcs_8_file_that_only_its_owner_can_read() {
    let scratch = Scratch::new();
    let run = run_in(
        scratch.path(),
        &["key", "generate", "--out", "key.pem", "--json"],
        b"",
    )
    .exits(0);
    let document = run.json();
    assert_eq!(document["file"], "key.pem");
    assert_eq!(document["algorithm"], "rsa-2048");
    assert_eq!(document["keyId"].as_str().unwrap().len(), 44);
    let pem = fs::read_to_string(scratch.file("key.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(mode(scratch.file("key.pem")), 0o600);
    assert_eq!(scratch.names(), ["key.pem"]);
    assert!(
        !run.text().contains("BEGIN"),
        "the key is in the file alone"
    );
}

#[test]
fn never_overwrites_a_key_unless_forced() {
    let scratch = Scratch::new();
    fs::write(scratch.file("key.pem"), "precious").unwrap();
    let arguments = ["key", "generate", "--out", "key.pem"];
    let run = run_in(scratch.path(), &arguments, b"").exits(2);
    run.explains("key.pem already exists").hints();
    assert_eq!(fs::read(scratch.file("key.pem")).unwrap(), b"precious");
    assert_eq!(scratch.names(), ["key.pem"]);

    let arguments = [&arguments[..], &["--force"]].concat();
    run_in(scratch.path(), &arguments, b"").exits(0);
    assert!(
        fs::read_to_string(scratch.file("key.pem"))
            .unwrap()
            .contains("PRIVATE KEY")
    );
    assert_eq!(mode(scratch.file("key.pem")), 0o600);
}

#[test]
fn never_writes_a_key_through_a_link() {
    let scratch = Scratch::new();
    fs::write(scratch.file("elsewhere"), "precious").unwrap();
    std::os::unix::fs::symlink("elsewhere", scratch.file("key.pem")).unwrap();
    run_in(
        scratch.path(),
        &["key", "generate", "--out", "key.pem"],
        b"",
    )
    .exits(2);
    assert_eq!(fs::read(scratch.file("elsewhere")).unwrap(), b"precious");
}

#[test]
fn never_writes_a_key_into_a_pipe_that_somebody_else_may_have_made() {
    use std::os::unix::fs::FileTypeExt as _;
    let scratch = Scratch::new();
    // Open at both ends, so that nothing that writes to it would have to wait.
    let _pipe = fifo(&scratch, "key.pem");
    std::os::unix::fs::symlink("key.pem", scratch.file("link")).unwrap();
    fs::create_dir(scratch.file("directory")).unwrap();
    for name in ["key.pem", "link", "directory"] {
        for force in [&[][..], &["--force"]] {
            let arguments = [&["key", "generate", "--out", name], force].concat();
            let run = run_in(scratch.path(), &arguments, b"").exits(2);
            run.explains("is not a regular file")
                .explains("--out -")
                .hints();
        }
    }
    let kind = fs::metadata(scratch.file("key.pem")).unwrap().file_type();
    assert!(kind.is_fifo());
    assert_eq!(scratch.names(), ["directory", "key.pem", "link"]);
}

#[test]
fn a_key_that_nobody_takes_is_a_failure() {
    run_without_a_reader("key generate --out -").exits(2);
    run_without_a_reader("key public --key alice.key.pem").exits(2);
    run_without_a_reader("key public --key alice.key.pem --out -").exits(2);
    run_without_a_reader("org record --domain example.com --key org.key.pem").exits(2);
}

#[test]
fn a_key_is_no_large_file() {
    let scratch = Scratch::new();
    let mut key = WORKSHOP.read("alice.key.pem");
    key.resize(64 * 1024, b'\n');
    WORKSHOP.run_with("key public --key -", &key).exits(0);
    key.push(b'\n');
    fs::write(scratch.file("key"), &key).unwrap();
    for (source, stdin) in [("-", &key[..]), (&scratch.file("key"), b"")] {
        for command in ["key public", "organisation record --domain example.com"] {
            let run = WORKSHOP.run_with(&format!("{command} --json --key {source}"), stdin);
            run.exits(2).explains("65536 bytes");
        }
    }
}

#[test]
fn a_public_file_keeps_the_mode_of_what_it_replaces() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let out = scratch.file("pub.pem");
    for bits in [0o600, 0o640, 0o666] {
        fs::write(&out, "old").unwrap();
        fs::set_permissions(&out, fs::Permissions::from_mode(bits)).unwrap();
        WORKSHOP
            .run(&format!("key public --key alice.key.pem --out {out}"))
            .exits(0);
        assert_eq!(mode(&out), bits);
        assert_eq!(fs::read(&out).unwrap(), WORKSHOP.read("alice.pub.pem"));
    }
}

#[test]
fn nothing_is_written_over_a_private_key_by_a_slip_in_out() {
    let scratch = Scratch::new();
    let key = scratch.file("key.pem");
    fs::write(&key, WORKSHOP.read("alice.key.pem")).unwrap();
    for command in [
        format!("key public --key {key} --out {key}"),
        format!("organisation certificate --domain example.com --key org.key.pem --out {key}"),
        format!(
            "token issue --audience a --member-id-bundle alice.member-id --key alice.key.pem --trust-anchors anchors \
             --out {key}"
        ),
    ] {
        WORKSHOP
            .run(&command)
            .exits(2)
            .explains("keys are not overwritten")
            .hints();
        assert_eq!(fs::read(&key).unwrap(), WORKSHOP.read("alice.key.pem"));
    }
}

#[test]
fn writes_a_public_file_through_links_that_lead_to_nothing_yet() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.file("sub")).unwrap();
    std::os::unix::fs::symlink("sub/second", scratch.file("first")).unwrap();
    std::os::unix::fs::symlink("pub.pem", scratch.file("sub/second")).unwrap();
    let write = || {
        WORKSHOP.run(&format!(
            "key public --key alice.key.pem --out {}",
            scratch.file("first")
        ))
    };
    for _ in 0..2 {
        write().exits(0);
        let written = fs::symlink_metadata(scratch.file("sub/pub.pem")).unwrap();
        assert!(written.is_file());
        for link in ["first", "sub/second"] {
            assert!(
                fs::symlink_metadata(scratch.file(link))
                    .unwrap()
                    .is_symlink()
            );
        }
    }
    std::os::unix::fs::symlink("loop", scratch.file("loop")).unwrap();
    fs::remove_file(scratch.file("first")).unwrap();
    std::os::unix::fs::symlink("loop", scratch.file("first")).unwrap();
    write().exits(2).explains("too many symbolic links");
}

#[test]
fn says_so_if_there_is_no_directory() {
    let scratch = Scratch::new();
    let run = run_in(
        scratch.path(),
        &["key", "generate", "--out", "no/key.pem"],
        b"",
    )
    .exits(2);
    run.explains("cannot write no/key.pem").hints();
    assert!(scratch.names().is_empty());
}

#[test]
fn writes_a_key_to_stdout_and_nothing_else() {
    let scratch = Scratch::new();
    let run = run_in(scratch.path(), &["key", "generate", "--out", "-"], b"").exits(0);
    assert!(run.text().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(run.text().ends_with("-----END PRIVATE KEY-----\n"));
    assert!(scratch.names().is_empty());
    let run = run_in(
        scratch.path(),
        &["key", "generate", "--out", "-", "--json"],
        b"",
    )
    .exits(2);
    run.explains("both write to stdout").hints();
    assert!(run.stdout.is_empty());
}

#[test]
fn takes_the_public_key_out() {
    let file = WORKSHOP.read("alice.pub.pem");
    let run = WORKSHOP.run("key public --key alice.key.pem").exits(0);
    assert_eq!(run.stdout, file);
    let key = WORKSHOP.read("alice.key.pem");
    let run = WORKSHOP.run_with("key public --key -", &key).exits(0);
    assert_eq!(run.stdout, file);
    let document = WORKSHOP
        .run("key public --key alice.key.pem --json")
        .exits(0)
        .json();
    assert_eq!(document["publicKey"].as_str().unwrap().as_bytes(), file);
    assert_eq!(mode(WORKSHOP.path("alice.pub.pem")) & 0o600, 0o600);
}

#[test]
fn says_which_kind_of_key_it_can_not_use_and_what_would_do() {
    const ED448: &str = "-----BEGIN PRIVATE KEY-----
MEcCAQAwBQYDK2VxBDsEORV5YZUw+xd9SYbDeV8Tn9e+XNKWPpAje7DWbA9dPm8w
/ctXXC2mdRbuP2FXF/iIEJ/MiXOrRzym0g==
-----END PRIVATE KEY-----\n";
    const ENCRYPTED: &str =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let public = WORKSHOP.read("alice.pub.pem");
    for (file, about) in [
        (ED448.as_bytes(), "Ed448"),
        (ENCRYPTED.as_bytes(), "encrypted"),
        (&public[..], "public key"),
        (b"hello", "PEM"),
        (b"\xff\xfe", "PEM"),
        (b"\xff\xff", "malformed"),
    ] {
        let run = WORKSHOP.run_with("key public --key -", file).exits(2);
        run.explains("stdin: ").explains(about);
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn refuses_algorithms_that_there_are_not() {
    for algorithm in ["rsa-1024", "ed448", ""] {
        let scratch = Scratch::new();
        let arguments = [
            "key",
            "generate",
            "--algorithm",
            algorithm,
            "--out",
            "key.pem",
        ];
        run_in(scratch.path(), &arguments, b"").exits(2);
        assert!(scratch.names().is_empty());
    }
}

/// What is between the lines of a PEM file.
fn der(pem: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(pem).unwrap();
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}

/// As PowerShell 5 redirects text, and as editors save "Unicode big endian".
fn utf_16(text: &[u8]) -> [Vec<u8>; 2] {
    let text = format!("\u{feff}{}", std::str::from_utf8(text).unwrap());
    [
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ]
}

/// A PEM file, and the same key or certificate in other forms.
fn forms(pem: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let [little, big] = utf_16(pem);
    let marked = [&b"\xef\xbb\xbf"[..], pem].concat();
    let lines = String::from_utf8(pem.to_vec())
        .unwrap()
        .replace('\n', "\r\n");
    vec![
        ("DER", der(pem)),
        ("UTF-8 with a mark", marked),
        ("UTF-16LE", little),
        ("UTF-16BE", big),
        ("CR LF", lines.into_bytes()),
    ]
}

#[test]
fn reads_keys_and_certificates_in_der_and_in_the_encodings_of_windows() {
    let expected = WORKSHOP.run("key public --key alice.key.pem").exits(0);
    let record = "organisation record --domain example.com --key";
    let published = WORKSHOP.run(&format!("{record} org.key.pem")).exits(0);
    for (form, private) in forms(&WORKSHOP.read("alice.key.pem")) {
        let public = WORKSHOP.run_with("key public --key -", &private).exits(0);
        assert_eq!(public.stdout, expected.stdout, "{form}");
        let issue = format!(
            "token issue --audience {AUDIENCE} --not-before {NOON} --trust-anchors anchors --out - \
             --member-id-bundle alice.member-id --key -"
        );
        WORKSHOP.run_with(&issue, &private).exits(0);
    }
    let public = WORKSHOP.run("key public --key org.key.pem").exits(0);
    for pem in [WORKSHOP.read("org.key.pem"), public.stdout] {
        for (form, key) in forms(&pem) {
            let run = WORKSHOP.run_with(&format!("{record} -"), &key).exits(0);
            assert_eq!(run.stdout, published.stdout, "{form}");
        }
    }
    let certify = format!(
        "member certify --name alice --out - --organisation-key org.key.pem --dnssec-chain chain \
         --trust-anchors anchors --not-before {NOON} --at {NOON}"
    );
    for (_, key) in forms(&WORKSHOP.read("alice.pub.pem")) {
        let certify = format!("{certify} --organisation-certificate org.pem --public-key -");
        WORKSHOP.run_with(&certify, &key).exits(0);
    }
    for (_, certificate) in forms(&WORKSHOP.read("org.pem")) {
        let certify = format!("{certify} --organisation-certificate - --public-key alice.pub.pem");
        WORKSHOP.run_with(&certify, &certificate).exits(0);
    }
}

#[test]
fn says_what_a_key_in_der_is_that_is_not_read() {
    let private = der(&WORKSHOP.read("alice.key.pem"));
    let public = der(&WORKSHOP.read("alice.pub.pem"));
    let record = "organisation record --domain example.com --key -";
    for (key, said) in [
        (public.clone(), "this is a public key"),
        (b"\x30\x77\x02\x01\x01\x04\x20".to_vec(), "SEC 1"),
        (
            b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01".to_vec(),
            "PKCS #1",
        ),
        (
            b"\x30\x81\x9b\x30\x57\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d".to_vec(),
            "is encrypted",
        ),
        (b"\x30\x03\x02\x01\x05".to_vec(), "malformed"),
        (private[..100].to_vec(), "malformed"),
    ] {
        let run = WORKSHOP.run_with("key public --key -", &key).exits(2);
        run.explains(said);
    }
    WORKSHOP
        .run_with(record, b"\x30\x77\x02\x01\x01\x04\x20")
        .exits(2)
        .explains("SEC 1");
    let certify = format!(
        "member certify --name alice --out - --organisation-key org.key.pem --dnssec-chain chain \
         --trust-anchors anchors --not-before {NOON} --at {NOON} --organisation-certificate org.pem --public-key -"
    );
    WORKSHOP
        .run_with(&certify, &private)
        .exits(2)
        .explains("this is a private key");
    // Neither encoding.
    let run = WORKSHOP.run_with("key public --key -", b"\xff\xfe\x00\xd8");
    run.exits(2).explains("malformed");
}

#[test]
fn a_private_key_in_any_form_is_replaced_by_nothing() {
    let scratch = Scratch::new();
    let others = [
        (
            "PKCS #12",
            b"\x30\x82\x09\x11\x02\x01\x03\x30\x82\x08\xd7".to_vec(),
        ),
        ("SEC 1", b"\x30\x77\x02\x01\x01\x04\x20".to_vec()),
    ];
    let key = WORKSHOP.path("alice.key.pem");
    let key = key.to_str().unwrap();
    for (form, octets) in forms(&WORKSHOP.read("alice.key.pem"))
        .into_iter()
        .chain(others)
    {
        fs::write(scratch.file("file"), &octets).unwrap();
        let arguments = ["key", "public", "--key", key, "--out", "file"];
        run_in(scratch.path(), &arguments, b"")
            .exits(2)
            .explains("file already exists")
            .hints();
        assert_eq!(fs::read(scratch.file("file")).unwrap(), octets, "{form}");
    }
    // A public key in the same forms is replaced.
    for (_, octets) in forms(&WORKSHOP.read("alice.pub.pem")) {
        fs::write(scratch.file("file"), &octets).unwrap();
        let arguments = ["key", "public", "--key", key, "--out", "file"];
        run_in(scratch.path(), &arguments, b"").exits(0);
    }
}
