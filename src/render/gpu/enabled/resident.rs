//! Tiles in the device's memory: which are there, which come in, which have to leave.
//!
//! One buffer, the slab, holds them all. A tile is admitted when it is wanted for the second time; the
//! one that leaves is the one whose making costs least for how often it was used lately. What a
//! submission under way reads is held by it and stays. Names hold the master's version, so nothing here
//! is ever out of date.

mod room;
mod seen;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::{Keep, Mosaic, TileName};
use super::words;
use crate::metrics::GPU_RESIDENT_BYTES;
use crate::raster::Shape;
use room::Room;
use seen::Seen;

/// Tiles that leave for one that comes, at most: a large one does not empty the slab.
const MOST_EVICTED: usize = 16;

/// Admissions after which uses count half.
const HALVED_AFTER: u32 = 1024;

/// A tile on the device. As long as it is held, it stays.
#[derive(Debug, Clone)]
pub struct Held(Arc<Place>);

#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Which slab it is in: of all that ever were, so that another device's tile is told.
    slab: u64,
    offset: u32,
    stride: u32,
    words: u32,
    shape: Shape,
}

impl Held {
    /// Its first word in the slab.
    pub(super) fn offset(&self) -> u32 {
        self.0.offset
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> u64 {
        4 * u64::from(self.0.words)
    }

    /// Its words from row to row.
    pub(super) fn stride(&self) -> u32 {
        self.0.stride
    }
}

#[derive(Debug)]
struct Entry {
    held: Held,
    uses: u32,
    worth: u32,
}

#[derive(Debug, Default)]
struct State {
    /// The slab's number; 0 without one.
    slab: u64,
    room: Room,
    entries: HashMap<TileName, Entry>,
    seen: Seen,
    admitted: u32,
    words: u64,
}

/// The tiles of one device.
#[derive(Debug, Default)]
pub struct Tiles(Mutex<State>);

/// The number of the next slab.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Tiles {
    /// All of `names`, if all are there.
    pub fn held(&self, names: &[TileName]) -> Option<Vec<Held>> {
        let mut state = self.state();
        if names.is_empty() || !names.iter().all(|name| state.entries.contains_key(name)) {
            return None;
        }
        names
            .iter()
            .map(|name| {
                let entry = state.entries.get_mut(name)?;
                entry.uses = entry.uses.saturating_add(1);
                Some(entry.held.clone())
            })
            .collect()
    }

    /// Whether all of `names` are there; nothing counts as used by asking.
    pub fn has(&self, names: &[TileName]) -> bool {
        let state = self.state();
        !names.is_empty() && names.iter().all(|name| state.entries.contains_key(name))
    }

    /// Whether one of `names` should come in when it is wanted now; nobody has wanted it by asking.
    pub fn wants(&self, names: &[TileName]) -> bool {
        let state = self.state();
        let comes = |name| !state.entries.contains_key(name) && state.seen.knows(name);
        names.iter().any(comes)
    }

    /// All of `names` are wanted. Which of them should come in: those that are not there, and were
    /// wanted before.
    pub fn want(&self, names: &[TileName]) -> Vec<bool> {
        let mut state = self.state();
        let mut comes =
            |name: &TileName| !state.entries.contains_key(name) && state.seen.again(*name);
        names.iter().map(&mut comes).collect()
    }

    /// Begins with an empty slab of `words` words.
    pub(super) fn open(&self, words: u32) {
        let mut state = self.state();
        *state = State {
            slab: NEXT.fetch_add(1, Ordering::Relaxed),
            room: Room::new(words),
            seen: std::mem::take(&mut state.seen),
            ..State::default()
        };
        state.tell();
    }

    /// Forgets all tiles, and has no room for any.
    pub(super) fn close(&self) {
        let mut state = self.state();
        *state = State::default();
        state.tell();
    }

