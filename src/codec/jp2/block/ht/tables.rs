//! The next bits of the VLC codewords → what they say, by look-up.

use super::codes::{FIRST, OTHER};

/// What a quad's codeword says: bits 0 to 2 its length, bit 3 whether an exponent offset follows,
/// bits 4 to 7 which samples are significant, bits 8 to 11 `e_1`, bits 12 to 15 `e_k`.
pub(super) type Quads = [u16; 1024];

/// By context, shifted by seven, and the next seven bits: quads of the first row.
pub(super) static FIRST_ROW: Quads = quads(&FIRST);
/// The same of all other rows.
pub(super) static OTHER_ROWS: Quads = quads(&OTHER);

const fn quads(codes: &[u32]) -> Quads {
    let mut table = [0; 1024];
    let mut at = 0;
    while at < codes.len() {
        let code = codes[at];
        let length = code & 0xF;
        let entry = code >> 16 & 0xF;
        let entry = entry << 4 | code >> 12 & 0xF;
        let entry = entry << 4 | code >> 24 & 0xF;
        let entry = entry << 4 | (code >> 20 & 1) << 3 | length;
        let mut next = (code >> 28) << 7 | code >> 4 & 0xFF;
        let mut copies = 1 << (7 - length);
        while copies > 0 {
            table[next as usize] = (entry & 0xFFFF) as u16;
            next += 1 << length;
            copies -= 1;
        }
        at += 1;
    }
    table
}

/// How the exponent offsets of a pair of quads begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offset {
    /// The bits of both prefixes and suffixes.
    pub(super) bits: u8,
    /// The bits of both prefixes.
    pub(super) prefixes: u8,
    /// The bits of each suffix.
    pub(super) suffixes: (u8, u8),
    /// What each prefix stands for.
    pub(super) values: (u8, u8),
}

/// Offsets by the next six bits.
pub(super) type Offsets = [Offset; 64];

/// Which quads of a pair have an offset: none, the first, the second, both; both in a first row
/// after a MEL event of zero, and after one of one.
pub(super) const BOTH_OF_FIRST_ROW: usize = 4;
/// See [`BOTH_OF_FIRST_ROW`].
pub(super) const BOTH_LARGE: usize = 5;

/// By which quads have one and the next six bits. Eight of them, so that no index can miss.
pub(super) static OFFSETS: [Offsets; 8] = [
    offsets(0),
    offsets(1),
    offsets(2),
    offsets(3),
    offsets(BOTH_OF_FIRST_ROW),
    offsets(BOTH_LARGE),
    offsets(0),
    offsets(0),
];

/// Table 3: the bits of a prefix, of its suffix, and what it stands for.
const fn prefix(bits: u8) -> (u8, u8, u8) {
    match bits & 7 {
        1 | 3 | 5 | 7 => (1, 0, 1),
        2 | 6 => (2, 0, 2),
        4 => (3, 1, 3),
        _ => (3, 5, 5),
    }
}

const fn offsets(which: usize) -> Offsets {
    let mut table = [Offset {
        bits: 0,
        prefixes: 0,
        suffixes: (0, 0),
        values: (0, 0),
    }; 64];
    let mut bits = 0;
    while bits < 64 {
        let none = (0, 0, 0);
        let first = if which == 2 || which == 0 {
            none
        } else {
            prefix(bits)
        };
        let rest = bits >> first.0;
        let second = if which < 2 {
            none
        } else if which == BOTH_OF_FIRST_ROW && first.2 > 2 {
            (1, 0, 1 + (rest & 1))
        } else {
            prefix(rest)
        };
        let more = if which == BOTH_LARGE { 2 } else { 0 };
        table[bits as usize] = Offset {
            bits: first.0 + second.0 + first.1 + second.1,
            prefixes: first.0 + second.0,
            suffixes: (first.1, second.1),
            values: (first.2 + more, second.2 + more),
        };
        bits += 1;
    }
    table
}
