//! What a client sends, to a whole server.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::http::head(bytes));
