//! JPEG 2000 masters: boxes, headers, packets, code-blocks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::master(
    &[b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"],
    bytes
));
