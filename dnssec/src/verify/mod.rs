//! Looking a name up in a chain, and proving what is found (RFC 4035 §5).
//!
//! A step looks for records, an alias or a denial at one name; aliases lead to the next step. What is found is an RRset
//! with RRSIGs, by which it is known what zones signed it. These are proven first ([`zones`]), from the anchor down, and
//! with their keys the RRset; and where that was expanded from a wildcard, or is not there at all, what else has to be
//! shown ([`denial`]).
//!
//! Each step yields a [`Validity`]: the union over the good signatures of an RRset, each cut to the times at which its
//! key is proven; the intersection of all that has to hold together.

mod answer;
mod delegation;
mod denial;
mod fact;
mod rrset;
mod zones;

use std::borrow::Cow;

use crate::anchor::TrustAnchors;
use crate::budget::Budget;
use crate::chain::Chain;
use crate::error::{Committer, Error, Insecurity, RrsetId};
use crate::name::Name;
use crate::record::RecordType;
use crate::validity::{Period, Validity};

use answer::{Found, Question};
use denial::{Case, Conclusion, Evidence, Witnesses};
use rrset::{Expansion, GoodSignature, SignedRrset, further};
use zones::{Sources, Zones};

pub use fact::{Absence, Denial, Fact, Proof};

/// Aliases that are followed in a row, as resolvers do (Unbound follows 11, BIND 16).
pub(crate) const MAX_ALIASES: usize = 8;

pub(crate) fn look_up<'a>(
    chain: &Chain<'a>,
    name: &Name,
    record_type: RecordType,
    anchors: &TrustAnchors,
    period: Period,
) -> Result<Fact<'a>, Error> {
    if record_type.is_meta() {
        return Err(Error::MetaType(record_type));
    }
    Walk {
        sources: Sources {
            chain,
            anchors,
            period,
        },
        budget: Budget::new(),
        zones: Zones::default(),
        denials: None,
    }
    .look_up(name, record_type)
}

/// One verification: what it has to go by, what it has proven so far, and what it may still spend.
struct Walk<'w, 'a> {
    sources: Sources<'w, 'a>,
    budget: Budget,
    zones: Zones<'a>,
    /// The chain's NSEC and NSEC3 records, once they are needed.
    denials: Option<denial::Records<'a>>,
}

/// What is proven about one name.
enum Step<'a> {
    Records(Vec<Cow<'a, [u8]>>),
    Alias(Name),
    Absent(Denial),
}

