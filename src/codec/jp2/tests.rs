//! Pixels against OpenJPEG's own program, windows against wholes, and files made to do harm.

mod colours;
mod components;
mod damaged;
mod hostile;
mod made;
#[path = "../../../tests/oracle/openjpeg.rs"]
mod openjpeg;
mod pixels;

use std::path::Path;

use super::*;
use crate::error::ErrorKind;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/jp2")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn open_bytes(bytes: Vec<u8>) -> Result<Arc<dyn Picture>> {
    open(Arc::new(bytes), &DecodeLimits::default())
}

/// The kind of error that opening gives, or `None`.
fn refusal(bytes: Vec<u8>) -> Option<ErrorKind> {
    open_bytes(bytes).err().map(|error| error.kind())
}

#[test]
fn a_signature_box_and_a_code_stream_match_and_others_do_not() {
    assert!(matches(&fixture("file9.jp2")));
    assert!(matches(&fixture("p0_01.j2k")));
    assert!(!matches(b"\xFF\xD8\xFF\xE0"));
    assert!(!matches(b"\0\0\0\x0cJXL \r\n\x87\n"));
    assert!(!matches(b""));
}
