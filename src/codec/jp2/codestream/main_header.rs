//! The main header → size, coding, and packet headers where it holds them.
//!
//! Source: ISO/IEC 15444-1 A.3 to A.9.

use std::sync::Arc;

use crate::codec::DecodeLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

use super::super::boxes::Extent;
use super::coding::Coding;
use super::marker::{self, Segment};
use super::packed::Packed;
use super::size::Size;

/// What a main header says.
#[derive(Debug)]
pub(super) struct MainHeader {
    pub(super) size: Size,
    pub(super) coding: Arc<Coding>,
    /// The packet headers of all tile-parts, where PPM segments hold them.
    pub(super) packed: Option<Packed>,
    /// Where the first tile-part begins, in the file.
    pub(super) end: u64,
}

/// A header on its way.
#[derive(Default)]
struct Partial {
    size: Option<Size>,
    coding: Coding,
    packed: Vec<Vec<u8>>,
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
        if code == marker::PPM {
            self.packed.push(content.to_vec());
            return Ok(());
        }
        // Lengths, comments, and what decoders are told to step over (A.1) say nothing of that.
        self.coding.add(code, content, components)?;
        Ok(())
    }

    fn finish(self, end: u64) -> Result<MainHeader> {
        let size = self.size;
        let size = size.ok_or_else(|| Error::corrupt("its code stream has no size"))?;
        self.coding.check_main()?;
        let packed = if self.packed.is_empty() {
            None
        } else {
            Some(Packed::of_parts(self.packed)?)
        };
        Ok(MainHeader {
            size,
            coding: Arc::new(self.coding),
            packed,
            end,
        })
    }
}
