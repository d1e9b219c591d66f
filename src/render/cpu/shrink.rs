//! Halves both sides by 2×2 boxes, as often as asked, as strips arrive.
//!
//! A box is the mean of its four samples, rounded half up: `(a + b + c + d + 2) >> 2`; an odd last
//! column or row is repeated. With opacity *α*, colours are weighted by it, so that what is clear does
//! not tint what is not: `(Σ c·α + Σα / 2) / Σα`, 0 where all four are clear. Where all four are opaque
//! this is the plain mean, to the bit. Opacity itself is the plain mean. In linear light the colours' means are
//! those of their light, in 24 bits, and become samples again after every halving.

use std::array;

use super::flow::Guarded;
use super::light::Curve;
use super::sample::Sample;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::plan::Pass;
use crate::raster::{Channels, Light, Raster, Rows, Samples, Shape};

/// `rows` with both sides halved `times` times; a strip and one row are held for each time.
pub(super) fn rows(rows: Box<dyn Rows>, times: u8, light: Light, cancel: &Cancel) -> Box<dyn Rows> {
    (0..times).fold(rows, |rows, _| {
        Box::new(Guarded::new(Box::new(Halves::new(rows, light)), cancel))
    })
}

/// Rows with both sides halved once.
struct Halves {
    rows: Box<dyn Rows>,
    shape: Shape,
    /// The last row so far, as long as its partner has not arrived.
    unpaired: Option<Samples>,
    light: Light,
}

impl Halves {
    fn new(rows: Box<dyn Rows>, light: Light) -> Self {
        Self {
            shape: Pass::Shrink { times: 1 }.shape_after(rows.shape()),
            rows,
            unpaired: None,
            light,
        }
    }

    fn halved(&mut self, strip: Raster) -> Result<Option<Raster>> {
        let samples = match (self.unpaired.take(), strip.into_samples()) {
            (None, samples) => self.pairs(samples),
            (Some(Samples::U8(mut held)), Samples::U8(more)) => {
                held.extend_from_slice(&more);
                self.pairs(Samples::U8(held))
            }
            (Some(Samples::U16(mut held)), Samples::U16(more)) => {
                held.extend_from_slice(&more);
                self.pairs(Samples::U16(held))
            }
            _ => return Err(Error::internal("shrinking strips of two depths")),
        };
        self.strip(samples)
    }

    /// The boxes of all whole pairs of rows; an odd last row waits.
    fn pairs(&mut self, samples: Samples) -> Samples {
        match samples {
            Samples::U8(all) => {
                let (halves, rest) = self.boxes(all);
                self.unpaired = rest.map(Samples::U8);
                Samples::U8(halves)
            }
            Samples::U16(all) => {
                let (halves, rest) = self.boxes(all);
                self.unpaired = rest.map(Samples::U16);
                Samples::U16(halves)
            }
        }
    }

    fn boxes<T: Sample>(&self, mut all: Vec<T>) -> (Vec<T>, Option<Vec<T>>) {
        let channels = self.shape.format.channels;
        let row = self.rows.shape().dimensions.width as usize * channels.count();
        let halves = match (self.light, channels) {
            (Light::Encoded, Channels::Gray) => plain_boxes::<T, 1>(&all, row),
            (Light::Encoded, Channels::GrayAlpha) => boxes(&all, row, weighted_mean::<T, 2>),
            (Light::Encoded, Channels::Rgb) => plain_boxes::<T, 3>(&all, row),
            (Light::Encoded, Channels::Rgba) => boxes(&all, row, weighted_mean::<T, 4>),
            (Light::Linear, Channels::Gray) => boxes(&all, row, lit_mean::<T, 1>),
            (Light::Linear, Channels::GrayAlpha) => boxes(&all, row, lit_weighted_mean::<T, 2>),
            (Light::Linear, Channels::Rgb) => boxes(&all, row, lit_mean::<T, 3>),
            (Light::Linear, Channels::Rgba) => boxes(&all, row, lit_weighted_mean::<T, 4>),
        };
        let odd = (all.len() / row % 2 == 1).then(|| all.split_off(all.len() - row));
        (halves, odd)
    }

