//! The few bundles that a thread was asked about most, in front of those that all threads share.
//!
//! Threads that look one entry up at the same moment wait for each other, though none of them changes it: a lock counts its
//! readers and an `Arc` its owners, and processors pass such counts to and fro. So a thread keeps copies of its own, whose
//! counts are nobody else's.

use std::sync::{Arc, Mutex, PoisonError};

use veraid::cache::thread_number;

use super::{Form, Known, Presented};
use crate::VerifiedToken;

/// Threads that have places of their own; more share them.
const PLACES: usize = 16;
/// Bundles in each place.
const ENTRIES: usize = 16;
/// One of so many that were found among what is shared is copied: those that come again and again are soon, and others cost
/// next to nothing.
const COPIED: u32 = 8;
/// One of so many that are found here is looked up behind as well, where it would pass for unused otherwise.
const LOOKED_UP: u32 = 64;

pub(super) struct Front {
    places: [Place; PLACES],
    /// What the copies in one place may take.
    octets: usize,
}

/// Two cache lines of 64 octets, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Place(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    entries: [Option<Entry>; ENTRIES],
    /// Found here, and found behind.
    found: u32,
    passed: u32,
}

struct Entry {
    form: Form,
    hash: u64,
    /// Shared with what is behind; only read.
    octets: Arc<[u8]>,
    /// Not shared.
    token: VerifiedToken,
    /// What all of it takes; that the octets are shared is not counted on.
    weight: usize,
}

/// What is in front.
pub(super) enum Found {
    Token(VerifiedToken),
    /// It is to be looked up behind too, for once.
    TokenToLookUp(VerifiedToken),
    Nothing,
}

impl Front {
    /// With room for `octets` in all places together.
    pub(super) fn new(octets: usize) -> Self {
        Self {
            places: Default::default(),
            octets: octets / PLACES,
        }
    }

    /// What this thread keeps of a bundle, if it `holds`.
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

    /// Takes notice of a bundle that was found behind: now and then it gets a copy in front.
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

    /// Forgets what this thread keeps of a bundle.
    pub(super) fn remove(&self, bundle: Presented<'_>) {
        self.with_entries(|entries| {
            let slot = entries.slot(bundle.hash)?;
            slot.take_if(|entry| entry.is(bundle))
        });
    }

    /// Octets that the copies take.
    pub(super) fn octets(&self) -> u64 {
        let places = self.places.iter().map(|Place(entries)| {
            let entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            u64::try_from(entries.octets()).unwrap_or(u64::MAX)
        });
        places.fold(0, u64::saturating_add)
    }

    /// Octets that the copies may take at most.
    pub(super) fn capacity_octets(&self) -> u64 {
        u64::try_from(self.octets.saturating_mul(PLACES)).unwrap_or(u64::MAX)
    }

    /// Forgets all but what it is told to keep.
    pub(super) fn retain(&self, keep: impl Fn(&VerifiedToken) -> bool) {
        for Place(entries) in &self.places {
            let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            for entry in &mut entries.entries {
                entry.take_if(|entry| !keep(&entry.token));
            }
        }
    }

    /// Nothing for a thread that would have to wait for another, or is about to end.
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
