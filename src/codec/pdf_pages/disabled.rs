//! Builds that draw no pages: PDF files are refused.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::{DecodeLimits, Picture};
use crate::error::{Error, Result};
use crate::reader::RangeReader;

/// Refuses.
pub(in crate::codec) fn open(
    _: Arc<dyn RangeReader>,
    _: u32,
    _: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    Err(refusal())
}

/// Refuses.
///
/// # Errors
///
/// [`crate::error::ErrorKind::NotImplemented`].
pub fn draw_page(_: &str, _: impl Read, _: impl Write) -> Result<()> {
    Err(refusal())
}

/// Refuses.
///
/// # Errors
///
/// [`crate::error::ErrorKind::NotImplemented`].
pub fn serve_page(_: &str, _: impl Read, _: impl Write) -> Result<()> {
    Err(refusal())
}

/// Nothing is drawn.
pub fn draw_pages_by(_: impl Into<PathBuf>) {}

fn refusal() -> Error {
    Error::unsupported("this build draws no pages of PDF")
}
