//! Fuzzes the parser of refresh tokens.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::refresh_token(data));
