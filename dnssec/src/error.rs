//! The errors of this crate: each says why a chain does not prove what was asked of it.

use crate::fact::{Absence, Fact, Insecure, Insecurity, Proof};
use crate::name::Name;
use crate::rdata::Algorithm;
use crate::record::RecordType;
use crate::time::Timestamp;
use crate::validity::{Period, Validity};
use crate::wire_name::WireNameError;

/// An RRset, for messages: its owner and type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RrsetId {
    /// The owner name.
    pub owner: Name,
    /// The type of its records.
    pub record_type: RecordType,
}

impl RrsetId {
    /// The RRset of `record_type` at `owner`.
    pub fn new(owner: Name, record_type: RecordType) -> Self {
        Self { owner, record_type }
    }
}

impl std::fmt::Display for RrsetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.owner, self.record_type)
    }
}

/// An RRSIG, for messages: the RRset that it covers and the key that made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RrsigId {
    /// The RRset that it covers.
    pub rrset: RrsetId,
    /// The zone that signed.
    pub signer: Name,
    /// The tag of the key that signed.
    pub key_tag: u16,
    /// The algorithm of that key.
    pub algorithm: Algorithm,
}

impl std::fmt::Display for RrsigId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            rrset,
            signer,
            key_tag,
            algorithm,
        } = self;
        write!(
            f,
            "the RRSIG over {rrset} by {signer} (key tag {key_tag}, {algorithm})"
        )
    }
}

/// The reason why octets are not a DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
#[non_exhaustive]
pub struct MessageError {
    /// Offset in the message, in octets.
    pub offset: usize,
    /// The problem at that offset.
    pub what: &'static str,
}

impl From<WireNameError> for MessageError {
    fn from(WireNameError { offset, what }: WireNameError) -> Self {
        Self { offset, what }
    }
}

