//! The two passes below the clean-up pass: one more bit-plane for some or all samples.
//!
//! Source: ISO/IEC 15444-15, clauses 7.4 and 7.5. Both read bits as they are. Significance
//! propagation tells groups of four columns: first which of its samples become significant, then
//! their signs.

use super::super::neighbours::{WORDS, around, later};
use super::super::planes::Shape;
use super::super::{Block, Segment};
use super::HighThroughput;

/// Samples of one group of four columns.
const GROUP: u64 = 0xFFFF;

/// The offset in `out` of sample `bit` of a word, in the stripe `top`.
#[inline(always)]
const fn offset(top: usize, word: usize, bit: u32, stride: usize) -> usize {
    (4 * top + (bit & 3) as usize) * stride + 16 * word + (bit >> 2) as usize
}

impl HighThroughput {
    /// Notes which samples the clean-up pass has made significant.
    pub(super) fn note_significant(&mut self, block: &Block<'_>, out: &[i32], stride: usize) {
        let shape = Shape::new(block);
        let count = (shape.stripes + 2) * shape.pitch();
        self.significant[..count.min(WORDS)].fill(0);
        for (y, row) in out.chunks(stride).take(shape.height).enumerate() {
            for (word, samples) in row[..shape.width].chunks(16).enumerate() {
                let mut mask = 0;
                for (x, &sample) in samples.iter().enumerate() {
                    mask |= u64::from(sample != 0) << (4 * x);
                }
                self.significant[shape.place(y / 4, word).word & (WORDS - 1)] |= mask << (y % 4);
            }
        }
    }

    /// The passes of the segment `refinement` over `out`.
    pub(super) fn refine<const CAUSAL: bool>(
        &mut self,
        block: &Block<'_>,
        refinement: Segment<'_>,
        out: &mut [i32],
        stride: usize,
    ) {
        let shape = Shape::new(block);
        let half = 1 << (block.planes - 2);
        if refinement.passes > 1 {
            self.backward.backward(refinement.bytes, 0xFF);
            self.magnitudes(shape, half, out, stride);
        }
        self.forward.forward(refinement.bytes, 0);
        self.propagate::<CAUSAL>(shape, 3 * half, out, stride);
    }

    /// Magnitude refinement of the samples that the clean-up pass has made significant. Done first:
    /// the other pass tells it nothing.
    fn magnitudes(&self, shape: Shape, half: i32, out: &mut [i32], stride: usize) {
        let mut at = 0;
        for stripe in 0..shape.stripes {
            for word in 0..shape.words {
                let mut members = self.significant[shape.place(stripe, word).word & (WORDS - 1)];
                while members != 0 {
                    let bit = members.trailing_zeros();
                    members &= members - 1;
                    let upper = self.backward.peek(at) & 1 == 1;
                    at += 1;
                    let value = &mut out[offset(stripe, word, bit, stride)];
                    let change = if upper == (*value > 0) { half } else { -half };
                    *value += change;
                }
            }
        }
    }

    /// Significance propagation: insignificant samples with a significant neighbour.
    fn propagate<const CAUSAL: bool>(
        &mut self,
        shape: Shape,
        value: i32,
        out: &mut [i32],
        stride: usize,
    ) {
        let mut at = 0;
        for stripe in 0..shape.stripes {
            for word in 0..shape.words {
                let place = shape.place(stripe, word).word & (WORDS - 1);
                let valid = shape.valid(stripe, word);
                for group in 0..4 {
                    let group = GROUP << (16 * group);
                    let before = self.significant[place];
                    let open = valid & !before & group;
                    if open == 0 {
                        continue;
                    }
                    let near = around::<CAUSAL>(&self.significant, place, shape.pitch());
                    let mut members = near & open;
                    let mut found = 0;
                    while members != 0 {
                        let bit = members.trailing_zeros();
                        members &= members - 1;
                        if self.forward.peek(at) & 1 == 1 {
                            found |= 1 << bit;
                            members |= later(bit) & open;
                        }
                        at += 1;
                    }
                    self.significant[place] = before | found;
                    while found != 0 {
                        let bit = found.trailing_zeros();
                        found &= found - 1;
                        let negative = self.forward.peek(at) & 1 == 1;
                        at += 1;
                        out[offset(stripe, word, bit, stride)] =
                            if negative { -value } else { value };
                    }
                }
            }
        }
    }
}
