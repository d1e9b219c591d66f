//! Pages of PDF files, drawn in this process.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triforium_fuzz::pdf::page(bytes));
