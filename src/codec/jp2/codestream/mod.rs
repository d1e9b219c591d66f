//! A code stream → its geometry, its coding, and for every tile a small code stream of its own.
//!
//! Everything that a decoder takes from headers is checked here, before any decoder sees it. The
//! decoder in this build has two faults that its users meet by checking first:
//!
//! - A tile-part number beyond the announced number of tile-parts makes it write behind its index of
//!   tile-parts (OpenJPEG issue 1652, fixed by commit 91d08b11 after release 2.5.4). The streams made
//!   by [`Codestream::tile`] number the tile-parts themselves, announce exactly as many as there are,
//!   and carry no TLM segment, from which the wrong index would come.
//! - A failing header read leaves its picture pointer as it was (CVE-2025-54874): the wrapper
//!   starts it as null, and the decoder for boxes, where the pointer is used, is not called at all.
//!
//! What is not checked here: quantisation step sizes, progression order changes and the packets, which
//! the decoder itself holds against the geometry.
//!
//! Source: ISO/IEC 15444-1 annexes A and B.

mod coding;
mod cost;
mod index;
mod lengths;
mod main_header;
mod marker;
mod order;
mod packed;
mod quantisation;
mod size;
mod style;

use std::sync::Arc;

use crate::codec::DecodeLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

use super::boxes::Extent;
use index::{Body, Index, SOT_BYTES};
use main_header::MainHeader;
use packed::Packed;

pub(super) use coding::Coding;
pub(super) use cost::Structure;
pub(super) use order::Change;
pub(super) use quantisation::Step;
pub(super) use size::{Axis, Component, Size, Span};
pub(super) use style::{Progression, Style};

/// How a code stream begins: SOC, then SIZ (A.4.1, A.5.1).
pub(super) const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];

/// Packets that a tile may have although its bytes do not suffice for them: a packet takes a byte at
/// least (B.10.1), yet streams that were cut to fewer layers keep the old number of layers.
const FREE_PACKETS: u64 = 1 << 20;

/// Packets for each byte of a tile beyond [`FREE_PACKETS`].
const PACKETS_PER_BYTE: u64 = 64;

/// A code stream whose headers are good.
#[derive(Debug)]
pub(super) struct Codestream {
    pub(super) size: Size,
    /// How tiles are coded that do not say so themselves.
    pub(super) coding: Arc<Coding>,
    /// Reductions that every tile and component has.
    pub(super) reductions: u8,
    /// The largest structure that a tile takes.
    pub(super) structure: Structure,
    /// The most bytes that a tile has.
    pub(super) largest_tile: u64,
    kept: Vec<u8>,
    packed: Option<Packed>,
    index: Index,
}

/// A tile's packets as they are stored.
#[derive(Debug)]
pub(super) struct TileData {
    /// The bytes of its tile-parts, in order.
    pub(super) parts: Vec<Extent>,
    /// The packets' headers, where PPM or PPT segments hold them.
    pub(super) headers: Option<Vec<u8>>,
}

/// A piece of a tile's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes that were made.
    Made(Vec<u8>),
    /// Bytes of the file.
    Stored(Extent),
}

impl Piece {
    pub(super) const fn length(&self) -> u64 {
        match self {
            Self::Made(bytes) => bytes.len() as u64,
            Self::Stored(extent) => extent.length,
        }
    }
}

impl Codestream {
    pub(super) fn read(
        reader: &dyn RangeReader,
        extent: Extent,
        limits: &DecodeLimits,
    ) -> Result<Self> {
        let header = MainHeader::read(reader, extent, limits)?;
        let index = Index::read(reader, extent, &header, limits)?;
        let mut stream = Self {
            reductions: header.coding.reductions(header.size.component_count()),
            size: header.size,
            coding: header.coding,
            structure: Structure::default(),
            largest_tile: 0,
            kept: header.kept,
            packed: header.packed,
            index,
        };
        stream.check_tiles(limits)?;
        Ok(stream)
    }

