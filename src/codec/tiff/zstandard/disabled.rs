//! No library: such files are refused when they are opened.

use crate::error::{Error, Result};

/// Decompresses nothing.
pub(in crate::codec::tiff) struct Zstandard;

#[expect(clippy::unused_self, reason = "the other build's form has a state")]
impl Zstandard {
    /// The same as no decompressor.
    pub(in crate::codec::tiff) fn new() -> Self {
        Self
    }

    /// Is never called.
    pub(in crate::codec::tiff) fn begin(&mut self) -> Result<()> {
        Err(Error::internal("reading Zstandard without its library"))
    }

    /// Never fills `out`.
    pub(in crate::codec::tiff) fn fill_whole(&mut self, _: &[u8], _: &mut [u8]) -> bool {
        false
    }

    /// Is never called.
    pub(in crate::codec::tiff) fn step(
        &mut self,
        _: &[u8],
        _: &mut [u8],
    ) -> Result<(usize, usize)> {
        Err(Error::internal("reading Zstandard without its library"))
    }
}