    /// Room for a tile, which nobody finds before it is [committed](Tiles::commit).
    pub(super) fn reserve(&self, keep: &Keep) -> Option<Held> {
        let shape = Shape {
            dimensions: keep.pixels.dimensions(),
            format: keep.pixels.format(),
        };
        let channels = words::count(shape.format.channels);
        let wanted = u32::try_from(words::words(shape.dimensions, channels)).ok()?;
        let mut state = self.state();
        if state.entries.contains_key(&keep.name) {
            return None;
        }
        let offset = state.make_room(wanted)?;
        Some(Held(Arc::new(Place {
            slab: state.slab,
            offset,
            stride: u32::try_from(words::stride(shape.dimensions.width, channels)).ok()?,
            words: wanted,
            shape,
        })))
    }

    /// The tile's pixels are on their way: whoever submits later may read them.
    pub(super) fn commit(&self, keep: &Keep, held: Held) {
        let mut state = self.state();
        if held.0.slab != state.slab {
            return;
        }
        if state.entries.contains_key(&keep.name) {
            state.room.give_back(held.0.offset, held.0.words);
            return;
        }
        state.age();
        state.words += u64::from(held.0.words);
        let entry = Entry {
            held,
            uses: 1,
            worth: keep.worth.max(1),
        };
        state.entries.insert(keep.name, entry);
        state.tell();
    }

    /// The tile's pixels never came.
    pub(super) fn abandon(&self, held: &Held) {
        let mut state = self.state();
        if held.0.slab == state.slab {
            state.room.give_back(held.0.offset, held.0.words);
        }
    }

    /// Whether `mosaic` can be put together from this slab.
    pub(super) fn has_whole(&self, mosaic: &Mosaic) -> bool {
        let slab = self.state().slab;
        let (columns, rows) = mosaic.grid();
        let inside = mosaic.left < mosaic.cell.width && mosaic.top < mosaic.cell.height;
        let complete = mosaic.tiles.len() as u64 == u64::from(columns) * u64::from(rows);
        let part = |index: usize, held: &Held| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let (column, row) = (index % columns, index / columns);
            let needed = |place: u32, cell: u32, end: u32| (end - place * cell).min(cell);
            let right = mosaic.left + mosaic.shape.dimensions.width;
            let bottom = mosaic.top + mosaic.shape.dimensions.height;
            let place = &held.0;
            place.slab == slab
                && place.shape.format == mosaic.shape.format
                && place.shape.dimensions.width >= needed(column, mosaic.cell.width, right)
                && place.shape.dimensions.height >= needed(row, mosaic.cell.height, bottom)
        };
        inside && complete && (mosaic.tiles.iter().enumerate()).all(|(at, held)| part(at, held))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Room for `words`, others leaving for it where they have to.
    fn make_room(&mut self, words: u32) -> Option<u32> {
        for _ in 0..MOST_EVICTED {
            if let Some(offset) = self.room.take(words) {
                return Some(offset);
            }
            self.evict()?;
        }
        self.room.take(words)
    }

    /// The least useful tile that nobody holds leaves.
    fn evict(&mut self) -> Option<()> {
        let free = (self.entries.iter()).filter(|(_, entry)| Arc::strong_count(&entry.held.0) == 1);
        let use_of = |entry: &Entry| u64::from(entry.uses) * u64::from(entry.worth);
        let least = free.min_by_key(|(_, entry)| (use_of(entry), entry.held.0.offset));
        let name = least.map(|(name, _)| *name)?;
        let gone = self.entries.remove(&name)?;
        let place = &gone.held.0;
        self.room.give_back(place.offset, place.words);
        self.words -= u64::from(place.words);
        Some(())
    }

    fn age(&mut self) {
        self.admitted += 1;
        if self.admitted.is_multiple_of(HALVED_AFTER) {
            for entry in self.entries.values_mut() {
                entry.uses /= 2;
            }
        }
    }

    fn tell(&self) {
        GPU_RESIDENT_BYTES.get().set(4.0 * self.words as f64);
    }
}

#[cfg(test)]
mod tests;
