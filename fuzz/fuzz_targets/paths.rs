//! The path of a rule, and that of a request, in the readings of servers.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::paths(octets));
