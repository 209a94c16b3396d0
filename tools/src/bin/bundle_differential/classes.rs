//! Known classes of differences between our verdicts and the reference's.

use kliento_fixture_cases::tables::find_rule;
use serde_json::Value;

/// Differences of one kind.
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
    /// The rule that says who is right, and why; `None` if nobody has looked at it yet.
    pub(crate) rule: Option<(String, String)>,
}

impl Class {
    pub(crate) fn is_known(&self) -> bool {
        self.rule.is_some()
    }
}

pub(crate) fn is_valid(verdict: &Value) -> bool {
    verdict["verdict"] == "valid"
}

/// The class of a difference; `None` if there is none.
pub(crate) fn of(ours: &Value, theirs: &Value) -> Option<Class> {
    let reason = |verdict: &Value| verdict["reason"].as_str().unwrap_or_default().to_owned();
    match (is_valid(ours), is_valid(theirs)) {
        (false, false) => None,
        (true, true) => ["organisation", "user", "signedBy"]
            .into_iter()
            .find(|field| ours[field] != theirs[field])
            .map(|field| Class {
                name: format!("other {field}"),
                ours: format!("{field} {}", ours[field]),
                theirs: format!("{field} {}", theirs[field]),
                rule: None,
            }),
        (false, true) => {
            let reason = reason(ours);
            let rule = find_rule("veraid", &reason);
            Some(Class {
                name: format!("lenient {reason}"),
                ours: format!("`{reason}`"),
                theirs: "accepts".to_owned(),
                rule: rule.map(|rule| {
                    let source = format!("{}, {}", rule.source, rule.section);
                    (source, rule.why.to_owned())
                }),
            })
        }
        (true, false) => {
            let reason = reason(theirs);
            let known = STRICTER.iter().find(|known| reason.contains(known.message));
            Some(Class {
                name: match known {
                    Some(known) => format!("strict {}", known.message),
                    None => format!("strict {reason}"),
                },
                ours: "accepts".to_owned(),
                theirs: known.map_or(reason, |known| format!("\"{}\"", known.message)),
                rule: known.map(|known| (known.rule.to_owned(), known.why.to_owned())),
            })
        }
    }
}

/// A refusal by the reference of what we accept.
struct Stricter {
    /// A part of its message.
    message: &'static str,
    rule: &'static str,
    why: &'static str,
}

const STRICTER: &[Stricter] = &[
    Stricter {
        message: "RDATA should have at least 3 space-separated fields",
        rule: "VeraId v1, 7.4, step 3",
        why: "One record must identify the organisation's key; what else is at that name does not matter.",
    },
    Stricter {
        message: "One of intermediate certificates is not a CA certificate",
        rule: "Kliento for Rust, X.509",
        why: "The certificate's key usage lacks keyCertSign, and the certificate issues no other here: the organisation itself signs.",
    },
    Stricter {
        message: "The certificate is either not yet valid or expired",
        rule: "VeraId v1, 6.3; 7.4, step 7",
        why: "All is valid together at a second of the verifier's period; the reference compares certificates with the present.",
    },
    Stricter {
        message: "Chain is missing VeraId TXT response",
        rule: "RFC 4343, 3",
        why: "Domain names are compared without case; the reference compares the certificate's with case.",
    },
];
