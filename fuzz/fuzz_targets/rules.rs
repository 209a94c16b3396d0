//! The rule for a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::rules(octets));
