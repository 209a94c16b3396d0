//! The token source: chooses the token to send, and obtains the next one in time.
//!
//! All state is behind one lock, which is held for a few comparisons. A renewal is a task of its
//! own, so that it finishes even if callers stop waiting. Its outcome is always recorded, even if
//! the task is dropped.

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

/// The default time limit of a supply.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The shortest time between two replacements. A server that refuses every token would otherwise
/// cause a renewal for each request.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(10);

/// The longest sleep of a [`KeptFresh`]. Meanwhile, the clock may be set or the machine suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
type Outcome = Result<BearerToken, TokenSourceError>;

/// Keeps a token for one audience, and obtains the next one in time.
///
/// Cheap to clone; the clones share everything. The [module](super) lists its guarantees.
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
    /// The renewal in progress.
    renewal: Option<Ending>,
    /// The failures since the last token was obtained.
    trouble: Option<Trouble>,
    /// The time of the last replacement of a token that a server refused.
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

/// The reply to a caller that asks for a token.
enum Offer {
    /// This one.
    Token(BearerToken),
    /// The renewal's token; this token if the renewal fails.
    Renewal(Ending, Option<BearerToken>),
}

/// The outcome of a renewal, once it has finished.
type Ending = watch::Receiver<Option<Outcome>>;

/// The urgency of renewing a valid token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing.
    None,
    /// A renewal is due. The present token is still good to send.
    Soon,
    /// The next token should be sent, if there is one.
    Now,
}

impl TokenSource {
    /// A source of tokens for `audience` from `supply`: a [`TokenFile`](super::TokenFile), a
    /// [`TokenCommand`](super::TokenCommand), a [`MemberSigner`](super::MemberSigner), or
    /// [`Supply::from_fn`].
    ///
    /// It obtains nothing until a caller asks for a token.
    pub fn new(audience: Audience, supply: impl Into<Supply>) -> Self {
        Self::builder(audience, supply).build()
    }

    /// Starts a source with further options.
    pub fn builder(audience: Audience, supply: impl Into<Supply>) -> TokenSourceBuilder {
        TokenSourceBuilder {
            audience,
            supply: supply.into(),
            time_limit: TIME_LIMIT,
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
        }
    }

    /// The audience of the tokens.
    pub fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// A token that is valid now.
    ///
    /// This is usually the present token, and then the future is ready at once. It waits for a new
    /// token if there is none yet, if the present one has expired, or if it expires within seconds.
    /// In the last case it returns the present one if the renewal fails. Dropping the future does
    /// not stop the renewal, since others may wait for it.
    ///
    /// # Errors
    ///
    /// [`TokenSourceError`] if there is no valid token and none can be obtained. After a failure,
    /// the next attempt is made after a second at the earliest, or after half a minute if there
    /// were many. Until then, all callers get the error of the last attempt at once.
    pub async fn token(&self) -> Result<BearerToken, TokenSourceError> {
        match self.offer()? {
            Offer::Token(token) => Ok(token),
            Offer::Renewal(renewal, fallback) => match self.result_of(renewal).await {
                Ok(token) => Ok(token),
                Err(error) => fallback.filter(|token| self.holds(token)).ok_or(error),
            },
        }
    }

    /// The present token if it is valid now, without waiting: for code that is not asynchronous,
    /// such as an interceptor of gRPC calls.
    ///
    /// If a renewal is due, it runs in the background, provided that this is called in a Tokio
    /// runtime. So the first call, or a call after a long time, returns `None`: call
    /// [`token`](Self::token) at the start, and [keep the source fresh](Self::keep_fresh).
    pub fn current(&self) -> Option<BearerToken> {
        match self.offer().ok()? {
            Offer::Token(token) => Some(token),
            Offer::Renewal(_, token) => token,
        }
    }

    /// Another token in place of one that a server refused although it should be valid; `None` if
    /// there is no other, so that asking again is useless.
    ///
    /// If another caller has obtained one in the meantime, it is that one. Otherwise one is
    /// obtained for all present callers. If the supply returns the refused token again, that does
    /// not count as another. At most one token in ten seconds is obtained in this way, since a
    /// server that refuses one token often refuses all.
    ///
    /// # Errors
    ///
    /// [`TokenSourceError`] if the renewal failed.
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

    /// Renews tokens in time even if no caller asks, until the returned value is dropped. For
    /// callers that can't wait, because they use [`current`](Self::current) or the supply is slow.
    ///
    /// # Errors
    ///
    /// [`TokenSourceError::NoRuntime`].
    pub fn keep_fresh(&self) -> Result<KeptFresh, TokenSourceError> {
        let source = self.clone();
        let task = runtime()?.spawn(async move {
            loop {
                // A failure is tried again, and is reported to callers that ask for a token.
                let _ = source.offer();
                tokio::time::sleep(source.sleep()).await;
            }
        });
        Ok(KeptFresh(task.abort_handle()))
    }

    /// The time until there is something to do.
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
        // A supply whose tokens expire soon must not be asked all the time.
        let is_new = held.obtained.elapsed() < SHORTEST_PAUSE && state.renewal.is_none();
        if need == Need::None || is_new {
            return Ok(Offer::Token(token));
        }
        // Without a renewal, this token is used.
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

    /// The renewal in progress, or a new one unless it is too soon after the last failure.
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
        // It records its outcome before it ends.
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
    /// The failure after which it is too soon to try again.
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
    /// The state is consistent after each step, so a poisoned lock is harmless.
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

    /// Makes one attempt to obtain a token for this source.
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

    /// Refuses tokens that a server would refuse.
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

/// A renewal in progress. Dropping it ends it, with or without a result.
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
        // There is no result if a function panicked, or the runtime is shutting down.
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

/// Does not show the token.
impl fmt::Debug for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenSource")
            .field("audience", &self.0.audience)
            .field("supply", &self.0.supply)
            .finish_non_exhaustive()
    }
}

/// The options of a [`TokenSource`].
#[must_use]
pub struct TokenSourceBuilder {
    audience: Audience,
    supply: Supply,
    time_limit: Duration,
    clock: Clock,
}

impl TokenSourceBuilder {
    /// Sets the time limit of an attempt to obtain a token. The default is half a minute. A command
    /// that takes longer is killed.
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
