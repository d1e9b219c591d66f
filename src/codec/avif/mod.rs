//! Rows → AVIF, lossy, 4:4:4, coded with 10 bits on the calling thread alone.
//!
//! The format has no rows: the picture is gathered first. Encoding cannot be stopped on the way, which
//! is why its area is bounded. The file around the codes is our own, for it holds metadata and profiles.
//!
//! Source: AV1 Image File Format 1.1.0; the picture is in sRGB (H.273 1, 13, 6, full range).

mod container;

use std::io::Write;

use ravif::{AlphaColorMode, BitDepth, Encoder, Img, RGB8, RGBA8};

use crate::cancel::Cancel;
use crate::encoding::AvifSettings;
use crate::error::{Error, Result};
use crate::raster::Rows;

use super::Attached;
use super::sink::{self, Bound, EightBit};
use container::Planes;

/// Longest side that the sequence header can say: 16 bits.
const MAX_SIDE_PX: u32 = 65_535;

/// Writes `rows` to `sink`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::BadRequest`] about the format for a picture that is too large; those of
/// `rows` and `cancel`; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub(super) fn encode(
    rows: &mut dyn Rows,
    settings: AvifSettings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let bound = Bound {
        format: "AVIF",
        max_side_px: MAX_SIDE_PX,
        max_area_px: settings.max_area_px,
    };
    let picture = EightBit::gather(rows, bound, cancel)?;
    let quality = f32::from(settings.quality.clamp(1, 100));
    let encoder = Encoder::new()
        .with_quality(quality)
        .with_alpha_quality(quality)
        .with_speed(settings.speed.clamp(1, 10))
        .with_bit_depth(BitDepth::Ten)
        .with_alpha_color_mode(AlphaColorMode::UnassociatedClean)
        .with_num_threads(Some(1));
    let width = picture.dimensions.width as usize;
    let height = picture.dimensions.height as usize;
    let written = if picture.channels.has_alpha() {
        let pixels = with_opacity(&picture);
        encoder.encode_rgba(Img::new(pixels.as_slice(), width, height))
    } else {
        let pixels = opaque(&picture);
        encoder.encode_rgb(Img::new(pixels.as_slice(), width, height))
    };
    let written = written.map_err(|cause| Error::internal("writing an AVIF").with_source(cause))?;
    cancel.check()?;
    let bytes = written.avif_file.as_slice();
    // The codes stand at the end: opacity, colours.
    let (rest, colour) = tail(bytes, written.color_byte_size)?;
    let (_, opacity) = tail(rest, written.alpha_byte_size)?;
    let planes = Planes {
        dimensions: picture.dimensions,
        colour,
        opacity: (!opacity.is_empty()).then_some(opacity),
    };
    let file = container::file(planes, attached);
    sink.write_all(&file).map_err(sink::refused)
}

/// The last `length` bytes, with what stands before them.
fn tail(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8])> {
    let start = bytes.len().checked_sub(length);
    start
        .and_then(|start| bytes.split_at_checked(start))
        .ok_or_else(|| Error::internal("writing an AVIF whose codes are longer than its file"))
}

fn opaque(picture: &EightBit) -> Vec<RGB8> {
    let pixels = picture.samples.chunks_exact(picture.channels.count());
    pixels
        .map(|pixel| match *pixel {
            [red, green, blue] => RGB8::new(red, green, blue),
            [gray, ..] => RGB8::new(gray, gray, gray),
            [] => RGB8::new(0, 0, 0),
        })
        .collect()
}

fn with_opacity(picture: &EightBit) -> Vec<RGBA8> {
    let pixels = picture.samples.chunks_exact(picture.channels.count());
    pixels
        .map(|pixel| match *pixel {
            [red, green, blue, opacity] => RGBA8::new(red, green, blue, opacity),
            [gray, opacity] => RGBA8::new(gray, gray, gray, opacity),
            _ => RGBA8::new(0, 0, 0, 0),
        })
        .collect()
}
