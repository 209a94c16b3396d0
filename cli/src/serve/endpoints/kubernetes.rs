//! The webhook token authenticator.

use serde::Deserialize;

/// `[kubernetes]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct KubernetesConfig {}
