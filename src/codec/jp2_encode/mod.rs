//! Rows → JP2: a code stream of OpenJPEG's in boxes of our own.
//!
//! The picture is gathered first. It is in sRGB or gray with sRGB's curve, unless a profile is attached;
//! opacity is straight. Encoding cannot be stopped on the way, which is why its area is bounded.
//!
//! Source: ISO/IEC 15444-1, annex I for the boxes.

mod boxes;
#[cfg(not(feature = "jp2-encode"))]
mod disabled;
#[cfg(feature = "jp2-encode")]
mod enabled;

use std::io::Write;

#[cfg(not(feature = "jp2-encode"))]
use disabled as coder;
#[cfg(feature = "jp2-encode")]
use enabled as coder;

use crate::cancel::Cancel;
use crate::encoding::Jp2Settings;
use crate::error::Result;
use crate::raster::{Rows, gather};

use super::Attached;
use super::sink::{self, Bound};

/// Longest side: the library counts in signed numbers of 32 bits.
const MAX_SIDE_PX: u32 = 1 << 30;

/// Writes `rows` to `sink`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::BadRequest`] about the format for a picture that is too large;
/// [`crate::error::ErrorKind::NotImplemented`] in builds without the encoder; those of `rows` and `cancel`;
/// [`crate::error::ErrorKind::Cancelled`] when `sink` refuses bytes.
pub(super) fn encode(
    rows: &mut dyn Rows,
    settings: Jp2Settings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn Write,
) -> Result<()> {
    let shape = rows.shape();
    let bound = Bound {
        format: "JPEG 2000",
        max_side_px: MAX_SIDE_PX,
        max_area_px: settings.max_area_px,
    };
    bound.check(shape.dimensions)?;
    let raster = gather(rows, cancel)?;
    cancel.check()?;
    let stream = coder::code_stream(raster, settings)?;
    cancel.check()?;
    let file = boxes::file(shape, &stream, attached);
    sink.write_all(&file).map_err(sink::refused)
}
