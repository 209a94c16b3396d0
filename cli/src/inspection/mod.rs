//! The content of bundles and chains, for people who want to know why one does not verify, or what it costs.
//!
//! Nothing here is verified, and all of it says so.

mod chain;
mod delegation_path;
mod membership;

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use dnssec::{Chain, RecordType};
use kliento::veraid::{
    Dialect, DigestType, PublicKey, SignatureBundle, Timestamp, TrustAnchors, UnverifiedCertificate,
};
use kliento::{Claims, Token};
use serde::Serialize;

use crate::arguments::service_name;
use crate::duration::Duration;
use crate::fault::{Fault, with_causes};
use crate::terminal::{BAD, Fields, ODD, Printable, STRONG};
use crate::timeline::{Timeline, TimelineDocument, Window};

use chain::{ChainPart, add_rrsets};

pub(crate) use chain::ChainInspection;
pub(crate) use membership::MembershipInspection;

const WARNING: &str = "unverified: anybody can have written this";

/// A signature bundle, most often one with a token in it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inspection {
    verified: bool,
    octets: usize,
    service: Option<String>,
    token: Option<TokenPart>,
    content: ContentPart,
    signature: SignaturePart,
    /// The dialect that the names of the records in the chain tell.
    dialect: Option<String>,
    organisation_certificate: CertificatePart,
    member_certificate: Option<CertificatePart>,
    /// That of somebody who signs in the organisation's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    delegate_certificate: Option<CertificatePart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    intermediate_certificates: Vec<CertificatePart>,
    chain: ChainPart,
    timeline: TimelineDocument,
    #[serde(skip)]
    text: BundleText,
}

