//! The organisation's key: the dialect of a chain, and the proof that the domain publishes the key
//! in it.

use std::borrow::Cow;
use std::sync::Arc;

use dnssec::{Chain, Demand, Fact, Name, Period, RecordType, Timestamp, Validity, txt_content};
use smallvec::SmallVec;

use super::outcome::Verification;
use crate::error::VerifyError;
use crate::key::PublicKeyRef;
use crate::name::{Dialect, Organisation};
use crate::policy::{Policy, Rules};
use crate::record::{self, TtlOverride, TxtRecord};
use crate::service::ServiceOid;

/// The evidence that a domain publishes a key.
pub(super) enum Publication<'p, 'a> {
    /// A chain that has yet to be verified, with the TXT RRset at `owner`.
    Chain { chain: &'p Chain<'a>, owner: Name },
    /// The result of verifying the same chain before.
    Remembered(&'p PublishedKey),
}

impl<'p, 'a> Publication<'p, 'a> {
    /// The rules for a chain, by the dialect of its TXT records, and the publication by these
    /// records.
    pub(super) fn of_chain(
        chain: &'p Chain<'a>,
        organisation: &Organisation,
        policy: Policy,
    ) -> Result<(Rules, Self), VerifyError> {
        let (dialect, owner) = find_dialect(chain, organisation)?;
        Ok((Rules::new(dialect, policy)?, Self::Chain { chain, owner }))
    }

    /// Proves that the domain publishes `key`, unless that was proven before.
    pub(super) fn prove(
        &self,
        key: &PublicKeyRef<'_>,
        verification: &Verification<'_>,
        demand: Demand,
        rules: Rules,
    ) -> Result<Cow<'p, PublishedKey>, VerifyError> {
        match self {
            Self::Chain { chain, owner } => {
                check_unverified_records(chain, key, verification.service, rules.dialect)?;
                PublishedKey::prove(chain, owner, key, verification, demand, rules).map(Cow::Owned)
            }
            Self::Remembered(published) => Ok(Cow::Borrowed(published)),
        }
    }

    /// Returns true if the chain was verified before, together with the organisation's signature
    /// over its certificate.
    pub(super) fn is_remembered(&self) -> bool {
        matches!(self, Self::Remembered(_))
    }
}

/// An organisation's key that its domain publishes, with the validity of the proof.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PublishedKey(Arc<Published>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Published {
    validity: Validity,
    record: TxtRecord,
}

impl PublishedKey {
    fn prove(
        chain: &Chain<'_>,
        owner: &Name,
        key: &PublicKeyRef<'_>,
        verification: &Verification<'_>,
        demand: Demand,
        rules: Rules,
    ) -> Result<Self, VerifyError> {
        let anchors = verification.anchors;
        let proof = match chain.look_up(owner, RecordType::TXT, anchors, demand)? {
            Fact::Proven(proof) => proof,
            Fact::ProvenAbsent(absence) => {
                return Err(VerifyError::RecordAbsent(Box::new(absence)));
            }
            // The records of an insecure zone are not proven.
            Fact::ProvenInsecure(insecure) => return Err(dnssec::Error::from(insecure).into()),
        };
        let records = parse_records(proof.rdata(), rules.dialect);
        Ok(Self(Arc::new(Published {
            record: select_record(records, key, verification.service)?,
            validity: proof.validity().clone(),
        })))
    }

    /// The record that publishes the key.
    pub(crate) fn record(&self) -> &TxtRecord {
        &self.0.record
    }

    /// The validity of the record's DNSSEC proof.
    pub(crate) fn validity(&self) -> &Validity {
        &self.0.validity
    }

    /// Checks that DNSSEC is valid within the TTL override before the end of `required`. Returns the
    /// key with the window that must include a second at which everything holds.
    pub(crate) fn within(
        &self,
        required: Period,
        rules: Rules,
    ) -> Result<ProvenKey<'_>, VerifyError> {
        let ttl_override = self.record().ttl_override;
        let dnssec_window = dnssec_window(required, ttl_override);
        if !self.validity().overlaps(dnssec_window) {
            return Err(VerifyError::TtlOverrideExceeded {
                validity: self.validity().clone(),
                ttl_override,
                required,
            });
        }
        Ok(ProvenKey {
            validity: self.validity(),
            window: match rules.dialect {
                Dialect::VeraId => required,
                Dialect::DomainAuth => dnssec_window,
            },
        })
    }

    pub(crate) fn holds_throughout(&self, required: Period) -> bool {
        let held = self.validity().first_overlapping(required);
        held.is_some_and(|held| held.contains(required.start()) && held.contains(required.end()))
    }

    /// Returns true if the key is not proven for `time` or any later second.
    pub(crate) fn has_ended_before(&self, time: Timestamp) -> bool {
        let last = self.validity().periods().last();
        last.is_none_or(|last| last.end() < time)
    }

    /// The number of octets that it takes in memory.
    pub(crate) fn octets(&self) -> usize {
        const KEY_OCTETS: usize = 64;
        size_of::<Published>()
            .saturating_add(size_of_val(self.validity().periods()))
            .saturating_add(KEY_OCTETS)
    }
}

