//! Scan lines in Rust alone: whole pictures, one level.
//!
//! The decoder holds the file and the picture, the encoder the picture; both are priced so. Pixels
//! may differ by a few steps from those of the native builds, and the decoder passes over more kinds
//! of damage: a lost restart interval, a scan that ends early before another marker.

use std::io;
use std::sync::Arc;

use jpeg_encoder::{ColorType, EncodingError, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::cancel::Cancel;
use crate::codec::sink::{self, Bound, EightBit};
use crate::codec::whole::{self, WholeRows};
use crate::codec::{DecodeLimits, Price};
use crate::encoding::{JpegSettings, Subsampling};
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Raster, Rows, Samples};

use super::super::MAX_SIDE_PX;
use super::super::header::{Header, Stored};
use super::{Part, Source};

/// There is no scaled decoding.
pub(in super::super) const DIVISORS: &[u32] = &[];

pub(in super::super) fn versions() -> &'static str {
    "zune-jpeg 0.5, jpeg-encoder 0.7"
}

pub(in super::super) fn decodes_arithmetic() -> bool {
    false
}

pub(in super::super) fn decodes_twelve_bits() -> bool {
    false
}

/// The file, the picture, the window's strips, and all coefficients of a stream of several scans.
pub(in super::super) fn held_bytes(header: &Header, part: &Part) -> u64 {
    let scratch = header.length.saturating_add(header.coefficient_bytes());
    whole::price(part.dimensions, part.format, scratch, part.window).bytes
}

/// What [`rows`] costs: the rows down to the window's last one, or all of a stream of several scans.
pub(in super::super) fn price(header: &Header, part: &Part, _index: &Index) -> Price {
    Price {
        pixels: part.pixels_from_top(header.multiple_scans),
        bytes: held_bytes(header, part),
    }
}

/// Nothing: the decoder takes whole pictures.
#[derive(Debug)]
pub(in super::super) struct Index;

impl Index {
    pub(in super::super) fn new(_max_metadata_bytes: u64) -> Self {
        Self
    }
}

/// Strips of `part`; the picture is decoded at the first pull.
pub(in super::super) fn rows(
    _header: &Header,
    part: Part,
    source: &Source,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Box<dyn Rows> {
    let limits = limits.clone();
    let reader = Arc::clone(&source.reader);
    let rows = WholeRows::new(part.window, part.format, cancel, move || {
        let bytes = reader.read_vec(0, reader.length())?;
        decode(&bytes, part, &limits)
    });
    Box::new(rows)
}

/// The first `expected.height` rows of a whole stream in memory, which is as wide as `expected`.
pub(in super::super) fn tile(
    bytes: &[u8],
    part: Part,
    expected: Dimensions,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Raster> {
    cancel.check()?;
    let raster = decode(bytes, part, limits)?;
    let length = raster.row_len() * expected.height as usize;
    let Samples::U8(mut samples) = raster.into_samples() else {
        return Err(Error::internal("decoding a JPEG to 16 bits"));
    };
    samples.truncate(length);
    Raster::from_u8(expected, part.stored.channels(), samples)
}

fn decode(bytes: &[u8], part: Part, limits: &DecodeLimits) -> Result<Raster> {
    check_end(bytes)?;
    let scans = usize::try_from(limits.max_scans).unwrap_or(usize::MAX);
    let options = DecoderOptions::new_safe()
        .set_strict_mode(true)
        .set_max_width(part.dimensions.width as usize)
        .set_max_height(part.dimensions.height as usize)
        .jpeg_set_max_scans(scans);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let input = decoder.input_colorspace().unwrap_or(ColorSpace::Unknown);
    decoder.set_options(options.jpeg_set_out_colorspace(output_of(input, part.stored)?));
    let mut samples = decoder.decode().map_err(damaged)?;
    if part.stored == Stored::Ycck {
        samples.as_chunks_mut::<4>().0.iter_mut().for_each(as_inks);
    }
    Raster::from_u8(part.dimensions, part.stored.channels(), samples)
        .map_err(|cause| Error::corrupt("its markers contradict each other").with_source(cause))
}

/// The decoder fills what is missing; a stream whose last scan has no end marker behind it is
/// refused before that. In coded data neither marker stands (ITU-T T.81 B.1.1.5).
fn check_end(bytes: &[u8]) -> Result<()> {
    let last_scan = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]);
    let coded = last_scan.and_then(|at| bytes.get(at..));
    let ends = coded.is_some_and(|coded| coded.windows(2).any(|pair| pair == [0xff, 0xd9]));
    if ends {
        return Ok(());
    }
    Err(Error::corrupt("the file ends before its end marker"))
}

