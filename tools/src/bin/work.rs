//! Operations whose instructions `benchmarks/instructions/run` counts: `work` does each of them, and prints its name and
//! how often.
//!
//! `valgrind --tool=callgrind` counts only within [`counted`], so neither what comes before nor what each operation does
//! for the first time is in its counts. Keys are fresh in each run, and so are the signatures of the zones: counts differ
//! by less than a thousandth for that.

use std::error::Error;
use std::hint::black_box;

use kliento::veraid::{Dialect, KeyAlgorithm};
use kliento::{TokenBundle, Verifier, header};

use kliento_tools::realistic::{Domain, Keys, Kind, Party, TOKEN_LIFETIME, token};

/// Times that an operation is done before it is counted.
const REHEARSALS: usize = 2;
/// Times that it is done while it is counted.
const COUNTED: usize = 16;
const TIME: &str = "2026-11-22T12:00:00Z";

type Outcome = Result<(), Box<dyn Error>>;

/// Callgrind is told this function's name.
#[inline(never)]
fn counted(operation: &mut dyn FnMut() -> Outcome) -> Outcome {
    for _ in 0..COUNTED {
        operation()?;
    }
    Ok(())
}

/// Does something as often as it takes, and says so.
fn count(name: &str, mut operation: impl FnMut() -> Outcome) -> Outcome {
    for _ in 0..REHEARSALS {
        operation()?;
    }
    counted(&mut operation)?;
    println!("{name} {COUNTED}");
    Ok(())
}

fn verify(verifier: &Verifier, authorization: &str) -> Outcome {
    black_box(verifier.verify_header(black_box(authorization))?);
    Ok(())
}

/// Of a server that knows the organisation and the member, but none of these tokens.
fn count_warm(name: &str, verifier: &Verifier, party: &Party<'_>) -> Outcome {
    let tokens = party.tokens(1 + REHEARSALS + COUNTED)?;
    let mut tokens = tokens.iter().map(String::as_str);
    let mut next = || tokens.next().ok_or("tokens ran out");
    verify(verifier, next()?)?;
    count(name, || verify(verifier, next()?))
}

fn main() -> Outcome {
    let time = TIME.parse()?;
    let keys = Keys::generate(KeyAlgorithm::Rsa2048)?;
    let domain = Domain::new(Dialect::VeraId, &keys, time)?;
    let member = domain.party(Kind::Member, &keys)?;
    let organisation = domain.party(Kind::Organisation, &keys)?;
    let bundle = member.issue(&token(0)?)?;
    let by_member = header::encode(&bundle);
    let by_organisation = header::encode(&organisation.issue(&token(0)?)?);

    let forgetful = domain.verifier()?.cache_octets(0).build();
    count("cold_member", || verify(&forgetful, &by_member))?;
    count("cold_org", || verify(&forgetful, &by_organisation))?;

    let remembering = || Ok::<_, Box<dyn Error>>(domain.verifier()?.build());
    count_warm("warm_member", &remembering()?, &member)?;
    count_warm("warm_org", &remembering()?, &organisation)?;

    let verifier = remembering()?;
    count("repeat", || verify(&verifier, &by_member))?;

    let after_its_end = time.saturating_add(TOKEN_LIFETIME + 1);
    let late = domain
        .verifier()?
        .cache_octets(0)
        .clock(move || after_its_end)
        .build();
    count("refuse_expired", || {
        let refusal = black_box(late.verify_header(black_box(&by_member))).err();
        let reason = refusal.as_ref().map(kliento::VerifyError::reason);
        (reason == Some("veraid.signature_expired"))
            .then_some(())
            .ok_or_else(|| format!("an old token should be expired, not {reason:?}").into())
    })?;

    count("parse_bundle", || {
        black_box(TokenBundle::from_der(black_box(&bundle))?);
        Ok(())
    })?;

    let token = token(1)?;
    count("issue_member", || {
        black_box(member.issue(black_box(&token))?);
        Ok(())
    })
}
