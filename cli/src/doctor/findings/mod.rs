//! The texts of all findings, one file for each area: a finding's name, how much it matters, what it says and what to
//! do about it, as a function of the facts. When it is found, the modules of the areas decide.

pub(super) mod delegation;
pub(super) mod keys;
pub(super) mod record_text;
pub(super) mod records;
pub(super) mod resolver;
pub(super) mod signatures;
pub(super) mod size;

/// The end of a message that reports a failure: the resolver's own explanation, if it gave one (RFC 8914).
fn it_says(explanation: Option<String>) -> String {
    explanation
        .map(|text| format!(" It says: {text}."))
        .unwrap_or_default()
}
