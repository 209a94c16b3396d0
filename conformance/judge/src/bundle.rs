//! Signature bundles and member id bundles.

use serde_json::{Value, json};
use veraid::{
    Member, MemberId, MemberIdBundle, ServiceOid, SignatureBundle, SignedBy, Verification,
};

use crate::chain::{anchors, period};
use crate::{Outcome, invalid, octets, text};

pub(crate) fn signature(input: &Value) -> Outcome {
    let anchors = &anchors(input)?;
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

pub(crate) fn member_id(input: &Value) -> Outcome {
    let anchors = &anchors(input)?;
    let octets = octets(input, "bundle")?;
    let verification = Verification::new(service(input)?, period(input)?, anchors);
    let verified = MemberIdBundle::from_der(&octets)
        .and_then(|bundle| bundle.verify(&verification))
        .map(|verified| valid(verified.member_id(), None, &json!({})));
    Ok(verified.unwrap_or_else(|error| invalid(error.reason())))
}

pub(crate) fn valid(member: &MemberId, signed_by: Option<SignedBy>, more: &Value) -> Value {
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

fn optional_octets(
    input: &Value,
    field: &str,
) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error>> {
    match input.get(field) {
        Some(_) => octets(input, field).map(Some),
        None => Ok(None),
    }
}

fn service(input: &Value) -> Result<ServiceOid, Box<dyn std::error::Error>> {
    Ok(text(input, "service")?.parse()?)
}
