//! AVIF and HEIC masters.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Before it stands a box's length.
    if bytes.get(4..8) == Some(b"ftyp") {
        triforium_fuzz::master(&[b""], bytes);
    }
});
