//! Signatures with keys as certificates have them, by each back end.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::signatures(octets));
