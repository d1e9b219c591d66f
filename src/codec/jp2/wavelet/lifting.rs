//! The two filters, as steps of lifting on whole lines.
//!
//! A line's samples at even places are its low half, those at odd places its high half. Steps change the
//! low and the high half by turns, beginning with the low one; a neighbour that a line has not is the one
//! on the other side (F.3.7).
//!
//! Source: ISO/IEC 15444-1 F.3.8.

use std::slice;

/// The scaling factor K (Table F.4).
const K: f32 = 1.230_174_1;

/// Its reciprocal, as 13,318 of 2^14. Decoders in use have it so; to the last bit of 16 their pixels and these
/// are the same within one only with it, and the standard's own (Table F.4) is 3 parts in 100,000 larger.
const RECIPROCAL: f32 = 0.812_866_2;

/// δ, γ, β and α, in the order in which they are undone (Table F.4).
const COEFFICIENTS: [f32; 4] = [0.443_506_85, 0.882_911_1, -0.052_980_12, -1.586_134_3];

/// A filter.
pub(in super::super) trait Wavelet {
    /// What a line consists of.
    type Sample: Copy + Default + Send + Sync + 'static;

    /// How far the sum of a sample at an odd place reaches on each side; at even places it is one less.
    const REACH: u32;

    /// How many steps undo the filter.
    const STEPS: usize;

    /// Changes `target` by its neighbours on both sides.
    fn lift(
        step: usize,
        target: &mut [Self::Sample],
        before: &[Self::Sample],
        after: &[Self::Sample],
    );

    /// What becomes of a high sample that is a line of its own (F.3.6).
    fn halve(samples: &mut [Self::Sample]);

    /// Multiplies `samples` by `gain`, where the filter has gains.
    fn amplify(samples: &mut [Self::Sample], gain: f32);

    /// By what low and high halves of a line of `length` samples are multiplied before the steps.
    fn gains(length: u32) -> (f32, f32);
}

/// The 5/3 filter, on integers.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Reversible;

impl Wavelet for Reversible {
    type Sample = i32;

    const REACH: u32 = 2;

    const STEPS: usize = 2;

    fn lift(step: usize, target: &mut [i32], before: &[i32], after: &[i32]) {
        let lines = target.iter_mut().zip(before).zip(after);
        // Sums of a damaged stream may pass 32 bits; those of a good one do not.
        if step == 0 {
            for ((target, a), b) in lines {
                *target = target.wrapping_sub(a.wrapping_add(*b).wrapping_add(2) >> 2);
            }
        } else {
            for ((target, a), b) in lines {
                *target = target.wrapping_add(a.wrapping_add(*b) >> 1);
            }
        }
    }

    fn halve(samples: &mut [i32]) {
        for sample in samples {
            *sample /= 2;
        }
    }

    fn amplify(_samples: &mut [i32], _gain: f32) {}

    fn gains(_length: u32) -> (f32, f32) {
        (1.0, 1.0)
    }
}

/// The 9/7 filter, on numbers of 32 bits.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Irreversible;

impl Wavelet for Irreversible {
    type Sample = f32;

    const REACH: u32 = 4;

    const STEPS: usize = COEFFICIENTS.len();

    fn lift(step: usize, target: &mut [f32], before: &[f32], after: &[f32]) {
        let coefficient = COEFFICIENTS.get(step).copied().unwrap_or_default();
        for ((target, a), b) in target.iter_mut().zip(before).zip(after) {
            *target -= coefficient * (a + b);
        }
    }

    fn halve(samples: &mut [f32]) {
        for sample in samples {
            *sample *= 0.5;
        }
    }

    fn amplify(samples: &mut [f32], gain: f32) {
        for sample in samples {
            *sample *= gain;
        }
    }

    fn gains(length: u32) -> (f32, f32) {
        if length == 1 {
            (1.0, 1.0)
        } else {
            (K, RECIPROCAL)
        }
    }
}

/// Undoes the filter along one line, whose first sample is at an even place or at an odd one.
///
/// The halves have as many samples as a line's even and odd places; a line that is one sample is left to
/// the caller.
pub(super) fn undo<W: Wavelet>(low: &mut [W::Sample], high: &mut [W::Sample], starts_low: bool) {
    for step in 0..W::STEPS {
        if step % 2 == 0 {
            lift_line::<W>(step, low, high, starts_low);
        } else {
            lift_line::<W>(step, high, low, !starts_low);
        }
    }
}

/// One step along a line; `leads` says whether its first sample is one of `target`.
fn lift_line<W: Wavelet>(step: usize, target: &mut [W::Sample], others: &[W::Sample], leads: bool) {
    let (Some(first), Some(last)) = (others.first(), others.last()) else {
        return;
    };
    let after = others.get(1..).unwrap_or_default();
    let (lead, rest) = target.split_at_mut(usize::from(leads).min(target.len()));
    let (middle, trail) = rest.split_at_mut(after.len().min(rest.len()));
    W::lift(step, lead, slice::from_ref(first), slice::from_ref(first));
    W::lift(step, trail, slice::from_ref(last), slice::from_ref(last));
    W::lift(step, middle, others, after);
}

/// A line from two halves, of which `first` has its first sample.
pub(super) fn interleave<T: Copy>(line: &mut [T], first: &[T], second: &[T]) {
    let (pairs, rest) = line.as_chunks_mut::<2>();
    if let ([sample], Some(last)) = (rest, first.get(pairs.len())) {
        *sample = *last;
    }
    for (pair, (a, b)) in pairs.iter_mut().zip(first.iter().zip(second)) {
        *pair = [*a, *b];
    }
}
