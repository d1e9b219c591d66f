//! PNG masters → rows: every colour type and depth, palettes and transparent colours expanded.
//!
//! Plain files are decoded row by row: rows above the window are inflated and dropped, rows below it
//! are never touched. Interlaced files are decoded whole. Of an animation the default image counts.
//! An embedded ICC profile is applied, code points before it, and `gAMA` with `cHRM` in its place: together they
//! say what colours are. `gAMA` alone is not believed, as in every viewer's library: too many writers put 1.0 there
//! and meant nothing. An `eXIf` chunk is seen when it stands before the pixels, where encoders put it.
//!
//! Source: PNG, W3C Recommendation, third edition.

use std::sync::Arc;

use png::{BitDepth, ColorType, DecodeOptions, Decoder, DecodingError, Limits, Transformations};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{Channels, Depth, PixelFormat, Raster, Rows, Shape};
use crate::reader::RangeReader;

use super::super::open::dimensions_within;
use super::super::stream::{self, Stream, stream};
use super::super::whole::{self, WholeRows};
use super::super::{
    Colour, DecodeLimits, Facts, KeptSpace, MasterFormat, Picture, Price, Primaries, Stored, exif,
};
use super::passage;
use crate::iiif::Format;

/// The eight bytes that every PNG starts with.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Rows that are dropped between two looks at the token.
const ROWS_PER_CHECK: u32 = 64;

/// Rows that the library holds itself: two for the filters, one for its result.
const LIBRARY_ROWS: u64 = 3;

/// Window and look-ahead of inflating, with the read-ahead of the stream.
const LIBRARY_BYTES: u64 = 256 << 10;

/// Bytes of the largest pixel: four samples of 16 bits.
const MAX_PIXEL_BYTES: u64 = 8;

type Reader = png::Reader<Stream>;

/// Whether a file that starts with `head` is a PNG.
pub(in crate::codec) fn matches(head: &[u8]) -> bool {
    head.starts_with(SIGNATURE)
}

/// Parses the headers of a PNG.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`], [`ErrorKind::TooLarge`], and those of the reader.
pub(in crate::codec) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let (parsed, dimensions) = parse(&reader, limits)?;
    let pixel = pixel_format(&parsed);
    let interlaced = parsed.info().interlaced;
    if interlaced {
        whole::check_bytes(
            Shape {
                dimensions,
                format: pixel,
            }
            .bytes(),
            limits,
        )?;
    }
    let info = parsed.info();
    let colour = colour(info, pixel.channels, limits)?;
    let facts = Facts {
        description: describe(info),
        format: MasterFormat::Png,
        pyramid: whole::single_level(dimensions),
        orientation: orientation(info.exif_metadata.as_deref(), &reader, limits),
        pixel,
        bits: info.bit_depth as u8,
        colour: colour.name().to_owned(),
        pages: 1,
    };
    let still = colour.is_identity() && !info.is_animated();
    let whole = still.then(|| passage::whole(reader.length(), dimensions));
    Ok(Arc::new(Png {
        whole,
        reader,
        facts,
        colour,
        interlaced,
        limits: limits.clone(),
    }))
}

/// What the chunks say of colours: code points before a profile, a profile before sRGB, sRGB before
/// primaries.
///
/// Source: PNG, W3C Recommendation, third edition, 4.3.
fn colour(info: &png::Info<'_>, channels: Channels, limits: &DecodeLimits) -> Result<Colour> {
    let alpha = channels.has_alpha();
    if !channels.is_gray()
        && let Some(points) = info.coding_independent_code_points
        && let Some(colour) =
            Colour::of_code_points(points.color_primaries, points.transfer_function, alpha)
    {
        return Ok(colour);
    }
    let by_primaries = info.icc_profile.is_none() && info.srgb.is_none() && !channels.is_gray();
    if by_primaries
        && let (Some(places), Some(gamma)) = (info.chrm_chunk, info.gama_chunk)
        && let Some(colour) =
            Colour::of_primaries(&primaries(&places), 1.0 / gamma.into_value(), alpha)
    {
        return Ok(colour);
    }
    Colour::of_master(info.icc_profile.as_deref(), channels, limits)
}

