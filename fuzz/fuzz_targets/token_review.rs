//! A TokenReview of Kubernetes.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| kliento_fuzz::token_review(octets));
