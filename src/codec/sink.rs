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

/// How large a picture of a format may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// The format, for people.
    pub(super) format: &'static str,
    /// Longest side that it can say.
    pub(super) max_side_px: u32,
    /// Most pixels that are encoded.
    pub(super) max_area_px: u64,
}

impl Bound {
    /// Refuses a larger picture.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`] about the format.
    pub(super) fn check(self, dimensions: Dimensions) -> Result<()> {
        let limit = if dimensions.width.max(dimensions.height) > self.max_side_px {
            format!("{} pixels a side", self.max_side_px)
        } else if dimensions.area() > self.max_area_px {
            format!("{} pixels", self.max_area_px)
        } else {
            return Ok(());
        };
        let words = format!(
            "a {} image has at most {limit}; ask for a smaller size or another format",
            self.format
        );
        Err(Error::bad_request(Parameter::Format, words))
    }
}

/// A whole picture of 8 bits a sample, rows tight.
pub(super) struct EightBit {
    pub(super) dimensions: Dimensions,
    pub(super) channels: Channels,
    pub(super) samples: Vec<u8>,
}

impl EightBit {
    /// All of `rows`, which are to be within `bound`.
    ///
    /// # Errors
    ///
    /// As [`Bound::check`], before a row is pulled; [`ErrorKind::Internal`] for 16 bits, which a plan
    /// narrows; those of `rows` and `cancel`.
    pub(super) fn gather(rows: &mut dyn Rows, bound: Bound, cancel: &Cancel) -> Result<Self> {
        let dimensions = rows.shape().dimensions;
        bound.check(dimensions)?;
        let raster = gather(rows, cancel)?;
        cancel.check()?;
        let channels = raster.format().channels;
        match raster.into_samples() {
            Samples::U8(samples) => Ok(Self {
                dimensions,
                channels,
                samples,
            }),
            Samples::U16(_) => {
                let format = bound.format;
                Err(Error::internal(format!("writing 16 bits as {format}")))
            }
        }
    }
}
