//! Tokens on the client's side, through the public API: sources of each kind, and requests of `reqwest` to real servers on
//! loopback. Time is injected; nothing here waits for it.

mod command;
mod file;
mod requests;
mod signer;
mod source;
mod support;
