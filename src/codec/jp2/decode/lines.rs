//! Lines of wavelet samples → lines of stored values: component transforms, level shift, range.
//!
//! Source: ISO/IEC 15444-1 annex G.

use super::super::boxes::Precision;
use super::super::wavelet::{Irreversible, Reversible, Wavelet};

/// 1.5 · 2^23: a number below 2^22 that is added to it is rounded to an integer, ties to even, and stands
/// in the lowest bits of the sum.
const ROUNDING: f32 = 12_582_912.0;

/// What a component may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// What the level shift adds (G.1.2).
    shift: i32,
    lowest: i32,
    highest: i32,
}

impl Range {
    /// Of samples of `precision`, at most 16 bits.
    pub(super) const fn new(precision: Precision) -> Self {
        let half = 1 << (precision.bits - 1);
        if precision.signed {
            Self {
                shift: 0,
                lowest: -half,
                highest: half - 1,
            }
        } else {
            Self {
                shift: half,
                lowest: 0,
                highest: 2 * half - 1,
            }
        }
    }
}

/// Samples that become stored values: rounded, shifted, and kept within a range.
pub(super) trait Finish: Wavelet {
    /// One component's line.
    fn finish(values: &mut [i32], samples: &[Self::Sample], range: Range);

    /// Lines of three components that are mixed (G.2.2, G.3.2).
    fn finish_mixed(values: [&mut [i32]; 3], samples: [&[Self::Sample]; 3], ranges: [Range; 3]);
}

impl Finish for Reversible {
    fn finish(values: &mut [i32], samples: &[i32], range: Range) {
        for (value, sample) in values.iter_mut().zip(samples) {
            *value = integer(*sample, range);
        }
    }

    fn finish_mixed(values: [&mut [i32]; 3], samples: [&[i32]; 3], ranges: [Range; 3]) {
        let [red, green, blue] = values;
        let [first, second, third] = samples;
        let samples = first.iter().zip(second).zip(third);
        for (((red, green), blue), ((first, second), third)) in
            red.iter_mut().zip(green).zip(blue).zip(samples)
        {
            let middle = first.wrapping_sub(second.wrapping_add(*third) >> 2);
            *red = integer(third.wrapping_add(middle), ranges[0]);
            *green = integer(middle, ranges[1]);
            *blue = integer(second.wrapping_add(middle), ranges[2]);
        }
    }
}

fn integer(sample: i32, range: Range) -> i32 {
    let lowest = range.lowest - range.shift;
    sample.clamp(lowest, range.highest - range.shift) + range.shift
}

impl Finish for Irreversible {
    fn finish(values: &mut [i32], samples: &[f32], range: Range) {
        let rounding = Rounding::new(range);
        for (value, sample) in values.iter_mut().zip(samples) {
            *value = rounding.integer(*sample);
        }
    }

    fn finish_mixed(values: [&mut [i32]; 3], samples: [&[f32]; 3], ranges: [Range; 3]) {
        let [red, green, blue] = values;
        let rounding = ranges.map(Rounding::new);
        let [luma, blueness, redness] = samples;
        let samples = luma.iter().zip(blueness).zip(redness);
        for (((red, green), blue), ((luma, blueness), redness)) in
            red.iter_mut().zip(green).zip(blue).zip(samples)
        {
            *red = rounding[0].integer(luma + 1.402 * redness);
            *green = rounding[1].integer(luma - 0.344_13 * blueness - 0.714_14 * redness);
            *blue = rounding[2].integer(luma + 1.772 * blueness);
        }
    }
}

/// How numbers become integers of a range. All of at most 16 bits are numbers of 32 bits too.
#[derive(Clone, Copy)]
struct Rounding {
    lowest: f32,
    highest: f32,
    /// What stands in the bits of a rounded sum for what becomes 0.
    zero: i32,
}

impl Rounding {
    fn new(range: Range) -> Self {
        Self {
            lowest: (range.lowest - range.shift) as f32,
            highest: (range.highest - range.shift) as f32,
            zero: ROUNDING.to_bits().cast_signed() - range.shift,
        }
    }

    /// To nearest, ties to even; what is no number becomes the lowest.
    fn integer(self, sample: f32) -> i32 {
        let inside = sample.max(self.lowest).min(self.highest);
        (inside + ROUNDING).to_bits().cast_signed() - self.zero
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTE: Range = Range::new(Precision {
        bits: 8,
        signed: false,
    });

    fn lines(values: &mut [[i32; 1]; 3]) -> [&mut [i32]; 3] {
        values.each_mut().map(<[i32; 1]>::as_mut_slice)
    }

    #[test]
    fn g_2_the_reversible_transform_gives_back_every_colour() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..1000 {
            let [red, green, blue] = [(); 3].map(|()| random.i32(-128..128));
            let first = [(red + 2 * green + blue).div_euclid(4)];
            let (second, third) = ([blue - green], [red - green]);
            let mut values = [[0]; 3];
            Reversible::finish_mixed(lines(&mut values), [&first, &second, &third], [BYTE; 3]);
            assert_eq!(values, [[red + 128], [green + 128], [blue + 128]]);
        }
    }

    #[test]
    fn g_3_the_irreversible_transform_gives_back_colours() {
        let (r, g, b) = (100.0_f32, -20.0, 3.0);
        let (y, cb, cr) = (
            [0.299 * r + 0.587 * g + 0.114 * b],
            [-0.168_75 * r - 0.331_26 * g + 0.5 * b],
            [0.5 * r - 0.418_69 * g - 0.081_31 * b],
        );
        let mut values = [[0]; 3];
        Irreversible::finish_mixed(lines(&mut values), [&y, &cb, &cr], [BYTE; 3]);
        assert_eq!(values, [[228], [108], [131]]);
    }

    #[test]
    fn numbers_are_rounded_to_even_shifted_and_kept_in_range() {
        let mut values = [0; 10];
        let samples = [
            0.5,
            1.5,
            -0.5,
            -127.6,
            -128.4,
            127.4,
            1e30,
            -1e30,
            f32::NAN,
            f32::INFINITY,
        ];
        Irreversible::finish(&mut values, &samples, BYTE);
        assert_eq!(values, [128, 130, 128, 0, 0, 255, 255, 0, 0, 255]);
        let signed = Range::new(Precision {
            bits: 16,
            signed: true,
        });
        Irreversible::finish(&mut values, &[-32_768.0, 32_767.0, 40_000.0, -0.7], signed);
        assert_eq!(values[..4], [-32_768, 32_767, 32_767, -1]);
    }

    #[test]
    fn integers_are_shifted_and_kept_in_range() {
        let mut values = [0; 7];
        Reversible::finish(
            &mut values,
            &[i32::MIN, -129, -128, 0, 127, 128, i32::MAX],
            BYTE,
        );
        assert_eq!(values, [0, 0, 0, 128, 255, 255, 255]);
    }
}
