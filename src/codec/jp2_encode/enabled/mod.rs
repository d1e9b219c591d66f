//! Builds with OpenJPEG: a raster's samples as planes, and how they are to be coded.

mod ffi;

use crate::encoding::Jp2Settings;
use crate::error::{Error, Result};
use crate::raster::{Raster, Samples};

/// Most wavelet reductions plus one; a side of one pixel has none.
const MOST_RESOLUTIONS: u32 = 6;

/// How samples are coded.
struct Coding {
    width: u32,
    height: u32,
    components: usize,
    bits: u32,
    resolutions: u32,
    settings: Jp2Settings,
}

/// The code stream of `raster`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Internal`] when the library fails, [`crate::error::ErrorKind::Busy`] when it
/// finds no memory.
pub(super) fn code_stream(raster: Raster, settings: Jp2Settings) -> Result<Vec<u8>> {
    let dimensions = raster.dimensions();
    let components = raster.format().channels.count();
    let samples = raster.into_samples();
    let edge = if settings.tile_px == 0 {
        u32::MAX
    } else {
        settings.tile_px
    };
    let shortest = dimensions.width.min(dimensions.height).min(edge);
    let coding = Coding {
        width: dimensions.width,
        height: dimensions.height,
        components,
        bits: match samples {
            Samples::U8(_) => 8,
            Samples::U16(_) => 16,
        },
        resolutions: (shortest.ilog2() + 1).clamp(1, MOST_RESOLUTIONS),
        settings,
    };
    let coded = match samples {
        Samples::U8(samples) => ffi::encode(&coding, &samples),
        Samples::U16(samples) => ffi::encode(&coding, &samples),
    };
    coded.map_err(|words| Error::internal("writing a JPEG 2000").with_source(words))
}
