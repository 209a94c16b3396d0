//! Why no chain could be had, and what would do.

use std::cmp::Reverse;
use std::error::Error as _;
use std::fmt;

use super::{ResolverError, RetrievedAbsence, RetrievedInsecurity};
use crate::error::{Committer, Error, MessageError, RrsetId};
use crate::name::Name;

/// Response codes (RFC 1035 §4.1.1; RFC 6891 §9).
const FORMERR: u16 = 1;
const SERVFAIL: u16 = 2;
const NOTIMP: u16 = 4;
const REFUSED: u16 = 5;
const NOTAUTH: u16 = 9;
const BADVERS: u16 = 16;

/// How often to ask everything again when what came does not fit together.
pub(super) const MAX_REPEATS: u32 = 3;
/// How often to ask everything again after SERVFAIL, which may pass: each such answer can be a long time in coming.
const MAX_REPEATS_AFTER_SERVFAIL: u32 = 1;
/// How many resolvers' failures are shown.
const SHOWN_FAILURES: usize = 4;

/// Why no verified chain came of asking a resolver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// The resolver that was named can't be used as it stands.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// No response came: nothing listens there, or the network is down.
    #[error("the resolver {resolver} does not answer: {problem}")]
    #[non_exhaustive]
    NoResponse {
        /// Whom was asked.
        resolver: String,
        /// What the network said.
        problem: String,
    },
    /// The resolver's TLS certificate is not one to trust.
    #[error("the identity of the resolver {resolver} could not be verified: {problem}")]
    #[non_exhaustive]
    UntrustedResolver {
        /// Whom was asked.
        resolver: String,
        /// What is wrong with the certificate.
        problem: String,
    },
    /// The resolver could not find an answer, or would not give one.
    #[error("the resolver answers the question for {rrset} with {}", ResponseCode(*.response_code))]
    #[non_exhaustive]
    ResponseCode {
        /// What was asked.
        rrset: RrsetId,
        /// The code, such as 2 for SERVFAIL or 5 for REFUSED.
        response_code: u16,
    },
    /// What came is no DNS message.
    #[error("the response to the question for {rrset} is not a DNS message")]
    #[non_exhaustive]
    MalformedResponse {
        /// What was asked.
        rrset: RrsetId,
        /// Where and why.
        source: MessageError,
    },
    /// Signatures are missing even where there must be some.
    #[error("the resolver removes DNSSEC signatures, even from the DNSKEY RRset of {0}")]
    SignaturesStripped(Name),
    /// It is proven that there is no such record, by the chain in here.
    #[error("{0}")]
    Absent(Box<RetrievedAbsence>),
    /// It is proven, by the chain in here, that a zone is not signed, so that nothing in it and below it can be proven.
    #[error(
        "the zone {} is not signed with DNSSEC: its parent zone proves that there is no DS record",
        .0.insecure.zone()
    )]
    Unsigned(Box<RetrievedInsecurity>),
    /// It is proven, by the chain in here, that the parent has no DS record for a zone, though the zone is signed by the
    /// look of it.
    #[error("the zone {} is signed, but its parent zone has no DS record for it", .0.insecure.zone())]
    NoDelegationSigner(Box<RetrievedInsecurity>),
    /// It is proven, by the chain in here, that the name is insecure for another reason: its zone is signed with nothing
    /// that is supported, say.
    #[error("the resolver's responses do not prove the answer: {}", .0.insecure)]
    Insecure(Box<RetrievedInsecurity>),
    /// What came does not prove the answer.
    #[error("the resolver's responses do not prove the answer")]
    Unverified(#[from] Error),
    /// None of several resolvers gave a proof. The failure that says most comes first.
    #[error("none of {} resolvers returned a proof: {}", .0.len(), ResolverFailures(.0))]
    NoProof(Vec<ResolverFailure>),
}

/// What went wrong with one of several resolvers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolverFailure {
    /// Whom was asked.
    pub resolver: String,
    /// What came of it.
    pub error: RetrievalError,
}

