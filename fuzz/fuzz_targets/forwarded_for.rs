//! Fuzzes the reader of `X-Forwarded-For` headers.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_api::fuzzing::forwarded_for(data));
