//! Files of remembered levels, as they are read from the cache's folder.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::levels(bytes));
