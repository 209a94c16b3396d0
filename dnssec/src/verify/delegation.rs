//! Proves a zone's keys (RFC 4035 §5.2): an anchor or the parent's DS RRset commits to a key, and
//! that key signed the zone's DNSKEY RRset.

use std::borrow::Cow;
use std::collections::HashMap;

use smallvec::SmallVec;

use super::attempt::{Attempt, Failures};
use super::rrset::{Expansion, SignedRrset};
use super::zones::{Sources, Zones};
use crate::anchor::Commitment;
use crate::budget::{Budget, Exhausted};
use crate::error::{Committer, Error, RrsetId};
use crate::fact::Insecurity;
use crate::name::Name;
use crate::rdata::{Dnskey, Ds};
use crate::record::RecordType;
use crate::validity::{Period, Validity};

/// The RRsets that may prove a zone's keys. Only inexpensive checks have been made.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    zone: Name,
    /// The zone's DNSKEY RRsets, one for each response that holds one. A chain that was collected
    /// during a rollover may hold several.
    dnskeys: SignedRrsets<'a>,
    /// The parent's DS RRsets for the zone, one for each response that holds one.
    delegations: SignedRrsets<'a>,
    is_anchored: bool,
    /// The reason why there is no usable DS RRset, if there is none.
    no_delegation: Option<Error>,
}

/// RRsets of one owner and type.
pub(super) type SignedRrsets<'a> = SmallVec<[SignedRrset<'a>; 1]>;

/// A zone whose keys are proven.
#[derive(Clone, Debug)]
pub(super) struct Zone<'a> {
    keys: Keys<'a>,
}

type Keys<'a> = SmallVec<[Key<'a>; 3]>;

/// A key, and the times at which it is proven to be the zone's.
#[derive(Clone, Debug)]
pub(super) struct Key<'a> {
    pub(super) dnskey: Dnskey<'a>,
    pub(super) tag: u16,
    pub(super) validity: Validity,
}

impl<'a> Zone<'a> {
    pub(super) fn keys(&self) -> &[Key<'a>] {
        &self.keys
    }

    /// Adds the keys of a proven DNSKEY RRset. A key in two RRsets is proven at the times of
    /// either.
    fn add(&mut self, keys: impl Iterator<Item = Key<'a>>) {
        let mut known: HashMap<&[u8], usize> = HashMap::new();
        known.extend(
            self.keys
                .iter()
                .enumerate()
                .map(|(place, own)| (own.dnskey.rdata(), place)),
        );
        for key in keys {
            let own = known.get(key.dnskey.rdata());
            match own.and_then(|place| self.keys.get_mut(*place)) {
                Some(own) => own.validity = own.validity.union(&key.validity),
                None => self.keys.push(key),
            }
        }
    }
}

/// A commitment to a key, and the times at which it holds.
struct ValidCommitment<'c> {
    commitment: Commitment<'c>,
    validity: Validity,
}

type ValidCommitments<'c> = SmallVec<[ValidCommitment<'c>; 2]>;

impl<'a> Plan<'a> {
    /// Gathers the RRsets about `zone` whose signatures may hold at some second of the period.
    pub(super) fn gather(zone: Name, sources: Sources<'_, 'a>) -> Result<Self, Error> {
        let dnskeys = candidates(sources, &zone, RecordType::DNSKEY)?;
        let is_anchored = sources.anchors.of(&zone).next().is_some();
        // The root has no parent, so a DS RRset for it is ignored.
        let delegations = if zone.is_root() {
            Err(Error::NoTrustAnchor(zone.clone()))
        } else {
            candidates(sources, &zone, RecordType::DS)
        };
        match delegations {
            Err(failure) if !is_anchored => Err(failure),
            Err(failure) => Ok(Self {
                zone,
                dnskeys,
                delegations: SignedRrsets::new(),
                is_anchored,
                no_delegation: Some(failure),
            }),
            Ok(delegations) => Ok(Self {
                zone,
                dnskeys,
                delegations,
                is_anchored,
                no_delegation: None,
            }),
        }
    }

    /// The zones above that signed the delegation.
    pub(super) fn signers(&self) -> impl Iterator<Item = &Name> {
        self.delegations.iter().flat_map(SignedRrset::signers)
    }

    /// Returns true if an anchor is for exactly this zone.
    pub(super) fn is_anchored(&self) -> bool {
        self.is_anchored
    }

