//! A bundle with one field replaced and signed again, so that it gets past the signatures: with a memory and without, the verdict is the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::resigned_bundle(octets));
