//! A code stream → its geometry, its coding, and for every tile where its packets are.
//!
//! Everything that a decoder takes from headers is checked here: marker segments, the chain of tile-parts,
//! and what tiles ask for against their bytes and the limits. Packets are left to `packets`.
//!
//! TLM and PLM segments are stepped over: tile-parts themselves say where they end, and what packets'
//! lengths are good for is in PLT segments, beside the packets.
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

use crate::codec::{Damaged, DecodeLimits};
use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

use super::boxes::Extent;
use index::{Body, Index};
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
    /// What becomes of tiles that are damaged.
    pub(super) damaged: Damaged,
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
            damaged: limits.damaged,
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
        self.size.tile_spans(tile)
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
    pub(super) fn packet_lengths(
        &self,
        reader: &dyn RangeReader,
        tile: u32,
    ) -> Result<Vec<Vec<u32>>> {
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
