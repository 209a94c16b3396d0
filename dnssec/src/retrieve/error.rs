//! The reasons why no chain was retrieved, with hints on what to do.

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

/// The number of times that everything is asked again if the responses are inconsistent.
pub(super) const MAX_REPEATS: u32 = 3;
/// The number of times that everything is asked again after SERVFAIL. The failure may be temporary,
/// but each such response can take long.
const MAX_REPEATS_AFTER_SERVFAIL: u32 = 1;
/// The number of resolvers whose failures are shown.
const SHOWN_FAILURES: usize = 4;

/// The reason why asking a resolver gave no verified chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// The resolver that was given can't be used.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// There was no response: nothing listens at the address, or the network is down.
    #[error("the resolver {resolver} does not answer: {problem}")]
    #[non_exhaustive]
    NoResponse {
        /// The resolver that was asked.
        resolver: String,
        /// The network's error.
        problem: String,
    },
    /// The resolver's TLS certificate is not trusted.
    #[error("the identity of the resolver {resolver} could not be verified: {problem}")]
    #[non_exhaustive]
    UntrustedResolver {
        /// The resolver that was asked.
        resolver: String,
        /// The problem with the certificate.
        problem: String,
    },
    /// The resolver did not find an answer, or refused to give one.
    #[error("the resolver answers the question for {rrset} with {}", ResponseCode(*.response_code))]
    #[non_exhaustive]
    ResponseCode {
        /// The RRset that was asked for.
        rrset: RrsetId,
        /// The code, such as 2 for SERVFAIL or 5 for REFUSED.
        response_code: u16,
    },
    /// The response is not a DNS message.
    #[error("the response to the question for {rrset} is not a DNS message")]
    #[non_exhaustive]
    MalformedResponse {
        /// The RRset that was asked for.
        rrset: RrsetId,
        /// The position and the problem.
        source: MessageError,
    },
    /// Signatures are missing even from an RRset that must have them.
    #[error("the resolver removes DNSSEC signatures, even from the DNSKEY RRset of {0}")]
    SignaturesStripped(Name),
    /// The enclosed chain proves that there is no such record.
    #[error("{0}")]
    Absent(Box<RetrievedAbsence>),
    /// The enclosed chain proves that a zone is unsigned, so that nothing in it or below it can be
    /// proven.
    #[error(
        "the zone {} is not signed with DNSSEC: its parent zone proves that there is no DS record",
        .0.insecure.zone()
    )]
    Unsigned(Box<RetrievedInsecurity>),
    /// The enclosed chain proves that the parent has no DS record for a zone, though the zone seems
    /// to be signed.
    #[error("the zone {} is signed, but its parent zone has no DS record for it", .0.insecure.zone())]
    NoDelegationSigner(Box<RetrievedInsecurity>),
    /// The enclosed chain proves that the name is insecure for another reason: for example, its
    /// zone is signed only with unsupported algorithms.
    #[error("the resolver's responses do not prove the answer: {}", .0.insecure)]
    Insecure(Box<RetrievedInsecurity>),
    /// The responses do not prove the answer.
    #[error("the resolver's responses do not prove the answer")]
    Unverified(#[from] Error),
    /// None of several resolvers returned a proof. The most informative failure comes first.
    #[error("none of {} resolvers returned a proof: {}", .0.len(), ResolverFailures(.0))]
    NoProof(Vec<ResolverFailure>),
}

/// The failure of one of several resolvers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolverFailure {
    /// The resolver that was asked.
    pub resolver: String,
    /// The error that resulted.
    pub error: RetrievalError,
}

impl RetrievalError {
    /// Makes the error for a response about an RRset that is not a DNS message.
    pub fn malformed_response(rrset: RrsetId, source: MessageError) -> Self {
        Self::MalformedResponse { rrset, source }
    }

    /// Combines the failures of all resolvers into one error.
    pub(super) fn of_all(mut failures: Vec<ResolverFailure>) -> Self {
        failures.sort_by_key(|failure| Reverse(failure.error.progress()));
        if failures.len() > 1 {
            return Self::NoProof(failures);
        }
        let failure = failures.pop().map(|failure| failure.error);
        failure.unwrap_or_else(|| ResolverError::System("it names no server".into()).into())
    }

    /// The amount of information in the error. A resolver whose answers could be read says more
    /// than one that was not reached.
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

    /// Returns true if there was no response at all. Any other question would then fail in the same
    /// way.
    pub(super) fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Resolver(_) | Self::NoResponse { .. } | Self::UntrustedResolver { .. }
        )
    }

    /// Returns true if the error is proven. Then no other resolver can say anything else.
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

    /// Returns the proof that the name is insecure, if that is the error, for any cause: the zone
    /// is unsigned, or signed without a DS record, or signed only with unsupported algorithms.
    pub fn insecurity(&self) -> Option<&RetrievedInsecurity> {
        match self {
            Self::Unsigned(insecurity)
            | Self::NoDelegationSigner(insecurity)
            | Self::Insecure(insecurity) => Some(insecurity),
            _ => None,
        }
    }

    /// The number of times that it makes sense to ask the same resolver everything again.
    ///
    /// While a zone changes its keys or is signed again, a resolver may have some answers from
    /// before and some from after. A DNSKEY RRset that an anchor does not commit to is not such a
    /// case: anchors outlast all cached records.
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

    /// Returns true if the error is about the domain, and not about the resolver or the network.
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

    /// Returns a stable name of the reason, for machines.
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

    /// Returns a sentence about what to do next.
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

/// A response code, shown with its meaning for DNSSEC.
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
        // A second query without EDNS (RFC 6891 §7) would not help: EDNS has the DO bit, and
        // without DO no signatures come.
        if matches!(self.0, FORMERR | NOTIMP | BADVERS) {
            f.write_str("; it seems not to support EDNS, which DNSSEC needs")?;
        }
        Ok(())
    }
}

/// The failures of several resolvers, of which only the first few are shown.
struct ResolverFailures<'f>(&'f [ResolverFailure]);

impl fmt::Display for ResolverFailures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ResolverFailure { resolver, error }) in
            self.0.iter().take(SHOWN_FAILURES).enumerate()
        {
            if index > 0 {
                f.write_str("; ")?;
            }
            // Errors of this kind name the resolver themselves.
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
