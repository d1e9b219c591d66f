//! A plain encoder of high-throughput code-blocks, bit by bit as ISO/IEC 15444-15 clause 7 says it.
//! It shares the standard's codewords with the decoder, and nothing else.

use super::super::codes::{FIRST, OTHER};

/// Collects bits, the first one lowest, with a bit stuffed after 0xFF.
#[derive(Default)]
struct Forward {
    bytes: Vec<u8>,
    byte: u8,
    used: u32,
}

impl Forward {
    fn put(&mut self, value: u32, bits: u32) {
        for bit in 0..bits {
            self.byte |= u8::try_from(value >> bit & 1).unwrap() << self.used;
            self.used += 1;
            let room = if self.bytes.last() == Some(&0xFF) {
                7
            } else {
                8
            };
            if self.used == room {
                self.bytes.push(self.byte);
                self.byte = 0;
                self.used = 0;
            }
        }
    }

    /// Fills the last byte with `fill`.
    fn finish(mut self, fill: u32) -> Vec<u8> {
        while self.used != 0 {
            self.put(fill, 1);
        }
        self.bytes
    }
}

/// The MEL encoder (clause 7.3.3): bits from the highest one on.
#[derive(Default)]
struct MelEncoder {
    bytes: Vec<u8>,
    byte: u8,
    used: u32,
    state: usize,
    zeros: u32,
}

const MEL: [u32; 13] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5];

impl MelEncoder {
    fn bit(&mut self, bit: u32) {
        self.byte = self.byte << 1 | u8::try_from(bit).unwrap();
        self.used += 1;
        let room = if self.bytes.last() == Some(&0xFF) {
            7
        } else {
            8
        };
        if self.used == room {
            self.bytes.push(self.byte);
            self.byte = 0;
            self.used = 0;
        }
    }

    fn event(&mut self, one: bool) {
        if one {
            self.bit(0);
            for bit in (0..MEL[self.state]).rev() {
                self.bit(self.zeros >> bit & 1);
            }
            self.zeros = 0;
            self.state = self.state.saturating_sub(1);
            return;
        }
        self.zeros += 1;
        if self.zeros == 1 << MEL[self.state] {
            self.bit(1);
            self.zeros = 0;
            self.state = (self.state + 1).min(12);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.zeros > 0 {
            self.bit(1);
        }
        while self.used != 0 {
            self.bit(0);
        }
        self.bytes
    }
}

/// Bits that are read from the last byte to the first one; returned in that order.
fn backward(bits: &[u32], mut before: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut bits = bits.iter();
    while bits.len() > 0 {
        let mut byte = 0;
        for place in 0..7 {
            byte |= u8::try_from(bits.next().copied().unwrap_or(0)).unwrap() << place;
        }
        if before <= 0x8F || byte != 0x7F {
            byte |= u8::try_from(bits.next().copied().unwrap_or(0)).unwrap() << 7;
        }
        bytes.push(byte);
        before = byte;
    }
    bytes
}

/// A quad's samples as they are coded: twice the magnitude less one, and the sign lowest.
#[derive(Clone, Copy, Default)]
struct Quad {
    values: [Option<u32>; 4],
}

impl Quad {
    fn exponent(self, sample: usize) -> u32 {
        self.values[sample].map_or(0, |value| 32 - (value | 1).leading_zeros())
    }

    fn largest(self) -> u32 {
        (0..4).map(|sample| self.exponent(sample)).max().unwrap()
    }

    fn pattern(self) -> u32 {
        (0..4)
            .map(|n| u32::from(self.values[n].is_some()) << n)
            .sum()
    }

