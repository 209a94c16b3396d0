//! The period in which a bundle claims to be valid.
//!
//! A token ends with its signature, or earlier with a certificate or a DNSSEC signature around it.
//! Nothing is verified here, since that needs the server's trust anchors: a client may trust its
//! own token.

use veraid::dnssec::{Record, RecordType, Response};
use veraid::{Period, SignatureBundle, Timestamp, Validity};

/// The period around `now`, or else the nearest one, in which all parts of the bundle claim to be
/// valid. `None` if there is no such second.
pub(super) fn claimed(bundle: &SignatureBundle<'_>, now: Timestamp) -> Option<Period> {
    let signature = certified(bundle)?;
    let validity = bundle
        .unverified_chain()
        .responses()
        .iter()
        .filter_map(answered)
        .fold(Validity::from(signature), |all, rrset| {
            all.intersect(&rrset)
        });
    let periods = validity.periods();
    periods
        .iter()
        .find(|period| now <= period.end())
        .or(periods.last())
        .copied()
}

/// The common period of the signature and the certificates on its path.
fn certified(bundle: &SignatureBundle<'_>) -> Option<Period> {
    let organisation = bundle.unverified_organisation_certificate().period();
    let signer = bundle
        .unverified_member_certificate()
        .or(bundle.unverified_delegate_certificate())
        .map_or(Period::always(), veraid::UnverifiedCertificate::period);
    bundle
        .unverified_period()
        .intersect(organisation)?
        .intersect(signer)
}

/// The periods of the signatures over the RRset that answers a response's question. `None` if there
/// is no such RRset: for a negative answer, or an alias.
fn answered(response: &Response<'_>) -> Option<Validity> {
    let (name, record_type) = response.question()?;
    // Whatever vouches for the root's keys, it is not a DS record.
    if name.is_root() && record_type == RecordType::DS {
        return None;
    }
    let periods: Vec<Period> = response
        .answers()
        .iter()
        .filter(|record| record.owner() == name)
        .filter_map(Record::rrsig)
        .filter(|rrsig| rrsig.type_covered == record_type)
        .filter_map(|rrsig| rrsig.period())
        .collect();
    (!periods.is_empty()).then(|| periods.into_iter().collect())
}