    /// The last row with itself, if it has no partner.
    fn last(&mut self) -> Result<Option<Raster>> {
        let twice = match self.unpaired.take() {
            None => return Ok(None),
            Some(Samples::U8(row)) => Samples::U8(row.repeat(2)),
            Some(Samples::U16(row)) => Samples::U16(row.repeat(2)),
        };
        let samples = self.pairs(twice);
        self.strip(samples)
    }

    fn strip(&self, samples: Samples) -> Result<Option<Raster>> {
        let Shape { dimensions, format } = self.shape;
        let row = dimensions.width as usize * format.channels.count();
        let height = u32::try_from(samples.len() / row)
            .map_err(|cause| Error::internal("shrinking a strip").with_source(cause))?;
        Dimensions::new(dimensions.width, height)
            .map(|dimensions| Raster::new(dimensions, format.channels, samples))
            .transpose()
    }
}

impl Rows for Halves {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        while let Some(strip) = self.rows.next_strip()? {
            let halved = self.halved(strip)?;
            if halved.is_some() {
                return Ok(halved);
            }
        }
        self.last()
    }
}

/// Means of the 2×2 boxes of every pair of rows of `row` samples.
fn plain_boxes<T: Sample, const N: usize>(all: &[T], row: usize) -> Vec<T> {
    let mut halves = blank::<T, N>(all, row);
    let mut sums = vec![0; row];
    let half_row = (row / N).div_ceil(2);
    for (half, (upper, lower)) in halves
        .chunks_exact_mut(half_row)
        .zip(pairs_of_rows(all, row))
    {
        for (sum, (a, b)) in sums.iter_mut().zip(upper.iter().zip(lower)) {
            *sum = a.value() + b.value();
        }
        let (boxes, odd) = sums.as_chunks::<N>().0.as_chunks::<2>();
        for (pixel, [left, right]) in half.iter_mut().zip(boxes) {
            *pixel = mean(left, right);
        }
        if let ([only], Some(last)) = (odd, half.last_mut()) {
            *last = mean(only, only);
        }
    }
    halves.into_flattened()
}

fn mean<T: Sample, const N: usize>(left: &[u32; N], right: &[u32; N]) -> [T; N] {
    array::from_fn(|channel| T::of((left[channel] + right[channel] + 2) >> 2))
}

/// The `mean` of every 2×2 box of every pair of rows.
fn boxes<T: Sample, const N: usize>(
    all: &[T],
    row: usize,
    mean: impl Fn([&[T; N]; 4]) -> [T; N],
) -> Vec<T> {
    let mut halves = blank::<T, N>(all, row);
    let half_row = (row / N).div_ceil(2);
    for (half, (upper, lower)) in halves
        .chunks_exact_mut(half_row)
        .zip(pairs_of_rows(all, row))
    {
        let (upper, upper_odd) = upper.as_chunks::<N>().0.as_chunks::<2>();
        let (lower, lower_odd) = lower.as_chunks::<N>().0.as_chunks::<2>();
        for (pixel, ([a, b], [c, d])) in half.iter_mut().zip(upper.iter().zip(lower)) {
            *pixel = mean([a, b, c, d]);
        }
        if let ([a], [c], Some(last)) = (upper_odd, lower_odd, half.last_mut()) {
            *last = mean([a, a, c, c]);
        }
    }
    halves.into_flattened()
}

/// Room for the boxes of all whole pairs of rows.
fn blank<T: Sample, const N: usize>(all: &[T], row: usize) -> Vec<[T; N]> {
    let pairs = all.len() / (2 * row);
    vec![[T::default(); N]; pairs * (row / N).div_ceil(2)]
}

fn weighted_mean<T: Sample, const N: usize>(corners: [&[T; N]; 4]) -> [T; N] {
    let sum = |channel: usize| corners.map(|corner| corner[channel].value()).iter().sum();
    let opacity: u32 = sum(N - 1);
    array::from_fn(|channel| {
        if channel == N - 1 || opacity == 4 * T::MAX {
            T::of((sum(channel) + 2) >> 2)
        } else if opacity == 0 {
            T::of(0)
        } else {
            weighted(corners, channel, opacity)
        }
    })
}

