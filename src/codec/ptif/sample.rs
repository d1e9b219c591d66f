//! The two depths of a sample, for code that is written once for both.

use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, Raster, Samples};

/// A sample of 8 or 16 bits.
pub(super) trait Sample: Copy + Default + Send + 'static {
    /// The largest value, which is full opacity too.
    const MAX: u32;

    /// As a number.
    fn value(self) -> u32;

    /// The sample of a number that is not above [`Sample::MAX`].
    fn of(value: u32) -> Self;

    /// What has to be added to `other` for this sample, modulo the range.
    fn minus(self, other: Self) -> Self;

    /// Adds the sample to `bytes`, least significant byte first.
    fn append(self, bytes: &mut Vec<u8>);

    /// The samples of a strip of this depth.
    fn take(strip: Raster) -> Result<Vec<Self>>;

    /// Pixels of this depth.
    fn raster(dimensions: Dimensions, channels: Channels, samples: Vec<Self>) -> Result<Raster>;
}

impl Sample for u8 {
    const MAX: u32 = 0xff;

    fn value(self) -> u32 {
        self.into()
    }

    fn of(value: u32) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn append(self, bytes: &mut Vec<u8>) {
        bytes.push(self);
    }

    fn take(strip: Raster) -> Result<Vec<Self>> {
        match strip.into_samples() {
            Samples::U8(samples) => Ok(samples),
            Samples::U16(_) => Err(two_depths()),
        }
    }

    fn raster(dimensions: Dimensions, channels: Channels, samples: Vec<Self>) -> Result<Raster> {
        Raster::from_u8(dimensions, channels, samples)
    }
}

impl Sample for u16 {
    const MAX: u32 = 0xffff;

    fn value(self) -> u32 {
        self.into()
    }

    fn of(value: u32) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn append(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }

    fn take(strip: Raster) -> Result<Vec<Self>> {
        match strip.into_samples() {
            Samples::U16(samples) => Ok(samples),
            Samples::U8(_) => Err(two_depths()),
        }
    }

    fn raster(dimensions: Dimensions, channels: Channels, samples: Vec<Self>) -> Result<Raster> {
        Raster::from_u16(dimensions, channels, samples)
    }
}

fn two_depths() -> Error {
    Error::internal("writing a pyramid of strips of two depths")
}
