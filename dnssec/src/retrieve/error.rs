//! Why no chain could be had, and what would do.

use crate::error::{Committer, Error, RrsetId};
use crate::message::MessageError;
use crate::name::Name;
use crate::retrieve::ResolverError;

/// Why no verified chain came of asking a resolver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// The resolver that was named can't be used as it stands.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// No response came: nothing listens there, or the network is down.
    #[error("the resolver {resolver} does not answer: {problem}")]
    NoResponse {
        /// Whom was asked.
        resolver: String,
        /// What the network said.
        problem: String,
    },
    /// The resolver's TLS certificate is not one to trust.
    #[error("the resolver {resolver} can't be trusted to be the one that was named: {problem}")]
    UntrustedResolver {
        /// Whom was asked.
        resolver: String,
        /// What is wrong with the certificate.
        problem: String,
    },
    /// The resolver could not find an answer, or would not give one.
    #[error("the resolver answers the question for {rrset} with {}", response_code_name(*.response_code))]
    ResponseCode {
        /// What was asked.
        rrset: RrsetId,
        /// The code, such as 2 for SERVFAIL or 5 for REFUSED.
        response_code: u16,
    },
    /// What came is no DNS message.
    #[error("the response to the question for {rrset} is not a DNS message: {source}")]
    MalformedResponse {
        /// What was asked.
        rrset: RrsetId,
        /// Where and why.
        source: MessageError,
    },
    /// The name or the type does not exist.
    #[error("there is no record {0}")]
    NoSuchRecord(RrsetId),
    /// Signatures are missing even where there must be some.
    #[error("the resolver strips DNSSEC signatures: even the DNSKEY RRset of {0} comes without")]
    SignaturesStripped(Name),
    /// The name lies in a zone that is not signed.
    #[error("{0} lies in a zone that is not signed with DNSSEC")]
    Unsigned(Name),
    /// The zone is signed, but its parent does not vouch for its keys.
    #[error("the zone {0} is signed, but its parent zone has no DS record for it")]
    NoDelegationSigner(Name),
    /// What came does not prove the answer.
    #[error("what the resolver sent does not verify: {0}")]
    Unverified(#[from] Error),
}

impl RetrievalError {
    /// A stable name for the reason, for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Resolver(_) => "retrieval.resolver",
            Self::NoResponse { .. } => "retrieval.no_response",
            Self::UntrustedResolver { .. } => "retrieval.untrusted_resolver",
            Self::ResponseCode { .. } => "retrieval.response_code",
            Self::MalformedResponse { .. } => "retrieval.malformed_response",
            Self::NoSuchRecord(_) => "retrieval.no_such_record",
            Self::SignaturesStripped(_) => "retrieval.signatures_stripped",
            Self::Unsigned(_) => "retrieval.unsigned",
            Self::NoDelegationSigner(_) => "retrieval.no_delegation_signer",
            Self::Unverified(error) => error.reason(),
        }
    }

    /// What to do about it, in a sentence.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Resolver(_) => "name another resolver",
            Self::NoResponse { .. } => {
                "check the address and that nothing filters DNS on the way, or try another resolver, such as https://1.1.1.1/dns-query"
            }
            Self::UntrustedResolver { .. } => {
                "for a resolver of your own, name the certificate of its authority as trusted"
            }
            Self::ResponseCode { .. } => {
                "the resolver could not get an answer from the domain's name servers, or refuses to serve you: check those servers, or try another resolver"
            }
            Self::MalformedResponse { .. } => "try another resolver",
            Self::NoSuchRecord(_) => {
                "publish the record, and wait for the negative answer's TTL to pass if you have just done so"
            }
            Self::SignaturesStripped(_) => {
                "ask a resolver that passes DNSSEC records on, such as https://1.1.1.1/dns-query"
            }
            Self::Unsigned(_) => {
                "turn DNSSEC on at the domain's DNS host, then give the DS record to its registrar"
            }
            Self::NoDelegationSigner(_) => {
                "give the zone's DS record to the domain's registrar, then wait for the parent's TTL to pass"
            }
            Self::Unverified(Error::RrsigExpired { .. }) => {
                "the zone's signatures were not renewed: have its name server sign it again, and check the clock here"
            }
            Self::Unverified(Error::RrsigNotYetValid { .. }) => {
                "check the clock here, and that of the machine that signs the zone"
            }
            Self::Unverified(Error::DnskeyNotCommitted {
                committed_by: Committer::TrustAnchor,
                ..
            }) => {
                "if this domain is signed under a private root, give its keys as trust anchors; if not, the resolver does not tell the truth: ask another"
            }
            Self::Unverified(_) => {
                "have the DNSSEC setup of the zone named above checked by whoever runs it; for a private root, check the trust anchors"
            }
        })
    }
}

/// IANA's name of a response code, with its number.
fn response_code_name(code: u16) -> String {
    let name = match code {
        1 => "FORMERR",
        2 => "SERVFAIL",
        4 => "NOTIMP",
        5 => "REFUSED",
        9 => "NOTAUTH",
        16 => "BADVERS",
        _ => return format!("response code {code}"),
    };
    format!("{name} (response code {code})")
}
