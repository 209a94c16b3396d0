//! Signature bundles, member id bundles and token bundles, with all that is in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::bundle(octets));
