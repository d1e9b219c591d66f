//! Rows → GIF of one frame, in 256 colours.
//!
//! The palette is made from the whole picture, so it is gathered first.
//!
//! Source: Graphics Interchange Format, version 89a, 1990; ICC.1:2022 B.5 for the profile; Adobe's XMP,
//! part 3, 1.1.2.

use std::borrow::Cow;
use std::io::Write;

use gif::{AnyExtension, Encoder, EncodingError, Extension, Frame};

use crate::cancel::Cancel;
use crate::encoding::GifSettings;
use crate::error::{Error, Result};
use crate::raster::Rows;

use super::super::Attached;
use super::super::sink::{self, Bound, EightBit};
use super::palette::Indexed;

/// Longest side of a logical screen: 16 bits.
const MAX_SIDE_PX: u32 = 65_535;

/// The application and the code of the extension that holds a profile.
const ICC_NAME: &[u8] = b"ICCRGBG1012";

/// The same for an XMP packet.
const XMP_NAME: &[u8] = b"XMP DataXMP";

/// Writes `rows` to `sink`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::BadRequest`] about the format for a side of more than 65,535 pixels;
/// those of `rows` and `cancel`; [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub(in crate::codec) fn encode(
    rows: &mut dyn Rows,
    settings: GifSettings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let bound = Bound {
        format: "GIF",
        max_side_px: MAX_SIDE_PX,
        max_area_px: u64::MAX,
    };
    let picture = EightBit::gather(rows, bound, cancel)?;
    let indexed = Indexed::new(&picture, settings.dither, cancel)?;
    let side = |pixels: u32| u16::try_from(pixels).expect("sides have been checked");
    let (width, height) = (
        side(picture.dimensions.width),
        side(picture.dimensions.height),
    );
    let mut encoder = Encoder::new(sink, width, height, &indexed.palette).map_err(failed)?;
    if let Some(icc) = &attached.icc {
        let application = AnyExtension(Extension::Application as u8);
        encoder
            .write_raw_extension(application, &[ICC_NAME, icc])
            .map_err(failed)?;
    }
    if let Some(xmp) = &attached.xmp {
        let written = packet(encoder.get_mut(), xmp);
        written.map_err(sink::refused)?;
    }
    let frame = Frame {
        width,
        height,
        transparent: indexed.transparent,
        buffer: Cow::Owned(indexed.indices),
        ..Frame::default()
    };
    cancel.check()?;
    encoder.write_frame(&frame).map_err(failed)?;
    let sink = encoder.into_inner().map_err(failed)?;
    sink.flush().map_err(sink::refused)
}

/// Writes an XMP packet. It is not cut into pieces; readers that take it for some are led to its end by what
/// stands behind it.
fn packet(sink: &mut dyn Write, packet: &[u8]) -> std::io::Result<()> {
    sink.write_all(&[0x21, 0xff, 11])?;
    sink.write_all(XMP_NAME)?;
    sink.write_all(packet)?;
    let trailer: Vec<u8> = [1].into_iter().chain((0..=255).rev()).chain([0]).collect();
    sink.write_all(&trailer)
}

fn failed(cause: EncodingError) -> Error {
    let EncodingError::Io(cause) = cause else {
        return Error::internal("writing a GIF").with_source(cause);
    };
    sink::refused(cause)
}
