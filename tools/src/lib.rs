//! The parts that the programs of this package share with each other, with benchmarks and with tests.
//!
//! | program | measures or compares |
//! |---|---|
//! | `bundle_differential` | verdicts on random bundles beside those of another implementation |
//! | `bundle_sizes` | the octets of token bundles: the tables of `kliento/src/sizes.md` |
//! | `conformance` | the verdicts on the conformance cases, for `conformance/run` |
//! | `costliest` | the costliest hostile chain beside the costliest honest one |
//! | `costliest_bundle` | the costliest hostile bundle beside an ordinary one |
//! | `differential` | verdicts on DNSSEC chains beside those of Unbound, BIND and hickory |
//! | `growth` | the growth of costs with each part of a bundle, for Callgrind to count |
//! | `openssl_exchange` | keys, certificates and signatures to and from OpenSSL |
//! | `timed_bundles` | tokens for other verifiers to be timed with |
//! | `verification_time` | the time that verification takes, by key algorithm |
//! | `work` | single operations, for Callgrind to count |
//!
//! `cargo run --release -p kliento-tools --bin NAME` runs one; the first lines of its source say what it takes.

pub mod bundle_sizes;
pub mod hostile;
pub mod realistic;
