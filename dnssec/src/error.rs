//! Why a chain does not prove what was asked of it.

use crate::fact::Absence;
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

/// An RRSIG, for messages: what it covers and which key made it.
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
    /// What is wrong there.
    pub what: &'static str,
}

impl From<WireNameError> for MessageError {
    fn from(WireNameError { offset, what }: WireNameError) -> Self {
        Self { offset, what }
    }
}

/// Why a chain could not be read, or does not prove what was asked.
///
/// Where several signatures or keys were tried, the error is about the one that got furthest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The octets are no DER `SET OF OCTET STRING` or, where that was to be read, no `AuthenticationChain`.
    #[error("the DNSSEC chain can't be read: {problem} at byte {offset}")]
    #[non_exhaustive]
    MalformedChain {
        /// Offset in the chain, in octets.
        offset: usize,
        /// What was found or missed there.
        problem: String,
    },
    /// The chain is larger than any honest one.
    #[error("the DNSSEC chain has too many {what} (the limit is {limit})")]
    #[non_exhaustive]
    ChainTooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A response is no DNS message.
    #[error("response {index} of the DNSSEC chain is not a DNS message")]
    #[non_exhaustive]
    MalformedResponse {
        /// Which response, counted from 0 in the order of the chain.
        index: usize,
        /// Where and why.
        source: MessageError,
    },
    /// No response answers a question that has to be answered.
    #[error("the DNSSEC chain has no response or records for {0}")]
    MissingResponse(RrsetId),
    /// Several responses answer the question, and differ.
    #[error("the DNSSEC chain has {count} different responses to the question for {rrset}")]
    #[non_exhaustive]
    AmbiguousAnswer {
        /// What was asked.
        rrset: RrsetId,
        /// How many responses answer that.
        count: usize,
    },
    /// The response has another code than NOERROR and NXDOMAIN.
    #[error(
        "the response to the question for {rrset} has the response code {response_code}, so it proves nothing"
    )]
    #[non_exhaustive]
    ResponseCode {
        /// What was asked.
        rrset: RrsetId,
        /// The code, such as 2 for SERVFAIL.
        response_code: u16,
    },
    /// The type that was asked for is no type of signed data: ANY, for one, or RRSIG.
    #[error("records of the type {0} can't be proven")]
    MetaType(RecordType),
    /// It is proven that there are no such records.
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
    /// Aliases lead back to a name that they came from.
    #[error("the aliases form a loop: they lead back to {0}")]
    AliasLoop(Name),
    /// More aliases in a row than anybody follows.
    #[error("{name} leads to a chain of more than {limit} aliases")]
    #[non_exhaustive]
    TooManyAliases {
        /// The name that was asked for.
        name: Name,
        /// How many are followed.
        limit: usize,
    },
    /// The name that a DNAME leads to is longer than a name can be (RFC 6672 §2.2).
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
    /// The RRSIG's signer is not the zone of the RRset's owner.
    #[error("{0} is invalid: its signer is not the owner's zone")]
    SignerOffTree(Box<RrsigId>),
    /// The RRSIG's Labels field counts more labels than the owner has.
    #[error("{rrsig} is invalid: its Labels field is {labels}, but its owner has fewer labels")]
    #[non_exhaustive]
    TooManyLabels {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// What its Labels field says.
        labels: u8,
    },
    /// The RRSIG's Labels field counts fewer labels than its signer has: a wildcard above the zone is not the zone's to sign.
    #[error("{rrsig} is invalid: its Labels field is {labels}, but its signer has more labels")]
    #[non_exhaustive]
    TooFewLabels {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// What its Labels field says.
        labels: u8,
    },
    /// The RRSIG's algorithm is not one that proves anything here.
    #[error("{0} has an unsupported algorithm; supported are 8 and 10 (RSA), 13 and 14 (ECDSA), and 15 (Ed25519)")]
    UnsupportedAlgorithm(Box<RrsigId>),
    /// The RRSIG ends before it starts.
    #[error("{0} is invalid: it expires before its inception")]
    RrsigPeriod(Box<RrsigId>),
    /// The RRSIG is valid for longer than was demanded ([`Demand::with_longest_signature`](crate::Demand)).
    #[error("{rrsig} is valid for {} seconds; the limit is {limit}", .window.seconds())]
    #[non_exhaustive]
    RrsigTooLong {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// When it is valid.
        window: Period,
        /// The most, in seconds.
        limit: u32,
    },
    /// The RRSIG had expired by then.
    ///
    /// The dates of an RRSIG are compared before its signature is verified, since that costs nothing. So this does not
    /// mean that the records were true until then: a forged RRSIG with old dates is refused for them, too. To tell one
    /// from the other, look the records up with [`Period::always`], as the crate's documentation shows under "Time".
    #[error("{rrsig} expired at {expired}, before {}", .period.start())]
    #[non_exhaustive]
    RrsigExpired {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// Its last second.
        expired: Timestamp,
        /// What was asked for.
        period: Period,
    },
    /// The RRSIG was not valid yet. As with [`Error::RrsigExpired`], its signature was not verified.
    #[error("{rrsig} is not valid before {valid_from}, which is after {}", .period.end())]
    #[non_exhaustive]
    RrsigNotYetValid {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// Its first second.
        valid_from: Timestamp,
        /// What was asked for.
        period: Period,
    },
    /// No key of the signer matches the RRSIG.
    #[error("no usable zone key matches {0}")]
    NoMatchingKey(Box<RrsigId>),
    /// The signature is wrong.
    #[error("{0} does not verify")]
    BadSignature(Box<RrsigId>),
    /// The DNSKEY RRset is signed, but by no key that the parent or an anchor commits to.
    #[error("the DNSKEY RRset of {zone} is not signed by a key that {committed_by} commits to")]
    #[non_exhaustive]
    DnskeyNotCommitted {
        /// The zone.
        zone: Name,
        /// Whose word was missing.
        committed_by: Committer,
    },
    /// The name lies in or below a zone that is proven to be unsigned, or to count as such. So nothing is proven about it,
    /// and nothing is wrong. [`Chain::look_up`](crate::Chain::look_up) returns this as
    /// [`Fact::ProvenInsecure`](crate::Fact::ProvenInsecure).
    #[error("{zone} is insecure: {cause}")]
    #[non_exhaustive]
    InsecureDelegation {
        /// The zone, or the name below which there may be one.
        zone: Name,
        /// The reason why it counts as unsigned.
        cause: Insecurity,
        /// The seconds at which that is proven.
        validity: Validity,
    },
    /// No trust anchor lies at or above the name.
    #[error("there is no trust anchor at or above {0}")]
    NoTrustAnchor(Name),
    /// All signatures are good, but never at the same time, or not at the time asked for.
    #[error(
        "the chain's signatures do not prove {rrset} during {period} (valid together: {validity})"
    )]
    #[non_exhaustive]
    NotValidTogether {
        /// What was asked.
        rrset: RrsetId,
        /// When it is proven.
        validity: Validity,
        /// What was asked for.
        period: Period,
    },
    /// The RRSIG and the key that made it are never good at the same time.
    #[error(
        "{rrsig} is valid for {window}, but its key is proven only for {key_validity}: the two never overlap"
    )]
    #[non_exhaustive]
    KeyNotValidThen {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// When the signature is valid.
        window: Period,
        /// When the key is proven.
        key_validity: Validity,
    },
    /// The chain asks for more work than any honest one.
    #[error("verification stopped: the chain needs more than {limit} {work}")]
    #[non_exhaustive]
    BudgetExhausted {
        /// What kind of work.
        work: &'static str,
        /// The bound.
        limit: u32,
    },
}

