//! Envoy's CheckRequest.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::check_request(octets));
