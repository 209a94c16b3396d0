//! A whole token bundle with octets changed: it never verifies as anybody else, with a cache or without.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::verified_bundle(octets));
