//! Domain names, in text and wire form; organisations and members.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::names(octets));
