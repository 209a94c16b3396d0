//! A store of verified facts: limited in octets, shared by threads, with statistics of its
//! look-ups.
//!
//! It is for `veraid` and `kliento` alone, and may change with any release of theirs.
//!
//! Keys are compared as a whole. Their hash has a random seed for each store, and only determines
//! the place of an entry. Valid input with colliding hashes would therefore slow down look-ups, but
//! not change any result.

#![forbid(unsafe_code)]

use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
pub use quick_cache::Equivalent;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use crate::sync::{AtomicU32, AtomicU64};

#[cfg(test)]
#[cfg(shuttle)]
mod schedules;
mod sync;

/// The octets of a small entry, which estimate the number of entries. The store remembers about as
/// many keys of removed entries, to distinguish entries that come again from entries that come
/// once.
const SMALL_ENTRY_OCTETS: usize = 4_096;
const FEWEST_ENTRIES: usize = 64;

/// More than any machine has, and small enough that sums of it fit into 64 bits.
const MAX_OCTETS: u64 = 1 << 56;

/// The share of the octets for entries that were looked up again; the rest is for new entries. A
/// new entry that fits into the rest does not remove any entry in use.
const SHARE_IN_USE: f64 = 0.9;
/// The share for new entries, as a divisor.
const NEW_DIVISOR: usize = 10;
/// The octets of the largest entry that is stored. Only entries that were made to be large exceed
/// it.
const LARGEST_ENTRY_OCTETS: usize = 32 * 1_024;
/// The same limit for a small store: about the size of ordinary entries.
const LARGEST_OF_SMALL_OCTETS: usize = 8 * 1_024;

/// The counts of families for each small entry that fits into the store, so that few families share
/// a count by chance.
const COUNTS_PER_ENTRY: usize = 8;
const MOST_COUNTS: usize = 1 << 16;
/// Once a family has its share, one in this many of its entries is still admitted.
const ADMITTED_BEYOND: u32 = 64;

/// Values by keys, as many as fit into a number of octets. Entries that were not looked up lately
/// are removed first.
///
/// Store only verified facts: then facts that are not verified cannot remove them. Nor can an
/// attacker with few verified facts, however large he makes them and however often he varies the
/// octets that nobody signs:
///
/// - New entries have a tenth of the octets, and remove only other new entries until they are
///   looked up again.
/// - An entry of more than 32 KiB is not stored. In a store of less than 320 KiB, the limit is a
///   tenth of it, but at least 8 KiB.
/// - Entries with the same meaning in other octets form a family, which has a share of a fixed
///   number of entries. Beyond it, one in 64 entries is admitted. An attacker who uses up a party's
///   share therefore keeps the party out for a while, but not for ever.
pub struct Tier<K, V> {
    entries: Cache<Member<K>, V, Weight<K, V>, SeedableRandomState>,
    weight: fn(&K, &V) -> usize,
    largest: usize,
    families: Arc<Families>,
    hits: Counter,
    misses: Counter,
}

impl<K: Eq + Hash, V: Clone> Tier<K, V> {
    /// Creates a store of at most `octets`, as `weight` counts them, and of at most `family`
    /// entries with the same meaning. Returns `None` for 0 octets.
    ///
    /// `weight` should count everything that an entry takes, including the store's overhead, and
    /// overestimate it.
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

    /// Returns the value under `key`, if it `holds`.
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

    /// Returns the value like [`Tier::get`], but without counting the look-up and without marking
    /// the entry as used.
    pub fn peek<Q>(&self, key: &Q, holds: impl FnOnce(&V) -> bool) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.peek(&Asked(key)).filter(holds)
    }

    /// Stores `value` under `key` in place of the previous value, unless it is too large or its
    /// family already has its share.
    ///
    /// Values with the same meaning are of one family. `family` is hashed with this store's own
    /// seed.
    pub fn insert(&self, key: K, value: V, family: impl Hash) {
        if (self.weight)(&key, &value) > self.largest {
            return;
        }
        let place = match Families::admit(&self.families, &family) {
            Some(place) => place,
            // The entry to be replaced may be the one that fills the share.
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

    /// Removes the value under `key`.
    pub fn remove<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.entries.remove(&Asked(key));
    }

    /// Removes all values but those for which `keep` returns true.
    pub fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.entries.retain(|_, value| keep(value));
    }

    /// The statistics of the store.
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

/// The number of parts of the store, which are locked and filled separately: as many as threads
/// make use of, if the share for new entries has room for the largest entry in each part.
fn shards(octets: usize, largest: usize) -> usize {
    const PER_PROCESSOR: usize = 4;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let most = (octets / largest.saturating_mul(NEW_DIVISOR)).max(1);
    let wanted = processors.saturating_mul(PER_PROCESSOR).min(most);
    // The store rounds up, which would make the parts smaller.
    1 << wanted.ilog2()
}

