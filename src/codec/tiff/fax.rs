//! CCITT codes → rows of one bit a pixel, 1 for black: modified Huffman, Group 3 and Group 4.
//!
//! A row at a time, from the row above it alone. Where a code is none, or a row is longer than its
//! width, the tile is damaged: nothing is guessed.
//!
//! Source: ITU-T T.4 (2003), 4.1 and 4.2; T.6 (1988); TIFF 6.0, sections 10 and 11.

use std::sync::LazyLock;

use crate::error::{Error, Result};

use super::input::Input;

/// How rows are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Runs, each row from a whole byte or word on.
    Huffman {
        /// Of the place where a row begins.
        alignment: u32,
    },
    /// Runs or differences, with a code at the end of each row.
    Group3,
    /// Differences.
    Group4,
}

/// One tile's rows under way.
#[derive(Debug)]
pub(super) struct Fax {
    coding: Coding,
    width: u32,
    bits: Bits,
    /// Where the row above changes its colour, first to black.
    above: Vec<u32>,
    row: Vec<u8>,
    /// Bytes of the row that have left.
    left: usize,
    /// Whether rows of differences may come, as Group 3 says row by row.
    marked: bool,
}

/// Bits that have been read, the next one highest.
#[derive(Debug, Default)]
struct Bits {
    held: u64,
    count: u32,
    /// Those of them that stand behind the end of the tile.
    made_up: u32,
    /// How many have been taken.
    taken: u64,
}

/// What one code of differences says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    Horizontal,
    /// The change is so far right of the one above.
    Vertical(i32),
}

/// Bits of the longest code of a run.
const LONGEST: u32 = 13;

/// The code at the end of a row: eleven zeroes and a one.
const END_OF_LINE: (u32, u64) = (12, 1);

static WHITE: LazyLock<Vec<(u8, u16)>> = LazyLock::new(|| table(WHITE_CODES));
static BLACK: LazyLock<Vec<(u8, u16)>> = LazyLock::new(|| table(BLACK_CODES));

impl Fax {
    /// A decoder of tiles that are `width` pixels wide; `marked` where Group 3 may hold differences.
    pub(super) fn new(coding: Coding, marked: bool, width: u32) -> Self {
        Self {
            coding,
            width,
            bits: Bits::default(),
            above: Vec::new(),
            row: vec![0; width.div_ceil(8) as usize],
            left: usize::MAX,
            marked,
        }
    }

    /// Gets ready for the next tile.
    pub(super) fn begin(&mut self) {
        self.bits = Bits::default();
        self.above.clear();
        self.left = usize::MAX;
    }

    /// Fills `out` with the next bytes of the tile.
    pub(super) fn fill(&mut self, input: &mut Input, out: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < out.len() {
            let rest = self.row.get(self.left..).unwrap_or_default();
            let count = rest.len().min(out.len() - filled);
            out[filled..filled + count].copy_from_slice(&rest[..count]);
            filled += count;
            self.left = self.left.saturating_add(count);
            if filled < out.len() {
                self.next_row(input)?;
            }
        }
        Ok(())
    }

    fn next_row(&mut self, input: &mut Input) -> Result<()> {
        let changes = match self.coding {
            Coding::Huffman { alignment } => {
                self.bits.align(input, alignment)?;
                self.runs(input)?
            }
            Coding::Group3 => {
                let ended = self.pass_end_of_line(input)?;
                if ended && self.marked && self.bits.take(input, 1)? == 0 {
                    self.differences(input)?
                } else {
                    self.runs(input)?
                }
            }
            Coding::Group4 => self.differences(input)?,
        };
        if self.bits.is_beyond() {
            return Err(short());
        }
        paint(&changes, self.width, &mut self.row);
        self.left = 0;
        self.above = changes;
        Ok(())
    }

    /// Passes over the code at the end of the row before and what fills up to it, if it is there.
    fn pass_end_of_line(&mut self, input: &mut Input) -> Result<bool> {
        let (length, code) = END_OF_LINE;
        while self.bits.peek(input, length - 1)? == 0 {
            if self.bits.is_beyond() {
                return Err(short());
            }
            if self.bits.peek(input, length)? == code {
                self.bits.skip(length);
                return Ok(true);
            }
            self.bits.skip(1);
        }
        Ok(false)
    }

