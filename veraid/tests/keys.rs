//! Key files: what they are told apart from, and what is said about those that cannot be used.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test that is how to fail"
)]

mod support;

use std::fmt::Write as _;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use data_encoding::BASE64;
use support::der::*;
use support::*;
use veraid::{DigestType, KeyAlgorithm, KeyError, PrivateKey, PublicKey, SigningKey as _};

fn pem(label: &str, octets: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in BASE64.encode(octets).as_bytes().chunks(64) {
        writeln!(text, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    writeln!(text, "-----END {label}-----").unwrap();
    text
}

/// PKCS #8 around numbers that are no RSA key, but have the size of one.
fn private_key_info(algorithm: &str, bits: usize) -> Vec<u8> {
    let one = integer(&[1]);
    let mut numbers = vec![
        integer(&[0]),
        positive_integer(&modulus_of(bits)),
        integer(&[1, 0, 1]),
    ];
    numbers.extend(vec![one; 6]);
    let key = octet_string(&sequence(&numbers));
    sequence(&[integer(&[0]), sequence(&[oid(algorithm), null()]), key])
}

/// Checks that each file is refused with an error that says certain words.
fn refuse_private(cases: &[(String, [&str; 2])]) {
    for (file, words) in cases {
        let error = PrivateKey::from_pkcs8_pem(file).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word} not in: {error}");
        }
        // No error repeats what may be a secret.
        assert!(error.len() < 300, "{error}");
    }
}

#[test]
fn tells_private_keys_in_other_forms_apart() {
    const ENCRYPTED: [&str; 2] = ["encrypted", "openssl pkcs8"];
    const PKCS1: [&str; 2] = ["PKCS #1", "openssl pkcs8 -topk8 -nocrypt"];
    const PUBLIC: [&str; 2] = ["public key", "private key that belongs to it"];
    let pbes2 = sequence(&[oid("1.2.840.113549.1.5.13"), null()]);
    let encrypted = sequence(&[pbes2, octet_string(&[1; 64])]);
    let pkcs1 = sequence(&[integer(&[0]), positive_integer(&modulus_of(2048))]);
    let encrypted_pkcs1 = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
                           DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let garbled = "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n";
    let public = &member_key().spki;
    refuse_private(&[
        (pem("ENCRYPTED PRIVATE KEY", &encrypted), ENCRYPTED),
        (encrypted_pkcs1.to_owned(), ENCRYPTED),
        (pem("PRIVATE KEY", &encrypted), ENCRYPTED),
        (pem("RSA PRIVATE KEY", &pkcs1), PKCS1),
        (pem("PRIVATE KEY", &pkcs1), PKCS1),
        (pem("PUBLIC KEY", public), PUBLIC),
        (pem("RSA PUBLIC KEY", public), PUBLIC),
        (pem("PRIVATE KEY", public), PUBLIC),
        (pem("CERTIFICATE", public), ["certificate", "private key"]),
        (
            pem("PRIVATE KEY", b"\x30\x80"),
            ["malformed", "a definite length"],
        ),
        (String::new(), ["not a PEM file", "-----BEGIN"]),
        (garbled.to_owned(), ["not a PEM file", "Base64"]),
    ]);
}

#[test]
fn tells_private_keys_of_other_algorithms_and_sizes_apart() {
    const USABLE: &str = "RSA keys of 2048, 3072 or 4096 bits can";
    const SIZES: &str = "those of 2048, 3072 or 4096 bits can";
    let random = SystemRandom::new();
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let rsa = |bits| pem("PRIVATE KEY", &private_key_info(RSA_ENCRYPTION, bits));
    let other = |algorithm| pem("PRIVATE KEY", &private_key_info(algorithm, 2048));
    refuse_private(&[
        (pem("EC PRIVATE KEY", &[0]), ["elliptic-curve", USABLE]),
        (pem("EC PARAMETERS", &[0]), ["elliptic-curve", USABLE]),
        (pem("PRIVATE KEY", ec.as_ref()), ["elliptic-curve", USABLE]),
        (pem("PRIVATE KEY", ed25519.as_ref()), ["Ed25519", USABLE]),
        (pem("OPENSSH PRIVATE KEY", &[0]), ["OpenSSH", USABLE]),
        (other(RSASSA_PSS), ["id-RSASSA-PSS", USABLE]),
        (other("1.2.3.4"), ["1.2.3.4", USABLE]),
        (rsa(1024), ["1024 bits", SIZES]),
        (rsa(2047), ["2047 bits", SIZES]),
        (rsa(8192), ["8192 bits", SIZES]),
        (rsa(2048), ["malformed", "belong together"]),
    ]);
}

