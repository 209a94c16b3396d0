//! The JSON of tokens; what is read is written and read the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::token(octets));