impl RetrievalError {
    /// What came in response to the question for an RRset is no DNS message.
    pub fn malformed_response(rrset: RrsetId, source: MessageError) -> Self {
        Self::MalformedResponse { rrset, source }
    }

    /// What to tell of all the resolvers that failed.
    pub(super) fn of_all(mut failures: Vec<ResolverFailure>) -> Self {
        failures.sort_by_key(|failure| Reverse(failure.error.progress()));
        if failures.len() > 1 {
            return Self::NoProof(failures);
        }
        let failure = failures.pop().map(|failure| failure.error);
        failure.unwrap_or_else(|| ResolverError::System("it names no server".into()).into())
    }

    /// How much can be told from it. A resolver whose answers could be read says more than one that was not reached.
    fn progress(&self) -> u8 {
        match self {
            Self::Absent(_) | Self::Unsigned(_) | Self::NoDelegationSigner(_) => 6,
            Self::Insecure(_) | Self::Unverified(_) | Self::NoProof(_) => 5,
            Self::SignaturesStripped(_) => 4,
            Self::ResponseCode { .. } => 3,
            Self::MalformedResponse { .. } => 2,
            Self::UntrustedResolver { .. } | Self::NoResponse { .. } => 1,
            Self::Resolver(_) => 0,
        }
    }

    /// Whether there was no response at all, which is to be expected of any other question as well.
    pub(super) fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Resolver(_) | Self::NoResponse { .. } | Self::UntrustedResolver { .. }
        )
    }

    /// Whether it is proven, so that no other resolver can say anything else.
    pub(super) fn is_proven(&self) -> bool {
        matches!(
            self,
            Self::Absent(_)
                | Self::Unsigned(_)
                | Self::NoDelegationSigner(_)
                | Self::Insecure(_)
                | Self::Unverified(Error::NoTrustAnchor(_))
        )
    }

    /// The proof that the name is insecure, if that is what came of it, for whatever cause: the zone is unsigned, or signed
    /// without a DS record, or signed with nothing that is supported.
    pub fn insecurity(&self) -> Option<&RetrievedInsecurity> {
        match self {
            Self::Unsigned(insecurity)
            | Self::NoDelegationSigner(insecurity)
            | Self::Insecure(insecurity) => Some(insecurity),
            _ => None,
        }
    }

    /// How often it makes sense to ask the same resolver everything again.
    ///
    /// While a zone changes its keys or is signed anew, a resolver may have some answers from before and others from
    /// after. What an anchor does not vouch for is no such thing: anchors outlast all that is kept in caches.
    pub(super) fn repeats(&self) -> u32 {
        match self {
            Self::Unverified(
                Error::BadSignature(_)
                | Error::DnskeyNotCommitted {
                    committed_by: Committer::Parent,
                    ..
                }
                | Error::KeyNotValidThen { .. }
                | Error::NoMatchingKey(_)
                | Error::NotValidTogether { .. }
                | Error::RrsigExpired { .. }
                | Error::RrsigNotYetValid { .. },
            ) => MAX_REPEATS,
            Self::ResponseCode {
                response_code: SERVFAIL,
                ..
            } => MAX_REPEATS_AFTER_SERVFAIL,
            _ => 0,
        }
    }

    /// Whether it is a verdict on the domain, and not on the way to it.
    pub fn is_about_the_domain(&self) -> bool {
        match self {
            Self::Absent(_)
            | Self::Unsigned(_)
            | Self::NoDelegationSigner(_)
            | Self::Insecure(_)
            | Self::Unverified(_) => true,
            Self::NoProof(failures) => failures
                .first()
                .is_some_and(|failure| failure.error.is_about_the_domain()),
            _ => false,
        }
    }

    /// A stable name for the reason, for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Resolver(_) => "retrieval.resolver",
            Self::NoResponse { .. } => "retrieval.no_response",
            Self::UntrustedResolver { .. } => "retrieval.untrusted_resolver",
            Self::ResponseCode { .. } => "retrieval.response_code",
            Self::MalformedResponse { .. } => "retrieval.malformed_response",
            Self::SignaturesStripped(_) => "retrieval.signatures_stripped",
            Self::Absent(_) => "dnssec.absent",
            Self::Unsigned(_) => "retrieval.unsigned",
            Self::NoDelegationSigner(_) => "retrieval.no_delegation_signer",
            Self::Insecure(_) => "dnssec.insecure_delegation",
            Self::Unverified(error) => error.reason(),
            Self::NoProof(failures) => failures
                .first()
                .map_or("retrieval.no_response", |failure| failure.error.reason()),
        }
    }

    /// What to do about it, in a sentence.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Resolver(_) => "use another resolver",
            Self::NoResponse { .. } => {
                "check the address and any firewall that filters DNS, or try another resolver, such as https://1.1.1.1/dns-query"
            }
            Self::UntrustedResolver { .. } => {
                "for your own resolver, trust the certificate of its authority"
            }
            Self::ResponseCode {
                response_code: FORMERR | NOTIMP | BADVERS,
                ..
            } => "use a resolver that supports DNSSEC, such as https://1.1.1.1/dns-query",
            Self::ResponseCode { .. } => {
                "the resolver could not get an answer from the domain's name servers, or refuses to serve you: check those servers, or try another resolver"
            }
            Self::MalformedResponse { .. } => "try another resolver",
            Self::SignaturesStripped(_) => {
                "use a resolver that passes on DNSSEC records, such as https://1.1.1.1/dns-query"
            }
            Self::Absent(_) => {
                "publish the record; if you have just done so, wait until the TTL of the negative answer has passed"
            }
            Self::Unsigned(_) => {
                "turn DNSSEC on at the domain's DNS host, then give the DS record to its registrar"
            }
            Self::NoDelegationSigner(_) => {
                "give the zone's DS record to the domain's registrar, then wait for the parent's TTL to pass"
            }
            Self::Unverified(Error::RrsigExpired { .. }) => {
                "the zone's signatures were not renewed: sign the zone again on its name server, and check this machine's clock"
            }
            Self::Unverified(Error::RrsigNotYetValid { .. }) => {
                "check this machine's clock and that of the machine that signs the zone"
            }
            Self::Unverified(Error::DnskeyNotCommitted {
                committed_by: Committer::TrustAnchor,
                ..
            }) => {
                "if this domain is below a private root, give its keys as trust anchors; otherwise the resolver returns forged answers: use another"
            }
            Self::Insecure(_) | Self::Unverified(_) => {
                "ask the operator of the zone named above to check its DNSSEC set-up; for a private root, check the trust anchors"
            }
            Self::NoProof(failures) => return failures.first()?.error.hint(),
        })
    }
}

