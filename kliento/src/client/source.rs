//! The source: which token is sent, and when the next one is obtained.
//!
//! All state is behind one lock that is held for a few comparisons. A renewal is a task of its own, so that it comes to
//! its end whoever stops waiting for it, and whatever becomes of it, dropping it included, is written down.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use veraid::Timestamp;

use super::bearer::{BearerToken, Reading};
use super::error::TokenSourceError;
use super::form;
use super::schedule::{SHORTEST_PAUSE, Schedule, pause_after};
use super::supply::Supply;
use crate::Audience;

/// How long a supply may take, unless its owner says otherwise.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// A server that refuses each token would have each request get another one.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(10);

/// How long a [`KeptFresh`] sleeps at most: a clock may be set, or a machine suspended, in the meantime.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
type Outcome = Result<BearerToken, TokenSourceError>;

/// Has a token for one audience at hand, and gets the next one in time.
///
/// Cheap to clone; the clones share everything. See the [module](super) for what it promises.
#[derive(Clone)]
pub struct TokenSource(Arc<Inner>);

struct Inner {
    audience: Audience,
    supply: Supply,
    time_limit: Duration,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The renewal that is under way.
    renewal: Option<Ending>,
    /// What went wrong since a token was last obtained.
    trouble: Option<Trouble>,
    /// When a token was last replaced because a server refused it.
    refusal: Option<Instant>,
}

struct Held {
    token: BearerToken,
    schedule: Schedule,
    obtained: Instant,
}

struct Trouble {
    error: TokenSourceError,
    failures: u32,
    next_attempt: Instant,
}

/// What there is for somebody who asks for a token.
enum Offer {
    /// This one.
    Token(BearerToken),
    /// Whatever the renewal brings; the token, if it brings none.
    Renewal(Ending, Option<BearerToken>),
}

/// Tells how a renewal ended, once it has.
type Ending = watch::Receiver<Option<Outcome>>;

/// What is to be done about a token that is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing.
    None,
    /// Another is to be obtained; this one will do in the meantime.
    Soon,
    /// Another one should be sent, if it can be had.
    Now,
}

impl TokenSource {
    /// A source of tokens for `audience` from `supply`: a [`TokenFile`](super::TokenFile), a
    /// [`TokenCommand`](super::TokenCommand), a [`MemberSigner`](super::MemberSigner), or [`Supply::from_fn`].
    ///
    /// Nothing is obtained before a token is asked for.
    pub fn new(audience: Audience, supply: impl Into<Supply>) -> Self {
        Self::builder(audience, supply).build()
    }

    /// The same, with what can be chosen besides.
    pub fn builder(audience: Audience, supply: impl Into<Supply>) -> TokenSourceBuilder {
        TokenSourceBuilder {
            audience,
            supply: supply.into(),
            time_limit: TIME_LIMIT,
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
        }
    }

    /// Whom the tokens are for.
    pub fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// A token that is valid now.
    ///
    /// That is the one at hand, as a rule, and then nothing is waited for. It is waited for the next one when there is
    /// none yet or it has ended, and when it ends within seconds: in that last case the one at hand is given if no other
    /// can be had. Dropping the future stops the waiting and not the renewal, which others wait for too.
    ///
    /// # Errors
    ///
    /// [`TokenSourceError`] if there is no valid token and none can be had. After a failure the next attempt is made a
    /// second later at the soonest, and half a minute later when there were many: until then everybody who asks gets the
    /// error of the last attempt at once.
    pub async fn token(&self) -> Result<BearerToken, TokenSourceError> {
        match self.offer()? {
            Offer::Token(token) => Ok(token),
            Offer::Renewal(renewal, fallback) => match self.result_of(renewal).await {
                Ok(token) => Ok(token),
                Err(error) => fallback.filter(|token| self.holds(token)).ok_or(error),
            },
        }
    }

    /// The token at hand if it is valid now, without waiting: for code that is not asynchronous, such as an interceptor
    /// of gRPC calls.
    ///
    /// If it is time for the next one, that is obtained in the background, given that this is called in a Tokio runtime.
    /// So somebody who asks for the first time, or after a long time, gets `None`: call [`token`](Self::token) when
    /// starting, and [keep it fresh](Self::keep_fresh).
    pub fn current(&self) -> Option<BearerToken> {
        match self.offer().ok()? {
            Offer::Token(token) => Some(token),
            Offer::Renewal(_, token) => token,
        }
    }

    /// Another token, in place of one that a server refused although it should hold; `None` if there is none, and nothing
    /// to be gained by asking again.
    ///
    /// It is the one that somebody else obtained in the meantime if there is such a one; else one is obtained, for all who
    /// ask at that time. A token that the supply gives once more is no other token. Every ten seconds one is obtained in
    /// this way at most, since a server that refuses one token often refuses each.
    ///
    /// # Errors
    ///
    /// [`TokenSourceError`] if it was tried, and failed.
    pub async fn replacement_for(
        &self,
        refused: &BearerToken,
    ) -> Result<Option<BearerToken>, TokenSourceError> {
        let other = match self.replace(refused)? {
            None => return Ok(None),
            Some(Offer::Token(token)) => token,
            Some(Offer::Renewal(renewal, _)) => self.result_of(renewal).await?,
        };
        Ok((other != *refused).then_some(other))
    }

