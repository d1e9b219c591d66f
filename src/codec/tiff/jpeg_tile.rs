//! A JPEG tile as TIFF stores it → a JPEG that stands alone → its pixels.
//!
//! Source: TIFF Technical Note 2 (1995): the tables of all tiles stand once in `JPEGTables`, each tile
//! is an abbreviated stream. The colours of the stream are what the container says.

use bytes::Bytes;

use crate::cancel::Cancel;
use crate::codec::jpeg::{self, Components, Heads, Mosaic, TileColour};
use crate::codec::stored::Proof;
use crate::codec::{DecodeLimits, Stored};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{Depth, Raster, Samples};

use super::input::Input;
use super::layout::{Compression, Layout, TileBytes};
use super::pixels::Ink;

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Most bytes that a tile of `dimensions` may have: far above what any JPEG of it needs.
pub(super) fn most_bytes(dimensions: Dimensions) -> u64 {
    dimensions.area().saturating_mul(4).saturating_add(1 << 20)
}

/// The dimensions of the tile of this `kind` that `input` has just opened, in this row of the grid.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Corrupt`] when it claims more bytes than any such tile needs.
pub(super) fn expected(layout: &Layout, row: u32, input: &Input, kind: &str) -> Result<Dimensions> {
    let expected = Dimensions {
        width: layout.grid.tile.width,
        height: layout.grid.stored_rows(row),
    };
    if input.left() > most_bytes(expected) {
        return Err(Error::corrupt(format!(
            "a {kind} tile of {expected} pixels claims {} bytes",
            input.left()
        )));
    }
    Ok(expected)
}

