//! Which samples have significant neighbours: masks of words, and the lanes of [`super::context`].
//!
//! A word holds 16 columns of one stripe, four bits a column, so that bits follow each other in the
//! order in which samples are coded. Words and lanes have a border of one on every side, so that
//! nothing asks where a block ends.

use super::context::{
    EAST, NORTH, NORTH_EAST, NORTH_WEST, SOUTH, SOUTH_EAST, SOUTH_WEST, WEST, sign_coding_of,
};

/// Words there are at most: 258 stripes of three, with their border.
pub(super) const WORDS: usize = 1024;
/// Columns of stripes there are at most: three rows of 1026, with their border.
const COLUMNS: usize = 4096;
/// Samples there are at most, with that border.
pub(super) const SAMPLES: usize = 4 * COLUMNS;

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

/// What a significant sample adds to the lanes of the columns left of it, its own and right of it:
/// in its own stripe, then in the one above or below.
type Marks = [[u32; 3]; 2];

/// The marks by a sample's row.
static MARKS: [Marks; 4] = [marks(0), marks(1), marks(2), marks(3)];
/// The same where the stripe above does not see a sample (D.7).
static CAUSAL_MARKS: [Marks; 4] = [[marks(0)[0], [0; 3]], marks(1), marks(2), marks(3)];

const fn marks(row: u32) -> Marks {
    let columns = [
        [SOUTH_EAST, EAST, NORTH_EAST],
        [SOUTH, 0, NORTH],
        [SOUTH_WEST, WEST, NORTH_WEST],
    ];
    // The rows of its own stripe that a sample of this row touches.
    let inside = match row {
        0 => u32::MAX >> 8,
        3 => u32::MAX << 8,
        _ => u32::MAX,
    };
    let mut marks = [[0; 3]; 2];
    let mut column = 0;
    while column < 3 {
        let [above, own, below] = columns[column];
        // The row above the first one comes out as the last one, as the stripe above wants it, and
        // the row below the last one as the first one.
        let turned = u32::from_le_bytes([above, own, below, 0])
            .rotate_left(8 * row)
            .rotate_right(8);
        marks[0][column] = (turned & inside).to_le();
        marks[1][column] = (turned & !inside).to_le();
        column += 1;
    }
    marks
}

/// The signs that a negative sample of each row adds to the columns left of it, its own and right
/// of it, and to its own column in the stripe above or below.
static SIGNS: [[u16; 4]; 4] = [
    [EAST_SIGN, NORTH_SIGN << 4, WEST_SIGN, SOUTH_SIGN << 12],
    [
        EAST_SIGN << 4,
        SOUTH_SIGN | NORTH_SIGN << 8,
        WEST_SIGN << 4,
        0,
    ],
    [
        EAST_SIGN << 8,
        SOUTH_SIGN << 4 | NORTH_SIGN << 12,
        WEST_SIGN << 8,
        0,
    ],
    [
        EAST_SIGN << 12,
        SOUTH_SIGN << 8,
        WEST_SIGN << 12,
        NORTH_SIGN,
    ],
];

const NORTH_SIGN: u16 = (NORTH >> 4) as u16;
const SOUTH_SIGN: u16 = (SOUTH >> 4) as u16;
const WEST_SIGN: u16 = (WEST >> 4) as u16;
const EAST_SIGN: u16 = (EAST >> 4) as u16;

/// The neighbourhoods of all columns of a block's stripes.
#[derive(Debug)]
pub(super) struct Neighbourhoods {
    /// Four lanes to a column.
    lanes: [u32; COLUMNS],
    /// Four times four signs to a column.
    signs: [u16; COLUMNS],
}

impl Neighbourhoods {
    pub(super) const fn new() -> Self {
        Self {
            lanes: [0; COLUMNS],
            signs: [0; COLUMNS],
        }
    }

    /// Clears what is known of the first `samples` samples.
    pub(super) fn clear(&mut self, samples: usize) {
        let columns = (samples / 4).min(COLUMNS);
        self.lanes[..columns].fill(0);
        self.signs[..columns].fill(0);
    }

    /// The lane of the sample at `at`.
    #[inline(always)]
    pub(super) fn lane(&self, at: usize) -> u8 {
        let lanes: &[u8] = bytemuck::cast_slice(&self.lanes);
        lanes[at & (SAMPLES - 1)]
    }

    /// The entry of sign coding of the sample at `at`.
    #[inline(always)]
    pub(super) fn sign_coding(&self, at: usize) -> u8 {
        let signs = self.signs[at >> 2 & (COLUMNS - 1)] >> (4 * (at & 3));
        sign_coding_of(self.lane(at), signs)
    }

    /// Tells the neighbours of the sample at `at` that it is significant; `columns` make a stripe.
    /// With `CAUSAL`, the stripe above does not see it.
    #[inline(always)]
    pub(super) fn mark<const CAUSAL: bool>(&mut self, at: usize, columns: usize) {
        let (column, row) = (at >> 2, at & 3);
        let [own, outside] = if CAUSAL {
            &CAUSAL_MARKS[row]
        } else {
            &MARKS[row]
        };
        let other = other_stripe(column, row, columns);
        for step in 0..3 {
            self.lanes[(column + step).wrapping_sub(1) & (COLUMNS - 1)] |= own[step];
            self.lanes[(other + step).wrapping_sub(1) & (COLUMNS - 1)] |= outside[step];
        }
    }

    /// Tells the neighbours of the same sample that it is negative, where `negative` is 1.
    ///
    /// Apart from [`Self::mark`], so that the next sample's significance need not wait for the sign.
    #[inline(always)]
    pub(super) fn mark_sign(&mut self, at: usize, negative: u64, columns: usize) {
        let (column, row) = (at >> 2, at & 3);
        let mask = 0_u16.wrapping_sub((negative & 1) as u16);
        let [left, own, right, outside] = SIGNS[row];
        let other = other_stripe(column, row, columns);
        self.signs[column.wrapping_sub(1) & (COLUMNS - 1)] |= left & mask;
        self.signs[column & (COLUMNS - 1)] |= own & mask;
        self.signs[(column + 1) & (COLUMNS - 1)] |= right & mask;
        self.signs[other & (COLUMNS - 1)] |= outside & mask;
    }
}

/// The column of the stripe below for the last row, of the one above for the others.
#[inline(always)]
fn other_stripe(column: usize, row: usize, columns: usize) -> usize {
    if row == 3 {
        column + columns
    } else {
        column.wrapping_sub(columns)
    }
}
