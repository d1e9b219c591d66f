//! Rows → PNG, strip by strip: gray or RGB, with or without opacity, 8 or 16 bits.
//!
//! Nothing but the current strip and the deflate window is held. The picture is in sRGB; it carries a
//! profile where one is attached.
//!
//! Source: PNG, W3C Recommendation, third edition.

use std::borrow::Cow;
use std::io::Write;

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Info, PixelDimensions, Unit};

use crate::cancel::Cancel;
use crate::encoding::{PngCompression, PngSettings};
use crate::error::{Error, Result};
use crate::raster::{Channels, Depth, Rows, Samples};

use super::super::{Attached, sink};
use super::metadata::XMP_KEYWORD;
use super::raw_profile::{self, IPTC_KEYWORD};

/// Writes `rows` to `sink`.
///
/// # Errors
///
/// Those of `rows` and `cancel`; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub(in crate::codec) fn encode(
    rows: &mut dyn Rows,
    settings: PngSettings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let shape = rows.shape();
    let (width, height) = (shape.dimensions.width, shape.dimensions.height);
    let info = described(Info::with_size(width, height), attached);
    let mut encoder = Encoder::with_info(sink, info).map_err(failed)?;
    if let Some(packet) = attached.xmp.as_deref().map(std::str::from_utf8)
        && let Ok(packet) = packet
    {
        let (keyword, packet) = (XMP_KEYWORD.to_owned(), packet.to_owned());
        encoder.add_itxt_chunk(keyword, packet).map_err(failed)?;
    }
    if let Some(records) = &attached.iptc {
        let (keyword, text) = (IPTC_KEYWORD.to_owned(), raw_profile::written(records));
        encoder.add_text_chunk(keyword, text).map_err(failed)?;
    }
    encoder.set_color(match shape.format.channels {
        Channels::Gray => ColorType::Grayscale,
        Channels::GrayAlpha => ColorType::GrayscaleAlpha,
        Channels::Rgb => ColorType::Rgb,
        Channels::Rgba => ColorType::Rgba,
    });
    encoder.set_depth(match shape.format.depth {
        Depth::Eight => BitDepth::Eight,
        Depth::Sixteen => BitDepth::Sixteen,
    });
    encoder.set_compression(match settings.compression {
        PngCompression::Fast => Compression::Fast,
        PngCompression::Balanced => Compression::Balanced,
        PngCompression::High => Compression::High,
    });
    let mut header = encoder.write_header().map_err(failed)?;
    let mut body = header.stream_writer().map_err(failed)?;
    while let Some(strip) = rows.next_strip()? {
        cancel.check()?;
        match strip.samples() {
            Samples::U8(samples) => body.write_all(samples),
            Samples::U16(samples) => body.write_all(&big_endian(samples)),
        }
        .map_err(sink::refused)?;
    }
    body.finish().map_err(failed)?;
    header.finish().map_err(failed)
}

/// With profile, EXIF and resolution.
fn described<'a>(mut info: Info<'a>, attached: &'a Attached) -> Info<'a> {
    info.icc_profile = attached.icc.as_deref().map(Cow::Borrowed);
    info.exif_metadata = attached.exif.as_deref().map(Cow::Borrowed);
    info.pixel_dims = attached.density.map(|density| PixelDimensions {
        xppu: whole(density.across),
        yppu: whole(density.down),
        unit: Unit::Meter,
    });
    info
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a density is above 0 and fits 32 bits"
)]
fn whole(density: f64) -> u32 {
    density.round().max(1.0) as u32
}

fn big_endian(samples: &[u16]) -> Vec<u8> {
    samples.iter().flat_map(|v| v.to_be_bytes()).collect()
}

fn failed(cause: EncodingError) -> Error {
    match cause {
        EncodingError::IoError(cause) => sink::refused(cause),
        cause @ (EncodingError::Format(_)
        | EncodingError::Parameter(_)
        | EncodingError::LimitsExceeded) => Error::internal("writing a PNG").with_source(cause),
    }
}
