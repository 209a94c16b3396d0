//! Times, periods, services, audiences and subjects as text.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::texts(octets));
