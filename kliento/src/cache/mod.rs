//! The cache of verified tokens, so that a server need not verify them again.
//!
//! There are three tiers. Their keys are the exact bytes of:
//!
//! 1. Bundles, as they were presented. A client sends the same bundle with each request until it
//!    ends, for up to an hour.
//! 2. Organisations: their DNSSEC chain and certificate, which are in all bundles of an
//!    organisation for a few days.
//! 3. Members, and others who sign for an organisation: their certificates, which are in all of a
//!    member's bundles.
//!
//! The first tier is here; the others are in `veraid` ([`veraid::Verifier`]). These rules apply to
//! all:
//!
//! - Only verified data are stored, and of bundles only those that were accepted. Refused input is
//!   not remembered, and can't evict anything.
//! - A look-up checks again that the entry is valid now. That only compares numbers, since
//!   verification yields the period in which everything is valid.
//! - Keys are compared byte by byte. The hash, which has a random seed for each cache, only finds
//!   the slot. An attacker who could make valid bundles with the same hash would slow look-ups
//!   down, but change no verdict.
//! - Its size in bytes is bounded. Entries that were not used lately are evicted first, and new
//!   entries evict only new ones.
//! - Bundles are malleable: anybody who has a valid token can encode it in any number of ways,
//!   since DNS message IDs, TTLs and unsigned records have no signature. Of bundles with the same
//!   content, only a few are kept, and no very large ones.

mod front;

use core::fmt;
use core::hash::{BuildHasher as _, Hash, Hasher};
use std::sync::Arc;

use foldhash::quality::SeedableRandomState;
use veraid::{Period, Timestamp};
use veraid_cache::{Counter, Equivalent, Tier, TierStatistics, random_hasher};

use front::{Found, Front};

use crate::VerifiedToken;

/// The default size of all tiers together in bytes: with RSA-2048 keys about a thousand bundles,
/// five hundred organisations and a thousand members.
pub(crate) const DEFAULT_OCTETS: usize = 16 * 1_024 * 1_024;

/// An upper estimate of an entry's size without its key and strings: slots of the cache, names,
/// counts and the allocator's overhead.
const ENTRY_OCTETS: usize = 640;
/// The same for each claim without its strings: two allocations, and a share of a node that is half
/// empty.
const CLAIM_OCTETS: usize = 192;
/// The most bundles of one form with the same signature. Honest clients send one.
const BUNDLES_OF_ONE_TOKEN: u32 = 4;
/// The divisor of the size that is for the threads' copies.
const FRONT_SHARE: usize = 8;

/// The size of each tier in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    pub(crate) bundles: usize,
    pub(crate) organisations: usize,
    pub(crate) members: usize,
}

impl Shares {
    /// Gives half to bundles, and a quarter each to organisations and members.
    pub(crate) fn of(octets: usize) -> Self {
        let quarter = octets / 4;
        Self {
            bundles: octets.saturating_sub(2 * quarter),
            organisations: quarter,
            members: quarter,
        }
    }
}

/// The form in which a bundle was presented. The same bytes can mean different things in different
/// forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The bundle itself.
    Der,
    /// The part after the scheme in an `Authorization` value.
    Credentials,
}

/// A bundle as it was presented. Its hash is computed once, and only finds the slot: keys are
/// compared byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presented<'a> {
    hash: u64,
    form: Form,
    octets: &'a [u8],
}

struct Key {
    hash: u64,
    form: Form,
    octets: Arc<[u8]>,
}

impl Key {
    fn borrowed(&self) -> Presented<'_> {
        Presented {
            hash: self.hash,
            form: self.form,
            octets: &self.octets,
        }
    }
}

impl Hash for Presented<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
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

/// A verified token, and the bytes that are its key.
#[derive(Clone)]
struct Known {
    octets: Arc<[u8]>,
    token: VerifiedToken,
    /// An upper estimate of its size as an entry, in bytes.
    weight: usize,
}

impl Known {
    fn new(octets: Arc<[u8]>, token: VerifiedToken) -> Self {
        let claims = token
            .claims()
            .iter()
            .map(|(name, value)| name.len() + value.len() + CLAIM_OCTETS);
        let texts = octets.len()
            + token.audience().as_str().len()
            // Once in the subject, and once in the organisation and the user.
            + 2 * token.subject().len();
        Self {
            weight: ENTRY_OCTETS + texts + claims.sum::<usize>(),
            octets,
            token,
        }
    }
}

