//! Quantised coefficients → the codes of a baseline JPEG: the twin of `jpeg_huffman.wgsl`, for tests alone.
//!
//! The device counts each block's bits, sums them up to each block's place, and writes all blocks at
//! once; here they are written one after another, which gives the same stream.

use super::jpeg_fdct::Block;
use crate::render::jpeg::{Codes, codes};

/// Codes as the device leaves them: words of 4 bytes, little end first, first bit uppermost.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) words: Vec<u8>,
    pub(super) bits: u32,
    word: u32,
}

/// The stream of `blocks`, filled up to a byte with ones.
pub(super) fn stream(blocks: &[Block], gray: bool) -> Stream {
    let tables = codes();
    let mut stream = Stream::default();
    let mut last = [0; 3];
    for (at, block) in blocks.iter().enumerate() {
        let component = if gray { 0 } else { (at % 6).saturating_sub(3) };
        let difference = i32::from(block[0]) - last[component];
        last[component] = i32::from(block[0]);
        stream.block(difference, block, &tables[component.min(1)]);
    }
    while !stream.bits.is_multiple_of(8) {
        stream.put(1, 1);
    }
    stream.flush();
    stream
}

impl Stream {
    fn block(&mut self, difference: i32, block: &Block, codes: &Codes) {
        self.code(codes.dc[bits_of(difference) as usize]);
        self.value(difference);
        let mut zeros = 0;
        for &value in &block[1..] {
            if value == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 {
                self.code(codes.ac[0xf0]);
                zeros -= 16;
            }
            let value = i32::from(value);
            self.code(codes.ac[zeros * 16 + bits_of(value) as usize]);
            self.value(value);
            zeros = 0;
        }
        if zeros > 0 {
            self.code(codes.ac[0]);
        }
    }

    fn code(&mut self, code: u32) {
        self.put(code & 0xffff, code >> 16);
    }

    /// The value's lowest bits; of one less where it is negative.
    fn value(&mut self, value: i32) {
        let bits = bits_of(value);
        let coded = if value < 0 { value - 1 } else { value };
        self.put(coded.cast_unsigned() & ((1 << bits) - 1), bits);
    }

    fn put(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.word = self.word << 1 | (value >> bit & 1);
            self.bits += 1;
            if self.bits.is_multiple_of(32) {
                self.words.extend(self.word.to_le_bytes());
            }
        }
    }

    fn flush(&mut self) {
        let left = self.bits % 32;
        if left > 0 {
            self.words.extend((self.word << (32 - left)).to_le_bytes());
        }
    }
}

fn bits_of(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

#[cfg(test)]
mod tests;
