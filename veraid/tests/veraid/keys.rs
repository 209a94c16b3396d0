//! Key files: what they are told apart from, and what is said about those that cannot be used.

use std::fmt::Write as _;

use crate::support::der::*;
use crate::support::noon;
use crate::support::*;
use data_encoding::{BASE64, HEXLOWER};
use veraid::{
    Content, Dialect, DigestType, Fault, KeyAlgorithm, KeyError, MemberCertificate, MemberIdBundle,
    OrganisationCertificate, OrganisationRequest, PrivateKey, PublicKey, SignatureRequest,
    SignatureScheme, SignerIdentity, SigningKey as _,
};

const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const SECP256R1: &str = "1.2.840.10045.3.1.7";
const SECP384R1: &str = "1.3.132.0.34";
const SECP521R1: &str = "1.3.132.0.35";
const ED25519: &str = "1.3.101.112";
const ED448: &str = "1.3.101.113";
const ML_DSA_44: &str = "2.16.840.1.101.3.4.3.17";
const ML_DSA_65: &str = "2.16.840.1.101.3.4.3.18";
const HASH_ML_DSA_44: &str = "2.16.840.1.101.3.4.3.32";

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
    const SEC1: [&str; 2] = ["SEC 1", "openssl pkcs8 -topk8 -nocrypt"];
    const PUBLIC: [&str; 2] = ["public key", "the private key is needed"];
    let pbes2 = sequence(&[oid("1.2.840.113549.1.5.13"), null()]);
    let encrypted = sequence(&[pbes2, octet_string(&[1; 64])]);
    let pkcs1 = sequence(&[integer(&[0]), positive_integer(&modulus_of(2048))]);
    let sec1 = sequence(&[integer(&[1]), octet_string(&[1; 32])]);
    let parameters = pem("EC PARAMETERS", &oid(SECP256R1));
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
        (pem("EC PRIVATE KEY", &sec1), SEC1),
        (parameters.clone() + &pem("EC PRIVATE KEY", &sec1), SEC1),
        (parameters, ["elliptic-curve parameters", "private key"]),
        (pem("PRIVATE KEY", &sec1), SEC1),
        (pem("OPENSSH PRIVATE KEY", &[0]), ["OpenSSH", "ssh-keygen"]),
        (pem("PUBLIC KEY", public), PUBLIC),
        (pem("RSA PUBLIC KEY", public), PUBLIC),
        (pem("PRIVATE KEY", public), PUBLIC),
        (pem("CERTIFICATE", public), ["certificate", "private key"]),
        (
            pem("X509 CRL", public),
            ["contains a block of another kind", "not a private key"],
        ),
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
    const USABLE: &str = "RSA, Ed25519, ECDSA (P-256, P-384) and ML-DSA are";
    const SIZES: &str = "use 2048 to 8192 bits";
    let rsa = |bits| pem("PRIVATE KEY", &private_key_info(RSA_ENCRYPTION, bits));
    let other = |algorithm| pem("PRIVATE KEY", &private_key_info(algorithm, 2048));
    let bare = |algorithm: &str| one_asymmetric_key(&sequence(&[oid(algorithm)]), &[0], &[]);
    let curve = |curve| {
        let file = one_asymmetric_key(&on_curve(&oid(curve)), &[0], &[]);
        pem("PRIVATE KEY", &file)
    };
    refuse_private(&[
        (curve(SECP521R1), ["ECDSA P-521", USABLE]),
        (curve("1.3.132.0.33"), ["ECDSA P-224", USABLE]),
        (curve("1.3.132.0.10"), ["ECDSA secp256k1", USABLE]),
        (
            curve("1.3.36.3.3.2.8.1.1.7"),
            ["1.3.36.3.3.2.8.1.1.7 keys", USABLE],
        ),
        (pem("PRIVATE KEY", &bare("1.3.101.110")), ["X25519", USABLE]),
        (pem("PRIVATE KEY", &bare("1.3.101.111")), ["X448", USABLE]),
        (pem("PRIVATE KEY", &bare(ED448)), ["Ed448", USABLE]),
        (
            pem("PRIVATE KEY", &bare(HASH_ML_DSA_44)),
            ["HashML-DSA", USABLE],
        ),
        (
            pem("PRIVATE KEY", &bare(RSASSA_PSS)),
            ["id-RSASSA-PSS", USABLE],
        ),
        (other("1.2.3.4"), ["1.2.3.4", USABLE]),
        (rsa(1024), ["1024 bits", SIZES]),
        (rsa(2047), ["2047 bits", SIZES]),
        (rsa(8193), ["8193 bits", SIZES]),
        (rsa(2048), ["malformed", "a consistent RSA private key"]),
    ]);
}

