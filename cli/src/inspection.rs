//! What bundles and chains hold, for people who want to know why one does not verify, or what it costs.
//!
//! Nothing here is verified, and all of it says so.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use dnssec::{Chain, Dnskey, Ds, Name, Record, RecordType, Response};
use kliento::veraid::{
    PublicKey, SignatureBundle, Timestamp, TrustAnchors, UnverifiedCertificate, Validity,
};
use kliento::{Claims, Token};
use serde::Serialize;

use crate::arguments::service_name;
use crate::duration::Duration;
use crate::fault::{Fault, with_causes};
use crate::output::{BAD, FAINT, Fields, ODD, Printable, STRONG};
use crate::timeline::{Timeline, TimelineDocument, Window};

const WARNING: &str = "unverified: anybody can have written this";
/// Longest line of record data that is shown to people.
const MAX_RDATA: usize = 64;

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
    organisation_certificate: CertificatePart,
    member_certificate: Option<CertificatePart>,
    chain: ChainPart,
    timeline: TimelineDocument,
    #[serde(skip)]
    text: BundleText,
}

/// What is only said to people.
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
    /// Why it is no token, if it is not.
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
    certificate_authority: bool,
    serial_number: String,
    key_algorithm: Option<String>,
    key_id: Option<String>,
    valid: Window,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    #[serde(skip)]
    lifetime: Duration,
}

/// A DNSSEC chain by itself.
#[derive(Serialize)]
pub(crate) struct ChainInspection {
    verified: bool,
    #[serde(flatten)]
    chain: ChainPart,
    timeline: TimelineDocument,
    #[serde(skip)]
    drawn: Timeline,
}

