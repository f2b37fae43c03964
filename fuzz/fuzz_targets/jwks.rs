//! Fuzzes the parser of the keys of a provider.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::jwks(data));
