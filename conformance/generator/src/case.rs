//! A case as it is written: the fields of `schema.json`.

use data_encoding::BASE64;
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One case of the suite.
#[derive(Serialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// The valid case that this one differs from; `None` for a valid case that others start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<String>,
    pub(crate) change: String,
    pub(crate) input: Value,
    pub(crate) expected: Value,
    /// The reason code of Kliento for Rust; other implementations have others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) rule: Rule,
    pub(crate) why: String,
    /// The readings, where the sources leave a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) debatable: Option<Vec<Reading>>,
}

/// The rule that a case rests on.
#[derive(Serialize)]
pub(crate) struct Rule {
    pub(crate) source: &'static str,
    pub(crate) section: &'static str,
}

/// One reading of sources that leave a choice.
#[derive(Serialize)]
pub(crate) struct Reading {
    pub(crate) verdict: &'static str,
    pub(crate) grounds: &'static str,
}

/// The input of a case, by its kind.
pub(crate) struct Input(Map<String, Value>);

impl Input {
    pub(crate) fn new(kind: &str, anchors: &str) -> Self {
        let anchors: Vec<&str> = anchors.lines().collect();
        let mut fields = Map::new();
        fields.insert("kind".to_owned(), json!(kind));
        fields.insert("anchors".to_owned(), json!(anchors));
        Self(fields)
    }

    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.insert(field.to_owned(), value.into());
        self
    }

    pub(crate) fn with_octets(self, field: &str, octets: &[u8]) -> Self {
        self.with(field, BASE64.encode(octets))
    }

    /// A period in seconds, inclusive at both ends.
    pub(crate) fn with_period(self, (from, until): (i64, i64)) -> Self {
        self.with("from", rfc3339(from))
            .with("until", rfc3339(until))
    }

    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// A time as RFC 3339 has it, in UTC.
pub(crate) fn rfc3339(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .expect("cases are of the years 0 to 9999")
        .format(&Rfc3339)
        .expect("RFC 3339 has these years")
}
