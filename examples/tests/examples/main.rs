//! The examples as users meet them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "that is how tests fail")]

// Every program with one command.
mod programs;
// The samples in the README.
mod readme;
