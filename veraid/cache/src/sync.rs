//! The atomics of the store: those of the standard library or, in the tests of `schedules.rs`, those that shuttle
//! schedules.

#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64};