#[test]
fn tells_public_keys_that_cannot_be_used_apart() {
    let private = [0];
    let ed25519 = sequence(&[sequence(&[oid("1.3.101.112")]), bit_string(&[4; 32])]);
    let ec_public = sequence(&[
        sequence(&[oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")]),
        bit_string(&[4; 65]),
    ]);
    let padded = concat(&[&member_key().spki[..], &[0]]);
    for (file, words) in [
        (
            pem("PRIVATE KEY", &private),
            ["private key", "keep the private one"],
        ),
        (
            pem("RSA PRIVATE KEY", &private),
            ["private key", "keep the private one"],
        ),
        (
            pem("ENCRYPTED PRIVATE KEY", &private),
            ["private key", "keep the private one"],
        ),
        (pem("RSA PUBLIC KEY", &[0]), ["PKCS #1", "RSAPublicKey_in"]),
        (pem("CERTIFICATE", &[0]), ["certificate", "public key"]),
        (pem("PUBLIC KEY", &ed25519), ["Ed25519", "RSA keys of 2048"]),
        (
            pem("PUBLIC KEY", &ec_public),
            ["elliptic-curve", "RSA keys of 2048"],
        ),
        (
            pem("PUBLIC KEY", &spki_of(&modulus_of(1024), &[1, 0, 1])),
            ["1024 bits", "2048, 3072 or 4096"],
        ),
        (
            pem("PUBLIC KEY", &spki_of(&modulus_of(2047), &[1, 0, 1])),
            ["2047 bits", "2048, 3072 or 4096"],
        ),
        (
            pem("PUBLIC KEY", &spki_of(&modulus_of(2048), &[1])),
            ["malformed", "exponent"],
        ),
        (pem("PUBLIC KEY", &padded), ["malformed", "nothing further"]),
        (
            String::from("ssh-rsa AAAA"),
            ["not a PEM file", "-----BEGIN"],
        ),
    ] {
        let error = PublicKey::from_spki_pem(&file).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word} not in: {error}");
        }
    }
}

#[test]
fn keys_survive_their_files() {
    for &algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(key.public_key().algorithm(), algorithm);
        let file = key.to_pkcs8_pem().unwrap();
        let again = PrivateKey::from_pkcs8_pem(&file).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        let public = key.public_key();
        assert_eq!(
            &PublicKey::from_spki_pem(&public.to_spki_pem()).unwrap(),
            public
        );
        assert_eq!(
            &PublicKey::from_spki_der(public.to_spki_der()).unwrap(),
            public
        );
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    assert!("rsa-1024".parse::<KeyAlgorithm>().is_err());
}

#[test]
fn debug_output_of_a_private_key_shows_the_public_half_only() {
    let key = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    let id = key.public_key().key_id(DigestType::Sha256);
    let shown = format!("{key:?}");
    assert_eq!(
        shown,
        format!("PrivateKey {{ public_key: PublicKey(rsa-2048, SHA-256 {id}), .. }}")
    );
}

#[test]
fn a_key_pair_with_mixed_halves_is_refused() {
    let file = PrivateKey::generate(KeyAlgorithm::Rsa2048)
        .unwrap()
        .to_pkcs8_pem()
        .unwrap();
    let mut der = BASE64
        .decode(
            file.lines()
                .filter(|line| !line.starts_with('-'))
                .collect::<String>()
                .as_bytes(),
        )
        .unwrap();
    // Somewhere in the private exponent.
    let middle = der.len() / 3;
    der[middle] ^= 1;
    assert!(matches!(
        PrivateKey::from_pkcs8_der(&der),
        Err(KeyError::Malformed { .. })
    ));
}
