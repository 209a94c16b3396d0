//! Zone-file lines, state files of RFC 5011, and root-anchors.xml.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::trust_anchors(octets));
