//! The two passes below the clean-up pass: one more bit-plane for some or all samples.
//!
//! Source: ISO/IEC 15444-15, clauses 7.4 and 7.5. Both read bits as they are. Significance
//! propagation tells groups of four columns: first which of its samples become significant, then
//! their signs.

use super::super::neighbours::{FIRST_ROWS, WORDS, around, later};
use super::super::{Block, Segment};
use super::HighThroughput;

/// Samples of one group of four columns.
const GROUP: u64 = 0xFFFF;

/// Where words lie: as in the embedded coder's, with a border of one.
struct Words {
    words: usize,
    stripes: usize,
    height: usize,
    width: usize,
}

impl Words {
    fn new(block: &Block<'_>) -> Self {
        let (width, height) = (block.width as usize, block.height as usize);
        Self {
            words: width.div_ceil(16),
            stripes: height.div_ceil(4),
            height,
            width,
        }
    }

    const fn pitch(&self) -> usize {
        self.words + 2
    }

    const fn at(&self, stripe: usize, word: usize) -> usize {
        ((stripe + 1) * self.pitch() + word + 1) & (WORDS - 1)
    }

    /// The samples of a word that lie in the block.
    fn valid(&self, stripe: usize, word: usize) -> u64 {
        let rows = (self.height - 4 * stripe).min(4);
        let columns = (self.width - 16 * word).min(16);
        (FIRST_ROWS * ((1 << rows) - 1)) & (u64::MAX >> (64 - 4 * columns))
    }
}

/// The offset in `out` of sample `bit` of a word.
#[inline(always)]
const fn offset(stripe: usize, word: usize, bit: u32, stride: usize) -> usize {
    (4 * stripe + (bit & 3) as usize) * stride + 16 * word + (bit >> 2) as usize
}

impl HighThroughput {
    /// Notes which samples the clean-up pass has made significant.
    pub(super) fn note_significant(&mut self, block: &Block<'_>, out: &[i32], stride: usize) {
        let words = Words::new(block);
        let count = (words.stripes + 2) * words.pitch();
        self.significant[..count.min(WORDS)].fill(0);
        for (y, row) in out.chunks(stride).take(words.height).enumerate() {
            for (word, samples) in row[..words.width].chunks(16).enumerate() {
                let mut mask = 0;
                for (x, &sample) in samples.iter().enumerate() {
                    mask |= u64::from(sample != 0) << (4 * x);
                }
                self.significant[words.at(y / 4, word)] |= mask << (y % 4);
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
        let words = Words::new(block);
        let half = 1 << (block.planes - 2);
        if refinement.passes > 1 {
            self.backward.backward(refinement.bytes, 0xFF);
            self.magnitudes(&words, half, out, stride);
        }
        self.forward.forward(refinement.bytes, 0);
        self.propagate::<CAUSAL>(&words, 3 * half, out, stride);
    }

    /// Magnitude refinement of the samples that the clean-up pass has made significant. Done first:
    /// the other pass tells it nothing.
    fn magnitudes(&self, words: &Words, half: i32, out: &mut [i32], stride: usize) {
        let mut at = 0;
        for stripe in 0..words.stripes {
            for word in 0..words.words {
                let mut members = self.significant[words.at(stripe, word)];
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
        words: &Words,
        value: i32,
        out: &mut [i32],
        stride: usize,
    ) {
        let mut at = 0;
        for stripe in 0..words.stripes {
            for word in 0..words.words {
                let place = words.at(stripe, word);
                let valid = words.valid(stripe, word);
                for group in 0..4 {
                    let group = GROUP << (16 * group);
                    let before = self.significant[place];
                    let open = valid & !before & group;
                    if open == 0 {
                        continue;
                    }
                    let near = around::<CAUSAL>(&self.significant, place, words.pitch());
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