impl<'a> Walk<'_, 'a> {
    /// Goes from alias to alias until there are records, or none.
    fn look_up(&mut self, name: &Name, record_type: RecordType) -> Result<Fact<'a>, Error> {
        let mut validity = Validity::always();
        let mut canonical_name = name.clone();
        let mut followed: Vec<Name> = Vec::new();
        loop {
            let (step, valid) = self
                .step(&canonical_name, record_type, &followed)
                .map_err(|failure| self.insecure_or(failure, &canonical_name, record_type))?;
            validity = validity.intersect(&valid);
            if !validity.overlaps(self.sources.period) {
                return Err(Error::NotValidTogether {
                    rrset: RrsetId {
                        owner: canonical_name,
                        record_type,
                    },
                    validity,
                    period: self.sources.period,
                });
            }
            let target = match step {
                Step::Records(rdata) => {
                    return Ok(Fact::Proven(Proof {
                        name: name.clone(),
                        canonical_name,
                        record_type,
                        rdata,
                        validity,
                    }));
                }
                Step::Absent(denial) => {
                    return Ok(Fact::ProvenAbsent(Absence {
                        name: name.clone(),
                        canonical_name,
                        record_type,
                        denial,
                        validity,
                    }));
                }
                Step::Alias(target) => target,
            };
            followed.push(canonical_name);
            if followed.contains(&target) {
                return Err(Error::AliasLoop(target));
            }
            if followed.len() > MAX_ALIASES {
                return Err(Error::TooManyAliases {
                    name: name.clone(),
                    limit: MAX_ALIASES,
                });
            }
            self.budget.grow();
            canonical_name = target;
        }
    }

    fn step(
        &mut self,
        owner: &Name,
        record_type: RecordType,
        followed: &[Name],
    ) -> Result<(Step<'a>, Validity), Error> {
        if !self.sources.anchors.reach(owner) {
            return Err(Error::NoTrustAnchor(owner.clone()));
        }
        let period = self.sources.period;
        let question = Question::new(self.sources.chain, owner, record_type, followed)?;
        match question.find()? {
            Found::Records(records) => {
                let records = records.usable(period, expansion(record_type))?;
                let validity = self.prove(&records)?;
                Ok((Step::Records(records.into_rdata()), validity))
            }
            Found::Alias(alias) => {
                let expansion = expansion(alias.record_type());
                let alias = alias.usable(period, expansion)?;
                let target = target(&alias, owner)?;
                let validity = self.prove(&alias)?;
                if record_type == RecordType::CNAME {
                    // The CNAME that was asked for is the one that the DNAME makes (RFC 6672 §3.1).
                    let cname = Cow::Owned(target.as_wire().to_vec());
                    return Ok((Step::Records(vec![cname]), validity));
                }
                Ok((Step::Alias(target), validity))
            }
            Found::Nothing(otherwise) => {
                let (denial, validity) = self.prove_absence(owner, record_type, otherwise)?;
                Ok((Step::Absent(denial), validity))
            }
        }
    }

    /// Proves an RRset: with a signature over its very owner, or with one over a wildcard and the proof that there is no
    /// closer name (RFC 4035 §5.3.4).
    fn prove(&mut self, rrset: &SignedRrset<'a>) -> Result<Validity, Error> {
        self.zones
            .establish_signers(rrset, self.sources, &mut self.budget)?;
        let signatures = rrset.good_signatures(&self.zones, &mut self.budget)?;
        let mut validity = Validity::never();
        let mut failure = None;
        for signature in &signatures {
            if signature.labels == rrset.owner().rrsig_labels() {
                validity = validity.unite(&signature.validity);
                continue;
            }
            match self.prove_no_closer_name(rrset, signature) {
                Ok(no_closer) => {
                    let together = signature.validity.intersect(&no_closer);
                    validity = validity.unite(&together);
                }
                Err(exhausted @ Error::BudgetExhausted { .. }) => return Err(exhausted),
                Err(other) => failure = further(failure, other),
            }
        }
        match failure {
            Some(failure) if validity.is_never() => Err(failure),
            _ => Ok(validity),
        }
    }

    fn prove_no_closer_name(
        &mut self,
        rrset: &SignedRrset<'a>,
        signature: &GoodSignature<'_>,
    ) -> Result<Validity, Error> {
        let unproven = Error::UnprovenWildcard(rrset.id());
        let (records, witnesses) = self.denials();
        let case =
            records.about_wildcard(rrset.owner(), signature.labels, signature.signer, witnesses)?;
        match self.judge(case, rrset.owner(), rrset.id().record_type)? {
            Judgement::NoCloserName(validity) => Ok(validity),
            Judgement::Insecure(insecure) => Err(insecure),
            Judgement::Absent(..) => Err(unproven),
            Judgement::None(failure) => Err(failure.unwrap_or(unproven)),
        }
    }

    /// Proves that there is no record of the type at the name, or says what is wrong: `otherwise`, if no record of the
    /// chain bears on it.
    fn prove_absence(
        &mut self,
        owner: &Name,
        record_type: RecordType,
        otherwise: Error,
    ) -> Result<(Denial, Validity), Error> {
        let (records, witnesses) = self.denials();
        let case = records.about(owner, record_type, witnesses)?;
        match self.judge(case, owner, record_type)? {
            Judgement::Absent(denial, validity) => Ok((denial, validity)),
            Judgement::Insecure(insecure) => Err(insecure),
            Judgement::NoCloserName(_) => Err(otherwise),
            Judgement::None(failure) => Err(failure.unwrap_or(otherwise)),
        }
    }

    fn denials(&mut self) -> (&denial::Records<'a>, Witnesses<'_, 'a>) {
        let Sources { chain, period, .. } = self.sources;
        let records = self
            .denials
            .get_or_insert_with(|| denial::Records::read(chain));
        let witnesses = Witnesses {
            chain,
            period,
            budget: &mut self.budget,
        };
        (records, witnesses)
    }

    /// Checks what the arguments of a case about these records rest on. An argument holds when all of its records do; what
    /// several conclude holds when one of them does.
    fn judge(
        &mut self,
        case: Case<'a>,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<Judgement, Error> {
        let Case {
            mut evidence,
            arguments,
            mut failure,
        } = case;
        let mut judgement: Option<(Conclusion, Validity)> = None;
        // What is absent is not insecure, whichever argument came first.
        let (insecure, others): (Vec<_>, Vec<_>) = arguments
            .into_iter()
            .partition(|argument| matches!(argument.conclusion, Conclusion::Insecure { .. }));
        for argument in others.into_iter().chain(insecure) {
            if let Conclusion::Insecure { zone, cause } = &argument.conclusion
                && self.is_anchored_below(zone, *cause, owner, record_type)
            {
                continue;
            }
            if let Some((conclusion, _)) = &judgement
                && *conclusion != argument.conclusion
            {
                continue;
            }
            let mut validity = Validity::always();
            for premise in &argument.premises {
                let Some(evidence) = evidence.get_mut(*premise) else {
                    continue;
                };
                match self.weigh(evidence) {
                    Ok(valid) => validity = validity.intersect(&valid),
                    Err(exhausted @ Error::BudgetExhausted { .. }) => return Err(exhausted),
                    Err(other) => {
                        failure = further(failure, other);
                        validity = Validity::never();
                    }
                }
                if validity.is_never() {
                    break;
                }
            }
            if !validity.overlaps(self.sources.period) {
                continue;
            }
            judgement = Some(match judgement {
                Some((conclusion, before)) => (conclusion, before.unite(&validity)),
                None => (argument.conclusion, validity),
            });
        }
        Ok(match judgement {
            Some((Conclusion::Absent(denial), validity)) => Judgement::Absent(denial, validity),
            Some((Conclusion::NoCloserName, validity)) => Judgement::NoCloserName(validity),
            Some((Conclusion::Insecure { zone, cause }, _)) => {
                Judgement::Insecure(Error::InsecureDelegation { zone, cause })
            }
            None => Judgement::None(failure),
        })
    }

    /// Checks the signatures over a record, once.
    fn weigh(&mut self, evidence: &mut Evidence<'a>) -> Result<Validity, Error> {
        if let Some(outcome) = &evidence.outcome {
            return outcome.clone();
        }
        self.zones
            .establish_signers(&evidence.rrset, self.sources, &mut self.budget)?;
        let outcome = evidence.rrset.verify(&self.zones, &mut self.budget);
        evidence.outcome = Some(outcome.clone());
        outcome
    }

    /// Tells a name about which nothing can be proven from one about which something is wrong: where a zone on the way is
    /// proven to be unsigned, or to be signed with nothing known (RFC 4035 §5.2), the failure is no failure.
    fn insecure_or(&mut self, failure: Error, owner: &Name, record_type: RecordType) -> Error {
        match failure {
            Error::BudgetExhausted { .. } => return failure,
            Error::InsecureDelegation { zone, cause } => {
                return if self.is_anchored_below(&zone, cause, owner, record_type) {
                    Error::DnskeyNotCommitted {
                        zone,
                        committed_by: Committer::Parent,
                    }
                } else {
                    Error::InsecureDelegation { zone, cause }
                };
            }
            _ => {}
        }
        match self.insecurity(owner, record_type) {
            Ok(Some(insecure)) => insecure,
            Ok(None) => failure,
            Err(exhausted) => exhausted,
        }
    }

    /// Whether an anchor vouches for the name all the same, since it lies between that and the unsigned zone: an island of
    /// security (RFC 4033 §2) is no part of the sea.
    fn is_anchored_below(
        &self,
        zone: &Name,
        cause: Insecurity,
        owner: &Name,
        record_type: RecordType,
    ) -> bool {
        self.sources.anchors.iter().any(|anchor| {
            let anchored = anchor.owner();
            let is_below = match cause {
                // Here it is the zone's own denials that prove nothing, not the delegation to it.
                Insecurity::Nsec3Iterations | Insecurity::Nsec3Hash => anchored.is_below(zone),
                Insecurity::NoDs | Insecurity::Algorithms | Insecurity::OptOut => {
                    anchored.is_within(zone)
                }
            };
            // The DS of the anchored zone is not that zone's.
            let vouches = match record_type {
                RecordType::DS => owner.is_below(anchored),
                _ => owner.is_within(anchored),
            };
            is_below && vouches
        })
    }

    fn insecurity(
        &mut self,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<Option<Error>, Error> {
        // From the top: below an unsigned delegation nothing is proven.
        let labels = owner.label_count();
        let lowest = if record_type == RecordType::DS {
            labels.saturating_sub(1)
        } else {
            labels
        };
        for labels in 1..=lowest {
            let Some(zone) = owner.suffix(labels) else {
                continue;
            };
            if self.is_anchored_below(&zone, Insecurity::Algorithms, owner, record_type) {
                continue;
            }
            let delegations = delegation::candidates(self.sources, &zone, RecordType::DS);
            for ds_rrset in delegations.unwrap_or_default() {
                if delegation::is_secure(ds_rrset.rdata()) {
                    continue;
                }
                match self.prove(&ds_rrset) {
                    Ok(validity) if validity.overlaps(self.sources.period) => {
                        return Ok(Some(Error::InsecureDelegation {
                            zone,
                            cause: Insecurity::Algorithms,
                        }));
                    }
                    Err(exhausted @ Error::BudgetExhausted { .. }) => return Err(exhausted),
                    _ => {}
                }
            }
        }
        let (records, witnesses) = self.denials();
        let mut case = records.about(owner, record_type, witnesses)?;
        case.arguments
            .retain(|argument| matches!(argument.conclusion, Conclusion::Insecure { .. }));
        Ok(match self.judge(case, owner, record_type)? {
            Judgement::Insecure(insecure) => Some(insecure),
            _ => None,
        })
    }
}

