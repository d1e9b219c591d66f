//! An opened JPEG master: its facts, prices and rows.

use std::fmt;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{
    Colour, DecodeLimits, Facts, Foreign, KeptSpace, MasterFormat, Picture, Price, Stored,
};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Level, Pyramid, ScaleFactor, Window};
use crate::iiif::Format;
use crate::raster::{Channels, Light, PixelFormat, Rows};
use crate::reader::RangeReader;

use super::header::Header;
use super::passage;
use super::scanlines::{self, Index, Part, Source};

/// A JPEG file.
pub(super) struct JpegPicture {
    source: Source,
    limits: DecodeLimits,
    header: Header,
    colour: Colour,
    /// What makes red, green and blue of four inks.
    inks: Option<Foreign>,
    facts: Facts,
    /// The whole file as an answer, where it is one.
    whole: Option<Stored>,
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
        let inks = header
            .stored
            .is_inks()
            .then(|| Foreign::inks(profile.as_deref(), limits.intent));
        let colour = match &inks {
            Some(_) => Colour::untagged(),
            None => Colour::of_master(profile.as_deref(), header.stored.channels(), limits)?,
        };
        let name = inks.as_ref().map_or(colour.name(), Foreign::name);
        let facts = facts(&header, name, limits.light);
        let whole = passage::whole(reader.as_ref(), &header)?.filter(|_| colour.is_identity());
        Ok(Self {
            whole,
            source: Source {
                reader,
                index: Arc::new(Index::new(limits.max_metadata_bytes)),
            },
            limits: limits.clone(),
            header,
            colour,
            inks,
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

fn facts(header: &Header, colour: &str, light: Light) -> Facts {
    let coding = match (header.coding.progressive, header.coding.arithmetic) {
        (false, false) => "sequential",
        (true, false) => "progressive",
        (false, true) => "sequential, arithmetic coding",
        (true, true) => "progressive, arithmetic coding",
    };
    Facts {
        description: match header.precision {
            8 => format!("JPEG, {coding}"),
            bits => format!("JPEG, {coding}, {bits} bit"),
        },
        format: MasterFormat::Jpeg,
        pyramid: pyramid(header.dimensions, light),
        orientation: header.orientation,
        pixel: match header.format() {
            inks if header.stored.is_inks() => PixelFormat {
                channels: Channels::Rgb,
                ..inks
            },
            other => other,
        },
        bits: header.precision,
        colour: colour.to_owned(),
        pages: 1,
    }
}

/// The levels that the build's decoder gives: not in linear light, of which an inverse DCT knows nothing.
fn pyramid(dimensions: Dimensions, light: Light) -> Pyramid {
    let level = |factor| Level {
        factor,
        dimensions: dimensions.reduced(factor),
        tile: None,
    };
    let divisors = match light {
        Light::Encoded => scanlines::DIVISORS,
        Light::Linear => &[],
    };
    let divisors = divisors.iter().copied();
    let scaled = divisors.filter_map(ScaleFactor::new).map(level).collect();
    Pyramid::new(level(ScaleFactor::ONE), scaled)
}

impl Picture for JpegPicture {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.colour.kept()
    }

    fn price(&self, level: usize, window: Window) -> Price {
        self.part(level, window)
            .map(|part| scanlines::price(&self.header, &part, &self.source.index))
            .unwrap_or_default()
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        cancel.check()?;
        let Some(part) = self.part(level, window) else {
            let words = format!("decoding {window:?} of level {level} of {:?}", self.facts);
            return Err(Error::internal(words));
        };
        let Price { bytes, .. } = scanlines::price(&self.header, &part, &self.source.index);
        if bytes > self.limits.max_bytes {
            return Err(over_bytes(bytes, &self.limits));
        }
        let rows = scanlines::rows(&self.header, part, &self.source, &self.limits, cancel);
        Ok(match &self.inks {
            Some(inks) => inks.apply(rows, self.header.inverted),
            None => self.colour.apply(rows),
        })
    }

    fn coding_block(&self) -> Dimensions {
        let (horizontal, vertical) = self.header.sampling();
        Dimensions {
            width: 8 * horizontal.max(2),
            height: 8 * vertical.max(2),
        }
    }

    fn stored(&self, level: usize, window: Window, format: Format) -> Option<Stored> {
        let whole = level == 0 && window == self.header.dimensions.window();
        self.whole
            .clone()
            .filter(|_| whole && format == Format::Jpg)
    }
}

impl fmt::Debug for JpegPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JpegPicture")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
