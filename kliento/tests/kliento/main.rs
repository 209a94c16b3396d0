//! Tokens, verifiers, HTTP layers and clients through the public API. Each module says what belongs there.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how tests fail"
)]

// Base64 with the processor's vectors and without.
mod base64;
// What a verifier remembers.
mod cache;
// Sources of tokens, and requests with them.
mod client;
// Debug output.
mod debug;
// What errors say, and whose fault they are.
mod errors;
// HTTP and gRPC: a module for each framework, and one for the queue that they share.
mod http_axum;
mod http_headers;
mod http_queue;
mod http_support;
mod http_tonic;
mod http_tower;
mod http_tracing;
// The whole procedure against a model of it, on random worlds.
mod model;
// Tokens that the reference library made.
mod reference;
// Requirements beyond a valid token.
mod requirements;
// The sizes in the documentation against real bundles.
mod sizes;
// The feature `testing`, which users' tests rest on.
mod testing;
// Tokens that are accepted and refused.
mod verification;
// The cost of bundles, and the limit on it.
mod work;