/// An organisation's key that its domain publishes at a time that the verifier accepts.
pub(crate) struct ProvenKey<'p> {
    validity: &'p Validity,
    /// The period that must include a second at which everything holds: the verifier's period or,
    /// in DomainAuth, its last seconds, as many as the TTL override allows ("Verification
    /// Procedure", steps 4 and 5).
    window: Period,
}

impl ProvenKey<'_> {
    /// The uninterrupted period in which the key is proven and `available` holds; it includes a
    /// second of the window.
    pub(super) fn period_with(&self, available: Period) -> Result<Period, VerifyError> {
        self.validity
            .intersect_period(available)
            .first_overlapping(self.window)
            .ok_or_else(|| self.never_together())
    }

    pub(super) fn never_together(&self) -> VerifyError {
        VerifyError::NeverValidTogether {
            required: self.window,
        }
    }
}

/// The dialect whose TXT RRset the chain contains, and the owner of that RRset.
///
/// Responses without records do not decide: a client that asks for both names gets a denial for one
/// of them. A chain with nothing but such responses is left to DNSSEC, whose error is more precise.
pub(crate) fn find_dialect(
    chain: &Chain<'_>,
    organisation: &Organisation,
) -> Result<(Dialect, Name), VerifyError> {
    // The domain may be so long that only the shorter label fits.
    let candidates: SmallVec<[(Dialect, Name); 2]> = Dialect::ALL
        .iter()
        .filter_map(|&dialect| Some((dialect, organisation.record_owner(dialect).ok()?)))
        .collect();
    let shortest = organisation.record_owner(Dialect::VeraId);
    let (_, expected) = candidates.first().ok_or(match shortest {
        Err(error) => VerifyError::RecordOwner(error),
        Ok(_) => VerifyError::AmbiguousDialect,
    })?;
    let mut holding = candidates
        .iter()
        .filter(|(_, owner)| chain.has_answer_to(owner, RecordType::TXT));
    match (holding.next(), holding.next()) {
        (Some(_), Some(_)) => Err(VerifyError::AmbiguousDialect),
        (Some(only), None) => Ok(only.clone()),
        (None, _) => candidates
            .iter()
            .find(|(_, owner)| chain.has_response_to(owner, RecordType::TXT))
            .cloned()
            .ok_or(VerifyError::NoRecordResponse {
                owner: Box::new(expected.clone()),
            }),
    }
}

/// Refuses a chain early if no TXT record in it, proven or not, is for the key and the service.
///
/// A chain without any TXT record is left to DNSSEC, whose error is more precise.
fn check_unverified_records(
    chain: &Chain<'_>,
    key: &PublicKeyRef<'_>,
    service: Option<ServiceOid>,
    dialect: Dialect,
) -> Result<(), VerifyError> {
    let mut rdata = chain
        .responses()
        .iter()
        .flat_map(dnssec::Response::answers)
        .filter(|record| record.record_type() == RecordType::TXT)
        .map(dnssec::Record::rdata)
        .peekable();
    let serves = |record: &TxtRecord| match (record.service, service) {
        (Some(of), Some(service)) => of == service,
        _ => true,
    };
    if rdata.peek().is_none()
        || parse_records(rdata, dialect).any(|record| serves(&record) && record.identifies(key))
    {
        Ok(())
    } else {
        Err(VerifyError::NoMatchingRecord)
    }
}

/// Parses the records of the dialect. Other TXT records may exist beside them and are skipped.
fn parse_records<'r>(
    rdata: impl Iterator<Item = &'r [u8]>,
    dialect: Dialect,
) -> impl Iterator<Item = TxtRecord> {
    rdata.filter_map(move |rdata| TxtRecord::parse(&txt_content(rdata)?, dialect))
}

/// Selects the record that counts: without a service, the record for the key with the longest TTL
/// override.
fn select_record(
    records: impl Iterator<Item = TxtRecord>,
    key: &PublicKeyRef<'_>,
    service: Option<ServiceOid>,
) -> Result<TxtRecord, VerifyError> {
    match service {
        Some(service) => record::select(records, key, service),
        None => records
            .filter(|record| record.identifies(key))
            .max_by_key(|record| record.ttl_override)
            .ok_or(VerifyError::NoMatchingRecord),
    }
}

/// The last seconds of the verifier's period, as many as the TTL override allows.
fn dnssec_window(required: Period, ttl_override: TtlOverride) -> Period {
    let earliest = required.end().saturating_sub(ttl_override.seconds().into());
    Period::new(earliest, required.end())
        .and_then(|window| window.intersect(required))
        .unwrap_or(required)
}
