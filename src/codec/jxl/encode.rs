//! Rows → JPEG XL, lossless, gray or RGB, 8 bits or, without opacity, 16, on the calling thread alone.
//!
//! The picture is gathered first. It is in sRGB, which the format takes for granted.
//!
//! Source: ISO/IEC 18181-1 (code stream), 18181-2 (the container, where there are metadata).

use std::io::Write;

use zune_core::bit_depth::BitDepth;
use zune_core::colorspace::ColorSpace;
use zune_core::options::EncoderOptions;
use zune_jpegxl::{JxlEncodeErrors, JxlSimpleEncoder};

use crate::cancel::Cancel;
use crate::encoding::JxlSettings;
use crate::error::{Error, Parameter, Result};
use crate::raster::{Channels, Rows, Samples, gather};

use super::super::Attached;
use super::super::sink::{self, Bound};
use super::super::written_box::append;

/// Longest side that the library writes.
const MAX_SIDE_PX: u32 = 1 << 30;

/// Shortest side that the library writes.
const MIN_SIDE_PX: u32 = 2;

/// Writes `rows` to `sink`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::BadRequest`] about the format for a picture that is too large or one pixel
/// wide or high; those of `rows` and `cancel`; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses
/// bytes.
pub(in crate::codec) fn encode(
    rows: &mut dyn Rows,
    settings: JxlSettings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let dimensions = rows.shape().dimensions;
    let bound = Bound {
        format: "JPEG XL",
        max_side_px: MAX_SIDE_PX,
        max_area_px: settings.max_area_px,
    };
    bound.check(dimensions)?;
    if dimensions.width.min(dimensions.height) < MIN_SIDE_PX {
        return Err(Error::bad_request(
            Parameter::Format,
            "a JPEG XL image has at least 2 pixels a side; ask for a larger size or another format",
        ));
    }
    let raster = gather(rows, cancel)?;
    cancel.check()?;
    let channels = raster.format().channels;
    let colours = match channels {
        Channels::Gray => ColorSpace::Luma,
        Channels::GrayAlpha => ColorSpace::LumaA,
        Channels::Rgb => ColorSpace::RGB,
        Channels::Rgba => ColorSpace::RGBA,
    };
    let (bytes, depth, colours) = match raster.into_samples() {
        Samples::U8(samples) => (samples, BitDepth::Eight, colours),
        // The library writes opacity of 16 bits wrongly.
        Samples::U16(samples) if channels.has_alpha() => {
            (narrowed(&samples), BitDepth::Eight, colours)
        }
        Samples::U16(samples) => (native(&samples), BitDepth::Sixteen, colours),
    };
    let (width, height) = (dimensions.width as usize, dimensions.height as usize);
    let options = EncoderOptions::new(width, height, colours, depth)
        .set_effort(settings.effort)
        .set_num_threads(1);
    let mut stream = Vec::new();
    JxlSimpleEncoder::new(&bytes, options)
        .encode(&mut stream)
        .map_err(|cause: JxlEncodeErrors| {
            Error::internal(format!("writing a JPEG XL ({cause:?})"))
        })?;
    cancel.check()?;
    sink.write_all(&contained(stream, attached))
        .map_err(sink::refused)
}

fn native(samples: &[u16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect()
}

/// `(v · 255 + 32767) / 65535` of each.
fn narrowed(samples: &[u16]) -> Vec<u8> {
    let eight = |sample: &u16| (u32::from(*sample) * 255 + 32_767) / 65_535;
    let samples = samples.iter().map(eight);
    samples
        .map(|value| u8::try_from(value).unwrap_or(u8::MAX))
        .collect()
}

/// The code stream, in a container where something goes with it.
fn contained(stream: Vec<u8>, attached: &Attached) -> Vec<u8> {
    if attached.exif.is_none() && attached.xmp.is_none() {
        return stream;
    }
    let mut file = Vec::with_capacity(stream.len() + 4096);
    append(&mut file, *b"JXL ", &[b"\r\n\x87\n"]);
    append(&mut file, *b"ftyp", &[b"jxl \0\0\0\0jxl "]);
    if let Some(exif) = &attached.exif {
        // Four bytes say where in the block its TIFF header is.
        append(&mut file, *b"Exif", &[&[0; 4], exif]);
    }
    if let Some(xmp) = &attached.xmp {
        append(&mut file, *b"xml ", &[xmp]);
    }
    append(&mut file, *b"jxlc", &[&stream]);
    file
}