/// Facts that are shown to people only.
struct BundleText {
    timeline: Timeline,
    service: Option<String>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct TokenPart {
    audience: String,
    claims: Claims,
}

#[derive(Serialize)]
struct ContentPart {
    attached: bool,
    octets: Option<usize>,
    /// The reason why it is no token, if it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignaturePart {
    signed_by: &'static str,
    attribution: Option<String>,
    valid: Window,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificatePart {
    octets: usize,
    common_name: Option<String>,
    /// The name of an intermediate that is no member.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    certificate_authority: bool,
    serial_number: String,
    key_algorithm: Option<String>,
    /// True if the algorithm is one that verifiers take only if they opt in.
    #[serde(skip_serializing_if = "Option::is_none")]
    experimental: Option<bool>,
    key_id: Option<String>,
    valid: Window,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    #[serde(skip)]
    lifetime: Duration,
}

impl Inspection {
    pub(crate) fn of_bundle(
        octets: &[u8],
        at: Timestamp,
        anchors: &TrustAnchors,
    ) -> Result<Self, Fault> {
        let bundle = SignatureBundle::from_der(octets)?;
        let organisation = bundle.unverified_organisation_certificate();
        let member = bundle.unverified_member_certificate();
        let chain = bundle.unverified_chain();

        let mut timeline = Timeline::new(at);
        add_rrsets(&mut timeline, chain);
        timeline.add("organisation certificate", organisation.period());
        if let Some(member) = member {
            timeline.add("member certificate", member.period());
        }
        let delegate = bundle.unverified_delegate_certificate();
        if let Some(delegate) = delegate {
            timeline.add("delegate certificate", delegate.period());
        }
        let intermediates = bundle.unverified_intermediate_certificates();
        for (certificate, number) in intermediates.iter().zip(1_usize..) {
            timeline.add(
                intermediate_name("intermediate certificate", number, intermediates.len()),
                certificate.period(),
            );
        }
        let period = bundle.unverified_period();
        let service = bundle.unverified_service();
        let is_kliento = service == Some(kliento::SERVICE);
        timeline.add(if is_kliento { "token" } else { "signature" }, period);

        let content = bundle.unverified_content();
        let token = content.map(Token::from_json);
        let mut remarks = Vec::new();
        if is_kliento {
            remarks.extend(token_remarks(
                octets.len(),
                content.is_some(),
                period.seconds(),
            ));
        }
        Ok(Self {
            verified: false,
            octets: octets.len(),
            service: service.map(|service| service.to_string()),
            content: ContentPart {
                attached: content.is_some(),
                octets: content.map(<[u8]>::len),
                error: match &token {
                    Some(Err(error)) if is_kliento => Some(with_causes(error)),
                    _ => None,
                },
            },
            token: token.and_then(Result::ok).map(|token| {
                let (audience, claims) = token.into_parts();
                TokenPart {
                    audience: audience.to_string(),
                    claims,
                }
            }),
            signature: SignaturePart {
                signed_by: if bundle.unverified_attribution().is_some() {
                    "organisation"
                } else {
                    "member"
                },
                attribution: bundle.unverified_attribution().map(ToString::to_string),
                valid: period.into(),
            },
            dialect: dialect_of(chain).map(|dialect| dialect.to_string()),
            organisation_certificate: CertificatePart::new(organisation),
            member_certificate: member.map(CertificatePart::new),
            delegate_certificate: delegate.map(CertificatePart::new),
            intermediate_certificates: intermediates.iter().map(CertificatePart::new).collect(),
            chain: ChainPart::new(chain, chain.to_der().len(), anchors),
            timeline: timeline.document(),
            text: BundleText {
                timeline,
                service: service.map(service_name),
                remarks,
            },
        })
    }
}

/// The dialect whose records the chain answers for; `None` if that is neither, or both.
fn dialect_of(chain: &Chain<'_>) -> Option<Dialect> {
    let holds = |dialect: Dialect| {
        chain.responses().iter().any(|response| {
            let answers = !response.answers().is_empty();
            response.question().is_some_and(|(name, record_type)| {
                record_type == RecordType::TXT
                    && name
                        .labels()
                        .next()
                        .is_some_and(|label| label == dialect.record_label().as_bytes())
            }) && answers
        })
    };
    let mut found = Dialect::ALL
        .iter()
        .copied()
        .filter(|&dialect| holds(dialect));
    found.next().filter(|_| found.next().is_none())
}

/// A title for one of several.
fn intermediate_name(title: &str, number: usize, of: usize) -> String {
    if of == 1 {
        title.to_owned()
    } else {
        format!("{title} {number}")
    }
}

/// Reasons for which a Kliento verifier would refuse it at first sight.
fn token_remarks(octets: usize, attached: bool, lifetime: u64) -> impl Iterator<Item = String> {
    let too_large = (octets > kliento::MAX_BUNDLE_OCTETS).then(|| {
        format!(
            "it is larger than {} bytes, the limit for a token bundle",
            kliento::MAX_BUNDLE_OCTETS
        )
    });
    let detached = (!attached).then(|| "the token is not in the bundle".to_owned());
    let too_long = (lifetime > kliento::MAX_LIFETIME_SECONDS).then(|| {
        format!(
            "its lifetime is {}; the limit is {}",
            Duration::from_seconds(lifetime).rough(),
            Duration::from_seconds(kliento::MAX_LIFETIME_SECONDS)
        )
    });
    [too_large, detached, too_long].into_iter().flatten()
}

impl CertificatePart {
    fn new(certificate: &UnverifiedCertificate<'_>) -> Self {
        let mut errors = Vec::new();
        let unit = certificate.unit();
        let common_name = match certificate.common_name() {
            Ok(common_name) => Some(common_name),
            Err(_) if unit.is_some() => None,
            Err(error) => {
                errors.push(with_causes(&error));
                None
            }
        };
        let key = certificate
            .public_key()
            .map_err(|error| errors.push(with_causes(&error)))
            .ok();
        Self {
            octets: certificate.to_der().len(),
            common_name: common_name.map(Cow::into_owned),
            unit: unit.map(Cow::into_owned),
            certificate_authority: certificate.is_ca(),
            serial_number: hex(certificate.serial_number()),
            key_algorithm: key.as_ref().map(|key| key.algorithm().to_string()),
            experimental: key
                .as_ref()
                .map(|key| key.algorithm().is_experimental())
                .filter(|&is| is),
            key_id: key.as_ref().map(key_id),
            valid: certificate.period().into(),
            errors,
            lifetime: Duration::from_seconds(certificate.period().seconds()),
        }
    }
}

/// The key id: what identifies the key in a TXT record.
pub(crate) fn key_id(key: &PublicKey) -> String {
    key.key_id(DigestType::default_for(key.algorithm(), Dialect::VeraId))
        .to_string()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String can't fail.
        let _ = write!(text, "{octet:02X}");
        text
    })
}

