//! What a server remembers of tokens that it verified, so that it need not verify them again.
//!
//! There are three tiers, each by exact octets:
//!
//! 1. Bundles, as they were presented. A client sends the same one with each request until it ends, for up to an hour.
//! 2. Organisations, by their DNSSEC chain and certificate, which come in all bundles of an organisation for some days.
//! 3. Members, and others who sign for an organisation, by their certificates, which come in all of a member's bundles.
//!
//! The first is here; the others are `veraid`'s ([`veraid::Verifier`]). For all of them:
//!
//! - Only what was verified goes in, and of bundles what was accepted. What is refused is not remembered, and can't push out
//!   what is.
//! - A look-up asks again whether it holds now. That costs no more than comparing numbers, since verification gives the
//!   period in which everything holds.
//! - Octets are compared whole. The hash, seeded at random for each cache, only finds the place: whoever could make valid
//!   bundles that all fall on one would slow look-ups down, and change no verdict.
//! - It is bounded in octets. What was not asked for lately goes first, and what is new pushes out only what is new.
//! - Bundles are malleable: whoever has one valid token can write it down in any number of ways, since nobody signs DNS
//!   message IDs, TTLs or unsigned records. Of those that say the same only a few are kept, and none that is very large.

mod front;

use core::fmt;
use core::hash::{BuildHasher as _, Hash, Hasher};
use std::sync::Arc;

use foldhash::quality::SeedableRandomState;
use veraid::cache::{Counter, Equivalent, Tier, TierStatistics, random_hasher};
use veraid::{Period, Timestamp};

use front::{Found, Front};

use crate::VerifiedToken;

/// Octets that all tiers hold together unless told otherwise: with RSA-2048 keys some thousand bundles, five hundred
/// organisations and a thousand members.
pub(crate) const DEFAULT_OCTETS: usize = 16 * 1_024 * 1_024;

/// What an entry takes beside its key and the texts in it, estimated upwards: the cache's own slots, the names, the
/// counts and the allocator's share.
const ENTRY_OCTETS: usize = 640;
/// The same for each claim beside its text: two places from the allocator, and a share of a node that is half empty.
const CLAIM_OCTETS: usize = 192;
/// Bundles of one form by the same signature. Honest clients send one.
const BUNDLES_OF_ONE_TOKEN: u32 = 4;
/// One of so many octets is for the copies that threads keep.
const FRONT_SHARE: usize = 8;

/// How many octets there are for each tier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    pub(crate) bundles: usize,
    pub(crate) organisations: usize,
    pub(crate) members: usize,
}

impl Shares {
    /// Half for bundles, and a quarter for organisations and members each.
    pub(crate) fn of(octets: usize) -> Self {
        let quarter = octets / 4;
        Self {
            bundles: octets.saturating_sub(2 * quarter),
            organisations: quarter,
            members: quarter,
        }
    }
}

/// How a bundle was presented. The same octets may mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The bundle itself.
    Der,
    /// What follows the scheme in an `Authorization` value.
    Credentials,
}

/// A bundle as it was presented. Its hash is computed once, and only finds the place: octets are compared whole.
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

/// A verified token, and the octets that are its key.
#[derive(Clone)]
struct Known {
    octets: Arc<[u8]>,
    token: VerifiedToken,
    /// How many octets it takes as an entry, estimated upwards.
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
            // As the subject, and as the organisation and the user.
            + 2 * token.subject().len();
        Self {
            weight: ENTRY_OCTETS + texts + claims.sum::<usize>(),
            octets,
            token,
        }
    }
}

/// Verified tokens by the bundles that they came in.
pub(crate) struct Cache {
    tokens: Tier<Key, Known>,
    front: Front,
    /// Look-ups that were answered in front.
    front_hits: Counter,
    hasher: SeedableRandomState,
}

impl Cache {
    /// A cache of at most `octets`, or none for 0.
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

    /// What a bundle is looked up and remembered by.
    pub(crate) fn presented<'a>(&self, form: Form, octets: &'a [u8]) -> Presented<'a> {
        Presented {
            hash: self.hasher.hash_one((form, octets)),
            form,
            octets,
        }
    }

    /// What is known of a bundle, if that holds for whoever asks about `required`.
    ///
    /// Verifying asks that one second of `required` will do, and that DNSSEC holds close to its end (the TTL override). If
    /// everything holds at that end, both are true, whatever the override. If not, the bundle has to be verified: that is
    /// so for the last seconds of a token, of a verifier that forgives a clock skew.
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

    /// Remembers a token that was verified and accepted.
    ///
    /// By one signature any number of bundles are valid, since nobody signs how the rest is written down.
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

    /// Forgets what has ended before `time`.
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

/// What a verifier's cache has done and holds, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Whole bundles. What is found here needs no verification.
    pub bundles: TierStatistics,
    /// Organisations, by chain and certificate. They are looked up for bundles that are new.
    pub organisations: TierStatistics,
    /// Members, and others who sign for an organisation, by their certificates. They are looked up when the organisation was
    /// found; then only the token's own signature is left to check.
    pub members: TierStatistics,
}

impl CacheStatistics {
    /// Octets that all of it takes, estimated upwards.
    pub fn octets(&self) -> u64 {
        self.tiers().map(|tier| tier.octets).sum()
    }

    /// Octets that all of it may take at most.
    pub fn capacity_octets(&self) -> u64 {
        self.tiers().map(|tier| tier.capacity_octets).sum()
    }

    fn tiers(&self) -> impl Iterator<Item = &TierStatistics> {
        [&self.bundles, &self.organisations, &self.members].into_iter()
    }
}