    /// A row of runs, white and black in turn.
    fn runs(&mut self, input: &mut Input) -> Result<Vec<u32>> {
        let mut changes = Vec::new();
        let (mut at, mut black) = (0, false);
        while at < self.width {
            at = self.run(input, at, black)?;
            change(&mut changes, at, self.width);
            black = !black;
        }
        Ok(changes)
    }

    /// The end of a run that begins `at`.
    fn run(&mut self, input: &mut Input, at: u32, black: bool) -> Result<u32> {
        let table = if black { &*BLACK } else { &*WHITE };
        let mut end = at;
        loop {
            let code = self.bits.peek(input, LONGEST)?;
            let place = usize::try_from(code).unwrap_or(0);
            let (length, run) = table.get(place).copied().unwrap_or((0, 0));
            if length == 0 {
                return Err(if self.bits.is_beyond() || code == 0 {
                    short()
                } else {
                    damaged()
                });
            }
            self.bits.skip(length.into());
            end += u32::from(run);
            if end > self.width {
                return Err(damaged());
            }
            if run < 64 {
                return Ok(end);
            }
        }
    }

    /// A row of differences from the row above.
    fn differences(&mut self, input: &mut Input) -> Result<Vec<u32>> {
        let above = std::mem::take(&mut self.above);
        let mut changes = Vec::with_capacity(above.len() + 2);
        let (mut at, mut begun, mut black) = (0, false, false);
        let mut first = 0;
        while at < self.width {
            // The first change above that is right of here and away from this colour.
            while first > 0 && above.get(first - 1).is_some_and(|change| *change > at) {
                first -= 1;
            }
            let is_left = |change: u32| change < at || (change == at && begun);
            while above.get(first).is_some_and(|change| is_left(*change))
                || (first < above.len() && (first % 2 == 1) != black)
            {
                first += 1;
            }
            let width = self.width;
            let beyond = |place: usize| above.get(place).copied().unwrap_or(width);
            match self.mode(input)? {
                Mode::Pass => at = beyond(first + 1),
                Mode::Horizontal => {
                    for colour in [black, !black] {
                        at = self.run(input, at, colour)?;
                        change(&mut changes, at, self.width);
                    }
                }
                Mode::Vertical(step) => {
                    let to = beyond(first).checked_add_signed(step);
                    at = to
                        .filter(|to| *to >= at && *to <= self.width)
                        .ok_or_else(damaged)?;
                    change(&mut changes, at, self.width);
                    black = !black;
                }
            }
            begun = true;
        }
        Ok(changes)
    }

    fn mode(&mut self, input: &mut Input) -> Result<Mode> {
        let code = self.bits.peek(input, 7)?;
        let (length, mode) = match code {
            0b100_0000.. => (1, Mode::Vertical(0)),
            0b011_0000.. => (3, Mode::Vertical(1)),
            0b010_0000.. => (3, Mode::Vertical(-1)),
            0b001_0000.. => (3, Mode::Horizontal),
            0b000_1000.. => (4, Mode::Pass),
            0b000_0110.. => (6, Mode::Vertical(2)),
            0b000_0100.. => (6, Mode::Vertical(-2)),
            0b000_0011 => (7, Mode::Vertical(3)),
            0b000_0010 => (7, Mode::Vertical(-3)),
            0b000_0001 => return Err(Error::unsupported("uncompressed runs in CCITT codes")),
            // The end of a block, or of the bytes, before the last row.
            _ => return Err(short()),
        };
        self.bits.skip(length);
        Ok(mode)
    }
}

impl Bits {
    /// The next `length` bits, at most 32; zeroes behind the end.
    fn peek(&mut self, input: &mut Input, length: u32) -> Result<u64> {
        while self.count < length {
            let byte = input.available()?.first().copied();
            input.consume(1);
            if byte.is_none() {
                self.made_up += 8;
            }
            self.held = self.held << 8 | u64::from(byte.unwrap_or(0));
            self.count += 8;
        }
        Ok(self.held >> (self.count - length) & ((1 << length) - 1))
    }

    /// Passes over bits that have been peeked at.
    fn skip(&mut self, length: u32) {
        self.count -= length;
        self.taken += u64::from(length);
    }

    fn take(&mut self, input: &mut Input, length: u32) -> Result<u64> {
        let bits = self.peek(input, length)?;
        self.skip(length);
        Ok(bits)
    }