fn weighted<T: Sample, const N: usize>(corners: [&[T; N]; 4], channel: usize, opacity: u32) -> T {
    let sum: u64 = corners
        .iter()
        .map(|corner| u64::from(corner[channel].value()) * u64::from(corner[N - 1].value()))
        .sum();
    let mean = (sum + u64::from(opacity / 2)) / u64::from(opacity);
    T::of(u32::try_from(mean).expect("a mean is not above the largest of its samples"))
}

/// The mean of four pixels' light.
fn lit_mean<T: Sample, const N: usize>(corners: [&[T; N]; 4]) -> [T; N] {
    let curve = Curve::of::<T>();
    array::from_fn(|channel| {
        let light = corners.map(|corner| curve.light(corner[channel].value()));
        T::of(curve.sample((light.iter().sum::<u32>() + 2) >> 2))
    })
}

/// The same, weighted by the last channel, which is the plain mean itself.
fn lit_weighted_mean<T: Sample, const N: usize>(corners: [&[T; N]; 4]) -> [T; N] {
    let curve = Curve::of::<T>();
    let opacity: u32 = corners.iter().map(|corner| corner[N - 1].value()).sum();
    array::from_fn(|channel| {
        if channel == N - 1 {
            return T::of((opacity + 2) >> 2);
        }
        let weighted = |corner: &&[T; N]| {
            u64::from(curve.light(corner[channel].value())) * u64::from(corner[N - 1].value())
        };
        let sum: u64 = corners.iter().map(weighted).sum();
        let mean = (sum + u64::from(opacity / 2)).checked_div(u64::from(opacity));
        // Where all four are clear there is no colour.
        let mean = mean.map(|mean| u32::try_from(mean).unwrap_or(u32::MAX));
        mean.map_or(T::of(0), |mean| T::of(curve.sample(mean)))
    })
}

