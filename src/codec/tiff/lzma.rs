//! LZMA tiles: xz streams, as libtiff writes them.
//!
//! Source: The .xz File Format 1.2.1; libtiff's registered tag 34925.

use lzma_rust2::{Action, XzStream};

use crate::error::{Error, ErrorKind, Result};

/// The largest dictionary that xz's own presets ask for, and the decoder around it, in KiB.
const MOST_KIB: u32 = 66 << 10;

/// Bytes that the state takes, for prices.
pub(super) const STATE_BYTES: u64 = (MOST_KIB as u64) << 10;

/// One lane's decompressor.
pub(super) struct Lzma(XzStream);

impl Lzma {
    /// A decompressor before its first byte.
    pub(super) fn new() -> Self {
        Self(XzStream::new_mem_limit(false, MOST_KIB))
    }

    /// Turns some of `bytes` into some of `out`: how many of each.
    pub(super) fn step(&mut self, bytes: &[u8], out: &mut [u8]) -> Result<(usize, usize)> {
        let done = self.0.process(bytes, out, Action::Run).map_err(|cause| {
            if cause.kind() == std::io::ErrorKind::OutOfMemory {
                let words = "the source image's LZMA needs more memory than the limit";
                return Error::new(ErrorKind::TooLarge, words).with_source(cause);
            }
            Error::corrupt("an LZMA tile is damaged").with_source(cause)
        })?;
        Ok((done.bytes_consumed, done.bytes_produced))
    }
}
