//! EXIF, XMP, IPTC and other metadata in JPEG and PNG, and in what is made of them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::metadata::metadata(bytes));
