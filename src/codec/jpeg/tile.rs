//! A JPEG stream inside another format → its pixels: the tiles and strips of TIFF.

use crate::cancel::Cancel;
use crate::codec::DecodeLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Dimensions;
use crate::raster::Raster;
use crate::reader::RangeReader;

use super::header::{Header, Stored};
use super::lossless;
use super::scanlines::{self, Part};

/// What the components of a tile are, as the format around it says; markers of the stream itself
/// that say otherwise do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileColour {
    /// Luma and two colour differences.
    YCbCr,
    /// Red, green, blue.
    Rgb,
    /// One component.
    Gray,
    /// Two components that are nothing to each other.
    Pair,
    /// Four such components.
    Four,
}

impl From<TileColour> for Stored {
    fn from(colour: TileColour) -> Self {
        match colour {
            TileColour::YCbCr => Self::YCbCr,
            TileColour::Rgb => Self::Rgb,
            TileColour::Gray => Self::Gray,
            TileColour::Pair => Self::Pair,
            TileColour::Four => Self::Four,
        }
    }
}

/// Decodes one stream that has its tables in it (or uses the standard ones): rows of `expected`, gray,
/// RGB, or components as they are; of 16 bits where the stream has 12.
///
/// The stream may be higher than `expected`, as the last strip of some writers is; the rows below
/// are not decoded. Pixels depend on `bytes` and `colour` alone.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] for damaged bytes and for a stream of another width, less height or
/// another number of components; [`ErrorKind::NotImplemented`] as in [`super::open`];
/// [`ErrorKind::TooLarge`] beyond `limits`; those of `cancel`.
pub fn decode_tile(
    bytes: &[u8],
    colour: TileColour,
    expected: Dimensions,
    limits: &DecodeLimits,
    cancel: &Cancel,
) -> Result<Raster> {
    cancel.check()?;
    let mut header = match Header::parse(&InMemory(bytes), limits) {
        Ok(header) => header,
        Err(error) if error.kind() == ErrorKind::NotImplemented => {
            let lossless = lossless::decode_tile(bytes, colour, expected, limits, cancel)?;
            return lossless.ok_or(error);
        }
        Err(error) => return Err(error),
    };
    header.stored = colour.into();
    check(&header, expected)?;
    let part = Part::new(&header, 1, header.dimensions.window());
    if scanlines::held_bytes(&header, &part) > limits.max_bytes {
        let words = "a tile of the source image needs more memory than the limit";
        return Err(Error::new(ErrorKind::TooLarge, words));
    }
    scanlines::tile(bytes, part, expected, limits, cancel)
}

fn check(header: &Header, expected: Dimensions) -> Result<()> {
    let stream = header.dimensions;
    if stream.width != expected.width || stream.height < expected.height {
        let words = format!("a tile of {expected} is stored as {stream}");
        return Err(Error::corrupt(words));
    }
    if header.component_count() != header.stored.channels().count() {
        return Err(Error::corrupt("a tile has another number of components"));
    }
    Ok(())
}

/// A borrowed stream.
#[derive(Debug)]
pub(super) struct InMemory<'a>(pub(super) &'a [u8]);

impl RangeReader for InMemory<'_> {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.0.get(start..start.checked_add(buffer.len())?))
            .ok_or_else(crate::reader::past_the_end)?;
        buffer.copy_from_slice(part);
        Ok(())
    }
}
