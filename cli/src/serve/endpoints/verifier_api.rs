//! The API of Kliento Verifier.

use serde::Deserialize;

/// `[verifier]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct VerifierApiConfig {
    /// Whether it is served.
    pub(crate) enabled: bool,
}
