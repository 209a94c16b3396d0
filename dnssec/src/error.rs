//! Why a chain does not prove what was asked of it.

use crate::message::MessageError;
use crate::name::Name;
use crate::rdata::Algorithm;
use crate::record::RecordType;
use crate::time::Timestamp;
use crate::validity::{Period, Validity};
use crate::verify::Absence;

/// An RRset, for messages: its owner and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RrsetId {
    /// The owner name.
    pub owner: Name,
    /// The type of its records.
    pub record_type: RecordType,
}

impl std::fmt::Display for RrsetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.owner, self.record_type)
    }
}

/// An RRSIG, for messages: what it covers and which key made it.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Why a chain could not be read, or does not prove what was asked.
///
/// Where several signatures or keys were tried, the error is about the one that got furthest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The octets are no DER `SET OF OCTET STRING` or, where that was to be read, no `AuthenticationChain`.
    #[error("the DNSSEC chain can't be read: {problem} at byte {offset}")]
    MalformedChain {
        /// Offset in the chain, in octets.
        offset: usize,
        /// What was found or missed there.
        problem: String,
    },
    /// The chain is larger than any honest one.
    #[error("the DNSSEC chain has too many {what} (at most {limit} are read)")]
    ChainTooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A response is no DNS message.
    #[error("response {index} of the DNSSEC chain is not a DNS message: {source}")]
    MalformedResponse {
        /// Which response, counted from 0 in the order of the chain.
        index: usize,
        /// Where and why.
        source: MessageError,
    },
    /// No response answers a question that has to be answered.
    #[error("the DNSSEC chain holds no response to the question for {0}")]
    MissingResponse(RrsetId),
    /// Several responses answer the question, and differ.
    #[error("the DNSSEC chain holds {count} different responses to the question for {rrset}")]
    AmbiguousAnswer {
        /// What was asked.
        rrset: RrsetId,
        /// How many responses answer that.
        count: usize,
    },
    /// The response has another code than NOERROR and NXDOMAIN.
    #[error(
        "the response to the question for {rrset} has the response code {response_code}, so it says nothing"
    )]
    ResponseCode {
        /// What was asked.
        rrset: RrsetId,
        /// The code, such as 2 for SERVFAIL.
        response_code: u16,
    },
    /// The type that was asked for is no type of signed data: ANY, for one, or RRSIG.
    #[error("{0} is not a type of records that can be proven")]
    MetaType(RecordType),
    /// It is proven that there are no such records.
    #[error("{0}, which is proven")]
    Absent(Box<Absence>),
    /// The response has no records of the type that was asked for, and the chain does not prove that there are none.
    #[error("the response denies {0}, but no NSEC or NSEC3 record proves that")]
    UnprovenDenial(RrsetId),
    /// The RRset was expanded from a wildcard, and the chain does not prove that there is no closer name.
    #[error(
        "{0} was expanded from a wildcard, but no NSEC or NSEC3 record proves that there is no closer name"
    )]
    UnprovenWildcard(RrsetId),
    /// A record that delegates or denies was expanded from a wildcard.
    #[error("{0} was expanded from a wildcard, so it says nothing of this name")]
    Wildcard(RrsetId),
    /// Aliases lead back to a name that they came from.
    #[error("the aliases lead in a circle, back to {0}")]
    AliasLoop(Name),
    /// More aliases in a row than anybody follows.
    #[error("more than {limit} aliases lead on from {name}")]
    TooManyAliases {
        /// The name that was asked for.
        name: Name,
        /// How many are followed.
        limit: usize,
    },
    /// The name that a DNAME leads to is longer than a name can be (RFC 6672 §2.2).
    #[error("the DNAME at {dname} turns {name} into a name that is too long")]
    AliasTooLong {
        /// The name below the DNAME.
        name: Name,
        /// The DNAME's owner.
        dname: Name,
    },
    /// A record's data does not fit its type.
    #[error("a record of {0} has data that does not fit its type")]
    MalformedRecord(RrsetId),
    /// The RRset is not signed.
    #[error("{0} has no RRSIG: it is unsigned, or the resolver stripped the signatures")]
    NoRrsig(RrsetId),
    /// The RRSIG's signer is not the zone of the RRset's owner.
    #[error("{0} is no good: its signer is not the zone of the owner")]
    SignerOffTree(Box<RrsigId>),
    /// The RRSIG's Labels field counts more labels than the owner has.
    #[error("{rrsig} is no good: it counts {labels} labels, more than the owner has")]
    TooManyLabels {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// What its Labels field says.
        labels: u8,
    },
    /// The RRSIG's Labels field counts fewer labels than its signer has: a wildcard above the zone is not the zone's to sign.
    #[error("{rrsig} is no good: it counts {labels} labels, fewer than its signer has")]
    TooFewLabels {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// What its Labels field says.
        labels: u8,
    },
    /// The RRSIG's algorithm is not one that proves anything here.
    #[error("{0} has an algorithm that is not supported (8, 10, 13, 14 and 15 are)")]
    UnsupportedAlgorithm(Box<RrsigId>),
    /// The RRSIG ends before it starts.
    #[error("{0} expires before its inception")]
    RrsigPeriod(Box<RrsigId>),
    /// The RRSIG is valid for longer than was demanded ([`Demand::with_longest_signature`](crate::Demand)).
    #[error("{rrsig} is valid for {} seconds, more than the {limit} allowed", .window.seconds())]
    RrsigTooLong {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// When it is valid.
        window: Period,
        /// The most, in seconds.
        limit: u32,
    },
    /// The RRSIG had expired by then.
    #[error("{rrsig} expired at {expired}, before {period}")]
    RrsigExpired {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// Its last second.
        expired: Timestamp,
        /// What was asked for.
        period: Period,
    },
    /// The RRSIG was not valid yet.
    #[error("{rrsig} is valid from {valid_from} only, after {period}")]
    RrsigNotYetValid {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// Its first second.
        valid_from: Timestamp,
        /// What was asked for.
        period: Period,
    },
    /// No key of the signer matches the RRSIG.
    #[error("no key that may sign matches {0}")]
    NoMatchingKey(Box<RrsigId>),
    /// The signature is wrong.
    #[error("{0} does not verify")]
    BadSignature(Box<RrsigId>),
    /// The DNSKEY RRset is signed, but by no key that the parent or an anchor commits to.
    #[error("the DNSKEY RRset of {zone} is not signed by a key that {committed_by} commits to")]
    DnskeyNotCommitted {
        /// The zone.
        zone: Name,
        /// Whose word was missing.
        committed_by: Committer,
    },
    /// The name lies in or below a zone that is proven to be unsigned, or to count as such. So nothing is proven about it,
    /// and nothing is wrong.
    #[error("{zone} is insecure: {cause}")]
    InsecureDelegation {
        /// The zone, or the name below which there may be one.
        zone: Name,
        /// Why it counts as unsigned.
        cause: Insecurity,
    },
    /// No trust anchor lies at or above the name.
    #[error("no trust anchor lies at or above {0}")]
    NoTrustAnchor(Name),
    /// All signatures are good, but never at the same time, or not at the time asked for.
    #[error(
        "{rrset} is proven for {validity}, which is not within {period}: the chain's signatures are not valid together then"
    )]
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
        "{rrsig} is valid {window}, but its key is proven for {key_validity} only: never together"
    )]
    KeyNotValidThen {
        /// The signature.
        rrsig: Box<RrsigId>,
        /// When the signature is valid.
        window: Period,
        /// When the key is proven.
        key_validity: Validity,
    },
    /// The chain asks for more work than any honest one.
    #[error("verification stopped: the chain asks for more than {limit} {work}")]
    BudgetExhausted {
        /// What kind of work.
        work: &'static str,
        /// The bound.
        limit: u32,
    },
}

/// Why a zone counts as unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
            Self::Algorithms => "none of its DS records has a supported algorithm and digest",
            Self::OptOut => {
                "it lies in an opt-out span of NSEC3, where unsigned zones are not listed"
            }
            Self::Nsec3Iterations => "its NSEC3 records take more than 100 iterations",
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

impl Error {
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

    /// Whether the chain itself could not be read, as opposed to saying something that does not hold.
    pub fn is_malformed(&self) -> bool {
        matches!(
            self,
            Self::MalformedChain { .. } | Self::ChainTooLarge { .. }
        )
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

    /// The failure that got further, `self` if both got as far.
    pub(crate) fn furthest(self, other: Self) -> Self {
        if other.progress() > self.progress() {
            other
        } else {
            self
        }
    }
}
