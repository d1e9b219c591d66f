//! Rows → WebP: lossy where the build can, exact where it is asked for or where it cannot.
//!
//! The format has no rows: the picture is gathered first.
//!
//! Source: RFC 9649.

use std::io::Write;

use image_webp::{ColorType, EncodingError, WebPEncoder};

use crate::cancel::Cancel;
use crate::encoding::WebpSettings;
use crate::error::{Error, Result};
use crate::raster::{Channels, Rows};

use super::super::Attached;
use super::super::sink::{self, Bound, EightBit};
use super::{container, lossy};

/// Longest side that a VP8 or VP8L frame header can say: 14 bits, and libwebp stops one short.
const MAX_SIDE_PX: u32 = 16_383;

/// Writes `rows` to `sink`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::BadRequest`] about the format for a side of more than 16,383 pixels;
/// those of `rows` and `cancel`; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub(in crate::codec) fn encode(
    rows: &mut dyn Rows,
    settings: WebpSettings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let bound = Bound {
        format: "WebP",
        max_side_px: MAX_SIDE_PX,
        max_area_px: u64::MAX,
    };
    let picture = EightBit::gather(rows, bound, cancel)?;
    if !container::is_needed(attached) {
        return write(picture, settings, sink);
    }
    let canvas = (picture.dimensions, picture.channels.has_alpha());
    let mut file = Vec::new();
    write(picture, settings, &mut file)?;
    let file = container::with(&file, canvas, attached)
        .ok_or_else(|| Error::internal("opening a WebP that has just been written"))?;
    sink.write_all(&file).map_err(sink::refused)
}

fn write(picture: EightBit, settings: WebpSettings, sink: &mut dyn Write) -> Result<()> {
    if settings.lossless {
        lossless(&picture, sink)
    } else {
        lossy::encode(picture, settings, sink)
    }
}

/// Writes exact pixels.
pub(super) fn lossless(picture: &EightBit, sink: &mut dyn Write) -> Result<()> {
    let colour = match picture.channels {
        Channels::Gray => ColorType::L8,
        Channels::GrayAlpha => ColorType::La8,
        Channels::Rgb => ColorType::Rgb8,
        Channels::Rgba => ColorType::Rgba8,
    };
    let (width, height) = (picture.dimensions.width, picture.dimensions.height);
    WebPEncoder::new(sink)
        .encode(&picture.samples, width, height, colour)
        .map_err(failed)
}

fn failed(cause: EncodingError) -> Error {
    let EncodingError::IoError(cause) = cause else {
        return Error::internal("writing a WebP").with_source(cause);
    };
    sink::refused(cause)
}
