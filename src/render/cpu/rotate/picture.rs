//! A picture with what lies around it, sampled along lines.
//!
//! Inside, where all neighbours are the picture's, [`super::simd`] takes over where the processor can.

use std::array;
use std::ops::Range;

use super::line::Line;
use super::simd::Vectors;
use super::{OFFSETS, PHASES};
use crate::geometry::Dimensions;

/// A picture with what lies around it.
pub(super) struct Picture<'a, const N: usize> {
    pixels: &'a [[u8; N]],
    width: i64,
    height: i64,
    outside: [u8; N],
    vectors: Option<Vectors>,
}

impl<'a, const N: usize> Picture<'a, N> {
    /// `pixels` of `dimensions`, surrounded by `outside`; by `vectors`, or by portable code without.
    pub(super) fn new(
        pixels: &'a [[u8; N]],
        dimensions: Dimensions,
        outside: [u8; N],
        vectors: Option<Vectors>,
    ) -> Self {
        Self {
            pixels,
            width: i64::from(dimensions.width),
            height: i64::from(dimensions.height),
            outside,
            vectors,
        }
    }

    /// Samples along a line; pixels whose neighbours are all outside are left as they are.
    pub(super) fn row(&self, row: &mut [[u8; N]], line: Line) {
        let seen = self.seen(row.len(), line);
        if seen.is_empty() {
            return;
        }
        let inside = line.within(row.len(), &(1..self.width - 2), &(1..self.height - 2));
        let inside = if inside.is_empty() {
            seen.start..seen.start
        } else {
            inside
        };
        self.edge(&mut row[seen.start..inside.start], line.after(seen.start));
        self.edge(&mut row[inside.end..seen.end], line.after(inside.end));
        let line = line.after(inside.start);
        match self.vectors {
            Some(vectors) => vectors.row(self, &mut row[inside], line),
            None => self.inside(&mut row[inside], line),
        }
    }

    /// Which pixels have a neighbour in the picture.
    fn seen(&self, count: usize, line: Line) -> Range<usize> {
        line.within(count, &(-2..self.width + 1), &(-2..self.height + 1))
    }

    fn inside(&self, row: &mut [[u8; N]], mut line: Line) {
        for pixel in row {
            *pixel = self.sample(line);
            line = line.after(1);
        }
    }

    /// The samples, row after row.
    pub(super) fn samples(&self) -> &'a [u8] {
        self.pixels.as_flattened()
    }

    /// Samples from row to row.
    pub(super) fn stride(&self) -> usize {
        N * usize::try_from(self.width).unwrap_or(0)
    }

    /// The first sample of the neighbours of a position, by its whole parts.
    #[inline]
    pub(super) fn first_neighbour(&self, x: i64, y: i64) -> usize {
        let pixel = (y - 1) * self.width + x - 1;
        usize::try_from(pixel).map_or(usize::MAX, |pixel| pixel * N)
    }

    /// The pixel at a position whose neighbours are all inside.
    #[inline]
    pub(super) fn sample(&self, at: Line) -> [u8; N] {
        let ((x, across), (y, down)) = (split(at.right), split(at.down));
        let first = self.first_neighbour(x, y);
        let (across, stride) = (PHASES[across], self.stride());
        weighed(PHASES[down], |row| {
            let (pixels, _) = self.samples()[first + row * stride..].as_chunks();
            let (neighbours, _) = pixels
                .split_first_chunk::<4>()
                .expect("four neighbours inside the picture");
            weighed_row(neighbours, across)
        })
    }

    fn edge(&self, row: &mut [[u8; N]], mut line: Line) {
        for pixel in row {
            let ((x, across), (y, down)) = (split(line.right), split(line.down));
            let across = PHASES[across];
            *pixel = weighed(PHASES[down], |row| {
                let y = y - 1 + OFFSETS[row];
                weighed_row(&OFFSETS.map(|column| self.pixel(x - 1 + column, y)), across)
            });
            line = line.after(1);
        }
    }

    fn pixel(&self, x: i64, y: i64) -> [u8; N] {
        let inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        let index = inside.then_some(y * self.width + x);
        index
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| self.pixels.get(index))
            .copied()
            .unwrap_or(self.outside)
    }
}

/// The whole part, and the phase between it and the next, in 256ths.
#[inline]
#[expect(clippy::cast_sign_loss, reason = "masked to eight bits")]
pub(super) fn split(position: i64) -> (i64, usize) {
    (position >> 16, ((position >> 8) & 255) as usize)
}

/// Four pixels of a row, to two fractional bits: within ±2^11, so an `i16` holds it.
#[inline]
fn weighed_row<const N: usize>(neighbours: &[[u8; N]; 4], weights: [i16; 4]) -> [i32; N] {
    array::from_fn(|channel| {
        let mut sum = 512;
        for (neighbour, weight) in neighbours.iter().zip(&weights) {
            sum += i32::from(neighbour[channel]) * i32::from(*weight);
        }
        sum >> 10
    })
}

/// Four rows, to whole levels.
#[inline]
fn weighed<const N: usize>(weights: [i16; 4], row: impl Fn(usize) -> [i32; N]) -> [u8; N] {
    let mut sums = [0; N];
    for (index, weight) in weights.iter().enumerate() {
        for (sum, level) in sums.iter_mut().zip(row(index)) {
            *sum += level * i32::from(*weight);
        }
    }
    // Two and four channels are those with opacity.
    if N.is_multiple_of(2) {
        divided(sums)
    } else {
        sums.map(rounded)
    }
}

/// The sum of four opaque rows.
const OPAQUE: i32 = 255 << 14;

/// A pixel of its sums; the last one is opacity.
#[inline]
pub(super) fn divided<const N: usize>(sums: [i32; N]) -> [u8; N] {
    let opacity = sums[N - 1];
    if opacity == OPAQUE {
        // What division would give: colours are at most as far from 0 as their rounding.
        return sums.map(rounded);
    }
    let visible = rounded(opacity);
    array::from_fn(|channel| match (channel, visible) {
        (last, _) if last == N - 1 => visible,
        (_, 0) => 0,
        (channel, _) => level((sums[channel] * 255 + opacity / 2) / opacity),
    })
}

/// A sum with 14 fractional bits, to the nearest level.
fn rounded(sum: i32) -> u8 {
    level((sum + 8192) >> 14)
}

/// The level, or the nearest that there is.
#[inline]
#[expect(clippy::cast_sign_loss, reason = "clamped to eight bits")]
pub(super) fn level(value: i32) -> u8 {
    value.clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_sums_need_no_division() {
        for sum in (-OPAQUE / 4..OPAQUE * 5 / 4).step_by(61) {
            let divided_by_hand = level((sum * 255 + OPAQUE / 2) / OPAQUE);
            assert_eq!(divided([sum, OPAQUE]), [divided_by_hand, 255], "{sum}");
        }
    }
}
