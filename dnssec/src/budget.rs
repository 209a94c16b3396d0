//! Bounds on the work that one chain can cause.
//!
//! The sender of a chain chooses the number of responses, records, signatures and keys in it.
//! Without a bound, many keys with one tag and many signatures multiply into any amount of
//! public-key work (KeyTrap, CVE-2023-50387). All of this work is counted here, in two ways:
//!
//! - By number, generously, for callers without a limit on work. These bounds grow with what is
//!   proven.
//! - By cost ([`Work`]), if the caller sets a limit ([`Demand::with_most_work`]). The owner of a
//!   domain can make valid zones below it that are as costly as an algorithm can be, so this bound
//!   does not grow with what is proven. When work is limited, an RRset gets no more checks than it
//!   needs: the first signature that is valid throughout the demanded period is enough, and cheap
//!   ones are tried first. So a rollover of keys or algorithms costs an honest chain nothing more.
//!
//! Functions that spend return [`Exhausted`] if not enough is left.

use crate::demand::Demand;
use crate::error::Error;
use crate::rdata::Dnskey;
use crate::validity::{Period, Validity};
use crate::work::Work;

/// The number of responses that a chain may have: far more than two for each of 127 labels.
pub(crate) const MAX_RESPONSES: usize = 512;
/// The number of records that a chain's responses may have together.
pub(crate) const MAX_RECORDS: usize = 8_192;

/// Returns the number of labels and pointers that a chain's names may have, however few octets
/// compression leaves: one for each octet, and a surplus for names that grow to 127 labels one by
/// one. Ordinary chains have one for ten octets.
pub(crate) const fn max_name_steps(octets: usize) -> usize {
    octets.saturating_add(16_384)
}

/// The number of different NSEC and NSEC3 records that a chain may have if any are needed: two or
/// three for each of a hundred names.
const MAX_DENIALS: usize = 512;

/// The number of signature checks before anything is proven.
const BASE_SIGNATURES: u32 = 16;
/// The number of further signature checks for each proven zone or alias. A zone takes two (DNSKEY
/// and DS), and more during a rollover of its keys or algorithms. An alias takes one, and up to two
/// for the proof that there is no closer name. So the bound grows only with what has been proven,
/// not with the length of a name.
const SIGNATURES_PER_STEP: u32 = 4;
/// The number of signature checks that may fail: corrupt RRSIGs beside valid ones, and keys that
/// happen to have the same tag.
const FAILED_SIGNATURES: u32 = 16;
/// The number of DS digests, each of which costs a hundredth of a signature check.
const BASE_DIGESTS: u32 = 64;
const DIGESTS_PER_STEP: u32 = 8;
/// The number of pairs of an RRSIG and a key with its tag and algorithm. Most such pairs lead to a
/// signature check, except those that are never valid together.
const BASE_CANDIDATES: u32 = 128;
const CANDIDATES_PER_STEP: u32 = 16;
/// The number of steps in evaluating NSEC and NSEC3 records: one to look up the signatures of each
/// record about a name, one for each search for those about a wildcard, and one for each
/// conclusion. A denial takes up to six; a chain with many responses of a resolver may need some
/// more.
const BASE_DENIALS: u32 = 64;
const DENIALS_PER_STEP: u32 = 16;
/// The number of SHA-1 blocks for NSEC3 hashes of names (CVE-2023-50868). A name of ten labels
/// takes about a thousand with a hundred iterations, and twenty with none, as recommended (RFC 9276
/// §3.1).
const BASE_HASH_BLOCKS: u32 = 2_048;
const HASH_BLOCKS_PER_STEP: u32 = 512;

/// The number of records or responses that are searched for those about a name in one unit of work,
/// at about 20 ns each.
const LOOKS_PER_UNIT: usize = 32;
/// The number of octets of a chain that are read and searched in one unit of work, if it is full of
/// short records.
const OCTETS_READ_PER_UNIT: usize = 256;
/// The number of NSEC records whose two names are compared with another name in one unit of work.
const COMPARISONS_PER_UNIT: usize = 4;

/// The amounts that a verification may still spend.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    signatures: Allowance,
    failed_signatures: Allowance,
    candidates: Allowance,
    digests: Allowance,
    denials: Allowance,
    hash_blocks: Allowance,
    work: Allowance,
    /// The period in which one valid signature is enough, if work is limited.
    enough: Option<Period>,
}

/// The bound that a chain exceeds, which ends its verification.
///
/// This is not an [`Error`], and `?` cannot convert it into one. So no code can mistake it for the
/// failure of one of several signatures and try the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Exhausted {
    work: &'static str,
    limit: u32,
}

impl Exhausted {
    /// The error to report to the caller of the verifier.
    pub(crate) fn into_error(self) -> Error {
        let Self { work, limit } = self;
        Error::BudgetExhausted { work, limit }
    }
}

#[derive(Clone, Debug)]
struct Allowance {
    work: &'static str,
    limit: u32,
    left: u32,
}

