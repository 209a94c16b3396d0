//! `peer/biscuit` of BENCHMARKS.md: a Biscuit with the same audience and claims as the tokens that ours are timed with, from
//! text to what one can rely on. What can be prepared once, is. `benchmarks/run` runs it, as Criterion wants it: with `--bench`.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use biscuit_auth::macros::{authorizer, biscuit, rule};
use biscuit_auth::{AuthorizerLimits, Biscuit, KeyPair};
use criterion::Criterion;

use kliento_tools::realistic::{AUDIENCE, DOMAIN, TOKEN_LIFETIME, USER, token};

fn main() {
    let biscuit = BiscuitToken::new();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("peer");
    group.bench_function("biscuit", |bencher| {
        bencher.iter(|| black_box(&biscuit).verify());
    });
    group.finish();
    criterion.final_summary();
}

/// A Biscuit, which Ed25519 signs.
struct BiscuitToken {
    text: String,
    root: biscuit_auth::PublicKey,
}

impl BiscuitToken {
    /// With the audience, the sender and the claims as facts, and its end as a check of its own, as their documentation has
    /// it.
    fn new() -> Self {
        let token = token(0).expect("it is a token");
        let end = SystemTime::now() + Duration::from_secs(TOKEN_LIFETIME.unsigned_abs());
        let mut builder = biscuit!(
            "audience({audience}); user({user}); check if time($time), $time <= {end};",
            audience = AUDIENCE,
            user = format!("{USER}@{DOMAIN}"),
            end = end,
        );
        for (name, value) in token.claims().iter() {
            builder = builder
                .fact(biscuit_auth::macros::fact!(
                    "claim({name}, {value})",
                    name = name,
                    value = value
                ))
                .expect("it is a fact");
        }
        let root = KeyPair::new();
        let biscuit = builder.build(&root).expect("it can be signed");
        let this = Self {
            text: biscuit.to_base64().expect("it can be written"),
            root: root.public(),
        };
        let (user, claims) = this.verify();
        assert_eq!((user.0.as_str(), claims.len()), ("alice@example.com", 3));
        this
    }

    /// Reads it, checks its signature, lets it pass if it is for us and has not ended, and takes the sender and the claims
    /// out of it.
    fn verify(&self) -> ((String,), Vec<(String, String)>) {
        let biscuit = Biscuit::from_base64(&self.text, self.root).expect("the signature is good");
        let mut authorizer = authorizer!("allow if audience({audience});", audience = AUDIENCE)
            .time()
            // By default it gives up after a millisecond, which a busy machine may take.
            .set_limits(AuthorizerLimits {
                max_time: Duration::from_secs(1),
                ..AuthorizerLimits::default()
            })
            .build(&biscuit)
            .expect("it can be asked");
        authorizer.authorize().expect("it may pass");
        let user = authorizer
            .query_exactly_one(rule!("data($user) <- user($user)"))
            .expect("it has one sender");
        let claims = authorizer
            .query(rule!("data($name, $value) <- claim($name, $value)"))
            .expect("it has claims");
        (user, claims)
    }
}