impl fmt::Display for Inspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.octets;
        let what = if self.token.is_some() {
            "Token bundle"
        } else {
            "Signature bundle"
        };
        writeln!(
            formatter,
            "{STRONG}{what}{STRONG:#}, {octets} bytes, {BAD}{WARNING}{BAD:#}\n"
        )?;
        for remark in &self.text.remarks {
            writeln!(formatter, "{ODD}note:{ODD:#} {remark}\n")?;
        }
        self.write_signature(formatter)?;
        self.organisation_certificate
            .write("Organisation certificate", formatter)?;
        if let Some(member) = &self.member_certificate {
            member.write("Member certificate", formatter)?;
        }
        if let Some(delegate) = &self.delegate_certificate {
            delegate.write("Delegate's certificate", formatter)?;
        }
        let count = self.intermediate_certificates.len();
        for (certificate, number) in self.intermediate_certificates.iter().zip(1..) {
            let title = intermediate_name("Intermediate certificate", number, count);
            certificate.write(&title, formatter)?;
        }
        writeln!(formatter, "{}", self.chain)?;
        self.text.timeline.fmt(formatter)
    }
}

impl Inspection {
    fn write_signature(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Fields::new();
        if let Some(token) = &self.token {
            fields.add("audience", Printable(&token.audience));
            for (name, value) in token.claims.iter() {
                fields.add(
                    "claim",
                    format_args!("{} = {}", Printable(name), Printable(value)),
                );
            }
        }
        match (&self.content.error, self.content.octets) {
            (Some(error), _) => fields.add("content", format_args!("no token: {error}")),
            (None, Some(octets)) => fields.add("content", format_args!("{octets} bytes, attached")),
            (None, None) => fields.add("content", "detached"),
        };
        if let Some(service) = &self.text.service {
            fields.add("service", service);
        }
        let signer = match &self.delegate_certificate {
            Some(_) => "a delegate of the organisation",
            None => "the organisation",
        };
        let signer = match &self.signature.attribution {
            Some(name) if name == "@" => format!("{signer}, for its bot"),
            Some(name) => format!("{signer}, for {}", Printable(name)),
            None => "the member".to_owned(),
        };
        fields.add("signed by", signer);
        if let Some(dialect) = &self.dialect {
            fields.add("dialect", dialect);
        }
        add_window(&mut fields, &self.signature.valid);
        writeln!(formatter, "{STRONG}Signature{STRONG:#}\n{fields}")
    }
}

fn add_window(fields: &mut Fields, window: &Window) {
    fields.add("valid", format_args!("{} to {}", window.from, window.until));
}

impl CertificatePart {
    fn write(&self, title: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Fields::new();
        if let Some(name) = self.common_name.as_ref().or(self.unit.as_ref()) {
            let role = if self.certificate_authority {
                ", a certificate authority"
            } else {
                ""
            };
            fields.add("name", format_args!("{}{role}", Printable(name)));
        }
        if let (Some(algorithm), Some(id)) = (&self.key_algorithm, &self.key_id) {
            let note = match self.experimental {
                Some(true) => " (experimental: verifiers must opt in)",
                _ => "",
            };
            fields.add("key", format_args!("{algorithm}{note}"));
            fields.add("key id", id);
        }
        fields.add("serial", &self.serial_number);
        fields.add(
            "valid",
            format_args!(
                "{} to {} ({})",
                self.valid.from,
                self.valid.until,
                self.lifetime.rough()
            ),
        );
        for error in &self.errors {
            fields.add("fault", error);
        }
        let octets = self.octets;
        writeln!(
            formatter,
            "{STRONG}{title}{STRONG:#}, {octets} bytes\n{fields}"
        )
    }
}