/// The reason why a chain cannot be read, or does not prove what was asked.
///
/// If several signatures or keys were tried, the error is about the one that got furthest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The octets are not a DER `SET OF OCTET STRING` or, if that was expected, not an
    /// `AuthenticationChain`.
    #[error("the DNSSEC chain can't be read: {problem} at byte {offset}")]
    #[non_exhaustive]
    MalformedChain {
        /// Offset in the chain, in octets.
        offset: usize,
        /// The part that was found or is missing there.
        problem: String,
    },
    /// The chain exceeds one of this crate's limits on its size.
    #[error("the DNSSEC chain has too many {what} (the limit is {limit})")]
    #[non_exhaustive]
    ChainTooLarge {
        /// The items of which there are too many.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A response is not a DNS message.
    #[error("response {index} of the DNSSEC chain is not a DNS message")]
    #[non_exhaustive]
    MalformedResponse {
        /// The index of the response, counted from 0 in the order of the chain.
        index: usize,
        /// The position and the problem.
        source: MessageError,
    },
    /// No response answers a question that has to be answered.
    #[error("the DNSSEC chain has no response or records for {0}")]
    MissingResponse(RrsetId),
    /// Several responses answer the question, and they differ.
    #[error("the DNSSEC chain has {count} different responses to the question for {rrset}")]
    #[non_exhaustive]
    AmbiguousAnswer {
        /// The RRset that was asked for.
        rrset: RrsetId,
        /// The number of responses that answer the question.
        count: usize,
    },
    /// The response has a code other than NOERROR and NXDOMAIN.
    #[error(
        "the response to the question for {rrset} has the response code {response_code}, so it proves nothing"
    )]
    #[non_exhaustive]
    ResponseCode {
        /// The RRset that was asked for.
        rrset: RrsetId,
        /// The code, such as 2 for SERVFAIL.
        response_code: u16,
    },
    /// The type that was asked for is not a type of signed data: for example ANY or RRSIG.
    #[error("records of the type {0} can't be proven")]
    MetaType(RecordType),
    /// The chain proves that there are no such records.
    #[error("{0} (proven)")]
    Absent(Box<Absence>),
    /// The response has no records of the type that was asked for, and the chain does not prove that there are none.
    #[error("the response denies {0}, but no NSEC or NSEC3 record proves the denial")]
    UnprovenDenial(RrsetId),
    /// The RRset was expanded from a wildcard, and the chain does not prove that there is no closer name.
    #[error(
        "{0} was expanded from a wildcard, but no NSEC or NSEC3 record proves that no closer match exists"
    )]
    UnprovenWildcard(RrsetId),
    /// A record that delegates or denies was expanded from a wildcard.
    #[error("{0} was expanded from a wildcard, so it proves nothing about this name")]
    Wildcard(RrsetId),
    /// The aliases form a loop.
    #[error("the aliases form a loop: they lead back to {0}")]
    AliasLoop(Name),
    /// There are more aliases in a row than this crate follows.
    #[error("{name} leads to a chain of more than {limit} aliases")]
    #[non_exhaustive]
    TooManyAliases {
        /// The name that was asked for.
        name: Name,
        /// The number of aliases that are followed.
        limit: usize,
    },
    /// The name that results from a DNAME is longer than a name can be (RFC 6672 §2.2).
    #[error("the DNAME record at {dname} maps {name} to a name that is too long")]
    #[non_exhaustive]
    AliasTooLong {
        /// The name below the DNAME.
        name: Name,
        /// The DNAME's owner.
        dname: Name,
    },
    /// A record's data does not fit its type.
    #[error("a record of {0} has RDATA that is invalid for its type")]
    MalformedRecord(RrsetId),
    /// The RRset is not signed.
    #[error("{0} has no RRSIG: it is unsigned, or the resolver stripped the signatures")]
    NoRrsig(RrsetId),
    /// The RRSIG's signer cannot be the zone of the RRset's owner.
    #[error("{0} is invalid: its signer is not the owner's zone")]
    SignerOffTree(Box<RrsigId>),
    /// The RRSIG's Labels field counts more labels than the owner has.
    #[error("{rrsig} is invalid: its Labels field is {labels}, but its owner has fewer labels")]
    #[non_exhaustive]
    TooManyLabels {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// The value of its Labels field.
        labels: u8,
    },
    /// The RRSIG's Labels field counts fewer labels than its signer has. A zone cannot sign a
    /// wildcard above itself.
    #[error("{rrsig} is invalid: its Labels field is {labels}, but its signer has more labels")]
    #[non_exhaustive]
    TooFewLabels {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// The value of its Labels field.
        labels: u8,
    },
    /// This crate does not support the RRSIG's algorithm.
    #[error(
        "{0} has an unsupported algorithm; supported are 8 and 10 (RSA), 13 and 14 (ECDSA), and 15 (Ed25519)"
    )]
    UnsupportedAlgorithm(Box<RrsigId>),
    /// The RRSIG expires before its inception.
    #[error("{0} is invalid: it expires before its inception")]
    RrsigPeriod(Box<RrsigId>),
    /// The RRSIG is valid for longer than the demand allows
    /// ([`Demand::with_longest_signature`](crate::Demand)).
    #[error("{rrsig} is valid for {} seconds; the limit is {limit}", .window.seconds())]
    #[non_exhaustive]
    RrsigTooLong {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// The period for which it is valid.
        window: Period,
        /// The limit, in seconds.
        limit: u32,
    },
    /// The RRSIG expired before the period that was asked for.
    ///
    /// The dates of an RRSIG are compared before its signature is verified, because that comparison
    /// is cheap. So this error does not mean that the records were true until then: a forged RRSIG
    /// with old dates is refused with it too. To distinguish the two, look the records up with
    /// [`Period::always`], as the crate's documentation shows under "Time".
    #[error("{rrsig} expired at {expired}, before {}", .period.start())]
    #[non_exhaustive]
    RrsigExpired {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// Its last second.
        expired: Timestamp,
        /// The period that was asked for.
        period: Period,
    },
    /// The RRSIG becomes valid only after the period that was asked for. As with
    /// [`Error::RrsigExpired`], its signature was not verified.
    #[error("{rrsig} is not valid before {valid_from}, which is after {}", .period.end())]
    #[non_exhaustive]
    RrsigNotYetValid {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// Its first second.
        valid_from: Timestamp,
        /// The period that was asked for.
        period: Period,
    },
    /// No key of the signer matches the RRSIG.
    #[error("no usable zone key matches {0}")]
    NoMatchingKey(Box<RrsigId>),
    /// The signature does not verify.
    #[error("{0} does not verify")]
    BadSignature(Box<RrsigId>),
    /// The DNSKEY RRset is signed, but not by a key that the parent or an anchor commits to.
    #[error("the DNSKEY RRset of {zone} is not signed by a key that {committed_by} commits to")]
    #[non_exhaustive]
    DnskeyNotCommitted {
        /// The zone.
        zone: Name,
        /// The side whose commitment is missing.
        committed_by: Committer,
    },
    /// The name lies in or below a zone that is proven to be unsigned, or that counts as unsigned.
    /// So nothing is proven about the name, and nothing is wrong.
    /// [`Chain::look_up`](crate::Chain::look_up) returns this as
    /// [`Fact::ProvenInsecure`](crate::Fact::ProvenInsecure).
    #[error("{zone} is insecure: {cause}")]
    #[non_exhaustive]
    InsecureDelegation {
        /// The zone, or the name at or below which an unsigned zone may lie.
        zone: Name,
        /// The reason why it counts as unsigned.
        cause: Insecurity,
        /// The times at which that is proven.
        validity: Validity,
    },
    /// No trust anchor lies at or above the name.
    #[error("there is no trust anchor at or above {0}")]
    NoTrustAnchor(Name),
    /// All signatures verify, but they are never valid at the same time, or not during the period
    /// that was asked for.
    #[error(
        "the chain's signatures do not prove {rrset} during {period} (valid together: {validity})"
    )]
    #[non_exhaustive]
    NotValidTogether {
        /// The RRset that was asked for.
        rrset: RrsetId,
        /// The times at which it is proven.
        validity: Validity,
        /// The period that was asked for.
        period: Period,
    },
    /// The RRSIG is never valid at the same time as the key that made it.
    #[error(
        "{rrsig} is valid for {window}, but its key is proven only for {key_validity}: the two never overlap"
    )]
    #[non_exhaustive]
    KeyNotValidThen {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// The period for which the signature is valid.
        window: Period,
        /// The times at which the key is proven.
        key_validity: Validity,
    },
    /// The chain needs more work than the limit allows.
    #[error("verification stopped: the chain needs more than {limit} {work}")]
    #[non_exhaustive]
    BudgetExhausted {
        /// The kind of work.
        work: &'static str,
        /// The limit.
        limit: u32,
    },
}

