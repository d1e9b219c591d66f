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
    let (left, _) = turned([SOUTH_EAST, EAST, NORTH_EAST], row);
    let (own, _) = turned([SOUTH, 0, NORTH], row);
    let (right, _) = turned([SOUTH_WEST, WEST, NORTH_WEST], row);
    let (_, left_outside) = turned([SOUTH_EAST, EAST, NORTH_EAST], row);
    let (_, own_outside) = turned([SOUTH, 0, NORTH], row);
    let (_, right_outside) = turned([SOUTH_WEST, WEST, NORTH_WEST], row);
    [
        [left, own, right],
        [left_outside, own_outside, right_outside],
    ]
}

/// What the rows above a sample, its own and below get, as a column of its own stripe and as one of
/// the stripe above or below.
const fn turned([above, own, below]: [u8; 3], row: u32) -> (u32, u32) {
    // The row above the first one comes out as the last one, as the stripe above wants it, and the
    // row below the last one as the first one.
    let turned = u32::from_le_bytes([above, own, below, 0])
        .rotate_left(8 * row)
        .rotate_right(8);
    // The rows of its own stripe that a sample of this row touches.
    let inside = match row {
        0 => u32::MAX >> 8,
        3 => u32::MAX << 8,
        _ => u32::MAX,
    };
    ((turned & inside).to_le(), (turned & !inside).to_le())
}

/// What a significant sample adds to the sides of the columns left of it, its own, right of it, and
/// its own in the stripe above or below.
type SideMarks = [u32; 4];

/// The side marks by a sample's row, positive ones and negative ones.
static SIDE_MARKS: [[SideMarks; 2]; 4] = [
    [side_marks(0, 1), side_marks(0, NEGATIVE)],
    [side_marks(1, 1), side_marks(1, NEGATIVE)],
    [side_marks(2, 1), side_marks(2, NEGATIVE)],
    [side_marks(3, 1), side_marks(3, NEGATIVE)],
];

/// What makes a side negative, as a factor: its sign lies four bits above.
const NEGATIVE: u8 = 0x11;

const fn side_marks(row: u32, sign: u8) -> SideMarks {
    let (left, _) = turned([0, (EAST >> 4) * sign, 0], row);
    let (own, outside) = turned([(SOUTH >> 4) * sign, 0, (NORTH >> 4) * sign], row);
    let (right, _) = turned([0, (WEST >> 4) * sign, 0], row);
    [left, own, right, outside]
}

/// The neighbourhoods of all columns of a block's stripes.
#[derive(Debug)]
pub(super) struct Neighbourhoods {
    /// Four lanes to a column.
    lanes: [u32; COLUMNS],
    /// Four sides to a column: see [`sign_coding_of`].
    sides: [u32; COLUMNS],
}

impl Neighbourhoods {
    pub(super) const fn new() -> Self {
        Self {
            lanes: [0; COLUMNS],
            sides: [0; COLUMNS],
        }
    }

    /// Clears what is known of the first `samples` samples.
    pub(super) fn clear(&mut self, samples: usize) {
        let columns = (samples / 4).min(COLUMNS);
        self.lanes[..columns].fill(0);
        self.sides[..columns].fill(0);
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
        let sides: &[u8] = bytemuck::cast_slice(&self.sides);
        sign_coding_of(sides[at & (SAMPLES - 1)])
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

    /// Tells the neighbours of the same sample its sign, 1 where it is negative.
    ///
    /// Apart from [`Self::mark`], so that the next sample's significance need not wait for the sign.
    #[inline(always)]
    pub(super) fn mark_sign<const CAUSAL: bool>(
        &mut self,
        at: usize,
        negative: u64,
        columns: usize,
    ) {
        let (column, row) = (at >> 2, at & 3);
        let marks = &SIDE_MARKS[row][(negative & 1) as usize];
        let other = other_stripe(column, row, columns);
        self.sides[column.wrapping_sub(1) & (COLUMNS - 1)] |= marks[0];
        self.sides[column & (COLUMNS - 1)] |= marks[1];
        self.sides[(column + 1) & (COLUMNS - 1)] |= marks[2];
        if !(CAUSAL && row == 0) {
            self.sides[other & (COLUMNS - 1)] |= marks[3];
        }
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