fn primaries(places: &png::SourceChromaticities) -> Primaries {
    let place = |(x, y): (png::ScaledFloat, png::ScaledFloat)| [x.into_value(), y.into_value()];
    Primaries {
        white: place(places.white),
        colours: [places.red, places.green, places.blue].map(place),
    }
}

/// What EXIF says, else the XMP packet, which is looked for where it is needed alone.
fn orientation(
    block: Option<&[u8]>,
    reader: &Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Orientation {
    let packet = match block.and_then(exif::stated) {
        Some(_) => None,
        None => super::metadata(reader, limits)
            .ok()
            .and_then(|blocks| blocks.xmp),
    };
    exif::orientation(block, packet.as_deref())
}

/// Reads everything before the pixels.
fn parse(reader: &Arc<dyn RangeReader>, limits: &DecodeLimits) -> Result<(Reader, Dimensions)> {
    let mut options = DecodeOptions::default();
    options.set_ignore_adler32(false);
    options.set_ignore_text_chunk(true);
    let mut decoder = Decoder::new_with_options(stream(reader), options);
    decoder.set_transformations(Transformations::EXPAND);
    let info = decoder.read_header_info().map_err(failed)?;
    let dimensions = dimensions_within(info.width, info.height, limits)?;
    // The library's limit is for metadata and one row.
    let bytes = u64::from(dimensions.width) * MAX_PIXEL_BYTES + limits.max_metadata_bytes;
    decoder.set_limits(Limits {
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
    });
    let reader = decoder.read_info().map_err(failed)?;
    Ok((reader, dimensions))
}

fn pixel_format(reader: &Reader) -> PixelFormat {
    let (colour, depth) = reader.output_color_type();
    let channels = match colour {
        ColorType::Grayscale => Channels::Gray,
        ColorType::GrayscaleAlpha => Channels::GrayAlpha,
        ColorType::Rgb | ColorType::Indexed => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
    };
    let depth = match depth {
        BitDepth::Sixteen => Depth::Sixteen,
        BitDepth::One | BitDepth::Two | BitDepth::Four | BitDepth::Eight => Depth::Eight,
    };
    PixelFormat { channels, depth }
}

fn describe(info: &png::Info<'_>) -> String {
    let colour = match info.color_type {
        ColorType::Grayscale => "gray",
        ColorType::GrayscaleAlpha => "gray with alpha",
        ColorType::Rgb => "RGB",
        ColorType::Indexed => "palette",
        ColorType::Rgba => "RGBA",
    };
    let interlaced = if info.interlaced { ", interlaced" } else { "" };
    let animated = if info.is_animated() { ", animated" } else { "" };
    let bits = info.bit_depth as u8;
    format!("PNG, {bits} bit {colour}{interlaced}{animated}")
}

/// A PNG whose headers have been parsed.
#[derive(Debug)]
struct Png {
    reader: Arc<dyn RangeReader>,
    facts: Facts,
    colour: Colour,
    interlaced: bool,
    limits: DecodeLimits,
    /// The whole file as an answer, where it may be one.
    whole: Option<Stored>,
}

impl Png {
    fn dimensions(&self) -> Dimensions {
        self.facts.pyramid.dimensions()
    }
}

impl Picture for Png {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let (dimensions, format) = (self.dimensions(), self.facts.pixel);
        if self.interlaced {
            return whole::price(dimensions, format, LIBRARY_BYTES, window);
        }
        let row = u64::from(dimensions.width) * format.bytes_per_pixel() as u64;
        Price {
            pixels: u64::from(dimensions.width) * u64::from(window.bottom()),
            bytes: row * LIBRARY_ROWS + LIBRARY_BYTES + whole::strips_bytes(window, format),
        }
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        whole::check_window(level, window, self.dimensions())?;
        let (reader, dimensions) = parse(&self.reader, &self.limits)?;
        let format = self.facts.pixel;
        // A source that has changed under its reader must not bring rows of another shape.
        if pixel_format(&reader) != format || dimensions != self.dimensions() {
            return Err(Error::corrupt("its headers have changed"));
        }
        let rows: Box<dyn Rows> = if self.interlaced {
            Box::new(WholeRows::new(window, format, cancel, move || {
                decode_whole(reader, dimensions, format)
            }))
        } else {
            Box::new(StreamedRows {
                row: vec![0; dimensions.width as usize * format.bytes_per_pixel()],
                reader,
                image: dimensions,
                window,
                format,
                position: 0,
                cancel: cancel.clone(),
                ended: false,
            })
        };
        Ok(self.colour.apply(rows))
    }

    fn stored(&self, level: usize, window: Window, format: Format) -> Option<Stored> {
        let whole = level == 0 && window == self.dimensions().window();
        self.whole
            .clone()
            .filter(|_| whole && format == Format::Png)
    }
}

