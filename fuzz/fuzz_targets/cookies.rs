//! Fuzzes the reader of cookie headers.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_api::fuzzing::cookies(data));