#[derive(Serialize)]
struct ChainPart {
    octets: usize,
    responses: Vec<ResponsePart>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponsePart {
    question: Option<QuestionPart>,
    response_code: String,
    octets: usize,
    records: Vec<RecordPart>,
    signatures: Vec<RrsigPart>,
}

#[derive(Serialize)]
struct QuestionPart {
    name: String,
    #[serde(rename = "type")]
    record_type: String,
}

#[derive(Serialize)]
struct RecordPart {
    owner: String,
    #[serde(rename = "type")]
    record_type: String,
    ttl: u32,
    rdata: String,
    /// What it comes to, for people.
    #[serde(skip)]
    summary: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RrsigPart {
    owner: String,
    covers: String,
    signer: String,
    key_tag: u16,
    algorithm: String,
    valid: Option<Window>,
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
            organisation_certificate: CertificatePart::new(organisation),
            member_certificate: member.map(CertificatePart::new),
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

/// What a Kliento verifier would refuse at first sight.
fn token_remarks(octets: usize, attached: bool, lifetime: u64) -> impl Iterator<Item = String> {
    let too_large = (octets > kliento::MAX_BUNDLE_OCTETS).then(|| {
        format!(
            "it has more than the {} octets that a token bundle may have",
            kliento::MAX_BUNDLE_OCTETS
        )
    });
    let detached = (!attached).then(|| "the token is not in the bundle".to_owned());
    let too_long = (lifetime > kliento::MAX_LIFETIME_SECONDS).then(|| {
        format!(
            "it lives {}, longer than the {} that a token may",
            Duration::from_seconds(lifetime).rough(),
            Duration::from_seconds(kliento::MAX_LIFETIME_SECONDS)
        )
    });
    [too_large, detached, too_long].into_iter().flatten()
}

impl CertificatePart {
    fn new(certificate: &UnverifiedCertificate<'_>) -> Self {
        let mut errors = Vec::new();
        let common_name = certificate
            .common_name()
            .map_err(|error| errors.push(with_causes(&error)))
            .ok();
        let key = certificate
            .public_key()
            .map_err(|error| errors.push(with_causes(&error)))
            .ok();
        Self {
            octets: certificate.to_der().len(),
            common_name: common_name.map(Cow::into_owned),
            certificate_authority: certificate.is_ca(),
            serial_number: hex(certificate.serial_number()),
            key_algorithm: key.as_ref().map(|key| key.algorithm().to_string()),
            key_id: key.as_ref().map(key_id),
            valid: certificate.period().into(),
            errors,
            lifetime: Duration::from_seconds(certificate.period().seconds()),
        }
    }
}

/// What identifies the key in a TXT record.
pub(crate) fn key_id(key: &PublicKey) -> String {
    use kliento::veraid::DigestType;
    key.key_id(DigestType::implied_by(key.algorithm()))
        .to_string()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String can't fail.
        let _ = write!(text, "{octet:02X}");
        text
    })
}

impl ChainInspection {
    pub(crate) fn new(octets: &[u8], at: Timestamp, anchors: &TrustAnchors) -> Result<Self, Fault> {
        let chain = Chain::from_der(octets)?;
        let mut timeline = Timeline::new(at);
        add_rrsets(&mut timeline, &chain);
        Ok(Self {
            verified: false,
            chain: ChainPart::new(&chain, octets.len(), anchors),
            timeline: timeline.document(),
            drawn: timeline,
        })
    }
}

impl ChainPart {
    fn new(chain: &Chain<'_>, octets: usize, anchors: &TrustAnchors) -> Self {
        let mut responses: Vec<&Response<'_>> = chain.responses().iter().collect();
        responses.sort_by_cached_key(|response| question_order(response));
        Self {
            octets,
            responses: responses
                .into_iter()
                .map(|response| ResponsePart::new(response, anchors))
                .collect(),
        }
    }
}

/// From the root down, and at each name the order in which a verifier comes by.
fn question_order(response: &Response<'_>) -> Option<(usize, Name, u8)> {
    let (name, record_type) = response.question()?;
    let stage = match record_type {
        RecordType::DS => 0,
        RecordType::DNSKEY => 1,
        _ => 2,
    };
    Some((name.label_count(), name, stage))
}

impl ResponsePart {
    fn new(response: &Response<'_>, anchors: &TrustAnchors) -> Self {
        let all = || response.answers().iter().chain(response.others());
        Self {
            question: response.question().map(|(name, record_type)| QuestionPart {
                name: name.to_string(),
                record_type: record_type.to_string(),
            }),
            response_code: match response.response_code() {
                0 => "NOERROR".to_owned(),
                2 => "SERVFAIL".to_owned(),
                3 => "NXDOMAIN".to_owned(),
                5 => "REFUSED".to_owned(),
                code => code.to_string(),
            },
            octets: response.octets().len(),
            records: all()
                .filter(|record| {
                    !matches!(record.record_type(), RecordType::RRSIG | RecordType::OPT)
                })
                .map(|record| RecordPart::new(record, anchors))
                .collect(),
            signatures: all().filter_map(RrsigPart::new).collect(),
        }
    }
}

impl RecordPart {
    fn new(record: &Record<'_>, anchors: &TrustAnchors) -> Self {
        let rdata = record.canonical_rdata();
        let rdata = rdata.as_deref().unwrap_or(record.rdata());
        let rdata = dnssec::rdata_to_text(record.record_type(), rdata);
        let summary = match record.record_type() {
            RecordType::DNSKEY => Dnskey::parse(record.rdata())
                .map(|key| describe_key(&record.owner(), &key, anchors)),
            RecordType::DS => Ds::parse(record.rdata()).map(|ds| describe_ds(&ds)),
            _ => None,
        };
        Self {
            owner: record.owner().to_string(),
            record_type: record.record_type().to_string(),
            ttl: record.ttl(),
            summary: summary.unwrap_or_else(|| rdata.clone()),
            rdata,
        }
    }
}

fn describe_key(zone: &Name, key: &Dnskey<'_>, anchors: &TrustAnchors) -> String {
    let tag = key.key_tag();
    let role = if key.is_secure_entry_point() {
        "key-signing key"
    } else {
        "zone-signing key"
    };
    let is_anchor = anchors.iter().any(|anchor| {
        anchor.owner() == zone && anchor.key_tag() == tag && anchor.algorithm() == key.algorithm
    });
    let mut text = format!("{tag} {}, {role}", key.algorithm);
    if is_anchor {
        text.push_str(", as a trust anchor has it");
    }
    if !key.may_sign() {
        text.push_str(", may not sign");
    }
    text
}

fn describe_ds(ds: &Ds<'_>) -> String {
    let digest = match ds.digest_type {
        1 => "SHA-1".to_owned(),
        2 => "SHA-256".to_owned(),
        4 => "SHA-384".to_owned(),
        other => format!("digest type {other}"),
    };
    format!("{} {}, {digest}", ds.key_tag, ds.algorithm)
}

impl RrsigPart {
    fn new(record: &Record<'_>) -> Option<Self> {
        let rrsig = record.rrsig()?;
        Some(Self {
            owner: record.owner().to_string(),
            covers: rrsig.type_covered.to_string(),
            signer: rrsig.signer.to_string(),
            key_tag: rrsig.key_tag,
            algorithm: rrsig.algorithm.to_string(),
            valid: rrsig.period().map(Window::from),
        })
    }
}

/// A row for each RRset that a response answers its question with: when its signatures, good or not, say it is valid.
fn add_rrsets(timeline: &mut Timeline, chain: &Chain<'_>) {
    let mut responses: Vec<&Response<'_>> = chain.responses().iter().collect();
    responses.sort_by_cached_key(|response| question_order(response));
    for response in responses {
        let Some((name, record_type)) = response.question() else {
            continue;
        };
        // Whatever vouches for the root's keys, it is not a DS record.
        if name.is_root() && record_type == RecordType::DS {
            continue;
        }
        let own = || {
            response
                .answers()
                .iter()
                .filter(|record| record.owner() == name)
        };
        if !own().any(|record| record.record_type() == record_type) {
            continue;
        }
        let validity: Validity = own()
            .filter_map(Record::rrsig)
            .filter(|rrsig| rrsig.type_covered == record_type)
            .filter_map(|rrsig| rrsig.period())
            .collect();
        timeline.add(format!("{name} {record_type}"), validity);
    }
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
            "{STRONG}{what}{STRONG:#}, {octets} octets, {BAD}{WARNING}{BAD:#}\n"
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
            (None, Some(octets)) => {
                fields.add("content", format_args!("{octets} octets, attached"))
            }
            (None, None) => fields.add("content", "detached"),
        };
        if let Some(service) = &self.text.service {
            fields.add("service", service);
        }
        let signer = match &self.signature.attribution {
            Some(name) if name == "@" => "the organisation, for its bot".to_owned(),
            Some(name) => format!("the organisation, for {}", Printable(name)),
            None => "the member".to_owned(),
        };
        fields.add("signed by", signer);
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
        if let Some(name) = &self.common_name {
            let role = if self.certificate_authority {
                ", a certificate authority"
            } else {
                ""
            };
            fields.add("name", format_args!("{}{role}", Printable(name)));
        }
        if let (Some(algorithm), Some(id)) = (&self.key_algorithm, &self.key_id) {
            fields.add("key", algorithm);
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
            "{STRONG}{title}{STRONG:#}, {octets} octets\n{fields}"
        )
    }
}

