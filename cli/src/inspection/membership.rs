//! The content of a member id bundle.

use std::fmt;

use kliento::veraid::{IntermediateCertificate, MemberId, MemberIdBundle, Timestamp, TrustAnchors};
use serde::Serialize;

use super::chain::{ChainPart, add_rrsets};
use super::{CertificatePart, WARNING, intermediate_name};
use crate::fault::Fault;
use crate::terminal::{BAD, Fields, STRONG};
use crate::timeline::{Timeline, TimelineDocument};

/// A member's certificate with what is to prove it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MembershipInspection {
    verified: bool,
    octets: usize,
    member: String,
    dialect: String,
    organisation_certificate: CertificatePart,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    intermediate_certificates: Vec<CertificatePart>,
    member_certificate: CertificatePart,
    chain: ChainPart,
    timeline: TimelineDocument,
    #[serde(skip)]
    drawn: Timeline,
}

impl MembershipInspection {
    pub(crate) fn of_bundle(
        octets: &[u8],
        at: Timestamp,
        anchors: &TrustAnchors,
    ) -> Result<Self, Fault> {
        let bundle = MemberIdBundle::from_der(octets)?;
        let chain = dnssec::Chain::from_der(bundle.chain_der())?;
        let organisation = bundle.organisation_certificate();
        let member = bundle.member_certificate();
        let intermediates = bundle.intermediate_certificates();

        let mut timeline = Timeline::new(at);
        add_rrsets(&mut timeline, &chain);
        timeline.add("organisation certificate", organisation.period());
        for (certificate, number) in intermediates.iter().zip(1..) {
            let label = intermediate_name("intermediate certificate", number, intermediates.len());
            timeline.add(label, certificate.period());
        }
        timeline.add("member certificate", member.period());

        let part = |certificate: &IntermediateCertificate| -> Result<_, Fault> {
            Ok(CertificatePart::new(&certificate.parsed()?))
        };
        let id = MemberId::new(organisation.organisation().clone(), member.member().clone());
        Ok(Self {
            verified: false,
            octets: octets.len(),
            member: id.to_string(),
            dialect: bundle.dialect().to_string(),
            organisation_certificate: CertificatePart::new(&organisation.parsed()?),
            intermediate_certificates: intermediates.iter().map(part).collect::<Result<_, _>>()?,
            member_certificate: CertificatePart::new(&member.parsed()?),
            chain: ChainPart::new(&chain, bundle.chain_der().len(), anchors),
            timeline: timeline.document(),
            drawn: timeline,
        })
    }
}

impl fmt::Display for MembershipInspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.octets;
        writeln!(
            formatter,
            "{STRONG}Member id bundle{STRONG:#}, {octets} bytes, {BAD}{WARNING}{BAD:#}\n"
        )?;
        let mut fields = Fields::new();
        fields.add("member", &self.member);
        fields.add("dialect", &self.dialect);
        writeln!(formatter, "{fields}")?;
        self.organisation_certificate
            .write("Organisation certificate", formatter)?;
        let count = self.intermediate_certificates.len();
        for (certificate, number) in self.intermediate_certificates.iter().zip(1..) {
            let title = intermediate_name("Intermediate certificate", number, count);
            certificate.write(&title, formatter)?;
        }
        self.member_certificate
            .write("Member certificate", formatter)?;
        writeln!(formatter, "{}", self.chain)?;
        self.drawn.fmt(formatter)
    }
}
