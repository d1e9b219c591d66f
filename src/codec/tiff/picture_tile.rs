//! A JPEG 2000 or JPEG XL tile as TIFF stores it → its pixels, by this program's own readers of those formats.
//!
//! A tile is a whole picture. What its samples mean is said by the directory; where that says luma and colour
//! differences, the code stream is read as sYCC.
//!
//! Source: Aperio's 33003 and 33005 and LEAD's 34712 (JPEG 2000), libtiff's 50002 and DNG 1.7's 52546 (JPEG XL);
//! ISO/IEC 15444-1, annex I.

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{ColourMode, DecodeLimits, jp2, jxl};
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Depth, Raster, gather};
use crate::reader::RangeReader;

use super::input::Input;
use super::jpeg_tile::expected;
use super::layout::{Compression, Layout};

/// The signature box of a JPEG 2000 file.
const SIGNATURE: &[u8] = b"\0\0\0\x0cjP  \r\n\x87\n";

/// Decodes the tile that `input` has just opened, in this row of the grid.
pub(super) fn decode(
    layout: &Layout,
    row: u32,
    input: &mut Input,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Raster> {
    let is_xl = layout.compression == Compression::JpegXl;
    let kind = if is_xl { "JPEG XL" } else { "JPEG 2000" };
    let expected = expected(layout, row, input, kind)?;
    let mut stream = input.rest()?;
    let is_ycc = layout.compression == Compression::Jpeg2000Ycc || layout.pixels.is_ycbcr();
    if !is_xl && is_ycc && !stream.starts_with(SIGNATURE) {
        stream = as_sycc(&stream, expected);
    }
    let reader: Arc<dyn RangeReader> = Arc::new(stream);
    let picture = if is_xl {
        // Colours are the directory's to say, not the tile's.
        let as_stored = DecodeLimits {
            colour: ColourMode::Keep,
            ..limits.clone()
        };
        jxl::open(reader, &as_stored)?
    } else {
        jp2::open(reader, limits)?
    };
    let pixel = picture.facts().pixel;
    if picture.facts().pyramid.dimensions() != expected
        || pixel.channels.count() != layout.row.samples
        || (pixel.depth == Depth::Eight) != layout.row.is_narrow()
    {
        return Err(Error::corrupt(format!(
            "a {kind} tile is not what its directory says"
        )));
    }
    let mut rows = picture.decode(0, expected.window(), cancel)?;
    gather(rows.as_mut(), cancel)
}

/// A JPEG 2000 file around a code stream of luma and two colour differences of 8 bits.
fn as_sycc(stream: &[u8], dimensions: Dimensions) -> Vec<u8> {
    [
        SIGNATURE,
        b"\0\0\0\x14ftypjp2 \0\0\0\0jp2 ",
        b"\0\0\0\x2djp2h",
        b"\0\0\0\x16ihdr",
        &dimensions.height.to_be_bytes(),
        &dimensions.width.to_be_bytes(),
        b"\0\x03\x07\x07\0\0",
        b"\0\0\0\x0fcolr\x01\0\0\0\0\0\x12",
        b"\0\0\0\0jp2c",
        stream,
    ]
    .concat()
}
