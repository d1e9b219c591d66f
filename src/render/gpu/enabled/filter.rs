//! Weights of resampling along one axis: the integer specification of `render/cpu/resample.rs`, for
//! eight bits.
//!
//! Weights are computed in `f64`, widened by the ratio where the axis shrinks, cut at the edges of the
//! picture (not of the crop), trimmed of zeros at both ends, made to add up to 1, and rounded to `i16`
//! with as many fractional bits as the largest leaves room for. The order of operations is the CPU
//! engine's library's, so that not one weight differs.

use std::f64::consts::PI;
use std::ops::Range;

use crate::plan::Filter;

/// Most fractional bits: a sum of products of 8 bits stays within 32, with two bits to spare.
const MOST_PRECISION: u32 = 32 - 8 - 2 - 1;

/// One axis of a resampling: what its weights depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    /// Samples of the whole side.
    pub(super) side: u32,
    /// First edge of the part.
    pub(super) start: f64,
    /// Length of the part.
    pub(super) length: f64,
    /// Samples of the result.
    pub(super) target: u32,
    /// The kernel.
    pub(super) filter: Filter,
    /// What is made of the result, where that is not all.
    pub(super) cut: Option<Cut>,
}

/// Some samples of a result, and those of the side that they are made of. Their weights are the whole's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Cut {
    /// The first sample of the result.
    first: u32,
    /// Samples of the result.
    count: u32,
    /// The first sample of the side that is there.
    from: u32,
    /// Samples of the side that are there.
    there: u32,
}

impl Axis {
    /// Samples of the result that are made.
    pub(super) fn made(&self) -> u32 {
        self.cut.map_or(self.target, |cut| cut.count)
    }

    /// The axis on which `made` of the result is made alone, and the samples of the side that this takes.
    pub(super) fn cut_to(&self, made: Range<u32>) -> (Self, Range<u32>) {
        let steps = Steps::of(self);
        let reach = if let Some(start) = self.unchanged() {
            start + made.start..start + made.end
        } else {
            let last = made.end.saturating_sub(1).max(made.start);
            steps.reach(made.start).start..steps.reach(last).end
        };
        let cut = Cut {
            first: made.start,
            count: made.end - made.start,
            from: reach.start,
            there: reach.end - reach.start,
        };
        let axis = Self {
            cut: Some(cut),
            ..*self
        };
        (axis, reach)
    }

    /// Where the result begins in what is there of the side, if it is the side's own samples.
    #[expect(
        clippy::float_cmp,
        reason = "the library takes exactly these for unchanged"
    )]
    pub(super) fn unchanged(&self) -> Option<u32> {
        let own = self.length == f64::from(self.target) && self.start.fract() == 0.0;
        own.then(|| match self.cut {
            None => whole(self.start),
            Some(cut) => whole(self.start) + cut.first - cut.from,
        })
    }
}

/// Weights in fixed point.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Weights {
    /// Fractional bits.
    pub(super) precision: u32,
    /// Most weights of any sample.
    pub(super) taps: u32,
    /// The first sample that each sample of the result takes.
    pub(super) starts: Vec<u32>,
    /// `taps` for each sample of the result, zero behind its last.
    pub(super) values: Vec<i16>,
    /// All samples that are taken.
    pub(super) reach: Range<u32>,
}

/// The weights of an axis before they are rounded.
struct Exact {
    starts: Vec<u32>,
    rows: Vec<Vec<f64>>,
}

impl Weights {
    /// The weights of all of `axis`.
    pub(super) fn new(axis: &Axis) -> Self {
        let exact = exact(axis);
        let largest = exact.rows.iter().flatten().copied().fold(0.0, f64::max);
        let precision = precision(largest);
        let taps = exact.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut values = Vec::with_capacity(taps * exact.rows.len());
        for row in &exact.rows {
            values.extend(row.iter().map(|weight| fixed(*weight, precision)));
            values.resize(values.len() + taps - row.len(), 0);
        }
        let ends = exact.starts.iter().zip(&exact.rows);
        let end = ends.map(|(start, row)| start + length(row)).max();
        let start = exact.starts.iter().min().copied();
        Self {
            precision,
            taps: u32::try_from(taps).unwrap_or(u32::MAX),
            values,
            reach: start.unwrap_or(0)..end.unwrap_or(0),
            starts: exact.starts,
        }
    }

    /// Those of a part, of these of the whole.
    pub(super) fn cut(&self, cut: Cut) -> Self {
        let made = cut.first as usize..(cut.first + cut.count) as usize;
        let taps = self.taps as usize;
        let starts = self.starts.get(made.clone()).unwrap_or_default();
        let values = self.values.get(made.start * taps..made.end * taps);
        Self {
            precision: self.precision,
            taps: self.taps,
            starts: starts.iter().map(|start| start - cut.from).collect(),
            values: values.unwrap_or_default().to_vec(),
            reach: 0..cut.there,
        }
    }
}

/// How a kernel steps over a side.
struct Steps<'a> {
    axis: &'a Axis,
    scale: f64,
    radius: f64,
    narrowing: f64,
}

