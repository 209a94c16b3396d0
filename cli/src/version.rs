//! The text of `kliento --version` beyond the number: the build, and the trust anchors that are built in.

use std::fmt::Write as _;

use dnssec::TrustAnchors;

/// The commit that this was built from, if the builder said so: a build from source finds out nothing by itself,
/// so that the same source gives the same program.
const COMMIT: Option<&str> = option_env!("KLIENTO_COMMIT");

/// The cryptographic back end, by the name of its crate.
pub(crate) const BACK_END: &str = "aws-lc-rs";

/// The version, and below it the commit, the cryptographic back end and the trust anchors that are built in.
pub(crate) fn long() -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    let mut add = |name: &str, value: &str| {
        // Writing to memory never fails.
        let _ = write!(text, "\n{name}: {value}");
    };
    if let Some(commit) = COMMIT {
        add("commit", commit);
    }
    add("cryptography", BACK_END);
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
