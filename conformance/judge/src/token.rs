//! Token bundles, and the field that carries them.

use kliento::{Audience, Verifier, VerifyError};
use serde_json::{Value, json};

use crate::bundle::valid;
use crate::chain::{anchors, time};
use crate::{Outcome, invalid, octets, text};

pub(crate) fn bundle(input: &Value) -> Outcome {
    let bundle = octets(input, "bundle")?;
    let verifier = verifier(input)?;
    Ok(token(verifier.verify_bundle(&bundle)))
}

pub(crate) fn authorization(input: &Value) -> Outcome {
    let value = octets(input, "value")?;
    let verifier = verifier(input)?;
    Ok(token(verifier.verify_header(&value)))
}

fn verifier(input: &Value) -> Result<Verifier, Box<dyn std::error::Error>> {
    let time = time(input, "time")?;
    let audience = text(input, "audience")?.parse::<Audience>()?;
    Ok(Verifier::builder(audience)
        .trust_anchors(anchors(input)?)
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
