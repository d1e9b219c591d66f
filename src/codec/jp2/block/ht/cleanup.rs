//! The clean-up pass: magnitudes and signs of quads of two by two samples.
//!
//! Source: ISO/IEC 15444-15, clause 7.3. A row of quads is decoded in two steps: which samples are
//! significant and how far exponents exceed their prediction, from MEL and VLC codewords; then the
//! magnitudes, whose numbers of bits are known by then.

use crate::error::{Error, Result};

use super::super::Block;
use super::bits::Flat;
use super::mel::Mel;
use super::tables::{BOTH_LARGE, BOTH_OF_FIRST_ROW, FIRST_ROW, OFFSETS, OTHER_ROWS, Offset, Quads};
use super::{HighThroughput, Parts};

/// Most quads of a row.
const QUADS: usize = 512;
/// Quads that are looked at side by side.
const SIDE_BY_SIDE: usize = 16;
/// Quads of a row with a border on both sides and room for whole vectors.
const ROOM: usize = QUADS + SIDE_BY_SIDE + 2;
/// Bits of a significance pattern in an entry of [`Quads`].
const PATTERN: u32 = 4;
/// The samples of a quad's right column in such a pattern.
const RIGHT: u16 = 0b1100;

/// What is kept of one row of quads for itself and the next one. Each has a border on both sides.
#[derive(Debug)]
pub(super) struct Rows {
    /// The entries of the row, from [`Quads`].
    entries: [u16; ROOM],
    /// Which samples of each quad are significant.
    patterns: [u8; ROOM],
    /// The offsets of the row's exponents.
    offsets: [u8; ROOM],
    /// The exponents themselves.
    exponents: [u8; ROOM],
    /// The context that the row above gives each quad, without that of the quad to the left.
    contexts: [u16; ROOM],
    /// Exponents of the samples at the bottom left of the row above's quads.
    left: [u8; ROOM],
    /// Exponents of those at the bottom right.
    right: [u8; ROOM],
}

impl Rows {
    pub(super) const fn new() -> Self {
        Self {
            entries: [0; ROOM],
            patterns: [0; ROOM],
            offsets: [0; ROOM],
            exponents: [0; ROOM],
            contexts: [0; ROOM],
            left: [0; ROOM],
            right: [0; ROOM],
        }
    }

    /// The contexts of the next row (clause 7.3.5): bit 0 from the samples above to the left and
    /// above the left column, bit 2 from those above the right column and above to the right.
    #[inline(never)]
    fn next_contexts(&mut self, quads: usize) {
        let bottom = |entry: u16| (entry >> (PATTERN + 1) & 1, entry >> (PATTERN + 3) & 1);
        self.entries[quads + 1] = 0;
        for (context, near) in self.contexts[1..=quads]
            .iter_mut()
            .zip(self.entries.windows(3))
        {
            let (_, before) = bottom(near[0]);
            let (left, right) = bottom(near[1]);
            let (after, _) = bottom(near[2]);
            *context = (before | left) | (right | after) << 2;
        }
    }

    /// Offsets → exponents, and the largest one: where more than one sample is significant, they
    /// are told relative to the largest one above (clause 7.3.7).
    fn predict(&mut self, quads: usize) -> u8 {
        let mut largest = [0; SIDE_BY_SIDE];
        for at in (1..=quads).step_by(SIDE_BY_SIDE) {
            let before = side_by_side(&self.right, at - 1);
            let left = side_by_side(&self.left, at);
            let right = side_by_side(&self.right, at);
            let after = side_by_side(&self.left, at + 1);
            let patterns = side_by_side(&self.patterns, at);
            let offsets = side_by_side(&self.offsets, at);
            let mut exponents = [0; SIDE_BY_SIDE];
            for i in 0..SIDE_BY_SIDE {
                let above = before[i].max(left[i]).max(right[i]).max(after[i]);
                let several = patterns[i] & patterns[i].wrapping_sub(1) != 0;
                let predicted = if several { above.max(2) - 1 } else { 1 };
                exponents[i] = offsets[i] + predicted;
                largest[i] = largest[i].max(exponents[i]);
            }
            self.exponents[at..at + SIDE_BY_SIDE].copy_from_slice(&exponents);
        }
        largest.into_iter().max().unwrap_or_default()
    }

    /// Forgets the block before.
    fn clear(&mut self) {
        self.left.fill(0);
        self.right.fill(0);
        self.patterns.fill(0);
        self.offsets.fill(0);
    }
}

/// Some neighbours of one kind.
#[inline(always)]
fn side_by_side(values: &[u8; ROOM], at: usize) -> [u8; SIDE_BY_SIDE] {
    values[at..].first_chunk().copied().unwrap_or_default()
}