/// A response code, with what it means for DNSSEC.
struct ResponseCode(u16);

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            FORMERR => "FORMERR",
            SERVFAIL => "SERVFAIL",
            NOTIMP => "NOTIMP",
            REFUSED => "REFUSED",
            NOTAUTH => "NOTAUTH",
            BADVERS => "BADVERS",
            code => return write!(f, "response code {code}"),
        };
        write!(f, "{name} (response code {})", self.0)?;
        // To ask again without EDNS (RFC 6891 §7) would do no good: DO is in it, and without DO no signature comes.
        if matches!(self.0, FORMERR | NOTIMP | BADVERS) {
            f.write_str("; it seems not to support EDNS, which DNSSEC needs")?;
        }
        Ok(())
    }
}

/// The failures of several resolvers, the first few of them.
struct ResolverFailures<'f>(&'f [ResolverFailure]);

impl fmt::Display for ResolverFailures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ResolverFailure { resolver, error }) in
            self.0.iter().take(SHOWN_FAILURES).enumerate()
        {
            if index > 0 {
                f.write_str("; ")?;
            }
            // Some name it themselves.
            if !error.is_silence() {
                write!(f, "{resolver}: ")?;
            }
            error.fmt(f)?;
            let mut source = error.source();
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        match self.0.len().saturating_sub(SHOWN_FAILURES) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
