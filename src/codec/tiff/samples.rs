//! One row of a tile as it left decompression → the wanted columns and samples of it, at their place
//! in a row of interleaved pixels.
//!
//! Undoes the predictor, the byte order and packed bits. What the samples mean is left to `pixels`.

use std::ops::Range;

use super::directory::ByteOrder;

/// What the bits of a sample are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Unsigned,
    /// In two's complement; the least number is what 0 is to unsigned ones.
    Signed,
    /// IEEE 754; 0.0 to 1.0 is the range, in linear light where no profile says otherwise, and what lies
    /// outside is cut.
    Float,
}

/// What has been done to the samples of a row to make them compress better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predictor {
    Nothing,
    /// Each is the difference from the pixel before (TIFF 6.0, section 14).
    Horizontal,
    /// Their bytes stand apart by weight, as differences (TIFF Technical Note 3, 2005).
    Float,
}

/// How samples stand in a row's bytes.
#[derive(Debug)]
pub(super) struct RowFormat {
    /// Per sample: 1 to 32, or 64.
    pub(super) bits: u8,
    pub(super) kind: Kind,
    /// Of samples of whole bytes.
    pub(super) order: ByteOrder,
    pub(super) predictor: Predictor,
    /// Fewer than 8 bits are brought to the full range; indices into a palette are not.
    pub(super) scaled: bool,
    /// Samples of a pixel in the row.
    pub(super) samples: usize,
}

/// Which part of a row goes where.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    /// Columns of the row.
    pub(super) columns: Range<usize>,
    /// Which samples of each pixel, in the order in which they leave.
    pub(super) picks: &'a [usize],
    /// Samples of a pixel that leaves.
    pub(super) stride: usize,
    /// The first of these that is written.
    pub(super) first: usize,
}

/// Numbers of one row, before they are cut: kept between rows so that nothing is reserved for each.
#[derive(Debug, Default)]
pub(super) struct RowScratch {
    bytes: Vec<u8>,
    words: Vec<u16>,
    numbers: Vec<u64>,
}

/// Bytes that a [`RowScratch`] holds for each sample of a row.
pub(super) const SCRATCH_BYTES: u64 = 10;

impl RowFormat {
    /// Whether samples are held in 8 bits.
    pub(super) fn is_narrow(&self) -> bool {
        self.bits <= 8
    }

    /// Writes the cut of a row of at most 8 bits into `out`, the pixels of the cut's columns.
    pub(super) fn place_u8(
        &self,
        raw: &mut [u8],
        scratch: &mut RowScratch,
        cut: &Cut<'_>,
        out: &mut [u8],
    ) {
        let plain = self.kind == Kind::Unsigned;
        if self.bits == 8 && plain {
            if self.predictor == Predictor::Horizontal {
                accumulate(raw, self.samples, u8::wrapping_add);
            }
            place(raw, self.samples, cut, out);
            return;
        }
        let unpredicted = self.predictor == Predictor::Nothing;
        if plain && unpredicted && matches!(self.bits, 1 | 2 | 4) {
            self.spread_bits(raw, &mut scratch.bytes);
        } else {
            self.numbers(raw, &mut scratch.numbers);
            let most = self.most();
            let level = |number: u64| {
                let number = if self.kind == Kind::Signed {
                    number ^ (1 << (self.bits - 1))
                } else {
                    number
                };
                let level = if self.scaled {
                    (number * 255 + most / 2) / most
                } else {
                    number
                };
                u8::try_from(level).unwrap_or(u8::MAX)
            };
            scratch.bytes.clear();
            let numbers = scratch.numbers.iter();
            scratch.bytes.extend(numbers.map(|number| level(*number)));
        }
        place(&scratch.bytes, self.samples, cut, out);
    }

