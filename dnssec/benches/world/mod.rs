//! Zones such as the real DNS has many of: the root with two KSKs and a ZSK of RSA-2048 (algorithm 8), as during its
//! rollovers; `com.` and `example.com.` with a KSK and a ZSK of P-256 each (algorithm 13); one TXT record.

use dnssec::{Name, Timestamp, TrustAnchors};
use kliento_fixtures::{Algorithm, Key, SECURE_ENTRY_POINT, World, ZONE_KEY, ZoneKey, ZoneSpec};

/// When all is signed and verified: 2026-11-21T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp::from_unix_seconds(1_795_262_400);

const OWNER: &str = "_veraid.example.com.";
/// What VeraId has there: an algorithm, the digest of a key, seconds, and a service.
const RECORD: &str = "1 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= 86400 1.3.6.1.4.1.58708.3.0";
/// The number of DNSSEC's algorithm RSA with SHA-256.
const RSA_SHA256: u8 = 8;
const RSA_BITS: u32 = 2_048;

pub(crate) fn world() -> World {
    World::builder()
        .at(NOON.unix_seconds())
        .with_zone(root())
        .zone("com.", Algorithm::EcdsaP256Sha256)
        .zone("example.com.", Algorithm::EcdsaP256Sha256)
        .txt(OWNER, RECORD)
        .build()
}

/// Its keys are written down in `kliento-fixtures`, so that none has to be generated. The KSK that waits to take the
/// other's place needs no private half.
fn root() -> ZoneSpec {
    let key = Key::recorded_rsa(Algorithm::RsaSha256, RSA_BITS);
    let waiting = ZoneKey::new(Key::random_junk(RSA_SHA256), ZONE_KEY | SECURE_ENTRY_POINT);
    ZoneSpec::new(".", Algorithm::RsaSha256)
        .ksk(key.clone())
        .zsk(key)
        .extra_key(waiting)
}

pub(crate) fn owner() -> Name {
    OWNER.parse().expect("a name")
}

pub(crate) fn anchors(world: &World) -> TrustAnchors {
    world.anchors().parse().expect("DS lines")
}
