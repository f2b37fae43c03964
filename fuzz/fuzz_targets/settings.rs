//! Fuzzes the settings of the domain crate.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::settings(data));
