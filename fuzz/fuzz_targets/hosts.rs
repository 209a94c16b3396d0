//! Hosts of rules, and that of a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::hosts(octets));