/// The error for an absence where records were asked for.
impl From<Absence> for Error {
    fn from(absence: Absence) -> Self {
        Self::Absent(Box::new(absence))
    }
}

/// The error for insecurity where something had to be proven.
impl From<Insecure> for Error {
    fn from(insecure: Insecure) -> Self {
        let Insecure {
            zone,
            cause,
            validity,
            ..
        } = insecure;
        Self::InsecureDelegation {
            zone,
            cause,
            validity,
        }
    }
}

/// A fact where only some facts would do.
impl<'a> Fact<'a> {
    /// Returns the same fact if it is secure, or [`Error::InsecureDelegation`] if the name is
    /// insecure.
    pub fn into_secure(self) -> Result<Self, Error> {
        match self {
            Self::ProvenInsecure(insecure) => Err(insecure.into()),
            secure => Ok(secure),
        }
    }

    /// Returns the records. The error is [`Error::Absent`] if there are provably none, and
    /// [`Error::InsecureDelegation`] if the name is insecure.
    pub fn into_proof(self) -> Result<Proof<'a>, Error> {
        match self {
            Self::Proven(proof) => Ok(proof),
            Self::ProvenAbsent(absence) => Err(absence.into()),
            Self::ProvenInsecure(insecure) => Err(insecure.into()),
        }
    }
}

