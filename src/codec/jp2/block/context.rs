//! A sample's significant neighbours → the contexts of its decisions.
//!
//! Source: ISO/IEC 15444-1 D.3, Tables D.1 to D.4.
//!
//! A sample's neighbourhood is 8 bits, its lane: bits 0 to 3 say that the neighbours north-west,
//! north-east, south-west and south-east are significant, bits 4 to 7 the same of north, west, east
//! and south. Its sides are 8 bits too: which of the last four are significant, which negative.

use super::Band;
use super::mq;

/// The lane's bits by neighbour.
pub(super) const NORTH_WEST: u8 = 1;
/// See [`NORTH_WEST`].
pub(super) const NORTH_EAST: u8 = 1 << 1;
/// See [`NORTH_WEST`].
pub(super) const SOUTH_WEST: u8 = 1 << 2;
/// See [`NORTH_WEST`].
pub(super) const SOUTH_EAST: u8 = 1 << 3;
/// See [`NORTH_WEST`].
pub(super) const NORTH: u8 = 1 << 4;
/// See [`NORTH_WEST`].
pub(super) const WEST: u8 = 1 << 5;
/// See [`NORTH_WEST`].
pub(super) const EAST: u8 = 1 << 6;
/// See [`NORTH_WEST`].
pub(super) const SOUTH: u8 = 1 << 7;

/// The context of zero coding for each of the 256 neighbourhoods.
pub(super) type ZeroCoding = [u8; 256];

static LOW_OR_LH: ZeroCoding = zero_coding(Band::Lh);
static HL: ZeroCoding = zero_coding(Band::Hl);
static HH: ZeroCoding = zero_coding(Band::Hh);

/// The contexts of zero coding in `band` (Table D.1).
pub(super) const fn zero_coding_of(band: Band) -> &'static ZeroCoding {
    match band {
        Band::Ll | Band::Lh => &LOW_OR_LH,
        Band::Hl => &HL,
        Band::Hh => &HH,
    }
}

const fn zero_coding(band: Band) -> ZeroCoding {
    let mut table = [0; 256];
    let mut lane = 0_u8;
    loop {
        table[lane as usize] = zero_context(band, lane);
        if lane == u8::MAX {
            return table;
        }
        lane += 1;
    }
}

/// Table D.1.
const fn zero_context(band: Band, lane: u8) -> u8 {
    let diagonal = (lane & 0xF).count_ones();
    let across = (lane & (WEST | EAST)).count_ones();
    let down = (lane & (NORTH | SOUTH)).count_ones();
    let (h, v) = match band {
        Band::Ll | Band::Lh => (across, down),
        Band::Hl => (down, across),
        Band::Hh => {
            return match (diagonal, across + down) {
                (0, 0) => 0,
                (0, 1) => 1,
                (0, _) => 2,
                (1, 0) => 3,
                (1, 1) => 4,
                (1, _) => 5,
                (2, 0) => 6,
                (2, _) => 7,
                _ => 8,
            };
        }
    };
    match (h, v, diagonal) {
        (2, _, _) => 8,
        (1, 1.., _) => 7,
        (1, _, 1..) => 6,
        (1, _, _) => 5,
        (_, 2, _) => 4,
        (_, 1, _) => 3,
        (_, _, 2..) => 2,
        (_, _, 1) => 1,
        _ => 0,
    }
}

/// Contexts of sign coding and [`TURN`] where the decision is to be turned: by a
/// sample's sides (Tables D.2 and D.3).
static SIGN_CODING: [u8; 256] = sign_coding();

/// The XOR bit in an entry of [`SIGN_CODING`].
pub(super) const TURN: u8 = 1 << 7;

/// The entry of [`SIGN_CODING`] for the `sides` of a sample: which of its neighbours north, west,
/// east and south are significant, and four bits above which of them are negative.
#[inline(always)]
pub(super) fn sign_coding_of(sides: u8) -> u8 {
    SIGN_CODING[usize::from(sides)]
}

const fn sign_coding() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0_u8;
    loop {
        let (lane, signs) = (at << 4, at & 0xF0);
        let h = contribution(lane, signs, WEST) + contribution(lane, signs, EAST);
        let v = contribution(lane, signs, NORTH) + contribution(lane, signs, SOUTH);
        table[at as usize] = sign_context(h.signum(), v.signum());
        if at == u8::MAX {
            return table;
        }
        at += 1;
    }
}

const fn contribution(lane: u8, signs: u8, neighbour: u8) -> i32 {
    if lane & neighbour == 0 {
        0
    } else if signs & neighbour == 0 {
        1
    } else {
        -1
    }
}

/// Table D.3.
const fn sign_context(h: i32, v: i32) -> u8 {
    let turned = h < 0 || h == 0 && v < 0;
    let (h, v) = if turned { (-h, -v) } else { (h, v) };
    let label = match (h, v) {
        (0, 0) => 0,
        (0, _) => 1,
        (_, -1) => 2,
        (_, 0) => 3,
        _ => 4,
    };
    mq::SIGN + label + if turned { TURN } else { 0 }
}
