//! What `kliento --version` says beyond the number: which build this is, and whom it trusts without being told.

use std::fmt::Write as _;

use dnssec::TrustAnchors;

/// The commit that this was built from, if whoever built it said so: a build from source finds out nothing by itself,
/// so that the same source gives the same program.
const COMMIT: Option<&str> = option_env!("KLIENTO_COMMIT");

/// The version, and below it the commit, the cryptographic back ends and the trust anchors that are built in.
pub(crate) fn long() -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    let mut add = |name: &str, value: &str| {
        // Writing to memory never fails.
        let _ = write!(text, "\n{name}: {value}");
    };
    if let Some(commit) = COMMIT {
        add("commit", commit);
    }
    add("cryptography", &back_ends().join(", "));
    let anchors: Vec<String> = TrustAnchors::iana()
        .iter()
        .map(|anchor| format!("{} {}", anchor.key_tag(), anchor.algorithm()))
        .collect();
    let date = TrustAnchors::IANA_DATE.to_string();
    let date = date.split('T').next().unwrap_or_default();
    add(
        "trust anchors",
        &format!("root keys {} (IANA, {date})", anchors.join(", ")),
    );
    text
}

/// The cryptographic back ends in this build, by the names of their features.
fn back_ends() -> Vec<&'static str> {
    [
        (cfg!(feature = "aws-lc-rs"), "aws-lc-rs"),
        (cfg!(feature = "ring"), "ring"),
        (cfg!(feature = "oqs"), "oqs"),
    ]
    .into_iter()
    .filter_map(|(is_built, name)| is_built.then_some(name))
    .collect()
}
