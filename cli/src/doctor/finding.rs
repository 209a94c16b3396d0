//! Findings of an examination: each once, with a stable name, and with what to do about it.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// As it should be.
    Good,
    /// Worth knowing; nothing needs doing.
    Note,
    /// It works, but not for everybody, or not for long.
    Warning,
    /// Nothing that is signed for the domain will be accepted until this is mended.
    Problem,
}

/// The area that a finding is about, in the order in which people read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Area {
    Resolver,
    Delegation,
    Keys,
    Signatures,
    Records,
    Size,
}

impl Area {
    pub(crate) const ALL: [Self; 6] = [
        Self::Resolver,
        Self::Delegation,
        Self::Keys,
        Self::Signatures,
        Self::Records,
        Self::Size,
    ];

    /// The first part of its findings' names.
    fn prefix(self) -> &'static str {
        match self {
            Self::Resolver => "resolver",
            Self::Delegation => "delegation",
            Self::Keys => "keys",
            Self::Signatures => "signatures",
            Self::Records => "records",
            Self::Size => "size",
        }
    }
}

/// The heading that its findings stand under.
impl fmt::Display for Area {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Resolver => "The resolver that was asked",
            Self::Delegation => "The way from the DNS root to the domain",
            Self::Keys => "The zone's DNSSEC keys",
            Self::Signatures => "The DNSSEC signatures",
            Self::Records => "The organisation's records",
            Self::Size => "The size of what is made with it",
        })
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    /// A stable dotted name, such as `records.no_match`. Its first part is the area's.
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// The finding in words for somebody who has never dealt with DNSSEC.
    pub(crate) message: String,
    /// Advice: who has to do what about it.
    pub(crate) advice: Option<String>,
    /// Lines to hand on exactly as they are: DS records for the registrar, TXT records for the DNS host.
    pub(crate) publish: Vec<String>,
    /// The numbers and names in the message, for programs.
    pub(crate) data: Map<String, Value>,
}

impl Finding {
    pub(crate) fn new(id: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            id,
            severity,
            message: message.into(),
            advice: None,
            publish: Vec::new(),
            data: Map::new(),
        }
    }

    pub(crate) fn good(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Severity::Good, message)
    }

    pub(crate) fn note(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Severity::Note, message)
    }

    pub(crate) fn warning(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Severity::Warning, message)
    }

    pub(crate) fn problem(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Severity::Problem, message)
    }

    /// Says what to do.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Adds lines to hand on as they are.
    pub(crate) fn publish(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.publish.extend(lines);
        self
    }

    /// Adds something for programs.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn is_problem(&self) -> bool {
        self.severity == Severity::Problem
    }

    /// Its area, by the first part of its name.
    pub(crate) fn area(&self) -> Area {
        Area::ALL
            .into_iter()
            .find(|area| self.id.split('.').next() == Some(area.prefix()))
            .unwrap_or(Area::Delegation)
    }
}

/// A finding as `--json` has it.
#[derive(Serialize)]
struct FindingDocument<'f> {
    id: &'static str,
    area: Area,
    severity: Severity,
    message: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'f str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    publish: &'f [String],
    #[serde(skip_serializing_if = "Map::is_empty")]
    data: &'f Map<String, Value>,
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FindingDocument {
            id: self.id,
            area: self.area(),
            severity: self.severity,
            message: &self.message,
            advice: self.advice.as_deref(),
            publish: &self.publish,
            data: &self.data,
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_first_part_of_the_name() {
        for area in Area::ALL {
            let id: &'static str = format!("{}.something", area.prefix()).leak();
            assert_eq!(Finding::note(id, "").area(), area);
        }
    }

    #[test]
    fn a_program_reads_only_what_there_is() {
        let plain = serde_json::to_value(Finding::good("keys.sound", "All is well.")).unwrap();
        assert_eq!(
            plain,
            serde_json::json!({
                "id": "keys.sound", "area": "keys", "severity": "good", "message": "All is well.",
            })
        );
        let full = Finding::problem("delegation.no_ds", "No DS.")
            .advise("Add it.")
            .publish(["a. IN DS 1 13 2 00".to_owned()])
            .with("zone", "a.");
        let full = serde_json::to_value(full).unwrap();
        assert_eq!(full["advice"], "Add it.");
        assert_eq!(full["publish"][0], "a. IN DS 1 13 2 00");
        assert_eq!(full["data"]["zone"], "a.");
    }
}
