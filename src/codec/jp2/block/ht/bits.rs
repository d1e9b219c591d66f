//! Bytes with stuffed bits → bits without them, to be read from any place.
//!
//! Source: ISO/IEC 15444-15, clause 7.1: the segments of magnitudes, of VLC codewords and of the two
//! refinement passes. All are read from the lowest bit of a byte; two of them from the last byte
//! to the first.

/// Most bytes that are kept: 4096 samples with 31 bits each, and what stuffing adds.
const MOST: usize = 20_480;

/// Bits in a row. After the last one there is the same bit without end.
#[derive(Debug)]
pub(super) struct Flat {
    bytes: Box<[u8]>,
    /// The byte from which on all bits are the same.
    end: usize,
}

/// Whether one of eight bytes is zero.
const fn has_zero(word: u64) -> bool {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080 != 0
}

/// Collects bits, eight bytes at a time where no bit is stuffed.
struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
    held: u64,
    bits: u32,
}

impl Writer<'_> {
    /// Adds `bits` bits, at most 8.
    #[inline(always)]
    fn put(&mut self, value: u8, bits: u32) {
        self.held |= u64::from(value) << self.bits;
        self.bits += bits;
        if self.bits >= 8 {
            self.bytes[self.at] = (self.held & 0xFF) as u8;
            self.at += 1;
            self.held >>= 8;
            self.bits -= 8;
        }
    }

    /// Adds eight bytes.
    #[inline(always)]
    fn put_eight(&mut self, word: u64) {
        let low = self.held | word << self.bits;
        self.bytes[self.at..self.at + 8].copy_from_slice(&low.to_le_bytes());
        self.at += 8;
        // Two shifts, as one by 64 has no value.
        self.held = word >> 1 >> (63 - self.bits);
    }

    /// Ends with eight bytes of `fill`; where they begin.
    fn finish(mut self, fill: u8) -> usize {
        if self.bits > 0 {
            self.put(fill, 8);
        }
        self.bytes[self.at..self.at + 8].fill(fill);
        self.at
    }
}

