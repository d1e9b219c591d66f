//! What passes need to know of a sample: its range, and the way there and back.

use crate::error::{Error, Result};
use crate::raster::{Raster, Samples};

/// A sample of 8 or 16 bits.
pub(super) trait Sample: Copy + Default + Send + 'static {
    /// The largest value: white, opaque.
    const MAX: u32;

    /// The value.
    fn value(self) -> u32;

    /// The sample with this value, which is at most `MAX`.
    fn of(value: u32) -> Self;

    /// Samples of this depth as they are held in a raster.
    fn hold(samples: Vec<Self>) -> Samples;
}

impl Sample for u8 {
    const MAX: u32 = 255;

    fn value(self) -> u32 {
        u32::from(self)
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most MAX")]
    fn of(value: u32) -> Self {
        value as Self
    }

    fn hold(samples: Vec<Self>) -> Samples {
        Samples::U8(samples)
    }
}

impl Sample for u16 {
    const MAX: u32 = 65535;

    fn value(self) -> u32 {
        u32::from(self)
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most MAX")]
    fn of(value: u32) -> Self {
        value as Self
    }

    fn hold(samples: Vec<Self>) -> Samples {
        Samples::U16(samples)
    }
}

/// The samples of a raster for a pass that knows 8 bits alone.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Internal`] for 16 bits: a plan narrows before such a pass.
pub(super) fn eight_bits<'a>(raster: &'a Raster, pass: &str) -> Result<&'a [u8]> {
    match raster.samples() {
        Samples::U8(samples) => Ok(samples),
        Samples::U16(_) => Err(Error::internal(format!("running {pass} on 16 bits"))),
    }
}