/// What came of a case.
enum Judgement {
    Absent(Denial, Validity),
    NoCloserName(Validity),
    Insecure(Error),
    /// Nothing holds; the failure that got furthest, if there was one.
    None(Option<Error>),
}

/// Whether an answer of this type may come from a wildcard.
fn expansion(record_type: RecordType) -> Expansion {
    match record_type {
        // What delegates and denies; and a DNAME, whose wildcard would have to be told from a name (RFC 6672 §3.3).
        RecordType::DS
        | RecordType::DNSKEY
        | RecordType::NSEC
        | RecordType::NSEC3
        | RecordType::DNAME => Expansion::Refused,
        _ => Expansion::Allowed,
    }
}

/// Where an alias leads to from `owner`: it has one record, or is none.
fn target(alias: &SignedRrset<'_>, owner: &Name) -> Result<Name, Error> {
    let malformed = || Error::MalformedRecord(alias.id());
    let [rdata] = alias.rdata() else {
        return Err(malformed());
    };
    let target = Name::from_wire(rdata).map_err(|_| malformed())?;
    if alias.id().record_type == RecordType::CNAME {
        return Ok(target);
    }
    owner
        .moved(alias.owner(), &target)
        .ok_or_else(|| Error::AliasTooLong {
            name: owner.clone(),
            dname: alias.owner().clone(),
        })
}
