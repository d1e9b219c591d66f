//! The chain of tile-parts → which bytes hold which tile.
//!
//! Every tile-part is visited once, its header only. What the file claims about numbers of tile-parts
//! is compared with what is there; later only what is there counts.
//!
//! Source: ISO/IEC 15444-1 A.4.2 (SOT), A.4.3 (SOD), A.4.4 (EOC).

use std::collections::BTreeMap;

use crate::codec::{Damaged, DecodeLimits};
use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

use super::super::boxes::Extent;
use super::super::bytes::Bytes;
use super::coding::Coding;
use super::main_header::MainHeader;
use super::marker::{self, Segment};
use super::size::Size;

/// Bytes of an SOT segment with its marker.
const SOT_BYTES: u64 = 12;

/// Most tile-parts of one tile: `TPsot` ends at 254 (Table A.6).
const MAX_PARTS: usize = 255;

/// Most segments in all tile-part headers together; a header has one to 260 in practice.
const MAX_SEGMENTS: u64 = 1 << 22;

/// Segments of a tile-part's header that say how it is coded (Table A.1).
const CODING: [u16; 6] = [
    marker::COD,
    marker::COC,
    marker::QCD,
    marker::QCC,
    marker::RGN,
    marker::POC,
];

/// One tile's bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct TileParts {
    /// In order.
    pub(super) bodies: Vec<Body>,
    /// The number that the file claims; 0 if it does not.
    claimed: u8,
}

/// What follows the SOT segment of a tile-part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    /// Further segments of its header.
    header: Extent,
    /// SOD and the packets.
    data: Extent,
    /// How many tile-parts of any tile are before it.
    place: usize,
}

impl Body {
    pub(super) const fn length(&self) -> u64 {
        self.header.length + self.data.length
    }

    /// The packets, without SOD.
    pub(super) const fn packets(&self) -> Extent {
        Extent {
            offset: self.data.offset + 2,
            length: self.data.length.saturating_sub(2),
        }
    }

    /// How many tile-parts of any tile are before it.
    pub(super) const fn place(&self) -> usize {
        self.place
    }

    /// The contents of the header's segments of this kind.
    pub(super) fn segments(&self, reader: &dyn RangeReader, code: u16) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        let mut position = self.header.offset;
        while position < self.header.end() {
            let segment = Segment::at(reader, self.header, position)?;
            if segment.code == code {
                found.push(segment.read(reader)?);
            }
            position = segment.content.end();
        }
        Ok(found)
    }
}

/// All tiles.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) tiles: Vec<TileParts>,
    /// How tiles are coded that say so themselves.
    pub(super) codings: BTreeMap<u32, Coding>,
}

/// One SOT segment.
struct Sot {
    tile: u32,
    length: u64,
    part: u8,
    parts: u8,
}

/// The walk over the tile-parts.
struct Walk<'a> {
    reader: &'a dyn RangeReader,
    extent: Extent,
    header: &'a MainHeader,
    index: Index,
    damaged: Damaged,
    segments: u64,
    parts: usize,
}

impl Index {
    pub(super) fn read(
        reader: &dyn RangeReader,
        extent: Extent,
        header: &MainHeader,
        limits: &DecodeLimits,
    ) -> Result<Self> {
        let tiles = usize::try_from(header.size.tiles()).unwrap_or(usize::MAX);
        let mut walk = Walk {
            reader,
            extent,
            header,
            index: Self {
                tiles: vec![TileParts::default(); tiles],
                codings: BTreeMap::new(),
            },
            damaged: limits.damaged,
            segments: 0,
            parts: 0,
        };
        let mut position = header.end;
        // Anything else than a tile-part ends the chain: EOC, the end of the file, or padding.
        while marker::at(reader, extent, position)? == Some(marker::SOT) {
            if walk.parts as u64 >= limits.max_tiles {
                return Err(too_many());
            }
            position = match walk.visit(position) {
                // Where the next one begins is not known.
                Err(error) if limits.damaged.passes(&error) => break,
                end => end?,
            };
            walk.parts += 1;
        }
        if limits.damaged == Damaged::Refuse {
            walk.index.check_complete(&header.size)?;
        }
        Ok(walk.index)
    }

    /// Tiles without a sample may be missing.
    fn check_complete(&self, size: &Size) -> Result<()> {
        let complete = |(number, tile): (u32, &TileParts)| {
            if tile.bodies.is_empty() {
                size.is_blank(number)
            } else {
                tile.bodies.len() >= usize::from(tile.claimed)
            }
        };
        if (0..).zip(&self.tiles).all(complete) {
            Ok(())
        } else {
            Err(Error::corrupt("the file ends before its last tile"))
        }
    }
}

