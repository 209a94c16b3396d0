//! Tokens on the client's side, through the public API: sources of each kind, and requests of `reqwest` to real servers on
//! loopback. Time is injected; nothing here waits for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "that is how tests fail"
)]

mod command;
mod file;
mod requests;
mod signer;
mod source;
mod support;
