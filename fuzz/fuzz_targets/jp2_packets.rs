//! JPEG 2000: packets behind good headers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::jp2::packets(bytes));