impl Walk<'_> {
    /// Takes note of the tile-part at `position`; gives where it ends.
    fn visit(&mut self, position: u64) -> Result<u64> {
        let mut bytes = [0; 12];
        if position + SOT_BYTES > self.extent.end() {
            return Err(Error::corrupt("the file ends in a tile's header"));
        }
        self.reader.read(position, &mut bytes)?;
        let sot = Sot::parse(&bytes)?;
        let end = self.end_of(position, &sot)?;
        let rest = Extent {
            offset: position + SOT_BYTES,
            length: end - position - SOT_BYTES,
        };
        let data = self.scan_header(sot.tile, rest, sot.part == 0)?;
        let body = Body {
            header: Extent {
                offset: rest.offset,
                length: data - rest.offset,
            },
            data: Extent {
                offset: data,
                length: end - data,
            },
            place: self.parts,
        };
        self.add(&sot, body)?;
        Ok(end)
    }

    /// Psot counts from the marker; 0 means up to EOC, in the last tile-part alone.
    fn end_of(&self, position: u64, sot: &Sot) -> Result<u64> {
        if sot.length == 0 {
            let end = self.extent.end();
            let closed = marker::at(self.reader, self.extent, end - 2)? == Some(marker::EOC);
            return Ok(if closed { end - 2 } else { end });
        }
        // 12 bytes of SOT and 2 of SOD.
        if sot.length < SOT_BYTES + 2 {
            return Err(Error::corrupt("a tile is shorter than its own header"));
        }
        let end = position + sot.length;
        if end <= self.extent.end() {
            return Ok(end);
        }
        match self.damaged {
            Damaged::Refuse => Err(Error::corrupt("the file ends in a tile")),
            Damaged::Decode => Ok(self.extent.end()),
        }
    }

    /// Tile-parts of one tile come in order, so that their numbers count up from 0 (A.4.2).
    fn add(&mut self, sot: &Sot, body: Body) -> Result<()> {
        if u32::try_from(body.length() + SOT_BYTES).is_err() {
            return Err(Error::unsupported("a tile-part has more than 4 GiB"));
        }
        let tile = usize::try_from(sot.tile).unwrap_or(usize::MAX);
        let Some(parts) = self.index.tiles.get_mut(tile) else {
            return Err(Error::corrupt("a tile has a number that no tile has"));
        };
        let expected = parts.bodies.len();
        if usize::from(sot.part) != expected || expected >= MAX_PARTS {
            return Err(Error::corrupt("the parts of a tile are out of order"));
        }
        parts.bodies.push(body);
        parts.claimed = parts.claimed.max(sot.parts);
        Ok(())
    }

    /// Checks the segments up to the data, keeps how the tile is coded; gives where the data begins.
    fn scan_header(&mut self, tile: u32, part: Extent, is_first: bool) -> Result<u64> {
        let mut coding = None;
        let mut position = part.offset;
        loop {
            let segment = Segment::at(self.reader, part, position)?;
            if segment.code == marker::SOD {
                break;
            }
            self.segments += 1;
            if self.segments > MAX_SEGMENTS {
                return Err(too_many());
            }
            if CODING.contains(&segment.code) {
                if !is_first && matches!(segment.code, marker::COD | marker::COC) {
                    return Err(Error::corrupt("a later part of a tile changes its coding"));
                }
                let until_now = || self.index.codings.get(&tile).cloned();
                let coding = coding.get_or_insert_with(|| {
                    until_now().unwrap_or_else(|| Coding::of_tile(&self.header.coding))
                });
                let components = self.header.size.components.len();
                coding.add(segment.code, &segment.read(self.reader)?, components)?;
            }
            position = segment.content.end();
        }
        if let Some(coding) = coding {
            self.index.codings.insert(tile, coding);
        }
        Ok(position)
    }
}

impl Sot {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut bytes = Bytes::new(bytes);
        let (_marker, length) = (bytes.u16()?, bytes.u16()?);
        if length != 10 {
            return Err(Error::corrupt("a tile's header has a wrong length"));
        }
        Ok(Self {
            tile: u32::from(bytes.u16()?),
            length: u64::from(bytes.u32()?),
            part: bytes.u8()?,
            parts: bytes.u8()?,
        })
    }
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::TooLarge,
        "the source image has more tile-parts than the limit",
    )
}