    /// Proves the zone's keys with the commitments of anchors and, through the zones above, of the
    /// parent.
    pub(super) fn prove(
        &self,
        sources: Sources<'_, 'a>,
        zones: &Zones<'a>,
        budget: &mut Budget,
    ) -> Attempt<Zone<'a>> {
        let mut failures = Failures::from(self.no_delegation.clone());
        let mut commitments: ValidCommitments<'_> = sources
            .anchors
            .of(&self.zone)
            .filter_map(|anchor| {
                Some(ValidCommitment {
                    commitment: anchor.commitment()?,
                    validity: anchor.validity().clone(),
                })
            })
            .collect();
        for ds_rrset in &self.delegations {
            let period = sources.demand.period();
            let outcome = prove_delegation(&self.zone, ds_rrset, period, zones, budget)?;
            commitments.extend(failures.success_of(outcome).into_iter().flatten());
        }
        if commitments.is_empty() {
            return Ok(Err(failures.furthest_or(|| self.not_committed())));
        }
        self.prove_keys(&commitments, budget)
    }

    fn prove_keys(
        &self,
        commitments: &[ValidCommitment<'_>],
        budget: &mut Budget,
    ) -> Attempt<Zone<'a>> {
        let mut zone = Zone { keys: Keys::new() };
        let mut failures = Failures::default();
        for dnskey_rrset in &self.dnskeys {
            let keys = signing_keys(dnskey_rrset);
            let outcome = match self.committed_keys(&keys, commitments, budget)? {
                Ok(committed) => dnskey_rrset.verify_with(&committed, budget)?,
                Err(failure) => Err(failure),
            };
            // The zone may have signed the RRset with many keys, but none of them is committed to.
            let outcome = outcome.map_err(|failure| match failure {
                Error::NoMatchingKey(_) => self.not_committed(),
                other => other,
            });
            if let Some(validity) = failures.success_of(outcome) {
                zone.add(keys.into_iter().map(|key| Key {
                    validity: validity.clone(),
                    ..key
                }));
            }
        }
        Ok(match failures.furthest() {
            Some(failure) if zone.keys.is_empty() => Err(failure),
            _ => Ok(zone),
        })
    }

    /// Returns the keys of a DNSKEY RRset that are committed to, each with the times of those
    /// commitments.
    fn committed_keys(
        &self,
        keys: &[Key<'a>],
        commitments: &[ValidCommitment<'_>],
        budget: &mut Budget,
    ) -> Attempt<Keys<'a>> {
        let mut committed = Keys::new();
        for key in keys {
            let mut validity = Validity::never();
            for word in commitments {
                if is_about(&word.commitment, key, &self.zone, budget)? {
                    validity = validity.union(&word.validity);
                }
            }
            if !validity.is_never() {
                committed.push(Key {
                    validity,
                    ..key.clone()
                });
            }
        }
        if committed.is_empty() {
            return Ok(Err(self.not_committed()));
        }
        Ok(Ok(committed))
    }

    fn not_committed(&self) -> Error {
        Error::DnskeyNotCommitted {
            zone: self.zone.clone(),
            committed_by: if self.is_anchored {
                Committer::TrustAnchor
            } else {
                Committer::Parent
            },
        }
    }
}

/// Returns the RRsets of `record_type` at `zone` with signatures that may hold, or the reason why
/// there are none.
pub(super) fn candidates<'a>(
    sources: Sources<'_, 'a>,
    zone: &Name,
    record_type: RecordType,
) -> Result<SignedRrsets<'a>, Error> {
    let mut found = SignedRrsets::new();
    let mut failures = Failures::default();
    for response in sources.chain.responses_to(zone, record_type) {
        let candidate = SignedRrset::find(response, zone, record_type)
            .and_then(|unchecked| unchecked.usable(sources.demand, Expansion::Refused));
        found.extend(failures.success_of(candidate));
    }
    if !found.is_empty() {
        return Ok(found);
    }
    Err(failures.furthest_or(|| {
        Error::MissingResponse(RrsetId {
            owner: zone.clone(),
            record_type,
        })
    }))
}

/// Verifies a DS RRset with the keys of the zone above, and returns its commitments to the zone's
/// keys.
///
/// If no DS record has both a supported algorithm and a supported digest type, the child zone
/// counts as unsigned (RFC 4035 §5.2). One supported record is enough, whatever the others are.
fn prove_delegation<'r>(
    zone: &Name,
    ds_rrset: &'r SignedRrset<'_>,
    period: Period,
    zones: &Zones<'_>,
    budget: &mut Budget,
) -> Attempt<ValidCommitments<'r>> {
    let validity = match ds_rrset.verify(zones, budget)? {
        Ok(validity) => validity,
        Err(failure) => return Ok(Err(failure)),
    };
    let known: ValidCommitments<'_> = supported(ds_rrset.rdata())
        .map(|ds| ValidCommitment {
            commitment: Commitment::Ds(ds),
            validity: validity.clone(),
        })
        .collect();
    if known.is_empty() && !validity.overlaps(period) {
        return Ok(Err(Error::NotValidTogether {
            rrset: ds_rrset.id(),
            validity,
            period,
        }));
    }
    if known.is_empty() {
        return Ok(Err(Error::InsecureDelegation {
            zone: zone.clone(),
            cause: Insecurity::Algorithms,
            validity,
        }));
    }
    Ok(Ok(known))
}

/// Returns true if a DS RRset with these data makes the delegation secure.
pub(super) fn is_secure(rdata: &[Cow<'_, [u8]>]) -> bool {
    supported(rdata).next().is_some()
}

fn supported<'r>(rdata: &'r [Cow<'_, [u8]>]) -> impl Iterator<Item = Ds<'r>> {
    rdata
        .iter()
        .filter_map(|rdata| Ds::parse(rdata))
        .filter(Ds::is_supported)
}

/// The keys of a DNSKEY RRset that may sign. They are not proven yet.
fn signing_keys<'a>(dnskey_rrset: &SignedRrset<'a>) -> Keys<'a> {
    dnskey_rrset
        .borrowed_rdata()
        .filter_map(Dnskey::parse)
        .filter(|dnskey| dnskey.may_sign() && dnskey.algorithm.is_supported())
        .map(|dnskey| Key {
            tag: dnskey.key_tag(),
            dnskey,
            validity: Validity::never(),
        })
        .collect()
}

/// Returns true if the commitment is to this key.
fn is_about(
    commitment: &Commitment<'_>,
    key: &Key<'_>,
    zone: &Name,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    match commitment {
        Commitment::Dnskey(dnskey) => Ok(dnskey == &key.dnskey),
        Commitment::Ds(ds) if ds.resembles(&key.dnskey, key.tag) => {
            budget.spend_digest(key.dnskey.rdata().len())?;
            Ok(ds.commits_to(zone, &key.dnskey))
        }
        Commitment::Ds(_) => Ok(false),
    }
}
