//! Findings about the size of what is made with the domain's chain. All sizes are in octets.

use crate::doctor::finding::Finding;

const SMALLER_CHAIN: &str = "Withdraw the TXT records of keys that are no longer in use. If the zone signs with RSA, have the DNS host change \
                             to algorithm 13 (ECDSAP256SHA256), whose signatures are a quarter as large.";

/// `member` and `organisation` are the sizes of tokens that they sign, with keys of these kinds.
pub(crate) fn measured(
    chain: usize,
    (member, member_key): (usize, &str),
    (organisation, organisation_key): (usize, &str),
) -> Finding {
    Finding::good(
        "size.measured",
        format!(
            "The chain has {chain} bytes. A token with it has {member} bytes signed by a member, {organisation} by \
             the organisation (keys: {member_key} and {organisation_key}).",
        ),
    )
    .with("chainOctets", chain)
    .with("memberOctets", member)
    .with("organisationOctets", organisation)
}

/// A member's token is larger than any server accepts.
pub(crate) fn bundle_too_large(octets: usize, most: usize) -> Finding {
    Finding::problem(
        "size.bundle_too_large",
        format!(
            "A member's token would have {octets} bytes, and no server accepts more than {most}."
        ),
    )
    .advise(SMALLER_CHAIN)
    .with("octets", octets)
    .with("maxOctets", most)
}

/// A member's token is larger than what servers usually take as a header.
pub(crate) fn header_large(octets: usize, usual: usize) -> Finding {
    Finding::note(
        "size.header_large",
        format!(
            "As an Authorization header, a member's token has {octets} bytes. Many HTTP servers and proxies stop at \
             {usual} unless told otherwise."
        ),
    )
    .advise(format!(
        "Raise that limit where tokens go: in nginx it is large_client_header_buffers, in Apache \
         LimitRequestFieldSize, in Node.js --max-http-header-size. {SMALLER_CHAIN}"
    ))
    .with("octets", octets)
    .with("usualOctets", usual)
}
