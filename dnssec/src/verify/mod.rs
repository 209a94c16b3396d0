//! Looks a name up in a chain, and proves what is found (RFC 4035 §5).
//!
//! Each step looks for records, an alias or a denial at one name. An alias leads to the next step.
//! The RRSIGs of the RRset that is found name the zones that signed it. These zones are proven
//! first ([`zones`]), from the anchor down, and the RRset is verified with their keys. If the RRset
//! was expanded from a wildcard, or if there is none, a denial is proven as well ([`denial`]).
//!
//! Each step yields a [`Validity`]. For one RRset it is the union over its verified signatures,
//! each restricted to the times at which its key is proven. For everything that must hold together
//! it is the intersection.

mod answer;
mod attempt;
mod delegation;
mod denial;
mod insecurity;
mod rrset;
mod zones;

use std::borrow::Cow;
use std::rc::Rc;

use crate::anchor::TrustAnchors;
use crate::budget::{Budget, Exhausted};
use crate::chain::Chain;
use crate::demand::Demand;
use crate::error::{Error, RrsetId};
use crate::fact::{Absence, Denial, Fact, Insecure, Insecurity, Proof};
use crate::name::Name;
use crate::record::RecordType;
use crate::validity::Validity;

use answer::{Found, Question};
use attempt::{Attempt, Failures, Stop};
use denial::{Conclusion, DenialProofs, SearchContext, SignedDenial};
use rrset::{Expansion, GoodSignature, SignedRrset};
use zones::{Sources, Zones};

/// The most aliases in a row (CNAME and DNAME records) that a look-up follows. Resolvers have limits
/// as well: Unbound follows 11, BIND 16.
pub const MAX_ALIASES: usize = 8;

impl<'a> Chain<'a> {
    /// Looks `record_type` at `name` up as a resolver would, and proves the result from an anchor
    /// down: records, perhaps behind aliases, their absence, or that the name is insecure.
    ///
    /// The fact holds for at least one second of the demand's period. [`Fact::validity`] returns
    /// the exact times, within that period and around it. Signatures that are not valid at any
    /// second of the period are skipped before any public-key operation. So the validity outside
    /// the period may be less than the whole chain would prove; ask with
    /// [`Period::always`](crate::Period::always) to get all of it.
    ///
    /// Reads no clock and uses no network.
    ///
    /// ```
    /// use dnssec::{Chain, Denial, Fact, Period, RecordType, Timestamp, TrustAnchors};
    /// # let world = kliento_fixtures::World::builder()
    /// #     .at(1_795_262_400)
    /// #     .zone(".", kliento_fixtures::Algorithm::Ed25519)
    /// #     .zone("example.", kliento_fixtures::Algorithm::Ed25519)
    /// #     .build();
    /// # let der = kliento_fixtures::chain_der(&world.chain("_veraid.example.", kliento_fixtures::TXT));
    /// # let anchors: TrustAnchors = world.anchors().parse()?;
    ///
    /// let noon = Period::at("2026-11-21T12:00:00Z".parse()?);
    /// let chain = Chain::from_der(&der)?;
    /// match chain.look_up(&"_veraid.example".parse()?, RecordType::TXT, &anchors, noon)? {
    ///     Fact::Proven(proof) => println!("{} records", proof.rdata().len()),
    ///     Fact::ProvenAbsent(absence) => assert_eq!(absence.denial(), Denial::NxDomain),
    ///     Fact::ProvenInsecure(insecure) => println!("{insecure}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn look_up(
        &self,
        name: &Name,
        record_type: RecordType,
        anchors: &TrustAnchors,
        demand: impl Into<Demand>,
    ) -> Result<Fact<'a>, Error> {
        if record_type.is_meta() {
            return Err(Error::MetaType(record_type));
        }
        let demand = demand.into();
        Walk {
            sources: Sources {
                chain: self,
                anchors,
                demand,
            },
            budget: Budget::new(demand),
            zones: Zones::default(),
            denials: None,
            so_far: Validity::always(),
        }
        .look_up(name, record_type)
        .map_err(Stop::into_error)
    }

    /// Proves the RRset of `record_type` at `name`. This is [`Chain::look_up`] for callers that
    /// need records: a proof that there are none is [`Error::Absent`], and a proof that the name is
    /// insecure is [`Error::InsecureDelegation`].
    pub fn verify(
        &self,
        name: &Name,
        record_type: RecordType,
        anchors: &TrustAnchors,
        demand: impl Into<Demand>,
    ) -> Result<Proof<'a>, Error> {
        self.look_up(name, record_type, anchors, demand)?
            .into_proof()
    }
}

