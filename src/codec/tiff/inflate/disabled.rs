//! No library for whole zlib streams in this build: they go piece by piece.

/// Decompresses nothing.
pub(in crate::codec::tiff) struct Whole;

impl Whole {
    /// The same as no decompressor.
    pub(in crate::codec::tiff) fn new() -> Self {
        Self
    }

    /// Never fills `out`.
    #[expect(clippy::unused_self, reason = "the other build's form has a state")]
    pub(in crate::codec::tiff) fn fill(&mut self, _: &[u8], _: &mut [u8]) -> bool {
        false
    }
}