    fn has(self, sample: usize) -> u32 {
        u32::from(self.values[sample].is_some())
    }
}

/// The codewords of one block.
#[derive(Default)]
struct Encoder {
    magnitudes: Forward,
    mel: MelEncoder,
    codewords: Vec<u32>,
}

fn push(bits: &mut Vec<u32>, value: u32, count: u32) {
    bits.extend((0..count).map(|bit| value >> bit & 1));
}

/// Prefix, suffix and extension of an exponent offset, each as value and bits (Table 3).
fn offset(value: u32) -> [(u32, u32); 3] {
    match value {
        0 => [(0, 0); 3],
        1 => [(1, 1), (0, 0), (0, 0)],
        2 => [(2, 2), (0, 0), (0, 0)],
        3 | 4 => [(4, 3), (value - 3, 1), (0, 0)],
        5..33 => [(0, 3), (value - 5, 5), (0, 0)],
        _ => {
            let suffix = 28 + (value - 33) % 4;
            [(0, 3), (suffix, 5), ((value - 5 - suffix) / 4, 4)]
        }
    }
}

impl Encoder {
    /// One quad's codeword and magnitudes; its exponent offset.
    fn quad(&mut self, quad: Quad, first: bool, context: u32, predicted: u32) -> u32 {
        let pattern = quad.pattern();
        if context == 0 {
            self.mel.event(pattern != 0);
            if pattern == 0 {
                return 0;
            }
        }
        let bound = quad.largest().max(predicted);
        let over = bound - predicted;
        let tops: u32 = (0..4)
            .map(|n| u32::from(quad.exponent(n) == bound) << n)
            .sum();
        let codes: &[u32] = if first { &FIRST } else { &OTHER };
        let code = codes
            .iter()
            .copied()
            .find(|code| {
                let digit = |place: u32| code >> (4 * place) & 0xF;
                (digit(7), digit(6), digit(5)) == (context, pattern, u32::from(over > 0))
                    && tops & digit(4) == digit(3)
            })
            .unwrap();
        push(&mut self.codewords, code >> 4 & 0xFF, code & 0xF);
        for (sample, value) in quad.values.into_iter().enumerate() {
            if let Some(value) = value {
                let known = code >> 16 >> sample & 1;
                self.magnitudes.put(value, bound - known);
            }
        }
        over
    }

    /// The exponent offsets of a pair of quads.
    fn pair(&mut self, first_row: bool, mut one: u32, mut two: u32) {
        let mut single = false;
        if first_row && one > 0 && two > 0 {
            let large = one > 2 && two > 2;
            self.mel.event(large);
            if large {
                one -= 2;
                two -= 2;
            } else {
                single = one > 2;
            }
        }
        let one = offset(one);
        let two = if single {
            [(two - 1, 1), (0, 0), (0, 0)]
        } else {
            offset(two)
        };
        for ((value, bits), (second, second_bits)) in one.into_iter().zip(two) {
            push(&mut self.codewords, value, bits);
            push(&mut self.codewords, second, second_bits);
        }
    }

    fn finish(self) -> Vec<u8> {
        let mut bytes = self.magnitudes.finish(1);
        if bytes.last() == Some(&0xFF) {
            bytes.pop();
        }
        let magnitudes = bytes.len();
        bytes.extend(self.mel.finish());
        let mut bits = self.codewords;
        bits.resize(bits.len().max(4), 0);
        let mut nibble = bits[0] | bits[1] << 1 | bits[2] << 2;
        let taken = if nibble == 7 { 3 } else { 4 };
        if taken == 4 {
            nibble |= bits[3] << 3;
        }
        let nibble = u8::try_from(nibble << 4).unwrap();
        bytes.extend(backward(&bits[taken..], nibble | 0xF).iter().rev());
        let shared = bytes.len() + 2 - magnitudes;
        bytes.push(nibble | u8::try_from(shared & 0xF).unwrap());
        bytes.push(u8::try_from(shared >> 4).unwrap());
        bytes
    }
}

/// One block of coefficients.
pub(super) struct Plain<'a> {
    pub(super) coefficients: &'a [i32],
    pub(super) width: usize,
}

