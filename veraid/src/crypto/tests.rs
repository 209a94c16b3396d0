//! Tests of what each back end supports, and that the back ends agree: each accepts the keys and
//! signatures of the others.

use super::*;
use crate::asn1::{Value, tag};
use crate::key::{PrivateKeyInfo, PublicKeyRef, write_new_key};
use crate::pem::Block;

const MESSAGE: &[u8] = b"message";

const LIBRARIES: [&str; 3] = ["aws-lc-rs", "ring", "oqs"];

fn is_ml_dsa(algorithm: KeyAlgorithm) -> bool {
    matches!(
        algorithm,
        KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87
    )
}

/// Returns true if the library of the feature, by its own documentation, verifies such signatures.
pub(super) fn verifies(feature: &str, algorithm: KeyAlgorithm) -> bool {
    match feature {
        "aws-lc-rs" => true,
        "ring" => !is_ml_dsa(algorithm),
        _ => is_ml_dsa(algorithm),
    }
}

fn makes(feature: &str, algorithm: KeyAlgorithm) -> bool {
    verifies(feature, algorithm) && !(feature == "ring" && algorithm.is_rsa())
}

/// Key files: one by every back end that generates such keys, and one from elsewhere if some back
/// ends do not.
fn files(algorithm: KeyAlgorithm) -> Vec<Zeroizing<Vec<u8>>> {
    let mut files = Vec::new();
    for back_end in BACK_ENDS {
        match back_end.generate(algorithm) {
            Ok(key) => {
                assert!(makes(back_end.feature(), algorithm), "{algorithm}");
                files.push(write_new_key(algorithm, key).unwrap());
            }
            Err(failure) => {
                assert_eq!(failure, Failure::Lacking);
                assert!(!makes(back_end.feature(), algorithm), "{algorithm}");
            }
        }
    }
    match algorithm {
        KeyAlgorithm::Rsa2048 => files.push(rsa_file(2_048)),
        KeyAlgorithm::Rsa3072 => files.push(rsa_file(3_072)),
        KeyAlgorithm::Rsa4096 => files.push(rsa_file(4_096)),
        _ if is_ml_dsa(algorithm) => files.extend(example(algorithm).files(algorithm)),
        _ => {}
    }
    files
}

fn rsa_file(bits: u16) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(kliento_fixtures::rsa_pkcs8(bits))
}

/// An example of RFC 9881, appendix C.1.
struct Example {
    both: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

fn decode(pem: &str) -> Zeroizing<Vec<u8>> {
    Block::find(pem).unwrap().decode().unwrap()
}

fn example(algorithm: KeyAlgorithm) -> Example {
    let (both, public) = match algorithm {
        KeyAlgorithm::MlDsa44 => (
            include_str!("../../tests/vectors/rfc9881/ml-dsa-44-both.pem"),
            include_str!("../../tests/vectors/rfc9881/ml-dsa-44-public.pem"),
        ),
        KeyAlgorithm::MlDsa65 => (
            include_str!("../../tests/vectors/rfc9881/ml-dsa-65-both.pem"),
            include_str!("../../tests/vectors/rfc9881/ml-dsa-65-public.pem"),
        ),
        _ => (
            include_str!("../../tests/vectors/rfc9881/ml-dsa-87-both.pem"),
            include_str!("../../tests/vectors/rfc9881/ml-dsa-87-public.pem"),
        ),
    };
    let public = decode(public);
    let spki = Value::whole(&public, tag::SEQUENCE, "a SubjectPublicKeyInfo").unwrap();
    Example {
        both: decode(both),
        public: PublicKeyRef::parse(spki).unwrap().bare().to_vec(),
    }
}

impl Example {
    fn material(&self) -> KeyMaterial<'_> {
        PrivateKeyInfo::read(&self.both).unwrap().material
    }

    /// The expanded private key.
    fn expanded(&self) -> &[u8] {
        match self.material() {
            KeyMaterial::MlDsa {
                expanded: Some(expanded),
                ..
            } => expanded,
            _ => &[],
        }
    }

