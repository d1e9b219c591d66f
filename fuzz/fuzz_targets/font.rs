//! Fonts of text overlays.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::font(bytes));
