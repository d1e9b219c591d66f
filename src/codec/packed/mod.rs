//! Lossless compression of small rasters, made to be undone fast.
//!
//! [`pack`] turns a raster into bytes, [`unpack`] turns them back, bit for bit. Colours are
//! decorrelated, pixels are predicted from their neighbours in blocks of 8 × 8, and each block's
//! residuals are stored in as many bits as the largest needs. The bytes hold neither dimensions nor
//! format: whoever keeps them keeps those too. They hold no checksum either: damaged bytes give an
//! error or other pixels, never a panic.

mod bits;
mod lanes;
mod pixels;
mod plane;
mod predict;

use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{PixelFormat, Raster, Samples};

use bits::Block;
use pixels::{join_eight, join_sixteen, split_eight, split_sixteen};
use plane::Plane;

/// Rows and columns of a block.
const SIDE: usize = 8;

/// Raised whenever the same raster gives other bytes.
pub const VERSION: u32 = 1;

/// `raster` in fewer bytes.
pub fn pack(raster: &Raster) -> Vec<u8> {
    let mut out = Vec::with_capacity(raster.samples().len());
    let row = raster.row_len();
    match (raster.samples(), raster.format().channels.count()) {
        (Samples::U8(all), 1) => pack_rows(all, row, 1, 1, split_eight::<1>, &mut out),
        (Samples::U8(all), 2) => pack_rows(all, row, 2, 2, split_eight::<2>, &mut out),
        (Samples::U8(all), 3) => pack_rows(all, row, 3, 3, split_eight::<3>, &mut out),
        (Samples::U8(all), _) => pack_rows(all, row, 4, 4, split_eight::<4>, &mut out),
        (Samples::U16(all), 1) => pack_rows(all, row, 1, 2, split_sixteen::<1>, &mut out),
        (Samples::U16(all), 2) => pack_rows(all, row, 2, 4, split_sixteen::<2>, &mut out),
        (Samples::U16(all), 3) => pack_rows(all, row, 3, 6, split_sixteen::<3>, &mut out),
        (Samples::U16(all), _) => pack_rows(all, row, 4, 8, split_sixteen::<4>, &mut out),
    }
    out
}

/// The raster of `dimensions` and `format` that [`pack`] has turned into `bytes`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Corrupt`] when `bytes` cannot be those of such a raster.
pub fn unpack(bytes: &[u8], dimensions: Dimensions, format: PixelFormat) -> Result<Raster> {
    let pixels = usize::try_from(dimensions.area())
        .map_err(|cause| Error::internal("sizing a raster").with_source(cause))?;
    // A byte stands for at least one block of one plane.
    if pixels / (SIDE * SIDE) > bytes.len() {
        return Err(damaged());
    }
    let channels = format.channels.count();
    let row = dimensions.width as usize * channels;
    let mut samples = Samples::zeroed(format, pixels);
    let whole = match (&mut samples, channels) {
        (Samples::U8(all), 1) => unpack_rows(bytes, all, row, 1, 1, join_eight::<1>),
        (Samples::U8(all), 2) => unpack_rows(bytes, all, row, 2, 2, join_eight::<2>),
        (Samples::U8(all), 3) => unpack_rows(bytes, all, row, 3, 3, join_eight::<3>),
        (Samples::U8(all), _) => unpack_rows(bytes, all, row, 4, 4, join_eight::<4>),
        (Samples::U16(all), 1) => unpack_rows(bytes, all, row, 1, 2, join_sixteen::<1>),
        (Samples::U16(all), 2) => unpack_rows(bytes, all, row, 2, 4, join_sixteen::<2>),
        (Samples::U16(all), 3) => unpack_rows(bytes, all, row, 3, 6, join_sixteen::<3>),
        (Samples::U16(all), _) => unpack_rows(bytes, all, row, 4, 8, join_sixteen::<4>),
    };
    whole.ok_or_else(damaged)?;
    Raster::new(dimensions, format.channels, samples)
}

fn damaged() -> Error {
    Error::corrupt("stored pixels are damaged")
}

type Bands = Vec<Vec<Block>>;

fn pack_rows<T>(
    all: &[T],
    row: usize,
    channels: usize,
    planes: usize,
    split: fn([&[T]; SIDE], &mut [Vec<Block>]),
    out: &mut Vec<u8>,
) {
    let blocks = (row / channels).div_ceil(SIDE);
    let mut above = vec![Plane::new(blocks); planes];
    let mut bands: Bands = vec![vec![Block::default(); blocks]; planes];
    for band in all.chunks(row * SIDE) {
        let last = (band.len() / row).saturating_sub(1);
        let line = |y: usize| band.get(y.min(last) * row..).unwrap_or_default();
        split(std::array::from_fn(|y| &line(y)[..row]), &mut bands);
        for (plane, rows) in above.iter_mut().zip(&bands) {
            plane.pack(rows, out);
        }
    }
}

fn unpack_rows<T>(
    mut bytes: &[u8],
    all: &mut [T],
    row: usize,
    channels: usize,
    planes: usize,
    join: fn(&[Vec<Block>], usize, &mut [T]),
) -> Option<()> {
    let blocks = (row / channels).div_ceil(SIDE);
    let mut above = vec![Plane::new(blocks); planes];
    let mut bands: Bands = vec![vec![Block::default(); blocks]; planes];
    for band in all.chunks_mut(row * SIDE) {
        for (plane, rows) in above.iter_mut().zip(&mut bands) {
            bytes = plane.unpack(rows, bytes)?;
        }
        for (y, line) in band.chunks_exact_mut(row).enumerate() {
            join(&bands, y, line);
        }
    }
    bytes.is_empty().then_some(())
}

#[cfg(test)]
mod tests;
