//! Identifiers, down to files.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::identifier(bytes));