    /// Passes over what is left up to a multiple of `alignment` bits, at most 16.
    fn align(&mut self, input: &mut Input, alignment: u32) -> Result<()> {
        let over = self.taken % u64::from(alignment);
        if let Ok(over @ 1..) = u32::try_from(over) {
            self.take(input, alignment - over)?;
        }
        Ok(())
    }

    /// Whether bits behind the end have been taken.
    fn is_beyond(&self) -> bool {
        self.made_up > self.count
    }
}

/// Notes a change of colour; one at the same place as the last takes both back.
fn change(changes: &mut Vec<u32>, at: u32, width: u32) {
    if changes.last() == Some(&at) {
        changes.pop();
    } else if at < width || changes.len() % 2 == 1 {
        changes.push(at);
    }
}

/// Sets the bits between each change to black and the next one.
fn paint(changes: &[u32], width: u32, row: &mut [u8]) {
    row.fill(0);
    for pair in changes.chunks(2) {
        let end = pair.get(1).copied().unwrap_or(width);
        let mut at = pair[0];
        while at < end {
            let byte = &mut row[at as usize / 8];
            if at.is_multiple_of(8) && end - at >= 8 {
                *byte = 0xff;
                at += 8;
            } else {
                *byte |= 0x80 >> (at % 8);
                at += 1;
            }
        }
    }
}

fn short() -> Error {
    Error::corrupt("a tile ends before its last row")
}

fn damaged() -> Error {
    Error::corrupt("a CCITT tile is damaged")
}

/// For every `LONGEST` bits: how many of them are a code, and the run that it stands for.
fn table(codes: &[(&str, u16)]) -> Vec<(u8, u16)> {
    let mut table = vec![(0, 0); 1 << LONGEST];
    for (code, run) in codes.iter().chain(LONG_CODES) {
        let bits = code
            .bytes()
            .fold(0_usize, |bits, digit| bits << 1 | usize::from(digit & 1));
        let length = u8::try_from(code.len()).expect("no code has more than 13 digits");
        let open = LONGEST - u32::from(length);
        for entry in &mut table[bits << open..(bits + 1) << open] {
            *entry = (length, *run);
        }
    }
    table
}

/// Source: ITU-T T.4, tables 2 and 3a.
#[rustfmt::skip]
const WHITE_CODES: &[(&str, u16)] = &[
    ("00110101", 0), ("000111", 1), ("0111", 2), ("1000", 3), ("1011", 4), ("1100", 5), ("1110", 6),
    ("1111", 7), ("10011", 8), ("10100", 9), ("00111", 10), ("01000", 11), ("001000", 12),
    ("000011", 13), ("110100", 14), ("110101", 15), ("101010", 16), ("101011", 17), ("0100111", 18),
    ("0001100", 19), ("0001000", 20), ("0010111", 21), ("0000011", 22), ("0000100", 23),
    ("0101000", 24), ("0101011", 25), ("0010011", 26), ("0100100", 27), ("0011000", 28),
    ("00000010", 29), ("00000011", 30), ("00011010", 31), ("00011011", 32), ("00010010", 33),
    ("00010011", 34), ("00010100", 35), ("00010101", 36), ("00010110", 37), ("00010111", 38),
    ("00101000", 39), ("00101001", 40), ("00101010", 41), ("00101011", 42), ("00101100", 43),
    ("00101101", 44), ("00000100", 45), ("00000101", 46), ("00001010", 47), ("00001011", 48),
    ("01010010", 49), ("01010011", 50), ("01010100", 51), ("01010101", 52), ("00100100", 53),
    ("00100101", 54), ("01011000", 55), ("01011001", 56), ("01011010", 57), ("01011011", 58),
    ("01001010", 59), ("01001011", 60), ("00110010", 61), ("00110011", 62), ("00110100", 63),
    ("11011", 64), ("10010", 128), ("010111", 192), ("0110111", 256), ("00110110", 320),
    ("00110111", 384), ("01100100", 448), ("01100101", 512), ("01101000", 576), ("01100111", 640),
    ("011001100", 704), ("011001101", 768), ("011010010", 832), ("011010011", 896),
    ("011010100", 960), ("011010101", 1024), ("011010110", 1088), ("011010111", 1152),
    ("011011000", 1216), ("011011001", 1280), ("011011010", 1344), ("011011011", 1408),
    ("010011000", 1472), ("010011001", 1536), ("010011010", 1600), ("011000", 1664),
    ("010011011", 1728),
];

