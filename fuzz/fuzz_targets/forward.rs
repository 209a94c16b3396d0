//! Requests over HTTP to the endpoints of proxies and to the verifier API.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::forward(octets));