impl Flat {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; MOST + 24].into_boxed_slice(),
            end: 0,
        }
    }

    fn writer(&mut self) -> Writer<'_> {
        Writer {
            bytes: &mut self.bytes,
            at: 0,
            held: 0,
            bits: 0,
        }
    }

    /// Takes `bytes` from first to last: a byte after 0xFF has seven bits. Ends with `fill`.
    #[inline(never)]
    pub(super) fn forward(&mut self, bytes: &[u8], fill: u8) {
        let mut rest = &bytes[..bytes.len().min(MOST)];
        let mut writer = self.writer();
        let mut stuffed = false;
        while !rest.is_empty() {
            if !stuffed && let Some((&eight, after)) = rest.split_first_chunk::<8>() {
                let word = u64::from_le_bytes(eight);
                if !has_zero(!word) {
                    writer.put_eight(word);
                    rest = after;
                    continue;
                }
            }
            while let Some((&byte, after)) = rest.split_first() {
                let bits = if stuffed { 7 } else { 8 };
                writer.put(byte & (0xFF >> (8 - bits)), bits);
                stuffed = byte == 0xFF;
                rest = after;
                if rest.len().is_multiple_of(8) {
                    break;
                }
            }
        }
        self.end = writer.finish(fill);
    }

    /// Takes `bytes` from last to first, after the byte `before`: a byte whose low seven bits are
    /// ones has only those after a byte above 0x8F. Ends with zeros.
    pub(super) fn backward(&mut self, bytes: &[u8], before: u8) {
        self.backward_after(bytes, before, 0, 0);
    }

    /// The VLC codewords that end in `shared`: its last 12 bits are a length (clause 7.1.4).
    pub(super) fn codewords(&mut self, shared: &[u8]) {
        let Some((rest, &[last, _])) = shared.split_last_chunk::<2>() else {
            self.end = self.writer().finish(0);
            return;
        };
        let nibble = last >> 4;
        let bits = if nibble & 7 == 7 { 3 } else { 4 };
        self.backward_after(rest, last | 0xF, nibble & (0xF >> (4 - bits)), bits);
    }

    #[inline(never)]
    fn backward_after(&mut self, bytes: &[u8], mut before: u8, value: u8, bits: u32) {
        let mut rest = &bytes[bytes.len().saturating_sub(MOST)..];
        let mut writer = self.writer();
        writer.put(value, bits);
        while !rest.is_empty() {
            if let Some((after, &eight)) = rest.split_last_chunk::<8>() {
                let word = u64::from_be_bytes(eight);
                if !has_zero(!(word | 0x8080_8080_8080_8080)) {
                    writer.put_eight(word);
                    before = eight[0];
                    rest = after;
                    continue;
                }
            }
            while let Some((&byte, after)) = rest.split_last() {
                let stuffed = before > 0x8F && byte & 0x7F == 0x7F;
                let bits = if stuffed { 7 } else { 8 };
                writer.put(byte & (0xFF >> (8 - bits)), bits);
                before = byte;
                rest = after;
                if rest.len().is_multiple_of(8) {
                    break;
                }
            }
        }
        self.end = writer.finish(0);
    }

    /// At least 57 bits from bit `at` on, the first one lowest.
    #[inline(always)]
    pub(super) fn peek(&self, at: usize) -> u64 {
        let from = (at >> 3).min(self.end);
        let eight = self.bytes[from..]
            .first_chunk::<8>()
            .map_or(0, |&eight| u64::from_le_bytes(eight));
        eight >> (at & 7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits one by one, as the clauses say it.
    fn plain(bytes: &[u8], stuffed: impl Fn(u8, u8) -> bool, mut before: u8) -> Vec<u8> {
        let mut bits = Vec::new();
        for &byte in bytes {
            let count = if stuffed(before, byte) { 7 } else { 8 };
            bits.extend((0..count).map(|bit| byte >> bit & 1));
            before = byte;
        }
        bits
    }

    fn samples() -> impl Iterator<Item = Vec<u8>> {
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        (0..300).map(move |length| {
            let full = next() % 40 + 1;
            (0..length)
                .map(|_| {
                    if next() % full == 0 {
                        0xFF
                    } else {
                        u8::try_from(next() & 0xFF).unwrap()
                    }
                })
                .collect()
        })
    }

    #[track_caller]
    fn same(flat: &Flat, bits: &[u8], fill: u8) {
        for at in 0..bits.len() + 200 {
            let bit = bits.get(at).copied().unwrap_or(fill & 1);
            assert_eq!(flat.peek(at) & 1, u64::from(bit), "bit {at}");
        }
        let word = flat.peek(bits.len() + 1000);
        assert_eq!(word & 0xFF, u64::from(fill));
    }

    #[test]
    fn a_byte_after_ff_has_seven_bits() {
        let mut flat = Flat::new();
        for bytes in samples() {
            for fill in [0, 0xFF] {
                flat.forward(&bytes, fill);
                same(&flat, &plain(&bytes, |before, _| before == 0xFF, 0), fill);
            }
        }
    }

    #[test]
    fn backwards_a_byte_of_ones_after_more_than_8f_has_seven_bits() {
        let stuffed = |before, byte| before > 0x8F && byte & 0x7F == 0x7F;
        let mut flat = Flat::new();
        for bytes in samples() {
            let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
            flat.backward(&bytes, 0xFF);
            same(&flat, &plain(&reversed, stuffed, 0xFF), 0);
        }
    }

    #[test]
    fn codewords_begin_above_the_length() {
        let mut flat = Flat::new();
        flat.codewords(&[0b1010_0101, 0x3F, 0xFF]);
        // The nibble 0011, then the whole byte.
        assert_eq!(flat.peek(0) & 0xFFFF, 0b1010_0101_0011);
        flat.codewords(&[0xFF, 0xF0, 0x01]);
        // Of the nibble 1111 three bits; the byte after it has seven.
        assert_eq!(flat.peek(0) & 0xFFFF, 0b11_1111_1111);
    }

    #[test]
    fn more_bytes_than_any_block_needs_are_cut() {
        let mut flat = Flat::new();
        flat.forward(&vec![0; 100_000], 0xFF);
        assert_eq!(flat.peek(MOST * 8), u64::MAX);
        flat.backward(&vec![1; 100_000], 0xFF);
        assert_eq!(flat.peek(MOST * 8), 0);
    }
}
