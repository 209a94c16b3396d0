//! Bounds on the work that one chain can ask for.
//!
//! Whoever sends a chain chooses how many responses, records, signatures and keys are in it. Without a bound, keys with
//! one tag and many signatures multiply into any amount of public-key work (KeyTrap, CVE-2023-50387). All of it is
//! counted here.

use crate::error::Error;

/// Responses that a chain may have: far more than two for each of 127 labels.
pub(crate) const MAX_RESPONSES: usize = 512;
/// Records in all of a chain's responses together.
pub(crate) const MAX_RECORDS: usize = 8_192;

/// Signature checks that a proof may take whatever its name.
const BASE_SIGNATURES: u32 = 24;
/// And for each label. A zone takes two (DS and DNSKEY), more while it rolls its keys or algorithms over.
const SIGNATURES_PER_LABEL: u32 = 4;
/// DS digests, which cost a hundredth of a signature, likewise.
const BASE_DIGESTS: u32 = 64;
const DIGESTS_PER_LABEL: u32 = 8;
/// Pairs of an RRSIG and a key with its tag and algorithm. Most such pairs are followed by a signature check; not those
/// that are never valid together.
const BASE_CANDIDATES: u32 = 128;
const CANDIDATES_PER_LABEL: u32 = 16;

/// What a verification may still spend.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    signatures: Allowance,
    candidates: Allowance,
    digests: Allowance,
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

    fn spend(&mut self) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or(Error::BudgetExhausted {
            work: self.work,
            limit: self.limit,
        })?;
        Ok(())
    }
}

impl Budget {
    /// Enough for any honest proof about a name of so many labels.
    pub(crate) fn for_labels(labels: usize) -> Self {
        let labels = u32::try_from(labels).unwrap_or(u32::MAX);
        let limit = |base: u32, each: u32| base.saturating_add(each.saturating_mul(labels));
        Self {
            signatures: Allowance::new(
                "signature checks",
                limit(BASE_SIGNATURES, SIGNATURES_PER_LABEL),
            ),
            candidates: Allowance::new(
                "keys that may have made a signature",
                limit(BASE_CANDIDATES, CANDIDATES_PER_LABEL),
            ),
            digests: Allowance::new("DS digests", limit(BASE_DIGESTS, DIGESTS_PER_LABEL)),
        }
    }

    pub(crate) fn spend_signature(&mut self) -> Result<(), Error> {
        self.signatures.spend()
    }

    pub(crate) fn spend_candidate(&mut self) -> Result<(), Error> {
        self.candidates.spend()
    }

    pub(crate) fn spend_digest(&mut self) -> Result<(), Error> {
        self.digests.spend()
    }
}
