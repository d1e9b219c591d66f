//! TIFF and BigTIFF masters: directories, every compression, stored and assembled tiles.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::master(
    &[b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"],
    bytes
));