/// Rows two by two; an odd last one is left out.
fn pairs_of_rows<T>(all: &[T], row: usize) -> impl Iterator<Item = (&[T], &[T])> {
    all.chunks_exact(2 * row)
        .map(move |pair| pair.split_at(row))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{bytes, dimensions, painted, picture, run, run_in_strips};
    use super::*;
    use crate::raster::{Depth, PixelFormat};

    const GRAY: PixelFormat = PixelFormat::eight(Channels::Gray);

    fn gray(width: u32, height: u32, samples: &[u8]) -> Raster {
        Raster::from_u8(dimensions(width, height), Channels::Gray, samples.to_vec())
            .expect("as many samples as pixels")
    }

    #[test]
    fn a_box_is_the_mean_rounded_half_up() {
        let source = gray(
            8,
            2,
            &[0, 0, 0, 1, 0, 1, 255, 255, 0, 1, 0, 1, 1, 1, 255, 254],
        );
        let result = run_in_strips(&source, &[Pass::Shrink { times: 1 }]);
        assert_eq!(bytes(&result), [0, 1, 1, 255]);
    }

    #[test]
    fn an_odd_last_column_and_row_are_repeated() {
        let source = gray(3, 3, &[10, 20, 31, 30, 40, 50, 7, 8, 200]);
        let result = run_in_strips(&source, &[Pass::Shrink { times: 1 }]);
        assert_eq!(result.dimensions(), dimensions(2, 2));
        // (10+20+30+40+2)/4, (31+31+50+50+2)/4; (7+8+7+8+2)/4, 200
        assert_eq!(bytes(&result), [25, 41, 8, 200]);
        let single = run(gray(1, 1, &[9]), &[Pass::Shrink { times: 3 }]);
        assert_eq!(bytes(&single), [9]);
    }

    #[test]
    fn several_times_round_at_every_level() {
        // Levels 2×2 of [1 0; 0 0] and so on: 1 → (1+2)/4 = 0, whereas (1+8)/16 = 0 and (8·1+8)/16 = 1.
        let source = painted(dimensions(4, 4), GRAY, |x, y, _| u8::from((x + y) % 2 == 0));
        let once = run(source.clone(), &[Pass::Shrink { times: 1 }]);
        assert_eq!(bytes(&once), [1, 1, 1, 1]);
        let twice = run_in_strips(&source, &[Pass::Shrink { times: 2 }]);
        assert_eq!(bytes(&twice), [1]);
    }

    #[test]
    fn every_format_matches_the_definition_in_strips_of_any_height() {
        for channels in [
            Channels::Gray,
            Channels::GrayAlpha,
            Channels::Rgb,
            Channels::Rgba,
        ] {
            for depth in [Depth::Eight, Depth::Sixteen] {
                for (w, h) in [(1, 1), (2, 5), (67, 131), (64, 64)] {
                    let source = picture(dimensions(w, h), PixelFormat { channels, depth }, 3);
                    let result = run_in_strips(&source, &[Pass::Shrink { times: 1 }]);
                    assert_eq!(values(&result), by_definition(&source));
                    let twice = run_in_strips(&source, &[Pass::Shrink { times: 2 }]);
                    assert_eq!(twice, run(result, &[Pass::Shrink { times: 1 }]));
                }
            }
        }
    }

    #[test]
    fn what_is_clear_does_not_tint_what_is_not() {
        let samples = vec![
            200, 100, 50, 255, 0, 255, 0, 0, 0, 255, 0, 0, 200, 100, 50, 255,
        ];
        let source = Raster::from_u8(dimensions(2, 2), Channels::Rgba, samples).expect("4 pixels");
        let result = run(source, &[Pass::Shrink { times: 1 }]);
        assert_eq!(bytes(&result), [200, 100, 50, 128]);
    }

    #[test]
    fn an_opaque_picture_shrinks_as_one_without_opacity() {
        let rgb = picture(dimensions(33, 21), PixelFormat::eight(Channels::Rgb), 5);
        let opaque = bytes(&rgb).as_chunks::<3>().0.iter();
        let rgba = opaque.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        let rgba = Raster::from_u8(rgb.dimensions(), Channels::Rgba, rgba).expect("as many pixels");
        let pass = [Pass::Shrink { times: 2 }];
        let (rgb, rgba) = (run(rgb, &pass), run(rgba, &pass));
        let wanted = bytes(&rgb).as_chunks::<3>().0.iter();
        let wanted: Vec<u8> = wanted.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        assert_eq!(bytes(&rgba), wanted);
    }

    fn values(raster: &Raster) -> Vec<u64> {
        match raster.samples() {
            Samples::U8(all) => all.iter().copied().map(u64::from).collect(),
            Samples::U16(all) => all.iter().copied().map(u64::from).collect(),
        }
    }

    /// The module's formulae, sample by sample.
    fn by_definition(source: &Raster) -> Vec<u64> {
        let samples = values(source);
        let Dimensions { width, height } = source.dimensions();
        let channels = source.format().channels;
        let n = channels.count();
        let at = |x: u32, y: u32, c: usize| {
            let (x, y) = (x.min(width - 1) as usize, y.min(height - 1) as usize);
            samples[(y * width as usize + x) * n + c]
        };
        let mut result = Vec::new();
        for y in (0..height).step_by(2) {
            for x in (0..width).step_by(2) {
                let corners = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
                for c in 0..n {
                    let alphas = corners.map(|(x, y)| at(x, y, n - 1));
                    let total: u64 = alphas.iter().sum();
                    let sum: u64 = corners.iter().map(|&(x, y)| at(x, y, c)).sum();
                    let weighted = corners.iter().zip(alphas);
                    let weighted: u64 = weighted.map(|(&(x, y), alpha)| at(x, y, c) * alpha).sum();
                    result.push(if !channels.has_alpha() || c == n - 1 {
                        (sum + 2) / 4
                    } else {
                        (weighted + total / 2).checked_div(total).unwrap_or(0)
                    });
                }
            }
        }
        result
    }
}
