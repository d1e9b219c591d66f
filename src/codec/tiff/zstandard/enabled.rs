//! The reference library: whole frames at once where they fit a block, else piece by piece.

use std::io;

use zstd::bulk::Decompressor;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

use crate::error::{Error, Result};

use super::WINDOW_LOG;

/// One lane's decompressor.
pub(in crate::codec::tiff) struct Zstandard {
    whole: Option<Decompressor<'static>>,
    pieces: Option<Decoder<'static>>,
}

impl Zstandard {
    /// A decompressor before its first byte.
    pub(in crate::codec::tiff) fn new() -> Self {
        Self {
            whole: None,
            pieces: None,
        }
    }

    /// Gets ready for the next tile.
    pub(in crate::codec::tiff) fn begin(&mut self) -> Result<()> {
        match &mut self.pieces {
            Some(pieces) => pieces.reinit().map_err(|cause| damaged(&cause)),
            None => Ok(()),
        }
    }

    /// Fills `out` with what `bytes` hold and says whether they hold exactly that; otherwise what `out`
    /// holds means nothing.
    pub(in crate::codec::tiff) fn fill_whole(&mut self, bytes: &[u8], out: &mut [u8]) -> bool {
        if self.whole.is_none() {
            self.whole = Decompressor::new().ok();
        }
        let filled = self
            .whole
            .as_mut()
            .and_then(|whole| whole.decompress_to_buffer(bytes, out).ok());
        filled == Some(out.len())
    }

    /// Turns some of `bytes` into some of `out`: how many of each.
    pub(in crate::codec::tiff) fn step(
        &mut self,
        bytes: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize)> {
        let pieces = match &mut self.pieces {
            Some(pieces) => pieces,
            none => none.insert(bounded().map_err(|cause| damaged(&cause))?),
        };
        let (mut input, mut output) = (InBuffer::around(bytes), OutBuffer::around(out));
        pieces
            .run(&mut input, &mut output)
            .map_err(|cause| damaged(&cause))?;
        Ok((input.pos(), output.pos()))
    }
}

/// A decoder that refuses frames of a longer reach than it is priced for.
fn bounded() -> io::Result<Decoder<'static>> {
    let mut decoder = Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
    Ok(decoder)
}

fn damaged(cause: &io::Error) -> Error {
    Error::corrupt("a Zstandard tile is damaged").with_source(cause.to_string())
}