impl Plain<'_> {
    fn height(&self) -> usize {
        self.coefficients.len() / self.width
    }

    fn at(&self, x: isize, y: isize) -> i32 {
        let x = usize::try_from(x).ok().filter(|&x| x < self.width);
        let y = usize::try_from(y).ok().filter(|&y| y < self.height());
        x.zip(y)
            .map_or(0, |(x, y)| self.coefficients[y * self.width + x])
    }

    fn quad(&self, x: isize, y: isize, plane: u32) -> Quad {
        let places = [(0, 0), (0, 1), (1, 0), (1, 1)];
        Quad {
            values: places.map(|(dx, dy)| {
                let value = self.at(2 * x + dx, 2 * y + dy);
                let size = value.unsigned_abs() >> plane;
                (size > 0).then(|| 2 * (size - 1) + u32::from(value < 0))
            }),
        }
    }

    /// The clean-up segment down to `plane`.
    pub(super) fn clean_up(&self, plane: u32) -> Vec<u8> {
        let mut encoder = Encoder::default();
        let across = self.width.div_ceil(2).cast_signed();
        for y in 0..self.height().div_ceil(2).cast_signed() {
            for pair in (0..across).step_by(2) {
                let mut over = [0; 2];
                for x in pair..(pair + 2).min(across) {
                    let near = |dx, dy| self.quad(x + dx, y + dy, plane);
                    let (left, above) = (near(-1, 0), near(0, -1));
                    let (before, after) = (near(-1, -1), near(1, -1));
                    let context = if y == 0 {
                        (left.has(0) | left.has(1)) + 2 * left.has(2) + 4 * left.has(3)
                    } else {
                        (before.has(3) | above.has(1))
                            + 2 * (left.has(2) | left.has(3))
                            + 4 * (above.has(3) | after.has(1))
                    };
                    let quad = near(0, 0);
                    let highest = before
                        .exponent(3)
                        .max(above.exponent(1))
                        .max(above.exponent(3))
                        .max(after.exponent(1));
                    let predicted = if quad.pattern().count_ones() > 1 {
                        highest.max(2) - 1
                    } else {
                        1
                    };
                    over[(x - pair).cast_unsigned()] =
                        encoder.quad(quad, y == 0, context, predicted);
                }
                encoder.pair(y == 0, over[0], over[1]);
            }
        }
        encoder.finish()
    }

    /// The refinement segment of `plane`, of one pass or both, and what a decoder knows then: the
    /// last bit-plane of each sample.
    pub(super) fn refine(&self, plane: u32, both: bool, causal: bool) -> (Vec<u8>, Vec<u32>) {
        let height = self.height();
        let sizes: Vec<u32> = self.coefficients.iter().map(|c| c.unsigned_abs()).collect();
        let mut significant: Vec<bool> = sizes.iter().map(|size| size >> (plane + 1) > 0).collect();
        let mut last: Vec<u32> = vec![plane + 1; sizes.len()];
        let mut refined = Vec::new();
        let mut forward = Forward::default();
        for top in (0..height).step_by(4) {
            let rows = top..(top + 4).min(height);
            for x in 0..self.width {
                for at in rows.clone().map(|y| y * self.width + x) {
                    if both && significant[at] {
                        last[at] = plane;
                        refined.push(sizes[at] >> plane & 1);
                    }
                }
            }
        }
        let before = significant.clone();
        for top in (0..height).step_by(4) {
            let rows = top..(top + 4).min(height);
            for left in (0..self.width).step_by(4) {
                let mut signs = Vec::new();
                for x in left..(left + 4).min(self.width) {
                    for y in rows.clone() {
                        let at = y * self.width + x;
                        let seen = (y.saturating_sub(1)..(y + 2).min(height))
                            .filter(|&row| !causal || row < top + 4)
                            .flat_map(|row| {
                                (x.saturating_sub(1)..(x + 2).min(self.width))
                                    .map(move |column| row * self.width + column)
                            })
                            .any(|near| near != at && significant[near]);
                        if before[at] || !seen {
                            continue;
                        }
                        let bit = sizes[at] >> plane & 1;
                        forward.put(bit, 1);
                        last[at] = plane;
                        if bit == 1 {
                            significant[at] = true;
                            signs.push(u32::from(self.coefficients[at] < 0));
                        }
                    }
                }
                for sign in signs {
                    forward.put(sign, 1);
                }
            }
        }
        let mut bytes = forward.finish(0);
        bytes.extend(backward(&refined, 0xFF).iter().rev());
        (bytes, last)
    }
}
