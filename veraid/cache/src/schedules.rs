//! The store under concurrent use: shuttle runs these threads one at a time, and chooses at each lock and each atomic
//! which of them goes on. Each test runs in thousands of orders, by shuttle's random scheduler and by its PCT scheduler
//! (probabilistic concurrency testing), which also finds what only a few orders bring about.
//!
//! ```sh
//! cargo xtask nightly shuttle
//! ```
//!
//! A failure prints its schedule, with which `shuttle::replay` repeats it.
//!
//! The threads have one number ([`thread_number`]), since they are one thread to the system. So they share the place of
//! a [`Counter`].

use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

use super::*;

/// The orders of each scheduler.
const SCHEDULES: usize = 5_000;
/// The points at which PCT changes the order, besides the first one.
const DEPTH: usize = 3;

/// Runs the threads that `body` starts in many orders.
fn in_many_orders(body: impl Fn() + Clone + Send + Sync + 'static) {
    let mut config = Config::new();
    // Code without optimisation takes more stack than the default.
    config.stack_size = 128 * 1_024;
    Runner::new(RandomScheduler::new(SCHEDULES), config.clone()).run(body.clone());
    Runner::new(PctScheduler::new(DEPTH, SCHEDULES), config).run(body);
}

/// A fact that holds for some seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fact {
    key: u8,
    /// Facts under one key are numbered in the order in which they are stored.
    version: u32,
    start: u32,
    end: u32,
}

impl Fact {
    fn until(end: u32, key: u8, version: u32) -> Self {
        Self {
            key,
            version,
            start: 0,
            end,
        }
    }

    fn holds(&self, time: u32) -> bool {
        (self.start..=self.end).contains(&time)
    }
}

type Store = Arc<Tier<u8, Fact>>;

const FACT_OCTETS: usize = 1_024;

/// A store with room for so many facts.
fn store(facts: usize, family: u32) -> Store {
    let octets = facts * FACT_OCTETS;
    let store = Tier::new(octets, family, |_, _| FACT_OCTETS).unwrap();
    assert_eq!(store.entries.capacity(), wide(octets));
    Arc::new(store)
}

type Act = Box<dyn FnOnce() + Send>;

/// Starts the threads, and waits for all of them. Checks that the entries alone have places in their families, and that
/// they return them. Returns the counters of look-ups that found something, and of others.
fn run(store: Store, threads: Vec<Act>) -> (Counter, Counter) {
    let threads: Vec<_> = threads.into_iter().map(thread::spawn).collect();
    for thread in threads {
        thread.join().unwrap();
    }
    check_bounds(&store);
    let Tier {
        entries,
        families,
        hits,
        misses,
        ..
    } = Arc::into_inner(store).unwrap();
    // Each place has the families as its own.
    assert_eq!(Arc::strong_count(&families) - 1, entries.len());
    entries.retain(|_, _| false);
    assert_eq!(entries.weight(), 0);
    let Families { counts, .. } = Arc::into_inner(families).unwrap();
    let mut counts = counts.into_iter().map(AtomicU32::into_inner);
    assert!(counts.all(|count| count == 0));
    (hits, misses)
}

/// Checks what is true at any time.
fn check_bounds(store: &Store) {
    // Not by the statistics, which sum up counters: each of these is one more point at which threads take turns.
    assert!(store.entries.weight() <= store.entries.capacity());
}

/// Looks up a key, and checks what is found.
fn look_up(store: &Store, key: u8, time: u32) -> Option<Fact> {
    let fact = store.get(&key, |fact| fact.holds(time))?;
    assert_eq!(fact.key, key, "the value of another key");
    assert!(fact.holds(time), "{fact:?} does not hold at {time}");
    Some(fact)
}

