//! JPEG 2000: the codeword of one code-block behind good headers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::jp2::block(bytes));
