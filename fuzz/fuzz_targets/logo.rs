//! Fuzzes the decoder of uploaded logos.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::logo(data));
