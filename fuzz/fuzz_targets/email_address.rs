//! Fuzzes the parser of email addresses.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::email_address(data));
