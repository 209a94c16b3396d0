//! The same code with the back end that comes second, so that fuzz targets can compare the two.
#![allow(
    clippy::duplicate_mod,
    dead_code,
    reason = "a build has one back end otherwise"
)]

use ring as back_end;

#[path = "digest.rs"]
pub(super) mod digest;
#[path = "signature.rs"]
pub(super) mod signature;