    /// Files with seed and expanded key, and with expanded and public key if there is a back end
    /// that writes this form.
    #[cfg(feature = "oqs")]
    fn files(&self, algorithm: KeyAlgorithm) -> Vec<Zeroizing<Vec<u8>>> {
        let key = NewKey::Expanded {
            private: Zeroizing::new(self.expanded().to_vec()),
            public: self.public.clone(),
        };
        vec![self.both.clone(), write_new_key(algorithm, key).unwrap()]
    }

    #[cfg(not(feature = "oqs"))]
    fn files(&self, _: KeyAlgorithm) -> Vec<Zeroizing<Vec<u8>>> {
        vec![self.both.clone()]
    }
}

/// Verifies with each back end, and counts those that support it.
fn verifiers(algorithm: KeyAlgorithm, key: &[u8], signature: &[u8]) -> usize {
    let signed = SignatureAlgorithm::written_by(algorithm);
    let mut count = 0;
    for back_end in BACK_ENDS {
        let name = back_end.feature();
        let verified = back_end.verify(signed, key, MESSAGE, signature);
        if !verifies(name, algorithm) {
            assert_eq!(verified, Err(Failure::Lacking), "{name}: {algorithm}");
            continue;
        }
        assert_eq!(verified, Ok(()), "{name}: {algorithm}");
        count += 1;
        let refused = Err(Failure::Refused);
        let other = back_end.verify(signed, key, b"massage", signature);
        assert_eq!(other, refused, "{name}: {algorithm}");
        let mut changed = signature.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        let longer = [signature, &[0]].concat();
        let shorter = signature.split_last().unwrap().1;
        for wrong in [&changed, &longer, shorter, &[]] {
            let verified = back_end.verify(signed, key, MESSAGE, wrong);
            assert_eq!(verified, refused, "{name}: {algorithm}");
        }
    }
    count
}

/// Tests every ordered pair of back ends in the build, with every algorithm.
#[test]
fn what_one_back_end_signs_the_others_verify() {
    for &algorithm in KeyAlgorithm::ALL {
        let mut signers = Vec::new();
        for file in files(algorithm) {
            let info = PrivateKeyInfo::read(&file).unwrap();
            let mut public_keys = Vec::new();
            for back_end in BACK_ENDS {
                match back_end.load(algorithm, info.material) {
                    Ok(pair) => {
                        let key = pair.public_key();
                        let signature = pair
                            .sign(MESSAGE, SignatureAlgorithm::written_by(algorithm))
                            .unwrap();
                        let expected = BACK_ENDS
                            .iter()
                            .filter(|other| verifies(other.feature(), algorithm));
                        assert_eq!(verifiers(algorithm, key, &signature), expected.count());
                        public_keys.push(key.to_vec());
                        signers.push(back_end.feature());
                    }
                    Err(failure) => assert_eq!(failure, Failure::Lacking, "{algorithm}"),
                }
            }
            public_keys.dedup();
            assert!(public_keys.len() <= 1, "{algorithm}");
        }
        for feature in LIBRARIES {
            let built_in = BACK_ENDS.iter().any(|other| other.feature() == feature);
            assert_eq!(
                signers.contains(&feature),
                built_in && verifies(feature, algorithm),
                "{feature}: {algorithm}"
            );
        }
    }
}

/// Ensures that no test passes because of missing back ends.
#[test]
fn the_features_say_which_back_ends_there_are() {
    let built_in: Vec<_> = BACK_ENDS.iter().map(|other| other.feature()).collect();
    let expected = [
        cfg!(feature = "aws-lc-rs"),
        cfg!(feature = "ring"),
        cfg!(feature = "oqs"),
    ];
    let expected: Vec<_> = LIBRARIES
        .into_iter()
        .zip(expected)
        .filter_map(|(name, built_in)| built_in.then_some(name))
        .collect();
    assert_eq!(built_in, expected);
}

