//! BMP masters → rows: 1 to 32 bits, palettes and run lengths expanded, either way up.
//!
//! Opacity is there where the header has a mask for it. A profile embedded in a version 5 header is
//! applied. A picture is decoded whole.
//!
//! Source: Microsoft, "Bitmap Header Types" (`BITMAPCOREHEADER` to `BITMAPV5HEADER`).

use std::sync::Arc;

use image::codecs::bmp::BmpDecoder;
use image::error::{ImageError, LimitErrorKind};
use image::{ColorType, ImageDecoder as _};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{Channels, PixelFormat, Raster, Rows, Shape};
use crate::reader::RangeReader;

use super::metadata::Blocks;
use super::open::dimensions_within;
use super::stream::{self, Stream, peek, stream};
use super::whole::{self, WholeRows};
use super::{Colour, DecodeLimits, Density, Facts, MasterFormat, Picture, Price};

/// Bytes before the bitmap header.
const FILE_HEADER_BYTES: u64 = 14;

/// Length of a `BITMAPCOREHEADER`, whose fields are shorter.
const CORE_HEADER_BYTES: u32 = 12;

/// Length of a `BITMAPINFOHEADER`, the first one with a resolution.
const INFO_HEADER_BYTES: u32 = 40;

/// Length of a `BITMAPV5HEADER`, the only one with a place for a profile.
const V5_HEADER_BYTES: u32 = 124;

/// `bV5CSType` of an embedded profile: `MBED`, as it stands in the file.
const EMBEDDED: [u8; 4] = *b"DEBM";

/// Scan lines and palette that the decoder holds beside its result.
const SCRATCH_BYTES: u64 = 256 << 10;

/// Whether a file that starts with `head` is a BMP: the magic, and a header of a known length.
pub(super) fn matches(head: &[u8]) -> bool {
    head.starts_with(b"BM")
        && matches!(
            head.get(14..18),
            Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])
        )
}

/// Parses the headers of a BMP.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`], [`ErrorKind::NotImplemented`], [`ErrorKind::TooLarge`], and those of the
/// reader.
pub(super) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let decoder = BmpDecoder::new(stream(&reader)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let dimensions = dimensions_within(width, height, limits)?;
    let pixel = pixel_format(&decoder)?;
    let price = whole::price(dimensions, pixel, SCRATCH_BYTES, dimensions.window());
    whole::check_bytes(price.bytes, limits)?;
    let profile = embedded_profile(reader.as_ref(), limits)?;
    let colour = Colour::of_master(profile.as_deref(), pixel.channels, limits)?;
    let facts = Facts {
        description: describe(reader.as_ref())?,
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
        facts,
        colour,
    }))
}

fn pixel_format(decoder: &BmpDecoder<Stream>) -> Result<PixelFormat> {
    let colour = decoder.color_type();
    if colour == ColorType::Rgba8 {
        Ok(PixelFormat::eight(Channels::Rgba))
    } else if colour == ColorType::Rgb8 {
        Ok(PixelFormat::eight(Channels::Rgb))
    } else {
        Err(Error::unsupported("its BMP layout is unknown"))
    }
}

/// Bits of a pixel and compression, from the header.
fn describe(reader: &dyn RangeReader) -> Result<String> {
    let size = peek(reader, FILE_HEADER_BYTES)?.map(u32::from_le_bytes);
    if size == Some(CORE_HEADER_BYTES) {
        let bits = peek(reader, FILE_HEADER_BYTES + 10)?.map_or(0, u16::from_le_bytes);
        return Ok(format!("BMP, {bits} bit a pixel"));
    }
    let bits = peek(reader, FILE_HEADER_BYTES + 14)?.map_or(0, u16::from_le_bytes);
    let compression = peek(reader, FILE_HEADER_BYTES + 16)?.map(u32::from_le_bytes);
    let runs = if matches!(compression, Some(1 | 2)) {
        ", run lengths"
    } else {
        ""
    };
    Ok(format!("BMP, {bits} bit a pixel{runs}"))
}

/// The profile of a version 5 header; `None` where there is none or where it lies outside the file.
fn embedded_profile(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Option<Vec<u8>>> {
    let size = peek(reader, FILE_HEADER_BYTES)?.map(u32::from_le_bytes);
    let kind = peek(reader, FILE_HEADER_BYTES + 56)?;
    if size != Some(V5_HEADER_BYTES) || kind != Some(EMBEDDED) {
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
    if length.is_none_or(|length| length < INFO_HEADER_BYTES) {
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
    facts: Facts,
    colour: Colour,
}

impl Picture for Bmp {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let dimensions = self.facts.pyramid.dimensions();
        whole::price(dimensions, self.facts.pixel, SCRATCH_BYTES, window)
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        let dimensions = self.facts.pyramid.dimensions();
        whole::check_window(level, window, dimensions)?;
        let (reader, format) = (Arc::clone(&self.reader), self.facts.pixel);
        let rows = WholeRows::new(window, format, cancel, move || {
            decode_whole(&reader, dimensions, format)
        });
        Ok(self.colour.apply(Box::new(rows)))
    }
}

fn decode_whole(
    reader: &Arc<dyn RangeReader>,
    dimensions: Dimensions,
    format: PixelFormat,
) -> Result<Raster> {
    let decoder = BmpDecoder::new(stream(reader)).map_err(failed)?;
    if decoder.dimensions() != (dimensions.width, dimensions.height)
        || pixel_format(&decoder)? != format
    {
        return Err(Error::corrupt("its headers have changed"));
    }
    let mut samples = whole::reserve(Shape { dimensions, format })?;
    decoder.read_image(&mut samples).map_err(failed)?;
    Raster::from_u8(dimensions, format.channels, samples)
}

fn failed(cause: ImageError) -> Error {
    match cause {
        ImageError::IoError(cause) => stream::error(cause),
        ImageError::Unsupported(cause) => {
            Error::unsupported("its BMP layout is unknown").with_source(cause)
        }
        ImageError::Limits(cause) if cause.kind() == LimitErrorKind::DimensionError => Error::new(
            ErrorKind::TooLarge,
            "the source image is larger than the limits allow",
        )
        .with_source(cause),
        cause @ (ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::Limits(_)) => Error::corrupt("its BMP data are damaged").with_source(cause),
    }
}