/// The side that commits to a zone's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Committer {
    /// The parent's DS RRset.
    Parent,
    /// A trust anchor.
    TrustAnchor,
}

impl std::fmt::Display for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Parent => "its DS RRset",
            Self::TrustAnchor => "a trust anchor",
        })
    }
}

/// The kinds of [`Error`], for callers that handle each kind differently. More kinds may be added.
///
/// | kind | RFC 4033 §5 | what to do |
/// |---|---|---|
/// | [`Malformed`](Self::Malformed), [`Limit`](Self::Limit) | – | refuse it |
/// | [`Question`](Self::Question) | – | ask another question |
/// | [`Incomplete`](Self::Incomplete) | bogus | fetch the chain again: it is about something else, or lacks a part |
/// | [`Time`](Self::Time) | bogus | fetch the chain again, or ask about another time |
/// | [`Bogus`](Self::Bogus) | bogus | refuse it |
/// | [`Indeterminate`](Self::Indeterminate) | indeterminate | add a trust anchor |
/// | [`Insecure`](Self::Insecure) | insecure | continue without a proof, where that is allowed |
/// | [`Absent`](Self::Absent) | secure | continue without such records |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The octets of the chain ([`Error::is_malformed`]) or of a message in it can't be read.
    Malformed,
    /// No chain can prove what was asked for.
    Question,
    /// The chain lacks a response or a denial. This includes records from a wildcard for a name
    /// that the wildcard does not match according to the chain: a chain that is fetched again has
    /// the missing denial, or no such records.
    Incomplete,
    /// No trust anchor lies at or above the name.
    Indeterminate,
    /// The chain proves that the name is insecure.
    Insecure,
    /// The chain proves that there are no such records.
    Absent,
    /// Signatures are not valid at the time that was asked for, or never at the same time. They
    /// were not always verified otherwise.
    Time,
    /// The chain does not prove what it should: signatures, keys or records are missing, wrong or
    /// unsupported.
    Bogus,
    /// Something exceeds a limit of this crate or of the caller.
    Limit,
}

