//! Rules.

use serde::Deserialize;

/// `[[rules]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RuleConfig {}

impl RuleConfig {
    /// What `--allow PATTERN`, given any number of times, comes to: any host and path, for these subjects.
    pub(crate) fn allowing(_subjects: Vec<String>) -> Self {
        Self {}
    }
}
