//! JPEG XL masters.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::master(
    &[b"\xff\x0a", b"\0\0\0\x0cJXL "],
    bytes
));
