//! The main header → size, coding, and the segments that go into every tile's own stream.
//!
//! Source: ISO/IEC 15444-1 A.3 to A.9.

use crate::codec::DecodeLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

use super::super::boxes::Extent;
use super::marker::{self, Segment};
use super::size::Size;
use super::style::{Coding, CodingSegments};

/// What a main header says.
#[derive(Debug)]
pub(super) struct MainHeader {
    pub(super) size: Size,
    pub(super) coding: Coding,
    /// The segments that say how to decode, as they are, without SIZ.
    pub(super) kept: Vec<u8>,
    /// Where the first tile-part begins, in the file.
    pub(super) end: u64,
}

/// A header on its way.
#[derive(Default)]
struct Partial {
    size: Option<Size>,
    coding: CodingSegments,
    quantised: bool,
    kept: Vec<u8>,
}

impl MainHeader {
    pub(super) fn read(
        reader: &dyn RangeReader,
        extent: Extent,
        limits: &DecodeLimits,
    ) -> Result<Self> {
        let mut position = extent.offset;
        if marker::at(reader, extent, position)? != Some(marker::SOC) {
            return Err(Error::corrupt("its code stream does not begin as one"));
        }
        position += 2;
        let mut partial = Partial::default();
        loop {
            let segment = Segment::at(reader, extent, position)?;
            if segment.code == marker::SOT {
                return partial.finish(position);
            }
            position = segment.content.end();
            if position - extent.offset > limits.max_metadata_bytes {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    "the source image's header is larger than the limit",
                ));
            }
            partial.add(segment.code, &segment.read(reader)?, limits)?;
        }
    }
}

impl Partial {
    fn add(&mut self, code: u16, content: &[u8], limits: &DecodeLimits) -> Result<()> {
        let Some(size) = &self.size else {
            if code != marker::SIZ {
                return Err(Error::corrupt("its code stream does not begin with a size"));
            }
            self.size = Some(Size::parse(content, limits)?);
            return Ok(());
        };
        let components = size.components.len();
        match code {
            marker::COD => self.coding.add_default(content, components)?,
            marker::COC => self.coding.add_component(content, components)?,
            marker::QCD => self.quantised = true,
            marker::QCC | marker::RGN => marker::check_component(content, components)?,
            marker::CAP | marker::POC => {}
            marker::PPM => {
                return Err(Error::unsupported(
                    "its packet headers are packed into the main header",
                ));
            }
            // Lengths, comments, and what decoders are told to step over (A.1): the tile-parts
            // themselves say where they end.
            _ => return Ok(()),
        }
        marker::append(&mut self.kept, code, content);
        Ok(())
    }

    fn finish(self, end: u64) -> Result<MainHeader> {
        let missing = |what: &str| Error::corrupt(format!("its code stream has no {what}"));
        let size = self.size.ok_or_else(|| missing("size"))?;
        let coding = self.coding.resolve(None);
        let coding = coding.ok_or_else(|| missing("coding style"))?;
        if !self.quantised {
            return Err(missing("quantisation"));
        }
        Ok(MainHeader {
            size,
            coding,
            kept: self.kept,
            end,
        })
    }
}
