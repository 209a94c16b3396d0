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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RrsigId;
    use crate::fact::{Absence, Denial, Insecure, Insecurity};
    use crate::rdata::Algorithm;
    use crate::record::RecordType;
    use crate::time::Timestamp;
    use crate::validity::{Period, Validity};

    const RESOLVER: &str = "192.0.2.1:53";

    fn rrset() -> RrsetId {
        let owner = "key.example.".parse().unwrap();
        RrsetId::new(owner, RecordType::TXT)
    }

    fn code(response_code: u16) -> RetrievalError {
        RetrievalError::ResponseCode {
            rrset: rrset(),
            response_code,
        }
    }

    fn insecurity(cause: Insecurity) -> Box<RetrievedInsecurity> {
        let name = || rrset().owner;
        Box::new(RetrievedInsecurity {
            chain: Vec::new(),
            insecure: Insecure {
                name: name(),
                canonical_name: name(),
                record_type: RecordType::TXT,
                zone: "example.".parse().unwrap(),
                cause,
                validity: Validity::always(),
            },
            resolver: RESOLVER.into(),
        })
    }

    /// An error of each variant and some of several, from the one that says least to those that
    /// say most. With the reason, and a part of the hint.
    #[allow(clippy::too_many_lines, reason = "there are many variants")]
    fn in_order_of_progress() -> Vec<(RetrievalError, &'static str, &'static str)> {
        let silent = RetrievalError::NoResponse {
            resolver: RESOLVER.into(),
            problem: "no response".into(),
        };
        let untrusted = RetrievalError::UntrustedResolver {
            resolver: RESOLVER.into(),
            problem: "expired".into(),
        };
        let source = MessageError {
            offset: 0,
            what: "the header is truncated",
        };
        let rrsig = || {
            Box::new(RrsigId {
                rrset: rrset(),
                signer: "example.".parse().unwrap(),
                key_tag: 1,
                algorithm: Algorithm::ED25519,
            })
        };
        let (period, moment) = (Period::always(), Timestamp::MIN);
        let expired = Error::RrsigExpired {
            rrsig: rrsig(),
            expired: moment,
            period,
        };
        let not_yet_valid = Error::RrsigNotYetValid {
            rrsig: rrsig(),
            valid_from: moment,
            period,
        };
        let not_committed = |committed_by| Error::DnskeyNotCommitted {
            zone: Name::root(),
            committed_by,
        };
        let absence = Absence {
            name: rrset().owner,
            canonical_name: rrset().owner,
            record_type: RecordType::TXT,
            denial: Denial::NxDomain,
            validity: Validity::always(),
        };
        let absence = RetrievedAbsence {
            chain: Vec::new(),
            absence,
            zone: "example.".parse().unwrap(),
            resolver: RESOLVER.into(),
        };
        let system = ResolverError::System("it names no server".into());
        vec![
            (system.into(), "retrieval.resolver", "use another resolver"),
            (
                silent,
                "retrieval.no_response",
                "any firewall that filters DNS",
            ),
            (
                untrusted,
                "retrieval.untrusted_resolver",
                "trust the certificate of its authority",
            ),
            (
                RetrievalError::malformed_response(rrset(), source),
                "retrieval.malformed_response",
                "try another resolver",
            ),
            (
                code(SERVFAIL),
                "retrieval.response_code",
                "check those servers",
            ),
            (
                RetrievalError::SignaturesStripped(Name::root()),
                "retrieval.signatures_stripped",
                "a resolver that passes on DNSSEC records",
            ),
            (
                Error::NoRrsig(rrset()).into(),
                "dnssec.no_rrsig",
                "ask the operator of the zone",
            ),
            (
                expired.into(),
                "dnssec.rrsig_expired",
                "sign the zone again on its name server",
            ),
            (
                not_yet_valid.into(),
                "dnssec.rrsig_not_yet_valid",
                "that of the machine that signs the zone",
            ),
            (
                not_committed(Committer::Parent).into(),
                "dnssec.dnskey_not_committed",
                "ask the operator of the zone",
            ),
            (
                not_committed(Committer::TrustAnchor).into(),
                "dnssec.dnskey_not_committed",
                "give its keys as trust anchors",
            ),
            (
                RetrievalError::Insecure(insecurity(Insecurity::Algorithms)),
                "dnssec.insecure_delegation",
                "ask the operator of the zone",
            ),
            (
                RetrievalError::Absent(Box::new(absence)),
                "dnssec.absent",
                "publish the record",
            ),
            (
                RetrievalError::Unsigned(insecurity(Insecurity::NoDs)),
                "retrieval.unsigned",
                "turn DNSSEC on",
            ),
            (
                RetrievalError::NoDelegationSigner(insecurity(Insecurity::NoDs)),
                "retrieval.no_delegation_signer",
                "give the zone's DS record to the domain's registrar",
            ),
        ]
    }

    fn failure(error: RetrievalError) -> ResolverFailure {
        ResolverFailure {
            resolver: RESOLVER.into(),
            error,
        }
    }

    #[test]
    fn each_error_has_its_reason_and_a_hint() {
        for (error, reason, hint) in in_order_of_progress() {
            assert_eq!(error.reason(), reason, "{error}");
            let said = error.hint().unwrap();
            assert!(said.contains(hint), "{error}: {said}");
            let is_about_the_domain = reason.starts_with("dnssec.")
                || ["retrieval.unsigned", "retrieval.no_delegation_signer"].contains(&reason);
            assert_eq!(error.is_about_the_domain(), is_about_the_domain, "{error}");
            // Of several failures the first one counts.
            let several = RetrievalError::NoProof(vec![failure(error), failure(code(REFUSED))]);
            assert_eq!(several.reason(), reason);
            assert_eq!(several.hint(), Some(said));
            assert_eq!(several.is_about_the_domain(), is_about_the_domain);
        }
    }

    #[test]
    fn an_error_about_insecurity_has_its_proof() {
        for (error, ..) in in_order_of_progress() {
            let zone = error
                .insecurity()
                .map(|proof| proof.insecure.zone().to_string());
            let is_one = matches!(
                error,
                RetrievalError::Unsigned(_)
                    | RetrievalError::NoDelegationSigner(_)
                    | RetrievalError::Insecure(_)
            );
            assert_eq!(zone, is_one.then(|| "example.".into()), "{error}");
        }
    }

    #[test]
    fn of_several_failures_the_most_informative_comes_first() {
        let errors: Vec<_> = in_order_of_progress()
            .into_iter()
            .map(|(error, ..)| error)
            .collect();
        // In the list, progress never decreases, and each step is there.
        let mut steps: Vec<_> = errors.iter().map(RetrievalError::progress).collect();
        assert!(steps.is_sorted(), "{steps:?}");
        steps.dedup();
        assert_eq!(steps, [0, 1, 2, 3, 4, 5, 6]);
        // Those that are equal stay in the order in which the resolvers were given.
        let combined = RetrievalError::of_all(errors.iter().cloned().map(failure).collect());
        let mut expected: Vec<_> = errors.iter().cloned().map(failure).collect();
        expected.sort_by_key(|failure| Reverse(failure.error.progress()));
        assert_eq!(combined, RetrievalError::NoProof(expected));
        let nested = RetrievalError::of_all(vec![failure(code(REFUSED)), failure(combined)]);
        assert_eq!(nested.reason(), "dnssec.absent");
        // One failure is told as such, and none is that of a resolver that names no server.
        let one = RetrievalError::of_all(vec![failure(code(REFUSED))]);
        assert_eq!(one, code(REFUSED));
        let none = RetrievalError::of_all(Vec::new());
        assert_eq!(none, errors[0]);
    }

    #[test]
    fn a_response_code_is_told_by_its_name_and_what_it_means() {
        let no_edns = "; it seems not to support EDNS, which DNSSEC needs";
        for (number, name, meaning) in [
            (1, "FORMERR (response code 1)", no_edns),
            (2, "SERVFAIL (response code 2)", ""),
            (4, "NOTIMP (response code 4)", no_edns),
            (5, "REFUSED (response code 5)", ""),
            (9, "NOTAUTH (response code 9)", ""),
            (16, "BADVERS (response code 16)", no_edns),
            (23, "response code 23", ""),
        ] {
            assert_eq!(
                code(number).to_string(),
                format!(
                    "the resolver answers the question for key.example. TXT with {name}{meaning}"
                )
            );
            let hint = code(number).hint().unwrap();
            let asks_for_another = hint.starts_with("use a resolver that supports DNSSEC");
            assert_eq!(asks_for_another, !meaning.is_empty(), "{number}");
        }
    }
}
