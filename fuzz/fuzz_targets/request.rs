//! Paths of image requests, in every version.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::request(bytes));