/// The state of one verification: its sources, the remaining budget, and what is proven so far.
struct Walk<'w, 'a> {
    sources: Sources<'w, 'a>,
    budget: Budget,
    zones: Zones<'a>,
    /// The chain's NSEC and NSEC3 records, read when they are first needed.
    denials: Option<denial::Records<'a>>,
    /// The times at which the aliases that were followed hold. What is proven for their target
    /// counts at these times only.
    so_far: Validity,
}

/// The fact that is proven about one name.
enum Step<'a> {
    Records(Vec<Cow<'a, [u8]>>),
    Alias(Name),
    Absent(Denial),
    /// The zone is unsigned, for this cause.
    Insecure(Name, Insecurity),
}

impl<'a> Walk<'_, 'a> {
    /// Follows aliases until there are records, a denial, or a proof that the name is insecure.
    fn look_up(&mut self, name: &Name, record_type: RecordType) -> Result<Fact<'a>, Stop> {
        let messages = self.sources.chain.messages();
        self.budget.spend_reading(messages.map(<[u8]>::len).sum())?;
        let mut canonical_name = name.clone();
        let mut followed: Vec<Name> = Vec::new();
        loop {
            let (step, valid) = match self.step(&canonical_name, record_type, &followed) {
                Err(Stop::Failed(failure)) => {
                    self.insecure_or(failure, &canonical_name, record_type)?
                }
                other => other?,
            };
            let validity = self.so_far.intersect(&valid);
            if !validity.overlaps(self.sources.demand.period()) {
                return Err(Stop::Failed(Error::NotValidTogether {
                    rrset: RrsetId {
                        owner: canonical_name,
                        record_type,
                    },
                    validity,
                    period: self.sources.demand.period(),
                }));
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
                Step::Insecure(zone, cause) => {
                    return Ok(Fact::ProvenInsecure(Insecure {
                        name: name.clone(),
                        canonical_name,
                        record_type,
                        zone,
                        cause,
                        validity,
                    }));
                }
                Step::Alias(target) => target,
            };
            followed.push(canonical_name);
            if followed.contains(&target) {
                return Err(Stop::Failed(Error::AliasLoop(target)));
            }
            if followed.len() > MAX_ALIASES {
                return Err(Stop::Failed(Error::TooManyAliases {
                    name: name.clone(),
                    limit: MAX_ALIASES,
                }));
            }
            self.budget.grow();
            self.so_far = validity;
            canonical_name = target;
        }
    }

    fn step(
        &mut self,
        owner: &Name,
        record_type: RecordType,
        followed: &[Name],
    ) -> Result<(Step<'a>, Validity), Stop> {
        if !self.sources.anchors.reach(owner) {
            return Err(Stop::Failed(Error::NoTrustAnchor(owner.clone())));
        }
        let demand = self.sources.demand;
        let question = Question::new(self.sources.chain, owner, record_type, followed)?;
        match question.find()? {
            Found::Records(records) => {
                let records = records.usable(demand, expansion(record_type))?;
                let validity = self.prove(&records)??;
                Ok((Step::Records(records.into_rdata()), validity))
            }
            Found::Alias(mut alias) => {
                if record_type == RecordType::DS {
                    // A DS record belongs to the parent zone, and so does a CNAME in its place.
                    alias = alias.not_signed_by(owner);
                }
                let expansion = expansion(alias.record_type());
                let alias = alias.usable(demand, expansion)?;
                let target = target(&alias, owner)?;
                let validity = self.prove(&alias)??;
                if record_type == RecordType::CNAME {
                    // The CNAME that was asked for is the one that is synthesised from the DNAME
                    // (RFC 6672 §3.1).
                    let cname = Cow::Owned(target.as_wire().to_vec());
                    return Ok((Step::Records(vec![cname]), validity));
                }
                Ok((Step::Alias(target), validity))
            }
            Found::Nothing(otherwise) => {
                let (denial, validity) = self.prove_absence(owner, record_type, otherwise)??;
                Ok((Step::Absent(denial), validity))
            }
        }
    }

    /// Proves an RRset with a signature over its own owner, or with one over a wildcard and the
    /// proof that there is no closer name (RFC 4035 §5.3.4).
    fn prove(&mut self, rrset: &SignedRrset<'a>) -> Attempt<Validity> {
        self.zones
            .establish_signers(rrset, self.sources, &mut self.budget)?;
        let signatures = match rrset.good_signatures(&self.zones, &mut self.budget)? {
            Ok(signatures) => signatures,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut validity = Validity::never();
        let mut failures = Failures::default();
        let mut shown: Option<(&GoodSignature<'_>, Result<Validity, Error>)> = None;
        for signature in &signatures {
            if signature.labels == rrset.owner().rrsig_labels() {
                validity = validity.union(&signature.validity);
                continue;
            }
            let no_closer = match &shown {
                Some((before, no_closer)) if before.is_of_same_wildcard(signature) => {
                    no_closer.clone()
                }
                _ => self.prove_no_closer_name(rrset, signature)?,
            };
            shown = Some((signature, no_closer.clone()));
            if let Some(no_closer) = failures.success_of(no_closer) {
                let together = signature.validity.intersect(&no_closer);
                validity = validity.union(&together);
            }
        }
        Ok(match failures.furthest() {
            Some(failure) if validity.is_never() => Err(failure),
            _ => Ok(validity),
        })
    }

    fn prove_no_closer_name(
        &mut self,
        rrset: &SignedRrset<'a>,
        signature: &GoodSignature<'_>,
    ) -> Attempt<Validity> {
        let unproven = Error::UnprovenWildcard(rrset.id());
        let (records, context) = self.denials()?;
        let proofs =
            records.about_wildcard(rrset.owner(), signature.labels, signature.signer, context)?;
        let best = self.best_proof(proofs, rrset.owner(), rrset.id().record_type)?;
        Ok(match best {
            DenialOutcome::NoCloserName(validity) => Ok(validity),
            DenialOutcome::Insecure(insecure) => Err(insecure.into_error()),
            DenialOutcome::Absent(..) => Err(unproven),
            DenialOutcome::None(failures) => Err(failures.furthest_or(|| unproven)),
        })
    }

    /// Proves that there is no record of the type at the name. If no record of the chain is about
    /// that, the error is `otherwise`.
    fn prove_absence(
        &mut self,
        owner: &Name,
        record_type: RecordType,
        otherwise: Error,
    ) -> Attempt<(Denial, Validity)> {
        let (records, context) = self.denials()?;
        let proofs = records.about(owner, record_type, context)?;
        Ok(match self.best_proof(proofs, owner, record_type)? {
            DenialOutcome::Absent(denial, validity) => Ok((denial, validity)),
            DenialOutcome::Insecure(insecure) => Err(insecure.into_error()),
            DenialOutcome::NoCloserName(_) => Err(otherwise),
            DenialOutcome::None(failures) => Err(failures.furthest_or(|| otherwise)),
        })
    }

    fn denials(&mut self) -> Result<(&denial::Records<'a>, SearchContext<'_, 'a>), Exhausted> {
        let Sources { chain, demand, .. } = self.sources;
        let records = match self.denials.take() {
            Some(known) => known,
            None => denial::Records::read(chain)?,
        };
        let records = &*self.denials.insert(records);
        let context = SearchContext {
            chain,
            demand,
            budget: &mut self.budget,
        };
        Ok((records, context))
    }

    /// Verifies the records of the candidate proofs about a name and type.
    ///
    /// A proof holds when all of its records do. A conclusion of several proofs holds when one of
    /// the proofs does. Of several conclusions that hold, absence takes precedence over insecurity,
    /// and then the conclusion that holds for the longest time is chosen, so that the order of the
    /// chain does not matter.
    fn best_proof(
        &mut self,
        proofs: DenialProofs<'a>,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<DenialOutcome, Exhausted> {
        let DenialProofs {
            candidates,
            mut failures,
        } = proofs;
        let mut held: Vec<(Conclusion, Validity)> = Vec::new();
        for candidate in candidates {
            if let Conclusion::Insecure { zone, cause } = &candidate.conclusion
                && self.is_anchored_below(zone, *cause, owner, record_type)
            {
                continue;
            }
            let outcome = self.verify_records(&candidate.records)?;
            let Some(validity) = failures.success_of(outcome) else {
                continue;
            };
            let in_time = self.so_far.intersect(&validity);
            if !in_time.overlaps(self.sources.demand.period()) {
                failures.add(Error::NotValidTogether {
                    rrset: RrsetId {
                        owner: owner.clone(),
                        record_type,
                    },
                    validity: in_time,
                    period: self.sources.demand.period(),
                });
                continue;
            }
            let same =
                |(conclusion, _): &&mut (Conclusion, Validity)| *conclusion == candidate.conclusion;
            match held.iter_mut().find(same) {
                Some((_, before)) => *before = before.union(&validity),
                None => held.push((candidate.conclusion, validity)),
            }
        }
        let best = held.into_iter().max_by_key(|(conclusion, validity)| {
            let is_secure = !matches!(conclusion, Conclusion::Insecure { .. });
            (is_secure, validity.seconds(), conclusion.clone())
        });
        Ok(match best {
            Some((Conclusion::Absent(denial), validity)) => DenialOutcome::Absent(denial, validity),
            Some((Conclusion::NoCloserName, validity)) => DenialOutcome::NoCloserName(validity),
            Some((Conclusion::Insecure { zone, cause }, validity)) => {
                DenialOutcome::Insecure(InsecureZone {
                    zone,
                    cause,
                    validity,
                })
            }
            None => DenialOutcome::None(failures),
        })
    }

    /// Verifies all of these records. Returns the times at which they hold together.
    fn verify_records(&mut self, records: &[Rc<SignedDenial<'a>>]) -> Attempt<Validity> {
        let mut validity = Validity::always();
        for signed in records {
            match self.verify_record(signed)? {
                Ok(proven) => validity = validity.intersect(&proven),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(validity))
    }

    /// Verifies the signatures over a record, and stores the outcome.
    fn verify_record(&mut self, signed: &SignedDenial<'a>) -> Attempt<Validity> {
        if let Some(outcome) = signed.outcome.get() {
            return Ok(outcome.clone());
        }
        self.zones
            .establish_signers(&signed.rrset, self.sources, &mut self.budget)?;
        let outcome = signed.rrset.verify(&self.zones, &mut self.budget)?;
        Ok(signed.outcome.get_or_init(|| outcome).clone())
    }
}

/// The outcome of a search for denials.
enum DenialOutcome {
    Absent(Denial, Validity),
    NoCloserName(Validity),
    Insecure(InsecureZone),
    /// No candidate proof holds.
    None(Failures),
}

/// A zone that is proven to count as unsigned.
struct InsecureZone {
    zone: Name,
    cause: Insecurity,
    validity: Validity,
}

impl InsecureZone {
    /// The error for a step that needs a secure zone.
    fn into_error(self) -> Error {
        Error::InsecureDelegation {
            zone: self.zone,
            cause: self.cause,
            validity: self.validity,
        }
    }

    /// The step that ends the look-up with this fact.
    fn into_step<'a>(self) -> (Step<'a>, Validity) {
        (Step::Insecure(self.zone, self.cause), self.validity)
    }
}

/// Returns whether an RRset of this type may come from a wildcard.
fn expansion(record_type: RecordType) -> Expansion {
    match record_type {
        // Types that delegate or deny. Also DNAME, as a DNAME at a wildcard would have to be told
        // from one at a name (RFC 6672 §3.3).
        RecordType::DS
        | RecordType::DNSKEY
        | RecordType::NSEC
        | RecordType::NSEC3
        | RecordType::DNAME => Expansion::Refused,
        _ => Expansion::Allowed,
    }
}

/// The target of an alias from `owner`. The alias is malformed unless it has exactly one record.
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
