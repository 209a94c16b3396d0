//! The organisation's key: which dialect a chain is for, and whether the domain publishes the key in it.

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

/// What shows that a domain publishes a key.
pub(super) enum Publication<'p, 'a> {
    /// A chain, which has yet to be verified, with the TXT RRset at `owner`.
    Chain { chain: &'p Chain<'a>, owner: Name },
    /// The same chain, verified before.
    Remembered(&'p PublishedKey),
}

impl<'p, 'a> Publication<'p, 'a> {
    /// The rules for a chain, by the dialect whose records it has, and where these are.
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

    /// Whether the chain was verified before, and with it the organisation's signature over its certificate.
    pub(super) fn is_remembered(&self) -> bool {
        matches!(self, Self::Remembered(_))
    }
}

/// An organisation's key that its domain publishes, and when.
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
            // What an insecure zone says is not proven.
            Fact::ProvenInsecure(insecure) => return Err(dnssec::Error::from(insecure).into()),
        };
        let records = parse_records(proof.rdata(), rules.dialect);
        Ok(Self(Arc::new(Published {
            record: select_record(records, key, verification.service)?,
            validity: proof.validity().clone(),
        })))
    }

    /// The record that publishes it.
    pub(crate) fn record(&self) -> &TxtRecord {
        &self.0.record
    }

    /// When DNSSEC proves the record.
    pub(crate) fn validity(&self) -> &Validity {
        &self.0.validity
    }

    /// What that is worth to a verifier who asks about `required`.
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

    /// Whether it is proven for no second from `time` on.
    pub(crate) fn has_ended_before(&self, time: Timestamp) -> bool {
        let last = self.validity().periods().last();
        last.is_none_or(|last| last.end() < time)
    }

    /// Octets that it takes.
    pub(crate) fn octets(&self) -> usize {
        const KEY_OCTETS: usize = 64;
        size_of::<Published>()
            .saturating_add(size_of_val(self.validity().periods()))
            .saturating_add(KEY_OCTETS)
    }
}

/// An organisation's key that its domain publishes at some second that will do.
pub(crate) struct ProvenKey<'p> {
    validity: &'p Validity,
    /// Where the second must lie at which all holds together: in the verifier's period or, in DomainAuth, in what of it the
    /// TTL override leaves ("Verification Procedure", steps 4 and 5).
    window: Period,
}

impl ProvenKey<'_> {
    /// The whole period, with a second of the window in it, for which the key is proven and all else available.
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

/// The dialect whose TXT RRset the chain holds, and that RRset's owner.
///
/// Responses that hold nothing do not decide: whoever asks for both names gets a denial for one of them. A chain with
/// nothing but such responses is left to DNSSEC, which says better what is wrong.
pub(crate) fn find_dialect(
    chain: &Chain<'_>,
    organisation: &Organisation,
) -> Result<(Dialect, Name), VerifyError> {
    // A domain may have room for the shorter label alone.
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
/// A chain without any TXT record is left to DNSSEC, which says better what is wrong.
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

/// Those records that parse; others may stand beside them.
fn parse_records<'r>(
    rdata: impl Iterator<Item = &'r [u8]>,
    dialect: Dialect,
) -> impl Iterator<Item = TxtRecord> {
    rdata.filter_map(move |rdata| TxtRecord::parse(&txt_content(rdata)?, dialect))
}

/// The record that counts. Without a service, that is one with the longest TTL override of those for the key.
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

/// The last seconds of the verifier's period, as many as the TTL override says.
fn dnssec_window(required: Period, ttl_override: TtlOverride) -> Period {
    let earliest = required.end().saturating_sub(ttl_override.seconds().into());
    Period::new(earliest, required.end())
        .and_then(|window| window.intersect(required))
        .unwrap_or(required)
}
