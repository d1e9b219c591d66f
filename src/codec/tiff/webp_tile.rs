//! A WebP tile as TIFF stores it → its pixels.
//!
//! Source: libtiff's registered tag 50001: each tile is a whole WebP of three or four samples a pixel.

use crate::codec::{DecodeLimits, webp};
use crate::error::Result;
use crate::raster::{Channels, Raster};

use super::input::Input;
use super::jpeg_tile::expected;
use super::layout::Layout;

/// Decodes the tile that `input` has just opened, in this row of the grid.
pub(super) fn decode(
    layout: &Layout,
    row: u32,
    input: &mut Input,
    limits: &DecodeLimits,
) -> Result<Raster> {
    let expected = expected(layout, row, input, "WebP")?;
    let channels = if layout.row.samples == 4 {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    webp::decode_tile(&input.rest()?, expected, channels, limits)
}