    /// Writes the cut of a row of more than 8 bits into `out`, the pixels of the cut's columns.
    pub(super) fn place_u16(
        &self,
        raw: &mut [u8],
        scratch: &mut RowScratch,
        cut: &Cut<'_>,
        out: &mut [u16],
    ) {
        let words = &mut scratch.words;
        words.clear();
        if self.bits == 16 && self.kind == Kind::Unsigned {
            let (pairs, _) = raw.as_chunks::<2>();
            match self.order {
                ByteOrder::Little => {
                    words.extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair)));
                }
                ByteOrder::Big => words.extend(pairs.iter().map(|pair| u16::from_be_bytes(*pair))),
            }
            if self.predictor == Predictor::Horizontal {
                accumulate(words, self.samples, u16::wrapping_add);
            }
        } else {
            self.numbers(raw, &mut scratch.numbers);
            words.extend(scratch.numbers.iter().map(|number| self.word(*number)));
        }
        place(words, self.samples, cut, out);
    }

    /// The largest number of an unsigned sample.
    fn most(&self) -> u64 {
        u64::MAX >> (64 - u32::from(self.bits))
    }

    /// A sample of 16 bits for one of more than 8.
    fn word(&self, number: u64) -> u16 {
        let number = match self.kind {
            Kind::Float => return float_word(number, self.bits),
            Kind::Signed => number ^ (1 << (self.bits - 1)),
            Kind::Unsigned => number,
        };
        let most = u128::from(self.most());
        let word = (u128::from(number) * 65535 + most / 2) / most;
        u16::try_from(word).unwrap_or(u16::MAX)
    }

    /// The row's samples as numbers, without predictor.
    fn numbers(&self, raw: &mut [u8], out: &mut Vec<u64>) {
        out.clear();
        let bytes = usize::from(self.bits / 8);
        if self.predictor == Predictor::Float {
            join_weights(raw, bytes, self.samples, out);
            return;
        }
        if self.bits.is_multiple_of(8) {
            out.extend(raw.chunks_exact(bytes).map(|one| self.order.number(one)));
        } else {
            self.packed_numbers(raw, out);
        }
        if self.predictor == Predictor::Horizontal {
            let most = self.most();
            accumulate(out, self.samples, |one: u64, other| {
                one.wrapping_add(other) & most
            });
        }
    }

    /// Samples that do not end with a byte, the first in a byte's highest bits.
    fn packed_numbers(&self, raw: &[u8], out: &mut Vec<u64>) {
        let bits = u32::from(self.bits);
        let (mut held, mut count) = (0_u64, 0_u32);
        for byte in raw {
            held = held << 8 | u64::from(*byte);
            count += 8;
            while count >= bits {
                count -= bits;
                out.push(held >> count & self.most());
            }
            // What is left is less than one sample of at most 32 bits.
            held &= (1 << count) - 1;
        }
    }

    /// One byte for each sample of 1, 2 or 4 bits, the first in a byte's highest bits.
    fn spread_bits(&self, raw: &[u8], out: &mut Vec<u8>) {
        let mask = (1_u8 << self.bits) - 1;
        let spread = if self.scaled { u8::MAX / mask } else { 1 };
        out.clear();
        for byte in raw {
            let mut shift = 8;
            while shift > 0 {
                shift -= self.bits;
                out.push(((byte >> shift) & mask) * spread);
            }
        }
    }
}

/// Samples whose bytes were told apart by weight, the highest first, and stored as differences.
fn join_weights(raw: &mut [u8], bytes: usize, samples: usize, out: &mut Vec<u64>) {
    accumulate(raw, samples, u8::wrapping_add);
    let count = raw.len() / bytes;
    let weights: Vec<&[u8]> = raw.chunks_exact(count.max(1)).take(bytes).collect();
    out.extend((0..count).map(|at| {
        let push = |number: u64, weight: &&[u8]| number << 8 | u64::from(weight[at]);
        weights.iter().fold(0, push)
    }));
}

/// A sample of 16 bits for the floating-point number in these `bits`.
fn float_word(number: u64, bits: u8) -> u16 {
    let low = |bits: u32| number & ((1 << bits) - 1);
    let value = match bits {
        16 => float_of(low(16), 5, 10),
        24 => float_of(low(24), 7, 16),
        32 => f64::from(f32::from_bits(u32::try_from(low(32)).unwrap_or(0))),
        _ => f64::from_bits(number),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast cuts to the range; NaN gives 0"
    )]
    let word = (value * 65535.0 + 0.5) as u16;
    word
}

