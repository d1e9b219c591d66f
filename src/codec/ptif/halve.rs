//! Two rows of a level → one row of the next: 2×2 boxes.
//!
//! The definition is that of the virtual levels (`render/cpu/shrink.rs`, the tests compare): a box is
//! the mean of its four samples, rounded half up; an odd last column counts twice; colours are weighted
//! by their opacity. A stored level is therefore to the bit what the server would have computed.

use std::array;

use super::sample::Sample;
use crate::raster::Channels;

/// Appends the boxes of two rows to `out`.
pub(super) fn boxes<T: Sample>(upper: &[T], lower: &[T], channels: Channels, out: &mut Vec<T>) {
    match channels {
        Channels::Gray => plain::<T, 1>(upper, lower, out),
        Channels::Rgb => plain::<T, 3>(upper, lower, out),
        Channels::GrayAlpha => weighted::<T, 2>(upper, lower, out),
        Channels::Rgba => weighted::<T, 4>(upper, lower, out),
    }
}

fn plain<T: Sample, const N: usize>(upper: &[T], lower: &[T], out: &mut Vec<T>) {
    let mean = |a: &[T; N], b: &[T; N], c: &[T; N], d: &[T; N]| -> [T; N] {
        array::from_fn(|at| {
            T::of((a[at].value() + b[at].value() + c[at].value() + d[at].value() + 2) >> 2)
        })
    };
    each_box(upper, lower, out, mean);
}

fn weighted<T: Sample, const N: usize>(upper: &[T], lower: &[T], out: &mut Vec<T>) {
    each_box(upper, lower, out, |a: &[T; N], b, c, d| {
        weighted_mean([a, b, c, d])
    });
}

fn each_box<T: Sample, const N: usize>(
    upper: &[T],
    lower: &[T],
    out: &mut Vec<T>,
    mean: impl Fn(&[T; N], &[T; N], &[T; N], &[T; N]) -> [T; N],
) {
    let (upper, upper_odd) = upper.as_chunks::<N>().0.as_chunks::<2>();
    let (lower, lower_odd) = lower.as_chunks::<N>().0.as_chunks::<2>();
    for ([a, b], [c, d]) in upper.iter().zip(lower) {
        out.extend_from_slice(&mean(a, b, c, d));
    }
    if let ([a], [c]) = (upper_odd, lower_odd) {
        out.extend_from_slice(&mean(a, a, c, c));
    }
}

fn weighted_mean<T: Sample, const N: usize>(corners: [&[T; N]; 4]) -> [T; N] {
    let sum = |channel: usize| -> u32 { corners.iter().map(|c| c[channel].value()).sum() };
    let opacity = sum(N - 1);
    array::from_fn(|channel| {
        if channel == N - 1 || opacity == 4 * T::MAX {
            return T::of((sum(channel) + 2) >> 2);
        }
        let weight = u64::from(opacity);
        let products = corners
            .iter()
            .map(|c| u64::from(c[channel].value()) * u64::from(c[N - 1].value()));
        let mean = (products.sum::<u64>() + weight / 2).checked_div(weight);
        T::of(u32::try_from(mean.unwrap_or(0)).unwrap_or(T::MAX))
    })
}
