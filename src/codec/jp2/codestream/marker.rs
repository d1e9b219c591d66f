//! Markers and their segments: codes and reading.
//!
//! Source: ISO/IEC 15444-1 Table A.2.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::super::boxes::Extent;
use super::super::bytes::Bytes;

pub(super) const SOC: u16 = 0xFF4F;
pub(super) const SIZ: u16 = 0xFF51;
pub(super) const COD: u16 = 0xFF52;
pub(super) const COC: u16 = 0xFF53;
pub(super) const QCD: u16 = 0xFF5C;
pub(super) const QCC: u16 = 0xFF5D;
pub(super) const RGN: u16 = 0xFF5E;
pub(super) const POC: u16 = 0xFF5F;
pub(super) const PLT: u16 = 0xFF58;
pub(super) const PPM: u16 = 0xFF60;
pub(super) const PPT: u16 = 0xFF61;
pub(super) const SOT: u16 = 0xFF90;
pub(super) const SOD: u16 = 0xFF93;
pub(super) const EOC: u16 = 0xFFD9;

/// Markers that stand alone and that decoders step over (Table A.1).
const WITHOUT_SEGMENT: RangeInclusive<u16> = 0xFF30..=0xFF3F;

/// The two bytes at `position` of the file; `None` where the code stream has no two more.
pub(super) fn at(reader: &dyn RangeReader, extent: Extent, position: u64) -> Result<Option<u16>> {
    if position + 2 > extent.end() {
        return Ok(None);
    }
    let mut code = [0; 2];
    reader.read(position, &mut code)?;
    Ok(Some(u16::from_be_bytes(code)))
}

/// A marker, and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) code: u16,
    /// What follows the length; empty for markers that stand alone.
    pub(super) content: Extent,
}

impl Segment {
    /// The one at `position`, inside `extent`.
    pub(super) fn at(reader: &dyn RangeReader, extent: Extent, position: u64) -> Result<Self> {
        let Some(code) = at(reader, extent, position)? else {
            return Err(Error::corrupt("its code stream ends in a header"));
        };
        let alone = Self {
            code,
            content: Extent {
                offset: position + 2,
                length: 0,
            },
        };
        if code == SOT || code == SOD || WITHOUT_SEGMENT.contains(&code) {
            return Ok(alone);
        }
        let length = at(reader, extent, position + 2)?.map_or(0, u64::from);
        if length < 2 || position + 2 + length > extent.end() {
            return Err(Error::corrupt("a segment of its header has a wrong length"));
        }
        Ok(Self {
            code,
            content: Extent {
                offset: position + 4,
                length: length - 2,
            },
        })
    }

    pub(super) fn read(&self, reader: &dyn RangeReader) -> Result<Vec<u8>> {
        reader.read_vec(self.content.offset, self.content.length)
    }
}

/// A component's number: one byte where fewer than 257 are there (A.6.2).
pub(super) fn number(content: &mut Bytes<'_>, components: usize) -> Result<u16> {
    if components < 257 {
        content.u8().map(u16::from)
    } else {
        content.u16()
    }
}

/// The number of a component that is there.
pub(super) fn component(content: &mut Bytes<'_>, components: usize) -> Result<u16> {
    let component = number(content, components)?;
    if usize::from(component) < components {
        Ok(component)
    } else {
        Err(Error::corrupt("it describes a component that is not there"))
    }
}
