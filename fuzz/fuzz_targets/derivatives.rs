//! Files of derivatives, as they are read from the cache's folder.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::derivatives(bytes));