/// The codewords of a block: where they are read.
struct Codewords<'a> {
    mel: Mel<'a>,
    bits: &'a Flat,
    at: usize,
}

impl Codewords<'_> {
    /// The entry of one quad in `context`; a quad without significant neighbours has a codeword
    /// only after a MEL event of one.
    #[inline(always)]
    fn quad(&mut self, table: &Quads, context: u16, bits: &mut u64, used: &mut u32) -> u16 {
        if context == 0 && !self.mel.event() {
            return 0;
        }
        let entry = table[(usize::from(context) << 7 | (*bits & 0x7F) as usize) & 1023];
        let length = u32::from(entry & 7);
        *bits >>= length;
        *used += length;
        entry
    }

    /// A row of quads, the first one of a block or another one.
    #[inline(never)]
    fn row<const FIRST: bool>(&mut self, rows: &mut Rows, quads: usize) {
        let table = if FIRST { &FIRST_ROW } else { &OTHER_ROWS };
        let mut before = 0;
        let mut at = 1;
        while at <= quads {
            let mut bits = self.bits.peek(self.at);
            let mut used = 0;
            let context = Self::context::<FIRST>(before, rows.contexts[at]);
            let first = self.quad(table, context, &mut bits, &mut used);
            let mut second = 0;
            if at < quads {
                let context = Self::context::<FIRST>(first, rows.contexts[at + 1]);
                second = self.quad(table, context, &mut bits, &mut used);
            }
            let mut which = usize::from(first >> 3 & 1 | second >> 2 & 2);
            if FIRST && which == 3 {
                which = if self.mel.event() {
                    BOTH_LARGE
                } else {
                    BOTH_OF_FIRST_ROW
                };
            }
            let (one, two, length) = pair(which, bits);
            rows.entries[at] = first;
            rows.entries[at + 1] = second;
            rows.patterns[at] = (first >> PATTERN & 0xF) as u8;
            rows.patterns[at + 1] = (second >> PATTERN & 0xF) as u8;
            rows.offsets[at] = one;
            rows.offsets[at + 1] = two;
            self.at += (used + length) as usize;
            before = second;
            at += 2;
        }
    }

    /// The context of a quad after the quad `before` (clause 7.3.5).
    #[inline(always)]
    const fn context<const FIRST: bool>(before: u16, above: u16) -> u16 {
        let pattern = before >> PATTERN & 0xF;
        if FIRST {
            (pattern | pattern >> 1) & 1 | pattern >> 1 & 0b110
        } else {
            above | ((pattern & RIGHT != 0) as u16) << 1
        }
    }
}

/// The exponent offsets of a pair of quads, and their bits (clause 7.3.6).
#[inline(always)]
fn pair(which: usize, mut bits: u64) -> (u8, u8, u32) {
    let Offset {
        bits: all,
        prefixes,
        suffixes,
        values,
    } = OFFSETS[which & 7][(bits & 63) as usize];
    let mut used = u32::from(all);
    bits >>= prefixes;
    let first = (bits & ((1 << suffixes.0) - 1) & 0xFF) as u8;
    let second = (bits >> suffixes.0 & ((1 << suffixes.1) - 1) & 0xFF) as u8;
    let mut values = (values.0 + first, values.1 + second);
    // The longest suffixes go on.
    if first.max(second) >= 28 {
        bits >>= suffixes.0 + suffixes.1;
        if first >= 28 {
            values.0 += 4 * (bits & 0xF) as u8;
            bits >>= 4;
            used += 4;
        }
        if second >= 28 {
            values.1 += 4 * (bits & 0xF) as u8;
            used += 4;
        }
    }
    (values.0, values.1, used)
}

/// Where magnitudes are read.
struct Magnitudes<'a> {
    bits: &'a Flat,
    at: usize,
    /// The bit-plane of the last magnitude bit.
    plane: u32,
}

/// The bytes of a pattern's bits: one for each significant sample.
static SPREAD: [u32; 16] = spread();

const fn spread() -> [u32; 16] {
    let mut table = [0; 16];
    let mut pattern = 0;
    while pattern < 16_u32 {
        table[pattern as usize] =
            pattern & 1 | (pattern & 2) << 7 | (pattern & 4) << 14 | (pattern & 8) << 21;
        pattern += 1;
    }
    table
}

