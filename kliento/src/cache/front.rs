//! A few bundles that each thread looks up most, in front of the cache that all threads share.
//!
//! Threads that look up the same entry at the same time wait for each other, although none of them
//! changes it: a lock counts its readers and an `Arc` its owners, and processors must exchange such
//! counts. So each thread keeps its own copies, with counts of their own.
//!
//! An HTTP server sees the difference, if not by much: with two threads, `interop/load` found the example `axum_server` at
//! 0.89 of the rate at which it answers anybody with these copies, and at 0.82 without them; a known token took 1.9 µs of
//! processor time in place of 2.9 (medians of eight runs each in turns, on a machine that was busy; a run of either kind
//! strayed by 0.1).

use std::sync::{Arc, Mutex, PoisonError};

use veraid_cache::thread_number;

use super::{Form, Known, Presented};
use crate::VerifiedToken;

/// The number of threads with places of their own. Further threads share them.
const PLACES: usize = 16;
/// The number of bundles in each place.
const ENTRIES: usize = 16;
/// The divisor of look-ups in the shared cache that make a copy. Frequent bundles are copied soon,
/// and others cost almost nothing.
const COPIED: u32 = 8;
/// The divisor of hits that are also looked up in the shared cache, which would otherwise consider
/// the bundle unused.
const LOOKED_UP: u32 = 64;

pub(super) struct Front {
    places: [Place; PLACES],
    /// The most bytes of the copies in one place.
    octets: usize,
}

/// Two cache lines of 64 bytes, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Place(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    entries: [Option<Entry>; ENTRIES],
    /// The numbers of hits here and in the shared cache.
    found: u32,
    passed: u32,
}

struct Entry {
    form: Form,
    hash: u64,
    /// Shared with the shared cache, and only read.
    octets: Arc<[u8]>,
    /// Not shared.
    token: VerifiedToken,
    /// The size of all parts, as if the bytes were not shared.
    weight: usize,
}

/// The result of a look-up.
pub(super) enum Found {
    Token(VerifiedToken),
    /// The bundle was found, and must also be looked up in the shared cache this time.
    TokenToLookUp(VerifiedToken),
    Nothing,
}

impl Front {
    /// A front with room for `octets` bytes in all places together.
    pub(super) fn new(octets: usize) -> Self {
        Self {
            places: Default::default(),
            octets: octets / PLACES,
        }
    }

    /// This thread's copy of a bundle, if it `holds`.
    pub(super) fn get(
        &self,
        bundle: Presented<'_>,
        holds: impl FnOnce(&VerifiedToken) -> bool,
    ) -> Found {
        self.with_entries(|entries| {
            let kept = entries.slot(bundle.hash)?.as_ref();
            let token = kept
                .filter(|entry| entry.is(bundle) && holds(&entry.token))
                .map(|entry| entry.token.clone())?;
            entries.found = entries.found.wrapping_add(1);
            Some(if entries.found % LOOKED_UP == 0 {
                Found::TokenToLookUp(token)
            } else {
                Found::Token(token)
            })
        })
        .unwrap_or(Found::Nothing)
    }

    /// Takes note of a bundle that was found in the shared cache, and copies it now and then.
    pub(super) fn notice(&self, bundle: Presented<'_>, known: &Known) {
        self.with_entries(|entries| {
            entries.passed = entries.passed.wrapping_add(1);
            if entries.passed % COPIED != 0 {
                return None;
            }
            let weight = known.weight;
            *entries.slot(bundle.hash)? = None;
            if entries.octets().saturating_add(weight) <= self.octets {
                *entries.slot(bundle.hash)? = Some(Entry {
                    form: bundle.form,
                    hash: bundle.hash,
                    octets: Arc::clone(&known.octets),
                    token: known.token.unshared(),
                    weight,
                });
            }
            Some(())
        });
    }

    /// Forgets this thread's copy of a bundle.
    pub(super) fn remove(&self, bundle: Presented<'_>) {
        self.with_entries(|entries| {
            let slot = entries.slot(bundle.hash)?;
            slot.take_if(|entry| entry.is(bundle))
        });
    }

    /// The bytes that the copies take.
    pub(super) fn octets(&self) -> u64 {
        let places = self.places.iter().map(|Place(entries)| {
            let entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            u64::try_from(entries.octets()).unwrap_or(u64::MAX)
        });
        places.fold(0, u64::saturating_add)
    }

    /// The most bytes that the copies may take.
    pub(super) fn capacity_octets(&self) -> u64 {
        u64::try_from(self.octets.saturating_mul(PLACES)).unwrap_or(u64::MAX)
    }

    /// Forgets all copies except those to keep.
    pub(super) fn retain(&self, keep: impl Fn(&VerifiedToken) -> bool) {
        for Place(entries) in &self.places {
            let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            for entry in &mut entries.entries {
                entry.take_if(|entry| !keep(&entry.token));
            }
        }
    }

    /// `None` for a thread that would have to wait for another, or is about to end.
    fn with_entries<T>(&self, act: impl FnOnce(&mut Entries) -> Option<T>) -> Option<T> {
        let Place(entries) = self.places.get(thread_number()? % PLACES)?;
        act(&mut *entries.try_lock().ok()?)
    }
}

impl Entries {
    fn octets(&self) -> usize {
        let entries = self.entries.iter().flatten();
        entries.fold(0, |octets, entry| octets.saturating_add(entry.weight))
    }

    fn slot(&mut self, hash: u64) -> Option<&mut Option<Entry>> {
        let index = usize::try_from(hash % u64::try_from(ENTRIES).ok()?).ok()?;
        self.entries.get_mut(index)
    }
}

impl Entry {
    fn is(&self, bundle: Presented<'_>) -> bool {
        self.hash == bundle.hash && self.form == bundle.form && *self.octets == *bundle.octets
    }
}