impl Error {
    /// The kind of the error.
    ///
    /// ```
    /// use dnssec::{Chain, Error, ErrorKind, Name, Period, RecordType, TrustAnchors};
    ///
    /// # let chain = Chain::from_messages::<[u8]>([])?;
    /// let refusal = chain
    ///     .verify(&"example.com".parse()?, RecordType::TXT, &TrustAnchors::iana(), Period::always())
    ///     .unwrap_err();
    /// match refusal.kind() {
    ///     ErrorKind::Absent => println!("there are none"),
    ///     ErrorKind::Incomplete | ErrorKind::Time => println!("fetch it again: {refusal}"),
    ///     _ => println!("refused: {refusal}"),
    /// }
    /// # assert_eq!(refusal.kind(), ErrorKind::Incomplete);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::MalformedChain { .. } | Self::MalformedResponse { .. } => ErrorKind::Malformed,
            Self::MetaType(_) => ErrorKind::Question,
            Self::MissingResponse(_)
            | Self::ResponseCode { .. }
            | Self::UnprovenDenial(_)
            | Self::UnprovenWildcard(_) => ErrorKind::Incomplete,
            Self::NoTrustAnchor(_) => ErrorKind::Indeterminate,
            Self::InsecureDelegation { .. } => ErrorKind::Insecure,
            Self::Absent(_) => ErrorKind::Absent,
            Self::RrsigExpired { .. }
            | Self::RrsigNotYetValid { .. }
            | Self::NotValidTogether { .. }
            | Self::KeyNotValidThen { .. } => ErrorKind::Time,
            Self::AmbiguousAnswer { .. }
            | Self::Wildcard(_)
            | Self::AliasLoop(_)
            | Self::AliasTooLong { .. }
            | Self::MalformedRecord(_)
            | Self::NoRrsig(_)
            | Self::SignerOffTree(_)
            | Self::TooManyLabels { .. }
            | Self::TooFewLabels { .. }
            | Self::UnsupportedAlgorithm(_)
            | Self::RrsigPeriod(_)
            | Self::NoMatchingKey(_)
            | Self::BadSignature(_)
            | Self::DnskeyNotCommitted { .. } => ErrorKind::Bogus,
            Self::ChainTooLarge { .. }
            | Self::TooManyAliases { .. }
            | Self::RrsigTooLong { .. }
            | Self::BudgetExhausted { .. } => ErrorKind::Limit,
        }
    }

    /// Returns a stable name of the reason, for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MalformedChain { .. } => "dnssec.malformed_chain",
            Self::ChainTooLarge { .. } => "dnssec.chain_too_large",
            Self::MalformedResponse { .. } => "dnssec.malformed_response",
            Self::MissingResponse(_) => "dnssec.missing_response",
            Self::AmbiguousAnswer { .. } => "dnssec.ambiguous_answer",
            Self::ResponseCode { .. } => "dnssec.response_code",
            Self::MetaType(_) => "dnssec.meta_type",
            Self::Absent(_) => "dnssec.absent",
            Self::UnprovenDenial(_) => "dnssec.unproven_denial",
            Self::UnprovenWildcard(_) => "dnssec.unproven_wildcard",
            Self::AliasLoop(_) => "dnssec.alias_loop",
            Self::TooManyAliases { .. } => "dnssec.too_many_aliases",
            Self::AliasTooLong { .. } => "dnssec.alias_too_long",
            Self::Wildcard(_) => "dnssec.wildcard",
            Self::MalformedRecord(_) => "dnssec.malformed_record",
            Self::NoRrsig(_) => "dnssec.no_rrsig",
            Self::SignerOffTree(_) => "dnssec.signer_off_tree",
            Self::TooManyLabels { .. } => "dnssec.too_many_labels",
            Self::TooFewLabels { .. } => "dnssec.too_few_labels",
            Self::UnsupportedAlgorithm(_) => "dnssec.unsupported_algorithm",
            Self::RrsigPeriod(_) => "dnssec.rrsig_period",
            Self::RrsigTooLong { .. } => "dnssec.rrsig_too_long",
            Self::RrsigExpired { .. } => "dnssec.rrsig_expired",
            Self::RrsigNotYetValid { .. } => "dnssec.rrsig_not_yet_valid",
            Self::NoMatchingKey(_) => "dnssec.no_matching_key",
            Self::BadSignature(_) => "dnssec.bad_signature",
            Self::DnskeyNotCommitted { .. } => "dnssec.dnskey_not_committed",
            Self::InsecureDelegation { .. } => "dnssec.insecure_delegation",
            Self::NoTrustAnchor(_) => "dnssec.no_trust_anchor",
            Self::NotValidTogether { .. } | Self::KeyNotValidThen { .. } => {
                "dnssec.not_valid_together"
            }
            Self::BudgetExhausted { .. } => "dnssec.budget_exhausted",
        }
    }

    /// Returns true if the chain itself could not be read. A chain that is too large counts,
    /// because it is not read either ([`ErrorKind::Limit`]). A malformed message in a chain does
    /// not count.
    pub fn is_malformed(&self) -> bool {
        matches!(
            self,
            Self::MalformedChain { .. } | Self::ChainTooLarge { .. }
        )
    }

    /// Returns the same error for a chain that starts `octets` into the input: offsets then count
    /// from the start of the input.
    #[must_use]
    pub fn at_offset(self, octets: usize) -> Self {
        match self {
            Self::MalformedChain { offset, problem } => Self::MalformedChain {
                offset: offset.saturating_add(octets),
                problem,
            },
            other => other,
        }
    }

    /// The step that verification had reached before it failed. Of several failures the furthest is
    /// the most useful one to report. An exhausted budget is never one of several failures.
    pub(crate) fn progress(&self) -> u8 {
        match self {
            Self::UnprovenWildcard(_) => 10,
            Self::NotValidTogether { .. } | Self::KeyNotValidThen { .. } => 9,
            Self::InsecureDelegation { .. } => 8,
            Self::BadSignature(_) => 7,
            Self::DnskeyNotCommitted { .. } => 6,
            Self::NoMatchingKey(_) => 5,
            Self::RrsigExpired { .. } | Self::RrsigNotYetValid { .. } => 4,
            Self::RrsigPeriod(_) | Self::RrsigTooLong { .. } => 3,
            Self::Wildcard(_) | Self::UnsupportedAlgorithm(_) => 2,
            Self::SignerOffTree(_) | Self::TooManyLabels { .. } | Self::TooFewLabels { .. } => 1,
            _ => 0,
        }
    }

    /// Returns the failure that got further, or `self` if both got equally far. Two proofs that the
    /// same zone is insecure for the same cause are merged into their union.
    pub(crate) fn furthest(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::InsecureDelegation {
                    zone,
                    cause,
                    validity,
                },
                Self::InsecureDelegation {
                    zone: other_zone,
                    cause: other_cause,
                    validity: other_validity,
                },
            ) if zone == other_zone && cause == other_cause => Self::InsecureDelegation {
                zone,
                cause,
                validity: validity.union(&other_validity),
            },
            (first, other) if other.progress() > first.progress() => other,
            (first, _) => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Denial;

    /// An error of each variant, with its kind.
    #[allow(clippy::too_many_lines, reason = "there are many variants")]
    fn one_of_each() -> Vec<(Error, ErrorKind)> {
        let rrset = || RrsetId::new(Name::root(), RecordType::TXT);
        let rrsig = || {
            Box::new(RrsigId {
                rrset: rrset(),
                signer: Name::root(),
                key_tag: 1,
                algorithm: Algorithm::ED25519,
            })
        };
        let absence = Absence {
            name: Name::root(),
            canonical_name: Name::root(),
            record_type: RecordType::TXT,
            denial: Denial::NoData,
            validity: Validity::never(),
        };
        let (period, moment) = (Period::always(), Timestamp::MIN);
        let (what, limit) = ("things", 1);
        let validity = Validity::never;
        vec![
            (
                Error::MalformedChain {
                    offset: 0,
                    problem: "it is cut short".into(),
                },
                ErrorKind::Malformed,
            ),
            (Error::ChainTooLarge { what, limit }, ErrorKind::Limit),
            (
                Error::MalformedResponse {
                    index: 0,
                    source: MessageError { offset: 0, what },
                },
                ErrorKind::Malformed,
            ),
            (Error::MissingResponse(rrset()), ErrorKind::Incomplete),
            (
                Error::AmbiguousAnswer {
                    rrset: rrset(),
                    count: 2,
                },
                ErrorKind::Bogus,
            ),
            (
                Error::ResponseCode {
                    rrset: rrset(),
                    response_code: 2,
                },
                ErrorKind::Incomplete,
            ),
            (Error::MetaType(RecordType::ANY), ErrorKind::Question),
            (Error::from(absence), ErrorKind::Absent),
            (Error::UnprovenDenial(rrset()), ErrorKind::Incomplete),
            (Error::UnprovenWildcard(rrset()), ErrorKind::Incomplete),
            (Error::Wildcard(rrset()), ErrorKind::Bogus),
            (Error::AliasLoop(Name::root()), ErrorKind::Bogus),
            (
                Error::TooManyAliases {
                    name: Name::root(),
                    limit,
                },
                ErrorKind::Limit,
            ),
            (
                Error::AliasTooLong {
                    name: Name::root(),
                    dname: Name::root(),
                },
                ErrorKind::Bogus,
            ),
            (Error::MalformedRecord(rrset()), ErrorKind::Bogus),
            (Error::NoRrsig(rrset()), ErrorKind::Bogus),
            (Error::SignerOffTree(rrsig()), ErrorKind::Bogus),
            (
                Error::TooManyLabels {
                    rrsig: rrsig(),
                    labels: 1,
                },
                ErrorKind::Bogus,
            ),
            (
                Error::TooFewLabels {
                    rrsig: rrsig(),
                    labels: 1,
                },
                ErrorKind::Bogus,
            ),
            (Error::UnsupportedAlgorithm(rrsig()), ErrorKind::Bogus),
            (Error::RrsigPeriod(rrsig()), ErrorKind::Bogus),
            (
                Error::RrsigTooLong {
                    rrsig: rrsig(),
                    window: period,
                    limit: 1,
                },
                ErrorKind::Limit,
            ),
            (
                Error::RrsigExpired {
                    rrsig: rrsig(),
                    expired: moment,
                    period,
                },
                ErrorKind::Time,
            ),
            (
                Error::RrsigNotYetValid {
                    rrsig: rrsig(),
                    valid_from: moment,
                    period,
                },
                ErrorKind::Time,
            ),
            (Error::NoMatchingKey(rrsig()), ErrorKind::Bogus),
            (Error::BadSignature(rrsig()), ErrorKind::Bogus),
            (
                Error::DnskeyNotCommitted {
                    zone: Name::root(),
                    committed_by: Committer::Parent,
                },
                ErrorKind::Bogus,
            ),
            (
                Error::InsecureDelegation {
                    zone: Name::root(),
                    cause: Insecurity::NoDs,
                    validity: validity(),
                },
                ErrorKind::Insecure,
            ),
            (Error::NoTrustAnchor(Name::root()), ErrorKind::Indeterminate),
            (
                Error::NotValidTogether {
                    rrset: rrset(),
                    validity: validity(),
                    period,
                },
                ErrorKind::Time,
            ),
            (
                Error::KeyNotValidThen {
                    rrsig: rrsig(),
                    window: period,
                    key_validity: validity(),
                },
                ErrorKind::Time,
            ),
            (
                Error::BudgetExhausted {
                    work: what,
                    limit: 1,
                },
                ErrorKind::Limit,
            ),
        ]
    }

    /// The place of a variant in the list. A new variant does not compile without a place.
    fn place(error: &Error) -> usize {
        match error {
            Error::MalformedChain { .. } => 0,
            Error::ChainTooLarge { .. } => 1,
            Error::MalformedResponse { .. } => 2,
            Error::MissingResponse(_) => 3,
            Error::AmbiguousAnswer { .. } => 4,
            Error::ResponseCode { .. } => 5,
            Error::MetaType(_) => 6,
            Error::Absent(_) => 7,
            Error::UnprovenDenial(_) => 8,
            Error::UnprovenWildcard(_) => 9,
            Error::Wildcard(_) => 10,
            Error::AliasLoop(_) => 11,
            Error::TooManyAliases { .. } => 12,
            Error::AliasTooLong { .. } => 13,
            Error::MalformedRecord(_) => 14,
            Error::NoRrsig(_) => 15,
            Error::SignerOffTree(_) => 16,
            Error::TooManyLabels { .. } => 17,
            Error::TooFewLabels { .. } => 18,
            Error::UnsupportedAlgorithm(_) => 19,
            Error::RrsigPeriod(_) => 20,
            Error::RrsigTooLong { .. } => 21,
            Error::RrsigExpired { .. } => 22,
            Error::RrsigNotYetValid { .. } => 23,
            Error::NoMatchingKey(_) => 24,
            Error::BadSignature(_) => 25,
            Error::DnskeyNotCommitted { .. } => 26,
            Error::InsecureDelegation { .. } => 27,
            Error::NoTrustAnchor(_) => 28,
            Error::NotValidTogether { .. } => 29,
            Error::KeyNotValidThen { .. } => 30,
            Error::BudgetExhausted { .. } => 31,
        }
    }

    #[test]
    fn every_error_has_its_kind_and_a_reason() {
        for (index, (error, kind)) in one_of_each().into_iter().enumerate() {
            assert_eq!(place(&error), index, "{error}");
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.reason().starts_with("dnssec."), "{error}");
            assert_eq!(
                error.is_malformed(),
                matches!(
                    error,
                    Error::MalformedChain { .. } | Error::ChainTooLarge { .. }
                ),
                "{error}"
            );
        }
        assert_eq!(one_of_each().len(), 32);
    }

    /// Other errors say nothing of offsets in the chain.
    #[test]
    fn the_offset_in_a_malformed_chain_counts_from_the_start_of_the_input() {
        for (error, _) in one_of_each() {
            let moved = error.clone().at_offset(7);
            let problem = "it is cut short".into();
            let expected = match place(&error) {
                0 => Error::MalformedChain { offset: 7, problem },
                _ => error,
            };
            assert_eq!(moved, expected);
        }
    }

    /// A program that prints an error with its sources prints each text once.
    #[test]
    fn no_error_says_what_its_source_says() {
        for (error, _) in one_of_each() {
            if let Some(source) = std::error::Error::source(&error) {
                assert!(!error.to_string().contains(&source.to_string()), "{error}");
            }
        }
    }

    /// An exhausted budget and a malformed chain are never one of several failures.
    #[test]
    fn of_several_failures_the_one_that_got_furthest_stands() {
        let reasons_in_order = [
            "dnssec.missing_response",
            "dnssec.signer_off_tree",
            "dnssec.unsupported_algorithm",
            "dnssec.rrsig_period",
            "dnssec.rrsig_expired",
            "dnssec.no_matching_key",
            "dnssec.dnskey_not_committed",
            "dnssec.bad_signature",
            "dnssec.insecure_delegation",
            "dnssec.not_valid_together",
            "dnssec.unproven_wildcard",
        ];
        let of_reason = |reason: &str| {
            let mut errors = one_of_each().into_iter().map(|(error, _)| error);
            errors.find(|error| error.reason() == reason).unwrap()
        };
        let failures = reasons_in_order.map(of_reason);
        for (index, nearer) in failures.iter().enumerate() {
            for further in &failures[index + 1..] {
                assert_eq!(nearer.clone().furthest(further.clone()), *further);
                assert_eq!(further.clone().furthest(nearer.clone()), *further);
            }
        }
        // Of equal ones, the first.
        let [bogus, stale] = ["dnssec.rrsig_expired", "dnssec.rrsig_not_yet_valid"].map(of_reason);
        assert_eq!(bogus.clone().furthest(stale.clone()), bogus);
        assert_eq!(stale.clone().furthest(bogus), stale);
    }

    #[test]
    fn two_proofs_of_one_insecurity_hold_at_the_times_of_either() {
        let second = |second| Validity::from(Period::at(Timestamp::from_unix_seconds(second)));
        let insecure = |zone: &str, cause, validity| Error::InsecureDelegation {
            zone: zone.parse().unwrap(),
            cause,
            validity,
        };
        let first = insecure("example.", Insecurity::NoDs, second(1));
        let later = insecure("example.", Insecurity::NoDs, second(5));
        let either = insecure("example.", Insecurity::NoDs, second(1).union(&second(5)));
        assert_eq!(first.clone().furthest(later.clone()), either);
        assert_eq!(later.furthest(first.clone()), either);
        for other in [
            insecure("test.", Insecurity::NoDs, second(5)),
            insecure("example.", Insecurity::OptOut, second(5)),
        ] {
            assert_eq!(first.clone().furthest(other), first);
        }
    }
}