impl Allowance {
    fn new(work: &'static str, limit: u32) -> Self {
        Self {
            work,
            limit,
            left: limit,
        }
    }

    fn spend(&mut self, amount: u32) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(amount).ok_or(Exhausted {
            work: self.work,
            limit: self.limit,
        })?;
        Ok(())
    }

    fn grow(&mut self, by: u32) {
        self.limit = self.limit.saturating_add(by);
        self.left = self.left.saturating_add(by);
    }
}

impl Budget {
    pub(crate) fn new(demand: Demand) -> Self {
        let most_work = demand.most_work();
        Self {
            work: Allowance::new(
                "units of work",
                most_work.unwrap_or(Work::UNLIMITED).units(),
            ),
            enough: most_work.map(|_| demand.period()),
            signatures: Allowance::new("signature checks", BASE_SIGNATURES),
            failed_signatures: Allowance::new("signature checks that fail", FAILED_SIGNATURES),
            candidates: Allowance::new("keys that may have made a signature", BASE_CANDIDATES),
            digests: Allowance::new("DS digests", BASE_DIGESTS),
            denials: Allowance::new("steps in arguing from NSEC and NSEC3 records", BASE_DENIALS),
            hash_blocks: Allowance::new("blocks of SHA-1 for NSEC3 hashes", BASE_HASH_BLOCKS),
        }
    }

    /// Adds the allowance for a proven zone or alias.
    pub(crate) fn grow(&mut self) {
        self.signatures.grow(SIGNATURES_PER_STEP);
        self.denials.grow(DENIALS_PER_STEP);
        self.hash_blocks.grow(HASH_BLOCKS_PER_STEP);
        self.candidates.grow(CANDIDATES_PER_STEP);
        self.digests.grow(DIGESTS_PER_STEP);
    }

    /// Returns true if work is limited, so that unnecessary work should be avoided.
    pub(crate) fn is_tight(&self) -> bool {
        self.enough.is_some()
    }

    /// Returns true if a signature with this validity makes other signatures over the same RRset
    /// unnecessary.
    pub(crate) fn is_enough(&self, validity: &Validity) -> bool {
        self.enough.is_some_and(|period| validity.covers(period))
    }

    /// Spends the check of a signature over so many octets with a key.
    pub(crate) fn spend_signature(
        &mut self,
        key: &Dnskey<'_>,
        octets: usize,
    ) -> Result<(), Exhausted> {
        self.signatures.spend(1)?;
        self.spend_work(Work::of_check(key).saturating_add(Work::of_digest(octets)))
    }

    pub(crate) fn spend_failed_signature(&mut self) -> Result<(), Exhausted> {
        self.failed_signatures.spend(1)
    }

    pub(crate) fn spend_candidate(&mut self) -> Result<(), Exhausted> {
        self.candidates.spend(1)
    }

    /// Spends the digest of a key of so many octets.
    pub(crate) fn spend_digest(&mut self, octets: usize) -> Result<(), Exhausted> {
        self.digests.spend(1)?;
        self.spend_work(Work::from_units(1).saturating_add(Work::of_digest(octets)))
    }

    /// Fails if there are more different NSEC and NSEC3 records than the limit.
    pub(crate) fn check_denial_count(count: usize) -> Result<(), Exhausted> {
        if count > MAX_DENIALS {
            return Err(Exhausted {
                work: "NSEC and NSEC3 records to search",
                limit: u32::try_from(MAX_DENIALS).unwrap_or(u32::MAX),
            });
        }
        Ok(())
    }

    pub(crate) fn spend_denial(&mut self) -> Result<(), Exhausted> {
        self.denials.spend(1)
    }

    /// Spends a search through so many records or responses.
    pub(crate) fn spend_search(&mut self, count: usize) -> Result<(), Exhausted> {
        self.spend_share(count / LOOKS_PER_UNIT)
    }

    /// Spends the comparison of so many NSEC records with a name.
    pub(crate) fn spend_comparisons(&mut self, records: usize) -> Result<(), Exhausted> {
        self.spend_share(records / COMPARISONS_PER_UNIT)
    }

    /// Spends the reading of a chain of so many octets.
    pub(crate) fn spend_reading(&mut self, octets: usize) -> Result<(), Exhausted> {
        self.spend_share(octets / OCTETS_READ_PER_UNIT)
    }

    fn spend_share(&mut self, units: usize) -> Result<(), Exhausted> {
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        self.spend_work(Work::from_units(units.saturating_add(1)))
    }

    pub(crate) fn spend_hash_blocks(&mut self, blocks: u32) -> Result<(), Exhausted> {
        self.hash_blocks.spend(blocks)?;
        self.spend_work(Work::of_sha_1_blocks(blocks))
    }

    fn spend_work(&mut self, work: Work) -> Result<(), Exhausted> {
        self.work.spend(work.units())
    }
}
