//! A store of verified facts: bounded in octets, shared by threads, with counts of what it was asked.
//!
//! It is for `veraid` and `kliento` alone, and may change with any release of theirs.
//!
//! Keys are compared whole. Their hash, seeded at random for each store, only finds the place: whoever could make valid
//! input that all falls on one would slow look-ups down, and change no verdict.

#![forbid(unsafe_code)]

use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread;

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

/// Share of the octets that entries can have which were asked for again; the rest is for those that are new. An entry for
/// which that rest has room pushes out nothing that is in use.
const SHARE_IN_USE: f64 = 0.9;
/// The same for what is new, as a divisor.
const NEW_DIVISOR: usize = 10;
/// Octets of the largest entry that is kept: all but those that were made to be large.
const LARGEST_ENTRY_OCTETS: usize = 32 * 1_024;
/// The same of a small store: as large as ordinary entries are.
const LARGEST_OF_SMALL_OCTETS: usize = 8 * 1_024;

/// Families counted apart, for each small entry that there is room for: few share a count by chance.
const COUNTS_PER_ENTRY: usize = 8;
const MOST_COUNTS: usize = 1 << 16;
/// One of so many is admitted of a family that has its share.
const ADMITTED_BEYOND: u32 = 64;

/// Values by keys, as many as fit into a number of octets. What was not asked for lately goes first.
///
/// Put in only what was verified: then nobody can push that out with what is not. Nor can anybody with few things that were
/// verified, however large he makes them and however often he varies what nobody signs of them:
///
/// - What is new has a tenth of the octets to itself, and pushes out only that, until it is asked for again.
/// - An entry of more than 32 KiB is not kept; of a store of less than 320 KiB, none of more than a tenth, or 8 KiB.
/// - Entries that say the same in other octets are of one family, which has a share of so many entries. Beyond it one of 64
///   is admitted: a party that somebody else keeps from its family's share is kept out for a while, not for good.
pub struct Tier<K, V> {
    entries: Cache<Member<K>, V, Weight<K, V>, SeedableRandomState>,
    weight: fn(&K, &V) -> usize,
    largest: usize,
    families: Arc<Families>,
    hits: Counter,
    misses: Counter,
}

impl<K: Eq + Hash, V: Clone> Tier<K, V> {
    /// A store of at most `octets`, by what `weight` says of entries, and of at most `family` entries that say the same; or
    /// none for 0 octets.
    ///
    /// `weight` should count all that an entry takes, the store's own share too, and err upwards.
    pub fn new(octets: usize, family: u32, weight: fn(&K, &V) -> usize) -> Option<Self> {
        if octets == 0 {
            return None;
        }
        let largest = (octets / NEW_DIVISOR).clamp(LARGEST_OF_SMALL_OCTETS, LARGEST_ENTRY_OCTETS);
        let small_entries = (octets / SMALL_ENTRY_OCTETS).max(FEWEST_ENTRIES);
        let options = OptionsBuilder::new()
            .shards(shards(octets, largest))
            .hot_allocation(SHARE_IN_USE)
            .estimated_items_capacity(small_entries)
            .weight_capacity(wide(octets).min(MAX_OCTETS))
            .build()
            .ok()?;
        let lifecycle = DefaultLifecycle::default();
        Some(Self {
            entries: Cache::with_options(options, Weight(weight), random_hasher(), lifecycle),
            weight,
            largest,
            families: Arc::new(Families::new(family, small_entries)),
            hits: Counter::default(),
            misses: Counter::default(),
        })
    }

