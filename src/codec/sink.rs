//! What encoders share: whole 8-bit pictures for formats that need them, and sinks that refuse bytes.

use std::io;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Parameter, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Rows, Samples, gather};

/// The sink took no more bytes: whoever waited for them is gone.
pub(super) fn refused(cause: io::Error) -> Error {
    Error::new(ErrorKind::Cancelled, "the client left").with_source(cause)
}

/// A whole picture of 8 bits a sample, rows tight.
pub(super) struct EightBit {
    pub(super) dimensions: Dimensions,
    pub(super) channels: Channels,
    pub(super) samples: Vec<u8>,
}

impl EightBit {
    /// All of `rows`, for a `format` with at most `max_side_px` pixels a side.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`] about the format for a larger picture, before a row is pulled;
    /// [`ErrorKind::Internal`] for 16 bits, which a plan narrows; those of `rows` and `cancel`.
    pub(super) fn gather(
        rows: &mut dyn Rows,
        format: &str,
        max_side_px: u32,
        cancel: &Cancel,
    ) -> Result<Self> {
        let dimensions = rows.shape().dimensions;
        if dimensions.width.max(dimensions.height) > max_side_px {
            let words = format!(
                "a {format} image has at most {max_side_px} pixels a side; ask for a smaller size \
                 or another format"
            );
            return Err(Error::bad_request(Parameter::Format, words));
        }
        let raster = gather(rows, cancel)?;
        cancel.check()?;
        let channels = raster.format().channels;
        match raster.into_samples() {
            Samples::U8(samples) => Ok(Self {
                dimensions,
                channels,
                samples,
            }),
            Samples::U16(_) => Err(Error::internal(format!("writing 16 bits as {format}"))),
        }
    }
}
