//! The sizes of what is made with the domain's chain, and whether it fits where it has to go.
//!
//! Sizes are not reckoned but measured: a member and two tokens are made with keys that are thrown away.

use dnssec::{Chain, Period, Timestamp};
use kliento::veraid::{
    self, Content, KeyAlgorithm, Member, MemberCertificate, MemberIdBundle, MemberRequest,
    OrganisationCertificate, OrganisationRequest, PrivateKey, SignatureRequest, Signer,
    SignerIdentity, SigningKey as _,
};
use kliento::{MAX_BUNDLE_OCTETS, Token, header};
use serde::Serialize;

use super::Subject;
use super::finding::Finding;
use super::findings::size as found;
use crate::fault::Fault;

/// The octets of one header line that many HTTP servers and proxies take unless told otherwise.
const USUAL_HEADER_OCTETS: usize = 8_192;
const TOKEN_SECONDS: i64 = 600;
/// A name and an audience of usual lengths.
const MEMBER: &str = "alice.example";
const AUDIENCE: &str = "https://api.example.com";

/// The chain, as `--json` has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChainSize {
    octets: usize,
    responses: usize,
    valid_until: Option<String>,
}

impl ChainSize {
    pub(super) fn of(der: &[u8], now: Timestamp) -> Option<Self> {
        Some(Self {
            octets: der.len(),
            responses: Chain::from_der(der).ok()?.responses().len(),
            valid_until: super::signatures::chain_end(der, now).map(|end| end.to_string()),
        })
    }
}

/// Tokens made with the chain, as `--json` has them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BundleSizes {
    organisation_key: String,
    member_key: String,
    /// Signed by a member, in octets: as a bundle, and as the value of an `Authorization` field.
    member_octets: usize,
    member_header_octets: usize,
    /// Signed by the organisation itself.
    organisation_octets: usize,
    organisation_header_octets: usize,
    max_octets: usize,
    usual_header_octets: usize,
}

impl BundleSizes {
    /// Makes a token each way for `domain`, with an organisation's key of this kind.
    pub(super) fn measure(
        chain_der: &[u8],
        subject: &Subject,
        algorithm: KeyAlgorithm,
    ) -> Result<Self, Fault> {
        let (domain, dialect, now) = (&subject.domain, subject.dialect, subject.now);
        let organisation_key = PrivateKey::generate(algorithm).map_err(veraid::IssueError::from)?;
        let member_key =
            PrivateKey::generate(KeyAlgorithm::Rsa2048).map_err(veraid::IssueError::from)?;
        let end = now.saturating_add(TOKEN_SECONDS);
        let period = Period::new(now, end).unwrap_or(Period::at(now));
        let certificate = OrganisationCertificate::self_issue(
            &OrganisationRequest::new(domain, dialect, period),
            &organisation_key,
        )?;
        let member = Member::User(MEMBER.parse().map_err(veraid_name)?);
        let member_certificate = MemberCertificate::issue(
            &MemberRequest::new(
                &member,
                member_key.public_key(),
                &certificate,
                dialect,
                period,
            ),
            &organisation_key,
        )?;
        let bundle = MemberIdBundle::new(
            chain_der,
            certificate.clone(),
            member_certificate,
            Vec::new(),
        )?;
        let token = Token::new(AUDIENCE.parse()?).to_json();
        let issue = |signer: &Signer<'_>| {
            signer.sign(&SignatureRequest::new(
                Content::Attached(&token),
                kliento::SERVICE,
                period,
            ))
        };
        let by_member = issue(&Signer::member(&bundle, &member_key))?;
        let by_organisation = issue(&Signer::new(
            SignerIdentity::Organisation {
                chain_der,
                certificate: &certificate,
                attribution: &member,
            },
            &organisation_key,
        ))?;
        Ok(Self {
            organisation_key: algorithm.to_string(),
            member_key: KeyAlgorithm::Rsa2048.to_string(),
            member_octets: by_member.len(),
            member_header_octets: header::encode(&by_member).len(),
            organisation_octets: by_organisation.len(),
            organisation_header_octets: header::encode(&by_organisation).len(),
            max_octets: MAX_BUNDLE_OCTETS,
            usual_header_octets: USUAL_HEADER_OCTETS,
        })
    }
}

pub(super) fn examine(chain: &ChainSize, bundle: &BundleSizes) -> Vec<Finding> {
    let mut findings = vec![found::measured(
        chain.octets,
        (bundle.member_octets, &bundle.member_key),
        (bundle.organisation_octets, &bundle.organisation_key),
    )];
    if bundle.member_octets > MAX_BUNDLE_OCTETS {
        findings.push(found::bundle_too_large(
            bundle.member_octets,
            MAX_BUNDLE_OCTETS,
        ));
    } else if bundle.member_header_octets > USUAL_HEADER_OCTETS {
        findings.push(found::header_large(
            bundle.member_header_octets,
            USUAL_HEADER_OCTETS,
        ));
    }
    findings
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn veraid_name(error: veraid::NameError) -> Fault {
    Fault::failure(error.to_string())
}
