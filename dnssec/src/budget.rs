//! Bounds on the work that one chain can ask for.
//!
//! Whoever sends a chain chooses how many responses, records, signatures and keys are in it. Without a bound, keys with
//! one tag and many signatures multiply into any amount of public-key work (KeyTrap, CVE-2023-50387). All of it is
//! counted here, in two ways:
//!
//! - By number, generously, for whoever looks something up and has time. These bounds grow with what is proven.
//! - By what it costs ([`Work`]), where the caller sets a limit ([`Demand::with_most_work`]). Whoever has a domain can make
//!   zones below it, each valid and each as costly as an algorithm can be, so what is proven earns nothing there. Where
//!   work is limited, an RRset takes no more checks than it needs: the first signature that is good throughout the period
//!   demanded is enough, and cheap ones come first. So keys and algorithms that are rolled over cost an honest chain
//!   nothing more.
//!
//! Whatever spends returns [`Exhausted`] when there is not enough left.

use crate::demand::Demand;
use crate::error::Error;
use crate::rdata::Dnskey;
use crate::validity::{Period, Validity};
use crate::work::Work;

/// Responses that a chain may have: far more than two for each of 127 labels.
pub(crate) const MAX_RESPONSES: usize = 512;
/// Records in all of a chain's responses together.
pub(crate) const MAX_RECORDS: usize = 8_192;

/// Labels and pointers that a chain's names may have, however few octets they take by compression: as many as it has octets,
/// and enough for names that grow to 127 labels one by one. Everyday chains have one for ten octets.
pub(crate) const fn max_name_steps(octets: usize) -> usize {
    octets.saturating_add(16_384)
}

/// Different NSEC and NSEC3 records that a chain may have if any of them are needed: two or three for each of a hundred
/// names.
const MAX_DENIALS: usize = 512;

/// Signature checks that a proof may take before anything is proven.
const BASE_SIGNATURES: u32 = 16;
/// And for each zone or alias that is proven: a zone takes two (DNSKEY and DS), more while it rolls its keys or algorithms
/// over; an alias one, and up to two that no closer name exists. So the bound grows with what was good so far, and a long
/// name alone buys nothing.
const SIGNATURES_PER_STEP: u32 = 4;
/// Signature checks that may fail: corrupt RRSIGs beside good ones, and tags that two keys happen to share.
const FAILED_SIGNATURES: u32 = 16;
/// DS digests, which cost a hundredth of a signature.
const BASE_DIGESTS: u32 = 64;
const DIGESTS_PER_STEP: u32 = 8;
/// Pairs of an RRSIG and a key with its tag and algorithm. Most such pairs are followed by a signature check; not those
/// that are never valid together.
const BASE_CANDIDATES: u32 = 128;
const CANDIDATES_PER_STEP: u32 = 16;
/// Steps in arguing from NSEC and NSEC3 records: for each record that bears on a name to have its signatures looked up, for
/// each search for those about a wildcard, and for each conclusion. A denial takes up to six; a chain of everything that a
/// resolver ever said gives cause to some more.
const BASE_DENIALS: u32 = 64;
const DENIALS_PER_STEP: u32 = 16;
/// Blocks of SHA-1 for hashing names as NSEC3 has them (CVE-2023-50868). A name of ten labels takes about a thousand at a
/// hundred iterations, and twenty at none, as it should be (RFC 9276 §3.1).
const BASE_HASH_BLOCKS: u32 = 2_048;
const HASH_BLOCKS_PER_STEP: u32 = 512;

/// Records or responses that are looked at for what belongs to a name in the time of a unit of work, some 20 ns each.
const LOOKS_PER_UNIT: usize = 32;
/// Octets of a chain that are read and searched in that time, if it is full of short records.
const OCTETS_READ_PER_UNIT: usize = 256;
/// NSEC records whose two names are compared with another in that time.
const COMPARISONS_PER_UNIT: usize = 4;

/// What a verification may still spend.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    signatures: Allowance,
    failed_signatures: Allowance,
    candidates: Allowance,
    digests: Allowance,
    denials: Allowance,
    hash_blocks: Allowance,
    work: Allowance,
    /// When a signature has to be good to be enough, if work is limited.
    enough: Option<Period>,
}

/// The bound that a chain exceeds, which ends its verification.
///
/// This is not an [`Error`], and there is no conversion that `?` would use, so that nothing can take it for the failure of
/// one signature among several and try the next.
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

    /// Allows for the work that a proven zone or alias gives cause to.
    pub(crate) fn grow(&mut self) {
        self.signatures.grow(SIGNATURES_PER_STEP);
        self.denials.grow(DENIALS_PER_STEP);
        self.hash_blocks.grow(HASH_BLOCKS_PER_STEP);
        self.candidates.grow(CANDIDATES_PER_STEP);
        self.digests.grow(DIGESTS_PER_STEP);
    }

    /// Whether work is limited, so that it should not be spent on what is not needed.
    pub(crate) fn is_tight(&self) -> bool {
        self.enough.is_some()
    }

    /// Whether a signature that is good then makes it needless to check others over the same RRset.
    pub(crate) fn is_enough(&self, validity: &Validity) -> bool {
        self.enough.is_some_and(|period| validity.covers(period))
    }

    /// For checking a signature over so many octets with a key.
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

    /// For the digest of a key of so many octets.
    pub(crate) fn spend_digest(&mut self, octets: usize) -> Result<(), Exhausted> {
        self.digests.spend(1)?;
        self.spend_work(Work::from_units(1).saturating_add(Work::of_digest(octets)))
    }

    /// Refuses more different NSEC and NSEC3 records than any honest chain has.
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

    /// For looking through so many records or responses.
    pub(crate) fn spend_search(&mut self, count: usize) -> Result<(), Exhausted> {
        self.spend_share(count / LOOKS_PER_UNIT)
    }

    /// For comparing so many NSEC records with a name.
    pub(crate) fn spend_comparisons(&mut self, records: usize) -> Result<(), Exhausted> {
        self.spend_share(records / COMPARISONS_PER_UNIT)
    }

    /// For reading a chain of so many octets.
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