fn decode_whole(mut reader: Reader, dimensions: Dimensions, format: PixelFormat) -> Result<Raster> {
    let mut bytes = whole::reserve(Shape { dimensions, format })?;
    reader.next_frame(&mut bytes).map_err(failed)?;
    let samples = whole::samples_from_be(bytes, format);
    Raster::new(dimensions, format.channels, samples)
}

/// The window of a file without interlacing, decoded as it is pulled.
struct StreamedRows {
    reader: Reader,
    row: Vec<u8>,
    image: Dimensions,
    window: Window,
    format: PixelFormat,
    /// The next row of the image.
    position: u32,
    cancel: Cancel,
    ended: bool,
}

impl StreamedRows {
    fn skip_to_window(&mut self) -> Result<()> {
        while self.position < self.window.y {
            if self.position.is_multiple_of(ROWS_PER_CHECK) {
                self.cancel.check()?;
            }
            self.next_row()?;
        }
        Ok(())
    }

    /// Decodes the next row into `self.row`.
    fn next_row(&mut self) -> Result<()> {
        self.position += 1;
        match self.reader.read_row(&mut self.row).map_err(failed)? {
            Some(_) => Ok(()),
            None => Err(Error::corrupt("it has fewer rows than its headers say")),
        }
    }

    fn pull(&mut self) -> Result<Option<Raster>> {
        self.cancel.check()?;
        self.skip_to_window()?;
        let left = self.window.bottom() - self.position;
        let height = whole::strip_height(self.shape()).min(left);
        let Some(dimensions) = Dimensions::new(self.window.width, height) else {
            return Ok(None);
        };
        let pixel = self.format.bytes_per_pixel();
        let (start, length) = (
            self.window.x as usize * pixel,
            dimensions.width as usize * pixel,
        );
        let mut bytes = Vec::with_capacity(length * height as usize);
        for _ in 0..height {
            self.next_row()?;
            bytes.extend_from_slice(self.row.get(start..start + length).unwrap_or_default());
        }
        if self.position == self.image.height {
            self.check_end()?;
        }
        let samples = whole::samples_from_be(bytes, self.format);
        Raster::new(dimensions, self.format.channels, samples).map(Some)
    }

    /// Reads what follows the last row: the checksum of all rows.
    fn check_end(&mut self) -> Result<()> {
        match self.reader.read_row(&mut self.row).map_err(failed)? {
            None => Ok(()),
            Some(_) => Err(Error::corrupt("it has more rows than its headers say")),
        }
    }
}

impl Rows for StreamedRows {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: self.window.dimensions(),
            format: self.format,
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.ended {
            return Ok(None);
        }
        let strip = self.pull();
        self.ended = !matches!(strip, Ok(Some(_)));
        strip
    }
}

pub(super) fn failed(cause: DecodingError) -> Error {
    match cause {
        DecodingError::IoError(cause) => stream::error(cause),
        DecodingError::LimitsExceeded => Error::new(
            ErrorKind::TooLarge,
            "the source image's rows or metadata are larger than the limits allow",
        ),
        cause @ (DecodingError::Format(_) | DecodingError::Parameter(_)) => {
            Error::corrupt("its PNG data are damaged").with_source(cause)
        }
    }
}
