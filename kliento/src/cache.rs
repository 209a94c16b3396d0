//! What a server remembers of tokens that it verified, so that it need not verify them again.
//!
//! A client sends the same bundle with each request until it ends, for up to an hour. Here, bundles are kept by their
//! exact octets, as they were presented, with what was found out about them:
//!
//! - Only what was verified and accepted goes in. What is refused is not remembered, and can't push out what is.
//! - A look-up asks again whether it holds now. That costs no more than comparing two numbers, since verification gives
//!   the period in which everything holds.
//! - Octets are compared whole. The hash, seeded at random for each cache, only finds the place: whoever could make valid
//!   bundles that all fall on one would slow look-ups down, and change no verdict.
//! - It is bounded in octets. What was not asked for lately goes first.

use core::fmt;
use core::hash::{BuildHasher as _, Hash, Hasher};
use core::sync::atomic::{AtomicU64, Ordering};
use std::hash::RandomState;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use quick_cache::sync::{Cache as SharedCache, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, Weighter};
use veraid::{Period, Timestamp};

use crate::VerifiedToken;

/// Octets that a cache holds unless told otherwise: some three thousand bundles of RSA-2048 keys.
pub(crate) const DEFAULT_OCTETS: usize = 16 * 1_024 * 1_024;

/// What an entry takes beside its key and the texts in it, estimated upwards: the cache's own slots, the names, the
/// counts and the allocator's share.
const ENTRY_OCTETS: u64 = 640;
/// The same for each claim beside its text.
const CLAIM_OCTETS: u64 = 112;
/// Entries that room is made for from the start, and in each shard; more come as they are needed.
const INITIAL_ENTRIES: usize = 64;

/// How a bundle was presented. The same octets may mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The bundle itself.
    Der,
    /// What follows the scheme in an `Authorization` value.
    Credentials,
}

/// A bundle as it was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presented<'a> {
    pub(crate) form: Form,
    pub(crate) octets: &'a [u8],
}

struct Key {
    form: Form,
    octets: Box<[u8]>,
}

impl Key {
    fn borrowed(&self) -> Presented<'_> {
        Presented {
            form: self.form,
            octets: &self.octets,
        }
    }
}

impl Hash for Presented<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.form.hash(state);
        state.write(self.octets);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.borrowed() == other.borrowed()
    }
}

impl Eq for Key {}

impl Equivalent<Key> for Presented<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.borrowed()
    }
}

/// How many octets an entry takes, estimated upwards.
#[derive(Clone)]
struct Octets;

impl Weighter<Key, VerifiedToken> for Octets {
    fn weight(&self, key: &Key, token: &VerifiedToken) -> u64 {
        let claims = token
            .claims()
            .iter()
            .map(|(name, value)| octets_of(name.len()) + octets_of(value.len()) + CLAIM_OCTETS);
        let texts = octets_of(key.octets.len())
            + octets_of(token.audience().as_str().len())
            // As the subject, and as the organisation and the user.
            + 2 * octets_of(token.subject().len());
        ENTRY_OCTETS + texts + claims.sum::<u64>()
    }
}

fn octets_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Verified tokens by the bundles that they came in.
pub(crate) struct Cache {
    tokens: SharedCache<Key, VerifiedToken, Octets, SeedableRandomState>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Cache {
    /// A cache of at most `octets`, or none for 0.
    pub(crate) fn new(octets: usize) -> Option<Self> {
        if octets == 0 {
            return None;
        }
        let options = OptionsBuilder::new()
            .estimated_items_capacity(INITIAL_ENTRIES)
            .weight_capacity(octets_of(octets))
            .build()
            .ok()?;
        let tokens =
            SharedCache::with_options(options, Octets, seeds(), DefaultLifecycle::default());
        Some(Self {
            tokens,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        })
    }

    /// What is known of a bundle, if that holds for whoever asks about `required`.
    ///
    /// Verifying asks that one second of `required` will do, and that DNSSEC holds close to its end (the TTL override). If
    /// everything holds at that end, both are true, whatever the override. If not, the bundle has to be verified: that is
    /// so for the last seconds of a token, of a verifier that forgives a clock skew.
    pub(crate) fn get(&self, bundle: Presented<'_>, required: Period) -> Option<VerifiedToken> {
        let known = self.tokens.get(&bundle);
        let token = known.filter(|token| {
            if token.validity().end() < required.start() {
                self.tokens.remove(&bundle);
            }
            token.validity().contains(required.end())
        });
        let count = if token.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        count.fetch_add(1, Ordering::Relaxed);
        token
    }

    /// Remembers a token that was verified and accepted.
    pub(crate) fn insert(&self, bundle: Presented<'_>, token: &VerifiedToken) {
        let key = Key {
            form: bundle.form,
            octets: bundle.octets.into(),
        };
        self.tokens.insert(key, token.clone());
    }

    /// Forgets what has ended before `time`.
    pub(crate) fn remove_expired(&self, time: Timestamp) {
        self.tokens
            .retain(|_, token| token.validity().end() >= time);
    }

    pub(crate) fn statistics(&self) -> CacheStatistics {
        CacheStatistics {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.tokens.len(),
            octets: self.tokens.weight(),
            capacity_octets: self.tokens.capacity(),
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(formatter)
    }
}

/// With a seed of this cache's own, from the standard library's source of them, which asks the system.
fn seeds() -> SeedableRandomState {
    let seed = RandomState::new().build_hasher().finish();
    SeedableRandomState::with_seed(seed, SharedSeed::global_random())
}

/// What a verifier's cache has done and holds, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Look-ups that needed no verification.
    pub hits: u64,
    /// Look-ups that found nothing that holds at the time.
    pub misses: u64,
    /// Tokens that are remembered now.
    pub entries: usize,
    /// Octets that they take, estimated upwards.
    pub octets: u64,
    /// Octets that they may take at most.
    pub capacity_octets: u64,
}
