//! VeraId and DomainAuth through the public API. Each module says what belongs there; none depends on another but
//! `support`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how tests fail"
)]

// Debug output.
mod debug;
// Delegates: what they may issue and sign, and what not.
mod delegation;
// What DomainAuth allows beyond VeraId, and what it refuses.
mod domain_auth;
// Attacks on DomainAuth by members, delegates and strangers.
mod domain_auth_attacks;
// What this crate issues and signs for DomainAuth.
mod domain_auth_round_trip;
// The table of the draft's demands in the documentation against the tests that it names.
mod domain_auth_table;
// What errors say, and whose fault they are.
mod errors;
// Bundles with one fault each, and the reason for which each is refused.
mod hostile;
// Key files of all kinds and with all faults.
mod keys;
// What other implementations write and must be read, though it is not all DER.
mod lenient;
// TXT records: reading, and selection among several.
mod records;
// Bundles that the reference library made.
mod reference;
// Bundles with a new DNSSEC chain.
mod renewal;
// Arbitrary and damaged octets.
mod robustness;
// What this crate issues and signs for VeraId.
mod round_trip;
// A bundle whose every field can be set, and is then signed as it stands.
mod support;
// Periods, and the TTL override.
mod times;
// What a verifier remembers.
mod verifier;
