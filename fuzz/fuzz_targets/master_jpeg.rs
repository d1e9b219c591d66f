//! JPEG masters: headers, pixels, the index, stored and assembled tiles.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::master(&[b"\xff\xd8\xff"], bytes));