#[test]
fn a_look_up_finds_only_what_holds_of_its_own_key() {
    const LOOK_UPS: u64 = 4;
    in_many_orders(|| {
        let store = store(2, 2);
        let act = |store: Store| -> Act {
            Box::new(move || {
                for round in 0..u32::try_from(LOOK_UPS).unwrap() {
                    let mut random = thread_rng();
                    let key = random.gen_range(0..3_u8);
                    let time = random.gen_range(0..4);
                    match random.gen_range(0..6) {
                        0 => store.remove(&key),
                        1 => store.retain(|fact| fact.end >= time),
                        _ => {
                            let fact = Fact {
                                key,
                                version: round,
                                start: time,
                                end: time + random.gen_range(0..2),
                            };
                            store.insert(key, fact, key % 2);
                        }
                    }
                    check_bounds(&store);
                    let key = random.gen_range(0..3_u8);
                    look_up(&store, key, random.gen_range(0..4));
                    if let Some(fact) = store.peek(&key, |fact| fact.holds(time)) {
                        assert!(fact.key == key && fact.holds(time), "{fact:?}");
                    }
                }
            })
        };
        let threads = (0..3).map(|_| act(Arc::clone(&store))).collect();
        let (hits, misses) = run(store, threads);
        assert_eq!(hits.sum() + misses.sum(), 3 * LOOK_UPS);
    });
}

/// One thread stores facts under a key one after the other, and removes them; others look them up, while one more
/// fills the store with other facts.
#[test]
fn no_look_up_finds_what_was_replaced_or_removed_before_it() {
    const KEY: u8 = 7;
    in_many_orders(|| {
        let store = store(3, 2);
        // The version of which everything older is gone.
        let oldest = Arc::new(AtomicU32::new(0));
        let writer = {
            let (store, oldest) = (Arc::clone(&store), Arc::clone(&oldest));
            move || {
                for version in 1..=6 {
                    let fact = Fact::until(9, KEY, version);
                    if version % 3 == 0 {
                        store.remove(&KEY);
                    } else {
                        store.insert(KEY, fact, KEY);
                    }
                    oldest.store(version, Ordering::SeqCst);
                }
            }
        };
        let reader = |store: Store, oldest: Arc<AtomicU32>| {
            move || {
                for _ in 0..4 {
                    let oldest = oldest.load(Ordering::SeqCst);
                    if let Some(fact) = look_up(&store, KEY, 5) {
                        assert!(fact.version >= oldest, "{fact:?} was gone at {oldest}");
                    }
                }
            }
        };
        let filler = {
            let store = Arc::clone(&store);
            move || {
                for key in 0..5 {
                    let fact = Fact::until(9, key, 0);
                    store.insert(key, fact, key);
                    check_bounds(&store);
                }
            }
        };
        let readers = [0, 1].map(|_| reader(Arc::clone(&store), Arc::clone(&oldest)));
        let [first, second] = readers;
        run(
            store,
            vec![
                Box::new(writer),
                Box::new(first),
                Box::new(second),
                Box::new(filler),
            ],
        );
    });
}

#[test]
fn what_has_expired_is_gone_once_it_was_removed() {
    in_many_orders(|| {
        let store = store(4, 4);
        let act = |store: Store, key: u8| -> Act {
            Box::new(move || {
                store.insert(key, Fact::until(3, key, 0), key);
                store.insert(key + 10, Fact::until(9, key + 10, 0), key);
                store.retain(|fact| fact.end >= 5);
                // Nobody stores it again.
                assert_eq!(store.peek(&key, |_| true), None);
                check_bounds(&store);
            })
        };
        let threads = (0..3).map(|key| act(Arc::clone(&store), key)).collect();
        run(store, threads);
    });
}

#[test]
fn a_family_never_has_more_than_its_share() {
    const SHARE: u32 = 2;
    in_many_orders(|| {
        let store = store(64, SHARE);
        let act = |store: Store, keys: [u8; 3]| -> Act {
            Box::new(move || {
                for key in keys {
                    let fact = Fact::until(9, key, 0);
                    store.insert(key, fact, "family");
                    // All entries are of this family.
                    let entries = store.entries.len();
                    assert!(entries <= usize::try_from(SHARE).unwrap(), "{entries}");
                    if key % 2 == 0 {
                        store.remove(&key);
                    }
                }
            })
        };
        let keys = [[1, 2, 3], [2, 4, 5], [3, 1, 6]];
        let threads = keys.map(|keys| act(Arc::clone(&store), keys));
        run(store, threads.into());
    });
}
