//! The real binary, driven as people and programs drive it: exit status, stdout, stderr, files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "that is how tests fail"
)]

mod demo;
mod dnssec;
mod doctor;
mod domain_auth;
mod general;
mod keys;
mod kubectl;
mod member;
mod organisation;
mod renew;
mod resolver;
mod serve_audit;
mod serve_config;
mod serve_envoy;
mod serve_forward;
mod serve_kubernetes;
mod serve_monitoring;
mod serve_ops;
mod serve_reload;
mod serve_smuggling;
mod serve_verifier_api;
mod server;
mod serving;
mod signature;
mod support;
mod token;
