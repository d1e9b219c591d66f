//! A code-block's codeword segments → its quantised wavelet coefficients.
//!
//! Two coders: the embedded bit-plane coder with the MQ coder beneath it (ISO/IEC 15444-1, annexes C
//! and D) and the high-throughput coder (ISO/IEC 15444-15). Which bytes and how many passes a block
//! has is the packets' business; steps, regions of interest and wavelets are others'.
//!
//! A caller may rely on this: every coefficient of the block is written, whatever the bytes are;
//! damaged bytes give wrong coefficients or a typed error, and work is bounded by the passes.

#![expect(
    clippy::inline_always,
    reason = "decisions are single instructions of loops whose state has to stay in registers"
)]

mod context;
mod ht;
mod mq;
mod neighbours;
mod passes;
mod planes;
mod raw;

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};

use ht::HighThroughput;
use planes::Planes;

/// Longest side of a code-block (ISO/IEC 15444-1 Table A.18).
const MAX_SIDE: u32 = 1024;
/// Most samples of a code-block (Table A.18), rows filled up to stripes of four.
const MAX_SAMPLES: u64 = 4096;
/// Most magnitude bit-planes: with a fractional bit they fill an `i32`.
const MAX_PLANES: u8 = 30;

/// Which way a sub-band is filtered (ISO/IEC 15444-1 B.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Band {
    /// Low-pass both ways.
    Ll,
    /// Horizontally high-pass.
    Hl,
    /// Vertically high-pass.
    Lh,
    /// High-pass both ways.
    Hh,
}

/// A code-block's style: the bits of `SPcod` (ISO/IEC 15444-1 Table A.19, ISO/IEC 15444-15).
///
/// Two of them need nothing here: that every pass ends its segment (4), which segments show, and that
/// segments end in a predictable way (16), which a decoder may check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Modes(pub(super) u8);

impl Modes {
    /// Selective arithmetic coding bypass.
    pub(super) const BYPASS: u8 = 1;
    /// Contexts start anew with every pass.
    pub(super) const RESET: u8 = 2;
    /// Contexts do not look into the stripe below.
    pub(super) const CAUSAL: u8 = 8;
    /// Four known symbols end every clean-up pass.
    pub(super) const SYMBOLS: u8 = 32;
    /// The high-throughput coder.
    pub(super) const HIGH_THROUGHPUT: u8 = 64;

    /// Whether all bits of `mode` are set.
    pub(super) const fn has(self, mode: u8) -> bool {
        self.0 & mode == mode
    }
}

/// One codeword segment: its bytes, joined over all layers, and how many passes they hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    /// The bytes between two terminations of the coder.
    pub(super) bytes: &'a [u8],
    /// The coding passes in them.
    pub(super) passes: u8,
}

/// One code-block, as its packets give it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// Columns, 1 to 1024.
    pub(super) width: u32,
    /// Rows, 1 to 1024; width × height is at most 4096.
    pub(super) height: u32,
    /// The sub-band, which decides contexts.
    pub(super) band: Band,
    /// How it is coded.
    pub(super) modes: Modes,
    /// Magnitude bit-planes that are coded: the sub-band's less the block's missing ones.
    pub(super) planes: u8,
    /// The codeword segments in their order.
    pub(super) segments: &'a [Segment<'a>],
}

impl Block<'_> {
    /// Whether the block can be decoded in 32 bits and in the scratch that there is.
    fn check(&self) -> Result<()> {
        let stripes = self.height.div_ceil(4);
        let samples = u64::from(self.width) * u64::from(stripes) * 4;
        if self.width > MAX_SIDE || self.height > MAX_SIDE || samples > MAX_SAMPLES {
            return Err(Error::corrupt("a code-block is too large"));
        }
        if self.planes > MAX_PLANES {
            return Err(Error::unsupported("it has more than 30 bit-planes"));
        }
        Ok(())
    }
}

/// A decoder of code-blocks: scratch that is used again from block to block on one thread.
#[derive(Debug)]
pub(super) struct Decoder {
    planes: Box<Planes>,
    high_throughput: Option<Box<HighThroughput>>,
}

impl Decoder {
    /// A decoder with its scratch.
    pub(super) fn new() -> Self {
        Self {
            planes: Box::new(Planes::new()),
            high_throughput: None,
        }
    }

    /// Decodes `block` into `out`, whose rows lie `stride` apart.
    ///
    /// Units: half a quantisation step, signed, at the middle of the interval that the decoded
    /// planes leave: 3 is one and a half. A reversible coefficient is half of it, towards zero.
    /// Source: ISO/IEC 15444-1 annexes C and D, E.1.1 with r = ½.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] for sizes that no block has and for segments that the
    /// high-throughput coder's syntax forbids, [`crate::error::ErrorKind::NotImplemented`] for more
    /// than 30 bit-planes.
    pub(super) fn decode(
        &mut self,
        block: &Block<'_>,
        out: &mut [i32],
        stride: usize,
    ) -> Result<()> {
        block.check()?;
        if block.modes.has(Modes::HIGH_THROUGHPUT) {
            return self
                .high_throughput
                .get_or_insert_with(|| Box::new(HighThroughput::new()))
                .decode(block, out, stride);
        }
        self.planes.decode(block, out, stride)
    }
}
