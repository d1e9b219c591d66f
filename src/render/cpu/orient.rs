//! Mirror and quarter turns of every format.
//!
//! A mirror alone goes strip by strip. Half turns and turns that exchange the sides gather the picture
//! and leave in bands of [`BAND`] rows, so that what is read down a column stays in the cache.

use super::flow::{AfterAll, EachStrip, WholePass};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::{Dimensions, Orientation};
use crate::raster::{Raster, Rows, Samples, Shape};

/// Rows of a strip, and pixels of a block's side: 64 columns of 4-byte pixels are four cache lines of
/// each row, and a block of 64 rows of those fits the first-level cache.
const BAND: u32 = 64;

/// Pixels from row to row of a block, one more than it holds: columns of a power of two would all meet
/// in the same few places of the cache.
const BLOCK_STRIDE: usize = BAND as usize + 1;

/// `rows` laid as `orientation` says: mirror first, then clockwise quarter turns.
pub(super) fn rows(
    rows: Box<dyn Rows>,
    shape: Shape,
    orientation: Orientation,
    cancel: &Cancel,
) -> Box<dyn Rows> {
    match (orientation.mirror, orientation.turns % 4) {
        (false, 0) => rows,
        (true, 0) => Box::new(EachStrip::new(rows, shape, mirrored)),
        _ => Box::new(AfterAll::new(rows, shape, Lay(orientation), BAND, cancel)),
    }
}

fn mirrored(source: &Raster) -> Result<Raster> {
    let channels = source.format().channels;
    let row = source.row_len();
    let samples = match source.samples() {
        Samples::U8(all) => Samples::U8(mirrored_rows(all, row, channels.count())),
        Samples::U16(all) => Samples::U16(mirrored_rows(all, row, channels.count())),
    };
    Raster::new(source.dimensions(), channels, samples)
}

fn mirrored_rows<T: Copy>(all: &[T], row: usize, channels: usize) -> Vec<T> {
    let mut result = Vec::with_capacity(all.len());
    for row in all.chunks_exact(row) {
        push_pixels(&mut result, row, channels, true);
    }
    result
}

fn push_pixels<T: Copy>(result: &mut Vec<T>, row: &[T], channels: usize, backwards: bool) {
    match (backwards, channels) {
        (false, _) => result.extend_from_slice(row),
        (true, 1) => result.extend(row.iter().rev()),
        (true, 2) => result.extend(row.as_chunks::<2>().0.iter().rev().flatten()),
        (true, 3) => result.extend(row.as_chunks::<3>().0.iter().rev().flatten()),
        (true, _) => result.extend(row.as_chunks::<4>().0.iter().rev().flatten()),
    }
}

struct Lay(Orientation);

impl WholePass for Lay {
    fn strip(&self, source: &Raster, top: u32, dimensions: Dimensions) -> Result<Raster> {
        let channels = source.format().channels;
        let samples = match source.samples() {
            Samples::U8(all) => Samples::U8(self.band(all, source, top, dimensions)),
            Samples::U16(all) => Samples::U16(self.band(all, source, top, dimensions)),
        };
        Raster::new(dimensions, channels, samples)
    }
}

impl Lay {
    fn band<T: Copy + Default>(
        &self,
        all: &[T],
        source: &Raster,
        top: u32,
        dimensions: Dimensions,
    ) -> Vec<T> {
        let channels = source.format().channels.count();
        let (row, top, height) = (source.row_len(), top as usize, dimensions.height as usize);
        if !self.0.transposes() {
            return upside_down(all, row, channels, top, height, !self.0.mirror);
        }
        match channels {
            1 => self.transposed::<T, 1>(all, row, top, height),
            2 => self.transposed::<T, 2>(all, row, top, height),
            3 => self.transposed::<T, 3>(all, row, top, height),
            _ => self.transposed::<T, 4>(all, row, top, height),
        }
    }