/// The number of entries of each family. Families with the same count by chance share it.
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

    /// Returns a place for one more entry of a family, if there is one.
    fn admit(families: &Arc<Self>, family: &impl Hash) -> Option<Place> {
        let length = wide(families.counts.len()).max(1);
        let index = usize::try_from(families.hasher.hash_one(family) % length).ok()?;
        let taken = families.counts.get(index)?.fetch_add(1, Ordering::Relaxed);
        // Returns the place to the family when it is dropped.
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

/// The place of an entry in its family's share, for as long as the entry is stored.
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

/// A key, with the place of its entry.
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

/// The form of a key with which it is looked up.
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

/// The statistics of a store, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStatistics {
    /// The number of look-ups that found a value that held at the time.
    pub hits: u64,
    /// The number of other look-ups.
    pub misses: u64,
    /// The number of entries in the store.
    pub entries: usize,
    /// The octets that they take, estimated upwards.
    pub octets: u64,
    /// The most octets that they may take.
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

/// A hasher with its own random seed, which the standard library obtains from the system.
///
/// It hashes about forty octets a nanosecond. It is not a cryptographic hash, so compare the keys
/// that a look-up finds.
pub fn random_hasher() -> SeedableRandomState {
    let seed = RandomState::new().build_hasher().finish();
    SeedableRandomState::with_seed(seed, SharedSeed::global_random())
}

/// A count to which many threads add at once. Most threads have their own place, so that they need
/// not wait for each other's memory.
#[derive(Default)]
pub struct Counter([Count; PLACES]);

const PLACES: usize = 16;

/// Two cache lines of 64 octets, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Count(AtomicU64);

/// Returns the number of the calling thread, which stays the same: threads are numbered in the
/// order of their first call. `None` for a thread that is about to end.
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

    /// Returns the sum of all additions so far.
    pub fn sum(&self) -> u64 {
        let counts = self.0.iter().map(|Count(count)| count);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

// Shuttle's atomics work only on threads that it schedules.
#[cfg(test)]
#[cfg(not(shuttle))]
mod tests {
    use super::*;

    /// A store in which each entry takes a kilobyte, and a family has two.
    fn store() -> Tier<u8, &'static str> {
        Tier::new(1 << 20, 2, |_, _| 1_024).unwrap()
    }

    fn always<V>(_: &V) -> bool {
        true
    }

    #[test]
    fn there_is_no_store_of_nothing() {
        assert!(Tier::<u8, u8>::new(0, 1, |_, _| 1).is_none());
    }

    #[test]
    fn a_family_has_its_share_of_entries_and_can_replace_them() {
        let store = store();
        for key in [1, 2, 3] {
            store.insert(key, "old", "family");
        }
        assert_eq!(store.get(&2, always), Some("old"));
        assert_eq!(store.get(&3, always), None);
        // The share is full, but by this very entry.
        store.insert(2, "new", "family");
        assert_eq!(store.get(&2, always), Some("new"));
        assert_eq!(store.get(&1, always), Some("old"));
        // Its place is another's once it is gone, and other families have places of their own.
        store.remove(&2);
        store.insert(3, "new", "family");
        assert_eq!(store.get(&3, always), Some("new"));
        assert_eq!(store.statistics().entries, 2);
    }

    #[test]
    fn beyond_its_share_a_family_gets_one_entry_in_64_admitted() {
        let store = Tier::new(1 << 20, 2, |_: &u16, (): &()| 1_024).unwrap();
        for key in 0..2 + 128 {
            store.insert(key, (), "family");
        }
        assert_eq!(store.statistics().entries, 2 + 2);
    }

    #[test]
    fn entries_that_are_too_large_are_not_stored() {
        let weight = |key: &usize, (): &()| *key;
        for (octets, largest) in [
            (1 << 20, LARGEST_ENTRY_OCTETS),
            (1 << 10, LARGEST_OF_SMALL_OCTETS),
            (100_000, 10_000),
        ] {
            let store = Tier::new(octets, 1, weight).unwrap();
            store.insert(largest + 1, (), 1);
            assert_eq!(store.statistics().entries, 0, "{octets}");
        }
        let store = Tier::new(1 << 20, 1, weight).unwrap();
        store.insert(LARGEST_ENTRY_OCTETS, (), 1);
        assert_eq!(store.statistics().octets, 32_768);
    }

    #[test]
    fn counts_look_ups_by_whether_they_found_what_holds() {
        let store = store();
        store.insert(1, "value", "family");
        assert_eq!(store.get(&1, always), Some("value"));
        assert_eq!(store.get(&1, |_| false), None);
        assert_eq!(store.get(&2, always), None);
        assert_eq!(store.peek(&1, always), Some("value"));
        assert_eq!(store.peek(&1, |_| false), None);
        let statistics = store.statistics();
        assert_eq!((statistics.hits, statistics.misses), (1, 2));
        assert_eq!((statistics.entries, statistics.octets), (1, 1_024));
        // The values are facts about people, and are not shown.
        assert_eq!(format!("{store:?}"), format!("{statistics:?}"));
        store.retain(|_| false);
        assert_eq!(store.statistics().entries, 0);
    }

    #[test]
    fn threads_add_to_one_counter() {
        let counter = Counter::default();
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..100).for_each(|_| counter.increment()));
            }
        });
        assert_eq!(counter.sum(), 2_000);
        assert_eq!(format!("{counter:?}"), "Counter(2000)");
    }
}