/// Verified tokens by their bundles.
pub(crate) struct Cache {
    tokens: Tier<Key, Known>,
    front: Front,
    /// The number of look-ups that the front answered.
    front_hits: Counter,
    hasher: SeedableRandomState,
}

impl Cache {
    /// A cache of at most `octets` bytes, or `None` for 0.
    pub(crate) fn new(octets: usize) -> Option<Self> {
        let front_octets = octets / FRONT_SHARE;
        Some(Self {
            tokens: Tier::new(
                octets.saturating_sub(front_octets),
                BUNDLES_OF_ONE_TOKEN,
                |_, known: &Known| known.weight,
            )?,
            front: Front::new(front_octets),
            front_hits: Counter::default(),
            hasher: random_hasher(),
        })
    }

    /// The key of a bundle.
    pub(crate) fn presented<'a>(&self, form: Form, octets: &'a [u8]) -> Presented<'a> {
        Presented {
            hash: self.hasher.hash_one((form, octets)),
            form,
            octets,
        }
    }

    /// The token of a known bundle, if it is valid for the period `required`.
    ///
    /// Verification requires validity at one second of `required`, and DNSSEC validity close to its
    /// end (the TTL override). If everything is valid at that end, both conditions are met,
    /// whatever the override. Otherwise the bundle must be verified again. With a verifier that
    /// tolerates a clock skew, this happens in the last seconds of a token.
    pub(crate) fn get(&self, bundle: Presented<'_>, required: Period) -> Option<VerifiedToken> {
        let holds = |token: &VerifiedToken| token.validity().contains(required.end());
        match self.front.get(bundle, holds) {
            Found::Token(token) => {
                self.front_hits.increment();
                return Some(token);
            }
            Found::TokenToLookUp(token) => {
                self.tokens.get(&bundle, |known| holds(&known.token));
                return Some(token);
            }
            Found::Nothing => {}
        }
        let mut has_ended = false;
        let known = self.tokens.get(&bundle, |known| {
            has_ended = known.token.validity().end() < required.start();
            holds(&known.token)
        });
        if has_ended {
            self.tokens.remove(&bundle);
            self.front.remove(bundle);
        }
        let known = known?;
        self.front.notice(bundle, &known);
        Some(known.token)
    }

    /// Remembers an accepted token.
    ///
    /// Any number of bundles can be valid with one signature, since it does not cover the encoding
    /// of the rest.
    pub(crate) fn insert(&self, bundle: Presented<'_>, token: &VerifiedToken, signature: &[u8]) {
        let octets: Arc<[u8]> = bundle.octets.into();
        let key = Key {
            hash: bundle.hash,
            form: bundle.form,
            octets: Arc::clone(&octets),
        };
        let known = Known::new(octets, token.clone());
        self.tokens.insert(key, known, (bundle.form, signature));
    }

    /// Forgets tokens that ended before `time`.
    pub(crate) fn remove_expired(&self, time: Timestamp) {
        let holds = |token: &VerifiedToken| token.validity().end() >= time;
        self.front.retain(holds);
        self.tokens.retain(|known| holds(&known.token));
    }

    pub(crate) fn statistics(&self) -> TierStatistics {
        let mut statistics = self.tokens.statistics();
        statistics.octets = statistics.octets.saturating_add(self.front.octets());
        statistics.capacity_octets = statistics
            .capacity_octets
            .saturating_add(self.front.capacity_octets());
        statistics.hits = statistics.hits.saturating_add(self.front_hits.sum());
        statistics
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(formatter)
    }
}

/// The statistics of a verifier's cache, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Whole bundles. A bundle that is found needs no verification.
    pub bundles: TierStatistics,
    /// Organisations, by chain and certificate. They are looked up for new bundles.
    pub organisations: TierStatistics,
    /// Members, and others who sign for an organisation, by their certificates. They are looked up
    /// if the organisation was found. If they are found, too, only the token's own signature
    /// remains to be checked.
    pub members: TierStatistics,
}

impl CacheStatistics {
    /// An upper estimate of its size in bytes.
    pub fn octets(&self) -> u64 {
        self.tiers().map(|tier| tier.octets).sum()
    }

    /// The most bytes that it may take.
    pub fn capacity_octets(&self) -> u64 {
        self.tiers().map(|tier| tier.capacity_octets).sum()
    }

    fn tiers(&self) -> impl Iterator<Item = &TierStatistics> {
        [&self.bundles, &self.organisations, &self.members].into_iter()
    }
}
