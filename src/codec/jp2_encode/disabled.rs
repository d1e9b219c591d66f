//! Builds without OpenJPEG: JPEG 2000 is not written, and no document offers it.

use crate::encoding::Jp2Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::raster::Raster;

/// Refuses.
pub(super) fn code_stream(_: Raster, _: Jp2Settings) -> Result<Vec<u8>> {
    Err(Error::new(
        ErrorKind::NotImplemented,
        "this build does not write JPEG 2000",
    ))
}