    /// What is kept under `key`, if it `holds`.
    pub fn get<Q>(&self, key: &Q, holds: impl FnOnce(&V) -> bool) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let found = self.entries.get(&Asked(key)).filter(holds);
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.increment();
        found
    }

    /// The same for somebody who has no use for it yet: that is not counted, and keeps nothing in the store.
    pub fn peek<Q>(&self, key: &Q, holds: impl FnOnce(&V) -> bool) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.peek(&Asked(key)).filter(holds)
    }

    /// Keeps `value` under `key`, in place of what was there, unless it is too large, or its family has its share already.
    ///
    /// Of one family are values that say the same. Whatever tells it is hashed with a seed of this store's own.
    pub fn insert(&self, key: K, value: V, family: impl Hash) {
        if (self.weight)(&key, &value) > self.largest {
            return;
        }
        let place = match Families::admit(&self.families, &family) {
            Some(place) => place,
            // It may be its own place that is taken.
            None if self.entries.remove(&Asked(&key)).is_some() => {
                match Families::admit(&self.families, &family) {
                    Some(place) => place,
                    None => return,
                }
            }
            None => return,
        };
        self.entries.insert(Member { key, _place: place }, value);
    }

    /// Forgets what is kept under `key`.
    pub fn remove<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.remove(&Asked(key));
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

/// Parts of the store that are locked and filled one by one: as many as threads make use of, if what is new has room for the
/// largest entry in each.
fn shards(octets: usize, largest: usize) -> usize {
    const PER_PROCESSOR: usize = 4;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let most = (octets / largest.saturating_mul(NEW_DIVISOR)).max(1);
    let wanted = processors.saturating_mul(PER_PROCESSOR).min(most);
    // The store rounds up, and would make them smaller.
    1 << wanted.ilog2()
}

/// How many entries there are of each family. Families that fall on one count by chance share it.
struct Families {
    counts: Box<[AtomicU32]>,
    share: u32,
    beyond: AtomicU32,
    hasher: SeedableRandomState,
}

impl Families {
    fn new(share: u32, small_entries: usize) -> Self {
        let counts = small_entries
            .saturating_mul(COUNTS_PER_ENTRY)
            .min(MOST_COUNTS);
        Self {
            counts: (0..counts).map(|_| AtomicU32::new(0)).collect(),
            share,
            beyond: AtomicU32::new(0),
            hasher: random_hasher(),
        }
    }

    /// A place for one more entry of a family, if there is one.
    fn admit(families: &Arc<Self>, family: &impl Hash) -> Option<Place> {
        let length = wide(families.counts.len()).max(1);
        let index = usize::try_from(families.hasher.hash_one(family) % length).ok()?;
        let taken = families.counts.get(index)?.fetch_add(1, Ordering::Relaxed);
        // Gives it back when it goes.
        let place = Place {
            families: Arc::clone(families),
            index,
        };
        let is_admitted = taken < families.share
            || families.beyond.fetch_add(1, Ordering::Relaxed) % ADMITTED_BEYOND
                == ADMITTED_BEYOND - 1;
        is_admitted.then_some(place)
    }
}

/// A family's place that an entry takes for as long as it is there.
struct Place {
    families: Arc<Families>,
    index: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(count) = self.families.counts.get(self.index) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A key, and the place of its entry.
struct Member<K> {
    key: K,
    _place: Place,
}

impl<K: Hash> Hash for Member<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<K: PartialEq> PartialEq for Member<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Eq> Eq for Member<K> {}

/// What a key is looked up by.
struct Asked<'q, Q: ?Sized>(&'q Q);

impl<Q: Hash + ?Sized> Hash for Asked<'_, Q> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K, Q: Equivalent<K> + ?Sized> Equivalent<Member<K>> for Asked<'_, Q> {
    fn equivalent(&self, member: &Member<K>) -> bool {
        self.0.equivalent(&member.key)
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

impl<K, V> Weighter<Member<K>, V> for Weight<K, V> {
    fn weight(&self, member: &Member<K>, value: &V) -> u64 {
        wide((self.0)(&member.key, value))
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
pub struct Counter([Count; PLACES]);

const PLACES: usize = 16;

/// Two cache lines of 64 octets, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Count(AtomicU64);

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
        if let Some(Count(count)) = self.0.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was added so far.
    pub fn sum(&self) -> u64 {
        let counts = self.0.iter().map(|Count(count)| count);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}