impl<'a> Steps<'a> {
    fn of(axis: &'a Axis) -> Self {
        let scale = (axis.start + axis.length - axis.start) / f64::from(axis.target);
        let widening = scale.max(1.0);
        Self {
            axis,
            scale,
            radius: axis.filter.support() * widening,
            narrowing: 1.0 / widening,
        }
    }

    fn centre(&self, at: u32) -> f64 {
        self.axis.start + (f64::from(at) + 0.5) * self.scale
    }

    /// The samples of the side that one of the result takes, zeros among their weights included.
    fn reach(&self, at: u32) -> Range<u32> {
        let centre = self.centre(at);
        let first = whole((centre - self.radius).floor().max(0.0));
        let end = whole((centre + self.radius).ceil().min(f64::from(self.axis.side)));
        first..end
    }
}

/// Most weights that a sample of `axis` can have, without making them.
pub(super) fn most_taps(axis: &Axis) -> u32 {
    let widening = (axis.length / f64::from(axis.target)).max(1.0);
    let radius = whole((axis.filter.support() * widening).ceil());
    radius.saturating_mul(2).saturating_add(1).min(axis.side)
}

fn length(row: &[f64]) -> u32 {
    u32::try_from(row.len()).unwrap_or(u32::MAX)
}

fn exact(axis: &Axis) -> Exact {
    let steps = Steps::of(axis);
    let mut exact = Exact {
        starts: Vec::new(),
        rows: Vec::new(),
    };
    for at in 0..axis.target {
        let reach = steps.reach(at);
        let (first, middle) = (reach.start, steps.centre(at) - 0.5);
        let all: Vec<f64> = reach
            .map(|x| kernel(axis.filter, (f64::from(x) - middle) * steps.narrowing))
            .collect();
        let (skipped, row) = trimmed(&all);
        exact.starts.push(first + length(&all[..skipped]));
        exact.rows.push(row);
    }
    exact
}

/// How many zeros lead, and the rest without those at its end, adding up to 1.
fn trimmed(all: &[f64]) -> (usize, Vec<f64>) {
    let skipped = all.iter().take_while(|weight| **weight == 0.0).count();
    let kept = &all[skipped..];
    let mut sum = 0.0;
    for weight in kept {
        sum += weight;
    }
    let end = kept.iter().rposition(|weight| *weight != 0.0);
    let kept = &kept[..end.map_or(0, |last| last + 1)];
    let row = kept
        .iter()
        .map(|weight| if sum == 0.0 { *weight } else { weight / sum });
    (skipped, row.collect())
}

/// The most fractional bits that the largest weight leaves room for.
fn precision(largest: f64) -> u32 {
    let too_many = |bits: &u32| (largest * f64::from(1_u32 << (bits + 1))).round() >= 32768.0;
    (0..MOST_PRECISION).find(too_many).unwrap_or(MOST_PRECISION)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the precision leaves room for every weight"
)]
fn fixed(weight: f64, precision: u32) -> i16 {
    (weight * f64::from(1_u32 << precision)).round() as i16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sample of a side, not negative"
)]
fn whole(value: f64) -> u32 {
    value as u32
}

