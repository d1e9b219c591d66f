//! BMP masters → rows: 1 to 32 bits, palettes, masks and run lengths expanded, either way up, of Windows and
//! of OS/2.
//!
//! Opacity is there where the header has a mask for it. A profile embedded in a version 5 header is
//! applied. Rows are read alone; a picture of run lengths is decoded whole.
//!
//! Source: Microsoft, "Bitmap Header Types" (`BITMAPCOREHEADER` to `BITMAPV5HEADER`).

mod header;
mod mask;
mod plain;
mod runs;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::{Orientation, Window};
use crate::raster::Rows;
use crate::reader::RangeReader;

use super::metadata::Blocks;
use super::stream::peek;
use super::whole::{self, WholeRows};
use super::{Colour, DecodeLimits, Density, Facts, KeptSpace, MasterFormat, Picture, Price};

use header::{Coding, FILE_HEADER_BYTES, Header, INFO_BYTES, V5_BYTES};
use plain::PlainRows;

/// `bV5CSType` of an embedded profile: `MBED`, as it stands in the file.
const EMBEDDED: [u8; 4] = *b"DEBM";

/// Palette and stored rows that are held beside the result.
const SCRATCH_BYTES: u64 = 256 << 10;

/// Whether a file that starts with `head` is a BMP: the magic, and a header of a known length.
pub(super) fn matches(head: &[u8]) -> bool {
    head.starts_with(b"BM") && matches!(head.get(14..18), Some([12 | 16..=64 | 108 | 124, 0, 0, 0]))
}

/// Parses the headers of a BMP.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Corrupt`], [`crate::error::ErrorKind::NotImplemented`],
/// [`crate::error::ErrorKind::TooLarge`], and those of the reader.
pub(super) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let header = Header::read(reader.as_ref(), limits)?;
    let (dimensions, pixel) = (header.dimensions, header.format());
    if header.coding == Coding::Runs {
        let price = whole::price(dimensions, pixel, SCRATCH_BYTES, dimensions.window());
        whole::check_bytes(price.bytes, limits)?;
    }
    let profile = embedded_profile(reader.as_ref(), limits)?;
    let colour = Colour::of_master(profile.as_deref(), pixel.channels, limits)?;
    let facts = Facts {
        description: describe(&header),
        format: MasterFormat::Bmp,
        pyramid: whole::single_level(dimensions),
        orientation: Orientation::IDENTITY,
        pixel,
        bits: 8,
        colour: colour.name().to_owned(),
        pages: 1,
    };
    Ok(Arc::new(Bmp {
        reader,
        header: Arc::new(header),
        facts,
        colour,
    }))
}

/// Bits of a pixel and compression.
fn describe(header: &Header) -> String {
    let runs = match header.coding {
        Coding::Runs => ", run lengths",
        Coding::Indices | Coding::Bytes | Coding::Masks(_) => "",
    };
    format!("BMP, {} bit a pixel{runs}", header.bits)
}

/// The profile of a version 5 header; `None` where there is none or where it lies outside the file.
fn embedded_profile(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Option<Vec<u8>>> {
    let size = peek(reader, FILE_HEADER_BYTES)?.map(u32::from_le_bytes);
    let kind = peek(reader, FILE_HEADER_BYTES + 56)?;
    if size != Some(V5_BYTES) || kind != Some(EMBEDDED) {
        return Ok(None);
    }
    let start = peek(reader, FILE_HEADER_BYTES + 112)?.map_or(0, u32::from_le_bytes);
    let length = peek(reader, FILE_HEADER_BYTES + 116)?.map_or(0, u32::from_le_bytes);
    let (start, length) = (FILE_HEADER_BYTES + u64::from(start), u64::from(length));
    if length > limits.max_metadata_bytes || start + length > reader.length() {
        return Ok(None);
    }
    reader.read_vec(start, length).map(Some)
}

/// Pixels of a metre, as headers of 40 bytes and more have them.
fn density(reader: &dyn RangeReader) -> Result<Option<Density>> {
    let length = peek::<4>(reader, FILE_HEADER_BYTES)?.map(u32::from_le_bytes);
    if length.is_none_or(|length| length < INFO_BYTES) {
        return Ok(None);
    }
    let across = peek::<4>(reader, FILE_HEADER_BYTES + 24)?.map(i32::from_le_bytes);
    let down = peek::<4>(reader, FILE_HEADER_BYTES + 28)?.map(i32::from_le_bytes);
    let both = across.zip(down);
    Ok(both.and_then(|(across, down)| Density::new(across.into(), down.into())))
}

/// Reads profile and resolution.
///
/// # Errors
///
/// Those of the reader.
pub(super) fn metadata(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Blocks> {
    Ok(Blocks {
        icc: embedded_profile(reader, limits)?,
        density: density(reader)?,
        ..Blocks::default()
    })
}

/// A BMP whose headers have been parsed.
#[derive(Debug)]
struct Bmp {
    reader: Arc<dyn RangeReader>,
    header: Arc<Header>,
    facts: Facts,
    colour: Colour,
}

impl Picture for Bmp {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        if self.header.coding == Coding::Runs {
            let dimensions = self.facts.pyramid.dimensions();
            return whole::price(dimensions, self.facts.pixel, SCRATCH_BYTES, window);
        }
        Price {
            pixels: window.dimensions().area(),
            bytes: whole::strips_bytes(window, self.facts.pixel) + SCRATCH_BYTES,
        }
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        whole::check_window(level, window, self.facts.pyramid.dimensions())?;
        let rows: Box<dyn Rows> = if self.header.coding == Coding::Runs {
            let (reader, header) = (Arc::clone(&self.reader), Arc::clone(&self.header));
            let token = cancel.clone();
            let decode = move || runs::decode(&reader, &header, &token);
            Box::new(WholeRows::new(window, self.facts.pixel, cancel, decode))
        } else {
            Box::new(PlainRows::new(&self.reader, &self.header, window, cancel))
        };
        Ok(self.colour.apply(rows))
    }
}