impl Magnitudes<'_> {
    /// The four samples of a quad, by columns, and the exponents of the bottom ones.
    #[inline(always)]
    fn quad(&mut self, entry: u16, exponent: u32) -> ([i32; 4], [u8; 2]) {
        // The bits of each sample, and where they end, by bytes.
        let significant = SPREAD[usize::from(entry >> PATTERN & 0xF)];
        let known = SPREAD[usize::from(entry >> 12)];
        let lengths = (significant * exponent).wrapping_sub(known);
        let ends = lengths.wrapping_mul(0x0101_0101);
        let starts = ends << 8;
        let mut samples = [(0, 0); 4];
        if ends >> 24 <= 57 {
            let bits = self.bits.peek(self.at);
            for (sample, decoded) in samples.iter_mut().enumerate() {
                let bits = bits >> (starts >> (8 * sample) & 63);
                *decoded = self.sample(entry, lengths, sample, bits);
            }
        } else {
            for (sample, decoded) in samples.iter_mut().enumerate() {
                let start = starts >> (8 * sample) & 0xFF;
                let bits = self.bits.peek(self.at + start as usize);
                *decoded = self.sample(entry, lengths, sample, bits);
            }
        }
        self.at += (ends >> 24) as usize;
        (samples.map(|sample| sample.0), [samples[1].1, samples[3].1])
    }

    /// One sample and its exponent (clause 7.3.8).
    #[inline(always)]
    fn sample(&self, entry: u16, lengths: u32, sample: usize, bits: u64) -> (i32, u8) {
        let length = lengths >> (8 * sample) & 63;
        let significant = 0_u32.wrapping_sub(u32::from(entry >> (PATTERN as usize + sample) & 1));
        let one = u64::from(entry >> (8 + sample) & 1);
        let value = bits & ((1 << length) - 1) | one << length;
        let negative = (value & 1) as i32;
        let odd = ((value | 1) & 0xFFFF_FFFF) as u32 & significant;
        let size = (32 - odd.leading_zeros()) & 63;
        let magnitude = (((odd + 2) << self.plane) & significant).cast_signed();
        ((magnitude ^ -negative) + negative, size as u8)
    }
}

impl HighThroughput {
    /// The clean-up pass of `block` into `out`.
    pub(super) fn clean_up(
        &mut self,
        block: &Block<'_>,
        parts: &Parts<'_>,
        out: &mut [i32],
        stride: usize,
    ) -> Result<()> {
        self.forward.forward(parts.magnitudes, 0xFF);
        self.backward.codewords(parts.shared);
        let width = block.width as usize;
        let quads = width.div_ceil(2);
        let mut codewords = Codewords {
            mel: Mel::new(parts.shared),
            bits: &self.backward,
            at: 0,
        };
        let plane = u32::from(block.planes - 1);
        let mut magnitudes = Magnitudes {
            bits: &self.forward,
            at: 0,
            plane,
        };
        let rows = &mut self.rows;
        rows.clear();
        let mut below = [0; 2 * QUADS];
        for (y, pair) in out.chunks_mut(2 * stride).enumerate() {
            if 2 * y >= block.height as usize {
                break;
            }
            if y == 0 {
                codewords.row::<true>(rows, quads);
            } else {
                rows.next_contexts(quads);
                codewords.row::<false>(rows, quads);
            }
            // Magnitudes have their sign, their half and their plane in 32 bits.
            if u32::from(rows.predict(quads)) + plane > 30 {
                return Err(Error::corrupt("a high-throughput exponent is too large"));
            }
            let (top, bottom) = pair.split_at_mut(stride.min(pair.len()));
            let bottom = if 2 * y + 1 < block.height as usize {
                &mut bottom[..width]
            } else {
                &mut below[..width]
            };
            magnitudes.row(rows, &mut top[..width], bottom);
        }
        Ok(())
    }
}

impl Magnitudes<'_> {
    /// A row of quads into two rows of samples.
    #[inline(never)]
    fn row(&mut self, rows: &mut Rows, top: &mut [i32], bottom: &mut [i32]) {
        let quads = top.len().div_ceil(2);
        let entries = &rows.entries[1..=quads];
        let exponents = &rows.exponents[1..=quads];
        let patterns = &rows.patterns[1..=quads];
        let lefts = &mut rows.left[1..=quads];
        let rights = &mut rows.right[1..=quads];
        for (at, (&entry, &exponent)) in entries.iter().zip(exponents).enumerate() {
            let (values, sizes) = if patterns[at] == 0 {
                ([0; 4], [0; 2])
            } else {
                self.quad(entry, u32::from(exponent))
            };
            lefts[at] = sizes[0];
            rights[at] = sizes[1];
            top[2 * at] = values[0];
            bottom[2 * at] = values[1];
            if 2 * at + 1 < top.len() {
                top[2 * at + 1] = values[2];
                bottom[2 * at + 1] = values[3];
            }
        }
    }
}
