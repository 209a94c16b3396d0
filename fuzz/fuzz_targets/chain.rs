//! A DNSSEC chain: a SET OF OCTET STRING of DNS messages, verified under fixed anchors.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::chain(octets));
