//! An AuthenticationChain of RFC 9102, verified under fixed anchors.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::authentication_chain(octets));
