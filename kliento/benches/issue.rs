//! How long a client takes to issue a token, with what it keeps at hand: a member with its certificate, an organisation
//! with its own. Beside it the one signature that it takes, by the same back end over as many octets.
//!
//! `cargo bench -p kliento --bench issue`.

#![allow(
    clippy::expect_used,
    reason = "what is measured works, or the measurement is not worth having"
)]

use std::hint::black_box;
use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
use criterion::Criterion;
use kliento::Timestamp;
use kliento::veraid::{Dialect, KeyAlgorithm};

use kliento_tools::realistic::{Domain, Keys, Kind, token};

/// Octets of the attributes that are signed: content type, digest, service and period. An organisation signs whom it
/// attributes the content to, too; one block of the hash holds some more.
const SIGNED_OCTETS: usize = 200;

fn main() {
    let now = Timestamp::from(SystemTime::now());
    let keys = Keys::generate(KeyAlgorithm::Rsa2048).expect("keys can be made");
    let domain = Domain::new(Dialect::VeraId, &keys, now).expect("it can be made");
    let token = token(0).expect("it is one");
    let verifier = domain.verifier().expect("the audience is one").build();

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("issue");
    for (name, kind) in [("member", Kind::Member), ("org", Kind::Organisation)] {
        let party = domain.party(kind, &keys).expect("it can sign");
        let issue = || party.issue(black_box(&token)).expect("it can sign");
        verifier.verify_bundle(&issue()).expect("it is good");
        group.bench_function(name, |bencher| bencher.iter(issue));
    }
    let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("keys can be made");
    let random = SystemRandom::new();
    let message = [0x31; SIGNED_OCTETS];
    let mut signature = vec![0; key.public_modulus_len()];
    group.bench_function("floor", |bencher| {
        bencher.iter(|| {
            key.sign(
                &RSA_PSS_SHA256,
                &random,
                black_box(&message),
                &mut signature,
            )
            .expect("it can sign");
        });
    });
    group.finish();
    criterion.final_summary();
}