/// Decodes the tile that `input` has just opened, in this row of the grid.
pub(super) fn decode(
    layout: &Layout,
    row: u32,
    input: &mut Input,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Raster> {
    let expected = expected(layout, row, input, "JPEG")?;
    let stream = splice(layout.jpeg_tables.as_deref(), &input.rest()?)?;
    decode_stream(layout, &stream, expected, limits, cancel)
}

/// The samples of the tile that `input` has just opened, which is one plane of YCbCr, as they are stored.
pub(super) fn decode_plane(
    layout: &Layout,
    input: &mut Input,
    shape: Dimensions,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Vec<u8>> {
    if input.left() > most_bytes(shape) {
        return Err(Error::corrupt("a JPEG tile claims too many bytes"));
    }
    let stream = splice(layout.jpeg_tables.as_deref(), &input.rest()?)?;
    let raster = jpeg::decode_tile(&stream, TileColour::Gray, shape, limits, cancel)?;
    match raster.into_samples() {
        Samples::U8(samples) => Ok(samples),
        Samples::U16(_) => Err(Error::corrupt("a JPEG tile is not what its directory says")),
    }
}

/// Decodes a stream that stands alone, of a cell of `expected`.
pub(super) fn decode_stream(
    layout: &Layout,
    stream: &[u8],
    expected: Dimensions,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Raster> {
    let raster = jpeg::decode_tile(stream, colour(layout), expected, limits, cancel)?;
    let format = raster.format();
    let narrow = format.depth == Depth::Eight;
    if raster.dimensions() != expected
        || format.channels.count() != layout.row.samples
        || narrow != layout.row.is_narrow()
    {
        return Err(Error::corrupt("a JPEG tile is not what its directory says"));
    }
    Ok(raster)
}

/// What stands before a tile of `layout` that leaves as it is: the tables, and for RGB the word that it
/// is not luma and chroma; nothing for tiles that are no such JPEG.
///
/// Source: Adobe Technical Note 5116, section 18: transform 0 is RGB.
pub(super) fn head(layout: &Layout) -> Option<Bytes> {
    let passed = layout.grid.tiled
        && !layout.separate
        && layout.compression == Compression::Jpeg
        && layout.pixels.bits == 8
        && layout.pixels.samples == layout.pixels.ink.colours()
        && matches!(layout.pixels.ink, Ink::Gray | Ink::Rgb);
    let head = splice(layout.jpeg_tables.as_deref(), &START_OF_IMAGE).ok();
    let mut head = head.filter(|_| passed)?;
    if colour(layout) == TileColour::Rgb {
        head.extend(b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0");
    }
    Some(head.into())
}

/// The cell of `layout` that is `window` as it is stored, or its upper left part.
pub(super) fn stored(layout: &Layout, window: Window) -> Option<Stored> {
    let (row, column) = layout.grid.cell(window)?;
    tile(layout, row, column, window.dimensions())
}

/// The tiles of `layout` that `window` touches, to be put together.
pub(super) fn mosaic(
    layout: &Layout,
    window: Window,
    components: Components,
    heads: &Heads,
) -> Option<Mosaic> {
    let whole = layout.grid.tile;
    let is_luma = components == Components::Luma;
    if is_luma && colour(layout) == TileColour::Rgb {
        return None;
    }
    let columns = window.x / whole.width..window.right().div_ceil(whole.width);
    let rows = window.y / whole.height..window.bottom().div_ceil(whole.height);
    let across = columns.len();
    if across.checked_mul(rows.len())? > Mosaic::MOST_TILES {
        return None;
    }
    let within = Window {
        x: window.x - columns.start * whole.width,
        y: window.y - rows.start * whole.height,
        ..window
    };
    let cells = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
    let tiles = cells.map(|(row, column)| tile(layout, row, column, whole));
    let tiles = tiles.collect::<Option<Vec<_>>>()?;
    Some(Mosaic::new(
        within,
        components,
        whole,
        across,
        tiles,
        heads.clone(),
    ))
}

/// The stored tile at this place, of which the upper left pixels are `shown`.
fn tile(layout: &Layout, row: u32, column: u32, shown: Dimensions) -> Option<Stored> {
    let head = layout.jpeg_head.clone()?;
    let bytes = layout.tile(0, row, column);
    is_plausible(layout, bytes).then(|| Stored {
        head,
        offset: bytes.offset,
        length: bytes.length,
        replaced: &START_OF_IMAGE,
        proof: Proof::Jpeg {
            whole: layout.grid.tile,
            shown,
            colour: colour(layout),
        },
    })
}

/// Whether `bytes` may be a tile of `layout` that is a picture of its own.
pub(super) fn is_plausible(layout: &Layout, bytes: TileBytes) -> bool {
    bytes.offset > 0 && bytes.length > 4 && bytes.length <= most_bytes(layout.grid.tile)
}

fn colour(layout: &Layout) -> TileColour {
    match layout.row.samples {
        1 => TileColour::Gray,
        2 => TileColour::Pair,
        3 if layout.pixels.is_ycbcr() => TileColour::YCbCr,
        3 => TileColour::Rgb,
        _ => TileColour::Four,
    }
}

/// The tile with the tables' marker segments before its own.
fn splice(tables: Option<&[u8]>, tile: &[u8]) -> Result<Vec<u8>> {
    let Some(own) = tile.strip_prefix(&START_OF_IMAGE) else {
        return Err(Error::corrupt("a JPEG tile does not begin as one"));
    };
    let tables = tables.and_then(|tables| tables.strip_prefix(&START_OF_IMAGE));
    let tables = tables.unwrap_or_default();
    let tables = tables.strip_suffix(&END_OF_IMAGE).unwrap_or(tables);
    Ok([&START_OF_IMAGE, tables, own].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_between_the_start_of_image_and_the_tiles_own_segments() {
        let tables = [0xff, 0xd8, 0xff, 0xdb, 1, 2, 0xff, 0xd9];
        let tile = [0xff, 0xd8, 0xff, 0xc0, 3, 0xff, 0xd9];
        let whole = [0xff, 0xd8, 0xff, 0xdb, 1, 2, 0xff, 0xc0, 3, 0xff, 0xd9];
        assert_eq!(splice(Some(&tables), &tile).expect("a JPEG"), whole);
        assert_eq!(splice(None, &tile).expect("a JPEG"), tile);
        assert!(splice(Some(&tables), &tile[2..]).is_err());
    }
}
