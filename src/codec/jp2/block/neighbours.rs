//! Which samples have significant neighbours: masks of words, and the lanes of [`super::context`].
//!
//! A word holds 16 columns of one stripe, four bits a column, so that bits follow each other in the
//! order in which samples are coded. Words and lanes have a border of one on every side, so that
//! nothing asks where a block ends.

use super::context::{
    EAST, NORTH, NORTH_EAST, NORTH_WEST, SIGNS, SOUTH, SOUTH_EAST, SOUTH_WEST, WEST,
};

/// Words there are at most: 258 stripes of three, with their border.
pub(super) const WORDS: usize = 1024;
/// Columns of stripes there are at most: three rows of 1026, with their border.
pub(super) const COLUMNS: usize = 4096;

/// The first row of each column of a word.
pub(super) const FIRST_ROWS: u64 = 0x1111_1111_1111_1111;
const LAST_ROWS: u64 = FIRST_ROWS << 3;

/// The samples after one in its own word that it is a neighbour of, by its row, for bit 0.
const LATER: [u64; 4] = [0b11_0010, 0b11_1010, 0b11_1010, 0b01_1000];

/// The neighbours of sample `bit` that are coded after it, within its word.
#[inline(always)]
pub(super) const fn later(bit: u32) -> u64 {
    LATER[(bit & 3) as usize] << (bit & 63)
}

/// Each sample of the word at `at` that is significant or has a significant one beside it.
#[inline(always)]
fn beside(words: &[u64; WORDS], at: usize) -> u64 {
    let own = words[at & (WORDS - 1)];
    own | (own << 4)
        | (own >> 4)
        | (words[at.wrapping_sub(1) & (WORDS - 1)] >> 60)
        | (words[(at + 1) & (WORDS - 1)] << 60)
}

/// The samples of the word at `at` that have a significant neighbour; `pitch` words make a stripe.
/// With `CAUSAL`, the stripe below does not count (D.7).
#[inline(always)]
pub(super) fn around<const CAUSAL: bool>(words: &[u64; WORDS], at: usize, pitch: usize) -> u64 {
    let own = words[at & (WORDS - 1)];
    let horizontal = (own << 4)
        | (own >> 4)
        | (words[at.wrapping_sub(1) & (WORDS - 1)] >> 60)
        | (words[(at + 1) & (WORDS - 1)] << 60);
    let wide = horizontal | own;
    let mut around = horizontal | ((wide & !LAST_ROWS) << 1) | ((wide & !FIRST_ROWS) >> 1);
    around |= (beside(words, at.wrapping_sub(pitch)) & LAST_ROWS) >> 3;
    if !CAUSAL {
        around |= (beside(words, at + pitch) & FIRST_ROWS) << 3;
    }
    around
}

/// What a significant sample adds to the lanes of the row above, its own and the row below, in a
/// column beside it or its own.
const fn pattern(above: u64, own: u64, below: u64) -> u64 {
    above | own << 16 | below << 32
}

/// By sign: what a sample adds to the columns left of it, its own, right of it.
static PATTERNS: [[u64; 3]; 2] = [patterns(0), patterns(1)];

const fn patterns(negative: u64) -> [u64; 3] {
    let signed = 1 | negative << SIGNS;
    [
        pattern(SOUTH_EAST, EAST * signed, NORTH_EAST),
        pattern(SOUTH * signed, 0, NORTH * signed),
        pattern(SOUTH_WEST, WEST * signed, NORTH_WEST),
    ]
}

/// The rows of its own stripe that a sample of each row adds to.
const INSIDE: [u64; 4] = [u64::MAX >> 16, u64::MAX, u64::MAX, u64::MAX << 16];

/// The lanes of all columns of a block's stripes, four to a column.
pub(super) type Lanes = [u64; COLUMNS];

/// Tells the neighbours of the sample in `row` of `column` that it is significant; `pitch` columns
/// make a stripe. With `CAUSAL`, the stripe above does not see it.
#[inline(always)]
pub(super) fn mark<const CAUSAL: bool>(
    lanes: &mut Lanes,
    column: usize,
    row: u32,
    negative: u64,
    pitch: usize,
) {
    let inside = INSIDE[(row & 3) as usize];
    let outside = if CAUSAL && row == 0 { 0 } else { !inside };
    let other = if row == 3 {
        column + pitch
    } else {
        column.wrapping_sub(pitch)
    };
    for (at, &pattern) in PATTERNS[(negative & 1) as usize].iter().enumerate() {
        // The row above the first one comes out as the last one, as the stripe above wants it, and
        // the row below the last one as the first one.
        let turned = pattern.rotate_left((row & 3) * 16).rotate_right(16);
        lanes[(column + at).wrapping_sub(1) & (COLUMNS - 1)] |= turned & inside;
        lanes[(other + at).wrapping_sub(1) & (COLUMNS - 1)] |= turned & outside;
    }
}
