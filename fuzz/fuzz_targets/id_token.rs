//! Fuzzes the check of ID tokens.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::id_token(data));
