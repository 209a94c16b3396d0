//! A member whose tokens are for any time, a clock that is set by hand, and a supply that is watched.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use kliento::client::{BearerToken, BoxError, Supply, TokenSource, TokenSourceBuilder};
use kliento::testing::TrustChain;
use kliento::veraid::Period;
use kliento::{Audience, Timestamp, Token, issue};
use tokio::sync::Semaphore;

pub(crate) const AUDIENCE: &str = "https://api.example.com";
/// 2026-11-21T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp::from_unix_seconds(1_795_262_400);
/// How long tokens live here.
pub(crate) const LIFETIME: i64 = 600;

pub(crate) static CHAIN: LazyLock<TrustChain> =
    LazyLock::new(|| TrustChain::at(NOON, "example.com", &"alice".parse().unwrap()));

pub(crate) fn audience() -> Audience {
    AUDIENCE.parse().unwrap()
}

/// So many seconds after noon.
pub(crate) fn at(seconds: i64) -> Timestamp {
    NOON.saturating_add(seconds)
}

pub(crate) fn period(start: i64, end: i64) -> Period {
    Period::new(at(start), at(end)).unwrap()
}

/// Alice's token for a period, with something in it that tells it from others.
pub(crate) fn bundle(audience: &str, period: Period, number: usize) -> Vec<u8> {
    let token = Token::new(audience.parse().unwrap()).with_claim("number", number.to_string());
    issue(&CHAIN.member_signer(), &token, period).unwrap()
}

/// A clock that stands still until it is set.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn at_noon() -> Self {
        Self(Arc::new(AtomicI64::new(NOON.unix_seconds())))
    }

    /// Sets it to so many seconds after noon.
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(at(seconds).unix_seconds(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }

    /// A builder of a source that lives by it.
    pub(crate) fn builder(&self, supply: impl Into<Supply>) -> TokenSourceBuilder {
        let clock = self.clone();
        TokenSource::builder(audience(), supply).clock(move || clock.now())
    }

    pub(crate) fn source(&self, supply: impl Into<Supply>) -> TokenSource {
        self.builder(supply).build()
    }
}

/// What an attempt to obtain a token comes to.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// A token for `LIFETIME` from now on, another one each time.
    Mint,
    /// This one.
    Give(Vec<u8>),
    Fail,
    Panic,
    Hang,
}

/// A supply that counts, and can be held up.
#[derive(Clone)]
pub(crate) struct Mint(Arc<Inner>);

struct Inner {
    attempts: AtomicUsize,
    gate: Semaphore,
    behaviour: Mutex<Behaviour>,
}

impl Mint {
    /// One that gives tokens at once.
    pub(crate) fn new() -> Self {
        let mint = Self::closed();
        mint.open();
        mint
    }

    /// One that gives none before it is opened.
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Inner {
            attempts: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            behaviour: Mutex::new(Behaviour::Mint),
        }))
    }

    pub(crate) fn open(&self) {
        self.0.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    pub(crate) fn close(&self) {
        self.0.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn will(&self, behaviour: Behaviour) {
        *self.0.behaviour.lock().unwrap() = behaviour;
    }

    /// How often it was asked.
    pub(crate) fn attempts(&self) -> usize {
        self.0.attempts.load(Ordering::SeqCst)
    }

    pub(crate) fn supply(&self) -> Supply {
        let mint = self.clone();
        Supply::from_fn(move |now| {
            let mint = mint.clone();
            async move { mint.attempt(now).await }
        })
    }

    async fn attempt(&self, now: Timestamp) -> Result<Vec<u8>, BoxError> {
        let number = self.0.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        let _permit = self.0.gate.acquire().await?;
        let behaviour = self.0.behaviour.lock().unwrap().clone();
        match behaviour {
            Behaviour::Mint => {
                let period = Period::new(now, now.saturating_add(LIFETIME)).unwrap();
                Ok(bundle(AUDIENCE, period, number))
            }
            Behaviour::Give(bundle) => Ok(bundle),
            Behaviour::Fail => Err("the mint is on strike".into()),
            Behaviour::Panic => panic!("the mint exploded"),
            Behaviour::Hang => std::future::pending().await,
        }
    }
}

/// Lets all tasks do what they can do without time going on.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Which of a mint's tokens it is.
pub(crate) fn number(token: &BearerToken) -> usize {
    let der = kliento::header::decode(token.as_str()).unwrap();
    let bundle = kliento::TokenBundle::from_der(&der).unwrap();
    let token = bundle.unverified_token().unwrap();
    token.claims().get("number").unwrap().parse().unwrap()
}