    /// Rows `top .. top + height` of the turned picture, which are columns of the source.
    ///
    /// A quarter turn clockwise reads columns from left to right, each from the bottom up; a mirror
    /// before it exchanges left and right, two more turns exchange both.
    fn transposed<T: Copy + Default, const N: usize>(
        &self,
        all: &[T],
        row: usize,
        top: usize,
        height: usize,
    ) -> Vec<T> {
        let pixels = all.as_chunks::<N>().0;
        let columns = row / N;
        let turned_back = self.0.turns % 4 == 3;
        let from_right = self.0.mirror != turned_back;
        let left = if from_right {
            columns - top - height
        } else {
            top
        };
        let width = pixels.len() / columns;
        let mut band = vec![[T::default(); N]; width * height];
        let mut block = vec![[T::default(); N]; BLOCK_STRIDE * BAND as usize];
        for first in (0..width).step_by(BAND as usize) {
            let end = width.min(first + BAND as usize);
            for (x, column) in (first..end).zip(block.chunks_exact_mut(BLOCK_STRIDE)) {
                let y = if turned_back { x } else { width - 1 - x };
                column[..height].copy_from_slice(&pixels[y * columns + left..][..height]);
            }
            for (down, row) in band.chunks_exact_mut(width).enumerate() {
                let at = if from_right { height - 1 - down } else { down };
                for (pixel, column) in row[first..end].iter_mut().zip(block.chunks(BLOCK_STRIDE)) {
                    *pixel = column[at];
                }
            }
        }
        band.into_flattened()
    }
}

/// Rows `top .. top + height` of the picture with its rows in reverse order, each `backwards` or not.
fn upside_down<T: Copy>(
    all: &[T],
    row: usize,
    channels: usize,
    top: usize,
    height: usize,
    backwards: bool,
) -> Vec<T> {
    let mut band = Vec::with_capacity(row * height);
    for row in all.chunks_exact(row).rev().skip(top).take(height) {
        push_pixels(&mut band, row, channels, backwards);
    }
    band
}

#[cfg(test)]
mod tests {
    use super::super::testing::{bytes, dimensions, picture, run, run_in_strips};
    use super::*;
    use crate::plan::Pass;
    use crate::raster::{Channels, Depth, PixelFormat};

    fn laid(mirror: bool, turns: u8) -> Vec<u8> {
        // a b c
        // d e f
        let source = Raster::from_u8(dimensions(3, 2), Channels::Gray, b"abcdef".to_vec());
        let pass = Pass::Orient(Orientation { mirror, turns });
        bytes(&run(source.expect("six samples"), &[pass])).to_vec()
    }

    #[test]
    fn i3_rot_04_the_eight_layings_of_a_small_picture() {
        assert_eq!(laid(false, 0), b"abcdef");
        assert_eq!(laid(false, 1), b"daebfc"); // da eb fc
        assert_eq!(laid(false, 2), b"fedcba");
        assert_eq!(laid(false, 3), b"cfbead"); // cf be ad
        assert_eq!(laid(true, 0), b"cbafed");
        assert_eq!(laid(true, 1), b"fcebda"); // mirrored cba/fed, then clockwise: fc eb da
        assert_eq!(laid(true, 2), b"defabc");
        assert_eq!(laid(true, 3), b"adbecf"); // mirrored, then anticlockwise: ad be cf
    }

    #[test]
    fn every_format_and_laying_follows_each_pixel_in_strips_of_any_height() {
        for channels in [
            Channels::Gray,
            Channels::GrayAlpha,
            Channels::Rgb,
            Channels::Rgba,
        ] {
            for depth in [Depth::Eight, Depth::Sixteen] {
                for tag in 1..=8 {
                    let orientation = Orientation::from_tag(tag);
                    for (w, h) in [(1, 1), (130, 67), (64, 128)] {
                        let source = picture(dimensions(w, h), PixelFormat { channels, depth }, 7);
                        let result = run_in_strips(&source, &[Pass::Orient(orientation)]);
                        assert_follows(&source, &result, orientation);
                    }
                }
            }
        }
    }

    /// Compares pixel by pixel with where [`Orientation::apply_region`] puts them.
    fn assert_follows(source: &Raster, result: &Raster, orientation: Orientation) {
        let pixel = |raster: &Raster, x: u32, y: u32| {
            let n = raster.format().channels.count();
            let start = (y * raster.dimensions().width + x) as usize * n;
            match raster.samples() {
                Samples::U8(all) => all[start..start + n].iter().map(|&s| s.into()).collect(),
                Samples::U16(all) => all[start..start + n].to_vec(),
            }
        };
        let dimensions = source.dimensions();
        for y in 0..dimensions.height {
            for x in 0..dimensions.width {
                let one = crate::geometry::Region {
                    x,
                    y,
                    width: 1,
                    height: 1,
                };
                let there = orientation.apply_region(one, dimensions);
                let wanted: Vec<u16> = pixel(source, x, y);
                assert_eq!(pixel(result, there.x, there.y), wanted);
            }
        }
    }
}