/// Why a zone counts as unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Insecurity {
    /// The parent proves that it has no DS RRset (RFC 4035 §5.2).
    NoDs,
    /// All DS records have unknown algorithms or digests (RFC 4035 §5.2).
    Algorithms,
    /// The name lies in an opt-out span, where unsigned delegations are not listed (RFC 5155 §9.2).
    OptOut,
    /// NSEC3 with more than 100 iterations (RFC 9276 §3.2).
    Nsec3Iterations,
    /// NSEC3 with an unknown hash algorithm.
    Nsec3Hash,
}

impl std::fmt::Display for Insecurity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoDs => "the parent zone proves that there is no DS record",
            Self::Algorithms => {
                "none of its DS records has both a supported algorithm and a supported digest type"
            }
            Self::OptOut => {
                "an NSEC3 opt-out span covers it, and such spans don't list unsigned zones"
            }
            Self::Nsec3Iterations => "its NSEC3 records have more than 100 iterations",
            Self::Nsec3Hash => "its NSEC3 records have an unknown hash algorithm",
        })
    }
}

/// Who vouches for a zone's key.
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

/// The kinds of [`Error`], for callers who do one thing or another about each. More may come.
///
/// | kind | RFC 4033 §5 | what to do |
/// |---|---|---|
/// | [`Malformed`](Self::Malformed), [`Limit`](Self::Limit) | – | refuse it |
/// | [`Question`](Self::Question) | – | ask for something else |
/// | [`Incomplete`](Self::Incomplete) | bogus | fetch the chain again: it is not about that, or lacks a part |
/// | [`Time`](Self::Time) | bogus | fetch the chain again, or ask about another time |
/// | [`Bogus`](Self::Bogus) | bogus | refuse it |
/// | [`Indeterminate`](Self::Indeterminate) | indeterminate | add a trust anchor |
/// | [`Insecure`](Self::Insecure) | insecure | do without proof, where that is allowed |
/// | [`Absent`](Self::Absent) | secure | do without such records |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The octets can't be read: the chain's ([`Error::is_malformed`]) or those of a message in it.
    Malformed,
    /// What is asked for is nothing that can be proven.
    Question,
    /// The chain lacks a response, or the proof of a denial. A wildcard's answer for a name that the chain proves to be
    /// another's counts here too: fetched again it would come with its own denial, or not at all.
    Incomplete,
    /// No trust anchor lies at or above the name.
    Indeterminate,
    /// It is proven that nothing can be proven about the name.
    Insecure,
    /// It is proven that there are no such records.
    Absent,
    /// Signatures are not valid at the time that was asked for, or never together. Whether they are good otherwise was not
    /// always looked at.
    Time,
    /// The chain should prove something and does not: signatures, keys or records are missing, wrong or unsupported.
    Bogus,
    /// More of something than this crate takes, or than the caller allows.
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

    /// A stable name for the reason, for machines.
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

    /// Whether the chain itself could not be read, as opposed to saying something that does not hold. A chain that is too
    /// large is not read ([`ErrorKind::Limit`]); a message in it that can't be read is something that it says.
    pub fn is_malformed(&self) -> bool {
        matches!(
            self,
            Self::MalformedChain { .. } | Self::ChainTooLarge { .. }
        )
    }

    /// The same error for a chain that starts `octets` into what was read: its offsets count from there.
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

    /// How far what failed had got. Of several failures the furthest says most about what to mend. An exhausted budget is
    /// never one of several.
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

    /// The failure that got further, `self` if both got as far. Two proofs that one zone is insecure hold whenever either
    /// does.
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

    /// A variant's place in the list. A new variant does not compile before it has one.
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

    /// Whoever prints an error with its causes prints each once.
    #[test]
    fn no_error_says_what_its_source_says() {
        for (error, _) in one_of_each() {
            if let Some(source) = std::error::Error::source(&error) {
                assert!(!error.to_string().contains(&source.to_string()), "{error}");
            }
        }
    }
}
