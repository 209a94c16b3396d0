//! DNSSEC chains.

use data_encoding::BASE64;
use dnssec::{Chain, Fact, Name, Period, RecordType, Timestamp, TrustAnchors};
use serde_json::{Value, json};

use crate::{Outcome, invalid, octets, text, text_lines};

pub(crate) fn messages(input: &Value) -> Outcome {
    let anchors = &anchors(input)?;
    let octets = octets(input, "chain")?;
    let fact = Chain::from_der(&octets).and_then(|chain| look_up(&chain, input, anchors));
    fact.unwrap_or_else(|error| Ok(invalid(error.reason())))
}

pub(crate) fn authentication_chain(input: &Value) -> Outcome {
    let anchors = &anchors(input)?;
    let octets = octets(input, "chain")?;
    let fact = dnssec::messages_from_authentication_chain(&octets).and_then(|messages| {
        let chain = Chain::from_messages(&messages)?;
        look_up(&chain, input, anchors)
    });
    fact.unwrap_or_else(|error| Ok(invalid(error.reason())))
}

/// Returns the verdict on a question to the chain. The inner result is about the input.
fn look_up(
    chain: &Chain<'_>,
    input: &Value,
    anchors: &TrustAnchors,
) -> Result<Outcome, dnssec::Error> {
    let question = name(input).and_then(|name| Ok((name, record_type(input)?, period(input)?)));
    let (name, record_type, period) = match question {
        Ok(question) => question,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(
        match chain.look_up(&name, record_type, anchors, period)? {
            Fact::Proven(proof) => {
                let records: Vec<String> =
                    proof.rdata().map(|rdata| BASE64.encode(rdata)).collect();
                json!({"verdict": "proven", "records": records})
            }
            Fact::ProvenAbsent(absence) => {
                json!({"verdict": "absent", "denial": absence.denial().to_string()})
            }
            Fact::ProvenInsecure(_) => json!({"verdict": "insecure"}),
        },
    ))
}

pub(crate) fn anchors(input: &Value) -> Result<TrustAnchors, Box<dyn std::error::Error>> {
    Ok(text_lines(input, "anchors")?.parse()?)
}

pub(crate) fn time(input: &Value, field: &str) -> Result<Timestamp, Box<dyn std::error::Error>> {
    Ok(text(input, field)?.parse()?)
}

pub(crate) fn period(input: &Value) -> Result<Period, Box<dyn std::error::Error>> {
    Period::new(time(input, "from")?, time(input, "until")?)
        .ok_or_else(|| "from is after until".into())
}

fn name(input: &Value) -> Result<Name, Box<dyn std::error::Error>> {
    Ok(text(input, "name")?.parse()?)
}

fn record_type(input: &Value) -> Result<RecordType, Box<dyn std::error::Error>> {
    Ok(text(input, "type")?.parse()?)
}