/// The number in a sign, `exponent` bits and `fraction` bits. Source: IEEE 754-2019, 3.4.
fn float_of(bits: u64, exponent: u32, fraction: u32) -> f64 {
    let part =
        |from: u32, length: u32| u32::try_from(bits >> from & ((1 << length) - 1)).unwrap_or(0);
    let (sign, power) = (part(fraction + exponent, 1), part(fraction, exponent));
    let share = f64::from(part(0, fraction)) / f64::from(1_u32 << fraction);
    let largest = (1 << exponent) - 1;
    let middle = f64::from(largest >> 1);
    let size = match power {
        0 => share * (1.0 - middle).exp2(),
        power if power == largest && share == 0.0 => f64::INFINITY,
        power if power == largest => f64::NAN,
        power => (1.0 + share) * (f64::from(power) - middle).exp2(),
    };
    if sign == 1 { -size } else { size }
}

/// Adds to every sample the same sample of the pixel before. The usual counts have a loop of their own:
/// its sums stay in registers, where memory would make each pixel wait for the last one's store.
fn accumulate<T: Copy + Default>(row: &mut [T], samples: usize, add: impl Fn(T, T) -> T) {
    match samples {
        1 => accumulate_pixels::<T, 1>(row, add),
        2 => accumulate_pixels::<T, 2>(row, add),
        3 => accumulate_pixels::<T, 3>(row, add),
        4 => accumulate_pixels::<T, 4>(row, add),
        _ => {
            for at in samples..row.len() {
                row[at] = add(row[at], row[at - samples]);
            }
        }
    }
}

fn accumulate_pixels<T: Copy + Default, const SAMPLES: usize>(
    row: &mut [T],
    add: impl Fn(T, T) -> T,
) {
    let mut sums = [T::default(); SAMPLES];
    for pixel in row.as_chunks_mut::<SAMPLES>().0 {
        for (sample, sum) in pixel.iter_mut().zip(&mut sums) {
            *sum = add(*sample, *sum);
            *sample = *sum;
        }
    }
}

