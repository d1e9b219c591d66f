//! The integer specification of resampling in scalar code, for the tests: what the library has to give.
//!
//! Written from the formulae in `resample.rs` (weights, precision, order of axes, opacity). Kernels:
//! Lanczos after Duchon 1979, cubic after Catmull and Rom 1974.

use std::f64::consts::PI;

use crate::geometry::Dimensions;
use crate::plan::{Crop, Filter};
use crate::raster::{Depth, Raster, Samples};

/// Weights of one axis: for each target sample where they start, in fixed point.
struct Axis {
    precision: u32,
    taps: Vec<(usize, Vec<i64>)>,
}

/// Bits of a weight and of a sum, sign included.
struct Bits {
    weight: u32,
    sum: u32,
    sample: u32,
}

const EIGHT: Bits = Bits {
    weight: 16,
    sum: 32,
    sample: 8,
};
const SIXTEEN: Bits = Bits {
    weight: 32,
    sum: 64,
    sample: 16,
};

/// Samples of one picture as numbers, row by row.
struct Plane {
    width: usize,
    height: usize,
    channels: usize,
    samples: Vec<i64>,
}

/// `crop` of `source` at `target`, as the specification says.
pub(super) fn resample(source: &Raster, crop: Crop, target: Dimensions, filter: Filter) -> Raster {
    let format = source.format();
    let bits = match format.depth {
        Depth::Eight => EIGHT,
        Depth::Sixteen => SIXTEEN,
    };
    let mut plane = plane_of(source);
    let (w, h) = (target.width as usize, target.height as usize);
    let across = axis(plane.width, crop.x, crop.width, w, filter, &bits);
    let down = axis(plane.height, crop.y, crop.height, h, filter, &bits);
    let changes = across.is_some() || down.is_some();
    let weighs = changes && format.channels.has_alpha();
    if weighs {
        multiply(&mut plane, &bits);
    }
    match format.depth {
        Depth::Eight => {
            plane = columns(&plane, down.as_ref(), crop.y, h, &bits);
            plane = rows(&plane, across.as_ref(), crop.x, w, &bits);
        }
        Depth::Sixteen => {
            plane = rows(&plane, across.as_ref(), crop.x, w, &bits);
            plane = columns(&plane, down.as_ref(), crop.y, h, &bits);
        }
    }
    if weighs {
        divide(&mut plane, &bits);
    }
    let samples = match format.depth {
        Depth::Eight => Samples::U8(plane.samples.iter().map(|&v| fit(v)).collect()),
        Depth::Sixteen => Samples::U16(plane.samples.iter().map(|&v| fit(v)).collect()),
    };
    Raster::new(target, format.channels, samples).expect("as many samples as pixels")
}

fn fit<T: TryFrom<i64>>(value: i64) -> T {
    T::try_from(value).ok().expect("clamped to its range")
}

fn plane_of(source: &Raster) -> Plane {
    Plane {
        width: source.dimensions().width as usize,
        height: source.dimensions().height as usize,
        channels: source.format().channels.count(),
        samples: match source.samples() {
            Samples::U8(all) => all.iter().copied().map(i64::from).collect(),
            Samples::U16(all) => all.iter().copied().map(i64::from).collect(),
        },
    }
}

/// `None` for an axis that does not change.
fn axis(
    side: usize,
    start: f64,
    length: f64,
    target: usize,
    filter: Filter,
    bits: &Bits,
) -> Option<Axis> {
    if length.fract() == 0.0 && whole(length) == target && start.fract() == 0.0 {
        return None;
    }
    let weights = weights(side, start, start + length, target, filter);
    let largest = weights
        .iter()
        .flat_map(|(_, taps)| taps.iter().copied())
        .fold(0.0, f64::max);
    let limit = 2.0_f64.powi(bits.weight.cast_signed() - 1);
    let most = bits.sum - bits.sample - 2 - 1;
    let fits = |p: u32| (largest * power(p + 1)).round() < limit;
    let precision = (0..most).find(|p| !fits(*p)).unwrap_or(most);
    let fixed = |weight: &f64| rounded(weight * power(precision));
    let taps = weights
        .iter()
        .map(|(first, taps)| (*first, taps.iter().map(fixed).collect()))
        .collect();
    Some(Axis { precision, taps })
}

fn power(exponent: u32) -> f64 {
    2.0_f64.powi(exponent.cast_signed())
}

/// The nearest whole number, halves away from zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "weights and levels are far below 2^53"
)]
pub(super) fn rounded(value: f64) -> i64 {
    value.round() as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a column or row of a small picture"
)]
fn whole(value: f64) -> usize {
    value as usize
}

/// For each target sample its first source sample and the weights from there on, adding up to 1.
fn weights(
    side: usize,
    start: f64,
    end: f64,
    target: usize,
    filter: Filter,
) -> Vec<(usize, Vec<f64>)> {
    let scale = (end - start) / target as f64;
    let widening = scale.max(1.0);
    let radius = filter.support() * widening;
    let narrowing = 1.0 / widening;
    (0..target)
        .map(|at| {
            let centre = start + (at as f64 + 0.5) * scale;
            let first = whole((centre - radius).floor().max(0.0));
            let end = whole((centre + radius).ceil().min(side as f64));
            let all: Vec<f64> = (first..end)
                .map(|x| kernel(filter, (x as f64 - (centre - 0.5)) * narrowing))
                .collect();
            trimmed(first, &all)
        })
        .collect()
}

