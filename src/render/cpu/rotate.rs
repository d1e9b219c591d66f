//! Turns by any angle into a canvas, in integers, from 8-bit samples.
//!
//! The canvas is cut into tiles of [`TILE_WIDTH`] × [`TILE_HEIGHT`] pixels from its upper left corner.
//! Where the first pixel of a tile lies in the picture is computed in `f64` and rounded to 16
//! fractional bits; from there on positions advance by the rounded sine and cosine. A sample is the sum
//! of 4×4 neighbours with Catmull-Rom weights for 256 phases that add up to 4096: a row gives
//! `(Σ + 512) >> 10`, the four rows `(Σ + 8192) >> 14`, clamped. Neighbours outside the picture are
//! the background, opaque, or, without one, clear.
//!
//! With opacity the picture is sampled with its colours multiplied by it, `(c·α + 127) / 255`, so that
//! nothing bleeds over an edge. Opacity is rounded and clamped as above; colours are divided by it
//! before either: `(Σc · 255 + Σα / 2) / Σα` of the four rows' sums, clamped, and black where the pixel
//! is clear. Where all is opaque this changes nothing. All sums fit 32 bits.

mod grid;
mod line;
mod picture;
mod simd;

use std::array;
use std::sync::LazyLock;

pub(in crate::render) use self::grid::{Grid, TILE_HEIGHT, TILE_WIDTH};
use self::line::Line;
use self::picture::{Picture, level};
use self::simd::Vectors;

use super::flow::{AfterAll, WholePass};
use super::sample::eight_bits;
use super::tone::luma;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::plan::Turn;
use crate::raster::{Channels, Raster, Rows, Shape};

/// Rows of a strip: whole tiles, few enough for memory, enough to make each pull worth while.
const STRIP_HEIGHT: u32 = 8 * TILE_HEIGHT;

/// The four neighbours along one axis, counted from the first.
const OFFSETS: [i64; 4] = [0, 1, 2, 3];

/// Weights of the four neighbours along one axis, for each 256th between the two in the middle.
pub(in crate::render) static PHASES: LazyLock<[[i16; 4]; 256]> =
    LazyLock::new(|| array::from_fn(phase));

/// `rows` turned; `shape` of the canvas.
pub(super) fn rows(
    rows: Box<dyn Rows>,
    shape: Shape,
    turn: Turn,
    cancel: &Cancel,
) -> Box<dyn Rows> {
    let channels = shape.format.channels;
    let source = rows.shape().dimensions;
    let pass = Rotate {
        channels,
        source,
        grid: Grid::new(source, turn),
        outside: outside(channels, turn.background),
        vectors: Vectors::found(),
    };
    Box::new(AfterAll::new(rows, shape, pass, STRIP_HEIGHT, cancel))
}

/// A pixel of what is outside the picture; channels that are not there are 0.
pub(in crate::render) fn outside(channels: Channels, background: Option<[u8; 3]>) -> [u8; 4] {
    let Some([r, g, b]) = background else {
        return [0; 4];
    };
    match channels {
        Channels::Gray => [luma([r, g, b]), 0, 0, 0],
        Channels::GrayAlpha => [luma([r, g, b]), 255, 0, 0],
        Channels::Rgb => [r, g, b, 0],
        Channels::Rgba => [r, g, b, 255],
    }
}

struct Rotate {
    channels: Channels,
    source: Dimensions,
    grid: Grid,
    outside: [u8; 4],
    vectors: Option<Vectors>,
}

impl WholePass for Rotate {
    /// The picture in the canvas's channels, colours multiplied by opacity.
    fn prepare(&self, source: Raster) -> Result<Raster> {
        let (from, to) = (source.format().channels, self.channels);
        let samples = eight_bits(&source, "a turn by any angle")?;
        let opaque = |pixel: &[u8]| [pixel.to_vec(), vec![255]].concat();
        let samples = match (from, to) {
            (Channels::Gray, Channels::Rgb) => samples.iter().flat_map(|&gray| [gray; 3]).collect(),
            (Channels::Gray, Channels::GrayAlpha) => {
                samples.iter().flat_map(|&gray| [gray, 255]).collect()
            }
            (Channels::Rgb, Channels::Rgba) => samples.chunks_exact(3).flat_map(opaque).collect(),
            (Channels::GrayAlpha, Channels::GrayAlpha) => multiplied::<2>(samples),
            (Channels::Rgba, Channels::Rgba) => multiplied::<4>(samples),
            _ if from == to => return Ok(source),
            _ => return Err(Error::internal(format!("turning {from:?} into {to:?}"))),
        };
        Raster::from_u8(source.dimensions(), to, samples)
    }

    fn strip(&self, source: &Raster, top: u32, dimensions: Dimensions) -> Result<Raster> {
        let samples = eight_bits(source, "a turn by any angle")?;
        let turned = match self.channels {
            Channels::Gray => self.turned::<1>(samples, top, dimensions),
            Channels::GrayAlpha => self.turned::<2>(samples, top, dimensions),
            Channels::Rgb => self.turned::<3>(samples, top, dimensions),
            Channels::Rgba => self.turned::<4>(samples, top, dimensions),
        };
        Raster::from_u8(dimensions, self.channels, turned)
    }
}

impl Rotate {
    fn turned<const N: usize>(&self, samples: &[u8], top: u32, strip: Dimensions) -> Vec<u8> {
        let outside = array::from_fn(|channel| self.outside[channel]);
        let pixels = samples.as_chunks().0;
        let picture = Picture::<N>::new(pixels, self.source, outside, self.vectors);
        let (right_step, down_step) = self.grid.steps();
        let width = strip.width as usize;
        let mut turned = vec![outside; width * strip.height as usize];
        let mut tile_top = top;
        for band in turned.chunks_mut(width * TILE_HEIGHT as usize) {
            for left in (0..strip.width).step_by(TILE_WIDTH as usize) {
                let (mut right, mut down) = self.grid.position(left, tile_top);
                for row in band.chunks_exact_mut(width) {
                    let end = strip.width.min(left + TILE_WIDTH) as usize;
                    let line = Line {
                        right,
                        down,
                        right_step,
                        down_step,
                    };
                    picture.row(&mut row[left as usize..end], line);
                    (right, down) = (right - down_step, down + right_step);
                }
            }
            tile_top += TILE_HEIGHT;
        }
        turned.into_flattened()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "weights lie between -304 and 4096"
)]
fn phase(index: usize) -> [i16; 4] {
    let x = index as f64 / 256.0;
    let exact = [
        ((-0.5 * x + 1.0) * x - 0.5) * x,
        (1.5 * x - 2.5) * x * x + 1.0,
        ((-1.5 * x + 2.0) * x + 0.5) * x,
        (0.5 * x - 0.5) * x * x,
    ];
    let mut weights = exact.map(|weight| (weight * 4096.0).round() as i16);
    // What rounding lost or gained goes to the nearer of the two in the middle.
    let nearer = if index < 128 { 1 } else { 2 };
    weights[nearer] += 4096 - weights.iter().sum::<i16>();
    weights
}

/// Colours times opacity, which is the last channel.
fn multiplied<const N: usize>(samples: &[u8]) -> Vec<u8> {
    let pixels = samples.as_chunks::<N>().0.iter();
    pixels
        .flat_map(|pixel| {
            let opacity = i32::from(pixel[N - 1]);
            array::from_fn::<u8, N, _>(|channel| match channel {
                last if last == N - 1 => pixel[last],
                channel => level((i32::from(pixel[channel]) * opacity + 127) / 255),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