/// Whether this build verifies such signatures.
fn verifies(algorithm: KeyAlgorithm) -> bool {
    let is_ml_dsa = algorithm.to_string().starts_with("ml-dsa");
    !is_ml_dsa || cfg!(any(feature = "aws-lc-rs", feature = "oqs"))
}

fn on_curve(parameters: &[u8]) -> Vec<u8> {
    sequence(&[&oid(EC_PUBLIC_KEY)[..], parameters])
}

/// PKCS #8 with whatever behind the key.
fn one_asymmetric_key(algorithm: &[u8], key: &[u8], tail: &[u8]) -> Vec<u8> {
    sequence(&[&integer(&[0]), algorithm, &octet_string(key), tail])
}

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    sequence(&[algorithm, &bit_string(key)])
}

/// Checks that each octet string is refused with an error that says certain words.
fn refuse<T: std::fmt::Debug>(
    read: impl Fn(&[u8]) -> Result<T, KeyError>,
    cases: &[(Vec<u8>, &str)],
) {
    for (der, words) in cases {
        let error = read(der).unwrap_err().to_string();
        assert!(error.contains(words), "{words} not in: {error}");
    }
}

fn read_public(der: &[u8]) -> Result<PublicKey, KeyError> {
    PublicKey::from_spki_der(der)
}

fn read_private(der: &[u8]) -> Result<PrivateKey, KeyError> {
    PrivateKey::from_pkcs8_der(der)
}

fn pkcs8_of(key: &PrivateKey) -> Vec<u8> {
    decode_pem(&key.to_pkcs8_pem().unwrap())
}

fn decode_pem(file: &str) -> Vec<u8> {
    let lines = file.lines().filter(|line| !line.starts_with('-'));
    BASE64.decode(lines.collect::<String>().as_bytes()).unwrap()
}

