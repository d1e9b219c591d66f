//! A tile's packets → where the bytes of each of its code-blocks are.
//!
//! [`TileIndex::read`] walks through the headers of all packets of a tile once; bodies are stepped over.
//! What it keeps is packed: a few bytes for each share of a block. [`TileIndex::blocks`] then gives the
//! blocks that a window of a band needs, each with its pieces of the file. Decoding them is left to
//! others.
//!
//! A caller may rely on this: every piece lies in the tile's own parts of the file.
//!
//! Source: ISO/IEC 15444-1 annex B.

mod blocks;
mod feed;
mod geometry;
mod precinct;
mod progression;
mod record;
mod segments;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

pub(super) use blocks::{BlockRef, Blocks, Piece};
pub(super) use geometry::{Orientation, Resolution, Subband, TileComponent};

use crate::cancel::Cancel;
use crate::error::Result;
use crate::reader::RangeReader;

use super::codestream::Codestream;
use feed::{Feed, Joined};
use progression::Order;
use record::Records;
use walk::Walk;

/// One tile's structure, and where the bytes of its code-blocks are.
#[derive(Debug, Clone)]
pub(super) struct TileIndex {
    components: Vec<TileComponent>,
    is_transformed: bool,
    parts: Joined,
    /// The first packet of each precinct.
    precincts: Vec<u32>,
    records: Records,
    /// Bytes behind the last packet.
    unread: u64,
}

impl TileIndex {
    /// Walks the headers of all packets of a tile.
    ///
    /// A tile whose packets end before all that its progression has is whole: the others hold nothing.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] for a header that is not one and for a tile that ends inside a packet,
    /// those of `reader` and of `cancel`.
    pub(super) fn read(
        reader: &dyn RangeReader,
        stream: &Codestream,
        tile: u32,
        cancel: &Cancel,
    ) -> Result<Self> {
        let data = stream.tile_data(reader, tile)?;
        let (components, precincts) = geometry::components(stream, tile)?;
        let coding = stream.coding_of(tile);
        let parts = Joined::new(&data.parts);
        let walk = Walk::new(
            coding,
            (&components, precincts as usize),
            Feed::of_file(reader, &parts),
            data.headers,
            cancel,
        );
        let (precincts, records, unread) = walk.run(&Order::new(stream, tile, &components))?;
        Ok(Self {
            components,
            is_transformed: coding.is_transformed(),
            parts,
            precincts,
            records,
            unread,
        })
    }

    /// Bytes of memory that it holds.
    pub(super) fn bytes(&self) -> u64 {
        let resolutions = self.components.iter().map(|component| {
            let bands = component.resolutions.iter().map(|r| r.bands.capacity());
            component.resolutions.capacity() * size_of::<Resolution>()
                + bands.sum::<usize>() * size_of::<Subband>()
        });
        let structure = resolutions.sum::<usize>()
            + self.components.capacity() * size_of::<TileComponent>()
            + self.precincts.capacity() * size_of::<u32>()
            + size_of::<Self>();
        structure as u64 + self.parts.bytes() + self.records.memory()
    }

    /// A component of the tile, by its number in the code stream.
    pub(super) fn component(&self, number: usize) -> Option<&TileComponent> {
        self.components.get(number)
    }

    /// Bytes of the tile behind its last packet: padding, or packets that no progression names.
    pub(super) const fn unread(&self) -> u64 {
        self.unread
    }

    /// Whether a transform mixes the first three components.
    pub(super) const fn is_transformed(&self) -> bool {
        self.is_transformed
    }
}