    /// Renews in time even while nobody asks, until what it returns is dropped. For those who can't wait when they ask, be
    /// it because they use [`current`](Self::current) or because the supply is slow.
    ///
    /// # Errors
    ///
    /// [`TokenSourceError::NoRuntime`].
    pub fn keep_fresh(&self) -> Result<KeptFresh, TokenSourceError> {
        let source = self.clone();
        let task = runtime()?.spawn(async move {
            loop {
                // What fails is tried again, and told to whoever asks for a token.
                let _ = source.offer();
                tokio::time::sleep(source.sleep()).await;
            }
        });
        Ok(KeptFresh(task.abort_handle()))
    }

    /// Until there is something to do.
    fn sleep(&self) -> Duration {
        if self.0.supply.watched_every().is_some() {
            return SHORTEST_PAUSE;
        }
        let renewal = self
            .0
            .state()
            .held
            .as_ref()
            .map_or(Timestamp::MIN, |held| held.schedule.renewal);
        let now = self.now().unix_seconds();
        let seconds = renewal.unix_seconds().saturating_sub(now).max(0);
        Duration::from_secs(seconds.unsigned_abs()).clamp(SHORTEST_PAUSE, LONGEST_SLEEP)
    }

    fn offer(&self) -> Result<Offer, TokenSourceError> {
        let now = self.now();
        let state = self.0.state();
        let Some(held) = state.held.as_ref().filter(|held| held.holds_at(now)) else {
            return self
                .renewal(state)
                .map(|renewal| Offer::Renewal(renewal, None));
        };
        let token = held.token.clone();
        let need = self.0.need(held, now);
        // A supply that gives tokens that are about to end must not be asked all the time.
        let is_new = held.obtained.elapsed() < SHORTEST_PAUSE && state.renewal.is_none();
        if need == Need::None || is_new {
            return Ok(Offer::Token(token));
        }
        // If there is no renewal, this one has to do.
        Ok(match self.renewal(state) {
            Ok(renewal) if need == Need::Now => Offer::Renewal(renewal, Some(token)),
            _ => Offer::Token(token),
        })
    }

    fn replace(&self, refused: &BearerToken) -> Result<Option<Offer>, TokenSourceError> {
        let now = self.now();
        let mut state = self.0.state();
        if let Some(held) = state.held.as_ref().filter(|held| held.holds_at(now))
            && held.token != *refused
        {
            return Ok(Some(Offer::Token(held.token.clone())));
        }
        if state.renewal.is_none() {
            let lately = |refusal: Instant| refusal.elapsed() < BETWEEN_REFUSALS;
            if state.refusal.is_some_and(lately) || state.recent_trouble().is_some() {
                return Ok(None);
            }
            state.refusal = Some(Instant::now());
        }
        self.renewal(state)
            .map(|renewal| Some(Offer::Renewal(renewal, None)))
    }

    /// The renewal that is under way, or a new one unless it is too soon after the last trouble.
    fn renewal(&self, mut state: MutexGuard<'_, State>) -> Result<Ending, TokenSourceError> {
        if let Some(renewal) = &state.renewal {
            return Ok(renewal.clone());
        }
        if let Some(trouble) = state.recent_trouble() {
            return Err(trouble.error.clone());
        }
        let runtime = runtime()?;
        let (sender, ending) = watch::channel(None);
        state.renewal = Some(ending.clone());
        // A runtime that is shutting down drops the task at once, and that takes the lock.
        drop(state);
        let renewal = Renewal {
            inner: Arc::clone(&self.0),
            sender,
            outcome: None,
        };
        runtime.spawn(renewal.run());
        Ok(ending)
    }

    async fn result_of(&self, mut renewal: Ending) -> Outcome {
        let ended = renewal.wait_for(Option::is_some).await;
        let outcome = ended.ok().and_then(|outcome| outcome.clone());
        // It says how it ended before it goes.
        outcome.unwrap_or_else(|| Err(self.0.broken_off()))
    }

    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    fn holds(&self, token: &BearerToken) -> bool {
        token.period().contains(self.now())
    }
}

fn runtime() -> Result<Handle, TokenSourceError> {
    Handle::try_current().map_err(|_| TokenSourceError::NoRuntime)
}

impl Held {
    fn holds_at(&self, now: Timestamp) -> bool {
        self.token.period().contains(now)
    }
}

impl State {
    /// What went wrong so lately that nothing is tried again yet.
    fn recent_trouble(&self) -> Option<&Trouble> {
        self.trouble
            .as_ref()
            .filter(|trouble| Instant::now() < trouble.next_attempt)
    }

