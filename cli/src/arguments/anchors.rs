//! Trust anchors.

use clap::Args;
use dnssec::AnchorError;
use kliento::veraid::TrustAnchors;

use crate::fault::Fault;
use crate::input::Source;
use crate::terminal;

/// The trust anchors.
#[derive(Args, Debug)]
pub(crate) struct AnchorArguments {
    /// Trust these keys for the DNS root in place of the built-in ones of IANA: DS or DNSKEY lines, Unbound's
    /// auto-trust-anchor-file, or root-anchors.xml.
    #[arg(long, value_name = "FILE")]
    trust_anchors: Option<Source>,
}

impl AnchorArguments {
    /// The file they are read from, if they are not built in.
    pub(crate) fn source(&self) -> Option<&Source> {
        self.trust_anchors.as_ref()
    }

    pub(crate) fn load(&self) -> Result<TrustAnchors, Fault> {
        match &self.trust_anchors {
            Some(source) => trust_anchors(source),
            None => Ok(TrustAnchors::iana()),
        }
    }
}

/// Reads trust anchors; the caller looks at [`TrustAnchors::left_out`].
pub(crate) fn read_trust_anchors(source: &Source) -> Result<TrustAnchors, Fault> {
    let text = source.read_text()?;
    text.parse()
        .map_err(|error: AnchorError| Fault::in_file(source, &error).hint(error.hint()))
}

/// Reads trust anchors, and warns of keys that RFC 5011 does not trust.
fn trust_anchors(source: &Source) -> Result<TrustAnchors, Fault> {
    let anchors = read_trust_anchors(source)?;
    for key in anchors.left_out() {
        terminal::warn(format_args!("{source}: {key}, and was left out"));
    }
    Ok(anchors)
}
