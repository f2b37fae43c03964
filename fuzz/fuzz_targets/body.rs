//! Fuzzes the reader of JSON request bodies.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_api::fuzzing::body(data));