impl fmt::Display for ChainInspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{BAD}{WARNING}{BAD:#}\n")?;
        writeln!(formatter, "{}", self.chain)?;
        self.drawn.fmt(formatter)
    }
}

impl fmt::Display for ChainPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{STRONG}DNSSEC chain{STRONG:#}, {} octets in {} responses",
            self.octets,
            self.responses.len()
        )?;
        for response in &self.responses {
            response.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for ResponsePart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.question.as_ref().map_or("", |question| &question.name);
        match &self.question {
            Some(question) => write!(
                formatter,
                "  {STRONG}{} {}{STRONG:#}",
                question.name, question.record_type
            )?,
            None => write!(formatter, "  {BAD}not one question{BAD:#}")?,
        }
        writeln!(
            formatter,
            "  {FAINT}{}, {} octets{FAINT:#}",
            self.response_code, self.octets
        )?;
        for record in &self.records {
            let kind = &record.record_type;
            write!(formatter, "    {kind:7}")?;
            if record.owner != name {
                write!(formatter, "{} ", record.owner)?;
            }
            let summary: String = record.summary.chars().take(MAX_RDATA).collect();
            let more = if summary.len() < record.summary.len() {
                "…"
            } else {
                ""
            };
            writeln!(formatter, "{summary}{more}")?;
        }
        for rrsig in &self.signatures {
            rrsig.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for RrsigPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            covers,
            signer,
            key_tag,
            algorithm,
            ..
        } = self;
        writeln!(
            formatter,
            "    RRSIG  {key_tag} {algorithm} of {signer}, over {covers}"
        )?;
        match &self.valid {
            Some(window) => writeln!(formatter, "           {} to {}", window.from, window.until),
            None => writeln!(formatter, "           {BAD}ends before it begins{BAD:#}"),
        }
    }
}
