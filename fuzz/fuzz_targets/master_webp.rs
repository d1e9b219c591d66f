//! WebP masters.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::master(&[b"RIFF"], bytes));
