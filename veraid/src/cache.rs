//! A store of verified facts: bounded in octets, shared by threads, with counts of what it was asked.
//!
//! Keys are compared whole. Their hash, seeded at random for each store, only finds the place: whoever could make valid
//! input that all falls on one would slow look-ups down, and change no verdict.

use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
pub use quick_cache::Equivalent;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

/// Octets of a small entry, by which it is estimated how many there will be: the store remembers about as many keys that it
/// had to let go, so that what comes again is told from what comes once.
const SMALL_ENTRY_OCTETS: usize = 4_096;
const FEWEST_ENTRIES: usize = 64;

/// More than any machine has; sums of it are still numbers of 64 bits.
const MAX_OCTETS: u64 = 1 << 56;

/// Values by keys, as many as fit into a number of octets. What was not asked for lately goes first.
///
/// Put in only what was verified: then nobody can push that out with what is not.
pub struct Tier<K, V> {
    entries: Cache<K, V, Weight<K, V>, SeedableRandomState>,
    hits: Counter,
    misses: Counter,
}

impl<K: Eq + Hash, V: Clone> Tier<K, V> {
    /// A store of at most `octets`, by what `weight` says of entries; or none for 0.
    ///
    /// `weight` should count all that an entry takes, the store's own share too, and err upwards.
    pub fn new(octets: usize, weight: fn(&K, &V) -> usize) -> Option<Self> {
        if octets == 0 {
            return None;
        }
        let options = OptionsBuilder::new()
            .estimated_items_capacity((octets / SMALL_ENTRY_OCTETS).max(FEWEST_ENTRIES))
            .weight_capacity(wide(octets).min(MAX_OCTETS))
            .build()
            .ok()?;
        let lifecycle = DefaultLifecycle::default();
        Some(Self {
            entries: Cache::with_options(options, Weight(weight), random_hasher(), lifecycle),
            hits: Counter::default(),
            misses: Counter::default(),
        })
    }

    /// What is kept under `key`, if it `holds`.
    pub fn get<Q>(&self, key: &Q, holds: impl FnOnce(&V) -> bool) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let found = self.entries.get(key).filter(holds);
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.increment();
        found
    }

    /// Keeps `value` under `key`, in place of what was there.
    pub fn insert(&self, key: K, value: V) {
        self.entries.insert(key, value);
    }

    /// Forgets what is kept under `key`.
    pub fn remove<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.remove(key);
    }

    /// Forgets all but what it is told to keep.
    pub fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.entries.retain(|_, value| keep(value));
    }

    /// What it has done and holds.
    pub fn statistics(&self) -> TierStatistics {
        TierStatistics {
            hits: self.hits.sum(),
            misses: self.misses.sum(),
            entries: self.entries.len(),
            octets: self.entries.weight(),
            capacity_octets: self.entries.capacity(),
        }
    }
}

impl<K: Eq + Hash, V: Clone> fmt::Debug for Tier<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(f)
    }
}

/// What a store has done and holds, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStatistics {
    /// Look-ups that found what holds at the time.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Entries that are kept now.
    pub entries: usize,
    /// Octets that they take, estimated upwards.
    pub octets: u64,
    /// Octets that they may take at most.
    pub capacity_octets: u64,
}

struct Weight<K, V>(fn(&K, &V) -> usize);

impl<K, V> Clone for Weight<K, V> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<K, V> Weighter<K, V> for Weight<K, V> {
    fn weight(&self, key: &K, value: &V) -> u64 {
        wide((self.0)(key, value))
    }
}

fn wide(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}

/// A hasher with a seed of its own, from the standard library's source of them, which asks the system.
///
/// It hashes some forty octets a nanosecond. Compare what it finds: it is no cryptographic hash.
pub fn random_hasher() -> SeedableRandomState {
    let seed = RandomState::new().build_hasher().finish();
    SeedableRandomState::with_seed(seed, SharedSeed::global_random())
}

/// A count to which many threads add at once: most of them in a place of their own, so that they need not wait for each
/// other's memory.
#[derive(Default)]
pub struct Counter([Place; PLACES]);

const PLACES: usize = 16;

/// Two cache lines of 64 octets, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Place(AtomicU64);

/// A number for the thread that asks, always the same: threads are numbered as they come. `None` for one that is about to
/// end.
pub fn thread_number() -> Option<usize> {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.try_with(|number| *number).ok()
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counter").field(&self.sum()).finish()
    }
}

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        let place = thread_number().unwrap_or_default() % PLACES;
        if let Some(Place(count)) = self.0.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was added so far.
    pub fn sum(&self) -> u64 {
        let counts = self.0.iter().map(|Place(count)| count);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}
