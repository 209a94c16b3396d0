//! The records that a chain proves, from the fixtures' ledger of signatures: what was signed, not what a verifier finds.

use std::collections::BTreeSet;

use kliento_fixtures::{CNAME, DNAME, Name, RRSIG, Record, Signed, World, signed_under};

/// The aliases that are followed. No case that proves something has more.
const MAX_ALIASES: usize = 16;

/// The RDATA of an RRset in canonical form and order, without duplicates (RFC 4034 §6.2, §6.3).
type Rrset = Vec<Vec<u8>>;

/// A chain as its author knows it.
pub(crate) struct Genuine<'c> {
    /// The world whose zones and keys are genuine.
    pub(crate) world: &'c World,
    /// The period that is asked about, inclusive at both ends.
    pub(crate) period: (i64, i64),
    /// The answers of messages to the question itself, which come before others. An RRset and its RRSIGs are in the same
    /// message.
    pub(crate) answers: Vec<&'c [Record]>,
    /// The answers of other messages.
    pub(crate) others: Vec<&'c [Record]>,
}

impl Genuine<'_> {
    /// The records at a name, or where its aliases lead.
    ///
    /// # Panics
    ///
    /// If there are none, or the chain has different RRsets that are all genuine: the case needs another author.
    pub(crate) fn resolve(&self, name: &str, record_type: u16) -> Rrset {
        let mut owner = Name::from(name);
        for _ in 0..MAX_ALIASES {
            if let Some(rrset) = self.rrset(&owner, record_type) {
                return rrset;
            }
            let target = match self.rrset(&owner, CNAME) {
                Some(alias) => target_of(&alias),
                None => {
                    let target = self.redirected(&owner);
                    if record_type == CNAME {
                        // The record that the DNAME makes is the answer (RFC 6672 §3.1).
                        return vec![target.canonical_wire()];
                    }
                    target
                }
            };
            owner = target;
        }
        panic!("the aliases of {name} don't end");
    }

    /// The name that a DNAME above makes of this one (RFC 6672 §2.2).
    fn redirected(&self, owner: &Name) -> Name {
        let labels = owner.labels();
        let mut above = owner.parent();
        while let Some(ancestor) = above {
            if let Some(rrset) = self.rrset(&ancestor, DNAME) {
                let kept = labels.len() - ancestor.labels().len();
                let target = target_of(&rrset).below(&labels[..kept]);
                return target.expect("a case that proves something has no name that is too long");
            }
            above = ancestor.parent();
        }
        panic!("nothing that was signed is at {owner} or above");
    }

    /// The RRset at this owner with a signature that counts.
    fn rrset(&self, owner: &Name, record_type: u16) -> Option<Rrset> {
        self.rrset_in(&self.answers, owner, record_type)
            .or_else(|| self.rrset_in(&self.others, owner, record_type))
    }

    fn rrset_in(&self, messages: &[&[Record]], owner: &Name, record_type: u16) -> Option<Rrset> {
        let found = messages.iter().flat_map(|message| {
            let at_owner = || message.iter().filter(|record| record.owner == *owner);
            let data: BTreeSet<Vec<u8>> = at_owner()
                .filter(|record| record.record_type == record_type)
                .map(Record::canonical_rdata)
                .collect();
            at_owner()
                .filter(|record| record.record_type == RRSIG)
                .filter_map(signed_under)
                .filter(|signed| signed.record_type == record_type && self.counts(signed, owner))
                .map(|signed| signed.rdata)
                .filter(|rdata| rdata.iter().eq(&data))
                .collect::<Vec<Rrset>>()
        });
        let different: BTreeSet<Rrset> = found.collect();
        assert!(
            different.len() <= 1,
            "several RRsets are signed: {owner} {record_type}"
        );
        different.into_iter().next()
    }

    /// True for a signature by a key of the zone, in the period, over this owner or a wildcard above.
    fn counts(&self, signed: &Signed, owner: &Name) -> bool {
        let (from, until) = self.period;
        let (start, end) = signed.window;
        let is_of_the_zone = self.world.has_zone(&signed.signer) && {
            let keys = self.world.zone(&signed.signer).keys();
            keys.iter().any(|key| key.dnskey_rdata() == signed.dnskey)
        };
        let is_over_the_owner = signed.owner == *owner
            || signed.owner.is_wildcard()
                && (signed.owner.parent()).is_some_and(|encloser| owner.is_within(&encloser));
        is_of_the_zone && is_over_the_owner && start <= until && from <= end
    }
}

fn target_of(rrset: &[Vec<u8>]) -> Name {
    assert_eq!(rrset.len(), 1, "an alias leads to one name");
    Name::from_rdata(&rrset[0])
}