    fn settle(&mut self, outcome: &Outcome, now: Timestamp) {
        self.renewal = None;
        match outcome {
            Ok(token) => {
                self.trouble = None;
                self.held = Some(Held {
                    token: token.clone(),
                    schedule: Schedule::new(token.period(), now),
                    obtained: Instant::now(),
                });
            }
            Err(error) => {
                let failures = self.trouble.as_ref().map_or(0, |trouble| trouble.failures);
                let failures = failures.saturating_add(1);
                self.trouble = Some(Trouble {
                    error: error.clone(),
                    failures,
                    next_attempt: Instant::now() + pause_after(failures),
                });
            }
        }
    }
}

impl Inner {
    /// What it guards is whole after each step, so a panic elsewhere changes nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn need(&self, held: &Held, now: Timestamp) -> Need {
        if now >= held.schedule.urgency {
            return Need::Now;
        }
        let is_due = match self.supply.watched_every() {
            Some(interval) => held.obtained.elapsed() >= interval,
            None => now >= held.schedule.renewal,
        };
        if is_due { Need::Soon } else { Need::None }
    }

    /// One attempt to obtain a token that is good for this source.
    async fn attempt(&self) -> Outcome {
        let obtained = self.supply.obtain(&self.audience, (self.clock)());
        let bundle = match tokio::time::timeout(self.time_limit, obtained).await {
            Ok(Ok(bundle)) => bundle,
            Ok(Err(source)) => {
                let supply = self.supply.name();
                return Err(TokenSourceError::Unobtainable { supply, source });
            }
            Err(_) => {
                return Err(TokenSourceError::TimedOut {
                    supply: self.supply.name(),
                    limit: self.time_limit,
                });
            }
        };
        let now = (self.clock)();
        let reading = form::bundle_octets(&bundle).and_then(|der| BearerToken::read(&der, now));
        match reading {
            Ok(Reading::Token(token)) => self.check(token, now),
            Ok(Reading::NeverValid) => Err(TokenSourceError::NeverValid {
                supply: self.supply.name(),
            }),
            Err(error) => Err(TokenSourceError::Unreadable {
                supply: self.supply.name(),
                source: Arc::new(error),
            }),
        }
    }

    /// What a server would refuse is no token to send.
    fn check(&self, token: BearerToken, now: Timestamp) -> Outcome {
        let supply = self.supply.name();
        let period = token.period();
        if *token.audience() != self.audience {
            return Err(TokenSourceError::OtherAudience {
                supply,
                expected: self.audience.clone(),
                found: token.audience().clone(),
            });
        }
        if period.end() < now {
            return Err(TokenSourceError::Expired {
                supply,
                period,
                now,
            });
        }
        if now < period.start() {
            return Err(TokenSourceError::NotYetValid {
                supply,
                period,
                now,
            });
        }
        Ok(token)
    }

    fn broken_off(&self) -> TokenSourceError {
        TokenSourceError::BrokenOff {
            supply: self.supply.name(),
        }
    }
}

/// A renewal under way. Dropping it ends it, with or without a result.
struct Renewal {
    inner: Arc<Inner>,
    sender: watch::Sender<Option<Outcome>>,
    outcome: Option<Outcome>,
}

impl Renewal {
    async fn run(mut self) {
        self.outcome = Some(self.inner.attempt().await);
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        // Nothing is there if a function panicked, or the runtime goes.
        let outcome = self.outcome.take();
        let outcome = outcome.unwrap_or_else(|| Err(self.inner.broken_off()));
        let now = (self.inner.clock)();
        self.inner.state().settle(&outcome, now);
        self.sender.send_replace(Some(outcome));
    }
}

/// Keeps a [`TokenSource`] fresh until it is dropped.
#[derive(Debug)]
#[must_use = "it stops when this is dropped"]
pub struct KeptFresh(AbortHandle);

impl Drop for KeptFresh {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Without the token.
impl fmt::Debug for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenSource")
            .field("audience", &self.0.audience)
            .field("supply", &self.0.supply)
            .finish_non_exhaustive()
    }
}

/// What can be chosen about a [`TokenSource`].
#[must_use]
pub struct TokenSourceBuilder {
    audience: Audience,
    supply: Supply,
    time_limit: Duration,
    clock: Clock,
}

impl TokenSourceBuilder {
    /// How long an attempt to obtain a token may take, in place of half a minute. A command that takes longer is killed.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Reads the time from `clock`, for tests.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The source.
    pub fn build(self) -> TokenSource {
        TokenSource(Arc::new(Inner {
            audience: self.audience,
            supply: self.supply,
            time_limit: self.time_limit,
            clock: self.clock,
            state: Mutex::default(),
        }))
    }
}

impl fmt::Debug for TokenSourceBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenSourceBuilder")
            .field("audience", &self.audience)
            .field("supply", &self.supply)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