/// What to ask of a decoder that takes the components as `input`, so that they count as `stored`.
fn output_of(input: ColorSpace, stored: Stored) -> Result<ColorSpace> {
    match stored {
        Stored::Gray => Ok(ColorSpace::Luma),
        Stored::YCbCr if input == ColorSpace::YCbCr => Ok(ColorSpace::RGB),
        // Unconverted components, by whatever name the decoder has for them.
        Stored::Rgb | Stored::Cmyk | Stored::Ycck | Stored::Pair | Stored::Four => Ok(input),
        Stored::YCbCr => Err(Error::unsupported("its markers disagree about its colours")),
    }
}

/// Luma and colour differences of inks as inks; black stays.
///
/// Source: JFIF 1.02, "Conversion to and from RGB"; inks are what is missing to white, as in libjpeg.
fn as_inks(pixel: &mut [u8; 4]) {
    let [luma, blue, red, _] = pixel.map(f32::from);
    let (blue, red) = (blue - 128.0, red - 128.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast cuts to the range"
    )]
    let level = |value: f32| 255 - (value + 0.5) as u8;
    let [cyan, magenta, yellow] = [
        luma + 1.402 * red,
        luma - 0.344_136 * blue - 0.714_136 * red,
        luma + 1.772 * blue,
    ]
    .map(level);
    *pixel = [cyan, magenta, yellow, pixel[3]];
}

fn damaged(cause: impl std::fmt::Display) -> Error {
    Error::corrupt("its compressed data are damaged or end early").with_source(cause.to_string())
}

pub(in super::super) fn encode(
    rows: &mut dyn Rows,
    settings: JpegSettings,
    cancel: &Cancel,
    sink: &mut dyn io::Write,
) -> Result<()> {
    let bound = Bound {
        format: "JPEG",
        max_side_px: MAX_SIDE_PX,
        max_area_px: u64::MAX,
    };
    let picture = EightBit::gather(rows, bound, cancel)?;
    let side = |pixels: u32| {
        u16::try_from(pixels).map_err(|cause| Error::internal("sizing a JPEG").with_source(cause))
    };
    let (width, height) = (
        side(picture.dimensions.width)?,
        side(picture.dimensions.height)?,
    );
    let mut encoder = jpeg_encoder::Encoder::new(sink, settings.quality);
    encoder.set_progressive(settings.progressive);
    encoder.set_sampling_factor(match settings.subsampling {
        Subsampling::S420 => SamplingFactor::F_2_2,
        Subsampling::S422 => SamplingFactor::F_2_1,
        Subsampling::S444 => SamplingFactor::F_1_1,
    });
    let colour = if picture.channels.is_gray() {
        ColorType::Luma
    } else {
        ColorType::Rgb
    };
    encoder
        .encode(&picture.samples, width, height, colour)
        .map_err(not_written)
}

fn not_written(cause: EncodingError) -> Error {
    match cause {
        EncodingError::IoError(cause) => sink::refused(cause),
        EncodingError::InvalidAppSegment(_)
        | EncodingError::AppSegmentTooLarge(_)
        | EncodingError::IccTooLarge(_)
        | EncodingError::BadImageData { .. }
        | EncodingError::ZeroImageDimensions { .. }
        | EncodingError::Write(_) => Error::internal("encoding a JPEG").with_source(cause),
    }
}