/// RSA of 2560 bits: all verify it, but `ring`, whose primes have multiples of 512 bits, does not
/// sign with it.
#[test]
fn a_size_that_one_back_end_does_not_sign_with_is_left_to_another() {
    let file = decode(include_str!("../../tests/vectors/rsa-2560.pem"));
    let material = PrivateKeyInfo::read(&file).unwrap().material;
    let algorithm = KeyAlgorithm::rsa(2560).unwrap();
    for back_end in BACK_ENDS {
        match (back_end.feature(), back_end.load(algorithm, material)) {
            ("aws-lc-rs", Ok(pair)) => {
                let signature = pair
                    .sign(MESSAGE, SignatureAlgorithm::written_by(algorithm))
                    .unwrap();
                assert!(verifiers(algorithm, pair.public_key(), &signature) > 0);
            }
            (_, loaded) => assert_eq!(loaded.err(), Some(Failure::Lacking)),
        }
    }
    assert_eq!(
        load(algorithm, material).is_ok(),
        cfg!(feature = "aws-lc-rs")
    );
}

#[test]
fn an_elliptic_curve_key_without_its_point_is_left_to_who_computes_it() {
    let material = KeyMaterial::Ecdsa {
        scalar: &[7; 32],
        point: None,
    };
    assert_eq!(
        load(KeyAlgorithm::EcdsaP256, material).err(),
        (!cfg!(feature = "aws-lc-rs")).then_some(Failure::Lacking)
    );
}

/// RFC 9881 §6: every back end that can parse a file refuses it if its parts do not belong
/// together.
#[test]
fn refuses_ml_dsa_keys_whose_parts_do_not_belong_together() {
    for algorithm in KeyAlgorithm::ALL
        .iter()
        .copied()
        .filter(|&it| is_ml_dsa(it))
    {
        let example = example(algorithm);
        let foreign = example.public.iter().rev().copied().collect::<Vec<_>>();
        let mut changed = example.expanded().to_vec();
        // In `tr`, the digest of the public key, which follows two seeds of 32 octets.
        *changed.get_mut(100).unwrap() ^= 1;
        let material = |expanded, public| KeyMaterial::MlDsa {
            seed: None,
            expanded: Some(expanded),
            public,
        };
        for back_end in BACK_ENDS {
            let name = back_end.feature();
            let wrong_digest = back_end.load(algorithm, material(&changed, Some(&example.public)));
            let alone = back_end.load(algorithm, material(example.expanded(), None));
            let wrong_public =
                back_end.load(algorithm, material(example.expanded(), Some(&foreign)));
            if name == "ring" {
                assert_eq!(wrong_digest.err(), Some(Failure::Lacking));
                continue;
            }
            assert_eq!(wrong_digest.err(), Some(Failure::Refused), "{name}");
            if name == "oqs" {
                assert_eq!(alone.err(), Some(Failure::Lacking));
                assert_eq!(wrong_public.err(), Some(Failure::Refused));
                assert_eq!(
                    back_end.load(algorithm, example.material()).err(),
                    Some(Failure::Lacking)
                );
            } else {
                assert_eq!(alone.unwrap().public_key(), example.public);
                // The parser of the file compares it.
                assert_eq!(wrong_public.unwrap().public_key(), example.public);
            }
        }
    }
}

#[test]
fn digests_are_the_same_with_each_back_end() {
    for (algorithm, of_abc) in [
        // The first octets of FIPS 180-4's examples.
        (HashAlgorithm::Sha256, [0xba, 0x78, 0x16, 0xbf]),
        (HashAlgorithm::Sha384, [0xcb, 0x00, 0x75, 0x3f]),
        (HashAlgorithm::Sha512, [0xdd, 0xaf, 0x35, 0xa1]),
    ] {
        let digest = algorithm.digest(b"abc");
        assert_eq!(digest.as_ref().len(), usize::from(algorithm.octets()));
        assert!(digest.as_ref().starts_with(&of_abc));
        #[cfg(feature = "aws-lc-rs")]
        assert_eq!(aws_lc::digest(algorithm, b"abc"), digest);
        #[cfg(feature = "ring")]
        assert_eq!(ring::digest(algorithm, b"abc"), digest);
    }
}

#[test]
fn random_octets_differ() {
    let mut octets = [[0; 16]; 2];
    for octets in &mut octets {
        fill_random(octets).unwrap();
    }
    let [one, other] = octets;
    assert_ne!(one, other);
}
