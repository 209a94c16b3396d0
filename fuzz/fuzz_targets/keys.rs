//! Public and private keys, in DER and in PEM.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::keys(octets));
