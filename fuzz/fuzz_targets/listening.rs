//! Fuzzes the settings of the API.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_api::fuzzing::listening(data));
