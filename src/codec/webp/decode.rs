//! WebP masters → rows: lossy, lossless, with opacity; of an animation the first frame.
//!
//! The format has no random access: a picture is decoded whole. ICC profiles are applied, the EXIF
//! orientation is told.
//!
//! Source: RFC 9649.

use std::sync::Arc;

use image_webp::{DecodingError, WebPDecoder};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Window};
use crate::raster::{Channels, PixelFormat, Raster, Rows, Shape};
use crate::reader::RangeReader;

use super::super::open::dimensions_within;
use super::super::stream::{self, Stream, stream};
use super::super::whole::{self, WholeRows};
use super::super::{
    Colour, DecodeLimits, Facts, KeptSpace, MasterFormat, Picture, Price, Stored, exif,
};
use super::passage;
use crate::iiif::Format;

/// Bytes a pixel that the decoder holds beside its result: planes or ARGB, and an animation's canvas.
const SCRATCH_PER_PIXEL: u64 = 8;

/// Whether a file that starts with `head` is a WebP.
pub(in crate::codec) fn matches(head: &[u8]) -> bool {
    head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP")
}

/// Parses the headers of a WebP.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`], [`ErrorKind::TooLarge`], and those of the reader.
pub(in crate::codec) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let mut decoder = WebPDecoder::new(stream(&reader)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let dimensions = dimensions_within(width, height, limits)?;
    let pixel = pixel_format(&decoder);
    let price = whole::price(dimensions, pixel, scratch(dimensions), dimensions.window());
    whole::check_bytes(price.bytes, limits)?;
    decoder.set_memory_limit(usize::try_from(limits.max_metadata_bytes).unwrap_or(usize::MAX));
    let profile = readable(decoder.icc_profile())?;
    let colour = Colour::of_master(profile.as_deref(), pixel.channels, limits)?;
    let block = readable(decoder.exif_metadata())?;
    let packet = readable(decoder.xmp_metadata())?;
    let orientation = exif::orientation(block.as_deref(), packet.as_deref());
    let facts = Facts {
        description: describe(&mut decoder),
        format: MasterFormat::Webp,
        pyramid: whole::single_level(dimensions),
        orientation,
        pixel,
        bits: 8,
        colour: colour.name().to_owned(),
        pages: 1,
    };
    let alpha = pixel.channels.has_alpha();
    let whole = passage::whole(reader.as_ref(), dimensions, alpha)?;
    Ok(Arc::new(Webp {
        whole: whole.filter(|_| colour.is_identity()),
        reader,
        facts,
        colour,
        max_bytes: limits.max_bytes,
    }))
}

fn pixel_format(decoder: &WebPDecoder<Stream>) -> PixelFormat {
    PixelFormat::eight(if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    })
}

fn describe(decoder: &mut WebPDecoder<Stream>) -> String {
    let kind = if decoder.is_lossy() {
        "lossy"
    } else {
        "lossless"
    };
    let alpha = if decoder.has_alpha() {
        ", with alpha"
    } else {
        ""
    };
    let animated = if decoder.is_animated() {
        ", animated"
    } else {
        ""
    };
    format!("WebP, {kind}{alpha}{animated}")
}

fn scratch(dimensions: Dimensions) -> u64 {
    dimensions.area() * SCRATCH_PER_PIXEL
}

/// A WebP whose headers have been parsed.
#[derive(Debug)]
struct Webp {
    reader: Arc<dyn RangeReader>,
    facts: Facts,
    colour: Colour,
    max_bytes: u64,
    /// The whole file as an answer, where it is one.
    whole: Option<Stored>,
}

impl Picture for Webp {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let dimensions = self.facts.pyramid.dimensions();
        whole::price(dimensions, self.facts.pixel, scratch(dimensions), window)
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        let dimensions = self.facts.pyramid.dimensions();
        whole::check_window(level, window, dimensions)?;
        let (reader, format, max_bytes) =
            (Arc::clone(&self.reader), self.facts.pixel, self.max_bytes);
        let rows = WholeRows::new(window, format, cancel, move || {
            decode_whole(&reader, dimensions, format, max_bytes)
        });
        Ok(self.colour.apply(Box::new(rows)))
    }

    fn stored(&self, level: usize, window: Window, format: Format) -> Option<Stored> {
        let whole = level == 0 && window == self.facts.pyramid.dimensions().window();
        self.whole
            .clone()
            .filter(|_| whole && format == Format::Webp)
    }
}

fn decode_whole(
    reader: &Arc<dyn RangeReader>,
    dimensions: Dimensions,
    format: PixelFormat,
    max_bytes: u64,
) -> Result<Raster> {
    let mut decoder = WebPDecoder::new(stream(reader)).map_err(failed)?;
    decoder.set_memory_limit(usize::try_from(max_bytes).unwrap_or(usize::MAX));
    let mut samples = whole::reserve(Shape { dimensions, format })?;
    decoder.read_image(&mut samples).map_err(failed)?;
    Raster::from_u8(dimensions, format.channels, samples)
}

/// Decodes a whole WebP inside another format: pixels of `expected` and `channels`, RGB with or without
/// opacity. What the file around it does not have room for is dropped; opacity that is not there is full.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] for damaged bytes and other dimensions, [`ErrorKind::TooLarge`] beyond `limits`.
pub(in crate::codec) fn decode_tile(
    bytes: &[u8],
    expected: Dimensions,
    channels: Channels,
    limits: &DecodeLimits,
) -> Result<Raster> {
    let mut decoder = WebPDecoder::new(std::io::Cursor::new(bytes)).map_err(failed)?;
    if decoder.dimensions() != (expected.width, expected.height) {
        return Err(Error::corrupt("a WebP tile is not what its directory says"));
    }
    let own = if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    decoder.set_memory_limit(usize::try_from(limits.max_bytes).unwrap_or(usize::MAX));
    let mut samples = whole::reserve(Shape {
        dimensions: expected,
        format: PixelFormat::eight(own),
    })?;
    decoder.read_image(&mut samples).map_err(failed)?;
    let samples = match (own, channels) {
        (Channels::Rgba, Channels::Rgb) => {
            let (pixels, _) = samples.as_chunks::<4>();
            pixels
                .iter()
                .flat_map(|[r, g, b, _]| [*r, *g, *b])
                .collect()
        }
        (Channels::Rgb, Channels::Rgba) => {
            let (pixels, _) = samples.as_chunks::<3>();
            pixels
                .iter()
                .flat_map(|[r, g, b]| [*r, *g, *b, u8::MAX])
                .collect()
        }
        _ => samples,
    };
    Raster::from_u8(expected, channels, samples)
}

/// Metadata, or nothing where they are damaged or beyond their limit: only the source's own errors
/// fail an image because of them.
pub(super) fn readable(
    metadata: Result<Option<Vec<u8>>, DecodingError>,
) -> Result<Option<Vec<u8>>> {
    match metadata {
        Ok(block) => Ok(block),
        Err(DecodingError::IoError(cause)) => match stream::error(cause) {
            damage if damage.kind() == ErrorKind::Corrupt => Ok(None),
            other => Err(other),
        },
        Err(_) => Ok(None),
    }
}

pub(super) fn failed(cause: DecodingError) -> Error {
    if let DecodingError::IoError(cause) = cause {
        return stream::error(cause);
    }
    if matches!(cause, DecodingError::MemoryLimitExceeded) {
        let words = "the source image needs more memory than the limits allow";
        return Error::new(ErrorKind::TooLarge, words).with_source(cause);
    }
    Error::corrupt("its WebP data are damaged").with_source(cause)
}
