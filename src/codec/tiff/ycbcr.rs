//! YCbCr that is no JPEG's: units of luma samples with one sample of each colour, or planes → red, green, blue.
//!
//! A colour's sample counts for all pixels of its unit, wherever the file says that it was taken: so
//! libtiff reads it.
//!
//! Source: TIFF 6.0, section 21.

use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::directory::{Directory, File};
use super::tags;

/// How colours stand in a tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    /// Pixels of a unit.
    across: u32,
    down: u32,
    /// Shares of red, green and blue in luma.
    luma: [f32; 3],
    /// Black and white of luma, and zero and the end of each colour difference.
    range: [f32; 6],
}

impl Units {
    /// Reads what the picture in `directory` says of its colours.
    pub(super) fn read(file: &File, directory: &Directory) -> Result<Self> {
        let sides = file.numbers(directory, tags::YCBCR_SUBSAMPLING, 2)?;
        let (across, down) = match sides.as_deref() {
            Some([across @ (1 | 2 | 4), down @ (1 | 2 | 4)]) => (*across, *down),
            None => (2, 2),
            Some(_) => return Err(Error::corrupt("its colours are sampled impossibly")),
        };
        let luma = file.fractions(directory, tags::YCBCR_COEFFICIENTS)?;
        let range = file.fractions(directory, tags::REFERENCE_BLACK_WHITE)?;
        let side = |side: u64| u32::try_from(side).unwrap_or(1);
        let units = Self {
            across: side(across),
            down: side(down),
            luma: luma.unwrap_or([0.299, 0.587, 0.114]),
            range: range.unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]),
        };
        let [black, white, zero_b, end_b, zero_r, end_r] = units.range;
        let spans = [white - black, end_b - zero_b, end_r - zero_r];
        let usable = spans
            .iter()
            .chain(&units.luma)
            .all(|value| *value > 0.0 && value.is_finite());
        if usable {
            Ok(units)
        } else {
            Err(Error::corrupt("it does not say what its colours are"))
        }
    }

    /// Bytes of a row of units that is `width` pixels wide.
    fn row_bytes(self, width: u32) -> u64 {
        let unit = u64::from(self.across * self.down + 2);
        u64::from(width.div_ceil(self.across)) * unit
    }

    /// Bytes of a tile.
    pub(super) fn bytes(self, tile: Dimensions) -> u64 {
        self.row_bytes(tile.width) * u64::from(tile.height.div_ceil(self.down))
    }

    /// Samples of one of the planes of a tile, luma's first.
    pub(super) fn plane(self, plane: usize, tile: Dimensions) -> Dimensions {
        if plane == 0 {
            return tile;
        }
        Dimensions {
            width: tile.width.div_ceil(self.across),
            height: tile.height.div_ceil(self.down),
        }
    }

    /// The pixels of a tile whose samples stand in planes of their own.
    pub(super) fn put_together(self, planes: &[Vec<u8>; 3], tile: Dimensions) -> Vec<u8> {
        let [lumas, blues, reds] = planes;
        let width = tile.width as usize;
        let (across, down) = (self.across as usize, self.down as usize);
        let narrow = width.div_ceil(across);
        let mut pixels = Vec::with_capacity(3 * lumas.len());
        for (y, row) in lumas.chunks_exact(width).enumerate() {
            for (x, luma) in row.iter().enumerate() {
                let at = y / down * narrow + x / across;
                let [blue, red] = [blues, reds].map(|plane| f32::from(plane[at]));
                pixels.extend(self.rgb(f32::from(*luma), blue, red));
            }
        }
        pixels
    }

    /// The pixels of a tile.
    pub(super) fn pixels(self, packed: &[u8], tile: Dimensions) -> Vec<u8> {
        let (across, down) = (self.across as usize, self.down as usize);
        let (width, height) = (tile.width as usize, tile.height as usize);
        let mut pixels = vec![0; 3 * width * height];
        let rows = packed.chunks_exact(usize::try_from(self.row_bytes(tile.width)).unwrap_or(1));
        for (row, units) in rows.enumerate() {
            for (column, unit) in units.chunks_exact(across * down + 2).enumerate() {
                let (lumas, colours) = unit.split_at(across * down);
                let [blue, red] = [0, 1].map(|at: usize| f32::from(colours[at]));
                for (at, luma) in lumas.iter().enumerate() {
                    let (x, y) = (column * across + at % across, row * down + at / across);
                    if x < width && y < height {
                        let place = 3 * (y * width + x);
                        pixels[place..place + 3].copy_from_slice(&self.rgb(
                            f32::from(*luma),
                            blue,
                            red,
                        ));
                    }
                }
            }
        }
        pixels
    }

    fn rgb(self, luma: f32, blue: f32, red: f32) -> [u8; 3] {
        let [black, white, zero_b, end_b, zero_r, end_r] = self.range;
        let [share_r, share_g, share_b] = self.luma;
        let luma = (luma - black) * 255.0 / (white - black);
        let cb = (blue - zero_b) * 127.0 / (end_b - zero_b);
        let cr = (red - zero_r) * 127.0 / (end_r - zero_r);
        let red = luma + cr * (2.0 - 2.0 * share_r);
        let blue = luma + cb * (2.0 - 2.0 * share_b);
        let green = (luma - share_b * blue - share_r * red) / share_g;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast cuts to the range"
        )]
        let level = |value: f32| (value + 0.5) as u8;
        [red, green, blue].map(level)
    }
}
