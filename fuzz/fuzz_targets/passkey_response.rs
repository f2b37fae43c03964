//! Fuzzes what reads and verifies the responses of browsers to the ceremonies of passkeys.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portico_domain::fuzzing::passkey_response(data));
