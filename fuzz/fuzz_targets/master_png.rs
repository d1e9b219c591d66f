//! PNG masters.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::master(&[b"\x89PNG\r\n\x1a\n"], bytes));
