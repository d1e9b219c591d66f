//! Whole zlib streams through libdeflate: twice as fast as piece by piece.

use libdeflater::Decompressor;

/// Decompresses whole streams; kept from tile to tile.
pub(in crate::codec::tiff) struct Whole(Decompressor);

impl Whole {
    /// A decompressor.
    pub(in crate::codec::tiff) fn new() -> Self {
        Self(Decompressor::new())
    }

    /// Fills `out` with what `bytes` hold and says whether they hold exactly that; otherwise what `out`
    /// holds means nothing.
    pub(in crate::codec::tiff) fn fill(&mut self, bytes: &[u8], out: &mut [u8]) -> bool {
        self.0.zlib_decompress(bytes, out) == Ok(out.len())
    }
}
