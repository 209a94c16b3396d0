//! The text of TXT records, in both dialects; what is read is written the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::txt_record(octets));
