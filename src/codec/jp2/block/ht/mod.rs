//! A high-throughput code-block's segments → its coefficients.
//!
//! Source: ISO/IEC 15444-15, clause 7. One clean-up segment gives all bit-planes but the last one
//! that is coded; a refinement segment, where there is one, adds significance propagation and
//! refinement for the plane below.

mod bits;
mod cleanup;
mod codes;
mod mel;
mod refine;
mod tables;

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};

use super::neighbours::WORDS;
use super::{Block, Modes, Segment};
use bits::Flat;
use cleanup::Rows;

/// Most bytes that MEL and VLC codewords may share (clause 7.1.1, `Scup`).
const MAX_SHARED: usize = 4079;

/// Scratch of the high-throughput decoder.
#[derive(Debug)]
pub(super) struct HighThroughput {
    /// The bits of magnitudes and signs; of significance propagation later.
    forward: Flat,
    /// The VLC codewords; the bits of refinement later.
    backward: Flat,
    rows: Rows,
    /// Significant samples, in the words of [`super::neighbours`].
    significant: [u64; WORDS],
}

/// The three parts of a clean-up segment (clause 7.1.1).
struct Parts<'a> {
    magnitudes: &'a [u8],
    /// The MEL codewords from its start and the VLC codewords from its end.
    shared: &'a [u8],
}

fn parts(bytes: &[u8]) -> Result<Parts<'_>> {
    let damaged = || Error::corrupt("a high-throughput segment is damaged");
    let &[.., low, high] = bytes else {
        return Err(damaged());
    };
    let shared = usize::from(high) << 4 | usize::from(low & 0xF);
    if !(2..=MAX_SHARED).contains(&shared) {
        return Err(damaged());
    }
    let split = bytes.len().checked_sub(shared).ok_or_else(damaged)?;
    let (magnitudes, shared) = bytes.split_at(split);
    Ok(Parts { magnitudes, shared })
}

/// The segments that say anything: clean-up, then refinement. Magnitudes below the last bit-plane
/// are not refined.
fn segments<'a>(block: &Block<'a>) -> Result<Option<(&'a [u8], Segment<'a>)>> {
    let mut filled = block.segments.iter().filter(|segment| segment.passes > 0);
    let Some(first) = filled.next() else {
        return Ok(None);
    };
    let nothing = Segment {
        bytes: &[],
        passes: 0,
    };
    let second = filled.next().copied().unwrap_or(nothing);
    if first.passes > 1 || second.passes > 2 || filled.next().is_some() {
        return Err(Error::unsupported(
            "its code-blocks have several high-throughput sets",
        ));
    }
    let refined = block.planes > 1 && !second.bytes.is_empty();
    Ok(Some((first.bytes, if refined { second } else { nothing })))
}

impl HighThroughput {
    pub(super) fn new() -> Self {
        Self {
            forward: Flat::new(),
            backward: Flat::new(),
            rows: Rows::new(),
            significant: [0; WORDS],
        }
    }

    /// Decodes `block` into `out`; see [`super::Decoder::decode`].
    pub(super) fn decode(
        &mut self,
        block: &Block<'_>,
        out: &mut [i32],
        stride: usize,
    ) -> Result<()> {
        let (width, height) = (block.width as usize, block.height as usize);
        if width == 0 || height == 0 {
            return Ok(());
        }
        if stride < width || out.len() < (height - 1) * stride + width {
            return Err(Error::internal("a code-block does not fit its sub-band"));
        }
        let segments = segments(block)?.filter(|_| block.planes > 0);
        let Some((bytes, refinement)) = segments else {
            for row in out.chunks_mut(stride).take(height) {
                row[..width].fill(0);
            }
            return Ok(());
        };
        let parts = parts(bytes)?;
        self.clean_up(block, &parts, out, stride)?;
        if refinement.passes == 0 {
            return Ok(());
        }
        self.note_significant(block, out, stride);
        if block.modes.has(Modes::CAUSAL) {
            self.refine::<true>(block, refinement, out, stride);
        } else {
            self.refine::<false>(block, refinement, out, stride);
        }
        Ok(())
    }
}
