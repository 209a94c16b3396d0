//! Entry points for the targets of `fuzz/`, behind the feature `fuzzing`; empty without it. `main.rs` is the program.
//!
//! The program is not built on this library: so it would be three per cent larger, as generic code that a library exports
//! is not inlined away.
#![cfg(feature = "fuzzing")]
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "commands are the program's")]

mod arguments;
mod commands;
mod destination;
mod doctor;
mod document;
mod duration;
mod fault;
mod hints;
mod input;
mod inspection;
mod json;
mod output;
mod private_key;
mod runtime;
#[cfg(unix)]
mod serve;
mod terminal;
mod timeline;
mod version;

#[cfg(unix)]
#[doc(hidden)]
pub use serve::fuzzing;