/// The kernels: Lanczos after Duchon 1979, cubic after Catmull and Rom 1974.
fn kernel(filter: Filter, x: f64) -> f64 {
    match filter {
        Filter::Lanczos3 => {
            if (-3.0..3.0).contains(&x) {
                sinc(x) * sinc(x / 3.0)
            } else {
                0.0
            }
        }
        Filter::CatmullRom => cubic(x.abs()),
        Filter::Bilinear => (1.0 - x.abs()).max(0.0),
        Filter::Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let turns = x * PI;
    turns.sin() / turns
}

fn cubic(distance: f64) -> f64 {
    const A: f64 = -0.5;
    if distance < 1.0 {
        ((A + 2.0) * distance - (A + 3.0)) * distance * distance + 1.0
    } else if distance < 2.0 {
        (((distance - 5.0) * distance + 8.0) * distance - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::geometry::Dimensions;
    use crate::plan::{Crop, Pass};
    use crate::raster::{Channels, OneStrip, Raster, Samples, gather};
    use crate::render::{CpuEngine, Engine as _, Output, Target};

    const FILTERS: [Filter; 4] = [
        Filter::Lanczos3,
        Filter::CatmullRom,
        Filter::Bilinear,
        Filter::Box,
    ];

    /// Numbers that are the same in every run (Marsaglia's xorshift64).
    struct Noise(u64);

    impl Noise {
        fn below(&mut self, end: u32) -> u32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            u32::try_from((self.0 >> 20) % u64::from(end)).expect("below a u32")
        }
    }

    /// What the library of the CPU engine gives for a column of samples.
    fn by_library(column: &[u8], axis: &Axis) -> Vec<u8> {
        let dimensions = |height| Dimensions::new(1, height).expect("not empty");
        let source = Raster::from_u8(dimensions(axis.side), Channels::Gray, column.to_vec());
        let pass = Pass::Resample {
            crop: Crop {
                x: 0.0,
                y: axis.start,
                width: 1.0,
                height: axis.length,
            },
            target: dimensions(axis.target),
            filter: axis.filter,
        };
        let source = Box::new(OneStrip::from(source.expect("a column")));
        let cancel = Cancel::new();
        let output = CpuEngine::default().run(source, &[pass], Target::Rows, &cancel);
        let Ok(Output::Rows(mut rows)) = output else {
            panic!("{output:?}");
        };
        let result = gather(rows.as_mut(), &cancel).expect("the crop fits");
        let Samples::U8(samples) = result.into_samples() else {
            panic!("16 bits");
        };
        samples
    }

    /// The sums of the specification.
    fn by_weights(column: &[u8], weights: &Weights) -> Vec<u8> {
        let rows = weights.values.chunks(weights.taps as usize);
        let sums = weights.starts.iter().zip(rows).map(|(start, row)| {
            let samples = column.iter().skip(*start as usize);
            let products = samples.zip(row).map(|(s, w)| i32::from(*s) * i32::from(*w));
            let sum = (1 << (weights.precision - 1)) + products.sum::<i32>();
            (sum >> weights.precision).clamp(0, 255)
        });
        sums.map(|level| u8::try_from(level).expect("clamped"))
            .collect()
    }

    fn axis(noise: &mut Noise, filter: Filter) -> Axis {
        let side = 1 + noise.below(300);
        let (first, second) = (noise.below(side), 1 + noise.below(side));
        let (start, end) = (first.min(second - 1), second.max(first + 1));
        let part = |noise: &mut Noise| f64::from(noise.below(8)) / 17.0;
        let (cut_start, cut_end) = match noise.below(3) {
            0 => (0.0, 0.0),
            1 => (0.25, 0.5),
            _ => (part(noise), part(noise)),
        };
        Axis {
            side,
            start: f64::from(start) + cut_start,
            length: f64::from(end - start) - cut_start - cut_end,
            target: 1 + noise.below(200),
            filter,
            cut: None,
        }
    }

    #[test]
    fn weights_are_the_librarys_for_every_filter_ratio_and_crop() {
        let mut noise = Noise(71);
        let mut seen = 0;
        for round in 0..600 {
            let axis = axis(&mut noise, FILTERS[round % 4]);
            if axis.length <= 0.0 || axis.unchanged().is_some() {
                continue;
            }
            seen += 1;
            let weights = Weights::new(&axis);
            let column: Vec<u8> = (0..axis.side)
                .map(|_| match noise.below(3) {
                    0 => 255,
                    _ => noise.below(256).to_le_bytes()[0],
                })
                .collect();
            assert_eq!(
                by_weights(&column, &weights),
                by_library(&column, &axis),
                "{axis:?}"
            );
            assert!(weights.reach.end <= axis.side, "{axis:?}");
            assert!(weights.taps <= most_taps(&axis), "{axis:?}");
        }
        assert!(seen > 400, "{seen}");
    }

    #[test]
    fn a_part_is_made_of_what_it_takes_with_the_weights_of_the_whole() {
        let mut noise = Noise(72);
        let (mut weighed, mut unchanged) = (0, 0);
        for round in 0..600 {
            let mut axis = axis(&mut noise, FILTERS[round % 4]);
            if axis.length <= 0.0 {
                continue;
            }
            if round % 5 == 0 {
                axis.start = axis.start.floor();
                axis.length = axis.length.floor().max(1.0);
                axis.target = whole(axis.length);
            }
            let column: Vec<u8> = (0..axis.side)
                .map(|_| noise.below(256).to_le_bytes()[0])
                .collect();
            let first = noise.below(axis.target);
            let made = first..first + 1 + noise.below(axis.target - first);
            let (cut, there) = axis.cut_to(made.clone());
            assert_eq!(cut.made(), made.end - made.start);
            assert!(!there.is_empty() && there.end <= axis.side, "{axis:?}");
            let part = &column[there.start as usize..there.end as usize];
            let of_whole = |all: &[u8]| all[made.start as usize..made.end as usize].to_vec();
            let right = of_whole(&by_library(&column, &axis));
            if let Some(start) = cut.unchanged() {
                unchanged += 1;
                assert_eq!(&part[start as usize..][..right.len()], right, "{axis:?}");
                continue;
            }
            weighed += 1;
            let weights = Weights::new(&axis).cut(cut.cut.expect("it is cut"));
            assert_eq!(by_weights(part, &weights), right, "{axis:?} {made:?}");
        }
        assert!(weighed > 300 && unchanged > 50, "{weighed} {unchanged}");
    }

    #[test]
    fn a_part_of_whole_samples_as_long_as_the_result_is_unchanged() {
        let axis = Axis {
            side: 9,
            start: 3.0,
            length: 4.0,
            target: 4,
            filter: Filter::Box,
            cut: None,
        };
        assert_eq!(axis.unchanged(), Some(3));
        assert_eq!(Axis { start: 2.5, ..axis }.unchanged(), None);
        assert_eq!(Axis { target: 3, ..axis }.unchanged(), None);
    }
}
