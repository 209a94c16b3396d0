//! A DNS message, and all records in it (RFC 1035).
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::dns_message(octets));