    /// Holds every tile's structure against its bytes and the limits.
    fn check_tiles(&mut self, limits: &DecodeLimits) -> Result<()> {
        let count = self.size.component_count();
        for tile in 0..self.size.tiles() {
            let coding = self.coding_of(tile);
            let (x, y) = self.tile_spans(tile);
            let structure = Structure::of(&self.size, coding, x, y);
            let bytes = self.tile_bytes(tile);
            let enough = bytes
                .saturating_mul(PACKETS_PER_BYTE)
                .saturating_add(FREE_PACKETS);
            if structure.packets > enough {
                return Err(Error::corrupt("a tile has more packets than bytes"));
            }
            if structure.bytes > limits.max_bytes {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    "the source image is divided more finely than the limit allows",
                ));
            }
            self.reductions = self.reductions.min(coding.reductions(count));
            self.structure.packets = self.structure.packets.max(structure.packets);
            self.structure.bytes = self.structure.bytes.max(structure.bytes);
            self.largest_tile = self.largest_tile.max(bytes);
        }
        Ok(())
    }

    /// The rectangle of a tile on the reference grid (B-6 to B-10).
    pub(super) fn tile_spans(&self, tile: u32) -> (Span, Span) {
        let across = self.size.x.tiles();
        let (column, row) = (tile % across, tile / across);
        (self.size.x.tile_span(column), self.size.y.tile_span(row))
    }

    /// How a tile is coded.
    pub(super) fn coding_of(&self, tile: u32) -> &Coding {
        self.index.codings.get(&tile).unwrap_or(&self.coding)
    }

    /// Where a tile's packets are.
    ///
    /// # Errors
    ///
    /// Those of `reader`, and [`ErrorKind::Corrupt`] if packed headers are missing.
    pub(super) fn tile_data(&self, reader: &dyn RangeReader, tile: u32) -> Result<TileData> {
        let bodies = self.bodies(tile);
        let headers = match &self.packed {
            Some(packed) => {
                let parts = bodies.iter().map(|body| packed.part(body.place()));
                Some(parts.collect::<Result<Vec<_>>>()?.concat())
            }
            None => packed_in_tile(reader, bodies)?,
        };
        Ok(TileData {
            parts: bodies.iter().map(Body::packets).collect(),
            headers,
        })
    }

    /// The lengths of a tile's packets, tile-part after tile-part, as far as it lists them.
    ///
    /// # Errors
    ///
    /// Those of `reader`, and [`ErrorKind::Corrupt`] for segments that are none.
    pub(super) fn packet_lengths(&self, reader: &dyn RangeReader, tile: u32) -> Result<Vec<Vec<u32>>> {
        let parts = self.bodies(tile).iter();
        parts
            .map(|body| lengths::packet_lengths(body.segments(reader, marker::PLT)?))
            .collect()
    }

    fn tile_bytes(&self, tile: u32) -> u64 {
        self.bodies(tile).iter().map(Body::length).sum()
    }

    fn bodies(&self, tile: u32) -> &[Body] {
        let tile = usize::try_from(tile).ok();
        tile.and_then(|tile| self.index.tiles.get(tile))
            .map_or(&[], |parts| &parts.bodies)
    }

    /// A code stream that holds the tile at this place alone, at its place on the reference grid.
    ///
    /// Tile-parts are numbered anew, with their true number and lengths, and carry only what says how
    /// to decode them; EOC closes the stream.
    ///
    /// # Errors
    ///
    /// Those of `reader`, from which the headers of tile-parts are taken.
    pub(super) fn tile(
        &self,
        reader: &dyn RangeReader,
        column: u32,
        row: u32,
    ) -> Result<Vec<Piece>> {
        let (x, y) = (self.size.x.tile_span(column), self.size.y.tile_span(row));
        let mut header = marker::SOC.to_be_bytes().to_vec();
        header.extend(self.size.of_one_tile(x, y));
        header.extend(&self.kept);
        let mut pieces = vec![Piece::Made(header)];
        let bodies = self.bodies(row * self.size.x.tiles() + column);
        let count = u8::try_from(bodies.len()).unwrap_or(u8::MAX);
        for (number, body) in (0..count).zip(bodies) {
            let kept = body.kept(reader)?;
            let length = kept.len() as u64 + body.data.length;
            let mut start = start_of_part(number, count, length);
            start.extend(kept);
            pieces.push(Piece::Made(start));
            pieces.push(Piece::Stored(body.data));
        }
        pieces.push(Piece::Made(marker::EOC.to_be_bytes().to_vec()));
        Ok(pieces)
    }

    /// Whether blocks are coded by ISO/IEC 15444-15 anywhere.
    pub(super) fn is_high_throughput(&self) -> bool {
        let all = std::iter::once(self.coding.as_ref()).chain(self.index.codings.values());
        all.flat_map(Coding::own_styles)
            .any(Style::is_high_throughput)
    }
}

/// The packet headers of a tile's PPT segments, if it has any.
fn packed_in_tile(reader: &dyn RangeReader, bodies: &[Body]) -> Result<Option<Vec<u8>>> {
    let mut segments = Vec::new();
    for body in bodies {
        segments.extend(body.segments(reader, marker::PPT)?);
    }
    if segments.is_empty() {
        return Ok(None);
    }
    packed::joined(segments).map(Some)
}

/// An SOT segment for part `number` of `count` of tile 0, before `rest` more bytes (A.4.2).
fn start_of_part(number: u8, count: u8, rest: u64) -> Vec<u8> {
    let length = u32::try_from(rest + SOT_BYTES).unwrap_or(u32::MAX);
    let mut segment = marker::SOT.to_be_bytes().to_vec();
    segment.extend([0, 10, 0, 0]);
    segment.extend(length.to_be_bytes());
    segment.extend([number, count]);
    segment
}
