//! Documents that several commands and `kliento serve` write: other programs read them, so they change with care.

use std::fmt;

use kliento::VerifiedToken;
use kliento::veraid::{Dialect, KeyAlgorithm, MemberId, Period, SignedBy, VerifiedSignature};
use serde::Serialize;

use crate::terminal::{self, Fields, GOOD, Printable};

/// A valid signature, as `signature verify --json` prints it and, with an audience and claims in place of the service,
/// `token verify --json` and the verifier API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signed {
    status: &'static str,
    subject_id: String,
    subject: String,
    #[serde(flatten)]
    purpose: Purpose,
    organisation: String,
    organisation_unicode: String,
    user: Option<String>,
    signed_by: &'static str,
    /// By somebody to whom the organisation delegates, if that is so.
    #[serde(skip_serializing_if = "is_false")]
    delegated: bool,
    dialect: String,
    key_algorithm: String,
    valid_from: String,
    valid_until: String,
    /// Warnings about names that may deceive the eye.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The purpose of a signature.
#[derive(Serialize)]
#[serde(untagged)]
enum Purpose {
    Token {
        claims: kliento::Claims,
        audience: String,
    },
    Service {
        service: String,
    },
}

/// The facts that every valid signature has.
struct Facts<'a> {
    id: &'a MemberId,
    signed_by: SignedBy,
    is_delegated: bool,
    dialect: Dialect,
    key_algorithm: KeyAlgorithm,
    validity: Period,
}

impl Signed {
    /// A token that was verified.
    pub(crate) fn token(token: &VerifiedToken) -> Self {
        let purpose = Purpose::Token {
            claims: token.claims().clone(),
            audience: token.audience().to_string(),
        };
        let facts = Facts {
            id: token.member_id(),
            signed_by: token.signed_by(),
            is_delegated: token.is_delegated(),
            dialect: token.dialect(),
            key_algorithm: token.key_algorithm(),
            validity: token.validity(),
        };
        Self::new(purpose, &facts)
    }

    /// A signature that was verified for a service.
    pub(crate) fn signature(signature: &VerifiedSignature<'_>, service: String) -> Self {
        let facts = Facts {
            id: signature.member_id(),
            signed_by: signature.signed_by(),
            is_delegated: signature.is_delegated(),
            dialect: signature.dialect(),
            key_algorithm: signature.key_algorithm(),
            validity: signature.period(),
        };
        Self::new(Purpose::Service { service }, &facts)
    }

    fn new(purpose: Purpose, facts: &Facts<'_>) -> Self {
        let subject = facts.id.to_string();
        let organisation = facts.id.organisation();
        Self {
            status: "valid",
            subject_id: subject.clone(),
            subject,
            purpose,
            organisation: organisation.to_string(),
            organisation_unicode: organisation.unicode().into_owned(),
            user: facts.id.member().user().map(ToString::to_string),
            signed_by: signer_name(facts.signed_by),
            delegated: facts.is_delegated,
            dialect: facts.dialect.to_string(),
            key_algorithm: facts.key_algorithm.to_string(),
            valid_from: facts.validity.start().to_string(),
            valid_until: facts.validity.end().to_string(),
            warnings: organisation
                .confusable_labels()
                .iter()
                .map(|label| format!("the domain may be mistaken for another: {label}"))
                .collect(),
        }
    }

    /// Says on stderr what people should know.
    pub(crate) fn warn(&self) {
        for warning in &self.warnings {
            terminal::warn(Printable(warning));
        }
    }
}

/// The signer, as documents name it.
pub(crate) fn signer_name(signed_by: SignedBy) -> &'static str {
    match signed_by {
        SignedBy::Member => "member",
        SignedBy::Organisation => "organisation",
        _ => "unknown",
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{GOOD}valid{GOOD:#}")?;
        let mut fields = Fields::new();
        fields.add("subject", &self.subject);
        if self.organisation_unicode != self.organisation {
            fields.add("organisation", &self.organisation_unicode);
        }
        fields.add(
            "signed by",
            match (self.signed_by, self.delegated) {
                ("member", _) => "the member",
                (_, false) => "the organisation, which names the member",
                (_, true) => "a delegate of the organisation, which names the member",
            },
        );
        match &self.purpose {
            Purpose::Token { claims, audience } => {
                fields.add("audience", Printable(audience));
                for (name, value) in claims.iter() {
                    fields.add(
                        "claim",
                        format_args!("{} = {}", Printable(name), Printable(value)),
                    );
                }
            }
            Purpose::Service { service } => {
                fields.add("service", service);
            }
        }
        fields.add("dialect", &self.dialect);
        fields.add("key", &self.key_algorithm);
        fields.add(
            "valid",
            format_args!("{} to {}", self.valid_from, self.valid_until),
        );
        fields.fmt(formatter)
    }
}
