//! The validator through its public API. Each module says what belongs there; none depends on another but `support`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how tests fail"
)]

// Answers behind CNAME and DNAME.
mod alias;
// Limits on how long signatures may be valid.
mod demand;
// NSEC and NSEC3: what they prove and what they do not.
mod denial;
// The forms in which chains come, and what a demand limits.
mod forms;
// Messages that `hickory-proto` must read as we do.
mod hickory;
// Chains that must not verify: tables of attacks, each with its reason.
mod hostile;
// Proofs that a name is insecure: when they hold, and that nobody takes them for more.
mod insecure;
// Chains that are unusual and must verify.
mod legal;
// What `Chain::minimal` and `Chain::to_authentication_chain` keep.
mod minimal;
// Random zones against a naive model.
mod model;
// Attacks that have a name or a number.
mod published_attacks;
// Chains of the public DNS.
mod recorded;
// Retrieval from resolvers on loopback.
#[cfg(feature = "retrieve")]
mod retrieve;
// The test vectors of RFC 9102.
mod rfc9102;
// Arbitrary octets, and bounds on size and work.
mod robust;
// Key and algorithm rollovers.
mod rollover;
// The table of conditions in the source against the functions that it names.
mod rrsig_conditions;
// A world to start from, verification in one call, and `Attempt`: a chain with one thing changed.
mod support;
// Verdicts that must not depend on what else is in the chain.
mod verdicts;
// Chains that must verify, and for which seconds.
mod verify;
// Answers from wildcards.
mod wildcard;
// The cost of look-ups, and limits on it.
mod work;