fn place<T: Copy>(row: &[T], samples: usize, cut: &Cut<'_>, out: &mut [T]) {
    let part = &row[cut.columns.start * samples..cut.columns.end * samples];
    if cut.picks.len() == samples && cut.stride == samples {
        out.copy_from_slice(part);
        return;
    }
    for (to, from) in out
        .chunks_exact_mut(cut.stride)
        .zip(part.chunks_exact(samples))
    {
        for (sample, pick) in to[cut.first..].iter_mut().zip(cut.picks) {
            *sample = from[*pick];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_floats_are_what_the_standard_says() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0x3800, 0.5),
            (0xc000, -2.0),
            (0x0001, 2_f64.powi(-24)),
            (0x7c00, f64::INFINITY),
        ] {
            assert!(float_of(bits, 5, 10).total_cmp(&value).is_eq(), "{bits:x}");
        }
        assert!(float_of(0x7e00, 5, 10).is_nan());
        assert!((float_of(0x3f_0000, 7, 16) - 1.0).abs() < 1e-12);
        assert!((float_of(0x3e_8000, 7, 16) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn floats_are_cut_to_their_range() {
        let word = |value: f32| float_word(u64::from(value.to_bits()), 32);
        assert_eq!([0.0, 1.0, 0.5].map(word), [0, 65535, 32768]);
        assert_eq!(
            [-3.0, 7.0, f32::NAN, f32::INFINITY].map(word),
            [0, 65535, 0, 65535]
        );
        assert_eq!(float_word(0.25_f64.to_bits(), 64), 16384);
        let of_24_bits = |number| float_word(number, 24);
        // 1, a half, three quarters, minus one, a quarter.
        let numbers = [0x3f_0000, 0x3e_0000, 0x3e_8000, 0xbf_0000, 0x3d_0000];
        assert_eq!(numbers.map(of_24_bits), [65535, 32768, 49151, 0, 16384]);
    }

    fn row(bits: u8, kind: Kind, predictor: Predictor) -> RowFormat {
        RowFormat {
            bits,
            kind,
            order: ByteOrder::Little,
            predictor,
            scaled: true,
            samples: 1,
        }
    }

    #[test]
    fn every_number_of_bits_reaches_from_black_to_white_in_equal_steps() {
        for bits in (1..=32).chain([64]) {
            let format = row(bits, Kind::Unsigned, Predictor::Nothing);
            let most = format.most();
            let middle = most / 2;
            let mut packed: Vec<u8> = Vec::new();
            let mut held = Vec::new();
            for number in [0, most, middle] {
                for bit in (0..bits).rev() {
                    held.push(number >> bit & 1 == 1);
                }
            }
            held.resize(held.len().next_multiple_of(8), false);
            for eight in held.chunks_exact(8) {
                packed.push(eight.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit)));
            }
            if bits.is_multiple_of(8) {
                for number in packed.chunks_exact_mut(usize::from(bits / 8)) {
                    number.reverse();
                }
            }
            let cut = Cut {
                columns: 0..3,
                picks: &[0],
                stride: 1,
                first: 0,
            };
            let mut scratch = RowScratch::default();
            if format.is_narrow() {
                let mut out = [9; 3];
                format.place_u8(&mut packed, &mut scratch, &cut, &mut out);
                let wanted = (middle * 255 + most / 2) / most;
                assert_eq!(out.map(u64::from), [0, 255, wanted], "{bits}");
            } else {
                let mut out = [9; 3];
                format.place_u16(&mut packed, &mut scratch, &cut, &mut out);
                assert_eq!(out[..2], [0, 65535], "{bits}");
                assert!(
                    out[2].abs_diff(32767) <= 1 + (65535 >> bits.min(15)),
                    "{bits}"
                );
            }
        }
    }

    #[test]
    fn a_difference_is_from_the_same_sample_of_the_pixel_before() {
        let mut scratch = RowScratch::default();
        for samples in 1..=7 {
            let steps = || (1_u8..).take(samples);
            let format = |bits| RowFormat {
                samples,
                ..row(bits, Kind::Unsigned, Predictor::Horizontal)
            };
            let cut = Cut {
                columns: 0..3,
                picks: &[0, 1, 2, 3, 4, 5, 6][..samples],
                stride: samples,
                first: 0,
            };
            // Each sample grows by its own step.
            let mut raw: Vec<u8> = (0..3).flat_map(|_| steps()).collect();
            let wanted: Vec<u8> = (1..4).flat_map(|n| steps().map(move |s| n * s)).collect();
            let mut out = vec![0; 3 * samples];
            format(8).place_u8(&mut raw, &mut scratch, &cut, &mut out);
            assert_eq!(out, wanted, "{samples} of 8 bits");
            let mut raw: Vec<u8> = (0..3).flat_map(|_| steps()).flat_map(|s| [s, 0]).collect();
            let mut out = vec![0; 3 * samples];
            format(16).place_u16(&mut raw, &mut scratch, &cut, &mut out);
            let words: Vec<u16> = wanted.iter().map(|v| u16::from(*v)).collect();
            assert_eq!(out, words, "{samples} of 16 bits");
            let mut raw: Vec<u8> = (0..3)
                .flat_map(|_| steps())
                .flat_map(|s| [0, 0, 0, s])
                .collect();
            let mut out = vec![0; 3 * samples];
            format(32).place_u16(&mut raw, &mut scratch, &cut, &mut out);
            let wide: Vec<u16> = wanted.iter().map(|v| u16::from(*v) << 8).collect();
            assert_eq!(out, wide, "{samples} of 32 bits");
        }
    }

    #[test]
    fn the_least_signed_number_is_black() {
        let cut = Cut {
            columns: 0..3,
            picks: &[0],
            stride: 1,
            first: 0,
        };
        let mut scratch = RowScratch::default();
        let mut out = [0; 3];
        let format = row(8, Kind::Signed, Predictor::Nothing);
        format.place_u8(&mut [0x80, 0, 0x7f], &mut scratch, &cut, &mut out);
        assert_eq!(out, [0, 128, 255]);
        let mut out = [0; 3];
        let format = row(16, Kind::Signed, Predictor::Nothing);
        format.place_u16(
            &mut [0, 0x80, 0, 0, 0xff, 0x7f],
            &mut scratch,
            &cut,
            &mut out,
        );
        assert_eq!(out, [0, 32768, 65535]);
    }
}
