//! The verdict of this project on an input of the conformance cases. `conformance/README.md` describes both.
//!
//! `tests/cases.rs` compares it with what the cases expect. Features leave out the levels above one, so that a change of
//! `dnssec` can be tried against its cases without building what stands on it: `--no-default-features --features dnssec`.

#[cfg(feature = "veraid")]
mod bundle;
#[cfg(feature = "dnssec")]
mod chain;
#[cfg(feature = "kliento")]
mod token;

use data_encoding::BASE64;
use serde_json::{Value, json};

type Outcome = Result<Value, Box<dyn std::error::Error>>;

/// The verdict on an input. An error is a fault of the input or of this program, and no verdict.
pub fn judge(input: &Value) -> Outcome {
    match text(input, "kind")? {
        #[cfg(feature = "veraid")]
        "signature-bundle" => bundle::signature(input),
        #[cfg(feature = "veraid")]
        "member-id-bundle" => bundle::member_id(input),
        #[cfg(feature = "dnssec")]
        "chain" => chain::messages(input),
        #[cfg(feature = "dnssec")]
        "authentication-chain" => chain::authentication_chain(input),
        #[cfg(feature = "kliento")]
        "token-bundle" => token::bundle(input),
        #[cfg(feature = "kliento")]
        "authorization" => token::authorization(input),
        _ => Ok(json!({"verdict": "unsupported"})),
    }
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
