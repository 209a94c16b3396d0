//! Other people's tokens, with the same audience and claims, from text to claims that one can rely on.
//!
//! They do less: whoever verifies them needs to have got the issuer's key from somewhere, and the key vouches for nothing
//! but itself. Each is verified in the way that its library does fastest: what can be prepared once, is.

use std::collections::HashMap;
use std::time::SystemTime;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, TokenData, Validation};
use kliento::Token;
use kliento::veraid::{KeyAlgorithm, PrivateKey, SigningKey as _};
use serde::{Deserialize, Serialize};

use kliento_tools::realistic::{AUDIENCE, DOMAIN, TOKEN_LIFETIME, USER, token};

/// Keys in the set of which one has signed: two, as while one takes the other's place.
const KEY_IDS: [&str; 2] = ["2026-10", "2026-11"];

/// The claims of a JSON Web Token (RFC 7519): whom it is for, who sends it, since when and until when, and the claims that
/// a Kliento token has.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    aud: String,
    sub: String,
    iat: u64,
    exp: u64,
    claims: HashMap<String, String>,
}

impl Claims {
    fn new(token: &Token) -> Self {
        let iat = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("1970 is over")
            .as_secs();
        Self {
            aud: AUDIENCE.to_owned(),
            sub: format!("{USER}@{DOMAIN}"),
            iat,
            exp: iat + TOKEN_LIFETIME.unsigned_abs(),
            claims: token
                .claims()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }
}

/// A JSON Web Token, and what a server has at hand to verify it.
pub(crate) struct JsonWebToken {
    text: String,
    key: DecodingKey,
    /// The keys by their ids.
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl JsonWebToken {
    /// Signed with RSASSA-PKCS1-v1_5 and SHA-256, by a key of the size that ours have.
    pub(crate) fn rs256() -> Self {
        Self::new(Algorithm::RS256, KeyAlgorithm::Rsa2048, |pem| {
            EncodingKey::from_rsa_pem(pem).expect("it is an RSA key")
        })
    }

    /// Signed with ECDSA, P-256 and SHA-256.
    pub(crate) fn es256() -> Self {
        Self::new(Algorithm::ES256, KeyAlgorithm::EcdsaP256, |pem| {
            EncodingKey::from_ec_pem(pem).expect("it is a P-256 key")
        })
    }

    fn new(
        algorithm: Algorithm,
        key_algorithm: KeyAlgorithm,
        read: impl Fn(&[u8]) -> EncodingKey,
    ) -> Self {
        let pairs = KEY_IDS.map(|id| {
            let private = PrivateKey::generate(key_algorithm).expect("keys can be made");
            let pem = private.to_pkcs8_pem().expect("keys can be written");
            (id, read(pem.as_bytes()), private.public_key().to_spki_pem())
        });
        // As a server gets it, and reads it once.
        let jwks = pairs.each_ref().map(|(id, key, _)| {
            let mut jwk =
                Jwk::from_encoding_key(key, algorithm).expect("the key has a public half");
            jwk.common.key_id = Some((*id).to_owned());
            jwk
        });
        let set = serde_json::to_string(&JwkSet { keys: jwks.into() });
        let set: JwkSet =
            serde_json::from_str(&set.expect("a JWK set is JSON")).expect("it is one");
        let keys = set.keys.iter().map(|jwk| {
            let id = jwk.common.key_id.clone().expect("each has an id");
            (id, DecodingKey::from_jwk(jwk).expect("it is a key"))
        });

        let [_, (id, signing_key, public_key)] = &pairs;
        let mut header = Header::new(algorithm);
        header.kid = Some((*id).to_owned());
        let claims = Claims::new(&token(0).expect("it is a token"));
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["aud", "exp"]);
        validation.leeway = 0;
        let public_key = public_key.as_bytes();
        let this = Self {
            text: jsonwebtoken::encode(&header, &claims, signing_key).expect("it can be signed"),
            key: match algorithm {
                Algorithm::RS256 => DecodingKey::from_rsa_pem(public_key),
                _ => DecodingKey::from_ec_pem(public_key),
            }
            .expect("the key was just written"),
            keys: keys.collect(),
            validation,
        };
        for verified in [this.verify(), this.verify_by_key_id()] {
            assert_eq!(verified.claims.claims.len(), 3);
        }
        this
    }

    /// With the one key that the server knows.
    pub(crate) fn verify(&self) -> TokenData<Claims> {
        jsonwebtoken::decode(&self.text, &self.key, &self.validation).expect("the token is good")
    }

    /// With the key that the header names. A server fetches the set of keys rarely and makes keys of it then; what it does
    /// for each request is to read the header for the key's id, look that up, and verify, by which the header is read once
    /// more: the library has no call that would spare it.
    pub(crate) fn verify_by_key_id(&self) -> TokenData<Claims> {
        let header = jsonwebtoken::decode_header(&self.text).expect("it has a header");
        let key = self
            .keys
            .get(&header.kid.expect("it names a key"))
            .expect("the key is known");
        jsonwebtoken::decode(&self.text, key, &self.validation).expect("the token is good")
    }
}
