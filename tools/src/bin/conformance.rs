//! The runner of the conformance cases for this project: reads one input a line, as JSON, and prints one verdict a line.
//! `conformance/README.md` describes both.

use std::io::{self, BufRead as _, Write as _};

use data_encoding::BASE64;
use dnssec::{Chain, Fact, Name, RecordType};
use kliento::{Audience, Verifier, VerifyError};
use serde_json::{Value, json};
use veraid::{
    Member, MemberId, MemberIdBundle, Period, ServiceOid, SignatureBundle, SignedBy, Timestamp,
    TrustAnchors, Verification,
};

type Outcome = Result<Value, Box<dyn std::error::Error>>;

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let verdict = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|input| judge(&input))
            .unwrap_or_else(|error| json!({"verdict": "error", "error": error.to_string()}));
        writeln!(output, "{verdict}")?;
        output.flush()?;
    }
    Ok(())
}

/// The verdict on an input. An error is a fault of the input or of this program, and no verdict.
fn judge(input: &Value) -> Outcome {
    let anchors: TrustAnchors = text_lines(input, "anchors")?.parse()?;
    match text(input, "kind")? {
        "signature-bundle" => signature_bundle(input, &anchors),
        "member-id-bundle" => member_id_bundle(input, &anchors),
        "chain" => chain(input, &anchors),
        "authentication-chain" => authentication_chain(input, &anchors),
        "token-bundle" => token_bundle(input, anchors),
        "authorization" => authorization(input, anchors),
        _ => Ok(json!({"verdict": "unsupported"})),
    }
}

fn signature_bundle(input: &Value, anchors: &TrustAnchors) -> Outcome {
    let content = optional_octets(input, "content")?;
    let octets = octets(input, "bundle")?;
    let mut verification = Verification::new(service(input)?, period(input)?, anchors);
    if let Some(content) = &content {
        verification = verification.with_detached_content(content);
    }
    let verified = SignatureBundle::from_der(&octets).and_then(|bundle| {
        let verified = bundle.verify(&verification)?;
        Ok(valid(
            verified.member_id(),
            Some(verified.signed_by()),
            &json!({}),
        ))
    });
    Ok(verified.unwrap_or_else(|error| invalid(error.reason())))
}

fn member_id_bundle(input: &Value, anchors: &TrustAnchors) -> Outcome {
    let octets = octets(input, "bundle")?;
    let verification = Verification::new(service(input)?, period(input)?, anchors);
    let verified = MemberIdBundle::from_der(&octets)
        .and_then(|bundle| bundle.verify(&verification))
        .map(|verified| valid(verified.member_id(), None, &json!({})));
    Ok(verified.unwrap_or_else(|error| invalid(error.reason())))
}

fn token_bundle(input: &Value, anchors: TrustAnchors) -> Outcome {
    let bundle = octets(input, "bundle")?;
    let verifier = verifier(input, anchors)?;
    Ok(token(verifier.verify_bundle(&bundle)))
}

fn authorization(input: &Value, anchors: TrustAnchors) -> Outcome {
    let value = octets(input, "value")?;
    let verifier = verifier(input, anchors)?;
    Ok(token(verifier.verify_header(&value)))
}

fn verifier(input: &Value, anchors: TrustAnchors) -> Result<Verifier, Box<dyn std::error::Error>> {
    let time = time(input, "time")?;
    let audience = text(input, "audience")?.parse::<Audience>()?;
    Ok(Verifier::builder(audience)
        .trust_anchors(anchors)
        .clock(move || time)
        .build())
}

fn token(verified: Result<kliento::VerifiedToken, VerifyError>) -> Value {
    verified.map_or_else(
        |error| invalid(error.reason()),
        |token| {
            let claims: serde_json::Map<String, Value> = token
                .claims()
                .iter()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            valid(
                token.member_id(),
                Some(token.signed_by()),
                &json!({"claims": claims}),
            )
        },
    )
}

fn chain(input: &Value, anchors: &TrustAnchors) -> Outcome {
    let octets = octets(input, "chain")?;
    let fact = Chain::from_der(&octets).and_then(|chain| look_up(&chain, input, anchors));
    fact.unwrap_or_else(|error| Ok(invalid(error.reason())))
}

fn authentication_chain(input: &Value, anchors: &TrustAnchors) -> Outcome {
    let octets = octets(input, "chain")?;
    let fact = dnssec::messages_from_authentication_chain(&octets).and_then(|messages| {
        let chain = Chain::from_messages(&messages)?;
        look_up(&chain, input, anchors)
    });
    fact.unwrap_or_else(|error| Ok(invalid(error.reason())))
}

/// What the chain proves. The inner result is about the input.
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

fn valid(member: &MemberId, signed_by: Option<SignedBy>, more: &Value) -> Value {
    let user = match member.member() {
        Member::User(name) => Some(name.as_str()),
        Member::Bot => None,
    };
    let mut verdict = json!({
        "verdict": "valid",
        "organisation": member.organisation().to_string(),
        "user": user,
    });
    if let (Some(verdict), Some(more)) = (verdict.as_object_mut(), more.as_object()) {
        if let Some(signed_by) = signed_by {
            let signed_by = match signed_by {
                SignedBy::Member => "member",
                SignedBy::Organisation => "organisation",
                _ => "somebody else",
            };
            verdict.insert("signedBy".to_owned(), json!(signed_by));
        }
        verdict.extend(more.clone());
    }
    verdict
}

fn invalid(reason: &str) -> Value {
    json!({"verdict": "invalid", "reason": reason})
}

fn text<'i>(input: &'i Value, field: &str) -> Result<&'i str, Box<dyn std::error::Error>> {
    let value = input.get(field).and_then(Value::as_str);
    value.ok_or_else(|| format!("no text in {field}").into())
}

fn text_lines(input: &Value, field: &str) -> Result<String, Box<dyn std::error::Error>> {
    let lines = input.get(field).and_then(Value::as_array);
    let lines = lines.ok_or_else(|| format!("no list in {field}"))?;
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    Ok(lines.join("\n"))
}

fn octets(input: &Value, field: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    Ok(BASE64.decode(text(input, field)?.as_bytes())?)
}

fn optional_octets(
    input: &Value,
    field: &str,
) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error>> {
    match input.get(field) {
        Some(_) => octets(input, field).map(Some),
        None => Ok(None),
    }
}

fn time(input: &Value, field: &str) -> Result<Timestamp, Box<dyn std::error::Error>> {
    Ok(text(input, field)?.parse()?)
}

fn period(input: &Value) -> Result<Period, Box<dyn std::error::Error>> {
    Period::new(time(input, "from")?, time(input, "until")?)
        .ok_or_else(|| "from is after until".into())
}

fn service(input: &Value) -> Result<ServiceOid, Box<dyn std::error::Error>> {
    Ok(text(input, "service")?.parse()?)
}

fn name(input: &Value) -> Result<Name, Box<dyn std::error::Error>> {
    Ok(text(input, "name")?.parse()?)
}

fn record_type(input: &Value) -> Result<RecordType, Box<dyn std::error::Error>> {
    Ok(text(input, "type")?.parse()?)
}