fn trimmed(first: usize, all: &[f64]) -> (usize, Vec<f64>) {
    let sum: f64 = all.iter().sum();
    let zeros = all.iter().take_while(|weight| **weight == 0.0).count();
    let end = all
        .iter()
        .rposition(|weight| *weight != 0.0)
        .map_or(0, |last| last + 1);
    let taps = all[zeros..end.max(zeros)].iter().map(|weight| weight / sum);
    (first + zeros, taps.collect())
}

fn kernel(filter: Filter, x: f64) -> f64 {
    let distance = x.abs();
    match filter {
        Filter::Lanczos3 if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
        Filter::CatmullRom if distance < 1.0 => (1.5 * distance - 2.5) * distance * distance + 1.0,
        Filter::CatmullRom if distance < 2.0 => {
            (((distance - 5.0) * distance + 8.0) * distance - 4.0) * -0.5
        }
        Filter::Bilinear if distance < 1.0 => 1.0 - distance,
        Filter::Box if x > -0.5 && x <= 0.5 => 1.0,
        Filter::Lanczos3 | Filter::CatmullRom | Filter::Bilinear | Filter::Box => 0.0,
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (x * PI).sin() / (x * PI)
    }
}

fn columns(source: &Plane, axis: Option<&Axis>, start: f64, target: usize, bits: &Bits) -> Plane {
    let row = source.width * source.channels;
    let at = |x: usize, y: usize| source.samples[y * row + x];
    let samples = (0..target)
        .flat_map(|y| {
            (0..row).map(move |x| match axis {
                None => at(x, whole(start) + y),
                Some(axis) => summed(axis, y, bits, |y| at(x, y)),
            })
        })
        .collect();
    Plane {
        height: target,
        samples,
        ..*source
    }
}

fn rows(source: &Plane, axis: Option<&Axis>, start: f64, target: usize, bits: &Bits) -> Plane {
    let n = source.channels;
    let at = |x: usize, c: usize, y: usize| source.samples[(y * source.width + x) * n + c];
    let samples = (0..source.height)
        .flat_map(|y| (0..target).flat_map(move |x| (0..n).map(move |c| (x, c, y))))
        .map(|(x, c, y)| match axis {
            None => at(whole(start) + x, c, y),
            Some(axis) => summed(axis, x, bits, |x| at(x, c, y)),
        })
        .collect();
    Plane {
        width: target,
        samples,
        ..*source
    }
}

fn summed(axis: &Axis, at: usize, bits: &Bits, sample: impl Fn(usize) -> i64) -> i64 {
    let (first, taps) = &axis.taps[at];
    let half = 1 << (axis.precision - 1);
    let sum = taps.iter().zip(*first..).map(|(w, x)| w * sample(x));
    ((half + sum.sum::<i64>()) >> axis.precision).clamp(0, (1 << bits.sample) - 1)
}

/// Colours times opacity, rounded to the nearest.
fn multiply(plane: &mut Plane, bits: &Bits) {
    let max = (1 << bits.sample) - 1;
    for pixel in plane.samples.chunks_exact_mut(plane.channels) {
        let (opacity, colours) = pixel.split_last_mut().expect("a pixel has a channel");
        for colour in colours {
            *colour = (*colour * *opacity + max / 2) / max;
        }
    }
}

/// Colours divided by opacity: 16 bits to the nearest, 8 bits through the reciprocal in 1/256.
fn divide(plane: &mut Plane, bits: &Bits) {
    let max = (1_i64 << bits.sample) - 1;
    for pixel in plane.samples.chunks_exact_mut(plane.channels) {
        let (opacity, colours) = pixel.split_last_mut().expect("a pixel has a channel");
        for colour in colours {
            let divided = match (*opacity, bits.sample) {
                (0, _) => 0,
                (opacity, 8) => (*colour * ((max * 512 / opacity + 1) / 2) + 128) / 256,
                (opacity, _) => (*colour * max + opacity / 2) / opacity,
            };
            *colour = divided.min(max);
        }
    }
}

/// The whole of an 8-bit picture at `target` by Lanczos in `f64`, rounded once.
pub(super) fn exact_lanczos(source: &Raster, target: Dimensions) -> Vec<u8> {
    let plane = plane_of(source);
    let (w, h) = (target.width as usize, target.height as usize);
    let across = weights(plane.width, 0.0, plane.width as f64, w, Filter::Lanczos3);
    let down = weights(plane.height, 0.0, plane.height as f64, h, Filter::Lanczos3);
    let row = plane.width * plane.channels;
    let mut result = Vec::new();
    for (y0, v) in &down {
        let between: Vec<f64> = (0..row)
            .map(|x| {
                let taps = v.iter().zip(*y0..);
                taps.map(|(w, y)| w * plane.samples[y * row + x] as f64)
                    .sum()
            })
            .collect();
        for (x0, u) in &across {
            result.extend((0..plane.channels).map(|c| {
                let taps = u.iter().zip(*x0..);
                let sum: f64 = taps.map(|(w, x)| w * between[x * plane.channels + c]).sum();
                fit::<u8>(rounded(sum).clamp(0, 255))
            }));
        }
    }
    result
}
