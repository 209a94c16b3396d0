//! The cryptographic primitives. This is the only module that calls a cryptographic back end.
//! `aws-lc-rs` is compatible with `ring` in everything that is used here.

pub(crate) mod digest;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub(crate) mod signature;
#[cfg(feature = "fuzzing")]
mod with_ring;

#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as back_end;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as back_end;

/// Fills `octets` with random octets. If the operating system has none, leaves them unchanged.
#[cfg(feature = "retrieve")]
pub(crate) fn fill_random(octets: &mut [u8]) {
    use back_end::rand::{SecureRandom as _, SystemRandom};
    let _ = SystemRandom::new().fill(octets);
}