#[test]
fn tells_public_keys_that_cannot_be_used_apart() {
    let private = [0];
    let p521 = spki(&on_curve(&oid(SECP521R1)), &[4; 133]);
    let ed448 = spki(&sequence(&[oid(ED448)]), &[4; 57]);
    let padded = concat(&[&member_key().spki[..], &[0]]);
    for (file, words) in [
        (
            pem("PRIVATE KEY", &private),
            ["private key", "keep the private key secret"],
        ),
        (
            pem("RSA PRIVATE KEY", &private),
            ["private key", "keep the private key secret"],
        ),
        (
            pem("ENCRYPTED PRIVATE KEY", &private),
            ["private key", "keep the private key secret"],
        ),
        (pem("RSA PUBLIC KEY", &[0]), ["PKCS #1", "RSAPublicKey_in"]),
        (pem("CERTIFICATE", &[0]), ["certificate", "public key"]),
        (pem("PUBLIC KEY", &ed448), ["Ed448", "RSA, Ed25519"]),
        (pem("PUBLIC KEY", &p521), ["ECDSA P-521", "RSA, Ed25519"]),
        (
            pem("PUBLIC KEY", &spki_of(&modulus_of(1024), &[1, 0, 1])),
            ["1024 bits", "2048 to 8192"],
        ),
        (
            pem("PUBLIC KEY", &spki_of(&modulus_of(2047), &[1, 0, 1])),
            ["2047 bits", "2048 to 8192"],
        ),
        (
            pem("PUBLIC KEY", &spki_of(&modulus_of(8193), &[1, 0, 1])),
            ["8193 bits", "2048 to 8192"],
        ),
        (
            pem("PUBLIC KEY", &spki_of(&modulus_of(2048), &[1])),
            ["malformed", "exponent"],
        ),
        (
            pem("PUBLIC KEY", &padded),
            ["malformed", "the end of the data"],
        ),
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
fn reads_rsa_keys_of_any_size_from_2048_bits() {
    for bits in [2048, 2049, 2560, 4096, 8192] {
        let key = read_public(&spki_of(&modulus_of(bits), &[1, 0, 1])).unwrap();
        assert_eq!(key.algorithm().to_string(), format!("rsa-{bits}"));
    }
}

/// RFC 4055 §1.2, §3.3.
#[test]
fn reads_keys_restricted_to_rsassa_pss_unless_what_they_may_sign_is_not_allowed() {
    let bare = sequence(&[positive_integer(&modulus_of(2048)), integer(&[1, 0, 1])]);
    let restricted = |algorithm: &[u8]| spki(algorithm, &bare);
    let no_salt = |hash_name| pss_parts(hash_name, &[]);
    for algorithm in [
        sequence(&[oid(RSASSA_PSS)]),
        pss(SHA_256),
        pss(SHA_384),
        pss(SHA_512),
        pss_with(SHA_512, SHA_512, 20, None),
        pss_with(SHA_256, SHA_256, 0, Some(1)),
        no_salt(SHA_256),
    ] {
        let key = read_public(&restricted(&algorithm)).unwrap();
        assert_eq!(key.algorithm(), KeyAlgorithm::Rsa2048);
        // It signs with SHA-256, or is not asked to sign at all.
        let organisation = "example.com".parse().unwrap();
        let request = OrganisationRequest::new(&organisation, Dialect::DomainAuth, noon());
        let prepared = OrganisationCertificate::prepare(&request, &key);
        if [
            pss(SHA_384),
            pss(SHA_512),
            pss_with(SHA_512, SHA_512, 20, None),
        ]
        .contains(&algorithm)
        {
            let error = prepared.unwrap_err();
            assert_eq!(error.reason(), "veraid.restricted_key");
            assert_eq!(error.fault(), Fault::Caller);
        } else {
            assert!(prepared.is_ok());
        }
    }
    // Nor does a member sign with a key that is for another hash, though it may be certified.
    let key = read_public(&restricted(&pss(SHA_384))).unwrap();
    let parts = Parts::domain_auth();
    let organisation = OrganisationCertificate::from_der(&parts.organisation.to_der()).unwrap();
    let mut certificate = parts.member.clone();
    certificate.public_key = key.as_spki_der().to_vec();
    let member = MemberCertificate::from_der(&certificate.to_der()).unwrap();
    let bundle = MemberIdBundle::new(&parts.chain().0, organisation, member, vec![]).unwrap();
    let request = SignatureRequest::new(Content::Attached(CONTENT), SERVICE, noon());
    let error = SignerIdentity::Member(&bundle)
        .prepare(&request)
        .unwrap_err();
    assert_eq!(error.reason(), "veraid.restricted_key");
    assert_eq!(
        error.to_string(),
        "the key of the member certificate is restricted, and does not sign \
         RSASSA-PSS with SHA-256 and a salt of 32 bytes"
    );
    refuse(
        read_public,
        &[
            (restricted(&pss(SHA_1)), "the hash is not SHA-256"),
            (restricted(&pss(SHA_224)), "the hash is not SHA-256"),
            (
                restricted(&sequence(&[oid(RSASSA_PSS), sequence::<&[u8]>(&[])])),
                "its hash is SHA-1",
            ),
            (
                restricted(&pss_with(SHA_256, SHA_384, 32, None)),
                "its MGF1 has another hash",
            ),
            (
                restricted(&pss_with(SHA_256, SHA_256, 33, None)),
                "its salt is longer than its hash",
            ),
            (
                restricted(&pss_with(SHA_256, SHA_256, 0x80, None)),
                "its salt is longer than its hash",
            ),
            (
                restricted(&pss_with(SHA_256, SHA_256, 32, Some(2))),
                "its trailer field is not 1",
            ),
            (
                restricted(&sequence(&[oid(RSASSA_PSS), null()])),
                "no further parameters",
            ),
            (
                restricted(&pss_parts(SHA_256, &null())),
                "malformed: expected the end of the data",
            ),
        ],
    );
}

/// RSASSA-PSS without salt length and trailer, or with other fields behind the mask function.
fn pss_parts(hash_name: &str, tail: &[u8]) -> Vec<u8> {
    let mask = sequence(&[oid(MGF1), hash(hash_name)]);
    let parameters = [
        context(0, &hash(hash_name)),
        context(1, &mask),
        tail.to_vec(),
    ];
    sequence(&[oid(RSASSA_PSS), sequence(&parameters)])
}

/// RFC 8410 §3, §4; RFC 5480 §2; RFC 9881 §2, §4.
#[test]
fn refuses_malformed_public_keys() {
    let ed25519 = sequence(&[oid(ED25519)]);
    let with_null = |algorithm| sequence(&[oid(algorithm), null()]);
    let p256 = on_curve(&oid(SECP256R1));
    let compressed = concat(&[&[2][..], &[7; 32]]);
    let uncompressed = |octets: usize| concat(&[vec![4], vec![7; octets]]);
    let explicit = on_curve(&sequence(&[integer(&[1])]));
    refuse(
        read_public,
        &[
            (spki(&with_null(ED25519), &[7; 32]), "no further parameters"),
            (spki(&ed25519, &[7; 31]), "an Ed25519 public key of 32"),
            (spki(&ed25519, &[7; 33]), "an Ed25519 public key of 32"),
            (
                spki(&ed25519, &octet_string(&[7; 32])),
                "an Ed25519 public key of 32",
            ),
            (spki(&p256, &compressed), "an uncompressed point of 65"),
            (spki(&p256, &[7; 65]), "an uncompressed point of 65"),
            (spki(&p256, &[]), "an uncompressed point of 65"),
            (
                spki(&p256, &uncompressed(96)),
                "an uncompressed point of 65",
            ),
            (
                spki(&on_curve(&oid(SECP384R1)), &uncompressed(64)),
                "an uncompressed point of 97",
            ),
            (spki(&explicit, &uncompressed(64)), "the name of a curve"),
            (
                spki(&on_curve(&null()), &uncompressed(64)),
                "the name of a curve",
            ),
            (
                spki(&on_curve(&[]), &uncompressed(64)),
                "the name of a curve",
            ),
            (
                spki(
                    &on_curve(&concat(&[oid(SECP256R1), null()])),
                    &uncompressed(64),
                ),
                "no further parameters",
            ),
            (
                spki(&with_null(ML_DSA_44), &[7; 1312]),
                "no further parameters",
            ),
            (
                spki(&sequence(&[oid(ML_DSA_44)]), &[7; 1311]),
                "an ML-DSA-44 public key of 1312",
            ),
            (
                spki(&sequence(&[oid(ML_DSA_65)]), &[7; 1312]),
                "an ML-DSA-65 public key of 1952",
            ),
            (
                spki(&sequence(&[oid("2.16.840.1.101.3.4.3.19")]), &[7; 1952]),
                "an ML-DSA-87 public key of 2592",
            ),
            (
                spki(&sequence(&[oid(HASH_ML_DSA_44)]), &[7; 1312]),
                "HashML-DSA",
            ),
            (
                spki(&sequence(&[oid(RSA_ENCRYPTION)]), &[7; 32]),
                "NULL parameters",
            ),
            (
                sequence(&[ed25519, retag(0x03, &octet_string(&[1; 33]))]),
                "a BIT STRING of whole bytes",
            ),
        ],
    );
}

fn lacks_nothing() -> bool {
    cfg!(feature = "aws-lc-rs")
}

/// Checks that an error about what is not built in names the algorithm and the feature that would help.
fn says_what_is_lacking(error: &KeyError, algorithm: KeyAlgorithm) {
    assert!(!lacks_nothing(), "{error}");
    assert!(matches!(error, KeyError::NotBuilt { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("`aws-lc-rs`"), "{text}");
    assert!(text.contains(&algorithm.to_string()), "{text}");
}

/// Reads a private key, unless this build lacks what that takes, and only then.
fn read_if_built(der: &[u8], algorithm: KeyAlgorithm, built: bool) -> Option<PrivateKey> {
    match read_private(der) {
        Ok(key) => Some(key),
        Err(error) => {
            assert!(!built, "{error}");
            says_what_is_lacking(&error, algorithm);
            None
        }
    }
}

#[test]
fn says_which_feature_makes_the_keys_that_this_build_does_not() {
    for &algorithm in KeyAlgorithm::ALL {
        if let Err(error) = PrivateKey::generate(algorithm) {
            says_what_is_lacking(&error, algorithm);
        }
    }
    let size = KeyAlgorithm::rsa(2560).unwrap();
    let error = PrivateKey::generate(size).unwrap_err();
    assert!(matches!(error, KeyError::NotMade { .. }), "{error}");
    assert!(error.to_string().contains("openssl genpkey"), "{error}");
}

/// RSA of a size that no TXT record can name, which `ring` does not sign with.
#[test]
fn reads_private_rsa_keys_of_other_sizes() {
    let file = include_str!("../vectors/rsa-2560.pem");
    let algorithm = KeyAlgorithm::rsa(2560).unwrap();
    let built = cfg!(feature = "aws-lc-rs");
    if let Some(key) = read_if_built(&decode_pem(file), algorithm, built) {
        assert_eq!(key.public_key().algorithm(), algorithm);
        assert_eq!(
            key.sign(b"message", algorithm.signature_scheme())
                .unwrap()
                .len(),
            320
        );
    }
}

#[test]
fn keys_survive_their_files() {
    for &algorithm in KeyAlgorithm::ALL {
        let key = match try_private_key(algorithm) {
            Ok(key) => key,
            Err(error) => {
                assert!(!verifies(algorithm), "{error}");
                says_what_is_lacking(&error, algorithm);
                continue;
            }
        };
        assert_eq!(key.public_key().algorithm(), algorithm);
        let file = key.to_pkcs8_pem().unwrap();
        let again = PrivateKey::from_pkcs8_pem(&file).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again.as_pkcs8_der(), key.as_pkcs8_der());
        assert_eq!(again.as_pkcs8_der(), decode_pem(&file));
        let public = key.public_key();
        assert_eq!(
            &PublicKey::from_spki_pem(&public.to_spki_pem()).unwrap(),
            public
        );
        assert_eq!(
            &PublicKey::from_spki_der(public.as_spki_der()).unwrap(),
            public
        );
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    assert!("rsa-1024".parse::<KeyAlgorithm>().is_err());
}

#[test]
fn debug_output_of_a_private_key_shows_the_public_half_only() {
    let key = private_key(KeyAlgorithm::Rsa2048);
    let id = key.public_key().key_id(DigestType::Sha256);
    let shown = format!("{key:?}");
    assert_eq!(
        shown,
        format!("PrivateKey {{ public_key: PublicKey(rsa-2048, SHA-256 {id}), .. }}")
    );
}

#[test]
fn a_key_pair_with_mixed_halves_is_refused() {
    let mut der = pkcs8_of(&private_key(KeyAlgorithm::Rsa2048));
    // Somewhere in the first prime.
    let middle = der.len() / 2;
    der[middle] ^= 1;
    assert!(matches!(
        PrivateKey::from_pkcs8_der(&der),
        Err(KeyError::Malformed { .. })
    ));
}

/// RFC 8410 §10.3: the same key without and with its public half.
#[test]
fn reads_ed25519_files_of_both_versions() {
    const V1: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    const V2: &str = "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\
                      oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\
                      Z9w7lshQhqowtrbLDFw4rXAxZuE=";
    const PUBLIC: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    for file in [V1, V2] {
        let der = BASE64.decode(file.as_bytes()).unwrap();
        let key = read_private(&der).unwrap();
        assert_eq!(key.public_key().algorithm(), KeyAlgorithm::Ed25519);
        assert_eq!(BASE64.encode(key.public_key().as_spki_der()), PUBLIC);
        // A file is written as it was read.
        assert_eq!(pkcs8_of(&key), der);
    }
    let mut other_half = BASE64.decode(V2.as_bytes()).unwrap();
    *other_half.last_mut().unwrap() ^= 1;
    refuse(
        read_private,
        &[(other_half, "a consistent Ed25519 key pair")],
    );
}

/// RFC 8032 §7.1, tests 1 to 3.
#[test]
fn signs_with_ed25519_as_rfc_8032_does() {
    for (private, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
             d25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
             387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
             4a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let decode = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let seed = octet_string(&decode(private));
        let key =
            read_private(&one_asymmetric_key(&sequence(&[oid(ED25519)]), &seed, &[])).unwrap();
        let spki = key.public_key().as_spki_der();
        assert!(spki.ends_with(&decode(public)));
        assert_eq!(
            HEXLOWER.encode(
                &key.sign(&decode(message), SignatureScheme::Ed25519)
                    .unwrap()
            ),
            signature
        );
    }
}

/// The parts of `ECPrivateKey` (RFC 5915 §3) in a new key.
struct EcParts {
    algorithm: Vec<u8>,
    scalar: Vec<u8>,
    point: Vec<u8>,
    spki: Vec<u8>,
}

impl EcParts {
    fn new(algorithm: KeyAlgorithm, curve: &str, octets: u8) -> Self {
        let key = PrivateKey::generate(algorithm).unwrap();
        let der = pkcs8_of(&key);
        let before = concat(&[integer(&[1]), vec![0x04, octets]]);
        let start = der
            .windows(before.len())
            .position(|window| window == before)
            .unwrap()
            + before.len();
        let octets = usize::from(octets);
        let spki = key.public_key().as_spki_der().to_vec();
        Self {
            algorithm: on_curve(&oid(curve)),
            scalar: der[start..start + octets].to_vec(),
            point: spki[spki.len() - 2 * octets - 1..].to_vec(),
            spki,
        }
    }

    fn file(&self, scalar: &[u8], rest: &[Vec<u8>]) -> Vec<u8> {
        let mut parts = vec![integer(&[1]), octet_string(scalar)];
        parts.extend_from_slice(rest);
        one_asymmetric_key(&self.algorithm, &sequence(&parts), &[])
    }
}

#[test]
fn reads_elliptic_curve_keys_with_and_without_their_public_half() {
    for (algorithm, curve, other_curve, octets) in [
        (KeyAlgorithm::EcdsaP256, SECP256R1, SECP384R1, 32),
        (KeyAlgorithm::EcdsaP384, SECP384R1, SECP256R1, 48),
    ] {
        let parts = EcParts::new(algorithm, curve, octets);
        let named = |curve| context(0, &oid(curve));
        let public = |point: &[u8]| context(1, &bit_string(point));
        for rest in [
            vec![],
            vec![named(curve)],
            vec![public(&parts.point)],
            vec![named(curve), public(&parts.point)],
        ] {
            let has_point = rest.contains(&public(&parts.point));
            let built = has_point || cfg!(feature = "aws-lc-rs");
            let file = parts.file(&parts.scalar, &rest);
            if let Some(key) = read_if_built(&file, algorithm, built) {
                assert_eq!(key.public_key().as_spki_der(), parts.spki);
            }
        }
        let key = sequence(&[integer(&[1]), octet_string(&parts.scalar)]);
        let of_version = |version| sequence(&[integer(&[version]), octet_string(&parts.scalar)]);
        let outside = context_primitive(1, &concat(&[&[0], &parts.point[..]]));
        let version_2 = one_asymmetric_key(&parts.algorithm, &key, &outside);
        assert!(read_private(&version_2).is_ok());

        let other = EcParts::new(algorithm, curve, octets);
        let foreign = context_primitive(1, &concat(&[&[0], &other.point[..]]));
        let longer = concat(&[&[0], &parts.scalar[..]]);
        let zero = vec![0; parts.scalar.len()];
        let beyond = vec![0xff; parts.scalar.len()];
        let mut compressed = vec![0x02];
        compressed.extend_from_slice(&parts.point[1..=usize::from(octets)]);
        refuse(
            read_private,
            &[
                (
                    parts.file(&parts.scalar, &[public(&other.point)]),
                    "the matching public key",
                ),
                (
                    parts.file(&parts.scalar, &[public(&compressed)]),
                    "the matching public key",
                ),
                (
                    one_asymmetric_key(&parts.algorithm, &key, &foreign),
                    "the matching public key",
                ),
                (
                    parts.file(&parts.scalar, &[named(other_curve)]),
                    "the same curve",
                ),
                (parts.file(&parts.scalar, &[null()]), "the end of the data"),
                (parts.file(&longer, &[]), "the length of its curve's order"),
                (
                    parts.file(&parts.scalar[1..], &[]),
                    "the length of its curve's order",
                ),
                (
                    parts.file(&zero, &[public(&parts.point)]),
                    "valid for its curve",
                ),
                (
                    parts.file(&beyond, &[public(&parts.point)]),
                    "valid for its curve",
                ),
                (
                    one_asymmetric_key(&parts.algorithm, &octet_string(&parts.scalar), &[]),
                    "an ECPrivateKey",
                ),
                (
                    one_asymmetric_key(&parts.algorithm, &of_version(0), &[]),
                    "version 1",
                ),
                (
                    one_asymmetric_key(&parts.algorithm, &of_version(2), &[]),
                    "version 1",
                ),
            ],
        );
    }
}

const RFC_9881: [(KeyAlgorithm, &str, &str, &str); 3] = [
    (
        KeyAlgorithm::MlDsa44,
        ML_DSA_44,
        include_str!("../vectors/rfc9881/ml-dsa-44-both.pem"),
        include_str!("../vectors/rfc9881/ml-dsa-44-public.pem"),
    ),
    (
        KeyAlgorithm::MlDsa65,
        ML_DSA_65,
        include_str!("../vectors/rfc9881/ml-dsa-65-both.pem"),
        include_str!("../vectors/rfc9881/ml-dsa-65-public.pem"),
    ),
    (
        KeyAlgorithm::MlDsa87,
        "2.16.840.1.101.3.4.3.19",
        include_str!("../vectors/rfc9881/ml-dsa-87-both.pem"),
        include_str!("../vectors/rfc9881/ml-dsa-87-public.pem"),
    ),
];

/// The seed of all examples in RFC 9881.
fn example_seed() -> Vec<u8> {
    (0..32).collect()
}

/// RFC 9881 §6, appendices C.1 and C.2.
#[test]
fn reads_ml_dsa_keys_in_each_of_their_forms() {
    for (algorithm, name, both, public) in RFC_9881 {
        let both = decode_pem(both);
        // The expanded key is all that comes after the seed's and its own header.
        let seed_at = both.windows(32).position(|window| window == example_seed());
        let expanded = &both[seed_at.unwrap() + 32 + 4..];
        let identifier = sequence(&[oid(name)]);
        let seed_form =
            one_asymmetric_key(&identifier, &context_primitive(0, &example_seed()), &[]);
        let expanded_form = one_asymmetric_key(&identifier, &octet_string(expanded), &[]);
        let public = PublicKey::from_spki_pem(public).unwrap();
        assert_eq!(public.algorithm(), algorithm);
        for file in [&seed_form, &expanded_form, &both] {
            let built = cfg!(feature = "aws-lc-rs");
            let Some(key) = read_if_built(file, algorithm, built) else {
                continue;
            };
            assert_eq!(key.public_key(), &public);
            assert_eq!(
                key.to_pkcs8_pem().unwrap().as_str(),
                pem("PRIVATE KEY", file)
            );
            // What we make is a seed.
            let made = pkcs8_of(&PrivateKey::generate(algorithm).unwrap());
            assert_eq!(made.len(), seed_form.len());
            assert_eq!(made[..made.len() - 32], seed_form[..made.len() - 32]);
        }
    }
}

/// RFC 9881 §6, appendix C.4. With another back end, all of these are keys that it cannot read.
#[cfg(feature = "aws-lc-rs")]
#[test]
fn refuses_ml_dsa_keys_whose_parts_do_not_belong_together() {
    let identifier = sequence(&[oid(ML_DSA_44)]);
    let seed = context_primitive(0, &example_seed());
    let public = decode_pem(RFC_9881[0].3);
    let foreign = PrivateKey::generate(KeyAlgorithm::MlDsa44).unwrap();
    let beside = |spki: &[u8]| {
        let octets = [&[0], &spki[spki.len() - 1312..]].concat();
        one_asymmetric_key(&identifier, &seed, &context_primitive(1, &octets))
    };
    assert!(read_private(&beside(&public)).is_ok());
    refuse(
        read_private,
        &[
            (
                decode_pem(include_str!("../vectors/rfc9881/inconsistent-both.pem")),
                "a consistent seed",
            ),
            (
                decode_pem(include_str!("../vectors/rfc9881/inconsistent-digest.pem")),
                "a consistent seed",
            ),
            (
                decode_pem(include_str!("../vectors/rfc9881/inconsistent-vector.pem")),
                "a consistent seed",
            ),
            (
                beside(foreign.public_key().as_spki_der()),
                "a consistent seed",
            ),
        ],
    );
}

#[test]
fn refuses_malformed_private_ml_dsa_keys() {
    let identifier = sequence(&[oid(ML_DSA_44)]);
    let file = |key: &[u8]| one_asymmetric_key(&identifier, key, &[]);
    refuse(
        read_private,
        &[
            (file(&example_seed()), "an ML-DSA seed of 32"),
            (file(&octet_string(&example_seed())), "an ML-DSA seed of 32"),
            (
                file(&context_primitive(0, &[7; 31])),
                "an ML-DSA seed of 32",
            ),
            (
                file(&context_primitive(0, &[7; 33])),
                "an ML-DSA seed of 32",
            ),
            (file(&octet_string(&[7; 4032])), "an ML-DSA seed of 32"),
            (
                file(&context(0, &octet_string(&[7; 32]))),
                "an ML-DSA seed of 32",
            ),
            (
                file(&sequence(&[octet_string(&[7; 32])])),
                "an ML-DSA seed of 32",
            ),
        ],
    );
}

#[test]
fn says_which_version_of_a_private_key_there_is_not() {
    let identifier = sequence(&[oid(ED25519)]);
    let key = octet_string(&octet_string(&[7; 32]));
    for version in [2, 0x80] {
        let file = sequence(&[&integer(&[version]), &identifier, &key]);
        refuse(read_private, &[(file, "version 0 or 1")]);
    }
}

/// A key store that signs in another way than the key's is found out at once.
#[test]
fn says_how_a_key_must_sign() {
    for (algorithm, words) in [
        (
            KeyAlgorithm::Rsa2048,
            "rsa-2048 keys must sign RSASSA-PSS with SHA-256",
        ),
        (KeyAlgorithm::Ed25519, "ed25519 keys must sign Ed25519, not"),
        (
            KeyAlgorithm::EcdsaP384,
            "ecdsa-p384 keys must sign ECDSA with SHA-384",
        ),
        (
            KeyAlgorithm::MlDsa65,
            "ml-dsa-65 keys must sign ML-DSA with an empty context",
        ),
    ] {
        let error = veraid::IssueError::SignedWrongly { key: algorithm };
        assert!(error.to_string().contains(words), "{error}");
    }
}
