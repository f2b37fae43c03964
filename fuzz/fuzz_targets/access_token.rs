//! Fuzzes the check of access tokens.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::access_token(data));
