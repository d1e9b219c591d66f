//! An opened JPEG master: its facts, prices and rows.

use std::fmt;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{Colour, DecodeLimits, Facts, MasterFormat, Picture, Price};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Level, Pyramid, ScaleFactor, Window};
use crate::raster::Rows;
use crate::reader::RangeReader;

use super::header::Header;
use super::scanlines::{self, Part};

/// A JPEG file.
pub(super) struct JpegPicture {
    reader: Arc<dyn RangeReader>,
    limits: DecodeLimits,
    header: Header,
    colour: Colour,
    facts: Facts,
}

impl JpegPicture {
    /// Parses the markers and checks them against `limits`.
    pub(super) fn open(reader: Arc<dyn RangeReader>, limits: &DecodeLimits) -> Result<Self> {
        let mut header = Header::parse(reader.as_ref(), limits)?;
        header.check_length()?;
        let gathered = header.coefficient_bytes();
        if gathered > limits.max_bytes {
            return Err(over_bytes(gathered, limits));
        }
        let profile = header.icc.take();
        let colour = Colour::from_icc(profile.as_deref(), header.stored.channels())?;
        let facts = facts(&header, &colour);
        Ok(Self {
            reader,
            limits: limits.clone(),
            header,
            colour,
            facts,
        })
    }

    fn part(&self, level: usize, window: Window) -> Option<Part> {
        let level = self.facts.pyramid.levels().get(level)?;
        let inside = window.is_inside(level.dimensions);
        inside.then(|| Part::new(&self.header, level.factor.get(), window))
    }
}

fn over_bytes(bytes: u64, limits: &DecodeLimits) -> Error {
    let words = format!(
        "the source image needs {bytes} bytes to be decoded, and the limit is {}",
        limits.max_bytes
    );
    Error::new(ErrorKind::TooLarge, words)
}

fn facts(header: &Header, colour: &Colour) -> Facts {
    let coding = match (header.coding.progressive, header.coding.arithmetic) {
        (false, false) => "sequential",
        (true, false) => "progressive",
        (false, true) => "sequential, arithmetic coding",
        (true, true) => "progressive, arithmetic coding",
    };
    Facts {
        description: format!("JPEG, {coding}"),
        format: MasterFormat::Jpeg,
        pyramid: pyramid(header.dimensions),
        orientation: header.orientation,
        pixel: header.stored.format(),
        bits: 8,
        colour: colour.name().to_owned(),
        pages: 1,
    }
}

/// The levels that the build's decoder gives.
fn pyramid(dimensions: Dimensions) -> Pyramid {
    let level = |factor| Level {
        factor,
        dimensions: dimensions.reduced(factor),
        tile: None,
    };
    let divisors = scanlines::DIVISORS.iter().copied();
    let scaled = divisors.filter_map(ScaleFactor::new).map(level).collect();
    Pyramid::new(level(ScaleFactor::ONE), scaled)
}

impl Picture for JpegPicture {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Rows are decoded from the top to the window's last one, at their full width; a stream of
    /// several scans is decoded to its end. Division spares the inverse DCT, about half of the work.
    fn price(&self, level: usize, window: Window) -> Price {
        let Some(part) = self.part(level, window) else {
            return Price::default();
        };
        let full = self.header.dimensions;
        let rows = if self.header.multiple_scans {
            full.height
        } else {
            window
                .bottom()
                .saturating_mul(part.divisor)
                .min(full.height)
        };
        let pixels = u64::from(full.width) * u64::from(rows);
        Price {
            pixels: if part.divisor == 1 {
                pixels
            } else {
                pixels.div_ceil(2)
            },
            bytes: scanlines::held_bytes(&self.header, &part),
        }
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        cancel.check()?;
        let Some(part) = self.part(level, window) else {
            let words = format!("decoding {window:?} of level {level} of {:?}", self.facts);
            return Err(Error::internal(words));
        };
        let bytes = scanlines::held_bytes(&self.header, &part);
        if bytes > self.limits.max_bytes {
            return Err(over_bytes(bytes, &self.limits));
        }
        let reader = Arc::clone(&self.reader);
        let rows = scanlines::rows(part, reader, &self.limits, cancel);
        Ok(self.colour.apply(rows))
    }
}

impl fmt::Debug for JpegPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JpegPicture")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
