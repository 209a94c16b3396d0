//! Keys and octets that follow from a seed, so that chains are the same each time.

use std::sync::atomic::{AtomicBool, Ordering};

use kliento_fixture_cases::{Hash, zone_key};
use kliento_fixtures::{Algorithm, Key, Source, set_source};

/// True if zones that ask for an Ed25519 key get one on P-256.
pub(crate) static WITHOUT_ED25519: AtomicBool = AtomicBool::new(false);

/// Has all keys and random octets of this thread follow from `seed` from now on.
pub(crate) fn seed(seed: &str) {
    set_source(Some(Box::new(Seeded {
        seed: seed.to_owned(),
        taken: 0,
    })));
}

struct Seeded {
    seed: String,
    /// The number of times that something was taken.
    taken: u32,
}

impl Seeded {
    /// A text that is another each time.
    fn next(&mut self) -> String {
        self.taken += 1;
        format!("{} {}", self.seed, self.taken)
    }
}

impl Source for Seeded {
    fn key(&mut self, algorithm: Algorithm) -> Key {
        let text = self.next();
        match algorithm {
            Algorithm::Ed25519 if !WITHOUT_ED25519.load(Ordering::Relaxed) => zone_key(&text),
            Algorithm::Ed25519 => p256_key(&text),
            Algorithm::EcdsaP256Sha256 => p256_key(&text),
            Algorithm::EcdsaP384Sha384 => p384_key(&text),
            // Whoever needs more than one has others to choose from.
            _ => Key::recorded_rsa(algorithm, 2_048),
        }
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        let text = self.next();
        (0_u32..)
            .flat_map(|block| Hash::Sha512.of(format!("{text} {block}").as_bytes()))
            .take(count)
            .collect()
    }
}

fn p256_key(text: &str) -> Key {
    use p256::ecdsa::signature::Signer as _;
    let key = p256::ecdsa::SigningKey::from_slice(&Hash::Sha256.of(text.as_bytes()))
        .expect("nearly all numbers of 32 octets are keys");
    let point = key.verifying_key().to_encoded_point(false);
    let public_key = point.as_bytes()[1..].to_vec();
    Key::held_elsewhere(Algorithm::EcdsaP256Sha256, public_key, move |octets| {
        let signature: p256::ecdsa::Signature = key.sign(octets);
        signature.to_bytes().to_vec()
    })
}

fn p384_key(text: &str) -> Key {
    use p384::ecdsa::signature::Signer as _;
    let key = p384::ecdsa::SigningKey::from_slice(&Hash::Sha384.of(text.as_bytes()))
        .expect("nearly all numbers of 48 octets are keys");
    let point = key.verifying_key().to_encoded_point(false);
    let public_key = point.as_bytes()[1..].to_vec();
    Key::held_elsewhere(Algorithm::EcdsaP384Sha384, public_key, move |octets| {
        let signature: p384::ecdsa::Signature = key.sign(octets);
        signature.to_bytes().to_vec()
    })
}
