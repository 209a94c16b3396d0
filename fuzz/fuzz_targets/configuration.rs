//! The configuration of `kliento serve`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::configuration(octets));
