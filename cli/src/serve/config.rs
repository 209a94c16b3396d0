//! The configuration: a TOML file, the flags of the common case, and what both come to.

use serde::Deserialize;

use super::endpoints::kubernetes::KubernetesConfig;
use super::endpoints::rules::RuleConfig;
use super::endpoints::verifier_api::VerifierApiConfig;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct ConfigFile {
    pub(crate) verifier: VerifierApiConfig,
    pub(crate) rules: Vec<RuleConfig>,
    pub(crate) kubernetes: Option<KubernetesConfig>,
}
