//! Signatures with keys as DNSKEY records have them, by each back end.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::zone_signatures(octets));
