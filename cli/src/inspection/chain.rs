//! The content of a chain, response by response.

use std::fmt;

use dnssec::{Chain, Dnskey, Ds, Name, Record, RecordType, Response};
use kliento::veraid::{Timestamp, TrustAnchors, Validity};
use serde::Serialize;

use super::WARNING;
use super::delegation_path::DelegationPath;
use crate::terminal::{BAD, FAINT, STRONG};
use crate::timeline::{Timeline, TimelineDocument, Window};

/// Longest line of record data that is shown to people.
const MAX_RDATA: usize = 64;

/// A DNSSEC chain by itself.
#[derive(Serialize)]
pub(crate) struct ChainInspection {
    verified: bool,
    #[serde(flatten)]
    chain: ChainPart,
    path: DelegationPath,
    timeline: TimelineDocument,
    #[serde(skip)]
    drawn: Timeline,
}

#[derive(Serialize)]
pub(super) struct ChainPart {
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
    /// The whole in a line, for people.
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

impl ChainInspection {
    /// `octets` is the size of the file that it was read from.
    pub(crate) fn new(
        chain: &Chain<'_>,
        octets: usize,
        at: Timestamp,
        anchors: &TrustAnchors,
    ) -> Self {
        let mut timeline = Timeline::new(at);
        add_rrsets(&mut timeline, chain);
        Self {
            verified: false,
            chain: ChainPart::new(chain, octets, anchors),
            path: DelegationPath::new(chain, anchors),
            timeline: timeline.document(),
            drawn: timeline,
        }
    }
}

impl ChainPart {
    pub(super) fn new(chain: &Chain<'_>, octets: usize, anchors: &TrustAnchors) -> Self {
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
pub(super) fn add_rrsets(timeline: &mut Timeline, chain: &Chain<'_>) {
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

impl fmt::Display for ChainInspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{BAD}{WARNING}{BAD:#}\n")?;
        writeln!(formatter, "{}", self.chain)?;
        writeln!(formatter, "{}", self.path)?;
        self.drawn.fmt(formatter)
    }
}

impl fmt::Display for ChainPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{STRONG}DNSSEC chain{STRONG:#}, {} bytes in {} responses",
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
            None => write!(
                formatter,
                "  {BAD}does not have exactly one question{BAD:#}"
            )?,
        }
        writeln!(
            formatter,
            "  {FAINT}{}, {} bytes{FAINT:#}",
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
