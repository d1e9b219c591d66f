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
mod listed;
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

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::cancel::Cancel;
use crate::codec::Damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

use super::codestream::{Codestream, Span};
use feed::{Feed, Joined};
use listed::Listed;
use precinct::State;
use progression::{Order, Plan};
use record::Records;
use walk::{Budget, Packets, Walk};

/// Bytes from which on a tile's packets are read when they are wanted, if it lists their lengths. The
/// headers of smaller ones are few.
const LISTED_FROM_BYTES: u64 = 256 << 10;

/// Stands for the packets of a precinct that have not been read.
const UNREAD: u32 = record::NONE - 1;

/// Bytes that the packed record of one packet may have on average, where packets are read when they are
/// wanted; beyond that they are read anew.
const RECORD_BYTES: u64 = 32;

/// One tile's structure, and where the bytes of its code-blocks are.
#[derive(Debug)]
pub(super) struct TileIndex {
    components: Vec<TileComponent>,
    is_transformed: bool,
    damaged: Damaged,
    parts: Joined,
    listed: Option<Listed>,
    found: RwLock<Found>,
}

/// What is known of packets.
#[derive(Debug, Default)]
struct Found {
    /// The first packet of each precinct.
    first: Vec<u32>,
    records: Records,
}

impl TileIndex {
    /// Walks the headers of all packets of a tile; or, if the tile is large and lists their lengths, takes
    /// note of these.
    ///
    /// A tile whose packets end before all that its progression has is whole: the others hold nothing.
    /// Where damage passes, so do the packets from the first damaged one on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] for a header that is not one and for a tile that ends inside a packet,
    /// those of `reader` and of `cancel`.
    pub(super) fn read(
        reader: &dyn RangeReader,
        stream: &Codestream,
        tile: u32,
        cancel: &Cancel,
    ) -> Result<Self> {
        Self::listed_from(LISTED_FROM_BYTES, reader, (stream, tile), cancel)
    }

    fn listed_from(
        bytes: u64,
        reader: &dyn RangeReader,
        (stream, tile): (&Codestream, u32),
        cancel: &Cancel,
    ) -> Result<Self> {
        let data = stream.tile_data(reader, tile)?;
        let (components, precincts) = geometry::components(stream, tile)?;
        let plan = Plan::new(stream, tile);
        let order = Order {
            components: &components,
            plan: &plan,
        };
        let parts = Joined::new(&data.parts);
        let mut listed = None;
        if data.headers.is_none() && parts.length() >= bytes {
            let lengths = stream.packet_lengths(reader, tile)?;
            listed = Listed::new(&order, precincts as usize, &data.parts, &lengths, cancel)?;
        }
        let found = if listed.is_some() {
            Found::none(precincts as usize)
        } else {
            let packets = Packets::new(&plan, Feed::of_file(reader, &parts), data.headers);
            let mut walk = Walk::new(&order, precincts as usize, packets, cancel);
            walk.run(stream.damaged)?;
            walk.found()
        };
        Ok(Self {
            is_transformed: stream.coding_of(tile).is_transformed() && components.len() >= 3,
            damaged: stream.damaged,
            found: RwLock::new(found),
            components,
            parts,
            listed,
        })
    }

    /// Bytes of memory that it holds, or will hold at most while packets are read when they are wanted.
    pub(super) fn bytes(&self) -> u64 {
        let resolutions = self.components.iter().map(|component| {
            let bands = component.resolutions.iter().map(|r| r.bands.capacity());
            component.resolutions.capacity() * size_of::<Resolution>()
                + bands.sum::<usize>() * size_of::<Subband>()
        });
        let found = self.found();
        let structure = resolutions.sum::<usize>()
            + self.components.capacity() * size_of::<TileComponent>()
            + found.first.capacity() * size_of::<u32>()
            + size_of::<Self>();
        let records = match &self.listed {
            Some(listed) => listed.memory() + most_bytes(listed),
            None => found.records.memory(),
        };
        structure as u64 + self.parts.bytes() + records
    }

    /// A component of the tile, by its number in the code stream.
    pub(super) fn component(&self, number: usize) -> Option<&TileComponent> {
        self.components.get(number)
    }

    /// Whether a transform mixes the first three components; where fewer are there it is left out.
    pub(super) const fn is_transformed(&self) -> bool {
        self.is_transformed
    }

