//! A WebP tile as TIFF stores it → its pixels, or itself as an answer.
//!
//! Source: libtiff's registered tag 50001: each tile is a whole WebP of three or four samples a pixel.

use bytes::Bytes;

use crate::codec::stored::Proof;
use crate::codec::{DecodeLimits, Stored, webp};
use crate::error::Result;
use crate::geometry::Window;
use crate::raster::{Channels, Raster};

use super::input::Input;
use super::jpeg_tile::{expected, is_plausible};
use super::layout::{Compression, Layout};
use super::pixels::Alpha;

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

/// The cell of `layout` that is `window` as it is stored: a WebP shows nothing but all of itself.
pub(super) fn stored(layout: &Layout, window: Window) -> Option<Stored> {
    let whole = layout.grid.tile;
    let passed = layout.compression == Compression::Webp && layout.grid.tiled;
    let (row, column) = layout.grid.cell(window).filter(|_| passed)?;
    let bytes = layout.tile(0, row, column);
    let fits = window.dimensions() == whole && is_plausible(layout, bytes);
    fits.then(|| Stored {
        head: Bytes::new(),
        offset: bytes.offset,
        length: bytes.length,
        replaced: &[],
        proof: Proof::Webp {
            dimensions: whole,
            alpha: layout.pixels.alpha == Some(Alpha::Straight),
        },
    })
}