/// Source: ITU-T T.4, tables 2 and 3a.
#[rustfmt::skip]
const BLACK_CODES: &[(&str, u16)] = &[
    ("0000110111", 0), ("010", 1), ("11", 2), ("10", 3), ("011", 4), ("0011", 5), ("0010", 6),
    ("00011", 7), ("000101", 8), ("000100", 9), ("0000100", 10), ("0000101", 11), ("0000111", 12),
    ("00000100", 13), ("00000111", 14), ("000011000", 15), ("0000010111", 16), ("0000011000", 17),
    ("0000001000", 18), ("00001100111", 19), ("00001101000", 20), ("00001101100", 21),
    ("00000110111", 22), ("00000101000", 23), ("00000010111", 24), ("00000011000", 25),
    ("000011001010", 26), ("000011001011", 27), ("000011001100", 28), ("000011001101", 29),
    ("000001101000", 30), ("000001101001", 31), ("000001101010", 32), ("000001101011", 33),
    ("000011010010", 34), ("000011010011", 35), ("000011010100", 36), ("000011010101", 37),
    ("000011010110", 38), ("000011010111", 39), ("000001101100", 40), ("000001101101", 41),
    ("000011011010", 42), ("000011011011", 43), ("000001010100", 44), ("000001010101", 45),
    ("000001010110", 46), ("000001010111", 47), ("000001100100", 48), ("000001100101", 49),
    ("000001010010", 50), ("000001010011", 51), ("000000100100", 52), ("000000110111", 53),
    ("000000111000", 54), ("000000100111", 55), ("000000101000", 56), ("000001011000", 57),
    ("000001011001", 58), ("000000101011", 59), ("000000101100", 60), ("000001011010", 61),
    ("000001100110", 62), ("000001100111", 63), ("0000001111", 64), ("000011001000", 128),
    ("000011001001", 192), ("000001011011", 256), ("000000110011", 320), ("000000110100", 384),
    ("000000110101", 448), ("0000001101100", 512), ("0000001101101", 576), ("0000001001010", 640),
    ("0000001001011", 704), ("0000001001100", 768), ("0000001001101", 832), ("0000001110010", 896),
    ("0000001110011", 960), ("0000001110100", 1024), ("0000001110101", 1088),
    ("0000001110110", 1152), ("0000001110111", 1216), ("0000001010010", 1280),
    ("0000001010011", 1344), ("0000001010100", 1408), ("0000001010101", 1472),
    ("0000001011010", 1536), ("0000001011011", 1600), ("0000001100100", 1664),
    ("0000001100101", 1728),
];

/// Of both colours. Source: ITU-T T.4, table 3b.
#[rustfmt::skip]
const LONG_CODES: &[(&str, u16)] = &[
    ("00000001000", 1792), ("00000001100", 1856), ("00000001101", 1920), ("000000010010", 1984),
    ("000000010011", 2048), ("000000010100", 2112), ("000000010101", 2176), ("000000010110", 2240),
    ("000000010111", 2304), ("000000011100", 2368), ("000000011101", 2432), ("000000011110", 2496),
    ("000000011111", 2560),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_begins_another_and_each_is_found() {
        for codes in [WHITE_CODES, BLACK_CODES] {
            let table = table(codes);
            for (code, run) in codes.iter().chain(LONG_CODES) {
                let open = LONGEST as usize - code.len();
                let bits = usize::from_str_radix(code, 2).unwrap();
                for rest in [0, (1 << open) - 1] {
                    let found = table[bits << open | rest];
                    assert_eq!((usize::from(found.0), found.1), (code.len(), *run));
                }
            }
        }
    }

    #[test]
    fn changes_are_painted_from_bit_to_bit() {
        let mut row = [0; 3];
        paint(&[3, 4, 6, 17], 20, &mut row);
        assert_eq!(row, [0b0001_0011, 0xff, 0x80]);
        paint(&[18], 20, &mut row);
        assert_eq!(row, [0, 0, 0b0011_0000]);
    }

    #[test]
    fn a_change_at_the_place_of_the_last_takes_both_back() {
        let mut changes = Vec::new();
        for at in [0, 3, 3, 9] {
            change(&mut changes, at, 9);
        }
        assert_eq!(changes, [0, 9]);
    }
}