    fn found(&self) -> RwLockReadGuard<'_, Found> {
        self.found.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known, once the packets of the precincts in `columns` × `rows` of a band are read.
    fn found_in(
        &self,
        reader: &dyn RangeReader,
        band: &Subband,
        (columns, rows): (Span, Span),
    ) -> Result<RwLockReadGuard<'_, Found>> {
        let grid = band.precincts;
        let places = (rows.start..rows.end)
            .flat_map(|row| (columns.start..columns.end).map(move |x| row * grid.across + x));
        let all = || {
            places
                .clone()
                .map(|place| ((grid.first + place) as usize, place))
        };
        let found = self.found();
        let Some(listed) = &self.listed else {
            return Ok(found);
        };
        let missing: Vec<_> = all()
            .filter(|(number, _)| found.is_unread(*number))
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        drop(found);
        let found = self.read_more(reader, listed, band, &missing)?;
        if !all().any(|(number, _)| found.is_unread(number)) {
            return Ok(found);
        }
        // What was known had to make way: all at once.
        drop(found);
        self.read_more(reader, listed, band, &all().collect::<Vec<_>>())
    }

    /// Reads the packets of these precincts, and keeps what they say.
    fn read_more(
        &self,
        reader: &dyn RangeReader,
        listed: &Listed,
        band: &Subband,
        precincts: &[(usize, u32)],
    ) -> Result<RwLockReadGuard<'_, Found>> {
        let fresh = match self.read_listed(reader, listed, band, precincts) {
            Err(error) if error.kind() == ErrorKind::Corrupt => Err(self.walk(reader, listed)?),
            Err(error) => return Err(error),
            Ok(fresh) => Ok(fresh),
        };
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        match fresh {
            Ok(fresh) => found.add(precincts, &fresh, most_bytes(listed)),
            Err(whole) => *found = whole,
        }
        Ok(RwLockWriteGuard::downgrade(found))
    }

    /// What the packets of these precincts say, alone.
    fn read_listed(
        &self,
        reader: &dyn RangeReader,
        listed: &Listed,
        band: &Subband,
        missing: &[(usize, u32)],
    ) -> Result<Found> {
        let feed = Feed::of_file(reader, &self.parts);
        let mut packets = Packets::new(&listed.plan, feed, None);
        let (mut state, cancel) = (State::default(), Cancel::new());
        let mut budget = Budget::new(self.parts.length(), &cancel);
        let mut fresh = Found::default();
        let resolution = self
            .components
            .get(band.component)
            .and_then(|component| component.resolutions.get(band.resolution));
        let resolution = resolution.ok_or_else(|| Error::internal("finding a resolution"))?;
        for (number, place) in missing {
            state.reset(resolution, *place);
            let records = &mut fresh.records;
            let first = listed.read(*number, &mut state, &mut packets, records, &mut budget)?;
            fresh.first.push(first);
        }
        Ok(fresh)
    }

    /// What all packets say, whatever their listed lengths.
    fn walk(&self, reader: &dyn RangeReader, listed: &Listed) -> Result<Found> {
        let order = Order {
            components: &self.components,
            plan: &listed.plan,
        };
        let precincts = self.found().first.len();
        let packets = Packets::new(&listed.plan, Feed::of_file(reader, &self.parts), None);
        let cancel = Cancel::new();
        let mut walk = Walk::new(&order, precincts, packets, &cancel);
        walk.run(self.damaged)?;
        Ok(walk.found())
    }
}

/// Most bytes of the records of packets that are read when they are wanted.
const fn most_bytes(listed: &Listed) -> u64 {
    listed.packets() * RECORD_BYTES
}

impl Found {
    fn none(precincts: usize) -> Self {
        Self {
            first: vec![UNREAD; precincts],
            ..Self::default()
        }
    }

    fn is_unread(&self, number: usize) -> bool {
        self.first.get(number) == Some(&UNREAD)
    }

    /// Adds what `fresh` knows of `precincts`, in the place of all else if that is too much.
    fn add(&mut self, precincts: &[(usize, u32)], fresh: &Self, most_bytes: u64) {
        let is_small = self.records.memory() + fresh.records.memory() <= most_bytes;
        let grown = if is_small {
            self.records.append(&fresh.records)
        } else {
            None
        };
        let grown = grown.unwrap_or_else(|| {
            *self = Self::none(self.first.len());
            self.records.append(&fresh.records).unwrap_or(0)
        });
        for ((number, _), first) in precincts.iter().zip(&fresh.first) {
            if let Some(slot) = self.first.get_mut(*number).filter(|slot| **slot == UNREAD) {
                *slot = if *first == record::NONE {
                    *first
                } else {
                    first + grown
                };
            }
        }
    }
}
